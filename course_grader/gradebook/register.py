"""Enter a unit's cells and points in a gradebook, with nbgrader's own generate_assignment."""

__all__ = ["generate_assignment", "register"]

import shutil
import tempfile
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_grader.gradebook.converters import run_converter
from course_grader.project.course import Course


def register(course, unit, db_url, course_id=""):
    """Enter a unit's cells and points in the course's gradebook, leaving release/ alone.

    Raises
    ------
    CourseError
        If nbgrader refuses: the set of cells changed after submissions were graded.
    """
    with tempfile.TemporaryDirectory() as folder:
        temporary = Course(Path(folder))
        shutil.copytree(course.path("source", unit), temporary.path("source", unit))
        generate_assignment(temporary, unit, db_url=db_url, course_id=course_id)


def generate_assignment(course, unit, *, db_url=None, course_id=""):
    """Run nbgrader's generate_assignment in a course folder; by default on its own gradebook."""
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = db_url or course.db_url
    config.CourseDirectory.course_id = course_id
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    run_converter(converter, f"{unit.name}, generate_assignment")
