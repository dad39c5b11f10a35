# %% [markdown]
# # Loss is a likelihood
#
# Nine people time the same fall with a stopwatch. Eight of them read between 1.6 and 2.5 seconds;
# the ninth writes down 8.0. You fit one number to all nine readings by minimising the mean squared
# error. **What did you just assume about how people use a stopwatch?**
#
# - a) Nothing: the squared error is only a distance.
# - b) That the errors are Normal.
# - c) That the errors are Normal, and equally wide for everybody.
#
# Most people answer a. Choose one, and read on until you can defend it.

# %% [markdown]
# **After this lesson you can** derive a loss from a noise model and name the noise model behind a
# loss; say what an outlier does to a fit before you run it; and say what a loss in nats tells you
# that a squared error does not.
#
# **You need** the log of a density, the mean and the median, and tensors that broadcast.
#
# Where a cell asks for a prediction, put your number in place of `...` and run the cell before
# you read on. Predictions are kept for you and never graded.

# %% [markdown]
# The setup is the same in every lesson: imports, one device, one thread, one style.

# %%
import torch
from matplotlib import pyplot as plt

from course_utils.data import dial, dial_mean, dial_oracle, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_mark, plot_oracle
from course_utils.plotting import use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# ## From a density to a loss
#
# A noise model gives every possible reading $y$ a density $p(y \mid \mu, s)$, where $\mu$ is the
# value that we look for and $s$ is the scale of the noise. Independent readings multiply their
# densities. We want the $\mu$ under which the data are most likely; the logarithm turns the product
# into a sum, and the minus sign turns "most likely" into "smallest":
#
# $$\mathrm{NLL}(\mu, s) = -\sum_i \log p(y_i \mid \mu, s)$$
#
# This is the negative log-likelihood. With the natural logarithm its unit is the nat. Three noise
# models, written for the residual $r = y - \mu$:
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \tfrac12 (r/s)^2 + \log s + \tfrac12 \log 2\pi \\
# \text{Laplace:} \quad & |r|/s + \log s + \log 2 \\
# \text{Student-t, 2 degrees of freedom:} \quad & \tfrac32 \log\left(1 + \tfrac12 (r/s)^2\right)
#   + \log s + \tfrac32 \log 2
# \end{aligned}
# $$
#
# The first term is the loss that you know: squared error, absolute error, a logarithm that hardly
# grows. The second is where the scale pays for itself. The third makes the density integrate to one.

# %%
LOG_2, LOG_2PI = torch.tensor([2.0, 2 * torch.pi]).log().tolist()


def normal_nll(r, scale):  # nats, one value per residual
    return 0.5 * (r / scale) ** 2 + scale.log() + 0.5 * LOG_2PI


def laplace_nll(r, scale):
    return (r / scale).abs() + scale.log() + LOG_2


def student_nll(r, scale):  # 2 degrees of freedom
    return 1.5 * torch.log1p(0.5 * (r / scale) ** 2) + scale.log() + 1.5 * LOG_2


# %% [markdown]
# Formulas on a page are trusted once they agree with something that was written by somebody else.
# PyTorch's distributions are that somebody; the scale is deliberately not 1.

# %%
r, scale = torch.linspace(-6, 6, 25), torch.tensor(0.7)
for nll, distribution in [
    (normal_nll, torch.distributions.Normal(0.0, scale)),
    (laplace_nll, torch.distributions.Laplace(0.0, scale)),
    (student_nll, torch.distributions.StudentT(2.0, 0.0, scale)),
]:
    assert torch.allclose(nll(r, scale), -distribution.log_prob(r), atol=1e-5)

# %% [markdown]
# ## Can a loss be negative?
#
# A model predicts a Normal with mean 0 and scale 0.1, and the reading is exactly 0: a perfect hit.

# %%
predict(
    "01-nll-of-a-perfect-hit",
    ...,
    ask="NLL in nats of a reading at the mean of a Normal with scale 0.1?",
)

# %% [markdown]
# Now compute it, together with the density itself.

# %%
hit = normal_nll(torch.tensor(0.0), torch.tensor(0.1))
assert round(torch.exp(-hit).item(), 2) == 3.99  # density, per unit of y
assert round(hit.item(), 2) == -1.38
reveal("01-nll-of-a-perfect-hit", hit, within=0.05, unit="nats")

# %% [markdown]
# The NLL is −1.38 nats, because a density is no probability: it is probability *per unit of y*, and
# in a narrow peak it reaches 3.99. So a negative NLL is no bug, zero is no floor, and there is
# nothing to clamp. The narrower the peak, the lower the NLL of a hit, and the dearer a miss.

# %% [markdown]
# ## One outlier, three noise models
#
# Which $\mu$ is best? Set the derivative of each sum to zero:
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \textstyle\sum_i r_i = 0 && \text{the mean} \\
# \text{Laplace:} \quad & \textstyle\sum_i \mathrm{sign}(r_i) = 0 && \text{the median} \\
# \text{Student-t:} \quad & \textstyle\sum_i r_i / (2 s^2 + r_i^2) = 0
#   && \text{a mean that trusts far readings less}
# \end{aligned}
# $$
#
# The next cell does it without calculus: it tries 801 values of $\mu$ and sums the NLL of the nine
# readings for each. The asserts compare the winners with the three lines above.

# %%
usual = torch.tensor([1.6, 1.8, 1.9, 2.0, 2.1, 2.2, 2.3, 2.5], device=device)  # seconds
mu = torch.linspace(1, 9, 801, device=device)  # candidates, 0.01 s apart
noise = {"Normal": normal_nll, "Laplace": laplace_nll, "Student-t": student_nll}


def nll_curves(outlier, scale):
    readings = torch.cat([usual, usual.new_tensor([outlier])])  # (9,)
    r = readings[:, None] - mu  # (9, 801)
    scale = torch.tensor(scale, device=device)
    return readings, {name: nll(r, scale).sum(0) for name, nll in noise.items()}  # (801,)


# %% [markdown]
# The winners, for an outlier at 8.0 seconds and a scale of 0.5 seconds:

# %% same=True
readings, curves = nll_curves(8.0, 0.5)
best = {name: mu[curve.argmin()] for name, curve in curves.items()}
assert abs(best["Normal"] - readings.mean()) < 0.01
assert abs(best["Laplace"] - readings.median()) < 0.01
r = readings - best["Student-t"]
assert abs((r / (2 * 0.5**2 + r**2)).sum()) < 0.1  # nearly zero, on a grid
for name, value in best.items():
    print(f"{name:10s} {value:.2f} s")

# %% [markdown]
# To see all three in one picture, each curve is drawn above its own minimum.


# %% alt="NLL curves over mu: the Normal minimum sits at 2.71 s, Laplace and Student-t near 2.1 s."
def draw_noise_models(outlier=8.0, scale=0.5):
    readings, curves = nll_curves(outlier, scale)
    _, ax = plt.subplots()
    plot_data(readings, torch.full_like(readings, -1.5), ax=ax, label="readings", markersize=6)
    for color, (name, curve) in zip(("C0", "C1", "C2"), curves.items(), strict=True):
        i = curve.argmin()
        plot_curve(mu, curve - curve[i], ax=ax, color=color, label=f"{name}: {mu[i]:.2f} s")
        plot_mark(mu[i], 0, ax=ax, color=color)
    ax.set(xlabel="candidate μ (seconds)", ylabel="NLL above its minimum (nats)")
    ax.set(ylim=(-2.5, 25), title=f"Outlier at {outlier:.1f} s, scale {scale:.1f} s")
    ax.legend(title="minimum at", loc="upper right")
    return ax


ax = draw_noise_models()

# %% [markdown]
# The Normal pays for the outlier with its square and gives way to 2.71 s, where nobody's watch
# stopped; Laplace stays at the median, 2.10 s, and Student-t at 2.06 s. The data are the same: the
# noise model decides what the outlier means.
#
# The same function with sliders. **Move the outlier:** which minima follow it, and how far? **Move
# the scale:** two of the minima never move. Which, and why does the third go to the mean when the
# scale is large?

# %%
interactive(draw_noise_models, outlier=(2.5, 9.0, 0.5), scale=(0.2, 5.0, 0.2))

# %% [markdown]
# ## Broken on purpose: multiply first, take the log later
#
# The definition multiplies densities. A thousand draws from a standard normal are an ordinary data
# set, and float64 is a generous format. What does the product come to?

# %%
predict(
    "01-product-of-densities",
    ...,
    ask="Product of the densities of 1000 standard-normal draws, computed in float64?",
)

# %% [markdown]
# The code follows the definition word for word: density, product, and then the logarithm.

# %% same=True
draws = torch.from_numpy(numpy_rng(0).standard_normal(1000))  # (1000,), float64
each = normal_nll(draws, torch.ones(1))  # (1000,)
product = torch.exp(-each).prod()
print(f"log of the product: {product.log():.0f}")
print(f"sum of the logs:    {-each.sum():.0f} nats")

# %% [markdown]
# Compare your prediction with the product itself.

# %%
assert product == 0.0
assert torch.isfinite(each.sum())
reveal("01-product-of-densities", product)

# %% [markdown]
# The product underflows to exactly zero, its logarithm is minus infinity, and a gradient through it
# is lost. The sum of the logs is an ordinary number. So logs are taken first, always; this is
# arithmetic, not statistics.

# %% [markdown]
# ## Where the scale goes
#
# With a fixed scale, the Normal NLL per reading is the mean squared error times $1/(2 s^2)$ plus a
# constant: the same minimum over $\mu$. That is why the scale can be forgotten, and the constant
# with it. But let the scale vary, at $\mu$ = the mean of the readings, and the two losses part.
# Setting the derivative with respect to $s$ to zero gives
#
# $$-\frac{1}{s^3} \cdot \frac1n \sum_i r_i^2 + \frac1s = 0, \qquad
#   \hat s = \sqrt{\tfrac1n \textstyle\sum_i r_i^2}$$

# %% same=True
r = readings - readings.mean()  # (9,) seconds
scales = torch.logspace(-0.3, 1.2, 301, device=device)  # (301,) seconds
nll = normal_nll(r[:, None], scales).mean(0)  # (301,) nats per reading
mse = r.square().mean()  # seconds squared; no scale in it
best = scales[nll.argmin()]
assert torch.isclose(best, mse.sqrt(), rtol=0.02)  # the line above, up to the grid
print(f"root mean squared residual: {mse.sqrt():.2f} s")

# %% [markdown]
# Both losses over the same range of scales:

# %% alt="Left: the MSE is a flat line over the scale. Right: the NLL falls, then rises again."
_, (left, right) = plt.subplots(1, 2)
plot_curve(scales, mse.expand_as(scales), ax=left)
left.set(title="Mean squared error", ylabel="MSE (s²)", ylim=(0, 6))
plot_curve(scales, nll, ax=right, color="C1")
plot_mark(best, nll.min(), ax=right, color="C1", label=f"minimum at {best:.1f} s")
right.set(title="Normal NLL", ylabel="NLL (nats per reading)")
right.legend()
for ax in (left, right):
    ax.set(xscale="log", xlabel="scale s (seconds)")

# %% [markdown]
# The squared error is flat: it cannot tell a careful observer from a careless one. The NLL has a
# minimum at 1.9 s, the root mean squared residual: too small a scale pays for its misses, too large
# a one for its vagueness.

# %% [markdown]
# ## The same step for labels
#
# Nothing above needs $y$ to be continuous. If $y$ is a label, the model gives each label a
# probability, and the NLL can no longer be negative:
#
# | loss | noise model | what the minimum estimates |
# | --- | --- | --- |
# | squared error | Normal, one scale for all | mean |
# | absolute error | Laplace, one scale for all | median |
# | binary cross-entropy | Bernoulli | probability of label 1 |
# | cross-entropy | Categorical | probability of each label |
#
# The third row, checked label by label. The model states a probability $p$ of label 1:

# %%
p, label = torch.tensor([0.9, 0.2, 0.6]), torch.tensor([1.0, 0.0, 0.0])
loss = torch.nn.functional.binary_cross_entropy(p, label, reduction="none")  # (3,) nats
assert torch.allclose(loss, -torch.distributions.Bernoulli(probs=p).log_prob(label))
assert (loss >= 0).all()

# %% [markdown]
# Not every loss is a likelihood. Take the hinge loss $\max(0, 1 - y f)$ with labels $y = \pm 1$: if
# it were an NLL, then $e^{-\text{loss}}$, summed over both labels, would be the same number for
# every score $f$. It is not:

# %% same=True
f = torch.tensor([0.0, 1.0, 3.0])  # scores
total = sum(torch.exp(-torch.clamp(1 - y * f, min=0)) for y in (-1, 1))  # (3,)
print("sum over labels:", " ".join(f"{value:.2f}" for value in total))

# %% [markdown]
# ## The dial: data whose truth is known
#
# One data set comes back in every lesson. Its mean is a wave and its noise grows from left to right:
#
# $$y = \sin(3x) + s(x)\,\varepsilon, \qquad s(x) = 0.02 + \frac{0.6}{1 + e^{-4x}}, \qquad
#   x \sim U(-2, 2), \quad \varepsilon \sim N(0, 1)$$
#
# So the best possible prediction is known, the *oracle*: at each $x$ a Normal with mean $\sin(3x)$
# and scale $s(x)$. Its band is meant to hold new data $y$ with probability 0.90.

# %% alt="Dial data, a sine wave whose noise grows to the right, inside the oracle's 0.9 band."
x, y = dial(300, rng=numpy_rng(1))
grid = torch.linspace(-2, 2, 401)
mean, scale = dial_mean(grid), dial_scale(grid)
inside = abs(y - dial_mean(x)) <= 1.645 * dial_scale(x)  # 0.95 quantile of N(0, 1)
ax = plot_data(x, y)
plot_band(grid, mean - 1.645 * scale, mean + 1.645 * scale, contains="y", level=0.9, ax=ax)
plot_oracle(grid, mean, ax=ax, label="oracle mean")
ax.set(xlabel="x", ylabel="y", title=f"Dial data: the band holds {inside.mean():.2f} of 300 points")
ax.legend(loc="upper left")
assert (scale == 0.02 + 0.6 / (1 + (-4 * grid.double()).exp()).numpy()).mean() > 0

# %% [markdown]
# The band widens with the noise: no single scale fits both ends. How much does a single scale cost? Take
# the true mean for granted, give the first model the best single scale, $\sqrt{\mathrm{E}\,s(x)^2}$,
# and the second the true $s(x)$. Three scores, each a mean over many fresh points:
#
# - **NLL** in nats, as above;
# - **CRPS**: mean distance between a draw from the prediction and $y$, minus half the mean distance
#   between two such draws; in units of $y$, smaller is better, and no density is needed;
# - **coverage**: how often the 0.90 interval holds $y$.

# %% same=True
rng = numpy_rng(2)
x, y = dial(200_000, rng=rng)
r = y - dial_mean(x)
copies = rng.standard_normal((2, x.size))  # two draws of each prediction, before scaling
true = dial_scale(x)
single = (true**2).mean() ** 0.5 + 0 * true

print("prediction      NLL   CRPS  coverage")
for name, scale in {"single scale": single, "true scale": true}.items():
    nll = normal_nll(torch.as_tensor(r), torch.as_tensor(scale)).mean()
    a, b = scale * copies
    crps = (abs(a - r) - 0.5 * abs(a - b)).mean()
    print(f"{name:12s} {nll:6.2f} {crps:6.2f} {(abs(r) <= 1.645 * scale).mean():9.2f}")
oracle = dial_oracle(level=0.9)
print(f"{'oracle':12s} {oracle.nll:6.2f} {oracle.crps:6.2f} {oracle.coverage:9.2f}")

# %% [markdown]
# READ
