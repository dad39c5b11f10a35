"""Our faults are errors: an older score stands, marked; the class goes on; a rerun grades it."""

import csv
import json
import pkgutil
import shutil
from concurrent.futures import Future

import jsonschema
import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.execution import cache
from course_grader.execution.client import Client
from course_grader.gradebook import one_submission
from course_grader.gradebook.points import SavePoints
from course_grader.gradebook.preprocessors import Judge
from course_grader.intake import collect as intake_module
from course_grader.judging import judged_notebook
from course_grader.project import faults, notebooks
from course_grader.project.course import PROJECT, Course

SCHEMA = PROJECT / "course_grader" / "gradebook" / "record.schema.json"

STUDENTS = ("anna", "ben", "cleo")
BEN = "ben"  # whom a fault of ours meets


@pytest.fixture(scope="module")
def once_graded(tmp_path_factory, unit, shared_forkserver):
    """Three students, graded once: one exercise of each is wrong."""
    course = Course.throwaway(tmp_path_factory.mktemp("faults") / "course", unit)
    composer = Composer(course, unit)
    wrong = {composer.first: composer.answers[composer.first].wrong[0].name}
    for student in STUDENTS:
        composer.hand_in(student, *composer.compose(wrong))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "preloading", shared_forkserver)
        assert main(words(course)) == 0
    return course, composer


@pytest.fixture
def course(once_graded, unit, tmp_path, shared_forkserver, monkeypatch):
    """A copy of that course in which everybody has handed in a better answer since."""
    monkeypatch.setattr(cache, "preloading", shared_forkserver)
    course, composer = once_graded
    shutil.copytree(course.root, tmp_path / "course")
    better = Course(tmp_path / "course")
    for student in STUDENTS:
        notebook, _ = composer.compose()
        notebook.cells[0].source = f"The work of {student}"
        notebooks.save(notebook, better.notebook("submitted", unit, student))
    return better


def words(course):
    return ["grade", "--unit", "01", "--workers", "1", "--course", str(course.root)]


def scores(course, unit):
    with Gradebook(course.db_url) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(unit.name)}


def record(course, unit, student):
    return json.loads(course.record(unit, student).read_text("utf-8"))


def for_ben(real, student_of):
    """Return a function that divides by zero for one student, the untouched release or not."""

    def broken(*arguments, **options):
        if student_of(*arguments, **options) == BEN:
            return 1 / 0
        return real(*arguments, **options)

    return broken


FAULTS = {
    "judge": (Judge, "preprocess", lambda self, nb, resources: resources["nbgrader"]["student"]),
    "record": (
        "course_grader.gradebook.preprocessors",
        "record_of",
        lambda o, student, **more: student,
    ),
    "rebuild": (
        "course_grader.gradebook.saving",
        "rebuilt",
        lambda notebook, course, unit, student: student,
    ),
    "saving": (
        "course_grader.gradebook.points.SavePoints",
        "preprocess",
        lambda self, nb, resources: resources["nbgrader"]["student"],
    ),
}


@pytest.mark.parametrize("step", FAULTS)
def test_a_fault_of_ours_costs_nobody_a_point_and_is_told(
    step, course, once_graded, unit, capsys, monkeypatch
):
    before = record(course, unit, BEN)
    judged = course.notebook("autograded", unit, BEN).read_bytes()
    owner, name, student_of = FAULTS[step]
    owner = pkgutil.resolve_name(owner) if isinstance(owner, str) else owner
    full = once_graded[1].compose()[1]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, for_ben(getattr(owner, name), student_of))
        assert main(words(course)) == 1
    told = capsys.readouterr()
    assert "1 not graded, by a fault that is not theirs: ben" in told.err
    log = course.root / "records" / f"{unit.name}.log"
    assert str(log) in told.err
    assert "Traceback" in log.read_text() and "ZeroDivisionError" in log.read_text()
    marked = record(course, unit, BEN)
    assert marked["status"] == "error" and "ZeroDivisionError" in marked["error"]["what"]
    assert {**marked, "status": "graded", "error": None} == before
    assert scores(course, unit) == {"anna": full, "ben": before["score"], "cleo": full}
    assert course.notebook("autograded", unit, BEN).read_bytes() == judged
    assert main(words(course)) == 0
    assert scores(course, unit) == dict.fromkeys(STUDENTS, full)
    assert record(course, unit, BEN)["status"] == "graded"


def test_an_error_is_marked_in_table_csv_report_and_export(course, unit, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        owner, name, student_of = FAULTS["judge"]
        patch.setattr(owner, name, for_ben(Judge.preprocess, student_of))
        assert main(words(course)) == 1
    [line] = [x for x in capsys.readouterr().out.splitlines() if x.startswith(BEN)]
    assert "error: " in line and "the score is of 20" in line
    with open(course.root / "records" / f"{unit.name}.csv", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {s: row["status"] for s, row in rows.items()} == {
        "anna": "graded",
        "ben": "error",
        "cleo": "graded",
    }
    assert main(["class-report", "--unit", "01", "--course", str(course.root)]) == 0
    page = course.root / "records" / f"{unit.name}-report" / "looks.csv"
    assert 'ben,"error of ours' in page.read_text("utf-8")
    assert main(["export", "--to", "canvas", "--course", str(course.root)]) == 0
    assert f"Not of the last submission: {unit.name}/ben" in capsys.readouterr().err


def test_who_was_never_graded_has_no_score_which_is_not_0(course, unit, monkeypatch):
    course.record(unit, BEN).unlink()
    shutil.rmtree(course.path("autograded", unit, BEN))
    with Gradebook(course.db_url) as gradebook:
        gradebook.remove_submission(unit.name, BEN)
    owner, name, student_of = FAULTS["judge"]
    monkeypatch.setattr(owner, name, for_ben(Judge.preprocess, student_of))
    assert main(words(course)) == 1
    marked = record(course, unit, BEN)
    schema = json.loads(
        (PROJECT / "course_grader" / "gradebook" / "record.schema.json").read_text("utf-8")
    )
    jsonschema.Draft202012Validator(schema).validate(marked)
    assert marked["status"] == "error" and marked["score"] is None
    assert BEN not in scores(course, unit)
    with open(course.root / "records" / f"{unit.name}.csv", encoding="utf-8") as file:
        assert {row["student"]: row["score"] for row in csv.DictReader(file)}[BEN] == ""


def holds(words):
    return lambda notebook: any(words in cell.source for cell in notebook.cells)


def test_what_only_one_submission_breaks_scores_0_with_the_reason(
    course, unit, capsys, monkeypatch
):
    """The untouched release and our own answers are judged: so it is the submission's."""
    real, of_ben = judged_notebook.judge_notebook, holds("The work of ben")

    def broken(executed, *rest, **options):
        return 1 / 0 if of_ben(executed) else real(executed, *rest, **options)

    monkeypatch.setattr(judged_notebook, "judge_notebook", broken)
    assert main(words(course)) == 0
    marked = record(course, unit, BEN)
    assert (marked["status"], marked["score"]) == ("graded", 0)
    assert marked["reason"] == "could not be judged: ZeroDivisionError"
    assert scores(course, unit)[BEN] == 0
    assert "ZeroDivisionError" in one_submission.log_of(course, unit).read_text()


def test_what_only_one_submission_makes_impossible_to_save_scores_0(
    course, unit, capsys, monkeypatch
):
    real, of_ben = SavePoints.preprocess, holds("The work of ben")

    def broken(self, nb, resources):
        return 1 / 0 if of_ben(nb) else real(self, nb, resources)

    monkeypatch.setattr(SavePoints, "preprocess", broken)
    assert main(words(course)) == 0
    marked = record(course, unit, BEN)
    assert marked["score"] == 0 and marked["reason"].startswith("could not be saved")
    assert scores(course, unit)[BEN] == 0


SLIPS = {
    "comparing raises": (
        "course_grader.judging.judge.findings",
        "fails on our own answers: ZeroDivision",
    ),
    "comparing is never equal": (
        "course_utils.checking.agreement.share_used",
        "refuses our own answers to gaussian-nll",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_judge_that_fails_our_own_answers_grades_nobody(slip, course, unit, monkeypatch, capsys):
    """A malformed record agrees with nothing, and so does every one where comparing is broken."""
    before = scores(course, unit), record(course, unit, BEN)
    name, words_told = SLIPS[slip]
    monkeypatch.setattr(name, lambda a, b: 1 / 0)
    assert main(words(course)) == 2
    assert words_told in capsys.readouterr().err
    assert (scores(course, unit), record(course, unit, BEN)) == before


def test_a_slip_where_only_wrong_answers_come_is_ours_for_everybody(course, unit, monkeypatch):
    """Untouched work has no hint: our own wrong answers show it."""
    wrong = notebooks.load(course.notebook("submitted", unit, BEN))
    cell = next(c for c in wrong.cells if c.id == "gaussian-nll-solution")
    cell.source = "def gaussian_nll(y, mu, sigma):\n    return 0 * mu.sum()"
    notebooks.save(wrong, course.notebook("submitted", unit, BEN))
    before = scores(course, unit)
    monkeypatch.setattr("course_grader.judging.judge.matching_hint", lambda *given: 1 / 0)
    assert main(words(course)) == 1
    assert scores(course, unit)[BEN] == before[BEN]
    assert record(course, unit, BEN)["status"] == "error"


def test_a_slip_in_the_client_is_ours_for_everybody(course, unit, monkeypatch):
    """Executed here: a patch does not reach another process."""
    before = scores(course, unit)
    monkeypatch.setattr(cache.pool, "warm_pool", lambda workers: Here())
    monkeypatch.setattr(Client, "run", lambda self, index, seconds: self.nothing)
    assert main(words(course)) == 1
    assert scores(course, unit) == before
    assert "AttributeError" in one_submission.log_of(course, unit).read_text()
    monkeypatch.undo()


def test_a_file_that_breaks_the_reader_is_ours_if_the_release_does_too(course, unit, monkeypatch):
    before = scores(course, unit)
    monkeypatch.setattr(intake_module, "read_submission", lambda path: 1 / 0)
    assert main(words(course)) == 1
    assert scores(course, unit) == before


class Here:
    """Stands for a pool: runs in this process."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def submit(self, run, *arguments):
        future = Future()
        try:
            future.set_result(run(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **options):
        return None


def test_a_log_holds_no_terminal_codes(tmp_path):
    path = tmp_path / "log"
    with faults.logged_to(path):
        faults.reason_for("not read\x1b[2J", "eve\x1b]0;title\x07", ValueError("\x1b[31m"), int)
    text = path.read_text()
    assert "ValueError" in text and "eve?" in text
    assert not [c for c in text if not c.isprintable() and c != "\n"]
