"""What goes back to an LMS: feedback in a zip that it takes, and Moodle's grading worksheet.

Canvas (Upload Submissions; infer_comment_context_from_filename in its assignment model) finds the
student and the submitted file by the first two numbers of a name that lie between underscores:
our page keeps what the zip gave, but for underscores of the student's own name. Moodle
(mod/assign/feedback/file/importziplib.php) reads name_participant_plugintype_plugin of a folder;
its worksheet (mod/assign/feedback/offline/importgradeslib.php) is told by Identifier, Grade and
Last modified (grade), in the language of the site: here English.
"""

__all__ = ["feedback_zip", "moodle_worksheet"]

import csv
import dataclasses
import re
import zipfile
from datetime import datetime
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from traitlets.config import Config

from course_grader.gradebook.exporters import harmless
from course_grader.gradebook.final_points import possible_of, standings_of
from course_grader.gradebook.people import people_in
from course_grader.intake.arrival_notes import read_sender
from course_grader.intake.lms import ENDING, Sender
from course_grader.project.course import Course, CourseError, Unit

WORKSHEET = [
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum grade",
    "Grade can be changed",
    "Last modified (grade)",
]


@dataclasses.dataclass
class _Sent:
    """One student's submission to a unit as the LMS named it."""

    student: str
    sender: Sender
    entry: str


def feedback_zip(course: Course, unit: Unit, lms: str, path: Path) -> list[str]:
    """Write a zip of feedback pages that an LMS takes back.

    Parameters
    ----------
    course : Course
    unit : Unit
    lms : str
        canvas or moodle.
    path : Path
        The zip file.

    Returns
    -------
    list of str
        Students who have feedback, but whose submission did not come in a zip of that LMS.

    Raises
    ------
    CourseError
        If nobody's did.
    """
    pages = sorted((course.root / "feedback").glob(f"*/{unit.name}/{unit.name}.html"))
    sent = {one.student: one for one in _sent(course, unit, lms)}
    packed = {page: sent.get(page.parents[1].name) for page in pages}
    if not any(packed.values()):
        raise CourseError(
            f"{unit.name}: no feedback of a submission that came in a zip from {lms}. "
            "'make grade UNIT=... FROM=its.zip' takes one in, and writes feedback."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for page, one in packed.items():
            if one:
                archive.write(page, _member(one, unit))
    return [page.parents[1].name for page, one in packed.items() if not one]


def _sent(course, unit, lms):
    """Yield the submissions to a unit that came from an LMS."""
    for aside in sorted((course.root / "submitted" / ".originals").glob(f"*/{unit.name}")):
        sender, entry = read_sender(aside)
        if sender and sender.lms == lms and _is_found_again(entry, lms):
            yield _Sent(aside.parent.name, sender, entry)


def _is_found_again(entry, lms):
    """Tell whether the LMS finds a submission by its name: Canvas not what was typed or linked."""
    return lms != "canvas" or len(re.findall(r"(?<=_)\d+(?=_)", entry)) > 1


def _member(one, unit):
    """Return the name by which the LMS knows whose page it is."""
    if one.sender.lms == "moodle":
        name = f"{one.sender.name}_{one.sender.number}_assignsubmission_file_"
        return f"{name}/{unit.name}.html"
    name = one.sender.name  # numbers that somebody has chosen for it come before those that count
    entry = f"{name.replace('_', '')}{one.entry.removeprefix(name)}"
    return f"{re.sub(f'{ENDING}$', '', entry, flags=re.IGNORECASE)}.html"


def moodle_worksheet(course: Course, unit: Unit, directory: Config, path: Path) -> None:
    """Write Moodle's grading worksheet of a unit, for the participants of its zip.

    Parameters
    ----------
    course : Course
    unit : Unit
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    path : Path
        The CSV file.

    Raises
    ------
    CourseError
        If no submission came from Moodle: only its zip tells the participants' numbers.
    """
    sent = list(_sent(course, unit, "moodle"))
    if not sent:
        raise CourseError(
            f"{unit.name}: no submission came in a zip from Moodle, which alone tells the "
            "participants' numbers. TO=moodle writes all students for Grades, Import."
        )
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        people = {person.id: person for person in people_in(gradebook.db)}
        try:
            assignment = gradebook.find_assignment(unit.name)
        except MissingEntry:
            raise CourseError(f"{unit.name} was never graded: 'make grade' first") from None
        most = possible_of(gradebook, assignment)
        standings = standings_of(gradebook, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(WORKSHEET)
        for one in sent:
            row = _row(one, people.get(one.student), standings.get(one.student), most)
            writer.writerow(map(harmless, row))


def _row(one, person, standing, most):
    when = datetime.now().strftime("%A, %d %B %Y, %I:%M %p")
    email = person.email if person else ""
    grade = "" if standing is None else standing.of(most)
    status = "Submitted for grading"
    return [
        f"Participant {one.sender.number}",
        one.sender.name,
        email,
        status,
        grade,
        most,
        "Yes",
        when,
    ]
