"""A term of forty from two LMS, by hand and through the command line: every number comes back.

The importers' rules are those of their sources: Canvas, lib/gradebook_importer.rb and
infer_comment_context_from_filename in its assignment model; Moodle, Grades' CSV import and
mod/assign/feedback/{file/importziplib,offline/importgradeslib}.php.
"""

import csv
import io
import re
import zipfile

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.authoring.exercises import read_assignment
from course_grader.gradebook.config import COURSE_ID
from course_grader.project import notebooks
from course_grader.project.course import Course, find_unit
from tests.course_grader.editing import build_into, copied, replace, spare, taken_for_ours
from tests.course_grader.intake.lms_zips import canvas_name, moodle_name, zipped

UNITS = [find_unit(word) for word in ("00", "01", "02")]
POLICY = '\nc.LatePolicy.penalty_method = "percent"\nc.LatePolicy.percent_per_day = 10\n'
# Canvas: (user, sortable name, login). The first two share a name; the last two never hand in.
CANVAS = [(4100, "Wang, Wei", "ww1"), (4101, "Wang, Wei", "ww2")]
CANVAS += [(4102 + n, f"Student{n:c}, Some{n:c}", f"login{n:c}") for n in range(97, 120)]
# Moodle: (first name, last name, address). The last one never hands in.
MOODLE = [(f"Ann{n:c}", "Example", f"ann{n:c}@uni.edu") for n in range(97, 112)]
ABSENT = [CANVAS[-1], CANVAS[-2], MOODLE[-1]]
LATE, EXTENDED, AGAIN = CANVAS[5], CANVAS[6], CANVAS[7]
# In the first unit these two lose the 2 points of "tails", until those checks are changed.
MILD, MILDLY = (CANVAS[10], MOODLE[5]), "log-of-the-density"
EASIER = "normal_log_density(120 * y, -2.0, 1.5)", "normal_log_density(1.2 * y, -2.0, 1.5)"
EASY = 'check.value("tails", lambda: normal_log_density(1.4 * _t, 7.7, 13.1), case="close by")'


def canvas_csv():
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework (881)"]
    rows = [[name, user, f"S{user}", login, "A", ""] for user, name, login in CANVAS]
    return written([head, ["    Points Possible", "", "", "", "", "10"], *rows])


def moodle_csv():
    rows = [[first, last, email, ""] for first, last, email in MOODLE]
    return written([["First name", "Last name", "Email address", "Groups"], *rows])


def written(rows):
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def participant(place, index):
    """Return Moodle's number of a participant: another one in each assignment."""
    return 1000 * (index + 1) + place


@pytest.fixture(scope="module")
def term(tmp_path_factory, shared_forkserver):
    """Grade three units of forty students; return the course, and all points by hand."""
    folder = tmp_path_factory.mktemp("term")
    course = Course.throwaway(folder / "course", UNITS[0])
    for unit in UNITS[1:]:
        extra = Course.throwaway(folder / unit.name, unit)
        for step in ("source", "release"):
            extra.path(step, unit).rename(course.path(step, unit))
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(POLICY)
    (folder / "canvas.csv").write_text(canvas_csv(), "utf-8")
    (folder / "moodle.csv").write_text(moodle_csv(), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        run(course, "roster", "--origin", folder / "canvas.csv")
        run(course, "roster", "--origin", folder / "moodle.csv")
        scores = {unit.name: grade_unit(course, folder, unit, i) for i, unit in enumerate(UNITS)}
    return course, scores


def run(course, *words, status=0):
    assert main([*map(str, words), "--course", str(course.root)]) == status


def grade_unit(course, folder, unit, index):
    """Grade a unit from both LMS, with a resubmission; return {(who of the lists): points}."""
    composer = Composer(course, unit)
    wrong = composer.answers[composer.first].wrong[0].name
    (good, full), (bad, part) = composer.compose(), composer.compose({composer.first: wrong})
    good, bad = notebooks.as_bytes(good), notebooks.as_bytes(bad)
    canvas, moodle, points = {}, {}, {}
    for place, who in enumerate(CANVAS[:-2]):
        late = index == 0 and who in (LATE, EXTENDED)
        name = canvas_name(who[1], who[0], 50_000 + 100 * index + place, "hw.ipynb", late=late)
        points[who] = full if place % 3 and who != AGAIN else part
        canvas[name] = good if points[who] == full else bad
    for place, (first, last, _) in enumerate(MOODLE[:-1]):
        number = participant(place, index)
        points[MOODLE[place]] = full if place % 2 else part
        name = moodle_name(f"{first} {last}", number, "hw.ipynb")
        moodle[name] = good if place % 2 else bad
    if index == 0:
        mild, less = composer.compose({composer.first: MILDLY})
        assert less == full - 2
        points |= dict.fromkeys(MILD, less)
        for name in (list(canvas)[10], list(moodle)[5]):
            (canvas if name in canvas else moodle)[name] = notebooks.as_bytes(mild)
        when = "2030-01-31 12:00 UTC"
        words = ("--unit", unit.name, "--student", EXTENDED[2], "--when", when)
        run(course, "due", *words)
        points[LATE] *= 0.9
    for name, members in (("canvas", canvas), ("moodle", moodle)):
        archive = zipped(folder / f"{name}-{index}.zip", members)
        run(course, "grade", "--unit", unit.name, "--origin", archive)
    again = canvas_name(AGAIN[1], AGAIN[0], 90_000 + index, "hw-1.ipynb")
    run(course, "grade", "--unit", unit.name, "--origin", zipped(folder / "a.zip", {again: good}))
    return points | {AGAIN: full}


def exported(course, kind, *words):
    run(course, "export", "--to", kind, *words)
    with open(course.root / "records" / f"{kind}.csv", newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_one_student_is_one_id(term):
    course, _ = term
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        students = {student.id: student for student in gradebook.students}
    assert len(students) == len(CANVAS) + len(MOODLE) == 40
    assert {"wangwei-4100", "wangwei-4101"} <= set(students)
    assert students["wangwei-4100"].lms_user_id == "4100"
    assert students["anna@uni.edu"].first_name == "Anna"


def found_by_canvas(row):
    """Return whom Canvas' importer takes a row for: by number, else SIS id, login, name."""
    name, number, sis, login = row[:4]
    certain = [who for who in CANVAS if number and who[0] == int(number)]
    certain += [who for who in CANVAS if sis == f"S{who[0]}"]
    certain += [who for who in CANVAS if login == who[2]]
    certain += [who for who in CANVAS if name == who[1]]
    return certain[0] if certain else None


def test_every_student_of_a_zip_is_found_again(term):
    course, scores = term
    titles, possible, *rows = exported(course, "canvas")
    assert titles[5:] == [unit.name for unit in UNITS]
    assert [float(n) for n in possible[5:]] == [read_assignment(unit).points for unit in UNITS]
    mine = {found_by_canvas(row): row for row in rows if row[1]}
    assert set(mine) == set(CANVAS) and mine[CANVAS[0]][4] == "A"
    for who, row in mine.items():
        assert row[5:] == told(scores, who)
    titles, *rows = exported(course, "moodle")
    by_address = {row[4]: row[5:] for row in rows}
    for who in MOODLE:
        assert by_address[who[2]] == told(scores, who)
    titles, *rows = exported(course, "blackboard")
    by_login = {row[2]: row[4:] for row in rows}
    assert titles[:3] == ["Last Name", "First Name", "Username"]
    assert all(by_login[who[2]] == told(scores, who) for who in CANVAS)


def told(scores, who):
    """Return the cells that an export must show: nothing where nothing was handed in."""
    return [str(scores[unit.name][who]) if who in scores[unit.name] else "" for unit in UNITS]


def test_who_handed_in_nothing_is_listed_and_exported_as_asked(term):
    course, _ = term
    rows = exported(course, "canvas", "--missing", "0", "--unit", "01")
    [absent] = [row for row in rows[2:] if row[1] == str(CANVAS[-1][0])]
    assert rows[0][5:] == [UNITS[1].name] and absent[5:] == ["0"]
    with open(course.root / f"records/{UNITS[1].name}.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert len(rows) == 40
    assert sorted(row["status"] for row in rows.values()).count("missing") == len(ABSENT)


def test_feedback_goes_back_to_who_sent(term):
    course, _ = term
    run(course, "feedback", "--to", "canvas", "--unit", "01")
    names = packed(course, "feedback-canvas-01.zip")
    numbers = [re.findall(r"(?<=_)\d+(?=_)", name)[:2] for name in names]
    assert sorted(int(user) for user, _ in numbers) == sorted(who[0] for who in CANVAS[:-2])
    files = {int(user): int(file) for user, file in numbers}
    assert files[AGAIN[0]] == 90_001 and files[CANVAS[0][0]] == 50_100
    run(course, "feedback", "--to", "moodle", "--unit", "01")
    names = packed(course, "feedback-moodle-01.zip")
    parts = [name.split("/")[0].split("_", 4) for name in names]
    assert all(part[2:4] == ["assignsubmission", "file"] for part in parts)
    assert {int(part[1]): part[0] for part in parts} == {
        participant(i, 1): f"{first} {last}" for i, (first, last, _) in enumerate(MOODLE[:-1])
    }


def packed(course, name):
    with zipfile.ZipFile(course.root / "records" / name) as archive:
        assert all(b"<html" in archive.read(one) for one in archive.namelist()[:2])
        return archive.namelist()


def test_moodle_s_worksheet_names_each_participant(term):
    course, scores = term
    titles, *rows = exported(course, "moodle-worksheet", "--unit", "02")
    by = [dict(zip(titles, row, strict=True)) for row in rows]
    numbers = {row["Identifier"].removeprefix("Participant "): float(row["Grade"]) for row in by}
    assert numbers == {
        str(participant(i, 2)): scores[UNITS[2].name][who] for i, who in enumerate(MOODLE[:-1])
    }
    assert all(row["Last modified (grade)"] for row in by)


def test_points_by_hand_come_back_and_do_not_wait_again(term, shared_forkserver):
    course, scores = term
    unit, student = UNITS[1], f"wangwei-{CANVAS[1][0]}"
    [words] = read_assignment(unit).written
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade(words, unit.name, unit.name, student)
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        run(course, "grade", "--unit", unit.name)
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        assert not gradebook.find_submission(unit.name, student).needs_manual_grade
    rows = exported(course, "canvas")
    [row] = [row for row in rows if row[1] == str(CANVAS[1][0])]
    assert float(row[6]) == scores[unit.name][CANVAS[1]] + 1.5


def test_a_void_exercise_counts_for_nobody_and_comes_back(term, capsys):
    course, scores = term
    unit, composer = UNITS[2], Composer(course, UNITS[2])
    before = exported(course, "canvas", "--unit", "02")
    words = ["adjust", "--unit", "02", "--exercise", composer.first]
    run(course, *words, "--as", "void")
    assert exported(course, "canvas", "--unit", "02") == before  # a preview
    run(course, *words, "--as", "void", "--apply")
    _, possible, *rows = exported(course, "canvas", "--unit", "02")
    worth, best = composer.full(composer.first), max(scores[unit.name].values())
    assert float(possible[5]) == read_assignment(unit).points - worth
    for who, row in ((found_by_canvas(row), row) for row in rows if row[1]):
        told = scores[unit.name].get(who)
        assert row[5:] == ["" if told is None else str(best - worth)]  # all else is right
    run(course, *words, "--as", "none", "--apply")
    assert exported(course, "canvas", "--unit", "02") == before


def test_what_is_withdrawn_is_as_if_nothing_had_been_handed_in(term, shared_forkserver, capsys):
    course, scores = term
    unit, who = UNITS[0], CANVAS[3]
    words = ["withdraw", "--unit", "00", "--student", who[2]]
    before = exported(course, "canvas", "--unit", "00")
    run(course, *words)
    assert f"{scores[unit.name][who]:g} points in the gradebook" in capsys.readouterr().out
    assert exported(course, "canvas", "--unit", "00") == before
    run(course, *words, "--apply")
    after = {row[1]: row[5:] for row in exported(course, "canvas", "--unit", "00")[2:]}
    assert after == {row[1]: row[5:] for row in before[2:]} | {str(who[0]): [""]}
    run(course, "class-report", "--unit", "00")
    student = next(s for s in (course.root / "submitted/.originals").glob(f"*-{who[0]}"))
    kept = {path.name for path in (student / unit.name).iterdir()}
    assert {f"withdrawn-{unit.name}", f"withdrawn-{student.name}.json"} <= kept
    assert not course.record(unit, student.name).exists()
    run(course, *words, status=2)
    assert "has handed in nothing" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        run(course, "grade", "--unit", "00")
    assert exported(course, "canvas", "--unit", "00") != before


def test_the_term_s_page_holds_everybody(term):
    course, _ = term
    run(course, "class-report")
    text = (course.root / "records/term-report/students.csv").read_text("utf-8")
    assert len(list(csv.DictReader(text.splitlines()))) == 40


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["feedback", "--to", "moodle", "--unit", "03"], "no feedback of a submission that came"),
        (["export", "--to", "moodle-worksheet", "--unit", "03"], "no submission came in a zip"),
        (["export", "--to", "moodle-worksheet"], "a worksheet for each assignment: UNIT=01"),
        (["due", "--unit", "01", "--student", "nobody", "--when", "2030-01-01 9:00"], "nobody"),
        (["due", "--unit", "01", "--student", "loginb"], "needs WHEN"),
        (["roster", "--origin", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_a_mistake_is_one_message(words, told, term, capsys):
    run(term[0], *words, status=2)
    assert told in capsys.readouterr().err


def everything(course):
    return {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}


def test_a_changed_check_is_previewed_and_changes_whom_it_concerns(
    term, tmp_path, shared_forkserver, capsys
):
    """The last one: it leaves the first unit as no master of ours says it."""
    course, scores = term
    unit, first = UNITS[0], Composer(course, UNITS[0]).first
    before = {kind: exported(course, kind) for kind in ("canvas", "moodle", "blackboard")}
    edited = copied(unit, tmp_path)
    spare(edited, first, MILDLY, EASY)
    replace(edited, "assignment", EASIER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        taken_for_ours(edited, patch)
        for words in ((), ("--preview",)):  # edited, and not built
            run(course, "grade", "--unit", "00", *words, status=2)
            assert "nothing was judged" in capsys.readouterr().err
        build_into(course, edited)
        kept = everything(course)
        run(course, "grade", "--unit", "00", "--preview")
        lines = capsys.readouterr().out.splitlines()
        students = [f"studentisomei-{MILD[0][0]}", MILD[1][2]]
        assert sorted(line.split() for line in lines[:-1]) == sorted(
            [student, first, "3.0", "->", "5.0"] for student in students
        )
        assert lines[-1] == "2 grades of 2 students would change. Nothing was written."
        assert everything(course) == kept
        run(course, "grade", "--unit", "00")
        assert not [line for line in capsys.readouterr().out.splitlines() if "error" in line]
    who = {MILD[0][2], MILD[1][2]}  # logins, which each file has
    for kind, rows in before.items():
        place = [title.startswith(unit.name) for title in rows[0]].index(True)
        mine = [row for row in rows if who & {*row}]
        assert [float(row[place]) for row in mine] == [scores[unit.name][MILD[0]]] * 2
        for row in mine:
            row[place] = str(scores[unit.name][MILD[0]] + 2)
        assert exported(course, kind) == rows
