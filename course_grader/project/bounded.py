"""Limits for the grader's own work on one submission: CPU time and memory, in its own process.

A process for each submission would cost more than the work itself. What a file makes grow has
budgets of its own where it is read; this is for what nobody has thought of, and ends it as an
exception that costs the submission its points, and no other.
"""

__all__ = ["TookTooLong", "bounded"]

import contextlib
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

CPU_SECONDS = 30.0  # for one step; an honest submission takes some hundredths
MEMORY = 2 << 30  # bytes besides what is mapped already
MAPPED = Path("/proc/self/statm")


class TookTooLong(Exception):
    """Raised in work on one submission that has used up its CPU time."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Limit what the block takes: TookTooLong or MemoryError is raised in it.

    Time is limited in the main thread only, where signals arrive, and memory on Linux only.
    """
    with _memory(), _time():
        yield


@contextlib.contextmanager
def _time():
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(number, frame):
    raise TookTooLong(f"more than {CPU_SECONDS:g} s of CPU time")


@contextlib.contextmanager
def _memory():
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(MAPPED.read_text().split()[0])
    except OSError:
        yield
        return
    whole = pages * resource.getpagesize() + MEMORY
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([whole, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
