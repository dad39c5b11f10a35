"""Read one submitted file as a notebook, or say in one line why it is none."""

__all__ = ["MAX_BYTES", "PACKED", "Unreadable", "read_submission"]

import io
import itertools
import json
import re
import stat
import zipfile
import zlib
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from course_grader.intake.sanitize import NEW

MAX_BYTES = 20_000_000
MAX_CELLS = 1_000
MAX_SOURCE = 500_000  # characters in all cells together
ZIP = b"PK\x03\x04"
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of others a kilobyte may become gigabytes
CLEAR = "clear the outputs and hand in again"
OLD = (2, 3)  # formats with worksheets, which IPython wrote until 2015
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """A submission that scores 0; the message is the reason, one line."""


def read_submission(path: Path) -> NotebookNode:
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
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None
    if content.startswith(ZIP):
        content = _only_member(content)
    return _clean(_parsed(content))


def _only_member(content):
    """Return the one notebook that was packed into a zip file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = [info.filename for info in packed.infolist() if _is_notebook(info.filename)]
            if len(names) != 1:
                raise Unreadable(f"a zip file with {len(names)} notebooks: hand in one notebook")
            if packed.getinfo(names[0]).compress_type not in PACKED:
                raise Unreadable("a zip file packed in an unusual way: hand in the notebook")
            with packed.open(names[0]) as file:
                member = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError):
        raise Unreadable("a zip file that cannot be unpacked: hand in the notebook") from None
    if len(member) > MAX_BYTES:
        raise Unreadable(f"a zip file of more than {MAX_BYTES / 1e6:.0f} MB: {CLEAR}")
    return member


def _is_notebook(name):
    """Tell whether a member of a zip is a notebook, and not what systems pack along."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(".ipynb") and not hidden


def _parsed(content):
    """Return the JSON data in a file: in UTF-8, UTF-16 or UTF-32, else as Windows writes text."""
    if not content.strip():
        raise Unreadable("not a notebook: the file is empty, not JSON text")
    try:
        return json.loads(_decoded(content).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = f", see line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"not a notebook: the file is not JSON text{line}") from None


def _decoded(content):
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _check_file(path):
    """Raise `Unreadable` unless a path is a plain file of its own, of a bearable size."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise Unreadable("a link instead of a file" if path.is_symlink() else "not a regular file")
    if facts.st_nlink > 1:
        raise Unreadable("a hard link to another file")
    if facts.st_size > MAX_BYTES:
        raise Unreadable(
            f"{facts.st_size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read: {CLEAR}"
        )


def _clean(data):
    """Keep of a parsed file the parts that grading reads, in a valid notebook."""
    known = isinstance(data, dict) and data.get("nbformat") in (4, *OLD)
    if not known:
        found = str(data.get("nbformat") if isinstance(data, dict) else type(data).__name__)[:20]
        raise Unreadable(f"notebook format {found}; format 4 is needed: save it with JupyterLab")
    cells = data.get("cells") if data["nbformat"] == 4 else _cells_in_worksheets(data)
    if not isinstance(cells, list) or not cells:
        raise Unreadable("the notebook has no cells")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"{len(cells)} cells; at most {MAX_CELLS} are read")
    sources = [_source(cell, place) for place, cell in enumerate(cells)]
    if sum(map(len, sources)) > MAX_SOURCE:
        raise Unreadable(f"{sum(map(len, sources))} characters; at most {MAX_SOURCE} are read")
    return new_notebook(cells=_numbered(cells, sources))


def _cells_in_worksheets(data):
    """Return the cells of a notebook in format 2 or 3 as format 4 has them."""
    sheets = data.get("worksheets")
    sheets = [s for s in sheets if isinstance(s, dict)] if isinstance(sheets, list) else []
    lists = [s["cells"] for s in sheets if isinstance(s.get("cells"), list)]
    cells = list(itertools.chain.from_iterable(lists))
    if not cells:
        raise Unreadable(f"the notebook, in format {data['nbformat']}, has no cells")
    return [_with_source(cell) for cell in cells]


def _with_source(cell):
    """Give a cell of format 2 or 3 its code where format 4 has it."""
    return cell | {"source": cell["input"]} if isinstance(cell, dict) and "input" in cell else cell


def _source(cell, place):
    """Return a cell's text, with \\n as line ends and without what UTF-8 cannot hold."""
    source = cell.get("source") if isinstance(cell, dict) else 0
    source = "" if source is None else source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unreadable(f"cell {place + 1} is malformed")
    source = source.replace("\r\n", "\n").replace("\r", "\n")
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
