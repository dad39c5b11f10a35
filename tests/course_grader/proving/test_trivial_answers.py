"""What anybody can write without knowing anything agrees with no value that earns points."""

import types

import numpy as np
import pytest

from course_grader.proving import trivial_answers
from course_grader.proving.answer_runner import ExerciseContext, run_answer
from course_grader.proving.trivial_answers import (
    GUESSES,
    empty_record,
    guesses_from,
    printed_numbers,
    solid,
)
from course_utils.checking.agreement import agrees
from course_utils.checking.records import failure, plain


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the loss is 2.6121 nats", 2.6121),
        ("tensor([-0.1419, 0.0772])", -0.1419),
        ("tensor([-0.1419, 0.0772])", 0.0772),
        ("1e-3", 1e-3),
        ("2.5E+04,", 2.5e4),
        ("(10 min, 4 points)", 10.0),
        ("x=7", 7.0),
        ("[1. 2.]", 2.0),
        ("$3.5$", 3.5),
        ("0.25", 0.25),
        (".25", 0.25),
    ],
)
def test_numbers_are_found_in_text(text, found):
    assert found in printed_numbers("nothing here", text)


@pytest.mark.parametrize("text", ["float32", "x1", "abc", "", "v1.2.3"])
def test_a_digit_in_a_name_is_no_number(text):
    assert printed_numbers(text) == []


def test_guesses_hold_each_number_its_negative_half_and_double():
    guesses = guesses_from([3.25, -7.0])
    for number in (3.25, -7.0):
        for factor in (1, 0.5, 2):
            assert {factor * number, -factor * number} <= set(guesses)


def test_the_standing_guesses_are_always_among_them():
    for guesses in (guesses_from([]), guesses_from([3.0])):
        assert all(any(np.array_equal(g, s, equal_nan=True) for g in guesses) for s in GUESSES)


STAGE = ExerciseContext(
    setup=("import torch\nfrom course_utils.checking.checks import Checks",),
    visible='check = Checks("f")\ncheck.value("value", lambda: f(3.0, 5.0), points=1)\n'
    "check.report()",
    full="",
)
FULL = """check = Checks("f")
check.value("value", lambda: f(3.0, 5.0), points=1)
{}
check.report()"""
SOLUTION = "def f(a, b):\n    return a + 0.123 * b * b"


def solid_places(check, solution=SOLUTION):
    """The solid places among: one visible check, then one hidden check."""
    stage = ExerciseContext(STAGE.setup, STAGE.visible, FULL.format(check))
    exercise = types.SimpleNamespace(solution=types.SimpleNamespace(source=solution))
    entry = {"checks": run_answer(stage, solution), "visible": 1}
    assert len(entry["checks"]) == 2
    return solid(stage, exercise, entry)


VALUE = 'check.value("value", lambda: {})'


@pytest.mark.parametrize(
    "check",
    [
        VALUE.format("f(1.7, 2.3)"),
        VALUE.format("(f(1.7, 2.3), f(0.4, 1.0))"),
        VALUE.format("f(torch.tensor([0.0, 1.7]), 2.3)"),
        'check.gradient("value", lambda a: a * f(a, 0.3), torch.tensor([0.7]))',
        'check.draws("value", lambda: f(1.7, 2.3))',
    ],
)
def test_a_finite_value_that_nobody_can_guess_is_solid(check):
    assert solid_places(check) == [1]


@pytest.mark.parametrize(
    "check",
    [
        *(VALUE.format(f"0 * f(1.0, 1.0) + {g}") for g in (0.0, 1.0, -1.0, 0.5, -2.0)),
        VALUE.format("float('nan') * f(1.0, 1.0)"),
        VALUE.format("float('inf') * f(1.0, 1.0)"),
        VALUE.format("f(torch.tensor([1.7, float('nan')]), 2.3)"),
        VALUE.format("f(1.7, 2.3) > 0"),
        VALUE.format("1e-9 * f(1.0, 1.0)"),
        VALUE.format("torch.ones(3) + 0 * f(1.0, 1.0)"),
        VALUE.format("f(torch.zeros(0), 2.0)"),
        VALUE.format("(f(1.7, 2.3), 1 / 0)"),
        VALUE.format("(f(1.7, 2.3), [None])"),
        'check.law("value", "equal", lambda: f(1.7, 2.3))',
        'check.keeps("value", f, torch.ones(2), torch.ones(2))',
    ],
)
def test_a_trivial_hidden_value_is_not_solid(check):
    assert solid_places(check) == []


@pytest.mark.parametrize("handed_back", ["a", "b"])
def test_an_echo_of_an_input_is_not_solid(handed_back):
    solution = f"def f(a, b):\n    return {handed_back} + 0"
    assert solid_places(VALUE.format("f(1.7, 2.3)"), solution) == []


def test_a_visible_value_is_never_solid():
    assert 0 not in solid_places(VALUE.format("f(1.7, 2.3)"))


def test_the_luckiest_guess_has_the_expected_shape_and_is_the_nearest():
    entry = {"checks": [{"got": plain(np.full((2, 3), 6.4))}]}
    (check,) = empty_record(entry, guesses_from([3.25]))
    assert agrees(check["got"], plain(np.full((2, 3), 6.5)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, True, (1.0, np.nan), np.zeros(2)])
def test_a_value_that_stands_among_the_guesses_is_hit(value):
    (check,) = empty_record({"checks": [{"got": plain(value)}]}, guesses_from([]))
    assert agrees(check["got"], plain(value))


def test_an_error_is_not_guessed():
    got = failure(ValueError("x"))
    (check,) = empty_record({"checks": [{"got": got}]}, guesses_from([]))
    assert not agrees(check["got"], got)


def test_empty_hands_hit_no_solid_value_of_the_first_unit(reference):
    for entry in reference.values():
        record = trivial_answers.empty_record(entry, guesses_from([]))
        for place in entry["solid"]:
            assert not agrees(record[place]["got"], entry["checks"][place]["got"])
