"""Our scores, those of unit 14's lesson and of its worked solutions agree with scoringrules."""

import ast

import numpy as np
import pytest
import scoringrules as sr
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from course_grader.authoring.markers import solved
from course_grader.authoring.masters import read_master
from course_grader.project.course import PROJECT
from course_utils.scores import score

UNIT = PROJECT / "masters" / "14_scoring_rules"
MEANS, SCALES = (-3.0, -0.4, 0.0, 1.7, 40.0), (0.01, 0.3, 1.0, 7.0)
VALUES = (-11.0, -0.4, 0.0, 0.02, 2.9, 41.0)
y, mean, sd = (g.ravel() for g in np.meshgrid(VALUES, MEANS, SCALES))
rng = np.random.default_rng(0)


def functions(kind):
    """Return the functions of a master, made from their definitions and the imports alone."""
    source = "\n\n".join(
        solved(cell.source)
        for cell in read_master(UNIT / f"{kind}.py", kind).cells
        if cell.kind == "code" and not cell.roles.keys() & {"checks", "hidden"}
    )
    kept = ast.Import, ast.ImportFrom, ast.FunctionDef
    body = [node for node in ast.parse(source).body if isinstance(node, kept)]
    names = {}
    for node in body:
        node.decorator_list = []
    exec(compile(ast.Module(body, []), str(UNIT), "exec"), names)
    return names


@pytest.fixture(scope="module")
def lesson():
    return functions("lesson")


@pytest.fixture(scope="module")
def solutions():
    return functions("assignment")


def near(got, expected):
    """Theirs is nan, or the log of 0, some hundred standard deviations out; ours is finite."""
    got, known = np.asarray(got), np.isfinite(expected)
    assert np.isfinite(got).all() and known.mean() > 0.5
    assert np.allclose(got[known], expected[known], rtol=1e-9, atol=1e-9)


def tensors(*arrays):
    return [torch.as_tensor(a) for a in arrays]


def test_the_crps_of_a_normal(lesson):
    near(lesson["crps_normal"](mean, sd, y), sr.crps_normal(y, mean, sd))


def test_the_table_s_crps_to_three_digits():
    got = score(Normal(*tensors(mean, sd)), y)
    assert got.crps == pytest.approx(sr.crps_normal(y, mean, sd).mean(), rel=1e-3)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_mixtures_of_normals(lesson, parts):
    m, s = mean[:, None] + rng.normal(size=(len(y), parts)), rng.uniform(0.2, 3, (len(y), parts))
    nll, crps, _ = lesson["point_scores"](m, s, y)
    near(crps, sr.crps_mixnorm(y, m, s))
    with np.errstate(divide="ignore"):
        near(nll, sr.logs_mixnorm(y, m, s))
    mixture = MixtureSameFamily(Categorical(torch.ones(m.shape)), Normal(*tensors(m, s)))
    assert score(mixture, y).crps == pytest.approx(crps.mean(), rel=2e-3)


@pytest.mark.parametrize("members", [2, 5, 40])
def test_ensembles_plain_and_fair(lesson, solutions, members):
    x = mean[:, None] + sd[:, None] * rng.normal(size=(len(y), members))
    x[:, 1] = x[:, 0]  # members may coincide
    expected = [sr.crps_ensemble(y, x, estimator=way) for way in ("nrg", "fair")]
    for one, other in zip(lesson["ensemble_scores"](x, y), expected, strict=True):
        near(one, other)
    vectors = solutions["energy_score"](*tensors(x[..., None], y[:, None]))
    for one, other in zip(vectors, expected, strict=True):
        near(one, other)


@pytest.mark.parametrize("size", [2, 3, 9])
def test_the_energy_score(solutions, size):
    x, truth = rng.normal(size=(30, 12, size)), rng.normal(size=(30, size))
    for got, way in zip(
        solutions["energy_score"](*tensors(x, truth)), ("nrg", "fair"), strict=True
    ):
        near(got, sr.es_ensemble(truth, x, estimator=way))


def test_the_crps_of_a_censored_normal(solutions):
    rain = np.abs(y)
    with np.errstate(invalid="ignore"):
        expected = sr.crps_cnormal(rain, mean, sd, lower=0)
    near(solutions["rain_crps"](*tensors(rain, mean, sd)), expected)


def test_the_interval_score(lesson):
    for alpha in (0.02, 0.1, 0.5):
        got = lesson["interval_score"](mean - sd, mean + 2 * sd, y, alpha)
        near(got, sr.interval_score(y, mean - sd, mean + 2 * sd, alpha))


def test_classes(solutions):
    logits, came = rng.normal(size=(50, 4)), rng.integers(0, 4, 50)
    p, hit = torch.softmax(torch.as_tensor(logits), -1).numpy(), np.eye(4)[came]
    log, brier, _, ranked = solutions["class_scores"](*tensors(logits, came))
    near(log, -np.log(p[hit > 0]))
    near(brier, sr.brier_score(hit, p).sum(-1))
    near(ranked, sr.rps_score(hit, p, onehot=True))


def test_many_quantiles_come_close_to_the_exact_score(solutions):
    levels = np.concatenate([[0], np.arange(1, 2000) / 2000, [1]])
    q = np.sort(rng.normal(size=(6, len(levels))), axis=1)
    truth = rng.normal(size=6)
    got = solutions["quantiles_crps"](*tensors(levels, q, truth))
    sent = sr.crps_quantile(truth, q[:, 1:-1], levels[1:-1])  # a mean over the levels
    assert np.allclose(got, sent, rtol=0.01)
