"""Two records agree if they hold the same numbers, shape and kind; forged ones never do."""

import json
import warnings

import numpy as np
import pytest
import torch

from course_utils.checking.agreement import FEW, agrees, describe, form_of, share_used
from course_utils.checking.records import failure, plain

X = np.array([1.0, 2.0, 3.0])
DIFFERENT = {  # no two of these agree
    "zero": plain(0.0),
    "one": plain(1.0),
    "minus one": plain(-1.0),
    "True": plain(True),
    "False": plain(False),
    "nan": plain(float("nan")),
    "inf": plain(float("inf")),
    "-inf": plain(-float("inf")),
    "(1,)": plain([1.0])["items"]["0"] | {"shape": [1]},
    "(1, 1)": plain(np.ones((1, 1))),
    "(3,)": plain(X),
    "(3, 1)": plain(X[:, None]),
    "(1, 3)": plain(X[None]),
    "reversed": plain(X[::-1]),
    "one nan": plain(np.array([1.0, np.nan, 3.0])),
    "other nan": plain(np.array([np.nan, 2.0, 3.0])),
    "one inf": plain(np.array([1.0, np.inf, 3.0])),
    "bools": plain(X > 0),
    "empty": plain(np.zeros(0)),
    "empty matrix": plain(np.zeros((0, 3))),
    "ValueError": failure(ValueError("a")),
    "TypeError": failure(TypeError("a")),
    "empty pair": plain(()),
    "single": plain((1.0,)),
    "pair": plain((1.0, 2.0)),
    "pair of arrays": plain((X, 2.0)),
    "named": plain({"a": 1.0, "b": 2.0}),
    "nested": plain(((1.0, 2.0),)),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_record_agrees_with_itself_alone_in_both_directions(name):
    for other, record in DIFFERENT.items():
        assert agrees(DIFFERENT[name], record) == (name == other), other
        assert agrees(record, DIFFERENT[name]) == (name == other), other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (2.0, np.float64(2.0)),
        (X, torch.tensor([1, 2, 3])),
        (X, X.astype(np.float32)),
        ((1.0, 2.0), [1.0, 2.0]),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}),
        (True, np.True_),
        (torch.ones(2) > 0, np.array([True, True])),
        (0.0, -0.0),
    ],
    ids=repr,
)
def test_neither_library_nor_number_type_matters(one, other):
    assert agrees(plain(one), plain(other)) and agrees(plain(other), plain(one))


@pytest.mark.parametrize("x", [0.01, 0.37, 1.0, 123.4, 1e8, -3e20])
def test_float32_rounding_is_forgiven_and_a_thousandth_is_not(x):
    exact = np.array([x, x / 3])
    assert agrees(plain(exact.astype(np.float32)), plain(exact))
    assert not agrees(plain(exact * 1.001), plain(exact))
    assert not agrees(plain(exact), plain(exact * 1.001))


def test_a_sum_in_float32_agrees_with_the_one_in_float64():
    x = torch.linspace(0, 1, 1000, dtype=torch.float64)
    assert agrees(plain(x.float().cumsum(0)), plain(x.cumsum(0)))


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (100.0, 0.0),
        (100.0 * (1 + 1e-6), 0.1 / 1.12),  # of 1e-5, and ten units of float32's last place
        (100.0 * (1 + 2e-5), 2 / 1.12),
        ([100.0, 100.0 * (1 + 1e-6)], np.inf),
        (np.nan, np.inf),
    ],
)
def test_what_is_used_of_a_tolerance(other, share):
    expected, got = plain(np.array(100.0)), plain(np.array(other))
    assert share_used(got, expected) == pytest.approx(share, rel=1e-6)
    both = [{"items": {"0": expected, "1": one}} for one in (expected, got)]
    assert share_used(both[1], both[0]) == pytest.approx(share, rel=1e-6)
    assert agrees(got, expected) == (share <= 1)


@pytest.mark.parametrize("seed", range(20))
def test_few_numbers_are_compared_as_many_are(seed):
    """Repeated past what is compared at once, numbers have the same size and differences."""
    rng = np.random.default_rng(seed)
    exact = rng.normal(size=rng.integers(1, FEW + 1)) * 10.0 ** rng.integers(-9, 9)
    off = exact * (1 + rng.normal(size=exact.size) * 10.0 ** -rng.integers(3, 8))
    many = -(-(FEW + 1) // exact.size)
    share = share_used(plain(off), plain(exact))
    assert share == share_used(plain(np.tile(off, many)), plain(np.tile(exact, many))) > 0


FORGED = [
    *({"shape": shape, "data": [2.0]} for shape in ([1.0], [True], [], [1, 1], "1", {"1": 1})),
    *({"shape": [1], "data": data} for data in ([True], ["2"], "2", {"2": 2.0}, [2.0, 2.0], [])),
]


@pytest.mark.parametrize("form", FORGED, ids=repr)
def test_a_forged_form_agrees_with_nothing(form):
    for honest in (2.0, 2.0 + 1e-9, 1.0):
        assert not agrees({"dtype": "float64"} | form, plain(np.array([honest])))


def test_numbers_from_end_to_end_are_compared_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not agrees(plain(1.7e308), plain(-1.7e308))
        assert not agrees(plain(1e304), plain(0.0))


def test_the_words_of_an_error_do_not_matter():
    assert agrees(failure(ValueError("mine")), failure(ValueError("yours")))


def deep(levels):
    record = plain(1.0)
    for _ in range(levels):
        record = {"items": {"0": record}}
    return record


FORGED = {
    "None": None,
    "number": 5,
    "text": "items",
    "error as text": "error",
    "list": [],
    "empty": {},
    "error without name": {"error": None},
    "error that is a list": {"error": [], "message": []},
    "items that are a number": {"items": 5},
    "items that are a list": {"items": [1.0]},
    "items without records": {"items": {"0": 5, "1": None}},
    "no data": {"dtype": "float", "shape": []},
    "data None": {"dtype": "float", "shape": [], "data": None},
    "data text": {"dtype": "float", "shape": [], "data": ["1.0"]},
    "data bool": {"dtype": "float", "shape": [], "data": [True]},
    "data huge": {"dtype": "float", "shape": [], "data": [10**400]},
    "data list": {"dtype": "float", "shape": [], "data": [[1.0]]},
    "no dtype": {"shape": [], "data": [1.0]},
    "no shape": {"dtype": "float", "data": [1.0]},
    "shape infinite": {"dtype": "float", "shape": json.loads("[1e400]"), "data": [1.0]},
    "shape negative": {"dtype": "float", "shape": [-1], "data": [1.0]},
    "shape long": {"dtype": "float", "shape": [1] * 100, "data": [1.0]},
    "too deep": deep(100_000),
}
EXPECTED = {k: DIFFERENT[k] for k in ("one", "True", "(3,)", "nan", "ValueError", "pair", "named")}


@pytest.mark.parametrize("expected", EXPECTED.values(), ids=EXPECTED)
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_malformed_record_agrees_with_nothing(forged, expected):
    assert agrees(forged, expected) is False


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_description_is_short_and_one_can_tell_what_it_means(name):
    assert 0 < len(describe(DIFFERENT[name])) <= 102


@pytest.mark.parametrize("value", [np.arange(10_000.0), [1e300] * 90, np.ones(9999) > 0], ids=type)
def test_a_long_result_is_described_in_short(value):
    assert len(describe(plain(value))) <= 102


@pytest.mark.parametrize("value", [0.5, -3.0, 1e-12, float("inf"), float("nan")])
def test_a_number_is_described_by_its_digits(value):
    assert float(describe(plain(value))) == pytest.approx(value, rel=1e-5, nan_ok=True)


def test_an_error_is_described_by_class_and_words():
    assert describe(failure(KeyError("mu"))) == "KeyError: 'mu'"
    assert len(describe(failure(KeyError("mu" * 500)))) <= 160


def test_a_description_can_be_written_to_a_file():
    assert describe(failure(ValueError("broken \ud800 text"))).encode("utf-8")


FORMS = [
    (1.0, "a number"),
    (X, "an array of shape (3,)"),
    (X[:, None], "an array of shape (3, 1)"),
    ([1.0, 2.0], "a list or tuple of 2"),
]


@pytest.mark.parametrize(("value", "form"), FORMS)
def test_the_form_of_a_value_is_said(value, form):
    assert form_of(plain(value)) == form


@pytest.mark.parametrize("record", [{}, failure(ValueError())], ids=["nothing", "error"])
def test_what_has_no_form_shows_none(record):
    assert form_of(record) == ""
