"""Unpack an LMS's zip: plain files only, inside one folder, up to a size."""

__all__ = ["unzipped"]

import os
import zipfile
import zlib
from pathlib import Path

from course_grader.intake.lms import sender_in
from course_grader.intake.parse import MAX_BYTES, PACKED
from course_grader.project.course import CourseError

MAX_PART = 240  # bytes of a name that any file system takes
MAX_ZIP_BYTES = 2_000_000_000


def unzipped(archive: Path, folder: Path) -> Path:
    """Unpack an LMS zip: plain files only, inside the folder, up to a size for each and for all.

    Returns
    -------
    Path
        The folder, or the one folder that wraps everything in it.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [info for info in packed.infolist() if not info.is_dir()]
            left = MAX_ZIP_BYTES
            for info in sorted(members, key=lambda info: info.file_size):  # what floods comes last
                left -= _unpack(packed, info, folder, left)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise CourseError(f"{archive} is no zip file that can be read: {error}") from error
    inside = _told(folder)
    within = _told(inside[0]) if len(inside) == 1 and inside[0].is_dir() else []
    wrapped = len(within) > 1 or any(sender_in(path.name).lms for path in within)
    return inside[0] if wrapped and not sender_in(inside[0].name).lms else folder


def _told(folder):
    """Return what lies in a folder, without what macOS packs along."""
    return [p for p in folder.iterdir() if not p.name.startswith((".", "__MACOSX"))]


def _unpack(packed, info, folder, left):
    """Write one member under short names; return how many bytes it took.

    What cannot be read becomes an empty file; what is too large, or packed in a way of which a
    kilobyte may become gigabytes, becomes words, which are no notebook.
    """
    parts = [_short(part) for part in info.filename.split("/") if part not in ("", ".", "..")]
    target = folder.joinpath(*parts) if parts else folder / "unnamed"
    content = _content(packed, info, left)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError:  # a file and a folder of one name: kept beside
        (folder / f"{len(list(folder.iterdir()))}-{parts[-1]}").write_bytes(content)
    return len(content)


def _content(packed, info, left):
    if info.compress_type not in PACKED:
        return b"left out: packed in an unusual way"
    try:
        with packed.open(info) as file:
            content = file.read(MAX_BYTES + 1)  # one more: its reader says that it is too large
    except (zlib.error, EOFError, zipfile.BadZipFile):
        return b""
    return content if len(content) <= left else b"left out: the zip holds too much"


def _short(name):
    """Cut a name that a file system may refuse, but keep its ending."""
    stem, dot, ending = name.rpartition(".")
    if len(os.fsencode(name)) <= MAX_PART:
        return name
    return os.fsencode(stem or name)[: MAX_PART - 60].decode("utf-8", "ignore") + dot + ending[:10]
