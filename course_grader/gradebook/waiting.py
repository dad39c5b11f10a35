"""How many answers in words wait for a person: what nbgrader's gradebook says, by one query."""

__all__ = ["grades_of", "session_of", "waiting_words"]

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.orm import Session

from course_grader.gradebook.adjustments import adjustments_in
from course_grader.gradebook.one_submission import config_of
from course_grader.gradebook.repeats import without_repeats
from course_grader.gradebook.standings import is_there
from course_grader.project.course import Course, Unit


def waiting_words(course: Course, unit: Unit) -> int:
    """Return how many of a unit's answers in words wait for a person.

    Parameters
    ----------
    course : Course
        A gradebook that is not there is not made: records may lie alone.
    unit : Unit
    """
    if not _is_there(course):
        return 0
    cells, names = GradeCell.__table__, BaseCell.__table__
    counted = (
        grades_of(unit, sa.func.count(Grade.id))
        .join(cells, cells.c.id == Grade.cell_id)
        .join(names, names.c.id == Grade.cell_id)
        .where(Grade.needs_manual_grade, cells.c.cell_type == "markdown")
    )
    with session_of(course) as session:
        adjusted = adjustments_in(session).get(unit.name, {})  # those need no reader
        return session.execute(counted.where(names.c.name.not_in(adjusted))).scalar()


@contextlib.contextmanager
def session_of(course: Course) -> Iterator[Session]:
    """Open a course's gradebook; give its session."""
    directory = config_of(course).CourseDirectory
    with without_repeats(), Gradebook(directory.db_url, directory.course_id) as gradebook:
        yield gradebook.db


def _is_there(course):
    """Tell whether there is a gradebook to open; a server is asked only when it is opened."""
    if not (course.root / "nbgrader_config.py").is_file():
        return False
    return is_there(config_of(course).CourseDirectory.db_url)


def grades_of(unit: Unit, *columns: Any) -> Any:
    """Return the query for columns of all grades of a unit.

    Parameters
    ----------
    unit : Unit
    *columns : sqlalchemy columns
        Of nbgrader's Grade, SubmittedNotebook, SubmittedAssignment or Assignment, or of what the
        query is joined with.
    """
    return (
        sa.select(*columns)
        .select_from(Grade)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == unit.name)
    )
