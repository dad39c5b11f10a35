"""Read who takes the course from Canvas' gradebook, Moodle's participants or a plain CSV file.

Canvas (Grades, Export): Student as "Last, First", ID, SIS User ID, SIS Login ID, Section; below
the titles a row of points possible. Moodle (Participants, Download as CSV): first name, last
name, email address, ID number, in the site's language and order. Plain: any of our own titles.
"""

__all__ = ["merged", "read_roster"]

import csv
import dataclasses
import io
import itertools
import re
from pathlib import Path

from course_grader.intake.lms import Sender, word_of
from course_grader.intake.people import Person
from course_grader.project.course import CourseError

TITLES = {  # of a column, without spaces and signs: what it holds
    "firstname": "first_name", "vorname": "first_name", "prénom": "first_name",
    "nombre": "first_name", "givenname": "first_name",
    "lastname": "last_name", "nachname": "last_name", "nom": "last_name",
    "nomdefamille": "last_name", "apellidos": "last_name", "surname": "last_name",
    "familyname": "last_name",
    "email": "email", "emailaddress": "email", "emailadresse": "email", "mail": "email",
    "adressedecourriel": "email", "direcciónemail": "email",
    "lmsid": "lms_id", "lmsuserid": "lms_id", "canvasid": "lms_id",
    "sisuserid": "sis_id", "sisid": "sis_id", "idnumber": "sis_id", "idnummer": "sis_id",
    "studentid": "sis_id", "numérodidentification": "sis_id", "númerodeid": "sis_id",
    "sisloginid": "login", "login": "login", "username": "login", "anmeldename": "login",
    "section": "section", "groups": "section", "group": "section",
    "name": "name", "fullname": "name", "student": "name", "vollständigername": "name",
    "id": "id",
}  # fmt: skip


def read_roster(path):
    """Return the persons of a CSV file, without ids of ours.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Person
        `id` is empty but where a plain file gives it.

    Raises
    ------
    CourseError
        If the file cannot be read, or no column tells a name, a login, an address or an id.
    """
    titles, *rows = _rows(path)
    names = {"Student"} & set(titles) or {"LastName", "FirstName"} <= set(titles)
    canvas = "ID" in titles and bool(names)
    keys = [_key(title, canvas=canvas) for title in titles]
    if not set(keys) & {"name", "last_name", "login", "email", "id"}:
        raise CourseError(
            f"{path}: none of the titles {', '.join(titles[:8])} tells a name, login, email "
            "address or id. Give Canvas' gradebook, Moodle's participants, or a CSV file with "
            "such titles as id, first_name, last_name, email, login, lms_id, sis_id, section."
        )
    told = [dict(zip(keys, map(str.strip, row), strict=False)) for row in rows]
    people = [_person(words) for words in told if _is_student(words)]
    if not people:
        raise CourseError(f"{path} names nobody: there are titles, and no rows below them.")
    return people


def _rows(path):
    """Return the rows of a CSV file, whatever separates its cells."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}") from None
    if content.startswith(b"PK"):
        raise CourseError(f"{path} is a spreadsheet, or another packed file: save it as CSV")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise CourseError(
            f"{path} is empty; a roster has a row of titles and one for each student"
        )
    return rows


def _key(title, *, canvas):
    """Return what a column holds; '' for what is no part of a roster."""
    word = re.sub(r"[\W_]+", "", title).casefold()
    if canvas and word == "id":
        return "lms_id"
    return TITLES.get(word, "")


def _is_student(words):
    """Tell a student's row from Canvas' points possible, manual posting, and test student."""
    both = [words.get("last_name"), words.get("first_name")]
    name = words.get("name") or ", ".join(filter(None, both))
    others = "points possible" in name.casefold() or name == "Student, Test"
    return not others and any(
        words.get(key) for key in ("name", "last_name", "first_name", "login", "email", "id")
    )


def _person(words):
    if words.get("name") and not words.get("last_name"):
        words = words | _parts_of(words["name"])
    known = [field.name for field in dataclasses.fields(Person)]
    return Person(**{"id": ""} | {key: word for key, word in words.items() if key in known})


def _parts_of(name):
    """Split "Last, First", or at the last space."""
    last, comma, first = name.partition(",")
    if not comma:
        first, _, last = name.rpartition(" ")
    return {"first_name": first.strip(), "last_name": last.strip()}


def merged(roster, known):
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
        student = earlier.id if earlier else _free(_new_id(person), taken)
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
    words = [Sender(word) for word in (person.login, person.email, person.sis_id) if word]
    certain = [known.find(one) for one in [canvas, *words] if one]
    if any(certain):
        return next(filter(None, certain))
    same = known.named(f"{person.first_name}{person.last_name}")
    return next((one for one in same if one.id not in met and not _differ(one, person)), None)


def _differ(one, other):
    """Tell whether two of one name are two people: what both have a word for is not the same."""
    keys = ("lms_id", "login", "email", "sis_id")
    pairs = [(getattr(one, key), getattr(other, key)) for key in keys]
    return any(a and b and a.casefold() != b.casefold() for a, b in pairs)


def _new_id(person):
    if person.id:
        if person.id != Path(person.id).name or person.id.startswith("."):
            raise CourseError(f"The id '{person.id}' cannot be the name of a folder")
        return person.id
    if person.lms_id:
        name = re.sub(r"\W", "", f"{person.last_name}{person.first_name}").lower()
        return Sender(name or "student", "canvas", person.lms_id).plain_id
    name = f"{person.first_name} {person.last_name}".strip()
    return word_of(person.login or person.email or name)


def _free(student, taken):
    numbered = (f"{student}-{n}" for n in itertools.count(2))
    return next(s for s in itertools.chain([student], numbered) if s not in taken)
