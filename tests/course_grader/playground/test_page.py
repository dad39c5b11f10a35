"""The playground's page: one file, whose lessons exist, written and opened by its command."""

import os
import re
import subprocess
import sys

import pytest

from course_grader.playground.page import LESSONS, NAME, playground_page, write_playground
from course_grader.project import notebooks
from course_grader.project.course import PROJECT

PLACES = sorted({place for places in LESSONS.values() for place in places})


@pytest.mark.parametrize(("unit", "heading"), PLACES)
def test_each_lesson_that_it_names_has_that_section(unit, heading):
    lesson = notebooks.load(PROJECT / "notebooks" / f"{unit}.ipynb")
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    assert re.search(rf"^#+ {re.escape(heading)}$", text, re.MULTILINE)


def test_it_is_one_file_that_names_nothing_else():
    page = playground_page()
    found = re.findall(
        r"""(?:src|href)\s*=\s*["']([^"']*)|url\(([^)]*)|@import|https?://[^"]*""", page
    )
    assert [link for link, _ in found if link] == ["data:,"]
    assert set(re.findall(r"https?://[^\"' ]*", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page and "import " not in page.replace("important", "")


def test_a_site_says_where_its_lessons_are():
    page = playground_page(
        lambda unit, heading: f"{unit}.html#{len(heading)}" if unit.startswith("02") else None,
        home="map.html",
    )
    assert '"02_output_distributions.html#25"' in page
    assert '"href": null' in page and '<a href="map.html">' in page


def test_it_links_to_the_lessons_of_a_site_that_was_built(tmp_path):
    lessons = tmp_path / "build" / "site" / "lessons"
    lessons.mkdir(parents=True)
    (lessons / "02_output_distributions.html").touch()
    page = write_playground(tmp_path).read_text("utf-8")
    assert '"site/lessons/02_output_distributions.html"' in page
    assert "site/lessons/01" not in page and "site/index.html" not in page


def test_the_command_writes_it_opens_it_and_tells_where(tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    told = subprocess.run(
        [sys.executable, "-m", "course_grader", "playground"],
        cwd=PROJECT,
        env=os.environ | {"BROWSER": f"{browser} %s"},
        capture_output=True,
        text=True,
        check=True,
    )
    address = (PROJECT / "build" / NAME).as_uri()
    assert address in told.stdout and told.stderr == ""
    assert (tmp_path / "opened").read_text().strip() == address
    assert "<title>Playground" in (PROJECT / "build" / NAME).read_text("utf-8")
