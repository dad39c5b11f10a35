"""Spare nbgrader the work that it repeats for each notebook.

nbgrader opens the gradebook nine times for a submission, each time with an engine that compiles
its statements anew and looks for every table; it checks its own metadata schema for every cell;
and it starts a program, which takes seconds, to learn the version of a new gradebook. Within
`without_repeats` there is one engine for each database, whose tables and course are looked for
once, and one validator; nbformat checks whole notebooks, not each new cell besides; and a page of
feedback is not parsed and written once more for its images' texts. What is written is the same.
"""

__all__ = ["NO_DESCRIPTION", "gradebook_version", "without_repeats"]

import contextlib
import functools
import json
import re
import types
from collections.abc import Iterator

import jsonschema
from alembic.script import ScriptDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import inspect

from course_grader.hooks import nbconvert, nbformat, nbgrader

UNDESCRIBED = re.compile(r"<img (?![^>]*(?<![\w-])alt=)")
NO_DESCRIPTION = "No description has been provided for this image"  # nbconvert's words


@contextlib.contextmanager
def without_repeats() -> Iterator[None]:
    """Spare nbgrader, in the block, the work that it repeats for each notebook."""
    if nbgrader.CONNECT.get() is _engine:  # a block within a block
        yield
        return
    shortcuts = {
        nbgrader.CONNECT: _engine,
        nbgrader.COLLECT_TABLES: functools.cache(nbgrader.COLLECT_TABLES.get()),
        nbgrader.LOOK_FOR_TABLES: _looking_once(),
        nbgrader.OPEN: _opening_once(),
        nbgrader.SCHEMAS: types.SimpleNamespace(validate=_validate),
        nbgrader.VERSION_OF_TABLES: gradebook_version,
        nbconvert.PAGE_PARSER: _Page,
        nbformat.CHECK_NODE: lambda node, ref=None: None,
    }
    with contextlib.ExitStack() as block:
        for hook, shortcut in shortcuts.items():
            block.enter_context(hook.replaced(shortcut))
        yield


@functools.cache
def gradebook_version() -> str | None:
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


def _opening_once():
    """Return what stands for `Gradebook.__init__`: another of the same database shares its parts.

    Closing it ends its session, and the next use begins a fresh one.
    """
    known, opened = {}, nbgrader.OPEN.get()

    def init(gradebook, *place, **options):
        key = place, tuple(options.items())
        if key not in known:
            opened(gradebook, *place, **options)
            known[key] = dict(vars(gradebook))
        vars(gradebook).update(known[key])

    return init


_engine = functools.cache(nbgrader.CONNECT.get())


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
