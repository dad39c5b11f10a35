"""Give a call a budget of CPU seconds, so that an endless loop costs one check, not the cell."""

__all__ = ["OutOfTime", "cpu_budget"]

import contextlib
import signal
import threading
import time
import types


class OutOfTime(BaseException):
    """The call used up its CPU seconds; no `except Exception` of the student's catches it."""


@contextlib.contextmanager
def cpu_budget(seconds):
    """Raise `OutOfTime` in the block once the process has used this many CPU seconds.

    Needs `signal.ITIMER_PROF` and the main thread; elsewhere the block runs without a budget.

    Parameters
    ----------
    seconds : float
        CPU seconds, above zero.

    Yields
    ------
    types.SimpleNamespace
        `seconds`: CPU seconds used, once the block has ended.
    """
    timer = types.SimpleNamespace(seconds=0.0)
    start = time.process_time()
    try:
        with _alarm(seconds) if _available() else contextlib.nullcontext():
            yield timer
    finally:
        timer.seconds = time.process_time() - start


@contextlib.contextmanager
def _alarm(seconds):
    def ring(signum, frame):
        raise OutOfTime(f"took longer than {seconds:g} s of CPU time: is there an endless loop?")

    previous = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)  # rings again if the first is swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _available():
    main = threading.current_thread() is threading.main_thread()
    return hasattr(signal, "setitimer") and hasattr(signal, "SIGPROF") and main
