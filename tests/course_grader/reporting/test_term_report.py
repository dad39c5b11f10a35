"""The page of a term: a class composed by hand, and every number that it must show."""

import contextlib
import csv
import io
import re
import shutil

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.gradebook.config import COURSE_ID
from course_grader.gradebook.record import error_record, write_record
from course_grader.project.course import PROJECT, Course, find_unit

FIRST, SECOND, THIRD = (find_unit(number) for number in ("01", "05", "06"))
EXERCISES = {  # points
    FIRST: {"gaussian-nll": 6.0, "laplace-mle": 4.0},
    SECOND: {"fit-temperature": 10.0},
    THIRD: {"beta-nll": 10.0, "raw-output-nll": 10.0},
}
WORDS = 2.0  # points of the second unit that people give
HOSTILE, FORMULA = "<b>x", "=1+1"
PLAIN = [f"p{i:02}" for i in range(12)]
CLASS = {  # the judge's points of 10, 10 and 20; None: nothing handed in
    **dict.fromkeys(PLAIN, (7, 8, 14)),
    "p11": (7, 7, 14),
    "low": (6, 4, 8),
    "half": (6, 5, 10),
    "gone": (9, None, None),
    "once": (9, None, 15),
    "fell": (10, 9, 12),
    "edge": (8, 10, 12),  # 30 points of 100 below the median of the others, and not more
    "ann": (7, 6, 14),  # in the second unit 2 points by hand, and 3 off for lateness
    "lost": (7, 3, None),  # in the third an error of ours
    "older": (7, 8, 10),  # there an error of ours, too, and an older score
    "blank": (7, 0, 14),  # in the second a file that cannot be read
    "torn": (7, 8, None),  # in the third a broken record
    HOSTILE: (3, 2, 4),
}
TWICE = "What came is twice what was expected, in every case."
MET = {  # what their records say of an exercise: misconception, relations by aspect
    (FIRST, "low", "gaussian-nll"): ("variance-as-scale", {"value": TWICE}),
    (FIRST, "half", "gaussian-nll"): ("variance-as-scale", {}),
    (FIRST, "p00", "gaussian-nll"): ("variance-as-scale", {}),
    (THIRD, "low", "beta-nll"): ("variance-as-scale", {}),
    (THIRD, "p01", "beta-nll"): ("variance-as-scale", {}),
    (FIRST, "p04", "laplace-mle"): ("lower-median", {}),
    (FIRST, "p02", "laplace-mle"): (None, {"location": TWICE, "scale": TWICE}),
    (SECOND, "p02", "fit-temperature"): (None, {"value": f"Of value 1, 2 alone: {TWICE}"}),
    (SECOND, "p03", "fit-temperature"): (None, {"value": TWICE}),
}


def record(unit, student, points, reason=""):
    """Make a record of the judge's; the first exercise gets the points first."""
    exercises, left = {}, points
    for name, possible in EXERCISES[unit].items():
        earned = float(min(left, possible))
        left -= earned
        misconception, relations = MET.get((unit, student, name), (None, {}))
        exercises[name] = {
            "status": "passed" if earned == possible else "not yet",
            "earned": earned,
            "aspects": {"value": [earned, possible]},
            "relations": relations,
            "misconception": misconception,
        }
    return {
        "schema": 2,
        "status": "graded",
        "error": None,
        "student": student,
        "graded": f"2027-01-{unit.name[:2]}T18:00:00+00:00",
        "score": float(points),
        "max_score": sum(EXERCISES[unit].values()),
        "reason": reason,
        "exercises": {} if reason else exercises,
        "execution": {},
        "course": "0.1.0",
        "source": "0",
        "python": "3.11",
        "torch": "2.6",
    }


def new_course(folder):
    folder.mkdir()
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    return Course(folder)


def hand_in(course, unit, student, points, reason=""):
    write_record(course.record(unit, student), record(unit, student, points, reason))


def compose(course):
    for student, points in CLASS.items():
        for unit, its in zip(EXERCISES, points, strict=True):
            if its is not None:
                hand_in(course, unit, student, its)
    hand_in(course, SECOND, "blank", 0, reason="not a notebook")
    course.record(THIRD, "torn").write_text('{"score": ', "utf-8")
    failure = {"what": "disk full", "log": "records/06.log"}
    older = record(THIRD, "older", 10)
    for student, kept in (("lost", None), ("older", older)):
        write_record(course.record(THIRD, student), error_record(kept, student=student, **failure))


def enter(course):
    """Enter two students in the gradebook, and one's submission that people have looked at."""
    unit = SECOND.name
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        gradebook.add_student("ann", first_name="Ann", last_name="Zimmer")
        gradebook.add_student(FORMULA)
        gradebook.add_assignment(unit)
        gradebook.add_notebook(unit, unit)
        gradebook.add_grade_cell("judged", unit, unit, max_score=10, cell_type="code")
        gradebook.add_grade_cell("words", unit, unit, max_score=WORDS, cell_type="markdown")
        with gradebook.db.no_autoflush:
            [notebook] = gradebook.add_submission(unit, "ann").notebooks
        judged, words = (gradebook.find_grade(n, unit, unit, "ann") for n in ("judged", "words"))
        judged.auto_score, words.manual_score = 6.0, 2.0
        judged.needs_manual_grade = words.needs_manual_grade = False
        notebook.late_submission_penalty = 3.0
        gradebook.db.commit()


def reported(course, status=0):
    """Run the command; return the page's folder and what was said of problems."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        assert main(["class-report", "--course", str(course.root)]) == status
    return course.root / "records" / "term-report", told.getvalue()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of the class above: its folder, and what went to stderr."""
    course = new_course(tmp_path_factory.mktemp("term") / "course")
    compose(course)
    enter(course)
    return reported(course)


@pytest.fixture(scope="module")
def text(report):
    return (report[0] / "index.html").read_text("utf-8")


@pytest.fixture
def course(tmp_path):
    return new_course(tmp_path / "course")


def rows(folder, name):
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def row_of(text, words):
    """Return the cells' words of the first row of a table that holds these."""
    row = next(r for r in re.findall(r"<tr>(.*?)</tr>", text, re.S) if words in r)
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.S)]


def test_the_head_counts_students_units_and_medians(text):
    head = text.partition("<p>")[2].partition("</p>")[0]
    told = " ".join(re.sub(r"<[^>]+>", "", head).replace("&nbsp;", " ").split())
    assert told.startswith("25 students, 3 units graded, the last on 2027-01-06.")
    # of the sorted totals the 13th is a plain student's, 29 of 42
    assert told.endswith("01 70%, 05 80%, 06 70%, over all 69%.")


@pytest.mark.parametrize(
    ("title", "points", "handed", "median", "half", "notes"),
    [
        ("01 Loss is a likelihood", "10", "24", "70%", "70% to 70%", ""),
        (
            "05 Calibration",
            "12",
            "22",
            "80%",
            "55% to 80%",  # the 6th and the 7th of 22 have 5/10 and 7/10: 0.5 + 0.25 * 0.2
            "1 not readable; 1 with a late penalty",
        ),
        (
            "06 ",
            "20",
            "23",
            "70%",
            "60% to 70%",
            "2 with an error of ours; 1 with a broken record",
        ),
    ],
)
def test_each_unit_has_its_numbers(text, title, points, handed, median, half, notes):
    day = f"2027-01-{title[:2]}"
    row = row_of(text.partition('id="units"')[2], f"<td>{title}")
    assert row[1:6] == [day, points, handed, median, half]
    assert row[6] == notes


def test_who_falls_behind_is_named_with_the_reason_and_nobody_else(report, text):
    looks = [row for row in rows(report[0], "looks") if row["what"] == "falls behind"]
    assert [(row["student"], row["why"]) for row in looks] == [
        (f"'{FORMULA}", "nothing handed in, in any unit"),
        ("gone", "05, 06: nothing handed in"),
        (HOSTILE, "05, 06: 20%"),
        ("lost", "05: 30%, down from a median of 70%"),
        ("low", "05, 06: 40%"),
        ("fell", "06: 60%, down from a median of 95%"),
    ]
    assert "Who falls behind: 6 of 25" in text
    assert text.index("Who falls behind: 6") < text.index("Units</h2>")
    rule = " ".join(re.search(r"The rule:(.*?)</p>", text, re.S)[1].split())
    assert "latest units (05, 06) less than 50%" in rule and "more than 30 points of 100" in rule


@pytest.mark.parametrize(
    ("student", "points", "total", "missing"),
    [
        ("p00", ("7", "8", "14"), ("29", "42", "0.690476"), "0"),
        ("ann", ("7", "5", "14"), ("26", "42", "0.619048"), "0"),  # 6 + 2 - 3
        ("gone", ("9", "", ""), ("9", "42", "0.214286"), "2"),
        ("lost", ("7", "3", ""), ("10", "22", "0.454545"), "0"),
        ("torn", ("7", "8", ""), ("15", "22", "0.681818"), "0"),
        ("older", ("7", "8", "10"), ("25", "42", "0.595238"), "0"),
        (f"'{FORMULA}", ("", "", ""), ("0", "42", "0"), "3"),
    ],
)
def test_each_student_has_points_and_a_total(report, student, points, total, missing):
    [row] = [row for row in rows(report[0], "students") if row["student"] == student]
    assert tuple(row[f"{unit.name} points"] for unit in EXERCISES) == points
    assert (row["total"], row["possible"], row["share"]) == total
    assert row["missing"] == missing


def test_shares_are_of_the_points_that_there_are(report):
    found = {row["student"]: row for row in rows(report[0], "students")}
    share = f"{SECOND.name} share"
    assert (found["ann"][share], found["p00"][share]) == ("0.416667", "0.8")  # 5/12, 8/10
    assert found["ann"]["name"] == "Zimmer, Ann"
    assert found["ann"]["notes"] == f"{SECOND.name}: 3 points taken off for lateness"
    assert found["older"]["notes"] == f"{THIRD.name}: error"


def test_the_table_of_students_is_in_order_of_names_and_marks_what_is_no_number(text):
    table = text.partition('id="students"')[2]
    everybody = re.findall(r"<tr><td>(?:<b>)?([^<]+)", table)
    assert everybody[:3] == ["&lt;b&gt;x", FORMULA, "blank"]
    assert everybody[-1].strip() == "Zimmer, Ann" and len(everybody) == 25
    assert row_of(table, ">gone<")[1:] == ["90", "–", "–", "9 of 42", "21"]
    assert row_of(table, ">lost<")[1:4] == ["70", "30", "error"]
    assert row_of(table, "<td>older")[1:4] == ["70", "80", "50error"]
    assert row_of(table, "<td>blank")[1:4] == ["70", "0unreadable", "70"]
    assert row_of(table, "<td>torn")[1:4] == ["70", "80", "broken"]
    assert row_of(table, "Zimmer")[1:] == ["70", "42", "70", "26 of 42", "62"]


def test_mistakes_that_come_back_are_counted_over_the_units(report, text):
    found = rows(report[0], "misconceptions")
    counts = [(r["mistake"], r["students"], [r[unit.name] for unit in EXERCISES]) for r in found]
    assert counts == [
        ("variance-as-scale", "4", ["3", "0", "2"]),
        ("What came is twice what was expected.", "2", ["1", "2", "0"]),
        ("lower-median", "1", ["1", "0", "0"]),
    ]
    assert found[0]["exercises"] == "01 gaussian-nll"
    shown = text.partition('id="mistakes"')[2].partition("<h3>")[0]
    assert row_of(shown, "variance-as-scale")[:4] == ["4", "3", "", "2"]
    assert "pass sigma, not sigma squared. (01 gaussian-nll)" in shown
    assert "pass the square root of var. (06 beta-nll)" in shown
    assert "lower-median" not in shown and "1 more are in misconceptions.csv" in shown


def test_who_makes_a_mistake_again_is_named(report, text):
    again = [(r["student"], r["mistake"], r["units"]) for r in rows(report[0], "returning")]
    assert again == [
        ("low", "variance-as-scale", f"{FIRST.name}, {THIRD.name}"),
        ("p02", "What came is twice what was expected.", f"{FIRST.name}, {SECOND.name}"),
    ]
    assert "in several units: variance-as-scale (01, 06)" in text


def test_the_page_is_whole_by_itself_and_shows_names_as_text(text):
    assert HOSTILE not in text and "&lt;b&gt;x" in text
    assert "http" not in text and "@import" not in text and "<script" not in text
    addresses = re.findall(r"(?:src|srcset|href)=\"([^\"]*)", text)
    assert len(addresses) == 6
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in addresses)
    assert (
        "01 70%, 05 80%, 06 70%. The table below has all numbers." in text
    )  # the picture's words
    assert "prefers-color-scheme: dark" in text


def test_no_cell_of_a_table_is_computed_by_a_spreadsheet(report):
    cells = [c for path in report[0].glob("*.csv") for c in ",".join(path.open()).split(",")]
    assert [cell for cell in cells if cell.startswith(FORMULA)] == []
    assert {path.stem for path in report[0].glob("*.csv")} == {
        "students",
        "misconceptions",
        "returning",
        "looks",
    }


def test_whose_points_are_shown_is_said(text):
    told = " ".join(text.split())
    assert "so for 1 of 69 submissions. The others are not in the gradebook" in told


def test_a_broken_record_is_one_line_and_the_rest_goes_on(report, text):
    [line] = report[1].splitlines()
    assert line.startswith(f"records/{THIRD.name}/torn.json: not a record: ")
    assert f"records/{THIRD.name}/torn.json" in text
    looks = {(r["student"], r["what"]): r["why"] for r in rows(report[0], "looks")}
    assert looks["torn", "broken"] == f"{THIRD.name}: its record cannot be read: grade again"
    assert looks["lost", "error"] == f"{THIRD.name}: disk full: grade again"
    assert looks["blank", "unreadable"] == f"{SECOND.name}: not a notebook"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"score": "7"}, "$.score: '7' is not of type"),
        ({"exercises": []}, "$.exercises: [] is not of type"),
        ({"student": "ben"}, "it is of 'ben'"),
    ],
)
def test_a_record_that_is_not_what_it_should_be_is_told(course, wrong, told):
    hand_in(course, FIRST, "ann", 7)
    write_record(course.record(FIRST, "cy"), record(FIRST, "cy", 7) | wrong)
    folder, line = reported(course)
    assert line.count("\n") == 1 and told in line
    assert [row["total"] for row in rows(folder, "students")] == ["7", "0"]


def test_without_records_it_says_what_to_do(course, capsys):
    assert main(["class-report", "--course", str(course.root)]) == 2
    told = capsys.readouterr().err
    assert "make grade UNIT=..." in told and "Traceback" not in told
    assert not (course.root / "records").exists()


def test_a_small_class_has_no_quartiles_and_no_gradebook_is_made(course):
    for student, points in {"ann": 4, "ben": 5, "cy": 9}.items():
        hand_in(course, FIRST, student, points)
    folder, told = reported(course)
    text = (folder / "index.html").read_text("utf-8")
    assert told == "" and not (course.root / "gradebook.db").exists()
    assert row_of(text, "<td>01 Loss")[1:6] == ["2027-01-01", "10", "3", "50%", "–"]
    assert "Fewer than 20 submissions have no quartiles" in text
    assert "points are the judge's" in text
    assert [row["student"] for row in rows(folder, "looks")] == ["ann"]


def test_a_gradebook_that_cannot_be_read_is_told_and_the_judges_points_stand(course):
    hand_in(course, FIRST, "ann", 7)
    (course.root / "gradebook.db").write_bytes(b"not a database" * 100)
    folder, told = reported(course)
    assert told.startswith("gradebook: not read: ") and told.count("\n") == 1
    assert rows(folder, "students")[0]["total"] == "7"
    assert "points are the judge's" in (folder / "index.html").read_text("utf-8")


def test_a_unit_that_few_have_handed_in_does_not_count_as_missed(course):
    for student in PLAIN:
        hand_in(course, FIRST, student, 7)
        hand_in(course, SECOND, student, 8)
    for student in PLAIN[:2]:
        hand_in(course, THIRD, student, 14)
    assert rows(reported(course)[0], "looks") == []
    hand_in(course, THIRD, PLAIN[2], 4)  # the third of twelve is a quarter: now it counts
    hand_in(course, SECOND, PLAIN[3], 4)
    looks = {row["student"]: row["why"] for row in rows(reported(course)[0], "looks")}
    assert looks == {
        PLAIN[2]: "06: 20%, down from a median of 75%",
        PLAIN[3]: "05: 40%; 06: nothing handed in",
    }


def dropping(course, word):
    """Configure how many units each total leaves out, and report."""
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(f"\nc.TermPolicy.drop_lowest = {word}\n")
    return reported(course)


# Of 10, 12 and 20 points: what is left out, one unit or two, and what the total then is.
DROPPED = {
    "p00": ((THIRD,), "15 of 22", (FIRST, THIRD), "8 of 12"),  # of equal shares, more points
    "p11": ((THIRD,), "14 of 22", (SECOND, THIRD), "7 of 10"),
    "ann": ((SECOND,), "21 of 30", (SECOND, THIRD), "7 of 10"),
    "gone": ((THIRD,), "9 of 22", (SECOND, THIRD), "9 of 10"),  # what is missing comes first
    "once": ((SECOND,), "24 of 30", (SECOND, THIRD), "9 of 10"),
    "lost": ((SECOND,), "7 of 10", (SECOND,), "7 of 10"),  # two are known, and one is left
    FORMULA: ((THIRD,), "0 of 22", (SECOND, THIRD), "0 of 10"),
}


@pytest.mark.parametrize("count", [1, 2])
def test_the_lowest_units_are_left_out_of_totals_and_shown_in_brackets(count, course):
    compose(course)
    enter(course)
    folder, _ = dropping(course, count)
    found = {row["student"].lstrip("'"): row for row in rows(folder, "students")}
    text = (folder / "index.html").read_text("utf-8")
    table = text.partition('id="students"')[2]
    for student, told in DROPPED.items():
        units, total = told[2 * count - 2 : 2 * count]
        row = found[student]
        assert row["dropped"] == ", ".join(unit.name for unit in units), student
        assert f"{row['total']} of {row['possible']}" == total
        cells = row_of(table, row["name"].lstrip("'"))
        marked = [unit for unit, cell in zip(EXERCISES, cells[1:4], strict=True) if "(" in cell]
        assert marked == list(units) and cells[4] == total
    assert found["gone"]["missing"] == "2"  # what is left out is still missing
    words = {1: "each student's lowest unit left out", 2: "2 lowest units left out"}[count]
    assert words in " ".join(text.split())


def test_one_unit_alone_is_never_left_out(course):
    hand_in(course, FIRST, "ann", 4)
    [row] = rows(dropping(course, 3)[0], "students")
    assert (row["total"], row["possible"], row["dropped"]) == ("4", "10", "")


@pytest.mark.parametrize("word", ["-1", "'one'", "1.5"])
def test_a_policy_that_is_no_count_is_told(word, course, capsys):
    hand_in(course, FIRST, "ann", 4)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(f"\nc.TermPolicy.drop_lowest = {word}\n")
    assert main(["class-report", "--course", str(course.root)]) == 2
    told = capsys.readouterr().err
    assert f"c.TermPolicy.drop_lowest = {word}: give how many units" in told
    assert not (course.root / "records" / "term-report").exists()
