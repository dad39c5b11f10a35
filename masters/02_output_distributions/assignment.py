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
# natural. Every function leaves its inputs and the global random generators as they are.
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
# - All three are tensors of shape `(n,)`, $n \ge 1$. `y` holds whole numbers $0, 1, 2, \ldots$ (as
#   float64); `mean` is positive. Return a tensor of shape `(n,)`.
# - The variance may exceed the mean by as little as one part in a million, or a thousand times.
# - Gradients with respect to `mean` and `variance` flow. They are looked at where the variance
#   exceeds the mean by a thousandth of it or more. Where the two are equal, the gradient with
#   respect to `mean` is the Poisson's, $y / \text{mean} - 1$; the one with respect to `variance`
#   is not looked at there.
# - If any variance is smaller than its mean, no such distribution exists: raise `ValueError`.
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
    "value", lambda: count_log_prob(_y, _m, 1.000001 * _m), case="variances a hair above the means"
)
check.value(
    "value",
    lambda: count_log_prob(4 * _y + 90, _m + 9, 1.00043 * (_m + 9)),
    case="far counts, variances a little above the means",
)
check.value(
    "value",
    lambda: count_log_prob(9 * _y + 1100, _m + 9, 1.0000063 * (_m + 9)),
    case="very far counts, variances a hair above the means",
)
check.value(
    "value",
    lambda: count_log_prob(0 * _y, 0.0017 * _m, 0.0023 * _m) * 100,
    case="zeros with tiny means",
)
check.value("value", lambda: count_log_prob(40 * _y, 53 * _m, 171 * _m), case="large counts")
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
    lambda: count_log_prob(40 * _y, 37 * _m, 37 * _m),
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
# standard deviation of $t$. `centre` and `width` are Python numbers, `width` positive. Gradients
# of `nll` with respect to `mu` and `sigma` flow.
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
_nearer = torch.exp(1.3 * (_mu + 1.9e-7 * torch.cos(_t)))
check.value(
    "nll", lambda: price_report(_nearer, _mu, 1e-7 * _s, 0.0, 1.3)[0], case="a very narrow scale"
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
# - All three are tensors of shape `(n,)`; `y` holds whole numbers (as float64). Return a tensor of
#   shape `(n,)`.
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
    lambda: zip_log_prob(_none, _low + 790 * _y, 7.9 + 0.01 * _t),
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
    _low + 3 * _t,
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
    "value", lambda: positive_scale(3.3e7 * _t.abs()) / 3.3e7, case="large positive numbers"
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
    lambda u: positive_scale(-5171.3 * u).log(),
    _t[4:].float(),
    case="far to the left in float32",
)
check.gradient(
    "gradient",
    lambda v: positive_scale(v),
    torch.tensor([9731.3, 37.3]),
    case="large numbers in float32",
)

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
    lambda: act_or_ask(_p[:, :3], _c[:, :3].T @ _c[:, :3], math.inf)[0],
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
check.value("expected cost", lambda: act_or_ask(_even, 1.37 * _tie, 1e9)[1], case="tied costs")
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
#   foretold. Sequence `i` consists of its first `lengths[i]` tokens, start symbol included;
#   lengths lie between 1 and T.
# - `logits` has shape `(n, T, K)`. `logits[:, t]` was computed from the tokens up to **and
#   including** place `t`: it foretells the token at place `t + 1`. The logits at a sequence's last
#   token foretell nothing.
# - Where a sequence has ended, `tokens` may hold any integer, −100 or $K$ for instance, and
#   `logits` any number, infinite or nan. None of it may reach the result.
# - Gradients with respect to `logits` flow. At every place that foretells nothing they are 0.
# - Logits that do foretell something are finite, of any size.
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
