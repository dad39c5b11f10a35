"""What stands around a command is set by its start; importing the package sets nothing."""

import os
import subprocess
import sys

from course_grader.project.course import PROJECT
from course_grader.project.surroundings import have_home

IMPORTS = """
import importlib, os, sys
before = dict(os.environ)
for name in ("course_grader", "course_grader.__main__", "course_grader.class_commands"):
    importlib.import_module(name)
assert dict(os.environ) == before, "the variables"
assert None not in sys.modules.values(), "the modules"
"""
STARTS = """
import os, shutil, sys
from course_grader.__main__ import main
main(["progress"])
print(os.environ["HOME"], bool(shutil.which("alembic")), "rfc3987_syntax" in sys.modules)
"""


def run(code, **variables):
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)} | variables
    command = [sys.executable, "-c", code]
    options = {"cwd": PROJECT, "env": environment, "text": True, "capture_output": True}
    return subprocess.run(command, check=False, **options)


def test_an_import_edits_neither_variables_nor_modules():
    done = run(IMPORTS, HOME="/tmp")
    assert done.returncode == 0, done.stderr


def test_a_command_finds_this_environments_programs_and_keeps_a_home():
    done = run(STARTS, HOME="/tmp")
    assert done.stdout.splitlines()[-1] == "/tmp True True", done.stdout + done.stderr


def test_who_has_no_account_and_no_home_is_given_none_that_others_can_write_to(monkeypatch):
    monkeypatch.setenv("HOME", "unknown")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    have_home()
    assert os.environ["HOME"] == "/nonexistent"
