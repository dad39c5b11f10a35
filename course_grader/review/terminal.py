"""Ask the cards that are due on a terminal: keyboard only, and kept after each answer."""

__all__ = ["review"]

import textwrap
from collections.abc import Callable
from pathlib import Path

from course_grader.project.course import CourseError
from course_utils import progress_file
from course_utils.review import schedule
from course_utils.review.sitting import Sitting, is_right, told, where

WIDE = 80
STOP = ("q", "quit")
RATINGS = {"1": schedule.AGAIN, "2": schedule.HARD, "3": schedule.GOOD, "4": schedule.EASY}
OPEN = "1 forgotten, 2 with effort, 3 well, 4 at once: "
RIGHT = "Known 2 with effort, 3 well, 4 at once (Enter: 3): "
EMPTY = {
    True: "Nothing is due. Cards come in with the sections that you read: 'make lab'.",
    False: "There is no work/ yet: 'make lab' copies the course, and you begin to read.",
}


class _Stop(Exception):
    """The learner has had enough."""


def review(
    work: Path,
    *,
    ask: Callable[[str], str] = input,
    say: Callable[[str], object] = print,
    **limits: int,
) -> None:
    """Ask what is due, until it is answered, a limit is reached, or the learner stops.

    Parameters
    ----------
    work : Path
        The working copy.
    ask : callable
        Shows a prompt and returns a line; raises EOFError at the end of the input.
    say : callable
        Shows a line.
    **limits
        cards and minutes, as `Sitting` takes them.

    Raises
    ------
    CourseError
        COURSE_PROGRESS is off, or a limit is no number of cards or minutes.
    """
    if progress_file.is_off():
        raise CourseError("COURSE_PROGRESS is off: nothing is kept, so nothing is due; unset it")
    for name, value in limits.items():
        if value < 1:
            raise CourseError(f"{name.upper()}={value}: 1 or more, such as {name.upper()}=5")
    sitting = Sitting(work, **limits)
    if not sitting.due:
        say(EMPTY[work.is_dir()])
        return
    are = "card is" if len(sitting.due) == 1 else "cards are"
    say(f"{len(sitting.due)} {are} due, {sitting.planned} for now. q stops; answers are kept.")
    try:
        while (card := sitting.next()) is not None:
            _head(card, sitting, say)
            sitting.rate(_graded(card, ask, say) if card.graded else _open(card, ask, say))
    except (_Stop, EOFError):
        say("")
    say(f"\n{sitting.closing()}")


def _head(card, sitting, say):
    say(f"\n{sitting.answered + 1} of {sitting.planned} · {card.title} · {card.see}")
    say(_filled(card.ask))


def _graded(card, ask, say):
    """Ask for a choice or a number; return the rating that it earns."""
    for number, choice in enumerate(card.choices, 1):
        say(_filled(choice, f"  {number}  "))
    answer = _answer(card, ask, say)
    say(_filled(told(card, answer)))
    if is_right(card, answer):
        return _chosen({**RATINGS, "": schedule.GOOD}, RIGHT, ask, say, without="1")
    say(where(card))
    return schedule.AGAIN


def _answer(card, ask, say):
    """Return a valid answer; what is none is told, and asked for again."""
    if card.choices:
        numbered = {str(number): choice for number, choice in enumerate(card.choices, 1)}
        return _chosen(numbered, f"Your choice, 1 to {len(numbered)}: ", ask, say)
    while True:
        line = _line("Your number: ", ask)
        try:
            is_right(card, line)
        except ValueError as error:
            say(f"{error}; q stops")
        else:
            return line


def _open(card, ask, say):
    """Show the answer when asked to; return how well the learner says it was known."""
    _line("Enter shows the answer: ", ask)
    say(_filled(card.answer))
    rating = _chosen(RATINGS, OPEN, ask, say)
    if rating == schedule.AGAIN:
        say(where(card))
    return rating


def _chosen(options, prompt, ask, say, *, without=""):
    """Return what the key stands for that was pressed."""
    known = {key: value for key, value in options.items() if key != without}
    while (key := _line(prompt, ask)) not in known:
        keys = ", ".join(key for key in known if key)
        say(f"{key!r} is none of {keys}; q stops")
    return known[key]


def _line(prompt, ask):
    line = ask(prompt).strip()
    if line.lower() in STOP:
        raise _Stop
    return line


def _filled(text, lead=""):
    return textwrap.fill(text, WIDE, initial_indent=lead, subsequent_indent=" " * len(lead))
