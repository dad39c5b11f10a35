"""What a graded class shows: exercises, misconceptions, and who needs a look; numbers only."""

__all__ = ["Exercise", "ItemAnalysis", "Misconception", "analyse_items", "wilson"]

import collections
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from course_grader.gradebook.record import read_record

MANY = 20  # students below whom a correlation says nothing
STATES = ("passed", "partly", "nothing", "not attempted")


@dataclasses.dataclass
class Exercise:
    """One exercise in numbers.

    `counts` are students by state, `share` is the share of its points that the class earned,
    `passing` the share who passed it in full with a 95% interval, `discrimination` the
    correlation of its points with those of all other exercises (None for a small class).
    """

    name: str
    points: float
    counts: dict
    share: float
    passing: tuple
    discrimination: float | None


@dataclasses.dataclass
class Misconception:
    """A known wrong answer, or a relation: how many handed it in, and what they read.

    Of a relation the `name` is that of the aspect.
    """

    exercise: str
    name: str
    count: int
    sentence: str


@dataclasses.dataclass
class ItemAnalysis:
    """A class's results; `scores` leave out who handed in nothing that could be read."""

    unit: str
    possible: float
    scores: np.ndarray
    exercises: list[Exercise]
    misconceptions: list[Misconception]
    relations: list[Misconception]
    seconds: np.ndarray
    looks: list[tuple]

    @property
    def size(self) -> int:
        """How many students have a score."""
        return len(self.scores)


def analyse_items(
    folder: Path, unit: str, sentences: Mapping[tuple[str, str], str]
) -> ItemAnalysis:
    """Read a unit's JSON records and count.

    Parameters
    ----------
    folder : Path
        The records of one unit.
    unit : str
        Its name.
    sentences : dict
        {(exercise, misconception): sentence}.

    Returns
    -------
    ItemAnalysis
    """
    records = [read_record(path) for path in sorted(folder.glob("*.json"))]
    readable = [r for r in records if not r["reason"] and r["score"] is not None]
    names = dict.fromkeys(name for record in readable for name in record["exercises"])
    return ItemAnalysis(
        unit,
        max((record["max_score"] or 0.0 for record in records), default=0.0),
        np.array([record["score"] for record in readable], dtype=float),
        [_exercise(name, readable) for name in names],
        _misconceptions(readable, sentences),
        _relations(readable),
        np.array([record["execution"].get("seconds", 0.0) for record in readable], dtype=float),
        [(r["student"], why) for r in records if (why := "; ".join(_reasons(r)))],
    )


def wilson(successes: int, n: int) -> tuple[float, float, float]:
    """Return a share and its 95% interval, (share, low, high), by Wilson's score method.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n, n >= 1.

    References
    ----------
    Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", 2001.
    """
    interval = binomtest(successes, n).proportion_ci(method="wilson")
    return successes / n, float(interval.low), float(interval.high)


def _exercise(name, records):
    records = [record for record in records if name in record["exercises"]]  # who was asked it
    entries = [record["exercises"][name] for record in records]
    possible = sum(points for _, points in entries[0]["aspects"].values())
    earned = np.array([entry["earned"] for entry in entries], dtype=float)
    rest = np.array([record["score"] for record in records]) - earned
    counts = collections.Counter(map(_state, entries))
    return Exercise(
        name,
        possible,
        {state: counts[state] for state in STATES},
        float(earned.mean() / possible),
        wilson(counts["passed"], len(entries)),
        _correlation(earned, rest),
    )


def _state(entry):
    """Say where a student stands in an exercise, in one of STATES."""
    if entry["status"] in ("passed", "not attempted"):
        return entry["status"]
    return "partly" if entry["earned"] else "nothing"


def _correlation(earned, rest):
    """Return the correlation, or None where few students or equal points say nothing."""
    if len(earned) < MANY or not earned.std() or not rest.std():
        return None
    return float(np.corrcoef(earned, rest)[0, 1])


def _misconceptions(records, sentences):
    met = collections.Counter(
        (name, entry["misconception"])
        for record in records
        for name, entry in record["exercises"].items()
        if entry["misconception"]
    )
    return [Misconception(*key, count, sentences.get(key, "")) for key, count in met.most_common()]


def _relations(records):
    """Count relations where no known misconception was met."""
    met = collections.Counter(
        (name, aspect, sentence)
        for record in records
        for name, entry in record["exercises"].items()
        for aspect, sentence in entry.get("relations", {}).items()
        if not entry["misconception"]
    )
    return [Misconception(*key[:2], count, key[2]) for key, count in met.most_common()]


def _reasons(record):
    """Say why somebody should look at a student's work."""
    if record["error"]:
        yield f"error of ours, {record['error']['what']}: grade again"
    if record["score"] is None:
        return
    if record["reason"]:
        yield record["reason"]
        return
    states = [entry["status"] for entry in record["exercises"].values()]
    if set(states) == {"not attempted"}:
        yield "nothing attempted"
    elif not record["score"]:
        yield "no points, though there are attempts"
    for fact, words in (("died", "ended their process"), ("too_long", "ran too long")):
        cells = record["execution"].get(fact, [])
        if cells:
            yield f"cells that {words}: {', '.join(cells)}"
