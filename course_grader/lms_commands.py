"""What an instructor's commands do between an LMS and the gradebook: roster, dates, the way back.

Each takes the parsed arguments, and imports what it needs, so that the others start quickly.
"""

__all__ = [
    "due_command",
    "export_command",
    "feedback_command",
    "groups_command",
    "roster_command",
]

import argparse
import sys
from pathlib import Path

from course_grader.class_commands import course_of, directory_of
from course_grader.project.course import CourseError, find_unit


def roster_command(arguments: argparse.Namespace) -> None:
    """Enter who takes the course, from an LMS's list or a plain one."""
    from course_grader.gradebook.people import enter_people, people_of
    from course_grader.intake.roster import read_roster
    from course_grader.intake.roster_ids import merged
    from course_grader.reporting.people_table import people_table

    course = course_of(arguments)
    directory = directory_of(course)
    known = people_of(directory)
    people = merged(read_roster(Path(arguments.origin).expanduser()), known)
    enter_people(directory, people)
    print(people_table(people))
    new = sum(person.id not in known.all for person in people)
    print(f"\n{len(people)} students: {new} new, {len(people) - new} known before.")
    gone = known.all.keys() - {person.id for person in people}
    if gone:
        print(f"Known, and not in this roster; kept: {', '.join(sorted(gone))}")


def groups_command(arguments: argparse.Namespace) -> None:
    """Set or show which students hand in a unit together."""
    from course_grader.gradebook.group_work import groups_of, set_groups
    from course_grader.gradebook.people import people_of
    from course_grader.intake.groups import read_groups
    from course_grader.reporting.people_table import groups_told

    course, unit = course_of(arguments), find_unit(arguments.unit)
    directory = directory_of(course)
    people = people_of(directory)
    if arguments.origin == "none":
        set_groups(directory, unit.name, {})
    elif arguments.origin:
        groups = read_groups(Path(arguments.origin).expanduser(), people)
        set_groups(directory, unit.name, groups)
    print(groups_told(groups_of(directory, unit.name), people, unit))
    if arguments.origin:
        print(f"'make grade UNIT={unit.name[:2]}' applies it to what was handed in.")


def due_command(arguments: argparse.Namespace) -> None:
    """Set or show when a unit is due, for the class or for one student."""
    from course_grader.gradebook.deadlines import deadlines, moment, set_due
    from course_grader.gradebook.people import people_of

    course, unit = course_of(arguments), find_unit(arguments.unit)
    directory, student = directory_of(course), ""
    if arguments.student:
        student = people_of(directory).meant(arguments.student).id
    if arguments.when:
        when = None if arguments.when == "none" else moment(arguments.when)
        set_due(course, unit, directory, when, student)
    elif student:
        raise CourseError('A student\'s own time needs WHEN="2027-01-31 23:59"')
    due, own = deadlines(unit, directory)
    print(f"{unit.name}: due {_shown(due)}")
    for one, until in sorted(own.items()):
        print(f"  {one}: {_shown(until)}")
    if own and due is None:
        print("Without a date for the class these only lift an LMS's mark of lateness.")
    if arguments.when:
        print(f"'make grade UNIT={unit.name[:2]}' applies it to what was handed in.")


def _shown(moment):
    if moment is None:
        return "never"
    here = moment.astimezone()
    return f"{here:%A, %d %B %Y, %H:%M} {here.tzname()} ({moment:%Y-%m-%d %H:%M} UTC)"


def export_command(arguments: argparse.Namespace) -> None:
    """Write the gradebook for an LMS, and name those whose last submission is not in it."""
    from course_grader.gradebook.exporters import export
    from course_grader.gradebook.hand_back import moodle_worksheet
    from course_grader.gradebook.record import ungraded

    course = course_of(arguments)
    directory = directory_of(course)
    path = course.root / "records" / f"{arguments.to}.csv"
    path.parent.mkdir(exist_ok=True)
    if arguments.to == "moodle-worksheet":
        if not arguments.unit:
            raise CourseError("Moodle has a worksheet for each assignment: UNIT=01")
        moodle_worksheet(course, find_unit(arguments.unit), directory, path)
    else:
        only = [find_unit(arguments.unit).name] if arguments.unit else []
        place = {"db_url": directory.db_url, "course_id": directory.course_id}
        export(arguments.to, **place, to=path, missing=arguments.missing, only=only)
    print(f"Written: {path}")
    for name, what in ungraded(course.root / "records"):
        print(f"Not of the last submission: {name}: {what}. Grade again.", file=sys.stderr)


def feedback_command(arguments: argparse.Namespace) -> None:
    """Write a zip of feedback pages that an LMS takes back."""
    from course_grader.gradebook.hand_back import feedback_zip

    course, unit = course_of(arguments), find_unit(arguments.unit)
    path = course.root / "records" / f"feedback-{arguments.to}-{unit.name[:2]}.zip"
    others = feedback_zip(course, unit, arguments.to, path)
    print(f"Written: {path}")
    if others:
        print(f"Not in a zip from {arguments.to}, so not in this one: {', '.join(others)}")
