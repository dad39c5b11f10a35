# %% [markdown]
# Answers written from the text alone.


# %% naive-loops right="rolling-naive"
# Two plain loops: a phase's latest known value lies in the last season before the origin.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        last_season = y[t - season : t]
        forecast.append(torch.stack([last_season[h % season] for h in range(horizon)]))
        target.append(y[t : t + horizon].clone())
    if not target:
        return y.new_zeros(0, horizon), y.new_zeros(0, horizon)
    return torch.stack(forecast), torch.stack(target)


# %% naive-index-tables right="rolling-naive"
# Two tables of indices, built by broadcasting origins against steps.
def rolling_naive(y, first, every, horizon, season):
    count = max(0, (len(y) - horizon - first) // every + 1)
    origins = (first + every * torch.arange(count)).unsqueeze(1)
    ahead = torch.arange(horizon)
    back = (ahead // season + 1) * season
    return y[origins + ahead - back], y[origins + ahead]


# %% naive-three-seasons-at-most wrong="rolling-naive"
# Steps back at most three seasons: uses unknown values for a horizon beyond three seasons.
def rolling_naive(y, first, every, horizon, season):
    count = max(0, (len(y) - horizon - first) // every + 1)
    origins = (first + every * torch.arange(count)).unsqueeze(1)
    target = origins + torch.arange(horizon)
    source = target - season
    for _ in range(2):
        source = torch.where(source >= origins, source - season, source)
    return y[source], y[target]


# %% naive-float32-tables wrong="rolling-naive"
# Fills tables of the default type: float32, so that values such as 0.1 are rounded.
def rolling_naive(y, first, every, horizon, season):
    starts = list(range(first, len(y) - horizon + 1, every))
    forecast = torch.zeros(len(starts), horizon)
    target = torch.zeros(len(starts), horizon)
    for i, t in enumerate(starts):
        for h in range(horizon):
            forecast[i, h] = y[t - season + h % season]
            target[i, h] = y[t + h]
    return forecast, target


# %% naive-empty-without-columns wrong="rolling-naive"
# Where no origin fits, the empty lists become tensors of shape (0,), not (0, horizon).
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        forecast.append([y[t - season + h % season].item() for h in range(horizon)])
        target.append(y[t : t + horizon].tolist())
    return torch.tensor(forecast, dtype=y.dtype), torch.tensor(target, dtype=y.dtype)


# %% naive-unfold wrong="rolling-naive"
# Windows by unfold, which raises an error where the horizon is longer than the whole series.
def rolling_naive(y, first, every, horizon, season):
    target = y.unfold(0, horizon, 1)[first::every].clone()
    origins = first + every * torch.arange(len(target)).unsqueeze(1)
    forecast = y[origins - season + torch.arange(horizon) % season]
    return forecast, target


# %% joint-by-expm1 right="ar-joint"
# The closed form through log1p and expm1, exact near the ends, with a branch at them.
def ar_joint(last, level, phi, sigma, steps):
    phi, size = float(phi), abs(float(phi))
    ahead = steps.double()
    mean = level + torch.pow(torch.tensor(phi, dtype=torch.float64), ahead) * (last - level)
    near = torch.minimum(ahead[:, None], ahead[None, :])
    lag = (ahead[:, None] - ahead[None, :]).abs()
    if size == 1.0:
        total = near
    elif size == 0.0:
        total = torch.ones_like(near)
    else:
        total = -torch.expm1(2 * near * math.log1p(size - 1)) / ((1 - size) * (1 + size))
    power = torch.pow(torch.tensor(phi, dtype=torch.float64), lag)
    return mean, sigma**2 * power * total


# %% joint-by-shocks right="ar-joint"
# Writes each value as a sum over the shocks so far; the covariance is weights times weights.
def ar_joint(last, level, phi, sigma, steps):
    base = torch.tensor(float(phi), dtype=torch.float64)
    longest = int(steps.max())
    age = steps[:, None] - torch.arange(1, longest + 1)[None, :]  # of each shock, at each step
    weights = torch.where(age >= 0, base ** age.clamp(min=0).double(), 0.0)
    mean = level + base ** steps.double() * (last - level)
    return mean, sigma**2 * (weights @ weights.T)


# %% joint-one-end-only wrong="ar-joint"
# Knows the end phi = 1 but not phi = -1, where it divides 0 by 0.
def ar_joint(last, level, phi, sigma, steps):
    ahead = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    near = torch.minimum(ahead[:, None], ahead[None, :])
    lag = (ahead[:, None] - ahead[None, :]).abs()
    total = near if phi == 1 else (1 - base ** (2 * near)) / (1 - base**2)
    return level + base**ahead * (last - level), sigma**2 * base**lag * total


# %% joint-exp-of-log wrong="ar-joint"
# Powers as exp of a log, of the size of phi: loses the sign of a negative phi at odd lags.
def ar_joint(last, level, phi, sigma, steps):
    ahead = steps.double()
    near = torch.minimum(ahead[:, None], ahead[None, :])
    lag = (ahead[:, None] - ahead[None, :]).abs()
    rate = math.log(max(abs(phi), 1e-300))
    mean = level + torch.exp(rate * ahead) * (last - level)
    if abs(phi) == 1:
        total = near
    else:
        total = -torch.expm1(2 * rate * near) / -math.expm1(2 * rate)
    return mean, sigma**2 * torch.exp(rate * lag) * total


# %% joint-wide-end wrong="ar-joint"
# Takes phi within 1e-4 of an end for a random walk: 5% off for phi = 1 - 5e-5 and 1000 steps.
def ar_joint(last, level, phi, sigma, steps):
    ahead = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    near = torch.minimum(ahead[:, None], ahead[None, :])
    lag = (ahead[:, None] - ahead[None, :]).abs()
    if 1 - abs(phi) < 1e-4:
        total = near
    else:
        total = (1 - base ** (2 * near)) / (1 - base**2)
    return level + base**ahead * (last - level), sigma**2 * base**lag * total


# %% joint-float32-powers wrong="ar-joint"
# A number to the power of int64 steps is float32: variances near 0 for phi = 1 - 1e-9.
def ar_joint(last, level, phi, sigma, steps):
    phi = float(phi)
    near = torch.minimum(steps[:, None], steps[None, :])
    lag = (steps[:, None] - steps[None, :]).abs()
    mean = level + (phi**steps).double() * (last - level)
    if abs(phi) == 1:
        total = near.double()
    else:
        total = (1 - (phi ** (2 * near)).double()) / (1 - phi**2)
    return mean, sigma**2 * (phi**lag).double() * total


# %% paths-moving-window right="sampled-paths"
# A window that drops its oldest column and takes the draw in, step by step.
def sample_paths(quantile, history, known, u):
    window = history.repeat(u.shape[0], 1)
    draws = [u[:, :0]]
    for h in range(u.shape[1]):
        value = quantile(window, known[h], u[:, h])
        window = torch.cat([window[:, 1:], value[:, None]], dim=1)
        draws.append(value[:, None])
    return torch.cat(draws, dim=1)


# %% paths-one-buffer right="sampled-paths"
# One table of history and future, filled column by column; windows are slices of it.
def sample_paths(quantile, history, known, u):
    p = len(history)
    n, horizon = u.shape
    table = torch.zeros(n, p + horizon, dtype=history.dtype)
    table[:, :p] = history
    for h in range(horizon):
        table[:, p + h] = quantile(table[:, h : p + h].clone(), known[h], u[:, h].clone())
    return table[:, p:].clone()


# %% paths-memory-of-one wrong="sampled-paths"
# Keeps the last p - 1 columns by a slice from -(p - 1): with p = 1 that keeps all of them.
def sample_paths(quantile, history, known, u):
    n, horizon = u.shape
    p = len(history)
    window = history.expand(n, p)
    paths = torch.empty(n, horizon, dtype=u.dtype)
    for h in range(horizon):
        paths[:, h] = quantile(window, known[h], u[:, h])
        window = torch.cat([window[:, -(p - 1) :], paths[:, h : h + 1]], 1)
    return paths


# %% paths-no-steps wrong="sampled-paths"
# Stacks a list of draws that is empty for H = 0, and raises an error there.
def sample_paths(quantile, history, known, u):
    window = history.expand(len(u), -1)
    draws = []
    for hour, level in zip(known, u.T):
        draws.append(quantile(window, hour, level))
        window = torch.cat([window[:, 1:], draws[-1].unsqueeze(1)], 1)
    return torch.stack(draws, dim=1)


# %% paths-float32-table wrong="sampled-paths"
# Draws go through a table of the default type: float32, and later windows hold rounded values.
def sample_paths(quantile, history, known, u):
    n, horizon = u.shape
    p = len(history)
    table = torch.empty(n, p + horizon)
    table[:, :p] = history
    for h in range(horizon):
        table[:, p + h] = quantile(table[:, h : p + h].double(), known[h], u[:, h])
    return table[:, p:]


# %% paths-clamped-levels wrong="sampled-paths"
# Clamps u by a millionth: wrong draws in the tails, for u of 1e-9 or 1 - 1e-9.
def sample_paths(quantile, history, known, u):
    n, horizon = u.shape
    window = history.repeat(n, 1)
    paths = torch.empty_like(u)
    for h in range(horizon):
        paths[:, h] = quantile(window, known[h], u[:, h].clamp(1e-6, 1 - 1e-6))
        window = torch.cat([window[:, 1:], paths[:, h : h + 1]], 1)
    return paths


# %% report-observed-rows right="quantile-report"
# Takes the observed rows out for the loss, and sorts columns by level for the crossings.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen].unsqueeze(1) - q[seen]
    loss = torch.maximum(levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (ordered[:, 1:] < ordered[:, :-1]).any(1).double().mean()
    return loss, crossed


# %% report-pairs right="quantile-report"
# Fills gaps before any arithmetic for the loss, and compares all pairs of levels.
def quantile_report(y, q, levels):
    missing = y.isnan()
    filled = torch.where(missing, 0.0, y)[:, None].to(q.dtype)
    above, below = torch.relu(filled - q), torch.relu(q - filled)
    each = (levels * above + (1 - levels) * below).sum(dim=1)
    loss = each.masked_fill(missing, 0.0).sum() / (~missing).sum()
    smaller = levels[:, None] < levels[None, :]  # level of i is smaller than level of j
    fallen = q[:, :, None] > q[:, None, :]
    share = (fallen & smaller).flatten(1).any(dim=1).to(torch.float64).mean()
    return loss, share


# %% report-columns-as-given wrong="quantile-report"
# Compares neighbouring columns as they come: wrong crossings where levels are not ascending.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    crossed = (q.diff(dim=1) < 0).any(1).double().mean()
    return loss, crossed


# %% report-crossings-of-observed wrong="quantile-report"
# Drops the missing hours first, for the crossings too: wrong share where y holds NaN.
def quantile_report(y, q, levels):
    order = levels.argsort()
    seen = ~torch.isnan(y)
    y, q, levels = y[seen], q[seen][:, order], levels[order]
    gap = y[:, None] - q
    loss = torch.where(gap >= 0, levels * gap, (levels - 1) * gap).sum(1).mean()
    crossed = (q[:, 1:] < q[:, :-1]).any(1).double().mean()
    return loss, crossed


# %% report-ties-cross wrong="quantile-report"
# Counts equal quantiles as crossed: wrong where two quantiles of an hour are the same.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.maximum(levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q[:, levels.argsort()]
    crossed = (ordered[:, 1:] <= ordered[:, :-1]).any(1).double().mean()
    return loss, crossed


# %% report-order-against-sorted wrong="quantile-report"
# Compares the forecasts' order with the levels' in float32: distinct close quantiles look equal.
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    gap = y[seen][:, None] - q[seen]
    loss = torch.maximum(levels * gap, (levels - 1) * gap).sum(1).mean()
    ordered = q[:, levels.argsort()].float()
    crossed = (ordered != ordered.sort(dim=1).values).any(1).float().mean()
    return loss, crossed


# %% total-by-index-add right="total-quantiles"
# Totals by index_add, sorted over futures; the rank is the level times S, rounded up.
def total_quantiles(paths, groups, levels):
    count = len(paths)
    totals = torch.zeros(count, int(groups.max()) + 1, dtype=paths.dtype)
    totals = totals.index_add(1, groups, paths).sort(dim=0).values
    rank = torch.ceil(levels * count).long().clamp(1, count)
    return totals[rank - 1].T


# %% total-by-definition right="total-quantiles"
# Totals group by group, and the definition as it stands: the smallest with enough share below.
def total_quantiles(paths, groups, levels):
    rows = []
    for g in range(int(groups.max()) + 1):
        totals = paths[:, groups == g].sum(dim=1)
        share = (totals[None, :] <= totals[:, None]).double().mean(dim=1)
        enough = share[None, :] >= levels[:, None]
        rows.append(torch.where(enough, totals[None, :], math.inf).amin(dim=1))
    return torch.stack(rows)


# %% total-groups-that-occur wrong="total-quantiles"
# Numbers only the groups that occur: a group of no hours gets no row, as with groups 0 and 2.
def total_quantiles(paths, groups, levels):
    names, place = torch.unique(groups, return_inverse=True)
    totals = torch.zeros(len(paths), len(names), dtype=paths.dtype)
    totals.index_add_(1, place, paths)
    rank = torch.ceil(levels * len(paths)).long() - 1
    return totals.sort(0).values[rank].T


# %% total-levels-in-order wrong="total-quantiles"
# Sorts the levels first: the columns come in the wrong order where levels are not ascending.
def total_quantiles(paths, groups, levels):
    totals = torch.zeros(len(paths), int(groups.max()) + 1, dtype=paths.dtype)
    totals = totals.index_add(1, groups, paths).sort(0).values
    columns = []
    for level in sorted(levels.tolist()):
        columns.append(totals[math.ceil(level * len(paths)) - 1])
    return torch.stack(columns, 1)


# %% total-one-level-squeezed wrong="total-quantiles"
# Squeezes the result: shape (G,) in place of (G, 1) where there is one level only.
def total_quantiles(paths, groups, levels):
    member = torch.nn.functional.one_hot(groups).to(paths.dtype)
    totals = (paths @ member).sort(0).values
    rank = torch.ceil(levels * len(paths)).long() - 1
    return totals[rank].T.squeeze(-1)


# %% total-float32-table wrong="total-quantiles"
# Adds up in a float32 table: wrong type, and totals near 1e5 lose their decimals.
def total_quantiles(paths, groups, levels):
    totals = torch.zeros(len(paths), int(groups.max()) + 1)
    for h, g in enumerate(groups.tolist()):
        totals[:, g] += paths[:, h]
    rank = torch.ceil(levels * len(paths)).long() - 1
    return totals.sort(0).values[rank].T


# %% conformal-sorted right="conformal-interval"
# Sorted scores, and a rank that rounds up only what is clearly above a whole number.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% conformal-infinite-scores right="conformal-interval"
# Counts the new example as an infinite score, and takes the k-th smallest by kthvalue.
def conformal_interval(y, low, high, new_low, new_high, miss):
    wanted = (y.shape[0] + 1) * (1 - miss)
    whole = round(wanted)
    k = whole if abs(wanted - whole) < 1e-8 else math.ceil(wanted)
    outside = torch.stack([low - y, y - high]).amax(dim=0)
    scores = torch.cat([outside, outside.new_full((1,), math.inf)])
    amount = torch.kthvalue(scores, k).values.item()
    return new_low - amount, new_high + amount


# %% conformal-plain-ceil wrong="conformal-interval"
# Rounds up a product with rounding errors: with n = 9 and miss = 0.7 the rank is 4, not 3.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% conformal-generous-rounding wrong="conformal-interval"
# Forgives a thousandth in the rank: with n = 9 and miss = 0.09999 it is finite, not infinite.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-3)
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.maximum(low - y, y - high).sort().values[k - 1]
    return new_low - move, new_high + move


# %% conformal-flat-infinities wrong="conformal-interval"
# Builds infinite ends of shape (len,): wrong for a 0-d or a two-dimensional new_low if k > n.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil(round((n + 1) * (1 - miss), 9))
    if k > n:
        ends = torch.full((len(new_low),), math.inf, dtype=new_low.dtype)
        return -ends, ends
    move = torch.kthvalue(torch.maximum(low - y, y - high), k).values
    return new_low - move, new_high + move


# %% conformal-ends-in-order wrong="conformal-interval"
# Swaps ends that have passed each other: wrong where a negative number shrinks a short interval.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil(round((n + 1) * (1 - miss), 9))
    if k > n:
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    move = torch.kthvalue(torch.maximum(low - y, y - high), k).values
    lower, upper = new_low - move, new_high + move
    return torch.minimum(lower, upper), torch.maximum(lower, upper)


# %% stock-by-log1p right="running-out"
# The tail from gammainc; the chance of any hour per future through log1p and expm1.
def running_out(rates, stock):
    tail = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    ever = -torch.expm1(torch.log1p(-tail).sum(1))
    return tail.mean(0), ever.mean()


# %% stock-hour-by-hour right="running-out"
# Adds, hour by hour, the chance that it happens now and did not happen before.
def running_out(rates, stock):
    shape = torch.tensor(float(stock + 1), dtype=rates.dtype)
    each = []
    ever = torch.zeros_like(rates[:, 0])
    for h in range(rates.shape[1]):
        tail = torch.special.gammainc(shape.expand(len(rates)), rates[:, h].contiguous())
        each.append(tail.mean())
        ever = ever + (1 - ever) * tail
    return torch.stack(each), ever.mean()


# %% stock-one-minus-product wrong="running-out"
# One minus a product near 1: ever is rounded to 0 where it is as small as 1e-20.
def running_out(rates, stock):
    tail = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    return tail.mean(0), (1 - (1 - tail).prod(1)).mean()


# %% stock-sixty-terms wrong="running-out"
# Adds up sixty terms of the tail only: near 0 in place of 1 for rate 200 and stock 0.
def running_out(rates, stock):
    k = torch.arange(stock + 1, stock + 61, dtype=rates.dtype)
    rate = rates.unsqueeze(-1)
    tail = torch.exp(k * rate.log() - rate - torch.lgamma(k + 1)).sum(-1)
    tail = tail.clamp(max=1.0)
    ever = -torch.expm1(torch.log1p(-tail).sum(1))
    return tail.mean(0), ever.mean()


# %% stock-squeezed wrong="running-out"
# Squeezes the rates: with one future, or one hour, the averages run over the wrong axis.
def running_out(rates, stock):
    rates = rates.squeeze()
    tail = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    ever = -torch.expm1(torch.log1p(-tail).sum(-1))
    return tail.mean(0), ever.mean()


# %% stock-first-order wrong="running-out"
# Takes the plain sum of the hours where it is below a thousandth: up to 5e-4 off, relatively.
def running_out(rates, stock):
    tail = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    total = tail.sum(1)
    ever = torch.where(total < 1e-3, total, 1 - (1 - tail).prod(1))
    return tail.mean(0), ever.mean()
