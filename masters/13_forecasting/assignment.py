# %% [markdown]
# # Assignment 13: Forecasting
#
# Seven exercises in code and one in words, 38 points, about 85 minutes. You write what stands
# between a model and people who decide: forecasts made at many origins, the joint distribution of
# several future values, paths, losses with missing hours, totals, intervals that are made honest,
# and the probability of running out. Each exercise names its return value, its units and its
# shapes; whatever the text leaves open is yours to choose.
#
# All tensors of real numbers are float64, unless an exercise says otherwise. Every function leaves
# its inputs and the global random generators as they are. Where an exercise names no other range,
# numbers are at most a thousand in size, what must be positive is at least a thousandth, no axis
# is longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. The baseline, at every origin (10 min, 5 points)
#
# The *seasonal naive* forecast of an hour is the latest **known** value of the same phase of the
# season: with a season of 24, the same hour of the last day that is known. A *rolling origin* asks
# for it again and again. At an origin $t$ the values `y[0]`, ..., `y[t - 1]` are known, and the
# `horizon` values from `y[t]` on are to be forecast.
#
# Write `rolling_naive(y, first, every, horizon, season)`, which returns the tuple
# `(forecast, target)` of two tensors of shape `(origins, horizon)`:
#
# - row $i$ belongs to the origin `first + i * every`; there are as many rows as origins whose
#   whole horizon lies inside `y`, possibly none (then the shape is `(0, horizon)`);
# - column $h$ belongs to `y[t + h]`, $h = 0, 1, \ldots$
#
# `y` has shape `(n,)`. `first`, `every`, `horizon` and `season` are whole numbers, 1 or larger;
# `first` is at least `season`, and all else is possible: a horizon longer than the season, origins
# that lie closer than a horizon. A value may be forecast from known values only.
#
# Points: origins 2, forecast 1, long horizon 2.


# %% exercise="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    """Return seasonal naive forecasts and targets, one row for each origin."""
    ### BEGIN SOLUTION
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]
    ### END SOLUTION


# %% [markdown] why="rolling-naive"
# The last season that was known at the origin is repeated: `h % season` walks through it again and
# again. Indexing with a column of origins and a row of steps makes the table at once, and nothing
# after the origin is read.

# %% checks="rolling-naive" points=5
check = Checks("rolling-naive")
series = torch.tensor([3.0, 8, 5, 1, 9, 4, 2, 7, 6, 0.5, 11, 12.5], dtype=torch.float64)
check.keeps("forecast", lambda y: rolling_naive(y, 3, 2, 4, 3), series.clone())
check.value("origins", lambda: rolling_naive(series, 4, 3, 2, 3)[1], points=2)
check.value("forecast", lambda: rolling_naive(series, 4, 3, 2, 3)[0], points=1)
check.value("long horizon", lambda: rolling_naive(series, 4, 3, 5, 2), points=2)
check.report()

# %% hidden="rolling-naive"
t = torch.arange(61, dtype=torch.float64)
y = torch.sin(1.3 * t) + 0.17 * t + 0.031 * t.remainder(7) ** 2
check.value("origins", lambda: rolling_naive(y, 9, 5, 4, 7)[1], case="origins five steps apart")
check.value("origins", lambda: rolling_naive(y, 50, 1, 6, 7)[1], case="origins one step apart")
check.value(
    "origins", lambda: rolling_naive(y, 53, 4, 8, 7)[1], case="the last horizon ends with y"
)
check.value("origins", lambda: rolling_naive(y, 54, 4, 8, 7)[1], case="one step too long: no row")
check.value(
    "origins", lambda: rolling_naive(y[:9], 8, 2, 5, 3), case="horizon far beyond the end: no row"
)
check.value("origins", lambda: rolling_naive(y, 70, 3, 2, 7), case="first lies beyond y: no row")
check.value("origins", lambda: rolling_naive(y, 60, 3, 1, 7)[1], case="a single last value")
check.value("origins", lambda: rolling_naive(y, 9, 40, 4, 7)[1], case="steps longer than horizons")
check.value("forecast", lambda: rolling_naive(y, 9, 5, 4, 7)[0], case="horizon below the season")
check.value("forecast", lambda: rolling_naive(y, 11, 5, 7, 7)[0], case="horizon equals the season")
check.value("forecast", lambda: rolling_naive(y, 7, 9, 3, 7)[0], case="first equals the season")
check.value("forecast", lambda: rolling_naive(y, 55, 1, 1, 6)[0], case="a horizon of one")
check.value("forecast", lambda: rolling_naive(80 * y, 9, 50, 6, 9)[0], case="one origin")
check.value("long horizon", lambda: rolling_naive(y, 9, 5, 17, 7)[0], case="beyond two seasons")
check.value("long horizon", lambda: rolling_naive(y, 8, 11, 8, 7)[0], case="one step beyond")
check.value("long horizon", lambda: rolling_naive(y, 40, 3, 9, 1)[0], case="a season of one")
check.value("long horizon", lambda: rolling_naive(y, 33, 6, 14, 7), case="two whole seasons")
long = 70 * torch.sin(torch.arange(100.0).double() ** 1.3)
check.keeps(
    "origins",
    lambda y: rolling_naive(y, 99, 1, 2, 7),
    long.clone(),
    case="y is left as it is where no origin fits",
)
check.value("origins", lambda: rolling_naive(long, 1, 1, 1, 1)[1], case="99 origins, all else one")
check.value(
    "forecast", lambda: rolling_naive(long, 1, 1, 1, 1)[0], case="99 origins, all else one"
)
check.value(
    "origins", lambda: rolling_naive(long, 40, 1000, 3, 37)[1], case="steps beyond the end"
)
check.value("origins", lambda: rolling_naive(long[:1], 1, 1, 1, 1), case="a single value: no row")
check.value(
    "origins", lambda: rolling_naive(long, 900, 7, 100, 800), case="all far beyond the end"
)
check.value("forecast", lambda: rolling_naive(long, 53, 2, 41, 47), case="a long season")
check.value(
    "forecast", lambda: rolling_naive(long, 99, 1, 1, 99), case="one origin of all but one"
)
check.value("long horizon", lambda: rolling_naive(long, 2, 1, 97, 2), case="fifty seasons ahead")
check.value("long horizon", lambda: rolling_naive(long, 1, 3, 99, 1), case="99 times one value")
check.value(
    "long horizon", lambda: rolling_naive(long, 30, 1, 69, 29), case="long horizon, season"
)
check.value("origins", lambda: rolling_naive(long[:9], 4, 2, 23, 3), case="a horizon beyond y")
check.value(
    "forecast",
    lambda: torch.sub(*rolling_naive(990 + 1e-4 * long, 9, 5, 6, 7)),
    case="values near 990 that hardly differ, what the forecast misses",
)
check.value(
    "origins",
    lambda: rolling_naive(990 + 1e-4 * long, 9, 5, 6, 7)[1] - 990,
    case="values near 990 that hardly differ",
)
place = torch.arange(80.0).double()
coarse = torch.where((place - 31).abs() < 18, 0.0, (4 * torch.sin(place**1.2)).round())[1::2]
check.value(
    "long horizon", lambda: rolling_naive(coarse, 5, 3, 9, 3), case="zeros, repeated values"
)


# %% [markdown]
# ## Exercise 2. Several future values, jointly (12 min, 5 points)
#
# An AR(1) process around the level $m$ is
#
# $$y_{t+1} - m = \varphi\,(y_t - m) + \sigma \varepsilon_{t+1}, \qquad
#   \varepsilon_t \sim N(0, 1) \text{ independent.}$$
#
# Today's value $y_t$ is `last`. Write `ar_joint(last, level, phi, sigma, steps)`: the tuple
# `(mean, covariance)` of the joint Normal distribution of the values `steps` ahead, given today's.
#
# - `steps` is an int64 tensor of shape `(k,)`, $k \ge 1$, with whole numbers from 1 to 1000, in
#   any order, perhaps with repetitions. `mean` has shape `(k,)`, `covariance` shape `(k, k)`, both
#   in the order of `steps`, both float64.
# - The other arguments are Python numbers, whole ones now and then. `sigma` is positive, a
#   standard deviation. `phi` lies in $[-1, 1]$, 0 and both ends included; else it is at least
#   a thousandth away from 0, and $10^{-9}$ from the ends.
#
# Points: mean 1, variances 1, covariances 2, ends 1.


# %% exercise="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    """Return mean and covariance of an AR(1)'s values some steps ahead."""
    ### BEGIN SOLUTION
    phi = torch.tensor(phi, dtype=torch.float64)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)  # sums[h - 1]: h shocks
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]
    ### END SOLUTION


# %% [markdown] why="ar-joint"
# What two future values share are the shocks up to the earlier of them; from there to the later
# one they are multiplied by $\phi$ for each step. Powers are summed one by one because the closed
# formula divides by 0 at $\phi = 1$.

# %% checks="ar-joint" points=5
check = Checks("ar-joint")
ahead = torch.tensor([5, 1, 2])
check.keeps("mean", lambda s: ar_joint(4.0, 1.5, 0.6, 2.0, s)[0], ahead.clone())
check.value("mean", lambda: ar_joint(4.0, 1.5, 0.6, 2.0, ahead)[0], points=1)
check.value("variances", lambda: ar_joint(4.0, 1.5, 0.6, 2.0, ahead)[1].diagonal(), points=1)
check.value("covariances", lambda: ar_joint(4.0, 1.5, 0.6, 2.0, ahead)[1], points=2)
check.value("ends", lambda: ar_joint(4.0, 1.5, 1.0, 2.0, ahead)[1], points=1)
check.report()

# %% hidden="ar-joint"
many = torch.tensor([7, 1, 3, 12, 3, 40, 6])
far = torch.tensor([1000, 730, 2])
one = torch.tensor([9])
mean, cov = (lambda *a, i=i: ar_joint(*a)[i] for i in (0, 1))
check.value("mean", lambda: mean(-2.7, 3.1, 0.83, 1.9, many), case="seven steps out of order")
check.value("mean", lambda: mean(5.3, -1.1, -0.87, 0.7, many), case="a negative phi")
check.value("mean", lambda: mean(5.3, -1.1, 0.87, 0.7, one), case="a single step")
check.value("mean", lambda: mean(5.3, -1.7, 0.0, 0.7, many), case="phi of zero")
check.value("mean", lambda: mean(5.37, -1.1, -1.0, 0.7, many), case="phi of minus one")
check.value("mean", lambda: mean(53, 7, 0.9991, 3, far), case="whole numbers, far ahead")
check.value("variances", lambda: cov(-2.7, 3.1, 0.83, 1.9, many).diagonal(), case="seven steps")
check.value("variances", lambda: cov(5.3, -1.1, -0.87, 0.7, many).diagonal(), case="negative phi")
check.value("variances", lambda: cov(5.3, -1.1, 0.71, 1.3, one).diagonal(), case="a single step")
check.value("variances", lambda: cov(5.3, -1.1, 0.0, 1.7, many).diagonal(), case="phi of zero")
check.value(
    "mean", lambda: mean(53, 7, 0.9991, 3, far).dtype == torch.float64, case="float64 from ints"
)
check.value(
    "covariances", lambda: cov(1, 0, 0, 2, one).dtype == torch.float64, case="float64 from ints"
)
check.value("variances", lambda: cov(5, -1, 0.97, 3, far).diagonal(), case="whole numbers, far")
check.value(
    "variances", lambda: cov(5.3, 2.0, 0.77, 1e-3, many).diagonal() * 1e6, case="smallest sigma"
)
check.value("covariances", lambda: cov(-2.7, 3.1, 0.83, 1.9, many), case="seven steps")
check.value("covariances", lambda: cov(5.3, -1.1, -0.87, 0.7, many), case="a negative phi")
check.value("covariances", lambda: cov(5.3, -1.1, 0.63, 1.7, one), case="a single step")
check.value("covariances", lambda: cov(5.3, -1.1, 0.0, 1.7, many), case="phi of zero")
check.value("covariances", lambda: cov(0.3, 0.0, 0.9983, 1.7, far), case="far ahead")
check.value("ends", lambda: cov(5.3, -1.1, 1, 1.3, many), case="phi of one")
check.value(
    "ends", lambda: cov(5.3, -1.1, 1 - 1e-6, 0.31, far), case="a little below one, far ahead"
)
check.value("ends", lambda: cov(5.3, -1.1, -1.0, 1.3, many), case="phi of minus one")
check.value("ends", lambda: cov(5.3, -1.1, -1, 3, many), case="minus one from an int")
check.value("ends", lambda: cov(5.3, -1.1, 1 - 1e-9, 0.31, far), case="next to one")
check.value("ends", lambda: cov(5.3, 0.2, 1e-9 - 1, 0.31, far), case="next to minus one")
check.value("ends", lambda: cov(5.3, -1.1, 1 - 3e-8, 0.31, far), case="a hair below one")
check.value("ends", lambda: cov(5.3, 0.2, 4e-8 - 1, 0.31, far), case="a hair above minus one")
check.value("ends", lambda: cov(5.3, 0.2, 7e-7 - 1, 0.31, far), case="a little above minus one")
check.value("ends", lambda: cov(5.3, 0.2, 1 - 2e-5, 1.31, far), case="below one, far ahead")
check.value("ends", lambda: cov(5.3, 0.2, 1 - 3e-7, 1.31, many), case="a little below one")
hundred = (torch.arange(100) * 37 + 1) % 991 + 10  # out of order
pair = torch.tensor([1, 3])
check.keeps(
    "covariances",
    lambda s: cov(5.3, 0.2, 0.97, 1.3, s),
    hundred.clone(),
    case="a hundred steps are left as they are",
)
for small in (0.001, -0.0013, 0.02):
    check.value(
        "covariances",
        lambda a=small: cov(700, 0.2, a, 1.3, pair)[0, 1] * 1e6,
        case="phi next to 0",
    )
    check.value("mean", lambda a=small: mean(700, 0, a, 1.3, pair)[1] * 1e6, case="phi next to 0")
check.value("mean", lambda: mean(1000, -1000, 1 - 3e-8, 3, far) - 1000, case="a hair below one")
check.value("mean", lambda: mean(-997.3, 991, 1e-7 - 1, 3, far), case="a hair above minus one")
check.value("mean", lambda: mean(991, -13, 1, 3, hundred), case="phi of one, whole numbers")
check.value("mean", lambda: mean(83.1, 91, -0.9987, 3, hundred), case="a hundred steps")
check.value("mean", lambda: mean(901.13, 901.17, 0.71, 2, many) - 901, case="last near the level")
check.value("variances", lambda: cov(83, 9, -0.99, 1000, hundred).diagonal(), case="largest sigma")
check.value("covariances", lambda: cov(83, 9, -0.9983, 3, hundred), case="a hundred steps")
check.value("covariances", lambda: cov(8.3, 9, 0.9, 1.7, 0 * many + 1), case="always one step")
check.value("covariances", lambda: cov(8.3, 9, 0.83, 0.001, many) * 1e6, case="smallest sigma")
for a in (1.0, 1, -1.0, -1, 0.0, 0):
    for given in ((5.3, -1.1, a, 1.3), (5, -1, a, 3)):
        check.value(
            "ends",
            lambda g=given: torch.stack(
                [torch.tensor(part.dtype == torch.float64) for part in ar_joint(*g, many)]
            ),
            case="float64 at both ends and at 0",
        )
check.value(
    "covariances",
    lambda: cov(700, 0.2, -0.0013, 1.3, torch.tensor([7, 2]))[0, 1] * 1e14,
    case="phi next to 0, five steps apart",
)
check.value("ends", lambda: cov(7.1, 0.2, -1, 1.3, far[:1]), case="one step, far ahead")


# %% [markdown]
# ## Exercise 3. Paths (12 min, 5 points)
#
# A model with a memory of $p$ values forecasts **one** step: `quantile(window, known, u)` returns,
# for $n$ paths at once, the `u`-quantile of the next value. `window` has shape `(n, p)`, the
# latest $p$ values of each path, oldest first; `known` is a 0-d tensor, something that is known in
# advance about that step, such as its hour; `u` has shape `(n,)`, and so has the result,
# at most $10^7$ in size.
#
# With a uniform `u`, a quantile is a draw. Write `sample_paths(quantile, history, known, u)`,
# which goes on from there step by step, each path with its own draws:
#
# - `history` has shape `(p,)`, $p \ge 1$: the latest values before the forecast, oldest first, the
#   same for all paths.
# - `known` has shape `(H,)` and belongs to the $H \ge 0$ steps to come; `u` has shape `(n, H)`,
#   $n \ge 1$, lies between $10^{-10}$ and $1 - 10^{-10}$, and its column $h$ makes step $h$.
# - Return the paths, shape `(n, H)`. Call `quantile` once for each step, with all paths together,
#   and trust it to leave what it gets as it is.
#
# Points: first step 1, later steps 3, calls 1.


# %% exercise="sampled-paths"
def sample_paths(quantile, history, known, u):
    """Return paths of future values, drawn step by step from a one-step model."""
    ### BEGIN SOLUTION
    everything = history.expand(len(u), -1)
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]
    ### END SOLUTION


# %% [markdown] why="sampled-paths"
# Each path is its own future: what was drawn enters the next window, as if it had been seen.
# Feeding back the mean instead would make every path too smooth, and their totals too certain.

# %% checks="sampled-paths" points=5
check = Checks("sampled-paths")


def half_life(window, known, u):
    return 0.5 * window[:, -1] - 0.2 * window[:, 0] + known + torch.logit(u)


past = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
hours = torch.tensor([0.5, 0.1, -0.3, 0.9], dtype=torch.float64)
levels = torch.tensor([[0.2, 0.7, 0.4, 0.55], [0.9, 0.3, 0.6, 0.15]], dtype=torch.float64)
sizes = []


def counting(window, known, u):
    sizes.append([*window.shape, known.ndim, len(u)])
    return half_life(window, known, u)


def sizes_of_calls(history, known, u):
    sizes.clear()
    sample_paths(counting, history, known, u)
    return torch.tensor(sizes)


check.keeps(
    "first step",
    lambda *given: sample_paths(half_life, *given),
    past.clone(),
    hours.clone(),
    levels.clone(),
)
check.value("first step", lambda: sample_paths(half_life, past, hours, levels)[:, 0], points=1)
check.value("later steps", lambda: sample_paths(half_life, past, hours, levels), points=3)
check.value("calls", lambda: sizes_of_calls(past, hours, levels), points=1)
check.report()

# %% hidden="sampled-paths"
t = torch.linspace(-1.9, 2.3, 11, dtype=torch.float64)
U = torch.sigmoid(2.1 * torch.sin(torch.outer(3 * t[:6] + 0.7, 5 * t[:9] + 0.2)))  # (6, 9)
back, now = 2.3 * torch.cos(4 * t[:5]), torch.sin(3 * t[:9])


def uneven(window, known, u):  # every place of the window has a weight of its own
    weight = torch.linspace(-0.9, 0.7, window.shape[1], dtype=window.dtype).exp() / 2
    return (window * weight).sum(1).tanh() + known * window[:, -1] + torch.logit(u) ** 3


def growing(window, known, u):
    return 60 * window[:, 0] - 600 * known * u


def far_away(window, known, u):  # small steps around 900
    return 900 + 0.7 * (window[:, -1] - 900) + 0.003 * (known + torch.logit(u))


check.value("first step", lambda: sample_paths(uneven, back, now, U)[:, 0], case="six paths")
check.value("first step", lambda: sample_paths(uneven, back, now[:1], U[:, :1]), case="one step")
check.value(
    "first step", lambda: sample_paths(half_life, back[:1], now[:1], U[:1, :1]), case="all of one"
)
check.value(
    "later steps", lambda: sample_paths(uneven, back, now, U), case="six paths, nine steps"
)
check.value("later steps", lambda: sample_paths(half_life, back, now, U), case="a linear model")
check.value("later steps", lambda: sample_paths(uneven, back, now, U[2:3]), case="one path")
check.value("later steps", lambda: sample_paths(uneven, back[:1], now, U), case="memory of one")
check.value("later steps", lambda: sample_paths(uneven, t, now, U), case="memory of eleven")
check.value(
    "later steps",
    lambda: sample_paths(growing, back, now[:7], U[:, :7]),
    case="large values",
)
check.value(
    "later steps",
    lambda: 1e3 * (sample_paths(far_away, 900 + 1e-3 * back, now, U) - 900),
    case="small steps around 900",
)
check.value(
    "later steps", lambda: sample_paths(uneven, back, now[:0], U[:, :0]), case="no step to come"
)
check.value(
    "later steps", lambda: sample_paths(uneven, back, now, 0 * U + 0.41), case="the same draws"
)
check.keeps(
    "later steps",
    lambda *given: sample_paths(half_life, *given),
    back[:1].clone(),
    now.clone(),
    U[:1].clone(),
    case="one path with a memory of one is left as it is",
)
check.value("calls", lambda: sizes_of_calls(back, now, U), case="six paths, nine steps")
check.value("calls", lambda: sizes_of_calls(t, now[:7], U[:1, :7]), case="one path, seven steps")
check.value("calls", lambda: sizes_of_calls(back[:1], now[:6], U[:, :6]), case="memory of one")


def oldest(window, known, u):  # what it returns lies in the window itself
    return window[:, 0]


check.value(
    "later steps", lambda: sample_paths(oldest, back, now, U), case="a model that repeats the past"
)
check.value(
    "first step",
    lambda: sample_paths(half_life, back, now[:1], torch.tensor([[1e-9], [0.71]]).double()),
    case="a draw next to 0",
)


def to_the_end(window, known, u):  # the digits of a draw next to 1
    return 0.3 * window[:, -1] + known + torch.log1p(-u)


check.value(
    "later steps",
    lambda: sample_paths(to_the_end, back, now[:3], 1 - torch.rot90(U[:3, :3]) * 1e-9 - 3e-10),
    case="draws next to 1",
)
check.value(
    "later steps",
    lambda: sample_paths(to_the_end, back, now[:3], torch.full((2, 3), 1e-9).double() * 1.1),
    case="draws next to 0",
)
w = torch.arange(100.0).double()
late, levels_100 = torch.sin(0.7 * w), torch.sigmoid(3 * torch.sin(torch.outer(w**1.1, w[1:] / 9)))
check.value(
    "later steps",
    lambda: sample_paths(uneven, w.sin()[:31], late[:99], levels_100),
    case="99 steps",
)
check.value(
    "later steps",
    lambda: sample_paths(oldest, w.cos(), late[:40], levels_100[:2, :40]),
    case="memory of a hundred",
)
check.value(
    "later steps", lambda: sample_paths(uneven, t, now[:0], U[:1, :0]), case="one path, no step"
)
check.value("calls", lambda: sizes_of_calls(t, now[:0], U[:, :0]), case="no step, no call")
check.value("calls", lambda: sizes_of_calls(t, late, levels_100.T[:2]), case="hundred steps")
for paths, steps in ((1, 9), (6, 1), (1, 1), (6, 0)):
    check.keeps(
        "first step",
        lambda *given: sample_paths(uneven, *given),
        t.clone(),
        now[:steps].clone(),
        U[:paths, :steps].clone(),
        case="inputs are left: one path, or one step, or none",
    )


def sharp(window, known, u):  # hangs on the last digits of what is known
    return 0.5 * window[:, -1] - 0.1 * window[:, 0] + 3e9 * (known - 990) + torch.logit(u)


again = torch.tensor([0.3, -0.4, 0.3, -0.4, 0.3], dtype=torch.float64)
twice = torch.tensor([[0.21, 0.21, 0.83, 0.83, 0.46]], dtype=torch.float64)
check.value(
    "later steps",
    lambda: 1e-6 * sample_paths(sharp, t[3::2], 990 + 1e-3 * now, U),
    case="something known to many digits",
)
check.value(
    "later steps",
    lambda: sample_paths(uneven, t[3::2], again, twice),
    case="one path, values that repeat",
)
check.value(
    "calls", lambda: sizes_of_calls(t, late[:3], levels_100[:, :3]), case="a hundred paths"
)


# %% [markdown]
# ## Exercise 4. A loss for quantiles (12 min, 5 points)
#
# A network forecasts several quantiles of each hour, at the probabilities `levels`. For a level
# $\tau$ and a forecast $q$ the *pinball loss* of what came is
#
# $$\ell_\tau(y, q) = \begin{cases} \tau\,(y - q) & y \ge q \\
#   (1 - \tau)\,(q - y) & y < q \end{cases}$$
#
# Write `quantile_report(y, q, levels)`, which returns the tuple `(loss, crossed)`:
#
# - `loss`: the pinball loss as a 0-d tensor, **summed** over the levels and then **averaged** over
#   the hours that were observed. The meter fails now and then: a `y` that is NaN was not observed
#   and counts neither above nor below the line. At least one was observed.
# - `crossed`: the share of all hours, observed or not, in which some quantile lies strictly below
#   another one of a smaller level; a 0-d tensor of float64.
#
# `y` has shape `(n,)`, $n \ge 1$, `q` is finite and of shape `(n, K)`, `levels` has shape `(K,)`,
# $K \ge 1$, each at least a thousandth away from 0, from 1 and from the others, in **any** order.
# Gradients of `loss` with respect to `q` flow, and are 0 in the rows that were not observed; they
# are not looked at where $y = q$.
#
# Points: loss 2, missing 1, crossed 1, gradient 1.


# %% exercise="quantile-report"
def quantile_report(y, q, levels):
    """Return the pinball loss of quantile forecasts, and the share of hours where they cross."""
    ### BEGIN SOLUTION
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()
    ### END SOLUTION


# %% [markdown] why="quantile-report"
# Too low costs the level, too high costs one less the level; the constant that minimises the mean
# of that is the quantile. Crossing is looked for in the order of the levels, whichever order they
# came in.

# %% checks="quantile-report" points=5
check = Checks("quantile-report")
came = torch.tensor([1.0, 4.0, -2.0], dtype=torch.float64)
gaps = torch.tensor([1.0, math.nan, -2.0], dtype=torch.float64)
bands = torch.tensor([[0.5, 2.0, 3.0], [1.0, 0.5, 3.0], [-3.0, -1.0, 0.5]], dtype=torch.float64)
taus = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
check.keeps("loss", lambda *a: quantile_report(*a)[0], came.clone(), bands.clone(), taus.clone())
check.value("loss", lambda: quantile_report(came, bands, taus)[0], points=2)
check.value("missing", lambda: quantile_report(gaps, bands, taus)[0], points=1)
check.value("crossed", lambda: quantile_report(came, bands, taus)[1], points=1)
check.gradient("gradient", lambda q: quantile_report(gaps, q, taus)[0], bands, points=1)
check.report()

# %% hidden="quantile-report"
t = torch.linspace(-1.7, 2.3, 8, dtype=torch.float64)
y, tau = 3.1 * torch.sin(4 * t), torch.tensor([0.93, 0.07, 0.31, 0.62], dtype=t.dtype)
q = 0.4 * t[:, None] + 1.7 * torch.special.ndtri(tau)  # in order
odd = q + 1.3 * torch.cos(torch.outer(5 * t, t[:4] + 2))  # crossed here and there
hole = torch.where(t.abs() > 1.2, math.nan, y)
close = q[:, :1].repeat(1, 4) + torch.tensor([0.0, 1e-13, 0.0, 0.0], dtype=t.dtype)


def loss(*given):
    return quantile_report(*given)[0]


def crossed(*given):
    return quantile_report(*given)[1]


check.keeps("missing", loss, hole.clone(), odd.clone(), tau.clone(), case="missing hours are left")
check.value("loss", lambda: loss(y, odd, tau), case="eight hours, levels out of order")
check.value("loss", lambda: loss(y[:1], odd[:1], tau), case="one hour")
check.value("loss", lambda: loss(y, odd[:, 2:3], tau[2:3]), case="one level")
check.value("loss", lambda: loss(y[:4], odd[:4], tau), case="as many hours as levels")
check.value("loss", lambda: loss(250 * y, 250 * odd, tau), case="large values")
check.value("loss", lambda: loss(y, q + 9, tau), case="all forecasts too high")
check.value("loss", lambda: loss(y, q - 9, tau), case="all forecasts too low")
check.value("loss", lambda: loss(y, y[:, None] + 1e-7 * odd, tau) * 1e7, case="near misses")
ends = torch.tensor([0.999, 0.001], dtype=t.dtype)
check.value("loss", lambda: loss(y, q[:, :1] - 9, ends[1:]), case="the smallest level")
check.value("loss", lambda: loss(y, q[:, :1] + 9, ends[:1]), case="the largest level")
check.value("loss", lambda: loss(y, 10 * odd[:, :2], ends), case="levels at both ends")
tau7 = torch.tensor([0.93, 0.21, 0.31, 0.62, 0.55, 0.41, 0.07], dtype=t.dtype)
seven = 0.4 * t[:, None] + 1.7 * torch.special.ndtri(tau7)
nudge = torch.tensor([0, 0, 0, 0, 0, 0, 1.9], dtype=t.dtype) * (t[:, None] > 0.1)
check.value("loss", lambda: loss(y, seven, tau7), case="seven levels")
check.value("missing", lambda: loss(hole, odd, tau), case="some hours missing")
check.value(
    "missing", lambda: loss(torch.where(t > -1.5, math.nan, y), odd, tau), case="one hour observed"
)
check.value("missing", lambda: loss(hole, odd[:, :1], tau[:1]), case="missing, one level")
check.value("missing", lambda: loss(hole[1:5], odd[1:5], tau), case="missing, as many hours")
check.value("crossed", lambda: crossed(y, odd, tau) * 0.977, case="levels out of order")
check.value("crossed", lambda: crossed(hole, odd, tau) * 0.977, case="some hours missing")
check.value("crossed", lambda: crossed(y, q, tau), case="nothing crossed, levels out of order")
check.value("crossed", lambda: crossed(y, 0 * q + 1.7, tau), case="ties do not cross")
check.value("crossed", lambda: crossed(y, q[:, :1], tau[:1]), case="one level")
check.value("crossed", lambda: crossed(y, odd, tau).dtype == torch.float64, case="float64")
check.value("crossed", lambda: crossed(y[:1], -q[:1], tau) * 0.91, case="one hour")
check.value("crossed", lambda: crossed(y, close, tau) * 0.963, case="crossed by a hair")
check.value(
    "crossed",
    lambda: crossed(y[:7], q[:7, [1, 2, 0, 3]], tau.sort()[0]) * 0.87,
    case="only the outer ones crossed, levels in order",
)
check.value(
    "crossed",
    lambda: crossed(y, seven + nudge, tau7) * 0.89,
    case="seven levels, only the lowest quantile crosses",
)
check.value(
    "crossed",
    lambda: crossed(y, -seven - 3 * nudge, 1 - tau7) * 0.89,
    case="seven levels, only the highest quantile crosses",
)
two = torch.stack([t, torch.where(t > 1.5, t - 1e-6, t + 2)], 1)
check.value("crossed", lambda: crossed(y, two, tau.sort()[0][:2]) * 1.7, case="two levels")
w = torch.arange(1.0, 32).double()
tau31 = (w * 41 % 101) / 101  # 31 levels out of order
big = 300 * torch.sin(torch.outer(w, w**0.7))
y31 = torch.where(w % 7 < 1, math.nan, 800 * torch.cos(w * w))
sorted31 = 3 * torch.special.ndtri(tau31)
zeros = torch.tensor([0.0, -0.0, math.nan, 2.3]).double()
z = torch.arange(1.0, 101).double()
tall = 9 * torch.sin(torch.outer(z, z[:2] ** 0.7)), tau[:2]  # a hundred hours, two levels
broad = 9 * torch.cos(torch.outer(z[:3], z**0.7)), (z * 41 % 101) / 101  # and the reverse
check.value("loss", lambda: loss(8 * torch.cos(z * z), *tall), case="a hundred hours")
check.value("loss", lambda: loss(y[:3], *broad), case="a hundred levels")
check.value("crossed", lambda: crossed(z, *tall) * 0.97, case="a hundred hours")
check.gradient(
    "gradient", lambda q: loss(8 * torch.cos(z * z), q, tall[1]), tall[0], case="a hundred hours"
)
check.gradient("gradient", lambda q: loss(y[:3], q, broad[1]), broad[0], case="a hundred levels")
check.keeps(
    "gradient", loss, zeros.clone(), odd[:4].clone(), tau.clone(), case="zeros and a missing hour"
)
check.value("loss", lambda: loss(y31.nan_to_num(3.0), big, tau31), case="31 of each")
check.value("loss", lambda: loss(y[:1], odd[:1, :1], tau[:1]), case="one hour, one level")
check.value(
    "loss",
    lambda: 1e3 * loss(900 + 1e-3 * y, 900 + 1e-3 * odd, tau),
    case="small errors around 900",
)
check.value("loss", lambda: loss(y, torch.where(odd > 1, y[:, None], odd), tau), case="exact hits")
check.value("missing", lambda: loss(y31, big, tau31), case="31 of each, some missing")
check.value("missing", lambda: loss(zeros, odd[:4], tau), case="zeros are no missing hours")
check.value("missing", lambda: loss(zeros[1:3], odd[:2], tau), case="two hours, one is missing")
check.value(
    "missing", lambda: loss(zeros[1:3], odd[:2, :1], tau[:1]), case="one of two, one level"
)
last_two = (
    w[:, None] + sorted31 + torch.where((tau31 < tau31.max()) | (w[:, None] % 3 > 1), 0.0, -1.9)
)
check.value("crossed", lambda: crossed(y31, last_two, tau31) * 0.91, case="31 levels")
check.value(
    "crossed", lambda: crossed(hole, 1e-9 * odd + 900, tau) * 0.79, case="near ties around 900"
)
check.value(
    "crossed", lambda: crossed(hole[:2], -q[:2], tau) * 0.83, case="crossed where all is missing"
)
check.value("crossed", lambda: crossed(y[:1], q[:1, :1], tau[:1]), case="one hour, one level")
check.gradient("gradient", lambda q: loss(y, q, tau), 200 * odd, case="large errors")
check.gradient("gradient", lambda q: loss(y, q, ends), odd[:, :2], case="levels at both ends")
check.gradient("gradient", lambda q: loss(y, q, tau[:1]), odd[:, :1], case="one level")
check.gradient("gradient", lambda q: loss(y[:1], q, tau[:1]), odd[:1, :1], case="one of each")
check.gradient("gradient", lambda q: loss(zeros[1:3], q, tau), odd[:2], case="one of two")
check.gradient("gradient", lambda q: loss(zeros[2:], q, tau), odd[:2], case="the other of two")
check.gradient("gradient", lambda q: loss(y31, q, tau31), big, case="31 of each")
check.gradient("gradient", lambda q: loss(y, q, tau), y[:, None] + 1e-9 * odd, case="near misses")
check.gradient("gradient", lambda q: loss(y, q, tau), odd, case="eight hours")
check.gradient("gradient", lambda q: loss(hole, q, tau), odd, case="some hours missing")
check.gradient("gradient", lambda q: loss(hole[2:4], q, tau), q[2:4], case="two hours")
check.gradient("gradient", lambda q: loss(y[:1], q, tau), q[:1], case="one hour")
check.gradient("gradient", lambda q: loss(1e-7 * y, 1e-7 * q, tau) * 1e7, odd, case="tiny values")
tau9 = torch.tensor(
    [0.504, 0.501, 0.5, 0.999, 0.502, 0.998, 0.001, 0.503, 0.002], dtype=torch.float64
)
nine = (torch.special.ndtri(tau9) + torch.where(tau9 == 0.502, -0.02, 0.0)).repeat(97, 1)
nine = torch.where(z[:97, None] > 60, nine, torch.special.ndtri(tau9)) + torch.sin(z[:97, None])
opposite = torch.where(z[:8] == 6, 0.0, 980 * torch.sin(torch.outer(z[:4], z[:8]))).T
apart = torch.where(opposite[:, 0] > 0, -991.0, 991.0).to(z)
check.value(
    "crossed", lambda: crossed(z[:97], nine, tau9) * 0.93, case="97 hours, levels side by side"
)
check.value(
    "crossed", lambda: crossed(y, 1e-40 * odd, tau) * 0.94, case="crossed, all next to zero"
)
check.value(
    "crossed",
    lambda: 1e6 * (crossed(z[:97], nine, tau9) - 37 / 97),
    case="all digits of a share",
)
check.value("loss", lambda: 1e20 * loss(1e-20 * y, 1e-20 * odd, tau), case="all next to zero")
check.value("missing", lambda: loss(apart, opposite, tau), case="far misses, a row of zeros")
check.gradient("gradient", lambda q: loss(apart, q, tau), opposite, case="far misses")


# %% [markdown]
# ## Exercise 5. Quantiles of a total (10 min, 5 points)
#
# A planner asks for whole days, and the forecast is hourly. Paths know the answer; hourly
# quantiles do not. Write `total_quantiles(paths, groups, levels)`:
#
# - `paths` has shape `(S, H)`: $S \ge 1$ equally likely futures of $H \ge 1$ hours. `groups`,
#   int64 of shape `(H,)`, says which group (a day, say) an hour belongs to. Groups are numbered
#   from 0 to the largest number that occurs; their hours may stand in any order, and a group of no
#   hours has the total 0 in every future.
# - `levels` has shape `(K,)`, $K \ge 1$, each at least a millionth away from 0 and from 1,
#   in any order.
# - Return the quantiles of the groups' totals, shape `(G, K)`. The $\tau$-quantile is the
#   **smallest** of the $S$ totals such that at least the share $\tau$ of the totals is less than
#   or equal to it. (No level times $S$ is a whole number, or within $10^{-6}$ of one.)
#
# Points: one group 2, groups 2, quantile 1.


# %% exercise="total-quantiles"
def total_quantiles(paths, groups, levels):
    """Return quantiles of the total of each group of hours over sampled paths."""
    ### BEGIN SOLUTION
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T
    ### END SOLUTION


# %% [markdown] why="total-quantiles"
# The quantile of a sum is not the sum of quantiles: the hours of one path go together. So each
# path is added up first, and the quantiles are taken of the totals.

# %% checks="total-quantiles" points=5
check = Checks("total-quantiles")
futures = torch.tensor(
    [[2.0, 7, 1], [5, 0, 3], [1, 1, 9], [4, 4, 0], [8, 2, 6]], dtype=torch.float64
)
days = torch.tensor([1, 0, 1])
asked = torch.tensor([0.47, 0.91], dtype=torch.float64)
check.keeps("groups", total_quantiles, futures.clone(), days.clone(), asked.clone())
check.value("one group", lambda: total_quantiles(futures, 0 * days, asked), points=2)
check.value("groups", lambda: total_quantiles(futures, days, asked), points=2)
check.value("quantile", lambda: total_quantiles(futures[:2], days, asked), points=1)
check.report()

# %% hidden="total-quantiles"
t = torch.linspace(-1.9, 2.7, 23, dtype=torch.float64)
P = 3 * torch.sin(torch.outer(7 * t, 4 * t[:9] + 1)) + 1.3 * torch.cos(9 * t)[:, None] ** 2
G = torch.tensor([2, 0, 3, 0, 2, 6, 2, 3, 0])  # no hour in 1, 4, 5
tau = torch.tensor([0.81, 0.037, 0.5, 0.969, 0.29], dtype=t.dtype)
check.value("one group", lambda: total_quantiles(P, 0 * G, tau), case="nine hours, 23 futures")
check.value("one group", lambda: total_quantiles(P[:, :1], G[1:2], tau), case="one hour")
check.value("one group", lambda: total_quantiles(P[:1], 0 * G, tau), case="one future")
check.value("one group", lambda: total_quantiles(P, 0 * G, tau[:1]), case="one level")
check.value(
    "one group",
    lambda: total_quantiles(P, 0 * G, torch.cat([tau, tau.flip(0) / 2])),
    case="ten levels",
)
check.value("one group", lambda: total_quantiles(200 * P, 0 * G, tau), case="large totals")
check.value("groups", lambda: total_quantiles(P, G, tau), case="groups, some without hours")
check.value("groups", lambda: total_quantiles(P, G.clamp(max=2), tau), case="hours out of order")
check.value("groups", lambda: total_quantiles(P[:1], G, tau), case="one future, groups")
check.value(
    "groups", lambda: total_quantiles(P[:, :1], G[:1], tau[:1]), case="one hour of group 2"
)
check.value(
    "groups", lambda: total_quantiles(P[:, :9], torch.arange(9), tau), case="each hour by itself"
)
check.value("quantile", lambda: total_quantiles(P[:7], G, tau), case="seven futures")
check.value("quantile", lambda: total_quantiles(P[:2], G, tau - 0.01), case="two futures")
check.value(
    "quantile",
    lambda: total_quantiles(P, G, torch.tensor([3.0002, 2.9998, 22.9998], dtype=t.dtype) / 23),
    case="levels just above and below a rank",
)
check.value(
    "quantile",
    lambda: total_quantiles((P[:13] / 2).round() + 0.13, G, tau),
    case="totals with ties",
)
heavy = torch.sin(torch.outer(torch.arange(1.0, 8.0), torch.arange(1.0, 7.0))).double()
check.value(
    "groups",
    lambda: total_quantiles(
        1e-3 * heavy + torch.tensor([999, 0, 0, 999, 0, 0]).double(),
        torch.tensor([0, 1, 2, 0, 1, 2]),
        torch.tensor([0.31, 0.83]).double(),
    )[1:],
    case="a large total beside small ones",
)
w = torch.arange(1.0, 101).double()
P100 = torch.sin(torch.outer(w * w, w**0.7)) + 0.1
G100 = (torch.arange(100) * 29 + 5) % 83  # out of order, up to 82
ranks = torch.tensor([29, 57, 83, 7, 99]).double()
edges = torch.cat([ranks + 1.3e-6, ranks - 1.3e-6, torch.tensor([99.9, 0.1, 0.1]).double()]) / 100
for kept in ((P100[:, :1], 0 * G100[:1], edges), (P100[:1], G100, edges), (P, 0 * G, tau)):
    check.keeps(
        "one group",
        total_quantiles,
        *(v.clone() for v in kept),
        case="inputs are left as they are",
    )
check.value("one group", lambda: total_quantiles(P100, 0 * G100, edges), case="100 hours, futures")
check.value(
    "one group", lambda: total_quantiles(P[:1, :1], 0 * G[:1], tau[:1]), case="one of everything"
)
check.value("one group", lambda: total_quantiles(-9 * P - 99, 0 * G, tau), case="negative totals")
back_and_forth = torch.cat([900 + P, -900 - P + 1e-3 * P.flip(0)], 1)
check.value(
    "one group",
    lambda: 1e3 * total_quantiles(back_and_forth, torch.cat([0 * G, 0 * G]), tau),
    case="large hours that nearly cancel",
)
check.value("groups", lambda: total_quantiles(P100, G100, edges), case="83 groups")
check.value("groups", lambda: total_quantiles(P, 0 * G + 99, tau), case="all hours in group 99")
check.value("groups", lambda: total_quantiles(P, G + 1, tau), case="no hour in group 0")
check.value(
    "groups",
    lambda: total_quantiles(P[:1, :1], G[:1] + 3, tau),
    case="one future of one hour in group 5",
)
check.value("quantile", lambda: total_quantiles(P100, G100 % 3, edges), case="next to a rank")
check.value(
    "quantile",
    lambda: total_quantiles(P, G, torch.tensor([3 + 3e-6, 3 - 3e-6]).double() / 23),
    case="a hair above and below a rank",
)
check.value(
    "quantile",
    lambda: total_quantiles(1e-3 * P100[:97], G100 % 2, tau) * 1e3,
    case="97 futures of small totals",
)
check.value("quantile", lambda: total_quantiles(P.round(), G, tau.repeat(2)), case="levels twice")
P97 = 991 * torch.cos(0.1 * torch.outer(w[:9], w[:97] / 97)).T  # nine hours, 97 futures
levels97 = (w * 37 % 101) / 101 - 1.3e-4
check.value("one group", lambda: total_quantiles(P97, 0 * G, levels97), case="a hundred levels")
check.value("groups", lambda: 1e20 * total_quantiles(1e-20 * P, G, tau), case="tiny totals")
check.value(
    "one group",
    lambda: total_quantiles(980 + 9 * P100, 0 * G100, edges) - 98000,
    case="a hundred large hours",
)
check.value(
    "one group",
    lambda: 1e3 * (total_quantiles(990 + 1e-4 * P, 0 * G, tau) - 8910),
    case="totals that hardly differ",
)


# %% [markdown]
# ## Exercise 6. An interval that keeps its word (12 min, 5 points)
#
# Some model forecasts an interval from `low` to `high` for each of $n$ examples that it was not
# trained on, and you know what came. *Conformalised quantile regression* asks how far each `y`
# lies outside of its interval, and moves both ends of every new interval outward by one number.
# The score of an example is
#
# $$s = \max(\text{low} - y,\; y - \text{high}),$$
#
# negative where `y` lies inside, and the number is the $k$-th smallest score, where $k$ is the
# smallest whole number with $k \ge (n + 1)(1 - \text{miss})$. If the scores of old and new
# examples are exchangeable, a new interval misses with probability at most `miss`.
#
# Write `conformal_interval(y, low, high, new_low, new_high, miss)`: the tuple `(lower, upper)` of
# the new intervals, each of the shape of `new_low`.
#
# - `y`, `low`, `high` have shape `(n,)`, $n \ge 0$. `new_low` and `new_high` have the same shape,
#   any shape. No lower end lies above its upper one. `miss` is a Python number, at
#   least a thousandth away from 0 and from 1.
# - $k$ must not hang on rounding: $(n + 1)(1 - \text{miss})$ is within $10^{-11}$ of a whole
#   number, which then is $k$, or at least $10^{-6}$ away from one.
# - Where $k > n$, no finite interval can promise this: the ends are $-\infty$ and $\infty$.
# - A negative number moves the ends inward, and they may pass each other; return them as they are.
#
# Points: score 1, rank 2, too few 1, inward 1.


# %% exercise="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    """Return new intervals, moved so that they miss with probability at most `miss`."""
    ### BEGIN SOLUTION
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move
    ### END SOLUTION


# %% [markdown] why="conformal-interval"
# If old and new hours can be exchanged, the new score has each rank among $n + 1$ equally often.
# Move both ends by the $k$-th smallest score with $k \ge (n + 1)(1 - \text{miss})$; if $k$ is more
# than $n$, only the whole line keeps the promise.

# %% checks="conformal-interval" points=5
check = Checks("conformal-interval")
seen = torch.tensor([1.0, 4.0, -2.0, 0.5, 3.0], dtype=torch.float64)
floors = torch.tensor([0.0, 1.5, -0.8, 0.0, 1.0], dtype=torch.float64)
roofs = torch.tensor([2.0, 3.6, 1.0, 1.2, 2.3], dtype=torch.float64)
ahead = torch.tensor([5.0, -1.0], dtype=torch.float64), torch.tensor([7.0, 0.0]).double()
check.keeps(
    "score",
    lambda *given: conformal_interval(*given, 0.35),
    *(v.clone() for v in (seen, floors, roofs, *ahead)),
)
check.value("score", lambda: conformal_interval(seen, floors, roofs, *ahead, 0.2), points=1)
check.value("rank", lambda: conformal_interval(seen, floors, roofs, *ahead, 0.35), points=2)
check.value("too few", lambda: conformal_interval(seen, floors, roofs, *ahead, 0.1), points=1)
check.value("inward", lambda: conformal_interval(seen, floors, roofs, *ahead, 0.7), points=1)
check.report()

# %% hidden="conformal-interval"
t = torch.linspace(-1.9, 2.7, 19, dtype=torch.float64)
Y = 2.3 * torch.sin(7 * t + 0.4)
L, H = -0.7 - 0.9 * torch.cos(3 * t) ** 2, 0.4 + 1.1 * torch.sin(2 * t) ** 2
new = 1.7 * t[:6].reshape(2, 3), 1.7 * t[:6].reshape(2, 3) + 2.1 + 0.3 * t[6:12].reshape(2, 3)
old = Y, L, H
wide = Y, L - 9, H + 8


def some(n, given=old):
    return [v[:n] for v in given]


check.value("score", lambda: conformal_interval(*old, *new, 0.23), case="19 examples, six new")
check.value("score", lambda: conformal_interval(*some(7), *new, 0.31), case="seven examples")
check.value(
    "score", lambda: conformal_interval(Y, L - 4, H - 1, *new, 0.22), case="misses above only"
)
check.value(
    "score", lambda: conformal_interval(Y, L + 2, H + 5, *new, 0.22), case="misses below only"
)
check.value(
    "score",
    lambda: conformal_interval(*some(11), new[0][0, 0], new[1][0, 0], 0.27),
    case="one new interval, shape ()",
)
check.value(
    "score",
    lambda: conformal_interval(*some(11), new[0][:0], new[1][:0], 0.27),
    case="no new interval",
)
check.value(
    "score",
    lambda: conformal_interval(*(99 * v for v in old), *(99 * v for v in new), 0.33),
    case="large values",
)
check.value(
    "score",
    lambda: conformal_interval(*old, new[0][:, :1], new[1][:, :1], 0.13),
    case="new intervals of shape (2, 1)",
)
for miss in (0.1, 0.2, 0.3, 0.7, 0.05, 0.85, 0.35):
    check.value(
        "rank", lambda m=miss: conformal_interval(*old, *new, m), case="a rank that is whole"
    )
for miss in (0.17, 0.3, 0.501, 0.7):
    check.value("rank", lambda m=miss: conformal_interval(*some(9), *new, m), case="nine examples")
t99 = torch.linspace(-2.3, 2.9, 99, dtype=torch.float64)
many = 2.3 * torch.sin(9 * t99), -0.3 - t99**2 / 9, 0.2 + t99**2 / 7
check.value("rank", lambda: conformal_interval(*many, *new, 0.29), case="99 at 0.29")
check.value("rank", lambda: conformal_interval(*some(1), *new, 0.7), case="one example")
check.value("rank", lambda: conformal_interval(*old, *new, 0.29999), case="just above a rank")
check.value("rank", lambda: conformal_interval(*old, *new, 0.30001), case="just below a rank")
check.value(
    "rank", lambda: conformal_interval(Y, L * 0 - 0.4, H * 0 + 9, *new, 0.41), case="ties in low"
)
check.value(
    "rank",
    lambda: conformal_interval(Y.round(), L.round(), H.round(), *new, 0.36),
    case="scores with ties",
)
check.keeps(
    "too few",
    lambda *given: conformal_interval(*given, 0.1),
    *(v.clone() for v in (*some(8), *new)),
    case="inputs are left where no interval is finite",
)
check.value("too few", lambda: conformal_interval(*some(8), *new, 0.1), case="eight at 0.1")
check.value("too few", lambda: conformal_interval(*some(9), *new, 0.1), case="nine at 0.1")
check.value("too few", lambda: conformal_interval(*some(0), *new, 0.37), case="no example")
check.value("too few", lambda: conformal_interval(*some(1), *new, 0.49), case="one example")
check.value("too few", lambda: conformal_interval(*old, *new, 0.0499), case="19, a hair too few")
check.value("inward", lambda: conformal_interval(*wide, *new, 0.23), case="intervals too wide")
check.value(
    "inward", lambda: conformal_interval(*some(9, wide), *new, 0.93), case="ends that pass"
)
check.value("inward", lambda: conformal_interval(*old, *new, 0.81), case="a large miss")
zero = 0 * new[0], 0 * new[1]
cube = [v.reshape(2, 1, 3) for v in new]
dot = new[0][0, 0], new[1][0, 0]
t100 = torch.linspace(-2.1, 2.7, 100, dtype=torch.float64)
full = 2.3 * torch.sin(9 * t100) - 0.1 * t100, -0.3 - t100**2 / 9, 0.2 + t100**2 / 7
for kept, miss in ((dot, 0.3), (dot, 0.04), (cube, 0.8), (zero, 0.2)):
    check.keeps(
        "inward",
        lambda *given, m=miss: conformal_interval(*given, m),
        *(v.clone() for v in (*old, *kept)),
        case="inputs are left as they are",
    )
check.value(
    "score",
    lambda: [1e3 * v for v in conformal_interval(*(900 + 1e-3 * v for v in old), *zero, 0.23)],
    case="small scores around 900",
)
check.value(
    "score", lambda: conformal_interval(*full, *cube, 0.33), case="100 examples, three axes"
)
check.value(
    "score", lambda: conformal_interval(Y, Y.round(), Y.round(), *new, 0.33), case="points"
)
check.value("score", lambda: conformal_interval(*old, new[0], new[0], 0.37), case="no width yet")
for miss in (0.29, 0.43, 0.57, 0.01, 0.07, 0.14):
    check.value(
        "rank", lambda m=miss: conformal_interval(*many, *zero, m), case="99 examples, whole ranks"
    )
for gap in (1e-7, -1e-7, 6e-7, 1e-13):
    check.value(
        "rank",
        lambda g=gap: conformal_interval(*old, *zero, 0.3 + g),
        case="just beside a whole rank",
    )
check.value("rank", lambda: conformal_interval(*full, *new, 0.99), case="100 at 0.99")
check.value("rank", lambda: conformal_interval(*some(97, full), *new, 0.97), case="97 at 0.97")
check.value("rank", lambda: conformal_interval(*full, *dot, 0.011), case="all but the largest")
check.value("rank", lambda: conformal_interval(*full, *zero, 0.0102), case="the largest of 100")
for shape in (dot, cube, [v[:, :0] for v in new], [v.reshape(6, 1) for v in new]):
    check.value(
        "too few",
        lambda s=shape: conformal_interval(*some(7), *s, 0.11),
        case="no finite interval, other shapes",
    )
check.value("too few", lambda: conformal_interval(*full, *new, 0.001), case="100 at 0.001")
check.value("too few", lambda: conformal_interval(*full, *new, 0.0098), case="100, a bit too few")
check.value("too few", lambda: conformal_interval(*many, *new, 0.01), case="99 at 0.01")
check.value("too few", lambda: conformal_interval(*many, *new, 0.0099), case="99 at less")
check.value("too few", lambda: conformal_interval(*some(0), *dot, 0.999), case="none at 0.999")
check.value("inward", lambda: conformal_interval(*full, *new, 0.999), case="100 at 0.999")
check.value("inward", lambda: conformal_interval(*some(9), *zero, 0.999), case="nine at 0.999")
check.value("inward", lambda: conformal_interval(*some(1, wide), *dot, 0.5), case="one example")
sides = torch.where(torch.arange(100) % 3 > 0, 1.0, -1.0).double()
floor, room = -sides * 990 - 7, 4 + (t100 * 3).round().abs()
across = sides * 980 + (t100 * 4).round(), floor, floor + room
block = (31 * torch.sin(torch.arange(90.0).double())).reshape(9, 2, 5, 1).transpose(0, 2)
blocks = block, block + 1.3
check.value(
    "score",
    lambda: conformal_interval(*some(97, across), *blocks, 0.37),
    case="from one end to the other",
)
check.value(
    "inward",
    lambda: conformal_interval(0 * t100 + 1.7, -sides.abs() * 900, 0 * t100 + 930, *blocks, 0.41),
    case="far inward",
)
check.value(
    "inward",
    lambda: conformal_interval(t100 / 9, -990 + t100, 970 - t100, *(9 * v for v in blocks), 0.87),
    case="far inward, from both sides",
)
check.value(
    "score",
    lambda: [1e20 * v for v in conformal_interval(*(1e-20 * v for v in old), *zero, 0.23)],
    case="all next to zero",
)
backwards = torch.stack([Y, L, H], 1)  # one table, a column each
for miss in (1 / 3, 2 / 7, 5 / 9, 0.3 - 4e-14, 0.3 - 6e-8, 0.3 + 6e-8):
    few = {1 / 3: 17, 2 / 7: 13, 5 / 9: 17}.get(miss, 19)
    check.value(
        "rank",
        lambda m=miss, n=few: conformal_interval(*backwards[:n].unbind(1), *new, m),
        case="ranks that are whole or nearly whole",
    )


# %% [markdown]
# ## Exercise 7. Running out (12 min, 5 points)
#
# A rental station has `stock` bikes each hour. Demand in hour $h$ is Poisson with a rate that a
# model does not know for sure: it gives $S$ equally likely futures of the rates. Given a future,
# the hours are independent. Write `running_out(rates, stock)`, which returns the tuple
# `(each, ever)`:
#
# - `each`, shape `(H,)`: the probability that demand in this hour is **larger than** `stock`;
# - `ever`, a 0-d tensor: the probability that this happens in at least one of the $H$ hours.
#
# `rates` has shape `(S, H)`, $S \ge 1$, $H \ge 1$, with rates between $10^{-4}$ and 200; `stock`
# is a Python whole number from 0 to 1000. Both results must be right to a **relative** error of
# $10^{-5}$ where they are as small as $10^{-40}$: one minus a probability near 1 is not.
# (`torch.special.gammainc(k + 1, rate)` is $P(Y > k)$ of a Poisson count, accurate far into the
# tail. Its first argument must be a tensor.)
#
# Points: each 2, ever 2, tiny 1.


# %% exercise="running-out"
def running_out(rates, stock):
    """Return the probabilities that demand exceeds the stock: in each hour, and in any."""
    ### BEGIN SOLUTION
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more).sum(1)
    return more.mean(0), -torch.expm1(never).mean()
    ### END SOLUTION


# %% [markdown] why="running-out"
# Given a path of rates the hours are independent, so the chance of never running out is a product;
# only then is it averaged over the paths. Multiplying the averages would forget that a bad path is
# bad in many hours.

# %% checks="running-out" points=5
check = Checks("running-out")
demand = torch.tensor([[3.0, 5.0, 1.0], [6.0, 4.5, 2.0]], dtype=torch.float64)
check.keeps("each", lambda r: running_out(r, 4), demand.clone())
check.value("each", lambda: running_out(demand, 4)[0], points=2)
check.value("ever", lambda: running_out(demand, 4)[1], points=2)
check.value("tiny", lambda: 1e3 * running_out(demand, 11)[0], points=1)
check.report()

# %% hidden="running-out"
t = torch.linspace(-1.9, 2.7, 8, dtype=torch.float64)
R = torch.exp(0.9 * torch.sin(torch.outer(5 * t, 3 * t[:7] + 1)) + 1.1 * torch.cos(4 * t)[:, None])
check.value("each", lambda: running_out(R, 2)[0], case="eight futures of seven hours")
check.value("each", lambda: running_out(R, 0)[0], case="no stock")
check.value("each", lambda: running_out(R[:1], 3)[0], case="one future")
check.value("each", lambda: running_out(R[:, :1], 3)[0], case="one hour")
check.value("each", lambda: running_out(R[:1, :1], 1)[0], case="one future, one hour")
check.value("each", lambda: running_out(100 + 9 * R, 117)[0], case="large rates")
check.value("ever", lambda: running_out(R, 2)[1], case="eight futures of seven hours")
check.value("ever", lambda: running_out(R, 5)[1], case="a larger stock")
check.value("ever", lambda: running_out(0.03 * R, 0)[1], case="no stock, small rates")
check.value("ever", lambda: running_out(R[:1], 3)[1], case="one future")
check.value("ever", lambda: running_out(R[:, 1:2], 3)[1], case="one hour")
check.value("ever", lambda: running_out(150 + 7 * R, 194)[1], case="large rates")
check.value(
    "ever", lambda: running_out(torch.cat([R, 40 + R]), 7)[1], case="futures that differ much"
)
check.value("ever", lambda: 1e6 * (1 - running_out(3 + R, 1)[1]), case="nearly certain")
check.value("tiny", lambda: 1e17 * running_out(0.4 * R, 23)[0], case="tiny in each hour")
check.value("tiny", lambda: 1e17 * running_out(0.4 * R, 23)[1], case="tiny in any hour")
check.value("tiny", lambda: 1e13 * running_out(R, 31)[1], case="rare in any hour")
check.value("tiny", lambda: 1e30 * running_out(1.3e-4 + 0 * R, 6)[1], case="smallest rates")
check.value("tiny", lambda: 1e30 * running_out(1.3e-4 + 0 * R, 6)[0], case="smallest rates, each")
check.value("tiny", lambda: 1e11 * running_out(90 + 0 * R[:3], 160)[1], case="rare, large rates")
steady = torch.full((2, 24), 1.07).double()
check.value("ever", lambda: running_out(steady, 5)[1], case="many hours of less than a thousandth")
w = torch.arange(1.0, 101).double()
wide = torch.exp(torch.sin(torch.outer(w * w, w**0.7)))  # a hundred futures, a hundred hours
least, most = 1e-4 + 0 * wide[:3], 200 + 0 * wide[:3, :4]
mixed = torch.cat([least[:2, :3], most[:2, :2], R[:2]], 1)
check.keeps("ever", lambda r: running_out(r, 0), mixed.clone(), case="rates are left as they are")
check.value("each", lambda: running_out(wide, 3)[0], case="a hundred futures and hours")
check.value("each", lambda: running_out(most, 0)[0], case="largest rates, no stock")
check.value("each", lambda: running_out(most, 211)[0], case="largest rates")
check.value("each", lambda: 1e4 * running_out(least, 0)[0], case="smallest rates, no stock")
check.value("each", lambda: running_out(mixed, 0)[0], case="smallest and largest rates")
check.value("each", lambda: running_out(mixed, 1000)[0], case="largest stock")
check.value("ever", lambda: running_out(wide, 9)[1], case="a hundred futures and hours")
check.value("ever", lambda: running_out(wide[70:], 11)[1], case="rare, thirty futures")
check.value("ever", lambda: 1e2 * running_out(least, 0)[1], case="smallest rates, no stock")
check.value("ever", lambda: running_out(least[:1, :1] * 9, 0)[1], case="one small rate")
check.value("ever", lambda: running_out(most, 0)[1], case="largest rates, no stock")
check.value("ever", lambda: running_out(mixed[1:], 3)[1], case="smallest and largest rates")
check.value(
    "ever",
    lambda: running_out(torch.cat([most[:, :1], least[:, :1]], 1), 200)[1],
    case="two hours",
)
check.value("ever", lambda: running_out(most[:1, :1], 3)[1], case="certain in one hour")
check.value(
    "ever",
    lambda: running_out(torch.tensor([[1e-3, 15.3], [2.1, 0.01]]).double(), 1)[1],
    case="nearly certain in one hour of one future",
)
for rate, stock, scale in (
    (1e-4, 1, 1e9),
    (1e-4, 3, 1e18),
    (1e-4, 5, 1e27),
    (1e-3, 7, 1e29),
    (5.3, 51, 1e29),
    (17.0, 90, 1e29),
    (200.0, 317, 1e13),
    (200.0, 371, 1e26),
):
    rare = torch.full((2, 3), rate, dtype=t.dtype)
    check.value(
        "tiny",
        lambda r=rare, s=stock, c=scale: c * running_out(r, s)[1],
        case="tiny in any hour, from smallest to largest rates",
    )
    check.value(
        "tiny",
        lambda r=rare, s=stock, c=scale: (
            c * running_out(torch.cat([r, 0.9 * r], 1).clamp(min=1e-4), s)[0]
        ),
        case="tiny in each hour, from smallest to largest rates",
    )
for rate, stock in ((2.3e-3, 0), (1.13e-4, 0), (5.3e-3, 1), (0.0137, 1)):
    few = torch.full((2, 7), rate).double()
    check.value(
        "ever",
        lambda r=few, s=stock: 1e3 * running_out(r, s)[1],
        case="hours that add up to a hundredth, a thousandth, a ten-thousandth",
    )
unlike = torch.tensor([[0.041, 170.0, 9.0, 0.9, 39.0], [0.037, 140, 7, 1.1, 33]]).double()
check.value(
    "tiny",
    lambda: running_out(unlike, 12)[0] * torch.tensor([1e28, 1, 1, 1e10, 1]).double(),
    case="rare beside certain hours",
)
check.value(
    "ever", lambda: running_out(wide[:, :97].T[:, 3:90], 13)[1], case="97 futures of 87 hours"
)


# %% [markdown]
# ## Exercise 8. In words: one day in three (5 min, 3 points)
#
# A model forecasts the demand of the next 24 hours, with a 90% interval for each hour. Over a year
# of mornings, 91% of all hours lay in their intervals, and on 34% of the days all 24 did. "Two
# days in three your forecast is wrong", says the manager, "so make the intervals wider until they
# are right on 90% of the days. Then add up the upper ends, that is how many bikes we need for a
# whole day." Answer in at most 130 words: is the forecast at fault, what does the wish for whole
# days change, and where would you read the number of bikes for a day? A person reads and grades
# this answer; no check runs.

# %% [markdown] written="one-day-in-three" points=3
# ### BEGIN SOLUTION
# The forecast kept its promise: it was about single hours, and 91% of the hours lay inside. That
# 24 hours hold at once is another, joint event, and much rarer; 34% instead of $0.9^{24} = 8\%$
# only says that the hours depend on each other. A band for whole days can be had: widen it until
# it holds 90% of *sampled paths*, or of past days, wholly. It is a different promise, and too wide
# for who plans one hour. Neither band gives the day's bikes. Adding upper ends supposes that every
# hour comes out high on the same day; sum each path first, and take the wanted quantile of these
# totals.
#
# **Rubric.** One point for: the hourly promise is marginal and was kept; whole days are a joint
# event. One point for: a simultaneous band is a wider, different promise, found from paths or past
# days. One point for: the day's number is a quantile of totals of paths, not a sum of hourly
# quantiles. "The model is overconfident" alone earns nothing.
# ### END SOLUTION
