"""Sample classes, composed from units' answers: right, wrong, untouched, broken and hostile."""

__all__ = ["make_class", "run_demo", "run_demos"]

import time
from collections.abc import Callable, Sequence

from course_grader.authoring.composer import Composer
from course_grader.demo import personas
from course_grader.gradebook.grade import grade
from course_grader.gradebook.saving import write_feedback
from course_grader.project.course import PROJECT, Course, Unit
from course_grader.reporting.table import table, write_csv

Groups = Sequence[Callable[[Composer], None]]


def run_demos(units: Sequence[Unit]) -> int:
    """Grade a sample class of each unit; return how many scores are not as expected.

    The first unit's class hands in damaged and hostile files too, which are much the same in
    every unit; the others hand in answers.
    """
    return sum(
        run_demo(unit, groups=personas.GROUPS if unit is units[0] else (personas.answers,))
        for unit in units
    )


def run_demo(unit: Unit, *, groups: Groups = personas.GROUPS) -> int:
    """Grade a sample class under build/demo and compare each score with the expected one.

    Parameters
    ----------
    unit : Unit
    groups : tuple of functions from `members`
        Who is in the class.

    Returns
    -------
    int
        How many scores are not as expected.
    """
    start = time.monotonic()
    print(f"\n{unit.name}")
    course = Course.throwaway(PROJECT / "build" / "demo" / unit.name, unit)
    expected = make_class(course, unit, groups=groups)
    graded = grade(course, unit, unsafe=True)
    write_csv([result.record for result in graded], course.root / "gradebook.csv")
    write_feedback(course, unit)
    print(table(graded, expected))
    scores = {result.student: result.record["score"] for result in graded}
    wrong = [student for student in expected if scores.get(student) != expected[student]]
    print(f"\n{len(expected)} submissions, {len(wrong)} scores not as expected: {wrong}")
    print(f"{time.monotonic() - start:.0f} s; everything lies under {course.root}")
    return len(wrong)


def make_class(
    course: Course, unit: Unit, *, groups: Groups = personas.GROUPS
) -> dict[str, float]:
    """Write the sample class into a course folder and return {student: expected score}."""
    writer = Composer(course, unit)
    for group in groups:
        group(writer)
    return writer.expected
