"""A class's results as one HTML page that needs nothing else, and as CSV."""

__all__ = ["write_class_report"]

from pathlib import Path

import matplotlib.style
import numpy as np

from course_grader.gradebook.adjusting import in_force
from course_grader.gradebook.one_submission import config_of
from course_grader.gradebook.waiting import waiting_words
from course_grader.project.course import Course, CourseError, Unit
from course_grader.proving.reference import reference_for
from course_grader.reporting.item_analysis import MANY, STATES, analyse_items
from course_grader.reporting.pages import figure_of, image, render, write_csv
from course_grader.reporting.table import waiting_told

COLOURS = {"passed": "#009E73", "partly": "#56B4E9", "nothing": "#D55E00"}
COLOURS["not attempted"] = "#BBBBBB"


def write_class_report(course: Course, unit: Unit) -> Path:
    """Write records/<unit>-report/: index.html, exercises.csv, misconceptions.csv, looks.csv.

    Parameters
    ----------
    course : Course
    unit : Unit
        Graded before: its JSON records are read.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    CourseError
        If nothing was graded yet.
    """
    found = analyse_items(course.record(unit, "any").parent, unit.name, _sentences(unit))
    if not (found.size or found.looks):
        raise CourseError(f"{unit.name}: no records yet; 'make grade UNIT=...' makes them")
    folder = course.root / "records" / f"{unit.name}-report"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in _tables(found).items():
        write_csv(folder / f"{name}.csv", rows)
    page = folder / "index.html"
    told = {"waits": _waits(course, unit), "adjusted": _adjusted(course, unit)}
    page.write_text(_page(found, unit.facts["title"], told), "utf-8")
    return page


def _sentences(unit):
    """Return {(exercise, misconception): the sentence that a student sees}."""
    reference = reference_for(unit)
    return {(n, h["name"]): h["sentence"] for n, e in reference.items() for h in e["hints"]}


def _waits(course, unit):
    """Say how many answers in words wait; the page is whole without a gradebook."""
    try:
        return waiting_told(waiting_words(course, unit), unit)
    except Exception as error:  # the configuration is a program, the database anybody's
        return f"How many answers in words wait is not known, the gradebook was not read: {error}"


def _adjusted(course, unit):
    """Say what counts otherwise than the judge's records, which this page shows, tell."""
    try:
        _, told = in_force(unit, config_of(course).CourseDirectory)
    except Exception as error:  # the configuration is a program, the database anybody's
        return [f"The gradebook could not be read, so adjustments are not known: {error}"]
    return told


def _page(found, title, told):
    with matplotlib.style.context("course_utils.course"):
        pictures = {"scores": image(_draw_scores(found)), "states": image(_draw_states(found))}
    words = {"found": found, "title": title, "many": MANY, "np": np} | told
    return render("class_report.html", **words, pictures=pictures)


def _draw_scores(found):
    """Draw how many students have how many points."""
    figure = figure_of(2.6)
    axes = figure.subplots()
    width = max(1, round(found.possible / 15))
    edges = np.arange(0, found.possible + width + 1, width) - 0.5
    axes.hist(found.scores, bins=edges, color="#0072B2", edgecolor="white")
    if found.size:
        label = f"median {np.median(found.scores):g}"
        axes.axvline(np.median(found.scores), color="black", linestyle="--", label=label)
        axes.legend(loc="upper left")
    axes.set(xlabel=f"points of {found.possible:g}", ylabel="students")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return figure


def _draw_states(found):
    """Draw for each exercise how many students passed, earned a part, nothing, or left it."""
    figure = figure_of(1.2 + 0.38 * max(1, len(found.exercises)))
    axes = figure.subplots()
    names = [exercise.name for exercise in found.exercises]
    left = np.zeros(len(names))
    for state in STATES:
        counts = np.array([exercise.counts[state] for exercise in found.exercises], dtype=float)
        bars = axes.barh(names, counts, left=left, color=COLOURS[state], label=state)
        axes.bar_label(bars, [f"{n:.0f}" if n else "" for n in counts], label_type="center")
        left += counts
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set(xlabel="students")
    figure.legend(loc="outside upper left", ncols=len(STATES))
    return figure


def _tables(found):
    """Return {name: rows}, each with a row of titles."""
    titles = ["exercise", "points", *STATES, "share of points", "passing", "low", "high"]
    exercises = [
        [e.name, e.points, *e.counts.values(), e.share, *e.passing, e.discrimination]
        for e in found.exercises
    ]
    met = [[m.exercise, m.name, m.count, m.sentence] for m in found.misconceptions]
    return {
        "exercises": [[*titles, "discrimination"], *exercises],
        "misconceptions": [["exercise", "misconception", "students", "sentence"], *met],
        "relations": [
            ["exercise", "aspect", "students", "sentence"],
            *([r.exercise, r.name, r.count, r.sentence] for r in found.relations),
        ],
        "looks": [["student", "why"], *found.looks],
    }
