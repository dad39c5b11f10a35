"""Check cells: call the student's function, record what came back, show the panel.

A check cell never decides a grade. It records raw results; the panel compares the visible ones
for the learner, and when the course is graded a judge outside this process compares them all.
"""

__all__ = ["MIME", "Checks", "NotJudged", "NotYet"]

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, cast

import torch

from course_utils.checking.arguments import Arguments
from course_utils.checking.calls import gradient_of, kept_by
from course_utils.checking.callsite import call_text
from course_utils.checking.forms import Check, Got
from course_utils.checking.learner import shown_to_learner
from course_utils.checking.recorder import Recorder
from course_utils.checking.records import MIME, plain

Call = Callable[..., Any]


class NotYet(Exception):
    """Not everything visible passed; the panel above says what and why."""

    def _render_traceback_(self) -> list[str]:
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
    As a decorator it runs the function, which gets these checks, and reports. So the names that a
    check cell binds are the function's own::

        @Checks("mean")
        def _checks(check):
            check.value("value", lambda: mean([1.0, 3.0]), points=2)
    """

    def __init__(self, exercise: str) -> None:
        self.exercise = exercise
        self.checks: list[Check] = []
        self._recorder, self._arguments = Recorder(), Arguments()

    def __call__(self, body: Callable[["Checks"], object]) -> None:
        """Run `body(self)` and report; nothing takes the function's place."""
        body(self)
        self.report()

    def value(self, aspect: str, call: Call, *, points: float = 0, case: str = "") -> None:
        """Record what `call()` returns.

        Parameters
        ----------
        aspect : str
            The behaviour that this checks; an aspect earns its points as a whole.
        call : callable
            Calls the student's function; a lambda, whose text the panel shows. It may return
            numbers, booleans, text, arrays, tensors, None, and tuples, lists or dicts of them.
            What it raises is recorded, too. It has 2 s of CPU time.
        points : float
            What the aspect earns; on a visible check.
        case : str
            The case in words, such as "a batch of one": told where it fails, hidden or not.
        """
        self._add("value", aspect, call, lambda: plain(self._arguments.called(call)), points, case)

    def gradient(
        self, aspect: str, call: Call, at: torch.Tensor, *, points: float = 0, case: str = ""
    ) -> None:
        """Record d(sum of `call(x)`)/dx at x = `at`, by automatic differentiation.

        Parameters
        ----------
        aspect, points, case
            As for `value`.
        call : callable
            Takes a tensor and returns one of any shape; its entries are summed.
        at : torch.Tensor
            Where; a copy of it is handed over. A result that does not depend on it, or is no
            tensor, is recorded as an error.
        """
        watched = functools.partial(self._arguments.called, call)
        self._add("gradient", aspect, call, lambda: plain(gradient_of(watched, at)), points, case)

    def keeps(
        self, aspect: str, call: Call, *inputs: Any, points: float = 0, case: str = ""
    ) -> None:
        """Record whether `call(*inputs)` leaves its inputs and the global generators alone.

        Parameters
        ----------
        aspect, points, case
            As for `value`; this check can cost an aspect its points, never win them.
        call : callable
            Gets the inputs.
        *inputs : torch.Tensor or numpy.ndarray
            Compared, after the call, with copies. Hand over clones: a function that changes its
            input would spoil the cases after it.
        """
        self._add("state", aspect, call, lambda: plain(kept_by(call, inputs)), points, case)

    def law(self, aspect: str, name: str, *calls: Call, points: float = 0, case: str = "") -> None:
        """Record several results that must obey a law.

        Parameters
        ----------
        aspect, points, case
            As for `value`; this check can cost an aspect its points, never win them.
        name : str
            A law of `course_utils.checking.laws`: LAWS lists them.
        *calls : callable
            Their results, in this order, are what the law is about.
        """

        def results() -> Got:
            got = [plain(self._arguments.called(call)) for call in calls]
            return {"items": {str(i): one for i, one in enumerate(got)}}

        self._add("law", aspect, calls[0], results, points, case, law=name)

    def draws(self, aspect: str, call: Call, *, points: float = 0, case: str = "") -> None:
        """Record random draws; the judge compares moments and quantiles with exact ones.

        Parameters
        ----------
        aspect, points, case
            As for `value`.
        call : callable
            Returns at least some thousand draws from the law that a cell `exact="..."` of
            answers.py gives for this aspect.
        """
        self._add("draws", aspect, call, lambda: plain(self._arguments.called(call)), points, case)

    def report(self) -> None:
        """Show the panel (or, when graded, hand over the record) and raise unless all passed."""
        self._arguments.told(self.checks)
        if os.environ.get("NBGRADER_EXECUTION") == "autograde":
            _publish(self._record(), f"{self.exercise}: {len(self.checks)} checks recorded")
            raise NotJudged("not judged: run from the course folder")
        from course_utils.checking import all_cases  # widgets: grading has no use for them

        everything = all_cases.at_hand()
        outcome, *shown = shown_to_learner(
            self.exercise, self.checks, self._recorder.heard, at_hand=everything
        )
        _publish(self._record(), *shown)
        if everything and outcome.status != "not attempted":
            all_cases.offer(self.exercise)
        if outcome.status != "passed":
            raise NotYet(f"{self.exercise}: {outcome.status} (see the panel above)")

    def _record(self) -> dict[str, Any]:
        return {"version": 1, "exercise": self.exercise, "checks": self.checks}

    def _add(
        self,
        kind: str,
        aspect: str,
        call: Call,
        record: Callable[[], Got],
        points: float,
        case: str,
        **more: str,
    ) -> None:
        self._arguments.case = case
        got = self._recorder.got(len(self.checks), record, call)
        entry = {"aspect": aspect, "kind": kind, "call": call_text(call), "points": points}
        more |= {"case": case} if case else {}
        self.checks.append(cast("Check", {**entry, **more, "got": got}))


def _publish(record: dict[str, Any], plain_text: str, markup: str | None = None) -> None:
    """Clear what the cell printed (stderr would confuse nbgrader), then show one output."""
    from IPython.display import clear_output, display

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    clear_output()
    data = {MIME: record, "text/plain": plain_text}
    display(data | ({"text/html": markup} if markup else {}), raw=True)
