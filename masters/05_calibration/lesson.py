# %% [markdown]
# # Calibration
#
# Two models forecast which customers will leave. Model A knows that half of them do, and says 0.5
# for everybody. Model B states, for each customer, the true probability that this one leaves; over
# the customers these are spread evenly from 0 to 1. On 100 new customers, both get an *expected
# calibration error* (ECE, explained below; ten equal bins; smaller is better). **In how many of a
# hundred such test sets does the ignorant A get the smaller one?**

# %% [markdown]
# **After this lesson you can** draw a reliability diagram that shows how much of it is chance; say
# what an ECE is worth and what it can rank; take a Brier score apart exactly; recalibrate a model
# with a temperature, Platt's sigmoid or isotonic regression; and turn probabilities into
# decisions.
#
# **You need** the NLL of labels, logits, sigmoid and softmax (unit 01), and NumPy. Reading takes
# about 50 minutes, running some 11 seconds. Symbols: [notation](00_start.ipynb#Notation).
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

from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_curve, plot_data, plot_oracle, use_course_style
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
    "05-the-ignorant-model",
    ...,
    ask="In how many of a hundred test sets does A get the smaller ECE?",
    choices=("in hardly any", "in about a third", "in about half", "in about 95"),
)

# %% [markdown]
# ## What a probability promises
#
# A forecast of 0.7 makes a promise: of all the cases that get it, seven in ten turn out to be
# ones. A model that keeps this promise for each of its forecasts is *calibrated*. Data hold few
# cases with the very same forecast, so forecasts are put into bins. For each bin one compares the
# mean forecast with the share of ones; a plot of the two is the *reliability diagram*.
#
# To see what chance alone does to it, we start with a model that is perfect by construction: each
# forecast is drawn evenly from 0 to 1, and its label is 1 with just this probability.


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


# %% hide=True alt="Ten dots of a perfect model, scattered about the diagonal within wide bars."
def redrawn_range(p, bins=10):  # 5% and 95% points of the shares, if the forecasts are right
    redrawn = numpy_rng(0).random((200, len(p))) < p
    return np.quantile([in_bins(p, new, bins)[2] for new in redrawn], [0.05, 0.95], axis=0)


def draw_reliability(p, y, bins=10, ax=None, title=None):
    ax = ax or plt.subplots(figsize=(4.8, 4.4))[1]
    count, mean_p, share = in_bins(p, y, bins)
    low, high = redrawn_range(p, bins)
    look = {"color": "#ABD9F4", "linewidth": 9, "zorder": 1}
    ax.vlines(mean_p, low, high, label="labels redrawn", **look)
    plot_oracle([0, 1], [0, 1], ax=ax, label="calibrated")
    plot_data(mean_p, share, ax=ax, label="data", markersize=7, color="C1")
    for x, height, n in zip(mean_p, np.maximum(share, high), count, strict=True):
        ax.text(x, height + 0.03, n, ha="center", fontsize=8)
    ax.set(xlabel="mean forecast", ylabel="share of ones", xlim=(-0.04, 1.04), ylim=(-0.03, 1.16))
    ax.set_title(title)
    return ax


title = "Right forecasts, and dots off the diagonal"
_ = draw_reliability(p, y, title=title).legend(loc="lower right", fontsize=8)

# %% [markdown]
# The numbers are the counts. Every forecast is exactly right, and still the dots leave the
# diagonal: with ten labels in a bin, the share of ones moves in steps of a tenth. How far may a
# dot lie from the diagonal if the forecasts are right? The bars tell: keep the forecasts, draw new
# labels from them 200 times, and leave out the lowest and the highest 5% of the shares. Since a
# share moves in steps, a bar holds more than nine in ten of them:

# %%
low, high = redrawn_range(p)
fresh = [in_bins(p, new)[2] for new in numpy_rng(1).random((1000, 100)) < p]
held = ((low - 1e-9 <= fresh) & (fresh <= high + 1e-9)).mean(0)
print(f"share of new draws inside a bar: {held.min():.2f} to {held.max():.2f}")
print(f"on average: {held.mean():.2f}")

# %% [markdown]
# scikit-learn's `calibration_curve` finds the same dots. It does not return the counts, without
# which nobody can tell what a dot is worth.

# %%
from sklearn.calibration import calibration_curve

theirs = calibration_curve(y, p, n_bins=10)
assert np.allclose(theirs, (share, mean_p))
print("examples in each bin:", count)

# %% [markdown] card="05-what-calibrated-means"
# What does it mean that a forecaster is calibrated? Does it say that she knows much?
#
# **Answer.** Of the cases that get the forecast p, a share p turns out to be ones, for each p. It
# says nothing about how much was promised: the base rate for everybody is calibrated, too.

# %% [markdown]
# ## One number: the ECE
#
# As a formula, calibration is $P(y = 1 \mid \text{forecast} = p) = p$ for each $p$ that is stated.
# The *expected calibration error* is the mean distance of the dots from the diagonal, each
# weighted with its count. With $n_k$ of $N$ examples in bin $k$, $\bar p_k$ their mean forecast
# and $\bar y_k$ their share of ones:
#
# $$\mathrm{ECE} = \sum_k \frac{n_k}{N} \left| \bar p_k - \bar y_k \right|$$
#
# Draw 100 examples from the perfect model, as above. What do you expect for its ECE?

# %%
predict(
    "05-ece-of-a-perfect-model",
    ...,
    ask="Mean ECE of a perfect model on N = 100 examples, 10 bins, forecasts uniform on (0, 1)?",
)

# %% [markdown] fold="05-ece-of-a-perfect-model"
# ### A thousand test sets

# %% [markdown]
# Draw the 100 examples 1000 times. A bin's count times its mean gap is the sum of its $p - y$, so
# one `bincount` does for all test sets:


# %%
def ece_of(p, y, bins=10):
    count, mean_p, share = in_bins(p, y, bins)
    return count @ abs(mean_p - share) / len(p)


def perfect_eces(n, bins, draws=1000):
    rng = numpy_rng(0)
    forecasts = rng.random((draws, n))
    gaps = forecasts - (rng.random((draws, n)) < forecasts)
    place = bins * np.arange(draws)[:, None] + (bins * forecasts).astype(int)
    sums = np.bincount(place.ravel(), gaps.ravel(), draws * bins).reshape(draws, bins)
    return abs(sums).sum(axis=1) / n


eces = perfect_eces(100, 10)
because = {0: "Zero is the error of the model. That of a hundred labels is added, always upwards."}
reveal("05-ece-of-a-perfect-model", round(eces.mean(), 3), within=0.02, because=because)

# %% [markdown]
# A tenth, from a model that is never wrong. In the weighted sum every distance counts as positive,
# so chance cannot cancel. We can compute how much it leaves. In bin $k$, the gap is a mean of
# $n_k$ independent terms $p - y$ with mean zero and variance $p(1 - p)$:
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
# The bias falls only as $1/\sqrt N$, and it grows with the number of bins.

# %% [markdown] card="05-ece-is-biased-upwards"
# Why is the ECE of a perfect model above 0 on a finite test set, and what moves it?
#
# **Answer.** Chance carries each dot off the diagonal, and all distances count as positive. It
# falls only as one over the root of N, and grows with the number of bins.

# %% [markdown]
# ### Four hundred perfect models
#
# The same with other numbers of examples and bins:


# %% hide=True alt="Histogram of 400 ECEs of a perfect model: centred at 0.10, none near zero."
def draw_perfect(n=100, bins=10):
    eces = perfect_eces(n, bins, draws=400)
    _, ax = plt.subplots()
    ax.hist(eces, bins=30, color="C0", label="400 test sets")
    formula = np.sqrt(np.pi * bins / 32 / n)
    ax.axvline(formula, color="black", linestyle="--", label=f"formula (4): {formula:.3f}")
    ax.set(xlabel="ECE of a perfect model", ylabel="test sets", xlim=(0, None))
    ax.set_title(f"The true error is 0; the smallest ECE of 400 is {eces.min():.3f}")
    ax.legend()


draw_perfect()

# %% [markdown]
# **Move `n`:** how many examples does it take until a perfect model has half the ECE that it has
# on a hundred? **Move `bins`:** more bins look finer; what do they cost?

# %%
interactive(draw_perfect, n=(50, 1000, 50), bins=(5, 50, 5))

# %% [markdown]
# ## What an ECE is worth
#
# Formula (4) is for uniform forecasts. Yours are others, so compute the level of chance from
# *them*: redraw the labels from the forecasts, as in the diagram. An ECE above what 1 in 20 of
# these draws exceeds is a test's verdict that the forecasts are not calibrated. The same 100
# customers again, and 100 of a company that few customers leave, with forecasts from a Beta(1, 9):


# %%
def ece_by_chance(p, bins=10, draws=200):  # mean, and the value that 1 in 20 exceeds
    redrawn = numpy_rng(0).random((draws, len(p))) < p
    k = np.minimum((p * bins).astype(int), bins - 1)
    eces = abs((redrawn - p) @ np.eye(bins)[k]).sum(1) / len(p)  # all draws at once
    return eces.mean(), np.quantile(eces, 0.95)


few = numpy_rng(0).beta(1, 9, 100)
for name, forecasts in {"uniform": numpy_rng(3).random(100), "Beta(1, 9)": few}.items():
    mean, limit = ece_by_chance(forecasts, draws=4000)
    print(f"{name:10s} by chance {mean:.2f}, in 1 of 20 cases above {limit:.2f}")

# %% [markdown]
# An ECE of 0.10 is what a perfect model is expected to have in the first company; in the second,
# fewer than 1 perfect model in 20 has it. Without its level of chance, the number says nothing.
#
# Chance can also be taken off. The squared gap of a bin has as its mean the square of the true gap
# plus a variance as in (1), which $\bar y_k (1 - \bar y_k) / (n_k - 1)$ estimates. What is left is
# the *debiased* squared error (Kumar and others, 2019). Here for the perfect model and for one
# that is too sure, whose log-odds are twice what they should be; the last column is how often the
# test finds something.

# %%
from scipy import special


def squared_error(p, y, debiased):
    count, mean_p, share = in_bins(p, y)
    chance = share * (1 - share) / np.maximum(count - 1, 1) if debiased else 0
    return count @ ((mean_p - share) ** 2 - chance) / len(p)


def many_sets(n, doubt, draws=400):  # forecasts, and labels; the model is right if doubt is 1
    p, u = numpy_rng(n).random((2, draws, n))
    return p, (u < special.expit(doubt * special.logit(p))).astype(int)


# %% [markdown]
# The squares are multiplied by 1000. For the overconfident model the true values are known from
# a million examples:

# %%
print("                   mean ECE   squared   debiased   found")
for name, doubt in {"perfect": 1.0, "too sure": 0.5}.items():
    for n in (100, 1000, 10_000):
        sets = list(zip(*many_sets(n, doubt, draws=min(400, 400_000 // n)), strict=True))
        eces = np.array([ece_of(p, y) for p, y in sets])
        squares = [1000 * np.mean([squared_error(*s, d) for s in sets]) for d in (False, True)]
        found = (eces > np.quantile(perfect_eces(n, 10, 200), 0.95)).mean()
        row = f"{eces.mean():8.3f} {squares[0]:9.2f} {squares[1]:10.2f} {found:8.2f}"
        print(f"{name:8s} {n:7d} {row}")
p, y = (v[0] for v in many_sets(1_000_000, 0.5, draws=1))
print(f"{'too sure':8s}   truth {ece_of(p, y):8.3f} {1000 * squared_error(p, y, False):9.2f}")

# %% [markdown]
# The plain numbers of small test sets are too large, for a perfect model above all; a model that
# is far off shows its error at any size. So ECEs of test sets of different size can be compared
# only where both lie far above chance. The debiased square has the right mean for every size (for
# a single test set it may well be negative: subtract, do not clip, if you average). And on 100
# customers the test misses an overconfidence as gross as this in half of all cases.

# %% [markdown] card="05-level-of-chance"
# Your model has a certain ECE. How do you find out whether that is more than chance?
#
# **Answer.** Keep the forecasts, redraw the labels from them many times, and compute the ECE of
# each: that is what a perfect model with these forecasts has. Put that level beside it.

# %% [markdown]
# ## Broken on purpose: the open bin
#
# Code for the ECE often asks for `(p >= low) & (p < high)` in every bin. In which bin is a
# forecast of exactly 1? In none: it is lost, and nothing says so. A decision tree that is grown to
# its end says 0 or 1 and nothing in between; a forest of trees says multiples of one over the
# number of trees, so that many of its forecasts lie exactly on an edge. We count votes as whole
# numbers, to keep rounding out of it.

# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

X, label = make_classification(n_samples=3000, n_features=20, n_informative=10, random_state=42)
X, X_test, label, label_test = train_test_split(X, label, test_size=0.3, random_state=0)
tree = DecisionTreeClassifier(random_state=0).fit(X, label)
forest = RandomForestClassifier(100, random_state=42).fit(X, label)
says = tree.predict_proba(X_test)[:, 1]
print(
    f"the tree says {np.unique(says)} and is right {(says == label_test).mean():.0%} of the time"
)

# %% [markdown]
# It is sure of each of the 900 test examples, so its ECE should be the share of its errors. Half
# of its forecasts are 1.

# %%
predict(
    "05-the-open-bin",
    ...,
    ask="Every bin is open above. Which ECE does the program report for the tree?",
    choices=(
        "the share of errors, as it should",
        "twice as much as it should",
        "about half of what it should",
    ),
)

# %% [markdown] fold="05-the-open-bin"
# ### Three rules for the edges

# %% [markdown]
# The sums run over the bins 0 to 9; where every bin is open above, a forecast of 1 falls into bin
# 10, which does not exist.

# %%
votes = (100 * forest.predict_proba(X_test)[:, 1]).round().astype(int)  # of 100 trees
reported = {}
for name, percent in {"tree": (100 * says).astype(int), "forest": votes}.items():
    surplus = percent / 100 - label_test
    for rule, k in {
        "every bin open above": percent // 10,
        "the last bin closed": np.minimum(percent // 10, 9),
        "every bin closed above": np.maximum(percent - 1, 0) // 10,
    }.items():
        error = sum(abs(surplus[k == j].sum()) for j in range(10)) / 900
        print(f"{name:6s} {rule:22s} ECE {error:.3f}, counts {(k < 10).sum()} of 900 examples")
        reported[name, rule] = error

# %% [markdown]
# Your prediction:

# %%
ratio = reported["tree", "every bin open above"] / reported["tree", "the last bin closed"]
assert 0.4 < ratio < 0.6
because = {
    "the share of errors, as it should": "Who says 1 is in no bin, so those errors are lost."
}
because["twice as much as it should"] = (
    "Nothing is counted twice; a forecast of 1 is counted nowhere."
)
reveal("05-the-open-bin", "about half of what it should", because=because)

# %% [markdown]
# The open bin loses the most confident forecasts, those that matter most, and so it flatters just
# the models that are too sure. The forest has few of them, and happens to be right each time:
# there the mistake is silent. Closing the last bin mends it. Which of its two neighbours gets a
# forecast on an inner edge is a convention, yet it moves the forest's third decimal: state the
# rule. (scikit-learn gives it to the lower bin.)

# %% [markdown] card="05-forecast-of-exactly-one"
# Every bin of an ECE is open above. Which forecasts are lost, and whom does that flatter?
#
# **Answer.** Those of exactly 1: they are in no bin. It flatters the models that are too sure.
# Close the last bin.

# %% [markdown]
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

# %% hide=True alt="The forest's dots: below the diagonal at low forecasts, above it at high ones."
_ = draw_reliability(p, y, title="An average over trees is too timid").legend(loc="lower right")

# %% [markdown]
# The forest's ECE is far above chance: its forecasts are too timid, as an average over trees tends
# to be (each vote is pulled towards the middle). For more than two classes there is the top-label
# error once more, or one error per class. Calibrated top labels do not imply calibrated classes,
# so say which one you report.

# %% [markdown]
# ## Nothing to blame, and of no use
#
# It rains on 3 days of 10. A forecaster says 0.3 every day, winter and summer. All days fall into
# one bin, the mean forecast is the share of rain, and so the ECE is 0. The *Brier score*, the mean
# of $(p - y)^2$, is not:

# %%
predict("05-brier-of-the-base-rate", ..., ask="Brier score of saying 0.3 every day?")

# %% [markdown] fold="05-brier-of-the-base-rate"
# ### Four forecasters

# %% [markdown]
# Let the true probability of rain vary from day to day like a Beta(0.6, 1.4), with mean 0.3. Three
# forecasters are perfectly calibrated: one says the base rate, one knows only whether the true
# probability lies above 0.3 and says the share of rain on such days, one says the truth. A fourth
# knows the truth and exaggerates it: her log-odds are 1.5 times the true ones. The variance of the
# forecasts is called *sharpness*. The last row is computed by integration.

# %% same=True
from scipy import integrate, stats

q = stats.beta(0.6, 1.4).rvs(100_000, random_state=numpy_rng(2))
y = (numpy_rng(4).random(q.size) < q).astype(int)
halves = np.where(q > 0.3, y[q > 0.3].mean(), y[q <= 0.3].mean())
weather = {"base rate": np.full(q.size, y.mean()), "two halves": halves, "truth": q}
weather["exaggerated"] = special.expit(1.5 * special.logit(q))
print("forecaster      ECE   Brier    NLL  sharpness")
for name, p in weather.items():
    nll = -np.log(np.where(y == 1, p, 1 - p)).mean()
    row = f"{ece_of(p, y):7.3f} {((p - y) ** 2).mean():7.2f} {nll:6.2f} {p.var():10.2f}"
    print(f"{name:11s} {row}")
days = stats.beta(0.6, 1.4)
nats = integrate.quad(lambda q: (special.entr(q) + special.entr(1 - q)) * days.pdf(q), 0, 1)[0]
print(f"oracle      {0:7.3f} {0.6 * 1.4 / 6:7.2f} {nats:6.2f} {days.var():10.2f}")

# %% [markdown]
# Your prediction:

# %%
brier = round(0.3 * (1 - 0.3), 2)
because = {
    0: "That is the ECE. The label is 0 or 1, and 0.3 is neither.",
    0.3: "Square the errors.",
}
reveal("05-brier-of-the-base-rate", brier, within=0.005, because=because)

# %% [markdown]
# By ECE the one who knows nothing is ahead of the one who exaggerates; Brier score and NLL say the
# reverse, and by far. Both are *proper*: no forecast has a better expected score than the true
# probability. The ECE is not, since it cannot tell the first row from the third. (Unit 14 is about
# this: [what calibration cannot see](14_scoring_rules.ipynb#Calibration,-and-what-it-cannot-see).)

# %% [markdown] card="05-why-ece-is-not-proper"
# Why can an ECE not choose between two models, where Brier score and NLL can?
#
# **Answer.** It is not proper: the base rate has an ECE of 0, as the truth has. For Brier score
# and NLL no forecast has a better expected score than the true probability.

# %% [markdown]
# ### What a confident miss costs
#
# The two scores differ in how they charge confidence. A forecast of 0.9, 0.99 and 0.9999 for what
# does not happen:

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
# Calibration is one part of the Brier score. Put the forecasts into bins, or any other groups; let
# $\bar p_k$ and $\bar y_k$ be the means of group $k$, $\bar y$ the share of ones among all, and
# $\mathrm{var}_k$, $\mathrm{cov}_k$ the variance and covariance within the group (dividing by
# $n_k$).
#
# $$
# \begin{aligned}
# (5) && \text{mean of } (p - y)^2 \text{ in } k &= (\bar p_k - \bar y_k)^2
#   + \mathrm{var}_k(p - y) \\
# (6) && \mathrm{var}_k(p - y) &= \mathrm{var}_k(p) - 2\, \mathrm{cov}_k(p, y)
#   + \bar y_k (1 - \bar y_k) \\
# (7) && \textstyle\sum_k \frac{n_k}{N}\, \bar y_k (1 - \bar y_k) &= \bar y (1 - \bar y)
#   - \textstyle\sum_k \frac{n_k}{N} (\bar y_k - \bar y)^2 \\
# (8) && \mathrm{Brier} &= \sum_k \frac{n_k}{N} \Big[
#   \underbrace{(\bar p_k - \bar y_k)^2}_{\text{reliability}}
#   - \underbrace{(\bar y_k - \bar y)^2}_{\text{resolution}}
#   + \underbrace{\mathrm{var}_k(p)}_{\text{variance within}}
#   - \underbrace{2\, \mathrm{cov}_k(p, y)}_{\text{covariance within}} \Big]
#   + \underbrace{\bar y (1 - \bar y)}_{\text{uncertainty}}
# \end{aligned}
# $$
#
# (5) is the usual "mean square = squared mean + variance", (6) the variance of a difference; $\bar
# y_k (1 - \bar y_k)$ is that of labels which are 0 or 1. (7) says that the variance of the labels
# is a part within groups plus a part between them. Most texts stop after three of the five terms.
# The lines for the forest, bin by bin:

# %%
p, y, k = votes / 100, label_test, np.minimum(votes // 10, 9)
groups = [(p[k == j], y[k == j]) for j in range(10)]
for a, b in groups:
    (var, cov), (_, var_y) = np.cov(a, b, bias=True)
    assert np.isclose(((a - b) ** 2).mean(), (a.mean() - b.mean()) ** 2 + (a - b).var())  # (5)
    assert np.isclose((a - b).var(), var - 2 * cov + var_y)  # (6)
    assert np.isclose(var_y, b.mean() * (1 - b.mean()))
within = sum(len(b) * b.var() for _, b in groups) / 900
assert np.isclose(y.var(), within + np.repeat([b.mean() for _, b in groups], np.bincount(k)).var())

# %% [markdown]
# There is another way to read (8): as a ladder of four forecasters. The first is the model. The
# second rounds each of its forecasts to the mean forecast of the bin, the third says the bin's
# share of ones instead, the fourth the share of ones among all. Each step changes the Brier score
# by one part:


# %%
def ladder(p, y, k):  # Brier scores of model, bin means, bin shares, base rate
    p_bar, y_bar = (np.array([v[k == j].mean() for j in np.unique(k)]) for v in (p, y))
    place = np.searchsorted(np.unique(k), k)
    return [((f - y) ** 2).mean() for f in (p, p_bar[place], y_bar[place], y.mean())]


steps_down = ladder(p, y, k)
model, rounded, shares, base = steps_down
print(f"within bins {model - rounded:+.5f}, reliability {rounded - shares:.5f}", end=", ")
print(f"resolution {base - shares:.5f}, uncertainty {base:.5f}")
print(f"Brier score {model:.5f}, by the three terms alone {rounded:.5f}")
assert np.isclose(model, (model - rounded) + (rounded - shares) - (base - shares) + base)

# %% hide=True alt="Scores: model and rounding alike, bin shares lowest, base rate far above."
names = [
    "the model",
    "mean forecast of its bin",
    "share of ones of its bin",
    "share of ones of all",
]
_, ax = plt.subplots(figsize=(7, 2.8))
ax.barh(names, steps_down, color=["C0", "C0", "C2", "#808080"])
for i, part in enumerate(("within bins", "reliability", "resolution")):
    here, below = steps_down[i : i + 2]
    ax.text(max(here, below) + 0.004, i + 0.5, f"{part} {abs(here - below):.4f}", va="center")
ax.set(xlabel="Brier score", title="Knowing gains ten times what timidity costs")
ax.set_xlim(0, 0.36)
ax.invert_yaxis()

# %% [markdown]
# Three terms are off in the fourth decimal. They are exact only if all forecasts of a bin are
# equal, or if the two terms within bins happen to cancel. Note the signs: resolution is
# *subtracted*, uncertainty is *added*. The forecaster who says the base rate has reliability 0 and
# resolution 0, so that his score is the uncertainty. Calibration alone is no achievement; the
# Brier score is not "the calibration metric" but a proper score, of which calibration is one part.

# %% [markdown] card="05-parts-of-a-brier-score"
# Into which parts does a Brier score split, with their signs, and what is left out if you stop
# after three?
#
# **Answer.** Reliability minus resolution plus uncertainty. Exact only with two terms within the
# bins, the variance of the forecasts and their covariance with the labels.

# %% [markdown]
# ### What calibration can rank
#
# When does the better calibrated forecast have the better probabilities, too? When the other parts
# are the same: two forecasts that group the examples alike, such as a model and a recalibration by
# an increasing function. Take each number of votes as a group of its own (nothing varies within),
# and change what the forest says for it by a factor on its log-odds:

# %%
print("factor   ECE    Brier   less reliability")
for factor in (0.5, 1.0, 1.5, 2.0, 3.0):
    told = special.expit(factor * special.logit(votes / 100))
    model, _, shares, _ = ladder(told, y, votes)
    print(f"{factor:6.1f} {ece_of(told, y):6.3f} {model:8.4f} {shares:10.4f}")
print(f"base rate {ece_of(np.full(900, y.mean()), y):.3f} {y.var():8.4f}")

# %% [markdown]
# The last column does not move, so the order by reliability *is* the order by Brier score, and the
# ECE, its cousin with distances for squares, gives the same one here. Across forecasts that know
# different things it ranks nothing: the base rate has the lowest ECE of this table and the highest
# Brier score. Use calibration to choose between two maps of one score, and a proper score to
# choose between models.

# %% [markdown]
# ## A network that is too sure
#
# Now a model that needs repair. The data are 1797 small images of digits. To know the truth, we
# replace 15 of 100 labels by another digit, drawn at random. Whatever the image, nobody can be
# right more often than 0.85, nor have an expected NLL below that of the true probabilities. The
# seed decides on the labels and on the three parts: for training, held out, and for the test.

# %% same=True
from sklearn.datasets import load_digits

pixels, clean = load_digits(return_X_y=True)
pixels = torch.tensor(pixels / 16, dtype=torch.float32, device=device)


def noisy_digits(seed):  # labels, and the rows of the three parts
    rng = numpy_rng(seed)
    wrong = (clean + rng.integers(1, 10, clean.size)) % 10
    noisy = np.where(rng.random(clean.size) < 0.15, wrong, clean)
    parts = np.split(rng.permutation(clean.size), [800, 1200])
    return torch.tensor(noisy, device=device), *parts


oracle_nll = -0.85 * np.log(0.85) - 0.15 * np.log(0.15 / 9)
print(f"oracle: {oracle_nll:.2f} nats; sizes {[len(part) for part in noisy_digits(0)[1:]]}")

# %% [markdown]
# A small network trains until it knows the training part by heart, wrong labels and all.


# %%
def logits_of(seed, steps, weight_decay=0.0, smoothing=0.0, dropout=0.0, left_on=False):
    labels, train, *_ = noisy_digits(seed)
    torch.manual_seed(seed)
    layers = torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Dropout(dropout)
    net = torch.nn.Sequential(*layers, torch.nn.Linear(128, 10)).to(device)
    adam = torch.optim.Adam(net.parameters(), lr=0.03, weight_decay=weight_decay)

    def loss():
        return F.cross_entropy(net(pixels[train]), labels[train], label_smoothing=smoothing)

    fit(loss, adam, steps=steps, decay=True, progress=False)
    with torch.no_grad():
        return net.train(left_on)(pixels).double()  # net.train(False) is net.eval()


# %% [markdown]
# `scores` measures logits after division by a *temperature* $T$. A confidence is the probability
# of the most probable class, and the ECE is that of the top label.


# %%
def scores(logits, labels, rows, T=1.0):
    z, k = logits[rows] / T, labels[rows]
    p = z.softmax(1)
    confidence, top = (v.cpu().numpy() for v in p.max(1))
    right = (top == k.cpu().numpy()).astype(float)
    brier = (p - F.one_hot(k, 10)).pow(2).sum(1).mean().item()
    found = {"accuracy": right.mean(), "confidence": confidence.mean()}
    found |= {"ECE": ece_of(confidence, right), "Brier": brier}
    return found | {"NLL": F.cross_entropy(z, k).item()}


labels, train, held_out, test = noisy_digits(0)
logits = logits_of(seed=0, steps=360)
for name, rows in {"training": train, "test": test}.items():
    print(f"{name:8s}", *(f"{k} {v:.2f}" for k, v in scores(logits, labels, rows).items()))

# %% [markdown]
# On what it was trained with, the network is right and sure. On new images it is right seven times
# in ten, and claims more than nine in ten. Its confident mistakes are so expensive that a uniform
# guess, at log 10 = 2.30 nats, has a lower NLL. What this lesson says about trained models was
# tried on ten seeds, with the lesson's number of steps (or trees, or examples) and with three
# times as many; each sentence stands beside a small function of both that is positive where the
# sentence is true:


# %% claim="By NLL, a network that knows noisy labels by heart loses to a uniform guess." steps=360
def worse_than_uniform(seed, steps):
    labels, _, _, test = noisy_digits(seed)
    return scores(logits_of(seed, steps), labels, test)["NLL"] - np.log(10)


assert scores(logits, labels, test)["NLL"] > np.log(10)

# %% [markdown]
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
# (11) is the variance of the logits under $p$. So the NLL is convex in $\beta$, with at most one
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
# Which examples may choose $T$? Try all three parts, with 100 values of $T$ from 0.1 to 20:

# %%
temperatures = np.geomspace(0.1, 20, 100)


def best_temperature(logits, labels, rows, by="NLL"):
    return min(temperatures, key=lambda T: scores(logits, labels, rows, T)[by])


print("by           T   test NLL with it")
for name, rows in {"training": train, "held-out": held_out, "test": test}.items():
    T = best_temperature(logits, labels, rows)
    print(f"{name:10s} {T:4.1f} {scores(logits, labels, test, T)['NLL']:8.2f}")
best_T = best_temperature(logits, labels, held_out)

# %% [markdown]
# The training part asks for the smallest $T$ on offer. There every row is right, so the NLL falls
# to 0 as $T \to 0$ and has no minimum at all: the network has bent its logits to these labels and
# would like to be surer still. The test part must not choose, or its score no longer says how the
# model does on new data. Hence a third, held-out part. The same holds for every method below.

# %% hide=True alt="Left: dots far below the diagonal. Right: the NLL is lowest near T = 4.5."
curves = {
    name: [scores(logits, labels, rows, T)["NLL"] for T in temperatures]
    for name, rows in {"test": test, "held-out": held_out}.items()
}


def draw_temperature(T=1.0):
    _, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.4))
    p, top = (v.cpu().numpy() for v in (logits[test] / T).softmax(1).max(1))
    now = scores(logits, labels, test, T)
    says = f"Says {now['confidence']:.2f}, is right {now['accuracy']:.2f}: ECE {now['ECE']:.2f}"
    draw_reliability(p, top == labels[test].cpu().numpy(), ax=left, title=says)
    left.set(xlabel="mean confidence", ylabel="share that is right")
    left.legend(loc="lower right", fontsize=8)
    plot_curve(temperatures, curves["test"], ax=right, label="test")
    plot_curve(temperatures, curves["held-out"], ax=right, color="C2", label="held-out")
    right.plot(T, now["NLL"], "o", color="C1", markersize=9, label=f"T = {T:.1f}")
    right.axhline(oracle_nll, color="black", linestyle="--", label="oracle")
    right.set(xlabel="temperature T", ylabel="NLL (nats)", xscale="log", ylim=(0.5, 4))
    right.set_title(f"NLL {now['NLL']:.2f} nats, far from the oracle")
    right.legend(loc="upper right")


draw_temperature()

# %% [markdown]
# At $T = 1$, from 0.7 upwards, the dots lie below the bars: sure, and wrong. **Move `T`** until
# the mean confidence is the accuracy. Is that also where the NLL is smallest? Watch the accuracy,
# too.

# %%
interactive(draw_temperature, T=(0.5, 8.0, 0.1))

# %% [markdown] card="05-who-chooses-the-temperature"
# Which examples may choose a temperature, and why not the training examples?
#
# **Answer.** Held-out ones, neither training nor test. On a training part that is known by heart
# the NLL falls to 0 as T goes to 0: the network would like to be surer still.

# %% [markdown]
# ### Three best temperatures
#
# The slider shows a conflict. Here are the temperatures that three criteria choose on the held-out
# part, with what each gives on the test:

# %%
print("chosen by    T  accuracy confidence  ECE  Brier  NLL")
chosen = {"none": 1.0, "best NLL": best_T}
for by in ("Brier", "ECE"):
    chosen[f"best {by}"] = best_temperature(logits, labels, held_out, by)
for name, T in chosen.items():
    s = scores(logits, labels, test, T)
    print(
        f"{name:10s} {T:4.1f} {s['accuracy']:7.2f} {s['confidence']:9.2f} {s['ECE']:8.2f}", end=""
    )
    print(f" {s['Brier']:5.2f} {s['NLL']:5.2f}")
p = (logits[test] / best_T).softmax(1).max(1).values.cpu().numpy()
print(f"ECE of a perfect model with the confidences of best NLL: {ece_by_chance(p)[0]:.2f}")

# %% [markdown]
# One number takes two nats off, and the accuracy does not change: the largest logit stays the
# largest. But the NLL stays far from the oracle's 0.75, and the network, too sure before, is now
# too *timid*: its confidence is below its accuracy, and its ECE four times that of a perfect
# model. A temperature makes it less sure everywhere alike, and does not teach it on which images
# it is wrong. The NLL charges the sure mistakes most, so it would rather have all answers too
# timid; the Brier score and the ECE settle for less. The $T$ with the best NLL is not the one with
# the best ECE.


# %% claim="With the T of the best NLL, such a network is too timid on new images." steps=360
def too_timid_afterwards(seed, steps):
    labels, _, held_out, test = noisy_digits(seed)
    z = logits_of(seed, steps)
    s = scores(z, labels, test, best_temperature(z, labels, held_out))
    return s["accuracy"] - s["confidence"]


# %% [markdown]
# And which temperatures the two other criteria take:


# %% claim="The best T by NLL is larger than that by Brier score, and than that by ECE." steps=360
def nll_takes_more(seed, steps):
    labels, _, held_out, _ = noisy_digits(seed)
    z = logits_of(seed, steps)
    T, *others = (best_temperature(z, labels, held_out, by) for by in ("NLL", "Brier", "ECE"))
    return T - max(others)


after = scores(logits, labels, test, best_T)
assert after["confidence"] < after["accuracy"]
assert best_T > max(chosen["best Brier"], chosen["best ECE"])

# %% [markdown]
# The most probable class of each example stays. Does the *order* of two examples stay, too: can
# temperature change which of them the model is more confident about?

# %%
predict(
    "05-does-temperature-keep-the-order",
    ...,
    ask="Three classes. Can a temperature swap which of two examples has the higher confidence?",
    choices=("yes, it can", "no, never"),
)

# %% [markdown] fold="05-does-temperature-keep-the-order"
# ### Two examples

# %% [markdown]
# Two examples, at $T = 1$ and at $T = 2$. The first is torn between two classes and excludes the
# third; the second has one favourite and excludes nothing.

# %% same=True
two = torch.tensor([[0.1, 0.0, -8.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
for T in (1, 2):
    sure = (two / T).softmax(1).max(1).values
    print(f"T = {T}: confidences", " ".join(f"{c:.3f}" for c in sure))
on_probabilities = (two.softmax(1) / 2).softmax(1).max(1).values
print("softmax(p / 2), a mistake: ", " ".join(f"{c:.3f}" for c in on_probabilities))
because = {"no, never": "So it is with two classes. A third can matter at one temperature only."}
reveal("05-does-temperature-keep-the-order", "yes, it can", because=because)

# %% [markdown]
# With two classes the order stays, with three it need not. If you refer the least confident cases
# to a human, temperature changes which ones. It belongs to logits, not to probabilities; the last
# line shows what a second softmax does to both examples.

# %% [markdown]
# ## What training does to confidence
#
# It is often said that weight decay makes networks overconfident, because it "pushes logits high".
# And label smoothing is praised as a cure by some and blamed by others. Train and see:

# %%
kinds = {
    "plain": {},
    "weight decay": {"weight_decay": 0.003},
    "label smoothing": {"smoothing": 0.15},
    "dropout": {"dropout": 0.5},
    "dropout left on": {"dropout": 0.5, "left_on": True},
}


def before_and_after(seed, steps, **kind):  # scores on the test at T = 1 and at the best T, and T
    labels, _, held_out, test = noisy_digits(seed)
    z = logits_of(seed, steps, **kind)
    T = best_temperature(z, labels, held_out)
    return scores(z, labels, test), scores(z, labels, test, T), T


# %% [markdown]
# For each network, before and after the temperature of its own best NLL:

# %%
print("                            before                 after")
print("network          accuracy   sure  ECE  NLL     T   sure  ECE  NLL")
results = {name: before_and_after(0, 360, **kind) for name, kind in kinds.items()}
for name, (a, b, T) in results.items():
    parts = (f"{s['confidence']:6.2f} {s['ECE']:5.2f} {s['NLL']:5.2f}" for s in (a, b))
    print(f"{name:17s} {a['accuracy']:5.2f}  {next(parts)} {T:5.1f} {next(parts)}")

# %% hide=True alt="ECE before and after: it falls for the plain network, rises with weight decay."
_, ax = plt.subplots(figsize=(7, 3))
place = np.arange(len(results))
for shift, when, color in ((-0.2, 0, "C1"), (0.2, 1, "C0")):
    values = [found[when]["ECE"] for found in results.values()]
    label = ("at T = 1", "at the T of the best NLL")[when]
    ax.barh(place + shift, values, height=0.36, color=color, label=label)
ax.set_yticks(place, list(results))
ax.invert_yaxis()
ax.set(xlabel="ECE on the test", title="A temperature that lowers the NLL may raise the ECE")
_ = ax.legend(fontsize=8)

# %% [markdown]
# Weight decay makes the logits smaller here, not larger: the network is more accurate and needs a
# smaller temperature. Guo and others (2017) saw the same: *less* weight decay, worse calibration.
# Its NLL falls a little more with that temperature, and its ECE *rises*.


# %% claim="With weight decay, accuracy is higher, and the best T less than half." steps=360
def decay_needs_less(seed, steps):
    plain, decayed = (before_and_after(seed, steps, weight_decay=w) for w in (0.0, 0.003))
    return min(0.5 * plain[2] - decayed[2], decayed[0]["accuracy"] - plain[0]["accuracy"])


# %% [markdown]
# The rise of the ECE:


# %% claim="With weight decay, the temperature with the best NLL raises the ECE." steps=360
def temperature_raises_the_ece(seed, steps):
    before, after, _ = before_and_after(seed, steps, weight_decay=0.003)
    return after["ECE"] - before["ECE"]


# %% [markdown]
# Label smoothing, here at about the noise rate, makes the network less sure, too: its best
# temperature is near 1. That is a prior on confidence, not a measurement of it: on clean labels
# its targets would still stop short of 0.9, however often the network is right. Held-out data
# decide.


# %% claim="As a factor, a smoothed network's best T is nearer to 1 than a plain one's." steps=360
def smoothing_needs_less(seed, steps):
    plain, smooth = (before_and_after(seed, steps, smoothing=s)[2] for s in (0.0, 0.15))
    return abs(np.log(plain)) - abs(np.log(smooth))


# %% [markdown]
# The last two rows are *one* network. Dropout belongs to training; left on while the logits are
# collected (no `net.eval()`), it makes them those of another, worse network, which nobody will
# use, and no temperature repairs that.


# %% claim="Dropout left on costs NLL, even with a temperature of its own." steps=360
def left_on_costs(seed, steps):
    off, on = (before_and_after(seed, steps, dropout=0.5, left_on=v)[1] for v in (False, True))
    return on["NLL"] - off["NLL"]


assert results["weight decay"][1]["ECE"] > results["weight decay"][0]["ECE"]
assert results["weight decay"][2] < 0.5 * results["plain"][2]

# %% [markdown]
# Nor are networks overconfident as a law of nature. Convolutional networks of 2017 were; Minderer
# and others (2021) found newer image models well calibrated. Measure yours.

# %% [markdown]
# ## A boosted model from scikit-learn
#
# Now a model that you would meet at work: gradient boosting with its default settings, 100 trees,
# on 1000 examples of a made-up world whose true probabilities are known. Another 500 examples are
# held out for calibration, and 5000 are for the test.


# %%
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator


def world(n, rng):  # inputs, labels, and the true probabilities
    x = rng.standard_normal((n, 8))
    q = special.expit(1.2 * x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) - 0.5)
    return x, (rng.random(n) < q).astype(int), q


def three_parts(seed):
    rng = numpy_rng(seed)
    return [world(n, rng) for n in (1000, 500, 5000)]


def boost(x, y, trees):
    return HistGradientBoostingClassifier(max_iter=trees, random_state=0).fit(x, y)


# %% [markdown]
# Three recalibrations of its score $s$, the log-odds. All are fitted on held-out data:
#
# - **Platt's sigmoid**: $p = \sigma(a s + b)$, a logistic regression on one score;
# - **temperature**: the same with $b = 0$ and $a = 1/T$;
# - **isotonic regression**: any non-decreasing function of $s$, the one with the smallest
#   squared error.
#
# `FrozenEstimator` tells `CalibratedClassifierCV` to leave the model as it is, so that only the
# map from score to probability is fitted.


# %%
def recalibrated(model, method, x, y):
    return CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(x, y)


(x, y, _), (x_held, y_held, _), (x_test, y_test, q_test) = three_parts(0)
boosted = boost(x, y, 100)
maps = {
    m: recalibrated(boosted, m, x_held, y_held) for m in ("sigmoid", "temperature", "isotonic")
}
forecasts = {"boosting": boosted.predict_proba(x_test)[:, 1]}
forecasts |= {method: c.predict_proba(x_test)[:, 1] for method, c in maps.items()}

# %% [markdown]
# Two of its maps, checked by other routes:

# %%
from sklearn.isotonic import IsotonicRegression

s_held, s_test = boosted.decision_function(x_held), boosted.decision_function(x_test)
steps = IsotonicRegression(out_of_bounds="clip").fit(s_held, y_held).predict(s_test)
assert np.allclose(steps, forecasts["isotonic"])
betas = np.linspace(0.1, 1.0, 901)
nlls = [np.logaddexp(0, -b * (2 * y_held - 1) * s_held).mean() for b in betas]
ours = special.expit(betas[np.argmin(nlls)] * s_test)
assert abs(ours - forecasts["temperature"]).max() < 0.001

# %% [markdown]
# Before and after, with counts and with what chance would do. (scikit-learn's `CalibrationDisplay`
# draws the dots alone.)

# %% hide=True alt="Boosting leaves the bars at both ends; the sigmoid is near the diagonal."
_, axes = plt.subplots(1, 2, figsize=(8.6, 4.4), sharey=True)
titles = {
    "boosting": "Boosting is too sure at both ends",
    "sigmoid": "Platt's sigmoid: nearly within chance",
}
for ax, (name, title) in zip(axes, titles.items(), strict=True):
    draw_reliability(forecasts[name], y_test, ax=ax, title=title)
    ax.label_outer()
axes[0].legend(loc="upper left", fontsize=8)
_, mean_p, share = in_bins(forecasts["boosting"], y_test)
for i in (0, -1):
    print(f"boosting says {mean_p[i]:.2f}, share of ones {share[i]:.2f}")

# %% [markdown]
# The sigmoid hardly says anything near 0 or 1 any more. The table, with the true probabilities as
# the last row:

# %%
from sklearn.metrics import roc_auc_score


def table_row(name, p, y=y_test):
    nll = -special.xlogy(1, np.where(y == 1, p, 1 - p)).mean()  # log 0 without a warning
    numbers = [((p > 0.5) == y).mean(), roc_auc_score(y, p), ece_of(p, y), ece_by_chance(p)[0]]
    numbers += [((p - y) ** 2).mean(), nll, p.var()]
    print(f"{name:18s}" + " ".join(f"{v:9.3f}" for v in numbers) + f" {len(np.unique(p)):8d}")


names = ("accuracy", "AUC", "ECE", "by chance", "Brier", "NLL", "sharpness")
header = f"{'':18s}" + " ".join(f"{h:>9s}" for h in names) + " distinct"
print(header)
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
# since it clips probabilities a little before it takes the logarithm. Over ten worlds:


# %% claim="With 500 held-out examples, the sigmoid's Brier score beats isotonic steps." steps=100
def sigmoid_beats_isotonic(seed, steps):
    (x, y, _), held, (x_test, y_test, _) = three_parts(seed)
    model = boost(x, y, steps)
    maps = (recalibrated(model, method, *held[:2]) for method in ("sigmoid", "isotonic"))
    sigmoid, isotonic = (((m.predict_proba(x_test)[:, 1] - y_test) ** 2).mean() for m in maps)
    return isotonic - sigmoid


# %% [markdown]
# ## What a probability is for
#
# Take a loss of 1 if a customer leaves, and an offer that costs $c$ and makes her stay. Who gets
# it? With $p$ the probability that she leaves, the offer costs $c$ and no offer costs $p$ on
# average:
#
# $$(12) \quad \text{act if } p \ge c, \qquad \text{expected cost } \min(p, c) .$$
#
# The threshold is the cost; it is not 0.5, and nothing has to be tuned, *if* the probability keeps
# its promise. Let the offer cost a tenth of a customer. The boosted model has an AUC of 0.775, so
# it knows something. Which is cheaper per customer: an offer to whom it gives 0.1 or more, or an
# offer to everybody, at a cost of just 0.1?

# %%
predict(
    "05-whom-to-call",
    ...,
    ask="An offer costs 0.1 of a customer. Which costs less, uncalibrated boosting or no model?",
    choices=("boosting's threshold at 0.1", "offers for everyone", "the same to three digits"),
)

# %% [markdown] fold="05-whom-to-call"
# ### The bill

# %% [markdown]
# The mean cost per customer for five prices of the offer. Without a model one calls all or nobody,
# whichever is cheaper.


# %%
def bill(p, y, c):  # offers, and the customers who left without one
    return np.where(p >= c, c, y).mean()


advisers = {"no model": np.full(5000, y_test.mean())} | forecasts | {"oracle": q_test}
print(f"{'price':12s}" + "".join(f"{c:8.2f}" for c in (0.05, 0.1, 0.2, 0.5, 0.8)))
for name, p in advisers.items():
    print(
        f"{name:12s}" + "".join(f"{bill(p, y_test, c):8.3f}" for c in (0.05, 0.1, 0.2, 0.5, 0.8))
    )
raw, everyone = bill(forecasts["boosting"], y_test, 0.1), 0.1
because = {"boosting's threshold at 0.1": "Of those to whom it says under 0.1, far more leave."}
reveal("05-whom-to-call", "offers for everyone", because=because)
assert raw > everyone > bill(forecasts["sigmoid"], y_test, 0.1)

# %% hide=True alt="Saved against price: boosting is below zero at both ends, the sigmoid is not."
prices = np.linspace(0.01, 0.99, 99)
alone = np.minimum(prices, y_test.mean())
_, ax = plt.subplots()
for name, color in {"boosting": "C1", "sigmoid": "C0", "oracle": "black"}.items():
    saved = alone - [bill(advisers[name], y_test, c) for c in prices]
    look = {"color": color, "linestyle": "--" if name == "oracle" else "-", "label": name}
    plot_curve(prices, saved, ax=ax, **look)
ax.axhline(0, color="#808080", linewidth=1.2)
ax.set(xlabel="price of the offer c", ylabel="saved per customer, against no model")
ax.set_title("Followed literally, boosting costs money at both ends")
_ = ax.legend()

# %% [markdown]
# A model with an AUC of 0.775 is worse than none at this price, since it makes no offer to
# customers whom it is too sure to keep. Its knowledge is there: at the sigmoid's thresholds the
# same ranking saves money, if little. (The isotonic steps say 0 to some who leave, and pay for
# it.) A tuned threshold would do the same for *one* price; calibrated probabilities serve all
# prices at once, also that of next year. At a price of 0.5 there is nothing to gain: there the
# maps hardly move. (The Brier score is the mean regret over all prices: [unit
# 14](14_scoring_rules.ipynb#What-a-Brier-score-is-made-of). Unit 13 asks for the chance that [a
# number exceeds a threshold](13_forecasting.ipynb#Three-questions).)


# %% claim="At a price of 0.1, boosting costs more than offers to all, its sigmoid less." steps=100
def worse_than_no_model(seed, steps):
    (x, y, _), held, (x_test, y_test, _) = three_parts(seed)
    model = boost(x, y, steps)
    models = model, recalibrated(model, "sigmoid", *held[:2])
    before, after = (bill(m.predict_proba(x_test)[:, 1], y_test, 0.1) for m in models)
    return min(before - 0.1, 0.1 - after)


# %% [markdown] card="05-threshold-is-the-cost"
# An action costs c and prevents a loss of 1. At which probability do you act, and what must be
# true of it?
#
# **Answer.** At p ≥ c: the threshold is the cost, not 0.5. It holds if the probability keeps its
# promise; an uncalibrated model can be worse than none.

# %% [markdown]
# ## A gain that is not calibration
#
# Without `FrozenEstimator`, `CalibratedClassifierCV(model, cv=3)` trains *three* models, each on
# two thirds of the data, calibrates each on the rest, and averages. Comparing it with one model
# mixes two effects. Give it all 1500 examples, so that each of the three sees 1000, as our model
# did, and undo the one or the other:


# %%
def one_and_three(seed, trees):  # Brier scores of one and of three, each before and after
    (x, y, _), (more_x, more_y, _), (x_test, y_test, _) = three_parts(seed)
    model = HistGradientBoostingClassifier(max_iter=trees, random_state=0)
    model = CalibratedClassifierCV(model, method="isotonic", cv=3)
    model.fit(np.concatenate([x, more_x]), np.concatenate([y, more_y]))
    members = [(c.estimator, c) for c in model.calibrated_classifiers_]
    p = np.array([[m.predict_proba(x_test)[:, 1] for m in pair] for pair in members])  # (3, 2, n)
    return ((p - y_test) ** 2).mean((0, 2)), ((p.mean(0) - y_test) ** 2).mean(1)


# %% [markdown]
# Both orders of doing the two:

# %%
one, three = one_and_three(0, 100)
total = one[0] - three[1]
print(
    f"one {one[0]:.4f}, calibrated {one[1]:.4f}; three {three[0]:.4f}, calibrated {three[1]:.4f}"
)
for order, middle in {
    "calibrate, then average": one[1],
    "average, then calibrate": three[0],
}.items():
    first = (one[0] - middle) / total
    print(f"{order}: {first:.0%} of the gain, then {1 - first:.0%}")

# %% [markdown]
# "Calibration improved the Brier score" would be the wrong conclusion: averaging three
# *uncalibrated* models improves it as well. And "most of it is averaging" would be wrong, too: how
# much each takes depends on which comes first. Both make forecasts less extreme, and what the
# first has done is not left for the second. Change one thing at a time, and name the order.


# %% claim="Calibrating and averaging overlap: alone they gain more than together." steps=100
def gains_overlap(seed, steps):
    one, three = one_and_three(seed, steps)
    return (one[0] - one[1]) + (one[0] - three[0]) - (one[0] - three[1])


# %% [markdown]
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
# ## Calibrated for whom?
#
# Calibration is an average over all who get the same forecast. A logistic regression on the same
# world knows nothing of the product of the second and third input. By the sign of that product,
# split the test into two groups:

# %%
from sklearn.linear_model import LogisticRegression


def group_eces(seed, steps):  # ECE of a logistic regression: of all, and of two groups
    rng = numpy_rng(seed)
    (x, y, _), (x_test, y_test, _) = world(steps, rng), world(5000, rng)
    p = LogisticRegression().fit(x, y).predict_proba(x_test)[:, 1]
    group = x_test[:, 1] * x_test[:, 2] > 0
    return [ece_of(p[rows], y_test[rows]) for rows in (group | ~group, group, ~group)]


print("ECE of all {:.3f}, of the two groups {:.3f} and {:.3f}".format(*group_eces(0, 1000)))

# %% [markdown]
# In one group more leave than it says, in the other fewer, and over all it comes out nearly right.
# Whoever is affected by the forecasts of one group has no use for the average, so draw a diagram
# for each group that matters.


# %% claim="In both groups, its ECE is more than twice that of all." steps=1000
def groups_are_worse(seed, steps):
    everyone, *groups = group_eces(seed, steps)
    return min(groups) - 2 * everyone


# %% [markdown]
# ### Numbers, not labels
#
# A forecast of a number promises, too: its central interval of level $a$ should hold the outcome
# with probability $a$, for each $a$. Share inside against level is the reliability diagram of
# regression. Take the dial, $y = \sin 3x + s(x)\, \varepsilon$, and a forecast with the right mean
# and *one* distribution of errors for all $x$, that of 10 000 held-out ones:

# %% alt="Share inside against level: all on the diagonal, the left half above, the right below."
from course_utils.data import dial, dial_mean

u, y = dial(20_000, rng=numpy_rng(0))
deviation = abs(y - dial_mean(u))
levels, left = np.linspace(0.02, 0.98, 49), u < 0
half_widths = np.quantile(deviation[:10_000], levels)
u, deviation, left = u[10_000:], deviation[10_000:], left[10_000:]
_, ax = plt.subplots(figsize=(4.8, 4.4))
for name, rows in {"all x": left | ~left, "left half": left, "right half": ~left}.items():
    inside = [(deviation[rows] < half).mean() for half in half_widths]
    plot_curve(levels, inside, ax=ax, label=name)
    print(f"{name:10s} share inside the 0.9 interval: {np.interp(0.9, levels, inside):.2f}")
plot_oracle([0, 1], [0, 1], ax=ax, label="calibrated")
ax.set(xlabel="level of the interval", ylabel="share inside")
ax.set_title("Right on average, wrong on each side")
_ = ax.legend(fontsize=8)

# %% [markdown]
# The same story: calibrated over all, at each level, and on neither side. Tools for numbers, with
# what they miss, are the subject of [unit
# 14](14_scoring_rules.ipynb#Calibration,-and-what-it-cannot-see); intervals that hold their
# promise on average for any model, and no more than that, are in [unit
# 13](13_forecasting.ipynb#What-the-promise-is-not).

# %% [markdown]
# ## Back to the opening question
#
# Model A says 0.5 for everybody, B states the true probabilities, spread evenly. Both are
# perfectly calibrated; ten bins. How often is the ECE of A the smaller one?

# %% [markdown] fold="05-the-ignorant-model"
# ### A hundred test sets, and more

# %% [markdown]
# A has one dot, made of all labels; B has ten, each made of a tenth of them. So chance carries B's
# ECE further: by (3), to 0.99 over $\sqrt N$ on average, against 0.40 over $\sqrt N$ for A. More
# customers do not help, since both fall alike.


# %%
def both_eces(n, draws):  # of A and of B, and how often A's Brier score is smaller
    p, y = many_sets(n, 1.0, draws)
    a = np.array([ece_of(np.full(n, 0.5), labels) for labels in y])
    b = np.array([ece_of(*s) for s in zip(p, y, strict=True)])
    return a, b, (((p - y) ** 2).mean(1) > 0.25).mean()


sizes, means, shares = (30, 100, 1000, 10_000), [], {}
of_a, of_b = np.sqrt(2 / np.pi) * 0.5, np.sqrt(np.pi * 10 / 32)  # (3), times the root of N
print(f"expected: {of_a:.2f} / sqrt(N) for A, {of_b:.2f} / sqrt(N) for B")
print("     N   ECE of A    of B   A smaller by ECE   by Brier score")
for n in sizes:
    a, b, by_brier = both_eces(n, draws=400 if n < 10_000 else 150)
    means.append((a.mean(), b.mean()))
    shares[n] = (a < b).mean()
    print(f"{n:6d} {means[-1][0]:10.3f} {means[-1][1]:7.3f} {shares[n]:18.0%} {by_brier:16.1%}")

# %% hide=True alt="Log-log plot: the ECEs of A and B fall in parallel, A's always below B's."
_, ax = plt.subplots()
lines = {"B, the true probabilities": (1, "C0", of_b), "A, always 0.5": (0, "C1", of_a)}
for who, (column, color, factor) in lines.items():
    plot_oracle(sizes, factor / np.sqrt(sizes), ax=ax, label=None)
    plot_data(sizes, np.array(means)[:, column], ax=ax, label=who, color=color, markersize=8)
ax.set(xscale="log", yscale="log", xlabel="customers N", ylabel="mean ECE")
ax.set_title("By ECE the ignorant model leads, however many customers")
_ = ax.legend()

# %% [markdown]
# Dashed: formula (3). And your prediction:

# %%
because = {"in hardly any": "B is never wrong, but the ECE sees neither that nor what B knows."}
because |= dict.fromkeys(
    ("in about a third", "in about half"),
    "Both errors are chance, but B's is divided over ten bins.",
)
assert all(0.9 < share < 0.99 for share in shares.values())
reveal("05-the-ignorant-model", "in about 95", because=because)

# %% [markdown]
# The Brier score is not fooled: it prefers B, nearly always on 30 customers and always on more. An
# ECE says how far a model may be from keeping its promise. It does not say how much was promised.

# %% [markdown]
# ## Recap
#
# 1. Calibrated means that forecasts keep their promise on average, over those who get the same
#    forecast. Show a reliability diagram with counts and with what chance would do, by group.
# 2. An ECE is mostly chance on small test sets: put the level by chance beside it, or take it off.
#    It ranks maps of one score, and never models that know different things.
# 3. Brier = reliability − resolution + uncertainty, plus two terms within the bins.
# 4. Fit a temperature, Platt's sigmoid or isotonic steps on held-out data. The first keeps the top
#    class, the first two keep the order for two classes, the third needs more data.
# 5. With calibrated probabilities the cost is the threshold. Choose between models by NLL and
#    Brier score; change one thing at a time.

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
# <details><summary>Two answers</summary>
#
# **The ECE.** Yes. A perfect model has about 0.07 here if its forecasts are spread evenly, give or
# take 0.01; forecasts close to 0 and 1 bring that down, but a difference of 0.01 remains within
# chance. The NLL compares the two models example by example, and it is proper. Before you ship,
# give the difference its standard error, and look at the diagram: a temperature with the best NLL
# may leave the model too timid, which matters if someone acts on a threshold.
#
# **The validation set.** Less bad than the training set: a number of epochs bends the logits to
# these labels only a little, and a temperature is one number. But the bend is in the dangerous
# direction, towards too much confidence, and the more was chosen on that set, the larger it is. A
# part of its own is cheap; the test set stays out of all of it.
#
# </details>

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
#   errors are underestimated for continuous forecasts, and the debiased estimator.
# - A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning",
#   *ICML* (2005): which classical models are too sure and which too timid; Platt against isotonic.
# - J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
#   likelihood methods", in *Advances in Large Margin Classifiers* (1999): the sigmoid and its
#   smoothed targets.

# %% [markdown]
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
