"""Execute one sanitized notebook: the untrusted, slow part of grading, apart from judging."""

__all__ = ["NoSandbox", "execute", "executed_or_refused", "fault_in", "refused"]

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from course_grader.execution import sandbox
from course_grader.execution.notebook_run import NotebookRun
from course_grader.project.course import LIMITS, CourseError, Limits
from course_grader.project.faults import reason_for


class NoSandbox(CourseError):
    """Raised where no sandbox holds and nobody has said to go on without one."""


def execute(
    notebook: NotebookNode,
    *,
    files: Mapping[str, Path] | None = None,
    limits: Limits = LIMITS,
    forkserver: Path | None = None,
    without_sandbox: bool = False,
) -> NotebookNode:
    """Execute a notebook and return a copy of it with outputs.

    Parameters
    ----------
    notebook : NotebookNode
        Rebuilt from source: it holds no metadata of the student's.
    files : dict, optional
        {name: path} of data files that lie beside it.
    limits : dict
        cell_seconds and submission_seconds of wall-clock time, memory_gib.
    forkserver : Path, optional
        The folder of a preloaded sandbox, which holds the data files too.
    without_sandbox : bool
        Run the shell unprotected where bubblewrap is missing.

    Returns
    -------
    NotebookNode
        Its metadata.execution: sandbox, seconds, died, too_long (cell ids), faults (tracebacks).

    Raises
    ------
    NoSandbox
        If there is no bubblewrap and `without_sandbox` is False.
    """
    if not sandbox.available() and not without_sandbox:
        raise NoSandbox(
            "bubblewrap is not available, so students' code would run unprotected. Install it "
            "(Debian, Ubuntu: apt install bubblewrap) or say UNSAFE=1 if you trust the files."
        )
    done = copy.deepcopy(notebook)
    run = NotebookRun(done, files or {}, limits, forkserver)
    run.all()
    done.metadata["execution"] = run.facts()
    return done


class Fault(Exception):
    """What was raised while a cell's messages were read; the words are its traceback."""


def fault_in(done: NotebookNode | None) -> Fault | None:
    """Return the fault that an execution met, which may be ours or forged, or None."""
    told = done.metadata.execution.pop("faults", []) if done else []
    return Fault("\n".join(told)) if told else None


def refused(notebook: NotebookNode, why: str) -> NotebookNode:
    """Return a copy of a notebook that was not executed and scores 0, for a reason."""
    copied = copy.deepcopy(notebook)
    copied.metadata["unreadable"], copied.metadata["execution"] = why, {}
    return copied


def executed_or_refused(
    notebook: NotebookNode,
    run: Callable[[NotebookNode], NotebookNode],
    stand_in: Callable[[], NotebookNode],
    student: str,
) -> NotebookNode:
    """Execute a notebook; where that goes wrong, find out whose fault it is.

    Parameters
    ----------
    notebook : NotebookNode
    run : callable
        Executes a notebook.
    stand_in : callable
        Returns the rebuilt notebook of the untouched release.
    student : str

    Raises
    ------
    OurFault
        If it goes wrong for the untouched release too.
    """

    def attempt(one: NotebookNode) -> NotebookNode:
        done = run(one)
        if fault := fault_in(done):
            raise fault
        return done

    done: NotebookNode | None
    fault: Exception | None
    try:
        done = run(notebook)
        fault = fault_in(done)
    except NoSandbox:
        raise
    except Exception as error:
        done, fault = None, error
    if fault:
        why = reason_for("not executed", student, fault, lambda: attempt(stand_in()))
    return done or refused(notebook, why)
