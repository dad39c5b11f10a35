"""Grade a class: take in, sanitize, execute in parallel, judge and save one after the other."""

__all__ = ["grade"]

import typing
from pathlib import Path

from course_grader.execution import sandbox
from course_grader.execution.cache import Executions
from course_grader.execution.execute import NoSandbox
from course_grader.project.course import Course, Unit

if typing.TYPE_CHECKING:
    from course_grader.gradebook.one_submission import Graded


def grade(
    course: Course,
    unit: Unit,
    *,
    origin: str | Path | None = None,
    unsafe: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    db_url: str | None = None,
    progress: bool = True,
) -> "list[Graded]":
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
    scheduler : str, optional
        Address of a dask scheduler whose workers execute instead; each has its own sandbox.
    db_url : str, optional
        The gradebook; default: what nbgrader_config.py says, or the course's own.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of Graded
    """
    if not (sandbox.available() or unsafe or scheduler):
        raise NoSandbox(
            "bubblewrap is not available. Grading a class needs Linux and bubblewrap (Debian, "
            "Ubuntu: apt install bubblewrap); UNSAFE=1 grades without a sandbox."
        )
    options = {"unsafe": unsafe, "workers": workers, "scheduler": scheduler}
    with Executions(course, unit, **options) as executions:
        # It takes a second, and so does the sandbox, which has begun to start.
        from course_grader.gradebook.saving import grade_executed

        choices = {"origin": origin, "unsafe": unsafe, "db_url": db_url, "bar": progress}
        return grade_executed(course, unit, executions, **choices)
