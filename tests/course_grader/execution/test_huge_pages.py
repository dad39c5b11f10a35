"""Memory in huge pages holds what it held, and a fork of it costs less."""

import subprocess
import sys

import pytest

from course_grader.execution.inside import huge_pages
from course_grader.execution.inside.huge_pages import ASKED_EARLY
from course_grader.proving.answer_runner import ExerciseContext, run_answer
from course_grader.proving.early_imports import prepare_forks

PROGRAM = """
import os, re, time
from course_grader.execution.inside.huge_pages import collapse

def huge():
    lines = open("/proc/self/smaps_rollup").read()
    return int(re.search(r"AnonHugePages: *(\\d+)", lines)[1]) // 1024

def fork():
    start = time.perf_counter()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return time.perf_counter() - start

def seconds():
    return min(fork() for _ in range(20))

held = [str(i) * 20 for i in range(2_000_000)]
before, slow, told = huge(), seconds(), hash(tuple(held))
collapse()
ratio, same = seconds() / slow, told == hash(tuple(held))
print(huge() - before, ratio, same, os.environ.get("GLIBC_TUNABLES"))
"""


def run(more):
    command = [sys.executable, "-c", PROGRAM]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=more)
    return told.stdout.split()


def test_what_is_held_stays_and_forks_are_quicker():
    megabytes, ratio, same, _ = run({})
    assert same == "True"
    if int(megabytes) == 0:
        pytest.skip("the kernel collapses no pages on demand")
    assert int(megabytes) > 100 and float(ratio) < 0.7


def test_what_was_asked_for_early_holds_for_this_process_alone():
    assert run(ASKED_EARLY)[2:] == ["True", "None"]


def test_what_somebody_else_asked_for_stays():
    own = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}
    assert run(own)[2:] == ["True", own["GLIBC_TUNABLES"]]


def test_where_a_system_tells_no_maps_answers_run_as_ever(monkeypatch, tmp_path):
    """As on macOS: who builds or proves there meets `collapse` before the first fork."""
    monkeypatch.setattr(huge_pages, "MAPS", tmp_path / "none")
    prepare_forks.cache_clear()
    cell = 'check = Checks("f")\ncheck.value("v", lambda: f(), points=1)\ncheck.report()'
    setup = ("from course_utils.checking.checks import Checks",)
    [check] = run_answer(ExerciseContext(setup, cell, cell), "def f():\n    return 1.5")
    assert check["got"]["data"] == [1.5]
