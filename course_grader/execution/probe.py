"""The preloaded sandbox, tried before it is trusted: where it does not work, there is none."""

__all__ = ["preloading", "problem_of", "shared"]

import atexit
import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

from course_grader.execution import cgroups, mounts, sandbox, scratch
from course_grader.execution.execute import NoSandbox, execute
from course_grader.execution.forkserver import ForkServer
from course_grader.project.course import CourseError

SHARED: dict[tuple[tuple[str, str], ...], ForkServer | None] = {}
NOT_COUNTED = "memory of a submission that belongs to no process, such as socket buffers,"


@contextlib.contextmanager
def preloading(
    files: Mapping[str, Path],
    *,
    say: Callable[[str], object],
    also: Iterable[str] = (),
    unsafe: bool = False,
) -> Iterator[Callable[[], Path | None]]:
    """Start a fork server, which ends with the block, and give a function that waits for it.

    That function returns the fork server's folder, or None where there cannot be one and a
    sandbox for each submission is sound. It raises NoSandbox where that is not, either.

    Parameters
    ----------
    files : dict
        {name: path} of data files that lie beside every notebook.
    say : callable
        Told in one line why there is none.
    also : iterable of str
        Modules to import beforehand, besides those that every unit uses.
    unsafe : bool
        Go on where no sandbox is sound.
    """
    forkserver = _started(files, say, also) if sandbox.available() else None

    @functools.cache
    def ready() -> Path | None:
        _tell_what_is_not_counted(say)
        if forkserver and _tried(forkserver, say):
            forkserver.keep()
            return forkserver.folder
        _each_alone(say, unsafe)
        return None

    try:
        yield ready
    finally:
        if forkserver:
            forkserver.stop()


def shared(
    files: Mapping[str, Path],
    *,
    say: Callable[[str], object],
    also: Iterable[str] = (),
    unsafe: bool = False,
) -> Path | None:
    """Return the folder of a fork server that serves this process until it ends, or None.

    None, NoSandbox and the options are as for `preloading`.

    nbgrader's own commands grade one submission after the other without saying when they start
    or end; they all use this one.
    """
    scratch.gather()
    key = tuple(sorted((name, str(path)) for name, path in files.items()))
    known = SHARED.get(key)
    if key not in SHARED or (known and not known.alive()):
        started = _started(files, say, also) if sandbox.available() else None
        _tell_what_is_not_counted(say)
        known = _tried(started, say) if started else None
        if known:
            atexit.register(known.stop)
        else:
            _each_alone(say, unsafe)
        SHARED[key] = known
    return known.folder if known else None


def _tell_what_is_not_counted(say: Callable[[str], object]) -> None:
    if sandbox.available() and cgroups.offer() is None:
        say(f"No control groups here: {NOT_COUNTED} is not limited (docs/grading.md).")


def _started(
    files: Mapping[str, Path], say: Callable[[str], object], also: Iterable[str]
) -> ForkServer | None:
    """Start a fork server; return it, or None where the system refuses."""
    try:
        return ForkServer(files, also)
    except (CourseError, OSError) as error:
        _give_up(error, say)
        return None


def _tried(forkserver: ForkServer, say: Callable[[str], object]) -> ForkServer | None:
    """Try a fork server once it is up; return it, or None, and end it, where it is not sound."""
    try:
        forkserver.wait()
        why = problem_of(forkserver.folder)
    except CourseError as error:
        why = str(error)
    if not why:
        return forkserver
    forkserver.stop()
    _give_up(why, say)
    return None


def _give_up(why: object, say: Callable[[str], object]) -> None:
    say(f"No preloaded sandbox here ({why}): each submission starts its own, which is slower.")


def _each_alone(say: Callable[[str], object], unsafe: bool) -> None:
    """Try the sandbox that each submission starts; refuse where it is not sound.

    Raises
    ------
    NoSandbox
        Unless `unsafe`.
    """
    why = problem_of(None) if sandbox.available() else ""  # without bubblewrap `execute` refuses
    if why and not unsafe:
        raise NoSandbox(
            f"The sandbox does not hold here ({why}), so students' code would run unprotected. "
            "Grade on another machine, or say UNSAFE=1 if you trust the files."
        )
    if why:
        say(f"The sandbox does not hold here ({why}); UNSAFE=1 goes on.")


def problem_of(forkserver: Path | None) -> str:
    """Run one throw-away shell that tries what must fail; return what did not, or ''.

    Parameters
    ----------
    forkserver : Path or None
        The folder of a preloaded sandbox; None: a shell in a sandbox of its own.
    """
    probe = Path(__file__).with_name("inside") / "selftest.py"
    attempts = f"escapes({list(mounts.shown())!r})"
    cells = [new_code_cell(probe.read_text("utf-8")), new_code_cell(attempts)]
    try:
        done = execute(new_notebook(cells=cells), forkserver=forkserver)
    except Exception as error:  # whatever it is, this sandbox is not to be trusted
        return str(error)
    shown = done.cells[-1].outputs
    text = shown[0].get("data", {}).get("text/plain", "") if shown else ""
    return "" if text == "[]" else f"its self-test gave {text or shown}"
