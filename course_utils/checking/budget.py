"""Give a call a budget of CPU seconds, so that an endless loop costs one check, not the cell."""

__all__ = ["OutOfTime", "Timer", "cpu_budget"]

import contextlib
import dataclasses
import signal
import threading
import time
import types
from collections.abc import Iterator

TICK = 0.02  # CPU seconds between two looks at the clock
IMPORT = "<frozen importlib._bootstrap>"


class OutOfTime(BaseException):
    """The call used up its CPU seconds; no `except Exception` of the student's catches it."""


@dataclasses.dataclass
class Timer:
    """CPU seconds that a block used, and those that imports in it took."""

    seconds: float = 0.0
    importing: float = 0.0


@contextlib.contextmanager
def cpu_budget(seconds: float) -> Iterator[Timer]:
    """Raise `OutOfTime` in the block once it has used this many CPU seconds.

    What an import inside the block takes is not counted: the first step of a torch optimiser
    imports for two seconds, and an import that is broken off half-way breaks the module.
    Needs `signal.ITIMER_PROF` and the main thread; elsewhere the block runs without a budget.

    Parameters
    ----------
    seconds : float
        CPU seconds, above zero.

    Yields
    ------
    Timer
        `seconds`: CPU seconds used, without imports, once the block has ended.
    """
    timer = Timer()
    start = time.process_time()
    try:
        with _alarm(seconds, timer) if _available() else contextlib.nullcontext():
            yield timer
    finally:
        timer.seconds = time.process_time() - start - timer.importing


@contextlib.contextmanager
def _alarm(seconds: float, timer: Timer) -> Iterator[None]:
    start = seen = time.process_time()

    def ring(signum: int, frame: types.FrameType | None) -> None:
        nonlocal seen
        now = time.process_time()
        if _in_import(frame):
            timer.importing += now - seen
        elif now - start - timer.importing >= seconds:
            took = f"took longer than {seconds:g} s of CPU time"
            raise OutOfTime(f"{took}: is there an endless loop?")
        seen = now

    previous = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, TICK, TICK)  # again, should a ring be swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _in_import(frame: types.FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename == IMPORT:
            return True
        frame = frame.f_back
    return False


def _available() -> bool:
    main = threading.current_thread() is threading.main_thread()
    return hasattr(signal, "setitimer") and hasattr(signal, "SIGPROF") and main
