"""Run answers through an exercise's check cell in forked children: some 15 milliseconds each.

Only the course's own answers run this way; a student's code never does.
"""

__all__ = ["ExerciseContext", "run_answer", "run_answers", "visible_count"]

import contextlib
import dataclasses
import functools
import gc
import io
import json
import linecache
import os
import select
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from course_grader.authoring import as_notebook, markers
from course_grader.authoring.exercises import Assignment, Exercise
from course_grader.proving.early_imports import import_early, prepare_forks
from course_utils.checking.forms import Check

SECONDS = 20  # of wall-clock time, for one answer
SEED = 90_071  # none that an answer would choose: who seeds a global generator is to be seen


@dataclasses.dataclass(frozen=True)
class ExerciseContext:
    """The stage of one exercise: the setup before it, and its check cell in both versions."""

    setup: tuple[str, ...]
    visible: str
    full: str

    @classmethod
    def of(cls, master: Assignment, exercise: Exercise) -> Self:
        """Take the provided code cells above an exercise as its setup."""
        before = [c for c in master.cells if c.kind == "code" and c.line < exercise.solution.line]
        setup = (c.source for c in before if not c.roles.keys() & {"exercise", "checks", "hidden"})
        full = as_notebook.check_source(exercise, hidden=True)
        return cls(tuple(setup), as_notebook.check_source(exercise, hidden=False), full)


def run_answer(stage: ExerciseContext, answer: str, *, hidden: bool = True) -> list[Check]:
    """Return the record that a check cell makes of one answer; see `run_answers`."""
    return run_answers(stage, [answer], hidden=hidden)[0]


def run_answers(
    stage: ExerciseContext,
    answers: Sequence[str],
    *,
    hidden: bool = True,
    enough: Callable[[list[Check]], bool] | None = None,
) -> list[list[Check]]:
    """Return the records that a check cell makes of answers, each in a namespace of its own.

    Parameters
    ----------
    stage : ExerciseContext
    answers : list of str
        Sources that stand in the place of the solution cell.
    hidden : bool
        Whether the hidden checks run too.
    enough : callable, optional
        Gets the checks recorded so far, after each of them; where it returns True the answer
        reports at once.

    Returns
    -------
    list of list of dict
        The recorded checks of each; empty for an answer that never came to its report.
    """
    check = stage.full if hidden else stage.visible
    jobs = [[*stage.setup, markers.solved(answer)] for answer in answers]
    for cell in {check, *(cell for cells in jobs for cell in cells)}:
        import_early(cell)
    records = []
    while len(records) < len(jobs):
        records += _in_child(jobs[len(records) :], check, enough)
        if len(records) < len(jobs):
            records.append([])  # this one ended the process, or took too long
    return records


def visible_count(stage: ExerciseContext, answer: str) -> int:
    """Return how many checks of a cell are visible: those that run without the hidden ones."""
    return len(run_answer(stage, answer, hidden=False))


def _record(cells, check):
    """Execute cells in one namespace, as a notebook does, and catch what the check publishes."""
    from course_utils.checking import checks  # imported before the fork, see _in_child

    caught, namespace = [], {"__name__": "__main__"}
    _start_afresh(sys.modules["torch"])
    checks._publish = lambda record, *_: caught.append(record["checks"])
    for number, cell in enumerate(cells):
        with contextlib.suppress(Exception):  # a broken answer is recorded by its checks
            _execute(cell, f"<cell {number}>", namespace)
    with contextlib.suppress(checks.NotYet):
        _execute(check, "<check cell>", namespace)
    return caught[0] if caught else []


def _start_afresh(torch):
    """Undo what an earlier answer may have left behind: each starts as in a process of its own.

    An answer that draws without a seed draws the same numbers in each build.
    """
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")


def _execute(cell, name, namespace):
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    exec(_compiled(cell, name), namespace)


@functools.lru_cache(maxsize=8)
def _compiled(cell, name):
    """Compile a cell: setup and checks are those of every answer."""
    return compile(cell, name, "exec")


def _in_child(jobs, check, enough):
    """Return the records of as many jobs as one forked child gets through."""
    prepare_forks()
    read, write = os.pipe()
    gc.freeze()  # keeps the collector from copying the parent's pages in the child
    child = os.fork()
    if child == 0:
        os.close(read)
        _work_and_leave(jobs, check, write, enough)
    os.close(write)
    try:
        return [json.loads(line) for line in _lines(read)]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _work_and_leave(jobs, check, write, enough):
    try:
        gc.disable()
        if enough:
            _leave_when(enough)
        os.environ["NBGRADER_EXECUTION"] = "autograde"
        sys.modules["torch"].set_num_threads(1)
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for cells in jobs:
                os.write(write, json.dumps(_record(cells, check)).encode() + b"\n")
    finally:
        os._exit(0)


def _leave_when(enough):
    """Make check cells of this process report as soon as `enough` says so."""
    from course_utils.checking.checks import Checks

    add = Checks._add

    def add_and_look(self, *check, **more):
        add(self, *check, **more)
        if enough(self.checks):
            self.report()

    Checks._add = add_and_look


def _lines(pipe):
    """Yield complete lines until the writer ends or one takes longer than SECONDS."""
    left = b""
    with os.fdopen(pipe, "rb", buffering=0) as stream:
        while select.select([stream], [], [], SECONDS)[0]:
            part = stream.read(1 << 20)
            if not part:
                return
            *whole, left = (left + part).split(b"\n")
            yield from whole
