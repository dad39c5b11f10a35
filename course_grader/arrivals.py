"""Find who handed in what: in nbgrader's folders, an LMS's folders, file names or zip."""

__all__ = ["candidates", "student_in", "unzipped"]

import collections
import hashlib
import os
import re
import unicodedata
import zipfile
from pathlib import Path

from course_grader.course import CourseError

MAX_ZIP_BYTES = 2_000_000_000
LMS_NAMES = (
    # Moodle's folders, also as a file's prefix: Full Name_1234_assignsubmission_file_...
    re.compile(r"(?P<student>[^_]+)_(?P<number>\d+)_assignsubmission_file_?.*"),
    # Canvas: name[_LATE]_userid_fileid_file.ipynb
    re.compile(r"(?P<student>[^_]+)(_LATE)?_(?P<number>\d+)_\d+_.+\.ipynb"),
    # Blackboard: assignment_student_attempt_2026-11-01-12-00-00_file.ipynb
    re.compile(r".+?_(?P<student>[^_]+)_attempt_(?P<number>\d{4})(-\d\d){5}.*\.ipynb"),
)


def student_in(name):
    """Return the student whom a file or folder name tells, in letters, digits and . _ - only."""
    match = next((m for m in (p.fullmatch(name) for p in LMS_NAMES) if m), None)
    word = match["student"] if match else name.removesuffix(".ipynb")
    return re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", word)).strip("-.") or "unnamed"


def candidates(place, unit):
    """Return {student: [notebook files]}; entries that tell one name stay apart."""
    entries = {}
    for entry in sorted(place.iterdir()):
        files = None if entry.name.startswith((".", "__MACOSX")) else _notebooks(entry, unit)
        if files is not None:
            entries[entry] = files
    names = collections.Counter(student_in(entry.name).casefold() for entry in entries)
    return {
        _apart(entry.name)
        if names[student_in(entry.name).casefold()] > 1
        else student_in(entry.name): files
        for entry, files in entries.items()
    }


def _apart(name):
    """Return an id of its own for an entry whose student's name another entry tells too."""
    if student_in(name) == name:
        return name
    return f"{student_in(name)}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _notebooks(entry, unit):
    """Return the notebook files of an entry, None if it is no submission to this unit."""
    if entry.is_symlink() or not entry.is_dir():
        return [entry] if entry.is_symlink() or entry.suffix == ".ipynb" else None
    folder = entry / unit.name
    if folder.is_symlink():
        return [folder]
    if not folder.is_dir() and any((entry / other).is_dir() for other in _unit_names(unit)):
        return None
    inside = folder if folder.is_dir() else entry
    return sorted(p for p in _files(inside) if p.suffix == ".ipynb")


def _unit_names(unit):
    return [folder.name for folder in unit.folder.parent.iterdir()]


def _files(folder):
    """Yield the files in a folder (links too, not followed), checkpoints and hidden ones aside."""
    for top, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (Path(top) / name).is_symlink()]
        yield from (Path(top) / name for name in [*files, *links] if not name.startswith("."))


def unzipped(archive, folder):
    """Unpack an LMS zip: plain files only, inside the folder, up to a size."""
    try:
        with zipfile.ZipFile(archive) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_ZIP_BYTES:
                raise CourseError(f"{archive} unpacks to more than {MAX_ZIP_BYTES / 1e9:g} GB")
            packed.extractall(folder)  # zipfile strips absolute paths and '..', makes no links
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise CourseError(f"{archive} is no zip file that can be read: {error}") from error
    return folder
