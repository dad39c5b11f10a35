# %% [markdown]
# # Assignment 14: Proper scoring rules
#
# Seven exercises in code and one in words, 37 points, about 95 minutes. You write scores that a
# leaderboard needs and that are easy to get slightly wrong: four scores of a class, the score of a
# forecast of rain, of a cloud of vectors, of a few quantiles; a histogram that tests counts, a
# score made from what mistakes cost, and the standard error of a lead.
#
# **Every score here is a loss: lower is better.** All tensors of real numbers are float64.
# Logarithms are natural. Every function leaves its inputs and the global random generators as they
# are. Where an exercise names no other range, numbers are at most a thousand in size, what must be
# positive is at least a thousandth, no axis is longer than a hundred, and nothing is infinite or
# `nan`. Anything that PyTorch, NumPy or SciPy offers may be used; gradients are PyTorch's.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch
from scipy import special

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. One class came, four scores (10 min, 5 points)
#
# A classifier with $K$ classes puts out logits; the probabilities are $p =
# \mathrm{softmax}(\text{logits})$, and class $y$ came. Write `class_scores(logits, y)`, which
# returns the tuple of four losses:
#
# 1. `log`: $-\log p_y$;
# 2. `brier`: $\sum_k (p_k - 1[k = y])^2$, the sum over **all** classes;
# 3. `spherical`: $1 - p_y / \sqrt{\sum_k p_k^2}$;
# 4. `ranked`, for classes in order: $\sum_k (P_k - 1[y \le k])^2$ with $P_k = p_0 + \dots + p_k$,
#    the probability of class $k$ or lower.
#
# Details:
#
# - `logits` has shape `(..., K)`, $K \ge 2$, with any number of leading dimensions, also none; `y`
#   is int64, of shape `(...)`, with values from 0 to $K - 1$. There may be no cases at all (a
#   leading dimension of 0). Each score has the shape of `y`: one loss for each case, no mean.
# - Logits lie between −800 and 800 or are −∞ (not all of a case): such a class has probability 0.
#   If it comes, its log score is ∞; the other three are finite.
# - Gradients with respect to finite logits flow through all four, and are right.
#
# Points: log 1, Brier 1, spherical 1, ranked 1, gradient 1.


# %% exercise="class-scores"
def class_scores(logits, y):
    """Return log, Brier, spherical and ranked probability score, each of the shape of y."""
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)  # (..., K)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    ### END SOLUTION


# %% [markdown] why="class-scores"
# The log score looks at the class that came, the Brier and the spherical score at all of them, the
# ranked score also at how far off the rest lies. All come from `log_softmax`; only the log score
# must never go through a probability that underflows.

# %% checks="class-scores" points=5
check = Checks("class-scores")
raw = torch.tensor([[0.3, -1.1, 0.8], [2.0, 0.1, -0.7]], dtype=torch.float64)
came = torch.tensor([1, 0])
check.keeps("log", class_scores, raw.clone(), came.clone())
check.value("log", lambda: class_scores(raw, came)[0], points=1)
check.value("log", lambda: class_scores(211 * raw, came)[0], case="logits in the hundreds")
check.value("brier", lambda: class_scores(raw, came)[1], points=1)
check.value("spherical", lambda: class_scores(raw, came)[2], points=1)
check.value("ranked", lambda: class_scores(raw, came)[3], points=1)
check.gradient("gradient", lambda g: class_scores(g, came)[3], raw, points=1)
check.report()

# %% hidden="class-scores"
t = torch.arange(42, dtype=torch.float64)
g = 1.7 * torch.sin(1.9 * t[:35] + 0.4).reshape(7, 5)
y = torch.tensor([4, 0, 2, 2, 1, 3, 0])
off = g.clone()
off[0, 4], off[1, 3], off[4, 0] = (-math.inf, -math.inf, -math.inf)
row = torch.linspace(0.4, 1.9, 7, dtype=t.dtype)
cube, y_cube = (1.3 * torch.cos(1.7 * t).reshape(2, 3, 7), torch.tensor([[6, 0, 2], [5, 5, 1]]))
two, y_two = (0.9 * torch.sin(t[:12] ** 2).reshape(6, 2), torch.tensor([0, 0, 0, 1, 0, 0]))
none, no_y = (torch.zeros(0, 3, dtype=t.dtype), torch.zeros(0, dtype=torch.int64))
low = torch.tensor([1, 0, 1, 0, 1, 0, 1])
check.keeps("log", class_scores, off.clone(), y.clone(), case="a logit of -inf")
check.value("log", lambda: class_scores(g, y)[0], case="seven cases, five classes")
check.value("log", lambda: class_scores(g[3:4], y[3:4])[0], case="one case in a batch")
check.value("log", lambda: class_scores(g[3], y[3])[0], case="a case without a batch")
check.value("log", lambda: class_scores(two, y_two)[0], case="two classes")
check.value("log", lambda: class_scores(cube, y_cube)[0], case="two leading dimensions")
check.value(
    "log", lambda: class_scores(g[:, None], y[:, None])[0], case="a leading dimension of 1"
)
check.value("log", lambda: class_scores(off, y)[0], case="logits of -inf, one class came")
check.value("log", lambda: class_scores(311.7 * g, y)[0], case="logits in the hundreds, both ways")
check.value("log", lambda: class_scores(g, low)[0], case="the last classes never come")
check.value("log", lambda: class_scores(none, no_y)[0], case="no cases")
check.law(
    "log",
    "equal",
    lambda: class_scores(g, y)[0],
    lambda: class_scores(g + 3.3, y)[0],
    lambda: class_scores(g.flip(-1), 4 - y)[0],
    case="shifted logits, classes in reverse order",
)
check.gradient("gradient", lambda g: class_scores(g, y)[0] * row, g, case="log, seven cases")
check.gradient(
    "gradient", lambda g: class_scores(g, y_two)[0] * row[:6], two, case="log, two classes"
)
check.keeps("brier", class_scores, off.clone(), y.clone(), case="a logit of -inf")
check.value("brier", lambda: class_scores(g, y)[1], case="seven cases, five classes")
check.value("brier", lambda: class_scores(g[3:4], y[3:4])[1], case="one case in a batch")
check.value("brier", lambda: class_scores(g[3], y[3])[1], case="a case without a batch")
check.value("brier", lambda: class_scores(two, y_two)[1], case="two classes")
check.value("brier", lambda: class_scores(cube, y_cube)[1], case="two leading dimensions")
check.value(
    "brier", lambda: class_scores(g[:, None], y[:, None])[1], case="a leading dimension of 1"
)
check.value("brier", lambda: class_scores(off, y)[1], case="logits of -inf, one class came")
check.value(
    "brier", lambda: class_scores(311.7 * g, y)[1], case="logits in the hundreds, both ways"
)
check.value("brier", lambda: class_scores(g, low)[1], case="the last classes never come")
check.value("brier", lambda: class_scores(none, no_y)[1], case="no cases")
check.law(
    "brier",
    "equal",
    lambda: class_scores(g, y)[1],
    lambda: class_scores(g + 3.3, y)[1],
    lambda: class_scores(g.flip(-1), 4 - y)[1],
    case="shifted logits, classes in reverse order",
)
check.gradient("gradient", lambda g: class_scores(g, y)[1] * row, g, case="brier, seven cases")
check.gradient(
    "gradient", lambda g: class_scores(g, y_two)[1] * row[:6], two, case="brier, two classes"
)
check.keeps("spherical", class_scores, off.clone(), y.clone(), case="a logit of -inf")
check.value("spherical", lambda: class_scores(g, y)[2], case="seven cases, five classes")
check.value("spherical", lambda: class_scores(g[3:4], y[3:4])[2], case="one case in a batch")
check.value("spherical", lambda: class_scores(g[3], y[3])[2], case="a case without a batch")
check.value("spherical", lambda: class_scores(two, y_two)[2], case="two classes")
check.value("spherical", lambda: class_scores(cube, y_cube)[2], case="two leading dimensions")
check.value(
    "spherical", lambda: class_scores(g[:, None], y[:, None])[2], case="a leading dimension of 1"
)
check.value("spherical", lambda: class_scores(off, y)[2], case="logits of -inf, one class came")
check.value(
    "spherical", lambda: class_scores(311.7 * g, y)[2], case="logits in the hundreds, both ways"
)
check.value("spherical", lambda: class_scores(g, low)[2], case="the last classes never come")
check.value("spherical", lambda: class_scores(none, no_y)[2], case="no cases")
check.law(
    "spherical",
    "equal",
    lambda: class_scores(g, y)[2],
    lambda: class_scores(g + 3.3, y)[2],
    lambda: class_scores(g.flip(-1), 4 - y)[2],
    case="shifted logits, classes in reverse order",
)
check.gradient("gradient", lambda g: class_scores(g, y)[2] * row, g, case="spherical, seven cases")
check.gradient(
    "gradient", lambda g: class_scores(g, y_two)[2] * row[:6], two, case="spherical, two classes"
)
check.keeps("ranked", class_scores, off.clone(), y.clone(), case="a logit of -inf")
check.value("ranked", lambda: class_scores(g, y)[3], case="seven cases, five classes")
check.value("ranked", lambda: class_scores(g[3:4], y[3:4])[3], case="one case in a batch")
check.value("ranked", lambda: class_scores(g[3], y[3])[3], case="a case without a batch")
check.value("ranked", lambda: class_scores(two, y_two)[3], case="two classes")
check.value("ranked", lambda: class_scores(cube, y_cube)[3], case="two leading dimensions")
check.value(
    "ranked", lambda: class_scores(g[:, None], y[:, None])[3], case="a leading dimension of 1"
)
check.value("ranked", lambda: class_scores(off, y)[3], case="logits of -inf, one class came")
check.value(
    "ranked", lambda: class_scores(311.7 * g, y)[3], case="logits in the hundreds, both ways"
)
check.value("ranked", lambda: class_scores(g, low)[3], case="the last classes never come")
check.value("ranked", lambda: class_scores(none, no_y)[3], case="no cases")
check.law(
    "ranked",
    "equal",
    lambda: class_scores(g, y)[3],
    lambda: class_scores(g + 3.3, y)[3],
    lambda: class_scores(g.flip(-1), 4 - y)[3],
    case="shifted logits, classes in reverse order",
)
check.gradient("gradient", lambda g: class_scores(g, y)[3] * row, g, case="ranked, seven cases")
check.gradient(
    "gradient", lambda g: class_scores(g, y_two)[3] * row[:6], two, case="ranked, two classes"
)
check.gradient(
    "gradient",
    lambda g: class_scores(g, y)[0] * row,
    311.7 * g,
    case="log, logits in the hundreds",
)
check.gradient(
    "gradient",
    lambda g: torch.cat([s[None] * row for s in class_scores(g, low)[1:]]),
    211.3 * g,
    case="the other three, logits in the hundreds",
)
u = torch.arange(1.0, 101).double()
hundred = 9 * torch.sin(torch.outer(u[:30], u**0.7))  # thirty cases, a hundred classes
y_hundred = (torch.arange(30) * 37 + 99) % 100
ends = torch.tensor([[800.0, -800, 3], [-800, 800, 799.3], [0, 800, 800], [-800, -800, -800]])
ends, y_ends = ends.double(), torch.tensor([1, 0, 2, 1])
almost = torch.tensor([[799.99, 800, 799.9], [-800, -799.98, -799.93]]).double()
alike, y_alike = torch.full((4, 3), 0.7).double(), torch.tensor([0, 1, 2, 2])
only = torch.full((2, 4), -math.inf).double()
only[0, 2], only[1, 0] = -800, 800
deep, y_deep = cube.reshape(2, 1, 3, 7), y_cube.reshape(2, 1, 3)
gone, no_day = torch.zeros(2, 0, 3, dtype=t.dtype), torch.zeros(2, 0, dtype=torch.int64)
check.keeps("ranked", class_scores, g[3].clone(), y[3].clone(), case="no leading dimension")
check.keeps("log", class_scores, ends.clone(), y_ends.clone(), case="logits at both ends")


def all_four(logits, y):  # those that are far from 0 do not hide the others
    log, *others = class_scores(logits, y)
    return [log / (1 + log.detach().abs()), *others]


sized = (
    (hundred, y_hundred),
    (hundred.T, torch.arange(100) * 7 % 30),
    (deep, y_deep),
    (gone, no_day),
)
for z, k in sized:
    check.value("log", lambda z=z, k=k: all_four(z, k)[0], case="other sizes, also the largest")
    check.value("brier", lambda z=z, k=k: all_four(z, k)[1], case="other sizes, also the largest")
    check.value("spherical", lambda z=z, k=k: all_four(z, k)[2], case="other sizes, the largest")
    check.value("ranked", lambda z=z, k=k: all_four(z, k)[3], case="other sizes, also the largest")
check.value(
    "log",
    lambda: 1e3 * (class_scores(799 + 1e-3 * g[:, :3], y % 3)[0] - math.log(3)),
    case="the digits of large logits",
)
check.value(
    "brier",
    lambda: 1e3 * (class_scores(-799 + 1e-3 * g[:, :3], y % 3)[1] - 2 / 3),
    case="the digits of large logits",
)
special_logits = (
    (ends, y_ends),
    (almost, y_ends[:2]),
    (alike, y_alike),
    (off[0], y[0]),
    (only, torch.tensor([2, 0])),
)
for z, k in special_logits:
    check.value("log", lambda z=z, k=k: all_four(z, k)[0], case="logits at the ends, or alike")
    check.value(
        "brier", lambda z=z, k=k: 1.0371 * all_four(z, k)[1], case="logits at the ends, or alike"
    )
    check.value("spherical", lambda z=z, k=k: all_four(z, k)[2], case="logits at the ends, alike")
    check.value(
        "ranked", lambda z=z, k=k: 1.0371 * all_four(z, k)[3], case="logits at the ends, or alike"
    )


def mixed(x, y, which):  # finite logits beside one of -inf
    gone = torch.full((*x.shape[:-1], 1), -math.inf).double()
    scores = class_scores(torch.cat([x[..., :2], gone, x[..., 2:]], -1), y)
    return torch.stack([scores[i] for i in which], -1) * row[: len(which)]


check.gradient(
    "gradient", lambda x: mixed(x, low, (0, 1, 2, 3)), g[:, :4], case="beside a logit of -inf"
)
check.gradient(
    "gradient", lambda x: mixed(x, 0 * y + 2, (1, 2, 3)), g[:, :4], case="where -inf came"
)
for case in range(4):  # one by one: none hides behind another
    check.gradient(
        "gradient",
        lambda x, i=case: class_scores(x, y_deep)[i] * row[:3],
        deep,
        case="three leading dimensions",
    )
    check.gradient(
        "gradient",
        lambda x, i=case: 1.0371 * class_scores(x, y_alike)[i],
        alike,
        case="equal logits",
    )
    check.gradient(
        "gradient", lambda x, i=case: class_scores(x, y[2])[i], g[2], case="without a batch"
    )
    check.gradient(
        "gradient",
        lambda x, i=case: class_scores(x, y_hundred[:9])[i],
        hundred[:9],
        case="a hundred classes",
    )
check.gradient(
    "gradient", lambda x: class_scores(x, y_ends)[0] * row[:4], ends, case="log, both ends"
)
check.gradient(
    "gradient",
    lambda x: torch.stack(class_scores(x, y_ends[:2])) * row[:2],
    almost,
    case="large logits that hardly differ",
)
duo = torch.tensor(
    [[-math.inf, 0.3], [1.7, -math.inf], [800, -800], [-799.3, 800], [-math.inf, 2]]
)
duo, y_duo = duo.double(), torch.tensor([1, 0, 1, 0, 0])
lost = cube.clone()
lost[0, 1, 3], lost[0, 2, 2], lost[1, 2, 4] = (-math.inf, -math.inf, -math.inf)
for z, k in ((duo[:2], y_duo[:2]), (duo, y_duo)):
    check.value(
        "log", lambda z=z, k=k: 1.0371 * class_scores(z, k)[0], case="two classes, -inf, both ends"
    )
    check.value(
        "brier",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[1],
        case="two classes, -inf, both ends",
    )
    check.value(
        "spherical",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[2],
        case="two classes, -inf, both ends",
    )
    check.value(
        "ranked",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[3],
        case="two classes, -inf, both ends",
    )
for z, k in ((lost, y_cube), (cube.transpose(0, 1), y_cube.T)):
    check.value(
        "log", lambda z=z, k=k: 1.0371 * class_scores(z, k)[0], case="some of -inf, or transposed"
    )
    check.value(
        "brier",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[1],
        case="some of -inf, or transposed",
    )
    check.value(
        "spherical",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[2],
        case="some of -inf, or transposed",
    )
    check.value(
        "ranked",
        lambda z=z, k=k: 1.0371 * class_scores(z, k)[3],
        case="some of -inf, or transposed",
    )
check.gradient(
    "gradient",
    lambda x: class_scores(x, y_duo[2:4])[0] * row[:2],
    duo[2:4],
    case="log, two classes, both ends",
)
check.gradient(
    "gradient",
    lambda x: mixed(x, torch.tensor([[1, 0, 4], [3, 0, 1]]), (0, 1, 2, 3)),
    cube[..., :4],
    case="two leading dimensions, beside a logit of -inf",
)
hit = torch.tensor([[0.3, 790, -2], [-3.1, 0.2, 791.5], [700, -700, -41]]).double()
even, y_even = (
    torch.tensor([[0.7, 0.7], [-1.3, -1.3], [0.4, 2.1]]).double(),
    torch.tensor([0, 1, 1]),
)
for case in range(4):
    check.gradient(
        "gradient",
        lambda x, i=case: (class_scores(x, torch.tensor([1, 2, 0]))[i] + x.sum(-1)) * row[:3],
        hit,
        case="the class that came was certain",
    )
    check.gradient(
        "gradient",
        lambda x, i=case: class_scores(x, y_even)[i] * row[:3],
        even,
        case="two equal logits",
    )
lone, y_lone = g[2].reshape(1, 1, 5), y[2].reshape(1, 1)
check.value("log", lambda: class_scores(lone, y_lone)[0], case="one case, shape (1, 1)")
check.value("brier", lambda: class_scores(lone, y_lone)[1], case="one case, shape (1, 1)")
check.value("spherical", lambda: class_scores(lone, y_lone)[2], case="one case, shape (1, 1)")
check.value("ranked", lambda: class_scores(lone, y_lone)[3], case="one case, shape (1, 1)")

# %% [markdown]
# ## Exercise 2. A forecast of rain (15 min, 5 points)
#
# Rain is never negative, and often exactly 0. A forecast for it is a *censored* Normal: the
# distribution of $\max(0, X)$ with $X \sim N(\mu, \sigma^2)$. It has $P(0) = \Phi(-\mu/\sigma)$
# and, above 0, the Normal's density. Its continuous ranked probability score is
#
# $$\mathrm{CRPS} = \int_{-\infty}^{\infty} \left(F(t) - 1[y \le t]\right)^2 dt ,$$
#
# where $F$ is the distribution function of $\max(0, X)$: 0 for $t < 0$. Write
# `rain_crps(y, mu, sigma)`, which returns this score for each case, exactly (no sampling).
#
# - Useful: with the standard Normal's $\Phi$ and $\varphi$, $\;G(z) = z\,\Phi(z)^2 +
#   2\,\varphi(z)\,\Phi(z) - \Phi(\sqrt2\,z)/\sqrt\pi\;$ is the integral of $\Phi^2$ from
#   $-\infty$ to $z$.
# - `y`, `mu` and `sigma` are tensors that broadcast against each other; the result has the shape
#   that they have together. $y \ge 0$; `sigma` is positive, between $10^{-7}$ and $10^7$; $\mu$
#   lies within $10^4 \sigma$ of 0, on either side, and $y$ within $10^5 \sigma$.
# - Gradients with respect to `mu` and `sigma` flow, and are right.
#
# Points: value 2, extremes 1, gradient 2. The aspect "extremes" is about forecasts of nearly
# certain or hardly possible rain, and about very small and very large `sigma`.


# %% exercise="rain-crps"
def rain_crps(y, mu, sigma):
    """Return the CRPS of a Normal that is censored at 0, for each case."""
    ### BEGIN SOLUTION
    z, z0 = (y - mu) / sigma, -mu / sigma

    def below(z):  # the integral of the squared distribution function, up to z
        F = torch.special.ndtr(z)
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (below(z) - below(z0) + below(-z))
    ### END SOLUTION


# %% [markdown] why="rain-crps"
# The CRPS is the integral of the squared distance of two distribution functions. The forecast's is
# 0 below 0, so the integral starts there; from the outcome on it is the same one, of $1 - F$.

# %% checks="rain-crps" points=5
check = Checks("rain-crps")
fell = torch.tensor([0.0, 0.6, 3.9], dtype=torch.float64)
centre = torch.tensor([-0.4, 1.3, 1.9], dtype=torch.float64)
spread = torch.tensor([0.7, 1.6, 0.9], dtype=torch.float64)
check.keeps("value", rain_crps, fell.clone(), centre.clone(), spread.clone())
check.value("value", lambda: rain_crps(fell, centre, spread), points=2)
check.value(
    "extremes",
    lambda: rain_crps(fell, centre - 30, spread),
    points=1,
    case="rain that was hardly possible",
)
check.gradient("gradient", lambda m: rain_crps(fell, m, spread), centre, points=2)
check.gradient("gradient", lambda s: rain_crps(fell, centre, s), spread)
check.report()

# %% hidden="rain-crps"
t = torch.arange(12, dtype=torch.float64)
y = (2.9 * torch.sin(1.3 * t + 0.5)).clamp(min=0)
m = 1.7 * torch.cos(2.3 * t) + 0.3
s = 0.37 + 1.9 * torch.sin(t).square()
w = torch.linspace(0.4, 1.7, 12, dtype=t.dtype)
wet, mild = 0.31 + y, m.abs() + 0.2
check.keeps(
    "value", rain_crps, torch.zeros(3, dtype=t.dtype), m[:3].clone(), s[:3].clone(), case="dry"
)
check.value("value", lambda: rain_crps(y, m, s), case="twelve cases, some dry")
check.value("value", lambda: rain_crps(wet, mild, s), case="rain in each case")
check.value("value", lambda: rain_crps(0 * y, m, s), case="no rain in any case")
check.value("value", lambda: rain_crps(wet[:1], m[:1], s[:1]), case="one case in a batch")
check.value("value", lambda: rain_crps(wet[4], m[4], s[4]), case="numbers without a batch")
check.value("value", lambda: rain_crps(wet[:3, None], m[:4], s[:4]), case="(3, 1) against (4,)")
check.value(
    "value", lambda: rain_crps(wet[:6, None], m[:6, None], s[4]), case="columns, one sigma"
)
check.value(
    "value",
    lambda: rain_crps(wet.reshape(2, 3, 2), m.reshape(2, 3, 2), s.reshape(2, 3, 2)),
    case="three dimensions",
)
check.value("value", lambda: rain_crps(y[:0], m[:0], s[:0]), case="no cases")
check.law(
    "value",
    "equal",
    lambda: rain_crps(y, m, s),
    lambda: rain_crps(3.7 * y, 3.7 * m, 3.7 * s) / 3.7,
    case="other units",
)
check.value(
    "extremes", lambda: rain_crps(wet, mild + 41.3 * s, s), case="forecasts of certain rain"
)
check.value(
    "extremes", lambda: rain_crps(y, -9.1e3 * s, s), case="mu at -9000 sigma, rain all the same"
)
check.value("extremes", lambda: rain_crps(wet, -4.3 * s, s) - 0.98 * wet, case="mu at -4 sigma")
check.value("extremes", lambda: rain_crps(0 * y, -1.9 * s, s), case="rightly dry")
check.value("extremes", lambda: rain_crps(9.2e4 * s, m, s), case="a flood")
check.value(
    "extremes",
    lambda: 1e6 * rain_crps(1.7e-6 * y, 1.7e-6 * m, 1.7e-6 * s),
    case="a tiny sigma",
)
check.value("extremes", lambda: rain_crps(3.1e5 * y, 3.1e5 * m, 3.1e5 * s), case="a large sigma")
check.value(
    "extremes",
    lambda: 1e3 * rain_crps(2.9 + 1e-3 * y, 2.9 + 1e-3 * m, 1e-3 * s),
    case="a narrow forecast far from 0",
)
check.gradient("gradient", lambda m: rain_crps(y, m, s) * w, m, case="with respect to mu")
check.gradient("gradient", lambda s: rain_crps(y, m, s) * w, s, case="with respect to sigma")
check.gradient("gradient", lambda m: rain_crps(0 * y, m, s) * w, m, case="mu, no rain in any case")
check.gradient(
    "gradient", lambda s: rain_crps(0 * y, m, s) * w, s, case="sigma, no rain in any case"
)
check.gradient(
    "gradient", lambda m: rain_crps(y, m, s) * w, m - 3.1, case="mu, rain hardly possible"
)
check.gradient(
    "gradient", lambda s: rain_crps(y, m - 3.1, s) * w, s, case="sigma, rain hardly possible"
)
check.gradient(
    "gradient", lambda m: rain_crps(wet, m, s) * w, mild + 43.7 * s, case="mu, certain rain"
)
check.gradient(
    "gradient", lambda s: rain_crps(wet, mild + 77.7, s) * w, s, case="sigma, certain rain"
)
check.gradient(
    "gradient", lambda s: rain_crps(wet[:6, None], m[:4], s) * w[:4], s[:4], case="(6, 1), (4,)"
)
drops, means = torch.tensor([0.53, 2.1, 0.0]).double(), torch.tensor([0.2, 1.1, -0.7]).double()
check.gradient(
    "gradient",
    lambda s: rain_crps(drops, means, s),
    torch.tensor(1.37).double(),
    case="with respect to one sigma for all",
)
check.gradient(
    "gradient",
    lambda m: rain_crps(drops, m, torch.tensor(1.37).double()),
    torch.tensor(0.41).double(),
    case="with respect to one mu for all",
)
one = torch.ones(6).double()
z = torch.linspace(-3.7, 4.1, 6).double()
for size in (1e-6, 1e6, 3.7e-6, 4.1e5):
    check.value(
        "extremes",
        lambda c=size: rain_crps(c * y, c * m, c * s.clamp(min=1)) / c,
        case="smallest and largest sigma",
    )
    check.gradient(
        "gradient",
        lambda s, c=size: rain_crps(c * y[:6], c * m[:6], s) * w[:6],
        size * one,
        case="by sigma, smallest and largest",
    )
    check.gradient(
        "gradient",
        lambda m, c=size: rain_crps(c * y[:6], m, c * one) * w[:6],
        size * m[:6],
        case="by mu, smallest and largest sigma",
    )
for end in (-1e4, -9.9e3, 9.9e3, 1e4):
    check.value(
        "extremes",
        lambda e=end: rain_crps(y[:6] + max(e, 0), e + m[:6].abs() * (e < 0), one),
        case="mu as far as it goes",
    )
    check.gradient(
        "gradient",
        lambda m, e=end: rain_crps(y[:6] + max(e, 0), m, one) * w[:6],
        end + m[:6].abs() * (end < 0) - m[:6].abs() * (end > 0),
        case="by mu, as far as it goes",
    )
    check.gradient(
        "gradient",
        lambda s, e=end: rain_crps(y[:6] + max(e, 0), e + 0 * s, s) * w[:6],
        one * 1.01,
        case="by sigma, mu as far as it goes",
    )
check.value("extremes", lambda: rain_crps(1e5 * one, z, one), case="largest flood")
check.value(
    "extremes", lambda: rain_crps(1e5 * one, -9999 * one, one) - 1e5, case="largest flood, dry"
)
check.gradient(
    "gradient", lambda s: rain_crps(99 + y[:6], z, s) * w[:6], 1.3 * one, case="sigma, a flood"
)
check.gradient("gradient", lambda m: rain_crps(99 + y[:6], m, one) * w[:6], z, case="mu, a flood")
for cut in z.tolist():  # one by one: rare rain does not hide behind common rain
    check.value(
        "extremes",
        lambda c=cut: 30 * (rain_crps(y[:6], c * one, one) - y[:6]),
        case="rain from hardly possible to nearly certain",
    )
    check.value(
        "extremes",
        lambda c=cut: 1e4 * rain_crps(0 * one[:1], -abs(c) * one[:1], one[:1]),
        case="rightly dry, one sigma after the other",
    )
    check.gradient(
        "gradient",
        lambda m: 1e3 * rain_crps(0 * one[0], m, one[0]),
        torch.tensor(-abs(cut)).double(),
        case="by mu, rightly dry",
    )
    check.gradient(
        "gradient",
        lambda s, c=cut: 1e3 * rain_crps(0 * one[0], -abs(c) * one[0], s),
        one[0] * 1.01,
        case="by sigma, rightly dry",
    )
flat = torch.tensor([0.0, -0.0, 0.7]).double()
check.value("value", lambda: rain_crps(flat, 0 * flat, s[:3]), case="mu of 0")
check.gradient("gradient", lambda m: rain_crps(flat, m, s[:3]), 0 * flat, case="mu of 0")
check.gradient("gradient", lambda s: rain_crps(flat, 0 * flat, s), s[:3], case="sigma, mu of 0")
check.gradient(
    "gradient", lambda m: rain_crps(wet[:4], m, s[:4]) * w[:4], m[:3, None], case="mu, (3, 1)"
)
check.gradient(
    "gradient", lambda s: rain_crps(wet[:4], m[:4], s) * w[:4], s[:1], case="sigma of shape (1,)"
)
check.gradient(
    "gradient", lambda m: rain_crps(y.reshape(2, 3, 2), m, s[:2]), m[:3, None], case="three axes"
)
check.gradient(
    "gradient",
    lambda s: rain_crps(y.reshape(2, 3, 2), m[:2], s),
    s[:2, None, None],
    case="three axes, by sigma",
)
check.value("value", lambda: rain_crps(y[4], m[:3, None], s[:4]), case="a number, (3, 1), (4,)")
check.value("value", lambda: rain_crps(y[:2, None, None], m[:3, None], s[4]), case="three axes")
check.value("value", lambda: rain_crps(y[:0], m[4], s[:1]), case="no cases, one mu")
check.value("value", lambda: rain_crps(y[:1], m[4], s[4]), case="one y in a batch")
for kept in ((y, m, s), (wet[4], m[4], s[4]), (0.1 * y, m[4], s[:1])):
    check.keeps("value", rain_crps, *(v.clone() for v in kept), case="inputs are left as they are")
check.value(
    "extremes",
    lambda: rain_crps(0.3 * y[:6], 1e4 - m[:6].abs(), one) - 9999,
    case="all but certain of much rain, little or none came",
)
check.gradient(
    "gradient",
    lambda m: rain_crps(0.3 * y[:6], m, one) * w[:6],
    1e4 - m[:6].abs(),
    case="by mu, much rain was certain, little came",
)
check.gradient(
    "gradient",
    lambda s: rain_crps(0.3 * y[:6], 9990 + z, s) * w[:6],
    1.01 * one,
    case="by sigma, much rain was certain, little came",
)
check.value(
    "extremes", lambda: rain_crps(1e5 * one, z, one) - 1e5, case="what the largest flood leaves"
)
check.gradient(
    "gradient", lambda s: rain_crps(97e3 * one, z, s) * w[:6], 1.3 * one, case="sigma, large flood"
)
check.gradient(
    "gradient", lambda m: rain_crps(97e3 * one, m, one) * w[:6], z, case="mu, a large flood"
)
check.value(
    "extremes",
    lambda: 1e3 * rain_crps(1.1e-3 * w[:6] + 1e-3, -13 * w[:6], 3 * one),
    case="hardly any rain, and none was expected",
)
sizes = torch.tensor([1e-6, 7e5, 3e-4, 1, 2e3, 0.07]).double()
check.value(
    "extremes",
    lambda: rain_crps(sizes * y[:6], sizes * m[:6], sizes * 1.37) / sizes,
    case="small and large sigma in one batch",
)
check.gradient(
    "gradient",
    lambda m: rain_crps(sizes * y[:6], m, sizes * 1.37) * w[:6],
    sizes * m[:6],
    case="by mu, small and large sigma in one batch",
)
check.gradient(
    "gradient",
    lambda s: rain_crps(sizes * y[:6], sizes * m[:6], s) * w[:6],
    sizes * 1.37,
    case="by sigma, small and large in one batch",
)
check.value(
    "value", lambda: rain_crps(wet[:1, None], m[:1, None], s[:1, None]), case="shape (1, 1)"
)
check.value("value", lambda: rain_crps(y[:0, None], m[:3], s[4]), case="no cases, shape (0, 3)")
check.value("value", lambda: rain_crps(y[:2, None], m[:0], s[:1]), case="no cases, shape (2, 0)")
check.value(
    "value",
    lambda: rain_crps(y.reshape(3, 4).T, m.reshape(3, 4).T, s.reshape(3, 4).T),
    case="transposed, some dry",
)
check.gradient(
    "gradient",
    lambda x: rain_crps(y, x[0], x[1]) * w,
    torch.stack([m, s]),
    case="by mu and sigma together",
)
check.gradient(
    "gradient",
    lambda m: 1e2 * rain_crps(wet[:6], m, one),
    wet[:6] - 1e-3 * z,
    case="mu, which was nearly right",
)

# %% [markdown]
# ## Exercise 3. A cloud of vectors (12 min, 5 points)
#
# Wind has two components, a portfolio has hundreds: the forecast is an *ensemble*, $M$ vectors
# $x_1, \dots, x_M$ with $D$ entries, drawn from a forecast distribution. The *energy score* is the
# CRPS for vectors, with Euclidean distances. Two versions of it are in use:
#
# $$\text{plain} = \frac1M \sum_i \lVert x_i - y \rVert - \frac1{2M^2} \sum_{i,j}
#   \lVert x_i - x_j \rVert , \qquad
#   \text{fair} = \frac1M \sum_i \lVert x_i - y \rVert - \frac1{2M(M-1)} \sum_{i,j}
#   \lVert x_i - x_j \rVert .$$
#
# Plain scores the ensemble itself, as if its $M$ vectors were the whole forecast; fair estimates,
# without bias, the score of the distribution that they were drawn from. Write
# `energy_score(members, y)`, which returns the tuple `(plain, fair)`.
#
# - `members` has shape `(..., M, D)`, $M \ge 2$, $D \ge 1$; `y` has shape `(..., D)` with the same
#   leading dimensions, of which there may be none, and one of them may be 0. Each result has
#   shape `(...)`. $M$ and $D$ are at most 200.
# - Entries are at most $10^6$ in size. Members that do not coincide, with each other or with `y`,
#   lie at least $10^{-7}$ apart.
# - Gradients with respect to `members` and `y` flow, and are right. Members may coincide, with
#   each other or with `y`: the distance of two that do adds 0 to the gradient.
#
# Points: plain 1, fair 1, extremes 1, gradient 2.


# %% exercise="energy-score"
def energy_score(members, y):
    """Return the plain and the fair energy score, each of shape (...)."""
    ### BEGIN SOLUTION
    norm = torch.linalg.vector_norm  # its gradient at 0 is 0
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))
    ### END SOLUTION


# %% [markdown] why="energy-score"
# The distance to the outcome rewards being near, half the distance among members rewards being
# spread. Counting each member's distance 0 to itself makes the spread too small: the fair version
# divides by $M(M - 1)$.

# %% checks="energy-score" points=5
check = Checks("energy-score")
cloud = torch.tensor([[0.4, 1.0], [-1.2, 0.3], [2.2, -0.6]], dtype=torch.float64)
wind = torch.tensor([0.9, -0.2], dtype=torch.float64)
check.keeps("plain", energy_score, cloud.clone(), wind.clone())
check.value("plain", lambda: energy_score(cloud, wind)[0], points=1)
check.value("fair", lambda: energy_score(cloud, wind)[1], points=1)
check.value("extremes", lambda: energy_score(cloud + 7e5, wind + 7e5)[1], points=1)
check.gradient("gradient", lambda x: energy_score(x, wind)[1], cloud, points=2)
check.report()

# %% hidden="energy-score"
t = torch.arange(240, dtype=torch.float64)
x = 1.9 * torch.sin(1.1 * t**1.3).reshape(4, 20, 3)
y = 0.9 * torch.cos(2.3 * t[:12]).reshape(4, 3)
few, y_few = (x[:, :2, :], y + 0.3)
line, y_line = (x[:2, :7, :1], y[:2, :1])
deep, y_deep = (x.reshape(2, 2, 20, 3), y.reshape(2, 2, 3))
many = torch.sin(0.7 * t[:90] ** 1.5).reshape(90, 1) * torch.tensor([[1.1, -0.4]]).double() + 0.2
twins = torch.cat([x[0, :3], x[0, 1:4], x[0, 1:2]])
w = torch.tensor([0.7, 1.9, -0.4, 1.2], dtype=t.dtype)
wide = torch.cos(t[:120] ** 2).reshape(3, 40)
check.keeps("plain", energy_score, twins.clone(), twins[0].clone(), case="members coincide")
check.value("plain", lambda: energy_score(x, y)[0], case="four cases, twenty members")
check.value("plain", lambda: energy_score(x[1], y[1])[0], case="a case without a batch")
check.value("plain", lambda: energy_score(x[1:2], y[1:2])[0], case="one case in a batch")
check.value("plain", lambda: energy_score(few, y_few)[0], case="two members")
check.value("plain", lambda: energy_score(line, y_line)[0], case="vectors of one entry")
check.value("plain", lambda: energy_score(deep, y_deep)[0], case="two leading dimensions")
check.value("plain", lambda: energy_score(twins, y[0])[0], case="members coincide")
check.value(
    "plain", lambda: energy_score(x[0, :3], x[0, 1])[0], case="M equal to D, a member hits"
)
check.value("plain", lambda: energy_score(many, y[0, :2])[0], case="ninety members")
check.value("plain", lambda: energy_score(wide, wide[0].flip(0))[0], case="forty entries")
check.value("plain", lambda: energy_score(x[:0], y[:0])[0], case="no cases")
check.value(
    "extremes",
    lambda: energy_score(0.01 * many + 990000.0, 0.01 * y[0, :2] + 990000.0)[0],
    case="plain, ninety members far from 0, close together",
)
check.value(
    "extremes",
    lambda: energy_score(0.01 * x + 990000.0, 0.01 * y + 990000.0)[0],
    case="plain, twenty members far from 0, close together",
)
check.value(
    "extremes",
    lambda: 10000.0 * energy_score(0.0001 * x, 0.0001 * y)[0],
    case="plain, entries of the size of 0.0001",
)
check.value(
    "extremes",
    lambda: energy_score(510000.0 * x, 510000.0 * y)[0],
    case="plain, large entries",
)
check.gradient("gradient", lambda x: energy_score(x, y)[0] * w, x, case="plain, four cases")
check.gradient("gradient", lambda y: energy_score(x, y)[0] * w, y, case="plain, by y")
check.gradient("gradient", lambda x: energy_score(x, y[0])[0], twins, case="plain, twins")
check.gradient(
    "gradient", lambda x: energy_score(x, y[0, :2])[0], many, case="plain, ninety members"
)
check.keeps("fair", energy_score, twins.clone(), twins[0].clone(), case="members coincide")
check.value("fair", lambda: energy_score(x, y)[1], case="four cases, twenty members")
check.value("fair", lambda: energy_score(x[1], y[1])[1], case="a case without a batch")
check.value("fair", lambda: energy_score(x[1:2], y[1:2])[1], case="one case in a batch")
check.value("fair", lambda: energy_score(few, y_few)[1], case="two members")
check.value("fair", lambda: energy_score(line, y_line)[1], case="vectors of one entry")
check.value("fair", lambda: energy_score(deep, y_deep)[1], case="two leading dimensions")
check.value("fair", lambda: energy_score(twins, y[0])[1], case="members coincide")
check.value("fair", lambda: energy_score(x[0, :3], x[0, 1])[1], case="M equal to D, a member hits")
check.value("fair", lambda: energy_score(many, y[0, :2])[1], case="ninety members")
check.value("fair", lambda: energy_score(wide, wide[0].flip(0))[1], case="forty entries")
check.value("fair", lambda: energy_score(x[:0], y[:0])[1], case="no cases")
check.value(
    "extremes",
    lambda: energy_score(0.01 * many + 990000.0, 0.01 * y[0, :2] + 990000.0)[1],
    case="fair, ninety members far from 0, close together",
)
check.value(
    "extremes",
    lambda: energy_score(0.01 * x + 990000.0, 0.01 * y + 990000.0)[1],
    case="fair, twenty members far from 0, close together",
)
check.value(
    "extremes",
    lambda: 10000.0 * energy_score(0.0001 * x, 0.0001 * y)[1],
    case="fair, entries of the size of 0.0001",
)
check.value(
    "extremes",
    lambda: energy_score(510000.0 * x, 510000.0 * y)[1],
    case="fair, large entries",
)
check.gradient("gradient", lambda x: energy_score(x, y)[1] * w, x, case="fair, four cases")
check.gradient("gradient", lambda y: energy_score(x, y)[1] * w, y, case="fair, by y")
check.gradient("gradient", lambda x: energy_score(x, y[0])[1], twins, case="fair, twins")
check.gradient(
    "gradient", lambda x: energy_score(x, y[0, :2])[1], many, case="fair, ninety members"
)
check.gradient(
    "gradient",
    lambda x: energy_score(x, twins[2].clone())[1],
    twins,
    case="members coincide, and with y",
)
check.gradient(
    "gradient", lambda y: energy_score(twins, y)[0], twins[2], case="by y, which a member hits"
)
check.gradient(
    "gradient",
    lambda x: energy_score(x, 0.0001 * y)[1] * w,
    0.0001 * x,
    case="entries of the size of 0.0001",
)
v = torch.arange(1.0, 201).double()
wall = torch.sin(torch.outer(v, v**0.7))  # two hundred members of two hundred entries
towers, y_towers = (wall[:120, :8].reshape(2, 3, 1, 20, 8), wall[120:126, :8].reshape(2, 3, 1, 8))
pairs = twins[None, :6] + torch.tensor([0.0, 1.1, 2.3]).double()[:, None, None]
grid = torch.tensor([[2.0], [-1.0], [2.0], [5.0], [2.0]]).double()
hidden = torch.zeros(2, 0, 3, 5).double()
check.keeps("plain", energy_score, grid[:2].clone(), grid[0].clone(), case="two numbers")
check.keeps("fair", energy_score, x.clone(), y.clone(), case="four cases are left as they are")
clouds = (
    (wall, wall[:, 3]),
    (wall[:, :1], wall[7, :1]),
    (wall[:2], wall[7]),
    (towers, y_towers),
    (towers[:, :0], y_towers[:, :0]),
    (hidden, hidden[..., 0, :]),
    (grid[:2], grid[3]),
    (0 * grid + 0.7, grid[0]),
    (wall[:151, :3], wall[160, :3]),
    (wall[:7, :137], wall[8, :137]),
    (wall[:100, :24].reshape(100, 8, 3), wall[:100, 30:33]),
    (deep.transpose(0, 1), y_deep.transpose(0, 1)),
    (x[:1, None], y[:1, None]),
)
for z, k in clouds:
    check.value("plain", lambda z=z, k=k: energy_score(z, k)[0], case="smallest and largest sizes")
    check.value("fair", lambda z=z, k=k: energy_score(z, k)[1], case="smallest and largest sizes")
many_lines = grid + torch.tensor([0.0, 1.7, 3.0]).double()[:, None, None]
hits = many_lines[:, 2] - torch.tensor([0.0, 0.0, 0.4]).double()[:, None]
for i in (0, 1):

    def score(x, y, i=i):
        return energy_score(x, y)[i]

    check.value(
        "extremes",
        lambda f=score: 1e2 * f(0.02 * wall[:, :9] + 8e5, 0.02 * wall[:9, 3] + 8e5),
        case="200 members, far from 0",
    )
    check.value(
        "extremes",
        lambda f=score: 1e2 * f(0.02 * wall[:9, :9] - 4e4, 0.02 * wall[:9, 3] - 4e4),
        case="nine members, far from 0",
    )
    check.value(
        "extremes",
        lambda f=score: 1.0371e5 * f(1e-5 * grid[1:4], 1e-5 * grid[4]),
        case="smallest distances",
    )
    check.value(
        "extremes",
        lambda f=score: f(0.01 * grid + 999e3, 0.01 * grid[1] + 999e3 + 0.02),
        case="numbers far from 0, some coincide",
    )
    check.gradient(
        "gradient",
        lambda x, f=score: f(x, y_towers) * w[:3, None],
        towers,
        case="three leading dimensions",
    )
    check.gradient(
        "gradient", lambda x, f=score: f(x, twins[:3]) * w[:3], pairs, case="twins in a batch"
    )
    check.gradient(
        "gradient", lambda y, f=score: f(pairs, y) * w[:3], twins[:3], case="twins, by y"
    )
    check.gradient("gradient", lambda x, f=score: f(x, grid[0]), grid, case="numbers coincide")
    check.gradient("gradient", lambda x, f=score: f(x, grid[3]), 0 * grid, case="all coincide")
    check.gradient("gradient", lambda y, f=score: f(grid, y), grid[0], case="numbers, by y")
    check.gradient("gradient", lambda x, f=score: f(x, wall[5]), wall[:2], case="two members")
    check.gradient(
        "gradient",
        lambda x, f=score: f(x, 990000.0 + 0.01 * y) * w,
        990000.0 + 0.01 * x,
        case="far from 0, by members",
    )
    check.gradient(
        "gradient",
        lambda y, f=score: f(990000.0 + 0.01 * x, y) * w,
        990000.0 + 0.01 * y,
        case="far from 0, by y",
    )
    check.gradient(
        "gradient", lambda x, f=score: f(x, wall[3, :2] + 2), wall[:60, :2], case="sixty members"
    )
    check.gradient(
        "gradient", lambda x, f=score: f(x, wall[3, :2] + 2), wall[:151, :2], case="151 members"
    )
    check.gradient(
        "gradient", lambda x, f=score: f(x, hits), many_lines, case="numbers coincide in a batch"
    )
    check.gradient(
        "gradient", lambda y, f=score: f(many_lines, y), hits, case="numbers in a batch, by y"
    )
    check.value(
        "extremes",
        lambda f=score: 1e2 * f(0.02 * wall[:40, :120] + 8e5, 0.02 * wall[7, :120] + 8e5),
        case="120 entries, far from 0",
    )
    check.value(
        "extremes",
        lambda f=score: f(x[0] + 999990.0, y[0] - 999990.0),
        case="as far from each other as may be",
    )
    check.value(
        "extremes",
        lambda f=score: 1.0371e5 * f(1.1e-5 * grid[1:4] / 3, 0.9 + 0 * grid[0]) - 93339,
        case="smallest distances, y far away",
    )
    check.value(
        "extremes",
        lambda f=score: 1.0371e5 * f(1.1e-5 * grid / 3, 1.1e-5 * grid[3] / 3 + 1.2e-5),
        case="smallest distances, also from y",
    )
    check.gradient(
        "gradient",
        lambda x, f=score: f(x[:-1], x[-1]),
        torch.cat([twins, y[:1] + 1]),
        case="by members and y together",
    )
    check.gradient(
        "gradient", lambda x, f=score: f(x, wall[3, :2] + 2), wall[:, :2], case="200 members"
    )

# %% [markdown]
# ## Exercise 4. A few quantiles (15 min, 5 points)
#
# A supplier sends quantiles only: for the levels $0 = \tau_1 < \dots < \tau_K = 1$ the values $q_1
# \le \dots \le q_K$. Between two neighbours the distribution function $F$ rises along a straight
# line from $(q_k, \tau_k)$ to $(q_{k+1}, \tau_{k+1})$; where $q_k = q_{k+1}$ it jumps, for there
# sits a point with probability $\tau_{k+1} - \tau_k$. Below $q_1$ it is 0, from $q_K$ on 1.
#
# Write `quantiles_crps(levels, q, y)`, which returns the **exact** CRPS of this forecast,
# $\int (F(t) - 1[y \le t])^2 dt$, for each case. It is also $2 \int_0^1 \rho_\tau(y - Q(\tau))\,
# d\tau$, with the pinball loss $\rho_\tau(u) = \max(\tau u, (\tau - 1) u)$ and $Q$ the straight
# lines between the quantiles; choose the form that is easier for you. (A mean over the $K$ levels
# is not exact.)
#
# - `levels` has shape `(K,)`, $K \ge 2$, is strictly increasing, from 0 to 1; the levels need not
#   be evenly spaced. `q` has shape `(n, K)`, each row not decreasing; all quantiles of a row may
#   be equal. `y` has shape `(n,)`, inside or outside the quantiles, or equal to one. $n$ may be 0.
# - The result has shape `(n,)`. Levels are at least $10^{-5}$ apart. Values are at most $10^6$ in
#   size; quantiles that differ do so by at least a thousandth, or $10^{-9}$ if none is above 1.
#
# Points: inside 2, outside 1, jumps 1, extremes 1. The aspects say where `y` lies, whether $F$
# jumps, and how large the numbers are.


# %% exercise="quantiles-crps"
def quantiles_crps(levels, q, y):
    """Return the exact CRPS of a distribution function that is linear between quantiles."""
    ### BEGIN SOLUTION
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)  # of each piece, below y
    cut = low + share * (high - low)  # F where the piece is cut
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond
    ### END SOLUTION


# %% [markdown] why="quantiles-crps"
# Between two quantiles the distribution function is a line, and the integral of a squared line is
# known: $(l^2 + l u + u^2)/3$ times its length. The piece that holds the outcome is cut there, and
# beyond the ends each unit of distance costs one.

# %% checks="quantiles-crps" points=5
check = Checks("quantiles-crps")
taus = torch.tensor([0.0, 0.1, 0.5, 0.8, 1.0], dtype=torch.float64)
sent = torch.tensor([[-1.1, 0.2, 0.9, 1.4, 3.0], [2.0, 2.2, 2.9, 4.1, 6.3]], dtype=torch.float64)
sold = torch.tensor([0.5, 5.2], dtype=torch.float64)
check.keeps("inside", quantiles_crps, taus.clone(), sent.clone(), sold.clone())
check.value("inside", lambda: quantiles_crps(taus, sent, sold), points=2)
check.value("outside", lambda: quantiles_crps(taus, sent, sold + 4.1), points=1)
check.value("jumps", lambda: quantiles_crps(taus, sent.clamp(max=2.9), sold), points=1)
check.value("extremes", lambda: quantiles_crps(taus, sent + 8e5, sold + 8e5), points=1)
check.report()

# %% hidden="quantiles-crps"
t = torch.arange(63, dtype=torch.float64)
u = torch.tensor([0.0, 0.07, 0.19, 0.33, 0.61, 0.66, 0.84, 0.97, 1.0], dtype=t.dtype)
q = (0.13 + torch.sin(1.7 * t).square()).reshape(7, 9).cumsum(1) - 1.9
y = torch.tensor([-0.9, 1.3, 0.4, 1.9, 0.2, 1.1, -1.2], dtype=t.dtype)
away = torch.tensor([-3.9, 7.3, 11.4, -2.9, 8.2, 6.1, -41.2], dtype=t.dtype)
jump = torch.where(torch.tensor([0, 0, 1, 1, 0, 0, 0, 1, 0]).bool(), q.roll(1, 1), q)
point = q[:, 4:5].expand(7, 9).clone()
ends = torch.tensor([0.0, 1.0], dtype=t.dtype)
early, late = q.clone(), q.clone()
early[:, :3], late[:, -3:] = q[:, 2:3], q[:, -3:-2]
check.keeps("jumps", quantiles_crps, u.clone(), point.clone(), y.clone(), case="one point")
check.value("inside", lambda: quantiles_crps(u, q, y), case="seven cases, nine levels")
check.value("inside", lambda: quantiles_crps(u, q, q[:, 3] + 0.01), case="close to a quantile")
check.value("inside", lambda: quantiles_crps(u, q, q[:, 3].clone()), case="equal to a quantile")
check.value("inside", lambda: quantiles_crps(u, q[2:3], y[2:3]), case="one case")
check.value("inside", lambda: quantiles_crps(ends, q[:, 3:5], q[:, 3:5].mean(1)), case="K = 2")
check.value(
    "inside", lambda: quantiles_crps(u[[0, 3, 8]], q[:3, :3], q[:3, 1] + 0.1), case="n = K"
)
check.value("inside", lambda: quantiles_crps(u, q[:0], y[:0]), case="no cases")
check.value("inside", lambda: quantiles_crps(u, q, q[:, -1] - 0.02), case="in the last piece")
check.value("inside", lambda: quantiles_crps(u, q, q[:, 0] + 0.02), case="in the first piece")
check.law(
    "inside",
    "equal",
    lambda: quantiles_crps(u, q, y),
    lambda: quantiles_crps((1 - u).flip(0), (-q).flip(1), -y),
    case="mirrored",
)
check.value("outside", lambda: quantiles_crps(u, q, away), case="on both sides")
check.value("outside", lambda: quantiles_crps(u, q, q[:, 0].clone()), case="at the lower end")
check.value("outside", lambda: quantiles_crps(u, q, q[:, -1].clone()), case="at the upper end")
check.value("outside", lambda: quantiles_crps(ends, q[:, 3:5], away), case="K = 2")
check.value("outside", lambda: quantiles_crps(u, q[1:2], away[1:2]), case="one case, above")
check.value("outside", lambda: quantiles_crps(u, q[:1], away[:1]), case="one case, below")
check.value("jumps", lambda: quantiles_crps(u, jump, y), case="jumps elsewhere")
check.value("jumps", lambda: quantiles_crps(u, jump, jump[:, 3].clone()), case="y at a jump")
check.value("jumps", lambda: quantiles_crps(u, early, early[:, 0] + 0.03), case="a jump at first")
check.value("jumps", lambda: quantiles_crps(u, late, late[:, -1] - 0.03), case="a jump at last")
check.value("jumps", lambda: quantiles_crps(u, late, late[:, -1].clone()), case="y at the last")
check.value("jumps", lambda: quantiles_crps(u, early, early[:, 0].clone()), case="y at the first")
check.value("jumps", lambda: quantiles_crps(u, early, away), case="jumps, y outside")
check.value("jumps", lambda: quantiles_crps(u, point, y), case="a single point")
check.value("jumps", lambda: quantiles_crps(u, point, point[:, 0] + 0.7), case="a point, missed")
check.value("extremes", lambda: quantiles_crps(u, 0.1 * q + 9e5, 0.1 * y + 9e5), case="shifted")
check.value("extremes", lambda: quantiles_crps(u, 1.1e5 * q, 1.1e5 * y), case="large numbers")
check.value("extremes", lambda: 1e5 * quantiles_crps(u, 1e-5 * q, 1e-5 * y), case="tiny numbers")
check.value(
    "extremes",
    lambda: 1e8 * quantiles_crps(u, 1e-8 * t[:9].expand(7, 9) + 0.3, 3.3e-8 + 0.3 + 0 * y),
    case="quantiles that are almost equal",
)
steep = torch.tensor([0.0, 1e-4, 1 - 1e-4, 1.0], dtype=t.dtype)
check.value("extremes", lambda: quantiles_crps(steep, 41 * q[:, :4], 41 * y), case="steep levels")
h = torch.arange(100.0).double()
u100 = (h / 99) ** 2 * 0.7 + h / 330  # a hundred uneven levels
q100 = (0.02 + torch.sin(torch.outer(h + 1, h**0.7 + 1)).square()).cumsum(1) - 23
y100 = 40 * torch.sin(h * h) + 4
within = torch.maximum(torch.minimum(y100, q100[:, -2]), q100[:, 1] + 0.01)
some = torch.sin(7 * q100) > 0.6  # repeated here and there, also thrice
steps = torch.where(some, -99.0, q100).cummax(1).values
check.keeps("outside", quantiles_crps, u.clone(), q.clone(), away.clone(), case="y outside")
check.keeps("inside", quantiles_crps, ends.clone(), q[:1, :2].clone(), y[:1].clone(), case="one")
check.value("inside", lambda: quantiles_crps(u100, q100, within), case="a hundred")
check.value("inside", lambda: quantiles_crps(u100, q100[:3], within[:3]), case="three, K = 100")
check.value("inside", lambda: quantiles_crps(ends, q[:1, 3:5], q[:1, 3] + 0.1), case="one, K = 2")
check.value(
    "inside", lambda: quantiles_crps(ends, q[:, [2, 7]], q[:, 5] + 0.2), case="seven cases, K = 2"
)
check.value("inside", lambda: quantiles_crps(u, q - 500, y - 500), case="negative numbers")
check.value("outside", lambda: quantiles_crps(u100, q100, y100 + 70), case="a hundred, above")
check.value("outside", lambda: quantiles_crps(u100, q100, y100 - 99), case="a hundred, below")
check.value("outside", lambda: quantiles_crps(u, q - 998, away - 950), case="all near -1000")
check.value("outside", lambda: quantiles_crps(u, 2 * q, 0 * y - 1000), case="y of -1000")
check.value("outside", lambda: quantiles_crps(u, 2 * q, 0 * y + 1000), case="y of 1000")
for way in (-1e6, 1e6):
    check.value(
        "extremes",
        lambda v=way: quantiles_crps(u, q, 0 * y + v) / 1e3,
        case="y of a million either way",
    )
for share in (5e-4, 1 - 5e-4):
    beside = q[:, 2] + share * (q[:, 3] - q[:, 2])
    check.value(
        "inside",
        lambda v=beside: 1e3 * (quantiles_crps(u, q, v) - quantiles_crps(u, q, q[:, 2].clone())),
        case="next to a quantile, what the step changes",
    )
check.value("jumps", lambda: quantiles_crps(u100, steps, y100), case="a hundred, many jumps")
check.value("jumps", lambda: quantiles_crps(u100, steps, steps[:, 50].clone()), case="y hits some")
check.value("jumps", lambda: quantiles_crps(ends, point[:, :2], y), case="a point, K = 2")
check.value("jumps", lambda: quantiles_crps(ends, point[:1, :2], y[:1]), case="one point, K = 2")
check.value(
    "jumps",
    lambda: quantiles_crps(u, point, torch.where(y > 0, point[:, 0], y)),
    case="a point, hit in some cases",
)
check.value(
    "jumps", lambda: 1e5 * quantiles_crps(u, point, point[:, 0] + 1e-5), case="a point, near by"
)
check.value(
    "jumps", lambda: 1e5 * quantiles_crps(u, point, point[:, 0] - 1e-5), case="a point, just below"
)
check.value(
    "extremes",
    lambda: 1e2 * quantiles_crps(u[[0, 3, 8]], 9e5 + h[:3].expand(2, 3) / 100, 9e5 + y[:2] / 99),
    case="a hundredth apart, far from 0",
)
check.value(
    "extremes",
    lambda: quantiles_crps(u, q - 1e6 + 90, away - 1e6 + 90),
    case="near minus a million, y outside",
)
check.value(
    "extremes", lambda: quantiles_crps(u, 1e5 * q, 1e5 * away.clamp(-9, 9)), case="large, outside"
)
check.value("extremes", lambda: quantiles_crps(u, jump + 9e5, y + 9e5), case="jumps, far from 0")
check.value(
    "extremes",
    lambda: quantiles_crps(steep, q[:, [0, 0, 8, 8]], q[:, 4].clone()),
    case="steep levels with jumps",
)
check.value(
    "extremes",
    lambda: 1e4 * quantiles_crps(steep, q[:, [0, 0, 0, 8]], q[:, 0].clone()),
    case="a thin tail behind a point",
)
check.value(
    "extremes",
    lambda: 1e7 * quantiles_crps(steep, q[:, [0, 0, 0, 8]], q[:, 0].clone()),
    case="what a thin tail behind a point weighs",
)
check.value(
    "extremes",
    lambda: 1e7 * quantiles_crps(steep, q[:, [0, 8, 8, 8]], q[:, 8].clone()),
    case="what a thin tail before a point weighs",
)
tails = torch.tensor([-99e4, 0.2, 0.23, 97e4]).double()
check.value(
    "extremes",
    lambda: 1e2 * quantiles_crps(steep, tails.expand(2, 4), 0.2 + 0.03 * u[[2, 6]]),
    case="long thin tails, y in the narrow middle",
)
tails = torch.tensor([-0.97, 0.0, 3e-8, 0.93]).double()
check.value(
    "extremes",
    lambda: 1e8 * quantiles_crps(steep, tails.expand(2, 4), 3e-8 * u[[2, 6]]),
    case="thin tails, y in a tiny middle",
)
check.value(
    "extremes",
    lambda: quantiles_crps(u, 0.1 * q + 999e3, 0.1 * away - 999e3) / 1e3,
    case="y as far from the quantiles as may be",
)
check.value(
    "extremes",
    lambda: (
        quantiles_crps(u[[0, 6, 8]], 2e6 * (h[:3] > 1).to(y).expand(4, 3) - 1e6, 5e5 * y[:4]) / 1e3
    ),
    case="a jump and a wide piece",
)
check.value(
    "extremes",
    lambda: 1e2 * quantiles_crps(u, 9e5 + h[:9].expand(7, 9) / 100, 9e5 + h[1:8] / 100 + 4e-4),
    case="far from 0, close to a quantile",
)
check.value(
    "extremes",
    lambda: 1e8 * quantiles_crps(u, 1e-8 * t[:9].expand(7, 9) + 0.3, 1e-8 * t[1:8] + 0.3 + 6e-10),
    case="almost equal quantiles, y close to one",
)
close = torch.tensor([0.0, 0.31, 0.3101, 0.8, 0.8001, 1.0]).double()
check.value(
    "extremes",
    lambda: quantiles_crps(close, 9 * q[:, [0, 1, 4, 5, 7, 8]], 9 * y),
    case="inner levels that hardly differ",
)
mixed = torch.where((t[:7] % 3 == 1)[:, None], point, q)
check.value("jumps", lambda: quantiles_crps(u, mixed, y), case="some rows are points")
check.value("jumps", lambda: quantiles_crps(u, mixed, mixed[:, 4].clone()), case="some hit points")
check.value(
    "jumps",
    lambda: quantiles_crps(ends, mixed[:, 3:5], mixed[:, 4].clone()),
    case="K = 2, some rows are points, which y hits",
)

# %% [markdown]
# ## Exercise 5. A histogram for counts, without dice (10 min, 5 points)
#
# A forecast $F$ of a count $y$ is tested by $u$, uniform between $F(y - 1)$ and $F(y)$: if the
# forecasts are right, $u$ is uniform on $(0, 1)$. Drawing $u$ makes the test a matter of luck.
# Instead take the *expectation* over the draw: each case spreads its one piece of mass evenly over
# its interval, and the histogram collects it.
#
# Write `pit_histogram(below, at, bins)`, which returns the tuple `(shares, variance)`:
#
# - `shares`, shape `(bins,)`: the part of all mass that lies in each of the `bins` equal bins of
#   $[0, 1]$, from left to right; they sum to 1;
# - `variance`, a number or 0-d tensor: the variance of $u$ over cases and draws together, that of
#   the whole spread-out mass and not of the bins. (For right forecasts it is near 1/12.)
#
# Details:
#
# - `below` and `at` have shape `(n,)`, $n \ge 1$, with $0 \le$ `below` $\le$ `at` $\le 1$: the
#   values of $F(y - 1)$ and $F(y)$. `bins` is an int from 1 to 100.
# - Where `below` equals `at` (a forecast of a continuous number), all mass of the case lies at
#   that point: in the bin to the **right** if it is an edge between two bins, in the last one if
#   it is 1. Unless `bins` is a power of 2, a point is at least $10^{-6}$ away from each inner
#   edge. In no other case does it depend on rounding where a value lies.
# - Intervals may be as short as $10^{-10}$; a variance is right if it is off by $10^{-12}$.
#
# Points: counts 2, points 1, variance 2. The aspect "points" is about cases whose mass lies at a
# point, alone or among others.


# %% exercise="pit-histogram"
def pit_histogram(below, at, bins):
    """Return the expected shares of the randomised PIT in equal bins, and its variance."""
    ### BEGIN SOLUTION
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))  # (bins + 1, n)
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(correction=0)
    return up_to.mean(1).diff(), variance
    ### END SOLUTION


# %% [markdown] why="pit-histogram"
# For a count the distribution function jumps from `below` to `at`. Spread the case evenly over the
# jump instead of drawing one point from it: the mean histogram is the same, and the dice are gone.

# %% checks="pit-histogram" points=5
check = Checks("pit-histogram")
under = torch.tensor([0.0, 0.13, 0.42, 0.7, 0.55], dtype=torch.float64)
upto = torch.tensor([0.13, 0.42, 0.61, 1.0, 0.94], dtype=torch.float64)
level = torch.tensor([0.0, 0.13, 0.77, 1.0, 0.5], dtype=torch.float64)
check.keeps("counts", lambda a, b: pit_histogram(a, b, 4), under.clone(), upto.clone())
check.keeps("points", lambda a, b: pit_histogram(a, b, 4), level.clone(), level.clone())
check.value("counts", lambda: pit_histogram(under, upto, 4)[0], points=2)
check.value("points", lambda: pit_histogram(level, level, 4)[0], points=1, case="points only")
check.value("variance", lambda: pit_histogram(under, upto, 4)[1], points=2)
check.report()

# %% hidden="pit-histogram"
t = torch.arange(31, dtype=torch.float64)
a = 0.93 * torch.sin(1.3 * t).square()
b = a + (1 - a) * torch.cos(2.1 * t + 0.3).square() * 0.83
full = torch.where(t % 7 == 2, a, b)
first, last = torch.zeros(3, dtype=t.dtype), torch.ones(3, dtype=t.dtype)
short = a + 1e-9 * (1 + t / 31)
check.value("counts", lambda: pit_histogram(a, b, 10)[0], case="31 cases, ten bins")
check.value("counts", lambda: pit_histogram(a, b, 7)[0], case="seven bins")
check.value("counts", lambda: pit_histogram(a[:6], b[:6], 97)[0], case="narrow bins")
check.value("counts", lambda: pit_histogram(a[4:5], b[4:5], 9)[0], case="one case")
check.value("counts", lambda: pit_histogram(a, b, 1)[0] * t[3], case="one bin")
check.value("counts", lambda: pit_histogram(a, short, 10)[0], case="short intervals")
middle = torch.full((6,), 0.5, dtype=t.dtype)
check.value(
    "counts",
    lambda: pit_histogram(middle - 3.1e-10, middle + 5.9e-10, 8)[0],
    case="short intervals across an edge",
)
check.value("counts", lambda: pit_histogram(0 * a, b, 6)[0], case="counts of 0")
check.value("counts", lambda: pit_histogram(a, 0 * a + 1, 6)[0], case="intervals that end at 1")
check.value(
    "counts", lambda: pit_histogram(a[3:4] * 0, b[3:4] * 0 + 1, 6)[0] * b[:6], case="all of it"
)
check.value(
    "counts", lambda: pit_histogram(b[:6] - 0.313 * b[:6], b[:6], 6)[0], case="n equal to bins"
)
check.law("counts", "sums_to_one", lambda: pit_histogram(a, b, 11)[0], case="eleven bins")
check.value("points", lambda: pit_histogram(a, full, 10)[0], case="some cases are points")
check.value("points", lambda: pit_histogram(a, a, 9)[0], case="all cases are points")
check.value("points", lambda: pit_histogram(last, last, 5)[0] * t[1:6], case="all at 1")
check.value("points", lambda: pit_histogram(first, first, 5)[0] * t[1:6], case="all at 0")
check.value(
    "points",
    lambda: pit_histogram(t[:9] / 8, t[:9] / 8, 8)[0] * b[:8],
    case="points at the edges",
)
check.value(
    "points",
    lambda: pit_histogram(torch.cat([a, last]), torch.cat([b, last]), 8)[0],
    case="some points at 1",
)
check.value(
    "points",
    lambda: pit_histogram(torch.cat([a, first + 0.25]), torch.cat([b, first + 0.25]), 8)[0],
    case="some points at an edge",
)
check.value("variance", lambda: pit_histogram(a, b, 10)[1], case="31 cases, ten bins")
check.value("variance", lambda: pit_histogram(a, b, 3)[1], case="three bins")
check.value("variance", lambda: pit_histogram(a[4:5], b[4:5], 9)[1], case="one case")
check.value("variance", lambda: pit_histogram(a, a, 9)[1], case="all cases are points")
check.value("variance", lambda: pit_histogram(a, full, 10)[1], case="some cases are points")
check.value("variance", lambda: pit_histogram(a, short, 1)[1], case="short intervals, one bin")
check.value(
    "variance",
    lambda: 1e8 * pit_histogram(0.5 + 1e-4 * a, 0.5 + 1e-4 * b, 4)[1],
    case="all mass close together",
)
c = torch.sin(torch.arange(1.0, 101).double() ** 1.5).square()
d = torch.maximum(c, c.flip(0))
c = torch.minimum(c, c.flip(0))
unit, none = torch.ones(4).double(), torch.zeros(4).double()
eighths = torch.arange(65).double() / 64
for kept in ((none, unit), (unit, unit), (none, none), (a[:1], b[:1]), (0.5 * unit, 0.5 * unit)):
    check.keeps(
        "variance",
        lambda a, b: pit_histogram(a, b, 8),
        *(v.clone() for v in kept),
        case="inputs are left as they are",
    )
check.value("counts", lambda: pit_histogram(c, d, 100)[0], case="a hundred cases and bins")
check.value("counts", lambda: pit_histogram(c, d, 2)[0], case="a hundred cases, two bins")
check.value("counts", lambda: pit_histogram(a[5:6], b[5:6], 1)[0] * t[3], case="one case, one bin")
check.value("counts", lambda: pit_histogram(a[8:9], b[8:9], 100)[0], case="one case, 100 bins")
check.value(
    "counts",
    lambda: pit_histogram(middle - 2e-10, middle + 8e-10, 2)[0],
    case="the shortest intervals across an edge",
)
check.value(
    "counts",
    lambda: pit_histogram(eighths[1:2] * 17 + 1e-9 - 4e-9, eighths[1:2] * 17 + 9e-9, 64)[0],
    case="one short interval across an edge",
)
seventh = torch.tensor([0.7]).double()
check.value(
    "counts",
    lambda: pit_histogram(seventh - 1e-8, seventh + 3e-8, 10)[0],
    case="a short interval across 0.7",
)
check.value(
    "counts", lambda: pit_histogram(0 * c, 1e-9 * (1 + c), 64)[0] * c[:64], case="just above 0"
)
check.value(
    "counts", lambda: pit_histogram(1 - 1e-9 * (1 + c), 0 * c + 1, 64)[0] * c[:64], case="below 1"
)
check.value("points", lambda: pit_histogram(eighths, eighths, 64)[0], case="all edges of 64 bins")
check.value(
    "points", lambda: pit_histogram(eighths[:13], eighths[:13], 64)[0], case="edges at the left"
)
check.value(
    "points",
    lambda: pit_histogram(torch.cat([a, eighths]), torch.cat([b, eighths]), 16)[0],
    case="intervals, and points at edges and ends",
)
near = eighths[1:64:4]
check.value("points", lambda: pit_histogram(near + 1e-6, near + 1e-6, 64)[0], case="above edges")
check.value(
    "points", lambda: pit_histogram(near - 1e-6, near - 1e-6, 64)[0], case="points below edges"
)
check.value("points", lambda: pit_histogram(a, a, 1)[0] * t[3], case="points, one bin")
check.value("points", lambda: pit_histogram(a[:1], a[:1], 7)[0], case="a single point")
check.value("points", lambda: pit_histogram(c, c, 99)[0], case="a hundred points, 99 bins")
check.value(
    "points", lambda: pit_histogram(a, torch.where(t > 3, a, b), 1)[0] * t[5], case="most, one bin"
)
check.value("variance", lambda: pit_histogram(none, unit, 4)[1] * t[7], case="from 0 to 1")
check.value("variance", lambda: pit_histogram(c, d, 100)[1], case="a hundred cases and bins")
check.value("variance", lambda: pit_histogram(a[:2], b[:2], 5)[1], case="two cases")
check.value("variance", lambda: pit_histogram(a[:2], a[:2], 5)[1], case="two points")
check.value("variance", lambda: 7 * pit_histogram(a[:1], a[:1], 5)[1], case="one point")
check.value("variance", lambda: pit_histogram(last, last, 5)[1], case="all at 1")
check.value(
    "variance",
    lambda: pit_histogram(torch.cat([none, a]), torch.cat([unit, b]), 4)[1],
    case="some from 0 to 1",
)
check.value(
    "variance",
    lambda: 1e4 * pit_histogram(0.9 + 3e-4 * a, 0.9 + 3e-4 * a, 4)[1],
    case="points close together",
)
point = torch.tensor([0.02, 0.9], dtype=t.dtype), torch.tensor([0.11, 0.9], dtype=t.dtype)
check.value(
    "variance",
    lambda: 1e6 * (pit_histogram(*point, 4)[1] - 0.1746),
    case="a point beside an interval, to 1e-12",
)
check.value(
    "variance",
    lambda: 1e5 * pit_histogram(0.5 + 2e-5 * a, 0.5 + 2e-5 * a, 4)[1],
    case="points very close together",
)
for bins in (2, 4, 8, 32):
    check.value(
        "points",
        lambda k=bins: pit_histogram(eighths, eighths, k)[0] * (1 + c[:k]),
        case="all at edges",
    )
for bins in (2, 3, 6, 10):
    inner = torch.arange(1, bins).double() / bins
    for step in (-1.1e-6, 1.1e-6):
        beside = torch.cat([a[5:9], inner + step])
        check.value(
            "points",
            lambda v=beside, k=bins: pit_histogram(v, v, k)[0] * (1 + c[:k]),
            case="next to wide bins",
        )
ones = torch.cat([a, last])
check.value("points", lambda: pit_histogram(ones, ones, 1)[0] * t[3], case="points at 1, one bin")
stairs = eighths[torch.tensor([0, 8, 8, 16, 24, 40, 56, 9, 33])]
up = eighths[torch.tensor([8, 16, 40, 24, 64, 41, 64, 21, 48])]
for bins in (2, 4, 8, 64):
    check.value(
        "counts",
        lambda k=bins: pit_histogram(stairs, up, k)[0] * (1 + c[:k]),
        case="from edge to edge",
    )
check.value("variance", lambda: pit_histogram(stairs, up, 8)[1], case="from edge to edge")
check.value("variance", lambda: pit_histogram(c, c, 100)[1], case="a hundred points")
check.value("variance", lambda: pit_histogram(a[8:9], b[8:9], 1)[1], case="one case, one bin")

# %% [markdown]
# ## Exercise 6. A score made of costs (12 min, 4 points)
#
# A farmer can protect the harvest at the cost $c$. If nothing is protected and frost comes, 1 is
# lost. Told the probability $p$ of frost, the farmer protects if $p \ge c$. With hindsight, $c$
# would have been paid if frost came, and nothing if not. The **regret** is what was paid and lost,
# less what would have been with hindsight.
#
# There are many farmers; their costs $c$ have the Beta density with parameters $a$ and $b$ on
# $(0, 1)$. Write `mean_regret(p, y, a, b)`, which returns for each case the regret averaged over
# the farmers. That is a proper score, made for them.
#
# - `p` and `y` have the same shape `(...)`, which may be empty or `()`; `p` holds probabilities, 0
#   and 1 included, the others at least $10^{-7}$ away from both; `y` is int64, 1 if frost came and
#   0 if not. The result has their shape.
# - `a` and `b` are Python numbers between $1/20$ and 2000. The result must be right to seven
#   digits after the point; nothing is drawn at random.
# - Useful: $c \cdot \mathrm{Beta}(c; a, b) = \frac{a}{a + b}\,\mathrm{Beta}(c; a + 1, b)$.
#
# (For $a = b = 1$ it must be $(y - p)^2 / 2$. So you can test yourself.)
#
# Points: frost 1, no frost 1, certain 1, alike 1. "Certain" is about $p$ of 0 and 1, "alike" about
# farmers whose costs hardly differ (large $a + b$) or lie close to 0 and 1 (small $a$ and $b$).


# %% exercise="mean-regret"
def mean_regret(p, y, a, b):
    """Return, for each case, the regret of acting on p, averaged over Beta(a, b) costs."""
    ### BEGIN SOLUTION
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())  # 1 - c, integrated above p
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())  # c, integrated below p
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))
    ### END SOLUTION


# %% [markdown] why="mean-regret"
# With cost $c$ one acts if $p > c$. Each case has one kind of mistake: acting in vain costs $c$,
# failing to act costs $1 - c$; integrated over the costs in which it happens, both are Beta
# distribution functions, up to a factor. Under equal weights this is half the Brier score.

# %% checks="mean-regret" points=4
check = Checks("mean-regret")
told = torch.tensor([0.15, 0.4, 0.85, 0.6], dtype=torch.float64)
frost = torch.tensor([1, 1, 1, 1])
sure = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
both = torch.tensor([0, 0, 1, 1])
check.keeps("frost", lambda p, y: mean_regret(p, y, 1.6, 3.1), told.clone(), frost.clone())
check.keeps("certain", lambda p, y: mean_regret(p, y, 1.6, 3.1), sure.clone(), both.clone())
check.value("frost", lambda: mean_regret(told, frost, 1.6, 3.1), points=1)
check.value("no frost", lambda: mean_regret(told, 0 * frost, 1.6, 3.1), points=1)
check.value("certain", lambda: mean_regret(sure, both, 1.6, 3.1), points=1)
check.value("alike", lambda: mean_regret(told, both, 130, 210), points=1)
check.report()

# %% hidden="mean-regret"
t = torch.arange(12, dtype=torch.float64)
p = torch.sin(1.7 * t + 0.4).square()
y = torch.tensor([1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0])
one, zero = (torch.ones_like(y), torch.zeros_like(y))
check.value("frost", lambda: mean_regret(p, one, 2.7, 1.3), case="a = 2.7, b = 1.3")
check.value("frost", lambda: mean_regret(p, one, 0.6, 4.9), case="a = 0.6, b = 4.9")
check.value("frost", lambda: mean_regret(p, one, 1, 1), case="a = b = 1, whole numbers")
check.value("frost", lambda: mean_regret(p, one, 2, 7), case="a = 2, b = 7, whole numbers")
check.value("frost", lambda: mean_regret(p[:1], one[:1], 2.7, 1.3), case="one case")
check.value("frost", lambda: mean_regret(p[2], one[2], 2.7, 1.3), case="a number")
check.value("frost", lambda: mean_regret(p[:0], one[:0], 2.7, 1.3), case="no cases")
check.value(
    "frost",
    lambda: mean_regret(p.reshape(2, 1, 6), one.reshape(2, 1, 6), 0.7, 1.9),
    case="three dimensions",
)
check.value("no frost", lambda: mean_regret(p, zero, 2.7, 1.3), case="a = 2.7, b = 1.3")
check.value("no frost", lambda: mean_regret(p, zero, 0.6, 4.9), case="a = 0.6, b = 4.9")
check.value("no frost", lambda: mean_regret(p, zero, 1, 1), case="a = b = 1, whole numbers")
check.value("no frost", lambda: mean_regret(p, zero, 2, 7), case="a = 2, b = 7, whole numbers")
check.value("no frost", lambda: mean_regret(p[:1], zero[:1], 2.7, 1.3), case="one case")
check.value("no frost", lambda: mean_regret(p[2], zero[2], 2.7, 1.3), case="a number")
check.value("no frost", lambda: mean_regret(p[:0], zero[:0], 2.7, 1.3), case="no cases")
check.value(
    "no frost",
    lambda: mean_regret(p.reshape(2, 1, 6), zero.reshape(2, 1, 6), 0.7, 1.9),
    case="three dimensions",
)
check.value("frost", lambda: mean_regret(p, y, 2.7, 1.3) * y, case="both kinds of case, mixed")
check.value("no frost", lambda: mean_regret(p, y, 2.7, 1.3) * (1 - y), case="mixed")
check.value("certain", lambda: mean_regret(sure, both, 2.7, 0.4), case="a = 2.7, b = 0.4")
check.value("certain", lambda: mean_regret(sure, both, 0.3, 0.7), case="a = 0.3, b = 0.7")
check.value("certain", lambda: mean_regret(sure[2], both[2], 3.3, 0.9), case="a number")
check.value(
    "certain",
    lambda: mean_regret(sure.abs() * (1 - 2e-6) + 1e-6, both, 2.3, 1.7),
    case="p almost 0 and almost 1",
)
check.value("alike", lambda: mean_regret(0.3 + 0.02 * p, y, 593.0, 1307.0), case="costs near 0.3")
check.value("alike", lambda: mean_regret(0.9 + 0.1 * p, y, 1900, 41), case="costs near 1")
check.value("alike", lambda: mean_regret(0.1 * p, y, 13.7, 1700.0), case="costs near 0")
check.value("alike", lambda: mean_regret(p, y, 0.07, 0.09), case="costs near both ends")
check.value("alike", lambda: mean_regret(p, y, 0.06, 3.1), case="a near 0")
check.value("alike", lambda: mean_regret(p, y, 2.3, 0.06), case="b near 0")
check.value(
    "alike", lambda: mean_regret(sure, both, 731.0, 419.0), case="p of 0 and 1, costs near 0.64"
)
edge = torch.tensor([1e-6, 1 - 1e-6, 4e-6, 1 - 4e-6, 1e-3, 0.999, 0.0, 1.0]).double()
alarm = torch.tensor([1, 0, 1, 0, 1, 0, 1, 0])
fine = (torch.arange(100.0).double() * 0.618) % 1
froze = (torch.arange(100) * 7 % 3 == 1).long()
for kept in ((sure[1:2], both[3:]), (sure[0], both[0]), (edge, alarm)):
    check.keeps(
        "alike",
        lambda p, y: mean_regret(p, y, 2000, 0.05),
        *(v.clone() for v in kept),
        case="inputs are left as they are",
    )
check.value("frost", lambda: mean_regret(p[:, None], one[:, None], 2.7, 1.3), case="a column")
check.value("no frost", lambda: mean_regret(p[:, None], zero[:, None], 2.7, 1.3), case="a column")
check.value(
    "frost", lambda: mean_regret(p[:1, None], one[:1, None], 2.7, 1.3), case="shape (1, 1)"
)
check.value(
    "frost", lambda: mean_regret(p[:0].reshape(2, 0), y[:0].reshape(2, 0), 3, 2), case="(2, 0)"
)
check.value(
    "frost", lambda: mean_regret(p[:0].reshape(0, 3), y[:0].reshape(0, 3), 3, 2), case="(0, 3)"
)
across, frozen = p.reshape(3, 4).T, y.reshape(3, 4).T
check.value("frost", lambda: mean_regret(across, frozen, 2.7, 1.3) * frozen, case="transposed")
check.value(
    "no frost", lambda: mean_regret(across, frozen, 2.7, 1.3) * (1 - frozen), case="transposed"
)
for a, b in ((0.4, 1), (1, 0.6), (7.3, 7.3), (0.7, 0.7), (3.1, 1), (1, 2.2)):
    check.value("frost", lambda a=a, b=b: mean_regret(p, one, a, b), case="a or b is 1, or a is b")
    check.value("no frost", lambda a=a, b=b: mean_regret(p, zero, a, b), case="one of 1, or equal")
check.value("frost", lambda: mean_regret(fine, 0 * froze + 1, 3, 2.2), case="a hundred cases")
check.value("no frost", lambda: mean_regret(fine, 0 * froze, 3, 2.2), case="a hundred cases")
check.value(
    "alike",
    lambda: mean_regret(fine.reshape(2, 5, 10), froze.reshape(2, 5, 10), 400, 300),
    case="three dimensions",
)


def rest(p, y, a, b):  # what is left of the regret beside the exact one: below 1e-7
    exact = [special.betaincc(a, b + 1, p) * b, special.betainc(a + 1, b, p) * a]
    return mean_regret(p, y, a, b) - torch.where(y == 1, *exact) / (a + b)


for a, b in ((1.7, 0.9), (3.3, 7.1), (0.05, 0.07)):
    check.value("frost", lambda a=a, b=b: rest(fine, 0 * froze + 1, a, b), case="seven digits")
    check.value("no frost", lambda a=a, b=b: rest(fine, 0 * froze, a, b), case="seven digits")
for a, b in ((130, 210.5), (2000, 1330), (0.06, 1900)):
    check.value("alike", lambda a=a, b=b: rest(fine, froze, a, b), case="seven digits")
for a, b in ((0.05, 0.05), (0.05, 3.3), (2.1, 0.05), (1, 1), (0.05, 2000), (2000, 0.05)):
    check.value(
        "certain", lambda a=a, b=b: mean_regret(sure, both, a, b), case="smallest, largest"
    )
    check.value(
        "certain", lambda a=a, b=b: mean_regret(edge, alarm, a, b), case="p next to 0 and 1"
    )
    check.value(
        "certain", lambda a=a, b=b: mean_regret(edge, 1 - alarm, a, b), case="next to 0 and 1"
    )
    check.value(
        "alike", lambda a=a, b=b: mean_regret(fine, froze, a, b), case="smallest and largest a, b"
    )
for a, b in ((2000, 2000), (2000, 1), (1, 2000), (1990.0, 1330), (0.06, 0.05), (900, 17)):
    close = (a / (a + b) + 0.05 * (fine - 0.5)).clamp(0, 1)
    check.value(
        "alike", lambda p=close, a=a, b=b: mean_regret(p, froze, a, b), case="costs hardly differ"
    )
    check.value("alike", lambda a=a, b=b: mean_regret(edge, alarm, a, b), case="p next to 0 and 1")

# %% [markdown]
# ## Exercise 7. Stations share their weather (12 min, 5 points)
#
# Two forecasters are scored on the same cases: many stations, on some days. On a day the stations
# share their weather, so that cases of one day are no independent evidence; days are taken as
# independent of each other. Write `lead_by_day(loss_a, loss_b, day)`, which returns the tuple
# `(lead, error, days)`. With the differences $d_i = $ `loss_a[i]` − `loss_b[i]`:
#
# - `lead`, $\bar d$, the mean of $d_i$ over **all cases**: positive if B is better;
# - `error`, its standard error that allows for days. With $R_g = \sum_{i \in g} (d_i - \bar d)$,
#   summed over the cases of day $g$, $n$ cases and $G$ days,
#
#   $$\text{error} = \frac1n \sqrt{\frac{G}{G - 1} \sum_g R_g^2}\;;$$
# - `days`, an int: the smallest number of such days for which the lead is at least 2.8 standard
#   errors, if the lead stays as it is and the standard error shrinks as one over the square root
#   of the number of days. (At 2.8, a true lead is found significant in about 80% of such studies.)
#
# Details:
#
# - `loss_a` and `loss_b` have shape `(n,)`; `day` is int64, of shape `(n,)`: the label of each
#   case. Labels are in any order, may be negative or large, and need not be consecutive; days have
#   different numbers of cases. There are at least two days.
# - Losses are at most $10^8$ in size, and may differ by a hundredth then; labels are at most
#   $10^{12}$. Neither lead nor error is 0; `days` does not depend on rounding, is counted for a
#   lead of either sign, and lies between 1 and 10 000.
#
# Points: lead 1, error 2, days 1, labels 1. The aspect "labels" is about unusual labels and about
# days of one case.


# %% exercise="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    """Return B's lead, its standard error over days, and how many days would show it."""
    ### BEGIN SOLUTION
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days
    ### END SOLUTION


# %% [markdown] why="lead-by-day"
# Stations of one day share its luck, so a day is one observation, however many stations it has.
# Summed by day, the deviations show how much of the luck does not average out.

# %% checks="lead-by-day" points=5
check = Checks("lead-by-day")
ours = torch.tensor([1.9, 0.3, 2.2, 1.0, 0.4, 1.7, 2.9], dtype=torch.float64)
theirs = torch.tensor([1.2, 0.5, 1.1, 1.3, 0.2, 1.6, 1.8], dtype=torch.float64)
when = torch.tensor([2, 0, 2, 1, 1, 0, 2])
check.keeps("lead", lead_by_day, ours.clone(), theirs.clone(), when.clone())
check.value("lead", lambda: lead_by_day(ours, theirs, when)[0], points=1)
check.value("error", lambda: lead_by_day(ours, theirs, when)[1], points=2)
check.value("days", lambda: lead_by_day(ours, theirs, when)[2], points=1)
check.value("labels", lambda: lead_by_day(ours, theirs, 700 - 90 * when)[1], points=1)
check.report()

# %% hidden="lead-by-day"
t = torch.arange(40, dtype=torch.float64)
k = torch.arange(40)
a = 1.7 * torch.sin(1.3 * t).square() + 0.23 * torch.cos(t * t)
day = (7 * k * k + k) % 11
b = 1.7 * torch.sin(1.3 * t).square() - 0.11 - 0.19 * torch.sin(day * 1.9) + 0.1 * torch.cos(3 * t)
two = (k > 12).long()
low = (b - 0.3, a + 0.2)
check.value("lead", lambda: lead_by_day(a, b, day)[0], case="forty cases, many days")
check.value("lead", lambda: lead_by_day(*low, day)[0], case="a negative lead")
check.value("lead", lambda: lead_by_day(a, b, day.sort().values)[0], case="days in order")
check.value("lead", lambda: lead_by_day(a, b, two)[0], case="two unequal days")
check.value("lead", lambda: lead_by_day(a[:9], b[:9], k[:9])[0], case="one case a day")
check.value(
    "lead",
    lambda: lead_by_day(0.01 * a + 91000000.0, 0.01 * b + 91000000.0, day)[0],
    case="large losses that hardly differ",
)
check.value(
    "lead",
    lambda: 1000000.0 * lead_by_day(1e-06 * a, 1e-06 * b, day)[0],
    case="losses of the size of a millionth",
)
check.value("labels", lambda: lead_by_day(a, b, 10**12 - 37 * day)[0], case="large labels")
check.value("labels", lambda: lead_by_day(a, b, -3 * day - 5)[0], case="negative labels")
check.value(
    "labels",
    lambda: lead_by_day(a[:2], b[:2], torch.tensor([4, -9]))[0],
    case="two cases, two days",
)
check.value("labels", lambda: lead_by_day(a, b, 3 * k)[0], case="one case a day, gaps")
check.value("labels", lambda: lead_by_day(a, b, (k > 38).long() * 5)[0], case="a day of one case")
check.value("error", lambda: lead_by_day(a, b, day)[1], case="forty cases, many days")
check.value("error", lambda: lead_by_day(*low, day)[1], case="a negative lead")
check.value("error", lambda: lead_by_day(a, b, day.sort().values)[1], case="days in order")
check.value("error", lambda: lead_by_day(a, b, two)[1], case="two unequal days")
check.value("error", lambda: lead_by_day(a[:9], b[:9], k[:9])[1], case="one case a day")
check.value(
    "error",
    lambda: lead_by_day(0.01 * a + 91000000.0, 0.01 * b + 91000000.0, day)[1],
    case="large losses that hardly differ",
)
check.value(
    "error",
    lambda: 1000000.0 * lead_by_day(1e-06 * a, 1e-06 * b, day)[1],
    case="losses of the size of a millionth",
)
check.value("labels", lambda: lead_by_day(a, b, 10**12 - 37 * day)[1], case="large labels")
check.value("labels", lambda: lead_by_day(a, b, -3 * day - 5)[1], case="negative labels")
check.value(
    "labels",
    lambda: lead_by_day(a[:2], b[:2], torch.tensor([4, -9]))[1],
    case="two cases, two days",
)
check.value("labels", lambda: lead_by_day(a, b, 3 * k)[1], case="one case a day, gaps")
check.value("labels", lambda: lead_by_day(a, b, (k > 38).long() * 5)[1], case="a day of one case")
check.value("days", lambda: lead_by_day(a, b, day)[2], case="forty cases, many days")
check.value("days", lambda: lead_by_day(*low, day)[2], case="a negative lead")
check.value("days", lambda: lead_by_day(a, b, day.sort().values)[2], case="days in order")
check.value("days", lambda: lead_by_day(a, b, two)[2], case="two unequal days")
check.value("days", lambda: lead_by_day(a[:9], b[:9], k[:9])[2], case="one case a day")
check.value(
    "days",
    lambda: lead_by_day(0.01 * a + 91000000.0, 0.01 * b + 91000000.0, day)[2],
    case="large losses that hardly differ",
)
check.value(
    "days",
    lambda: 1000000.0 * lead_by_day(1e-06 * a, 1e-06 * b, day)[2],
    case="losses of the size of a millionth",
)
check.value("labels", lambda: lead_by_day(a, b, 10**12 - 37 * day)[2], case="large labels")
check.value("labels", lambda: lead_by_day(a, b, -3 * day - 5)[2], case="negative labels")
check.value(
    "labels",
    lambda: lead_by_day(a[:2], b[:2], torch.tensor([4, -9]))[2],
    case="two cases, two days",
)
check.value("labels", lambda: lead_by_day(a, b, 3 * k)[2], case="one case a day, gaps")
check.value("labels", lambda: lead_by_day(a, b, (k > 38).long() * 5)[2], case="a day of one case")
check.value("days", lambda: lead_by_day(a, b - 5.3, day)[2], case="a lead that is plain to see")
check.value("days", lambda: lead_by_day(a, b + 0.21, day)[2], case="a small lead")
v = torch.arange(100.0).double()
c, e = torch.sin(v * v), torch.cos(v**1.5)
apart = torch.arange(100) * 7 % 61  # 61 days, some of one case
far = torch.tensor([10**12, -(10**12), 10**12 - 1, 3, -3, 3 + 2**32, 0])[torch.arange(40) % 7]
for kept in ((a, b, -3 * k), (a, b, -day), (a[:2], b[:2], k[:2]), (c, e, apart)):
    check.keeps("labels", lead_by_day, *(v.clone() for v in kept), case="inputs are left")
studies = (
    (c, e - 0.3, apart),
    (c, e + 0.4, 5 * torch.arange(100)),
    (c, e - 0.2, apart // 31),
    (c, e - 0.2, apart // 54),
    (990 + 1e-2 * a, 990 + 1e-2 * b, day),
)
for g in studies:
    check.value("lead", lambda g=g: lead_by_day(*g)[0], case="a hundred cases, two to many days")
    check.value("error", lambda g=g: lead_by_day(*g)[1], case="a hundred cases, two to many days")
    check.value("days", lambda g=g: lead_by_day(*g)[2], case="a hundred cases, two to many days")
for g in (far, day % 3 - 1, 10**12 - day % 2, 10**10 * day, 2**36 * day):
    check.value("labels", lambda g=g: lead_by_day(a, b, g)[0], case="labels of both signs, large")
    check.value("labels", lambda g=g: lead_by_day(a, b, g)[1], case="labels of both signs, large")
    check.value("labels", lambda g=g: lead_by_day(a, b, g)[2], case="labels of both signs, large")
check.value("labels", lambda: lead_by_day(a[:3], b[:3], k[:3] // 2), case="three cases, two days")
check.value("days", lambda: isinstance(lead_by_day(a, b, day)[2], int), case="an int")
tied = torch.where(k % 3 == 0, b, a)  # in some cases both have the same loss
check.value("lead", lambda: lead_by_day(tied, b, day)[0], case="the same loss in some cases")
check.value("error", lambda: lead_by_day(tied, b, day)[1], case="the same loss in some cases")
check.value("days", lambda: lead_by_day(tied, b, day)[2], case="the same loss in some cases")
mix = (k * 7 % 40, k // 5 * 5, k % 8 * 5)  # eight days of five cases, in three orders
for order in mix:
    g = (a, b, order // 5)
    check.value("error", lambda g=g: lead_by_day(*g)[1], case="as many cases each day")
    check.value("days", lambda g=g: lead_by_day(*g)[2], case="as many cases each day")
third = torch.tensor([1.25, 2.5, 3.75, 2.5]).double()  # on the second day nothing deviates
for order in (k[:4], torch.tensor([0, 1, 1, 2])):
    g = (third, 0 * third, order)
    check.value("error", lambda g=g: 1.0371 * lead_by_day(*g)[1], case="a day just as the mean")
    check.value("labels", lambda g=g: lead_by_day(*g)[2], case="a day just as the mean")
spread = a - b - (a - b).mean()
for lead in (-0.00503, 0.0053, 0.0097, 0.031, -0.053, 0.31, 1.3, -2.3, 31.0):
    check.value(
        "days", lambda m=lead: lead_by_day(spread + m, 0 * b, day)[2], case="from one to thousands"
    )
check.law(
    "error",
    "equal",
    lambda: lead_by_day(a, b, day)[1],
    lambda: lead_by_day(b, a, day)[1],
    lambda: lead_by_day(a.flip(0), b.flip(0), day.flip(0))[1],
    case="A and B exchanged, cases in another order",
)
large = (1e8 - 3 + 0.01 * a, 7.0 + 0 * b, day)
check.value(
    "error", lambda: lead_by_day(*large)[1], case="a lead of nearly 1e8 that hardly varies"
)
check.value("lead", lambda: lead_by_day(*large)[0], case="a lead of nearly 1e8 that hardly varies")
_v = torch.arange(100)
near = (
    1e8 - 1 - 0.01 * torch.sin(1.3 * _v.double()).square(),
    1e8 - 1 - 0.013 * torch.cos(2.9 * _v.double().square()).square(),
)
check.value(
    "error",
    lambda: 1e4 * lead_by_day(*near, _v % 2)[1],
    case="fifty cases a day, losses near 1e8",
)

# %% [markdown]
# ## Exercise 8. In words: a perfect report (5 min, 3 points)
#
# A vendor of demand forecasts reports for last year: "Of all days, 90.0% lay inside our 0.9
# intervals, and at each of nineteen quantile levels the share of days below our quantile was right
# to within half a percentage point. Our forecasts cannot be improved." Answer in at most 120
# words: describe a forecaster who knows nothing about single days and can report the same; say
# what to ask the vendor for instead, and why nobody gains by gaming that; and name one thing that
# could still mislead about that number. A person reads and grades this answer; no check runs.

# %% [markdown] written="a-perfect-report" points=3
# ### BEGIN SOLUTION
# Climatology: issue on every day the same distribution, that of demand over the years before.
# Its quantiles are exceeded as often as they should be, and it knows nothing about any single day.
# Calibration and coverage say nothing about sharpness. Ask for the mean CRPS (or the log score) on
# the same days, beside that of climatology, as a difference per day with its standard error. Both
# are proper: whatever one believes about a day, reporting just that gives the best expected score,
# so a report that differs from the belief can only lose. What could still mislead: days that were
# chosen or left out, a difference within its standard error, days that depend on each other, or
# costs that are much higher at one end, which the CRPS weighs like the other.
#
# **Rubric.** One point for climatology (or another forecaster who issues one distribution on all
# days, with a reason why the report fits). One point for a proper score, by name, with the reason:
# the honest report has the best expectation. One point for something that could mislead: chosen
# days, chance without a paired standard error, dependent days, scores that do not weigh what
# matters. "Ask for the width as well", alone, earns nothing: a width can be made small at will.
# ### END SOLUTION
