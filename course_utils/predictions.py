"""Predictions that a learner commits to before the answer is computed; never graded."""

__all__ = ["predict", "reveal"]

import contextlib
import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.display import display

from course_utils.prediction_form import PredictionForm
from course_utils.progress_file import FILE, answer_in, is_off, read, write
from course_utils.typed_input import read_choice, read_number, read_words

Because = Mapping[Any, str]  # a sentence about each wrong answer


def predict(
    name: str, value: Any, *, ask: str, choices: Sequence[str] | None = None, words: bool = False
) -> None:
    """Ask a question, and keep the learner's first answer to it.

    Parameters
    ----------
    name : str
        Unique in the course, led by the unit's number: "01-two-words".
    value : ..., number, or one of `choices`
        With `...` a form asks the question, and the notebook runs on. Anything else is the
        answer: it is kept in progress.json beside the notebook, unless one is there already, for
        the first one stays. What is no answer is told so. With COURSE_PROGRESS=off there is no
        form, and nothing is read or written.
    ask : str
        The question, with the unit of the answer, in plain text.
    choices : sequence of str, optional
        The possible answers, where the answer is not a number.
    words : bool
        Whether the answer is in the learner's own words.

    Raises
    ------
    ValueError
        The name has another form.

    Examples
    --------
    >>> predict("01-sum", ..., ask="What is 1 + 1?", choices=("2", "11"))
    What is 1 + 1?
    Put your answer in place of ... and run this cell: one of '2', '11'.
    """
    kept = _kept(name)

    def keep(answer: Any) -> str:
        return _keep(name, read_answer(answer), ask)

    read_answer: Callable[[Any], float | str]
    if words:
        read_answer, how = read_words, "some words in quotes"
    elif choices is None:
        read_answer, how = read_number, "a number"
    else:
        read_answer = functools.partial(read_choice, choices=choices)
        how = f"one of {', '.join(map(repr, choices))}"

    if value is not ...:
        _show(f"{ask}\n{_told(keep, value)}")
    elif kept is not None:
        _show(f"{ask}\nYour prediction: {_text(kept)}")
    else:
        note = f"{ask}\nPut your answer in place of ... and run this cell: {how}."
        form = PredictionForm(ask, choices, words=words, keep=keep, note=note)
        display(_Note(note) if is_off() else form)


def reveal(
    name: str, truth: Any, *, within: float = 0.0, unit: str = "", because: Because | None = None
) -> None:
    """Show the answer to a question, and how far the kept prediction was from it.

    Parameters
    ----------
    name : str
        As handed to `predict`.
    truth : number or str
        The answer; computed in the notebook where it is a number.
    within : float, 0 or larger
        Distance up to which a number counts as right.
    unit : str
        Unit of the number.
    because : dict, optional
        {wrong answer: a sentence about it}, shown to whoever gave it. A number stands for all
        numbers that differ from it by at most 2%, or by `within`.

    Raises
    ------
    ValueError
        The name has another form, or a choice was kept where the truth is a number.

    Examples
    --------
    >>> reveal("01-sum", 2, unit="apples")
    The answer is 2 apples. No prediction was kept for this question.
    """
    truth = truth if isinstance(truth, str) else read_number(truth)
    guess = _kept(name)
    answer = f"{_text(truth)} {unit}".rstrip()
    if guess is None:
        _show(f"The answer is {answer}. No prediction was kept for this question.")
        return
    if isinstance(guess, str) != isinstance(truth, str):
        raise ValueError(f"{name}: cannot compare the kept {guess!r} with the truth {truth!r}")
    verdict = _verdict(guess, truth, within)
    right = verdict.startswith("right")
    _score(name, right=right)
    why = "" if right else _sentence_for(guess, because or {}, within)
    _show(f"You predicted {_text(guess)}; the answer is {answer}: {verdict}.{why}")


def _sentence_for(guess: float | str, because: Because, within: float) -> str:
    """Return the sentence for a wrong answer, on a line of its own, or ''."""
    for wrong, sentence in because.items():
        close = isinstance(guess, float) and abs(guess - wrong) <= max(within, 0.02 * abs(wrong))
        if guess == wrong or close:
            return f"\n{sentence}"
    return ""


def _told(keep: Callable[[Any], str], value: Any) -> str:
    """Keep a typed answer; return what was done, or what an answer looks like."""
    try:
        return keep(value)
    except ValueError as error:
        return f"Not kept: {error}."


def _verdict(guess: float | str, truth: float | str, within: float) -> str:
    if guess == truth or repr(guess) == repr(truth):  # nan equals nan only in print
        return "right"
    if isinstance(guess, str) or isinstance(truth, str) or not math.isfinite(guess - truth):
        return "not this time"
    if abs(guess - truth) <= within:
        return f"right within {within:g}"
    side = ", on the other side of zero" if guess * truth < 0 else ""
    return f"off by {abs(guess - truth):.6g}{side}"


def _kept(name: str) -> float | str | None:
    """First answer to a question, or None."""
    if not isinstance(name, str) or not re.fullmatch(r"\d\d(-[a-z0-9]+)+", name):
        raise ValueError(f"name must look like '01-two-words'; got {name!r}")
    entry = read().get("predictions", {}).get(name)
    return None if entry is None else answer_in(entry)


def _keep(name: str, answer: float | str, ask: str) -> str:
    """Keep the first answer to a question; return a sentence that says what was done."""
    given = f"Your prediction: {_text(answer)}"
    if is_off():
        return f"{given} (not kept: COURSE_PROGRESS is off)"
    first = _kept(name)
    if first is not None:
        same = _text(first) == _text(answer)
        return given if same else f"Your first prediction stays: {_text(first)}"
    kind = "choice" if isinstance(answer, str) else "number"
    book = read()
    book.setdefault("predictions", {})[name] = {"ask": ask, kind: str(answer)}
    try:
        write(book)
    except OSError as error:
        return f"{given} (not kept: {FILE}: {error.strerror or error})"
    return f"{given} (kept)"


def _score(name: str, *, right: bool) -> None:
    """Note beside a prediction whether it was right: the progress page counts these."""
    book = read()
    entry = book["predictions"][name]
    if entry.get("right") != right:
        entry["right"] = right
        with contextlib.suppress(OSError):  # a full disk: the sentence is shown all the same
            write(book)


def _text(answer: float | str) -> str:
    return repr(answer) if isinstance(answer, str) else f"{answer:.6g}"


def _show(text: str) -> None:
    display(_Note(text))


class _Note(str):
    """Text that a notebook shows as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)
