"""Tell that a notebook is another unit's assignment, before it is graded as this one's."""

__all__ = ["belongs_elsewhere", "stop_if_all_do"]

import functools
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from course_grader.intake.parse import read_submission
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, Unit, units


def belongs_elsewhere(submission: NotebookNode, unit: Unit) -> str:
    """Return the name of the unit whose cells a notebook holds, if it holds none of this one's.

    Parameters
    ----------
    submission : NotebookNode
        As `read_submission` returns it.
    unit : Unit

    Returns
    -------
    str
        '' for a notebook of this unit, and for one that holds no known cells at all.
    """
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in submission.cells}
    ids.discard(None)
    if not ids or ids & _ids_of(unit.name):
        return ""
    shared = {other.name: len(ids & _ids_of(other.name)) for other in units()}
    best = max(shared, key=shared.get, default="")
    return best if best and shared[best] else ""


def stop_if_all_do(unit: Unit, submissions: Sequence[Sequence[Path]], origin: object) -> None:
    """Stop before anything is written if all readable notebooks are another unit's.

    Parameters
    ----------
    unit : Unit
    submissions : list of list of Path
        Notebook files of each student. Reading ends at the first that is this unit's.
    origin : Path

    Raises
    ------
    CourseError
        With the unit that they belong to.
    """
    others = []
    for files in submissions:
        try:
            elsewhere = belongs_elsewhere(read_submission(files[0]), unit) if files else None
        except Exception:  # whatever is wrong with it is told when its turn has come
            continue
        if elsewhere == "":
            return
        others += [elsewhere] if elsewhere else []
    if len(others) > 1 and len(set(others)) == 1:
        raise CourseError(
            f"{origin} holds {others[0]}, not {unit.name}: all {len(others)} notebooks are. "
            f"Nothing was written; 'make grade UNIT={others[0][:2]} FROM=...' grades them."
        )


@functools.cache
def _ids_of(name):
    """Return the grade ids of a unit's released cells."""
    path = PROJECT / "release" / name / f"{name}.ipynb"
    cells = notebooks.load(path).cells if path.is_file() else []
    return {c.metadata.nbgrader["grade_id"] for c in cells if "nbgrader" in c.metadata}
