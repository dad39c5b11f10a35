"""Make nbgrader's stock commands use our rebuild, sandbox and judge."""

__all__ = ["COURSE_ID", "configure"]

import contextlib
import os
from pathlib import Path

import nbgrader
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import CheckCellMetadata, GetGrades
from traitlets.config import Config

from course_grader.gradebook.late import Lateness
from course_grader.gradebook.points import SavePoints, WriteRecord
from course_grader.gradebook.preprocessors import (
    Judge,
    Rebuild,
    ReleasedChecks,
    SandboxedExecute,
)
from course_grader.gradebook.stock_intake import refuse_early, take_in
from course_grader.gradebook.unasked import Unasked
from course_grader.gradebook.validating import judge_submissions
from course_grader.project.surroundings import find_programs

TEMPLATES = [  # ours first: it takes the place of what loads MathJax
    str(Path(__file__).with_name("templates")),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
]
COURSE_ID = "probabilistic_ml"  # a gradebook in PostgreSQL refuses assignments of no course


def configure(c: Config, root: str | Path = ".") -> None:
    """Set the course's preprocessors in a traitlets configuration.

    `c.Execute` is left alone: the student's Validate button uses it too. COURSE_DB_URL, where it
    is set, names the gradebook's database. nbgrader's exchange, which nothing here needs, lies
    under build/ in `root`, and is made: `nbgrader list` and formgrader complain without one.
    """
    exchange = Path(root).resolve() / "build" / "exchange"
    with contextlib.suppress(OSError):  # a folder that may only be read: nothing is exchanged
        exchange.mkdir(parents=True, exist_ok=True)
    c.Exchange.root = str(exchange)
    find_programs()
    judge_submissions()
    refuse_early()
    c.Autograde.pre_convert_hook = take_in
    c.Autograde.sanitize_preprocessors = [Rebuild, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [
        SandboxedExecute,
        Judge,
        Unasked,
        SavePoints,
        Lateness,
        CheckCellMetadata,
        WriteRecord,
    ]
    c.GenerateFeedback.preprocessors = [ReleasedChecks, GetGrades, CSSHTMLHeaderPreprocessor]
    c.HTMLExporter.extra_template_basedirs = TEMPLATES
    c.HTMLExporter.filters = {
        "markdown2html": "course_grader.gradebook.formulas.shown",
        "highlight_code": "course_grader.gradebook.highlighting.Highlighted",
    }
    c.Exporter.optimistic_validation = True  # once for a notebook, not after each preprocessor
    c.CourseDirectory.course_id = COURSE_ID
    if os.environ.get("COURSE_DB_URL"):
        c.CourseDirectory.db_url = os.environ["COURSE_DB_URL"]
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", "feedback", ".*"]
