"""Run nbgrader's converters quietly, and tell what stopped one in a sentence."""

__all__ = ["Remembering", "Unavailable", "run_converter"]

import json
import logging
import re
import warnings
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter
from nbgrader.utils import setenv
from sqlalchemy.exc import SAWarning

from course_grader.gradebook.preprocessors import Judge, SandboxedExecute
from course_grader.gradebook.repeats import without_repeats
from course_grader.gradebook.transaction import one_transaction
from course_grader.hooks.nbconvert import REGISTERED
from course_grader.project import notebooks
from course_grader.project.course import CourseError
from course_utils.checking.forms import Reference

CAUSES = {
    r"\((?:sqlite3|psycopg2)[\w.]*\) (.+)": "the gradebook cannot be used",
    r"(?:OSError|[A-Z]\w+Error): (\[Errno \d+\] .+)": "the disk refused",
}


class Unavailable(CourseError):
    """The gradebook or the disk refuses: no submission is the cause."""


class Remembering(Autograde):
    """nbgrader's autograde for one submission, which keeps what stopped it as `failure`.

    `executed` is the file of its executed notebook, if that has been made; `reference` is what
    the judge compares with, if that is at hand.
    """

    failure: Exception | None = None
    executed: Path | None = None
    reference: dict[str, Reference] | None = None

    def start(self) -> None:
        """Grade it, in one transaction."""
        with one_transaction(self.coursedir):
            super().start()

    def run_pre_convert_hook(self) -> None:
        """Do nothing: `make grade` has taken in what is there."""

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Sanitize and judge a notebook; nbgrader only logs an exception and raises another one.

        It also writes the sanitized notebook, and reads it for the rest.
        """
        convert = self._convert_executed if self.executed else self._convert
        try:
            with setenv(NBGRADER_EXECUTION="autograde"):
                convert(notebook_filename)
        except Exception as error:
            self.failure = error
            raise

    def _convert(self, notebook_filename):
        REGISTERED.of(self.exporter).clear()
        for one in (*self.sanitize_preprocessors, *self.autograde_preprocessors):
            self.exporter.register_preprocessor(one)
        BaseConverter.convert_single_notebook(self, notebook_filename)

    def _convert_executed(self, notebook_filename):
        """Do what comes after the execution; an exporter would copy and check after each step."""
        resources = self.init_single_notebook_resources(notebook_filename)
        text = self.executed.read_text("utf-8")
        notebook = json.loads(text, object_hook=nbformat.NotebookNode)
        for kind in self.autograde_preprocessors:
            if kind is not SandboxedExecute:
                step = kind(parent=self)
                if isinstance(step, Judge):
                    step.reference = self.reference
                notebook, resources = step(notebook, resources)
        resources["output_extension"] = self.exporter.file_extension
        self.write_single_notebook(notebooks.as_line(notebook) + "\n", resources)


def run_converter(converter: BaseConverter, what: str) -> None:
    """Start an nbgrader converter.

    Parameters
    ----------
    converter : nbgrader.converters.base.BaseConverter
    what : str
        What is being done, for the error message.

    Raises
    ------
    Unavailable
        If the gradebook or the disk refused.
    CourseError
        If the converter fails otherwise; the message holds its own errors. Both have as cause
        what the converter remembers of it.
    """
    root = converter.coursedir.root
    if set("*?[") & set(root):
        raise CourseError(f"{root}: nbgrader takes *, ? and [ in a path for patterns; rename it.")
    listener = _Listener()
    log = logging.Logger("nbgrader")
    log.addHandler(listener)
    converter.log = log
    try:
        with warnings.catch_warnings(), without_repeats():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
            converter.start()
    except Exception as error:
        cause = getattr(converter, "failure", None) or error
        refused = _refusal("\n".join([*listener.heard, str(error)]))
        if refused:
            raise Unavailable(f"{what}: {refused}") from cause
        raise CourseError(f"{what}: nbgrader reports: {_last(listener.heard, error)}") from cause


def _refusal(text):
    """Return in one line what the gradebook or the disk said, or ''."""
    for pattern, words in CAUSES.items():
        found = re.findall(pattern, text)
        if found:
            return f"{words}: {found[-1]}. Run it again when that is mended; nothing is lost"
    return ""


def _last(heard, error):
    """Return in one line what nbgrader said last."""
    last = [message.strip().splitlines()[-1] for message in heard if message.strip()]
    return "; ".join(dict.fromkeys(last)) or str(error)


class _Listener(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.heard = []

    def emit(self, record):
        """Keep each message: of a traceback, the last line is the error itself."""
        self.heard.append(record.getMessage())
