"""An exercise is void, or full for all: wherever final points stand, until it is taken back."""

import csv
import os
import re
import shutil
import subprocess

import pytest
import sqlalchemy
from nbgrader.api import Grade, Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.exercises import read_assignment
from course_grader.gradebook.config import COURSE_ID
from course_grader.gradebook.waiting import waiting_words
from course_grader.intake.arrival_notes import tell_sender
from course_grader.intake.lms import Sender
from course_grader.project.course import PROJECT, Course, find_unit

UNIT = find_unit("01")
ASSIGNMENT = read_assignment(UNIT)
[WORDS] = ASSIGNMENT.written  # 3 points; all exercises together: 34
NLL = "gaussian-nll"  # 5 points
WRONG = 31 - 5  # points of a student who has nothing of it; see `compose`
POLICY = "\nc.LatePolicy.penalty_method = 'percent'\n"  # 10 % for each day
DUE, AFTER = "2030-01-10 12:00 UTC", "2030-01-12 12:00:00 UTC"
BEFORE = {"late": 24.8, "nil": 0, "right": 31, "torn": 0, "wrong": WRONG}
VOID = {"late": 20.8, "nil": 0, "right": 26, "torn": 0, "wrong": 26}
FULL = {"late": 24.8, "nil": 4, "right": 31, "torn": 0, "wrong": 31}
WITH_WORDS = {"late": 27.2, "nil": 2.4, "right": 34, "torn": 0, "wrong": WRONG + 3}


def run(course, command, *words):
    assert main([command, *words, "--course", str(course.root)]) == 0


def adjust(course, exercise, kind, *more):
    run(course, "adjust", "--unit", "01", "--exercise", exercise, "--as", kind, *more)


@pytest.fixture(scope="module")
def original(tmp_path_factory, shared_forkserver):
    """Grade five students, two of them late; a sixth is known, and has handed in nothing."""
    course = Course.throwaway(tmp_path_factory.mktemp("adjust") / "course", UNIT)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(POLICY)
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        gradebook.add_student("absent")
    compose(course)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        run(course, "due", "--unit", "01", "--when", DUE)
        run(course, "grade", "--unit", "01")
    for number, student in enumerate(BEFORE):
        sender = Sender(student, "moodle", str(number))
        tell_sender(course.aside(UNIT, student), sender, "")
    return course


def compose(course):
    composer = Composer(course, UNIT)
    right, score = composer.compose()
    cell_of(right, WORDS).source = "It waits for a person."
    composer.hand_in("right", right, score)
    composer.hand_in("wrong", *composer.compose({NLL: None}))
    composer.hand_in("torn", right, 0).write_text("not a notebook")
    late = {"late": {}, "nil": dict.fromkeys(ASSIGNMENT.exercises)}
    for student, choices in late.items():
        path = composer.hand_in(student, *composer.compose(choices))
        path.with_name("timestamp.txt").write_text(AFTER)


@pytest.fixture
def course(original, tmp_path):
    """A copy of the graded course, for one test."""
    return Course(shutil.copytree(original.root, tmp_path / "course"))


def rows_of(course, name):
    with open(course.root / "records" / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def exported(course, kind):
    run(course, "export", "--to", kind, "--unit", "01")
    return rows_of(course, f"{kind}.csv")


def canvas(course):
    """Return the points possible and {student: points}, of who has any, as Canvas gets them."""
    _, possible, *rows = exported(course, "canvas")
    return float(possible[5]), {row[3]: float(row[5]) for row in rows if row[5]}


def everything(course):
    return {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}


def test_without_apply_it_is_shown_and_nothing_is_written(course, capsys):
    before = everything(course)
    capsys.readouterr()
    adjust(course, NLL, "void")
    told = capsys.readouterr().out
    for student, points in BEFORE.items():
        line = next(line for line in told.splitlines() if line.startswith(student))
        assert line.split() == [
            student,
            f"{points:g}",
            "->",
            f"{VOID[student]:g}",
            *["34", "->", "29"],
        ]
    assert "Points of 2 of 5 students change. Nothing was written; APPLY=1 writes." in told
    assert "no adjustment is in force" in told
    assert everything(course) == before


def test_void_takes_the_points_from_all_and_from_those_possible(course, capsys):
    adjust(course, NLL, "void", "--apply")
    assert (
        "gaussian-nll is void: nobody's points of it count, and 5 fewer" in capsys.readouterr().out
    )
    possible, points = canvas(course)
    assert possible == 29 and points == pytest.approx(VOID)


def test_full_gives_them_to_who_handed_in_something_readable_and_to_nobody_else(course):
    adjust(course, NLL, "full", "--apply")
    possible, points = canvas(course)
    assert possible == 34 and points == pytest.approx(FULL)


def test_what_is_taken_back_is_as_before(course, capsys):
    before = exported(course, "canvas")
    file = rows_of(course, f"{UNIT.name}.csv")
    for kind in ("void", "full", "none"):
        adjust(course, NLL, kind, "--apply")
    assert exported(course, "canvas") == before
    assert rows_of(course, f"{UNIT.name}.csv") == file
    assert canvas(course)[1] == pytest.approx(BEFORE)
    capsys.readouterr()
    run(course, "adjust", "--unit", "01")
    assert capsys.readouterr().out == f"{UNIT.name}: no adjustment is in force.\n"


def test_each_lms_and_each_report_says_the_same(course):
    adjust(course, NLL, "void", "--apply")
    moodle = {row[0]: row[5] for row in exported(course, "moodle")[1:]}
    title, *rows = exported(course, "blackboard")
    assert title[4] == f"{UNIT.name} [Total Pts: 29 Score]"
    sheet = {row[1]: row[4:6] for row in exported(course, "moodle-worksheet")[1:]}
    run(course, "class-report")
    titles, *students = rows_of(course, "term-report/students.csv")
    term = {row[0]: dict(zip(titles, row, strict=True)) for row in students}
    assert moodle.pop("absent") == "" and term.pop("absent")[f"{UNIT.name} points"] == ""
    for told in (moodle, {row[2]: row[4] for row in rows if row[2] != "absent"}):
        assert {name: float(points) for name, points in told.items()} == pytest.approx(VOID)
    assert {name: float(row[0]) for name, row in sheet.items()} == pytest.approx(VOID)
    assert {float(row[1]) for row in sheet.values()} == {29}
    for name, row in term.items():
        assert float(row[f"{UNIT.name} points"]) == pytest.approx(VOID[name])
        assert float(row["share"]) == pytest.approx(VOID[name] / 29, rel=1e-4)
    assert "5.2 points taken off" in term["late"]["notes"]


def test_the_judges_numbers_stay_and_say_so(course):
    records = {p: p.read_bytes() for p in course.root.glob("records/*/*.json")}
    adjust(course, NLL, "full", "--apply")
    titles, *rows = rows_of(course, f"{UNIT.name}.csv")
    scores = {row[0]: row[1] for row in rows if row[1]}
    assert titles[-1] == "adjusted" and float(scores["wrong"]) == WRONG
    assert {row[-1] for row in rows if row[1]} == {"gaussian-nll: full"}
    assert {p: p.read_bytes() for p in course.root.glob("records/*/*.json")} == records
    run(course, "class-report", "--unit", "01")
    page = (course.root / f"records/{UNIT.name}-report/index.html").read_text("utf-8")
    assert "gaussian-nll is full: who handed in has all 5 points of it." in page


def test_it_outlives_a_regrade_which_says_so(course, shared_forkserver, monkeypatch, capsys):
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    adjust(course, NLL, "void", "--apply")
    capsys.readouterr()
    run(course, "grade", "--unit", "01")
    told = capsys.readouterr().out
    assert re.search(r"^wrong +26/31 ", told, re.M) and re.search(r"^right +31/31 ", told, re.M)
    assert "gaussian-nll is void" in told and "judge's scores do not know that" in told
    possible, points = canvas(course)
    assert possible == 29 and points == pytest.approx(VOID)


def test_words_that_are_void_wait_for_nobody_and_full_ones_need_no_reader(course):
    waiting = "waits for points by hand"
    assert waiting_words(course, UNIT) == 1
    run(course, "class-report")
    assert waiting in str(rows_of(course, "term-report/students.csv"))
    for kind, possible, points in (("full", 34, WITH_WORDS), ("void", 31, BEFORE)):
        adjust(course, WORDS, kind, "--apply")
        assert canvas(course) == (possible, pytest.approx(points))
        run(course, "class-report")
        assert waiting_words(course, UNIT) == 0
        assert waiting not in str(rows_of(course, "term-report/students.csv"))


def test_points_given_by_hand_are_neither_lost_nor_outbid(course):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade(NLL, UNIT.name, UNIT.name, "wrong")
        grade.manual_score, grade.extra_credit = 3, 0.5
        gradebook.db.commit()
    given = {**BEFORE, "wrong": WRONG + 3.5}
    assert canvas(course)[1] == pytest.approx(given)
    for kind, points in (("full", WRONG + 5.5), ("void", WRONG), ("none", WRONG + 3.5)):
        adjust(course, NLL, kind, "--apply")
        assert canvas(course)[1]["wrong"] == points
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade(NLL, UNIT.name, UNIT.name, "wrong")
        assert (grade.auto_score, grade.manual_score, grade.extra_credit) == (0, 3, 0.5)


def test_two_adjustments_of_a_unit_add_up(course):
    adjust(course, NLL, "void", "--apply")
    adjust(course, WORDS, "full", "--apply")
    possible, points = canvas(course)
    assert possible == 29
    assert points == pytest.approx({"late": 23.2, "nil": 2.4, "right": 29, "torn": 0, "wrong": 29})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--exercise", "gausian-nll", "--as", "void"], [*ASSIGNMENT.exercises, WORDS]),
        (["--exercise", "gausian-nll", "--as", "none"], [*ASSIGNMENT.exercises, WORDS]),
        (["--as", "void"], [*ASSIGNMENT.exercises, WORDS]),
        (["--exercise", NLL, "--as", "viod"], ["void, full and none"]),
        (["--exercise", NLL, "--apply"], ["void, full and none"]),
    ],
)
def test_what_is_not_understood_is_told_and_writes_nothing(course, capsys, words, told):
    before = everything(course)
    assert main(["adjust", "--unit", "01", *words, "--course", str(course.root)]) == 2
    error = capsys.readouterr().err
    assert all(word in error for word in told)
    assert everything(course) == before


def test_before_anything_was_graded_no_gradebook_is_made(tmp_path, capsys):
    empty = Course.throwaway(tmp_path / "course", UNIT)
    words = ["--exercise", NLL, "--as", "void", "--apply", "--course", str(empty.root)]
    assert main(["adjust", "--unit", "01", *words]) == 2
    assert "nothing was graded yet" in capsys.readouterr().err
    assert not (empty.root / "gradebook.db").exists()


def test_a_gradebook_that_we_never_opened_is_shown_and_stays_as_it_is(course):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        for table in ("course_adjustment", "course_submission"):
            gradebook.db.execute(sqlalchemy.text(f"DROP TABLE {table}"))
        gradebook.db.commit()
    before = everything(course)
    adjust(course, NLL, "full")
    run(course, "adjust", "--unit", "01")
    assert everything(course) == before


def test_make_hands_the_words_on_and_not_the_environments_assembler():
    def made(*words):
        command = ["make", "-n", "--no-print-directory", "adjust", "UNIT=01", *words]
        environment = os.environ | {"AS": "/usr/bin/as"}
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of the make that runs this test
            environment.pop(name, None)
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True
        )
        return done.stdout.split("course_grader adjust ")[1].split()

    assert made() == ["--unit", '"$UNIT"']
    words = ["--exercise", '"$EXERCISE"', "--as", '"$AS"']
    assert made("EXERCISE=x", "AS=void") == [*made(), *words]
    assert made("EXERCISE=x", "AS=void", "APPLY=1") == [*made(), *words, "--apply"]
    assert made("AS=void") == [*made(), *words[2:]]


def test_the_table_is_not_asked_once_for_each_student(course):
    adjust(course, NLL, "void", "--apply")
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        counts = {5: queries(course)}
        for i in range(40):
            student = gradebook.add_student(f"more-{i}").id
            gradebook.update_or_create_submission(UNIT.name, student)
        assert gradebook.db.query(Grade).count() == 45 * 7
    counts[45] = queries(course)
    assert counts[5] == counts[45]


def queries(course):
    """Return how many statements an export and the term's report send to the database."""
    sent = []

    def count(connection, cursor, statement, *rest):
        sent.append(statement)

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", count)
    try:
        exported(course, "canvas")
        run(course, "class-report")
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "before_cursor_execute", count)
    return len(sent)
