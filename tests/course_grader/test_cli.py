"""The command line and make: a mistake gets one clear message, help explains everything."""

import re
import subprocess

import pytest

from course_grader.__main__ import COMMANDS, main
from course_grader.project.course import PROJECT, CourseError, find_unit, units

MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("command", ["build", "prove", "demo", "grade", "check"])
def test_an_unknown_unit_gets_the_list_of_units(command, capsys):
    assert main([command, "--unit", "99"]) == 2
    told = capsys.readouterr().err
    assert "'99'" in told and "Traceback" not in told
    assert all(unit.name in told for unit in units())


def test_a_unit_that_was_never_built_is_told_how_to_build_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("course_grader.commands.PROJECT", tmp_path)
    assert main(["prove", "--unit", "01"]) == 2
    told = capsys.readouterr().err
    assert "never built" in told and "make build UNIT=01" in told


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0 and len(capsys.readouterr().out) > 40


@pytest.mark.parametrize("word", ["01", "01_loss_as_likelihood"])
def test_a_unit_is_found_by_number_and_name(word):
    assert find_unit(word).name == "01_loss_as_likelihood"


def test_facts_of_every_unit_are_complete():
    for unit in units():
        assert {"title", "minutes", "topics"} <= set(unit.facts)
        assert unit.limits["cell_seconds"] >= 10


def test_a_broken_unit_toml_is_told(own_unit):
    (own_unit.folder / "unit.toml").write_text("title = ", "utf-8")
    with pytest.raises(CourseError, match=r"unit\.toml"):
        assert own_unit.facts


def test_make_help_explains_every_target():
    targets = re.search(r"\.PHONY: (.*)", MAKEFILE)[1].split()
    done = subprocess.run(
        ["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [t for t in targets if f"make {t} " not in done.stdout] == []


def test_a_missing_submitted_folder_is_told(tmp_path, capsys, course, unit, bubblewrap):
    assert main(["grade", "--unit", "01", "--course", str(course.root)]) == 2
    assert "FROM=" in capsys.readouterr().err


def test_grading_without_a_sandbox_is_refused(monkeypatch, capsys, course):
    monkeypatch.setattr("course_grader.execution.sandbox.available", lambda: False)
    assert main(["grade", "--unit", "01", "--course", str(course.root)]) == 2
    assert "UNSAFE=1" in capsys.readouterr().err


def test_ci_calls_the_readmes_test_command():
    run = (PROJECT / ".ci" / "run").read_text("utf-8")
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert "make test" in run and "make test" in readme and "make demo" in readme
    assert len(readme.splitlines()) < 200
