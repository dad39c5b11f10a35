"""Late work: nbgrader's own penalty, told by the timestamp that lies beside a submission."""

import csv

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.gradebook.grade import grade
from course_grader.project.course import Course

DUE, BEFORE, AFTER = (f"2030-01-{day} 12:00:00 UTC" for day in ("10", "09", "12"))
POLICY = "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture
def late_class(tmp_path, unit, shared_forkserver, monkeypatch):
    """Grade one student in time, one late and one without a timestamp, with a due date."""
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", unit)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(POLICY)
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        gradebook.update_or_create_assignment(unit.name, duedate=DUE)
    composer = Composer(course, unit)
    for student, when in (("in-time", BEFORE), ("late", AFTER), ("untold", "")):
        path = composer.hand_in(student, *composer.compose())
        if when:
            path.with_name("timestamp.txt").write_text(when)
    return course, grade(course, unit, progress=False)


def test_the_course_s_policy_applies_to_who_was_late_and_to_nobody_else(late_class, unit):
    course, graded = late_class
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        found = {
            student: gradebook.find_submission(unit.name, student)
            for student in ("in-time", "late", "untold")
        }
        penalties = {student: one.late_submission_penalty or 0 for student, one in found.items()}
        [score] = {one.score for one in found.values()}
        assert 0 < score < found["late"].max_score  # nobody has graded the words
    assert penalties == {"in-time": 0, "late": score, "untold": 0}
    assert {result.record["score"] for result in graded} == {score}  # before the penalty
    for kind, who in (("canvas", 3), ("moodle", 0)):  # after it
        assert main(["export", "--to", kind, "--course", str(course.root)]) == 0
        text = (course.root / "records" / f"{kind}.csv").read_text("utf-8")
        told = {row[who]: row[5] for row in csv.reader(text.splitlines()) if row[who] in found}
        assert {student: float(points) for student, points in told.items()} == {
            student: score - penalty for student, penalty in penalties.items()
        }
