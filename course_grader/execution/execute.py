"""Execute one sanitized notebook: the untrusted, slow part of grading, apart from judging.

A shell inside the sandbox is talked to through one socket. A cell that ends its process, or runs
too long, is skipped in a fresh shell, so it costs its own exercise and no other.
"""

__all__ = ["NoSandbox", "execute", "executed_or_refused", "fault_in", "refused"]

import collections
import copy
import time
import traceback

from nbformat.v4 import new_output

from course_grader.execution import sandbox
from course_grader.execution.client import Client
from course_grader.execution.launch import RoomLost, open_shell
from course_grader.project.course import LIMITS, CourseError
from course_grader.project.faults import reason_for

MAX_RESTARTS = 6


class NoSandbox(CourseError):
    """Raised where no sandbox holds and nobody has said to go on without one."""


def execute(notebook, *, files=None, limits=LIMITS, forkserver=None, without_sandbox=False):
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
    run = _Run(done, files or {}, limits, forkserver)
    run.all()
    done.metadata["execution"] = run.facts()
    return done


class Fault(Exception):
    """What was raised while a cell's messages were read; the words are its traceback."""


def fault_in(done):
    """Return the fault that an execution met, which may be ours or forged, or None."""
    told = done.metadata.execution.pop("faults", [])
    return Fault("\n".join(told)) if told else None


def refused(notebook, why):
    """Return a copy of a notebook that was not executed and scores 0, for a reason."""
    copied = copy.deepcopy(notebook)
    copied.metadata["unreadable"], copied.metadata["execution"] = why, {}
    return copied


def executed_or_refused(notebook, run, stand_in, student):
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

    def attempt(one):
        done = run(one)
        if fault := fault_in(done):
            raise fault
        return done

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


class _Run:
    """One notebook's execution: which cells are culprits, and how much time is left."""

    def __init__(self, notebook, files, limits, forkserver):
        self.notebook, self.limits = notebook, limits
        self.files, self.forkserver, self.heard = files, forkserver, collections.Counter()
        self.died, self.too_long, self.faults = [], [], []
        self.start = time.monotonic()

    def facts(self):
        """Say what happened."""
        return {
            "sandbox": sandbox.kind(self.forkserver),
            "seconds": round(time.monotonic() - self.start, 3),
            "died": self.died,
            "too_long": self.too_long,
        } | ({"faults": self.faults} if self.faults else {})

    def all(self):
        """Run every cell; begin again in a fresh shell after a culprit."""
        place = 0
        for left in reversed(range(MAX_RESTARTS)):
            try:
                place = self._from(place)
            except RoomLost:  # no cell's fault: once more, with as much time
                if not left:
                    raise
                self.start = time.monotonic()
            if place is None:
                return
        for cell in self.notebook.cells[place:]:
            _fail(cell, "NotRun", "too many cells ended their process or ran too long")

    def _from(self, place):
        """Replay the cells before `place`, run the rest; return where to go on, or None."""
        culprits = {*self.died, *self.too_long}
        with open_shell(self.files, self.limits, self.forkserver) as wire:
            client = Client(copy.deepcopy(self.notebook), wire, self.heard)
            for index, cell in enumerate(self.notebook.cells):
                if cell.cell_type != "code" or cell.id in culprits:
                    continue
                if not self._cell(client, index, keep=index >= place):
                    return index + 1
        return None

    def _cell(self, client, index, *, keep):
        """Run a cell; return False if it is a culprit, which ends this shell."""
        cell, copied = self.notebook.cells[index], client.nb.cells[index]
        if self._left() <= 0:
            self.too_long.append(cell.id)
            _fail(cell, "NotRun", "the submission's time was used up before this cell")
            return True
        seconds = max(1, min(self.limits["cell_seconds"], int(self._left()) + 1))
        try:
            client.run(index, seconds)
        except TimeoutError:
            self.too_long.append(cell.id)
            _fail(cell, "TookTooLong", f"stopped after {seconds} s")
            return False
        except (EOFError, ConnectionError):
            client.wire.check_room()
            self.died.append(cell.id)
            _fail(cell, "ProcessEnded", "this cell ended its process or used up its memory")
            return False
        except Exception as error:  # messages that no shell sends, or a slip in the client
            self.died.append(cell.id)
            self.faults.append("".join(traceback.format_exception(error)))
            _fail(cell, "BadMessages", f"its outputs could not be read: {type(error).__name__}")
            return False
        if keep:
            cell.outputs, cell.execution_count = copied.outputs, copied.execution_count
        return True

    def _left(self):
        return self.limits["submission_seconds"] - (time.monotonic() - self.start)


def _fail(cell, name, message):
    if cell.cell_type == "code":
        error = new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        cell.outputs = [*cell.get("outputs", []), error]
