"""Take another set of exercises over into nbgrader's gradebook, in one transaction.

nbgrader keeps points by the names of cells, and refuses another set of them. What is gone from
the master is taken out, with its points possible; what people gave for it is kept aside, and comes
back with it. What is new is entered for each submission, with no points, and is not asked of those
whose notebook has it not (`unasked`).
"""

__all__ = ["take_over"]

import sqlalchemy as sa
from nbgrader.api import BaseCell, Comment, Grade, GradeCell, SubmittedNotebook
from traitlets.config import Config

from course_grader.gradebook.exercise_set import cell_sets, set_change
from course_grader.gradebook.kept_points import keep_points, put_back
from course_grader.gradebook.people import opened
from course_grader.gradebook.register import register
from course_grader.gradebook.unasked import ADDED
from course_grader.project.course import Course, Unit


def take_over(course: Course, unit: Unit, directory: Config) -> None:
    """Let the gradebook have the set of exercises that was built; all of it, or nothing.

    Parameters
    ----------
    course : Course
    unit : Unit
    directory : traitlets.config.Config
    """
    change = set_change(course, unit, directory)
    with opened(directory) as gradebook:
        session, assignment = gradebook.db, gradebook.find_assignment(unit.name)
        notebook = gradebook.find_notebook(unit.name, unit.name)
        _scale_penalties(session, notebook, change.removed)
        for kind, (wanted, known) in cell_sets(notebook, course, unit).items():
            _take_out(session, unit, kind, notebook, known - wanted.keys())
            for name in wanted.keys() - known:
                _enter(session, unit, kind(name=name, notebook=notebook, **wanted[name]))
        rows = [
            {"assignment": assignment.name, "student": student, "exercise": name, "asked": False}
            for student, names in change.unasked.items()
            for name in names
        ]
        gone = ADDED.c.exercise.in_([*change.removed, *change.added])
        session.execute(sa.delete(ADDED).where(ADDED.c.assignment == unit.name, gone))
        if rows:
            session.execute(sa.insert(ADDED), rows)
    register(course, unit, directory.db_url, directory.course_id)


def _take_out(session, unit, kind, notebook, names):
    """Delete cells of one kind, with their rows of each submission; what people gave is kept."""
    for name in names:
        cell = session.query(kind).filter_by(name=name, notebook_id=notebook.id).one()
        if issubclass(kind, BaseCell):
            keep_points(session, unit.name, cell)
            for row in (Grade, Comment):
                session.execute(sa.delete(row).where(row.cell_id == cell.id))
        session.delete(cell)
    session.flush()


def _enter(session, unit, cell):
    """Enter a cell, and for each submission what nbgrader would have made with it: no points."""
    session.add(cell)
    session.flush()
    if not isinstance(cell, BaseCell):
        return
    for submitted in cell.notebook.submissions:
        if isinstance(cell, GradeCell):
            numbers = {"auto_score": 0.0, "needs_manual_grade": False}
            row = Grade(cell_id=cell.id, notebook_id=submitted.id, **numbers)
        else:
            row = Comment(cell_id=cell.id, notebook_id=submitted.id)
        put_back(session, unit.name, row, submitted.assignment.student_id, cell.name)
        session.add(row)
    session.flush()


def _scale_penalties(session, notebook, removed):
    """Let late penalties stay the same share of the points, without those of some exercises."""
    scores = sa.select(SubmittedNotebook.id, BaseCell.name, Grade.score).select_from(Grade)
    scores = scores.join(BaseCell, BaseCell.id == Grade.cell_id)
    scores = scores.join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    whole, gone = {}, {}
    for key, name, score in session.execute(scores.where(SubmittedNotebook.notebook == notebook)):
        whole[key] = whole.get(key, 0.0) + score
        gone[key] = gone.get(key, 0.0) + (score if name in removed else 0.0)
    for one in notebook.submissions:
        if one.late_submission_penalty and whole.get(one.id):
            one.late_submission_penalty *= 1 - gone[one.id] / whole[one.id]
