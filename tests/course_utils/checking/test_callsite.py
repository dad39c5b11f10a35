"""The panel shows the call as the cell has it."""

import functools
import linecache

import pytest

from course_utils.checking.callsite import call_text


def calls_in(source, name):
    """Run a cell as a notebook does and return the callables that it hands to `check`."""
    found = []
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), {"check": lambda *calls: found.extend(calls)})
    return found


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("check(lambda: f(1, 0.5 * y))", ["f(1, 0.5 * y)"]),
        ("x = 1\n\ncheck(lambda x: f(x))", ["f(x)"]),
        ("check(\n    lambda: f(1),\n    lambda: f(2),\n)", ["f(1)", "f(2)"]),
        ("check(lambda: f(lambda z: z))", ["f(lambda z: z)"]),
        ("check(lambda: f(\n    1,\n    2,\n))", ["f(1, 2)"]),
    ],
)
def test_a_lambda_is_shown_by_its_body(source, texts):
    assert [call_text(call) for call in calls_in(source, f"<cell {hash(source)}>")] == texts


def test_a_cell_run_again_shows_its_new_text():
    for number in ("1", "2"):
        (call,) = calls_in(f"check(lambda: f({number}))", "<the same cell>")
        assert call_text(call) == f"f({number})"


def test_a_function_is_shown_by_its_name():
    assert call_text(calls_in) == "calls_in"


@pytest.mark.parametrize(
    "call",
    [eval("lambda: 1"), functools.partial(len, ()), object()],
    ids=["no source", "partial", "no function"],
)
def test_what_has_no_text_still_has_words(call):
    assert call_text(call) == "the call"


def test_a_cell_that_cannot_be_parsed_again_still_has_words():
    (call,) = calls_in("check(lambda: f(1))", "<magic>")
    linecache.cache["<magic>"] = (1, None, ["%time check(lambda: f(1))\n"], "<magic>")
    assert call_text(call) == "the call"
