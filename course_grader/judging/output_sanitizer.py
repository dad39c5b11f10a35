"""Make a student's outputs and texts passive: text and PNG only, safe in a grader's browser."""

__all__ = ["sanitize_outputs"]

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

MAX_LINES = 400
MAX_CHARACTERS = 20_000
KEPT = ("text/plain", "image/png")


def sanitize_outputs(notebook: NotebookNode, *, trusted: set[str]) -> NotebookNode:
    """Clean every cell but the trusted ones, in place, and return the notebook.

    A student's Markdown or raw cell is shown as it was typed: rendered, its links and mathematics
    could run scripts in the browser of whoever reads it.

    Parameters
    ----------
    notebook : NotebookNode
        Executed; may hold any HTML, JavaScript or widget that a student's code displays.
    trusted : set of str
        Ids of cells that come from source: their Markdown stays as it is.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_passive(output) for output in cell.outputs]
        elif cell.id not in trusted:
            cell.cell_type = "markdown"  # a raw cell's text would stand in the page as it is
            cell.source = _fenced(cell.source)
            cell.pop("attachments", None)
    return notebook


def _fenced(text: str) -> str:
    """Put a text in a code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{_short(text)}\n{fence}"


def _passive(output: NotebookNode) -> NotebookNode:
    kind = output.output_type
    kept: dict[str, Any]
    if kind == "stream":
        kept = {"name": _stream(output.name), "text": _short(output.text)}
    elif kind == "error":
        lines = [_short(str(line)) for line in output.traceback[-100:]]
        words = {"ename": _short(output.ename), "evalue": _short(output.evalue)}
        kept = {**words, "traceback": lines}
    else:
        data = {mime: output.get("data", {}).get(mime) for mime in KEPT}
        data = {mime: _short(v, mime) for mime, v in data.items() if isinstance(v, str)}
        kind, kept = (
            "display_data",
            {"data": data or {"text/plain": "(an output of another kind)"}},
        )
    passive: NotebookNode = new_output(kind, **kept)
    return passive


def _stream(name: str) -> str:
    return name if name in ("stdout", "stderr") else "stdout"


def _short(text: str, mime: str = "text/plain") -> str:
    """Cut a long text; a PNG stays whole."""
    if mime == "image/png":
        return text
    lines = str(text).splitlines(keepends=True)
    cut = "".join(lines[:MAX_LINES])[:MAX_CHARACTERS]
    return cut if cut == text else f"{cut}\n... (cut)"
