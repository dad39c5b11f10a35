"""Mistakes that come back over a term: known ones by their name, others by what holds of them."""

__all__ = ["Mistake", "returning", "sentences_of", "term_mistakes", "told"]

import collections
import dataclasses
import re
from collections.abc import Iterable, Mapping

from course_grader.authoring.answers import read_answers
from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import Unit
from course_grader.reporting.term_analysis import label_of
from course_grader.reporting.term_reading import Term

# What belongs to one exercise alone: which of several values, in how many of its cases.
OWN = re.compile(r"^Of value [\d, ]+ alone: |,? in (every case|\d+ of \d+( cases)?)(?=\.$)")


@dataclasses.dataclass
class Mistake:
    """A mistake that several exercises share.

    `kind` is "misconception" or "relation", `name` the misconception's name or the relation in
    words. `students` is {unit: set of students}, `places` counts students by (unit, exercise).
    """

    kind: str
    name: str
    students: dict
    places: collections.Counter

    @property
    def everybody(self) -> set[str]:
        """All students who made it."""
        return set().union(*self.students.values())

    @property
    def units(self) -> int:
        """In how many units it was made."""
        return len(self.students)


def term_mistakes(term: Term) -> list[Mistake]:
    """Return a term's mistakes: those of several units first, then by how many students.

    Names are an exercise's own, but masters give the same mistake the same name. A relation
    counts where no misconception was met, and without what belongs to one exercise alone.

    Returns
    -------
    list of Mistake
    """
    found = {}
    for (student, unit), cell in sorted(term.cells.items()):
        for exercise, key in sorted(_met(cell.record or {"exercises": {}})):
            mistake = found.setdefault(key, Mistake(*key, {}, collections.Counter()))
            mistake.students.setdefault(unit, set()).add(student)
            mistake.places[unit, exercise] += 1
    return sorted(found.values(), key=lambda m: (m.units == 1, -len(m.everybody), m.name))


def returning(mistakes: Iterable[Mistake]) -> list[tuple[str, Mistake, list[str]]]:
    """Return [(student, Mistake, units)] of who made one in several units, most units first."""
    found = [
        (student, mistake, units)
        for mistake in mistakes
        for student in sorted(mistake.everybody)
        if len(units := [u for u, who in sorted(mistake.students.items()) if student in who]) > 1
    ]
    return sorted(found, key=lambda one: -len(one[2]))


def sentences_of(unit: Unit) -> dict[tuple[str, str], str]:
    """Return {(exercise, misconception): the sentence that a student sees}; runs nothing."""
    answers = read_answers(unit, read_assignment(unit).exercises)
    return {(name, a.name): a.sentence for name, of in answers.items() for a in of.wrong}


def told(
    mistake: Mistake, sentences: Mapping[tuple[str, str, str], str]
) -> list[tuple[str, list[str]]]:
    """Return what students read of a mistake, most frequent first, and where.

    Parameters
    ----------
    mistake : Mistake
    sentences : dict
        {(unit, exercise, misconception): sentence}.

    Returns
    -------
    list of (str, list of str)
        A sentence, and the exercises that it belongs to, as "01 gaussian-nll".
    """
    found = {}
    for (unit, exercise), _ in mistake.places.most_common():
        sentence = sentences.get((unit, exercise, mistake.name), "")
        found.setdefault(sentence, []).append(f"{label_of(unit)} {exercise}")
    return list(found.items())


def _met(record):
    """Return {(exercise, (kind, name))} of a record."""
    found = set()
    for exercise, entry in record["exercises"].items():
        if entry["misconception"]:
            found.add((exercise, ("misconception", entry["misconception"])))
        else:
            relations = entry.get("relations", {}).values()
            found |= {(exercise, ("relation", OWN.sub("", sentence))) for sentence in relations}
    return found
