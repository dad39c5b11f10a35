"""Make nbgrader's stock commands use our rebuild, sandbox and judge."""

__all__ = ["configure"]

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    GetGrades,
    SaveAutoGrades,
)

from course_grader.preprocessors import Judge, Rebuild, ReleasedChecks, SandboxedExecute


def configure(c):
    """Set the course's preprocessors in a traitlets configuration.

    `c.Execute` is left alone: the student's Validate button uses it too.
    """
    c.Autograde.sanitize_preprocessors = [Rebuild, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [
        SandboxedExecute,
        Judge,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    c.GenerateFeedback.preprocessors = [ReleasedChecks, GetGrades, CSSHTMLHeaderPreprocessor]
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", "feedback", ".*"]
