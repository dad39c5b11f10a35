"""Grade a class: take in, sanitize, execute in parallel, judge and save one after the other."""

__all__ = ["Graded", "grade"]

import concurrent.futures
import dataclasses
import json
import multiprocessing
import os

import matplotlib.font_manager  # noqa: F401 - makes the font list that sandboxes read
import nbformat
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm
from traitlets.config import PyFileConfigLoader

from course_grader import notebooks, sandbox
from course_grader.course import CourseError
from course_grader.execute import NoSandbox, execute
from course_grader.intake import intake
from course_grader.preprocessors import data_files, key_of, rebuilt
from course_grader.quiet import run_converter
from course_grader.reference import reference_for
from course_grader.release import register


@dataclasses.dataclass
class Graded:
    """One student's result: the record that the judge wrote, or what went wrong here."""

    student: str
    record: dict | None
    problem: str = ""


def grade(course, unit, *, origin=None, unsafe=False, workers=None, progress=True):
    """Grade every submission of a unit and return the results by student.

    Executions are kept under build/ as they come in, so that a run which was stopped goes on
    where it was; judging and saving are repeated for all, so that nothing is counted twice.

    Parameters
    ----------
    course : Course
    unit : Unit
    origin : path, optional
        A folder or an LMS zip to take in; default: submitted/.
    unsafe : bool
        Run students' code without a sandbox where there is none.
    workers : int, optional
        Processes that execute notebooks; default: one for each core.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of Graded
    """
    if not sandbox.available() and not unsafe:
        raise NoSandbox("bubblewrap is not available: install it, or say UNSAFE=1")
    reference_for(unit)
    arrivals = intake(course, unit, origin)
    config = _config(course)
    register(course, unit, config.CourseDirectory.db_url)
    config.SandboxedExecute.results = str(_results(course, unit))
    config.SandboxedExecute.without_sandbox = unsafe
    jobs, graded = {}, []
    for arrival in arrivals:
        try:
            jobs[arrival.student] = _job(course, unit, arrival.student)
        except Exception as error:  # this submission's trouble is not the class's
            told = arrival.reason or f"not read: {error}"
            graded.append(Graded(arrival.student, None, told))
    with tqdm(total=len(jobs), desc="grading", disable=not progress) as bar:
        for student, problem in _executed(course, unit, jobs, unsafe, workers):
            graded.append(_save(course, unit, student, config, problem))
            bar.update()
    return sorted(graded, key=lambda result: result.student)


def write_feedback(course, unit):
    """Write feedback/<student>/<unit>/<unit>.html for everybody."""
    config = _config(course)
    config.CourseDirectory.assignment_id = unit.name
    converter = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    run_converter(converter, f"{unit.name}, feedback")


def _config(course):
    """Load the course's nbgrader_config.py, as nbgrader itself does."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    if "db_url" not in config.CourseDirectory:
        config.CourseDirectory.db_url = course.db_url
    return config


def _job(course, unit, student):
    submission = nbformat.read(course.notebook("submitted", unit, student), as_version=4)
    return rebuilt(submission, course, unit)


def _executed(course, unit, jobs, unsafe, workers):
    """Execute all in parallel; yield (student, problem) as results lie in the results folder.

    One that ran out of wall-clock time is run once more, alone, when the others are done.
    """
    options = {"files": data_files(course, unit), "limits": unit.limits, "without_sandbox": unsafe}
    groups = {}
    for student, notebook in jobs.items():
        groups.setdefault(key_of(notebook), []).append(student)
    again = []
    for key, done, problem in _map(course, groups, jobs, unit, options, workers):
        if done is not None and done.metadata.execution["too_long"]:
            again.append(key)
        else:
            yield from ((student, problem) for student in groups[key])
    for key in again:
        problem = _once_more(course, unit, key, jobs[groups[key][0]], options)
        yield from ((student, problem) for student in groups[key])
        (_results(course, unit) / f"{key}.ipynb").unlink(
            missing_ok=True
        )  # the next run may have time


def _once_more(course, unit, key, notebook, options):
    try:
        _keep(course, unit, key, execute(notebook, **options))
    except Exception as error:  # this submission's trouble is not the class's
        return f"not executed: {error}"
    return ""


def _map(course, groups, jobs, unit, options, workers):
    """Yield (key, executed notebook or None if it was there, problem)."""
    todo = {}
    context = multiprocessing.get_context("spawn")
    workers = workers or os.cpu_count() or 1
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        for key, students in groups.items():
            if (_results(course, unit) / f"{key}.ipynb").is_file():
                yield key, None, ""
            else:
                todo[pool.submit(execute, jobs[students[0]], **options)] = key
        try:
            for future in concurrent.futures.as_completed(todo):
                yield _result(course, unit, todo[future], future)
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _result(course, unit, key, future):
    try:
        done = future.result()
        if not done.metadata.execution["too_long"]:
            _keep(course, unit, key, done)
    except Exception as error:  # this submission's trouble is not the class's
        return key, None, f"not executed: {error}"
    return key, done, ""


def _keep(course, unit, key, done):
    waiting = _results(course, unit) / f"{key}.tmp"
    notebooks.save(done, waiting)
    waiting.replace(waiting.with_suffix(".ipynb"))


def _results(course, unit):
    folder = course.root / "build" / "executed" / unit.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
