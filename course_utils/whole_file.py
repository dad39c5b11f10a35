"""Write a file so that a crash leaves either the old one or the new one, whole."""

__all__ = ["replacing"]

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside a file's, to write to; what was written takes its place after the block.

    Where the block raises, the file stays as it was. Two processes may do it at once: the later
    one's file stays.

    Parameters
    ----------
    path : Path
        A link is followed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "note.txt")
    >>> with replacing(path) as part:
    ...     _ = part.write_text("whole")
    >>> [p.name for p in path.parent.iterdir()], path.read_text()
    (['note.txt'], 'whole')
    """
    path = path.resolve()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
