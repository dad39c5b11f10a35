"""Each law holds for what obeys it, says how it is broken, and takes forged records."""

import json

import numpy as np
import pytest
import torch

from course_utils.checking.laws import LAWS, broken
from course_utils.checking.records import failure, plain

A = np.array([0.5, -1.5, 2.0])
P = np.array([[0.25, 0.75], [1.0, 0.0]])


def recorded(*results):
    return {"items": {str(i): plain(result) for i, result in enumerate(results)}}


HOLDS = [
    ("equal", (A, A)),
    ("equal", (1.0, torch.tensor(1.0), np.float32(1))),
    ("equal", (np.float32(0.1), 0.1)),
    ("opposite", (A, -A)),
    ("opposite", (0.0, 0.0)),
    ("nonnegative", (abs(A), 0.0, 3)),
    ("increasing", (A, A + 1, A + 1.5)),
    ("increasing", (1.0,)),
    ("sums_to_one", (P, P[0], P.astype(np.float32))),
]
BROKEN = [
    ("equal", (A, A + 0.01)),
    ("equal", (A, A, A[::-1])),
    ("equal", (A, A[:, None])),
    ("equal", (np.nan, np.nan)),
    ("opposite", (A, A)),
    ("opposite", (A, A[:1] * 0)),
    ("opposite", (A,)),
    ("opposite", (A, -A, A)),
    ("nonnegative", (1.0, -0.01)),
    ("nonnegative", (np.array([1.0, np.nan]),)),
    ("increasing", (1.0, 1.0)),
    ("increasing", (1.0, 3.0, 2.0)),
    ("increasing", (np.nan, 1.0)),
    ("increasing", (A, np.zeros(2))),
    ("sums_to_one", (P.T[:, 1:],)),
    ("sums_to_one", (P, 2 * P)),
    ("sums_to_one", (0.5,)),
]


@pytest.mark.parametrize(("law", "results"), HOLDS)
def test_a_law_that_holds_says_nothing(law, results):
    assert broken(law, recorded(*results), recorded(*results)) is None


@pytest.mark.parametrize(("law", "results"), BROKEN)
def test_a_broken_law_is_told_in_a_sentence(law, results):
    assert " " in broken(law, recorded(*results), recorded(*results))


def test_results_are_taken_in_the_order_of_the_calls():
    assert broken("increasing", recorded(*range(12)), recorded(*range(12))) is None


FORGED = {
    "None": None,
    "list": [],
    "no items": {},
    "nothing": {"items": {}},
    "items None": {"items": None},
    "a list": {"items": [1.0, 1.0]},
    "a list of places": {"items": [1]},
    "no number as key": {"items": {"a": plain(1.0)}},
    "an error": {"items": {"0": plain(1.0), "1": failure(ValueError())}},
    "a container": recorded(1.0, (1.0,)),
    "huge number": {"items": {"0": {"shape": [], "data": [10**400]}}},
    "infinite shape": {"items": {"0": {"shape": json.loads("[1e400]"), "data": [1.0]}}},
    "text": {"items": {"0": {"shape": [], "data": ["1.0"]}}},
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_record_breaks_every_law_without_an_error(law, forged):
    assert " " in broken(law, forged, recorded(1, 2))


def test_a_law_needs_every_call():
    assert " " in broken("equal", recorded(1.0), recorded(1.0, 1.0))
