# %% [markdown]
# # Aleatoric and epistemic uncertainty
#
# A model predicts tomorrow's demand with a standard deviation of 50 units. It has been trained on
# unlimited data, and its form is right. **What can still make these 50 units smaller?**

# %% [markdown]
# **After this lesson you can** split a variance, or an entropy, into noise and ignorance; say
# which band holds new measurements and which the function; train a network that predicts its own
# noise, and say what that does to its mean; and tell when a wide band is worth having.
#
# **You need** the Gaussian NLL (unit 01), Bayesian linear regression and its evidence (unit 04),
# and tensors that broadcast. Reading takes about 55 minutes, running some 15 seconds.
# Symbols: [notation](00_start.ipynb#Notation).
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
from torch.distributions import Normal

from course_utils.data import dial, dial_mean, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
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
    "06-what-makes-it-smaller",
    ...,
    ask="Unlimited data, a right model, a standard deviation of 50: what makes it smaller?",
    choices=(
        "nothing: what is left is noise, and noise is irreducible",
        "still more days of the same kind",
        "an ensemble of such models",
        "something else that is measured each day",
    ),
)

# %% [markdown]
# ## Two reasons for not knowing
#
# A measurement is $y = f(x) + \text{noise}$. You may fail to foresee it for two reasons. The noise
# comes out one way or the other, even for somebody who knows $f$: this uncertainty is called
# *aleatoric* (from the Latin for dice). And you do not know $f$: this one is called *epistemic*
# (from the Greek for knowledge). More data teach you $f$; they do not quieten the dice.
#
# In the figure the function is a straight line, and each thin line is one that the data leave
# possible. On the left you know neither the line nor the dice. On the right only the dice are
# left.

# %% hide=True alt="Four points leave many lines possible; with 300, one line amid wide scatter."
from scipy import stats

rng, at = numpy_rng(4), np.array([-1.2, 1.2])
_, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for ax, n in zip(axes, (4, 300), strict=True):
    inputs = rng.uniform(-1, 1, n)
    targets = 0.3 + 0.8 * inputs + 0.5 * rng.standard_normal(n)
    ones = np.stack([np.ones(n), inputs], axis=1)
    S = np.linalg.inv(ones.T @ ones / 0.5**2 + np.eye(2))
    for w0, w1 in rng.multivariate_normal(S @ ones.T @ targets / 0.5**2, S, 25):
        plot_curve(at, w0 + w1 * at, ax=ax, color="C0", linewidth=0.7)
    ax.lines[-1].set_label("possible lines")
    plot_data(inputs, targets, ax=ax, markersize=3 if n > 4 else 6)
    ax.set(xlabel="x", ylim=(-2.2, 2.8))
axes[0].set(ylabel="y", title="Four points: which line?")
axes[1].set_title("300 points: one line, and dice as before")
_ = axes[0].legend(loc="upper left")

# %% [markdown]
# ### The law of total variance
#
# Call what you do not know about $f$ the hypothesis $h$, and give each hypothesis its probability.
# Every hypothesis predicts $y$ with a mean and a variance. Then the variance of $y$ splits in two:
#
# $$
# \begin{aligned}
# (1) && \mathrm{var}\, y &= \mathrm{E}\, y^2 - (\mathrm{E}\, y)^2 \\
# (2) && \mathrm{E}\, y^2 &= \mathrm{E}_h\big[\mathrm{E}[y^2 \mid h]\big]
#   = \mathrm{E}_h\big[\mathrm{var}[y \mid h] + \mathrm{E}[y \mid h]^2\big] \\
# (3) && \mathrm{E}\, y &= \mathrm{E}_h\big[\mathrm{E}[y \mid h]\big] \\
# (4) && \mathrm{var}\, y &= \underbrace{\mathrm{E}_h\, \mathrm{var}[y \mid h]}_{\text{aleatoric}}
#   + \underbrace{\mathrm{var}_h\, \mathrm{E}[y \mid h]}_{\text{epistemic}}
# \end{aligned}
# $$
#
# (4) is the *law of total variance*: the mean of the variances plus the variance of the means. A
# check with three hypotheses; the left sides are integrals over the density of $y$.

# %% same=True
from scipy import integrate

belief = np.array([0.2, 0.5, 0.3])
noise = stats.norm(np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.0, 1.5]))  # y, given each h
y_mean = integrate.quad(lambda y: y * (belief @ noise.pdf(y)), -10, 20)[0]
y_square = integrate.quad(lambda y: y**2 * (belief @ noise.pdf(y)), -10, 20)[0]
assert abs(y_square - belief @ (noise.var() + noise.mean() ** 2)) < 1e-6  # (2)
assert abs(y_mean - belief @ noise.mean()) < 1e-6  # (3)
aleatoric = belief @ noise.var()
epistemic = belief @ noise.mean() ** 2 - (belief @ noise.mean()) ** 2
assert abs(y_square - y_mean**2 - aleatoric - epistemic) < 1e-6  # (4)
print(f"variances: {aleatoric:.3f} + {epistemic:.3f} = {aleatoric + epistemic:.3f}")
sds = np.sqrt([aleatoric, epistemic, aleatoric + epistemic])
print(f"deviations: {sds[0]:.2f} and {sds[1]:.2f} make {sds[2]:.2f}, not {sds[:2].sum():.2f}")

# %% [markdown]
# Variances add, standard deviations do not.

# %% [markdown] card="06-two-parts-of-a-variance"
# How does the variance of a prediction split, and do standard deviations add?
#
# **Answer.** Into the mean of the variances (aleatoric) plus the variance of the means
# (epistemic), over the hypotheses. Variances add, standard deviations do not.

# %% [markdown]
# ## Two bands
#
# The simplest model for which both parts are known exactly is the straight line $y = w_0 + w_1 x +
# \varepsilon$. The weights have the prior $N(0, 1)$ each, the noise is Normal with a known
# variance $v_i$ at each point. With the features of all points in the rows of $P$, the posterior
# of the weights is Normal, and so is what it says about $f$ at new points:
#
# $$S = \left(P^\top V^{-1} P + I\right)^{-1}, \qquad m = S\, P^\top V^{-1} y, \qquad
#   f(x) \sim N\!\left(\phi(x)^\top m,\; \phi(x)^\top S\, \phi(x)\right)$$
#
# Here $V$ is diagonal and holds the $v_i$, and $\phi(x)$ is the row of features at $x$. The
# variance of $f(x)$ is the epistemic part; for a new $y$ the noise comes on top.


# %%
def posterior(P, y, var):  # P (..., n, k), y and var (..., n)
    precision = P.mT @ (P / var[..., None]) + torch.eye(P.shape[-1]).to(P)
    S = torch.linalg.inv(precision)
    return (S @ P.mT @ (y / var)[..., None])[..., 0], S


def predict_f(P, m, S):  # mean and variance of f at new points
    return (P @ m[..., None])[..., 0], ((P @ S) * P).sum(-1)


# %% [markdown]
# The oracle is another route to the same numbers: all $f$ and $y$ are jointly Normal, and one
# conditions on the $y$, without ever mentioning weights.

# %%
P, new = (torch.from_numpy(numpy_rng(k).standard_normal((n, 2))) for k, n in ((0, 9), (1, 4)))
y, var = torch.linspace(-1, 2, 9).double(), torch.linspace(0.1, 0.7, 9).double()
gain = new @ P.mT @ torch.linalg.inv(P @ P.mT + torch.diag(var))
mean, f_var = predict_f(new, *posterior(P, y, var))
assert torch.allclose(mean, gain @ y)
assert torch.allclose(f_var, torch.diag(new @ new.mT - gain @ P @ new.mT))

# %% [markdown]
# Now draw 20 000 worlds: in each, a line from the prior, $n$ points with noise of standard
# deviation 0.5, and one new point. We keep how far the prediction is from $f$ and from $y$ there,
# and how far it expects to be from $f$.


# %%
def worlds(n, count=20_000, sigma=0.5):
    rng = numpy_rng(0)
    x = torch.from_numpy(rng.uniform(-1, 1, (count, n + 1)))  # the last one is new
    P = torch.stack([torch.ones_like(x), x], dim=-1)  # (count, n + 1, 2)
    f = (P @ torch.from_numpy(rng.standard_normal((count, 2, 1))))[..., 0]
    y = f + sigma * torch.from_numpy(rng.standard_normal((count, n + 1)))
    m, S = posterior(P[:, :n], y[:, :n], torch.full_like(y[:, :n], sigma**2))
    mean, f_var = predict_f(P[:, n:], m, S)
    return f[:, n] - mean[:, 0], y[:, n] - mean[:, 0], f_var[:, 0].sqrt()  # errors, sd of f


# %% [markdown]
# ## Broken on purpose: the band without the noise
#
# Published notebooks draw the posterior mean plus and minus 1.96 posterior standard deviations of
# $f$, and call this the 0.95 band of the prediction. With $n = 15$ points about half of the new
# $y$ lie in it. And with more data?

# %%
predict(
    "06-band-without-noise",
    ...,
    ask="n = 100: which share of new y lies within 1.96 posterior sds of f around the mean?",
)

# %% [markdown] fold="06-band-without-noise"
# ### Count both bands

# %% [markdown]
# We count, and compare with the formula: the error $y - \text{mean}$ has the variance of $f$ plus
# that of the noise, so the band that forgets the noise reaches only a part of 1.96 of its standard
# deviations.

# %% same=True
held = {}
print("  n   y in band of y   f in band of f   y in band of f   f in band of y")
for n in (15, 100):
    f_error, y_error, f_sd = worlds(n)
    y_sd = (f_sd**2 + 0.5**2).sqrt()
    for error, sd in ((y_error, y_sd), (f_error, f_sd), (y_error, f_sd), (f_error, y_sd)):
        F = Normal(0.0, sd).cdf(error)  # in the band, if between 0.025 and 0.975
        held[n] = [*held.get(n, []), ((F - 0.5).abs() < 0.475).double().mean().item()]
    formula = (2 * Normal(0.0, 1.0).cdf(1.96 * f_sd / y_sd) - 1).mean()
    assert abs(formula - held[n][2]) < 5 * 0.5 / 20_000**0.5  # within five standard errors
    print(f"{n:3d}" + "".join(f"{share:14.2f}   " for share in held[n]))

# %% [markdown]
# The prediction was about the second row, third number:

# %%
because = {0.95: "That is the share of f. The band does not hold the noise of y."}
because |= {0.5: "So it is for n = 15. With more data the band of f narrows, and the noise stays."}
reveal("06-band-without-noise", round(held[100][2], 2), within=0.05, because=because)

# %% [markdown]
# Each band keeps its own promise, and neither keeps the other's. The band for $f$ holds 0.49 of
# the new $y$ at first, and 0.21 after more data: it narrows around the line, while the
# measurements scatter as before. **More data make this mistake worse.** The mirror image is in the
# last column: whoever checks a band for $y$ against the noise-free function finds 1.00, and
# wrongly concludes that it is too wide.

# %% [markdown] card="06-band-for-f-and-data"
# A band for f is used as one for new y. What happens to its coverage as data come in?
#
# **Answer.** It falls: the band narrows around the function, and the measurements scatter as
# before. More data make this mistake worse.

# %% [markdown]
# ## The dial, and an exact posterior for it
#
# Back to the dial data: mean $\sin(3x)$, noise of standard deviation $s(x) = 0.02 + 0.6\,
# \sigma(4x)$, where $\sigma$ is the sigmoid. A line will not do. We take 16 bumps $e^{-(x - c_k)^2
# / (2 \cdot 0.4^2)}$ with centres $c_k$ from −2.5 to 2.5. The model stays linear in its weights,
# and so its posterior stays exact. For this figure it is told the noise $s(x)$.


# %%
def bumps(x, count=16, width=0.4):  # (n, count)
    x = torch.as_tensor(x, dtype=torch.float64, device=device)
    centres = torch.linspace(-2.5, 2.5, count, dtype=torch.float64, device=device)
    return torch.exp(-0.5 * ((x[:, None] - centres) / width) ** 2)


def tensor(*arrays):
    return [torch.as_tensor(a, dtype=torch.float64, device=device) for a in arrays]


# %% [markdown]
# The posterior for `n` training points, none of them in a gap of a given width around 0.25:

# %%
grid = np.linspace(-2, 2, 301)


def fit_bumps(n, gap):
    hole = (0.25 - gap / 2, 0.25 + gap / 2) if gap else None
    x, y = dial(n, rng=numpy_rng(1), gap=hole)
    m, S = posterior(bumps(x), *tensor(y, dial_scale(x) ** 2))

    def predicted(at):  # mean, sd of f, sd of y
        mean, f_var = (v.cpu().numpy() for v in predict_f(bumps(at), m, S))
        return mean, f_var**0.5, (f_var + dial_scale(at) ** 2) ** 0.5

    return x, y, predicted


# %% [markdown]
# The figure shows both bands. Its title counts, for 2000 new points, how many $y$ and how many $f$
# lie in the band that is meant for them.


# %% hide=True alt="Dial data with a gap, where the band for f is nearly as wide as that for y."
def draw_bands(n=120, gap=1.5):
    x, y, predicted = fit_bumps(n, gap)
    mean, *sds = predicted(grid)
    _, ax = plt.subplots()
    for kind, sd in zip("fy", sds, strict=True):
        plot_band(grid, mean - 1.645 * sd, mean + 1.645 * sd, contains=kind, level=0.9, ax=ax)
    plot_data(x, y, ax=ax)
    plot_oracle(grid, dial_mean(grid), ax=ax, label="true f")
    x_new, y_new = dial(2000, rng=numpy_rng(2))
    mean, f_sd, y_sd = predicted(x_new)
    scaled = (y_new - mean) / y_sd, (dial_mean(x_new) - mean) / f_sd
    in_y, in_f = (abs(stats.norm.cdf(v) - 0.5) < 0.45 for v in scaled)
    ax.set_title(f"n = {n}: its own band holds {in_y.mean():.2f} of y, {in_f.mean():.2f} of f")
    ax.set(xlabel="x", ylabel="y", ylim=(-3.2, 3.8))
    return ax.legend(loc="upper left", ncols=2)


_ = draw_bands()

# %% [markdown]
# On the left, where the noise is small, both bands are narrow. On the right the band for $y$ is
# wide and the one for $f$ narrow: noise. In the gap both are wide: ignorance.
# The share of $f$ jumps from one data set to the next: $f$ is one smooth curve, and lies inside or
# outside for a whole stretch.
#
# **Move `n`:** at the data, which band vanishes, and where does the other one stop? Does the
# middle of the gap notice? **Move `gap` to 0:** what is left of the band for $f$?

# %%
interactive(draw_bands, n=(10, 500, 10), gap=(0.0, 2.5, 0.25))

# %% [markdown]
# ## Learning the noise
#
# Real noise is not known; a model learns it from residuals $r = y - \mu(x)$. Let it predict a mean
# $\mu$ and a standard deviation $\sigma$ at each $x$, and write down what the Gaussian NLL asks
# for:
#
# $$
# \begin{aligned}
# (5) && \ell &= \log\sigma + r^2 / (2\sigma^2) + \text{const} \\
# (6) && \partial\ell / \partial\mu &= -r / \sigma^2 \\
# (7) && \partial\ell / \partial\log\sigma &= 1 - r^2 / \sigma^2 \\
# (8) && \hat\sigma^2(x) &= \mathrm{E}[r^2 \mid x] = s^2(x) + \big(f(x) - \mu(x)\big)^2
# \end{aligned}
# $$
#
# (8) sets the average of (7) to zero. Lines (6) and (7) by automatic differentiation, line (8) for
# a mean that is off by 0.4 where the noise has $s = 0.3$:

# %% same=True
mu, log_sigma = torch.tensor(0.7, requires_grad=True), torch.tensor(-0.5, requires_grad=True)
loss = -Normal(mu, log_sigma.exp()).log_prob(torch.tensor(2.0))
by_mu, by_log_sigma = torch.autograd.grad(loss, (mu, log_sigma))
r, sigma2 = 2.0 - mu.detach(), (2 * log_sigma.detach()).exp()
assert torch.isclose(by_mu, -r / sigma2)  # (6)
assert torch.isclose(by_log_sigma, 1 - r**2 / sigma2)  # (7)
sigmas = np.linspace(0.2, 1.0, 81)
square = stats.norm(0.4, 0.3).expect(lambda r: r**2)  # of residuals off by 0.4
nll = np.log(sigmas) + square / (2 * sigmas**2)
print(f"best sigma: {sigmas[np.argmin(nll)]:.2f}")  # (8)

# %% [markdown]
# The best $\sigma$ is 0.50, not 0.30. So what a network reports as aleatoric is the noise plus its
# own misfit.

# %% [markdown] card="06-sigma-learns-misfit"
# A network predicts its own standard deviation by the Gaussian NLL. What does the best one hold
# besides the noise?
#
# **Answer.** The squared misfit of its own mean: σ² = noise variance + (f − μ)². So what it
# reports as aleatoric is noise plus misfit.

# %% [markdown]
# ### Which loss finds the mean?
#
# It is often said that this loss "rewards accurate means", since it is the right likelihood. Does
# it, more than the squared error? Take plenty of data, 2000 points of the dial, and let the same
# network learn from the same start, in 500 steps whose size falls to zero.

# %%
predict(
    "06-nll-or-squared-error",
    ...,
    ask="2000 dial points, same network and steps: whose mean is closer to the true f?",
    choices=(
        "that of the squared error",
        "that of the Gaussian NLL",
        "no difference to speak of",
    ),
)

# %% [markdown] fold="06-nll-or-squared-error"
# ### Three losses, three data sets

# %% [markdown]
# The third loss is the *beta-NLL*: the NLL of each point multiplied by $\sigma^{2\beta}$, here
# with $\beta = 1/2$, where the weight counts as a constant when gradients are taken. So all it
# does is to multiply what a point sends back to its own two outputs, and the code below does just
# that, by a hook on each output. Networks are slices of the same tensors and train at once, one
# for each entry of `kinds`: 0 for the squared error, 1 for the NLL, 2 for the beta-NLL.


# %%
def networks(parameters, x):  # mean and log variance, each (m, n, 1)
    W0, b0, W1, b1, W2, b2 = parameters
    h = torch.tanh(torch.baddbmm(b0, x, W0))
    return torch.baddbmm(b2, torch.tanh(torch.baddbmm(b1, h, W1)), W2).split(1, dim=-1)


def start(seeds):  # parameters of one network for each seed
    generators, parameters = [torch_generator(seed) for seed in seeds], []
    for i, o in ((1, 24), (24, 24), (24, 2)):
        w = torch.stack([torch.randn(i, o, generator=g) for g in generators]) / i**0.5
        parameters += [w.to(device), torch.zeros(len(seeds), 1, o, device=device)]
    return [p.requires_grad_() for p in parameters]


# %% [markdown]
# The sum of the losses trains each network as if it were alone: no parameter is shared.


# %%
def train(x, y, kinds, seeds, steps):  # arrays (n,); returns the parameters
    parameters = start(seeds)
    x, y = (torch.tensor(v, dtype=torch.float32, device=device) for v in (x, y))
    x, y = (v[None, :, None].expand(len(kinds), -1, 1) for v in (x, y))
    kind = torch.tensor(kinds, device=device)[:, None, None]

    def loss():
        mu, log_var = networks(parameters, x)
        sigma = torch.exp(0.5 * log_var)
        pull = torch.where(kind == 2, sigma, 1.0).detach()  # sigma to the power 2 beta, or 1
        for output in (mu, log_var):
            output.register_hook(pull.mul)  # on the way back
        nll = -Normal(mu, sigma, validate_args=False).log_prob(y)
        return torch.where(kind == 0, (y - mu) ** 2, nll).mean((1, 2)).sum()

    fit(loss, torch.optim.Adam(parameters, lr=0.015), steps=steps, decay=True, progress=False)
    return parameters


# %% [markdown]
# What the networks say on the grid:

# %%
import functools

from course_utils.scores import score, score_table


def on_grid(parameters):  # mean and log variance, arrays (m, 301)
    x = torch.tensor(grid, dtype=torch.float32, device=device)[None, :, None]
    with torch.no_grad():
        both = networks(parameters, x.expand(len(parameters[0]), -1, 1))
    return [v[..., 0].double().cpu().numpy() for v in both]


@functools.cache
def three_losses(seed, steps, n=2000):
    x, y = dial(n, rng=numpy_rng(seed))
    return on_grid(train(x, y, [0, 1, 2], [seed] * 3, steps))


def rmse(means):
    return ((means - dial_mean(grid)) ** 2).mean(-1) ** 0.5


# %% [markdown]
# How far are the means from the true $f$? Root mean squared error (RMSE) over the grid, with the
# standard error over three data sets, and the paired difference to the squared error:

# %%
means, log_vars = np.array([three_losses(seed, 500) for seed in range(3)]).transpose(1, 2, 0, 3)


def with_error(values):
    return f"{np.mean(values):6.3f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


far = rmse(means)  # (3 losses, 3 seeds)
for name, row in zip(("squared error", "Gaussian NLL", "beta-NLL"), far, strict=True):
    print(f"{name:13s} RMSE {with_error(row)}, more {with_error(row - far[0])}")
off = np.exp(abs(log_vars / 2 - np.log(dial_scale(grid))).mean((1, 2)))  # predicted sd, true sd
print(f"noise sd, wrong by a typical factor of: NLL {off[1]:.2f}, beta-NLL {off[2]:.2f}")
assert (far[1] > far[0]).all() and far[1].mean() > 1.3 * far[0].mean()

# %% [markdown]
# So the answer is:

# %%
because = {"that of the Gaussian NLL": "Its best mean is f, but its gradient does not get there."}
because["no difference to speak of"] = "On unlimited data, after unlimited steps; not here."
reveal("06-nll-or-squared-error", "that of the squared error", because=because)

# %% [markdown]
# The squared error, although the NLL is the right likelihood here. Where is the NLL's mean off?

# %% hide=True alt="Three means per loss: squared error, beta-NLL follow the wave; NLL cuts peaks."
_, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharey=True)
titles = "Squared error: close", "Gaussian NLL: peaks cut", "beta-NLL: close again"
for ax, k, title in zip(axes, range(3), titles, strict=True):
    plot_data(*dial(300, rng=numpy_rng(0)), ax=ax, label="some data", markersize=2)
    for mean in means[k]:
        plot_curve(grid, mean, ax=ax, color="C1", linewidth=1.2)
    ax.lines[-1].set_label("3 networks' means")
    plot_oracle(grid, dial_mean(grid), ax=ax, label="true f")
    ax.set(xlabel="x", ylim=(-2.2, 3.2), title=f"{title}, RMSE {far[k].mean():.3f}")
axes[0].set_ylabel("y")
_ = axes[0].legend(loc="upper left", fontsize=8)

# %% [markdown]
# By (6) a residual pulls with $1 / \sigma^2$, and a point that was once declared noisy is hardly
# fitted any more. Between $x = -1$ and $x = 1$ the true $1 / s^2$ differs by a factor of

# %% same=True
print(f"{(dial_scale(1.0) / dial_scale(-1.0)) ** 2:.0f}")

# %% [markdown]
# The beta-NLL gives the noisy points their weight back. The failure is one of training, not of the
# likelihood: on unlimited data the NLL, too, has its best mean at the true $f$, where (6) averages
# to zero. As claims:


# %% claim="On 2000 dial points, squared error finds the mean better than the NLL." steps=500
def squared_error_finds_the_mean(seed, steps):
    squared, nll, _ = rmse(three_losses(seed, steps)[0])
    return nll - squared


# %% [markdown]
# And for the noise:


# %% claim="On 2000 dial points, the beta-NLL finds the noise better than the NLL." steps=500
def beta_finds_the_noise(seed, steps):
    log_sd = three_losses(seed, steps)[1] / 2
    _, nll, beta = abs(log_sd - np.log(dial_scale(grid))).mean(1)
    return nll - beta


# %% [markdown] card="06-pull-of-a-noisy-point"
# The Gaussian NLL is the right likelihood. Why may it train a worse mean than the squared error
# does?
#
# **Answer.** A residual pulls with 1/σ², so points that were once declared noisy are hardly fitted
# any more. A failure of training, not of the likelihood; the beta-NLL gives them their weight
# back.

# %% [markdown]
# ### With few data, the steps decide
#
# Two thousand points are plenty. With 200 the same comparison, after two lengths of training:

# %%
for steps in (900, 2700):
    squared, nll, _ = rmse(three_losses(0, steps, 200)[0])
    print(f"200 points, {steps:4d} steps: RMSE squared error {squared:.3f}, NLL {nll:.3f}")
    if steps == 900:
        early = squared
assert squared > early + 0.01

# %% [markdown]
# On this data set the ranking reverses. The squared error finds the mean early and then bends to
# the noise; the NLL is slower, which protects it. So "which loss is better?" has no answer without
# "after how many steps?". What holds on ten data sets is the first half:


# %% claim="With 200 points, three times the steps make squared error's mean worse." steps=900
def squared_error_bends_to_noise(seed, steps):
    early, late = (rmse(three_losses(seed, n, 200)[0])[0] for n in (steps, 3 * steps))
    return late - early


# %% [markdown]
# In practice, look at the RMSE of a network that predicts its noise next to that of a plain one.

# %% [markdown]
# ## The ladder
#
# Now put both kinds of uncertainty into one model, one at a time. All rows use the 16 bumps; their
# mean is the posterior mean. They differ in two choices:
#
# - the noise: one *constant sigma*, or *sigma(x)*, the exponential of half of
#   $a_0 + \sum_k a_k b_k(x)$ with six wider bumps $b_k$;
# - the band: the noise alone around the mean, as if the mean were exact, or the *posterior*, which
#   adds the variance of $f$.
#
# The coefficients $a$ maximise the evidence: the likelihood with the weights integrated out, so
# that weights fitted to the noise do not make it look small. A wide prior, $N(0, 2^2)$ on the
# $a_k$, keeps them finite. Given the noise, the posterior is exact.


# %%
def noise_features(x, varies):  # of the log variance
    ones = torch.ones_like(bumps(x)[:, :1])
    return torch.cat([ones, bumps(x, count=6, width=0.8)], dim=1) if varies else ones


def log_evidence(P, y, var):
    m, S = posterior(P, y, var)
    data = Normal(P @ m, var.sqrt()).log_prob(y).sum()
    return data - 0.5 * m @ m + 0.5 * torch.logdet(S)


P, (y, var) = bumps(grid[::30]), tensor(np.sin(grid[::30]), 0.1 + grid[::30] ** 2)
joint = torch.distributions.MultivariateNormal(0 * y, P @ P.mT + torch.diag(var))
assert torch.isclose(log_evidence(P, y, var), joint.log_prob(y))

# %% [markdown]
# The fit, by a quasi-Newton method:


# %%
def fit_noise(P, Q, y, steps=100):  # features of the mean and of the log variance, targets
    a = torch.zeros_like(Q[0])
    a[0] = -2.0
    a.requires_grad_()
    optimizer = torch.optim.LBFGS([a], max_iter=steps, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = 0.5 * (a[1:] / 2).square().sum() - log_evidence(P, y, torch.exp(Q @ a))
        value.backward()
        return value

    optimizer.step(loss)
    return a.detach()


# %% [markdown]
# Training data: 200 points with seed 0, 1, 2, 3 or 4; test data: 1000 points with seed 1000 and
# following. The scores are those of unit 01: NLL and CRPS, both proper, then the coverage of $y$
# by the 0.90 interval and its mean width, the sharpness.


# %%
@functools.cache
def ladder(seed, gap=None, steps=100):  # {row: scores}; with a gap, of points inside it
    x, y = dial(200, rng=numpy_rng(seed), gap=gap)
    x_new, y_new = dial(2500 if gap else 1000, rng=numpy_rng(1000 + seed))
    if gap:
        x_new, y_new = (v[(gap[0] < x_new) & (x_new < gap[1])] for v in (x_new, y_new))
    rows = {"oracle": Normal(*tensor(dial_mean(x_new), dial_scale(x_new)))}
    for varies, name in ((False, "constant sigma"), (True, "sigma(x)")):
        P, Q, (t,) = bumps(x), noise_features(x, varies), tensor(y)
        a = fit_noise(P, Q, t, steps)
        mean, f_var = predict_f(bumps(x_new), *posterior(P, t, torch.exp(Q @ a)))
        noise = torch.exp(noise_features(x_new, varies) @ a)
        rows[name] = Normal(mean, noise.sqrt())
        rows[f"posterior, {name}"] = Normal(mean, (noise + f_var).sqrt())
    return {name: score(prediction, y_new) for name, prediction in rows.items()}


# %% [markdown]
# From the first rung, constant sigma alone, there are two ways up:

# %%
predict(
    "06-which-step-of-the-ladder",
    ...,
    ask="n = 200, no gap: which step from 'constant sigma' lowers the test NLL more?",
    choices=("letting sigma depend on x", "adding what is unknown of f", "about equal"),
)

# %% [markdown] fold="06-which-step-of-the-ladder"
# ### The table

# %% [markdown]
# Mean ± standard error over the five seeds; the last row is the true density on the same test
# points.


# %%
def show(runs):
    names = ["constant sigma", "posterior, constant sigma", "sigma(x)", "posterior, sigma(x)"]
    rows = {name: [run[name] for run in runs] for name in names}
    print(score_table(rows, oracle=[run["oracle"] for run in runs]))
    for a, b in ((names[0], names[2]), (names[0], names[1]), (names[2], names[3])):
        gain = [run[a].nll - run[b].nll for run in runs]
        print(f"NLL gained from '{a}' to '{b}': {with_error(gain)} nats")


show([ladder(seed) for seed in range(5)])
because = {"adding what is unknown of f": "With 200 points for 16 weights little is unknown."}
because["about equal"] = "Look at the noise of the dial on its two sides."
reveal("06-which-step-of-the-ladder", "letting sigma depend on x", because=because)

# %% [markdown]
# Knowing where it is noisy is worth nine tenths of a nat per point. Adding the posterior variance
# changes the NLL by less than five seeds can resolve: there is little left to know, with 200
# points and 16 weights. Coverage alone would not have told: all rows are near 0.90. The
# posterior's bands are only a little wider. Two claims:


# %% claim="With 200 dial points, sigma(x) has a lower test NLL than constant sigma." steps=100
def noise_that_depends_on_x_pays(seed, steps):
    run = ladder(seed, None, steps)
    return run["constant sigma"].nll - run["sigma(x)"].nll


# %% [markdown]
# The second needs a margin. It is 0.05 nats, about the standard error of an NLL over 1000 test
# points, even for the oracle:


# %% claim="With 200 points, the posterior moves that NLL by less than 0.05 nats." steps=100
def posterior_hardly_matters(seed, steps):
    run = ladder(seed, None, steps)
    return 0.05 - abs(run["sigma(x)"].nll - run["posterior, sigma(x)"].nll)


x_new, y_new = dial(1000, rng=numpy_rng(1000))
each = Normal(*tensor(dial_mean(x_new), dial_scale(x_new))).log_prob(*tensor(y_new))
print(f"standard error of the oracle's NLL: {each.std() / 1000**0.5:.3f}")

# %% [markdown]
# ### The same ladder with a gap
#
# No training point lies between −0.5 and 1, and the test points, out of 2500, lie only there.

# %%
in_gap = [ladder(seed, gap=(-0.5, 1.0)) for seed in range(5)]
show(in_gap)
worse = sum(run["sigma(x)"].nll > run["constant sigma"].nll for run in in_gap)
print(f"sigma(x) worse than constant sigma on {worse} of 5 data sets")

# %% [markdown]
# Now the posterior decides. Without it, sigma(x) answers "how noisy is it here?", a question on
# which there are no data either, and says nothing about an unknown $f$: its coverage falls to
# about 0.6. The posterior restores it, and pays with width. On its own it is mostly worse than a
# constant, but not on every data set, and this is no claim. A predicted variance is aleatoric
# only; whether the epistemic part matters depends on where the test points lie.


# %% claim="In the gap, adding the posterior to sigma(x) lowers the NLL." steps=100
def posterior_pays_in_the_gap(seed, steps):
    run = ladder(seed, (-0.5, 1.0), steps)
    return run["sigma(x)"].nll - run["posterior, sigma(x)"].nll


# %% [markdown]
# ### Both parts in networks
#
# Networks have no exact posterior, but the law of total variance asks only for several hypotheses.
# Train five networks that predict their own noise, from different initial weights, on the same
# data with the same gap. By (4) the mean of their variances is the aleatoric part, and the
# variance of their means the epistemic one:


# %%
@functools.cache
def parts_of_five(seed, steps):  # aleatoric and epistemic sd, each (301,)
    x, y = dial(200, rng=numpy_rng(seed), gap=(-0.5, 1.0))
    starts = [100 * seed + k for k in range(5)]
    means, log_vars = on_grid(train(x, y, [2] * 5, starts, steps))
    return np.exp(log_vars).mean(0) ** 0.5, means.std(0)


hole = (grid > -0.5) & (grid < 1.0)
aleatoric, epistemic = parts_of_five(0, 400)
at_data, in_gap = epistemic[~hole].mean(), epistemic[hole].mean()
print(f"epistemic sd: {at_data:.2f} at the data, {in_gap:.2f} in the gap")
assert in_gap > 2 * at_data

# %% hide=True alt="Over x: aleatoric sd rises like the true noise; epistemic sd peaks in the gap."
_, ax = plt.subplots()
ax.axvspan(-0.5, 1.0, color="0.92", zorder=0, label="no data")
plot_curve(grid, aleatoric, ax=ax, label="aleatoric: root of the mean variance")
plot_curve(grid, epistemic, ax=ax, label="epistemic: sd of the five means")
plot_oracle(grid, dial_scale(grid), ax=ax, label="true noise")
ax.set(xlabel="x", ylabel="standard deviation", ylim=(0, None))
ax.set_title("Five networks disagree in the gap; what they call noise is a guess there")
_ = ax.legend(loc="upper left", fontsize=9)

# %% [markdown]
# The aleatoric part follows the noise where there are data. In the gap it is an interpolation, and
# part of the ignorance may hide in it. The epistemic part comes from the starts alone; unit 08
# asks what such an ensemble is worth.


# %% claim="Five networks disagree more in the gap than at the data." steps=400
def networks_disagree_in_the_gap(seed, steps):
    _, epistemic = parts_of_five(seed, steps)
    return epistemic[hole].mean() - epistemic[~hole].mean()


# %% [markdown]
# ## More data
#
# Which of the two parts shrinks? At $x = 1$, for three sizes of data: the variance of $f$ when the
# noise is known, and the fitted noise variance. Means over seeds 0 to 4; for the largest $n$, seed
# 0 alone.

# %%
print("     n   variance of f   fitted noise variance")
parts = {}
for n in (100, 1000, 10_000):
    pairs = []
    for seed in range(5 if n < 10_000 else 1):
        x, y = dial(n, rng=numpy_rng(seed))
        _, f_var = predict_f(bumps([1.0]), *posterior(bumps(x), *tensor(y, dial_scale(x) ** 2)))
        a = fit_noise(bumps(x), noise_features(x, True), *tensor(y))
        pairs.append([f_var.item(), torch.exp(noise_features([1.0], True) @ a).item()])
    parts[n] = np.mean(pairs, axis=0)
    print(f"{n:6d} {parts[n][0]:13.5f} {parts[n][1]:19.2f}")
print(f"  true {0:13d} {dial_scale(1.0) ** 2:19.2f}")
assert 8 < parts[1000][0] / parts[10_000][0] < 12
assert all(abs((noise / dial_scale(1.0) ** 2) ** 0.5 - 1) < 0.1 for _, noise in parts.values())

# %% hide=True alt="Over n, on log axes: the variance of f falls as 1/n, the noise stays flat."
_, ax = plt.subplots(figsize=(6, 3.6))
epistemic_part, aleatoric_part = np.array(list(parts.values())).T
plot_curve(list(parts), aleatoric_part, ax=ax, marker="o", label="noise variance, fitted")
plot_curve(list(parts), epistemic_part, ax=ax, marker="o", label="variance of f")
ax.axhline(dial_scale(1.0) ** 2, color="black", linestyle="--", label="noise variance, true")
ax.set(xscale="log", yscale="log", xlabel="points", ylabel="variance at x = 1")
ax.set_title("Data remove one part and leave the other")
_ = ax.legend()

# %% [markdown]
# Ten times the data, a tenth of the variance of $f$: the epistemic part goes as $1/n$. The noise
# variance stays where it is, and is only estimated better.

# %% [markdown] card="06-what-data-shrink"
# Ten times the data: what becomes of the epistemic variance, and of the noise variance?
#
# **Answer.** The epistemic part falls to a tenth, as 1/n. The noise stays where it is, and is only
# estimated better.

# %% [markdown]
# ## Ignorance that does not know itself
#
# Is the epistemic part always large in a gap? It is computed within a class of models, and knows
# nothing of others. A popular demonstration fits polynomials of degree 5 to resampled data (a
# *bootstrap*) and shows that they disagree where data are missing. Ten data sets of 200 dial
# points with the same gap, 30 resampled fits each. The question that matters is not whether the
# band is wider in the gap, but whether it holds the true $f$ there.

# %%
predict(
    "06-bootstrap-in-the-gap",
    ...,
    ask="In the gap: share of the true f within 2 sd of the mean of the 30 polynomials?",
)

# %% [markdown] fold="06-bootstrap-in-the-gap"
# ### Ten data sets

# %% [markdown]
# Beside the polynomials stand the 16 bumps, with their exact posterior:

# %%
inside = np.linspace(-0.4, 0.9, 66)


def in_the_gap(seed, resampled=30):  # {model: sd of f at the data, in the gap, share held there}
    rng = numpy_rng(seed)
    x, y = dial(200, rng=rng, gap=(-0.5, 1.0))
    at = np.concatenate([x, inside])
    picks = rng.integers(0, 200, (resampled, 200))
    fits = np.array([np.polyval(np.polyfit(x[i], y[i], 5), at) for i in picks])
    m, S = posterior(bumps(x), *tensor(y, dial_scale(x) ** 2))
    mean, f_var = (v.cpu().numpy() for v in predict_f(bumps(at), m, S))
    models = {"bootstrap, degree 5": (fits.mean(0), fits.std(0)), "16 bumps": (mean, f_var**0.5)}
    held = {k: abs(dial_mean(at) - mu) < 2 * sd for k, (mu, sd) in models.items()}
    return {
        k: (s[:200].mean(), s[200:].mean(), held[k][200:].mean()) for k, (_, s) in models.items()
    }


# %% [markdown]
# Means over the ten data sets:

# %%
print("                     sd at the data   sd in the gap   f within 2 sd in the gap")
for name in ("bootstrap, degree 5", "16 bumps"):
    at_data, in_gap, held = np.mean([in_the_gap(seed)[name] for seed in range(10)], axis=0)
    print(f"{name:20s} {at_data:13.2f} {in_gap:15.2f} {held:20.2f}")
    if name.startswith("bootstrap"):
        truth = round(held, 2)
because = {0.95: "So it would be if the class of polynomials held the truth. It does not."}
reveal("06-bootstrap-in-the-gap", truth, within=0.1, because=because)

# %% [markdown]
# The bootstrap's disagreement grows in the gap, as advertised, and its band misses the true
# function nearly everywhere. A polynomial of degree 5 cannot bend like this wave, so all 30 are
# wrong in the same way. The bumps hold it because their prior allows such waves: our choice, and
# no merit of the data. Epistemic uncertainty is relative to a class of models, and no spread
# within the class shows what the class cannot do.


# %% claim="In the gap, the bumps hold more of f than the bootstrapped polynomials." steps=30
def bumps_hold_more(seed, steps):
    models = in_the_gap(seed, steps)  # steps: resampled fits
    return models["16 bumps"][2] - models["bootstrap, degree 5"][2]


# %% [markdown] card="06-blind-spot-of-a-class"
# Thirty bootstrapped polynomials disagree in a gap. Does their band hold the true function there?
#
# **Answer.** Not if the class cannot bend like it: then all are wrong in the same way. Spread
# within a class never shows what the class cannot do.

# %% [markdown]
# ## Bands that need no split
#
# For a band that holds new $y$, one need not know which part is which. A network can learn two
# quantiles by the pinball loss. And *split conformal prediction* puts a band around any model:
# keep $n$ points out of the training, sort their absolute residuals, and take the one with number
# $\lceil 0.9\,(n + 1) \rceil$ as half the width. If the kept points and the new one come from the
# same distribution, each place in the order is equally likely for the new residual, and so the
# band holds the new $y$ with probability 0.9 or a little more. It does not matter how wrong the
# model is. Take the polynomial that cannot bend like the wave, $n = 99$, and 4000 repetitions:

# %%
fitted = np.polyfit(*dial(200, rng=numpy_rng(20)), 5)
x, y = (v.reshape(4000, 100) for v in dial(400_000, rng=numpy_rng(21)))
residual = abs(y - np.polyval(fitted, x))
half_width = np.sort(residual[:, :99], axis=1)[:, 89]  # number 90 of 99
held = residual[:, 99] < half_width
for name, rows in {"anywhere": x[:, 99] < 2, "x < 0": x[:, 99] < 0, "x > 0": x[:, 99] > 0}.items():
    print(f"new x {name:9s} held {held[rows].mean():.2f}")
assert abs(held.mean() - 0.9) < 5 * (0.09 / 4000) ** 0.5

# %% [markdown]
# The promise is kept, on average over $x$. It is not kept at each $x$: too wide a band on the
# quiet side pays for too narrow a one on the noisy side. Dividing the residuals by a predicted
# $\sigma(x)$ evens this out. And the promise ends where the new points come from elsewhere, such
# as a gap.

# %% [markdown]
# ## Classes: the same split, in nats
#
# For labels, entropy takes the place of the variance. $M$ classifiers give the probabilities
# $p_{mk}$; a bar is the mean over $m$.
#
# $$
# \begin{aligned}
# (9) && H(\bar p) - \overline{H(p_m)} &= -\textstyle\sum_k \bar p_k \log \bar p_k
#   + \overline{\textstyle\sum_k p_{mk} \log p_{mk}} \\
# (10) && &= \overline{\textstyle\sum_k p_{mk} \left(\log p_{mk} - \log \bar p_k\right)} \\
# (11) && &= \overline{\mathrm{KL}(p_m \,\|\, \bar p)} \;\ge\; 0
# \end{aligned}
# $$
#
# (10) uses that $\bar p_k$ is the mean of the $p_{mk}$. The left side is the *mutual information*
# between the label and the choice of the classifier: total entropy minus aleatoric entropy. Two
# pairs of classifiers with the same mean prediction:

# %% same=True
print("                     total   aleatoric   information")
for name, pair in {"agree: 0.5 and 0.5": (0.5, 0.5), "differ: 0.9 and 0.1": (0.9, 0.1)}.items():
    p = np.array([[q, 1 - q] for q in pair])
    total, each = stats.entropy(p.mean(0)), stats.entropy(p, axis=1)
    kl = [stats.entropy(member, p.mean(0)) for member in p]  # scipy's second argument: KL
    assert np.isclose(total - each.mean(), np.mean(kl))  # (9) to (11)
    print(f"{name:20s} {total:5.3f} {each.mean():9.3f} {np.mean(kl):12.3f}")

# %% [markdown]
# Both averages say 0.5. The first pair agrees on a fair coin; the second disagrees on which side
# is up. The entropy of one softmax output cannot tell the two: it is total, not epistemic.
#
# An exact case. Coin A has never been thrown, and its probability of heads $\theta$ may be
# anything, uniformly. Coin B has shown 500 heads in 1000 throws. Both predict heads with 0.5, so
# for both the entropy of the next throw is $\log 2 = 0.693$ nats. How much of A's would vanish if
# somebody told you $\theta$?

# %%
predict(
    "06-information-of-a-new-coin",
    ...,
    ask="Coin A, theta uniform on (0, 1): nats shared by the next throw and theta?",
)

# %% [markdown] card="06-entropy-of-one-softmax"
# Can the entropy of one softmax output tell a fair coin from two experts who contradict each
# other?
#
# **Answer.** No: it is total entropy. It takes several members: total minus the mean of their
# entropies is the mutual information, which is 0 where they agree.

# %% [markdown] fold="06-information-of-a-new-coin"
# ### A closed form

# %% [markdown]
# After $n$ throws, half of them heads, $\theta$ has the density Beta$(1 + n/2, 1 + n/2)$. The mean
# entropy has a closed form with the digamma function $\psi$, checked by quadrature:

# %% same=True
from scipy.special import digamma, entr

information = {}
for n in (0, 10, 100, 1000):
    a = 1 + n / 2
    aleatoric = digamma(2 * a + 1) - digamma(a + 1)
    theta = stats.beta(a, a)
    by_quadrature = theta.expect(lambda t: entr(t) + entr(1 - t))
    assert abs(aleatoric - by_quadrature) < 1e-6
    information[n] = np.log(2) - aleatoric
    print(f"n = {n:4d}: total {np.log(2):.3f}, of which epistemic {information[n]:.4f} nats")
because = {0.693: "That is all of the entropy. With theta known, most throws stay uncertain."}
because |= {0: "Then theta would tell nothing; but a theta of 0.9 tells much."}
reveal("06-information-of-a-new-coin", round(information[0], 3), within=0.03, because=because)

# %% [markdown]
# Only 0.193 nats, though we know nothing about coin A: even full knowledge of $\theta$ would leave
# most throws uncertain. For coin B it is 0.0005, about $1/(2n)$.

# %% [markdown]
# ### What this split does not say
#
# Is the mutual information a measure of ignorance? Four beliefs about a coin, two wide and two
# narrow:

# %% same=True
beliefs = {"anything from 0 to 1": stats.uniform(0, 1)}
beliefs |= {"0.4 to 0.6": stats.uniform(0.4, 0.2), "0.0 to 0.2": stats.uniform(0, 0.2)}
print("theta                  information")
print(f"{'0 or 1, half each':22s} {np.log(2):.4f}")  # each throw of a known coin is certain
for name, theta in beliefs.items():
    mean, each = theta.mean(), theta.expect(lambda t: entr(t) + entr(1 - t))
    print(f"{name:22s} {entr(mean) + entr(1 - mean) - each:.4f}")

# %% [markdown]
# Complete ignorance does not have the most information, but a belief that has ruled out nearly
# everything does: the coin has two equal faces, and only the side is unknown. And the same narrow
# belief, moved towards 0, doubles its information and more. Mutual information says how much
# $\theta$ would tell about *one throw*, not how little is known about $\theta$; Wimmer and others
# (2023) draw up what a measure of ignorance should satisfy, and neither it nor the mean entropy
# does.

# %% [markdown]
# ## Back to the opening question
#
# Unlimited data, a right model, and a standard deviation of 50. What can make it smaller?

# %% [markdown] fold="06-what-makes-it-smaller"
# ### The answer

# %% [markdown]
# Textbook lists of aleatoric uncertainty name "unobserved factors". Such noise is irreducible only
# for those who do not observe them. Let the noise of the dial come from a temperature $z$, which
# nobody has recorded, and a rest $e$: $y = \sin(3x) + s(x)\,(0.8\, z + 0.6\, e)$, with $z$ and $e$
# standard normal. Since $0.8^2 + 0.6^2 = 1$, the data without $z$ are just those of the dial. Then
# somebody buys a thermometer:


# %%
def with_thermometer(n, rng):
    x, y = dial(n, rng=rng)
    noise = (y - dial_mean(x)) / dial_scale(x)
    z = 0.8 * noise + 0.6 * rng.standard_normal(n)  # so that y has the law above
    return tensor(x, y, z)


def features(x, z, known):
    return torch.cat([bumps(x), bumps(x) * z[:, None]], dim=1) if known else bumps(x)


# %% [markdown]
# The same model with and without the new feature, trained on 2000 points, tested on 2000 others:

# %%
(x, y, z), (x_new, y_new, z_new) = (with_thermometer(2000, numpy_rng(seed)) for seed in (7, 8))
Q, Q_new, log_p = noise_features(x, True), noise_features(x_new, True), []
for known in (False, True):
    P = features(x, z, known)
    a = fit_noise(P, Q, y)
    mean, f_var = predict_f(features(x_new, z_new, known), *posterior(P, y, torch.exp(Q @ a)))
    noise = torch.exp(Q_new @ a)
    log_p.append(Normal(mean, (noise + f_var).sqrt()).log_prob(y_new))
    sd, share = torch.exp(noise_features([1.0], True) @ a / 2).item(), (f_var / noise).mean()
    print(f"z known: {known!s:5}  sd of the noise at x = 1: {sd:.2f}, epistemic share {share:.3f}")
gain = (log_p[1] - log_p[0]).cpu().numpy()
print(f"nats gained {with_error(gain)}, expected {-np.log(0.6):.2f}")
assert abs(gain.mean() + np.log(0.6)) < 5 * gain.std() / 2000**0.5

# %% hide=True alt="Left: residuals at one x, wide. Right: against z they lie in a narrow band."
near = (x_new - 1).abs() < 0.3
residual = (y_new - torch.sin(3 * x_new))[near].cpu()
_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
plot_data(x_new[near].cpu(), residual, ax=left, markersize=3)
plot_data(z_new[near].cpu(), residual, ax=right, markersize=3)
left.set(xlabel="x", ylabel="y minus f(x)", title="Noise, for who knows x alone")
right.set(xlabel="z, the temperature", title="Mostly an effect, for who knows z")
for ax in (left, right):
    ax.set_ylim(-2, 2)

# %% [markdown]
# And the answer:

# %%
because = {
    "nothing: what is left is noise, and noise is irreducible": "For these features, it is.",
    "still more days of the same kind": "They shrink the epistemic part, which is gone already.",
    "an ensemble of such models": "Its members agree by now: the data have settled f.",
}
reveal("06-what-makes-it-smaller", "something else that is measured each day", because=because)

# %% [markdown]
# In both models the epistemic share is small: no data of the same kind would help. One more
# feature cut the standard deviation of the noise to six tenths. Aleatoric and epistemic are no
# properties of the world; they belong to a set of features and a class of models.

# %% [markdown] card="06-irreducible-for-whom"
# Noise is called irreducible. For whom?
#
# **Answer.** For those who have these features. One more measured feature may reduce it; more rows
# or an ensemble do not. The split belongs to features and model class, not to the world.

# %% [markdown]
# ## Recap
#
# 1. Total variance is the mean of the variances (aleatoric) plus the variance of the means
#    (epistemic); total entropy splits likewise, with the mutual information. Variances add.
# 2. A band for $f$ is no band for $y$: without the noise it covers less and less as data grow.
# 3. The NLL fits noise plus misfit, and its gradient gives up on noisy points; the beta-NLL does
#    not. Check the RMSE of the mean, and how it moves with the steps.
# 4. Epistemic variance goes as $1/n$ and matters where data are few. It is silent about errors
#    that all models of the class share.
# 5. Aleatoric means irreducible with these features. One more feature may reduce it.

# %% [markdown]
# ## Two interview questions
#
# *A straight-line regression on 100 points comes with 0.95 bands. They hold 0.2 of the new
# measurements. "The line is the wrong model", says a colleague. What do you look at first?*
#
# *An ensemble's members agree within one part in a hundred on inputs from a sensor that none of
# them has seen in training. Is the prediction safe?*
#
# Think first. The cell belongs to the first: $f$ at the data points has, on average, the variance
# $\sigma^2 k / n$ for $k$ weights.

# %% same=True
for k, n in ((2, 15), (2, 100), (20, 100)):
    ratio = (k / n) / (1 + k / n)  # variance of f over the variance of a new y
    share = 2 * stats.norm.cdf(1.96 * ratio**0.5) - 1
    print(f"{k:2d} weights, {n:3d} points: a band for f holds {share:.2f} of new y")

# %% [markdown]
# <details><summary>The answers</summary>
#
# **The bands.** Look at whether they contain the noise. For 2 weights and 100 points, a band for
# $f$ should hold about 0.22 of new measurements even if the line is right, and that is what was
# seen. A wrong model would show up in the band for $y$, or in residuals with a pattern.
#
# **The ensemble.** Agreement says that the members were led to the same function, not that it is
# right. They share architecture, data and prior, so they may extrapolate in the same wrong way, as
# the polynomials did. Compare the new inputs with the training inputs, and measure on labelled
# examples from the new sensor before you trust a band there.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability
#   distribution", *IEEE International Conference on Neural Networks* (1994): a network that
#   predicts its own noise, and why to train the mean first.
# - A. Kendall and Y. Gal, "What uncertainties do we need in Bayesian deep learning for computer
#   vision?", *NeurIPS* (2017): both kinds in one deep network.
# - M. Seitzer and others, "On the pitfalls of heteroscedastic uncertainty estimation with
#   probabilistic neural networks", *ICLR* (2022): the underfitted mean, and the beta-NLL.
# - S. Depeweg and others, "Decomposition of uncertainty in Bayesian deep learning for efficient
#   and risk-sensitive learning", *ICML* (2018): both decompositions put to use.
# - E. Hüllermeier and W. Waegeman, "Aleatoric and epistemic uncertainty in machine learning: an
#   introduction to concepts and methods", *Machine Learning* (2021): the survey, with criticism.
# - A. Der Kiureghian and O. Ditlevsen, "Aleatory or epistemic? Does it matter?", *Structural
#   Safety* (2009): why the split depends on the model.
# - L. Wimmer and others, "Quantifying aleatoric and epistemic uncertainty in machine learning: are
#   conditional entropy and mutual information appropriate measures?", *UAI* (2023): what the split
#   in nats does not do.
# - Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", *NeurIPS* (2019):
#   bands with a guarantee, around any model.

# %% [markdown]
# ## Your turn
#
# The assignment `06_uncertainty` has six exercises in code and one in words:
#
# 1. the NLL from a network's raw outputs, with missing targets;
# 2. the beta-NLL and its two gradients;
# 3. the two parts of a variance, for weighted hypotheses far from zero;
# 4. the three entropies of an ensemble's predictions;
# 5. a report on the band for $y$ and the band for $f$;
# 6. what one more measured feature is worth when features correlate;
# 7. in words: which money narrows a band.
