"""A sample class, composed from a unit's answers: right, wrong, untouched, broken and hostile."""

__all__ = ["make_class", "run_demo"]

import time

from course_grader import members
from course_grader.composer import Composer
from course_grader.course import PROJECT, Course
from course_grader.grade import grade, write_feedback
from course_grader.report import table, write_csv


def run_demo(unit):
    """Grade the sample class under build/demo and compare each score with the expected one.

    Returns
    -------
    int
        How many scores are not as expected.
    """
    start = time.monotonic()
    course = Course.throwaway(PROJECT / "build" / "demo", unit)
    expected = make_class(course, unit)
    graded = grade(course, unit, unsafe=True)
    write_csv(graded, course.root / "gradebook.csv")
    write_feedback(course, unit)
    print(table(graded, expected))
    scores = {result.student: result.record and result.record["score"] for result in graded}
    wrong = [student for student in expected if scores.get(student) != expected[student]]
    print(f"\n{len(expected)} submissions, {len(wrong)} scores not as expected: {wrong}")
    print(f"{time.monotonic() - start:.0f} s; everything lies under {course.root}")
    return len(wrong)


def make_class(course, unit):
    """Write the sample class into a course folder and return {student: expected score}."""
    writer = Composer(course, unit)
    for group in members.GROUPS:
        group(writer)
    return writer.expected
