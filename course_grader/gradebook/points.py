"""What nbgrader's autograde saves: points in the gradebook, then the judge's record."""

__all__ = ["SavePoints", "WriteRecord"]

import types
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from course_grader.gradebook.record import read_record, write_record
from course_grader.gradebook.transaction import write_now
from course_grader.hooks.nbgrader import ADD_SCORE
from course_grader.project.course import Course, find_unit
from course_utils.checking.forms import solution_id


class SavePoints(SaveAutoGrades):
    """Save points; what a person has graded waits for one again only if its text has changed."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as it is; all its points are written at once, or none."""
        older = read_record(_path(resources)) or {}
        now, before = resources["record"]["texts"], older.get("texts", {})
        resources["record"]["texts"] = before | now  # of what was removed: it may come back
        self._unchanged = {key for key, text in now.items() if before.get(key) == text}
        place = resources["nbgrader"]
        self.notebook_id, self.assignment_id = place["notebook"], place["assignment"]
        self.student_id = place["student"]
        with Gradebook(place["db_url"]) as gradebook:
            self.gradebook = _OneNotebook(
                gradebook, self.notebook_id, self.assignment_id, self.student_id
            )
            for index, cell in enumerate(nb.cells):
                self.preprocess_cell(cell, resources, index)
            gradebook.db.commit()
        return nb, resources

    def add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        """Add one cell's score, and whether a person is to look at it."""
        key = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(key)
        settled = grade.manual_score is not None and not grade.needs_manual_grade
        ADD_SCORE.get()(self, cell, resources)
        is_unchanged = settled and self._unchanged & {key, solution_id(key)}
        if is_unchanged or key in resources.get("unasked", ()):
            grade.needs_manual_grade = False


ADD_SCORE.override(SavePoints, SavePoints.add_score)


class _OneNotebook:
    """Stands for the gradebook: one submitted notebook's grades and comments, asked for once.

    nbgrader asks for each by a query over six tables, and commits after each.
    """

    def __init__(self, gradebook, *place):
        submitted, self._place = gradebook.find_submission_notebook(*place), place
        self._rows = {
            kind: dict(
                gradebook.db.query(BaseCell.name, kind)
                .join(kind, BaseCell.id == kind.cell_id)
                .filter(kind.notebook_id == submitted.id)
                .all()
            )
            for kind in (Grade, Comment)
        }
        self.db = types.SimpleNamespace(commit=lambda: None)  # once, at the end

    def find_grade(self, cell, *place):
        """Return a cell's grade."""
        return self._found(Grade, cell)

    def find_comment(self, cell, *place):
        """Return a cell's comment."""
        return self._found(Comment, cell)

    def _found(self, kind, cell):
        try:
            return self._rows[kind][cell]
        except KeyError:
            raise MissingEntry(f"no {kind.__name__} of {cell} for {self._place}") from None


class WriteRecord(NbGraderPreprocessor):
    """Write the judge's record, when the gradebook holds the same points."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as it is."""
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            write_now(gradebook)
        write_record(_path(resources), resources["record"])
        return nb, resources


def _path(resources):
    """Return where the record of the submission lies; nbgrader works in the course's root."""
    place = resources["nbgrader"]
    return Course(Path.cwd()).record(find_unit(place["assignment"]), place["student"])
