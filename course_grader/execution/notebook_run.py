"""One notebook's cells, run one by one in a shell inside the sandbox.

The shell is talked to through one socket. A cell that ends its process, or runs too long, is
skipped in a fresh shell, so it costs its own exercise and no other.
"""

__all__ = ["NotebookRun"]

import collections
import copy
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_grader.execution import sandbox
from course_grader.execution.client import Client
from course_grader.execution.launch import RoomLost, open_shell
from course_grader.project.course import Limits

MAX_RESTARTS = 6


class NotebookRun:
    """One notebook's execution: which cells are culprits, and how much time is left."""

    def __init__(
        self,
        notebook: NotebookNode,
        files: Mapping[str, Path],
        limits: Limits,
        forkserver: Path | None,
    ) -> None:
        self.notebook, self.limits = notebook, limits
        self.files, self.forkserver = files, forkserver
        self.heard: collections.Counter[int] = collections.Counter()
        self.died: list[str] = []
        self.too_long: list[str] = []
        self.faults: list[str] = []
        self.start = time.monotonic()

    def facts(self) -> dict[str, Any]:
        """Say what happened."""
        return {
            "sandbox": sandbox.kind(self.forkserver),
            "seconds": round(time.monotonic() - self.start, 3),
            "died": self.died,
            "too_long": self.too_long,
        } | ({"faults": self.faults} if self.faults else {})

    def all(self) -> None:
        """Run every cell; begin again in a fresh shell after a culprit."""
        place = 0
        for left in reversed(range(MAX_RESTARTS)):
            try:
                after = self._from(place)
            except RoomLost:  # no cell's fault: once more, with as much time
                if not left:
                    raise
                self.start = time.monotonic()
                continue
            if after is None:
                return
            place = after
        for cell in self.notebook.cells[place:]:
            _fail(cell, "NotRun", "too many cells ended their process or ran too long")

    def _from(self, place: int) -> int | None:
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

    def _cell(self, client: Client, index: int, *, keep: bool) -> bool:
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

    def _left(self) -> float:
        return self.limits["submission_seconds"] - (time.monotonic() - self.start)


def _fail(cell: NotebookNode, name: str, message: str) -> None:
    if cell.cell_type == "code":
        error = new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        cell.outputs = [*cell.get("outputs", []), error]
