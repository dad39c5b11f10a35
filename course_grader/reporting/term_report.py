"""A term on one HTML page that needs nothing else, and as CSV: who needs help stands first."""

__all__ = ["write_term_report"]

import bisect
import collections
from pathlib import Path

import numpy as np

from course_grader.project.course import Course, CourseError, units
from course_grader.reporting import term_analysis as analysis
from course_grader.reporting.item_analysis import MANY
from course_grader.reporting.pages import render, write_csv
from course_grader.reporting.term_analysis import label_of
from course_grader.reporting.term_figure import unit_pictures
from course_grader.reporting.term_mistakes import returning, sentences_of, term_mistakes, told
from course_grader.reporting.term_reading import read_term
from course_grader.reporting.term_tables import files_to_look_at, term_tables
from course_grader.reporting.term_totals import row_of

TOP = 12  # rows of a table that a reader still reads; the rest is in the CSV
RECENT = 6  # units beside those who fall behind: more are not seen without scrolling
BINS = (0.25, 0.5, 0.75, 0.9)
NOTES = {  # what is said of a unit's submissions
    "error": "with an error of ours",
    "broken": "with a broken record",
    "unreadable": "not readable",
    "late": "with a late penalty",
    "waits": "wait for points by hand",
}

RULE = {
    "low": analysis.LOW,
    "fall": analysis.FALL,
    "turnout": analysis.TURNOUT,
    "count": analysis.LATEST,
    "many": MANY,
    "top": TOP,
    "recent": RECENT,
}
TOOLS = {
    "said": lambda notes: "; ".join(f"{notes[n]} {w}" for n, w in NOTES.items() if notes[n]),
    "told": told,
    "label_of": label_of,
    "labels": lambda units: ", ".join(map(label_of, units)),
    "bin_of": lambda share: bisect.bisect_right(BINS, share),
}


def write_term_report(course: Course) -> tuple[Path, list[str]]:
    """Write records/term-report/: index.html, and students, misconceptions, ... as CSV.

    Parameters
    ----------
    course : Course
        Units of it were graded before: JSON records and the gradebook are read.

    Returns
    -------
    Path
        The page.
    list of str
        What could not be read, a line each; the page says it, too.

    Raises
    ------
    CourseError
        If nothing was graded yet.
    """
    term = read_term(course)
    headings, sentences = _masters(term)
    behind, mistakes = analysis.fall_behind(term), term_mistakes(term)
    returned = returning(mistakes)
    folder = course.root / "records" / "term-report"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in term_tables(term, behind, mistakes, returned, sentences).items():
        write_csv(folder / f"{name}.csv", rows)
    page = folder / "index.html"
    found = {"behind": behind, "mistakes": mistakes, "returned": returned}
    page.write_text(_page(term, headings=headings, sentences=sentences, **found), "utf-8")
    return page, term.problems


def _masters(term):
    """Return {unit: number and title}, {(unit, exercise, misconception): sentence}.

    A unit that has no masters here, or broken ones, has its name and no sentences.
    """
    headings, sentences = {unit: unit for unit in term.units}, {}
    for unit in units():
        if unit.name not in headings:
            continue
        try:
            headings[unit.name] = f"{label_of(unit.name)} {unit.facts['title']}"
            sentences |= {(unit.name, *key): words for key, words in sentences_of(unit).items()}
        except CourseError as error:
            term.problems.append(" ".join(f"{unit.name}: {error}".split()))
    return headings, sentences


def _page(term, *, behind, returned, **found):
    """Render the template."""
    rows = {student: row_of(term, student) for student in term.students}
    summaries = [analysis.summary_of(term, unit) for unit in term.units]
    again = collections.defaultdict(list)
    for student, mistake, where in returned:
        again[student].append((mistake, where))
    words = {
        "summaries": summaries,
        "rows": rows,
        "middle": float(np.median([row.share for row in rows.values()])),
        "behind": behind,
        "flagged": {one.student for one in behind},
        "latest": analysis.latest_units(term),
        "final": sum(cell.final for cell in term.cells.values()),
        "files": files_to_look_at(term),
        "returned": returned,
        "again": again,
        "pictures": unit_pictures(summaries),
        "lowest": "lowest unit" if term.drop == 1 else f"{term.drop} lowest units",
    }
    return render("term_report.html", term=term, **found, **words, **RULE, **TOOLS)
