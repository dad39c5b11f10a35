# %% [markdown]
# # Assignment 10: Mixtures and mixture density networks
#
# Seven exercises in code and one in words, 38 points, about 85 minutes. You write the parts of
# mixtures in which a slip stays silent: densities of vectors, one step of EM that cannot collapse,
# the loss of a network whose targets have holes, regression from a joint mixture, draws, two
# fits compared, and an alarm that keeps a promise.
#
# All tensors of real numbers are float64. Logarithms are natural. Every function leaves its inputs
# and the global random generators as they are. Where an exercise names no other range, numbers are
# at most a thousand in size, what must be positive is at least a thousandth, no axis is empty or
# longer than a hundred, and nothing is infinite or `nan`. Anything that PyTorch, NumPy or SciPy
# offers may be used; where gradients are asked for, they are PyTorch's.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import itertools
import math

import torch
from scipy import stats

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. Which component made this point? (10 min, 5 points)
#
# A mixture of $K$ components for vectors with $D$ entries: component $k$ has the weight $\pi_k$,
# and in it the entries are independent Normals with means `mu[k]` and standard deviations
# `exp(log_sigma[k])`.
#
# Write `density_and_owner(x, logits, mu, log_sigma)`, which returns the tuple `(log_p, log_r)`:
#
# - `log_p`, shape `(n,)`: the log-density of each row of `x` under the mixture;
# - `log_r`, shape `(n, K)`: the log-responsibilities, the logarithms of the probabilities that
#   component $k$ made row $i$.
#
# Details:
#
# - `x` has shape `(n, D)`; `logits` has shape `(K,)`, `mu` and `log_sigma` have
#   shape `(K, D)`; $n, K, D \ge 1$. The weights are $\pi = \mathrm{softmax}(\text{logits})$.
# - A logit may be −∞ (not all of them): that component has weight 0 and log-responsibility −∞.
#   Other logits lie between −800 and 800, `log_sigma` between −20 and 20, $D$ is at most 200.
#   Points are at most $10^5$ in size, and may lie $10^5$ standard deviations from every component.
# - Gradients of `log_p` with respect to `logits`, `mu` and `log_sigma` flow, and are right; the
#   one with respect to a logit of −∞ is 0.
#
# Points: density 1, responsibilities 1, extremes 2, gradient 1.


# %% exercise="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    ### BEGIN SOLUTION
    z = (x[:, None] - mu) / log_sigma.exp()  # (n, K, D)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = logits.log_softmax(0) + each.sum(2)  # (n, K)
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]
    ### END SOLUTION


# %% [markdown] why="density-and-owner"
# Weight times density, as a sum of logarithms, is the joint; its `logsumexp` over the components
# is the density, and the joint less that is the logarithm of Bayes' rule. No probability is
# formed, so none underflows.

# %% checks="density-and-owner" points=5
check = Checks("density-and-owner")
points = torch.tensor([[0.3, -1.0], [2.0, 0.7], [1.1, 4.0]], dtype=torch.float64)
lean = torch.tensor([0.4, -0.9, 1.3], dtype=torch.float64)
centres = torch.tensor([[0.0, 0.0], [1.6, -0.7], [2.0, 3.1]], dtype=torch.float64)
log_widths = torch.tensor([[0.1, -0.6], [0.3, 0.2], [-0.4, 0.5]], dtype=torch.float64)
shown = (points, lean, centres, log_widths)
check.keeps("density", density_and_owner, *(t.clone() for t in shown))
check.value("density", lambda: density_and_owner(*shown)[0], points=1)
check.value("responsibilities", lambda: density_and_owner(*shown)[1], points=1)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(900 * points, 300 * lean, centres, log_widths)),
    points=2,
    case="far points, large logits",
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(points, lean, m, log_widths)[0],
    centres,
    points=1,
)
check.gradient("gradient", lambda g: density_and_owner(points, g, centres, log_widths)[0], lean)
check.report()

# %% hidden="density-and-owner"
_t = torch.linspace(-1.9, 2.3, 15, dtype=torch.float64)
_x = 2.1 * torch.sin(4 * _t).reshape(5, 3)
_g = torch.tensor([0.7, -1.3, 0.2, 1.9], dtype=_t.dtype)
_m = 1.7 * torch.cos(5 * _t[:12]).reshape(4, 3)
_s = 0.6 * torch.sin(7 * _t[:12] + 0.4).reshape(4, 3)
_off = torch.tensor([0.7, -math.inf, 0.2, 1.9], dtype=_t.dtype)
_wide = torch.cos(torch.arange(600, dtype=_t.dtype)).reshape(3, 200)
_rows = torch.linspace(0.3, 1.7, 5, dtype=_t.dtype)
check.value("density", lambda: density_and_owner(_x, _g, _m, _s)[0], case="five rows, D = 3")
check.value("density", lambda: density_and_owner(_x[:1], _g, _m, _s)[0], case="one row")
check.value(
    "density", lambda: density_and_owner(_x, _g[:1], _m[:1], _s[:1])[0], case="one component"
)
check.value(
    "density",
    lambda: density_and_owner(_x[:, :1], _g, _m[:, :1], _s[:, :1])[0],
    case="vectors of one entry",
)
check.value(
    "density", lambda: density_and_owner(_x[:, :3], _g[:3], _m[:3], _s[:3])[0], case="K equal to D"
)
check.law(
    "density",
    "equal",
    lambda: density_and_owner(_x, _g, _m, _s)[0],
    lambda: density_and_owner(_x, _g + 3.7, _m, _s)[0],
    lambda: density_and_owner(_x, _g.flip(0), _m.flip(0), _s.flip(0))[0],
    lambda: density_and_owner(_x * 1.9, _g, _m * 1.9, _s + math.log(1.9))[0] + 3 * math.log(1.9),
    case="shifted logits, components in another order, other units",
)
check.value(
    "responsibilities", lambda: density_and_owner(_x, _g, _m, _s)[1], case="five rows, D = 3"
)
check.value("responsibilities", lambda: density_and_owner(_x[3:4], _g, _m, _s)[1], case="one row")
check.value(
    "responsibilities",
    lambda: density_and_owner(_x[:, :1], _g, _m[:, :1], _s[:, :1])[1],
    case="vectors of one entry",
)
check.law(
    "responsibilities",
    "sums_to_one",
    lambda: density_and_owner(_x, _g, _m, _s)[1].exp(),
    case="five rows, D = 3",
)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(_x, _off, _m, _s)),
    case="a component with weight 0",
)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(_x, 411.3 * _g, _m, _s)),
    case="logits in the hundreds",
)
check.value(
    "extremes",
    lambda: density_and_owner(41 + 3 * _x, _g, _m, _s - 1)[1],
    case="responsibilities of far points",
)
check.value(
    "extremes",
    lambda: density_and_owner(5.3e4 + _x, _g, _m, _s)[0],
    case="points near 100000 standard deviations",
)
check.value(
    "extremes",
    lambda: density_and_owner(_wide[:2], _g[:3], 0.3 * _wide.flip(1), 0.1 * _wide - 3)[0],
    case="200 entries, narrow components",
)
check.value(
    "extremes",
    lambda: density_and_owner(_wide[:2], _g[:3], 0.3 * _wide.flip(1), 0.1 * _wide + 8.3)[0],
    case="200 entries, wide components",
)
check.value(
    "extremes",
    lambda: density_and_owner(_m + 1e-9 * _x[:4], _g, _m, _s - 19)[0],
    case="points at the centres of needles",
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(_x, _g, m, _s)[0] * _rows,
    _m,
    case="with respect to mu",
)
check.gradient(
    "gradient",
    lambda s: density_and_owner(_x, _g, _m, s)[0] * _rows,
    _s,
    case="with respect to log_sigma",
)
check.gradient(
    "gradient",
    lambda g: density_and_owner(_x, g, _m, _s)[0] * _rows,
    _g,
    case="with respect to the logits",
)
check.gradient(
    "gradient",
    lambda g: density_and_owner(_x, g, _m, _s)[0] * _rows,
    _off,
    case="logits, one of them -inf",
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(_x, _off, m, _s)[0] * _rows,
    _m,
    case="mu, a component with weight 0",
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(77 + _x, _g, m, _s - 1)[0] * _rows,
    _m,
    case="mu, far points",
)
check.gradient(
    "gradient",
    lambda g: density_and_owner(_x, g, _m, _s)[0] * _rows,
    411.3 * _g,
    case="logits in the hundreds",
)
_i = torch.arange(112, dtype=_t.dtype)
_eight, _seven = 1.9 * torch.sin(_i[:16] ** 2).reshape(8, 2), torch.cos(_i[:7] ** 2)
_seven_m, _seven_s = torch.cos(_i[:14] ** 2).reshape(7, 2), 0.4 * torch.sin(_i[:14]).reshape(7, 2)
check.value(
    "density",
    lambda: density_and_owner(_eight, _seven, _seven_m, _seven_s)[0],
    case="eight rows, seven components",
)
check.value(
    "responsibilities",
    lambda: density_and_owner(_eight, _seven, _seven_m, _seven_s)[1],
    case="eight rows, seven components",
)
_spot = _m[:1].expand(2, -1)
_poles = torch.tensor([[20.0, -20.0, 20.0], [-20.0, -20.0, 20.0]], dtype=_t.dtype)
_near = torch.tensor([1.0, 1e-9, 1.0], dtype=_t.dtype) * _x[:3] * 1e-9 + _m[:1]
_limits = torch.tensor([800.0, -800.0], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(_near, _limits, _spot, _poles)),
    case="logits of 800 and -800, log_sigma of 20 and -20",
)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(_near, 0.01 * _limits, _spot, 1.0 * _poles.flip(1))),
    case="log_sigma of 20 and -20, all entries alike",
)
check.value(
    "extremes",
    lambda: tuple(
        density_and_owner(
            _x, torch.full_like(_g, -math.inf).index_fill(0, torch.tensor([2]), 0.3), _m, _s
        )
    ),
    case="all components but one with weight 0",
)
check.value(
    "responsibilities",
    lambda: density_and_owner(_x[:1], _g[:1], _m[:1], _s[:1])[1] + 0.37,
    case="one row, one component",
)
check.value(
    "responsibilities",
    lambda: density_and_owner(_x[:1] * 31, _g[:2], _m[:2], _s[:2] - 1)[1],
    case="one far row, two components",
)
_big = torch.sin(torch.arange(9000, dtype=_t.dtype) ** 2)
check.value(
    "density",
    lambda: density_and_owner(
        2 * _big[:200].reshape(100, 2),
        _big[:97],
        _big[:194].reshape(97, 2) * 3,
        _big[194:388].reshape(97, 2),
    )[0],
    case="a hundred rows, 97 components",
)
check.gradient(
    "gradient",
    lambda s: density_and_owner(_x, _g, _m, s)[0] * _rows,
    1.4 + _s,
    case="log_sigma, wide components",
)
check.gradient(
    "gradient",
    lambda s: density_and_owner(_near, 0.01 * _limits, _spot, s)[0] * _rows[:3],
    _poles.flip(1),
    case="log_sigma of 20 and -20",
)
check.gradient(
    "gradient",
    lambda s: density_and_owner(77 + _x, _off, _m, s)[0] * _rows,
    _s - 1,
    case="log_sigma, far points, a component with weight 0",
)
_afar = _m + torch.tensor([[0.0], [700.0], [-700.0], [900.0]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: density_and_owner(
        _m[:1] + 0.01 * _x[:2], torch.cat([_off[1:2], _g[1:]]), _afar, 0.1 * _s - 4.9
    )[0],
    case="points on a component with weight 0, far from all others",
)
_gone = torch.tensor([-math.inf, -math.inf, 0.2, 1.9], dtype=_t.dtype)
check.value(
    "density", lambda: density_and_owner(_x, _gone, _m, _s)[0], case="two empty components"
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(_x, _gone, m, _s)[0].sum(),
    _m,
    case="two empty components",
)
check.gradient(
    "gradient",
    lambda g: density_and_owner(_x, g, _m, _s)[0].sum(),
    _gone,
    case="two logits of minus infinity",
)
_crowd = 901.3 + math.exp(-9.0) * torch.sin(torch.arange(60, dtype=_t.dtype) ** 2).reshape(30, 2)
check.value(
    "extremes",
    lambda: density_and_owner(_crowd, _g[:2], 901.3 + 1e-4 * _m[:2, :2], 0.1 * _s[:2, :2] - 9)[0],
    case="thirty rows, narrow components far from zero",
)
_tall = torch.cos(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100).T  # a hundred rows
check.value(
    "extremes",
    lambda: density_and_owner(3.1e4 + _x, _g, _m, _s + _g[:, None] / 3)[1],
    case="responsibilities of points tens of thousands of deviations away",
)
check.value(
    "responsibilities",
    lambda: density_and_owner(20 + _wide[:2], _g[:3], 0.3 * _wide.flip(1), 0.1 * _wide - 1)[1],
    case="200 entries",
)
check.value(
    "extremes",
    lambda: tuple(density_and_owner(_tall, _off[:2], _m[:2], _s[:2])),
    case="a last component with weight 0",
)
check.value(
    "responsibilities",
    lambda: density_and_owner(_tall + 41, _g[:3] * 0, _m[[0, 1, 0]], _s[[0, 0, 0]] - 2)[1],
    case="two components that are alike",
)
for _n, _k, _d in ((1, 4, 3), (5, 1, 3), (5, 4, 1)):
    _part = _x[:_n, :_d], _g[:_k], _m[:_k, :_d], _s[:_k, :_d]
    for _place in (1, 2, 3):
        check.gradient(
            "gradient",
            lambda v, p=_part, j=_place: density_and_owner(*p[:j], v, *p[j + 1 :])[0],
            _part[_place],
            case="one row, one component, one entry",
        )
for _place in (1, 2, 3):
    check.gradient(
        "gradient",
        lambda v, j=_place: density_and_owner(
            *(_tall, _g, _m, _s)[:j], v, *(_tall, _g, _m, _s)[j + 1 :]
        )[0],
        (_tall, _g, _m, _s)[_place],
        case="a hundred rows",
    )
check.gradient(
    "gradient",
    lambda m: density_and_owner(_wide[:2], _g[:3], m, 0.1 * _wide)[0],
    0.3 * _wide.flip(1),
    case="mu, 200 entries",
)
check.gradient(
    "gradient",
    lambda m: density_and_owner(5.3e4 + _x, _g, m, _s)[0] * _rows * 1e-5,
    _m,
    case="mu, points near 100000 standard deviations",
)
check.gradient(
    "gradient",
    lambda g: density_and_owner(_x, g, _m, _s)[0] * _rows,
    798.1 + _g,
    case="logits near 800",
)


# %% [markdown]
# ## Exercise 2. A step of EM that cannot collapse (15 min, 6 points)
#
# Plain EM can shrink a component onto a single point. A prior on the variances forbids it: it acts
# as if each component had seen $c$ points more, each at the squared distance $s_0^2$ from the
# component's mean, wherever that is. Weights and means get no prior.
#
# Write `careful_em_step(x, pi, mu, var, c, s2)` for numbers `x` of shape `(n,)`, $n \ge 1$. With
# the responsibilities $r_{ik}$ of the **old** parameters and $N_k = \sum_i r_{ik}$, it returns the
# tuple `(pi, mu, var)` of new ones, each of shape `(K,)`:
#
# $$\pi_k = \frac{N_k}{n}, \qquad \mu_k = \frac1{N_k} \sum_i r_{ik}\, x_i, \qquad
#   \sigma_k^2 = \frac{\sum_i r_{ik}\, (x_i - \mu_k)^2 + c\, s_0^2}{N_k + c} ,$$
#
# where $\mu_k$ in the last formula is the **new** mean.
#
# - `pi` sums to 1 and may hold zeros; `var` holds variances, all positive. `c` and `s2` ($s_0^2$)
#   are Python numbers, `s2` positive, `c` not negative and at most a million. Variances and `s2`
#   lie between $10^{-9}$ and $10^7$.
# - A component is **unused** if $N_k$ is exactly 0, because its weight is 0 or because it is so
#   far from all points that every $r_{ik}$ rounds to 0. It gets the weight 0 and keeps its mean.
#   Its variance becomes $s_0^2$ if $c > 0$, as the formula says; if $c = 0$ it keeps its variance.
# - A point may be $10^5$ standard deviations from every component; then it belongs to whichever
#   explains it least badly. Data and means may be as large as $10^7$ while the spread is 1.
#
# With this step, $\sum_i \log p(x_i) - \frac{c}{2} \sum_k (\log \sigma_k^2 + s_0^2 / \sigma_k^2)$
# never falls. (So you can test yourself.)
#
# Points: weights 1, means 1, variances 2, unused 1, far points 1.


# %% exercise="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    ### BEGIN SOLUTION
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var  # (n, K)
    r = joint.softmax(1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    new_var = torch.where(used | (c > 0), spread / (torch.where(used, count, 0.0) + c), var)
    return count / len(x), new_mu, new_var
    ### END SOLUTION


# %% [markdown] why="careful-em"
# The usual M-step divides by the component's count, and a component on a single point gets
# variance 0. The prior adds $c$ imagined points with variance $s^2$ to the sum; a component that
# owns nothing keeps its mean.

# %% checks="careful-em" points=6
check = Checks("careful-em")
seen = torch.tensor([-1.2, 0.3, 0.9, 2.5, 4.1], dtype=torch.float64)
shares = torch.tensor([0.3, 0.7], dtype=torch.float64)
middles = torch.tensor([-0.5, 2.2], dtype=torch.float64)
spreads = torch.tensor([0.6, 1.7], dtype=torch.float64)
three = tuple(torch.cat([t, t[:1]]) for t in (shares, middles - 1.0, spreads))
idle = torch.tensor([0.3, 0.7, 0.0], dtype=torch.float64)
check.keeps(
    "weights",
    lambda *a: careful_em_step(*a, 1.5, 1.9),
    *(t.clone() for t in (seen, shares, middles, spreads)),
)
check.value(
    "weights", lambda: careful_em_step(seen, shares, middles, spreads, 1.5, 1.9)[0], points=1
)
check.value(
    "means", lambda: careful_em_step(seen, shares, middles, spreads, 1.5, 1.9)[1], points=1
)
check.value(
    "variances", lambda: careful_em_step(seen, shares, middles, spreads, 1.5, 1.9)[2], points=2
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(seen, idle, three[1], three[2], 0, 0.4)),
    points=1,
    case="a weight of 0, c = 0",
)
check.value(
    "far points",
    lambda: tuple(careful_em_step(300 * seen, shares, middles, spreads, 1.5, 1.9)),
    points=1,
)
check.report()

# %% hidden="careful-em"
_t = torch.linspace(-2.1, 2.4, 11, dtype=torch.float64)
_x = 2.3 * torch.sin(3 * _t) + 0.7 * _t
_p = torch.tensor([0.17, 0.45, 0.38], dtype=_t.dtype)
_m = torch.tensor([-1.9, 0.4, 2.7], dtype=_t.dtype)
_v = torch.tensor([0.37, 1.9, 0.8], dtype=_t.dtype)
_none = torch.tensor([0.31, 0.0, 0.69], dtype=_t.dtype)
_lost = torch.tensor([-1.9, 7e4, 2.7], dtype=_t.dtype)
_rare = torch.tensor([-1.9, 17.3, 2.7], dtype=_t.dtype)
_base = (_x, _p, _m, _v)
_high = (_x + 2.3e6, _p, _m + 2.3e6, _v)
_one = torch.ones(1, dtype=_t.dtype)

check.value("weights", lambda: careful_em_step(*_base, 0, 0.23)[0], case="c = 0")
check.value(
    "weights",
    lambda: careful_em_step(_x, 0.5 + 0 * _p[:2], _m[:2], _v[:2], 2, 3.1)[0],
    case="two components",
)
check.value(
    "weights", lambda: careful_em_step(*_high, 0.9, 0.23)[0], case="data of the size of a million"
)
check.value(
    "weights",
    lambda: careful_em_step(1e-4 * _x, _p, 1e-4 * _m, 1e-8 * _v, 0.9, 2.3e-9)[0],
    case="data of the size of 0.0001",
)
check.value(
    "means", lambda: careful_em_step(*_base, 0.9, 0.23)[1], case="eleven points, three components"
)
check.value("means", lambda: careful_em_step(*_base, 0, 0.23)[1], case="c = 0")
check.value(
    "means",
    lambda: careful_em_step(_x, 0.5 + 0 * _p[:2], _m[:2], _v[:2], 2, 3.1)[1],
    case="two components",
)
check.value(
    "means",
    lambda: careful_em_step(*_high, 0.9, 0.23)[1] - 2.3e6,
    case="data of the size of a million",
)
check.value(
    "means",
    lambda: careful_em_step(1e-4 * _x, _p, 1e-4 * _m, 1e-8 * _v, 0.9, 2.3e-9)[1] * 1e4,
    case="data of the size of 0.0001",
)
check.value(
    "variances",
    lambda: careful_em_step(*_base, 0.9, 0.23)[2],
    case="eleven points, three components",
)
check.value("variances", lambda: careful_em_step(*_base, 0, 0.23)[2], case="c = 0")
check.value(
    "variances",
    lambda: careful_em_step(_x, 0.5 + 0 * _p[:2], _m[:2], _v[:2], 2, 3.1)[2],
    case="two components",
)
check.value(
    "variances",
    lambda: careful_em_step(*_high, 0.9, 0.23)[2],
    case="data of the size of a million",
)
check.value(
    "variances",
    lambda: careful_em_step(1e-4 * _x, _p, 1e-4 * _m, 1e-8 * _v, 0.9, 2.3e-9)[2] * 1e8,
    case="data of the size of 0.0001",
)
check.value("weights", lambda: careful_em_step(_x[:1], _p, _m, _v, 0.9, 0.23)[0], case="one point")
check.value(
    "means",
    lambda: careful_em_step(_x, 1.0 * _one, 3.3 * _one, 2.1 * _one, 0.7, 1.9)[1],
    case="one component",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, 1.0 * _one, 3.3 * _one, 2.1 * _one, 1.3, 2.37)[2],
    case="one component",
)
check.value(
    "variances",
    lambda: careful_em_step(970 + 1e-4 * _x, 1.0 * _one, 0.0 * _one, 2e6 * _one, 0, 1.9)[2] * 1e8,
    case="narrow data a thousand away from the old mean, c = 0",
)
check.value(
    "variances",
    lambda: careful_em_step(_x[:1], _p[:1] / _p[:1], _m[:1], _v[:1], 0.9, 0.237)[2],
    case="one point, one component",
)
check.value(
    "variances",
    lambda: careful_em_step(*_base, 1e6, 0.237)[2],
    case="a prior worth a million points",
)
check.value(
    "means",
    lambda: careful_em_step(_x, _p, _rare, _v, 0, 0.23)[1],
    case="a component with hardly any responsibility",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, _p, _rare, _v, 0, 0.23)[2],
    case="a component with hardly any responsibility, c = 0",
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(_x, _none, _m, _v, 0, 0.23)),
    case="a weight of 0, c = 0",
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(_x, _p, _lost, _v, 0, 0.23)),
    case="a component far from all points, c = 0",
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(_x, _none, _m, _v, 0.9, 0.23)),
    case="a weight of 0, c > 0",
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(_x, _p, _lost, _v, 0.9, 0.23)),
    case="a component far from all points, c > 0",
)
check.value(
    "far points",
    lambda: tuple(careful_em_step(_x + 57, _p, _m, _v, 0.9, 0.23)),
    case="all points on one side, 57 away",
)
check.value(
    "far points",
    lambda: tuple(careful_em_step(4e3 * _x, _p, _m, _v + 0.21, 0.9, 0.23)),
    case="points thousands of standard deviations away",
)
check.value(
    "far points",
    lambda: tuple(careful_em_step(_x, _p, _m, 2.3e-7 * _v, 0.9, 0.23)),
    case="needles between the points",
)
check.value(
    "far points",
    lambda: tuple(
        careful_em_step(
            torch.cat([_x, _x[:2] + 700]), _none, _m + _lost * 0.01, 2e-4 * _v, 0.9, 0.23
        )
    ),
    case="points on a component with weight 0, far from all others",
)
_i = torch.arange(9, dtype=_t.dtype)
_seven = torch.softmax(torch.cos(_i[:7] ** 2), 0), 3.1 * torch.sin(_i[:7] ** 2), 0.5 + _i[:7] / 9
check.value("weights", lambda: careful_em_step(_x, *_seven, 0.7, 0.31)[0], case="seven components")
check.value("means", lambda: careful_em_step(_x, *_seven, 0.7, 0.31)[1], case="seven components")
check.value(
    "variances", lambda: careful_em_step(_x, *_seven, 0.7, 0.31)[2], case="seven components"
)
_miles = torch.tensor([9.1e4, -7.3e4, 8.8e4], dtype=_t.dtype)
check.value(
    "far points",
    lambda: tuple(careful_em_step(_miles, *_base[1:], 0.9, 0.23)),
    case="all points far away",
)
_pair = torch.tensor([[0.37, 0.63], [-95.3, 95.3], [1.0, 1.0]], dtype=_t.dtype)
check.value(
    "far points",
    lambda: tuple(careful_em_step(0.011 * torch.sin(_t), *_pair, 0.9, 0.23)),
    case="points halfway between two components",
)
_remote = torch.tensor([-1.9, 45.0, 2.7], dtype=_t.dtype)
check.value(
    "means",
    lambda: careful_em_step(_x, _p, _remote, _v, 0, 0.23)[1],
    case="responsibilities of 1e-200",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, _p, _remote, _v, 0, 0.23)[2],
    case="responsibilities of 1e-200, c = 0",
)
check.value(
    "variances", lambda: careful_em_step(*_base, 0.0031, 231.7)[2], case="a small c, a large s2"
)
check.value(
    "unused",
    lambda: tuple(careful_em_step(_x, _none, _m, _v, 0.0031, 2.3)),
    case="a weight of 0, a small c",
)
_many = 2.9 * torch.sin(torch.arange(100, dtype=_t.dtype) ** 2) + 0.02 * torch.arange(100)
check.value("weights", lambda: careful_em_step(_many, *_base[1:], 0.9, 0.23)[0], case="100 points")
check.value("means", lambda: careful_em_step(_many, *_base[1:], 0.9, 0.23)[1], case="100 points")
check.value(
    "variances", lambda: careful_em_step(_many, *_base[1:], 0.9, 0.23)[2], case="100 points"
)
_poles = 9e5 * torch.tensor([-1.0, 1.0], dtype=_t.dtype)
check.value(
    "variances",
    lambda: careful_em_step(
        torch.cat([_x + _poles[0], _x**2 + _poles[1]]),
        0 * _poles + 0.5,
        _poles,
        2 + 0 * _poles,
        0,
        0.23,
    )[2],
    case="two clusters, a million away on either side",
)
_alone = (_x, _one, _m[:1], _v[:1])
_point = (_x[:1], _p, _m, _v)
check.value("weights", lambda: careful_em_step(*_alone, 0.9, 0.23)[0], case="a single component")
check.value("weights", lambda: careful_em_step(*_point, 0.9, 0.23)[0], case="a single point")
check.value("means", lambda: careful_em_step(*_point, 0.9, 0.23)[1], case="a single point")
check.value("variances", lambda: careful_em_step(*_point, 0.9, 0.23)[2], case="a single point")
_brink = torch.stack([_m[0], _x.max() + 37, _m[2]])
_ghost = torch.tensor([1e-40, 0.37, 0.63], dtype=_t.dtype)
check.value(
    "means",
    lambda: careful_em_step(_x, _p, _brink, 1.0 + 0 * _v, 0, 0.23)[1],
    case="responsibilities of 1e-300",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, _p, _brink, 1.0 + 0 * _v, 0, 0.23)[2],
    case="responsibilities of 1e-300, c = 0",
)
for _c in (1e-12, 1e-7, 3e-5):
    check.value(
        "unused",
        lambda c=_c: tuple(careful_em_step(_x, _none, _m, _v, c, 971.3)),
        case="a weight of 0, a tiny c, a large s2",
    )
check.value(
    "far points",
    lambda: tuple(
        careful_em_step(torch.cat([_x, 700 + _x]), _ghost, _m + 700 * (_m < 0), _v, 0, 1)
    ),
    case="a weight of 1e-40 that counts",
)
check.value(
    "variances",
    lambda: careful_em_step(1e-12 * _x, _p, 1e-12 * _m, 1e-9 + 0 * _v, 0, 1e-9)[2] * 1e24,
    case="points that nearly fall together, c = 0",
)
check.value(
    "variances",
    lambda: careful_em_step(5e-5 * _x, _p, 5e-5 * _m, 1e-9 + 0 * _v, 0.9, 1e-9)[2] * 1e9,
    case="smallest variances",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, _p, _m, _v, 1.7, 983.1)[2],
    case="a large s2",
)
_crowd = (
    torch.softmax(torch.sin(torch.arange(97) ** 2.0).double(), 0),
    3 * torch.cos(torch.arange(97) ** 2.0).double(),
)
check.value(
    "weights",
    lambda: careful_em_step(_many.round(), *_base[1:], 0.9, 0.23)[0],
    case="a hundred points, many of them equal",
)
check.value(
    "weights",
    lambda: careful_em_step(_x, *_crowd, 0.3 + _crowd[1] ** 2 / 9, 0.02, 3.7)[0],
    case="97 components",
)
check.value(
    "means",
    lambda: careful_em_step(_many.round(), *_base[1:], 0.9, 0.23)[1],
    case="a hundred points, many of them equal",
)
check.value(
    "means",
    lambda: careful_em_step(_x, *_crowd, 0.3 + _crowd[1] ** 2 / 9, 0.02, 3.7)[1],
    case="97 components",
)
check.value(
    "variances",
    lambda: careful_em_step(_many.round(), *_base[1:], 0.9, 0.23)[2],
    case="a hundred points, many of them equal",
)
check.value(
    "variances",
    lambda: careful_em_step(_x, *_crowd, 0.3 + _crowd[1] ** 2 / 9, 0.02, 3.7)[2],
    case="97 components",
)
check.value(
    "far points",
    lambda: tuple(
        careful_em_step(_miles.sign() * 9.1e4 + _miles / 99, _p, _m, 0.85 + 0 * _v, 0.9, 0.23)
    ),
    case="all points 100000 standard deviations away",
)


# %% [markdown]
# ## Exercise 3. Targets with holes (12 min, 5 points)
#
# A mixture density network predicts vectors of $D$ numbers: for each example it puts out $K$
# logits, then $K D$ means, then $K D$ log standard deviations, all in one row. Given the
# component, the $D$ numbers are independent Normals. In the training data some numbers were not
# measured: they are nan. The right loss is the density of **what was measured**: the missing
# numbers are integrated out. (Of independent Normals, that is easy. Dropping the whole row would
# be a waste.)
#
# Write `holey_loss(raw, y)`: the **mean over the $n$ examples**, in nats, of minus the log-density
# of the measured numbers of each.
#
# - `y` has shape `(n, D)`, $n, D \ge 1$, real numbers or nan. An example in which nothing was
#   measured contributes 0, and counts in $n$.
# - `raw` has shape `(n, K + 2 K D)`, and $K$ follows from it. The means of component 0 come first,
#   then those of component 1, and so on; the log standard deviations likewise.
# - Return a 0-d tensor. Gradients with respect to `raw` flow; no nan may reach them. For an
#   example without measurements they are 0.
# - Logits lie between −800 and 800, log standard deviations between −15 and 15. Targets are at
#   most $10^4$ in size, and may lie $10^4$ standard deviations from every component.
#
# Points: value 1, holes 2, extremes 1, gradient 1.


# %% exercise="holey-loss"
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    ### BEGIN SOLUTION
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], dim=1)
    mu, log_sigma = mu.reshape(n, K, D), log_sigma.reshape(n, K, D)
    there = ~y.isnan()
    z = (torch.where(there, y, 0.0)[:, None] - mu) / log_sigma.exp()
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = logits.log_softmax(1) + torch.where(there[:, None], each, 0.0).sum(2)
    return -joint.logsumexp(1).mean()
    ### END SOLUTION


# %% [markdown] why="holey-loss"
# Within a component entries are independent, so a missing one is integrated out by leaving its
# term out. It has to be left out *inside* the sum over components, and replaced before the square:
# a `nan` comes back in the gradient.

# %% checks="holey-loss" points=5
check = Checks("holey-loss")
outputs = 0.9 * torch.sin(1.7 * torch.arange(30, dtype=torch.float64)).reshape(3, 10)  # K = 2
aims = torch.tensor([[0.4, -0.3], [1.0, 0.2], [-0.6, 0.8]], dtype=torch.float64)
holes = torch.tensor([[0.4, math.nan], [math.nan, math.nan], [-0.6, 0.8]], dtype=torch.float64)
check.keeps("value", holey_loss, outputs.clone(), aims.clone())
check.value("value", lambda: holey_loss(outputs, aims), points=1)
check.value("holes", lambda: holey_loss(outputs, holes), points=2)
check.value(
    "extremes",
    lambda: holey_loss(torch.cat([350 * outputs[:, :2], outputs[:, 2:]], 1), 500 * aims),
    points=1,
)
check.gradient("gradient", lambda v: holey_loss(v, holes), outputs, points=1)
check.report()

# %% hidden="holey-loss"
_t = torch.arange(84, dtype=torch.float64)
_raw = 1.1 * torch.cos(2.3 * _t).reshape(4, 21)  # K = 3, D = 3
_y = 1.4 * torch.sin(1.9 * _t[:12]).reshape(4, 3)
_gone = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1]]).bool()
_h = torch.where(_gone, math.nan, _y)
_all = torch.full_like(_y, math.nan)
_loud = torch.cat([280 * _raw[:, :3], _raw[:, 3:]], 1)
_thin = torch.cat([_raw[:, :12], _raw[:, 12:] - 12.7], 1)
check.value("value", lambda: holey_loss(_raw, _y), case="four rows, K = 3, D = 3")
check.value("value", lambda: holey_loss(_raw[1:2], _y[1:2]), case="one row")
check.value("value", lambda: holey_loss(_raw[:, :15], _y[:, :1]), case="targets of one number")
check.value("value", lambda: holey_loss(_raw[:, :7], _y), case="one component, D = 3")
check.value("value", lambda: holey_loss(_raw[:, :20], _y[:, :2]), case="K = 4, D = 2")
check.law(
    "value",
    "equal",
    lambda: holey_loss(_raw, _y),
    lambda: holey_loss(_raw.repeat(2, 1), _y.repeat(2, 1)),
    lambda: holey_loss(_raw.flip(0), _y.flip(0)),
    case="rows twice, rows in another order",
)
check.value("holes", lambda: holey_loss(_raw, _h), case="holes of all kinds")
check.value("holes", lambda: holey_loss(_raw[:1], _h[:1]), case="one row, one hole")
check.value("holes", lambda: holey_loss(_raw[1:2], _h[1:2]), case="one row, two holes")
check.value(
    "holes", lambda: 1.37 + holey_loss(_raw[:2], _all[:2]), case="nothing was measured at all"
)
check.value(
    "holes", lambda: holey_loss(_raw[:, :20], _h[:, :2]), case="holes of all kinds, K = 4, D = 2"
)
check.value("holes", lambda: holey_loss(_raw[:, :7], _h), case="one component, with holes")
check.law(
    "holes",
    "equal",
    lambda: holey_loss(
        _raw[:1, [0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20]], _y[:1, 1:]
    ),
    lambda: holey_loss(_raw[:1], _h[:1]),
    case="a hole against a head without that number",
)
check.value("extremes", lambda: holey_loss(_loud, _y), case="logits in the hundreds")
check.value("extremes", lambda: holey_loss(_loud, _h), case="logits in the hundreds, holes")
check.value("extremes", lambda: holey_loss(_raw, 3e3 * _y), case="far targets")
check.value("extremes", lambda: holey_loss(_raw, 3e3 * _h), case="far targets, holes")
check.value(
    "extremes", lambda: holey_loss(_thin, _raw[:, 3:6] + 1e-6 * _y), case="narrow components"
)
check.gradient("gradient", lambda v: holey_loss(v, _y), _raw, case="four rows, K = 3, D = 3")
check.gradient("gradient", lambda v: holey_loss(v, _h), _raw, case="holes of all kinds")
check.gradient(
    "gradient", lambda v: 1.7 * holey_loss(v, _h), _loud, case="logits in the hundreds, holes"
)
check.gradient("gradient", lambda v: holey_loss(v, 71 * _h), _raw, case="far targets, holes")
check.gradient(
    "gradient", lambda v: holey_loss(v, _h[2:3]), _raw[2:3], case="one row without holes"
)
check.gradient(
    "gradient", lambda v: holey_loss(v, _all[:2]), _raw[:2], case="nothing was measured at all"
)
_rows = torch.sin(_t[:56] ** 2).reshape(8, 7), 1.2 * torch.cos(_t[:24] ** 2).reshape(8, 3)
_many = torch.cat([_rows[0]] * 6, 1)[:, : 6 + 2 * 6 * 3]
check.value("value", lambda: holey_loss(_many, _rows[1]), case="six components, eight examples")
_long = 0.9 * torch.cos(_t[:30] ** 2)[None], 1.1 * torch.sin(_t[:7] ** 2)[None]
check.value("value", lambda: holey_loss(_long[0], _long[1]), case="seven targets, two components")
_split = torch.tensor([[800.0, -800.0, 0.3, 91.0, 0.1, -0.2]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: holey_loss(_split, torch.tensor([[91.3]], dtype=_t.dtype)),
    case="a weight of e to the -1600 that counts",
)
_ends = torch.tensor(
    [
        [800.0, -800.0, 0.7, -1.3, 0.7, -1.3, -15.0, -15.0, 15.0, 15.0],
        [-800.0, 800.0, 2.1, 0.4, 2.1, 0.4, -15.0, 15.0, 15.0, -15.0],
        [0.3, -0.6, -0.9, 1.7, -0.9, 1.7, -15.0, -15.0, -15.0, 15.0],
    ]
).double()
_aims = _ends[:, 2:4] + 2e-7 * torch.tensor([[0.7, -1.1], [0.9, 1.3], [-0.4, 0.8]])
_pits = torch.where(torch.tensor([[0, 1], [0, 0], [1, 0]]).bool(), math.nan, _aims)
check.value("extremes", lambda: holey_loss(_ends, _aims), case="both ends of all ranges")
check.value("extremes", lambda: holey_loss(_ends, _pits), case="both ends of all ranges, holes")
check.gradient(
    "gradient", lambda v: holey_loss(v, _pits) * 1e-6, _ends, case="both ends of all ranges, holes"
)
check.gradient("gradient", lambda v: holey_loss(v, 0 * _h), _raw, case="targets of zero, holes")
check.value("holes", lambda: holey_loss(_raw, 0 * _h), case="targets of zero, holes")
_hundred = torch.sin(torch.arange(1500, dtype=torch.float64) ** 2).reshape(100, 15)
_wants = torch.where(_hundred[:, :3] > 0.5, math.nan, 2 * _hundred[:, 3:6])
check.value(
    "holes",
    lambda: holey_loss(torch.cat([_hundred, _hundred[:, :6].flip(1)], 1), _wants),
    case="a hundred examples",
)
check.keeps("holes", lambda v: holey_loss(v, _h), _raw.clone(), case="a batch with holes")
_thin_raw = torch.sin(torch.arange(9900, dtype=torch.float64) ** 2).reshape(100, 99)
_even = torch.cat([_raw[:, :12], 0.01 * _raw[:, 12:]], 1)
_holed = torch.where(_thin_raw[:, :49] > 0.6, math.nan, 1.7 * _thin_raw[:, 49:98])
check.value("holes", lambda: holey_loss(_raw[:, :15], _h[:, 1:2]), case="one number, with holes")
check.value("holes", lambda: holey_loss(_thin_raw, _holed[:, 3:4]), case="33 components")
check.value("holes", lambda: holey_loss(_thin_raw, _holed), case="49 numbers")
check.gradient(
    "gradient", lambda v: holey_loss(v, _h[:, 1:2]), _raw[:, :15], case="one number, with holes"
)
check.gradient(
    "gradient", lambda v: 90 * holey_loss(v, _holed[:, 3:4]), _thin_raw, case="a hundred examples"
)
check.gradient(
    "gradient", lambda v: 1e-3 * holey_loss(v, 6.3e3 * _h), _even, case="targets thousands away"
)
check.gradient(
    "gradient",
    lambda v: holey_loss(torch.cat([_ends[:, :6], v], 1), _pits),
    _ends[:, 6:],
    case="largest and smallest deviations",
)
check.gradient(
    "gradient", lambda v: holey_loss(v, _all[:1]), _raw[:1], case="one example without a number"
)
check.gradient(
    "gradient",
    lambda v: holey_loss(v, _all[:2]),
    _raw[:2, :7],
    case="one component, nothing was measured",
)


# %% [markdown]
# ## Exercise 4. Regression without a network (12 min, 5 points)
#
# Fit a mixture of $K$ Normals to **pairs** $(x, y)$, and you have a model of $y$ given $x$ for
# free: given $x$, the distribution of $y$ is a mixture again, with weights, means and variances
# that depend on $x$ or not.
#
# Write `given_x(x, pi, mu, cov)`, which returns the tuple `(log_weights, means, variances)`, each
# of shape `(n, K)`: the logarithms of the weights, the means and the variances of the components
# of $p(y \mid x_i)$, in the order of the joint mixture's components.
#
# - `x` has shape `(n,)`, and $n$ may be 0. `pi` has shape `(K,)` and sums to 1; it may hold zeros
#   (not only zeros), and then that log weight is −∞.
# - `mu` has shape `(K, 2)`, `cov` has shape `(K, 2, 2)`: means and covariance matrices of the
#   pairs, first $x$, then $y$. The matrices are symmetric and positive definite; the correlation
#   may come within $10^{-4}$ of 1 or of −1, and the standard deviations lie between $10^{-6}$ and
#   $10^6$.
# - `x` and the means are at most $10^7$ in size, and `x` may lie $10^4$ standard deviations from
#   every component.
#
# Points: weights 2, means 1, variances 1, far away 1.


# %% exercise="given-x"
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    ### BEGIN SOLUTION
    s_xx, s_xy, s_yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]  # (n, K)
    joint = pi.log() - 0.5 * s_xx.log() - 0.5 * gap**2 / s_xx
    slope = s_xy / s_xx
    variances = (s_yy - slope * s_xy).expand(len(x), -1)
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances
    ### END SOLUTION


# %% [markdown] why="given-x"
# Each component is conditioned as a Normal: its mean moves with slope $s_{xy}/s_{xx}$, its
# variance shrinks, whatever $x$ is. The weights change by how well each component explains $x$
# alone.

# %% checks="given-x" points=5
check = Checks("given-x")
asked = torch.tensor([-0.7, 0.4, 2.9], dtype=torch.float64)
parts = torch.tensor([0.6, 0.4], dtype=torch.float64)
spots = torch.tensor([[0.0, 1.3], [2.1, -0.8]], dtype=torch.float64)
shapes = torch.tensor([[[1.2, 0.7], [0.7, 0.9]], [[0.6, -0.5], [-0.5, 2.3]]], dtype=torch.float64)
check.keeps("weights", given_x, *(t.clone() for t in (asked, parts, spots, shapes)))
check.value("weights", lambda: given_x(asked, parts, spots, shapes)[0], points=2)
check.value("means", lambda: given_x(asked, parts, spots, shapes)[1], points=1)
check.value("variances", lambda: given_x(asked, parts, spots, shapes)[2], points=1)
check.value("far away", lambda: tuple(given_x(600 * asked, parts, spots, shapes)), points=1)
check.report()

# %% hidden="given-x"
_t = torch.linspace(-1.7, 2.2, 6, dtype=torch.float64)
_w = torch.tensor([0.23, 0.41, 0.36], dtype=_t.dtype)
_mu = 1.9 * torch.sin(5 * _t).reshape(3, 2)
_rho = torch.tensor([0.63, -0.84, 0.21], dtype=_t.dtype)
_tight = torch.tensor([0.9998, -0.9997, 0.997], dtype=_t.dtype)
_sx = torch.tensor([0.7, 1.3, 2.1], dtype=_t.dtype)
_sy = torch.tensor([1.6, 0.45, 0.9], dtype=_t.dtype)
_holes = torch.tensor([0.37, 0.0, 0.63], dtype=_t.dtype)
_units = torch.tensor([1e-5, 1e5], dtype=_t.dtype)


def _covs(_a, _b, _r):
    return torch.stack([_a**2, _r * _a * _b, _r * _a * _b, _b**2], -1).reshape(-1, 2, 2)


_c, _ct = _covs(_sx, _sy, _rho), _covs(_sx, _sy, _tight)
check.value("weights", lambda: given_x(_t, _w, _mu, _c)[0], case="six values, three components")
check.value("weights", lambda: given_x(_t[1:2], _w, _mu, _c)[0], case="one value of x")
check.value("weights", lambda: given_x(_t[:0], _w, _mu, _c)[0], case="no value of x")
check.value(
    "weights", lambda: given_x(_t[:3], _w, _mu, _c)[0], case="as many values as components"
)
check.value("weights", lambda: given_x(_t, _w, _mu, _ct)[0], case="correlations close to 1")
check.value(
    "weights",
    lambda: given_x(1e-5 * _t, _w, _mu * _units, _covs(1e-5 * _sx, 1e5 * _sy, _rho))[0],
    case="x of the size of 0.00001, y of 100000",
)
check.value("means", lambda: given_x(_t, _w, _mu, _c)[1], case="six values, three components")
check.value("means", lambda: given_x(_t[1:2], _w, _mu, _c)[1], case="one value of x")
check.value("means", lambda: given_x(_t[:0], _w, _mu, _c)[1], case="no value of x")
check.value("means", lambda: given_x(_t[:3], _w, _mu, _c)[1], case="as many values as components")
check.value("means", lambda: given_x(_t, _w, _mu, _ct)[1], case="correlations close to 1")
check.value(
    "means",
    lambda: given_x(1e-5 * _t, _w, _mu * _units, _covs(1e-5 * _sx, 1e5 * _sy, _rho))[1] * 1e-5,
    case="x of the size of 0.00001, y of 100000",
)
check.value("variances", lambda: given_x(_t, _w, _mu, _c)[2], case="six values, three components")
check.value("variances", lambda: given_x(_t[1:2], _w, _mu, _c)[2], case="one value of x")
check.value("variances", lambda: given_x(_t[:0], _w, _mu, _c)[2], case="no value of x")
check.value(
    "variances", lambda: given_x(_t[:3], _w, _mu, _c)[2], case="as many values as components"
)
check.value("variances", lambda: given_x(_t, _w, _mu, _ct)[2], case="correlations close to 1")
check.value(
    "variances",
    lambda: given_x(1e-5 * _t, _w, _mu * _units, _covs(1e-5 * _sx, 1e5 * _sy, _rho))[2] * 1e-10,
    case="x of the size of 0.00001, y of 100000",
)
check.value("weights", lambda: given_x(_t, _holes, _mu, _c)[0], case="a weight of 0")
check.value(
    "means",
    lambda: given_x(_t, 1.0 + 0 * _w[:1], _mu[:1], _c[:1])[1],
    case="one component",
)
check.value(
    "far away",
    lambda: tuple(given_x(37.3 + _t, _w, _mu, _covs(0 * _sx + 1.3, _sy, _rho))),
    case="x far to the right, equal widths",
)
check.value("far away", lambda: given_x(-83.1 + _t, _w, _mu, _c)[0], case="x far to the left")
check.value(
    "far away",
    lambda: given_x(6e3 * _t, _w, _mu, _c)[0],
    case="x thousands of standard deviations away",
)
check.value(
    "far away",
    lambda: tuple(given_x(51.7 + _t, _holes, _mu, _c)),
    case="x far away, a weight of 0",
)
_thin, _fat = 1.02e-6 * (_sx + 0.3), 4.7e5 * _sx
_shift = torch.tensor([1.0, 0.0], dtype=_t.dtype)
_aside = torch.tensor([[913.7, 0.31], [-877.3, -1.73], [941.1, 2.9]], dtype=_t.dtype)
check.value(
    "far away",
    lambda: given_x(
        0.01 * _t, _holes, _mu + 70 * torch.eye(2, dtype=_t.dtype)[[0, 1, 0]], 1e-3 * _c
    )[0],
    case="x near a component with weight 0, far from all others",
)
check.value(
    "means",
    lambda: given_x(_aside[:, 0], _w, _aside, _covs(_thin, _fat, _rho))[1].diagonal(),
    case="deviations of 1e-6 and 1e6, x at the centres",
)
_i = torch.arange(14, dtype=_t.dtype)
_w7, _mu7 = torch.softmax(torch.cos(_i[:7] ** 2), 0), 1.7 * torch.sin(_i**2).reshape(7, 2)
_c7 = _covs(0.5 + _i[:7] / 9, 1.3 - _i[:7] / 11, 0.8 * torch.cos(_i[:7]))
check.value("weights", lambda: given_x(_t, _w7, _mu7, _c7)[0], case="seven components")
check.value("means", lambda: given_x(_t, _w7, _mu7, _c7)[1], case="seven components")
check.value("variances", lambda: given_x(_t, _w7, _mu7, _c7)[2], case="seven components")
_brim = torch.tensor([0.9999, -0.9999, 0.99987], dtype=_t.dtype)
check.value(
    "variances",
    lambda: given_x(_t, _w, _mu, _covs(_sx, _sy, _brim))[2] * 1e3,
    case="correlations within 1e-4 of 1 and -1",
)
check.value(
    "means",
    lambda: given_x(_t, _w, _mu, _covs(_sx, _sy, _brim))[1],
    case="correlations within 1e-4 of 1 and -1",
)
check.value(
    "weights",
    lambda: given_x(1e-6 * _t, _w, 1e-6 * _mu, _covs(_thin, _fat, _rho))[0],
    case="deviations of 1e-6 and 1e6",
)
check.value(
    "means",
    lambda: given_x(1e-6 * _t, _w, 1e-6 * _mu, _covs(_thin, _fat, _rho))[1] * 1e-6,
    case="deviations of 1e-6 and 1e6",
)
check.value(
    "variances",
    lambda: given_x(1e6 * _t, _w, 1e6 * _mu, _covs(_fat, _thin, _brim))[2] * 1e15,
    case="deviations of 1e6 and 1e-6, correlations close to 1",
)
check.value(
    "far away",
    lambda: given_x(_mu[0, 0] + 6.9e3 * _t.sign(), _w, _mu, _c)[1],
    case="means, x near 10000 standard deviations",
)
check.value(
    "weights",
    lambda: given_x(torch.linspace(-3, 3, 100).double(), _holes, _mu, _c)[0],
    case="a hundred values, a weight of 0",
)
check.value(
    "weights",
    lambda: given_x(907.1 + 1e-6 * _t, _w, 907.1 * _shift + 1e-6 * _mu, _covs(_thin, _fat, _rho))[
        0
    ],
    case="deviations of 1e-6, means near a thousand",
)
check.keeps(
    "weights", given_x, _t.clone(), _holes.clone(), _mu.clone(), _c.clone(), case="a weight of 0"
)
_loose = torch.tensor([0.0, 4e-7, -0.3], dtype=_t.dtype)
_scant = torch.tensor([1e-50, 0.4, 0.6], dtype=_t.dtype)
_sorted = _mu.T.contiguous().T, _c.triu().mT + _c.triu(1)
_k = torch.arange(97, dtype=_t.dtype)
_w97, _mu97 = torch.softmax(torch.sin(_k**2), 0), torch.stack([_k.sin(), 3 * _k.cos()], 1)
_c97 = _covs(0.4 + _k / 70, 1.7 - _k / 80, 0.9 * torch.sin(_k**2))
check.value("weights", lambda: given_x(_t, _scant, *_sorted)[0], case="a weight of 1e-50")
check.value(
    "means",
    lambda: (given_x(6.1e3 * _t.sign(), _w, _mu, _covs(_sx, _sy, _loose))[1] - _mu[:, 1])[:, :2],
    case="correlations of nearly 0",
)
check.value(
    "means",
    lambda: given_x(1e-6 * _t, _w, 1e-6 * _mu, _covs(_thin, _thin, _rho))[1] * 1e6,
    case="all deviations of 1e-6",
)
check.value(
    "variances",
    lambda: given_x(1e-6 * _t, _w, 1e-6 * _mu, _covs(_thin, _thin, _brim))[2] * 1e15,
    case="all deviations of 1e-6, correlations close to 1",
)
check.value(
    "far away",
    lambda: given_x(6e3 * _t.sign(), _w, _mu, _covs(_sx, _fat, _rho))[1] * 1e-9,
    case="means, deviations near a million",
)
check.value(
    "variances", lambda: given_x(_t, 0 * _w[:1] + 1, _mu[1:2], _c[1:2])[2], case="one component"
)
check.value(
    "weights",
    lambda: given_x(_t, _w / 9 + _holes * 8 / 9, _mu[[0, 0, 2]], _c[[0, 0, 2]])[0],
    case="two components alike",
)
check.value("weights", lambda: given_x(_k / 30 - 1, _w97, _mu97, _c97)[0], case="97 of each")
check.value("means", lambda: given_x(_k / 30 - 1, _w97, _mu97, _c97)[1], case="97 of each")
check.value("variances", lambda: given_x(_k / 30 - 1, _w97, _mu97, _c97)[2], case="97 of each")


# %% [markdown]
# ## Exercise 5. One draw for each example (10 min, 5 points)
#
# A mixture density network has put out logits, means and standard deviations, each of shape `(n,
# K)`: a mixture for each of $n$ examples. Handwriting and drawings are sampled from such heads at
# a **temperature** $\tau > 0$: the weights become $\pi = \mathrm{softmax}(\text{logits} / \tau)$,
# and each **variance** is multiplied by $\tau$. To compare temperatures on the same random
# numbers, these are drawn beforehand.
#
# Write `draw(logits, mu, sigma, tau, u, z)`: one draw for each example, shape `(n,)`.
#
# - `u` holds numbers uniform on $[0, 1)$, `z` standard Normal ones, both of shape `(n,)`; $n$ may
#   be 0. `tau` is a Python number. Means may be of the size of $10^7$, and `sigma` may be 0.
# - In example $i$ the component is the smallest $k$ with $u_i < \pi_{i0} + \ldots + \pi_{ik}$. In
#   floating point the weights may sum to less than the largest possible $u$, $1 - 2^{-53}$. If for
#   that reason no $k$ qualifies, it is the last one, whose weight is then not 0. In all other
#   cases a component whose weight rounds to 0 is not drawn, not even where $u_i = 0$. Apart from 0
#   and the largest, no $u_i$ lies within $10^{-10}$ of such a sum, where rounding would decide.
# - The draw is made of that component by $z_i$ times the standard deviation, plus the mean.
# - Logits lie between −800 and 800, $\tau$ between 0.05 and 20.
# - Gradients with respect to `mu` and `sigma` flow, for the component that was drawn; that with
#   respect to a `sigma` of 0 is not looked at.
#
# Points: value 1, temperature 2, edges 1, gradient 1. The aspect "edges" is about $u$ close to 0
# or to 1 and about weights close to 0.


# %% exercise="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    ### BEGIN SOLUTION
    reached = (logits / tau).softmax(1).cumsum(1)[:, :-1]  # the last component has no upper end
    chosen = (u[:, None] >= reached).sum(1, keepdim=True)
    centre, scale = mu.gather(1, chosen)[:, 0], sigma.gather(1, chosen)[:, 0]
    return centre + math.sqrt(tau) * scale * z
    ### END SOLUTION


# %% [markdown] why="mixture-draws"
# First which component, then where in it. $u$ picks the component by the distribution function of
# the weights; the last one takes whatever rounding leaves over.

# %% checks="mixture-draws" points=5
check = Checks("mixture-draws")
preferences = torch.tensor([[0.3, -0.9, 0.8], [1.2, 0.1, -0.4]], dtype=torch.float64)
targets = torch.tensor([[-3.0, 1.0, 4.0], [0.5, 2.0, -1.5]], dtype=torch.float64)
blurs = torch.tensor([[0.4, 1.2, 0.7], [0.9, 0.3, 1.6]], dtype=torch.float64)
uniforms = torch.tensor([0.38, 0.58], dtype=torch.float64)
normals = torch.tensor([0.6, -1.3], dtype=torch.float64)
several = (preferences, targets, blurs)
check.keeps(
    "value",
    lambda *a: draw(*a[:3], 0.8, *a[3:]),
    *(t.clone() for t in (*several, uniforms, normals)),
)
check.value("value", lambda: draw(*several, 1.0, uniforms, normals), points=1)
check.value("temperature", lambda: draw(*several, 0.4, uniforms, normals), points=2)
check.value(
    "edges",
    lambda: draw(800 * preferences.clamp(-1, 1), targets, blurs, 1.0, 0 * uniforms, normals),
    points=1,
    case="u = 0, large logits",
)
check.gradient(
    "gradient",
    lambda m: draw(preferences, m, blurs, 1.0, uniforms, normals) * normals,
    targets,
    points=1,
)
check.gradient("gradient", lambda s: draw(preferences, targets, s, 0.4, uniforms, normals), blurs)
check.report()

# %% hidden="mixture-draws"
_t = torch.arange(28, dtype=torch.float64)
_g = 1.6 * torch.sin(2.3 * _t).reshape(7, 4)
_m = 3.1 * torch.cos(1.9 * _t).reshape(7, 4)
_s = 0.3 + torch.sin(0.7 * _t).reshape(7, 4) ** 2
_u = torch.tensor([0.031, 0.27, 0.463, 0.618, 0.757, 0.893, 0.986], dtype=_t.dtype)
_z = 1.4 * torch.cos(5.3 * _t[:7])
_top = torch.full_like(_u, 1 - 2.0**-53)
_ten = [torch.sin(_k * _t[:7])[:, None] + 1.3 * torch.cos(_t[:10]) for _k in (1.1, 0.3)]
_gone = torch.tensor([[-800.0, 0.3, -0.7, 0.2]], dtype=_t.dtype).expand(7, -1)
_last = torch.tensor([[0.9, -1.1, -760.0, 0.4]], dtype=_t.dtype).expand(7, -1)
check.value("value", lambda: draw(_g, _m, _s, 1.0, _u, _z), case="seven examples")
check.value("value", lambda: draw(_g, _m, _s, 1, _u.flip(0), _z), case="other uniforms")
check.value(
    "value", lambda: draw(_g[:4], _m[:4], _s[:4], 1.0, _u[3:], _z[:4]), case="n equal to K"
)
check.value(
    "value", lambda: draw(_g[2:3], _m[:1], _s[:1], 1.0, _u[3:4], _z[:1]), case="one example"
)
check.value("value", lambda: draw(_g[:0], _m[:0], _s[:0], 1.0, _u[:0], _z[:0]), case="no examples")
check.value(
    "value",
    lambda: draw(_g[:, :1], _m[:, :1], _s[:, :1], 1.0, _u, _z),
    case="one component",
)
check.value(
    "value",
    lambda: (
        100 * draw(_g, 1e6 * _m, 0.01 * _s, 1.0, _u, _z) - 1e8 * draw(_g, _m, 0 * _s, 1.0, _u, _z)
    ),
    case="far means, small deviations",
)
check.value("temperature", lambda: draw(_g, _m, _s, 0.37, _u, _z), case="a low temperature")
check.value("temperature", lambda: draw(_g, _m, _s, 2.9, _u, _z), case="a high temperature")
check.value(
    "temperature", lambda: draw(_g, _m, _s, 0.051, _u.flip(0), _z), case="the lowest temperature"
)
check.value(
    "temperature",
    lambda: draw(250 * _g, _m, _s, 19.7, _u.flip(0), _z),
    case="the highest temperature",
)
check.value(
    "temperature",
    lambda: draw(_g[1:2], _m[1:2], _s[1:2], 7.3, _u[4:5], _z[1:2]),
    case="one example",
)
_rows = _g + 790.0 * torch.tensor([1, -1, -1, 1, 0, -1, 1])[:, None]
check.value("edges", lambda: draw(_rows, _m, _s, 0.91, _u, _z), case="rows of unlike logits")
check.value("edges", lambda: draw(_gone, _m, _s, 1.0, 0 * _u, _z), case="u = 0, a weight of 0")
check.value(
    "edges", lambda: draw(_gone, _m, _s, 1.0, 1e-8 * _u, _z), case="u near 0, a weight of 0"
)
check.value(
    "edges",
    lambda: draw(0 * _ten[0], _ten[0], 0.1 + _ten[1] ** 2, 1.0, _top, _z),
    case="the largest u, ten equal weights",
)
check.value("edges", lambda: draw(_g, _m, _s, 1.3, _top, _z), case="the largest u")
check.value("edges", lambda: draw(_last, _m, _s, 0.9, _u, _z), case="a weight of 0 in the middle")
check.value(
    "edges", lambda: draw(790 * _g.sign(), _m, _s, 0.07, _u, _z), case="logits of -790 and 790"
)
check.value(
    "edges",
    lambda: draw(
        _gone[:, :2] * 0 - torch.tensor([17.3, 0.0]), _m[:, :2], _s[:, :2], 1.0, 7.5e-8 * _u, _z
    ),
    case="a weight of 0.00000003",
)
check.gradient("gradient", lambda m: draw(_g, m, _s, 0.8, _u, _z) * _z, _m, case="means")
check.gradient("gradient", lambda s: draw(_g, _m, s, 0.37, _u, _z), _s, case="deviations")
check.gradient(
    "gradient",
    lambda s: draw(_gone, _m, s, 1.7, _u, _z) * _u,
    _s,
    case="deviations, a weight of 0",
)
check.gradient(
    "gradient",
    lambda m: draw(_g[:1], m, _s[:1], 0.8, _u[2:3], _z[:1]) * 1.37,
    _m[:1],
    case="one example",
)
_near = torch.tensor([[0.3, 0.3]], dtype=_t.dtype), torch.tensor([[1.7, -2.3]], dtype=_t.dtype)
check.value(
    "edges",
    lambda: draw(*_near, 0.4 + 0 * _near[0], 1.0, _u[:1] * 0 + (0.5 - 1e-9), _z[:1]),
    case="u a billionth below a half",
)
_never = torch.tensor([[0.0, -16.0]], dtype=_t.dtype)
check.value(
    "edges",
    lambda: draw(_never, _m[:1, :2], _s[:1, :2], 1.0, 1 - torch.tensor([5e-8]).double(), _z[:1]),
    case="a component of weight 1e-7, drawn",
)
check.value(
    "temperature",
    lambda: draw(250 * _g, _m, _s, 20, _u, _z),
    case="temperature 20, a whole number",
)
check.value("temperature", lambda: draw(_g, _m, _s, 0.05, _u, _z), case="temperature 0.05")
check.value(
    "temperature",
    lambda: draw(799 * _g.sign() + 0.1 * _g, _m, _s, 20.0, _u, _z),
    case="logits near 800, temperature 20",
)
_rows = torch.arange(100, dtype=_t.dtype)
_table = torch.sin(_rows[:, None] + _rows**2), 3 * torch.cos(_rows[:, None] - _rows**2)
_coins = (_rows * 0.618034) % 1.0
check.value(
    "value",
    lambda: draw(*_table, 0.2 + _table[0] ** 2, 1.0, _coins, torch.sin(_rows)),
    case="a hundred examples and components",
)
check.gradient(
    "gradient",
    lambda m: draw(_table[0], m, 0.2 + _table[0] ** 2, 1.0, _coins, torch.sin(_rows)) * _coins,
    _table[1],
    case="means of a hundred components",
)
check.gradient(
    "gradient",
    lambda s: draw(*_table, s, 20, _coins, torch.sin(_rows)),
    0.2 + _table[0] ** 2,
    case="deviations of a hundred components, temperature 20",
)
check.value(
    "edges",
    lambda: draw(_g, _m, _s, 20.0, 0 * _u, _z),
    case="u = 0, temperature 20",
)
check.value(
    "edges",
    lambda: draw(
        0 * _m[:1, :2] - torch.tensor([0, 23.0]), _m[:1, :2], _s[:1, :2], 1, _top[:1], _z[:1]
    ),
    case="the largest u, a last weight of 1e-10",
)
_rare = torch.tensor([[-800.0, 0.0], [-799.0, 1.0]], dtype=_t.dtype)
check.value(
    "temperature",
    lambda: draw(_rare, _m[:2, :2], _s[:2, :2], 20.0, 0 * _u[:2], _z[:2]),
    case="a weight that the temperature lifts from 0",
)
check.keeps(
    "edges",
    lambda *a: draw(*a[:3], 0.07, *a[3:]),
    *(_v.clone() for _v in (_gone, _m, _s, 0 * _u, _z)),
    case="u = 0",
)
_grain = torch.tensor([[0.3, 0.3]], dtype=_t.dtype).expand(2, 2), _m[:2, :2], _s[:2, :2]
_sides = 0.5 + 1.3e-10 * torch.tensor([1.0, -1.0], dtype=_t.dtype)
check.value("edges", lambda: draw(*_grain, 1.0, _sides, _z[:2]), case="u a hair beside a half")
check.value("value", lambda: draw(_g, 3e6 * _m, _s, 1.0, _u, _z), case="means near ten million")
check.value("value", lambda: draw(_g, _m, 700 * _s, 1.0, _u, _z), case="large deviations")
check.value("value", lambda: draw(_g, _m, _s, 1, 0 * _u + 0.41, _z), case="equal uniforms")
check.value("temperature", lambda: draw(_g, _m, _s, 3, _u, _z), case="temperature 3")
check.gradient(
    "gradient", lambda m: draw(_g, m, 0 * _s, 0.8, _u, _z) * _z, _m, case="means, deviations of 0"
)
check.gradient(
    "gradient", lambda m: draw(_g, m, _s, 3, _u, _z) * _u, 3e6 * _m, case="means of millions"
)
check.gradient(
    "gradient",
    lambda m: draw(_g[:, :1], m, _s[:, :1], 0.8, _u, _z) * _z,
    _m[:, :1],
    case="means of one component",
)
check.gradient(
    "gradient",
    lambda s: draw(_g[:, :1], _m[:, :1], s, 7, _u, _z),
    _s[:, :1],
    case="deviations of one component, temperature 7",
)


# %% [markdown]
# ## Exercise 6. Which cluster is which? (10 min, 4 points)
#
# The likelihood of a mixture does not change when its components are numbered differently. Two
# fits of the same data may agree perfectly, and "the mean of component 0" may be 1.5 in one and
# 5.6 in the other. Before fits are averaged or compared, their components must be matched.
#
# Write `match_fits(reference, fits)`, which returns the tuple `(order, average)`:
#
# - `order`, shape `(R, K)`, whole numbers of an integer type: for fit $r$ the order of its
#   components that brings `fits[r][order[r]]` closest to `reference`. Close means: the sum over
#   components of the squared Euclidean distances between the means is as small as it can be, and
#   each component is used once;
# - `average`, shape `(K, D)`: the mean over the $R$ fits of the means in that order.
#
# `reference` has shape `(K, D)`, `fits` has shape `(R, K, D)`; $R, D \ge 1$, $1 \le K \le 6$. Two
# components of the reference may want the same partner; the sum decides. No two orders are equally
# good: their sums differ by a thousandth or more. All means may lie as far as $10^9$ from zero,
# but none lies farther than a thousand from another.
#
# Points: order 1, conflicts 2, average 1.


# %% exercise="match-fits"
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    ### BEGIN SOLUTION
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))  # (K!, K)
    cost = (fits[:, orders] - reference).square().sum((2, 3))  # (R, K!)
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)
    ### END SOLUTION


# %% [markdown] why="match-fits"
# Names of components mean nothing: every permutation has the same likelihood. Averages make sense
# only after each fit has been put in the order that is closest to one reference.

# %% checks="match-fits" points=4
check = Checks("match-fits")
known = torch.tensor([[0.0, 1.0], [3.0, 1.5], [3.2, -2.0]], dtype=torch.float64)
again = torch.stack([known[[1, 2, 0]] + 0.2, known[[0, 2, 1]] - 0.1])
two = torch.tensor([[0.0, 0.0], [1.0, 0.5]], dtype=torch.float64)
pulled = torch.tensor(
    [
        [[1.4, 0.2], [1.2, 2.7]],
        [[0.9, -1.1], [-0.3, 2.7]],
        [[0.3, 2.7], [-1.7, 2.7]],
        [[1.1, -0.1], [2.3, 1.0]],
    ]
).double()
check.keeps("order", match_fits, known.clone(), again.clone())
check.value("order", lambda: match_fits(known, again)[0], points=1)
check.value("conflicts", lambda: match_fits(two, pulled)[0], points=2)
check.value("average", lambda: match_fits(known, again)[1], points=1)
check.report()

# %% hidden="match-fits"
_t = torch.arange(60, dtype=torch.float64)
_ref = 2.3 * torch.sin(1.3 * _t[:15]).reshape(5, 3)
_noise = 0.21 * torch.cos(2.9 * _t).reshape(4, 5, 3)
_turns = torch.tensor([[3, 0, 4, 1, 2], [1, 2, 0, 4, 3], [4, 3, 2, 1, 0], [2, 4, 3, 0, 1]])
_fits = _ref[_turns] + _noise
_ref1 = torch.tensor([[0.0], [1.0], [2.0], [3.0], [7.0]], dtype=_t.dtype)
_fits1 = torch.tensor(
    [[1.1, 1.3, 0.8, 9.1, 2.9], [0.93, 1.9, 6.1, -3.3, 2.2], [3.1, 2.6, 2.9, 3.4, 2.2]]
).double()[..., None]
_line = torch.tensor([[2.9], [-1.7], [0.6]], dtype=_t.dtype)
_thirds = torch.tensor([[1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0]])
_lines = _line[_thirds[2:]] + 0.5 * _noise[:2, :3, :1]
_flat = torch.tensor([[0.3, 2.1, -1.0], [0.3, -1.3, 0.4], [0.3, 0.8, 2.6]], dtype=_t.dtype)
_far = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 9.0]], dtype=_t.dtype)
_crowd = torch.tensor(
    [[[1.9, 0.7], [0.3, 6.1], [1.2, -0.3]], [[2.2, 4.1], [1.7, 0.2], [2.6, -0.4]]]
).double()
_six = 1.7 * torch.sin(0.7 * _t[:12] ** 1.5).reshape(6, 2)
_six_fits = torch.stack([1.5 * _six.flip(0) + 0.9 * torch.cos(_t[:12]).reshape(6, 2)])
check.value("order", lambda: match_fits(_ref, _fits)[0], case="four fits, five vectors")
check.value("order", lambda: match_fits(_ref, _fits[1:2])[0], case="one fit")
check.value("order", lambda: match_fits(_line, _lines)[0], case="numbers")
check.value(
    "order",
    lambda: _fits[2][match_fits(_ref, _fits)[0][2]],
    case="an order that is used as an index",
)
check.value(
    "order",
    lambda: match_fits(_flat, _flat[_thirds] + 0.1 * _noise[:, :3])[0],
    case="a coordinate that is constant",
)
check.value(
    "order",
    lambda: match_fits(_ref + 4.1e5, _fits[:3] + 4.1e5)[0],
    case="means far from zero, three fits",
)
check.value("conflicts", lambda: match_fits(_ref1, _fits1)[0], case="five numbers, crowded")
check.value("conflicts", lambda: match_fits(_far, _crowd)[0], case="three vectors, crowded")
check.value("conflicts", lambda: match_fits(_six, _six_fits)[0], case="six vectors, scattered")
check.value(
    "conflicts",
    lambda: match_fits(_far + 3.1, _crowd.flip(1) + 3.1)[0],
    case="three vectors, in another order",
)
_pair = torch.tensor([[0.0, 0.0], [1.0, 0.5]], dtype=_t.dtype) * 1.7 + 0.9
_tugs = torch.tensor(
    [[[0.3, -2.3], [-1.9, 0.4]], [[0.1, -2.3], [-0.8, 0.6]], [[0.6, 2.8], [1.4, 1.6]]]
)
check.value(
    "conflicts",
    lambda: match_fits(_pair, 1.7 * _tugs.double() + 0.9)[0],
    case="two vectors that pull both ways",
)
check.value("average", lambda: match_fits(_ref, _fits)[1], case="four fits, five vectors")
check.value("average", lambda: match_fits(_ref, _fits[2:3])[1], case="one fit")
check.value("average", lambda: match_fits(_line, _lines)[1], case="numbers")
check.value(
    "average",
    lambda: match_fits(_flat, _flat[_thirds] + 0.1 * _noise[:, :3])[1],
    case="a coordinate that is constant",
)
check.value("average", lambda: match_fits(_ref[:1], _fits[:3, :1])[1], case="one component")
_seven_turns = torch.cat([_turns, _turns.flip(0)[:3]])
_noises = torch.cat([_noise, 0.8 * _noise.flip(1)[:3]])
check.value("order", lambda: match_fits(_ref, _ref[_seven_turns] + _noises)[0], case="seven fits")
check.value(
    "average", lambda: match_fits(_ref, _ref[_seven_turns] + _noises)[1], case="seven fits"
)
_turned = 0.9 * _six.flip(0)[None] + 0.1 * torch.cos(_t[:12]).reshape(1, 6, 2)
check.value("order", lambda: match_fits(_six, _turned)[0], case="six vectors, reversed")
check.value(
    "order",
    lambda: match_fits(_ref + 7.1e8, _fits[:3] + 7.1e8)[0],
    case="means far beyond the first six digits",
)
check.value(
    "order",
    lambda: match_fits(_ref + 7.1e8, _ref[_seven_turns] + _noises + 7.1e8)[0],
    case="seven fits far from zero",
)
_cycle = torch.tensor([[5.0, 5.0], [1.0, 6.0], [1.0, 2.0]], dtype=_t.dtype) * 1.1
_three = torch.tensor([[1.0, 1.0], [5.0, 0.0], [3.0, 4.0]], dtype=_t.dtype) * 1.1
check.value(
    "conflicts", lambda: match_fits(_cycle, _three[None])[0], case="three must move at once"
)
_round = torch.tensor([[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]], dtype=_t.dtype) * 1.3
_rounded = torch.tensor([[[2.0, 3.0], [4.0, 1.0], [1.0, 1.0]]], dtype=_t.dtype) * 1.3
check.value(
    "conflicts", lambda: match_fits(_round, _rounded)[0], case="three in a circle, all at once"
)
_deep = torch.tensor([[0.0, 0.0, 0.0], [0.1, 0.0, 5.2]], dtype=_t.dtype)
_deep_fit = torch.tensor([[[0.0, 0.0, 4.9], [0.1, 0.0, 0.3]]], dtype=_t.dtype)
check.value("order", lambda: match_fits(_deep, _deep_fit)[0], case="the third coordinate decides")
_anchor = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 900.0]], dtype=_t.dtype)
_shade = torch.tensor([[[0.501, 0.0], [0.5, 0.0], [0.0, 400.0]]], dtype=_t.dtype)
check.value(
    "conflicts", lambda: match_fits(_anchor, _shade)[0], case="sums that differ by two thousandths"
)
_corner = torch.tensor([[2.2136, 0.0], [0.0, 0.0]], dtype=_t.dtype)
_legs = torch.tensor([[[-0.0452, 2.2131], [0.0, 0.0]]], dtype=_t.dtype)
check.value(
    "conflicts",
    lambda: match_fits(_corner, _legs)[0],
    case="two middling moves against a long one",
)
_deeper = torch.sin(torch.arange(600, dtype=_t.dtype) ** 2).reshape(6, 100)
_deeper = torch.cat([0 * _deeper[:, :60], _deeper[:, 60:]], 1)
_picks = torch.tensor([[5, 4, 3, 2, 1, 0], [3, 5, 0, 2, 4, 1], [1, 0, 3, 2, 5, 4]])
check.value(
    "order",
    lambda: match_fits(_deeper, 0.93 * _deeper[_picks])[0],
    case="six vectors of a hundred entries, most of them alike",
)
check.value(
    "average",
    lambda: match_fits(_deeper, 0.93 * _deeper[_picks])[1],
    case="six vectors of a hundred entries",
)
_fifty = _ref[_turns.repeat(25, 1)] + 0.2 * torch.cos(torch.arange(1500) ** 2.0).reshape(100, 5, 3)
check.value("average", lambda: match_fits(_ref, _fifty.double())[1], case="a hundred fits")
check.value("order", lambda: match_fits(_ref[:1], _fits[:3, :1])[0], case="one component")
_same = torch.tensor([0.31, 0.29, 7.3, -4.1, 2.9, 11.7], dtype=torch.float64)[:, None]
_gone = (
    983.0 + _same[[1, 0, 2, 3, 4, 5]] * torch.tensor([[1.0], [1.1], [1], [1], [1], [1]]).double()
)
check.value(
    "conflicts",
    lambda: match_fits(_same, _gone[None])[0] + 0.37,
    case="a fit a thousand away, sums that hardly differ",
)
check.keeps("average", match_fits, _ref.clone(), _fits.clone(), case="fits that stay")
_columns = _fits.mT.contiguous().mT
_named = _ref.T.contiguous().T
check.value("order", lambda: match_fits(_named, _columns)[0], case="other strides")
check.value(
    "average",
    lambda: match_fits(_named + 7.1e8, _columns + 7.1e8)[1] - 7.1e8,
    case="means far beyond the first six digits",
)
check.value("average", lambda: match_fits(_ref, _fits[[0, 1, 1, 3, 0, 1]])[1], case="equal fits")
check.value(
    "order", lambda: match_fits(_six, 0.98 * _six[None].repeat(3, 1, 1))[0], case="six in order"
)
check.value(
    "average", lambda: match_fits(_six, 0.98 * _six[None])[1], case="six in order, one fit"
)


# %% [markdown]
# ## Exercise 7. An alarm with a promise (12 min, 5 points)
#
# A fitted mixture gives each new measurement a score, its log-density. An alarm rings if the score
# is **below** a threshold (not if it is equal). The threshold comes from the scores of $m$ clean
# measurements that were **not** used in fitting, and it must keep one of two promises, as the
# customer wishes. Let the scores of clean measurements be independent draws of one continuous
# distribution.
#
# - **On average**: over all calibration sets and the next clean measurement, the probability of a
#   false alarm is at most `rate`.
# - **Almost surely**: with probability at least $1 -$ `delta` over calibration sets, the set is
#   such that the probability of a false alarm from then on is at most `rate`.
#
# As a threshold take one of the $m$ scores, the **largest** that keeps the promise; if none does,
# take −∞, at which no alarm ever rings. Write `alarm_thresholds(scores, rate, delta)`, which
# returns the tuple `(average, surely)` of both thresholds, numbers or 0-d tensors.
#
# - What you need: with the $k$-th smallest score as the threshold, the false-alarm probability is
#   itself a random number, distributed as $\mathrm{Beta}(k, m + 1 - k)$, with the mean $k /
#   (m+1)$.
# - `scores` has shape `(m,)`, $1 \le m \le 5000$, in any order; some may be equal or −∞. `rate`
#   and `delta` are Python numbers, from $10^{-9}$ to $1 - 10^{-9}$.
# - A promise may be kept with equality: if `rate` times $m + 1$ is a whole number, that is the
#   $k$ for the average. Rounding decides in no case: where the average is looked at,
#   `rate * (m + 1)`, in Python, is exactly a whole number, or at least $10^{-9}$ away from one.
#
# Points: average 2, surely 2, too few 1. The aspect "too few" is about small $m$.


# %% exercise="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    ### BEGIN SOLUTION
    ordered = scores.sort().values
    k = torch.arange(len(scores)).double() + 1  # whole numbers would meet rate in float32
    exceeds = stats.beta(k.numpy(), (len(scores) + 1 - k).numpy()).sf(rate)
    on_average = int((k <= rate * (len(scores) + 1)).sum())
    surely = int((torch.from_numpy(exceeds) <= delta).sum())
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    return padded[on_average], padded[surely]
    ### END SOLUTION


# %% [markdown] why="alarm-thresholds"
# A new score is equally likely to fall into each of the $n + 1$ gaps between the old ones: the
# $k$-th smallest is undercut with probability $k/(n + 1)$, on average. How often depends on the
# sample, by a Beta distribution: whoever wants to be sure takes a smaller $k$.

# %% checks="alarm-thresholds" points=5
check = Checks("alarm-thresholds")
clean = 3 * torch.sin(7.3 * torch.arange(150, dtype=torch.float64)) - 11
check.keeps("average", lambda s: alarm_thresholds(s, 0.1, 0.05), clean.clone())
check.value("average", lambda: alarm_thresholds(clean, 0.1, 0.05)[0], points=2)
check.value("surely", lambda: alarm_thresholds(clean, 0.1, 0.05)[1], points=2)
check.value("surely", lambda: alarm_thresholds(clean, 0.4, 0.3)[1])
check.value(
    "too few", lambda: tuple(alarm_thresholds(clean[:20], 0.1, 0.05)), points=1, case="m = 20"
)
check.report()

# %% hidden="alarm-thresholds"
_i = torch.arange(4999, dtype=torch.float64)
_s = -6.783 - 2.931 * torch.sin(3.7 * _i**1.1) + 0.31 * torch.cos(11 * _i)
_ties = (0.9 * _s[:300]).round() + 0.37
_holes = torch.where(_i[:200] % 71 == 3, -math.inf, _s[:200])
check.value(
    "average",
    lambda: alarm_thresholds(_s[:200], 0.0437, 0.11)[0],
    case="m = 200, rate 0.0437, delta 0.11",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:100], 0.0437, 0.23)[0],
    case="m = 100, rate 0.0437, delta 0.23",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:1000], 0.0437, 0.07)[0],
    case="m = 1000, rate 0.0437, delta 0.07",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:1000], 0.313, 0.013)[0],
    case="m = 1000, rate 0.313, delta 0.013",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:60], 0.613, 0.37)[0],
    case="m = 60, rate 0.613, delta 0.37",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:60], 0.913, 0.77)[0],
    case="m = 60, rate 0.913, delta 0.77",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:4999], 0.0137, 0.002)[0],
    case="m = 4999, rate 0.0137, delta 0.002",
)
check.value("average", lambda: alarm_thresholds(_ties, 0.087, 0.13)[0], case="equal scores")
check.value(
    "average", lambda: alarm_thresholds(_holes, 0.083, 0.13)[0], case="some scores are -inf"
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:200], 0.0437, 0.11)[1],
    case="m = 200, rate 0.0437, delta 0.11",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:100], 0.0437, 0.23)[1],
    case="m = 100, rate 0.0437, delta 0.23",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:1000], 0.0437, 0.07)[1],
    case="m = 1000, rate 0.0437, delta 0.07",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:1000], 0.313, 0.013)[1],
    case="m = 1000, rate 0.313, delta 0.013",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:60], 0.613, 0.37)[1],
    case="m = 60, rate 0.613, delta 0.37",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:60], 0.913, 0.77)[1],
    case="m = 60, rate 0.913, delta 0.77",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:4999], 0.0137, 0.002)[1],
    case="m = 4999, rate 0.0137, delta 0.002",
)
check.value("surely", lambda: alarm_thresholds(_ties, 0.087, 0.13)[1], case="equal scores")
check.value(
    "surely", lambda: alarm_thresholds(_holes, 0.083, 0.13)[1], case="some scores are -inf"
)
check.value(
    "average", lambda: alarm_thresholds(_s[:63], 0.125, 0.1)[0], case="rate (m + 1) is whole"
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[9:24], 0.25, 0.1)[0],
    case="rate (m + 1) is whole, m = 15",
)
check.value(
    "too few",
    lambda: tuple(alarm_thresholds(_s[:30], 0.041, 0.13)),
    case="one score for one promise",
)
check.value("too few", lambda: tuple(alarm_thresholds(_s[5:6], 0.57, 0.31)), case="a single score")
check.value(
    "too few",
    lambda: tuple(alarm_thresholds(_s[5:6], 0.43, 0.71)),
    case="a single score, a loose promise",
)
check.value(
    "too few",
    lambda: tuple(alarm_thresholds(_s[:19], 0.0437, 0.13)),
    case="m = 19, no score will do",
)
check.value("too few", lambda: tuple(alarm_thresholds(_s[:48], 0.0437, 0.137)), case="m = 48")
check.value("surely", lambda: alarm_thresholds(_s[:4000], 0.413, 0.3)[1], case="4000 scores")
check.value(
    "average", lambda: alarm_thresholds(_s[:799], 0.125, 0.1)[0], case="rate (m + 1) is 100"
)
check.value(
    "average",
    lambda: alarm_thresholds(_s[:60], 0.9951, 0.77)[0],
    case="the largest score, rate 0.9951",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:60], 0.9951, 0.93)[1],
    case="m = 60, rate 0.9951, delta 0.93",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s, 0.313, 0.0011)[1],
    case="m = 4999, rate 0.313, delta 0.0011",
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s, 0.687, 0.991)[1],
    case="m = 4999, rate 0.687, delta 0.991",
)
check.value(
    "average",
    lambda: alarm_thresholds(_s, 0.0011, 0.3)[0],
    case="m = 4999, rate 0.0011",
)
check.keeps("surely", lambda s: alarm_thresholds(s, 0.3, 0.2), _holes.clone(), case="-inf stays")
for _n, _rate, _delta in (
    (60, 1 - 1e-9, 1e-7),
    (60, 1 - 1e-9, 5e-8),
    (60, 1e-9, 1 - 1e-9),
    (5, 1e-9, 1 - 1.2e-9),
    (5, 1e-9, 1 - 6e-9),
    (1, 1 - 1.3e-9, 1.1e-9),
    (400, 0.5, 1.3e-9),
    (400, 0.613, 1 - 1.3e-9),
    (4999, 1 - 1e-9, 0.4),
    (4999, 1e-9, 0.4),
):
    check.value(
        "average",
        lambda n=_n, r=_rate, d=_delta: alarm_thresholds(_s[:n], r, d)[0],
        case="rate or delta next to 0 or 1",
    )
    check.value(
        "surely",
        lambda n=_n, r=_rate, d=_delta: alarm_thresholds(_s[:n], r, d)[1],
        case="rate or delta next to 0 or 1",
    )
for _off in (-2e-9, 2e-9):
    check.value(
        "average",
        lambda e=_off: alarm_thresholds(_s[:99], (47 + e) / 100, 0.3)[0],
        case="a hair beside a whole number",
    )
_most = torch.cat([_s, _s.min()[None] - 1])
check.value("average", lambda: alarm_thresholds(_most, 0.0002, 0.3)[0], case="5000 scores")
check.value("surely", lambda: alarm_thresholds(_most, 0.0003, 0.35)[1], case="5000 scores")
check.value(
    "average",
    lambda: alarm_thresholds(6.9 - 95 * _s[:200], 0.613, 0.3)[0],
    case="large positive scores",
)
check.value(
    "surely", lambda: alarm_thresholds(97 * _s[:200], 0.0613, 0.3)[1], case="scores far below 0"
)
check.value(
    "surely",
    lambda: alarm_thresholds(_s[:200] * 1e-5 - 970, 0.23, 0.3)[1] + 970,
    case="scores that hardly differ",
)
check.value("surely", lambda: alarm_thresholds(0 * _s[:90] - 3.7, 0.23, 0.3)[1], case="all equal")
check.value(
    "too few",
    lambda: tuple(alarm_thresholds(torch.full_like(_s[:90], -math.inf), 0.23, 0.3)),
    case="all are -inf",
)


# %% [markdown]
# ## Exercise 8. In words: twice as many alarms as promised (5 min, 3 points)
#
# A threshold was chosen as in exercise 7, from 2000 clean parts, so that at most 5% of clean parts
# raise an alarm. After three months, 9% of all parts have raised one. "The promise was broken",
# says the manager, "so the mixture is bad." Give in at most 120 words two explanations under which
# neither is true, say how to tell them apart, and say whether bad luck with the 2000 parts is a
# third one. A person reads and grades this answer; no check runs.

# %% [markdown] written="twice-the-alarms" points=3
# ### BEGIN SOLUTION
# First, not all parts are clean: the promise is about clean ones, and the rest of the alarms may
# be the defects that the rule is for. Second, the clean parts have changed, by another supplier or
# a worn sensor, so that they are no longer draws from the distribution of the 2000: then the
# promise does not apply. Inspect a random sample of the parts that raised an alarm, and of those
# that did not: true defects speak for the first, sound parts with shifted measurements for the
# second. Bad luck is none: with 2000 parts the rate varies by about half a percentage point
# between calibration sets (a Beta distribution), and 9% is eight times that. A mixture that fits
# badly would raise no more alarms on clean parts either, it would only miss more defects.
#
# **Rubric.** One point for: alarms on parts that are not clean are no false alarms. One point for:
# a change of the clean parts (they are no longer exchangeable with the calibration parts), with a
# way to tell it from the first, such as inspecting parts. One point for: chance in 2000 parts is
# far too small, with a number or the Beta distribution. "The threshold must be recomputed" without
# a reason earns nothing.
# ### END SOLUTION
