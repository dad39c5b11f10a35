# %% [markdown]
# # Forecasting: distributions over the future
#
# The weather station on a roof records how far each hour's temperature is from what is normal. The
# deviations are known to follow one rule: each is 0.9 times the deviation an hour before, plus
# fresh Normal noise. Far ahead, the 90% interval is the same for every hour, and it is exact: over
# the years, 90% of all hours lie in it. **On what share of days do all 24 hours lie in it?**

# %% [markdown]
# **After this lesson you can** draw a fan chart that keeps its promise on a rolling origin; answer
# three questions from sampled paths: what to expect, in which interval, and how probable a peak
# is; and make any forecaster's interval honest, knowing what that promise is and what it is not.
#
# **You need** negative binomial heads (unit 02) and quantiles. Reading takes about 65 minutes with
# the code, 25 without it; running some 10 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Commit to each prediction before you read on; only your first answer is kept.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import stats

from course_utils.device import numpy_rng, one_thread
from course_utils.plotting import plot_band, plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "13-all-day",
    ...,
    ask="Each hour is in its interval 90% of the time. All 24 hours of a day are ...",
    choices=("on nine days in ten", "on about four days in ten", "on about one day in twelve"),
)

# %% [markdown]
# ## A forecast is a set of futures
#
# A point forecast is one number per hour, a band is two. A *path* is a whole future: one draw of
# all the hours, with everything that ties them together. Here are five futures of an AR(1)
# process, the rule of the opening question with unit noise, as seen from an hour in which the
# deviation was 4. Below them lies the band that holds 90% of all paths **at each hour by itself**.


# %%
phi, sigma, start = 0.9, 1.0, 4.0


def ar_paths(count, steps, rng, start=start):
    path, paths = start + np.zeros(count), np.empty((count, steps))
    for h in range(steps):
        path = phi * path + sigma * rng.standard_normal(count)
        paths[:, h] = path
    return paths


z90 = stats.norm.ppf(0.95)  # 1.64 standard deviations to either side hold 90% of a Normal
futures = ar_paths(40_000, 24, numpy_rng(0))
ahead = np.arange(1, 25)

# %% hide=True alt="A band that widens and falls back to zero; five paths wander, some leave it."
ax = plot_band(ahead, *np.quantile(futures, (0.05, 0.95), 0), contains="y", level=0.9)
for path in futures[:5]:
    plot_curve(ahead, path, ax=ax, lw=1.2)
ax.set(xlabel="hours ahead", ylabel="deviation", title="A band says nothing of paths")
_ = ax.legend()

# %% [markdown]
# The band answers questions about one hour. Whether a path that is high stays high, how a day's
# sum scatters, whether the peak is reached at all: that is in the paths, and in no band.

# %% [markdown] card="13-paths-and-bands"
# What does a set of paths know that a band for each hour has forgotten?
#
# **Answer.** Which values belong together: whether a high path stays high, how a day's sum
# scatters, whether a peak is reached at all.

# %% [markdown]
# ## The fan, by hand
#
# How wide is it $h$ steps ahead? Put the rule into itself $h$ times:
#
# $$\begin{aligned}
# y_{t+h} &= \varphi\, y_{t+h-1} + \sigma\varepsilon_{t+h} \\
#   &= \varphi^h y_t + \sigma \sum_{j=0}^{h-1} \varphi^j \varepsilon_{t+h-j} \\
# \mathrm{var}(y_{t+h} \mid y_t) &= \sigma^2 \sum_{j=0}^{h-1} \varphi^{2j}
#   = \sigma^2\, \frac{1 - \varphi^{2h}}{1 - \varphi^2} .
# \end{aligned}$$
#
# Each line, checked at ten steps: by the recursion, by the sum and by the closed form.

# %% same=True
h = 10
noise = numpy_rng(1).standard_normal((40_000, h))
recursion = np.full(40_000, start)
for j in range(h):
    recursion = phi * recursion + sigma * noise[:, j]
weighted = phi**h * start + sigma * noise @ phi ** np.arange(h)[::-1]
assert np.allclose(recursion, weighted)  # the second line
closed = sigma**2 * (1 - phi ** (2 * h)) / (1 - phi**2)
assert abs(sigma**2 * sum(phi ** (2 * j) for j in range(h)) - closed) < 1e-12  # the third line
assert abs(recursion.var() - closed) < 5 * closed * (2 / 40_000) ** 0.5
long_run = sigma**2 / (1 - phi**2)
print(f"variance 1 step ahead {sigma**2:.2f}, 10 ahead {closed:.2f}, far ahead {long_run:.2f}")

# %% [markdown]
# ## Broken on purpose: paths that feed back the mean
#
# A common shortcut: let the model forecast one step, put its **mean** where the next value should
# be, forecast again, and so on; at the end draw a 90% band from each step's own noise. The means
# are right and the noise of each step is right. Of the futures that come, which share lies in the
# band 24 hours ahead?

# %%
predict("13-mean-fed-back", ..., ask="The share of futures in that 90% band, 24 hours ahead?")

# %% [markdown] fold="13-mean-fed-back"
# ### The shortcut, tried

# %% [markdown]
# The band of the shortcut, and the share of the 40 000 futures that lie in it at each hour:

# %% alt="The share inside falls from 0.9 one hour ahead towards a little above one half."
fed_back = start * phi**ahead  # the mean, again and again
spread = np.sqrt(long_run * (1 - phi ** (2 * ahead)))  # of each hour, by the third line
inside = (np.abs(futures - fed_back) <= z90 * sigma).mean(0)
honest = (np.abs(futures - fed_back) <= z90 * spread).mean(0)
_, ax = plt.subplots()
plot_curve(ahead, inside, ax=ax, marker="o", label="mean fed back")
plot_curve(ahead, honest, ax=ax, marker="s", label="draws fed back")
ax.axhline(0.9, color="black", linestyle="--", lw=1.6)
ax.set(xlabel="hours ahead", ylabel="share inside", title="Without draws the fan never opens")
_ = ax.legend()
assert np.all(np.abs(honest - 0.9) < 0.01) and inside[-1] < 0.56
because = {0.9: "That holds one step ahead; later steps inherit the noise of all before them."}
reveal("13-mean-fed-back", round(inside[-1], 2), within=0.08, because=because)

# %% [markdown]
# The mean of the future is not a future. What goes back into the model must be a **draw**, and
# each path has its own.

# %% [markdown] card="13-feed-back-draws"
# What must be fed back into a model that forecasts step by step, and what goes wrong with the
# mean?
#
# **Answer.** A draw, for each path its own. With the mean, a band far ahead holds one step's noise
# only, though later steps inherit the noise of all before them.

# %% [markdown]
# ## Totals
#
# A planner orders for whole days. Take 24 **independent** hours, each $N(0, 1)$ around its mean.
# The 95% quantile of each hour is 1.64 above it, and the 24 of them add up to 39.5. What is the
# 95% quantile of the day's total, above its mean?

# %%
predict("13-total", ..., ask="The 95% quantile of the total of 24 independent N(0, 1) hours?")

# %% [markdown] fold="13-total"
# ### Adding up paths

# %% [markdown]
# The total has variance 24, so its standard deviation is $\sqrt{24}$. For dependent hours no such
# shortcut is needed: add up each path, and take the quantile of the sums.

# %% same=True
hourly = 24 * z90
total = 24**0.5 * z90
rng = numpy_rng(2)
drawn = np.quantile(rng.standard_normal((40_000, 24)).sum(1), 0.95)
assert abs(hourly - 39.48) < 0.01 and abs(drawn - total) < 0.2
print(f"24 quantiles added up {hourly:.2f}, quantile of the total {total:.2f}")
deviations = futures - fed_back  # the dependent hours of the first figure
print(f"dependent: {np.quantile(deviations, 0.95, 0).sum():.0f} against", end=" ")
print(f"{np.quantile(deviations.sum(1), 0.95):.0f}")
walk = z90 * np.sqrt(ahead).sum(), z90 * np.sqrt((ahead**2).sum())  # phi = 1, a random walk
print(f"phi = 1, from a known hour: {walk[0]:.0f} against {walk[1]:.0f}")
middle = 24 * np.log(2), stats.gamma(24).median()
print(f"24 exponential waits: medians {middle[0]:.1f}, median of the total {middle[1]:.1f}")
because = {39.5: "That day has its worst hour 24 times; independent highs and lows cancel."}
reveal("13-total", round(total, 2), within=1, because=because)

# %% [markdown]
# The total has the sum of the quantiles only if one and the same luck decides all hours. Not even
# $\varphi = 1$ is such a day: from a known hour it is a random walk, whose hours each add luck of
# their own. And "the sum is too large" is no rule either: for hours skewed to the right the
# medians add up to less than the median of the total. Means add up, quantiles do not.

# %% [markdown] card="13-quantile-of-a-total"
# Is the 95% quantile of a day's total the sum of the hours' 95% quantiles?
#
# **Answer.** Only if one and the same luck decides all hours. Independent highs and lows cancel,
# so there it is less. Add up each path, then take the quantile of the sums; means add up,
# quantiles do not.

# %% [markdown]
# ## Counts with two seasons
#
# From here on the data are counts: bikes taken from a station in an hour. The rate has a daily and
# a weekly pattern and a slow mood of its own, $u$, which follows what happened: a surprisingly
# busy hour makes the next ones busier. We made these data, so the best forecast, the *oracle*, can
# be sampled. They are simulated, not measured, and real stations have worse habits.


# %%
def pattern(t):  # log of the usual rate, t in hours; the week starts on a Monday
    daily = 0.8 * np.sin(2 * np.pi * (t - 9) / 24) + 0.3 * np.sin(4 * np.pi * t / 24)
    return np.log(8) + daily - 0.5 * (t // 24 % 7 >= 5)


def happen(t, u, rng):  # what comes at hour t in mood u, and the mood after it
    rate = np.exp(pattern(t) + u)
    y = rng.negative_binomial(8, 8 / (8 + rate))
    return y, 0.95 * u + 0.3 * (y - rate) / (rate + 1)


# %% [markdown]
# A station's whole record: eighteen weeks, twelve to learn from, two to stop the learning, four to
# be judged on.

# %%
import functools

WEEK, STOP = 168, 14 * 168


@functools.cache
def station(seed):
    rng, y, u = numpy_rng(seed), np.empty(18 * WEEK), np.zeros(18 * WEEK + 1)
    for t in range(len(y)):
        y[t], u[t + 1] = happen(t, u[t], rng)
    return y, u


bikes, mood = station(0)

# %% hide=True alt="Two weeks of hourly counts: daily waves, low weekends, busy and calm spells."
t = np.arange(STOP - 2 * WEEK, STOP)
_, ax = plt.subplots(figsize=(9, 3))
plot_data(t / 24, bikes[t], ax=ax, markersize=3, label="bikes in an hour")
plot_oracle(t / 24, np.exp(pattern(t)), ax=ax, label="the usual rate")
ax.set(xlabel="day", ylabel="bikes per hour", title="Days, weekends, and a mood of its own")
_ = ax.legend(loc="upper right", ncols=2)

# %% [markdown]
# Where the dots stay above or below the dashed line for a day, the mood speaks. A forecast that
# knows only the calendar cannot see it.

# %% [markdown]
# ## The rolling origin
#
# A forecast is judged where it is made: at an *origin*, with what was known then, for the hours
# that follow. One origin is one day's luck; roll it forward, day by day, and average. What must
# not happen is a random split into training and test hours. Here is one method, "the mean of the
# nearest known hours", judged in both ways:


# %%
def random_split(y, rng, hidden=600):  # mean errors: from both neighbours, from the one before
    shuffled = rng.permutation(np.arange(1, len(y) - 1))[:hidden]
    known = np.setdiff1d(np.arange(len(y)), shuffled)
    right = np.searchsorted(known, shuffled)
    before, after = y[known[right - 1]], y[known[right]]
    return [np.abs(y[shuffled] - guess).mean() for guess in ((before + after) / 2, before)]


origins, hours = STOP + 24 * np.arange(28), np.arange(24)


def rolling(y):  # mean errors of the last known hour, and of the same hour of yesterday
    came = y[origins[:, None] + hours]  # (28 days, 24 hours)
    naive = y[origins[:, None] - 24 + hours]
    return [np.abs(came - guess).mean() for guess in (y[origins - 1][:, None], naive)]


(both, before), (latest, naive) = random_split(bikes, numpy_rng(3)), rolling(bikes)
print(f"random split: {both:.1f}; without the hour after: {before:.1f} bikes per hour")
print(f"rolling origin: {latest:.1f}; seasonal naive, rolling origin: {naive:.1f}")
assert both < before < 0.7 * latest

# %% [markdown]
# The random split cheats twice. It lets the method look at the hour *after* the one that it
# forecasts; in use, nobody will tell. And it always asks for an hour whose neighbour is known,
# where the origin asks for up to 24 hours ahead. The second is the larger part of the gap, on ten
# stations, too. The last number is the baseline: the *seasonal naive* forecast, the same hour of
# yesterday. It costs nothing, and what does not beat it is not a model.
#
# "On ten stations" is a *claim*: a function of a seed and a number of steps, which must come out
# positive on ten seeds, and with three times as many steps. This is one; further down they are
# folded.


# %% claim="Looking at the hour after is less than half of a random split's gap." steps=5
def looking_ahead_is_the_smaller_part(seed, steps):  # means over so many random splits
    y, rng = station(seed)[0], numpy_rng(seed)
    both, before = np.mean([random_split(y, rng) for _ in range(steps)], 0)
    return (rolling(y)[0] - both) / 2 - (before - both)


assert looking_ahead_is_the_smaller_part(0, 5) > 0

# %% [markdown] card="13-no-random-split"
# Why is a random split into training and test hours no test of a forecast? What is, and beside
# what?
#
# **Answer.** It lets the method look at the hours after the one that it forecasts, and never asks
# for an hour far from known ones. Judge at an origin, with what was known then, and roll it
# forward; beside the seasonal naive forecast.

# %% [markdown]
# ## One number for draws
#
# All our forecasts will be draws, and one score compares them: the CRPS. For draws $x, x'$ of the
# forecast it is the mean distance to what came, minus half the mean distance between two draws,
#
# $$\mathrm{CRPS} = \mathrm{E}\,|x - y| - \tfrac12\, \mathrm{E}\,|x - x'| ,$$
#
# in bikes, the smaller the better. All draws here stand for a distribution, so $x$ and $x'$ are
# two *different* draws: that is the *fair* version (unit 14, which says why honesty pays under
# it). A forecast that is one number scores its absolute error.


# %%
def crps(draws, y):  # the fair one; draws (S, ...), y (...)
    S = len(draws)
    rank = np.arange(1, S + 1).reshape(-1, *[1] * np.ndim(y))
    half = ((2 * rank - S - 1) * np.sort(draws, 0)).sum(0) / (S * max(S - 1, 1))
    return (np.abs(draws - y).mean(0) - half).mean()


pair = np.array([1.0, 4.0])
assert crps(pair, np.array(2.0)) == 1.5 - 0.5 * 3  # distances 1 and 2, the two draws 3 apart

# %% [markdown]
# ## A network that goes on by itself
#
# The network reads the hours one after the other: the count before, and the calendar of the hour
# to come. A *GRU*, a layer that updates its memory hour by hour, keeps eight numbers; the head is
# unit 02's negative binomial.


# %%
def calendar(t):
    angle = 2 * torch.pi * t[..., None] * torch.tensor([1.0, 2.0, 3.0]) / 24
    weekend = (t // 24 % 7 >= 5)[..., None]
    return torch.cat([angle.sin(), angle.cos(), weekend], -1)  # (..., 7)


# %% [markdown]
# The memory's output and the calendar together make the mean; the scatter is one number for all:


# %%
class Reader(torch.nn.Module):
    def __init__(self, units):
        super().__init__()
        self.gru = torch.nn.GRU(8, units, batch_first=True)
        self.out = torch.nn.Linear(units + 7, 1)
        self.log_size = torch.nn.Parameter(torch.tensor(1.5))

    def forward(self, before, t, state=None):  # before, t: (rows, hours)
        now = calendar(t)
        memory, state = self.gru(torch.cat([before.log1p()[..., None] - 2, now], -1), state)
        raw = self.out(torch.cat([memory, now], -1))[..., 0]
        logits = raw + 2 - self.log_size  # the mean is exp(raw + 2)
        return torch.distributions.NegativeBinomial(self.log_size.exp(), logits=logits), state


# %% [markdown]
# Weeks are the rows of a batch. The loss is the NLL of each hour given those before it, and a
# small network with twelve weeks learns its noise by heart after a while. So the two weeks in
# between say when to stop: of all steps, the weights with the best NLL there are kept. (Folded:
# the rows.)


# %% hide=True
def weeks_of(y):  # the count before, the hour, the count; one row per week
    y = torch.from_numpy(y).float()
    t, before = torch.arange(len(y)), torch.cat([y[:1], y[:-1]])
    return [v[:STOP].reshape(-1, WEEK) for v in (before, t, y)]


# %% [markdown]
# The training loop:


# %%
def learn(seed, steps):
    weeks = weeks_of(station(seed)[0])
    torch.manual_seed(seed)
    net, best, kept = Reader(8), np.inf, None
    adam = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.01)
    for _step in range(steps):
        each = -net(*weeks[:2])[0].log_prob(weeks[2])
        if each[12:].mean() < best:
            best = each[12:].mean().item()
            kept = {name: value.detach().clone() for name, value in net.state_dict().items()}
        adam.zero_grad()
        each[:12].mean().backward()  # the last two weeks are watched, not learnt
        adam.step()
    net.load_state_dict(kept)
    return net.requires_grad_(False)


# %% [markdown]
# Forecasting: read the week before each origin, then draw an hour, feed the draw back, and so on.
# All 28 origins and 200 paths of each go forward together. A negative binomial draw is a Poisson
# draw whose rate was drawn from a Gamma.


# %%
def paths_of(net, y, origins, seed, count=200):
    y, origins = torch.from_numpy(y).float(), torch.from_numpy(origins)
    rng, past = numpy_rng(seed), origins[:, None] + torch.arange(-WEEK, 0)
    _, state = net(y[past - 1], past)
    state = state.repeat_interleave(count, 1)
    last, t = (v.repeat_interleave(count)[:, None] for v in (y[origins - 1], origins))
    paths = []
    for h in range(24):
        head, state = net(last, t + h, state)
        rate = rng.gamma(head.total_count.expand(last.shape), head.logits.exp())
        last = torch.from_numpy(rng.poisson(rate)).float()
        paths.append(last.numpy())
    return np.concatenate(paths, 1).reshape(-1, count, 24).swapaxes(0, 1)  # (paths, days, hours)


# %% [markdown]
# Its rivals. "Same hour" uses the counts of this hour on the last 28 days as 28 draws. The
# calendar model is the same head without a memory, fitted to its minimum on all fourteen weeks.
# The oracle knows the rule and today's mood. (The last two are folded.)


# %% hide=True
def calendar_fit(y):
    t = torch.arange(STOP)
    x, y = torch.cat([calendar(t), torch.ones(STOP, 1)], 1), torch.from_numpy(y[:STOP]).float()
    w = torch.zeros(9, requires_grad=True)
    lbfgs = torch.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")

    def loss():
        lbfgs.zero_grad()
        head = torch.distributions.NegativeBinomial(w[8].exp(), logits=x @ w[:8] + 2 - w[8])
        value = -head.log_prob(y).mean()
        value.backward()
        return value

    lbfgs.step(loss)
    return w.detach()


# %% hide=True
def calendar_draws(w, origins, rng):
    x = calendar(torch.from_numpy(origins)[:, None] + torch.arange(24))
    odds = (x @ w[:7] + w[7] + 2 - w[8]).exp().numpy()
    return rng.poisson(rng.gamma(w[8].exp().item(), odds, (200, *odds.shape)))


def oracle_draws(u, origins, rng):
    u, drawn = np.tile(u[origins], (200, 1)), []
    for h in range(24):
        y, u = happen(origins + h, u, rng)
        drawn.append(y)
    return np.stack(drawn, -1)


# %% [markdown]
# Five forecasts of the same 28 days; each is an array of draws, shape (draws, days, hours):


# %%
@functools.cache
def forecasts(seed, steps):
    y, u = station(seed)
    at = origins[:, None] + hours
    draws = {
        "seasonal naive": y[at - 24][None],
        "same hour": np.stack([y[at - 24 * back] for back in range(1, 29)]),
        "calendar": calendar_draws(calendar_fit(y), origins, numpy_rng(seed + 100)),
        "network": paths_of(learn(seed, steps), y, origins, seed + 200),
        "oracle": oracle_draws(u, origins, numpy_rng(seed + 300)),
    }
    return y[at], draws


# %% [markdown]
# ## Fan charts
#
# One origin, one Monday morning at midnight. The band holds 90% of the network's paths at each
# hour:


# %%
def band(draws, level=0.9):  # the k-th smallest draws at both ends: counts, not between them
    tails = (1 - level) / 2, (1 + level) / 2
    return (np.quantile(draws, q, 0, method="inverted_cdf") for q in tails)


came, draws = forecasts(0, 150)
day = 7  # a Monday
low, high = band(draws["network"])

# %% hide=True alt="Bands follow the daily wave of counts; three thin paths zigzag inside and out."
_, ax = plt.subplots(figsize=(9, 3.2))
plot_band(hours, low[day], high[day], contains="y", level=0.9, ax=ax)
for path, label in zip(draws["network"][:3, day], ("three paths", None, None), strict=True):
    plot_curve(hours, path, ax=ax, lw=0.9, label=label)
plot_data(hours, came[day], ax=ax, markersize=6, color="black", label="what came")
ax.set(xlabel="hour of the day", ylabel="bikes per hour", title="A fan, three paths, and the day")
_ = ax.legend(loc="upper left")

# %% [markdown]
# The paths are ragged, as the day is: a band's edges are smooth because they are no path.

# %% [markdown]
# Four numbers for each forecast: the CRPS of an hour and of a day's total; and which share of the
# hours, and of the whole days, lay in the 90% bands of the hours.


# %%
def score(draws, came):
    low, high = band(draws)
    hit = (low <= came) & (came <= high)
    return crps(draws, came), crps(draws.sum(2), came.sum(1)), hit.mean(), hit.all(1).mean()


# %% [markdown]
# ### Who is better, and at what?
#
# You know what the calendar model lacks: the mood. Before the table, a guess. The CRPS of a single
# hour, averaged over 28 days; and the CRPS of the day's *total*. By how many per cent does the
# network lower the calendar model's score: about as many for both, or not?

# %%
predict(
    "13-hour-or-total",
    ...,
    ask="Where does the network's memory gain more, in per cent of the calendar model's CRPS?",
    choices=("for single hours", "for the day's total", "the same for both"),
)

# %% [markdown] fold="13-hour-or-total"
# ### The table, and its picture


# %%
table = {name: score(x, came) for name, x in draws.items()}
print(f"{'':15s} CRPS: hour  total   90% band: hour  whole day")
for name, (each, total, inside, whole) in table.items():
    bands = "" if len(draws[name]) == 1 else f"{inside:15.2f} {whole:10.2f}"
    print(f"{name:15s} {each:10.2f} {total:6.0f}{bands}")
one_number = crps(np.median(draws["same hour"], 0)[None], came)
print(f"the median of 'same hour', as one number: {one_number:.2f}")
gain = [1 - table["network"][k] / table["calendar"][k] for k in (0, 1)]
print(f"network against calendar: {gain[0]:.0%} for hours, {gain[1]:.0%} for totals")
for name in ("calendar", "network"):
    top = np.quantile(draws[name].sum(2), 0.95, axis=0)
    print(f"{name}: {(came.sum(1) <= top).mean():.2f} of the days below the 0.95 quantile")

# %% hide=True alt="Five bars twice: naive worst, network near the oracle, clearest for totals."
_, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 2.8))
names = list(table)[::-1]
colors = ["black", "C0", "#C0C0C0", "#C0C0C0", "#C0C0C0"]
for k, ax in enumerate(axes):
    ax.barh(names, [table[name][k] for name in names], color=colors)
axes[0].set(xlabel="CRPS of an hour (bikes)", title="Hours: all but the naive are close")
axes[1].set(xlabel="CRPS of a day's total (bikes)", title="Totals: the memory shows")
best = "for the day's total" if gain[1] > gain[0] + 0.05 else "for single hours"
because = {"for single hours": "An hour's own noise is the same for all; only the mood differs."}
reveal("13-hour-or-total", best, because=because)

# %% [markdown]
# The network comes close to the oracle. For one hour the gain is small, because most of an hour's
# scatter is its own noise, which nobody can forecast. In a day's total that noise averages out and
# the mood remains, in all hours at once. The calendar model's paths do not know that the hours of
# a day hang together: its totals are far too sure.
#
# The table also says what to compare with. Most of the improvement on the naive forecast needs no
# network: "same hour" has it, with one line of code. About half of that comes from averaging 28
# days, as their median shows, and half from admitting a spread.

# %% [markdown]
# ### On ten stations
#
# One station is one draw of the data. On ten of them the network beats the seasonal naive forecast
# by the CRPS of hours, and the calendar model by the CRPS of totals. The same hour of 28 days is
# the harder rival: it was ahead on one of the ten.


# %% hide=True claim="The network beats the naive forecast, by the CRPS of hours." steps=150
def network_beats_naive(seed, steps):
    came, draws = forecasts(seed, steps)
    return crps(draws["seasonal naive"], came) - crps(draws["network"], came)


assert network_beats_naive(0, 150) > 1


# %% hide=True claim="The network beats 'same hour', by the CRPS of hours." steps=150
def network_beats_same_hour(seed, steps):
    came, draws = forecasts(seed, steps)
    return crps(draws["same hour"], came) - crps(draws["network"], came)


assert network_beats_same_hour(0, 150) > 0


# %% hide=True claim="The network beats the calendar model, by the CRPS of totals." steps=150
def memory_helps_totals(seed, steps):
    came, draws = forecasts(seed, steps)
    total = came.sum(1)
    return crps(draws["calendar"].sum(2), total) - crps(draws["network"].sum(2), total)


assert memory_helps_totals(0, 150) > 0

# %% [markdown]
# And the bands of the hours cover as much as the oracle's, to 0.05. Chance alone moves a coverage
# over 28 days by nearly as much; twice its standard error:

# %%
low, high = band(draws["oracle"])
by_day = ((low <= came) & (came <= high)).mean(1)
print(f"the oracle's bands: {by_day.mean():.3f} ± {2 * by_day.std(ddof=1) / 28**0.5:.3f}")


# %% hide=True claim="The network's 0.9 bands cover as much as the oracle's, to 0.05." steps=150
def network_covers(seed, steps):
    came, draws = forecasts(seed, steps)
    network, oracle = (score(draws[name], came)[2] for name in ("network", "oracle"))
    return 0.05 - abs(network - oracle)


assert network_covers(0, 150) > 0

# %% [markdown]
# ## Three questions
#
# People who decide ask: what do you expect, between which numbers will it be, and how probable is
# it that we run out? All three are read from the same paths. For the total of the Monday above,
# and for a station that is refilled to 30 bikes at each full hour: it runs out in an hour in which
# more than 30 are wanted.

# %%
monday = draws["network"][:, day]  # 200 futures of 24 hours
total = monday.sum(1)
low, high = np.quantile(total, (0.05, 0.95), method="inverted_cdf")
print(f"expected {total.mean():.0f} bikes, 90% interval {low:.0f} to {high:.0f}", end="; ")
print(f"came {came[day].sum():.0f}")
each = (monday > 30).mean(0)
ever = (monday > 30).any(1).mean()
print(
    f"more than 30 in some hour: {ever:.2f}, not {1 - np.prod(1 - each):.2f} (independent hours)"
)
often = (draws["network"] > 30).any(2).mean(), (came > 30).any(1).mean()
print(f"on 28 days: {often[0]:.2f} expected, {often[1]:.2f} came", end="; ")
in_a_day = (draws["network"].sum(2) > 30).mean(), (came.sum(1) > 30).mean()
print("never refilled: {:.2f} and {:.2f}".format(*in_a_day))
assert ever <= each.sum() and ever >= each.max()

# %% [markdown]
# The second line is a *joint* statement. The hours' own chances bound it, from below by the
# largest and from above by their sum, and do not say it. Ask which event is meant: a station that
# is never refilled runs out when the *sum* exceeds 30, which is each day; and with counts, "more
# than 30" and "at least 30" are different questions.

# %% [markdown]
# ## Quantiles without a distribution
#
# A network may put out quantiles directly, trained by the *pinball loss* $\ell_\tau(y, q)$, which
# is unit 02's cost of an order: it charges $\tau$ for each unit that $y$ lies above $q$ and $1 -
# \tau$ for each below. With $F$ for the distribution function of $y$, its minimum is the
# $\tau$-quantile:
#
# $$\frac{\mathrm d}{\mathrm d q}\, \mathrm{E}\, \ell_\tau(y, q)
#   = (1 - \tau)\, P(y < q) - \tau\, P(y > q) = F(q) - \tau .$$

# %% same=True
q = np.linspace(0, 6, 601)
tau = 0.9
above = np.exp(-q)  # E max(y - q, 0) of an exponential wait with mean 1
expected = tau * above + (1 - tau) * (above + q - 1)  # E max(q - y, 0) = E max(y - q, 0) + q - 1
slope = np.gradient(expected, q)[1:-1]
assert np.abs(slope - (1 - np.exp(-q[1:-1]) - tau)).max() < 1e-4
lowest = q[expected.argmin()]
print(f"minimum at {lowest:.2f}, the 0.9 quantile is {-np.log(1 - tau):.2f}")
assert abs(lowest + np.log(1 - tau)) < 0.006

# %% [markdown]
# Nothing tells seven such outputs to stay in order. Here is a small network with seven levels and
# 100 points of the dial data:

# %%
from course_utils.data import dial
from course_utils.training import fit

levels = torch.tensor([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
grid = torch.linspace(-2, 2, 201)[:, None]


def pinball(error):  # error is y - q, shape (n, 7)
    return torch.maximum(levels * error, (levels - 1) * error).mean()


def crossing_share(seed, steps):
    x, y = (torch.from_numpy(v).float()[:, None] for v in dial(100, rng=numpy_rng(seed)))
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(1, 50), torch.nn.Tanh(), torch.nn.Linear(50, 7))
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    fit(lambda: pinball(y - net(x)), adam, steps=steps, decay=True)
    curves = net(grid).detach()
    return (curves.diff(dim=1) < 0).any(1).double().mean().item(), curves


share, curves = crossing_share(0, 800)

# %% hide=True alt="Seven quantile curves that should be stacked cross each other at many places."
_, ax = plt.subplots()
for k, level in enumerate(levels):
    plot_curve(grid[:, 0], curves[:, k], ax=ax, lw=1.4, label=f"{level:.2f}")
ax.set(xlabel="x", ylabel="y", title=f"Quantiles cross at {share:.0%} of all x")
_ = ax.legend(ncols=4, fontsize=8, loc="lower left")
assert share > 0.1

# %% [markdown]
# Where curves cross, the forecast says that $y$ is likelier below a smaller number than below a
# larger one. Sorting the seven values of each $x$ repairs that, and never raises the pinball loss
# summed over the levels; it does not bring back what was not learnt.


# %%
x_new, y_new = (torch.from_numpy(v).float()[:, None] for v in dial(2001, rng=numpy_rng(9)))
at = (x_new[:, 0] + 2).div(0.02).round().long()  # the nearest grid point
as_is, in_order = pinball(y_new - curves[at]), pinball(y_new - curves.sort(1).values[at])
print(f"pinball loss {as_is:.5f}, sorted {in_order:.5f}")
assert in_order <= as_is

# %% [markdown]
# It helps little: where curves cross they lie close together. On each of ten data sets some do,
# and after three times the steps, too.


# %% hide=True claim="Seven free quantile outputs trained on 100 points cross." steps=800
def quantiles_cross(seed, steps):
    return crossing_share(seed, steps)[0]  # the share of x where some pair crosses


# %% [markdown] card="13-pinball-slope"
# Why is the τ-quantile the minimum of the expected pinball loss, and what does nobody tell several
# such outputs?
#
# **Answer.** Its slope in q is F(q) − τ, which is 0 there. Nobody tells them to stay in order:
# quantiles may cross, and sorting repairs that.

# %% [markdown]
# ## An honest interval for any forecaster
#
# The naive forecast has no interval at all. *Split conformal prediction* gives it one. Take $n$
# past examples that the forecaster was not fitted to, and the sizes of its errors, $s_i = |y_i -
# \hat y_i|$, as their scores. This is [unit 10's
# theorem](10_mixtures.ipynb#A-threshold-that-keeps-a-promise), asked for the upper tail: there a
# new score was to fall below $s_{(k)}$ with probability at most $\alpha$, here it is to stay below
# with probability at least $1 - \alpha$, and so
#
# $$k = \lceil (n + 1)(1 - \alpha) \rceil .$$
#
# Then $\hat y \pm s_{(k)}$ holds the new $y$ with probability at least $1 - \alpha$, whatever the
# forecaster, and whatever the distribution, if only the new score is **exchangeable** with the old
# ones. With nine examples and $\alpha = 0.1$, $k = 9$: the largest score; with eight, no finite
# interval will do.
#
# As in unit 10, the promise is an average over calibration sets. You have one set. Given it, the
# interval's own coverage is a random number, with mean 0.9 if $n = 9$. How far does it scatter
# from set to set?

# %%
predict(
    "13-one-set",
    ...,
    ask="The standard deviation, over calibration sets of nine, of the interval's coverage?",
    choices=("about 0.01", "about 0.03", "about 0.09"),
)

# %% [markdown] card="13-place-of-the-score"
# Split conformal with n scores and level 1 − α: which score is the half-width, and what must hold?
#
# **Answer.** The one with number ⌈(n + 1)(1 − α)⌉ in their order, from examples that the
# forecaster was not fitted to. Old and new examples must be exchangeable; the forecaster may be
# anything.

# %% [markdown] fold="13-one-set"
# ### Coverage, set by set

# %% [markdown]
# It has unit 10's law, Beta$(k, n + 1 - k)$. And by trial, with exponential scores, whose
# distribution function is known:

# %%
for n in (9, 99, 999):
    k = int(np.ceil((n + 1) * 0.9 - 1e-9))
    law = stats.beta(k, n + 1 - k)
    print(f"n = {n:3d}: coverage {law.mean():.2f} ± {law.std():.3f}", end=", ")
    print(f"one set in ten below {law.ppf(0.1):.2f}")
scores = numpy_rng(4).exponential(size=(100_000, 9))
covered = 1 - np.exp(-scores.max(1))  # by the largest score of nine
of_nine = covered.std()
assert abs(covered.mean() - 0.9) < 0.002 and abs(of_nine - stats.beta(9, 1).std()) < 0.002
choices = {0.01: "about 0.01", 0.03: "about 0.03", 0.09: "about 0.09"}
nearest = min(choices, key=lambda sd: abs(sd - of_nine))
because = {"about 0.01": "That is a set of a thousand.", "about 0.03": "That is one of a hundred."}
reveal("13-one-set", choices[nearest], because=because)

# %% [markdown]
# With nine examples one set in ten covers less than 0.77, and you will not know that yours is one.
# A promise for *your* set needs a hundred examples or more.

# %% [markdown]
# ## Honest, and naive
#
# Now the naive forecast of the station gets intervals: for each hour of the day, the scores of the
# 76 days before the first origin that have a yesterday.


# %%
def naive_interval(seed, miss=0.1):
    y = station(seed)[0]
    days = y[WEEK * 3 : STOP].reshape(-1, 24)
    scores = np.sort(np.abs(days[1:] - days[:-1]), 0)  # (76 days, 24 hours)
    k = int(np.ceil((len(scores) + 1) * (1 - miss) - 1e-9))
    at = origins[:, None] + hours
    return y[at - 24] - scores[k - 1], y[at - 24] + scores[k - 1], y[at]


# %% [markdown]
# Beside the network's bands:

# %%
low, high, came = naive_interval(0)
sharp_low, sharp_high = band(draws["network"])
print(f"naive and conformal: covers {((low <= came) & (came <= high)).mean():.2f}", end=", ")
print(f"width {(high - low.clip(0)).mean():.0f} bikes")
print(
    f"network:             covers {((sharp_low <= came) & (came <= sharp_high)).mean():.2f}",
    end="",
)
print(f", width {(sharp_high - sharp_low).mean():.0f} bikes")

# %% [markdown]
# Both keep the promise, and one of them needs more bikes for it, on ten stations as on this one.
# Honesty can be had for any forecaster; sharpness only for a good one.


# %% hide=True claim="Conformal intervals of the naive forecast are the wider ones." steps=150
def honest_is_not_sharp(seed, steps):
    low, high, _ = naive_interval(seed)
    sharp = band(forecasts(seed, steps)[1]["network"])
    return (high - low.clip(0)).mean() - np.subtract(*list(sharp)[::-1]).mean()


# %% [markdown]
# To *rank* forecasters, width at equal coverage will not do: it can be gamed. Let the noise have
# the standard deviation 1 on half of the days and 3 on the others, which is known in advance. One
# forecaster states 90% intervals; the other cuts the expensive ones and pays with the cheap ones:

# %%
for name, covers in {"honest": (0.9, 0.9), "gaming": (0.96, 0.84)}.items():
    widths = 2 * stats.norm.ppf(0.5 + np.array(covers) / 2) * [1, 3]
    print(f"{name}: covers {np.mean(covers):.2f}, mean width {widths.mean():.2f}")

# %% [markdown]
# Compare by the CRPS, or by the interval score (unit 14), which charges width and misses together.


# %% [markdown]
# ## What the promise is not
#
# It is **marginal**: an average over all examples, those in easy and those in hard places. And it
# rests on exchangeability, which time does not respect. First, the dial data with their true mean
# and one width for all:

# %%
x, y = dial(4000, rng=numpy_rng(5))
score_of = np.abs(y - np.sin(3 * x))
width = np.sort(score_of[:2000])[int(np.ceil(2001 * 0.9)) - 1]
inside, x_new = score_of[2000:] <= width, x[2000:]
print(f"all {inside.mean():.2f}, left half {inside[x_new < 0].mean():.2f}", end=", ")
print(f"right half {inside[x_new >= 0].mean():.2f}")
assert inside[x_new < 0].mean() > 0.99 and inside[x_new >= 0].mean() < 0.85

# %% [markdown]
# Quiet places get too much, noisy ones too little. Second, a drift: the noise triples little by
# little. Three ways to go on after 500 calibration scores:
#
# - *fixed*: keep their quantile;
# - *rolling*: the quantile of the last 200 scores;
# - *adaptive*: the same window, but the level $\alpha_t$ itself moves after each hit or miss,
#   $\alpha_{t+1} = \alpha_t + \gamma\,(\alpha - \text{miss}_t)$: misses widen the next interval.


# %%
def drift(seed, rounds=1500, gamma=0.02, window=200):
    spread = np.concatenate([np.ones(500), np.linspace(1, 3, rounds)])  # calm while calibrating
    scores = np.abs(spread * numpy_rng(seed).standard_normal(500 + rounds))
    hits, alpha = np.zeros((3, rounds)), 0.1
    fixed = np.sort(scores[:500])[int(np.ceil(501 * 0.9)) - 1]
    for t in range(rounds):
        past, s = np.sort(scores[500 + t - window : 500 + t]), scores[500 + t]
        rank = int(np.ceil((window + 1) * (1 - alpha) - 1e-9))
        wide = np.inf if rank > window else past[max(rank, 1) - 1]
        hits[:, t] = s <= fixed, s <= past[180], s <= wide
        alpha += gamma * (0.1 - (s > wide))
    return hits


# %% hide=True alt="Fixed coverage falls below 0.5; rolling and adaptive ones stay near 0.9."
hits = drift(0)
_, ax = plt.subplots()
for name, row in zip(("fixed", "rolling", "adaptive"), hits, strict=True):
    recent = np.convolve(row, np.ones(200) / 200, "valid")
    plot_curve(np.arange(200, 1501), recent, ax=ax, label=name)
ax.axhline(0.9, color="black", linestyle="--", lw=1.6)
ax.set(xlabel="round", ylabel="share inside, last 200", title="Under drift, old scores lie")
ax.set_ylim(0.3, 1)
_ = ax.legend(loc="lower left")
print("share inside after the calibration:", hits.mean(1).round(2))

# %% [markdown]
# The adaptive level needs no exchangeability for its long-run average: it counts misses and pays
# them back. It promises nothing about any single round. On ten drifts it ends nearer to 0.9 than
# the fixed one by at least:


# %% claim="Under drift the adaptive interval covers nearer to 0.9 than the fixed." steps=1500
def adaptive_beats_fixed(seed, steps):
    fixed, _, adaptive = drift(seed, rounds=steps).mean(1)
    return abs(fixed - 0.9) - abs(adaptive - 0.9)


print(f"{min(adaptive_beats_fixed(seed, 1500) for seed in range(10)):.2f}")


# %% [markdown] card="13-marginal-promise"
# A conformal interval covers 90%. What does that not promise?
#
# **Answer.** 90% in each place: quiet ones may pay for noisy ones. Nor under drift, nor for one
# calibration set, nor that the interval is short.

# %% [markdown]
# ## Back to the roof
#
# One hour is in its interval with probability 0.9; of 24 independent ones, all are with
# probability $0.9^{24}$. The deviations are not independent. Which share of days?

# %% [markdown] fold="13-all-day"
# ### The days, counted

# %% [markdown]
# Far ahead, a day starts anywhere in the long-run law, and goes on by the rule. Besides counting
# paths there is an exact way: carry the density of "inside up to now" from hour to hour.

# %%
far = long_run**0.5  # the standard deviation in the long run
edge = z90 * far
node, weight = np.polynomial.legendre.leggauss(80)
node, weight = edge * node, edge * weight
density = stats.norm.pdf(node, scale=far)
stay = [weight @ density]
for _ in range(23):
    density = stats.norm.pdf(node[:, None] - phi * node) @ (weight * density)
    stay.append(weight @ density)
rng = numpy_rng(6)
midnight = far * rng.standard_normal(20_000)
roof = np.abs(ar_paths(20_000, 23, rng, midnight)) <= edge
counted = (roof.all(1) & (np.abs(midnight) <= edge)).mean()
assert abs(counted - stay[-1]) < 0.02 and abs(stay[0] - 0.9) < 1e-6

# %% [markdown]
# Both agree. How the share falls with the length of the stretch:

# %% hide=True alt="The longer the stretch, the fewer stay inside; dependent hours lose less."
_, ax = plt.subplots()
plot_curve(ahead, stay, ax=ax, marker="o", label="dependent hours")
plot_curve(ahead, 0.9**ahead, ax=ax, marker="s", label="independent hours")
ax.set(xlabel="hours", ylabel="share with all inside", title="All day is another event")
ax.set_ylim(0, 1)
_ = ax.legend()

# %% [markdown]
# And in numbers:

# %%
assert 0.35 < stay[-1] < 0.5
print(f"all 24 hours: dependent {stay[-1]:.2f}, independent {0.9**24:.2f}")
because = {
    "on nine days in ten": "That is the promise about one hour; a whole day is a joint event.",
    "on about one day in twelve": "So it is for 24 independent hours; here they stay together.",
}
reveal("13-all-day", "on about four days in ten", because=because)

# %% [markdown]
# Nothing is wrong with the intervals: each keeps its marginal promise. A band that holds 90% of
# all *days* is another one. Take each path's largest departure, in standard deviations of its
# hour; the 0.9 quantile of these is the half-width that a whole day needs:

# %%
farthest = np.abs((futures[:20_000] - fed_back) / spread).max(1)
day_wide = np.quantile(farthest, 0.9)
fresh_days = np.abs((futures[20_000:] - fed_back) / spread).max(1) <= day_wide
print(f"half-width for an hour {z90:.1f}, for a whole day {day_wide:.1f} standard deviations")
print(f"holds {fresh_days.mean():.2f} of 20 000 other days")
assert abs(fresh_days.mean() - 0.9) < 0.015

# %% [markdown] card="13-all-hours-at-once"
# Each hour lies in its 90% interval on 90% of days. Why do all 24 on fewer days, and yet on more
# than if the hours were independent?
#
# **Answer.** A whole day is a joint event, so it is rarer than each hour alone. Dependent hours
# stay together: if one is inside, the next is likelier to be.

# %% [markdown]
# ### Fans that follow the hand
#
# The same from an hour that is known, two standard deviations above normal. Of 25 paths, those
# that leave the fan somewhere are orange. Move the dependence, the level and the horizon:


# %% hide=True
shocks = numpy_rng(7).standard_normal((2000, 48))


def fan(dependence, level, horizon):  # paths, the fan's middle and half-width, and who stays in it
    path, kept, ahead = np.full(2000, 2.0), [], np.arange(1, int(horizon) + 1)
    for step in ahead:  # far ahead the variance is 1, whatever the dependence
        path = dependence * path + (1 - dependence**2) ** 0.5 * shocks[:, step - 1]
        kept.append(path)
    kept, centre = np.stack(kept, 1), 2.0 * dependence**ahead
    edge = stats.norm.ppf(0.5 + level / 2) * np.sqrt(1 - dependence ** (2 * ahead))
    return kept, centre, edge, (np.abs(kept - centre) <= edge).all(1)


# %% hide=True alt="A fan opens from a known hour; most paths leave it somewhere and are orange."
def draw_fan(dependence=0.9, level=0.9, horizon=24):
    (kept, centre, edge, whole), ahead = (
        fan(dependence, level, horizon),
        np.arange(1, int(horizon) + 1),
    )
    _, ax = plt.subplots()
    for k in range(25):
        look = {"color": "C0", "lw": 1.4, "zorder": 3} if whole[k] else {"color": "C1", "lw": 0.6}
        ax.plot(ahead, kept[k], **look)
    plot_band(ahead, centre - edge, centre + edge, contains="y", level=level, ax=ax)
    ax.set(xlabel="hours ahead", ylabel="deviation (standard deviations)", ylim=(-4, 4.5))
    ax.set_title(f"Each hour: {level:.2f} inside. All {len(ahead)} hours: {whole.mean():.2f}")
    return ax


ax = draw_fan()

# %% [markdown]
# The share of paths that stay inside all day, at both ends:

# %%
for dependence in (0.0, 0.9, 0.99):
    print(f"dependence {dependence}: {fan(dependence, 0.9, 24)[3].mean():.2f}", end="   ")
print(f"0.9^24 = {0.9**24:.2f}")

# %% [markdown]
# At 0 the hours are 24 separate chances to leave. Near 1 a day is still not one hour: somewhat
# more than half of the paths stay, not nine in ten. The fan opens from a known hour, and on a
# random walk, too, each hour brings luck of its own.

# %%
interactive(draw_fan, dependence=(0.0, 0.99, 0.01), level=(0.5, 0.99, 0.01), horizon=(2, 48, 1))

# %% [markdown]
# ## Recap
#
# 1. A forecast is a set of paths. A band is what remains when you forget which values belong
#    together.
# 2. Feed back draws, never means; each path has its own.
# 3. Add up paths, then take quantiles. A peak or a whole day is a joint event.
# 4. Judge at a rolling origin, beside the seasonal naive forecast, and never after a random split.
# 5. Conformal intervals are honest on average, if old and new are exchangeable; not in each place,
#    not under drift, and not sharp.

# %% [markdown]
# ## An interview question
#
# *Our demand forecast is wrapped in a conformal interval, so 90% of all hours are covered,
# guaranteed. Still the busiest hours are missed every other time. Is there a bug?*
#
# Think first.

# %% [markdown]
# <details><summary>An answer</summary>
#
# **Probably not in the code.** The guarantee is marginal: quiet nights at 99% pay for busy hours
# at 50%. It was never a promise about the busiest hours.
#
# **What to do.** Let the score know the difficulty: divide errors by a predicted scale, start from
# predicted quantiles, or calibrate busy hours by themselves, if there are enough of them.
#
# **Then ask about time.** Were the calibration days like today? If demand drifts, exchangeability
# is gone: use a rolling window or an adaptive level, and watch the coverage.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - R. J. Hyndman and G. Athanasopoulos, *Forecasting: Principles and Practice* (3rd edition,
#   2021): baselines, seasonality and evaluation at a rolling origin.
# - D. Salinas, V. Flunkert, J. Gasthaus and T. Januschowski, "DeepAR: probabilistic forecasting
#   with autoregressive recurrent networks", *International Journal of Forecasting* (2020): this
#   lesson's network, grown up.
# - R. Koenker and G. Bassett, "Regression quantiles", *Econometrica* (1978): the pinball loss.
# - Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", *NeurIPS* (2019):
#   intervals whose width knows the place.
# - I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift", *NeurIPS*
#   (2021): the level that moves.

# %% [markdown]
# ## Your turn
#
# The assignment `13_forecasting` has seven exercises in code: baselines at many origins, joint
# forecasts, paths, missing hours, totals, intervals and running out; and one answer in words.
