"""The page on which answers in words are graded: one question, its rubric, all its answers."""

__all__ = ["as_data", "words_page"]

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from course_grader.authoring.rubrics import Question
from course_grader.gradebook.formulas import shown
from course_grader.gradebook.words import Answer, read_words
from course_grader.project.course import Course, Unit
from course_grader.reporting.pages import render

SHOWN = ("key", "seen", "name", "text", "points", "comment", "waits", "blank")


def words_page(
    course: Course,
    unit: Unit,
    questions: Mapping[str, Question],
    name: str,
    *,
    everybody: bool,
    token: str,
    nonce: str,
) -> str:
    """Return the page about one question, which needs nothing else but the place to save.

    What students wrote is in it as data, which its script shows as plain text.

    Parameters
    ----------
    course : Course
    unit : Unit
    questions : dict
        {name: Question} of the unit.
    name : str
        Which one.
    everybody : bool
        Show also those who left the cell as it was.
    token, nonce : str
        What a save needs; what the page's own script is known by.

    Returns
    -------
    str
    """
    question = questions[name]
    answers = [a for a in read_words(course, unit, question) if everybody or not a.blank]
    lines = [dataclasses.replace(line, text=_phrase(line.text)) for line in question.lines]
    data = {
        "question": name,
        "possible": question.points,
        "token": token,
        "lines": [line.points for line in lines],
        "answers": [as_data(answer) for answer in answers],
    }
    html = {"text": shown({}, question.text), "model": shown({}, question.model)}
    html |= {"lines": lines, "notes": _phrase(question.notes)}
    words = {"unit": unit, "names": list(questions), "name": name, "nonce": nonce, "token": token}
    return render("words.html", **words, question=question, html=html, data=data)


def as_data(answer: Answer) -> dict[str, Any]:
    """Return what the page's script gets of an answer."""
    return {field: getattr(answer, field) for field in SHOWN}


def _phrase(text):
    """Return a line of Markdown as HTML without the paragraph around it."""
    return re.sub(r"</?p>", "", shown({}, text)).strip()
