"""What a term's total is made of: which of a student's units are left out, as configured."""

__all__ = ["TermPolicy", "drop_lowest"]

from traitlets import Int, TraitError
from traitlets.config import Configurable

from course_grader.gradebook.one_submission import config_of
from course_grader.project.course import Course, CourseError


class TermPolicy(Configurable):
    """What counts for the total of a term, beside the points of each unit."""

    drop_lowest = Int(0, min=0, help="of each student's units, how many are left out").tag(
        config=True
    )


def drop_lowest(course: Course) -> int:
    """Return how many of each student's units the total leaves out, as nbgrader_config.py says.

    Parameters
    ----------
    course : Course

    Raises
    ------
    CourseError
        If it says no whole number, or one below 0.
    """
    config = config_of(course)
    try:
        return TermPolicy(config=config).drop_lowest
    except TraitError:
        told = config.TermPolicy.drop_lowest
        raise CourseError(
            f"nbgrader_config.py: c.TermPolicy.drop_lowest = {told!r}: give how many units the "
            "term's total leaves out, a whole number, 0 or more"
        ) from None
