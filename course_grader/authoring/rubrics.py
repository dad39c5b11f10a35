r"""Rubrics of exercises in words, as lines with points that a grader ticks.

A rubric is prose: "One point for X. One point for each of two Y. Z alone earns nothing." A
sentence that gives points starts with how many; what follows it up to the next such sentence
goes without points, and is shown as a note:

>>> lines, notes = parse_rubric("Two points for a proof. Half a point for a sketch. None else.")
>>> [(line.points, line.text) for line in lines], notes
([(2.0, 'a proof'), (0.5, 'a sketch')], 'None else.')
"""

__all__ = ["Line", "Question", "parse_rubric", "questions_of"]

import dataclasses
import re

from course_grader.authoring import markers
from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import Unit

NUMBERS = {"half a": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0}
NUMBER = rf"(?:{'|'.join(NUMBERS)}|\d+(?:\.\d+)?)"
GIVES = re.compile(rf"({NUMBER}) points? for(?: each of ({NUMBER}))?:? ", re.IGNORECASE)
SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\")”]))\s+(?=[A-Z0-9\"“(])")
ORDINALS = ("first", "second", "third", "fourth")
RUBRIC = "**Rubric.**"


@dataclasses.dataclass(frozen=True)
class Line:
    """What earns points, and how many."""

    points: float
    text: str


@dataclasses.dataclass(frozen=True)
class Question:
    """An exercise in words as a grader needs it.

    `text` and `model` are Markdown; `notes` is what a rubric says beside its lines.
    """

    name: str
    points: float
    text: str
    model: str
    lines: tuple[Line, ...]
    notes: str


def questions_of(unit: Unit) -> dict[str, Question]:
    """Return a unit's exercises in words, {name: Question}, in order.

    Parameters
    ----------
    unit : Unit
    """
    master = read_assignment(unit)
    return {name: _question(master, name, cell) for name, cell in master.written.items()}


def _question(master, name, cell):
    above = [c for c in master.cells if c.kind == "markdown" and c.line < cell.line]
    model, _, rubric = markers.solved(cell.source).partition(RUBRIC)
    lines, notes = parse_rubric(rubric)
    points = float(cell.roles["points"])
    return Question(name, points, above[-1].source, model.strip(), tuple(lines), notes)


def parse_rubric(text: str) -> tuple[list[Line], str]:
    """Return the lines of a rubric, and what it says beside them; no lines if it gives no points.

    "Each of two" makes two lines, so that one can be ticked without the other.

    Parameters
    ----------
    text : str
        Prose.

    Returns
    -------
    list of Line
    str
    """
    lines, notes = [], []
    for sentence in SENTENCE.split(" ".join(text.split())):
        found = GIVES.match(sentence)
        if found:
            lines += _lines(found, sentence[found.end() :].rstrip("."))
        else:
            notes.append(sentence)
    return lines, " ".join(notes)


def _lines(found, what):
    """Return one line, or as many as "each of two" says."""
    points = _number(found[1])
    if not found[2]:
        return [Line(points, what)]
    first = Line(points, f"the first of {found[2]} {what}")
    others = ORDINALS[1 : int(_number(found[2]))]
    return [first, *(Line(points, f"the {one} of {found[2]}") for one in others)]


def _number(word):
    return NUMBERS.get(word.lower()) or float(word)
