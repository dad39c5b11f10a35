"""Exercises that count otherwise than they were graded: void, or full for who handed in.

nbgrader has no word for that. Points possible are set anew by each grading, and a score written
by hand would take the place of a person's. So it stands in a table of ours, and is applied where
final points are counted (`final_points`): nbgrader's rows stay, and taking back is exact.
"""

__all__ = ["FACTS", "KINDS", "adjust", "adjustments_in", "facts_in", "said", "tell_facts"]

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from traitlets.config import Config

from course_grader.gradebook.people import OWN, opened, rows_in

KINDS = {
    "void": "{0} is void: nobody's points of it count, and {1:g} fewer are possible.",
    "full": "{0} is full: who handed in has all {1:g} points of it.",
}
ADJUSTMENTS = sa.Table(
    "course_adjustment",
    OWN,
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("exercise", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
)
FACTS = sa.Table(  # what nbgrader's rows do not tell of a submission
    "course_submission",
    OWN,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("readable", sa.Boolean, nullable=False),
    sa.Column("late_share", sa.Float, nullable=False),
)


def adjustments_in(session: Session) -> dict[str, dict[str, str]]:
    """Return {assignment: {exercise: kind}} of what is in force in an open gradebook."""
    found = {}
    for row in rows_in(session, ADJUSTMENTS):
        found.setdefault(row["assignment"], {})[row["exercise"]] = row["kind"]
    return found


def facts_in(session: Session, assignment: str) -> dict[str, Any]:
    """Return {student: row of FACTS}; what older versions have graded has none."""
    rows = rows_in(session, FACTS, FACTS.c.assignment == assignment)
    return {row["student"]: row for row in rows}


def adjust(directory: Config, assignment: str, exercise: str, kind: str) -> None:
    """Put an adjustment in force, or take it back.

    Parameters
    ----------
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    assignment, exercise : str
    kind : str
        A key of KINDS, or none.
    """
    here = (ADJUSTMENTS.c.assignment == assignment) & (ADJUSTMENTS.c.exercise == exercise)
    row = {"assignment": assignment, "exercise": exercise, "kind": kind}
    with opened(directory) as gradebook:
        gradebook.db.execute(sa.delete(ADJUSTMENTS).where(here))
        if kind != "none":
            gradebook.db.execute(sa.insert(ADJUSTMENTS).values(**row))


def tell_facts(
    session: Session, student: str, assignment: str, *, readable: bool, late_share: float
) -> None:
    """Note of a graded submission what only its grading knows; the caller commits.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
    student, assignment : str
    readable : bool
        Whether anything of it could be graded.
    late_share : float in [0, 1]
        Of the points, what being late costs: with 0 points a penalty in points does not tell.
    """
    FACTS.create(session.connection(), checkfirst=True)
    here = (FACTS.c.student == student) & (FACTS.c.assignment == assignment)
    facts = {"readable": readable, "late_share": late_share}
    # Not taken out and put in again: another grader's at the same time would then be refused.
    if not session.execute(sa.update(FACTS).where(here).values(**facts)).rowcount:
        row = {"student": student, "assignment": assignment} | facts
        session.execute(sa.insert(FACTS).values(**row))


def said(kinds: Mapping[str, str], stakes: Mapping[str, float]) -> list[str]:
    """Return a sentence for each adjustment.

    Parameters
    ----------
    kinds : dict
        {exercise: kind}.
    stakes : dict
        {exercise: points}; one that is not among them is no longer graded.

    Examples
    --------
    >>> said({"kl": "full"}, {"kl": 4.0})
    ['kl is full: who handed in has all 4 points of it.']
    """
    return [KINDS[kind].format(name, stakes.get(name, 0.0)) for name, kind in kinds.items()]
