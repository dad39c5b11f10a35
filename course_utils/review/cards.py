"""The cards that a learner has met: predictions told, sections read, mistakes made."""

__all__ = ["FILE", "Card", "as_html", "met_cards"]

import dataclasses
import json
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from course_utils import progress_file
from course_utils.unit_progress import UnitProgress

FILE = "cards.json"  # lies beside each assignment: what there is to repeat of its unit
EVERYWHERE = float("inf")


@dataclasses.dataclass(frozen=True)
class Card:
    """One card; its name is its identity, whatever becomes of its text.

    `folder` is where its history is kept, `page` and `see` the notebook and the section that
    show its answer. A card has choices and `right`, or a number, or else an answer in words.
    """

    name: str
    folder: Path
    title: str
    page: str
    see: str
    ask: str
    answer: str = ""
    choices: tuple[str, ...] = ()
    right: str = ""
    number: float | None = None
    within: float = 0.0
    unit: str = ""
    because: tuple[tuple[Any, ...], ...] = ()

    @property
    def graded(self) -> bool:
        """Whether an answer to it is right or wrong; others are judged by who gave them."""
        return bool(self.choices) or self.number is not None

    @property
    def solution(self) -> str:
        """The answer as it is told: words, a choice, or a number with its unit."""
        number = "" if self.number is None else f"{self.number:.4g} {self.unit}".rstrip()
        return self.answer or self.right or number


def as_html(text: str) -> str:
    """Return a card's text as HTML: escaped, with what stands in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def met_cards(units: Iterable[UnitProgress], root: str | Path) -> list[Card]:
    """Return the cards that a learner has met, in the order of the course.

    A recap is met when a prediction below it was committed, or told; a prediction when its answer
    was told, or one below it was; both when an exercise of the unit was tried. A mistake is met by
    who was told of it.

    Parameters
    ----------
    units : list of UnitProgress
    root : Path
        The working copy, or a class's bundle, which their paths start from.

    Returns
    -------
    list of Card
    """
    return [card for unit in units for card in _met_in(unit, Path(root))]


def _met_in(unit: UnitProgress, root: Path) -> list[Card]:
    folder, lesson = (root / unit.assignment).parent, root / unit.lesson
    known, answered = _known(folder), _book(lesson.parent).get("predictions", {})
    reached = EVERYWHERE if unit.tried else _reached(known["cards"], answered)
    made = [_as_card(one, unit, folder) for one in known["cards"] if one["place"] <= reached]
    return [*made, *_mistakes(unit, folder)]


def _known(folder: Path) -> dict[str, Any]:
    """Return what cards.json holds; without one, or with a damaged one, there are no cards."""
    try:
        known: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        assert all(one["place"] >= 0 and one["name"] and one["ask"] for one in known["cards"])
        return known
    except (OSError, ValueError, TypeError, KeyError, AssertionError):
        return {"cards": []}


def _book(folder: Path) -> dict[str, Any]:
    return progress_file.read(folder)


def _reached(cards: list[dict[str, Any]], answered: dict[str, Any]) -> float:
    """Return the farthest place of a lesson at which a prediction was committed, or told."""
    places = [-1]
    for card in cards:
        kept = answered.get(card["name"])
        if kept is not None:
            places.append(card["place"] if "right" in kept else card.get("asked", -1))
    return max(places)


def _as_card(one: dict[str, Any], unit: UnitProgress, folder: Path) -> Card:
    because = one.get("because", {})
    pairs = because.items() if isinstance(because, dict) else because
    return Card(
        one["name"],
        folder,
        unit.title,
        unit.lesson,
        one.get("see", ""),
        one["ask"],
        answer=one.get("answer", ""),
        choices=tuple(one.get("choices", ())),
        right=one.get("right", ""),
        number=one.get("number"),
        within=one.get("within", 0.0),
        unit=one.get("unit", ""),
        because=tuple(map(tuple, pairs)),
    )


def _mistakes(unit: UnitProgress, folder: Path) -> list[Card]:
    """Return a card for each catalogued mistake that this learner was told of."""
    told = _book(folder).get("mistakes", {})
    return [
        Card(
            f"{unit.name[:2]}:{exercise}:{name}",
            folder,
            unit.title,
            unit.assignment,
            exercise,
            f"Exercise {exercise}, a mistake that you met: {name.replace('-', ' ')!r}. "
            "What is wrong with it, and what is right?",
            answer=sentence,
        )
        for exercise, mistakes in told.items()
        for name, sentence in mistakes.items()
    ]
