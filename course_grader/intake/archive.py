"""Unpack an LMS's zip: plain files only, inside one folder, up to a size."""

__all__ = ["unzipped"]

import os
import zipfile
import zlib

from course_grader.intake.lms import sender_in
from course_grader.project.course import CourseError

MAX_PART = 240  # bytes of a name that any file system takes
MAX_ZIP_BYTES = 2_000_000_000


def unzipped(archive, folder):
    """Unpack an LMS zip: plain files only, inside the folder, up to a size.

    Returns
    -------
    Path
        The folder, or the one folder that wraps everything in it.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [info for info in packed.infolist() if not info.is_dir()]
            if sum(info.file_size for info in members) > MAX_ZIP_BYTES:
                raise CourseError(f"{archive} unpacks to more than {MAX_ZIP_BYTES / 1e9:g} GB")
            for info in members:
                _unpack(packed, info, folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise CourseError(f"{archive} is no zip file that can be read: {error}") from error
    inside = _told(folder)
    within = _told(inside[0]) if len(inside) == 1 and inside[0].is_dir() else []
    wrapped = len(within) > 1 or any(sender_in(path.name).lms for path in within)
    return inside[0] if wrapped and not sender_in(inside[0].name).lms else folder


def _told(folder):
    """Return what lies in a folder, without what macOS packs along."""
    return [p for p in folder.iterdir() if not p.name.startswith((".", "__MACOSX"))]


def _unpack(packed, info, folder):
    """Write one member under short names; what cannot be read becomes an empty file."""
    parts = [_short(part) for part in info.filename.split("/") if part not in ("", ".", "..")]
    target = folder.joinpath(*parts) if parts else folder / "unnamed"
    try:
        content = packed.read(info)
    except (zlib.error, EOFError, zipfile.BadZipFile):
        content = b""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError:  # a file and a folder of one name: kept beside
        (folder / f"{len(list(folder.iterdir()))}-{parts[-1]}").write_bytes(content)


def _short(name):
    """Cut a name that a file system may refuse, but keep its ending."""
    stem, dot, ending = name.rpartition(".")
    if len(os.fsencode(name)) <= MAX_PART:
        return name
    return os.fsencode(stem or name)[: MAX_PART - 60].decode("utf-8", "ignore") + dot + ending[:10]
