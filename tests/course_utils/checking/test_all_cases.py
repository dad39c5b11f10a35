"""The button judges what ran last; a browser test presses it."""

import json
import sys

import pytest

from course_utils.checking import all_cases
from course_utils.checking.all_cases import at_hand, bound_in, last_answer, stub_names


@pytest.fixture
def unit(tmp_path):
    """A unit's folder in work/, beside source and release."""
    for tree in ("work", "source", "release"):
        (tmp_path / tree / "01_x").mkdir(parents=True)
    stub = {"id": "mean-solution", "source": ["def mean(x):\n", "    raise NotImplementedError"]}
    book = json.dumps({"cells": [stub]})
    for tree in ("source", "release"):
        (tmp_path / tree / "01_x" / "01_x.ipynb").write_text(book)
    return tmp_path / "work" / "01_x"


def test_all_cases_are_at_hand_in_work_beside_the_sources_only(unit):
    assert at_hand(unit)
    assert not at_hand(unit.parent) and not at_hand(unit.parents[1] / "release" / "01_x")
    (unit.parents[1] / "source" / "01_x" / "01_x.ipynb").unlink()
    assert not at_hand(unit)


def test_the_answer_is_the_last_cell_that_binds_what_the_stub_binds(unit):
    names = stub_names("mean", unit)
    assert names == {"mean"}
    ran = ["import torch", "def mean(x): return 1", "mean([1])", "mean = max", "def other(): ..."]
    assert last_answer(names, ran) == "mean = max"
    assert last_answer(names, ran[:3]) == "def mean(x): return 1"


def test_what_never_ran_is_asked_for(unit):
    with pytest.raises(LookupError, match="No cell that ran defines mean: run yours first"):
        last_answer(stub_names("mean", unit), ["x = 1"])
    with pytest.raises(LookupError, match="no exercise median"):
        stub_names("median", unit)


def test_names_bound_by_a_broken_cell_are_none():
    assert bound_in("def f(:") == set()
    assert bound_in("class A: pass\nb, c = 1, 2\nd.e = 3\nf: int = 4") == {"A", "b", "c", "f"}
    assert bound_in("from torch import mean\nimport numpy as np") == {"mean", "np"}


def test_a_cell_that_only_uses_the_answer_is_not_the_answer(unit):
    ran = ["def mean(x): return 1", "loss = mean([1, 2])", "other = [mean(x) for x in data]"]
    assert last_answer(stub_names("mean", unit), ran) == ran[0]


@pytest.fixture
def button(unit, monkeypatch):
    """A button in a notebook where a cell ran."""
    monkeypatch.setattr(all_cases, "_history", lambda: ["def mean(x): return 1"])
    monkeypatch.chdir(unit)
    return all_cases.AllCases("mean", unit)


def press(button):
    button.children[0].click()
    return button.children[1].value


def test_the_judge_s_panel_stands_below_the_button(button, monkeypatch):
    monkeypatch.setattr(all_cases, "judged_elsewhere", lambda *given: f"<b>{given[1:3]}</b>")
    assert press(button) == "<b>('mean', 'def mean(x): return 1')</b>"
    assert not button.children[0].disabled


def test_an_answer_of_any_length_comes_through_with_its_progress(unit, monkeypatch, tmp_path):
    judge = tmp_path / "judge.py"
    judge.write_text(
        "import json, sys\n"
        "source = sys.stdin.read()\n"
        "print('first', file=sys.stderr)\n"
        "print(json.dumps({'html': source * 100_000}))\n"
        "sys.stdout.flush()\n"
        "print('last', file=sys.stderr)\n"
    )
    popen = all_cases.subprocess.Popen
    started = lambda command, **more: popen([sys.executable, judge], **more)  # noqa: E731
    monkeypatch.setattr(all_cases.subprocess, "Popen", started)
    said = []
    html = all_cases.judged_elsewhere(unit, "mean", "µ = 1\n", said.append)
    assert html == "µ = 1\n" * 100_000 and said == ["first", "last"]


def test_what_goes_wrong_is_told_and_the_button_works_again(button):
    told = press(button)  # the folder is no course: there is no course_grader in it
    assert "01_x" in told and "<em" in told
    assert not button.children[0].disabled
    assert "make check UNIT=01" in repr(button)
