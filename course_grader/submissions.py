"""Read one submitted file as a notebook, or say in one line why it is none."""

__all__ = ["MAX_BYTES", "Unreadable", "check_file", "read_submission"]

import re
import stat

import nbformat
from nbformat.v4 import new_notebook

from course_grader.rebuild import NEW

MAX_BYTES = 20_000_000


class Unreadable(Exception):
    """A submission that scores 0; the message is the reason, one line."""


def read_submission(path):
    """Read one file as a notebook.

    Returns
    -------
    NotebookNode

    Raises
    ------
    Unreadable
        With the reason: a link, too large, not JSON, another format, no cells.
    """
    check_file(path)
    try:
        data = nbformat.reader.parse_json(path.read_bytes().decode("utf-8"))
    except (UnicodeDecodeError, nbformat.reader.NotJSONError, RecursionError):
        raise Unreadable("not a notebook: the file is not JSON text") from None
    return _clean(data)


def check_file(path):
    """Raise `Unreadable` unless a path is a plain file of its own, of a bearable size."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise Unreadable("a link instead of a file" if path.is_symlink() else "not a regular file")
    if facts.st_nlink > 1:
        raise Unreadable("a hard link to another file")
    if facts.st_size > MAX_BYTES:
        raise Unreadable(
            f"{facts.st_size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read"
        )


def _clean(data):
    """Keep of a parsed file the parts that grading reads, in a valid notebook."""
    if not isinstance(data, dict) or data.get("nbformat") != 4:
        found = data.get("nbformat") if isinstance(data, dict) else type(data).__name__
        raise Unreadable(f"notebook format {found!r}; format 4 is needed: save it with JupyterLab")
    cells = data.get("cells")
    if not isinstance(cells, list) or not cells:
        raise Unreadable("the notebook has no cells")
    return new_notebook(cells=[_clean_cell(cell, place) for place, cell in enumerate(cells)])


def _clean_cell(cell, place):
    source = cell.get("source", "") if isinstance(cell, dict) else ""
    source = "".join(map(str, source)) if isinstance(source, list) else source
    if not isinstance(cell, dict) or not isinstance(source, str):
        raise Unreadable(f"cell {place + 1} is malformed")
    make = NEW.get(cell.get("cell_type"), NEW["raw"])
    key = cell.get("id")
    good = isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key)
    metadata = cell.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    kept = {"nbgrader": grading} if isinstance(grading, dict) else {}
    return make(source, id=key if good else f"cell-{place}", metadata=kept)
