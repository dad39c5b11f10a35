"""Run nbgrader's converters quietly, and without the work that they repeat for each notebook.

nbgrader opens the gradebook nine times for a submission, each time with an engine that compiles
its statements anew and looks for every table, and checks its own metadata schema for every cell.
Within `run_converter` there is one engine for each database, whose tables are looked for once,
and one validator: what is checked stays the same.
"""

__all__ = ["run_converter"]

import contextlib
import functools
import json
import logging
import re
import types
import warnings
from unittest import mock

import jsonschema
import nbgrader.api
from nbgrader.nbgraderformat import common
from sqlalchemy.exc import SAWarning

from course_grader.course import CourseError

CAUSES = {
    r"\((?:sqlite3|psycopg2)[\w.]*\) (.+)": "the gradebook cannot be used",
    r"(?:OSError|[A-Z]\w+Error): (\[Errno \d+\] .+)": "the disk refused",
}


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
        with warnings.catch_warnings(), _without_repeats():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
            converter.start()
    except Exception as error:
        raise CourseError(f"{what}: {_cause(listener.heard, error)}") from error


def _cause(heard, error):
    """Return in one line what the gradebook or the disk said, else what nbgrader said last."""
    text = "\n".join([*heard, str(error)])
    for pattern, words in CAUSES.items():
        found = re.findall(pattern, text)
        if found:
            return f"{words}: {found[-1]}. Run it again when that is mended; nothing is lost"
    last = [message.strip().splitlines()[-1] for message in heard if message.strip()]
    return "nbgrader reports: " + ("; ".join(dict.fromkeys(last)) or str(error))


@contextlib.contextmanager
def _without_repeats():
    validating = types.SimpleNamespace(validate=_validate)
    tables = nbgrader.api.Base.metadata
    with (
        mock.patch.object(nbgrader.api, "create_engine", _engine),
        mock.patch.object(tables, "create_all", functools.cache(tables.create_all)),
        mock.patch.object(common, "jsonschema", validating),
    ):
        yield


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
