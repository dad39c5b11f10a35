"""Rebuild, judge and save through nbgrader, one submission after the other; write feedback."""

__all__ = ["grade_executed", "write_feedback"]

import logging
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm

from course_grader.execution.cache import Executions, key_of
from course_grader.gradebook.converters import run_converter
from course_grader.gradebook.exercise_set import check_same_set
from course_grader.gradebook.group_work import groups_of
from course_grader.gradebook.one_submission import Graded, config_of, failed, log_of, save
from course_grader.gradebook.people import learn, people_of
from course_grader.gradebook.preprocessors import rebuilt
from course_grader.gradebook.register import register
from course_grader.gradebook.repeats import without_repeats
from course_grader.intake.collect import intake
from course_grader.judging.judged_notebook import refused
from course_grader.project.course import Course, Unit
from course_grader.project.faults import OurFault, logged_to, words_of
from course_grader.proving.reference import reference_for

log = logging.getLogger(__name__)


@without_repeats()
def grade_executed(
    course: Course,
    unit: Unit,
    executions: Executions,
    *,
    origin: str | Path | None = None,
    unsafe: bool = False,
    db_url: str | None = None,
    bar: bool = True,
) -> list[Graded]:
    """Grade every submission of a unit with executions that have begun to start.

    Parameters
    ----------
    course : Course
    unit : Unit
    executions : Executions
        Entered.
    origin, unsafe, db_url
        As for `course_grader.gradebook.grade.grade`.
    bar : bool
        Show a progress bar.

    Returns
    -------
    list of Graded
    """
    reference = reference_for(unit)
    _check_judge(reference)
    config = config_of(course)
    config.CourseDirectory.db_url = db_url or config.CourseDirectory.db_url
    config.CourseDirectory.assignment_id = unit.name
    config.SandboxedExecute.results = str(executions.folder)
    config.SandboxedExecute.without_sandbox = unsafe
    check_same_set(course, unit, config.CourseDirectory)
    with logged_to(log_of(course, unit)):
        people = people_of(config.CourseDirectory)
        people.groups = groups_of(config.CourseDirectory, unit.name)
        arrivals = intake(course, unit, origin, people, say=tqdm.write)
        learn(config.CourseDirectory, arrivals)
        register(course, unit, config.CourseDirectory.db_url, config.CourseDirectory.course_id)
        jobs, problems = _jobs(course, unit, arrivals)
        graded = [failed(course, unit, student, config, why) for student, why in problems.items()]
        with tqdm(total=len(jobs), desc="grading", disable=not bar) as shown:
            for student, problem in executions.all(jobs):
                place = course, unit, student, config
                if problem:
                    graded.append(failed(*place, problem))
                else:
                    executed = executions.path(key_of(jobs[student]))
                    graded.append(save(*place, executed=executed, reference=reference))
                shown.update()
    return sorted(graded, key=lambda result: result.student)


def write_feedback(course: Course, unit: Unit) -> None:
    """Write feedback/<student>/<unit>/<unit>.html for everybody."""
    config = config_of(course)
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    run_converter(converter, f"{unit.name}, feedback")


def _check_judge(reference):
    """Stop before anything is written if the judge does not pass our own right answers."""
    try:
        names = refused(reference)
    except Exception as error:
        raise OurFault(f"the judge fails on our own answers: {words_of(error)}") from error
    if names:
        raise OurFault(
            f"the judge refuses our own answers to {', '.join(names)}: nothing was done"
        )


def _jobs(course, unit, arrivals):
    """Return {student: rebuilt notebook}, and {student: what of ours went wrong}."""
    jobs, problems = {}, {}
    for arrival in arrivals:
        student, path = arrival.student, course.notebook("submitted", unit, arrival.student)
        if not arrival.taken:
            problems[student] = arrival.reason
            continue
        try:
            jobs[student] = rebuilt(nbformat.read(path, as_version=4), course, unit, student)
        except Exception as error:  # intake put a clean notebook there: this is ours
            log.error("%s: not read", student, exc_info=error)
            problems[student] = f"not read: {words_of(error)}"
    return jobs, problems
