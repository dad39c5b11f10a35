"""nbgrader's own commands after `make grade`: list, export, validate, in the course's folder."""

import os
import subprocess
import sys

import pytest

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course


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


def nbgrader(course, *words):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
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
    notebooks.save(notebook, path)
    done = nbgrader(graded, "validate", str(path.relative_to(graded.root)))
    assert "Success!" in done.stdout and not trace.exists(), done.stdout + done.stderr
