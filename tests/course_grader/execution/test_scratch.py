"""Temporary files of graders: one folder each, which goes even if its grader was killed."""

import os
import subprocess
import sys

import pytest

from course_grader.project.course import PROJECT

START = """
import sys, tempfile
from multiprocessing import util
from course_grader.execution import scratch
print(scratch.gather(), flush=True)
assert util.get_temp_dir().startswith(str(scratch.gather()))
assert tempfile.mkdtemp().startswith(str(scratch.gather()))
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a grader that only gathers; it gives process and folder."""
    started = []

    def grader():
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | {"text": True}
        environment = os.environ | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", START], env=environment, **pipes)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield grader
    for process in started:
        process.kill()
        process.communicate()


def test_what_a_killed_grader_left_is_removed_by_the_next_and_nothing_else(start, tmp_path):
    (tmp_path / "pml-of-somebody-else").mkdir()
    killed, left = start()
    killed.kill()
    killed.wait()
    assert os.listdir(left)
    alive, held = start()
    assert not os.path.exists(left)
    ended, own = start()
    assert os.path.exists(held)  # beside it another grader starts, and ends
    assert ended.communicate("", timeout=20) == ("", "")
    assert ended.returncode == 0 and not os.path.exists(own) and os.path.exists(held)
    alive.communicate("", timeout=20)
    assert os.listdir(tmp_path) == ["pml-of-somebody-else"]


def test_one_that_is_killed_late_is_removed_when_a_grader_ends(start, tmp_path):
    (killed, left), (alive, _) = start(), start()
    killed.kill()
    killed.wait()
    assert os.path.exists(left)
    alive.communicate("", timeout=20)
    assert os.listdir(tmp_path) == []
