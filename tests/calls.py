"""What a check cell hands to the functions of a solution, call by call."""

__all__ = ["calls_of", "leaves"]

import functools
import inspect

import numpy as np
import pytest
import torch

from course_grader.authoring import markers
from course_grader.authoring.exercises import read_assignment
from course_grader.proving.answer_runner import ExerciseContext
from course_utils.checking import checks


@functools.cache
def calls_of(unit):
    """Return {exercise: (calls by what is shown, calls by all)}; see `_Calls`."""
    master, found = read_assignment(unit), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBGRADER_EXECUTION", "autograde")
        patch.setattr(checks, "_publish", lambda record, *_: None)
        for name, exercise in master.exercises.items():
            stage = ExerciseContext.of(master, exercise)
            calls = _Calls(stage, exercise.solution.source)
            found[name] = calls.of(stage.visible), calls.of(stage.full)
    return found


class _Calls:
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
