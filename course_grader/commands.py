"""What the commands do: each takes the parsed arguments and returns its exit status, or None.

A command imports what it needs, so that the others start quickly.
"""

__all__ = [
    "build_command",
    "bundle_command",
    "class_report_command",
    "demo_command",
    "export_command",
    "grade_command",
    "new_unit_command",
    "prove_command",
    "robustness_command",
]

import sys
from pathlib import Path

from course_grader.project.course import PROJECT, Course, CourseError, find_unit, units


def _chosen(arguments):
    return [find_unit(arguments.unit)] if arguments.unit else units()


def build_command(arguments):
    """Build the four trees, and the page of what the lessons print about the dial."""
    from course_grader.building.build import build, check_names
    from course_grader.building.leaks import check_others
    from course_grader.building.thread_page import THREAD_PAGE, thread_page

    check_names(units())
    for unit in _chosen(arguments):
        build(unit)
    check_others(_chosen(arguments), units())
    THREAD_PAGE.write_text(thread_page(), "utf-8")


def prove_command(arguments):
    """Prove the checks of units; or try answers from a file."""
    from course_grader.building.leaks import readable
    from course_grader.proving.proof import prove

    if arguments.answers is not None or arguments.json or arguments.unsafe:
        return _try_answers(arguments)
    problems = 0
    for unit in _chosen(arguments):
        released = PROJECT / "release" / unit.name
        if not released.is_dir():
            raise CourseError(f"{unit.name} was never built: 'make build UNIT={unit.name[:2]}'")
        paths = [PROJECT / "notebooks" / f"{unit.name}.ipynb", *sorted(released.iterdir())]
        for proof in prove(unit, texts=[readable(path) for path in paths if path.is_file()]):
            print(proof)
            print("".join(f"  {problem}\n" for problem in proof.problems), end="")
            problems += len(proof.problems)
    return 1 if problems else 0


def _try_answers(arguments):
    from course_grader.proving.trial import try_answers
    from course_grader.proving.trial_report import trial_as_json, trial_as_text

    if arguments.answers is None or not arguments.unit:
        raise CourseError("ANSWERS=file (--answers) needs UNIT; JSON and UNSAFE need ANSWERS.")
    tried = try_answers(find_unit(arguments.unit), arguments.answers, unsafe=arguments.unsafe)
    print((trial_as_json if arguments.json else trial_as_text)(tried))
    return 1 if any(one.difference for one in tried) else 0


def robustness_command(arguments):
    """Rerun the claims of a lesson."""
    from course_grader.authoring.masters import read_master
    from course_grader.proving import robustness, robustness_report

    unit = find_unit(arguments.unit)
    master = read_master(unit.master("lesson"), "lesson")
    claims = robustness.claims_of(master, arguments.claim)
    if not claims:
        print(robustness_report.NONE.format(unit.name))
        return 0
    robustness.rerun(claims, robustness.enter(master), seeds=arguments.seeds)
    document = robustness_report.robustness_as_json(unit, master, claims)
    path = robustness_report.write_robustness(unit, document, arguments.claim)
    text = robustness_report.robustness_as_text(unit, claims)
    print(document if arguments.json else text)
    print(f"Written: {path}", file=sys.stderr)
    return 0 if all(claim.holds for claim in claims) else 1


def demo_command(arguments):
    """Grade sample classes and compare every score."""
    from course_grader.demo.sample import run_demos

    return 1 if run_demos(_chosen(arguments)) else 0


def grade_command(arguments):
    """Grade a class; or show what that would change."""
    course, unit = Course(Path(arguments.course).resolve()), find_unit(arguments.unit)
    options = {
        name: vars(arguments)[name] for name in ("origin", "unsafe", "workers", "scheduler")
    }
    return (_preview if arguments.preview else _grade)(course, unit, options)


def _grade(course, unit, options):
    from course_grader.gradebook.grade import grade
    from course_grader.gradebook.one_submission import log_of
    from course_grader.gradebook.saving import write_feedback
    from course_grader.reporting.table import errors_told, table, write_csv

    graded = grade(course, unit, **options)
    print(table(graded))
    write_csv(graded, course.root / f"records/{unit.name}.csv")
    write_feedback(course, unit)
    print(f"\nWritten: gradebook.db, feedback/, records/{unit.name}.csv, a JSON record for each")
    if any(result.problem for result in graded):
        print(f"\n{errors_told(graded, log_of(course, unit))}", file=sys.stderr)
        return 1
    return 0


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
    from course_grader.gradebook.one_submission import config_of
    from course_grader.gradebook.record import ungraded

    course = Course(Path(arguments.course).resolve())
    directory = config_of(course).CourseDirectory
    path = course.root / "records" / f"{arguments.to}.csv"
    path.parent.mkdir(exist_ok=True)
    export(arguments.to, db_url=directory.db_url, course_id=directory.course_id, to=path)
    print(f"Written: {path}")
    for name, what in ungraded(course.root / "records"):
        print(f"Not of the last submission: {name}: {what}. Grade again.", file=sys.stderr)


def class_report_command(arguments):
    """Write a graded class's page; without a unit that of the term, whatever is broken."""
    from course_grader.reporting.class_report import write_class_report
    from course_grader.reporting.term_report import write_term_report

    course = Course(Path(arguments.course).resolve())
    if arguments.unit:
        print(f"Written: {write_class_report(course, find_unit(arguments.unit))}")
        return
    page, problems = write_term_report(course)
    print(f"Written: {page}")
    for problem in problems:
        print(problem, file=sys.stderr)


def new_unit_command(arguments):
    """Make the skeleton of a unit."""
    from course_grader.authoring.scaffold import new_unit

    unit = new_unit(arguments.name)
    print(f"{unit.folder} is ready: read docs/writing-a-unit.md, edit, then")
    print(f"  make build UNIT={unit.name[:2]}\n  make prove UNIT={unit.name[:2]}")


def bundle_command(arguments):
    """Make the zip that a class gets."""
    from course_grader.building.bundle import make_bundle

    path = make_bundle()
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, scanned for leaks")
