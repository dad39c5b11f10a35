"""Scores agree with closed forms, quadrature and the oracle; the table says what it was given."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Categorical, Laplace, MixtureSameFamily, Normal

from course_utils.data import dial, dial_mean, dial_oracle, dial_scale
from course_utils.scores import Scores, score, score_table

rng = np.random.default_rng(0)
mu = torch.tensor(rng.normal(size=40))
sd = torch.tensor(rng.uniform(0.1, 3.0, size=40))
y = mu + sd * torch.tensor(rng.normal(size=40))


def test_a_normal_scores_as_its_closed_forms_say():
    z = ((y - mu) / sd).numpy()
    crps = sd.numpy() * (
        z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    )
    got = score(Normal(mu, sd), y)
    assert got.nll == pytest.approx(-stats.norm.logpdf(y, mu, sd).mean(), rel=1e-12)
    assert got.crps == pytest.approx(crps.mean(), rel=1e-3)
    assert got.coverage == np.mean(abs(z) <= stats.norm.ppf(0.95))
    assert got.width == pytest.approx(2 * stats.norm.ppf(0.95) * sd.mean().item(), rel=5e-4)


def quadrature(prediction, y):
    """CRPS of one value by adaptive quadrature of its definition."""

    def squared(t):
        return (prediction.cdf(torch.tensor([t])).item() - (t >= y)) ** 2

    halves = [integrate.quad(squared, *ends, limit=500)[0] for ends in ((-60, y), (y, 60))]
    return sum(halves)


@pytest.mark.parametrize("kind", ["mixture", "laplace"])
def test_other_families_score_as_quadrature_says(kind):
    for i in range(4):
        means = mu[5 * i : 5 * i + 5][None]
        prediction = {
            "mixture": MixtureSameFamily(Categorical(torch.ones(1, 5)), Normal(means, 0.4)),
            "laplace": Laplace(mu[i : i + 1], sd[i : i + 1]),
        }[kind]
        got = score(prediction, y[i : i + 1], level=0.5)
        assert got.crps == pytest.approx(quadrature(prediction, y[i].item()), rel=2e-3)
        sample = torch.sort(prediction.sample((40_000,)), dim=0).values
        width = (sample[30_000] - sample[10_000]).item()
        assert got.width == pytest.approx(width, rel=0.04)


@pytest.mark.parametrize("distance", [-1e6, 1e6])
def test_a_value_far_outside_costs_its_distance(distance):
    got = score(Normal(torch.zeros(1).double(), torch.ones(1).double()), [distance])
    assert got.crps == pytest.approx(abs(distance) - 1 / np.sqrt(np.pi), rel=1e-6)
    assert got.coverage == 0 and np.isfinite(got.nll)


def test_the_truth_of_the_dial_data_scores_its_oracle():
    x, y = dial(50_000, rng=np.random.default_rng(1))
    got = score(Normal(torch.tensor(dial_mean(x)), torch.tensor(dial_scale(x))), y)
    assert np.allclose(got, dial_oracle(), atol=0.01)


def test_the_oracle_beats_a_shifted_and_a_stretched_prediction():
    x, y = dial(5000, rng=np.random.default_rng(2))
    mean, scale = torch.tensor(dial_mean(x)), torch.tensor(dial_scale(x))
    truth = score(Normal(mean, scale), y)
    for other in (Normal(mean + 0.3 * scale, scale), Normal(mean, 1.6 * scale)):
        worse = score(other, y)
        assert worse.nll > truth.nll and worse.crps > truth.crps


def test_float32_predictions_are_scored_and_gradients_are_not_kept():
    loc = torch.zeros(3, requires_grad=True)
    got = score(Normal(loc, torch.ones(3)), np.zeros(3))
    assert got.crps == pytest.approx(np.sqrt(2 / np.pi) - 1 / np.sqrt(np.pi), rel=1e-3)


def test_the_table_holds_means_and_standard_errors_of_the_runs():
    runs = [Scores(1.0, 0.5, 0.9, 3.0), Scores(2.0, 0.7, 0.8, 3.0)]
    head, row, last = score_table({"a network": runs}, oracle=runs[:1]).splitlines()
    assert head.split() == ["NLL", "CRPS", "coverage", "width"]
    assert row.startswith("a network") and last.startswith("oracle")
    assert row.split()[2:8] == ["1.500", "±", "0.500", "0.600", "±", "0.100"]
    assert len({len(line) for line in (head, row)}) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score(Normal(mu, sd), y, level=90), r"\(0, 1\); got 90"),
        (
            lambda: score(Normal(mu, sd), y[:, None]),
            r"same shape \(n,\); got \(40,\) and \(40, 1\)",
        ),
        (lambda: score(Normal(mu[:, None], 1.0), y), r"got \(40, 1\) and \(40,\)"),
        (lambda: score_table({"net": []}, oracle=[]), "the row 'net' holds no scores"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
