"""Take in what students handed in: one readable notebook each, or the reason why there is none.

Nothing is thrown away: a file that is replaced or renamed is kept under submitted/.originals.
"""

__all__ = ["Arrival", "intake", "student_in"]

import dataclasses
import itertools
import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import nbformat

from course_grader import notebooks
from course_grader.course import CourseError
from course_grader.submissions import MAX_BYTES, Unreadable, check_file, read_submission

MAX_ZIP_BYTES = 2_000_000_000
ORIGINALS = ".originals"
LMS_NAMES = (
    # Canvas: name[_LATE]_userid_fileid_file.ipynb
    re.compile(r"(?P<student>[^_]+)(_LATE)?_\d+_\d+_.+\.ipynb"),
    # Blackboard: assignment_student_attempt_2026-11-01-12-00-00_file.ipynb
    re.compile(r".+_(?P<student>[^_]+)_attempt_\d{4}(-\d\d){5}.*\.ipynb"),
    # Moodle's folders, also as a file's prefix: Full Name_1234_assignsubmission_file_...
    re.compile(r"(?P<student>[^_]+)_\d+_assignsubmission_file_?.*"),
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
    """Return the student that a file or folder name of an LMS tells, or the name's stem."""
    matches = (pattern.fullmatch(name) for pattern in LMS_NAMES)
    word = next((m["student"] for m in matches if m), name.removesuffix(".ipynb"))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", word).strip("-.") or "unnamed"


def _candidates(place, unit):
    """Return {student: [notebook files]} in a folder, whatever layout it has."""
    found = {}
    for entry in sorted(place.iterdir()):
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.is_dir() or entry.is_symlink() and entry.suffix != ".ipynb":
            files = _in_folder(entry, unit)
            if files is not None:
                found.setdefault(student_in(entry.name), []).extend(files)
        elif entry.suffix == ".ipynb":
            found.setdefault(student_in(entry.name), []).append(entry)
    return found


def _in_folder(entry, unit):
    """Return the notebooks in a student's folder, None if it is for other units only."""
    if entry.is_symlink():
        return [entry]
    folder = entry / unit.name
    if not folder.is_dir() and any((entry / other.name).is_dir() for other in _siblings(unit)):
        return None
    inside = folder if folder.is_dir() or folder.is_symlink() else entry
    if inside.is_symlink():
        return [inside]
    return [p for p in sorted(inside.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]


def _siblings(unit):
    return [type(unit)(folder) for folder in sorted(unit.folder.parent.iterdir())]


def _take(course, unit, student, files):
    """Put one student's notebook in place, or the untouched release with the reason."""
    target = course.notebook("submitted", unit, student)
    release = notebooks.load(course.notebook("release", unit))
    if files == [target] and (reason := _earlier_reason(target, release)):
        return Arrival(student, reason)
    try:
        submission, reason = read_submission(_only(files)), ""
    except Unreadable as why:
        submission, reason = release, str(why)
        submission.metadata["intake"] = reason
    if reason or files != [target] or not _is_valid(target):
        _make_way(course, unit, student, files)
        notebooks.save(submission, target)
    return Arrival(student, reason)


def _only(files):
    if len(files) != 1:
        names = ", ".join(file.name for file in files)
        raise Unreadable(f"{len(files)} notebooks: {names}" if files else "no notebook")
    return files[0]


def _earlier_reason(target, release):
    """Return the reason in a stand-in of an earlier intake; a student's own is not heard."""
    if not _is_valid(target):
        return ""
    there = notebooks.load(target)
    stand_in = [c.source for c in there.cells] == [c.source for c in release.cells]
    reason = there.metadata.get("intake", "")
    return reason[:300] if stand_in and isinstance(reason, str) else ""


def _is_valid(path):
    """Tell whether nbgrader can read a file as it is."""
    try:
        check_file(path)
        nbformat.validate(nbformat.read(path, as_version=4))
    except Exception:  # whatever stops nbgrader stops it here, where only one student is concerned
        return False
    return True


def _make_way(course, unit, student, files):
    """Set aside what lies in the student's place; keep a copy of what comes from elsewhere."""
    home = course.root / "submitted" / student
    target = course.notebook("submitted", unit, student)
    keep = course.root / "submitted" / ORIGINALS / student / unit.name
    keep.mkdir(parents=True, exist_ok=True)
    links = [path for path in (home, target.parent) if path.is_symlink()]
    for path in dict.fromkeys([*links, *files, target]):
        if not os.path.lexists(path):
            continue
        if home.parent in path.parents:
            os.rename(path, _free(keep / path.name))  # a link itself, never what it points to
        elif path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES:
            shutil.copy2(path, _free(keep / path.name))
    target.parent.mkdir(parents=True, exist_ok=True)


def _free(path):
    """Return the path, numbered if it is taken."""
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, 10_000))
    return next(p for p in itertools.chain([path], numbered) if not os.path.lexists(p))


def _unzipped(archive, folder):
    """Unpack an LMS zip: plain files only, inside the folder, up to a size."""
    try:
        with zipfile.ZipFile(archive) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_ZIP_BYTES:
                raise CourseError(f"{archive} unpacks to more than {MAX_ZIP_BYTES / 1e9:g} GB")
            packed.extractall(folder)  # zipfile strips absolute paths and '..'
    except zipfile.BadZipFile as error:
        raise CourseError(f"{archive} is no zip file: {error}") from error
    return folder
