"""Write the gradebook as the files that Canvas and Moodle import.

nbgrader export --exporter=course_grader.gradebook.exporters.CanvasExporter --to=canvas.csv
"""

__all__ = ["EXPORTERS", "CanvasExporter", "MoodleExporter", "export", "harmless"]

import csv

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Exporter(ExportPlugin):
    """One row for each student, one column for each assignment; no submission, no number."""

    def export(self, gradebook):
        """Write the file."""
        assignments = [a for a in gradebook.assignments if not self.assignment or self._wants(a)]
        students = [s for s in gradebook.students if not self.student or s.id in self.student]
        with open(self.to, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows([harmless(word) for word in row] for row in self.head(assignments))
            for student in sorted(students, key=lambda student: student.id):
                scores = [_score(gradebook, one.name, student.id) for one in assignments]
                writer.writerow([*map(harmless, self.who(student)), *scores])

    def _wants(self, assignment):
        return assignment.name in self.assignment


class CanvasExporter(_Exporter):
    """Canvas: Grades, Import; assignments that Canvas does not know it offers to create."""

    def head(self, assignments):
        """Return the titles, and Canvas's row of points possible."""
        titles = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        possible = ["Points Possible", "", "", "", ""]
        return [
            [*titles, *(one.name for one in assignments)],
            [*possible, *(one.max_score for one in assignments)],
        ]

    def who(self, student):
        """Return name, Canvas's own number where the id is one, login, and no section."""
        name = ", ".join(filter(None, [student.last_name, student.first_name])) or student.id
        number = student.id if student.id.isdigit() else ""
        return [name, number, student.lms_user_id or "", student.id, ""]


class MoodleExporter(_Exporter):
    """Moodle: Grades, Import, CSV file; map each column to a grade item once."""

    def head(self, assignments):
        """Return the titles."""
        titles = ["username", "idnumber", "firstname", "lastname", "email"]
        return [[*titles, *(one.name for one in assignments)]]

    def who(self, student):
        """Return what Moodle may map a user by."""
        names = student.first_name, student.last_name, student.email
        return [student.id, student.lms_user_id or "", *(name or "" for name in names)]


EXPORTERS = {"canvas": CanvasExporter, "moodle": MoodleExporter}


def export(kind, *, db_url, course_id, to):
    """Write a gradebook in one of the EXPORTERS' formats.

    Parameters
    ----------
    kind : str
        A key of EXPORTERS.
    db_url, course_id : str
        The gradebook.
    to : Path
        The file.
    """
    exporter = EXPORTERS[kind]()
    exporter.to = str(to)
    with Gradebook(db_url, course_id) as gradebook:
        exporter.export(gradebook)


def harmless(word):
    """Return a cell's value; text that a spreadsheet would compute is quoted.

    Examples
    --------
    >>> harmless("=1+1"), harmless(-1.5)
    ("'=1+1", -1.5)
    """
    return f"'{word}" if isinstance(word, str) and word.startswith(FORMULA) else word


def _score(gradebook, assignment, student):
    """Return the points after a late penalty; '' where nothing was handed in."""
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return ""
    return max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
