"""A check cell records whatever the student's function does, and never decides a grade."""

import contextlib
import json
import linecache
import sys
import time
import warnings

import numpy as np
import pytest
import torch

from course_utils import progress_file
from course_utils.checking import all_cases, checks, comparison, recorder
from course_utils.checking.checks import MIME, Checks, NotJudged, NotYet
from course_utils.checking.records import failure, plain

X = torch.tensor([1.0, -2.0], dtype=torch.float64)


def square(x):
    """The right answer."""
    return x**2


def stub(x):
    raise NotImplementedError


def filled(function):
    """Run the checks of an exercise of three aspects."""
    check = Checks("square")
    check.value("value", lambda: function(X), points=2)
    check.gradient("gradient", lambda x: function(x), X, points=1)
    check.keeps("value", function, X)
    check.law("value", "equal", lambda: function(X), lambda: function(-X))
    check.value("shape", lambda: function(torch.ones(2, 3)), points=1)
    return check


@pytest.fixture
def published(monkeypatch):
    """What the cells published: a list of (record, text, html)."""
    caught = []
    publish = lambda record, text, html=None: caught.append((record, text, html))  # noqa: E731
    monkeypatch.setattr(checks, "_publish", publish)
    return caught


@pytest.fixture
def graded(monkeypatch, published):
    """Record as in grading: return the recorded checks of a function."""

    def record(function):
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
        with pytest.raises(NotJudged):
            filled(function).report()
        monkeypatch.delenv("NBGRADER_EXECUTION")
        return published.pop()[0]["checks"]

    return record


@pytest.fixture
def local(graded, published, tmp_path, monkeypatch):
    """Report beside a notebook whose expected values are those of the right answer."""
    monkeypatch.chdir(tmp_path)
    known = {"square": {"checks": graded(square), "hints": []}}
    (tmp_path / comparison.EXPECTED_FILE).write_text(json.dumps(known))

    def report(function):
        filled(function).report()
        return published.pop()

    return report


ANSWERS = {
    "right": square,
    "wrong": lambda x: x**3,
    "stub": stub,
    "raises": lambda x: 1 / 0,
    "no number": lambda x: None,
}


@pytest.mark.parametrize("function", ANSWERS.values(), ids=ANSWERS)
def test_in_grading_every_answer_ends_unjudged_after_one_record(function, published, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(NotJudged, match="not judged: run from the course folder"):
        filled(function).report()
    ((record, text, html),) = published
    assert record["exercise"] == "square" and len(record["checks"]) == 5
    assert html is None and "✓" not in text


def test_in_grading_no_expected_values_are_read(monkeypatch, published, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(NotJudged):
        filled(square).report()


def test_each_check_is_recorded_with_its_aspect_kind_and_points(graded):
    record = graded(square)
    assert [c["aspect"] for c in record] == ["value", "gradient", "value", "value", "shape"]
    assert [c["kind"] for c in record] == ["value", "gradient", "state", "law", "value"]
    assert [c["points"] for c in record] == [2, 1, 0, 0, 1] and record[3]["law"] == "equal"
    assert record[0]["call"] == "function(X)" and record[2]["call"] == "square"


def test_a_record_is_strict_json(graded):
    record = graded(lambda x: x / 0)
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_right_answer_passes_in_silence(local):
    record, text, html = local(square)
    assert "passed" in text and "more cases run when graded" in text and "<table" in html
    assert len(record["checks"]) == 5


@pytest.mark.parametrize("name", ["wrong", "raises", "no number"])
def test_a_failing_answer_raises_one_line_after_the_panel(local, published, name):
    with pytest.raises(NotYet, match="square: not yet") as caught:
        local(ANSWERS[name])
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line and "not yet" in published[0][1]


def test_a_stub_is_not_attempted(local, published):
    with pytest.raises(NotYet, match="not attempted"):
        local(stub)
    assert "not attempted" in published[0][1]


def test_local_panels_claim_no_points(local, published):
    with pytest.raises(NotYet):
        local(ANSWERS["wrong"])
    assert " of 4 points" not in published[0][1] + published[0][2]


def noisy(x):
    print("debugging", file=sys.stderr)
    print("debugging")
    warnings.warn("careful", stacklevel=1)
    return x**2


def test_prints_and_warnings_do_not_matter_and_are_shown_to_their_writer(local, capsys):
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        record, text, html = local(noisy)
    assert "passed" in text and "Your code printed:\n    debugging" in text
    assert "What your code printed" in html and "debugging" in html
    assert "debugging" not in json.dumps(record) and capsys.readouterr() == ("", "")


LOST = 'def lost(x):\n    return {}["a key"]\n'


def test_an_error_is_told_once_with_the_line_that_raised_it(local, published):
    linecache.cache["<cell>"] = (len(LOST), None, LOST.splitlines(keepends=True), "<cell>")
    exec(compile(LOST, "<cell>", "exec"), cell := {})
    with pytest.raises(NotYet):
        local(cell["lost"])
    text, html = published[0][1:]
    assert text.count("raised KeyError: 'a key'") == 1 and text.count("the same KeyError") == 2
    assert "Raised at line 2 of your cell, in lost: return {}[" in text and "in lost" in html


def test_an_error_that_is_asked_for_has_no_place_in_the_panel(monkeypatch, published, tmp_path):
    picky = LOST.replace("return {}", "raise ValueError(x) if x else {}")
    linecache.cache["<cell>"] = (len(picky), None, picky.splitlines(keepends=True), "<cell>")
    exec(compile(picky, "<cell>", "exec"), cell := {})
    check = Checks("square")
    check.value("value", lambda: cell["lost"](1), points=1)
    known = {"square": {"checks": check.checks, "hints": []}}
    (tmp_path / comparison.EXPECTED_FILE).write_text(json.dumps(known))
    monkeypatch.chdir(tmp_path)
    check.report()
    assert "ValueError" in str(check.checks) and "Raised at" not in published[0][1]


def test_the_best_visible_result_is_kept_as_progress(local, monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    for function in (ANSWERS["wrong"], square, ANSWERS["raises"], stub):
        with contextlib.suppress(NotYet):
            local(function)
    kept = progress_file.read()["results"]["square"]
    assert kept == {"visible": {"status": "passed", "points": 4}}


def test_where_all_cases_are_at_hand_a_button_runs_them(local, published, monkeypatch):
    offered = []
    monkeypatch.setattr(all_cases, "offer", offered.append)
    assert "more cases run when graded" in local(square)[1] and offered == []
    monkeypatch.setattr(all_cases, "at_hand", lambda: True)
    assert "the button below runs all cases" in local(square)[1] and offered == ["square"]
    with pytest.raises(NotYet):
        local(stub)
    assert offered == ["square"]


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def give_up(error):
    raise error


STOPS = {
    "exception": lambda: 1 / 0,
    "exit": sys.exit,
    "quit": lambda: exit(0),
    "interrupt": lambda: give_up(KeyboardInterrupt),
    "generator exit": lambda: give_up(GeneratorExit),
    "assertion": lambda: give_up(AssertionError),
    "not implemented": lambda: give_up(NotImplementedError),
    "recursion": lambda: give_up(RecursionError("deep")),
    "without words": lambda: give_up(Unprintable()),
    "too large a number": lambda: 10**400,
    "sparse": lambda: torch.eye(2).to_sparse(),
    "itself": lambda: (lambda x: x.append(x) or x)([]),
}


@pytest.mark.parametrize("call", STOPS.values(), ids=STOPS)
def test_one_call_that_stops_does_not_end_the_others(call):
    check = Checks("square")
    check.value("value", call)
    check.value("value", lambda: 1.5)
    assert check.checks[0]["got"]["error"] and check.checks[1]["got"] == plain(1.5)


@pytest.mark.parametrize("error", [SystemExit("bye"), KeyboardInterrupt()], ids=repr)
def test_an_exit_is_recorded_as_a_stop_in_words(error):
    check = Checks("square")
    check.value("value", lambda: give_up(error))
    got = check.checks[0]["got"]
    assert got["error"] == "Stopped" and "exit" in got["message"]


def test_an_exception_is_recorded_by_its_class():
    check = Checks("square")
    check.value("value", lambda: give_up(KeyError("k")))
    assert check.checks[0]["got"] == failure(KeyError("k"))


def endless():
    while True:
        pass


def test_an_endless_loop_costs_its_own_check_only(monkeypatch):
    monkeypatch.setattr(recorder, "SECONDS_PER_CALL", 0.1)
    check = Checks("square")
    check.value("value", endless)
    check.value("value", lambda: 1.5)
    assert [c["got"].get("error") for c in check.checks] == ["OutOfTime", None]


def test_an_exercise_has_a_budget_of_its_own(monkeypatch):
    monkeypatch.setattr(recorder, "SECONDS_PER_EXERCISE", 0.3)
    monkeypatch.setattr(recorder, "FREE", 0.0)
    check, start = Checks("square"), time.process_time()
    for _ in range(3):
        check.value("value", endless)
    check.value("value", lambda: 1.5)
    assert [c["got"].get("error") for c in check.checks] == ["OutOfTime"] * 3 + [None]
    assert time.process_time() - start < 0.7  # three calls with the whole budget take 0.9


def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def test_many_calls_none_of_them_slow_use_up_no_budget(monkeypatch):
    monkeypatch.setattr(recorder, "SECONDS_PER_EXERCISE", 0.3)
    check = Checks("square")
    for _ in range(8):
        check.value("value", lambda: spin(0.08))
    assert ["error" in c["got"] for c in check.checks] == [False] * 8


def kept(function, *inputs):
    """Whether `keeps` is content with a function."""
    check = Checks("square")
    check.keeps("value", function, *inputs)
    return all(item["data"] == [1.0] for item in check.checks[0]["got"]["items"].values())


def draw_numpy(x):
    return np.random.random()


CHANGES = {
    "tensor": (lambda x: x.mul_(2), torch.ones(3)),
    "one element": (lambda x: x[1:].zero_(), torch.ones(3)),
    "array": (lambda x: x.sort(), np.array([2.0, 1.0])),
    "list": (lambda x: x.reverse(), [1.0, 2.0]),
    "second input": (lambda x, y: y.add_(1), torch.ones(3), torch.ones(3)),
    "shape": (lambda x: x.unsqueeze_(0), torch.ones(3)),
    "gradient asked for": (lambda x: x.requires_grad_(), torch.ones(3)),
    "gradient of the second input": (lambda x, y: y.requires_grad_(), *torch.ones(2, 3)),
    "gradient given up": (lambda x: x.requires_grad_(False), torch.ones(3, requires_grad=True)),
    "torch generator": (lambda x: torch.rand(1), torch.ones(3)),
    "torch seed": (lambda x: torch.manual_seed(77), torch.ones(3)),
    "numpy generator": (draw_numpy, torch.ones(3)),
    "numpy seed": (lambda x: np.random.seed(77), torch.ones(3)),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_changed_input_or_a_used_generator_is_noticed(case):
    torch.manual_seed(0)
    np.random.seed(0)
    np.random.random(2)
    assert not kept(*case)


KEEPS = {
    "square": square,
    "nothing": lambda x: None,
    "copy": lambda x: x.clone().mul_(2),
    "gradient of a copy": lambda x: x.detach().requires_grad_(),
    "own torch generator": lambda x: torch.rand(1, generator=torch.Generator().manual_seed(0)),
    "own numpy generator": lambda x: np.random.default_rng(0).random(),
}


@pytest.mark.parametrize("function", KEEPS.values(), ids=KEEPS)
def test_what_leaves_everything_alone_keeps_it(function):
    assert kept(function, torch.ones(3))


def gradient_of(function):
    check = Checks("square")
    check.gradient("gradient", function, X)
    return check.checks[0]["got"]


@pytest.mark.parametrize(
    "function",
    [lambda x: x.sin(), lambda x: x.exp() / 3, lambda x: (x**3).sum(), lambda x: x.cumsum(0)],
)
def test_the_gradient_is_that_of_small_differences(function):
    step = 1e-6 * torch.eye(len(X), dtype=X.dtype)
    slopes = [(function(X + h).sum() - function(X - h).sum()) / 2e-6 for h in step]
    assert gradient_of(function)["data"] == pytest.approx([s.item() for s in slopes], rel=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x**2).detach(),
        lambda x: (x**2).sum().item(),
        lambda x: torch.tensor((x**2).tolist()),
        lambda x: None,
        lambda x: torch.ones(2, requires_grad=True) * 2,
        lambda x: x.mul_(2),
    ],
    ids=["detached", "item", "new tensor", "None", "another leaf", "in place"],
)
def test_a_result_without_gradient_is_recorded_as_an_error(function):
    assert gradient_of(function)["error"]


def test_the_gradient_leaves_its_place_alone():
    gradient_of(square)
    assert not X.requires_grad and X.grad is None


def test_draws_are_recorded_as_they_come():
    check = Checks("square")
    check.draws("sample", lambda: X, points=1)
    assert (check.checks[0]["kind"], check.checks[0]["got"]) == ("draws", plain(X))


@pytest.mark.parametrize("markup", [None, "<b>panel</b>"])
def test_publishing_clears_the_cell_and_shows_one_output(monkeypatch, markup):
    shown = []
    monkeypatch.setattr("IPython.display.clear_output", lambda: shown.append("cleared"))
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    checks._publish({"version": 1}, "panel", markup)
    assert shown[0] == "cleared" and len(shown) == 2
    assert shown[1][MIME] == {"version": 1} and shown[1].get("text/html") == markup
