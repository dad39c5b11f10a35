"""`make demo`, by its command: a class is graded, written, and every score compared."""

import csv

import pytest

from course_grader.__main__ import main
from course_grader.demo import personas


@pytest.fixture
def small(tmp_path, monkeypatch, shared_forkserver):
    """Let the demo's class hold files of every kind, and lie elsewhere."""
    monkeypatch.setattr("course_grader.demo.sample.PROJECT", tmp_path)
    monkeypatch.setattr(personas, "GROUPS", (personas.files,))
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    return tmp_path / "build" / "demo"


def test_the_command_grades_a_class_and_compares_every_score(small, unit, capsys):
    assert main(["demo", "--unit", "01"]) == 0
    assert "7 submissions, 0 scores not as expected: []" in capsys.readouterr().out
    with open(small / unit.name / "gradebook.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row["score"] for row in csv.DictReader(file)}
    assert len(rows) == 7 and float(rows["two-notebooks"]) == 0 < float(rows["two-copies"])


def test_a_score_that_is_not_as_expected_is_told(small, monkeypatch, capsys):
    real = personas.files

    def wrong(group):
        real(group)
        group.expected["two-copies"] -= 1

    monkeypatch.setattr(personas, "GROUPS", (wrong,))
    assert main(["demo", "--unit", "01"]) == 1
    assert "1 scores not as expected: ['two-copies']" in capsys.readouterr().out
