"""What check cells hand to an answer is of one kind, shown or hidden: precision, labels, sums."""

import inspect

import numpy as np
import pytest
import torch

from course_grader.authoring import markers
from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import units
from course_grader.proving.answer_runner import ExerciseContext
from course_utils.checking import checks


class Calls:
    """The calls of a solution by its check cell: (function, {parameter: value}, refused)."""

    def __init__(self, stage, solution):
        """Prepare the cells above the check cell, and watch each function of the solution."""
        self.all, self.inside, self.names = [], False, {"__name__": "__main__"}
        for cell in stage.setup:
            exec(cell, self.names)
        before = set(self.names)
        exec(markers.solved(solution), self.names)
        for name in set(self.names) - before:
            if inspect.isfunction(self.names[name]):
                self.names[name] = self.watched(self.names[name])

    def watched(self, function):
        """Return a function that notes each call that is not made by another one of these."""

        def call(*args, **kwargs):
            if self.inside:
                return function(*args, **kwargs)
            given = inspect.signature(function).bind(*args, **kwargs).arguments
            self.inside, refused = True, True
            try:
                result = function(*args, **kwargs)
                refused = False
                return result
            finally:
                self.inside = False
                self.all.append((function.__name__, given, refused))

        return call

    def of(self, check):
        """Return the calls that a check cell makes."""
        with pytest.raises((checks.NotYet, checks.NotJudged)):
            exec(check, self.names)
        made, self.all = self.all, []
        return made


def leaves(value):
    """Yield each tensor and array in an argument."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, torch.Tensor | np.ndarray):
        yield value


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


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_hidden_inputs_are_of_the_kind_that_shown_ones_are(unit, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr(checks, "_publish", lambda record, *_: None)
    master = read_assignment(unit)
    for exercise in master.exercises.values():
        stage = ExerciseContext.of(master, exercise)
        calls = Calls(stage, exercise.solution.source)
        shown, everything = calls.of(stage.visible), calls.of(stage.full)
        mixed = [(name, one) for name, given, _ in everything if len(one := precisions(given)) > 1]
        assert mixed == [], exercise.name
        assert differences(shown, everything) == set(), exercise.name


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
