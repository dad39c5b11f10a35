# %% [markdown]
# Answers written from the text alone.


# %% naive-index-table right="rolling-naive"
# A table of indices for targets, and one that goes back by whole seasons to before the origin.
def rolling_naive(y, first, every, horizon, season):
    origins = max(0, (len(y) - horizon - first) // every + 1)
    start = first + every * torch.arange(origins)[:, None]
    ahead = torch.arange(horizon)
    return y[start - season + ahead % season], y[start + ahead]


# %% naive-tiled-season right="rolling-naive"
# A loop over origins that tiles the last season before each.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        tiles = -(-horizon // season)
        forecast.append(y[t - season : t].repeat(tiles)[:horizon])
        target.append(y[t : t + horizon])
    if not target:
        return y.new_empty((0, horizon)), y.new_empty((0, horizon))
    return torch.stack(forecast), torch.stack(target)


# %% naive-arange-of-origins wrong="rolling-naive"
# torch.arange raises an error where its start lies above its end, as for first + horizon > n + 1.
def rolling_naive(y, first, every, horizon, season):
    start = torch.arange(first, len(y) - horizon + 1, every)[:, None]
    ahead = torch.arange(horizon)
    return y[start - season + ahead % season], y[start + ahead]


# %% naive-truncated-count wrong="rolling-naive"
# int() truncates toward 0, which counts an origin too many for n < first + horizon < n + every.
def rolling_naive(y, first, every, horizon, season):
    origins = max(0, int((len(y) - horizon - first) / every) + 1)
    start = first + every * torch.arange(origins)[:, None]
    ahead = torch.arange(horizon)
    return y[start - season + ahead % season], y[start + ahead]


# %% naive-three-seasons wrong="rolling-naive"
# Goes back by three seasons at most: a horizon beyond three seasons reads unknown values.
def rolling_naive(y, first, every, horizon, season):
    origins = max(0, (len(y) - horizon - first) // every + 1)
    start = first + every * torch.arange(origins)[:, None]
    ahead = torch.arange(horizon)
    back = season * (1 + (ahead >= season).long() + (ahead >= 2 * season).long())
    return y[start + ahead - back], y[start + ahead]


# %% naive-squeezed wrong="rolling-naive"
# squeeze loses an axis where there is one origin only, or where the horizon is 1.
def rolling_naive(y, first, every, horizon, season):
    origins = max(0, (len(y) - horizon - first) // every + 1)
    start = (first + every * torch.arange(origins)).reshape(-1, 1, 1)
    ahead = torch.arange(horizon)
    return y[start - season + ahead % season].squeeze(), y[start + ahead].squeeze()


# %% naive-empty-without-columns wrong="rolling-naive"
# Without any origin the results have shape (0,) and not (0, horizon).
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        forecast.append([float(y[t - season + h % season]) for h in range(horizon)])
        target.append([float(y[t + h]) for h in range(horizon)])
    return torch.tensor(forecast, dtype=y.dtype), torch.tensor(target, dtype=y.dtype)


# %% joint-closed-form right="ar-joint"
# Geometric sums in closed form by expm1, with 0 and the ends apart.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + (last - level) * base**k
    shared = torch.minimum(k[:, None], k[None, :])
    apart = (k[:, None] - k[None, :]).abs()
    if abs(phi) == 1:
        total = shared
    elif phi == 0:
        total = torch.ones_like(shared)
    else:
        rate = 2 * math.log(abs(phi))
        total = torch.expm1(rate * shared) / math.expm1(rate)
    return mean, sigma**2 * base**apart * total


# %% joint-weights-of-shocks right="ar-joint"
# Each value is a weighted sum of shocks, and the covariance is weights times their transpose.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    age = steps[:, None] - torch.arange(1, int(steps.max()) + 1)
    weights = torch.where(age >= 0, base ** age.clamp(min=0).double(), 0.0)
    mean = level + base ** steps.double() * (last - level)
    return mean, sigma**2 * (weights @ weights.T)


# %% joint-wide-ends wrong="ar-joint"
# Takes phi within 1e-6 of an end for the end: off by 1e-3 for phi = 1 - 9e-7 and 1000 steps.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + (last - level) * base**k
    shared = torch.minimum(k[:, None], k[None, :])
    apart = (k[:, None] - k[None, :]).abs()
    if abs(abs(phi) - 1) < 1e-6:
        total = shared
    else:
        total = (1 - base ** (2 * shared)) / (1 - base**2)
    return mean, sigma**2 * base**apart * total


# %% joint-no-sign-at-minus-one wrong="ar-joint"
# The random walk's covariance at both ends: for phi = -1, an odd distance needs a minus sign.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + (last - level) * base**k
    shared = torch.minimum(k[:, None], k[None, :])
    apart = (k[:, None] - k[None, :]).abs()
    if abs(phi) == 1:
        return mean, sigma**2 * shared
    total = (1 - base ** (2 * shared)) / (1 - base**2)
    return mean, sigma**2 * base**apart * total


# %% joint-eye-at-zero wrong="ar-joint"
# For phi = 0 the covariance is made an identity: wrong where a step is repeated.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + (last - level) * base**k
    if phi == 0:
        return mean, sigma**2 * torch.eye(len(steps), dtype=torch.float64)
    shared = torch.minimum(k[:, None], k[None, :])
    apart = (k[:, None] - k[None, :]).abs()
    if abs(phi) == 1:
        total = shared
    else:
        rate = 2 * math.log(abs(phi))
        total = torch.expm1(rate * shared) / math.expm1(rate)
    return mean, sigma**2 * base**apart * total


# %% joint-whole-numbers-stay wrong="ar-joint"
# By numpy, whole Python numbers give int64 results: wrong dtype for ar_joint(4, 1, 1, 2, steps).
def ar_joint(last, level, phi, sigma, steps):
    import numpy as np

    k = steps.numpy()
    age = k[:, None] - np.arange(1, k.max() + 1)
    weights = np.where(age >= 0, np.power(phi, np.maximum(age, 0)), 0)
    mean = level + (last - level) * np.power(phi, k)
    return torch.from_numpy(mean), torch.from_numpy(sigma**2 * (weights @ weights.T))


# %% joint-two-hundred-terms wrong="ar-joint"
# The sum of squared powers ends after 200 terms: wrong for more steps with phi near an end.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    k = steps.double()
    mean = level + (last - level) * base**k
    sums = torch.cumsum(base ** (2 * torch.arange(200, dtype=torch.float64)), dim=0)
    shared = torch.minimum(steps[:, None], steps[None, :])
    apart = (k[:, None] - k[None, :]).abs()
    return mean, sigma**2 * base**apart * sums[(shared - 1).clamp(max=199)]


# %% paths-new-window right="sampled-paths"
# A new window for each step, by joining the old one's end and the new values.
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    columns = []
    for h in range(len(known)):
        value = quantile(window, known[h], u[:, h])
        columns.append(value)
        window = torch.cat((window[:, 1:], value[:, None]), dim=1)
    return torch.stack(columns, dim=1) if columns else u.new_empty((len(u), 0))


# %% paths-one-buffer right="sampled-paths"
# One table holds history and future, and each window is a copy of a part of it.
def sample_paths(quantile, history, known, u):
    n, steps = u.shape
    p = len(history)
    table = torch.zeros((n, p + steps), dtype=history.dtype)
    table[:, :p] = history
    for h in range(steps):
        table[:, p + h] = quantile(table[:, h : h + p].clone(), known[h], u[:, h])
    return table[:, p:].clone()


# %% paths-shifted-in-place wrong="sampled-paths"
# Shifts the window in place: wrong where quantile returns a view of it, as window[:, 0] of a
# seasonal naive model (or keeps the windows that it got).
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    columns = []
    for h in range(len(known)):
        value = quantile(window, known[h], u[:, h])
        columns.append(value)
        window[:, :-1] = window[:, 1:].clone()
        window[:, -1] = value
    return torch.stack(columns, dim=1) if columns else u.new_empty((len(u), 0))


# %% paths-memory-of-one wrong="sampled-paths"
# The last p - 1 columns are cut as -(p - 1): for p = 1 that is all, and the window grows.
def sample_paths(quantile, history, known, u):
    p = len(history)
    window = history.repeat(len(u), 1)
    columns = []
    for h in range(len(known)):
        value = quantile(window, known[h], u[:, h])
        columns.append(value)
        window = torch.cat((window[:, -(p - 1) :], value[:, None]), dim=1)
    return torch.stack(columns, dim=1) if columns else u.new_empty((len(u), 0))


# %% paths-clamped-draws wrong="sampled-paths"
# Keeps u a millionth away from 0 and 1: wrong for draws of 1e-9.
def sample_paths(quantile, history, known, u):
    u = u.clamp(1e-6, 1 - 1e-6)
    window = history.repeat(len(u), 1)
    columns = []
    for h in range(len(known)):
        value = quantile(window, known[h], u[:, h])
        columns.append(value)
        window = torch.cat((window[:, 1:], value[:, None]), dim=1)
    return torch.stack(columns, dim=1) if columns else u.new_empty((len(u), 0))


# %% paths-single-path-shares wrong="sampled-paths"
# For n = 1 the expanded history is contiguous already, so no copy is made, and it is changed.
def sample_paths(quantile, history, known, u):
    window = history.expand(len(u), -1).contiguous()
    paths = torch.zeros_like(u)
    for h in range(len(known)):
        paths[:, h] = quantile(window.clone(), known[h], u[:, h])
        window[:, :-1] = window[:, 1:].clone()
        window[:, -1] = paths[:, h]
    return paths


# %% paths-no-steps wrong="sampled-paths"
# torch.stack of an empty list raises an error for H = 0.
def sample_paths(quantile, history, known, u):
    window = history.repeat(len(u), 1)
    columns = []
    for hour, draws in zip(known, u.T, strict=True):
        columns.append(quantile(window, hour, draws))
        window = torch.cat((window[:, 1:], columns[-1][:, None]), dim=1)
    return torch.stack(columns, dim=1)


# %% report-observed-rows right="quantile-report"
# The loss of the observed rows only, and neighbours in the order of the levels.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()[:, levels.argsort()]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% report-maximum-and-pairs right="quantile-report"
# Missing values are replaced and get weight 0; crossing is looked for in all pairs of levels.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = torch.where(seen, y, torch.zeros_like(y))[:, None] - q
    rows = torch.maximum(levels * gap, (levels - 1) * gap).sum(1)
    loss = (rows * seen).sum() / seen.sum()
    below = q.detach()[:, :, None] < q.detach()[:, None, :]
    above = levels[:, None] > levels[None, :]
    return loss, (below & above).flatten(1).any(dim=1).double().mean()


# %% report-crossed-observed-only wrong="quantile-report"
# The share of crossings among the observed hours: wrong where some y is NaN.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    y, q = y[seen], q[seen]
    gap = y[:, None] - q
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()[:, levels.argsort()]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% report-levels-as-given wrong="quantile-report"
# Takes the levels for sorted: crossed is wrong for levels such as 0.5, 0.1, 0.8.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% report-ties-cross wrong="quantile-report"
# Equal quantiles count as crossed, although none lies strictly below another.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()[:, levels.argsort()]
    crossed = (ordered[:, 1:] <= ordered[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% report-one-level wrong="quantile-report"
# The smallest difference of neighbours does not exist for K = 1: an error.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()[:, levels.argsort()]
    crossed = ((ordered[:, 1:] - ordered[:, :-1]).min(dim=1).values < 0).double().mean()
    return loss, crossed


# %% report-fills-the-gaps wrong="quantile-report"
# Replaces NaN by 0 in the caller's y: the results are right, but the input is changed.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    y[~seen] = 0.0
    gap = y[:, None] - q
    rows = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1)
    loss = (rows * seen).sum() / seen.sum()
    ordered = q.detach()[:, levels.argsort()]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(dim=1).double().mean()
    return loss, crossed


# %% totals-sorted right="total-quantiles"
# Totals by index_add, sorted, and read at the rank of each level.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros((len(paths), count)).index_add(1, groups, paths)
    rank = torch.ceil(levels * len(paths)).long()
    return totals.sort(dim=0).values[rank - 1].T


# %% totals-by-definition right="total-quantiles"
# The definition as it stands: count for each total how many are less or equal, take the smallest.
def total_quantiles(paths, groups, levels):
    rows = []
    for group in range(int(groups.max()) + 1):
        total = paths[:, groups == group].sum(dim=1)
        count = (total[None, :] <= total[:, None]).sum(dim=1)
        enough = count[:, None] >= levels * len(total)
        rows.append(torch.where(enough, total[:, None], math.inf).amin(dim=0))
    return torch.stack(rows)


# %% totals-nearest-rank wrong="total-quantiles"
# torch.quantile counts ranks from 0 to S - 1: a rank too low for S = 9 and a level of 0.9.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros((len(paths), count)).index_add(1, groups, paths)
    return torch.quantile(totals, levels, dim=0, interpolation="nearest").T


# %% totals-groups-that-occur wrong="total-quantiles"
# Has a row for each number that occurs: too few where a group has no hours, such as (0, 2, 2).
def total_quantiles(paths, groups, levels):
    numbers, place = torch.unique(groups, return_inverse=True)
    totals = paths.new_zeros((len(paths), len(numbers))).index_add(1, place, paths)
    rank = torch.ceil(levels * len(paths)).long()
    return totals.sort(dim=0).values[rank - 1].T


# %% totals-sorted-levels wrong="total-quantiles"
# Returns the columns by rising level: wrong for levels that are not sorted.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros((len(paths), count)).index_add(1, groups, paths)
    rank = torch.ceil(levels.sort().values * len(paths)).long()
    return totals.sort(dim=0).values[rank - 1].T


# %% totals-wide-guard wrong="total-quantiles"
# A guard of 1e-4 against rounding is too wide: a rank too low for S = 10 and level 0.300005.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros((len(paths), count)).index_add(1, groups, paths)
    rank = torch.ceil(levels * len(paths) - 1e-4).long()
    return totals.sort(dim=0).values[rank - 1].T


# %% totals-one-future wrong="total-quantiles"
# squeeze is meant for a single group, but for S = 1 it turns the groups into futures.
def total_quantiles(paths, groups, levels):
    member = groups[:, None] == torch.arange(int(groups.max()) + 1)
    totals = (paths @ member.to(paths.dtype)).squeeze()
    if totals.ndim < 2:
        totals = totals.reshape(-1, 1)
    rank = torch.ceil(levels * len(totals)).long()
    return totals.sort(dim=0).values[rank - 1].T


# %% conformal-sorted right="conformal-interval"
# Sorts the scores, and takes a little off before it rounds up.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% conformal-kthvalue right="conformal-interval"
# Rounds to the nearest whole number, goes one up if that is clearly too small, and uses kthvalue.
def conformal_interval(y, low, high, new_low, new_high, miss):
    exact = (len(y) + 1) * (1 - miss)
    k = round(exact)
    if k < exact - 1e-8:
        k += 1
    margin = math.inf
    if k <= len(y):
        scores = torch.stack((low - y, y - high)).amax(dim=0)
        margin = float(torch.kthvalue(scores, k).values)
    return new_low - margin, new_high + margin


# %% conformal-bare-ceil wrong="conformal-interval"
# Rounds up what rounding made: 10 * (1 - 0.7) is just above 3, so k = 4 for n = 9, miss = 0.7.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% conformal-nearest-quantile wrong="conformal-interval"
# torch.quantile at k / n counts from 0 to n - 1: a rank too low for n = 9, miss = 0.18.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    exact = (n + 1) * (1 - miss)
    if exact > n + 1e-9:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    scores = torch.maximum(low - y, y - high)
    margin = torch.quantile(scores, min(exact / n, 1.0), interpolation="nearest")
    return new_low - margin, new_high + margin


# %% conformal-no-examples wrong="conformal-interval"
# Reads a score before it looks whether there are enough: an error for n = 0.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    scores = torch.maximum(low - y, y - high)
    margin = torch.kthvalue(scores, min(k, n)).values
    if k > n:
        margin = math.inf
    return new_low - margin, new_high + margin


# %% conformal-meets-in-the-middle wrong="conformal-interval"
# Ends that passed each other are set to their middle: wrong for short intervals moved inward.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    lower, upper = new_low - margin, new_high + margin
    middle = 0.5 * (lower + upper)
    return torch.minimum(lower, middle), torch.maximum(upper, middle)


# %% conformal-infinite-vector wrong="conformal-interval"
# Infinite ends are always a vector: wrong shape for new_low of shape (2, 3), an error for ().
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        ends = torch.full((len(new_low),), math.inf, dtype=torch.float64)
        return -ends, ends
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% out-log1p right="running-out"
# gammainc for each hour, and one minus a product by log1p and expm1 for each future.
def running_out(rates, stock):
    over = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    ever = -torch.expm1(torch.log1p(-over).sum(dim=1))
    return over.mean(dim=0), ever.mean()


# %% out-hour-by-hour right="running-out"
# Sums the tail's terms in logs, and adds hour by hour what happens for the first time.
def running_out(rates, stock):
    counts = torch.arange(stock + 1, stock + 601, dtype=torch.float64)
    each, ever = [], torch.zeros(len(rates), dtype=torch.float64)
    for rate in rates.unbind(dim=1):
        terms = counts * rate[:, None].log() - rate[:, None] - torch.lgamma(counts + 1)
        over = torch.logsumexp(terms, dim=1).exp().clamp(max=1.0)
        each.append(over.mean())
        ever = ever + (1 - ever) * over
    return torch.stack(each), ever.mean()


# %% out-one-minus wrong="running-out"
# One minus the probability of enough bikes: nothing is left of it below 1e-16, as for rate 0.001
# and a stock of 6.
def running_out(rates, stock):
    first = torch.tensor(stock + 1.0, dtype=torch.float64)
    over = 1 - torch.special.gammaincc(first, rates)
    ever = -torch.expm1(torch.log1p(-over).sum(dim=1))
    return over.mean(dim=0), ever.mean()


# %% out-log-of-one-minus wrong="running-out"
# expm1 but not log1p: 1 - p has lost a small p already, so ever is 0 where all p are 1e-20.
def running_out(rates, stock):
    over = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    ever = -torch.expm1(torch.log(1 - over).sum(dim=1))
    return over.mean(dim=0), ever.mean()


# %% out-sum-when-small wrong="running-out"
# Adds probabilities up where their sum is below 1e-3: off by up to 5e-4, as for ten of 9e-5.
def running_out(rates, stock):
    over = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    total = over.sum(dim=1)
    ever = torch.where(total < 1e-3, total, -torch.expm1(torch.log1p(-over).sum(dim=1)))
    return over.mean(dim=0), ever.mean()


# %% out-fifty-terms wrong="running-out"
# Sums fifty terms of the tail only: wrong for rates far above the stock, such as 200 and 0.
def running_out(rates, stock):
    counts = torch.arange(stock + 1, stock + 51, dtype=torch.float64)
    rate = rates[..., None]
    terms = counts * rate.log() - rate - torch.lgamma(counts + 1)
    over = torch.logsumexp(terms, dim=-1).exp().clamp(max=1.0)
    ever = -torch.expm1(torch.log1p(-over).sum(dim=1))
    return over.mean(dim=0), ever.mean()


# %% out-one-hour wrong="running-out"
# squeeze takes the only hour's axis away: each has shape () for H = 1.
def running_out(rates, stock):
    over = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    ever = -torch.expm1(torch.log1p(-over).sum(dim=1))
    return over.mean(dim=0, keepdim=True).squeeze(), ever.mean()
