"""The worked solution of an exercise, for a learner who has the whole course at hand."""

__all__ = ["worked_solution"]

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any


def worked_solution(exercise: str, folder: str | Path = ".") -> str:
    """Return an exercise's worked solution, and why in a comment; '' where none is at hand.

    It is read from `solutions/`, two folders above an assignment's own: a class gets the course
    without that folder, and nothing of it is ever in a released file.

    Parameters
    ----------
    exercise : str
    folder : path
        The assignment's folder; its name is the unit's.
    """
    here = Path(folder).resolve()
    path = here.parent.parent / "solutions" / f"{here.name}.ipynb"
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    code, why = ("".join(_sources(cells, role, exercise)).strip() for role in ("exercise", "why"))
    return f"{code}\n\n{indent(why, '# ')}".strip() if code else ""


def _sources(cells: list[dict[str, Any]], role: str, name: str) -> Iterator[str]:
    return ("".join(cell["source"]) for cell in cells if cell["metadata"].get(role) == name)
