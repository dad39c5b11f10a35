"""`nbgrader autograde` reads what `make grade` reads, and refuses what `make grade` refuses."""

__all__ = ["refuse_early", "take_in"]

import logging
from pathlib import Path

from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from course_grader.authoring.staleness import tell_if_stale
from course_grader.gradebook.exercise_set import check_same_set
from course_grader.gradebook.record import error_record, read_record, write_record
from course_grader.intake.again import take_again
from course_grader.project.course import Course, CourseError, find_unit
from course_grader.project.faults import words_of

log = logging.getLogger(__name__)
START = Autograde.start


def refuse_early() -> None:
    """Let nbgrader's autograde stop before it begins, where what was built is not what it needs.

    That is a master that was edited since, or another set of exercises than the gradebook's.
    Its hook is too late: it comes when a student's older result is removed, and what it raises
    is not heard.
    """
    Autograde.start = _start


def _start(self):
    """Tell, and refuse, as `make grade` does; it has done so itself before it comes here."""
    if type(self) is Autograde:
        try:
            unit = find_unit(self.coursedir.assignment_id)
            course = Course(Path(self.coursedir.root))
            tell_if_stale(unit, course)
            check_same_set(course, unit, self.coursedir)
        except CourseError as error:
            for line in str(error).splitlines():
                self.log.error(line)
            raise NbGraderException(str(error)) from None
    START(self)


def take_in(assignment: str, student: str, notebooks: list[str]) -> None:
    """Take in a submission before nbgrader copies it; nbgrader calls this in the course's root.

    A fault of ours is marked in the record, so that an older score is not taken for a new one.

    Parameters
    ----------
    assignment, student : str
        What was asked for; `student` may be a pattern.
    notebooks : list of str
        Paths of one student's submitted files; afterwards that of the clean one.
    """
    course, unit = Course(Path.cwd()), find_unit(assignment)
    student = Path(notebooks[0]).parents[1].name if notebooks else student
    try:
        arrival = take_again(course, unit, student)
        problem = "" if arrival.taken else arrival.reason
    except Exception as error:
        problem = f"not taken in: {words_of(error)}"
        log.error("%s: not taken in", student, exc_info=error)
    if problem:
        path = course.record(unit, student)
        record = error_record(
            read_record(path), student=student, what=problem, log=".nbgrader.log"
        )
        write_record(path, record)
    notebooks[:] = [str(course.notebook("submitted", unit, student))]
