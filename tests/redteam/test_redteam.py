"""A class of attackers, graded like any other: nobody gains, nothing leaks, nobody is harmed."""

import json
import os
import shutil
from pathlib import Path

import pytest

from course_grader.project.course import Course
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, neighbour_of
from tests.redteam.neighbours import class_of, differences

KINDS = {  # autograding's catalogue of attacks, and what a reader's browser is exposed to
    "metadata",
    "IPython hooks",
    "monkeypatch",
    "introspection",
    "exit paths",
    "resources",
    "forged records",
    "forged messages",
    "exfiltration",
    "overfitting",
    "persistence",
    "reader's browser",
}


def test_every_class_of_attack_is_tried_by_several():
    assert len(ATTACKS) >= 36
    for kind in KINDS:
        assert len([a for a in ATTACKS.values() if a.kind == kind]) >= 3, kind
    assert {a.kind for a in ATTACKS.values()} == KINDS


def test_attacks_that_only_the_sandbox_stops_are_marked():
    marked = {name for name, attack in ATTACKS.items() if attack.only_sandbox}
    assert {"reads_the_disk", "network", "fork_bomb", "unshare", "process_one"} <= marked


@pytest.mark.parametrize("name", ATTACKS)
def test_points_are_what_the_honest_part_deserves(name, graded):
    report = graded[0][name]
    assert report.got == ATTACKS[name].deserved
    assert report.record["exercises"]["gaussian-nll"]["earned"] == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_secret_is_in_notebook_record_or_feedback(name, graded):
    assert graded[0][name].leaks == []


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_a_student_wrote_is_active_for_a_reader(name, graded):
    assert graded[0][name].active == []


@pytest.mark.parametrize("name", ATTACKS)
def test_the_next_students_grade_is_unchanged(name, graded):
    neighbours = graded[1]
    found, before = neighbours[neighbour_of(name, ATTACKS)], neighbours["0-before-everybody"]
    assert found.got == before.got == HONEST_POINTS
    assert found.leaks == before.leaks == []
    assert found.outputs == before.outputs


def test_honest_students_files_are_those_of_a_class_without_attackers(graded, unit, tmp_path):
    """Records, notebooks and feedback, byte by byte; `make redteam` compares sixty."""
    names = sorted(graded[1])[:6]
    alone = class_of(names, unit, tmp_path)
    assert differences(alone, graded[2] / "course", unit, names) == []


def test_a_file_that_differs_is_found(graded, unit, tmp_path):
    [name, *_] = sorted(graded[1])
    course = Course(tmp_path / "course")
    left_out = shutil.ignore_patterns("submitted")  # it holds a pipe
    shutil.copytree(graded[2] / "course", course.root, ignore=left_out)
    assert differences(course, graded[2] / "course", unit, [name]) == []
    page = course.notebook("feedback", unit, name).with_suffix(".html")
    page.write_bytes(page.read_bytes() + b" ")
    assert differences(course, graded[2] / "course", unit, [name]) == [name]


def test_nothing_that_is_kept_of_a_flood_is_large(graded):
    kept = [p for p in (graded[2] / "course").rglob("*") if p.is_file() and not p.is_symlink()]
    kept = [p for p in kept if ".originals" not in p.parts]
    assert max(p.stat().st_size for p in kept) < 20_000_000


@pytest.mark.parametrize("name", [n for n, a in ATTACKS.items() if a.kind == "resources"])
def test_a_limit_ends_it_in_time(name, graded):
    assert graded[0][name].record["execution"]["seconds"] < 40


def test_everybody_was_graded_in_the_sandbox(graded):
    for report in [*graded[0].values(), *graded[1].values()]:
        assert report.record["execution"]["sandbox"] == "preloaded bubblewrap"


def test_the_records_on_disk_are_plain_json(graded):
    for path in Path(graded[2]).glob("course/records/*/*.json"):
        assert json.loads(path.read_text("utf-8"))["student"] == path.stem
        assert os.stat(path).st_size < 10_000
