"""The preloaded sandbox, tried before it is trusted: where it does not work, there is none."""

__all__ = ["preloaded", "problem_of", "shared"]

import atexit
import contextlib
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

from course_grader import sandbox
from course_grader.course import CourseError
from course_grader.execute import execute
from course_grader.zygote import Zygote

SHARED = {}


@contextlib.contextmanager
def preloaded(files, *, say):
    """Run a zygote as long as the block lasts; give its folder, or None where it cannot be.

    Parameters
    ----------
    files : dict
        {name: path} of data files that lie beside every notebook.
    say : callable
        Told in one line why there is none.
    """
    zygote = None
    try:
        if sandbox.available():
            zygote = _tried(files, say)
        yield zygote and zygote.folder
    finally:
        if zygote:
            zygote.stop()


def shared(files, *, say):
    """Return the folder of a zygote that serves this process until it ends, or None.

    nbgrader's own commands grade one submission after the other without saying when they start
    or end; they all use this one.
    """
    key = tuple(sorted((name, str(path)) for name, path in files.items()))
    known = SHARED.get(key)
    if key not in SHARED or (known and not known.alive()):
        SHARED[key] = known = _tried(files, say) if sandbox.available() else None
        if known:
            atexit.register(known.stop)
    return known and known.folder


def _tried(files, say):
    """Start a zygote and try it; return it, or None where it is not sound."""
    try:
        zygote = Zygote(files)
    except (CourseError, OSError) as error:
        why = str(error)
    else:
        why = problem_of(zygote.folder)
        if not why:
            return zygote
        zygote.stop()
    say(f"No preloaded sandbox here ({why}): each submission starts its own, which is slower.")
    return None


def problem_of(zygote):
    """Run one throw-away kernel that tries what must fail; return what did not, or ''."""
    probe = Path(__file__).with_name("inside") / "selftest.py"
    cells = [new_code_cell(probe.read_text("utf-8")), new_code_cell("escapes()")]
    try:
        done = execute(new_notebook(cells=cells), zygote=zygote)
    except Exception as error:  # whatever it is, this sandbox is not to be trusted
        return str(error)
    shown = done.cells[-1].outputs
    text = shown[0].get("data", {}).get("text/plain", "") if shown else ""
    return "" if text == "[]" else f"its self-test gave {text or shown}"
