"""Where a learner stands in one unit: what lies in its folder says it."""

__all__ = ["ExerciseProgress", "UnitProgress", "unit_progress"]

import dataclasses
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course_utils import progress_file
from course_utils.checking.comparison import EXPECTED_FILE, verdict
from course_utils.checking.findings import aspects_of
from course_utils.checking.forms import Check, Expected
from course_utils.checking.records import MIME

JsonCell = dict[str, Any]
NOT_RUN = "not attempted"


@dataclasses.dataclass
class ExerciseProgress:
    """The best result of one exercise; `cases` are those that were compared, "visible" or "all".

    A result with all cases beats one with the visible cases, whatever they say.
    """

    name: str
    status: str
    points: float
    possible: float
    cases: str = "visible"

    def __str__(self) -> str:
        told = {"passed": f"passed in {'all' if self.cases == 'all' else 'the visible'} cases"}
        words = told.get(self.status, self.status)
        return f"{self.name}: {words}, {self.points:g} of {self.possible:g} points"


@dataclasses.dataclass
class UnitProgress:
    """One unit: its exercises, and how many of the lesson's predictions are made and told.

    `lesson` and `assignment` are the notebooks' paths in the working copy.
    """

    name: str
    title: str
    lesson: str
    assignment: str
    exercises: list[ExerciseProgress]
    predictions: int
    predicted: int
    revealed: int
    right: int

    @property
    def begun(self) -> bool:
        """Whether anything was tried."""
        return bool(self.predicted) or self.tried

    @property
    def tried(self) -> bool:
        """Whether an exercise was tried."""
        return any(exercise.status != NOT_RUN for exercise in self.exercises)

    @property
    def done(self) -> bool:
        """Whether every exercise has passed."""
        return bool(self.exercises) and not self.left

    @property
    def reading(self) -> bool:
        """Whether the lesson's predictions are not all made, and no exercise was tried."""
        return self.predicted < self.predictions and not self.tried

    @property
    def left(self) -> list[str]:
        """Names of the exercises that have not passed."""
        return [exercise.name for exercise in self.exercises if exercise.status != "passed"]

    @property
    def unsure(self) -> list[str]:
        """Names of the exercises that have passed in the visible cases only."""
        passed = [exercise for exercise in self.exercises if exercise.status == "passed"]
        return [exercise.name for exercise in passed if exercise.cases != "all"]

    @property
    def guesses(self) -> str:
        """What became of the predictions, in words."""
        if not self.predictions:
            return "no predictions in this lesson"
        open_ones = self.predicted - self.revealed
        waiting = f", {open_ones} not yet revealed" if open_ones else ""
        made = f"predictions: {self.predicted} of {self.predictions} made"
        return f"{made}, {self.right} right{waiting}"


def unit_progress(folder: Path) -> UnitProgress:
    """Return where a learner stands in the unit of a folder, which holds its checks.json."""
    expected = json.loads((folder / EXPECTED_FILE).read_text("utf-8"))
    books = _notebooks(folder)
    records, kept = _records(books), progress_file.read(folder).get("results", {})
    path, lesson = _lesson_of(folder, books)
    asked = set(re.findall(r"predict\(\s*[\"'](\d\d-[a-z0-9-]+)", _code(lesson)))
    made = progress_file.read(path.parent).get("predictions", {})
    guesses = [made[name] for name in asked if name in made]
    return UnitProgress(
        folder.name,
        _title(lesson),
        path.relative_to(_root(folder)).as_posix(),
        (folder / f"{folder.name}.ipynb").relative_to(_root(folder)).as_posix(),
        [
            _exercise(name, expected[name], records.get(name, []), kept.get(name, {}))
            for name in _order([cell for book in books.values() for cell in book], expected)
        ],
        len(asked),
        len(guesses),
        sum("right" in entry for entry in guesses),
        sum(bool(entry.get("right")) for entry in guesses),
    )


def _notebooks(folder: Path) -> dict[Path, list[JsonCell]]:
    """Return {path: cells} of a folder's notebooks, however they are called."""
    return {path: _cells(path) for path in sorted(folder.glob("*.ipynb"))}


def _lesson_of(folder: Path, books: dict[Path, list[JsonCell]]) -> tuple[Path, list[JsonCell]]:
    """Return path and cells of a unit's lesson: beside the assignment, or in a bundle's lessons/.

    A lesson may have been renamed: it is what asks for predictions.
    """
    if _root(folder) != folder.parent:
        bundled = _root(folder) / "lessons" / f"{folder.name}.ipynb"
        return bundled, _cells(bundled)
    asking = [path for path, cells in books.items() if "predict(" in _code(cells)]
    path = next(iter(asking), folder / "lesson.ipynb")
    return path, books.get(path, [])


def _root(folder: Path) -> Path:
    """Return the folder of the working copy, or of the bundle, that a unit's folder lies in."""
    return folder.parent.parent if folder.parent.name == "assignments" else folder.parent


def _cells(path: Path) -> list[JsonCell]:
    """Return a notebook's cells; a half-saved or missing one has none."""
    try:
        cells: list[JsonCell] = json.loads(path.read_text("utf-8"))["cells"]
        return cells
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _records(books: dict[Path, list[JsonCell]]) -> dict[str, list[Check]]:
    """Return {exercise: checks} that the check cells last recorded."""
    cells = [cell for book in books.values() for cell in book]
    shown = [o.get("data", {}).get(MIME) for cell in cells for o in cell.get("outputs", [])]
    kept = [one for one in shown if isinstance(one, dict) and isinstance(one.get("checks"), list)]
    return {one.get("exercise", ""): one["checks"] for one in kept}


def _order(cells: list[JsonCell], expected: Iterable[str]) -> list[str]:
    """Return the exercises' names in the order of the assignment; what is not in it comes last."""
    code = _code(cells)
    places = {name: code.find(f'Checks("{name}")') for name in expected}
    return sorted(expected, key=lambda name: (places[name] < 0, places[name]))


def _exercise(
    name: str, expected: Expected, got: list[Check], kept: dict[str, Any]
) -> ExerciseProgress:
    """Return the best of what was kept and what the notebook still shows."""
    possible = sum(aspects_of(expected["checks"]).values())
    if "all" in kept:
        return ExerciseProgress(
            name, kept["all"]["status"], kept["all"]["points"], possible, "all"
        )
    results = [kept["visible"]] if "visible" in kept else []
    if got:
        found = verdict(name, got, expected["checks"], expected["hints"])
        points = sum(aspect.points for aspect in found.aspects if aspect.status == "passed")
        results.append({"status": found.status, "points": points})
    nothing: dict[str, Any] = {"status": NOT_RUN, "points": 0}
    best = max(results, key=lambda one: one["points"], default=nothing)
    return ExerciseProgress(name, best["status"], best["points"], possible)


def _code(cells: list[JsonCell]) -> str:
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def _title(cells: list[JsonCell]) -> str:
    words = "\n".join("".join(cell["source"]) for cell in cells)
    return next(iter(re.findall(r"^# (.+)$", words, flags=re.MULTILINE)), "")
