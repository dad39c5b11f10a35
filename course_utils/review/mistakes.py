"""The catalogued mistakes that a learner was told of: kept in progress.json, to be repeated."""

__all__ = ["keep_mistake"]

import contextlib
import zlib
from pathlib import Path

from course_utils import progress_file
from course_utils.checking.forms import Hint


def keep_mistake(
    exercise: str, hints: list[Hint], sentence: str, *, folder: str | Path = "."
) -> None:
    """Keep that a learner was told of a mistake; a folder that cannot be written to keeps nothing.

    Parameters
    ----------
    exercise : str
    hints : list of dict
        The exercise's catalogue: each with its sentence and, but in older copies, its name.
    sentence : str
        What was told; '' keeps nothing.
    folder : path
        Where progress.json lies.
    """
    if progress_file.is_off() or not sentence:
        return
    found = (hint["name"] for hint in hints if hint["sentence"] == sentence and "name" in hint)
    name = next(found, f"{zlib.crc32(sentence.encode()):08x}")
    book = progress_file.read(folder)
    kept = book.setdefault("mistakes", {}).setdefault(exercise, {})
    if kept.get(name) != sentence:
        kept[name] = sentence
        with contextlib.suppress(OSError):
            progress_file.write(book, folder)
