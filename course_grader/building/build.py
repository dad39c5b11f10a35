"""Build the four trees from the masters: all of a unit, or nothing of it."""

__all__ = ["build", "check_names", "drifted", "planned"]

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import nbformat

from course_grader.authoring import as_notebook, markers
from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.masters import read_master
from course_grader.building import leaks
from course_grader.building.card_file import card_file
from course_grader.building.expected_file import expected_file, settled, visible_part
from course_grader.building.lesson_rules import check_lesson
from course_grader.building.release import generate_release
from course_grader.building.run_notebook import run_notebook
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, Unit
from course_grader.proving.reference import reference_for
from course_utils.checking.comparison import EXPECTED_FILE


def build(unit: Unit, *, project: Path = PROJECT, say: Callable[[str], object] = print) -> None:
    """Build the four trees of a unit; nothing moves until all is made.

    Parameters
    ----------
    unit : Unit
    project : Path
        Where the four trees lie.
    say : callable
        Told one line for each tree.
    """
    with tempfile.TemporaryDirectory(dir=_scratch(project)) as folder:
        stage = Path(folder)
        for path, text in settled(planned(unit), project).items():
            _write(stage / path, text)
        _execute(unit, stage, project, say)
        lesson = read_master(unit.master("lesson"), "lesson")
        check_lesson(lesson, notebooks.load(stage / "notebooks" / f"{unit.name}.ipynb"))
        leaks.check_release(unit, stage)
        leaks.check_text(unit, "lesson.py: a card", card_file(unit, stage).decode())
        _move(stage, project, say)


def planned(unit: Unit) -> dict[str, bytes]:
    """Return {path: bytes} of all four trees before execution: what the masters say today.

    The drift test compares these, settled, with the committed trees.
    """
    lesson = read_master(unit.master("lesson"), "lesson")
    assignment = read_assignment(unit)
    visible = expected_file(visible_part(reference_for(unit)))
    name = f"{unit.name}.ipynb"
    plan = {
        f"source/{unit.name}/{EXPECTED_FILE}": visible,
        f"source/{unit.name}/{name}": notebooks.as_bytes(as_notebook.source(unit, assignment)),
        f"notebooks/{name}": notebooks.as_bytes(as_notebook.lesson(unit, lesson)),
        f"solutions/{name}": notebooks.as_bytes(as_notebook.solutions(unit, assignment)),
    }
    return plan | _release(unit, assignment, plan)


def drifted(plan: Mapping[str, bytes], project: Path = PROJECT) -> list[str]:
    """Return the paths in source and release that are not what a plan says, but for rounding."""
    made = settled(plan, project)
    files = {path: project / path for path in made if path.startswith(("source/", "release/"))}
    return [
        path
        for path, file in files.items()
        if not file.is_file() or file.read_bytes() != made[path]
    ]


def check_names(units: Iterable[Unit]) -> None:
    """Stop if two units have an exercise of the same name: results are kept by it."""
    seen = {}
    for unit in units:
        master = read_assignment(unit)
        cells = {name: exercise.solution for name, exercise in master.exercises.items()}
        for name, cell in (cells | master.written).items():
            if name in seen:
                master.fail(cell, f"exercise {name!r} is also in {seen[name]}: rename one")
            seen[name] = unit.name


def _release(unit, assignment, plan):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / unit.name
        for path, content in plan.items():
            if path.startswith("source/"):
                _write(source / Path(path).name, content)
        made = generate_release(source, unit)
    released = nbformat.reads(made[f"{unit.name}.ipynb"].decode(), as_version=4)
    _check_stubs(assignment, released)
    made[f"{unit.name}.ipynb"] = notebooks.as_bytes(released)
    return {f"release/{unit.name}/{name}": content for name, content in made.items()}


def _check_stubs(assignment, released):
    """Stop unless nbgrader's stub is the one that 'not attempted' is recognised by."""
    sources = {cell.id: cell.source for cell in released.cells}
    for exercise in assignment.exercises.values():
        if sources[f"{exercise.name}-solution"] != markers.stub(exercise.solution.source):
            raise CourseError(f"{exercise.name}: the released stub is not the expected one")


def _execute(unit, stage, project, say):
    """Execute lesson and solutions, or keep the committed outputs where nothing changed."""
    for tree in ("notebooks", "solutions"):
        path = Path(tree) / f"{unit.name}.ipynb"
        fresh = notebooks.load(stage / path)
        kept = _kept(fresh, project / path)
        if kept:
            say(f"{path}: unchanged")
        else:
            say(f"{path}: executing")
            (stage / "run").mkdir(exist_ok=True)
            shutil.copy(stage / f"source/{unit.name}/{EXPECTED_FILE}", stage / "run")
            run_notebook(fresh, stage / "run")
        notebooks.save(kept or fresh, stage / path)
    shutil.rmtree(stage / "run", ignore_errors=True)


def _kept(fresh, path):
    """Return the committed notebook if it was made from the same cells and modules."""
    if not path.is_file():
        return None
    old = notebooks.load(path)
    same = [(c.id, c.source) for c in old.cells] == [(c.id, c.source) for c in fresh.cells]
    return old if same and old.metadata.get("course") == fresh.metadata.course else None


def _move(stage, project, say):
    for path in sorted(p for p in stage.rglob("*") if p.is_file()):
        target = project / path.relative_to(stage)
        if not target.is_file() or target.read_bytes() != path.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
            say(f"{path.relative_to(stage)}: written")


def _scratch(project):
    """Return a folder on the same disk as the trees, so that a move is one step."""
    folder = project / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
