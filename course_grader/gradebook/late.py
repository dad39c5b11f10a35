"""Late work: whose it is, by how much, and what that costs.

A student's own date (`make due STUDENT=...`) replaces the due date. Canvas says that work was late
and not by how much: it then costs what the least lateness does.
"""

__all__ = ["LatePolicy", "Lateness"]

import math
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.plugins import BasePlugin, LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Enum, Float, Type

from course_grader.gradebook.adjustments import tell_facts
from course_grader.gradebook.people import extension_of
from course_grader.intake.arrival_notes import read_sender
from course_grader.project.course import Course, find_unit

DAY = 86_400
LEAST = 1.0  # second: what "late" says at least


class LatePolicy(LateSubmissionPlugin):
    """nbgrader's policy, with a percentage for each day that has begun, and a time of grace."""

    penalty_method = Enum(
        ("none", "zero", "percent"),
        default_value="none",
        help="none; zero: no points for late work; percent: a share of the points for each day",
    ).tag(config=True)
    percent_per_day = Float(10.0, min=0.0, help="of the points earned, for each day begun").tag(
        config=True
    )
    grace_minutes = Float(0.0, min=0.0, help="work that is later by no more costs nothing").tag(
        config=True
    )

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the points that being late costs; None if it costs nothing.

        Parameters
        ----------
        student_id : str
        score : float
            Points earned.
        total_seconds_late : float
        """
        if total_seconds_late <= 60 * self.grace_minutes or self.penalty_method == "none":
            return None
        if self.penalty_method == "zero":
            return score
        days = math.ceil(total_seconds_late / DAY)
        return score * min(1.0, self.percent_per_day * days / 100)


class Lateness(AssignLatePenalties):
    """Assign the penalty, by the student's own due date or by the LMS's mark; note it."""

    plugin_class = Type(
        LatePolicy, klass=BasePlugin, help="What being late costs, as LatePolicy says."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as it is; the record among the resources says what was late."""
        place = resources["nbgrader"]
        extended = self._extend(place)
        nb, resources = super().preprocess(nb, resources)
        with self.gradebook:
            submission = self.gradebook.find_submission(place["assignment"], place["student"])
            seconds = submission.total_seconds_late or None
            if not seconds and not extended and not submission.timestamp and _is_marked(place):
                seconds = 60 * getattr(self.plugin_inst, "grace_minutes", 0.0) + LEAST
                self._penalise(submission, place, seconds)
            penalty = submission.late_submission_penalty or 0.0
            if seconds:
                known = seconds if submission.timestamp else None
                resources["record"]["late"] = {"seconds": known, "penalty": penalty}
            readable, share = not resources["record"]["reason"], self._share(submission, seconds)
            names = place["student"], place["assignment"]
            tell_facts(self.gradebook.db, *names, readable=readable, late_share=share)
            self.gradebook.db.commit()
        return nb, resources

    def _share(self, submission, seconds):
        """Return which share of all points so much lateness costs: 0 points do not tell."""
        most = submission.max_score
        if not (seconds and most):
            return 0.0
        penalty = self.plugin_inst.late_submission_penalty(submission.student_id, most, seconds)
        return min(1.0, max(0.0, (penalty or 0.0) / most))

    def _extend(self, place):
        """Give the submission the student's own due date; tell whether there is one."""
        with Gradebook(place["db_url"]) as gradebook:
            student, assignment = place["student"], place["assignment"]
            submission = gradebook.find_submission(assignment, student)
            until = extension_of(gradebook.db, student, assignment)
            due = submission.assignment.duedate
            if until and due:
                submission.extension = until - due
            if not _has_timestamp(place):  # nbgrader keeps that of earlier work
                submission.timestamp = None
            gradebook.db.commit()
            return until is not None

    def _penalise(self, submission, place, seconds):
        """Assign what the least lateness costs."""
        notebook = self.gradebook.find_submission_notebook(
            place["notebook"], place["assignment"], place["student"]
        )
        score = notebook.score
        penalty = self.plugin_inst.late_submission_penalty(place["student"], score, seconds)
        if penalty is not None:
            notebook.late_submission_penalty = self._check_late_penalty(notebook, penalty)
        self.gradebook.db.commit()


def _has_timestamp(place):
    """Tell whether the submission that is being graded says when it came."""
    unit = find_unit(place["assignment"])
    folder = Course(Path.cwd()).path("submitted", unit, place["student"])
    return (folder / "timestamp.txt").is_file()


def _is_marked(place):
    """Tell whether the LMS has marked a submission as late."""
    aside = Course(Path.cwd()).aside(find_unit(place["assignment"]), place["student"])
    sender, _ = read_sender(aside)
    return bool(sender and sender.late)
