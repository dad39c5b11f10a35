"""A record holds what was returned as plain numbers, and forged ones cannot be read."""

import json
import math

import numpy as np
import pytest
import torch

from course_utils.checking.records import MAX_NUMBERS, failure, numbers, plain

VALUES = {
    "float": 1.5,
    "int": -3,
    "bool": True,
    "numpy scalar": np.float32(0.1),
    "numpy bool": np.bool_(False),
    "zero-dimensional array": np.array(2.0),
    "zero-dimensional tensor": torch.tensor(2.0),
    "empty array": np.zeros((0, 3)),
    "empty tensor": torch.zeros(2, 0),
    "matrix": np.arange(6, dtype=np.int16).reshape(2, 3),
    "transposed matrix": np.arange(6.0).reshape(2, 3).T,
    "float32 tensor": torch.linspace(0, 1, 7),
    "float64 tensor": torch.linspace(0, 1, 7, dtype=torch.float64),
    "bfloat16 tensor": torch.ones(2, dtype=torch.bfloat16),
    "bool tensor": torch.tensor([[True], [False]]),
    "tensor with gradient": torch.ones(3, requires_grad=True),
    "non-finite": np.array([np.nan, np.inf, -np.inf, 1.0]),
    "smallest and largest": np.array([5e-324, 1.7976931348623157e308]),
    "largest allowed": np.zeros(MAX_NUMBERS),
}
REFUSED = {
    "None": None,
    "text": "1.0",
    "bytes": b"1",
    "complex": 1j,
    "complex array": np.ones(2) * 1j,
    "complex tensor": torch.ones(2) * 1j,
    "object array": np.array([object()]),
    "text array": np.array(["a"]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "set": {1.0},
    "function": len,
    "too large": np.zeros(MAX_NUMBERS + 1),
    "too large tensor": torch.zeros(MAX_NUMBERS + 1),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_numbers_come_back_through_strict_json(value):
    array = value.detach().double().numpy() if isinstance(value, torch.Tensor) else value
    back = numbers(json.loads(json.dumps(plain(value), allow_nan=False)))
    assert back.dtype == np.float64 and back.shape == np.shape(array)
    assert np.array_equal(back, np.asarray(array, dtype=float), equal_nan=True)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.0, "float"),
        (1, "int"),
        (True, "bool"),
        (np.True_, "bool"),
        (np.float64(1), "float64"),
        (np.uint8(1), "uint8"),
        (torch.ones(1, dtype=torch.float16), "float16"),
        (torch.ones(1, dtype=torch.int64), "int64"),
        (torch.ones(1) > 0, "bool"),
    ],
)
def test_the_dtype_is_kept_as_a_word(value, dtype):
    assert plain(value)["dtype"] == dtype


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_whatever_is_no_number_becomes_an_error(value):
    record = plain(value)
    assert record.keys() == {"error", "message"} and record["message"]


def test_a_missing_return_is_named_as_the_usual_cause():
    assert "return statement" in plain(None)["message"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_sequences_are_recorded_item_by_item(kind):
    parts = [1.0, torch.ones(2), None, kind([True])]
    items = plain(kind(parts))["items"]
    assert list(items) == ["0", "1", "2", "3"]
    assert [items[key] for key in items] == [plain(part) for part in parts]


def test_a_dict_keeps_its_keys_as_words():
    items = plain({"a": 1.0, 2: np.ones(3)})["items"]
    assert items == {"a": plain(1.0), "2": plain(np.ones(3))}


def test_an_empty_container_is_recorded_as_one():
    assert plain(()) == plain([]) == plain({}) == {"items": {}}


def test_a_list_that_is_too_long_is_not_taken_for_its_beginning():
    assert plain([1.0] * 100) != plain([1.0] * 101)


def test_nothing_in_a_record_can_run_code():
    class Trap(dict):
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    record = plain({"trap": Trap(a=1.0), "odd": Trap})
    assert type(record["items"]["trap"]) is dict and record["items"]["odd"]["error"] == "TypeError"


def test_a_failure_holds_the_class_and_a_bounded_message():
    record = failure(ZeroDivisionError("x" * 10_000))
    assert record["error"] == "ZeroDivisionError" and 0 < len(record["message"]) <= 300


def test_recording_does_not_change_the_tensor():
    value = torch.ones(2, requires_grad=True)
    plain(value)
    assert value.requires_grad and value.dtype == torch.float32


SHAPES = {
    "too few": [1],
    "too many": [3],
    "no shape for two": [],
    "negative": [-2],
    "negative twice": [-1, -2],
    "not a number": ["two"],
    "nested": [[2]],
    "infinite": json.loads("[1e400]"),
    "nan": [math.nan],
    "None": None,
    "number": 2,
    "hundred axes": [2] + [1] * 100,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_forged_shape_is_refused(shape):
    with pytest.raises((ValueError, TypeError)):
        numbers({"dtype": "float", "shape": shape, "data": [1.0, 2.0]})


WORDS = ["1.0", "NaN", "Infinity", "", True, False, None, [1.0], {}, 10**400, *SHAPES["infinite"]]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: repr(word)[:12])
def test_only_finite_numbers_and_three_words_are_read(word):
    with pytest.raises(ValueError):
        numbers({"dtype": "float", "shape": [1], "data": [word]})


def test_more_numbers_than_are_ever_recorded_are_refused():
    many = [0.0] * (MAX_NUMBERS + 1)
    with pytest.raises(ValueError):
        numbers({"dtype": "float", "shape": [len(many)], "data": many})


@pytest.mark.parametrize("missing", ["shape", "data"])
def test_an_incomplete_record_is_refused(missing):
    with pytest.raises(KeyError):
        numbers({k: v for k, v in plain(1.0).items() if k != missing})
