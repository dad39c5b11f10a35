"""Final points, as they leave for an LMS and a report: by hand, adjusted, after a late penalty."""

__all__ = ["Standing", "possible_of", "stakes_of", "standings_of"]

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy.orm
from nbgrader.api import BaseCell, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook

from course_grader.gradebook.adjustments import adjustments_in, facts_in
from course_grader.gradebook.unasked import unasked_in

NUMBERS = ("score", "late_submission_penalty", "needs_manual_grade")


@dataclasses.dataclass(frozen=True)
class Standing:
    """A submission in the gradebook: points as exported, of how many, and what they lack.

    `penalty` was taken off for lateness; `waits` says that something is still to be graded by
    hand, such as an answer in words.
    """

    points: float
    possible: float
    penalty: float = 0.0
    waits: bool = False

    def of(self, possible: float) -> float:
        """Return the points as an LMS gets them, which knows one number of points possible.

        Who was not asked a part of them has the same share of all; who was asked nothing, none.
        """
        if possible and not self.possible:
            return None
        if possible == self.possible:
            return self.points
        return round(self.points * possible / self.possible, 2)


def stakes_of(assignment: Any) -> dict[str, float]:
    """Return {exercise: points} of an assignment in the gradebook, answers in words included."""
    cells = [c for n in assignment.notebooks for c in (*n.grade_cells, *n.task_cells)]
    return {cell.name: cell.max_score for cell in cells}


def possible_of(
    gradebook: Gradebook, assignment: Any, kinds: Mapping[str, str] | None = None
) -> float:
    """Return the points possible: those of void exercises are not.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open.
    assignment : nbgrader.api.Assignment
    kinds : dict, optional
        {exercise: kind}; default: the adjustments in force.
    """
    kinds = _in_force(gradebook, assignment) if kinds is None else kinds
    void = [n for name, n in stakes_of(assignment).items() if kinds.get(name) == "void"]
    return assignment.max_score - sum(void)


def standings_of(
    gradebook: Gradebook, assignment: Any, kinds: Mapping[str, str] | None = None
) -> dict[str, "Standing"]:
    """Return {student: Standing} of an assignment; the number of queries is not the class's.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open.
    assignment : nbgrader.api.Assignment
    kinds : dict, optional
        {exercise: kind}; default: the adjustments in force.
    """
    kinds = _in_force(gradebook, assignment) if kinds is None else kinds
    possible = possible_of(gradebook, assignment, kinds)
    submissions = _submissions(gradebook, assignment)
    unasked = unasked_in(gradebook.db, assignment.name)
    if not kinds and not unasked:
        return {one.student_id: _unadjusted(one, possible) for one in submissions}
    facts, grades = facts_in(gradebook.db, assignment.name), _grades(gradebook, assignment)
    stakes, found = stakes_of(assignment), {}
    for one in submissions:
        fact = facts.get(one.student_id, {})
        names = unasked.get(one.student_id, set())
        own = kinds | dict.fromkeys(names, "void")
        gain, waits = _change(grades.get(one.id, []), own, stakes, fact.get("readable", True))
        most = possible - sum(stakes[name] for name in names if kinds.get(name) != "void")
        before, late = _unadjusted(one, most), fact.get("late_share", 0.0)
        found[one.student_id] = _adjusted(one.score, before.penalty, gain, late, most, waits)
    return found


def _in_force(gradebook, assignment):
    return adjustments_in(gradebook.db).get(assignment.name, {})


def _submissions(gradebook, assignment):
    """Return an assignment's submissions by one query: nbgrader asks anew for each number."""
    numbers = [getattr(SubmittedAssignment, name) for name in NUMBERS]
    query = gradebook.db.query(SubmittedAssignment).options(*map(sqlalchemy.orm.undefer, numbers))
    return query.filter(SubmittedAssignment.assignment_id == assignment.id).all()


def _grades(gradebook, assignment):
    """Return {id of a submission: [(exercise, score, extra credit, whether it waits)]}."""
    columns = SubmittedAssignment.id, BaseCell.name, Grade.score, Grade.extra_credit
    query = gradebook.db.query(*columns, Grade.needs_manual_grade)
    query = query.select_from(Grade).join(BaseCell, BaseCell.id == Grade.cell_id)
    query = query.join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    query = query.join(SubmittedAssignment)
    found = {}
    for key, *grade in query.filter(SubmittedAssignment.assignment_id == assignment.id):
        found.setdefault(key, []).append(grade)
    return found


def _unadjusted(submission, possible):
    penalty = submission.late_submission_penalty or 0.0
    points = max(0.0, submission.score - penalty)
    return Standing(points, possible, penalty, bool(submission.needs_manual_grade))


def _change(grades, kinds, stakes, readable):
    """Return by how much a score changes, and whether anything that still counts waits."""
    gain, waits = 0.0, False
    for exercise, score, extra, waiting in grades:
        kind = kinds.get(exercise)
        if kind == "void":
            gain -= score
        elif kind == "full" and readable:
            gain += max(0.0, stakes[exercise] + (extra or 0.0) - score)  # nobody loses
        else:
            waits |= bool(waiting)
    return gain, waits


def _adjusted(score, penalty, gain, late_share, possible, waits):
    """Return the Standing after an adjustment: the late penalty stays the same share."""
    if gain:
        penalty = (score + gain) * (penalty / score if score > 0 else late_share)
    points = round(max(0.0, score + gain - penalty), 9)  # 2.4, not 2.4000000000000004
    return Standing(points, possible, penalty, waits)
