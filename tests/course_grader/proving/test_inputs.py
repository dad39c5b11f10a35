"""What check cells hand to an answer keeps what its text promises, and is of one kind.

Promises stand as assertions in tests/ranges. Kinds: precision, labels, rows that sum to 1.
"""

import reprlib
import runpy
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch

from course_grader.project.course import units
from tests.calls import calls_of, leaves

UNITS = units()
PROMISES = Path(__file__).parents[2] / "ranges"


def precisions(given):
    """Return the dtypes of all real numbers among the arguments of one call."""
    dtypes = {str(one.dtype).removeprefix("torch.") for v in given.values() for one in leaves(v)}
    return {dtype for dtype in dtypes if "float" in dtype}


def kinds(value):
    """Return what holds for an argument: of whole numbers or not; rows that sum to 1."""
    found = set()
    for one in leaves(value):
        array = one.detach().numpy() if isinstance(one, torch.Tensor) else one
        found.add("real" if array.dtype.kind == "f" else "whole")
        if array.ndim > 1 and array.size and array.dtype.kind == "f" and array.min() >= 0:
            sums = array.sum(-1, dtype=float)
            found.add("sums to 1" if np.allclose(sums, 1, rtol=1e-3) else "sums to anything")
    return found


def differences(shown, everything):
    """Name what some call gets and no shown call does, as (function, parameter, kind)."""
    known = {}
    for function, given, _ in shown:
        for parameter, value in given.items():
            known.setdefault((function, parameter), set()).update(kinds(value))
    return {
        (function, parameter, kind)
        for function, given, refused in everything
        for parameter, value in given.items()
        for kind in kinds(value) & _unlike(known.get((function, parameter), set()))
        if not refused
    }


def _unlike(known):
    """Return the kinds that are others than those of a parameter; all it is, it is always."""
    pairs = (("real", "whole"), ("whole", "real"), ("sums to 1", "sums to anything"))
    return {other for one, other in pairs if one in known and other not in known}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_hidden_inputs_are_of_the_kind_that_shown_ones_are(unit):
    for exercise, (shown, everything) in calls_of(unit).items():
        mixed = [(name, one) for name, given, _ in everything if len(one := precisions(given)) > 1]
        assert mixed == [], exercise
        assert differences(shown, everything) == set(), exercise


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_call_keeps_what_the_text_promises(unit):
    path = PROMISES / f"{unit.name[:2]}.py"
    assert path.is_file(), f"{path}: say there what the texts promise of the inputs"
    promised, told = runpy.run_path(str(path)), []
    for exercise, (_, everything) in calls_of(unit).items():
        assert everything, exercise
        told += [f"{exercise}: {words}" for words in broken(promised, everything)]
    assert not told, "\n".join(told)


def broken(promised, calls):
    """Tell of each call that breaks a promise: the function, the promise, what was given."""
    told = []
    for function, given, refused in calls:
        try:
            refused or promised.get(function, nothing_said)(**given)
        except AssertionError as error:
            line = traceback.extract_tb(error.__traceback__)[-1].line
            told.append(f"{function}: {line}\n    {reprlib.repr(given)}")
    return told


def nothing_said(**given):
    raise AssertionError("nothing is said of its inputs")


def test_a_broken_promise_is_named():
    def small(x):
        assert x < 2

    assert broken({"small": small}, [("small", {"x": 1}, False), ("small", {"x": 3}, True)]) == []
    told = broken({"small": small}, [("small", {"x": 3}, False)])
    assert told == ["small: assert x < 2\n    {'x': 3}"]
    [told] = broken({}, [("large", {"x": 3}, False)])
    assert 'large: raise AssertionError("nothing is said of its inputs")' in told


def test_what_is_of_another_kind_is_named():
    real, whole = np.array([[0.5, 0.5]]), np.array([[0, 1]])
    shown = [("f", {"p": real, "y": whole}, False)]
    assert differences(shown, [*shown, ("f", {"p": real, "y": whole[0]}, False)]) == set()
    labels = ("f", {"p": real, "y": whole * 1.0}, False)
    assert differences(shown, [labels]) == {("f", "y", "real")}
    sums = ("f", {"p": 2 * real, "y": whole}, False)
    assert differences(shown, [sums]) == {("f", "p", "sums to anything")}
    assert differences(shown, [(*sums[:2], True)]) == set()
    assert precisions({"a": torch.ones(2), "b": [np.ones(2)]}) == {"float32", "float64"}
