"""What all tests share: whether there is a sandbox here."""

import os

import pytest

from course_grader import sandbox


@pytest.fixture(scope="session")
def bubblewrap():
    """Skip where there is no sandbox; fail where one is required, as in CI."""
    if not sandbox.available():
        if os.environ.get("COURSE_REQUIRE_SANDBOX"):
            pytest.fail("bubblewrap is required here (COURSE_REQUIRE_SANDBOX), but not available")
        pytest.skip("bubblewrap is not available")
