"""Recap cards in a lesson: a question and its answer, which stand in no notebook.

# %% [markdown] card="01-mean-and-median"
# Which location is the most likely under a Normal, and which under a Laplace?
#
# **Answer.** The mean, and the median.
"""

__all__ = ["RecapCard", "taken_out", "without_cards"]

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # masters are read with this
    from course_grader.authoring.masters import Cell, Master

ANSWER = "**Answer.**"
NAME = re.compile(r"\d\d(-[a-z0-9]+)+")  # as that of a prediction
# A card's lines: from its marker to the next one, or to the end.
LINES = re.compile(r"^# %%[^\n]*\bcard=.*?(?=^# %%(?: |$)|\Z)", re.MULTILINE | re.DOTALL)
ASKED = re.compile(r'\bpredict\(\s*"([^"]+)"')


@dataclasses.dataclass(frozen=True)
class RecapCard:
    """A question and its answer; `place` is how many cells of the notebook stand above it."""

    name: str
    ask: str
    answer: str
    place: int


def taken_out(master: "Master") -> tuple[list["Cell"], list[RecapCard]]:
    """Return a master's cells without its cards, and the cards.

    Raises
    ------
    MasterError
        At a card without question or answer, with a name that is none or taken, with a formula
        (a terminal shows none) or in a code cell.
    """
    cells, cards = [], []
    for cell in master.cells:
        if "card" in cell.roles:
            cards.append(_card(master, cell, len(cells), {card.name for card in cards}))
        else:
            cells.append(cell)
    return cells, cards


def without_cards(text: str) -> str:
    """Return a master's text as if it had no cards: what its notebook is made from."""
    kept = LINES.sub("", text)
    return kept if kept == text else kept.rstrip("\n") + "\n"


def _card(master, cell, place, taken):
    name = str(cell.roles["card"])
    ask, marker, answer = (part.strip() for part in cell.source.partition(ANSWER))
    if cell.kind != "markdown" or len(cell.roles) > 1:
        master.fail(cell, f'a card is Markdown with no other role: # %% [markdown] card="{name}"')
    if not NAME.fullmatch(name):
        master.fail(cell, f"card={name!r} is no name: the unit's number and words, 01-two-words")
    if name in taken or name in _predictions(master):
        master.fail(
            cell, f"card={name!r} is taken: a name keeps a learner's history, choose another"
        )
    if not (marker and ask and answer):
        missing = "question" if marker and answer else "answer"
        master.fail(
            cell, f"card {name!r} has no {missing}: a question, then {ANSWER} and the answer"
        )
    if "$" in cell.source or re.search(r"^#", cell.source, re.MULTILINE):
        master.fail(cell, f"card {name!r} is read in a terminal: no heading, and formulas as text")
    return RecapCard(name, ask, answer, place)


def _predictions(master):
    code = "\n".join(cell.source for cell in master.cells if cell.kind == "code")
    return set(ASKED.findall(code))
