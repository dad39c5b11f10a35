"""Tell when a master was edited and not built: students' work ran the older one's checks."""

__all__ = ["is_stale", "tell_if_stale"]

import sys

from course_grader.authoring import as_notebook
from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.masters import read_master
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError, Unit

NEWER = (
    "masters/{0}/assignment.py, or what it imports, is newer than what was built: "
    "make build UNIT={1}"
)


def is_stale(unit: Unit, course: Course | None = None) -> bool:
    """Return whether an assignment's master is other than what the course's source was built from.

    Without masters, or without a source, there is nothing to compare: False.
    """
    master = unit.master("assignment")
    if not (master.is_file() and _source(unit, course).is_file()):
        return False
    built = notebooks.load(_source(unit, course)).metadata.get("course", {}).get("hash")
    return built != as_notebook.digest(read_master(master, "assignment"))


def tell_if_stale(unit: Unit, course: Course | None = None) -> None:
    """Say in one line that a master, or a module of course_utils that it uses, was not built.

    Raises
    ------
    CourseError
        If a check or a solution was edited: expected values come from the masters, so answers
        that ran the older checks would be compared with those of the newer ones, and lose points.
    """
    if is_stale(unit, course):
        told = NEWER.format(unit.name, unit.name[:2])
        now = as_notebook.source(unit, read_assignment(unit))
        if _graded(now) != _graded(notebooks.load(_source(unit, course))):
            raise CourseError(f"{told}\nA check or a solution differs, so nothing was judged.")
        print(told, file=sys.stderr)


def _source(unit, course):
    return (course or Course()).notebook("source", unit)


def _graded(notebook):
    """Return what decides on points: the cells with checks and solutions, and their points."""
    return [(c.source, c.metadata.nbgrader) for c in notebook.cells if "nbgrader" in c.metadata]
