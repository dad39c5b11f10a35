"""Compose submissions from a unit's answers, each with the score that it must get."""

__all__ = ["Composer", "cell_of"]

import copy
import itertools
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from course_grader.authoring import markers
from course_grader.authoring.answers import read_answers
from course_grader.authoring.check_calls import check_calls
from course_grader.authoring.exercises import read_assignment
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit


class Composer:
    """Composes submissions from answers and keeps the score that each must get."""

    def __init__(self, course: Course, unit: Unit) -> None:
        self.course, self.unit, self.expected = course, unit, {}
        self.master = read_assignment(unit)
        self.answers = read_answers(unit, self.master.exercises)
        self.release = notebooks.load(course.notebook("release", unit))
        self.first, self.second = list(self.master.exercises)[:2]

    def compose(
        self, choices: Mapping[str, str | None] | None = None
    ) -> tuple[NotebookNode, float]:
        """Return (notebook, score): each exercise answered as chosen, or by its solution.

        `choices` maps an exercise to the name of an answer, or to None, which leaves the stub.
        """
        notebook, score = copy.deepcopy(self.release), 0.0
        for name in self.master.exercises:
            source, points = self._answer(name, (choices or {}).get(name, "solution"))
            cell_of(notebook, f"{name}-solution").source = source
            score += points
        return notebook, score

    def _answer(self, exercise, answer):
        solution = self.master.exercises[exercise].solution.source
        stakes = check_calls(self.master.exercises[exercise].checks.source)
        full = float(sum(points for _, points in stakes))
        if answer in ("solution", None):
            return (markers.solved(solution), full) if answer else (markers.stub(solution), 0.0)
        known = self.answers[exercise].right + self.answers[exercise].wrong
        found = next(a for a in known if a.name == answer)
        return _code(found.source), sum(
            points for aspect, points in stakes if aspect not in found.fails
        )

    def full(self, exercise: str) -> float:
        """Return the points of an exercise."""
        return float(self.master.exercises[exercise].points)

    def hand_in(
        self, student: str, notebook: NotebookNode, score: float, *, file: str | None = None
    ) -> Path:
        """Write a submission and note what it must score."""
        self.expected[student] = score
        path = self.course.notebook("submitted", self.unit, student)
        path = self.course.root / "submitted" / file if file else path
        notebooks.save(notebook, path)
        return path


def cell_of(notebook: NotebookNode, key: str) -> NotebookNode:
    """Return the cell with this id."""
    return next(c for c in notebook.cells if c.id == key)


def _code(source):
    """Return an answer without the comment that opens it: the hint is not the student's."""
    lines = source.splitlines()
    return "\n".join(itertools.dropwhile(lambda line: line.startswith("#"), lines))
