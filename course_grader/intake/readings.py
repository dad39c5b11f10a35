"""Whose a file of Canvas' is, where its name may be read in several ways.

Canvas joins sortable name, user's number, file's number and file's name by underscores, and
anybody may set a name, or call a file, with numbers between underscores. The roster decides.
"""

__all__ = ["Unclear", "meant_by"]

import re

from course_grader.intake.lms import Sender
from course_grader.intake.people import People

PARTS = re.compile(r"(?=(?P<late>_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+))", re.I | re.S)


class Unclear(Exception):
    """A name that two students of the roster may have; the message names both."""


def meant_by(name: str, sender: Sender, people: People, *, canvas: bool) -> Sender:
    """Return what the name of a file tells, of several readings the one that the roster knows.

    Parameters
    ----------
    name : str
    sender : Sender
        By the first reading.
    people : People
        Whom the gradebook knows.
    canvas : bool
        Whether it, or another name beside it, is certainly Canvas'.

    Raises
    ------
    Unclear
        If two readings are students' of the roster: one of them may have meant to be the other.
    """
    if sender.lms not in ("", "canvas") or sender.name == "anon":
        return sender
    readings = _readings(name)
    known = {people.numbered(one.number): one for one in reversed(readings)}
    known.pop(None, None)
    if not canvas:  # somebody chose the name, unless it is the student's own
        known = {who: one for who, one in known.items() if who in people.named(one.name)}
    if len(known) > 1:
        raise Unclear(_both(name, known))
    named = [one for one in readings if not people.numbered(one.number) and people.find(one)]
    if found := [*known.values(), *named]:
        return found[0]
    return readings[0] if canvas and readings and not sender.lms else sender


def _readings(name):
    """Return all that a name may tell if Canvas wrote it, those with the shortest name first."""
    told = [(name[: one.start()], one["late"], one) for one in PARTS.finditer(name)]
    return [
        Sender(before, "canvas", one["number"], late=bool(late), file=one["file"])
        for before, late, one in told
        if before and not before.upper().endswith("_LATE")
    ]


def _both(name, known):
    told = [f"{person.shown} with the file {one.file}" for person, one in known.items()]
    return (
        f"Left out, it may be of two students: {name}: of {' or of '.join(reversed(told))}. "
        "Ask, rename it to ID.ipynb, and take it in from a folder of its own."
    )
