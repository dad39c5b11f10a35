"""Answers written from the released text alone come out as they say: right, or wrong."""

import functools
from pathlib import Path

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.judging.judge import agrees_so_far, judge
from course_grader.project.course import find_unit
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_grader.proving.answers_file import read_claims
from course_grader.proving.reference import reference_for

FILES = sorted((Path(__file__).parents[2] / "cold").glob("*.py"))


@functools.lru_cache(maxsize=1)  # the files of a unit follow each other
def prepared(number):
    unit = find_unit(number)
    return read_assignment(unit), reference_for(unit)


def differs(reference, record):
    """Tell whether the verdict is settled: one check is not as expected."""
    return not agrees_so_far(record, reference)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cold_answers_come_out_as_they_say(path):
    master, reference = prepared(path.stem.split("_")[0])
    claims = read_claims(path, master.exercises, say=print)
    for name, exercise in master.exercises.items():
        mine = [claim for claim in claims if claim.exercise == name]
        enough = functools.partial(differs, reference[name])
        stage, sources = ExerciseContext.of(master, exercise), [claim.source for claim in mine]
        records = run_answers(stage, sources, enough=enough)
        passed = [judge(name, r, reference[name]).status == "passed" for r in records]
        assert passed == [claim.right for claim in mine], [claim.name for claim in mine]
