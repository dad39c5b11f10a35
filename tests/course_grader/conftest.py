"""What the grader's tests share: unit 01 as it stands, and a throw-away course."""

import contextlib
import os
import re
import shutil

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.masters import MasterError
from course_grader.execution.probe import preloading
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit, find_unit
from course_grader.proving.reference import reference_for


@pytest.fixture(scope="session")
def unit():
    return find_unit("01")


@pytest.fixture(scope="session")
def assignment(unit):
    return read_assignment(unit)


@pytest.fixture(scope="session")
def reference(unit):
    return reference_for(unit)


@pytest.fixture
def release(unit):
    return notebooks.load(Course().notebook("release", unit))


@pytest.fixture
def source(unit):
    return notebooks.load(Course().notebook("source", unit))


@pytest.fixture
def own_unit(unit, tmp_path):
    """A copy of unit 01's masters that a test may break."""
    folder = tmp_path / "masters" / unit.name
    shutil.copytree(unit.folder, folder)
    return Unit(folder)


@pytest.fixture
def edit(own_unit):
    """Return a function that replaces text in one of the copied masters."""

    def replace(kind, old, new):
        path = own_unit.master(kind)
        text = path.read_text("utf-8")
        assert text.count(old) >= 1, f"{old!r} is not in {kind}.py"
        path.write_text(text.replace(old, new, 1), "utf-8")
        return own_unit

    return replace


@pytest.fixture
def course(unit, tmp_path):
    """An empty course folder with source and release of unit 01."""
    return Course.throwaway(tmp_path / "course", unit)


@pytest.fixture
def stop(read):
    """Return a function that reads a broken master with the module's `read`: (line, message)."""

    def reader(text):
        with pytest.raises(MasterError) as caught:
            read(text)
        place = re.search(r"\w+\.py:(\d+): (.+)", str(caught.value), re.S)
        return int(place[1]), place[2]

    return reader


@pytest.fixture
def line_of():
    """Return a function that finds the line of a text in which words stand."""

    def find(text, words):
        return next(i for i, line in enumerate(text.splitlines(), 1) if words in line)

    return find


@pytest.fixture(scope="session")
def forkserver(bubblewrap):
    """Run a preloaded sandbox without data files; where it is required, it must be sound."""
    told = []
    with preloading({}, say=told.append) as ready:
        folder = ready()
        if folder is None and os.environ.get("COURSE_REQUIRE_SANDBOX"):
            pytest.fail(str(told))
        yield folder or pytest.skip(str(told))


@pytest.fixture(scope="session")
def shared_forkserver(forkserver):
    """What stands for `preloading` where many runs follow each other: one sandbox for all."""

    @contextlib.contextmanager
    def preloading(files, *, say, also=(), unsafe=False):
        yield lambda: forkserver

    return preloading
