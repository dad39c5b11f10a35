"""Answers written from the released text alone come out as they say: right, or wrong."""

from functools import lru_cache, partial
from pathlib import Path

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.judging.judge import agrees_so_far, judge
from course_grader.project.course import find_unit
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_grader.proving.answers_file import read_claims
from course_grader.proving.reference import reference_for

FILES = sorted((Path(__file__).parents[2] / "cold").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cold_answers_come_out_as_they_say(path):
    claims, passed = verdicts(number_of(path))[path]
    assert passed == [claim.right for claim in claims], [claim.name for claim in claims]


def number_of(path):
    return path.stem.split("_")[0]


@lru_cache(maxsize=1)  # the files of a unit follow each other
def verdicts(number):
    """Return {file: (claims, whether each passes)} of a unit; all run in a few processes."""
    unit = find_unit(number)
    master, reference = read_assignment(unit), reference_for(unit)
    files = {path: read_claims(path, master.exercises, say=print) for path in ours(number)}
    claims = [claim for found in files.values() for claim in found]
    passed = {}
    for name, exercise in master.exercises.items():
        mine = [claim for claim in claims if claim.exercise == name]
        stage, enough = ExerciseContext.of(master, exercise), partial(differs, reference[name])
        records = run_answers(stage, [claim.source for claim in mine], enough=enough)
        for claim, record in zip(mine, records, strict=True):
            passed[id(claim)] = judge(name, record, reference[name]).status == "passed"
    return {path: (found, [passed[id(c)] for c in found]) for path, found in files.items()}


def ours(number):
    return [path for path in FILES if number_of(path) == number]


def differs(reference, record):
    """Tell whether the verdict is settled: one check is not as expected."""
    return not agrees_so_far(record, reference)
