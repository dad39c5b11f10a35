"""What is kept when an exercise leaves the gradebook: a copy of it, and what people gave."""

__all__ = ["KEPT", "backup", "keep_points", "put_back"]

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nbgrader.api import Comment, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.orm import Session

from course_grader.gradebook.people import OWN, rows_in

KEPT = sa.Table(
    "course_kept",
    OWN,
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("cell", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # of nbgrader's row: grade, comment; waits
    sa.Column("points", sa.Float),
    sa.Column("extra", sa.Float),
    sa.Column("comment", sa.Text),
)


def backup(db_url: str, word: str) -> Path | None:
    """Copy a gradebook in SQLite beside itself; return the copy's path, None for a server's.

    Parameters
    ----------
    db_url, word : str
        The word stands in the copy's name.
    """
    address = sa.engine.make_url(db_url)
    if address.get_backend_name() != "sqlite":
        return None
    path = Path(address.database)
    copy = path.with_name(f"{path.stem}-{word}-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def keep_points(session: Session, assignment: str, cell: Any) -> None:
    """Keep aside what people gave for a cell that leaves the gradebook; the caller commits.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
    assignment : str
    cell : nbgrader.api.BaseCell
    """
    given = Grade.manual_score.is_not(None) | Grade.extra_credit.is_not(None)
    grades = _rows(session, cell, Grade, (Grade.manual_score, Grade.extra_credit), given)
    said = Comment.manual_comment.is_not(None)
    comments = _rows(session, cell, Comment, (Comment.manual_comment,), said)
    waiting = _rows(session, cell, Grade, (), Grade.needs_manual_grade)
    kept = [{"kind": "waits", "student": s} for (s,) in waiting]
    kept += [{"kind": "grade", "student": s, "points": p, "extra": e} for s, p, e in grades]
    kept += [{"kind": "comment", "student": s, "comment": words} for s, words in comments]
    place = {"assignment": assignment, "cell": cell.name}
    here = (KEPT.c.assignment == assignment) & (KEPT.c.cell == cell.name)
    for row in kept:
        older = here & (KEPT.c.student == row["student"]) & (KEPT.c.kind == row["kind"])
        session.execute(sa.delete(KEPT).where(older))
        session.execute(sa.insert(KEPT).values(**place, **row))


def put_back(session: Session, assignment: str, row: Any, student: str, cell: str) -> None:
    """Give a new row of nbgrader's what was kept for it, and keep that no longer.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
    assignment : str
    row : nbgrader.api.Grade or nbgrader.api.Comment
    student, cell : str
    """
    kinds = ("grade", "waits") if isinstance(row, Grade) else ("comment",)
    here = (KEPT.c.assignment == assignment) & (KEPT.c.cell == cell)
    here &= (KEPT.c.student == student) & KEPT.c.kind.in_(kinds)
    for kept in rows_in(session, KEPT, here):
        if kept["kind"] == "waits":
            row.needs_manual_grade = True
        elif kept["kind"] == "grade":
            row.manual_score, row.extra_credit = kept["points"], kept["extra"]
        else:
            row.manual_comment = kept["comment"]
    session.execute(sa.delete(KEPT).where(here))


def _rows(session, cell, kind, columns, condition):
    """Return (student, *columns) of nbgrader's rows of one kind for a cell."""
    chosen = (
        sa.select(SubmittedAssignment.student_id, *columns)
        .select_from(kind)
        .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .where(kind.cell_id == cell.id, condition)
    )
    return session.execute(chosen).all()
