"""Rebuild, judge and save through nbgrader, one submission after the other; write feedback."""

__all__ = ["Graded", "config_of", "grade_executed", "write_feedback"]

import dataclasses
import json

import nbformat
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm
from traitlets.config import PyFileConfigLoader

from course_grader.converters import run_converter, without_repeats
from course_grader.course import CourseError
from course_grader.intake import intake
from course_grader.preprocessors import rebuilt
from course_grader.reference import reference_for
from course_grader.release import register


@dataclasses.dataclass
class Graded:
    """One student's result: the record that the judge wrote, or what went wrong here."""

    student: str
    record: dict | None
    problem: str = ""


@without_repeats()
def grade_executed(course, unit, executions, *, origin=None, unsafe=False, db_url=None, bar=True):
    """Grade every submission of a unit with executions that have begun to start.

    Parameters
    ----------
    course : Course
    unit : Unit
    executions : Executions
        Entered.
    origin, unsafe, db_url
        As for `course_grader.grade.grade`.
    bar : bool
        Show a progress bar.

    Returns
    -------
    list of Graded
    """
    reference_for(unit)
    config = config_of(course)
    config.CourseDirectory.db_url = db_url or config.CourseDirectory.db_url
    config.SandboxedExecute.results = str(executions.folder)
    config.SandboxedExecute.without_sandbox = unsafe
    jobs, graded = _jobs(course, unit, intake(course, unit, origin), config)
    register(course, unit, config.CourseDirectory.db_url, config.CourseDirectory.course_id)
    with tqdm(total=len(jobs), desc="grading", disable=not bar) as shown:
        for student, problem in executions.all(jobs):
            graded.append(_save(course, unit, student, config, problem))
            shown.update()
    return sorted(graded, key=lambda result: result.student)


def write_feedback(course, unit):
    """Write feedback/<student>/<unit>/<unit>.html for everybody."""
    config = config_of(course)
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    run_converter(converter, f"{unit.name}, feedback")


def config_of(course):
    """Load the course's nbgrader_config.py, as nbgrader itself does."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = config.CourseDirectory.get("course_id", "")
    if "db_url" not in config.CourseDirectory:
        config.CourseDirectory.db_url = course.db_url
    return config


def _jobs(course, unit, arrivals, config):
    """Return {student: rebuilt notebook}, and the results of those that could not be rebuilt."""
    jobs, failed = {}, []
    for arrival in arrivals:
        if not arrival.taken:
            failed.append(_save(course, unit, arrival.student, config, arrival.reason))
            continue
        path = course.notebook("submitted", unit, arrival.student)
        try:
            jobs[arrival.student] = rebuilt(nbformat.read(path, as_version=4), course, unit)
        except Exception as error:  # this submission's trouble is not the class's
            told = arrival.reason or f"not read: {error}"
            failed.append(Graded(arrival.student, None, told))
    return jobs, failed


def _save(course, unit, student, config, problem):
    """Judge one submission and save it through nbgrader, the gradebook's only writer."""
    course.record(unit, student).unlink(missing_ok=True)
    if problem:
        return Graded(student, None, problem)
    config.CourseDirectory.assignment_id = unit.name
    config.CourseDirectory.student_id = student
    converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    try:
        run_converter(converter, f"{student}, autograde")
    except CourseError as error:
        return Graded(student, None, str(error))
    return Graded(student, json.loads(course.record(unit, student).read_text("utf-8")))
