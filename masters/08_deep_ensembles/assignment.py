# %% [markdown]
# # Assignment 08: Deep ensembles
#
# Six exercises in code and one in words, 37 points, about 70 minutes. You write what turns members
# into one forecast: its moments, its NLL, its quantiles, its vote; then members that cost nothing
# to train, and an answer to the question how many of them are enough.
#
# All numbers are in float64. Inputs are NumPy arrays, except in exercises 2 and 4, where they are
# tensors. Results may be Python numbers, NumPy arrays or tensors, unless an exercise says more.
# $M$ is the number of members, and $M = 1$ occurs everywhere. Anything that NumPy, SciPy, PyTorch
# or scikit-learn offers may be used.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a million in size, what must be positive is at least a
# millionth, no axis is empty or longer than a thousand, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import numpy as np
import scipy.optimize as optimize  # noqa: F401 - for root finders
import scipy.special as special
import torch

from course_utils.checks import Checks

# %% [markdown]
# ## Exercise 1. Moments of a weighted mixture (10 min, 5 points)
#
# Members that did well on held-out data may get more weight. Member $m$ forecasts a distribution
# with mean $\mu_m$ and standard deviation $\sigma_m$; the ensemble draws a member with probability
# proportional to its weight, and then a value from that member.
#
# Write `mixture_moments(mu, sigma, weight)`, which returns the tuple `(mean, sd)` of the
# ensemble's mean and standard deviation.
#
# - `mu` and `sigma` have shape `(M, n)`: one row for each member, one column for each input.
#   `weight` has shape `(M,)`; the weights are positive and sum to anything. Means are at most a
#   thousand in size, standard deviations at least a hundredth.
# - Both results have shape `(n,)`. They are the exact moments of the distribution described, not
#   estimates from a sample of members. With one member they are that member's own.
#
# Points: mean 1, sd 2, weights 1, one member 1.


# %% exercise="mixture-moments"
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    ### BEGIN SOLUTION
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))
    ### END SOLUTION


# %% [markdown] why="mixture-moments"
# The variance of a mixture is the mean variance plus the variance of the means. An average of the
# standard deviations forgets the second part, and the second part is the disagreement.

# %% checks="mixture-moments" points=5
check = Checks("mixture-moments")
mu = np.array([[0.0, 4.0, -1.0], [1.0, 4.0, 0.5], [2.5, 4.0, 3.0]])
sigma = np.array([[1.1, 0.5, 0.3], [2.0, 1.5, 0.1], [3.0, 1.0, 0.6]])
equal, uneven = np.full(3, 1 / 3), np.array([4.0, 1.0, 2.0])
check.keeps("mean", mixture_moments, mu.copy(), sigma.copy(), uneven.copy())
check.value("mean", lambda: mixture_moments(mu, sigma, equal)[0], points=1)
check.value("sd", lambda: mixture_moments(mu, sigma, equal)[1], points=2)
check.value("weights", lambda: tuple(mixture_moments(mu, sigma, uneven)), points=1)
check.value(
    "one member", lambda: tuple(mixture_moments(mu[2:], sigma[2:], np.array([1.0]))), points=1
)
check.report()

# %% hidden="mixture-moments"
_t = np.linspace(-1.7, 2.3, 30)
_m, _s = (2.41 * np.sin(5 * _t)).reshape(5, 6), (0.4 + np.cos(3 * _t) ** 2).reshape(5, 6)
_w = np.array([0.31, 2.7, 1.1, 0.07, 5.3])
check.value("mean", lambda: mixture_moments(_m, _s, np.full(5, 0.2))[0], case="equal weights")
check.value(
    "mean",
    lambda: mixture_moments(_m[:2, :1], _s[:2, :1], np.full(2, 0.5))[0],
    case="two members, one place",
)
check.value("sd", lambda: mixture_moments(_m, _s, np.full(5, 0.2))[1], case="equal weights")
check.value(
    "sd",
    lambda: mixture_moments(_m[:2, :1], _s[:2, :1], np.full(2, 0.5))[1],
    case="two members, one place",
)
check.value("sd", lambda: mixture_moments(_m, 0.03 * _s, np.full(5, 0.2))[1], case="small scales")
check.law(
    "sd",
    "equal",
    lambda: mixture_moments(_m, _s, np.full(5, 0.2))[1],
    lambda: mixture_moments(_m - 3.7, _s, np.full(5, 0.2))[1],
    lambda: mixture_moments(np.tile(_m, (2, 1)), np.tile(_s, (2, 1)), np.full(10, 0.1))[1],
    case="shifted means, members repeated",
)
check.value(
    "weights", lambda: tuple(mixture_moments(_m, _s, _w)), case="weights that do not sum to 1"
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_m, _s, 0.01 * _w[::-1].copy())),
    case="small weights, reversed",
)
check.law(
    "weights",
    "equal",
    lambda: mixture_moments(_m[:2], _s[:2], np.array([2.0, 1.0]))[1],
    lambda: mixture_moments(_m[[0, 0, 1]], _s[[0, 0, 1]], np.full(3, 1 / 3))[1],
    case="a weight of two against two members",
)
check.value(
    "one member",
    lambda: tuple(mixture_moments(_m[3:4], _s[3:4], np.array([1.0]))),
    case="one member",
)
check.value(
    "one member",
    lambda: tuple(mixture_moments(_m[:1, :1], _s[:1, :1], np.array([1.0]))),
    case="one member, one place",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_m[:2], _s[:2], np.array([2e-6, 1e-6]))),
    case="weights of a millionth",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(300 * _m[:3], _s[:3], np.array([1.0, 2e-4, 0.7]))),
    case="a weight of almost nothing, far away",
)
_apart, _narrow = np.array([[0.0], [1000.0]]), np.full((2, 1), 0.01)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_apart, _narrow, np.array([1e6, 1e-6]))),
    case="a millionth against a million",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_m[:2], _s[:2], np.array([1e6, 3.0]))),
    case="a weight of a million",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_apart, _narrow, np.array([1e-6, 1.009e-6]))),
    case="weights of a millionth that differ by a hundredth",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(300 * _m[:3], _s[:3], np.full(3, 0.331))),
    case="weights that nearly sum to one",
)
check.keeps("weights", mixture_moments, _m.copy(), _s.copy(), 0.01 * _w, case="small weights")
check.value(
    "sd",
    lambda: mixture_moments(_apart, np.array([[1e6], [3.0]]), np.full(2, 0.5))[1],
    case="a scale of a million",
)
check.value(
    "sd",
    lambda: mixture_moments(990.0 + 9e-6 * _apart, _narrow, np.full(2, 0.5))[1],
    case="narrow members, close together, far from 0",
)
check.value(
    "one member",
    lambda: tuple(mixture_moments(np.array([[777.7]]), np.array([[0.02]]), np.array([1.0]))),
    case="one narrow member, far from 0",
)
check.keeps(
    "one member",
    mixture_moments,
    _m[3:4] + 0.7,  # a view might have been changed above
    _s[3:4].copy(),
    np.array([1.0]),
    case="one member",
)
_crowd = np.sin(np.arange(393.0) ** 2).reshape(131, 3)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_m[:4, :4], 7e5 * _s[:4, :4], _w[:4])),
    case="as many members as places, large scales",
)
check.value(
    "sd",
    lambda: mixture_moments(_m[:1, :3], 7e5 * _s[:1, :3], np.ones(1))[1],
    case="one member, large scales",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_crowd, 0.3 + _crowd**2, 1.1 + _crowd[:, 1])),
    case="131 members",
)
check.value(
    "weights",
    lambda: tuple(mixture_moments(_m[3:4], _s[3:4], np.array([2.7]))),
    case="one member, a weight that is not 1",
)

# %% [markdown]
# ## Exercise 2. The NLL of the ensemble (10 min, 6 points)
#
# The members forecast Normals, and the ensemble is their mixture with equal weights. Its density
# is the mean of the members' densities, and for a far point each of them underflows to 0.
#
# Write `mixture_nll(mu, sigma, y)`: the **mean** over the $n$ points, in nats, of the negative
# log-density of `y` under the mixture.
#
# - `mu` and `sigma` are tensors of shape `(M, n)`, `y` is one of shape `(n,)`; `sigma` is at least
#   $10^{-8}$.
# - Return a 0-d tensor. Value and gradient with respect to `mu` must be right for points up to a
#   million standard deviations away from every member.
#
# Points: value 3, far points 2, gradient 1.


# %% exercise="mixture-nll"
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    ### BEGIN SOLUTION
    log_density = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).mean()
    ### END SOLUTION


# %% [markdown] why="mixture-nll"
# The ensemble's density is the average of its members' densities, so the logarithm comes after the
# average: `logsumexp` less $\log M$. The average of the members' NLLs is another number, and never
# a smaller one.

# %% checks="mixture-nll" points=6
check = Checks("mixture-nll")
mu = torch.tensor([[0.0, 1.0, 3.0], [1.0, 1.5, -2.0]], dtype=torch.float64)
sigma = torch.tensor([[1.0, 0.5, 2.0], [2.0, 0.5, 0.3]], dtype=torch.float64)
y = torch.tensor([0.5, 3.0, 3.0], dtype=torch.float64)
check.keeps("value", mixture_nll, mu.clone(), sigma.clone(), y.clone())
check.value("value", lambda: mixture_nll(mu, sigma, y), points=3)
check.value("far points", lambda: mixture_nll(mu, sigma, 1000 * y), points=2)
check.gradient("gradient", lambda m: mixture_nll(m, sigma, y), mu, points=1)
check.report()

# %% hidden="mixture-nll"
_t = torch.linspace(-1.9, 2.2, 20, dtype=torch.float64)
_m, _s = 1.3 * torch.sin(4 * _t).reshape(4, 5), 0.35 + torch.cos(3 * _t).reshape(4, 5) ** 2
_y, _far = _t[::4].flip(0) + 0.19, torch.tensor([1200.0, -0.4, -870.0, 0.9, 640.0]).double()
check.value("value", lambda: mixture_nll(_m, _s, _y), case="four members")
check.value("value", lambda: mixture_nll(_m[1:2], _s[1:2], _y), case="one member")
check.value(
    "value",
    lambda: mixture_nll(_m[:3, :1], 0.02 * _s[:3, :1], _m[1, :1]),
    case="one place, small scales",
)
check.law(
    "value",
    "equal",
    lambda: mixture_nll(_m, _s, _y),
    lambda: mixture_nll(_m.repeat(2, 1), _s.repeat(2, 1), _y),
    lambda: mixture_nll(_m.repeat(1, 2), _s.repeat(1, 2), _y.repeat(2)),
    lambda: mixture_nll(_m.flip(0) + 2.1, _s.flip(0), _y + 2.1),
    case="members and places repeated, all shifted",
)
check.law(
    "value",
    "nonnegative",  # Jensen: at most the mean NLL of the members
    lambda: -torch.distributions.Normal(_m, _s).log_prob(_y).mean() - mixture_nll(_m, _s, _y),
    case="against the members' mean NLL",
)
check.value("far points", lambda: mixture_nll(_m, _s, _far), case="points far from all members")
check.value(
    "far points",
    lambda: mixture_nll(_m[:, :1] + 77.0, 0.04 * _s[:, :1], _y[:1]),
    case="one far point, small scales",
)
check.gradient("gradient", lambda m: mixture_nll(m, _s, _y), _m, case="with respect to the means")
check.gradient(
    "gradient", lambda m: 1.7 * mixture_nll(m, _s, _far), _m, case="points far from all members"
)
check.gradient("gradient", lambda m: mixture_nll(m, _s[:1], _y), _m[:1], case="one member")
check.value(
    "value",
    lambda: mixture_nll(0 * _m, 1e-8 * (1 + _s), 2e-8 * _y),
    case="scales of a hundred millionth",
)
check.value("value", lambda: mixture_nll(9e5 + _m, _s, 9e5 + _y), case="values near a million")
_pair, _ones = torch.tensor([[0.0], [0.0013]]).double(), torch.ones(2, 1).double()
_row = torch.linspace(-3, 4, 131).double()
check.value(
    "value",
    lambda: mixture_nll(_m[:3, :3], _s[:3, :3], _y[:3]),
    case="three members, three points",
)
check.value(
    "value",
    lambda: mixture_nll(_m.repeat(1, 27)[:, :131], _s.repeat(1, 27)[:, :131], _row),
    case="131 points",
)
check.value(
    "value", lambda: mixture_nll(_pair, 1e5 * _ones, _row[:1]), case="scales of a hundred thousand"
)
check.value("gradient", lambda: mixture_nll(_m, _s, _y).ndim, case="the result is a 0-d tensor")


def _asks():
    _given = _m.clone()
    mixture_nll(_given, _s, _y)
    return _given.requires_grad


check.value("value", _asks, case="means that ask for no gradient")
check.value(
    "far points",
    lambda: mixture_nll(_pair, 1e-3 * _ones, 1000.0 * _ones[0]),
    case="a million standard deviations away",
)
check.gradient(
    "gradient",
    lambda m: mixture_nll(m, _ones, 1000.0 * _ones[0]),
    0 * _pair,
    case="a far point, two members that agree",
)
check.gradient(
    "gradient",
    lambda m: mixture_nll(m, _ones, 1000.3 * _ones[0]),
    _pair,
    case="a far point that two members share",
)
_crowd = torch.sin(torch.arange(393.0).double() ** 2).reshape(131, 3)
_path = torch.linspace(-3, 9, 777).double()
check.value(
    "value", lambda: mixture_nll(_crowd, 0.2 + _crowd**2, _y[:3]), case="131 members, three points"
)
check.value(
    "value",
    lambda: mixture_nll(_pair + 0 * _path, 0.7 * _ones + 0 * _path, _path),
    case="777 points",
)
check.value(
    "value",
    lambda: mixture_nll(1e-8 * _m[:, :3], 1e-8 + 0 * _m[:, :3], 1e-8 * _y[:3]),
    case="the smallest scales",
)
check.value(
    "value",
    lambda: mixture_nll(_m, 1e6 / (1 + _s), _y),
    case="scales near a million",
)
check.value(
    "far points",
    lambda: mixture_nll(-_pair, 1e-3 * _ones, -1000.0 * _ones[0]),
    case="a million standard deviations below",
)
check.gradient(
    "gradient",
    lambda m: mixture_nll(m, 2e-6 * _s, 1e-6 * _y),
    1e-6 * _m,
    case="small scales",
)
check.gradient(
    "gradient",
    lambda m: mixture_nll(m, 0.2 + _crowd**2, _y[:3]),
    _crowd,
    case="131 members",
)

# %% [markdown]
# ## Exercise 3. A quantile of the ensemble (10 min, 6 points)
#
# An interval for $y$ needs quantiles. Those of a mixture have no formula, but its distribution
# function has: $F(t) = \frac1M \sum_m \Phi\!\left((t - \mu_m) / \sigma_m\right)$, where $\Phi$ is
# that of the standard normal.
#
# Write `mixture_quantile(mu, sigma, q)`: the number $t$ with $F(t) = q$, for the mixture of $M$
# Normals with equal weights.
#
# - `mu` and `sigma` have shape `(M,)`; `q` is a number in $(0, 1)$, between $10^{-6}$ and
#   $1 - 10^{-6}$, and $qM$ is a thousandth or more away from $1, 2, \dots, M - 1$.
# - Return one number, right to $10^{-7}$ of the range from the smallest to the largest
#   $q$-quantile of the members. (Your answer lies in that range. Why?) Either all members agree,
#   and an error of rounding is allowed; or that range is at least $10^{-7}$ of the largest number,
#   in size, in `mu` and `sigma`, and a thousandth of it where $q$ is above 0.99.
# - Members may lie far apart, with hardly any probability between them. Any method will do that
#   gets there; set its tolerance yourself.
#
# Points: quantile 3, tails 1, far apart 2.


# %% exercise="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    ### BEGIN SOLUTION
    ends = mu + sigma * special.ndtri(q)  # the members' own quantiles
    low, high = ends.min(), ends.max()
    for _ in range(50):  # halves of halves
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return low
    ### END SOLUTION


# %% [markdown] why="mixture-quantile"
# The quantile of a mixture is not the average of quantiles: it has to be searched for, where the
# average distribution function reaches $q$. It lies between the members' own quantiles, so halving
# cannot lose it.

# %% checks="mixture-quantile" points=6
check = Checks("mixture-quantile")
mu, sigma = np.array([0.0, 1.0, 2.5]), np.array([1.0, 2.0, 0.5])
wide = np.array([-40.0, 7.0, 90.0])
check.keeps(
    "quantile", lambda mu, sigma: mixture_quantile(mu, sigma, 0.3), mu.copy(), sigma.copy()
)
check.value("quantile", lambda: mixture_quantile(mu, sigma, 0.3), points=3)
check.value("quantile", lambda: mixture_quantile(mu, sigma, 0.95))
check.value("tails", lambda: mixture_quantile(mu, sigma, 1e-5), points=1)
check.value("far apart", lambda: mixture_quantile(wide, sigma, 0.25), points=2)
check.report()

# %% hidden="mixture-quantile"
_t = np.linspace(-1.3, 2.1, 6)
_m, _s = 1.7 * np.sin(3 * _t), 0.3 + np.cos(2 * _t) ** 2
_three = (np.array([-310.0, 12.0, 255.0]), np.array([1.3, 0.4, 2.2]))
check.value("quantile", lambda: mixture_quantile(_m, _s, 0.27), case="six members, level .27")
check.value("quantile", lambda: mixture_quantile(_m, _s, 0.913), case="six members, level .913")
check.value(
    "quantile", lambda: mixture_quantile(_m[:2], 0.05 * _s[:2], 0.64), case="two narrow members"
)
check.value("quantile", lambda: mixture_quantile(_m[1:2], _s[1:2], 0.83), case="one member")
check.value(
    "quantile",
    lambda: mixture_quantile(_m[[2, 2]], _s[[2, 2]], 0.37),
    case="twice the same member",
)
check.law(
    "quantile",
    "equal",
    lambda: mixture_quantile(_m, _s, 0.17),
    lambda: mixture_quantile(np.tile(_m, 2), np.tile(_s, 2), 0.17),
    lambda: -mixture_quantile(-_m[::-1].copy(), _s[::-1].copy(), 0.83),
    lambda: mixture_quantile(4 * _m + 9, 4 * _s, 0.17) / 4 - 2.25,
    case="mirrored, scaled and repeated members",
)
check.value("tails", lambda: mixture_quantile(_m, _s, 3e-6), case="a level of three millionths")
check.value("tails", lambda: mixture_quantile(_m, _s, 1 - 2e-5), case="a level near 1")
check.value(
    "tails",
    lambda: mixture_quantile(_m[:2] + 5, np.array([0.9, 0.07]), 0.00013),
    case="a small level, two members",
)
check.value("far apart", lambda: mixture_quantile(*_three, 0.21), case="three members far apart")
check.value(
    "far apart", lambda: mixture_quantile(*_three, 0.41), case="a level inside the middle member"
)
check.value(
    "far apart",
    lambda: mixture_quantile(_three[0], _three[1] * [1, 0.006, 1], 0.41),
    case="a narrow member in the middle",
)
check.value(
    "far apart", lambda: mixture_quantile(*_three, 0.995), case="a level near 1, members far apart"
)
check.value(
    "far apart",
    lambda: mixture_quantile(_m[:2] + [0, 830], 0.11 * _s[:2], 0.77),
    case="two members far apart",
)
check.value(
    "quantile", lambda: mixture_quantile(_m, _s, 0.27) + 1.15, case="to the accuracy asked for"
)
check.value(
    "quantile", lambda: mixture_quantile(_m, _s, 0.913) - 1.71, case="to the accuracy asked for"
)
check.value(
    "tails", lambda: mixture_quantile(_m, _s, 3e-6) + 6.46, case="to the accuracy asked for"
)
check.value(
    "far apart", lambda: mixture_quantile(*_three, 0.41) - 6.1, case="to the accuracy asked for"
)
check.value(
    "quantile",
    lambda: 1e6 * mixture_quantile(1e-6 * (2 + _m), 1e-6 * (1 + _s), 0.27) - 1.2,
    case="members a millionth in size",
)
_alike = 1e-6 * np.array([[-0.35, -0.36, -0.23], [1.85, 1.18, 1.48]])
check.value(
    "quantile",
    lambda: 1e9 * mixture_quantile(*_alike.copy(), 0.5326) + 190,
    case="members a millionth in size, to the accuracy asked for",
)
_wider = np.array([0.7, 1.1, 9e5])
check.value(
    "far apart",
    lambda: mixture_quantile(np.array([0.4, 1.7, 0.9]), _wider, 0.5) - 0.99,
    case="one member a million times wider",
)
check.value(
    "quantile",
    lambda: [
        mixture_quantile(_m[:1], _s[:1], q) for q in (0.3, 0.07, 0.61, 0.12, 0.77, 0.29, 0.93)
    ],
    case="one member, seven levels",
)
check.value(
    "quantile",
    lambda: mixture_quantile(5e5 + _m, _s, 0.27) - 5e5,
    case="members near half a million",
)
_fan = np.array([2.0, 1.0, 0.5])
check.value(
    "quantile",
    lambda: (
        1e8
        * (
            mixture_quantile(np.array([0.0, 1e-8]), np.full(2, 1e-6), 0.3)
            - 1e-6 * special.ndtri(0.3)
        )
        - 0.49934
    ),
    case="a range of a hundred millionth",
)
check.value(
    "quantile",
    lambda: mixture_quantile(np.array([9e5, 8e5]), np.array([1e6, 7e5]), 0.93),
    case="a quantile beyond a million",
)
check.value(
    "quantile",
    lambda: [
        1.0 + mixture_quantile(-special.ndtri(q) * _fan, _fan, q)
        for q in (0.3, 0.07, 0.61, 0.12, 0.77, 0.29, 0.93)
    ],
    case="different members that agree on the quantile",
)
check.value(
    "tails",
    lambda: (
        1e4 * (mixture_quantile(np.array([0.0, 1e-4]), np.ones(2), 1e-6) - special.ndtri(1e-6))
    ),
    case="the lowest level, members that nearly agree",
)
check.value(
    "tails",
    lambda: mixture_quantile(np.array([0.3]), np.array([1.7]), 1e-6),
    case="the lowest level, one member",
)
check.value(
    "tails",
    lambda: [mixture_quantile(_m, _s, 1e-6), mixture_quantile(_m, _s, 1 - 1e-6)],
    case="the lowest and the highest level",
)
check.value(
    "far apart", lambda: mixture_quantile(*_three, 0.334), case="a level just above a third"
)
_crowd = np.sin(np.arange(131.0) ** 2)
check.value(
    "quantile",
    lambda: mixture_quantile(_crowd, 0.2 + _crowd[::-1] ** 2, 0.37),
    case="131 members",
)
check.value(
    "quantile",
    lambda: mixture_quantile(_m[[0, 3, 3, 3]], _s[[0, 3, 3, 3]], 0.37),
    case="a member that occurs three times",
)
check.value(
    "quantile",
    lambda: mixture_quantile(0 * _m + 0.37, _s, 0.27),
    case="means alike, standard deviations that differ",
)

# %% [markdown]
# ## Exercise 4. Pooling and voting (10 min, 6 points)
#
# For classes there are two ways to make one decision out of $M$: average the probabilities, or let
# each member vote. Write `pool(logits)`, which returns the tuple `(probability, votes, label)`.
#
# - `logits` is a tensor of shape `(M, n, K)`. The softmax over the last axis is what a member
#   forecasts; the logits may be as large as $\pm 2000$.
# - `probability`, shape `(n, K)`: the forecast of the ensemble that draws one of its members at
#   random.
# - `votes`, shape `(n, K)`: the share of members whose most probable class is $k$. A member's
#   logits differ by $10^{-9}$ or more.
# - `label`, shape `(n,)`: the class with the most votes (an integer); of several with equally
#   many, the one with the largest `probability`.
#
# Points: probability 2, votes 2, label 2.


# %% exercise="pool-the-votes"
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    ### BEGIN SOLUTION
    p = logits.softmax(2)
    probability = p.mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).to(p.dtype).mean(0)
    leads = votes > votes.max(1, keepdim=True).values - 1e-9
    return probability, votes, torch.where(leads, probability, -1).argmax(1)
    ### END SOLUTION


# %% [markdown] why="pool-the-votes"
# A vote keeps of each member only the label it likes best, a pooled probability keeps how sure it
# is. Ties between votes are settled by the pooled probability.

# %% checks="pool-the-votes" points=6
check = Checks("pool-the-votes")
logits = torch.tensor(
    [
        [[2.0, 0.0, 1.0], [0.0, 3.0, 1.0], [4.0, 0.0, 1.0], [0.5, 0.0, 2.0]],
        [[1.0, 0.5, 0.0], [0.2, 0.0, 0.1], [0.0, 1.0, 2.6], [0.0, 1.0, 0.3]],
        [[0.0, 0.1, 5.0], [0.3, 0.0, 0.2], [0.0, 3.0, 0.5], [1.0, 4.0, 0.0]],
    ],
    dtype=torch.float64,
)
check.keeps("probability", pool, logits.clone())
check.value("probability", lambda: pool(logits)[0], points=2)
check.value("probability", lambda: pool(200 * logits)[0])
check.value("votes", lambda: pool(logits)[1], points=2)
check.value("label", lambda: pool(logits)[2], points=2)
check.report()

# %% hidden="pool-the-votes"
_t = torch.linspace(-2.3, 3.1, 260, dtype=torch.float64)
_z = 2.1 * (torch.sin(31 * _t) + torch.cos(47 * _t)).reshape(13, 5, 4)
_z2 = 1.6 * (torch.cos(29 * _t[:132]) - torch.sin(53 * _t[:132])).reshape(11, 6, 2)
check.value("probability", lambda: pool(_z)[0], case="13 members, four classes")
check.value("probability", lambda: pool(_z[:1])[0], case="one member")
check.value("probability", lambda: pool(_z + 930.0)[0], case="logits near 900")
check.value("probability", lambda: pool(430.0 * _z[:3, :, :3])[0], case="logits in the hundreds")
check.law(
    "probability",
    "sums_to_one",
    lambda: pool(_z)[0],
    lambda: pool(_z[:, :1])[0],
    case="one example",
)
check.value("votes", lambda: pool(_z)[1], case="13 members, four classes")
check.value("votes", lambda: pool(_z[:, :1].flip(2))[1], case="one example")
check.value("votes", lambda: pool(_z2)[1], case="two classes")
check.law(
    "votes", "sums_to_one", lambda: pool(_z)[1], lambda: pool(_z2[:5])[1], case="five members"
)
check.value("label", lambda: pool(_z)[2], case="13 members, four classes")
check.value("label", lambda: pool(_z[:4])[2], case="four members")
check.value("label", lambda: pool(_z2[:6])[2], case="two classes, six members")
check.value("label", lambda: pool(0.31 * _z[2:5].flip(1))[2], case="three members")
_u = torch.linspace(-2.9, 2.3, 90, dtype=torch.float64)
_u = (1.3 * torch.sin(29 * _u) + torch.cos(53 * _u)).reshape(5, 6, 3)
_v = torch.linspace(-2.9, 2.3, 144, dtype=torch.float64)
_v = (1.3 * torch.sin(37 * _v) + torch.cos(53 * _v)).reshape(6, 6, 4)
_bold = torch.logspace(-1, 1, 6, dtype=torch.float64)[:, None, None]  # from meek to sure members
check.value(
    "label",
    lambda: pool(_u * torch.logspace(-1, 1, 5).double()[:, None, None])[2],
    case="members of different boldness",
)
check.value(
    "label", lambda: pool(_v * _bold)[2], case="members of different boldness, four classes"
)
check.law(
    "label",
    "equal",
    lambda: pool(_z)[2],
    lambda: pool(_z.flip(0) + 11.3)[2],
    case="reordered members, shifted logits",
)
_r = torch.linspace(-2.1, 2.7, 504, dtype=torch.float64)
_r = (1.7 * torch.sin(43 * _r) + torch.cos(59 * _r)).reshape(9, 8, 7)
check.value("probability", lambda: pool(_r)[0], case="nine members, eight examples, seven classes")
check.value("votes", lambda: pool(_r)[1], case="nine members, eight examples, seven classes")
check.value("label", lambda: pool(_r)[2], case="nine members, eight examples, seven classes")
check.value("label", lambda: pool(_r[:6])[2], case="six members, seven classes")
_one = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3, 4, 5, 5, 5, 6]), 7)[:, None]
check.value("label", lambda: pool(9.1 * _one + 0.3 * _r)[2], case="the winner is met late")
_shy = _z - 40.0 * (torch.arange(4) == 3)
check.value("votes", lambda: pool(_shy)[1], case="a last class without a vote")
check.value("label", lambda: pool(_shy)[2], case="a last class without a vote")
_meek, _sure = torch.tensor([[0.04, 0.0]]).double(), torch.tensor([[0.0, 30.0]]).double()
_split = torch.stack([_meek] * 13 + [_sure] * 12)
check.value("label", lambda: pool(_split)[2] + 0.0, case="13 meek members against 12 sure ones")
_brink = 900.0 + 1e-6 * _z
check.value("votes", lambda: pool(_brink)[1], case="logits that differ by a millionth")
check.value("label", lambda: pool(_brink[:5])[2], case="logits that differ by a millionth")
_hair = torch.tensor([[[0.0, 2e-9, -1.0]], [[0.5, 0.2, 0.5 + 3e-9]]], dtype=torch.float64)
check.value("votes", lambda: pool(_hair)[1], case="logits that differ by 2e-9")
check.value("votes", lambda: pool(_z[:1])[1], case="one member")
check.value(
    "votes", lambda: pool(torch.stack([_sure] * 300 + [_meek] * 100))[1], case="400 members"
)
check.value(
    "votes",
    lambda: pool((torch.arange(39).double() * 7 % 13).reshape(3, 1, 13))[1],
    case="thirteen classes",
)
check.value(
    "label", lambda: np.asarray(pool(_z)[2]).dtype.kind == "f", case="the label is a whole number"
)
check.value(
    "label",
    lambda: pool(torch.stack([_meek] * 301 + [_sure] * 300))[2],
    case="301 meek members against 300 sure ones",
)
check.value(
    "label",
    lambda: pool(torch.tensor([[[1e-9, 0.0]], [[0.0, 2e-9]]], dtype=torch.float64))[2],
    case="a tie that a ten-billionth of probability decides",
)
check.keeps("probability", pool, 900.0 + _z, case="large logits")
check.value(
    "label",
    lambda: pool(torch.stack([_meek] * 500 + [_sure] * 499))[2],
    case="500 meek members against 499 sure ones",
)

# %% [markdown]
# ## Exercise 5. Members from seeds (15 min, 6 points)
#
# A network with a random first layer that stays fixed is trained by solving one linear system, so
# that a whole ensemble costs milliseconds. What makes its members differ is the seed, and nothing
# else may.
#
# Write `random_members(x, y, x_new, seeds)`, an array or tensor of shape `(M, k)`: the predictions
# of one member for each seed, at the $k$ inputs `x_new`.
#
# - `x` and `y` have shape `(n,)`, `x_new` has shape `(k,)`; `seeds` is a list of $M$ integers
#   from 0 to a million, and may hold the same one twice.
# - For seed $s$, make a new generator with `torch.Generator().manual_seed(s)`. From it draw, in
#   float64 and in this order, 20 standard normals with `torch.randn` and 20 uniforms with
#   `torch.rand`. The frequencies $w$ are 2 times the normals, the phases $b$ are $2\pi$ times the
#   uniforms.
# - The features of an input are $\phi_j(x) = \cos(w_j x + b_j)$. The readout $a$ minimises
#   $\sum_i \left(y_i - \sum_j a_j \phi_j(x_i)\right)^2 + 0.3 \sum_j a_j^2$ exactly; there is no
#   intercept. The prediction is $\sum_j a_j \phi_j$.
# - A row depends on its own seed, not on the other seeds or their order. The global random
#   generators of torch and NumPy are left as they are.
#
# Points: seeds 2, members 4.


# %% exercise="members-from-seeds"
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    ### BEGIN SOLUTION
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)
    ### END SOLUTION


# %% [markdown] why="members-from-seeds"
# Each member has a generator of its own: nobody's draws depend on who came before, and the global
# stream is left alone. All members see the same data; they differ in their features alone.

# %% checks="members-from-seeds" points=6
check = Checks("members-from-seeds")
x = np.linspace(-1.5, 1.5, 12)
y, x_new = np.sin(2 * x) + 0.4, np.array([-0.4, 0.3, 2.0])
check.keeps("seeds", lambda *a: random_members(*a, [3, 8]), x.copy(), y.copy(), x_new.copy())
check.value("seeds", lambda: random_members(x, y, x_new, [8, 3, 8]), points=2)
check.value("members", lambda: random_members(x, y, x_new, [8]), points=4)
check.report()

# %% hidden="members-from-seeds"
_x = np.linspace(-1.9, 1.7, 17) ** 3 / 3
_y, _new = np.exp(0.6 * _x) - np.cos(3 * _x), np.array([-2.6, -0.33, 0.71, 1.9])
_line = np.linspace(-1, 1, 9)
check.value(
    "seeds",
    lambda: random_members(_x, _y, _new, [41, 7, 12, 7]),
    case="four seeds, one of them twice",
)
check.value("seeds", lambda: random_members(_x, _y, _new[:1], [12, 41]), case="one new point")
check.value(
    "seeds",
    lambda: np.std(np.asarray(random_members(_x, _y, _new, [5, 6, 9])), axis=0),
    case="the spread of three members",
)
check.value("members", lambda: random_members(_x, _y, _new, [29]), case="one member")
check.value(
    "members", lambda: random_members(_line, 3.3 + _line, _new[1:], [0]), case="data on a line"
)
check.value(
    "members", lambda: random_members(_x[:4], _y[:4], _new, [104729]), case="four data points"
)
check.law(
    "members",
    "equal",
    lambda: random_members(_x, _y, _new, [6]),
    lambda: random_members(_x[::-1].copy(), _y[::-1].copy(), _new, [6]),
    lambda: random_members(_x, 5 * _y, _new, [6]) / 5,
    case="reordered and scaled data",
)
_many = [3, 1, 4, 15, 92, 65, 35]
check.value("seeds", lambda: random_members(_x, _y, _new, _many), case="seven seeds")
check.value(
    "members",
    lambda: random_members(1e5 + _x, _y, 1e5 + _new, [29]),
    case="inputs of a hundred thousand",
)
_long = np.linspace(-3, 3, 500)
check.value(
    "members", lambda: random_members(_long, np.sign(_long), _new, [8]), case="500 data points"
)


def _kept_seeds():
    _given = [4, 9]
    random_members(_x, _y, _new, _given)
    return [len(_given), *_given]


check.value("seeds", _kept_seeds, case="the list of seeds is left as it is")
_wavy = np.linspace(-6, 6, 60)
check.value(
    "members", lambda: random_members(_wavy, np.cos(4 * _wavy), _new, [1]), case="60 wavy points"
)
_twice = np.repeat(_x, 2)
check.value(
    "members", lambda: random_members(_x, _y, _new, [1000000]), case="the seed of a million"
)
check.value("members", lambda: random_members(_x[:1], _y[:1], _new, [29]), case="one data point")
check.value(
    "members",
    lambda: random_members(_x, _y, _new[[2, 0, 3, 1]], [29]),
    case="new inputs in no order",
)
check.value(
    "members",
    lambda: random_members(_twice, np.arange(34.0) % 5, _new, [29]),
    case="every input twice, with different values",
)
check.keeps(
    "seeds",
    lambda *a: random_members(*a, [31]),
    _x.copy(),
    _y.copy(),
    _new.copy(),
    case="one seed",
)
check.keeps(
    "seeds",
    lambda *a: random_members(*a, [29, 3]),
    _x[::-1].copy(),
    _y[::-1].copy(),
    _new.copy(),
    case="data in falling order",
)
_dense = np.linspace(-4, 5, 777)
check.value(
    "seeds",
    lambda: random_members(_x, _y, _new, [777777, 524289]),
    case="large seeds",
)
check.value(
    "members",
    lambda: random_members(_dense, np.abs(_dense), np.cos(np.arange(137.0)), [8]),
    case="777 data points, 137 new inputs",
)
check.value(
    "members",
    lambda: random_members(9e5 + _x, _y, 9e5 + _new, [29]),
    case="inputs near a million",
)

# %% [markdown]
# ## Exercise 6. How many are enough? (10 min, 5 points)
#
# You have trained $M$ members. Would $m$ of them have done? The first $m$ are one subset among
# many; a fair answer averages over all of them.
#
# Write `sub_ensemble_error(f, y, m)`: the mean squared error of the mean of $m$ members, averaged
# over all subsets of $m$ different members and over the $n$ points.
#
# - `f` has shape `(M, n)` and holds the members' predictions, $1 \le M \le 12$; `y` has shape
#   `(n,)`; $1 \le m \le M$.
# - Return one number, exact up to rounding: no subset is left out and none is drawn at random.
# - Going through all subsets is quick enough. There is also a formula in the mean and the variance
#   of the members; the variance of the mean of $m$ out of $M$ has a factor that vanishes at
#   $m = M$.
#
# Points: single members 1, all members 1, in between 3.


# %% exercise="sub-ensembles"
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    ### BEGIN SOLUTION
    all_members = np.mean((f.mean(0) - y) ** 2)
    if m == len(f):
        return all_members
    return all_members + (1 / m - 1 / len(f)) * f.var(0, ddof=1).mean()
    ### END SOLUTION


# %% [markdown] why="sub-ensembles"
# Averaged over all subsets, the error is that of the full mean plus the variance of a mean of $m$
# out of $M$, drawn without putting back: hence $1/m - 1/M$, which vanishes where all are taken.

# %% checks="sub-ensembles" points=5
check = Checks("sub-ensembles")
f = np.array([[1.0, 0.0], [2.0, 0.5], [0.0, 3.0], [2.5, 1.0]])
y = np.array([1.5, 2.1])
check.keeps("single members", lambda f, y: sub_ensemble_error(f, y, 2), f.copy(), y.copy())
check.value("single members", lambda: sub_ensemble_error(f, y, 1), points=1)
check.value("all members", lambda: sub_ensemble_error(f, y, 4), points=1)
check.value("in between", lambda: sub_ensemble_error(f, y, 2), points=3)
check.value("in between", lambda: sub_ensemble_error(f, y, 3))
check.report()

# %% hidden="sub-ensembles"
_t = np.linspace(-1.2, 2.6, 42)
_f, _y = (1.9 * np.sin(11 * _t)).reshape(7, 6), np.cos(3 * _t[:6]) + 0.4
check.value("single members", lambda: sub_ensemble_error(_f, _y, 1), case="seven members")
check.value(
    "single members",
    lambda: sub_ensemble_error(_f[2:4, :1], _y[:1], 1),
    case="two members, one place",
)
check.value("all members", lambda: sub_ensemble_error(_f, _y, 7), case="seven members")
check.value("all members", lambda: sub_ensemble_error(_f[:2], _y, 2), case="two members")
check.value("all members", lambda: sub_ensemble_error(_f[4:5], _y, 1), case="one member")
check.value("in between", lambda: sub_ensemble_error(_f, _y, 3), case="three of seven")
check.value("in between", lambda: sub_ensemble_error(_f, _y, 6), case="six of seven")
check.value("in between", lambda: sub_ensemble_error(_f[:3], _y, 2), case="two of three")
check.value(
    "in between", lambda: sub_ensemble_error(0.7 * _f[1:6] + 2.2, _y, 4), case="four of five"
)
check.law(
    "in between",
    "increasing",  # every further member helps, on average over the subsets
    lambda: sub_ensemble_error(_f, _y, 6),
    lambda: sub_ensemble_error(_f, _y, 4),
    lambda: sub_ensemble_error(_f, _y, 2),
    case="more members in each subset",
)
_dozen = np.cos(np.arange(24.0) ** 2).reshape(12, 2) + 0.1 * np.arange(12)[:, None]
check.value("in between", lambda: sub_ensemble_error(_dozen, _y[:2], 6), case="six of twelve")
check.value(
    "in between",
    lambda: sub_ensemble_error(9e5 + 0.1 * _f, 9e5 + 0.1 * _y, 3),
    case="values near a million",
)
_alike = _f[[0, 0, 1, 2, 2, 2]]
check.value("in between", lambda: sub_ensemble_error(_alike, _y, 2), case="members that agree")
check.value("single members", lambda: sub_ensemble_error(_alike, _y, 1), case="members that agree")
check.value(
    "single members",
    lambda: sub_ensemble_error(
        np.array([[9e5, -9e5], [9e5 + 0.02, -9e5]]), np.array([9e5, -9e5]), 1
    ),
    case="values near plus and minus a million",
)
check.value(
    "single members",
    lambda: 1e4 * sub_ensemble_error(np.array([[1e6 - 0.009], [1e6]]), np.array([1e6]), 1),
    case="members that nearly agree, near a million",
)
check.value(
    "single members",
    lambda: 1e9 * sub_ensemble_error(np.array([[1e-5], [3e-5]]), np.array([2.2e-5]), 1),
    case="values of a hundred thousandth",
)
check.value(
    "in between",
    lambda: sub_ensemble_error(
        np.sin(np.arange(390.0) ** 2).reshape(3, 130), np.linspace(-1, 3, 130), 2
    ),
    case="130 points",
)
check.value("in between", lambda: sub_ensemble_error(1e5 * _f, _y, 3), case="predictions far off")
check.value("in between", lambda: sub_ensemble_error(_dozen, _y[:2], 5), case="five of twelve")
_strip = np.sin(np.arange(2331.0) ** 2).reshape(3, 777)
check.value(
    "in between",
    lambda: sub_ensemble_error(_strip, np.linspace(-1, 5, 777), 2),
    case="777 points",
)
check.value(
    "all members",
    lambda: sub_ensemble_error(_strip, np.linspace(-1, 5, 777), 3),
    case="777 points",
)
check.value(
    "all members",
    lambda: sub_ensemble_error(9e5 + 0.1 * _f, 9e5 + 0.1 * _y, 7),
    case="values near a million",
)
check.value(
    "all members",
    lambda: 1e9 * sub_ensemble_error(1e-5 * _f, 1e-5 * _y, 7),
    case="values of a hundred thousandth",
)

# %% [markdown]
# ## Exercise 7. In words: five that agree (5 min, 3 points)
#
# Five networks with different seeds were trained on the same photographs of parts. For one new
# part all five give "sound" a probability between 97 and 98%. "Five independent experts agree to
# within one percent", says the supplier, "so the error is at most one percent." Answer in at most
# 120 words: why the five are not independent in the sense that matters, what else their agreement
# does not bound, and what you would measure before you believe a probability of 97%. A person
# reads and grades this answer; no check runs.

# %% [markdown] written="five-that-agree" points=3
# ### BEGIN SOLUTION
# The seeds differ; data, labels, architecture and loss are the same. What these have in common (a
# kind of defect that never occurred, wrong labels, a shortcut such as the lighting) all five have
# learnt alike, and far from the data they may extrapolate alike. Their disagreement measures what
# the seed decides, not the error. Nor does it bound chance: even a perfect 97% is wrong three
# times in a hundred. I would take held-out parts, also from another week or line, and count how
# many of those with about 97% were sound, with an interval for that share; and the NLL beside a
# single network's. Much disagreement would have been a warning; little is no certificate.
#
# **Rubric.** One point for what the members share: data, labels, architecture, and so errors in
# common. One point for what remains even so: the chance in the label, or an input unlike the
# training data. One point for a measurement: frequencies against probabilities on held-out parts,
# with their error. "Train more networks" earns nothing.
# ### END SOLUTION
