"""nbgrader's converters do less work than alone, and leave the same gradebook behind."""

import contextlib
import sqlite3

import nbconvert.exporters.html
import nbgrader.api
import pytest
from bs4 import BeautifulSoup

from course_grader.gradebook.register import register
from course_grader.gradebook.repeats import NO_DESCRIPTION, gradebook_version, without_repeats
from course_grader.project.course import Course


def contents(path):
    """Return every table of a gradebook without the ids that are drawn at random."""
    with sqlite3.connect(path) as database:
        found = database.execute("select name from sqlite_master where type = 'table'")
        names = [name for (name,) in found]
        rows = {name: list(database.execute(f"select * from {name}")) for name in sorted(names)}
    return {name: sorted(map(_without_ids, found)) for name, found in rows.items()}


def _without_ids(row):
    return [str(v) for v in row if not (isinstance(v, str) and len(v) == 32)]


def test_the_version_is_the_one_that_nbgraders_own_program_prints():
    assert gradebook_version() == nbgrader.api.get_alembic_version()


def test_a_gradebook_is_the_same_as_without_our_shortcuts(tmp_path, unit, monkeypatch):
    course = Course.throwaway(tmp_path / "course", unit)
    register(course, unit, course.db_url)
    ours = contents(course.root / "gradebook.db")
    plain = f"sqlite:///{tmp_path / 'plain.db'}"
    monkeypatch.setattr(
        "course_grader.gradebook.converters.without_repeats", contextlib.nullcontext
    )
    register(course, unit, plain)
    assert ours == contents(tmp_path / "plain.db") and ours["alembic_version"]


def test_a_gradebook_that_is_deleted_is_made_anew(tmp_path, unit):
    course = Course.throwaway(tmp_path / "course", unit)
    for _ in range(2):
        (course.root / "gradebook.db").unlink(missing_ok=True)
        register(course, unit, course.db_url)
        assert contents(course.root / "gradebook.db")["alembic_version"]


def test_outside_the_block_nbgrader_is_as_it_was():
    before = nbgrader.api.create_engine, nbgrader.api.inspect
    with without_repeats():
        assert nbgrader.api.inspect is not before[1]
    assert (nbgrader.api.create_engine, nbgrader.api.inspect) == before
    with pytest.raises(ZeroDivisionError), without_repeats():
        raise ZeroDivisionError
    assert (nbgrader.api.create_engine, nbgrader.api.inspect) == before


PAGE = """<!DOCTYPE html>
<html><body><p>a &lt;img src="x"&gt; b</p>
<img src="data:image/png;base64,AAAA"/><img alt="A figure." src="y"/><img src="z" alt=""/>
</body></html>"""


def test_a_page_says_what_it_says_with_nbconverts_own_way():
    plain = str(nbconvert.exporters.html.BeautifulSoup(PAGE, features="html.parser"))
    for image in (soup := BeautifulSoup(PAGE, features="html.parser")).select("img:not([alt])"):
        image["alt"] = NO_DESCRIPTION
    with without_repeats():
        ours = str(nbconvert.exporters.html.BeautifulSoup(PAGE, features="html.parser"))
    assert NO_DESCRIPTION not in plain and ours.count(NO_DESCRIPTION) == 1
    assert str(BeautifulSoup(ours, features="html.parser")) == str(soup)
