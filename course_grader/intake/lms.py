"""Find who handed in what: in nbgrader's folders, an LMS's folders, file names or zip."""

__all__ = ["candidates", "student_in", "unzipped"]

import collections
import hashlib
import itertools
import os
import re
import unicodedata
import zipfile
import zlib
from pathlib import Path

from course_grader.project.course import CourseError

MAX_NAME = 80  # bytes of a student's id
MAX_ZIP_BYTES = 2_000_000_000
ENDING = r"\.(?:ipynb(?:\.(?:txt|json|zip))?|zip)"  # browsers and mail programs add some
LMS_NAMES = (
    # Moodle's folders, also as a file's prefix: Full Name_1234_assignsubmission_file_...
    re.compile(r"(?P<student>[^_]+)_(?P<number>\d+)_assignsubmission_(file|onlinetext)_?.*"),
    # Canvas: name[_LATE]_userid_fileid_file.ipynb
    re.compile(rf"(?P<student>[^_]+)(_LATE)?_(?P<number>\d+)_\d+_.+{ENDING}", re.IGNORECASE),
    # Blackboard: assignment_student_attempt_2026-11-01-12-00-00_file.ipynb
    re.compile(
        rf".+?_(?P<student>[^_]+)_attempt_(?P<number>\d{{4}})(-\d\d){{5}}.*{ENDING}",
        re.IGNORECASE,
    ),
)


def student_in(name):
    """Return the student whom a file or folder name tells, in letters, digits and . _ - only."""
    match = next((m for m in (p.fullmatch(name) for p in LMS_NAMES) if m), None)
    word = match["student"] if match else re.sub(f"{ENDING}$", "", name, flags=re.IGNORECASE)
    clean = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", word)).strip("-.")
    return clean.encode("utf-8", "ignore")[:MAX_NAME].decode("utf-8", "ignore") or "unnamed"


def candidates(place, unit):
    """Return {student: [notebook files]}; entries that tell one name stay apart.

    A loose file takes the place of what lies in the folder of the same student. Words that Moodle
    keeps in a folder beside the one for files are no second submission.
    """
    entries = {}
    for entry in sorted(place.iterdir()):
        files = None if entry.name.startswith((".", "__MACOSX")) else _notebooks(entry, unit)
        if files is not None:
            entries[entry] = files
    loose = {student_in(entry.name) for entry in entries if not entry.is_dir()}
    present = {entry.name for entry in entries}
    beside = {e for e, f in entries.items() if not f and _of_files(e.name) in present - {e.name}}
    double = {entry for entry in entries if entry.name in loose and entry.is_dir()} | beside
    kept = {entry: files for entry, files in entries.items() if entry not in double}
    names = collections.Counter(student_in(entry.name).casefold() for entry in kept)
    found = {}
    for entry, files in kept.items():
        shared = names[student_in(entry.name).casefold()] > 1
        found[_free_id(_apart(entry.name) if shared else student_in(entry.name), found)] = files
    return found


def _of_files(name):
    """Return what Moodle calls the folder of files that belongs to a folder of words."""
    return name.replace("_assignsubmission_onlinetext", "_assignsubmission_file")


def _apart(name):
    """Return an id of its own for an entry whose student's name another entry tells too."""
    if student_in(name) == name:
        return name
    return f"{student_in(name)}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:6]}"


def _free_id(student, found):
    """Return the id, numbered if it is taken: nobody's work is merged with another's."""
    numbered = (f"{student}-{n}" for n in itertools.count(2))
    return next(s for s in itertools.chain([student], numbered) if s not in found)


def _notebooks(entry, unit):
    """Return the notebook files of an entry, None if it is no submission to this unit."""
    if entry.is_symlink() or not entry.is_dir():
        return [entry] if entry.is_symlink() or _may_hold_one(entry) else None
    folder = entry / unit.name
    if folder.is_symlink():
        return [folder]
    if not folder.is_dir() and any((entry / other).is_dir() for other in _unit_names(unit)):
        return None
    inside = folder if folder.is_dir() else entry
    files = sorted(path for path in _files(inside) if _may_hold_one(path))
    return [path for path in files if path.suffix.lower() == ".ipynb"] or files


def _may_hold_one(path):
    """Tell whether a file is named as a notebook, renamed by a browser or packed ones too."""
    return ".ipynb" in path.name.lower() or path.suffix.lower() == ".zip"


def _unit_names(unit):
    return [folder.name for folder in unit.folder.parent.iterdir()]


def _files(folder):
    """Yield the files in a folder (links too, not followed), checkpoints and hidden ones aside."""
    for top, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (Path(top) / name).is_symlink()]
        yield from (Path(top) / name for name in [*files, *links] if not name.startswith("."))


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
    inside = list(folder.iterdir())
    wrapped = len(inside) == 1 and inside[0].is_dir() and len(list(inside[0].iterdir())) > 1
    return inside[0] if wrapped else folder


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
    if len(os.fsencode(name)) <= 2 * MAX_NAME:
        return name
    return os.fsencode(stem or name)[:MAX_NAME].decode("utf-8", "ignore") + dot + ending[:10]
