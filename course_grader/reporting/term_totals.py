"""A student's total over a term: which units count, and which the policy leaves out."""

__all__ = ["Row", "row_of"]

import dataclasses

from course_grader.reporting.term_reading import Term


@dataclasses.dataclass
class Row:
    """A student's term: points, those that the known units have, and units without a file.

    `dropped` are the units that both leave out, as the policy of the term says.
    """

    points: float
    possible: float
    missing: int
    dropped: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of all points."""
        return self.points / self.possible if self.possible else 0.0


def row_of(term: Term, student: str) -> Row:
    """Return a student's total; a unit whose points are not known counts in neither sum.

    Nor do those that the term's policy leaves out: of the known ones, the lowest by share.
    """
    cells = {unit: term.cell(student, unit) for unit in term.units}
    known = {u: c for u, c in cells.items() if c is None or c.share is not None}
    possible = {unit: _possible(term, unit, cell) for unit, cell in known.items()}
    dropped = _lowest(known, possible, term.drop)
    counted = [unit for unit in known if unit not in dropped]
    points = sum(known[unit].points for unit in counted if known[unit])
    missing = sum(cell is None for cell in cells.values())
    return Row(points, sum(possible[unit] for unit in counted), missing, dropped)


def _possible(term, unit, cell):
    """Return a unit's points for one student: who was not asked all of it has fewer."""
    return cell.possible if cell and cell.final else term.possible[unit]


def _lowest(known, possible, count):
    """Return the units with the lowest shares; of equal ones, first those with more points.

    What was not handed in has none of its points. One unit, at least, is left.
    """

    def place(unit):
        return known[unit].share if known[unit] else 0.0, -possible[unit]

    return tuple(sorted(sorted(known, key=place)[: min(count, max(len(known) - 1, 0))]))
