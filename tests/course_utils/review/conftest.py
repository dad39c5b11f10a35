"""A working copy of one unit, with cards of each kind."""

import datetime
import json

import pytest

from course_utils.review import schedule

NAME = "01_first"
CARDS = [
    {"name": "01-recap", "ask": "Why?", "answer": "So.", "place": 3, "see": "A section"},
    {
        "name": "01-which",
        "ask": "Which?",
        "asked": 1,
        "place": 5,
        "see": "Another",
        "choices": ["one", "two", "three"],
        "right": "two",
        "because": {"one": "One is none."},
    },
    {
        "name": "01-number",
        "ask": "How many?",
        "asked": 6,
        "place": 8,
        "see": "Another",
        "number": 50.0,
        "within": 2.0,
        "unit": "m",
        "because": [[10.0, "Ten is too few."]],
    },
    {"name": "01-end", "ask": "And then?", "answer": "Then.", "place": 9, "see": "The end"},
]
LESSON = 'predict("01-which", ..., ask="Which?")\npredict("01-number", ..., ask="How many?")'
START = datetime.date(2026, 11, 28)


@pytest.fixture(autouse=True)
def as_a_learner(monkeypatch):
    """Keep progress, as a learner does, and stop the clock."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr(schedule, "today", lambda: START)


@pytest.fixture
def work(tmp_path):
    """Return a function that writes a unit's folder; what it is given replaces what was there."""
    folder = tmp_path / "work" / NAME
    folder.mkdir(parents=True)
    checks = [{"aspect": "v", "kind": "value", "call": "f()", "points": 1, "got": {"data": [1.0]}}]
    code = [{"cell_type": "code", "source": [LESSON], "outputs": []}]
    title = {"cell_type": "markdown", "source": ["# A title"]}
    files = {
        "checks.json": {"one": {"checks": checks, "hints": []}},
        "01_lesson.ipynb": {"cells": [title, *code]},
        f"{NAME}.ipynb": {"cells": []},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))

    def write(*, cards=CARDS, **book):
        (folder / "cards.json").write_text(json.dumps({"title": "A title", "cards": cards}))
        (folder / "progress.json").write_text(json.dumps(book))
        return folder.parent

    return write


@pytest.fixture
def read_to_the_end(work):
    """The copy of a learner who has been told the last prediction, and a mistake."""
    told = {"01-number": {"ask": "?", "number": "3", "right": False}}
    tried = {"one": {"visible": {"status": "passed", "points": 1}}}
    return work(predictions=told, results=tried, mistakes={"one": {"sign-flipped": "It is up."}})
