"""Check cells: call the student's function, record what came back, show the panel.

A check cell never decides a grade. It records raw results; the panel compares the visible ones
for the learner, and when the course is graded a judge outside this process compares them all.
"""

__all__ = ["MIME", "Checks", "NotJudged", "NotYet"]

import contextlib
import os
import sys

import numpy as np
import torch

from course_utils.checking import panel
from course_utils.checking.budget import cpu_budget
from course_utils.checking.callsite import call_text
from course_utils.checking.comparison import expected_for, verdict
from course_utils.checking.records import MIME, failure, plain
from course_utils.checking.worked import worked_solution

SECONDS_PER_CALL = 2.0
SECONDS_PER_EXERCISE = 6.0
MORE = "These are the visible cases; more cases run when graded."


class NotYet(Exception):
    """Not everything visible passed; the panel above says what and why."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


class NotJudged(NotYet):
    """Raised in grading after recording: only the judge replaces this error by points."""


class Checks:
    """The checks of one exercise: named aspects of behaviour, each with its points.

    Parameters
    ----------
    exercise : str
        The exercise's name.

    Examples
    --------
    ::

        check = Checks("mean")
        check.value("value", lambda: mean([1.0, 3.0]), points=2)
        check.report()
    """

    def __init__(self, exercise):
        self.exercise = exercise
        self.checks = []
        self._seconds = SECONDS_PER_EXERCISE

    def value(self, aspect, call, *, points=0):
        """Record what `call()` returns."""
        self._add("value", aspect, call, lambda: plain(call()), points)

    def gradient(self, aspect, call, at, *, points=0):
        """Record d(sum of `call(x)`)/dx at x = `at`, a tensor, by automatic differentiation."""
        self._add("gradient", aspect, call, lambda: plain(_gradient(call, at)), points)

    def keeps(self, aspect, call, *inputs, points=0):
        """Record whether `call(*inputs)` leaves its inputs and the global generators alone."""
        self._add("state", aspect, call, lambda: plain(_kept(call, inputs)), points)

    def law(self, aspect, name, *calls, points=0):
        """Record several results that must obey a law of `course_utils.checking.laws`."""

        def results():
            return {"items": {str(i): plain(call()) for i, call in enumerate(calls)}}

        self._add("law", aspect, calls[0], results, points, law=name)

    def draws(self, aspect, call, *, points=0):
        """Record random draws; the judge compares moments and quantiles with exact ones."""
        self._add("draws", aspect, call, lambda: plain(call()), points)

    def report(self):
        """Show the panel (or, when graded, hand over the record) and raise unless all passed."""
        if os.environ.get("NBGRADER_EXECUTION") == "autograde":
            _publish(self._record(), f"{self.exercise}: {len(self.checks)} checks recorded")
            raise NotJudged("not judged: run from the course folder")
        known = expected_for(self.exercise)
        outcome = verdict(self.exercise, self.checks, known["checks"], known["hints"], note=MORE)
        solution = worked_solution(self.exercise)
        shown = panel.text(outcome, solution), panel.html(outcome, solution)
        _publish(self._record(), *shown)
        if outcome.status != "passed":
            raise NotYet(f"{self.exercise}: {outcome.status} (see the panel above)")

    def _record(self):
        return {"version": 1, "exercise": self.exercise, "checks": self.checks}

    def _add(self, kind, aspect, call, record, points, **more):
        got = self._within_budget(record)
        entry = {"aspect": aspect, "kind": kind, "call": call_text(call), "points": points}
        self.checks.append({**entry, **more, "got": got})

    def _within_budget(self, record):
        budget = min(SECONDS_PER_CALL, max(self._seconds, 0.05))
        try:
            with cpu_budget(budget) as timer:
                return record()
        except (KeyboardInterrupt, SystemExit):
            return {"error": "Stopped", "message": "the call was interrupted or asked to exit"}
        except BaseException as error:  # whatever student code raises is a result, not a crash
            return failure(error)
        finally:
            self._seconds -= timer.seconds


def _gradient(call, at):
    x = at.detach().clone().requires_grad_()
    with torch.enable_grad():
        out = call(x)
        if not isinstance(out, torch.Tensor) or not out.requires_grad:
            message = "no gradient: the result is not connected to the input by torch operations"
            raise TypeError(message)
        return torch.autograd.grad(out.sum(), x)[0]


def _kept(call, inputs):
    before = [x.clone() if isinstance(x, torch.Tensor) else np.copy(x) for x in inputs]
    generators = _generators()
    call(*inputs)
    same = [_equal(a, b) for a, b in zip(before, inputs, strict=True)]
    return [*same, generators == _generators()]


def _equal(a, b):
    return np.shape(a) == np.shape(b) and bool((a == b).all())


def _generators():
    """Return the state of torch's and numpy's global generators."""
    kind, key, *place = np.random.get_state()
    return torch.get_rng_state().tolist(), kind, key.tobytes(), *place


def _publish(record, plain_text, markup=None):
    """Clear what the cell printed (stderr would confuse nbgrader), then show one output."""
    from IPython.display import clear_output, display

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    clear_output()
    data = {MIME: record, "text/plain": plain_text}
    display(data | ({"text/html": markup} if markup else {}), raw=True)
