"""Take in what students handed in: one clean notebook each, or the reason why there is none.

Nothing is thrown away: whatever is replaced or renamed is kept under submitted/.originals. No
link is ever followed.
"""

__all__ = ["Arrival", "intake", "refuse"]

import dataclasses
import functools
import itertools
import os
import shutil
import stat
import tempfile
from pathlib import Path

from nbgrader.utils import parse_utc

from course_grader.intake.lms import candidates, student_in, unzipped
from course_grader.intake.parse import MAX_BYTES, Unreadable, read_submission
from course_grader.project import notebooks
from course_grader.project.course import CourseError
from course_grader.project.faults import OurFault, reason_for


@dataclasses.dataclass
class Arrival:
    """One student's submission after intake; `reason` says why it could not be read.

    `taken` is False where the disk refused, or we failed: what lies in place may not be graded.
    """

    student: str
    reason: str = ""
    taken: bool = True


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
    own = course.root / "submitted"
    origin = Path(origin).expanduser() if origin else own  # make hands a ~ on as it is
    if not origin.exists():
        raise CourseError(f"{origin} does not exist: put submissions there, or give FROM=...")
    if own.exists() and origin.samefile(own):  # under another name, by a link on the way
        origin = own
    with tempfile.TemporaryDirectory() as folder:
        place = unzipped(origin, Path(folder)) if origin.is_file() else origin
        if place == own:
            _rename_folders(place)
        found = candidates(place, unit)
        if not found:
            raise CourseError(f"{origin} holds no submission for {unit.name}")
        release = notebooks.load(course.notebook("release", unit))
        return [_take(course, unit, name, found[name], release) for name in sorted(found)]


def _take(course, unit, student, files, release):
    """Put one student's clean notebook in place, or the untouched release with the reason."""
    target = course.notebook("submitted", unit, student)
    earlier, waiting = course.reason(unit, student), _waiting(course, unit, student)
    if waiting.is_file() and all(course.root / "submitted" in file.parents for file in files):
        _put_in_place(course, unit, student, files)  # an earlier intake was stopped half-way
        return Arrival(student, earlier)
    if files == [target] and earlier and _holds(target, release):
        return Arrival(student, earlier)
    try:
        submission, reason = read_submission(_only(files)), ""
    except Unreadable as why:
        submission, reason = release, _printable(str(why))
    except Exception as error:  # one student's file never stops the class
        again = functools.partial(read_submission, course.notebook("release", unit))
        try:
            submission, reason = release, reason_for("not readable", student, error, again)
        except OurFault as ours:
            return Arrival(student, str(ours), taken=False)
    try:
        if files != [target] or reason or earlier or not _is_alone(target, submission):
            _replace(course, unit, student, submission, reason, files)
    except OSError as error:  # one student's file never stops the class
        return Arrival(student, f"not taken in: {error.strerror}", taken=False)
    return Arrival(student, reason)


def refuse(course, unit, student, reason):
    """Put the untouched release in a submission's place, which is kept aside, with the reason."""
    release = notebooks.load(course.notebook("release", unit))
    _replace(course, unit, student, release, _printable(reason), [])


def _replace(course, unit, student, notebook, reason, files):
    """Let a notebook wait, whole, with its reason; then put it in the place of some files."""
    waiting = _waiting(course, unit, student)
    notebooks.save(notebook, waiting.with_suffix(".tmp"))
    _tell(course.aside(unit, student) / "reason.txt", reason)
    waiting.with_suffix(".tmp").replace(waiting)
    _put_in_place(course, unit, student, files)


def _waiting(course, unit, student):
    """Return where a clean notebook waits, whole, until what it replaces is set aside."""
    return course.aside(unit, student) / ".incoming.ipynb"


def _put_in_place(course, unit, student, files):
    _set_aside(course, unit, student, files)
    target = course.notebook("submitted", unit, student)
    target.parent.mkdir(parents=True, exist_ok=True)  # it may have been a link, now set aside
    _waiting(course, unit, student).replace(target)


def _rename_folders(place):
    """Give students' folders in submitted/ the names that intake tells them by."""
    for entry in sorted(place.iterdir()):
        target = place / student_in(entry.name)
        plain = entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
        if plain and not os.path.lexists(target):
            os.rename(entry, target)


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
    beside = [p for p in target.parent.iterdir() if p != target and not _is_timestamp(p)]
    return _holds(target, notebook) and not beside


def _is_timestamp(path):
    """Tell whether a file is nbgrader's note of when the work came, by which lateness is told."""
    facts = path.lstat()
    if path.name != "timestamp.txt" or not stat.S_ISREG(facts.st_mode) or facts.st_size > 100:
        return False
    try:
        parse_utc(path.read_text("utf-8").strip())
    except Exception:  # whatever stops nbgrader from reading it
        return False
    return True


def _set_aside(course, unit, student, files):
    """Move all that lies in the student's place; keep a copy of what comes from elsewhere."""
    home, place = course.root / "submitted" / student, course.path("submitted", unit, student)
    keep = course.aside(unit, student)
    keep.mkdir(parents=True, exist_ok=True)
    for path in (home, place):
        if path.is_symlink():
            os.rename(path, _free(keep / path.name))  # the link itself, not what it points to
    place.mkdir(parents=True, exist_ok=True)  # first of all: it shows that somebody handed in
    beside = [path for path in place.iterdir() if not _is_timestamp(path)]
    for path in dict.fromkeys([*beside, *files]):
        if not os.path.lexists(path):
            continue
        if home.parent in path.parents:
            os.rename(path, _free(keep / path.name))
        elif path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES:
            shutil.copyfile(path, _free(keep / path.name))


def _free(path):
    """Return the path, numbered if it is taken."""
    short = path.with_name(path.stem[:60] + path.suffix[:10])
    numbered = (short.with_name(f"{short.stem}-{n}{short.suffix}") for n in itertools.count(1))
    return next(p for p in itertools.chain([short], numbered) if not os.path.lexists(p))


def _printable(text):
    """Return at most 200 characters that a terminal shows as they are."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
