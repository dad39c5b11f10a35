"""What a cell prints: sys.stdout and sys.stderr, and what programs write to their files."""

__all__ = ["Stream", "catch"]

import io
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

Send = Callable[[str, dict[str, Any]], None]
MAX_HELD = 1 << 16  # characters that wait; what programs wrote is read up to here, too


class Stream(io.TextIOBase):
    """A text stream whose words become messages, at the latest when it is flushed."""

    encoding, errors = "UTF-8", "strict"

    def __init__(self, name: str, number: int, send: Send) -> None:
        """Take the stream's name, its file descriptor, and what sends a message."""
        super().__init__()
        self.name, self.number, self.send = name, number, send
        self.words: list[str] = []
        self.held, self.owner = 0, os.getpid()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that programs started from a cell write to."""
        return self.number

    def write(self, text: str) -> int:
        """Keep text until the next flush; a fork of the process writes to the descriptor."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self.owner:
            return os.write(self.number, text.encode(errors="replace"))
        self.words.append(text)
        self.held += len(text)
        if self.held > MAX_HELD:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what was written here, then what programs wrote to the descriptor."""
        if os.getpid() != self.owner:
            return
        words, self.words, self.held = self.words, [], 0
        text = "".join(words) + self._written_by_programs()
        if text:
            self.send("stream", {"name": self.name, "text": text})

    def _written_by_programs(self) -> str:
        if not os.fstat(self.number).st_size:
            return ""
        written = os.pread(self.number, MAX_HELD, 0)
        os.ftruncate(self.number, 0)
        os.lseek(self.number, 0, os.SEEK_SET)
        return written.decode(errors="replace")


def catch(send: Send) -> None:
    """Put streams in the place of stdout and stderr, and of their descriptors."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, Stream(name, number, send))
