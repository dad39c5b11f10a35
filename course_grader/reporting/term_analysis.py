"""What a graded term shows: each unit in numbers, and who falls behind by a rule; no drawing."""

__all__ = [
    "FALL",
    "LATEST",
    "LOW",
    "TURNOUT",
    "Behind",
    "Summary",
    "fall_behind",
    "label_of",
    "latest_units",
    "summary_of",
]

import collections
import dataclasses

import numpy as np

from course_grader.reporting.item_analysis import MANY
from course_grader.reporting.term_reading import Term

LATEST = 2  # units that tell whether somebody falls behind now
LOW = 0.5  # a smaller share of the points is little
FALL = 0.3  # of the points: a larger drop below one's own median is a fall
TURNOUT = 0.25  # of the class: a unit that fewer handed in has only begun


@dataclasses.dataclass
class Summary:
    """A unit in numbers: how many points, how many handed in, the shares that are known.

    `graded` is the day of the latest record; `notes` counts submissions by what is to be said.
    """

    unit: str
    possible: float
    graded: str
    handed: int
    shares: np.ndarray
    notes: dict

    @property
    def median(self) -> float | None:
        """The median share, or None."""
        return float(np.median(self.shares)) if len(self.shares) else None

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """The quartiles of the shares, (low, high); None where few students give none."""
        if len(self.shares) < MANY:
            return None
        return tuple(np.quantile(self.shares, (0.25, 0.75)).tolist())


@dataclasses.dataclass
class Behind:
    """A student who falls behind, why, and the mean share of the latest units (-1: of none)."""

    student: str
    why: str
    share: float


def summary_of(term: Term, unit: str) -> Summary:
    """Return a unit of a Term in numbers."""
    cells = [cell for (_, name), cell in term.cells.items() if name == unit]
    days = [cell.record["graded"] or "" for cell in cells if cell.record]
    said = [cell.note for cell in cells if cell.note]
    said += ["late" for cell in cells if cell.penalty]
    said += ["waits" for cell in cells if cell.waits]
    shares = [cell.share for cell in cells if cell.share is not None]
    day, notes = max(days, default="")[:10], collections.Counter(said)
    return Summary(unit, term.possible[unit], day, len(cells), np.array(shares), notes)


def label_of(unit: str) -> str:
    """Return a unit's number, or its name where it has none.

    Examples
    --------
    >>> label_of("05_calibration"), label_of("exam")
    ('05', 'exam')
    """
    number = unit.split("_")[0]
    return number if number.isdigit() else unit


def latest_units(term: Term) -> list[str]:
    """Return the latest units, of those that enough students handed in to tell something."""
    active = {student for student, _ in term.cells}
    handed = collections.Counter(unit for _, unit in term.cells)
    return [u for u in term.units if handed[u] >= TURNOUT * len(active)][-LATEST:]


def fall_behind(term: Term) -> list[Behind]:
    """Return who falls behind, those with the least points first.

    It is who has in each of the latest units less than LOW of the points, or nothing handed in;
    and who fell in the latest that they handed in by more than FALL of the points below the
    median of their own units before. What is not known, by a fault of ours, is left out.

    Returns
    -------
    list of Behind
    """
    latest = latest_units(term)
    found = [_behind(term, student, latest) for student in term.students]
    return sorted((one for one in found if one.why), key=lambda one: one.share)


def _behind(term, student, latest):
    cells = {unit: term.cell(student, unit) for unit in latest}
    known = {u: c.share if c else 0.0 for u, c in cells.items() if not c or c.share is not None}
    share = sum(known.values()) / len(known) if known else 0.0
    if not any(term.cell(student, unit) for unit in term.units):
        return Behind(student, "nothing handed in, in any unit", -1.0)
    low = known and all(share < LOW for share in known.values())
    reasons = {unit: _words(cells[unit]) for unit in known} if low else {}
    reasons |= _fall(term, student, [unit for unit in known if cells[unit]])
    return Behind(student, _joined(reasons), share)


def _joined(reasons):
    """Say {unit: words}, equal words once."""
    said = {}
    for unit, words in reasons.items():
        said.setdefault(words, []).append(label_of(unit))
    return "; ".join(f"{', '.join(labels)}: {words}" for words, labels in said.items())


def _words(cell):
    if cell is None:
        return "nothing handed in"
    return "file not readable" if cell.note == "unreadable" else f"{cell.share:.0%}"


def _fall(term, student, recent):
    """Say how far the latest unit that was handed in fell below those before it, if it did."""
    if not recent:
        return {}
    unit = recent[-1]
    before = [term.cell(student, u) for u in term.units[: term.units.index(unit)]]
    shares = [cell.share for cell in before if cell and cell.share is not None]
    cell = term.cell(student, unit)
    if not shares or np.median(shares) - cell.share <= FALL + 1e-9:
        return {}
    return {unit: f"{_words(cell)}, down from a median of {np.median(shares):.0%}"}
