"""Take in what students handed in: one clean notebook each, or the reason why there is none.

Nothing is thrown away: whatever is replaced or renamed is kept under submitted/.originals. No
link is ever followed.
"""

__all__ = ["intake", "take"]

import functools
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode

from course_grader.intake.archive import unzipped
from course_grader.intake.arrival_notes import (
    Arrival,
    forget_sender,
    forget_timestamp,
    participants,
    tell_sender,
    write_timestamp,
)
from course_grader.intake.entries import Handed, handed_in
from course_grader.intake.groups import share
from course_grader.intake.lms import sender_in
from course_grader.intake.other_units import belongs_elsewhere, stop_if_all_do
from course_grader.intake.parse import MAX_BYTES, Unreadable, read_submission
from course_grader.intake.people import People
from course_grader.intake.placing import (
    is_alone,
    printable,
    put_in_place,
    replace,
    still_refused,
    waiting_at,
)
from course_grader.project import notebooks
from course_grader.project.bounded import bounded
from course_grader.project.course import Course, CourseError, Unit
from course_grader.project.faults import OurFault, reason_for

MANY = 20  # strangers that are named


def intake(
    course: Course,
    unit: Unit,
    origin: str | Path | None = None,
    people: People | None = None,
    say: Callable[[str], object] = print,
) -> list[Arrival]:
    """Bring submissions into submitted/<student>/<unit>/<unit>.ipynb.

    Parameters
    ----------
    course : Course
    unit : Unit
    origin : Path, optional
        A folder or an LMS zip; default: the course's own submitted/ folder.
    people : People, optional
        Whom the gradebook knows; default: nobody.
    say : callable
        Is told in one line what was left out, and who is in no roster.

    Returns
    -------
    list of Arrival
        By student, all members of a group; unreadable ones have the untouched release in place
        and a reason.
    """
    own, people = course.root / "submitted", people or People()
    origin = Path(origin).expanduser() if origin else own  # make hands a ~ on as it is
    if not origin.exists():
        raise CourseError(f"{origin} does not exist: put submissions there, or give FROM=...")
    if own.exists() and origin.samefile(own):  # under another name, by a link on the way
        origin = own
    with tempfile.TemporaryDirectory() as folder:
        place = unzipped(origin, Path(folder)) if origin.is_file() else origin
        if place == own:
            _rename_folders(course, unit, people)
        people.participants = participants(course, unit)
        found, ignored, unclear = handed_in(place, unit, people)
        for sentence in unclear:
            say(sentence)
        if not found:
            raise CourseError(f"{origin} holds no submission for {unit.name}")
        stop_if_all_do(unit, [handed.files for handed in found.values()], origin)
        _tell(found, ignored, people, say)
        release = notebooks.load(course.notebook("release", unit))
        arrivals = [_taken(course, unit, name, found[name], release) for name in sorted(found)]
        return share(course, unit, arrivals, people.groups, say)


def _tell(found, ignored, people, say):
    """Say which files were left out, and who is not in the roster, if there is one."""
    if ignored:
        say(f"Left out, no notebook and no student's: {', '.join(map(printable, ignored))}")
    strangers = [name for name in found if people.are_named and name not in people.all]
    for student in strangers[:MANY]:
        like = people.likeliest(found[student].sender.name)
        hint = f"; most like {like.shown}" if like else ""
        say(f"Not in the roster, graded under an id of its own: {student}{hint}")
    if len(strangers) > MANY:
        say(f"And {len(strangers) - MANY} more that are not in the roster. Is it another class's?")


def _taken(course, unit, student, handed, release):
    """Put one student's notebook in place, and beside it what its name told."""
    arrival = take(course, unit, student, handed, release)
    arrival.sender = handed.sender
    if arrival.taken:
        if handed.files != [course.notebook("submitted", unit, student)]:
            forget_sender(course.aside(unit, student))
            if course.path("submitted", unit, student) not in [f.parent for f in handed.files]:
                forget_timestamp(course.path("submitted", unit, student))
        tell_sender(course.aside(unit, student), handed.sender, handed.entry)
        write_timestamp(course.path("submitted", unit, student), handed.sender)
    return arrival


def take(
    course: Course, unit: Unit, student: str, handed: Handed, release: NotebookNode
) -> Arrival:
    """Put one student's clean notebook in place, or the untouched release with the reason."""
    files, target = [*handed.files, *handed.earlier], course.notebook("submitted", unit, student)
    earlier, waiting = course.reason(unit, student), waiting_at(course, unit, student)
    if waiting.is_file() and all(course.root / "submitted" in file.parents for file in files):
        put_in_place(course, unit, student, files)  # an earlier intake was stopped half-way
        return Arrival(student, earlier)
    if files == [target] and still_refused(course, unit, student, release):
        return Arrival(student, earlier)
    try:
        with bounded():
            submission, reason = _read(handed, unit), ""
    except Unreadable as why:
        submission, reason = release, printable(str(why))
    except Exception as error:  # one student's file never stops the class
        again = functools.partial(read_submission, course.notebook("release", unit))
        try:
            submission, reason = release, reason_for("not readable", student, error, again)
        except OurFault as ours:
            return Arrival(student, str(ours), taken=False)
    try:
        if files != [target] or reason or earlier or not is_alone(target, submission):
            replace(course, unit, student, submission, reason, files)
    except OSError as error:  # one student's file never stops the class
        return Arrival(student, f"not taken in: {error.strerror}", taken=False)
    return Arrival(student, reason)


def _read(handed, unit):
    """Read the one notebook of a student, if it is one of this unit."""
    submission = read_submission(_only(handed))
    elsewhere = belongs_elsewhere(submission, unit)
    if elsewhere:
        raise Unreadable(f"this is {elsewhere}, not {unit.name}")
    return submission


def _rename_folders(course, unit, people):
    """Give students' folders in submitted/ the names that intake tells them by."""
    place = course.root / "submitted"
    for entry in sorted(place.iterdir()):
        plain = entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
        if entry.name in people.all:
            continue
        sender = sender_in(entry.name)
        person = people.find(sender)
        student = person.id if person else sender.plain_id
        if os.path.lexists(place / student) and sender.number:
            student = f"{sender.plain_id}-{sender.number}"  # another one of the same name
        if plain and not os.path.lexists(place / student):
            os.rename(entry, place / student)
            tell_sender(course.aside(unit, student), sender, entry.name)


def _only(handed):
    """Return the one file that counts; copies of one, as browsers make them, are one."""
    files = handed.files
    if not files:
        raise Unreadable(": ".join(["no notebook", *filter(None, [", ".join(handed.others)])]))
    if len(files) > 1 and not _are_copies(files):
        raise Unreadable(f"{len(files)} notebooks: {', '.join(file.name for file in files)}")
    return files[0]


def _are_copies(files):
    """Tell whether plain files of a bearable size hold the same bytes."""
    facts = [path.lstat() for path in files]
    if not all(stat.S_ISREG(one.st_mode) and one.st_size <= MAX_BYTES for one in facts):
        return False
    return len({path.read_bytes() for path in files}) == 1
