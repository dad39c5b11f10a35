"""Answers in words in nbgrader's gradebook: which wait for a person, and the points they get.

Points are written where formgrader writes them, so that it, exports and feedback show them. Who
saves says what was shown to her: where that is no longer so, nothing is saved.
"""

__all__ = ["Answer", "Overtaken", "read_words", "save_words"]

import dataclasses
import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa
from nbgrader.api import BaseCell, Comment, Grade, SubmittedAssignment, SubmittedNotebook

from course_grader.authoring.rubrics import Question
from course_grader.gradebook.people import people_in
from course_grader.gradebook.waiting import grades_of, session_of
from course_grader.gradebook.word_texts import released_words, text_of
from course_grader.project.course import Course, Unit


@dataclasses.dataclass(frozen=True)
class Answer:
    """One student's answer to one question, with what the gradebook says of it.

    Attributes
    ----------
    key, comment_key : str
        The grade's and the comment's id in the gradebook.
    student, name, text : str
    points : float or None
        Given by a person.
    comment : str
        For the student.
    waits, blank : bool
        For a person's points; left as it was released.
    """

    key: str
    comment_key: str
    student: str
    name: str
    text: str
    points: float | None
    comment: str
    waits: bool
    blank: bool

    @property
    def seen(self) -> str:
        """A hash of what a grader looks at: by it a save finds out that something has changed."""
        told = json.dumps([self.text, self.points, self.comment, self.waits])
        return hashlib.sha256(told.encode()).hexdigest()[:24]


class Overtaken(Exception):
    """Somebody was quicker: `now` has the answers as they are."""

    def __init__(self, now: list[Answer]) -> None:
        super().__init__("changed since it was shown; nothing was saved")
        self.now = now


def read_words(course: Course, unit: Unit, question: Question) -> list[Answer]:
    """Return all answers to a question, those that wait first.

    They come in an order that follows no name and is the same each time: by a hash of the text.
    Identical answers are neighbours.

    Parameters
    ----------
    course : Course
    unit : Unit
    question : Question

    Returns
    -------
    list of Answer
    """
    with session_of(course) as session:
        return sorted(_answers(session, course, unit, question.name), key=_place)


def save_words(
    course: Course,
    unit: Unit,
    question: Question,
    seen: Mapping[str, str],
    points: float,
    comment: str,
) -> list[Answer]:
    """Write points and comment into the gradebook, for all answers named or for none.

    Parameters
    ----------
    course : Course
    unit : Unit
    question : Question
    seen : dict
        {key of an answer: its `seen` when it was shown}.
    points : float
        From 0 to the question's, in halves.
    comment : str
        For the student; '' for none.

    Returns
    -------
    list of Answer
        As they are now.

    Raises
    ------
    ValueError
        If the points cannot be given.
    Overtaken
        If an answer is not what it was when it was shown.
    """
    if not 0 <= points <= question.points or points % 0.5:
        raise ValueError(f"{points:g} points: give 0 to {question.points:g}, in halves")
    with session_of(course) as session:
        now = _answers(session, course, unit, question.name, seen)
        same = {one.key: one.seen for one in now} == seen
        if not (same and all(_replace(session, one, points, comment) for one in now)):
            session.rollback()
            raise Overtaken(_answers(session, course, unit, question.name, seen))
        session.commit()
        return _answers(session, course, unit, question.name, seen)


def _answers(session, course, unit, question, keys=None):
    """Return a question's answers, or those of some keys, by one query."""
    graded, solved = BaseCell.__table__.alias(), BaseCell.__table__.alias()
    told = [Grade.manual_score, Comment.manual_comment, Grade.needs_manual_grade]
    chosen = (
        grades_of(unit, Grade.id, Comment.id, SubmittedAssignment.student_id, *told)
        .join(graded, graded.c.id == Grade.cell_id)
        .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
        .join(solved, solved.c.id == Comment.cell_id)
        .where(graded.c.name == question, solved.c.name == question)
    )
    if keys is not None:
        chosen = chosen.where(Grade.id.in_(list(keys)))
    names = {person.id: person.shown for person in people_in(session)}
    stub = released_words(course, unit, question)
    return [_answer(row, names, stub, course, unit, question) for row in session.execute(chosen)]


def _answer(row, names, stub, course, unit, question):
    key, comment_key, student, points, comment, waits = row
    text = text_of(course, unit, student, question)
    blank = "".join(text.split()) in ("", "".join(stub.split()))
    words = names.get(student, student), text, points, comment or ""
    return Answer(key, comment_key, student, *words, waits, blank)


def _place(answer):
    """Return what answers are sorted by."""
    hashes = [hashlib.sha256(word.encode()).hexdigest() for word in (answer.text, answer.student)]
    return not answer.waits, hashes


def _replace(session, answer, points, comment):
    """Write one answer's points and comment where what was read still stands; tell if it did."""
    grade, beside = Grade.__table__, Comment.__table__
    graded = sa.update(grade).where(
        grade.c.id == answer.key,
        grade.c.manual_score.is_not_distinct_from(answer.points),
        grade.c.needs_manual_grade == answer.waits,
    )
    commented = sa.update(beside).where(
        beside.c.id == answer.comment_key,
        sa.func.coalesce(beside.c.manual_comment, "") == answer.comment,
    )
    written = (
        graded.values(manual_score=points, needs_manual_grade=False),
        commented.values(manual_comment=comment or None),
    )
    return all(session.execute(statement).rowcount == 1 for statement in written)
