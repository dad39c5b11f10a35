# %% [markdown]
# # Assignment 01: Loss is a likelihood
#
# Two functions that every training loop relies on, written by you. Each exercise names its
# return value, its units and its reduction; whatever the text leaves open is yours to choose.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. The Gaussian negative log-likelihood (10 min, 4 points)
#
# A network predicts a mean and a scale for each target. Training needs one number: how
# surprised the model is, on average.
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
# - You may use anything that PyTorch offers.
#
# Points: value 2, gradient 1, shape 1.


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


# %% checks="gaussian-nll" points=4
check = Checks("gaussian-nll")
y = torch.tensor([1.0, 2.0], dtype=torch.float64)
mu = torch.tensor([[0.5], [2.5]], dtype=torch.float64)
check.value("value", lambda: gaussian_nll(y, 0.0, 2.0), points=2)
check.value("value", lambda: gaussian_nll(y, 0.5 * y, 0.3 + y))
check.keeps("value", lambda y: gaussian_nll(y, 0.0, 2.0), y)
check.gradient("gradient", lambda sigma: gaussian_nll(y, 0.0, sigma), 0.7 * y, points=1)
check.value("shape", lambda: gaussian_nll(y, mu, 2.0), points=1)
check.report()

# %% hidden="gaussian-nll"
t = torch.linspace(-1.3, 2.9, 6, dtype=torch.float64)
check.value("value", lambda: gaussian_nll(torch.sin(3 * t), 0.41 * t, torch.exp(0.37 * t)))
check.value("value", lambda: gaussian_nll(t, t.mean(), torch.tensor(0.083, dtype=t.dtype)))
check.value("value", lambda: gaussian_nll(1.7 + 0.002 * t, 1.7, 0.013))
check.value("value", lambda: gaussian_nll(t[:1], 0.77, 1.9))
check.value("value", lambda: gaussian_nll(t.reshape(2, 3), t.flip(0).reshape(2, 3), 1.37))
check.law(
    "value",
    "equal",
    lambda: gaussian_nll(t, 0.2, 1.1),
    lambda: gaussian_nll(torch.cat([t, t]), 0.2, 1.1),
)
check.gradient("gradient", lambda m: gaussian_nll(torch.cos(t), m, 0.61), 0.3 * t)
check.gradient("gradient", lambda s: gaussian_nll(t, 0.19, torch.exp(s)), 0.23 * t)
check.value("shape", lambda: gaussian_nll(t.reshape(6, 1), t.flip(0).reshape(6, 1), 0.9))
check.value("shape", lambda: gaussian_nll(t, t.reshape(6, 1), 0.9))
check.value("shape", lambda: gaussian_nll(t.reshape(6, 1), t, 0.9))

# %% [markdown]
# ## Exercise 2. Cross-entropy from logits (15 min, 5 points)
#
# A confident classifier that is wrong must still say how wrong. In float32 a sigmoid of 20 is
# exactly 1, so taking its logarithm afterwards comes too late.
#
# Write `bce_from_logits(z, y)`, the **mean** binary cross-entropy in nats of the targets `y`
# under probabilities $\sigma(z)$.
#
# - `z` is a tensor of real logits, `y` a tensor of the same shape with values in $[0, 1]$ (soft
#   targets occur).
# - Return a 0-d tensor. Value and gradient with respect to `z` must be right for every finite
#   logit, such as $\pm 800$ in float64.
# - Build it from elementary functions (`exp`, `log1p`, `clamp`, `softplus`, `logsigmoid`, ...);
#   a ready-made loss is accepted too, but teaches less.
#
# Points: value 2, stability 2, gradient 1.


# %% exercise="bce-from-logits"
def bce_from_logits(z, y):
    """Return the mean binary cross-entropy in nats of targets y under sigmoid(z)."""
    ### BEGIN SOLUTION
    softplus = z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    return (softplus - y * z).mean()
    ### END SOLUTION


# %% checks="bce-from-logits" points=5
check = Checks("bce-from-logits")
z = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
y = torch.tensor([1.0, 0.0, 0.25], dtype=torch.float64)
far = torch.tensor([20.0])
check.value("value", lambda: bce_from_logits(z, y), points=2)
check.keeps("value", bce_from_logits, z, y)
check.value("stability", lambda: bce_from_logits(far, 0 * far), points=2)
check.gradient("gradient", lambda z: bce_from_logits(z, y), z, points=1)
check.report()

# %% hidden="bce-from-logits"
t = torch.linspace(-2.7, 3.1, 7, dtype=torch.float64)
q = torch.sigmoid(1.9 - t)
check.value("value", lambda: bce_from_logits(t, q))
check.value("value", lambda: bce_from_logits(t[:1], torch.ones(1, dtype=t.dtype)))
check.value("value", lambda: bce_from_logits(t[:6].reshape(2, 3), q[:6].reshape(2, 3)))
check.law(
    "value",
    "equal",
    lambda: bce_from_logits(t, q),
    lambda: bce_from_logits(-t, 1 - q),
    lambda: bce_from_logits(torch.cat([t, t]), torch.cat([q, q])),
)
check.value("stability", lambda: bce_from_logits(263 * t, (t < 0).to(t.dtype)))
check.value("stability", lambda: bce_from_logits(-310 * t, q))
check.value("stability", lambda: bce_from_logits(41 * t.float(), torch.zeros(7)))
check.gradient("gradient", lambda z: bce_from_logits(z, q), t)
check.gradient("gradient", lambda z: bce_from_logits(z, q), 97.3 * t)
