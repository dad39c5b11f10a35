"""The errata page: every sentence has its section, and every section is there."""

import re

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units

PAGE = (PROJECT / "docs" / "errata.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith('| "')]
LINK = re.compile(r"\[(\d\d)\]\(\.\./notebooks/(\1_\w+)\.ipynb#(.+)\) \|$")


def headings(unit):
    """Return a lesson's headings, as JupyterLab makes links of them."""
    lesson = notebooks.load(PROJECT / "notebooks" / f"{unit}.ipynb")
    text = "\n".join(c.source for c in lesson.cells if c.cell_type == "markdown")
    return {title.replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("row", ROWS)
def test_a_sentence_leads_to_a_section_that_is_there(row):
    found = LINK.search(row)
    assert found, row
    assert found[3] in headings(found[2])


def test_no_unit_with_a_finding_is_left_out():
    met = {LINK.search(row)[2] for row in ROWS}
    without = {"09_bayesian_nets", "15_capstone"}  # they teach what articles leave out
    assert met == {unit.name for unit in units()} - without
