"""nbgrader's own commands after `make grade`: list, export, validate, in the course's folder."""

import os
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.gradebook.config import COURSE_ID
from course_grader.gradebook.record import read_record
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course
from tests.course_grader.editing import replace, with_code


@pytest.fixture(scope="module")
def graded(tmp_path_factory, unit, bubblewrap):
    """A course with one student whose code is right, and one with a known mistake."""
    course = Course.throwaway(tmp_path_factory.mktemp("class") / "course", unit)
    composer = Composer(course, unit)
    for student, choices in (("right", {}), ("wrong", {"gaussian-nll": "variance-as-scale"})):
        notebook, score = composer.compose(choices)
        for cell in notebook.cells:
            cell.source = cell.source.replace("YOUR ANSWER HERE", "A's number has a unit.")
        composer.hand_in(student, notebook, score)
    assert main(["grade", "--unit", unit.name, "--course", str(course.root)]) == 0
    return course


def nbgrader(course, *words, project=PROJECT):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(
        command, cwd=course.root, capture_output=True, text=True, timeout=200, env=environment
    )


def test_list_finds_an_empty_exchange(graded):
    done = nbgrader(graded, "list")
    assert done.returncode == 0 and "Released assignments" in done.stderr


def test_what_export_writes_is_nothing_that_git_tracks(graded):
    before = set(graded.root.iterdir())
    assert nbgrader(graded, "export").returncode == 0
    [written] = set(graded.root.iterdir()) - before
    assert len(written.read_text("utf-8").splitlines()) == 3
    command = ["git", "check-ignore", "--no-index", written.name]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True).returncode == 0


def test_a_submission_validates_as_it_is_graded(graded, unit):
    kept = {p: p.read_bytes() for p in graded.root.rglob("*") if p.is_file()}
    path = graded.notebook("submitted", unit, "right").relative_to(graded.root)
    done = nbgrader(graded, "validate", str(path))
    assert "Success! Your notebook passes all the tests." in done.stdout, done.stdout + done.stderr
    path = graded.notebook("submitted", unit, "wrong").relative_to(graded.root)
    done = nbgrader(graded, "validate", str(path))
    assert "VALIDATION FAILED ON 1 CELL(S)" in done.stdout, done.stdout + done.stderr
    assert "gaussian-nll: not yet" in done.stdout and "pass sigma, not sigma" in done.stdout
    assert "HIDDEN TESTS" not in done.stdout
    lost = {p for p, content in kept.items() if p.read_bytes() != content}
    assert {p.name for p in lost} <= {".nbgrader.log"}


def test_a_submission_is_validated_in_the_sandbox(graded, unit, tmp_path):
    """What would write a file beside the course, were it run by stock nbgrader, writes none."""
    trace = tmp_path / "trace"
    path = graded.notebook("submitted", unit, "hostile")
    notebook = notebooks.load(graded.notebook("submitted", unit, "right"))
    cell = next(c for c in notebook.cells if c.id == "gaussian-nll-solution")
    cell.source += f"\nopen({str(trace)!r}, 'w').write('was here')"
    other = next(c for c in notebook.cells if c.id == "bce-from-logits-solution")
    other.source += "\ndef bce_from_logits(*a):\n    raise ValueError('\\x1b]0;a title\\x07')"
    notebooks.save(notebook, path)
    done = nbgrader(graded, "validate", str(path.relative_to(graded.root)))
    assert "FAILED ON 1 CELL" in done.stdout and not trace.exists(), done.stdout + done.stderr
    assert "a title" in done.stdout and not {"\x1b", "\x07"} & set(done.stdout)


def hard_link(path, course, unit):
    path.unlink()
    os.link(course.notebook("source", unit), path)


def symbolic_link(path, course, unit):
    path.unlink()
    path.symlink_to(os.path.relpath(course.notebook("source", unit), path.parent))


def oversized(path, course, unit):
    with path.open("a") as file:
        file.write(" " * 21_000_000)


def nested(path, course, unit):
    notebook = notebooks.load(path)
    notebook.cells[0].source += " "
    text = notebooks.as_bytes(notebook).decode()
    deep = '{"a":' * 480 + "1" + "}" * 480
    output = (
        f'{{"output_type":"display_data","metadata":{{}},"data":{{"application/json":{deep}}}}}'
    )
    path.write_text(text.replace('"outputs": []', f'"outputs": [{output}]', 1))


def renamed(path, course, unit):
    path.rename(path.with_name("mine.ipynb"))


HOSTILE = (hard_link, symbolic_link, oversized, nested, renamed)


@pytest.fixture(scope="module")
def graded_again(graded, unit):
    """Students who were graded, and then handed in what no reader may trust."""
    honest = notebooks.load(graded.notebook("submitted", unit, "right"))
    for hand_in in HOSTILE:
        notebooks.save(honest, graded.notebook("submitted", unit, hand_in.__name__))
    assert main(["grade", "--unit", unit.name, "--course", str(graded.root)]) == 0
    before = points_of(graded, unit, "right")
    assert {points_of(graded, unit, one.__name__) for one in HOSTILE} == {before} != {0}
    for hand_in in HOSTILE:
        hand_in(graded.notebook("submitted", unit, hand_in.__name__), graded, unit)
    done = nbgrader(graded, "autograde", "--assignment", unit.name, "--force")
    assert done.returncode == 0, done.stderr
    return graded


@pytest.mark.parametrize("hand_in", HOSTILE)
def test_autograde_reads_as_make_grade_does(hand_in, graded_again, unit):
    """What no reader takes replaces older points; outputs, and the name of a file, cost none."""
    student = hand_in.__name__
    record = read_record(graded_again.record(unit, student))
    whole = points_of(graded_again, unit, "right")
    deserved = whole if hand_in in (renamed, nested) else 0
    assert points_of(graded_again, unit, student) == record["score"] == deserved
    assert bool(record["reason"]) == (deserved == 0)


def points_of(course, unit, student):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        return gradebook.find_submission(unit.name, student).score


EDITS = {  # what of unit 01's master is edited: whether autograde refuses
    "a check": (('# %% hidden="gaussian-nll"\n', '# %% hidden="gaussian-nll"\n_q = 1\n'), True),
    "a text": (("# Points: value 2, gradient 2, shape 1.", "# Points: 2, 2, 1."), False),
}


@pytest.mark.parametrize("what", EDITS)
def test_autograde_tells_of_a_master_that_was_not_built(what, graded, unit, tmp_path):
    """It refuses as `make grade` does, before anything is written or removed."""
    edit, refuses = EDITS[what]
    replace(with_code(unit, tmp_path), "assignment", edit)
    before = {p: p.read_bytes() for p in graded.root.rglob("*") if p.is_file()}
    words = ("autograde", unit.name, "--student", "right", "--force")
    done = nbgrader(graded, *words, project=tmp_path)
    assert f"masters/{unit.name}/assignment.py, or what it imports, is newer" in done.stderr
    assert (done.returncode != 0) == refuses, done.stderr
    assert ("A check or a solution differs, so nothing was judged" in done.stderr) == refuses
    assert "Traceback" not in done.stderr
    after = {p: p.read_bytes() for p in graded.root.rglob("*") if p.is_file()}
    if refuses:
        changed = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
        assert {p.name for p in changed} <= {".nbgrader.log"}
