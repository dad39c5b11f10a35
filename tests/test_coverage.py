"""The page of topics: each has its section and its exercises, and no exercise is left out."""

import re

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from tests.test_errata import headings

PAGE = (PROJECT / "docs" / "coverage.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!topic|---)(.+) \|$", PAGE, re.MULTILINE)
SECTION = re.compile(r"\[(\d\d) (.+)\]\(\.\./notebooks/(\1_\w+)\.ipynb#(.+)\)")
EXERCISE = re.compile(r"\[(\d\d)\.(\d)\]\(\.\./release/(\1_\w+)/\3\.ipynb\)")


def exercises(unit):
    """Return the numbers of an assignment's exercises, in words or in code."""
    released = notebooks.load(PROJECT / "release" / unit / f"{unit}.ipynb")
    text = "\n".join(c.source for c in released.cells if c.cell_type == "markdown")
    return set(re.findall(r"^## Exercise (\d)\.", text, re.MULTILINE))


@pytest.mark.parametrize("row", ROWS)
def test_a_topic_has_its_section_and_its_exercises(row):
    topic, section, graded = row.split(" | ")
    found = SECTION.fullmatch(section)
    assert topic and found, row
    assert found[4] == found[2].replace(" ", "-") and found[4] in headings(found[3])
    for one in graded.split(", "):
        exercise = EXERCISE.fullmatch(one)
        assert exercise and exercise[2] in exercises(exercise[3]), one


def test_no_exercise_and_no_unit_is_left_out():
    graded = {(unit, number) for _, number, unit in EXERCISE.findall(PAGE)}
    assert graded == {(unit.name, n) for unit in units() for n in exercises(unit.name)}
    assert {unit for _, _, unit, _ in SECTION.findall(PAGE)} == {unit.name for unit in units()}


def test_no_topic_stands_twice():
    topics = [row.split(" | ")[0] for row in ROWS]
    assert len(topics) == len(set(topics)) > 100
