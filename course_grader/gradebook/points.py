"""What nbgrader's autograde saves: points in the gradebook, then the judge's record."""

__all__ = ["SavePoints", "WriteRecord"]

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from course_grader.gradebook.record import read_record, write_record
from course_grader.project.course import Course, find_unit


class SavePoints(SaveAutoGrades):
    """Save points; what a person has graded waits for one again only if its text has changed."""

    def preprocess(self, nb, resources):
        """Return the notebook as it is."""
        older = read_record(_path(resources)) or {}
        now, before = resources["record"]["texts"], older.get("texts", {})
        self._unchanged = {key for key, text in now.items() if before.get(key) == text}
        return super().preprocess(nb, resources)

    def _add_score(self, cell, resources):
        """Add one cell's score, and whether a person is to look at it."""
        key = cell.metadata["nbgrader"]["grade_id"]
        place = key, self.notebook_id, self.assignment_id, self.student_id
        grade = self.gradebook.find_grade(*place)
        settled = grade.manual_score is not None and not grade.needs_manual_grade
        super()._add_score(cell, resources)
        if settled and self._unchanged & {key, f"{key}-solution"}:
            grade.needs_manual_grade = False
            self.gradebook.db.commit()


class WriteRecord(NbGraderPreprocessor):
    """Write the judge's record, when the gradebook holds the same points."""

    def preprocess(self, nb, resources):
        """Return the notebook as it is."""
        write_record(_path(resources), resources["record"])
        return nb, resources


def _path(resources):
    """Return where the record of the submission lies; nbgrader works in the course's root."""
    place = resources["nbgrader"]
    return Course(Path.cwd()).record(find_unit(place["assignment"]), place["student"])
