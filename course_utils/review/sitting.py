"""One sitting of review: what is asked, whether an answer is right, and when to stop."""

__all__ = ["CARDS", "MINUTES", "Sitting", "is_right", "told", "where"]

import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.progress import units_in
from course_utils.review import schedule
from course_utils.review.cards import Card, met_cards
from course_utils.typed_input import read_choice, read_number

CARDS, MINUTES = 20, 5  # of one sitting
CLOSE = 0.02  # share of a number by which one that is remembered may be off


class Sitting:
    """The cards that are due, one after the other, until a limit is reached.

    Parameters
    ----------
    folder : path
        The working copy, or a class's bundle.
    cards, minutes : int
        After how many the sitting ends; a card that was begun is finished.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        cards: int = CARDS,
        minutes: int = MINUTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root, self.day = Path(folder), schedule.today()
        self.met = met_cards(units_in(self.root), self.root)
        self.due = schedule.due_cards(self.met, self.day)
        self.answered = self.again = 0
        self._limit, self._clock = min(cards, len(self.due)), clock
        self._end = clock() + 60 * minutes

    @property
    def planned(self) -> int:
        """How many cards this sitting asks at most."""
        return self._limit

    def next(self) -> Card | None:
        """Return the next card, or None when it is enough for today."""
        late = self.answered and self._clock() >= self._end
        return None if late or self.answered >= self._limit else self.due[self.answered]

    def rate(self, rating: int) -> None:
        """Keep how well the present card was known, and go on to the next."""
        schedule.rate(self.due[self.answered], rating, self.day)
        self.answered += 1
        self.again += rating == schedule.AGAIN

    def closing(self) -> str:
        """Say what was done, and what is due now and tomorrow."""
        left = len(schedule.due_cards(self.met, self.day))
        tomorrow = len(schedule.due_cards(self.met, self.day + datetime.timedelta(days=1)))
        done = f"{_cards(self.answered)} answered, {self.again} to be seen again soon."
        more = f" {_cards(left)} still due today: go on whenever you like." if left else ""
        return f"{done}{more} Due tomorrow: {tomorrow}."


def is_right(card: Card, answer: Any) -> bool:
    """Tell whether an answer to a graded card is right.

    Parameters
    ----------
    card : Card
    answer : str or number
        One of the choices, or a number, which may be off by what the lesson allows, or by 2%.

    Raises
    ------
    ValueError
        It is no answer; the message says what one looks like.
    """
    if card.choices:
        return read_choice(answer, card.choices) == card.right
    return card.number is not None and _near(card, read_number(answer), card.number)


def told(card: Card, answer: Any) -> str:
    """Return what is said to an answer: whether it is right, the right one, and why.

    Raises
    ------
    ValueError
        It is no answer.
    """
    if is_right(card, answer):
        return "Right." if card.choices else f"Right: {card.solution}."
    return f"Not this time. The answer: {card.solution}.{_why(card, answer)}"


def where(card: Card) -> str:
    """Name the notebook, and the section in it, that shows the answer."""
    return f"Shown in {card.page}, under {card.see!r}"


def _why(card: Card, answer: Any) -> str:
    """Return the sentence for a wrong answer, or ''."""
    for wrong, sentence in card.because:
        same = answer == wrong if card.choices else _near(card, read_number(answer), wrong)
        if same:
            return f" {sentence}"
    return ""


def _near(card: Card, guess: float, wrong: float) -> bool:
    return abs(guess - wrong) <= _allowed(card, wrong)


def _allowed(card: Card, number: float) -> float:
    return max(card.within, CLOSE * abs(number))


def _cards(count: int) -> str:
    return f"{count} card" if count == 1 else f"{count} cards"
