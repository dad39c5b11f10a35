# %% [markdown]
# Answers written from the text alone.


# %% naive-index-table right="rolling-naive"
# Counts the origins by a formula and reads both tables with broadcast indices.
def rolling_naive(y, first, every, horizon, season):
    count = max(0, (len(y) - horizon - first) // every + 1)
    origin = first + every * torch.arange(count)[:, None]
    ahead = torch.arange(horizon)
    return y[origin - season + ahead % season], y[origin + ahead]


# %% naive-repeat-season right="rolling-naive"
# Walks over the origins and repeats the last known season until the horizon is filled.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        repeats = -(-horizon // season)
        forecast.append(y[t - season : t].repeat(repeats)[:horizon])
        target.append(y[t : t + horizon])
    if not target:
        return y.new_zeros((0, horizon)), y.new_zeros((0, horizon))
    return torch.stack(forecast), torch.stack(target)


# %% naive-arange-of-origins wrong="rolling-naive"
# torch.arange raises an error where its end lies below its start: wrong for a series that is
# shorter than first + horizon - 1, where no row is due.
def rolling_naive(y, first, every, horizon, season):
    origin = torch.arange(first, len(y) - horizon + 1, every)[:, None]
    ahead = torch.arange(horizon)
    return y[origin - season + ahead % season], y[origin + ahead]


# %% naive-squeezed wrong="rolling-naive"
# Works on a column and drops its axis by squeeze(): wrong shape for one origin or horizon 1.
def rolling_naive(y, first, every, horizon, season):
    column = y[:, None]
    count = max(0, (len(y) - horizon - first) // every + 1)
    origin = first + every * torch.arange(count)[:, None]
    ahead = torch.arange(horizon)
    return column[origin - season + ahead % season].squeeze(), column[origin + ahead].squeeze()


# %% naive-three-seasons wrong="rolling-naive"
# Repeats the last season three times, however long the horizon is: wrong (too short) for
# horizons longer than three seasons.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        forecast.append(y[t - season : t].repeat(3)[:horizon])
        target.append(y[t : t + horizon])
    if not target:
        return y.new_zeros((0, horizon)), y.new_zeros((0, horizon))
    return torch.stack(forecast), torch.stack(target)


# %% naive-skips-first-season wrong="rolling-naive"
# Asks for more than a season of history where exactly one is enough: the first row is missing
# where first equals season.
def rolling_naive(y, first, every, horizon, season):
    origins = [t for t in range(first, len(y) - horizon + 1, every) if t - season > 0]
    origin = torch.tensor(origins, dtype=torch.int64)[:, None]
    ahead = torch.arange(horizon)
    return y[origin - season + ahead % season], y[origin + ahead]


# %% ar-closed-form right="ar-joint"
# The closed form with expm1 and log1p, and the limits where phi is 0 or at an end.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.to(torch.float64)
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + base**k * (last - level)
    earlier = torch.minimum(k[:, None], k[None, :])
    gap = (k[:, None] - k[None, :]).abs()
    if abs(phi) == 1:
        total = earlier
    elif phi == 0:
        total = torch.ones_like(earlier)
    else:
        rate = 2 * math.log1p(abs(phi) - 1)
        total = torch.expm1(rate * earlier) / math.expm1(rate)
    return mean, float(sigma) ** 2 * base**gap * total


# %% ar-weights-of-shocks right="ar-joint"
# Every value is a sum of weighted shocks, so the covariance is the weights times their transpose.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    shock = torch.arange(1, int(steps.max()) + 1)
    age = steps[:, None] - shock[None, :]
    power = torch.pow(base, age.clamp(min=0).to(torch.float64))
    weights = float(sigma) * torch.where(age >= 0, power, torch.zeros_like(power))
    mean = float(level) + torch.pow(base, steps.to(torch.float64)) * (float(last) - float(level))
    return mean, weights @ weights.T


# %% ar-nearly-a-walk wrong="ar-joint"
# Takes every phi within 1e-6 of an end for the end: wrong by 5e-4 (relative) for
# phi = 1 - 5e-7 and 1000 steps.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.to(torch.float64)
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + base**k * (last - level)
    earlier = torch.minimum(k[:, None], k[None, :])
    gap = (k[:, None] - k[None, :]).abs()
    if math.isclose(abs(phi), 1, abs_tol=1e-6):
        total = earlier
    else:
        total = (1 - base ** (2 * earlier)) / (1 - base**2)
    return mean, float(sigma) ** 2 * base**gap * total


# %% ar-one-end-only wrong="ar-joint"
# Treats phi = 1 on its own but not phi = -1, where the variances are 0 / 0 = nan.
def ar_joint(last, level, phi, sigma, steps):
    k = steps.to(torch.float64)
    base = torch.tensor(float(phi), dtype=torch.float64)
    mean = level + base**k * (last - level)
    earlier = torch.minimum(k[:, None], k[None, :])
    gap = (k[:, None] - k[None, :]).abs()
    if phi == 1:
        total = earlier
    else:
        total = (1 - base ** (2 * earlier)) / (1 - base**2)
    return mean, float(sigma) ** 2 * base**gap * total


# %% ar-powers-by-logs wrong="ar-joint"
# Takes powers as exp(k log|phi|), which is nan for the power 0 of phi = 0: the variances (and
# covariances of equal steps) are nan there.
def ar_joint(last, level, phi, sigma, steps):
    log_size = torch.log(torch.tensor(abs(float(phi)), dtype=torch.float64))

    def power(k):
        size = torch.exp(k * log_size)
        return torch.where((k % 2 == 1) & (phi < 0), -size, size)

    k = steps.to(torch.float64)
    mean = level + power(k) * (last - level)
    earlier = torch.minimum(k[:, None], k[None, :])
    gap = (k[:, None] - k[None, :]).abs()
    if abs(phi) == 1:
        total = earlier
    else:
        total = torch.expm1(2 * earlier * log_size) / torch.expm1(2 * log_size)
    return mean, float(sigma) ** 2 * power(gap) * total


# %% ar-whole-numbers wrong="ar-joint"
# Leaves the type to NumPy: with whole Python numbers for all arguments, such as
# (4, 1, 1, 2, steps), both results are int64, not float64.
def ar_joint(last, level, phi, sigma, steps):
    import numpy as np

    k = steps.numpy()
    mean = level + phi**k * (last - level)
    earlier = np.minimum(k[:, None], k[None, :])
    gap = np.abs(k[:, None] - k[None, :])
    total = earlier if abs(phi) == 1 else (1 - phi ** (2 * earlier)) / (1 - phi**2)
    return torch.from_numpy(mean), torch.from_numpy(sigma**2 * phi**gap * total)


# %% paths-shifted-window right="sampled-paths"
# A window that loses its oldest column and gains the new one by concatenation.
def sample_paths(quantile, history, known, u):
    paths = torch.empty_like(u)
    window = history.repeat(u.shape[0], 1)
    for h in range(u.shape[1]):
        value = quantile(window, known[h], u[:, h])
        paths[:, h] = value
        window = torch.cat((window[:, 1:], value[:, None]), dim=1)
    return paths


# %% paths-deque right="sampled-paths"
# A deque of the latest columns, stacked anew for each step.
def sample_paths(quantile, history, known, u):
    from collections import deque

    n, steps = u.shape
    latest = deque((value.expand(n) for value in history), maxlen=len(history))
    made = []
    for h in range(steps):
        made.append(quantile(torch.stack(tuple(latest), dim=1), known[h], u[:, h].clone()))
        latest.append(made[-1])
    return torch.stack(made, dim=1) if made else u.new_zeros((n, 0))


# %% paths-memory-of-one wrong="sampled-paths"
# Keeps the last p - 1 columns by a negative slice, which keeps all for p = 1: the window grows.
def sample_paths(quantile, history, known, u):
    p = len(history)
    paths = torch.empty_like(u)
    window = history.repeat(u.shape[0], 1)
    for h in range(u.shape[1]):
        value = quantile(window, known[h], u[:, h])
        paths[:, h] = value
        window = torch.cat((window[:, -(p - 1) :], value[:, None]), dim=1)
    return paths


# %% paths-all-own-values wrong="sampled-paths"
# Joins the rest of the history with all values made so far: the window is too long as soon as
# more than p values are made, that is for H > p + 1.
def sample_paths(quantile, history, known, u):
    past = history.repeat(u.shape[0], 1)
    paths = torch.empty_like(u)
    for h in range(u.shape[1]):
        window = torch.cat((past[:, h:], paths[:, :h]), dim=1)
        paths[:, h] = quantile(window, known[h], u[:, h])
    return paths


# %% paths-shift-in-place wrong="sampled-paths"
# Shifts the window in place while results may be views of it: wrong for a quantile that returns
# a column of its window, such as lambda window, known, u: window[:, 0].
def sample_paths(quantile, history, known, u):
    window = history.repeat(u.shape[0], 1)
    made = []
    for h in range(u.shape[1]):
        value = quantile(window, known[h], u[:, h])
        made.append(value)
        window[:, :-1] = window[:, 1:].clone()
        window[:, -1] = value
    return torch.stack(made, dim=1) if made else u.new_zeros(u.shape)


# %% paths-squeezed-draws wrong="sampled-paths"
# Hands over the draws squeezed: for one path u is 0-d, not of shape (1,), and a quantile that
# indexes it or takes its length raises an error.
def sample_paths(quantile, history, known, u):
    paths = torch.empty_like(u)
    window = history.repeat(u.shape[0], 1)
    for h in range(u.shape[1]):
        value = quantile(window, known[h], u[:, h : h + 1].squeeze())
        paths[:, h] = value
        window = torch.cat((window[:, 1:], value.reshape(-1, 1)), dim=1)
    return paths


# %% report-observed-rows right="quantile-report"
# Selects the observed rows, takes the larger of the two lines, and sorts the columns by level.
def quantile_report(y, q, levels):
    observed = ~torch.isnan(y)
    off = y[observed][:, None] - q[observed]
    loss = torch.maximum(levels * off, (levels - 1) * off).sum(1).mean()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(1).to(torch.float64).mean()
    return loss, crossed


# %% report-all-pairs right="quantile-report"
# Masks with torch.where before any arithmetic, and compares all pairs of columns.
def quantile_report(y, q, levels):
    observed = ~torch.isnan(y)
    came = torch.where(observed, y, torch.zeros_like(y))[:, None]
    each = torch.where(came >= q, levels * (came - q), (1 - levels) * (q - came))
    each = torch.where(observed[:, None], each, torch.zeros_like(each))
    loss = each.sum() / observed.sum()
    below = q.detach()[:, :, None] < q.detach()[:, None, :]
    wrong_way = below & (levels[:, None] > levels[None, :])
    return loss, wrong_way.flatten(1).any(1).double().mean()


# %% report-zero-means-missing wrong="quantile-report"
# Replaces NaN by 0 and then takes every 0 for missing: wrong where a true y is exactly 0.
def quantile_report(y, q, levels):
    came = torch.nan_to_num(y, nan=0.0)
    observed = came != 0
    off = came[:, None] - q
    each = torch.maximum(levels * off, (levels - 1) * off).sum(1)
    loss = torch.where(observed, each, torch.zeros_like(each)).sum() / observed.sum()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(1).to(torch.float64).mean()
    return loss, crossed


# %% report-share-of-observed wrong="quantile-report"
# Takes the share of crossings over observed hours only: wrong where a y is NaN.
def quantile_report(y, q, levels):
    observed = ~torch.isnan(y)
    y, q = y[observed], q[observed]
    off = y[:, None] - q
    loss = torch.maximum(levels * off, (levels - 1) * off).sum(1).mean()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(1).to(torch.float64).mean()
    return loss, crossed


# %% report-smallest-gap wrong="quantile-report"
# Takes the minimum of the gaps between neighbours, which raises an error for a single level,
# where there are no gaps.
def quantile_report(y, q, levels):
    observed = ~torch.isnan(y)
    off = y[observed][:, None] - q[observed]
    loss = torch.maximum(levels * off, (levels - 1) * off).sum(1).mean()
    gaps = q.detach()[:, torch.argsort(levels)].diff(dim=1)
    crossed = (gaps.min(dim=1).values < 0).to(torch.float64).mean()
    return loss, crossed


# %% report-ties-cross wrong="quantile-report"
# Compares with <= in place of <: hours in which two quantiles are equal count as crossed.
def quantile_report(y, q, levels):
    observed = ~torch.isnan(y)
    off = y[observed][:, None] - q[observed]
    loss = torch.maximum(levels * off, (levels - 1) * off).sum(1).mean()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (ordered[:, 1:] <= ordered[:, :-1]).any(1).to(torch.float64).mean()
    return loss, crossed


# %% totals-sorted-ranks right="total-quantiles"
# Adds the hours up with index_add, sorts the totals, and reads the ranks.
def total_quantiles(paths, groups, levels):
    futures = paths.shape[0]
    totals = paths.new_zeros((futures, int(groups.max()) + 1)).index_add(1, groups, paths)
    rank = torch.ceil(levels * futures).long() - 1
    return totals.sort(dim=0).values[rank].T


# %% totals-by-definition right="total-quantiles"
# The definition word by word: the smallest total whose share of totals at or below is enough.
def total_quantiles(paths, groups, levels):
    rows = []
    for g in range(int(groups.max()) + 1):
        total = paths[:, groups == g].sum(1)
        share = (total[None, :] <= total[:, None]).to(torch.float64).mean(1)
        enough = share[:, None] >= levels[None, :]
        high = torch.full((1, 1), math.inf, dtype=total.dtype)
        rows.append(torch.where(enough, total[:, None], high).amin(0))
    return torch.stack(rows)


# %% totals-nearest-rank wrong="total-quantiles"
# torch.quantile with interpolation="nearest" rounds level times (S - 1): wrong for S = 5 and
# level 0.61, where the 4th smallest is due and not the 3rd.
def total_quantiles(paths, groups, levels):
    size = (paths.shape[0], int(groups.max()) + 1)
    totals = paths.new_zeros(size).index_add(1, groups, paths)
    return torch.quantile(totals, levels, dim=0, interpolation="nearest").T


# %% totals-occurring-groups wrong="total-quantiles"
# Makes rows only for the groups that occur: a group of no hours has no row of zeros.
def total_quantiles(paths, groups, levels):
    totals = torch.stack([paths[:, groups == g].sum(1) for g in groups.unique()], dim=1)
    rank = torch.ceil(levels * paths.shape[0]).long() - 1
    return totals.sort(dim=0).values[rank].T


# %% totals-levels-sorted wrong="total-quantiles"
# Walks over the levels in rising order: columns are in a wrong order where levels are not sorted.
def total_quantiles(paths, groups, levels):
    futures = paths.shape[0]
    totals = paths.new_zeros((futures, int(groups.max()) + 1)).index_add(1, groups, paths)
    ordered = totals.sort(dim=0).values
    columns = [ordered[math.ceil(level * futures) - 1] for level in sorted(levels.tolist())]
    return torch.stack(columns, dim=1)


# %% totals-without-ties wrong="total-quantiles"
# Sorts with unique(), which drops equal totals and with them their weight: wrong for ties, such
# as totals 1, 1, 1, 1, 2 and level 0.7.
def total_quantiles(paths, groups, levels):
    rows = []
    for g in range(int(groups.max()) + 1):
        total = paths[:, groups == g].sum(1).unique()
        rows.append(total[torch.ceil(levels * len(total)).long() - 1])
    return torch.stack(rows)


# %% conformal-kth-value right="conformal-interval"
# Rounds the rank where it is next to a whole number, and asks for the k-th smallest score.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    exact = (n + 1) * (1 - miss)
    k = round(exact) if abs(exact - round(exact)) < 1e-8 else math.ceil(exact)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.kthvalue(torch.maximum(low - y, y - high), k).values
    return new_low - margin, new_high + margin


# %% conformal-infinite-score right="conformal-interval"
# Counts the new example as one more score, an infinite one, so that too few need no branch.
def conformal_interval(y, low, high, new_low, new_high, miss):
    scores = torch.where(low - y > y - high, low - y, y - high).sort().values
    scores = torch.cat((scores, scores.new_full((1,), math.inf)))
    margin = scores[math.ceil(len(scores) * (1 - miss) - 1e-9) - 1]
    return new_low - margin, new_high + margin


# %% conformal-rank-by-rounding wrong="conformal-interval"
# A plain ceil lets the rank hang on rounding: for n = 9 and miss = 0.7 it is 4 in place of 3.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% conformal-rank-too-lenient wrong="conformal-interval"
# Rounds to four decimals before ceil: one rank too low where the product lies little above a
# whole number, such as 3.00001 for n = 9 and miss = 0.699999.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil(round((n + 1) * (1 - miss), 4))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% conformal-ends-in-order wrong="conformal-interval"
# Puts the ends in order: wrong where a negative number makes them pass each other.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    lower, upper = new_low - margin, new_high + margin
    return torch.minimum(lower, upper), torch.maximum(lower, upper)


# %% conformal-flat-infinity wrong="conformal-interval"
# Makes the infinite ends one-dimensional: wrong shape (or an error) where k > n and the new
# intervals are 0-d or have two axes.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        lower = torch.full((len(new_low),), -math.inf, dtype=torch.float64)
        return lower, -lower
    margin = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - margin, new_high + margin


# %% running-out-gammainc right="running-out"
# The incomplete gamma function for each hour, and log1p and expm1 for any hour of a future.
def running_out(rates, stock):
    above = torch.full_like(rates, stock + 1.0)
    p = torch.special.gammainc(above, rates)
    ever = -torch.expm1(torch.log1p(-p).sum(1))
    return p.mean(0), ever.mean()


# %% running-out-sum-of-tail right="running-out"
# Sums the tail of the Poisson in logs, and lets the chance of any hour grow hour by hour.
def running_out(rates, stock):
    count = torch.arange(stock + 1, stock + 801, dtype=torch.float64)
    each, ever = [], []
    for rate in rates:
        log_pmf = count * rate.log()[:, None] - rate[:, None] - torch.lgamma(count + 1)
        p = torch.exp(torch.logsumexp(log_pmf, dim=1)).clamp(max=1.0)
        so_far = torch.zeros((), dtype=torch.float64)
        for hour in p:
            so_far = so_far + (1 - so_far) * hour
        each.append(p)
        ever.append(so_far)
    return torch.stack(each).mean(0), torch.stack(ever).mean()


# %% running-out-one-minus-product wrong="running-out"
# One minus the product of the chances that all goes well: ever is 0 or badly rounded where it
# is below 1e-12, such as rates of 0.001 with a stock of 5.
def running_out(rates, stock):
    p = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    ever = 1 - torch.prod(1 - p, dim=1)
    return p.mean(0), ever.mean()


# %% running-out-sum-if-small wrong="running-out"
# Adds the chances up where their sum is below 1e-3, which is off by up to 5e-4 (relative), such
# as for ten hours of 9e-5 each.
def running_out(rates, stock):
    p = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    total = p.sum(1)
    ever = torch.where(total < 1e-3, total, 1 - torch.prod(1 - p, dim=1))
    return p.mean(0), ever.mean()


# %% running-out-short-tail wrong="running-out"
# Sums only the hundred counts above the stock: wrong where rates are far above the stock, such
# as rate 200 with stock 0.
def running_out(rates, stock):
    count = torch.arange(stock + 1, stock + 101, dtype=torch.float64)
    log_pmf = count * rates.log()[..., None] - rates[..., None] - torch.lgamma(count + 1)
    p = torch.exp(torch.logsumexp(log_pmf, dim=-1)).clamp(max=1.0)
    ever = -torch.expm1(torch.log1p(-p).sum(1))
    return p.mean(0), ever.mean()


# %% running-out-squeezed wrong="running-out"
# Averages over the futures and squeezes: each is 0-d, not of shape (1,), for a single hour.
def running_out(rates, stock):
    p = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    ever = -torch.expm1(torch.log1p(-p).sum(1))
    return p.mean(0, keepdim=True).squeeze(), ever.mean()
