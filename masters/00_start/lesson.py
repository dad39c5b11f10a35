# %% [markdown]
# # Start here
#
# A network predicts four numbers, and all four are exactly right. Predictions come out of a
# network as a column, here of shape `(4, 1)`, and the targets `y` are a plain vector of shape
# `(4,)`. The loss is the mean squared error, `((prediction - y) ** 2).mean()`. You go on training
# with it. **What happens?**

# %% [markdown]
# **After this lesson you can** find your way through the course and read what a check tells you;
# score data with `log_prob`, draw with `sample`, and say which shape either returns; and explain
# what happens to the network above.
#
# **You need** Python, NumPy arrays, what a mean and a variance are, and that a density integrates
# to one. Of PyTorch you need nothing: where a cell computes derivatives, trust what it prints.
#
# Reading takes about 35 minutes with the code, 25 without it; running some 5 seconds; the
# exercises take 45 minutes.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. Run it, as
# every cell that you come to, with Shift+Enter. If `course_utils` is missing, run `%pip install`
# with the path of the course's folder.

# %%
import torch
from matplotlib import pyplot as plt
from torch.distributions import Bernoulli, Independent, Normal

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_curve, plot_data, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit: choose an answer and press the button, or put its words in place of `...` and run the
# cell. The answer comes further down.

# %%
predict(
    "00-training-a-perfect-network",
    ...,
    ask="A perfect network, a column against a vector: what does training do?",
    choices=(
        "nothing: the loss is 0, and so are its gradients",
        "an error: (4, 1) and (4,) are two shapes",
        "the loss is above 0, but perfect predictions are its minimum",
        "the predictions get worse and worse",
    ),
)

# %% [markdown]
# ## The course in one picture
#
# Each unit is a lesson, which you read and run, and an assignment, which grades itself. Everything
# runs on your own machine, offline, in seconds. Here are the units, each with those it builds on.

# %% hide=True alt="Map: 00, 01; 02-05, 11, 12; 02 to 10, 13, 14; 04, 06; 07, 08 to 09, 14; 15."
import textwrap

from course_utils import course_map

_, ax = plt.subplots(figsize=(9.8, 5))
at = course_map.places()
for unit, (title, needs, _down) in course_map.COURSE.items():
    column, down = at[unit]
    text = f"{unit}\n" + textwrap.fill(title, 15)
    ax.text(column, -down, text, ha="center", va="center", fontsize=9, zorder=3).set_bbox(
        {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "C0"}
    )
    for need in needs.split():
        ends = at[need], at[unit]
        ax.plot([x for x, _ in ends], [-y for _, y in ends], color="0.6", linewidth=1.5)
lowest, last = max(y for _, y in at.values()), max(x for x, _ in at.values())
ax.set(xlim=(-0.5, last + 0.5), ylim=(-lowest - 0.5, 0.5))
ax.set_axis_off()

# %% [markdown]
# After 01, several roads are open. Each lesson starts with a question that most readers get wrong,
# these among them:
#
# | unit | asks |
# | --- | --- |
# | 01 | Nine people guess a length, one of them wildly. Which single number sums them up? |
# | 02 | Three heads forecast counts. Which gave what came the highest probability? |
# | 03 | Two heaps of data, one Normal, reverse KL: where does the fit end? |
# | 04 | Which prior did you choose when you typed `weight_decay=0.3`? |
# | 05 | Of two models, one has the calibration error 0.00. Is it the better one? |
# | 06 | Unlimited data, the right model: what can still make its error bars smaller? |
# | 07 | A hundred times more data: how much does the spread of MC dropout shrink? |
# | 08 | Three forecasts with standard deviations 1, 2 and 3: what is that of all three together? |
# | 09 | Mean-field weights are three times too sure. How wide is the band amid the data? |
# | 10 | An alarm for the lowest 5% of scores: how many clean parts does it flag? |
# | 11 | A latent variable has died in training. What went wrong? |
# | 12 | Does a flow with 7116 numbers beat a mixture of ten Normals? |
# | 13 | Each hour is in its 90% interval on 90% of days. On how many days are all 24? |
# | 14 | Six columns of a leaderboard: in which can somebody who knows nothing match the oracle? |
# | 15 | A model card hides six errors. After which single mend are the fewest models signed? |

# %% [markdown]
# ## How to work
#
# **Predict, run, read.** Where a cell asks for a prediction, run it with your answer before you
# read on. Your first answer is kept, compared with the truth, and never graded. Guess boldly: a
# wrong guess is what makes the right answer stick.
#
# **Write, check, mend.** In the assignment you write functions. The cell under each of them runs
# yours and shows a *panel*: a line for each aspect of the behaviour, with its points. Here is a
# real one. The exercise asked for the mean of a row of numbers, and the answer was `torch.median`.

# %% hide=True
from IPython.display import display

from course_utils import panel
from course_utils.checks import Checks
from course_utils.comparison import verdict


def recorded(mean):  # what a check cell does: it calls your function and notes what came back
    check = Checks("mean-of-a-row")
    check.value("value", lambda: mean(torch.tensor([1.0, 2.0, 6.0])), points=2)
    check.value("one number", lambda: mean(torch.tensor([4.0])), points=1)
    return check.checks


yours, right = recorded(torch.median), recorded(torch.mean)
sentence = "This is the middle value; the mean is the sum divided by the number of values."
hint = {"sentence": sentence, "got": [check["got"] for check in yours]}
note = "These are the visible cases; more cases run when graded."
shown = verdict("mean-of-a-row", yours, right, [hint], note=note)
display({"text/plain": panel.text(shown), "text/html": panel.html(shown)}, raw=True)

# %% [markdown]
# A cross costs the points of its aspect only. The hint appears if your mistake is a known one;
# hundreds are catalogued. Below it, other mistakes that fail the same lines fold out.
#
# The last line matters: with one number, the median is right, so a visible case can be passed by
# luck. When your work is graded, *hidden* cases run as well, with other inputs. If you study
# alone, the button **Check all cases** below each panel runs them at any time, and a worked
# solution folds out. There are commands, too, for a terminal in the course's folder:
#
# | command | what it does |
# | --- | --- |
# | `make lab` | opens JupyterLab at the map of `work/`, your own copy of the course |
# | `make check UNIT=00` | judges a saved assignment with all cases, hidden ones too |
# | `make progress` | shows where you stand |
# | `make interview` | asks ten questions from all units, and scores your answers |
# | `make review` | asks what you have met, when you are about to forget it |
# | `make playground` | opens a page of distributions and their losses, to move by hand |
#
# In a class, hand in the assignment's notebook file, nothing else; you need not clear its outputs.
# A notebook shows where you stand, too: in your own copy `progress()` lists all units, this cell
# the first. (Finish the page before you follow its advice.) On a bare page it says how to get a
# copy:

# %%
from course_utils.progress import Progress, progress

Progress(progress().units[:1])

# %% [markdown]
# ## Two questions to ask a distribution
#
# A *tensor* is PyTorch's array: it has a shape, a dtype and NumPy's arithmetic. It may live on a
# GPU, and it can remember how it was computed, so that derivatives flow back through the
# computation, which is how networks are trained.
#
# A *distribution* object answers two questions: "how likely is this value?" is `log_prob`, "give
# me values" is `sample`. Say tomorrow's temperature is Normal with mean 20 °C and standard
# deviation 3 °C:

# %% same=True
tomorrow = Normal(torch.tensor(20.0, device=device), torch.tensor(3.0, device=device))
t = torch.linspace(0, 40, 4001, device=device)  # °C
density = tomorrow.log_prob(t).exp()  # (4001,) per °C
print(f"log density at 20 °C: {tomorrow.log_prob(t[2000]):.2f} nats")
print(f"density at 20 °C:     {density[2000]:.3f} per °C")
print(f"under the curve:      {torch.trapezoid(density, t):.3f}")
within = t[(t >= 17) & (t <= 23)]
print(f"17 to 23 °C:          {torch.trapezoid(tomorrow.log_prob(within).exp(), within):.2f}")

# %% hide=True alt="A bell around 20 degrees; its area from 17 to 23, two thirds, is shaded."
ax = plot_curve(t, density)
ax.fill_between(within.cpu(), tomorrow.log_prob(within).exp().cpu(), color="C0", alpha=0.3)
ax.set(xlabel="temperature (°C)", ylabel="density (per °C)", xlim=(5, 35), ylim=(0, None))
_ = ax.set_title("Probability is area: 17 to 23 °C hold 0.68 of it")

# %% [markdown]
# `log_prob` returns the logarithm of a *density*, which is probability per degree. Only an area
# under it is a probability: that of all temperatures is 1, that of 17 to 23 °C is 0.68. The
# logarithm is natural, and its unit is the *nat*. A Normal's scale is a standard deviation here,
# never a variance.

# %% [markdown]
# Probabilities are at most 1. Is a density? A thermometer in a water bath: Normal with mean 20 °C
# and standard deviation 0.1 °C.

# %%
predict(
    "00-density-at-the-mean", ..., ask="The density at 20 °C, per °C, if the deviation is 0.1 °C?"
)

# %% [markdown] fold="00-density-at-the-mean"
# ### In the water bath

# %% [markdown]
# The same question to the object:

# %%
bath = Normal(20.0, 0.1)
peak = bath.log_prob(torch.tensor(20.0)).exp()
because = {0.133: "That is the density for a deviation of 3 degrees; a narrow bell is tall."}
because |= {1: "A density has no upper limit; only its area is 1."}
reveal("00-density-at-the-mean", round(peak.item(), 2), within=0.2, unit="per °C", because=because)

# %% [markdown]
# Thirty times as narrow, thirty times as tall. A density may exceed 1; the area under it
# is still 1.

# %% [markdown] card="00-density-above-one"
# `log_prob` at one temperature is above 0. Is something broken?
#
# **Answer.** No. It is the logarithm of a density, which is probability per degree, and a narrow
# bell is tall: its density may well exceed 1. Only areas under it are probabilities.

# %% [markdown]
# ## Where draws come from
#
# How does `sample` get numbers of a given density out of a random generator? The generator makes
# uniform numbers $u$ between 0 and 1. The *cumulative distribution function* $F(t)$, the
# probability of a value up to $t$, rises from 0 to 1. So read it backwards: at height $u$ go
# across to the curve, then down to $t = F^{-1}(u)$. This gives the right distribution, because
#
# $$P(F^{-1}(u) \le t) = P(u \le F(t)) = F(t).$$
#
# The first step applies the rising $F$ to both sides; the second holds since $u$ is uniform: it is
# below 0.3 with probability 0.3. (For the Normal there are faster ways, with the same result.)
# PyTorch calls $F^{-1}$ `icdf`. Which share of 20 000 draws lies below three temperatures, and
# which should, give or take a standard error?

# %%
u = torch.rand(20_000, generator=torch_generator(1), dtype=torch.float64)
draws = Normal(20.0, 3.0).icdf(u)  # (20000,) °C
for limit in (15.0, 20.0, 26.0):
    F = Normal(20.0, 3.0).cdf(torch.tensor(limit)).item()
    standard_error = (F * (1 - F) / len(draws)) ** 0.5
    share = (draws <= limit).double().mean().item()
    print(f"up to {limit:.0f} °C: {share:.3f} of the draws, F = {F:.3f} ± {standard_error:.3f}")
    assert abs(share - F) < 5 * standard_error

# %% [markdown]
# A share that is one or two standard errors off is no surprise; three would be. To see it work,
# take evenly spaced $u$ in place of random ones:


# %% hide=True alt="Even heights go across to a CDF and down: they crowd where it is steep."
def draw_inversion(n=15, scale=3.0):
    forecast = Normal(20.0, scale)
    u = (torch.arange(n) + 0.5) / n  # (n,) evenly spaced heights
    landed = forecast.icdf(u)  # (n,) °C
    t = torch.linspace(8, 32, 241)
    _, (left, right) = plt.subplots(1, 2)
    path = torch.stack([0 * u + 8, landed, landed]), torch.stack([u, u, 0 * u])
    left.plot(*path, color="0.75", linewidth=0.9)
    plot_curve(t, forecast.cdf(t), ax=left)
    left.set(title="Where F is steep, heights land close", ylabel="F(t) = u", ylim=(0, 1.02))
    plot_curve(t, forecast.log_prob(t).exp(), ax=right, color="C1")
    right.plot(landed, 0 * landed, "|", color="black", markersize=14)
    right.set(title="and there the density is tall", ylabel="density (per °C)", ylim=(-0.01, 0.21))
    plt.setp([left, right], xlabel="temperature t (°C)", xlim=(8, 32))


draw_inversion()

# %% [markdown]
# Where $F$ is steep, many heights land close together, and the steepness of $F$ is the density.
# **Move the sliders**, with the mouse or the arrow keys: as the scale shrinks, the ticks crowd.
# Why must the density grow taller?

# %%
interactive(draw_inversion, n=(5, 40, 5), scale=(2.0, 5.0, 0.5))

# %% [markdown] card="00-uniform-read-backwards"
# A generator makes uniform numbers u. How do they become draws from a distribution function F, and
# why does it work?
#
# **Answer.** Read F backwards: t = F⁻¹(u). Since F rises, F⁻¹(u) ≤ t just when u ≤ F(t), and a
# uniform u does that with probability F(t).

# %% [markdown]
# ## Three shapes
#
# One distribution object can hold many distributions: give it a `loc` of shape `(5, 3)`, and it
# is 15 Normals at once. Its dimensions then play three roles.
#
# - The **sample shape** is what you ask for: how many independent draws of everything.
# - The **batch shape** counts distributions that stand side by side, each with parameters of its
#   own: the rows of a minibatch.
# - The **event shape** is the shape of *one* outcome: `()` for a temperature, `(3,)` for the
#   temperatures of three cities that count as one observation.
#
# A draw has the shape sample, batch, event, in this order. `log_prob` returns one number for each
# event, so the event dimensions are gone. `Independent(d, 1)` moves the last dimension from the
# batch into the event.

# %%
predict(
    "00-shape-of-log-prob",
    ...,
    ask="d = Independent(Normal(zeros(5, 3), 1), 1), 100 draws y: shape of d.log_prob(y)?",
    choices=("(100, 5, 3)", "(100, 5)", "(100,)"),
)

# %% [markdown] fold="00-shape-of-log-prob"
# ### Two objects, one set of numbers

# %% [markdown]
# With and without `Independent`:

# %% same=True
cells = Normal(torch.zeros(5, 3), 1.0)
rows = Independent(cells, 1)
print("             batch   event  sample((100,))  its log_prob")
for name, d in {"Normal": cells, "Independent": rows}.items():
    y = d.sample((100,))
    shapes = [tuple(s) for s in (d.batch_shape, d.event_shape, y.shape, d.log_prob(y).shape)]
    print(f"{name:12s} {shapes[0]!s:7s} {shapes[1]!s:6s} {shapes[2]!s:15s} {shapes[3]}")
because = {"(100, 5, 3)": "So it is without Independent; with it, three numbers are one event."}
because["(100,)"] = "Five rows stand side by side; each has a density of its own."
reveal("00-shape-of-log-prob", str(shapes[3]), because=because)

# %% [markdown] card="00-order-of-shapes"
# In which order do a draw's shape list its parts, and which part does `log_prob` lack?
#
# **Answer.** Sample, batch, event. `log_prob` gives one number for each event, so the event's
# dimensions are gone.

# %% [markdown]
# ### The same draws, two averages
#
# Both objects describe the same random numbers. Average the negative log-density of many draws,
# the *NLL*, `-d.log_prob(y).mean()`. For `cells` it comes to 1.42 nats.

# %%
predict(
    "00-nats-after-independent",
    ...,
    ask="-rows.log_prob(y).mean() in nats, for the same draws and rows = Independent(cells, 1)?",
)

# %% [markdown] fold="00-nats-after-independent"
# ### Twenty thousand draws

# %% [markdown]
# Over 20 000 draws, which come from a generator of our own, so that they are the same each time:

# %% same=True
y = torch.from_numpy(numpy_rng(0).standard_normal((20_000, 5, 3))).float()
assert torch.allclose(rows.log_prob(y), cells.log_prob(y).sum(-1), atol=1e-5)
per_cell, per_row = (-d.log_prob(y).mean() for d in (cells, rows))
print(f"cells: {per_cell:.2f} nats")
assert abs(cells.entropy().mean() - per_cell) < 0.01  # entropy: the exact expectation
assert abs(rows.entropy().mean() - per_row) < 0.03
because = {1.42: "That is the mean per cell; a row has three, and log densities add up."}
reveal(
    "00-nats-after-independent", round(per_row.item(), 2), within=0.1, unit="nats", because=because
)

# %% [markdown]
# Three times as much, 4.26 nats per row instead of 1.42 per cell: the log-density of an event is
# the sum over its parts. Neither number is wrong, but they answer different questions. If a loss
# drops to a third because `Independent` was removed, the model has not improved. So a loss is
# quoted with its unit and its *reduction*: what is summed, what is averaged. In this course: **sum
# over the event, mean over the batch.**

# %% [markdown] card="00-loss-without-independent"
# Somebody removes `Independent` over three numbers, and the mean loss falls to a third. Is the
# model better?
#
# **Answer.** No, the reduction is another one: the log-density of an event is the sum over its
# parts, and now each part counts as an event of its own. Sum over the event, mean over the batch.

# %% [markdown]
# ## Broken on purpose: a column against a vector
#
# Back to the question at the top, and the network that was right in every number.

# %% [markdown] fold="00-training-a-perfect-network"
# ### Sixteen pairs

# %% [markdown]
# When two shapes differ, *broadcasting* lines them up at their right ends and stretches sizes of
# 1. A column against a vector, `(4, 1)` against `(4,)`, becomes a table of all 16 pairs:

# %% same=True
y = torch.tensor([0.0, 1.0, 2.0, 3.0])  # (4,) targets
prediction = y[:, None]  # (4, 1), each of them exactly right
pairs = (prediction - y) ** 2  # (4, 4)
print(pairs)
print(f"mean over the {pairs.numel()} pairs: {pairs.mean():.2f}")
print(f"variance of y: {y.var(correction=0):.2f}")

# %% hide=True alt="A table of 16 squared errors; only its diagonal, all zeros, was meant."
_, ax = plt.subplots(figsize=(4.2, 3.6))
ax.imshow(pairs, cmap="Oranges", vmax=14)
for i in range(4):
    for j in range(4):
        weight = "bold" if i == j else "normal"
        ax.text(j, i, f"{pairs[i, j]:.0f}", ha="center", va="center", weight=weight)
ax.set(xlabel="target j", ylabel="prediction i", xticks=range(4), yticks=range(4))
ax.set_title("Four errors were meant, sixteen counted")
ax.grid(False)

# %% [markdown]
# The four zeros on the diagonal are the errors that were meant. The other twelve compare each
# prediction with somebody else's target, and the loss of a perfect network is 2.5. What would
# *minimise* it? Write $\bar p$ and $\bar y$ for the means:
#
# $$
# \begin{aligned}
# (1) \quad && L &= \frac{1}{n^2} \sum_i \sum_j (p_i - y_j)^2 \\
# (2) \quad &&   &= \frac1n \sum_i (p_i - \bar y)^2 + \mathrm{var}(y) \\
# (3) \quad &&   &= (\bar p - \bar y)^2 + \mathrm{var}(p) + \mathrm{var}(y)
# \end{aligned}
# $$
#
# Both steps use that a mean square is a squared mean plus a variance (which divides by $n$): (2)
# for $p_i - y_j$ over all $j$, with $i$ fixed; (3) for $p_i - \bar y$ over all $i$. In (3) no term
# pairs a prediction with its own target. Checked for arbitrary predictions:

# %%
p = torch.tensor([0.3, -1.2, 2.5, 4.0])
loss = ((p[:, None] - y) ** 2).mean()
var_p, var_y = p.var(correction=0), y.var(correction=0)
assert torch.isclose(loss, ((p - y.mean()) ** 2).mean() + var_y)
assert torch.isclose(loss, (p.mean() - y.mean()) ** 2 + var_p + var_y)
assert torch.isclose(pairs.mean(), 2 * var_y)  # a perfect network: twice the variance

# %% [markdown]
# The smallest value has $\mathrm{var}(p) = 0$: all predictions equal, at the mean of $y$. Now let
# gradient descent decide. The network is a line, `slope * x + start`, which begins at the truth,
# slope 1 and start 0:

# %% same=True
x = torch.tensor([0.0, 1.0, 2.0, 3.0])[:, None]  # (4, 1), a column, as networks want it
lines = {}
for name, target in {"column, column": y[:, None], "column, vector": y}.items():
    weights = torch.tensor([1.0, 0.0], requires_grad=True)  # slope, start; remembers its use
    for _ in range(500):
        loss = ((weights[0] * x + weights[1] - target) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, weights)  # derivative of the loss, for each weight
        weights = (weights - 0.1 * gradient).detach().requires_grad_()  # a step, a new start
    slope, start = lines[name] = weights.tolist()  # printed without signs, since 0 may be -0.00
    print(f"{name}: slope {abs(slope):.2f}, start {abs(start):.2f}, loss {loss:.2f}")

# %% [markdown]
# Which settles the question:

# %%
assert abs(lines["column, column"][0] - 1) < 1e-3
assert abs(lines["column, vector"][0]) < 1e-3 and abs(lines["column, vector"][1] - 1.5) < 1e-3
nothing, error, stays, worse = (
    "nothing: the loss is 0, and so are its gradients",
    "an error: (4, 1) and (4,) are two shapes",
    "the loss is above 0, but perfect predictions are its minimum",
    "the predictions get worse and worse",
)
because = {nothing: "It is 2.5: twelve pairs compare a prediction with somebody else's target."}
because |= {error: "These two shapes broadcast without a word."}
because[stays] = "True of a loss that compares each prediction with its own target."
reveal("00-training-a-perfect-network", worse, because=because)

# %% [markdown] card="00-column-against-vector"
# Predictions of shape (4, 1), targets of shape (4,): what does the mean squared error compare, and
# which predictions make it smallest?
#
# **Answer.** All 16 pairs. It is smallest when every prediction is the mean of the targets, so
# training makes a perfect network forget its input.

# %% [markdown]
# ### Follow the optimiser
#
# Training took a perfect line and made it flat. Here are both losses of all lines through the
# middle of the data, $x = y = 1.5$:


# %%
def two_losses(slopes):
    p = 1.5 + slopes * (x - 1.5)  # (4, number of slopes)
    meant = ((p - y[:, None]) ** 2).mean(0)
    every_pair = ((p[:, None] - y[:, None]) ** 2).mean((0, 1))
    return {"meant": meant, "all pairs": every_pair}


# %% [markdown]
# The line of slope 0.7, and its place on both curves:


# %% hide=True alt="Left: four points and a line. Right: one loss is lowest at 1, the other at 0."
def draw_two_losses(slope=0.7):
    slopes = torch.linspace(-0.5, 1.5, 81)
    here = two_losses(torch.tensor(slope))
    _, (left, right) = plt.subplots(1, 2)
    plot_data(x, y, ax=left, markersize=8)
    plot_curve(x, 1.5 + slope * (x - 1.5), ax=left, label=f"slope {slope:.1f}")
    left.set(title="The points lie on slope 1", xlabel="x", ylabel="y", ylim=(-0.9, 3.9))
    for name, curve in two_losses(slopes).items():
        color = "C2" if name == "meant" else "C1"
        plot_curve(slopes, curve, ax=right, color=color, label=name)
        right.plot(slope, here[name].item(), "o", color=color, markersize=8)
        right.axvline(slopes[curve.argmin()], color=color, linestyle=":", linewidth=1.2)
    right.set(title="Each loss wants another slope", xlabel="slope", ylabel="mean squared error")
    for ax in (left, right):
        ax.legend(loc="upper left" if ax is left else "upper center")


draw_two_losses()

# %% [markdown]
# On the right, the loss that was meant has its minimum at slope 1, and the loss over all pairs at
# slope 0. **Move the slope** from 1 to 0: which curve does your optimiser follow?

# %%
interactive(draw_two_losses, slope=(-0.5, 1.5, 0.1))

# %% [markdown]
# ### Do library functions protect you?
#
# Nothing crashed. Some functions say something:

# %% same=True
import warnings

from torch.nn import functional

print("Normal(prediction, 1).log_prob(y):", tuple(Normal(prediction, 1.0).log_prob(y).shape))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loss = functional.mse_loss(prediction, y)
print(f"mse_loss: {loss:.2f}, and {len(caught)} {caught[0].category.__name__}")
try:
    functional.binary_cross_entropy_with_logits(prediction, (y > 1).float())
except ValueError as error:
    print("binary_cross_entropy_with_logits:", type(error).__name__)

# %% [markdown]
# And one that you will meet in every regression, with a variance of 1 as a column, too
# (`full=True` keeps the constant that it would drop):

# %%
import numpy as np

nll = functional.gaussian_nll_loss(prediction, y, torch.ones(4, 1), full=True)
print(
    f"gaussian_nll_loss: {nll:.2f}, where {0.5 * np.log(2 * np.pi):.2f} is right, and no warning"
)

# %% [markdown]
# `log_prob` says nothing at all: broadcasting is what distributions are for. The same holds for
# labels. A Bernoulli is the distribution of a label that is 0 or 1, and a classifier's loss is
# often written as `-Bernoulli(logits=z).log_prob(y)`. With the logits as a column:

# %% same=True
labels = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
z = torch.tensor([2.0, -1.0, 0.5, 1.5, -2.0, 0.3])  # logits: the larger, the likelier label 1
for name, logits in {"vector": z, "column": z[:, None]}.items():
    nll = -Bernoulli(logits=logits).log_prob(labels)
    print(f"logits as a {name}: shape {tuple(nll.shape)}, loss {nll.mean():.2f} nats")

# %% [markdown]
# Six labels, 36 terms, and a plausible loss. The cure has two lines: remove the last dimension,
# `prediction.squeeze(-1)`, and `assert prediction.shape == y.shape` before the loss. (A bare
# `squeeze()` removes every dimension of size 1, also the batch when it holds one example.
# `squeeze(-1)` has the same flaw where there is no column: it makes a number of a vector with one
# entry.)

# %% [markdown] card="00-guard-against-broadcasting"
# Which two lines protect a loss from a column that meets a vector? Does `log_prob` warn you?
#
# **Answer.** `prediction.squeeze(-1)`, and `assert prediction.shape == y.shape` before the loss.
# `log_prob` says nothing: broadcasting is what distributions are for.

# %% [markdown]
# ## Notation
#
# Come back here when a symbol is unclear. Lessons use these, unless they say otherwise.
#
# | symbol | meaning |
# | --- | --- |
# | $x$, $y$ | input and target of one example |
# | $n$, $d$ | number of examples and of dimensions: data of shape `(n, d)` |
# | $p(y \mid x)$ | density of $y$ given $x$, per unit of $y$; for labels, a probability |
# | $p$, $q$ | a distribution, or one probability; $q$ is the one that approximates |
# | $F(t)$ | probability of a value up to $t$; in code also `torch.nn.functional` |
# | $N(\mu, \sigma^2)$ | Normal, mean $\mu$, variance $\sigma^2$; in code `Normal(mu, sigma)` |
# | $\sigma$, $s$, $s(x)$ | scale of the noise; a standard deviation if it is Normal |
# | $\varepsilon$ | noise with mean 0 and standard deviation 1 |
# | $f(x)$ | the function without noise: $y = f(x) + s(x)\,\varepsilon$ |
# | $r$ | residual: a target minus its prediction |
# | $w$, $\theta$ | weights; all parameters of a model |
# | $z$ | logits; in units 11 and 12, what the model draws before it draws the data |
# | $k$, $K$ | a class, or a component of a mixture, and how many there are |
# | $T$ | temperature: logits are divided by it |
# | $M$ | members of an ensemble |
# | $\hat y$, $\bar y$ | an estimate of $y$; a mean |
# | $[y = k]$ | 1 if that is so, 0 if not |
#
# | convention | meaning |
# | --- | --- |
# | logarithm | natural; its unit is the nat, and 1 nat = 1.4427 bits |
# | NLL | negative log-likelihood $-\log p(y \mid x)$; smaller is better, below 0 is possible |
# | reduction | what becomes of the events' values: `none` (kept), `sum` or `mean` |
# | of a loss | sum over the event, mean over the batch, unless the text says otherwise |
# | variance | divides by $n$, unless the text says otherwise |
# | band | a shaded range; its label says whether it holds new data $y$ or $f$, and how often |
# | oracle | the exact answer, since we made the data or by mathematics; drawn dashed and black |
# | standard error | how far an estimate scatters; a difference below two of them may be chance |

# %% [markdown]
# Libraries disagree on two of these. PyTorch's `var` divides by $n - 1$ by default, NumPy's by
# $n$; and $N(0, 9)$ on paper is `Normal(0, 3)` in code:

# %%
assert round(float(1 / np.log(2)), 4) == 1.4427  # bits in a nat
four = np.array([0.0, 1.0, 2.0, 3.0])
assert np.isclose(four.var(), 1.25)  # divides by 4
assert np.isclose(torch.from_numpy(four).var(), 5 / 3)  # divides by 3
assert Normal(0.0, 3.0).variance == 9.0  # its second argument was the standard deviation

# %% [markdown]
# ## Recap
#
# 1. Predict, run, read; write, check, mend. Visible cases are necessary, hidden ones decide, and
#    `make check` runs both.
# 2. `log_prob` is a log-density in nats, one number for each event; only areas are probabilities.
# 3. Shapes come in the order sample, batch, event. Sum over the event, mean over the batch.
# 4. A column against a vector compares all pairs. The loss of a perfect network is twice
#    the variance of $y$, that of a constant only once, and training finds the constant.
# 5. Draws are uniform numbers read backwards through $F$.

# %% [markdown]
# ## An interview question
#
# *A regression network trains for a day. Its mean squared error falls quickly to the variance of
# the targets and stays there, whatever the architecture and the learning rate. A colleague
# concludes that the inputs carry no information. Which one-line experiment would you run before
# you believe it?*
#
# A popular one: shuffle the targets, and see whether the loss changes. Does it help here? Think
# first. The cell tries it on a constant prediction with a sound loss, and then another experiment.

# %% same=True
constant, shuffled = y.mean().expand(4), y[torch.tensor([1, 0, 3, 2])]
for name, target in {"as they are": y, "shuffled": shuffled}.items():
    print(f"constant prediction, targets {name}: loss {((constant - target) ** 2).mean():.2f}")
for name, perfect in {"column": y[:, None], "vector": y}.items():
    print(f"targets as predictions, as a {name}: loss {((perfect - y) ** 2).mean():.2f}")

# %% [markdown]
# <details><summary>An answer</summary>
#
# Hand the loss the targets themselves, in the shape of the predictions:
# `loss(y.reshape(prediction.shape), y)`. A sound loss returns its minimum, here 0. If it returns
# twice the variance, it compares all pairs, and no network could have done better than it did.
#
# Shuffling does not help. The network's predictions are constant by now, and a constant has the
# same loss for every order of the targets, whether the loss is sound or not.
#
# If the loss is sound, the colleague is not yet right: train on ten examples only. A network with
# hundreds of weights that cannot memorise ten examples has a bug; one that can, and still does no
# better on new data, may lack information.
#
# </details>

# %% [markdown] card="00-loss-of-the-targets"
# A regression's loss falls to the variance of the targets and stays there. Which one-line
# experiment tells whether the loss is sound?
#
# **Answer.** Hand it the targets as predictions, in the predictions' shape. A sound squared error
# returns 0; one that compares all pairs returns twice the variance.

# %% [markdown]
# ## What to read next
#
# - C. R. Harris and others, "Array programming with NumPy", *Nature* (2020): the arrays that
#   tensors are modelled on, broadcasting included.
# - J. V. Dillon and others, "TensorFlow Distributions" (2017), arXiv:1711.10604: where sample,
#   batch and event shapes come from, and why there are three.
# - L. Devroye, *Non-Uniform Random Variate Generation* (1986), chapter 2: inversion, and what to
#   do when $F$ cannot be inverted.
# - P. Blanchard, D. J. Higham and N. J. Higham, "Accurately computing the log-sum-exp and softmax
#   functions", *IMA Journal of Numerical Analysis* (2021): the second exercise, with proofs.
# - D. J. C. MacKay, *Information Theory, Inference, and Learning Algorithms* (2003), chapter 2:
#   probability, densities and entropy from the start.

# %% [markdown]
# ## Your turn
#
# Open the assignment, `00_start.ipynb`. It has five exercises in code and one in words. None is a
# cell of this lesson:
#
# 1. the Normal's log-density, right even 60 standard deviations out;
# 2. log-sum-exp, which adds probabilities that are too small to exist;
# 3. draws by inversion, for waiting times with an end;
# 4. a weighted loss that broadcasting has spoilt;
# 5. a function that foretells every shape of a distribution;
# 6. in words: a density of four.
#
# Then go on with unit 01, where a squared error turns out to be a claim about the noise.
