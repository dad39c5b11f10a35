# %% [markdown]
# # Entropy, KL, cross-entropy, label smoothing
#
# Half of all data lie in a heap around −2, the other half in a heap around 2; each heap is Normal
# with standard deviation 0.5. One Normal $q$ shall stand for all of them: $p$ is the density of
# the data, and gradient descent in small steps, with exact gradients, lowers $\mathrm{KL}(q \,\|\,
# p)$ over the mean and the log standard deviation of $q$. This is variational inference with one
# latent number. It starts at the mean 0.3 and the standard deviation
# 1. **Where does it end?**

# %% [markdown]
# **After this lesson you can** say what a nat of cross-entropy costs; foretell where forward and
# reverse KL end; and use `F.kl_div`, `label_smoothing` and soft targets without a slip.
#
# **You need** the NLL in nats, logits and softmax (unit 01), and an idea of calibration (a
# sentence below; unit 05 has the whole story). Reading takes about 80 minutes with the code, 30
# without it; running some 15 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Commit to each prediction before you read on; only your first answer is kept.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from torch.nn import functional as F

from course_utils.device import numpy_rng, one_thread
from course_utils.plotting import plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "03-two-heaps",
    ...,
    ask="From mean 0.3 and standard deviation 1: where does the mean of q end?",
    choices=("at a heap, near 2 or near -2", "near 0, where no data lie", "far outside both"),
)

# %% [markdown]
# ## A code is a promise
#
# A code that spends few bits on some symbols must spend many on others. The best one for symbols
# with probabilities $q$ spends $-\log_2 q(x)$ bits on $x$: one bit for each halving. So a code
# *is* a distribution, and a distribution is a code. Here is a line in two of them: one made
# for English prose (descriptions of data sets), one made for Python (the functions that load
# them).

# %%
import inspect

from sklearn import datasets

names = ("iris", "wine", "diabetes", "breast_cancer", "digits", "linnerud")
prose = "\n".join(getattr(datasets, f"load_{name}")().DESCR for name in names)
python = inspect.getsource(inspect.getmodule(datasets.load_iris))
alphabet = sorted(set(prose + python))
count = {text: np.array([text.count(a) for a in alphabet]) + 0.5 for text in (prose, python)}
p, q = (count[text] / count[text].sum() for text in (prose, python))

# %% [markdown]
# (The half keeps a symbol that never came from costing infinitely much.)

# %% hide=True alt="Digits of a line are dearer in Python's code, its brackets in that for prose."
line = "in 1997, see data['key']"
place = [alphabet.index(letter) for letter in line]
_, ax = plt.subplots(figsize=(9, 2.8))
ax.bar(np.arange(len(place)) - 0.2, -np.log2(p[place]), 0.4, label="code for prose")
ax.bar(np.arange(len(place)) + 0.2, -np.log2(q[place]), 0.4, label="code for Python")
ax.set(
    ylabel="bits",
    ylim=(0, 14.5),
    title="The same line in two codes: each has its own dear letters",
)
ax.set_xticks(range(len(place)), [letter if letter != " " else "␣" for letter in line])
_ = ax.legend(ncols=2)

# %% [markdown]
# Digits are cheaper in the code for prose, brackets in that for Python. Each code promises what
# will come, and pays where something else comes.

# %% [markdown]
# ## Three numbers
#
# If symbols come from $p$ and the code was made for $q$, the mean price is the **cross-entropy**;
# in the code made for $p$ itself it is the **entropy**, and no code has a lower one; what the
# wrong code costs more is the **Kullback-Leibler divergence**:
#
# $$H(p, q) = -\sum_x p(x) \log q(x), \qquad H(p) = H(p, p), \qquad
#   \mathrm{KL}(p \,\|\, q) = \sum_x p(x) \log \frac{p(x)}{q(x)} .$$
#
# With $\log_2$ they are in bits, with the natural logarithm in nats.


# %%
def cross_entropy(p, q):  # nats
    return -(p * np.log(q)).sum()


def kl(p, q):  # nats
    return (p * np.log(p / q)).sum()


bit = np.log(2)  # nats
for name, (a, b) in {"prose": (p, q), "Python": (q, p)}.items():
    own, other, more = (v / bit for v in (cross_entropy(a, a), cross_entropy(a, b), kl(a, b)))
    print(f"{name:7s} own code {own:.2f}, other code {other:.2f}, so {more:.2f} bits more")

# %% [markdown]
# The price of the wrong code is not the same both ways; here the two are close, by chance.
#
# That a wrong code never pays follows from two lines. The first holds for any targets $p$, for
# soft labels as well as for one-hot ones; the second uses Jensen's inequality, *the mean of
# logarithms is at most the logarithm of the mean*:
#
# $$
# \begin{aligned}
# (1) && H(p, q) &= -\sum_x p \log p + \sum_x p \log \frac{p}{q}
#     = H(p) + \mathrm{KL}(p \,\|\, q) \\
# (2) && -\mathrm{KL}(p \,\|\, q) &= \sum_{p > 0} p \log \frac{q}{p}
#     \le \log \sum_{p > 0} p \, \frac{q}{p} = \log \sum_{p > 0} q \le \log 1 = 0
# \end{aligned}
# $$

# %%
rng = numpy_rng(0)
for soft, guess in rng.dirichlet(np.full(5, 0.5), (1000, 2)):
    assert np.isclose(
        cross_entropy(soft, guess), cross_entropy(soft, soft) + kl(soft, guess)
    )  # (1)
    assert -kl(soft, guess) <= np.log(guess[soft > 0].sum()) + 1e-12  # (2)
    assert kl(soft, guess) >= 0

# %% [markdown]
# So a training loss has a floor that no model breaks: the entropy of the labels given the input.
# If one label in five is wrong, a perfect binary classifier has a cross-entropy of $H(0.2)$, 0.50
# nats, and not 0.

# %%
assert np.isclose(cross_entropy(np.array([0.2, 0.8]), np.array([0.2, 0.8])), 0.5004, atol=1e-4)

# %% [markdown] card="03-price-of-the-wrong-code"
# How are cross-entropy H(p, q), entropy H(p) and KL(p‖q) related, and which of the differences
# cannot be negative?
#
# **Answer.** H(p, q) = H(p) + KL(p‖q), and the divergence is never negative. So no model has an
# expected cross-entropy below the entropy of the labels given the input.

# %% [markdown]
# ### Mutual information
#
# How much cheaper is a letter if the letter before it is known? The saving is a divergence, too,
# $\mathrm{KL}(\text{joint} \,\|\, \text{product of the frequencies})$, called *mutual
# information*. Unit 06 needs it.

# %%
where = np.array([alphabet.index(letter) for letter in prose])
joint = np.zeros((len(alphabet),) * 2)
np.add.at(joint, (where[:-1], where[1:]), 1 / (len(where) - 1))
before, after = joint.sum(1), joint.sum(0)
known = -np.sum(joint[joint > 0] * np.log((joint / before[:, None].clip(1e-99))[joint > 0]))
alone = -np.sum(after[after > 0] * np.log(after[after > 0]))
both = joint[joint > 0], np.outer(before, after)[joint > 0]
assert np.isclose(alone - known, kl(*both))
print(f"{alone / bit:.2f} bits alone, {known / bit:.2f} after the letter before it is known")

# %% [markdown]
# (Without the half of above, and counted on the same text. Unit 02 held a tenth of it out: there
# pairs cost more than four bits, and a network less.)

# %% [markdown]
# ## What a nat costs
#
# Papers report that a loss fell from 2.30 to 2.20, and you shrug. The loss is a mean over tokens
# of $-\log q$, so a text of $n$ tokens has the probability $e^{-n \cdot \text{loss}}$ under the
# model. A text of 1000 tokens became more probable, by how many powers of ten?

# %%
predict(
    "03-tenth-of-a-nat",
    ...,
    ask="The loss per token falls by 0.10 nats. A text of 1000 tokens became 10^? as probable:",
)

# %% [markdown] fold="03-tenth-of-a-nat"
# ### Four ways to say it

# %% [markdown]
# Units for one and the same tenth of a nat per token:

# %% same=True
drop, n = 0.10, 1000
powers = n * drop / np.log(10)
print(f"likelihood ratio   e^{n * drop:.0f} = 10^{powers:.1f}")
print(f"perplexity         from {np.exp(2.3):.2f} to {np.exp(2.2):.2f}")
print(f"bits per token     {drop / bit:.3f} fewer")
print(f"a file of the text {n * drop / bit / 8:.0f} bytes shorter")
because = {
    1: "One nat is a factor e for one token; factors of 1000 tokens multiply.",
    100: "That is the exponent of e: 100 nats.",
}
reveal("03-tenth-of-a-nat", round(powers, 1), within=1, because=because)

# %% [markdown]
# *Perplexity* is $e^{\text{loss}}$: a loss of 2.30 is as hard as a fair choice among 10 tokens. A
# nat is a factor of $e$ per token; a bit, 0.69 nats, a factor of 2. Small differences per token
# are large differences per text, and that is how to read every NLL in this course.

# %% [markdown] card="03-perplexity"
# What is a perplexity, and what is one of 10 like?
#
# **Answer.** e to the loss per token, in nats. A perplexity of 10 is as hard as a fair choice
# among 10 tokens.

# %% [markdown]
# ## Zeros
#
# A code that spends no word on a symbol cannot send it: its price is infinite. Many functions clip
# the probabilities instead. Let $p = (0.5, 0.5)$ and $q = (1, 0)$, and let $q$ be clipped at
# $10^{-10}$ before the logarithm is taken.

# %%
predict("03-clipped-kl", ..., ask="What does the clipped formula give for KL(p || q), in nats?")

# %% [markdown] fold="03-clipped-kl"
# ### With and without the clip

# %% [markdown]
# Both ways, and with other clips:

# %%
heads, sure = np.array([0.5, 0.5]), np.array([1.0, 0.0])
with np.errstate(all="ignore"):
    print(f"without clip: {kl(heads, sure)}")
for least in (1e-5, 1e-10, 1e-20, 1e-300):
    print(f"clip at {least:.0e}: {kl(heads, sure.clip(least)):.1f}")
clipped = kl(heads, sure.clip(1e-10))
because = {23: "That is the price of the one symbol; it comes half of the time."}
reveal("03-clipped-kl", round(clipped, 2), within=0.5, unit="nats", because=because)

# %% [markdown]
# The number depends on the clip, not on the distributions. The right value is infinite, and says
# something: *q rules out what happens*. The other way round there is nothing infinite, for
# $\mathrm{KL}(q \,\|\, p)$ is $\log 2$: an outcome with probability 0 adds $0 \log 0 = 0$. But
# floats say that $0 \cdot (-\infty)$ is nan, so code has to say it differently.

# %% [markdown] card="03-infinite-divergence"
# KL(p‖q) comes out as infinite. What does it say, and why not clip q to be safe?
#
# **Answer.** That q rules out what happens under p. A clipped formula gives a number that depends
# on the clip and not on the two distributions.

# %% [markdown]
# ### Who computes what
#
# No row raises or warns; the last column is what was meant.

# %% same=True
t64 = lambda *v: torch.tensor(v).double()  # noqa: E731
a, b, even = t64(0.7, 0.2, 0.1), t64(0.4, 0.4, 0.2), t64(0.5, 0.5, 0.0)
sure_thing = torch.distributions.Categorical(probs=t64(1.0, 0.0))
right = F.kl_div(b.log(), a, reduction="sum")  # KL(a || b): log b comes first
rows = {
    "kl_div(log b, a)": (right, right),
    "kl_div(log a, b): the other direction": (F.kl_div(a.log(), b, reduction="sum"), right),
    "kl_div(b, a): no logarithm": (F.kl_div(b, a, reduction="sum"), right),
    "kl_div where both have a 0": (F.kl_div(even.log(), even, reduction="sum"), 0.0),
    "Categorical([1, 0]).log_prob(1)": (sure_thing.log_prob(torch.tensor(1)), -np.inf),
}
for name, (value, meant) in rows.items():
    print(f"{name:38s} {value:8.3f}   meant: {meant:.3f}")

# %% [markdown]
# `F.kl_div(input, target)` computes $\mathrm{KL}(\text{target} \,\|\, \text{input})$ and wants the
# *logarithm* of its input. By default it divides by the number of entries (this it warns of);
# `reduction="batchmean"` divides by that of rows. SciPy's `entropy(p, q)` normalises what you hand
# over, `rel_entr` does not, and `jensenshannon` returns a root.

# %% [markdown] card="03-arguments-of-kl-div"
# `F.kl_div(input, target)`: which divergence is it, and what does it expect as its input?
#
# **Answer.** KL(target‖input), and the input is a logarithm of probabilities. By default it
# divides by the number of entries; `reduction="batchmean"` divides by that of rows.

# %% [markdown]
# ## Broken on purpose: a divergence without its logarithm
#
# One of these slips hides best: `F.kl_div(q, p)` with probabilities for both. It runs, and it
# falls during training. Three logits learn a known distribution $p = (0.5, 0.3, 0.2)$, once as it
# should be and once with the slip.

# %%
target = t64(0.5, 0.3, 0.2)
losses = {
    "right": lambda z: F.kl_div(z.log_softmax(0), target, reduction="sum"),
    "slip": lambda z: F.kl_div(z.softmax(0), target, reduction="sum"),
}

# %% [markdown]
# The same loop for both:

# %%
path = {"right": [], "slip": []}
for name, loss in losses.items():
    z = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([z], lr=0.1)
    for _ in range(200):
        adam.zero_grad()
        value = loss(z)
        value.backward()
        adam.step()
        path[name].append((value.item(), *z.softmax(0).tolist()))

# %% [markdown]
# Loss and probabilities, step by step:

# %% hide=True alt="The right loss ends at 0 with probabilities .5, .3, .2; the slip at one-hot."
_, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, steps in zip(axes, path.values(), strict=True):
    value, *probabilities = np.array(steps).T
    plot_curve(range(200), value, ax=ax, color="black", label="loss (nats)")
    for k, line in enumerate(probabilities):
        plot_curve(range(200), line, ax=ax, color=f"C{k}", label=f"q of outcome {k + 1}")
        ax.axhline(target[k], color=f"C{k}", ls=":", lw=1.4)
    ax.set(xlabel="step")
axes[0].set_title("Right: q becomes p")
axes[1].set_title("Slip: q becomes one-hot, the loss negative")
_ = axes[0].legend(loc="lower right", fontsize=8)

# %% [markdown]
# A divergence is never negative: a negative loss is the alarm. With the slip the loss is linear in
# $q$, so the model puts everything on the most likely outcome.

# %%
assert abs(path["right"][-1][0]) < 1e-3 and abs(path["right"][-1][1] - 0.5) < 0.02
assert path["slip"][-1][0] < -1 and path["slip"][-1][1] > 0.95

# %% [markdown]
# ## Maximum likelihood finds the nearest model
#
# For symbols, write $\hat p$ for the distribution of the data, with weight $\frac1n$ on each of
# them. For densities, let $p$ be the one that they come from. Then
#
# $$
# (3) \quad -\frac1n \sum_i \log q_\theta(x_i) \;
#   \begin{cases} = H(\hat p) + \mathrm{KL}(\hat p \,\|\, q_\theta) & \text{(symbols)} \\
#   \to H(p) + \mathrm{KL}(p \,\|\, q_\theta) & \text{(densities, as } n \text{ grows)} \end{cases}
# $$
#
# and $\theta$ is in the last term only: to maximise the likelihood is to look for the member of
# the family that is *nearest to the data*, with the data in the first place of the divergence.
# With endless data it is the member nearest to the truth, also if the truth is not in the family.
#
# Waiting times are exponential, with mean 1. Suppose we fit a Normal, a Laplace and a LogNormal
# density. Where do they end? Set the derivative of the limit to zero: the Normal takes the mean
# and variance of the truth, the Laplace its median, the LogNormal the mean and variance of $\log
# x$.

# %%
from scipy import integrate, stats

truth = stats.expon()


def mean_of(f):  # under the truth, by quadrature
    parts = (integrate.quad(lambda x: f(x) * np.exp(-x), *ends)[0] for ends in ((0, 1), (1, 50)))
    return sum(parts)


middle, logs = truth.median(), mean_of(np.log)
log_spread = mean_of(lambda x: (np.log(x) - logs) ** 2) ** 0.5
nearest = {
    "Normal": stats.norm(truth.mean(), truth.std()),
    "Laplace": stats.laplace(middle, mean_of(lambda x: abs(x - middle))),
    "LogNormal": stats.lognorm(log_spread, 0, np.exp(logs)),
}

# %% [markdown]
# Their means, and how far from the truth they remain:

# %%
for name, near in nearest.items():
    nll = -mean_of(near.logpdf)
    print(f"{name:9s} mean {near.mean():.3f}   NLL {nll:.3f}, so KL {nll - truth.entropy():.3f}")
assert np.isclose(truth.entropy(), 1) and np.isclose(middle, np.log(2))

# %% [markdown]
# Is this really the nearest? Neighbours in every direction are farther away, and a sample of a
# million ends at the same place:


# %%
def distance(f):  # KL(truth || f) in nats
    return -mean_of(f.logpdf) - truth.entropy()


best = distance(nearest["Normal"])
assert all(distance(stats.norm(1 + a, 1 + b)) > best for a, b in rng.normal(0, 0.1, (30, 2)))
sample = rng.exponential(size=1_000_000)
assert np.allclose(stats.norm.fit(sample), (1, 1), atol=0.01)  # (3)
inside = truth.cdf(nearest["Normal"].interval(0.9))
print(f"the Normal's 0.9 interval: {inside[0]:.3f} below it, {1 - inside[1]:.3f} above it")

# %% hide=True alt="An exponential density and three fits; the Normal reaches below zero."
x = np.linspace(-2, 5, 500)
_, ax = plt.subplots()
for name, near in nearest.items():
    plot_curve(x, near.pdf(x), ax=ax, label=name)
plot_oracle(x, np.where(x >= 0, np.exp(-x), np.nan), ax=ax, label="truth")
ax.set(
    xlabel="waiting time",
    ylabel="density",
    ylim=(0, 1.1),
    title="Three families, each at its nearest",
)
_ = ax.legend()

# %% [markdown]
# The Normal has the right mean and the right variance, spends probability on negative times, and
# errs on one side only. *Nearest* is not *near*.

# %% [markdown]
# ### Right mean, wrong error bar
#
# Counts have mean 10 and variance 60. We fit a Poisson to 100 of them; the nearest Poisson has the
# right mean. As its variance is its mean, it puts the standard error of $\bar x$ at $\sqrt{\bar x
# / n}$: so $\bar x \pm 1.96 \sqrt{\bar x / n}$ is a 95% interval. In what share of repeats does it
# hold 10?

# %%
predict("03-poisson-interval", ..., ask="Share of 95% intervals that hold the true mean?")

# %% [markdown] fold="03-poisson-interval"
# ### Two thousand repeats

# %% [markdown]
# The Poisson's interval, and one that takes the spread from the data (unit 01's *sandwich*, which
# for a mean is the plain standard error):


# %%
def interval_shares(seed, repeats):
    counts = numpy_rng(seed).negative_binomial(2, 1 / 6, (repeats, 100))  # mean 10, variance 60
    mean, spread = counts.mean(1), counts.std(1, ddof=1)
    half = {"Poisson": 1.96 * np.sqrt(mean) / 10, "sandwich": 1.96 * spread / 10}
    return {name: (abs(mean - 10) <= h).mean() for name, h in half.items()}


shares = interval_shares(0, 2000)
print(", ".join(f"{name} {share:.2f}" for name, share in shares.items()))
assert abs(shares["Poisson"] - (2 * stats.norm.cdf(1.96 * (10 / 60) ** 0.5) - 1)) < 0.04
because = {
    0.95: "So it would be if counts had the variance 10: the interval takes the model's word."
}
reveal("03-poisson-interval", round(shares["Poisson"], 2), within=0.05, because=because)

# %% [markdown]
# The nearest model gets right what it was nearest in, and no more.


# %% hide=True claim="Poisson intervals hold the mean under .65, sandwiches over .9." steps=2000
def only_the_sandwich_holds(seed, steps):
    found = interval_shares(seed, steps)
    return min(0.65 - found["Poisson"], found["sandwich"] - 0.9)


# %% [markdown] card="03-nearest-is-not-near"
# A Poisson is fitted by maximum likelihood to counts whose variance is above their mean. What of
# it is right, and what is not?
#
# **Answer.** It is the nearest Poisson, so its mean is right; its error bars are not, since it
# takes the variance to be the mean. Take the spread from the data instead (the sandwich).

# %% [markdown]
# ## Densities: metres and millimetres
#
# For densities the sums become integrals, and $H(p) = -\int p \log p$ is called *differential
# entropy*. From metres to millimetres an NLL rises by $\log 1000$ (unit 01), and so does an
# entropy. What becomes of the KL between two models of the heights of people?

# %%
predict(
    "03-kl-in-millimetres",
    ...,
    ask="From metres to millimetres: what does KL between two densities do?",
    choices=("it grows by log 1000, too", "it falls to a thousandth", "it stays as it is"),
)

# %% [markdown] fold="03-kl-in-millimetres"
# ### In both units

# %% [markdown]
# Two Normals, with standard deviations of 0.1 and 0.2 metres:

# %% same=True
D = torch.distributions
metres = D.Normal(t64(1.7), t64(0.1)), D.Normal(t64(1.6), t64(0.2))
millimetres = D.Normal(t64(1700.0), t64(100.0)), D.Normal(t64(1600.0), t64(200.0))
for unit, (one, two) in {"m": metres, "mm": millimetres}.items():
    entropy, divergence = one.entropy().item(), D.kl_divergence(one, two).item()
    print(f"{unit:3s} entropy {entropy:6.3f}   KL {divergence:.3f}")
grown = (millimetres[0].entropy() - metres[0].entropy()).item()
print(f"grown by log 1000 = {grown:.3f}")
assert stats.norm(0, 0.24).entropy() < 0 < stats.norm(0, 0.25).entropy()
because = {
    "it grows by log 1000, too": "It is a difference of two that grow: the unit cancels.",
    "it falls to a thousandth": "Both densities do; their ratio stays.",
}
same = np.isclose(D.kl_divergence(*metres), D.kl_divergence(*millimetres))
reveal("03-kl-in-millimetres", "it stays as it is" if same else "?", because=because)

# %% [markdown]
# A differential entropy, like any NLL of a density, means nothing without its unit, and may be
# negative: that of a Normal is, in its unit, below a standard deviation of 0.24. A divergence has
# no unit. That is one reason to compare models by differences.

# %% [markdown] card="03-unit-of-an-entropy"
# Heights go from metres to millimetres. What becomes of the differential entropy, and of a KL
# divergence between two models?
#
# **Answer.** The entropy grows by a constant: a density is per unit. In the divergence the unit
# cancels, and it stays.

# %% [markdown]
# ### The divergence of two Normals
#
# The one formula of this unit that later ones use all the time. With $z = (x - m)/s$ and
# $x \sim q = N(m, s^2)$, against $p = N(\mu, \sigma^2)$:
#
# $$
# \begin{aligned}
# (4) && \log \frac{q(x)}{p(x)} &= \log \frac{\sigma}{s} - \frac{z^2}{2}
#     + \frac{(x - \mu)^2}{2 \sigma^2} \\
# (5) && \mathrm{E}_q\, z^2 = 1, &\qquad \mathrm{E}_q (x - \mu)^2 = s^2 + (m - \mu)^2 \\
# (6) && \mathrm{KL}(q \,\|\, p) &= \log \frac{\sigma}{s} + \frac{s^2 + (m - \mu)^2}{2 \sigma^2}
#     - \frac12
# \end{aligned}
# $$

# %%
m, s, mu, sigma = 0.4, 0.7, -0.3, 1.6
one, two = stats.norm(m, s), stats.norm(mu, sigma)
x = np.linspace(-3, 4, 9)
z = (x - m) / s
ratio = np.log(sigma / s) - z**2 / 2 + (x - mu) ** 2 / (2 * sigma**2)
assert np.allclose(one.logpdf(x) - two.logpdf(x), ratio)  # (4)
assert np.isclose(one.expect(lambda x: (x - mu) ** 2), s**2 + (m - mu) ** 2)  # (5)
exact = np.log(sigma / s) + (s**2 + (m - mu) ** 2) / (2 * sigma**2) - 0.5
assert np.isclose(D.kl_divergence(D.Normal(t64(m), s), D.Normal(t64(mu), sigma)), exact)  # (6)

# %% [markdown]
# Independent components add up. The slips are known: $s$ where $s^2$ belongs, the half forgotten,
# the logarithm upside down. Test with $s \ne 1$ and with both orders.

# %% [markdown]
# ## A divergence from draws
#
# Without a formula one draws $x_i \sim q$ and averages. With $r = p(x)/q(x)$ two kinds of terms
# are in use: the plain $-\log r$, and $(r - 1) - \log r$. The second is never negative, and has
# the same mean, because $r - 1$ has the mean 0. Let $q$ and $p$ be Normals with standard deviation
# 1 whose means are 2 apart.

# %%
predict(
    "03-less-noise",
    ...,
    ask="Which terms scatter less?",
    choices=("the plain ones", "those that are never negative", "both the same"),
)

# %% [markdown] fold="03-less-noise"
# ### Both, for all distances

# %% [markdown]
# For Normals that are $d$ apart $\log r = d x - d^2/2$, so the variances are exact: $d^2$, and
# with $\mathrm{E}\, r^2 = e^{d^2}$ also $e^{d^2} - 1 - d^2$. Beside them draws, for a check:


# %%
def terms(d, draws):  # of draws from q = N(0, 1), for p = N(d, 1)
    log_r = d * draws - d**2 / 2
    return -log_r, np.expm1(log_r) - log_r


draws = rng.standard_normal(400_000)
d = np.linspace(0.05, 2.2, 60)
plain_sd, positive_sd = d, np.sqrt(np.expm1(d**2) - d**2)
some = np.array([0.3, 0.8, 1.2, 1.6])
drawn = np.array([[v.std() for v in terms(gap, draws)] for gap in some])
assert np.allclose(drawn[:3], np.c_[some, np.sqrt(np.expm1(some**2) - some**2)][:3], rtol=0.05)

# %% hide=True alt="Spread of both terms: the never negative one is lower up to d = 1.12."
ax = plot_curve(d, plain_sd, label="plain")
plot_curve(d, positive_sd, ax=ax, label="never negative")
plot_data(np.r_[some, some], drawn.T.ravel(), ax=ax, label="400 000 draws")
ax.set(xlabel="distance d of the means", ylabel="sd of one term (nats)", ylim=(0, 8))
ax.set_title("Never negative, but noisy beyond d = 1.12")
_ = ax.legend()

# %% [markdown]
# And at $d = 2$:

# %%
at_two = {"the plain ones": 2.0, "those that are never negative": np.sqrt(np.expm1(4) - 4)}
print(", ".join(f"{name} {sd:.1f}" for name, sd in at_two.items()))
crossing = d[np.argmin(abs(positive_sd - plain_sd) + (d < 0.5))]
assert abs(crossing - 1.121) < 0.04
because = {"those that are never negative": "So it is while the two are close: below d = 1.12."}
reveal("03-less-noise", min(at_two, key=at_two.get), because=because)

# %% [markdown]
# "Never negative" is about the sign of each term, not about its noise. Where the two are close it
# helps a lot; where $p$ has heavier tails than $q$, its variance may even be infinite. An estimate
# needs its standard error beside it, whichever terms it averages.

# %% [markdown]
# ## Label smoothing
#
# *Label smoothing* hands a share $\varepsilon$ of each label's probability to all $K$ classes, the
# true one included: targets $t = (1 - \varepsilon)\, \mathrm{onehot}(y) + \varepsilon u$ with
# $u = \frac1K$. In this section $t$ stands in the place of the data, and $p$ is the *model's*
# distribution, as PyTorch's documents write it. The cross-entropy is linear in the target, and
# by (1)
#
# $$
# \begin{aligned}
# (7) && H(t, p) &= (1 - \varepsilon) \left(-\log p_y\right) + \varepsilon H(u, p) \\
# (8) && &= (1 - \varepsilon) \left(-\log p_y\right)
#     + \varepsilon \left[\mathrm{KL}(u \,\|\, p) + \log K\right] .
# \end{aligned}
# $$
#
# So it adds $\mathrm{KL}(u \,\|\, p)$, uniform first. The other direction,
# $\mathrm{KL}(p \,\|\, u) = \log K - H(p)$, is the *confidence penalty*, another method.

# %%
eps, K = 0.1, 10
logits, labels = torch.from_numpy(rng.normal(0, 2, (6, K))), torch.arange(6)
log_p = logits.log_softmax(1)
built_in = F.cross_entropy(logits, labels, label_smoothing=eps)
t = (1 - eps) * F.one_hot(labels, K) + eps / K
assert torch.isclose(F.cross_entropy(logits, t), built_in)  # soft targets, (7)
u_to_p = (-np.log(K) - log_p.mean(1)).mean()
hard = F.cross_entropy(logits, labels)
assert torch.isclose((1 - eps) * hard + eps * (u_to_p + np.log(K)), built_in)  # (8)
p_to_u = (log_p.exp() * (log_p + np.log(K))).sum(1).mean()
print(f"KL(u || p) {u_to_p:.3f} nats, KL(p || u) {p_to_u:.3f} nats: not the same method")

# %% [markdown]
# ### The floor
#
# With $K = 10$ and $\varepsilon = 0.1$, what is the smallest value that this loss can take?

# %%
predict("03-floor", ..., ask="The smallest smoothed loss, K = 10 and eps = 0.1, in nats?")

# %% [markdown] fold="03-floor"
# ### The entropy of the target

# %% [markdown]
# By (1) it is $H(t)$, reached where the softmax *is* the target. Let the true logit lie above all
# others by a gap, and the others be equal:


# %%
def smoothed_loss(gap, eps, K=10):
    stay = 1 - eps + eps / K
    log_others = -np.log(np.exp(gap) + K - 1)
    return -stay * (gap + log_others) - (1 - stay) * log_others


# %% [markdown]
# The loss against the gap:


# %% hide=True alt="The smoothed loss against the logit gap: a minimum of 0.50 at a gap of 4.5."
def draw_floor(eps=0.1):
    _, ax = plt.subplots()
    gap = np.linspace(0, 12, 300)
    plot_curve(gap, smoothed_loss(gap, eps), ax=ax, label="smoothed loss")
    plot_curve(gap, smoothed_loss(gap, 0.0), ax=ax, label="without smoothing", color="0.5")
    best = np.log((1 - eps + eps / 10) / (eps / 10))
    floor = smoothed_loss(best, eps)
    ax.plot(best, floor, "o", color="C3", markersize=9)
    ax.set(xlabel="logit of the true class minus the others", ylabel="loss (nats)", ylim=(0, 2.5))
    ax.set_title(f"The floor is {floor:.2f} nats, at a gap of {best:.1f}")
    ax.legend()
    return floor


floor = draw_floor()

# %% [markdown]
# Checked against the entropy of the target:

# %%
assert np.isclose(floor, stats.entropy([0.91] + [0.01] * 9)) and abs(floor - 0.500) < 0.001
because = {0: "A smoothed target is not certain, so nobody can foretell it without loss."}
reveal("03-floor", round(floor, 3), within=0.03, unit="nats", because=because)

# %% [markdown]
# ### Another share
#
# A smoothed loss that is a hundredth of a nat above its floor is a nearly perfect fit. And there
# is a best gap: beyond it more confidence costs. **Move `eps`**; at which value does the best gap
# fall below 2?

# %%
interactive(draw_floor, eps=(0.05, 0.9, 0.05))

# %% [markdown]
# ### One more trap
#
# Class weights and smoothing together: the built-in divides by the sum of the *labels'* weights.
# The same soft targets, written out, divide by the number of examples.

# %%
weights = torch.arange(1.0, K + 1).double()
built = F.cross_entropy(logits, labels, weight=weights, label_smoothing=eps)
written = F.cross_entropy(logits, t, weight=weights)
assert torch.isclose(built * weights[labels].sum(), written * len(labels))
print(f"built-in {built:.2f}, the same soft targets {written:.2f}")

# %% [markdown]
# ## What smoothing does to a network
#
# Some praise it as a cure for overconfidence, others blame it. We measure, on handwritten digits:
# one network of 64 hidden units, 1198 images to learn from, 599 new ones.

# %%
from course_utils.digits import digits
from course_utils.training import fit


def digits_run(seed, noise=0.0):
    rng = numpy_rng(seed)
    images, y, new_images, y_new = digits(rng=rng)
    wrong = [(v + rng.integers(1, 10, len(v))) % 10 for v in (y, y_new)]
    y, y_new = (
        torch.from_numpy(np.where(rng.random(len(v)) < noise, w, v))
        for v, w in zip((y, y_new), wrong, strict=True)
    )
    x, x_new = (torch.from_numpy(v.reshape(-1, 64)) for v in (images, new_images))
    return x, y, x_new, y_new


# %% [markdown]
# Training takes any loss of the logits; the learning rate falls to zero.


# %%
def trained(loss, x, seed, steps):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    adam = torch.optim.Adam(net.parameters(), lr=0.01, fused=True)
    fit(lambda: loss(net(x)), adam, steps=steps, decay=True, progress=False)
    return net.requires_grad_(False)


def losses_on(y):
    def penalised(z):  # cross-entropy minus 0.1 times the entropy of the prediction
        return F.cross_entropy(z, y) - 0.1 * torch.special.entr(z.softmax(1)).sum(1).mean()

    return {
        "plain": lambda z: F.cross_entropy(z, y),
        "smoothing": lambda z: F.cross_entropy(z, y, label_smoothing=0.1),
        "penalty": penalised,
    }


# %% [markdown]
# Scores on new images, beside accuracy and NLL. ECE, the *expected calibration error*, compares
# confidence with the share of hits in ten bins of confidence. *Ranking*: of a hit and a miss, how
# often is the hit the one with more confidence?


# %%
def ece(z, y):
    confidence, winner = z.softmax(1).max(1)
    gap = (winner == y).double() - confidence
    which = (10 * confidence).long().clamp(max=9)
    return torch.zeros(10).double().index_add(0, which, gap).abs().sum().item() / len(y)


def ranking(z, y):
    confidence, winner = z.softmax(1).max(1)
    hits, misses = confidence[winner == y], confidence[winner != y]
    return (hits[:, None] > misses).double().mean().item()


# %% [markdown]
# $T$ is the temperature by which logits are divided: the one with the best NLL on the first half
# of the new images, judged on the second (unit 05).


# %%
def scores(z, y):
    half, T = len(y) // 2, torch.logspace(-1, 1, 101)
    first = torch.stack([F.cross_entropy(z[:half] / T_, y[:half]) for T_ in T])
    T = T[first.argmin()].item()
    after = F.cross_entropy(z[half:] / T, y[half:]).item()
    hits = (z.argmax(1) == y).double().mean().item()
    found = {"accuracy": hits, "NLL": F.cross_entropy(z, y).item(), "ECE": ece(z, y)}
    return found | {"ranking": ranking(z, y), "T": T, "NLL at T": after}


# %% [markdown]
# Same data, same first weights, 450 steps:

# %%
import functools


@functools.cache
def three_ways(seed, steps, noise=0.0):
    x, y, x_new, y_new = digits_run(seed, noise)
    nets = {name: trained(loss, x, seed, steps) for name, loss in losses_on(y).items()}
    return nets, {name: scores(net(x_new), y_new) for name, net in nets.items()}


# %% [markdown]
# Without smoothing, the calibration error of this network is about 0.01. And with it?

# %%
predict(
    "03-smoothed-ece",
    ...,
    ask="The ECE on clean digits after training with label smoothing 0.1, compared with plain:",
    choices=("about half", "about the same", "several times as large"),
)

# %% [markdown] fold="03-smoothed-ece"
# ### The measurement

# %% [markdown]
# All three, one split of the data:


# %%
def print_table(table):
    print(f"{'':10s}" + "".join(f"{name:>10s}" for name in table["plain"]))
    for name, row in table.items():
        print(f"{name:10s}" + "".join(f"{value:10.3f}" for value in row.values()))


nets, table = three_ways(0, 450)
print_table(table)
times = table["smoothing"]["ECE"] / table["plain"]["ECE"]
answer = "several times as large" if times > 3 else "about the same"
because = {
    "about half": "That holds for networks that are too confident. This one is not.",
    "about the same": "The target's largest probability is 0.91, and nearly all images are right.",
}
reveal("03-smoothed-ece", answer, because=because)

# %% [markdown]
# Why: look at the confidences. Nearly all of the new images are right. The smoothed network was
# trained to give 0.91 to those of the training set, and to images that it has not seen it gives
# less still, 0.86 on average.

# %% hide=True alt="Confidence of new images: plain piles up at 1, smoothing spreads around 0.85."
x, y, x_new, y_new = digits_run(0)
_, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True)
for ax, (name, net) in zip(axes, nets.items(), strict=True):
    confidence, winner = net(x_new).softmax(1).max(1)
    ax.hist(confidence.numpy(), bins=20, range=(0, 1), color="#C0C0C0")
    ax.axvline(confidence.mean(), color="C0", label="mean confidence")
    hits = (winner == y_new).double().mean()
    ax.axvline(hits, color="black", ls="--", lw=1.6, label="accuracy")
    print(f"{name:10s} mean confidence {confidence.mean():.2f}, accuracy {hits:.2f}")
    ax.set(xlabel="confidence", title=f"{name}: ECE {table[name]['ECE']:.2f}")
axes[0].set_ylabel("images")
_ = axes[0].legend(fontsize=8, loc="upper left")

# %% [markdown]
# ### What survives ten seeds
#
# Networks with the same data and the same first weights are compared; each sentence is a claim, a
# folded function that `make robustness` reruns on ten seeds, and three times as long. On clean
# digits
#
# - smoothing raises the ECE and the NLL, and the accuracy as well;
# - but with one temperature, fitted on other images, the smoothed network has the lower NLL;
# - the confidence penalty, with the same factor 0.1, moves the ECE less than a quarter as far.
#
# So smoothing is a regulariser: it finds better logits on a wrong scale. Its best temperature is
# *below* 1, so it is underconfident, and one number, fitted on held-out images, mends that.


# %% hide=True claim="On clean digits smoothing raises the ECE and the accuracy." steps=450
def smoothing_raises_both(seed, steps):
    plain, smooth, _ = three_ways(seed, steps)[1].values()
    return min(smooth[name] - plain[name] for name in ("ECE", "accuracy"))


# %% hide=True claim="On clean digits smoothing raises the NLL." steps=450
def smoothing_raises_the_nll(seed, steps):
    plain, smooth, _ = three_ways(seed, steps)[1].values()
    return smooth["NLL"] - plain["NLL"]


# %% hide=True claim="With a fitted temperature smoothing has the lower NLL." steps=450
def smoothing_wins_at_T(seed, steps):
    plain, smooth, _ = three_ways(seed, steps)[1].values()
    return plain["NLL at T"] - smooth["NLL at T"]


# %% hide=True claim="The penalty moves the ECE under a quarter as far as smoothing." steps=450
def penalty_does_little(seed, steps):
    plain, smooth, penalty = three_ways(seed, steps)[1].values()
    return smooth["ECE"] - plain["ECE"] - 4 * abs(penalty["ECE"] - plain["ECE"])


# %% [markdown]
# With wrong labels the story turns. One label in five is replaced by another, in both parts. An
# ECE of 599 images is noisy, so its difference comes with a standard error, from images drawn anew
# with replacement (a *bootstrap*):


# %%
def ece_gap(nets, x, y):  # of smoothing and plain, and its standard error
    plain, smooth = (nets[name](x) for name in ("plain", "smoothing"))
    rows = [np.arange(len(y)), *numpy_rng(0).integers(len(y), size=(200, len(y)))]
    gaps = [ece(smooth[row], y[row]) - ece(plain[row], y[row]) for row in rows]
    return gaps[0], np.std(gaps[1:])


noisy = {steps: three_ways(0, steps, 0.2) for steps in (150, 450)}
print_table(noisy[450][1])
for steps, (nets_there, _) in noisy.items():
    gap, error = ece_gap(nets_there, *digits_run(0, 0.2)[2:])
    print(f"{steps} steps: smoothing changes the ECE by {gap:+.3f} ± {error:.3f}")

# %% [markdown]
# Now the plain network learns wrong labels by heart and is too sure, and smoothing holds it back.
# On ten seeds its NLL is lower, and after 450 steps and more its ECE, too. On this one split the
# ECE rose at 150 steps and fell at 450, both by no more than chance may do.


# %% hide=True claim="With a fifth of the labels wrong, smoothing lowers the NLL." steps=450
def smoothing_helps_with_noise(seed, steps):
    plain, smooth, _ = three_ways(seed, steps, 0.2)[1].values()
    return plain["NLL"] - smooth["NLL"]


# %% hide=True claim="A fifth of the labels wrong, long training: a lower ECE." steps=450
def smoothing_helps_ece_late(seed, steps):
    plain, smooth, _ = three_ways(seed, steps, 0.2)[1].values()
    return plain["ECE"] - smooth["ECE"]


# %% [markdown]
# The ranking column moved up on some seeds and down on others, with clean labels and with wrong
# ones: no sentence about it survived. **Does label smoothing help calibration? It lowers
# confidence.** That lowered the NLL where labels were wrong, and raised it where they were clean.

# %% [markdown] card="03-what-smoothing-does"
# Does label smoothing help calibration?
#
# **Answer.** It lowers confidence. That helps a network that is too sure, as one that has learnt
# wrong labels by heart, and harms one that is not.

# %% [markdown]
# ## Soft targets from a teacher
#
# *Distillation* trains a student on the probabilities of a teacher, softened by a temperature:
#
# $$(9) \quad T^2\, \mathrm{KL}\left(\mathrm{softmax}(z_\text{teacher} / T) \,\|\,
#   \mathrm{softmax}(z_\text{student} / T)\right) .$$
#
# One image, its label, and two teachers, plain and trained with smoothing, at $T = 4$:

# %% hide=True alt="At T = 4 the plain teacher names similar digits; the smoothed one is flatter."
unsure = nets["plain"](x_new).softmax(1).max(1).values.argsort()[40].item()


def draw_teachers(T=4.0):
    _, (image, ax) = plt.subplots(1, 2, figsize=(9, 2.8), width_ratios=(1, 3))
    image.imshow(x_new[unsure].reshape(8, 8), cmap="gray_r")
    image.set(xticks=[], yticks=[], title=f"labelled {y_new[unsure]}")
    for k, name in enumerate(("plain", "smoothing")):
        target = (nets[name](x_new[unsure]) / T).softmax(0)
        ax.bar(np.arange(10) + 0.4 * k - 0.2, target, 0.4, label=f"teacher: {name}")
    ax.set(xlabel="class", xticks=range(10), ylabel="probability", ylim=(0, 1))
    ax.set_title(f"T = {T:g}: what the student is told")
    ax.legend()


draw_teachers()

# %% [markdown]
# The plain teacher says what this image resembles and what not: more than a label holds. Smoothing
# asked the other one for *equal* probabilities of all wrong classes. **Move `T`**: at 1 little of
# this is to be seen.

# %%
interactive(draw_teachers, T=(0.5, 10.0, 0.5))

# %% [markdown]
# Is it worth anything? Students see 100 images, with labels, or with targets of a teacher who knew
# all 1198; and once all 1198 with each teacher's targets.


# %%
def student_loss(teacher, x, T=4.0):
    goal = (teacher(x) / T).log_softmax(1)

    def loss(z):  # (9), a mean over images
        said = (z / T).log_softmax(1)
        return T**2 * F.kl_div(said, goal, reduction="batchmean", log_target=True)

    return loss


# %% [markdown]
# Three students, from the same first weights, on the first `n` images:


# %%
@functools.cache
def student_accuracies(seed, steps, n):
    x, y, x_new, y_new = digits_run(seed)
    nets, _ = three_ways(seed, steps)
    losses = {"labels": losses_on(y[:n])["plain"]}
    losses |= {f"{name} teacher": student_loss(nets[name], x[:n]) for name in list(nets)[:2]}
    pupils = {name: trained(loss, x[:n], 100 + seed, steps) for name, loss in losses.items()}
    return {
        name: (net(x_new).argmax(1) == y_new).double().mean().item()
        for name, net in pupils.items()
    }


# %% [markdown]
# Accuracy on new images:

# %%
pupils = {n: student_accuracies(0, 450, n) for n in (100, 1198)}
for name in ("plain", "smoothing"):
    print(f"teacher, {name}: {table[name]['accuracy']:.3f}")
for n, found in pupils.items():
    print(f"{n:4d} images:", ", ".join(f"{name} {value:.3f}" for name, value in found.items()))

# %% hide=True alt="100 images: both teachers beat labels, plain first. 1198: the smoothed leads."
_, ax = plt.subplots(figsize=(7, 2.8))
for row, found in enumerate(pupils.values()):
    for k, (name, value) in enumerate(found.items()):
        ax.plot(
            value,
            row + 0.15 * (1 - k),
            "o",
            color=f"C{k}",
            markersize=10,
            label=name if row else None,
        )
ax.set(yticks=(0, 1), yticklabels=[f"{n} images" for n in pupils], ylim=(-0.6, 1.9))
ax.set(xlabel="student's accuracy", title="Few images: the plain teacher. Many: the better one")
_ = ax.legend(ncols=3, loc="upper left", fontsize=8)

# %% [markdown]
# So it is on ten splits: with 100 images soft targets beat labels, and the smoothed teacher,
# though the better classifier, has the worse students; with all images it has the better ones.


# %% hide=True claim="With 100 images, a teacher's soft targets beat labels." steps=450
def teacher_beats_labels(seed, steps):
    found = student_accuracies(seed, steps, 100)
    return found["plain teacher"] - found["labels"]


# %% hide=True claim="A smoothed teacher is better, its students of 100 images worse." steps=450
def smoothed_teaches_worse(seed, steps):
    plain, smooth, _ = three_ways(seed, steps)[1].values()
    found = student_accuracies(seed, steps, 100)
    student = found["plain teacher"] - found["smoothing teacher"]
    return min(smooth["accuracy"] - plain["accuracy"], student)


# %% hide=True claim="With all images, students of the smoothed teacher are better." steps=450
def with_all_images_it_teaches_better(seed, steps):
    found = student_accuracies(seed, steps, 1198)
    return found["smoothing teacher"] - found["plain teacher"]


# %% [markdown]
# "Smoothed teachers teach worse" is half of the truth. With few images and a high temperature the
# lesson is in the small probabilities, and smoothing erased them; with many it is in the winners.

# %% [markdown]
# ## Two directions
#
# Back to the two heaps. In $\mathrm{KL}(p \,\|\, q)$, *forward* for a fit of $q$, the data come
# first: it is what maximum likelihood lowers, and $q$ pays for every place where data are and it
# is not. In $\mathrm{KL}(q \,\|\, p)$, *reverse*, $q$ pays for every place where it is and the
# data are not. Variational inference (unit 11) lowers this one, since it can be computed
# from draws of $q$.
#
# Forward is easy: by (3) the nearest Normal has the moments of $p$, mean 0 and variance
# $2^2 + 0.5^2 = 4.25$, from any start. For reverse we descend; with $x = \mu + \sigma z$ and the
# slope $g = \frac{d}{dx} \log p(x)$,
#
# $$
# (10) \quad \frac{d\,\mathrm{KL}}{d\mu} = -\mathrm{E}_z\, g, \qquad
#   \frac{d\,\mathrm{KL}}{d \log \sigma} = -1 - \sigma\, \mathrm{E}_z [g z] .
# $$

# %%
from scipy import special

node = np.linspace(-7, 7, 141)  # z, on a grid: exact to many digits
mass = np.exp(-(node**2) / 2) / np.exp(-(node**2) / 2).sum()


def log_heaps(x, m, w):  # log density; weights w left, 1 - w right
    left, right = (stats.norm(c, 0.5).logpdf(x) for c in (-m, m))
    return np.logaddexp(np.log(w) + left, np.log1p(-w) + right)


def slope(x, m, w):  # of log_heaps
    right = special.expit(8 * m * x + np.log((1 - w) / w))  # the right heap's share at x
    return (m * (2 * right - 1) - x) / 0.25


def reverse_kl(mu, sd, m=2.0, w=0.5):
    x = mu + sd * node
    return mass @ (stats.norm(mu, sd).logpdf(x) - log_heaps(x, m, w))


# %% [markdown]
# Gradient descent on (10), and a check of its gradients by finite differences:


# %%
def descend(mu, sd, m=2.0, w=0.5, rate=0.05, steps=800):
    path, log_sd = [(mu, sd)], np.log(sd)
    for _step in range(steps):
        sd = np.exp(log_sd)
        g = slope(mu + sd * node, m, w)
        mu, log_sd = mu + rate * mass @ g, log_sd + rate * (1 + sd * (mass @ (g * node)))
        path.append((mu, np.exp(log_sd)))
    return np.array(path)


h = 1e-5
assert np.isclose(mass @ (node * 0.5 + 2) ** 2, 2**2 + 0.5**2) and 2**2 + 0.5**2 == 4.25
by_differences = (reverse_kl(0.3 + h, 0.8) - reverse_kl(0.3 - h, 0.8)) / (2 * h)
assert np.isclose(by_differences, -mass @ slope(0.3 + 0.8 * node, 2.0, 0.5), rtol=1e-5)  # (10)
by_differences = (reverse_kl(0.3, 0.8 * (1 + h)) - reverse_kl(0.3, 0.8 * (1 - h))) / (2 * h)
g = slope(0.3 + 0.8 * node, 2.0, 0.5)
assert np.isclose(by_differences, -1 - 0.8 * (mass @ (g * node)), rtol=1e-5)  # (10)

# %% [markdown] fold="03-two-heaps"
# ### Where it ends

# %% [markdown]
# From the start of the opening question, and from another:

# %%
ends = {}
for start in ((0.3, 1.0), (1.0, 1.0)):
    mu, sd = descend(*start)[-1]
    ends[start] = mu, sd
    print(f"start {start}: mean {mu:.2f}, sd {sd:.2f}, KL(q || p) = {reverse_kl(mu, sd):.3f}")
assert np.allclose(descend(0.3, 1.0, steps=5000)[-1], (0, 1.736), atol=0.002)  # longer: the same
assert np.allclose(ends[1.0, 1.0], (2, 0.5), atol=0.002)
assert np.isclose(reverse_kl(*ends[1.0, 1.0]), np.log(2), atol=1e-3)
because = {
    "at a heap, near 2 or near -2": "The best fits lie there, and descent does not reach them.",
    "far outside both": "There q would lie where no data are, which reverse KL punishes most.",
}
middle_end = abs(ends[0.3, 1.0][0]) < 0.1
answer = "near 0, where no data lie" if middle_end else "at a heap, near 2 or near -2"
reveal("03-two-heaps", answer, because=because)

# %% [markdown]
# The fit on one heap has a divergence of $\log 2$: it misses half of the data, and no more. The
# one in the middle is far worse, 1.87 nats, and still a *minimum*: each small step makes it worse.
# Reverse KL is called *mode-seeking*: that is a statement about the best $q$, not about where
# descent ends.
#
# Why there? It is a race. A narrow $q$ is pulled outwards, a wide one to the middle. Where one
# heap takes over from the other at once, the pull on a mean near 0 is $4 \mu\, (4 / (\sqrt{2\pi}\,
# \sigma) - 1)$, which changes its sign at $\sigma = 1.6$.

# %%
for sd in (1.0, 1.5, 1.7):
    print(f"sd {sd}: a mean of 0.1 is pulled by {mass @ slope(0.1 + sd * node, 2.0, 0.5):+.2f}")
assert round(4 / (2 * np.pi) ** 0.5, 1) == 1.6
print("five steps from (0.3, 1.0): mean {:.2f}, sd {:.2f}".format(*descend(0.3, 1.0)[5]))
for a, b in rng.normal(0, 0.03, (40, 2)):
    assert reverse_kl(a, 1.7363 + b) > reverse_kl(0, 1.7363)  # a minimum

# %% [markdown]
# From 0.3 the deviation has passed 1.6 within five steps, and the mean has come to 0.37. From 1
# the mean wins.

# %% [markdown]
# Left the fits, right the landscape of $\mathrm{KL}(q \,\|\, p)$ and the way down (dark is low):


# %% hide=True alt="Left: two heaps, two wide fits. Right: descent ends in a valley between them."
def draw_ends(m=2.0, mean=0.3, sd=1.0):
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    x = np.linspace(-m - 3, m + 3, 400)
    plot_oracle(x, np.exp(log_heaps(x, m, 0.5)), ax=left, label="p")
    plot_curve(x, stats.norm(0, (m**2 + 0.25) ** 0.5).pdf(x), ax=left, label="forward")
    path = descend(mean, sd, m, steps=500)
    end = path[-1]
    plot_curve(x, stats.norm(*end).pdf(x), ax=left, label="reverse, from the start")
    left.set(xlabel="x", ylabel="density", title=f"Ends at mean {end[0]:.2f}, sd {end[1]:.2f}")
    left.set_ylim(0, 0.62)
    left.legend(fontsize=8)
    grid_mu, grid_sd = np.linspace(-3, 3, 41), np.linspace(0.3, 3, 31)
    height = [[reverse_kl_fast(a, b, m) for a in grid_mu] for b in grid_sd]
    right.contour(grid_mu, grid_sd, height, levels=np.arange(0.2, 6, 0.4), cmap="Greys_r")
    plot_curve(*path.T, ax=right, color="C1", label="descent")
    right.plot(mean, sd, "o", color="C1", markersize=8)
    right.plot(*end, "*", color="C3", markersize=14)
    right.set(
        xlabel="mean of q", ylabel="sd of q", title=f"KL(q || p) = {reverse_kl(*end, m):.2f}"
    )
    right.legend(fontsize=8)


def reverse_kl_fast(mu, sd, m):
    x = mu + sd * node
    heaps = np.logaddexp(-2 * (x + m) ** 2, -2 * (x - m) ** 2) - np.log(2 * 0.5)
    return mass @ (-(node**2) / 2 - heaps) - np.log(sd)


assert np.isclose(reverse_kl_fast(0.4, 0.9, 2.0), reverse_kl(0.4, 0.9))
draw_ends()

# %% [markdown] card="03-two-directions"
# For which places does q pay in the forward KL(p‖q), and for which in the reverse KL(q‖p)? Does
# descent on the latter end at a mode?
#
# **Answer.** Forward: where data are and q is not. Reverse: where q is and the data are not. Not
# always at a mode: between two heaps lies a minimum as well, and the start decides.

# %% [markdown]
# ### Where it ends from anywhere
#
# **Move the separation and the start.** Where do both directions agree? From which starts does
# descent find a heap?

# %%
interactive(draw_ends, m=(0.5, 3.0, 0.1), mean=(-3.0, 3.0, 0.1), sd=(0.3, 3.0, 0.1))

# %% [markdown]
# With heaps that are close ($m = 1$) there is only one end, in the middle. And a heap that is
# found need not be the heavy one: with nine tenths of the data on the left,

# %%
light = descend(0.5, 0.5, w=0.9)[-1]
heavy = descend(-0.5, 0.5, w=0.9)[-1]
for name, end in {"from 0.5": light, "from -0.5": heavy}.items():
    print(f"{name:9s} ends at {end[0]:5.2f}, KL {reverse_kl(*end, w=0.9):.2f}")
assert light[0] > 1.9 and heavy[0] < -1.9
assert all(abs(descend(start, 0.5, m=1.0)[-1][0]) < 0.01 for start in (-1.5, 0.5, 2.0))

# %% [markdown]
# Does the noise of drawn gradients help? In practice (10) is an average over draws. Start at 0.3
# ten times, for 600 steps with 1, 10 or 100 draws in each:


# %%
def noisy_end(seed, steps, draws):  # the mean of q
    rng, mu, log_sd = numpy_rng(seed), 0.3, 0.0
    for step in range(steps):
        z = rng.standard_normal(draws)
        g = slope(mu + np.exp(log_sd) * z, 2.0, 0.5)
        rate = 0.05 * (1 - step / steps)
        mu, log_sd = mu + rate * g.mean(), log_sd + rate * (1 + np.exp(log_sd) * (g * z).mean())
    return mu


for draws in (1, 10, 100):
    means = np.array([noisy_end(seed, 600, draws) for seed in range(10)])
    left, right = (means < -1).sum(), (means > 1).sum()
    print(f"{draws:3d} draws: left heap {left}, right heap {right}, middle {10 - left - right}")

# %% [markdown]
# With 100 draws in a step it does not help. With one, which is common, every run ends at
# a heap, some at the left one, though the start is nearer to the right. (Both are claims.) So the
# end depends on the noise as well as on the start.


# %% hide=True claim="With gradients from 100 draws, descent stays between the heaps." steps=600
def many_draws_do_not_free_it(seed, steps):
    return 1 - abs(noisy_end(seed, steps, 100))


# %% hide=True claim="With gradients from one draw, descent ends at a heap." steps=600
def one_draw_frees_it(seed, steps):
    return abs(noisy_end(seed, steps, 1)) - 1


# %% [markdown]
# ## Recap
#
# 1. A distribution is a code. Cross-entropy is its price, entropy the best price, KL the
#    difference.
# 2. A nat is a factor $e$ per token; 0.1 nats over 1000 tokens are 43 powers of ten.
# 3. Maximum likelihood finds the nearest model in forward KL: right in what it matches, no more.
# 4. Reverse KL has several ends. Which one is reached depends on start, separation and noise.
# 5. Smoothing lowers confidence: with wrong labels that lowered the NLL, with clean ones it raised
#    it.

# %% [markdown]
# ## An interview question
#
# *Your variational posterior has much smaller variances than a long MCMC run. A colleague says:
# "of course, reverse KL underestimates the variance." Is that all?*
#
# Think first.

# %% [markdown]
# <details><summary>An answer</summary>
#
# **What is true.** With independent components, reverse KL matches the *conditional* variances of
# a correlated Normal posterior, and these are smaller than the marginal ones. And where the
# posterior has several separate modes, a fit to one of them sees none of the others.
#
# **What is not a law.** It is a statement about the best fit in that family. In one dimension,
# with a Normal posterior, nothing is too small. Descent may also end between two modes, with a
# variance far above that of each.
#
# **So look.** Start it several times and compare the bounds; allow correlations; compare with
# MCMC where that is affordable. And ask whether a decision depends on the variance at all.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - C. E. Shannon, "A mathematical theory of communication", *Bell System Technical Journal*
#   (1948): entropy, codes, and the redundancy of English.
# - T. M. Cover and J. A. Thomas, *Elements of Information Theory* (2nd edition, 2006): code
#   lengths, divergence, mutual information.
# - H. White, "Maximum likelihood estimation of misspecified models", *Econometrica* (1982): the
#   nearest model, and the sandwich.
# - G. Pereyra and others, "Regularizing neural networks by penalizing confident output
#   distributions" (2017): the confidence penalty beside label smoothing.
# - R. Müller, S. Kornblith and G. Hinton, "When does label smoothing help?", *NeurIPS* (2019):
#   calibration, and teachers that teach worse.
# - G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network" (2015): soft
#   targets, temperature, and the factor $T^2$.

# %% [markdown]
# ## Your turn
#
# The assignment `03_entropy_kl` has six exercises in code, and none is a cell of this lesson:
# divergences that may be infinite, the two ends of a full Gaussian, an estimate with its error,
# smoothing towards a prior, a distillation to mend, and what a text costs; and one answer in
# words.
