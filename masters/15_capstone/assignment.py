# %% [markdown]
# # Assignment 15: Audit a model card
#
# Seven exercises in code and one in words, 37 points, about 85 minutes. The lesson shows a model
# card whose numbers cannot all be true. Here lies the code behind them. Exercises 1 to 6 each hold
# a function *as it stood in the card's code*, with what the card claims about it; each has one
# error of the kind that the course is about. Write the function that was meant. A copy with the
# error mended passes, and so does any other correct one. Exercise 7 makes the table anew, and in
# exercise 8 you say whether you sign.
#
# All tensors of real numbers are float64. Logarithms are natural. Every function leaves its inputs
# and the global random generators as they are. Where an exercise names no other range, numbers are
# at most a thousand in size, what must be positive is at least a thousandth, no axis is empty or
# longer than a hundred, and nothing is infinite or `nan`. Anything that PyTorch, NumPy or SciPy
# offers may be used.
#
# Three hints are folded below each exercise: what to try, where to look, what to do. Run the check
# cell as often as you like. It shows what came, what was expected, and often why. More cases run
# when your work is graded.

# %%
import contextlib
import math

import torch
from torch import nn

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. The prior of the triage model (12 min, 5 points)
#
# The card claims: "*Logistic regression. The weights are the maximum of the posterior under
# independent priors, $w_j \sim N(0, \tau_j^2)$.*" Patients with equal measurements are stored
# as one row with a count. The card's code:
#
# ```python
# def map_weights(x, y, count, tau):
#     w = torch.zeros(x.shape[1], dtype=x.dtype)
#     prior = 1 / tau**2
#     for _ in range(40):
#         p = torch.sigmoid(x @ w)
#         slope = (count * (p - y)) @ x / count.sum() + prior * w
#         curvature = (x.T * (count * p * (1 - p))) @ x / count.sum() + torch.diag(prior)
#         w = w - torch.linalg.solve(curvature, slope)
#     return w
# ```
#
# Its cross-entropy is far above that of anybody else's logistic regression on these data. Write
# `map_weights(x, y, count, tau)`, which returns the weights that maximise the posterior density
# under the priors that the card claims.
#
# - `x` has shape `(n, d)`; there is no intercept but what `x` may hold. `y` has shape `(n,)`, 0.0
#   or 1.0. `count`, shape `(n,)`, says how many patients a row stands for: whole numbers as
#   float64, from 0 to 10 000, at least one of them positive. Given $w$, patients are independent.
# - `tau` has shape `(d,)`; its entries lie between 1/100 and 5. Entries of `x` lie within 4 of 0.
# - The result has shape `(d,)` and must be right to $10^{-5}$. Without the priors there may be no
#   maximum: a line may separate the two classes. With them, Newton's method, started at 0 as
#   above, converges within 40 steps on all inputs that are checked.
#
# Points: value 2, counts 2, separable 1.
#
# <details><summary>Hint 1: what to try</summary>
# Give it each row twice. Twice the evidence must move the weights away from 0. Do the card's move?
# </details>
# <details><summary>Hint 2: where to look</summary>
# Compare the sizes of the two terms in <code>slope</code> for ten patients and for a million.
# </details>
# <details><summary>Hint 3: what to do</summary>
# Write down the logarithm of the posterior density, a sum over patients and a sum over weights,
# before anything is divided. Unit 04 has the rule for losses that are means.
# </details>


# %% exercise="map-weights"
def map_weights(x, y, count, tau):
    """Return the most probable weights of a logistic regression under N(0, tau_j^2) priors."""
    ### BEGIN SOLUTION
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w
    ### END SOLUTION


# %% [markdown] why="map-weights"
# The card divided the likelihood by the number of patients, and not the prior: a prior as strong
# as all the data, however many there are. In a sum of log terms every patient counts once, and the
# prior once.

# %% checks="map-weights" points=5
check = Checks("map-weights")
rows = [[1.0, 0.3], [1.0, -0.8], [1.0, 1.4], [1.0, -0.2], [1.0, 0.9]]
x = torch.tensor(rows, dtype=torch.float64)
y = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
tau = torch.tensor([1.2, 0.7], dtype=torch.float64)
once, many = torch.ones_like(y), torch.tensor([3.0, 1.0, 0.0, 4.0, 2.0], dtype=torch.float64)
apart = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
check.keeps("value", map_weights, x.clone(), y.clone(), once.clone(), tau.clone())
check.keeps("counts", map_weights, x.clone(), y.clone(), many.clone(), tau.clone())
check.value("value", lambda: map_weights(x, y, once, tau), points=2)
check.value("counts", lambda: map_weights(x, y, many, tau), points=2)
check.value("separable", lambda: map_weights(x, apart, once, 3 * tau), points=1)
check.report()

# %% hidden="map-weights"
t = torch.arange(42, dtype=torch.float64)
wide = 1.6 * torch.sin(1.9 * t[:36] + 0.4).reshape(9, 4)
label = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1], dtype=t.dtype)
sds = torch.tensor([0.37, 1.9, 0.83, 4.1], dtype=t.dtype)
ones = torch.ones(9, dtype=t.dtype)
some = torch.tensor([2, 0, 5, 1, 1, 7, 0, 3, 11], dtype=t.dtype)
side = (wide[:, 1] > 0.1).to(t.dtype)
check.value("value", lambda: map_weights(wide, label, ones, sds), case="nine rows, four weights")
check.value("value", lambda: map_weights(wide[:1], label[:1], ones[:1], sds), case="one patient")
check.value(
    "value", lambda: map_weights(wide[:, 1:2], label, ones, sds[:1]), case="a single weight"
)
check.value("value", lambda: map_weights(wide, label, ones, sds / 9), case="narrow priors")
check.value(
    "value",
    lambda: 100 * map_weights(wide, label, ones, 0.01 + 0 * sds),
    case="priors with standard deviations of 0.01",
)
check.value(
    "value",
    lambda: map_weights(wide[:3], label[:3], ones[:3], sds),
    case="fewer patients than weights",
)
check.value(
    "value",
    lambda: map_weights((2.4 * wide).clamp(-3.9, 3.9), label, ones, sds / 3),
    case="entries of x up to 3.9",
)
check.value("counts", lambda: map_weights(wide, label, some, sds), case="counts from 0 to 11")
check.value(
    "counts", lambda: map_weights(wide, label, 850 * some, sds), case="counts of thousands"
)
check.value(
    "counts",
    lambda: map_weights(wide, label, (t[:9] == 4).to(t.dtype), sds),
    case="one patient, eight empty rows",
)
check.value(
    "counts",
    lambda: map_weights(wide[:, :2], side, 900 * ones, 0 * sds[:2] + 4.9),
    case="900 patients a row, separable",
)
check.law(
    "counts",
    "equal",
    lambda: map_weights(wide, label, some, sds),
    lambda: map_weights(
        wide.repeat_interleave(some.long(), 0),
        label.repeat_interleave(some.long()),
        torch.ones(30, dtype=t.dtype),
        sds,
    ),
    case="a count against as many rows",
)
check.value(
    "separable", lambda: map_weights(wide, side, ones, sds), case="a line separates nine rows"
)
check.value(
    "separable", lambda: map_weights(wide, ones, ones, sds / 3), case="only one class occurs"
)
check.value(
    "separable",
    lambda: map_weights(wide, side, ones, 0 * sds + 3.7),
    case="separable, wide priors",
)
signs = torch.where(torch.sin(2.3 * torch.arange(84.0)) > 0, 1.0, -1.0).to(t.dtype).reshape(12, 7)
ends = torch.tensor([0.01, 5.0, 0.3, 5.0, 1.1, 0.01, 2.7], dtype=t.dtype)
mixed = (torch.cos(3.1 * torch.arange(12.0)) > 0.2).to(t.dtype)
tall = torch.tensor([0, 10000, 1, 0, 10000, 37, 2, 10000, 0, 900, 10000, 5], dtype=t.dtype)
many = 0.7 * torch.sin(1.3 * torch.arange(4000.0) ** 2).to(t.dtype).reshape(100, 40)
check.value(
    "value",
    lambda: map_weights(4 * signs, mixed, 0 * mixed + 1, ends) / ends,
    case="entries of 4 and -4, seven weights, the narrowest and the widest priors",
)
check.value(
    "value",
    lambda: map_weights(
        many, (many[:, 3] > 0.2).to(t.dtype), 0 * many[:, 0] + 1, 0.1 + many[2] ** 2
    ),
    case="a hundred rows, forty weights",
)
check.value(
    "counts",
    lambda: map_weights(4 * signs, mixed, tall, ends) / ends,
    case="counts of 0 and of 10000, entries of 4 and -4",
)
check.value(
    "counts",
    lambda: map_weights(
        signs[:, :3].repeat(2, 1), t[:24] % 2, torch.cat([tall, tall.flip(0)]), sds[:3]
    ),
    case="equal rows of both classes",
)
check.value(
    "counts",
    lambda: map_weights(wide[:1, 2:3], label[:1], 10000 * ones[:1], 0 * sds[:1] + 5),
    case="one row of 10000 patients, one weight",
)
check.value(
    "separable",
    lambda: map_weights(4 * wide[:, :2] / 1.6, side, ones, 0 * sds[:2] + 5),
    case="separable, the widest priors",
)
check.value(
    "separable",
    lambda: map_weights(wide / 16, side, 10000 * ones, 0 * sds + 5),
    case="separable, 10000 patients a row, large weights",
)

# %% [markdown]
# ## Exercise 2. What the network says about a patient (10 min, 5 points)
#
# The card claims: "*At test time the network is deterministic: one prediction for a patient.*"
# Yet its accuracy changes from run to run, and with the order of the patients. The card's code:
#
# ```python
# def test_outputs(net, x, size):
#     net.train()
#     return torch.cat([net(part) for part in x.split(size)])
# ```
#
# Write `test_outputs(net, x, size)`: what the trained network says about each row of `x`.
#
# - `net` is any `nn.Module` that leaves its input as it is, with modules nested to any depth, none
#   of them in two places, dropout and batch normalisation among them. `x` has shape `(n, d)`,
#   $n \ge 1$; the result has shape `(n, K)`. A row's result does not depend on `size` (at least
#   1), nor on the other rows.
# - Afterwards the network is as it was: each module in the mode it was in (someone may have frozen
#   a part), all buffers and parameters unchanged, and gradients that they hold; also if `net`
#   raises an exception, which must reach the caller. Whether gradients are computed elsewhere is
#   left as it was, too.
# - The result does not require a gradient, whatever `x` does.
#
# The checks use `Known`, a dropout layer with a mask that is no secret.
#
# Points: value 2, alone 1, restored 1, no gradient 1. The aspect "alone" is about rows that must
# not depend on others.
#
# <details><summary>Hint 1: what to try</summary>
# Call it twice. Then once with <code>size=n</code>, once with <code>size=1</code>.
# </details>
# <details><summary>Hint 2: where to look</summary>
# Which layers act otherwise in training, and what do they remember of what they have seen?
# </details>
# <details><summary>Hint 3: what to do</summary>
# Choose the right mode, and leave the room as you found it: note the mode of each of
# <code>net.modules()</code> first, not only that of <code>net</code>. Unit 07 tells of the modes.
# </details>


# %%
class Known(nn.Dropout):
    """Dropout that drops every second unit in training, so that results can be compared."""

    def forward(self, x):
        mask = torch.arange(x.shape[-1]) % 2
        return x * mask / (1 - self.p) if self.training else x


# %% exercise="test-outputs"
def test_outputs(net, x, size):
    """Return what the trained network says about each row, and leave it as it was."""
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode
    ### END SOLUTION


# %% [markdown] why="test-outputs"
# In training mode dropout is drawn anew and batch normalisation looks at the other patients of the
# batch. `eval` ends both; the modes are noted for each module, since someone may have frozen a
# part on purpose.

# %% checks="test-outputs" points=5
check = Checks("test-outputs")


def small(width=3):  # with batch normalisation that has seen data, and dropout
    norm = nn.BatchNorm1d(width).double()
    norm.running_mean += 0.4
    norm.running_var *= 1.7
    last = nn.Linear(width, 2).double()
    with torch.no_grad():
        last.weight.copy_(torch.cos(torch.arange(2.0 * width)).reshape(2, width))
        last.bias.copy_(torch.tensor([0.2, -0.6]))
    return nn.Sequential(norm, nn.Sequential(nn.Tanh(), Known(0.5)), last)


def after(net, x, size):  # outputs, then modes and averages
    with contextlib.suppress(ConnectionError):
        test_outputs(net, x, size)
    modes = [1.3**i for i, module in enumerate(net.modules()) if module.training]
    grads = [1.7**i for i, weight in enumerate(net.parameters()) if weight.requires_grad]
    facts = [sum(modes), sum(grads), float(torch.is_grad_enabled())]
    return torch.cat([net[0].running_mean, torch.tensor(facts)])


x = torch.sin(1.7 * torch.arange(12, dtype=torch.float64)).reshape(4, 3)
frozen = small()
frozen[1].eval()
net = small()
check.keeps("value", lambda x: test_outputs(net, x, 2), x.clone())
check.value("value", lambda: test_outputs(small(), x, 2), points=2)
check.value("alone", lambda: test_outputs(small(), x[1:2], 1), points=1)
check.value("restored", lambda: after(small(), x, 2), points=1)
check.value("restored", lambda: after(frozen, x, 4), case="a part is frozen")
check.value("restored", lambda: after(small().eval(), x, 2), case="all in evaluation before")
check.value("no gradient", lambda: test_outputs(small(), x, 4).requires_grad, points=1)
check.report()

# %% hidden="test-outputs"
t = torch.arange(45, dtype=torch.float64)
many = 1.4 * torch.cos(1.1 * t + 0.3).reshape(9, 5)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"a": small(5), "b": nn.Sequential(Known(0.37))})

    def forward(self, x):
        seen = 0.4 * x if self.training else x
        return self.parts["b"](self.parts["a"](seen)) + 0.31 * x[:, :2]


class Broken(nn.Module):
    def forward(self, x):
        raise ConnectionError("a sensor failed")


def deep(*still):
    net = nn.Sequential(nn.BatchNorm1d(5).double(), nn.Sequential(nn.Tanh(), small(5)), nn.Tanh())
    net[0].running_mean -= 0.23
    for name in still:
        net.get_submodule(name).training = False
    return net


def reached(net):
    try:
        test_outputs(nn.Sequential(*net, Broken()), many, 3)
    except ConnectionError:
        return after(nn.Sequential(*net, Broken()), many, 3)
    return torch.zeros(2)


check.value("value", lambda: test_outputs(small(5), many, 4), case="nine rows, parts of four")
check.value("value", lambda: test_outputs(small(5).eval(), many, 9), case="in evaluation before")
check.value("value", lambda: test_outputs(Own(), many, 4), case="a module that asks for its mode")
check.value("value", lambda: test_outputs(deep("1"), many, 2), case="a part frozen, three levels")
check.value("value", lambda: test_outputs(deep(), many, 50), case="a size larger than n")
check.value("value", lambda: test_outputs(Own().eval(), many[:7], 1), case="row by row")
check.law(
    "alone",
    "equal",
    lambda: test_outputs(deep(), many, 9)[2:4],
    lambda: test_outputs(deep(), many[2:4], 2),
    lambda: test_outputs(deep(), many.flip(0), 11).flip(0)[2:4],
    case="rows in other company",
)
check.value(
    "alone", lambda: test_outputs(deep(), many[:1], 3), case="one row, batch normalisation"
)
check.value(
    "alone", lambda: test_outputs(Own(), many[4:5], 1), case="one row, a module of its own"
)
check.value("restored", lambda: after(deep(), many, 3), case="all in training")
check.value("restored", lambda: after(deep().eval(), many, 3), case="all in evaluation")
check.value("restored", lambda: after(deep("0"), many, 3), case="a frozen batch normalisation")
check.value(
    "restored", lambda: after(deep("1.1.1", "1.1.1.1"), many, 3), case="frozen three levels down"
)
check.value(
    "restored",
    lambda: after(deep("", "1", "1.1"), many, 3),
    case="containers in evaluation, parts in training",
)
check.value("restored", lambda: reached(deep("1")), case="after an exception")
check.value("restored", lambda: reached(deep("", "2")), case="after an exception, others frozen")
lone = nn.Sequential(small(5), nn.Linear(2, 1).double())
still = small(5)
still[2].weight.requires_grad_(False)
with torch.no_grad():
    lone[1].weight.copy_(torch.tensor([[0.7, -1.3]]))
    lone[1].bias.copy_(torch.tensor([0.4]))
check.value("value", lambda: test_outputs(lone, many, 4), case="one output")
check.value("alone", lambda: test_outputs(lone, many[3:4], 4), case="one row, one output")
check.value("restored", lambda: after(still, many, 4), case="a weight that is not trained")
plain = nn.Sequential(nn.Linear(5, 2).double(), nn.Tanh())
with torch.no_grad():
    plain[0].weight.copy_(torch.sin(t[:10]).reshape(2, 5))
    plain[0].bias.copy_(t[1:3] / 7)
check.value(
    "no gradient",
    lambda: test_outputs(plain, many, 9) * (1 + test_outputs(plain, many, 9).requires_grad),
    case="nine rows at once",
)
check.value(
    "no gradient",
    lambda: (
        3.1 - test_outputs(plain[0], many, 50) + test_outputs(plain[0], many, 50).requires_grad
    ),
    case="a single layer",
)


def switched_off(net):
    with torch.no_grad():
        return after(net, many, 4)


check.value("restored", lambda: switched_off(deep("1.1")), case="within torch.no_grad()")


def whole(net, x, size):  # all that a network holds, after a call
    for i, weight in enumerate(net.parameters()):
        weight.grad = torch.full_like(weight, 0.3 + i)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.num_batches_tracked += 7
    with contextlib.suppress(ConnectionError):
        test_outputs(net, x, size)
    held = [
        *net.buffers(),
        *net.parameters(),
        *(w.grad for w in net.parameters() if w.grad is not None),
    ]
    facts = [*(m.training for m in net.modules()), *(w.requires_grad for w in net.parameters())]
    held = [a.detach().double().flatten() for a in held]
    return torch.cat([*held, torch.tensor([*facts, torch.is_grad_enabled()]).double()])


def known(*layers):  # the same weights in every process
    net = nn.Sequential(*layers)
    with torch.no_grad():
        for i, weight in enumerate(net.parameters()):
            steps = torch.arange(weight.numel(), dtype=torch.float64)
            weight.copy_(torch.sin(0.7 * i + steps).reshape(weight.shape))
    return net


def moved(net, x, size):  # weights and averages, their changes a billion times as large
    before = torch.cat([v.double().flatten() for v in net.state_dict().values()])
    test_outputs(net, x, size)
    now = torch.cat([v.double().flatten() for v in net.state_dict().values()])
    return before + 1e9 * (now - before)


rows = torch.sin(0.37 * torch.arange(500, dtype=torch.float64) ** 2).reshape(100, 5)
check.value("restored", lambda: whole(known(deep("1.1")), many, 2), case="all that it holds")
check.value(
    "restored",
    lambda: whole(known(deep(), Broken()), many, 9),
    case="all that it holds, after an exception",
)
check.value(
    "restored",
    lambda: moved(known(deep()), many, 4),
    case="weights and averages to the last digit",
)
check.value("value", lambda: test_outputs(deep(), rows, 1), case="a hundred rows, one by one")
check.value(
    "value", lambda: test_outputs(Own(), rows, 33), case="a hundred rows, a last one alone"
)
check.value(
    "no gradient",
    lambda: (
        test_outputs(plain, many.clone().requires_grad_(), 4)
        * (1.3 + test_outputs(plain, many.clone().requires_grad_(), 4).requires_grad)
    ).detach(),
    case="x requires a gradient",
)


def asked(net, x):  # outputs, and whether x still asks for a gradient
    x = x.clone().requires_grad_()
    found = test_outputs(net, x, 4).detach()
    return found * (1.7 + x.requires_grad)


check.value("no gradient", lambda: asked(plain, many), case="x afterwards")
check.value(
    "value",
    lambda: many[:, :2] + 1e6 * (test_outputs(plain, many, 4) - plain(many).detach()),
    case="to the last digits",
)

# %% [markdown]
# ## Exercise 3. How much a clamp hides (10 min, 5 points)
#
# The card claims: "*The log likelihood of the test patients, in their own units.*" A network
# predicts the standardised outcome, $(y - c)/s$, by a mean and a log variance. The card's code:
#
# ```python
# def nll_report(mean, log_var, y, c, s, low, high):
#     log_var = log_var.clamp(low, high)  # keeps the loss finite
#     z = (y - c) / s - mean
#     nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
#     return nll, torch.zeros_like(nll)
# ```
#
# Whatever network is scored with it, the NLL hardly moves. Write `nll_report(mean, log_var, y, c,
# s, low, high)`, which returns the tuple `(nll, hidden)`, both of the shape of `mean`:
#
# - `nll`: the negative log-density of each `y`, in nats, **in the unit of `y`**, under what the
#   network says;
# - `hidden`: how much of that the card's code does not show: `nll` less the card's `nll`. It is
#   negative where the card reports too high a loss.
#
# Details:
#
# - `mean`, `log_var` and `y` are tensors of the same shape, any shape, also `()` and with no
#   patients. `c`, `s`, `low` and `high` are Python numbers, $s > 0$, `low` ≤ `high`.
# - `log_var` lies between −300 and 300; `mean` and the standardised `y` within 1000 of 0.
# - Gradients of `nll` with respect to `mean` and `log_var` flow, and are right. Those of `hidden`
#   are not looked at.
#
# Points: nll 2, hidden 1, gradient 2.
#
# <details><summary>Hint 1: what to try</summary>
# Hand it a network that is certain and wrong. The loss should explode. Does it?
# </details>
# <details><summary>Hint 2: where to look</summary>
# Which values of <code>log_var</code> give the same loss?
# </details>
# <details><summary>Hint 3: what to do</summary>
# Compute both: once with what the network said, once with what the clamp makes of it. Unit 02
# tells what a clamp does to a gradient, unit 06 how a variance explodes.
# </details>


# %% exercise="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    """Return each patient's NLL in the unit of y, and how much of it the card's clamp hides."""
    ### BEGIN SOLUTION
    z = (y - c) / s - mean

    def loss(log_var):
        return 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))
    ### END SOLUTION


# %% [markdown] why="nll-report"
# The density of $y$ is that of the standardised outcome divided by $s$: so $\log s$ is added. A
# clamp in the score cuts off what a network that is certain and wrong has to pay, and the gradient
# that would tell it so.

# %% checks="nll-report" points=5
check = Checks("nll-report")
mean = torch.tensor([0.3, -1.2, 0.8, 0.1], dtype=torch.float64)
log_var = torch.tensor([-0.4, -5.0, 0.7, 3.0], dtype=torch.float64)
y = torch.tensor([160.0, 210.0, 130.0, 90.0], dtype=torch.float64)
check.keeps("nll", lambda *v: nll_report(*v, 150.0, 75.0, -1, 1), mean.clone(), log_var.clone(), y)
check.value("nll", lambda: nll_report(mean, log_var, y, 150.0, 75.0, -1, 1)[0], points=2)
check.value("hidden", lambda: nll_report(mean, log_var, y, 150.0, 75.0, -1, 1)[1], points=1)
check.gradient(
    "gradient", lambda v: nll_report(mean, v, y, 150.0, 75.0, -1, 1)[0], log_var, points=2
)
check.gradient("gradient", lambda m: nll_report(m, log_var, y, 150.0, 75.0, -1, 1)[0], mean)
check.report()

# %% hidden="nll-report"
t = torch.arange(12, dtype=torch.float64)
m, v = 1.3 * torch.sin(1.9 * t), 4.7 * torch.cos(1.1 * t + 0.2)
out = 41.3 + 17.9 * torch.sin(2.3 * t + 0.9)
w = torch.linspace(0.4, 1.7, 12, dtype=t.dtype)
far = (43.7 * torch.sin(t + 0.5), 41.3 + 17.9 * 830 * torch.cos(1.7 * t))
check.value(
    "nll",
    lambda: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.9)[0],
    case="twelve patients, one third inside the clamp",
)
check.value(
    "nll",
    lambda: nll_report(m, v, out, -3.7, 0.083, -9.0, 9.0)[0],
    case="a small unit, a clamp that nobody meets",
)
check.value(
    "nll", lambda: nll_report(m, v, out, 41.3, 17.9, 0.37, 0.37)[0], case="low equals high"
)
check.value(
    "nll",
    lambda: nll_report(m[3:4], v[3:4], out[3:4], 41.3, 17.9, -1.3, 0.9)[0],
    case="one patient",
)
check.value(
    "nll", lambda: nll_report(m[5], v[5], out[5], 41.3, 17.9, -1.3, 0.9)[0], case="numbers"
)
check.value(
    "nll", lambda: nll_report(m[:0], v[:0], out[:0], 41.3, 17.9, -1.3, 0.9)[0], case="no patients"
)
check.value(
    "nll",
    lambda: nll_report(*(a.reshape(2, 1, 6) for a in (m, v, out)), 41, 17, -2, 2)[0],
    case="three dimensions, whole numbers",
)
check.value(
    "nll",
    lambda: nll_report(far[0], 60.7 * v.sign() * v**0, far[1], 41.3, 17.9, -2.9, 2.1)[0],
    case="log variances of 60 and of -60",
)
check.value(
    "nll",
    lambda: nll_report(m, 63 * v.abs(), out, 41.3, 17.9, -30.0, 30.0)[0],
    case="log variances of up to 296",
)
check.value(
    "nll",
    lambda: nll_report(m, -63 * v.abs(), out, 41.3, 17.9, -30.0, 30.0)[0].asinh(),
    case="log variances down to -296",
)
check.value(
    "hidden", lambda: nll_report(m, v, out, 41.3, 17.9, 0.0, 0.9)[1], case="a lower bound of 0"
)
check.value(
    "hidden", lambda: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.0)[1], case="an upper bound of 0"
)
check.value(
    "hidden",
    lambda: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.9)[1],
    case="twelve patients, one third inside the clamp",
)
check.value(
    "hidden",
    lambda: nll_report(m, v, out, -3.7, 0.083, -9.0, 9.0)[1],
    case="a small unit, a clamp that nobody meets",
)
check.value(
    "hidden", lambda: nll_report(m, v, out, 41.3, 17.9, 0.37, 0.37)[1], case="low equals high"
)
check.value(
    "hidden",
    lambda: nll_report(m[3:4], v[3:4], out[3:4], 41.3, 17.9, -1.3, 0.9)[1],
    case="one patient",
)
check.value(
    "hidden", lambda: nll_report(m[5], v[5], out[5], 41.3, 17.9, -1.3, 0.9)[1], case="numbers"
)
check.value(
    "hidden",
    lambda: nll_report(m[:0], v[:0], out[:0], 41.3, 17.9, -1.3, 0.9)[1],
    case="no patients",
)
check.value(
    "hidden",
    lambda: nll_report(*(a.reshape(2, 1, 6) for a in (m, v, out)), 41, 17, -2, 2)[1],
    case="three dimensions, whole numbers",
)
check.value(
    "hidden",
    lambda: nll_report(far[0], 60.7 * v.sign() * v**0, far[1], 41.3, 17.9, -2.9, 2.1)[1],
    case="log variances of 60 and of -60",
)
check.value(
    "hidden",
    lambda: nll_report(m, 63 * v, out, 41.3, 17.9, -30.0, 30.0)[1].asinh(),
    case="log variances of up to 296",
)
check.gradient(
    "gradient",
    lambda mean: nll_report(mean, v, 1.0 * m, 0.0, 1.0, -1.3, 0.9)[0] + 0.31 * mean,
    m,
    case="outcomes that are just as predicted",
)
check.keeps(
    "hidden",
    lambda *a: nll_report(*a, 41.3, 17.9, -1.3, 0.9),
    m.clone(),
    20 * v,
    out.clone(),
    case="values far outside the clamp",
)
check.gradient(
    "gradient",
    lambda v: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.9)[0] * w,
    v,
    case="with respect to the log variance",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.9)[0] * w,
    m,
    case="with respect to the mean",
)
check.gradient(
    "gradient",
    lambda v: nll_report(m, v, out, 41.3, 17.9, -1.3, 0.9)[0] * w,
    31.0 + 8.0 * v,
    case="large log variances",
)
check.gradient(
    "gradient",
    lambda v: nll_report(m, v, out, 41.3, 17.9, -30.0, 9.0)[0] * w,
    -23.0 + 5.0 * v,
    case="small log variances",
)
check.gradient(
    "gradient",
    lambda v: (
        nll_report(*(a.reshape(3, 4) for a in (m, v, out)), 41.3, 17.9, -1, 1)[0].flatten() * w
    ),
    v,
    case="two dimensions",
)
check.value(
    "nll",
    lambda: nll_report(m, 0.3 * v, 0.037 * out, 1.5, 0.37, -1.0, 1.0)[0],
    case="a unit larger than the spread",
)
one = torch.tensor([1.0, 1, -1, -1, 1, 1, -1, -1, 1, -1, 1, -1], dtype=t.dtype)
edge = 300 * torch.tensor([1.0, -1], dtype=t.dtype).repeat(6)
check.value(
    "nll",
    lambda: nll_report(-1000 * one, edge, -1000 + 1e6 * one, -1000, 1000, -1000, 1000)[0].asinh(),
    case="errors of 2000, log variances of 300 and -300, the largest unit",
)
check.value(
    "nll",
    lambda: nll_report(-1000 * one, 0.01 * edge, 1000 + one, 1000.0, 0.001, -1.0, 1.0)[0].asinh(),
    case="errors of 2000, the smallest unit",
)
check.value(
    "hidden",
    lambda: nll_report(-1000 * one, edge, -1000 + 1e6 * one, -1000, 1000, -9, 7)[1].asinh(),
    case="errors of 2000, log variances of 300 and -300, the largest unit",
)
check.value(
    "nll",
    lambda: nll_report(0.3 * one, 0.4 * v, -999 + 1000 * one, -999.0, 1000, 3.0, 8.0)[0] - 6.9,
    case="a unit of 1000, both ends of the clamp positive",
)
check.value(
    "nll",
    lambda: nll_report(m, 0.4 * v, 1.3 + 0.001 * out / 40, 1.3, 0.001, -8.0, -5.0)[0] + 6.9,
    case="a unit of a thousandth, both ends of the clamp negative",
)
check.value(
    "nll",
    lambda: nll_report(999.7 + 0.1 * m, 0.2 * v - 9, 999.71 + 0.1 * m + 0.01 * w, 0, 1, -3, 3)[0],
    case="large outcomes, small errors",
)
check.value(
    "nll",
    lambda: nll_report(m, 0.3 * v - 22, m + 1.7e-5 * w, 0, 1, -3, 3)[0],
    case="very small errors, very small variances",
)
check.value(
    "nll",
    lambda: nll_report(0 * m, edge - edge.sign() * w, 0 * m + 3.7, 3.7, 1, -3, 3)[0],
    case="no error, log variances near 300 and -300",
)
check.value(
    "hidden",
    lambda: nll_report(m, 3.1 + 0.003 * v / 4.7, out, 41.3, 0.7, -2.0, 3.1)[1] * 10,
    case="log variances close to the upper end of the clamp",
)
check.value(
    "hidden",
    lambda: nll_report(m, -2.3 + 0.003 * v / 4.7, out, 41.3, 0.7, -2.3, 3.1)[1] * 10,
    case="log variances close to the lower end of the clamp",
)
check.value(
    "hidden",
    lambda: nll_report(m, v, out, 41.3, 17.9, 3.0, 8.0)[1],
    case="both ends of the clamp positive",
)
check.value(
    "hidden",
    lambda: nll_report(m, v, out, 41.3, 17.9, -8.0, -5.0)[1],
    case="both ends of the clamp negative",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, edge, 1000 * one, 0, 1, -3, 3)[0] * (edge.exp() / 1000 * w),
    -1000 * one,
    case="the mean, log variances of 300 and -300",
)
check.gradient(
    "gradient",
    lambda v: (
        nll_report(-1000 * one, v, 1000 * one, 0, 1, -3, 3)[0]
        * (edge.exp().clamp(max=4e6) / 4e6 * w)
    ),
    edge,
    case="log variances of 300 and -300",
)
check.gradient(
    "gradient",
    lambda v: nll_report(m, v, m + 0.3 * w, 0, 1, -3, 3)[0] * w,
    torch.linspace(31, 299, 12, dtype=t.dtype),
    case="log variances from 31 to 299",
)
check.gradient(
    "gradient",
    lambda v: nll_report(0 * m, v, 0 * m + 3.7, 3.7, 1, -3, 3)[0] * w,
    -torch.linspace(31, 299, 12, dtype=t.dtype),
    case="no error, log variances from -31 to -299",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, 0.3 * v - 22, m.detach() + 1.7e-5 * w, 0, 1, -3, 3)[0] / 1e5,
    m,
    case="the mean, very small errors",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, -299 - w / 2, 1000 * one, 0, 1, -3, 3)[0],
    -1000 * one,
    case="the mean, log variances near -300",
)
check.gradient(
    "gradient",
    lambda v: nll_report(-1000 * one, v, 1000 * one, 0, 1, -3, 3)[0],
    -299 - w / 2,
    case="log variances near -300",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, v[5], out[5], 41.3, 17.9, -1.3, 0.9)[0],
    m[5],
    case="the mean, a number",
)
check.gradient(
    "gradient",
    lambda v: nll_report(m[5], v, out[5], 41.3, 17.9, -1.3, 0.9)[0],
    v[5],
    case="the log variance, a number",
)
check.gradient(
    "gradient",
    lambda m: nll_report(m, v.reshape(2, 6), out.reshape(2, 6), 41.3, 17.9, 3, 8)[0] * w[:6],
    m.reshape(2, 6),
    case="the mean, two dimensions",
)

# %% [markdown]
# ## Exercise 4. A ward and its beds (10 min, 4 points)
#
# The card claims: "*The standard deviations are those of the ensemble.*" It states one for each
# patient and one for the ward's average, which decides how many beds are needed. The card's code:
#
# ```python
# def ensemble_sds(mean, sd):
#     each = sd.mean(0)
#     ward = each.square().sum().sqrt() / len(each)
#     return each, ward
# ```
#
# Both are too small, the ward's by far. What the card's text describes is a *mixture*: one of the
# $M$ members is drawn, each with probability $1/M$, **the same for the whole ward**; given that
# member, patients are independent, and patient $i$ is $N(\mu_{mi}, \sigma_{mi}^2)$. Write
# `ensemble_sds(mean, sd)`, which returns the tuple `(each, ward)` for this mixture, exactly (no
# sampling):
#
# - `each`, of shape `(n,)`: the standard deviation of each patient's outcome;
# - `ward`, a 0-d tensor: the standard deviation of the average of the $n$ outcomes.
#
# `mean` and `sd` have shape `(M, n)`, $M$ up to 100 and $n$ up to 500. Standard deviations are
# 0 or between $10^{-6}$ and $10^6$. Means are at most $10^7$ in size. A patient's means spread by
# five thousandths or more, measured by their standard deviation, or are all equal; where means are
# at most 1000, by $10^{-6}$ or more. The ward's standard deviation is at least a ten-thousandth of
# the largest of `each`, and at least a tenth of it where means are above 1000.
#
# Points: each 2, ward 2.
#
# <details><summary>Hint 1: what to try</summary>
# Let all members be certain (<code>sd</code> of 0) and disagree. What does the card's code say?
# Then let the ward grow: can the ward's number go to 0 if the members disagree about all?
# </details>
# <details><summary>Hint 2: where to look</summary>
# What adds up, standard deviations or variances? And who is shared by all patients?
# </details>
# <details><summary>Hint 3: what to do</summary>
# Total variance: the mean of the members' variances, and the variance of the members' means (unit
# 08), divided by M. For the ward, do it once more, with each member's average over the ward.
# </details>


# %% exercise="ensemble-sds"
def ensemble_sds(mean, sd):
    """Return the mixture's standard deviation for each patient, and that of the ward's average."""
    ### BEGIN SOLUTION
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    n = mean.shape[1]
    noise = sd.square().sum(1) / n**2  # of the average, given the member
    ward = torch.sqrt(noise.mean() + mean.mean(1).var(correction=0))
    return each, ward
    ### END SOLUTION


# %% [markdown] why="ensemble-sds"
# Total variance, twice. For a patient: mean variance plus variance of means. For the ward: given
# the member patients are independent, so their noise is divided by $n^2$, but the member's error
# is shared, and does not average out.

# %% checks="ensemble-sds" points=4
check = Checks("ensemble-sds")
mean = torch.tensor([[1.0, 2.5], [2.2, 1.9], [0.4, 3.0]], dtype=torch.float64)
sd = torch.tensor([[0.5, 1.1], [0.8, 0.3], [1.4, 0.9]], dtype=torch.float64)
check.keeps("each", ensemble_sds, mean.clone(), sd.clone())
check.value("each", lambda: ensemble_sds(mean, sd)[0], points=2)
check.value("ward", lambda: ensemble_sds(mean, sd)[1], points=2)
check.report()

# %% hidden="ensemble-sds"
t = torch.arange(48, dtype=torch.float64)
m, s = 1.9 * torch.sin(1.7 * t + 0.3).reshape(6, 8), 0.2 + torch.cos(t).square().reshape(6, 8)
up = m + torch.linspace(-1.3, 2.1, 6, dtype=t.dtype)[:, None]
order = torch.tensor([3, 0, 5, 1, 4, 2])
check.value("each", lambda: ensemble_sds(m, s)[0], case="six members, eight patients")
check.value("each", lambda: ensemble_sds(up, s)[0], case="members that differ about all")
check.value("each", lambda: ensemble_sds(m[:1], s[:1])[0], case="one member")
check.value("each", lambda: ensemble_sds(m[:, 2:3], s[:, 2:3])[0], case="one patient")
check.value("each", lambda: ensemble_sds(m[:1, :1], 3 * s[:1, :1])[0], case="one of either")
check.value("each", lambda: ensemble_sds(m, 0 * s)[0], case="members that are certain")
check.value("each", lambda: ensemble_sds(m[:1].repeat(6, 1), s)[0], case="members that agree")
check.value(
    "each", lambda: 100 * ensemble_sds(3100000.0 + 0.01 * m, 0.01 * s)[0], case="means of millions"
)
places = 4100000.0 * torch.cos(2.3 * t[:8])
check.value(
    "each", lambda: 100 * ensemble_sds(places + 0.01 * m, 0.003 * s)[0], case="millions apart"
)
check.value("each", lambda: 100000.0 * ensemble_sds(1e-05 * m, 1e-05 * s)[0], case="a small unit")
check.value("each", lambda: ensemble_sds(70000.0 * m, 70000.0 * s)[0], case="a large unit")
check.law(
    "each",
    "equal",
    lambda: ensemble_sds(up, s)[0],
    lambda: ensemble_sds(up[order] - 7.3, s[order])[0],
    case="members in another order, another zero",
)
check.value("ward", lambda: ensemble_sds(m, s)[1], case="six members, eight patients")
check.value("ward", lambda: ensemble_sds(up, s)[1], case="members that differ about all")
check.value("ward", lambda: ensemble_sds(m[:1], s[:1])[1], case="one member")
check.value("ward", lambda: ensemble_sds(m[:, 2:3], s[:, 2:3])[1], case="one patient")
check.value("ward", lambda: ensemble_sds(m[:1, :1], 3 * s[:1, :1])[1], case="one of either")
check.value("ward", lambda: ensemble_sds(m, 0 * s)[1], case="members that are certain")
check.value("ward", lambda: ensemble_sds(m[:1].repeat(6, 1), s)[1], case="members that agree")
check.value(
    "ward", lambda: 100 * ensemble_sds(3100000.0 + 0.01 * m, 0.01 * s)[1], case="means of millions"
)
check.value("ward", lambda: 100000.0 * ensemble_sds(1e-05 * m, 1e-05 * s)[1], case="a small unit")
check.value("ward", lambda: ensemble_sds(70000.0 * m, 70000.0 * s)[1], case="a large unit")
check.law(
    "ward",
    "equal",
    lambda: ensemble_sds(up, s)[1],
    lambda: ensemble_sds(up[order] - 7.3, s[order])[1],
    case="members in another order, another zero",
)
check.value("each", lambda: ensemble_sds(m[:1], 0 * s[:1])[0], case="one member, certain")
check.value("ward", lambda: ensemble_sds(m[:1], 0 * s[:1])[1], case="one member, certain")
check.value("each", lambda: ensemble_sds(up[:, :6], s[:, :6])[0], case="six and six")
check.value("ward", lambda: ensemble_sds(up[:, :6], s[:, :6])[1], case="six and six")
check.keeps("ward", ensemble_sds, up.clone(), 0 * s, case="members that are certain")
check.value(
    "ward", lambda: ensemble_sds(up.repeat(1, 40), s.repeat(1, 40))[1], case="320 patients"
)
u = torch.arange(6500, dtype=torch.float64)
big, loud = torch.sin(1.3 * u**2).reshape(13, 500), torch.cos(u).abs().reshape(13, 500)
lift = torch.linspace(-1, 1.7, 13, dtype=t.dtype)[:, None]
close = 3 + 1.1e-6 * torch.tensor([[0.0, 2, 5], [1, 3, 4], [2, 0, 1], [5, 1, 0]], dtype=t.dtype)
check.value("each", lambda: ensemble_sds(big, 0.1 + loud)[0][380:], case="500 patients")
check.value("ward", lambda: ensemble_sds(big, 40 * loud + 1)[1], case="500 patients")
check.value("ward", lambda: ensemble_sds(big + lift, loud)[1], case="13 members, 500 patients")
long = big[:, :300].reshape(100, 39), 0.1 + loud[:, :300].reshape(100, 39)
check.value("each", lambda: ensemble_sds(*long)[0], case="a hundred members")
check.value("ward", lambda: ensemble_sds(*long)[1], case="a hundred members")
square = big[:, :13] + lift, 0.1 + loud[:, :13]
check.value("each", lambda: ensemble_sds(*square)[0], case="thirteen and thirteen")
check.value("ward", lambda: ensemble_sds(*square)[1], case="thirteen and thirteen")
check.value(
    "each", lambda: 1e6 * ensemble_sds(close, 0 * close)[0], case="members 1e-6 apart, certain"
)
check.value(
    "ward", lambda: 1e6 * ensemble_sds(close, 0 * close)[1], case="members 1e-6 apart, certain"
)
check.value(
    "each",
    lambda: 1e6 * ensemble_sds(3 + 0 * close, (close - 3).clamp(min=1e-6))[0],
    case="members that agree, the smallest standard deviations",
)
check.value(
    "ward",
    lambda: 1e6 * ensemble_sds(3 + 0 * close, (close - 3).clamp(min=1e-6))[1],
    case="members that agree, the smallest standard deviations",
)
check.value(
    "each",
    lambda: ensemble_sds(9.9e6 * m.sign(), 7e5 * (s > 0.7).to(s) + 3e5)[0],
    case="the largest means and standard deviations",
)
check.value(
    "ward",
    lambda: ensemble_sds(9.9e6 * m.sign(), 1e6 * (s > 0.7).to(s))[1],
    case="the largest means and standard deviations, some of them 0",
)
check.value(
    "ward",
    lambda: ensemble_sds(0 * m - 9.9e6, 1e6 * (s > 0.7).to(s))[1],
    case="large means that agree, standard deviations of 0 and 1e6",
)
check.value(
    "each",
    lambda: 100 * ensemble_sds(9.9e6 + 0.013 * up.round(), 0 * s)[0],
    case="the largest means, a hundredth apart, certain",
)
check.value(
    "ward", lambda: 1e6 * ensemble_sds(0 * m + 0.7, 0 * s)[1], case="members that agree, certain"
)
check.value("each", lambda: ensemble_sds(up[2:4], s[2:4])[0], case="two members")
check.value("ward", lambda: ensemble_sds(up[2:4], s[2:4])[1], case="two members")

# %% [markdown]
# ## Exercise 5. Nobody falls between the bins (10 min, 4 points)
#
# The card claims: "*The calibration error over ten bins of equal width, all test patients.*" Its
# probabilities are rounded to two digits. The card's code:
#
# ```python
# def calibration_report(p, y, bins):
#     ece, counts = torch.zeros((), dtype=p.dtype), torch.zeros(bins, dtype=torch.int64)
#     for k in range(bins):
#         inside = (k / bins < p) & (p < (k + 1) / bins)
#         counts[k] = inside.sum()
#         ece += (p - y)[inside].sum().abs() / len(p)
#     return ece, torch.zeros_like(ece), counts
# ```
#
# The counts do not add up to the number of patients. Write `calibration_report(p, y, bins)`, which
# returns the tuple `(ece, floor, counts)`:
#
# - `ece`, a 0-d tensor: $\frac1n \sum_k \bigl|\sum_{i \in k} (p_i - y_i)\bigr|$, where bin $k = 0,
#   \dots, \text{bins} - 1$ holds the $p_i$ from $k/\text{bins}$ to $(k+1)/\text{bins}$. **Every
#   patient is in exactly one bin**, also with $p = 0$ or $p = 1$.
# - `floor`, a 0-d tensor: what an ECE is to be compared with. If the probabilities were perfect, a
#   bin's sum would have mean 0 and variance $v_k = \sum_{i \in k} p_i (1 - p_i)$; taken as Normal,
#   its absolute value is $\sqrt{2 v_k/\pi}$ on average. So $\text{floor} = \frac1n \sum_k \sqrt{2
#   v_k / \pi}$.
# - `counts`, int64, of shape `(bins,)`: the patients in each bin, empty bins included.
#
# `p`, float64 of shape `(n,)` with $n \ge 1$, lies in $[0, 1]$: it is 0, 1, or at least $10^{-9}$
# away from every edge $k/\text{bins}$. `y` has shape `(n,)` and is int64, 0 or 1. `bins` is an
# int from 1 to 100. `floor` must be right to $10^{-9}$.
#
# Points: ece 2, floor 1, counts 1.
#
# <details><summary>Hint 1: what to try</summary>
# A forecaster says 1 of everybody and is right for half of them. What must the ECE be?
# </details>
# <details><summary>Hint 2: where to look</summary>
# At both ends. Which of the bins holds the patient with <code>p = 0</code>?
# </details>
# <details><summary>Hint 3: what to do</summary>
# Close the bins at one side, and one more edge at an end of the scale. Or compute the number of
# the bin, and mind who lands beyond the last. Unit 05 has more on edges.
# </details>


# %% exercise="calibration-report"
def calibration_report(p, y, bins):
    """Return the ECE, what it would be by chance alone, and how many patients each bin holds."""
    ### BEGIN SOLUTION
    which = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(which, minlength=bins)
    empty = torch.zeros(bins, dtype=p.dtype)
    miss = empty.index_add(0, which, p - y)
    chance = empty.index_add(0, which, p * (1 - p))
    floor = torch.sqrt(2 * chance / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts
    ### END SOLUTION


# %% [markdown] why="calibration-report"
# Computing the number of the bin puts everybody somewhere; only $p = 1$ has to be brought back
# into the last. The floor says what luck alone would give: an ECE of that size is no evidence of
# anything.

# %% checks="calibration-report" points=4
check = Checks("calibration-report")
p = torch.tensor([0.0, 0.07, 0.34, 0.58, 0.61, 1.0, 1.0], dtype=torch.float64)
y = torch.tensor([1, 0, 0, 1, 1, 1, 0])
check.keeps("ece", lambda p, y: calibration_report(p, y, 5), p.clone(), y.clone())
check.value("ece", lambda: calibration_report(p, y, 5)[0], points=2)
check.value("floor", lambda: calibration_report(p, y, 5)[1], points=1)
check.value("counts", lambda: calibration_report(p, y, 5)[2], points=1)
check.report()

# %% hidden="calibration-report"
t = torch.arange(60, dtype=torch.float64)
q = 0.004 + 0.99 * torch.sin(1.3 * t + 0.4).square()
came = ((7 * torch.arange(60) ** 2 + 3) % 11 < 5).long()
ends = torch.where(q < 0.3, 0 * q, torch.where(q > 0.8, 0 * q + 1, q))
sure = (q > 0.6).to(q.dtype)
check.value("ece", lambda: calibration_report(q, came, 10)[0], case="sixty, ten bins")
check.value("ece", lambda: calibration_report(ends, came, 10)[0], case="many 0 and 1")
check.value("ece", lambda: calibration_report(ends, came, 7)[0], case="seven bins")
check.value("ece", lambda: calibration_report(ends, came, 1)[0], case="a single bin")
check.value("ece", lambda: calibration_report(ends[:9], came[:9], 37)[0], case="more bins than n")
check.value("ece", lambda: calibration_report(q[7:8], came[7:8], 10)[0], case="one patient")
check.value("ece", lambda: calibration_report(0.31 + 0.05 * q, came, 10)[0], case="all near 0.33")
check.value(
    "ece",
    lambda: calibration_report(torch.where(q > 0.5, q, 1e-08 + 0 * q), came, 8)[0],
    case="p of a hundred-millionth",
)
check.law(
    "ece",
    "equal",
    lambda: calibration_report(ends, came, 13)[0],
    lambda: calibration_report(ends.flip(0), came.flip(0), 13)[0],
    case="patients in another order",
)
check.value("floor", lambda: calibration_report(q, came, 10)[1], case="sixty, ten bins")
check.value("floor", lambda: calibration_report(ends, came, 10)[1], case="many 0 and 1")
check.value("floor", lambda: calibration_report(ends, came, 7)[1], case="seven bins")
check.value("floor", lambda: calibration_report(ends, came, 1)[1], case="a single bin")
check.value(
    "floor", lambda: calibration_report(ends[:9], came[:9], 37)[1], case="more bins than n"
)
check.value("floor", lambda: calibration_report(q[7:8], came[7:8], 10)[1], case="one patient")
check.value(
    "floor", lambda: calibration_report(0.31 + 0.05 * q, came, 10)[1], case="all near 0.33"
)
check.value(
    "floor",
    lambda: calibration_report(torch.where(q > 0.5, q, 1e-08 + 0 * q), came, 8)[1],
    case="p of a hundred-millionth",
)
check.law(
    "floor",
    "equal",
    lambda: calibration_report(ends, came, 13)[1],
    lambda: calibration_report(ends.flip(0), came.flip(0), 13)[1],
    case="patients in another order",
)
check.value("counts", lambda: calibration_report(q, came, 10)[2], case="sixty, ten bins")
check.value("counts", lambda: calibration_report(ends, came, 10)[2], case="many 0 and 1")
check.value("counts", lambda: calibration_report(ends, came, 7)[2], case="seven bins")
check.value("counts", lambda: calibration_report(ends, came, 1)[2], case="a single bin")
check.value(
    "counts", lambda: calibration_report(ends[:9], came[:9], 37)[2], case="more bins than n"
)
check.value("counts", lambda: calibration_report(q[7:8], came[7:8], 10)[2], case="one patient")
check.value(
    "counts", lambda: calibration_report(0.31 + 0.05 * q, came, 10)[2], case="all near 0.33"
)
check.value(
    "counts",
    lambda: calibration_report(torch.where(q > 0.5, q, 1e-08 + 0 * q), came, 8)[2],
    case="p of a hundred-millionth",
)
check.law(
    "counts",
    "equal",
    lambda: calibration_report(ends, came, 13)[2],
    lambda: calibration_report(ends.flip(0), came.flip(0), 13)[2],
    case="patients in another order",
)
check.value("ece", lambda: calibration_report(sure, came, 10)[0], case="only 0 and 1")
check.value("counts", lambda: calibration_report(sure, came, 10)[2], case="only 0 and 1")
check.value(
    "counts",
    lambda: calibration_report(torch.ones(3, dtype=t.dtype), came[:3], 6)[2],
    case="all are 1",
)
check.value(
    "ece",
    lambda: 1.19 * calibration_report(torch.zeros(13, dtype=t.dtype), came[:13], 6)[0],
    case="all are 0",
)
beside = torch.arange(1, 10, dtype=t.dtype).repeat_interleave(2) / 10
beside = beside + 2e-9 * (-1.0) ** torch.arange(18)
check.value("ece", lambda: calibration_report(beside, came[:18], 10)[0], case="beside the edges")
check.value("floor", lambda: calibration_report(beside, came[:18], 10)[1], case="beside the edges")
check.value(
    "counts", lambda: calibration_report(beside[3:], came[:15], 10)[2], case="beside the edges"
)
check.keeps(
    "counts",
    lambda p, y: calibration_report(p, y, 10),
    ends.clone(),
    came.clone(),
    case="many 0 and 1",
)
hair = torch.tensor([1.2e-9, 1 - 1.2e-9], dtype=t.dtype)
check.value(
    "floor",
    lambda: 100 * calibration_report(hair[:1], came[:1], 100)[1],
    case="one p just above 0, a hundred bins",
)
check.value(
    "floor",
    lambda: 100 * calibration_report(hair[1:], came[:1], 100)[1],
    case="one p just below 1, a hundred bins",
)
check.value(
    "floor",
    lambda: 100 * calibration_report(sure[:1], came[:1], 100)[1],
    case="one p of 0 or 1, a hundred bins",
)
check.value(
    "floor", lambda: 100 * calibration_report(hair, came[:2], 1)[1], case="a single bin, both"
)
check.value("counts", lambda: calibration_report(hair, came[:2], 1)[2], case="a single bin, both")
check.value("counts", lambda: calibration_report(hair, came[:2], 100)[2], case="near 0 and 1")
fence = torch.arange(1, 100, dtype=t.dtype) / 100
fence = fence + 1.1e-9 * (-1.0) ** torch.arange(99)
halves = torch.tensor([0.5 - 1.1e-9, 0.5 + 1.1e-9, 0.3], dtype=t.dtype)
who = ((5 * torch.arange(99) ** 2 + 1) % 7 < 3).long()
check.value("ece", lambda: calibration_report(fence, who, 100)[0], case="beside a hundred edges")
check.value("floor", lambda: calibration_report(fence, who, 100)[1], case="beside a hundred edges")
check.value(
    "counts", lambda: calibration_report(fence, who, 100)[2], case="beside a hundred edges"
)
mirror = torch.arange(1, 100, dtype=t.dtype) / 50 - fence
check.value(
    "counts",
    lambda: calibration_report(mirror, who, 100)[2],
    case="beside a hundred edges, the other side",
)
check.value(
    "ece", lambda: 1.0371 * calibration_report(halves, came[:3], 2)[0], case="beside one half"
)
check.value("floor", lambda: calibration_report(halves, came[:3], 2)[1], case="beside one half")
check.value("counts", lambda: calibration_report(halves, came[:3], 2)[2], case="beside one half")
check.value(
    "ece",
    lambda: calibration_report(0.3407 + 0.001 * t, came, 64)[0],
    case="sixty in few of 64 bins",
)
check.value(
    "floor",
    lambda: calibration_report(0.3407 + 0.001 * t, came, 64)[1],
    case="sixty in few of 64 bins",
)
check.value(
    "ece",
    lambda: calibration_report(
        torch.full((100,), 0.37, dtype=t.dtype), (t.repeat(2)[:100] < 17).long(), 7
    )[0],
    case="a hundred equal probabilities",
)
check.value(
    "floor",
    lambda: calibration_report(q, came, 100)[1],
    case="a hundred bins, most of them with at most one patient",
)


def whole(counts):  # told apart from other types
    return counts * (1.37 + str(counts.dtype).endswith("int64"))


check.value("counts", lambda: whole(calibration_report(q, came, 13)[2]), case="thirteen bins")
_moved = [0.07 + 0.13 * k + 0.2 * q for k in range(6)]
check.value(
    "floor",
    lambda: [
        1e3 * (calibration_report(p, came, 1)[1] - calibration_report(p + 0.008, came, 1)[1])
        for p in _moved
    ],
    case="a single bin, moved a little",
)

# %% [markdown]
# ## Exercise 6. The risk of a bad year (8 min, 4 points)
#
# The card claims: "*For each patient the posterior predictive probability that the score in a
# year is above the threshold.*" The outcome is $y_i = f(x_i) + \varepsilon_i$, with noise
# $\varepsilon_i \sim N(0, \sigma^2)$; `draws` holds draws of $f$ from the posterior, one function
# a row. The card's code:
#
# ```python
# def risk_report(draws, sigma, y, threshold):
#     risk = (draws > threshold).double().mean(0)
#     brier = (risk - (y > threshold).double()).square().mean()
#     return risk, brier
# ```
#
# Nearly all of its risks are 0 or 1. Write `risk_report(draws, sigma, y, threshold)`, which
# returns the tuple `(risk, brier)`:
#
# - `risk`, of shape `(n,)`: the mean over the draws of the probability that a new outcome $y_i$ is
#   above `threshold`, given that draw. Exact: no noise is drawn.
# - `brier`, a 0-d tensor: the mean over patients of $(\text{risk}_i - 1[y_i > t])^2$, with $t$ for
#   the threshold.
#
# `draws` has shape `(S, n)`, $S \ge 1$, $n \ge 1$, `y` has shape `(n,)`. `sigma` is a positive
# tensor that broadcasts against `draws`: shape `()`, `(n,)`, `(S, 1)` (drawn from its posterior,
# too), or `(S, n)`. `threshold` is a Python number; no outcome is within $10^{-9}$ of it. Risks
# must be right to $10^{-12}$, and so must the Brier score.
#
# Points: risk 2, sigma varies 1, brier 1.
#
# <details><summary>Hint 1: what to try</summary>
# Let all draws be the same function, just below the threshold. Is the risk of a bad year 0?
# </details>
# <details><summary>Hint 2: where to look</summary>
# Which of the arguments is never used?
# </details>
# <details><summary>Hint 3: what to do</summary>
# The threshold is about the outcome, not about the function. For each draw there is a
# Normal; what is its probability above the threshold? Only then average. Units 04 and 06.
# </details>


# %% exercise="risk-report"
def risk_report(draws, sigma, y, threshold):
    """Return the predictive probability of an outcome above the threshold, and its Brier score."""
    ### BEGIN SOLUTION
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier
    ### END SOLUTION


# %% [markdown] why="risk-report"
# The threshold is about the outcome, and the outcome has noise. Each draw of the function gives a
# probability, and these are averaged; counting draws above the threshold asks about the function
# instead.

# %% checks="risk-report" points=4
check = Checks("risk-report")
draws = torch.tensor([[1.1, 0.2, 1.9], [0.7, 0.5, 2.3]], dtype=torch.float64)
sigma = torch.tensor(0.8, dtype=torch.float64)
column = torch.tensor([[0.6], [1.3]], dtype=torch.float64)
y = torch.tensor([1.6, -0.4, 0.9], dtype=torch.float64)
check.keeps("risk", lambda *a: risk_report(*a, 1.0), draws.clone(), sigma.clone(), y.clone())
check.value("risk", lambda: risk_report(draws, sigma, y, 1.0)[0], points=2)
check.value("sigma varies", lambda: risk_report(draws, column, y, 1.0)[0], points=1)
check.value("brier", lambda: risk_report(draws, sigma, y, 1.0)[1], points=1)
check.report()

# %% hidden="risk-report"
t = torch.arange(63, dtype=torch.float64)
f = 2.1 * torch.sin(1.7 * t + 0.3).reshape(7, 9)
came = 1.9 * torch.cos(2.3 * t[:9])
one = torch.tensor(1.37, dtype=t.dtype)
by_draw = 0.3 + 1.1 * torch.sin(t[:7]).square()[:, None]
by_patient = 0.4 + 1.7 * torch.cos(t[:9]).square()
check.value("risk", lambda: risk_report(f, one, came, 0.61)[0], case="seven draws, nine patients")
check.value("risk", lambda: risk_report(f[:1], one, came, 0.61)[0], case="one draw")
check.value("risk", lambda: risk_report(f[:, 2:3], one, came[2:3], 0.61)[0], case="one patient")
check.value("risk", lambda: risk_report(f, one, came, -1)[0], case="a threshold below 0, whole")
check.value(
    "risk", lambda: risk_report(f - f % 0.7, 0.03 * one, came, 0.737)[0], case="little noise"
)
check.value("risk", lambda: risk_report(f, 720 * one, came, 0.61)[0] - 0.49, case="much noise")
check.value(
    "risk",
    lambda: risk_report(150 + 70 * f, 50 * one, 150 + 80 * came, 200.0)[0],
    case="another unit",
)
check.value("risk", lambda: risk_report(0 * f + 0.4, one, came, 0.61)[0], case="draws that agree")
check.value("brier", lambda: risk_report(f, one, came, 0.61)[1], case="seven draws, nine patients")
check.value("brier", lambda: risk_report(f[:1], one, came, 0.61)[1], case="one draw")
check.value("brier", lambda: risk_report(f[:, 2:3], one, came[2:3], 0.61)[1], case="one patient")
check.value("brier", lambda: risk_report(f, one, came, -1)[1], case="a threshold below 0, whole")
check.value(
    "brier", lambda: risk_report(f - f % 0.7, 0.03 * one, came, 0.737)[1], case="little noise"
)
check.value("brier", lambda: risk_report(f, 720 * one, came, 0.61)[1] - 0.49, case="much noise")
check.value(
    "brier",
    lambda: risk_report(150 + 70 * f, 50 * one, 150 + 80 * came, 200.0)[1],
    case="another unit",
)
check.value("brier", lambda: risk_report(0 * f + 0.4, one, came, 0.61)[1], case="draws that agree")
check.value("risk", lambda: 1e6 * risk_report(f, one / 2.3, came, 5.1)[0], case="small risks")
check.value(
    "risk", lambda: 1e6 * (1 - risk_report(f, one / 2.3, came, -5.2)[0]), case="risks close to 1"
)
check.value("sigma varies", lambda: risk_report(f, by_draw, came, 0.61)[0], case="one a draw")
check.value(
    "sigma varies", lambda: risk_report(f, by_patient, came, 0.61)[0], case="one a patient"
)
check.value(
    "sigma varies",
    lambda: risk_report(f, by_draw * by_patient, came, 0.61)[0],
    case="one for each",
)
check.value(
    "sigma varies",
    lambda: risk_report(f[:, :7], by_draw, came[:7], 0.61)[0],
    case="as many draws as patients, one a draw",
)
check.value(
    "sigma varies",
    lambda: risk_report(f[:, :7], by_patient[:7], came[:7], 0.61)[0],
    case="as many draws as patients, one a patient",
)
check.value("brier", lambda: risk_report(f, by_draw, came, 0.61)[1], case="one sigma a draw")
check.value(
    "risk",
    lambda: 1e6 * (risk_report(0 * f + 2.3, one, came, -0.44)[0] - 0.97725),
    case="the digits of a risk",
)
check.keeps(
    "sigma varies",
    lambda *a: risk_report(*a, 0.61),
    f.clone(),
    by_draw.clone(),
    came.clone(),
    case="one a draw",
)
wild = torch.sin(0.7 * torch.arange(10000, dtype=t.dtype) ** 2).reshape(100, 100)
gap = torch.tensor(
    [1.7e-9, -1.7e-9, 1.3e-9, -1.9e-9, 3, -2, 1.4e-9, -1.4e-9, 2.9e-9], dtype=t.dtype
)
check.value(
    "risk",
    lambda: 100 * risk_report(997 + 0.002 * f, one / 1370, 500 * came, 997)[0],
    case="the smallest sigma, draws near a threshold of 997",
)
check.value(
    "risk",
    lambda: 1000 * (risk_report(f, 1000 * one / 1.37, came, 0.61)[0] - 0.5),
    case="the largest sigma",
)
check.value(
    "risk", lambda: 1e6 * risk_report(f - 3, one / 5, came, 2)[0], case="risks of nearly 0"
)
check.value(
    "risk",
    lambda: 1e6 * (1 - risk_report(f + 3, one / 5, came, -2)[0]),
    case="risks of nearly 1",
)
check.value(
    "risk",
    lambda: 1.0371 * risk_report(1000 * f.sign(), one / 1370, came, -999.9)[0],
    case="draws of 1000 and -1000",
)
check.value(
    "risk", lambda: risk_report(wild, one, wild[3], 0.4)[0], case="100 draws, 100 patients"
)
check.value(
    "brier", lambda: risk_report(wild, one, wild[3], 0.4)[1], case="100 draws, 100 patients"
)
check.value(
    "sigma varies",
    lambda: risk_report(wild[:9, :9], by_patient, came, 0.4)[0],
    case="nine draws, nine patients, one sigma a patient",
)
check.value(
    "sigma varies",
    lambda: risk_report(f, torch.where(f > 0.3, 1000 * one / 1.37, one / 1370), came, 0.61)[0],
    case="the smallest and the largest sigma for each",
)
check.value(
    "sigma varies",
    lambda: risk_report(f[:1], by_draw[:1], came, 0.61)[0],
    case="one draw, sigma of shape (1, 1)",
)
check.value(
    "sigma varies",
    lambda: risk_report(f[:, :1], by_draw, came[:1], 0.61)[0],
    case="one patient, one sigma a draw",
)
check.value(
    "sigma varies",
    lambda: risk_report(wild, 0.1 + wild[:, 7:8].abs(), wild[3], 0.4)[0],
    case="100 draws and patients, one sigma a draw",
)
check.value("brier", lambda: risk_report(f, one, 7.3 + gap, 7.3)[1], case="outcomes a hair away")
check.value(
    "brier",
    lambda: 1.0371 * risk_report(f, one, 990.7 - gap, 990.7)[1],
    case="a hair away, near 1000",
)
check.value(
    "brier",
    lambda: 1e6 * risk_report(4.1 * came.sign() + 0.1 * f, one / 1.37, came, 0.01)[1],
    case="sure and right",
)
check.value(
    "risk",
    lambda: 1e9 * (risk_report(0 * f + 2.31, one, came, -0.44)[0] - 0.977640),
    case="the last digits of a risk",
)
check.value(
    "brier",
    lambda: 1e9 * (risk_report(0.1 * f + 0.43, one, gap + 2 / 3, 2 / 3)[1] - 0.2575),
    case="the last digits, a hair away",
)
check.value(
    "sigma varies",
    lambda: risk_report(f[:1], by_patient, came, 0.61)[0],
    case="one draw, one sigma a patient",
)
check.value(
    "brier",
    lambda: (
        (risk_report(f, one, came, 0.61)[1] - risk_report(f, 1.00001 * one, came, 0.61)[1]) * 1e6
    ),
    case="the same noise, a little more",
)

# %% [markdown]
# ## Exercise 7. The table, made anew (15 min, 6 points)
#
# The card's table showed one run, the best. Yours shows what is left when nobody chooses.
# The same procedure was run $R$ times with different seeds and tested on the same $n$ patients.
# Write `card_table(log_odds, y, base)`, which returns a tensor of shape `(4, 3)`.
#
# Its rows are, in this order:
#
# 1. **accuracy**: the share of patients whose class is predicted rightly; class 1 is predicted
#    where the log odds are above 0;
# 2. **balanced accuracy**: the mean of two shares, that of the patients with $y = 1$ who are
#    predicted rightly and that of the patients with $y = 0$ who are;
# 3. **NLL**: the mean of $-\log p(y_i)$ with $p(1) = 1/(1 + e^{-\text{log odds}})$, in nats;
# 4. **Brier score**: the mean of $(p_i(1) - y_i)^2$.
#
# Its columns are, in this order:
#
# 1. the **mean** over the runs;
# 2. the **worst** run: the lowest accuracy, the highest loss, for each row on its own;
# 3. the **gain** of the mean over a forecaster who knows no patient and says $p(1) =$ `base` of
#    everybody (and predicts class 1 if `base` is above 0.5): **positive where the model is
#    better**, so mean less hers for the accuracies, hers less mean for the losses.
#
# `log_odds` has shape `(R, n)`, $R \ge 1$, and is between $10^{-7}$ and 800 in size, of either
# sign. `y` has shape `(n,)`, is int64, 0 or 1, and both classes occur. `base` is a Python number
# between 1/100 and 99/100, at least 1/1000 away from 1/2. Small losses count: the NLL must
# be right to five digits or to $10^{-12}$, the Brier score to $10^{-12}$.
#
# Points: accuracy 1, balanced 1, nll 1, brier 1, worst 1, gain 1. The first four are about the
# first column.
#
# <details><summary>Hint 1: what to try</summary>
# A network that says 1 of everybody: what is its balanced accuracy? And its gain?
# </details>
# <details><summary>Hint 2: where to look</summary>
# At signs, in the second and third column; at log odds of 800 in the third row.
# </details>
# <details><summary>Hint 3: what to do</summary>
# Compute the four scores of each run, shape <code>(4, R)</code>, and hand the baseline to the same
# function as one more run whose log odds are log(base / (1 − base)). Units 01 and 14.
# </details>


# %% exercise="card-table"
def card_table(log_odds, y, base):
    """Return four scores in rows: mean over runs, worst run, gain over a base rate."""
    ### BEGIN SOLUTION
    sick = y == 1

    def scores(z):  # (4, runs)
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    better = torch.tensor([1, 1, -1, -1], dtype=log_odds.dtype)  # the sign of "higher is better"
    runs = scores(log_odds)
    worst = better * (better[:, None] * runs).amin(1)
    gain = better * (runs.mean(1) - scores(blind)[:, 0])
    return torch.stack([runs.mean(1), worst, gain], 1)
    ### END SOLUTION


# %% [markdown] why="card-table"
# The baseline goes through the same function as the runs, as one run more, so the two cannot be
# computed differently. One sign for each row, +1 where higher is better, decides both the worst
# run and the gain.

# %% checks="card-table" points=6
check = Checks("card-table")
z = [[1.2, -0.7, 0.4, -2.1, 0.9], [0.3, 0.6, 1.8, -0.2, -1.1], [2.2, -1.4, -0.3, 0.5, 0.8]]
z = torch.tensor(z, dtype=torch.float64)
y = torch.tensor([1, 0, 1, 0, 0])
check.keeps("accuracy", lambda z, y: card_table(z, y, 0.4), z.clone(), y.clone())
check.value("accuracy", lambda: card_table(z, y, 0.4)[0, 0], points=1)
check.value("balanced", lambda: card_table(z, y, 0.4)[1, 0], points=1)
check.value("nll", lambda: card_table(z, y, 0.4)[2, 0], points=1)
check.value("brier", lambda: card_table(z, y, 0.4)[3, 0], points=1)
check.value("worst", lambda: card_table(z, y, 0.4)[:, 1], points=1)
check.value("gain", lambda: card_table(z, y, 0.4)[:, 2], points=1)
check.report()

# %% hidden="card-table"
t = torch.arange(77, dtype=torch.float64)
odds = 2.3 * torch.sin(1.7 * t * t + 0.3).reshape(7, 11)
came = torch.tensor([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0])
rare = (torch.arange(11) == 4).long()
split = torch.tensor([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0])
check.value(
    "accuracy",
    lambda: 1.137 * card_table(odds, came, 0.27)[0, 0],
    case="seven runs, eleven patients",
)
check.value("accuracy", lambda: 1.137 * card_table(odds[:1], came, 0.27)[0, 0], case="one run")
check.value(
    "accuracy", lambda: 1.137 * card_table(odds, split, 0.73)[0, 0], case="a base above 0.5"
)
check.value(
    "accuracy", lambda: 1.137 * card_table(odds, rare, 0.013)[0, 0], case="one patient of class 1"
)
check.value(
    "accuracy",
    lambda: 1.137 * card_table(odds[:, 3:5], came[3:5], 0.61)[0, 0],
    case="two patients",
)
check.value(
    "accuracy", lambda: 1.137 * card_table(odds.abs(), came, 0.27)[0, 0], case="class 1 for all"
)
check.value(
    "accuracy",
    lambda: 1.137 * card_table(347.9 * odds, came, 0.27)[0, 0],
    case="log odds in the hundreds",
)
check.value(
    "accuracy",
    lambda: 1.137 * card_table(0.0001 * odds, came, 0.27)[0, 0],
    case="log odds close to 0",
)
check.law(
    "accuracy",
    "equal",
    lambda: 1.137 * card_table(odds, came, 0.27)[0, 0],
    lambda: 1.137 * card_table(odds.flip(0, 1), came.flip(0), 0.27)[0, 0],
    lambda: 1.137 * card_table(-odds, 1 - came, 0.73)[0, 0],
    case="another order, classes exchanged",
)
check.value(
    "balanced",
    lambda: 1.137 * card_table(odds, came, 0.27)[1, 0],
    case="seven runs, eleven patients",
)
check.value("balanced", lambda: 1.137 * card_table(odds[:1], came, 0.27)[1, 0], case="one run")
check.value(
    "balanced", lambda: 1.137 * card_table(odds, split, 0.73)[1, 0], case="a base above 0.5"
)
check.value(
    "balanced", lambda: 1.137 * card_table(odds, rare, 0.013)[1, 0], case="one patient of class 1"
)
check.value(
    "balanced",
    lambda: 1.137 * card_table(odds[:, 3:5], came[3:5], 0.61)[1, 0],
    case="two patients",
)
check.value(
    "balanced", lambda: 1.137 * card_table(odds.abs(), came, 0.27)[1, 0], case="class 1 for all"
)
check.value(
    "balanced",
    lambda: 1.137 * card_table(347.9 * odds, came, 0.27)[1, 0],
    case="log odds in the hundreds",
)
check.value(
    "balanced",
    lambda: 1.137 * card_table(0.0001 * odds, came, 0.27)[1, 0],
    case="log odds close to 0",
)
check.law(
    "balanced",
    "equal",
    lambda: 1.137 * card_table(odds, came, 0.27)[1, 0],
    lambda: 1.137 * card_table(odds.flip(0, 1), came.flip(0), 0.27)[1, 0],
    lambda: 1.137 * card_table(-odds, 1 - came, 0.73)[1, 0],
    case="another order, classes exchanged",
)
check.value("nll", lambda: card_table(odds, came, 0.27)[2, 0], case="seven runs, eleven patients")
check.value("nll", lambda: card_table(odds[:1], came, 0.27)[2, 0], case="one run")
check.value("nll", lambda: card_table(odds, split, 0.73)[2, 0], case="a base above 0.5")
check.value("nll", lambda: card_table(odds, rare, 0.013)[2, 0], case="one patient of class 1")
check.value("nll", lambda: card_table(odds[:, 3:5], came[3:5], 0.61)[2, 0], case="two patients")
check.value("nll", lambda: card_table(odds.abs(), came, 0.27)[2, 0], case="class 1 for all")
check.value(
    "nll", lambda: card_table(347.9 * odds, came, 0.27)[2, 0], case="log odds in the hundreds"
)
check.value("nll", lambda: card_table(0.0001 * odds, came, 0.27)[2, 0], case="log odds close to 0")
check.law(
    "nll",
    "equal",
    lambda: card_table(odds, came, 0.27)[2, 0],
    lambda: card_table(odds.flip(0, 1), came.flip(0), 0.27)[2, 0],
    lambda: card_table(-odds, 1 - came, 0.73)[2, 0],
    case="another order, classes exchanged",
)
check.value(
    "brier", lambda: card_table(odds, came, 0.27)[3, 0], case="seven runs, eleven patients"
)
check.value("brier", lambda: card_table(odds[:1], came, 0.27)[3, 0], case="one run")
check.value("brier", lambda: card_table(odds, split, 0.73)[3, 0], case="a base above 0.5")
check.value("brier", lambda: card_table(odds, rare, 0.013)[3, 0], case="one patient of class 1")
check.value("brier", lambda: card_table(odds[:, 3:5], came[3:5], 0.61)[3, 0], case="two patients")
check.value("brier", lambda: card_table(odds.abs(), came, 0.27)[3, 0], case="class 1 for all")
check.value(
    "brier", lambda: card_table(347.9 * odds, came, 0.27)[3, 0], case="log odds in the hundreds"
)
check.value(
    "brier", lambda: card_table(0.0001 * odds, came, 0.27)[3, 0], case="log odds close to 0"
)
check.law(
    "brier",
    "equal",
    lambda: card_table(odds, came, 0.27)[3, 0],
    lambda: card_table(odds.flip(0, 1), came.flip(0), 0.27)[3, 0],
    lambda: card_table(-odds, 1 - came, 0.73)[3, 0],
    case="another order, classes exchanged",
)
check.value(
    "worst", lambda: card_table(odds, came, 0.27)[:, 1], case="seven runs, eleven patients"
)
check.value("worst", lambda: card_table(odds[:1], came, 0.27)[:, 1], case="one run")
check.value("worst", lambda: card_table(odds, split, 0.73)[:, 1], case="a base above 0.5")
check.value("worst", lambda: card_table(odds, rare, 0.013)[:, 1], case="one patient of class 1")
check.value("worst", lambda: card_table(odds[:, 3:5], came[3:5], 0.61)[:, 1], case="two patients")
check.value("worst", lambda: card_table(odds.abs(), came, 0.27)[:, 1], case="class 1 for all")
check.value(
    "worst", lambda: card_table(347.9 * odds, came, 0.27)[:, 1], case="log odds in the hundreds"
)
check.value(
    "worst", lambda: card_table(0.0001 * odds, came, 0.27)[:, 1], case="log odds close to 0"
)
check.law(
    "worst",
    "equal",
    lambda: card_table(odds, came, 0.27)[:, 1],
    lambda: card_table(odds.flip(0, 1), came.flip(0), 0.27)[:, 1],
    lambda: card_table(-odds, 1 - came, 0.73)[:, 1],
    case="another order, classes exchanged",
)
check.value("gain", lambda: card_table(odds, came, 0.27)[:, 2], case="seven runs, eleven patients")
check.value("gain", lambda: card_table(odds[:1], came, 0.27)[:, 2], case="one run")
check.value("gain", lambda: card_table(odds, split, 0.73)[:, 2], case="a base above 0.5")
check.value("gain", lambda: card_table(odds, rare, 0.013)[:, 2], case="one patient of class 1")
check.value("gain", lambda: card_table(odds[:, 3:5], came[3:5], 0.61)[:, 2], case="two patients")
check.value("gain", lambda: card_table(odds.abs(), came, 0.27)[:, 2], case="class 1 for all")
check.value(
    "gain", lambda: card_table(347.9 * odds, came, 0.27)[:, 2], case="log odds in the hundreds"
)
check.value(
    "gain", lambda: card_table(0.0001 * odds, came, 0.27)[:, 2], case="log odds close to 0"
)
check.law(
    "gain",
    "equal",
    lambda: card_table(odds, came, 0.27)[:, 2],
    lambda: card_table(odds.flip(0, 1), came.flip(0), 0.27)[:, 2],
    lambda: card_table(-odds, 1 - came, 0.73)[:, 2],
    case="another order, classes exchanged",
)
check.value(
    "accuracy", lambda: card_table(odds - 0.41, came, 0.61)[0, 0] * 1.117, case="a wrong base"
)
check.value(
    "balanced", lambda: card_table(odds - 0.41, came, 0.61)[1, 0] * 1.117, case="a wrong base"
)
check.value("nll", lambda: card_table(odds - 0.41, came, 0.61)[2, 0] * 1.117, case="a wrong base")
check.value(
    "brier", lambda: card_table(odds - 0.41, came, 0.61)[3, 0] * 1.117, case="a wrong base"
)
check.value(
    "worst", lambda: card_table(odds - 0.41, came, 0.61)[:, 1] * 1.117, case="a wrong base"
)
check.value("gain", lambda: card_table(odds - 0.41, came, 0.61)[:, 2] * 1.117, case="a wrong base")
check.value(
    "gain", lambda: 1.0371 * card_table(odds, split, 0.31)[:, 2], case="a base far too low"
)
check.keeps(
    "worst",
    lambda z, y: card_table(z, y, 0.73),
    347.9 * odds,
    split.clone(),
    case="log odds in the hundreds",
)
grid = torch.sin(0.7 * torch.arange(10000, dtype=t.dtype) ** 2 + 0.3).reshape(100, 100)
grid = torch.where(torch.arange(100)[:, None] % 9 == 4, grid.abs(), grid)
class_1 = ((3 * torch.arange(100) ** 2 + 2) % 11 < 4).long()
hint = torch.where(odds[:2] > 0, 1e-6, -1e-6).to(t.dtype)
sides = 800 * odds[:3].sign()
right = 2.0 * came - 1
check.value("accuracy", lambda: 1.13 * card_table(grid, class_1, 0.3)[0, 0], case="100 runs")
check.value("balanced", lambda: 1.13 * card_table(grid, class_1, 0.3)[1, 0], case="100 runs")
check.value("nll", lambda: card_table(grid, class_1, 0.3)[2, 0] - 0.6, case="100 runs")
check.value("brier", lambda: card_table(grid, class_1, 0.3)[3, 0], case="100 runs")
check.value("worst", lambda: card_table(grid, class_1, 0.3)[:, 1], case="100 runs")
check.value("gain", lambda: card_table(grid, class_1, 0.3)[:, 2], case="100 runs")
check.value("worst", lambda: card_table(grid[:, :13], class_1[:13], 0.3)[:, 1], case="13 patients")
table = 2 * grid[30:41, 30:41]
check.value("worst", lambda: card_table(table, came, 0.3)[:, 1], case="as many runs as patients")
check.value("nll", lambda: card_table(table, came, 0.3)[2, 0], case="as many runs as patients")
check.value("accuracy", lambda: 1.13 * card_table(hint, came, 0.3)[0, 0], case="1e-6 from 0")
check.value("balanced", lambda: 1.13 * card_table(hint, came, 0.3)[1, 0], case="1e-6 from 0")
check.value("worst", lambda: card_table(sides, came, 0.3)[:, 1], case="log odds of 800 and -800")
check.value("nll", lambda: card_table(sides, split, 0.3)[2, 0], case="log odds of 800 and -800")
check.value(
    "brier", lambda: 1.0371 * card_table(sides, split, 0.3)[3, 0], case="log odds of 800 and -800"
)
check.value("gain", lambda: card_table(sides, came, 0.99)[:, 2], case="800 and -800, base of 0.99")
check.value("gain", lambda: card_table(odds, split, 0.99)[:, 2], case="a base of 0.99")
check.value("gain", lambda: card_table(odds, came, 0.01)[:, 2], case="a base of 0.01")
check.value("gain", lambda: card_table(odds, came, 0.501)[:, 2], case="a base of 0.501")
check.value("gain", lambda: 1.0371 * card_table(odds, split, 0.499)[:, 2], case="a base of 0.499")
sure = right * (17 + odds.abs())
check.value("nll", lambda: 1e6 * card_table(sure, came, 0.3)[2, 0], case="sure and right")
check.value(
    "brier", lambda: 1e6 * card_table(sure - 8 * right, came, 0.3)[3, 0], case="sure and right"
)
check.value("worst", lambda: 1e6 * card_table(sure, came, 0.3)[2, 1], case="sure and right")
check.value(
    "nll",
    lambda: card_table(-right * (7.03 + 0.1 * odds.abs()), came, 0.3)[2, 0],
    case="all wrong, by log odds of seven",
)
check.value(
    "nll",
    lambda: card_table(-right * (9.03 + 0.01 * odds.abs()), came, 0.3)[2, 0],
    case="all wrong, by log odds of nine",
)
check.value(
    "brier",
    lambda: 1e10 * card_table(right * (12 + 0.1 * odds.abs()), came, 0.3)[3, 0],
    case="very sure and right",
)
check.value(
    "gain",
    lambda: 1e7 * card_table(torch.logit(0.27 + 1e-6 * odds), came, 0.27)[3:, 2],
    case="hardly better than the base",
)
_right = (20.3 + 0.31 * t[:11]) * (2 * came - 1)
check.value(
    "nll",
    lambda: 1e5 * card_table(_right[None], came, 0.27)[2, 0],
    case="log odds from 20 to 24, all right",
)
check.value(
    "brier",
    lambda: (card_table(odds, came, 0.27)[3, 0] - card_table(odds + 1e-5, came, 0.27)[3, 0]) * 1e6,
    case="the same log odds, moved a little",
)

# %% [markdown]
# ## Exercise 8. In words: would you sign? (10 min, 4 points)
#
# You have the lesson's corrected card, with the runs over ten splits. The director wants one page,
# at most 200 words: which of the models you sign and for what use; which of the card's six errors
# you would have her know about first, and why that one; what you did to convince yourself that
# your own numbers are true; and what your signature does **not** cover. A person reads and grades
# this answer; no check runs.

# %% [markdown] written="would-you-sign" points=4
# ### BEGIN SOLUTION
# I sign the logistic regression as a second reader of biopsies, and the linear model for planning
# on the ward: on ten splits both beat a forecaster who knows no patient each time, and nine in ten
# outcomes lie in the linear model's intervals. I do not sign the networks on the ward: without the
# clamp their likelihood is worse than knowing nothing.
#
# Know first about the clamp. It did not only flatter; it hid two other errors, so that the
# card looked the same whatever was scored. With it no number could have warned us.
#
# I trust my numbers since each function was tried where the answer is known (certain and wrong,
# nobody informed, every patient twice, simulated outcomes), and since the splits, and not I, chose
# what is shown.
#
# Not covered: other hospitals and years, patients unlike these (a few hundred, one
# clinic), single patients with certainty, groups that are too small to be tested here, and any use
# in which a miss costs more than a false alarm until somebody has said how much more.
#
# **Rubric.** One point for a decision for each model with a stated use, in line with the corrected
# numbers, seeds or splits named (the networks on the ward are not signed; signing all or nothing
# without a use earns nothing). One point for one error with a reason that is about consequences:
# it hides others, it makes intervals five times too narrow, it changes which model is
# recommended; "it is the largest" alone is not enough. One point for at least two methods by which
# the own numbers were tested: a limit, an invariance, a known answer, an independent route, reruns
# over splits. One point for two things that the signature does not cover, of which one is about
# data (other places, groups, time) and one about use or decisions.
# ### END SOLUTION
