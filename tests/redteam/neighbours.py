"""Whether honest students' records, notebooks and feedback are the same without attackers."""

__all__ = ["class_of", "differences", "files_of"]

import json

from course_grader.project.course import Course
from tests.redteam.harness import attack_class


def class_of(honest, unit, folder):
    """Grade a class of honest students, given by name, alone; return its course."""
    attack_class({}, unit, folder, honest=honest)
    return Course(folder / "course")


def differences(alone, among, unit, names):
    """Return the students whose files are not those that they have in a class without attackers.

    Parameters
    ----------
    alone : Course
        Graded without attackers.
    among : Path
        The course in which the same students were graded between attackers.
    unit : Unit
    names : iterable of str
        Honest students.
    """
    other = Course(among)
    return [n for n in sorted(names) if files_of(alone, unit, n) != files_of(other, unit, n)]


def files_of(course, unit, student):
    """Return {what: content} of what a student gets, times and seconds aside."""
    record = json.loads(course.record(unit, student).read_text("utf-8"))
    record["graded"], record["execution"]["seconds"] = None, None
    page = course.notebook("feedback", unit, student).with_suffix(".html")
    return {
        "record": record,
        "notebook": course.notebook("autograded", unit, student).read_bytes(),
        "feedback": page.read_bytes(),
    }
