"""What the gradebook says of a class: who is in it, and the final points of each submission."""

__all__ = ["is_there", "read_standings"]

from pathlib import Path
from typing import Any

import sqlalchemy
from nbgrader.api import Gradebook

from course_grader.gradebook.exporters import full_name
from course_grader.gradebook.final_points import standings_of
from course_grader.gradebook.one_submission import config_of
from course_grader.project.course import Course


def read_standings(course: Course) -> Any:
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
    if not is_there(directory.db_url):
        return None, {}
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        names = {student.id: full_name(student) for student in gradebook.students}
        found = {
            (assignment.name, student): standing
            for assignment in gradebook.assignments
            for student, standing in standings_of(gradebook, assignment).items()
        }
    return names, found


def is_there(db_url: str) -> bool:
    """Tell whether there is anything to open; a server is asked only when it is opened."""
    address = sqlalchemy.engine.make_url(db_url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()
