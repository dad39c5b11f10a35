"""The page about a class: what it counts is what the records say, and it runs nothing."""

import csv
import json

import numpy as np
import pytest

from course_grader.project.course import Course, CourseError
from course_grader.reporting.class_report import write_class_report
from course_grader.reporting.item_analysis import MANY, analyse_items, wilson

HOSTILE = "<script>alert(1)</script>"


def record(student, first, second, *, reason="", misconception=None, died=()):
    """Make a judge's record of two exercises worth 4 and 2 points."""
    exercises = {
        name: {
            "status": status,
            "earned": earned,
            "aspects": {"value": [earned, points]},
            "misconception": misconception if name == "gaussian-nll" else None,
        }
        for (name, points), (status, earned) in zip(
            (("gaussian-nll", 4.0), ("laplace-mle", 2.0)), (first, second), strict=True
        )
    }
    execution = {"sandbox": "none", "seconds": 1.5, "died": list(died), "too_long": []}
    return {
        "student": student,
        "score": first[1] + second[1],
        "max_score": 6.0,
        "reason": reason,
        "exercises": exercises,
        "execution": execution,
    }


PASSED, HALF, NOTHING, LEFT = (
    ("passed", 4.0),
    ("not yet", 2.0),
    ("not yet", 0.0),
    ("not attempted", 0.0),
)
SMALL = [
    record("a", PASSED, ("passed", 2.0)),
    record("b", HALF, LEFT, misconception="variance-as-scale"),
    record("c", NOTHING, NOTHING, misconception="variance-as-scale"),
    record("d", LEFT, LEFT),
    record("e", PASSED, ("passed", 2.0), died=["gaussian-nll"]),
    record(HOSTILE, NOTHING, NOTHING, reason="not a notebook"),
]


@pytest.fixture
def handed(tmp_path, unit):
    """Return a function that writes records into a course of its own."""
    course = Course(tmp_path)

    def write(records):
        for number, one in enumerate(records):
            path = course.record(unit, f"student-{number}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(one), "utf-8")
        return course

    return write


def surveyed(course, unit):
    return analyse_items(course.record(unit, "any").parent, unit.name, {})


def test_it_counts_what_the_records_say(handed, unit):
    found = surveyed(handed(SMALL), unit)
    assert (found.size, found.possible, list(found.scores)) == (5, 6.0, [6, 2, 0, 0, 6])
    first = found.exercises[0]
    assert first.counts == {"passed": 2, "partly": 1, "nothing": 1, "not attempted": 1}
    assert first.share == pytest.approx(10 / 20)
    assert [(m.name, m.count) for m in found.misconceptions] == [("variance-as-scale", 2)]
    assert dict(found.looks) == {
        "c": "no points, though there are attempts",
        "d": "nothing attempted",
        "e": "cells that ended their process: gaussian-nll",
        HOSTILE: "not a notebook",
    }


def test_relations_are_counted_where_no_misconception_was_met(handed, unit):
    few = [record("a", NOTHING, LEFT), record("b", NOTHING, LEFT), record("c", PASSED, LEFT)]
    for one in few:
        one["exercises"]["gaussian-nll"]["relations"] = {"value": f"Twice {HOSTILE}."}
    few[2]["exercises"]["gaussian-nll"] |= {"misconception": "variance-as-scale"}
    course = handed(few)
    found = [(r.exercise, r.name, r.count) for r in surveyed(course, unit).relations]
    assert found == [("gaussian-nll", "value", 2)]
    text = write_class_report(course, unit).read_text("utf-8")
    assert "Twice &lt;script&gt;" in text and HOSTILE not in text


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 5), (5, 5), (17, 300)])
def test_the_interval_is_wilsons(successes, n):
    """Its ends are the shares from which the share that was found lies 1.96 deviations off."""
    share, *ends = wilson(successes, n)
    assert share == successes / n and 0 <= ends[0] <= share <= ends[1] <= 1
    for end in ends:
        assert abs(share - end) == pytest.approx(1.959964 * (end * (1 - end) / n) ** 0.5, abs=1e-6)


def test_a_small_class_gets_no_discrimination_and_a_large_one_the_correlation(handed, unit):
    few = surveyed(handed(SMALL), unit)
    assert all(exercise.discrimination is None for exercise in few.exercises)
    second = [2.0 * (i % 3 > 0) for i in range(MANY)]
    first = [4.0 * (i % 3 == 2) for i in range(MANY)]
    pairs = zip(first, second, strict=True)
    many = [record(str(i), ("not yet", a), ("not yet", b)) for i, (a, b) in enumerate(pairs)]
    found = surveyed(handed(many), unit)
    expected = np.corrcoef(first, second)[0, 1]
    assert found.exercises[0].discrimination == pytest.approx(expected)


def test_the_page_is_whole_by_itself_and_shows_names_as_text(handed, unit):
    page = write_class_report(handed(SMALL), unit)
    text = page.read_text("utf-8")
    assert HOSTILE not in text and "&lt;script&gt;" in text
    assert "<script" not in text and "http" not in text and "@import" not in text
    assert text.count("data:image/png;base64,") == 2
    assert "pass sigma, not sigma squared" in text  # the sentence that students saw


def test_the_tables_behind_it_are_csv(handed, unit):
    folder = write_class_report(handed(SMALL), unit).parent
    with open(folder / "exercises.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["exercise"] for row in rows] == ["gaussian-nll", "laplace-mle"]
    assert rows[0]["passed"] == "2" and rows[0]["discrimination"] == ""
    assert {path.name for path in folder.glob("*.csv")} == {
        "exercises.csv",
        "looks.csv",
        "misconceptions.csv",
        "relations.csv",
    }


def test_a_class_of_unreadable_files_is_shown_too(handed, unit):
    text = write_class_report(handed(SMALL[-1:]), unit).read_text("utf-8")
    assert "0 graded" in text and "not a notebook" in text


def test_without_records_it_says_what_to_do(tmp_path, unit):
    with pytest.raises(CourseError, match="make grade"):
        write_class_report(Course(tmp_path), unit)
