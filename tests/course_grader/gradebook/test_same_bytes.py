"""A class gives the same bytes: with any number of workers, again, on a busy machine."""

import functools
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_grader.authoring.composer import Composer
from course_grader.execution import cache, pool
from course_grader.gradebook.grade import grade
from course_grader.project.course import Course
from course_grader.reporting.table import write_csv

WORKERS = (1, 2, 4)
RUNS = 3


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory, unit, bubblewrap):
    """Four submissions that differ: right in two ways, wrong, and a process that dies."""
    course = Course.throwaway(tmp_path_factory.mktemp("same") / "course", unit)
    composer = Composer(course, unit)
    first = composer.first
    composer.hand_in("right", *composer.compose())
    composer.hand_in("wrong", *composer.compose({first: composer.answers[first].wrong[0].name}))
    composer.hand_in("other", *composer.compose({first: composer.answers[first].right[0].name}))
    notebook, score = composer.compose()
    solution = next(c for c in notebook.cells if c.id == f"{first}-solution")
    solution.source = "import os\nos._exit(1)"
    composer.hand_in("dies", notebook, score - composer.full(first))
    return course, composer.expected


@pytest.fixture(scope="module")
def busy():
    """Keep another process computing beside."""
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield
    assert loop.poll() is None
    loop.kill()
    loop.wait()


def test_the_csv_is_the_same_for_any_number_of_workers_in_every_run(
    handed_in, busy, unit, shared_forkserver, monkeypatch
):
    """Nothing is taken from an earlier run: kept executions are removed."""
    monkeypatch.setattr(cache, "preloading", shared_forkserver)
    course, expected = handed_in
    seen = {}
    for workers in WORKERS * RUNS:
        for path in course.root.glob("build/executed/*/*"):
            path.unlink()
        graded = grade(course, unit, workers=workers, progress=False)
        assert {result.student: result.record["score"] for result in graded} == expected
        write_csv([one.record for one in graded], course.root / "grades.csv")
        seen.setdefault((course.root / "grades.csv").read_bytes(), []).append(workers)
    assert list(seen.values()) == [list(WORKERS * RUNS)]


def slow_at_first(notebook, *, marker):
    """Stand for `execute`: some notebooks run out of time, the first time or always."""
    word = notebook.cells[0].source
    late = word == "always" or (word == "once" and not (marker / word).exists())
    (marker / word).mkdir(exist_ok=True)
    (marker / word / str(len(list((marker / word).iterdir())))).touch()
    notebook.metadata["execution"] = {"too_long": ["c"] if late else []}
    return notebook


def test_what_runs_out_of_time_is_run_once_more_alone_before_it_counts(
    course, unit, tmp_path, monkeypatch
):
    def place():
        return functools.partial(slow_at_first, marker=tmp_path), opened

    def opened(workers):
        sizes.append(workers)
        return pool.warm_pool(workers)

    sizes, runner = [], cache.Executions(course, unit, workers=2)
    monkeypatch.setattr(runner, "_place", place)
    monkeypatch.setattr(cache, "key_of", lambda notebook: notebook.cells[0].source)
    jobs = {w: new_notebook(cells=[new_code_cell(w)]) for w in ("quick", "once", "always")}
    assert sorted(runner.all(jobs)) == [("always", ""), ("once", ""), ("quick", "")]
    runs = {word: len(list((tmp_path / word).iterdir())) for word in jobs}
    assert runs == {"quick": 1, "once": 2, "always": 2}
    assert sizes == [2, 1, 1]
    assert [p.stem for p in runner.folder.iterdir()] == ["quick"]  # a later run may have time
