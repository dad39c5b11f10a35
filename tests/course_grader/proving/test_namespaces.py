"""A student's names stay the student's: no check cell takes the place of a helper."""

import ast
import json

import pytest

from course_grader.__main__ import main
from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.markers import solved
from course_grader.judging.judge import judge
from course_grader.project.course import find_unit, units
from course_grader.proving.answer_runner import ExerciseContext, run_answer
from course_grader.proving.reference import reference_for

USUAL = {"check", "checks", "gradient", "k", "soft", "bands", "centre", "width", "norm", "x", "y"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
UNITS = units()


def with_helpers(exercise):
    """Return the model answer, calling helpers named as everything that the checks bind."""
    tree = ast.parse(solved(exercise.solution.source))
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.name for node in tree.body if hasattr(node, "name")}
    names = sorted((USUAL | bound(exercise)) - own)
    calls = ast.parse(f"assert [{', '.join(f'{name}()' for name in names)}] == {names}").body
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            node.body[:0] = calls
    helpers = [f"def {name}():\n    return {name!r}\n" for name in names]
    return "\n".join([*helpers, ast.unparse(tree)])


def bound(exercise):
    """Return the names that both check cells bind."""
    sources = exercise.checks.source, exercise.hidden.source
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names | {n.name for n in nodes if isinstance(n, (*FUNCTIONS, ast.ClassDef))}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_helpers_named_as_what_the_checks_bind_stay_the_students(unit):
    master, reference = read_assignment(unit), reference_for(unit)
    for name, exercise in master.exercises.items():
        record = run_answer(ExerciseContext.of(master, exercise), with_helpers(exercise))
        assert judge(name, record, reference[name]).status == "passed", name


def test_so_they_do_when_graded(tmp_path, capsys, bubblewrap):
    exercises = read_assignment(find_unit("01")).exercises
    cells = [
        f'# %% mine right="{name}"\n{with_helpers(exercise)}\n'
        for name, exercise in exercises.items()
    ]
    file = tmp_path / "answers.py"
    file.write_text("\n".join(cells), "utf-8")
    assert main(["prove", "--unit", "01", "--answers", str(file), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(exercises)
