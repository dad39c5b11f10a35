"""What docs/grading.md says a hostile submission can do: it can do that, and no more."""

import pytest

from course_grader.authoring.composer import Composer, cell_of
from course_grader.project.course import Course
from tests.redteam.attack import Attack
from tests.redteam.harness import HONEST_POINTS, attack_class

DRAWS = """
_right = gaussian_nll

def gaussian_nll(y, mu, sigma):
    torch.rand(1)  # from the global generator, which checks tell by `keeps`
    return _right(y, mu, sigma){change}
"""
DENIES = """
import course_utils.checking.checks as c
c.kept_by = lambda call, inputs: [True] * (len(inputs) + 1)
"""


@pytest.fixture(scope="module")
def graded(unit, tmp_path_factory, bubblewrap):
    """One function that draws, and another that is wrong too, each with and without the denial."""
    right = Composer(Course(), unit).compose({})[0]
    source = cell_of(right, "gaussian-nll-solution").source
    attacks = {}
    for name, change in (("draws", ""), ("draws-and-is-wrong", " + 0.5 * y")):
        solution = ("solution", "code", source + DRAWS.format(change=change))
        for denies in (False, True):
            cells = (solution, ("extra", "code", DENIES)) if denies else (solution,)
            key = f"{name}-and-denies" if denies else name
            attacks[key] = Attack(key, "", "monkeypatch", False, 0.0, cells)
    folder = tmp_path_factory.mktemp("limits")
    reports, _ = attack_class(attacks, unit, folder, neighbours=False)
    return {name: report.got for name, report in reports.items()}


def test_a_call_that_draws_costs_points_which_code_that_patches_the_check_keeps(graded):
    assert graded["draws"] < graded["draws-and-denies"] == HONEST_POINTS


def test_the_denial_wins_nothing_for_wrong_values(graded):
    assert graded["draws-and-is-wrong-and-denies"] <= HONEST_POINTS - 4
