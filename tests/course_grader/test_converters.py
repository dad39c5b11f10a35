"""nbgrader's converters do less work than alone, and leave the same gradebook behind."""

import contextlib
import sqlite3

import nbgrader.api
import pytest

from course_grader.converters import gradebook_version, without_repeats
from course_grader.course import Course
from course_grader.release import register


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
    monkeypatch.setattr("course_grader.converters.without_repeats", contextlib.nullcontext)
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
