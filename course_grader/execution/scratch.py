"""One folder for all temporary files of a grader, so that nothing stays of one that was killed."""

__all__ = ["gather"]

import contextlib
import functools
import os
import shutil
import tempfile
from multiprocessing import util
from pathlib import Path

PREFIX = "pml-"  # short: a socket's path holds 107 bytes
HELD = "held"  # the file that a grader keeps locked as long as it lives
OPEN = 0o711  # whom students' code runs as finds the sandbox's socket below it, and sees no names
LAST = -1000  # multiprocessing removes a folder of its own at -100, and complains if it is gone


@functools.cache
def gather() -> Path:
    """Have this process, and those that it starts, keep temporary files in one folder; return it.

    It goes when the process ends. One that is killed leaves its own, which the next grader
    removes, when it starts and again when it ends: a lock tells who is still alive. Windows, where
    no class is graded, has no such locks: there all stays as it is.
    """
    top = Path(tempfile.gettempdir())
    if os.name != "posix":
        return top
    _remove_abandoned(top)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=top))
    folder.chmod(OPEN)
    _hold(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    util.Finalize(None, _end, args=(top, folder), exitpriority=LAST)
    return folder


def _hold(folder: Path) -> None:
    """Lock a file until this process ends; it gets its name when it is locked."""
    new = folder / "new"
    _lock(os.open(new, os.O_CREAT | os.O_RDWR))
    new.rename(folder / HELD)


def _lock(file: int) -> None:
    """Lock an open file, or raise OSError where another process has it."""
    import fcntl  # not on Windows

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _end(top: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _remove_abandoned(top)


def _remove_abandoned(top: Path) -> None:
    """Remove the folders of graders that were killed."""
    for held in top.glob(f"{PREFIX}*/{HELD}"):
        with contextlib.suppress(OSError):  # it lives, is another user's, or is gone by now
            file = os.open(held, os.O_RDWR)
            try:
                _lock(file)
                shutil.rmtree(held.parent, ignore_errors=True)
            finally:
                os.close(file)
