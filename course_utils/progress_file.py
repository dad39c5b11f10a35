"""progress.json, which holds a learner's predictions: it lies beside the notebook."""

__all__ = ["FILE", "answer_in", "is_off", "read", "write"]

import itertools
import json
import os
import warnings
from pathlib import Path

FILE = "progress.json"


def is_off():
    """Tell whether COURSE_PROGRESS=off asks to read and write nothing."""
    return os.environ.get("COURSE_PROGRESS", "").strip().lower() == "off"


def read(folder="."):
    """Return what the file holds: {"predictions": {name: entry}}, perhaps more.

    A damaged file is renamed, with a warning, and counts as empty, as a missing one does.
    """
    path = Path(folder, FILE).resolve()
    if is_off() or not path.exists():
        return {}
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        for entry in book.get("predictions", {}).values():
            answer_in(entry)
        return book
    except (ValueError, AttributeError, TypeError, KeyError):  # no JSON, or not what we write
        names = (path.with_suffix(f".damaged-{i}.json") for i in itertools.count(1))
        aside = next(free for free in names if not free.exists())
        os.replace(path, aside)
    message = f"{path.name} could not be read. It is kept as {aside.name}; a new one is begun."
    warnings.warn(message, stacklevel=5)
    return {}


def write(book):
    """Write the file so that a crash leaves either the old one or the new one, whole."""
    path = Path(FILE).resolve()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8") as file:
            json.dump(book, file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def answer_in(entry):
    """Return the answer that an entry holds: one of the choices, or a number."""
    return entry["choice"] if "choice" in entry else float(entry["number"])
