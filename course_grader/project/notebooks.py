"""Notebooks as files: read, and written as the same bytes each time."""

__all__ = [
    "ENVIRONMENT",
    "KERNELSPEC",
    "as_bytes",
    "as_line",
    "close_folds",
    "load",
    "save",
    "save_line",
]

import json
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Where our own notebooks, and what their lessons claim, are executed.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "COURSE_PROGRESS": "off",
    "COURSE_DEVICE": "cpu",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",  # a reader sees progress bars; a committed notebook holds none
}


def load(path: str | Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def save(notebook: NotebookNode, path: str | Path) -> None:
    """Write a notebook as the same bytes each time; creates the folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(notebook))


def as_bytes(notebook: NotebookNode) -> bytes:
    """Return a notebook's file; a lone surrogate, which UTF-8 cannot hold, becomes '?'."""
    return (nbformat.writes(notebook) + "\n").encode("utf-8", "replace")


def as_line(notebook: NotebookNode) -> str:
    """Return the text of a notebook that nobody but a program reads, in a tenth of the time.

    nbformat copies it, checks it and indents, which Python's quick encoder cannot.
    """
    return json.dumps(notebook, ensure_ascii=False)


def save_line(notebook: NotebookNode, path: str | Path) -> None:
    """Write a notebook that nobody but a program reads."""
    Path(path).write_bytes(as_line(notebook).encode("utf-8", "replace"))


def close_folds(notebook: NotebookNode) -> NotebookNode:
    """Fold what follows a prediction until the reader opens it, as JupyterLab does; in place."""
    for cell in notebook.cells:
        if "fold" in cell.metadata:
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True
    return notebook
