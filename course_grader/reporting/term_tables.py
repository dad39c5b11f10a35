"""A term's tables as rows of words and numbers: what the page shows, and what it leaves out."""

__all__ = ["files_to_look_at", "term_tables"]

from collections.abc import Mapping, Sequence
from typing import Any

from course_grader.reporting.term_analysis import Behind
from course_grader.reporting.term_mistakes import Mistake, told
from course_grader.reporting.term_reading import Cell, Term
from course_grader.reporting.term_totals import row_of


def term_tables(
    term: Term,
    behind: Sequence[Behind],
    mistakes: Sequence[Mistake],
    returned: Sequence[tuple[str, Mistake, list[str]]],
    sentences: Mapping[tuple[str, str, str], str],
) -> dict[str, list[list[Any]]]:
    """Return {name: rows}, each with a row of titles.

    Parameters
    ----------
    term : Term
    behind : list of Behind
    mistakes : list of Mistake
    returned : list of (student, Mistake, units)
    sentences : dict
        {(unit, exercise, misconception): sentence}.
    """
    looks = [(one.student, "falls behind", one.why) for one in behind]
    looks += [
        (student, cell.note, f"{unit}: {why}")
        for student, unit, cell, why in files_to_look_at(term)
    ]
    again = [(student, m.kind, m.name, ", ".join(units)) for student, m, units in returned]
    return {
        "students": _students(term),
        "misconceptions": _mistakes(term, mistakes, sentences),
        "returning": [
            ["student", "name", "kind", "mistake", "units"],
            *([student, term.names[student], *words] for student, *words in again),
        ],
        "looks": [
            ["student", "name", "what", "why"],
            *([student, term.names[student], *words] for student, *words in looks),
        ],
    }


def files_to_look_at(term: Term) -> list[tuple[str, str, Cell, str]]:
    """Return [(student, unit, cell, why)] of what is an error, unreadable or broken."""
    found = [(s, u, term.cell(s, u)) for s in term.students for u in term.units]
    return [(s, u, cell, _why(cell)) for s, u, cell in found if cell and cell.note]


def _why(cell):
    if cell.note == "error":
        return f"{cell.record['error']['what']}: grade again"
    return cell.record["reason"] if cell.record else "its record cannot be read: grade again"


def _students(term):
    titles = [f"{unit} {what}" for unit in term.units for what in ("points", "share")]
    ends = ["total", "possible", "share", "missing", "dropped", "notes"]
    rows = [["student", "name", *titles, *ends]]
    for student in term.students:
        row, cells = row_of(term, student), [term.cell(student, unit) for unit in term.units]
        shares = [n for cell in cells for n in ((cell.points, cell.share) if cell else ("", ""))]
        said = [", ".join(row.dropped), "; ".join(_notes(term, cells))]
        total = [row.points, row.possible, row.share, row.missing, *said]
        rows.append([student, term.names[student], *shares, *total])
    return rows


def _notes(term, cells):
    """Yield what is to be said of a student's cells."""
    for unit, cell in zip(term.units, cells, strict=True):
        if cell and cell.note:
            yield f"{unit}: {cell.note}"
        if cell and cell.penalty:
            yield f"{unit}: {cell.penalty:g} points taken off for lateness"
        if cell and cell.waits:
            yield f"{unit}: waits for points by hand"


def _mistakes(term, mistakes, sentences):
    rows = [["kind", "mistake", "students", "units", *term.units, "exercises", "sentence"]]
    for one in mistakes:
        counts = [len(one.students.get(unit, ())) for unit in term.units]
        sentence, places = told(one, sentences)[0]
        ends = [", ".join(places), sentence]
        rows.append([one.kind, one.name, len(one.everybody), one.units, *counts, *ends])
    return rows
