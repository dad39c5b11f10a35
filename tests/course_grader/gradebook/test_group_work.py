"""Group work: one hand-in of any member counts for each; two that differ are told."""

import csv
import sqlite3

import pytest

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.gradebook.record import read_record
from course_grader.project import notebooks
from course_grader.project.course import Course, find_unit
from tests.course_grader.intake.lms_zips import canvas_name, zipped

UNIT = find_unit("00")
ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section
"Ash, Ann",1,,ann,
"Bee, Ben",2,,ben,
"Cod, Cy",3,,cy,
"Day, Dora",4,,dora,
"Eve, Eve",5,,eve,
"""
GROUPS = "Student;Group\nann;red\nBen Bee;red\ncy;red\ndora;blue\n5;blue\n"
ANN, BEN, CY, DORA, EVE = "ashann-1", "beeben-2", "codcy-3", "daydora-4", "eveeve-5"
POLICY = '\nc.LatePolicy.penalty_method = "percent"\n'


def run(course, *words, status=0):
    assert main([*map(str, words), "--course", str(course.root)]) == status


def file_of(tmp_path, text):
    path = tmp_path / "groups.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def course(tmp_path, shared_forkserver, monkeypatch):
    """A class of five in two groups, and who hands in late."""
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    course = Course.throwaway(tmp_path / "course", UNIT)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(POLICY)
    run(course, "roster", "--origin", file_of(tmp_path, ROSTER))
    run(course, "groups", "--unit", "00", "--origin", file_of(tmp_path, GROUPS))
    return course


def grade(course, tmp_path, members):
    run(course, "grade", "--unit", "00", "--origin", zipped(tmp_path / "canvas.zip", members))


def exported(course):
    run(course, "export", "--to", "canvas")
    with open(course.root / "records/canvas.csv", newline="", encoding="utf-8") as file:
        return {row[3]: float(row[5]) for row in list(csv.reader(file))[2:]}


def test_one_hand_in_counts_for_each_member_and_a_second_is_told(course, tmp_path, capsys):
    composer = Composer(course, UNIT)
    (good, full), (part, less) = composer.compose(), composer.compose({composer.first: None})
    good, part = notebooks.as_bytes(good), notebooks.as_bytes(part)
    late = canvas_name("Bee, Ben", 2, 71, "hw.ipynb", late=True)
    capsys.readouterr()
    grade(course, tmp_path, {late: part, canvas_name("Eve, Eve", 5, 72, "hw.ipynb"): good})
    assert "Nothing handed in" not in capsys.readouterr().out
    red, blue = pytest.approx(0.9 * less), full
    assert exported(course) == {"ann": red, "ben": red, "cy": red, "dora": blue, "eve": blue}
    for student in (ANN, BEN, CY):
        record = read_record(course.record(UNIT, student))
        assert record["score"] == less and record["late"]["penalty"] == pytest.approx(less / 10)
        assert course.notebook("feedback", UNIT, student).with_suffix(".html").is_file()
    run(course, "feedback", "--to", "canvas", "--unit", "00")  # for who is in Canvas' own zip
    assert f"not in this one: {ANN}, {CY}, {DORA}" in capsys.readouterr().out

    kept = {p: p.read_bytes() for p in (course.root / "submitted").rglob("*") if p.is_file()}
    run(course, "grade", "--unit", "00")
    run(course, "grade", "--unit", "00")
    again = {p: p.read_bytes() for p in (course.root / "submitted").rglob("*") if p.is_file()}
    assert again == kept  # grading again copies nothing anew

    capsys.readouterr()
    grade(course, tmp_path, {late: part, canvas_name("Ash, Ann", 1, 73, "hw.ipynb"): good})
    told = capsys.readouterr()
    assert f"Group red: {ANN}, {BEN} handed in notebooks that differ" in told.out + told.err
    assert exported(course) == {"ann": blue, "ben": red, "cy": red, "dora": blue, "eve": blue}
    grade(course, tmp_path, {canvas_name("Ash, Ann", 1, 74, "hw.ipynb"): good})
    assert set(exported(course).values()) == {blue}
    run(course, "grade", "--unit", "00")
    assert set(exported(course).values()) == {blue}

    # In nbgrader's own layout: what lies in place of a copy is the member's own.
    course.notebook("submitted", UNIT, ANN).write_bytes(part)
    run(course, "grade", "--unit", "00")
    assert exported(course) == dict.fromkeys(("ann", "ben", "cy"), less) | dict.fromkeys(
        ("dora", "eve"), full
    )
    course.notebook("submitted", UNIT, CY).write_bytes(good)
    capsys.readouterr()
    run(course, "grade", "--unit", "00")
    assert f"Group red: {ANN}, {CY} handed in" in "".join(capsys.readouterr())
    assert exported(course)["cy"] == full and exported(course)["ann"] == less


def test_a_member_withdraws_and_previews_write_nothing(course, tmp_path):
    composer = Composer(course, UNIT)
    grade(course, tmp_path, {canvas_name("Bee, Ben", 2, 71, "hw.ipynb"): composer.compose()[0]})
    with sqlite3.connect(course.root / "gradebook.db") as older:  # before there were such tables
        for table in ("course_kept", "course_added", "course_adjustment"):
            older.execute(f"drop table if exists {table}")
    older.close()
    kept = {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}
    for words in (
        ["withdraw", "--student", "ben"],
        ["groups"],
        ["due"],
        ["exercises"],
        ["adjust", "--exercise", composer.first, "--as", "void"],
        ["grade", "--preview"],
    ):
        run(course, *words, "--unit", "00")
    assert {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()} == kept
    run(course, "withdraw", "--unit", "00", "--student", "ben", "--apply")
    run(course, "grade", "--unit", "00")
    run(course, "export", "--to", "canvas")
    with open(course.root / "records/canvas.csv", newline="", encoding="utf-8") as file:
        points = {row[3]: row[5] for row in list(csv.reader(file))[2:]}
    assert points["ben"] == "" and points["ann"] == points["cy"] != ""


def test_groups_are_shown_and_end(course, tmp_path, capsys):
    capsys.readouterr()
    run(course, "groups", "--unit", "00")
    assert capsys.readouterr().out.splitlines() == [
        f"blue: Dora Day ({DORA}), Eve Eve ({EVE})",
        f"red: Ann Ash ({ANN}), Ben Bee ({BEN}), Cy Cod ({CY})",
    ]
    run(course, "groups", "--unit", "00", "--origin", "none")
    assert "everybody hands in alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("student\nann\n", "needed are student and group"),
        ("student,group\nnobody,red\n", "'nobody' means nobody"),
        ("student,group\nann,red\nashann-1,blue\n", f"{ANN} is in red and in blue"),
        ("group,student\nred\n", "'' means nobody"),
        ("student,group\n", "puts nobody in a group. FROM=none ends all groups"),
        ("student,group\nann," + 101 * "r", f"the group of {ANN} has a name of 101 letters"),
    ],
)
def test_groups_that_are_not_understood_are_told_and_change_nothing(
    text, told, course, tmp_path, capsys
):
    run(course, "groups", "--unit", "00", "--origin", file_of(tmp_path, text), status=2)
    assert told in capsys.readouterr().err
    run(course, "groups", "--unit", "00")
    assert "blue: Dora Day" in capsys.readouterr().out
