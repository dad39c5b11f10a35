"""Exercises that were added after some had handed in: of those they are not asked.

Who that is, is decided when the new set is taken over (`taking_over`), from what lay there then:
nobody gets out of an exercise by leaving its cells away. Whoever hands in a notebook with it later
is asked it as all others are.
"""

__all__ = ["ADDED", "Unasked", "contained", "unasked_in"]

from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy as sa
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy.orm import Session

from course_grader.gradebook.people import OWN, rows_in
from course_grader.gradebook.preprocessors import kept
from course_grader.intake.arrival_notes import read_sender
from course_grader.intake.groups import GROUP
from course_grader.intake.sanitize import rebuild
from course_grader.project.bounded import bounded
from course_grader.project.course import Course, Unit, find_unit
from course_utils.checking.forms import SOLUTION

TOLD = "Added after this was handed in: not asked, and its points are not among those possible.\n"
ADDED = sa.Table(
    "course_added",
    OWN,
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("exercise", sa.String(128), primary_key=True),
    sa.Column("asked", sa.Boolean, nullable=False),  # what counts now has it
)


def unasked_in(session: Session, assignment: str) -> dict[str, set[str]]:
    """Return {student: names of exercises} that are not asked, in an open gradebook."""
    found = {}
    for row in rows_in(session, ADDED, ADDED.c.assignment == assignment, ~ADDED.c.asked):
        found.setdefault(row["student"], set()).add(row["exercise"])
    return found


def contained(course: Course, unit: Unit, student: str) -> set[str]:
    """Return the exercises whose cell for an answer is in what a student handed in.

    Parameters
    ----------
    course : Course
    unit : Unit
    student : str

    Returns
    -------
    set of str
        Empty where no notebook lies there any more.
    """
    path = course.notebook("submitted", unit, student)
    if not path.is_file():
        return set()
    source, release = (kept(course, step, unit) for step in ("source", "release"))
    try:
        with bounded():
            missing = rebuild(nbformat.read(path, as_version=4), source, release).missing
    except Exception:  # what breaks this scores 0 when it is graded, and stops nobody
        return set()
    grading = [cell.metadata.get("nbgrader", {}) for cell in release.cells]
    ids = {one["grade_id"] for one in grading if one.get("solution")}
    return {name.removesuffix(SOLUTION) for name in ids - set(missing)}


class Unasked(NbGraderPreprocessor):
    """Take out of the judge's record what is not asked, after finding out whether it is now."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook, which says so above the panel."""
        place = resources["nbgrader"]
        here = (ADDED.c.student == place["student"]) & (ADDED.c.assignment == place["assignment"])
        with Gradebook(place["db_url"]) as gradebook:
            names = _added(gradebook.db, place["assignment"], place["student"])
            if not names:
                return nb, resources
            unit = find_unit(place["assignment"])
            unasked = names - contained(Course(Path.cwd()), unit, place["student"])
            now = ADDED.c.exercise.not_in(unasked)
            gradebook.db.execute(sa.update(ADDED).where(here).values(asked=now))
            gradebook.db.commit()
        resources["record"] = _without(resources["record"], unasked)
        resources["unasked"] = unasked
        for cell in nb.cells:
            if cell.id in unasked and cell.cell_type == "code":
                cell.outputs.insert(0, new_output("stream", name="stdout", text=TOLD))
        return nb, resources


def _added(session, assignment, student):
    """Return what was added after a student, or who handed in for the group, had handed in."""
    sender, _ = read_sender(Course(Path.cwd()).aside(find_unit(assignment), student))
    other = sender.name if sender and sender.lms == GROUP else student
    rows = rows_in(session, ADDED, ADDED.c.assignment == assignment)
    own, theirs = (
        {row["exercise"] for row in rows if row["student"] == one} for one in (student, other)
    )
    for name in theirs - own:
        new = {"assignment": assignment, "student": student, "exercise": name, "asked": False}
        session.execute(sa.insert(ADDED).values(**new))
    return own | theirs


def _without(record, names):
    """Return a record without some exercises: neither their points nor those possible."""
    gone = [one for name, one in record["exercises"].items() if name in names]
    possible = sum(points for one in gone for _, points in one["aspects"].values())
    return record | {
        "score": record["score"] - sum(one["earned"] for one in gone),
        "max_score": record["max_score"] - possible,
        "exercises": {n: one for n, one in record["exercises"].items() if n not in names},
    }
