"""Take in what students handed in: one clean notebook each, or the reason why there is none.

Nothing is thrown away: whatever is replaced or renamed is kept under submitted/.originals. No
link is ever followed.
"""

__all__ = ["Arrival", "intake", "student_in"]

import collections
import dataclasses
import hashlib
import itertools
import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from pathlib import Path

from course_grader import notebooks
from course_grader.course import CourseError
from course_grader.submissions import MAX_BYTES, Unreadable, read_submission

MAX_ZIP_BYTES = 2_000_000_000
LMS_NAMES = (
    # Moodle's folders, also as a file's prefix: Full Name_1234_assignsubmission_file_...
    re.compile(r"(?P<student>[^_]+)_(?P<number>\d+)_assignsubmission_file_?.*"),
    # Canvas: name[_LATE]_userid_fileid_file.ipynb
    re.compile(r"(?P<student>[^_]+)(_LATE)?_(?P<number>\d+)_\d+_.+\.ipynb"),
    # Blackboard: assignment_student_attempt_2026-11-01-12-00-00_file.ipynb
    re.compile(r".+?_(?P<student>[^_]+)_attempt_(?P<number>\d{4})(-\d\d){5}.*\.ipynb"),
)


@dataclasses.dataclass
class Arrival:
    """One student's submission after intake; `reason` says why it could not be read."""

    student: str
    reason: str = ""


def intake(course, unit, origin=None):
    """Bring submissions into submitted/<student>/<unit>/<unit>.ipynb.

    Parameters
    ----------
    course : Course
    unit : Unit
    origin : Path, optional
        A folder or an LMS zip; default: the course's own submitted/ folder.

    Returns
    -------
    list of Arrival
        By student; unreadable ones have the untouched release in place and a reason.
    """
    origin = Path(origin) if origin else course.root / "submitted"
    if not origin.exists():
        raise CourseError(f"{origin} does not exist: put submissions there, or give FROM=...")
    with tempfile.TemporaryDirectory() as folder:
        place = _unzipped(origin, Path(folder)) if origin.is_file() else origin
        found = _candidates(place, unit)
        if not found:
            raise CourseError(f"{origin} holds no submission for {unit.name}")
        return [_take(course, unit, student, found[student]) for student in sorted(found)]


def student_in(name):
    """Return the student whom a file or folder name tells, in letters, digits and . _ - only."""
    match = next((m for m in (p.fullmatch(name) for p in LMS_NAMES) if m), None)
    word = match["student"] if match else name.removesuffix(".ipynb")
    return re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", word)).strip("-.") or "unnamed"


def _candidates(place, unit):
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


def _take(course, unit, student, files):
    """Put one student's clean notebook in place, or the untouched release with the reason."""
    target = course.notebook("submitted", unit, student)
    release = notebooks.load(course.notebook("release", unit))
    earlier = course.reason(unit, student)
    if files == [target] and earlier and _holds(target, release):
        return Arrival(student, earlier)
    try:
        submission, reason = read_submission(_only(files)), ""
    except Unreadable as why:
        submission, reason = release, _printable(str(why))
    except Exception as error:  # one student's file never stops the class
        submission, reason = release, f"not readable: {type(error).__name__}"
    if files != [target] or reason or earlier or not _is_alone(target, submission):
        _set_aside(course, unit, student, files)
        notebooks.save(submission, target)
        _tell(course.aside(unit, student) / "reason.txt", reason)
    return Arrival(student, reason)


def _tell(path, reason):
    if reason:
        path.write_text(f"{reason}\n", "utf-8")
    else:
        path.unlink(missing_ok=True)


def _only(files):
    if len(files) != 1:
        names = ", ".join(file.name for file in files)
        raise Unreadable(f"{len(files)} notebooks: {names}" if files else "no notebook")
    return files[0]


def _holds(target, notebook):
    """Tell whether a file is plain and holds just this notebook."""
    plain = target.is_file() and not target.is_symlink() and target.stat().st_nlink == 1
    return plain and target.read_bytes() == notebooks.as_bytes(notebook)


def _is_alone(target, notebook):
    """Tell whether the notebook is in place, and nothing beside it for nbgrader to copy."""
    return _holds(target, notebook) and [p.name for p in target.parent.iterdir()] == [target.name]


def _set_aside(course, unit, student, files):
    """Move all that lies in the student's place; keep a copy of what comes from elsewhere."""
    home, place = course.root / "submitted" / student, course.path("submitted", unit, student)
    keep = course.aside(unit, student)
    keep.mkdir(parents=True, exist_ok=True)
    for path in (home, place):
        if path.is_symlink():
            os.rename(path, _free(keep / path.name))  # the link itself, not what it points to
    beside = list(place.iterdir()) if place.is_dir() else []
    for path in dict.fromkeys([*beside, *files]):
        if not os.path.lexists(path):
            continue
        if home.parent in path.parents:
            os.rename(path, _free(keep / path.name))
        elif path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES:
            shutil.copyfile(path, _free(keep / path.name))
    place.mkdir(parents=True, exist_ok=True)


def _free(path):
    """Return the path, numbered if it is taken."""
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in itertools.count(1))
    return next(p for p in itertools.chain([path], numbered) if not os.path.lexists(p))


def _printable(text):
    """Return at most 200 characters that a terminal shows as they are."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _unzipped(archive, folder):
    """Unpack an LMS zip: plain files only, inside the folder, up to a size."""
    try:
        with zipfile.ZipFile(archive) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_ZIP_BYTES:
                raise CourseError(f"{archive} unpacks to more than {MAX_ZIP_BYTES / 1e9:g} GB")
            packed.extractall(folder)  # zipfile strips absolute paths and '..', makes no links
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise CourseError(f"{archive} is no zip file that can be read: {error}") from error
    return folder
