"""Messages of several parts over one socket: their lengths as a line of JSON, then the parts."""

__all__ = ["KEY", "MAX_BYTES", "TooLarge", "Wire"]

import json
import socket
import threading
import time
from collections.abc import Callable

MAX_BYTES = 16 << 20  # of a message; who sends a larger one is cut off
MAX_LINE = 4096
KEY = b"no secret"  # jupyter_client warns of unsigned messages; only two ends hold this socket


class TooLarge(ValueError):
    """Raised for a message of more than MAX_BYTES."""


class Wire:
    """One end of a socket, with the methods that jupyter_client expects of one.

    Parameters
    ----------
    socket : socket.socket
        A connected stream socket.
    """

    def __init__(self, socket: socket.socket) -> None:
        self.socket = socket
        self.sending = threading.Lock()  # a student's threads print, too
        self.waiting = bytearray()
        self.check_room: Callable[[], None] = lambda: None  # whoever opens a shell may know more

    def send_multipart(self, parts: list[bytes], **_: object) -> None:
        """Send a message, a list of bytes."""
        lengths = json.dumps([memoryview(part).nbytes for part in parts]).encode()
        with self.sending:
            self.socket.sendall(b"".join([lengths, b"\n", *parts]))

    def receive(self, deadline: float | None = None) -> list[bytes]:
        """Return the next message, a list of bytes.

        Parameters
        ----------
        deadline : float, optional
            When to give up, by `time.monotonic`; default: never.

        Raises
        ------
        TimeoutError
            If it is not whole by then.
        EOFError
            If the other side has hung up.
        ValueError
            If what came is no message; TooLarge if it is one of more than MAX_BYTES.
        """
        while (end := self.waiting.find(b"\n", 0, MAX_LINE)) < 0:
            if len(self.waiting) >= MAX_LINE:
                raise ValueError("no line of lengths")
            self._more(deadline)
        lengths = _lengths(bytes(self.waiting[:end]))
        while len(self.waiting) < end + 1 + sum(lengths):
            self._more(deadline)
        parts, place = [], end + 1
        for length in lengths:
            parts.append(bytes(self.waiting[place : place + length]))
            place += length
        del self.waiting[:place]
        return parts

    def _more(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("no message in time")
        self.socket.settimeout(left)
        came = self.socket.recv(1 << 18)
        if not came:
            raise EOFError("the other side has hung up")
        self.waiting += came


def _lengths(line: bytes) -> list[int]:
    lengths: list[int] = json.loads(line)
    sound = isinstance(lengths, list) and all(type(n) is int and n >= 0 for n in lengths)
    if not sound:
        raise ValueError(f"no lengths of a message: {line[:60]!r}")
    if sum(lengths) > MAX_BYTES:
        raise TooLarge(f"{sum(lengths)} bytes; {MAX_BYTES} are allowed")
    return lengths
