"""The form in which a learner commits to an answer: choices, a number or words, and a button."""

__all__ = ["PredictionForm"]

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets

WIDE = {"width": "max-content"}


class PredictionForm(ipywidgets.VBox):
    """A question with radio buttons or a field, and a Commit button.

    Parameters
    ----------
    ask : str
        The question.
    choices : sequence of str, or None
        The possible answers; None: a number, or words.
    words : bool
        Whether the answer is in words.
    keep : callable
        Gets the choice, or the text of the number; returns a sentence that says what was done,
        or raises a ValueError that says what an answer looks like.
    note : str
        What stands for the form where there are no widgets.
    """

    def __init__(
        self,
        ask: str,
        choices: Sequence[str] | None,
        *,
        words: bool = False,
        keep: Callable[[str], str],
        note: str,
    ) -> None:
        self._keep, self._note = keep, note
        if words:
            self._field = ipywidgets.Textarea(placeholder="in your own words", rows=5)
        elif choices is None:
            self._field = ipywidgets.Text(placeholder="a number", continuous_update=True)
        else:
            self._field = ipywidgets.RadioButtons(options=choices, value=None, layout=WIDE)
        self._commit = ipywidgets.Button(description="Commit", button_style="primary")
        self._commit.on_click(self._committed)
        self._told = ipywidgets.HTML()
        question = ipywidgets.HTML(f"<b>{escape(ask)}</b>")
        super().__init__([question, self._field, self._commit, self._told])

    def _committed(self, _button: object) -> None:
        try:
            told = self._keep(self._field.value)
        except ValueError as error:
            self._told.value = escape(f"Not yet: {error}.")
            return
        self._field.disabled = self._commit.disabled = True
        self._told.value = escape(told)

    def __repr__(self) -> str:
        return self._note
