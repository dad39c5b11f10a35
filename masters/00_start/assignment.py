# %% [markdown]
# # Assignment 00: Start here
#
# Five exercises in code and one in words, 31 points, about 45 minutes. You write three functions
# that the course stands on, mend one that broadcasting has spoilt, and foretell shapes without
# making a single tensor. Each exercise names what it takes and what it returns; whatever the text
# leaves open is yours to choose. Anything that PyTorch, NumPy and SciPy offer may be used, except
# where an exercise says otherwise.
#
# One rule holds in the whole course: **a function leaves its inputs and the global random
# generators (of NumPy and PyTorch) as they are**, because whoever calls it goes on to use them. So
# no `y += 1` on what was handed over, no `torch.manual_seed`, and no layer of `torch.nn` just to
# compute with: making one draws its weights. An exercise may take points for that.
#
# Where an exercise names no other range, numbers are float64 and at most ten billion in size,
# what must be positive is at least a billionth, no axis is empty or longer than a hundred,
# nothing is infinite or `nan`, and Python numbers have no more digits than float32 holds.
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
# ## Exercise 1. The Normal's log-density (8 min, 5 points)
#
# Every regression of this course ends in this function. PyTorch has it; write it once by hand, so
# that you know each of its terms.
#
# Write `normal_log_density(y, mu, sigma)`, the natural logarithm of
#
# $$p(y \mid \mu, \sigma) = \frac{1}{\sqrt{2\pi}\,\sigma}\, e^{-\frac12 ((y - \mu) / \sigma)^2}$$
#
# - `y` is a float64 tensor. `mu` and `sigma` are such tensors or Python numbers; `sigma` is the
#   standard deviation and is at least $10^{-20}$.
# - Compute in the precision of `y`. Return one value for each element, not a sum or a mean. The
#   three broadcast as usual: `y` of shape `(n, 1)` and `mu` of shape `(K,)` give `(n, K)`. Here,
#   that is wanted.
# - The result must be right far out as well: 60 standard deviations from `mu` the density itself
#   is too small for float64, its logarithm is an ordinary number.
# - The point is to write it. `torch.distributions` and `scipy.stats` are accepted, but teach you
#   less.
#
# Points: value 2, shape 1, tails 2.


# %% exercise="normal-log-density"
def normal_log_density(y, mu, sigma):
    """Return the log density, in nats, of each element of y under a Normal."""
    ### BEGIN SOLUTION
    log_sigma = torch.log(torch.as_tensor(sigma, dtype=y.dtype))
    return -0.5 * ((y - mu) / sigma) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
    ### END SOLUTION


# %% [markdown] why="normal-log-density"
# The three terms are the exponent, the width and the constant. Take the logarithm on paper: the
# density of a point that is forty widths away is 0 in float64, and the logarithm of that 0 is
# $-\infty$, while the log-density itself is an ordinary number.

# %% checks="normal-log-density" points=5
check = Checks("normal-log-density")
y = torch.tensor([0.5, -1.0, 3.0], dtype=torch.float64)
means = torch.tensor([0.0, 2.0], dtype=torch.float64)
check.keeps("value", lambda y: normal_log_density(y, 0.25, 0.8), y.clone())
check.value("value", lambda: normal_log_density(y, 0.25, 0.8), points=2)
check.value("value", lambda: normal_log_density(y[:2], means, 1.5 + 0 * means))
check.value("shape", lambda: normal_log_density(y[:, None], means, 0.5), points=1)
check.value("tails", lambda: normal_log_density(120 * y, -2.0, 1.5), points=2)
check.report()

# %% hidden="normal-log-density"
_t = torch.linspace(-1.7, 2.3, 6, dtype=torch.float64)
check.value("value", lambda: normal_log_density(_t, 0.31, 1.37), case="six values, one mean")
check.value(
    "value",
    lambda: normal_log_density(_t, torch.sin(_t), 0.4 + _t**2),
    case="a mean and a scale for each value",
)
check.value(
    "value", lambda: normal_log_density(0.001 * _t, 0.0, 0.0023), case="tiny values, a tiny scale"
)
check.value("value", lambda: normal_log_density(_t[-1], -0.2, _t[-2]), case="a single number")
check.value(
    "shape",
    lambda: normal_log_density(_t[:4, None], _t[4:], 0.83),
    case="a column of values, two means",
)
check.value(
    "shape",
    lambda: normal_log_density(_t.reshape(2, 3), 0.17, 0.6 + _t[3:]),
    case="one scale for each column",
)
check.value(
    "shape",
    lambda: normal_log_density(_t[:2, None, None], _t[:3, None], 2.9 + _t[:4]),
    case="three dimensions that broadcast",
)
check.value(
    "tails", lambda: normal_log_density(91.0 + _t, 0.3, 1.13), case="90 standard deviations out"
)
check.value("tails", lambda: normal_log_density(_t, -3.3, 0.0071), case="a scale of a hundredth")
check.value(
    "tails",
    lambda: normal_log_density(1e4 * _t, 7.7, 13.1),
    case="thousands of standard deviations out",
)
check.value("shape", lambda: normal_log_density(_t[:1], 0.29, 1.7), case="a batch of one")
check.value(
    "shape",
    lambda: normal_log_density(_t[:1, None], 0.29, 1.7 + _t[2:]),
    case="one row, four scales",
)
check.value(
    "tails",
    lambda: normal_log_density(3.1e-8 * _t, 0.0, 1.9e-8),
    case="a scale of a hundred millionth",
)
check.value(
    "shape", lambda: normal_log_density(_t[:3, None], 0.29, 1.7), case="a column, one mean"
)
check.value(
    "value",
    lambda: normal_log_density(1e9 + 3 * _t, torch.full((6,), 1e9 + 0.7, dtype=_t.dtype), 2.3),
    case="values of a billion",
)
speck = torch.tensor([-2.3e-20, 0.0, 1.1e-20], dtype=torch.float64)
check.value(
    "value", lambda: normal_log_density(speck, 0.7e-20, 3e-20), case="scales of almost nothing"
)
check.value("value", lambda: normal_log_density(1e9 * _t, -3e8, 9e8), case="a scale of a billion")
check.value(
    "shape", lambda: normal_log_density(_t[2], _t[:3], 0.6 + _t[3:]), case="one value, three means"
)
check.value(
    "shape",
    lambda: normal_log_density(_t[2], 0.3, _t[-2:, None]),
    case="one value, a column of scales",
)
check.value(
    "tails",
    lambda: normal_log_density(1e9 * _t, 0.3, 1.7e-9),
    case="a billion away, a billionth wide",
)
check.keeps(
    "shape",
    normal_log_density,
    _t[:, None].clone(),
    _t[:2].clone(),
    2.7 + _t[3:5],
    case="values in a column",
)
check.value(
    "shape",
    lambda: normal_log_density(_t[:3, None], _t[3:], 0.6 + _t[3:]),
    case="a column of three, three means and scales",
)
check.value(
    "shape", lambda: normal_log_density(_t[3:], _t[:3, None], 0.7), case="a column of three means"
)
_rows = torch.sin(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100).T
check.value(
    "shape",
    lambda: normal_log_density(_rows, _rows.flip(0), 2.4 + _rows[:, 1:2]),
    case="a hundred rows of three, a scale for each row",
)
_column = _rows.flip(1)[:, 0]
check.value("value", lambda: normal_log_density(_column, 0.3, 0.8), case="a hundred values")
least = torch.full((6,), 1e-20, dtype=_t.dtype)
check.value("value", lambda: normal_log_density(1e-20 * _t, 0.0, least), case="the smallest scale")
check.value(
    "tails",
    lambda: normal_log_density(1e9 * _t.clamp(max=1.0), -1e9, least),
    case="a billion away, the smallest scale",
)
check.value("value", lambda: normal_log_density(_t, 2, 3), case="whole numbers for both")
check.value(
    "shape", lambda: normal_log_density(_t, _t[2:3, None], 0.7), case="a table of one mean"
)
check.value(
    "shape", lambda: normal_log_density(_t, 0.7, _t[-1:, None]), case="a table of one scale"
)
check.value(
    "shape",
    lambda: normal_log_density(_t[:1, None], _t[2:, None], 0.9),
    case="one row, a column of four means",
)
check.value(
    "shape",
    lambda: normal_log_density(_t[:3], _t.reshape(2, 3), 0.6 + _t[3:]),
    case="a table of means, a scale for each column",
)
check.value(
    "shape",
    lambda: normal_log_density(_t.reshape(2, 1, 3, 1), _t[:2], 2.9 + _t[:3].reshape(3, 1, 1)),
    case="four dimensions",
)


# %% [markdown]
# ## Exercise 2. Add probabilities that are logarithms (8 min, 6 points)
#
# Log-probabilities are added to multiply. But a mixture, or a softmax, *adds probabilities*, and
# the way through the exponential is blocked: with log-probabilities around −1000 each of them is
# zero in float64.
#
# Write `log_sum_exp(a)`, the logarithm of the sum of the exponentials of `a` over its **last**
# dimension: $\log \sum_k e^{a_k}$.
#
# - `a` is a tensor of shape `(..., K)`, $K \ge 1$, with any number of dimensions before the last;
#   the result has the shape that remains, so `(K,)` gives a 0-d tensor.
# - It must be right for entries of any size. Entries may be `-inf`, which stands for probability
#   0; at least one entry of each row is finite.
# - Gradients with respect to `a` flow through the result and are right.
# - Leave out `torch.logsumexp` and its relatives (`logaddexp`, `log_softmax`): find out how they
#   do it. What happens to the result if you subtract the same number from every entry?
#
# Points: value 2, dimension 1, stability 2, gradient 1.


# %% exercise="log-sum-exp"
def log_sum_exp(a):
    """Return log(sum(exp(a))) over the last dimension."""
    ### BEGIN SOLUTION
    top = a.max(dim=-1, keepdim=True).values
    return top.squeeze(-1) + torch.log(torch.exp(a - top).sum(dim=-1))
    ### END SOLUTION


# %% [markdown] why="log-sum-exp"
# Taking the largest entry out of the sum changes nothing on paper; it comes back outside the
# logarithm. On a machine no exponent is then above 0, so nothing overflows, and one of them is 0,
# so the sum is at least 1 and never underflows.

# %% checks="log-sum-exp" points=6
check = Checks("log-sum-exp")
a = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
table = torch.tensor([[0.0, 1.0, 0.5], [-2.0, 0.25, 1.5]], dtype=torch.float64)
some = torch.tensor([-900.0, -math.inf, -899.0], dtype=torch.float64)
check.keeps("value", log_sum_exp, a.clone())
check.value("value", lambda: log_sum_exp(a), points=2)
check.value("dimension", lambda: log_sum_exp(table), points=1)
check.value("stability", lambda: log_sum_exp(a - 1000), points=2)
check.value("stability", lambda: log_sum_exp(1000 * a))
check.value("stability", lambda: log_sum_exp(some))
check.gradient("gradient", lambda a: log_sum_exp(a), a, points=1)
check.report()

# %% hidden="log-sum-exp"
_t = torch.linspace(-2.3, 1.9, 24, dtype=torch.float64)
_wave = torch.sin(3 * _t) + 0.4 * _t
_apart = torch.tensor([[0.0], [-1900.0], [1300.0]], dtype=torch.float64)
check.value("value", lambda: log_sum_exp(_wave), case="24 entries")
check.value("value", lambda: log_sum_exp(_wave[:5] - 7.3), case="five entries far below zero")
check.value("value", lambda: log_sum_exp(_t[7:8]), case="a single entry")
check.value("dimension", lambda: log_sum_exp(_wave.reshape(4, 6)), case="four rows of six")
check.value("dimension", lambda: log_sum_exp(_wave.reshape(2, 3, 4)), case="three dimensions")
check.value("dimension", lambda: log_sum_exp(_wave[:9].reshape(3, 3)), case="three rows of three")
check.value("dimension", lambda: log_sum_exp(_wave.reshape(1, 24)), case="one row")
check.value("stability", lambda: log_sum_exp(_wave + 1234.0), case="entries above 1200")
check.value(
    "stability",
    lambda: log_sum_exp(_wave.reshape(3, 8) + _apart),
    case="rows near 0, -1900 and 1300",
)
check.value("stability", lambda: log_sum_exp(1e5 * _wave), case="entries of size 100 000")
check.value(
    "stability",
    lambda: log_sum_exp(torch.cat([some, _wave - 898.0])),
    case="entries of minus infinity",
)
check.gradient("gradient", lambda b: log_sum_exp(b), 1.3 * _wave[:7], case="seven entries")
check.gradient(
    "gradient", lambda b: log_sum_exp(b), 0.7 * _t[:4] - 1100.0, case="entries near -1100"
)
check.gradient(
    "gradient",
    lambda b: log_sum_exp(b),
    _wave.reshape(3, 8) + _apart,
    case="rows near 0, -1900 and 1300",
)
check.value("value", lambda: log_sum_exp(torch.full((3,), -2.7).double()), case="three alike")
check.value("stability", lambda: log_sum_exp(torch.cat([_wave, _wave])), case="each entry twice")
check.value("stability", lambda: log_sum_exp(1e4 * _wave - 7e5), case="entries near -700 000")
check.gradient(
    "gradient", lambda b: log_sum_exp(b), torch.full((5,), 0.83).double(), case="five alike"
)
check.value(
    "value",
    lambda: log_sum_exp(torch.tensor([[-math.inf, -math.inf, 0.3, -1.2]], dtype=torch.float64)),
    case="two impossible entries in front",
)
check.value("dimension", lambda: log_sum_exp(_wave.reshape(24, 1)), case="rows of one entry")
check.value("dimension", lambda: log_sum_exp(_wave.reshape(2, 2, 3, 2)), case="four dimensions")
check.value(
    "value", lambda: log_sum_exp(torch.cos(torch.arange(100.0).double())), case="100 entries"
)
check.value("stability", lambda: log_sum_exp(1e9 + _wave[:4]), case="entries of a billion")
check.value(
    "stability",
    lambda: 1e12 * log_sum_exp(torch.tensor([0.0, -23.0], dtype=_t.dtype)),
    case="an entry 23 below the other",
)
check.gradient(
    "gradient",
    lambda b: log_sum_exp(b),
    torch.cat([some, _wave[:3] - 898.0]),
    case="entries of minus infinity",
)
check.gradient(
    "gradient",
    lambda b: log_sum_exp(b),
    torch.tensor([[-0.4, -0.4, 0.3], [0.3, -0.4, -0.4]], dtype=_t.dtype),
    case="two rows, two entries alike",
)
check.value(
    "stability",
    lambda: log_sum_exp(torch.tensor([-math.inf, -20003.1, -20001.4], dtype=_t.dtype)),
    case="minus infinity beside -20 000",
)
check.keeps("stability", log_sum_exp, 1e5 * _wave.reshape(4, 6), case="large entries")
check.value(
    "dimension", lambda: log_sum_exp(_wave.reshape(4, 1, 6)), case="a length of one inside"
)
check.value(
    "dimension", lambda: log_sum_exp(_wave.reshape(1, 3, 8)), case="one table of three rows"
)
check.value("dimension", lambda: log_sum_exp(_wave[:6].reshape(3, 2, 1)), case="all rows of one")
_tall = torch.cos(torch.arange(10000, dtype=_t.dtype) ** 2).reshape(100, 100).T
check.value("dimension", lambda: log_sum_exp(_tall), case="100 rows of 100")
check.value(
    "dimension", lambda: log_sum_exp(_wave.reshape(2, 1, 2, 3, 1, 2)), case="six dimensions"
)
_vast = torch.tensor([[-math.inf, -1.3e300, -1.1e300], [1.7e300, -1e300, 0.4]], dtype=_t.dtype)
check.value("stability", lambda: log_sum_exp(_vast) / 1e300, case="entries of size 1e300")
check.value(
    "stability",
    lambda: log_sum_exp(torch.tensor([-math.inf, 0.37], dtype=_t.dtype)),
    case="minus infinity first, one other",
)
_holes = torch.tensor([[0.3, -math.inf, 1.2], [-math.inf, -0.4, 0.7]], dtype=_t.dtype)
check.value("stability", lambda: log_sum_exp(_holes), case="rows with one minus infinity each")
check.gradient(
    "gradient", lambda b: log_sum_exp(b), _holes, case="rows with one minus infinity each"
)
check.gradient(
    "gradient",
    lambda b: log_sum_exp(b.mT),
    _wave.reshape(2, 3, 4) + torch.tensor([[[0.0]], [[3e8]]]),
    case="two tables on their side, one of a large size",
)
check.gradient(
    "gradient",
    lambda b: log_sum_exp(b[:1]).sum() + log_sum_exp(b[1, :4, None]).sum(),
    _wave.reshape(3, 8),
    case="one row, and rows of one entry",
)
check.gradient("gradient", lambda b: log_sum_exp(b), _tall[:, :3], case="100 rows of three")
check.gradient(
    "gradient",
    lambda b: 1e13 * log_sum_exp(torch.cat([_t[-3:], b])),
    torch.tensor([-28.3, -29.9, -30.4], dtype=_t.dtype),
    case="entries 30 below the others",
)


# %% [markdown]
# ## Exercise 3. Draws by inversion (10 min, 5 points)
#
# Waiting times $t$ have a density that falls like $e^{-r t}$, where $r$ is the rate. But whoever
# waits longer than `upper` gives up and is never recorded, so the recorded times have the density
#
# $$p(t) = \frac{r\, e^{-r t}}{1 - e^{-r \cdot \mathrm{upper}}}, \qquad
#   0 \le t \le \mathrm{upper}.$$
#
# Write `waits_from_uniform(u, rate, upper)`, which turns uniform numbers `u` into recorded waiting
# times: the value $t$ at which the cumulative distribution function $F(t) = \int_0^t p$ reaches
# $u$. Integrate, set $F(t) = u$, and solve for $t$ on paper.
#
# - `u` is a float64 tensor of any shape with values in $[0, 1)$ that are 0 or at least $10^{-18}$;
#   `rate` (per minute, at least $10^{-13}$) and `upper` (minutes) are positive Python numbers
#   whose product is at most 20.
# - Return a tensor of the shape of `u`, in minutes. Larger `u` gives larger `t`. Nothing is drawn
#   inside the function.
# - The product of `rate` and `upper` may be as small as $10^{-12}$, where the recorded times are
#   nearly uniform, and `u` may lie next to 0, where $t$ is tiny whatever the rate is. The relative
#   error must stay below $10^{-6}$ there, too: look up what `log1p` and `expm1` are for.
#
# Points: value 3, small rates 2.


# %% exercise="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    """Return the waiting times at which the truncated exponential's CDF equals u."""
    ### BEGIN SOLUTION
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate
    ### END SOLUTION


# %% [markdown] why="draws-by-inversion"
# Set the distribution function equal to $u$ and solve for the waiting time. `expm1` and `log1p`
# keep the digits that `1 - exp(-x)` and `log(1 - x)` lose where $x$ is tiny.

# %% checks="draws-by-inversion" points=5
check = Checks("draws-by-inversion")
u = torch.tensor([0.0, 0.25, 0.5, 0.9], dtype=torch.float64)
check.keeps("value", lambda u: waits_from_uniform(u, 0.2, 10.0), u.clone())
check.value("value", lambda: waits_from_uniform(u, 0.2, 10.0), points=3)
check.law(
    "value",
    "increasing",
    lambda: waits_from_uniform(0.5 * u, 0.7, 4.0),
    lambda: waits_from_uniform(0.5 * u + 0.2, 0.7, 4.0),
)
check.value("small rates", lambda: waits_from_uniform(u, 1e-13, 10.0), points=2)
check.report()

# %% hidden="draws-by-inversion"
_u = torch.sin(torch.linspace(0.07, 1.5, 6, dtype=torch.float64)) ** 2
check.value("value", lambda: waits_from_uniform(_u, 0.37, 6.1), case="six draws")
check.value(
    "value", lambda: waits_from_uniform(_u.reshape(2, 3), 2.9, 0.43), case="two rows of draws"
)
check.value("value", lambda: waits_from_uniform(_u[3], 1.7, 11.3), case="a single draw")
check.law(
    "value",
    "equal",
    lambda: waits_from_uniform(_u, 0.6, 5.1),
    lambda: 3 * waits_from_uniform(_u, 1.8, 1.7),
    case="another unit of time",
)
check.value("small rates", lambda: waits_from_uniform(_u, 3.1e-12, 0.77), case="a rate of 3e-12")
check.value("small rates", lambda: waits_from_uniform(_u, 7e-10, 2.3), case="a rate of 7e-10")
check.value(
    "small rates", lambda: waits_from_uniform(1e-9 * _u, 0.43, 5.9), case="draws next to zero"
)
check.value("value", lambda: waits_from_uniform(_u[2:3], 1.3, 2.1), case="a batch of one")
check.value("small rates", lambda: waits_from_uniform(_u, 3.7e-4, 2.1), case="a product of 0.0008")
check.value(
    "small rates",
    lambda: 0.1 * (waits_from_uniform(_u, 1.9e-5, 2.1) / (2.1 * _u) - 1) + 1e-9,
    case="a product of 0.00004, to a millionth",
)
check.value("value", lambda: waits_from_uniform(_u, 1.3e-9, 2.7e9), case="minutes by the billion")
check.value("value", lambda: waits_from_uniform(_u, 1.3e9, 2.7e-9), case="a billionth of a minute")
check.value(
    "small rates",
    lambda: 1e13 * waits_from_uniform(1e-13 * _u, 1.9e-3, 1.1),
    case="draws next to zero, a small rate",
)
late = 1 - torch.tensor([1e-10, 3e-9, 2e-5], dtype=torch.float64)
check.value("value", lambda: waits_from_uniform(late, 2.0, 10.0), case="u next to 1")
check.value("value", lambda: waits_from_uniform(_u, 2, 3), case="whole numbers for rate and end")
check.value(
    "value", lambda: waits_from_uniform(torch.zeros(2, 1).double(), 1.9, 0.7), case="u of zero"
)
check.value("value", lambda: waits_from_uniform(_u, 4.0, 5.0), case="a product of 20")
check.value("small rates", lambda: waits_from_uniform(_u, 1e-12, 1), case="the smallest product")
check.value(
    "small rates",
    lambda: waits_from_uniform(_u, 1e-3, 1e-9),
    case="a billionth of a minute, a product of 1e-12",
)
check.value(
    "value", lambda: waits_from_uniform(_u.reshape(1, 3, 2), 0.9, 2.3), case="three dimensions"
)
check.value(
    "small rates",
    lambda: 1e27 * waits_from_uniform(1e-18 * (1 + _u), 0.43, 5.9e-9),
    case="the smallest draws, a billionth of a minute",
)
check.value(
    "small rates",
    lambda: 1e17 * waits_from_uniform(1e-17 * (1 + _u), 1.7, 10.3),
    case="the smallest draws, a large product",
)
early = torch.tensor([4.3e-6, 7.9e-6], dtype=torch.float64)
check.value(
    "small rates",
    lambda: 0.1 * (waits_from_uniform(early, 1.7, 5.1) * 1.7 / early / -math.expm1(-8.67) - 1),
    case="draws of some millionths, to a millionth",
)
check.value(
    "small rates",
    lambda: [
        0.1 * (waits_from_uniform(0.4 * _u, x / 2, 2.0) / (0.8 * _u) - 1) + 1e-9
        for x in (4.1e-6, 7.3e-3)
    ],
    case="products of 0.000004 and 0.007, to a millionth",
)
_last = torch.full((1, 1), 1 - 2.0**-53, dtype=torch.float64)
check.value(
    "value", lambda: waits_from_uniform(_last, 3.9, 5.1), case="a table of the largest draw"
)
_many = torch.sin(torch.arange(192, dtype=torch.float64) ** 2).square().reshape(4, 3, 2, 8)
check.value(
    "value", lambda: waits_from_uniform(_many.transpose(0, 3), 0.7, 3.1), case="four dimensions"
)

# %% [markdown]
# ## Exercise 4. Mend a broadcast (6 min, 6 points)
#
# This function should return a weighted mean squared error. Its author tested it with three plain
# vectors, and it was right:
#
# ```python
# def weighted_error(prediction, y, weight):
#     return (weight * (prediction - y) ** 2).sum() / weight.sum()
# ```
#
# In use, predictions come out of a network as a column of shape `(n, 1)`, and sometimes the
# weights are a column too. Nothing crashes, and every number is wrong.
#
# Write the function that was meant:
# $\sum_i w_i\,(\hat y_i - y_i)^2 \,/\, \sum_i w_i$, with $\hat y$ the prediction.
#
# - Each of the three tensors has shape `(n,)` or `(n, 1)`, $n \ge 1$, in any combination. Weights
#   are not negative, and at least one is positive.
# - Return a 0-d tensor or a number.
# - If the three do not hold equally many values, raise `ValueError`, even where shapes such as
#   `(1,)` and `(n,)` would broadcast.
#
# Points: value 1, columns 2, weights 2, lengths 1. The aspect "columns" is about predictions and
# targets as columns, "weights" about weights as a column.


# %% exercise="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    """Return the weighted mean squared error of tensors of shape (n,) or (n, 1)."""
    ### BEGIN SOLUTION
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError(f"different lengths: {len(prediction)}, {len(y)}, {len(weight)}")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()
    ### END SOLUTION


# %% [markdown] why="mend-a-broadcast"
# A column minus a row is a table, so the loss averaged $n^2$ differences without a word. Flattened
# first and compared in length, three tensors have nothing left to broadcast.

# %% checks="mend-a-broadcast" points=6
check = Checks("mend-a-broadcast")
p = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
y = torch.tensor([1.5, 2.0, 1.0], dtype=torch.float64)
w = torch.tensor([2.0, 0.5, 1.0], dtype=torch.float64)
check.keeps("value", weighted_error, p.clone(), y.clone(), w.clone())
check.value("value", lambda: weighted_error(p, y, w), points=1)
check.value("columns", lambda: weighted_error(p[:, None], y, w), points=2)
check.value("columns", lambda: weighted_error(p, y[:, None], w))
check.value("weights", lambda: weighted_error(p, y, w[:, None]), points=2)
check.value("lengths", lambda: weighted_error(p[:1], y, w), points=1)
check.report()

# %% hidden="mend-a-broadcast"
_t = torch.linspace(-1.3, 2.1, 7, dtype=torch.float64)
_p, _y, _w = torch.sin(2 * _t) + 0.2, 0.8 * _t, 0.1 + _t**2
check.value("value", lambda: weighted_error(_p, _y, _w), case="seven values")
check.value("value", lambda: weighted_error(_p, _y, 4.7 * _w + (_t > 0)), case="larger weights")
check.value("columns", lambda: weighted_error(_p[:, None], _y, _w), case="predictions in a column")
check.value("columns", lambda: weighted_error(_p, _y[:, None], _w), case="targets in a column")
check.value(
    "columns", lambda: weighted_error(_p[:, None], _y[:, None], _w), case="both in columns"
)
check.value(
    "columns", lambda: weighted_error(_p[:1, None], _y[2:3], _w[:1]), case="one value in a column"
)
check.value("weights", lambda: weighted_error(_p, _y, _w[:, None]), case="weights in a column")
check.value(
    "weights", lambda: weighted_error(_p[:, None], _y[:, None], _w[:, None]), case="all in columns"
)
check.value(
    "weights",
    lambda: weighted_error(_p[:, None], _y, _w[:, None]),
    case="predictions and weights in columns",
)
check.value("lengths", lambda: weighted_error(_p[:1], _y[1:2], _w[:1]), case="one value of each")
check.value(
    "lengths", lambda: weighted_error(_p, _y[:1], _w), case="one target for seven predictions"
)
check.value("lengths", lambda: weighted_error(_p, _y, _w[:1]), case="one weight for seven values")
check.value(
    "lengths",
    lambda: weighted_error(_p[:, None], _y[:4], _w),
    case="four targets for a column of seven",
)
check.value("value", lambda: weighted_error(_p, _y, 0.013 * _w), case="weights far below one")
check.value("weights", lambda: weighted_error(_p, _y, 0.013 * _w[:, None]), case="and in a column")
check.value("value", lambda: weighted_error(1e9 + _p, 1e9 + _y, _w), case="values of a billion")
three = torch.tensor([1.0, 0.3, -2.0], dtype=torch.float64)
check.value(
    "weights",
    lambda: weighted_error(three, 2 * three + 0.37, torch.tensor([1.3, 0.0, 2.0]).double()),
    case="a weight of zero",
)
check.value(
    "lengths",
    lambda: weighted_error(_p[:, None], _y[:1, None], _w),
    case="a column of one target for seven predictions",
)
check.value(
    "lengths",
    lambda: weighted_error(_p[:1, None], _y, _w[:, None]),
    case="a column of one prediction",
)
check.value("lengths", lambda: weighted_error(_p, _y, _w[:1, None]), case="a column of one weight")
check.value(
    "columns",
    lambda: weighted_error(_p[:2, None], _y[:2], _w[:2]),
    case="two predictions in a column",
)
check.value(
    "weights",
    lambda: weighted_error(_p, _y, (_w * (_t > 0))[:, None]),
    case="weights of zero in a column",
)
check.value("value", lambda: weighted_error(_p, _y, 1e9 * _w), case="weights of a billion")
check.value(
    "value", lambda: weighted_error(_p, _y, 1e-9 + 1e-9 * _w), case="weights of billionths"
)
check.keeps(
    "columns", weighted_error, _p[:, None].clone(), _y.clone(), _w.clone(), case="a column"
)
check.keeps(
    "weights",
    weighted_error,
    _p.clone(),
    _y.clone(),
    _w[:, None].clone(),
    case="weights in a column",
)
check.value("lengths", lambda: weighted_error(_p, _y, _w[:4]), case="four weights for seven")
check.value(
    "lengths",
    lambda: weighted_error(_p, _y, torch.cat([_w, _w[:2]])),
    case="nine weights for seven",
)
check.value(
    "lengths", lambda: weighted_error(_p[:5], _y, _w[:5]), case="five predictions and weights"
)
check.value("lengths", lambda: weighted_error(_p, _y[:5], _w[:5]), case="seven predictions alone")
check.value(
    "lengths", lambda: weighted_error(_p, _y[:1], _w[:1]), case="one target, one weight for seven"
)
check.value(
    "lengths", lambda: weighted_error(_p[:3], _y, _w[:5]), case="three, seven and five values"
)
check.value(
    "lengths",
    lambda: weighted_error(_p[:1, None], _y[:4, None], _w[:2, None]),
    case="columns of one, four and two values",
)
check.value(
    "weights",
    lambda: weighted_error(_p, _y[:, None], _w[:, None]),
    case="targets and weights in columns",
)
check.value(
    "columns", lambda: weighted_error(_p[:2], _y[:2, None], _w[:2]), case="two targets in a column"
)
check.value(
    "columns",
    lambda: weighted_error(_p[:1, None], _y[2:3, None], _w[:1, None]),
    case="one value, all in columns",
)
check.value(
    "weights",
    lambda: weighted_error(_p[:1], _y[2:3], _w[:1, None]),
    case="one value, its weight in a column",
)
check.value(
    "weights",
    lambda: weighted_error(_p[:4], _y[:4], torch.tensor([0.0, 0.0, 0.0, 1e-9], dtype=_t.dtype)),
    case="a single weight, the smallest",
)
check.value(
    "weights",
    lambda: weighted_error(
        torch.tensor([1e9, 0.31, 0.0]).double(),
        torch.tensor([-1e9, 2.03, 0.7]).double(),
        torch.tensor([1e-9, 1e9, 1.7], dtype=_t.dtype),
    ),
    case="a tiny weight of a huge error",
)
check.value(
    "value", lambda: 1e18 * weighted_error(1e-9 * _p, 1e-9 * _y, _w), case="errors of a billionth"
)
_long = torch.sin(torch.arange(297, dtype=_t.dtype) ** 2).reshape(3, 99)
check.value(
    "value",
    lambda: weighted_error(_long[0], _long[1], _long[2].square() * torch.arange(99)),
    case="99 values",
)

# %% [markdown]
# ## Exercise 5. Foretell the shapes (8 min, 6 points)
#
# Most errors with distributions are errors of shape, and shapes can be worked out in the head.
# Someone builds
#
# ```python
# d = Independent(Normal(loc, scale), event_dims)
# ```
#
# from two tensors. Write `foretell_shapes(loc, scale, event_dims, sample, value)`, which is given
# the *shapes* of tensors and returns four shapes, in this order:
#
# 1. `d.batch_shape`;
# 2. `d.event_shape`;
# 3. the shape of `d.sample(sample)`;
# 4. the shape of `d.log_prob(v)` for a tensor `v` of shape `value`.
#
# - `loc`, `scale`, `sample`, `value` are tuples of positive integers, perhaps empty. `event_dims`
#   is an integer, 0 or more, at most the number of dimensions of the shape that `loc` and `scale`
#   broadcast to. All shapes are valid: what has to broadcast does.
# - `value` need not be the shape of a draw. It broadcasts against batch and event shape together,
#   as any two tensors do.
# - Return four tuples of integers (lists and `torch.Size` are fine).
# - `np.broadcast_shapes` helps. Building `d` is accepted, but the point is to do without. (A draw
#   from it would move a random generator.)
#
# Points: batch 2, event 1, draw 1, log_prob 2.


# %% exercise="foretell-shapes"
def foretell_shapes(loc, scale, event_dims, sample, value):
    """Return batch shape, event shape, shape of a draw and shape of log_prob."""
    ### BEGIN SOLUTION
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], sample + whole, scored[: len(scored) - event_dims]
    ### END SOLUTION


# %% [markdown] why="foretell-shapes"
# Location and scale broadcast to one shape; its last `event_dims` axes become the event, and the
# sample shape goes in front of it all. `log_prob` adds up over an event, so its shape is what
# value and parameters broadcast to, less the event's axes.

# %% checks="foretell-shapes" points=6
check = Checks("foretell-shapes")
check.value("batch", lambda: np.array(foretell_shapes((5, 3), (3,), 1, (100,), (3,))[0]), points=2)
check.value("batch", lambda: np.array(foretell_shapes((3,), (4, 1), 0, (), (4, 3))[0]))
check.value("event", lambda: np.array(foretell_shapes((5, 3), (3,), 1, (100,), (3,))[1]), points=1)
check.value("event", lambda: np.array(foretell_shapes((6,), (), 0, (2,), ())[1]))
check.value("draw", lambda: np.array(foretell_shapes((5, 3), (3,), 1, (100,), (3,))[2]), points=1)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((5, 3), (3,), 1, (100,), (100, 5, 3))[3]),
    points=2,
)
check.value("log_prob", lambda: np.array(foretell_shapes((4,), (), 0, (), (4, 1))[3]))
check.keeps("draw", lambda: foretell_shapes((2, 3), (3,), 1, (2,), (3,)))
check.report()

# %% hidden="foretell-shapes"
check.value(
    "batch",
    lambda: np.array(foretell_shapes((1, 7), (6, 1), 0, (3,), (7,))[0]),
    case="two parameters that broadcast",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((3,), (6, 4, 1), 1, (), ())[0]),
    case="one event dimension",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((8, 1, 5), (2, 1), 1, (9,), (5,))[0]),
    case="three against two dimensions",
)
check.value("batch", lambda: np.array(foretell_shapes((), (), 0, (), ())[0]), case="scalars")
check.value(
    "batch",
    lambda: np.array(foretell_shapes((4, 3), (), 2, (5,), (3,))[0]),
    case="two event dimensions",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((2, 8, 5, 3), (5, 3), 3, (), ())[0]),
    case="more event dimensions than scale has",
)
check.value(
    "event",
    lambda: np.array(foretell_shapes((8, 1, 5), (2, 1), 2, (9,), (5,))[1]),
    case="all dimensions are events but one",
)
check.value(
    "event",
    lambda: np.array(foretell_shapes((3,), (6, 1), 2, (), ())[1]),
    case="two event dimensions",
)
check.value(
    "event",
    lambda: np.array(foretell_shapes((7, 1), (4,), 0, (), ())[1]),
    case="no event dimension",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((8, 1, 5), (2, 1), 2, (9, 6), (5,))[2]),
    case="two sample dimensions",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((7, 1), (4,), 0, (), ())[2]),
    case="one sample, no event",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((), (4,), 1, (3, 5), ())[2]),
    case="samples of an event",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((7,), (), 0, (5,), (7, 1))[3]),
    case="values in a column",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((6, 3), (3,), 1, (), (9, 1, 3))[3]),
    case="values with a dimension of one",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((2, 6, 3), (3,), 2, (4,), (9, 1, 6, 3))[3]),
    case="values of four dimensions",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((2, 6, 5), (5,), 1, (4,), ())[3]),
    case="a scalar value",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((6, 3), (3,), 2, (8,), (8, 6, 3))[3]),
    case="values with a sample dimension",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((6, 1), (7,), 0, (4,), ())[3]),
    case="a scalar value, two columns of parameters",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((2, 4, 3), (), 3, (5,), (4, 3))[3]),
    case="all dimensions are events",
)
_wide = (2, 3, 1, 2, 1, 3, 2)
check.value("batch", lambda: np.array(foretell_shapes(_wide, (), 6, (), ())[0]), case="six events")
check.value("event", lambda: np.array(foretell_shapes(_wide, (), 6, (), ())[1]), case="six events")
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes(_wide, (), 6, (), (5, *_wide))[3]),
    case="six events",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((1, 6), (), 1, (4,), (7, 6))[3]),
    case="as many dimensions, a larger batch",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((2, 1, 3), (1, 4, 1), 1, (), ())[3]),
    case="two batches that broadcast, a scalar value",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((2, 6, 5), (5,), 2, (4,), ())[3]),
    case="two event dimensions, a scalar value",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((), (), 0, (4,), (5, 2))[3]),
    case="scalars, a table of values",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((5, 3), (), 1, (), (1, 5, 3))[3]),
    case="values with one in front",
)
check.value(
    "log_prob",
    lambda: np.array(foretell_shapes((7,), (3, 1), 1, (6,), (2, 3, 4, 1, 7))[3]),
    case="values of five dimensions",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((), (), 0, (1, 4, 2), ())[2]),
    case="three sample dimensions, scalars",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((4, 3), (3,), 1, (4,), (4, 3))[2]),
    case="as many samples as the batch",
)
check.value(
    "draw",
    lambda: np.array(foretell_shapes((5, 1), (), 1, (1,), (5, 6))[2]),
    case="one sample, events of one",
)
check.value(
    "event",
    lambda: np.array(foretell_shapes((5, 1), (), 1, (1,), (5, 6))[1]),
    case="events of one, longer values",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((1, 3), (3,), 0, (2,), (5, 3))[0]),
    case="a row of parameters, a table of values",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((1, 3), (3,), 1, (1,), (5, 3))[0]),
    case="a batch of one",
)
check.value(
    "batch",
    lambda: np.array(foretell_shapes((), (4, 3, 2), 2, (), (2,))[0]),
    case="a scalar location, two event dimensions",
)

# %% [markdown]
# ## Exercise 6. In words: a density of four (5 min, 3 points)
#
# A colleague measures the lengths of bolts in centimetres and describes them by a
# `Normal(2.0, 0.1)`. At 2.0 the library returns a log-probability of about 1.4. "So a bolt is
# exactly 2 cm long with probability $e^{1.4} \approx 4$", she says, "and a probability of four is
# nonsense. I shall divide all my results by four." Answer in at most 120 words: what the number
# is, which probability she could ask for instead, and what becomes of the number if the lengths
# are written in millimetres. A person reads and grades this answer; no check runs.

# %% [markdown] written="a-density-of-four" points=3
# ### BEGIN SOLUTION
# The number is the logarithm of a density: probability per centimetre, not probability. A density
# may be as large as it likes where it is narrow; only areas under it are probabilities, and the
# whole area is 1. A length of exactly 2 cm has probability 0. She may ask for an interval: that a
# bolt is within half a millimetre of 2 cm, the difference of two values of the cdf, about 0.4. In
# millimetres the law is Normal(20, 1), the density a tenth, and its logarithm smaller by log 10:
# -0.9 in place of 1.4, for the same bolts. Dividing by four would make the area a quarter.
#
# **Rubric.** One point for a density, probability per unit of length, which may exceed 1. One
# point for the probability of an interval, by the cdf or an area. One point for the change with
# the unit: a factor of ten, or log 10. "The library is wrong" or a division by four earns nothing.
# ### END SOLUTION
