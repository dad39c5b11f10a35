"""What an answer prints while it is checked, and where it raises: told to its writer only."""

__all__ = ["Heard"]

import contextlib
import io
import os
import traceback
from collections.abc import Callable, Iterator

MOST = 2000  # characters that are kept


class Heard:
    """Output, warnings and places of errors of the code that a check cell calls.

    Attributes
    ----------
    printed : str
        What was printed or warned, its first 2000 characters.
    places : dict
        {number of the check: where the reader's own code raised}, such as
        "line 3 of your cell, in mean: return a / b"; '' where that is nowhere.
    """

    def __init__(self) -> None:
        self._stream = _Short()
        self.places: dict[int, str] = {}

    @property
    def printed(self) -> str:
        """What was printed or warned."""
        return self._stream.getvalue().strip()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is printed in the block, in place of showing it."""
        with (
            contextlib.redirect_stdout(self._stream),
            contextlib.redirect_stderr(self._stream),
        ):
            yield

    def failed(self, check: int, error: BaseException, call: Callable[..., object]) -> None:
        """Note where an error came from.

        Parameters
        ----------
        check : int
            Number of the check, from 0.
        error : BaseException
            As caught.
        call : callable
            What the check cell called; its own lines are not the reader's.
        """
        here = getattr(getattr(call, "__code__", None), "co_filename", None)
        self.places[check] = _place(error, here)


class _Short(io.StringIO):
    """A stream that keeps its beginning."""

    def close(self) -> None:
        """Stay open: what was printed is read later."""

    def write(self, text: str) -> int:
        super().write(text[: max(MOST - self.tell(), 0)])
        return len(text)


def _place(error: BaseException, check_cell: str | None) -> str:
    """Return the innermost line of an error that stands in a notebook, outside the check cell."""
    lines = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.line and frame.filename != check_cell and not os.path.exists(frame.filename)
    ]
    if not lines:
        return ""
    return f"line {lines[-1].lineno} of your cell, in {lines[-1].name}: {lines[-1].line}"
