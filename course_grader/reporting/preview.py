"""Show which grades a new grading run would change, before it writes anything."""

__all__ = ["changes", "preview"]

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from course_grader.gradebook.exercise_set import check_same_set
from course_grader.gradebook.grade import grade
from course_grader.gradebook.group_work import GROUPS
from course_grader.gradebook.one_submission import config_of
from course_grader.gradebook.people import opened, rows_in
from course_grader.gradebook.record import read_record
from course_grader.gradebook.standings import is_there
from course_grader.gradebook.unasked import ADDED
from course_grader.project.course import Course, Unit


def preview(
    course: Course, unit: Unit, **options: Any
) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    """Grade a copy of the submissions and return what would change.

    The course's gradebook, records and folders stay as they are.

    Parameters
    ----------
    course : Course
    unit : Unit
    **options
        Passed to `grade`.

    Returns
    -------
    list of (student, exercise, points before, points after)
        Points before are None for who has not been graded yet.
    dict
        {student: what of ours went wrong}: their grades would stay as they are.
    """
    check_same_set(course, unit, config_of(course).CourseDirectory)
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        copy = Course(Path(folder))
        for step in ("source", "release"):
            shutil.copytree(course.path(step, unit), copy.path(step, unit))
        for path in _handed_in(course, unit):
            target = copy.root / path.relative_to(course.root)
            shutil.copytree(path, target, symlinks=True)
        shutil.copy(course.root / "nbgrader_config.py", copy.root)
        _carry(course, copy)
        graded = grade(copy, unit, db_url=copy.db_url, **options)
    problems = {result.student: result.problem for result in graded if result.problem}
    changed = [
        change
        for result in graded
        if not result.problem
        for change in changes(
            result.student, read_record(course.record(unit, result.student)), result.record
        )
    ]
    return changed, problems


def _handed_in(course, unit):
    """Yield the folders of all students' submissions, and those of .originals with its reasons."""
    for place in ("*", ".originals/*"):
        found = (course.root / "submitted").glob(f"{place}/{unit.name}")
        yield from (path for path in found if path.is_dir())


def _carry(course, copy):
    """Let the copy's gradebook say what the course's says of groups, and of what is not asked."""
    old, new = (config_of(one).CourseDirectory for one in (course, copy))
    new.db_url = copy.db_url
    if not is_there(old.db_url):
        return
    with opened(old, ours=False) as gradebook:
        rows = {table: rows_in(gradebook.db, table) for table in (GROUPS, ADDED)}
    with opened(new) as gradebook:
        for table, its in rows.items():
            if its:
                gradebook.db.execute(sa.insert(table), [dict(row) for row in its])


def changes(
    student: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[tuple[Any, ...]]:
    """Return (student, exercise, points before, points after) of each exercise that differs.

    Parameters
    ----------
    student : str
    before, after : dict or None
        Records of the judge; None where there is none.

    Examples
    --------
    >>> one = {"exercises": {"nll": {"earned": 2.0}, "kl": {"earned": 1.0}}}
    >>> two = {"exercises": {"nll": {"earned": 4.0}, "kl": {"earned": 1.0}}}
    >>> changes("a", one, two), changes("b", None, two)[0]
    ([('a', 'nll', 2.0, 4.0)], ('b', 'nll', None, 4.0))
    """
    old, new = (_points(record) for record in (before, after))
    names = [*old, *(name for name in new if name not in old)]
    pairs = [(name, old.get(name), new.get(name)) for name in names]
    return [(student, name, was, will) for name, was, will in pairs if was != will]


def _points(record):
    return {n: one["earned"] for n, one in record["exercises"].items()} if record else {}
