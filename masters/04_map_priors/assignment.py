# %% [markdown]
# # Assignment 04: Priors, MAP, and what weight decay means
#
# Seven exercises in code and one in words, 37 points, about 75 minutes. You turn priors into
# penalties with the right factors, take one step of an optimiser that makes exact zeros, and then
# leave the single best value for the whole posterior: its predictions, what its mode depends on,
# and the evidence that chooses a prior. All arrays are NumPy arrays of float64. Anything that
# NumPy, SciPy, PyTorch or scikit-learn offers may be used; whatever the text leaves open is yours
# to choose.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a thousand in size, what must be positive is at least a
# thousandth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import numpy as np
import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. From a prior to ridge regression (8 min, 4 points)
#
# The model is $y_i = c + x_i \cdot w + \varepsilon_i$ with $\varepsilon_i \sim N(0, \sigma^2)$.
# Every weight has the prior $w_j \sim N(0, \tau^2)$. About the intercept $c$ we know nothing: its
# prior is flat, so nothing pulls it anywhere.
#
# Write `ridge_map(x, y, sigma, tau)`, the pair `(w, c)` at which the posterior density is largest.
#
# - `x` has shape `(n, k)`, `y` shape `(n,)`, $n \ge 1$; `k` may exceed `n`. Neither is centred:
#   means of features reach three million, those of `y` twenty million, and a feature's spread
#   around its mean may be four million times smaller than the mean. Two features are equal, or
#   differ by at least a hundredth of that spread.
# - `sigma` and `tau` are standard deviations, Python numbers between $10^{-5}$ and a thousand. No
#   `sigma` is more than $10^4$ times `tau`, and `tau` times the spread no more than $10^4$ times
#   `sigma`.
# - Return `w`, an array of shape `(k,)`, and `c`, a number. Do not change `x` or `y`.
#
# Points: weights 2, intercept 2.


# %% exercise="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    """Return MAP weights and intercept under N(0, tau squared) weights and a flat intercept."""
    ### BEGIN SOLUTION
    x_mean, y_mean = x.mean(axis=0), y.mean()
    centred = x - x_mean
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(centred.T @ centred + alpha * np.eye(x.shape[1]), centred.T @ (y - y_mean))
    return w, y_mean - x_mean @ w
    ### END SOLUTION


# %% [markdown] why="ridge-from-a-prior"
# Multiply the negative log posterior by $2\sigma^2$, and the prior's term has the factor
# $\sigma^2/\tau^2$. An intercept without a prior is the one that centring takes out: it is set by
# the means, and nobody shrinks it.

# %% checks="ridge-from-a-prior" points=4
check = Checks("ridge-from-a-prior")
x = np.array([[1.0, 0.5], [2.0, -1.0], [0.0, 1.5], [3.0, 1.0]])
y = np.array([2.0, 3.5, -1.0, 6.0])
check.keeps("weights", lambda x, y: ridge_map(x, y, 2.0, 0.5), x.copy(), y.copy())
check.value("weights", lambda: ridge_map(x, y, 2.0, 0.5)[0], points=2)
check.value("weights", lambda: ridge_map(x, y + 100, 0.5, 3.0)[0])
check.value("intercept", lambda: ridge_map(x, y, 2.0, 0.5)[1], points=2)
check.report()

# %% hidden="ridge-from-a-prior"
_t = np.linspace(-1.9, 2.3, 18)
_x = np.sin(3.1 * _t).reshape(6, 3) + np.array([0.7, -1.3, 2.1])
_y = np.cos(2 * _t[:6]) + 4.3
check.value("weights", lambda: ridge_map(_x, _y, 0.83, 0.61)[0], case="six rows, three features")
check.value("weights", lambda: ridge_map(_x, _y, 0.37, 2.9)[0], case="a wide prior")
check.value(
    "weights", lambda: ridge_map(_x[:2], _y[:2], 1.37, 0.71)[0], case="fewer rows than features"
)
check.value(
    "weights",
    lambda: ridge_map(_x, 1e4 * _y, 0.029, 310.0)[0],
    case="large targets, a very wide prior",
)
check.law(
    "weights",
    "equal",
    lambda: ridge_map(_x, _y, 0.83, 0.61)[0],
    lambda: ridge_map(_x + 51.0, _y - 32.0, 0.83, 0.61)[0],
    lambda: ridge_map(_x, _y, 8.3, 6.1)[0],
    lambda: 10 * ridge_map(10 * _x, _y, 0.83, 0.061)[0],
    case="shifted and rescaled data",
)
check.value("intercept", lambda: ridge_map(_x, _y, 0.83, 0.61)[1], case="six rows, three features")
check.value("intercept", lambda: ridge_map(_x[:1], _y[:1], 0.83, 0.61)[1], case="one row")
check.value(
    "intercept", lambda: ridge_map(_x - 17.0, _y, 1.9, 0.43)[1], case="features far from zero"
)
check.value("intercept", lambda: ridge_map(_x, _y, 2.3, 0.00041)[1], case="a very narrow prior")
r = np.linspace(-1.3, 2.1, 40)
wide = np.cos(np.outer(r, np.arange(1, 17))) * np.geomspace(1, 30, 16)
check.value("weights", lambda: ridge_map(wide, np.sin(5 * r), 0.013, 1.7)[0], case="16 weights")
check.value(
    "weights", lambda: ridge_map(wide[:, :1], np.sin(5 * r), 0.7, 1.7)[0], case="one weight"
)
away = (2.9e6 + wide[:, 1:4], 2e6 + np.sin(5 * r), 0.7, 1.7)
check.value("weights", lambda: ridge_map(*away)[0], case="means in the millions")
check.value(
    "intercept",
    lambda: ridge_map(wide[:, 1:2] + 2.9e6, np.sin(5 * r), 0.7, 1.7)[1],
    case="one weight",
)
r = np.arange(6.0)
check.value(
    "weights",
    lambda: ridge_map(1e-3 * np.sin(r)[:, None], np.cos(r), 2e-5, 0.9)[0],
    case="a tiny penalty and tiny features",
)
check.value("weights", lambda: ridge_map(_x[:1], _y[:1], 0.83, 0.61)[0] + 0.71, case="one row")
check.value(
    "weights",
    lambda: ridge_map(_x, 31.7 * _y, 990.0, 0.0991)[0] * 1e6,
    case="much noise, a narrow prior",
)
check.value(
    "weights", lambda: ridge_map(_x, _y, 1.3e-5, 0.00113)[0], case="little noise, a narrow prior"
)
many = np.sin(np.outer(np.arange(1, 8), np.arange(1, 98)) ** 1.3)
check.value("weights", lambda: ridge_map(many, 9e2 + _t[:7], 0.71, 13.7)[0], case="97 weights")
check.value(
    "intercept", lambda: ridge_map(many, 9e2 + _t[:7], 0.71, 13.7)[1] - 898.7, case="97 weights"
)
check.value(
    "weights",
    lambda: ridge_map(many.T[:, [0, 1, 1]] - 7.0, 100 * many[1] + 30 * many[3], 0.0137, 1.7)[0],
    case="a feature given twice",
)
tall = 2.3 * np.sin(np.outer(np.arange(1, 98), np.arange(1, 4)) ** 1.3)
check.value(
    "weights",
    lambda: ridge_map(tall, np.cos(np.arange(97) ** 2), 0.83, 621.0)[0] * 100,
    case="97 rows, three features, a prior as wide as it may be",
)
check.value(
    "weights",
    lambda: ridge_map(many.T[:, [2, 5, 5]], 30 * many[5] + 7, 0.0037, 2.9)[0],
    case="a feature given twice, a wide prior",
)
uneven = np.sin(np.outer(np.arange(1, 98), np.arange(1, 41)) ** 1.3)
uneven = uneven * np.geomspace(0.0013, 520.0, 40)
check.value(
    "weights",
    lambda: ridge_map(uneven, np.cos(np.arange(97.0) ** 2), 0.113, 1.07)[0] * uneven[3],
    case="forty features, small and large",
)
check.value(
    "weights",
    lambda: ridge_map(1e-8 * _x, _y, 1.3e-5, 970.0)[0] * 1e-7,
    case="the smallest penalty and the smallest features",
)
fourth = np.column_stack([_x[:4, :2], 0 * _y[:4] + 2.3, _x[:4, 2]])
check.value(
    "weights", lambda: ridge_map(fourth, _y[:4], 0.83, 0.61)[0], case="four rows, four features"
)
check.value(
    "weights",
    lambda: ridge_map(many.T[:, [1, 4, 1, 1]], 3 * many[1] + many[2], 0.83, 0.61)[0],
    case="four features, not all of their own",
)
check.value(
    "weights", lambda: ridge_map(_x[:2, 1:2], _y[:2], 0.83, 0.61)[0], case="two rows, one feature"
)
check.value(
    "intercept", lambda: 1e6 * ridge_map(_x, 1e-6 * _y, 0.83, 0.61)[1], case="small targets"
)
check.value(
    "intercept",
    lambda: ridge_map(_x, 1e7 + 310 * _y, 970.0, 0.61)[1] - 1e7,
    case="targets near ten million, much noise",
)

# %% [markdown]
# ## Exercise 2. The weight decay that means your prior (10 min, 5 points)
#
# The prior of each weight is $N(0, \tau^2)$, the noise is $N(0, \sigma^2)$, and there are $n$
# training examples. Training takes steps of `torch.optim.SGD` with its argument `weight_decay`,
# which adds `weight_decay * w` to the gradient. Each step draws a batch of $m$ of the $n$
# examples at random, all equally likely. With $r_i$ the residual of example $i$, the loss of a
# batch is one of these:
#
# | `loss` | loss of a batch |
# | --- | --- |
# | `"mean squared"` | $\frac1m \sum_i r_i^2$ |
# | `"sum squared"` | $\sum_i r_i^2$ |
# | `"mean nll"` | $-\frac1m \sum_i \log \mathcal{N}(r_i \mid 0, \sigma^2)$, in nats |
#
# Write `weight_decay(loss, sigma, tau, n, m)`, the number for which the *average* step, over all
# batches that could be drawn, is zero exactly at the MAP estimate from all $n$ examples.
#
# - `loss` is one of the three strings. `sigma` and `tau` are positive numbers between $10^{-9}$
#   and $10^9$; `tau` may also be `math.inf`, which is no prior at all. `n` and `m` are integers,
#   $1 \le m \le n \le 10^6$. No number is too small to count: five digits of it must be right.
# - Return a number.
#
# Points: mean squared 1, sum squared 2, mean nll 2.


# %% exercise="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    """Return the weight_decay of SGD whose fixed point is the MAP estimate."""
    ### BEGIN SOLUTION
    per_nat = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2 * m, "mean nll": 1.0}
    return per_nat[loss] / (n * tau**2)
    ### END SOLUTION


# %% [markdown] why="weight-decay-from-a-prior"
# SGD adds `weight_decay` times $w$ to the gradient, as a loss of half the decay times $w^2$ would.
# Ask by which factor the given loss is larger than the negative log-likelihood, and the prior's
# $1/\tau^2$ takes the same factor.

# %% checks="weight-decay-from-a-prior" points=5
check = Checks("weight-decay-from-a-prior")
check.keeps("mean squared", lambda tau: weight_decay("mean squared", 3.0, tau, 20, 5), 2.0)
check.value("mean squared", lambda: weight_decay("mean squared", 3.0, 2.0, 20, 5), points=1)
check.value("sum squared", lambda: weight_decay("sum squared", 3.0, 2.0, 20, 20), points=2)
check.value("sum squared", lambda: weight_decay("sum squared", 3.0, 2.0, 20, 5))
check.value("mean nll", lambda: weight_decay("mean nll", 3.0, 2.0, 20, 5), points=2)
check.report()

# %% hidden="weight-decay-from-a-prior"
check.value(
    "mean squared",
    lambda: weight_decay("mean squared", 0.73, 1.19, 47, 47),
    case="the whole data as one batch",
)
check.value(
    "mean squared",
    lambda: weight_decay("mean squared", 1.63, 0.037, 811, 13),
    case="batches of 13, a narrow prior",
)
check.value(
    "mean squared",
    lambda: weight_decay("mean squared", 1.63, math.inf, 811, 13),
    case="a prior without end",
)
check.law(  # twice the data under one prior: half the weight decay, whatever the batch
    "mean squared",
    "equal",
    lambda: weight_decay("mean squared", 0.73, 1.19, 47, 7),
    lambda: 2 * weight_decay("mean squared", 0.73, 1.19, 94, 7),
    lambda: 2 * weight_decay("mean squared", 0.73, 1.19, 94, 31),
    case="more data, other batches",
)
check.value(
    "sum squared",
    lambda: weight_decay("sum squared", 0.73, 1.19, 47, 47),
    case="the whole data as one batch",
)
check.value(
    "sum squared", lambda: weight_decay("sum squared", 1.63, 0.37, 811, 13), case="batches of 13"
)
check.value(
    "sum squared",
    lambda: weight_decay("sum squared", 1.63, math.inf, 811, 13),
    case="a prior without end",
)
check.law(
    "sum squared",
    "equal",
    lambda: weight_decay("sum squared", 0.73, 1.19, 47, 47),
    lambda: weight_decay("sum squared", 0.73, 1.19, 94, 94),
    lambda: 2 * weight_decay("sum squared", 0.73, 1.19, 94, 47),
    case="more data, other batches",
)
check.value(
    "mean nll",
    lambda: weight_decay("mean nll", 0.73, 1.19, 47, 47),
    case="the whole data as one batch",
)
check.value(
    "mean nll",
    lambda: weight_decay("mean nll", 1.63, 0.037, 811, 13),
    case="batches of 13, a narrow prior",
)
check.value(
    "mean nll",
    lambda: weight_decay("mean nll", 1.63, math.inf, 811, 13),
    case="a prior without end",
)
check.law(
    "mean nll",
    "equal",
    lambda: weight_decay("mean nll", 0.73, 1.19, 47, 7),
    lambda: weight_decay("mean nll", 7.3, 1.19, 47, 7),
    lambda: 2 * weight_decay("mean nll", 0.73, 1.19, 94, 31),
    case="more noise, more data, other batches",
)
check.value(
    "mean squared",
    lambda: weight_decay("mean squared", 1.7, math.inf, 3, 2) * 1e12,
    case="no prior, in parts per billion",
)
check.value(
    "mean squared",
    lambda: weight_decay("mean squared", 0.037, 7e5, 2300, 17) * 1e15,
    case="a wide prior, in parts per billion",
)
check.value(
    "sum squared",
    lambda: weight_decay("sum squared", 1.7, math.inf, 3, 2) * 1e12,
    case="no prior, in parts per billion",
)
check.value(
    "sum squared",
    lambda: weight_decay("sum squared", 0.037, 7e5, 2300, 17) * 1e15,
    case="a wide prior, in parts per billion",
)
check.value(
    "mean nll",
    lambda: weight_decay("mean nll", 1.7, math.inf, 3, 2) * 1e12,
    case="no prior, in parts per billion",
)
check.value(
    "mean nll",
    lambda: weight_decay("mean nll", 0.037, 7e5, 2300, 17) * 1e15,
    case="a wide prior, in parts per billion",
)
check.value("mean nll", lambda: weight_decay("mean nll", 1.0, 3e-9, 20, 5), case="a tiny tau")
check.value(
    "mean squared", lambda: weight_decay("mean squared", 7.3e8, 3.1e8, 20, 5), case="a huge tau"
)


def _far(loss, small, large):
    return [
        weight_decay(loss, 1.3e-9, 9.1e8, 999_983, 7) * small,
        weight_decay(loss, 9.7e8, 1.1e-9, 3, 1) * large,
        weight_decay(loss, 0.37, 1.9, 1, 1) * 10,
        weight_decay(loss, 1.9, 7.1, 10**6, 999_999) * 1e7,
    ]


check.value(
    "mean squared", lambda: _far("mean squared", 1e41, 1e-36), case="the ends of all ranges"
)
check.value("sum squared", lambda: _far("sum squared", 1e40, 1e-36), case="the ends of all ranges")
check.value("mean nll", lambda: _far("mean nll", 1e24, 1e-18), case="the ends of all ranges")


def _batches(loss):
    return [
        weight_decay(loss, 0.73, 1.19, 811, 1) * 1e2,
        weight_decay(loss, 1.37, 1.37, 811, 617) * 1e2,
        weight_decay(loss, 0.73, 1.19, 7, 5),
    ]


check.value("mean squared", lambda: _batches("mean squared"), case="batches of all sizes")
check.value("sum squared", lambda: _batches("sum squared"), case="batches of all sizes")
check.value("mean nll", lambda: _batches("mean nll"), case="batches of all sizes")

# %% [markdown]
# ## Exercise 3. A step that reaches zero (8 min, 4 points)
#
# With Laplace priors of scale $b_j$ the function to minimise is
# $\mathrm{NLL}(w) + \sum_j |w_j| / b_j$, where the NLL is summed over the data, in nats. It has a
# kink at $w_j = 0$, where a gradient step jumps from one side to the other. A *proximal* step
# replaces only the smooth part by its gradient $g$ at the present $w$, and keeps the kink:
#
# $$w^{\text{new}} = \arg\min_v \left[ g \cdot (v - w) + \frac{1}{2 \eta} \sum_j (v_j - w_j)^2
#   + \sum_j \frac{|v_j|}{b_j} \right]$$
#
# Write `proximal_step(w, gradient, step, b)`, which returns this minimum. It separates into one
# problem for each weight, and each has a short exact answer.
#
# - `w` and `gradient` have shape `(k,)`; `gradient` is $g$, of the summed NLL alone; `step` is
#   $\eta$, between $10^{-9}$ and a thousand. A weight may be as small as you like.
# - `b` is a positive number, or an array of shape `(k,)`. Either may be `math.inf`, in an array
#   any entry: that weight has a flat prior.
# - Return an array of shape `(k,)`. Weights that belong at zero are exactly zero. Do not change
#   the inputs.
#
# Points: value 2, zeros 1, own scales 1.


# %% exercise="proximal-step"
def proximal_step(w, gradient, step, b):
    """Return the weights after one proximal gradient step under Laplace priors of scale b."""
    ### BEGIN SOLUTION
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / b, 0.0)
    ### END SOLUTION


# %% [markdown] why="proximal-step"
# The smooth part takes an ordinary step; the penalty $|w|/b$ is then minimised exactly, which
# moves every weight by `step / b` towards 0 and stops it there. A plain gradient step jumps over 0
# for ever.

# %% checks="proximal-step" points=4
check = Checks("proximal-step")
w = np.array([1.0, -2.0, 0.3, 0.0, -0.2])
g = np.array([0.5, -1.0, 2.0, -9.0, -0.3])
scales = np.array([0.5, 4.0, 0.1, math.inf, 1.0])
check.keeps("value", lambda w, g: proximal_step(w, g, 0.1, 2.0), w.copy(), g.copy())
check.value("value", lambda: proximal_step(w, g, 0.1, 2.0), points=2)
check.value("zeros", lambda: np.asarray(proximal_step(w, g, 0.1, 0.5)) == 0, points=1)
check.keeps("own scales", lambda b: proximal_step(w, g, 0.1, b), scales.copy())
check.value("own scales", lambda: proximal_step(w, g, 0.1, scales), points=1)
check.report()

# %% hidden="proximal-step"
_t = np.linspace(-2.2, 1.7, 12)
_w, _g, _b = np.sin(4.3 * _t), 3 * np.cos(2.9 * _t), 0.3 + _t**2
_x, _names = np.cos(np.outer(_t, np.arange(1, 6))), 1.37 ** np.arange(12)
_y = _x @ np.array([1.7, 0.0, -0.9, 0.0, 0.04]) + 0.05 * np.sin(17 * _t)


def _lasso(b, sigma, steps=130):
    _v = np.zeros(5)
    for _ in range(steps):
        _v = np.asarray(proximal_step(_v, _x.T @ (_x @ _v - _y) / sigma**2, 0.07 * sigma**2, b))
    return _v


def _zeros(found):
    return (np.asarray(found) == 0) @ _names  # which weights are zero, as one number


check.value(
    "value",
    lambda: proximal_step(np.array([1.3e-13, -2.7e-14]), np.zeros(2), 0.1, math.inf) * 1e13,
    case="tiny weights, no prior",
)
check.value("value", lambda: proximal_step(_w, _g, 0.13, 1.9), case="twelve weights")
check.value("value", lambda: proximal_step(_w[:1], _g[:1], 0.31, 0.77), case="one weight")
check.value(
    "value",
    lambda: proximal_step(230 * _w, -41 * _g, 0.83, 0.057),
    case="large weights, a narrow prior",
)
check.value("value", lambda: _lasso(0.21, 0.61), case="130 steps on data")
check.law(
    "value",
    "opposite",
    lambda: proximal_step(_w, _g, 0.13, 1.9),
    lambda: proximal_step(-_w, -_g, 0.13, 1.9),
    case="signs exchanged",
)
check.value(
    "zeros", lambda: _zeros(proximal_step(_w, _g, 0.13, 0.29)), case="some weights become zero"
)
check.value(
    "zeros", lambda: _zeros(proximal_step(_w, _g, 0.17, 0.23)), case="other weights become zero"
)
check.value(
    "zeros",
    lambda: _zeros(proximal_step(0.01 * _w, 0.01 * _g, 0.17, 29.3)),
    case="tiny weights, a wide prior",
)
check.value("own scales", lambda: proximal_step(_w, _g, 0.19, _b), case="a scale for each weight")
check.value(
    "own scales",
    lambda: proximal_step(_w, _g, 0.19, np.where(_t > 0, math.inf, 0.6)),
    case="no penalty on some weights",
)
check.value(
    "own scales",
    lambda: _lasso(np.array([math.inf, 0.03, 0.4, 0.05, 2.7]), 0.37),
    case="130 steps, a scale for each weight",
)
still, flat = np.array([0.0, 0.7, 0.0]), np.array([math.inf, math.inf, 0.9])
check.value("own scales", lambda: proximal_step(still, 0 * still, 0.3, flat), case="at rest at 0")
check.value("value", lambda: proximal_step(still, 0 * still, 0.3, math.inf), case="at rest, flat")
tiny = (5e-9 * np.array([1.7, -0.9, 0.4]), 0 * still, 1e-9, np.array([math.inf, 0.31, 0.83]))
check.value("value", lambda: proximal_step(*tiny) * 1e9, case="weights of a billionth")
check.value(
    "own scales",
    lambda: proximal_step(np.array([0.013, -0.2]), np.zeros(2), 900.0, np.array([math.inf, 1e3])),
    case="a long step",
)
check.value(
    "own scales",
    lambda: 1e6 * proximal_step(np.array([1.0 + 3e-6]), np.ones(1), 1.0, math.inf),
    case="what is left is small",
)
edge = np.array([0.875, -0.875, 0.875 + 1e-9, -0.875 - 1e-9, 0.875 - 1e-12, 0.0, 1e-9])
pull = np.where(np.arange(7) < 2, 0.4375 * np.sign(edge), 0.0)
edge = edge + pull  # the gradient takes it back, exactly
check.value(
    "zeros",
    lambda: (np.asarray(proximal_step(edge, pull / 1.75, 1.75, 2.0)) == 0) @ _names[3:10],
    case="on the edge of zero, and next to it",
)
edges = (np.array([0.75, 0.75, -0.75]), np.zeros(3), 1.5, np.array([2.0, 2.0 + 1e-9, 2 - 1e-9]))
check.value(
    "zeros",
    lambda: (np.asarray(proximal_step(*edges)) == 0) @ _names[5:8],
    case="on the edge of zero, own scales",
)
check.value(
    "value",
    lambda: proximal_step(-970.0 * _w, 330.0 * _g, 990.0, 0.00113),
    case="all numbers at their largest",
)
check.value("value", lambda: proximal_step(_w[:1], 0 * _g[:1], 1.3, math.inf), case="flat, one")
check.value(
    "own scales",
    lambda: 1e9 * (proximal_step(_w, _g, 1e-9, np.where(_t > 0, 1e-3, math.inf)) - _w),
    case="a step of a billionth",
)
check.value("own scales", lambda: proximal_step(_w[:1], _g[:1], 0.19, _b[:1]), case="one weight")
nil = np.array([1.7e-200, -0.9e-200, 0.4e-200])
check.value(
    "value",
    lambda: proximal_step(1 * nil, 0 * nil, 0.31, math.inf) * 1e200,
    case="weights next to nothing",
)
check.value(
    "own scales",
    lambda: proximal_step(1 * nil, 0 * nil, 0.31, np.array([math.inf, 0.83, math.inf])) * 1e200,
    case="weights next to nothing",
)
check.value(
    "value",
    lambda: proximal_step(3e188 * nil, 0 * nil, 1e-9, 970.0) * 1e12,
    case="a step of a billionth, a wide prior",
)
check.value(
    "value",
    lambda: proximal_step(np.array([7.3, -40.1, 0.0, 0.7]), np.array([0.0, 0, -3.9, 0.3]), 3, 2),
    case="whole numbers",
)
check.value(
    "value",
    lambda: (
        proximal_step(np.array([0.0, 7e-5, 0.0]), np.array([3e-4, 0, -7e-4]), 0.3, math.inf) * 1e4
    ),
    case="small slopes, no prior",
)
near = np.array([0.75 + 1e-12, 0.75, -0.75 - 3e-13, 0.75 - 1e-12])
check.value(
    "zeros",
    lambda: (np.asarray(proximal_step(near, 0 * near, 1.5, 2.0)) == 0) @ _names[2:6],
    case="next to the edge of zero",
)

# %% [markdown]
# ## Exercise 4. The whole posterior (10 min, 5 points)
#
# The model is $y_i = x_i \cdot w + \varepsilon_i$ with $\varepsilon_i \sim N(0, \sigma^2)$; an
# intercept, if there is one, is a column of ones in `x`. The prior is $w \sim N(m_0, S_0)$, and
# then the posterior is Normal too.
#
# Write `posterior(x, y, sigma, mean, cov)`, the pair of its mean and its covariance.
#
# - `x` has shape `(n, k)`, `y` shape `(n,)` and entries of up to two thousand. There may be fewer
#   examples than weights, and `n` may be 0.
# - `mean` is $m_0$, shape `(k,)`; `cov` is $S_0$, shape `(k, k)`, symmetric and positive definite,
#   with a condition number of at most $10^5$ and eigenvalues between $10^{-10}$ and $10^5$.
#   `sigma` is the standard deviation of the noise, at least $10^{-5}$. In no direction do the data
#   tell more than twenty million times as precisely as the prior where the weights lie.
# - Return arrays of shapes `(k,)` and `(k, k)`. Do not change the inputs.
# - What went in as a prior may itself be a posterior: data that arrive in two batches must give
#   the same as all at once.
#
# Points: mean 2, covariance 2, batches 1.


# %% exercise="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    """Return mean and covariance of the weights of a linear model with Normal noise."""
    ### BEGIN SOLUTION
    prior_precision = np.linalg.inv(cov)
    new_cov = np.linalg.inv(prior_precision + x.T @ x / sigma**2)
    return new_cov @ (prior_precision @ mean + x.T @ y / sigma**2), new_cov
    ### END SOLUTION


# %% [markdown] why="gaussian-posterior"
# Precisions add: the prior's and the data's. So do precisions times means; the posterior mean is
# that sum, divided by the joint precision.

# %% checks="gaussian-posterior" points=5
check = Checks("gaussian-posterior")
x = np.array([[1.0, 0.5], [1.0, -1.0], [1.0, 2.0]])
y = np.array([2.0, 0.5, 3.0])
m0, S0 = np.array([1.0, -1.0]), np.array([[4.0, 1.0], [1.0, 2.0]])
copies = [array.copy() for array in (x, y, m0, S0)]
check.keeps("mean", lambda *given: posterior(*given[:2], 0.5, *given[2:]), *copies)
check.value("mean", lambda: posterior(x, y, 0.5, m0, S0)[0], points=2)
check.value("covariance", lambda: posterior(x, y, 0.5, m0, S0)[1], points=2)
check.value("covariance", lambda: posterior(x[:0], y[:0], 0.5, m0, S0)[1])
check.value(
    "batches",
    lambda: posterior(x[2:], y[2:], 0.5, *posterior(x[:2], y[:2], 0.5, m0, S0)),
    points=1,
)
check.report()

# %% hidden="gaussian-posterior"
_t = np.linspace(-1.6, 2.1, 15)
_x, _y = np.stack([_t**0, np.sin(2.3 * _t), _t], axis=1), np.cos(1.7 * _t) + 0.4 * _t
_root = np.array([[1.3, 0.0, 0.0], [0.4, 0.7, 0.0], [-0.6, 0.2, 2.1]])
_m, _s = np.array([0.37, -1.21, 0.83]), _root @ _root.T
check.value("mean", lambda: posterior(_x, _y, 0.43, _m, _s)[0], case="15 rows, three features")
check.value(
    "mean", lambda: posterior(_x[:2], _y[:2], 1.71, _m, _s)[0], case="fewer rows than features"
)
check.value("mean", lambda: posterior(_x[:0], _y[:0], 1.71, _m, _s)[0], case="no data")
check.value(
    "mean", lambda: posterior(_x, _y, 0.43, 0 * _m, 9e4 * np.eye(3))[0], case="a very wide prior"
)
check.value(
    "mean",
    lambda: posterior(_x[:1, :1], _y[:1], 0.77, _m[:1], _s[:1, :1])[0],
    case="one feature, one row",
)
check.value(
    "covariance", lambda: posterior(_x, _y, 0.43, _m, _s)[1], case="15 rows, three features"
)
check.value(
    "covariance",
    lambda: posterior(_x[:2], _y[:2], 1.71, _m, _s)[1],
    case="fewer rows than features",
)
check.value(
    "covariance", lambda: posterior(_x, _y, 1.37, _m, 1e3 * np.eye(3))[1], case="a very wide prior"
)
check.law(  # a covariance knows where the data lie, not what they say
    "covariance",
    "equal",
    lambda: posterior(_x, _y, 0.43, _m, _s)[1],
    lambda: posterior(_x, 9 - _y, 0.43, 3 * _m, _s)[1],
    lambda: posterior(np.vstack([_x, _x]), np.tile(_y, 2), 0.43 * math.sqrt(2), _m, _s)[1],
    case="other targets, data given twice",
)
check.value(
    "batches",
    lambda: posterior(_x[4:], _y[4:], 0.61, *posterior(_x[:4], _y[:4], 1.23, _m, _s)),
    case="two batches with other noise",
)
check.value(
    "batches",
    lambda: posterior(_x[1:2], _y[1:2], 0.61, *posterior(_x[:1], _y[:1], 0.61, _m, _s)),
    case="two batches of one row",
)
small = (1e-9 * np.array([[1.3, 0.4], [0.4, 0.9]]), np.array([0.7, -1.1]))
nothing = (np.zeros((0, 2)), np.zeros(0), 0.6, small[1], small[0])
check.value("covariance", lambda: posterior(*nothing)[1] * 1e9, case="a sure prior, no data")
some = (np.array([[0.9, -1.7], [2.1, 0.3]]), np.array([1.3, 0.2]), 2e-5, small[1], small[0])
check.value("covariance", lambda: posterior(*some)[1] * 1e9, case="a sure prior, sure data")
check.value("mean", lambda: posterior(*some)[0], case="a sure prior, sure data")
alone = (
    np.array([[0.91], [2.17], [-0.3]]),
    np.array([1.3, 0.23, 0.4]),
    0.83,
    small[1][:1],
    np.eye(1),
)
check.value("mean", lambda: posterior(*alone)[0], case="one weight")
check.value("covariance", lambda: posterior(*alone)[1], case="one weight")
thin = np.array([[1.0, 0.999979], [0.999979, 1.0]])
check.value(
    "covariance",
    lambda: (
        posterior(np.array([[0.0, 0.0]]), np.array([3.0]), 0.7, small[1], thin)[1] @ _t[[2, 12]]
    ),
    case="a row of zeros, weights nearly alike",
)
across = np.array([[0.9, -1.1], [0.4, 1.3], [-0.2, 0.1]])
check.value(
    "covariance",
    lambda: posterior(across, _y[:3], 0.7, small[1], thin)[1] @ np.array([1e3, -1e3]),
    case="weights nearly alike",
)
check.value("mean", lambda: posterior(across, _y[:3], 0.7, small[1], thin)[0], case="nearly alike")
high = np.array([900.0, -800.0])
check.value(
    "mean",
    lambda: posterior(across, across @ high + _y[:3], 0.7, high, 3.7 * thin)[0] - high,
    case="a prior far from zero",
)
broad = np.sin(np.outer(np.arange(1, 6), np.arange(1, 98)) ** 1.3)
check.value(
    "mean",
    lambda: posterior(broad, _y[:5], 0.31, 0.2 * _t[4] + 0 * broad[0], np.eye(97))[0],
    case="97 weights",
)
check.value(
    "covariance",
    lambda: posterior(31 * broad.T, np.cos(np.arange(97.0)), 990.0, _y[:5], 1.7 * np.eye(5))[1],
    case="97 rows, much noise",
)
check.value(
    "covariance",
    lambda: posterior(np.diag([3.0, 0.07, 0.0])[:2], _y[:2], 0.013, _m, _s)[1],
    case="fewer rows than features, one of them small",
)
check.value(
    "batches",
    lambda: posterior(_x[:0], _y[:0], 0.61, *posterior(_x[:7], _y[:7], 1.23, _m, _s)),
    case="an empty second batch",
)
check.value(
    "batches",
    lambda: posterior(_x[:0], _y[:0], 0.61, _m, _s),
    case="an empty batch",
)
sharp = (some[0], some[1], 1.03e-5, small[1], 0.16 * small[0])
check.value("covariance", lambda: posterior(*sharp)[1] * 1e10, case="as sure as may be")
check.value("mean", lambda: posterior(*sharp)[0], case="as sure as may be")
apart = np.array([[120.0, 0.35], [0.35, 0.0031]])
one = (np.array([[0.0, 1.0]]), np.array([0.4]), 2.4e-4, np.array([0.3, 0.2]))
check.value(
    "covariance",
    lambda: 1e-3 * posterior(*one, np.diag([9e3, 1.0]))[1],
    case="told of one weight, precisely",
)
lone = (np.array([[0.003, 1.0]]), np.array([0.4]), 1.55e-4, small[1], apart)
check.value("covariance", lambda: posterior(*lone)[1][0] @ np.diag([0.01, 10]), case="one row")
check.value("mean", lambda: posterior(*lone)[0], case="weights of other scales")
linked = 0.7 ** np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
dozen = (broad.T[:, [0, 1, 2, 3, 4] * 2 + [0, 1]] ** np.arange(1, 13), np.cos(np.arange(97.0)))
check.value(
    "covariance",
    lambda: 10 * posterior(*dozen, 1.3, linked[0], linked)[1],
    case="97 rows, twelve features",
)
check.value(
    "mean",
    lambda: posterior(*dozen, 1.3, linked[0], linked)[0],
    case="97 rows, twelve features",
)
check.value("mean", lambda: posterior(_x[3:6], _y[3:6], 0.43, _m, _s)[0], case="three rows")
check.value("covariance", lambda: posterior(_x[3:6], _y[3:6], 0.43, _m, _s)[1], case="three rows")
vague = (np.array([[0.05, -0.02]]), np.array([900.0]), 0.7, small[1], 6e13 * small[0])
check.value("mean", lambda: posterior(*vague)[0], case="one row, a wide prior")
check.value("covariance", lambda: posterior(*vague)[1] * 1e-4, case="one row, a wide prior")

# %% [markdown]
# ## Exercise 5. A band for a total (10 min, 5 points)
#
# The lesson has bands for one value at a time. Whoever buys in for a week needs one for a *total*.
# The posterior of the weights is $N(m, S)$. At input $x_j$ the noise-free value is
# $f_j = x_j \cdot w$, and each new observation there is $y = f_j + \varepsilon$ with
# $\varepsilon \sim N(0, \sigma^2)$, independent of everything before. A plan says how many
# observations are made at each input, and its total is their sum.
#
# Write `total_band(x, counts, mean, cov, sigma, level, contains)`, the pair `(low, high)` of the
# central interval that holds the total of a plan with probability `level`, for each plan by
# itself.
#
# - `x` has shape `(q, k)`; `counts` shape `(p, q)`: one row for each plan, with whole numbers
#   from 0 to a hundred, as floats. Summed over a plan's observations, the inputs give a vector at
#   least a hundredth as long as all their lengths together (so no plan is empty). Entries of `x`
#   and `mean` reach three thousand.
# - `mean` has shape `(k,)`; `cov` shape `(k, k)`, with eigenvalues of $10^{-11}$ or more and a
#   condition number of at most $10^5$; `sigma` is the standard deviation of the noise; `level`
#   lies between $10^{-3}$ and $1 - 10^{-9}$.
# - `contains` is `"y"` for the total of the observations, or `"f"` for that of their noise-free
#   values.
# - Return two arrays of shape `(p,)`.
# - Nobody knows the weights, but whichever they are, they are the same for all of a plan. Noise is
#   new for each observation, also where several are made at one input.
#
# The last aspect draws weights from the posterior and new observations, and records which of the
# totals your band for `"y"` holds.
#
# Points: band for f 2, band for y 2, coverage 1.


# %% exercise="band-for-a-total"
def total_band(x, counts, mean, cov, sigma, level, contains):
    """Return the ends of the central interval for the total of each plan, of f or of y."""
    ### BEGIN SOLUTION
    total = counts @ x  # (p, k): the total of f is linear in the weights
    variance = ((total @ cov) * total).sum(axis=1)
    if contains == "y":
        variance = variance + counts.sum(axis=1) * sigma**2
    half = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=torch.float64)).item()
    centre, width = total @ mean, half * np.sqrt(variance)
    return centre - width, centre + width
    ### END SOLUTION


# %% [markdown] why="band-for-a-total"
# A sum of linear functions is linear: add the rows first, and its variance is that of one row.
# What is wrong with the weights is wrong for all observations in the same way, so twice as many
# have twice that deviation. Noises are independent: twice as many have twice the variance only.

# %% checks="band-for-a-total" points=5
check = Checks("band-for-a-total")
x = np.array([[1.0, 0.0], [1.0, 2.0], [1.0, -3.0]])
plans = np.array([[1.0, 1.0, 1.0], [0.0, 4.0, 0.0], [2.0, 0.0, 5.0], [0.0, 0.0, 1.0]])
m, S = np.array([0.5, -1.0]), np.array([[0.5, 0.2], [0.2, 0.3]])
rng = np.random.default_rng(5)
draws = rng.multivariate_normal(m, S, size=400) @ (plans @ x).T
draws += 0.8 * np.sqrt(plans.sum(axis=1)) * rng.standard_normal((400, 4))


def held(x, counts, mean, cov, sigma, level, drawn):
    """Return, for each plan, the share of the totals that the band for y holds."""
    low, high = total_band(x, counts, mean, cov, sigma, level, "y")
    return ((np.asarray(low) <= drawn) & (drawn <= np.asarray(high))).mean(axis=0)


copies = [array.copy() for array in (x, plans, m, S)]
check.keeps("band for f", lambda *given: total_band(*given, 0.8, 0.9, "f"), *copies)
check.value("band for f", lambda: tuple(total_band(x, plans, m, S, 0.8, 0.9, "f")), points=2)
check.value("band for y", lambda: tuple(total_band(x, plans, m, S, 0.8, 0.9, "y")), points=2)
check.value("coverage", lambda: held(x, plans, m, S, 0.8, 0.95, draws), points=1)
check.report()

# %% hidden="band-for-a-total"
_t = np.linspace(-1.8, 2.7, 7)
_x, _m = np.stack([_t**0, _t, np.cos(_t)], axis=1), np.array([0.31, 1.27, -0.78])
_root = np.array([[0.61, 0.0, 0.0], [-0.44, 0.27, 0.0], [0.19, 0.33, 0.52]])
_s = _root @ _root.T
_rng = np.random.default_rng(17)
_plans = np.array([[1, 0, 2, 0, 3, 0, 1], [0, 7, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]]) * 1.0
_many = np.array([[3, 41, 0, 97, 12, 0, 1], [100, 0, 0, 0, 0, 0, 1]]) * 1.0
_drawn = _rng.multivariate_normal(_m, _s, size=997) @ (_plans @ _x).T
_drawn += 0.47 * np.sqrt(_plans.sum(axis=1)) * _rng.standard_normal((997, 3))


def alone(x, *given):
    """One observation at each input, a plan each."""
    return total_band(x, np.eye(len(x)), *given)


_again = np.array([[1.0], [2.0], [9.0]])
check.value(
    "band for f",
    lambda: tuple(total_band(_x, _plans, _m, _s, 0.47, 0.683, "f")),
    case="three plans",
)
check.value(
    "band for f",
    lambda: tuple(total_band(_x[:3], _plans[:, :3] + _plans[:, 4:], _m, _s, 0.47, 0.71, "f")),
    case="as many plans as inputs",
)
check.value(
    "band for f",
    lambda: tuple(total_band(_x, _many, _m, _s, 0.47, 0.71, "f")),
    case="dozens of observations",
)
check.value(
    "band for f",
    lambda: tuple(total_band(_x, _plans[:1], _m, _s, 2.3, 0.991, "f")),
    case="one plan",
)
check.value(
    "band for f",
    lambda: tuple(total_band(_x[3:4], _again, _m, _s, 0.47, 0.77, "f")),
    case="one input, asked again and again",
)
check.value(
    "band for y",
    lambda: tuple(total_band(_x, _plans, _m, _s, 0.47, 0.683, "y")),
    case="three plans",
)
check.value(
    "band for y",
    lambda: tuple(total_band(_x, _many, _m, _s, 0.47, 0.71, "y")),
    case="dozens of observations",
)
check.value(
    "band for y",
    lambda: tuple(total_band(_x, _plans[:1], _m, _s, 2.3, 0.991, "y")),
    case="one plan",
)
check.value(
    "band for y",
    lambda: tuple(total_band(_x[3:4], _again, _m, _s, 0.47, 0.77, "y")),
    case="one input, asked again and again",
)
check.value(
    "band for f",
    lambda: tuple(alone(_x[2:4], _m, 1e-6 * _s, 13.7, 0.5, "f")),
    case="a narrow posterior",
)
check.law(
    "band for f",
    "equal",
    lambda: alone(_x, _m, _s, 0.47, 0.683, "f")[0],
    lambda: alone(_x, _m, _s, 4.7, 0.683, "f")[0],
    case="another noise",
)
check.value("band for y", lambda: tuple(alone(_x, _m, _s, 0.47, 0.683, "y")), case="seven rows")
check.value("band for y", lambda: tuple(alone(_x[:1], _m, _s, 0.47, 0.991, "y")), case="one row")
check.value(
    "band for y",
    lambda: tuple(alone(_x[2:4], _m, 1e-6 * _s, 13.7, 0.5, "y")),
    case="a narrow posterior, much noise",
)
check.value(
    "band for y",
    lambda: tuple(alone(41 * _x, _m, _s, 0.023, 0.77, "y")),
    case="far rows, little noise",
)
check.value("coverage", lambda: held(_x, _plans, _m, _s, 0.47, 0.9, _drawn), case="a level of .9")
check.value(
    "coverage", lambda: held(_x, _plans, _m, _s, 0.47, 0.37, _drawn), case="a level of .37"
)
row, sure = np.array([[0.9, -1.7], [2.1, 0.3]]), 1e-10 * np.array([[1.3, 0.4], [0.4, 0.9]])
center = np.array([0.3, 0.2])
check.value(
    "band for f",
    lambda: alone(row, 0 * center, sure, 0.7, 0.83, "f")[1] * 1e5,
    case="a sure posterior, half the width",
)
check.value(
    "band for f",
    lambda: tuple(alone(row[:1], center, 1e10 * sure, 0.7, 0.83, "f")),
    case="one row",
)
check.value(
    "band for y",
    lambda: tuple(alone(row, center, 1e10 * sure, 0.7, 1 - 1e-9, "y")),
    case="all but a billionth",
)
check.value(
    "band for f",
    lambda: tuple(alone(row, 0 * center, 1e10 * sure, 0.7, 0.0017, "f")),
    case="a level next to 0",
)
check.value(
    "band for f",
    lambda: tuple(alone(row, center, 1e10 * sure, 0.7, 1 - 1e-7, "f")),
    case="all but ten billionths",
)
alike = np.array([[1.0, 0.99997], [0.99997, 1.0]])
ends = np.array([[1.0, -1.0], [-31.0, 31.0], [0.0, 0.01]])


def width(*given):
    low, high = alone(*given)
    return np.asarray(high) - np.asarray(low)


check.value(
    "band for f", lambda: width(ends, center, alike, 0.7, 0.83, "f"), case="weights nearly alike"
)
check.value(
    "band for y",
    lambda: width(ends, 900 * center, 1e-3 * alike, 0.00113, 0.83, "y"),
    case="little noise, far from zero",
)
check.value(
    "band for f",
    lambda: width(row, 990 * center, 30 * sure, 0.7, 0.0011, "f") * 1e6,
    case="a thin band",
)
check.value(
    "band for f",
    lambda: 1e5 * (np.asarray(alone(row, 990 * center, sure, 0.7, 0.37, "f")[0]) - [-69.3, 683.1]),
    case="a sure posterior, far from zero",
)
check.value(
    "band for y",
    lambda: width(row, center, 1e12 * sure, 995.0, 1 - 1e-9, "y"),
    case="much noise, all but a billionth",
)
check.value(
    "band for y",
    lambda: width(row[:1, :1], center[:1], sure[:1, :1], 0.53, 0.0011, "y"),
    case="one weight",
)
check.value(
    "band for f",
    lambda: tuple(alone(row[:, :1], center[:1], alike[:1, :1], 0.7, 0.37, "f")),
    case="one weight",
)
uneven = np.array([[300.0, -299.0], [0.0, 0.001]])
check.value(
    "band for y",
    lambda: width(uneven, center, alike, 0.00113, 0.83, "y")[1] * 1e3,
    case="a small row beside large ones",
)
many = np.sin(np.outer(np.arange(1, 98), np.arange(1, 5)) ** 1.3)
check.value(
    "band for y",
    lambda: width(many, _m[[0, 1, 2, 0]], np.diag([0.3, 71.0, 2.9, 0.013]), 0.53, 0.71, "y"),
    case="97 rows",
)
check.value(
    "band for f",
    lambda: width(many.T, many[:, 0], np.diag(1.1 + many[:, 1]), 0.53, 0.71, "f"),
    case="97 weights",
)
check.value(
    "band for f",
    lambda: width(1e-7 * row, 0 * center, sure, 0.7, 0.83, "f") * 1e12,
    case="tiny rows, a sure posterior",
)
check.value(
    "band for f",
    lambda: width(row, center, 1.9e10 * sure, 0.7, 1 - 1.1e-9, "f"),
    case="all but a billionth",
)
other = np.array([[120.0, 0.35], [0.35, 0.0031]])
check.value(
    "band for f",
    lambda: width(np.array([[0.003, 1.3], [-0.01, 2.9]]), center, other, 0.7, 0.71, "f"),
    case="weights of other scales",
)
check.value(
    "band for f",
    lambda: tuple(total_band(930 * _x, 14 * _plans, 900 * _m, _s, 0.47, 0.71, "f")),
    case="large totals",
)
check.value(
    "band for y",
    lambda: tuple(total_band(_x, 97.0 + 0 * _plans[:1], _m, 1e-6 * _s, 1.3, 0.71, "y")),
    case="hundreds of observations, precise weights",
)

# %% [markdown]
# ## Exercise 6. A mode depends on the ruler (12 min, 5 points)
#
# Buses pass at a constant rate $\lambda$ per hour. The counts of $n$ hours are Poisson with mean
# $\lambda$, and the prior density of $\lambda$ is proportional to
# $\lambda^{a - 1} e^{-b \lambda}$, a Gamma. One person asks for the most probable rate $\lambda$,
# another for the most probable $\sqrt\lambda$, or $\log \lambda$, or time between buses
# $1/\lambda$. Each has a posterior density over a quantity of their own, so each finds a mode of
# their own.
#
# Write `rate_map(counts, a, b, quantity)`: the **rate** that belongs to the mode of the posterior
# density of the quantity. (If the mode of $\sqrt\lambda$ is at 3, return 9.)
#
# - `counts` is an array of shape `(n,)` with whole numbers as floats, none above a million; `n`
#   may be 0. `a` and `b` are positive numbers; `b` is at most $10^{10}$, and `a` is 1/2, 1, or at
#   least a thousandth away from both.
# - `quantity` is `"rate"`, `"root"`, `"log"` or `"interval"`: $\lambda$, $\sqrt\lambda$,
#   $\log \lambda$, $1/\lambda$. The prior above is always meant: only the quantity changes.
# - Where the density is largest, or without bound, at a rate of zero, return 0.
# - Return a number, accurate to seven digits.
#
# Points: rate 1, root 2, log 1, interval 1.


# %% exercise="mode-of-what"
def rate_map(counts, a, b, quantity):
    """Return the rate at the mode of the posterior density of a function of the rate."""
    ### BEGIN SOLUTION
    shape, rate = a + counts.sum(), b + len(counts)
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max(shape - lost, 0.0) / rate
    ### END SOLUTION


# %% [markdown] why="mode-of-what"
# A density in $g(\lambda)$ is the density in $\lambda$ divided by $|g'(\lambda)|$. Here that is a
# power of $\lambda$: it only changes how much is taken off the exponent, 1 for the rate, 1/2 for
# its root, 0 for its logarithm, $-1$ for its inverse.

# %% checks="mode-of-what" points=5
check = Checks("mode-of-what")
counts = np.array([3.0, 0.0, 2.0])
check.keeps("rate", lambda counts: rate_map(counts, 2.0, 1.0, "rate"), counts.copy())
check.value("rate", lambda: rate_map(counts, 2.0, 1.0, "rate"), points=1)
check.value("rate", lambda: rate_map(0 * counts, 0.75, 1.0, "rate"))
check.value("root", lambda: rate_map(counts, 2.0, 1.0, "root"), points=2)
check.value("log", lambda: rate_map(counts, 2.0, 1.0, "log"), points=1)
check.value("interval", lambda: rate_map(counts, 2.0, 1.0, "interval"), points=1)
check.report()

# %% hidden="mode-of-what"
_counts = np.array([4.0, 7.0, 1.0, 0.0, 5.0])
check.value("rate", lambda: rate_map(_counts, 1.73, 0.41, "rate"), case="five counts")
check.value("rate", lambda: rate_map(_counts[:0], 3.19, 1.87, "rate"), case="no counts")
check.value("rate", lambda: rate_map(_counts[2:4], 0.43, 2.9, "rate"), case="two counts")
check.value("rate", lambda: rate_map(900 * _counts, 0.61, 0.27, "rate"), case="large counts")
check.value("rate", lambda: rate_map(0 * _counts, 0.37, 0.27, "rate"), case="only zeros")
check.value("root", lambda: rate_map(_counts, 1.73, 0.41, "root"), case="five counts")
check.value("root", lambda: rate_map(_counts[:0], 0.69, 1.87, "root"), case="no counts")
check.value("root", lambda: rate_map(0 * _counts, 0.37, 0.27, "root"), case="only zeros")
check.value("root", lambda: rate_map(_counts[:1], 0.053, 2.9, "root"), case="one count")
check.value("log", lambda: rate_map(_counts, 1.73, 0.41, "log"), case="five counts")
check.value("log", lambda: rate_map(_counts[:0], 0.71, 1.87, "log"), case="no counts")
check.value("log", lambda: rate_map(_counts[2:4], 0.23, 2.9, "log"), case="two counts")
check.value("interval", lambda: rate_map(_counts, 1.73, 0.41, "interval"), case="five counts")
check.value("interval", lambda: rate_map(_counts[:0], 0.71, 1.87, "interval"), case="no counts")
check.value(
    "interval", lambda: rate_map(_counts[3:4], 0.23, 2.7, "interval"), case="a count of zero"
)
check.value("rate", lambda: rate_map(_counts, 1.73, 0.41, "rate") - 3.24, case="to seven digits")
check.value("root", lambda: rate_map(_counts, 1.73, 0.41, "root") - 3.33, case="to seven digits")
check.value("log", lambda: rate_map(_counts, 1.73, 0.41, "log") - 3.42, case="to seven digits")
check.value(
    "interval", lambda: rate_map(_counts, 1.73, 0.41, "interval") - 3.61, case="to seven digits"
)
check.value(
    "rate",
    lambda: rate_map(np.array([3.0]), 2.3, 3.1e5, "rate") * 1e6,
    case="a rate of a millionth",
)
check.value(
    "root",
    lambda: rate_map(np.array([3.0]), 2.3, 3.1e9, "root") * 1e9,
    case="a rate of a billionth",
)
none, small = _counts[:0], 0.0017
check.value("rate", lambda: rate_map(none, 1.00137, small, "rate"), case="a mode next to zero")
check.value("root", lambda: rate_map(none, 0.50137, small, "root"), case="a mode next to zero")
check.value("log", lambda: rate_map(none, 0.00137, small, "log"), case="a mode next to zero")
check.value(
    "interval", lambda: rate_map(none, 0.0011, 0.77, "interval"), case="a tiny a, no hours"
)
check.value("rate", lambda: rate_map(none, 0.99, small, "rate") + 0.37, case="a below 1")
check.value("rate", lambda: rate_map(none, 1.0, small, "rate") + 0.43, case="a of 1")
check.value("root", lambda: rate_map(none, 0.5, small, "root") + 0.47, case="a of a half")
check.value("root", lambda: rate_map(none, 0.497, small, "root") + 0.53, case="a below a half")
hours = np.arange(97.0) ** 3 % 41 * 24_000


def _busy(quantity):
    return [
        rate_map(hours, 0.0013, 0.0011, quantity) - 400000,
        rate_map(hours[:2] * 0, 970.0, 9.7e9, quantity) * 1e7,
        rate_map(hours[1:2], 1.3, small, quantity) - 23000,
    ]


check.value("rate", lambda: _busy("rate"), case="the ends of all ranges")
check.value("root", lambda: _busy("root"), case="the ends of all ranges")
check.value("log", lambda: _busy("log"), case="the ends of all ranges")
check.value("interval", lambda: _busy("interval"), case="the ends of all ranges")


def _quiet(quantity, a):
    return [
        rate_map(0 * _counts[:3], 3.7, 0.31, quantity),
        rate_map(np.array([0.0, 1.0, 0.0]), 0.23, 0.31, quantity),
        rate_map(none, 1.0, 0.31, quantity),
        rate_map(none, 0.5, 0.31, quantity),
        rate_map(none, 990.0, 0.00101, quantity) * 1e-6,
        rate_map(0 * _counts[:2], a, 9.1e9, quantity) * 1e12,
    ]


check.value("rate", lambda: _quiet("rate", 1.0013), case="hours without a bus")
check.value("root", lambda: _quiet("root", 0.5013), case="hours without a bus")
check.value("log", lambda: _quiet("log", 0.0013), case="hours without a bus")
check.value("interval", lambda: _quiet("interval", 0.0013), case="hours without a bus")

# %% [markdown]
# ## Exercise 7. Let the evidence choose the prior (15 min, 6 points)
#
# How wide should the prior be? The *evidence* of a prior is the density that it gave to the data
# before they were seen. In the model $y_i = x_i \cdot w + \varepsilon_i$, with
# $w_j \sim N(0, \tau^2)$ and $\varepsilon_i \sim N(0, \sigma^2)$, all independent, the vector $y$
# is a sum of Normals. So it is Normal itself, with a mean and a covariance that you can write
# down without ever fitting $w$.
#
# Write `choose_prior(x, y, sigma, taus)`, the pair of the log evidences and the best prior scale.
#
# - `x` has shape `(n, k)`, `y` shape `(n,)`; `sigma` is a number; `taus` has shape `(t,)`; its
#   entries are positive, in any order.
# - Return an array of shape `(t,)` with $\log p(y \mid \tau)$ in nats, every constant kept, for
#   the whole data set (no mean), and the entry of `taus` with the largest, a number.
# - It must be right for three hundred examples and for a `sigma` of a few thousandths or of
#   dozens, where the determinant of a covariance is far outside the range of float64. No entry of
#   `y`, and none of `x` times a `tau`, is more than 4500 times `sigma`; no eigenvalue of a
#   covariance of `y` is more than $4 \cdot 10^9$ times `sigma` squared. The largest evidence is
#   larger than the others by at least a millionth of its size.
#
# Points: evidence 3, choice 1, stability 2.


# %% exercise="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    """Return the log evidence of each prior scale in nats, and the scale with the largest."""
    ### BEGIN SOLUTION
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), taus[np.argmax(found)]
    ### END SOLUTION


# %% [markdown] why="choose-a-prior"
# With the weights integrated out, $y$ is Normal with covariance $\sigma^2 I + \tau^2 X X^\top$.
# The determinant fines a wide prior, the quadratic form one that is too narrow for the data: no
# held-out set is needed for the balance.

# %% checks="choose-a-prior" points=6
check = Checks("choose-a-prior")
x = np.array([[1.0, 0.5], [1.0, -1.0], [1.0, 2.0], [1.0, 0.0]])
y = np.array([2.0, 0.5, 3.0, 1.0])
taus = np.array([20.0, 0.1, 1.5])
long = np.linspace(-1, 1, 200)
copies = [array.copy() for array in (x, y, taus)]
check.keeps("evidence", lambda *given: choose_prior(*given[:2], 0.5, given[2]), *copies)
check.value("evidence", lambda: choose_prior(x, y, 0.5, taus)[0], points=3)
check.value("choice", lambda: choose_prior(x, y, 0.5, taus)[1], points=1)
check.value(
    "stability",
    lambda: choose_prior(np.stack([long**0, long], 1), 0.06 * np.sin(9 * long), 0.01, taus)[0],
    points=2,
)
check.report()

# %% hidden="choose-a-prior"
_t = np.linspace(-1.7, 2.2, 9)
_x, _y = np.cos(np.outer(_t, np.arange(1, 5))), 0.8 * np.sin(2.1 * _t) + 0.31
_taus, _long = np.array([0.07, 3.9, 0.53, 31.0]), np.linspace(-1.2, 1.4, 260)
_far = np.sin(np.outer(_long, np.arange(1, 7)))
_near = 0.013 * _far.sum(axis=1) + 0.003 * np.cos(71 * _long)
check.value(
    "evidence", lambda: choose_prior(_x, _y, 0.37, _taus)[0], case="nine rows, four scales"
)
check.value("evidence", lambda: choose_prior(_x[:1], _y[:1], 0.37, _taus)[0], case="one row")
check.value(
    "evidence",
    lambda: choose_prior(_x[:3], _y[:3], 1.41, _taus[:2])[0],
    case="fewer rows than features",
)
check.law(
    "evidence",
    "equal",
    lambda: choose_prior(_x, _y, 0.37, _taus)[0],
    lambda: choose_prior(_x[::-1].copy(), -_y[::-1].copy(), 0.37, _taus)[0],
    lambda: choose_prior(10 * _x, _y, 0.37, _taus / 10)[0],
    case="reordered and rescaled data",
)
check.value("choice", lambda: choose_prior(_x, 3.1 * _y, 0.37, _taus)[1], case="strong effects")
check.value(
    "choice",
    lambda: choose_prior(_x, 1.53 * _y, 0.37, np.geomspace(0.0713, 17.9, 17))[1],
    case="a grid of 17 scales",
)
check.value(
    "choice", lambda: choose_prior(_x, 19.3 * _y, 0.37, _taus)[1], case="very strong effects"
)
check.value("choice", lambda: choose_prior(_x, 0.19 * _y, 0.37, _taus)[1], case="weak effects")
check.value(
    "stability",
    lambda: choose_prior(_far, _near, 0.003, np.array([0.017, 0.43]))[0],
    case="260 rows, little noise",
)
check.value(
    "stability",
    lambda: choose_prior(1e3 * _far, 1e3 * _near, 37.0, _taus)[0],
    case="large numbers",
)
_wide = np.sin(np.outer(np.linspace(-2.0, 1.7, 300), np.arange(1, 9)))
_told = _wide @ np.cos(np.arange(8.0)) * 2.3 + 0.003 * np.cos(97 * np.arange(300.0))
check.value(
    "stability",
    lambda: choose_prior(_wide, _told, 0.003, np.array([2.93, 0.71]))[0],
    case="300 rows, little noise, a wide prior",
)
broad = np.cos(np.outer(np.linspace(-3, 3, 200), np.arange(1, 61)))
check.value(
    "stability",
    lambda: choose_prior(broad, 0.02 * np.sin(np.arange(200.0)), 0.01, np.array([21.0, 4.0]))[0],
    case="sixty features, wide priors",
)
check.value("evidence", lambda: choose_prior(x, y, 0.41, taus[2:])[0], case="one prior scale")
check.value("choice", lambda: choose_prior(_x, _y, 0.37, _taus[2:3])[1], case="one prior scale")
check.value(
    "choice",
    lambda: choose_prior(_x, 0 * _y, 0.37, np.array([3.1, 0.0017, 900.0]))[1],
    case="y of zero",
)
check.value(
    "choice",
    lambda: choose_prior(_x, 1.53 * _y, 0.37, np.array([0.4313, 0.3531, 0.3549, 0.3579]))[1],
    case="evidences close to each other",
)
_offset = 700.0 + np.sin(_long)
check.value(
    "choice",
    lambda: choose_prior(_far, _offset, 1.7, np.array([717.0, 691.0, 503.0]))[1],
    case="large numbers, little between them",
)
check.value(
    "evidence",
    lambda: choose_prior(_x, _y, 995.0, np.array([990.0, 0.0011]))[0] + 70.7,
    case="much noise",
)
check.value(
    "evidence",
    lambda: choose_prior(_x[:, [0, 0, 2]], _y, 0.37, np.array([0.0011, 970.0]))[0],
    case="a feature given twice, scales far apart",
)
check.value(
    "evidence",
    lambda: choose_prior(0 * _x[:2, :1], _y[:2], 0.0023, _taus[:3] * 0.1)[0],
    case="a feature of zeros",
)
check.value(
    "evidence",
    lambda: choose_prior(broad[:7], 30 * _y[:7], 0.71, np.array([0.37, 29.0]))[0],
    case="seven rows, sixty features",
)
check.value(
    "choice",
    lambda: choose_prior(_far, _near, 0.003, np.array([0.43, 0.017, 9.1]))[1],
    case="260 rows, little noise",
)
_high = 10 + 0.1 * _far @ np.array([20.0, -17, 11, 23, -9, 14])
check.value(
    "choice",
    lambda: choose_prior(0.1 * _far, _high, 0.003, np.array([0.0013, 0.023, 17.0]))[1],
    case="no scale explains the data",
)
check.value("evidence", lambda: choose_prior(_x[2:6], _y[2:6], 0.37, _taus)[0], case="four rows")
check.value(
    "evidence",
    lambda: choose_prior(0.9 * _x, 0.003 * _y, 0.00103, np.array([0.00101, 0.0023, 0.00101]))[0],
    case="all scales are small",
)
check.value(
    "evidence",
    lambda: np.concatenate([choose_prior(_x[:n, :1], _y[:n], 0.37, _taus)[0] for n in (1, 2, 9)]),
    case="one feature",
)
check.value(
    "stability",
    lambda: choose_prior(_wide, _told, 0.003, np.array([11.3, 0.71]))[0],
    case="300 rows, little noise, a prior as wide as it may be",
)

# %% [markdown]
# ## Exercise 8. In words: no prior at all? (5 min, 3 points)
#
# A team fits ridge regression with `alpha=1`, "the default", to features in different units:
# metres, euros, years. "The Bayesian team chooses priors, and that is subjective", it writes. "We
# use none." Answer in at most 120 words: which prior the team has chosen, on what else its
# strength depends, what happens to it when metres become kilometres, and a better way to choose. A
# person reads and grades this answer; no check runs.

# %% [markdown] written="no-prior-at-all" points=3
# ### BEGIN SOLUTION
# Ridge minimises the squared error plus alpha |w|^2: with Gaussian noise that is the mode under
# independent priors N(0, sigma^2 / alpha), the same for each weight. So `alpha=1` says that
# weights are about as large as the noise, whatever the data are; the claim depends on the noise
# variance, and on the units. In kilometres the weight of a length is a thousand times larger and
# is pulled to zero a million times harder in effect: another prior, another fit. Standardise the
# features, or give each weight a prior in its own units, and choose the width by the evidence or
# by cross-validation; then report how much the answer moves.
#
# **Rubric.** One point for the prior, N(0, sigma^2 / alpha) on each weight, or in words: Normal
# around zero with a width set by the noise and alpha. One point for the units: other units,
# another prior and another fit. One point for a better way: scaled features or own scales, *and*
# evidence, cross-validation or a check of sensitivity. "alpha is a tuning parameter" alone earns
# nothing.
# ### END SOLUTION
