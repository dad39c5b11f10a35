"""progress.json, which holds a learner's predictions and results: it lies beside the notebook."""

__all__ = ["FILE", "answer_in", "is_off", "keep_result", "read", "set_aside", "write"]

import contextlib
import itertools
import json
import os
import warnings
from pathlib import Path
from typing import Any

FILE = "progress.json"


def is_off() -> bool:
    """Tell whether COURSE_PROGRESS=off asks to read and write nothing."""
    return os.environ.get("COURSE_PROGRESS", "").strip().lower() == "off"


def read(folder: str | Path = ".") -> dict[str, Any]:
    """Return what the file holds: {"predictions": {name: entry}, "results": {exercise: entry}}.

    A damaged file is renamed, with a warning, and counts as empty, as a missing one does.
    """
    path = Path(folder, FILE).resolve()
    if is_off() or not path.exists():
        return {}
    try:
        book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for entry in book.get("predictions", {}).values():
            answer_in(entry)
        for entry in book.get("results", {}).values():
            assert all(result["points"] >= 0 for result in entry.values())
        return book
    # No JSON, or not what we write.
    except (ValueError, AttributeError, TypeError, KeyError, AssertionError):
        set_aside(path)
    return {}


def set_aside(path: Path) -> None:
    """Rename a damaged file, with a warning, so that a new one can be begun."""
    names = (path.with_suffix(f".damaged-{i}.json") for i in itertools.count(1))
    aside = next(free for free in names if not free.exists())
    os.replace(path, aside)
    message = f"{path.name} could not be read. It is kept as {aside.name}; a new one is begun."
    warnings.warn(message, stacklevel=6)


def write(book: dict[str, Any], folder: str | Path = ".", name: str = FILE) -> None:
    """Write a file so that a crash leaves either the old one or the new one, whole."""
    path = Path(folder, name).resolve()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8") as file:
            json.dump(book, file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def keep_result(
    exercise: str, status: str, points: float, *, cases: str, folder: str | Path = "."
) -> None:
    """Keep the best result of an exercise; a folder that cannot be written to keeps nothing.

    Parameters
    ----------
    exercise : str
    status : {"passed", "not yet", "not attempted"}
        Nothing is kept of an exercise that was not attempted.
    points : float
    cases : {"visible", "all"}
        Which cases were compared; each has a best result of its own.
    folder : path
        Where progress.json lies.
    """
    if is_off() or status == "not attempted":
        return
    book = read(folder)
    entry = book.setdefault("results", {}).setdefault(exercise, {})
    if cases not in entry or entry[cases]["points"] < points:
        entry[cases] = {"status": status, "points": points}
        with contextlib.suppress(OSError):
            write(book, folder)


def answer_in(entry: dict[str, Any]) -> float | str:
    """Return the answer that an entry holds: one of the choices, or a number."""
    return entry["choice"] if "choice" in entry else float(entry["number"])
