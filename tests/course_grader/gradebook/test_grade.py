"""A class is graded from files to gradebook; stock nbgrader gives the same scores."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_grader.authoring.composer import Composer
from course_grader.demo.sample import make_class
from course_grader.gradebook.grade import grade
from course_grader.gradebook.saving import write_feedback
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course
from course_grader.reporting.table import table, write_csv

SCHEMA = PROJECT / "course_grader" / "gradebook" / "record.schema.json"

STOCK = [
    "perfect",
    "misconception-1",
    "untouched",
    "noisy",
    "deleted-cells",
    "not-json",
    "exception",
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory, unit, bubblewrap):
    """Grade the sample class; return (course, expected scores, results)."""
    course = Course.throwaway(tmp_path_factory.mktemp("class") / "course", unit)
    expected = make_class(course, unit)
    results = grade(course, unit, progress=False)
    write_feedback(course, unit)
    return course, expected, {result.student: result for result in results}


def test_the_sample_class_is_large_and_every_score_is_expected(sample):
    course, expected, results = sample
    assert len(expected) >= 16
    assert {s: r.record["score"] for s, r in results.items()} == expected


def test_every_record_follows_its_schema(sample):
    schema = json.loads(
        (PROJECT / "course_grader" / "gradebook" / "record.schema.json").read_text("utf-8")
    )
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for result in sample[2].values():
        assert [error.message for error in validator.iter_errors(result.record)] == []
    spoilt = result.record | {"score": "5"}
    assert not validator.is_valid(spoilt) and not validator.is_valid({})


def scores(course, unit):
    with Gradebook(course.db_url) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(unit.name)}


def test_the_gradebook_holds_the_same_scores(sample, unit):
    assert scores(sample[0], unit) == sample[1]


def test_right_answers_of_any_kind_get_full_marks(sample):
    full = ["perfect", "right-library", "right-other", "right-oracle", "noisy", "import-in-setup"]
    records = [sample[2][student].record for student in full]
    assert [record["score"] for record in records] == [record["max_score"] for record in records]


def test_the_untouched_release_scores_0_and_says_not_attempted(sample, unit):
    record = sample[2]["untouched"].record
    assert record["score"] == 0
    assert {e["status"] for e in record["exercises"].values()} == {"not attempted"}
    judged = notebooks.load(sample[0].notebook("autograded", unit, "untouched"))
    assert "not attempted" in str(judged)


def test_an_unreadable_submission_says_why_in_record_and_panel(sample, unit):
    for student in ("not-json", "a-link", "two-notebooks", "binary"):
        reason = sample[2][student].record["reason"]
        assert reason and "\n" not in reason
        assert reason[:20] in str(notebooks.load(sample[0].notebook("autograded", unit, student)))


def test_a_misconception_is_named_in_record_and_feedback(sample, unit):
    record = sample[2]["misconception-1"].record
    assert record["exercises"]["gaussian-nll"]["misconception"] == "variance-as-scale"
    page = sample[0].notebook("feedback", unit, "misconception-1").with_suffix(".html")
    assert "pass sigma, not sigma squared" in page.read_text("utf-8")


def test_a_record_says_what_it_was_made_with(sample):
    for result in sample[2].values():
        record = result.record
        assert record["execution"]["sandbox"] == "preloaded bubblewrap"
        assert record["course"] and record["torch"] and record["python"] and record["source"]
        points = [sum(a[0] for a in e["aspects"].values()) for e in record["exercises"].values()]
        assert sum(points) == record["score"]


def test_everybody_gets_feedback(sample, unit):
    pages = sample[0].root.glob(f"feedback/*/{unit.name}/{unit.name}.html")
    assert {page.parts[-3] for page in pages} == set(sample[1])


def test_table_and_csv_hold_everybody(sample, tmp_path):
    _, expected, results = sample
    shown = table(list(results.values()), expected).splitlines()
    assert [line.split()[0] for line in shown[2:]] == sorted(expected)
    write_csv([one.record for one in results.values()], tmp_path / "g.csv")
    with open(tmp_path / "g.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"]: float(row["score"]) for row in rows} == expected


def test_formgrader_sees_the_class_and_nobody_else(sample, unit):
    config = Config()
    config.CourseDirectory.root = str(sample[0].root)
    config.CourseDirectory.db_url = sample[0].db_url
    api = NbGraderAPI(CourseDirectory(config=config))
    assert set(api.get_submitted_students(unit.name)) == set(sample[1])
    found = {s["student"]: s["score"] for s in api.get_submissions(unit.name)}
    assert found == sample[1]


def test_grading_again_takes_the_kept_executions_and_changes_nothing(sample, unit):
    course, expected, _ = sample
    kept = {path: path.stat().st_mtime_ns for path in course.root.glob("build/executed/*/*")}
    again = grade(course, unit, progress=False)
    assert {r.student: r.record["score"] for r in again} == expected == scores(course, unit)
    assert len(kept) > len(expected) / 2  # equal notebooks are executed once
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def nbgrader(course, *words):
    command = [sys.executable, "-m", "nbgrader", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        command, cwd=course.root, capture_output=True, text=True, timeout=200, env=environment
    )


def test_stock_autograde_feedback_and_export_give_the_same(sample, unit, tmp_path):
    course = Course.throwaway(tmp_path / "stock", unit)
    for student in STOCK:
        shutil.copytree(
            sample[0].root / "submitted" / student, course.root / "submitted" / student
        )
    aside = sample[0].aside(unit, "not-json")
    shutil.copytree(aside, course.aside(unit, "not-json"))
    for words in (
        ["generate_assignment", unit.name, "--force"],
        ["autograde", unit.name],
        ["generate_feedback", unit.name],
        ["export", "--to", "out.csv"],
    ):
        done = nbgrader(course, *words)
        assert done.returncode == 0, done.stderr[-2000:]
    assert scores(course, unit) == {student: sample[1][student] for student in STOCK}
    assert course.record(unit, "not-json").is_file()
    assert len(list((course.root / "feedback").glob("*/*/*.html"))) == len(STOCK)
    assert len((course.root / "out.csv").read_text("utf-8").splitlines()) == len(STOCK) + 1


def test_the_release_of_stock_generate_assignment_is_the_committed_one(unit, tmp_path):
    course = Course.throwaway(tmp_path / "course", unit)
    committed = course.notebook("release", unit).read_bytes()
    assert nbgrader(course, "generate_assignment", unit.name, "--force").returncode == 0
    made = notebooks.load(course.notebook("release", unit))
    assert notebooks.as_bytes(made) == committed


@pytest.mark.parametrize(("answer", "passes"), [({}, True), ({"gaussian-nll": None}, False)])
def test_stock_validate_agrees_with_the_panel(answer, passes, unit, tmp_path):
    course = Course.throwaway(tmp_path / "course", unit)
    notebook, _ = Composer(course, unit).compose(answer)
    for cell in notebook.cells:
        cell.source = cell.source.replace("YOUR ANSWER HERE", "A's number has a unit.")
    solution = next(c for c in notebook.cells if c.id == "bce-from-logits-solution")
    solution.source = f"import warnings\nwarnings.warn('noise')\n{solution.source}"
    check = "    warnings.warn('more noise')\n    return"
    solution.source = solution.source.replace("    return", check, 1)
    path = course.notebook("release", unit)
    notebooks.save(notebook, path)
    done = nbgrader(course, "validate", str(path))
    assert ("Success! Your notebook passes all the tests." in done.stdout) == passes, done.stdout


def test_a_run_that_was_stopped_is_finished_by_the_next(unit, tmp_path, bubblewrap):
    """Ctrl-C here, which a suite in the background hands down as ignored; see test_lost.py too."""
    course = Course.throwaway(tmp_path / "course", unit)
    composer = Composer(course, unit)
    for number in range(4):
        notebook, score = composer.compose()
        seconds = 5 * (number > 1) + 0.01 * number  # two are done, two sleep when it is stopped
        notebook.cells.append(new_code_cell(f"import time; time.sleep({seconds})", id="slow"))
        composer.hand_in(f"s{number}", notebook, score)
    command = [sys.executable, "-m", "course_grader", "grade", "--unit", "01"]
    command += ["--course", str(course.root)]
    options = {"cwd": PROJECT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    listening = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    running = subprocess.Popen(command, start_new_session=True, **options, **listening)
    wait_for(lambda: list(course.root.glob("records/*/*.json")))
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(30) != 0
    assert subprocess.run(command, check=False, **options).returncode == 0
    assert scores(course, unit) == composer.expected
    for path in course.root.glob("records/*/*.json"):
        assert json.loads(path.read_text("utf-8"))["score"] == composer.expected[path.stem]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
