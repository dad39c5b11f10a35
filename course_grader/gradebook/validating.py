"""`nbgrader validate` of a submission: judged as grading judges it, in the sandbox, and not saved.

Of what students hand in, intake keeps the grade ids only; stock nbgrader takes that for a notebook
of an older version, and would run students' code unprotected.
"""

__all__ = ["judge_submissions"]

from pathlib import Path

from nbformat.v4 import new_output
from nbgrader.preprocessors import CheckCellMetadata
from nbgrader.utils import chdir

from course_grader.gradebook.preprocessors import (
    Judge,
    Rebuild,
    ReleasedChecks,
    SandboxedExecute,
)
from course_grader.hooks.nbgrader import VALIDATE
from course_grader.project.course import CourseError, find_unit
from course_grader.project.faults import plain

STOCK = VALIDATE.get()
AS_GRADED = (Rebuild, CheckCellMetadata, SandboxedExecute, Judge, ReleasedChecks)


def judge_submissions() -> None:
    """Let nbgrader's Validator treat what lies in submitted/ in our way; all else as it does."""
    VALIDATE.replace(_preprocess)  # no option says which steps it takes


def _preprocess(self, nb):
    """Return the notebook with what its check cells say; nbgrader works in its folder."""
    here = Path.cwd()
    if not _is_submission(here):
        return STOCK(self, nb)
    resources = {"nbgrader": {"assignment": here.name, "student": here.parent.name}}
    with chdir(str(here.parents[2])):
        for step in AS_GRADED:
            nb, resources = step(parent=self).preprocess(nb, resources)
    return _with_panels(nb)


def _is_submission(folder):
    """Tell whether a folder is <course>/submitted/<student>/<unit>."""
    try:
        return folder.parents[1].name == "submitted" and find_unit(folder.name).name == folder.name
    except (CourseError, IndexError):
        return False


def _with_panels(judged):
    """Return the notebook; a check cell that lost points ends with its panel, which is printed."""
    for cell in judged.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("locked") and grading.get("grade"):
            panel, points = (output.data["text/plain"] for output in cell.outputs)
            if float(points) < grading["points"]:
                lines = plain(panel).splitlines()
                cell.outputs = [new_output("error", ename="", evalue="", traceback=lines)]
    return judged
