"""Grade a class: take in, sanitize, execute in parallel, judge and save one after the other."""

__all__ = ["Graded", "grade"]

import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import multiprocessing
import os
import sys

import matplotlib.font_manager  # noqa: F401 - makes the font list that sandboxes read
import nbformat
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm
from traitlets.config import PyFileConfigLoader

from course_grader import notebooks, sandbox
from course_grader.converters import run_converter
from course_grader.course import CourseError
from course_grader.execute import NoSandbox, execute
from course_grader.intake import intake
from course_grader.preload import preloaded
from course_grader.preprocessors import data_files, key_of, rebuilt
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
    groups, again = {}, []
    for student, notebook in jobs.items():
        groups.setdefault(key_of(notebook), []).append(student)
    todo = {key: jobs[groups[key][0]] for key in groups if not _kept(course, unit, key).is_file()}
    yield from ((student, "") for key in groups if key not in todo for student in groups[key])
    files = data_files(course, unit)
    with preloaded(files, say=_tell) if todo else contextlib.nullcontext() as zygote:
        options = {"files": files, "limits": unit.limits, "zygote": zygote}
        run = functools.partial(execute, **options, without_sandbox=unsafe)
        for key, done, problem in _map(run, todo, workers):
            if done is not None and done.metadata.execution["too_long"]:
                again.append(key)
                continue
            problem = problem or _keep(course, unit, key, done)
            yield from ((student, problem) for student in groups[key])
        for key in again:
            problem = _keep(course, unit, key, *_outcome(run, todo[key]))
            yield from ((student, problem) for student in groups[key])
            _kept(course, unit, key).unlink(missing_ok=True)  # the next run may have time


def _map(run, todo, workers):
    """Run notebooks in processes; yield (key, executed notebook or None, problem)."""
    context = multiprocessing.get_context("spawn")
    workers = min(workers or os.cpu_count() or 1, max(1, len(todo)))
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(run, notebook): key for key, notebook in todo.items()}
        try:
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], *_outcome(future.result)
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _outcome(run, *arguments):
    """Return (executed notebook, '') or (None, what went wrong)."""
    try:
        return run(*arguments), ""
    except Exception as error:  # this submission's trouble is not the class's
        return None, f"not executed: {error}"


def _keep(course, unit, key, done, problem=""):
    """Keep an executed notebook under build/; return what went wrong, or ''."""
    if problem:
        return problem
    try:
        waiting = _kept(course, unit, key).with_suffix(".tmp")
        notebooks.save(done, waiting)
        waiting.replace(waiting.with_suffix(".ipynb"))
    except OSError as error:
        return f"not kept: {error}"
    return ""


def _kept(course, unit, key):
    return _results(course, unit) / f"{key}.ipynb"


def _tell(words):
    print(words, file=sys.stderr)


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
