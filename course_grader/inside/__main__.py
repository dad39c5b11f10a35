"""Serve: each connection to the socket is one kernel's life, in a room of its own.

A request is one line of JSON: room, memory (bytes), cpu_seconds. The answer is a line "up" or
"error: ...", and in the end "ended STATUS". Closing the connection ends the kernel.
"""

__all__ = ["main"]

import contextlib
import functools
import json
import os
import select
import signal
import socket
import sys
import traceback

from . import namespaces, room
from .kernel import preload, run_kernel

UID = GID = 1000


def main():
    """Import everything, say "ready", and fork a keeper for each connection."""
    preload()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by the system
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{room.RUN}/socket")
        server.listen(64)
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _leave_with(_keep, connection)
            connection.close()


def _keep(connection):
    """Keep one room: start its init in new namespaces, end it when the connection closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    namespaces.die_with_parent()
    request = json.loads(connection.makefile().readline())
    told, tell = os.pipe()
    namespaces.separate(UID, GID)
    init = os.fork()
    if init == 0:
        os.close(told)
        _leave_with(_furnish_and_guard, request, tell)
    os.close(tell)
    while True:
        heard = select.select([connection, told], [], [])[0]
        words = os.read(told, 4096) if told in heard else b""
        if connection in heard or not words:
            os.kill(init, signal.SIGKILL) if connection in heard else None
            status = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
            with contextlib.suppress(OSError):  # nobody listens where the connection was closed
                connection.sendall(f"ended {status}\n".encode())
            return 0
        connection.sendall(words)


def _furnish_and_guard(request, tell):
    """Be process 1 of the room."""
    namespaces.die_with_parent()
    report = functools.partial(_report, tell)
    try:
        room.furnish(request["room"])
        ready, say_ready = os.pipe()
        kernel = os.fork()
        if kernel == 0:
            _leave_with(_become_kernel, request, say_ready)
        os.close(say_ready)
        return room.guard(kernel, ready, report, memory=request["memory"])
    except Exception as error:
        report(f"error: {type(error).__name__}: {error}")
        raise


def _become_kernel(request, ready):
    """Be the student's process: no capabilities, limits, its own folder, no inherited files."""
    room.limit(memory=request["memory"], cpu_seconds=request["cpu_seconds"])
    namespaces.drop_capabilities()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(ready, 3)
    os.closerange(4, 1024)
    os.chdir(room.HOME)
    os.setsid()
    run_kernel(f"{room.KERNEL}/kernel.json", 3)
    return 0


def _report(tell, words):
    os.write(tell, f"{words}\n".encode())


def _leave_with(task, *arguments):
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
