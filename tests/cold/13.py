# %% one-index-table right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)
    ahead = torch.arange(horizon)
    forecast = y[origins[:, None] - season + ahead % season]
    target = y[origins[:, None] + ahead]
    return forecast, target


# %% value-by-value right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    def check(t, h):
        index = t + h
        while index >= t:
            index -= season
        return values[index]

    values = y.tolist()
    rows, t = [], first
    while t + horizon <= len(values):
        rows.append((t, [check(t, h) for h in range(horizon)]))
        t += every
    k = torch.zeros(len(rows), horizon, dtype=torch.float64)
    target = torch.zeros(len(rows), horizon, dtype=torch.float64)
    for i, (t, guess) in enumerate(rows):
        k[i] = torch.tensor(guess, dtype=torch.float64)
        target[i] = y[t : t + horizon]
    return k, target


# %% count-cut-towards-zero wrong="rolling-naive"
# int() cuts -1/3 to 0, so one origin is counted where none fits (IndexError):
# y of 5 values, first 4, every 3, horizon 2, season 2.
def rolling_naive(y, first, every, horizon, season):
    count = max(0, int((len(y) - horizon - first) / every) + 1)
    origins = first + every * torch.arange(count)
    ahead = torch.arange(horizon)
    return y[origins[:, None] - season + ahead % season], y[origins[:, None] + ahead]


# %% rounded-up-count wrong="rolling-naive"
# One row too many, its targets the last value again, where every does not divide what is left:
# y of 12 values, first 4, every 3, horizon 3, season 3 (3 rows instead of 2).
def rolling_naive(y, first, every, horizon, season):
    count = max(0, -((first + horizon - len(y)) // every) + 1)
    origins = first + every * torch.arange(count)
    ahead = torch.arange(horizon)
    target = (origins[:, None] + ahead).clamp(max=len(y) - 1)
    return y[origins[:, None] - season + ahead % season], y[target]


# %% three-seasons-repeated wrong="rolling-naive"
# The last season is repeated three times and no more: y of 12 values, first 4, every 1, horizon 7,
# season 2 gives 6 columns of forecasts.
def rolling_naive(y, first, every, horizon, season):
    origins = range(first, len(y) - horizon + 1, every)
    forecast = [y[t - season : t].repeat(3)[:horizon] for t in origins]
    target = [y[t : t + horizon] for t in origins]
    if not forecast:
        return y.new_zeros(0, horizon), y.new_zeros(0, horizon)
    return torch.stack(forecast), torch.stack(target)


# %% one-origin-collapses wrong="rolling-naive"
# A single origin gives shape (horizon,): y of 12 values, first 10, every 3, horizon 2, season 3.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every).unsqueeze(1)
    ahead = torch.arange(horizon)
    forecast = y[origins - season + ahead % season]
    return forecast.squeeze(0), y[origins + ahead].squeeze(0)


# %% shocks-times-loadings right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    last, level, phi, sigma = float(last), float(level), float(phi), float(sigma)
    shock = torch.arange(1, int(steps.max()) + 1)
    age = steps[:, None] - shock[None, :]
    base = torch.tensor(phi, dtype=torch.float64)
    loading = torch.where(age >= 0, base ** age.clamp(min=0), 0.0)
    mean = level + (last - level) * base**steps
    return mean, sigma**2 * loading @ loading.T


# %% plain-recursion right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    def gradient(i, j):
        near, far = min(i, j), max(i, j)
        return variance[near] * float(phi) ** (far - near)

    k = steps.tolist()
    value, variance = [float(last)], [0.0]
    for _ in range(max(k)):
        value.append(level + phi * (value[-1] - level))
        variance.append(phi * phi * variance[-1] + sigma * sigma)
    mean = torch.tensor([value[i] for i in k], dtype=torch.float64)
    table = [[gradient(i, j) for j in k] for i in k]
    return mean, torch.tensor(table, dtype=torch.float64)


# %% nearly-a-walk wrong="ar-joint"
# From 0.99999 on phi counts as 1: phi 0.999991, steps [1000] gives a variance 0.9% too large.
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    power = torch.tensor(float(phi), dtype=torch.float64)
    near = torch.minimum(s[:, None], s[None, :])
    if abs(phi) >= 0.99999:
        total = near
    else:
        total = (1 - power ** (2 * near)) / (1 - power**2)
    gap = (s[:, None] - s[None, :]).abs()
    return level + (last - level) * power**s, sigma**2 * total * power**gap


# %% no-end-at-minus-one wrong="ar-joint"
# 0 / 0 at the other end: phi -1.0, steps [1, 2] gives NaN.
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    power = torch.tensor(float(phi), dtype=torch.float64)
    near = torch.minimum(s[:, None], s[None, :])
    gap = (s[:, None] - s[None, :]).abs()
    if phi == 1:
        total = near
    else:
        log = torch.log(power.abs())
        total = torch.expm1(2 * near * log) / torch.expm1(2 * log)
    return level + (last - level) * power**s, sigma**2 * total * power**gap


# %% repeated-steps-unrelated wrong="ar-joint"
# Two equal steps get covariance 0 off the diagonal: phi 0.5, steps [3, 3].
def ar_joint(last, level, phi, sigma, steps):
    k = steps.tolist()
    mean = level + (last - level) * torch.tensor([float(phi) ** s for s in k], dtype=torch.float64)
    cov = torch.zeros(len(k), len(k), dtype=torch.float64)
    for i, s in enumerate(k):
        cov[i, i] = sigma**2 * sum(float(phi) ** (2 * m) for m in range(s))
    for i, s in enumerate(k):
        for j, r in enumerate(k):
            if s < r:
                cov[i, j] = cov[j, i] = cov[i, i] * float(phi) ** (r - s)
    return mean, cov


# %% one-minus-nearly-one right="ar-joint"
# Right by the text as it is now: phi is an end, or 1e-9 away from both.
# 1 - phi**2 has few digits left near 1: phi 0.99999999999999, steps [1000] (REL off).
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    power = torch.tensor(float(phi), dtype=torch.float64)
    near = torch.minimum(s[:, None], s[None, :])
    gap = (s[:, None] - s[None, :]).abs()
    if abs(phi) == 1:
        total = near
    else:
        total = (1 - power ** (2 * near)) / (1 - power**2)
    return level + (last - level) * power**s, sigma**2 * total * power**gap


# %% window-by-window right="sampled-paths"
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    k = []
    for hour, level in zip(known, u.T):
        y = quantile(window, hour, level)
        k.append(y[:, None])
        window = torch.cat((window, k[-1]), dim=1)[:, 1:]
    return torch.cat(k, dim=1) if k else torch.zeros_like(u)


# %% one-long-table right="sampled-paths"
def sample_paths(quantile, history, known, u):
    n, steps = u.shape
    p = len(history)
    table = torch.empty(n, p + steps, dtype=torch.float64)
    table[:, :p] = history
    for h in range(steps):
        table[:, p + h] = quantile(table[:, h : h + p], known[h], u[:, h])
    return table[:, p:].clone()


# %% no-steps-no-stack wrong="sampled-paths"
# Nothing to stack where no steps are to come (RuntimeError): known of shape (0,), u of (2, 0).
def sample_paths(quantile, history, known, u):
    window = history.expand(len(u), -1)
    paths = []
    for h in range(len(known)):
        paths.append(quantile(window, known[h], u[:, h]))
        window = torch.cat((window[:, 1:], paths[-1].unsqueeze(1)), 1)
    return torch.stack(paths, 1)


# %% memory-of-one-grows wrong="sampled-paths"
# The last p - 1 columns are all of them where p is 1, and the window grows: history [3.0], three
# steps, a quantile that reads window[:, 0].
def sample_paths(quantile, history, known, u):
    keep = 1 - len(history)
    window = history.expand(len(u), -1)
    paths = torch.zeros_like(u)
    for h in range(u.shape[1]):
        drawn = quantile(window, known[h], u[:, h])
        paths[:, h] = drawn
        window = torch.cat([window[:, keep:], drawn.unsqueeze(1)], dim=1)
    return paths


# %% window-moved-in-place wrong="sampled-paths"
# A result that is a view of the window changes while the window moves:
# quantile = lambda window, known, u: window[:, 0], history [1.0, 2.0, 3.0], four steps.
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    paths = torch.zeros_like(u)
    for h in range(u.shape[1]):
        drawn = quantile(window, known[h], u[:, h])
        window[:, :-1] = window[:, 1:].clone()
        window[:, -1] = drawn
        paths[:, h] = drawn
    return paths


# %% draws-kept-off-the-ends wrong="sampled-paths"
# Draws end at 1e-6: u [[1e-9]] with a logistic quantile, logit(u), gives -13.8 instead of -20.7.
def sample_paths(quantile, history, known, u):
    safe = u.clamp(1e-6, 1 - 1e-6)
    window = history.expand(len(u), -1)
    paths = torch.zeros_like(u)
    for h in range(u.shape[1]):
        paths[:, h] = quantile(window, known[h], safe[:, h])
        window = torch.cat([window[:, 1:], paths[:, h : h + 1]], dim=1)
    return paths


# %% observed-rows-only right="quantile-report"
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    over = y[seen].unsqueeze(1) - q[seen]
    loss = torch.maximum(levels * over, (levels - 1) * over).sum(1).mean()
    ranked = q.detach()[:, levels.argsort()]
    crossed = (ranked[:, 1:] < ranked[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% level-by-level right="quantile-report"
def quantile_report(y, q, levels):
    def k(i, j):
        return (levels[i] < levels[j]) & (q[:, i] > q[:, j])

    came = y.isfinite()
    filled = torch.where(came, y, torch.zeros_like(y))
    loss = torch.zeros((), dtype=torch.float64)
    mixed = torch.zeros(len(y), dtype=torch.bool)
    for i, tau in enumerate(levels):
        gap = filled - q[:, i]
        each = torch.where(gap >= 0, tau * gap, (tau - 1) * gap)
        loss = loss + (each * came).sum()
        for j in range(len(levels)):
            mixed = mixed | k(i, j)
    return loss / came.sum(), mixed.sum() / torch.tensor(float(len(y)), dtype=torch.float64)


# %% crossed-where-observed wrong="quantile-report"
# Hours that were not observed are left out of the share as well: y [1.0, nan],
# q [[0.0, 1.0], [1.0, 0.0]], levels [0.1, 0.9] gives 0 instead of 0.5.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    y, q = y[seen, None], q[seen]
    loss = torch.where(y >= q, levels * (y - q), (1 - levels) * (q - y)).sum(1).mean()
    q = q[:, levels.argsort()]
    return loss, (q.diff(dim=1) < 0).any(1).double().mean()


# %% columns-as-they-come wrong="quantile-report"
# Neighbouring columns are compared in the given order: q [[2.0, 1.0]], levels [0.9, 0.1] gives 1
# instead of 0.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    over = y[seen, None] - q[seen]
    loss = torch.where(over >= 0, levels * over, (levels - 1) * over).sum(1).mean()
    return loss, (q[:, 1:] < q[:, :-1]).any(1).double().mean()


# %% equal-counts-as-crossed wrong="quantile-report"
# Equal quantiles cross here: y [1.0], q [[2.0, 2.0]], levels [0.1, 0.9] gives 1 instead of 0.
def quantile_report(y, q, levels):
    over = torch.where(torch.isnan(y), 0.0, 1.0)
    gap = torch.nan_to_num(y)[:, None] - q
    each = torch.maximum(levels * gap, (levels - 1) * gap).sum(1)
    ranked = q[:, levels.argsort()]
    crossed = torch.zeros(len(y), dtype=torch.bool)
    for j in range(1, len(levels)):
        crossed |= ranked[:, j - 1] >= ranked[:, j]
    return (over * each).sum() / over.sum(), crossed.double().mean()


# %% one-level-squeezed wrong="quantile-report"
# A single level loses its dimension and every hour meets every forecast: y [1.0, 4.0],
# q [[1.5], [3.0]], levels [0.5] gives 1.5, not 0.375.
def quantile_report(y, q, levels):
    ranked = q[:, levels.argsort()]
    crossed = (ranked.diff(dim=1) < 0).any(1).double().mean()
    seen = ~torch.isnan(y)
    over = y[seen].unsqueeze(1) - q[seen].squeeze()
    return torch.maximum(levels * over, (levels - 1) * over).sum(1).mean(), crossed


# %% added-and-sorted right="total-quantiles"
def total_quantiles(paths, groups, levels):
    futures = len(paths)
    totals = paths.new_zeros(futures, int(groups.max()) + 1).index_add(1, groups, paths)
    rank = torch.ceil(levels * futures).long() - 1
    return totals.sort(dim=0).values[rank].T


# %% smallest-that-reaches right="total-quantiles"
def total_quantiles(paths, groups, levels):
    def y(g):
        return paths[:, groups == g].sum(dim=1)

    rows = []
    for g in range(max(groups.tolist()) + 1):
        k = y(g)
        row = []
        for tau in levels.tolist():
            need = math.ceil(tau * len(k))
            row.append(torch.kthvalue(k, need).values)
        rows.append(torch.stack(row))
    return torch.stack(rows)


# %% groups-that-occur wrong="total-quantiles"
# A group without hours gets no row: groups [0, 2] gives 2 rows instead of 3.
def total_quantiles(paths, groups, levels):
    names, place = groups.unique(return_inverse=True)
    totals = paths.new_zeros(len(paths), len(names)).index_add_(1, place, paths)
    rank = torch.ceil(levels * len(paths)).long() - 1
    return totals.sort(0).values[rank].T


# %% nearest-position wrong="total-quantiles"
# Positions run over S - 1 gaps, rounded to the nearest: paths 0, 1, ..., 9 of one hour,
# levels [0.91] gives 8 instead of 9.
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1).index_add(1, groups, paths)
    return torch.quantile(totals, levels, dim=0, interpolation="nearest").T


# %% one-level-one-dimension wrong="total-quantiles"
# One level gives shape (G,) instead of (G, 1): levels [0.3].
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1).index_add(1, groups, paths)
    ordered = totals.T.sort(dim=1).values
    rank = (levels * len(paths)).ceil().long() - 1
    return ordered[:, rank].squeeze(-1)


# %% differences-of-a-running-sum right="total-quantiles"
# Right by the text as it is now: paths are at most a thousand in size.
# A large group swallows the digits of the next: paths [[1e17, 1.0]], groups [0, 1] gives 0
# instead of 1 for group 1.
def total_quantiles(paths, groups, levels):
    order = groups.argsort(stable=True)
    running = torch.cat([paths.new_zeros(len(paths), 1), paths[:, order].cumsum(1)], dim=1)
    ends = torch.bincount(groups).cumsum(0)
    totals = running[:, ends].diff(dim=1, prepend=running[:, :1])
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% sorted-scores right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    exact = (len(y) + 1) * (1 - miss)
    k = round(exact) if abs(exact - round(exact)) < 1e-9 else math.ceil(exact)
    if k > len(y):
        endless = torch.full_like(new_low, math.inf)
        return -endless, endless
    score = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - score, new_high + score


# %% counted-in-fractions right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    from fractions import Fraction

    n = y.numel()
    k = math.ceil((n + 1) * (1 - Fraction(miss)) - Fraction(1, 10**9))
    check = sorted(max(a - v, v - b) for v, a, b in zip(y.tolist(), low.tolist(), high.tolist()))
    move = (check + [math.inf])[min(k, n + 1) - 1]
    return new_low.sub(move), new_high.add(move)


# %% rounding-decides-the-rank wrong="conformal-interval"
# 10 * (1 - 0.7) is a little more than 3: nine scores 1, ..., 9 and miss 0.7 give rank 4.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    score = torch.maximum(low - y, y - high)
    move = torch.kthvalue(score, k).values
    return new_low - move, new_high + move


# %% outward-only wrong="conformal-interval"
# A negative number counts as 0: y [0.0, 0.0], low [-1, -1], high [1, 1], miss 0.5 must move
# both ends inward by 1.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    outside = torch.maximum(low - y, y - high).clamp(min=0).sort().values
    move = outside[k - 1] if k <= n else math.inf
    return new_low - move, new_high + move


# %% ends-put-in-order wrong="conformal-interval"
# Ends that pass each other are swapped: y [0.0, 0.0], low [-1, -1], high [1, 1], new_low [0.0],
# new_high [0.5], miss 0.5.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    score = torch.maximum(low - y, y - high).sort().values
    move = score[k - 1] if k <= n else math.inf
    one, other = new_low - move, new_high + move
    return torch.minimum(one, other), torch.maximum(one, other)


# %% no-example-no-answer wrong="conformal-interval"
# Without examples the largest score is asked for and missing (IndexError): y, low and high of
# shape (0,), miss 0.1.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil(round((n + 1) * (1 - miss), 8))
    score = torch.maximum(low - y, y - high).sort().values
    move = score[min(k, n) - 1]
    if k > n:
        move = torch.full_like(move, math.inf)
    return new_low - move, new_high + move


# %% logs-of-survival right="running-out"
def running_out(rates, stock):
    beyond = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    ever = -torch.expm1(torch.log1p(-beyond).sum(dim=1))
    return beyond.mean(dim=0), ever.mean()


# %% hour-by-hour right="running-out"
def running_out(rates, stock):
    from scipy.special import pdtrc

    def k(h):
        return torch.from_numpy(pdtrc(float(stock), rates[:, h].numpy()))

    each = torch.empty(rates.shape[1], dtype=torch.float64)
    y = torch.zeros(len(rates), dtype=torch.float64)
    for h in range(rates.shape[1]):
        p = k(h)
        each[h] = p.mean()
        y = y + (1 - y) * p
    return each, y.mean()


# %% one-minus-the-product wrong="running-out"
# Nothing is left of a small probability: rates [[1.0, 2.0]], stock 30 gives ever 0 instead of
# 3.7e-26.
def running_out(rates, stock):
    a = torch.tensor(float(stock + 1), dtype=torch.float64)
    beyond = torch.special.gammainc(a, rates)
    return beyond.mean(0), (1 - (1 - beyond).prod(dim=1)).mean()


# %% fifty-terms wrong="running-out"
# The tail ends after fifty terms: rates [[200.0]], stock 100 gives 0.0002 instead of 1.
def running_out(rates, stock):
    beyond = torch.zeros_like(rates)
    for count in range(stock + 1, stock + 51):
        beyond = beyond + torch.exp(count * rates.log() - rates - math.lgamma(count + 1))
    ever = -torch.expm1(torch.log1p(-beyond.clamp(max=1)).sum(1))
    return beyond.mean(0), ever.mean()


# %% small-ones-added wrong="running-out"
# Probabilities below a thousandth are added up: 24 hours of rate 1.05, stock 5 (0.0008 or so
# each) give an ever that is 1% too large.
def running_out(rates, stock):
    a = torch.tensor(float(stock + 1), dtype=torch.float64)
    beyond = torch.special.gammainc(a, rates)
    if beyond.max() < 1e-3:
        return beyond.mean(0), beyond.sum(1).mean()
    return beyond.mean(0), -torch.expm1(torch.log1p(-beyond).sum(1)).mean()


# %% one-hour-collapses wrong="running-out"
# A single hour gives a 0-d tensor instead of shape (1,): rates [[3.0], [6.0]], stock 4.
def running_out(rates, stock):
    a = torch.tensor(float(stock + 1), dtype=torch.float64)
    beyond = torch.special.gammainc(a, rates)
    ever = -torch.expm1(torch.log1p(-beyond).sum(1)).mean()
    return beyond.mean(0).squeeze(), ever
