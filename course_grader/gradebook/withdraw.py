"""Take back one student's submission to a unit: as if nothing had been handed in."""

__all__ = ["what_lies", "withdraw"]

import contextlib
import os
import shutil

import sqlalchemy as sa
from nbgrader.api import MissingEntry
from traitlets.config import Config

from course_grader.gradebook.adjustments import FACTS
from course_grader.gradebook.group_work import GROUPS
from course_grader.gradebook.kept_points import KEPT
from course_grader.gradebook.people import opened
from course_grader.gradebook.unasked import ADDED
from course_grader.intake.placing import free
from course_grader.project.course import Course, Unit

STEPS = ("autograded", "feedback")  # written by grading, and written again by it
TABLES = (GROUPS, ADDED, KEPT, FACTS)  # what they say of a submission is not so of another


def what_lies(course: Course, unit: Unit, student: str, directory: Config) -> str:
    """Return in words what there is of a submission: '' if nothing is.

    Parameters
    ----------
    course : Course
    unit : Unit
    student : str
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    """
    with opened(directory, ours=False) as gradebook:
        try:
            score = gradebook.find_submission(unit.name, student).score
        except MissingEntry:
            score = None
    lies = [
        ("the notebook", course.path("submitted", unit, student).exists()),
        ("the record", course.record(unit, student).is_file()),
        (f"{score or 0:g} points in the gradebook, those by hand too", score is not None),
    ]
    return ", ".join(words for words, there in lies if there)


def withdraw(course: Course, unit: Unit, student: str, directory: Config) -> None:
    """Remove a submission from the gradebook; notebook and record are kept under .originals.

    Parameters
    ----------
    course : Course
    unit : Unit
    student : str
    directory : traitlets.config.Config
    """
    keep = course.aside(unit, student)
    keep.mkdir(parents=True, exist_ok=True)
    for path in (course.path("submitted", unit, student), course.record(unit, student)):
        if os.path.lexists(path):
            os.rename(path, free(keep / f"withdrawn-{path.name}"))
    with contextlib.suppress(OSError):  # other units lie there; empty it would be a hand-in
        os.rmdir(course.root / "submitted" / student)
    for step in STEPS:
        shutil.rmtree(course.path(step, unit, student), ignore_errors=True)
    with opened(directory) as gradebook:
        for table in TABLES:
            here = (table.c.assignment == unit.name) & (table.c.student == student)
            gradebook.db.execute(sa.delete(table).where(here))
        try:
            gradebook.remove_submission(unit.name, student)
        except MissingEntry:
            return
