"""Save one submission through nbgrader; where that fails, what was there before stands.

A failure of ours is an error: the older score stays, and its record is marked. Whose failure it
is, is found out with the untouched release, in a course and gradebook of its own.
"""

__all__ = ["Graded", "config_of", "failed", "log_of", "save"]

import contextlib
import dataclasses
import functools
import logging
import shutil
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from course_grader.gradebook.converters import Remembering, Unavailable, run_converter
from course_grader.gradebook.record import error_record, read_record, write_record
from course_grader.gradebook.register import register
from course_grader.intake.placing import refuse
from course_grader.project.course import Course, CourseError, Unit
from course_grader.project.faults import OurFault, reason_for
from course_utils.checking.forms import Reference

log = logging.getLogger(__name__)


@dataclasses.dataclass
class Graded:
    """One student's result: the record, and what of ours went wrong, if anything did.

    With a problem the record is the older one, marked as an error; it may hold no score.
    """

    student: str
    record: dict
    problem: str = ""


def config_of(course: Course) -> Config:
    """Load the course's nbgrader_config.py, as nbgrader itself does."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = config.CourseDirectory.get("course_id", "")
    if "db_url" not in config.CourseDirectory:
        config.CourseDirectory.db_url = course.db_url
    return config


def log_of(course: Course, unit: Unit) -> Path:
    """Return the file that tracebacks of a unit's grading are written to."""
    return course.root / "records" / f"{unit.name}.log"


def save(
    course: Course,
    unit: Unit,
    student: str,
    config: Config,
    *,
    executed: Path,
    reference: dict[str, Reference],
) -> Graded:
    """Judge one submission and save it through nbgrader, the gradebook's only writer.

    Parameters
    ----------
    course, unit, student
    config : Config
        As `config_of` gives it, with what `make grade` adds.
    executed : Path
        Its notebook, rebuilt and executed.
    reference : dict
        {exercise: reference} of the unit.
    """
    try:
        _autograde(course, unit, student, config, executed=executed, reference=reference)
    except (CourseError, OSError) as error:
        return _settled(course, unit, student, config, error)
    return Graded(student, read_record(course.record(unit, student)))


def _settled(course, unit, student, config, error):
    """Find out whose fault it is that a submission was not saved, and act on it."""
    cause = error.__cause__ or error
    if isinstance(error, Unavailable | OSError) or isinstance(cause, OurFault):
        log.error("%s: not saved", student, exc_info=error)
        told = cause if isinstance(cause, OurFault) else error
        return failed(course, unit, student, config, str(told))
    again = functools.partial(_save_release, course, unit, student, config)
    try:
        refuse(course, unit, student, reason_for("could not be saved", student, cause, again))
        _autograde(course, unit, student, config)
    except (CourseError, OSError) as ours:
        return failed(course, unit, student, config, str(ours))
    return Graded(student, read_record(course.record(unit, student)))


def failed(course: Course, unit: Unit, student: str, config: Config, problem: str) -> Graded:
    """Mark a student's older record: we failed, so its score stands."""
    path, told = course.record(unit, student), problem.splitlines()[0]
    log.error("%s: %s", student, problem)
    where = str(log_of(course, unit).relative_to(course.root))
    record = error_record(read_record(path), student=student, what=told, log=where)
    try:
        write_record(path, record)
        _forget_unscored(config.CourseDirectory, unit, student)
    except Exception as error:  # the disk or the gradebook refuse this, too: it is told
        log.error("%s: not marked", student, exc_info=error)
    return Graded(student, record, told)


def _autograde(course, unit, student, config, *, executed=None, reference=None):
    """Run nbgrader's autograde; where it fails, what it made earlier is put back."""
    config.CourseDirectory.student_id = student
    converter = Remembering(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    converter.executed, converter.reference = executed, reference
    older = course.root / "build" / "autograded" / student / unit.name
    with _put_back(course.path("autograded", unit, student), older):
        run_converter(converter, f"{student}, autograde")


@contextlib.contextmanager
def _put_back(folder, older):
    """Keep a folder elsewhere during the block, and put it back if that fails.

    One that lies there already is what a run that was killed has kept.
    """
    if older.exists():
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        older.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(older)
    try:
        yield
    except BaseException:
        if older.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            older.rename(folder)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _save_release(course, unit, student, config):
    """Save the untouched release as this student's work, in a course and gradebook of its own."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Course.throwaway(Path(folder) / "course", unit, course.root)
        shutil.copytree(copy.path("release", unit), copy.path("submitted", unit, student))
        own = config_of(copy)
        own.CourseDirectory.db_url, own.CourseDirectory.assignment_id = copy.db_url, unit.name
        own.SandboxedExecute = config.SandboxedExecute
        register(copy, unit, copy.db_url, own.CourseDirectory.course_id)
        _autograde(copy, unit, student, own)


def _forget_unscored(directory, unit, student):
    """Remove a submission that has been entered but never scored: exports would say 0."""
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            submission = gradebook.find_submission(unit.name, student)
        except MissingEntry:
            return
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        if all(grade.auto_score is None and grade.manual_score is None for grade in grades):
            gradebook.remove_submission(unit.name, student)
