# %% [markdown]
# # Audit a model card
#
# A hospital wants a signature: yours. Two models sort tumours into benign and malignant, three
# forecast how far a patient's diabetes will have progressed in a year. A model is signed if its
# NLL on the test patients is below that of *a forecaster who knows no patient* (who states the
# base rate, or one Normal for everybody). By the card all five are signed. Its code has six
# errors:
#
# - **the weight of the prior**: in the logistic regression it counts once for each patient;
# - **the mode of the network**: the tumour network is tested as it was trained;
# - **the edges of the bins**: in the calibration error, which decides nothing here;
# - **the limits on the log variance**: in the progression models' NLL each log variance is moved
#   to between −1 and 1 first, "to keep the loss finite" (outcomes have mean 0 and variance 1);
# - **the averaged standard deviations**: five networks state the average of their five;
# - **the noise left out**: the linear model's variance is that of its line, without the patients'.
#
# You mend *one* of them, leave the five others, and rerun. **After which mend are the fewest
# models signed?**

# %% [markdown]
# **After this lesson you can** see in a table that its numbers cannot all be true; test code by
# limits, invariances, known answers and second routes; and say what a signature rests on.
#
# **You need** units 04 to 08 and 14. Reading takes about 45 minutes, running some 12 seconds.
# Symbols: [notation](00_start.ipynb#Notation). Mending is left to the assignment: the lesson
# shows how errors are *found*, and gets right numbers by other routes.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import optimize, special, stats

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_band, plot_curve, plot_data, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Commit to an answer; it is revealed at the end.

# %%
predict(
    "15-one-mend",
    ...,
    ask="After which single mend are the fewest models signed?",
    choices=(
        "the weight of the prior",
        "the mode of the network",
        "the edges of the bins",
        "the limits on the log variance",
        "the averaged standard deviations",
        "the noise left out",
    ),
)

# %% [markdown]
# ## Numbers that cannot be true
#
# A third of the patients are kept for the test, by lot; the others say how the measurements are
# scaled. No unit has predicted anything from these two data sets. (Unit 02 drew how one
# measurement of the tumours and the patients' outcomes are distributed.)

# %%
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import BayesianRidge, LogisticRegression


def split(data, seed):
    X, y = data
    test, train = np.split(numpy_rng(seed).permutation(len(y)), [len(y) // 3])
    X = (X - X[train].mean(0)) / X[train].std(0)
    return X[train], y[train], X[test], y[test]


def ward(seed):  # outcomes in standard deviations of the training patients, and that unit
    X, y, X_new, y_new = split(WARD, seed)
    return X, (y - y.mean()) / y.std(), X_new, (y_new - y.mean()) / y.std(), y.std()


tumours, benign = load_breast_cancer(return_X_y=True)
TRIAGE, WARD = (tumours, 1.0 - benign), load_diabetes(return_X_y=True)

# %% [markdown]
# One line of the card: "*Progression, linear model (Bayesian ridge regression). Root mean squared
# error 53 points; the 0.9 intervals reach 15 points up and down.*" Here are its test patients:

# %% hide=True alt="Most of the patients' dots lie outside the narrow band that should hold 0.9."
X, y, X_new, y_new, unit = ward(0)
model = BayesianRidge().fit(X, y)
order = np.argsort(model.predict(X_new))
told = unit * model.predict(X_new)[order]
half = 1.645 * unit * np.sqrt((X_new @ model.sigma_ * X_new).sum(1))[order]
ax = plot_band(told, told - half, told + half, contains="y", level=0.9, alpha=0.6)
plot_data(told, unit * y_new[order], ax=ax, label="test patients", color="black")
ax.set(xlabel="forecast less the mean (points)", ylabel="outcome less the mean (points)")
ax.set_title("What the card calls a 0.9 interval")
_ = ax.legend(loc="upper left")

# %% [markdown]
# The picture needs the patients. But the card alone was enough: its two numbers are about the same
# errors. **If errors are Normal with a root mean square of 53 points, how many of 100 lie within
# 15 points?**

# %%
predict("15-inside", ..., ask="Of 100 test patients, how many lie inside the card's intervals?")

# %% [markdown] fold="15-inside"
# ### Two numbers about one error

# %% [markdown]
# By a Normal table, and counted:

# %%
error = y_new - model.predict(X_new)
rmse, reach = unit * np.sqrt((error**2).mean()), half.mean()
by_table = 2 * special.ndtr(reach / rmse) - 1
counted = (np.abs(unit * error)[order] < half).mean()
print(
    f"RMSE {rmse:.0f}, half-width {reach:.0f}: {by_table:.2f} by the table, {counted:.2f} counted"
)
because = {
    90: "That is what the card promises. 15 points are less than a third of the typical error."
}
reveal("15-inside", round(100 * counted), within=5, because=because)
assert abs(by_table - counted) < 0.05 and counted < 0.3

# %% [markdown]
# About a quarter. An interval that should hold nine of ten has to reach about 1.6 times the root
# mean squared error; with less, one of the two numbers is wrong. This test takes no code and no
# data. It is the first of three that a table must pass:
#
# - **numbers about the same thing agree** (error and interval, counts and totals, accuracy and
#   class shares);
# - **nothing is better than chance allows** (a calibration error of 0.00 on 200 patients, unit
#   05);
# - **nothing is worse than knowing nothing** (an NLL above log 2 for two classes).

# %% [markdown] card="15-tests-of-a-table"
# Which three tests must a table of results pass, before any code is read?
#
# **Answer.** Numbers about the same thing agree; nothing is better than chance allows; nothing is
# worse than knowing nothing.

# %% [markdown]
# ### How narrow, in theory?
#
# Which error makes an interval just so narrow? Suppose that the variance is that of the fitted
# line alone, for $n$ patients and $d$ weights, almost flat prior, noise variance $\sigma^2$:
#
# $$
# \begin{aligned}
# (1) \quad \mathrm{Var} f(x_i) &= \sigma^2 h_i , \qquad
#   h_i = x_i^\top (X^\top X)^{-1} x_i \\
# (2) \quad \textstyle\sum_i h_i &= \mathrm{tr}\, X (X^\top X)^{-1} X^\top = d \\
# (3) \quad \text{mean of } \mathrm{Var} f(x_i) &= \sigma^2\, d / n
# \end{aligned}
# $$
#
# So the line is known better and better as $n$ grows, and the patients scatter as before (unit
# 06). The three lines, checked on ours:

# %%
rng = numpy_rng(1)
line = np.c_[X, np.ones(len(X))]
h = (line @ np.linalg.inv(line.T @ line) * line).sum(1)
worlds = line @ rng.standard_normal((11, 1)) + 0.7 * rng.standard_normal((len(X), 4000))
spread = (line @ np.linalg.lstsq(line, worlds, rcond=None)[0]).var(1)
assert np.allclose(spread, 0.49 * h, rtol=0.15)  # (1), in 4000 simulated worlds
assert np.isclose(h.sum(), 11)  # (2)
assert np.isclose(0.49 * h.mean(), 0.49 * 11 / len(X))  # (3)
n, d = line.shape
print(
    f"n = {n}, d = {d}: an interval of the line alone is {(1 + n / d) ** 0.5:.1f} times too narrow"
)
print(f"the card's is {1.645 * rmse / reach:.1f} times too narrow")

# %% [markdown]
# More than five times, predicted from $n$ and $d$ alone, and measured on the card (whose prior
# shrinks the line's variance a little more). A symptom of the right *size* names its cause.

# %% [markdown] card="15-variance-of-the-line"
# An interval uses the variance of the fitted line alone. By which factor is its variance too
# small, for n patients and d weights?
#
# **Answer.** It is about d/n of the noise variance, on average. With more patients it becomes
# narrower still, and the patients scatter as before.

# %% [markdown]
# ## The card
#
# Now all of it. The code below stands as the card's authors wrote it, with their comments. The
# argument `mended` is ours: it replaces one part by **another route**, a library or a
# computation of a different kind. (That is an audit's best tool: two routes that share no line
# seldom share an error.)

# %% [markdown]
# **Tumours.** Logistic regression with independent $N(0, 1)$ priors on all weights:


# %%
def logistic(X, y, mended):
    if "prior" in mended:
        return LogisticRegression(fit_intercept=False, tol=1e-8, max_iter=1000).fit(X, y).coef_[0]

    def loss(w):  # minus log posterior, and its slope
        z = X @ w
        slope = X.T @ (special.expit(z) - y) / len(y)
        return (np.logaddexp(0, z) - y * z).mean() + w @ w / 2, slope + w

    return optimize.minimize(loss, np.zeros(X.shape[1]), jac=True).x


# %% [markdown]
# The networks need a few more names:

# %%
import functools

from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.training import fit

# %% [markdown]
# A network with batch normalisation and dropout, trained on the whole training set at once:


# %%
@functools.cache
def triage_net(seed, steps):
    X, y, *_ = (torch.tensor(v).float().to(device) for v in split(TRIAGE, seed))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 1)
        net = nn.Sequential(*parts).to(device)
        adam = torch.optim.Adam(net.parameters(), lr=0.01)

        def loss():
            return binary_cross_entropy_with_logits(net(X)[:, 0], y)

        fit(loss, adam, steps=steps, decay=True)
    return net


# %% [markdown]
# How it is tested. The second route takes no network: weights and running averages, by hand.


# %%
def tested(net, X, mended, seed=0, size=16):  # log odds of the test patients
    if "mode" in mended:
        W = {name: v.double().cpu().numpy() for name, v in net.state_dict().items()}
        a = X @ W["0.weight"].T + W["0.bias"] - W["1.running_mean"]
        a = a / np.sqrt(W["1.running_var"] + 1e-5) * W["1.weight"] + W["1.bias"]
        return np.maximum(a, 0) @ W["4.weight"][0] + W["4.bias"]
    kept = {name: v.clone() for name, v in net.state_dict().items()}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        parts = torch.tensor(X).float().to(device).split(size)
        z = torch.cat([net(part)[:, 0] for part in parts])
    net.load_state_dict(kept)
    return z.double().cpu().numpy()


# %% [markdown]
# Its calibration error, of probabilities with two digits, as its users see them:


# %%
def calibration(z, y, mended, bins=10):  # the error, and the patients in each bin
    p = np.round(special.expit(z), 2)
    if "bins" in mended:
        rule = {"bins": bins, "range": (0, 1)}
        miss = stats.binned_statistic(p, p - y, "sum", **rule).statistic
        return np.abs(miss).sum() / len(y), np.histogram(p, **rule)[0]
    edges = np.linspace(0, 1, bins + 1)
    inside = [(a < p) & (p < b) for a, b in zip(edges, edges[1:], strict=False)]
    miss = sum(abs((p - y)[i].sum()) for i in inside) / len(y)
    return miss, np.array([i.sum() for i in inside])


# %% [markdown]
# **Progression.** Five networks for each of ten splits (we shall need them), trained side by side:
# inputs in, a mean and a log variance out.


# %%
@functools.cache
def ward_nets(steps):  # means and standard deviations: 10 splits, 5 members, test patients
    X, y, X_new = (
        torch.tensor(np.array(v)).float().to(device).repeat_interleave(5, 0)
        for v in list(zip(*map(ward, range(10)), strict=True))[:3]
    )
    layers = [w.to(device).requires_grad_() for w in starts()]
    adam = torch.optim.Adam(layers, lr=0.01)
    fit(lambda: loss_of(*run(layers, X), y), adam, steps=steps, decay=True)
    mean, log_var = run(layers, X_new)
    both = (mean, torch.exp(log_var / 2))
    return [v.detach().double().cpu().numpy().reshape(10, 5, -1) for v in both]


# %% [markdown]
# The functions it uses; each network's loss is its own term:


# %%
def starts():  # for ten splits, each with a generator of its own
    draws = [torch_generator(seed) for seed in range(10)]
    for a, b in ((10, 16), (16, 16), (16, 2)):
        yield torch.cat([torch.randn(5, a + 1, b, generator=g) for g in draws]) / a**0.5


def run(layers, x):
    for i, w in enumerate(layers):
        x = torch.tanh(x) if i else x
        x = torch.baddbmm(w[:, -1:], x, w[:, :-1])
    return x.unbind(-1)


def loss_of(mean, log_var, y):
    return (log_var + (y - mean) ** 2 * torch.exp(-log_var)).mean(1).sum() / 2


# %% [markdown]
# What the three models state, mean and standard deviation for each test patient. The second
# routes: the library's own predictive deviation, and `torch.distributions`.


# %%
def ward_rows(seed, mended, steps):
    X, y, X_new, *_ = ward(seed)
    ridge = BayesianRidge().fit(X, y)
    mean, library = ridge.predict(X_new, return_std=True)
    ours = np.sqrt((X_new @ ridge.sigma_ * X_new).sum(1))  # posterior of the weights
    m, s = (v[seed] for v in ward_nets(steps))
    pooled = mixture(m, s).stddev.numpy() if "averaging" in mended else s.mean(0)
    return {
        "linear": (mean, library if "noise" in mended else ours),
        "one network": (m[0], s[0]),
        "five networks": (m.mean(0), pooled),
    }


# %% [markdown]
# The library's mixture of five Normals:


# %%
def mixture(m, s):  # members in the first axis
    parts = torch.distributions.Normal(*(torch.tensor(v.T.copy()) for v in (m, s)))
    weights = torch.distributions.Categorical(logits=torch.zeros(parts.batch_shape))
    return torch.distributions.MixtureSameFamily(weights, parts)


# %% [markdown]
# And the NLL of all three:


# %%
def ward_nll(mean, sd, y, mended=()):
    if "clamp" in mended:
        return -stats.norm.logpdf(y, mean, sd)
    log_var = np.clip(2 * np.log(sd), -1, 1)  # keeps the loss finite
    return 0.5 * (np.log(2 * np.pi) + log_var + (y - mean) ** 2 / np.exp(log_var))


def triage_nll(z, y):
    return np.logaddexp(0, z) - y * z


# %% [markdown]
# Put together: for each model its mean NLL, and that of who knows no patient.


# %%
def card(seed, mended=(), steps=300):  # {model: (NLL, NLL of who knows no patient)}
    X, y, X_new, y_new = split(TRIAGE, seed)
    base = np.where(y_new == 1, y.mean(), 1 - y.mean())
    w = logistic(*with_ones(X, y), mended)
    z = {"logistic": with_ones(X_new, y_new)[0] @ w}
    z["network"] = tested(triage_net(seed, steps // 2), X_new, mended)
    found = {name: (triage_nll(v, y_new).mean(), -np.log(base).mean()) for name, v in z.items()}
    y_new = ward(seed)[3]
    for name, row in ward_rows(seed, mended, steps).items():
        found[name] = ward_nll(*row, y_new, mended).mean(), -stats.norm.logpdf(y_new).mean()
    return found


def with_ones(X, y):
    return np.c_[X, np.ones(len(X))], y


# %% [markdown]
# The card, as it lay on your desk:

# %%
ours = card(0)
for name, (nll, blind) in ours.items():
    verdict = "signed" if nll < blind else "not signed"
    print(f"{name:14s} NLL {nll:.2f}, of who knows no patient {blind:.2f}: {verdict}")
assert all(nll < blind for nll, blind in ours.values())

# %% [markdown]
# All five are signed. (For the networks the second digit may be another one on your machine.)

# %% [markdown]
# ## Invariances: every patient twice
#
# You need not know the right answer to know how it must *move*. Hand the logistic regression each
# training patient twice, then three times: twice the evidence against the same prior. What do the
# card's weights do?

# %%
predict(
    "15-patients-twice",
    ...,
    ask="Each patient twice: how do the weights of the card's code move?",
    choices=("away from 0", "they stay where they are", "towards 0"),
)

# %% [markdown] fold="15-patients-twice"
# ### Copies of the same patients

# %% [markdown]
# The length of the weight vector, by the card and by the library, for one to sixteen copies:

# %% alt="With copies of the patients the library's weights grow; the card's line is flat."
X, y, *_ = split(TRIAGE, 0)
copies = np.array([1, 2, 4, 8, 16])
lengths = {
    name: [
        np.linalg.norm(logistic(*with_ones(np.tile(X, (k, 1)), np.tile(y, k)), m)) for k in copies
    ]
    for name, m in (("card", ()), ("library", ("prior",)))
}
_, ax = plt.subplots()
for name, found in lengths.items():
    plot_curve(copies, found, ax=ax, marker="o", label=name)
ax.set(xlabel="copies of each patient", ylabel="length of the weight vector", xscale="log")
ax.set(title="More evidence does not move the card's model", xticks=copies, xticklabels=copies)
_ = ax.legend()

# %% [markdown]
# Flat:

# %%
move = lengths["card"][-1] / lengths["card"][0]
print(f"sixteen times the patients: card {move:.4f} times the length, library", end=" ")
print(f"{lengths['library'][-1] / lengths['library'][0]:.1f} times")
because = {
    "away from 0": "So it should be: the more evidence, the less the prior counts.",
    "towards 0": "Evidence never strengthens a prior.",
}
reveal("15-patients-twice", "they stay where they are", because=because)
assert abs(move - 1) < 1e-3 < lengths["library"][-1] / lengths["library"][0] - 2

# %% [markdown]
# A prior whose influence does not shrink as patients come in is no prior. [Unit
# 04](04_map_priors.ipynb) derives the rule; exercise 1 mends the code. Note the sign of the
# damage: this error made the model look *worse* (by about 0.27 nats). Whoever looks for
# errors only where numbers are too good finds half of them.


# %% claim="Mending the prior lowers the NLL of the logistic regression." steps=300
def prior_costs(seed, steps):
    X, y, X_new, y_new = split(TRIAGE, seed)
    w = [logistic(*with_ones(X, y), m) for m in ((), ("prior",))]
    card, mended = (triage_nll(with_ones(X_new, y_new)[0] @ v, y_new).mean() for v in w)
    return card - mended


print(f"{prior_costs(0, 300):.2f} nats on our split")
assert prior_costs(0, 300) > 0.2

# %% [markdown] card="15-copies-and-a-prior"
# You hand a model each training patient twice, and its weights stay where they were. Which error
# is that?
#
# **Answer.** The prior counts once for each patient, so its influence does not shrink as evidence
# comes in. With a prior that counts once, the weights move away from 0.

# %% [markdown]
# ## Company: the same patient, among others
#
# "*At test time the network is deterministic.*" A forecast for a patient must not depend on who
# else waits in the corridor. Take five patients and put each of them thirty times among fifteen
# others:

# %% hide=True alt="Each patient's probability scatters by company; by hand it is a single line."
_, _, X_new, _ = split(TRIAGE, 0)
net, rng = triage_net(0, 150), numpy_rng(3)
alone = special.expit(tested(net, X_new, ("mode",)))
five = np.argsort(np.abs(alone - 0.5))[:5]
_, ax = plt.subplots(figsize=(7, 3.4))
for place, who in enumerate(five):
    company = [np.r_[who, rng.choice(len(X_new), 15, replace=False)] for _ in range(30)]
    met = [special.expit(tested(net, X_new[c], (), seed=i)[0]) for i, c in enumerate(company)]
    plot_data(
        place + rng.uniform(-0.2, 0.2, 30), met, ax=ax, label=None if place else "in company"
    )
    ax.hlines(
        alone[who], place - 0.3, place + 0.3, color="C1", lw=3, label=None if place else "by hand"
    )
    assert np.ptp(met) > 0.1
ax.set(xticks=range(5), xlabel="patient", ylabel="P(malignant)", ylim=(-0.03, 1.25))
ax.set_title("One patient, thirty companies, thirty answers")
_ = ax.legend(loc="upper right", ncols=2)

# %% [markdown]
# The grey dots are what the card's code says about one and the same patient. Shuffling, batches of
# another size, a batch of one, running twice: four tests that take a minute, and none of them
# needs a right answer. ([Unit 07](07_mc_dropout.ipynb) on modes; exercise 2.)


# %% claim="Tested as it was trained, the tumour network has a higher NLL." steps=300
def training_mode_costs(seed, steps):
    _, _, X_new, y_new = split(TRIAGE, seed)
    net = triage_net(seed, steps // 2)
    card, by_hand = (triage_nll(tested(net, X_new, m), y_new).mean() for m in ((), ("mode",)))
    return card - by_hand


# %% [markdown] card="15-company"
# Which tests of a network's forecasts need no right answer?
#
# **Answer.** Shuffle the patients, take batches of another size, a batch of one, run it twice: a
# forecast must not depend on who else is there. A network left in training mode fails.

# %% [markdown]
# ## Limits: certain and wrong, certain and right
#
# Push a function to where the answer is plain. A forecaster who says 1 of everybody, and is right
# about every second patient, is as badly calibrated as she can be: off by one half. The card's
# code for the calibration error gets her 200 forecasts.

# %%
predict("15-sure", ..., ask="Which calibration error does the card's code give her?")

# %% [markdown] fold="15-sure"
# ### The card's answer

# %% [markdown]
# Both routes:

# %%
sure, coin = np.full(200, 99.0), np.arange(200) % 2
for name, m in (("card", ()), ("library", ("bins",))):
    print(f"{name}: {calibration(sure, coin, m)[0]:.2f}")
because = {0.5: "That is the right answer. Where would the card's code put a 1?"}
reveal("15-sure", calibration(sure, coin, ())[0], within=0.01, because=because)
assert calibration(sure, coin, ())[0] == 0 and calibration(sure, coin, ("bins",))[0] == 0.5

# %% [markdown]
# A perfect score for the worst of all forecasters. Counting would have found it, too. These are
# the patients whom the card's bins hold, for the tumour network:

# %% hide=True alt="Bars: in the outer bins the card holds few of the patients that are there."
y_new = split(TRIAGE, 0)[3]
z = tested(net, X_new, ("mode",))
found = {name: calibration(z, y_new, m) for name, m in (("library", ("bins",)), ("card", ()))}
_, ax = plt.subplots(figsize=(7, 3))
for name, color in (("library", "#C0C0C0"), ("card", "C0")):
    error, counts = found[name]
    label = f"{name}: {counts.sum():.0f} patients, error {error:.3f}"
    ax.bar(np.arange(10) / 10 + 0.05, counts, width=0.09, color=color, label=label)
ax.set(
    xlabel="probability", ylabel="patients", title="Most patients are in none of the card's bins"
)
_ = ax.legend(loc="upper center")
assert found["card"][1].sum() < 0.5 * len(y_new) and found["library"][1].sum() == len(y_new)

# %% [markdown]
# More than half of the patients are lost, and the error hardly moves: those who are lost got a
# 0.00 or a 1.00, and the network is mostly right about them. *This time.* How far a number moves
# says how lucky you were, not how wrong the code is. ([Unit 05](05_calibration.ipynb); exercise
# 5.)

# %% [markdown] card="15-limits"
# How do you test a score by limits?
#
# **Answer.** Hand it a forecaster who is certain and wrong, and one who is certain and right: the
# worst must get the worst score. A clamp, or a bin that loses them, shows at once.

# %% [markdown]
# ### The other limit
#
# Now a forecaster of progression who misses by three and states a smaller and smaller standard
# deviation. The exact loss explodes. The card's?

# %% hide=True alt="The exact loss rises steeply to the left; the card's is flat at both ends."
stated = np.geomspace(0.05, 20, 300)
_, ax = plt.subplots()
for name, m in (("card", ()), ("exact", ("clamp",))):
    plot_curve(stated, ward_nll(0.0, stated, 3.0, m), ax=ax, label=name)
ax.set(xscale="log", yscale="log", xlabel="stated standard deviation (the miss is 3)")
ax.set(ylabel="loss (nats)", title="Whoever is certain and wrong pays 13 nats, no more")
_ = ax.legend()
top = ward_nll(0.0, 0.05, 3.0)
assert 12 < top < 13 and ward_nll(0.0, 0.05, 3.0, ("clamp",)) > 1000

# %% [markdown]
# Outside a narrow window the loss does not depend on what was stated. A proper score is a contract
# ([unit 14](14_scoring_rules.ipynb)); this one has a clause that caps all fines. **Broken on
# purpose:** let a model state a standard deviation of a thousandth, everywhere, about the linear
# model's mean:

# %%
X, y, X_new, y_new, unit = ward(0)
mean = BayesianRidge().fit(X, y).predict(X_new)
for sd in (0.7, 0.1, 0.001):
    both = [ward_nll(mean, sd, y_new, m).mean() for m in ((), ("clamp",))]
    print("sd {:5}: card {:5.2f}, exact {:12,.2f}".format(sd, *both))
assert ward_nll(mean, 0.001, y_new).mean() < 1.4 and both[1] > 1e5

# %% [markdown]
# By the card even that is better than knowing no patient (1.39). ([Units
# 02](02_output_distributions.ipynb) and [06](06_uncertainty.ipynb#Two-interview-questions);
# exercise 3.)

# %% [markdown]
# ## Known answers: simulate
#
# Five networks are a recipe for drawing outcomes: draw a member, then an outcome from what it
# says. So the standard deviation that they state together can be *simulated*, with no formula at
# all. Do it where you know everything: members whose means are spread by `apart`, each with a
# noise of `noise`.


# %% alt="Simulated outcomes reach far beyond the narrow bar of the averaged deviations."
def draw_known(apart=1.5, noise=0.6):
    rng = numpy_rng(4)
    means = apart * np.array([-1.4, -0.5, 0.1, 0.6, 1.2])
    drawn = rng.choice(means, 20_000) + noise * rng.standard_normal(20_000)
    _, ax = plt.subplots()
    ax.hist(drawn, bins=80, density=True, color="#C0C0C0", label="simulated outcomes")
    for name, sd, height in (("card", noise, 0.10), ("simulated", drawn.std(), 0.05)):
        color = "C0" if name == "card" else "C1"
        label = f"{name}: 1.645 sd, sd {sd:.2f}"
        ax.hlines(height, -1.645 * sd, 1.645 * sd, color=color, lw=6, label=label)
    ax.set(xlabel="outcome", ylabel="density", xlim=(-8, 8))
    ax.set_title("What five members say together, drawn and averaged")
    ax.legend(loc="upper left", fontsize=8)
    return drawn.std() / noise


assert draw_known() > 2

# %% [markdown]
# ### Let them agree
#
# **Move `apart` to 0.** Then the two bars are equal: a test with members that agree never finds
# this error. (Known answers must not be special: unit 00's standard deviation of 1, a log
# determinant of 0, two classes.) Then make `noise` small.

# %%
interactive(draw_known, apart=(0.0, 3.0, 0.25), noise=(0.1, 2.0, 0.1))

# %% [markdown]
# On the ward, in points:

# %%
m, s = (v[0] for v in ward_nets(300))
rng = numpy_rng(5)
members, patients = rng.integers(5, size=(4000, m.shape[1])), np.arange(m.shape[1])
drawn = rng.normal(m[members, patients], s[members, patients])
print(f"mean sd: card {unit * s.mean():.0f}, simulated {unit * drawn.std(0).mean():.0f}")
print(f"root mean squared error {unit * np.sqrt(((y_new - m.mean(0)) ** 2).mean()):.0f}")
assert s.mean() < 0.75 * drawn.std(0).mean()

# %% [markdown]
# The card's number cannot be true beside the error; the simulated one can.
# ([Unit 08](08_deep_ensembles.ipynb); exercise 4.)

# %% [markdown] card="15-special-answers"
# Why is a test with members that agree no test of how an ensemble is pooled?
#
# **Answer.** Where they agree, the mean of their standard deviations is right as well. Known
# answers must not be special: nothing equal to 0, to 1 or to each other.

# %% [markdown]
# ## Reruns: three errors that the card does not have
#
# Three more from the catalogue, and how an audit meets them. First: **the scaler saw the test
# patients.** It is an error, for the test then is no test. Does it flatter? Ten splits, paired:

# %%
gaps = []
for seed in range(10):
    X, y, X_new, y_new = split(TRIAGE, seed)
    everybody = (tumours - tumours.mean(0)) / tumours.std(0)
    test, train = np.split(numpy_rng(seed).permutation(len(tumours)), [len(tumours) // 3])
    pairs = (X, X_new), (everybody[train], everybody[test])
    w = [logistic(*with_ones(a, y), ("prior",)) for a, _ in pairs]
    honest, leaky = (
        triage_nll(with_ones(b, y_new)[0] @ v, y_new).mean()
        for (_, b), v in zip(pairs, w, strict=True)
    )
    gaps.append(honest - leaky)
print(f"NLL with a clean scaler less that with a leaky one: {min(gaps):+.4f} to {max(gaps):+.4f}")
assert max(np.abs(gaps)) < 0.01

# %% [markdown]
# Not by a hundredth, on any of the ten. You report it all the same, and say how little it moved:
# with 20 patients, or with features that are chosen on all of them, the same line would have
# decided everything.

# %% [markdown]
# Second: **accuracy where one class is rare.** In a screening, say, 2 of 100 tumours are
# malignant. How accurate is the logistic regression there, with its errors mended, and how
# accurate is who calls every tumour benign?

# %%
shares = []
for seed in range(10):
    X, y, X_new, y_new = split(TRIAGE, seed)
    positive = with_ones(X_new, y_new)[0] @ logistic(*with_ones(X, y), ("prior",)) > 0
    shares.append([positive[y_new == 1].mean(), 1 - positive[y_new == 0].mean()])
found, cleared = np.mean(shares, 0)  # of the malignant, of the benign tumours
print(f"finds {found:.2f} of the malignant tumours, clears {cleared:.2f} of the benign ones")
print(f"accuracy in the screening {0.02 * found + 0.98 * cleared:.3f}, of who finds none 0.980")
assert found > 0.9 and abs(0.02 * found + 0.98 * cleared - 0.98) < 0.02

# %% [markdown]
# A model that finds nearly all, and one that finds none: their accuracies differ by about a
# hundredth. Never a score without that of who knows no patient beside it
# ([unit 14](14_scoring_rules.ipynb)); exercise 7 has both.

# %% [markdown]
# Third: **the best of ten seeds.** Ten networks, the same but for their seed. Half of the test
# patients choose the best, which has the NLL $a$ on this half.

# %%
predict(
    "15-best-of-ten",
    ...,
    ask="On the other half of the patients, is that network's NLL ...",
    choices=("lower than a, on average", "about a", "higher than a, on average"),
)

# %% [markdown] fold="15-best-of-ten"
# ### Chosen here, tested there

# %% [markdown]
# Ten small networks for each split, and 40 ways to halve its test patients. The halves take turns
# in choosing, so that it does not matter which is the easier one:


# %%
@functools.cache
def ten_nets(seed, steps):  # loss of each network on each test patient
    X, y, X_new, y_new = split(TRIAGE, seed)
    x, t = (
        torch.tensor(X).float().to(device).expand(10, -1, -1),
        torch.tensor(y).float().to(device),
    )
    drawn = (torch.randn(10, *s, generator=torch_generator(seed)) for s in ((31, 8), (9, 1)))
    layers = [(w / (w.shape[1] - 1) ** 0.5).to(device).requires_grad_() for w in drawn]

    def loss():
        z = run(layers, x)[0]
        return binary_cross_entropy_with_logits(z, t.expand_as(z), reduction="none").mean(1).sum()

    fit(loss, torch.optim.Adam(layers, lr=0.02), steps=steps, decay=True)
    z = run(layers, torch.tensor(X_new).float().to(device).expand(10, -1, -1))[0]
    return triage_nll(z.detach().double().cpu().numpy(), y_new)


# %% [markdown]
# What is reported, and what comes:


# %%
def chosen(seed, steps, rounds=40):  # NLL of the best, where it was chosen and elsewhere
    losses, rng = ten_nets(seed, steps), numpy_rng(seed)
    pairs = []
    for _ in range(rounds):
        halves = np.array_split(rng.permutation(losses.shape[1]), 2)
        for here, there in (halves, halves[::-1]):
            best = losses[:, here].mean(1).argmin()
            pairs.append((losses[best, here].mean(), losses[best, there].mean()))
    return np.array(pairs).mean(0)


# %% [markdown]
# Six splits:

# %% alt="On each of six splits the NLL is higher on other patients than where it was chosen."
pairs = np.array([chosen(seed, 200) for seed in range(6)])
_, ax = plt.subplots(figsize=(7, 3.2))
for seed, (here, there) in enumerate(pairs):
    ax.plot([here, there], [seed, seed], color="0.6", lw=2, zorder=1)
ax.plot(pairs[:, 0], range(6), "o", color="C1", label="where it was chosen")
ax.plot(pairs[:, 1], range(6), "o", color="C0", label="on other patients")
ax.set(
    xlabel="NLL of the best of ten (nats)", ylabel="split", title="A choice flatters who made it"
)
_ = ax.legend()

# %% [markdown]
# On each of the six:

# %%
because = {
    "about a": "It would be, had the patients not chosen it.",
    "lower than a, on average": "It was chosen because it was lucky here.",
}
reveal("15-best-of-ten", "higher than a, on average", because=because)
assert (pairs[:, 1] > pairs[:, 0]).all()

# %% [markdown]
# The networks hardly differ; what is chosen is mostly luck. The remedy is not a better choice but
# to state all runs, the mean and the worst (exercise 7).


# %% claim="The best of ten seeds has a higher NLL on patients that did not choose it." steps=200
def choice_flatters(seed, steps):
    here, there = chosen(seed, steps)
    return there - here


# %% [markdown] card="15-best-seed"
# The best of ten seeds is reported, chosen by the NLL on the test patients. What will new patients
# see, and what should be reported?
#
# **Answer.** A higher NLL on average: what was chosen was mostly luck. Report all runs, the mean
# and the worst.

# %% [markdown]
# ## Mended one at a time
#
# Back to the card, and to the linear model, whose NLL it gives as 1.05. You take out the limits on
# its log variances, and nothing else.

# %%
predict(
    "15-linear-alone",
    ...,
    ask="Only that is mended: the NLL of the linear model becomes ...",
    choices=("a little lower", "a little higher", "more than ten times as high"),
)

# %% [markdown] fold="15-linear-alone"
# ### Two errors, four cards

# %% [markdown]
# Two errors stand behind this number. With and without each of them:

# %%
four = {
    names: card(0, names)["linear"][0]
    for names in ((), ("noise",), ("clamp",), ("clamp", "noise"))
}
for names, nll in four.items():
    print(f"mended: {' and '.join(names) or 'nothing':16s} NLL {nll:6.2f}")
because = {
    "a little lower": "That is what mending the noise does. Here far too little spread is stated.",
    "a little higher": "The clamp was not the only error behind this number.",
}
reveal("15-linear-alone", "more than ten times as high", because=because)
assert four[("clamp",)] > 10 * four[()] and four[("clamp", "noise")] < four[()]

# %% [markdown]
# One error hid the other: the clamp replaced the absurd variance of the line by one that happens
# to be near the truth. The model was signed rightly, for a wrong reason. Whoever mends a line,
# sees the number explode, and takes the mend back "because it made things worse" has kept two
# errors.

# %% [markdown] card="15-hidden-errors"
# You remove one error from a score, and a model's number explodes. Do you take the mend back?
#
# **Answer.** No: another error may have been hidden behind it. Mend the score first, then the
# models; a number that gets worse is no reason to keep two errors.

# %% [markdown] fold="15-one-mend"
# ## All six

# %% [markdown]
# Which models are signed, after each single mend and after all of them:

# %%
errors = ("prior", "mode", "bins", "clamp", "averaging", "noise")
cards = {"none": (), **{name: (name,) for name in errors}, "all six": errors}
cards = {name: card(0, mended) for name, mended in cards.items()}


def signed(found):
    return sum(nll < blind for nll, blind in found.values())


for name, found in cards.items():
    print(f"mended: {name:10s} signed: {signed(found)}")

# %% [markdown]
# In a picture, each model's NLL less that of who knows no patient:

# %% hide=True alt="Cells turn from blue to orange only without the clamp and with all mended."
_, ax = plt.subplots(figsize=(8, 3.6))
names = list(cards["none"])
for i, found in enumerate(cards.values()):
    for j, model_name in enumerate(names):
        gain = found[model_name][1] - found[model_name][0]
        color = "C0" if gain > 0 else "C1"
        ax.text(
            i,
            -j,
            f"{-gain:+.2f}" if abs(gain) < 10 else f"{-gain:+.0f}",
            color="white",
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": color, "edgecolor": "none"},
        )
ax.set(xlim=(-0.6, 7.6), ylim=(-4.6, 0.6), xlabel="mended", yticks=-np.arange(5))
ax.set_xticks(range(8), cards, fontsize=9)
ax.set_yticklabels(names)
ax.grid(visible=False)
_ = ax.set_title("NLL less that of who knows no patient: blue is signed")

# %% [markdown]
# The answer:

# %%
fewest = min(errors, key=lambda name: signed(cards[name]))
because = {
    "the noise left out": "Mended alone it improves the linear model, which was signed already.",
    "the weight of the prior": "It moves the NLL most of the tumour models, to the better.",
    "the averaged standard deviations": "Under the clamp the NLL hardly notices.",
    "the mode of the network": "It changes numbers from run to run; mended, they are better.",
    "the edges of the bins": "The verdict does not look at the calibration error.",
}
words = {"clamp": "the limits on the log variance"}
reveal("15-one-mend", words.get(fewest, fewest), because=because)
assert [signed(cards[name]) for name in ("none", "clamp", "all six")] == [5, 2, 3]

# %% [markdown]
# Two models are left after that mend; after all six there are three, for the linear model comes
# back. Each of the other five, mended alone, changes no verdict, and two of them made models look
# worse than they are. An error in the *score* is worse than one in a model: it lets everything
# pass.


# %% claim="Without the clamp fewer models are signed than after any other single mend." steps=300
def clamp_decides(seed, steps):
    left = {name: signed(card(seed, (name,), steps)) for name in errors}
    return min(left[name] for name in errors if name != "clamp") - left["clamp"] - 0.5


# %% [markdown]
# ## The card, corrected
#
# Ten splits instead of one, nobody chose among them, each model beside who knows no patient, and
# the five networks scored as the mixture that they are. NLL less that of who knows no patient:

# %%
everything = [card(seed, errors) for seed in range(10)]
gains = {name: np.array([c[name][0] - c[name][1] for c in everything]) for name in everything[0]}
for seed in range(10):
    m, s = (v[seed] for v in ward_nets(300))
    y_new = ward(seed)[3]
    mixed = -mixture(m, s).log_prob(torch.tensor(y_new)).mean().item()
    gains["five networks"][seed] = mixed - everything[seed]["five networks"][1]
assert all(max(gains[name]) < 0 for name in ("logistic", "network", "linear"))

# %% [markdown]
# All models, all splits:

# %% hide=True alt="Three models lie below 0 on all ten splits; the ward networks far above."
_, ax = plt.subplots(figsize=(7, 3.4))
for j, gain in enumerate(gains.values()):
    plot_data(gain, np.full(10, -j), ax=ax, label=None, color="C0" if max(gain) < 0 else "C1")
ax.axvline(0, color="black", ls="--", lw=1.6)
ax.set_xscale("symlog", linthresh=1)
ax.set_yticks(-np.arange(5), gains)
ax.set(xlabel="NLL less that of who knows no patient (nats)", xlim=(-3, 3000))
ax.set(ylim=(-4.4, 0.4), title="Three models earn a signature")


# %% [markdown]
# The upper three are better on each of the ten splits, the networks of the ward are worse on each:
# 295 patients are too few for variances that nothing holds back ([unit 06](06_uncertainty.ipynb)
# has remedies). A clamp in the score makes no model better, it only makes the worst invisible.


# %% claim="The logistic and the linear model beat who knows no patient." steps=300
def plain_models_pass(seed, steps):
    found = card(seed, errors, steps)
    return min(found[name][1] - found[name][0] for name in ("logistic", "linear"))


# %% [markdown]
# And the other side:


# %% claim="Five networks on the ward are worse than who knows no patient." steps=300
def ward_networks_fail(seed, steps):
    m, s = (v[seed] for v in ward_nets(steps))
    y_new = ward(seed)[3]
    mixed = -mixture(m, s).log_prob(torch.tensor(y_new)).mean().item()
    alike, blind = card(seed, errors, steps)["five networks"]
    return min(mixed, alike) - blind


assert min(gains["five networks"]) > 0

# %% [markdown]
# The table to sign, mean over ten splits and the worst of them. For the ward all four scores of
# the course, in standard deviations of the outcome:

# %%
from course_utils.scores import score

for name in ("logistic", "network"):
    nll = np.array([c[name][0] for c in everything])
    print(f"{name:24s} NLL {nll.mean():.3f}, worst {nll.max():.3f}")
table = {name: [] for name in ("linear", "five networks", "who knows no patient")}
for seed in range(10):
    y_new, (m, s) = ward(seed)[3], (v[seed] for v in ward_nets(300))
    row = ward_rows(seed, errors, 300)["linear"]
    table["linear"].append(score(torch.distributions.Normal(*map(torch.tensor, row)), y_new))
    table["five networks"].append(score(mixture(m, s), y_new))
    blind = torch.distributions.Normal(torch.zeros(len(y_new)), 1.0)
    table["who knows no patient"].append(score(blind, y_new))
for name, rows in table.items():
    nll, crps, covers, width = np.mean(rows, 0)
    print(f"{name:24s} NLL {nll:6.3f}, CRPS {crps:.3f}, coverage {covers:.2f}, width {width:.2f}")

# %% [markdown]
# The linear model's intervals hold about nine of ten, as they should. And a finding that the
# card's authors would like: by CRPS, which charges a miss by its distance, the five networks are
# better than knowing no patient. Something in them is useful; what they say about their own
# certainty is not.


# %% claim="By CRPS five networks on the ward beat who knows no patient." steps=300
def networks_have_crps(seed, steps):
    m, s = (v[seed] for v in ward_nets(steps))
    y_new = ward(seed)[3]
    blind = torch.distributions.Normal(torch.zeros(len(y_new)), 1.0)
    return score(blind, y_new).crps - score(mixture(m, s), y_new).crps


assert networks_have_crps(0, 300) > 0.03

# %% [markdown]
# And the linear model's intervals:


# %% claim="With its noise the linear model covers 0.9 within three standard errors." steps=300
def linear_covers(seed, steps):
    mean, sd = ward_rows(seed, ("noise",), steps)["linear"]
    y_new = ward(seed)[3]
    covered = (np.abs(y_new - mean) < 1.645 * sd).mean()
    return 3 * np.sqrt(0.09 / len(y_new)) - abs(covered - 0.9)


covers, width = np.mean(table["linear"], 0)[2:]
assert abs(covers - 0.9) < 0.03 and np.mean(table["five networks"], 0)[2] < 0.75

# %% [markdown]
# ## What a signature rests on
#
# | question | the test | needs |
# | --- | --- | --- |
# | Do the numbers agree with each other? | error and interval, counts and totals | the card |
# | Does more evidence move it? | every patient twice | the code |
# | Does company move it? | shuffle, a batch of one, run twice | the code |
# | Does the worst get the worst score? | certain and wrong, certain and right | the code |
# | Is a known answer found? | simulate, with nothing equal to 0, 1 or each other | the code |
# | Do two routes agree? | a library, a simulation, another formula | time |
# | Who chose what is shown? | ten splits, mean and worst, none left out | data |
# | Better than knowing nothing? | the forecaster who knows no patient, paired | data |
#
# And what it does not cover, which you write above your name: other hospitals, other years,
# patients unlike these, groups too small to be tested, and costs that nobody has named.

# %% [markdown]
# ## Recap
#
# 1. A card's numbers must agree with each other, with chance, and with knowing nothing. That test
#    is free.
# 2. Errors flatter, and they slander: look for both.
# 3. You need no right answer to test code: invariances, company, limits and simulations do.
# 4. Errors hide each other. Mend the score first, then the models; a number that gets worse is no
#    reason to take a mend back.
# 5. Sign for what was tested: all runs, on these patients, against who knows none of them.

# %% [markdown]
# ## An interview question
#
# *You take over a model in production. Its dashboard has shown an NLL between 1.2 and 1.3 for a
# year, through two changes of the data source. You remove a clamp from the loss; now the dashboard
# shows 40. Your manager wants the clamp back. What do you say?*
#
# Think first.

# %% [markdown]
# <details><summary>An answer</summary>
#
# **The model did not get worse, the thermometer got better.** A score that stays put through two
# changes of the data is a symptom: hand it a forecaster who is certain and wrong and see that it
# stays put then, too. Nothing about patients or customers changed today.
#
# **Then find whom the 40 nats come from.** A mean NLL of 40 is often a few cases with a stated
# deviation far too small: sort by loss, look at the ten worst, compare stated deviations with
# actual errors. Perhaps another error was hidden (noise left out, averaged deviations), perhaps
# the new source has cases unlike the old.
#
# **Meanwhile act by costs.** If decisions use the mean only, they are as good as yesterday, and
# CRPS or absolute errors will show it; if they use intervals, widen them by what the last months'
# errors say (conformal, unit 13) until the cause is mended. The popular wrong answer, "keep the
# clamp, for stability", keeps the model *and* the blindness; a clamp may stand in the optimiser,
# if its gradient is thought through, never in the report.
#
# </details>

# %% [markdown]
# ## The course behind you
#
# This is the last unit. Each lesson has a question like the one above, folded; together they are
# an interview. Go back and answer them aloud, before you unfold:
# [00](00_start.ipynb#An-interview-question) ·
# [01](01_loss_as_likelihood.ipynb#Two-interview-questions) ·
# [02](02_output_distributions.ipynb#An-interview-question) ·
# [03](03_entropy_kl.ipynb#An-interview-question) ·
# [04](04_map_priors.ipynb#Two-interview-questions) ·
# [05](05_calibration.ipynb#Two-interview-questions) ·
# [06](06_uncertainty.ipynb#Two-interview-questions) ·
# [07](07_mc_dropout.ipynb#An-interview-question) ·
# [08](08_deep_ensembles.ipynb#An-interview-question) ·
# [09](09_bayesian_nets.ipynb#An-interview-question) ·
# [10](10_mixtures.ipynb#An-interview-question) · [11](11_vae.ipynb#An-interview-question) ·
# [12](12_flows.ipynb#An-interview-question) · [13](13_forecasting.ipynb#An-interview-question) ·
# [14](14_scoring_rules.ipynb#An-interview-question). Then [start again](00_start.ipynb), at the
# unit whose answer came hardest.

# %% [markdown]
# ## What to read next
#
# - M. Mitchell and others, "Model cards for model reporting", *Conference on Fairness,
#   Accountability, and Transparency* (2019): what a card should say, and for whom.
# - S. Kapoor and A. Narayanan, "Leakage and the reproducibility crisis in machine-learning-based
#   science", *Patterns* (2023): errors like these in published work, field by field.
# - G. C. Cawley and N. L. C. Talbot, "On over-fitting in model selection and subsequent selection
#   bias in performance evaluation", *Journal of Machine Learning Research* (2010): the best of
#   ten.
# - S. Talts and others, "Validating Bayesian inference algorithms with simulation-based
#   calibration", arXiv 1804.06788 (2018): known answers for posteriors.

# %% [markdown]
# ## Your turn
#
# The assignment `15_capstone` hands you the card's functions, one error each, and asks for more
# than a mend: counts of patients, a network left as it was found, what a clamp has hidden, a
# ward's beds, chance's share of a calibration error, a risk, the table itself; and, in words, your
# decision.
