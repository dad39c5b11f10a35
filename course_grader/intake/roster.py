"""Read who takes the course from Canvas' gradebook, Moodle's participants or a plain CSV file.

Canvas (Grades, Export): Student as "Last, First", ID, SIS User ID, SIS Login ID, Section; below
the titles a row of points possible. Moodle (Participants, Download as CSV): first name, last
name, email address, ID number, in the site's language and order. Plain: any of our own titles.
"""

__all__ = ["csv_rows", "printed", "read_roster"]

import codecs
import csv
import dataclasses
import io
import re
from pathlib import Path

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


def read_roster(path: Path) -> list[Person]:
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
    titles, *rows = csv_rows(path)
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
    people = [_person(words) for words in told if _is_student(words, canvas=canvas)]
    if not people:
        raise CourseError(f"{path} names nobody: there are titles, and no rows below them.")
    return people


def csv_rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file that are not empty, whatever separates its cells.

    Parameters
    ----------
    path : Path

    Raises
    ------
    CourseError
        If it cannot be read, or has none.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}") from None
    if content.startswith(b"PK"):
        raise CourseError(f"{path} is a spreadsheet, or another packed file: save it as CSV")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV file that can be read: {error}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise CourseError(f"{path} is empty; needed are a row of titles and one for each student")
    return rows


def printed(word: str) -> str:
    """Return a word without what a terminal would obey.

    Examples
    --------
    >>> printed(" red\\x1b[31m ")
    'red[31m'
    """
    return "".join(c for c in word if c.isprintable()).strip()


def _key(title, *, canvas):
    """Return what a column holds; '' for what is no part of a roster."""
    word = re.sub(r"[\W_]+", "", title).casefold()
    if canvas and word == "id":
        return "lms_id"
    return TITLES.get(word, "")


def _is_student(words, *, canvas):
    """Tell a student's row from Canvas' points possible, manual posting, and test student."""
    both = [words.get("last_name"), words.get("first_name")]
    name = words.get("name") or ", ".join(filter(None, both))
    others = "points possible" in name.casefold() or (canvas and name == "Student, Test")
    return not others and any(
        words.get(key) for key in ("name", "last_name", "first_name", "login", "email", "id")
    )


def _person(words):
    if words.get("name") and not words.get("last_name"):
        words = words | _parts_of(words["name"])
    known = [field.name for field in dataclasses.fields(Person)]
    return Person(**{"id": ""} | {k: printed(word) for k, word in words.items() if k in known})


def _parts_of(name):
    """Split "Last, First", or at the last space."""
    last, comma, first = name.partition(",")
    if not comma:
        first, _, last = name.rpartition(" ")
    return {"first_name": first.strip(), "last_name": last.strip()}
