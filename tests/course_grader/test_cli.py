"""The command line and make: a mistake gets one clear message, help explains everything."""

import json
import re
import shutil
import subprocess

import pytest

from course_grader.__main__ import COMMANDS, main
from course_grader.authoring.composer import Composer
from course_grader.authoring.staleness import is_stale
from course_grader.project.course import PROJECT, CourseError, Unit, find_unit, units
from course_utils.checking.recorder import SECONDS_PER_EXERCISE

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


def test_a_busy_machine_stops_no_answer_that_keeps_its_seconds():
    for unit in units():
        assert unit.limits["cell_seconds"] >= 4 * SECONDS_PER_EXERCISE


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


@pytest.mark.parametrize("word", ["1", "001", "01_loss_as_likelihood/"])
def test_a_unit_is_found_as_people_write_it(word):
    assert find_unit(word).name == "01_loss_as_likelihood"
    with pytest.raises(CourseError):
        find_unit("-1")


@pytest.mark.parametrize("word", ["-1", "0", "x", "1.5", "²", ""])
def test_a_number_of_workers_that_is_none_is_told_in_one_sentence(word, capsys, course):
    words = ["grade", "--unit", "1", "--course", str(course.root), "--workers", word]
    assert main(words) == 2
    told = capsys.readouterr().err.strip()
    assert told == f"WORKERS={word}: give a number of processes, 1 or more"


def test_make_hands_workers_on():
    done = subprocess.run(
        ["make", "--no-print-directory", "grade", "UNIT=1", "WORKERS=-1"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "WORKERS=-1: give a number of processes" in done.stderr


def test_a_home_folder_with_a_slash_at_its_end_is_taken_in(
    unit, course, tmp_path, monkeypatch, capsys, bubblewrap
):
    composer = Composer(course, unit)
    composer.hand_in("ann", *composer.compose(), file="../sent/ann.ipynb")
    monkeypatch.setenv("HOME", str(course.root))
    words = ["grade", "--unit", "1", "--course", str(course.root), "--origin", "~/sent/"]
    assert main(words) == 0
    assert "ann" in capsys.readouterr().out
    assert course.notebook("submitted", unit, "ann").is_file()


NEWER = (
    "masters/01_loss_as_likelihood/assignment.py, or what it imports, is newer than what was "
    "built: make build UNIT=01"
)
TEXT = "# Points: value 2, gradient 2, shape 1."
HIDDEN = '# %% hidden="gaussian-nll"\n'
EDITS = {  # what is edited: (what stands there, what then, whether the class is still graded)
    "a text": (TEXT, f"# More. {TEXT}", True),
    "a check": (HIDDEN, f"{HIDDEN}check.value('value', lambda: 1.5, case='one')\n", False),
    "half a cell": (HIDDEN, f"{HIDDEN}(\n", False),
}


@pytest.fixture
def edited(monkeypatch, edit):
    """Return a function that edits a copy of unit 01's masters, which commands take for theirs."""

    def change(what):
        own = edit("assignment", *EDITS[what][:2])
        for module in ("class_commands", "learner_commands"):
            monkeypatch.setattr(f"course_grader.{module}.find_unit", lambda word: own)

    return change


def graded(course, *words):
    """Grade by the command; return its status."""
    return main(["grade", "--unit", "1", "--course", str(course.root), *words])


@pytest.mark.parametrize("what", EDITS)
def test_a_master_that_was_not_built_is_told_and_costs_nobody_a_point(
    what, edited, unit, course, capsys, bubblewrap
):
    composer = Composer(course, unit)
    composer.hand_in("ann", *composer.compose())
    assert graded(course) == 0
    assert "newer" not in capsys.readouterr().err
    before = json.loads(course.record(unit, "ann").read_text("utf-8"))
    edited(what)
    assert (graded(course) == 0) == EDITS[what][2]
    told = capsys.readouterr().err.splitlines()
    assert NEWER in told or any("assignment.py:" in line for line in told)
    assert (told.count(NEWER) == 1) == (what != "half a cell")
    after = json.loads(course.record(unit, "ann").read_text("utf-8"))
    assert after["exercises"] == before["exercises"] and after["score"] == before["score"]
    assert (graded(course, "--preview") == 0) == EDITS[what][2]


@pytest.mark.parametrize("what", EDITS)
def test_check_tells_of_a_master_that_was_not_built(what, edited, unit, tmp_path, capsys):
    folder = tmp_path / "work" / unit.name
    shutil.copytree(PROJECT / "release" / unit.name, folder)
    edited(what)
    done = main(["check", "--unit", "1", "--work", str(tmp_path / "work")])
    shown = capsys.readouterr()
    assert (done == 0) == EDITS[what][2] == ("gaussian-nll: not attempted" in shown.out)
    assert (NEWER in shown.err.splitlines()) == (what != "half a cell")


def test_without_masters_nothing_is_told(course, tmp_path):
    assert not is_stale(Unit(tmp_path / "masters" / "01_loss_as_likelihood"), course)
