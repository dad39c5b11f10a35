"""Run nbgrader's converters quietly, and without the work that they repeat for each notebook.

nbgrader opens the gradebook nine times for a submission, each time with an engine that compiles
its statements anew, and checks its own metadata schema for every cell. Within `run_converter`
there is one engine for each database and one validator: what is checked stays the same.
"""

__all__ = ["run_converter"]

import contextlib
import functools
import json
import logging
import types
import warnings
from unittest import mock

import jsonschema
import nbgrader.api
from nbgrader.nbgraderformat import common
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
        with warnings.catch_warnings(), _without_repeats():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
            converter.start()
    except Exception as error:
        told = "\n  ".join(dict.fromkeys(listener.heard)) or str(error)
        raise CourseError(f"{what}: nbgrader reports:\n  {told}") from error


@contextlib.contextmanager
def _without_repeats():
    validating = types.SimpleNamespace(validate=_validate)
    with (
        mock.patch.object(nbgrader.api, "create_engine", _engine),
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
        """Keep the last line of each message: of a traceback, the error itself."""
        self.heard.append(record.getMessage().strip().splitlines()[-1])
