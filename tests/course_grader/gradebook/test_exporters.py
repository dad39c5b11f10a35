"""What leaves for an LMS or a spreadsheet is complete, correctly quoted, and harmless."""

import csv
import shutil
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.authoring.exercises import read_assignment
from course_grader.gradebook.exporters import harmless
from course_grader.gradebook.grade import grade
from course_grader.gradebook.record import error_record, read_record
from course_grader.project import notebooks
from course_grader.project.course import Course, find_unit
from course_grader.reporting.table import write_csv

PERFECT, WRONG, ABSENT = "perfect", "wrong", "=1+1"


@pytest.fixture(scope="module")
def graded(tmp_path_factory, unit, bubblewrap):
    """Grade two submissions; a third student is known, and has handed in nothing."""
    course = Course.throwaway(tmp_path_factory.mktemp("export") / "course", unit)
    composer = Composer(course, unit)
    composer.hand_in(PERFECT, *composer.compose())
    wrong = composer.answers[composer.first].wrong[0].name
    composer.hand_in(WRONG, *composer.compose({composer.first: wrong}))
    grade(course, unit, progress=False)
    with Gradebook(course.db_url) as gradebook:
        gradebook.update_or_create_student(ABSENT, first_name='A "B"', last_name="C, D")
    return course, composer.expected


def exported(course, kind):
    assert main(["export", "--to", kind, "--course", str(course.root)]) == 0
    with open(course.root / "records" / f"{kind}.csv", newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_canvas_gets_points_possible_and_a_column_for_each_assignment(graded, unit):
    titles, possible, *rows = exported(graded[0], "canvas")
    assert titles[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert titles[5] == unit.name and possible[0] == "Points Possible"
    assert float(possible[5]) == read_assignment(unit).points
    scores = {row[3]: row[5] for row in rows}
    assert {s: float(scores[s]) for s in (PERFECT, WRONG)} == graded[1]


def test_moodle_gets_names_whole_and_no_number_for_who_handed_in_nothing(graded, unit):
    titles, *rows = exported(graded[0], "moodle")
    assert titles == ["username", "idnumber", "firstname", "lastname", "email", unit.name]
    absent = next(row for row in rows if row[0] == f"'{ABSENT}")
    assert absent[2:4] == ['A "B"', "C, D"] and absent[5] == ""


def test_nbgraders_own_export_command_takes_the_exporters(graded):
    command = [sys.executable, "-m", "nbgrader", "export", "--to=out.csv"]
    command += ["--exporter=course_grader.gradebook.exporters.MoodleExporter"]
    subprocess.run(command, cwd=graded[0].root, check=True, capture_output=True)
    assert PERFECT in (graded[0].root / "out.csv").read_text("utf-8")


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_compute_is_quoted(word):
    assert harmless(word) == f"'{word}"


@pytest.mark.parametrize("value", ["a,b", 'a"b', "1.5", -1.5, ""])
def test_other_text_and_numbers_are_left_alone(value):
    assert harmless(value) == value


def test_the_csv_quotes_names_and_reasons(tmp_path):
    record = error_record(None, student="=cmd()", what='no, "it" fails', log="")
    write_csv([record], tmp_path / "x.csv", missing=["-1"])
    with open(tmp_path / "x.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["'=cmd()", "", "", "", "error", 'no, "it" fails', ""]
    assert rows[2] == ["'-1", "", "", "", "missing", "", ""]


def everything(course):
    return {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}


def test_regrade_names_what_would_change_and_writes_nothing(graded, unit, tmp_path, capsys):
    course = graded[0]
    folder = course.path("submitted", unit, WRONG)
    shutil.copytree(folder, tmp_path / "kept")
    shutil.copy(
        course.notebook("submitted", unit, PERFECT), course.notebook("submitted", unit, WRONG)
    )
    before = everything(course)
    try:
        words = ["grade", "--preview", "--unit", "01", "--course", str(course.root)]
        assert main(words) == 0
    finally:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "kept", folder)
    [line, told] = capsys.readouterr().out.splitlines()
    student, exercise, was, _, will = line.split()
    assert (student, exercise) == (WRONG, Composer(course, unit).first)
    assert float(will) - float(was) == graded[1][PERFECT] - graded[1][WRONG]
    assert told == "1 grades of 1 students would change. Nothing was written."
    after = everything(course)
    assert {p: c for p, c in after.items() if "submitted" not in p.parts} == {
        p: c for p, c in before.items() if "submitted" not in p.parts
    }


def test_regrade_follows_a_folder_in_a_folder_and_a_file_named_as_one(
    tmp_path, shared_forkserver, monkeypatch, capsys
):
    monkeypatch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
    small = find_unit("00")
    course = Course.throwaway(tmp_path / "course", small)
    notebook, score = Composer(course, small).compose()
    nested = course.path("submitted", small, "nested") / small.name / "hw.ipynb"
    notebooks.save(notebook, nested)
    course.path("submitted", small, "named").parent.mkdir()
    course.path("submitted", small, "named").write_text("I packed it without an ending.")
    words = ["--unit", "00", "--course", str(course.root)]
    assert main(["grade", "--preview", *words]) == 0
    assert f"{len(read_assignment(small).exercises)} grades of 1" in capsys.readouterr().out
    assert main(["grade", *words]) == 0
    told = [read_record(course.record(small, one)) for one in ("nested", "named")]
    assert told[0]["score"] == score and told[1]["reason"] == f"no notebook: {small.name}"
    capsys.readouterr()
    assert main(["grade", "--preview", *words]) == 0
    assert "0 grades of 0 students would change" in capsys.readouterr().out


def test_regrade_refuses_files_from_elsewhere(graded, capsys):
    words = ["grade", "--preview", "--unit", "01", "--course", str(graded[0].root)]
    assert main([*words, "--origin", "x.zip"]) == 2
    assert "leave FROM away" in capsys.readouterr().err


def test_manual_scores_and_comments_survive_a_regrade(graded, unit):
    course, _ = graded
    with Gradebook(course.db_url) as gradebook:
        submission = gradebook.find_submission(unit.name, WRONG)
        one = submission.notebooks[0].grades[0]
        name, one.manual_score, one.extra_credit = one.cell.name, 2.5, 0.5
        gradebook.db.commit()
    grade(course, unit, progress=False)
    with Gradebook(course.db_url) as gradebook:
        again = gradebook.find_grade(name, unit.name, unit.name, WRONG)
        assert (again.manual_score, again.extra_credit) == (2.5, 0.5)
