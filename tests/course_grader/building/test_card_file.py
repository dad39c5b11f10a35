"""cards.json: every prediction of every lesson with its answer, and recaps that tell the truth."""

import ast
import json
import re

import nbformat
import pytest

from course_grader.building.build import build
from course_grader.building.card_file import card_file, prediction_cards, review_page
from course_grader.building.prediction_rules import questions
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, units

UNITS = units()
DECIMAL = re.compile(r"\d+\.\d{2,}")
LESSON = """
x, y = "one", "two"
predict("01-which", ..., ask="Which?", choices=("one", "two", "three"))
---
because = {x: "Not one."}
because |= {"three": "Not three."}
because["three"] = "Nor three."
reveal("01-which", y, because=because)
---
predict("01-how-many", ..., ask="How many?")
---
found = sum([1, 2])
because = {-1: "No."} | dict.fromkeys([0], "None.")
because |= dict.fromkeys((0, 2), "Fewer.")
reveal("01-how-many", found, within=0.5, unit="m", because=because)
---
predict("01-not-told", ..., ask="?")
"""


def executed(*shown):
    cells = [nbformat.v4.new_markdown_cell("# A lesson")]
    for source in LESSON.split("---\n"):
        cell = nbformat.v4.new_code_cell(source.strip())
        if "reveal(" in source:
            text = f"The answer is {shown[0]}. No prediction was kept for this question."
            cell.outputs = [nbformat.v4.new_output("stream", text=text)]
            shown = shown[1:]
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def test_a_prediction_is_read_without_running_the_lesson():
    which, many = prediction_cards(executed("'two'", "3 m"))
    assert which["choices"] == ["one", "two", "three"] and which["right"] == "two"
    assert which["because"] == {"one": "Not one.", "three": "Nor three."}
    assert (which["asked"], which["place"]) == (1, 2)
    assert (many["number"], many["within"], many["unit"]) == (3.0, 0.5, "m")
    assert [0.0, "Fewer."] in many["because"]


def revealed(cell, name):
    """Return the names of a reveal's keyword arguments."""
    calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    mine = [call for call in calls if call.args and getattr(call.args[0], "value", "") == name]
    return {one.arg for call in mine if call.func.id == "reveal" for one in call.keywords}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_prediction_has_a_card_and_its_sentences_are_about_wrong_answers(unit):
    lesson = notebooks.load(PROJECT / "notebooks" / f"{unit.name}.ipynb")
    cards = {card["name"]: card for card in prediction_cards(lesson)}
    assert sorted(cards) == sorted(questions(lesson.cells))
    for card in cards.values():
        if "choices" in card:
            assert card["right"] in card["choices"] and card["right"] not in card["because"]
            assert set(card["because"]) <= set(card["choices"])
        else:
            wrong = [number for number, _ in card["because"]]
            assert all(abs(number - card["number"]) > card["within"] for number in wrong)
        told = revealed(lesson.cells[card["place"]], card["name"])
        assert bool(card["because"]) == ("because" in told), card["name"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_cards_come_in_order_each_under_a_heading_with_numbers_of_the_lesson(unit):
    told = json.loads(card_file(unit))
    assert [card["place"] for card in told["cards"]] == sorted(c["place"] for c in told["cards"])
    names = [card["name"] for card in told["cards"]]
    assert len(set(names)) == len(names)
    lesson = notebooks.load(PROJECT / "notebooks" / f"{unit.name}.ipynb")
    prose = "\n".join(cell.source for cell in lesson.cells)
    recaps = [card for card in told["cards"] if "answer" in card]
    assert 4 <= len(recaps) <= 8
    for card in told["cards"]:
        assert re.search(rf"^#+ {re.escape(card['see'])}$", prose, re.MULTILINE), card["name"]
    for card in recaps:
        for number in DECIMAL.findall(card["ask"] + card["answer"]):
            assert number in prose, f"{card['name']}: the lesson does not say {number}"


def test_a_hidden_value_on_a_card_stops_the_build(edit, tmp_path, reference):
    entry = reference["gaussian-nll"]
    hidden = entry["checks"][entry["solid"][0]]["got"]["data"][0]
    own = edit("lesson", "**Answer.** The mean under", f"**Answer.** {hidden:.6f}, the mean under")
    for tree in ("notebooks", "solutions"):
        (tmp_path / tree).mkdir()
        path = f"{tree}/{own.name}.ipynb"
        (tmp_path / path).write_bytes((PROJECT / path).read_bytes())
    with pytest.raises(CourseError, match=r"a card shows the hidden value"):
        build(own, project=tmp_path, say=lambda line: None)


def test_the_page_asks_in_the_folder_where_it_lies():
    page = review_page()
    nbformat.validate(page)
    assert page.cells[1].source.endswith("review()")
