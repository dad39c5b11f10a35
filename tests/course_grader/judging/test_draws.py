"""Right draws pass for every seed; other distributions and forged records get a sentence."""

import json

import numpy as np
import pytest
from scipy import stats

from course_grader.judging.draws import exact_facts, finding
from course_utils.checking.records import failure, plain

N = 4000
LAWS = {
    "normal": stats.norm(1.5, 0.5),
    "uniform": stats.uniform(-1, 3),
    "exponential": stats.expon(scale=2.0),
    "laplace": stats.laplace(0, 1.5),
    "beta": stats.beta(2, 5),
    "gamma": stats.gamma(2, scale=3),
    "student": stats.t(6),
    "poisson": stats.poisson(3.5),
    "bernoulli": stats.bernoulli(0.3),
    "fair coin": stats.bernoulli(0.5),
    "binomial": stats.binom(10, 0.2),
}
SWAPPED = {  # a right distribution, and one with its parameter misread
    "variance for scale": (stats.norm(0, 0.5), stats.norm(0, 0.25)),
    "rate for scale": (stats.expon(scale=2.0), stats.expon(scale=0.5)),
    "rate for gamma scale": (stats.gamma(2, scale=3), stats.gamma(2, scale=1 / 3)),
    "beta exchanged": (stats.beta(2, 5), stats.beta(5, 2)),
    "failure for success": (stats.bernoulli(0.3), stats.bernoulli(0.7)),
    "normal for laplace": (stats.laplace(0, 1), stats.norm(0, np.sqrt(2))),
    "uniform of equal moments": (stats.norm(0, 1), stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
    "normal for poisson": (stats.poisson(3.5), stats.norm(3.5, np.sqrt(3.5))),
}


def said(draws, law):
    return finding(plain(draws), exact_facts(law))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_right_draws_pass_for_fifty_seeds(law):
    facts = exact_facts(law)
    for seed in range(50):
        draws = law.rvs(N, random_state=np.random.default_rng(seed))
        assert finding(plain(draws), facts) is None, seed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(N,), (N // 4, 4), (1, N)])
def test_shape_and_dtype_of_the_draws_do_not_matter(shape, dtype):
    law = LAWS["normal"]
    draws = law.rvs(N, random_state=np.random.default_rng(0)).reshape(shape).astype(dtype)
    assert said(draws, law) is None


SLIPS = {
    "shifted": (lambda x: x + 0.2 * x.std(), "mean"),
    "scaled about its mean": (lambda x: x.mean() + 1.3 * (x - x.mean()), ""),
    "narrowed about its mean": (lambda x: x.mean() + 0.7 * (x - x.mean()), ""),
    "constant": (lambda x: np.full_like(x, x.mean()), ""),
    "zeros and its mean": (lambda x: np.where(np.arange(N) % 2, 2 * x.mean(), 0.0), ""),
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("name", [name for name in LAWS if "coin" not in name])
def test_draws_with_a_slip_are_rejected(name, slip):
    change, word = SLIPS[slip]
    draws = LAWS[name].rvs(N, random_state=np.random.default_rng(1)).astype(float)
    sentence = said(change(draws), LAWS[name])
    assert "standard errors" in sentence and word in sentence


@pytest.mark.parametrize(("right", "wrong"), SWAPPED.values(), ids=SWAPPED)
def test_a_misread_parameter_is_rejected(right, wrong):
    for seed in range(5):
        assert "standard errors" in said(wrong.rvs(N, random_state=seed), right)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_draw_that_is_not_finite_is_told(bad):
    draws = LAWS["normal"].rvs(N, random_state=0)
    draws[7] = bad
    assert f"{N} draws, of which {N - 1} are finite" in said(draws, LAWS["normal"])


@pytest.mark.parametrize("count", [0, 1, 99])
def test_too_few_draws_are_told(count):
    draws = LAWS["normal"].rvs(count, random_state=0)
    assert f"{count} draws" in said(draws, LAWS["normal"])


FORGED = {
    "None": None,
    "number": 5,
    "text": "x",
    "list": [],
    "empty": {},
    "an error": failure(ValueError()),
    "a container": plain((1.0, 2.0)),
    "words": {"dtype": "float", "shape": [200], "data": ["1.0"] * 200},
    "truth values": {"dtype": "float", "shape": [200], "data": [True] * 200},
    "wrong shape": {"dtype": "float", "shape": [9], "data": [1.0] * 200},
    "infinite shape": {"dtype": "float", "shape": json.loads("[1e400]"), "data": [1.0] * 200},
    "huge numbers": {"dtype": "float", "shape": [200], "data": [10**400] * 200},
    "largest numbers": {"dtype": "float", "shape": [200], "data": [1.7e308] * 200},
}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_record_gets_a_sentence(forged):
    assert " " in finding(forged, exact_facts(LAWS["normal"]))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_exact_facts_are_plain_numbers_that_fit_together(law):
    facts = json.loads(json.dumps(exact_facts(law), allow_nan=False))
    assert facts["mean"] == pytest.approx(law.mean()) and facts["var"] == pytest.approx(law.var())
    assert facts["m4"] == pytest.approx(law.expect(lambda x: (x - law.mean()) ** 4), rel=1e-3)
    assert all(law.cdf(cut) == level for cut, level in facts["quantiles"])
