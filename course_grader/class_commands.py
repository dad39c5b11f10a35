"""What an instructor's commands do with a class: each takes the parsed arguments.

A command imports what it needs, so that the others start quickly.
"""

__all__ = [
    "adjust_command",
    "class_report_command",
    "course_of",
    "directory_of",
    "exercises_command",
    "grade_command",
    "withdraw_command",
    "words_command",
]

import argparse
import sys
from pathlib import Path
from typing import Any

from course_grader.project.course import Course, CourseError, find_unit


def course_of(arguments: argparse.Namespace) -> Course:
    """Return the course folder that --course names."""
    return Course(Path(arguments.course).resolve())


def directory_of(course: Course) -> Any:
    """Return nbgrader's course directory: where the gradebook is."""
    from course_grader.gradebook.one_submission import config_of

    return config_of(course).CourseDirectory


def grade_command(arguments: argparse.Namespace) -> int | None:
    """Grade a class; or show what that would change."""
    from course_grader.authoring.staleness import tell_if_stale

    course, unit = course_of(arguments), find_unit(arguments.unit)
    options = {name: vars(arguments)[name] for name in ("origin", "unsafe", "scheduler")}
    options["workers"] = _processes(arguments.workers)
    tell_if_stale(unit, course)
    return (_preview if arguments.preview else _grade)(course, unit, options)


def _processes(word):
    """Return how many processes WORKERS asks for; None where it says nothing."""
    if word is None:
        return None
    if not (word.isdecimal() and int(word)):
        raise CourseError(f"WORKERS={word}: give a number of processes, 1 or more")
    return int(word)


def _grade(course, unit, options):
    from course_grader.gradebook.grade import grade
    from course_grader.gradebook.one_submission import log_of
    from course_grader.gradebook.saving import write_feedback
    from course_grader.gradebook.waiting import waiting_words
    from course_grader.reporting import table as told
    from course_grader.reporting.points_file import write_points

    graded = grade(course, unit, **options)
    print(told.table(graded))
    said = write_points(course, unit)
    write_feedback(course, unit)
    print(f"\n{said}" if said else "")
    print(f"Written: gradebook, feedback/, records/{unit.name}.csv, a JSON record for each")
    if waits := waiting_words(course, unit):
        print(told.waiting_told(waits, unit))
    if any(result.problem for result in graded):
        print(f"\n{told.errors_told(graded, log_of(course, unit))}", file=sys.stderr)
        return 1
    return 0


def adjust_command(arguments: argparse.Namespace) -> None:
    """Void an exercise or give its points to all; without --apply, show what that changes."""
    from course_grader.gradebook.adjusting import changes_by, in_force
    from course_grader.gradebook.adjustments import adjust
    from course_grader.reporting.points_file import changes_told, write_points

    course, unit = course_of(arguments), find_unit(arguments.unit)
    directory, exercise, kind = directory_of(course), arguments.exercise, vars(arguments)["as"]
    if exercise or kind:
        changes = changes_by(unit, directory, exercise, kind)
        if arguments.apply:
            adjust(directory, unit.name, exercise, kind)
            write_points(course, unit)
        print(changes_told(changes, written=arguments.apply))
    print("\n".join(in_force(unit, directory)[1]) or f"{unit.name}: no adjustment is in force.")


def exercises_command(arguments: argparse.Namespace) -> None:
    """Take over a changed set of exercises; without --apply, show what that changes."""
    from course_grader.authoring.staleness import tell_if_stale
    from course_grader.gradebook.exercise_set import set_change
    from course_grader.gradebook.kept_points import backup
    from course_grader.gradebook.taking_over import take_over
    from course_grader.reporting.points_file import set_told

    course, unit = course_of(arguments), find_unit(arguments.unit)
    directory = directory_of(course)
    tell_if_stale(unit, course)
    change = set_change(course, unit, directory)
    if change is None:
        print(f"{unit.name}: the gradebook has no other exercises than the assignment.")
        return
    if arguments.apply:
        copy = backup(directory.db_url, f"before-{unit.name}")
        take_over(course, unit, directory)
        print(f"The gradebook as it was: {copy or 'on its server: no copy was made'}")
    print(set_told(change, unit, written=arguments.apply))


def _preview(course, unit, options):
    from course_grader.reporting.preview import preview

    if options.pop("origin"):
        raise CourseError("A preview regrades submitted/: leave FROM away, or take the files in.")
    changed, problems = preview(course, unit, **options)
    for student, exercise, was, will in changed:
        old, new = ("-" if points is None else points for points in (was, will))
        print(f"{student:24} {exercise:24} {old:>6} -> {new}")
    for student, problem in problems.items():
        print(f"{student:24} would stay as it is: {problem}", file=sys.stderr)
    students = len({student for student, *_ in changed})
    print(f"{len(changed)} grades of {students} students would change. Nothing was written.")
    return 1 if problems else 0


def withdraw_command(arguments: argparse.Namespace) -> None:
    """Take back one student's submission; without --apply, show what that removes."""
    from course_grader.gradebook.people import people_of
    from course_grader.gradebook.withdraw import what_lies, withdraw
    from course_grader.reporting.points_file import write_points

    course, unit = course_of(arguments), find_unit(arguments.unit)
    directory = directory_of(course)
    student = people_of(directory).meant(arguments.student).id
    lies = what_lies(course, unit, student, directory)
    if not lies:
        raise CourseError(f"{student} has handed in nothing to {unit.name}")
    if arguments.apply:
        withdraw(course, unit, student, directory)
        write_points(course, unit)
    end = "Withdrawn; kept in submitted/.originals/." if arguments.apply else "APPLY=1 withdraws."
    print(f"{student}, {unit.name}: {lies}. {end}")


def words_command(arguments: argparse.Namespace) -> None:
    """Serve the page on which a person grades answers in words."""
    from course_grader.reporting.words_server import serve_words

    course, unit = course_of(arguments), find_unit(arguments.unit)
    serve_words(course, unit, port=arguments.port, everybody=arguments.all)


def class_report_command(arguments: argparse.Namespace) -> None:
    """Write a graded class's page; without a unit that of the term, whatever is broken."""
    from course_grader.reporting.class_report import write_class_report
    from course_grader.reporting.term_report import write_term_report

    course = course_of(arguments)
    if arguments.unit:
        print(f"Written: {write_class_report(course, find_unit(arguments.unit))}")
        return
    page, problems = write_term_report(course)
    print(f"Written: {page}")
    for problem in problems:
        print(problem, file=sys.stderr)
