"""What all tests share: whether there is a sandbox here, and a browser; who runs what when."""

import gc
import os
import re

import pytest
from xdist.scheduler import LoadFileScheduling

from course_grader.execution import sandbox
from course_grader.hooks.jsonschema import leave_out_grammar
from course_grader.project.surroundings import find_programs
from tests.chromium import find_chromium
from tests.serving import as_make_lab_says

# Of these files each unit, or setting, is a load of its own.
IN_PARTS = (
    "building/test_processors.py",
    "proving/test_proof.py",
    "browser/test_lessons.py",
    "execution/test_same_outputs_as_jupyter.py",
    "building/test_lessons.py",
    "proving/test_cold.py",
)
# What takes longest comes first, so that no worker is left with it at the end.
FIRST = ("redteam/test_redteam.py", "gradebook/test_grade.py", *IN_PARTS)


class LoadByFileOrPart(LoadFileScheduling):
    """Give a worker all tests of a file, or of one part of a file that takes long."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        part = re.search(r"\[(\d\d|.*)", nodeid)  # a unit's number, or what else it is called
        return f"{file}[{part[1]}]" if part and file.endswith(IN_PARTS) else file


def pytest_configure():
    """Have what a command has around it; no garbage is looked for while modules are imported."""
    gc.disable()
    find_programs()
    leave_out_grammar()
    os.environ["PYTHONSTARTUP"] = as_make_lab_says()["PYTHONSTARTUP"]  # kernels start as theirs


def pytest_collection_finish():
    """Look for garbage again, but not among what was imported: that stays, and is much."""
    gc.freeze()
    gc.enable()


def pytest_xdist_make_scheduler(config, log):
    """Use it wherever there are several workers."""
    return LoadByFileOrPart(config, log)


def pytest_collection_modifyitems(items):
    """Put what takes longest first; the rest keeps its order."""

    def place(item):
        file = item.nodeid.partition("::")[0]
        return next((i for i, name in enumerate(FIRST) if file.endswith(name)), len(FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def bubblewrap():
    """Skip where there is no sandbox; fail where one is required, as in CI."""
    if not sandbox.available():
        if os.environ.get("COURSE_REQUIRE_SANDBOX"):
            pytest.fail("bubblewrap is required here (COURSE_REQUIRE_SANDBOX), but not available")
        pytest.skip("bubblewrap is not available")


@pytest.fixture(scope="module")
def chromium():
    """Headless Chromium; where it is required, as in CI, it must be there.

    What needs an event loop of its own, as grading does, comes before it: its loop stays.
    """
    required = os.environ.get("COURSE_REQUIRE_BROWSER")
    playwright = pytest.importorskip("playwright.sync_api") if not required else None
    if playwright is None:
        import playwright.sync_api as playwright
    program = find_chromium()
    if not program:
        refuse = pytest.fail if required else pytest.skip
        refuse("chromium is not installed (apt install chromium; see COURSE_REQUIRE_BROWSER)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()
