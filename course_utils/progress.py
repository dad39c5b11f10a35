"""Where a learner stands: every unit and exercise, read from the working copy's own files."""

__all__ = ["REVIEW", "Progress", "progress", "units_in"]

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from course_utils import progress_file
from course_utils.checking.comparison import EXPECTED_FILE
from course_utils.checking.panel import MARKS
from course_utils.course_map import map_html
from course_utils.review import schedule
from course_utils.review.cards import met_cards
from course_utils.unit_progress import UnitProgress, unit_progress

INTERVIEWS = "interview/*/questions.json"
REVIEW = "review.ipynb"  # the form that asks the cards that are due
MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"  # a class's bundle has none
WORDS = {
    True: {  # the whole course is at hand, with its commands
        "cases": "'Check all cases' and 'make check UNIT=..' run every one.",
        "done": "Every exercise has passed in all cases: what is left is 'make interview'",
        "nothing": "Nothing here yet: 'make lab' copies the course",
        "review": "'make review' asks them",
    },
    False: {
        "cases": "more run when your work is graded.",
        "done": "Every exercise has passed in the visible cases: hand your work in",
        "nothing": "Nothing here yet: this folder holds no assignment",
        "review": f"{REVIEW} asks them",
    },
}


class Progress:
    """All units of a working copy; shows as map and table in a notebook, as text on a terminal.

    Parameters
    ----------
    units : list of UnitProgress
    interviews : list of str
        A sentence for each mock interview.
    at : str
        The way from where this is shown to the units' folders, for links.
    due : int
        How many cards are due today.
    """

    def __init__(
        self,
        units: list[UnitProgress],
        interviews: Iterable[str] = (),
        *,
        at: str = "..",
        due: int = 0,
    ) -> None:
        self.units, self.interviews, self.at = units, list(interviews), at
        self.due = due

    @property
    def advice(self) -> str:
        """What to do next, in one sentence."""
        return self._next()[0]

    def __str__(self) -> str:
        lines = []
        for unit in self.units:
            lines += ["", f"{unit.name}  {unit.title}", f"  {unit.guesses}"]
            lines += [f"  {MARKS[one.status]} {one}" for one in unit.exercises]
        also = [*self.interviews, *self._due]
        told = ["", *also] if also else []
        return "\n".join([*lines, *told, "", self._cases, self.advice]).strip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        sentence, link = self._next()
        advice = f"<b>{escape(sentence)}</b>"
        advice = f"<a href='{escape(link, quote=True)}'>{advice}</a>" if link else advice
        drawn = map_html({unit.name[:2]: self._state(unit) for unit in self.units})
        rows = "".join(self._rows(unit) for unit in self.units)
        due = [f"<a href='{self._link(REVIEW)}'>{escape(words)}</a>" for words in self._due]
        told = "<br>".join([*map(escape, self.interviews), *due, escape(self._cases)])
        whole = drawn if len(self.units) > 1 else ""
        return f"<p>{advice}</p>{whole}<table>{rows}</table><p>{told}</p>"

    def _next(self) -> tuple[str, str]:
        """Return what to do next, and the link to it or ''."""
        begun = [unit for unit in self.units if unit.begun and unit.left]
        fresh = [unit for unit in self.units if not unit.begun]
        unsure = [unit for unit in self.units if unit.unsure and MAKEFILE.is_file()]
        if begun and begun[0].reading:
            path = begun[0].lesson
            return f"Next: read on in {path}, and commit its predictions", self._link(path)
        if begun:
            path = begun[0].assignment
            return f"Next: exercise {begun[0].left[0]} in {path}", self._link(path)
        if fresh:
            path = fresh[0].lesson
            return f"Next: read {path}", self._link(path)
        if unsure:
            path = unsure[0].assignment
            return f"Next: check all cases of {unsure[0].unsure[0]} in {path}", self._link(path)
        return _words("done" if self.units else "nothing"), ""

    @property
    def _cases(self) -> str:
        return f"Visible cases are a sample: {_words('cases')}"

    @property
    def _due(self) -> list[str]:
        """What is due, in a sentence, or nothing."""
        are = "card is" if self.due == 1 else "cards are"
        return [f"Review: {self.due} {are} due; {_words('review')}"] if self.due else []

    def _link(self, path: str) -> str:
        return f"{self.at}/{path}"

    def _state(self, unit: UnitProgress) -> tuple[str, str]:
        state = "done" if unit.done else "begun" if unit.begun else "fresh"
        return state, self._link(unit.lesson)

    def _rows(self, unit: UnitProgress) -> str:
        left = "style='text-align:left'"
        lesson = self._link(unit.lesson)
        assignment = self._link(unit.assignment)
        head = (
            f"<b>{escape(unit.name)}</b> {escape(unit.title)}: "
            f"<a href='{escape(lesson, quote=True)}'>lesson</a>, "
            f"<a href='{escape(assignment, quote=True)}'>assignment</a><br>{escape(unit.guesses)}"
        )
        lines = "<br>".join(escape(f"{MARKS[one.status]} {one}") for one in unit.exercises)
        folded = f"<details><summary>{_count(unit)}</summary>{lines}</details>"
        return f"<tr><td {left}>{head}</td><td {left}>{folded}</td></tr>"


def progress(folder: str | Path = "..") -> Progress:
    """Return where a learner stands.

    Parameters
    ----------
    folder : path
        The working copy, which holds a folder for each unit, or a class's bundle. Either is
        the parent of the folder that a lesson lies in.

    Returns
    -------
    Progress
        The best result of each exercise: of all cases where they were run, else of the visible
        ones.
    """
    sittings = [_sitting(path.parent) for path in sorted(Path(folder).glob(INTERVIEWS))]
    units = units_in(folder)
    due = schedule.due_cards(met_cards(units, folder), schedule.today())
    return Progress(units, sittings, at=str(folder), due=len(due))


def units_in(folder: str | Path) -> list[UnitProgress]:
    """Return where a learner stands in each unit of a working copy, or of a class's bundle.

    Parameters
    ----------
    folder : path
        It holds a folder for each unit, or lessons and assignments.

    Returns
    -------
    list of UnitProgress
    """
    pattern = f"[0-9][0-9]_*/{EXPECTED_FILE}"
    own, bundled = (sorted(Path(folder).glob(p)) for p in (pattern, f"assignments/{pattern}"))
    return [unit_progress(path.parent.resolve()) for path in own or bundled]


def _words(about: str) -> str:
    """Return a sentence that names only what is there."""
    return WORDS[MAKEFILE.is_file()][about]


def _sitting(folder: Path) -> str:
    """Say how a mock interview went so far."""
    asked = json.loads((folder / "questions.json").read_text("utf-8"))
    kept = progress_file.read(folder).get("predictions", {})
    right = sum(bool(entry.get("right")) for entry in kept.values())
    return f"Interview {folder.name}: {len(kept)} of {len(asked)} answered, {right} right"


def _count(unit: UnitProgress) -> str:
    return f"{len(unit.exercises) - len(unit.left)} of {len(unit.exercises)} exercises passed"
