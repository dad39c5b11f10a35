"""Serve: each connection to the socket is one shell's life, in a container of its own.

A request is one line of JSON: memory (bytes), cpu_seconds; with it come the socket that the
shell talks through, and the files by which it enters its control groups. The answer is
"error: ..." if there can be none. Closing the connection ends the shell.
"""

__all__ = ["main"]

import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import container, namespaces
from .shell import preload, run_shell
from .syscalls import allow_only_known, prepare

UID = GID = 1000
ENDED = b"ended\n"


def main() -> None:
    """Import everything, say "ready", and fork a keeper for each connection until stdin ends."""
    os.chdir(container.HOME)
    kernel = preload(sys.argv[1:])
    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by the system
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{container.RUN}/socket")
        server.listen(64)
        print("ready", flush=True)
        ears: list[socket.socket | int] = [server, 0]
        while 0 not in select.select(ears, [], [])[0]:  # stdin ends with the grader
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _leave_with(_keep, connection, kernel)
            connection.close()


def _keep(connection: socket.socket, kernel: Any) -> int:
    """Keep one container: start its init in new namespaces, end it when the connection closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    namespaces.die_with_parent()
    words, (channel, *groups), *_ = socket.recv_fds(connection, 4096, 3)
    request = json.loads(words)
    told, tell = os.pipe()
    namespaces.separate(UID, GID)
    init = os.fork()
    if init == 0:
        os.close(told)
        _leave_with(_furnish_and_guard, kernel, request, channel, groups, tell)
    os.close(tell)
    for file in groups:
        os.close(file)
    os.close(channel)  # the shell's end of it tells the grader that the shell has ended
    ears: list[socket.socket | int] = [connection, told]
    while True:
        heard = select.select(ears, [], [])[0]
        words = os.read(told, 4096) if told in heard else b""
        if connection in heard or not words:
            os.kill(init, signal.SIGKILL)
            with contextlib.suppress(OSError):  # by this the grader tells its end from ours
                connection.sendall(ENDED)
            return os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
        connection.sendall(words)


def _furnish_and_guard(
    kernel: Any, request: dict[str, Any], channel: int, groups: list[int], tell: int
) -> int:
    """Be process 1 of the container."""
    namespaces.die_with_parent()
    try:
        container.enter(groups)
        container.furnish()
        shell = os.fork()
        if shell == 0:
            _leave_with(_become_shell, kernel, request, channel)
        os.close(channel)
        return container.guard(shell, memory=request["memory"])
    except Exception as error:
        os.write(tell, f"error: {type(error).__name__}: {error}\n".encode())
        raise


def _become_shell(kernel: Any, request: dict[str, Any], channel: int) -> int:
    """Be the student's process: no capabilities, limits, its own folder, no inherited files."""
    container.limit(memory=request["memory"], cpu_seconds=request["cpu_seconds"])
    namespaces.drop_capabilities()
    allow_only_known()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(channel, 3)
    os.closerange(4, 1024)
    os.chdir(container.HOME)
    os.setsid()
    run_shell(kernel, socket.socket(fileno=3))
    return 0


def _leave_with(task: Callable[..., int], *arguments: object) -> NoReturn:
    """Run a task in this fork and leave: no cleanup of the parent's belongs here."""
    status = 1
    try:
        status = task(*arguments) % 256
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
