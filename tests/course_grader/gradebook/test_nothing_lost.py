"""Nothing is lost: a grader that is killed, a full disk, a locked gradebook, a refused folder."""

import contextlib
import errno
import os
import pkgutil
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.execution import cache
from course_grader.gradebook.grade import grade
from course_grader.gradebook.record import error_record
from course_grader.intake import placing
from course_grader.intake.collect import intake
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course
from course_grader.reporting.table import write_csv

MOMENTS = 10
BAD = "s-bad"
SAME = {BAD, "s-two"}  # nothing of theirs can run: the same empty notebook, executed once


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory, unit, bubblewrap):
    """Six submissions, not taken in yet: clean, odd, loose, wrong, unreadable, unfinished."""
    course = Course.throwaway(tmp_path_factory.mktemp("lost") / "course", unit)
    composer = Composer(course, unit)
    first, second = composer.first, composer.second
    composer.hand_in("s-all", *composer.compose())
    composer.hand_in("s-wrong", *composer.compose({first: composer.answers[first].wrong[0].name}))
    composer.hand_in("s-half", *composer.compose({second: None}))
    loose, score = composer.compose({first: None})
    loose.metadata["kernelspec"] = {"name": "ir", "display_name": "R"}
    composer.hand_in("s-loose", loose, score, file="s-loose.ipynb")
    path = composer.hand_in("s-two", composer.compose()[0], 0.0)
    path.with_name("other.ipynb").write_bytes(path.read_bytes() + b"\n")
    composer.hand_in(BAD, composer.compose()[0], 0.0).write_text('{"cells": [', "utf-8")
    return course, composer.expected


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory, unit, shared_forkserver):
    """Grade the class in peace; return what is left, and the seconds that it takes when warm."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("cold", "warm"):
            course = copy_of(handed_in[0], tmp_path_factory.mktemp(name))
            start = time.monotonic()
            assert graded_here(course, unit, shared_forkserver, patch) == {}
            seconds = time.monotonic() - start
    assert {row[0] for row in rows(course, unit)} == set(handed_in[1])
    return rows(course, unit), csv_bytes(course, unit), seconds


def copy_of(course, folder):
    shutil.copytree(course.root, folder / "course", symlinks=True)
    return Course(folder / "course")


def run_command(course, shared_forkserver, monkeypatch, capsys):
    """Run `make grade`; return its exit status, and what it says last."""
    monkeypatch.setattr(cache, "preloading", shared_forkserver)
    words = ["grade", "--unit", "01", "--workers", "2", "--course", str(course.root)]
    status = main(words)
    return status, capsys.readouterr()


def rows(course, unit):
    with Gradebook(course.db_url) as gradebook:
        return sorted(
            (one.student.id, grade.cell.name, grade.auto_score, grade.max_score)
            for one in gradebook.assignment_submissions(unit.name)
            for notebook in one.notebooks
            for grade in notebook.grades
        )


def csv_bytes(course, unit):
    return (course.root / "records" / f"{unit.name}.csv").read_bytes()


def graded_here(course, unit, shared_forkserver, monkeypatch):
    """Grade in this process, in a sandbox that stands already; return problems by student."""
    monkeypatch.setattr(cache, "preloading", shared_forkserver)
    results = grade(course, unit, workers=2, progress=False)
    write_csv([one.record for one in results], course.root / "records" / f"{unit.name}.csv")
    return {result.student: result.problem for result in results if result.problem}


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_grader_killed_at_any_moment_leaves_what_a_rerun_completes(
    moment, handed_in, undisturbed, unit, tmp_path, shared_forkserver, monkeypatch
):
    known, csv, seconds = undisturbed
    course = copy_of(handed_in[0], tmp_path)
    part = (moment + random.Random(moment).random()) / MOMENTS  # one in each tenth of a run
    grader = os.fork()
    if grader == 0:
        try:
            graded_here(course, unit, shared_forkserver, monkeypatch)
        finally:
            os._exit(0)
    time.sleep(part * seconds)
    os.kill(grader, signal.SIGKILL)
    os.waitpid(grader, 0)
    assert graded_here(course, unit, shared_forkserver, monkeypatch) == {}
    assert rows(course, unit) == known
    assert csv_bytes(course, unit) == csv


class Killed(BaseException):
    """Stands for kill -9: nothing handles it."""


STEPS = ["save", "_keep_reason", "_set_aside", "rename", "replace"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_intake_that_ends_at_any_step_is_finished_by_the_next(
    step, after, handed_in, unit, tmp_path, monkeypatch
):
    """Each call of each step, one after the other, is the last that is made."""
    for count in range(1, 40):
        course = copy_of(handed_in[0], tmp_path / f"{count}")
        with monkeypatch.context() as patch:
            ended = end_at(patch, step, count, after=after)
            with contextlib.suppress(Killed):
                intake(course, unit)
        taken = {a.student: a.reason for a in intake(course, unit)}
        assert set(taken) == set(handed_in[1])
        assert {s for s, reason in taken.items() if reason} == {BAD, "s-two"}
        assert all(is_whole(course, unit, student) for student in taken)
        if not ended:
            return
    pytest.fail("the step never stopped being reached")


def end_at(patch, step, count, *, after):
    """End intake at the count-th call of a step, before or after it; the list says whether."""
    owner = {"save": notebooks, "rename": os, "replace": Path}.get(step, placing)
    real, calls, ended = getattr(owner, step), [], []

    def stop(*arguments, **options):
        calls.append(1)
        if len(calls) == count:
            ended.append(1)
            if after:
                real(*arguments, **options)
            raise Killed
        return real(*arguments, **options)

    patch.setattr(owner, step, stop)
    return ended


def is_whole(course, unit, student):
    return len(notebooks.load(course.notebook("submitted", unit, student)).cells) > 10


# --- the disk ------------------------------------------------------------------------------


def full_disk(patch, owner, name, *, times=1):
    """Let the first calls fail as on a full disk, half-way."""
    real, left = getattr(owner, name), [times]

    def refuse(*arguments, **options):
        if left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    patch.setattr(owner, name, refuse)


PLACES = {
    "intake": (notebooks, "save"),
    "setting aside": (placing, "_set_aside"),
    "kept executions": (cache.Executions, "_keep_file"),
    "records": ("course_grader.gradebook.points", "write_record"),
    "autograded": ("nbgrader.converters.autograde.Autograde", "init_assignment"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_costs_one_submission_until_the_next_run(
    place, handed_in, undisturbed, unit, tmp_path, shared_forkserver, monkeypatch
):
    course = copy_of(handed_in[0], tmp_path)
    with monkeypatch.context() as patch:
        owner, name = PLACES[place]
        full_disk(patch, found(owner), name)
        problems = graded_here(course, unit, shared_forkserver, patch)
    assert len(problems) == 1 or set(problems) == SAME
    [told] = set(problems.values())
    assert "No space left on device" in told and "\n" not in told
    assert graded_here(course, unit, shared_forkserver, monkeypatch) == {}
    assert (rows(course, unit), csv_bytes(course, unit)) == undisturbed[:2]


def found(owner):
    return pkgutil.resolve_name(owner) if isinstance(owner, str) else owner


@pytest.mark.parametrize("folder", ["build", "records", "submitted/.originals"])
def test_a_folder_that_cannot_be_made_is_told_and_the_gradebook_stays(
    folder, handed_in, undisturbed, unit, tmp_path, shared_forkserver, monkeypatch, capsys
):
    """A file stands where a folder is needed: this stops root too."""
    course = copy_of(handed_in[0], tmp_path)
    (course.root / folder).write_text("no folder")
    status, told = run_command(course, shared_forkserver, monkeypatch, capsys)
    assert status in (1, 2)
    assert any(words in told.out + told.err for words in ("File exists", "Not a directory"))
    (course.root / folder).unlink()
    assert graded_here(course, unit, shared_forkserver, monkeypatch) == {}
    assert (rows(course, unit), csv_bytes(course, unit)) == undisturbed[:2]


# --- the gradebook -------------------------------------------------------------------------


@pytest.fixture
def once_graded(handed_in, unit, tmp_path, shared_forkserver, monkeypatch):
    course = copy_of(handed_in[0], tmp_path)
    assert graded_here(course, unit, shared_forkserver, monkeypatch) == {}
    return course


def test_a_locked_gradebook_is_told_in_one_line_and_stays_as_it_is(
    once_graded, undisturbed, unit, shared_forkserver, monkeypatch, capsys
):
    csv = csv_bytes(once_graded, unit)
    holder = sqlite3.connect(once_graded.root / "gradebook.db")
    holder.execute("BEGIN EXCLUSIVE")
    status, told = run_command(once_graded, shared_forkserver, monkeypatch, capsys)
    holder.rollback()
    holder.close()
    assert status == 2 and "database is locked" in told.err.strip().splitlines()[-1]
    assert csv_bytes(once_graded, unit) == csv == undisturbed[1]
    assert rows(once_graded, unit) == undisturbed[0]


def test_a_gradebook_that_is_locked_halfway_costs_some_until_the_next_run(
    once_graded, undisturbed, unit, shared_forkserver, monkeypatch
):
    real, holders = cache.Executions.all, []

    def lock(self, jobs):
        for number, one in enumerate(real(self, jobs)):
            if number == 3:
                holders.append(sqlite3.connect(once_graded.root / "gradebook.db"))
                holders[0].execute("BEGIN EXCLUSIVE")
            if number == 4:
                holders[0].rollback()
                holders[0].close()
            yield one

    with monkeypatch.context() as patch:
        patch.setattr(cache.Executions, "all", lock)
        problems = graded_here(once_graded, unit, shared_forkserver, patch)
    assert len(problems) == 1 or set(problems) == SAME
    [told] = set(problems.values())
    assert "database is locked" in told and "\n" not in told
    assert rows(once_graded, unit) == undisturbed[0]
    assert graded_here(once_graded, unit, shared_forkserver, monkeypatch) == {}
    assert (rows(once_graded, unit), csv_bytes(once_graded, unit)) == undisturbed[:2]


def test_a_csv_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    path.write_text("older")
    records = [error_record(None, student="a", what="x", log="")]
    with monkeypatch.context() as patch:
        full_disk(patch, Path, "replace")
        with pytest.raises(OSError, match="No space left"):
            write_csv(records, path)
    assert path.read_text() == "older"
    write_csv(records, path)
    assert path.read_text() != "older"


def test_a_killed_graders_workers_end(tmp_path):
    """Without this they would wait for work for ever."""
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, signal, time\n"
        "from course_grader.execution.pool import warm_pool\n"
        "if __name__ == '__main__':\n"
        "    pool = warm_pool(1)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    options = {"env": environment, "stdout": subprocess.PIPE, "text": True}
    running = subprocess.Popen([sys.executable, str(script)], **options)
    worker = int(running.stdout.readline())
    assert running.wait(30) == -signal.SIGKILL
    end = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()
    running.stdout.close()
