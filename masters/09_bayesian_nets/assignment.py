# %% [markdown]
# # Assignment 09: Bayesian neural networks
#
# Seven exercises in code and one in words, 37 points, about 85 minutes. You write the parts on
# which approximate posteriors fail in practice: a KL that is counted once, an ELBO for a prior
# without closed forms, the best factorised posterior, a Laplace approximation for a classifier,
# posteriors that are merged without using the prior twice, an evidence, and one step of a sampler.
# Each exercise names its return value, its units and its reduction; whatever the text leaves open
# is yours to choose. Anything that PyTorch offers may be used.
#
# All tensors of real numbers are float64. Logarithms are natural. Every function leaves its inputs
# and the global random generators as they are. Where an exercise names no other range, numbers
# are at most a thousand in size, what must be positive is at least a thousandth, no axis is longer
# than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. A loss for one minibatch (10 min, 5 points)
#
# Variational inference with a factorised Normal, $q(w) = \prod_j N(w_j \mid m_j, s_j^2)$, layer by
# layer; the weights of layer $l$ have the prior $N(0, t_l^2)$, independently. One minibatch has
# been seen, and the NLL of each of its examples was computed with weights drawn from $q$.
#
# Write `minibatch_loss(nll, means, log_sds, prior_sds, data_size)`: the estimate that this
# minibatch gives of
#
# $$\frac1N \left[\; \mathrm{E}_q \sum_{i=1}^{N} -\log p(y_i \mid x_i, w)
#   + \mathrm{KL}(q \,\|\, \text{prior}) \right] ,$$
#
# the negative ELBO per example of the whole training set, in nats. Over the minibatches of an
# epoch its mean must be right, as long as they are equally large.
#
# - `nll` has shape `(b,)`, $b \ge 1$; `data_size` is $N$, a Python integer, at least $b$ and at
#   most $10^6$.
# - `means` and `log_sds` are lists of tensors, one of each for every layer; the two of a layer
#   have the same shape, with any number of dimensions. `log_sds` holds $\log s_j$, between −40
#   and 5.
# - `prior_sds` is a list of positive Python numbers, the standard deviations $t_l$, one for each
#   layer. There is at least one layer.
# - Return a 0-d tensor. Gradients with respect to `nll`, `means` and `log_sds` flow.
#
# Points: value 3, gradient 2.


# %% exercise="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    """Return a minibatch's estimate of the negative ELBO in nats per training example."""
    ### BEGIN SOLUTION
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size
    ### END SOLUTION


# %% [markdown] why="minibatch-loss"
# The KL belongs to the whole data set, the NLL to each example. In nats per example the KL is
# divided by the size of the *data*: divided by the batch's, the prior would be counted once for
# each batch.

# %% checks="minibatch-loss" points=5
check = Checks("minibatch-loss")
nll = torch.tensor([0.7, 2.4, -0.3], dtype=torch.float64)
means = [torch.tensor([[0.5, -1.2], [0.3, 0.8]], dtype=torch.float64)]
means += [torch.tensor([1.4, -0.6], dtype=torch.float64)]
log_sds = [torch.full((2, 2), -1.1, dtype=torch.float64)]
log_sds += [torch.tensor([-0.4, -2.0], dtype=torch.float64)]
check.keeps(
    "value",
    lambda a, b, c: minibatch_loss(a, [b], [c], [1.7], 60),
    nll.clone(),
    means[0].clone(),
    log_sds[0].clone(),
)
check.value("value", lambda: minibatch_loss(nll, means, log_sds, [1.7, 0.6], 60), points=3)
check.gradient(
    "gradient", lambda m: minibatch_loss(nll, [m], log_sds[:1], [1.7], 60), means[0], points=2
)
check.gradient("gradient", lambda s: minibatch_loss(nll, means[:1], [s], [1.7], 60), log_sds[0])
check.report()

# %% hidden="minibatch-loss"
t = torch.linspace(-1.9, 2.3, 8, dtype=torch.float64)
m = [torch.sin(3 * t).reshape(2, 4), 0.7 * t[:3], torch.cos(t[5]), (t**2)[:6].reshape(1, 3, 2)]
s = [0.4 * t.reshape(2, 4) - 1, -2 + t[:3], t[2] - 0.6, torch.sin(t)[:6].reshape(1, 3, 2)]
p = [0.83, 2.9, 0.31, 1.37]
m6, s6 = [m[1] + 0.1 * k for k in range(7)], [s[1] - 0.2 * k for k in range(7)]
p6 = [0.47 + 0.31 * k for k in range(7)]
check.value("value", lambda: minibatch_loss(3 * t, m, s, p, 431), case="four layers")
check.value("value", lambda: minibatch_loss(t, m6, s6, p6, 97), case="seven layers")
check.value("value", lambda: minibatch_loss(t[:1], m[:1], s[:1], p[:1], 23), case="one example")
check.value("value", lambda: minibatch_loss(t, m[:2], s[:2], p[:2], 8), case="one batch in all")
check.value("value", lambda: minibatch_loss(t[:1], m, s, p, 1), case="one example in all")
check.value(
    "value",
    lambda: minibatch_loss(3 * t, m, s, [0.83, 2.9, 0.83, 2.9], 431),
    case="layers with the same prior",
)
check.value(
    "value",
    lambda: minibatch_loss(0 * t, m, s, p, 10**6) * 1e6,
    case="a million training examples",
)
check.value(
    "value",
    lambda: minibatch_loss(0.1 * t, m, [v - 36 for v in s], p, 31),
    case="tiny standard deviations",
)
check.value(
    "value",
    lambda: minibatch_loss(0.1 * t, m, [v + 2.5 for v in s], p, 31),
    case="standard deviations above the prior's",
)
check.value(
    "value",
    lambda: minibatch_loss(0 * t, [0 * m[1] + 1e-3], [0 * s[1] + math.log(2.9)], [2.9], 9) * 1e6,
    case="a layer that is nearly its prior",
)
check.value(
    "value",
    lambda: minibatch_loss(0.1 * t, [60 * v for v in m], s, [0.013 * v for v in p], 31),
    case="narrow priors, far means",
)
check.law(
    "value",
    "equal",
    lambda: minibatch_loss(5 * t, m, s, p, 8),
    lambda: sum(minibatch_loss(5 * t[k : k + 2], m, s, p, 8) for k in (0, 2, 4, 6)) / 4,
    case="the mean over an epoch",
)
check.gradient("gradient", lambda v: minibatch_loss(v, m, s, p, 431), t, case="of the NLLs")
check.gradient(
    "gradient", lambda v: minibatch_loss(t, [m[0], v], s[:2], p[:2], 97), m[1], case="second layer"
)
check.gradient(
    "gradient", lambda v: minibatch_loss(t, m[:1], [v], p[:1], 97), s[0], case="log deviations"
)
check.gradient(
    "gradient",
    lambda v: minibatch_loss(t, [*m[:3], m[3]], [*s[:3], v], p, 13),
    s[3] - 33,
    case="tiny standard deviations",
)
check.gradient(
    "gradient", lambda v: minibatch_loss(t, m6, [*s6[:6], v], p6, 13), s6[6], case="last of seven"
)
ends = torch.tensor([-40.0, 5, -39.6, 4.7]).double()
m30, s30 = [t[k % 8] * t[:3] for k in range(30)], [s[1] - 0.03 * k for k in range(30)]
p30 = [0.31 + 0.13 * k for k in range(30)]
big = torch.sin(torch.arange(3000.0)).double().reshape(100, 5, 6)
check.keeps(
    "gradient",
    lambda a, b, c: minibatch_loss(a, [b, b], [c, c], [1, 0.7], 7),
    t[:1].clone(),
    m[1].clone(),
    s[1].clone(),
    case="vectors are left as they are",
)
check.value("value", lambda: minibatch_loss(t, m30, s30, p30, 97), case="thirty layers")
check.value(
    "value",
    lambda: minibatch_loss(0 * t, [0 * t], [math.log(1.7) + 0.02 * t], [1.7], 9) * 1e4,
    case="deviations near the prior's",
)
check.value("value", lambda: minibatch_loss(t, [big], [big - 1], [1.9], 10**6), case="large layer")
check.value(
    "value",
    lambda: minibatch_loss(t, [m[2], m[2]], [s[2], -s[2]], [1, 3], 9),
    case="single weights",
)
for k, sd in ((0, 1.7), (1, 1000), (1, 0.13), (2, 0.9), (3, 31)):
    check.value(
        "value",
        lambda k=k, sd=sd: minibatch_loss(0 * t, [0 * t[:1]], [ends[k : k + 1]], [sd], 10),
        case="smallest and largest deviations, one by one",
    )
    check.gradient(
        "gradient",
        lambda v, sd=sd: minibatch_loss(0.1 * t, [0 * t[:1]], [v], [sd], 10),
        ends[k : k + 1],
        case="smallest and largest deviations, one by one",
    )
for sd, scale in ((0.001, 1e-3), (0.0017, 1e-3), (1000, 740), (800.0, 700)):
    check.value(
        "value",
        lambda sd=sd, c=scale: minibatch_loss(t, [c * m[1]], [s[1] + math.log(c)], [sd], 11),
        case="smallest and largest priors",
    )
    check.gradient(
        "gradient",
        lambda v, sd=sd, c=scale: minibatch_loss(t, [v], [s[1] + math.log(c)], [sd], 11) * c,
        scale * m[1],
        case="smallest and largest priors",
    )
check.gradient("gradient", lambda v: minibatch_loss(v, m, s, p, 7), t[3:4], case="of a single NLL")
check.gradient(
    "gradient",
    lambda v: minibatch_loss(t, [v, m[1]], s[2:0:-1], p[:2], 13),
    m[2],
    case="by a single mean",
)
check.gradient(
    "gradient",
    lambda v: minibatch_loss(t, [m[1], m[2]], [s[1], v], p[:2], 13),
    s[2],
    case="by a single log deviation",
)
check.gradient(
    "gradient", lambda v: minibatch_loss(t, m[:3] + [v], s, p, 9), m[3], case="3-D mean"
)
check.gradient(
    "gradient",
    lambda v: minibatch_loss(t, m30, [*s30[:29], v], p30, 9),
    s30[29],
    case="last of 30",
)
check.gradient(
    "gradient",
    lambda v: minibatch_loss(t, [*m30[:29], v], s30, p30, 9),
    m30[29],
    case="last of 30",
)
losses = 700 * torch.sin(torch.arange(97.0).double())
turned = m[0].T, s[0].T
check.value(
    "value",
    lambda: minibatch_loss(losses, 36 * [turned[0]], 36 * [turned[1]], 36 * p[:1], 431),
    case="97 examples, 36 layers with other strides",
)
check.value("value", lambda: minibatch_loss(t, 3 * m30, 3 * s30, 3 * p30, 97), case="90 layers")
check.gradient(
    "gradient", lambda v: 97 * minibatch_loss(v, m, s, p, 431), losses, case="of 97 NLLs"
)


# %% [markdown]
# ## Exercise 2. An ELBO from given noise (12 min, 5 points)
#
# Some priors have no KL in closed form. A popular one gives each weight a mixture of two
# Normals, a wide and a narrow one, so that a weight is either at work or close to zero:
#
# $$p(w) = \prod_j \left[\pi\, N(w_j \mid 0, a^2) + (1 - \pi)\, N(w_j \mid 0, c^2)\right] .$$
#
# Then the ELBO is estimated from draws. The model is a line, $y_i = x_i \cdot w + \varepsilon_i$
# with $\varepsilon_i \sim N(0, \sigma^2)$, and $q(w) = \prod_j N(w_j \mid m_j, s_j^2)$.
#
# Write `sampled_elbo(x, y, sigma, mean, log_sd, noise, prior)`: the mean over $S$ draws
# $w = m + s \cdot \text{noise}$ of
#
# $$\log p(y \mid w) + \log p(w) - \log q(w) ,$$
#
# in nats, for the **whole** data set (a sum over examples and over weights), constants included.
#
# - `x` has shape `(n, k)`, `y` `(n,)`; $n$ may be 0, and then the likelihood contributes 0.
#   `sigma` is a positive number.
# - `mean` and `log_sd` have shape `(k,)`; `mean` is at most $2 \cdot 10^5$ in size, `log_sd`
#   holds $\log s_j$, between −10 and 2. `noise` has shape `(S, k)`, $S \ge 1$: standard normal
#   draws, one row for each draw of $w$.
# - `prior` is the tuple $(\pi, a, c)$ of Python numbers, $\pi$ at least $10^{-9}$ away from 0 and
#   1, $c \ge 10^{-5}$ and $a \ge (1 + 10^{-3})\, c$. The ratio $w_j / c$ may be as large as a
#   million.
# - Return a 0-d tensor. Its gradient with respect to `mean` and `log_sd` is that of the formula
#   above at fixed noise: everything that depends on them counts.
#
# Points: value 2, extremes 1, gradient 2.


# %% exercise="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    """Return an estimate of the ELBO in nats under a prior that mixes two scales."""
    ### BEGIN SOLUTION
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise  # (S, k)
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()
    ### END SOLUTION


# %% [markdown] why="sampled-elbo"
# The weights are written as mean plus scale times given noise, so the gradient passes through the
# draws. A mixture as prior has no KL in closed form; the sampled $\log p - \log q$ takes its
# place, and its two densities are added by `logaddexp`.

# %% checks="sampled-elbo" points=5
check = Checks("sampled-elbo")
x = torch.tensor([[1.0, 0.4], [1.0, -1.3], [1.0, 2.2]], dtype=torch.float64)
y = torch.tensor([0.9, -0.7, 2.5], dtype=torch.float64)
mean = torch.tensor([0.2, 1.1], dtype=torch.float64)
log_sd = torch.tensor([-1.6, -0.7], dtype=torch.float64)
noise = torch.tensor([[0.5, -1.0], [-0.2, 0.3]], dtype=torch.float64)
prior = (0.4, 1.5, 0.2)
copies = [v.clone() for v in (x, y, mean, log_sd, noise)]
check.keeps("value", lambda a, b, *c: sampled_elbo(a, b, 0.6, *c, prior), *copies)
check.value("value", lambda: sampled_elbo(x, y, 0.6, mean, log_sd, noise, prior), points=2)
check.value(
    "extremes",
    lambda: sampled_elbo(x, y, 0.6, mean, log_sd, noise, (0.4, 0.02, 2e-5)),
    case="two very narrow parts",
    points=1,
)
check.gradient(
    "gradient", lambda m: sampled_elbo(x, y, 0.6, m, log_sd, noise, prior), mean, points=2
)
check.gradient("gradient", lambda s: sampled_elbo(x, y, 0.6, mean, s, noise, prior), log_sd)
check.report()

# %% hidden="sampled-elbo"
t = torch.linspace(-2.1, 1.8, 28, dtype=torch.float64)
x, y = torch.cos(5 * t**2).reshape(7, 4), torch.sin(3 * t[:7]) + 0.37
mean, log_sd = 0.9 * torch.sin(7 * t[:4]), 0.8 * torch.cos(3 * t[4:8]) - 0.9
noise = 1.3 * torch.sin(37 * t[:24] ** 3).reshape(6, 4)
x7, m7, n7 = torch.sin(x @ x.T), torch.cos(4 * t[:7]), 1.1 * torch.cos(9 * t[:14]).reshape(2, 7)
prior = (0.23, 2.7, 0.31)
check.value(
    "value", lambda: sampled_elbo(x, y, 0.71, mean, log_sd, noise, prior), case="six draws"
)
check.value(
    "value", lambda: sampled_elbo(x, y, 0.71, mean, log_sd, noise[2:3], prior), case="one draw"
)
check.value(
    "value", lambda: sampled_elbo(x[:0], y[:0], 0.71, mean, log_sd, noise, prior), case="no data"
)
check.value(
    "value",
    lambda: sampled_elbo(x7, y, 0.83, m7, 0.4 * m7 - 1.1, n7, prior),
    case="seven weights",
)
check.value(
    "value",
    lambda: sampled_elbo(x[:, :1], y, 1.9, mean[:1], log_sd[:1], noise[:, :1], (0.87, 5.3, 0.19)),
    case="one weight",
)
check.value(
    "value",
    lambda: sampled_elbo(x[:1], y[:1], 0.043, mean, log_sd - 3, noise, prior),
    case="one example",
)
check.value(
    "value",
    lambda: sampled_elbo(x[:4], y[:4], 0.71, mean, log_sd, noise[:4], (0.61, 1.9, 0.83)),
    case="as many draws, weights and examples",
)
steep = torch.tensor([[999.7, -333.3]], dtype=t.dtype), torch.tensor([99.33], dtype=t.dtype)
far = torch.tensor([33333.3, 99979.6], dtype=t.dtype)
check.value(
    "extremes",
    lambda: sampled_elbo(*steep, 1.3e-3, far, 0 * far - 10, 0 * far[None], (0.43, 990.0, 1.7)),
    case="large terms that cancel, little noise",
)
check.value(
    "extremes",
    lambda: sampled_elbo(
        x[:0], y[:0], 0.71, 0 * mean, 0 * mean - 10, 0.1 * noise, (1.3e-9, 990.0, 1.3e-5)
    ),
    case="hardly any wide part, small weights",
)
check.value(
    "extremes",
    lambda: sampled_elbo(x, y, 0.71, 9 * mean, log_sd, noise, (0.23, 2.7, 1.1e-5)),
    case="a very narrow part, large weights",
)
check.value(
    "extremes",
    lambda: sampled_elbo(x, y, 0.71, 170 * mean, log_sd - 6, noise, (0.37, 0.9, 0.45)),
    case="weights far from both parts",
)
check.value(
    "extremes",
    lambda: sampled_elbo(x, y, 0.71, 1e-4 * mean, log_sd - 8, noise, (0.23, 2.7, 3.1e-4)),
    case="weights in the narrow part",
)
check.value(
    "extremes",
    lambda: sampled_elbo(x[:0], y[:0], 0.71, mean, log_sd, noise, (1e-9, 2.7, 1.3e-5)),
    case="a wide part that is improbable",
)
check.gradient(
    "gradient", lambda m: sampled_elbo(x, y, 0.71, m, log_sd, noise, prior), mean, case="of means"
)
check.gradient(
    "gradient",
    lambda s: sampled_elbo(x, y, 0.71, mean, s, noise, prior),
    log_sd,
    case="of log deviations",
)
check.gradient(
    "gradient",
    lambda s: sampled_elbo(x[:0], y[:0], 0.71, mean, s, noise, prior),
    log_sd - 7,
    case="of log deviations, no data",
)
check.gradient(
    "gradient",
    lambda m: sampled_elbo(x, y, 0.71, m, log_sd - 6, noise, (0.37, 0.9, 0.45)),
    170 * mean,
    case="weights far from both parts",
)
alike = (0.013, 1.301, 1.29)
check.value(
    "extremes",
    lambda: sampled_elbo(x, y, 0.71, 20 * mean, log_sd - 6, noise, alike),
    case="parts of nearly the same width, weights far out",
)
check.value(
    "extremes",
    lambda: sampled_elbo(x[:0], y[:0], 0.71, 2e5 * mean, log_sd - 3, noise, (0.37, 0.9, 0.45)),
    case="weights a hundred thousand times as large as both parts",
)
check.gradient(
    "gradient",
    lambda m: sampled_elbo(x[:0], y[:0], 0.71, m, log_sd - 3, noise, (0.37, 0.9, 0.45)),
    2e5 * mean,
    case="weights a hundred thousand times as large as both parts",
)
z = torch.arange(1.0, 31).double()
x30, n30 = torch.sin(torch.outer(z, z[:9] ** 1.3)), 1.7 * torch.cos(torch.outer(z, z[:9] ** 0.7))
m9, s9, y30 = torch.sin(4 * z[:9]), 0.7 * torch.cos(z[:9]) - 1, torch.cos(z)
lone = (x[:0, :1], y[:0], 1.0)  # no data, one weight
bent = torch.tensor([[4.3], [-0.2], [0.9]]).double()
check.keeps(
    "extremes",
    lambda a, b, *c: sampled_elbo(a, b, 1.3, *c, prior),
    *(v.clone() for v in (x[:0], y[:0], mean, log_sd, noise[:1])),
    case="one draw without data leaves inputs as they are",
)
check.value(
    "value", lambda: sampled_elbo(x30, y30, 0.9, m9, s9, n30, prior), case="thirty of each"
)
check.value(
    "value",
    lambda: sampled_elbo(x30.T @ x30, m9, 31.7, m9, s9, n30[:24], (0.5, 2, 1)),
    case="24 draws, whole numbers in the prior",
)
check.value(
    "value",
    lambda: sampled_elbo(x[:0, :1], y[:0], 2, mean[:1], log_sd[:1], noise[:1, :1], prior),
    case="one draw of one weight, no data",
)
check.value(
    "value",
    lambda: sampled_elbo(*lone, *(0 * v for v in (mean[:1], mean[:1])), bent, prior),
    case="a far draw",
)
for sd in (0.001, 0.0043, 1000, 700.0):
    check.value(
        "value",
        lambda sd=sd: sampled_elbo(x, 0.7 * sd * y, sd, sd * mean / 99, log_sd - 4, noise, prior),
        case="smallest and largest sigma",
    )
for log_s in (-10.0, -9.4, 1.6, 2.0):
    check.value(
        "extremes",
        lambda v=log_s: sampled_elbo(*lone, mean[:1], mean[:1] * 0 + v, bent, prior),
        case="smallest and largest deviations",
    )
    check.gradient(
        "gradient",
        lambda v: sampled_elbo(*lone, mean[:1], v, bent, prior),
        mean[:1] * 0 + log_s,
        case="smallest and largest deviations",
    )
for share, wide, narrow, far in (
    (1e-9, 3.3, 0.7, 0.9),
    (1 - 1e-9, 3.3, 1e-5, 1.1e-5),
    (1 - 1e-5, 900, 0.001, 0.002),
    (0.9991, 41, 0.01, 0.02),
    (1e-9, 1.0011, 1.0, 137.0),
    (1e-9, 1000, 900, 990),
    (0.001, 0.02, 1e-5, 0.9e-5),
    (0.4, 1.1e-5, 1e-5, 8e-5),
    (0.4, 1000, 0.21, 2e5),
):
    mix = (share, wide, narrow)
    near = torch.tensor([far]).double()
    check.value(
        "extremes",
        lambda f=near, q=mix: sampled_elbo(*lone, f, 0 * f - 10, 0 * bent, q),
        case="weights near to and far from unequal and equal parts",
    )
    check.gradient(
        "gradient",
        lambda m, q=mix: sampled_elbo(*lone, m, 0 * m - 10, 1e-3 * bent, q),
        near,
        case="weights near to and far from unequal and equal parts",
    )
check.gradient(
    "gradient",
    lambda s: sampled_elbo(x, y, 0.71, mean, s, noise[:1], prior),
    log_sd,
    case="log deviations, one draw",
)
check.gradient(
    "gradient",
    lambda m: sampled_elbo(x, y, 0.71, m, log_sd, noise[:1], prior),
    mean,
    case="means, one draw",
)
check.gradient(
    "gradient",
    lambda m: sampled_elbo(x[:0], y[:0], 0.71, m, log_sd, noise, prior),
    mean,
    case="means, no data",
)
check.value(
    "value",
    lambda: sampled_elbo(x, 700 * y, 300, 800 * mean, log_sd, noise, (0.3, 900, 70)),
    case="large predictions",
)
check.gradient(
    "gradient",
    lambda s: sampled_elbo(x, y, 0.71, mean, s, 0 * noise, prior),
    log_sd,
    case="log deviations, noise of 0",
)
check.gradient(
    "gradient", lambda m: sampled_elbo(x30, y30, 0.9, m, s9, n30, prior), m9, case="thirty draws"
)
check.gradient(
    "gradient", lambda s: sampled_elbo(x30, y30, 0.9, m9, s, n30, prior), s9, case="thirty draws"
)
z100 = torch.arange(1.0, 101).double()
x100, n100 = (torch.sin(torch.outer(z100[:3] ** b, z100)).T for b in (1.3, 0.7))
check.value(
    "value",
    lambda: sampled_elbo(x100, torch.cos(z100), 0.9, m9[:3], s9[:3], n100, prior),
    case="a hundred draws, a hundred examples",
)


# %% [markdown]
# ## Exercise 3. Which correlations to keep (12 min, 5 points)
#
# Between mean-field and the full posterior lies a middle: weights of one group (a layer, or all
# that enter one unit) may be correlated in $q$, and groups are independent. Let the true posterior
# be Normal with the **precision** matrix $\Lambda$, the inverse of its covariance.
#
# Write `best_groups(precision, groups)`, which returns the tuple `(cov, gap)`:
#
# - `cov`, shape `(d, d)`: the covariance of that Normal $q$ with independent groups for which
#   $\mathrm{KL}(q \,\|\, p)$ is smallest. (Its mean is that of $p$, and matters no more.) Weights
#   of different groups have covariance 0.
# - `gap`, a 0-d tensor: this smallest $\mathrm{KL}(q \,\|\, p)$, in nats.
#
# `precision` has shape `(d, d)`, symmetric and positive definite, $d$ at least 1 and at most 60.
# `groups` has shape `(d,)`, int64: weights with the same integer form a group. The integers are at
# most $10^{12}$ in size, in any order, negative ones too. Precisions (the diagonal) lie between
# $10^{-9}$ and $10^{10}$, those of one group within a factor of a million; correlations may be as
# strong as 0.99999.
#
# Points: covariance 2, gap 2, extremes 1.


# %% exercise="best-groups"
def best_groups(precision, groups):
    """Return the covariance of the closest Normal with independent groups, and its KL."""
    ### BEGIN SOLUTION
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])
    ### END SOLUTION


# %% [markdown] why="best-groups"
# The best $q$ has the *precision* of each block, which is the variance left when all else is held
# fixed. Taking blocks of the covariance would be the other divergence's answer, which is wider.

# %% checks="best-groups" points=5
check = Checks("best-groups")
exact = torch.tensor([[2.0, 1.2, 0.5], [1.2, 3.0, -0.8], [0.5, -0.8, 1.5]], dtype=torch.float64)
alone, pair = torch.tensor([0, 1, 2]), torch.tensor([4, 7, 4])
near = 300 * (torch.eye(3, dtype=torch.float64) + 0.9999)
check.keeps("covariance", best_groups, exact.clone(), pair.clone())
check.value("covariance", lambda: best_groups(exact, alone)[0], points=2)
check.value("covariance", lambda: best_groups(exact, pair)[0])
check.value("covariance", lambda: best_groups(exact, pair.sort().values)[0])
check.value("gap", lambda: best_groups(exact, pair)[1], points=2)
check.value("extremes", lambda: best_groups(near, pair)[1], case="large precisions", points=1)
check.report()

# %% hidden="best-groups"
t = torch.linspace(-1.3, 2.2, 49, dtype=torch.float64)
A = torch.cos(9 * t**2).reshape(7, 7)
P = A @ A.T + 0.37 * torch.eye(7, dtype=t.dtype)
P = (P + P.T) / 2  # symmetric to the last digit
mixed = torch.tensor([3, -2, 3, 11, -2, 3, 0])
r = torch.arange(7)
i = torch.arange(60, dtype=t.dtype)
W = torch.exp(-0.11 * (i - i[:, None]).abs()) + 0.013 * torch.eye(60, dtype=t.dtype)
three = (torch.arange(60) * 7) % 3
tight = torch.linalg.inv(0.99999 ** (i[:4] - i[:4, None]).abs())
tight = (tight + tight.T) / 2
check.value("covariance", lambda: best_groups(P, mixed)[0], case="four groups out of order")
check.value("covariance", lambda: best_groups(P, r)[0], case="every weight alone")
check.value("covariance", lambda: best_groups(P, 0 * r - 5)[0], case="one group")
check.value("covariance", lambda: best_groups(1.9 * P[:1, :1], r[:1])[0], case="one weight")
check.value("covariance", lambda: best_groups(P, r // 2)[0], case="pairs of neighbours")
check.value("covariance", lambda: best_groups(P, r % 2)[0], case="every other weight")
check.value("covariance", lambda: best_groups(W, three)[0][::7, ::3], case="sixty weights")
check.value("gap", lambda: best_groups(P, mixed)[1], case="four groups out of order")
check.value("gap", lambda: best_groups(P, r)[1], case="every weight alone")
check.value("gap", lambda: best_groups(P, 0 * r - 5)[1], case="one group")
check.value("gap", lambda: best_groups(1.9 * P[:1, :1], r[:1])[1], case="one weight")
check.value("gap", lambda: best_groups(P, r % 2)[1], case="every other weight")
check.value("gap", lambda: best_groups(torch.diag(0.3 + t[:5] ** 2), r[:5])[1], case="independent")
check.law(
    "gap",
    "equal",
    lambda: best_groups(P, mixed)[1],
    lambda: best_groups(37.0 * P, mixed + 8)[1],
    lambda: best_groups(P.flip(0, 1), mixed.flip(0))[1],
    case="other units and orders",
)
check.value("extremes", lambda: best_groups(1e9 * W, three)[1], case="sixty large precisions")
check.value("extremes", lambda: best_groups(1e-9 * W, three)[1], case="sixty small precisions")
check.value(
    "extremes", lambda: best_groups(1e9 * W, three)[0][::7, ::3] * 1e9, case="large precisions"
)
check.value("extremes", lambda: best_groups(tight, r[:4] // 2)[1], case="correlations of 0.99999")
check.value(
    "extremes", lambda: best_groups(tight, r[:4])[0] * 1e5, case="correlations of 0.99999, alone"
)
steep = torch.tensor([[1.3e6, 1.3e3 * 0.99999], [1.3e3 * 0.99999, 1.3]], dtype=t.dtype)
check.value(
    "extremes",
    lambda: best_groups(steep, r[:2] * 0)[0] * steep.abs() / 1e5,
    case="correlated by 0.99999, in other units",
)
graded = 10.0 ** torch.tensor([4.2, -4.1, 4.2, 0.0, -4.1, 4.2, 1.0], dtype=t.dtype)
uneven = P * (graded * graded[:, None])
check.value(
    "extremes",
    lambda: best_groups(uneven, mixed)[0] * graded * graded[:, None],
    case="groups of large and of small precisions",
)
check.value(
    "extremes", lambda: best_groups(uneven, mixed)[1], case="the gap of large and small precisions"
)
names = torch.tensor([10**12, 10**12 - 1, -(10**12), 3, -3, 3 + 2**32, 3])
close = torch.full((4, 4), 0.99999).double().fill_diagonal_(1.0)
weak = torch.tensor([[2.0, 0.02], [0.02, 3.1]]).double()
unlike = 10.0 ** torch.tensor([1.5, -1.5, 0, 1, -1.5, 0.7, 1.5], dtype=t.dtype)
unlike = unlike * P.diagonal().rsqrt()
steps = P * (unlike * unlike[:, None])
for kept in ((P[:1, :1], r[:1]), (P, 0 * r), (P, -r)):
    check.keeps("gap", best_groups, *(v.clone() for v in kept), case="inputs are left as they are")
for label, of in ((names, P), (r % 2 * 3 - 5, P), (r * 0 + 10**12, P), (3 - r, P), (r[:2], weak)):
    check.value(
        "covariance",
        lambda g=label, m=of: best_groups(m, g)[0],
        case="labels of either sign, large",
    )
    check.value("gap", lambda g=label, m=of: best_groups(m, g)[1], case="labels of either sign")
check.value("covariance", lambda: best_groups(W, i.long())[0], case="sixty groups")
check.value("covariance", lambda: best_groups(W, i.long() // 9 % 2)[0], case="sixty, two groups")
check.value("covariance", lambda: best_groups(W, 0 * i.long())[0], case="sixty, one group")
check.value("gap", lambda: best_groups(W, i.long())[1], case="sixty groups")
check.value("gap", lambda: best_groups(W, i.long() // 9 % 2)[1], case="sixty, two groups")
check.value("gap", lambda: 1e5 * best_groups(weak, r[:2])[1], case="nearly independent")
for size in (1e-9, 1e9):
    check.value(
        "extremes",
        lambda c=size: best_groups(c * W, (i > 0).long())[1],
        case="59 of sixty in one group, any size",
    )
for size in (1e-9, 1.0, 1e9):
    check.value(
        "extremes",
        lambda c=size: best_groups(c * close, r[:4] // 2)[0] * c / 1e4,
        case="correlations of 0.99999 within groups, any size",
    )
    check.value(
        "extremes",
        lambda c=size: best_groups(c * close, r[:4] % 3)[1],
        case="correlations of 0.99999 within and between groups, any size",
    )
    check.value(
        "extremes", lambda c=size: best_groups(c * P[:1, :1], r[:1])[0] * c, case="one, any size"
    )
    check.value(
        "extremes", lambda c=size: best_groups(c * P, mixed)[0] * c, case="seven, any size"
    )
check.value(
    "extremes",
    lambda: best_groups(steps, r // 4)[0] * unlike * unlike[:, None],
    case="a million times as large within a group",
)
check.value(
    "extremes", lambda: best_groups(steps, r // 4)[1], case="a million times as large, the gap"
)

# %% [markdown]
# ## Exercise 4. A classifier that knows its last layer is a guess (12 min, 5 points)
#
# A trained network ends in $k$ features $\phi(x)$ and a logistic last layer,
# $P(y = 1 \mid x) = \mathrm{sigmoid}(\phi(x) \cdot w)$. Its last layer was trained to the most
# probable weights $\hat w$ under the prior $w_j \sim N(0, \tau^2)$, all independent, and under the
# likelihood of all $n$ training labels. Make it Bayesian afterwards, by a Laplace approximation of
# the last layer: $w \sim N(\hat w, \Sigma)$.
#
# Write `last_layer(features, weights, tau, new)`, which returns the tuple `(sd, p)`, both of shape
# `(m,)`:
#
# - `sd`: the standard deviation of the logit $\phi \cdot w$ under this approximation, at each of
#   the new inputs;
# - `p`: the probability of class 1 there, by the usual approximation for a Normal logit with mean
#   $\mu$ and variance $v$: $\mathrm{sigmoid}\big(\mu / \sqrt{1 + \pi v / 8}\big)$.
#
# - `features`, shape `(n, k)`, holds $\phi$ of the training examples, and `new`, shape `(m, k)`,
#   $m \ge 1$, that of new ones; a constant feature, if there is one, is among them. Training
#   features are at most 1000 in size, new ones $2 \cdot 10^6$.
# - `weights`, shape `(k,)`, is $\hat w$; `tau` is a number between $10^{-2}$ and $10^2$, at most
#   10 where there are more than ten examples, or where a training feature is above 100 in size.
# - There are no labels among the arguments, and none are missing: take $\hat w$ as it is, also
#   where no labels could have led to it.
# - $n$ may be 0 or smaller than $k$, features may repeat each other, and the logits of training
#   examples may be as large as ±900.
#
# Points: deviation 3, probability 2.


# %% exercise="last-layer"
def last_layer(features, weights, tau, new):
    """Return sd of the logit and probability of class 1, by Laplace on the last layer."""
    ### BEGIN SOLUTION
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)
    ### END SOLUTION


# %% [markdown] why="last-layer"
# Near its maximum the log posterior is a parabola: its curvature, data plus prior, is the
# precision of the weights. The logit is then Normal, and averaging the sigmoid over it moves the
# probability towards 1/2, most where the features are unlike all that was seen.

# %% checks="last-layer" points=5
check = Checks("last-layer")
seen = torch.tensor([[1.0, 0.4], [1.0, -1.5], [1.0, 2.0]], dtype=torch.float64)
best = torch.tensor([0.3, 1.1], dtype=torch.float64)
new = torch.tensor([[1.0, 0.5], [1.0, 6.0]], dtype=torch.float64)
check.keeps(
    "deviation", lambda a, b, c: last_layer(a, b, 2.5, c), *(v.clone() for v in (seen, best, new))
)
check.value("deviation", lambda: last_layer(seen, best, 2.5, new)[0], points=3)
check.value("probability", lambda: last_layer(seen, best, 2.5, new)[1], points=2)
check.report()

# %% hidden="last-layer"
t = torch.linspace(-1.7, 2.1, 36, dtype=torch.float64)
F = torch.cos(11 * t**2).reshape(9, 4) + 0.21
w, N = (
    torch.tensor([0.9, -1.7, 0.43, 2.1], dtype=t.dtype),
    1.9 * torch.sin(5 * t[:24]).reshape(6, 4),
)
twin = torch.cat([F[:, :2], F[:, :2]], dim=1)
given = {
    "nine examples": (F, w, 1.37, N),
    "no examples": (F[:0], w, 1.37, N),
    "one example": (F[4:5], w, 3.1, N),
    "fewer examples than features": (F[:2], w, 0.37, N),
    "one new input": (F, w, 1.37, N[2:3]),
    "as many new inputs as features": (F, w, 2.7, N[:4]),
    "one feature": (F[:, :1], w[:1], 4.3, N[:, :1]),
    "one of everything": (F[:1, :1], w[:1], 0.77, N[:1, :1]),
    "features that repeat": (twin, w, 93.0, N),
    "weights of zero": (F, 0 * w, 2.3, 3 * N),
    "a narrow prior": (F, w, 0.013, 31 * N),
    "a wide prior": (F, w, 79.0, N),
    "features in the hundreds": (140 * F, w, 1.37, N),
    "logits in the hundreds": (F, 110 * w, 1.37, N),
    "99 examples": (F.repeat(11, 1), w, 1.37, N),
    "inputs a million times as far": (F, w, 1.37, 1e6 * N),
    "a long example": (97 * (w > 0.5).to(t.dtype)[None], 0 * w, 93.0, N),
}
check.value("deviation", lambda: last_layer(*given["nine examples"])[0], case="nine examples")
check.value(
    "probability",
    lambda: 1e7 * last_layer(F[:0], w, 0.011, -3 * w.sign()[None])[1],
    case="a probability of some ten millionths",
)
check.value("deviation", lambda: last_layer(*given["no examples"])[0], case="no examples")
check.value("deviation", lambda: last_layer(*given["one example"])[0], case="one example")
check.value(
    "deviation",
    lambda: last_layer(*given["fewer examples than features"])[0],
    case="fewer examples than features",
)
check.value("deviation", lambda: last_layer(*given["one new input"])[0], case="one new input")
check.value(
    "deviation",
    lambda: last_layer(*given["as many new inputs as features"])[0],
    case="as many new inputs as features",
)
check.value("deviation", lambda: last_layer(*given["one feature"])[0], case="one feature")
check.value(
    "deviation", lambda: last_layer(*given["one of everything"])[0], case="one of everything"
)
check.value(
    "deviation", lambda: last_layer(*given["features that repeat"])[0], case="features that repeat"
)
check.value("deviation", lambda: last_layer(*given["weights of zero"])[0], case="weights of zero")
check.value("deviation", lambda: last_layer(*given["a narrow prior"])[0], case="a narrow prior")
check.value("deviation", lambda: last_layer(*given["a wide prior"])[0], case="a wide prior")
check.value(
    "deviation",
    lambda: last_layer(*given["features in the hundreds"])[0],
    case="features in the hundreds",
)
check.value(
    "deviation",
    lambda: last_layer(*given["logits in the hundreds"])[0],
    case="logits in the hundreds",
)
check.value("deviation", lambda: last_layer(*given["99 examples"])[0], case="99 examples")
check.value(
    "deviation",
    lambda: last_layer(*given["inputs a million times as far"])[0],
    case="inputs a million times as far",
)
check.value(
    "deviation", lambda: last_layer(*given["a long example"])[0], case="weights without data"
)
check.value("probability", lambda: last_layer(*given["nine examples"])[1], case="nine examples")
check.value("probability", lambda: last_layer(*given["no examples"])[1], case="no examples")
check.value("probability", lambda: last_layer(*given["one example"])[1], case="one example")
check.value(
    "probability",
    lambda: last_layer(*given["fewer examples than features"])[1],
    case="fewer examples than features",
)
check.value("probability", lambda: last_layer(*given["one new input"])[1], case="one new input")
check.value(
    "probability",
    lambda: last_layer(*given["as many new inputs as features"])[1],
    case="as many new inputs as features",
)
check.value("probability", lambda: last_layer(*given["one feature"])[1], case="one feature")
check.value(
    "probability", lambda: last_layer(*given["one of everything"])[1], case="one of everything"
)
check.value(
    "probability",
    lambda: last_layer(*given["features that repeat"])[1],
    case="features that repeat",
)
check.value(
    "probability", lambda: last_layer(*given["weights of zero"])[1], case="weights of zero"
)
check.value("probability", lambda: last_layer(*given["a narrow prior"])[1], case="a narrow prior")
check.value("probability", lambda: last_layer(*given["a wide prior"])[1], case="a wide prior")
check.value(
    "probability",
    lambda: last_layer(*given["features in the hundreds"])[1],
    case="features in the hundreds",
)
check.value(
    "probability",
    lambda: last_layer(*given["logits in the hundreds"])[1],
    case="logits in the hundreds",
)
check.value("probability", lambda: last_layer(*given["99 examples"])[1], case="99 examples")
check.value(
    "probability",
    lambda: last_layer(*given["inputs a million times as far"])[1],
    case="inputs a million times as far",
)
z = torch.arange(1.0, 101).double()
F100, w9 = torch.sin(torch.outer(z, z[:9] ** 1.3)), 0.7 * torch.cos(3 * z[:9])
N100 = 2.3 * torch.cos(torch.outer(z**1.2, z[:9] ** 0.7))
some_zero = torch.cat([N[:2], 0 * N[:1], N[:1] * torch.tensor([0.0, 0, 1, 0]).double()])
one = torch.ones(1, 1).double()
others = (
    (F100, w9, 1.9, N100),
    (F100[:, :1], w9[:1], 0.9, N100[:3, :1]),
    (F, w, 0.01, 0.31 * N),
    (F, w, 0.01, 700 * N),
    (F, w, 100, N),
    (F, w, 100.0, 1e6 * N),
    (F[:1], w, 96.0, N),
    (F[:0], w, 100, N[:1]),
    (F, w, 2, some_zero),
    (999 * F[:, :1].sign(), 0.8 * w[:1], 1.7, N[:, :1]),
    (F.sign() * 800, 0 * w, 3.1, 9 * N),
    (-90 * one, one[0], 100, 3 * one),
    (900 * one, one[0], 0.01, 300 * one),
    (16 * one, one[0], 90, 0.3 * one),
    (-23 * one, one[0], 100, 0.3 * one),
    (31 * one, one[0], 100, 0.3 * one),
    (100 * one.repeat(10, 40), 0 * z[:40], 100, 1 + F100[:3, :1].repeat(1, 40) * (z[:40] < 3)),
    (999 * F100[:, :1].sign(), 0 * w9[:1], 10, N100[:3, :1]),
    (970 + 20 * F100[:, :2], 0 * w9[:2], 9.7, 7 * N100[:4, :2]),
)
for g in others:
    check.value("deviation", lambda g=g: last_layer(*g)[0], case="ends of the ranges, other sizes")
    check.value("probability", lambda g=g: last_layer(*g)[1], case="ends of the ranges, sizes")
small = (F100, w9, 1.9, 2e-3 * N100[:5])
check.value("deviation", lambda: 1e3 * last_layer(*small)[0], case="new features next to 0")
check.value("probability", lambda: 1e2 * (last_layer(*small)[1] - 0.5), case="features next to 0")
for kept in ((F, w, N[:1]), (F[:0], w, N), (F[:, :1], w[:1], N[:1, :1])):
    check.keeps(
        "probability",
        lambda a, b, c: last_layer(a, b, 2.5, c),
        *(v.clone() for v in kept),
        case="inputs are left as they are",
    )
upright = F100.T.contiguous().T, w9, 1.9, N100.T.contiguous().T
check.value("deviation", lambda: last_layer(*upright)[0], case="other strides")


# %% [markdown]
# ## Exercise 5. Four clinics, one prior (10 min, 4 points)
#
# Clinics may not share patients, but they may share posteriors. Each of $K$ clinics took the same
# prior $N(m_0, C_0)$ for the same $d$ weights, saw its own data, independent of the others' given
# the weights, and sends the mean and the covariance of its posterior, which is Normal.
#
# Write `merge(means, covs, prior_mean, prior_cov)`: the posterior that all data together would
# give, as the tuple `(mean, cov)` of shapes `(d,)` and `(d, d)`.
#
# - `means` has shape `(K, d)`, `covs` `(K, d, d)`, `prior_mean` `(d,)`, `prior_cov` `(d, d)`. All
#   covariances are positive definite, and no clinic's is larger than the prior's.
# - $K = 0$ means that nobody has seen anything. A clinic that has seen nothing sends the prior.
# - Means are at most ten thousand in size, standard deviations lie between $10^{-6}$ and $10^5$,
#   correlations stay a thousandth away from 1 and from −1.
#
# Points: mean 2, covariance 2.


# %% exercise="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    """Return mean and covariance of the posterior given the data of all clinics."""
    ### BEGIN SOLUTION
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)  # (K, d, d)
    extra = len(means) - 1  # the prior is in all K posteriors, and must be in once
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov
    ### END SOLUTION


# %% [markdown] why="merge-posteriors"
# Each posterior is the prior times one clinic's likelihood. In the product of all $K$ the prior
# stands $K$ times, and belongs there once: precisions add, $K - 1$ priors are taken off.

# %% checks="merge-posteriors" points=4
check = Checks("merge-posteriors")
start = torch.tensor([0.5, -1.0], dtype=torch.float64)
wide = torch.tensor([[4.0, 0.6], [0.6, 2.0]], dtype=torch.float64)
found = torch.tensor([[1.2, -0.4], [0.1, -1.8]], dtype=torch.float64)
sure = torch.tensor([[[0.5, 0.1], [0.1, 0.9]], [[1.1, -0.3], [-0.3, 0.4]]], dtype=torch.float64)
check.keeps("mean", merge, *(v.clone() for v in (found, sure, start, wide)))
check.value("mean", lambda: merge(found, sure, start, wide)[0], points=2)
check.value("covariance", lambda: merge(found, sure, start, wide)[1], points=2)
check.report()

# %% hidden="merge-posteriors"
t = torch.linspace(-1.6, 2.4, 63, dtype=torch.float64)
B = torch.sin(13 * t**2).reshape(7, 3, 3)
base = B[0] @ B[0].T + 1.3 * torch.eye(3, dtype=t.dtype)
seen = B @ B.mT * (0.2 + t[:7].abs()[:, None, None])
C = torch.linalg.inv(torch.linalg.inv(base) + seen)
M, origin = (
    2.3 * torch.cos(5 * t[:21]).reshape(7, 3),
    torch.tensor([0.7, -1.9, 3.1], dtype=t.dtype),
)
idle = torch.cat([C[:2], base[None], C[2:3]])
rest = torch.cat([M[:2], origin[None], M[2:3]])
d = torch.tensor([3e3, 0.9, 2e-3], dtype=t.dtype)
clinics = {
    "seven clinics": (M, C, origin, base),
    "three clinics": (M[:3], C[:3], origin, base),
    "one clinic": (M[4:5], C[4:5], origin, base),
    "no clinic": (M[:0], C[:0], origin, base),
    "one saw nothing": (rest, idle, origin, base),
    "one weight": (M[:, :1], C[:, :1, :1], origin[:1], base[:1, :1]),
    "a prior mean of zero": (M[:2], C[:2], 0 * origin, base),
    "sure clinics, a vague prior": (M[:5], 1e-6 * C[:5], origin, 1e3 * base),
}
check.value("mean", lambda: merge(*clinics["seven clinics"])[0], case="seven clinics")
check.value("mean", lambda: merge(*clinics["three clinics"])[0], case="three clinics")
check.value("mean", lambda: merge(*clinics["one clinic"])[0], case="one clinic")
check.value("mean", lambda: merge(*clinics["no clinic"])[0], case="no clinic")
check.value("mean", lambda: merge(*clinics["one saw nothing"])[0], case="one saw nothing")
check.value("mean", lambda: merge(*clinics["one weight"])[0], case="one weight")
check.value(
    "mean", lambda: merge(*clinics["a prior mean of zero"])[0], case="a prior mean of zero"
)
check.value(
    "mean",
    lambda: merge(*clinics["sure clinics, a vague prior"])[0],
    case="sure clinics, a vague prior",
)
check.value("covariance", lambda: merge(*clinics["seven clinics"])[1], case="seven clinics")
check.value("covariance", lambda: merge(*clinics["three clinics"])[1], case="three clinics")
check.value("covariance", lambda: merge(*clinics["one clinic"])[1], case="one clinic")
check.value("covariance", lambda: merge(*clinics["no clinic"])[1], case="no clinic")
check.value("covariance", lambda: merge(*clinics["one saw nothing"])[1], case="one saw nothing")
check.value("covariance", lambda: merge(*clinics["one weight"])[1], case="one weight")
check.value(
    "covariance", lambda: merge(*clinics["a prior mean of zero"])[1], case="a prior mean of zero"
)
check.value(
    "covariance",
    lambda: merge(*clinics["sure clinics, a vague prior"])[1],
    case="sure clinics, a vague prior",
)
units = (M * d, C * d * d[:, None], origin * d, base * d * d[:, None])
e = torch.tensor([4.1e3, 0.9, 2.3e-5], dtype=t.dtype)
apart = (M * e, C * e * e[:, None], origin * e, base * e * e[:, None])
check.value("mean", lambda: merge(*apart)[0] / e, case="thousands and hundred-thousandths")
check.value(
    "covariance",
    lambda: merge(*apart)[1] / e / e[:, None],
    case="thousands and hundred-thousandths",
)
check.value("mean", lambda: merge(*units)[0] / d, case="weights of very different units")
check.value(
    "covariance",
    lambda: merge(*units)[1] / d / d[:, None],
    case="weights of very different units",
)
check.value(
    "covariance",
    lambda: merge(M[:5], 1e-6 * C[:5], origin, 1e3 * base)[1] * 1e6,
    case="covariances of sure clinics, in parts per million",
)
fine = (M[:3], 1e-9 * C[:3], origin, 1e-9 * base)
check.value("mean", lambda: merge(*fine)[0], case="small covariances everywhere")
check.value("covariance", lambda: merge(*fine)[1] * 1e9, case="small covariances everywhere")
z = torch.arange(1.0, 61).double()
tight = torch.tensor([[1.0, 0.998, 0.2], [0.998, 1, 0.2], [0.2, 0.2, 1]]).double()
shy = torch.linalg.inv(torch.linalg.inv(tight) + 0.1 * torch.eye(3).double() * z[:2, None, None])
big = torch.exp(-0.3 * (z[:20] - z[:20, None]).abs())
grown = torch.linalg.inv(
    torch.linalg.inv(big) + torch.diag_embed(torch.sin(z[:40, None] * z[:20]) ** 2)
)
told = torch.cos(z[:40, None] * z[:20] ** 0.7)
many = torch.linalg.inv(
    torch.linalg.inv(base)
    + seen[:1] * torch.sin(torch.arange(1.0, 101).double())[:, None, None] ** 2
)
said = torch.cos(torch.arange(300.0).double()).reshape(100, 3)
crowds = (
    (said, many, origin, base),
    (told, grown, 0 * z[:20] - 1.7, big),
    (M[[0, 1, 0, 0]], C[[0, 1, 0, 0]], origin, base),
    (origin.repeat(3, 1), base.repeat(3, 1, 1), origin, base),
    (M[:2], base.repeat(2, 1, 1), origin, base),
    (M[:1, :1], C[:1, :1, :1], origin[:1], base[:1, :1]),
    (M[:0, :1], C[:0, :1, :1], origin[:1], base[:1, :1]),
    (M[:2], shy, origin, tight),
    (M[:1], shy[:1], origin, tight),
)
for g in crowds:
    check.value(
        "mean", lambda g=g: merge(*g)[0], case="none to a hundred clinics, alike or silent"
    )
    check.value("covariance", lambda g=g: merge(*g)[1], case="none to a hundred clinics")
check.value(
    "mean",
    lambda: (merge(990 + 0.1 * M[:4], C[:4], 991 + 0 * origin, base)[0] - 990) * 10,
    case="means near a thousand",
)
for size in (1e-10, 3e-10, 1e-6, 4e7):
    check.value(
        "covariance",
        lambda c=size: merge(M[:2], c * shy, origin, c * tight)[1] / c,
        case="smallest and largest deviations",
    )
    check.value(
        "mean",
        lambda c=size: merge(M[:3], c * C[:3], origin, c * base)[0],
        case="smallest and largest deviations",
    )
for kept in ((M[:0], C[:0], origin, base), (M[:1], C[:1], origin, base), (M, C, 0 * origin, base)):
    check.keeps(
        "covariance", merge, *(v.clone() for v in kept), case="inputs are left as they are"
    )
check.value("mean", lambda: merge(M.T.contiguous().T, C, origin, base)[0], case="other strides")


# %% [markdown]
# ## Exercise 6. How probable were the data? (10 min, 5 points)
#
# Laplace's method turns a mode into an evidence: near its maximum $\hat w$ the joint density
# $p(y, w)$, with $y$ fixed, is approximated by a Normal bell in $w$, whose volume is known.
#
# Write `laplace_evidence(log_joint, mode)`: the approximation of $\log \int p(y, w)\, dw$, in
# nats.
#
# - `log_joint` is a function. It takes a tensor of shape `(d,)`, returns $\log p(y, w)$, a 0-d
#   tensor, with all constants, and can be differentiated twice by PyTorch. It gets one $w$ at a
#   time.
# - `mode`, shape `(d,)`, $1 \le d \le 60$, is a place where its gradient is zero, but for
#   rounding; you need not check that. All second derivatives count, mixed ones too; all of them
#   may be as large as $10^{14}$ or as small as $10^{-14}$, and one direction $10^8$ times as steep
#   as another.
# - If `mode` is no maximum with a bell around it, that is, if minus the matrix of second
#   derivatives there is not positive definite, raise `ValueError`. Whether it is does not hang on
#   rounding.
# - Return a 0-d tensor or a number.
#
# Points: value 3, many weights 1, refusal 1.


# %% exercise="laplace-evidence"
def laplace_evidence(log_joint, mode):
    """Return Laplace's approximation of a log evidence in nats."""
    ### BEGIN SOLUTION
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet
    ### END SOLUTION


# %% [markdown] why="laplace-evidence"
# The integral of a parabola's exponential is known: height, $2\pi$, and one over the root of the
# curvature's determinant. Cholesky gives the determinant and, by failing, tells that the point is
# no maximum.

# %% checks="laplace-evidence" points=5
check = Checks("laplace-evidence")


def bell(w):  # a Normal shape in two weights that lean on each other
    return -1.3 - (w[0] - 0.4) ** 2 - 0.9 * (w[0] - 0.4) * w[1] - 0.7 * w[1] ** 2


top = torch.tensor([0.4, 0.0], dtype=torch.float64)
check.keeps("value", lambda v: laplace_evidence(bell, v), top.clone())
check.value("value", lambda: laplace_evidence(bell, top), points=3)
check.value(
    "many weights",
    lambda: laplace_evidence(lambda w: -3e7 * (w**2).sum(), torch.zeros(50).double()),
    points=1,
)
check.value("refusal", lambda: laplace_evidence(lambda w: -bell(w), top), points=1)
check.value("refusal", lambda: laplace_evidence(lambda w: w[0] * w[1], 0 * top), case="a saddle")
check.report()

# %% hidden="laplace-evidence"
t = torch.linspace(-1.1, 1.9, 49, dtype=torch.float64)
A = torch.cos(7 * t**2).reshape(7, 7)
P, at = A @ A.T + 0.23 * torch.eye(7, dtype=t.dtype), torch.sin(4 * t[:7])
i = torch.arange(60, dtype=t.dtype)
W = torch.exp(-0.17 * (i - i[:, None]).abs()) + 0.03 * torch.eye(60, dtype=t.dtype)
far = torch.cos(0.3 * i)


def quadratic(P, at, height):
    return lambda w: height - 0.5 * (w - at) @ P @ (w - at)


def gamma(w):  # the log of a rate with 4.3 events in 1.7 hours
    return (4.3 * w - 1.7 * w.exp()).sum()


def logistic(w):  # three successes in a row, and a prior
    return 3 * torch.nn.functional.logsigmoid(w[0] + w[1]) - 0.5 * (w**2).sum() / 1.9


z = torch.tensor(0.0, dtype=t.dtype)
for _ in range(30):  # Newton's method: the mode of the logistic model lies on the diagonal
    q = torch.sigmoid(-2 * z)
    z = z - (z / 1.9 - 3 * q) / (1 / 1.9 + 6 * q * (1 - q))
ridge = torch.tensor([[1.3, 2.1], [2.1, 1.3]], dtype=t.dtype)
saddle = torch.diag(torch.tensor([2.0, -1.3, -0.7, 1.9], dtype=t.dtype))
check.value("value", lambda: laplace_evidence(quadratic(P, at, -41.3), at), case="seven weights")
check.value(
    "value", lambda: laplace_evidence(quadratic(P[:1, :1], at[:1], 3.7), at[:1]), case="one weight"
)
check.value(
    "value",
    lambda: laplace_evidence(gamma, 0 * at[:1] + math.log(4.3 / 1.7)),
    case="a rate",
)
check.value(
    "value",
    lambda: laplace_evidence(gamma, 0 * at[:6] + math.log(4.3 / 1.7)),
    case="six rates",
)
check.value(
    "value", lambda: laplace_evidence(logistic, torch.stack([z, z])), case="three successes"
)
check.value(
    "value",
    lambda: laplace_evidence(lambda w: -2.9 * torch.cosh(w).prod(), 0 * at[:3]),
    case="a density that is no product of bells",
)
check.value(
    "many weights", lambda: laplace_evidence(quadratic(1e12 * W, far, 0.0), far), case="steep"
)
check.value(
    "many weights", lambda: laplace_evidence(quadratic(1e-12 * W, far, 0.0), far), case="shallow"
)
check.value("many weights", lambda: laplace_evidence(quadratic(W, far, -907.3), far), case="sixty")
check.value(
    "value",
    lambda: laplace_evidence(quadratic(1e12 * P, at, 0.0), 0.7 * at + 0.3 * at),
    case="steep, and a gradient that is zero but for rounding",
)
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(saddle, at[:4], 0.3), at[:4]),
    case="a saddle, down in two of four directions",
)
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(saddle[:2, :2], at[:2], 0.3), at[:2]),
    case="a saddle",
)
check.value(
    "refusal", lambda: laplace_evidence(lambda w: -(w**4).sum(), 0 * at[:1]), case="a flat top"
)
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(ridge, at[:2], 0.3), at[:2]),
    case="a ridge that rises across two weights",
)
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(1e-9 * P, at, 0.71), at),
    case="a shallow maximum",
)
circle = 1.9 * torch.eye(3, dtype=t.dtype) - 0.9
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(circle - 0.9, at[:3], 0.3), at[:3]),
    case="three weights that rise together",
)
pairwise = 2.3 - 1.2 * torch.eye(3, dtype=t.dtype)
check.value(
    "refusal",
    lambda: laplace_evidence(quadratic(pairwise, at[:3], 0.3), at[:3]),
    case="three weights that rise apart",
)
tight = 0.99999 * torch.ones(2, 2).double() + 1e-5 * torch.eye(2).double()
wave = torch.exp(-0.17 * (i[:33] - i[:33, None]).abs()) * torch.cos(i[:33] - i[:33, None])
spread = torch.linspace(-4, 4, 9, dtype=t.dtype)
tilt = torch.linalg.qr(torch.cos(torch.outer(i[:9] + 1, i[:9] ** 1.3 + 1)))[0]
uneven = tilt @ torch.diag(10.0**spread) @ tilt.T
for height in (-1000, 1000.0, -963.0, 0):
    check.value(
        "value", lambda h=height: laplace_evidence(quadratic(P, at, h), at), case="low and high"
    )
check.value(
    "value", lambda: laplace_evidence(quadratic(tight, at[:2], 0.1), at[:2]), case="a ridge"
)
check.value(
    "value", lambda: laplace_evidence(quadratic(P, 900 + at, 0.1), 900 + at), case="far off"
)
check.value(
    "many weights", lambda: laplace_evidence(quadratic(wave, far[:33], 3.1), far[:33]), case="33"
)
for size in (1e-12, 1e-7, 1.0, 1e7, 1e12):
    check.value(
        "value",
        lambda c=size: laplace_evidence(
            quadratic(c * torch.ones(1, 1).double(), z[None], 0.3), z[None]
        ),
        case="one weight, shallow to steep",
    )
    check.value(
        "refusal",
        lambda c=size: laplace_evidence(quadratic(-c * P[:1, :1], at[:1], 0.3), at[:1]),
        case="one weight, a minimum, shallow to steep",
    )
    check.value(
        "refusal",
        lambda c=size: laplace_evidence(quadratic(c * saddle, at[:4], 0.3), at[:4]),
        case="saddles, shallow to steep",
    )
for rotated in (uneven, torch.diag(10.0**spread), torch.diag(10.0 ** spread.flip(0))):
    check.value(
        "many weights",
        lambda Q=rotated: laplace_evidence(quadratic(Q, at.repeat(2)[:9], 0.3), at.repeat(2)[:9]),
        case="steep in one direction, shallow in others",
    )
flat = torch.zeros(3).double()
check.value("refusal", lambda: laplace_evidence(lambda w: -(w**4).sum(), flat), case="three flat")
check.value(
    "refusal", lambda: laplace_evidence(lambda w: -(w[:2] ** 2).sum(), flat), case="one is flat"
)
check.value(
    "refusal", lambda: laplace_evidence(lambda w: -3 * (w[1:] ** 2).sum(), flat), case="first flat"
)
check.value(
    "refusal", lambda: laplace_evidence(lambda w: (w**2).sum(), flat[:2]), case="a minimum of two"
)
for small in (-1e-3, -1e-6, -1e-8):
    hill = torch.diag(torch.tensor([1.0, 0.7, small]).double())
    check.value(
        "refusal",
        lambda Q=hill: laplace_evidence(quadratic(Q, at[:3], 0.3), at[:3]),
        case="a saddle that falls a little",
    )
long = W.clone()
long[59, 59] = -0.2
check.value(
    "refusal", lambda: laplace_evidence(quadratic(long, far, 0.3), far), case="the last of 60"
)


def marked(mode):  # left as it is: no gradient is recorded for it from now on
    laplace_evidence(quadratic(P, at, 0.2), mode)
    return mode.requires_grad


check.value("value", lambda: marked(at.clone()), case="mode is left as it is")
check.keeps(
    "refusal",
    lambda v: laplace_evidence(gamma, v),
    0 * at + math.log(4.3 / 1.7),
    case="mode is left",
)
beside = torch.stack([0 * at, at], 1)[:, 1]
check.value(
    "value", lambda: laplace_evidence(quadratic(P, at, -3.1), beside), case="other strides"
)


# %% [markdown]
# ## Exercise 7. One step of a sampler (15 min, 5 points)
#
# Hamiltonian Monte Carlo (HMC) with a mass for each weight: a light weight moves faster. The
# energy of a chain at weights $w$ with momentum $r$ and masses $\mu_j$ is
#
# $$E(w, r) = -\log p(w) + \sum_j \frac{r_j^2}{2 \mu_j} .$$
#
# A leapfrog step of size $h$ is: $r \mathrel{+}= \frac h2 \nabla \log p(w)$; then
# $w_j \mathrel{+}= h\, r_j / \mu_j$; then $r \mathrel{+}= \frac h2 \nabla \log p(w)$ at the new
# $w$. After `count` such steps the chain goes to the new $w$ if
# $u < e^{E_\text{start} - E_\text{end}}$, and stays where it was otherwise.
#
# Write `hmc_step(log_p, w, momentum, u, size, count, mass)`, which moves $C$ chains at once and
# returns the tuple `(w, accepted)`:
#
# - the new weights, shape `(C, d)`, and whether each chain moved, shape `(C,)`, booleans.
# - `log_p` takes weights of shape `(C, d)`, returns $\log p$ of each chain, shape `(C,)`, up to a
#   constant of at most $10^9$, and can be differentiated by PyTorch. Chains do not influence each
#   other.
# - `w` and `momentum` have shape `(C, d)`, `u` `(C,)` with entries between $10^{-12}$ and 0.9999,
#   `mass` `(d,)`, positive. Momenta are at most $10^4$ in size. `size` is a number between
#   $10^{-7}$ and 10, `count` an integer from 1 to 100. Nothing random is left to draw, and no
#   decision hangs on rounding.
# - At the start $\log p$ is finite. A chain whose energy at the end is infinite or nan stays.
#   Energy may fall by thousands.
#
# Points: trajectory 2, acceptance 2, divergence 1.


# %% exercise="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    """Move chains by one HMC step with the given momenta; return weights and who moved."""

    ### BEGIN SOLUTION
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted
    ### END SOLUTION


# %% [markdown] why="hmc-step"
# Half a push, a full move, half a push: the leapfrog keeps volume and can be run backwards, so
# only the error in the energy is left to correct. A path that ends in `nan` or infinity is
# refused, and the chain stays where it was.

# %% checks="hmc-step" points=5
check = Checks("hmc-step")


def skewed(w):  # a density that is steep on one side
    return (1.2 * w - w.exp()).sum(1)


def edged(w):  # a density of positive weights only
    return (0.8 * w.log() - w).sum(1)


w = torch.tensor([[0.3, -0.9], [1.1, 0.4], [-1.4, 0.7], [0.6, 1.3]], dtype=torch.float64)
push = torch.tensor([[0.8, -0.5], [-1.6, 0.7], [1.9, 2.2], [-0.7, -1.1]], dtype=torch.float64)
mass = torch.tensor([1.4, 0.6], dtype=torch.float64)
low = torch.full((4,), 1e-3, dtype=torch.float64)
some = torch.tensor([0.9, 0.95, 0.95, 0.85], dtype=torch.float64)
copies = [v.clone() for v in (w, push, low, mass)]
check.keeps("trajectory", lambda a, b, c, d: hmc_step(skewed, a, b, c, 0.2, 3, d), *copies)
check.value("trajectory", lambda: hmc_step(skewed, w, push, low, 0.2, 3, mass)[0], points=2)
check.value("acceptance", lambda: hmc_step(skewed, w, push, some, 0.4, 2, mass)[0], points=2)
check.value("acceptance", lambda: hmc_step(skewed, w, push, some, 0.4, 2, mass)[1])
check.value(
    "divergence", lambda: tuple(hmc_step(skewed, w, 900 * push, low, 2.5, 4, mass)), points=1
)
check.value("divergence", lambda: tuple(hmc_step(edged, w + 1.5, push, low, 0.7, 3, mass)))
check.report()

# %% hidden="hmc-step"
t = torch.linspace(-1.4, 1.7, 18, dtype=torch.float64)
v, r = 0.8 * torch.sin(5 * t).reshape(6, 3), 1.1 * torch.cos(7 * t).reshape(6, 3)
mass, low = torch.tensor([0.7, 1.9, 3.1], dtype=t.dtype), 1e-9 + 0 * t[:6]
A = torch.tensor([[1.7, 0.6, -0.3], [0.6, 0.9, 0.2], [-0.3, 0.2, 2.3]], dtype=t.dtype)
mid = torch.tensor([0.93, 0.07, 0.61, 0.999, 0.37, 0.83], dtype=t.dtype)


def normal(w):
    return 300.7 - 0.5 * ((w @ A) * w).sum(1)


def coupled(w):  # no product over weights
    return -torch.log1p((w**2).sum(1)) * 2.2 - 0.3 * (w[:, 0] * w[:, 1] - 0.5) ** 2


def positive(w):  # zero density where a weight is negative
    return (1.5 * w.log() - 2 * w).sum(1)


def tall(w):
    return -430.0 * (w**2).sum(1)


def high(w):
    return torch.where(w[:, 0] > 0, 3000.0, 0.0) - 0.5 * (w**2).sum(1)


paths = {
    "a Normal, one step": (normal, v, r, low, 0.31, 1, mass),
    "a Normal, nine steps": (normal, v, r, low, 0.17, 9, mass),
    "no product over weights, one step": (coupled, v, r, low, 0.31, 1, mass),
    "no product over weights, nine steps": (coupled, v, r, low, 0.17, 9, mass),
    "a steep side, nine steps": (skewed, v, r, low, 0.17, 9, mass),
    "one chain": (coupled, v[:1], r[:1], low[:1], 0.17, 7, mass),
    "one weight": (skewed, v[:, :1], r[:, :1], low, 0.17, 7, mass[:1]),
    "as many chains as weights": (normal, v[:3], r[:3], low[:3], 0.23, 8, mass),
    "no momentum": (normal, v, 0 * r, low, 0.23, 8, mass),
    "a flat density": (lambda w: 0.0 * w.sum(1), v, r, low, 0.23, 8, mass),
}
check.value(
    "trajectory", lambda: hmc_step(*paths["a Normal, one step"])[0], case="a Normal, one step"
)
check.value(
    "trajectory", lambda: hmc_step(*paths["a Normal, nine steps"])[0], case="a Normal, nine steps"
)
check.value(
    "trajectory",
    lambda: hmc_step(*paths["no product over weights, one step"])[0],
    case="no product over weights, one step",
)
check.value(
    "trajectory",
    lambda: hmc_step(*paths["no product over weights, nine steps"])[0],
    case="no product over weights, nine steps",
)
check.value(
    "trajectory",
    lambda: hmc_step(*paths["a steep side, nine steps"])[0],
    case="a steep side, nine steps",
)
check.value("trajectory", lambda: hmc_step(*paths["one chain"])[0], case="one chain")
check.value("trajectory", lambda: hmc_step(*paths["one weight"])[0], case="one weight")
check.value(
    "trajectory",
    lambda: hmc_step(*paths["as many chains as weights"])[0],
    case="as many chains as weights",
)
check.value("trajectory", lambda: hmc_step(*paths["no momentum"])[0], case="no momentum")
check.value("trajectory", lambda: hmc_step(*paths["a flat density"])[0], case="a flat density")
judged = {
    "a Normal, large steps": (normal, v, 2 * r, mid, 0.83, 6, mass),
    "no product over weights, large steps": (coupled, 2 * v, 2 * r, mid, 0.9, 7, mass),
    "a steep side, large steps": (skewed, v, 3 * r, mid, 0.55, 5, mass),
    "one chain, large steps": (skewed, v[2:3], 3 * r[2:3], mid[2:3], 0.55, 5, mass),
    "a tiny u": (skewed, v, 4.9 * r, low, 0.6, 5, mass),
    "a large constant": (lambda w: 3e8 + coupled(w), 2 * v, 2 * r, mid, 0.9, 7, mass),
    "a steep peak": (tall, 0.02 * v, 2 * r, mid, 0.03, 6, mass),
}
check.value(
    "acceptance",
    lambda: hmc_step(*judged["a Normal, large steps"])[0],
    case="a Normal, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["a Normal, large steps"])[1],
    case="who moved: a Normal, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["no product over weights, large steps"])[0],
    case="no product over weights, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["no product over weights, large steps"])[1],
    case="who moved: no product over weights, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["a steep side, large steps"])[0],
    case="a steep side, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["a steep side, large steps"])[1],
    case="who moved: a steep side, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["one chain, large steps"])[0],
    case="one chain, large steps",
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["one chain, large steps"])[1],
    case="who moved: one chain, large steps",
)
check.value("acceptance", lambda: hmc_step(*judged["a steep peak"])[0], case="a steep peak")
check.value(
    "acceptance", lambda: hmc_step(*judged["a steep peak"])[1], case="who moved: a steep peak"
)
check.value("acceptance", lambda: hmc_step(*judged["a tiny u"])[0], case="a tiny u")
check.value("acceptance", lambda: hmc_step(*judged["a tiny u"])[1], case="who moved: a tiny u")
check.value(
    "acceptance", lambda: hmc_step(*judged["a large constant"])[0], case="a large constant"
)
check.value(
    "acceptance",
    lambda: hmc_step(*judged["a large constant"])[1],
    case="who moved: a large constant",
)
torn = {
    "a density with an edge": (positive, 0.9 + 0.6 * v, 3 * r, mid, 0.3, 6, mass),
    "energies that overflow": (skewed, v, 90 * r, low, 3.1, 7, mass),
    "one chain, over the edge": (positive, 0.9 + 0.6 * v[:1], 9 * r[:1], low[:1], 0.6, 4, mass),
    "an energy that falls by 3000": (high, v, 2 * r, mid, 0.3, 6, mass),
    "one of six overflows": (
        skewed,
        v,
        r + 4e3 * torch.eye(6, 3).double()[:, :1],
        low,
        0.31,
        6,
        mass,
    ),
}
check.value(
    "divergence", lambda: hmc_step(*torn["one of six overflows"])[0], case="one of six overflows"
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["one of six overflows"])[1],
    case="who moved: one of six overflows",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["a density with an edge"])[0],
    case="a density with an edge",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["a density with an edge"])[1],
    case="who moved: a density with an edge",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["energies that overflow"])[0],
    case="energies that overflow",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["energies that overflow"])[1],
    case="who moved: energies that overflow",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["one chain, over the edge"])[0],
    case="one chain, over the edge",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["one chain, over the edge"])[1],
    case="who moved: one chain, over the edge",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["an energy that falls by 3000"])[0],
    case="an energy that falls by 3000",
)
check.value(
    "divergence",
    lambda: hmc_step(*torn["an energy that falls by 3000"])[1],
    case="who moved: an energy that falls by 3000",
)


def walled(w):  # an infinite density beyond a wall
    return torch.where(w > 1.2, math.inf, -0.5 * w**2).sum(1)


def needle(w):
    return -0.7e12 * (w**2).sum(1)


pulled = (needle, 1e-6 * v, 0 * r, low, 3e-7, 7, mass)
check.value("trajectory", lambda: hmc_step(*pulled)[0] * 1e6, case="a needle")
check.value("acceptance", lambda: hmc_step(*pulled)[1], case="who moved: a needle")
beyond = (walled, 0.5 * v, 3 * r, mid, 0.4, 5, mass)
check.value("divergence", lambda: hmc_step(*beyond)[0], case="an infinite density")
check.value("divergence", lambda: hmc_step(*beyond)[1], case="who moved: an infinite density")
heights = torch.tensor([22.0, 25, 26.9, 27.5, 27.8, 40, 900, -3.1, -1000, 1e-3]).double()
left = torch.stack([0 * heights - 1, heights], 1)
right = torch.stack([0 * heights + 2, 0 * heights], 1)


def stairs(w):  # the second weight, which does not move, is the height of a step to climb
    return -torch.where(w[:, 0] > 0, w[:, 1].detach(), 0.0) + 0.0 * w.sum(1)


for k, chance in ((0, 1e-12), (1, 1.3e-12), (2, 0.97), (3, 0.9999)):
    climb = (stairs, left, right, chance + 0 * heights, 1, 1 + k, 1 + k + 0 * mass[:2])
    check.value("acceptance", lambda g=climb: hmc_step(*g)[0], case="smallest and largest u")
    check.value(
        "acceptance", lambda g=climb: hmc_step(*g)[1], case="who moved: smallest, largest u"
    )
z = torch.arange(1.0, 101).double()
v100, r100 = torch.sin(torch.outer(z, z[:30])), torch.cos(torch.outer(z, z[:30] ** 0.7))
mass30, u100 = 0.4 + torch.sin(z[:30]) ** 2, (z * 0.618) % 1
long = {
    "a hundred chains": (coupled, v100, r100, u100, 0.3, 4, mass30),
    "a hundred steps": (skewed, v, r, mid, 0.11, 100, mass),
    "57 steps": (normal, v, r, mid, 0.2, 57, mass),
    "light weights": (skewed, 0.03 * v, 0.02 * r, mid, 0.007, 6, 0.001 + 0 * mass),
    "heavy weights": (coupled, v, 9 * r, mid, 7.3, 6, 1000 + 0 * mass),
    "unlike weights": (normal, v, r, mid, 0.01, 9, torch.tensor([0.001, 1, 1000]).double()),
    "a large step": (lambda w: 1e-4 * normal(w), v, r, mid, 10, 9, mass),
    "small steps": (normal, v, r, mid, 1e-4, 9, mass),
    "far away": (lambda w: normal(w - 900), 900 + v, r, mid, 0.31, 6, mass),
    "whole numbers": (normal, v, r, mid, 1, 2, 3 + 0 * mass),
    "one of all": (skewed, v[:1, :1], r[:1, :1], mid[:1], 0.3, 1, mass[:1]),
}


def likely(log_p, w, momentum, u, *others):
    return log_p, w, momentum, 1e-9 + 0 * u, *others


for name in long:
    check.value(
        "trajectory",
        lambda n=name: hmc_step(*likely(*long[n]))[0],
        case="ends of the ranges, sizes",
    )
    check.value("acceptance", lambda n=name: hmc_step(*long[n])[1], case="who moved: ends, sizes")
check.value(
    "trajectory",
    lambda: (hmc_step(*likely(*long["far away"]))[0] - 900) * 10,
    case="the digits of weights near 900",
)


def marked(w, momentum):  # left as they are: no gradient is recorded for them from now on
    hmc_step(normal, w, momentum, mid, 0.2, 1, mass)
    return w.requires_grad or momentum.requires_grad


check.value("trajectory", lambda: marked(v.clone(), r.clone()), case="inputs are left as they are")
for kept in ((v[:1], r[:1], mid[:1]), (v, r, mid), (90 * v.abs(), 90 * r, mid)):
    check.keeps(
        "divergence",
        lambda a, b, c: hmc_step(skewed, a, b, c, 0.3, 1, mass),
        *(q.clone() for q in kept),
        case="inputs are left as they are",
    )


def gapped(w):  # no density in a strip that a chain may jump across
    return torch.where((w > 0.2) & (w < 0.9), -math.inf, -0.5 * w**2).sum(1)


across = (gapped, 0.1 - v[:, :1].abs(), 0.9 + r[:, :1].abs(), mid, 0.35, 6, mass[:1])
check.value("divergence", lambda: hmc_step(*across)[0], case="a gap on the way")
check.value("divergence", lambda: hmc_step(*across)[1], case="who moved: a gap on the way")
upright = (normal, v.T.contiguous().T, r.T.contiguous().T, low, 0.17, 9, mass)
check.value("trajectory", lambda: hmc_step(*upright)[0], case="other strides")


# %% [markdown]
# ## Exercise 8. In words: a bug that the test set likes (5 min, 3 points)
#
# In a colleague's code the KL of a Bayesian network is divided by ten times too large a number.
# You report it. "But look," says the colleague, "with this KL the NLL on the test set is *lower*
# than with yours, on ten of ten splits. So mine is the right one." Explain in at most 120 words
# what the test result shows and what it does not, what the posterior has become, and which check
# would have revealed the bug. A person reads and grades this answer; no check runs.

# %% [markdown] written="a-bug-that-scores" points=3
# ### BEGIN SOLUTION
# The test points come from where the training points are. There the data fix the function however
# wide the posterior is; a lower NLL says that the prior, or the factorised $q$, pulled too hard
# there. It does not say that the posterior is right. With a KL ten times too small, each
# observation counts ten times: the result is the posterior of ten copies of the data, with
# variances up to ten times too small, a "cold" posterior. It may predict well, but it is no
# posterior of this model, and in a gap it is too sure. A check with a known answer reveals the
# bug: a conjugate model (one mean, $n = 100$, unit variances: variance 1/101), or the coverage of
# the true function where there are no data.
#
# **Rubric.** One point for: the test measures prediction where there are data, and does not tell
# whether the posterior is right. One point for: the data are counted ten times, so the posterior
# is too narrow (a cold posterior). One point for: a check with a known answer, such as a conjugate
# model's variance, or coverage away from the data. "The test set decides" alone earns nothing.
# ### END SOLUTION
