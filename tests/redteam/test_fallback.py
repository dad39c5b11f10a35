"""Without the preloaded sandbox, one sandbox for each submission stops the same attacks."""

import pytest

from course_grader.project.course import find_unit
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, attack_class, each_alone

FEW = [name for name, attack in ATTACKS.items() if attack.only_sandbox] + [
    "custom_exception_handler",  # besides, one or two of each kind; `make redteam` tries all
    "deep_recursion",
    "display_updates",
    "exits",
    "foreign_parent",
    "forged_record",
    "formatter",
    "frame_walk",
    "kills_itself",
    "memory",
    "messages_no_kernel_sends",
    "output_flood",
    "patched_checks",
    "segfault",
    "two_records",
]


@pytest.fixture(scope="module")
def graded_each_alone(tmp_path_factory, bubblewrap):
    """A third of the attacks and their neighbours, each in a sandbox of its own."""
    folder = tmp_path_factory.mktemp("fallback")
    unit = find_unit("01")  # with its own limits: here the first cell imports torch
    with each_alone():
        yield attack_class({name: ATTACKS[name] for name in FEW}, unit, folder)


@pytest.mark.parametrize("name", FEW)
def test_an_attack_gains_and_learns_nothing(name, graded_each_alone):
    report = graded_each_alone[0][name]
    assert report.record["execution"]["sandbox"] == "bubblewrap"
    assert report.got == ATTACKS[name].deserved
    assert report.leaks == report.active == []


def test_the_neighbours_are_unharmed(graded_each_alone):
    neighbours = graded_each_alone[1]
    assert len(neighbours) >= 2
    for report in neighbours.values():
        assert report.got == HONEST_POINTS and report.leaks == []
