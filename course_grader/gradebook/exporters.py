"""Write the gradebook as the files that Canvas, Moodle and Blackboard import.

nbgrader export --exporter=course_grader.gradebook.exporters.CanvasExporter --to=canvas.csv

What an importer looks for: Canvas (lib/gradebook_importer.rb) finds a student by ID, else by SIS
User ID, by SIS Login ID, by name; titles begin with Student, ID, and Section comes last before
the assignments. Moodle (Grades, Import, CSV) maps users by username, ID number or email address.
Blackboard wants Username, and takes any other column for a new one.
"""

__all__ = [
    "EXPORTERS",
    "BlackboardExporter",
    "CanvasExporter",
    "MoodleExporter",
    "export",
    "full_name",
    "harmless",
]

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from course_grader.gradebook.final_points import possible_of, standings_of
from course_grader.gradebook.people import people_in
from course_grader.intake.people import Person

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Exporter(ExportPlugin):
    """One row for each student, one column for each assignment."""

    missing = Unicode("", help="what stands where nothing was handed in, such as 0").tag(
        config=True
    )

    def export(self, gradebook):
        """Write the file."""
        assignments = [a for a in gradebook.assignments if not self.assignment or self._wants(a)]
        people = people_in(gradebook.db)
        chosen = [p for p in people if not self.student or p.id in self.student]
        possible = [possible_of(gradebook, one) for one in assignments]
        standings = [standings_of(gradebook, one) for one in assignments]
        with open(self.to, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            head = self.head([one.name for one in assignments], possible)
            writer.writerows([harmless(word) for word in row] for row in head)
            for person in sorted(chosen, key=lambda person: person.id):
                found = [its.get(person.id) for its in standings]
                both = zip(found, possible, strict=True)
                told = [self.missing if one is None else one.of(most) for one, most in both]
                writer.writerow([*map(harmless, self.who(person)), *told])

    def _wants(self, assignment):
        return assignment.name in self.assignment


class CanvasExporter(_Exporter):
    """Canvas: Grades, Import; assignments that Canvas does not know it offers to create."""

    def head(self, names: Sequence[str], possible: Sequence[float]) -> list[list[Any]]:
        """Return the titles, and Canvas's row of points possible."""
        titles = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        return [[*titles, *names], ["Points Possible", "", "", "", "", *possible]]

    def who(self, person: Person) -> list[str]:
        """Return name, Canvas's number, school's number, login and section.

        Who has neither number nor login is known by our id, which is a login where the course
        has taken its students from a hub.
        """
        number = person.lms_id or (person.id if person.id.isdigit() else "")
        login = person.login or ("" if number else person.id)
        return [full_name(person), number, person.sis_id, login, person.section]


class MoodleExporter(_Exporter):
    """Moodle: Grades, Import, CSV file; map each column to a grade item once."""

    def head(self, names: Sequence[str], possible: Sequence[float]) -> list[list[Any]]:
        """Return the titles."""
        titles = ["username", "idnumber", "firstname", "lastname", "email"]
        return [[*titles, *names]]

    def who(self, person: Person) -> list[str]:
        """Return what Moodle may map a user by."""
        number = person.sis_id or person.lms_id
        names = [person.first_name, person.last_name, person.email]
        return [person.login or person.id, number, *names]


class BlackboardExporter(_Exporter):
    """Blackboard: Gradebook, Upload; each new column is taken in as one of the gradebook's."""

    def head(self, names: Sequence[str], possible: Sequence[float]) -> list[list[Any]]:
        """Return the titles; points possible stand in them."""
        titles = ["Last Name", "First Name", "Username", "Student ID"]
        pairs = zip(names, possible, strict=True)
        graded = [f"{name} [Total Pts: {points:g} Score]" for name, points in pairs]
        return [[*titles, *graded]]

    def who(self, person: Person) -> list[str]:
        """Return what Blackboard finds a user by: the user name."""
        return [person.last_name, person.first_name, person.login or person.id, person.sis_id]


EXPORTERS = {
    "canvas": CanvasExporter,
    "moodle": MoodleExporter,
    "blackboard": BlackboardExporter,
}


def export(
    kind: str,
    *,
    db_url: str,
    course_id: str,
    to: Path,
    missing: str = "",
    only: Sequence[str] = (),
) -> None:
    """Write a gradebook in one of the EXPORTERS' formats.

    Parameters
    ----------
    kind : str
        A key of EXPORTERS.
    db_url, course_id : str
        The gradebook.
    to : Path
        The file.
    missing : str
        What stands where nothing was handed in.
    only : list of str
        Names of assignments; default: all.
    """
    exporter = EXPORTERS[kind](missing=missing, assignment=list(only))
    exporter.to = str(to)
    with Gradebook(db_url, course_id) as gradebook:
        exporter.export(gradebook)


def harmless(word: object) -> object:
    """Return a cell's value; text that a spreadsheet would compute is quoted.

    Examples
    --------
    >>> harmless("=1+1"), harmless(-1.5)
    ("'=1+1", -1.5)
    """
    return f"'{word}" if isinstance(word, str) and word.startswith(FORMULA) else word


def full_name(student: Any) -> str:
    """Return a student's name in the gradebook, "Last, First"; the id where there is none."""
    return ", ".join(filter(None, [student.last_name, student.first_name])) or student.id
