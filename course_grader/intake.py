"""Take in what students handed in: one readable notebook each, or the reason why there is none.

Nothing is thrown away: a file that is replaced or renamed is kept under submitted/.originals.
"""

__all__ = ["Arrival", "intake", "student_in"]

import dataclasses
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import nbformat

from course_grader import notebooks
from course_grader.course import CourseError
from course_grader.submissions import Unreadable, read_submission

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
    try:
        if len(files) != 1:
            names = ", ".join(file.name for file in files)
            raise Unreadable(f"{len(files)} notebooks: {names}" if files else "no notebook")
        submission, reason = read_submission(files[0]), ""
        submission.metadata.update(_earlier_reason(files[0], target))
        reason = submission.metadata.get("intake", "")
    except Unreadable as why:
        submission, reason = notebooks.load(course.notebook("release", unit)), str(why)
        submission.metadata["intake"] = reason
    if [target] != files or reason or not _is_current(target, submission):
        _keep_originals(course, unit, student, target, files)
        notebooks.save(submission, target)
    return Arrival(student, reason)


def _earlier_reason(file, target):
    """Return the reason that an earlier intake of this folder left in the stand-in, if any."""
    if file != target:
        return {}
    reason = nbformat.read(file, as_version=4).metadata.get("intake")
    return {"intake": reason[:300]} if isinstance(reason, str) else {}


def _is_current(target, submission):
    return target.is_file() and notebooks.load(target) == submission


def _keep_originals(course, unit, student, target, files):
    """Move what lies in the student's folder out of the way; copy what comes from elsewhere."""
    keep = course.root / "submitted" / ORIGINALS / student / unit.name
    for file in {*files, target} - ({target} if not target.exists() else set()):
        keep.mkdir(parents=True, exist_ok=True)
        place = _free(keep / file.name)
        if (course.root / "submitted") in file.parents:
            shutil.move(file, place)
        elif not file.is_symlink():
            shutil.copy2(file, place)
    target.parent.mkdir(parents=True, exist_ok=True)


def _free(path):
    """Return the path, numbered if it is taken."""
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, 10_000))
    return path if not path.exists() else next(p for p in numbered if not p.exists())


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
