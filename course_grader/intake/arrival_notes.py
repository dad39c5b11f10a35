"""What came, and beside it what its name told: for lateness, and for the way back to the LMS."""

__all__ = [
    "Arrival",
    "forget_sender",
    "forget_timestamp",
    "participants",
    "read_sender",
    "tell_sender",
    "write_timestamp",
]

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

from course_grader.intake.lms import Sender
from course_grader.project.course import Course, Unit

NAME = "sender.json"


@dataclasses.dataclass
class Arrival:
    """One student's submission after intake; `reason` says why it could not be read.

    `taken` is False where the disk refused, or we failed: what lies in place may not be graded.
    `sender` is what the name of the file told.
    """

    student: str
    reason: str = ""
    taken: bool = True
    sender: Sender | None = None


def tell_sender(aside: Path, sender: Sender, entry: str) -> None:
    """Write what a name told of who handed in; a name that somebody chose tells nothing.

    Parameters
    ----------
    aside : Path
        Where intake keeps what it has replaced.
    sender : Sender
    entry : str
        The name of the file or folder, by which the LMS finds the student again.
    """
    if sender.lms:
        aside.mkdir(parents=True, exist_ok=True)
        told = dataclasses.asdict(sender) | {"entry": entry}
        waiting = aside / f".{NAME}.tmp"
        waiting.unlink(missing_ok=True)
        waiting.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        waiting.replace(aside / NAME)


def forget_sender(aside: Path) -> None:
    """Forget what the name of an earlier submission told."""
    (aside / NAME).unlink(missing_ok=True)


def read_sender(aside: Path) -> tuple[Sender | None, str]:
    """Return (Sender, name of the file or folder in the LMS's zip), or (None, '')."""
    path = aside / NAME
    if not path.is_file() or path.is_symlink():
        return None, ""
    try:
        told = json.loads(path.read_text("utf-8"))
        return Sender(**{f.name: told[f.name] for f in dataclasses.fields(Sender)}), told["entry"]
    except (ValueError, TypeError, KeyError):  # cut off, or of another version: it tells nothing
        return None, ""


def participants(course: Course, unit: Unit) -> dict[str, str]:
    """Return {Moodle's number: student} of who came from Moodle to this assignment before."""
    asides = sorted((course.root / "submitted" / ".originals").glob(f"*/{unit.name}"))
    told = [(read_sender(aside)[0], aside.parent.name) for aside in asides]
    return {sender.number: name for sender, name in told if sender and sender.lms == "moodle"}


def forget_timestamp(folder: Path) -> None:
    """Forget when earlier work came: newer work from elsewhere is not judged by it."""
    (folder / "timestamp.txt").unlink(missing_ok=True)


def write_timestamp(folder: Path, sender: Sender) -> None:
    """Write nbgrader's note of when the work came, where the file's name says it.

    Blackboard writes the time of day where it runs; we take it for the time of day here.
    """
    if not sender.when:
        return
    try:
        when = datetime.strptime(sender.when, "%Y-%m-%d-%H-%M-%S").astimezone(UTC)
    except ValueError:  # no such day or hour: it tells nothing
        return
    (folder / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC", "utf-8")
