# %% [markdown]
# # Assignment: A new unit
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a thousand in size, what must be positive is at least a
# thousandth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. Waiting times (10 min, 3 points)
#
# Write `exponential_nll(y, rate)`, the **mean** NLL, in nats, of waiting times under an
# exponential density with this rate.
#
# - `y` is a tensor of any shape with positive entries; `rate` is positive, a 0-d tensor or a
#   number.
# - Return a 0-d tensor through which gradients with respect to `rate` flow.
#
# Points: value 2, gradient 1.


# %% exercise="skeleton-nll"
def exponential_nll(y, rate):
    """Return the mean exponential negative log-likelihood in nats."""
    ### BEGIN SOLUTION
    rate = torch.as_tensor(rate, dtype=y.dtype)
    return rate * y.mean() - torch.log(rate)
    ### END SOLUTION


# %% [markdown] why="skeleton-nll"
# Two lines for whoever has solved it, or given up: the idea, and the slip that it avoids. Here:
# minus the logarithm of $\lambda e^{-\lambda y}$, averaged; the mean goes through a straight line.

# %% checks="skeleton-nll" points=3
check = Checks("skeleton-nll")
y = torch.tensor([0.5, 3.0], dtype=torch.float64)
check.keeps("value", lambda y: exponential_nll(y, 2.0), y.clone())
check.value("value", lambda: exponential_nll(y, 2.0), points=2)
check.gradient("gradient", lambda r: exponential_nll(y, r), torch.tensor(0.7), points=1)
check.report()

# %% hidden="skeleton-nll"
_t = torch.linspace(0.11, 4.3, 6, dtype=torch.float64)
check.value("value", lambda: exponential_nll(_t**2, 0.37), case="six waits, a small rate")
_one = torch.tensor(11.3, dtype=_t.dtype)
check.value("value", lambda: exponential_nll(_t[:1], _one), case="one wait, the rate a tensor")
check.value("value", lambda: exponential_nll(_t.reshape(2, 3), 1.9), case="two rows of waits")
check.value("value", lambda: exponential_nll(9e7 * _t, 3e-8), case="long waits, a tiny rate")
_rate = torch.tensor(2.3, dtype=_t.dtype)
check.gradient("gradient", lambda r: exponential_nll(_t, r), _rate, case="six waits")
