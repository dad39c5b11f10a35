"""What an adjustment would change, for each student, before it is in force."""

__all__ = ["changes_by", "in_force"]

import contextlib

from nbgrader.api import MissingEntry
from traitlets.config import Config

from course_grader.gradebook.adjustments import KINDS, adjustments_in, said
from course_grader.gradebook.final_points import Standing, stakes_of, standings_of
from course_grader.gradebook.people import opened
from course_grader.gradebook.standings import is_there
from course_grader.project.course import CourseError, Unit


def changes_by(
    unit: Unit, directory: Config, exercise: str, kind: str
) -> dict[str, tuple[Standing, Standing]]:
    """Return what an adjustment changes; nothing is written.

    Parameters
    ----------
    unit : Unit
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    exercise : str
        Also one that is answered in words.
    kind : str
        void, full, or none, which takes an adjustment back.

    Returns
    -------
    dict
        {student: (Standing before, Standing after)} of everybody who handed in.

    Raises
    ------
    CourseError
        If nothing was graded, or there is no such exercise or kind.
    """
    if kind not in {*KINDS, "none"}:
        raise CourseError(f"AS='{kind}' is none of void, full and none (which takes it back).")
    with _assignment(unit, directory) as (gradebook, assignment):
        if assignment is None:
            raise CourseError(f"{unit.name}: nothing was graded yet that could count otherwise.")
        kinds = adjustments_in(gradebook.db).get(unit.name, {})
        _check(exercise, unit, stakes_of(assignment), kinds)
        after = {name: old for name, old in kinds.items() if name != exercise}
        after |= {exercise: kind} if kind != "none" else {}
        old, new = (standings_of(gradebook, assignment, one) for one in (kinds, after))
    return {student: (old[student], new[student]) for student in sorted(old)}


def in_force(unit: Unit, directory: Config) -> tuple[dict[str, str], list[str]]:
    """Return the adjustments of a unit, {exercise: kind}, and a sentence for each."""
    with _assignment(unit, directory) as (gradebook, assignment):
        if assignment is None:
            return {}, []
        kinds = adjustments_in(gradebook.db).get(unit.name, {})
        return kinds, said(kinds, stakes_of(assignment))


@contextlib.contextmanager
def _assignment(unit, directory):
    """Open the gradebook at a unit's assignment, None if it has none; no gradebook is made."""
    if not is_there(directory.db_url):
        yield None, None
        return
    with opened(directory, ours=False) as gradebook:
        try:
            assignment = gradebook.find_assignment(unit.name)
        except MissingEntry:
            assignment = None
        yield gradebook, assignment


def _check(exercise, unit, stakes, kinds):
    """Refuse what is no exercise, unless an adjustment of it is left to be taken back."""
    if exercise in stakes or exercise in kinds:
        return
    known = "\n".join(f"  {name}  {points:g} points" for name, points in stakes.items())
    raise CourseError(f"{unit.name} has no exercise '{exercise}'. Its exercises are:\n{known}")
