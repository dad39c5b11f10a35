# %% [markdown]
# # Choosing an output distribution
#
# Three models forecast bookings per hour, from the same input and the same 1000 hours. They differ
# in the last step only, the *head*: 1 puts out a Normal, 2 a Poisson, 3 a negative binomial
# distribution. As people often book in groups, an hour's bookings scatter more than pure chance
# would make them. On 5000 new hours the predicted means miss the bookings by 1.10, 1.13 and 1.13
# on average, in this order, and the lead of head 1 is many standard errors wide. **Which head gave
# the bookings that came the highest probability, and which the lowest?**

# %% [markdown]
# **After this lesson you can** look at a target and choose head, link and loss; see from a picture
# that the choice was wrong; and turn one predicted distribution into the best order, the best
# guess or the best alarm.
#
# **You need** the NLL in nats (unit 01) and quantiles. Reading takes about 85 minutes with the
# code, 30 without it; running some 15 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Commit to each prediction before you read on; only your first answer is kept.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from torch import distributions as D
from torch import nn

from course_utils.device import numpy_rng, one_thread, torch_generator
from course_utils.plotting import plot_curve, plot_data, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "02-three-heads",
    ...,
    ask="From the highest probability of what came to the lowest: which order of the heads?",
    choices=("1 > 2 > 3", "1 > 3 > 2", "3 > 1 > 2", "3 > 2 > 1"),
)

# %% [markdown]
# ## A head is a promise
#
# A network that puts out one number promises nothing about the rest. A head puts out a
# *distribution*, and that is a promise about everything: how often nothing is booked, how often
# more than ten, how often fewer than none. Here are 2000 hours with the same true mean, 3
# bookings, and three heads that know this mean (the Normal and the negative binomial know the
# variance as well).

# %% hide=True alt="Counts with mean 3: negative binomial fits, Poisson is thin, Normal spills."
k = torch.arange(-4, 16).double()
bookings = torch.from_numpy(numpy_rng(0).negative_binomial(2, 0.4, 2000)).double()  # mean 3
promises = {
    "Normal": D.Normal(3.0, 7.5**0.5).log_prob(k).exp(),
    "Poisson": torch.where(k < 0, 0.0, D.Poisson(3.0).log_prob(k.clamp(min=0)).exp()),
    "negative binomial": D.NegativeBinomial(2.0, 0.6).log_prob(k.clamp(min=0)).exp() * (k >= 0),
}
share = (bookings == k[:, None]).double().mean(1)
_, ax = plt.subplots()
ax.bar(k, share, color="#C0C0C0", label="2000 hours")
for name, p in promises.items():
    plot_curve(k, p, ax=ax, marker="o", markersize=4, label=name)
ax.set(xlabel="bookings in an hour", ylabel="probability", title="One mean, three promises")
_ = ax.legend()

# %% [markdown]
# The Poisson expects too few empty and too few busy hours, and the Normal keeps about a seventh of
# its probability for fewer than no bookings.

# %% [markdown]
# ## Network, link, distribution
#
# Every head has the same three parts. The network computes real numbers of any size, called `raw`
# here; a *link* turns them into legal parameters (a scale must be positive); the distribution says
# how probable the target was, and that is the loss:
#
# $$\text{raw} = \mathrm{net}(x), \qquad \theta = \mathrm{link}(\text{raw}), \qquad
#   \text{loss} = -\frac1n \sum_i \log p(y_i \mid \theta_i) .$$
#
# In code a head is a function from raw numbers to a distribution. Three of them for counts; the
# Normal's raw numbers are on a standard scale, and `centre` and `width` bring them to that of $y$:


# %%
def normal_head(centre, width):
    return lambda m, s: D.Normal(centre + width * m, width * s.exp())


def poisson_head(m):
    return D.Poisson(m.exp())


def negative_binomial_head(m, a):  # mean e^m, variance e^m + e^a (e^m)^2
    return D.NegativeBinomial((-a).exp(), logits=m + a)


# %% [markdown]
# A model is a network with a head on it. Its output is the distribution itself: you can ask it for
# a mean, a log-probability, or draws.


# %%
class Model(nn.Module):
    def __init__(self, net, head):
        super().__init__()
        self.net, self.head = net, head

    def forward(self, x):
        return self.head(*self.net(x).unbind(-1))  # each raw number has shape (n,)


def small_net(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


# %% [markdown]
# So one training step serves every head. The assertion catches unit 00's slip, predictions of
# shape `(n, 1)` against targets of shape `(n,)`.


# %%
def train_step(model, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    prediction = model(x)  # a distribution for each example
    assert prediction.batch_shape == y.shape
    loss = -prediction.log_prob(y).mean()  # nats per example
    loss.backward()
    optimizer.step()
    return loss.item()


# %% [markdown]
# The loop around it lets the learning rate fall to zero, so that a run ends in a minimum and not
# on the way past one. `batch` returns the examples of a step.


# %%
def train(model, batch, steps, lr=0.02, decay=0.0):
    adam = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=decay, fused=True)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _step in range(steps):
        train_step(model, adam, *batch())
        rate.step()
    return model.eval().requires_grad_(False)


# %% [markdown]
# Besides `sample`, some distributions have `rsample`, which draws so that gradients flow back
# through the draw. It takes draws that are a smooth function of noise, so counts do not have it:

# %% same=True
for name in ("Normal", "Gamma", "Poisson", "NegativeBinomial", "Categorical"):
    print(f"{name}: rsample {getattr(D, name).has_rsample}")

# %% [markdown] card="02-parts-of-a-head"
# Which three parts does every head have, and what is its loss?
#
# **Answer.** A network that puts out real numbers of any size, a link that turns them into legal
# parameters, and a distribution. The loss is minus the log-probability of the target.

# %% [markdown]
# ## Counts: three heads, one network
#
# Bookings whose mean is a wave, and whose variance is larger than the mean, as it is for most
# counts of what people do:
#
# $$x \sim U(-2, 2), \qquad \mu(x) = e^{1.4 + 0.8 \sin 2x}, \qquad
#   \mathrm{var}(y \mid x) = \mu + \tfrac12 \mu^2 .$$
#
# We made the data, so the best possible prediction, the *oracle*, is known.


# %%
def bookings_at(x):  # the truth: a negative binomial with mean mu and r = 2
    mu = torch.exp(1.4 + 0.8 * torch.sin(2 * x))
    return D.NegativeBinomial(torch.full_like(mu, 2.0), logits=torch.log(mu / 2))


def make_bookings(n, rng):
    x = rng.uniform(-2, 2, n)
    mu = np.exp(1.4 + 0.8 * np.sin(2 * x))
    y = rng.negative_binomial(2, 2 / (2 + mu))
    return torch.tensor(x).float(), torch.tensor(y).float()


# %% [markdown]
# Each head gets its own copy of the same small network, 1000 hours and 1000 steps. The result is
# kept, for the sections below ask for it again.

# %%
import functools


@functools.cache
def counts_run(seed, steps):
    torch.manual_seed(seed)
    rng = numpy_rng(seed)
    (x, y), (x_new, y_new) = make_bookings(1000, rng), make_bookings(4000, rng)
    heads = {"Normal": (2, normal_head(y.mean(), y.std())), "Poisson": (1, poisson_head)}
    heads["negative binomial"] = (2, negative_binomial_head)
    found = {}
    for name, (size, head) in heads.items():
        model = train(Model(small_net(1, size), head), lambda: (x[:, None], y), steps)
        found[name] = model(x_new[:, None])
    return x_new, y_new, found | {"oracle": bookings_at(x_new)}


# %% [markdown]
# What the three promise, for all $x$. A band lies between the 0.05 and the 0.95 quantile of each
# head; for counts, a quantile is the smallest count with $F(k)$ at least at the level.

# %%
x_new, y_new, heads = counts_run(0, 1000)


def quantile(prediction, level):  # smallest count with F(k) >= level
    if isinstance(prediction, D.Normal):
        return prediction.icdf(torch.tensor(level))
    F = prediction.log_prob(torch.arange(200.0)[:, None]).exp().cumsum(0)  # (200, n)
    return (level > F).sum(0).float()


# %% hide=True alt="0.9 bands of bookings: the Normal's reaches below zero, the Poisson's is thin."
order = x_new.argsort()
ax = plot_data(x_new[:800], y_new[:800], markersize=3)
for (name, prediction), color in zip(heads.items(), ("C0", "C1", "C2", "black"), strict=True):
    dashes = {"linestyle": "--" if name == "oracle" else "-", "color": color, "lw": 1.6}
    for level in (0.05, 0.95):
        edge = quantile(prediction, level)[order]
        ax.plot(x_new[order], edge, label=name if level < 0.5 else None, **dashes)
ax.set(xlabel="x", ylabel="bookings", title="0.9 bands: one dips below zero, one is too narrow")
ax.set_ylim(-5, 38)
_ = ax.legend(loc="upper right", ncols=3)

# %% [markdown]
# The negative binomial's edges follow the oracle's. The Poisson's upper edge is too low
# everywhere: a Poisson has one parameter, and once that has found the mean, the variance is taken.

# %% [markdown]
# ## Which error would tell?
#
# Mean absolute error first, with the predicted mean as the forecast, as planners do it, and with
# the median; then the NLL. A density at a whole number is not quite a probability, so the Normal
# is also given that of its unit interval, $F(y + \frac12) - F(y - \frac12)$.


# %%
def log_unit(normal, y):  # by the lower tail, which is exact where the upper one rounds to 1
    z = (y - normal.loc).abs().double()
    lower, upper = (torch.special.ndtr((h - z) / normal.scale) for h in (-0.5, 0.5))
    return (upper - lower).log()


nll = {name: -prediction.log_prob(y_new).mean() for name, prediction in heads.items()}
for name, p in heads.items():
    at_mean, at_median = ((v - y_new).abs().mean() for v in (p.mean, quantile(p, 0.5)))
    print(f"{name:18s} MAE of mean {at_mean:.2f}, of median {at_median:.2f}   NLL {nll[name]:.2f}")
print(f"Normal, rounded: NLL {-log_unit(heads['Normal'], y_new).mean():.2f}", end="; ")
print(f"P(y < 0) = {heads['Normal'].cdf(torch.tensor(0.0)).mean():.2f} on average")
gap = (nll["Poisson"] - nll["negative binomial"]).item()
print(f"Poisson behind by {gap:.2f} nats; in ten hours e^{10 * gap:.1f} = {np.exp(10 * gap):.0f}")

# %% [markdown]
# At the means the three MAEs agree: each head found the mean. But MAE rewards the *median* (why, a
# later section says). At their own medians even MAE sees that the negative binomial is better,
# though it puts the Normal last. The NLLs leave no doubt. The difference to the Poisson, 0.57 nats
# per hour, is the logarithm of a *likelihood ratio*: over ten hours, what came was $e^{5.7}$, or
# 300 times, as probable under the negative binomial. That is how to judge heads: on new data, by
# what they said about what came.
#
# These differences must not hang on one draw of the data. A *claim* of this course is a function
# of a seed; it must come out positive on ten of them, and also with three times the steps. This is
# one; further down they are folded.


# %% claim="On overdispersed counts the NB beats Poisson and Normal, in nats." steps=1000
def negative_binomial_beats_both(seed, steps):
    _, y, heads = counts_run(seed, steps)
    score = {name: prediction.log_prob(y).mean().item() for name, prediction in heads.items()}
    return score["negative binomial"] - max(score["Poisson"], score["Normal"])


assert negative_binomial_beats_both(0, 1000) > 0.1

# %% [markdown] card="02-how-to-judge-heads"
# Three heads have about the same mean absolute error. How do you tell which is best?
#
# **Answer.** By the log-probability that they gave to new data. The absolute error compares one
# number of each prediction, and sees nothing of the rest of the promise.

# %% [markdown]
# ## Which head covers best?
#
# Planners like intervals. Take each head's central 0.9 interval, between its 0.05 and its 0.95
# quantile, and count how many of the 4000 new hours fall inside, ends included. Whose share is
# closest to 0.90?

# %%
predict(
    "02-best-coverage",
    ...,
    ask="Whose 0.9 interval holds a share of new hours closest to 0.90?",
    choices=("Normal", "Poisson", "negative binomial"),
)

# %% [markdown] fold="02-best-coverage"
# ### 4000 new hours

# %% [markdown]
# The share inside each interval, and those on either side of it:

# %%
coverage = {}
for name, prediction in heads.items():
    low, high = quantile(prediction, 0.05), quantile(prediction, 0.95)
    below, above = ((v).float().mean().item() for v in (y_new < low, y_new > high))
    coverage[name] = 1 - below - above
    print(f"{name:18s} {coverage[name]:.3f}   below {below:.2f}, above {above:.2f}")
nearest = min(list(coverage)[:3], key=lambda name: abs(coverage[name] - 0.9))
because = {
    "negative binomial": "It is the right head, and a whole-number interval of it holds more.",
    "Poisson": "Its intervals are too short: it cannot spread more than its mean allows.",
}
reveal("02-best-coverage", nearest, because=because)

# %% [markdown]
# Chance, or the rule? On ten data sets the Normal's share is nearer to 0.9 than the negative
# binomial's.


# %% hide=True claim="The Normal's 0.9 intervals cover nearer to 0.9 than the NB's." steps=1000
def normal_covers_nearest(seed, steps):
    _, y, heads = counts_run(seed, steps)
    off = {}
    for name in ("Normal", "negative binomial"):
        low, high = quantile(heads[name], 0.05), quantile(heads[name], 0.95)
        off[name] = abs(((low <= y) & (y <= high)).float().mean().item() - 0.9)
    return off["negative binomial"] - off["Normal"]


assert normal_covers_nearest(0, 1000) > 0 and abs(coverage["oracle"] - 0.95) < 0.02

# %% [markdown]
# The oracle itself holds about 0.95: between two whole numbers no quantile is exact, so a discrete
# interval that promises 0.9 holds more. The Normal comes closest by accident: nothing falls below
# its interval, where a share of 0.05 should. Coverage finds a gross error, as the Poisson's, and
# cannot rank the rest; here is a test that can.

# %% [markdown] card="02-coverage-of-counts"
# The true distribution of a count is known. Why does its central 0.9 interval hold more than 0.9
# of new counts?
#
# **Answer.** Its ends are whole numbers, and between two of them no quantile is exact, so the
# interval holds more than it must. Coverage near 0.9 is therefore no test of a head for counts.

# %% [markdown]
# ## A picture that tells: the randomised PIT
#
# If $y$ comes from the distribution function $F$ and is continuous, $F(y)$ is uniform: this is the
# *probability integral transform*. For counts $F$ has steps, so draw a point on the step, with
# $v$ uniform on $(0, 1)$:
#
# $$u = F(y - 1) + v \left(F(y) - F(y - 1)\right) .$$
#
# If the head is right, $u$ is exactly uniform. A hill in the histogram of $u$ means that the head
# promises too much spread, two heaps at the ends too little, and a slope that it is shifted, or
# skewed the wrong way.


# %%
def pit(prediction, y, rng):
    v = torch.from_numpy(rng.random(len(y))).float()
    if isinstance(prediction, D.Normal):
        below, upto = prediction.cdf(y - 0.5), prediction.cdf(y + 0.5)
    else:
        F = prediction.log_prob(torch.arange(200.0)[:, None]).exp().cumsum(0)
        F = torch.cat([torch.zeros_like(F[:1]), F])  # F[k] is P(count < k)
        below, upto = (F.gather(0, (y.long() + up)[None])[0] for up in (0, 1))
    return below + v * (upto - below)


# %% [markdown]
# Its distance from uniform, the largest gap between the two distribution functions, in one number.
# Chance alone keeps below $1.36 / \sqrt n$ in 95 of 100 cases:

# %%
from scipy import stats

u = {name: pit(prediction, y_new, numpy_rng(9)) for name, prediction in heads.items()}
distance = {name: stats.kstest(v.numpy(), "uniform").statistic for name, v in u.items()}
for name, value in distance.items():
    print(f"{name:18s} {value:.3f}   (chance alone: {1.36 / len(y_new) ** 0.5:.3f})")
assert distance["negative binomial"] < 0.04 < distance["Normal"] < distance["Poisson"]
assert distance["oracle"] < 1.95 / len(y_new) ** 0.5  # a one-in-a-thousand bound

# %% [markdown]
# The other picture for counts is the *rootogram*: how often each count came, and how often the
# head expected it, on a square-root scale so that the rare ones show. The bars hang from the
# expectation; where they end above or below zero, the head is wrong. Both pictures for one head; 0
# is the Normal, 1 the Poisson, 2 the negative binomial, 3 the oracle. Look at each before you read
# on: **what does each shape say about the head?**


# %% hide=True alt="Hanging bars under the Poisson; its PIT histogram, heaped at both ends."
def expected_share(prediction, k):  # average probability of each count over the hours
    if isinstance(prediction, D.Normal):
        return (prediction.cdf(k[:, None] + 0.5) - prediction.cdf(k[:, None] - 0.5)).mean(1)
    p = prediction.log_prob(k.clamp(min=0)[:, None]).exp().mean(1)
    return torch.where(k < 0, 0.0, p)


counted = torch.arange(-8.0, 31.0)
came = (y_new == counted[:, None]).float().mean(1).sqrt()
hang = {name: expected_share(p, counted).sqrt() for name, p in heads.items()}


def draw_head(head=1):
    name = list(heads)[head]
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    left.bar(counted, came, bottom=hang[name] - came, color="#C0C0C0", label="what came")
    plot_curve(counted, hang[name], ax=left, label=f"{name}: expected")
    left.axhline(0, color="black", lw=1)
    left.set(xlabel="bookings", ylabel="√ share of hours", title="Bars should end at zero")
    right.hist(u[name].numpy(), bins=20, range=(0, 1), density=True, color="#C0C0C0")
    right.axhline(1, color="black", ls="--", lw=1.6, label="uniform")
    right.set(xlabel="u", ylabel="density", ylim=(0, 4), title="Bars should be level")
    left.legend()
    right.legend()


draw_head()

# %% [markdown]
# The Poisson: too few zeros and too few large counts expected, and a PIT heaped at both ends. Move
# the slider.

# %%
interactive(draw_head, head=(0, 3, 1))

# %% [markdown]
# The Normal's PIT leans, though its mean is right: what it expects below zero never comes, and the
# data have a longer upper tail. The negative binomial looks like the oracle, level up to chance.

# %% [markdown] card="02-shapes-of-a-pit"
# What do a hill, two heaps at the ends, and a slope in a PIT histogram say about the head?
#
# **Answer.** A hill: it promises too much spread. Heaps at both ends: too little. A slope: it is
# shifted. Flat: right on average over the cases.

# %% [markdown]
# ## Where the link comes from
#
# Why the exponential for a rate, and the sigmoid for a probability? Many distributions can be
# written with a *natural parameter* $\eta$ that multiplies the data, a factor $h$ without $\eta$,
# and a function $A$ that makes them sum to one:
#
# $$
# \begin{aligned}
# (1) && p(y \mid \eta) &= h(y)\, e^{\eta y - A(\eta)} \\
# (2) && 0 = \tfrac{d}{d\eta} \textstyle\sum_y p(y \mid \eta)
#     &= \mathrm{E}[y] - A'(\eta) \\
# (3) && \tfrac{d}{d\eta} \left[-\log p(y \mid \eta)\right] &= A'(\eta) - y = \mathrm{E}[y] - y
# \end{aligned}
# $$
#
# If the network puts out $\eta$, the gradient of the loss is prediction minus target. That link is
# called *canonical*: the Poisson has $\eta = \log \lambda$ (link: exp), the Bernoulli
# $\eta = \log \frac{p}{1-p}$ (sigmoid), the Normal with variance 1 $\eta = \mu$ (identity).

# %%
eta = torch.linspace(-2, 2, 9).double().requires_grad_()
families_of_one = {
    "Poisson": (D.Poisson(eta.exp()), 4.0, eta.exp()),
    "Bernoulli": (D.Bernoulli(logits=eta), 1.0, torch.sigmoid(eta)),
    "Normal": (D.Normal(eta, 1.0), 0.7, eta),
}
for name, (family, y, mean) in families_of_one.items():
    (slope,) = torch.autograd.grad(-family.log_prob(torch.tensor(y).double()).sum(), eta)
    assert torch.allclose(slope, mean.detach() - y), name  # (3)
    assert torch.allclose(family.mean, mean)  # (2)

# %% [markdown]
# The negative binomial has a story of its own: it is a Poisson whose rate is not known exactly.
# Let the rate be $\lambda \sim \mathrm{Gamma}(r, \text{mean } \mu)$, a busy town or a quiet one:
#
# $$
# \begin{aligned}
# (4) && P(y) &= \int \mathrm{Poisson}(y \mid \lambda)\; \mathrm{Gamma}(\lambda \mid r, r/\mu)\,
#   d\lambda = \mathrm{NB}(y \mid r, \mu) \\
# (5) && \mathrm{var}\, y &= \mathrm{E}\,\mathrm{var}[y \mid \lambda]
#   + \mathrm{var}\,\mathrm{E}[y \mid \lambda] = \mu + \mu^2 / r
# \end{aligned}
# $$

# %%
from scipy import integrate

mu, r = 5.0, 2.0
rate = stats.gamma(r, scale=mu / r)  # SciPy's gamma takes shape and scale
nb = D.NegativeBinomial(torch.tensor(r).double(), logits=torch.tensor(mu / r).double().log())
for y in (0, 3, 11):
    mixed = integrate.quad(lambda t, y=y: stats.poisson.pmf(y, t) * rate.pdf(t), 0, 80)[0]
    assert np.isclose(mixed, nb.log_prob(torch.tensor(y)).exp())  # (4)
assert np.isclose(nb.variance, mu + mu**2 / r)  # (5)

# %% [markdown] card="02-canonical-link"
# What is special about a canonical link, and which belong to Poisson and Bernoulli?
#
# **Answer.** The gradient of the loss with respect to the network's output is prediction minus
# target. The exponential for the Poisson's rate, the sigmoid for the Bernoulli's probability.

# %% [markdown]
# ## Two libraries, two parametrisations
#
# PyTorch and SciPy both have a negative binomial with two numbers, a count $r$ and a probability
# $p$. Take $r = 5$ and $p = 0.25$ in both. PyTorch's `NegativeBinomial(5, probs=0.25)` has the
# mean
# 1.667. SciPy's `nbinom(5, 0.25)`?

# %%
predict("02-nbinom-mean", ..., ask="Mean of SciPy's nbinom(5, 0.25)?")

# %% [markdown] fold="02-nbinom-mean"
# ### Both means

# %% [markdown]
# By the libraries themselves:

# %% same=True
means = D.NegativeBinomial(5, probs=torch.tensor(0.25)).mean.item(), stats.nbinom(5, 0.25).mean()
print(f"PyTorch {means[0]:.3f}, SciPy {means[1]:.3f}")
because = {1.667: "That is PyTorch's: SciPy counts the other of the two outcomes."}
reveal("02-nbinom-mean", means[1], within=0.01, because=because)

# %% [markdown]
# The roles of success and failure are swapped, and the two means differ ninefold. **Check the mean
# and the variance of any head that you write down for the first time.**

# %% [markdown]
# ### More of the kind
#
# PyTorch's Poisson loss for a count of 3 and a rate of 5:

# %% same=True
t64 = lambda *v: torch.tensor(v).double()  # noqa: E731
y, rate, loss = t64(3.0), t64(5.0), nn.functional.poisson_nll_loss
print(f"poisson_nll_loss given a rate  {loss(rate, y).item():8.3f}")
print(f"log_input=False, full=True     {loss(rate, y, log_input=False, full=True).item():8.3f}")
print(f"the NLL                        {-D.Poisson(rate).log_prob(y).item():8.3f}")

# %% [markdown]
# It takes its input for a *log* rate unless told otherwise, and its `full=True` adds Stirling's
# approximation of $\log y!$, not the thing itself. (`gaussian_nll_loss` has traps of its own: unit
# 01.) `log_prob` of a distribution has none; use it unless you know why not.

# %% [markdown]
# ## Broken on purpose: a clamp on the log scale
#
# Scales must be positive. The exponential does it; softplus, $\log(1 + e^{\text{raw}})$, does it
# more gently. Many recipes clamp the logarithm, `log_std.clamp(-10, 5)`. Salaries in dollars
# scatter by some 40 000 around their mean. Everything else is right, and training runs until
# nothing moves. Which $\sigma$ does the head with the clamp end with?

# %%
predict(
    "02-clamped-sigma", ..., ask="Sigma, in dollars, after training with log_std.clamp(-10, 5)?"
)

# %% [markdown] fold="02-clamped-sigma"
# ### Three links, one scale

# %% [markdown]
# Three heads, one parameter each: the clamp, the bare exponential, and the clamp on a target that
# was standardised first.

# %%
salaries = torch.from_numpy(40_000 * numpy_rng(4).standard_normal(500) + 52_000)
residual, width = salaries - salaries.mean(), salaries.std()
scale_of = {
    "clamp": lambda raw: raw.clamp(-10, 5).exp(),
    "exp": torch.exp,
    "standardised, clamp": lambda raw: width * raw.clamp(-10, 5).exp(),
}

# %% [markdown]
# Adam is given a short memory here, since the first slopes are huge:

# %%
paths = {name: [] for name in scale_of}
for name, link in scale_of.items():
    raw = torch.zeros((), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([raw], lr=0.05, betas=(0.9, 0.9))
    for _ in range(600):
        adam.zero_grad()
        (-D.Normal(0.0, link(raw)).log_prob(residual).mean()).backward()
        adam.step()
        paths[name].append(link(raw).item())

# %% [markdown]
# Where they end, and what the gradient is there:

# %%
for name, path in paths.items():
    nll = -D.Normal(0.0, torch.tensor(path[-1])).log_prob(residual).mean()
    print(f"{name:20s} sigma {path[-1]:9.1f}   NLL {nll:9.1f} nats")
beyond = torch.tensor(6.0, requires_grad=True)
(slope,) = torch.autograd.grad(
    -D.Normal(0.0, beyond.clamp(-10, 5).exp()).log_prob(t64(3e4)), beyond
)
print(f"gradient at log_std = 6: {slope.item():.0f}")
because = {40_000: "So it should be. Look at the largest scale that the clamp allows."}
reveal("02-clamped-sigma", round(paths["clamp"][-1]), within=2, unit="dollars", because=because)

# %% hide=True alt="Sigma over training steps: exp climbs to 40000, the clamped head stays at 148."
for name, path in paths.items():
    ax = plot_curve(np.arange(600), path, label=name)
ax.axhline(residual.std().item(), color="black", ls="--", lw=1.6, label="spread of the data")
ax.set(xlabel="step", ylabel="σ (dollars)", yscale="log", title="The clamp stops at 148 dollars")
_ = ax.legend(loc="lower right")

# %% [markdown]
# The largest scale that the clamp allows is $e^5$, 148 dollars, and beyond it the gradient is
# exactly zero: nothing tells the network. No error, no warning, only an NLL of tens of thousands.
# A clamp is a statement about units. Standardise the target inside the head, as `normal_head`
# does, and raw numbers near 0 are always sensible.

# %% [markdown] card="02-clamp-is-about-units"
# A recipe clamps log sigma at 5; the target is in dollars and scatters by tens of thousands. What
# happens, and what is the cure?
#
# **Answer.** Sigma stops at e⁵, and beyond the clamp the gradient is exactly zero: no error, no
# warning. Standardise the target inside the head, so that raw numbers near 0 are sensible.

# %% [markdown]
# ### What standardising does to the NLL
#
# The NLL changes by the logarithm of the width, as unit 01's did from metres to millimetres. Add
# it back before two models are compared:

# %% same=True
standard = -D.Normal(0.0, 1.0).log_prob(residual / width).mean()
dollars = -D.Normal(0.0, width).log_prob(residual).mean()
assert torch.isclose(dollars, standard + width.log())
print(f"{standard:.2f} nats per standard unit + {width.log():.2f} = {dollars:.2f} per dollar")

# %% [markdown]
# ## Every head wins somewhere
#
# Now the whole family. Each head is fitted to plain numbers, without any $x$, by maximum
# likelihood: its raw numbers are all there is. First those for real numbers. Huber's loss is
# squared up to $\delta$ and absolute beyond; as a density it is $e^{-\text{huber}(r)} / Z$, with
# $Z = \sqrt{2\pi}\,(2 \Phi(\delta) - 1) + \frac{2}{\delta} e^{-\delta^2/2}$, where $\Phi$ is the
# $F$ of a standard Normal.


# %% hide=True
class Huber(D.Distribution):  # delta = 1
    Z = (2 * np.pi) ** 0.5 * (2 * stats.norm.cdf(1) - 1) + 2 * np.exp(-0.5)

    def __init__(self, loc, scale):
        super().__init__(validate_args=False)
        self.loc, self.scale = loc, scale

    def log_prob(self, y):
        r = (y - self.loc) / self.scale
        loss = nn.functional.huber_loss(r, torch.zeros_like(r), reduction="none")
        return -loss - self.scale.log() - np.log(self.Z)


total = integrate.quad(lambda t: Huber(t64(0.3), t64(0.7)).log_prob(t64(t)).exp().item(), -30, 30)
assert abs(total[0] - 1) < 1e-6 and round(Huber.Z, 4) == 2.9243

# %% [markdown]
# The others come from PyTorch. Every scale here is an exponential of a raw number. Two of them
# are built from parts: a zero-inflated Poisson is a mixture of "always 0" and a Poisson.


# %%
def mixture(logit, parts):  # of two: the first has the probability sigmoid(logit)
    choice = D.Categorical(logits=torch.stack([logit, torch.zeros_like(logit)]))
    return D.MixtureSameFamily(choice, parts)


def two_humps(g, m, n, s, t):  # two Normals, at distance 2 e^(n - 1)
    centres = torch.stack([m - (n - 1).exp(), m + (n - 1).exp()])
    return mixture(g, D.Normal(centres, torch.stack([s - 1, t - 1]).exp()))


def zero_inflated_head(g, m):  # always 0, or a Poisson
    return mixture(g, D.Poisson(torch.stack([torch.zeros_like(m), m.exp()])))


# %% [markdown]
# The heads for real numbers, each with the number of its raw numbers:

# %%
heads_for = {  # name: (raw numbers, head)
    "Normal": (2, lambda m, s: D.Normal(m, s.exp())),
    "Laplace": (2, lambda m, s: D.Laplace(m, s.exp())),
    "Student-t": (3, lambda m, s, d: D.StudentT(1 + d.exp(), m, s.exp())),
    "Huber": (2, lambda m, s: Huber(m, s.exp())),
    "LogNormal": (2, lambda m, s: D.LogNormal(m, s.exp())),
    "Gamma": (2, lambda m, a: D.Gamma(a.exp(), (a - m).exp())),  # mean e^m, shape e^a
    "Beta": (2, lambda a, b: D.Beta(a.exp(), b.exp())),
    "mixture": (5, two_humps),
}

# %% [markdown]
# And the heads for counts, with a Normal that is given the probability of a unit interval, so that
# it may compete with them:


# %%
class Rounded(D.Normal):
    def log_prob(self, y):
        return log_unit(self, y)


heads_for |= {
    "rounded Normal": (2, lambda m, s: Rounded(m, s.exp(), validate_args=False)),
    "Poisson": (1, poisson_head),
    "negative binomial": (2, negative_binomial_head),
    "zero-inflated": (2, zero_inflated_head),
}


# %% [markdown]
# The fit itself is maximum likelihood with a second-order method, since there are only a few
# numbers. It serves until the end of the lesson:


# %%
def most_likely(log_prob, start, steps):  # the raw numbers with the largest mean of log_prob(raw)
    raw = start.double().requires_grad_()
    lbfgs = torch.optim.LBFGS([raw], max_iter=steps, line_search_fn="strong_wolfe")

    def loss():
        lbfgs.zero_grad()
        value = -log_prob(raw).mean()
        value.backward()
        return value

    lbfgs.step(loss)
    return raw.detach()


def fit_constant(name, y, steps):
    size, head = heads_for[name]
    start = torch.linspace(0.6, 0.4, size)
    return head(*most_likely(lambda raw: head(*raw).log_prob(y), start, steps))


# %% [markdown]
# Eleven targets are drawn; two are real and come with scikit-learn, the size of 569 tumours and
# the progression of diabetes in 442 patients, both divided by a round number, so that raw numbers
# near 0 are sensible. (Folded: how they are drawn, and who meets whom.)

# %% hide=True
from sklearn.datasets import load_breast_cancer, load_diabetes

tumours = load_breast_cancer().data[:, 3] / 500  # mean area
diabetes = load_diabetes().target / 100
drawn = {
    "bell": lambda g, n: 1 + g.standard_normal(n),
    "double exponential": lambda g, n: g.laplace(1, 1, n),
    "heavy tails": lambda g, n: g.standard_t(3, n),
    "a few outliers": lambda g, n: g.standard_normal(n) * np.where(g.random(n) < 0.05, 6, 1),
    "waits": lambda g, n: g.gamma(0.7, 1, n) + 1e-12,
    "shares": lambda g, n: g.beta(1.2, 4, n),
    "two humps": lambda g, n: 0.5 * g.standard_normal(n) + 2 * g.choice([-1, 1], n),
    "two kinds of shares": lambda g, n: np.where(
        g.random(n) < 0.5, g.beta(8, 30, n), g.beta(30, 8, n)
    ),
    "pure counts": lambda g, n: g.poisson(4, n),
    "overdispersed": lambda g, n: g.negative_binomial(2, 0.4, n),
    "closed days": lambda g, n: g.poisson(6, n) * (g.random(n) > 0.3),
}


def split(name, seed, n=400):  # training and test targets
    rng = numpy_rng(seed)
    real = {"tumours": tumours, "diabetes": diabetes}.get(name)
    y = drawn[name](rng, n + 5000) if real is None else rng.permutation(real)
    y = torch.from_numpy(np.asarray(y, dtype=float))
    return (y[:n], y[n:]) if real is None else (y[: len(y) // 2], y[len(y) // 2 :])


# %% hide=True
contests = {  # head: (wins on, against), (loses on, against)
    "Normal": ("bell", "Laplace", "heavy tails", "Student-t"),
    "Laplace": ("double exponential", "Normal", "bell", "Normal"),
    "Student-t": ("heavy tails", "Normal", "shares", "Beta"),
    "Huber": ("a few outliers", "Normal", "waits", "Gamma"),
    "LogNormal": ("tumours", "Normal", "waits", "Gamma"),
    "Gamma": ("diabetes", "Normal", "tumours", "LogNormal"),
    "Beta": ("shares", "Gamma", "two kinds of shares", "mixture"),
    "mixture": ("two humps", "Normal", "shares", "Beta"),
    "Poisson": ("pure counts", "rounded Normal", "overdispersed", "negative binomial"),
    "negative binomial": ("overdispersed", "Poisson", "closed days", "zero-inflated"),
    "zero-inflated": ("closed days", "negative binomial", "overdispersed", "negative binomial"),
}

# %% [markdown]
# For each head one target on which it beats a rival, and one on which a rival beats it. The judge
# is the mean log-probability of 5000 new values (for the real targets, of the other half of the
# data), in nats per value:


# %%
def lead(first, second, data, seed, steps):  # nats by which the first head beats the second
    y, y_test = split(data, seed)
    first, second = (fit_constant(name, y, steps).log_prob(y_test) for name in (first, second))
    return (first - second).mean().item()


won, lost = {}, {}
for name, (data, rival, other, winner) in contests.items():
    won[name] = lead(name, rival, data, 0, 40)
    lost[name] = lead(name, winner, other, 0, 40)
    print(f"{name:17s} {won[name]:+.2f} on {data} (against {rival})".ljust(68), end="")
    print(f"{lost[name]:+.2f} on {other} (against {winner})")

# %% [markdown]
# All of it in one picture:

# %% hide=True alt="Each of 11 heads has a bar to the right, where it wins, and one to the left."
_, ax = plt.subplots(figsize=(9, 4.6))
rows = np.arange(len(contests))
ax.barh(rows, list(won.values()), color="C0", height=0.6)
ax.barh(rows, list(lost.values()), color="C1", height=0.6)
for row, (name, (data, _, other, _)) in enumerate(contests.items()):
    ax.text(won[name] + 0.01, row, data, va="center", fontsize=9)
    ax.text(lost[name] - 0.01, row, other, va="center", ha="right", fontsize=9)
ax.set_yticks(rows, list(contests))
ax.axvline(0, color="black", lw=1)
ax.set(xlim=(-1.0, 1.0), xlabel="nats per value, ahead of the rival (right) or behind (left)")
ax.set_title("Every head wins somewhere and loses somewhere")
ax.invert_yaxis()

# %% [markdown]
# No head is good or bad by itself: each is a claim about a target. Which rivals were hardly
# beaten? Two with the *wrong support*: the Gamma has room for shares above 1, the Normal for
# counts below 0. How much of their probability lies there?

# %%
fitted = {
    name: fit_constant(name, split(data, 0)[0], 40)
    for name, data in {
        "Gamma": "shares",
        "rounded Normal": "pure counts",
        "Huber": "waits",
    }.items()
}
print(f"Gamma, shares above 1: {1 - fitted['Gamma'].cdf(t64(1.0)).item():.3f}")
print(f"Normal, counts below 0: {fitted['rounded Normal'].cdf(t64(-0.5)).item():.3f}")
below = integrate.quad(lambda t: fitted["Huber"].log_prob(t64(t)).exp().item(), -30, 0)[0]
print(f"Huber, waits below 0: {below:.3f}")

# %% [markdown]
# A wrong support costs little while hardly any probability lies on the wrong side, and a lot where
# a fifth of it does. All 22 leads have this sign on ten draws of the data, too.


# %% hide=True claim="Each of eleven heads wins on one target and loses on another." steps=40
def every_head_wins_and_loses(seed, steps):  # the smallest lead of all 22
    leads = []
    for name, (data, rival, other, winner) in contests.items():
        leads += [lead(name, rival, data, seed, steps), lead(winner, name, other, seed, steps)]
    return min(leads)


assert min(won.values()) > 0 > max(lost.values())

# %% [markdown]
# Fit any head to any target yourself. A dashed line marks the mean of the data, a dotted one their
# median; the title gives the NLL of the fit. **Which heads miss the tail, which the zeros, which
# the second hump?** (A head that cannot produce the data at all says so.)


# %% hide=True alt="Histogram of tumour sizes with the fitted log-normal density on top."
def draw_fit(head=4, target=0):
    name, data = list(heads_for)[head], ["tumours", "diabetes", *drawn][target]
    y, _ = split(data, 0, n=1000)
    count = bool((y == y.round()).all())
    _, ax = plt.subplots()
    edges = np.arange(y.min() - 0.5, y.max() + 1) if count else 40
    ax.hist(y.numpy(), bins=edges, density=True, color="#C0C0C0", label=data)
    grid = torch.arange(y.min(), y.max() + 1) if count else torch.linspace(y.min(), y.max(), 400)
    try:
        fit = fit_constant(name, y, 40)
        plot_curve(grid, fit.log_prob(grid.double()).exp(), ax=ax, label=name)
        ax.set_title(f"{name} on {data}: NLL {-fit.log_prob(y).mean():.2f}")
    except ValueError:
        ax.set_title(f"{name} gives {data} probability zero")
    ax.axvline(y.mean().item(), color="black", ls="--", lw=1.2, label="mean")
    ax.axvline(y.median().item(), color="black", ls=":", lw=1.2, label="median")
    ax.set(xlabel="y", ylabel="density or probability", ylim=(0, None))
    ax.legend()


draw_fit()

# %% [markdown]
# The heads in order: Normal, Laplace, Student-t, Huber, LogNormal, Gamma, Beta, mixture, rounded
# Normal, Poisson, negative binomial, zero-inflated.

# %%
interactive(draw_fit, head=(0, 11, 1), target=(0, 12, 1))

# %% [markdown]
# Three traps on the way. A log-normal is a Normal on $\log y$, and its density has the slope of
# the logarithm in it: $p(y) = N(\log y)\, / \,y$. Without this Jacobian its NLL on the tumours
# looks wonderful. Its mean is not $e^\mu$, which is the median. And a Beta has no room for a share
# of exactly 0 or 1.

# %%
area = torch.from_numpy(load_breast_cancer().data[:, 3])  # square pixels
log_area = area.log()
m, s = log_area.mean(), log_area.std(correction=0)
plain = D.Normal(m, s)
without = -plain.log_prob(log_area).mean()
proper = -D.LogNormal(m, s).log_prob(area).mean()
assert torch.isclose(proper, without + log_area.mean())  # the mean of log y is the Jacobian
print(f"NLL without the Jacobian {without:.2f}, with it {proper:.2f} nats")
print(f"e^mu {m.exp():.0f}, mean {D.LogNormal(m, s).mean:.0f}, mean of the data {area.mean():.0f}")
mass = integrate.quad(lambda v: plain.log_prob(t64(v).log()).exp().item(), 1, 9000, limit=200)
print(f"the version without it integrates to {mass[0]:.0f}")
for alpha in (0.5, 2.0):
    print(f"Beta({alpha}, 2) at 0: {D.Beta(t64(alpha), t64(2.0)).log_prob(t64(0.0)).item():.0f}")
assert abs(mass[0] / D.LogNormal(m, s).mean - 1) < 0.01

# %% [markdown]
# The log-normal without its Jacobian integrates to its own mean, for
# $\int N(\log y)\, dy = \mathrm{E}\, e^{\log y}$: it is no density, and its NLL means nothing.

# %% [markdown]
# ## Labels, and labels in order
#
# A yes or no needs a Bernoulli, one of $K$ labels a Categorical; both were unit 01's subject. When
# the labels have an order (bad, fair, good), an *ordinal* head uses it. One number $\eta(x)$ says
# how far up an example is, and thresholds $\theta_1 < \theta_2 < \dots$ cut the line into classes:
#
# $$P(y \le k \mid x) = \mathrm{sigmoid}(\theta_k - \eta(x)), \qquad
#   P(y = k) = P(y \le k) - P(y \le k - 1) .$$
#
# The thresholds must stay in order, or a probability is negative; so the network puts out the
# first one and the logarithms of the gaps.


# %%
def ordinal_head(eta, first, log_gaps):  # eta (n,), log_gaps (K - 2,), to a Categorical (n, K)
    thresholds = torch.cat([first, first + log_gaps.exp().cumsum(0)])
    upto = torch.sigmoid(thresholds - eta[:, None])
    edges = [torch.zeros_like(upto[:, :1]), upto, torch.ones_like(upto[:, :1])]
    return D.Categorical(torch.cat(edges, 1).diff(dim=1))


wrong = torch.sigmoid(torch.tensor([1.0, -1.0]) - 0.5).diff()  # thresholds out of order
print(f"with thresholds 1, -1 and eta 0.5 the middle class gets {wrong.item():.2f}")

# %% [markdown]
# The five probabilities of such a head, as $\eta$ moves an example up:

# %% hide=True alt="Five humps along eta: each class takes over from the one below it, in order."
eta = torch.linspace(-5, 5, 201)
probs = ordinal_head(eta, torch.tensor([-2.5]), torch.tensor([0.4, 0.4, 0.4])).probs
_, ax = plt.subplots()
for k, name in enumerate(("very bad", "bad", "fair", "good", "very good")):
    plot_curve(eta, probs[:, k], ax=ax, label=name)
ax.set(xlabel="η", ylabel="probability", title="One number moves through all classes in order")
_ = ax.legend(loc="upper center", ncols=5, fontsize=8)

# %% [markdown]
# It has fewer parameters than a softmax, and pays for that with an assumption: who moves up passes
# through the middle. Two targets with five classes and 60 examples, one for which this is so, and
# one in which a large $x$ means "very bad" or "very good", and hardly ever "fair":


# %% hide=True
def ordered(x, rng):  # a linear score with logistic noise, cut at four places
    return np.digitize(1.5 * x + rng.logistic(size=len(x)), [-2.5, -1, 1, 2.5])


def polarised(x, rng):
    extreme = rng.random(len(x)) < 1 / (1 + np.exp(-3 * x))
    return np.where(extreme, 4 * (rng.random(len(x)) < 0.5), rng.integers(1, 4, len(x)))


# %% [markdown]
# The ordinal head has one slope and four cuts, the softmax five slopes and five offsets. The lead
# is in nats per example, on 5000 new ones:


# %%
def ordinal(raw, x):  # slope, first threshold, logarithms of the gaps
    return ordinal_head(raw[0] * x, raw[1:2], raw[2:])


def softmax(raw, x):  # five slopes, five offsets
    return D.Categorical(logits=x[:, None] * raw[:5] + raw[5:])


def fit_classes(head, size, x, y, steps):
    def log_prob(raw):
        return head(raw, x).log_prob(y) - 1e-3 * raw.square().sum()  # keeps all finite

    return most_likely(log_prob, 0.1 * torch.ones(size), steps)


# %% [markdown]
# Both targets, both heads:


# %%
def ordinal_lead(target, seed, steps):
    rng = numpy_rng(seed)
    x = rng.uniform(-2, 2, 5060)
    y = torch.from_numpy(target(x, rng))
    x = torch.from_numpy(x)
    score = {}
    for head, size in ((ordinal, 5), (softmax, 10)):
        raw = fit_classes(head, size, x[:60], y[:60], steps)
        score[head] = head(raw, x[60:]).log_prob(y[60:]).mean().item()
    return score[ordinal] - score[softmax]


for target in (ordered, polarised):
    print(f"{target.__name__:10s} ordinal ahead of softmax by {ordinal_lead(target, 0, 60):+.3f}")

# %% [markdown]
# An assumption that holds is worth data; one that does not costs. Both are so on ten draws.


# %% hide=True claim="The ordinal head wins where one score decides, and loses if not." steps=60
def an_ordinal_promise_pays_if_kept(seed, steps):
    return min(ordinal_lead(ordered, seed, steps), -ordinal_lead(polarised, seed, steps))


# %% [markdown]
# ## One prediction, four actions
#
# A distribution is not a decision. A shop expects a demand with mean 10 and variance 60, a
# negative binomial. How many should it order? That depends on what a mistake costs. If one that is
# missing costs $c$ and one that is left over costs 1, the order $a$ costs $\mathrm{E}\,[c\,(y -
# a)_+ + (a - y)_+]$ on average, where $(v)_+$ is $v$ if that is positive, else 0. One more item is
# left over with probability $F(a)$ and saves $c$ otherwise, so it costs
#
# $$(6) \quad F(a) - c\,(1 - F(a)) , \quad\text{which is negative as long as}\quad
#   F(a) < \frac{c}{c + 1} .$$
#
# Stop there: the best order is the $c/(c+1)$ quantile, and the *pinball loss* of quantile
# regression is this cost. Now let running out cost 1.25 times as much as a leftover.

# %%
predict(
    "02-how-many-to-order",
    ...,
    ask="The mean demand is 10; running out is a little dearer. The best order is:",
    choices=("below 10", "exactly 10", "above 10"),
)

# %% [markdown] fold="02-how-many-to-order"
# ### Counting the cost

# %% [markdown]
# All orders are tried, so that (6) is checked and not believed:

# %%
k = torch.arange(300.0).double()
demand = D.NegativeBinomial(t64(2.0), logits=t64(5.0).log())  # mean 10, variance 60
p = demand.log_prob(k).exp()
F = p.cumsum(0)


def cost(a, c):  # expected, of ordering a
    return (p * (c * (k - a).clamp(min=0) + (a - k).clamp(min=0))).sum().item()


def best_order(c):
    return min(range(60), key=lambda a: cost(a, c))


# %% [markdown]
# For three costs, (6) gives what trying gives. At 1.25:

# %%
for c in (0.5, 1.25, 4.0):
    assert best_order(c) == (c / (c + 1) > F).sum()  # (6)
print(f"c = 1.25: order {best_order(1.25)}, cost {cost(best_order(1.25), 1.25):.3f}")
print(f"the mean, 10: cost {cost(10, 1.25):.3f}")
because = {
    "above 10": "So it would be for a symmetric demand; here half of all days ask for 8 or less.",
    "exactly 10": "The mean is best for squared errors, and nobody pays in squares.",
}
reveal(
    "02-how-many-to-order", "below 10" if best_order(1.25) < 10 else "above 10", because=because
)

# %% [markdown]
# Most days lie below the mean of a skewed demand, and the few large ones do not pay for the
# leftovers of all the others.

# %% [markdown] card="02-newsvendor-quantile"
# A missing item costs c, a leftover costs 1. Which order costs least on average?
#
# **Answer.** The c/(c + 1) quantile of the demand: one more item pays as long as F(q) is below
# that. The mean is best for squared errors only.

# %% [markdown]
# ### Four losses
#
# The same prediction, and the best single number for each loss, found by trying all:

# %%
a = torch.arange(0, 40.0).double()[:, None]
losses = {
    "squared": (a - k) ** 2,
    "absolute": (a - k).abs(),
    "0-1 (hit or miss)": (a != k).double(),
    "running out costs 4": 4 * (k - a).clamp(min=0) + (a - k).clamp(min=0),
}
actions = {name: (loss @ p).round(decimals=9).argmin().item() for name, loss in losses.items()}
assert actions["squared"] == round(demand.mean.item())
assert actions["absolute"] == (F < 0.5).sum() and actions["running out costs 4"] == (F < 0.8).sum()
print(", ".join(f"{name}: {action}" for name, action in actions.items()))
print(
    "order at cost 4, and what it costs:",
    ", ".join(f"{n}: {cost(n, 4):.2f}" for n in (10, 13, 15)),
)

# %% [markdown]
# Mean, median, mode and 0.8 quantile: 10, 8, 4 (5 is as probable) and 15. Whoever forecasts with a
# Poisson of the same mean orders its 0.8 quantile, 13, and pays more.


# %% hide=True alt="Demand with its four best guesses, 4, 8, 10 and 15; cost against the order."
def draw_order(c=4.0):
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    left.bar(k[:40], p[:40], color="#C0C0C0", label="demand")
    for (name, action), color in zip(actions.items(), ("C0", "C1", "C2", "C3"), strict=True):
        left.plot(action, 0.004, "o", color=color, markersize=9, label=name)
    left.set(xlabel="demand", ylabel="probability", title="Four losses, four actions")
    left.legend(fontsize=8)
    orders = list(range(40))
    plot_curve(orders, [cost(order, c) for order in orders], ax=right)
    right.plot(best_order(c), cost(best_order(c), c), "o", color="C3", markersize=9)
    right.axvline(10, color="black", ls="--", lw=1.6, label="mean demand")
    right.set(xlabel="order", ylabel="expected cost", title=f"Best order: {best_order(c)}")
    right.legend()
    return right


_ = draw_order()

# %% [markdown]
# **Move `c`,** how many leftovers one missing item costs: where is the best order below the mean?

# %%
interactive(draw_order, c=(0.25, 8.0, 0.25))

# %% [markdown]
# A yes or no has costs as well. If a false alarm costs 1 and a miss 9, the alarm is right from
# $p = 1 / (1 + 9) = 0.1$ on, and not from one half:

# %%
alarm = torch.linspace(0, 1, 1001).double()
better = alarm[(9 * alarm >= 1 * (1 - alarm))]  # a miss costs more than a false alarm
assert abs(better[0] - 0.1) < 2e-3

# %% [markdown] card="02-alarm-by-costs"
# A false alarm costs 1, a miss 9. From which probability on is the alarm right?
#
# **Answer.** From 1/(1 + 9) = 0.1 on: there the expected costs of both actions are equal. One half
# would be right for equal costs.

# %% [markdown]
# ## A sequence: one label after the other
#
# A text is a target, too. By the chain rule its probability is a product of predictions of one
# character each, $P(y) = \prod_i P(y_i \mid y_{<i})$: an *autoregressive* model, with a softmax as
# its head. Ours sees five characters back. It learns from the descriptions of scikit-learn's data
# sets, cut into windows of six (folded), the last tenth held out.

# %% hide=True
from sklearn import datasets

names = ("iris", "wine", "diabetes", "breast_cancer", "digits", "linnerud")
text = "\n".join(getattr(datasets, f"load_{name}")().DESCR for name in names)
alphabet = sorted(set(text))
codes = torch.tensor([alphabet.index(letter) for letter in text])
context = 5
windows = codes.unfold(0, context + 1, 1)  # (n, 6): five characters, and the next
cut = round(0.9 * len(windows))
seen, held = windows[:cut], windows[cut + context :]
print(f"{len(text)} characters, {len(alphabet)} different ones")

# %% [markdown]
# The same training step, the same loop; only the net and the head are others. A batch is drawn
# anew in each step, and weight decay keeps 15 000 characters from being learnt by heart.


# %%
def categorical_head(*logits):  # each of shape (n,)
    return D.Categorical(logits=torch.stack(logits, -1))


def character_run(seed, steps):
    torch.manual_seed(seed)
    rng = torch_generator(seed)
    size = len(alphabet)
    layers = nn.Embedding(size, 16), nn.Flatten(-2), nn.Linear(16 * context, 96), nn.ReLU()
    model = Model(nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(96, size)), categorical_head)

    def batch():
        rows = seen[torch.randint(len(seen), (256,), generator=rng)]
        return rows[:, :-1], rows[:, -1]

    return train(model, batch, steps, lr=0.01, decay=0.1)


reader = character_run(0, 800)

# %% [markdown]
# Bits per character on the held-out tenth, beside a uniform guess and the frequencies of pairs:


# %%
def bits(model):
    return -(model(held[:, :-1]).log_prob(held[:, -1]).mean() / np.log(2)).item()


pairs = torch.full((len(alphabet),) * 2, 0.05)  # a little for pairs that never came
pairs.index_put_((seen[:, -2], seen[:, -1]), torch.tensor(1.0), accumulate=True)
pair = pairs / pairs.sum(1, keepdim=True)
pair_bits = -pair[held[:, -2], held[:, -1]].log2().mean().item()
bits_of = {"uniform": np.log2(len(alphabet)), "pairs": pair_bits, "network": bits(reader)}
for name, value in bits_of.items():
    print(f"{name:8s} {value:.2f} bits per character")

# %% [markdown]
# One training run might be lucky; ten had this order.


# %% hide=True claim="A small network predicts the next character better than pairs do." steps=800
def network_beats_pairs(seed, steps):
    return pair_bits - bits(character_run(seed, steps))


# %% [markdown]
# Sampling draws one character, appends it, and asks again:

# %%
rng = torch_generator(3)
line = list(codes[:context])
for _ in range(240):
    probs = reader(torch.stack(line[-context:])[None]).probs[0]
    line.append(torch.multinomial(probs, 1, generator=rng)[0])
print("".join(alphabet[code] for code in line))

# %% [markdown]
# It has learnt the look of words and of tables, and no meaning: five characters hold none.

# %% [markdown]
# ## The chart
#
# To meet the heads without code: `make playground` opens a page on which two at a time are a
# density, a loss with its slope, and the one number that each predicts for points that you drag.
#
# | what is $y$? | head (loss) | link | its number | what goes wrong |
# | --- | --- | --- | --- | --- |
# | any real number | Normal (squared error) | identity, exp | mean | one outlier moves all |
# | ... with outliers | Student-t, Laplace, Huber | identity, exp | centre | the scale is no sd |
# | positive, factors | LogNormal | identity, exp | median $e^\mu$ | the Jacobian |
# | positive, a wait | Gamma | exp, exp | mean | zeros have no density |
# | a share in (0, 1) | Beta | exp, exp | mean | exact 0 and 1 |
# | yes or no | Bernoulli (BCE) | sigmoid | probability | log after sigmoid |
# | one of $K$ labels | Categorical (cross-entropy) | softmax | probabilities | softmax twice |
# | labels in order | ordinal | ordered cuts | median class | cuts out of order |
# | a count | Poisson | exp | mean | variance above the mean |
# | ... with more scatter | negative binomial | exp, exp | mean | two parametrisations |
# | ... with many zeros | zero-inflated Poisson | sigmoid, exp | mean | another story for zeros |
# | several humps | mixture | softmax, ... | none | the mean between the humps |
# | only a quantile | none (pinball loss) | identity | quantile | quantiles that cross |
# | a sequence | Categorical, in turn | softmax | its probability | padding that counts |

# %% [markdown]
# ## Back to the three heads
#
# The bookings of the opening question: a mean that is a straight line, and a variance above it.
# Each head gets a straight line as its net.


# %%
@functools.cache
def opening_run(seed, steps):
    rng = numpy_rng(seed)
    x = rng.random(6000)
    mu = 0.1 + 3 * x
    y = torch.from_numpy(rng.negative_binomial(5, 5 / (5 + mu))).double()  # variance mu + mu^2 / 5
    x, zero, found = torch.from_numpy(x), torch.zeros(3), {}
    for name, head in {
        "1 Normal": lambda raw, x: D.Normal(raw[0] + raw[1] * x, raw[2].exp()),
        "2 Poisson": lambda raw, x: D.Poisson((raw[0] + raw[1] * x).exp()),
        "3 negative binomial": lambda raw, x: negative_binomial_head(raw[0] + raw[1] * x, raw[2]),
    }.items():
        raw = most_likely(lambda raw, h=head: h(raw, x[:1000]).log_prob(y[:1000]), zero, steps)
        found[name] = head(raw, x[1000:])
    return y[1000:], found


# %% [markdown] fold="02-three-heads"
# ### The table, and its picture

# %% [markdown]
# MAE at the mean, at the median, and NLL; the Normal's also for whole bookings:

# %%
y_later, three = opening_run(0, 60)
mae = {name: (p.mean - y_later).abs().mean().item() for name, p in three.items()}
at_median = {n: (quantile(p, 0.5) - y_later).abs().mean().item() for n, p in three.items()}
nll = {name: -p.log_prob(y_later).mean().item() for name, p in three.items()}
for name in three:
    print(f"{name:20s} MAE {mae[name]:.3f}, of median {at_median[name]:.3f}   NLL {nll[name]:.2f}")
normal, poisson, _ = three.values()
ahead = (poisson.mean - y_later).abs() - (normal.mean - y_later).abs()
z = (ahead.mean() / ahead.std() * len(ahead) ** 0.5).item()
print(f"lead of head 1: {z:.0f} standard errors")
print(f"NLL of head 1, rounded: {-log_unit(normal, y_later).mean():.2f}")
ranked = " > ".join(name[0] for name in sorted(nll, key=nll.get))
because = {"1 > 2 > 3": "That is the order of the MAE, which sees one number of each prediction."}
because["3 > 1 > 2"] = "So it was further up, where the counts scattered more."
reveal("02-three-heads", ranked, because=because)

# %% hide=True alt="Three dots twice: by MAE the Normal is best, by NLL worst: reversed."
_, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 2.4))
for ax, (title, values) in zip(axes, {"MAE": mae, "NLL (nats)": nll}.items(), strict=True):
    ax.scatter(list(values.values()), list(values), c=("C0", "C1", "C2"), s=90)
    ax.set(xlabel=title, ylim=(-0.6, 2.6))
axes[0].invert_yaxis()
axes[0].set_title("By MAE the Normal wins")
_ = axes[1].set_title("By NLL it comes last")

# %% [markdown]
# The lead of head 1 has two causes: its mean is a straight line, as the truth is, while the other
# two bend theirs; and it was scored at the mean. At the medians, which MAE rewards, the order is
# that of the NLL. Head 1 wastes probability on bookings below zero, and its scatter is the same at
# the quiet and at the busy end. Further up the Poisson came last, and here the Normal does: there
# counts scattered much more than a Poisson can, here only a little. A rule "Normal beats Poisson"
# does not exist; the data decide.

# %% [markdown]
# ### On ten data sets
#
# By the MAE of the mean the order is the reverse of that by NLL; by the MAE of the median it is
# the same.


# %% hide=True claim="With these heads the order by MAE is the reverse of the NLL's." steps=60
def orders_are_reversed(seed, steps):  # the smallest gap between neighbours
    y, heads = opening_run(seed, steps)
    mae = [(p.mean - y).abs().mean().item() for p in heads.values()]
    nll = [-p.log_prob(y).mean().item() for p in heads.values()]
    return min(mae[1] - mae[0], mae[2] - mae[1], nll[0] - nll[1], nll[1] - nll[2])


assert orders_are_reversed(0, 60) > 0


# %% hide=True claim="Scored at their medians, these heads have the order of the NLL." steps=60
def medians_agree_with_the_nll(seed, steps):
    y, heads = opening_run(seed, steps)
    mae = [(quantile(p, 0.5) - y).abs().mean().item() for p in heads.values()]
    return min(mae[0] - mae[1], mae[1] - mae[2])


assert medians_agree_with_the_nll(0, 60) > 0


# %% [markdown]
# ## Recap
#
# 1. A head is a distribution: network, link, log-probability. One training step serves all.
# 2. Judge heads by the log-probability of new data. The MAE of the mean, and coverage, can prefer
#    the wrong one.
# 3. Look: a rootogram and a randomised PIT show what a head gets wrong.
# 4. Every head wins somewhere. Ask how much of it lies where no data can be, then for the tail,
#    then for the zeros.
# 5. The loss of a mistake decides which number of the distribution to act on.

# %% [markdown]
# ## An interview question
#
# *Your model of daily sales has a mean absolute error of 3 pieces, the lowest of all candidates.
# The shop still runs out on every fifth day. Is the model wrong?*
#
# Think first.

# %% [markdown]
# <details><summary>An answer</summary>
#
# **Not by this alone.** A low MAE says that the forecast is near the *median*. Whoever orders the
# median runs out on up to half of all days, with a perfect model.
#
# **What is missing is the decision.** Ask what running out costs beside a leftover. If it is four
# times as much, order the 0.8 quantile, and run out on every fifth day: that may be just right.
#
# **Then test the distribution,** by log-probability on new days and by a PIT; a forecast that is
# one number has no quantile to order.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - P. McCullagh and J. A. Nelder, *Generalized Linear Models* (2nd edition, 1989): links,
#   families, and the ordinal model of this lesson.
# - J. M. Hilbe, *Negative Binomial Regression* (2nd edition, 2011): its parametrisations and its
#   relatives, zero-inflated ones included.
# - C. Kleiber and A. Zeileis, "Visualizing count data regressions using rootograms", *The American
#   Statistician* (2016): how to read the hanging bars.
# - C. Czado, T. Gneiting and L. Held, "Predictive model assessment for count data", *Biometrics*
#   (2009): the PIT and proper scores for counts.
# - T. Gneiting, "Making and evaluating point forecasts", *Journal of the American Statistical
#   Association* (2011): which number of a distribution a loss asks for.

# %% [markdown]
# ## Your turn
#
# The assignment `02_output_distributions` has seven exercises in code, and none is a cell of this
# lesson: parametrisations, Jacobians, zeros, links, ordered labels, decisions and sequences; and
# one answer in words.
