"""Where a learner stands: every unit and exercise, read from the working copy's own files."""

__all__ = ["Progress", "UnitProgress", "progress"]

import dataclasses
import json
import re
from html import escape
from pathlib import Path

from course_utils import progress_file
from course_utils.checking.comparison import EXPECTED_FILE, verdict
from course_utils.checking.findings import aspects_of
from course_utils.checking.panel import MARKS
from course_utils.checking.records import MIME

NOT_RUN = "not attempted"
INTERVIEWS = "interview/*/questions.json"
VISIBLE = "Points are those of the visible cases; 'make check UNIT=..' runs the others too."


@dataclasses.dataclass
class UnitProgress:
    """One unit: exercises as (name, status, points, possible), of the visible checks only."""

    name: str
    title: str
    exercises: list
    predictions: int
    predicted: int
    right: int

    @property
    def begun(self):
        """Whether anything was tried."""
        return bool(self.predicted or any(e[1] != NOT_RUN for e in self.exercises))

    @property
    def reading(self):
        """Whether the lesson's predictions are not all made, and no exercise was tried."""
        tried = any(status != NOT_RUN for _, status, *_ in self.exercises)
        return self.predicted < self.predictions and not tried

    @property
    def left(self):
        """Names of the exercises that have not passed."""
        return [name for name, status, *_ in self.exercises if status != "passed"]


class Progress:
    """All units of a working copy; shows as a table in a notebook and on a terminal."""

    def __init__(self, units, interviews=()):
        """Take a list of UnitProgress, and a sentence for each mock interview."""
        self.units, self.interviews = units, list(interviews)

    @property
    def advice(self):
        """What to do next, in one sentence."""
        begun = [unit for unit in self.units if unit.begun and unit.left]
        fresh = [unit for unit in self.units if not unit.begun]
        if begun and begun[0].reading:
            return f"Next: read on in {begun[0].name}/lesson.ipynb, and commit its predictions"
        if begun:
            return f"Next: exercise {begun[0].left[0]} in {begun[0].name}/{begun[0].name}.ipynb"
        if fresh:
            return f"Next: read {fresh[0].name}/lesson.ipynb"
        done = "All visible cases pass: what is left is 'make check'"
        return done if self.units else "Nothing here yet: 'make lab' copies the course into work/"

    def __str__(self):
        lines = []
        for unit in self.units:
            lines += ["", f"{unit.name}  {unit.title}", f"  {_guesses(unit)}"]
            lines += [f"  {line}" for line in map(_line, unit.exercises)]
        told = ["", *self.interviews] if self.interviews else []
        return "\n".join([*lines, *told, "", VISIBLE, self.advice]).strip()

    __repr__ = __str__

    def _repr_html_(self):
        rows = "".join(_rows(unit) for unit in self.units)
        told = "<br>".join(map(escape, [*self.interviews, VISIBLE]))
        return f"<table>{rows}</table><p>{told}</p><p><b>{escape(self.advice)}</b></p>"


def progress(folder=".."):
    """Return where a learner stands.

    Parameters
    ----------
    folder : path
        The working copy, which holds a folder for each unit, or a class's bundle. Either is
        the parent of the folder that a lesson lies in.

    Returns
    -------
    Progress
        Points are those of the visible checks, as the panels last showed them.
    """
    unit = f"[0-9][0-9]_*/{EXPECTED_FILE}"
    found = [*Path(folder).glob(unit), *Path(folder).glob(f"assignments/{unit}")]
    sittings = [_sitting(path.parent) for path in sorted(Path(folder).glob(INTERVIEWS))]
    return Progress([_unit(path.parent.resolve()) for path in sorted(found)], sittings)


def _sitting(folder):
    """Say how a mock interview went so far."""
    asked = json.loads((folder / "questions.json").read_text("utf-8"))
    kept = progress_file.read(folder).get("predictions", {})
    right = sum(bool(entry.get("right")) for entry in kept.values())
    return f"Interview {folder.name}: {len(kept)} of {len(asked)} answered, {right} right"


def _unit(folder):
    expected = json.loads((folder / EXPECTED_FILE).read_text("utf-8"))
    cells = _cells(folder / f"{folder.name}.ipynb")
    records = _records(cells)
    path = _lesson_of(folder)
    lesson, made = _cells(path), progress_file.read(path.parent).get("predictions", {})
    asked = re.findall(r"predict\(\s*[\"'](\d\d-[a-z0-9-]+)", _code(lesson))
    kept = [made[name] for name in dict.fromkeys(asked) if name in made]
    return UnitProgress(
        folder.name,
        _title(lesson),
        [
            _exercise(name, expected[name], records.get(name, []))
            for name in _order(cells, expected)
        ],
        len(set(asked)),
        len(kept),
        sum(bool(entry.get("right")) for entry in kept),
    )


def _lesson_of(folder):
    """Return where a unit's lesson lies: beside its assignment, or in the bundle's lessons/."""
    bundled = folder.parent.parent / "lessons" / f"{folder.name}.ipynb"
    return bundled if folder.parent.name == "assignments" else folder / "lesson.ipynb"


def _cells(path):
    """Return a notebook's cells; a half-saved or missing one has none."""
    try:
        return json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _records(cells):
    """Return {exercise: checks} that the check cells last recorded."""
    shown = [o.get("data", {}).get(MIME) for cell in cells for o in cell.get("outputs", [])]
    kept = [one for one in shown if isinstance(one, dict) and isinstance(one.get("checks"), list)]
    return {one.get("exercise"): one["checks"] for one in kept}


def _order(cells, expected):
    """Return the exercises' names in the order of the assignment."""
    code = _code(cells)
    places = {name: code.find(f'Checks("{name}")') for name in expected}
    return sorted(expected, key=lambda name: places[name] % (len(code) + 1))  # -1 comes last


def _exercise(name, expected, got):
    """Return (name, status, points, possible) of the visible checks."""
    possible = sum(aspects_of(expected["checks"]).values())
    if not got:
        return name, NOT_RUN, 0, possible
    found = verdict(name, got, expected["checks"], expected["hints"])
    points = sum(aspect.points for aspect in found.aspects if aspect.status == "passed")
    return name, found.status, points, possible


def _code(cells):
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def _title(cells):
    words = "\n".join("".join(cell["source"]) for cell in cells)
    return next(iter(re.findall(r"^# (.+)$", words, flags=re.MULTILINE)), "")


def _guesses(unit):
    if not unit.predictions:
        return "no predictions in this lesson"
    return f"predictions: {unit.predicted} of {unit.predictions} made, {unit.right} right"


def _line(exercise):
    name, status, points, possible = exercise
    return f"{MARKS[status]} {name}: {status}, {points:g} of {possible:g} points"


def _rows(unit):
    left = "style='text-align:left'"
    head = f"<b>{escape(unit.name)}</b> {escape(unit.title)}<br>{escape(_guesses(unit))}"
    lines = "".join(
        f"<tr><td {left}>{escape(_line(exercise))}</td></tr>" for exercise in unit.exercises
    )
    return f"<tr><td {left}>{head}</td></tr>{lines}"
