# %% [markdown]
# # Deep ensembles
#
# Three networks, trained alike from different random starts, forecast the same number. Each
# forecasts a Normal: their means are 0, 1 and 2, their standard deviations 1, 2 and 3. **What is
# the standard deviation of the three together?** Each of the four answers below comes out of code
# that is in use, and three of them are wrong.

# %% [markdown]
# **After this lesson you can** turn members into one distribution and score it; train ten networks
# as one; say what an ensemble can be trusted with and where its bands miss; and pool classifiers
# without losing what their disagreement says.
#
# **You need** the NLL (unit 01), calibration and the ECE (unit 05), and the difference between the
# noise of the data and what a model does not know (unit 06). Reading takes about 55 minutes,
# running some 12 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Where a cell asks for a prediction, commit to one before you read on. Your first answer is kept,
# compared with the truth, and never graded.
#
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from torch.nn import functional as F

from course_utils.data import dial, dial_mean, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "08-three-together",
    ...,
    ask="Means 0, 1, 2 and standard deviations 1, 2, 3: the standard deviation together?",
    choices=("2.00", "2.16", "2.31", "2.38"),
)

# %% [markdown]
# ## Members make a mixture
#
# An *ensemble* is a set of $M$ models, its *members*, that were trained on the same task. We do
# not know which member is best, so we give each the same probability: draw a member, then draw $y$
# from what that member forecasts. The distribution of this $y$ is a *mixture*. On the left that of
# the three members above, on the right that of two members that are sure of different things, at
# −3 and 3:

# %%
mu, sigma = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([1.0, 2.0, 3.0]).double()
grid = torch.linspace(-9, 11, 401, dtype=torch.float64)
pairs = {"three members": (mu, sigma), "two members": (3 * mu[[0, 2]] - 3, sigma[[0, 0]])}


def densities(m, s):  # of each member, of the mixture, of the Normal with the same two moments
    each = torch.distributions.Normal(m, s).log_prob(grid[:, None]).exp()  # (401, M)
    sd = (s**2 + (m - m.mean()) ** 2).mean().sqrt()
    return each, each.mean(1), torch.distributions.Normal(m.mean(), sd).log_prob(grid).exp()


# %% hide=True alt="Left: a mixture near its Normal. Right: two peaks; the Normal's lies between."
_, axes = plt.subplots(1, 2, figsize=(9, 3.6))
titles = "Three members: nearly a Normal", "Two that differ: no Normal at all"
for ax, (m, s), title in zip(axes, pairs.values(), titles, strict=True):
    each, mixed, normal = densities(m, s)
    for j, density in enumerate((each / len(m)).T):
        plot_curve(grid, density, ax=ax, color="#808080", lw=1, label=None if j else "member / M")
    plot_curve(grid, mixed, ax=ax, color="C0", label="mixture")
    plot_curve(grid, normal, ax=ax, color="C1", linestyle=":", label="Normal, same moments")
    ax.set(xlabel="y", ylabel="density", ylim=(0, 0.35), title=title)
    ax.legend(loc="upper right", fontsize=8)

# %% [markdown]
# The density of the mixture is the mean of the members' densities,
#
# $$p(y \mid x) = \frac1M \sum_m p_m(y \mid x) .$$
#
# It is a mean of distributions, not of parameters. With member means $\mu_m$, standard deviations
# $\sigma_m$ and $\bar\mu = \frac1M \sum_m \mu_m$:
#
# $$
# \begin{aligned}
# (1) && \mathrm{E}\,y &= \tfrac1M \textstyle\sum_m \mu_m = \bar\mu \\
# (2) && \mathrm{E}\,y^2 &= \tfrac1M \textstyle\sum_m (\sigma_m^2 + \mu_m^2) \\
# (3) && \mathrm{var}\,y &= \tfrac1M \textstyle\sum_m (\sigma_m^2 + \mu_m^2) - \bar\mu^2 \\
# (4) && &= \underbrace{\tfrac1M \textstyle\sum_m \sigma_m^2}_{\text{noise}}
#   + \underbrace{\tfrac1M \textstyle\sum_m (\mu_m - \bar\mu)^2}_{\text{disagreement}}
# \end{aligned}
# $$
#
# (1) and (2) are means over the members, since the mixture draws each equally often. (3) is the
# definition of a variance. (4) is the law of total variance of unit 06: the first part is what the
# members take for noise (aleatoric), the second is how far they disagree (epistemic).

# %% [markdown]
# Each line is checked against the density itself, by a sum over a fine grid:

# %%
y = torch.linspace(-40, 42, 8201, dtype=torch.float64)[:, None]
each = torch.distributions.Normal(mu, sigma).log_prob(y).exp()  # (8201, 3)
p = each.mean(1, keepdim=True) * 0.01  # probability of each cell of the grid
mean, square = (p * y).sum(), (p * y**2).sum()
assert torch.isclose(mean, mu.mean())  # (1)
assert torch.isclose(square, (sigma**2 + mu**2).mean())  # (2)
variance = (p * (y - mean) ** 2).sum()
assert torch.isclose(variance, (sigma**2 + mu**2).mean() - mu.mean() ** 2)  # (3)
assert torch.isclose(variance, (sigma**2).mean() + ((mu - mu.mean()) ** 2).mean())  # (4)

# %% [markdown]
# The variance divides by $M$. `torch.var` divides by $M - 1$ unless told otherwise: that would
# estimate the spread of all networks that could have been trained. But the forecast is the mixture
# of the $M$ that you have. A class for ensembles that is passed around has this slip together with
# a loss that lacks the constant $\frac12 \log 2\pi$. What do the slip and the missing constant do?

# %% same=True
means = torch.arange(5.0)  # five members
print(
    f"disagreement of five members: {means.var(correction=0):.2f}, with M - 1: {means.var():.2f}"
)
one = torch.tensor([0.7])  # an ensemble of one
unbiased = ((one - one.mean()) ** 2).sum() / (len(one) - 1)
print(f"of one member: {one.var(correction=0):.1f}, with M - 1: {unbiased:.1f}")
short = 0.5 * (2 * sigma.log() + (1 - mu) ** 2 / sigma**2)  # its loss, at y = 1
nll = -torch.distributions.Normal(mu, sigma).log_prob(torch.tensor(1.0))
print("nats missing from its loss:", " ".join(f"{gap:.2f}" for gap in nll - short))

# %% [markdown]
# For five members the disagreement is a quarter too large, and for one it is not a number. An
# ensemble of one must be that one model: a good first test of any ensemble code. The missing
# constant does no harm to training, but makes the loss incomparable with any other NLL.

# %% [markdown] card="08-variance-of-a-mixture"
# What is the variance of an equally weighted ensemble whose members state Normals?
#
# **Answer.** The mean of their variances plus the variance of their means, divided by M: noise
# plus disagreement. Neither a mean of standard deviations nor M − 1.

# %% [markdown] card="08-ensemble-of-one"
# Which first test should any ensemble code pass?
#
# **Answer.** An ensemble of one must be that one model. With a division by M − 1 its disagreement
# is not a number.

# %% [markdown]
# ### Two moments are not the mixture
#
# Equation (4) gives the right standard deviation. It does not make the mixture a Normal. Between
# the two members of the figure, at 0:

# %%
_, mixed, normal = densities(*pairs["two members"])
ratio = (normal / mixed)[180]  # at y = 0
print(f"at 0, the Normal's density is {ratio:.0f} times that of the mixture")

# %% [markdown]
# Where the members agree by and large, the Normal is not far off. Where they do not, it puts its
# peak where neither member expects anything: at 0 its density is 28 times too high. So keep the
# mixture. It has a density, a distribution function and quantiles, and nothing forces you to press
# it into a Normal.

# %% [markdown] card="08-not-one-normal"
# Why not replace a mixture by the Normal with the same mean and variance?
#
# **Answer.** Where members disagree, that Normal puts its peak where neither expects anything. The
# mixture has a density, a distribution function and quantiles of its own: keep it.

# %% [markdown]
# ## Ten networks, one training run
#
# A *deep ensemble* is the simplest one there is: train the same network $M$ times, each time from
# another random start. The members need no loop. Give each weight a leading axis for the member,
# and one batched matrix product computes all of them at once. The last row of each matrix holds
# the biases; a larger `gain` lets the first layer bend within the range of the data. Each member
# has a seed, hence a generator, of its own.


# %%
def make(seeds, sizes=(1, 20, 20, 2), gain=3.0):  # one (M, in + 1, out) tensor for each layer
    members = []
    for seed in seeds:
        generator = torch_generator(seed)
        shapes = zip(sizes, sizes[1:], strict=False)
        layers = [torch.randn(a + 1, b, generator=generator) / a**0.5 for a, b in shapes]
        layers[0] = gain * layers[0]
        members.append(layers)
    stacked = [torch.stack(w).to(device) for w in zip(*members, strict=True)]
    return [w.requires_grad_() for w in stacked]


def outputs(layers, x):  # x (M, n, in) -> (M, n, out)
    for i, w in enumerate(layers):
        x = torch.tanh(x) if i else x
        x = torch.baddbmm(w[:, -1:], x, w[:, :-1])
    return x


# %% [markdown]
# For the dial data (unit 06) a member has two outputs: a mean and, through a softplus, a standard
# deviation that depends on $x$. The loss is the NLL, a mean over the points and a *sum* over the
# members. A member's weights occur in one term of that sum, so that its gradient is its own, and
# Adam treats every weight by itself. Training together is training apart. The rate falls to 0, so
# that a run ends in a minimum, not on the way past one.

# %%
from course_utils.training import fit


def normals(layers, x):  # what each member forecasts: Normals of batch shape (M, n)
    mean, raw = outputs(layers, x).unbind(-1)
    return torch.distributions.Normal(mean, 0.01 + F.softplus(raw))


def train(layers, loss, steps, lr=0.02):  # loss: one number for each member
    adam = torch.optim.Adam(layers, lr=lr)
    fit(lambda: loss(layers).sum(), adam, steps=steps, decay=True, progress=False)
    return [w.detach() for w in layers]


# %% [markdown]
# Ten data sets of 200 points: five as in unit 06, and five more without any $x$ between −1.25 and
# −0.25. Ten members each, which makes a hundred networks.

# %%
GAP = (-1.25, -0.25)
sets = [dial(200, rng=numpy_rng(seed)) for seed in range(5)]
sets += [dial(200, rng=numpy_rng(seed), gap=GAP) for seed in range(5, 10)]
x_all, y_all = torch.tensor(np.array(sets), dtype=torch.float32, device=device).unbind(1)
x_all, y_all = x_all.repeat_interleave(10, 0)[..., None], y_all.repeat_interleave(10, 0)


def dial_loss(x, y):  # x (M, n, 1), y (M, n)
    return lambda layers: -normals(layers, x).log_prob(y).mean(1)


# %% [markdown]
# Is it true that training together is training apart? Number 3 of the first ten, in the batch and
# alone, after 30 steps:

# %%
together = train(make(range(10)), dial_loss(x_all[:10], y_all[:10]), steps=30)
alone = train(make([3]), dial_loss(x_all[3:4], y_all[3:4]), steps=30)
for w, own in zip(together, alone, strict=True):
    assert torch.allclose(w[3], own[0], atol=1e-4)

# %% [markdown]
# It is. Now all hundred, and the time they take:

# %%
import time

start = time.perf_counter()
layers = train(make(range(100)), dial_loss(x_all, y_all), steps=300)
print(f"a hundred networks in {time.perf_counter() - start:.0f} s")
ensembles = [[w[10 * k : 10 * k + 10] for w in layers] for k in range(10)]  # one for each data set

# %% [markdown]
# ## Where the members disagree
#
# The sixth data set is the first with a gap. We look at the members inside and outside the range
# of the data. PyTorch's `MixtureSameFamily` is the mixture; the ends of its central interval lie
# where its distribution function passes 0.05 and 0.95, read here from a grid.


# %%
def mixture(members):  # Normals (M, n) -> mixtures (n,)
    parts = torch.distributions.Normal(members.mean.T, members.stddev.T)
    picks = torch.distributions.Categorical(logits=torch.zeros_like(parts.mean))
    return torch.distributions.MixtureSameFamily(picks, parts)


def band(prediction, level=0.9):  # ends of the central interval, to 0.01
    t = torch.linspace(-5, 5, 1001, device=device)[:, None]
    cdf = prediction.cdf(t.expand(-1, prediction.mean.numel()))
    return [t[(cdf < q).sum(0).clamp(max=1000), 0] for q in ((1 - level) / 2, (1 + level) / 2)]


def mesh(low, high, n, members=10):  # the same n inputs for each member, (M, n, 1)
    return torch.linspace(low, high, n, device=device).expand(members, n)[..., None]


fine = mesh(-3, 3, 121)
x_fine = fine[0, :, 0].cpu()
in_gap = normals(ensembles[5], fine)

# %% [markdown]
# The left panel will show the data, the members' means and the ensemble's band for new $y$, the
# right one the two parts of the variance (4), as standard deviations, and the true noise. The gap
# is shaded.


# %%
def draw_band(ax, members):
    plot_data(*sets[5], ax=ax, markersize=3)
    plot_band(x_fine, *band(mixture(members)), ax=ax, contains="y", level=0.9)
    plot_oracle(x_fine, dial_mean(x_fine), ax=ax, label="truth")
    ax.axvspan(*GAP, color="#EEEEEE", zorder=0)
    ax.set(xlabel="x", ylabel="y", ylim=(-3, 4.9))


# %% [markdown]
# The members' means are drawn thin:

# %% hide=True alt="Left: members fan out in the gap and outside. Right: disagreement grows there."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
draw_band(left, in_gap)
for j, mean in enumerate(in_gap.mean):
    plot_curve(x_fine, mean, ax=left, color="C1", lw=0.8, label=None if j else "members' means")
left.set_title("Where no data are, members part")
plot_curve(x_fine, in_gap.variance.mean(0).sqrt(), ax=right, label="noise, by the members")
apart = in_gap.mean.std(0, correction=0)
plot_curve(x_fine, apart, ax=right, color="C1", label="disagreement")
plot_oracle(x_fine, dial_scale(x_fine), ax=right, label="true noise")
right.axvspan(*GAP, color="#EEEEEE", zorder=0)
right.set(xlabel="x", ylabel="standard deviation (units of y)", ylim=(0, 1.2))
right.set_title("Their disagreement shows it")
for ax in (left, right):
    ax.legend(loc="upper left", fontsize=8)

# %% [markdown]
# On the data the members agree, and what they take for noise is about the true one. In the gap and
# beyond the data they fan out: where nothing pins them down, the random start decides. That is
# what an ensemble is for. Is it enough? The band claims to hold nine of ten new $y$, in the gap as
# elsewhere. How many does it hold there, on average over the five data sets with a gap?

# %%
predict(
    "08-coverage-in-the-gap",
    ...,
    ask="Share of new y in the gap inside the 0.9 band, mean over five data sets?",
)

# %% [markdown] fold="08-coverage-in-the-gap"
# ### Counting

# %% [markdown]
# New data can be drawn anywhere, since we know the truth. A $y$ lies in the central interval if
# the distribution function there is between 0.05 and 0.95. *Error* is the root mean squared
# distance of the ensemble's mean from the true mean; the last column is the mean over the members.


# %%
def place(k, ends):  # disagreement, noise, error, coverage of the ensemble and of one network
    xs = mesh(*ends, 2000)
    x = xs[0, :, 0].cpu().numpy()
    y = dial_mean(x) + dial_scale(x) * numpy_rng(9).standard_normal(2000)
    members = normals(ensembles[k], xs)
    cdf = members.cdf(torch.tensor(y, dtype=torch.float32, device=device))
    held = [((F_y - 0.5).abs() < 0.45).double().mean() for F_y in (cdf.mean(0), cdf)]
    error = ((members.mean.mean(0).cpu().numpy() - dial_mean(x)) ** 2).mean() ** 0.5
    parts = members.mean.var(0, correction=0).mean() ** 0.5, members.variance.mean() ** 0.5
    return [float(v) for v in (*parts, error, *held)]


# %% [markdown]
# Each row is a mean over the five data sets:

# %%
places = {"on the data": (-0.25, 2), "in the gap": GAP, "left of it all": (-3, -2)}
places["right of it all"] = (2, 3)
print("                disagreement      noise      error   coverage   single network")
for name, ends in places.items():
    row = np.mean([place(k, ends) for k in range(5, 10)], axis=0)
    print(f"{name:17s}" + " ".join(f"{v:10.2f}" for v in row))

# %% [markdown]
# The five, one by one:

# %%
held = [place(k, GAP)[3] for k in range(5, 10)]
print("in the gap, set by set:", *(f"{v:.2f}" for v in held))
because = {0.9: "That is the promise; but what all members get wrong, none of them shows."}
reveal("08-coverage-in-the-gap", round(np.mean(held), 2), within=0.1, because=because)

# %% [markdown]
# The ensemble's band does better than a single network's and does not keep its promise. From set
# to set it is luck: some of the five are nearly right, others far off. In the gap the members
# differ, but by less than they are wrong; to the right of all data, where the error is the size of
# the signal, they differ by a fraction of it. The members are the same architecture, trained in
# the same way on the same points: what they get wrong in common, disagreement cannot show.
# **Disagreement shows only the part of their ignorance in which the members differ.**

# %% [markdown] card="08-what-disagreement-shows"
# The members agree on a new kind of input. Is the forecast safe there?
#
# **Answer.** No. Disagreement shows what the random start decides. What all members get wrong in
# common, none of them shows.

# %% [markdown]
# ## Members that differ by a prior
#
# Can one make them differ more where there are no data? A *randomised prior* adds to each member a
# network of its own that is never trained (Osband and others, 2018). On the data the member learns
# to compensate it; in a gap it stays.


# %%
def with_prior(layers, frozen, x, scale=2.0):
    own = normals(layers, x)
    return torch.distributions.Normal(own.mean + scale * outputs(frozen, x)[..., 0], own.stddev)


frozen = [w.detach() for w in make(range(5000, 5050))]
x, y = x_all[50:], y_all[50:]
anchored = train(
    make(range(50, 100)), lambda w: -with_prior(w, frozen, x).log_prob(y).mean(1), steps=300
)

# %% [markdown]
# The same count as before, for the same five data sets:


# %%
def held_with_prior(k):
    xs = mesh(*GAP, 2000)
    x = xs[0, :, 0].cpu().numpy()
    y = dial_mean(x) + dial_scale(x) * numpy_rng(9).standard_normal(2000)
    own, prior = ([w[10 * k : 10 * k + 10] for w in layers] for layers in (anchored, frozen))
    cdf = with_prior(own, prior, xs).cdf(torch.tensor(y, dtype=torch.float32, device=device))
    return ((cdf.mean(0) - 0.5).abs() < 0.45).double().mean().item()


anchored_held = [held_with_prior(k) for k in range(5)]
print("randomised priors, set by set:", *(f"{v:.2f}" for v in anchored_held), end="; ")
print(f"mean {np.mean(anchored_held):.2f} against {np.mean(held):.2f}")

# %% [markdown]
# On some sets that helps, on others it does not, and it is not what is promised: the size of the
# prior is a choice, as every prior is. A *bootstrap*, which draws each member's points from the
# data with replacement, makes members differ as well, and has its price: each of them misses about
# a third of the points. For networks, random starts alone are the usual choice (Lakshminarayanan
# and others, 2017). Other ways to get members cheaply go by the names of snapshot ensembles,
# BatchEnsemble and SWAG; they change the price, not the question what the members have in common.

# %% [markdown]
# ## What averaging does to the NLL
#
# For one observed $y$, write $p_m$ for the density that member $m$ gave it. The logarithm is
# concave: the log of a mean is at least the mean of the logs (Jensen's inequality). So
#
# $$
# \begin{aligned}
# (5) && -\log \tfrac1M \textstyle\sum_m p_m &\le \tfrac1M \textstyle\sum_m (-\log p_m) \\
# (6) && \tfrac1M \textstyle\sum_m (-\log p_m) + \log \tfrac1M \sum_m p_m
#   &= \tfrac1M \textstyle\sum_m \log \frac{p}{p_m} \;\ge\; 0
# \end{aligned}
# $$
#
# with $p = \frac1M \sum_m p_m$. At every single point the mixture's NLL is at most the mean of the
# members' NLLs, and the gain (6) is the larger, the more the members differ in what they said
# about $y$. Three NLLs are often mixed up. For the three members of the first question:

# %% same=True
print("  y  mean of NLLs  mixture  Normal with the same moments")
for y in (0.0, 1.0, 3.0):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(torch.tensor(y).double())
    normal = torch.distributions.Normal(mu.mean(), variance.sqrt()).log_prob(torch.tensor(y))
    mixed = -log_p.exp().mean().log()
    gain = (log_p.exp().mean().log() - log_p).mean()
    assert torch.isclose(-log_p.mean() - mixed, gain) and gain > 0  # (5) and (6)
    print(f"{y:4.0f} {-log_p.mean():11.2f} {mixed:9.2f} {-normal:9.2f}")

# %% [markdown]
# The mixture is never above the mean of the NLLs. The Normal is above both in the first two rows
# and below both in the last: nothing protects it. For squared errors the same holds with an
# equality, the *ambiguity decomposition*: the error of the mean is the mean error less the
# members' variance,
#
# $$\Big(\tfrac1M \textstyle\sum_m f_m - y\Big)^2 = \tfrac1M \textstyle\sum_m (f_m - y)^2
#   - \tfrac1M \textstyle\sum_m (f_m - \bar f)^2 .$$

# %%
f, y = torch.randn(10, 500, generator=torch_generator(1)).double(), 0.3
of_mean, mean_error = (f.mean(0) - y) ** 2, ((f - y) ** 2).mean(0)
assert torch.allclose(of_mean, mean_error - f.var(0, correction=0))

# %% [markdown] card="08-mixture-against-members"
# What does Jensen's inequality promise about the mixture's NLL, and what about the best member?
#
# **Answer.** At every point it is at most the mean of the members' NLLs. About the best member it
# says nothing: the mixture may lie on either side.

# %% [markdown]
# ### The best of the ten
#
# Jensen says nothing about the *best* member. Is the ensemble better than the best of its ten, on
# average over a test set?

# %%
predict(
    "08-ensemble-or-best-member",
    ...,
    ask="Is the ensemble's test NLL below that of its best member?",
    choices=("always", "never", "it depends"),
)

# %% [markdown] fold="08-ensemble-or-best-member"
# ### Five tests

# %% [markdown]
# Five data sets without gap, 1000 test points each, ten members:

# %%
tests = [dial(1000, rng=numpy_rng(1000 + seed)) for seed in range(5)]
x_test, y_test = torch.tensor(np.array(tests), dtype=torch.float32, device=device).unbind(1)
forecasts = [normals(ensembles[k], x_test[k].expand(10, -1)[..., None]) for k in range(5)]
log_p = torch.stack([f.log_prob(y) for f, y in zip(forecasts, y_test, strict=True)]).double()
nll, mixed = -log_p.mean(2), -log_p.exp().mean(1).log().mean(1)  # (5, 10), (5,)
assert (log_p.exp().mean(1).log() >= log_p.mean(1) - 1e-12).all()  # (5), at each point
print("data set   best member  mixture  mean of members  worst member")
for k in range(5):
    row = nll[k].min(), mixed[k], nll[k].mean(), nll[k].max()
    print(f"{k:5d}" + " ".join(f"{v:12.2f}" for v in row))

# %% [markdown]
# And two members, each good at another point:

# %%
print("below the best member:", sum(mixed < nll.min(1).values).item(), "of 5 data sets")
p = torch.tensor([[0.9, 0.1], [0.1, 0.9]])  # two members (rows), each good at another point
print(f"each of the two {-p.log().mean(1)[0]:.2f}, mixture {-p.mean(0).log().mean():.2f}")
because = {"always": "On these five it is not; Jensen speaks of the mean, not of the best."}
because["never"] = "The two members of the last line make a mixture that beats both."
reveal("08-ensemble-or-best-member", "it depends", because=because)

# %% [markdown]
# It depends. Here the mixture is better than the mean on every data set, as it must be, and about
# as good as the best member on some. Members that are good at different points make a mixture that
# beats both, as for the two above. In practice the comparison is idle: which member is best is
# known after the test. What the mixture saves you from is the worst one.

# %% [markdown]
# ## How many members?
#
# Which five of ten members an ensemble of five has is chance. So we average the NLL over all
# subsets of a size; there are 1023 subsets in all. This is done for data set 4.

# %%
subsets = torch.tensor([[c >> m & 1 for m in range(10)] for c in range(1, 1024)]).double()
counts = subsets.sum(1)
density = (subsets / counts[:, None]).to(device) @ log_p[4].exp()  # (1023, 1000)
of_subset = -density.log().mean(1).cpu()
by_size = torch.stack([of_subset[counts == m].mean() for m in range(1, 11)])
print("members and NLL:", ", ".join(f"{m}: {by_size[m - 1]:.2f}" for m in (1, 2, 3, 5, 10)))
x, y = tests[4]
true = torch.distributions.Normal(*map(torch.tensor, (dial_mean(x), dial_scale(x))))
oracle_nll = -true.log_prob(torch.tensor(y)).mean()


def first(members, count):
    return torch.distributions.Normal(members.mean[:count], members.stddev[:count])


# %% [markdown]
# Grey dots are single subsets and the line is their mean; the dashed line is what the true
# distribution scores on the same points.

# %% hide=True alt="The NLL falls from one to three members, then flattens, above the oracle's."
ax = plot_data(counts, of_subset, label="one subset", markersize=3)
plot_curve(range(1, 11), by_size, ax=ax, label="mean over the subsets")
ax.axhline(oracle_nll, color="black", linestyle="--", label="oracle")
ax.set(xlabel="number of members", ylabel="test NLL (nats)", xticks=range(1, 11))
ax.set_title("The second member brings most")
_ = ax.legend(loc="upper right")

# %% [markdown]
# The second member brings most, and after five little is left to gain; the luck of the draw, the
# scatter of the dots, shrinks as well. And the band of the first members on the data with the gap:


# %% hide=True alt="The band of five members; it misses part of the truth beyond the data."
def draw_members(members=5):
    _, ax = plt.subplots()
    draw_band(ax, first(in_gap, members))
    ax.set_ylim(-3, 3.2)
    beyond = x_fine > 2
    low, high = (v.cpu()[beyond] for v in band(mixture(first(in_gap, members))))
    truth = torch.tensor(dial_mean(x_fine[beyond]))
    missed = ((truth < low) | (high < truth)).double().mean()
    ax.set_title(f"With {members} members, the band misses {missed:.0%} of the truth beyond x = 2")
    ax.legend(loc="upper left", ncols=3, fontsize=8)


draw_members()

# %% [markdown]
# **Move `members`:** what happens to the band in the gap as members join? Does it ever become
# right beyond $x = 2$?

# %%
interactive(draw_members, members=(1, 10, 1))

# %% [markdown] card="08-how-many-members"
# How does the NLL change as members join, and what else shrinks?
#
# **Answer.** The second member brings most, and after a few little is left to gain. The luck of
# the draw, the scatter between ensembles of one size, shrinks as well.

# %% [markdown]
# ## The table
#
# The comparison of unit 06: proper scores, with standard errors over the five data sets. The CRPS,
# in units of $y$, is proper like the NLL, but punishes a confident miss less. *Coverage* and
# *width* are those of the central 0.9 interval. Three rows use the same ten networks in three
# ways: as a mixture, as one Normal with the moments (4), and as one Normal with averaged standard
# deviations.

# %%
from course_utils.scores import Scores, score, score_table


def one_normal(members, averaged_sds=False):
    spread = (members.variance.mean(0) + members.mean.var(0, correction=0)).sqrt()
    spread = members.stddev.mean(0) if averaged_sds else spread
    return torch.distributions.Normal(members.mean.mean(0), spread)


rules = {
    "ensemble of 5": lambda members: mixture(first(members, 5)),
    "ensemble of 10": mixture,
    "10, one Normal": one_normal,
    "10, averaged sds": lambda members: one_normal(members, averaged_sds=True),
}

# %% [markdown]
# The row of the single network is the mean over the ten, so that it does not hang on one lucky or
# unlucky start. The oracle is the true distribution on the same test points.

# %%
pairs = list(zip(forecasts, y_test, strict=True))
rows = {"single network": []}
for f, y in pairs:
    ten = [score(torch.distributions.Normal(*ms), y) for ms in zip(f.mean, f.stddev, strict=True)]
    rows["single network"].append(Scores(*np.mean(ten, axis=0)))
rows |= {name: [score(rule(f), y) for f, y in pairs] for name, rule in rules.items()}
oracle = []
for x, y in tests:
    mean, sd = torch.tensor(dial_mean(x)), torch.tensor(dial_scale(x))
    oracle.append(score(torch.distributions.Normal(mean, sd), y))
print(score_table(rows, oracle=oracle))

# %% [markdown]
# The mixture has the lower NLL and, by little, the lower CRPS, and ten members are no better than
# five within the errors. Its 0.9 interval holds more than a single network's, which covers too
# little. That is no law. The *variance* of a mixture is at least the mean variance of its members,
# but its interval may be narrower than theirs on average:

# %%
nine, wild = torch.zeros(10).double(), torch.tensor([1.0] * 9 + [100.0]).double()
at = torch.linspace(-300, 300, 60_001, dtype=torch.float64)[:, None]
cdf = torch.distributions.Normal(nine, wild).cdf(at).mean(1)
width = at[(cdf > 0.95).nonzero()[0, 0], 0] - at[(cdf > 0.05).nonzero()[0, 0], 0]
print(f"width of the mixture {width:.1f}, mean width of its members {3.29 * wild.mean():.1f}")

# %% [markdown]
# And members that were right already become too wide. Averaging is not calibration; where it
# matters, calibrate after pooling, on data of its own.
#
# Standard errors of a row mix two things: how the methods differ, and how the data sets differ.
# The data sets are shared, so compare in pairs, as in unit 05:

# %%
for name in ("ensemble of 5", "ensemble of 10", "10, one Normal", "10, averaged sds"):
    gains = [a.nll - b.nll for a, b in zip(rows["single network"], rows[name], strict=True)]
    print(f"{name:17s} gains {np.mean(gains):.3f} ± {np.std(gains, ddof=1) / 5**0.5:.3f} nats")

# %% [markdown]
# Five pairs say little: for four degrees of freedom a difference must be 2.8 standard errors wide
# to be more than chance on nineteen of twenty occasions. The order of the mixtures and the single
# Normals, moreover, changes when the members are trained longer. What does not change is (5): the
# mixture gains on the mean of its members, at every point.

# %% [markdown]
# ## Broken on purpose: equal seeds, averaged weights
#
# The gain comes from the differences between members, and these come from the seeds alone. A
# function that builds a network and calls `torch.manual_seed(0)` inside builds the same network
# every time. And if members are averages of functions, why not average their weights, and save the
# cost of ten forward passes?

# %%
same = train(make([4, 4, 4]), dial_loss(x_all[:3], y_all[:3]), steps=50)
copies = normals(same, fine[:3]).mean
print(f"disagreement of equal seeds: {copies.std(0, correction=0).max():.1f}")
averaged = normals([w.mean(0, keepdim=True) for w in ensembles[0]], x_test[:1, :, None])
soup = -averaged.log_prob(y_test[0]).mean()
print(f"averaged weights: NLL {soup:.2f}, worst member {nll[0].max():.2f}")

# %% [markdown]
# Equal seeds give one network three times, with disagreement 0: the code runs, the plot shows a
# neat band, and nothing is gained. And the averaged weights are far worse than the worst member.
# Why? Flip the signs of all weights of the first layer, and of those that read it:

# %%
own = [w[:1] for w in ensembles[0]]  # one network
twin = [w.clone() for w in own]
twin[0], twin[1][:, :-1] = -own[0], -own[1][:, :-1]  # all but the biases of the second layer
halfway = [(w + v) / 2 for w, v in zip(own, twin, strict=True)]
f, f_twin, f_half = (normals(w, fine[:1]).mean for w in (own, twin, halfway))
assert torch.allclose(f, f_twin, atol=1e-4)
print(f"range of the network: {f.max() - f.min():.2f}, halfway: {f_half.max() - f_half.min():.2f}")

# %% [markdown]
# Since tanh is odd, the twin is the same function. Halfway between the two lies a network that
# does not see its input. Any hidden unit may be flipped alone, and any two of a layer may change
# places: a trained network has very many twins, and two training runs end near different ones.
# Average what networks say, not what they are made of. (Weights along *one* run, or of copies of
# one network that were trained a little further, lie close together. There, averaging can work.)

# %% [markdown] card="08-average-functions"
# Why average what networks say, and not their weights?
#
# **Answer.** Hidden units may change places, and a tanh unit may flip all its signs, without any
# change of the function. Two runs end near different twins, and halfway between twins may lie a
# network that does not see its input.

# %% [markdown]
# ## Classes: what can be averaged
#
# Now ten networks classify small images of digits, 1198 for training and 599 for the test. Again
# it is one batched run; only the sizes and the loss differ. For the test the images are turned as
# well, which no network has seen in training.

# %%
from course_utils.digits import digits, rotated

images, labels, test_images, test_labels = digits(rng=numpy_rng(0))
flat = torch.tensor(images, device=device).flatten(1).expand(10, -1, -1)
target = torch.tensor(labels, device=device)
truth = torch.tensor(test_labels, device=device)


def digit_loss(layers):
    count = len(layers[0])
    z = outputs(layers, flat[:count])
    return F.cross_entropy(z.mT, target.expand(count, -1), reduction="none").mean(1)


classifiers = train(make(range(10), (64, 32, 10), gain=1.0), digit_loss, steps=200)


def turned(degrees):  # logits (10, 599, 10) for the test images
    x = torch.tensor(rotated(test_images, degrees), device=device).flatten(1)
    return outputs(classifiers, x.expand(10, -1, -1))


# %% [markdown]
# Somebody's ensemble of digit classifiers is right far less often than each of its members. The
# members were trained well, from different seeds. What went wrong?

# %%
predict(
    "08-worse-than-its-members",
    ...,
    ask="Why is this ensemble so much worse than one of its members?",
    choices=("members too alike", "members voted", "class numbers averaged", "logits averaged"),
)

# %% [markdown] fold="08-worse-than-its-members"
# ### Five rules

# %% [markdown]
# The code takes the predicted class of each member, averages over the members, and rounds. Four of
# five networks say 7, one says 1, and the mean is 29/5: rounded a 6, which nobody said. Class
# numbers are names. Here are four ways to pool our ten networks, beside the mean over the
# single members, for images as they are and turned by 15 degrees. Votes and averaged numbers give
# no probabilities, hence no NLL.


# %%
def scores_of(z):  # logits (M, n, K): accuracies of five rules, NLLs of three
    chosen, p, q = z.argmax(2), z.softmax(2).mean(0), z.mean(0).softmax(1)
    votes, rounded = F.one_hot(chosen, 10).sum(0), chosen.double().mean(0).round()
    labels = chosen, p.argmax(1), q.argmax(1), votes.argmax(1), rounded
    each = F.cross_entropy(z.mT, truth.expand(10, -1))
    nlls = each, F.nll_loss(p.log(), truth), F.nll_loss(q.log(), truth)
    return [(v == truth).double().mean().item() for v in labels], [v.item() for v in nlls]


# %% [markdown]
# The first column is the mean over the single members:

# %%
print("                   members  mean p  mean logits  votes  class numbers")
for degrees in (0, 15):
    accuracies, nlls = scores_of(turned(degrees))
    print(
        f"{degrees:2d} degrees accuracy"
        + "{:8.3f} {:7.3f} {:10.3f} {:8.3f} {:10.3f}".format(*accuracies)
    )
    print("                NLL" + "{:8.3f} {:7.3f} {:10.3f}".format(*nlls))
because = {"members too alike": "Then it would be as good as one of them, not worse."}
reveal("08-worse-than-its-members", "class numbers averaged", because=because)

# %% [markdown]
# Averaged class numbers lose against a single member, and most where the members disagree: between
# a 7 and a 1 lies no compromise. The other three rules are close in accuracy. Their probabilities
# are not: on turned images the mixture has the lowest NLL. On the images as they are, where the
# networks are nearly always right, averaging logits does no harm: it stays surer.

# %% [markdown] card="08-pooling-classes"
# Which pooling of classifiers is nonsense, and which one is the mixture?
#
# **Answer.** A mean of class numbers: they are names. The mixture is the mean of the
# probabilities; a mean of logits is another pool, in which a sure member outweighs a doubtful one.

# %% [markdown]
# ### Two means
#
# Two members, one with probabilities 0.99 and 0.01, the other with 0.4 and 0.6, show how the means
# of probabilities and of logits differ:

# %% same=True
pair = torch.tensor([[0.99, 0.01], [0.4, 0.6]]).double()
geometric = pair.log().mean(0).softmax(0)
print(f"mean of probabilities {pair.mean(0)[0]:.3f}, softmax of mean logits {geometric[0]:.3f}")

# %% [markdown]
# A mean of logits multiplies probabilities and takes a root, so that a sure member outweighs a
# doubtful one. It is a pooling in its own right (a *geometric* or logarithmic pool). But it is not
# the mixture, and the entropies below do not add up for it.

# %% [markdown]
# ## Three entropies, and a shift
#
# The variance has no meaning for classes; the entropy $H(p) = -\sum_k p_k \log p_k$, in nats,
# takes its place (unit 06). The total is the entropy of the mean probabilities, the members' own
# part is the mean of their entropies, and the difference (the mutual information) is their
# disagreement, which is 0 for one member and for equal members, and never negative. Turn the test
# images by more and more degrees and compare with the accuracy. The ECE is that of the top label
# in ten bins (unit 05):


# %%
def top_label_ece(p):
    confidence, top = p.max(1)
    surplus = (confidence - (top == truth).double()).double()
    k = (confidence * 10).long().clamp(max=9)
    return torch.zeros(10, device=device).double().index_add(0, k, surplus).abs().sum() / len(p)


# %% [markdown]
# "One" is the mean over the ten networks, "all" their mixture.

# %%
print("          entropy, nats         accuracy       ECE          NLL")
print("degrees total   own disagree.   one  all    one  all    one    all")
for degrees in range(0, 61, 15):
    p = turned(degrees).softmax(2)
    total, own = torch.special.entr(p.mean(0)).sum(1), torch.special.entr(p).sum(2).mean(0)
    row = [total.mean(), own.mean(), (total - own).mean()]
    row += [(v == truth).double().mean() for v in (p.argmax(2), p.mean(0).argmax(1))]
    row += [torch.stack([top_label_ece(m) for m in p]).mean(), top_label_ece(p.mean(0))]
    row += [-v.log()[..., range(len(truth)), truth].mean() for v in (p, p.mean(0))]
    print(
        f"{degrees:7d}"
        + "{:6.2f}{:6.2f}{:8.2f}{:9.2f}{:5.2f}{:7.2f}{:5.2f}{:8.2f}{:6.2f}".format(*row)
    )

# %% [markdown]
# Up to 30 degrees the members disagree more and more, and the mixture has the lower NLL and the
# lower ECE. Its accuracy gains next to nothing. Then it fails: at 45 degrees about one image in
# seven is right, the disagreement grows no further to speak of, and the ECE is hardly lower than
# that of one network: the members are sure of the same wrong digits. At every angle most of the
# total entropy is the members' own. An ensemble softens the overconfidence of its members. It does
# not know what no member knows. Ten starts of training, the mean over five members against their
# mixture:


# %% claim="On digits turned by 30 degrees the mixture of five has the lower ECE." steps=200
def mixture_has_lower_ece(seed, steps):
    layers = train(
        make(range(50 * seed, 50 * seed + 5), (64, 32, 10), gain=1.0), digit_loss, steps
    )
    x = torch.tensor(rotated(test_images, 30), device=device).flatten(1)
    p = outputs(layers, x.expand(5, -1, -1)).softmax(2)
    return (torch.stack([top_label_ece(m) for m in p]).mean() - top_label_ece(p.mean(0))).item()


# %% [markdown]
# ## Whom to send to a human
#
# One use of uncertainty: reject the least certain cases and decide the rest. If the uncertainty is
# worth anything, the accuracy on the rest grows with the share rejected. On images turned by 15
# degrees, three orders: by the confidence of one network (the mean of ten such curves), by the
# confidence of the ensemble, and by the members' disagreement alone.

# %% alt="Accuracy on the kept images rises with the share rejected, more for the ensemble."
p, kept = turned(15).softmax(2), torch.arange(1, 600)
mean = p.mean(0)
doubt = torch.special.entr(mean).sum(1) - torch.special.entr(p).sum(2).mean(0)
orders = {
    "one network, by confidence": (p.argmax(2), -p.amax(2)),
    "ensemble, by confidence": (mean.argmax(1)[None], -mean.amax(1)[None]),
    "ensemble, by disagreement": (mean.argmax(1)[None], doubt[None]),
}
for name, (label, least) in orders.items():
    right = (label == truth).double().gather(1, least.argsort(1))
    accuracy = (right.cumsum(1).cpu() / kept).mean(0)  # of the most certain 1, 2, ... 599
    print(f"{name:27s} all {accuracy[-1]:.2f}, half rejected {accuracy[299]:.2f}")
    ax = plot_curve(1 - kept / 599, accuracy, label=name)
ax.set(xlabel="share rejected", ylabel="accuracy on the rest", title="One ranks nearly like ten")
_ = ax.legend(loc="lower right")

# %% [markdown]
# The ensemble decides no better than one network as long as it must decide all (on the left). With
# a part of the images rejected it is more accurate on the rest, by a point or so, and whether one
# ranks by its confidence or by the disagreement makes no difference that 599 images can show.

# %% [markdown]
# ## What it costs
#
# Ten members cost ten times the arithmetic, in training and at every prediction, and ten times the
# memory. It is sometimes said that this is a slight increase in latency; it is a factor $M$,
# unless the members run side by side. Batching, as here, hides part of it while the networks are
# small. And an ensemble is no answer to the question how to get uncertainty *without* training
# again.

# %% [markdown]
# ## Back to the opening question
#
# Means 0, 1 and 2, standard deviations 1, 2 and 3: four recipes, and a fifth.

# %% [markdown] fold="08-three-together"
# ### Five recipes

# %% [markdown]
# The first two forget the disagreement, the last adds standard deviations where variances add:

# %%
variance = (sigma**2).mean() + ((mu - mu.mean()) ** 2).mean()
recipes = {
    "mean of the standard deviations": sigma.mean(),
    "root of the mean variance": (sigma**2).mean().sqrt(),
    "noise and disagreement": variance.sqrt(),
    "the same, disagreement over M - 1": ((sigma**2).mean() + mu.var()).sqrt(),
    "sd of noise + sd of disagreement": (sigma**2).mean().sqrt() + mu.std(correction=0),
}
for name, value in recipes.items():
    print(f"{name:34s} {value:.2f}")
forgot = "It forgets that the means disagree."
because = {"2.00": forgot, "2.16": forgot, "2.38": "It divides by M - 1: see above."}
reveal("08-three-together", f"{variance.sqrt():.2f}", because=because)

# %% [markdown]
# ## Recap
#
# 1. An ensemble is a mixture: average densities or probabilities, never parameters, standard
#    deviations, class numbers or weights.
# 2. Variance = mean variance + variance of the means, divided by $M$; the mixture is no
#    Normal, though, and one member must be itself.
# 3. The mixture's NLL is at most the mean of its members' (Jensen), at every point. It may lie on
#    either side of the best member's.
# 4. Members must differ: one seed each. Most of the gain comes with the first few.
# 5. Disagreement shows what the random start decides, not what all members get wrong. Check the
#    coverage on new data, and under shift.

# %% [markdown]
# ## An interview question
#
# *Your ensemble of five is in use at a hospital. On the first images from a second hospital the
# five networks agree more than they did on the test set. Are its forecasts safe there?*
#
# Think first.
#
# <details><summary>An answer</summary>
#
# Agreement says that the five training runs led to the same function on these images. It does not
# say that the function is right. All five had the same data, architecture and loss, so that a new
# scanner can fool them all alike: our digits at 60 degrees had hardly more disagreement than at
# 30, and one in nine was right. More agreement than on the test set is itself a warning: a shift
# has happened. Label a few hundred images from the second hospital and compare NLL, accuracy and
# calibration with those at home. Until then, do not reject by disagreement alone; a detector for
# unusual *inputs* is another tool. High disagreement would be an alarm. Low disagreement is no
# all-clear.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive uncertainty
#   estimation using deep ensembles", *NeurIPS* (2017): the method; it squeezes the mixture into
#   one Normal for its intervals.
# - S. Fort, H. Hu and B. Lakshminarayanan, "Deep ensembles: a loss landscape perspective", arXiv
#   (2019): why different starts give more different functions than variations around one network.
# - Y. Ovadia and others, "Can you trust your model's uncertainty? Evaluating predictive
#   uncertainty under dataset shift", *NeurIPS* (2019): ensembles against other methods under
#   shift.
# - A. G. Wilson and P. Izmailov, "Bayesian deep learning and a probabilistic perspective of
#   generalization", *NeurIPS* (2020): an ensemble as an approximation of a Bayesian average.
# - R. Rahaman and A. Thiery, "Uncertainty quantification and deep ensembles", *NeurIPS* (2021):
#   why averaging calibrated members gives an ensemble that is too timid.
# - T. Abe and others, "Deep ensembles work, but are they necessary?", *NeurIPS* (2022): a single
#   larger network often does as well, under shift too.
# - I. Osband, J. Aslanides and A. Cassirer, "Randomized prior functions for deep reinforcement
#   learning", *NeurIPS* (2018): members that differ where there are no data.

# %% [markdown]
# ## Your turn
#
# The assignment `08_deep_ensembles` has six exercises in code and one in words:
#
# 1. moments of a mixture whose members have weights;
# 2. the NLL of a mixture, with its gradient, for points far away;
# 3. a quantile of a mixture, to seven digits;
# 4. votes and mean probabilities, with a rule for ties;
# 5. members that differ by their seeds and by nothing else;
# 6. how many members are enough, averaged over all subsets;
# 7. in words: what agreement proves.
