"""Sort what lies in a folder by student: notebooks to choose from, and what else was sent."""

__all__ = ["Handed", "contents", "handed_in"]

import collections
import dataclasses
import hashlib
import os
from pathlib import Path

from course_grader.intake.lms import Sender, free_id, sender_in, title_of, word_of
from course_grader.intake.people import People
from course_grader.intake.readings import Unclear, meant_by
from course_grader.project.course import Unit


@dataclasses.dataclass
class Handed:
    """What one student handed in to one unit.

    Attributes
    ----------
    sender : Sender
    entry : str
        The file's or folder's name, by which an LMS finds the student again.
    files : list of Path
        Notebooks, or what may hold one; of several attempts those of the latest.
    others : list of str
        Names of files that are none.
    earlier : list of Path
        Files of earlier attempts: kept, not graded.
    """

    sender: Sender
    entry: str
    files: list[Path]
    others: list[str] = dataclasses.field(default_factory=list)
    earlier: list[Path] = dataclasses.field(default_factory=list)


def handed_in(
    place: Path, unit: Unit, people: People
) -> tuple[dict[str, Handed], list[str], list[str]]:
    """Return {student: Handed}, names of files that tell of no student, and what is unclear.

    Files of one user of an LMS are one submission; names that somebody chose stay apart. A loose
    file takes the place of what lies in the folder of the same student. Words that Moodle keeps
    in a folder beside the one for files are no second submission.

    Parameters
    ----------
    place : Path
    unit : Unit
    people : People
        Whom the gradebook knows.
    """
    entries, pages, ignored, unclear = {}, {}, [], []
    paths = sorted(p for p in place.iterdir() if not p.name.startswith((".", "__MACOSX")))
    title = title_of([path.name for path in paths])
    canvas = any(sender_in(path.name, title).lms == "canvas" for path in paths)
    for path in paths:
        known = path.is_dir() and path.name in people.all
        sender = Sender(path.name) if known else sender_in(path.name, title)
        try:
            sender = (
                sender if path.is_dir() else meant_by(path.name, sender, people, canvas=canvas)
            )
        except Unclear as told:
            unclear.append(str(told))
            continue
        found = contents(path, unit, ours=not sender.lms)
        if found is None:
            continue
        if not path.is_dir() and not found[0] and not (sender.lms and sender.file):
            if sender.lms:  # Blackboard's own page of an attempt, which may be all there is
                pages[path] = Handed(sender, path.name, [], [path.name])
            else:
                ignored.append(path.name)
            continue
        entries[path] = Handed(sender, path.name, *found)
    with_files = {_key(one) for one in entries.values()}
    entries |= {path: one for path, one in pages.items() if _key(one) not in with_files}
    entries = _without_doubles(entries, people)
    return _by_student(list(entries.values()), people), ignored, unclear


def contents(path: Path, unit: Unit, *, ours: bool) -> tuple[list[Path], list[str]] | None:
    """Return notebooks and names of other files; None if it is no submission to this unit."""
    if path.is_symlink() or not path.is_dir():
        notebook = path.is_symlink() or _may_hold_one(path)
        return ([path], []) if notebook else ([], [path.name])
    folder = (
        path / unit.name if ours else path
    )  # an LMS's folder is one submission, whatever it holds
    if folder.is_symlink():
        return [folder], []
    if not folder.is_dir() and any((path / other).is_dir() for other in _unit_names(unit)):
        return None
    files = sorted(_files(folder if folder.is_dir() else path))
    notebooks = [file for file in files if _may_hold_one(file)]
    plain = [file for file in notebooks if file.suffix.lower() == ".ipynb"]
    return plain or notebooks, [file.name for file in files if file not in notebooks]


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


def _without_doubles(entries, people):
    """Leave out folders whose student has a loose file, and Moodle's words beside files."""
    loose = {_id_of(one.sender, people) for path, one in entries.items() if not path.is_dir()}
    present = {path.name for path in entries}

    def is_double(path, one):
        words = not one.files and _of_files(path.name) in present - {path.name}
        return words or (path.is_dir() and not one.sender.lms and path.name in loose)

    return {path: one for path, one in entries.items() if not is_double(path, one)}


def _of_files(name):
    """Return what Moodle calls the folder of files that belongs to a folder of words."""
    return name.replace("_assignsubmission_onlinetext", "_assignsubmission_file")


def _by_student(handed, people):
    """Return {student: Handed}; nobody's work is merged with another's."""
    groups = collections.defaultdict(list)
    for one in handed:
        groups[_key(one)].append(one)
    merged = [_merged(group) for group in groups.values()]
    meant = collections.Counter(_id_of(one.sender, people).casefold() for one in merged)
    found = {}
    for one in merged:
        student = _id_of(one.sender, people)
        if meant[student.casefold()] > 1:  # two senders are not one person
            student = _apart(one)
        found[free_id(student, found)] = one
    return found


def _key(one):
    """Return by what entries of one sender are known; a name that somebody chose stays alone."""
    sender = one.sender
    if not sender.lms:
        return one.entry
    return (sender.lms, sender.number or sender.name.casefold(), sender.name.casefold())


def _merged(group):
    """Return what one sender handed in: of several attempts, the latest counts."""
    latest = max(one.sender.when for one in group)
    last = [one for one in group if one.sender.when == latest]
    files = [file for one in last for file in one.files]
    others = [name for one in last for name in one.others]
    earlier = [file for one in group if one not in last for file in one.files]
    first = next((one for one in last if one.files), last[0])
    return Handed(first.sender, first.entry, files, others, earlier)


def _id_of(sender, people):
    """Return the id of the person who is meant, or one of the sender's own."""
    moodle, person = sender.lms == "moodle", people.find(sender)
    if moodle and sender.number in people.participants:
        return people.participants[sender.number]
    if person and moodle and person.id in people.participants.values():  # another one of the name
        return f"{sender.plain_id}-{sender.number}"
    if person:
        return person.id
    other = people.all.get(sender.plain_id)
    taken = sender.lms and other and (other.first_name or other.last_name or other.email)
    return f"{sender.plain_id}-{sender.number or sender.lms}" if taken else sender.plain_id


def _apart(one):
    """Return an id of its own for a sender whose name another one tells too."""
    sender = one.sender
    if sender.lms:
        return f"{word_of(sender.name)}-{sender.number}" if sender.number else sender.plain_id
    if sender.plain_id == one.entry:
        return one.entry
    return f"{sender.plain_id}-{hashlib.sha256(os.fsencode(one.entry)).hexdigest()[:6]}"
