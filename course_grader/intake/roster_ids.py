"""Give the persons of a roster their ids: who is known keeps one, a new person gets one."""

__all__ = ["merged"]

import dataclasses
import re

from course_grader.intake.lms import Sender, free_id, word_of
from course_grader.intake.people import People, Person
from course_grader.project.course import CourseError


def merged(roster: list[Person], known: People) -> list[Person]:
    """Return the persons of a roster with ids: those that the gradebook knows keep theirs.

    Parameters
    ----------
    roster : list of Person
    known : People

    Returns
    -------
    list of Person
        New persons get the id that a submission of theirs would: name and number of Canvas, the
        login, the address, or the name.
    """
    taken, people = set(known.all), {}
    for person in roster:
        earlier = _known(person, known, people)
        student = earlier.id if earlier else free_id(_new_id(person), taken)
        if student in people:
            raise CourseError(f"Two rows of the roster are one student: {people[student].shown}")
        taken.add(student)
        people[student] = dataclasses.replace(person, id=student)
    return list(people.values())


def _known(person, known, met):
    """Return whom of the gradebook a row means: by id, number, login, address, or the name."""
    if person.id in known.all:
        return known.all[person.id]
    canvas = Sender("", "canvas", person.lms_id) if person.lms_id else None
    numbered = known.find(canvas) if canvas else None
    if numbered:
        return numbered
    for key in ("sis_id", "login", "email"):  # each among its own kind only
        word = getattr(person, key).casefold()
        same = [one for one in known.all.values() if word and getattr(one, key).casefold() == word]
        same += [known.all[word]] if not same and word in known.all else []
        if len(same) == 1 and not _differ(same[0], person, but=key) and _one_name(same[0], person):
            return same[0]
    same = known.named(f"{person.first_name}{person.last_name}")
    both = f"{person.first_name} {person.last_name}", f"{person.last_name} {person.first_name}"
    bare = [
        known.all.get(word_of(name.strip())) for name in both
    ]  # ids of before there was a roster
    same += [one for one in bare if one and not (one.first_name or one.last_name or one.login)]
    return next((one for one in same if one.id not in met and not _differ(one, person)), None)


def _one_name(one, other):
    """Tell whether two may be one person by name: one has none, or a part of it is the same."""
    parts = [{*f"{p.first_name} {p.last_name}".casefold().split()} for p in (one, other)]
    return not all(parts) or bool(parts[0] & parts[1])


def _differ(one, other, but=""):
    """Tell whether two of one name are two people: what both have a word for is not the same."""
    keys = {"lms_id", "login", "email", "sis_id"} - {but} if not but else {"lms_id"}
    pairs = [(getattr(one, key), getattr(other, key)) for key in keys]
    return any(a and b and a.casefold() != b.casefold() for a, b in pairs)


def _new_id(person):
    if person.id:
        if person.id != word_of(person.id):  # no path, nothing that nbgrader takes for a pattern
            raise CourseError(
                f"The id '{person.id}' cannot be the name of a folder; '{word_of(person.id)}' can"
            )
        return person.id
    if person.lms_id:
        name = re.sub(r"\W", "", f"{person.last_name}{person.first_name}").lower()
        return Sender(name or "student", "canvas", person.lms_id).plain_id
    name = f"{person.first_name} {person.last_name}".strip()
    return word_of(person.login or person.email or name)
