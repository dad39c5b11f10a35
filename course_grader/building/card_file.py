"""cards.json, what a learner repeats of a unit: its recap cards, and its predictions answered."""

__all__ = ["card_file", "prediction_cards", "review_page"]

import ast
import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_grader.authoring.masters import read_master
from course_grader.building.prediction_rules import SHOWN, headings
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Unit

# What a reveal's arguments are made of in a lesson; anything else was computed when it ran.
PLAIN = (ast.Constant, ast.Tuple, ast.Dict, ast.Name, ast.Load, ast.UnaryOp, ast.USub)
ASK = "from course_utils.review.form import review\n\nreview()"
PAGE = """# Review

Five minutes a day: what you have met, asked again when you are about to forget it. Run the cell
below (Shift+Enter), answer, and say how well you knew it. A card comes in with each section that
you read, with each prediction whose answer you saw, and with each mistake that a panel named."""
FROM_KEYS = "dict.fromkeys"


def card_file(unit: Unit, project: Path = PROJECT) -> bytes:
    """Return a unit's cards.json, as bytes.

    Parameters
    ----------
    unit : Unit
        Whose lesson's master has the cards.
    project : Path
        Whose notebooks/ has the lesson, executed: it shows the predictions' answers.

    Returns
    -------
    bytes
        A JSON document: the unit's title, and cards in the order in which their answers are
        shown. `place` counts cells of the lesson, as `asked` of a prediction does.
    """
    master = read_master(unit.master("lesson"), "lesson")
    lesson = notebooks.load(project / "notebooks" / f"{unit.name}.ipynb")
    recaps = [
        {"name": card.name, "ask": _flat(card.ask), "answer": _flat(card.answer)}
        | {"place": card.place}
        for card in master.cards
    ]
    cards = sorted([*recaps, *prediction_cards(lesson)], key=lambda card: card["place"])
    for card in cards:
        card["see"] = _heading_above(lesson.cells, card["place"])
    told = {"title": unit.facts["title"], "cards": cards}
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def review_page() -> NotebookNode:
    """Return the notebook that asks, in a form, the cards that are due."""
    cells = [new_markdown_cell(PAGE, id="words"), new_code_cell(ASK, id="review")]
    return new_notebook(cells=cells, metadata={"kernelspec": notebooks.KERNELSPEC})


def prediction_cards(lesson: NotebookNode) -> list[dict[str, Any]]:
    """Return a card for each prediction of an executed lesson whose answer it shows.

    Parameters
    ----------
    lesson : NotebookNode

    Returns
    -------
    list of dict
        name, ask, asked and place (of question and answer, in cells), because; with choices and
        right, or with number, within and unit.
    """
    asked, cards, names = {}, [], {}
    for place, cell in enumerate(lesson.cells):
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            for call in _calls(node, "predict"):
                name = ast.literal_eval(call.args[0])
                asked.setdefault(name, {"asked": place, **_keywords(call, names)})
            for call in _calls(node, "reveal"):
                cards += _answered(call, place, asked, cell, names)
            _remember(node, names)
    return cards


def _answered(call, place, asked, cell, names):
    """Yield the card of a reveal that an executed cell shows."""
    name, shown = ast.literal_eval(call.args[0]), SHOWN.search(_text(cell))
    question, told = asked.get(name), _keywords(call, names)
    if question is None or shown is None:
        return
    because = told.get("because", {})
    card = {"name": name, "ask": question["ask"], "asked": question["asked"], "place": place}
    if "choices" in question:
        choices = list(question["choices"])
        card |= {"choices": choices, "right": ast.literal_eval(shown[1])}
        yield card | {"because": {wrong: because[wrong] for wrong in choices if wrong in because}}
        return
    card["number"] = float(shown[1].removesuffix(told.get("unit", "")))
    card |= {"within": told.get("within", 0.0), "unit": told.get("unit", "")}
    yield card | {"because": [[float(key), sentence] for key, sentence in because.items()]}


def _calls(node, function):
    """Yield the calls of a function anywhere in a statement."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and getattr(part.func, "id", "") == function:
            yield part


def _keywords(call, names):
    """Return the keyword arguments of a call that are known without running the lesson."""
    known = {one.arg: _known(one.value, names) for one in call.keywords}
    return {name: value for name, value in known.items() if value is not None}


def _remember(node, names):
    """Keep what a statement binds, where that is known: texts, and the sentences of `because`."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr):
        more = _known(node.value, names)
        if isinstance(more, dict) and isinstance(node.target, ast.Name):
            names[node.target.id] = names.get(node.target.id, {}) | more
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        _bind(node.targets[0], _known(node.value, names), names)


def _bind(target, value, names):
    if isinstance(target, ast.Name):
        names.pop(target.id, None)
        names |= {} if value is None else {target.id: value}
    elif isinstance(target, ast.Tuple) and isinstance(value, tuple):
        for part, one in zip(target.elts, value, strict=False):
            _bind(part, one, names)
    elif isinstance(target, ast.Subscript):
        held, key = _known(target.value, names), _known(target.slice, names)
        if isinstance(held, dict) and key is not None and value is not None:
            held[key] = value


def _known(node, names):
    """Return what an expression of plain parts is, or None."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == FROM_KEYS:
        keys, value = (_known(argument, names) for argument in node.args)
        return None if keys is None else dict.fromkeys(keys, value)
    if not all(isinstance(part, PLAIN) for part in ast.walk(node)):
        return None
    try:
        return eval(ast.unparse(node), {"__builtins__": {}}, dict(names))
    except NameError:  # of something that the lesson computed
        return None


def _heading_above(cells, place):
    """Return the nearest heading at or above a place; a card stands below its section's end."""
    for cell in reversed(cells[:place]):
        found = [match.string[match.end() :] for match in headings(cell)]
        if found:
            return found[-1].splitlines()[0]
    return ""


def _flat(text):
    """Return a text in one line: where a master breaks its lines says nothing."""
    return " ".join(text.split())


def _text(cell):
    shown = [
        o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in cell.outputs
    ]
    return "\n".join(shown)
