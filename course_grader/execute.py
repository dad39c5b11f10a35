"""Execute one sanitized notebook: the untrusted, slow part of grading, apart from judging.

`execute(notebook) -> notebook` starts a kernel inside the sandbox and talks to it through unix
sockets. A cell that ends its process, or runs too long, is skipped in a fresh kernel, so it costs
its own exercise and no other.
"""

__all__ = ["NoSandbox", "execute"]

import asyncio
import copy
import subprocess
import tempfile
import time
from pathlib import Path

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output

from course_grader import sandbox
from course_grader.course import LIMITS, CourseError
from course_grader.kernel import Client, make_manager
from course_grader.zygote import give_away

MAX_RESTARTS = 6
NO_TAG = "no cell is skipped by a tag"


class NoSandbox(CourseError):
    """Raised where bubblewrap is missing and nobody has said to go on without it."""


def execute(notebook, *, files=None, limits=LIMITS, zygote=None, without_sandbox=False):
    """Execute a notebook and return a copy of it with outputs.

    Parameters
    ----------
    notebook : NotebookNode
        Rebuilt from source: it holds no metadata of the student's.
    files : dict, optional
        {name: path} of data files that lie beside it.
    limits : dict
        cell_seconds and submission_seconds of wall-clock time, memory_gib.
    zygote : Path, optional
        The folder of a preloaded sandbox, which holds the data files too.
    without_sandbox : bool
        Run the kernel unprotected where bubblewrap is missing.

    Returns
    -------
    NotebookNode
        Its metadata.execution says: sandbox, seconds, died and too_long (cell ids).

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
    run = _Run(done, files or {}, limits, zygote)
    asyncio.run(run.all())
    done.metadata["execution"] = run.facts()
    return done


class _Run:
    """One notebook's execution: which cells are culprits, and how much time is left."""

    def __init__(self, notebook, files, limits, zygote):
        self.notebook, self.limits = notebook, limits
        self.files, self.zygote = files, zygote
        self.died, self.too_long = [], []
        self.start = time.monotonic()

    def facts(self):
        """Say what happened."""
        return {
            "sandbox": sandbox.kind(self.zygote),
            "seconds": round(time.monotonic() - self.start, 3),
            "died": self.died,
            "too_long": self.too_long,
        }

    async def all(self):
        """Run every cell; begin again in a fresh kernel after a culprit."""
        place = 0
        for _ in range(MAX_RESTARTS):
            place = await self._from(place)
            if place is None:
                return
        for cell in self.notebook.cells[place:]:
            _fail(cell, "NotRun", "too many cells ended their process or ran too long")

    async def _from(self, place):
        """Replay the cells before `place`, run the rest; return where to go on, or None."""
        place_of = {"prefix": "run-", "dir": self.zygote, "ignore_cleanup_errors": True}
        with tempfile.TemporaryDirectory(**place_of) as folder:
            if self.zygote:
                give_away(folder)
            client = Client(
                copy.deepcopy(self.notebook),
                km=make_manager(Path(folder), self.files, self.limits, self.zygote),
                allow_errors=True,
                timeout=self.limits["cell_seconds"],
                interrupt_on_timeout=False,
                raise_on_iopub_timeout=True,  # outputs that stop arriving
                record_timing=False,
                coalesce_streams=True,
                skip_cells_with_tag=NO_TAG,
                startup_timeout=60,
            )
            try:
                quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                async with client.async_setup_kernel(cwd=folder, cleanup_kc=False, **quiet):
                    return await self._cells(client, place)
            except (RuntimeError, DeadKernelError) as error:
                if client.kc is not None and client.started:
                    raise
                raise CourseError(f"the kernel did not start: {error}") from error
            finally:
                await _stop(client)

    async def _cells(self, client, place):
        client.started = True
        culprits = {*self.died, *self.too_long}
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type != "code" or cell.id in culprits:
                continue
            if not await self._cell(client, index, keep=index >= place):
                return index + 1
        return None

    async def _cell(self, client, index, *, keep):
        """Run a cell; return False if it is a culprit, which ends this kernel."""
        cell, copied = self.notebook.cells[index], client.nb.cells[index]
        if self._left() <= 0:
            self.too_long.append(cell.id)
            _fail(cell, "NotRun", "the submission's time was used up before this cell")
            return True
        client.timeout = max(1, min(self.limits["cell_seconds"], int(self._left()) + 1))
        try:
            await client.async_execute_cell(copied, index)
        except CellTimeoutError:
            self.too_long.append(cell.id)
            _fail(cell, "TookTooLong", f"stopped after {client.timeout} s")
            return False
        except DeadKernelError:
            self.died.append(cell.id)
            _fail(cell, "ProcessEnded", "this cell ended its process or used up its memory")
            return False
        except Exception as error:  # messages that no kernel sends: the cell forged them
            self.died.append(cell.id)
            _fail(cell, "BadMessages", f"its outputs could not be read: {type(error).__name__}")
            return False
        if keep:
            cell.outputs, cell.execution_count = copied.outputs, copied.execution_count
        return True

    def _left(self):
        return self.limits["submission_seconds"] - (time.monotonic() - self.start)


async def _stop(client):
    """End the kernel at once; nothing of it is needed any more."""
    if client.kc is not None:
        client.kc.stop_channels()
    if client.km is not None and client.km.has_kernel:
        await client.km.shutdown_kernel(now=True)


def _fail(cell, name, message):
    if cell.cell_type == "code":
        error = new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        cell.outputs = [*cell.get("outputs", []), error]
