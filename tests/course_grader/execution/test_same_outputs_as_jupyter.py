"""What the sandbox's kernel shows is what a notebook shows: assignments, and a lesson or two.

Students hand in assignments. What the other lessons show is compared in the browser, where they
run anyhow.
"""

import pytest
from nbformat.v4 import new_code_cell

from course_grader.execution.cache import data_files
from course_grader.execution.execute import execute
from course_grader.execution.probe import shared
from course_grader.project import notebooks
from course_grader.project.course import LIMITS, PROJECT, Course, units
from tests.shown import shown

LESSONS = ("00_start", "12_flows")  # forms, tables, figures and sliders occur in them
PATHS = [
    *(PROJECT / "solutions" / f"{unit.name}.ipynb" for unit in units()),
    *(PROJECT / "notebooks" / f"{name}.ipynb" for name in LESSONS),
]
# Checks show panels then; and the course's commands are at hand, whose Makefile no sandbox shows.
AS_A_LEARNER = """import os
from course_utils import progress as _progress
os.environ.pop("NBGRADER_EXECUTION")
_progress.MAKEFILE = type(_progress.MAKEFILE)(_progress.__file__)
"""
LONG = LIMITS | {"cell_seconds": 60, "submission_seconds": 300}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_it_shows_what_the_committed_notebook_shows(path, bubblewrap):
    files = data_files(Course(), next(unit for unit in units() if unit.name == path.stem))
    kept, fresh = notebooks.load(path), notebooks.load(path)
    fresh.cells.insert(0, new_code_cell(AS_A_LEARNER))
    for cell in fresh.cells:
        cell.pop("outputs", None)
    done = execute(fresh, files=files, limits=LONG, forkserver=shared(files, say=pytest.fail))
    done.cells.pop(0)
    assert shown(done.cells) == shown(kept.cells)
