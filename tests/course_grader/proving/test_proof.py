"""Every answer and mutant is judged as it says, and a check weakened by hand makes this fail."""

import re

import pytest
import torch

from course_grader.authoring.exercises import read_assignment
from course_grader.building.readable import readable
from course_grader.judging.judge import judge
from course_grader.project.course import PROJECT, CourseError, units
from course_grader.proving.answer_runner import ExerciseContext, run_answer, run_answers
from course_grader.proving.proof import prove
from course_grader.proving.reference import make_reference
from tests.course_grader.editing import drop_hidden, spare
from tests.pace import Paced

UNITS = units()
SECONDS = 60  # of a quick machine, for answers and mutants of a unit; 10_mixtures takes 40
PROBE = """
import numpy
def gaussian_nll(y, mu, sigma):
    numpy.zeros(1) / numpy.zeros(1)
    x = torch.ones(2, requires_grad=True)
    return torch.autograd.grad((x * x).sum(), x)[0].sum() + torch.tensor(0.1)
"""


def printed(unit):
    paths = [*(PROJECT / "release" / unit.name).iterdir()]
    return [readable(path) for path in [*paths, PROJECT / "notebooks" / f"{unit.name}.ipynb"]]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_answers_mutants_and_empty_hands(unit):
    with Paced() as paced:
        for proof in prove(unit, texts=printed(unit), brief=True):
            assert proof.problems == []
            assert proof.made > 20 and proof.rejected + proof.equivalent == proof.made
    assert paced.seconds < SECONDS


def test_a_mutant_left_at_its_first_failing_check_is_judged_as_one_that_ran_to_its_end(own_unit):
    spare(own_unit, "gaussian-nll", "variance-floored")  # one mutant and more survive
    [whole], [brief] = (
        prove(own_unit, only="gaussian-nll", brief=brief) for brief in (False, True)
    )
    assert brief.problems == whole.problems != []
    assert (brief.made, brief.rejected) == (whole.made, whole.rejected)


def problems(unit, only="gaussian-nll"):
    return [problem for proof in prove(unit, only=only) for problem in proof.problems]


@pytest.mark.parametrize("answer", ["variance-floored", "product-of-densities"])
def test_a_weakened_check_lets_a_wrong_answer_pass_and_is_told(answer, own_unit):
    spare(own_unit, "gaussian-nll", answer)
    found = problems(own_unit)
    assert any(answer in problem and "fails []" in problem for problem in found)


def test_a_right_answer_that_fails_is_told(edit):
    own = edit("answers", "softplus(z) - y * z).mean()", "softplus(z) - y * z).median()")
    assert any("'by-softplus' fails" in problem for problem in problems(own, "bce-from-logits"))


def test_a_right_answer_that_is_nearly_refused_is_told(edit):
    """Another processor's last digits would decide."""
    far = "softplus(z) - y * z).mean() * (1 + 4e-6)"
    own = edit("answers", "softplus(z) - y * z).mean()", far)
    found = problems(own, "bce-from-logits")
    words = r"'by-softplus' uses 0\.\d\d of what is allowed for 'seven logits'; at most 0\.25"
    assert any(re.search(words, problem) for problem in found)


def test_a_wrong_answer_that_says_the_wrong_aspects_is_told(edit):
    own = edit(
        "answers",
        'detached wrong="gaussian-nll" fails="gradient"',
        'detached wrong="gaussian-nll" fails="value"',
    )
    assert any("'detached'" in p and "says ['value']" in p for p in problems(own))


def test_a_right_answer_listed_as_wrong_is_told(edit):
    own = edit(
        "answers",
        "return ((y - mu) ** 2).mean()",
        "return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()",
    )
    with pytest.raises(CourseError, match="match the same values"):
        make_reference(own)


def test_an_equivalent_mutant_that_is_rejected_is_told(edit):
    own = edit("answers", "# `y = y.detach()`", "# `mu = mu.detach()`")
    found = "\n".join(problems(own))
    assert "'solution.detach-input: mu = mu.detach()' is listed as equivalent" in found
    assert "'solution.detach-input: y = y.detach()' is not rejected" in found


def test_an_equivalent_mutant_that_is_not_made_is_told(edit):
    own = edit("answers", "# `y = y.detach()`", "# `y = y.clone()`")
    found = "\n".join(problems(own))
    assert "no mutant is called 'solution.detach-input: y = y.clone()'" in found


def test_an_aspect_that_anybody_can_guess_stops(own_unit):
    flat = 'check.gradient("gradient", lambda z: 0 * z.sum(), _t, case="a constant")'
    drop_hidden(own_unit, "bce-from-logits", lambda aspect, _: aspect == "gradient", flat)
    with pytest.raises(CourseError, match="'gradient' needs a hidden check"):
        make_reference(own_unit)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_check_cells_of_an_assignment_are_quick(unit):
    """Two seconds of a quick machine for all of them, each run twice: imports do not count."""
    master, paced = read_assignment(unit), Paced()
    for exercise in master.exercises.values():
        stage, solution = ExerciseContext.of(master, exercise), exercise.solution.source
        run_answer(stage, solution)
        with paced:
            assert run_answer(stage, solution)
    assert 0 < paced.seconds < 2


@pytest.mark.parametrize(
    "left",
    [
        "torch.set_grad_enabled(False)",
        "torch.set_default_dtype(torch.float64)",
        "import numpy; numpy.seterr(all='raise')",
    ],
)
def test_what_an_answer_leaves_behind_does_not_meet_the_next(left, assignment):
    exercise = assignment.exercises["gaussian-nll"]
    stage, solution = ExerciseContext.of(assignment, exercise), exercise.solution.source
    spoilt = f"{left}\n{solution}"
    _, after = run_answers(stage, [spoilt, PROBE])
    assert after and after == run_answer(stage, PROBE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_answer_begins_with_empty_memory(unit):
    """A mutant that leaves it unfilled may find there what a right answer computed before."""
    sources = [unit.master(name).read_text("utf-8") for name in ("assignment", "answers")]
    assert re.findall(r".*\bempty(?:_like)?\((?!0\b).*", "\n".join(sources)) == []


def test_an_answer_that_draws_without_a_seed_is_recorded_the_same_each_time(assignment):
    stage = ExerciseContext.of(assignment, next(iter(assignment.exercises.values())))
    drawn = "def gaussian_nll(y, mu, sigma):\n    return torch.randn(())"
    first = run_answer(stage, drawn)
    torch.rand(3)
    assert first and run_answer(stage, drawn) == first


@pytest.mark.parametrize("call", ["torch.manual_seed(0)", "torch.manual_seed(1)"])
def test_an_answer_that_seeds_the_global_generator_is_refused(call, assignment, reference):
    """Whatever number it takes, here too, where generators are seeded before each answer."""
    exercise = assignment.exercises["gaussian-nll"]
    stage, solution = ExerciseContext.of(assignment, exercise), exercise.solution.source
    seeds = solution.replace("### BEGIN SOLUTION", f"{call}\n    ### BEGIN SOLUTION")
    assert call in seeds
    for source, status in {solution: "passed", seeds: "not yet"}.items():
        record = run_answer(stage, source)
        assert judge("gaussian-nll", record, reference["gaussian-nll"]).status == status
