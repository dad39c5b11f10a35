"""Which package may import which: a forbidden import, planted by hand, is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_grader.project.course import PROJECT

LINTER = Path(sys.executable).with_name("lint-imports")
PLANTED = [  # where, what, and which word of the contract is then broken
    ("judging/judge.py", "course_grader.gradebook", "only packages below it"),
    ("project/course.py", "course_grader.authoring.markers", "only packages below it"),
    ("execution/inside/streams.py", "course_grader.project.course", "inside the sandbox"),
    ("../course_utils/scores.py", "course_grader.judging.judge", "only packages below it"),
]


@pytest.fixture
def copy(tmp_path):
    for name in ("course_grader", "course_utils"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder):
    command = [LINTER, "--no-cache"]
    options = {"cwd": folder, "env": {"PYTHONPATH": str(folder)}, "text": True}
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_all_contracts_are_kept(copy):
    told = lint(copy)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize(("where", "what", "broken"), PLANTED)
def test_a_forbidden_import_is_named(copy, where, what, broken):
    with (copy / "course_grader" / where).open("a") as file:
        file.write(f"\nimport {what}\n")
    told = lint(copy)
    assert told.returncode == 1
    assert broken in told.stdout and what in told.stdout and "BROKEN" in told.stdout
