# %% [markdown]
# # Priors, MAP, and what weight decay means
#
# You train a linear model on 50 examples with the mean squared error and `torch.optim.SGD(...,
# weight_decay=0.3)`. The noise has standard deviation 0.7. "Weight decay is a Gaussian prior on
# the weights," says a colleague. **Which variance does this prior have?** Between the largest and
# the smallest of the answers below lies a factor of 100.

# %% [markdown]
# **After this lesson you can** turn a penalty into a prior and back with all factors right, for
# scikit-learn and for PyTorch's SGD, Adam and AdamW; say how the mode, the mean and the whole
# posterior differ; and choose the strength of a prior by evidence and by validation.
#
# **You need** lesson 01 (the negative log-likelihood of Normal and Laplace noise), matrices and
# their inverses, and the covariance of a multivariate Normal. Reading takes about 75 minutes with
# the code, 45 without it; running some 10 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Where a cell asks for a prediction, commit to one before you read on. Your first answer is kept,
# compared with the truth, and never graded.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import integrate, optimize, stats

from course_utils.data import dial, dial_mean, dial_oracle, dial_scale
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
    "04-variance-of-the-prior",
    ...,
    ask="weight_decay=0.3, 50 examples, noise of scale 0.7: the variance of the prior?",
    choices=("3.33, which is 1 / 0.3", "1.67, half of it", "0.065", "0.033"),
)

# %% [markdown]
# ## The tug of war, in two dimensions
#
# A *prior* says, before any data, which weights are plausible; the *likelihood* says which weights
# fit the data. Their product, scaled to integrate to one, is the *posterior*, and its highest
# point is the *MAP estimate* (maximum a posteriori). With two weights all three can be drawn. On a
# dashed ellipse every $w$ fits the data equally well; the dotted circles show the prior; the
# filled contours are the posterior.

# %%
truth = np.array([1.2, 0.6])
columns = numpy_rng(5).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 200)
answers = columns @ truth + numpy_rng(6).standard_normal(200)  # noise of scale 1
axis = np.linspace(-1.2, 2.9, 61)
W = np.stack(np.meshgrid(axis, axis))  # (2, 61, 61)
looks = {"least squares": "C1s", "prior mode": "C2^", "MAP": "C0o", "truth": "k*"}


def surfaces(prior_scale, n):  # minus log likelihood and prior over the plane, up to constants
    gram, moment = columns[:n].T @ columns[:n], columns[:n].T @ answers[:n]
    fit = 0.5 * np.einsum("iab,ij,jab->ab", W, gram, W) - np.einsum("i,iab->ab", moment, W)
    places = [np.linalg.solve(gram + p * np.eye(2), moment) for p in (0, prior_scale**-2)]
    return fit - fit.min(), 0.5 * (W**2).sum(0) / prior_scale**2, *places


# %% hide=True alt="Contours of likelihood, prior, posterior of two weights; MAP is off the line."
def draw_posterior(prior_scale=0.5, n=12):
    fit, prior, least_squares, best = surfaces(prior_scale, n)
    _, ax = plt.subplots(figsize=(6.2, 5.2))
    total = fit + prior - (fit + prior).min()
    ax.contourf(axis, axis, -total, levels=[-2, -0.5, 0.01], cmap="Blues", alpha=0.7, vmin=-4)
    ax.contour(axis, axis, fit, levels=[0.5, 2], colors="C1", linestyles="--")
    ax.contour(axis, axis, prior, levels=[0.5, 2], colors="C2", linestyles=":")
    places = least_squares, (0, 0), best, truth
    for (name, look), place in zip(looks.items(), places, strict=True):
        ax.plot(*place, look, markersize=10, markeredgecolor="white", label=name)
    far, moved = np.linalg.norm(least_squares), np.linalg.norm(best - least_squares)
    ax.plot(*np.outer(least_squares, [0, 1]), color="0.5", linewidth=1)
    title = f"MAP: {moved / far:.0%} of the way to zero, and not straight"
    ax.set(xlabel="$w_1$", ylabel="$w_2$", title=title)
    ax.set(aspect="equal", ylim=(-1.2, 2.4))
    ax.fill([], [], color="C0", alpha=0.4, label="posterior, 1 and 2 sd")
    ax.plot([], [], "C1--", label="likelihood, 1 and 2 sd")
    ax.plot([], [], "C2:", label="prior, 1 and 2 sd")
    ax.legend(loc="upper left", fontsize=8)


draw_posterior()

# %% [markdown]
# The MAP estimate does not lie on the straight line from least squares to zero, drawn in grey. The
# prior pulls everywhere; along the ellipse's long axis the data resist little, across it much. So
# along it the estimate gives way by a larger *share*:

# %%
fit, _, least_squares, best = surfaces(0.5, 12)
long, short = np.linalg.eigh(columns[:12].T @ columns[:12])[1].T  # flat and steep direction
for name, way in {"along": long, "across": short}.items():
    print(f"{name}: {1 - best @ way / (least_squares @ way):.0%} of least squares given up")

# %% [markdown]
# **Move `n`** to 200: do MAP and least squares agree by then? **Move `prior_scale`** to 0.1 and
# to 3: which of the two, likelihood or prior, does the posterior follow?

# %%
interactive(draw_posterior, prior_scale=(0.1, 3.0, 0.1), n=(3, 200, 1))

# %% [markdown]
# At 200 examples they nearly agree. The posterior follows whichever of the two is narrower: with
# 12 examples the prior at scale 0.1, the likelihood at 3.

# %% [markdown]
# ## What weight decay adds
#
# Start with the optimiser alone. A weight stands at $w = 3$, and the loss is constant, so its
# gradient is zero. You take one step of SGD with learning rate 1 and `weight_decay=0.1`.

# %%
predict(
    "04-one-step-of-decay", ..., ask="w after one step of SGD from w = 3, lr=1, weight_decay=0.1?"
)

# %% [markdown] fold="04-one-step-of-decay"
# ### One step

# %% [markdown]
# Tutorials write the penalty as $\lambda \sum_j w_j^2$, whose gradient is $2 \lambda w$. PyTorch
# does this:

# %%
w = torch.tensor([3.0], device=device, requires_grad=True)
w.grad = torch.zeros_like(w)
torch.optim.SGD([w], lr=1.0, weight_decay=0.1).step()
assert torch.isclose(w, torch.tensor(2.7, device=device))
because = {2.4: "That is a penalty without the half; PyTorch's has one."}
because |= {3: "The loss is constant, but the decay adds to its gradient."}
reveal("04-one-step-of-decay", w.item(), within=0.01, because=because)

# %% [markdown]
# It adds $0.1 \cdot w = 0.3$ to the gradient, so the penalty is $\frac{\lambda}{2} \sum_j w_j^2$,
# with a half. That is the first factor of two. The others come from the loss.

# %% [markdown]
# ## From a prior to a penalty
#
# Bayes' rule multiplies the prior $p(w)$ by the likelihood. With noise $N(0, \sigma^2)$, residuals
# $r_i = y_i - x_i \cdot w$ and a prior $N(0, \tau^2)$ for each weight:
#
# $$
# \begin{aligned}
# (1) \quad && p(w \mid y) &= p(y \mid w)\, p(w) / p(y) \\
# (2) \quad && -\log p(w \mid y) &= \frac{1}{2\sigma^2} \sum_i r_i^2
#   + \frac{1}{2\tau^2} \sum_j w_j^2 + \text{const} \\
# (3) \quad && -\frac{2\sigma^2}{n} \log p(w \mid y) &= \frac1n \sum_i r_i^2
#   + \frac{\sigma^2}{n \tau^2} \sum_j w_j^2 + \text{const} \\
# (4) \quad && \text{gradient of (3)} &= \text{gradient of the MSE}
#   + \frac{2 \sigma^2}{n \tau^2}\, w
# \end{aligned}
# $$
#
# (2) is minus the logarithm of (1): the NLL of lesson 01, *summed* over the data, minus the log
# prior. Each of the two has its own half, and the evidence $p(y)$, which does not depend on $w$,
# hides in the constant. (3) multiplies by $2 \sigma^2 / n$, because people train with the mean of
# the squared errors. In (4) the square gives a 2. The cell checks lines (2) and (3) against
# PyTorch's densities: whatever $w$ is, the difference must be the same constant.

# %%
n, sigma, tau = 50, 0.7, 0.4
rng = numpy_rng(0)
x = rng.standard_normal((n, 3))  # (50, 3)
y = x @ [1.5, -1.0, 0.5] + sigma * rng.standard_normal(n)  # (50,)
X, Y = torch.tensor(x, device=device), torch.tensor(y, device=device)


def neg_log_joint(w, tau):  # -log p(y | w) - log p(w), nats
    noise, prior = torch.distributions.Normal(X @ w, sigma), torch.distributions.Normal(0 * w, tau)
    return -noise.log_prob(Y).sum() - prior.log_prob(w).sum()


tries = torch.tensor(rng.standard_normal((5, 3)), device=device)
two = [((Y - X @ w) ** 2).sum() / (2 * sigma**2) + (w**2).sum() / (2 * tau**2) for w in tries]
three = [((Y - X @ w) ** 2).mean() + sigma**2 / (n * tau**2) * (w**2).sum() for w in tries]
exact = torch.stack([neg_log_joint(w, tau) for w in tries])
assert (torch.stack(two) - exact).std() < 1e-6
assert (torch.stack(three) - exact * 2 * sigma**2 / n).std() < 1e-6

# %% [markdown]
# PyTorch's `weight_decay` $\lambda$ is the factor of $w$ in line (4). Read backwards, it names a
# prior: $\tau^2 = 2 \sigma^2 / (n \lambda)$. The end of the lesson tests that on the opening
# question.

# %% [markdown] card="04-prior-of-a-weight-decay"
# PyTorch's weight decay λ beside the mean squared error of n examples with noise variance σ²:
# which prior variance τ² does it claim?
#
# **Answer.** τ² = 2σ²/(nλ). The penalty has its own half; the factor of n is there because the
# loss is a mean, and that of 2σ² because it is no NLL.

# %% [markdown]
# ## Twice the data
#
# You collect as much data again and keep `weight_decay=0.3` and the mean loss. To be exact, let
# each example occur twice, so that least squares itself does not move.

# %%
predict(
    "04-twice-the-data",
    ...,
    ask="The distance between the trained weights and least squares, after doubling the data?",
    choices=("halves", "stays", "doubles"),
)

# %% [markdown] fold="04-twice-the-data"
# ### Solve for the place

# %% [markdown]
# SGD rests where line (4) is zero. Times $n/2$, that is $(X^\top X + \alpha I)\, w = X^\top y$,
# with $\alpha = n \lambda / 2 = \sigma^2 / \tau^2$. Solve it once with the weight decay $\lambda$
# kept and once with the prior kept, for data that are repeated 1, 2, 4, 8 and 16 times:

# %% same=True
gram, moment, variance = x.T @ x, x.T @ y, 2 * sigma**2 / (n * 0.3)
free = np.linalg.solve(gram, moment)  # least squares
repeats, kept_decay, kept_prior = [1, 2, 4, 8, 16], [], []
for copies in repeats:
    a, b, m = copies * gram, copies * moment, copies * n
    for alpha, kept in ((m * 0.3 / 2, kept_decay), (sigma**2 / variance, kept_prior)):
        kept.append(np.linalg.norm(np.linalg.solve(a + alpha * np.eye(3), b) - free))
print("weight decay kept:", " ".join(f"{d:.3f}" for d in kept_decay))
print("prior kept:       ", " ".join(f"{d:.3f}" for d in kept_prior))
assert np.ptp(kept_decay) < 1e-9 and 1.7 < kept_prior[0] / kept_prior[1] < 2
because = {"halves": "So it would be with the prior kept."}
reveal("04-twice-the-data", "stays", because=because)

# %% [markdown]
# The same numbers as a picture:

# %% hide=True alt="Distance to least squares: flat with decay kept, falling with the prior kept."
ax = plot_curve(n * np.array(repeats), kept_decay, marker="o", label="weight_decay kept at 0.3")
plot_curve(n * np.array(repeats), kept_prior, ax=ax, marker="s", label="prior kept")
ax.set(xlabel="examples n (log scale)", ylabel="distance to least squares", xscale="log")
ax.set(ylim=(0, 0.5), title="A fixed weight decay is a prior that hardens as data come in")
ax.set_xticks(n * np.array(repeats), [str(n * r) for r in repeats], minor=False)
ax.minorticks_off()
_ = ax.legend(loc="lower left")

# %% [markdown]
# With the prior kept, the data outvote it, as they should: twice the data, about half the pull.
# With the weight decay kept, nothing moves: the prior has become narrower at the pace at which the
# data came in. A weight decay that was tuned on a tenth of the data is ten times too strong, as a
# prior, on all of them.

# %% [markdown] card="04-more-data-same-decay"
# You keep the weight decay and the mean loss, and double the data. What happens to the prior that
# it stands for?
#
# **Answer.** It narrows: its variance halves, and the pull on the weights stays what it was. With
# the prior kept, the data would outvote it: about half the pull.

# %% [markdown]
# ## The same prior in scikit-learn
#
# Every library has its own convention. `Ridge(alpha)` minimises $\sum_i r_i^2 + \alpha \sum_j
# w_j^2$, a sum and no half. `Lasso(alpha)` minimises $\frac{1}{2n} \sum_i r_i^2 + \alpha \sum_j
# |w_j|$, a mean and a half. The Lasso's penalty belongs to the Laplace prior $\frac{1}{2b}
# e^{-|w|/b}$, whose negative logarithm is $|w|/b$ and a constant. Multiply line (2), with the
# prior that fits, by $2\sigma^2$ or by $\sigma^2/n$, and read off the strength:
#
# | prior | scikit-learn | its strength |
# | --- | --- | --- |
# | $w_j \sim N(0, \tau^2)$ | `Ridge` | $\alpha = \sigma^2 / \tau^2$ |
# | $w_j \sim \text{Laplace}(0, b)$ | `Lasso` | $\alpha = \sigma^2 / (n b)$ |
#
# So the same `alpha` means unrelated things in the two, and a table that puts `Ridge(alpha=1)`
# beside `Lasso(alpha=1)` compares nothing. ("MSE plus $\lambda \sum_j |w_j|$ is a Laplace prior of
# scale $1/\lambda$", another common sentence, forgets the noise and the number of data: the scale
# is $2\sigma^2/(n\lambda)$.)
#
# The cell holds both formulas against the negative log posterior: by its gradient for Ridge, and
# for Lasso by a general optimiser that sees each weight as a difference of two parts that cannot
# be negative, so that no kink is left.

# %%
from sklearn.linear_model import BayesianRidge, Lasso, LinearRegression, Ridge

tau, b = 0.4, 0.05
fitted = Ridge(alpha=sigma**2 / tau**2, fit_intercept=False, tol=1e-12).fit(x, y).coef_
at = torch.tensor(fitted, device=device, requires_grad=True)
(slope,) = torch.autograd.grad(neg_log_joint(at, tau), at)
assert slope.abs().max() < 1e-6
sparse = Lasso(alpha=sigma**2 / (n * b), fit_intercept=False, tol=1e-12).fit(x, y).coef_


def split_joint(parts):  # parts: positive and negative part of each weight
    return ((y - x @ (parts[:3] - parts[3:])) ** 2).sum() / (2 * sigma**2) + parts.sum() / b


free_fit = optimize.minimize(split_joint, np.ones(6), bounds=[(0, None)] * 6, tol=1e-13)
assert np.abs(free_fit.x[:3] - free_fit.x[3:] - sparse).max() < 1e-4

# %% [markdown]
# Two more things hide in a prior that is centred at zero and equally wide for all weights. An
# intercept should not be pulled towards zero: nobody believes that temperatures in kelvin are
# near zero. And "equally wide" depends on the units of the inputs. Shift $y$ by 100, and measure
# one input in millimetres instead of centimetres; how far do slopes or predictions move?

# %% same=True
model = Ridge(alpha=5.0)  # leaves its intercept out of the penalty
shift = model.fit(x, y + 100).coef_ - model.fit(x, y).coef_
ones = np.column_stack([x, np.ones(n)])  # the intercept as one more penalised weight
naive = np.linalg.solve(ones.T @ ones + 5.0 * np.eye(4), ones.T @ np.stack([y, y + 100], 1))
print(f"slopes after y + 100: {abs(shift).max():.2f} by Ridge, ", end="")
print(f"{abs(naive[:3, 1] - naive[:3, 0]).max():.2f} with the intercept penalised")
units = x * [1, 10, 1]
change = model.fit(units, y).predict(units) - model.fit(x, y).predict(x)
print(f"predictions after new units: up to {abs(change).max():.2f}")
assert abs(shift).max() < 1e-9

# %% [markdown]
# Ridge's slopes stay, because it leaves the intercept free. A penalty on every parameter moves the
# slopes when only the origin of $y$ has changed; PyTorch's optimisers do just that, biases
# included, unless you give them parameter groups. And a change of units is a change of prior:
# standardise the inputs, or say what the prior's scale is measured in.

# %% [markdown] card="04-alpha-of-ridge"
# What does `Ridge(alpha)` claim about the weights, and why does the same alpha mean something else
# in `Lasso`?
#
# **Answer.** alpha = σ²/τ²: Ridge minimises the sum of the squared residuals. Lasso takes half of
# their mean, so there alpha = σ²/(nb) for a Laplace prior of scale b.

# %% [markdown]
# ## Adam, and AdamW
#
# `Adam(weight_decay=...)` adds $\lambda w$ to the gradient $g$ as SGD does; `AdamW` shrinks the
# weight directly. But for the averaging of $g$ over steps, and with learning rate $\eta$:
#
# $$\text{Adam:}\;\; w \leftarrow w - \eta\, (g + \lambda w) / \sqrt v \qquad
#   \text{AdamW:}\;\; w \leftarrow w - \eta\, (g / \sqrt v + \lambda w)$$
#
# $\sqrt v$ is the running root mean square of what stands above it. Take the loss
# $\frac12 (w - 1)^2$ in nats, whose MAP under weight decay 0.5 is $1 / (1 + 0.5)$, about 0.667.
# The gradient comes with noise of standard deviation 3, as it would from small batches.

# %%
predict(
    "04-where-adamw-rests", ..., ask="Average w under AdamW, weight_decay=0.5, gradient noise 3?"
)

# %% [markdown] fold="04-where-adamw-rests"
# ### Where they rest

# %% [markdown]
# Five weights run side by side, each with its own amount of gradient noise; these optimisers treat
# every weight by itself. Each has a twin with the opposite noise, so that luck cancels. Average
# over the twins and over the second half of the run:

# %%
noise = torch.tensor([0.0, 0.3, 1.0, 2.0, 3.0], dtype=torch.float64, device=device)
jitter = torch.randn(2400, 5, generator=torch_generator(0), dtype=torch.float64).to(device)
shocks = torch.cat([noise * jitter, -noise * jitter], dim=1)  # (2400, 10)
rest = {}
for kind in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
    w = torch.zeros(10, dtype=torch.float64, device=device, requires_grad=True)
    optimizer, total = kind([w], lr=0.01, weight_decay=0.5), torch.zeros_like(w)
    for step in range(2400):
        w.grad = (w.detach() - 1) + shocks[step]
        optimizer.step()
        if step >= 1200:
            total += w.detach()
    rest[kind.__name__] = (total / 1200).reshape(2, 5).mean(0).cpu().numpy()

# %% [markdown]
# What AdamW does can be predicted. It rests where the average of its bracket, $g / \sqrt v +
# \lambda w$, is zero. If the noise dominates the gradient, $\sqrt v$ is its standard deviation
# $s$, and $g$ averages $w - 1$: so $w = 1 / (1 + \lambda s)$.

# %% hide=True alt="Resting place over gradient noise: SGD, Adam at 0.67, AdamW falls below 0.4."
scale = noise.cpu().numpy()
ax = plot_oracle([0, 3.2], [1 / 1.5] * 2, label="MAP")
for (name, place), marker in zip(rest.items(), "so^", strict=True):
    plot_data(scale, place, ax=ax, label=name, marker=marker, markersize=8, color=None)
curve = np.linspace(0.2, 3.2, 50)
plot_curve(curve, 1 / (1 + 0.5 * curve), ax=ax, color="C2", linewidth=1.2, label="1 / (1 + λ s)")
ax.set(xlabel="standard deviation s of the gradient noise", ylabel="average w", ylim=(0.3, 1))
ax.set_title("SGD and Adam rest at the MAP; AdamW moves with the noise")
_ = ax.legend(loc="upper right", ncol=2)

# %% [markdown]
# SGD and Adam rest at the MAP, however strong this noise is: it is symmetric and does not depend
# on $w$. AdamW follows the curve: with little noise it hardly shrinks at all, with much noise far
# more than the prior asks for. That the curve meets the MAP at $s = 1$ is a coincidence: there
# $\sqrt v$ is 1.

# %%
for name in ("SGD", "Adam"):
    assert abs(rest[name][0] - 1 / 1.5) < 1e-6 and abs(rest[name] - 1 / 1.5).max() < 0.001
assert abs(rest["AdamW"][2:] - 1 / (1 + 0.5 * scale[2:])).max() < 0.02 and rest["AdamW"][0] > 0.85
because = {0.667: "There SGD and Adam rest; AdamW's decay is not divided by the root of v."}
reveal("04-where-adamw-rests", round(rest["AdamW"][4], 2), within=0.05, because=because)

# %% [markdown]
# So AdamW's weight decay is a useful knob, but not this prior: what it means depends on the batch
# size and on how far the training has come. (Other readings make AdamW Bayesian in another sense,
# as a filter that tracks a drifting optimum; see Aitchison below.) "Weight decay is a Gaussian
# prior" holds for SGD and for `Adam(weight_decay=...)` where they rest, under noise like that
# above; where the noise is skewed or changes with $w$, Adam may shift a little.

# %% [markdown] card="04-what-adamw-means"
# SGD with weight decay rests at the MAP. Does AdamW?
#
# **Answer.** No. It does not divide the decay by the running root mean square of the gradient, so
# where it rests depends on the gradient's noise: the batch size, how far training has come.

# %% [markdown]
# ## Sparse: the kink, not the tail
#
# "The Laplace prior gives high probability to weights of exactly zero, because its tails are
# heavy." Both halves of this sentence are wrong. Take one weight, one observation $y = 0.3$ of it
# with noise of scale 1, and three priors of scale 1: Normal, Laplace, and Cauchy, whose tails are
# the heaviest of the three.

# %% same=True
priors = {"Normal": stats.norm(), "Laplace": stats.laplace(), "Cauchy": stats.cauchy()}
grid, modes = np.linspace(-1, 1.5, 2501), {}


def integral(prior, weight=lambda w: 1.0, end=12):  # of likelihood times prior times weight
    def product(w):
        return weight(w) * stats.norm.pdf(0.3, w) * prior.pdf(w)

    return integrate.quad(product, -end, end, points=[0])[0]


for name, prior in priors.items():
    modes[name] = grid[(stats.norm.pdf(0.3, grid) * prior.pdf(grid)).argmax()]
    mean = integral(prior, lambda w: w) / integral(prior)
    near = integral(prior, end=1e-3) / integral(prior)
    print(f"{name:8s} mode {modes[name]:.2f}  mean {mean:.3f}  P(|w| < 0.001) = {near:.4f}")

# %% [markdown]
# The three negative log posteriors, each drawn above its own minimum:

# %% hide=True alt="Negative log posteriors: only Laplace has a kink at 0, and its minimum there."
for name, prior in priors.items():
    height = -stats.norm.logpdf(0.3, grid) - prior.logpdf(grid)
    ax = plot_curve(grid, height - height.min(), label=f"{name}: mode at {modes[name]:.2f}")
for color, mode in zip(("C0", "C1", "C2"), modes.values(), strict=True):
    ax.plot(mode, 0, "o", color=color, markersize=9, markeredgecolor="white", clip_on=False)
ax.axvline(0.3, color="0.5", linewidth=1)
ax.text(0.31, 1.05, "observation", color="0.35")
ax.set(xlabel="weight w", ylabel="above the minimum (nats)", ylim=(-0.05, 1.2), xlim=(-1, 2.5))
ax.set_title("Only the kink holds the mode at zero")
_ = ax.legend(loc="center right")

# %% [markdown]
# Only the Laplace posterior has its mode at exactly zero: there the slope of minus the log prior
# jumps from −1 to 1, the data pull with 0.3 only, and so the sum changes its sign at the kink. The
# Cauchy's tails are heavier, and its mode is 0.10. But the *probability* of a zero weight is zero
# under all three, since a density gives no probability to a point, and even the interval of ±0.001
# holds 0.0015 only. The mean of the Laplace posterior is 0.143, nearly that of the Normal: zeros
# are a property of the mode, and of nothing else in the posterior.

# %% [markdown] card="04-where-zeros-come-from"
# Why does an L1 penalty make exact zeros? Does the Laplace posterior give a zero weight some
# probability?
#
# **Answer.** Because of the kink of minus the log prior at zero, which holds the mode there. No: a
# density gives no probability to a point, and the posterior mean is not sparse.

# %% [markdown]
# ## L1 by gradient
#
# So one adds $\sum_j |w_j| / b$ to the loss and trains with Adam. There are 20 weights, 17 of them
# truly zero, and on the data below scikit-learn's Lasso with $\alpha = \sigma^2/(nb)$ finds
# all 17.

# %%
predict(
    "04-zeros-by-adam", ..., ask="How many of the 20 weights are exactly zero after L1 and Adam?"
)

# %% [markdown] fold="04-zeros-by-adam"
# ### Count them

# %% [markdown]
# The same loss for both, the sum of line (2) with the Laplace prior:

# %%
n, b, sigma = 60, 0.03, 0.5
x = numpy_rng(0).standard_normal((n, 20))
y = x[:, :3] @ [2.0, -1.5, 1.0] + sigma * numpy_rng(1).standard_normal(n)
lasso = Lasso(alpha=sigma**2 / (n * b), fit_intercept=False, tol=1e-10).fit(x, y)
X, Y = torch.tensor(x, device=device), torch.tensor(y, device=device)
w = torch.zeros(20, dtype=torch.float64, device=device, requires_grad=True)
optimizer = torch.optim.Adam([w], lr=0.02)
for _ in range(800):
    optimizer.zero_grad()
    (((Y - X @ w) ** 2).sum() / (2 * sigma**2) + w.abs().sum() / b).backward()
    optimizer.step()
zeros = {"Lasso": int((lasso.coef_ == 0).sum()), "L1 and Adam": int((w == 0).sum())}

# %% [markdown]
# The answer, and how close to the Lasso's weights Adam came:

# %%
apart = np.abs(w.detach().cpu().numpy() - lasso.coef_).max()
smallest = w.detach().abs().min().item()
print(f"exact zeros: {zeros}; largest difference {apart:.3f}, smallest |w| by Adam {smallest:.0e}")
assert zeros == {"Lasso": 17, "L1 and Adam": 0} and lasso.coef_[:3].all() and apart < 0.02
because = {17: "The minimum has 17, but a gradient step does not land on a point."}
reveal("04-zeros-by-adam", zeros["L1 and Adam"], because=because)

# %% [markdown]
# None. Adam comes within 0.02 of every weight and then steps to and fro across the kink: a
# gradient step does not land on a point. Exact zeros need a step that knows the kink, such as the
# Lasso's coordinate descent, or the *proximal* step of exercise 3. Counting weights below a
# threshold instead introduces an arbitrary threshold.

# %% [markdown] card="04-l1-by-gradient"
# You add an L1 penalty and train with Adam. How many weights are exactly zero, and what would
# change that?
#
# **Answer.** None: a gradient step does not land on a point, it goes to and fro across the kink. A
# step that knows the kink does: coordinate descent, or a proximal step.

# %% [markdown]
# ## The mode depends on the ruler
#
# A coin shows 3 heads in 3 throws. With the prior Beta(2, 2) for its probability of heads
# $\theta$, the posterior is Beta(5, 2). Its mode is 0.8. A network would predict the logit
# $z = \log \frac{\theta}{1 - \theta}$ instead. Densities are per unit of their variable, so the
# density of $z$ is that of $\theta$ times $d\theta/dz = \theta (1 - \theta)$.

# %%
predict("04-mode-of-the-logit", ..., ask="The theta that belongs to the mode of the density of z?")

# %% [markdown] fold="04-mode-of-the-logit"
# ### Both densities

# %% [markdown]
# Both densities, from scipy, with their modes by search:

# %%
posterior = stats.beta(5, 2)
theta, z = np.linspace(0.001, 0.999, 999), np.linspace(-3, 6, 9001)
sigmoid = 1 / (1 + np.exp(-z))
over_z = posterior.pdf(sigmoid) * sigmoid * (1 - sigmoid)
assert abs(integrate.trapezoid(over_z, z) - 1) < 1e-3
best, best_z = theta[posterior.pdf(theta).argmax()], z[over_z.argmax()]

# %% hide=True alt="The posterior over theta has its mode at 0.80; over the logit, at theta 0.71."
_, (left, right) = plt.subplots(1, 2)
plot_curve(theta, posterior.pdf(theta), ax=left)
left.set(xlabel="θ", ylabel="density per unit of θ", ylim=(0, None))
left.set_title(f"Mode: θ = {best:.2f}")
left.axvline(best, color="0.5", linewidth=1)
plot_curve(z, over_z, ax=right, color="C1")
right.axvline(best_z, color="0.5", linewidth=1)
right.set(xlabel="z = logit of θ", ylabel="density per unit of z", ylim=(0, None))
_ = right.set_title(f"Mode: z = {best_z:.2f}, so θ = {1 / (1 + np.exp(-best_z)):.2f}")

# %% [markdown]
# The two describe one and the same belief: the probability of every event is the same in both. The
# modes are not the same. Nor are the means: the mean of $\theta$, and the $\theta$ that belongs to
# the mean of $z$:

# %% same=True
above = integrate.trapezoid(over_z[z >= 0], z[z >= 0])
print(f"P(θ > 0.5): {posterior.sf(0.5):.2f} over θ, {above:.2f} over z")
mean_z = integrate.trapezoid(z * over_z, z)
print(f"mean of θ: {posterior.mean():.3f}, θ of the mean of z: {1 / (1 + np.exp(-mean_z)):.3f}")
because = {0.8: "That is the mode over θ; the density of z has the factor θ (1 - θ) besides."}
reveal("04-mode-of-the-logit", round(1 / (1 + np.exp(-best_z)), 3), within=0.02, because=because)

# %% [markdown]
# Over the logit the mode falls from 0.8 to 0.714, which for a Beta is also the mean of $\theta$.
# So "MAP" is no property of prior and data alone: it needs a ruler, a choice of parametrisation.
# Means need one as well. Probabilities of events, quantiles and predictions do not. With much data
# the difference disappears, because the posterior becomes narrow on every ruler.

# %% [markdown] card="04-ruler-of-the-mode"
# Which of these change if a rate is described by its logit: the mode, the mean, a quantile, the
# probability of an event?
#
# **Answer.** The mode and the mean: each needs a ruler. Quantiles and probabilities of events do
# not change, nor do predictions.

# %% [markdown]
# ## Mode, mean or median?
#
# It depends on what an error costs. Take the posterior Beta(5, 2) and report one number $a$ for
# $\theta$. Which $a$ has the smallest expected loss?

# %% same=True
density = posterior.pdf(theta) * (theta[1] - theta[0])  # (999,) probabilities of a fine grid
gap = theta[:, None] - theta  # reports, truths
costs = {
    "squared error": gap**2,
    "absolute error": abs(gap),
    "0 within 0.01, else 1": abs(gap) > 0.0105,
}
for name, cost in costs.items():
    print(f"{name:22s} smallest at {theta[(cost @ density).argmin()]:.2f}")
print(f"mean {posterior.mean():.2f}, median {posterior.median():.2f}, mode 0.80")

# %% [markdown]
# The mean for squared errors, the median for absolute errors, and the mode only where every miss
# costs the same, however far. ([Unit
# 02](02_output_distributions.ipynb#One-prediction,-four-actions) goes on from there.) It is the
# answer to "mode or mean?", and the reason to keep the whole posterior: it serves every loss.

# %% [markdown]
# ## The whole posterior
#
# For linear models with Normal noise and prior nothing needs to be approximated. Line (2) is
# quadratic in $w$, so the posterior is Normal, and completing the square gives
#
# $$
# \begin{aligned}
# (5) \quad && S^{-1} &= X^\top X / \sigma^2 + I / \tau^2 \\
# (6) \quad && m &= S\, X^\top y / \sigma^2 \\
# (7) \quad && f(x) &\sim N(x \cdot m,\; x^\top S\, x) \\
# (8) \quad && y(x) &\sim N(x \cdot m,\; x^\top S\, x + \sigma^2)
# \end{aligned}
# $$
#
# $m$ is mean and mode, and the ridge estimate. What MAP throws away is $S$: how sure the data made
# us. (7) is the uncertainty about the function, (8) adds the noise of a new observation.
#
# scikit-learn's `BayesianRidge` computes this, and moreover estimates $\sigma$ and $\tau$ from the
# data. It reports precisions, `alpha_` for $1/\sigma^2$ and `lambda_` for $1/\tau^2$; note that
# *its* alpha is another one than Ridge's. We use it on the dial of lesson 01, one input with a
# curved mean and noise that grows to the right, with 12 bumps as features, and hold lines (5) and
# (6) against it.


# %%
def bumps(x):  # (q,) -> (q, 12)
    return np.exp(-0.5 * ((x[:, None] - np.linspace(-2, 2, 12)) / 0.4) ** 2)


x, y = dial(25, rng=numpy_rng(2))
features = bumps(x)
auto = BayesianRidge(fit_intercept=False, tol=1e-10, max_iter=3000).fit(features, y)
cov = np.linalg.inv(features.T @ features * auto.alpha_ + auto.lambda_ * np.eye(12))
assert np.allclose(cov, auto.sigma_, atol=1e-6)
assert np.allclose(cov @ features.T @ y * auto.alpha_, auto.coef_, atol=1e-6)
print(f"sigma {auto.alpha_**-0.5:.2f}, tau {auto.lambda_**-0.5:.2f}")

# %% [markdown]
# The models of this lesson have one noise scale for all $x$: give them the best one, the root mean
# square of the true scale, and $\tau = 0.8$, as `BayesianRidge` just estimated; the next two
# sections look at this choice. The wide band is line (8), the narrow one line (7), both at level
# 0.9.

# %%
sigma, tau = np.sqrt((dial_scale(np.linspace(-2, 2, 2001)) ** 2).mean()), 0.8
S = np.linalg.inv(features.T @ features / sigma**2 + np.eye(12) / tau**2)
m = S @ features.T @ y / sigma**2
line, (xt, yt) = np.linspace(-2, 2, 301), dial(20_000, rng=numpy_rng(9))
B, T = bumps(line), bumps(xt)
sd_f, sd_y, sd_t = (
    np.sqrt(((A @ S) * A).sum(1) + v) for A, v in ((B, 0), (B, sigma**2), (T, sigma**2))
)
held = (abs(yt - T @ m) < 1.645 * sd_t).mean()

# %% [markdown]
# The title says how many of 20 000 fresh points the band for $y$ holds:

# %% hide=True alt="Dial data, posterior mean, bands for f and y that widen where points are few."
ax = plot_band(line, B @ m - 1.645 * sd_y, B @ m + 1.645 * sd_y, contains="y", level=0.9)
plot_band(line, B @ m - 1.645 * sd_f, B @ m + 1.645 * sd_f, contains="f", level=0.9, ax=ax)
plot_oracle(line, dial_mean(line), ax=ax, label="true mean")
plot_curve(line, B @ m, ax=ax, color="C1", label="posterior mean")
plot_data(x, y, ax=ax)
ax.set(xlabel="x", ylabel="y", ylim=(-2.6, 1.9))
ax.set_title(f"The 0.9 band for y holds {held:.2f} of fresh points")
_ = ax.legend(loc="lower center", ncol=3)

# %% [markdown]
# Both bands widen where points are few, at the ends most of all. On the left the band for $y$ is
# too wide and on the right too narrow, the price of a single $\sigma$. And where twelve bumps
# cannot follow the wave, or the prior holds them back, the narrow band misses the true mean: 0.9
# is promised on average over what the model thinks possible, not for this truth.
#
# How good is it on fresh data? Write the table of lesson 01 for least squares, for MAP with the
# noise as its only uncertainty (the "plug-in" prediction), and for the whole posterior. The last
# rows have the true mean: with the same single scale, and, the oracle, with the true one. Lower is
# better for the NLL in nats and for the *CRPS*, which scores a distribution in units of $y$.

# %%
free = np.linalg.lstsq(features, y, rcond=None)[0]
rows = {
    "least squares": (T @ free, sigma),
    "MAP, plug-in": (T @ m, sigma),
    "whole posterior": (T @ m, sd_t),
    "true mean": (dial_mean(xt), sigma),
}

# %% [markdown]
# The CRPS of a Normal has a closed form, so no draws are needed:


# %%
def scores(y, mean, sd):  # of Normals: mean NLL and CRPS, and the coverage of the 0.90 interval
    q = (y - mean) / sd
    crps = sd * (q * (2 * stats.norm.cdf(q) - 1) + 2 * stats.norm.pdf(q) - np.pi**-0.5)
    nll = -stats.norm(mean, sd).logpdf(y)
    return np.array([nll.mean(), crps.mean(), (abs(q) < 1.645).mean()])


# %% [markdown]
# The width is that of the 0.90 interval.

# %% same=True
print("                   NLL   CRPS  coverage  width")
for name, (mean, sd) in rows.items():
    nll, crps, held = scores(yt, mean, sd)
    print(f"{name:16s} {nll:5.2f} {crps:6.3f} {held:9.3f} {3.29 * np.mean(sd):6.2f}")
nll, crps, level, width = dial_oracle(level=0.9)
print(f"{'oracle':16s} {nll:5.2f} {crps:6.3f} {level:9.3f} {width:6.2f}")

# %% [markdown]
# The whole posterior has the same mean as MAP, and differs only in its width. On this training set
# it wins on NLL and loses a little on CRPS. What of that holds on others? Ten training sets of 25
# points, each scored on its own 20 000 fresh ones:


# %%
def plug_in_and_whole(seed, fresh=20_000, sigma=sigma, tau=tau):  # rows: as in the table
    rng = numpy_rng(seed)
    (x, y), (xt, yt) = dial(25, rng=rng), dial(fresh, rng=rng)
    F, T = bumps(x), bumps(xt)
    S = np.linalg.inv(F.T @ F / sigma**2 + np.eye(12) / tau**2)
    mean, wide = T @ S @ F.T @ y / sigma**2, np.sqrt(((T @ S) * T).sum(1) + sigma**2)
    free = T @ np.linalg.lstsq(F, y, rcond=None)[0]
    three = (free, sigma), (mean, sigma), (mean, wide)
    return np.stack([scores(yt, *pair) for pair in three])


# %% [markdown]
# Means over the ten, and on how many of them the prior beats least squares, and the whole
# posterior the plug-in:

# %%
sets = np.stack([plug_in_and_whole(seed) for seed in range(10)])  # (10, 3, 3)
names = "least squares", "plug-in", "whole"
for name, (nll, crps, level) in zip(names, sets.mean(0), strict=True):
    print(f"{name:14s} NLL {nll:5.2f}  CRPS {crps:.3f}  coverage {level:.2f}")
losses = np.concatenate([sets[..., :2], abs(sets[..., 2:] - 0.9)], axis=2)
for name, wins in zip(("prior", "whole"), (losses[:, 1:] < losses[:, :2]).sum(0), strict=True):
    print(f"{name} better on: NLL {wins[0]}, CRPS {wins[1]}, coverage {wins[2]} of 10 sets")
print(f"CRPS, whole posterior minus plug-in: {(sets[:, 2] - sets[:, 1]).mean(0)[1]:.3f}")

# %% [markdown]
# Two things hold on every set: the prior saves what least squares loses with 12 weights and 25
# points, and the whole posterior comes closer to the promised coverage. Its NLL is lower on 7 of
# 10, its CRPS slightly worse on 8, by 0.002 in the mean.
#
# Both are *claims*: functions that `make robustness` calls for ten seeds and at three times the
# `steps`, here the number of fresh points. A value above 0 says that the claim holds.


# %% claim="The whole posterior's coverage is nearer to 0.9 than the plug-in's." steps=20000
def whole_covers_better(seed, steps):
    _, plug_in, whole = plug_in_and_whole(seed, steps)[:, 2]
    return abs(plug_in - 0.9) - abs(whole - 0.9)


# %% [markdown]
# And the prior itself, by the ratio of the CRPS, as least squares now and then explodes:


# %% claim="The prior lowers the CRPS of 12 weights fitted to 25 points." steps=20000
def prior_helps(seed, steps):
    free, plug_in, _ = plug_in_and_whole(seed, steps)[:, 1]
    return np.log(free / plug_in)


assert whole_covers_better(0, 20_000) > 0 and prior_helps(0, 20_000) > 0

# %% [markdown]
# ## A prior in pictures
#
# Is $\tau = 0.8$ a sensible prior for these bumps? Ask what it expects *before* any data, by
# drawing weights and looking at the functions:

# %% hide=True alt="Functions from priors with tau 0.1, 0.8 and 10: nearly flat, wavy, up to tens."
_, axes = plt.subplots(1, 3, figsize=(9, 3))
verdicts = {0.1: "too flat", 0.8: "about right", 10.0: "far too wild"}
for ax, (scale, verdict) in zip(axes, verdicts.items(), strict=True):
    for w in numpy_rng(7).standard_normal((12, 12)):
        plot_curve(line, scale * B @ w, ax=ax, color="C0", linewidth=0.9)
    ax.axhspan(-1, 1, color="0.9", zorder=0)
    ax.set(xlabel="x", title=f"τ = {scale:g}: {verdict}")
axes[0].set_ylabel("f(x), before any data")
_ = axes[1].set_ylim(-3, 3)

# %% [markdown]
# The grey stripe is where the true mean lives. With $\tau = 0.1$ nothing in the prior reaches its
# edge; with $\tau = 10$ most functions leave it by far. Such *prior predictive* draws need no data
# and catch gross mistakes. For the rest there is the evidence.

# %% [markdown]
# ## Choosing the prior by evidence
#
# Where does $\tau$ come from? The *evidence* $p(y \mid \tau)$ hides in the constant of line (2):
# it does not depend on $w$, but it does on $\tau$. It is the density that the prior gave to the
# data before they were seen. The product rule of probability takes it apart without any integral:
#
# $$\log p(y \mid \tau) = \sum_i \log p(y_i \mid y_1, \dots, y_{i-1}, \tau)$$
#
# Each term is a prediction (8), by the posterior of all points before. So the evidence is an
# honest score: every point is predicted before it is used. Validation does nearly the same, and
# predicts each fold from all the others.


# %%
def predictive_nll(train, targets, new, new_targets, tau):  # nats, one per new point
    S = np.linalg.inv(train.T @ train / sigma**2 + np.eye(train.shape[1]) / tau**2)
    r = new_targets - new @ S @ train.T @ targets / sigma**2
    v = ((new @ S) * new).sum(1) + sigma**2  # line (8)
    return 0.5 * (np.log(2 * np.pi * v) + r**2 / v)


taus, fold = np.geomspace(0.1, 30, 26), np.arange(25) % 5
log_evidence, validation, test = np.zeros((3, 26))
for t, tau in enumerate(taus):
    for i in range(25):
        one = slice(i, i + 1)
        log_evidence[t] -= predictive_nll(features[:i], y[:i], features[one], y[one], tau)[0]
    for k in range(5):
        parts = features[fold != k], y[fold != k], features[fold == k], y[fold == k]
        validation[t] += predictive_nll(*parts, tau).sum() / 25
    test[t] = predictive_nll(features, y, T, yt, tau).mean()

# %% [markdown]
# As a check, the order of the points must not matter, and for one feature the integral over the
# weight can be done by quadrature:

# %%
one = features[:, 5:6]
chain = -sum(
    predictive_nll(one[:i], y[:i], one[i : i + 1], y[i : i + 1], 0.8)[0] for i in range(25)
)
back = -sum(
    predictive_nll(one[i:], y[i:], one[i - 1 : i], y[i - 1 : i], 0.8)[0] for i in range(25, 0, -1)
)


def joint(w):  # over the evidence: a density of w, if the evidence is right
    exponent = ((y - one[:, 0] * w) ** 2).sum() / sigma**2 + w**2 / 0.8**2
    scales = 25 * np.log(sigma) + np.log(0.8) + 13 * np.log(2 * np.pi)
    return np.exp(-0.5 * exponent - scales - chain)


assert abs(chain - back) < 1e-9
assert abs(integrate.quad(joint, -4, 4, points=[0])[0] - 1) < 1e-6

# %% [markdown]
# The three curves, with the best $\tau$ of each:

# %%
place = {"evidence": log_evidence.argmax(), "validation": validation.argmin()}
place["fresh data"] = test.argmin()
best = {name: taus[i] for name, i in place.items()}

# %% [markdown]
# The log evidence stands on the left, both NLLs on the right:

# %% hide=True alt="Left: log evidence, largest near 0.8. Right: validation and test NLL over tau."
_, (left, right) = plt.subplots(1, 2)
plot_curve(taus, log_evidence, ax=left)
left.plot(best["evidence"], log_evidence.max(), "o", color="C0", markersize=9)
left.set(title=f"Evidence: τ = {best['evidence']:.2f}", ylabel="log evidence (nats)")
plot_curve(taus, validation, ax=right, color="C1", label="5 folds")
plot_oracle(taus, test, ax=right, label="20 000 fresh points")
right.plot(best["validation"], validation.min(), "o", color="C1", markersize=9)
right.plot(best["fresh data"], test.min(), "o", color="black", markersize=9)
right.set(title=f"Validation: τ = {best['validation']:.2f}", ylabel="NLL (nats per point)")
right.legend(loc="upper right")
for ax in (left, right):
    ax.set(xlabel="prior scale τ (log scale)", xscale="log")

# %% [markdown]
# The value that is best on fresh data is one that a user does not have. The column `alpha` is
# $\sigma^2/\tau^2$, what Ridge would have to be told:

# %% same=True
for name, i in place.items():
    alpha = (sigma / taus[i]) ** 2  # Ridge's
    print(f"{name:10s} tau {taus[i]:5.2f}  alpha {alpha:.2f}  test NLL {test[i]:.3f}")
print(f"no prior to speak of: tau {taus[-1]:.0f}  test NLL {test[-1]:.3f}")

# %% [markdown]
# A narrow prior gives the data little density because they lie far out; a wide one spreads its
# density over data sets that never came. The evidence finds the balance with all points in use and
# without folds; on this set it comes within a factor of two of the best $\tau$, validation lands
# further off. The evidence has a price: it believes the model. Where the noise model or the
# features are wrong, as they are here, validation asks the more relevant question, with a noisier
# answer, though here its 25 terms were too few. Look at both, and worry when they disagree by
# much.

# %% [markdown] card="04-evidence-as-predictions"
# Why is the evidence p(y | τ) an honest score for a prior, although all points are used?
#
# **Answer.** It is a product of predictions, each of one point by the posterior of those before
# it: every point is predicted before it is used. Its price: it believes the model.

# %% [markdown]
# ## What an `alpha` claims
#
# 80 examples, 50 inputs of which 10 matter, noise of scale 15: a set-up in which people like to
# compare Ridge and Lasso at round values of `alpha`. Translate each `alpha` into the prior that it
# claims, and score on 2000 fresh points, for ten data sets:

# %%
from sklearn.datasets import make_regression


def regressions(seed):  # {what is claimed: test RMSE}, and facts on weights
    x, y, w = make_regression(2080, 50, n_informative=10, noise=15, coef=True, random_state=seed)
    size, mean_size = (w**2).mean() ** 0.5, abs(w).mean()
    models = {"least squares": LinearRegression()}
    models["Ridge, true tau"] = Ridge(alpha=15**2 / size**2)
    models |= {f"Ridge, tau {15 * a**-0.5:.1f}": Ridge(alpha=a) for a in (1.0, 10.0)}
    models["Lasso, true b"] = Lasso(alpha=15**2 / (80 * mean_size))
    models["Lasso, b 2.8"] = Lasso(alpha=1.0)
    fitted = {name: m.fit(x[:80], y[:80]).predict(x[80:]) for name, m in models.items()}
    lasso = models["Lasso, b 2.8"].coef_
    facts = size, mean_size, (lasso == 0).sum(), abs(lasso[w != 0]).sum() / abs(w).sum()
    return {name: ((f - y[80:]) ** 2).mean() ** 0.5 for name, f in fitted.items()}, facts


# %% [markdown]
# The scales of the true weights, and the mean RMSE of each model over the ten:

# %%
runs, facts = zip(*[regressions(seed) for seed in range(10)], strict=True)
*sizes, zeros, kept = np.mean(facts, axis=0)
print("true weights: root mean square {:.0f}, mean size {:.0f}".format(*sizes))
print(f"Lasso, b 2.8: {zeros:.0f} of 50 weights zero, large ones keep {kept:.2f} of their size")
for name in runs[0]:
    print(f"{name:16s} test RMSE {np.mean([run[name] for run in runs]):.1f}")

# %% [markdown]
# Ridge with `alpha=10` claims weights of scale 4.7, far smaller than they are, and nearly doubles
# the error of least squares: a wrong prior can be worse than none. The Normal with the right scale
# is a tie with least squares here. The Laplace with the right mean size does better than both, and
# better still is one that claims far too *small* weights. Neither prior is true: 40 of the weights
# are zero and the rest large. A narrow Laplace does what such weights need, it makes many zeros
# and takes little from the large ones, though as a statement about their size it is false. So read
# an `alpha` as a claim, and let evidence or validation choose it.


# %% claim="Ridge(alpha=10) is worse than least squares here." steps=80
def wrong_scale_is_worse(seed, steps):
    run, _ = regressions(seed)
    return run["Ridge, tau 4.7"] - run["least squares"]


# %% [markdown]
# And of two priors with the right scale (neither claim has a use for `steps`):


# %% claim="With the right scale the Laplace prior's mode beats the Normal's." steps=80
def laplace_beats_normal(seed, steps):
    run, _ = regressions(seed)
    return run["Ridge, true tau"] - run["Lasso, true b"]


assert wrong_scale_is_worse(0, 80) > 0 and laplace_beats_normal(0, 80) > 0

# %% [markdown]
# ## Is dropout a posterior?
#
# Tutorials add: "dropout is approximate Bayesian inference; it masks each weight with a Bernoulli
# variable, and the full network at test time is the posterior mean." `nn.Dropout` masks *units*:
# a masked input takes all its outgoing weights with it. And the full network is the mean over all
# masks if everything after the mask is linear; otherwise nothing says so. With 10 inputs there are
# 1024 masks, few enough to average exactly.

# %% same=True
masks = np.array(np.meshgrid(*[[0, 1]] * 10)).reshape(10, -1).T  # (1024, 10), all equally likely
rng = numpy_rng(3)
x, first, last = rng.standard_normal(10), rng.standard_normal((10, 20)), rng.standard_normal(20)
bends = {"linear": lambda h: h, "ReLU": lambda h: np.maximum(h, 0)}
for name, bend in bends.items():
    full = bend(x @ first / 10**0.5) @ last / 20**0.5
    average = (bend(2 * masks * x @ first / 10**0.5) @ last / 20**0.5).mean()
    print(f"{name:7s} full network {full:6.3f}, mean over all masks {average:6.3f}")
    assert (abs(full - average) < 1e-12) == (name == "linear")
dropped = torch.nn.Dropout(0.5)(torch.ones(4, 6))
assert set(dropped.unique().tolist()) <= {0.0, 2.0}  # one mask entry per unit of an example

# %% [markdown]
# For the linear network the two agree to the last digit, for the ReLU network they do not. Whether
# the spread over masks says anything about a posterior is the question of lesson 07.

# %% [markdown]
# ## Back to the opening question
#
# Train until SGD rests, and let automatic differentiation say for which of the four variances this
# place is the highest point of the posterior: there the gradient of the log posterior is zero.

# %% [markdown] fold="04-variance-of-the-prior"
# ### Four candidates

# %% [markdown]
# The model and the data of the opening question, as in the section on the penalty:

# %%
n, sigma = 50, 0.7
rng = numpy_rng(0)
x = rng.standard_normal((n, 3))
y = x @ [1.5, -1.0, 0.5] + sigma * rng.standard_normal(n)
X, Y = torch.tensor(x, device=device), torch.tensor(y, device=device)
w = torch.zeros(3, dtype=torch.float64, device=device, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.2, weight_decay=0.3)
for _ in range(300):
    optimizer.zero_grad()
    ((Y - X @ w) ** 2).mean().backward()
    optimizer.step()

# %% [markdown]
# Each variance, and the gradient that its posterior has at this place:

# %%
names = ("3.33, which is 1 / 0.3", "1.67, half of it", "0.065", "0.033")
variances = 1 / 0.3, 1 / (2 * 0.3), 2 * sigma**2 / (n * 0.3), sigma**2 / (n * 0.3)
steep, at_rest = {}, w.detach()
for name, variance in zip(names, variances, strict=True):
    w = at_rest.clone().requires_grad_()
    (slope,) = torch.autograd.grad(neg_log_joint(w, variance**0.5), w)
    steep[name] = slope.norm().item()
    print(f"variance {variance:.3f}: gradient {steep[name]:5.2f} nats per unit of w")
largest, half, right, no_half = names
assert steep[right] < 1e-6 and min(steep[name] for name in (largest, half, no_half)) > 1
because = {largest: "It forgets the noise and the number of examples."}
because |= {half: "It forgets the noise and the number of examples, and halves what has its half."}
because[no_half] = "So it would be if PyTorch's penalty had no half."
reveal("04-variance-of-the-prior", min(steep, key=steep.get), because=because)

# %% [markdown]
# What the confusion costs, in weights:

# %%
gram, moment = x.T @ x, x.T @ y
free = np.linalg.solve(gram, moment)
print("least squares:         ", " ".join(f"{value:5.2f}" for value in free))
for variance in variances[1:3]:
    best = np.linalg.solve(gram + sigma**2 / variance * np.eye(3), moment)
    print(f"MAP for variance {variance:.3f}:", " ".join(f"{value:5.2f}" for value in best))
assert np.allclose(best, at_rest.cpu(), atol=1e-7)  # where SGD rests
shorter = 1 - np.linalg.norm(best) / np.linalg.norm(free)
print(f"standard deviation {variances[2] ** 0.5:.2f}, shortens w by {shorter:.0%}")

# %% [markdown]
# A prior of variance 1.67 would hardly touch the weights. The one that `weight_decay=0.3` stands
# for has a standard deviation of 0.26, and shortens their vector by 13 %.

# %% [markdown]
# ## Recap
#
# 1. MAP minimises the *summed* NLL minus the log prior. Turn it into your loss by one common
#    factor: for the mean squared error and PyTorch's `weight_decay` $\lambda$ it follows that
#    $\tau^2 = 2\sigma^2/(n\lambda)$.
# 2. A fixed weight decay beside a mean loss is a prior that narrows as data come in.
# 3. SGD rests at the MAP, and so does Adam if the noise is symmetric and does not depend on $w$;
#    AdamW's decay means something else at every level of noise.
# 4. L1 makes zeros by its kink, only at the mode, and only with a step that can land on it. The
#    mode depends on the ruler, as means do; probabilities, quantiles and predictions do not.
# 5. The whole posterior keeps its coverage better than its mode does, and serves every loss.
#    Choose the prior by evidence or validation, and read each `alpha` as a claim.

# %% [markdown]
# ## Two interview questions
#
# *We tuned weight decay on a tenth of the data, with a mean loss and SGD. Now we train on all of
# it. As a Bayesian, what do you change?*
#
# *L1 gives sparse weights because the Laplace prior believes that most weights are zero. Right?*
#
# Think first.
#
# <details><summary>The answers</summary>
#
# **The weight decay.** If the tuned value stood for a prior, divide it by ten: with a mean loss,
# $\lambda = 2\sigma^2/(n\tau^2)$. Had the loss been a sum over the data, nothing would have to
# change. With AdamW the argument does not apply: tune again.
#
# **The zeros.** No. The Laplace prior gives probability zero to a weight of exactly zero, and so
# does its posterior, whose mean is not sparse. The posterior's *mode* is sparse, because the
# density has a kink at zero. A prior that does believe in zeros puts a point mass there ("spike
# and slab"), and its posterior mean is still not sparse.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 3.3 to 3.5:
#   posterior, predictive and evidence of the linear model, with figures.
# - D. J. C. MacKay, "Bayesian interpolation", *Neural Computation* (1992): why the evidence
#   punishes a prior that is too wide.
# - R. Tibshirani, "Regression shrinkage and selection via the lasso", *Journal of the Royal
#   Statistical Society B* (1996), and T. Park and G. Casella, "The Bayesian lasso", *Journal of
#   the American Statistical Association* (2008): the mode, and then the posterior behind it.
# - I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", *ICLR* (2019): AdamW.
# - L. Aitchison, "Bayesian filtering unifies adaptive and non-adaptive neural network optimization
#   methods", *NeurIPS* (2020): a Bayesian reading of Adam and AdamW.
# - N. Parikh and S. Boyd, "Proximal algorithms", *Foundations and Trends in Optimization* (2014):
#   steps that know a kink.
# - E. Fong and C. C. Holmes, "On the marginal likelihood and cross-validation", *Biometrika*
#   (2020): the evidence as an average over all ways to hold data out.

# %% [markdown]
# ## Your turn
#
# The assignment `04_map_priors` has seven exercises in code and one in words:
#
# 1. ridge regression from a prior, with an intercept that is left alone;
# 2. the weight decay that stands for a prior, for three losses and for batches;
# 3. a proximal step that reaches zero;
# 4. the posterior under any Normal prior, also in two batches;
# 5. a band for a total, of $f$ or of new observations, and its coverage;
# 6. the mode of a rate on four rulers;
# 7. the evidence in one piece, stable for hundreds of examples;
# 8. in words: a prior that nobody admits to.
