"""Rubrics are read as lines with points: in each unit they add up to the exercise's."""

import pytest

from course_grader.authoring.rubrics import parse_rubric, questions_of
from course_grader.project.course import find_unit, units


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_the_lines_of_each_rubric_add_up(unit):
    for question in questions_of(unit).values():
        assert sum(line.points for line in question.lines) == question.points
        assert len(question.lines) >= 3 and "In words" in question.text
        assert question.model and "Rubric" not in question.model
        assert not any("alone earns" in line.text for line in question.lines)


def test_each_of_two_can_be_ticked_apart_and_what_earns_nothing_is_a_note():
    question = questions_of(find_unit("05"))["what-an-ece-hides"]
    first, second, third = [line.text for line in question.lines]
    assert first.startswith("the first of two different things") and second == "the second of two"
    assert third.startswith("what to ask for")
    assert question.notes == "A definition of the ECE alone earns nothing."


@pytest.mark.parametrize(
    ("text", "points", "notes"),
    [
        ("Judge it as a whole.", [], "Judge it as a whole."),
        ("", [], ""),
        ("Half a point for A, from 1.5 to 2. 2.5 points for B (or C).", [0.5, 2.5], ""),
        ('Two points for A. "B" alone earns one point. Not more.', [2], '"B" alone earns one'),
        ("One point for each of three reasons.", [1, 1, 1], ""),
    ],
)
def test_other_ways_to_write_a_rubric(text, points, notes):
    lines, beside = parse_rubric(text)
    assert [line.points for line in lines] == points
    assert beside.startswith(notes) and bool(beside) == bool(notes)
