"""Start a shell in its sandbox, and end it: forked from a fork server, or a process of its own."""

__all__ = ["RoomLost", "open_shell"]

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from course_grader.execution import cgroups, identity, mounts, sandbox
from course_grader.execution.inside.shell import CONFINED
from course_grader.execution.inside.transport import Wire
from course_grader.project.course import CourseError, Limits

START_SECONDS = 60
LAST_WORDS_SECONDS = 2  # a shell may close its socket and live on
ENTER = """
while [ "$1" != -- ]; do echo 0 > "$1" || exit 1; shift; done
shift
{ echo 500 > /proc/self/oom_score_adj; } 2>/dev/null  # the kernel, short of memory, ends it first
exec "$@"
"""


class RoomLost(CourseError):
    """Raised where the preloaded process has ended, and every shell with it: no cell did it."""


@contextlib.contextmanager
def open_shell(
    files: Mapping[str, Path], limits: Limits, forkserver: Path | None = None
) -> Iterator[Wire]:
    """Start a shell and give the wire to it; it ends with the block.

    `wire.check_room()` raises RoomLost where the shell has ended with its preloaded process.

    Parameters
    ----------
    files : dict
        {name: path} of data files that lie beside the notebook.
    limits : dict
        memory_gib, submission_seconds.
    forkserver : Path, optional
        The folder of a preloaded sandbox, which forks it and holds the data files.

    Raises
    ------
    CourseError
        If it does not come up; the message holds its last words.
    RoomLost
        If the preloaded process ends meanwhile.
    """
    ours, theirs = socket.socketpair()
    memory = limits["memory_gib"] * sandbox.GIB
    with (
        ours,
        cgroups.grouped(memory, sandbox.PROCESSES) as groups,
        (
            _forked(theirs, forkserver, limits, groups)
            if forkserver
            else _spawned(theirs, files, limits, groups)
        ) as last_words,
    ):
        wire = Wire(ours)
        wire.check_room = lambda: _check(forkserver, last_words)
        try:
            wire.receive(time.monotonic() + START_SECONDS)
        except (EOFError, OSError) as error:
            words = last_words()
            _check(forkserver, lambda: words)
            raise CourseError(f"the shell did not start: {words or error}") from error
        yield wire


def _check(forkserver: Path | None, last_words: Callable[[], str]) -> None:
    if forkserver and not last_words():
        raise RoomLost("the preloaded sandbox has ended, most likely for lack of memory")


@contextlib.contextmanager
def _forked(
    channel: socket.socket, forkserver: Path, limits: Limits, groups: list[Path]
) -> Iterator[Callable[[], str]]:
    """Have a fork server fork a shell, which lives as long as the connection."""
    with _connected(forkserver) as connection:
        with channel:
            memory = int(limits["memory_gib"] * sandbox.GIB)
            request = {"memory": memory, "cpu_seconds": limits["submission_seconds"]}
            with contextlib.ExitStack() as opened:
                entries = [opened.enter_context(path.open("wb", 0)) for path in groups]
                files = [channel.fileno(), *(entry.fileno() for entry in entries)]
                _send(connection, json.dumps(request).encode(), files)
        yield lambda: _last_words(connection)


def _connected(forkserver: Path) -> socket.socket:
    """Return a connection to a fork server, which may be about to start again."""
    end = time.monotonic() + START_SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(START_SECONDS)
        try:
            connection.connect(str(forkserver / "socket"))
            return connection
        except (ConnectionRefusedError, FileNotFoundError):
            connection.close()
            if not forkserver.is_dir() or time.monotonic() > end:
                raise
        time.sleep(0.1)


def _send(connection: socket.socket, words: bytes, files: list[int]) -> None:
    """Send words and files; a student's code may have as many in flight as one user can."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.send_fds(connection, [words], files)
            return
        except OSError as error:
            if error.errno != errno.ETOOMANYREFS or time.monotonic() > end:
                raise
        time.sleep(0.1)


def _last_words(connection: socket.socket) -> str:
    """Return what a shell's keeper said; '' if it was ended, too."""
    connection.settimeout(LAST_WORDS_SECONDS)
    try:
        return connection.recv(4096).decode(errors="replace").strip()
    except TimeoutError:
        return "it lives on, and says nothing"
    except OSError:
        return ""


@contextlib.contextmanager
def _spawned(
    channel: socket.socket, files: Mapping[str, Path], limits: Limits, groups: list[Path]
) -> Iterator[Callable[[], str]]:
    """Start a shell of its own, in a sandbox where there is one."""
    bounds = {"memory_gib": limits["memory_gib"], "cpu_seconds": limits["submission_seconds"]}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as told,
    ):
        if sandbox.available():
            python = [mounts.python(), "-m", "inside.shell", CONFINED]
            command = _with_options_in(told, *sandbox.command(python, files=files, **bounds))
        else:
            for name, path in files.items():
                shutil.copy(path, Path(folder, name))
            python = [sys.executable, "-m", "course_grader.execution.inside.shell"]
            command = [*sandbox.limits_prefix(**bounds), *python]
        with channel:
            process = subprocess.Popen(
                ["sh", "-c", ENTER, "sh", *map(str, groups), "--", *command],
                stdin=channel.fileno(),
                pass_fds=[told.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ | sandbox.environment(),
                cwd=folder,
                start_new_session=True,
            )
        try:
            yield lambda: _said(process)
        finally:
            _end(process)


def _with_options_in(file: IO[bytes], options: list[str], inner: list[str]) -> list[str]:
    """Write bubblewrap's options to an open file; return the command that reads them there."""
    file.write(b"".join(os.fsencode(option) + b"\0" for option in options))
    file.seek(0)
    return [*identity.bubblewrap(), "--args", str(file.fileno()), "--", *inner]


def _said(process: subprocess.Popen[bytes]) -> str:
    """Return the last line of what an ended process said."""
    assert process.stderr
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr:
        process.stderr.close()
