"""Whose fault an exception in grading is: ours is an error, never a zero, and is logged."""

__all__ = ["OurFault", "logged_to", "plain", "reason_for", "words_of"]

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from course_grader.project.course import CourseError

log = logging.getLogger(__name__)


class OurFault(CourseError):
    """A step of grading that fails on the untouched release too: no submission is the cause."""


def reason_for(step: str, student: str, error: Exception, again: Callable[[], object]) -> str:
    """Log an exception, and return the words with which its submission scores 0.

    Parameters
    ----------
    step : str
        What did not work, such as "not readable".
    student : str
    error : Exception
    again : callable
        Does the same once more for the untouched release, which no student has a hand in.

    Raises
    ------
    OurFault
        If `again` raises too.
    """
    log.error("%s: %s", student, step, exc_info=error)
    try:
        again()
    except Exception as ours:  # whatever it is, the submission is not its cause
        log.error("%s: %s, and neither is the untouched release", student, step, exc_info=ours)
        raise OurFault(f"{step}: {words_of(error)}") from error
    return f"{step}: {type(error).__name__}"


def words_of(error: BaseException) -> str:
    """Return an exception's class and message in one line of at most 200 plain characters."""
    return plain(" ".join(f"{type(error).__name__}: {error}".split())[:200])


def plain(text: str) -> str:
    """Return a text without what would move a terminal's cursor, or change its title."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


class _Plain(logging.Formatter):
    """Log lines and tracebacks hold what students wrote; somebody reads them in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return plain(super().format(record))


@contextlib.contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Write what is logged in the block, tracebacks too, to the end of a file; none if nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8", errors="replace", delay=True)
    handler.setFormatter(_Plain("%(asctime)s %(message)s"))
    logger = logging.getLogger("course_grader")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
