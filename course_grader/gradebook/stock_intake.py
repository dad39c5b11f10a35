"""`nbgrader autograde` reads what `make grade` reads, through the same intake."""

__all__ = ["take_in"]

import logging
from pathlib import Path

from course_grader.gradebook.record import error_record, read_record, write_record
from course_grader.intake.again import take_again
from course_grader.project.course import Course, find_unit
from course_grader.project.faults import words_of

log = logging.getLogger(__name__)


def take_in(assignment, student, notebooks):
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
