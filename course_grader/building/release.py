"""Make release/ with nbgrader's own generate_assignment, in a temporary course folder."""

__all__ = ["generate_release"]

import shutil
import tempfile
from pathlib import Path

from course_grader.gradebook.register import generate_assignment
from course_grader.project.course import Course, Unit


def generate_release(source: Path, unit: Unit) -> dict[str, bytes]:
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
        generate_assignment(course, unit)
        made = course.path("release", unit)
        return {path.name: path.read_bytes() for path in sorted(made.iterdir())}
