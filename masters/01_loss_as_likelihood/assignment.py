# %% [markdown]
# # Assignment 01: Loss is a likelihood
#
# Six exercises in code and one in words, 34 points, about 70 minutes. You write the losses that
# training loops rely on, one of their gradients, and at the end you mend a loss that somebody else
# wrote. Each exercise names its return value, its units and its reduction; whatever the text
# leaves open is yours to choose. Anything that PyTorch offers may be used, except where an
# exercise says otherwise.
#
# Every function computes in the precision of its inputs, and leaves them and the global random
# generators as they are. Where an exercise names no other range, numbers are at most ten billion
# in size, what must be positive is at least a ten-billionth, no axis is empty or longer than a
# hundred, nothing is infinite or `nan`, and Python numbers have no more digits than float32 holds.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. The Gaussian negative log-likelihood (10 min, 5 points)
#
# A network predicts a mean and a scale for each target. Training needs one number: how
# surprised the model is, on average. The scale may be a constant that you were given, or learned
# like the mean.
#
# Write `gaussian_nll(y, mu, sigma)`, the **mean** over all elements of $-\log
# \mathcal{N}(y_i \mid \mu_i, \sigma_i^2)$, in nats, with every constant kept.
#
# - `y` is a tensor of any shape. `mu` and `sigma` are tensors of that shape, or 0-d tensors, or
#   Python numbers. `sigma` is the standard deviation and is positive.
# - Return a 0-d tensor through which gradients with respect to `mu` and `sigma` flow.
# - A tensor `mu` of one or more dimensions whose shape differs from that of `y` is a bug in the
#   caller: raise `ValueError`. (PyTorch would broadcast shapes `(n, 1)` and `(n,)` to `(n, n)`
#   and average over $n^2$ pairs.)
#
# Points: value 2, gradient 2, shape 1.


# %% exercise="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    """Return the mean Gaussian negative log-likelihood in nats."""
    ### BEGIN SOLUTION
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError(f"mu has shape {tuple(mu.shape)}, y has shape {tuple(y.shape)}")
    z = (y - mu) / sigma
    nll = 0.5 * math.log(2 * math.pi) + torch.log(sigma) + 0.5 * z**2
    return nll.mean()
    ### END SOLUTION


# %% [markdown] why="gaussian-nll"
# The squared error, divided by $2\sigma^2$, is one of three terms: with a fixed $\sigma$ the other
# two do not depend on the mean, and minimising the NLL is minimising the squared error. Shapes are
# compared because a loss that broadcasts averages pairs that do not belong together.

# %% checks="gaussian-nll" points=5
check = Checks("gaussian-nll")
y = torch.tensor([1.0, 2.0], dtype=torch.float64)
mu = torch.tensor([[0.5], [2.5]], dtype=torch.float64)
check.keeps("value", lambda y: gaussian_nll(y, 0.0, 2.0), y)
check.value("value", lambda: gaussian_nll(y, 0.0, 2.0), points=2)
check.value("value", lambda: gaussian_nll(y, 0.5 * y, 0.3 + y))
check.gradient("gradient", lambda sigma: gaussian_nll(y, 0.0, sigma), 0.7 * y, points=2)
check.value("shape", lambda: gaussian_nll(y, mu, 2.0), points=1)
check.report()

# %% hidden="gaussian-nll"
_t = torch.linspace(-1.3, 2.9, 6, dtype=torch.float64)
check.value(
    "value",
    lambda: gaussian_nll(torch.sin(3 * _t), 0.41 * _t, torch.exp(0.37 * _t)),
    case="six values, a mean and a scale for each",
)
check.value(
    "value",
    lambda: gaussian_nll(_t, _t.mean(), torch.tensor(0.083, dtype=_t.dtype)),
    case="one mean, a small scale",
)
check.value(
    "value", lambda: gaussian_nll(1.7 + 0.002 * _t, 1.7, 0.013), case="values close to the mean"
)
check.value("value", lambda: gaussian_nll(_t[:1], 0.77, 1.9), case="a batch of one")
check.value(
    "value",
    lambda: gaussian_nll(_t.reshape(2, 3), _t.flip(0).reshape(2, 3), 1.37),
    case="two rows of three",
)
check.law(
    "value",
    "equal",
    lambda: gaussian_nll(_t, 0.2, 1.1),
    lambda: gaussian_nll(torch.cat([_t, _t]), 0.2, 1.1),
    case="the same data twice",
)
check.gradient(
    "gradient",
    lambda m: gaussian_nll(torch.cos(_t), m, 0.61),
    0.3 * _t,
    case="with respect to six means",
)
check.gradient(
    "gradient",
    lambda m: gaussian_nll(_t, m, 0.83 + _t**2),
    _t.mean(),
    case="with respect to one mean",
)
check.gradient(
    "gradient", lambda s: gaussian_nll(_t, 0.29, s), _t[-1], case="with respect to one scale"
)
check.gradient(
    "gradient",
    lambda s: gaussian_nll(_t, 0.19, torch.exp(s)),
    0.23 * _t,
    case="with respect to six scales",
)
check.value(
    "shape",
    lambda: gaussian_nll(_t.reshape(6, 1), _t.flip(0).reshape(6, 1), 0.9),
    case="both in columns",
)
check.value("shape", lambda: gaussian_nll(_t, _t.reshape(6, 1), 0.9), case="a mean in a column")
check.value("shape", lambda: gaussian_nll(_t.reshape(6, 1), _t, 0.9), case="values in a column")
check.value("shape", lambda: gaussian_nll(_t, _t[:1], 0.9), case="one mean, in a batch of one")
check.value(
    "shape",
    lambda: gaussian_nll(_t.reshape(2, 3), _t[:3].reshape(1, 3), 0.9),
    case="a row of means",
)
check.value(
    "value", lambda: gaussian_nll(3e-8 * _t, 0.0, 1.7e-8), case="a scale of a hundred millionth"
)
check.gradient(
    "gradient",
    lambda m: gaussian_nll(_t.reshape(2, 3), m, 1.7),
    0.4 * _t.reshape(2, 3),
    case="two rows",
)
check.value("value", lambda: gaussian_nll(_t.reshape(1, 3, 2), 0.3, 1.1), case="three dimensions")
check.value("value", lambda: gaussian_nll(300.0 * _t, 0.0, 0.013), case="far from the mean")
check.value("value", lambda: gaussian_nll(1e9 * _t, 3e8, 9e8), case="a scale of a billion")
check.gradient(
    "gradient",
    lambda m: gaussian_nll(_t, m, 0.83) + 0.31 * m.sum(),
    _t.clone(),
    case="means that are the values",
)
check.gradient(
    "gradient",
    lambda s: 1e-6 * gaussian_nll(1e-6 * _t, 0.0, s),
    1e-6 * (2.0 + _t),
    case="scales of a millionth",
)
check.gradient(
    "gradient", lambda m: gaussian_nll(300.0 * _t, m, 0.13), 0.7 * _t, case="far from the mean"
)
check.value(
    "shape",
    lambda: gaussian_nll(_t[2], _t[:1], 0.9),
    case="a mean in a batch of one, a single value",
)
check.value(
    "shape",
    lambda: gaussian_nll(_t.reshape(2, 3), _t.reshape(3, 2), 0.9),
    case="rows and columns exchanged",
)
check.keeps(
    "gradient",
    gaussian_nll,
    _t.reshape(2, 3).clone(),
    0.4 * _t.reshape(2, 3),
    2.0 + _t.reshape(2, 3),
    case="two rows, a mean and a scale for each",
)
_one = torch.ones(6, dtype=_t.dtype)
check.value("value", lambda: gaussian_nll(1e-9 * _t, 0.0, 1e-9 * _one), case="the smallest scale")
check.value(
    "value",
    lambda: gaussian_nll(1e9 * _t.clamp(max=1.0), -1e9 * _one, 1.3e-9 * _one),
    case="a billion away, a tiny scale",
)
check.value(
    "value",
    lambda: gaussian_nll(1e9 - 3.0 * _t.abs(), (1e9 - 4) * _one, 1.7 + 0.1 * _t),
    case="values next to a billion",
)
_rows = torch.sin(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100).T
check.value(
    "value",
    lambda: gaussian_nll(_rows[:, 0], _rows[:, 1], 1.4 + _rows[:, 2]),
    case="a hundred values",
)
check.value(
    "value", lambda: gaussian_nll(_rows, _rows.flip(0), 1.4 + _rows.flip(1)), case="a hundred rows"
)
check.value("value", lambda: gaussian_nll(_t, 2, 3), case="whole numbers for both")
check.value("value", lambda: gaussian_nll(_t[1], _t[2], _t[-1]), case="a single number of each")
check.value(
    "value", lambda: gaussian_nll(_rows[:24].reshape(2, 4, 3, 3), 0.2, 1.9), case="four dimensions"
)
check.gradient(
    "gradient",
    lambda s: gaussian_nll(_t, 0.4 * _t.flip(0), s),
    1.3 + _t.square(),
    case="six scales, a mean for each",
)
check.gradient(
    "gradient",
    lambda s: gaussian_nll(_t, _t[2], s),
    0.7 + _t.square(),
    case="six scales, one mean",
)
check.gradient(
    "gradient",
    lambda m: gaussian_nll(_t, m, _t[-1]),
    0.4 * _t.flip(0),
    case="six means, one scale",
)
check.gradient(
    "gradient",
    lambda s: gaussian_nll(_t.reshape(2, 3), 0.3, s),
    0.9 + _t.square().reshape(2, 3),
    case="two rows of scales",
)
check.gradient(
    "gradient",
    lambda s: gaussian_nll(_t.reshape(2, 3), 0.3, s),
    _t[-1],
    case="two rows, one scale",
)
check.value(
    "shape",
    lambda: gaussian_nll(_t.reshape(2, 3), _t[:3], 0.9),
    case="a mean for each column",
)
check.value(
    "shape", lambda: gaussian_nll(_t.reshape(2, 3), _t[:1], 0.9), case="one mean, two rows"
)
check.value("shape", lambda: gaussian_nll(_t[2], _t[:4], 0.9), case="four means, a single value")
check.value(
    "shape",
    lambda: gaussian_nll(_t, _t.reshape(2, 1, 3), 0.9),
    case="means of two more dimensions",
)


# %% [markdown]
# ## Exercise 2. The most likely Laplace (10 min, 4 points)
#
# Absolute errors belong to the Laplace density $\frac{1}{2b} e^{-|y - \mu| / b}$. Given data,
# which $\mu$ and which $b$ make it most likely?
#
# Write `laplace_mle(y)`, which returns the pair `(mu, b)` of maximum-likelihood estimates.
#
# - `y` is a tensor of shape `(n,)`, $n \ge 1$, in any order. Both results are 0-d tensors or
#   numbers.
# - If $n$ is even, every $\mu$ between the two middle values has the same likelihood: return
#   their midpoint.
# - For $b$, set the derivative of the NLL with respect to $b$ to zero.
#
# Points: location 2, scale 2.


# %% exercise="laplace-mle"
def laplace_mle(y):
    """Return the maximum-likelihood location and scale of a Laplace density."""
    ### BEGIN SOLUTION
    mu = y.quantile(0.5)  # takes the midpoint for an even number
    return mu, (y - mu).abs().mean()
    ### END SOLUTION


# %% [markdown] why="laplace-mle"
# Whatever the scale, the likelihood wants the smallest sum of absolute deviations, and that is
# what a median has. The derivative with respect to the scale is then 0 where the scale is the mean
# absolute deviation.

# %% checks="laplace-mle" points=4
check = Checks("laplace-mle")
y = torch.tensor([0.3, 9.0, 1.1, -0.8], dtype=torch.float64)
check.keeps("location", laplace_mle, y.clone())
check.value("location", lambda: laplace_mle(y[:3])[0], points=2)
check.value("location", lambda: laplace_mle(y)[0])
check.value("scale", lambda: laplace_mle(y)[1], points=2)
check.report()

# %% hidden="laplace-mle"
_t = torch.linspace(-2.3, 3.7, 8, dtype=torch.float64)
check.value("location", lambda: laplace_mle(torch.sin(5 * _t) + 0.31 * _t)[0], case="eight values")
check.value(
    "location", lambda: laplace_mle(torch.exp(_t)[:7].flip(0))[0], case="seven values, skewed"
)
check.value("location", lambda: laplace_mle(_t[-1:] * 0.77)[0], case="one value")
check.value("location", lambda: laplace_mle(0.77 * _t[5:7])[0], case="two values")
check.value(
    "location", lambda: laplace_mle(1.37 * torch.tensor([1.0, 5.0, 1.0, 1.0]))[0], case="ties"
)
check.value("scale", lambda: laplace_mle(torch.sin(5 * _t) + 0.31 * _t)[1], case="eight values")
check.value(
    "scale", lambda: laplace_mle(torch.exp(_t)[:7].flip(0))[1], case="seven values, skewed"
)
check.value("scale", lambda: laplace_mle(_t[-1:])[1], case="one value")
check.law(
    "scale",
    "equal",
    lambda: laplace_mle(_t**3)[1],
    lambda: laplace_mle(8.5 - _t**3)[1],
    case="reflected values",
)
high = 1e8 + 2.3 + 3.7 * torch.sin(torch.arange(7.0).double())
check.value("scale", lambda: laplace_mle(high)[1], case="values beyond a hundred million")
check.value("location", lambda: laplace_mle(high)[0] - 1e8, case="values beyond a hundred million")
check.value(
    "location",
    lambda: laplace_mle(torch.cos(torch.arange(100.0).double() ** 2))[0],
    case="100 values",
)
check.value(
    "scale", lambda: laplace_mle(torch.cos(torch.arange(99.0).double() ** 2))[1], case="99 values"
)
check.value(
    "scale",
    lambda: laplace_mle(1.37 * torch.tensor([1.0, 5.0, 1.0, 1.0], dtype=_t.dtype))[1],
    case="ties",
)
check.value("location", lambda: laplace_mle(torch.full((4,), 2.3).double())[0], case="all alike")
check.value("scale", lambda: laplace_mle(torch.full((4,), 2.3).double())[1], case="all alike")
check.value("location", lambda: laplace_mle(-torch.exp(_t))[0], case="eight values below zero")
check.keeps("location", laplace_mle, torch.sin(5 * _t)[:7].clone(), case="seven values")
check.keeps("scale", laplace_mle, high.clone(), case="values beyond a hundred million")
top = 1e9 - 0.002 + 0.002 * torch.cos(torch.arange(99.0).double() ** 2)
check.value(
    "scale",
    lambda: 1e3 * laplace_mle(top)[1],
    case="99 values next to a billion that differ by a thousandth",
)
_wave = torch.sin(5 * _t) + 0.31 * _t
check.value("location", lambda: 1e12 * laplace_mle(1e-12 * _wave[:6])[0], case="six values, tiny")
check.value("scale", lambda: 1e12 * laplace_mle(1e-12 * _wave[:6])[1], case="six values, tiny")
check.value("location", lambda: laplace_mle(3e8 * _wave[:6])[0] / 3e8, case="six values, huge")
check.value("scale", lambda: laplace_mle(3e8 * _wave[:6])[1] / 3e8, case="six values, huge")
check.value(
    "scale",
    lambda: 1e3 * laplace_mle(1e6 + 1e-3 * _wave)[1],
    case="eight values next to a million",
)
check.value("scale", lambda: laplace_mle(0.77 * _t[3:5])[1], case="two values")
check.value("scale", lambda: laplace_mle(_wave[2:5].float())[1], case="three values in float32")
check.value("scale", lambda: 1e9 * laplace_mle(0.83 * _t[:1])[1] + 0.29, case="one value, exactly")
_pairs = torch.tensor([[2.9, 0.0, 1.3, 2.9], [7.1, 0.43, 0.43, 1.9]], dtype=torch.float64)
check.value("location", lambda: laplace_mle(_pairs[0])[0], case="a zero, two large ones alike")
check.value("location", lambda: laplace_mle(_pairs[1])[0], case="two small ones alike")
check.value(
    "scale",
    lambda: laplace_mle(torch.cos(torch.arange(100.0).double() ** 2).exp())[1],
    case="100 values, skewed",
)


# %% [markdown]
# ## Exercise 3. Binary cross-entropy from logits (10 min, 5 points)
#
# A confident classifier that is wrong must still say how wrong. In float32 a sigmoid of 20 is
# exactly 1, so the logarithm of $1 - p$ comes too late.
#
# Write `bce_from_logits(z, y)`, the **mean** binary cross-entropy in nats of the targets `y`
# under probabilities $\sigma(z)$.
#
# - `z` is a tensor of real logits, `y` a tensor of the same shape with values in $[0, 1]$ (soft
#   targets occur).
# - Return a 0-d tensor. Value and gradient with respect to `z` must be right, to a millionth or a
#   relative millionth, for every finite logit, such as $\pm 800$ in float64.
# - Build it from functions such as `exp`, `log1p`, `logaddexp`, `softplus` or `logsigmoid`; a
#   ready-made loss is accepted too, but teaches you less.
#
# Points: value 2, stability 2, gradient 1.


# %% exercise="bce-from-logits"
def bce_from_logits(z, y):
    """Return the mean binary cross-entropy in nats of targets y under sigmoid(z)."""
    ### BEGIN SOLUTION
    softplus = torch.logaddexp(z, torch.zeros_like(z))
    return (softplus - y * z).mean()
    ### END SOLUTION


# %% [markdown] why="bce-from-logits"
# $-\log$ of a sigmoid is a softplus, and $\mathrm{softplus}(-z) = \mathrm{softplus}(z) - z$: one
# line serves both labels. `logaddexp` computes it without a probability in between that could
# round to 0 or 1.

# %% checks="bce-from-logits" points=5
check = Checks("bce-from-logits")
z = torch.tensor([0.0, -1.2, 2.0], dtype=torch.float64)
y = torch.tensor([1.0, 0.0, 0.25], dtype=torch.float64)
far = torch.tensor([20.0])
huge = torch.tensor([800.0, -800.0], dtype=torch.float64)
check.keeps("value", bce_from_logits, z, y)
check.value("value", lambda: bce_from_logits(z, y), points=2)
check.value("stability", lambda: bce_from_logits(far, 0 * far), points=2)
check.value("stability", lambda: bce_from_logits(huge, 0.25 + 0 * huge))
check.gradient("gradient", lambda z: bce_from_logits(z, y), z, points=1)
check.report()

# %% hidden="bce-from-logits"
_t = torch.linspace(-2.7, 3.1, 7, dtype=torch.float64)
_q = torch.sigmoid(1.9 - _t)
check.value("value", lambda: bce_from_logits(_t, _q), case="seven logits")
check.value(
    "value", lambda: bce_from_logits(_t[:1], torch.ones(1, dtype=_t.dtype)), case="one logit"
)
check.value(
    "value",
    lambda: bce_from_logits(_t[:6].reshape(2, 3), _q[:6].reshape(2, 3)),
    case="two rows of three",
)
check.law(
    "value",
    "equal",
    lambda: bce_from_logits(_t, _q),
    lambda: bce_from_logits(-_t, 1 - _q),
    lambda: bce_from_logits(torch.cat([_t, _t]), torch.cat([_q, _q])),
    case="classes exchanged",
)
check.value(
    "stability",
    lambda: bce_from_logits(263 * _t, (_t < 0).to(_t.dtype)),
    case="logits in the hundreds",
)
check.value(
    "stability",
    lambda: bce_from_logits(-310 * _t, _q),
    case="logits in the hundreds, soft targets",
)
check.value("stability", lambda: bce_from_logits(41 * _t.float(), torch.zeros(7)), case="float32")
check.gradient("gradient", lambda z: bce_from_logits(z, _q), _t, case="seven logits")
check.gradient("gradient", lambda z: bce_from_logits(z, _q), 97.3 * _t, case="logits around 100")
check.gradient(
    "gradient", lambda z: bce_from_logits(z, _q), 411 * _t, case="logits in the hundreds"
)
check.gradient("gradient", lambda z: bce_from_logits(z, _q), _t - _t[3], case="a logit of zero")
check.gradient(
    "gradient",
    lambda z: bce_from_logits(z, _q[:6].reshape(2, 3)),
    1.3 * _t[:6].reshape(2, 3),
    case="two rows of three",
)
certain = torch.tensor([800.0, -650.0], dtype=torch.float64)
check.value(
    "stability",
    lambda: 1.0 + bce_from_logits(certain, torch.tensor([1.0, 0.0]).double()),
    case="certain and right",
)
check.value(
    "value",
    lambda: bce_from_logits(_t[:6].reshape(1, 3, 2), _q[:6].reshape(1, 3, 2)),
    case="three dimensions",
)
check.value("stability", lambda: bce_from_logits(1e9 * _t, _q), case="logits of a billion")
check.gradient(
    "gradient",
    lambda z: bce_from_logits(z, (_t > 0).to(_t.dtype)),
    torch.cat([-1e9 * _t[:3], _t[3:]]),
    case="logits of a billion, wrong",
)
check.gradient(
    "gradient",
    lambda z: bce_from_logits(z, 1 - 0 * _q),
    0 * _t,
    case="logits of zero, targets of one",
)
check.keeps("gradient", bce_from_logits, 300.0 * _t, _q.clone(), case="logits in the hundreds")
no, tens = torch.zeros(1).double(), (7.3, 10.5, 12.9)
check.value(
    "stability",
    lambda: [bce_from_logits(s * x + no, no + (s < 0)) - x for s in (-1, 1) for x in tens],
    case="logits of some ten, less their straight line",
)
check.gradient(
    "gradient",
    lambda z: bce_from_logits(z, 1 - 0 * z),
    no + 10.5,
    case="a logit of 10.5, right",
)
_right = torch.tensor([1.0, 0.0], dtype=_t.dtype)
check.value(
    "stability",
    lambda: 1.0 + bce_from_logits(1e300 * (2 * _right - 1), _right),
    case="as certain as can be, and right",
)
check.value(
    "stability",
    lambda: bce_from_logits(1e300 * _t, _q) / 1e300,
    case="logits of 1e300",
)
check.value(
    "stability",
    lambda: bce_from_logits(1e9 * (1 - 2 * _right), 3e-8 + (1 - 6e-8) * (1 - _right)),
    case="targets next to 0 and 1, logits of a billion",
)
_clear = torch.tensor([-97.0, -21.5, 3.1, 29.3, 90.7, 127.9])
check.gradient(
    "gradient", lambda z: bce_from_logits(z, torch.linspace(0, 1, 6)), _clear, case="float32"
)
check.gradient(
    "gradient",
    lambda z: bce_from_logits(z, _q[:6].reshape(3, 1, 2)),
    1e300 * _t[:6].reshape(3, 1, 2),
    case="three dimensions, logits of 1e300",
)
check.gradient("gradient", lambda z: bce_from_logits(z, 0 * z), no + 1.7, case="one logit, wrong")
check.value("value", lambda: bce_from_logits(_t[1], _q[1]), case="a single number, shape ()")
_many = torch.sin(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100).T
check.value(
    "value",
    lambda: bce_from_logits(3 * _many[:, 0], _many[:, 1].square()),
    case="a hundred logits",
)
check.value(
    "value", lambda: bce_from_logits(3 * _many, _many.flip(0).square()), case="a hundred rows"
)
check.value(
    "value",
    lambda: bce_from_logits(
        2 * _many[:24].reshape(2, 4, 3, 3), 0.5 + 0 * _many[:24].reshape(2, 4, 3, 3)
    ),
    case="four dimensions, targets of a half",
)


# %% [markdown]
# ## Exercise 4. One of several labels (10 min, 6 points)
#
# Two people looked at a photograph: a crow or a raven, they say, and no finch. So the label is a
# *set* of classes, and the probability that a model gives to what is known is the sum of theirs. A
# set of one class is the ordinary label.
#
# Write `set_nll(logits, possible)`, the **mean** over the batch, in nats, of
#
# $$-\log \sum_{k \in S_i} p_{ik}$$
#
# where $p_i$ is the softmax of row $i$ and $S_i$ the set of its possible classes.
#
# - `logits` has shape `(n, K)`, $n \ge 1$, $K \ge 2$; `possible` has the same shape and holds
#   booleans, true for the classes of the set. No set is empty; a set may hold all classes.
# - Return a 0-d tensor through which gradients with respect to `logits` flow. Value and gradient
#   must be right, to a millionth or a relative millionth, for float64 logits as large as two
#   million: also where each class of a set has a probability that float64 rounds to 0.
# - Where do sums of probabilities come from, if one has logarithms of them? Unit 00 wrote the
#   tool; `torch.logsumexp` may do it here.
#
# Points: value 3, stability 2, gradient 1.


# %% exercise="one-of-several-labels"
def set_nll(logits, possible):
    """Return the mean NLL in nats of labels that are known as one of several classes."""
    ### BEGIN SOLUTION
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()
    ### END SOLUTION


# %% [markdown] why="one-of-several-labels"
# The sum over the set and the normaliser are sums of exponentials, and both stay logarithms. Each
# needs its own largest term: where the set is hopeless, all of its terms vanish beside the largest
# logit of the row. Averaging the surprises of the classes instead would ask the model to believe
# in each of them.

# %% checks="one-of-several-labels" points=6
check = Checks("one-of-several-labels")
z = torch.tensor([[1.0, 2.0, -0.5], [0.5, -1.25, 0.25]], dtype=torch.float64)
pair = torch.tensor([[True, False, True], [False, True, True]])
one = torch.tensor([[False, True, False], [True, False, False]])
check.keeps("value", set_nll, z, pair)
check.value("value", lambda: set_nll(z, pair), points=3)
check.value("value", lambda: set_nll(z, one), case="sets of one class")
check.value("stability", lambda: set_nll(1000 * z, pair), points=2)
check.value("stability", lambda: set_nll(z + 800, one))
check.gradient("gradient", lambda z: set_nll(z, pair), z, points=1)
check.report()

# %% hidden="one-of-several-labels"
_t = torch.linspace(-1.9, 2.4, 20, dtype=torch.float64)
_wide = torch.sin(3 * _t).reshape(4, 5) + 1.17 * _t.reshape(4, 5)
_some = torch.tensor([[0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 1, 0]]) > 0
_tie = torch.tensor([[1000.0, 999.5, -3000.0, -2999.3]], dtype=_t.dtype)
_low = torch.tensor([[False, False, True, True]])
check.value("value", lambda: set_nll(_wide, _some), case="four rows, five classes")
check.value("value", lambda: set_nll(_wide[:1], _some[:1]), case="one row")
check.value(
    "value",
    lambda: set_nll(_wide[:3, :2], torch.tensor([[1, 0], [1, 1], [0, 1]]) > 0),
    case="two classes",
)
check.value(
    "value",
    lambda: set_nll(_wide, _some | torch.tensor([[True], [False], [False], [False]])),
    case="a set of all classes",
)
check.law(
    "value",
    "equal",
    lambda: set_nll(_wide, _some),
    lambda: set_nll(_wide + torch.tensor([[9.0], [-7.0], [0.5], [3.0]]), _some),
    lambda: set_nll(torch.cat([_wide, _wide]), torch.cat([_some, _some])),
    case="a number added to each row",
)
check.value("stability", lambda: set_nll(731.0 * _wide, _some), case="logits in the thousands")
check.value("stability", lambda: set_nll(_wide - 900.0, _some), case="logits near -900")
check.value("stability", lambda: set_nll(83.0 * _wide.float(), _some), case="float32")
check.value("stability", lambda: set_nll(4e5 * _wide, _some), case="logits near a million")
_far = torch.tensor([[9.3e5, -8.7e5, -8.7e5 + 0.5]], dtype=_t.dtype)
check.value("stability", lambda: set_nll(_far, _far < 0), case="another class a million above")
check.value("stability", lambda: set_nll(_tie, _low), case="a hopeless set")
check.value("stability", lambda: set_nll(_tie, _tie > 999.7), case="a near tie at 1000")
check.gradient("gradient", lambda z: set_nll(z, _some), _wide, case="four rows")
check.gradient(
    "gradient", lambda z: set_nll(z, _some), 400 * _wide + 2.5, case="logits in the hundreds"
)
check.gradient("gradient", lambda z: set_nll(z, _low), _tie, case="a hopeless set")
check.gradient(
    "gradient",
    lambda z: set_nll(z, _some),
    torch.cat([_wide[:3], 2000 * _wide[3:]]),
    case="one row in the thousands",
)
alike = torch.tensor([[1.37, 1.37, -0.4], [0.7, 0.7, 0.7]], dtype=torch.float64)
two = torch.tensor([[True, True, False], [False, True, True]])
check.value("value", lambda: set_nll(alike, two), case="logits alike")
check.gradient("gradient", lambda z: set_nll(z, two), alike, case="logits alike")
aloft = 9e5 + torch.tensor([[0.013, 0.041, -0.3], [0.7, 0.71, 0.02]], dtype=torch.float64)
check.value("stability", lambda: set_nll(aloft, two), case="logits near 900 000")
apart = torch.tensor([[0.3, 517.0], [931.0, -2.0], [1.1, 0.4]], dtype=torch.float64)
check.value(
    "stability",
    lambda: set_nll(apart, torch.tensor([[1, 0], [0, 1], [1, 1]]) > 0),
    case="two classes far apart",
)
_hundred = torch.sin(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100)
_half = torch.cos(torch.arange(300, dtype=_t.dtype)).reshape(3, 100) > 0.1
check.value("value", lambda: set_nll(_hundred, _half), case="100 classes")
_top = _hundred.amax(dim=0)[:, None] == _hundred.T
check.value("value", lambda: set_nll(_hundred.T, _half.T | _top), case="100 rows")
check.gradient(
    "gradient",
    lambda z: set_nll(z, torch.cat([_some, ~_some[1:]])),
    torch.cat([_wide, 1.3 - _wide[1:]]),
    case="seven rows",
)
check.value(
    "stability",
    lambda: 1.0 + set_nll(1e3 * _wide, _wide > _wide.mean(1, keepdim=True)),
    case="certain and right",
)
check.keeps("stability", set_nll, 731.0 * _wide, _some.clone(), case="logits in the thousands")
_deep = torch.tensor([[-1e6, 0.4 - 1e6, 0.9 - 1e6], [0.3, -1e6, 1.2]], dtype=_t.dtype)
_last = torch.tensor([[True, False, False], [False, True, False]])
check.value("stability", lambda: set_nll(_deep[:1], _last[:1]), case="all at minus a million")
check.gradient("gradient", lambda z: set_nll(z, _last), _deep, case="minus a million")
check.gradient("gradient", lambda z: set_nll(z, ~_last), _deep, case="one class excluded")
check.gradient(
    "gradient",
    lambda z: set_nll(z, _some | torch.tensor([[True], [False], [False], [False]])),
    _wide,
    case="a set of all classes",
)
check.gradient(
    "gradient",
    lambda z: set_nll(z, torch.tensor([[False, True, False, False, False]])),
    _wide[1:2],
    case="one row, one class",
)
check.gradient(
    "gradient",
    lambda z: set_nll(z, torch.tensor([[1, 0], [1, 1], [0, 1]]) > 0),
    _wide[:3, :2],
    case="two classes",
)
check.gradient("gradient", lambda z: set_nll(z, _half.T | _top), 1.7 * _hundred.T, case="100 rows")
check.gradient("gradient", lambda z: set_nll(z, _some), _wide.float(), case="float32")
check.value(
    "value",
    lambda: set_nll(_hundred[:2], torch.arange(100) > torch.tensor([[2], [11]])),
    case="most of 100 classes",
)
check.value(
    "value",
    lambda: set_nll(_wide, _some[:1].repeat(4, 1)),
    case="the same set in each row",
)
check.value(
    "value",
    lambda: set_nll(torch.full((2, 2), 0.7).double(), torch.tensor([[True, False]] * 2)) - 0.3,
    case="two classes alike",
)
check.value(
    "stability",
    lambda: 1e5 * set_nll(torch.tensor([[11.9, -1.1, -3.0]]).double(), _last[:1]),
    case="a small loss",
)

# %% [markdown]
# ## Exercise 5. The gradient by hand (15 min, 6 points)
#
# What flows back from the loss into the network is the gradient with respect to the logits. It is
# simple enough to write down, and knowing it explains why this loss trains so well. Here each
# input was seen several times, and not always with the same class: what is known of it is counts.
#
# Write `cross_entropy_gradient(logits, counts)`: the gradient, with respect to `logits`, of the
# **mean** over the $n$ inputs of $-\sum_k c_k \log \mathrm{softmax}(z)_k$.
#
# - `logits` and `counts` have shape `(n, K)`, in the same precision. A count is 0 or positive, and
#   need not be whole: where annotators weigh differently, so do their labels. A row of counts has
#   any sum, 0 too: an input that nobody has labelled is still one of the $n$. A one-hot row is the
#   ordinary label, and its gradient stands in the lesson, for two classes; this one you derive.
# - Return a tensor of shape `(n, K)`. Automatic differentiation is switched off while your
#   function is checked.
# - It must be right for logits of any finite size.
#
# Points: value 2, counts 2, stability 2.


# %% exercise="logit-gradient"
def cross_entropy_gradient(logits, counts):
    """Return the gradient of the mean cross-entropy of counts with respect to the logits."""
    ### BEGIN SOLUTION
    weights = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    p = weights / weights.sum(dim=1, keepdim=True)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)
    ### END SOLUTION


# %% [markdown] why="logit-gradient"
# The log-normaliser's derivative is the softmax, and it stands there once for each time that the
# input was seen. So what is left is what the model expects of these counts, minus the counts; for
# a single label that is prediction minus truth. The division by $n$ belongs to the mean.

# %% checks="logit-gradient" points=6
check = Checks("logit-gradient")
gradient = torch.inference_mode()(lambda z, t: cross_entropy_gradient(z, t))
z = torch.tensor([[3.0, 0.5, 1.0], [-1.0, 1.0, 0.0]], dtype=torch.float64)
one_hot = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
soft = torch.tensor([[0.3, 0.6, 0.1], [0.7, 0.1, 0.2]], dtype=torch.float64)
seen = torch.tensor([[2.0, 3.0, 0.0], [0.0, 0.0, 0.5]], dtype=torch.float64)
check.keeps("value", gradient, z, one_hot)
check.value("value", lambda: gradient(z, one_hot), points=2)
check.value("counts", lambda: gradient(z, seen), points=2)
check.value("counts", lambda: gradient(z, soft), case="counts that sum to one")
check.value("stability", lambda: gradient(500 * z, one_hot), points=2)
check.report()

# %% hidden="logit-gradient"
_t = torch.linspace(-2.1, 1.8, 12, dtype=torch.float64)
_wide = (torch.cos(4 * _t) - 0.6 * _t).reshape(3, 4)
_labels = torch.eye(4, dtype=_t.dtype)[[2, 0, 3]]
_high = torch.tensor([[800.0, 799.5, 801.25, 0.0]], dtype=_t.dtype).repeat(3, 1)
_mixed = torch.softmax(0.8 * _t.flip(0).reshape(3, 4), dim=1)
check.value("value", lambda: gradient(_wide, _labels), case="three rows, four classes")
check.value("value", lambda: gradient(_wide[:1], _labels[:1]), case="one row")
check.value(
    "value",
    lambda: gradient(2.7 * _wide[:, :3], torch.eye(3, dtype=_t.dtype)),
    case="three classes",
)
check.law(
    "value",
    "equal",
    lambda: gradient(_wide, _labels),
    lambda: gradient(_wide + 4.5, _labels),
    case="a number added to all logits",
)
_seen = 0.83 + 2.7 * torch.sin(_t).square().reshape(3, 4)
check.value("counts", lambda: gradient(_wide, _seen), case="sums other than one")
check.value("counts", lambda: gradient(_wide, 400 * _seen * _labels), case="many of one class")
check.value("counts", lambda: gradient(0.4 * _wide[1:2], _seen[1:2]), case="one row of counts")
check.value("counts", lambda: gradient(_wide, 0.013 * _seen), case="counts far below one")
check.value("counts", lambda: gradient(_wide, _mixed), case="counts that sum to one")
check.value(
    "counts", lambda: gradient(-1.3 * _wide[:2], _mixed[1:]), case="two rows that sum to one"
)
_none = torch.tensor([[1.0], [0.0], [1.0]], dtype=_t.dtype)
check.value("counts", lambda: gradient(_wide, _none * _seen), case="a row of zeros")
check.value("counts", lambda: gradient(_wide[:, :2], _seen[:, 1:3]), case="two classes")
_vast = torch.tensor([[1e13 + 1, 1e13 + 3, 0.0, 1e13 + 2]], dtype=_t.dtype).repeat(3, 1)
check.value("stability", lambda: gradient(_vast, _seen), case="logits of ten trillion")
check.value("stability", lambda: gradient(_high, _seen), case="logits of 800")
check.value("stability", lambda: gradient(_high - 1600.0, _mixed), case="logits of -800")
check.value("stability", lambda: gradient(_high * 1e5, _mixed), case="logits of 80 million")
check.value(
    "stability",
    lambda: gradient(torch.cat([360 * _wide[:1], _wide[1:]]), _mixed),
    case="one row in the hundreds",
)
_long = torch.cat([_wide, 0.7 * _wide.flip(0) + 0.2, 1.9 - _wide])
check.value("value", lambda: cross_entropy_gradient(_long, _labels.repeat(3, 1)), case="nine rows")
shifted = 16777217.0 + torch.tensor([[0.7, -0.4, 1.9], [0.0, 1.0, 0.0]], dtype=torch.float64)
shares = torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], dtype=torch.float64)
check.value(
    "stability", lambda: cross_entropy_gradient(shifted, shares), case="logits beyond ten million"
)
mixed = torch.tensor([[1.0, 0.0, 0.0], [0.4, 0.5, 0.1]], dtype=torch.float64)
check.value(
    "counts",
    lambda: cross_entropy_gradient(shifted - 16777217.0, mixed),
    case="a known class beside counts that sum to one",
)
_hundred = torch.sin(torch.arange(300, dtype=_t.dtype) ** 2).reshape(3, 100)
_pad = torch.cat([_labels, torch.zeros(3, 96).double()], 1)
check.value("value", lambda: gradient(_hundred, _pad), case="100 classes")
check.value("value", lambda: gradient(_wide[:, :1], _labels[:, :1] ** 0), case="one class")
check.value("stability", lambda: gradient(1e300 * _wide, _mixed), case="logits of 1e300")
check.value(
    "stability",
    lambda: gradient(torch.full((2, 3), -900.0).double(), shares),
    case="logits of -900, all alike",
)
check.value(
    "stability",
    lambda: 1e90 * gradient(torch.cat([_wide, _wide - 203.0], 1), _pad[:, :8])[:, 4:],
    case="classes that are next to impossible",
)
check.keeps("stability", gradient, _high.clone(), _mixed.clone(), case="logits of 800")
check.keeps("counts", gradient, _wide.clone(), _seen.clone(), case="sums other than one")
_rich = torch.tensor([[1e9, 3e8, 0.0, 2e8], [3.0, 0.0, 2e-9, 7.0], [0.0, 3.7e6, 1e6, 0.0]])
check.value("counts", lambda: gradient(_wide, _rich.double()), case="counts of a billion")
check.value("counts", lambda: 1e9 * gradient(_wide, 1e-9 * _seen), case="counts of a billionth")
check.value(
    "counts",
    lambda: 1e9 * gradient(_wide[:1], 1e-9 * _labels[:1]),
    case="a single count, the smallest",
)
check.value(
    "counts",
    lambda: 1e3 * (gradient(_wide, 1.0004 * _mixed) - gradient(_wide, _mixed)),
    case="what a sum next to one changes",
)
check.value("counts", lambda: gradient(_wide, 0 * _seen) + 0.73, case="nobody labelled anything")
check.value(
    "counts", lambda: gradient(_wide, _seen * (1 - _none)), case="one row alone has labels"
)
check.value(
    "counts",
    lambda: gradient(_wide, _seen * torch.tensor([[0.0], [1.0], [1.0]]).double()),
    case="the first row has none",
)
check.value(
    "counts",
    lambda: gradient(_wide, _seen * torch.tensor([[1.0], [1.0], [0.0]]).double()),
    case="the last row has none",
)
check.value("counts", lambda: gradient(_wide[:, :3], _seen[:, 1:]), case="as many rows as classes")
check.value(
    "counts",
    lambda: gradient(_long[:4], _seen.repeat(2, 1)[:4]),
    case="four rows, four classes",
)
check.value(
    "counts", lambda: gradient(_wide[:, :1], _seen[:, :1]) + 1.3, case="one class, any counts"
)
check.value(
    "counts", lambda: gradient(_hundred.T, _hundred.square().T), case="a hundred rows of three"
)
check.value(
    "stability",
    lambda: gradient(
        torch.tensor(
            [[1.7e308, 1.6e308, -1.7e308, 0.3], [-1.7e308, -1.7e308, 2.0, 1.3]], dtype=_t.dtype
        ),
        _seen[:2],
    ),
    case="the largest logits of both signs",
)
check.value(
    "stability",
    lambda: 1e290 * gradient(torch.cat([_wide, _wide - 667.0], 1), _pad[:, :8])[:, 4:],
    case="classes that are all but impossible",
)

# %% [markdown]
# ## Exercise 6. Find the bugs (10 min, 5 points)
#
# A classifier of words works on sentences that are padded to one length; a mask says which words
# are real. Its training loss never comes near 0, however long it trains, and it changes when only
# padding is added. This is its loss:
#
# ```python
# def masked_loss(x, weight, bias, labels, mask):
#     p = torch.softmax(x @ weight + bias, dim=0)
#     loss = torch.nn.functional.cross_entropy(p, labels, reduction="none")
#     return (loss * mask).mean()
# ```
#
# Write the function that was meant: the **mean** NLL, in nats, of `labels` under a linear softmax
# classifier, over those examples whose `mask` is true.
#
# - `x` has shape `(n, d)`, `weight` `(d, K)`, `bias` `(K,)`, `labels` `(n,)` (class indices),
#   `mask` `(n,)` (booleans, at least one true).
# - Return a 0-d tensor through which gradients with respect to `weight` flow. It must be right for
#   logits of any finite size, to a millionth of the largest where they are large.
#
# Points: value 2, mask 2, gradient 1.


# %% exercise="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    """Return the mean NLL in nats of the labels whose mask is true."""
    ### BEGIN SOLUTION
    logits = x @ weight + bias
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return loss[mask].mean()
    ### END SOLUTION


# %% [markdown] why="find-the-bugs"
# `cross_entropy` takes logits and does the softmax itself: a second one squeezes the logits
# between 0 and 1, so that the loss cannot come near 0, and `dim=0` let the words of a sentence
# compete with each other. A product with the mask still divides by the padding; indexing does not.

# %% checks="find-the-bugs" points=5
check = Checks("find-the-bugs")
x = torch.tensor([[1.0, 0.0], [0.5, -1.0], [2.0, 1.5]], dtype=torch.float64)
weight = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], dtype=torch.float64)
bias = torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)
labels = torch.tensor([0, 2, 1])
every, some = torch.tensor([True, True, True]), torch.tensor([True, False, True])
check.keeps("value", masked_loss, x, weight, bias, labels, some)
check.value("value", lambda: masked_loss(x, weight, bias, labels, every), points=2)
check.value("mask", lambda: masked_loss(x, weight, bias, labels, some), points=2)
check.gradient("gradient", lambda w: masked_loss(x, w, bias, labels, some), weight, points=1)
check.report()

# %% hidden="find-the-bugs"
_t = torch.linspace(-1.7, 2.2, 15, dtype=torch.float64)
_features, _matrix = torch.sin(2 * _t).reshape(5, 3), (1.43 * torch.cos(3 * _t[:12])).reshape(3, 4)
_offset, _classes = 0.3 * _t[:4], torch.tensor([1, 3, 0, 2, 3])
_all_true, _few = torch.ones(5, dtype=torch.bool), torch.tensor([False, True, True, False, True])
check.value(
    "value",
    lambda: masked_loss(_features, _matrix, _offset, _classes, _all_true),
    case="all rows count",
)
check.value(
    "value",
    lambda: masked_loss(9.0 * _features, _matrix, _offset, _classes, _all_true),
    case="large logits",
)
check.value(
    "value",
    lambda: masked_loss(900 * _features, _matrix, _offset, _classes, _all_true),
    case="logits in the hundreds",
)
check.value(
    "mask",
    lambda: masked_loss(_features, _matrix, _offset, _classes, _few),
    case="three of five rows",
)
check.value(
    "mask",
    lambda: masked_loss(_features, _matrix, _offset, _classes, ~_few),
    case="two of five rows",
)
check.law(
    "mask",
    "equal",
    lambda: masked_loss(_features[1:3], _matrix, _offset, _classes[1:3], _all_true[:2]),
    lambda: masked_loss(_features[1:4], _matrix, _offset, _classes[1:4], _few[1:4]),
    case="rows left out against rows never there",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features, w, _offset, _classes, _few),
    _matrix,
    case="with respect to the weights, some rows",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features, w, _offset, _classes, _all_true),
    _matrix,
    case="with respect to the weights, all rows",
)
_far = _classes.tile(2), _few.tile(2)
_long = torch.sin(torch.arange(70, dtype=_t.dtype) ** 2).reshape(10, 7)
_tall = 1.1 * torch.cos(torch.arange(28, dtype=_t.dtype) ** 2).reshape(7, 4)
check.value("mask", lambda: masked_loss(_long, _tall, _offset, *_far), case="six of ten rows")
check.gradient(
    "gradient",
    lambda w: masked_loss(_long, w, _offset, *_far),
    300 * _tall,
    case="logits in the hundreds",
)
lone = torch.tensor([False, False, False, True, False])
check.value(
    "mask", lambda: masked_loss(_features, _matrix, _offset, _classes, lone), case="one row counts"
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features, w, _offset, _classes, lone),
    _matrix,
    case="one row counts",
)
low = torch.zeros_like(_classes) + (torch.arange(len(_classes)) % 2)
check.value(
    "value",
    lambda: masked_loss(_features, _matrix, _offset, low, lone | True),
    case="classes that no label names",
)
check.value(
    "mask",
    lambda: masked_loss(_features[:, :1], _matrix[:1], _offset, _classes, lone | True),
    case="a single feature",
)
check.value(
    "value",
    lambda: masked_loss(_features[:1], _matrix, _offset, _classes[:1], lone[3:4]),
    case="one row",
)
check.value(
    "value",
    lambda: masked_loss(1e9 * _features, _matrix, _offset, _classes, lone | True),
    case="logits of a billion",
)
check.value(
    "value",
    lambda: masked_loss(_features[:4], _matrix, _offset, _classes[:4], lone[:4] | True),
    case="as many rows as classes",
)
check.value(
    "mask",
    lambda: masked_loss(_features.float(), _matrix.float(), _offset.float(), _classes, _few),
    case="float32",
)
check.value(
    "mask",
    lambda: masked_loss(_features, _matrix, 900.0 * _offset, _classes, _few),
    case="biases in the hundreds",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features, w, _offset, _classes, _few),
    5000.0 * _matrix,
    case="logits in the thousands",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features, w, _offset, _classes, _few),
    1e9 * _matrix,
    case="weights of a billion",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features.float(), w, _offset.float(), _classes, _few),
    _matrix.float(),
    case="float32",
)
check.gradient(
    "gradient",
    lambda w: masked_loss(_features[:, :1], w, _offset, _classes, _few),
    _matrix[:1],
    case="a single feature",
)
check.value(
    "value",
    lambda: masked_loss(1e9 * _features, 1e9 * _matrix, _offset, _classes, lone | True) / 1e18,
    case="values and weights of a billion",
)
check.value(
    "value",
    lambda: masked_loss(_features, _matrix, 1e9 * _offset, _classes, lone | True),
    case="biases of a billion",
)
check.value(
    "value",
    lambda: masked_loss(_features, _matrix[:, :1], _offset[:1], 0 * _classes, lone | True) + 0.91,
    case="one class",
)
check.value(
    "value",
    lambda: masked_loss(_features, _matrix[:, :2], _offset[:2], _classes % 2, lone | True),
    case="two classes",
)
check.value(
    "value",
    lambda: masked_loss(_features, _matrix[:, :3], _offset[:3], _classes % 3, lone | True),
    case="as many features as classes",
)
check.value(
    "value",
    lambda: masked_loss(_features[:3], _matrix, _offset, _classes[:3], lone[:3] | True),
    case="as many rows as features",
)
check.value(
    "mask",
    lambda: masked_loss(_long[:7], _tall, _offset, _far[0][:7], torch.arange(7) < 3),
    case="padding at the end",
)
check.value(
    "mask",
    lambda: masked_loss(_long[:7], _tall, _offset, _far[0][:7], torch.arange(7) > 0),
    case="padding at the start",
)
check.value(
    "mask",
    lambda: masked_loss(
        _features, _matrix, _offset, torch.tensor([0, 2, 0, 0, 0]), torch.arange(5) < 2
    ),
    case="the first class in the padding, and beside it",
)
_wider = torch.sin(torch.arange(700, dtype=_t.dtype) ** 2).reshape(7, 100).T
check.value(
    "mask",
    lambda: masked_loss(_wider, _tall, _offset, torch.arange(100) ** 2 % 4, _wider[:, 0] > 0.2),
    case="some of a hundred rows",
)
check.value(
    "value",
    lambda: masked_loss(
        _wider[:9],
        _wider[9:16].T[:, :7] + 0.3,
        _wider[20],
        torch.arange(9) * 5 % 7,
        torch.arange(9) >= 0,
    ),
    case="seven classes",
)
check.keeps(
    "mask",
    masked_loss,
    9.0 * _features,
    _matrix.clone(),
    _offset.clone(),
    _classes.clone(),
    ~_few,
    case="two of five rows",
)

# %% [markdown]
# ## Exercise 7. In words: two reports, one winner (5 min, 3 points)
#
# Two teams forecast the same house prices, in units of 100 000 euros, on the same test houses.
# Team A reports "loss 0.2", the mean squared error of its network. Team B's network puts out a
# mean and a scale for each house; it reports "loss 0.4", the mean negative log-likelihood in nats.
# "A has the lower loss, A wins", says the manager. Answer in at most 120 words: why the two
# numbers cannot be compared, which assumption about the noise team A has made without saying so,
# and what you ask team A for, so that they can be. A person reads and grades this answer; no check
# runs.

# %% [markdown] written="two-reports" points=3
# ### BEGIN SOLUTION
# A's number is a squared distance, in (100 000 euros)^2; B's is the logarithm of a density, in
# nats. In euros A's would be larger by a factor of 10^10, and B's by a constant that is added.
# Squared error is the Gaussian NLL with one fixed scale for all houses, its constants dropped. Ask
# A for that scale, fitted on houses that are not the test's, and for the mean NLL with it, all
# constants kept. If the scale is the square root of 0.2, that is about 0.6 nats, and B is ahead.
# Conversely, B's means could be scored by squared error; but then its scales are not looked at.
#
# **Rubric.** One point for what the numbers are: a squared error with a unit against a
# log-density, so that lower in one says nothing about the other. One point for Gaussian noise with
# the same scale for all houses. One point for the way to compare: A's NLL with a fitted scale and
# all constants (or both by squared error, saying what that leaves out).
# ### END SOLUTION
