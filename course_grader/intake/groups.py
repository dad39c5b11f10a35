"""Group work: one hand-in of any member counts for each member of the group.

Each member has a copy in a place of their own, and so a record, points and feedback. Which are
copies is noted beside them: a later hand-in of anybody's own is never taken for one.
"""

__all__ = ["GROUP", "read_groups", "share"]

import collections
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from course_grader.intake.arrival_notes import Arrival, forget_timestamp, read_sender, tell_sender
from course_grader.intake.lms import Sender
from course_grader.intake.people import People
from course_grader.intake.placing import holds, replace
from course_grader.intake.roster import csv_rows, printed
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError, Unit

GROUP = "group"  # stands where a note names the LMS
MAX_NAME = 100  # letters of a group's name


def read_groups(path: Path, people: People) -> dict[str, str]:
    """Return {student: group} of a CSV file with the titles student and group.

    Parameters
    ----------
    path : Path
    people : People
        Whom the gradebook knows; a student may be named by id, login, email or name.

    Raises
    ------
    CourseError
        If a title is missing, a student is not known, or is in two groups, or nobody is in one.
    """
    titles, *rows = csv_rows(path)
    titles = [title.strip().casefold() for title in titles]
    if not {"student", "group"} <= set(titles):
        told = ", ".join(titles[:8])
        raise CourseError(f"{path}: the titles are {told}; needed are student and group")
    groups = {}
    for row in rows:
        words = dict(zip(titles, map(printed, row), strict=False))
        student = people.meant(words.get("student", "")).id
        group = words.get("group", "")
        if len(group) > MAX_NAME:
            raise CourseError(f"{path}: the group of {student} has a name of {len(group)} letters")
        if group and groups.setdefault(student, group) != group:
            raise CourseError(f"{path}: {student} is in {groups[student]} and in {group}")
    if not groups:
        raise CourseError(f"{path} puts nobody in a group. FROM=none ends all groups.")
    return groups


def share(
    course: Course,
    unit: Unit,
    arrivals: list[Arrival],
    groups: Mapping[str, str],
    say: Callable[[str], object],
) -> list[Arrival]:
    """Put the one hand-in of a group in each member's place.

    Parameters
    ----------
    course : Course
    unit : Unit
    arrivals : list of Arrival
        What was taken in.
    groups : dict
        {student: group}.
    say : callable
        Is told of each group with two hand-ins that differ: nothing of it is shared.

    Returns
    -------
    list of Arrival
        By student, with those of members who handed in nothing themselves.
    """
    found, teams = {one.student: one for one in arrivals}, collections.defaultdict(list)
    for student, group in sorted(groups.items()):
        teams[group].append(student)
    for group, members in sorted(teams.items()):
        own = [m for m in members if m in found and _is_own(course, unit, found[m])]
        if len({_content(course, unit, student) for student in own}) > 1:
            say(_differ(group, own, members))
        elif own:
            others = [member for member in members if member not in own]
            found |= {member: _copied(course, unit, found[own[0]], member) for member in others}
    return [found[student] for student in sorted(found)]


def _differ(group, own, members):
    others = [member for member in members if member not in own]
    rest = f" For {', '.join(others)} nothing new counts." if others else ""
    return (
        f"Group {group}: {', '.join(own)} handed in notebooks that differ; each counts for its "
        f"own sender alone.{rest} Take in the right one by itself, and it counts for all."
    )


def _is_own(course, unit, arrival):
    """Tell whether what lies in a student's place is no copy that we put there."""
    sender, _ = read_sender(course.aside(unit, arrival.student))
    copy = sender and sender.lms == GROUP and sender.number == _hash(course, unit, arrival.student)
    return arrival.taken and not copy


def _content(course, unit, student):
    return course.reason(unit, student), _hash(course, unit, student)


def _hash(course, unit, student):
    path = course.notebook("submitted", unit, student)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else ""


def _copied(course, unit, arrival, member):
    """Put a copy of what was taken in in a member's place; return the member's Arrival."""
    student, aside = arrival.student, course.aside(unit, member)
    source, target = (course.notebook("submitted", unit, one) for one in (student, member))
    notebook = notebooks.load(source)
    try:
        if not (holds(target, notebook) and course.reason(unit, member) == arrival.reason):
            replace(course, unit, member, notebook, arrival.reason, [])
        when = source.with_name("timestamp.txt")
        forget_timestamp(target.parent)
        if when.is_file():
            target.with_name(when.name).write_bytes(when.read_bytes())
        told = read_sender(course.aside(unit, student))[0] or Sender(student)
        mark = _hash(course, unit, member)
        sender = dataclasses.replace(told, name=student, lms=GROUP, number=mark)
        tell_sender(aside, sender, student)
    except OSError as error:  # one student's place never stops the class
        return dataclasses.replace(
            arrival, student=member, reason=f"not taken in: {error.strerror}", taken=False
        )
    return dataclasses.replace(arrival, student=member, sender=sender)
