"""Masters that are edited between two gradings, for tests: a copy that commands take for ours."""

import ast
import re
import shutil

from course_grader.authoring.answers import read_answers
from course_grader.authoring.exercises import read_assignment
from course_grader.building.build import planned
from course_grader.judging.judge import hidden_findings
from course_grader.project.course import PROJECT, Unit, find_unit, units
from course_grader.proving import reference
from course_grader.proving.answer_runner import ExerciseContext, run_answer


def copied(unit, folder):
    """Copy a unit's masters to folder/masters, beside links to all others; return that unit."""
    target = folder / "masters" / unit.name
    shutil.copytree(unit.folder, target)
    for other in units(PROJECT):
        if other.name != unit.name:
            (target.parent / other.name).symlink_to(other.folder)
    return Unit(target)


def with_code(unit, folder):
    """Make a folder a project with code and one unit, for commands in a process of their own."""
    for package in ("course_grader", "course_utils"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, folder / package, ignore=ignored)
    return copied(unit, folder)


def taken_for_ours(unit, patch):
    """Let commands find this unit where they look for ours, and keep its reference beside it."""
    project = unit.folder.parents[1]
    for function in (find_unit, units):
        patch.setattr(function, "__defaults__", (project,))
    patch.setattr(reference, "_cached", lambda one: project / f"{one.name}.json")


def build_into(course, unit):
    """Write into a course what `make build` writes of source and release."""
    for path, content in planned(unit).items():
        if path.startswith(("source/", "release/")):
            (course.root / path).parent.mkdir(parents=True, exist_ok=True)
            (course.root / path).write_bytes(content)


def replace(unit, kind, *pairs):
    """Replace texts in one of a unit's masters; each must stand there."""
    path = unit.master(kind)
    text = path.read_text("utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def drop_exercise(unit, name):
    """Remove all cells of an exercise, or of an answer in words, from a unit's masters."""
    for kind in ("assignment", "answers"):
        path = unit.master(kind)
        parts = re.split(r"(?m)^(?=# %%)", path.read_text("utf-8"))
        kept = [part for part in parts if f'="{name}"' not in part.split("\n", 1)[0]]
        path.write_text("".join(kept), "utf-8")


def drop_hidden(unit, name, dropped, more=""):
    """Remove an exercise's hidden checks for which dropped(aspect, case); write others below."""
    source = read_assignment(unit).exercises[name].hidden.source
    lines = source.splitlines()
    for statement in reversed(ast.parse(source).body):
        match statement:
            case ast.Expr(ast.Call(args=[ast.Constant(aspect), *_], keywords=words)):
                said = {word.arg: word.value for word in words}
                if dropped(aspect, said["case"].value):
                    del lines[statement.lineno - 1 : statement.end_lineno]
    replace(unit, "assignment", (source, "\n".join([*lines, more])))


def spare(unit, name, wrong, more=""):
    """Remove every hidden check that rejects this wrong answer, whichever they are by now."""
    master = read_assignment(unit)
    [answer] = [a for a in read_answers(unit, master.exercises)[name].wrong if a.name == wrong]
    record = run_answer(ExerciseContext.of(master, master.exercises[name]), answer.source)
    told = hidden_findings(record, reference.make_reference(unit, only=name)[name])
    assert told, f"no hidden check rejects {wrong}"
    drop_hidden(unit, name, lambda _, case: any(f.startswith(f"{case}: ") for f in told), more)
