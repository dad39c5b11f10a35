"""What the gradebook says of a class: who is in it, and the final points of each submission."""

__all__ = ["Standing", "read_standings"]

import dataclasses
from pathlib import Path

import sqlalchemy
import sqlalchemy.orm
from nbgrader.api import Gradebook, SubmittedAssignment

from course_grader.gradebook.exporters import final_points, full_name
from course_grader.gradebook.one_submission import config_of

NUMBERS = ("score", "max_score", "late_submission_penalty", "needs_manual_grade")


@dataclasses.dataclass(frozen=True)
class Standing:
    """A submission in the gradebook: points as exported, of how many, and what they lack.

    `penalty` was taken off for lateness; `waits` says that something is still to be graded by
    hand, such as an answer in words.
    """

    points: float
    possible: float
    penalty: float = 0.0
    waits: bool = False


def read_standings(course):
    """Read a course's gradebook; one that is not there is not made.

    Parameters
    ----------
    course : Course

    Returns
    -------
    dict or None
        {student: name}, also of those who handed in nothing; None without a gradebook.
    dict
        {(assignment, student): Standing}.
    """
    directory = config_of(course).CourseDirectory
    if not _is_there(directory.db_url):
        return None, {}
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        names = {student.id: full_name(student) for student in gradebook.students}
        found = {
            (assignment.name, submission.student_id): _standing(submission)
            for assignment in gradebook.assignments
            for submission in _submissions(gradebook, assignment)
        }
    return names, found


def _is_there(db_url):
    """Tell whether there is anything to open; a server is asked only when it is opened."""
    address = sqlalchemy.engine.make_url(db_url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def _submissions(gradebook, assignment):
    """Return an assignment's submissions by one query: nbgrader asks anew for each number."""
    numbers = [getattr(SubmittedAssignment, name) for name in NUMBERS]
    query = gradebook.db.query(SubmittedAssignment).options(*map(sqlalchemy.orm.undefer, numbers))
    return query.filter(SubmittedAssignment.assignment_id == assignment.id).all()


def _standing(submission):
    return Standing(
        final_points(submission),
        submission.max_score,
        submission.late_submission_penalty or 0.0,
        bool(submission.needs_manual_grade),
    )
