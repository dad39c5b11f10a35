"""Enter a unit's cells and points in a gradebook, with nbgrader's own generate_assignment."""

__all__ = ["generate_assignment", "register"]

import shutil
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_grader.gradebook.converters import run_converter
from course_grader.gradebook.repeats import without_repeats
from course_grader.project.course import Course, Unit


def register(course: Course, unit: Unit, db_url: str, course_id: str = "") -> None:
    """Enter a unit's cells and points in the course's gradebook, leaving release/ alone.

    nbgrader refuses another set of exercises after submissions: `check_same_set` comes before.
    """
    with tempfile.TemporaryDirectory() as folder:
        temporary = Course(Path(folder))
        shutil.copytree(course.path("source", unit), temporary.path("source", unit))
        _forget_empty(unit, db_url, course_id)
        generate_assignment(temporary, unit, db_url=db_url, course_id=course_id)


def _forget_empty(unit, db_url, course_id):
    """Remove submissions that were entered before the unit had any cells.

    nbgrader's autograde does that where a due date has made an assignment without notebooks; it
    would then refuse the notebook.
    """
    with without_repeats(), Gradebook(db_url, course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(unit.name)
        except MissingEntry:
            return
        empty = [] if assignment.notebooks else [one.student.id for one in assignment.submissions]
        for student in empty:
            gradebook.remove_submission(unit.name, student)


def generate_assignment(
    course: Course, unit: Unit, *, db_url: str | None = None, course_id: str = ""
) -> None:
    """Run nbgrader's generate_assignment in a course folder; by default on its own gradebook."""
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = db_url or course.db_url
    config.CourseDirectory.course_id = course_id
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    run_converter(converter, f"{unit.name}, generate_assignment")
