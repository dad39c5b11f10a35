"""Grading on several machines and into a shared gradebook gives the scores of one machine."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from course_grader.demo import personas
from course_grader.demo.sample import make_class
from course_grader.execution import pool
from course_grader.execution.pool import Lost
from course_grader.gradebook.adjustments import facts_in, tell_facts
from course_grader.gradebook.grade import grade
from course_grader.project.course import Course, CourseError
from course_grader.reporting.table import write_csv

REQUIRED = os.environ.get("COURSE_REQUIRE_SANDBOX")


@pytest.fixture(scope="module")
def here(tmp_path_factory, unit, bubblewrap):
    """Grade a small class here; return (course, expected scores, its CSV)."""
    course = Course.throwaway(tmp_path_factory.mktemp("here") / "course", unit)
    expected = make_class(course, unit, groups=(personas.answers,))
    return course, expected, csv_of(course, unit)


def csv_of(course, unit, **options):
    graded = grade(course, unit, progress=False, **options)
    write_csv([one.record for one in graded], course.root / "grades.csv")
    return (course.root / "grades.csv").read_bytes()


@pytest.fixture(scope="module")
def scheduler():
    """Start a dask scheduler and two worker processes; give the scheduler's address."""
    distributed = pytest.importorskip("distributed") if not REQUIRED else __import__("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**options, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_gives_the_same_csv(scheduler, here, unit, tmp_path):
    course = Course.throwaway(tmp_path / "course", unit)
    make_class(course, unit, groups=(personas.answers,))
    assert csv_of(course, unit, scheduler=scheduler) == here[2]
    sandboxes = {result.record["execution"]["sandbox"] for result in grade_again(course, unit)}
    assert sandboxes == {"preloaded bubblewrap"}  # each worker's own


def grade_again(course, unit):
    return grade(course, unit, progress=False)


def test_a_scheduler_that_does_not_answer_is_told(course, unit, monkeypatch):
    make_class(course, unit, groups=(personas.answers,))
    monkeypatch.setattr("course_grader.execution.remote.CONNECT_SECONDS", 1)
    with pytest.raises(CourseError, match="no dask scheduler answers at tcp://127.0.0.1:9"):
        grade(course, unit, progress=False, scheduler="tcp://127.0.0.1:9")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """Start a PostgreSQL server of Debian's package in a folder; give an address in it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        (pytest.fail if REQUIRED else pytest.skip)("postgresql is not installed")
    folder = Path("/tmp") / f"postgres-{os.getpid()}"
    folder.mkdir()
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        run = functools.partial(run, user="postgres")
    data, server = str(folder / "data"), str(found[-1] / "pg_ctl")
    run([str(found[-1] / "initdb"), "-D", data, "-A", "trust", "-U", "course"])
    options = f"-c listen_addresses='' -k {folder}"
    run([server, "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start"])
    run([str(found[-1] / "createdb"), "-h", str(folder), "-U", "course", "gradebook"])
    yield f"postgresql+psycopg2://course@/gradebook?host={folder}"
    # A smart stop waits until nobody is connected. What nobody closed would be collected in the
    # midst of another test, could not say goodbye, and its logged traceback, formatted within
    # somebody's `ast.parse`, makes that one fail in Python 3.11 (SystemError, CPython 106905).
    try:
        run([server, "-D", data, "-m", "smart", "-t", "20", "stop"])
    except subprocess.CalledProcessError:
        run([server, "-D", data, "-m", "immediate", "stop"])
        pytest.fail("a connection to the gradebook was left open")
    shutil.rmtree(folder)


def rows(db_url, unit):
    with Gradebook(db_url) as gradebook:
        return sorted(
            (one.student.id, grade.cell.name, grade.auto_score, grade.max_score)
            for one in gradebook.assignment_submissions(unit.name)
            for notebook in one.notebooks
            for grade in notebook.grades
        )


def test_postgresql_holds_the_same_rows_as_sqlite(postgres, here, unit, tmp_path, monkeypatch):
    course = Course.throwaway(tmp_path / "course", unit)
    make_class(course, unit, groups=(personas.answers,))
    monkeypatch.setenv("COURSE_DB_URL", postgres)
    assert csv_of(course, unit) == here[2]
    assert not (course.root / "gradebook.db").exists()
    assert rows(postgres, unit) == rows(here[0].db_url, unit) != []


@contextlib.contextmanager
def noting(db_url, *, readable):
    """Note of Ann's submission, on a connection of its own; the block runs before the commit."""
    with Gradebook(db_url) as gradebook:
        facts = {"readable": readable, "late_share": 0.0}
        tell_facts(gradebook.db, student="ann", assignment="one", **facts)
        yield
        gradebook.db.commit()


def note(db_url, *, readable):
    with noting(db_url, readable=readable):
        pass


def test_two_graders_note_one_submission_at_the_same_time(postgres):
    """By its function: two commands that meet in this moment would be chance."""
    note(postgres, readable=False)
    with ThreadPoolExecutor(1) as other:
        with noting(postgres, readable=False):
            waits = other.submit(note, postgres, readable=True)
            time.sleep(0.5)  # it has come to the row, which the first has changed
            assert not waits.done()
        waits.result(timeout=20)
    with Gradebook(postgres) as gradebook:
        assert facts_in(gradebook.db, "one")["ann"]["readable"]


def kill_own_process(notebook, *, marker):
    """Stand for `execute`: one notebook's worker is killed, always or the first time only."""
    word = notebook.cells[0].source
    if word == "always" or (word == "once" and not marker.exists()):
        marker.touch()
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    return notebook


def test_a_killed_worker_costs_only_the_notebook_at_fault(tmp_path):
    words = ["fine", "once", "always", "also fine"]
    todo = {word: new_notebook(cells=[new_code_cell(word)]) for word in words}
    run = functools.partial(kill_own_process, marker=tmp_path / "marker")
    ended = {k: (done, told) for k, done, told in pool.each(run, pool.warm_pool, todo, 2)}
    assert {key for key, (_, told) in ended.items() if told} == {"always"}
    assert isinstance(ended["always"][1], Lost) and ended["once"][0] == todo["once"]


def test_the_command_line_offers_workers_and_schedulers():
    shown = subprocess.run(
        [sys.executable, "-m", "course_grader", "grade", "--help"], capture_output=True, text=True
    ).stdout
    assert "--workers" in shown and "tcp://host:8786" in shown
