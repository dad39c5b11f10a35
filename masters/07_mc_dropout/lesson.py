# %% [markdown]
# # MC dropout, honestly
#
# A network with dropout is trained on 100 points. With dropout left on, its predictions at one
# input scatter, with a standard deviation of nearly 0.2 on average over inputs, which is drawn as
# its uncertainty. You collect 10 000 points and train again, with the same dropout rate. **What is
# the standard deviation now?**

# %% [markdown]
# **After this lesson you can** compute mean and variance of a dropout layer without sampling; say
# what its spread depends on, and what not; predict with dropout on and everything else off; and
# test a claim of uncertainty by proper scores, coverage and rejection.
#
# **You need** aleatoric and epistemic uncertainty, the exact posterior of a linear model, and the
# law of total variance (unit 06), and the calibration of a classifier (unit 05). Reading takes
# about 50 minutes, running some 12 seconds. Symbols: [notation](00_start.ipynb#Notation).
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
from torch import nn
from torch.nn import functional as F

from course_utils.data import dial, dial_mean, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.training import fit
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "07-spread-of-a-network",
    ...,
    ask="With 10 000 points in place of 100, the spread of the passes is ...",
    choices=(
        "a tenth: a hundred times the data, a tenth of the error",
        "about a third",
        "more than half of what it was",
        "larger than it was",
    ),
)

# %% [markdown]
# ## A network that is never the same twice
#
# In training, a dropout layer sets each unit to zero with probability $p$, independently, and
# divides the others by $1 - p$, so that the mean of a unit stays what it is. In evaluation it does
# nothing at all.

# %%
torch.manual_seed(2)
layer, ones = nn.Dropout(0.2), torch.ones(8)
print("training:  ", layer(ones).numpy())
print("again:     ", layer(ones).numpy())
print("evaluation:", layer.eval()(ones).numpy())
many = layer.train()(torch.ones(100_000))
assert abs((many == 0).float().mean() - 0.2) < 0.01 and abs(many.mean() - 1) < 0.01

# %% [markdown]
# *MC dropout* leaves the layer on when it predicts. It passes the same input through the network
# $T$ times, and takes the mean of the $T$ results as the prediction and their standard deviation
# as the uncertainty. It costs one line, which is why it is everywhere. To see it, take a model
# that can be fitted with pen and paper, 20 fixed bumps, and drop bumps:

# %%
centres, grid = np.linspace(-2.5, 2.5, 20), np.linspace(-2, 2, 81)


def bumps(x):
    return np.exp(-0.5 * ((x[:, None] - centres) / 0.35) ** 2)  # (n, 20)


def dropout_weights(x, y, p, decay=1e-9):  # what training with dropout tends to; see (5) below
    phi = bumps(x)
    gram = phi.T @ phi
    penalty = p / (1 - p) * np.diag(gram) + decay
    return np.linalg.solve(gram + np.diag(penalty), phi.T @ y)


# %% hide=True alt="Twenty curves scatter about a wave: the same weights, other bumps dropped."
x, y = dial(100, rng=numpy_rng(0))
w, masks = dropout_weights(x, y, 0.2), (numpy_rng(1).random((20, 20)) > 0.2) / 0.8
_, ax = plt.subplots()
for k, mask in enumerate(masks):
    label = "passes, each with bumps dropped" if k == 0 else None
    plot_curve(grid, bumps(grid) @ (mask * w), ax=ax, color="C1", linewidth=0.8, label=label)
plot_oracle(grid, dial_mean(grid), ax=ax, label="true f")
plot_data(x, y, ax=ax, markersize=3)
ax.set(xlabel="x", ylabel="y and f", title="Twenty passes, one set of weights", ylim=(-2, 2))
_ = ax.legend(loc="lower left", fontsize=8)

# %% [markdown]
# Gal and Ghahramani (2016) derived this as an approximation of Bayesian inference: the masks give
# draws from a distribution over networks that is fitted to the posterior. How good is the
# approximation? There are cases where we know the answer.

# %% [markdown]
# ## The spread, without sampling
#
# Take one output unit on top of a dropout layer: $f = \sum_j z_j w_j h_j$ with activations $h_j$,
# weights $w_j$, and $z_j = 0$ with probability $p$, else $1/(1-p)$. The $z_j$ are independent.
#
# $$
# \begin{aligned}
# (1) \quad && \mathrm{E}\, z_j &= (1 - p) \cdot \tfrac{1}{1 - p} = 1 \\
# (2) \quad && \mathrm{var}\, z_j &= (1 - p) \cdot \tfrac{1}{(1 - p)^2} - 1 = \tfrac{p}{1 - p} \\
# (3) \quad && \mathrm{E}\, f &= \textstyle\sum_j w_j h_j \\
# (4) \quad && \mathrm{var}\, f &= \tfrac{p}{1 - p} \textstyle\sum_j (w_j h_j)^2
# \end{aligned}
# $$
#
# With ten units there are 1024 masks. Weighting each with its probability gives mean and variance
# exactly, with no formula and no chance in it:

# %%
p, w, h = 0.3, numpy_rng(0).normal(size=10), numpy_rng(1).normal(size=10)
keep = (np.arange(1024)[:, None] >> np.arange(10)) & 1  # (1024, 10), every mask once
probability = np.prod(np.where(keep, 1 - p, p), axis=1)
z = keep / (1 - p)
assert np.allclose(probability @ z, 1)  # (1)
assert np.allclose(probability @ z**2 - 1, p / (1 - p))  # (2)
f = z @ (w * h)
assert np.isclose(probability @ f, w @ h)  # (3)
assert np.isclose(probability @ (f - w @ h) ** 2, p / (1 - p) * ((w * h) ** 2).sum())  # (4)

# %% [markdown]
# Look at (4). It contains the dropout rate, the weights and the activations. It does not contain
# the number of data. That would have to come in through the weights. Does it?

# %% [markdown] card="07-variance-of-a-dropout-layer"
# What is the variance of a sum of w·h behind dropout with rate p, and what is missing in it that a
# posterior's has?
#
# **Answer.** p/(1 − p) times the sum of (w·h)². The number of data does not occur: it could come
# in through the weights only.

# %% [markdown]
# ## More data
#
# Back to the 20 fixed bumps $\phi_j(x)$. The squared error of one point, averaged over the masks,
# is a squared mean error plus the variance (4), and so for all data:
#
# $$
# (5) \quad \mathrm{E} \sum_i \Big(y_i - \sum_j z_j w_j \phi_{ij}\Big)^2
#   = \sum_i \Big(y_i - \sum_j w_j \phi_{ij}\Big)^2
#   + \tfrac{p}{1 - p} \sum_j w_j^2 \sum_i \phi_{ij}^2
# $$
#
# For a linear model, dropout in training is a ridge penalty, as Wager and others (2013) discuss.
# But compare it with the penalty of a prior (unit 04): that one is a constant, which the data
# outvote. Here the penalty is a sum over the data as well, and grows with them at the same rate.

# %% [markdown]
# Beside it the exact posterior of the same linear model, with the noise known and the prior $w_j
# \sim N(0, 1)$:


# %%
def dropout_fit(x, y, p, decay=1e-9):  # mean and sd over all masks, on the grid: (3) and (4)
    w = dropout_weights(x, y, p, decay)
    return bumps(grid) @ w, np.sqrt(p / (1 - p) * bumps(grid) ** 2 @ w**2)


def exact_fit(x, y):  # mean and sd of the posterior of f
    phi = bumps(x)
    weighted = phi / dial_scale(x)[:, None] ** 2  # noise s(x) known, prior N(0, 1)
    covariance = np.linalg.inv(weighted.T @ phi + np.eye(20))
    variance = ((bumps(grid) @ covariance) * bumps(grid)).sum(1)
    return bumps(grid) @ covariance @ weighted.T @ y, np.sqrt(variance)


# %% [markdown]
# First a check of (5), by brute force: 4000 random masks for 30 points.

# %%
x, y = dial(30, rng=numpy_rng(2))
w = numpy_rng(3).normal(size=20)
masks = (numpy_rng(4).random((4000, 20)) > 0.2) / 0.8
drawn = ((y - masks @ (w * bumps(x)).T) ** 2).sum(1)
formula = ((y - bumps(x) @ w) ** 2).sum() + 0.25 * w**2 @ (bumps(x) ** 2).sum(0)
assert abs(drawn.mean() - formula) < 4 * drawn.std() / np.sqrt(4000)

# %% [markdown]
# And now the two spreads, from 30 points to 100 000:

# %% same=True
sizes = np.array([30, 100, 1000, 10_000, 100_000])
spread = {"dropout": [], "exact posterior": []}
for n in sizes:
    x, y = dial(n, rng=numpy_rng(0))
    spread["dropout"].append(dropout_fit(x, y, 0.2)[1].mean())
    spread["exact posterior"].append(exact_fit(x, y)[1].mean())
for name, sds in spread.items():
    print(f"{name:15s}", " ".join(f"{sd:.3f}" for sd in sds))

# %% [markdown]
# The exact posterior falls as $1/\sqrt n$:

# %%
slope = np.polyfit(np.log(sizes[1:]), np.log(spread["exact posterior"][1:]), 1)[0]
assert abs(slope + 0.5) < 0.05
assert spread["dropout"][-1] > 0.9 * spread["dropout"][0]

# %% hide=True alt="Log-log plot over n: the posterior's sd falls, dropout's stays near 0.24."
_, ax = plt.subplots()
plot_oracle(sizes, spread["exact posterior"], ax=ax, label="exact posterior")
plot_curve(sizes, spread["dropout"], ax=ax, marker="o", label="dropout, p = 0.2")
ax.set(xscale="log", yscale="log", xlabel="training points n", ylabel="sd of f, mean over x")
ax.set_title("Only the posterior learns")
_ = ax.legend(loc="lower left")

# %% [markdown]
# The dropout spread stays where it is: in (5) both terms grow with $n$, so the weights tend to a
# limit, which is not zero, and by (4) so does the spread. Perhaps that is an artefact of the
# linear model; the end of this lesson trains networks.

# %% [markdown] card="07-why-the-spread-stays"
# Why does the spread of MC dropout not vanish with more data, as a posterior's does?
#
# **Answer.** Dropout acts as a ridge penalty that is a sum over the data and grows at their rate,
# so the weights tend to a limit, and the spread with them. A posterior's falls as one over the
# root of n.

# %% [markdown]
# ## Where the claim comes from
#
# How can this be approximate inference? In Gal and Ghahramani's derivation the approximation $q$
# is the distribution of the masked weights, and the ELBO (unit 09) is estimated by training with
# dropout: the loss is the first term, and the KL to a prior $N(0, 1/l^2)$ becomes a weight decay.
# For $N$ points with noise of precision $\tau$ its strength beside the mean squared error over two
# is
#
# $$(6) \qquad \lambda = \frac{(1 - p)\, l^2}{N \tau} .$$
#
# (The KL is approximated too, and taken literally it is infinite: Hron and others, 2018.) Nothing
# here is wrong, but look at what is fitted. $q$ has the weights as parameters and the spread that
# $p$ dictates; the only thing that data can do to the spread is move the weights. With the weight
# decay of (6), which the code above left out, against the exact posterior's noise taken as
# constant:

# %%
noise = (dial_scale(grid) ** 2).mean()  # 1 / tau
print("     n   spread without decay   with the decay of (6), l = 1")
for n in (100, 10_000):
    x, y = dial(n, rng=numpy_rng(0))
    plain, decayed = (dropout_fit(x, y, 0.2, d)[1].mean() for d in (1e-9, 0.8 * noise))
    print(f"{n:6d}   {plain:.3f}                  {decayed:.3f}")
assert decayed > 0.9 * plain

# %% [markdown]
# In (5), a sum over the data, the decay is the constant $(1 - p)\, l^2 / \tau$; data outvote it,
# and the spread is what it was. The one parameter that could tell of more data is $p$. With $p$
# fixed by habit at 0.2, nothing is left that could fall as $1/\sqrt n$. (Concrete dropout, by Gal
# and others, 2017, fits $p$, and lets it fall as data come in.)

# %% [markdown]
# ## Which rate would be right?
#
# To see both models at work, a function draws the data, the true function and a band of 1.645
# standard deviations, and says how much of the true function lies inside, along $x$.


# %%
def draw_band(x, y, mean, sd, ax, where=slice(None)):
    plot_data(x[:300], y[:300], ax=ax, markersize=2)
    plot_oracle(grid, dial_mean(grid), ax=ax, label="true f")
    plot_band(grid, mean - 1.645 * sd, mean + 1.645 * sd, contains="f", level=0.9, ax=ax)
    inside = (abs(mean - dial_mean(grid)) < 1.645 * sd)[where]
    ax.set(xlabel="x", ylabel="y and f", ylim=(-2, 2))
    ax.label_outer()
    return f"covers {inside.mean():.0%}"


# %% hide=True alt="At n = 100 the dropout band is more than twice as wide as the posterior's."
def draw_bands(log10_p=-0.7, log10_n=2.0):
    x, y = dial(round(10**log10_n), rng=numpy_rng(0))
    p = 10**log10_p
    _, axes = plt.subplots(1, 2, sharey=True)
    fits = {"dropout": dropout_fit(x, y, p), "exact posterior": exact_fit(x, y)}
    for ax, (name, (mean, sd)) in zip(axes, fits.items(), strict=True):
        covers = draw_band(x, y, mean, sd, ax)
        ax.set_title(f"{name}: sd {sd.mean():.2f}, {covers}", fontsize=10)
    axes[1].legend(loc="lower left", fontsize=8)


draw_bands()

# %% [markdown]
# At $n = 100$ both bands are equally wide on average if $p$ is about 0.02. No training is needed,
# so slide. **Move `log10_n`:** which band follows? **Move `log10_p`** at $n = 100$: what else
# changes?

# %%
interactive(draw_bands, log10_p=(-4.0, -0.3, 0.1), log10_n=(1.0, 4.5, 0.5))

# %% [markdown]
# And with 10 000 points: which rate gives dropout the width of the posterior?

# %%
predict(
    "07-rate-for-more-data",
    ...,
    ask="The widths agree at p = 0.02 for n = 100. At which p for n = 10 000?",
    choices=("0.02 again", "about 0.2, ten times as large", "a hundredth of it or less"),
)

# %% [markdown] card="07-what-the-rate-does"
# Somebody tunes the dropout rate until coverage is 0.9. What does that show?
#
# **Answer.** Nothing about knowledge: the spread is proportional to the root of p/(1 − p), so some
# rate reaches any coverage on average. With more data another rate would be needed.

# %% [markdown] fold="07-rate-for-more-data"
# ### Twenty-six rates

# %% [markdown]
# Trying 26 rates for each number of points:

# %% same=True
for n in (100, 10_000):
    x, y = dial(n, rng=numpy_rng(0))
    target, rates = exact_fit(x, y)[1].mean(), 10 ** np.arange(-4.0, -1.45, 0.1)
    off = [abs(dropout_fit(x, y, p)[1].mean() - target) for p in rates]
    print(f"n = {n:5d}: the mean widths agree at p = {rates[np.argmin(off)]:.1g}")
    found = rates[np.argmin(off)]
because = {"0.02 again": "Then the width would stay; the posterior's falls to an eighth."}
because["about 0.2, ten times as large"] = (
    "A larger rate is a wider band, and the posterior's is narrower."
)
assert found < 0.01 * 0.05
reveal("07-rate-for-more-data", "a hundredth of it or less", because=because)

# %% [markdown]
# A rate that works would have to fall with the data, and even then only the average is right.

# %% [markdown]
# ## Broken on purpose: `net.train()`
#
# Dropout works in training mode, so many programs call `net.train()` before they sample. That
# switches *everything* to training mode. Here is a network with batch normalisation. In training,
# such a layer standardises each unit with the mean and variance of the current batch, and moves
# its running averages along; in evaluation it uses the running averages and leaves them alone.

# %%
torch.manual_seed(0)
x, y = (torch.tensor(v[:, None], device=device).float() for v in dial(200, rng=numpy_rng(0)))
parts = nn.Linear(1, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1)
net = nn.Sequential(*parts).to(device)
fit(lambda: F.mse_loss(net(x), y), torch.optim.Adam(net.parameters(), lr=0.02), steps=300)
ours = torch.tensor([[0.5]], device=device)  # the input that we ask about
left = torch.linspace(-2, -1, 31, device=device)[:, None]  # others in the batch


@torch.no_grad()
def mean_at_ours(companions):  # mean over 300 passes of the prediction for the first row
    batch = torch.cat([ours, companions])
    return torch.stack([net(batch)[0, 0] for _ in range(300)]).mean().item()


# %% [markdown]
# With the dropout layer switched on alone, the mean prediction at $x = 0.5$ is about 0.7. Now put
# it into one batch with 31 other rows, all of them between $-2$ and $-1$, and call `net.train()`.

# %%
predict(
    "07-prediction-among-others",
    ...,
    ask="By how much does the mean prediction at x = 0.5 change?",
    choices=("by less than 0.1", "by about 0.5", "by more than 2"),
)

# %% [markdown] fold="07-prediction-among-others"
# ### Among others

# %% [markdown]
# First with only the dropout layer switched on, then with `net.train()`:

# %%
net.eval()
net[3].train()  # the dropout layer, and nothing else
alone, together = mean_at_ours(x[:0]), mean_at_ours(left)
print(f"dropout on, alone:          {alone:.1f}")
print(f"dropout on, with others:    {together:.1f}")
before = net[1].running_mean.clone()
net.train()
spoilt = mean_at_ours(left)
print(f"net.train(), with others:   {spoilt:.1f}")
net.eval()
print(f"net.eval() after all that:  {net(ours).item():.1f}")
assert abs(together - alone) < 0.1 and (net[1].running_mean - before).abs().max() > 0.5

# %% [markdown]
# Your prediction:

# %%
assert abs(spoilt - alone) > 2
because = {"by less than 0.1": "So it is with dropout alone; batch normalisation reads the batch."}
reveal("07-prediction-among-others", "by more than 2", because=because)

# %% [markdown]
# The prediction for one row depends on its neighbours in the batch, and asking has changed the
# network for good: its running averages have moved, and so has the last prediction, made in
# evaluation mode. (Alone in its batch, the row makes the network stop with an error, which is the
# kinder outcome.) So switch on the dropout layers only, and give every module its former mode
# back afterwards.
#
# The opposite mistake is a silent one, too: without switching anything on, all $T$ passes are
# equal, and the uncertainty is zero everywhere.

# %% [markdown] card="07-modes-to-switch-on"
# How do you predict with dropout on, in a network that has batch normalisation as well?
#
# **Answer.** Switch on the dropout layers only, and restore each module's mode afterwards.
# `net.train()` makes a prediction depend on its neighbours in the batch, and moves the running
# averages for good.

# %% [markdown]
# ## A band for y, and the table
#
# The spread is about $f$. Whoever needs a band for $y$ must add the noise. From here on real
# networks, with two hidden layers of 64 units and dropout on both. They train side by side: `@`
# multiplies a stack of matrices, one for each network.


# %%
class Networks(nn.Module):  # `count` networks that share nothing but the dropout rate
    def __init__(self, count, outputs, p, width=64):
        super().__init__()
        shapes = [(1, width), (width, width), (width, outputs)]
        scale = [1 / np.sqrt(rows) for rows, _ in shapes]
        self.weights = nn.ParameterList(
            s * (2 * torch.rand(count, *shape) - 1) for s, shape in zip(scale, shapes, strict=True)
        )
        self.biases = nn.ParameterList(torch.zeros(count, 1, columns) for _, columns in shapes)
        self.dropout = nn.Dropout(p)

    def forward(self, x):  # (count, n, 1) to (count, n, outputs)
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = self.dropout(torch.relu(x @ W + b))
        return x @ self.weights[-1] + self.biases[-1]


# %% [markdown]
# The data are stacked in the same way, and the inputs of the figures are a tensor once more.


# %%
def stacked(pairs):  # data sets of one size, as tensors (sets, n, 1)
    return (
        torch.tensor(np.stack(v)[..., None]).float().to(device) for v in zip(*pairs, strict=True)
    )


everywhere = torch.tensor(grid, device=device).float()[:, None]  # (81, 1)

# %% [markdown]
# Let each network predict a mean and a scale, and train both with the Gaussian NLL: five networks
# on five data sets of 200 points, as in unit 06, and a sixth whose data have a gap.

# %%
from torch.distributions import Categorical, MixtureSameFamily, Normal

gap = (-0.7, 0.5)


def mean_and_scale(network, x):
    raw = network(x)
    return raw[..., 0], F.softplus(raw[..., 1]) + 0.001


def fresh(n, first, gap):  # six data sets of n points; the last has the gap
    return [dial(n, rng=numpy_rng(first + i), gap=gap if i == 5 else None) for i in range(6)]


# %% [markdown]
# The seed decides on data, weights and masks:


# %%
def trained(seed, steps):  # six networks, and what they have seen
    torch.manual_seed(seed + 1)
    sets = fresh(200, 10 * seed, gap)
    x, y = stacked(sets)
    network = Networks(6, 2, p=0.1).to(device)

    def nll():
        return -Normal(*mean_and_scale(network, x)).log_prob(y[..., 0]).mean(1).sum()

    fit(nll, torch.optim.Adam(network.parameters(), lr=0.02), steps=steps, decay=True)
    return network, sets


# %% [markdown]
# Four predictions of 1000 fresh points go into the table. The last but one, the *mixture*, gives
# each of 10 passes a Normal of its own; by the law of total variance, its variance is the spread
# of the means plus the mean noise variance.


# %%
@torch.no_grad()
def off_and_on(network, x):  # mean and scale with dropout off, (6, n); of ten passes, (6, n, 10)
    off = mean_and_scale(network.eval(), x)
    passes = [mean_and_scale(network.train(), x) for _ in range(10)]
    mean, scale = (torch.stack(v, dim=-1) for v in zip(*passes, strict=True))
    return [v.double().cpu() for v in (*off, mean, scale)]


def mixture(mean, scale):
    return MixtureSameFamily(Categorical(torch.ones_like(mean)), Normal(mean, scale))


# %% [markdown]
# The oracle is the distribution that the data come from.

# %%
from course_utils.scores import score, score_table

network, sets = trained(seed=0, steps=400)
test = fresh(1000, 1000, None)
m, s, mean, scale = off_and_on(network, next(stacked(test)))


def predictions(i):
    x = test[i][0]
    return {
        "dropout off": Normal(m[i], s[i]),
        "spread only": Normal(mean[i].mean(-1), mean[i].std(-1)),
        "spread and noise": mixture(mean[i], scale[i]),
        "oracle": Normal(torch.tensor(dial_mean(x)), torch.tensor(dial_scale(x))),
    }


# %% [markdown]
# Mean and standard error over the first five data sets:

# %%
runs = [{k: score(d, test[i][1]) for k, d in predictions(i).items()} for i in range(5)]
rows = {name: [run[name] for run in runs] for name in runs[0]}
print(score_table(rows, oracle=rows.pop("oracle")))

# %% [markdown]
# The spread alone is no predictive distribution: its 90% band holds little more than half of the
# data. With the noise, coverage is near 0.9, and the table has a sobering message: by NLL and CRPS
# the mixture is no better than the same network with dropout *off*. Is that so of the method, or
# of these 400 steps? The NLL of both, on the five data sets of a seed:


# %%
def nll_off_and_on(network, seed):  # (5,) each
    x, y = stacked(fresh(1000, 1000 + 10 * seed, None))
    m, s, mean, scale = off_and_on(network, x)
    y = y[..., 0].double().cpu()
    off, on = Normal(m, s).log_prob(y), mixture(mean, scale).log_prob(y)
    return -off.mean(1)[:5], -on.mean(1)[:5]


# %% [markdown]
# What sampling gains is the first minus the second. Does it depend on the length of training?


# %% claim="A network that is trained three times as long gains more by sampling." steps=400
def training_favours_sampling(seed, steps):
    short, long = (nll_off_and_on(trained(seed, n)[0], seed) for n in (steps, 3 * steps))
    return ((long[0] - long[1]) - (short[0] - short[1])).mean().item()


# %% [markdown]
# In our run:

# %%
gained = []
for steps, net in (400, network), (1200, trained(seed=0, steps=1200)[0]):
    off, on = nll_off_and_on(net, seed=0)
    gained.append(off - on)
    print(
        f"{steps:4d} steps: NLL {off.mean():.2f} with dropout off, {on.mean():.2f} with sampling,"
    )
    print(f"            gained {gained[-1].mean():+.2f} ± {gained[-1].std() / 5**0.5:.2f} nats")
assert gained[1].mean() > gained[0].mean()

# %% [markdown]
# After 400 steps sampling gains nothing: the spread is added everywhere, also where 200 points
# have long settled the function. After 1200 both are better, and the loss is gone; over ten seeds
# it has become a small gain. The network at rest follows its data more closely and finds too
# little noise, which the spread makes up for. Whoever tries one length of training may report
# either result, so report both.

# %% [markdown]
# ### Counted twice
#
# There is a reason why the spread buys so little. The scale was trained with the masks on, so by
# the law of total variance (unit 06) what it learned to predict is the noise *plus* the scatter of
# the masked means. Whoever adds the spread again counts it twice:

# %%
predicted = (scale[:5] ** 2).mean().item()
spread_of_means = mean[:5].var(-1).mean().item()
true_noise = np.mean([(dial_scale(test[i][0]) ** 2).mean() for i in range(5)])
print(f"mean predicted variance {predicted:.3f}")
print(f"true noise {true_noise:.3f} + spread of the means {spread_of_means:.3f}", end=" ")
print(f"= {true_noise + spread_of_means:.3f}")
assert abs(predicted - true_noise - spread_of_means) < abs(predicted - true_noise)

# %% [markdown] card="07-noise-counted-twice"
# Why may the noise that a dropout network has learnt already contain the spread of the passes?
#
# **Answer.** The scale was trained with the masks on, so it learnt noise plus the scatter of the
# masked means. Adding the spread again counts it twice.

# %% [markdown]
# ## Does it grow where there are no data?
#
# This is what people want it for. The sixth network has seen no $x$ between −0.7 and 0.5. Beside
# it the exact posterior of the linear model on the same data. The titles say how much of the true
# function in the gap the bands cover.


# %%
@torch.no_grad()
def passes_of_the_sixth(network):  # mean and standard deviation of 100 passes, (81,) each
    inputs = everywhere.expand(6, -1, 1)
    f = [mean_and_scale(network, inputs)[0][5] for _ in range(100)]
    f = torch.stack(f).double().cpu()
    return f.mean(0).numpy(), f.std(0).numpy()


hole = (grid > gap[0]) & (grid < gap[1])

# %% [markdown]
# The growth of a spread is its mean in the gap over its mean on the data:


# %% claim="In a gap, the posterior's sd grows over twice as much as dropout's." steps=400
def gap_opens_less(seed, steps):
    network, sets = trained(seed, steps)
    sds = passes_of_the_sixth(network)[1], exact_fit(*sets[5])[1]
    dropout, exact = (sd[hole].mean() / sd[~hole].mean() for sd in sds)
    return exact - 2 * dropout


# %% [markdown]
# And in the run that we have trained:

# %% alt="Dropout's band hardly opens in the gap and misses the truth; the exact posterior's does."
fits = {"dropout": passes_of_the_sixth(network), "exact posterior": exact_fit(*sets[5])}
growth = []
_, axes = plt.subplots(1, 2, sharey=True)
for ax, (name, (m, sd)) in zip(axes, fits.items(), strict=True):
    covers = draw_band(*sets[5], m, sd, ax, where=hole)
    ax.set_title(f"{name}: {covers} of the gap", fontsize=10)
    ax.axvspan(*gap, color="0.92", zorder=0)
    growth.append(sd[hole].mean() / sd[~hole].mean())
    print(f"{name:15s} sd {sd[~hole].mean():.2f} on data, {sd[hole].mean():.2f} in the gap")
assert growth[1] > 2 * growth[0]
_ = axes[1].legend(loc="lower left", fontsize=8)

# %% [markdown]
# Dropout's spread grows less than twofold in the gap (over ten seeds, by a factor between 1 and
# little more than 2); the posterior's grows almost sixfold, and covers. Nothing in (4) knows where
# the data are: the spread is large where the terms $w_j h_j$ are large, and those follow the size
# of the activations.
#
# In many pictures the spread does grow away from the data, because activations grow outwards. That
# is a property of the activations, not of the method.

# %% [markdown] card="07-spread-in-a-gap"
# Does the spread of dropout know where data are missing?
#
# **Answer.** Nothing in it does: it is large where the terms w·h are large. It may grow outwards
# because activations do; that is a property of the activations, not of the method.

# %% [markdown]
# ## How many passes?
#
# The mean of $T$ passes has a standard error of the spread over $\sqrt T$. That is an error of
# computing, and it does fall, with $T$: the spread itself does not. Here for one input:

# %%
with torch.no_grad():
    one = torch.full((6, 20_000, 1), 0.3, device=device)  # each row gets a mask of its own
    f = mean_and_scale(network, one)[0][0].double().cpu()
print("     T   sd of the passes   sd of the mean of T passes")
for T in (10, 100, 1000):
    groups = f.reshape(-1, T)
    print(f"{T:6d}   {groups.std(1).mean():.2f}               {groups.mean(1).std():.3f}")
    assert abs(groups.mean(1).std() / (f.std() / T**0.5) - 1) < 0.5

# %% [markdown] card="07-what-passes-reduce"
# What falls if you take more passes, and what does not?
#
# **Answer.** The standard error of their mean, as one over the root of T: an error of computing.
# The spread itself does not fall.

# %% [markdown]
# ## Digits, turned
#
# Classification is where MC dropout is used most. A network with dropout learns the digits
# upright. Then we turn the test images, a little and a lot; a good model would notice that these
# are not the images that it knows.

# %%
from course_utils.digits import digits, rotated


def trained_classifier(seed, steps):  # the network, and images and labels for a test
    torch.manual_seed(seed)
    images, labels, *test = digits(rng=numpy_rng(seed))
    layers = [nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 128), nn.ReLU()]
    net = nn.Sequential(nn.Flatten(), *layers, nn.Dropout(0.5), nn.Linear(128, 10)).to(device)
    x, k = torch.tensor(images, device=device), torch.tensor(labels, device=device)
    adam = torch.optim.Adam(net.parameters(), lr=0.004)
    fit(lambda: F.cross_entropy(net(x), k), adam, steps=steps)
    return net, *test


# %% [markdown]
# Every image is answered once with dropout off, and 30 times with it:


# %%
@torch.no_grad()
def answers(net, images, degrees, passes=30):  # (599, 10), (30, 599, 10): off and on
    x = torch.tensor(rotated(images, degrees), device=device)
    off = net.eval()(x).softmax(1)
    on = torch.stack([net.train()(x).softmax(1) for _ in range(passes)])
    return off.double().cpu().numpy(), on.double().cpu().numpy()


# %% [markdown]
# This network has no batch normalisation, so that `train()` switches on dropout and nothing else.
# Turned by 90 degrees, an 8 is still easy for us, and a 3 looks like no digit at all. The network
# is right on about one in nine of these images.

# %%
predict(
    "07-confidence-at-90-degrees",
    ...,
    ask="Mean confidence (largest probability of the mean of 30 passes), turned by 90 degrees?",
)

# %% [markdown] fold="07-confidence-at-90-degrees"
# ### Turning on

# %% [markdown]
# Accuracy and NLL in nats, confidence and ECE (unit 05), in each pair first with dropout off, then
# the mean over 30 passes:


# %%
def quality(p, labels):
    confidence, right = p.max(1), p.argmax(1) == labels
    k = np.minimum((confidence * 10).astype(int), 9)
    ece = sum(abs((confidence - right)[k == j].sum()) for j in range(10)) / len(p)
    nll = -np.log(p[np.arange(len(p)), labels]).mean()
    return right.mean(), nll, confidence.mean(), ece


# %% [markdown]
# From upright to a quarter turn:

# %%
classifier, test_images, test_labels = trained_classifier(seed=0, steps=100)
turned = {
    degrees: answers(classifier, test_images, degrees) for degrees in (0, 10, 20, 30, 45, 90)
}
print("turned     accuracy      NLL          confidence    ECE")
for degrees, (off, on) in turned.items():
    pairs = zip(quality(off, test_labels), quality(on.mean(0), test_labels), strict=True)
    print(f"{degrees:5d}°    ", "    ".join(f"{a:5.2f} {b:.2f}" for a, b in pairs))

# %% [markdown]
# Your prediction was about the last row:

# %%
sure = {degrees: on.mean(0).max(1).mean() for degrees, (_, on) in turned.items()}
because = {0.11: "That is the accuracy; an honest confidence would be as low."}
reveal("07-confidence-at-90-degrees", round(sure[90], 2), within=0.05, because=because)

# %% [markdown]
# Averaging over passes leaves the accuracy alone and makes the network less sure. On upright
# digits that is too timid (after 100 steps; after 300 it costs nothing), and turned by 30 degrees
# it is an improvement. At 90 degrees it is far too little: the network is about as sure of
# these images as of upright ones, on most seeds surer, and nearly always wrong.


# %% claim="At 30 degrees, 30 passes have the lower NLL." steps=100
def passes_help_at_30_degrees(seed, steps):
    net, images, labels = trained_classifier(seed, steps)
    off, on = answers(net, images, 30)
    return quality(off, labels)[1] - quality(on.mean(0), labels)[1]


# %% [markdown]
# It is the second that is dangerous, so it is a claim of its own:


# %% claim="Over 30 passes, a net is surer of digits at 90 degrees than of upright ones." steps=100
def surer_at_90_degrees(seed, steps):
    net, images, _ = trained_classifier(seed, steps)
    upright, turned = (answers(net, images, degrees)[1].mean(0) for degrees in (0, 90))
    return turned.max(1).mean() - upright.max(1).mean()


# %% [markdown]
# ### Which part grows?
#
# Is the uncertainty at least in the right part of the decomposition (unit 06)? Total
# entropy, the mean entropy of one pass, and their difference, the mutual information:

# %% alt="Entropies rise to 30 or 45 degrees and fall again by 90, as accuracy vanishes."
from scipy.special import entr

total = {degrees: entr(on.mean(0)).sum(1) for degrees, (_, on) in turned.items()}
within = {degrees: entr(on).sum(2).mean(0) for degrees, (_, on) in turned.items()}
angles = list(turned)
_, ax = plt.subplots()
for name, values in {
    "total": [total[a].mean() for a in angles],
    "mean within a pass": [within[a].mean() for a in angles],
    "mutual information": [(total[a] - within[a]).mean() for a in angles],
}.items():
    plot_curve(angles, values, ax=ax, marker="o", label=name)
ax.set(xlabel="degrees turned", ylabel="entropy (nats), mean over images", ylim=(0, None))
ax.set_title("Entropies fall where they should be largest")
_ = ax.legend()

# %% [markdown]
# The mutual information, "what the network knows that it does not know", is the smaller part as
# long as there is much entropy, and is small again where nearly every answer is wrong.
#
# An uncertainty need not be a correct number to be of use: it may suffice to send the most
# uncertain images to a human. So reject a share of the images, ranked by an uncertainty, and look
# at the accuracy on the rest, here at 20 degrees:

# %% alt="Accuracy against the share rejected: plain entropy lies highest, by a little."
off, on = turned[20][0], turned[20][1].mean(0)
rankings = {
    "dropout off, entropy": (entr(off).sum(1), off),
    "30 passes, total entropy": (total[20], on),
    "30 passes, mutual information": (total[20] - within[20], on),
}
rejected, (_, ax) = np.arange(0, 0.85, 0.05), plt.subplots()
for name, (uncertainty, p) in rankings.items():
    ordered = (p.argmax(1) == test_labels)[np.argsort(uncertainty)]  # the surest first
    kept = [ordered[: round(599 * (1 - r))].mean() for r in rejected]
    plot_curve(rejected, kept, ax=ax, label=name)
    print(f"{name:30s} accuracy {kept[0]:.2f}, with 40% rejected {kept[8]:.2f}")
ax.set(xlabel="share rejected", ylabel="accuracy on the rest", ylim=(0.5, 1.02))
ax.set_title("Turned by 20 degrees: plain entropy rejects as well as thirty passes")
_ = ax.legend(loc="lower right")

# %% [markdown]
# Rejection works, and the entropy of the plain network does it as well as that of 30 passes, at a
# thirtieth of the cost. "As well" means within 0.015, the standard error of an accuracy of 0.91 on
# the 359 images that are kept:


# %% claim="With 40% rejected, plain entropy costs less than 0.015 of the accuracy." steps=100
def plain_entropy_rejects_as_well(seed, steps):
    net, images, labels = trained_classifier(seed, steps)
    off, on = answers(net, images, 20)
    plain, passes = (
        (p.argmax(1) == labels)[np.argsort(entr(p).sum(1))[:359]].mean() for p in (off, on.mean(0))
    )
    return (0.91 * 0.09 / 359) ** 0.5 + plain - passes  # 0.015


# %% [markdown]
# The mutual information, often recommended for the purpose, ranks worst of the three here, after
# 100 steps. That is the training, not the method: after 300 steps, on ten seeds, its accuracy and
# that of plain entropy differ by less than chance explains.

# %% [markdown]
# Whatever you add to a network, compare it with the network alone, by numbers.

# %% [markdown] card="07-compare-with-dropout-off"
# Rejecting by the uncertainty of 30 passes works. What has to stand beside that before it is
# praised?
#
# **Answer.** The same network with dropout off: here its plain entropy does it as well, at a
# thirtieth of the cost.

# %% [markdown]
# ## Back to the opening question
#
# Three networks, on 100, 1000 and 10 000 points, with the squared error and a dropout rate of 0.2.
# What becomes of the spread of their passes?

# %% [markdown] fold="07-spread-of-a-network"
# ### Three networks

# %% [markdown]
# Each step draws 100 of the points for each network. Training leaves the networks in training
# mode, so that dropout stays on in the last two lines.


# %%
def trained_passes(seed, steps):  # 300 passes of the three networks: (300, 3, 81)
    torch.manual_seed(seed)
    network, rng = Networks(3, 1, p=0.2).to(device), numpy_rng(seed)
    sets = [dial(n, rng=numpy_rng(seed)) for n in (100, 1000, 10_000)]

    def squared_error():
        rows = [rng.integers(len(x), size=100) for x, _ in sets]
        x, y = stacked([(x[i], y[i]) for (x, y), i in zip(sets, rows, strict=True)])
        return (network(x) - y).square().mean((1, 2)).sum()

    adam = torch.optim.Adam(network.parameters(), lr=0.02)
    fit(squared_error, adam, steps=steps, decay=True)
    with torch.no_grad():
        return torch.stack([network(everywhere)[..., 0] for _ in range(300)]).cpu()


# %% [markdown]
# One run shows little about a method: another seed, or longer training, may turn the result
# around. So what this lesson claims about trained networks stands in small functions of a seed and
# a number of steps, which return a number that is positive if the claim is true. Each has been
# called on ten seeds, with the lesson's steps and with three times as many, and is here because it
# held. This one is the answer:


# %% claim="A hundred times more data leave more than half of a network's spread." steps=400
def spread_stays(seed, steps):
    sd = trained_passes(seed, steps).std(0).mean(1)  # (3,), for 100, 1000 and 10 000 points
    return (sd[2] - 0.5 * sd[0]).item()


# %% [markdown]
# And the run of seed 0: the spread beside what it is supposed to estimate, the distance of the
# mean prediction from the true function, which we know.

# %%
passes = trained_passes(seed=0, steps=400)
print("     n   spread   true error of the mean")
error = (passes.mean(0) - torch.tensor(dial_mean(grid))).square().mean(1).sqrt()
for n, sd, e in zip((100, 1000, 10_000), passes.std(0).mean(1), error, strict=True):
    print(f"{n:6d}   {sd:.2f}     {e:.2f}")
assert passes.std(0).mean(1)[2] > 0.5 * passes.std(0).mean(1)[0]
tenth, third, half, larger = (
    "a tenth: a hundred times the data, a tenth of the error",
    "about a third",
    "more than half of what it was",
    "larger than it was",
)
because = {tenth: "A posterior's would; this spread is made of the rate and the weights."}
because |= dict.fromkeys((third, larger), "The weights settle, and by (4) the spread with them.")
reveal("07-spread-of-a-network", half, because=because)

# %% [markdown]
# A posterior's would have fallen to about a tenth; this one loses a small part. Nor does it
# measure the error: on 10 000 points and ten seeds, that is larger than the spread after 400
# steps, and smaller after 1200. Beside the linear model:

# %% hide=True alt="Log-log: the posterior's sd falls with n, both dropout spreads hardly do."
_, ax = plt.subplots()
plot_oracle(sizes, spread["exact posterior"], ax=ax, label="exact posterior (linear model)")
plot_curve(sizes, spread["dropout"], ax=ax, marker="o", label="dropout, linear model")
look = {"color": "C1", "marker": "s", "label": "dropout, network"}
plot_curve([100, 1000, 10_000], passes.std(0).mean(1), ax=ax, **look)
ax.set(xscale="log", yscale="log", xlabel="training points n", ylabel="sd of f, mean over x")
ax.set_title("Only the posterior falls as $1/\\sqrt{n}$")
_ = ax.legend(loc="lower left")

# %% [markdown]
# ## Recap
#
# 1. MC dropout samples from a random network: mean and spread of a dropout layer have closed
#    forms, and the variance is $p/(1-p) \sum_j (w_j h_j)^2$.
# 2. With $p$ fixed, the spread tends to a limit above zero as $n$ grows; a posterior's falls as
#    $1/\sqrt n$.
# 3. Switch on the dropout layers, not the network, and restore every mode.
# 4. The spread is about $f$; a band for $y$ needs the noise as well, counted once. More passes
#    reduce the error of computing, not the spread.
# 5. Compare with dropout off, by NLL, CRPS, coverage and rejection, over several seeds and lengths
#    of training.

# %% [markdown]
# ## An interview question
#
# *A team reports: "Our MC-dropout intervals are well calibrated, with 90% coverage on the test
# set. Therefore the model knows what it does not know." What do you ask?*
#
# Think first. The cell belongs to one of the points.

# %% same=True
p = np.array([0.05, 0.1, 0.2, 0.5])
print("spread of one dropout layer, relative to p = 0.2:", np.sqrt(p / (1 - p) / 0.25).round(2))

# %% [markdown]
# <details><summary>An answer</summary>
#
# **How was p chosen?** The spread is proportional to $\sqrt{p / (1 - p)}$: somebody who tries a
# few rates can reach any coverage on average, whatever the model knows.
#
# **Coverage of what, and where?** Of $y$, with the noise included? On average, or also where data
# are scarce? Too wide here and too narrow there average to 90%.
#
# **On which test set?** Drawn like the training set, it holds nothing that the model could fail to
# know. Show a shifted one, with accuracy against rejection.
#
# **Against what?** The same network with dropout off and a fitted noise, and, where it can be
# had, an exact posterior or an ensemble; by NLL and CRPS, paired, with standard errors.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - N. Srivastava and others, "Dropout: a simple way to prevent neural networks from overfitting",
#   *JMLR* (2014): the layer, and the network at rest as the mean of its masks.
# - Y. Gal and Z. Ghahramani, "Dropout as a Bayesian approximation", *ICML* (2016): the derivation
#   of MC dropout, with the role that $p$ and weight decay have in it.
# - J. Hron, A. Matthews and Z. Ghahramani, "Variational Bayesian dropout: pitfalls and fixes",
#   *ICML* (2018): where that derivation is not a proper KL.
# - S. Wager, S. Wang and P. Liang, "Dropout training as adaptive regularization", *NeurIPS*
#   (2013): formula (5) and what becomes of it in other models.
# - I. Osband, "Risk versus uncertainty in deep learning", *NeurIPS workshop on Bayesian deep
#   learning* (2016): the spread that does not concentrate.
# - Y. Gal, J. Hron and A. Kendall, "Concrete dropout", *NeurIPS* (2017): fitting $p$.
# - A. Foong and others, "On the expressiveness of approximate inference in Bayesian neural
#   networks", *NeurIPS* (2020): why such approximations say little in between data.
# - Y. Ovadia and others, "Can you trust your model's uncertainty?", *NeurIPS* (2019): turned and
#   noisy images, for many methods.

# %% [markdown]
# ## Your turn
#
# The assignment `07_mc_dropout` has six exercises in code and one in words:
#
# 1. dropout on and everything else off, with every mode restored;
# 2. functions drawn by dropout, one mask for all inputs;
# 3. mean and covariance of a dropout layer with several outputs;
# 4. the predictive mean and deviation of $y$, with the noise;
# 5. standard errors, and how many passes are needed;
# 6. probabilities from passes, stable for large logits;
# 7. in words: a promise about dropout that you test.
