# %% [markdown]
# # Proper scoring rules: how to compare everything
#
# A leaderboard of forecasts has six columns: NLL, calibration error, coverage of the 0.9 intervals
# (best at 0.90), width of these intervals, Brier score, CRPS. An opponent knows how often things
# happen over the years, and nothing at all about any single case. She may send what she likes,
# even something else for each column. The *oracle* knows the true distribution of each case, and
# sends just that. However many cases are scored: **in which columns does the opponent do as well
# as the oracle, or better?**

# %% [markdown]
# **After this lesson you can** say which numbers can rank forecasts and why; compute CRPS in three
# ways; and tell whether one forecaster's lead is more than luck.
#
# **You need** the NLL (unit 01) and, for one table, units 05 to 08. Reading takes about 80 minutes
# with the code, 30 without it; running some 10 seconds. Symbols:
# [notation](00_start.ipynb#Notation).
#
# Commit to each prediction before you read on; only your first answer is kept.

# %% [markdown]
# The setup looks the same in every lesson: imports, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import integrate, special, stats

from course_utils.device import numpy_rng, one_thread, pick_device
from course_utils.plotting import plot_band, plot_curve, plot_data, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer. (Calibration error: how far the frequencies are from the probabilities
# that were stated, over all cases together.)

# %%
predict(
    "14-six-columns",
    ...,
    ask="In which columns does she do as well as the oracle, or better?",
    choices=(
        "in no column",
        "in width only",
        "in width and coverage",
        "in width, coverage and calibration error",
        "in all six",
    ),
)

# %% [markdown]
# ## Two forecasters who are both right
#
# The world of this lesson: of each day, $\mu \sim N(0, 1)$ can be known in advance; what comes is
# $y \sim N(\mu, 1)$. The oracle states $N(\mu, 1)$. *Climatology* states the same on each day,
# $N(0, 2)$, which is the distribution of $y$ over all days. Nine of ten days lie inside the band
# of each. Both tell the truth; one of them knows more.


# %% alt="Forty days: the oracle's short bars follow the dots, climatology's wide band does not."
def world(n, rng):  # what can be known, and what comes
    mu = rng.standard_normal(n)
    return mu, mu + rng.standard_normal(n)


mu, y = world(40, numpy_rng(1))
days, half = np.arange(40), stats.norm.ppf(0.95)
wide = np.full(40, half * np.sqrt(2))
ax = plot_band(days, -wide, wide, contains="y", level=0.9, color="#DDDDDD", alpha=1)
ax.vlines(days, mu - half, mu + half, color="C0", lw=4, alpha=0.5, label="oracle, 0.9 interval")
plot_data(days, y, ax=ax, label="what came", color="black")
ax.set(
    xlabel="day", ylabel="y", ylim=(-5, 6.5), title="Both hold nine of ten days; one knows more"
)
_ = ax.legend(loc="upper center", ncols=3, fontsize=8)

# %% [markdown]
# The bars move with the dots, the grey band does not. A good score must see that.

# %% [markdown]
# ## A score is a contract
#
# A score $S(P, y)$ is a loss that a forecaster is charged: she reports a distribution $P$, then
# $y$ comes. She reports whatever costs her least *in her own eyes*: if she believes $Q$, she
# minimises $\mathrm{E}_{y \sim Q}\, S(P, y)$ over $P$. The score is **proper** if the honest
# report, $P = Q$, is among the best she can do, and *strictly* proper if it is the only best one.
#
# Here is a contract that sounds fair. She states a probability $p$ of rain; $y$ is 1 if it rains,
# else 0; she is charged $|y - p|$. She believes that it rains with probability 0.7.

# %%
predict(
    "14-linear-contract",
    ...,
    ask="She is charged |y - p| and believes 0.7. Which report costs her least?",
    choices=("a hedge, 0.5", "what she believes, 0.7", "certainty, that it rains"),
)

# %% [markdown] card="14-proper"
# When is a score proper, and when strictly proper?
#
# **Answer.** If the honest report is among those with the lowest expected charge in the
# forecaster's own eyes; strictly, if it is the only one.

# %% [markdown] fold="14-linear-contract"
# ### The charge against the report

# %% [markdown]
# Four contracts. Each curve is what she expects to be charged, against what she reports. The
# curves are moved so that honesty costs 0.


# %%
def brier(p, y):
    return (y - p) ** 2


def log_score(p, y):
    return -np.log(np.where(y == 1, p, 1 - p))


def spherical(p, y):
    return 1 - np.where(y == 1, p, 1 - p) / np.hypot(p, 1 - p)


def linear(p, y):
    return np.abs(y - p)


def expected(score, p, q):  # if it rains with probability q
    return q * score(p, 1) + (1 - q) * score(p, 0)


# %% [markdown]
# Where does each curve have its lowest point?

# %% alt="Log, Brier and spherical score are lowest at 0.7, the linear score at 1."
reports = np.linspace(0.001, 0.999, 999)
contracts = {"log": log_score, "Brier": brier, "spherical": spherical, "linear": linear}


def draw_contracts(belief=0.7):
    _, ax = plt.subplots()
    for name, score in contracts.items():
        charge = expected(score, reports, belief) - expected(score, belief, belief)
        plot_curve(reports, charge, ax=ax, label=name)
        ax.plot(reports[charge.argmin()], charge.min(), "o", color=ax.lines[-1].get_color(), ms=9)
    ax.axvline(belief, color="black", ls="--", lw=1.6, label="belief")
    ax.set(xlabel="report p", ylabel="expected charge, less that of honesty", ylim=(-0.5, 1))
    ax.set_title("Three contracts reward honesty")
    ax.legend(ncols=2)
    return ax


ax = draw_contracts()

# %% [markdown]
# The numbers:

# %%
best = {name: reports[expected(s, reports, 0.7).argmin()] for name, s in contracts.items()}
print(", ".join(f"{name}: report {p:.1f}" for name, p in best.items()))
charges = [expected(linear, p, 0.7) for p in (0.7, 1.0)]
print("linear score, honest {:.2f}, certain {:.2f}".format(*charges))
because = {
    "what she believes, 0.7": "That is what a proper score would make her do. This one does not.",
    "a hedge, 0.5": "A hedge is charged 0.5 whatever happens: more than honesty costs her.",
}
reveal("14-linear-contract", "certainty, that it rains", because=because)
assert best.pop("linear") > 0.99 and all(abs(p - 0.7) < 0.002 for p in best.values())

# %% [markdown]
# Under the linear score honesty costs 0.42 and certainty 0.30: the contract pays for exaggeration.
# Whoever ranks forecasters of yes and no by mean absolute error rewards rounding: of two who know
# the same, the one who rounds wins.

# %% [markdown] card="14-what-the-linear-score-pays"
# A forecaster is charged |y − p|, and believes that rain is likelier than not. What does she
# report?
#
# **Answer.** Certainty. Her expected charge is a straight line in p, lowest at one end: the
# contract pays for exaggeration.

# %% [markdown]
# ### Other beliefs
#
# **Move `belief`.** Three dots stay on the dashed line. Where does the fourth one jump?

# %%
interactive(draw_contracts, belief=(0.05, 0.95, 0.05))

# %% [markdown]
# ## Why these are proper
#
# With $q$ for the belief and $p$ for the report, the expected charges are
#
# $$
# \begin{aligned}
# (1) \quad \text{Brier:} \quad & q (1-p)^2 + (1-q)\, p^2 = q(1-q) + (p - q)^2 \\
# (2) \quad \text{log:} \quad & -q \log p - (1-q) \log (1-p) = H(q) + \mathrm{KL}(q \,\|\, p) \\
# (3) \quad \text{linear:} \quad & q (1-p) + (1-q)\, p = q + (1 - 2q)\, p
# \end{aligned}
# $$
#
# In (1) and (2) the first term does not depend on the report, and the second is 0 for $p = q$ and
# positive elsewhere (unit 03). That is the proof, and it holds for distributions of numbers as
# well: $\mathrm{E}_q[-\log p(y)]$ is an entropy plus a divergence. (3) is a straight line in $p$,
# lowest at one end: at 1 if $q > \frac12$. All three, checked on a grid:

# %%
q = np.linspace(0.02, 0.98, 49)[:, None]
kl = special.rel_entr(q, reports) + special.rel_entr(1 - q, 1 - reports)
entropy = special.entr(q) + special.entr(1 - q)
assert np.allclose(expected(brier, reports, q), q * (1 - q) + (reports - q) ** 2)  # (1)
assert np.allclose(expected(log_score, reports, q), entropy + kl)  # (2)
assert np.allclose(expected(linear, reports, q), q + (1 - 2 * q) * reports)  # (3)
nearest = reports[expected(spherical, reports, q).argmin(1)]
assert abs(nearest - q[:, 0]).max() < 0.002  # the spherical score, tried out

# %% [markdown]
# Expectations are one thing, data another. In ten worlds, does the linear score prefer the liar,
# who rounds each probability to 0 or 1, and the Brier score the honest one? A *claim* like this is
# a function of a seed and a number of steps, here of days. It must come out positive on ten seeds,
# and with three times as many steps; others further down are folded.


# %% claim="The linear score prefers who rounds to 0 or 1, the Brier score does not." steps=2000
def linear_prefers_the_liar(seed, steps):  # the smaller of both leads, over `steps` days
    rng = numpy_rng(seed)
    q = rng.random(steps)
    rain = rng.random(steps) < q
    lie = np.round(q)
    lead = linear(q, rain).mean() - linear(lie, rain).mean()
    return min(lead, brier(lie, rain).mean() - brier(q, rain).mean())


leads = [linear_prefers_the_liar(seed, 2000) for seed in range(10)]
print(f"smallest lead of ten worlds: {min(leads):.3f}")
assert leads[0] > 0.05

# %% [markdown]
# ## What a Brier score is made of
#
# Why the square, of all things? Let protection against rain cost $c$, and being caught without it
# 1. Who has $c \le p$ protects. Compare with hindsight: if it stayed dry, $c$ was paid in vain; if
# it rained on those with $c > p$, they lost $1 - c$ more than they had to. Call that the *regret*
# at cost $c$, and let all costs between 0 and 1 be equally common:
#
# $$(4) \quad 2 \int_0^1 \text{regret}_c(p, y)\, dc = 2 \int_p^1 (1 - c)\, dc \;\text{ or }\;
#   2 \int_0^p c \, dc \;=\; (y - p)^2 .$$
#
# The Brier score is the regret of people with all sorts of costs, added up. Two forecasters who
# are both calibrated, for a chance of rain that is spread evenly from 0 to 1: A can tell low from
# high chances, B recognises only the days on which rain is hardly possible.


# %%
def regret(p, y, c):  # of acting on p at cost c, against hindsight
    return np.where(y == 1, (1 - c) * (p < c), c * (p >= c))


rng = numpy_rng(2)
chance = rng.random(4000)
rain = (rng.random(4000) < chance).astype(float)
told = {"A": np.where(chance < 0.5, 0.25, 0.75), "B": np.where(chance < 0.1, 0.05, 0.55)}
costs = (np.arange(400) + 0.5) / 400
curves = {who: regret(p[:, None], rain[:, None], costs).mean(0) for who, p in told.items()}
for who, p in told.items():
    area, score = 2 * curves[who].mean(), brier(p, rain).mean()
    print(f"{who}: Brier score {score:.3f}, twice the area {area:.3f}")
    assert abs(area - score) < 1e-3  # (4)

# %% [markdown]
# Their regret for each cost:

# %% hide=True alt="Regret against cost: A's curve is lower in the middle, B's below 0.3."
_, ax = plt.subplots()
for who, curve in curves.items():
    plot_curve(
        costs, curve, ax=ax, label=f"{who}, Brier score {brier(told[who], rain).mean():.2f}"
    )
ax.fill_between(costs, *curves.values(), color="#DDDDDD")
ax.set(xlabel="cost c of protection", ylabel="mean regret", title="A wins on average, not for all")
_ = ax.legend()

# %% [markdown]
# A's Brier score is lower. Yet for costs from 0.05 to 0.3, B is the better adviser: for most of
# them A has everybody protected on each day, and B says when there is no need. Any weights on the
# costs give a proper score; a leaderboard that takes *one* proper score has chosen whose costs
# count.

# %% [markdown] card="14-brier-as-regret"
# Of whose regret is the Brier score the sum?
#
# **Answer.** Of people who protect themselves at all sorts of costs between 0 and 1, equally
# common. Other weights on the costs give other proper scores.

# %% [markdown]
# ## Numbers: the CRPS
#
# A forecast of a number is a forecast of many yes or no questions at once: is $y \le t$? Its
# *continuous ranked probability score* adds up their Brier scores:
#
# $$(5) \quad \mathrm{CRPS}(F, y) = \int_{-\infty}^{\infty} \left(F(t) - 1[y \le t]\right)^2 dt .$$
#
# It has the unit of $y$, and it is proper, as each threshold's Brier score is.


# %% hide=True alt="A distribution function and a step at y; the gap between them is shaded."
def draw_crps(mean=0.0, sd=1.0, came=1.2):
    t = np.linspace(-5, 5, 801)
    F, step = stats.norm.cdf(t, mean, sd), (t >= came).astype(float)
    _, (left, right) = plt.subplots(1, 2, sharey=True)
    plot_curve(t, F, ax=left, label="forecast F")
    plot_curve(t, step, ax=left, label="what came", color="black")
    left.fill_between(t, F, step, color="#DDDDDD")
    right.fill_between(t, (F - step) ** 2, color="C0", alpha=0.5)
    area = integrate.trapezoid((F - step) ** 2, t)
    left.set(xlabel="t", ylabel="probability", title="The gap")
    right.set(xlabel="t", title=f"Squared: the area, {area:.2f}, is the CRPS")
    left.legend(loc="upper left")
    return left


_ = draw_crps()

# %% [markdown]
# On the left the forecast and the step, on the right the squared gap.

# %% [markdown]
# ### Move the forecast
#
# **Make `sd` small,** first with `mean` on the spot, then far from it. What does a confident miss
# cost?

# %%
interactive(draw_crps, mean=(-2.0, 2.0, 0.2), sd=(0.1, 3.0, 0.1))

# %% [markdown]
# A forecast without any spread is a distribution, too: a step. Somebody states 4.37, and is sure
# of it; 1.90 comes.

# %%
predict("14-crps-of-a-point", ..., ask="The CRPS of the certain forecast 4.37, if 1.90 comes?")

# %% [markdown] fold="14-crps-of-a-point"
# ### Two steps

# %% [markdown]
# Between the two steps the gap is 1, and its square as well:

# %%
t = np.linspace(0, 6, 60_001)
point = integrate.trapezoid(((t >= 4.37).astype(float) - (t >= 1.90)) ** 2, t)
because = {6.1: "That is the squared error. Here the gap is squared, not the distance."}
reveal("14-crps-of-a-point", round(point, 2), within=0.03, because=because)
assert abs(point - (4.37 - 1.90)) < 1e-3

# %% [markdown]
# It is the absolute error. So the CRPS puts point forecasts and distributions into one table,
# which the NLL cannot: a point has no density.

# %% [markdown] card="14-crps-of-certainty"
# What is the CRPS of a forecast without any spread, and what use is that?
#
# **Answer.** The absolute error. So points and distributions stand in one table, in the unit of y;
# an NLL cannot do that, for a point has no density.

# %% [markdown]
# ### Three forms of one score
#
# With $X$ and $X'$ drawn from $F$ independently, and with unit 13's pinball loss, $\ell_\tau(y, q)
# = \max(\tau (y - q), (\tau - 1)(y - q))$:
#
# $$
# \begin{aligned}
# (6) \quad \mathrm{CRPS}(F, y) &= \mathrm{E}\,|X - y| - \tfrac12\, \mathrm{E}\,|X - X'| \\
# (7) \quad &= 2 \int_0^1 \ell_\tau\!\left(y, F^{-1}(\tau)\right) d\tau
# \end{aligned}
# $$
#
# (6) follows from $|a - b| = \int (1[a \le t] - 1[b \le t])^2\, dt$: with $F$ for the mean of
# $1[X \le t]$, the integrand of $\mathrm{E}|X - y|$ is $(F - 1[y \le t])^2 + F(1 - F)$, and that
# of $\mathrm{E}|X - X'|$ is $2 F (1 - F)$. For a Normal, (6) needs one known mean, that of $|N(m,
# s^2)|$, and so do mixtures of Normals. All forms, for three forecasts:


# %%
def mean_abs(m, s):  # E|N(m, s^2)|
    return m * (2 * special.ndtr(m / s) - 1) + 2 * s * stats.norm.pdf(m / s)


def crps_normal(mean, sd, y):  # (6)
    return mean_abs(y - mean, sd) - sd / np.sqrt(np.pi)


for m, s, came in ((0.0, 1.0, 0.0), (0.4, 2.1, -3.0), (-1.0, 0.3, 0.2)):
    below = integrate.quad(lambda t, *ms: stats.norm.cdf(t, *ms) ** 2, -40, came, (m, s))
    beyond = integrate.quad(lambda t, *ms: stats.norm.sf(t, *ms) ** 2, came, 40, (m, s))
    area = below[0] + beyond[0]  # (5)
    levels = (np.arange(20_000) + 0.5) / 20_000
    u = came - stats.norm.ppf(levels, m, s)
    pinball = 2 * np.maximum(levels * u, (levels - 1) * u).mean()  # (7)
    print(f"CRPS {crps_normal(m, s, came):.4f}, (5) {area:.4f}, (7) {pinball:.4f}")
    assert np.allclose([area, pinball], crps_normal(m, s, came), atol=1e-4)

# %% [markdown]
# In practice the integral (7) is a mean over the quantiles that somebody sent. How many must it
# be? For $N(0, 1)$ and $y = 0$, where the exact value is 0.2337:

# %% same=True
for count in (9, 99, 999):
    levels = np.arange(1, count + 1) / (count + 1)
    u = -stats.norm.ppf(levels)
    print(f"{count:4d} quantiles: {2 * np.maximum(levels * u, (levels - 1) * u).mean():.4f}")

# %% [markdown]
# Nine quantiles score 0.2467: so scores are comparable only between forecasters with the same
# levels.

# %% [markdown]
# ## Scoring an ensemble
#
# Weather models, dropout passes and deep ensembles give $M$ draws instead of $F$. Put their step
# function into (6), and you have the *plain* score; divide the last sum by $M (M - 1)$ instead of
# $M^2$, and the pairs of a member with itself no longer count: the *fair* score.
#
# $$(8) \quad \frac1M \sum_i |x_i - y| - \frac{1}{2 M^2} \sum_{i,j} |x_i - x_j|
#   \qquad\text{or}\qquad \ldots - \frac{1}{2 M (M - 1)} \sum_{i,j} |x_i - x_j| .$$


# %%
def ensemble_scores(x, y):  # members in the last axis; plain and fair
    M = x.shape[-1]
    order = np.sort(x, axis=-1)
    pairs = (order * (2 * np.arange(M) - M + 1)).sum(-1)  # each pair once, without a loop
    to_y = np.abs(x - y[..., None]).mean(-1)
    return to_y - pairs / M**2, to_y - pairs / (M * (M - 1))


draws = numpy_rng(3).standard_normal((20_000, 10))
plain, fair = (s.mean() for s in ensemble_scores(draws, np.zeros(20_000)))
print(f"ten members: plain {plain:.3f}, fair {fair:.3f}, exact {crps_normal(0.0, 1.0, 0.0):.3f}")
assert abs(fair - crps_normal(0.0, 1.0, 0.0)) < 0.005 < plain - fair

# %% [markdown]
# The true $y$ is $N(0, 1)$. A forecaster sends $M = 5$ draws from $N(0, s^2)$ and may choose $s$.
# She is charged the plain score.

# %%
predict(
    "14-best-spread",
    ...,
    ask="Five members, plain score: which spread s costs least on average?",
    choices=("below the true 1", "just the true 1", "above the true 1"),
)

# %% [markdown] fold="14-best-spread"
# ### The charge against the spread

# %% [markdown]
# The expectation of (8) is known: $\mathrm{E}|x - y| = \sqrt{2 (1 + s^2) / \pi}$, and
# $\mathrm{E}|x - x'| = 2 s/\sqrt\pi$ for each pair of different members.

# %%
s = np.linspace(0.2, 2, 1801)
to_y, spread = np.sqrt(2 * (1 + s**2) / np.pi), s / np.sqrt(np.pi)
charge = {"plain, M = 5": to_y - 0.8 * spread, "plain, M = 10": to_y - 0.9 * spread}
charge["fair"] = to_y - spread
lowest = {name: s[value.argmin()] for name, value in charge.items()}
print(", ".join(f"{name}: best at {value:.2f}" for name, value in lowest.items()))
because = {"just the true 1": "It would be, if pairs of a member with itself were left out."}
reveal("14-best-spread", "below the true 1", because=because)
assert lowest["plain, M = 5"] < 0.7 and abs(lowest["fair"] - 1) < 1e-3

# %% [markdown]
# The three curves:

# %% hide=True alt="Plain score of five members is lowest at a spread of 0.69, the fair one at 1."
_, ax = plt.subplots()
for name, value in charge.items():
    plot_curve(s, value, ax=ax, label=f"{name}: best at {lowest[name]:.2f}")
    ax.plot(lowest[name], value.min(), "o", color=ax.lines[-1].get_color(), ms=9)
ax.axvline(1, color="black", ls="--", lw=1.6, label="true spread")
ax.set(xlabel="spread s that is sent", ylabel="expected score", title="Plain pays for less spread")
_ = ax.legend()

# %% [markdown]
# Five honest draws are too few to show the tails, and the plain score blames them for it; at a
# spread of 0.69 they are charged least. The fair score asks what distribution they were drawn
# from. If the ensemble *is* the forecast (five scenarios that a planner will act on, say), the
# plain score is the honest one; if it stands for a distribution, take the fair one. Unit 13's
# table was fair throughout: its paths, and its 28 past days, stand for distributions. Never
# compare a plain number with a fair one.

# %% [markdown] card="14-plain-or-fair"
# An ensemble of a few draws is charged the plain CRPS. Which spread does that reward, and what
# does the fair one change?
#
# **Answer.** One below the truth, since few honest draws do not show the tails. The fair score
# leaves out the pairs of a member with itself; never compare a plain number with a fair one.

# %% [markdown]
# ### Over ten worlds
#
# Plain scores prefer a spread of 0.7 to the true one in each, and fair scores the true one, by at
# least:


# %% claim="With 5 members plain scores prefer a spread of 0.7 to 1, fair ones do not." steps=20000
def plain_prefers_too_narrow(seed, steps):
    rng = numpy_rng(seed)
    x, y = rng.standard_normal((steps, 5)), rng.standard_normal(steps)
    (plain, fair), (plain_low, fair_low) = ensemble_scores(x, y), ensemble_scores(0.7 * x, y)
    return min((plain - plain_low).mean(), (fair_low - fair).mean())


print(f"{min(plain_prefers_too_narrow(seed, 20_000) for seed in range(10)):.3f}")

# %% [markdown]
# ## Only the days that matter
#
# Newspapers remember the disasters. Two forecasters of our world: the oracle, $N(\mu, 1)$, and
# the extremist, $N(\mu + 2.5, 1)$, who always cries wolf. Their CRPS is compared on those days on
# which $y > 3$ came.

# %%
predict(
    "14-days-that-matter",
    ...,
    ask="On the days with y > 3, whose mean CRPS is lower?",
    choices=("the oracle's", "the extremist's", "about equal"),
)

# %% [markdown] fold="14-days-that-matter"
# ### After the disaster

# %% [markdown]
# The difference for each threshold, on a million days:

# %%
mu, y = world(1_000_000, numpy_rng(4))
oracle, extremist = crps_normal(mu, 1.0, y), crps_normal(mu + 2.5, 1.0, y)
for threshold in (-np.inf, 1, 2, 3):
    gap = (oracle - extremist)[y > threshold]
    print(f"y > {threshold:4}: oracle less extremist {gap.mean():+.2f}")
because = {
    "the oracle's": "A disaster is a day on which what came was worse than its forecast.",
    "about equal": "What came, y > 3, was nearly always worse than the oracle's mean.",
}
whose = "the extremist's" if gap.mean() > 0 else "the oracle's"
reveal("14-days-that-matter", whose, because=because)
assert gap.mean() > 0.5 and (oracle - extremist).mean() < -1

# %% [markdown]
# This is the *forecaster's dilemma*: given that a disaster came, $\mu$ was too low. Choosing cases
# by what came makes any score improper. Choosing *thresholds* does not: restrict the integral (5)
# to $t > 2$. For that only the part of the forecast above 2 counts, on all days:


# %% alt="Chosen days turn the ranking at 2; chosen thresholds never do."
def above(mean, y, low):  # the integral (5) from low on, for sd 1, by a sum over t
    t = np.arange(low, 9, 0.05) + 0.025
    return 0.05 * ((special.ndtr(t - mean[:, None]) - (y[:, None] <= t)) ** 2).sum(1)


few = slice(0, 4000)
lows = np.arange(-1, 3.6, 0.5)
chosen = [(oracle - extremist)[y > low].mean() for low in lows]
weighted = [(above(mu[few], y[few], b) - above(mu[few] + 2.5, y[few], b)).mean() for b in lows]
_, ax = plt.subplots()
plot_curve(lows, chosen, ax=ax, label="days with y above the threshold")
plot_curve(lows, weighted, ax=ax, label="all days, integral above the threshold")
ax.axhline(0, color="black", ls="--", lw=1.6)
ax.set(xlabel="threshold", ylabel="oracle less extremist", title="Below 0 the oracle is ahead")
_ = ax.legend(loc="upper left")
assert max(weighted) < 0 < chosen[-1]

# %% [markdown]
# Chosen days turn the ranking round from about 2 on; chosen thresholds leave the oracle ahead
# everywhere.

# %% [markdown] card="14-forecasters-dilemma"
# Forecasters are compared on the days on which a disaster came. What is wrong with that, and what
# may be chosen instead?
#
# **Answer.** Cases chosen by what came make any score improper: who always cries wolf wins. Choose
# thresholds instead, and score all days above them in the integral.

# %% [markdown]
# ### The rule, not the draw
#
# In ten worlds of 30 000 days, the extremist leads on those days by at least:


# %% claim="On days with y > 3 the extremist has the lower CRPS." steps=30000
def extremist_wins_disasters(seed, steps):
    mu, y = world(steps, numpy_rng(seed))
    gap = crps_normal(mu, 1.0, y) - crps_normal(mu + 2.5, 1.0, y)
    return gap[y > 3].mean()


print(f"{min(extremist_wins_disasters(seed, 30_000) for seed in range(10)):.2f}")

# %% [markdown]
# ## Two proper scores may disagree
#
# Both are honest judges, of different things. Let $y$ have heavy tails (Student's $t$ with three
# degrees of freedom). Nobody states that; two forecasters state Normals, one with sd 1.25, one
# with 1.73, the true standard deviation. The NLL charges a miss by its square, the CRPS
# by its distance:


# %%
def two_leads(seed, steps):  # of the narrow one in CRPS, and of the wide one in NLL
    y = numpy_rng(seed).standard_t(3, steps)
    crps = crps_normal(0.0, 1.73, y) - crps_normal(0.0, 1.25, y)
    nll = stats.norm.logpdf(y, 0, 1.73) - stats.norm.logpdf(y, 0, 1.25)
    return crps.mean(), nll.mean()


least = np.min([two_leads(seed, 4000) for seed in range(10)], 0)
print("sd 1.25 leads in CRPS by at least {:.3f}, sd 1.73 in NLL by {:.2f}".format(*least))


# %% hide=True claim="For t3 data, CRPS prefers a Normal with sd 1.25, NLL one of 1.73." steps=4000
def scores_disagree(seed, steps):  # the smaller of both leads
    return min(two_leads(seed, steps))


assert least.min() > 0

# %% [markdown]
# Properness says only that the truth wins. Between two forecasts that are both wrong, the score
# decides which error is worse. So choose it before you look, and say why.

# %% [markdown]
# ## Calibration, and what it cannot see
#
# If $F$ is right, $F(y)$, the *PIT* of unit 02, is uniform. Three forecasters on the same 20 000
# days: the oracle, climatology, and one who reads the weather map upside down and knows that it
# serves him badly: $N(-\mu, 5)$.


# %%
def upside_down(mu):
    return -mu, np.full_like(mu, np.sqrt(5.0))  # y + mu has the variance 4 + 1


mu, y = world(20_000, numpy_rng(5))
same = np.ones_like(mu)
teams = {"oracle": (mu, same), "climatology": (0 * mu, np.sqrt(2) * same)}
teams["upside down"] = upside_down(mu)
pits = {name: special.ndtr((y - m) / s) for name, (m, s) in teams.items()}
scores = {name: crps_normal(m, s, y) for name, (m, s) in teams.items()}

# %% [markdown]
# Their histograms of $F(y)$, with the mean CRPS in the titles:

# %% hide=True alt="Three flat histograms; the CRPS above them is 0.56, 0.80 and 1.27."
_, axes = plt.subplots(1, 3, sharey=True, figsize=(9, 2.8))
for ax, (name, u) in zip(axes, pits.items(), strict=True):
    ax.hist(u, bins=20, range=(0, 1), density=True, color="#C0C0C0")
    ax.axhline(1, color="black", ls="--", lw=1.6)
    ax.set(xlabel="F(y)", title=f"{name}: CRPS {scores[name].mean():.2f}", ylim=(0, 1.4))
axes[0].set_ylabel("density")
for u in pits.values():
    assert abs(np.histogram(u, 20, (0, 1))[0] / 1000 - 1).max() < 0.15

# %% [markdown]
# All three are flat, and one of them is nonsense. Calibration asks whether the stated
# distribution can be trusted, not whether it says much. *Sharpness subject to calibration* is what
# we want, and a proper score is what measures both at once: (1) splits, averaged over cases, into
# a calibration term and one for what was known (unit 05).
#
# For counts $F(y)$ takes few values, so it is never flat; neither is the middle of the step.
# The distance to uniform of $F(y)$, of the middle, and of a random point on the step, for
# perfect forecasts of a Poisson with mean 3:

# %%
rng = numpy_rng(6)
k = rng.poisson(3.0, 20_000)
low, high = stats.poisson.cdf(k - 1, 3.0), stats.poisson.cdf(k, 3.0)
ways = {
    "F(y)": high,
    "middle": (low + high) / 2,
    "random": low + rng.random(20_000) * (high - low),
}
off = {name: stats.kstest(u, "uniform").statistic for name, u in ways.items()}
print(", ".join(f"{name}: {d:.3f}" for name, d in off.items()))
assert off["random"] < 0.012 < off["middle"] < off["F(y)"]

# %% [markdown] card="14-flat-and-useless"
# The PIT histogram is flat. Is the forecast good?
#
# **Answer.** It can be trusted, which is not the same: climatology is flat, and so is a weather
# map read upside down with enough spread. A proper score sees how much was said.

# %% [markdown]
# ## How many cases decide?
#
# Two forecasts of $y \sim N(0, 1)$: one is right, the other's mean is off by 0.1, a tenth of a
# standard deviation. Both are scored by CRPS on the same $n$ cases, and the mean of the
# differences is compared with twice its standard error.

# %%
predict(
    "14-how-many-cases",
    ...,
    ask="How many cases until the right one is significantly ahead in 80% of studies?",
    choices=("about 30", "about 300", "about 3000", "about 30 000"),
)

# %% [markdown] fold="14-how-many-cases"
# ### Mean and standard deviation of a difference

# %% [markdown]
# A lead $\delta$ with standard deviation $\sigma_d$ per case is found in 80% of studies if $\delta
# \approx 2.8\, \sigma_d / \sqrt n$ (1.96 for the test, the rest for the 80%). Both by quadrature
# over $y$, and once more as if the two had been scored on different cases:


# %%
nodes, weights = np.polynomial.hermite_e.hermegauss(120)
weights = weights / weights.sum()  # y ~ N(0, 1)


def cases_needed(mean, sd):  # to tell N(mean, sd^2) from the truth: paired, and unpaired
    right, wrong = crps_normal(0.0, 1.0, nodes), crps_normal(mean, sd, nodes)
    lead = weights @ (wrong - right)
    var = [weights @ (s - weights @ s) ** 2 for s in (wrong - right, wrong, right)]
    return 2.8**2 * var[0] / lead**2, 2.8**2 * (var[1] + var[2]) / lead**2


for mean, sd in ((0.1, 1.0), (0.3, 1.0), (0.0, 1.1), (0.0, 1.5)):
    paired, unpaired = cases_needed(mean, sd)
    print(f"mean off {mean}, sd x {sd}: {paired:8,.0f} cases, unpaired {unpaired:12,.0f}")
because = {"about 300": "With 300 cases a mean that is off by 0.3 would be found."}
needed = cases_needed(0.1, 1.0)[0]
options = {30: "about 30", 300: "about 300", 3000: "about 3000", 30_000: "about 30 000"}
answer = options[min(options, key=lambda n: abs(np.log(n / needed)))]
reveal("14-how-many-cases", answer, because=because)

# %% [markdown]
# Thousands; and without pairing, more than a million for an sd that is 10% too large. Always
# compare case by case on the same cases: most of a score's scatter is the cases' own, and cancels.

# %% [markdown] card="14-compare-in-pairs"
# How do you compare two forecasters on n cases, and which two things make a lead look surer than
# it is?
#
# **Answer.** By the differences on the same cases, with their standard error: most of the scatter
# is the cases' own and cancels. Beware of cases that depend on each other, and of few cases.

# %% [markdown]
# ### Small test sets
#
# How often does the right forecast have the lower mean on $n$ cases, and how often is its lead
# two standard errors? 400 studies for each $n$:

# %% alt="The better forecast leads in most studies long before its lead is significant."
sizes = (30, 100, 300, 1000, 3000)
first, clear = [], []
for n in sizes:
    y = numpy_rng(n).standard_normal((400, n))
    d = crps_normal(0.1, 1.0, y) - crps_normal(0.0, 1.0, y)
    first.append((d.mean(1) > 0).mean())
    clear.append((d.mean(1) > 1.96 * d.std(1, ddof=1) / n**0.5).mean())
_, ax = plt.subplots()
plot_curve(sizes, first, ax=ax, marker="o", label="it is ahead")
plot_curve(sizes, clear, ax=ax, marker="o", label="... by 1.96 standard errors")
ax.set(xscale="log", xlabel="cases", ylabel="share of studies", ylim=(0, 1.02))
ax.set_title("Being ahead comes long before proof")
_ = ax.legend(loc="upper left")

# %% [markdown]
# On 100 cases the better forecast is behind in about a third of all studies.

# %% [markdown]
# ### Cases that depend on each other
#
# The standard error takes cases as independent. Errors of consecutive days are not: with an
# autocorrelation $\phi$ between days, two equally good forecasters differ "significantly" in this
# share of studies of 200 days:

# %%
rng = numpy_rng(7)
false_alarms = {}
for phi in (0.0, 0.5, 0.9):
    noise = rng.standard_normal((2000, 400))
    for day in range(1, 400):
        noise[:, day] += phi * noise[:, day - 1]
    d = noise[:, 200:]  # differences of two equals
    false_alarms[phi] = (abs(d.mean(1)) > 1.96 * d.std(1, ddof=1) / 200**0.5).mean()
    print(f"autocorrelation {phi}: {false_alarms[phi]:.2f}")
assert false_alarms[0.0] < 0.08 and false_alarms[0.5] > 0.2 and false_alarms[0.9] > 0.6

# %% [markdown]
# Instead of one in twenty it is two in three. Remedies: sum over blocks of days before you
# estimate the error, as the assignment does, or add the autocovariances (Diebold and Mariano).

# %% [markdown]
# ## The table of units 06 to 08, ranked again
#
# Three lessons put their methods into one table, on the same five data sets of 200 points of the
# dial and the same 1000 test points for each. Here all of them meet: unit 06's linear model, with
# its 16 bumps and noise that is constant or chosen for each $x$ by the evidence; unit 07's dropout
# network, asked with dropout off, and ten times with dropout on; and unit 08's five networks. All
# are trained anew, by code that those units explain; it is folded, all but the data. Used below:
# `ensembles` gives mean and scale of five networks at the test points, `linear_model` the mean,
# the variance of the noise and that of $f$, and `table` the scores of all.

# %%
import functools

from torch.nn.functional import dropout, softplus

from course_utils.data import dial, dial_mean, dial_scale
from course_utils.device import torch_generator
from course_utils.training import fit


def five_sets(seed):  # five training and five test sets: x and y, each (5, n)
    sizes = ((200, 0), (1000, 1000))
    sets = [[dial(n, rng=numpy_rng(k + 10 * seed + i)) for i in range(5)] for n, k in sizes]
    return [torch.tensor(np.array(s)).float().to(device).unbind(1) for s in sets]


# %% hide=True
def start(count, sizes, generator):  # one (count, in + 1, out) tensor for each layer
    pairs = list(zip(sizes, sizes[1:], strict=False))
    drawn = [torch.randn(count, a + 1, b, generator=generator) / a**0.5 for a, b in pairs]
    drawn[0] = 3 * drawn[0]
    return [w.to(device).requires_grad_() for w in drawn]


def run(layers, x, p=0.0):  # x (count, n) -> mean and scale, each (count, n)
    x = x[..., None]
    for i, w in enumerate(layers):
        x = dropout(torch.tanh(x), p) if i else x
        x = torch.baddbmm(w[:, -1:], x, w[:, :-1])
    return x[..., 0], 0.01 + softplus(x[..., 1])


# %% hide=True
def train(layers, x, y, steps, p=0.0):
    def loss():
        mean, scale = run(layers, x, p)
        return -torch.distributions.Normal(mean, scale).log_prob(y).mean(1).sum()

    fit(loss, torch.optim.Adam(layers, lr=0.02), steps=steps, decay=True)
    return [w.detach() for w in layers]


@functools.cache
def ensembles(seed, steps):  # mean and scale on the test points: (5 sets, 1000, 5 members)
    (x, y), (x_new, _) = five_sets(seed)
    x, y, x_new = (v.repeat_interleave(5, 0) for v in (x, y, x_new))
    layers = train(start(25, (1, 20, 20, 2), torch_generator(seed)), x, y, steps)
    parts = run(layers, x_new)
    return [v.reshape(5, 5, -1).movedim(1, 2).double().cpu().numpy() for v in parts]


# %% hide=True
def dropout_passes(seed, steps):  # off, (5, 1000, 1), and on, (5, 1000, 10): mean and scale
    (x, y), (x_new, _) = five_sets(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = train(start(5, (1, 64, 64, 2), torch_generator(seed)), x, y, steps, p=0.1)
        off, on = [run(layers, x_new)], [run(layers, x_new, p=0.1) for _ in range(10)]
    off, on = (
        [torch.stack(v, -1).double().cpu().numpy() for v in zip(*r, strict=True)]
        for r in (off, on)
    )
    return off, on


# %% hide=True
def bumps(x, count, width):
    centres = torch.linspace(-2.5, 2.5, count, dtype=torch.float64)
    return torch.exp(-0.5 * ((x[:, None] - centres) / width) ** 2)


def linear_model(x, y, x_new, varies):  # mean, noise variance, variance of f at x_new
    x, y, x_new = (v.double().cpu() for v in (x, y, x_new))
    P, P_new = bumps(x, 16, 0.4), bumps(x_new, 16, 0.4)
    Q, Q_new = (torch.cat([u[:, :1] * 0 + 1, u * varies], 1) for u in map(wider, (x, x_new)))
    a = chosen_noise(P, Q, y)
    var = torch.exp(Q @ a)
    A = P.T / var @ P + torch.eye(16).double()
    m = torch.linalg.solve(A, P.T / var @ y)
    f_var = (P_new * torch.linalg.solve(A, P_new.T).T).sum(1)
    return (P_new @ m).numpy(), torch.exp(Q_new @ a).numpy(), f_var.numpy()


# %% hide=True
def wider(x):
    return bumps(x, 6, 0.8)


def chosen_noise(P, Q, y):  # coefficients of the log variance, by evidence and an N(0, 2^2) prior
    a = torch.zeros(Q.shape[1], dtype=torch.float64)
    a[0] = -2.0
    a.requires_grad_()
    optimizer = torch.optim.LBFGS([a], max_iter=60, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        spread = torch.distributions.LowRankMultivariateNormal(0 * y, P, torch.exp(Q @ a))
        value = 0.5 * (a[1:] / 2).square().sum() - spread.log_prob(y)
        value.backward()
        return value

    optimizer.step(loss)
    return a.detach()


# %% [markdown]
# Now every forecast is a mixture of Normals, with one part or several, and (6) gives its CRPS in
# closed form. One row of numbers for each test point:


# %%
def point_scores(mean, sd, y):  # parts in the last axis: NLL, CRPS and F(y) at each point
    z = (y[..., None] - mean) / sd
    log_p = special.logsumexp(stats.norm.logpdf(z) - np.log(sd), axis=-1) - np.log(mean.shape[-1])
    crps = mean_abs(y[..., None] - mean, sd).mean(-1)
    for i in range(mean.shape[-1]):
        both = np.hypot(sd, sd[..., i : i + 1])
        crps = crps - mean_abs(mean - mean[..., i : i + 1], both).mean(-1) / mean.shape[-1] / 2
    return -log_p, crps, special.ndtr(z).mean(-1)


# %% [markdown]
# The oracle and climatology, the mean and spread of the training targets, join as rows (folded).


# %% hide=True
def plain_rows(train_sets, x_new):  # {method: (mean, sd)}, each (5, 1000, 1)
    y = train_sets[1].double().cpu().numpy()
    rows = {"oracle": (dial_mean(x_new.cpu()), dial_scale(x_new.cpu()))}
    rows["climatology"] = np.full(x_new.shape, y.mean()), np.full(x_new.shape, y.std())
    for varies, name in ((False, "constant sigma"), (True, "sigma(x)")):
        sets = zip(*train_sets, x_new, strict=True)
        mean, noise, f = map(np.stack, zip(*(linear_model(*s, varies) for s in sets), strict=True))
        rows[name], rows[f"posterior, {name}"] = (mean, noise**0.5), (mean, (noise + f) ** 0.5)
    return {name: [v[..., None] for v in row] for name, row in rows.items()}


# %% hide=True
def table(seed, steps):  # {method: (NLL, CRPS, F(y)), each (5, 1000)}
    train_sets, (x_new, y_new) = five_sets(seed)
    rows, y = plain_rows(train_sets, x_new), y_new.double().cpu().numpy()
    rows["dropout off"], (mean, sd) = dropout_passes(seed, steps)
    rows["dropout, spread only"] = mean.mean(-1)[..., None], mean.std(-1, ddof=1)[..., None]
    rows["dropout, 10 passes"] = mean, sd
    mean, sd = ensembles(seed, steps)
    rows |= {"one network": (mean[..., :1], sd[..., :1]), "ensemble of 5": (mean, sd)}
    return {name: point_scores(*row, y) for name, row in rows.items()}


# %% [markdown]
# The old columns, coverage among them, and behind CRPS and NLL the rank by that score:


# %%
rows = table(0, 400)


def coverage(u):  # of the central 0.9 interval, from F(y)
    return ((u > 0.05) & (u < 0.95)).mean()


def ranks(rows, which):  # best first
    return sorted(rows, key=lambda name: rows[name][which].mean())


by_nll, by_crps = ranks(rows, 0), ranks(rows, 1)
print(f"{'':28s}{'NLL':>9s}{'rank':>5s}{'CRPS':>9s}{'rank':>5s}{'coverage':>10s}")
for name in by_crps:
    nll, crps, u = rows[name]
    places = 1 + by_nll.index(name), 1 + by_crps.index(name)
    print(f"{name:28s}{nll.mean():9.3f}{places[0]:5d}{crps.mean():9.4f}", end="")
    print(f"{places[1]:5d}{coverage(u):10.3f}")

# %% [markdown]
# Which of these ranks are more than luck? Each method against the ensemble: differences point by
# point, averaged over the five data sets, with the standard error over these *five*, for the
# 1000 test points of a data set share one training set, as stations share their weather.


# %%
def lead(name, other, which):  # mean difference, and its standard error over data sets
    d = (rows[name][which] - rows[other][which]).mean(1)
    return d.mean(), d.std(ddof=1) / 5**0.5


print(f"{'less ensemble of 5':28s}{'NLL':>18s}{'CRPS':>20s}")
for name in by_crps:
    if name != "ensemble of 5":
        pairs = [lead(name, "ensemble of 5", which) for which in (0, 1)]
        print(f"{name:28s}", *("{:+9.3f} ± {:.4f}".format(*pair) for pair in pairs), sep="  ")

# %% [markdown]
# As a picture, CRPS against NLL, both less those of the oracle on the same points:

# %% hide=True alt="Methods lie along a rising line; dropout's spread alone is far to the right."
_, ax = plt.subplots(figsize=(8, 4.4))
for name in by_crps[1:]:
    gaps = [rows[name][which] - rows["oracle"][which] for which in (0, 1)]
    (a, b), (da, db) = ([f(g.mean(1)) for g in gaps] for f in (np.mean, np.std))
    ax.errorbar(a, b, xerr=da / 2, yerr=db / 2, fmt="o", markersize=7, color="C0")
    left = name in ("posterior, sigma(x)", "ensemble of 5", "dropout off", "constant sigma")
    look = {"fontsize": 8, "textcoords": "offset points", "ha": "right" if left else "left"}
    ax.annotate(name, (a, b), (-8, 7) if left else (8, -13), **look)
ax.set(xscale="log", yscale="log", xlabel="NLL less the oracle's (nats)", xlim=(0.01, 60))
ax.set(ylabel="CRPS less the oracle's", title="One forecast is far worse by NLL than by CRPS")
_ = ax.set_ylim(0.003, 0.6)

# %% [markdown]
# Most methods have the same place under both scores. One has not: dropout's spread without the
# noise is worse than climatology by NLL, which charges its narrow misses by their square, and much
# better by CRPS, because its mean is good. So it was on ten seeds, and after three times the
# steps.


# %% hide=True claim="Dropout's spread alone beats climatology by CRPS, not by NLL." steps=400
def spread_alone_splits_the_scores(seed, steps):
    (_, y), (_, y_new) = (tuple(v.double().cpu().numpy() for v in s) for s in five_sets(seed))
    _, (mean, sd) = dropout_passes(seed, steps)
    alone = point_scores(
        mean.mean(-1)[..., None], sd[..., :1] * 0 + mean.std(-1)[..., None], y_new
    )
    flat = np.ones_like(y_new)[..., None]
    climate = point_scores(y.mean() * flat, y.std() * flat, y_new)
    return min(alone[0].mean() - climate[0].mean(), climate[1].mean() - alone[1].mean())


assert by_nll.index("climatology") < by_nll.index("dropout, spread only")
assert by_crps.index("climatology") > by_crps.index("dropout, spread only")

# %% [markdown]
# What about five networks and one? The squares in (5) and minus the logarithm are convex, so that
# a mixture scores at least as well as its members do *on average*, at each single point:

# %%
mean, sd = ensembles(0, 400)
y = five_sets(0)[1][1].double().cpu().numpy()
members = [point_scores(mean[..., i : i + 1], sd[..., i : i + 1], y) for i in range(5)]
for which, name in enumerate(("NLL", "CRPS")):
    average = np.mean([scores[which] for scores in members], axis=0)
    assert (rows["ensemble of 5"][which] <= average + 1e-9).all()
    print(f"{name}: the mixture gains {(average - rows['ensemble of 5'][which]).mean():.4f}")

# %% [markdown]
# Against *one* member there is no such law: the first network may be the best of the five. On
# other seeds, and after more training, its CRPS now and then is the lower one.

# %% [markdown]
# ### Broken on purpose: ranked by coverage
#
# The same table, sorted by the distance of the coverage from 0.90:

# %%
off = {name: abs(coverage(u) - 0.9) for name, (_, _, u) in rows.items()}
for name in sorted(off, key=off.get):
    print(f"{name:28s} off by {off[name]:.3f}, CRPS {rows[name][1].mean():.3f}")
assert off["posterior, constant sigma"] < off["ensemble of 5"]
assert rows["posterior, constant sigma"][1].mean() > 1.15 * rows["ensemble of 5"][1].mean()

# %% [markdown]
# The model whose noise is the same everywhere now comes ahead of the ensemble. It covers too
# much on the left and too little on the right, and the two cancel.

# %% [markdown]
# ### What would change the ranking
#
# The table is about test points that lie where the training points do. Unit 06's other question:
# train without any $x$ between −0.5 and 1, and test only there. The linear models once more:


# %%
def in_the_gap(seed, ends=(-0.5, 1.0)):  # {model: (NLL, CRPS, F(y))} on one data set
    x, y = (torch.tensor(v) for v in dial(200, rng=numpy_rng(seed), gap=ends))
    x_new, y_new = dial(2500, rng=numpy_rng(1000 + seed))
    inside = (ends[0] < x_new) & (x_new < ends[1])
    found = {}
    for varies, name in ((False, "constant sigma"), (True, "sigma(x)")):
        mean, noise, f = linear_model(x, y, torch.tensor(x_new[inside]), varies)
        for more, prefix in ((0, ""), (f, "posterior, ")):
            sd = (noise + more) ** 0.5
            found[prefix + name] = point_scores(mean[:, None], sd[:, None], y_new[inside])
    return found


# %% [markdown]
# Five data sets again:

# %%
gap = [in_the_gap(seed) for seed in range(5)]
gap_means = {n: [np.mean([g[n][which].mean() for g in gap]) for which in (0, 1)] for n in gap[0]}
for name, (nll, crps) in gap_means.items():
    print(f"{name:28s} NLL {nll:.3f}   CRPS {crps:.3f}")
assert gap_means["sigma(x)"][0] > gap_means["constant sigma"][0]

# %% [markdown]
# In the gap, sigma(x) without the posterior falls from near the top to the bottom by NLL. So the
# ranking above would change *if test points lay where there are no data* (then the posterior
# counts), *if dropout were trained three times as long* (unit 07: it gains more), or *if the
# charge were NLL instead of CRPS* for whoever states too little spread. And between the two models
# with sigma(x), or between one network and five, five data sets are too few for a verdict. How
# many would do? By the rule of 2.8 standard errors that depends on the true lead, of which
# Student's 95% interval says:

# %%
for pair in (("one network", "ensemble of 5"), ("sigma(x)", "posterior, sigma(x)")):
    delta, error = lead(*pair, 1)
    ends = delta + stats.t.ppf([0.025, 0.975], 4) * error
    print(f"{pair[0]} less {pair[1]}: {delta:+.5f} ± {error:.5f}", end=", ")
    print("95% interval {:+.4f} to {:+.4f}; data sets needed".format(*ends), end=" ")
    sets = [np.ceil(5 * (2.8 * error / true) ** 2) for true in (ends[1], delta)]
    print("{:.0f} at its upper end, {:.0f} at the lead seen".format(*sets))
    assert ends[0] < 0 < ends[1]

# %% [markdown]
# Both intervals hold 0, for which no number of data sets would do. A study that cannot tell
# whether there is a lead cannot tell either how large the next one must be: plan with a lead that
# would *matter* to you.

# %% [markdown]
# ## Two more tables
#
# **Unit 05, recalibration.** Its table had accuracy, AUC, ECE, Brier score and NLL. Boosting was
# recalibrated by a sigmoid and by isotonic regression. Same world, same seed, with paired errors
# over the 5000 test examples:


# %%
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator


def rainy(n, rng):  # unit 05's world
    x = rng.standard_normal((n, 8))
    q = special.expit(1.2 * x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) - 0.5)
    return x, (rng.random(n) < q).astype(int)


rng = numpy_rng(3)
learnt, held, later = (rainy(n, rng) for n in (1000, 500, 5000))
boosted = HistGradientBoostingClassifier(random_state=0).fit(*learnt)
models = {"boosting": boosted}
for way in ("sigmoid", "isotonic"):
    models[way] = CalibratedClassifierCV(FrozenEstimator(boosted), method=way).fit(*held)
chances = {name: model.predict_proba(later[0])[:, 1] for name, model in models.items()}

# %% [markdown]
# Each less the sigmoid:

# %%
with np.errstate(all="ignore"):  # log 0
    losses = {n: (log_score(p, later[1]), brier(p, later[1])) for n, p in chances.items()}
for name in ("boosting", "isotonic"):
    shown = []
    for which in (0, 1):
        d = losses[name][which] - losses["sigmoid"][which]
        error = d.std(ddof=1) / len(d) ** 0.5 if np.isfinite(d).all() else np.nan
        shown.append(f"{d.mean():+.4f} ± {error:.4f}")
    print(f"{name:9s} NLL {shown[0]:18s} Brier {shown[1]}")
sure = np.isinf(losses["isotonic"][0])
print(f"isotonic said 'impossible' of {sure.sum()} of {len(sure)} examples that came")
assert sure.any() and losses["isotonic"][1].mean() < losses["boosting"][1].mean()

# %% [markdown]
# By Brier score isotonic regression is second, and its gain over raw boosting many standard
# errors. By NLL it is last, infinitely so: its lowest step is exactly 0, and some of these
# examples came. What would change that is one line, a step that never reaches 0 or 1. Neither
# score is wrong: ask what an "impossible" that comes true would cost you.
#
# **Unit 02, three heads for bookings.** There the order by MAE was the reverse of the order by
# NLL. The CRPS takes the same heads, and uses the whole distribution:


# %%
from scipy import optimize

rng = numpy_rng(0)
busy = rng.random(6000)
booked = rng.negative_binomial(
    5, 5 / (5.1 + 3 * busy)
)  # mean mu = 0.1 + 3 x, variance mu + mu^2 / 5
count_grid = np.arange(60)


def head(name, raw, x):  # scipy's distribution for raw numbers
    line = raw[0] + raw[1] * x
    if name == "Normal":
        return stats.norm(line, np.exp(raw[2]))
    mean, r = np.exp(line), np.exp(-raw[2])
    return stats.poisson(mean) if name == "Poisson" else stats.nbinom(r, r / (r + mean))


# %% [markdown]
# Fitted on 1000 hours, scored on 5000. For counts the integral (5) is a sum over whole numbers:

# %%
heads = {}
for name in ("Normal", "Poisson", "negative binomial"):
    density = "logpdf" if name == "Normal" else "logpmf"

    def nll(raw, x=busy[:1000], k=booked[:1000], name=name, density=density):
        return -getattr(head(name, raw, x), density)(k).mean()

    raw = optimize.minimize(nll, np.zeros(3), method="L-BFGS-B").x
    told, k = head(name, raw, busy[1000:]), booked[1000:]
    steps = (head(name, raw, busy[1000:, None]).cdf(count_grid) - (k[:, None] <= count_grid)) ** 2
    crps = crps_normal(told.mean(), told.std(), k) if name == "Normal" else steps.sum(1)
    heads[name] = abs(told.mean() - k), -getattr(told, density)(k), crps
    if name == "Normal":
        in_steps = -np.log(told.cdf(k + 0.5) - told.cdf(k - 0.5)).mean()
        print(f"Normal below zero: {told.cdf(-0.5).mean():.2f}; NLL of k ± 0.5: {in_steps:.3f}")
    print(f"{name:18s} MAE {heads[name][0].mean():.3f}", end="   ")
    print(f"NLL {heads[name][1].mean():.3f}   CRPS {crps.mean():.4f}")

# %% [markdown]
# The Normal is first by MAE and last by CRPS and by NLL. Those two agree here: what it says of
# bookings below zero costs it in both. (A density against probabilities would be no fair race; the
# Normal's probability of $k \pm \frac12$ gives nearly the same NLL.) What would change the order:
# counts without extra scatter would put the Poisson level with the negative binomial.

# %% [markdown]
# ## Back to the six columns
#
# The opponent against the oracle, in our world, on 100 000 days. Numbers are forecast for the NLL,
# the CRPS, coverage and width; for the Brier score and the calibration error, the chance that $y >
# 1$. What would you send in each column, if you knew nothing of the day?

# %% [markdown] fold="14-six-columns"
# ### The opponent's entries

# %% [markdown]
# - **NLL, CRPS:** climatology, $N(0, 2)$; she has nothing better.
# - **Brier score, calibration error:** the base rate of $y > 1$, each day.
# - **Coverage:** on nine of ten days the interval from $-\infty$ to $\infty$, on the tenth an
#   empty one.
# - **Width:** an interval of width 0, each day.


# %%
mu, y = world(100_000, numpy_rng(8))
event, p, base = y > 1, special.ndtr(mu - 1), special.ndtr(-1 / np.sqrt(2))


def calibration_error(p, event):  # ten bins
    which = np.minimum((p * 10).astype(int), 9)
    miss = np.bincount(which, p - event, 10)
    return np.abs(miss).sum() / len(p)


# %% [markdown]
# Each column as a loss, the oracle's and hers:

# %%
flat = np.ones_like(y)
held_by_her = np.arange(len(y)) % 10 > 0  # nine of ten, whatever comes
columns = {
    "NLL": (-stats.norm.logpdf(y, mu).mean(), -stats.norm.logpdf(y, 0, 2**0.5).mean()),
    "CRPS": (crps_normal(mu, 1.0, y).mean(), crps_normal(0.0, 2**0.5, y).mean()),
    "Brier score": (brier(p, event).mean(), brier(base * flat, event).mean()),
    "calibration error": (calibration_error(p, event), calibration_error(base * flat, event)),
    "coverage, off by": (abs((abs(y - mu) < half).mean() - 0.9), abs(held_by_her.mean() - 0.9)),
    "width": (2 * half, 0.0),
}
print(f"{'':18s}{'oracle':>9s}{'opponent':>10s}")
for name, pair in columns.items():
    print("{:18s}{:9.4f}{:10.4f}".format(name, *pair))

# %% [markdown]
# Hers less the oracle's, as a share of their sum:

# %% hide=True alt="Bars: she loses by NLL, CRPS and Brier score, and wins by the other three."
share = {name: (b - a) / (a + b) for name, (a, b) in columns.items()}
_, ax = plt.subplots(figsize=(7, 3))
ax.barh(list(share), list(share.values()), color=["C0" if v > 0 else "C1" for v in share.values()])
ax.axvline(0, color="black", lw=1.6)
ax.set(xlabel="her loss less the oracle's, as a share of the sum", xlim=(-1.05, 1.05))
ax.set_title("Blue columns cannot be gamed")
ax.invert_yaxis()

# %% [markdown]
# Which columns are hers?

# %%
wins = [name for name, v in share.items() if v <= 0]
because = {
    "in width only": "Coverage is as easy: she decides how many intervals hold everything.",
    "in width and coverage": "The base rate, stated each day, is calibrated as well.",
    "in all six": "Three of them are proper: their expectation is lowest for the truth.",
}
reveal("14-six-columns", "in width, coverage and calibration error", because=because)
assert wins == ["calibration error", "coverage, off by", "width"]

# %% [markdown]
# ### Why three columns hold
#
# (1) and (2) are the proof for the Brier score and for the NLL: an expectation that no report can
# lower below that of the truth, case by case, and so on average. (5) adds up Brier scores. A
# *proof* is about expectations, on cases that nobody chose. It does not protect against chosen
# cases (the days after the disaster), luck (a hundred cases), dependence, or NLLs in different
# units (unit 10).

# %% [markdown]
# ### A proper score for intervals
#
# Width and coverage can be used if they are charged together. For a central interval $[l, u]$ that
# should hold $1 - \alpha$, the *interval score* is
#
# $$(9) \quad (u - l) + \frac2\alpha \max(l - y, 0) + \frac2\alpha \max(y - u, 0) ,$$
#
# two pinball losses, so that the true quantiles are its best report:


# %%
def interval_score(low, high, y, alpha=0.1):
    miss = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return high - low + 2 / alpha * miss


grid, widths = np.linspace(-9, 9, 9001), np.linspace(0.5, 3, 251)  # for y ~ N(0, 1)
charge = interval_score(-widths[:, None], widths[:, None], grid) @ stats.norm.pdf(grid)
assert abs(widths[charge.argmin()] - half) < 0.01  # the true quantiles
entries = {"oracle": (mu - half, mu + half), "climatology": (-wide[0] * flat, wide[0] * flat)}
entries["width 0"] = (0 * flat, 0 * flat)
entries["nine of ten"] = (-50.0 * held_by_her, 50.0 * held_by_her)
for name, (low, high) in entries.items():
    covered = ((low <= y) & (y <= high)).mean()
    print(f"{name:12s} covers {covered:.3f}, score {interval_score(low, high, y).mean():.2f}")

# %% [markdown]
# Both games are last now, and the oracle is first.

# %% [markdown]
# ## Recap
#
# 1. A score is a contract. If it is proper, honesty is the best policy; the linear score is not.
# 2. Brier score, NLL and CRPS cannot be gamed in expectation. Calibration, coverage and width can.
# 3. CRPS is a sum of Brier scores, a mean distance, and a sum of pinball losses. Say plain or
#    fair.
# 4. Choose thresholds, never cases by what came; and choose the score before you look.
# 5. A ranking needs paired differences, their standard errors, and a word on what would change it.

# %% [markdown]
# ## An interview question
#
# *Two teams forecast the same 200 days. Team A has the lower NLL, team B the lower CRPS, and
# neither difference is larger than one standard error. Management wants a winner. What do you
# say?*
#
# Think first.

# %% [markdown]
# <details><summary>An answer</summary>
#
# **That there is none yet.** One standard error is what two equal teams show in a third of all
# studies, and if days depend on each other even the standard error is too small. Say how many days
# would decide: if the lead is real and as large as it looks, which one standard error cannot tell,
# the rule of 2.8 asks for about eight times as many.
#
# **Then ask what a miss costs.** The scores disagree when one team states too little spread, or
# forgets the tails: NLL charges rare large misses heavily, CRPS by their distance. If the rare day
# is the expensive one, weigh its thresholds, fixed before you look at what came.
#
# **And look at the cases,** by a PIT and by season: two teams that are both wrong may be wrong in
# different places, and a mixture of the two may beat both.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation",
#   *Journal of the American Statistical Association* (2007): the theory, with energy and interval
#   score. (The variogram score, for how components hang together, is in Scheuerer and Hamill
#   2015.)
# - T. Gneiting, F. Balabdaoui and A. E. Raftery, "Probabilistic forecasts, calibration and
#   sharpness", *Journal of the Royal Statistical Society B* (2007): PIT, and what it cannot see.
# - S. Lerch and others, "Forecaster's dilemma: extreme events and forecast evaluation",
#   *Statistical Science* (2017): chosen cases, and thresholds as the remedy.
# - F. X. Diebold and R. S. Mariano, "Comparing predictive accuracy", *Journal of Business &
#   Economic Statistics* (1995): leads of forecasts over time.
# - C. A. T. Ferro, "Fair scores for ensemble forecasts", *Quarterly Journal of the Royal
#   Meteorological Society* (2014): plain and fair.

# %% [markdown]
# ## Your turn
#
# The assignment `14_scoring_rules` has seven exercises in code, and none is a cell of this lesson:
# scores of classes, of rain, of vectors and of quantiles, a histogram without dice, a score made
# of costs, and a lead over days; and one answer in words. After it,
# [the last unit](15_capstone.ipynb) puts a model card before you, to be signed.
