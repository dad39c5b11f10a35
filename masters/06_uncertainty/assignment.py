# %% [markdown]
# # Assignment 06: Aleatoric and epistemic uncertainty
#
# Six exercises in code and one in words, 35 points, about 70 minutes. You write two losses for
# networks that predict their own noise, take variances and entropies apart, count what two kinds
# of band hold, and work out how much noise a new measurement removes. The first two exercises use
# PyTorch tensors, the others NumPy arrays, all in float64; results of the others may be Python
# numbers, arrays or tensors. Anything that NumPy, SciPy and PyTorch offer may be used.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a million in size, what must be positive is at least a
# millionth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import numpy as np
import scipy.special as special
import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. From raw outputs to a loss (10 min, 6 points)
#
# A network has two outputs for each example: the mean of $y$, and the **logarithm of the
# variance**. Some targets were never measured; they are marked by `nan`.
#
# Write `raw_output_nll(raw, y)`, the **mean** over the measured targets of
# $-\log \mathcal{N}(y_i \mid \mu_i, \sigma_i^2)$, in nats, with every constant kept.
#
# - `raw` has shape `(n, 2)`: column 0 holds $\mu_i$, column 1 holds $\log \sigma_i^2$. `y` has
#   shape `(n,)`, and at least one entry is not `nan`.
# - Return a 0-d tensor through which gradients with respect to `raw` flow. Rows whose target is
#   missing have no influence on the value, and their gradient is exactly 0.
# - Value and gradient must be right for every log variance between −300 and 600, in float64, and
#   for errors that are 0 or as small as $10^{-100}$. No single term is larger than $10^{100}$.
#
# Points: value 2, gradient 1, range 1, missing targets 2.


# %% exercise="raw-output-nll"
def raw_output_nll(raw, y):
    """Return the mean Gaussian NLL in nats of the measured targets, from raw outputs."""
    ### BEGIN SOLUTION
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured].unbind(1)
    squared = (y[measured] - mu) ** 2
    return 0.5 * (math.log(2 * math.pi) + log_var + squared * torch.exp(-log_var)).mean()
    ### END SOLUTION


# %% [markdown] why="raw-output-nll"
# Divide by the variance as `exp(-log_var)`: no variance is formed that could overflow, and no
# logarithm of one that underflowed. Missing targets are dropped by indexing, before anything is
# computed: a `nan` times 0 would come back in the gradient.

# %% checks="raw-output-nll" points=6
check = Checks("raw-output-nll")
y = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)
raw = torch.tensor([[0.3, 1.7], [0.2, -1.0], [1.5, 0.6]], dtype=torch.float64)
far = torch.tensor([[0.4, 300.0], [-0.5, -300.0], [1.5, 0.3]], dtype=torch.float64)
missing = torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64)
check.keeps("value", raw_output_nll, raw.clone(), y.clone())
check.value("value", lambda: raw_output_nll(raw, y), points=2)
check.gradient("gradient", lambda raw: raw_output_nll(raw, y), raw, points=1)
check.value("range", lambda: raw_output_nll(far, y), points=1)
check.gradient("range", lambda raw: raw_output_nll(raw, y), far)
check.keeps("missing targets", raw_output_nll, raw.clone(), missing.clone())
check.value("missing targets", lambda: raw_output_nll(raw, missing), points=2)
check.gradient("missing targets", lambda raw: raw_output_nll(raw, missing), raw)
check.report()

# %% hidden="raw-output-nll"
_t = torch.linspace(-1.7, 2.3, 7, dtype=torch.float64)
_raw = torch.stack([torch.sin(3 * _t), 1.3 * torch.cos(2 * _t) - 0.4], dim=1)
_y = 0.6 * _t + torch.cos(5 * _t)
_holes = torch.where(torch.arange(7) % 3 == 1, torch.nan, _y)
_wide = torch.stack([_y - 0.3, 171.0 * _t], dim=1)
_sharp = torch.stack([_y, torch.full_like(_y, -287.0)], dim=1)
_close = torch.stack([0 * _y, torch.full_like(_y, -43.7)], dim=1)
check.value("value", lambda: raw_output_nll(_raw, _y), case="seven rows")
check.value("value", lambda: raw_output_nll(_raw[2:3], _y[2:3]), case="one row")
check.value("value", lambda: raw_output_nll(_raw + 1.13, 2 * _y), case="other outputs and targets")
check.law(
    "value",
    "equal",
    lambda: raw_output_nll(_raw, _y),
    lambda: raw_output_nll(torch.cat([_raw, _raw]), torch.cat([_y, _y])),
    lambda: raw_output_nll(torch.stack([_raw[:, 0] + 5, _raw[:, 1]], dim=1), _y + 5),
    case="rows repeated, targets shifted",
)
check.gradient("gradient", lambda raw: raw_output_nll(raw, _y), _raw, case="seven rows")
check.gradient("gradient", lambda raw: raw_output_nll(raw, _y[:2]), _raw[4:6], case="two rows")
check.value("range", lambda: raw_output_nll(_wide[_t > 0], _y[_t > 0]), case="huge log variances")
check.value(
    "range", lambda: raw_output_nll(_sharp, _y), case="log variances of -287, perfect means"
)
check.value(
    "range", lambda: raw_output_nll(_close, _y * 1e-10), case="tiny variances, tiny errors"
)
check.gradient(
    "range",
    lambda raw: raw_output_nll(raw, _y),
    _sharp,
    case="log variances of -287, perfect means",
)
check.gradient(
    "range", lambda raw: raw_output_nll(raw, _y), 40 + 200 * _raw.abs(), case="huge log variances"
)
check.gradient(
    "range",
    lambda raw: raw_output_nll(raw, _y * 1e-10),
    _close,
    case="tiny variances, tiny errors",
)
check.value("missing targets", lambda: raw_output_nll(_raw, _holes), case="some targets missing")
check.value(
    "missing targets",
    lambda: raw_output_nll(_raw[:2], _holes[:2]),
    case="two rows, one target missing",
)
check.gradient(
    "missing targets", lambda raw: raw_output_nll(raw, _holes), _raw, case="some targets missing"
)
_nought = torch.where(torch.arange(7) % 3 == 0, 0.0, _holes)
check.value(
    "missing targets",
    lambda: raw_output_nll(_raw, _nought),
    case="some targets zero, some missing",
)
_loud = torch.stack([0 * _y, 420.0 + 70 * _t.abs()], dim=1)
check.value("range", lambda: raw_output_nll(_loud, _y), case="log variances above 400")
_faint = torch.stack([0 * _y, torch.full_like(_y, -290.0)], dim=1)
check.value("range", lambda: raw_output_nll(_faint, 1e-63 * _y), case="errors of 1e-63")
check.value("value", lambda: raw_output_nll(_raw, 5000 * _y), case="errors in the thousands")
_ends = torch.tensor([[3.0, -300.0], [-2.0, 600.0], [0.0, 599.0]], dtype=torch.float64)
_at = torch.tensor([3.0, 1e-100, -1e6], dtype=torch.float64)
check.value("range", lambda: raw_output_nll(_ends, _at), case="both ends of the log variances")
check.gradient(
    "range", lambda raw: raw_output_nll(raw, _at), _ends, case="both ends of the log variances"
)
_tiny = torch.tensor([[1.7e-66, -300.0], [-2.3e-66, -299.0]], dtype=torch.float64)
check.gradient(
    "range",
    lambda raw: raw_output_nll(raw, torch.zeros(2, dtype=torch.float64)) * 1e-63,
    _tiny,
    case="errors of 1e-66, log variances of -300",
)
check.gradient(
    "gradient", lambda raw: raw_output_nll(raw, 3e4 * _y), _raw, case="errors in the ten thousands"
)
_lone = torch.where(torch.arange(7) == 4, _y, torch.nan)
check.value("missing targets", lambda: raw_output_nll(_raw, _lone), case="one measured target")
check.gradient(
    "missing targets", lambda raw: raw_output_nll(raw, _lone), _raw, case="one measured target"
)
_extreme = torch.stack([1e6 * torch.cos(_t), torch.where(_lone.isnan(), -300.0, 0.3)], dim=1)
check.value(
    "missing targets", lambda: raw_output_nll(_extreme, _lone), case="extreme rows without target"
)
check.gradient(
    "missing targets",
    lambda raw: raw_output_nll(raw, _lone) * 1e-6,
    _extreme,
    case="extreme rows without target",
)
_long = torch.arange(97, dtype=torch.float64)
check.value(
    "value",
    lambda: raw_output_nll(torch.stack([torch.sin(_long), torch.cos(_long**2)], 1), _long / 31),
    case="97 rows",
)
_by = 1e-5 * torch.sin(torch.arange(7.0).double())
check.value(
    "range",
    lambda: raw_output_nll(torch.stack([990 + _by, 0 * _by - 23.7], 1), 990.0 - _by.flip(0)),
    case="values near a thousand, tiny errors and variances",
)
_apart = torch.tensor([[-1e6, 20.0], [9e5, 19.3], [3.0, 17.0]], dtype=torch.float64)
_there = torch.tensor([9.7e5, -1e6, 8e5], dtype=torch.float64)
check.value("range", lambda: raw_output_nll(_apart, _there), case="errors of two million")
_least = torch.tensor([[3.1e-100, -300.0], [-1.3e-100, -299.0]], dtype=torch.float64)
check.gradient(
    "range",
    lambda raw: raw_output_nll(raw, torch.zeros(2, dtype=torch.float64)) * 1e-30,
    _least,
    case="errors of 1e-100, log variances of -300",
)
_most = torch.tensor([[1.7e-16, -300.0], [2.3e-16, -299.0]], dtype=torch.float64)
check.value(
    "range",
    lambda: raw_output_nll(_most, torch.zeros(2, dtype=torch.float64)) * 1e-98,
    case="terms near the largest",
)


# %% [markdown]
# ## Exercise 2. A loss that does not give up on hard points (10 min, 5 points)
#
# In the Gaussian NLL the mean is pulled by $(y_i - \mu_i)/\sigma_i^2$: where the predicted
# variance is large, hardly at all. The beta-NLL multiplies each example's NLL by
# $\sigma_i^{2\beta}$, the variance to the power $\beta$, and treats this weight as a **constant**
# when it is differentiated. So $\beta = 0$ is the NLL, and with $\beta = 1$ every residual pulls
# at the mean with the same strength, as in the squared error.
#
# Write `beta_nll(y, mu, var, beta)`, the **mean** over the examples of
#
# $$\left[\sigma_i^{2\beta}\right]_{\text{constant}} \cdot
#   \left(-\log \mathcal{N}(y_i \mid \mu_i, \sigma_i^2)\right)$$
#
# with every constant of the density kept.
#
# - `y`, `mu` and `var` are tensors of shape `(n,)`; `var` is the variance, between $10^{-10}$
#   and $10^{10}$; `beta` is a number in $[0, 1]$.
# - Return a 0-d tensor through which gradients with respect to `mu` and `var` flow.
#
# Points: value 2, mean gradient 1, variance gradient 2.


# %% exercise="beta-nll"
def beta_nll(y, mu, var, beta):
    """Return the mean NLL in nats, each weighted with its variance to the power beta."""
    ### BEGIN SOLUTION
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()
    ### END SOLUTION


# %% [markdown] why="beta-nll"
# The weight is detached: it says how much an example counts, and is not itself something to be
# learned. With $\beta = 1$ the mean is pulled as by the squared error, with 0 as by the NLL.

# %% checks="beta-nll" points=5
check = Checks("beta-nll")
y = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)
mu = torch.tensor([0.4, 0.1, 1.5], dtype=torch.float64)
var = torch.tensor([4.0, 0.3, 1.7], dtype=torch.float64)
check.keeps("value", lambda y, mu, var: beta_nll(y, mu, var, 0.5), y.clone(), mu, var)
check.value("value", lambda: beta_nll(y, mu, var, 0.5), points=2)
check.value("value", lambda: beta_nll(y, mu, var, 1.0))
check.gradient("mean gradient", lambda mu: beta_nll(y, mu, var, 0.5), mu, points=1)
check.gradient("variance gradient", lambda v: beta_nll(y, mu, v, 0.5), var, points=2)
check.report()

# %% hidden="beta-nll"
_t = torch.linspace(-1.9, 2.1, 6, dtype=torch.float64)
_y, _mu, _var = torch.sin(4 * _t), 0.37 * _t, torch.exp(1.3 * torch.cos(3 * _t))
check.value("value", lambda: beta_nll(_y, _mu, _var, 0.53), case="six values")
check.value("value", lambda: beta_nll(_y, _mu, _var, 0), case="beta of zero")
check.value("value", lambda: beta_nll(_y, _mu, _var, 0.83), case="a large beta")
check.value(
    "value",
    lambda: beta_nll(_y[:1], _mu[:1], 31.7 * _var[:1], 0.29),
    case="one value, a large variance",
)
check.law(
    "value",
    "equal",
    lambda: beta_nll(_y, _mu, _var, 0.6),
    lambda: beta_nll(-_y.flip(0), -_mu.flip(0), _var.flip(0), 0.6),
    lambda: beta_nll(torch.cat([_y, _y]), torch.cat([_mu, _mu]), torch.cat([_var, _var]), 0.6),
    case="reordered and repeated values",
)
check.gradient("mean gradient", lambda mu: beta_nll(_y, mu, _var, 0.41), _mu, case="six means")
check.gradient(
    "mean gradient",
    lambda mu: beta_nll(_y, mu, 53 * _var, 1.0),
    _mu,
    case="beta of one, large variances",
)
check.gradient(
    "mean gradient", lambda w: beta_nll(_y, w * _t, _var, 0.5), _t[4] / 3, case="one slope"
)
check.gradient(
    "variance gradient", lambda v: beta_nll(_y, _mu, v, 0.41), _var, case="six variances"
)
check.gradient(
    "variance gradient",
    lambda v: beta_nll(_y, _mu, v, 1.0),
    0.17 * _var,
    case="beta of one, small variances",
)
check.gradient("variance gradient", lambda v: beta_nll(_y, _mu, v, 0), _var, case="beta of zero")
check.gradient(
    "variance gradient",
    lambda s: beta_nll(_y, _mu, torch.exp(s), 0.5),
    1.3 * _t,
    case="log variances",
)
_few = 1e-8 * _var, 1e-4 * (_y - _mu) + _mu
check.value("value", lambda: beta_nll(_few[1], _mu, _few[0], 0.47), case="tiny variances")
check.value(
    "value",
    lambda: beta_nll(9e5 + 1e-3 * _y, 9e5 + 1e-3 * _mu, 1e-6 * _var, 0.3),
    case="values near a million, close to the means",
)
check.value("value", lambda: beta_nll(_y, _mu, 1e6 * _var, 0.9), case="weights in the thousands")
_far = torch.tensor([1.7, -2e5, 9e5], dtype=torch.float64)
_off = torch.tensor([1.7 + 3e-5, -2e5 + 4e4, 9e5 + 1e-4], dtype=torch.float64)
_wide = torch.tensor([1.01e-10, 9.9e9, 1.3e-10], dtype=torch.float64)
check.value("value", lambda: beta_nll(_off, _far, _wide, 0), case="both ends of the variances")
check.value("value", lambda: 1e-9 * beta_nll(_off, _far, _wide, 1), case="both ends, beta of one")
check.value(
    "value",
    lambda: 1e9 * beta_nll(_off[:1], _far[:1], _wide[:1], 1.0),
    case="the smallest variance, beta of one",
)
check.gradient(
    "mean gradient",
    lambda mu: 1e-5 * beta_nll(_off, mu, _wide, 0.0),
    _far,
    case="the ends of the variances, beta of zero",
)
check.gradient(
    "mean gradient",
    lambda mu: beta_nll(_off[1:2], mu, _wide[1:2], 0.0) * 1e4,
    _far[1:2],
    case="one mean, the largest variance",
)
check.gradient(
    "variance gradient",
    lambda s: beta_nll(_off, _far, torch.exp(s), 0.0),
    torch.log(_wide),
    case="the ends of the variances, beta of zero",
)
check.gradient(
    "variance gradient",
    lambda s: 1e9 * beta_nll(_off[:1], _far[:1], torch.exp(s), 1.0),
    torch.log(_wide[:1]),
    case="the smallest variance, beta of one",
)
check.value(
    "value",
    lambda: beta_nll(_t.repeat(16), 0.3 * _t.repeat(16), _var.repeat(16), 0.71),
    case="96 values",
)
_k = torch.arange(97, dtype=torch.float64)
_u97, _v97 = torch.sin(_k**1.5), torch.exp(torch.cos(_k) + _k / 50)
check.value(
    "value", lambda: beta_nll(_u97, 0.3 * _u97.flip(0), _v97, 0.9683), case="97 values, beta .97"
)
check.value("value", lambda: beta_nll(_y, _mu, 1e4 * _var**3, 0.0371), case="beta of .04")
check.value(
    "value",
    lambda: 1e-12 * beta_nll(9.6e5 - 3e4 * _u97, 2e4 * _u97 - 9.7e5, _v97, 0.31),
    case="errors of two million",
)
_met = torch.where(torch.arange(6) % 3 == 1, _mu, _y)
check.gradient(
    "mean gradient",
    lambda mu: beta_nll(_met, mu, _var, 0.0371),
    _mu,
    case="some means perfect, beta of .04",
)
check.gradient(
    "variance gradient",
    lambda v: beta_nll(_met, _mu, v, 0.0371),
    _var,
    case="some means perfect, beta of .04",
)

# %% [markdown]
# ## Exercise 3. Two sources of variance (10 min, 5 points)
#
# You do not know which of $M$ hypotheses is true; hypothesis $m$ has probability $w_m$. Each of
# them predicts $y$ at $n$ inputs, with a mean and a standard deviation. If the hypothesis is
# drawn first, and then $y$ from it, the variance of $y$ has two parts: the mean of the variances
# (the noise that each hypothesis expects), and the variance of the means (their disagreement).
#
# Write `variance_parts(weight, mean, sd)`, which returns the tuple
# `(aleatoric, epistemic, total)` of **variances**, each of shape `(n,)`.
#
# - `weight` has shape `(M,)`, is positive and sums to 1; $M \ge 1$. `mean` and `sd` have shape
#   `(M, n)`; `sd` holds standard deviations, 0 or larger.
# - The hypotheses are all there are, not a sample from more: nothing is divided by $M - 1$.
# - Means may be far from zero, up to four million, and close together. The variances must be right
#   to five digits for means near $10^6$ that differ by 0.01 or are equal. An `sd` that is not 0,
#   and a weight, is at least $10^{-6}$. If both parts are positive, neither is less than a
#   billionth of the other.
#
# Points: aleatoric 1, epistemic 2, total 1, far from zero 1.


# %% exercise="variance-parts"
def variance_parts(weight, mean, sd):
    """Return the aleatoric, the epistemic and the total variance of y at each input."""
    ### BEGIN SOLUTION
    aleatoric = weight @ sd**2
    epistemic = weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, aleatoric + epistemic
    ### END SOLUTION


# %% [markdown] why="variance-parts"
# The law of total variance: the mean of the variances, plus the variance of the means, under the
# same weights. Both are variances; only their sum may be turned into one standard deviation.

# %% checks="variance-parts" points=5
check = Checks("variance-parts")
weight = np.array([0.5, 0.3, 0.2])
mean = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, -3.0]])
sd = np.array([[1.0, 0.5], [2.0, 0.0], [3.0, 0.7]])
check.keeps("aleatoric", variance_parts, weight.copy(), mean.copy(), sd.copy())
check.value("aleatoric", lambda: variance_parts(weight, mean, sd)[0], points=1)
check.value("epistemic", lambda: variance_parts(weight, mean, sd)[1], points=2)
check.value("epistemic", lambda: variance_parts(np.ones(1), mean[:1], sd[:1])[1])
check.value("total", lambda: variance_parts(weight, mean, sd)[2], points=1)
halves, far = np.array([0.5, 0.25, 0.25]), 2.0**20 + mean / 128
check.value("far from zero", lambda: variance_parts(halves, far, sd / 128)[1], points=1)
check.report()

# %% hidden="variance-parts"
_t = np.linspace(-1.3, 2.7, 15)
_mean, _sd = np.sin(5 * _t).reshape(5, 3) + _t.reshape(5, 3), np.exp(np.cos(7 * _t)).reshape(5, 3)
_w = np.exp(0.7 * np.sin(2.9 * np.arange(5)))
_w = _w / _w.sum()
check.value("aleatoric", lambda: variance_parts(_w, _mean, _sd)[0], case="five members, weights")
check.value(
    "aleatoric", lambda: variance_parts(np.ones(1), _mean[:1], 1.7 * _sd[:1])[0], case="one member"
)
check.value(
    "aleatoric",
    lambda: variance_parts(np.full(5, 0.2), _mean, 0.31 * _sd)[0],
    case="equal weights",
)
check.value("epistemic", lambda: variance_parts(_w, _mean, _sd)[1], case="five members, weights")
check.value(
    "epistemic",
    lambda: variance_parts(np.full(5, 0.2), 1.9 * _mean, 0 * _sd)[1],
    case="members without noise",
)
check.value(
    "epistemic",
    lambda: variance_parts(_w[::-1].copy(), _mean[:, :1], _sd[:, :1])[1],
    case="one place",
)
check.law(
    "epistemic",
    "equal",
    lambda: variance_parts(_w, _mean, _sd)[1],
    lambda: variance_parts(_w, 3.0 - _mean, 2 * _sd)[1],
    lambda: variance_parts(np.tile(_w / 2, 2), np.tile(_mean, (2, 1)), np.tile(_sd, (2, 1)))[1],
    case="shifted, repeated and noisier members",
)
check.value("total", lambda: variance_parts(_w, _mean, _sd)[2], case="five members, weights")
check.value(
    "total",
    lambda: variance_parts(_w[::-1].copy(), 0.3 * _mean, 2.3 * _sd)[2],
    case="other weights",
)
check.value(
    "far from zero",
    lambda: variance_parts(_w, 9e5 + 0.013 * _mean, 0.02 * _sd)[1],
    case="means near a million",
)
_far = 0.017 * _mean + np.array([9e5, -8e5, 3e5])
check.value(
    "far from zero",
    lambda: variance_parts(_w, _far, 0.01 * _sd)[1],
    case="means far from zero, each elsewhere",
)
check.value(
    "far from zero",
    lambda: variance_parts(_w, 9e5 + 0.013 * _mean, 0.02 * _sd)[2],
    case="the total, means near a million",
)
_thirds = np.array([1 / 3, 2 / 3])
check.value(
    "far from zero",
    lambda: variance_parts(_thirds, -987654.0 + 0.041 * _mean[:2], 0.02 * _sd[:2])[1],
    case="weights of thirds, means near a million",
)
_rare = np.array([0.9994, 0.0004, 0.0002])
check.value(
    "epistemic",
    lambda: variance_parts(_rare, 900 * _mean[:3], _sd[:3])[1],
    case="unlikely hypotheses far away",
)
_rare2 = np.array([1 - 3.7e-6, 1.4e-6, 2.3e-6])
check.value(
    "epistemic",
    lambda: 1e6 * variance_parts(_rare2, _mean[:3], _sd[:3])[1],
    case="hypotheses of a millionth",
)
check.value(
    "aleatoric",
    lambda: variance_parts(_rare2, _mean[:3], np.array([[2e-6], [900.0], [1e3]]) * [1, 0.7, 1])[0],
    case="all the noise in unlikely hypotheses",
)
check.value(
    "aleatoric",
    lambda: 1e12 * variance_parts(_w, 1e-5 * _mean, 2.9e-6 * _sd)[0],
    case="tiny noise",
)
check.value(
    "total",
    lambda: 1e12 * variance_parts(_w, 0 * _mean + 9e5, 2.9e-6 * _sd)[2],
    case="equal means near a million, tiny noise",
)
check.value(
    "epistemic",
    lambda: 1e-6 * variance_parts(_rare2[[1, 2, 0]], 9e5 * _mean[:3], _sd[:3])[1],
    case="hypotheses of a millionth, far away",
)
check.value("epistemic", lambda: variance_parts(_w, 0 * _mean + 0.37, _sd)[1], case="all agree")
check.value(
    "total", lambda: variance_parts(_w[:1] * 0 + 1, _mean[:1], _sd[:1])[2], case="one member"
)
_m97 = np.sin(np.outer(np.arange(97), np.arange(1, 3)) ** 1.3)
check.value(
    "epistemic",
    lambda: variance_parts(np.arange(1, 98) / 4753, _m97, 1 + _m97**2)[1],
    case="97 members",
)
check.value(
    "total",
    lambda: variance_parts(_w[:2] / _w[:2].sum(), _m97.T, 1 + _m97.T**2)[2],
    case="97 places",
)
check.value(
    "epistemic",
    lambda: 1e10 * variance_parts(_w, 1e-5 * _mean, 2.9e-6 * _sd)[1],
    case="members that nearly agree",
)
check.value("aleatoric", lambda: variance_parts(_w, _mean[:, :1], _sd[:, :1])[0], case="one place")
check.value("total", lambda: variance_parts(_w, _mean[:, :1], _sd[:, :1])[2], case="one place")
_pair = np.array([0.31, 0.69])
check.value(
    "total",
    lambda: variance_parts(_pair, _mean[:2, :2], _sd[:2, :2] * [1, 0])[2],
    case="two members, two places, one without noise",
)
_m16 = _m97[:16].reshape(4, 8)[:, :4]
check.value(
    "epistemic",
    lambda: variance_parts(_w[:4] / _w[:4].sum(), _m16, 1 + _m16**2)[1],
    case="four members, four places",
)
check.value(
    "epistemic",
    lambda: 1e20 * variance_parts(_w, 1e-10 * _mean, 1e-6 + 0 * _sd)[1],
    case="members that agree to ten digits",
)
_loud = 9e5 * _sd / _sd.max()
check.value(
    "aleatoric", lambda: 1e-10 * variance_parts(_w, 90 * _mean, _loud)[0], case="huge noise"
)
check.value("total", lambda: 1e-10 * variance_parts(_w, 9e5 * _mean, _loud)[2], case="huge noise")
check.value(
    "total",
    lambda: 1e12 * variance_parts(_w, 0 * _mean + 0.123456781, 1.1e-6 + 0 * _sd)[2],
    case="equal means, tiny noise",
)
_rare3 = np.array([1.25e-6, 1 - 2.29e-6, 1.04e-6])
check.value(
    "epistemic",
    lambda: 1e6 * variance_parts(_rare3, _mean[:3], _sd[:3])[1],
    case="the rarest hypotheses",
)
check.value(
    "epistemic",
    lambda: 1e12 * variance_parts(np.ones(1), _mean[:1] + 1e5, _sd[:1])[1] + 0.1,
    case="one member",
)


# %% [markdown]
# ## Exercise 4. What the entropy of a class prediction consists of (10 min, 5 points)
#
# Classifiers that were trained differently give different probabilities for one example. The
# entropy of their average has the same two parts as a variance: the average entropy of the
# members, which remains even if one knew which member to trust, and the rest, the **mutual
# information** between the label and the choice of the member: their disagreement.
#
# Write `entropy_parts(p)`, which returns the tuple `(total, aleatoric, information)`, each of
# shape `(n,)`, in nats.
#
# - `p` has shape `(M, n, K)`: the probabilities that member $m$ gives to the $K$ classes of
#   example $i$. They sum to 1 over the last axis; all members count the same; $M \ge 1$,
#   $K \ge 2$.
# - `total` is the entropy of the mean prediction, `aleatoric` the mean entropy of the members,
#   `information` what the first has more than the second.
# - Probabilities may be exactly 0: an impossible class adds nothing to an entropy. Others are at
#   least $10^{-12}$. $K$ is at most 400. Right to $10^{-12}$ is enough.
#
# Points: total 1, aleatoric 1, information 2, zeros 1.


# %% exercise="entropy-parts"
def entropy_parts(p):
    """Return total entropy, mean entropy of the members, and mutual information in nats."""
    ### BEGIN SOLUTION
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric
    ### END SOLUTION


# %% [markdown] why="entropy-parts"
# The entropy of the mean is at least the mean of the entropies, since entropy is concave. The
# difference is what the members disagree about: the mutual information between the class and the
# choice of member.

# %% checks="entropy-parts" points=5
check = Checks("entropy-parts")
p = np.array(
    [[[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]], [[0.1, 0.7, 0.2], [0.2, 0.5, 0.3]]]
)  # two members, two examples; about the second they agree
sure = np.array([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]], [[0.5, 0.5, 0.0]]])
check.keeps("total", entropy_parts, p.copy())
check.value("total", lambda: entropy_parts(p)[0], points=1)
check.value("aleatoric", lambda: entropy_parts(p)[1], points=1)
check.value("information", lambda: entropy_parts(p)[2], points=2)
check.keeps("zeros", entropy_parts, sure.copy())
check.value("zeros", lambda: tuple(entropy_parts(sure)), points=1)
check.report()

# %% hidden="entropy-parts"
_t = np.linspace(-1.9, 2.3, 60)
_p = special.softmax(2 * np.sin(9 * _t).reshape(4, 3, 5) + _t.reshape(4, 3, 5), axis=-1)
_q = special.softmax(7 * np.cos(5 * _t[:24]).reshape(6, 2, 2), axis=-1)
_z = np.where(np.arange(5) == 2, 0.0, _p)
_z = _z / _z.sum(axis=-1, keepdims=True)
_s = np.where(_q > 0.9, 1.0, np.where(_q < 0.1, 0.0, _q))
check.value("total", lambda: entropy_parts(_p)[0], case="four members, five classes")
check.value("total", lambda: entropy_parts(_q)[0], case="six members, two classes")
check.value("aleatoric", lambda: entropy_parts(_p)[1], case="four members, five classes")
check.value("aleatoric", lambda: entropy_parts(_q)[1], case="six members, two classes")
check.value("aleatoric", lambda: entropy_parts(_p[:1])[1], case="one member")
check.value("information", lambda: entropy_parts(_p)[2], case="four members, five classes")
check.value("information", lambda: entropy_parts(_q)[2], case="six members, two classes")
check.value("information", lambda: entropy_parts(_p[1:3, :1])[2], case="two members, one example")
check.value("information", lambda: entropy_parts(_p[:1])[2], case="one member")
check.law(
    "information",
    "nonnegative",
    lambda: entropy_parts(_p)[2],
    lambda: entropy_parts(_q)[2],
    case="no negative information",
)
check.law(
    "information",
    "equal",
    lambda: entropy_parts(_p)[2],
    lambda: entropy_parts(np.tile(_p, (2, 1, 1)))[2],
    lambda: entropy_parts(_p[::-1, :, ::-1].copy())[2],
    case="members repeated and reordered",
)
check.value("zeros", lambda: tuple(entropy_parts(_z)), case="a class of probability zero")
check.value("zeros", lambda: tuple(entropy_parts(_s)), case="probabilities of one")
_many = np.eye(400)[None, :3].repeat(2, axis=0)
check.value("zeros", lambda: entropy_parts(_many)[0] + 0.001, case="400 classes, all sure")
_near = special.softmax(np.log(_p[0]) + 3e-4 * np.sin(_t[:30].reshape(2, 3, 5)), axis=-1)
check.value("information", lambda: 1e6 * entropy_parts(_near)[2], case="members that nearly agree")
_seldom = np.array([[[0.9991, 0.0009], [0.4, 0.6]], [[0.9993, 0.0007], [0.4, 0.6]]])
check.value("total", lambda: entropy_parts(_seldom)[0], case="a rare class")
check.value("aleatoric", lambda: entropy_parts(_seldom)[1], case="a rare class")
check.value("information", lambda: entropy_parts(_p[[0, 0, 2]])[2], case="two members agree")
_twenty = special.softmax(np.sin(_t[:40]).reshape(1, 2, 20), axis=-1)
check.value("total", lambda: entropy_parts(_twenty)[0], case="twenty classes")
_faint = np.array([[[1 - 3e-9, 2e-9, 1e-9]], [[1 - 7e-9, 3e-9, 4e-9]]])
check.value("total", lambda: 1e7 * entropy_parts(_faint)[0], case="classes of a billionth")
check.value("aleatoric", lambda: 1e7 * entropy_parts(_faint)[1], case="classes of a billionth")
_least = np.array([[[1 - 1e-12, 1e-12]], [[1 - 3e-12, 3e-12]]])
check.value("total", lambda: 1e10 * entropy_parts(_least)[0], case="classes of a trillionth")
_mixed = np.array(
    [[[1.0, 0.0], [0.3, 0.7]], [[1 - 1e-6, 1e-6], [0.3, 0.7]], [[1.0, 0.0], [0.3, 0.7]]]
)
check.value("zeros", lambda: 1e5 * entropy_parts(_mixed)[2], case="one member has a doubt")
check.value("zeros", lambda: entropy_parts(_mixed[:, :1])[1] * 1e5, case="one member has a doubt")
_m97 = special.softmax(np.sin(np.arange(97 * 6.0) ** 1.3).reshape(97, 2, 3), axis=-1)
check.value("information", lambda: entropy_parts(_m97)[2], case="97 members")
check.value("total", lambda: entropy_parts(_m97.reshape(2, 97, 3))[0], case="97 examples")
check.value("aleatoric", lambda: entropy_parts(_p.reshape(3, 4, 5))[1], case="three members")
_m5 = special.softmax(_p.reshape(5, 4, 3) * 9, axis=-1)
check.value("total", lambda: entropy_parts(_m5)[0], case="five members")
_five = special.softmax(20 * np.eye(7)[[[0, 1], [3, 1], [2, 4], [6, 0], [1, 4]]], axis=-1)
check.value(
    "information", lambda: entropy_parts(_five)[2], case="five members, each sure of something"
)
_all = special.softmax(np.sin(np.arange(2400.0) ** 1.5).reshape(3, 2, 400), axis=-1)
check.value("total", lambda: entropy_parts(_all)[0], case="400 classes")
check.value("aleatoric", lambda: entropy_parts(_all)[1], case="400 classes")
check.value("information", lambda: entropy_parts(_all)[2], case="400 classes")
check.value("aleatoric", lambda: 1e10 * entropy_parts(_least)[1], case="classes of a trillionth")
_dust = np.where(np.arange(400) % 2 == np.arange(2)[:, None, None], 8e-9, 0.0)
_dust = _dust + np.eye(400)[0] * (1 - _dust.sum(axis=-1, keepdims=True))
check.value("zeros", lambda: 1e5 * entropy_parts(_dust)[2], case="disagreement about rare classes")

# %% [markdown]
# ## Exercise 5. Which band holds what? (10 min, 5 points)
#
# A Bayesian regression predicts at each of $n$ test inputs a Normal for the noise-free function
# value $f$. A new measurement is $y = f + \text{noise}$, with independent noise of known
# variance. Two bands can be drawn, and each makes a promise of its own: the band for $f$ holds the
# function, the band for $y$ holds new measurements.
#
# Write `band_report(mean, f_var, noise_var, f, y, level)`, which returns the tuple
# `(share of y, share of f, width of y, width of f)`:
#
# the share of the `y` that lie in the band for $y$, the share of the `f` that lie in the band for
# $f$, and the **mean** widths of the two bands.
#
# - All arrays have shape `(n,)`. `mean` and `f_var` are mean and variance of $f$; `noise_var` is
#   the variance of the noise and may differ from input to input. Both variances are positive.
# - Both bands are central intervals of a Normal around `mean`, for the probability `level`
#   from $10^{-3}$ to $1 - 10^{-9}$: as much is left out above as below. The width is the upper end
#   minus the lower.
# - `f` is the true function, which one knows in a simulation only. No `f` or `y` lies nearer to an
#   end of its band than a millionth of the band's width, and no width is less than $10^{-8}$
#   times its `mean`.
#
# Points: share of y 1, share of f 1, width of y 2, width of f 1.


# %% exercise="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    """Return the shares of y and of f in their bands, and the mean widths of these bands."""
    ### BEGIN SOLUTION
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()
    ### END SOLUTION


# %% [markdown] why="band-report"
# The function varies by what is not known about it; a new $y$ by that and by the noise. Asked to
# hold the other, a band for $f$ holds too few $y$, and one for $y$ too many $f$.

# %% checks="band-report" points=5
check = Checks("band-report")
mean = np.array([0.1, 0.5, -0.3, 1.2, 0.0, -1.0, 0.7])
f_var, noise_var = np.array([0.04, 0.01, 0.09, 0.02, 0.25, 0.05, 0.03]), 0.1 + 0.2 * mean**2
f = mean + np.array([0.15, -0.21, 0.31, 0.12, 1.3, -0.2, 0.25])
y = mean + np.array([0.2, 0.53, -0.9, 0.75, 1.2, -0.2, -0.29])
bands = (mean, f_var, noise_var, f, y)
check.keeps("share of y", lambda *a: band_report(*a, 0.9), *(a.copy() for a in bands))
check.value("share of y", lambda: band_report(*bands, 0.9)[0], points=1)
check.value("share of y", lambda: band_report(*bands, 0.6)[0])
check.value("share of f", lambda: band_report(*bands, 0.9)[1], points=1)
check.value("share of f", lambda: band_report(*bands, 0.6)[1])
check.value("width of y", lambda: band_report(*bands, 0.9)[2], points=2)
check.value("width of f", lambda: band_report(*bands, 0.9)[3], points=1)
check.report()

# %% hidden="band-report"
_t = np.linspace(-1.9, 1.7, 61)
_m, _fv, _nv = np.sin(3 * _t), 0.04 * np.exp(np.cos(5 * _t)), 0.113 * np.exp(0.9 * _t)
_f = _m + np.sqrt(_fv) * 2.2 * np.sin(41 * _t**2)
_y = _m + np.sqrt(_fv + _nv) * 2.1 * np.sin(59 * _t**2 + 1)
_all = (_m, _fv, _nv, _f, _y)
check.value("share of y", lambda: band_report(*_all, 0.9)[0], case="a level of .9")
check.value("share of y", lambda: band_report(*_all, 0.57)[0], case="a level of .57")
check.value("share of y", lambda: band_report(*(a[:17] for a in _all), 0.71)[0], case="17 points")
check.value("share of f", lambda: band_report(*_all, 0.9)[1], case="a level of .9")
check.value("share of f", lambda: band_report(*_all, 0.43)[1], case="a level of .43")
check.value("share of f", lambda: band_report(*(a[3:22] for a in _all), 0.77)[1], case="19 points")
check.value("width of y", lambda: band_report(*_all, 0.93)[2], case="a level of .93")
check.value("width of y", lambda: band_report(*_all, 0.59)[2], case="a level of .59")
check.value("width of y", lambda: band_report(*(a[5:6] for a in _all), 0.77)[2], case="one point")
check.law(
    "width of y",
    "increasing",
    lambda: band_report(*_all, 0.8)[2],
    lambda: band_report(*_all, 0.95)[2],
    case="a higher level",
)
check.value("width of f", lambda: band_report(*_all, 0.9)[3], case="a level of .9")
check.value(
    "width of f", lambda: band_report(*(a[7:10] for a in _all), 0.59)[3], case="three points"
)
check.value("width of y", lambda: band_report(*_all, 1 - 2e-9)[2], case="a level next to 1")
_apart = 0.03 * np.sin(31 * _t**2)
_high = (9e5 + 0 * _m, 4e-4 + 0 * _fv, 1e-4 + 0 * _nv, 9e5 + _apart, 9e5 - _apart)
check.value("share of y", lambda: band_report(*_high, 0.5)[0], case="means near a million")
check.value("share of f", lambda: band_report(*_high, 0.5)[1], case="means near a million")
_thin = (_m, 2e-6 * (1 + 0 * _t), 1e-6 * (1 + 0 * _t), _m, _m)
check.value("width of y", lambda: band_report(*_thin, 0.8)[2], case="variances of a millionth")
check.value("width of f", lambda: band_report(*_thin, 0.8)[3], case="variances of a millionth")
_z = special.ndtri(0.5 + 0.83 / 2)
_side = np.where(np.arange(61) % 2 > 0, 1, -1)
_close = np.where(np.arange(61) % 3 > 0, 1 + 1e-5, 1 - 1e-5)
_edge = (
    _m,
    _fv,
    _nv,
    _m + _side * _close * _z * np.sqrt(_fv),
    _m + _side[::-1] * _close[::-1] * _z * np.sqrt(_fv + _nv),
)
check.value("share of y", lambda: band_report(*_edge, 0.83)[0], case="next to the ends")
check.value(
    "share of f", lambda: band_report(*(a[:59] for a in _edge), 0.83)[1], case="next to the ends"
)
check.value("width of y", lambda: 1e3 * band_report(*_all, 0.0011)[2], case="a level next to 0")
check.value("width of f", lambda: 1e3 * band_report(*_all, 0.0011)[3], case="a level next to 0")
check.value(
    "width of f", lambda: 1.37 * band_report(*_all, 1 - 1.1e-9)[3], case="a level next to 1"
)
_rough = (_m, 1e-6 + 0 * _fv, 9e5 * _nv, _m, _m + 300 * np.sin(41 * _t))
check.value(
    "width of y", lambda: band_report(*_rough, 0.67)[2], case="hardly any doubt, much noise"
)
check.value(
    "share of y", lambda: band_report(*_rough, 0.67)[0], case="hardly any doubt, much noise"
)
check.value("width of f", lambda: 1e3 * band_report(*_rough, 0.67)[3], case="hardly any doubt")
_unsure = (_m, 9e5 * _fv, 1e-6 + 0 * _nv, _m + 200 * np.sin(23 * _t), _m)
check.value(
    "share of f", lambda: band_report(*_unsure, 0.67)[1], case="much doubt, hardly any noise"
)
check.value(
    "width of y", lambda: band_report(*_unsure, 0.67)[2], case="much doubt, hardly any noise"
)
check.value("width of f", lambda: band_report(*_unsure, 0.9997)[3], case="much doubt")


def _ends(level, by):  # points inside and outside of both bands, `by` next to their ends
    z = special.ndtri(0.5 + level / 2) * np.where(np.arange(61) % 3 > 0, 1 + by, 1 - by) * _side
    return _m, _fv, _nv, _m + z * np.sqrt(_fv), _m + z[::-1] * np.sqrt(_fv + _nv), level


check.value("share of y", lambda: band_report(*_ends(1 - 2e-9, 0.003))[0], case="next to 1")
check.value("share of f", lambda: band_report(*_ends(1 - 2e-9, 0.003))[1], case="next to 1")
check.value("share of y", lambda: band_report(*_ends(0.0011, 0.05))[0], case="a level next to 0")
check.value("share of f", lambda: band_report(*_ends(0.0011, 0.05))[1], case="a level next to 0")
check.value("share of y", lambda: band_report(*_ends(0.62, 2.6e-6))[0], case="nearer to the ends")
check.value("share of f", lambda: band_report(*_ends(0.62, 2.6e-6))[1], case="nearer to the ends")
_more = tuple(np.concatenate([a, 1.1 * a[:36]]) for a in _all)
check.value("share of y", lambda: band_report(*_more, 0.73)[0], case="97 points")
check.value("share of f", lambda: band_report(*_more, 0.73)[1], case="97 points")
check.value("width of y", lambda: band_report(*_more, 0.73)[2], case="97 points")
check.value("width of f", lambda: band_report(*_more, 0.73)[3], case="97 points")
_within = _m, _fv, _nv, _m, _m, 0.1
check.value("share of y", lambda: band_report(*_within)[0], case="all inside")
check.value("share of f", lambda: band_report(*_within)[1], case="all inside")
_without = _m, _fv, _nv, _m + 9, _m - 9, 0.1
check.value("share of y", lambda: band_report(*_without)[0], case="none inside")
check.value("share of f", lambda: band_report(*_without)[1], case="none inside")
check.value("share of y", lambda: band_report(*(a[:1] for a in _all), 0.9)[0], case="one point")
check.value("share of f", lambda: band_report(*(a[:1] for a in _all), 0.9)[1], case="one point")

# %% [markdown]
# ## Exercise 6. Measure one more thing (15 min, 6 points)
#
# A target depends on $d$ features, $y = w^\top x + \varepsilon$, with independent noise
# $\varepsilon$ of mean 0 and variance `noise_var`. The features are jointly Normal with mean 0 and
# covariance $C$. You have measured some of them; the rest is hidden. Given the measured ones, $y$
# is Normal again: its mean is linear in what you know, its variance is the noise of *your*
# problem. Hidden features that are correlated with known ones are partly known.
#
# Write `best_from_known(w, C, noise_var, known)`, which returns the tuple `(slope, variance)`.
#
# - `w` has shape `(d,)`, `C` shape `(d, d)` (symmetric, positive definite, a condition number of
#   at most $10^7$, entries of at most a hundred), `known` shape `(d,)` (booleans; all, some or
#   none may be true). `noise_var` is at least a hundredth.
# - `slope` has shape `(d,)`: the coefficients of $\mathrm{E}[y \mid \text{known features}]$ at
#   the known features, and 0 at the hidden ones.
# - `variance` is the variance of $y$ given the known features, a number: the smallest expected
#   squared error that any prediction from them can reach. It is at least $10^{-9}$ of that of $y$.
# - The weights are known exactly, and at most a thousand in size: no data are involved, and
#   nothing is epistemic.
#
# Split into known ($k$) and hidden ($h$) blocks, the hidden features given $x_k$ have the mean
# $C_{hk} C_{kk}^{-1} x_k$ and the covariance $C_{hh} - C_{hk} C_{kk}^{-1} C_{kh}$.
#
# Points: independent 1, slope 2, correlated 2, all or none 1.


# %% exercise="best-from-known"
def best_from_known(w, C, noise_var, known):
    """Return the slope of E[y | known features] and the variance that remains."""
    ### BEGIN SOLUTION
    C_kk, C_kh, C_hh = C[known][:, known], C[known][:, ~known], C[~known][:, ~known]
    of_hidden = np.linalg.solve(C_kk, C_kh)  # mean of the hidden features, for each known one
    slope = np.zeros(len(w))
    slope[known] = w[known] + of_hidden @ w[~known]
    left = C_hh - C_kh.T @ of_hidden
    return slope, noise_var + w[~known] @ left @ w[~known]
    ### END SOLUTION


# %% [markdown] why="best-from-known"
# What is hidden is foretold from what is known, by the same slope that regression would find.
# Whatever of the hidden part cannot be foretold is added to the noise.

# %% checks="best-from-known" points=6
check = Checks("best-from-known")
w, apart = np.array([1.5, -2.0, 0.7]), np.diag([1.0, 0.5, 4.0])
C = np.array([[1.0, 0.6, -0.4], [0.6, 2.0, 0.3], [-0.4, 0.3, 1.5]])
first, last = np.array([True, False, False]), np.array([False, True, True])
check.keeps("independent", lambda w, C: best_from_known(w, C, 0.3, first), w.copy(), C)
check.value("independent", lambda: best_from_known(w, apart, 0.3, first)[1], points=1)
check.value("slope", lambda: best_from_known(w, C, 0.3, first)[0], points=2)
check.value("slope", lambda: best_from_known(w, C, 0.3, last)[0])
check.value("correlated", lambda: best_from_known(w, C, 0.3, first)[1], points=2)
check.value("correlated", lambda: best_from_known(w, C, 0.3, last)[1])
check.value("all or none", lambda: tuple(best_from_known(w, C, 0.3, first | last)), points=1)
check.value("all or none", lambda: tuple(best_from_known(w, C, 0.3, first & last)))
check.report()

# %% hidden="best-from-known"
_t = np.linspace(-1.3, 1.9, 20)
_w, _mix = np.array([0.83, -1.37, 2.11, 0.59]), np.sin(7 * _t).reshape(5, 4) + 0.2
_C = _mix.T @ _mix + 0.31 * np.eye(4)
_D = np.diag([0.71, 2.3, 1.19, 0.37])
_a, _b = np.array([True, False, True, False]), np.array([False, True, False, False])
check.value(
    "independent", lambda: best_from_known(_w, _D, 0.173, _a)[1], case="two features known"
)
check.value(
    "independent",
    lambda: best_from_known(_w, 1.9 * _D, 0.173, ~_b)[1],
    case="three features known",
)
check.value("slope", lambda: best_from_known(_w, _C, 0.41, _a)[0], case="two features known")
check.value("slope", lambda: best_from_known(_w, _C, 0.41, ~_b)[0], case="three features known")
check.value(
    "slope",
    lambda: best_from_known(_w[:2], _C[:2, :2], 0.41, _b[:2])[0],
    case="two features in all",
)
check.value("correlated", lambda: best_from_known(_w, _C, 0.41, _a)[1], case="two features known")
check.value(
    "correlated",
    lambda: best_from_known(_w, _C, 0.019, _b)[1],
    case="one feature known, little noise",
)
check.value("correlated", lambda: best_from_known(3 * _w, _C, 0.41, ~_b)[1], case="large weights")
check.law(
    "correlated",
    "increasing",
    lambda: best_from_known(_w, _C, 0.41, ~_b)[1],
    lambda: best_from_known(_w, _C, 0.41, _a)[1],
    lambda: best_from_known(_w, _C, 0.41, _a & (_t[:4] < -1.2))[1],
    case="more features known",
)
check.value(
    "all or none", lambda: best_from_known(_w, _C, 0.1234, _a & ~_a)[1], case="nothing known"
)
check.value("all or none", lambda: best_from_known(_w, _C, 0.5678, _a | ~_a)[1], case="all known")
check.value("all or none", lambda: best_from_known(_w, _C, 0.87, _a | ~_a)[0], case="all known")
_v = np.cos(3 * np.arange(8)) + 0.2
_mix8 = np.sin(np.arange(64.0) ** 2).reshape(8, 8)
_C8 = _mix8.T @ _mix8 + 0.23 * np.eye(8)
_most = np.arange(8) != 2
check.value("slope", lambda: best_from_known(_v, _C8, 0.29, _most)[0], case="seven of eight known")
check.value(
    "correlated", lambda: best_from_known(_v, _C8, 0.29, _most)[1], case="seven of eight known"
)
_units = np.diag([1.1e-3, 1.0, 1.1e-3, 1.0])
check.value(
    "slope",
    lambda: best_from_known(_w, _units @ _C @ _units, 0.41, _a)[0] @ _units,
    case="known features a thousandth in size",
)
_tiny = np.array([[1.2e-6, 9e-9], [9e-9, 1.1e-6]])
check.value(
    "slope",
    lambda: best_from_known(np.array([1.3, 970.0]), _tiny, 0.41, np.array([True, False]))[0],
    case="small features, a large weight",
)
_alike = np.array([[1.0, 0.999, 0.99], [0.999, 1.0, 0.992], [0.99, 0.992, 1.0]])
check.value(
    "slope", lambda: best_from_known(_w[:3], _alike, 0.1, _alike[2] < 1)[0], case="features alike"
)
_copy = np.array([[1.0, 1.0], [1.0, 1.0 + 3e-6]])
check.value(
    "correlated",
    lambda: best_from_known(np.array([1.0, 900.0]), _copy, 0.1, ~_b[:2])[1],
    case="the hidden feature nearly a copy",
)
check.value(
    "all or none",
    lambda: best_from_known(_w[:1], _C[:1, :1], 0.0113, _a[:1])[1] * 100,
    case="one feature, known",
)
check.value(
    "all or none",
    lambda: best_from_known(1.3 * _w[:1], _C[:1, :1], 0.0113, _b[:1])[1],
    case="one feature, hidden",
)
check.value(
    "slope", lambda: best_from_known(_w[:1], _C[:1, :1], 0.1, _a[:1])[0], case="one feature"
)
check.value(
    "slope", lambda: best_from_known(_w, _C, 0.1, _a & ~_a)[0] + 0.37, case="nothing is known"
)
check.value(
    "correlated",
    lambda: best_from_known(np.array([970.0, 2e-3]), _copy, 0.0113, _b[:2])[1],
    case="the known feature nearly a copy",
)
check.value(
    "slope",
    lambda: np.asarray(best_from_known(np.array([3.1, 900.0]), _copy, 0.1, ~_b[:2])[0]) - [903, 0],
    case="the hidden feature nearly a copy",
)
_alike = np.array([[1.0, 0.999998, 0.3], [0.999998, 1.0, 0.3001], [0.3, 0.3001, 1.0]])
check.value(
    "slope",
    lambda: best_from_known(np.array([0.0, 1.7, 2.3]), _alike, 0.1, ~last | ~first & _b[:3])[0],
    case="two known features alike, one of weight zero",
)
check.value(
    "correlated",
    lambda: best_from_known(np.array([0.0, 1.7, 31.0]), _alike, 0.1, ~last | ~first & _b[:3])[1],
    case="two known features alike",
)
_pair = np.diag([9.7, 0.031]) @ np.array([[1.0, -0.83], [-0.83, 1.0]]) @ np.diag([9.7, 0.031])
check.value(
    "correlated",
    lambda: best_from_known(np.array([0.0, 7.0]), _pair, 0.0113, ~_b[:2])[1],
    case="features of very different size",
)
check.value(
    "independent",
    lambda: best_from_known(
        np.array([-990.0, 0.0, 3.0]), np.diag([97.0, 1e-3, 2.3]), 0.0113, last
    )[1],
    case="large and zero weights",
)
_d = np.arange(97)
_chain = 0.7 ** np.abs(_d[:, None] - _d)
_odd = _d**2 % 7 < 3
check.value(
    "slope", lambda: best_from_known(np.cos(_d), _chain, 0.31, _odd)[0], case="97 features"
)
check.value(
    "correlated", lambda: best_from_known(np.cos(_d), _chain, 0.31, _odd)[1], case="97 features"
)
_faint = 1.1e-6 * np.array([[1.0, 1 - 3.1e-7, 0.3], [1 - 3.1e-7, 1.0, 0.3003], [0.3, 0.3003, 1]])
_third = np.array([True, True, False])
check.value(
    "slope",
    lambda: best_from_known(np.array([0.7, 0.0, 930.0]), _faint, 0.011, _third)[0] * 1e-3,
    case="small features, two of them nearly the same",
)
check.value(
    "correlated",
    lambda: best_from_known(np.array([0.7, 0.0, 930.0]), _faint, 0.011, _third)[1],
    case="small features, two of them nearly the same",
)
_hardly = np.array([[1.1e-6, 6e-8], [6e-8, 1.3e-6]])
check.value(
    "slope",
    lambda: best_from_known(np.array([2.0, 950.0]), _hardly, 0.1, ~_b[:2])[0],
    case="small features, hardly correlated",
)
_steep = np.array([[1.3e-6, 8e-4], [8e-4, 2.0]])
check.value(
    "slope",
    lambda: best_from_known(np.array([3.0, 970.0]), _steep, 0.1, ~_b[:2])[0] * 1e-5,
    case="a known feature much smaller than the hidden one",
)
check.value(
    "slope",
    lambda: best_from_known(np.array([0.0, 0.1]), _steep[::-1, ::-1], 0.1, ~_b[:2])[0] * 1e4,
    case="a known feature much larger than the hidden one",
)
check.value(
    "independent", lambda: best_from_known(_w, _D, 7654.3, _a)[1] / 1e3, case="very much noise"
)
check.value(
    "all or none",
    lambda: best_from_known(_v, _C8, 0.29, _most & ~_most)[1],
    case="eight, none known",
)
_size = 10 ** (-0.15 * (_d**2 % 11))
_slow = 97 * np.exp(-np.abs(_d[:, None] - _d) / 30) * np.outer(_size, _size)
check.value(
    "slope",
    lambda: best_from_known(np.sin(_d**2), _slow, 0.31, _d % 3 > 0)[0],
    case="97 features of many sizes",
)

# %% [markdown]
# ## Exercise 7. In words: bands half as wide (5 min, 3 points)
#
# A model of daily demand reports, for a typical day, an aleatoric standard deviation of 10 and an
# epistemic one of 2. The manager wants bands half as wide and has money for one of three things:
# four times as many days of training data; an ensemble of fifty networks in place of five; the
# weather forecast as a further input. Answer in at most 120 words: what you expect of each, with a
# number where one follows, and what you would try first. A person reads and grades this answer; no
# check runs.

# %% [markdown] written="half-as-wide" points=3
# ### BEGIN SOLUTION
# The variance of a new day is 100 + 4, its standard deviation about 10.2. Four times the data
# halve the epistemic part at best: 100 + 1, again about 10, which nobody will see. Fifty networks
# measure the epistemic part better; they take nothing away from it, and nothing from the noise. So
# only the aleatoric part can halve the band, and it is noise *given the inputs*: if the weather
# explains three quarters of the variance, 100 becomes 25 and the band is nearly half as wide.
# Whether it does is an empirical question: fit with last year's weather, and compare NLL and
# coverage on held-out days.
#
# **Rubric.** One point for the data: at best the epistemic part halves, from 10.2 to about 10. One
# point for the ensemble: it estimates uncertainty and does not remove it. One point for the input:
# noise is what the inputs leave unexplained, so a new one may reduce it, to be tested on held-out
# days. Without the sum of variances at most two points.
# ### END SOLUTION
