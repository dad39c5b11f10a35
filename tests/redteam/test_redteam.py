"""A class of attackers, graded like any other: nobody gains, nothing leaks, nobody is harmed."""

import json
import os
from pathlib import Path

import pytest

from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, neighbour_of

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
