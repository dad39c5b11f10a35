"""Due dates: of a unit for the class, and of one student."""

__all__ = ["deadlines", "moment", "set_due"]

import functools
import re
import warnings
from datetime import UTC, datetime

from dateutil import parser
from nbgrader.api import MissingEntry
from traitlets.config import Config

from course_grader.gradebook.exercise_set import check_same_set
from course_grader.gradebook.people import EXTENSIONS, grant_until, opened, rows_in
from course_grader.gradebook.register import register
from course_grader.project.course import Course, CourseError, Unit


def moment(text: str) -> datetime:
    """Return the moment that words mean; without a time zone, in that of this machine.

    Parameters
    ----------
    text : str
        Such as "2027-01-31 23:59" or "2027-01-31 23:59 UTC".

    Raises
    ------
    CourseError
        If they mean none, or no day is told.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a time zone that is not known
            first, second = (parser.parse(text, default=datetime(*day)) for day in _DAYS)
        moments = {first.astimezone(UTC), second.astimezone(UTC)}
    except (ValueError, OverflowError, parser.UnknownTimezoneWarning):
        moments = set()
    if len(moments) != 1 or not _CLEAR.search(text) or _TWISTED.search(text):
        raise CourseError(f"'{text}' tells no day and hour: WHEN=\"2027-01-31 23:59\"")
    return moments.pop()


_DAYS = ((2001, 2, 3, 4, 5), (2004, 5, 6, 7, 8))  # what is not told comes from these, and differs
_CLEAR = re.compile(r"\b\d{4}-\d\d?-\d\d?(?:\b|T\d)|[^\W\d_]{3}")  # in 03.02. one may be the month
_TWISTED = re.compile(r"(?:UTC|GMT)\s*[+-]", re.IGNORECASE)  # some read it the other way round


def set_due(
    course: Course, unit: Unit, directory: Config, when: datetime | None, student: str = ""
) -> None:
    """Set when a unit is due, for the class or for one student.

    Parameters
    ----------
    course : Course
    unit : Unit
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    when : datetime or None
        With a time zone; None takes the date back.
    student : str
        Our id; '' for the class.
    """
    if student:
        grant_until(directory, student, unit.name, when)
        return
    check_same_set(course, unit, directory)
    register(course, unit, directory.db_url, directory.course_id)
    with opened(directory) as gradebook:
        assignment = gradebook.find_assignment(unit.name)
        assignment.duedate = when and when.replace(tzinfo=None)


def deadlines(unit: Unit, directory: Config) -> tuple[datetime | None, dict[str, datetime]]:
    """Return when a unit is due, None if no date is set, and {student: a date of their own}."""
    zone = functools.partial(datetime.replace, tzinfo=UTC)
    with opened(directory, ours=False) as gradebook:
        try:
            due = gradebook.find_assignment(unit.name).duedate
        except MissingEntry:
            due = None
        rows = rows_in(gradebook.db, EXTENSIONS, EXTENSIONS.c.assignment == unit.name)
    return due and zone(due), {row["student"]: zone(row["until"]) for row in rows}
