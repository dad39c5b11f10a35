# %% [markdown]
# # Assignment 05: Calibration
#
# Eight exercises, 38 points, about 80 minutes. You write what a report on probabilities needs:
# an ECE that loses no example, a table with intervals, an exact decomposition, a comparison that
# can say "undecided", and two recalibrations. Inputs are NumPy arrays in float64, labels are
# integers. Results may be Python numbers, NumPy arrays or tensors. Anything that NumPy, SciPy,
# PyTorch or scikit-learn offers may be used.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a thousand in size, what must be positive is at least a
# thousandth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import numpy as np
import scipy.optimize as optimize
import scipy.special as special

from course_utils.checks import Checks

# %% [markdown]
# ## Exercise 1. An ECE that loses nobody (10 min, 5 points)
#
# Forecasts of exactly 0, of exactly 1 and on the border of two bins occur in every forest of
# trees. They must be counted, each once.
#
# Write `ece(p, y, edges)`, the expected calibration error of the probabilities of label 1: over
# the bins, the distance between the mean of `p` and the mean of `y`, weighted by the bin's share
# of the examples.
#
# - `p` has shape `(n,)`, $n \ge 1$, with values in $[0, 1]$; `y` has shape `(n,)` and holds 0 or
#   1.
# - `edges` has shape `(m + 1,)`, $1 \le m \le 100$, and increases from 0 to 1, not always in
#   equal steps.
#   Bin $k$ holds the examples with $\text{edges}_k \le p < \text{edges}_{k+1}$; the last bin holds
#   $p = 1$ as well.
#   Bins are at least $10^{-4}$ wide, and a forecast is on an edge or at least $10^{-6}$ away.
# - A bin without examples counts nothing. Return one number.
#
# Points: value 2, edges 2, empty bins 1.


# %% exercise="ece-closed-edges"
def ece(p, y, edges):
    """Return the expected calibration error of p over the bins between the edges."""
    ### BEGIN SOLUTION
    k = np.digitize(p, edges[1:-1])
    surplus = np.bincount(k, weights=p - y)  # n_k (mean p - mean y), for each bin
    return np.abs(surplus).sum() / len(p)
    ### END SOLUTION


# %% [markdown] why="ece-closed-edges"
# Given the inner edges only, `digitize` has a bin for everybody, 0 and 1 included. Within a bin
# count and mean cancel: what is left is the absolute sum of $p - y$.

# %% checks="ece-closed-edges" points=5
check = Checks("ece-closed-edges")
p = np.array([0.1, 0.35, 0.3, 0.9, 0.7, 0.15, 0.85])
y = np.array([0, 1, 0, 1, 1, 1, 0])
thirds, uneven = np.array([0.0, 0.25, 0.6, 1.0]), np.array([0.0, 0.02, 0.25, 0.5, 1.0])
on_edges, seen = np.array([0.95, 1.0, 0.25, 0.2, 0.0, 0.6]), np.array([1, 0, 1, 0, 1, 1])
bounds = np.array([0.0, 0.5, 1.0])
check.keeps("edges", ece, bounds.copy(), np.array([0, 1, 1]), bounds.copy())
check.keeps("value", ece, p.copy(), y.copy(), thirds.copy())
check.value("value", lambda: ece(p, y, thirds), points=2)
check.value("edges", lambda: ece(on_edges, seen, thirds), points=2)
check.value("empty bins", lambda: ece(p, y, uneven), points=1)
check.report()

# %% hidden="ece-closed-edges"
_t = np.linspace(0.013, 0.987, 23)
_p, _y = 0.5 + 0.487 * np.sin(7 * _t), (np.cos(31 * _t) > 0.2).astype(int)
_wide = np.array([0.0, 0.17, 0.43, 0.71, 1.0])
_on = np.concatenate([_wide, _p[:6], [0.17, 0.71, 1.0]])
_tenths = np.arange(11) / 10
check.value("value", lambda: ece(_p, _y, _wide), case="bins of unequal width")
check.value("value", lambda: ece(_p, 1 - _y, np.array([0.0, 0.37, 1.0])), case="two bins")
check.value("value", lambda: ece(_p[:5], _y[:5], np.array([0.0, 1.0])), case="one bin")
check.value("value", lambda: ece(_p[3:4], _y[3:4], np.array([0.0, 1.0])), case="one example")
check.law(
    "value",
    "equal",
    lambda: ece(_p, _y, _wide),
    lambda: ece(np.tile(_p, 3), np.tile(_y, 3), _wide),
    lambda: ece(_p[::-1].copy(), _y[::-1].copy(), _wide),
    case="examples repeated and reordered",
)
check.value("edges", lambda: ece(_on, _y[: len(_on)], _wide), case="probabilities on the edges")
check.value(
    "edges",
    lambda: ece(_on, _y[1 : len(_on) + 1], _wide),
    case="probabilities on the edges, other labels",
)
check.value(
    "edges", lambda: ece(_on[:5], np.array([1, 0, 0, 1, 1]), _wide), case="edges and little else"
)
check.value(
    "edges",
    lambda: ece(_tenths[[0, 3, 6, 7, 10]], np.array([0, 1, 1, 0, 0]), _tenths),
    case="edges that are tenths",
)
check.value("empty bins", lambda: ece(0.31 + 0.02 * _t, _y, _wide), case="all in one bin")
check.value("empty bins", lambda: ece(_p, _y, np.linspace(0, 1, 101)), case="a hundred bins")
check.value("empty bins", lambda: ece(_p[3:4], _y[3:4], _wide), case="one example, four bins")
_next = np.concatenate([_wide[1:4] - 0.0021, _wide[1:4] + 0.0023, _wide[1:4] - 3e-6])
check.value(
    "edges",
    lambda: ece(_next, np.array([1, 0, 1, 0, 0, 1, 1, 1, 0]), _wide),
    case="probabilities next to the edges",
)
late = np.array([0.0, 0.31, 0.9995, 1.0])
check.value(
    "edges",
    lambda: ece(np.array([1.0, 0.47, 0.9991, 0.9997, 0.2]), np.array([0, 1, 1, 0, 1]), late),
    case="an edge next to 1",
)
check.value(
    "value",
    lambda: 1e6 * ece(np.tile([0.25 - 3e-6, 0.25 + 1e-6], 4), np.arange(8) % 4 // 3, _wide),
    case="nearly calibrated",
)
first = np.array([0.0, 1e-4, 0.31, 1 - 1.1e-4, 1.0])
ends = np.array(
    [0.0, 1e-4, 9.8e-5, 1.02e-4, 1 - 1.1e-4, 1 - 1.12e-4, 1.0, 1 - 1.07e-4, 1e-6, 0.4, 0.4]
)
check.value(
    "edges",
    lambda: ece(ends, np.array([1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1]), first),
    case="the narrowest bins at 0 and at 1",
)
check.value(
    "edges",
    lambda: ece(np.array([1.0, 0.6]), np.array([0, 1]), np.array([0.0, 0.5, 1 - 1.003e-4, 1.0])),
    case="1 alone in the narrowest bin",
)
check.value(
    "edges",
    lambda: ece(np.array([1.0, 0.7]), np.array([0, 0]), np.array([0.0, 0.7, 1.0])),
    case="two forecasts in the last bin",
)
_busy = np.arange(97) ** 2 % 101 / 101
check.value(
    "empty bins",
    lambda: ece(_busy, (np.arange(97) ** 3 % 7 > 2).astype(int), np.linspace(0, 1, 101) ** 2),
    case="97 examples, a hundred bins",
)
_even = np.linspace(0, 1, 101)
check.value(
    "edges",
    lambda: ece(_even[[28, 29, 29, 57, 58, 58]], np.array([1, 0, 0, 1, 1, 1]), _even),
    case="forecasts on edges, a hundred equal bins",
)
_odd = np.array([0.0, 1.3e-4, 1 / 7, np.sqrt(0.1), np.sqrt(0.5), 1 - 1 / 700, 1.0])
_by = np.concatenate([_odd, _odd[1:-1] - 1.1e-6, _odd[1:-1] + 1.1e-6])
check.value(
    "edges",
    lambda: ece(_by, np.array([1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1]), _odd),
    case="edges with many digits",
)
check.value(
    "edges",
    lambda: ece(np.append(np.arange(1, 100) / 100 - 0.0047, 1.0), np.arange(100) % 2, _even),
    case="someone in each of a hundred bins",
)

# %% [markdown]
# ## Exercise 2. The forecaster who knows nothing (5 min, 4 points)
#
# Count how often each class occurs in the training labels, and forecast these shares for every
# example, whatever it looks like. Any model has to beat this one, and it is hard to beat at ECE.
#
# Write `base_rate_scores(train, test, classes)`, which returns the tuple
# `(accuracy, ece, brier, nll)` of this forecaster on the labels `test`.
#
# - `train` and `test` have shapes `(m,)` and `(n,)`, $m, n \ge 1$, and hold labels from 0 to
#   `classes - 1`; there are 2 to 100 classes. A class may be missing from either.
# - Accuracy: the share of `test` that is the class with the largest forecast; of equal ones, the
#   lowest label.
# - ECE: top-label, that is, confidence (the largest forecast) against accuracy. One bin holds
#   all examples, since all have the same confidence.
# - Brier: the **mean** over the examples of the squared distance **summed** over all classes.
# - NLL: the **mean**, in nats. It is infinite if `test` holds a class that `train` does not.
#
# Points: accuracy 1, ECE 1, Brier 1, NLL 1.


# %% exercise="base-rate-scores"
def base_rate_scores(train, test, classes):
    """Return accuracy, top-label ECE, Brier score and NLL of forecasting the base rates."""
    ### BEGIN SOLUTION
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    with np.errstate(divide="ignore"):
        nll = -np.log(share[test]).mean()
    return accuracy, abs(share.max() - accuracy), brier, nll
    ### END SOLUTION


# %% [markdown] why="base-rate-scores"
# All rows get the same forecast, so each score is a formula in the shares. The forecaster is
# nearly calibrated and knows nothing: that is why a small ECE alone says little.

# %% checks="base-rate-scores" points=4
check = Checks("base-rate-scores")
train, test = np.array([0, 1, 1, 2, 1, 0, 1, 3]), np.array([1, 0, 1, 2, 1])
check.keeps("accuracy", lambda a, b: base_rate_scores(a, b, 4), train.copy(), test.copy())
check.value("accuracy", lambda: base_rate_scores(train, test, 4)[0], points=1)
check.value("ECE", lambda: base_rate_scores(train, train, 4)[1])
check.value("ECE", lambda: base_rate_scores(train, test, 4)[1], points=1)
check.value("Brier", lambda: base_rate_scores(train, test, 4)[2], points=1)
check.value("NLL", lambda: base_rate_scores(train, test, 4)[3], points=1)
check.value("NLL", lambda: base_rate_scores(train, np.array([0, 4]), 5)[3])
check.report()

# %% hidden="base-rate-scores"
_i = np.arange(41)
_a, _b = (_i * _i + 3 * _i) % 7 % 5, (_i**3 + _i) % 11 % 5
_ties = np.array([3, 1, 3, 1, 2, 0])
check.value("accuracy", lambda: base_rate_scores(_a, _b[:29], 5)[0], case="five classes")
check.value(
    "accuracy",
    lambda: base_rate_scores(_b[:23], _a[:37], 6)[0],
    case="a class that nobody met in training",
)
check.value(
    "accuracy",
    lambda: base_rate_scores(_ties, _b[:13] % 4, 4)[0],
    case="a tie for the most frequent class",
)
check.value("ECE", lambda: base_rate_scores(_a, _b[:29], 5)[1], case="five classes")
check.value(
    "ECE",
    lambda: base_rate_scores(_b[:23], _a[:37], 6)[1],
    case="a class that nobody met in training",
)
check.value(
    "ECE", lambda: base_rate_scores(_a[:7], _a[:7], 5)[1], case="scored on its own training labels"
)
check.value("Brier", lambda: base_rate_scores(_a, _b[:29], 5)[2], case="five classes")
check.value(
    "Brier",
    lambda: base_rate_scores(_b[:23], _a[:37], 6)[2],
    case="a class that nobody met in training",
)
check.value("Brier", lambda: base_rate_scores(_a % 2, _b[:17] % 2, 2)[2], case="two classes")
check.value("NLL", lambda: base_rate_scores(_a, _b[:29], 5)[3], case="five classes")
check.value(
    "NLL", lambda: base_rate_scores(_b, _a[:37], 9)[3], case="nine classes, some never met"
)
check.value(
    "NLL",
    lambda: base_rate_scores(_a, np.array([5, 0, 1]), 6)[3],
    case="classes that training hardly knows",
)
_c, _d = (_i**2 + 5 * _i) % 17 % 9, (3 * _i**2 + _i) % 19 % 9
_c, _d = np.append(_c, np.arange(9)), np.append(_d, np.arange(9))
check.value("Brier", lambda: base_rate_scores(_c, _d, 9)[2], case="nine classes, all met")
check.value("NLL", lambda: base_rate_scores(_c, _d, 9)[3], case="nine classes, all met")
_single = np.array([3])
check.value("accuracy", lambda: base_rate_scores(_single, _d, 9)[0], case="one training label")
check.value("ECE", lambda: base_rate_scores(_single, _d, 9)[1], case="one training label")
check.value("Brier", lambda: base_rate_scores(_single, _d, 9)[2], case="one training label")
check.value("NLL", lambda: base_rate_scores(_single, _d, 9)[3], case="one training label")
check.value("NLL", lambda: base_rate_scores(_a, _b[:1], 97)[3], case="97 classes, one test label")
check.value(
    "Brier", lambda: base_rate_scores(_a, _b[:1], 97)[2], case="97 classes, one test label"
)
check.value("ECE", lambda: base_rate_scores(_a, _b[3:4], 97)[1], case="97 classes, one test label")
_sure = np.append(np.ones(99, dtype=int), 0)
check.value(
    "Brier", lambda: base_rate_scores(_sure, _sure[:7], 2)[2], case="nearly sure, and right"
)
check.value("NLL", lambda: base_rate_scores(_sure, _sure[90:], 3)[3], case="nearly sure")
check.value(
    "accuracy", lambda: base_rate_scores(_sure, _sure[83:], 3)[0] + 0.137, case="nearly sure"
)
_far = np.array([96, 95, 96, 95, 7])
check.value(
    "accuracy",
    lambda: base_rate_scores(_far, np.array([95, 96, 95]), 97)[0] + 0.137,
    case="97 classes, a tie",
)
_thirds = np.repeat([7, 99, 3], [33, 34, 33])
check.value(
    "accuracy",
    lambda: base_rate_scores(_thirds, _thirds[31:98], 100)[0] + 0.137,
    case="a hundred classes, three of them met",
)
check.value(
    "ECE",
    lambda: base_rate_scores(_thirds, _thirds[31:98], 100)[1] + 0.137,
    case="a hundred classes, three of them met",
)
check.value(
    "Brier",
    lambda: base_rate_scores(_thirds, _thirds[31:98], 100)[2] + 0.137,
    case="a hundred classes, three of them met",
)
check.value(
    "NLL",
    lambda: base_rate_scores(_thirds, _thirds[31:98], 100)[3] + 0.137,
    case="a hundred classes, three of them met",
)

# %% [markdown]
# ## Exercise 3. A table that says how sure it is (10 min, 5 points)
#
# A reliability diagram without counts hides that its boldest dot may rest on three examples. Here
# every group gets as many examples as any other, and an interval for its share of ones.
#
# Write `reliability_table(p, y, groups, level)`, an array of shape `(groups, 5)`: one row for each
# group, from small forecasts to large, with
#
# `count, mean of p, share of ones, low, high`.
#
# - `p` and `y` have shape `(n,)`, `groups` is between 1 and $n$. Forecasts lie in $[0, 1]$; no two
#   are equal, but they may be a billionth apart.
# - Sort by `p` and cut into `groups` pieces whose counts differ by at most one, the larger ones
#   first, as `np.array_split` does.
# - `low` and `high` are the ends of Wilson's interval at `level`, a number from $10^{-3}$ to
#   $1 - 10^{-9}$. With $k$ ones among $c$ examples, and $z$ such that a standard normal lies
#   within $\pm z$ with probability `level`:
#
# $$\frac{k + z^2/2}{c + z^2} \;\pm\; \frac{z}{c + z^2}
#   \sqrt{\frac{k\,(c - k)}{c} + \frac{z^2}{4}}$$
#
# Points: counts 1, means 2, interval 2.


# %% exercise="reliability-table"
def reliability_table(p, y, groups, level):
    """Return one row (count, mean p, share of ones, low, high) for each group of equal count."""
    ### BEGIN SOLUTION
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for of_group in np.array_split(np.argsort(p), groups):
        c, k = len(of_group), y[of_group].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[of_group].mean(), k / c, centre - half, centre + half])
    return np.array(rows)
    ### END SOLUTION


# %% [markdown] why="reliability-table"
# The Wilson interval asks which true shares would make the observed one plausible. It stays within
# 0 and 1, and it does not shrink to a point where all of a group are alike.

# %% checks="reliability-table" points=5
check = Checks("reliability-table")
p = np.array([0.8, 0.1, 0.35, 0.6, 0.2, 0.9, 0.45, 0.05])
y = np.array([1, 0, 0, 1, 1, 1, 1, 0])
check.keeps("counts", lambda p, y: reliability_table(p, y, 3, 0.9), p.copy(), y.copy())
check.value("counts", lambda: reliability_table(p, y, 3, 0.9)[:, 0], points=1)
check.value("means", lambda: reliability_table(p, y, 3, 0.9)[:, 1:3], points=2)
check.value("interval", lambda: reliability_table(p, y, 3, 0.9)[:, 3:], points=2)
check.report()

# %% hidden="reliability-table"
_t = np.linspace(0.011, 0.993, 29)
_p, _y = 0.5 + 0.48 * np.sin(43 * _t), (np.cos(57 * _t) > 0.1).astype(int)
check.value(
    "counts", lambda: reliability_table(_p, _y, 6, 0.9)[:, 0], case="29 examples in six bins"
)
check.value(
    "counts",
    lambda: reliability_table(_p[:10], _y[:10], 4, 0.9)[:, 0],
    case="ten examples in four bins",
)
check.value("means", lambda: reliability_table(_p, _y, 6, 0.9)[:, 1:3], case="six bins")
check.value(
    "means",
    lambda: reliability_table(_p[:17], _y[:17], 5, 0.6)[:, 1:3],
    case="five bins, 17 examples",
)
check.value(
    "means",
    lambda: reliability_table(_p[:3], _y[:3], 3, 0.6)[:, 1:3],
    case="one example in each bin",
)
check.value("means", lambda: reliability_table(_p, _y, 1, 0.6)[:, 1:3], case="one bin")
check.value("interval", lambda: reliability_table(_p, _y, 6, 0.97)[:, 3:], case="a level of .97")
check.value(
    "interval",
    lambda: reliability_table(_p[:17], 0 * _y[:17], 5, 0.63)[:, 3:],
    case="no success at all",
)
check.value(
    "interval",
    lambda: reliability_table(_p[:7], _y[:7], 7, 0.83)[:, 3:],
    case="one example in each bin",
)
check.law(
    "interval",
    "equal",
    lambda: reliability_table(_p, _y, 4, 0.8)[:, 3:],
    lambda: 1 - reliability_table(_p, 1 - _y, 4, 0.8)[:, [4, 3]],
    case="labels exchanged",
)
close = np.array([0.5 + 3.3e-9, 0.5 - 2.2e-9, 0.5 + 1.1e-9, 0.5, 0.5 - 4.4e-9])
check.value(
    "means",
    lambda: reliability_table(close, np.array([1, 0, 0, 1, 1]), 5, 0.87)[:, 2],
    case="forecasts a billionth apart",
)
check.value(
    "interval",
    lambda: reliability_table(close, np.array([1, 0, 0, 1, 1]), 2, 1 - 3e-8)[:, 3:],
    case="a level next to 1",
)
_many = np.modf(np.arange(1, 98) * 0.6180339887)[0]
_came = (np.cos(np.arange(97.0) ** 2) > 0.3).astype(int)
check.value(
    "counts", lambda: reliability_table(_many, _came, 90, 0.9)[:, 0], case="90 groups of 97"
)
check.value("means", lambda: reliability_table(_many, _came, 13, 0.9)[:, 1:3], case="97 examples")
check.value(
    "counts", lambda: reliability_table(_p[:1], _y[:1], 1, 0.9)[:, 0] + 0.37, case="one example"
)
check.value(
    "interval",
    lambda: 1e3 * np.diff(reliability_table(_many, _came, 7, 0.00102)[:, 3:]),
    case="widths at a level next to 0",
)
check.value(
    "interval",
    lambda: reliability_table(_many, _came, 1, 1 - 1.1e-9)[:, 3:],
    case="one group, a level next to 1",
)
check.value(
    "interval",
    lambda: reliability_table(_p[:17], 1 + 0 * _y[:17], 5, 1 - 1.1e-9)[:, 3:],
    case="nothing but ones, a level next to 1",
)
_in_row = np.arange(98)
check.value(
    "interval",
    lambda: reliability_table((_in_row + 0.4) / 99, (_in_row % 49 == 31) * 1, 2, 0.93)[:, 3:],
    case="one success among 49",
)
_ends = np.array([2.2e-9, 1.0, 0.0, 1 - 2.3e-9, 1.1e-9, 1 - 1.1e-9, 0.37])
check.value(
    "means",
    lambda: reliability_table(_ends, np.array([1, 1, 0, 0, 0, 1, 0]), 7, 0.87)[:, 2],
    case="forecasts of 0, of 1 and next to them",
)
check.value(
    "counts",
    lambda: reliability_table(_ends, np.array([1, 1, 0, 0, 0, 1, 0]), 4, 0.87)[:, 0],
    case="forecasts of 0, of 1 and next to them",
)
check.value(
    "interval", lambda: reliability_table(_many, _came, 2, 0.93)[:, 3:], case="two large groups"
)
check.value(
    "interval",
    lambda: 1e2 * reliability_table(_many, 0 * _came, 1, 0.29)[:, 3:],
    case="one large group, no success at all",
)

# %% [markdown]
# ## Exercise 4. The Brier score, to the last digit (10 min, 5 points)
#
# Reliability minus resolution plus uncertainty is the Brier score only if all forecasts of a group
# are equal. Otherwise two terms are missing. And in many data sets not all examples count the
# same: each carries a weight.
#
# Let $w_i$ be the weights, scaled so that they sum to one. In the group of example $i$, let
# $\bar p_i$ and $\bar y_i$ be the weighted means of $p$ and $y$, and let $\bar y$ be the weighted
# mean of all $y$. Write `brier_parts(p, y, group, weight)`, which returns the tuple
#
# $$
# \begin{aligned}
# \text{reliability} &= \textstyle\sum_i w_i (\bar p_i - \bar y_i)^2 \\
# \text{resolution} &= \textstyle\sum_i w_i (\bar y_i - \bar y)^2 \\
# \text{uncertainty} &= \bar y\, (1 - \bar y) \\
# \text{variance} &= \textstyle\sum_i w_i (p_i - \bar p_i)^2 \\
# \text{covariance} &= 2 \textstyle\sum_i w_i (p_i - \bar p_i)(y_i - \bar y_i)
# \end{aligned}
# $$
#
# so that $\sum_i w_i (p_i - y_i)^2$ is
# reliability − resolution + uncertainty + variance − covariance.
#
# - All four have shape `(n,)`. `p` lies in $[0, 1]$, `y` holds 0 or 1; `group` holds integers of
#   either sign, a billion at most, equal for the examples of one group; `weight` lies between
#   $10^{-10}$ and a thousand and sums to anything.
#
# Points: reliability 1, resolution 1, uncertainty 1, within groups 2.


# %% exercise="brier-parts"
def brier_parts(p, y, group, weight):
    """Return reliability, resolution, uncertainty, and variance and covariance within groups."""
    ### BEGIN SOLUTION
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    of_group = np.bincount(k, w)
    p_bar = (np.bincount(k, w * p) / of_group)[k]
    y_bar = (np.bincount(k, w * y) / of_group)[k]
    base = w @ y
    return (
        w @ (p_bar - y_bar) ** 2,
        w @ (y_bar - base) ** 2,
        base * (1 - base),
        w @ (p - p_bar) ** 2,
        2 * (w @ ((p - p_bar) * (y - y_bar))),
    )
    ### END SOLUTION


# %% [markdown] why="brier-parts"
# Within a group, $p$ and $y$ are split into their means and what deviates from them; the products
# of a mean with a deviation vanish. The two terms within groups are what the usual three-term
# formula forgets once forecasts in a bin differ.

# %% checks="brier-parts" points=5
check = Checks("brier-parts")
p, y = np.array([0.1, 0.3, 0.2, 0.6, 0.9, 0.7]), np.array([0, 1, 0, 1, 1, 0])
group, weight = np.array([-4, -4, -4, 7, 7, 7]), np.array([1.0, 2.0, 1.0, 3.0, 2.0, 2.0])
copies = [a.copy() for a in (p, y, group, weight)]
check.keeps("reliability", brier_parts, *copies)
check.value("reliability", lambda: brier_parts(p, y, group, weight)[0], points=1)
check.value("resolution", lambda: brier_parts(p, y, group, weight)[1], points=1)
check.value("uncertainty", lambda: brier_parts(p, y, group, weight)[2], points=1)
check.value("within groups", lambda: tuple(brier_parts(p, y, group, weight))[3:], points=2)
check.report()

# %% hidden="brier-parts"
_t = np.linspace(0.017, 0.971, 19)
_p, _y = 0.5 + 0.47 * np.sin(9 * _t), (np.cos(23 * _t) > -0.2).astype(int)
_g, _w = np.floor(5 * _p).astype(int) * 3 - 5, 0.3 + np.exp(np.sin(17 * _t))
_few = (_p[:6], _y[:6], np.arange(6) % 3 - 1, _w[1:7])
_copies = [np.repeat(a, np.arange(19) % 3 + 1) for a in (_p, _y, _g)]
check.value("reliability", lambda: brier_parts(_p, _y, _g, _w)[0], case="many groups, weights")
check.value("reliability", lambda: brier_parts(*_few)[0], case="six examples")
check.value("reliability", lambda: brier_parts(_p, _y, 0 * _g, 0.01 * _w)[0], case="one group")
check.value("resolution", lambda: brier_parts(_p, _y, _g, _w)[1], case="many groups, weights")
check.value("resolution", lambda: brier_parts(*_few)[1], case="six examples")
check.value(
    "resolution",
    lambda: brier_parts(_p, _y, np.arange(19), 8 * _w)[1],
    case="a group for each example",
)
check.value("uncertainty", lambda: brier_parts(_p, _y, _g, _w)[2], case="many groups, weights")
check.value("uncertainty", lambda: brier_parts(*_few)[2], case="six examples")
check.value(
    "within groups", lambda: tuple(brier_parts(_p, _y, _g, _w))[3:], case="many groups, weights"
)
check.value("within groups", lambda: tuple(brier_parts(*_few))[3:], case="six examples")
check.value(
    "within groups", lambda: tuple(brier_parts(_p, _y, 0 * _g, 0.01 * _w))[3:], case="one group"
)
check.law(
    "within groups",
    "equal",
    lambda: brier_parts(_p, _y, _g, np.arange(19) % 3 + 1.0)[4],
    lambda: brier_parts(*_copies, np.ones(len(_copies[0])))[4],
    case="weights against copies",
)
r = np.arange(9.0)
told, came, kind = 0.1 + 0.08 * r, (r % 4 < 2) * 1, np.array([3, -7, 3, 11, -7, 3, 11, 11, 3])
check.value(
    "within groups",
    lambda: tuple(brier_parts(told, came, kind, 1e-10 * (1 + r)))[3:],
    case="weights of a ten billionth",
)
check.value(
    "reliability",
    lambda: tuple(brier_parts(told, came, kind, 1e-10 * (1 + r)))[0],
    case="weights of a ten billionth",
)
names = np.array([10**9, 10**9 - 1, 10**9, 10**9 - 1, 10**9 - 2, 10**9, 10**9 - 2, 3, 3])
check.value(
    "reliability",
    lambda: tuple(brier_parts(told, came, names, 1.0 + r))[0],
    case="names of nearly a billion",
)
_tight = np.array([0.6 + 1e-5, 0.6 - 2e-5, 0.6 + 3e-5, 0.2 - 1e-5, 0.2 + 5e-5, 0.2])
_hits, _kinds = np.array([1, 0, 1, 0, 1, 0]), np.array([5, 5, 5, -2, -2, -2])
_load = np.array([1.3, 2.1, 0.7, 3.9, 1.1, 0.4])
check.value(
    "within groups",
    lambda: np.array(brier_parts(_tight, _hits, _kinds, _load)[3:]) * [1e9, 1e5],
    case="forecasts that nearly agree",
)
_right = np.array([0.2 + 4e-5, 0.2 - 3e-5, 0.2, 0.2 + 2e-5, 0.2])
check.value(
    "reliability",
    lambda: 1e9 * brier_parts(_right, np.array([0, 1, 0, 0, 0]), 0 * _hits[:5] + 7, np.ones(5))[0],
    case="nearly calibrated",
)
_light = np.array([910.0, 870.0, 1.3e-4, 770.0, 990.0, 830.0])
check.value(
    "uncertainty",
    lambda: 1e7 * brier_parts(_tight, (_hits > -1) * 1, _kinds, _light)[2] + 1.7,
    case="nothing but ones",
)
check.value(
    "uncertainty",
    lambda: 1e7 * brier_parts(_tight, (np.arange(6) != 2) * 1, _kinds, _light)[2],
    case="one zero of little weight",
)
check.value(
    "resolution",
    lambda: 1e7 * brier_parts(_tight, (np.arange(6) != 2) * 1, _kinds, _light)[1],
    case="one zero of little weight",
)
check.value(
    "reliability", lambda: brier_parts(_p[:1], _y[:1], _g[:1], _w[:1])[0], case="one example"
)
_long = np.modf(np.arange(1, 98) * 0.6180339887)[0]
check.value(
    "resolution",
    lambda: brier_parts(_long, (_long**2 > 0.3) * 1, np.arange(97) ** 2 % 50 - 10**9, 1 + _long)[
        1
    ],
    case="97 examples in many groups",
)
_alike = np.array([-1, -2, 7, 7 + 2**16, 7 - 10**6, -2, -1, 7 + 10**8, 7])
check.value(
    "reliability",
    lambda: brier_parts(told, came, _alike, 1.3 + r)[0],
    case="names that look alike",
)
check.value(
    "within groups",
    lambda: tuple(brier_parts(told, came, _alike, 1.3 + r))[3:],
    case="names that look alike",
)
_feather = (
    np.array([0.5, 0.5, 0.71, 0.17, 0.5, 0.5]),
    np.array([0, 1, 1, 0, 1, 0]),
    np.array([4, 4, -9, -9, 6, 6]),
    np.array([900.0, 900, 4.1e-6, 7.3e-6, 700, 700]),
)
check.value(
    "reliability", lambda: 2e8 * brier_parts(*_feather)[0], case="a group of little weight"
)
check.value("resolution", lambda: 2e8 * brier_parts(*_feather)[1], case="a group of little weight")
check.value(
    "within groups",
    lambda: 2e8 * np.array(brier_parts(*_feather)[3:]),
    case="a group of little weight",
)

# %% [markdown]
# ## Exercise 5. Which of the two? (10 min, 5 points)
#
# Two models forecast the same examples. Neither ECE nor accuracy can say which one has the better
# probabilities; the NLL and the Brier score can, if you also say how far chance carries them.
#
# Write `compare(p_a, p_b, y)`, which returns the tuple `(nll, nll_se, brier, brier_se, choice)`.
#
# - `p_a` and `p_b` are probabilities of label 1, from $10^{-12}$ to $1 - 10^{-12}$; `y` holds 0 or
#   1. All have shape `(n,)`, $2 \le n \le 300$.
# - `nll`: the **mean** over the examples of the NLL of A minus the NLL of B, in nats.
# - `brier`: the same for the squared errors $(p - y)^2$.
# - `nll_se` and `brier_se`: the standard error of each mean, which is the standard deviation
#   (divided by $n - 1$, not by $n$) of the $n$ differences, over $\sqrt n$.
# - `choice`: 1 if both means lie more than 2 of their standard errors above 0 (B is better), −1 if
#   both lie more than 2 below (A is better), otherwise 0. Unless all differences are equal, no
#   mean is within a thousandth of 2 standard errors.
#
# Points: NLL 1, Brier 1, standard errors 2, choice 1.


# %% exercise="paired-comparison"
def compare(p_a, p_b, y):
    """Return the mean score differences of A minus B, their standard errors, and a choice."""
    ### BEGIN SOLUTION
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice
    ### END SOLUTION


# %% [markdown] why="paired-comparison"
# Both models met the same rows, and hard rows are hard for both: the difference of two scores is
# far less noisy than either. So its standard error comes from the differences.

# %% checks="paired-comparison" points=5
check = Checks("paired-comparison")
y = np.array([1, 0, 0, 1, 0, 1, 0, 0, 1, 0])
rate = np.full(10, 0.4)  # ECE 0: the forecaster who knows nothing
bold = np.array([0.7, 0.3, 0.1, 0.8, 0.25, 0.55, 0.2, 0.3, 0.85, 0.1])
meek = np.array([0.45, 0.3, 0.2, 0.5, 0.3, 0.35, 0.5, 0.4, 0.5, 0.2])
lost = np.where(np.arange(10) == 3, 1e-9, bold)
check.keeps("NLL", compare, rate.copy(), bold.copy(), y.copy())
check.value("NLL", lambda: compare(rate, bold, y)[0], points=1)
check.value("NLL", lambda: compare(lost, bold, y)[0])
check.value("Brier", lambda: compare(rate, bold, y)[2], points=1)
check.value("standard errors", lambda: tuple(compare(rate, bold, y))[1:4:2], points=2)
check.value("choice", lambda: tuple(compare(rate, bold, y))[::4], points=1)
check.value("choice", lambda: tuple(compare(rate, lost, y))[::4])
check.value("choice", lambda: tuple(compare(meek, rate, y))[::4])
check.report()

# %% hidden="paired-comparison"
_t = np.linspace(0.019, 0.977, 37)
_y = (np.cos(47 * _t) > 0.15).astype(int)
_a, _b = 0.5 + 0.31 * np.sin(13 * _t), special.expit(2.3 * (_y - 0.5) + np.sin(29 * _t))
_c = np.where(np.arange(37) == np.argmax(_y), 3e-12, _b)
_d = np.clip(_a + 0.9 * (_y - 0.5) * (_t > 0.63), 0.04, 0.96)
_e = special.expit(1.8 * (_y - 0.5) + 0.9 * np.sin(11 * _t))
_e[np.argmax(_y)] = 0.003  # better than A, by the Brier score alone
_f = np.where(_y == 1, 0.02 + 0.02 * _t, 0.3)
_g = np.where(_y == 1, 3 * _f, 0.3 + 0.2 * np.sin(11 * _t))  # better than F, by the NLL alone
_h = 0.8 * _a + 0.2 * np.where(np.arange(37) % 3 > 0, _y, 1 - _y)  # better, but not clearly
check.value("NLL", lambda: compare(_a, _b, _y)[0], case="37 examples")
check.value("NLL", lambda: compare(_c, _a, _y)[0], case="a probability near zero")
check.value("Brier", lambda: compare(_a, _b, _y)[2], case="37 examples")
check.value("Brier", lambda: compare(_d, _b, 1 - _y)[2], case="labels exchanged")
check.value("standard errors", lambda: tuple(compare(_a, _b, _y))[1:4:2], case="37 examples")
check.value(
    "standard errors", lambda: tuple(compare(_c, _a, _y))[1:4:2], case="a probability near zero"
)
check.value(
    "standard errors", lambda: tuple(compare(_a[:2], _b[:2], _y[:2]))[1:4:2], case="two examples"
)
check.law(
    "standard errors",
    "equal",
    lambda: compare(_a, _d, _y)[1],
    lambda: compare(_d, _a, _y)[1],
    case="the two models exchanged",
)
check.value("choice", lambda: tuple(compare(_a, _b, _y))[::4], case="B is clearly better")
check.value("choice", lambda: tuple(compare(_b, _a, _y))[::4], case="the two models exchanged")
check.value("choice", lambda: tuple(compare(_a, _c, _y))[::4], case="one very bad forecast")
check.value("choice", lambda: tuple(compare(_a, _d, _y))[::4], case="better for some examples")
check.value("choice", lambda: tuple(compare(_a, _e, _y))[::4], case="better by one score alone")
check.value(
    "choice", lambda: tuple(compare(_e, _a, _y))[::4], case="better by one score alone, exchanged"
)
check.value("choice", lambda: tuple(compare(_f, _g, _y))[::4], case="better by the NLL alone")
check.value(
    "choice", lambda: tuple(compare(_g, _f, _y))[::4], case="better by the NLL alone, exchanged"
)
check.value("choice", lambda: tuple(compare(_a, _h, _y))[::4], case="better, but not clearly")
check.value("choice", lambda: tuple(compare(_a[:9], _b[:9], _y[:9]))[::4], case="nine examples")
check.value("choice", lambda: tuple(compare(_a, 1 - _b, _y))[::4], case="B is clearly worse")
split = np.repeat([0.0, 1.0], 130)
bold, mild = np.where(split > 0, 1e-6, 0.53), np.where(split > 0, 1e-11, 0.62)
check.value(
    "choice",
    lambda: compare(bold, mild, np.ones(260, dtype=int))[4],
    case="two clear verdicts that differ",
)
even = np.array([0.31, 0.62, 0.93])
check.value("choice", lambda: compare(even, even, np.array([0, 1, 1]))[4], case="equal models")
edge = np.array([1 - 1e-9, 0.57, 0.2, 1e-9])
check.value(
    "NLL",
    lambda: compare(edge, 0.5 + 0.1 * edge, np.array([0, 1, 1, 1]))[0],
    case="forecasts next to 0 and to 1",
)
check.value(
    "standard errors",
    lambda: compare(edge, 0.5 + 0.1 * edge, np.array([0, 1, 1, 1]))[1],
    case="forecasts next to 0 and to 1",
)
check.value(
    "choice",
    lambda: compare(np.full(3, 0.5), np.full(3, 0.25), np.zeros(3, dtype=int))[4],
    case="the same difference everywhere",
)
_shift = special.logit(_a)


def _ahead(size):
    return special.expit(_shift + size * np.where(np.arange(37) % 5 > 0, 1, -1) * (2 * _y - 1))


check.value("choice", lambda: compare(_a, _ahead(1.373407), _y)[4], case="a little above 2 errors")
check.value("choice", lambda: compare(_a, _ahead(1.377454), _y)[4], case="a little below 2 errors")
check.value(
    "choice", lambda: compare(_ahead(1.373407), _a, _y)[4], case="a little below -2 errors"
)
check.value(
    "choice", lambda: compare(_ahead(1.377454), _a, _y)[4], case="a little above -2 errors"
)
ends = np.array([1e-12, 1 - 1e-12, 0.3, 1e-12, 1 - 1e-12])
seen = np.array([1, 0, 1, 0, 1])
check.value(
    "NLL", lambda: compare(ends, 0.9 - 0.7 * ends, seen)[0], case="a billionth of a thousandth"
)
check.value(
    "Brier", lambda: compare(ends, 0.9 - 0.7 * ends, seen)[2], case="forecasts next to 0, 1"
)
check.value(
    "NLL",
    lambda: 1e8 * compare(_a, _a + 1e-7 * np.sin(9 * _t), _y)[0],
    case="models that nearly agree",
)
check.value(
    "Brier",
    lambda: 1e8 * compare(_a, _a + 1e-7 * np.sin(9 * _t), _y)[2],
    case="models that nearly agree",
)
check.value(
    "standard errors",
    lambda: 1e8 * np.array(compare(_a, _a + 1e-7 * np.sin(9 * _t), _y)[1:4:2]),
    case="models that nearly agree",
)
check.value(
    "standard errors",
    lambda: 1e10 * compare(np.full(5, 1 - 1e-9), 1 - 1e-9 * np.arange(1, 6), np.ones(5, int))[1],
    case="all nearly sure, and right",
)
check.value(
    "standard errors",
    lambda: tuple(compare(np.tile(_a, 8), np.tile(_b, 8), np.tile(_y, 8)))[1:4:2],
    case="296 examples",
)
_pair, _rival, _both = np.array([0.41, 0.63]), np.array([0.55, 0.55]), np.array([1, 0])
check.value("choice", lambda: compare(_pair, _rival, _both)[4], case="two examples")
check.value("choice", lambda: compare(_rival, _pair, _both)[4], case="two examples, exchanged")
check.value(
    "choice",
    lambda: compare(np.full(3, 0.25), np.full(3, 0.5), np.zeros(3, dtype=int))[4],
    case="the same difference everywhere, exchanged",
)
_hair = _a + 1e-7 * (2 * _y - 1) * (1 + _t)
check.value("choice", lambda: compare(_a, _hair, _y)[4], case="better by a hair")
check.value("choice", lambda: compare(_hair, _a, _y)[4], case="better by a hair, exchanged")


def _flicker(size):
    return np.where(_y == 1, 3 * _f, 0.3 + size * np.sin(11 * _t))


check.value("choice", lambda: compare(_f, _flicker(0.1711), _y)[4], case="one score decides")
check.value(
    "choice", lambda: compare(_flicker(0.1711), _f, _y)[4], case="one score decides, exchanged"
)
check.value("choice", lambda: compare(_f, _flicker(0.1727), _y)[4], case="the other score decides")
check.value(
    "choice",
    lambda: compare(_flicker(0.1727), _f, _y)[4],
    case="the other score decides, exchanged",
)
check.value("Brier", lambda: compare(_a, _b, 0 * _y)[2], case="only zeros")
check.value("NLL", lambda: compare(_a, _b, 0 * _y)[0], case="only zeros")

# %% [markdown]
# ## Exercise 6. One temperature, on held-out rows (15 min, 6 points)
#
# A network is too sure of itself. Divide all its logits by one number $T > 0$ and take the
# softmax: the most probable class stays, the confidence changes. Which $T$ makes the labels most
# likely? Not the labels that trained the network: it has already bent its logits to them.
#
# Write `fit_temperature(logits, labels, held_out)`, the $T > 0$ with the smallest **mean** NLL of
# `labels` under softmax(logits / T), over the rows whose `held_out` is true, and those alone.
#
# - `logits` has shape `(n, K)`, $K \ge 2$; they are at most ten thousand in size, and those of a
#   row differ by at most six thousand. `labels` has shape `(n,)` (class indices), `held_out` too
#   (booleans, at least one true).
# - The NLL is convex in $1/T$, so there is one minimum. In all cases it exists, lies between
#   1/1000 and 1000, and is pronounced: at half and at twice that $T$ the mean NLL is at least
#   1/1000 higher. Find it to six digits: a relative error of $10^{-6}$.
# - Any method that gets there will do: Newton, bisection of the derivative, golden section or
#   Brent, L-BFGS. Set their tolerances yourself: the defaults of some are too coarse. Searching
#   over $\log T$ keeps $T$ positive.
#
# Points: temperature 3, held-out rows 1, range 2.


# %% exercise="fit-temperature"
def fit_temperature(logits, labels, held_out):
    """Return the temperature with the smallest mean NLL on the held-out rows."""
    ### BEGIN SOLUTION
    z, k = logits[held_out], labels[held_out]
    of_label = z[np.arange(len(k)), k].mean()

    def slope(log_t):  # of the NLL with respect to 1/T
        p = special.softmax(z / np.exp(log_t), axis=1)
        return (p * z).sum(axis=1).mean() - of_label

    return np.exp(optimize.brentq(slope, -9, 9, xtol=1e-10))
    ### END SOLUTION


# %% [markdown] why="fit-temperature"
# In $1/T$ the NLL is convex, and its slope is the mean logit under the model less the mean logit
# of the labels. At the best temperature the two are equal: one root, on the held-out rows alone.

# %% checks="fit-temperature" points=6
check = Checks("fit-temperature")
logits = np.array(
    [[4.0, 1, 0], [0, 3, 1], [2, 0, 5], [1, 2.5, 0], [6, 0, 1], [0, 1, 3], [5, 4, 0]]
)
labels = np.array([0, 1, 0, 1, 0, 1, 0])
every, some = np.full(7, True), np.array([True, True, True, False, True, True, False])
check.keeps("temperature", fit_temperature, logits.copy(), labels.copy(), every.copy())
check.value("temperature", lambda: fit_temperature(logits, labels, every), points=3)
check.value("held-out rows", lambda: fit_temperature(logits, labels, some), points=1)
check.value("range", lambda: fit_temperature(150 * logits, labels, every), points=2)
check.value("range", lambda: fit_temperature(0.002 * logits, labels, every))
check.report()

# %% hidden="fit-temperature"
_t = np.linspace(-1.7, 2.3, 60)
_z, _k = (2.7 * np.sin(11 * _t) + np.cos(29 * _t)).reshape(15, 4), np.arange(15) * 5 % 4
_k = np.where(np.arange(15) % 3 > 0, _z.argmax(axis=1), _k)
_all, _out = np.full(15, True), np.arange(15) % 4 != 1
check.value("temperature", lambda: fit_temperature(_z, _k, _all), case="15 rows, four classes")
check.value(
    "temperature", lambda: fit_temperature(0.37 * _z[:, :2], _k % 2, _all), case="two classes"
)
check.value(
    "temperature",
    lambda: fit_temperature(_z + 300.0, _k, _all),
    case="a number added to all logits",
)
check.law(
    "temperature",
    "equal",
    lambda: 3 * fit_temperature(_z, _k, _all),
    lambda: fit_temperature(3 * _z, _k, _all),
    lambda: 3 * fit_temperature(np.tile(_z, (2, 1)), np.tile(_k, 2), np.tile(_all, 2)),
    case="scaled logits, rows repeated",
)
check.value("held-out rows", lambda: fit_temperature(_z, _k, _out), case="some rows held out")
check.value(
    "held-out rows",
    lambda: fit_temperature(-0.83 * _z, 3 - _k, ~_out | (_k == 2)),
    case="other rows held out",
)
check.value("range", lambda: fit_temperature(310.0 * _z, _k, _all), case="logits in the hundreds")
check.value("range", lambda: fit_temperature(0.0017 * _z, _k, _all), case="tiny logits")
_sure = np.vstack([np.tile([9.7, 0.3], (99, 1)), [[203.0, 1.3]]])
check.value(
    "range",
    lambda: fit_temperature(_sure, (_sure[:, 0] > 10).astype(int), _sure[:, 0] > 0),
    case="one label that was thought impossible",
)
check.value("temperature", lambda: fit_temperature(_z, _k, _all) - 1.54, case="to six digits")
check.value(
    "range",
    lambda: fit_temperature(310.0 * _z, _k, _all) - 480.0,
    case="to six digits, large logits",
)
check.value(
    "range",
    lambda: 1000 * fit_temperature(0.0017 * _z, _k, _all) - 2.62,
    case="to six digits, tiny logits",
)
single = np.array([[3.1, 1.3, -5.2], [4.0, 0.3, 0.1], [0.2, 0.9, 2.3]])
only = np.array([True, False, False])
check.value(
    "held-out rows",
    lambda: fit_temperature(single, np.array([1, 0, 2]), only),
    case="one row is held out",
)
check.value(
    "range",
    lambda: fit_temperature(single + 7e3, np.array([1, 1, 2]), np.array([True, True, True])),
    case="an offset of thousands",
)
lure = np.array([[680.0, 0.0], [680.0, 0.0], [680.0, 0.0]])
check.value(
    "temperature",
    lambda: fit_temperature(lure, np.array([0, 0, 1]), lure[:, 0] > 0),
    case="a far temperature",
)
check.value(
    "range",
    lambda: [
        1e3 * fit_temperature(0.0006 * _z, _k, _all) - 0.93,
        (fit_temperature(570.0 * _z, _k, _all) - 900) / 100,
    ],
    case="next to both ends of the range, to six digits",
)
_hundred = np.sin(np.outer(np.arange(1, 12), np.arange(1, 98)) ** 1.3) * 3
_hit = np.where(np.arange(11) % 3 > 0, _hundred.argmax(axis=1), np.arange(11) * 7)
check.value("temperature", lambda: fit_temperature(_hundred, _hit, _hit >= 0), case="97 classes")
_rows = np.tile(_z, (6, 1)) + np.arange(90)[:, None]
check.value(
    "held-out rows",
    lambda: fit_temperature(_rows, np.tile(_k, 6), np.arange(90) ** 2 % 7 < 3),
    case="90 rows, an offset for each",
)
check.value(
    "held-out rows",
    lambda: fit_temperature(np.tile(_z, (2, 1)), np.append(_k, _k[::-1]), np.arange(30) < 15),
    case="the first half is held out",
)
check.value(
    "range",
    lambda: 10 * fit_temperature(0.02 * _z + 2900 * (-1) ** (_k[:, None] % 2), _k, _all),
    case="rows far apart, a low temperature",
)
_far = np.vstack([np.tile([1480.0, -20.0], (99, 1)), [[2950.0, -2950.0]]])
check.value(
    "range",
    lambda: fit_temperature(_far, (_far[:, 0] > 2e3).astype(int), _far[:, 0] > 0),
    case="logits of three thousand",
)
_whole = np.array([[3.0, 3, 0, 1], [2, 2, 2, -1], [5, 1, 5, 0], [1, 0, 4, 2], [0, 6, 1, 1]])
check.value(
    "temperature",
    lambda: fit_temperature(_whole, np.array([2, 1, 0, 2, 1]), _whole[:, 0] > -1),
    case="whole numbers",
)
check.value(
    "held-out rows",
    lambda: fit_temperature(
        np.concatenate([0.011 * _z, 690 * _z[:3]]),
        np.append(_k, [0, 1, 2]),
        np.append(_all, [False] * 3),
    ),
    case="rows that are not held out are a thousand times as large",
)

# %% [markdown]
# ## Exercise 7. Platt's sigmoid (15 min, 5 points)
#
# A support vector machine gives scores of any size, not probabilities. Platt turns a score $s$
# into $P(y = 1) = \sigma(a s + b)$ and fits $a$ and $b$ on held-out scores, with the smallest
# **mean** cross-entropy
#
# $$-\tfrac1n \textstyle\sum_i \left[ t_i \log p_i + (1 - t_i) \log(1 - p_i) \right],
#   \qquad p_i = \sigma(a s_i + b),$$
#
# against targets that stop short of 0 and 1. With $n_1$ ones and $n_0$ zeros in `y`:
#
# $$t_i = \frac{n_1 + 1}{n_1 + 2} \;\text{ where } y_i = 1, \qquad
#   t_i = \frac{1}{n_0 + 2} \;\text{ where } y_i = 0$$
#
# So the fit exists even if the scores separate the labels perfectly.
#
# Write `platt_fit(scores, y)`, which returns the tuple `(a, b)`.
#
# - `scores` and `y` have shape `(n,)`, $n \le 300$; both labels occur, and the scores are not all
#   equal: the largest is at least a thousandth above the smallest.
# - Find the minimum to six digits: a relative error of $10^{-6}$ in $a$, and in $b$ one of
#   $10^{-6}$ of the larger of $|a|$ and $|b|$. The loss is convex. Scores may be as large
#   as ten thousand.
#
# Points: fit 3, separable 1, scale 1.


# %% exercise="platt-fit"
def platt_fit(scores, y):
    """Return a and b of Platt's sigmoid, fitted to smoothed targets."""
    ### BEGIN SOLUTION
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre, width = scores.mean(), np.ptp(scores)
    x = np.stack([(scores - centre) / width, np.ones(len(y))])  # (2, n)
    v = np.zeros(2)
    for _ in range(40):  # Newton
        p = special.expit(v @ x)
        v = v - np.linalg.solve((x * p * (1 - p)) @ x.T, x @ (p - t))
    a, b = v
    return a / width, b - a * centre / width
    ### END SOLUTION


# %% [markdown] why="platt-fit"
# The targets are moved in from 0 and 1, so that a finite optimum exists even where the classes
# separate. Newton's method works on centred and scaled scores; $a$ and $b$ are taken back to the
# original ones at the end.

# %% checks="platt-fit" points=5
check = Checks("platt-fit")
s, y = np.array([-1.5, 0.5, 2.0, -0.3, 1.2, -2.2, 0.9, 3.1]), np.array([0, 0, 1, 1, 1, 0, 0, 1])
apart = (s > 0.7).astype(int)  # the scores separate these labels
check.keeps("fit", platt_fit, s.copy(), y.copy())
check.value("fit", lambda: tuple(platt_fit(s, y)), points=3)
check.value("separable", lambda: tuple(platt_fit(s, apart)), points=1)
check.value("scale", lambda: tuple(platt_fit(1500 * s + 4000, y)), points=1)
check.report()

# %% hidden="platt-fit"
_t = np.linspace(-2.3, 2.9, 31)
_s, _y = _t + 0.4 * np.sin(19 * _t), (_t + 2 * np.sin(3.1 * np.arange(31) ** 2) > 0.4).astype(int)
check.value("fit", lambda: tuple(platt_fit(_s, _y)), case="31 scores")
check.value(
    "fit", lambda: tuple(platt_fit(1.7 - 0.6 * _s, _y)), case="scores that fall with the class"
)
check.value("fit", lambda: tuple(platt_fit(_s[9:21], _y[9:21])), case="12 scores")
check.law(
    "fit",
    "equal",
    lambda: platt_fit(_s, _y)[0],
    lambda: 2 * platt_fit(2 * _s - 3, _y)[0],
    lambda: platt_fit(_s[::-1].copy() + 1, _y[::-1].copy())[0],
    case="shifted, scaled and reordered scores",
)
check.law(
    "fit",
    "opposite",
    lambda: platt_fit(_s, _y)[0],
    lambda: platt_fit(_s, 1 - _y)[0],
    case="labels exchanged",
)
check.value(
    "separable", lambda: tuple(platt_fit(_t, (_t > 1.13).astype(int))), case="separable classes"
)
check.value(
    "separable", lambda: tuple(platt_fit(_t[[3, 20]], np.array([0, 1]))), case="two examples"
)
check.value(
    "scale", lambda: platt_fit(2700 * _s - 1900, _y)[0] * 2700, case="scores in the thousands"
)
check.value("scale", lambda: platt_fit(0.0031 * _s, _y)[1], case="tiny scores")
check.value("scale", lambda: tuple(platt_fit(0.7 * _s + 240, _y)), case="scores far from zero")
check.value(
    "fit",
    lambda: [platt_fit(_s, _y)[0] - 0.77, platt_fit(_s, _y)[1] + 0.26],
    case="to six digits",
)
_apart = (_t > 1.13).astype(int)
check.value(
    "separable",
    lambda: [platt_fit(_t, _apart)[0] - 1.73, platt_fit(_t, _apart)[1] + 1.87],
    case="separable classes, to six digits",
)
outlier = np.concatenate([np.full(90, -1.1), np.full(90, 1.3), [47.0, -0.4, 0.6]])
hit = np.concatenate([np.zeros(90, int), np.ones(90, int), [1, 1, 0]])
check.value("fit", lambda: tuple(platt_fit(outlier, hit)), case="one score far out")
check.value(
    "scale",
    lambda: platt_fit(5000 + 1e-3 * np.arange(6.0), np.array([0, 1, 0, 0, 1, 1]))[0],
    case="scores that differ by a thousandth",
)
check.value(
    "scale",
    lambda: np.array(platt_fit(9900 * np.sin(_t), _y)) * [9900, 1],
    case="scores of ten thousand",
)
check.value(
    "scale",
    lambda: platt_fit(9000 + 1e-3 * np.arange(6.0) / 5, np.array([0, 1, 0, 0, 1, 1]))[0],
    case="all scores within a thousandth",
)
check.value(
    "fit",
    lambda: tuple(platt_fit(_t, (np.arange(31) == 17).astype(int))),
    case="a single one among zeros",
)
check.value(
    "fit",
    lambda: tuple(platt_fit(np.tile(_s, 9), np.append(np.tile(_y, 8), 1 - _y))),
    case="279 scores",
)
_flat = np.array([1.0, -1.0, 1.0, -1.0, 0.3])
check.value(
    "fit", lambda: platt_fit(_flat, np.array([1, 1, 0, 0, 0]))[0] * 10, case="hardly any slope"
)
check.value(
    "separable",
    lambda: tuple(platt_fit(np.linspace(-2.1, 2, 298), np.arange(298) // 170)),
    case="298 examples, separable",
)
check.value(
    "separable",
    lambda: tuple(platt_fit(np.append(np.arange(97.0), 900.0), np.arange(98) // 97)),
    case="one far score of label 1",
)
_some = np.append(np.full(9, 1.3), [2.1, 0.4])
check.value(
    "fit",
    lambda: tuple(platt_fit(_some[:10], np.array([0, 1, 1, 0, 0, 1, 0, 0, 1, 1]))),
    case="nine of ten scores are equal",
)
check.value(
    "scale",
    lambda: np.array(platt_fit(4.7e3 * _some, np.arange(11) % 3 // 2)) * [4.7e3, 1],
    case="nine of eleven scores are equal",
)
check.value(
    "separable",
    lambda: tuple(platt_fit(1.3 - 1.1 * _t, (_t > 1.13).astype(int))),
    case="separable, scores that fall with the class",
)
_line = np.append(np.linspace(-1, 1, 299), 5000.0)
check.value(
    "fit",
    lambda: tuple(platt_fit(_line, (_line + 0.3 * np.sin(9 * _line) > 0).astype(int))),
    case="one score far from all others",
)

# %% [markdown]
# ## Exercise 8. In words: what a bare ECE hides (5 min, 3 points)
#
# A colleague writes: "On 400 test cases our model has an ECE of 0.02, so its probabilities can be
# trusted." Answer in at most 120 words: name two different things that this one number may hide,
# each with an example, and say what you ask to see instead. A person reads and grades this answer;
# no check runs.

# %% [markdown] written="what-an-ece-hides" points=3
# ### BEGIN SOLUTION
# It does not see sharpness: a model that gives everybody the base rate has an ECE near 0 and
# tells nobody apart. And it cancels: errors of opposite sign within a bin, or in two groups of
# patients, average out, so that each group can be served badly by a model that looks calibrated
# overall. It also depends on the bins and on chance: with 400 cases, one bin's frequency is
# uncertain by several percent. I ask for a reliability diagram with intervals and counts, for
# each group, and for the NLL or the Brier score beside the base rate's.
#
# **Rubric.** One point for each of two different things that are hidden, with an example
# (sharpness or resolution; cancellation within bins or between groups; dependence on bins;
# sampling error; no guarantee after a shift). One point for what to ask for: a diagram with
# counts or intervals, *and* a proper score beside a baseline's. A definition of the ECE alone
# earns nothing.
# ### END SOLUTION
