"""An exercise that nobody began earns nothing, whatever its checks do with exceptions."""

import ast

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.judging.judge import judge
from course_grader.project.course import units
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_grader.proving.reference import reference_for


def stub(source):
    """Return a solution whose functions raise what a released stub raises."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.body = ast.parse("raise NotImplementedError").body
    return ast.unparse(tree)


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_a_stub_earns_nothing(unit):
    master, reference = read_assignment(unit), reference_for(unit)
    for name, exercise in master.exercises.items():
        context = ExerciseContext.of(master, exercise)
        [records] = run_answers(context, [stub(exercise.solution.source)])
        found = judge(name, records, reference[name])
        assert [a.name for a in found.aspects if a.status == "passed"] == [], name
