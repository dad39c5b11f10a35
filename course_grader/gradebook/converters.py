"""Run nbgrader's converters quietly, and without the work that they repeat for each notebook.

nbgrader opens the gradebook nine times for a submission, each time with an engine that compiles
its statements anew and looks for every table; it checks its own metadata schema for every cell;
and it starts a program, which takes seconds, to learn the version of a new gradebook. Within
`without_repeats` there is one engine for each database, whose tables are looked for once, and one
validator; nbformat checks whole notebooks, not each new cell besides; and a page of feedback is
not parsed and written once more for its images' texts. What is written is the same.
"""

__all__ = ["Remembering", "Unavailable", "gradebook_version", "run_converter", "without_repeats"]

import contextlib
import functools
import json
import logging
import re
import types
import warnings
from unittest import mock

import jsonschema
import nbconvert.exporters.html
import nbgrader.api
from alembic.script import ScriptDirectory
from nbformat.v4 import nbbase
from nbgrader.converters import Autograde
from nbgrader.dbutil import ALEMBIC_DIR
from nbgrader.nbgraderformat import common
from sqlalchemy import inspect
from sqlalchemy.exc import SAWarning

from course_grader.project.course import CourseError

UNDESCRIBED = re.compile(r"<img (?![^>]*(?<![\w-])alt=)")
NO_DESCRIPTION = "No description has been provided for this image"  # nbconvert's words
CAUSES = {
    r"\((?:sqlite3|psycopg2)[\w.]*\) (.+)": "the gradebook cannot be used",
    r"(?:OSError|[A-Z]\w+Error): (\[Errno \d+\] .+)": "the disk refused",
}


class Unavailable(CourseError):
    """The gradebook or the disk refuses: no submission is the cause."""


class Remembering(Autograde):
    """nbgrader's autograde for one submission, which keeps what stopped it as `failure`."""

    failure = None

    def run_pre_convert_hook(self):
        """Do nothing: `make grade` has taken in what is there."""

    def convert_single_notebook(self, notebook_filename):
        """Convert a notebook; nbgrader only logs the exception and raises another one."""
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self.failure = error
            raise


def run_converter(converter, what):
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


@contextlib.contextmanager
def without_repeats():
    """Spare nbgrader, in the block, the work that it repeats for each notebook."""
    validating = types.SimpleNamespace(validate=_validate)
    tables = nbgrader.api.Base.metadata
    with (
        mock.patch.object(nbgrader.api, "create_engine", _engine),
        mock.patch.object(tables, "create_all", functools.cache(tables.create_all)),
        mock.patch.object(common, "jsonschema", validating),
        mock.patch.object(nbconvert.exporters.html, "BeautifulSoup", _Page),
        mock.patch.object(nbbase, "validate", lambda node, ref=None: None),
        mock.patch.object(nbgrader.api, "inspect", _looking_once()),
        mock.patch.object(nbgrader.api, "get_alembic_version", gradebook_version),
    ):
        yield


@functools.cache
def gradebook_version():
    """Return the version of the gradebook's tables, which `alembic heads` prints."""
    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


class _Page:
    """Stands for BeautifulSoup, whose work is two thirds of a feedback page's time.

    nbconvert uses it to give images a text, and parts that our pages do not have a tab stop.
    """

    def __init__(self, html, features):
        self.html = UNDESCRIBED.sub(f'<img alt="{NO_DESCRIPTION}" ', html)

    def select(self, selector):
        """Return nothing: there is nothing left to do."""
        return []

    def __str__(self):
        return self.html


def _looking_once():
    """Return what stands for `inspect`: tables are looked for until there are some."""
    known = {}

    def names(engine):
        known[engine] = known.get(engine) or inspect(engine).get_table_names()
        return known[engine]

    return lambda engine: types.SimpleNamespace(get_table_names=lambda: names(engine))


_engine = functools.cache(nbgrader.api.create_engine)


def _validate(instance, schema):
    error = jsonschema.exceptions.best_match(_validator(json.dumps(schema)).iter_errors(instance))
    if error is not None:
        raise error


@functools.cache
def _validator(text):
    schema = json.loads(text)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


class _Listener(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.heard = []

    def emit(self, record):
        """Keep each message: of a traceback, the last line is the error itself."""
        self.heard.append(record.getMessage())
