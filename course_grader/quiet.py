"""Run nbgrader's converters without their log on the screen, and keep what they complain about."""

__all__ = ["run_converter"]

import logging
import warnings

from sqlalchemy.exc import SAWarning

from course_grader.course import CourseError


def run_converter(converter, what):
    """Start an nbgrader converter.

    Parameters
    ----------
    converter : nbgrader.converters.base.BaseConverter
    what : str
        What is being done, for the error message.

    Raises
    ------
    CourseError
        If the converter fails; the message holds its own errors.
    """
    listener = _Listener()
    log = logging.Logger("nbgrader")
    log.addHandler(listener)
    converter.log = log
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
            converter.start()
    except Exception as error:
        told = "\n  ".join(dict.fromkeys(listener.heard)) or str(error)
        raise CourseError(f"{what}: nbgrader reports:\n  {told}") from error


class _Listener(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.heard = []

    def emit(self, record):
        """Keep the last line of each message: of a traceback, the error itself."""
        self.heard.append(record.getMessage().strip().splitlines()[-1])
