"""Put a clean notebook in a student's place; whatever lay there is kept under .originals."""

__all__ = [
    "free",
    "holds",
    "is_alone",
    "printable",
    "put_in_place",
    "refuse",
    "replace",
    "still_refused",
    "waiting_at",
]

import hashlib
import itertools
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from course_grader.intake.parse import MAX_BYTES
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit

OURS = {"reason.txt", "sender.json"}


def refuse(course: Course, unit: Unit, student: str, reason: str) -> None:
    """Put the untouched release in a submission's place, which is kept aside, with the reason."""
    release = notebooks.load(course.notebook("release", unit))
    replace(course, unit, student, release, printable(reason), [])


def replace(
    course: Course,
    unit: Unit,
    student: str,
    notebook: NotebookNode,
    reason: str,
    files: Iterable[Path],
) -> None:
    """Let a notebook wait, whole, with its reason; then put it in the place of some files."""
    waiting = waiting_at(course, unit, student)
    notebooks.save(notebook, waiting.with_suffix(".tmp"))
    _keep_reason(course.aside(unit, student) / "reason.txt", reason, notebook)
    waiting.with_suffix(".tmp").replace(waiting)
    put_in_place(course, unit, student, files)


def waiting_at(course: Course, unit: Unit, student: str) -> Path:
    """Return where a clean notebook waits, whole, until what it replaces is set aside."""
    return course.aside(unit, student) / ".incoming.ipynb"


def put_in_place(course: Course, unit: Unit, student: str, files: Iterable[Path]) -> None:
    """Set aside what lies in the student's place, and files; then move there what waits."""
    _set_aside(course, unit, student, files)
    target = course.notebook("submitted", unit, student)
    target.parent.mkdir(parents=True, exist_ok=True)  # it may have been a link, now set aside
    waiting_at(course, unit, student).replace(target)


def _keep_reason(path, reason, notebook):
    if reason:
        path.write_text(f"{reason}\n{_hash(notebooks.as_bytes(notebook))}\n", "utf-8")
    else:
        path.unlink(missing_ok=True)


def still_refused(course: Course, unit: Unit, student: str, release: NotebookNode) -> bool:
    """Tell whether the release that took a refused file's place lies there, of any version."""
    path, target = (
        course.aside(unit, student) / "reason.txt",
        course.notebook("submitted", unit, student),
    )
    if not course.reason(unit, student):
        return False
    if holds(target, release):
        return True
    told = path.read_text("utf-8").split("\n")[1:2]
    plain = target.is_file() and not target.is_symlink() and target.stat().st_size <= MAX_BYTES
    return plain and [_hash(target.read_bytes())] == told


def holds(target: Path, notebook: NotebookNode) -> bool:
    """Tell whether a file is plain and holds just this notebook."""
    plain = target.is_file() and not target.is_symlink() and target.stat().st_nlink == 1
    return plain and target.read_bytes() == notebooks.as_bytes(notebook)


def is_alone(target: Path, notebook: NotebookNode) -> bool:
    """Tell whether the notebook is in place, and nothing beside it for nbgrader to copy."""
    beside = [p for p in target.parent.iterdir() if p != target and not _is_timestamp(p)]
    return holds(target, notebook) and not beside


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
        if path.is_symlink() or path.is_file():
            os.rename(path, free(keep / path.name))  # the link itself, not what it points to
    place.mkdir(parents=True, exist_ok=True)  # first of all: it shows that somebody handed in
    beside = [path for path in place.iterdir() if not _is_timestamp(path)]
    for path in dict.fromkeys([*beside, *files]):
        if not os.path.lexists(path):
            continue
        if home.parent in path.parents:
            os.rename(path, free(keep / path.name))
        elif path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES:
            shutil.copyfile(path, free(keep / path.name))


def free(path: Path) -> Path:
    """Return the path, numbered if it is taken."""
    short = path.with_name(path.stem[:60] + path.suffix[:10])
    if short.name in OURS or short.name.startswith(
        "."
    ):  # what we keep there is not theirs to write
        short = short.with_name(f"theirs-{short.name}")
    numbered = (short.with_name(f"{short.stem}-{n}{short.suffix}") for n in itertools.count(1))
    return next(p for p in itertools.chain([short], numbered) if not os.path.lexists(p))


def _hash(content):
    return hashlib.sha256(content).hexdigest()


def printable(text: str) -> str:
    """Return at most 200 characters that a terminal shows as they are."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
