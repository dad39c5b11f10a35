"""The map shows each unit once, right of what it builds on, and links where it may."""

import re

import pytest

from course_grader.project.course import units
from course_utils.course_map import COURSE, map_html, places


def test_the_map_holds_the_course_s_units_with_their_titles():
    assert {u.name[:2]: u.facts["title"] for u in units()} == {k: v[0] for k, v in COURSE.items()}


def test_a_unit_stands_to_the_right_of_what_it_builds_on_and_no_two_in_one_place():
    at = places()
    assert len(set(at.values())) == len(COURSE)
    for unit, (_, needs, _) in COURSE.items():
        assert all(at[need][0] < at[unit][0] for need in needs.split())


def test_boxes_do_not_overlap():
    at = sorted(places().values())
    for (column, down), (other, below) in zip(at, at[1:], strict=False):
        assert column != other or below - down >= 1


@pytest.mark.parametrize("state", ["done", "begun", "fresh"])
def test_a_unit_with_a_link_is_a_link_and_says_its_state(state):
    shown = map_html({"03": (state, "x/'y'.ipynb")})
    [link] = re.findall(r"<a href='([^']*)'", shown)
    assert link == "x/&#x27;y&#x27;.ipynb"
    assert (f"<span>{state}</span>" in shown) == (state != "fresh")
    assert shown.count("position:absolute") == len(COURSE) + 1  # boxes, and the lines below them


@pytest.mark.parametrize("unit", units()[1:], ids=lambda unit: unit.name)
def test_a_unit_stands_behind_all_that_its_lesson_needs(unit):
    needed = needs_in(unit.master("lesson").read_text("utf-8"))
    assert needed or unit.name.startswith("01")
    assert needed <= reached(COURSE[unit.name[:2]][1].split())


def needs_in(lesson):
    """Return the units that a lesson says it needs; "05 to 08" are four of them."""
    told = lesson[lesson.index("**You need**") : lesson.index("Reading takes")]
    told = re.sub(r"unit \d\d has the whole story", "", told)  # a hint, where to read on
    spans = re.findall(r"\b(\d\d)(?: to (\d\d))?\b", told)
    return {f"{n:02d}" for first, last in spans for n in range(int(first), int(last or first) + 1)}


def reached(needs):
    """Return all units below some."""
    below = set(needs)
    for need in needs:
        below |= reached(set(COURSE[need][1].split()))
    return below
