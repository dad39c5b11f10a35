"""Late work: told by a timestamp or by the LMS, and what it costs; a time of one's own."""

import csv
import re
from datetime import UTC, datetime

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.gradebook.deadlines import moment
from course_grader.gradebook.grade import grade
from course_grader.gradebook.late import LatePolicy
from course_grader.gradebook.record import read_record
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError
from tests.course_grader.intake.lms_zips import canvas_name, zipped

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


PERCENT = """
c.LatePolicy.penalty_method = "percent"
c.LatePolicy.percent_per_day = 10
c.LatePolicy.grace_minutes = 30
"""
HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("method", "seconds", "penalty"),
    [
        ("none", 9 * DAY, None),
        ("zero", 1, None),
        ("zero", HOUR, 20.0),
        ("percent", 1800, None),
        ("percent", 1801, 2.0),
        ("percent", DAY, 2.0),
        ("percent", DAY + 1, 4.0),
        ("percent", 9.5 * DAY, 20.0),
        ("percent", 99 * DAY, 20.0),
    ],
)
def test_what_being_late_costs(method, seconds, penalty):
    policy = LatePolicy(penalty_method=method, percent_per_day=10.0, grace_minutes=30.0)
    assert policy.late_submission_penalty("ann", 20.0, seconds) == penalty


@pytest.fixture
def marked_class(tmp_path, unit, shared_forkserver, monkeypatch):
    """A class of Canvas: two came late and one of them had more time; by how much is not said."""
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", unit)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(PERCENT)  # with half an hour of grace, which the mark is beyond
    notebook, score = Composer(course, unit).compose()
    names = [
        canvas_name("Doe, Jane", 1, 11, "a.ipynb"),
        canvas_name("Late, Lou", 2, 12, "a.ipynb", late=True),
        canvas_name("Slow, Sam", 3, 13, "a.ipynb", late=True),
    ]
    content = notebooks.as_bytes(notebook)
    return course, zipped(tmp_path / "canvas.zip", dict.fromkeys(names, content)), score


def test_canvas_mark_of_lateness_costs_a_day_and_a_time_of_one_s_own_lifts_it(
    marked_class, unit, capsys
):
    course, archive, score = marked_class
    words = ["--unit", "01", "--course", str(course.root)]
    assert main(["grade", *words, "--origin", str(archive)]) == 0
    shown = capsys.readouterr().out
    assert len(re.findall(rf"late: -{score / 10:g} points", shown)) == 2
    late = read_record(course.record(unit, "latelou-2"))
    assert late["late"] == {"seconds": None, "penalty": pytest.approx(score / 10)}
    assert late["score"] == score
    assert main(["due", *words, "--student", "slowsam-3", "--when", "2030-01-31 12:00 UTC"]) == 0
    assert main(["grade", *words]) == 0
    assert read_record(course.record(unit, "slowsam-3"))["late"] is None
    assert main(["due", *words, "--student", "slowsam-3", "--when", "none"]) == 0
    assert main(["grade", *words]) == 0
    assert read_record(course.record(unit, "slowsam-3"))["late"]["penalty"] > 0
    assert main(["due", *words, "--student", "slowsam-3", "--when", "2030-01-31 12:00 UTC"]) == 0
    assert "only lift an LMS's mark" in capsys.readouterr().out
    assert main(["grade", *words]) == 0
    with open(course.root / f"records/{unit.name}.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row["late"] for row in csv.DictReader(file)}
    assert rows == {"doejane-1": "", "latelou-2": f"{score / 10}", "slowsam-3": ""}
    assert main(["export", "--to", "canvas", "--course", str(course.root)]) == 0
    text = (course.root / "records/canvas.csv").read_text("utf-8")
    points = {row[1]: row[5] for row in csv.reader(text.splitlines())}
    assert [float(points[n]) for n in "123"] == pytest.approx([score, 0.9 * score, score])


def test_a_due_date_is_set_shown_and_extended(
    tmp_path, unit, shared_forkserver, monkeypatch, capsys
):
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", unit)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(PERCENT)
    composer = Composer(course, unit)
    for student, when in (("ann", DUE), ("bo", AFTER), ("cy", AFTER)):
        path = composer.hand_in(student, *composer.compose())
        path.with_name("timestamp.txt").write_text(when)
    words = ["--unit", "01", "--course", str(course.root)]
    assert main(["due", *words]) == 0 and "due never" in capsys.readouterr().out
    assert main(["due", *words, "--when", DUE]) == 0
    assert "2030-01-10 12:00 UTC" in capsys.readouterr().out
    assert main(["due", *words, "--student", "cy", "--when", AFTER]) == 2  # not known yet
    assert "means nobody" in capsys.readouterr().err
    assert main(["grade", *words]) == 0
    assert main(["due", *words, "--student", "cy", "--when", AFTER]) == 0
    assert "cy: " in capsys.readouterr().out
    assert main(["grade", *words]) == 0
    late = {name: read_record(course.record(unit, name))["late"] for name in ("ann", "bo", "cy")}
    full = read_record(course.record(unit, "bo"))["score"]
    assert late["ann"] is None and late["cy"] is None
    assert late["bo"] == {"seconds": 2 * DAY, "penalty": pytest.approx(full / 5)}
    composer.hand_in("bo", *composer.compose(), file="bo.ipynb")  # newer work, from elsewhere
    assert main(["grade", *words]) == 0
    assert read_record(course.record(unit, "bo"))["late"] is None
    assert main(["due", *words, "--when", "none"]) == 0
    assert "due never" in capsys.readouterr().out


def test_a_due_date_set_by_nbgrader_first_wedges_nothing(
    tmp_path, unit, shared_forkserver, monkeypatch
):
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", unit)
    composer = Composer(course, unit)
    composer.hand_in("ann", *composer.compose())
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        gradebook.add_assignment(unit.name, duedate=DUE)
        gradebook.add_student("ann")
        gradebook.add_submission(unit.name, "ann")  # as autograde does before it finds no cells
    assert main(["grade", "--unit", "01", "--course", str(course.root)]) == 0
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        assert gradebook.find_submission(unit.name, "ann").score > 0
        assert gradebook.find_assignment(unit.name).duedate.year == 2030


@pytest.mark.parametrize("words", ["2027-01-31 23:59 UTC", "31 January 2027, 23:59 UTC"])
def test_moments_are_read(words):
    assert moment(words) == datetime(2027, 1, 31, 23, 59, tzinfo=UTC)


def test_without_a_zone_the_hour_is_that_of_this_machine():
    assert moment("2027-01-31 23:59") == datetime(2027, 1, 31, 23, 59).astimezone(UTC)


@pytest.mark.parametrize(
    "words",
    ["tomorrow", "23:59", "2027", "31.", "2027-13-45", "2027-01-31", "03.02.2027 12:00"]
    + ["2027-01-31 12:00 UTC+2", "2027-01-31 12:00 XYZ", "9999-12-31 23:59 -0100"],
)
def test_words_that_tell_no_day_are_refused(words):
    with pytest.raises(CourseError, match="tells no day and hour"):
        moment(words)
