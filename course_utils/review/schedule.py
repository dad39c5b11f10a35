"""When a card is due: FSRS decides, in whole days, and review.json keeps it beside progress.

The schedule has no steps of minutes: whoever repeats once a day meets a card at most once a day.
"""

__all__ = ["AGAIN", "EASY", "FILE", "GOOD", "HARD", "due_cards", "rate", "read", "today"]

import datetime
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course_utils import progress_file
from course_utils.review.cards import Card

FILE = "review.json"
AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4  # as FSRS counts
LONGEST = 365  # days until a card is asked again, at most
NEW = datetime.date.max


def today() -> datetime.date:
    """Return the date, where the learner is."""
    return datetime.date.today()


def read(folder: str | Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each card of a unit, {name: state}.

    A damaged file is renamed, with a warning, and counts as empty, as a missing one does.
    """
    path = Path(folder, FILE).resolve()
    if progress_file.is_off() or not path.exists():
        return {}
    try:
        states: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))["cards"]
        for state in states.values():
            _check(state)
        return states
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
        progress_file.set_aside(path)
    return {}


def due_cards(cards: Iterable[Card], day: datetime.date) -> list[Card]:
    """Return the cards that are due on a day: those that wait longest first, new ones last.

    Parameters
    ----------
    cards : list of Card
        Those that a learner has met. What is kept of others is left alone.
    day : datetime.date

    Returns
    -------
    list of Card
    """
    states = {folder: read(folder) for folder in dict.fromkeys(card.folder for card in cards)}
    days = {card.name: _due_day(states[card.folder].get(card.name)) for card in cards}
    due = [card for card in cards if days[card.name] <= day or days[card.name] == NEW]
    return sorted(due, key=lambda card: days[card.name])


def rate(card: Card, rating: int, day: datetime.date) -> datetime.date:
    """Keep how well a card was known on a day.

    Parameters
    ----------
    card : Card
    rating : {AGAIN, HARD, GOOD, EASY}
    day : datetime.date

    Returns
    -------
    datetime.date
        When it is due again.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    import fsrs  # counting what is due does not need it

    scheduler = fsrs.Scheduler(
        learning_steps=(), relearning_steps=(), maximum_interval=LONGEST, enable_fuzzing=False
    )
    states: dict[str, Any] = read(card.folder)
    noon = _noon(day)
    if card.name in states:
        before = fsrs.Card.from_dict(states[card.name])
    else:
        before = fsrs.Card(card_id=zlib.crc32(card.name.encode()), due=noon)
    after, _ = scheduler.review_card(before, fsrs.Rating(rating), noon)
    states[card.name] = after.to_dict()
    progress_file.write({"cards": states}, card.folder, FILE)
    return _due_day(states[card.name])


def _noon(day: datetime.date) -> datetime.datetime:
    """Return the moment that stands for a day: FSRS counts full days between two moments."""
    return datetime.datetime.combine(day, datetime.time(12), datetime.UTC)


def _due_day(state: dict[str, Any] | None) -> datetime.date:
    return NEW if state is None else datetime.datetime.fromisoformat(state["due"]).date()


def _check(state: dict[str, Any]) -> None:
    """Raise one of many errors at what FSRS did not write."""
    _due_day(state)
    datetime.datetime.fromisoformat(state["last_review"])
    assert state["state"] in (1, 2, 3) and isinstance(state["card_id"], int)
    assert state["stability"] > 0 and state["difficulty"] > 0 and "step" in state
