# %% [markdown]
# # Assignment 02: Choosing an output distribution
#
# Seven exercises in code and one in words, 37 points, about 85 minutes. You write the parts of
# output heads that libraries leave to you: parameters that people understand, targets that were
# transformed, zeros of two kinds, a link, ordered classes, a decision and a sequence. Each
# exercise names its return value, its units and its reduction; whatever the text leaves open is
# yours to choose. Anything that PyTorch offers may be used.
#
# All tensors of real numbers are float64, unless an exercise says otherwise. Logarithms are
# natural. Every function leaves its inputs and the global random generators as they are. Where an
# exercise names no other range, numbers are at most a thousand in size, what must be positive is
# at least a thousandth, no axis is empty or longer than a hundred, and nothing is infinite or
# `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. Counts with a mean and a variance (12 min, 5 points)
#
# Planners think in means and variances; PyTorch's negative binomial wants a `total_count` and
# `probs` or `logits`, and SciPy's `nbinom` calls something else `p`. Write
# `count_log_prob(y, mean, variance)`: the log-probability of each count under
#
# - the **negative binomial** with this mean and this variance, where the variance is larger than
#   the mean;
# - the **Poisson** with this mean, where both are equal.
#
# Details:
#
# - All three are tensors of shape `(n,)`, $1 \le n \le 500$. `y` holds whole numbers
#   $0, 1, 2, \ldots$ (as float64); `mean` is positive. Return a tensor of shape `(n,)`.
# - Where the variance is larger than the mean, the excess is at least a millionth of the mean; the
#   variance is at most a thousand times the mean.
# - Gradients with respect to `mean` and `variance` flow. They are looked at where the variance
#   exceeds the mean by a thousandth of it or more. Where the two are equal, the gradient with
#   respect to `mean` is the Poisson's, $y / \text{mean} - 1$; the one with respect to `variance`
#   is not looked at there.
# - If any variance is smaller than its mean, by however little, no such distribution exists:
#   raise `ValueError`.
#
# Points: value 2, Poisson 1, gradient 1, refusal 1.


# %% exercise="count-density"
def count_log_prob(y, mean, variance):
    """Return log-probabilities of counts with the given means and variances."""
    ### BEGIN SOLUTION
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    poisson = torch.distributions.Poisson(mean)
    return torch.where(equal, poisson.log_prob(y), wide.log_prob(y))
    ### END SOLUTION


# %% [markdown] why="count-density"
# Mean $m$ and variance $v$ fix the negative binomial: its size is $m^2/(v - m)$, its odds are $(v
# - m)/m$. Where they are equal it becomes a Poisson; the `ones_like` only keeps the branch that is
# not taken free of a division by 0.

# %% checks="count-density" points=5
check = Checks("count-density")
counts = torch.tensor([0.0, 3.0, 7.0], dtype=torch.float64)
means = torch.tensor([1.5, 5.0, 4.0], dtype=torch.float64)
widths = torch.tensor([2.0, 20.0, 9.0], dtype=torch.float64)
some_equal = torch.tensor([1.5, 5.0, 9.0], dtype=torch.float64)
check.keeps("value", count_log_prob, counts.clone(), means.clone(), widths.clone())
check.value("value", lambda: count_log_prob(counts, means, widths), points=2)
check.value("Poisson", lambda: count_log_prob(counts, means, some_equal), points=1)
check.gradient("gradient", lambda m: count_log_prob(counts, m, widths), means, points=1)
check.gradient("gradient", lambda v: count_log_prob(counts, means, v), widths)
check.value("refusal", lambda: count_log_prob(counts, means, means - 0.1), points=1)
check.report()

# %% hidden="count-density"
_t = torch.linspace(0.13, 2.9, 7, dtype=torch.float64)
_y, _m = torch.tensor([0, 1, 2, 4, 9, 31, 150]).double(), torch.exp(1.7 * _t) + 0.21
_v = _m * (1 + 0.37 * _t**2)
_k = torch.arange(400, dtype=torch.float64)
_ones = torch.ones_like(_k)
check.value("value", lambda: count_log_prob(_y, _m, _v), case="seven counts up to 150")
check.value("value", lambda: count_log_prob(_y[3:4], _m[3:4], _v[3:4]), case="one count")
check.value(
    "value", lambda: count_log_prob(_y, _m, 1000 * _m), case="variances far above the means"
)
check.value(
    "value",
    lambda: count_log_prob(_y, _m, 1.0000011 * _m),
    case="variances a hair above the means",
)
check.value(
    "value",
    lambda: count_log_prob(4 * _y + 90, _m + 9, 1.00043 * (_m + 9)),
    case="far counts, variances a little above the means",
)
check.value(
    "value",
    lambda: count_log_prob(6 * _y + 97, _m + 9, 1.0000063 * (_m + 9)),
    case="very far counts, variances a hair above the means",
)
check.value(
    "value",
    lambda: count_log_prob(0 * _y, 0.0017 * _m, 0.0023 * _m) * 100,
    case="zeros with tiny means",
)
check.value("value", lambda: count_log_prob(6 * _y, 7 * _m, 23 * _m), case="large counts")
check.value(
    "value",
    lambda: count_log_prob(_k, 6.3 * _ones, 23.1 * _ones).exp() @ _k,
    case="the mean over 400 counts",
)
check.value(
    "value",
    lambda: count_log_prob(_k, 6.3 * _ones, 23.1 * _ones).exp() @ (_k - 6.3) ** 2,
    case="the variance over 400 counts",
)
check.value("Poisson", lambda: count_log_prob(_y, _m, _m.clone()), case="equal mean and variance")
check.value(
    "Poisson",
    lambda: count_log_prob(_y[4:5], _m[4:5], _m[4:5].clone()),
    case="one count, equal mean and variance",
)
check.value(
    "Poisson",
    lambda: count_log_prob(_y, _m, torch.where(_y > 3, _m, _v)),
    case="equal in some places only",
)
check.value(
    "Poisson",
    lambda: count_log_prob(6 * _y, 6.9 * _m, 6.9 * _m),
    case="large counts, equal mean and variance",
)
check.gradient(
    "gradient", lambda m: count_log_prob(_y, m, _v), _m, case="with respect to the means"
)
check.gradient(
    "gradient", lambda v: count_log_prob(_y, _m, v), _v, case="with respect to the variances"
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(_y, m, torch.where(_y > 3, _m, _v)),
    _m,
    case="means, equal in some places",
)
check.gradient(
    "gradient",
    lambda v: count_log_prob(_y, _m, v),
    1000 * _m,
    case="variances far above the means",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y, _m, torch.where(_y > 100, 0.97 * _m, _v)),
    case="one variance below its mean",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y[:1], _m[:1], 0.5 * _m[:1]),
    case="a single count, variance below the mean",
)
check.value(
    "refusal", lambda: count_log_prob(_y[1:5], _m[1:5], _v[1:5]), case="variances that are allowed"
)
_wide = torch.tensor([1.0000011, 1.0013, 2.37, 1000.0], dtype=torch.float64)
_one = torch.ones_like(_wide)
_least = 0.001 * _one
check.value(
    "value",
    lambda: count_log_prob(0 * _one, _least, _wide * _least) * 1e4,
    case="zeros, the smallest mean, narrow to wide",
)
check.value(
    "value", lambda: count_log_prob(_one, _least, _wide * _least), case="ones, the smallest mean"
)
check.value(
    "value",
    lambda: count_log_prob(1000 * _one, _least, _wide * _least),
    case="counts of a thousand, the smallest mean",
)
check.value(
    "value",
    lambda: count_log_prob(997 * _one, 1000 * _one, (_wide + 2e-6 * (_wide < 1.001)) * 1000),
    case="counts and means near a thousand, narrow to wide",
)
check.value(
    "value",
    lambda: count_log_prob(0 * _one, 1000 * _one, _wide * 1000),
    case="zeros, means of a thousand",
)
_slim = torch.tensor([2.3, 3.1, 1.7], dtype=torch.float64)
check.value(
    "value",
    lambda: (
        count_log_prob(331 * _slim.round(), _slim, 1.0000012 * _slim)
        - count_log_prob(331 * _slim.round(), _slim, _slim.clone())
    ),
    case="what an excess of a millionth changes",
)
check.value(
    "Poisson",
    lambda: count_log_prob(_y[:2].repeat(2), _least.clone(), _least.clone()),
    case="few counts, the smallest mean",
)
check.value(
    "Poisson",
    lambda: count_log_prob(992 + 2 * _one, 1000 * _one, 1000 * _one),
    case="counts and means near a thousand",
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(_one, m, _wide[1:].repeat(2)[:4] * _least),
    _least,
    case="ones, with respect to the smallest means",
)
check.gradient(
    "gradient",
    lambda v: count_log_prob(_one, _least, v),
    _wide[1:].repeat(2)[:4] * _least,
    case="ones with the smallest mean, with respect to the variances",
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(913 * _one, m, _wide[1:].repeat(2)[:4] * 1000) * 100,
    1000 * _one,
    case="means of a thousand",
)
check.gradient(
    "gradient",
    lambda v: count_log_prob(913 * _one, 1000 * _one, v) * 1e4,
    _wide[1:].repeat(2)[:4] * 1000,
    case="means of a thousand, with respect to the variances",
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(_y[:2], m, _least[:2].clone()),
    _least[:2],
    case="the smallest means, equal variances",
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(_y[4:], m, torch.where(_y > 100, 2.9 + 0 * _y, 1.0)[4:] * 230),
    0 * _m[4:] + 230,
    case="three large means, two with equal variances",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y, _m, torch.where(_y == 2, _m - 1e-12 * _m, _v)),
    case="one variance in the middle below its mean by a hair",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y, 7 * _m, torch.where(_y == 0, 0.0, 7e6 * _v)),
    case="the first variance is zero",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y[:3].flip(0), _m[4:7].clone(), _m[4:7] * (1 + 1.7e-6)),
    case="variances just large enough",
)
check.value(
    "refusal",
    lambda: count_log_prob(_k, 6.3 * _ones, torch.where(_k == 391, 6.2 * _ones, 23.1)),
    case="one of 400 variances below its mean, near the end",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y, 0 * _m + 730, torch.nextafter(0 * _m + 730, 0 * _m)),
    case="all variances below, in the last digit",
)
check.value(
    "refusal",
    lambda: count_log_prob(_y[2:5], _m[2:5], _m[2:5] * torch.tensor([1.0, 0.97, 1.0]).double()),
    case="one variance below, two equal",
)
check.gradient(
    "gradient", lambda m: count_log_prob(_y, m, _m), _m, case="means, all variances equal"
)
check.gradient(
    "gradient",
    lambda m: count_log_prob(0 * m + 1000, m, 3700 + 0 * _least[:1]) * 100,
    1000 * _one[:1] - 3.7,
    case="one count of a thousand",
)
check.value(
    "Poisson",
    lambda: count_log_prob(0 * _y, _m, torch.where(_y > 3, _m, _v)),
    case="zeros, equal in some places only",
)

# %% [markdown]
# ## Exercise 2. A head on a transformed target (10 min, 5 points)
#
# Prices are positive and skewed. A colleague took their logarithm, subtracted `centre`, divided by
# `width`, and trained a Normal head on the result
#
# $$t = \frac{\log y - \text{centre}}{\text{width}}, \qquad t \sim N(\mu, \sigma^2) .$$
#
# Reports are about $y$ itself. Write `price_report(y, mu, sigma, centre, width)`, which returns
# the tuple `(nll, mean, median)`:
#
# - `nll`: the **mean** over the batch of $-\log p(y)$, where $p$ is the density of $y$ (per unit
#   of $y$), a 0-d tensor in nats;
# - `mean` and `median`: those of the predicted distribution of $y$, each of shape `(n,)`.
#
# `y`, `mu` and `sigma` have shape `(n,)`; `y` and `sigma` are positive, and $\sigma$ is the
# standard deviation of $t$. `centre` and `width` are Python numbers, `width` positive. Prices lie
# between $10^{-10}$ and $10^9$, sigma between $10^{-7}$ and 3, width between 0.1 and 3; `mu` is at
# most 10 in size, `centre` 30. Gradients of `nll` with respect to `mu` and `sigma` flow.
#
# Points: nll 2, mean 1, median 1, gradient 1.


# %% exercise="log-target"
def price_report(y, mu, sigma, centre, width):
    """Return the mean NLL of y in nats, and the predicted means and medians of y."""
    ### BEGIN SOLUTION
    location, scale = centre + width * mu, width * sigma
    log_y = y.log()
    r = (log_y - location) / scale
    nll = 0.5 * math.log(2 * math.pi) + scale.log() + 0.5 * r**2 + log_y
    return nll.mean(), torch.exp(location + 0.5 * scale**2), torch.exp(location)
    ### END SOLUTION


# %% [markdown] why="log-target"
# The density of $y$ is that of $\log y$ times the derivative of the logarithm, $1/y$: hence the `+
# log_y`. A median goes through a monotone function unchanged, a mean does not: it gains half the
# variance of the logarithm.

# %% checks="log-target" points=5
check = Checks("log-target")
prices = torch.tensor([5.0, 0.4, 30.0], dtype=torch.float64)
heads = torch.tensor([0.5, -1.0, 0.8], dtype=torch.float64)
scales = torch.tensor([0.7, 1.3, 0.4], dtype=torch.float64)
check.keeps(
    "nll", lambda *a: price_report(*a, 1.2, 1.5), prices.clone(), heads.clone(), scales.clone()
)
check.value("nll", lambda: price_report(prices, heads, scales, 1.2, 1.5)[0], points=2)
check.value("mean", lambda: price_report(prices, heads, scales, 1.2, 1.5)[1], points=1)
check.value("median", lambda: price_report(prices, heads, scales, 1.2, 1.5)[2], points=1)
check.gradient("gradient", lambda m: price_report(prices, m, scales, 1.2, 1.5)[0], heads, points=1)
check.report()

# %% hidden="log-target"
_t = torch.linspace(-1.7, 2.3, 6, dtype=torch.float64)
_y, _mu, _s = torch.exp(2.1 * torch.sin(3 * _t)), 0.63 * _t, 0.31 + 0.2 * _t**2
_high = torch.exp(16.9 + 1.9 * (_mu + 0.013 * torch.cos(_t)))
_near = torch.exp(1.3 * (_mu + 1.7e-5 * torch.cos(_t)))
check.value("nll", lambda: price_report(_y, _mu, _s, -0.7, 2.3)[0], case="six prices")
check.value("nll", lambda: price_report(_y[:1], _mu[:1], _s[:1], 0.0, 0.37)[0], case="one price")
check.value("nll", lambda: price_report(1e-9 * _y, _mu, _s, -20.3, 0.81)[0], case="tiny prices")
check.value(
    "nll",
    lambda: price_report(_high, _mu, 0.013 * _s, 16.9, 1.9)[0],
    case="large prices, close to the median",
)
check.value("nll", lambda: price_report(_near, _mu, 1e-5 * _s, 0.0, 1.3)[0], case="a narrow scale")
_nearer = torch.exp(1.3 * (_mu + 5.9e-7 * torch.cos(_t)))
check.value(
    "nll", lambda: price_report(_nearer, _mu, 3.3e-7 * _s, 0.0, 1.3)[0], case="a very narrow scale"
)
check.law(
    "nll",
    "equal",
    lambda: price_report(_y, _mu, _s, 0.4, 1.3)[0] + math.log(1000),
    lambda: price_report(1000 * _y, _mu, _s, 0.4 + math.log(1000), 1.3)[0],
    lambda: price_report(_y, 1.3 * _mu, 1.3 * _s, 0.4, 1.0)[0] + math.log(1000),
    lambda: price_report(*(_v.repeat(2) for _v in (_y, _mu, _s)), 0.4, 1.3)[0] + math.log(1000),
    case="shifted units",
)
check.value("mean", lambda: price_report(_y, _mu, _s, -0.7, 2.3)[1], case="six prices")
check.value("mean", lambda: price_report(_y[:1], _mu[:1], _s[:1], 3.1, 0.37)[1], case="one price")
check.value("mean", lambda: price_report(1e7 * _y, _mu, _s, 16.9, 1.9)[1], case="large prices")
check.value("median", lambda: price_report(_y, _mu, _s, -0.7, 2.3)[2], case="six prices")
check.value(
    "median", lambda: price_report(_y[:1], _mu[:1], _s[:1], 3.1, 0.37)[2], case="one price"
)
check.gradient(
    "gradient", lambda m: price_report(_y, m, _s, -0.7, 2.3)[0], _mu, case="with respect to mu"
)
check.gradient(
    "gradient", lambda s: price_report(_y, _mu, s, -0.7, 2.3)[0], _s, case="with respect to sigma"
)
check.gradient(
    "gradient",
    lambda s: price_report(1e-9 * _y, _mu, s, -20.3, 0.81)[0],
    _s,
    case="sigma, tiny prices",
)
check.gradient(
    "gradient", lambda m: price_report(_y[:1], m, _s[:1], 0.3, 0.9)[0], _mu[:1], case="one price"
)
_ends = torch.tensor([1e-10, 1e9, 1e9, 1e-10], dtype=_t.dtype)
_outer = torch.tensor([-10.0, 10.0, -10.0, 10.0], dtype=_t.dtype)
_three = torch.full_like(_ends, 3.0)
check.value(
    "nll",
    lambda: price_report(_ends, _outer, _three, 0.3, 0.1)[0],
    case="the smallest and the largest prices, sigma 3",
)
check.value(
    "nll",
    lambda: price_report(_ends[:1], _outer[:1], _three[:1], 30, 3)[0],
    case="the smallest price, centre and width as whole numbers",
)
check.value(
    "nll",
    lambda: price_report(_ends[1:2], _outer[1:2], 2.97 * _three[1:2] / 3, 2, 1)[0],
    case="the largest price, centre and width as whole numbers",
)
check.value(
    "nll",
    lambda: price_report(_ends, _outer, 1e-3 + 0 * _ends, -30.0, 0.1)[0] / 1e9,
    case="a small sigma, prices far off",
)
_long = torch.linspace(-1.1, 1.9, 100, dtype=_t.dtype)
check.value(
    "nll",
    lambda: price_report(_long.exp(), 0.3 * _long**2, 0.7 + 0.1 * _long, 0.2, 0.45)[0],
    case="a hundred prices",
)
check.value(
    "mean",
    lambda: price_report(_ends[:2], _outer[:2], _three[:2] / 2, 3, 2)[1].log(),
    case="logarithm of very small and very large means",
)
check.value(
    "mean",
    lambda: price_report(_ends[:2], 0.98 * _outer[:2], _three[:2], 30, 3)[1].log(),
    case="logarithm of means, the largest sigma, centre and width",
)
check.value(
    "mean",
    lambda: price_report(_ends, 0.1 * _outer, 1e-7 + 0 * _ends, -30, 0.1)[1].log(),
    case="logarithm of means, the smallest sigma, centre and width",
)
check.value(
    "mean", lambda: price_report(_y, _mu, 0.08 * _s, 0.4, 1.1)[1], case="narrow predictions"
)
check.value(
    "median",
    lambda: price_report(_ends[:2], _outer[:2], _three[:2] / 2, 3, 2)[2].log(),
    case="logarithm of very small and very large medians",
)
check.value(
    "median",
    lambda: price_report(_ends[:2], 0.97 * _outer[:2], _three[:2], 30, 3)[2].log(),
    case="logarithm of medians, the largest sigma, centre and width",
)
check.value(
    "median",
    lambda: price_report(_ends, 0.1 * _outer, 1e-7 + 0 * _ends, -30, 0.1)[2].log(),
    case="logarithm of medians, the smallest sigma, centre and width",
)
check.gradient(
    "gradient",
    lambda m: price_report(_ends, m, 1e-3 + 0 * _ends, -3, 0.2)[0] * 1e-3**2,
    _outer,
    case="mu, a small sigma, prices far off",
)
check.gradient(
    "gradient",
    lambda s: price_report(_ends, _outer, s, -3, 0.2)[0] * 1e-3**3,
    1e-3 + 0 * _ends,
    case="a small sigma, prices far off",
)
check.gradient(
    "gradient",
    lambda m: price_report(_ends, m, 0.13 + 0 * _ends, -3, 0.2)[0] * 0.13**2,
    _outer,
    case="mu, sigma of about a tenth, prices far off",
)
check.gradient(
    "gradient",
    lambda s: price_report(_ends, _outer, s, -3, 0.2)[0] * 0.13**3,
    0.13 + 0 * _ends,
    case="sigma of about a tenth, prices far off",
)
check.gradient(
    "gradient",
    lambda m: price_report(_ends, m, 2.9 + 0 * _ends, -3, 0.2)[0] * 2.9**2,
    _outer,
    case="mu, sigma near 3, prices far off",
)
check.gradient(
    "gradient",
    lambda s: price_report(_ends, _outer, s, -3, 0.2)[0] * 2.9**3,
    2.9 + 0 * _ends,
    case="sigma near 3, prices far off",
)
check.gradient(
    "gradient",
    lambda s: price_report(_nearer, _mu, s, 0.0, 1.3)[0] * 1e-7,
    3.3e-7 * _s,
    case="a very narrow sigma, prices close to the median",
)
check.gradient(
    "gradient",
    lambda m: price_report(_nearer, m, 3.3e-7 * _s, 0.0, 1.3)[0] * 1e-7,
    _mu,
    case="mu, a very narrow sigma, prices close to the median",
)
_low = 0.3 * _mu.abs()
check.value(
    "nll",
    lambda: price_report(
        torch.exp(-23 + 0.1 * (_low + 2e-7 * torch.cos(_t))), _low, 1.3e-7 * (1 + _low), -23, 0.1
    )[0],
    case="the smallest prices, a very narrow scale",
)
check.value(
    "mean", lambda: price_report(_y, _mu, 0.002 * _s, 0.4, 1.1)[1], case="very narrow predictions"
)
check.value(
    "mean",
    lambda: price_report(_ends, _outer, 0.03 * _three, -30, 3)[1].log(),
    case="logarithm of means, the smallest centre",
)
check.value(
    "median",
    lambda: price_report(_ends, _outer, 0.03 * _three, -30, 3)[2].log(),
    case="logarithm of medians, the smallest centre",
)
check.value(
    "mean",
    lambda: price_report(_long.exp(), 0.3 * _long**2, 0.7 + 0.1 * _long, 0.2, 0.45)[1],
    case="a hundred prices",
)
check.value(
    "median",
    lambda: price_report(_long.exp(), 0.3 * _long, 0.7 + 0.1 * _long, 0.2, 0.45)[2],
    case="a hundred prices",
)
check.value(
    "mean", lambda: price_report(_y, _mu, _s, 0, 1)[1], case="a centre of zero, a width of one"
)
check.value(
    "median", lambda: price_report(_y, _mu, _s, 0, 1)[2], case="a centre of zero, a width of one"
)
check.value("mean", lambda: price_report(_y, _mu, _s, 0, 1.37)[1], case="a centre of zero")
check.value("mean", lambda: price_report(_y, _mu, 0 * _s + 1, 0.6, 1.37)[1], case="sigma of one")
check.value(
    "mean",
    lambda: price_report(_y[:1], _mu[:1], 2.3 + 0 * _s[:1], 0.7, 0.9)[1],
    case="one price, a large sigma",
)
check.value(
    "median",
    lambda: price_report(_y[:1], _mu[:1], 2.3 + 0 * _s[:1], 0.7, 0.9)[2],
    case="one price, a large sigma",
)
check.gradient(
    "gradient",
    lambda s: price_report(_y[:1], _mu[:1], s, 0.3, 0.9)[0],
    _s[:1],
    case="sigma, one price",
)
check.gradient(
    "gradient",
    lambda s: 100 * price_report(_long.exp(), 0.3 * _long**2, s, 0.2, 0.45)[0],
    0.7 + 0.1 * _long,
    case="sigma, a hundred prices",
)
check.gradient(
    "gradient",
    lambda m: 100 * price_report(_long.exp(), m, 0.7 + 0.1 * _long, 0.2, 0.45)[0],
    0.3 * _long,
    case="mu, a hundred prices",
)

# %% [markdown]
# ## Exercise 3. Zeros of two kinds (12 min, 5 points)
#
# A shop sells nothing on a day because it is closed, or because nobody came. The **zero-inflated
# Poisson** says: with probability $\pi$ the count is 0 for sure, else it is drawn from a Poisson
# with rate $\lambda$. A network puts out $g$ and $h$ with $\pi = \mathrm{sigmoid}(g)$ and
# $\lambda = e^h$.
#
# Write `zip_log_prob(y, gate, log_rate)`: the log-probability of each count.
#
# - All three are tensors of shape `(n,)`; `y` holds whole numbers from 0 to $10^4$ (as float64).
#   Return a tensor of shape `(n,)`.
# - Values, and gradients with respect to `gate` and `log_rate`, must be right for any gate between
#   −800 and 800 and any log rate between −30 and 8.
#
# Points: zeros 2, others 1, extremes 1, gradient 1.


# %% exercise="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    """Return log-probabilities of counts under a zero-inflated Poisson."""
    ### BEGIN SOLUTION
    closed = torch.nn.functional.logsigmoid(gate)
    open_ = torch.nn.functional.logsigmoid(-gate)
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(closed, open_ + poisson), open_ + poisson)
    ### END SOLUTION


# %% [markdown] why="two-kinds-of-zero"
# A zero has two sources, and probabilities of sources add: `logaddexp` adds them as logarithms.
# Any other count has one source, the open gate, and pays for it.

# %% checks="two-kinds-of-zero" points=5
check = Checks("two-kinds-of-zero")
sold = torch.tensor([0.0, 0.0, 2.0, 5.0], dtype=torch.float64)
gates = torch.tensor([-0.8, 1.5, 0.3, -2.0], dtype=torch.float64)
rates = torch.tensor([0.7, -0.5, 1.1, 1.4], dtype=torch.float64)
check.keeps("zeros", zip_log_prob, sold.clone(), gates.clone(), rates.clone())
check.value("zeros", lambda: zip_log_prob(sold, gates, rates)[:2], points=2)
check.value("others", lambda: zip_log_prob(sold, gates, rates)[2:], points=1)
check.value("extremes", lambda: zip_log_prob(sold, 400 * gates, 5 + rates), points=1)
check.gradient("gradient", lambda g: zip_log_prob(sold, g, rates), gates, points=1)
check.gradient("gradient", lambda h: zip_log_prob(sold, gates, h), rates)
check.report()

# %% hidden="two-kinds-of-zero"
_t = torch.linspace(-1.3, 2.1, 6, dtype=torch.float64)
_g, _h = 2.7 * torch.sin(3 * _t) - 0.3, 1.9 * torch.cos(2 * _t)
_y, _none = torch.tensor([1.0, 4, 0, 9, 0, 33]).double(), torch.zeros(6, dtype=_t.dtype)
_low = torch.full_like(_t, -800.0)
check.value("zeros", lambda: zip_log_prob(_none, _g, _h), case="six zeros")
check.value("zeros", lambda: zip_log_prob(_none[:1], _g[:1], _h[:1]), case="one zero")
check.value(
    "zeros", lambda: zip_log_prob(_none, _g - 9, _h + 2), case="rare extra zeros, larger rates"
)
check.value("others", lambda: zip_log_prob(_y, _g, _h)[[0, 1, 3, 5]], case="counts above zero")
_many = 2903 + 31 * _y
check.value(
    "others", lambda: zip_log_prob(_many, _g, 7.97 + 0.002 * _t), case="counts in the thousands"
)
check.value("others", lambda: zip_log_prob(_y[5:], _g[5:], _h[5:]), case="one large count")
check.value(
    "others",
    lambda: zip_log_prob(70 * _y[:2] + 3, _g[:2], 5.1 + _h[:2]),
    case="counts in the hundreds",
)
check.value(
    "extremes",
    lambda: zip_log_prob(_none, _low, 7.3 + 0.1 * _t),
    case="no extra zeros, rates above 1000",
)
check.value(
    "extremes",
    lambda: zip_log_prob(_none, (_low + 790 * _y).clamp(max=790), 7.9 + 0.01 * _t),
    case="extra zeros hardly, likely, or certain",
)
check.value(
    "extremes",
    lambda: zip_log_prob(_y, 291 * _g.clamp(-2.7, 2.7), _h),
    case="logits in the hundreds",
)
check.value("extremes", lambda: zip_log_prob(_y, _g, _h - 27), case="tiny rates")
check.value(
    "extremes",
    lambda: zip_log_prob(_none, _g - 9, _h - 12) * 1e4,
    case="tiny rates and no extra zeros",
)
check.value("extremes", lambda: zip_log_prob(_y, 30 + _g, _h), case="extra zeros nearly certain")
check.gradient("gradient", lambda g: zip_log_prob(_y, g, _h) * _t, _g, case="logits, mixed counts")
check.gradient("gradient", lambda h: zip_log_prob(_y, _g, h), _h, case="log rates, mixed counts")
check.gradient(
    "gradient",
    lambda g: zip_log_prob(_none, g, 7.3 + 0 * g),
    0.99 * _low + 3 * _t,
    case="logits of -800, large rates",
)
check.gradient(
    "gradient",
    lambda g: zip_log_prob(_y, g, _h),
    291 * _g.clamp(-2.7, 2.7),
    case="logits in the hundreds",
)
check.gradient(
    "gradient",
    lambda h: zip_log_prob(_none, _low, h),
    6.1 + 0.2 * _t,
    case="log rates where nothing but the rate counts",
)
check.gradient("gradient", lambda h: zip_log_prob(_y, _g, h), _h - 27, case="tiny rates")
_open = torch.tensor([2.0, 5.0], dtype=_t.dtype), torch.tensor([787.0, 761.0], dtype=_t.dtype)
check.value(
    "extremes", lambda: zip_log_prob(*_open, _h[:2]), case="counts above zero, logits near 800"
)
_side = torch.tensor([-800.0, 800.0, -800.0, 800.0], dtype=_t.dtype)
_rate = torch.tensor([-30.0, -30.0, 8.0, 8.0], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: zip_log_prob(0 * _side, _side, _rate.clamp(min=-29.98)),
    case="zeros, both ends of both ranges",
)
check.value(
    "extremes",
    lambda: zip_log_prob(0 * _side + 1, _side, _rate),
    case="ones, both ends of both ranges",
)
check.value(
    "extremes",
    lambda: zip_log_prob(0 * _side + 10000, _side, _rate),
    case="counts of ten thousand, both ends of both ranges",
)
check.value(
    "extremes",
    lambda: zip_log_prob(_many[:1], 0.01 * _side[:1], _rate[3:]),
    case="one count, the largest log rate",
)
_long = torch.linspace(-1.0, 1.0, 100, dtype=_t.dtype)
check.value(
    "extremes",
    lambda: zip_log_prob(0 * _long, 31 * _long, 3.1 + 4.7 * _long),
    case="a hundred zeros, all sorts of logits and rates",
)
check.value(
    "others",
    lambda: zip_log_prob((61 + 58 * _long).round(), 23 * _long, 3.1 + 4.7 * _long.flip(0)),
    case="a hundred counts",
)
check.gradient(
    "gradient",
    lambda g: zip_log_prob(0 * _long, g, 3.1 + 4.7 * _long),
    31 * _long.flip(0),
    case="logits, a hundred zeros",
)
check.gradient(
    "gradient",
    lambda h: (
        zip_log_prob(0 * _long[20:], 9 * _long[20:], h) * torch.exp(9 * _long[20:] - h.detach())
    ),
    -3.1 + 4.1 * _long.flip(0)[20:],
    case="log rates, zeros that are likely extra",
)
check.gradient(
    "gradient",
    lambda h: zip_log_prob(torch.tensor([0.0, 0, 0, 1, 1, 9999]).double(), _g, h),
    torch.tensor([8.0, 8, -30, 8, -30, 8], dtype=_t.dtype),
    case="log rates at both ends",
)
check.gradient(
    "gradient",
    lambda g: zip_log_prob(torch.tensor([0.0, 0, 1, 10000]).double(), g, _rate.flip(0)) * _h[:4],
    torch.full_like(_side, -800),
    case="logits of -800",
)
check.gradient(
    "gradient",
    lambda g: zip_log_prob(torch.tensor([0.0, 0, 1, 10000]).double(), g, _rate.flip(0)) * _h[:4],
    torch.full_like(_side, 800),
    case="logits of 800",
)
check.value(
    "extremes",
    lambda: 1e12 * zip_log_prob(_none, _low, -29 + _h / 2),
    case="zeros, hardly an extra one, the smallest rates",
)
check.gradient(
    "gradient",
    lambda h: zip_log_prob(_y, 760 + 10 * _t, h),
    _h,
    case="log rates, logits near 800",
)
check.gradient(
    "gradient", lambda h: zip_log_prob(_none[:1], _g[:1], h), _h[:1], case="one zero, its log rate"
)
check.value(
    "others",
    lambda: zip_log_prob(_y[:1] + 9872, _g[:1], 7.9 + 0 * _h[:1]),
    case="one count near ten thousand",
)
_days = (3 + 4 * torch.sin(torch.arange(100, dtype=_t.dtype) ** 2)).clamp(min=0).round()
check.gradient(
    "gradient",
    lambda g: zip_log_prob(_days, g, 1.1 + 0.7 * _long),
    2 * _long.flip(0),
    case="logits, a hundred mixed counts",
)
check.gradient(
    "gradient",
    lambda h: zip_log_prob(_days, 2 * _long, h),
    1.1 + 0.7 * _long.flip(0),
    case="log rates, a hundred mixed counts",
)
_flat = torch.tensor([[0.0, 0, 3, 4], [0, 1.3, 0, 0], [0, 0, 0, 1.1]], dtype=_t.dtype)
check.value("others", lambda: zip_log_prob(*_flat), case="logits and log rates of zero")
check.gradient(
    "gradient",
    lambda g: zip_log_prob(_flat[0], g, 0.31 + _flat[2]),
    _flat[1],
    case="logits of zero",
)
check.gradient(
    "gradient",
    lambda h: zip_log_prob(_flat[0], _flat[1], h),
    _flat[2],
    case="log rates of zero",
)

# %% [markdown]
# ## Exercise 4. A scale whose gradient lives on (8 min, 4 points)
#
# A link turns any real number into a positive scale. The exponential and softplus both fall like
# $e^{\,\text{raw}}$ on the left: at −800 their values and gradients are exactly 0 in float64, and
# on the right the exponential overflows. Here is a link that does neither. It maps `raw` to the
# positive number $s$ that solves
#
# $$s - \frac1s = \text{raw} .$$
#
# Far to the right $s$ is close to raw, far to the left close to $1 / |\text{raw}|$.
#
# Write `positive_scale(raw)`, elementwise, for a tensor of any shape (also 0-d); return a tensor
# of the same shape.
#
# - In float64, values and gradients must be right, to a **relative** error of $10^{-5}$, for
#   $|\text{raw}| \le 10^8$, zero included.
# - In float32, which occurs too, the same holds for $|\text{raw}| \le 10^4$. (The formula for the
#   roots of a quadratic, as it stands, fails both.)
#
# Points: value 1, left 2, gradient 1.


# %% exercise="living-link"
def positive_scale(raw):
    """Return the positive solution s of s - 1/s = raw, elementwise."""
    ### BEGIN SOLUTION
    return torch.exp(torch.asinh(raw / 2))  # s - 1/s is 2 sinh(log s)
    ### END SOLUTION


# %% [markdown] why="living-link"
# With $s = e^t$ the equation reads $2 \sinh t = \text{raw}$, so $t$ is an inverse hyperbolic sine,
# which is exact on both sides of 0. The root of the quadratic subtracts two nearly equal numbers
# on the left, and loses all their digits.

# %% checks="living-link" points=4
check = Checks("living-link")
raws = torch.tensor([-3.0, 0.0, 0.55, 40.0], dtype=torch.float64)
check.keeps("value", positive_scale, raws.clone())
check.value("value", lambda: positive_scale(raws), points=1)
check.value("left", lambda: 1 / positive_scale(-2e6 * raws[2:]), points=2)
check.gradient("gradient", lambda raw: positive_scale(raw), raws, points=1)
check.gradient("gradient", lambda u: positive_scale(-2e6 * u).log(), raws[2:])
check.report()

# %% hidden="living-link"
_t = torch.linspace(-2.3, 3.1, 6, dtype=torch.float64)
_far = torch.tensor([[-1.3e3, -7.7e4], [-2.1e6, -0.97e8]], dtype=_t.dtype)
check.value("value", lambda: positive_scale(_t), case="six numbers")
check.value("value", lambda: positive_scale(_t[1]), case="a single number, shape ()")
check.value(
    "value", lambda: positive_scale(3.1e7 * _t.abs()) / 3.1e7, case="large positive numbers"
)
check.value("value", lambda: positive_scale(_t[:1]), case="one number")
check.value("value", lambda: positive_scale(0.77 * _t.reshape(2, 1, 3)), case="three dimensions")
check.law(
    "value",
    "equal",
    lambda: positive_scale(_t) * positive_scale(-_t),
    lambda: 0 * _t + 1,
    case="numbers of both signs",
)
check.value("left", lambda: 1 / positive_scale(_far), case="far to the left, inverted")
check.value("left", lambda: positive_scale(_far).log(), case="far to the left, logarithm")
check.value(
    "left",
    lambda: 1 / positive_scale(torch.tensor(-0.83e8, dtype=_t.dtype)),
    case="a single number far to the left",
)
check.value(
    "left",
    lambda: 1 / positive_scale(torch.tensor([-37.3, -912.7, -8131.7])),
    case="far to the left in float32",
)
check.gradient("gradient", lambda v: positive_scale(v), _t, case="six numbers")
check.gradient("gradient", lambda v: positive_scale(v), 0 * _t[:1], case="at zero")
check.gradient(
    "gradient", lambda u: positive_scale(u * _far).log(), 0.71 + 0 * _far, case="far to the left"
)
check.gradient(
    "gradient", lambda u: positive_scale(-u * _far).log(), 0.93 + 0 * _far, case="far to the right"
)
check.gradient("gradient", lambda v: positive_scale(v), -0.31 * _far, case="far to the right")
check.gradient(
    "gradient", lambda v: positive_scale(v).log(), _t.float(), case="logarithm in float32"
)
check.gradient(
    "gradient",
    lambda u: positive_scale(-3171.3 * u).log(),
    _t[4:].float(),
    case="far to the left in float32",
)
check.gradient(
    "gradient",
    lambda v: positive_scale(v),
    torch.tensor([9731.3, 37.3]),
    case="large numbers in float32",
)
_grid = torch.logspace(-7.7, 8, 79, dtype=_t.dtype)
_fine = torch.logspace(-2.9, 4, 71)
_mid = torch.tensor([23.0, 61, 97, 131, 173, 211, 251, 283], dtype=_t.dtype)
check.value("value", lambda: positive_scale(_grid) / (1 + _grid), case="right, all sizes")
check.value("value", lambda: positive_scale(_mid) / _mid, case="right, tens and hundreds")
check.value("value", lambda: positive_scale(_fine) / (1 + _fine), case="right, float32")
check.value("left", lambda: positive_scale(-_grid) * (1 + _grid), case="left, all sizes")
check.value("left", lambda: positive_scale(-_mid) * _mid, case="left, tens and hundreds")
check.value("left", lambda: positive_scale(-_fine) * (1 + _fine), case="left, float32")
_dense = torch.linspace(17.3, 32.9, 200).reshape(2, 100)
check.value(
    "left",
    lambda: positive_scale(-_dense) * (1 + _dense),
    case="left, between -33 and -17 in float32",
)
check.value(
    "left",
    lambda: 1 / positive_scale(torch.tensor(-1e4)),
    case="a single number far to the left in float32",
)
check.value(
    "left",
    lambda: 1 / positive_scale(-_grid[:60].reshape(2, 1, 5, 6).transpose(1, 3)),
    case="left, four dimensions",
)
check.value(
    "value",
    lambda: positive_scale(torch.tensor([[-8.3], [-0.0], [0.0], [-29.7]])),
    case="a column in float32, with both zeros",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(-f * _grid).log() * (1 + 1 / _grid),
    torch.ones_like(_grid),
    case="left, all sizes",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(f * _grid).log() * (1 + 1 / _grid),
    torch.ones_like(_grid),
    case="right, all sizes",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(-f * _mid).log() * (1 + 1 / _mid),
    torch.ones_like(_mid),
    case="left, tens and hundreds",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(f * _mid).log() * (1 + 1 / _mid),
    torch.ones_like(_mid),
    case="right, tens and hundreds",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(-f * _fine).log() * (1 + 1 / _fine),
    torch.ones_like(_fine),
    case="left, float32",
)
check.gradient(
    "gradient",
    lambda f: positive_scale(f * _fine).log() * (1 + 1 / _fine),
    torch.ones_like(_fine),
    case="right, float32",
)
check.gradient(
    "gradient",
    lambda v: positive_scale(v),
    torch.tensor([[0.0, -0.0, 1e-3, -1e-3]]),
    case="at and near zero in float32",
)
check.keeps("value", positive_scale, torch.tensor([[-3.0, 0.0, 9.0]]), case="float32 stays")
check.keeps("value", positive_scale, torch.tensor(-2.7, dtype=_t.dtype), case="a number stays")
check.gradient("gradient", lambda v: positive_scale(v), _t[1], case="a single number, shape ()")
_cube = torch.linspace(-9.3, 11.9, 120, dtype=_t.dtype)
_cube[70] = 2.0
check.gradient(
    "gradient", lambda v: positive_scale(v), _cube.reshape(3, 4, 10), case="three dimensions"
)
check.value("value", lambda: positive_scale(_cube[20:]), case="100 numbers")
check.value("value", lambda: positive_scale(_cube.reshape(2, 5, 1, 3, 4)), case="five dimensions")
check.value("value", lambda: positive_scale(0.77 * _t[4:5, None]), case="a table of one number")

# %% [markdown]
# ## Exercise 5. Ordered classes (15 min, 5 points)
#
# Ratings "poor, fair, good, very good" are classes with an order. A *cumulative* head has one
# score $\eta$ for each example, and for all examples the thresholds
# $\theta_0 < \theta_1 < \ldots < \theta_{K-2}$:
#
# $$P(y \le k) = \mathrm{sigmoid}(\theta_k - \eta) \quad \text{for } k = 0, \ldots, K - 2 .$$
#
# Free thresholds may cross during training, and a probability turns negative. So the thresholds
# are built from their gaps, which are positive by construction:
#
# $$\theta_0 = \text{first}, \qquad \theta_k = \theta_{k-1} + \exp(\text{log\_gaps}_{k-1}) .$$
#
# Write `ordinal_log_probs(eta, first, log_gaps)`: the log-probability of each class, shape
# `(n, K)`.
#
# - `eta` has shape `(n,)`, `first` is a 0-d tensor, `log_gaps` has shape `(K - 2,)`. With two
#   classes there are no gaps, and `log_gaps` is empty.
# - Values must be finite and right for scores from −800 to 800 and log gaps from −30 to 4, and so
#   must gradients with respect to `eta` and `log_gaps`.
#   (For $a > b$: $\mathrm{sigmoid}(a) - \mathrm{sigmoid}(b) = \mathrm{sigmoid}(a)\,
#   \mathrm{sigmoid}(-b)\,(1 - e^{b - a})$.)
#
# Points: value 2, extremes 2, gradient 1.


# %% exercise="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    """Return the log-probability of each of K ordered classes, shape (n, K)."""
    ### BEGIN SOLUTION
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below = torch.nn.functional.logsigmoid(theta - eta[:, None])  # log P(y <= k), (n, K - 1)
    above = torch.nn.functional.logsigmoid(eta[:, None] - theta)  # log P(y > k)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)
    ### END SOLUTION


# %% [markdown] why="ordered-classes"
# A middle class has the difference of two sigmoids. It factors, $\sigma(a) - \sigma(b) =
# \sigma(a)\,\sigma(-b)\,(1 - e^{b - a})$, and each factor has a logarithm that survives; the
# difference itself rounds to 0 where both are nearly 0 or 1.

# %% checks="ordered-classes" points=5
check = Checks("ordered-classes")
scores = torch.tensor([0.5, -1.2, 2.0], dtype=torch.float64)
start = torch.tensor(-0.65, dtype=torch.float64)
steps = torch.tensor([0.3, -0.9], dtype=torch.float64)
check.keeps("value", ordinal_log_probs, scores.clone(), start.clone(), steps.clone())
check.value("value", lambda: ordinal_log_probs(scores, start, steps), points=2)
check.value("extremes", lambda: ordinal_log_probs(350 * scores, start, steps), points=2)
check.gradient("gradient", lambda e: ordinal_log_probs(e, start, steps)[:, 1], scores, points=1)
check.gradient("gradient", lambda g: ordinal_log_probs(scores, start, g)[:, 2], steps)
check.report()

# %% hidden="ordered-classes"
_t = torch.linspace(-2.1, 2.6, 5, dtype=torch.float64)
_first, _gaps = torch.tensor(-1.37, dtype=_t.dtype), 0.8 * torch.sin(2 * _t[:4]) - 0.2
_weights = torch.cos(torch.arange(30, dtype=_t.dtype)).reshape(5, 6)
check.value("value", lambda: ordinal_log_probs(_t, _first, _gaps), case="six classes")
check.value(
    "value",
    lambda: ordinal_log_probs(_t[:1], _first, _gaps[:1]),
    case="one example, three classes",
)
check.value("value", lambda: ordinal_log_probs(_t, _first, _gaps[:0]), case="two classes")
check.value(
    "value",
    lambda: ordinal_log_probs(1.3 * _t, _first + 2.9, _gaps[2:] + 1.1),
    case="shifted cuts, four classes",
)
_ten = 0.4 * torch.cos(1.7 * torch.arange(8, dtype=_t.dtype)) - 0.9
check.value("value", lambda: ordinal_log_probs(_t, _first, _ten), case="ten classes")
check.law(
    "value", "sums_to_one", lambda: ordinal_log_probs(_t, _first, _gaps).exp(), case="six classes"
)
check.value(
    "extremes", lambda: ordinal_log_probs(303.7 * _t, _first, _gaps), case="scores in the hundreds"
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(303.7 * _t[:2], _first, _gaps[:0]),
    case="scores in the hundreds, two classes",
)
check.value(
    "extremes", lambda: ordinal_log_probs(_t, _first, _gaps - 29), case="cuts that nearly coincide"
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(_t, _first, _gaps - 29)[:, 1:-1] - (_gaps - 29),
    case="narrow classes against their width",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(-297.1 * _t, _first, 3.1 + _gaps),
    case="negative scores in the hundreds, wide gaps",
)
check.value(
    "extremes", lambda: ordinal_log_probs(40 + _t, _first, _gaps), case="scores far above all cuts"
)
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _gaps) * _weights,
    _t,
    case="with respect to the scores",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_t, _first, g) * _weights,
    _gaps,
    case="with respect to the gaps",
)
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _gaps) * _weights,
    303.7 * _t,
    case="scores in the hundreds",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(-290 * _t, _first, g) * _weights,
    _gaps,
    case="gaps, scores in the hundreds",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_t, _first, g) * _weights,
    _gaps - 29,
    case="gaps that nearly vanish",
)
check.gradient(
    "gradient", lambda e: ordinal_log_probs(e, _first, _gaps[:0]), _t[:2], case="two classes"
)
_ends = torch.tensor([-30.0, 4.0, -30.0, 4.0, 3.9, -7.3, 1.7, 2.3], dtype=_t.dtype)
_sides = torch.tensor([-800.0, 800.0, -2.9, 1.4, 57.3], dtype=_t.dtype)
_long = torch.sin(torch.arange(97, dtype=_t.dtype) ** 2) - 1.1
_signs = torch.cos(torch.arange(50, dtype=_t.dtype)).reshape(5, 10)
check.value(
    "value",
    lambda: ordinal_log_probs(_long[:7], _first - 20, _long),
    case="99 classes",
)
check.value(
    "value",
    lambda: ordinal_log_probs(torch.cat([_long, _t[:3]]), _first, _gaps[:1]),
    case="a hundred examples, three classes",
)
check.value(
    "value",
    lambda: ordinal_log_probs(_t[:1], _first, _gaps[:0]),
    case="one example, two classes",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(_sides, _first, _ends),
    case="scores and gaps at both ends",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(_sides, torch.tensor(-1000.0, dtype=_t.dtype), _ends),
    case="first of -1000, scores and gaps at both ends",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(_sides, torch.tensor(1000.0, dtype=_t.dtype), _ends),
    case="first of 1000, scores and gaps at both ends",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(
        700 + _t,
        torch.tensor(699.3, dtype=_t.dtype),
        torch.tensor([-9.0, 0.9, -30, -30, -1]).double(),
    ),
    case="scores near a first of 699.3, gaps narrow and wide",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(794 - _t, torch.tensor(799.00003, dtype=_t.dtype), _gaps[:1])[:, 0],
    case="a sure first class, scores near 800",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(
        799.9 + 0.02 * _t,
        torch.tensor(1000.0, dtype=_t.dtype),
        torch.tensor([4.0, 4, 4, -30, -30, -30, -29.7], dtype=_t.dtype),
    ),
    case="first of 1000, wide gaps before narrow ones",
)
_steps = torch.linspace(-30, 4, 69, dtype=_t.dtype)
check.value(
    "extremes",
    lambda: torch.stack(
        [ordinal_log_probs(_t[:1], _t[0], g[None])[0, 1] - g.clamp(max=0.0) for g in _steps]
    ),
    case="one gap of every size, against its width",
)
_ls = torch.nn.functional.logsigmoid
_broad = torch.tensor([1.6, 1.83, 2.09], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: torch.stack(
        [
            1e4
            * (
                ordinal_log_probs(0.7 * b.exp()[None], 0 * b, b[None])[0, 1]
                - 2 * _ls(0.3 * b.exp())
            )
            for b in _broad
        ]
    ),
    case="what a wide gap leaves out",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_sides, _first, g) * _signs,
    _ends,
    case="gaps and scores at both ends",
)
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _ends) * _signs,
    _sides,
    case="scores, gaps and scores at both ends",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_long[:7], _first - 20, g) * _long[:7, None],
    _long,
    case="gaps, 99 classes",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_long[:1], _first, g)[:, 1:] * _t[1:3],
    _gaps[:1],
    case="one example, three classes, one gap",
)
check.value(
    "extremes",
    lambda: ordinal_log_probs(
        _sides, torch.tensor(1000.0, dtype=_t.dtype), 3.8 + 0.2 * torch.sin(_steps)
    ),
    case="first of 1000, many wide gaps",
)
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _gaps)[0] * _weights[0],
    0.9 + _t[:1],
    case="one score",
)
_crowd = torch.cat([_long, _t[:3]])
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _gaps[:1])[:, 1:],
    _crowd,
    case="a hundred scores, three classes",
)
check.gradient(
    "gradient",
    lambda g: ordinal_log_probs(_crowd, _first, g)[:, 1:] / 10,
    _gaps[:2],
    case="gaps, a hundred scores",
)
check.gradient(
    "gradient",
    lambda e: ordinal_log_probs(e, _first, _gaps[:0])[:, 1] * _t,
    303.7 * _t,
    case="two classes, scores in the hundreds",
)
check.value(
    "value",
    lambda: ordinal_log_probs(_t, _first, _gaps[:3]),
    case="as many examples as classes",
)
check.value(
    "value",
    lambda: ordinal_log_probs(_t[[0, 3, 3, 0, 1]], _first, 0 * _gaps[:3] - 0.43),
    case="scores alike, gaps alike",
)

# %% [markdown]
# ## Exercise 6. Act, or ask first (12 min, 5 points)
#
# A model gives the probabilities of $K$ outcomes; you choose one of $A$ actions, and what it costs
# depends on the outcome that comes. Or you **ask**: for a fixed price you learn the outcome first,
# and then take the action that is cheapest for it.
#
# Write `act_or_ask(p, cost, price)`, which returns the tuple `(action, expected)`:
#
# - `action`, shape `(n,)`, integers: the index of the action with the smallest expected cost, or
#   −1 where asking is cheaper still;
# - `expected`, shape `(n,)`: the expected cost of that choice, price included where you ask.
#
# `p` has shape `(n, K)`, and its rows sum to 1. `cost` has shape `(A, K)`: `cost[a, k]` is what
# action `a` costs if `k` comes, negative where it earns something. `price` is a Python number, not
# negative; it may be infinite, and then nobody asks. Between actions that cost exactly the same
# take the lowest index; if asking costs exactly as much as acting, act.
#
# Points: action 2, expected cost 2, asking 1.


# %% exercise="act-or-ask"
def act_or_ask(p, cost, price):
    """Return the best action for each example, -1 for asking, and its expected cost."""
    ### BEGIN SOLUTION
    asking = price + cost.min(dim=0).values  # (K,)
    table = p @ torch.cat([cost, asking[None]]).T  # (n, A + 1), asking last
    if math.isinf(price):
        table = p @ cost.T
    best = table.argmin(dim=1)
    expected = table.gather(1, best[:, None])[:, 0]
    return torch.where(best == len(cost), -1, best), expected
    ### END SOLUTION


# %% [markdown] why="act-or-ask"
# Whoever asks pays the price and then, for each outcome, the cheapest cost: that is one more row
# of the cost table. It stands last, so that `argmin`, which takes the first of equals, prefers to
# act. An infinite price stays out of the product, where 0 times infinity is `nan`.

# %% checks="act-or-ask" points=5
check = Checks("act-or-ask")
chances = (
    torch.tensor([[3.0, 2.0, 3.0], [1.0, 2.0, 5.0], [5.0, 3.0, 0.0]], dtype=torch.float64) / 8
)
bill = torch.tensor(
    [[0.0, 4.0, 8.0], [6.0, 1.0, 3.0], [2.0, 2.0, 3.0], [5.0, 4.0, -0.4]], dtype=torch.float64
)
never = float("inf")
check.keeps("action", lambda p, c: act_or_ask(p, c, never), chances.clone(), bill.clone())
check.value("action", lambda: act_or_ask(chances, bill, never)[0], points=2)
check.value("expected cost", lambda: act_or_ask(chances, bill, never)[1], points=2)
check.value("asking", lambda: tuple(act_or_ask(chances, bill, 1.2)), points=1)
check.report()

# %% hidden="act-or-ask"
_t = torch.linspace(-2.2, 2.7, 20, dtype=torch.float64)
_p = torch.softmax(2.3 * torch.sin(4 * _t).reshape(5, 4), dim=1)
_c = 3.7 * torch.cos(3 * _t[:12] ** 2).reshape(3, 4) - 0.4
_sure = torch.eye(4, dtype=_t.dtype)
_tie = torch.tensor([[4.0, 1.0], [1.0, 4.0], [2.5, 2.5], [2.5, 2.5]], dtype=_t.dtype)
_even = torch.tensor([[0.5, 0.5], [0.25, 0.75]], dtype=_t.dtype)
_stock = torch.arange(6, dtype=_t.dtype)
_short = (_stock - _stock[:, None]).clamp(min=0)  # (orders, demands)
_news = 4.0 * _short + (_stock[:, None] - _stock).clamp(min=0)
_demand = torch.softmax(torch.cos(1.9 * _t[:18]).reshape(3, 6), dim=1)
check.value("action", lambda: act_or_ask(_p, _c, 31.7)[0], case="five examples, asking is dear")
check.value(
    "action",
    lambda: act_or_ask(
        _p[:, :3] / _p[:, :3].sum(1, keepdim=True), _c[:, :3].T @ _c[:, :3], math.inf
    )[0],
    case="more actions than classes",
)
_close = torch.tensor([[1.3, 2.1], [1.3 - 4e-6, 2.1]], dtype=_t.dtype)
check.value(
    "action", lambda: act_or_ask(_even, _close, math.inf)[0], case="costs that nearly coincide"
)
check.value(
    "action",
    lambda: _c[act_or_ask(_p, _c, math.inf)[0], 0],
    case="actions that are used as an index",
)
check.value("action", lambda: act_or_ask(_sure, _c, math.inf)[0], case="certain predictions")
check.value(
    "action", lambda: act_or_ask(_even, _tie, math.inf)[0], case="two actions cost the same"
)
check.value(
    "action",
    lambda: act_or_ask(_even, _tie.flip(0), math.inf)[0],
    case="tied actions in another order",
)
check.value("action", lambda: act_or_ask(_demand, _news, math.inf)[0], case="orders and demands")
_many = torch.softmax(torch.sin(torch.arange(63, dtype=_t.dtype) ** 2).reshape(9, 7), dim=1)
_bills = 2.9 * torch.cos(torch.arange(42, dtype=_t.dtype) ** 2).reshape(6, 7)
check.value("action", lambda: act_or_ask(_many, _bills, math.inf)[0], case="nine examples")
check.value("asking", lambda: tuple(act_or_ask(_many, _bills, 0.83)), case="nine examples")
check.value("action", lambda: act_or_ask(_p[2:3], -_c, math.inf)[0], case="one example")
check.value("expected cost", lambda: act_or_ask(_p, _c, 31.7)[1], case="five examples")
check.value(
    "expected cost",
    lambda: act_or_ask(_p[1:2], _c - 11.3, math.inf)[1],
    case="one example, negative costs",
)
check.value(
    "expected cost", lambda: act_or_ask(_demand, _news, math.inf)[1], case="orders and demands"
)
check.value("expected cost", lambda: act_or_ask(_even, 1.37 * _tie, 970)[1], case="tied costs")
check.value("asking", lambda: tuple(act_or_ask(_p, _c, 0.61)), case="asking pays for some")
check.value(
    "asking",
    lambda: tuple(act_or_ask(_p, _c - 11.3, 0.23)),
    case="asking pays for some, negative costs",
)
check.value("asking", lambda: tuple(act_or_ask(_demand, _news, 1.9)), case="orders and demands")
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, _tie, 1.5)),
    case="the price of asking above all costs",
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, _tie, 0.75)),
    case="the price of asking equal to a cost",
)
check.value(
    "asking", lambda: tuple(act_or_ask(_even, _tie, 1.4993)), case="asking is cheaper by a little"
)
check.value(
    "asking", lambda: tuple(act_or_ask(_even, _tie, 1.5007)), case="asking is dearer by a little"
)
check.value(
    "asking", lambda: tuple(act_or_ask(_sure, _c, 0.0)), case="certain predictions, asking is free"
)
check.value(
    "asking", lambda: tuple(act_or_ask(_p[3:4], _c[:1], 0.0)), case="one action, asking is free"
)
check.value("asking", lambda: tuple(act_or_ask(_p, _c, 0)), case="asking costs nothing")
_closer = torch.tensor([[1.3, 2.1], [1.3 - 3e-9, 2.1]], dtype=_t.dtype)
check.value(
    "action", lambda: act_or_ask(_even, _closer, math.inf)[0], case="costs a billionth apart"
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, _tie, 0.75 - 2e-9)),
    case="asking is cheaper by a billionth",
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, _tie, 0.75 + 2e-9)),
    case="asking is dearer by a billionth",
)
_big = torch.round(997 * torch.sin(torch.arange(1300, dtype=_t.dtype) ** 2).reshape(100, 13))
_rows = torch.softmax(3.1 * torch.cos(torch.arange(1300, dtype=_t.dtype) ** 2), 0)
_rows = _rows.reshape(100, 13) / _rows.reshape(100, 13).sum(1, keepdim=True)
check.value(
    "action", lambda: act_or_ask(_rows, _big, math.inf)[0], case="a hundred actions, asking never"
)
check.value(
    "expected cost",
    lambda: act_or_ask(_rows, _big, math.inf)[1],
    case="a hundred actions, costs up to a thousand, asking never",
)
check.value(
    "action", lambda: act_or_ask(_rows, _big, 731.3)[0], case="a hundred actions, a price of 731.3"
)
check.value(
    "asking",
    lambda: act_or_ask(_rows, _big, 731.3)[1],
    case="a hundred actions, costs up to a thousand, a price of 731.3",
)
check.value(
    "action", lambda: act_or_ask(_rows, _big, 388)[0], case="a hundred actions, a price of 388"
)
check.value(
    "asking",
    lambda: act_or_ask(_rows, _big, 388)[1],
    case="a hundred actions, costs up to a thousand, a price of 388",
)
_rare = torch.tensor([[0.9957, 0.0043, 0.0], [0.0003, 0.9997, 0.0], [0.0, 0.00002, 0.99998]])
_dear = torch.tensor([[0.7, 983.0, 4.1], [3.9, -0.2, -991.0], [2.3, 3.1, 5.7], [5.0, 0.01, 880.0]])
_rare, _dear = _rare.double(), _dear.double()
_rare = torch.cat([1 - _rare[:, 1:].sum(1, keepdim=True), _rare[:, 1:]], dim=1)
check.value("action", lambda: act_or_ask(_rare, _dear, math.inf)[0], case="rare and dear outcomes")
check.value(
    "expected cost", lambda: act_or_ask(_rare, _dear, math.inf)[1], case="rare and dear outcomes"
)
check.value(
    "asking", lambda: tuple(act_or_ask(_rare, _dear, 0.43)), case="rare and dear outcomes, asking"
)
check.value(
    "action",
    lambda: act_or_ask(torch.ones(3, 1).double(), _c[:, :1] - 7.7, 0)[0] - 0.37,
    case="one outcome, asking is free",
)
check.value(
    "expected cost",
    lambda: act_or_ask(torch.ones(1, 1).double(), _c[:1, 1:2] - 7.7, 2)[1],
    case="one example, one outcome, one action",
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, 331 * _tie[:2] - 998, 431.7)),
    case="dear to ask, dearer to act",
)
check.value(
    "asking",
    lambda: tuple(
        act_or_ask(_even[:1], torch.tensor([[-991.0, 993], [989, -997]]).double(), 983.6)
    ),
    case="a price near a thousand that pays",
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_p[3:4], 17 - _c[:1], 0.013)),
    case="one action, where asking never helps",
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even.flip(1)[:1], _c[:, 1:3] * 200, 0)),
    case="one example, asking is free",
)
check.keeps(
    "asking", lambda p, c: act_or_ask(p, c, 0.3), _p.clone(), _c.clone(), case="costs that stay"
)
_three = 999 - 1998 * torch.eye(3, dtype=_t.dtype)
_alike = torch.tensor([[0.34, 0.33, 0.33], [0.2, 0.41, 0.39]], dtype=_t.dtype)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_alike, _three, math.inf)),
    case="much to gain, asking never",
)
check.value(
    "asking", lambda: tuple(act_or_ask(_alike, _three, 1000)), case="much to gain, the dearest ask"
)
check.value(
    "asking",
    lambda: tuple(act_or_ask(_even, torch.tensor([[-990.0, -870], [-880, -995]]).double(), 3.1)),
    case="earnings near a thousand",
)
_square = torch.cat([_bills, _bills[2:3].flip(1) - 0.3])
check.value(
    "action", lambda: act_or_ask(_many, _square, math.inf)[0], case="as many actions as outcomes"
)
check.value(
    "action",
    lambda: act_or_ask(_even, _big[:21, :2].repeat(3, 1), math.inf)[0],
    case="63 actions, each of them three times",
)
check.value(
    "action",
    lambda: act_or_ask(_even.repeat(30, 1), _closer, math.inf)[0],
    case="sixty examples, costs a billionth apart",
)
check.value(
    "asking",
    lambda: _c[act_or_ask(_p, _c, 0.61)[0], 0],
    case="actions and asking that are used as an index",
)
_slight = torch.tensor([[1 - 7e-7, 7e-7], [7e-7, 1 - 7e-7]], dtype=_t.dtype)
check.value(
    "expected cost",
    lambda: act_or_ask(_slight, torch.tensor([[0.0, 991], [997, 0.0]]).double(), math.inf)[1],
    case="outcomes of less than a millionth",
)
check.value(
    "expected cost",
    lambda: act_or_ask(torch.ones(3, 1).double(), _c[:, :1] - 7.7, math.inf)[1],
    case="one outcome, asking never",
)
check.value(
    "action",
    lambda: act_or_ask(_p, _c[:1], math.inf)[0] + 0.37,
    case="one action, asking never",
)
check.value(
    "action",
    lambda: act_or_ask(_many[5:6], _square, math.inf)[0],
    case="one example, seven actions",
)
check.value(
    "expected cost",
    lambda: act_or_ask(_many[5:6], _square, math.inf)[1],
    case="one example, seven actions",
)

# %% [markdown]
# ## Exercise 7. The probability of a sequence (12 min, 5 points)
#
# An autoregressive network reads tokens one by one and says at each place what comes next. Then
# $\log p(\text{sequence})$ is a sum of log-probabilities, one for each token that had to be
# foretold. Sequences of different lengths are padded into one array.
#
# Write `sequence_log_prob(logits, tokens, lengths)`: the log-probability of each sequence, in
# nats, shape `(n,)`.
#
# - `tokens` has shape `(n, T)`, int64. `tokens[:, 0]` is a start symbol, which is given and not
#   foretold. Sequence `i` consists of its first `lengths[i]` tokens, start symbol included.
#   `lengths`, shape `(n,)`, int64, lies between 1 and T, a sequence's tokens between 0 and
#   $K - 1$.
# - `logits` has shape `(n, T, K)`. `logits[:, t]` was computed from the tokens up to **and
#   including** place `t`: it foretells the token at place `t + 1`. The logits at a sequence's last
#   token foretell nothing.
# - Where a sequence has ended, `tokens` may hold any integer, −100 or $K$ for instance. Where
#   they foretell nothing, `logits` may hold any number, infinite or nan. None of it may reach the
#   result.
# - Gradients with respect to `logits` flow. At every place that foretells nothing they are 0.
# - Logits that do foretell something are finite, and at most $10^4$ in size.
#
# Points: value 2, padding 2, gradient 1.


# %% exercise="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    """Return the log-probability in nats of each padded sequence."""
    ### BEGIN SOLUTION
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]  # (n, T - 1)
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)
    ### END SOLUTION


# %% [markdown] why="sequence-density"
# The logits at place $t$ foretell token $t + 1$: shift one against the other. What lies in the
# padding is replaced *before* the softmax, because a `nan` that is multiplied by 0 is still one,
# in the value as in the gradient.

# %% checks="sequence-density" points=5
check = Checks("sequence-density")
words = torch.tensor([[0, 2, 1, 1], [0, 1, 2, 0]])
says = torch.sin(torch.arange(24, dtype=torch.float64)).reshape(2, 4, 3) * 2
whole, cut = torch.tensor([4, 4]), torch.tensor([4, 2])
padded = torch.tensor([[0, 2, 1, 1], [0, 1, -100, 3]])
check.keeps("value", sequence_log_prob, says.clone(), words.clone(), whole.clone())
check.value("value", lambda: sequence_log_prob(says, words, whole), points=2)
check.value("padding", lambda: sequence_log_prob(says, padded, cut), points=2)
check.gradient("gradient", lambda z: sequence_log_prob(z, padded, cut), says, points=1)
check.report()

# %% hidden="sequence-density"
_t = torch.linspace(-1.9, 2.3, 105, dtype=torch.float64)
_z = 1.7 * torch.cos(9 * _t**2).reshape(3, 7, 5)
_w = (torch.arange(21).reshape(3, 7) ** 2 + torch.arange(3)[:, None]) % 5
_n, _all = torch.tensor([7, 3, 5]), torch.tensor([7, 7, 7])
_gone = torch.arange(7) >= _n[:, None]  # (3, 7)
_odd = torch.where(_gone, torch.tensor([-100, 5, -1])[:, None], _w)
_wild = torch.where(_gone[..., None], torch.tensor([math.nan, math.inf, -math.inf, 3.0, 9.0]), _z)
check.value("value", lambda: sequence_log_prob(_z, _w, _all), case="full sequences")
_four = torch.full((8,), 4)
_more = 1.9 * torch.sin(torch.arange(256, dtype=_t.dtype) ** 2).reshape(8, 4, 8)
check.value(
    "value",
    lambda: sequence_log_prob(_more, (3 * torch.arange(32)).reshape(8, 4) % 8, _four),
    case="eight sequences, eight labels",
)
_two = torch.tensor([2, 2, 2])
check.value(
    "value",
    lambda: sequence_log_prob(_z[:, :2], _w[:, :2], _two),
    case="three sequences of two tokens",
)
check.value(
    "value",
    lambda: sequence_log_prob(_z[:1, :2], _w[:1, :2], torch.tensor([2])),
    case="one short sequence",
)
check.value(
    "value", lambda: sequence_log_prob(431.0 * _z, _w, _all), case="logits in the hundreds"
)
check.value(
    "value",
    lambda: sequence_log_prob(_z[:, :4, :3], _w[:, :4] % 3, _all - 3),
    case="fewer labels and steps",
)
check.law(
    "value",
    "equal",
    lambda: sequence_log_prob(_z, _w, _all),
    lambda: sequence_log_prob(_z + 3.7, _w, _all),
    case="a shift of all logits",
)
check.value(
    "padding", lambda: sequence_log_prob(_z, _odd, _n), case="labels of padding out of range"
)
check.value(
    "padding", lambda: sequence_log_prob(_wild, _odd, _n), case="logits of padding not finite"
)
check.value(
    "padding",
    lambda: sequence_log_prob(_wild, _odd, torch.tensor([2, 1, 4])),
    case="other lengths",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_z[:, :1], _w[:, :1], torch.tensor([1, 1, 1])),
    case="one step",
)
check.value(
    "padding",
    lambda: sequence_log_prob(900 * _wild, _odd, _n),
    case="large logits before the padding",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_wild[1:2], _odd[1:2], _n[1:2]),
    case="one sequence with padding",
)
_signs = math.inf * torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0]).double()
check.value(
    "padding",
    lambda: sequence_log_prob(torch.where(_gone[..., None], _signs, _z), _w, _n),
    case="infinite logits of padding, labels in range",
)
check.law(
    "padding",
    "equal",
    lambda: sequence_log_prob(_z[1:2, :3], _w[1:2, :3], _n[1:2]),
    lambda: sequence_log_prob(_wild[1:2], _odd[1:2], _n[1:2]),
    case="padding changed",
)
check.gradient("gradient", lambda z: sequence_log_prob(z, _w, _all), _z, case="full sequences")
check.gradient(
    "gradient",
    lambda z: sequence_log_prob(z, _odd, _n),
    _wild,
    case="padding with logits that are not finite",
)
check.gradient(
    "gradient", lambda z: sequence_log_prob(z, _odd, _n), 77 * _z, case="large logits, padding"
)
check.keeps(
    "padding",
    lambda *given: sequence_log_prob(*given, _n),
    _wild.nan_to_num(7.0),
    torch.where(_gone, -100, _w),
    case="padding is left as it is",
)
_last = torch.arange(1, 8) >= _n[:, None]
_nans = torch.where(_last[..., None], torch.tensor([math.nan, -math.inf, 8.0, math.inf, 1.0]), _z)
_far = torch.where(_gone, torch.tensor([10**12, -(10**12), 2**40])[:, None], _w)
check.value(
    "padding",
    lambda: sequence_log_prob(_nans, _far, _n),
    case="nothing finite from the last token on, huge tokens in the padding",
)
check.gradient(
    "gradient",
    lambda z: sequence_log_prob(z, _far, _n) * torch.tensor([1.3, -0.7, 2.1]),
    _nans,
    case="logits that are not finite from the last token on",
)
check.gradient(
    "gradient",
    lambda z: sequence_log_prob(z, _far, _n) * torch.tensor([1.3, -0.7, 2.1]),
    5800 * _nans,
    case="the largest logits, not finite from the last token on",
)
check.keeps(
    "padding",
    lambda *given: sequence_log_prob(*given),
    _nans.nan_to_num(7.0),
    _far.clone(),
    _n.clone(),
    case="huge tokens and lengths are left as they are",
)
_track = torch.arange(200).reshape(2, 100) ** 2 % 97 % 7
_loud = 9990 * torch.sin(torch.arange(1400, dtype=_t.dtype) ** 2).reshape(2, 100, 7)
check.value(
    "value",
    lambda: sequence_log_prob(_loud / 4000, _track, torch.tensor([100, 100])),
    case="a hundred tokens",
)
check.value(
    "value",
    lambda: sequence_log_prob(_loud[:, :5], _track[:, :5], torch.tensor([5, 5])),
    case="logits near ten thousand",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_loud / 4000, _track, torch.tensor([37, 99])),
    case="a hundred places, one or many of them padding",
)
check.value(
    "value",
    lambda: sequence_log_prob(
        _loud[:1, :3].reshape(1, 1, 21).repeat(1, 2, 1) / 3000,
        _track[:1, :2] * 2,
        torch.tensor([2]),
    ),
    case="one sequence of two tokens, labels that nobody uses",
)
check.value(
    "padding",
    lambda: (
        sequence_log_prob(_loud[:, :9, :1] / 3000, 0 * _track[:, :9], torch.tensor([9, 2])) + 1.3
    ),
    case="only one label",
)
check.value(
    "value",
    lambda: sequence_log_prob(
        _loud.reshape(100, 2, 7) / 3000, _track.reshape(100, 2), torch.full((100,), 2)
    ),
    case="a hundred sequences of two tokens",
)
_void = torch.where(torch.arange(5) > 2, math.inf, math.nan).to(_t.dtype).expand(3, 3, 5)
check.value(
    "padding",
    lambda: sequence_log_prob(_void, _odd[:, :3], torch.tensor([1, 1, 1])) + 0.83,
    case="three start symbols and nothing else",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_z[:1, :1], _w[:1, :1], torch.tensor([1])) + 0.83,
    case="one start symbol",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_loud[:1, :9, :1], 0 * _track[:1, :9], torch.tensor([4])) + 0.83,
    case="one sequence, only one label",
)
check.value(
    "value",
    lambda: sequence_log_prob(_z[:, :5], _w[:, :5], torch.tensor([5, 5, 5])),
    case="as many labels as places",
)
check.gradient(
    "gradient",
    lambda z: sequence_log_prob(z, _track.reshape(100, 2), torch.full((100,), 2)),
    _loud.reshape(100, 2, 7) / 3000,
    case="a hundred sequences",
)
check.gradient(
    "gradient",
    lambda z: sequence_log_prob(z, _track[:1], torch.tensor([83])),
    _loud[:1] / 3000,
    case="one sequence of a hundred places",
)
check.value(
    "padding",
    lambda: sequence_log_prob(_loud[:, :80] / 3000, _track[:, :80], torch.tensor([79, 79])),
    case="one place of padding in each sequence",
)

# %% [markdown]
# ## Exercise 8. In words: a better error from a worse distribution (5 min, 3 points)
#
# Two models forecast daily sales of spare parts; on most days a part sells 0 or 1 time. On new
# data model A has the smaller mean absolute error, model B the smaller NLL, and both differences
# are many standard errors. "One of the two measures must be broken", says the manager. Explain in
# at most 120 words how both can be right, and which model should decide how many parts to keep in
# stock, if running out is much dearer than a leftover. A person reads and grades this answer; no
# check runs.

# %% [markdown] written="better-error-worse-model" points=3
# ### BEGIN SOLUTION
# The MAE looks at one number per day, the forecast, and is smallest if that number is the
# *median*. The NLL looks at the probability of what came, so at the whole distribution. With many
# zeros the median is 0 or near it: a model whose forecast lies low wins the MAE even against the
# true mean, and its probabilities of large sales may be far off. So A's single number is closer to
# the median, and B's probabilities are closer to the truth. If running out is dear, the best stock
# is a high quantile, and that is a statement about the tail: take it from B, the .9 quantile if
# running out costs nine times a leftover. Check it with the costs of both on held-out days.
#
# **Rubric.** One point for: the MAE judges one number, and rewards the median. One point for: the
# NLL judges the whole distribution, which a good single number does not fix. One point for: the
# stock is a quantile above the median that follows from the costs, taken from model B (or from
# whichever has the lower realised cost on new data). "NLL is just the better metric" alone earns
# nothing.
# ### END SOLUTION
