"""Nothing that git tracks, and no verdict, depends on the processor; see tests/processors.py."""

import os
import platform
import subprocess
import sys

import pytest

from course_grader.project.course import PROJECT
from tests.processors import SETTINGS


@pytest.mark.parametrize("setting", SETTINGS)
def test_expected_values_and_verdicts_are_the_same(setting):
    if platform.machine() != "x86_64":
        pytest.skip(f"these settings are for x86_64, this is {platform.machine()}")
    environment = os.environ | SETTINGS[setting] | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-W", "ignore", "-m", "tests.processors"]
    options = {"cwd": PROJECT, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, env=environment, **options)
    assert done.returncode == 0, done.stdout + done.stderr
