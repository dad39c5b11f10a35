"""Make release/ with nbgrader's own generate_assignment, in a temporary course folder."""

__all__ = ["generate_release", "register"]

import shutil
import tempfile
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_grader.converters import run_converter
from course_grader.course import Course


def generate_release(source, unit):
    """Return the folder's files of a released assignment, made from its source folder.

    A temporary course and gradebook are used: with a live gradebook nbgrader deletes the old
    release before it refuses a changed set of cells.

    Parameters
    ----------
    source : Path
        The folder of the instructor version.
    unit : Unit

    Returns
    -------
    dict
        {file name: bytes}.
    """
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        shutil.copytree(source, course.path("source", unit))
        _generate(course, unit)
        made = course.path("release", unit)
        return {path.name: path.read_bytes() for path in sorted(made.iterdir())}


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
        _generate(temporary, unit, db_url=db_url, course_id=course_id)


def _generate(course, unit, *, db_url=None, course_id=""):
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = db_url or course.db_url
    config.CourseDirectory.course_id = course_id
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    run_converter(converter, f"{unit.name}, generate_assignment")
