# %% [markdown]
# # Answers to assignment 13
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## rolling-naive


# %% by-slices right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    t = first
    while t + horizon <= len(y):
        latest = y[t - season : t]
        forecast.append(latest.repeat(horizon // season + 1)[:horizon])
        target.append(y[t : t + horizon])
        t += every
    if not target:
        return y.new_zeros(0, horizon), y.new_zeros(0, horizon)
    return torch.stack(forecast), torch.stack(target)


# %% by-unfold right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    if len(y) < first + horizon:
        return y.new_empty(0, horizon), y.new_empty(0, horizon)
    windows = y[first - season :].unfold(0, season + horizon, every)
    same_phase = torch.arange(horizon).remainder(season)
    return windows[:, same_phase], windows[:, season:]


# %% by-going-back right="rolling-naive" oracle=True
def rolling_naive(y, first, every, horizon, season):
    # from each value that is wanted, go back whole seasons until it was known at the origin
    values, rows = y.tolist(), []
    for origin in range(first, len(values), every):
        if len(values) - origin < horizon:
            break
        for place in range(origin, origin + horizon):
            back = place
            while back >= origin:
                back -= season
            rows.append((values[back], values[place]))
    pairs = torch.tensor(rows, dtype=y.dtype).reshape(-1, horizon, 2)
    return pairs[..., 0], pairs[..., 1]


# %% by-slices.change-number equivalent="rolling-naive"
# `forecast.append(latest.repeat(horizon // season + 2)[:horizon])`
# One more repetition of the season is cut off again.


# %% one-season-back wrong="rolling-naive" fails="long horizon"
# Beyond one season this looks up values after the origin: go back to the last known season.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins + h - season], y[origins + h]


# %% last-value wrong="rolling-naive" fails="forecast,long horizon"
# This repeats the last known value: the seasonal forecast repeats the last known season.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - 1 + 0 * h], y[origins + h]


# %% misses-last-origin wrong="rolling-naive" fails="origins,forecast,long horizon"
# One origin is missing: its horizon may end with the last value of y.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]


# %% every-horizon wrong="rolling-naive" fails="origins,forecast,long horizon"
# Origins follow each other after `every` steps, not after a whole horizon.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), horizon)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]


# %% origin-is-known wrong="rolling-naive" fails="origins,forecast,long horizon"
# At the origin t the value y[t] is not known yet: it is the first to be forecast.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + 1 + h % season], y[origins + 1 + h]


# %% starts-at-zero wrong="rolling-naive" fails="origins,forecast,long horizon"
# The first origin is `first`; before it nothing is to be forecast.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(season, max(season, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]


# %% frozen-season wrong="rolling-naive" fails="forecast,long horizon"
# Every origin gets the season before the first one; each has a later one that is known.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[first - season + (origins - first + h) % season], y[origins + h]


# %% season-mean wrong="rolling-naive" fails="forecast,long horizon"
# This averages all known values of the phase: the naive forecast takes the latest one.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        phases = [(t + h) % season for h in range(horizon)]
        forecast.append(torch.stack([y[:t][p::season].mean() for p in phases]))
        target.append(y[t : t + horizon])
    empty = y.new_zeros(0, horizon)
    return torch.stack([*forecast]) if forecast else empty, (
        torch.stack(target) if target else empty
    )


# %% fails-without-rows wrong="rolling-naive" fails="origins"
# Where no horizon fits, the result has no rows: torch.stack of nothing is an error.
def rolling_naive(y, first, every, horizon, season):
    origins = range(first, len(y) - horizon + 1, every)
    h = torch.arange(horizon)
    forecast = torch.stack([y[t - season + h % season] for t in origins])
    return forecast, torch.stack([y[t : t + horizon] for t in origins])


# %% transposed wrong="rolling-naive" fails="origins,forecast,long horizon"
# Rows are origins and columns are hours of the horizon, not the other way round.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)
    h = torch.arange(horizon)[:, None]
    return y[origins - season + h % season], y[origins + h]


# %% ten-seasons-repeated wrong="rolling-naive" fails="long horizon"
# A fixed number of repetitions is too few for a short season and a long horizon.
def rolling_naive(y, first, every, horizon, season):
    origins = range(first, len(y) - horizon + 1, every)
    forecast = [y[t - season : t].repeat(10)[:horizon] for t in origins]
    target = [y[t : t + horizon] for t in origins]
    if not target:
        return y.new_zeros(0, horizon), y.new_zeros(0, horizon)
    return torch.stack(forecast), torch.stack(target)


# %% by-slices.narrow-result equivalent="rolling-naive"
# `return (y.new_zeros(0, horizon).half().double(), y.new_zeros(0, horizon))`
# A table without rows holds nothing to round.


# %% by-slices.narrow-result equivalent="rolling-naive"
# `return (y.new_zeros(0, horizon), y.new_zeros(0, horizon).half().double())`
# A table without rows holds nothing to round.


# %% by-unfold.narrow-result equivalent="rolling-naive"
# `return (y.new_empty(0, horizon).half().double(), y.new_empty(0, horizon))`
# A table without rows holds nothing to round.


# %% by-unfold.narrow-result equivalent="rolling-naive"
# `return (y.new_empty(0, horizon), y.new_empty(0, horizon).half().double())`
# A table without rows holds nothing to round.


# %% [markdown]
# ## ar-joint


# %% by-shock-weights right="ar-joint" oracle=True
def ar_joint(last, level, phi, sigma, steps):
    # each value is a weighted sum of the shocks on the way to it
    ends = steps.tolist()
    rows, means = [], []
    for end in ends:
        weight, row = 1.0, [0.0] * max(ends)
        for shock in reversed(range(end)):
            row[shock] = weight * sigma
            weight *= phi
        rows.append(row)
        means.append(level + weight * (last - level))
    weights = torch.tensor(rows, dtype=torch.float64)
    return torch.tensor(means, dtype=torch.float64), weights @ weights.T


# %% by-recursion right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    longest = int(steps.max())
    means, variances = [float(last)], [0.0]
    for _ in range(longest):
        means.append(level + phi * (means[-1] - level))
        variances.append(phi * phi * variances[-1] + sigma * sigma)
    mean = torch.tensor(means, dtype=torch.float64)[steps]
    variance = torch.tensor(variances, dtype=torch.float64)
    covariance = torch.zeros(len(steps), len(steps), dtype=torch.float64)
    for i, a in enumerate(steps.tolist()):
        for j, b in enumerate(steps.tolist()):
            covariance[i, j] = variance[min(a, b)] * phi ** abs(a - b)
    return mean, covariance


# %% by-expm1 right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    steps_ = steps.double()
    shorter = torch.minimum(steps_[:, None], steps_)
    lag = (steps[:, None] - steps).abs()
    gap = (1 - abs(phi)) * (1 + abs(phi))
    if gap < 1e-300:
        sums = shorter
    elif phi == 0:
        sums = torch.ones_like(shorter)
    else:
        sums = -torch.expm1(2 * shorter * math.log1p(abs(phi) - 1)) / gap
    powers = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + torch.pow(powers, steps) * (last - level)
    return mean, sigma**2 * torch.pow(powers, lag) * sums


# %% closed-form wrong="ar-joint" fails="ends"
# At phi = 1 and phi = -1 the closed form of the sum is 0 / 0: h steps are h shocks there.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart * (1 - base ** (2 * first)) / (1 - base**2)


# %% only-plus-one wrong="ar-joint" fails="ends"
# phi = -1 is an end as well: there the closed form is 0 / 0, too.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    if phi == 1:
        return mean, sigma**2 * first.double()
    return mean, sigma**2 * base**apart * (1 - base ** (2 * first)) / (1 - base**2)


# %% almost-a-random-walk wrong="ar-joint" fails="ends"
# phi a little below 1 is taken for 1: a thousand steps ahead the difference shows.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    if abs(phi) > 1 - 1e-5:
        return mean, sigma**2 * base.sign() ** apart * first
    return mean, sigma**2 * base**apart * (1 - base ** (2 * first)) / (1 - base**2)


# %% floor-in-the-denominator wrong="ar-joint" fails="ends"
# A floor keeps the division alive and gives 0: at the ends the variance is h times sigma squared.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    share = (1 - base ** (2 * first)) / (1 - base**2).clamp(min=1e-12)
    return mean, sigma**2 * base**apart * share


# %% constant-variance wrong="ar-joint" fails="variances,covariances,ends"
# One step has variance sigma squared; further ahead more shocks add up.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart


# %% stationary wrong="ar-joint" fails="variances,covariances,ends"
# That is the variance in the long run, which knows nothing of today's value.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart / (1 - base**2)


# %% random-walk wrong="ar-joint" fails="variances,covariances,ends"
# Variance sigma squared times h belongs to a random walk: phi damps earlier shocks.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart * first


# %% independent wrong="ar-joint" fails="covariances,ends"
# Values some steps ahead share shocks: their covariance is not zero.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    mean = level + base**steps * (last - level)
    return mean, torch.diag(sigma**2 * sums[steps - 1])


# %% correlations-of-the-long-run wrong="ar-joint" fails="covariances,ends"
# phi to the lag is a correlation in the long run only: here the variances of the two differ.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    sd = sigma * sums[steps - 1].sqrt()
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sd[:, None] * sd * base**apart


# %% later-variance wrong="ar-joint" fails="covariances,ends"
# The covariance holds the shocks that both share: those up to the earlier of the two.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    later = torch.maximum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart * sums[later - 1]


# %% deviation-once wrong="ar-joint" fails="variances,covariances,ends"
# sigma is a standard deviation: variances hold its square.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma * base**apart * sums[first - 1]


# %% level-forgotten wrong="ar-joint" fails="mean"
# The process falls back to its level, not to zero.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    return base**steps * last, sigma**2 * base**apart * sums[first - 1]


# %% one-shock-late wrong="ar-joint" fails="variances,covariances,ends"
# h steps ahead hold h shocks: the powers of phi squared run from 0 to h - 1.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()) + 1)), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart * sums[first]


# %% sorted-steps wrong="ar-joint" fails="mean,variances,covariances,ends"
# The results are in sorted order; they belong in the order of `steps`.
def ar_joint(last, level, phi, sigma, steps):
    steps = steps.sort().values
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    return mean, sigma**2 * base**apart * sums[first - 1]


# %% walk-in-float32 wrong="ar-joint" fails="ends"
# At phi = 1 the mean comes in float32, as torch.full makes it of a Python float: name the dtype.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(base ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + base**steps * (last - level)
    if phi == 1:
        mean = torch.full(steps.shape, float(last))
    return mean, sigma**2 * base**apart * sums[first - 1]


# %% [markdown]
# ## sampled-paths


# %% by-window right="sampled-paths"
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    paths = torch.zeros_like(u)
    for h, (k, level) in enumerate(zip(known, u.T, strict=True)):
        paths[:, h] = quantile(window, k, level)
        window = torch.cat([window, paths[:, h : h + 1]], 1)[:, 1:]
    return paths


# %% by-roll right="sampled-paths"
def sample_paths(quantile, history, known, u):
    window = history[None, :].expand(u.shape[0], -1).clone()
    steps = []
    for h in range(u.shape[1]):
        value = quantile(window.clone(), known[h], u[:, h])
        window = window.roll(-1, 1)
        window[:, -1] = value
        steps.append(value)
    return torch.stack(steps, 1) if steps else u.clone()


# %% by-ring right="sampled-paths" oracle=True
def sample_paths(quantile, history, known, u):
    # columns of everything that is known or drawn, as a list
    n, p = u.shape[0], history.shape[0]
    columns = [value.expand(n) for value in history]

    def go_on(h):
        if h == known.shape[0]:
            return
        columns.append(quantile(torch.stack(columns[-p:], -1), known[h], u[:, h]))
        go_on(h + 1)

    go_on(0)
    return torch.stack(columns, -1)[:, p:]


# %% by-ring.flip-sign equivalent="sampled-paths"
# `return torch.stack(columns, 1)[:, p:]`
# With two dimensions the last one is dimension 1.

# %% by-ring.flip-sign equivalent="sampled-paths"
# `columns.append(quantile(torch.stack(columns[-p:], 1), known[h], u[:, h]))`
# With two dimensions the last one is dimension 1.


# %% median-fed-back wrong="sampled-paths" fails="later steps,calls"
# What goes back into the window is the draw itself, not the median: else paths do not spread.
def sample_paths(quantile, history, known, u):
    window, steps = history.repeat(len(u), 1), []
    for h in range(len(known)):
        steps.append(quantile(window, known[h], u[:, h]))
        middle = quantile(window, known[h], torch.full_like(u[:, h], 0.5))
        window = torch.cat([window[:, 1:], middle[:, None]], 1)
    return torch.stack(steps, 1) if steps else u.clone()


# %% frozen-window wrong="sampled-paths" fails="later steps"
# The window never moves on: every step must see the draws before it.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
    return paths


# %% mean-over-paths wrong="sampled-paths" fails="later steps"
# Each path goes on from its own draw; here all of them go on from their mean.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window = torch.cat([window[:, 1:], paths[:, h].mean().expand(len(u), 1)], 1)
    return paths


# %% newest-first wrong="sampled-paths" fails="later steps"
# The newest value belongs at the end of the window: its order is oldest first.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window = torch.cat([paths[:, h : h + 1], window[:, :-1]], 1)
    return paths


# %% growing-window wrong="sampled-paths" fails="later steps,calls"
# The window keeps its length: for each new value the oldest one goes.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window = torch.cat([window, paths[:, h : h + 1]], 1)
    return paths


# %% replaces-newest wrong="sampled-paths" fails="later steps"
# The oldest value leaves the window, not the newest.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window = torch.cat([window[:, :-1], paths[:, h : h + 1]], 1)
    return paths


# %% known-of-yesterday wrong="sampled-paths" fails="later steps"
# known[h] belongs to step h: from the second step on, this uses the one before.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[max(h - 1, 0)], u[:, h])
        window = torch.cat([window[:, 1:], paths[:, h : h + 1]], 1)
    return paths


# %% one-draw-per-path wrong="sampled-paths" fails="later steps"
# Each step has a draw of its own: a path that reuses its first one stays high or low for ever.
def sample_paths(quantile, history, known, u):
    window, paths = history.repeat(len(u), 1), u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, 0])
        window = torch.cat([window[:, 1:], paths[:, h : h + 1]], 1)
    return paths


# %% path-by-path wrong="sampled-paths" fails="calls"
# The values are right, but the model is called for each path and step: hand it all paths at once.
def sample_paths(quantile, history, known, u):
    paths = u.clone()
    for i in range(len(u)):
        window = history[None]
        for h in range(len(known)):
            paths[i, h] = quantile(window, known[h], u[i, h : h + 1])[0]
            window = torch.cat([window[:, 1:], paths[i, h].reshape(1, 1)], 1)
    return paths


# %% writes-into-history wrong="sampled-paths" fails="first step,later steps"
# With one path, a view of history is written into: clone it first.
def sample_paths(quantile, history, known, u):
    window = history[None] if len(u) == 1 else history.repeat(len(u), 1)
    paths = u.clone()
    for h in range(len(known)):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window[:, :-1] = window[:, 1:].clone()
        window[:, -1] = paths[:, h]
    return paths


# %% with-history wrong="sampled-paths" fails="first step,later steps"
# The paths hold the steps to come only; history is not part of them.
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    for h in range(len(known)):
        value = quantile(window[:, -len(history) :], known[h], u[:, h])
        window = torch.cat([window, value[:, None]], 1)
    return window


# %% known-in-float32 wrong="sampled-paths" fails="later steps"
# torch.tensor of a Python number is float32: hand on the entry of known as it is.
def sample_paths(quantile, history, known, u):
    paths = history.repeat(len(u), 1)
    for h, number in enumerate(known.tolist()):
        following = quantile(paths[:, h:], torch.tensor(number), u[:, h])
        paths = torch.cat([paths, following[:, None]], 1)
    return paths[:, len(history) :]


# %% [markdown]
# ## quantile-report


# %% by-where right="quantile-report"
def quantile_report(y, q, levels):
    filled = torch.where(y.isnan(), q.detach()[:, 0], y)[:, None]
    each = torch.where(filled >= q, levels * (filled - q), (1 - levels) * (q - filled))
    each = torch.where(y.isnan()[:, None], torch.zeros_like(q), each)
    loss = each.sum() / (~y.isnan()).sum()
    order = torch.argsort(levels)
    in_order = q[:, order]
    bad = (in_order[:, :-1] > in_order[:, 1:]).any(-1)
    return loss, bad.to(torch.float64).mean()


# %% by-relu right="quantile-report"
def quantile_report(y, q, levels):
    rows = torch.isfinite(y)
    above = torch.relu(y[rows][:, None] - q[rows])
    below = torch.relu(q[rows] - y[rows][:, None])
    loss = (above @ levels + below @ (1 - levels)).mean()
    running = q.detach()[:, levels.argsort()].cummax(1).values
    return loss, (running != q.detach()[:, levels.argsort()]).any(1).double().mean()


# %% hour-by-hour right="quantile-report" oracle=True
def quantile_report(y, q, levels):
    # half of |error| plus a tilt, hour by hour and pair by pair
    taus = levels.tolist()
    total, observed, crossing = 0.0, 0, 0
    for hour in range(y.numel()):
        if bool(y[hour] == y[hour]):
            observed += 1
            for k, tau in enumerate(taus):
                gap = y[hour] - q[hour, k]
                total = total + abs(gap) / 2 + (tau - 0.5) * gap
        pairs = [(a, b) for a in range(len(taus)) for b in range(len(taus)) if taus[a] < taus[b]]
        crossing += any(float(q[hour, b]) < float(q[hour, a]) for a, b in pairs)
    return total / observed, torch.tensor(crossing / y.numel(), dtype=torch.float64)


# %% solution.detach-input equivalent="quantile-report"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="quantile-report"
# `levels = levels.detach()`
# No gradient with respect to the levels is asked for.

# %% by-where.flip-sign equivalent="quantile-report"
# `bad = (in_order[:, :-1] > in_order[:, 1:]).any(1)`
# With two dimensions the last one is dimension 1.


# %% swapped-sides wrong="quantile-report" fails="loss,missing,gradient"
# The two sides are swapped: a high quantile is charged for lying too low, so tau weighs y above q.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(-levels * error, (1 - levels) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% mean-over-levels wrong="quantile-report" fails="loss,missing,gradient"
# This averages over the levels as well; the text asks for their sum.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% mean-over-all wrong="quantile-report" fails="missing,gradient"
# Missing hours must not count below the line either: divide by the number that was observed.
def quantile_report(y, q, levels):
    error = torch.where(y.isnan(), q.detach()[:, 0], y)[:, None] - q
    each = torch.maximum(levels * error, (levels - 1) * error)
    loss = (each * ~y.isnan()[:, None]).sum() / len(y)
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% nan-times-zero wrong="quantile-report" fails="missing"
# NaN times zero is NaN: leave the missing rows out before anything is computed with them.
def quantile_report(y, q, levels):
    error = y[:, None] - q
    each = torch.maximum(levels * error, (levels - 1) * error)
    loss = (each * ~y.isnan()[:, None]).sum() / (~y.isnan()).sum()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% masked-too-late wrong="quantile-report" fails="gradient"
# The value is right, but NaN comes back in the gradient: drop the missing rows before the loss.
def quantile_report(y, q, levels):
    error = y[:, None] - q
    each = error.square().sqrt() / 2 + (levels - 0.5) * error
    each = torch.where(y.isnan()[:, None], torch.zeros_like(q), each)
    loss = each.sum() / (~y.isnan()).sum()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% zero-for-missing wrong="quantile-report" fails="missing,gradient"
# A missing hour is not an hour of zero demand.
def quantile_report(y, q, levels):
    error = y.nan_to_num(0.0)[:, None] - q
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% levels-taken-as-sorted wrong="quantile-report" fails="crossed"
# The levels come in any order: sort the columns by level before you compare neighbours.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    return loss, (q.detach().diff(dim=1) < 0).any(1).double().mean()


# %% ties-cross wrong="quantile-report" fails="crossed"
# Equal quantiles do not cross: only a strictly smaller one does.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps <= 0).any(1).double().mean()


# %% share-of-pairs wrong="quantile-report" fails="crossed"
# This is the share of neighbouring pairs; an hour counts once if any of its quantiles cross.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).double().sum() / max(steps.numel(), 1)


# %% crossed-where-seen wrong="quantile-report" fails="crossed"
# Crossing has nothing to do with what came: all hours count, missing ones too.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[seen][:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% ends-only wrong="quantile-report" fails="crossed"
# The outermost quantiles may be in order while inner ones cross: compare all neighbours.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    outer = q.detach()[:, levels.argsort()][:, [0, -1]]
    return loss, (outer[:, 1] < outer[:, 0]).double().mean()


# %% sorted-first wrong="quantile-report" fails="loss,missing,gradient"
# The loss is that of the forecasts as they are; sorting them first is another forecast.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    order = levels.argsort()
    steps = q.detach()[:, order].diff(dim=1)
    error = y[seen, None] - q[seen].sort(1).values
    tau = levels[order]
    loss = torch.maximum(tau * error, (tau - 1) * error).sum(1).mean()
    return loss, (steps < 0).any(1).double().mean()


# %% zero-is-missing wrong="quantile-report" fails="missing,gradient"
# An hour of exactly zero demand was observed: only NaN is missing.
def quantile_report(y, q, levels):
    seen = y.nan_to_num() != 0
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% levels-by-percent wrong="quantile-report" fails="crossed"
# In whole percent 0.501 and 0.502 are equal: sort the levels themselves.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    order = (levels * 100).round().argsort(stable=True)
    steps = q.detach()[:, order].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% solution.detach-one equivalent="quantile-report"
# `return (loss, (steps < 0).any(1).double().mean().detach())`
# Only the gradient of the loss is asked for.


# %% [markdown]
# ## total-quantiles


# %% by-mask right="total-quantiles"
def total_quantiles(paths, groups, levels):
    ranks = [math.ceil(float(level) * len(paths)) - 1 for level in levels]
    ordered = [paths[:, groups == g].sum(1).sort().values for g in range(groups.max() + 1)]
    return torch.stack([values[ranks] for values in ordered])


# %% by-one-hot right="total-quantiles"
def total_quantiles(paths, groups, levels):
    member = torch.nn.functional.one_hot(groups).to(paths.dtype)  # (H, G)
    totals = (paths @ member).sort(dim=0).values  # (S, G)
    share = torch.arange(1, len(paths) + 1, dtype=levels.dtype) / len(paths)
    return totals[torch.searchsorted(share, levels)].T


# %% by-counting right="total-quantiles" oracle=True
def total_quantiles(paths, groups, levels):
    # the smallest total with enough totals at or below it, found by counting
    size, labels = len(paths), groups.tolist()
    result = torch.zeros(max(labels) + 1, len(levels), dtype=paths.dtype)
    for g in range(max(labels) + 1):
        members = [h for h, label in enumerate(labels) if label == g]
        totals = [sum(row[h] for h in members) for row in paths.tolist()]
        for k, level in enumerate(levels.tolist()):
            enough = (a for a in sorted(totals) if sum(b <= a for b in totals) >= level * size)
            result[g, k] = next(enough)
    return result


# %% by-one-hot.drop-term equivalent="total-quantiles"
# `share = torch.arange(1, len(paths), dtype=levels.dtype) / len(paths)`
# Beyond its end searchsorted returns its length, which is the last rank.

# %% by-one-hot.change-number equivalent="total-quantiles"
# `share = torch.arange(1, len(paths) + 2, dtype=levels.dtype) / len(paths)`
# A share above 1 is never reached by a level.


# %% sum-of-quantiles wrong="total-quantiles" fails="one group,groups,quantile"
# A sum of quantiles is not the quantile of the sum: add up each path first.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    rank = (levels * len(paths)).ceil().long() - 1
    hourly = paths.sort(0).values[rank]  # (K, H)
    return hourly.new_zeros(len(levels), count).index_add(1, groups, hourly).T


# %% interpolated wrong="total-quantiles" fails="one group,groups,quantile"
# This interpolates between two totals; the text asks for the smallest total that is enough.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    return torch.quantile(totals, levels, dim=0).T


# %% mean-not-sum wrong="total-quantiles" fails="one group,groups,quantile"
# That is the mean over the hours of a group; the planner asks for the total.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    totals = totals / torch.bincount(groups, minlength=count).clamp(min=1)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% only-groups-that-occur wrong="total-quantiles" fails="groups,quantile"
# A group without hours has a row, too, with the total 0.
def total_quantiles(paths, groups, levels):
    rank = (levels * len(paths)).ceil().long() - 1
    rows = [paths[:, groups == g].sum(1).sort().values[rank] for g in groups.unique()]
    return torch.stack(rows)


# %% runs-of-hours wrong="total-quantiles" fails="groups,quantile"
# The hours of a group may stand anywhere: here the last run of neighbours replaces the others.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count)
    runs, sizes = groups.unique_consecutive(return_counts=True)
    for g, part in zip(runs, paths.split(sizes.tolist(), 1), strict=True):
        totals[:, g] = part.sum(1)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% rank-rounded-down wrong="total-quantiles" fails="one group,groups,quantile"
# One total too low: fewer than the asked share lie at or below it. Round the rank up.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = ((levels * len(paths)).floor().long() - 1).clamp(min=0)
    return totals.sort(0).values[rank].T


# %% one-rank-high wrong="total-quantiles" fails="one group,groups,quantile"
# One total too high: places in a sorted tensor count from 0.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths)).ceil().long().clamp(max=len(paths) - 1)
    return totals.sort(0).values[rank].T


# %% by-levels-first wrong="total-quantiles" fails="one group,groups,quantile"
# Rows are groups and columns are levels: transpose.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank]


# %% index-assignment wrong="total-quantiles" fails="one group,groups,quantile"
# totals[:, groups] += adds each group once only, the last of its hours: use index_add.
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1)
    totals[:, groups] += paths
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% normal-band wrong="total-quantiles" fails="one group,groups,quantile"
# Mean plus z standard deviations supposes a Normal; the paths tell the quantile themselves.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    spread = totals.std(0, unbiased=False)
    return totals.mean(0)[:, None] + spread[:, None] * torch.special.ndtri(levels)


# %% in-float32 wrong="total-quantiles" fails="one group"
# Hours of opposite sign nearly cancel, and float32 keeps seven digits of each.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = torch.zeros(len(paths), count).index_add(1, groups, paths.float())
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T.double()


# %% [markdown]
# ## conformal-interval


# %% by-sort right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    scores, _ = torch.where(low - y > y - high, low - y, y - high).sort()
    wanted = (len(scores) + 1) * (1 - miss)
    k = round(wanted) if abs(wanted - round(wanted)) <= 1e-9 else math.ceil(wanted)
    padded = torch.cat([scores, scores.new_full((1,), math.inf)])
    return new_low - padded[k - 1], new_high + padded[k - 1]


# %% by-counting right="conformal-interval" oracle=True
def conformal_interval(y, low, high, new_low, new_high, miss):
    # the smallest move at which enough of the examples lie inside, the new one counted as a miss
    from fractions import Fraction

    share = 1 - Fraction(miss).limit_denominator(10**7)
    needed = share * (y.numel() + 1)
    moves = [
        max(a - b, b - c) for a, b, c in zip(*(v.tolist() for v in (low, y, high)), strict=True)
    ]
    enough = [m for m in moves if sum(other <= m for other in moves) >= needed]
    move = min(enough, default=math.inf)
    return new_low - move, new_high + move


# %% by-shifting-up right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    outside = torch.stack([low - y, y - high]).amax(0)
    allowed = math.floor((len(y) + 1) * miss + 1e-9)  # this many may lie above, the new one too
    if allowed == 0:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = outside.topk(allowed).values[-1]
    return new_low - move, new_high + move


# %% by-sort.change-number equivalent="conformal-interval"
# `padded = torch.cat([scores, scores.new_full((2,), math.inf)])`
# A second infinite entry is never looked up.

# %% by-counting.change-number equivalent="conformal-interval"
# `share = 1 - Fraction(miss).limit_denominator(11 ** 7)`
# The denominators of all cases are smaller than either limit.

# %% by-counting.change-number equivalent="conformal-interval"
# `share = 1 - Fraction(miss).limit_denominator(10 ** 8)`
# The denominators of all cases are smaller than either limit.


# %% without-plus-one wrong="conformal-interval" fails="score,rank,too few,inward"
# (n + 1) is missing: the new example counts as one, too. This interval is a little too short.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = max(math.ceil(len(y) * (1 - miss) - 1e-9), 1)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% plain-quantile wrong="conformal-interval" fails="score,rank,too few,inward"
# torch.quantile interpolates and knows no (n + 1): take the k-th smallest score.
def conformal_interval(y, low, high, new_low, new_high, miss):
    if len(y) == 0:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.quantile(torch.maximum(low - y, y - high), 1 - miss)
    return new_low - move, new_high + move


# %% largest-for-infinite wrong="conformal-interval" fails="too few"
# With too few examples no finite interval keeps the promise, not even the largest score.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if len(y) == 0:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[min(k, len(y)) - 1]
    return new_low - move, new_high + move


# %% rounding-up-one-too-many wrong="conformal-interval" fails="rank"
# 10 * (1 - 0.7) and its like may come out a hair above a whole number: allow for rounding.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss))
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% rank-rounded-down wrong="conformal-interval" fails="score,rank,too few,inward"
# The rank is rounded down: fewer than the promised share lie inside.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = max(math.floor((len(y) + 1) * (1 - miss) + 1e-9), 1)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% never-inward wrong="conformal-interval" fails="rank,inward"
# Scores inside are negative, so that wide intervals shrink: do not cut them off at zero.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1].clamp(min=0)
    return new_low - move, new_high + move


# %% from-the-middle wrong="conformal-interval" fails="score,rank,too few,inward"
# The score is the distance outside of the interval, not the distance from its middle.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = (y - (low + high) / 2).abs().sort().values[k - 1]
    return new_low - move, new_high + move


# %% around-the-middle wrong="conformal-interval" fails="score,rank,too few,inward"
# The new interval's own ends move; this draws a band of one width around its middle.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    middle = (new_low + new_high) / 2
    return middle - move, middle + move


# %% smaller-distance wrong="conformal-interval" fails="score,rank,too few,inward"
# y lies outside if it lies beyond one of the two ends: take the larger of the distances.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.minimum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% above-only wrong="conformal-interval" fails="score,rank,inward"
# Misses below count as well: the score has two sides.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = (y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% level-for-miss wrong="conformal-interval" fails="score,rank,too few,inward"
# miss is the probability of a miss, not that of a hit.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = max(math.ceil((len(y) + 1) * miss - 1e-9), 1)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% ends-put-in-order wrong="conformal-interval" fails="inward"
# Ends that pass each other are to be returned as they are: an empty interval is an answer.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    ends = new_low - move, new_high + move
    return torch.minimum(*ends), torch.maximum(*ends)


# %% infinite-numbers wrong="conformal-interval" fails="too few"
# Infinite ends have the shape of the new intervals, too: one for each of them.
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.tensor(-math.inf).double(), torch.tensor(math.inf).double()
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% miss-in-eight-digits wrong="conformal-interval" fails="rank"
# Rounding `miss` moves a rank at a third, say: allow for rounding in (n + 1) * (1 - miss).
def conformal_interval(y, low, high, new_low, new_high, miss):
    k = math.ceil((len(y) + 1) * (1 - round(miss, 8)) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% by-shifting-up.narrow-result equivalent="conformal-interval"
# `... -math.inf).half().double(), torch.full_like(new_high, ...`
# Infinity is the same in each precision.


# %% by-shifting-up.narrow-result equivalent="conformal-interval"
# `... -math.inf), torch.full_like(new_high, math.inf).half().double())`
# Infinity is the same in each precision.


# %% [markdown]
# ## running-out


# %% by-scipy right="running-out"
def running_out(rates, stock):
    from scipy import stats

    more = torch.from_numpy(stats.poisson.sf(stock, rates.numpy()))
    ever = -torch.expm1(torch.log1p(-more).sum(1))
    return more.sum(0) / len(rates), ever.sum() / len(rates)


# %% by-first-time right="running-out"
def running_out(rates, stock):
    shape = torch.tensor(stock + 1, dtype=rates.dtype)
    more = torch.special.gammainc(shape, rates)
    none_yet, ever = torch.ones_like(rates[:, 0]), torch.zeros_like(rates[:, 0])
    for h in range(rates.shape[1]):  # it happens for the first time in hour h
        ever = ever + none_yet * more[:, h]
        none_yet = none_yet * (1 - more[:, h])
    return more.mean(dim=0), ever.mean()


# %% by-tail-sums right="running-out" oracle=True
def running_out(rates, stock):
    # add up the probabilities of all larger counts, small ones last
    counts = torch.arange(stock + 1, stock + 900, dtype=torch.float64)[:, None, None]
    log_p = counts * rates.log() - rates - torch.lgamma(counts + 1)
    tail = log_p.logsumexp(0).exp()
    futures = []
    for row in tail.tolist():
        happened = 0.0
        for p in row:
            happened = happened + p - happened * p
        futures.append(happened)
    each = torch.stack([column.mean() for column in tail.unbind(1)])
    return each, torch.tensor(sum(futures) / len(futures), dtype=torch.float64)


# %% by-tail-sums.change-number equivalent="running-out"
# `... = torch.arange(stock + 1, stock + 901, dtype=torch.float64)[:, None, None]`
# Where the sum ends matters only if it ends too early.


# %% at-least wrong="running-out" fails="each,ever,tiny"
# That is P(demand >= stock): a station with as many bikes as are asked for has not run out.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, max(stock, 1e-12)), rates)
    never = torch.log1p(-more).sum(1)
    return more.mean(0), -torch.expm1(never).mean()


# %% one-minus-cdf wrong="running-out" fails="tiny"
# One minus a probability near 1 keeps no digits of a small tail: compute the tail itself.
def running_out(rates, stock):
    counts = torch.arange(stock + 1, dtype=rates.dtype)[:, None, None]
    below = (counts * rates.log() - rates - torch.lgamma(counts + 1)).exp().sum(0)
    more = (1 - below).clamp(0, 1)
    return more.mean(0), (1 - (1 - more).prod(1)).mean()


# %% one-minus-product wrong="running-out" fails="tiny"
# The tails are right, but 1 - prod(1 - p) loses a small `ever`: use log1p and expm1.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return more.mean(0), (1 - (1 - more).prod(1)).mean()


# %% sum-of-hours wrong="running-out" fails="ever"
# Adding up the hours counts a future in which two hours run out twice.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return more.mean(0), more.sum(1).mean()


# %% capped-sum wrong="running-out" fails="ever"
# The sum is only a bound, capped or not: multiply the probabilities of not running out.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return more.mean(0), more.sum(1).clamp(max=1).mean()


# %% averaged-first wrong="running-out" fails="ever"
# Hours are independent within a future only: take the product there, and average last.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates).mean(0)
    return more, -torch.expm1(torch.log1p(-more).sum())


# %% mean-rate wrong="running-out" fails="each,ever,tiny"
# The mean rate is no future: the tail of a mean is not the mean of the tails.
def running_out(rates, stock):
    mean = rates.mean(0)
    more = torch.special.gammainc(torch.full_like(mean, stock + 1.0), mean)
    return more, -torch.expm1(torch.log1p(-more).sum())


# %% total-demand wrong="running-out" fails="ever,tiny"
# That is the demand of all hours together against one stock; each hour has the whole stock.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    total = rates.sum(1)
    ever = torch.special.gammainc(torch.full_like(total, stock + 1.0), total)
    return more.mean(0), ever.mean()


# %% worst-hour wrong="running-out" fails="ever,tiny"
# The worst hour alone is a lower bound: the other hours can run out, too.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return more.mean(0), more.max(1).values.mean()


# %% all-hours wrong="running-out" fails="ever,tiny"
# That is the probability that every hour runs out; the question is about at least one.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return more.mean(0), more.log().sum(1).exp().mean()


# %% normal-tail wrong="running-out" fails="each,ever,tiny"
# A Normal with the Poisson's mean and variance has another tail, far out a very different one.
def running_out(rates, stock):
    more = torch.special.ndtr((rates - stock - 0.5) / rates.sqrt())
    return more.mean(0), -torch.expm1(torch.log1p(-more).sum(1)).mean()


# %% in-float32 wrong="running-out" fails="each,ever,tiny"
# float32 ends near 1e-38 and rounds to 1e-7; a small tail needs float64 throughout.
def running_out(rates, stock):
    rates = rates.float()
    counts = torch.arange(stock + 1, stock + 400)[:, None, None]
    more = (counts * rates.log() - rates - torch.lgamma(counts + 1.0)).exp().sum(0)
    ever = 1 - (1 - more).prod(1)
    return more.double().mean(0), ever.double().mean()


# %% rare-hours-added wrong="running-out" fails="ever"
# Rare hours cannot be added up either: over many of them that is a percent too much.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    ever = -torch.expm1(torch.log1p(-more).sum(1))
    rare = more.max(1).values < 2e-4
    return more.mean(0), torch.where(rare, more.sum(1), ever).mean()


# %% sum-of-small-probabilities wrong="running-out" fails="ever"
# For small probabilities their sum is near that of any hour, but not to a relative 1e-5.
def running_out(rates, stock):
    tail = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    total = tail.sum(1)
    ever = torch.where(total < 1e-3, total, 1 - (1 - tail).prod(1))
    return tail.mean(0), ever.mean()


# %% solution.squeeze equivalent="running-out"
# `return (more.mean(0), (-torch.expm1(never).mean()).squeeze())`
# A number has no axis to lose.
