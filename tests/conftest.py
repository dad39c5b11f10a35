"""What all tests share: whether there is a sandbox here, and a browser."""

import os
import shutil

import pytest

from course_grader.execution import sandbox


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
