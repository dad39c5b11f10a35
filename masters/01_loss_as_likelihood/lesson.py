# %% [markdown]
# # Loss is a likelihood
#
# Nine people guess the length of a table by eye. Eight guesses lie between 1.2 and 3.2 metres; the
# ninth is 8.0. You sum them up in one number, the one with the smallest mean squared error.
# **For which kind of errors does this number make the nine guesses most likely?**
#
# - a) For any: the squared error is a distance and assumes nothing.
# - b) For Normal errors.
# - c) For Normal errors that are equally wide for all nine people.
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
# you read on. Your first number is kept, compared with the answer, and never graded.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style.

# %%
import torch
from matplotlib import pyplot as plt

from course_utils.data import dial, dial_mean, dial_oracle, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# ## From a density to a loss
#
# A noise model gives every possible guess $y$ a density $p(y \mid \mu, s)$, where $\mu$ is the
# value that we look for and $s$ is the scale of the errors. Independent guesses multiply their
# densities. We want the $\mu$ that makes the data most likely; the logarithm turns the product
# into a sum, and the minus sign turns "most likely" into "smallest":
#
# $$\mathrm{NLL}(\mu, s) = -\sum_i \log p(y_i \mid \mu, s)$$
#
# This is the negative log-likelihood. With the natural logarithm its unit is the nat. Three noise
# models give these terms, with the residual $r = y - \mu$:
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \tfrac12 (r/s)^2 + \log\left(\sqrt{2\pi}\, s\right) \\
# \text{Laplace:} \quad & |r/s| + \log(2 s) \\
# \text{Student-t, 2 degrees of freedom:} \quad
#   & \tfrac32 \log\left(1 + \tfrac12 (r/s)^2\right) + \log\left(2\sqrt2\, s\right)
# \end{aligned}
# $$
#
# The first part is the loss: squared error, absolute error, a logarithm that hardly grows. The
# second part is the price of the scale; it makes the density integrate to one. The three scales
# are not the same quantity: only the Normal's is a standard deviation.


# %%
def normal_nll(r, scale):  # nats, one value per residual
    return 0.5 * (r / scale) ** 2 + torch.log((2 * torch.pi) ** 0.5 * scale)


def laplace_nll(r, scale):
    return (r / scale).abs() + torch.log(2 * scale)


def student_nll(r, scale):  # 2 degrees of freedom
    return 1.5 * torch.log1p(0.5 * (r / scale) ** 2) + torch.log(2**1.5 * scale)


# %% [markdown]
# A formula is trusted once it agrees with something that was written independently: here PyTorch's
# distributions, at a scale other than 1.

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
# A model predicts a Normal with mean 0 and scale 0.1, and $y$ turns out to be exactly 0: a perfect
# hit. Positive, zero or negative, and how large?

# %%
predict(
    "01-nll-of-a-perfect-hit",
    ...,
    ask="NLL, in nats, of y = 0 under a Normal with mean 0 and scale 0.1?",
)

# %% [markdown]
# Now compute it, together with the density itself.

# %%
hit = normal_nll(torch.tensor(0.0), torch.tensor(0.1))
density = torch.exp(-hit)
assert round(hit.item(), 2) == -1.38
assert round(density.item(), 2) == 3.99  # per unit of y
reveal("01-nll-of-a-perfect-hit", hit, within=0.05, unit="nats")

# %% [markdown]
# The NLL is −1.38 nats. A density is not a probability but probability *per unit of y*, and in
# this narrow peak it reaches 3.99. So a negative NLL is no bug, zero is no floor, and there is
# nothing to clamp. The narrower the prediction, the lower the NLL of a hit, and the dearer a
# miss.

# %% [markdown]
# ## One outlier, three noise models
#
# Which $\mu$ is best? Setting the derivative of each sum to zero gives:
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \textstyle\sum_i r_i = 0 && \text{the mean} \\
# \text{Laplace:} \quad & \textstyle\sum_i \mathrm{sign}(r_i) = 0 && \text{the median} \\
# \text{Student-t:} \quad & \textstyle\sum_i r_i / (2 s^2 + r_i^2) = 0
#   && \text{a mean that trusts far guesses less}
# \end{aligned}
# $$
#
# The next two cells check this without calculus: they try 1601 values of $\mu$ and sum the NLL of
# the nine guesses for each.

# %%
usual = torch.tensor([1.2, 1.3, 1.4, 1.5, 1.6, 2.4, 2.8, 3.2], device=device)  # metres
mu = torch.linspace(1, 9, 1601, device=device)  # candidates, 5 mm apart
noise = {"Normal": normal_nll, "Laplace": laplace_nll, "Student-t": student_nll}


def nll_curves(outlier, scale):
    guesses = torch.cat([usual, usual.new_tensor([outlier])])  # (9,)
    r = guesses[:, None] - mu  # (9, 1601)
    scale = torch.tensor(scale, device=device)
    return guesses, {name: nll(r, scale).sum(0) for name, nll in noise.items()}  # (1601,)


# %% [markdown]
# The winners, for the outlier at 8.0 metres and a scale of 1.0 metre:

# %% same=True
guesses, curves = nll_curves(8.0, 1.0)
best = {name: mu[curve.argmin()] for name, curve in curves.items()}
assert abs(best["Normal"] - guesses.mean()) < 0.01
assert abs(best["Laplace"] - guesses.median()) < 0.01
r = guesses - best["Student-t"]
assert abs((r / (2 * 1.0**2 + r**2)).sum()) < 0.02  # zero, up to the grid
for name, value in best.items():
    print(f"{name:10s} {value:.1f} m")

# %% [markdown]
# One picture holds all three, if each curve is drawn above its own minimum:


# %% alt="NLL over mu for one outlier: minimum at 2.6 m for Normal, 1.9 Student-t, 1.6 Laplace."
def draw_noise_models(outlier=8.0, scale=1.0):
    guesses, curves = nll_curves(outlier, scale)
    _, ax = plt.subplots()
    plot_data(guesses, torch.full_like(guesses, -0.8), ax=ax, label="guesses", markersize=6)
    for color, (name, curve) in zip(("C0", "C1", "C2"), curves.items(), strict=True):
        low, best = curve.min().item(), mu[curve.argmin()].item()
        plot_curve(mu, curve - low, ax=ax, color=color, label=f"{name}: minimum at {best:.1f} m")
        ax.plot(best, 0, "o", color=color, markersize=9, markeredgecolor="white")
    ax.set(xlabel="candidate μ (m)", ylabel="NLL above its minimum (nats)", ylim=(-1.5, 12))
    ax.set_title(f"Outlier at {outlier:.1f} m, scale {scale:.1f} m")
    ax.legend(loc="upper right")
    return ax


ax = draw_noise_models()

# %% [markdown]
# The Normal pays for the outlier with its square and gives way to 2.6 m, where nobody's guess
# lies; Laplace stays at the median, 1.6 m, and Student-t settles in between. The guesses are the
# same: the noise model decides what the outlier means.
#
# The same function with sliders. **Move the outlier:** which minima follow it, and how far? **Move
# the scale:** two of the minima never move. Which, and why does the third head for the mean when
# the scale is large?

# %%
interactive(draw_noise_models, outlier=(3.5, 9.0, 0.5), scale=(0.2, 5.0, 0.2))

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
# The code follows the definition word for word: density, product, and only then the logarithm.

# %% same=True
draws = torch.from_numpy(numpy_rng(0).standard_normal(1000))  # (1000,), float64
each = normal_nll(draws, torch.ones(1))  # (1000,) nats
product = torch.exp(-each).prod()
print(f"log of the product: {product.log():.0f}")
print(f"sum of the logs:    {-each.sum():.0f} nats")

# %% [markdown]
# Your prediction was about the product itself:

# %%
assert product == 0.0
assert torch.isfinite(each.sum())
reveal("01-product-of-densities", product)

# %% [markdown]
# The product underflows to exactly zero, its logarithm is minus infinity, and no gradient comes
# back through it. The sum of the logs is an ordinary number. So logarithms are taken first,
# always: the definition is mathematics, the order is arithmetic.

# %% [markdown]
# ## Where the scale goes
#
# With a fixed scale, the Normal NLL per guess is the mean squared error times $1/(2 s^2)$ plus a
# constant, so both have their minimum at the same $\mu$. That is why the scale is so easily
# forgotten. Now put $\mu$ at the mean of the guesses and let the scale vary. The derivative of the
# NLL per guess with respect to $s$ is zero where
#
# $$\frac1s - \frac{1}{s^3} \cdot \frac1n \sum_i r_i^2 = 0, \qquad \text{so} \qquad
#   \hat s = \sqrt{\tfrac1n \textstyle\sum_i r_i^2}$$

# %% same=True
r = guesses - guesses.mean()  # (9,) metres
scales = torch.linspace(0.7, 8, 731, device=device)  # (731,) metres
nll = normal_nll(r[:, None], scales).mean(0)  # (731,) nats per guess
mse = r.square().mean()  # square metres; it holds no scale
best = scales[nll.argmin()]
assert abs(best - mse.sqrt()) < 0.02  # the formula above, up to the grid
print(f"root mean squared residual: {mse.sqrt():.2f} m")

# %% [markdown]
# Both losses over the same range of scales:

# %% alt="Left: the MSE is a flat line over the scale. Right: the NLL has a minimum at 2.0 m."
_, (left, right) = plt.subplots(1, 2)
plot_curve(scales, mse.expand_as(scales), ax=left)
left.set(title="Mean squared error: flat", ylabel="MSE (m²)", ylim=(0, 6))
plot_curve(scales, nll, ax=right, color="C1")
right.plot(best.item(), nll.min().item(), "o", color="C1", markersize=9)
right.set(title=f"Normal NLL: minimum at {best:.1f} m", ylabel="NLL (nats per guess)")
for ax in (left, right):
    ax.set(xlabel="scale s (m)")

# %% [markdown]
# The squared error is the same for every scale: it cannot tell careful guessers from careless
# ones. The NLL has its minimum at the root mean squared residual: a smaller scale pays for its
# misses, a larger one for its vagueness.

# %% [markdown]
# ## The same step for labels
#
# Nothing above needs a continuous $y$. If $y$ is a label, the model gives every label a
# probability, and this time the NLL cannot be negative:
#
# | loss | noise model | what its minimum estimates |
# | --- | --- | --- |
# | squared error | Normal, one scale for all | mean |
# | absolute error | Laplace, one scale for all | median |
# | binary cross-entropy | Bernoulli | probability of label 1 |
# | cross-entropy | Categorical | probability of each label |
#
# The third row, label by label, for a model that states a probability $p$ of label 1:

# %%
p, label = torch.tensor([0.9, 0.2, 0.6]), torch.tensor([1.0, 0.0, 0.0])
loss = torch.nn.functional.binary_cross_entropy(p, label, reduction="none")  # (3,) nats
assert torch.allclose(loss, -torch.distributions.Bernoulli(probs=p).log_prob(label))
assert (loss >= 0).all()

# %% [markdown]
# Not every loss is a likelihood. Take the hinge loss $\max(0, 1 - y f)$ with labels $y = \pm 1$.
# If it were an NLL, $e^{-\text{loss}}$ summed over both labels would be 1 for every score $f$:

# %% same=True
f = torch.tensor([0.0, 1.0, 3.0])  # scores
total = sum(torch.exp(-torch.clamp(1 - y * f, min=0)) for y in (-1, 1))  # (3,)
print("summed over both labels:", " ".join(f"{value:.2f}" for value in total))

# %% [markdown]
# The sum is neither 1 nor the same for all scores, and no constant can repair that: the hinge loss
# states no probabilities.

# %% [markdown]
# ## The dial: data whose truth is known
#
# One data set comes back in every lesson. Its mean is a wave, and its noise grows from left to
# right:
#
# $$y = \sin(3x) + s(x)\,\varepsilon, \qquad s(x) = 0.02 + \frac{0.6}{1 + e^{-4x}}, \qquad
#   x \sim U(-2, 2), \quad \varepsilon \sim N(0, 1)$$
#
# So the best possible prediction is known. We call it the *oracle*: at each $x$ a Normal with mean
# $\sin(3x)$ and scale $s(x)$. Its central interval holds new data $y$ with probability 0.90.

# %% alt="Dial data: a sine wave whose noise grows to the right, inside the oracle's 0.9 band."
x, y = dial(300, rng=numpy_rng(1))
grid = torch.linspace(-2, 2, 401, dtype=torch.float64)
mean, scale = dial_mean(grid), dial_scale(grid)
assert abs(scale - (0.02 + 0.6 / (1 + torch.exp(-4 * grid))).numpy()).max() < 1e-12
z = 1.645  # a standard normal lies within 1.645 of zero with probability 0.90
ax = plot_data(x, y)
plot_band(grid, mean - z * scale, mean + z * scale, contains="y", level=0.9, ax=ax)
plot_oracle(grid, mean, ax=ax, label="oracle mean")
ax.legend(loc="upper left")
inside = (abs(y - dial_mean(x)) <= z * dial_scale(x)).mean()
ax.set(xlabel="x", ylabel="y", title=f"The oracle's band holds {inside:.2f} of 300 points")
assert abs(inside - 0.90) < 5 * (0.90 * 0.10 / 300) ** 0.5  # within five standard errors

# %% [markdown]
# The band widens with the noise, and no single width would do on both sides.
#
# How much does a single scale cost? Leave the mean true, and let one model use the best single
# scale, which by the formula above is the root mean square of $s(x)$, and the other the true
# $s(x)$. Three scores, averaged over fresh points:
#
# - **NLL**, nats per point;
# - **CRPS**, the mean distance between a draw from the prediction and $y$, minus half the mean
#   distance between two such draws; in units of $y$, smaller is better;
# - **coverage**, how often the 0.90 interval holds $y$: for all points, and for each side.

# %%
rng = numpy_rng(2)
x, y = dial(200_000, rng=rng)
r = y - dial_mean(x)
draws = rng.standard_normal((2, x.size))  # two draws from each prediction, before scaling
true = dial_scale(x)
models = {"single scale": 0 * true + (true**2).mean() ** 0.5, "true scale": true}

# %% [markdown]
# The last row of such a table is always the oracle, computed by quadrature and not from draws:

# %% same=True
print("model           NLL   CRPS  coverage   x < 0   x > 0")
for name, scale in models.items():
    nll = normal_nll(torch.as_tensor(r), torch.as_tensor(scale)).mean()
    a, b = scale * draws
    crps = (abs(a - r) - 0.5 * abs(a - b)).mean()
    held = abs(r) <= z * scale
    sides = f"{held.mean():9.2f} {held[x < 0].mean():7.2f} {held[x > 0].mean():7.2f}"
    print(f"{name:12s} {nll:6.2f} {crps:6.2f} {sides}")
nll, crps, level, _ = dial_oracle(level=0.9)
print(f"{'oracle':12s} {nll:6.2f} {crps:6.2f} {level:9.2f} {level:7.2f} {level:7.2f}")

# %% [markdown]
# The true scale reaches the oracle, as it must. The single scale covers nearly as many points as
# it promises, and that is an accident of averaging: its interval is far too wide on the left and
# too narrow on the right. NLL and CRPS charge it for both.

# %% [markdown]
# ## Recap
#
# 1. A loss that is an NLL comes from a noise model: squared error from the Normal, absolute error
#    from Laplace, cross-entropy from label probabilities.
# 2. Answer c: the smallest mean squared error is the largest likelihood for Normal errors of one
#    scale. It estimates the mean under other noise too, but then another number is more likely.
# 3. The noise model decides what an outlier does: it drags the mean, not the median.
# 4. Densities are per unit of $y$: an NLL may be negative. Sum logs, never multiply densities.
# 5. The squared error holds no scale; the NLL does, and a scale that follows the noise is worth
#    nats.

# %% [markdown]
# ## An interview question
#
# *A colleague converts all targets and predictions from metres to millimetres. The mean test NLL
# rises from −0.5 to 6.4 nats. Has the model become worse?*
#
# Think first; the cell computes the shift for residuals of any size.

# %% same=True
r, scale = torch.tensor([-0.4, 0.0, 1.3]), torch.tensor(0.3)  # metres
shift = normal_nll(1000 * r, 1000 * scale) - normal_nll(r, scale)
print("shift in nats:", " ".join(f"{value:.2f}" for value in shift))

# %% [markdown]
# **Answer.** No. A density per millimetre is a thousandth of a density per metre, so every NLL
# rises by log 1000 = 6.91 nats, whatever the model. The squared error would have grown a million
# times. An NLL means something only next to another one for the same targets in the same unit;
# such a difference does not depend on the unit.

# %% [markdown]
# ## What to read next
#
# - C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 1.2.5 and 3.1: curve
#   fitting as maximum likelihood, and where the noise precision goes.
# - S. J. D. Prince, *Understanding Deep Learning* (2023), chapter 5: the same recipe for many
#   kinds of network output.
# - K. L. Lange, R. J. A. Little and J. M. G. Taylor, "Robust statistical modeling using the t
#   distribution", *Journal of the American Statistical Association* (1989): Student-t noise as a
#   practical tool, degrees of freedom included.
#
# ## Your turn
#
# The assignment `01_loss_as_likelihood` asks for two losses that every training loop relies on: a
# Gaussian NLL whose scale may differ from element to element, and a binary cross-entropy that
# takes logits and stays finite when they are large.
