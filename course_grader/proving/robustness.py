"""Rerun a lesson's claims: on several seeds, at the lesson's steps and at three times as many.

Nothing of this takes part in grading.
"""

__all__ = ["LessonClaim", "Series", "claims_of", "enter", "rerun"]

import ast
import contextlib
import dataclasses
import io
import math
import os
import statistics
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import t as student_t
from tqdm import tqdm

from course_grader.authoring.masters import Master
from course_grader.project.course import CourseError
from course_grader.project.notebooks import ENVIRONMENT

LONGER = (1, 3)  # times the lesson's steps
SHARE = 0.9  # of the seeds on which a claim that holds is true


@dataclasses.dataclass
class Series:
    """A claim at one number of steps: a paired difference for each seed, errors as tracebacks.

    A seed that raised has the difference nan.
    """

    steps: int
    differences: list[float]
    errors: dict[int, str]

    @property
    def mean(self) -> float:
        """The mean difference."""
        return sum(self.differences) / len(self.differences)

    @property
    def half_width(self) -> float:
        """Half the width of Student's t interval of the mean, at 95%."""
        if not math.isfinite(self.mean):
            return math.nan
        n = len(self.differences)
        error = statistics.stdev(self.differences) / math.sqrt(n)
        return float(student_t.ppf(0.975, n - 1)) * error

    @property
    def positive(self) -> int:
        """The number of seeds on which the claim is true."""
        return sum(0 < d < math.inf for d in self.differences)

    @property
    def holds(self) -> bool:
        """Every difference is finite, the interval lies above 0, and 9 of 10 seeds agree."""
        agree = self.positive >= SHARE * len(self.differences)
        return agree and self.mean - self.half_width > 0  # False where one is not finite


@dataclasses.dataclass
class LessonClaim:
    """One claim of a lesson: its function's name, its sentence, its steps, and what came of it."""

    name: str
    sentence: str
    steps: int
    series: list[Series] = dataclasses.field(default_factory=list)
    repeats: bool = True

    @property
    def holds(self) -> bool:
        """It holds at both numbers of steps, and the same seed gives the same number again."""
        return self.repeats and all(series.holds for series in self.series)


def claims_of(master: Master, only: str = "") -> list[LessonClaim]:
    """Return the claims of a lesson's master, or the one with a name.

    Raises
    ------
    CourseError
        There is none of that name; the message lists those that there are.
    """
    cells = [cell for cell in master.cells if "claim" in cell.roles]
    claims = [LessonClaim(_name(c), c.roles["claim"], c.roles["steps"]) for c in cells]
    if only and only not in [claim.name for claim in claims]:
        names = ", ".join(claim.name for claim in claims) or "none"
        raise CourseError(f"{master.path} has no claim {only!r}; it has {names}")
    return [claim for claim in claims if not only or claim.name == only]


def enter(master: Master) -> dict[str, Any]:
    """Execute a lesson's code cells in this process, without a notebook, and return its names.

    What it prints is dropped, figures are drawn by Agg and closed, predictions are not kept.

    Raises
    ------
    CourseError
        A cell fails; the message holds its traceback.
    """
    os.environ.update(ENVIRONMENT | {"MPLBACKEND": "Agg"})
    names = {"__name__": "__main__"}
    for cell in master.cells:
        if cell.kind == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                _execute(master, cell, names)
    return names


def rerun(
    claims: Sequence[LessonClaim],
    names: Mapping[str, Any],
    *,
    seeds: int = 10,
    progress: bool = True,
) -> None:
    """Call each claim's function on seeds 0, 1, ... and keep what it returns in its series.

    Parameters
    ----------
    claims : list of LessonClaim
    names : dict
        What the lesson defines, from `enter`.
    seeds : int, 2 or larger
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    CourseError
        There are fewer than two seeds.
    """
    if seeds < 2:
        raise CourseError(f"SEEDS={seeds}: an interval needs at least 2 seeds; the rule is for 10")
    calls = len(claims) * (len(LONGER) * seeds + 1)
    with tqdm(total=calls, file=sys.stderr, disable=not progress) as bar:
        for claim in claims:
            bar.set_description(claim.name)
            call, steps = names[claim.name], [claim.steps * times for times in LONGER]
            claim.series = [_series(call, n, seeds, bar) for n in steps]
            claim.repeats = _repeats(call, claim.series[0])
            bar.update()


def _name(cell):
    [function] = [n for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
    return function.name


def _execute(master, cell, names):
    """Execute one cell; its lines have the numbers that they have in the master."""
    try:
        exec(compile("\n" * cell.line + cell.source, str(master.path), "exec"), names)
    except Exception:
        master.fail(cell, f"this cell fails when executed:\n{_told()}")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _series(call, steps, seeds, bar):
    series = Series(steps, [], {})
    for seed in range(seeds):
        difference, error = _difference(call, seed, steps)
        series.differences.append(difference)
        if error:
            series.errors[seed] = error
        bar.update()
    return series


def _difference(call, seed, steps):
    """Return (difference, ''), or (nan, traceback)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return float(call(seed, steps)), ""
    except Exception:
        return math.nan, _told()


def _repeats(call, series):
    """Whether the first seed gives the same again: does all chance come from the seed?"""
    again, _ = _difference(call, 0, series.steps)
    return again == series.differences[0] or not math.isfinite(series.differences[0])


def _told():
    """Return the current error's traceback, from the lesson's own lines on."""
    error = sys.exception()
    error.__traceback__ = error.__traceback__.tb_next
    return "".join(traceback.format_exception(error)).rstrip()
