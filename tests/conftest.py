"""What all tests share: whether there is a sandbox here, and a browser."""

import os
import shutil

import pytest

from course_grader import sandbox

# Files whose tests share nothing that takes time to make: any worker may take any of them.
SPREAD = ("test_proof.py", "test_processors.py", "test_lessons.py", "test_shows.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    """Keep the tests of a file on one worker, but for those that are long and share nothing."""
    for item in items:
        if item.path.name not in SPREAD:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


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
    program = shutil.which("chromium")
    if not program:
        refuse = pytest.fail if required else pytest.skip
        refuse("chromium is not installed (apt install chromium; see COURSE_REQUIRE_BROWSER)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()
