# %% [markdown]
# # Calibration
#
# Two models forecast whether a customer will leave. On the same 100 customers the expected
# calibration error (ECE, explained below) of model A is 0.00 and that of model B is 0.10.
# **What follows?**
#
# - a) A is the better model.
# - b) A has the better probabilities, though B may be more accurate.
# - c) A is better calibrated, and no more than that.
# - d) Nothing.
#
# Most people answer b or c. Choose one, and read on until you can defend it.

# %% [markdown]
# **After this lesson you can** draw a reliability diagram that shows how much of it is chance; say
# what an ECE is worth; take a Brier score apart exactly; and recalibrate a model with a
# temperature, Platt's sigmoid or isotonic regression, and say what each changes.
#
# **You need** the NLL of labels, logits, sigmoid and softmax (unit 01), and NumPy. Symbols:
# [notation](00_start.ipynb#Notation).
#
# Where a cell asks for a prediction, put your answer in place of `...` and run the cell before
# you read on. Your first answer is kept, compared with the truth, and never graded.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from torch.nn import functional as F

from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.training import fit
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# ## What a probability promises
#
# A forecast $p$ for a label $y \in \{0, 1\}$ is *calibrated* if the label keeps the promise: among
# all cases with the same forecast, the share of ones is that forecast,
#
# $$P(y = 1 \mid \text{forecast} = p) = p .$$
#
# Data hold few cases with the very same forecast, so forecasts are put into bins. For each bin one
# compares the mean forecast with the share of ones. A plot of the two is the *reliability
# diagram*.
#
# To know what chance alone does to it, we start with a model that is perfect by construction: each
# forecast is drawn from $U(0, 1)$, and its label is 1 with just this probability.


# %%
def in_bins(p, y, bins=10):  # bins of equal width; the last one holds p = 1 as well
    k = np.minimum((p * bins).astype(int), bins - 1)
    count = np.bincount(k, minlength=bins)
    seen = count > 0
    mean_p, share = np.bincount(k, p, bins)[seen], np.bincount(k, y, bins)[seen]
    return count[seen], mean_p / count[seen], share / count[seen]


rng = numpy_rng(3)
p = rng.random(100)
y = (rng.random(100) < p).astype(int)
count, mean_p, share = in_bins(p, y)

# %% [markdown]
# scikit-learn's `calibration_curve` finds the same dots. It does not return the counts, without
# which nobody can tell what a dot is worth.

# %%
from sklearn.calibration import calibration_curve

theirs = calibration_curve(y, p, n_bins=10)
assert np.allclose(theirs, (share, mean_p))
print("examples in each bin:", count)

# %% [markdown]
# How far may a dot lie from the diagonal if the forecasts are right? Keep the forecasts, draw new
# labels from them 200 times, and see where the share of ones falls. The bars hold it with
# probability 0.9.


# %% alt="Ten dots of a perfect model at n = 100, scattered about the diagonal within wide bars."
def draw_reliability(p, y, bins=10, ax=None):
    ax = ax or plt.subplots(figsize=(4.6, 4.2))[1]
    count, mean_p, share = in_bins(p, y, bins)
    redrawn = numpy_rng(0).random((200, len(p))) < p  # labels of a perfect model
    low, high = np.quantile([in_bins(p, new, bins)[2] for new in redrawn], [0.05, 0.95], axis=0)
    look = {"color": "#ABD9F4", "linewidth": 9, "zorder": 1}
    ax.vlines(mean_p, low, high, label="0.9 of redrawn shares", **look)
    plot_oracle([0, 1], [0, 1], ax=ax, label="calibrated")
    plot_data(mean_p, share, ax=ax, label="data", markersize=7, color="C1")
    for x, height, n in zip(mean_p, np.maximum(share, high), count, strict=True):
        ax.text(x, height + 0.03, n, ha="center", fontsize=8)
    ax.set(xlabel="mean forecast", ylabel="share of ones", xlim=(0, 1), ylim=(-0.03, 1.12))
    ax.set_title(f"{len(p)} examples")
    return ax


_ = draw_reliability(p, y).legend(loc="upper left")
# %% [markdown]
# The numbers are the counts. Every forecast is exactly right, and still the dots do not lie on the
# diagonal: with ten labels in a bin, the share of ones moves in steps of a tenth.

# %% [markdown]
# ## One number: the ECE
#
# The *expected calibration error* is the mean distance of the dots from the diagonal, each
# weighted with its count. With $n_k$ of $N$ examples in bin $k$, $\bar p_k$ their mean forecast
# and $\bar y_k$ their share of ones:
#
# $$\mathrm{ECE} = \sum_k \frac{n_k}{N} \left| \bar p_k - \bar y_k \right|$$
#
# The model is perfect, so what do you expect for its ECE?

# %%
predict(
    "05-ece-of-a-perfect-model",
    ...,
    ask="Mean ECE of a perfect model on N = 100 examples, 10 bins, forecasts uniform on (0, 1)?",
)


# %% [markdown]
# Draw the 100 examples 1000 times:


# %%
def ece_of(p, y, bins=10):
    count, mean_p, share = in_bins(p, y, bins)
    return count @ abs(mean_p - share) / len(p)


def perfect_eces(n, bins, draws=1000):
    rng = numpy_rng(0)
    forecasts = rng.random((draws, n))
    labels = rng.random((draws, n)) < forecasts
    return np.array([ece_of(p, y, bins) for p, y in zip(forecasts, labels, strict=True)])


eces = perfect_eces(100, 10)
reveal("05-ece-of-a-perfect-model", round(eces.mean(), 3), within=0.02)

# %% [markdown]
# About 0.10, as much as model B has. In the weighted sum every distance counts as positive, so
# chance cannot cancel. We can compute how much it leaves. In bin $k$, the gap is a mean of $n_k$
# independent terms $p - y$ with mean zero and variance $p(1 - p)$:
#
# $$
# \begin{aligned}
# (1) \quad && \mathrm{var}\,(\bar p_k - \bar y_k) &= v_k / n_k, \qquad v_k = \text{mean of }
#   p(1-p) \text{ in bin } k \\
# (2) \quad && \mathrm{E}\,|\bar p_k - \bar y_k| &\approx \sqrt{2/\pi}\, \sqrt{v_k / n_k} \\
# (3) \quad && \mathrm{E}\,\mathrm{ECE} &\approx \sqrt{2/\pi}\sum_k (n_k / N) \sqrt{v_k / n_k} \\
# (4) \quad && &\approx \sqrt{\pi B / (32 N)}
#   \quad \text{for uniform } p \text{ and } B \text{ equal bins}
# \end{aligned}
# $$
#
# (2) is the mean distance of a normal variable from zero. (4) puts in $n_k = N / B$ and the mean
# of $\sqrt{p(1-p)}$ over $(0, 1)$, which is $\pi / 8$. Line by line, and then against simulation:

# %% same=True
rng = numpy_rng(1)
inside = rng.uniform(0.2, 0.3, 40)  # the forecasts of one bin
gaps = (inside - (rng.random((100_000, 40)) < inside)).mean(1)
v = (inside * (1 - inside)).mean()
assert abs(gaps.var() / (v / 40) - 1) < 0.03  # (1)
assert abs(abs(gaps).mean() / np.sqrt(2 / np.pi * v / 40) - 1) < 0.03  # (2)
grid = (np.arange(10_000) + 0.5) / 10_000
assert abs(np.sqrt(grid * (1 - grid)).mean() - np.pi / 8) < 1e-4  # (4)
for n, bins in [(100, 10), (100, 30), (1000, 10), (10_000, 10)]:
    simulated = perfect_eces(n, bins, draws=300 if n < 10_000 else 60).mean()
    formula = np.sqrt(np.pi * bins / 32 / n)
    print(f"N = {n:6d}, {bins} bins: simulated {simulated:.2f}, formula (4) {formula:.2f}")

# %% [markdown]
# The bias falls only as $1/\sqrt N$, and it grows with the number of bins. So ECEs of test sets of
# different size, or with different bins, cannot be compared at all.


# %% alt="Histogram of 400 ECEs of a perfect model, centred at 0.10, far from zero."
def draw_perfect(n=100, bins=10):
    eces = perfect_eces(n, bins, draws=400)
    _, ax = plt.subplots()
    ax.hist(eces, bins=30, color="C0", label="400 test sets")
    formula = np.sqrt(np.pi * bins / 32 / n)
    ax.axvline(formula, color="black", linestyle="--", label=f"formula (4): {formula:.3f}")
    ax.set(xlabel="ECE of a perfect model", ylabel="test sets", xlim=(0, None))
    ax.set_title(f"{n} examples, {bins} bins")
    ax.legend()
    return ax


ax = draw_perfect()

# %% [markdown]
# Zero, the true calibration error, is not even in the picture. **Move `n`:** how many examples
# does it take until a perfect model has an ECE of 0.05? **Move `bins`:** more bins look finer;
# what do they cost?

# %%
interactive(draw_perfect, n=(50, 1000, 50), bins=(5, 50, 5))

# %% [markdown]
# Never report an ECE alone. Report next to it what a perfect model with the same forecasts would
# have: redraw the labels from the forecasts, as in the diagram.


# %%
def ece_by_chance(p, bins=10, draws=200):  # mean, and the value that 1 in 20 exceeds
    redrawn = numpy_rng(0).random((draws, len(p))) < p
    k = np.minimum((p * bins).astype(int), bins - 1)
    eces = abs((redrawn - p) @ np.eye(bins)[k]).sum(1) / len(p)  # all draws at once
    return eces.mean(), np.quantile(eces, 0.95)


# %% [markdown]
# ## Broken on purpose: the open bin
#
# Code for the ECE often asks for `(p >= low) & (p < high)` in every bin. In which bin is a
# forecast of exactly 1? In none: it is lost, and nothing says so. Forests of trees say 1, and
# every multiple of one over the number of trees, so that many forecasts lie exactly on an edge. We
# count votes as whole numbers, to keep rounding out of it.

# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X, label = make_classification(n_samples=3000, n_features=20, n_informative=10, random_state=42)
X, X_test, label, label_test = train_test_split(X, label, test_size=0.3, random_state=0)
forest = RandomForestClassifier(100, random_state=42).fit(X, label)

# %% [markdown]
# Three rules for the edges, on 900 test examples. The sums run over the bins 0 to 9; where every
# bin is open above, a forecast of 1 falls into bin 10, which does not exist.

# %%
votes = (100 * forest.predict_proba(X_test)[:, 1]).round().astype(int)  # of 100 trees
surplus = votes / 100 - label_test
rules = {
    "every bin open above": votes // 10,
    "the last bin closed": np.minimum(votes // 10, 9),
    "every bin closed above": np.maximum(votes - 1, 0) // 10,
}
for name, k in rules.items():
    error = sum(abs(surplus[k == j].sum()) for j in range(10)) / 900
    print(f"{name:22s} ECE {error:.3f}, counts {(k < 10).sum()} of 900 examples")
print("forecasts on an edge between two bins:", ((votes % 10 == 0) & (votes % 100 > 0)).sum())

# %% [markdown]
# The open bin loses the most confident forecasts, those that matter most. Closing the last bin
# mends that. Which of its two neighbours gets a forecast on an inner edge is a convention, yet it
# moves the third decimal: state the rule. (scikit-learn gives it to the lower bin.)
#
# ## Three quantities called ECE
#
# For two labels there are two sensible errors: that of the probability of label 1, as above, and
# that of the *top label*: how often the more probable label is right, against the *confidence*
# $\max(p, 1 - p)$. Mixing the two, confidence against label 1, measures nothing:

# %%
p, y = votes / 100, label_test
confidence, right = np.maximum(p, 1 - p), ((p > 0.5) == y).astype(float)
print(f"probability of label 1 against label 1: {ece_of(p, y):.3f}")
print(f"confidence against being right:         {ece_of(confidence, right):.3f}")
print(f"confidence against label 1 (a mistake): {ece_of(confidence, y):.3f}")
assert confidence.mean() < right.mean()  # too timid
chance, limit = ece_by_chance(p)
print(f"a perfect model with these forecasts:   {chance:.3f}, in 1 of 20 cases above {limit:.3f}")

# %% [markdown]
# The forest's ECE is far above chance: its forecasts are too timid, as an average over trees tends
# to be. For more than two classes there is the top-label error once more, or one error per class.
# Calibrated top labels do not imply calibrated classes, so say which one you report.

# %% [markdown]
# ## ECE 0, and of no use
#
# It rains on 3 days of 10. A forecaster says 0.3 every day, winter and summer. All days fall into
# one bin, the mean forecast is 0.3, the share of rain is 0.3: the ECE is 0. The *Brier score*, the
# mean of $(p - y)^2$, is not:

# %%
predict("05-brier-of-the-base-rate", ..., ask="Brier score of saying 0.3 every day?")

# %% [markdown]
# Let the true probability of rain vary from day to day like a Beta(0.6, 1.4), with mean 0.3. Three
# forecasters, all perfectly calibrated: one says the base rate, one knows only whether the true
# probability lies above 0.3 and says the share of rain on such days, one says the truth. The
# variance of the forecasts is called *sharpness*. The last row is computed by integration.

# %% same=True
from scipy import integrate, special, stats

q = stats.beta(0.6, 1.4).rvs(100_000, random_state=numpy_rng(2))
y = (numpy_rng(4).random(q.size) < q).astype(int)
halves = np.where(q > 0.3, y[q > 0.3].mean(), y[q <= 0.3].mean())
print("forecaster     ECE   Brier    NLL  sharpness")
for name, p in {"base rate": np.full(q.size, y.mean()), "two halves": halves, "truth": q}.items():
    nll = -np.log(np.where(y == 1, p, 1 - p)).mean()
    print(
        f"{name:10s} {ece_of(p, y):7.3f} {((p - y) ** 2).mean():7.2f} {nll:6.2f} {p.var():10.2f}"
    )
days = stats.beta(0.6, 1.4)
nats = integrate.quad(lambda q: (special.entr(q) + special.entr(1 - q)) * days.pdf(q), 0, 1)[0]
print(f"oracle     {0:7.3f} {0.6 * 1.4 / 6:7.2f} {nats:6.2f} {days.var():10.2f}")

# %% [markdown]
# Your prediction:

# %%
reveal("05-brier-of-the-base-rate", round(0.3 * (1 - 0.3), 2), within=0.005)

# %% [markdown]
# All three have an ECE near 0, and the one who knows most has the largest. Brier score and NLL
# put them in the right order. Both are *proper*: no forecast has a better expected score than the
# true probability. The ECE is not, since it cannot tell the first row from the last.
#
# The two scores differ in how they charge confidence. A forecast of 0.99 for what does not happen:

# %% same=True
wrong = 1 - np.array([0.9, 0.99, 0.9999])  # probability of the label that occurred
print("NLL:  ", " ".join(f"{x:.2f}" for x in -np.log(wrong)))
print("Brier:", " ".join(f"{x:.2f}" for x in (1 - wrong) ** 2))
sure, other = np.eye(3)[0], np.eye(3)[1]  # three classes: all on one, another occurs
print("multi-class Brier at worst:", ((sure - other) ** 2).sum())

# %% [markdown]
# The NLL has no upper limit; the Brier score is at most 1 for two labels. Summed over the classes,
# as usual for more than two, it is at most 2, not 1.

# %% [markdown]
# ## Taking the Brier score apart
#
# Calibration is one part of the Brier score. Put the forecasts into bins, or any other groups, and
# let $\bar p$ and $\bar y$ be the means of the bin in which an example lies, $\bar o$ the share of
# ones among all. A long bar over an expression is its mean over all examples.
#
# $$
# \begin{aligned}
# (5) && p - y &= (\bar p - \bar y) + (p - \bar p) - (y - \bar y) \\
# (6) && \overline{(p - y)^2} &= \overline{(\bar p - \bar y)^2} + \overline{(p - \bar p)^2}
#   - 2\,\overline{(p - \bar p)(y - \bar y)} + \overline{(y - \bar y)^2} \\
# (7) && \overline{(y - \bar y)^2} &= \bar o (1 - \bar o) - \overline{(\bar y - \bar o)^2} \\
# (8) && \mathrm{Brier} &= \underbrace{\overline{(\bar p - \bar y)^2}}_{\text{reliability}}
#   - \underbrace{\overline{(\bar y - \bar o)^2}}_{\text{resolution}}
#   + \underbrace{\bar o (1 - \bar o)}_{\text{uncertainty}}
#   + \underbrace{\overline{(p - \bar p)^2}}_{\text{variance within}}
#   - \underbrace{2\,\overline{(p - \bar p)(y - \bar y)}}_{\text{covariance within}}
# \end{aligned}
# $$
#
# In (6), products with $\bar p - \bar y$ vanish: it is constant in each bin, and the other factors
# have mean zero there. (7) says that the variance of the labels is the part within bins plus the
# part between them. Most texts stop after three terms. For the forest, line by line:

# %%
p, y, k = votes / 100, label_test, np.minimum(votes // 10, 9)
p_bar, y_bar = (np.array([v[k == j].mean() for j in range(10)])[k] for v in (p, y))
o = y.mean()
assert np.allclose(p - y, (p_bar - y_bar) + (p - p_bar) - (y - y_bar))  # (5)
brier, spread = ((p - y) ** 2).mean(), ((y - y_bar) ** 2).mean()
within = ((p - p_bar) ** 2).mean() - 2 * ((p - p_bar) * (y - y_bar)).mean()
assert np.isclose(brier, ((p_bar - y_bar) ** 2).mean() + within + spread)  # (6)
assert np.isclose(spread, o * (1 - o) - ((y_bar - o) ** 2).mean())  # (7)
three = ((p_bar - y_bar) ** 2).mean() - ((y_bar - o) ** 2).mean() + o * (1 - o)
print(f"Brier score {brier:.5f}, three terms {three:.5f}, five terms {three + within:.5f}")

# %% [markdown]
# Three terms are off in the fourth decimal. They are exact only if all forecasts of a bin are
# equal, or if the two terms within bins happen to cancel. Note the signs: resolution is
# *subtracted*, uncertainty is *added*. The forecaster who says the base rate has reliability 0 and
# resolution 0, so that his score is the uncertainty. Calibration alone is no achievement; the
# Brier score is not "the calibration metric" but a proper score, of which calibration is one part.

# %% [markdown]
# ## A network that is too sure
#
# Now a model that needs repair. The data are 1797 small images of digits. To know the truth, we
# replace 15 of 100 labels by another digit, drawn at random. Whatever the image, nobody can be
# right more often than 0.85, nor have an expected NLL below that of the true probabilities:

# %% same=True
from sklearn.datasets import load_digits

pixels, clean = load_digits(return_X_y=True)
rng = numpy_rng(5)
wrong = (clean + rng.integers(1, 10, clean.size)) % 10
noisy = np.where(rng.random(clean.size) < 0.15, wrong, clean)
train, held_out, test = np.split(rng.permutation(clean.size), [800, 1200])
pixels = torch.tensor(pixels / 16, dtype=torch.float32, device=device)
labels = torch.tensor(noisy, device=device)
oracle_nll = -0.85 * np.log(0.85) - 0.15 * np.log(0.15 / 9)
print(f"oracle: {oracle_nll:.2f} nats; sizes {train.size}, {held_out.size}, {test.size}")

# %% [markdown]
# A small network sees the training part 120 times, long enough to learn the wrong labels by heart.


# %%
def train_network(weight_decay=0.0, smoothing=0.0, dropout=0.0):
    with torch.random.fork_rng(devices=[]):  # layers and dropout use the global generator
        torch.manual_seed(0)
        layers = torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Dropout(dropout)
        net = torch.nn.Sequential(*layers, torch.nn.Linear(128, 10)).to(device)
        adam = torch.optim.Adam(net.parameters(), lr=0.03, weight_decay=weight_decay)

        def loss():
            return F.cross_entropy(net(pixels[train]), labels[train], label_smoothing=smoothing)

        fit(loss, adam, steps=120, progress=False)
    return net


def collect(net, training=False):  # net.train(False) is net.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return net.train(training)(pixels).double()


logits = collect(train_network())

# %% [markdown]
# `scores` measures logits after division by a *temperature* $T$. A confidence is the probability
# of the most probable class, and the ECE is that of the top label.


# %%
def scores(logits, rows, T=1.0):
    z, k = logits[rows] / T, labels[rows]
    p = z.softmax(1)
    confidence, top = (v.cpu().numpy() for v in p.max(1))
    right = (top == noisy[rows]).astype(float)
    brier = (p - F.one_hot(k, 10)).pow(2).sum(1).mean().item()
    nll, ece = F.cross_entropy(z, k).item(), ece_of(confidence, right)
    return {"accuracy": right.mean(), "confidence": confidence.mean(), "ECE": ece} | {
        "Brier": brier,
        "NLL": nll,
    }


for name, rows in {"training": train, "test": test}.items():
    print(f"{name:8s}", " ".join(f"{k} {v:.2f}" for k, v in scores(logits, rows).items()))

# %% [markdown]
# On what it was trained with, the network is right and sure. On new images it is right seven times
# in ten and says nine in ten. Its NLL is no better than that of a uniform guess, log 10 = 2.30
# nats, although in accuracy it beats that guess by far: so much do confident mistakes cost.
#
# The cheapest repair divides all logits by one $T$, chosen where the NLL is smallest. With
# $\beta = 1/T$, $z_y$ the logit of the label and $p$ the softmax of $\beta z$:
#
# $$
# \begin{aligned}
# (9) && \mathrm{NLL} &= \log \textstyle\sum_j e^{\beta z_j} - \beta z_y \\
# (10) && \mathrm{d\,NLL} / \mathrm{d}\beta &= \textstyle\sum_j p_j z_j - z_y \\
# (11) && \mathrm{d^2 NLL} / \mathrm{d}\beta^2 &= \textstyle\sum_j p_j z_j^2
#   - \big(\sum_j p_j z_j\big)^2 \ge 0
# \end{aligned}
# $$
#
# (11) is the variance of the logits under $p$. So the NLL is convex in $\beta$ and has one
# minimum; there, by (10), the logit that the model expects equals the logit of the label on
# average.

# %%
beta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
z, k = logits[held_out].cpu(), labels[held_out].cpu()
nll = F.cross_entropy(beta * z, k)
of_label, p = z.gather(1, k[:, None])[:, 0], (beta * z).softmax(1)
assert torch.isclose(nll, ((beta * z).exp().sum(1).log() - beta * of_label).mean())  # (9)
(slope,) = torch.autograd.grad(nll, beta, create_graph=True)
mean = (p * z).sum(1)
assert torch.isclose(slope, (mean - of_label).mean())  # (10)
(curvature,) = torch.autograd.grad(slope, beta)
assert torch.isclose(curvature, ((p * z**2).sum(1) - mean**2).mean())  # (11)

# %% [markdown]
# Which examples may choose $T$? Try all three parts, with 300 values of $T$ from 0.1 to 10:

# %%
temperatures = np.geomspace(0.1, 10, 300)
curves = {}


def best_temperature(logits, rows):
    nlls = [F.cross_entropy(logits[rows] / T, labels[rows]).item() for T in temperatures]
    return temperatures[np.argmin(nlls)], np.array(nlls)


for name, rows in {"training": train, "held-out": held_out, "test": test}.items():
    T, curves[name] = best_temperature(logits, rows)
    print(f"{name:8s} best T {T:.1f}, test NLL with it {scores(logits, test, T)['NLL']:.2f}")
best_T = best_temperature(logits, held_out)[0]

# %% [markdown]
# The training part asks for a $T$ below 1: the network has bent its logits to these labels and
# would like to be surer still. The test part must not choose, or its score no longer says how the
# model does on new data. Hence a third, held-out part. The same holds for every method below.


# %% alt="Left: reliability of the network at T = 1, far below the diagonal. Right: NLL over T."
def draw_temperature(T=1.0):
    _, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.2))
    p, top = (v.cpu().numpy() for v in (logits[test] / T).softmax(1).max(1))
    draw_reliability(p, top == noisy[test], ax=left)
    now = scores(logits, test, T)
    left.set(xlabel="mean confidence", ylabel="share that is right")
    left.set_title(f"T = {T:.1f}: ECE {now['ECE']:.2f}, accuracy {now['accuracy']:.2f}")
    plot_curve(temperatures, curves["test"], ax=right, label="test")
    plot_curve(temperatures, curves["held-out"], ax=right, color="C2", label="held-out")
    right.plot(T, now["NLL"], "o", color="C1", markersize=9)
    right.axhline(oracle_nll, color="black", linestyle="--", label="oracle")
    right.set(xlabel="temperature T", ylabel="NLL (nats)", xscale="log", ylim=(0.5, 4))
    right.set_title(f"Test NLL {now['NLL']:.2f} nats")
    return right.legend(loc="upper right")


_ = draw_temperature()

# %% [markdown]
# At $T = 1$ and from a confidence of 0.5 upwards the dots lie below the bars: sure, and wrong.
# **Move `T`** until they reach the bars. Is that also where the NLL is smallest? Watch the
# accuracy, too.

# %%
interactive(draw_temperature, T=(0.5, 8.0, 0.1))

# %% [markdown]
# In numbers:

# %%
for name, T in {"T = 1": 1.0, f"T = {best_T:.1f}": best_T}.items():
    print(f"{name:8s}", " ".join(f"{k} {v:.2f}" for k, v in scores(logits, test, T).items()))
p = (logits[test] / best_T).softmax(1).max(1).values.cpu().numpy()
print(f"ECE of a perfect model with these confidences: {ece_by_chance(p)[0]:.2f}")

# %% [markdown]
# One number takes a whole nat off, and the accuracy does not change: the largest logit stays the
# largest. But the ECE stays more than twice that of a perfect model, and the NLL far from the
# oracle's 0.75. A temperature makes the model less sure everywhere alike. It does not teach it on
# which images it is wrong.
#
# The most probable class of each example stays. Does the *order* of two examples stay, too: can
# temperature change which of them the model is more confident about?

# %%
predict(
    "05-does-temperature-keep-the-order",
    ...,
    ask="Three classes. Can a temperature swap which of two examples has the higher confidence?",
    choices=("yes", "no"),
)

# %% [markdown]
# Two examples, at $T = 1$ and at $T = 2$. The first is torn between two classes and excludes the
# third; the second has one favourite and excludes nothing.

# %% same=True
two = torch.tensor([[0.1, 0.0, -8.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
for T in (1, 2):
    print(
        f"T = {T}: confidences", " ".join(f"{c:.3f}" for c in (two / T).softmax(1).max(1).values)
    )
on_probabilities = (two.softmax(1) / 2).softmax(1).max(1).values
print("softmax(p / 2), a mistake: ", " ".join(f"{c:.3f}" for c in on_probabilities))
reveal("05-does-temperature-keep-the-order", "yes")

# %% [markdown]
# Yes. With two classes the order stays, with three it need not: whoever sends the least confident
# examples to a human sends other ones afterwards. Temperature belongs to logits, not to
# probabilities; the last line shows what the second softmax does to both examples.

# %% [markdown]
# ## What training does to confidence
#
# It is often said that weight decay makes networks overconfident, because it "pushes logits high".
# And label smoothing is praised as a cure by some and blamed by others. Train and see:

# %%
print("network           accuracy confidence  ECE   NLL    T  NLL at T")
thinned = train_network(dropout=0.5)
for name, z in {
    "plain": logits,
    "weight decay": collect(train_network(weight_decay=0.003)),
    "label smoothing": collect(train_network(smoothing=0.15)),
    "dropout": collect(thinned),
    "dropout left on": collect(thinned, training=True),
}.items():
    T, _ = best_temperature(z, held_out)
    s, after = scores(z, test), scores(z, test, T)["NLL"]
    row = f"{s['accuracy']:8.2f} {s['confidence']:10.2f} {s['ECE']:6.2f} {s['NLL']:5.2f}"
    print(f"{name:17s} {row} {T:4.1f} {after:7.2f}")

# %% [markdown]
# Weight decay makes the logits smaller here, not larger: the network is more accurate and needs a
# smaller temperature. Guo and others (2017) saw the same: *less* weight decay, worse calibration.
# Label smoothing, here at about the noise rate, makes the network less sure, too: its best
# temperature is about 1. That is a prior on confidence, not a measurement of it: on clean labels
# the same smoothing would make the network too timid. Held-out data decide.
#
# The last two rows are *one* network. Dropout belongs to training; left on while the logits are
# collected (no `net.eval()`), it makes them those of another, worse network, which nobody will
# use. The temperature is little harmed here; accuracy and NLL are.
#
# Nor are networks overconfident as a law of nature. Convolutional networks of 2017 were; Minderer
# and others (2021) found newer image models well calibrated. Measure yours.

# %% [markdown]
# ## A boosted model from scikit-learn
#
# Now a model that you would meet at work: gradient boosting with its default settings, on 1000
# examples of a made-up world whose true probabilities are known. Another 500 examples are held out
# for calibration, and 5000 are for the test.


# %%
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator


def world(n, rng):
    x = rng.standard_normal((n, 8))
    q = special.expit(1.2 * x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) - 0.5)
    return x, (rng.random(n) < q).astype(int), q


rng = numpy_rng(3)
(x, y, _), (x_held, y_held, _), (x_test, y_test, q_test) = (
    world(n, rng) for n in (1000, 500, 5000)
)
boosted = HistGradientBoostingClassifier(random_state=0).fit(x, y)

# %% [markdown]
# Three recalibrations of its score $s$, the log-odds. All are fitted on held-out data:
#
# - **Platt's sigmoid**: $p = \sigma(a s + b)$, a logistic regression on one score;
# - **temperature**: the same with $b = 0$ and $a = 1/T$;
# - **isotonic regression**: any non-decreasing function of $s$, the one with the smallest
#   squared error.
#
# `FrozenEstimator` tells `CalibratedClassifierCV` to leave the model as it is, so that only the
# map from score to probability is fitted. We check two of its maps by other routes.

# %%
from sklearn.isotonic import IsotonicRegression

maps = {
    method: CalibratedClassifierCV(FrozenEstimator(boosted), method=method).fit(x_held, y_held)
    for method in ("sigmoid", "temperature", "isotonic")
}
s_held, s_test = boosted.decision_function(x_held), boosted.decision_function(x_test)
steps = IsotonicRegression(out_of_bounds="clip").fit(s_held, y_held).predict(s_test)
assert np.allclose(steps, maps["isotonic"].predict_proba(x_test)[:, 1])
betas = np.linspace(0.1, 1.0, 901)
nlls = [np.logaddexp(0, -b * (2 * y_held - 1) * s_held).mean() for b in betas]
ours = special.expit(betas[np.argmin(nlls)] * s_test)
assert abs(ours - maps["temperature"].predict_proba(x_test)[:, 1]).max() < 0.001
forecasts = {"boosting": boosted.predict_proba(x_test)[:, 1]}
forecasts |= {method: c.predict_proba(x_test)[:, 1] for method, c in maps.items()}

# %% [markdown]
# The reliability diagram before and after, drawn by scikit-learn:

# %% alt="Boosting is too sure at both ends; Platt's sigmoid lies closer to the diagonal."
_, ax = plt.subplots(figsize=(4.8, 4.4))
for name, color in {"boosting": "C1", "sigmoid": "C0"}.items():
    look = {"name": name, "color": color, "ax": ax}
    CalibrationDisplay.from_predictions(y_test, forecasts[name], n_bins=10, **look)
ax.set(xlabel="mean forecast", ylabel="share of ones", xlim=(0, 1), ylim=(0, 1.03))
ax.set_title("5000 test examples")
_, mean_p, share = in_bins(forecasts["boosting"], y_test)
for i in (0, -1):
    print(f"boosting says {mean_p[i]:.2f}, share of ones {share[i]:.2f}")
# %% [markdown]
# Boosting is too sure at both ends. The sigmoid lies closer to the diagonal. Its last square rests
# on a single example, which this picture does not tell. The table, with the true probabilities as
# the last row:

# %%
from sklearn.metrics import roc_auc_score


def table_row(name, p, y=y_test):
    nll = -special.xlogy(1, np.where(y == 1, p, 1 - p)).mean()  # log 0 without a warning
    numbers = [((p > 0.5) == y).mean(), roc_auc_score(y, p), ece_of(p, y), ece_by_chance(p)[0]]
    numbers += [((p - y) ** 2).mean(), nll, p.var()]
    print(f"{name:18s}" + " ".join(f"{v:9.3f}" for v in numbers) + f" {len(np.unique(p)):8d}")


header = f"{'':18s}" + " ".join(
    f"{h:>9s}" for h in ("accuracy", "AUC", "ECE", "by chance", "Brier", "NLL", "sharpness")
)
print(header, "distinct")
for name, p in (forecasts | {"oracle": q_test}).items():
    table_row(name, p)

# %% [markdown]
# Read it row by row. Platt and temperature leave the order of the examples alone, so the AUC (the
# probability that a one gets a higher score than a zero) stays; the sigmoid moves the accuracy
# a little, because $b$ moves the threshold. Sharpness falls: the forecasts were sharper than the
# model's knowledge. NLL and Brier score improve, and yet the oracle remains far away: calibration
# repairs what the model says about its knowledge, not the knowledge.
#
# Isotonic regression needs more data than two numbers do. Its steps tie examples that had
# different scores, so that the AUC falls. And its NLL is infinite: look at its lowest and highest
# step.

# %%
p = forecasts["isotonic"]
certain = (p == 0) | (p == 1)
missed = (certain & (p != y_test)).sum()
print(f"exactly 0 or 1 for {certain.sum()} of 5000 examples, wrong {missed} times")

# %% [markdown]
# A step whose held-out labels are all equal becomes 0 or 1. scikit-learn's `log_loss` hides that,
# since it clips probabilities a little before it takes the logarithm.

# %% [markdown]
# ## A gain that is not calibration
#
# Without `FrozenEstimator`, `CalibratedClassifierCV(model, cv=3)` trains *three* models, each on
# two thirds of the data, calibrates each on the rest, and averages. Comparing it with one model
# mixes two effects. Give it all 1500 examples, so that each of the three sees 1000, as our model
# did, and undo the calibration:

# %%
x_all, y_all = np.concatenate([x, x_held]), np.concatenate([y, y_held])
both = CalibratedClassifierCV(clone(boosted), method="isotonic", cv=3).fit(x_all, y_all)
members = both.calibrated_classifiers_
print(header, "distinct")
table_row("one", members[0].estimator.predict_proba(x_test)[:, 1])
table_row("one, calibrated", members[0].predict_proba(x_test)[:, 1])
table_row(
    "three, averaged", np.mean([m.estimator.predict_proba(x_test) for m in members], 0)[:, 1]
)
table_row("three, calibrated", both.predict_proba(x_test)[:, 1])

# %% [markdown]
# The average of three *uncalibrated* models already has the better Brier score: nearly all of the
# gain in the last row comes from averaging. "Calibration improved the Brier score" would be the
# wrong conclusion. Change one thing at a time: freeze the model, or compare ensembles with
# ensembles.
#
# A last trap of the same kind. `SVC(probability=True)` is often drawn as the "uncalibrated"
# support vector machine. It is Platt-scaled already, by an inner cross-validation, and
# scikit-learn has deprecated the argument:

# %%
import warnings

from sklearn.svm import SVC

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    machine = SVC(probability=True, random_state=0).fit(x[:300], y[:300])
score, p = machine.decision_function(x_test), machine.predict_proba(x_test)[:, 1]
line = np.polyval(np.polyfit(score, special.logit(p), 1), score)
assert abs(line - special.logit(p)).max() < 0.1  # up to the tolerance of its solver
print(caught[0].category.__name__ if caught else "no warning in this version")

# %% [markdown]
# The log-odds of its probabilities are a straight line in its score: two fitted numbers, Platt's.

# %% [markdown]
# ## Recap
#
# 1. Calibrated means that forecasts keep their promise on average. Show a reliability diagram with
#    counts, and with what chance would do.
# 2. Answer d: nothing follows. A perfect model has an ECE near 0.10 on 100 examples, and the base
#    rate has 0. An ECE needs the value by chance beside it, and a proper score.
# 3. Brier = reliability − resolution + uncertainty, plus two terms within the bins.
# 4. Fit a temperature, Platt's sigmoid or isotonic steps on held-out data. The first keeps the top
#    class, the first two keep the order for two classes, the third needs more data.
# 5. Choose between models by NLL and Brier score; change one thing at a time.

# %% [markdown]
# ## Two interview questions
#
# *Your classifier has a test ECE of 0.03. After temperature scaling it is 0.04, while the NLL has
# fallen clearly. 300 test examples, 15 bins. Do you ship the scaled model?*
#
# *A colleague recalibrates on the validation set that also chose the number of training epochs.
# How bad is that?*
#
# Think first. The cell belongs to the first: the ECE of a perfect model under these conditions.

# %% same=True
eces = perfect_eces(300, 15)
print(f"mean {eces.mean():.2f}, standard deviation {eces.std():.2f}")

# %% [markdown]
# **The ECE.** Yes. A perfect model has about 0.07 here if its forecasts are spread evenly, give or
# take 0.01; forecasts close to 0 and 1 bring that down, but a difference of 0.01 remains within
# chance. The NLL compares the two models example by example, and it is proper. Before you
# ship, give the difference its standard error.
#
# **The validation set.** Less bad than the training set: a number of epochs bends the logits to
# these labels only a little, and a temperature is one number. But the bend is in the dangerous
# direction, towards too much confidence, and the more was chosen on that set, the larger it is. A
# part of its own is cheap; the test set stays out of all of it.

# %% [markdown]
# ## What to read next
#
# - C. Guo and others, "On calibration of modern neural networks", *ICML* (2017): temperature
#   scaling, and what made networks of that time overconfident.
# - M. Minderer and others, "Revisiting the calibration of modern neural networks", *NeurIPS*
#   (2021): the same question for newer models, with other answers.
# - J. Bröcker and L. A. Smith, "Increasing the reliability of reliability diagrams", *Weather and
#   Forecasting* (2007): the bars by redrawing labels.
# - D. B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, "Two extra components in the Brier score
#   decomposition", *Weather and Forecasting* (2008): the terms within the bins.
# - A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", *NeurIPS* (2019): why binned
#   errors are underestimated for continuous forecasts, and better estimators.
# - A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning",
#   *ICML* (2005): which classical models are too sure and which too timid; Platt against isotonic.
# - J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
#   likelihood methods", in *Advances in Large Margin Classifiers* (1999): the sigmoid and its
#   smoothed targets.
#
# ## Your turn
#
# The assignment `05_calibration` has eight exercises:
#
# 1. an ECE with edges of your own that loses no example;
# 2. the forecaster who knows only the base rates, for many classes;
# 3. a reliability table of equal counts, with Wilson's intervals;
# 4. the exact decomposition of a weighted Brier score;
# 5. a comparison of two models that can say "undecided";
# 6. a temperature to six digits, from held-out rows;
# 7. Platt's sigmoid by hand;
# 8. in words: what a bare ECE hides.
