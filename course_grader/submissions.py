"""Read one submitted file as a notebook, or say in one line why it is none."""

__all__ = ["MAX_BYTES", "Unreadable", "read_submission"]

import itertools
import json
import re
import stat

from nbformat.v4 import new_notebook

from course_grader.rebuild import NEW

MAX_BYTES = 20_000_000
MAX_CELLS = 1_000
MAX_SOURCE = 500_000  # characters in all cells together
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """A submission that scores 0; the message is the reason, one line."""


def read_submission(path):
    """Read one file as a notebook that holds what grading reads, and nothing else.

    Returns
    -------
    NotebookNode
        Cells with type, source, id and grade id.

    Raises
    ------
    Unreadable
        With the reason: a link, too large, not JSON, another format, no cells, ...
    """
    _check_file(path)
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise Unreadable("not a notebook: the file is not JSON text") from None
    return _clean(data)


def _check_file(path):
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
        found = str(data.get("nbformat") if isinstance(data, dict) else type(data).__name__)[:20]
        raise Unreadable(f"notebook format {found}; format 4 is needed: save it with JupyterLab")
    cells = data.get("cells")
    if not isinstance(cells, list) or not cells:
        raise Unreadable("the notebook has no cells")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"{len(cells)} cells; at most {MAX_CELLS} are read")
    sources = [_source(cell, place) for place, cell in enumerate(cells)]
    if sum(map(len, sources)) > MAX_SOURCE:
        raise Unreadable(f"{sum(map(len, sources))} characters; at most {MAX_SOURCE} are read")
    return new_notebook(cells=_numbered(cells, sources))


def _source(cell, place):
    """Return a cell's text, without what UTF-8 cannot hold."""
    source = cell.get("source", "") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unreadable(f"cell {place + 1} is malformed")
    return source.encode("utf-8", "replace").decode("utf-8")


def _numbered(cells, sources):
    """Make clean cells; an id that is missing, malformed or taken is replaced by its place."""
    taken, made = set(), []
    for place, (cell, source) in enumerate(zip(cells, sources, strict=True)):
        key = cell.get("id")
        if not isinstance(key, str) or not KEY.fullmatch(key) or key in taken:
            key = next(k for n in itertools.count(place) if (k := f"cell-{n}") not in taken)
        taken.add(key)
        kind = cell.get("cell_type")
        make = NEW.get(kind if isinstance(kind, str) else "raw", NEW["raw"])
        made.append(make(source, id=key, metadata=_grading(cell)))
    return made


def _grading(cell):
    """Keep the grade id of nbgrader's metadata, which tells which cell this is."""
    metadata = cell.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    key = grading.get("grade_id") if isinstance(grading, dict) else None
    return {"nbgrader": {"grade_id": key}} if isinstance(key, str) and KEY.fullmatch(key) else {}
