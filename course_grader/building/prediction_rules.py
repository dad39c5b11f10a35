"""Predictions in a lesson: each is asked, folded away, answered; nothing open tells the answer."""

__all__ = ["SHOWN", "folds", "headings", "opening", "questions", "spoilers"]

import ast
import dataclasses
import re
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

from course_grader.proving.trivial_answers import NUMBER

PREDICTIONS = 4  # the opening question's, and three more
OPENING = 6  # cells, among which the opening question is asked
HEADING = re.compile(r"^(#{1,6}) ", re.MULTILINE)
SHOWN = re.compile(r"The answer is (.+?)\. No prediction was kept")


@dataclasses.dataclass
class Question:
    """A prediction: the places of its question, its fold, its fold's end, and its answer."""

    name: str
    asked: int
    fold: int | None = None
    end: int | None = None
    revealed: int | None = None


def questions(cells: Sequence[NotebookNode]) -> dict[str, Question]:
    """Return {name: Question} in the order in which they are asked."""
    found = {}
    for place, cell in enumerate(cells):
        for name in _called("predict", cell):
            found.setdefault(name, Question(name, place))
        for name in _called("reveal", cell):
            found.setdefault(name, Question(name, place)).revealed = place
        if name := cell.metadata.get("fold"):
            question = found.setdefault(name, Question(name, place))
            question.fold, question.end = place, _end_of_fold(cells, place)
    return found


def folds(cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str]]:
    """Each prediction is asked, then its answer is revealed in the fold of its name."""
    for question in questions(cells).values():
        name, place = question.name, question.asked
        if question.fold is None:
            yield place, f'the answer to {name!r} is not folded: # %% [markdown] fold="{name}"'
        elif question.revealed is None or not place < question.fold:
            yield question.fold, f"the fold {name!r} needs its predict() above, its reveal() below"
        elif not question.fold < question.revealed < question.end:
            yield question.revealed, f"reveal({name!r}) stands outside of the fold of its name"


def spoilers(cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str]]:
    """No open cell between a question and its fold holds the answer."""
    folded = _folded(cells)
    for question in questions(cells).values():
        truth = _truth(cells[question.revealed])
        for place in range(question.asked + 1, question.fold + 1):  # a fold's heading is open
            if place not in folded and (found := _holds(cells[place], truth)):
                yield place, f"shows {found!r}, the answer to {question.name!r}: fold it"


def opening(cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str]]:
    """The opening question is a prediction, and its answer is the last that is revealed."""
    asked = list(questions(cells).values())
    if len(asked) < PREDICTIONS:
        yield 0, f"{len(asked)} predictions: an opening question and three more make a lesson"
    elif asked[0].asked >= OPENING:
        yield (
            asked[0].asked,
            f"the opening question is a prediction among the first {OPENING} cells",
        )
    elif asked[0].fold != max(question.fold for question in asked):
        yield asked[0].fold, "the opening question's answer is revealed last"


def _called(function, cell):
    """Yield the first argument of each call of predict or reveal in a cell."""
    if cell.cell_type == "code" and function in cell.source:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
                yield ast.literal_eval(node.args[0])


def _end_of_fold(cells, start):
    """Return the place of the heading that closes a fold: of its level or a higher one."""
    level = _level(cells[start])
    later = range(start + 1, len(cells))
    return next((i for i in later if 0 < _level(cells[i]) <= level), len(cells))


def _level(cell):
    found = next(headings(cell), None)
    return len(found[1]) if found else 0


def headings(cell: NotebookNode) -> Iterator[re.Match[str]]:
    """Yield the headings of a Markdown cell, code in it aside."""
    if cell.cell_type == "markdown":
        yield from HEADING.finditer(re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL))


def _folded(cells):
    """Return the places of all cells that lie in a fold."""
    spans = [(q.fold, q.end) for q in questions(cells).values() if q.fold is not None]
    return {place for start, end in spans for place in range(start + 1, end)}


def _truth(cell):
    """Return the answer as the reveal of an executed lesson shows it: a choice has quotes."""
    found = SHOWN.search(_outputs(cell))
    return found[1] if found else ""


def _holds(cell, truth):
    """Return what of an open cell tells the answer: a choice's words, or the number, rounded."""
    text = f"{cell.source}\n{_outputs(cell)}"
    if truth.startswith(("'", '"')):
        words = rf"(?<!\w){re.escape(truth[1:-1])}(?!\w)"
        return truth[1:-1] if re.search(words, text, flags=re.IGNORECASE) else None
    number = NUMBER.match(truth)
    return next((w for w in NUMBER.findall(text) if number and _same(w, number[0])), None)


def _same(word, truth):
    """Tell whether a number is another one, rounded; one digit alone tells nothing."""
    digits = len(word.lstrip("-0.").replace(".", "").split("e")[0])
    return digits >= 2 and f"{float(truth):.{digits - 1}e}" == f"{float(word):.{digits - 1}e}"


def _outputs(cell):
    found = cell.get("outputs", [])
    return "\n".join(
        o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in found
    )
