"""An answer that changes an argument is seen in whichever case it does so."""

import contextlib
import sys

import numpy as np
import pytest
import torch

from course_utils.checking.arguments import Arguments, copy_of, is_as_before
from course_utils.checking.checks import Checks
from course_utils.checking.findings import findings
from course_utils.checking.records import plain

ANSWER = """
import numpy as np

def large_in_place(a, b=1.0):
    if a.max() > 80:
        a -= a.max()
    return a.sum() + b

def marks(a):
    return a.requires_grad_().sum()

def fills(rows):
    rows[1][np.isnan(rows[1])] = 0.0
    return rows[0]

def grows(a):
    a.resize_(4)
    return 1.0

def fails(a):
    a += 1
    raise ValueError

def leaves(a, b=None):
    a = a.clone()
    a -= 3.0
    return a
"""
CHECK = """
import numpy as np
import torch

def _calls():
    t = torch.ones(2, dtype=torch.float64)
    holes = np.array([1.0, np.nan])
    scale = lambda: 100 * t
    return {
        "small": lambda: large_in_place(2 * t),
        "large": lambda: large_in_place(100 * t),
        "large, by name": lambda: large_in_place(b=2.0, a=scale()),
        "marks": lambda: marks(t.clone()),
        "entry": lambda: fills([t, holes.copy()]),
        "grows": lambda: grows(t[:1].clone()),
        "fails": lambda: fails(t.clone()),
        "nan": lambda: leaves(torch.tensor(holes)),
        "leaves": lambda: leaves(t, t),
        "own": lambda: t.mul_(1.0),
    }

def _body(check):
    t = torch.ones(2, dtype=torch.float64)
    check.keeps("value", large_in_place, t.clone())
    check.value("value", lambda: large_in_place(t), points=1)
    check.gradient("slope", lambda a: large_in_place(3 * a), t, points=1)
    check.value("slope", lambda: large_in_place(SIZE * t), case="large numbers")
"""


def notebook(size=1.0):
    """Return the names that an answer's cell and a check cell bind."""
    names = {"SIZE": size}
    for cell, source in (("answer", ANSWER), ("check", CHECK)):
        exec(compile(source, f"<{cell}>", "exec"), names)
    return names


def told(call, *inputs):
    """Return what is told of one call, after a check that kept its inputs."""
    arguments = Arguments()
    checks = [{"kind": "state", "got": plain([True, True])}]
    with contextlib.suppress(ValueError, ZeroDivisionError):
        arguments.called(call, *inputs)
    arguments.told(checks)
    return checks[0]["got"].get("message", "")


@pytest.mark.parametrize("name", ["small", "nan", "leaves", "own"])
def test_who_leaves_arguments_alone_is_not_told_of(name):
    assert told(notebook()["_calls"]()[name]) == ""


@pytest.mark.parametrize("name", ["large", "large, by name", "marks", "grows", "fails"])
def test_a_changed_argument_is_told_by_its_name(name):
    assert told(notebook()["_calls"]()[name]) == "changes its argument `a`"


def test_an_entry_of_a_list_counts():
    assert told(notebook()["_calls"]()["entry"]) == "changes its argument `rows`"


def test_the_answer_itself_may_be_what_is_called():
    answer = notebook()["large_in_place"]
    assert "`a`" in told(answer, torch.full((3,), 100.0))
    assert told(answer, torch.ones(3)) == ""


def test_a_profiler_that_somebody_set_stays():
    seen = []

    def profiler(*event):
        seen.append(event)

    sys.setprofile(profiler)
    try:
        assert told(lambda: 1 / 0) == ""
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    told(notebook()["_calls"]()["small"])
    assert sys.getprofile() is None


def recorded(size, monkeypatch):
    """Return what a check cell hands over in grading."""
    caught = []
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr(
        "course_utils.checking.checks._publish", lambda record, *_: caught.append(record)
    )
    checks = Checks("any")
    notebook(size)["_body"](checks)
    with pytest.raises(Exception, match="not judged"):
        checks.report()
    return caught[0]["checks"]


def test_the_check_of_inputs_fails_for_a_branch_that_it_does_not_take(monkeypatch):
    expected, got = recorded(2.0, monkeypatch), recorded(100.0, monkeypatch)
    got[3]["got"] = expected[3]["got"]  # the value itself is another matter
    wrong = findings(got, expected)
    assert wrong[0] == "large_in_place changes its argument `a` for 'large numbers'"
    assert wrong[1:] == [None, None, None]


def test_a_check_of_inputs_that_failed_by_itself_stays_as_it_is():
    arguments, checks = Arguments(), [{"kind": "state", "got": plain([False, True])}]
    arguments.called(notebook()["_calls"]()["large"])
    arguments.told(checks)
    assert checks[0]["got"] == plain([False, True])
    arguments.told([])


def test_a_copy_is_as_before_until_something_changes():
    for x in (torch.ones(2, requires_grad=True), np.array([np.nan, 1.0]), torch.tensor(3)):
        with torch.no_grad():
            assert is_as_before(copy_of(x), x)
    assert not is_as_before(np.zeros(2), np.zeros((2, 1)))
    assert not is_as_before(np.zeros(2), np.array([0.0, np.nan]))
