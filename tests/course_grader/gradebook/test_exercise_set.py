"""Exercises are added and removed after submissions: shown first, taken over, taken back."""

import csv
import json
import shutil

import pytest
import sqlalchemy as sa
import sqlalchemy.orm
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer, cell_of
from course_grader.gradebook import taking_over
from course_grader.gradebook.config import COURSE_ID
from course_grader.gradebook.one_submission import config_of
from course_grader.gradebook.record import read_record
from course_grader.project import notebooks
from course_grader.project.course import Course, find_unit
from tests.course_grader.editing import build_into, copied, drop_exercise, taken_for_ours

UNIT = find_unit("01")
GONE, NEW, STAYS, WORDS = "gaussian-nll", "laplace-mle", "bce-from-logits", "two-reports"
# Points: 5, 4, 5 and 3. First there are GONE, STAYS and WORDS, 13; then NEW, STAYS, WORDS, 12.
LEFT_OUT = ("one-of-several-labels", "logit-gradient", "find-the-bugs")
POLICY = '\nc.LatePolicy.penalty_method = "percent"\n'  # 10 % for each day
DUE, AFTER = "2030-01-10 12:00 UTC", "2030-01-12 12:00:00 UTC"  # two days
FIRST = {"right": 12.5, "wrong": 5, "late": 8, "torn": 0}  # right: 5 + 5 + 0.5 extra + 2 for words
TAKEN = {"right": 7, "wrong": 5, "late": 4, "torn": 0}  # of 8 that they were asked
AS_TOLD = {"right": 10.5, "wrong": 7.5, "late": 6, "torn": 0}  # the same shares of 12
SECOND = AS_TOLD | {"wrong": 9, "new": 9, "sly": 5}  # these three are asked all 12
BACK = {  # of 13: the old notebooks have all of it; those of wrong and new lack 5 points of it
    **FIRST,
    "wrong": 8.12,  # 5 of 8
    "new": 8.12,
    "sly": 10,  # came after the exercise was gone, with its answer: it is asked, as of the others
}


def run(course, *words, status=0):
    assert main([*words, "--unit", "01", "--course", str(course.root)]) == status


def exported(course):
    """Return the points possible and {student: points}, of who has any, as Canvas gets them."""
    run(course, "export", "--to", "canvas")
    with open(course.root / "records/canvas.csv", newline="", encoding="utf-8") as file:
        _, possible, *rows = csv.reader(file)
    return float(possible[5]), {row[3]: float(row[5]) for row in rows if row[5]}


def everything(course):
    return {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}


def version(folder, without):
    unit = copied(UNIT, folder)
    for name in (*LEFT_OUT, without):
        drop_exercise(unit, name)
    return unit


def hand_in(course, unit, student, choices=None, words=None):
    composer = Composer(course, unit)
    notebook, score = composer.compose(choices)
    if words:
        cell_of(notebook, WORDS).source = words
    return composer.hand_in(student, notebook, score)


def by_hand(course):
    """Give points and comments: for words that stay, and for the exercise that will be gone."""
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        place = UNIT.name, UNIT.name, "right"
        words, code = (gradebook.find_grade(name, *place) for name in (WORDS, GONE))
        words.manual_score, words.needs_manual_grade, code.extra_credit = 2, False, 0.5
        gradebook.find_comment(WORDS, *place).manual_comment = "Of which data?"
        gradebook.find_comment(f"{GONE}-solution", *place).manual_comment = "Short."
        gradebook.db.commit()


def given(course, name, student="right"):
    """Return what people gave for a cell: points, extra points, comment."""
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        place = UNIT.name, UNIT.name, student
        grade = gradebook.find_grade(name, *place)
        solution = name if name == WORDS else f"{name}-solution"
        comment = gradebook.find_comment(solution, *place).manual_comment
        return grade.manual_score, grade.extra_credit, comment


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Two versions of the unit: the first, and that with another set of exercises."""
    folder = tmp_path_factory.mktemp("versions")
    return version(folder / "first", NEW), version(folder / "second", GONE)


@pytest.fixture(scope="module")
def first(versions, tmp_path_factory, shared_forkserver):
    """Four students graded by the first version; then the second is built."""
    course = Course.throwaway(tmp_path_factory.mktemp("set") / "course", UNIT)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(POLICY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        taken_for_ours(versions[0], patch)
        build_into(course, versions[0])
        run(course, "due", "--when", DUE)
        hand_in(course, versions[0], "right", words="A waits for a person.")
        hand_in(course, versions[0], "wrong", {GONE: None})
        hand_in(course, versions[0], "late").with_name("timestamp.txt").write_text(AFTER)
        hand_in(course, versions[0], "torn").write_text("not a notebook")
        run(course, "grade")
        by_hand(course)
        assert exported(course) == (13, pytest.approx(FIRST))
        build_into(course, versions[1])
    return course


@pytest.fixture
def course(first, versions, tmp_path, shared_forkserver, monkeypatch):
    """A copy of the graded course, for one test, with the second version built."""
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    taken_for_ours(versions[1], monkeypatch)
    return Course(shutil.copytree(first.root, tmp_path / "course", symlinks=True))


def test_until_it_is_taken_over_nothing_is_graded_and_the_command_is_named(course, capsys):
    before = exported(course)
    for words in (["grade"], ["grade", "--preview"]):
        run(course, *words, status=2)
        told = capsys.readouterr().err
        assert "'make exercises UNIT=01' shows what the new set changes" in told
    assert exported(course) == before


def test_nbgrader_s_own_autograde_refuses_it_too(course):
    config = config_of(course)
    config.CourseDirectory.assignment_id = UNIT.name
    before = exported(course)
    with pytest.raises(NbGraderException, match="make exercises UNIT=01"):
        Autograde(coursedir=CourseDirectory(config=config), config=config).start()
    assert exported(course) == before


def test_it_is_shown_first_and_writes_nothing(course, capsys):
    before = everything(course)
    run(course, "exercises")
    told = capsys.readouterr().out
    assert f"Removed: {GONE} (5 points). It counts for nobody any more." in told
    assert "  Points by hand for it, of 1, are kept aside till it is back.\n" in told
    assert f"Added: {NEW} (4 points), not asked of 4 who handed in before it." in told
    for student, points in FIRST.items():
        line = next(line for line in told.splitlines() if line.startswith(student))
        assert line.split() == [
            student,
            f"{points:g}",
            "->",
            f"{TAKEN[student]:g}",
            "13",
            "->",
            "8",
        ]
    assert "Points of 2 of 4 students change. Nothing was written; APPLY=1 writes." in told
    assert everything(course) == before


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("no more"), "no more"),
        (sa.exc.IntegrityError("insert", {}, Exception("duplicate key")), "somebody else changed"),
        (sa.orm.exc.StaleDataError("0 of 1 rows"), "somebody else changed"),
    ],
)
def test_what_goes_wrong_half_way_leaves_all_as_it_was(error, told, course, monkeypatch, capsys):
    before = exported(course), given(course, GONE)

    def fail(*_):
        raise error

    monkeypatch.setattr(taking_over, "_enter", fail)
    run(course, "exercises", "--apply", status=2)
    assert told in capsys.readouterr().err
    assert (exported(course), given(course, GONE)) == before


def test_numbers_follow_everywhere_and_come_back(course, versions, monkeypatch, capsys):
    run(course, "exercises", "--apply")
    assert "The gradebook as it was: " in capsys.readouterr().out
    [copy] = course.root.glob("gradebook-before-*.db")
    assert copy.read_bytes()[:6] == b"SQLite"
    assert exported(course) == (12, pytest.approx(AS_TOLD))  # already before it is graded again
    run(course, "exercises")
    assert "no other exercises" in capsys.readouterr().out
    run(course, "grade", "--preview")
    told = capsys.readouterr().out
    assert NEW not in told and told.count(GONE) == 4  # in the records of all
    run(course, "grade")
    assert exported(course) == (12, pytest.approx(AS_TOLD))
    assert given(course, WORDS) == (2, None, "Of which data?")

    reason = read_record(course.record(UNIT, "torn"))["reason"]
    assert "not a notebook" in reason  # with another release in its place, too
    run(course, "adjust", "--exercise", STAYS, "--as", "full", "--apply")
    assert exported(course)[1]["torn"] == 0
    run(course, "adjust", "--exercise", STAYS, "--as", "none", "--apply")
    for kind, possible in (("full", 12), ("void", 8), ("none", 12)):  # of what is not asked
        run(course, "adjust", "--exercise", NEW, "--as", kind, "--apply")
        shares = {student: points * possible / 8 for student, points in TAKEN.items()}
        assert exported(course) == (possible, pytest.approx(shares))
    hand_in(course, versions[1], "new")
    hand_in(course, versions[1], "wrong")
    sly = notebooks.load(course.notebook("submitted", UNIT, "right"))
    notebooks.save(sly, course.notebook("submitted", UNIT, "sly"))
    run(course, "grade")
    assert exported(course) == (12, pytest.approx(SECOND))
    every_number_is_the_same(course)

    taken_for_ours(versions[0], monkeypatch)
    build_into(course, versions[0])
    run(course, "exercises", "--apply")
    run(course, "grade")
    possible, points = exported(course)
    assert (possible, points) == (13, pytest.approx(BACK))
    assert given(course, GONE) == (None, 0.5, "Short.")
    assert given(course, WORDS) == (2, None, "Of which data?")


def test_a_question_in_words_leaves_and_comes_back_with_its_points(
    course, versions, tmp_path, monkeypatch
):
    without = version(tmp_path / "third", NEW)
    drop_exercise(without, WORDS)
    for unit, possible, right in ((without, 10, 10.5), (versions[0], 13, 12.5)):
        taken_for_ours(unit, monkeypatch)
        build_into(course, unit)
        run(course, "exercises", "--apply")
        assert exported(course) == (possible, pytest.approx(FIRST | {"right": right}))
    assert given(course, WORDS) == (2, None, "Of which data?")


def words_of(course, student):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade(WORDS, UNIT.name, UNIT.name, student)
        return grade.manual_score, grade.needs_manual_grade


def test_words_wait_as_before_when_they_come_back(course, versions, tmp_path, monkeypatch, capsys):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        for student, waits in (("late", True), ("wrong", False)):
            grade = gradebook.find_grade(WORDS, UNIT.name, UNIT.name, student)
            grade.manual_score, grade.needs_manual_grade = 1, waits
        gradebook.db.commit()
    without = version(tmp_path / "third", NEW)
    drop_exercise(without, WORDS)
    for unit in (without, versions[0]):
        taken_for_ours(unit, monkeypatch)
        build_into(course, unit)
        run(course, "exercises", "--apply")
        if unit is without:
            hand_in(course, without, "wrong")  # has no cell for words: not asked them
        capsys.readouterr()
        run(course, "grade")
    assert words_of(course, "right") == (2, False)  # the text is what a person has read
    assert words_of(course, "late") == (1, True)
    assert words_of(course, "wrong") == (1, False)
    assert "1 answer in words waits" in capsys.readouterr().out
    assert exported(course)[1]["wrong"] == 13


def test_who_was_asked_nothing_has_no_points_in_an_lms(course, tmp_path, monkeypatch):
    other = copied(UNIT, tmp_path / "third")
    for name in (GONE, STAYS, WORDS, *LEFT_OUT[1:]):
        drop_exercise(other, name)
    taken_for_ours(other, monkeypatch)
    build_into(course, other)
    run(course, "exercises", "--apply")
    hand_in(course, other, "new")
    run(course, "grade")
    run(course, "export", "--to", "canvas", "--missing", "0")
    with open(course.root / "records/canvas.csv", newline="", encoding="utf-8") as file:
        points = {row[3]: row[5] for row in list(csv.reader(file))[2:]}
    assert {student: points[student] for student in FIRST} == dict.fromkeys(FIRST, "")
    assert float(points["new"]) > 4


def test_who_withdrew_is_as_if_nothing_had_been_handed_in(course, versions, monkeypatch):
    old = notebooks.load(course.notebook("submitted", UNIT, "right"))
    run(course, "exercises", "--apply")
    run(course, "withdraw", "--student", "right", "--apply")
    notebooks.save(old, course.notebook("submitted", UNIT, "right"))
    run(course, "grade")
    assert exported(course) == (12, pytest.approx(AS_TOLD | {"right": 5}))  # asked all
    taken_for_ours(versions[0], monkeypatch)
    build_into(course, versions[0])
    run(course, "exercises", "--apply")
    assert given(course, GONE) == (None, None, None)


def test_a_member_is_asked_what_the_group_is(course, tmp_path):
    for name, text in (
        ("roster", "id\nright\nmember"),
        ("groups", "student,group\nright,a\nmember,a"),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
    roster = ["roster", "--origin", str(tmp_path / "roster.csv")]
    assert main([*roster, "--course", str(course.root)]) == 0
    run(course, "exercises", "--apply")
    run(course, "groups", "--origin", str(tmp_path / "groups.csv"))
    run(course, "grade")
    assert exported(course)[1]["member"] == 12 * 5 / 8  # of the same 8; the words were not read


def every_number_is_the_same(course):
    """In records, their CSV, reports and feedback after the second grading."""
    record = read_record(course.record(UNIT, "late"))
    assert set(record["exercises"]) == {STAYS} and (record["score"], record["max_score"]) == (5, 5)
    assert set(read_record(course.record(UNIT, "sly"))["exercises"]) == {NEW, STAYS}
    with open(course.root / f"records/{UNIT.name}.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: (row[NEW], row[STAYS]) for row in csv.DictReader(file)}
    assert rows["late"] == ("", "5.0") and rows["sly"] == ("0.0", "5.0")
    run(course, "class-report")
    with open(course.root / f"records/{UNIT.name}-report/exercises.csv", newline="") as file:
        counts = {
            row["exercise"]: (row["passed"], row["not attempted"]) for row in csv.DictReader(file)
        }
    assert counts[NEW] == ("2", "1")  # new and wrong; sly: the others were not asked
    assert main(["class-report", "--course", str(course.root)]) == 0
    with open(course.root / "records/term-report/students.csv", newline="") as file:
        shares = {row["student"]: float(row["share"]) for row in csv.DictReader(file)}
    assert shares == pytest.approx({s: n / 12 for s, n in SECOND.items()}, abs=1e-3)
    page = course.notebook("feedback", UNIT, "late").with_suffix(".html").read_text("utf-8")
    assert "Added after this was handed in: not asked" in page
    assert GONE not in json.dumps(record | {"texts": {}})  # which hold it till it is back
