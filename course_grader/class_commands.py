"""What an instructor's commands do with a class: each takes the parsed arguments.

A command imports what it needs, so that the others start quickly.
"""

__all__ = [
    "adjust_command",
    "class_report_command",
    "due_command",
    "export_command",
    "feedback_command",
    "grade_command",
    "roster_command",
    "words_command",
]

import sys
from pathlib import Path

from course_grader.project.course import Course, CourseError, find_unit


def _course(arguments):
    return Course(Path(arguments.course).resolve())


def _directory(course):
    """Return nbgrader's course directory: where the gradebook is."""
    from course_grader.gradebook.one_submission import config_of

    return config_of(course).CourseDirectory


def roster_command(arguments):
    """Enter who takes the course, from an LMS's list or a plain one."""
    from course_grader.gradebook.people import enter_people, people_of
    from course_grader.intake.roster import merged, read_roster
    from course_grader.reporting.table import people_table

    course = _course(arguments)
    directory = _directory(course)
    known = people_of(directory)
    people = merged(read_roster(Path(arguments.origin).expanduser()), known)
    enter_people(directory, people)
    print(people_table(people))
    new = sum(person.id not in known.all for person in people)
    print(f"\n{len(people)} students: {new} new, {len(people) - new} known before.")
    gone = known.all.keys() - {person.id for person in people}
    if gone:
        print(f"Known, and not in this roster; kept: {', '.join(sorted(gone))}")


def due_command(arguments):
    """Set or show when a unit is due, for the class or for one student."""
    from course_grader.gradebook.deadlines import deadlines, moment, set_due
    from course_grader.gradebook.people import people_of

    course, unit = _course(arguments), find_unit(arguments.unit)
    directory, student = _directory(course), ""
    if arguments.student:
        student = people_of(directory).meant(arguments.student).id
    if arguments.when:
        set_due(course, unit, directory, moment(arguments.when), student)
    elif student:
        raise CourseError('A student\'s own time needs WHEN="2027-01-31 23:59"')
    due, own = deadlines(unit, directory)
    print(f"{unit.name}: due {_shown(due)}")
    for one, until in sorted(own.items()):
        print(f"  {one}: {_shown(until)}")
    if arguments.when:
        print(f"'make grade UNIT={unit.name[:2]}' applies it to what was handed in.")


def _shown(moment):
    if moment is None:
        return "never"
    here = moment.astimezone()
    return f"{here:%A, %d %B %Y, %H:%M} {here.tzname()} ({moment:%Y-%m-%d %H:%M} UTC)"


def grade_command(arguments):
    """Grade a class; or show what that would change."""
    from course_grader.authoring.staleness import tell_if_stale

    course, unit = _course(arguments), find_unit(arguments.unit)
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


def adjust_command(arguments):
    """Void an exercise or give its points to all; without --apply, show what that changes."""
    from course_grader.gradebook.adjusting import changes_by, in_force
    from course_grader.gradebook.adjustments import adjust
    from course_grader.reporting.points_file import changes_told, write_points

    course, unit = _course(arguments), find_unit(arguments.unit)
    directory, exercise, kind = _directory(course), arguments.exercise, vars(arguments)["as"]
    if exercise or kind:
        changes = changes_by(unit, directory, exercise, kind)
        if arguments.apply:
            adjust(directory, unit.name, exercise, kind)
            write_points(course, unit)
        print(changes_told(changes, written=arguments.apply))
    print("\n".join(in_force(unit, directory)[1]) or f"{unit.name}: no adjustment is in force.")


def _preview(course, unit, options):
    from course_grader.reporting.preview import preview

    if options.pop("origin"):
        raise CourseError("A preview regrades submitted/: leave FROM away, or take the files in.")
    changed, problems = preview(course, unit, **options)
    for student, exercise, was, will in changed:
        print(f"{student:24} {exercise:24} {'-' if was is None else was:>6} -> {will}")
    for student, problem in problems.items():
        print(f"{student:24} would stay as it is: {problem}", file=sys.stderr)
    students = len({student for student, *_ in changed})
    print(f"{len(changed)} grades of {students} students would change. Nothing was written.")
    return 1 if problems else 0


def export_command(arguments):
    """Write the gradebook for an LMS, and name those whose last submission is not in it."""
    from course_grader.gradebook.exporters import export
    from course_grader.gradebook.hand_back import moodle_worksheet
    from course_grader.gradebook.record import ungraded

    course = _course(arguments)
    directory = _directory(course)
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


def feedback_command(arguments):
    """Write a zip of feedback pages that an LMS takes back."""
    from course_grader.gradebook.hand_back import feedback_zip

    course, unit = _course(arguments), find_unit(arguments.unit)
    path = course.root / "records" / f"feedback-{arguments.to}-{unit.name[:2]}.zip"
    others = feedback_zip(course, unit, arguments.to, path)
    print(f"Written: {path}")
    if others:
        print(f"Not in a zip from {arguments.to}, so not in this one: {', '.join(others)}")


def words_command(arguments):
    """Serve the page on which a person grades answers in words."""
    from course_grader.reporting.words_server import serve_words

    course, unit = _course(arguments), find_unit(arguments.unit)
    serve_words(course, unit, port=arguments.port, everybody=arguments.all)


def class_report_command(arguments):
    """Write a graded class's page; without a unit that of the term, whatever is broken."""
    from course_grader.reporting.class_report import write_class_report
    from course_grader.reporting.term_report import write_term_report

    course = _course(arguments)
    if arguments.unit:
        print(f"Written: {write_class_report(course, find_unit(arguments.unit))}")
        return
    page, problems = write_term_report(course)
    print(f"Written: {page}")
    for problem in problems:
        print(problem, file=sys.stderr)
