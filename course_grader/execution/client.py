"""What a shell says, put into a notebook's cells as nbclient does it."""

__all__ = ["Client"]

import collections
import time
import types
from typing import Any

from jupyter_client.session import Session
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode

from course_grader.execution.inside.transport import KEY, Wire
from course_grader.hooks.nbclient import DISPLAYED

MAX_OUTPUT = 1_000_000  # characters for each cell; the rest of a flood is dropped
MAX_OUTPUTS = 1_000  # for each cell, besides what it prints
MAX_SUBMISSION = 16_000_000  # characters for all cells together


class Client(NotebookClient):
    """nbclient's client at the end of one wire, deaf to floods of output.

    Parameters
    ----------
    notebook : NotebookNode
        Gets the outputs.
    wire : Wire
        To a shell.
    heard : Counter, optional
        Characters by cell: one for all shells of a submission.
    """

    def __init__(
        self, notebook: NotebookNode, wire: Wire, heard: collections.Counter[int] | None = None
    ) -> None:
        super().__init__(notebook, record_timing=False)
        self.wire, self.session = wire, Session(key=KEY)
        self.heard = collections.Counter() if heard is None else heard
        deaf = types.SimpleNamespace(send=lambda message: None)  # widgets are not answered
        kernel = types.SimpleNamespace(session=self.session, shell_channel=deaf)
        self.kc = kernel  # type: ignore[assignment]  # all of one that is used

    def run(self, index: int, seconds: float) -> None:
        """Run a cell and keep its outputs.

        Raises
        ------
        TimeoutError
            If it takes longer than `seconds`.
        EOFError
            If the shell ends.
        Exception
            Whatever a forged message leads to.
        """
        deadline = time.monotonic() + seconds
        cell = self.nb.cells[index]
        request = self.session.msg("execute_request", {"code": cell.source})
        self.wire.socket.settimeout(seconds)
        self.session.send(self.wire, request)  # type: ignore[arg-type]  # has what it calls
        cell.outputs, self.clear_before_next_output = [], False
        self.heard[index] = 0
        try:
            while True:
                parts = self.session.feed_identities(self.wire.receive(deadline))[1]
                message = self.session.deserialize(parts)
                if message["parent_header"].get("msg_id") == request["msg_id"]:
                    self.process_message(message, cell, index)
        except CellExecutionComplete:
            cell.outputs = _merged(cell.outputs)

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Process a message unless the cell, or the submission, has said enough.

        What replaces an output that was displayed many times counts as often.
        """
        content = msg["content"]
        display = (content.get("transient") or {}).get("display_id")
        shown = DISPLAYED.of(self).get(display, {}).values() if display else ()
        many = len(cell.outputs) >= MAX_OUTPUTS and msg["msg_type"] != "stream"
        self.heard[cell_index] += len(str(content)) * max(1, sum(map(len, shown)))
        said = self.heard[cell_index] > MAX_OUTPUT or self.heard.total() > MAX_SUBMISSION
        if (said or many) and msg["msg_type"] not in ("status", "clear_output"):
            return None
        return super().process_message(msg, cell, cell_index)


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Make one output of all that went to the same stream, without what was overwritten."""
    merged: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            merged.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
            merged.append(output)
    for stream in streams.values():
        stream.text = "\n".join(_visible(line) for line in stream.text.split("\n"))
    return merged


def _visible(line: str) -> str:
    """Return what is left of a line that carriage returns, but for one at its end, overwrote."""
    return line[line.rfind("\r", 0, max(0, len(line) - 1)) + 1 :]
