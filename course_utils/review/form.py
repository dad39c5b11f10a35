"""Review in a notebook: a card at a time, in the form that predictions have."""

__all__ = ["ReviewForm", "review"]

from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import Markdown

from course_utils import progress_file
from course_utils.prediction_form import PredictionForm
from course_utils.review import schedule
from course_utils.review.cards import Card, as_html
from course_utils.review.sitting import Sitting, is_right, told, where

NOTHING = (
    "Nothing is due today. A card comes in with each section that you read, and is due again "
    "when you are about to forget it."
)
OFF = "COURSE_PROGRESS is off: nothing is kept, so nothing can be due."
KNOWN = {
    schedule.AGAIN: "Forgotten",
    schedule.HARD: "Known with effort",
    schedule.GOOD: "Known well",
    schedule.EASY: "Known at once",
}


def review(folder: str | Path = ".") -> "ReviewForm":
    """Ask the cards that are due.

    Parameters
    ----------
    folder : path
        The working copy, or a class's bundle.

    Returns
    -------
    ReviewForm
    """
    return ReviewForm(Sitting(folder))


class ReviewForm(ipywidgets.VBox):
    """The cards of a sitting, one by one; each answer is kept as soon as it is judged.

    Parameters
    ----------
    sitting : Sitting
    """

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        super().__init__()
        if progress_file.is_off():
            self._say(OFF)
        elif sitting.due:
            self._ask()
        else:
            self._say(NOTHING)

    def _ask(self) -> None:
        """Show the next card, or what was done."""
        card = self._sitting.next()
        if card is None:
            self._say(self._sitting.closing())
            return
        place = f"{self._sitting.answered + 1} of {self._sitting.planned}"
        head = ipywidgets.HTML(
            f"<small>{place} · {escape(card.title)} · {escape(card.see)}</small>"
        )
        self.children = [head, *(self._graded(card) if card.graded else self._open(card))]

    def _graded(self, card: Card) -> list[Any]:
        """Return the form of a question whose answer is right or wrong."""

        def keep(answer: str) -> str:
            words = told(card, answer)
            self._judge(card, right=is_right(card, answer))
            return words

        note = f"{card.ask}\nRun this cell where widgets are shown."
        return [PredictionForm(card.ask, card.choices or None, keep=keep, note=note)]

    def _open(self, card: Card) -> list[Any]:
        """Return a question whose answer is shown, and then judged by the learner."""
        show = ipywidgets.Button(description="Show the answer", button_style="primary")
        answer = ipywidgets.HTML()

        def shown(_button: object) -> None:
            show.disabled = True
            answer.value = as_html(card.answer)
            self._judge(card, right=None)

        show.on_click(shown)
        return [ipywidgets.HTML(f"<b>{as_html(card.ask)}</b>"), show, answer]

    def _judge(self, card: Card, *, right: bool | None) -> None:
        """Add the buttons that go on: how well it was known, or where a wrong answer is mended."""
        words = {schedule.AGAIN: "Next"} if right is False else dict(KNOWN)
        if right:
            del words[schedule.AGAIN]
        buttons = [self._button(rating, caption) for rating, caption in words.items()]
        link = ipywidgets.Output()
        if right is not True:
            way = f"{card.page}#{card.see.replace(' ', '-')}"
            link.append_display_data(Markdown(f"[{where(card)}](<{way}>)"))
        self.children = [*self.children, link, ipywidgets.HBox(buttons)]

    def _button(self, rating: int, caption: str) -> Any:
        button = ipywidgets.Button(description=caption)

        def rated(_button: object) -> None:
            try:
                self._sitting.rate(rating)
            except OSError as error:
                self._say(f"Not kept: {error.strerror or error}. Run the cell once more.")
            else:
                self._ask()

        button.on_click(rated)
        return button

    def _say(self, words: str) -> None:
        self.children = [ipywidgets.HTML(escape(words))]

    def __repr__(self) -> str:
        return f"Review: {self._sitting.planned} cards. Run this cell where widgets are shown."
