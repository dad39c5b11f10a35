"""The dial data follow their stated law, and their oracle is the expectation that it claims."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import dblquad, quad

from course_utils.data import X_HIGH, X_LOW, dial, dial_mean, dial_oracle, dial_scale

GAPS = [None, (-0.5, 0.7), (-2.0, 0.0), (1.5, 2.0)]


def draws(n=40_000, seed=0, gap=None):
    return dial(n, rng=np.random.default_rng(seed), gap=gap)


def standard_error(values):
    return np.std(values) / np.sqrt(len(values))


@pytest.mark.parametrize("n", [0, 1, 17])
@pytest.mark.parametrize("gap", GAPS)
def test_shapes_and_dtypes(n, gap):
    x, y = draws(n, gap=gap)
    assert x.shape == y.shape == (n,) and x.dtype == y.dtype == np.float64


def test_the_generator_alone_decides_and_global_state_stays():
    before = np.random.get_state()[1].copy()
    assert np.array_equal(draws(9, seed=1), draws(9, seed=1))
    assert not np.isclose(draws(9, seed=1), draws(9, seed=2)).any()
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("gap", GAPS)
def test_x_is_uniform_outside_the_gap_and_absent_inside(gap):
    x, _ = draws(gap=gap)
    low, high = gap or (0.0, 0.0)
    assert x.min() >= X_LOW and x.max() <= X_HIGH
    assert not np.any((low < x) & (x < high))
    for edge in np.linspace(X_LOW, X_HIGH, 9):
        kept = (edge - X_LOW) - np.clip(edge - low, 0, high - low)
        share = kept / (X_HIGH - X_LOW - (high - low))
        assert abs(np.mean(x <= edge) - share) <= 5 * np.sqrt(share * (1 - share) / len(x)), edge


@pytest.mark.parametrize("gap", GAPS)
def test_standardised_noise_is_normal_and_independent_of_x(gap):
    x, y = draws(gap=gap)
    noise = (y - dial_mean(x)) / dial_scale(x)
    assert stats.kstest(noise, "norm").statistic < 2 / np.sqrt(len(x))
    for power in (1, 2):
        left, right = noise[x < np.median(x)] ** power, noise[x >= np.median(x)] ** power
        error = np.hypot(standard_error(left), standard_error(right))
        assert abs(left.mean() - right.mean()) < 5 * error, power


def test_the_mean_is_an_odd_wave_of_period_two_thirds_pi():
    x = np.linspace(-2, 2, 101)
    assert np.allclose(dial_mean(x), dial_mean(x + 2 * np.pi / 3))
    assert np.allclose(dial_mean(x), -dial_mean(-x))
    assert np.isclose(dial_mean(np.pi / 6), 1)


def test_the_scale_grows_from_its_floor_to_its_ceiling():
    x = np.linspace(-2, 2, 101)
    assert np.all(np.diff(dial_scale(x)) > 0)
    assert np.allclose(dial_scale(x) + dial_scale(-x), 0.64)
    assert np.allclose(dial_scale([-50.0, 50.0]), [0.02, 0.62])
    slope = (dial_scale(1e-6) - dial_scale(-1e-6)) / 2e-6
    assert np.isclose(slope, 0.6)


def test_functions_accept_integers_and_lists_and_leave_arrays_alone():
    x = np.arange(-2, 3)
    assert dial_scale(x).dtype == dial_mean([0, 1]).dtype == np.float64
    assert np.array_equal(x, np.arange(-2, 3))


def pieces(gap):
    low, high = gap or (X_HIGH, X_HIGH)
    return [(a, b) for a, b in ((X_LOW, low), (high, X_HIGH)) if b > a]


def expectation(value, gap):
    """Expectation over x and y from the density itself; value(x, z) at y = mean + scale * z."""
    length = sum(b - a for a, b in pieces(gap))
    total = sum(
        dblquad(lambda z, x: value(x, z) * stats.norm._pdf(z), a, b, -9, 9, epsabs=1e-6)[0]
        for a, b in pieces(gap)
    )
    return total / length


@pytest.mark.parametrize("gap", GAPS)
def test_oracle_nll_is_the_expected_log_density(gap):
    def nll(x, z):
        return -stats.norm._logpdf(z) + np.log(dial_scale(x))

    assert dial_oracle(gap=gap).nll == pytest.approx(expectation(nll, gap), abs=1e-5)


@pytest.mark.parametrize("gap", GAPS)
def test_oracle_crps_is_the_expected_integral_of_the_squared_distance(gap):
    def crps(x):  # expected integral of (F(t) - 1[y <= t])^2 over t is the integral of F (1 - F)
        scale = float(dial_scale(x))
        ends = (-9 * scale, 9 * scale)
        return quad(lambda t: stats.norm._cdf(t / scale) * stats.norm._cdf(-t / scale), *ends)[0]

    length = sum(b - a for a, b in pieces(gap))
    total = sum(quad(crps, a, b)[0] for a, b in pieces(gap)) / length
    assert dial_oracle(gap=gap).crps == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_oracle_agrees_with_scores_of_draws(gap, level):
    x, y = draws(gap=gap)
    true = stats.norm(dial_mean(x), dial_scale(x))
    low, high = true.interval(level)
    copies = true.rvs((2, len(x)), random_state=np.random.default_rng(9))
    oracle = dial_oracle(level=level, gap=gap)
    drawn = {
        "nll": -true.logpdf(y),
        "crps": abs(copies[0] - y) - 0.5 * abs(copies[0] - copies[1]),
        "coverage": ((low <= y) & (y <= high)).astype(float),
        "width": high - low,
    }
    for name, values in drawn.items():
        gap_in_errors = abs(values.mean() - getattr(oracle, name)) / standard_error(values)
        assert gap_in_errors < 5, name


@pytest.mark.parametrize(("shift", "stretch"), [(0.1, 1.0), (0.0, 1.3), (0.0, 0.8)])
def test_no_other_prediction_beats_the_oracle(shift, stretch):
    x, y = draws()
    true = stats.norm(dial_mean(x), dial_scale(x))
    other = stats.norm(dial_mean(x) + shift * dial_scale(x), stretch * dial_scale(x))
    loss = true.logpdf(y) - other.logpdf(y)
    assert loss.mean() > 2 * standard_error(loss)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draws(-1), "n must be 0 or larger; got -1"),
        (lambda: draws(3, gap=(1.0, 0.0)), r"gap must be .* got \(1.0, 0.0\)"),
        (lambda: draws(3, gap=(-3.0, 0.0)), "gap must be"),
        (lambda: draws(3, gap=(0.0, 3.0)), "gap must be"),
        (lambda: draws(3, gap=(-2.0, 2.0)), "gap must be"),
        (lambda: dial_oracle(gap=(0.0, np.nan)), "gap must be"),
        (lambda: dial_oracle(level=90), r"\(0, 1\); got 90"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
