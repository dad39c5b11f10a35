"""A relation is told where it holds in every case, and nowhere else."""

import math

import numpy as np
import pytest

from course_utils.checking.records import failure, plain
from course_utils.checking.relations import relation

CASES = [  # what is expected, over the cases of one aspect
    np.array([0.31, 1.7, 2.9, 0.83]),
    np.array([[0.77, 1.9, 4.1], [2.3, 0.59, 1.1]]),
    0.471,
]
ARRAYS = CASES[:2]


def told(function, cases=CASES, kind="value"):
    """Return what is told of a function of the expected values."""
    pairs = [(function(np.asarray(v)), v) for v in cases]
    got, expected = (
        [
            {"kind": kind, "got": pair[k] if isinstance(pair[k], dict) else plain(pair[k])}
            for pair in pairs
        ]
        for k in (0, 1)
    )
    return relation(got, expected)


APPLIED = {  # words of the sentence: the function that was applied
    "opposite sign": lambda v: -v,
    "1 minus": lambda v: 1 - v,
    "1 divided by": lambda v: 1 / v,
    "the square of": lambda v: v**2,
    "square root": np.sqrt,
    "the natural logarithm of what": np.log,
    "e to the power": np.exp,
    "twice": lambda v: 2 * v,
    "half of": lambda v: v / 2,
    "logarithm of 2 times": lambda v: math.log(2) * v,
    "1 / log 2 times": lambda v: v / math.log(2),
    "2π times": lambda v: 2 * math.pi * v,
    "2.01 times": lambda v: 2.01 * v,
    "½ log 2π larger": lambda v: v + 0.5 * math.log(2 * math.pi),
    "1 smaller": lambda v: v - 1,
    "larger than expected by the same number": lambda v: v + 0.77,
    "whole number (not always the same) times as large": lambda v: v * v.size,
    "times too small": lambda v: v / v.size,
    "nan in some places": lambda v: np.where(v == v.max(), np.nan, v),
    "nan everywhere": lambda v: v * np.nan,
    "infinite in some places": lambda v: np.where(v == v.max(), np.inf, v),
    "right to about 4 digits": lambda v: v * (1 + 5e-5 * np.cos(7 * v)),
    "0 everywhere": lambda v: 0 * v,
    "in every case": lambda v: failure(TypeError("x")),
}
ON_ARRAYS = {
    "reverse order": lambda v: v[..., ::-1].copy(),
    "running sum": lambda v: v.cumsum(-1),
    "shifted by one place.": lambda v: np.roll(v, 1, -1),
    "shifted by one place back": lambda v: np.roll(v, -1, -1),
    "another order": lambda v: v[..., [1, 0, *range(2, v.shape[-1])]],
    "right but for the first entry": lambda v: np.where(np.arange(v.shape[-1]) == 0, 9.3, v),
    "right but for the last entry": lambda v: np.where(
        np.arange(v.shape[-1]) < 2 + v.ndim % 2, v, 9.3
    ),
    "their shape is another": lambda v: v[..., None],
    "is the sum of what was expected": lambda v: v.sum(),
    "is the mean of what was expected": lambda v: v.mean(),
}


@pytest.mark.parametrize("words", APPLIED)
def test_a_relation_that_was_applied_is_told(words):
    assert words in told(APPLIED[words])
    assert words in told(APPLIED[words], kind="gradient")


@pytest.mark.parametrize("words", ON_ARRAYS)
def test_a_relation_of_entries_is_told(words):
    assert words in told(ON_ARRAYS[words], ARRAYS)


@pytest.mark.parametrize("words", APPLIED | ON_ARRAYS)
def test_it_is_not_told_where_one_entry_is_off(words):
    function = (APPLIED | ON_ARRAYS)[words]
    sentence = told(_one_off(function), ARRAYS)
    assert words not in sentence or "everywhere" in words or "raises" in sentence


def _one_off(function):
    """Return the function with one entry moved, in one case only."""

    def moved(v):
        found = function(v)
        if isinstance(found, dict) or v.ndim != 1:
            return v if isinstance(found, dict) else found
        found = np.array(found, dtype=float)
        found.flat[min(1, found.size - 1)] *= 1.01
        return found

    return moved


SOME = {"nan in some places", "infinite in some places", "right to about 4 digits"}  # still true


@pytest.mark.parametrize("words", sorted(APPLIED.keys() - SOME))
def test_it_is_not_told_where_it_holds_in_one_case_only(words):
    assert words not in told(lambda v: APPLIED[words](v) if v.ndim == 1 else v)


def test_rows_and_columns_exchanged():
    assert "rows and columns are exchanged" in told(np.transpose, ARRAYS[1:])


def test_what_was_not_summed_up():
    pairs = [(v, v.sum(-1)) for v in ARRAYS]
    got, expected = ([{"kind": "value", "got": plain(p[k])} for p in pairs] for k in (0, 1))
    assert "it was not summed up" in relation(got, expected)


def test_one_part_of_several_is_named():
    got = [{"kind": "value", "got": plain((v, 2 * v))} for v in CASES]
    expected = [{"kind": "value", "got": plain((v, v))} for v in CASES]
    assert relation(got, expected).startswith("Of value 2 alone: What came is twice")


def test_an_error_is_counted_and_never_quoted():
    got = [{"kind": "value", "got": failure(ValueError("secret 42"))}]
    got += [{"kind": "value", "got": plain(v)} for v in CASES[1:]]
    expected = [{"kind": "value", "got": plain(v)} for v in CASES]
    assert relation(got, expected) == "It raises ValueError in 1 of 3 cases."
    strange = type("<b>\x1b", (Exception,), {})
    got[0]["got"] = failure(strange("x"))
    assert relation(got, expected) == "It raises an error in 1 of 3 cases."


def test_an_error_that_is_missing_is_told():
    got = [{"kind": "value", "got": plain(1.0)}]
    assert "raises nothing" in relation(got, [{"kind": "value", "got": failure(ValueError())}])


def test_few_numbers_are_no_relation():
    assert told(lambda v: 2 * v, [0.471]) == ""
    assert told(lambda v: 2 * v, [np.ones(5)]) == ""


@pytest.mark.parametrize(
    "forged", [None, 5, {}, {"items": 5}, {"dtype": 1, "shape": [3], "data": []}]
)
def test_a_forged_record_has_no_relation(forged):
    expected = [{"kind": "value", "got": plain(v)} for v in CASES]
    assert relation([{"kind": "value", "got": forged}] * 3, expected) == ""
    assert relation([forged] * 3, expected) == ""


def test_no_expected_value_is_told():
    for function in (APPLIED | ON_ARRAYS).values():
        sentence = told(function, ARRAYS)
        assert not any(f"{x:.3g}" in sentence for v in ARRAYS for x in np.ravel(v) if x != 1)
