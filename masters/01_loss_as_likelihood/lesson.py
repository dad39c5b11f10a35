# %% [markdown]
# # Loss is a likelihood
#
# Nine people guess the length of a table by eye. Eight guesses lie between 1.2 and 3.2 metres; the
# ninth is 8.0. You sum them up in one number, the one with the smallest mean squared error.
# **For which kind of errors does this number make the nine guesses most likely?**

# %% [markdown]
# **After this lesson you can** derive a loss from a noise model and name the noise model behind a
# loss; say what an outlier does to a fit before you run it; say why a classifier is trained with
# cross-entropy, and why that loss wants logits; and say what a loss in nats tells you that a
# squared error does not.
#
# **You need** the log of a density, the mean and the median, the derivative of a logarithm, and
# tensors that broadcast. Reading takes about 60 minutes with the code, 30 without it; running some
# 5 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Commit to each prediction before you read on; only your first answer is kept.
#
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import torch
from matplotlib import pyplot as plt
from torch.distributions import Laplace, Normal, StudentT

from course_utils.data import dial, dial_mean, dial_oracle, dial_scale
from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer to the question above:

# %%
predict(
    "01-errors-behind-the-mean",
    ...,
    ask="The least squares number makes the guesses most likely, if the errors are ...",
    choices=(
        "symmetric, whatever their density",
        "Normal, whatever each person's scale",
        "Normal, all of one scale",
    ),
)

# %% [markdown]
# ## One outlier, three noise models
#
# A noise model says how surprising a miss is. Under a Normal the surprise grows with the square of
# the miss, under a Laplace in proportion to it, and under a Student-t, once it is far, only with
# its logarithm. PyTorch's distributions know all three: surprise is minus `log_prob` (unit 00).
# Here $r$ is the miss, and `scale` says how large misses usually are.


# %%
def normal_nll(r, scale):  # nats, one value per residual
    return -Normal(0.0, scale).log_prob(r)


def laplace_nll(r, scale):
    return -Laplace(0.0, scale).log_prob(r)


def student_nll(r, scale):  # 2 degrees of freedom
    return -StudentT(2.0, 0.0, scale).log_prob(r)


# %% [markdown]
# For each candidate $\mu$, sum the surprise of the nine guesses. The best candidate is the one
# with the least surprise. (The height of the grey dots means nothing.)

# %%
usual = torch.tensor([1.2, 1.3, 1.4, 1.5, 1.6, 2.4, 2.8, 3.2], device=device)  # metres
mu = torch.linspace(1, 9, 1601, device=device)  # candidates, 5 mm apart
noise = {"Normal": normal_nll, "Laplace": laplace_nll, "Student-t": student_nll}


def nll_curves(outlier, scale):
    guesses = torch.cat([usual, usual.new_tensor([outlier])])  # (9,)
    r = guesses[:, None] - mu  # (9, 1601)
    scale = torch.tensor(scale, device=device)
    return guesses, {name: nll(r, scale).sum(0) for name, nll in noise.items()}  # (1601,)


# %% hide=True alt="Sum over mu for one outlier: minimum at 2.6 m for Normal, 1.9 t, 1.6 Laplace."
def draw_noise_models(outlier=8.0, scale=1.0):
    guesses, curves = nll_curves(outlier, scale)
    _, ax = plt.subplots()
    plot_data(guesses, torch.full_like(guesses, -0.8), ax=ax, label="guesses", markersize=6)
    winners = []
    for color, (name, curve) in zip(("C0", "C1", "C2"), curves.items(), strict=True):
        best, rise = mu[curve.argmin()].item(), curve - curve.min()
        rise[rise > 10] = torch.nan  # above it stands the legend
        plot_curve(mu, rise, ax=ax, color=color, label=f"{name}: minimum at {best:.1f} m")
        ax.plot(best, 0, "o", color=color, markersize=9, markeredgecolor="white")
        winners.append(best)
    ax.set(xlabel="candidate μ (m)", ylabel="NLL above its minimum (nats)", ylim=(-1.5, 17))
    apart = max(winners) - min(winners)
    ax.set_title(f"The same nine guesses, and best values {apart:.1f} m apart")
    ax.legend(loc="upper right")


draw_noise_models()

# %% [markdown]
# The Normal pays for the outlier with its square and gives way to 2.6 m, where nobody's guess
# lies; Laplace stays at 1.6 m, and Student-t settles in between. The guesses are the same: the
# noise model decides what the outlier means.
#
# The same function with sliders. **Move the outlier:** which minima follow it, and how far? **Move
# the scale:** two of the minima never move. Which, and why does the third head for the mean when
# the scale is large? And how many minima does it have at the scale 0.2?

# %%
interactive(draw_noise_models, outlier=(3.5, 9.0, 0.5), scale=(0.2, 5.0, 0.2))

# %% [markdown] card="01-price-of-a-miss"
# How does the surprise at a miss grow under a Normal, a Laplace and a Student-t, and which fit
# does an outlier drag most?
#
# **Answer.** With its square, in proportion to it, and like a logarithm, so that a far miss costs
# hardly more than a near one. It drags the Normal's fit, the mean, most.

# %% [markdown]
# ## From a density to a loss
#
# A noise model gives every possible guess $y$ a density $p(y \mid \mu, s)$, where $\mu$ is the
# value that we look for and $s$ is the scale of the errors. Independent guesses multiply their
# densities. That product, read as a function of $\mu$ and $s$ with the data fixed, is the
# *likelihood*. We want the $\mu$ that makes the data most likely; the logarithm turns the product
# into a sum, and the minus sign turns "most likely" into "smallest":
#
# $$\mathrm{NLL}(\mu, s) = -\sum_i \log p(y_i \mid \mu, s)$$
#
# This is the negative log-likelihood. With the natural logarithm its unit is the nat. On the left
# stands the density of a residual $r = y - \mu$ under each of the three models (Student's t with 2
# degrees of freedom), on the right its negative logarithm:
#
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \tfrac{1}{\sqrt{2\pi}\, s}\, e^{-\frac12 (r/s)^2}
#   && \tfrac12 (r/s)^2 + \log\left(\sqrt{2\pi}\, s\right) \\
# \text{Laplace:} \quad & \tfrac{1}{2 s}\, e^{-|r/s|} && |r/s| + \log(2 s) \\
# \text{Student-t:} \quad & \tfrac{1}{2\sqrt2\, s} \left(1 + \tfrac12 (r/s)^2\right)^{-3/2}
#   && \tfrac32 \log\left(1 + \tfrac12 (r/s)^2\right) + \log\left(2\sqrt2\, s\right)
# \end{aligned}
# $$
#
# On the right, the first part is the loss: squared error, absolute error, and one to which each
# doubling of a far miss adds the same $3 \log 2$, 2.1 nats. The second part is the price of the
# scale; it makes the density integrate to one. Only the Normal's scale is a standard deviation.

# %% [markdown]
# A formula is trusted once it agrees with something that was written independently: here the last
# two rows with PyTorch's distributions, at a scale other than 1. The first is left to you, as the
# first exercise.

# %%
r, scale = torch.linspace(-6, 6, 25), torch.tensor(0.7)
laplace = (r / scale).abs() + torch.log(2 * scale)
student = 1.5 * torch.log1p(0.5 * (r / scale) ** 2) + torch.log(2 * 2**0.5 * scale)
assert torch.allclose(laplace_nll(r, scale), laplace, atol=1e-5)
assert torch.allclose(student_nll(r, scale), student, atol=1e-5)
doubled = student_nll(torch.tensor([40.0, 80.0]), scale).diff()
assert abs(doubled - 3 * torch.tensor(2.0).log()) < 0.01 and round(doubled.item(), 1) == 2.1

# %% [markdown]
# Which $\mu$ is best? Setting the derivative of each sum to zero gives:
#
# $$
# \begin{aligned}
# \text{Normal:} \quad & \textstyle\sum_i r_i = 0 && \text{the mean} \\
# \text{Laplace:} \quad & \textstyle\sum_i \mathrm{sign}(r_i) = 0 && \text{the median} \\
# \text{Student-t:} \quad & \textstyle\sum_i r_i / (2 s^2 + r_i^2) = 0
#   && \text{a mean with weights } 1 / (2 s^2 + r_i^2)
# \end{aligned}
# $$
#
# The minima of the picture agree, up to its grid:

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
# The third condition trusts far guesses less. But its weights depend on $\mu$, so it may have more
# than one solution. At a small scale the outlier gets a valley of its own, and a fit that starts
# there stays there:

# %% same=True
curve = nll_curves(8.0, 0.2)[1]["Student-t"]
low = (curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])
valleys = mu[1:-1][low]
print("Student-t, scale 0.2: minima at", *(f"{value:.1f} m" for value in valleys))
assert len(valleys) == 2

# %% [markdown] card="01-mean-and-median"
# Independent errors of one scale: which location is the most likely under a Normal, and which
# under a Laplace?
#
# **Answer.** The mean under the Normal (residuals sum to zero), the median under the Laplace
# (their signs do).

# %% [markdown]
# ## Can a loss be negative?
#
# Two models foretell $y = 0$, one as a Normal with scale 1, the other with scale 0.1. It comes
# exactly so: two perfect hits. How do their NLLs differ?

# %%
predict(
    "01-ten-times-narrower",
    ...,
    ask="By how many nats is the NLL of a perfect hit lower at scale 0.1 than at scale 1?",
)

# %% [markdown] fold="01-ten-times-narrower"
# ### The price of a hit

# %% [markdown]
# Both NLLs, together with the densities themselves:

# %%
wide, hit = normal_nll(torch.zeros(2), torch.tensor([1.0, 0.1]))
for scale, nll in {1.0: wide, 0.1: hit}.items():
    print(f"scale {scale}: density {torch.exp(-nll):.2f} per unit of y, NLL {nll:5.2f} nats")
because = {0: "A hit costs least, but least is not nothing: it depends on the scale."}
because |= {10: "The density is ten times as high; the NLL takes its logarithm."}
difference = round((wide - hit).item(), 2)
reveal("01-ten-times-narrower", difference, within=0.05, unit="nats", because=because)

# %% hide=True alt="Densities at scales 1, 0.3, 0.1: the narrowest peaks at 4; its NLL is below 0."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
at = torch.linspace(-1.5, 1.5, 601)
for color, scale in zip(("C0", "C1", "C2"), (1.0, 0.3, 0.1), strict=True):
    nll = normal_nll(at, torch.tensor(scale))
    plot_curve(at, torch.exp(-nll), ax=left, color=color, label=f"scale {scale:.1f}")
    plot_curve(at, nll, ax=right, color=color)
right.axhline(0, color="0.4", linewidth=1)
left.set(xlabel="miss r", ylabel="density (per unit of y)", title="A narrow density is tall")
right.set(xlabel="miss r", ylabel="NLL (nats)", ylim=(-2, 8), title="and its NLL falls below zero")
_ = left.legend()

# %% [markdown]
# Ten times as narrow is $\log 10 = 2.30$ nats cheaper. The narrow peak is that of unit 00's water
# bath: its density of 3.99 makes the NLL negative, which is no bug, and nothing to cut off at
# zero. The narrower the prediction, the lower the NLL of a hit, and the dearer a miss.

# %% [markdown]
# ## A thousand factors
#
# The definition multiplies densities. A thousand draws from a standard normal are an ordinary data
# set. What does the product come to?

# %%
predict(
    "01-product-of-densities",
    ...,
    ask="Product of the densities of 1000 standard-normal draws, computed in float64?",
)

# %% [markdown] fold="01-product-of-densities"
# ### Word for word

# %% [markdown]
# The code follows the definition: density, product, and only then the logarithm.

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
centre = torch.zeros(1, dtype=draws.dtype, requires_grad=True)  # what training would move
density = torch.exp(-normal_nll(draws - centre, torch.ones(1)))
assert torch.autograd.grad(density.prod().log(), centre)[0].isnan()
because = {1: "Each density is below 0.4, so every factor makes the product smaller."}
reveal("01-product-of-densities", product, because=because)

# %% [markdown]
# Broken on purpose: multiply first, take the log later. The product is about $e^{-1397}$, or
# $10^{-607}$; float64 ends near $10^{-324}$ and stores exactly zero. Its logarithm is minus
# infinity, and the gradient that comes back through it is nan. The sum of the logs is an ordinary
# number. So logarithms are taken first, always: the definition is mathematics, the order is
# arithmetic.

# %% [markdown] card="01-logs-before-products"
# Why add log-densities, where the definition of a likelihood multiplies densities?
#
# **Answer.** The product of a thousand densities is smaller than the smallest positive number of
# float64: it becomes exactly zero, its logarithm minus infinity, and no gradient comes back. The
# sum of logs is an ordinary number.

# %% [markdown]
# ## Where the scale goes
#
# With one fixed scale, the Normal NLL per guess is the mean squared error times $1/(2 s^2)$ plus a
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

# %% hide=True alt="Over the scale the MSE is flat; the NLL has its minimum at 2.0 m."
ax = plot_curve(scales, mse.expand_as(scales), label="mean squared error (m²)")
plot_curve(scales, nll, ax=ax, color="C1", label="Normal NLL (nats per guess)")
ax.plot(best.item(), nll.min().item(), "o", color="C1", markersize=9, markeredgecolor="white")
ax.set(xlabel="scale s (m)", ylabel="loss per guess", ylim=(0, 6))
ax.set_title(f"The NLL finds a scale, {best:.1f} m; the squared error is blind to it")
_ = ax.legend(loc="lower right")

# %% [markdown]
# The squared error is the same for every scale: it cannot tell a model that claims centimetres
# from one that claims metres. The NLL has its minimum at the root mean squared residual: a smaller
# scale pays for its misses, a larger one for its vagueness.
#
# Most likely is not the same as unbiased. The mean was fitted to the same nine guesses and lies
# too near to them, so $\hat s^2$ is too small on average, by the factor $(n - 1) / n$. Over
# 100 000 sets of nine draws with variance 1:

# %% same=True
draws = torch.from_numpy(numpy_rng(5).standard_normal((100_000, 9)))
average = draws.var(dim=1, correction=0).mean()
print(f"mean of the most likely variance: {average:.2f}, and 8/9 = {8 / 9:.2f}")
assert abs(average - 8 / 9) < 0.01

# %% [markdown]
# PyTorch has this loss as `F.gaussian_nll_loss`, with three surprises. It takes the *variance*, it
# raises every variance below `eps` to it, and it leaves the constant out unless `full=True`:

# %%
from torch.nn import functional as F

y, mean, scale = torch.tensor([0.4]), torch.tensor([0.1]), torch.tensor([0.7])
library = F.gaussian_nll_loss(mean, y, scale**2, full=True)
assert torch.isclose(library, normal_nll(y - mean, scale).mean())
constant = library - F.gaussian_nll_loss(mean, y, scale**2)
assert torch.isclose(constant, 0.5 * torch.tensor(2 * torch.pi).log())
tiny = F.gaussian_nll_loss(mean, y, 1e-8 * scale**2)
assert torch.isclose(tiny, F.gaussian_nll_loss(mean, y, torch.tensor([1e-6])))

# %% [markdown] card="01-most-likely-scale"
# With the mean given, which scale has the smallest Gaussian NLL? Is its square unbiased if the
# mean was fitted to the same n points?
#
# **Answer.** The root mean square of the residuals. No: a fitted mean lies too near to its data,
# so the squared scale is too small on average by the factor (n − 1)/n.

# %% [markdown]
# ## The same step for labels
#
# Nothing above needs a continuous $y$. If $y$ is a label, the model gives every label a
# probability $P(y)$, and the NLL of a label that occurred is $-\log P(y)$. A probability is at
# most 1, so this time the NLL cannot be negative.
#
# A network puts out no probabilities but *logits*, real numbers of any size. For two labels one
# logit $z$ is enough: its *sigmoid* $p = 1 / (1 + e^{-z}) = e^z / (1 + e^z)$ is the probability of
# label 1. For $K$ labels there are $K$ logits, and their *softmax*
# $p_k = e^{z_k} / \sum_j e^{z_j}$ holds the probabilities. This gives two more derivations:
#
# $$
# \begin{aligned}
# (1) \quad && \text{Bernoulli:} \quad P(y) &= p^{\,y}\, (1 - p)^{1 - y} \\
# (2) \quad && \mathrm{NLL} &= -y \log p - (1 - y) \log(1 - p) \\
# (3) \quad && &= \log(1 + e^z) - y z \\
# (4) \quad && \text{Categorical:} \quad P(y) &= \textstyle\prod_k p_k^{\,[y = k]} \\
# (5) \quad && \mathrm{NLL} &= -\log p_y \\
# (6) \quad && &= \log \textstyle\sum_k e^{z_k} - z_y
# \end{aligned}
# $$
#
# In (1), $y$ is 0 or 1 and picks one of the two factors. In (4), $[y = k]$ is 1 for the label that
# occurred and 0 for the others, so that again one factor is left. (2) and (5) are logarithms of
# the line before. (3) and (6) put the logits in: $\log p = z - \log(1 + e^z)$ and
# $\log(1 - p) = -\log(1 + e^z)$; for the softmax, $\log p_y = z_y - \log \sum_k e^{z_k}$.
#
# First the Bernoulli, line by line, for both labels:

# %%
z = torch.linspace(-6, 6, 25, dtype=torch.float64)
p = torch.sigmoid(z)
for y in (torch.zeros_like(z), torch.ones_like(z)):
    log_prob = torch.distributions.Bernoulli(probs=p).log_prob(y)
    assert torch.allclose(p**y * (1 - p) ** (1 - y), log_prob.exp())
    assert torch.allclose(-y * torch.log(p) - (1 - y) * torch.log(1 - p), -log_prob)
    assert torch.allclose(torch.log(1 + torch.exp(z)) - y * z, -log_prob)

# %% [markdown]
# Then the Categorical, for each of three labels. The last assertion says what the two have in
# common: a Bernoulli is a Categorical with the two logits 0 and $z$.

# %%
z = torch.tensor([2.0, 0.5, -1.0], dtype=torch.float64)  # (3,) logits
p = torch.softmax(z, dim=0)
for y in torch.arange(3):
    log_prob = torch.distributions.Categorical(probs=p).log_prob(y)
    assert torch.allclose((p ** (torch.arange(3) == y)).prod(), log_prob.exp())
    assert torch.allclose(-torch.log(p[y]), -log_prob)
    assert torch.allclose(torch.log(torch.exp(z).sum()) - z[y], -log_prob)
pair = torch.softmax(torch.stack([0 * z, z], dim=1), dim=1)  # (3, 2)
assert torch.allclose(pair[:, 1], torch.sigmoid(z))

# %% [markdown]
# Four losses, then:
#
# | loss | noise model | what its minimum estimates |
# | --- | --- | --- |
# | squared error | Normal, one scale for all | mean |
# | absolute error | Laplace, one scale for all | median |
# | binary cross-entropy | Bernoulli | probability of label 1 |
# | cross-entropy | Categorical | probability of each label |

# %% [markdown]
# ## Confidently wrong: which loss recovers?
#
# A label is 0 or 1, and $(p - y)^2$ is smallest at $p = y$ too. Why not train a classifier with
# the squared error?
#
# Take the smallest classifier there is: one logit $z$, one label $y = 1$. It starts confidently
# wrong at $z = -8$, and each step of gradient descent subtracts the derivative of the loss with
# respect to $z$ (step size 1). Under cross-entropy, $p$ exceeds one half after 9 steps.

# %%
predict(
    "01-steps-of-squared-error",
    ...,
    ask="Steps from z = -8 until p exceeds one half, under the squared error?",
)

# %% [markdown] fold="01-steps-of-squared-error"
# ### The race

# %% [markdown]
# Everything depends on the derivative with respect to the logit. For the cross-entropy
# differentiate line (3). For the squared error the chain rule brings in the slope of the sigmoid,
# $dp/dz = p (1 - p)$:
#
# $$
# \begin{aligned}
# \frac{d}{dz} \left[\log(1 + e^z) - y z\right] &= \frac{e^z}{1 + e^z} - y = p - y \\
# \frac{d}{dz} (p - y)^2 &= 2\, (p - y)\, p\, (1 - p)
# \end{aligned}
# $$
#
# The first is the error itself: the more wrong, the larger. The second has the factor $p (1 - p)$,
# close to 0 wherever the model is sure, be it right or wrong. Autograd, which knows neither
# formula, agrees:

# %%
losses = {
    "cross-entropy": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
    "squared error": lambda z, y: (torch.sigmoid(z) - y) ** 2,
}
z = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
p = torch.sigmoid(z).detach()
for y in (torch.zeros_like(p), torch.ones_like(p)):
    by_hand = {"cross-entropy": p - y, "squared error": 2 * (p - y) * p * (1 - p)}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss(z, y).sum(), z)
        assert torch.allclose(gradient, by_hand[name])

# %% [markdown]
# Now the race, the same loop for both losses:

# %% same=True
target = torch.tensor(1.0, dtype=torch.float64)
paths, passed = {}, {}
for name, loss in losses.items():
    z, path = -8 * target, []
    for _ in range(2001):
        path.append(torch.sigmoid(z).item())
        z.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(z, target), z)
        z = (z - gradient).detach()
    paths[name] = torch.tensor(path)
    passed[name] = (paths[name] > 0.5).nonzero()[0].item()
    print(f"{name}: p = {path[0]:.4f} at the start, {path[100]:.4f} after 100 steps")

# %% [markdown]
# When did each of them exceed one half?

# %%
assert passed["cross-entropy"] == 9
because = {9: "Its derivative carries a factor p (1 - p), which starts at 0.0003."}
because |= {18: "Not slower by a factor of two: by one of p (1 - p), which starts at 0.0003."}
steps = passed["squared error"]
reveal("01-steps-of-squared-error", steps, within=300, unit="steps", because=because)

# %% [markdown]
# The whole race:

# %% hide=True alt="p over 2000 steps: cross-entropy rises at once, squared error after 1500."
for name, path in paths.items():
    ax = plot_curve(torch.arange(2001), path, label=f"{name}: p > 0.5 at step {passed[name]}")
ax.set(xlabel="step of gradient descent", ylabel="p of the true label", ylim=(-0.04, 1.04))
ax.set_title("The squared error sits still for 1500 steps")
ax.legend(loc="center", bbox_to_anchor=(0.42, 0.5))
assert abs(passed["squared error"] / (0.5 * torch.e**8) - 1) < 0.02
slope = {p: 2 * (1 - p) * p * (1 - p) for p in (0.5, path[0].item())}  # squared error
assert slope[0.5] > 300 * slope[path[0].item()]

# %% [markdown]
# Cross-entropy recovers at once; the squared error sits still for 1500 steps. The number could
# have been predicted. While $p$ is tiny, it is about $e^z$, and a step adds about $2 e^z$ to $z$.
# This lowers $e^{-z}$, whose derivative is $-e^{-z}$, by about 2. It starts at $e^8 = 2981$: some
# 1490 steps. Start one unit lower, and it takes $e$ times as long.
#
# A larger step size is no cure: all points of a data set share it, and near $p = 0.5$ the same
# derivative is hundreds of times larger. Is Adam one? It divides each step by the size of recent
# gradients:

# %%
for rate in (0.1, 1.0):
    for name, loss in losses.items():
        z = (-8 * target).requires_grad_()
        adam, steps = torch.optim.Adam([z], lr=rate), 0
        while torch.sigmoid(z) <= 0.5:
            adam.zero_grad()
            loss(z, target).backward()
            adam.step()
            steps += 1
        print(f"Adam, rate {rate}: {name} needs {steps} steps")
        assert steps < 100

# %% [markdown]
# For this one logit, yes: the gradient is tiny, but Adam makes the step as large as any other. At
# rate 0.1 the squared error even wins. Its gradient grows on the way, and one that is larger than
# those before it makes Adam's step larger than the rate; that of cross-entropy shrinks.
#
# But Adam does so for each *parameter*, not for each example. Where one hopeless example shares
# its parameters with many doubtful ones, its share of the gradient stays as small as computed
# above, and no optimiser can tell.

# %% [markdown] card="01-slope-at-a-confident-miss"
# A classifier is confidently wrong. Why does the squared error of its probability hardly move it,
# while cross-entropy does?
#
# **Answer.** With respect to the logit, cross-entropy has the slope p − y, the error itself. The
# squared error has the factor p(1 − p) besides, which is near 0 wherever the model is sure.

# %% [markdown]
# ## Is squared error wrong for labels, then?
#
# No. Let a label be 1 with probability 0.3, and average each loss over both labels with these
# weights. Which $p$ has the smallest average loss? The absolute error joins in for comparison.

# %% same=True
p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
zeros, ones = torch.zeros_like(p), torch.ones_like(p)
absolute = {"absolute error": lambda z, y: (torch.sigmoid(z) - y).abs()}
for name, loss in (losses | absolute).items():
    average = 0.7 * loss(torch.logit(p), zeros) + 0.3 * loss(torch.logit(p), ones)
    print(f"{name:14s} smallest at p = {p[average.argmin()]:.2f}")

# %% [markdown]
# Cross-entropy and squared error both ask for the truth, 0.30. Such a loss is called *strictly
# proper*: the truth is its only minimum. The squared error of a probability has a name of its own,
# the Brier score. The absolute error is not proper: it asks for the median of the labels, 0, and
# runs to that end of the range.
#
# So what the squared error lacks here is not correctness. It lacks gradient, as you saw, and it
# lacks *efficiency*: if labels come from the model, cross-entropy gets more out of the same data.
# Theory says how much. Let the logit be $z = w x$ with $w = 3$ and $x \sim N(0, 1)$. The fitted
# $w$ has, with many labels, the variance $B / (n A^2)$ (the *sandwich*: unit 03 meets it again),
# where $A$ is the mean second derivative of the loss with respect to $w$, and $B$ the mean square
# of the first. Write $b = p (1 - p)$. For cross-entropy $A = B = \mathrm{E}[b x^2]$; for the
# squared error $A = \mathrm{E}[2 b^2 x^2]$, since $p - y$ is 0 on average, and
# $B = \mathrm{E}[4 b^3 x^2]$:

# %% same=True
x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
density = torch.exp(-normal_nll(x, torch.ones(1, dtype=x.dtype)))
b = torch.sigmoid(3 * x) * torch.sigmoid(-3 * x)  # p (1 - p)
A = {"cross-entropy": b, "squared error": 2 * b**2}
B = {"cross-entropy": b, "squared error": 4 * b**3}
variance = {}
for name in losses:
    mean_A, mean_B = (torch.trapezoid(part[name] * x**2 * density, x) for part in (A, B))
    variance[name] = mean_B / mean_A**2
share = variance["cross-entropy"] / variance["squared error"]
print(f"cross-entropy needs {share:.2f} of the labels that the squared error needs")

# %% [markdown]
# And in practice: draw many data sets of 200 such labels. In each set, find the $w$ with the
# smallest loss:


# %%
def spread_of_weights(seed, sets):
    rng = numpy_rng(seed)
    x = torch.from_numpy(rng.standard_normal((sets, 200)))  # one row per data set
    y = (torch.from_numpy(rng.random((sets, 200))) < torch.sigmoid(3 * x)).double()
    weights = torch.linspace(1, 7, 61)  # candidates
    spread = {}
    for name, loss in losses.items():
        means = torch.stack([loss(w * x, y).mean(1) for w in weights])  # (61, sets)
        spread[name] = weights[means.argmin(0)].std().item()
    return spread


# %% [markdown]
# The standard deviations of $w$, around its true value 3:


# %% claim="The squared error scatters more than cross-entropy." steps=300
def squared_error_scatters_more(seed, steps):  # steps: data sets
    spread = spread_of_weights(seed, steps)
    return spread["squared error"] - spread["cross-entropy"]


spread = spread_of_weights(3, 300)
print(", ".join(f"{name} {sd:.2f}" for name, sd in spread.items()))
ratio = (spread["cross-entropy"] / spread["squared error"]) ** 2
print(f"ratio of their squares {ratio:.2f}, theory {share:.2f}")
assert squared_error_scatters_more(3, 300) > 0.05

# %% [markdown]
# So cross-entropy does with some two thirds of the labels what the squared error does with all of
# them. (The theory is one for many labels, and 300 data sets give the ratio to a tenth or so.)

# %% [markdown] card="01-proper-for-labels"
# Does the squared error of a probability ask for the true probability? And the absolute error?
#
# **Answer.** The squared error does, as cross-entropy does: both are strictly proper. The absolute
# error is not; it asks for the median of the labels, 0 or 1.

# %% [markdown]
# ## Broken on purpose: sigmoid first, log later
#
# A model says $z = 20$, and the label is 0. By line (3) the loss is $\log(1 + e^{20})$: 20 nats
# and two billionths. A colleague applies the sigmoid first, and then PyTorch's loss for
# probabilities, all in float32.

# %%
predict(
    "01-sigmoid-before-loss",
    ...,
    ask="F.binary_cross_entropy(sigmoid(z), y) for z = 20, y = 0 in float32? A guess is fine.",
)

# %% [markdown] fold="01-sigmoid-before-loss"
# ### Three routes

# %% [markdown]
# Three routes to the same loss, with the derivative that each of them sends back to $z$:

# %% same=True
z, y = torch.tensor(20.0, requires_grad=True), torch.tensor(0.0)
p = torch.sigmoid(z)
routes = {
    "by hand, -log(1 - p)": -torch.log(1 - p),
    "binary_cross_entropy(p, y)": F.binary_cross_entropy(p, y),
    "binary_cross_entropy_with_logits(z, y)": F.binary_cross_entropy_with_logits(z, y),
}
for name, loss in routes.items():
    (gradient,) = torch.autograd.grad(loss, z, retain_graph=True)
    print(f"{name:38s} loss {loss.item():4.0f}, gradient {gradient.item():4.0f}")

# %% [markdown]
# Your prediction was about the second:

# %%
assert p == 1.0  # exactly, though the true 1 - p is 2e-9
mirrored = F.binary_cross_entropy(torch.sigmoid(-z), 1 - y)  # z = -20, y = 1: no harm
assert torch.isclose(mirrored, torch.tensor(20.0))
because = {20: "That is the true loss; the sigmoid has rounded it away before the logarithm."}
reveal("01-sigmoid-before-loss", routes["binary_cross_entropy(p, y)"], because=because)

# %% [markdown]
# In float32 the sigmoid of 20 is exactly 1: close to 0 the format has many numbers, close to 1 it
# has few. By hand the loss is then infinite, and its derivative is infinity times the slope
# $p (1 - p)$ of the sigmoid, exactly 0: not a number. PyTorch's loss for probabilities stops the
# logarithm at −100 and keeps its derivative finite, and a finite number times 0 is 0. So you see
# 100 where 20 is true, and the model, as wrong as it can be, is told nothing. Only the loss that
# takes logits returns 20, with the derivative $p - y = 1$.
#
# Hence the rule: the network ends in logits, and sigmoid and logarithm are taken together, inside
# the loss. Probabilities are for reading.

# %% [markdown] card="01-logits-into-the-loss"
# Why should a loss take logits, and not probabilities that went through a sigmoid in float32?
#
# **Answer.** Close to 1 the format has few numbers: a sure sigmoid is rounded to exactly 1. The
# loss of a sure miss is then capped or infinite, and its gradient lost. From the logit it is
# right, with the slope p − y.

# %% [markdown]
# ## A named mistake: softmax twice
#
# `F.cross_entropy` takes logits as well: it applies the softmax itself. Nothing stops you from
# handing it probabilities; they are numbers, and numbers can be logits. Let a model be perfect,
# with probability 1 for the right one of 10 labels.

# %%
predict(
    "01-softmax-twice",
    ...,
    ask="F.cross_entropy, in nats, of a perfect one-hot softmax vector, K = 10, taken as logits?",
)

# %% [markdown] fold="01-softmax-twice"
# ### What a perfect model pays

# %% [markdown]
# The same for three values of $K$. By line (6) it must be $\log(e + K - 1) - 1$: the right label
# has the "logit" 1, the $K - 1$ others have 0.

# %% same=True
floors = {}
for K in (2, 10, 1000):
    perfect, right = torch.zeros(K), torch.tensor(0)
    perfect[right] = 1.0
    floors[K] = F.cross_entropy(perfect, right)
    assert torch.isclose(floors[K], torch.log(torch.tensor(torch.e + K - 1)) - 1)
    print(f"K = {K:4d}: loss {floors[K]:.3f} nats, uniform guess {torch.tensor(K).log():.3f} nats")

# %% [markdown]
# The answer to the prediction, and whether any of 10 000 other probability vectors does better:

# %%
others = torch.from_numpy(numpy_rng(4).dirichlet([0.1] * 10, size=10_000))  # (10000, 10)
assert (F.cross_entropy(others, torch.zeros(10_000).long(), reduction="none") > floors[10]).all()
because = {0: "So it would be for the logit infinity; a probability of 1 is a logit of 1."}
because |= {2.303: "That is the uniform guess; the right label is still e times as likely."}
reveal("01-softmax-twice", round(floors[10].item(), 3), within=0.05, unit="nats", because=because)

# %% [markdown]
# A perfect model pays 1.461 nats, and no probability vector pays less: a floor that no training
# gets through. With 1000 labels the perfect model is just one nat better than a uniform guess.
# Nothing crashes, and the most probable label stays the most probable. That is why softmax twice
# survives in real code: look at the loss, not only at the accuracy.

# %% [markdown] card="01-softmax-twice-seen"
# Ten classes, nearly all predictions right, and the loss does not fall below about 1.46 nats.
# Where do you look?
#
# **Answer.** At the last layer: a softmax before `F.cross_entropy`, which applies its own. A
# probability of 1, taken as a logit, leaves the wrong classes in play; accuracy does not show it.

# %% [markdown]
# ## Not every loss is a likelihood
#
# Two losses that classifiers are trained with, for labels $y = \pm 1$ and a logit $z$: the hinge
# loss $\max(0, 1 - y z)$, and the focal loss with its usual exponent, $-(1 - p)^2 \log p$, where
# $p$ is the sigmoid of $y z$. If a loss were an NLL, $e^{-\text{loss}}$ summed over both labels
# would be 1 for every logit:

# %% same=True
z = torch.tensor([0.0, 1.0, 3.0])
hinge = sum(torch.exp(-torch.clamp(1 - y * z, min=0)) for y in (-1, 1))  # (3,)
p = torch.sigmoid(z)  # the other label has probability 1 - p
focal = torch.exp((1 - p) ** 2 * torch.log(p)) + torch.exp(p**2 * torch.log(1 - p))
for name, total in {"hinge": hinge, "focal": focal}.items():
    print(f"{name}, summed over both labels:", " ".join(f"{value:.2f}" for value in total))

# %% [markdown]
# Neither sum is 1, nor the same for all logits, so no constant can repair it: neither loss is an
# NLL. That alone does not settle what its minimum estimates. The Brier score is no NLL of labels
# either, and yet it is proper. Is the focal loss? Give label 1 probability 0.3 once more:

# %% same=True
p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
average = -0.3 * (1 - p) ** 2 * torch.log(p) - 0.7 * p**2 * torch.log(1 - p)
print(f"focal loss smallest at p = {p[average.argmin()]:.2f}")

# %% [markdown]
# No: it asks for 0.42 where the truth is 0.30. Such losses may train a good classifier, but their
# outputs are no probabilities.

# %% [markdown]
# ## The dial: data whose truth is known
#
# One data set, the *dial*, comes back in later lessons. Its mean is a wave, and its noise is
# turned up from left to right:
#
# $$y = \sin(3x) + s(x)\,\varepsilon, \qquad s(x) = 0.02 + \frac{0.6}{1 + e^{-4x}}, \qquad
#   x \sim U(-2, 2), \quad \varepsilon \sim N(0, 1)$$
#
# So the best possible prediction is known. We call it the *oracle*: at each $x$ a Normal with mean
# $\sin(3x)$ and scale $s(x)$. Its interval $\sin(3x) \pm 1.645\, s(x)$ holds new data $y$ with
# probability 0.90.

# %% alt="Dial data: a sine wave whose noise grows to the right, inside the oracle's 0.9 band."
x, y = dial(300, rng=numpy_rng(1))
grid = torch.linspace(-2, 2, 401, dtype=torch.float64)
mean, scale = dial_mean(grid), dial_scale(grid)
assert abs(scale - (0.02 + 0.6 / (1 + torch.exp(-4 * grid))).numpy()).max() < 1e-12
reach = 1.645  # a standard normal lies within 1.645 of zero with probability 0.90
ax = plot_data(x, y)
plot_band(grid, mean - reach * scale, mean + reach * scale, contains="y", level=0.9, ax=ax)
plot_oracle(grid, mean, ax=ax, label="oracle mean")
ax.legend(loc="upper left")
inside = (abs(y - dial_mean(x)) <= reach * dial_scale(x)).mean()
ax.set(xlabel="x", ylabel="y", title=f"The oracle's band holds {inside:.2f} of 300 points")
assert abs(inside - 0.90) < 5 * (0.90 * 0.10 / 300) ** 0.5  # within five standard errors

# %% [markdown]
# The band widens with the noise, and no single width would do on both sides.
#
# How much does a single scale cost? Leave the mean true, and let one model use the best single
# scale, which by the formula for $\hat s$ is the root mean square of $s(x)$, and the other the
# true $s(x)$. Three scores, averaged over fresh points:
#
# - **NLL**, nats per point;
# - **CRPS**, the continuous ranked probability score: the mean distance between a draw from the
#   prediction and $y$, minus half the mean distance between two such draws. The first part alone
#   would favour a prediction without any width. In units of $y$, smaller is better;
# - **coverage**, how often the 0.90 interval holds $y$: for all points, and for each side.

# %%
rng = numpy_rng(2)
x, y = dial(200_000, rng=rng)
r = y - dial_mean(x)
draws = rng.standard_normal((2, x.size))  # two draws from each prediction, before scaling
true = dial_scale(x)
models = {"single scale": 0 * true + (true**2).mean() ** 0.5, "true scale": true}

# %% [markdown]
# The last row of such a table is always the oracle, computed by numerical integration and not from
# draws:

# %% same=True
print("model           NLL   CRPS  coverage   x < 0   x > 0")
for name, scale in models.items():
    nll = normal_nll(torch.as_tensor(r), torch.as_tensor(scale)).mean()
    a, b = scale * draws
    crps = (abs(a - r) - 0.5 * abs(a - b)).mean()
    held = abs(r) <= reach * scale
    sides = f"{held.mean():9.2f} {held[x < 0].mean():7.2f} {held[x > 0].mean():7.2f}"
    print(f"{name:12s} {nll:6.2f} {crps:6.2f} {sides}")
nll, crps, level, _ = dial_oracle(level=0.9)
print(f"{'oracle':12s} {nll:6.2f} {crps:6.2f} {level:9.2f} {level:7.2f} {level:7.2f}")

# %% [markdown]
# The true scale reaches the oracle, as it must. The single scale covers nearly as many points as
# it promises, and that is an accident of averaging: its interval is far too wide on the left and
# too narrow on the right. NLL and CRPS charge it for both.

# %% [markdown]
# ## Back to the opening question
#
# The number with the smallest mean squared error is the mean. For which kind of errors is it the
# most likely one?

# %% [markdown] fold="01-errors-behind-the-mean"
# ### The answer

# %% [markdown]
# Three kinds, on the candidates of the picture. In the second, scales grow from 0.5 metres for the
# first person to 4.5 for the last:

# %%
own = torch.linspace(0.5, 4.5, 9, device=device)[:, None]
r, single = guesses[:, None] - mu, torch.ones(1, device=device)
symmetric = "symmetric, whatever their density"
own_scales = "Normal, whatever each person's scale"
found = {
    symmetric: laplace_nll(r, single),
    own_scales: normal_nll(r, own),
    "Normal, all of one scale": normal_nll(r, single),
}
likely = {kind: mu[nll.sum(0).argmin()].item() for kind, nll in found.items()}
print(f"the mean {guesses.mean():.2f} m; most likely:", *(f"{m:.2f}" for m in likely.values()))
because = {symmetric: "Laplace errors are symmetric, and the median is the most likely value."}
because[own_scales] = "Then it is a mean with weights, one over the squared scale."
truth = min(likely, key=lambda kind: abs(likely[kind] - guesses.mean()))
reveal("01-errors-behind-the-mean", truth, because=because)

# %% [markdown]
# A squared error assumes that errors are Normal and all of one scale. With a scale $s_i$ for each
# person the best $\mu$ is a mean with weights $1/s_i^2$. Among errors that are *added*, with a
# density that does not depend on $\mu$, the Normal is the only one whose most likely value is the
# mean; Gauss found it that way. Noise that is not added may have the mean too, such as a Gamma of
# fixed shape $a$ and mean $\mu$:

# %%
for a in (2.0, 5.0):
    gamma = torch.distributions.Gamma(a, a / mu)  # mean mu
    total = gamma.log_prob(guesses[:, None]).sum(0)
    assert abs(mu[total.argmax()] - guesses.mean()) < 0.01

# %% [markdown]
# And if the noise model is wrong? Then the fit still ends somewhere definite: at the parameters
# whose density is nearest to the truth, in the sense of the KL divergence (unit 03).

# %% [markdown]
# ## Recap
#
# 1. A loss that is an NLL comes from a noise model: squared error from the Normal, absolute error
#    from Laplace, binary cross-entropy from the Bernoulli, cross-entropy from the Categorical.
# 2. The smallest mean squared error is the largest likelihood for Normal errors of one scale. It
#    estimates the mean under other noise too, but an outlier drags the mean, not the median.
# 3. Densities are per unit of $y$: an NLL may be negative. Sum logs, never multiply densities.
# 4. For labels, the derivative of the NLL with respect to a logit is $p - y$: the more wrong, the
#    larger. Hand logits to the loss, and apply sigmoid or softmax once.
# 5. The squared error holds no scale; the NLL does, and a scale that follows the noise is worth
#    nats.

# %% [markdown]
# ## Two interview questions
#
# *A network tells 10 kinds of clothes apart and is right 98 times in 100. Its training loss fell
# quickly to 1.5 nats and has not moved for hours. Where do you look first?*
#
# *A colleague converts all targets and predictions from metres to millimetres. The mean test NLL
# rises from −0.5 to 6.4 nats. Has the model become worse?*
#
# Think first. The cell belongs to the second: it computes the shift for residuals of any size.

# %% same=True
r, scale = torch.tensor([-0.4, 0.0, 1.3]), torch.tensor(0.3)  # metres
shift = normal_nll(1000 * r, 1000 * scale) - normal_nll(r, scale)
print("shift in nats:", " ".join(f"{value:.2f}" for value in shift))

# %% [markdown]
# <details><summary>The answers</summary>
#
# **The clothes.** Look at the last layer. Such an accuracy with a loss near 1.46 nats points to
# softmax twice: the network ends in a softmax, and the loss applies another one. Remove the first.
#
# **The millimetres.** No. A density per millimetre is a thousandth of a density per metre, so
# every NLL rises by log 1000 = 6.91 nats, whatever the model. The squared error would have grown a
# million times. An NLL means something only next to another one for the same targets in the same
# unit; such a difference does not depend on the unit.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 1.2.5 and 3.1: curve
#   fitting as maximum likelihood, and where the noise precision goes; section 4.3 for the
#   gradient of the cross-entropy.
# - S. J. D. Prince, *Understanding Deep Learning* (2023), chapter 5: the same recipe for many
#   kinds of network output.
# - K. L. Lange, R. J. A. Little and J. M. G. Taylor, "Robust statistical modeling using the t
#   distribution", *Journal of the American Statistical Association* (1989): Student-t noise as a
#   practical tool, degrees of freedom included.
# - T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation",
#   *Journal of the American Statistical Association* (2007): which losses ask for the truth, for
#   labels and for densities.
# - T.-Y. Lin and others, "Focal loss for dense object detection", *ICCV* (2017): why one might
#   want a loss that is no likelihood.
# %% [markdown]
# ## Your turn
#
# The assignment `01_loss_as_likelihood` has six exercises in code and one in words:
#
# 1. the Gaussian NLL, with a scale that is given or learned;
# 2. the maximum likelihood fit of a Laplace, location and scale;
# 3. binary cross-entropy from logits, finite however large they are;
# 4. the NLL of a label that is known as one of several;
# 5. the gradient of a cross-entropy of counts with respect to a batch of logits, by hand;
# 6. a training loss with bugs to find;
# 7. in words: two losses that cannot be compared.
