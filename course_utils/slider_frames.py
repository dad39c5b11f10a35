"""Pictures kept by the values of their sliders, and drawn ahead."""

__all__ = ["Frames"]

import asyncio
import contextlib
import gc
import itertools
import threading
import time
from collections.abc import Callable, Mapping

from IPython import get_ipython

from course_utils.drawing import Values

Span = tuple[float, float, float]  # low, high, step
KEPT = 400  # of some 30 kB each
AHEAD = 60  # at most, for one slider
QUIET = 1.0  # seconds in which no cell ran, and no slider moved
SPARE = 15.0  # seconds of drawing ahead, after the cell and after each movement
# JupyterLab hands movements to a thread beside the one that runs cells, and pyplot's figures
# belong to all threads: whoever draws, or runs a cell, holds this.
TURN = threading.RLock()


class Frames:
    """Pictures that are drawn once.

    Parameters
    ----------
    picture : callable
        Takes {name: value}, returns the picture's bytes.

    Attributes
    ----------
    seconds : float
        What the last drawing took.
    """

    _moved = 0.0  # when a slider last moved, any of this kernel

    def __init__(self, picture: Callable[[Values], bytes]) -> None:
        self.seconds = 0.0
        self._picture = picture
        self._kept: dict[tuple[float, ...], bytes] = {}
        self._waiting: asyncio.TimerHandle | None = None
        self._spare, self._settled = SPARE, False
        shell = get_ipython()
        if shell:  # a function that is registered already is not registered again
            shell.events.register("pre_run_cell", _begin_cell)
            shell.events.register("post_run_cell", _end_cell)

    def has(self, values: Values) -> bool:
        """Return whether a picture is kept."""
        return _key(values) in self._kept

    def at(self, values: Values) -> bytes:
        """Return the picture at {name: value}, kept or drawn now."""
        Frames._moved = time.monotonic()
        with TURN:
            return self._at(values)

    def _at(self, values: Values) -> bytes:
        key = _key(values)
        if key not in self._kept:
            start = time.perf_counter()
            drawn = self._picture(values)
            self.seconds = time.perf_counter() - start
            self._kept[key] = drawn
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]  # the oldest
        return self._kept[key]

    def draw_ahead(self, values: Values, spans: Mapping[str, Span]) -> None:
        """Draw the neighbours along each slider while nothing else happens, the nearest first.

        Parameters
        ----------
        values : dict
            {name: value}, where the sliders stand.
        spans : dict
            {name: (low, high, step)}.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script: there is nobody to wait for
            return
        if self._waiting:
            self._waiting.cancel()
        near = [one for name, span in spans.items() for one in _neighbours(values, name, span)]
        left = [one for _, one in sorted(near, key=lambda pair: pair[0])]
        self._spare = SPARE
        self._waiting = loop.call_later(QUIET, self._draw_next, loop, left, _ran())

    def _draw_next(self, loop: asyncio.AbstractEventLoop, left: list[Values], ran: int) -> None:
        """Draw one picture and come back for the next; while others work, only come back."""
        left = list(itertools.dropwhile(self.has, left))
        if not left or self._spare <= 0:
            return
        if _ran() != ran or time.monotonic() - Frames._moved < QUIET:
            self._waiting = loop.call_later(QUIET, self._draw_next, loop, left, _ran())
            return
        if not self._settled:
            self._settled = True
            gc.collect()
            gc.freeze()  # or a sweep through all that was imported stops a drag for half a second
        with contextlib.suppress(Exception), TURN:  # shown when a slider comes there
            self._at(left[0])
        self._spare -= self.seconds
        self._waiting = loop.call_later(0.01, self._draw_next, loop, left[1:], ran)


def _begin_cell(_info: object) -> None:
    """Let movements wait, as they do where they arrive in the cells' own thread."""
    TURN.acquire()


def _end_cell(_result: object) -> None:
    with contextlib.suppress(RuntimeError):  # the cell that made the first sliders holds nothing
        TURN.release()


def _ran() -> int:
    """Return how many cells ran in this kernel."""
    shell = get_ipython()
    return shell.execution_count if shell else 0


def _key(values: Values) -> tuple[float, ...]:
    return tuple(round(value, 9) for value in values.values())


def _neighbours(values: Values, name: str, span: Span) -> list[tuple[int, Values]]:
    """Return (steps away, values) along one slider, the nearest AHEAD of them."""
    low, high, step = span
    at = [low + step * i for i in range(round((high - low) / step) + 1)]
    near = sorted((round(abs(one - values[name]) / step), one) for one in at)
    return [(steps, values | {name: one}) for steps, one in near[: AHEAD + 1]]
