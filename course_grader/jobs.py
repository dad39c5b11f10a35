"""What is executed for a submission: its key, the data beside it, what is imported before."""

__all__ = ["also_imported", "data_files", "key_of", "stand_in"]

import hashlib
import json

from course_grader.notebooks import load
from course_grader.rebuild import untouched


def key_of(notebook):
    """Return the key of an execution: what runs, and the reference's code that it runs with."""
    cells = [[cell.cell_type, cell.id, cell.source] for cell in notebook.cells]
    reason = notebook.metadata.get("unreadable", "")
    text = json.dumps([notebook.metadata.course.hash, cells, reason])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def data_files(course, unit):
    """Return {name: path} of what lies beside the assignment, notebooks aside."""
    folder = course.path("source", unit)
    return {p.name: p.resolve() for p in folder.iterdir() if p.suffix != ".ipynb"}


def also_imported(course, unit):
    """Return what the assignment needs imported that most do not: it takes seconds."""
    text = course.notebook("source", unit).read_text("utf-8")
    return ["torch._dynamo"] if "torch.optim" in text else []  # by an optimiser's first step


def stand_in(course, unit):
    """Return the rebuilt notebook of the untouched release, which no student has a hand in."""
    return untouched(*(load(course.notebook(step, unit)) for step in ("source", "release")))
