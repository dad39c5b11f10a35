"""What a submission changes in the gradebook is written at once, before its record, or not."""

import sqlite3

import pytest
import sqlalchemy
from nbgrader.api import Gradebook, Student
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import Engine

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.execution import cache
from course_grader.gradebook import points
from course_grader.gradebook.late import Lateness
from course_grader.gradebook.transaction import one_transaction
from course_grader.project.course import Course

STUDENTS = ("anna", "ben", "cleo")
SCORES = """
    select student.id, sum(grade.auto_score) from grade
    join submitted_notebook on grade.notebook_id = submitted_notebook.id
    join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
    join student on submitted_assignment.student_id = student.id group by student.id
"""


@pytest.fixture
def course(unit, tmp_path, shared_forkserver, monkeypatch):
    """A course of three students whose answers are right."""
    monkeypatch.setattr(cache, "preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", unit)
    composer = Composer(course, unit)
    for student in STUDENTS:
        composer.hand_in(student, *composer.compose())
    return course


def grade(course):
    return main(["grade", "--unit", "01", "--workers", "1", "--course", str(course.root)])


def seen_by_others(course):
    """Return {student: points} as another program reads them."""
    with sqlite3.connect(course.root / "gradebook.db") as database:
        return dict(database.execute(SCORES).fetchall())


@pytest.fixture
def commits():
    """The commits to any database, while the test lasts."""
    made = []

    def note(connection):
        made.append(connection)

    sqlalchemy.event.listen(Engine, "commit", note)
    yield made
    sqlalchemy.event.remove(Engine, "commit", note)


def test_the_points_are_there_before_the_record_and_come_at_once(course, commits, monkeypatch):
    write, found = points.write_record, {}

    def look_first(path, record):
        found[record["student"]] = len(commits), seen_by_others(course).get(record["student"])
        write(path, record)

    monkeypatch.setattr(points, "write_record", look_first)
    assert grade(course) == 0
    assert {student: seen for student, (_, seen) in found.items()} == seen_by_others(course)
    assert found.keys() == set(STUDENTS) and all(seen for _, seen in found.values())
    numbers = sorted(number for number, _ in found.values())
    assert [b - a for a, b in zip(numbers, numbers[1:], strict=False)] == [1, 1]


def test_where_it_fails_half_way_nothing_of_it_is_left(course, monkeypatch):
    preprocess = Lateness.preprocess

    def broken(self, nb, resources):
        if resources["nbgrader"]["student"] == "ben":
            raise OSError(28, "No space left on device")
        return preprocess(self, nb, resources)

    monkeypatch.setattr(Lateness, "preprocess", broken)
    assert grade(course) == 1
    assert seen_by_others(course).keys() == {"anna", "cleo"}
    with sqlite3.connect(course.root / "gradebook.db") as database:
        entered = database.execute("select student_id from submitted_assignment").fetchall()
    assert ("ben",) not in entered
    monkeypatch.undo()
    assert grade(course) == 0
    assert seen_by_others(course).keys() == set(STUDENTS)


def test_what_a_failed_statement_raises_is_what_is_told(tmp_path):
    directory = CourseDirectory(db_url=f"sqlite:///{tmp_path / 'gradebook.db'}", course_id="any")
    with pytest.raises(sqlalchemy.exc.IntegrityError), one_transaction(directory):
        with Gradebook(directory.db_url) as gradebook:
            gradebook.add_student("anna")
        with Gradebook(directory.db_url) as gradebook:
            gradebook.db.expunge_all()  # it has forgotten her, the table has not
            gradebook.db.add(Student(id="anna"))
            gradebook.db.commit()
    with Gradebook(directory.db_url) as gradebook:
        assert gradebook.students == []


def test_a_step_that_the_configuration_leaves_out_is_not_run(course, monkeypatch):
    def broken(self, nb, resources):
        raise AssertionError("Lateness was left out")

    monkeypatch.setattr(Lateness, "preprocess", broken)
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write("\nc.Lateness.enabled = False\n")
    assert grade(course) == 0
