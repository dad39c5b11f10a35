"""What a reader of a file can see: of a notebook cells, metadata and outputs in words."""

__all__ = ["readable", "readable_text"]

from pathlib import Path

import nbformat


def readable(path: Path) -> str:
    """Return what can be read in a file: for a notebook its cells, metadata and text outputs."""
    return readable_text(path, path.read_bytes())


def readable_text(path: Path, content: bytes) -> str:
    """Return what can be read in a file's content; see `readable`."""
    text = content.decode("utf-8", "replace")
    if path.suffix != ".ipynb":
        return text
    notebook = nbformat.reads(text, as_version=4)
    parts = [str(notebook.metadata)]
    for cell in notebook.cells:
        parts += [cell.source, _without_checksum(cell.metadata)]
        parts += [_output(output) for output in cell.get("outputs", [])]
    return "\n".join(parts)


def _without_checksum(metadata):
    """Return a cell's metadata as text; a checksum's digits are no number."""
    grading = {k: v for k, v in metadata.get("nbgrader", {}).items() if k != "checksum"}
    return str({**metadata, "nbgrader": grading})


def _output(output):
    data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
    return "\n".join([output.get("text", ""), str(data), "\n".join(output.get("traceback", []))])
