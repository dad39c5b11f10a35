"""What the sandbox's kernel shows is what a notebook shows: each notebook of the course."""

import re

import pytest
from nbformat.v4 import new_code_cell

from course_grader.execution.cache import data_files
from course_grader.execution.execute import execute
from course_grader.execution.probe import shared
from course_grader.project import notebooks
from course_grader.project.course import LIMITS, PROJECT, Course, units

PATHS = [
    PROJECT / tree / f"{u.name}.ipynb" for u in units() for tree in ("notebooks", "solutions")
]
NUMBER = re.compile(r"0x[0-9a-f]+|[-+−]?\d+(\.\d+)?(e[-+]?\d+)?")
AS_A_LEARNER = "import os; os.environ.pop('NBGRADER_EXECUTION')"  # checks then show panels
LONG = LIMITS | {"cell_seconds": 60, "submission_seconds": 300}


def shown(notebook):
    """Return what each cell shows: kinds of output, and their text but for its numbers."""
    return [[_form(o) for o in c.outputs] for c in notebook.cells if c.cell_type == "code"]


def _form(output):
    data = output.get("data", {})
    text = output.get("text", "") or data.get("text/plain", "") or output.get("ename", "")
    return output.output_type, sorted(data), NUMBER.sub("#", text)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_it_shows_what_the_committed_notebook_shows(path, bubblewrap):
    files = data_files(Course(), next(unit for unit in units() if unit.name == path.stem))
    kept, fresh = notebooks.load(path), notebooks.load(path)
    fresh.cells.insert(0, new_code_cell(AS_A_LEARNER))
    for cell in fresh.cells:
        cell.pop("outputs", None)
    done = execute(fresh, files=files, limits=LONG, forkserver=shared(files, say=pytest.fail))
    done.cells.pop(0)
    assert shown(done) == shown(kept)
