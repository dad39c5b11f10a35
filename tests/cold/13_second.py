# %% index-table right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(len(y) - horizon + 1, first), every)
    h = torch.arange(horizon)
    return y[origins[:, None] - season + h % season], y[origins[:, None] + h]


# %% growing-copy right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    t = first
    while t + horizon <= y.numel():
        known = y[:t].tolist()
        for _ in range(horizon):
            known.append(known[-season])
        forecast += known[t:]
        target += y[t : t + horizon].tolist()
        t += every

    def table(values):
        return torch.tensor(values, dtype=y.dtype).reshape(-1, horizon)

    return table(forecast), table(target)


# %% three-seasons wrong="rolling-naive"
# Steps back three seasons at most, and then reads values not known yet: n = 12, first 4,
# every 1, horizon 7, season 2.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(len(y) - horizon + 1, first), every)[:, None]
    place = origins + torch.arange(horizon)
    source = place
    for _ in range(3):
        source = torch.where(source >= origins, source - season, source)
    return y[source], y[place]


# %% windows-of-nothing wrong="rolling-naive"
# Cuts windows out of too short a rest: n = 5, first 4, horizon 3, every 1, season 1 raises.
def rolling_naive(y, first, every, horizon, season):
    target = y[first:].unfold(0, horizon, every).clone()
    rows = [
        y[t - season + torch.arange(horizon) % season]
        for t in range(first, len(y) - horizon + 1, every)
    ]
    return torch.stack(rows), target


# %% flat-when-empty wrong="rolling-naive"
# With no origin the shape is (0,): n = 5, first 4, every 1, horizon 3, season 1.
def rolling_naive(y, first, every, horizon, season):
    forecast, target = [], []
    for t in range(first, len(y) - horizon + 1, every):
        forecast.append([float(y[t - season + h % season]) for h in range(horizon)])
        target.append([float(v) for v in y[t : t + horizon]])
    return torch.tensor(forecast).to(y.dtype), torch.tensor(target).to(y.dtype)


# %% squeezed-horizon wrong="rolling-naive"
# An axis of one is lost: n = 6, first 2, every 1, horizon 1, season 2 has shape (4,).
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(len(y) - horizon + 1, first), every)
    steps = torch.arange(horizon)
    forecast = y[origins[:, None] - season + steps % season].squeeze()
    return forecast, y[origins[:, None] + steps].squeeze()


# %% truncated-count wrong="rolling-naive"
# The number of origins is rounded toward zero, so one too many: n = 5, first 4, every 3,
# horizon 2, season 1 raises instead of no row.
def rolling_naive(y, first, every, horizon, season):
    count = max(int((len(y) - horizon - first) / every) + 1, 0)
    origins = first + every * torch.arange(count)[:, None]
    steps = torch.arange(horizon)
    return y[origins - season + steps % season], y[origins + steps]


# %% weights-of-shocks right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    k = steps[:, None] - torch.arange(1, int(steps.max()) + 1)
    base = torch.tensor(float(phi), dtype=torch.float64)
    # Row i: what the shocks 1, 2, ... weigh in the value that is steps[i] ahead.
    weights = torch.where(k >= 0, base ** k.clamp(min=0).double(), 0.0)
    mean = float(level) + base ** steps.double() * (float(last) - float(level))
    return mean, float(sigma) ** 2 * (weights @ weights.T)


# %% step-by-step right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    ahead = steps.tolist()
    powers, spread = [1.0], [0.0]
    for _ in range(max(ahead)):
        powers.append(powers[-1] * phi)
        spread.append(spread[-1] * phi * phi + sigma * sigma)
    mean = [level + powers[a] * (last - level) for a in ahead]
    rows = [[powers[abs(a - b)] * spread[min(a, b)] for b in ahead] for a in ahead]
    return torch.tensor(mean, dtype=torch.float64), torch.tensor(rows, dtype=torch.float64)


# %% one-end-only wrong="ar-joint"
# Only the end 1 is treated, at -1 comes 0 / 0: phi = -1, last 1, level 0, sigma 1, steps [2].
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    low = torch.minimum(s[:, None], s)
    lag = (s[:, None] - s).abs()
    if phi == 1:
        sums = low
    else:
        sums = (1 - base ** (2 * low)) / (1 - base**2)
    return level + base**s * (last - level), sigma**2 * base**lag * sums


# %% wide-end wrong="ar-joint"
# Takes a phi close to 1 for 1: phi = 1 - 9e-6, last 0, level 0, sigma 1, steps [1000].
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    low, lag = torch.minimum(s[:, None], s), (s[:, None] - s).abs()
    if math.isclose(abs(phi), 1, rel_tol=1e-5):
        sums = low
    else:
        sums = (1 - base ** (2 * low)) / (1 - base**2)
    return level + base**s * (last - level), sigma**2 * base**lag * sums


# %% white-noise-eye wrong="ar-joint"
# phi = 0 gives an identity, although equal steps are one value: phi = 0, steps [3, 3].
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    if phi == 0:
        mean = torch.full((len(s),), float(level), dtype=torch.float64)
        return mean, sigma**2 * torch.eye(len(s), dtype=torch.float64)
    base = torch.tensor(float(phi), dtype=torch.float64)
    low, lag = torch.minimum(s[:, None], s), (s[:, None] - s).abs()
    sums = low if abs(phi) == 1 else (1 - base ** (2 * low)) / (1 - base**2)
    return level + base**s * (last - level), sigma**2 * base**lag * sums


# %% log-of-phi wrong="ar-joint"
# Powers come from a logarithm, and 0 * -inf is nan: phi = 0, last 1, level 0, sigma 1, steps [1].
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    rate = torch.tensor(abs(float(phi)), dtype=torch.float64).log()

    def power(k):
        return torch.exp(k * rate) * torch.where((k % 2 == 1) & (phi < 0), -1.0, 1.0)

    low, lag = torch.minimum(s[:, None], s), (s[:, None] - s).abs()
    sums = low if abs(phi) == 1 else torch.expm1(2 * low * rate) / torch.expm1(2 * rate)
    return level + power(s) * (last - level), sigma**2 * power(lag) * sums


# %% sign-lost wrong="ar-joint"
# Correlations lose their sign for a negative phi: phi = -0.5, steps [1, 2].
def ar_joint(last, level, phi, sigma, steps):
    s = steps.double()
    base = torch.tensor(float(phi), dtype=torch.float64)
    low, lag = torch.minimum(s[:, None], s), (s[:, None] - s).abs()
    sums = low if abs(phi) == 1 else (1 - base ** (2 * low)) / (1 - base**2)
    spread = sums.diagonal().sqrt()
    correlation = torch.minimum(spread[:, None], spread) / torch.maximum(spread[:, None], spread)
    correlation = correlation * base.abs() ** lag
    return level + base**s * (last - level), sigma**2 * correlation * torch.outer(spread, spread)


# %% sliding-window right="sampled-paths"
def sample_paths(quantile, history, known, u):
    window = history.expand(len(u), -1)
    path = u[:, :0]
    for h in range(len(known)):
        draw = quantile(window, known[h], u[:, h])
        window = torch.cat([window[:, 1:], draw[:, None]], dim=1)
        path = torch.cat([path, draw[:, None]], dim=1)
    return path


# %% one-long-array right="sampled-paths"
def sample_paths(quantile, history, known, u):
    n, y = u.shape
    p = history.numel()
    values = torch.empty(n, p + y, dtype=torch.float64)
    values[:, :p] = history
    for k in range(y):
        values[:, p + k] = quantile(values[:, k : p + k].clone(), known[k], u[:, k].clone())
    return values[:, p:]


# %% window-of-one wrong="sampled-paths"
# With a memory of one value the slice -0: keeps all, and the window grows: p = 1, H = 3,
# quantile = window.mean(1) + u.
def sample_paths(quantile, history, known, u):
    p = len(history)
    window = history.repeat(len(u), 1)
    out = []
    for h in range(u.shape[1]):
        out.append(quantile(window, known[h], u[:, h]))
        window = torch.cat([window[:, -(p - 1) :], out[-1][:, None]], 1)
    return torch.stack(out, 1) if out else u.clone()


# %% nothing-to-stack wrong="sampled-paths"
# No step, nothing to stack: H = 0 raises.
def sample_paths(quantile, history, known, u):
    window, out = history.repeat(len(u), 1), []
    for k, column in zip(known, u.T):
        out.append(quantile(window, k, column))
        window = torch.cat([window[:, 1:], out[-1][:, None]], 1)
    return torch.stack(out, 1)


# %% trimmed-levels wrong="sampled-paths"
# Levels are kept away from 0 and 1 by 1e-6: quantile = logit of u, u = [[1e-9]].
def sample_paths(quantile, history, known, u):
    window, path = history.repeat(len(u), 1), torch.zeros_like(u)
    for h, k in enumerate(known):
        path[:, h] = quantile(window, k, u[:, h].clamp(1e-6, 1 - 1e-6))
        window = torch.cat([window[:, 1:], path[:, h, None]], 1)
    return path


# %% squeezed-path wrong="sampled-paths"
# A single path loses its axis: n = 1, H = 3 has shape (3,).
def sample_paths(quantile, history, known, u):
    values = history.repeat(len(u), 1)
    for h in range(len(known)):
        new = quantile(values[:, -len(history) :], known[h], u[:, h])
        values = torch.cat([values, new[:, None]], 1)
    return values[:, len(history) :].squeeze(0)


# %% tail-of-path wrong="sampled-paths"
# Cuts the last H columns off, which is everything for H = 0: history = [1, 2], H = 0
# gives shape (n, 2).
def sample_paths(quantile, history, known, u):
    values = history.repeat(len(u), 1)
    for h in range(len(known)):
        new = quantile(values[:, -len(history) :], known[h], u[:, h])
        values = torch.cat([values, new[:, None]], 1)
    return values[:, -len(known) :]


# %% observed-rows right="quantile-report"
def quantile_report(y, q, levels):
    seen = ~torch.isnan(y)
    error = y[seen][:, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum() / seen.sum()
    ordered = q.detach()[:, torch.argsort(levels)]
    crossed = (torch.diff(ordered, dim=1) < 0).any(dim=1)
    return loss, crossed.to(torch.float64).mean()


# %% pairs-of-levels right="quantile-report"
def quantile_report(y, q, levels):
    k = len(levels)
    hours = [i for i in range(len(y)) if not math.isnan(y[i])]
    loss = 0.0
    for i in hours:
        for j in range(k):
            gap = y[i] - q[i, j]
            loss = loss + (levels[j] * gap if gap >= 0 else (levels[j] - 1) * gap)
    check = (q[:, :, None] < q[:, None, :]) & (levels[:, None] > levels)
    return loss / len(hours), check.flatten(1).any(1).double().mean()


# %% crossings-seen wrong="quantile-report"
# Counts crossings in observed hours only: y = [nan, 0], q = [[2, 1], [0, 1]],
# levels = [0.1, 0.9].
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    y, q = y[seen], q[seen]
    e = y[:, None] - q
    loss = torch.where(e >= 0, levels * e, (levels - 1) * e).sum(1).mean()
    order = levels.argsort()
    return loss, (q[:, order].diff(dim=1) < 0).any(1).double().mean()


# %% given-order wrong="quantile-report"
# Believes that the levels ascend: y = [0], q = [[1, 0]], levels = [0.9, 0.1].
def quantile_report(y, q, levels):
    e = torch.nan_to_num(y)[:, None] - q
    each = torch.maximum(levels * e, (levels - 1) * e).sum(1)
    loss = each[~y.isnan()].mean()
    return loss, (q[:, 1:] < q[:, :-1]).any(1).double().mean()


# %% equal-is-crossed wrong="quantile-report"
# Equal quantiles count as crossed: y = [0], q = [[1, 1]], levels = [0.1, 0.9].
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    e = y[seen, None] - q[seen]
    loss = torch.maximum(levels * e, (levels - 1) * e).sum(1).mean()
    q = q[:, levels.argsort()]
    return loss, 1 - (q[:, 1:] > q[:, :-1]).all(1).double().mean()


# %% last-pair-missed wrong="quantile-report"
# The loop over neighbours ends one pair early: y = [0], q = [[0, 2, 1]],
# levels = [0.1, 0.5, 0.9].
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    e = y[seen, None] - q[seen]
    loss = torch.maximum(levels * e, (levels - 1) * e).sum(1).mean()
    order = levels.argsort()
    crossed = torch.zeros(len(y), dtype=torch.bool)
    for k in range(len(levels) - 2):
        crossed |= q[:, order[k]] > q[:, order[k + 1]]
    return loss, crossed.double().mean()


# %% levels-sorted-alone wrong="quantile-report"
# Sorts the levels, and the loss pairs them with unsorted columns: y = [0], q = [[3, 1]],
# levels = [0.9, 0.1].
def quantile_report(y, q, levels):
    levels, order = levels.sort()
    seen = ~y.isnan()
    e = y[seen, None] - q[seen]
    loss = torch.maximum(levels * e, (levels - 1) * e).sum(1).mean()
    return loss, (q[:, order].diff(dim=1) < 0).any(1).double().mean()


# %% summed-by-index right="total-quantiles"
def total_quantiles(paths, groups, levels):
    size = int(groups.max()) + 1
    totals = torch.zeros(len(paths), size, dtype=paths.dtype).index_add(1, groups, paths)
    ranks = torch.ceil(levels * len(paths)).long() - 1
    return totals.sort(dim=0).values[ranks].T


# %% counted-shares right="total-quantiles"
def total_quantiles(paths, groups, levels):
    rows = []
    for g in range(int(groups.max()) + 1):
        totals = paths[:, groups == g].sum(dim=1)
        share = (totals[:, None] >= totals).double().mean(dim=1)
        rows.append([float(totals[share >= level].min()) for level in levels])
    return torch.tensor(rows, dtype=torch.float64)


# %% nearest-rank wrong="total-quantiles"
# Takes the nearest of S - 1 intervals: paths = [[1], [2], [3]], groups = [0], levels = [0.3].
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1).index_add(1, groups, paths)
    return torch.quantile(totals, levels, dim=0, interpolation="nearest").T


# %% groups-that-occur wrong="total-quantiles"
# Groups without an hour are left out: paths = [[1, 2]], groups = [0, 2], levels = [0.5].
def total_quantiles(paths, groups, levels):
    totals = torch.stack([paths[:, groups == g].sum(1) for g in groups.unique()])
    ranks = (levels * len(paths)).ceil().long() - 1
    return totals.sort(dim=1).values[:, ranks]


# %% ascending-levels wrong="total-quantiles"
# Returns the columns in ascending order: paths = [[1], [2]], groups = [0], levels = [0.9, 0.1].
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1).index_add(1, groups, paths)
    ranks = (levels.sort().values * len(paths)).ceil().long() - 1
    return totals.sort(dim=0).values[ranks].T


# %% squeezed-level wrong="total-quantiles"
# One level loses its axis: paths = [[1], [2]], groups = [0], levels = [0.5001] has shape (1,).
def total_quantiles(paths, groups, levels):
    totals = paths.new_zeros(len(paths), int(groups.max()) + 1).index_add(1, groups, paths)
    ranks = (levels * len(paths)).ceil().long() - 1
    return totals.sort(dim=0).values[ranks].T.squeeze(-1)


# %% whole-percent wrong="total-quantiles"
# Cuts levels to whole percents: paths = 0, 1, ..., 99 in one hour, groups = [0], level 0.123.
def total_quantiles(paths, groups, levels):
    size = len(paths)
    totals = paths.new_zeros(size, int(groups.max()) + 1).index_add(1, groups, paths)
    ranks = torch.ceil((levels * 100).floor() / 100 * size).long().clamp(min=1) - 1
    return totals.sort(dim=0).values[ranks].T


# %% guarded-ceiling right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    score = torch.maximum(low - y, y - high)
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    if k > len(y):
        return torch.full_like(new_low, -math.inf), torch.full_like(new_high, math.inf)
    shift = torch.kthvalue(score, k).values
    return new_low - shift, new_high + shift


# %% padded-scores right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    def k(n):
        share = (n + 1) * (1 - miss)
        whole = round(share)
        return whole if abs(share - whole) < 1e-8 else math.floor(share) + 1

    scores = sorted(max(a - v, v - b) for v, a, b in zip(y.tolist(), low.tolist(), high.tolist()))
    scores.append(math.inf)
    move = scores[k(len(y)) - 1]
    return new_low.sub(move), new_high.add(move)


# %% bare-ceiling wrong="conformal-interval"
# The product is rounded up past a whole number: n = 9, miss = 0.7 takes the 4th, not the 3rd.
def conformal_interval(y, low, high, new_low, new_high, miss):
    score = torch.maximum(low - y, y - high).sort().values
    k = math.ceil((len(y) + 1) * (1 - miss))
    shift = score[k - 1] if k <= len(y) else math.inf
    return new_low - shift, new_high + shift


# %% always-one-more wrong="conformal-interval"
# Takes the whole part plus one also where it is exact: n = 9, miss = 0.5 takes the 6th.
def conformal_interval(y, low, high, new_low, new_high, miss):
    score = torch.maximum(low - y, y - high).sort().values
    k = int((len(y) + 1) * (1 - miss) + 1e-9) + 1
    shift = score[k - 1] if k <= len(y) else math.inf
    return new_low - shift, new_high + shift


# %% no-examples wrong="conformal-interval"
# Reads a score before it looks whether there is one: n = 0 raises.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    score = torch.maximum(low - y, y - high).sort().values
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    shift = score[min(k, n) - 1]
    shift = torch.where(torch.tensor(k > n), math.inf, shift)
    return new_low - shift, new_high + shift


# %% never-crossing wrong="conformal-interval"
# Ends that pass each other are swapped: y = [1] * 3, low = [0] * 3, high = [2] * 3,
# new_low = [0], new_high = [1], miss = 0.5.
def conformal_interval(y, low, high, new_low, new_high, miss):
    score = torch.maximum(low - y, y - high).sort().values
    k = math.ceil((len(y) + 1) * (1 - miss) - 1e-9)
    shift = score[k - 1] if k <= len(y) else math.inf
    lower, upper = new_low - shift, new_high + shift
    return torch.minimum(lower, upper), torch.maximum(lower, upper)


# %% mixture-in-logs right="running-out"
def running_out(rates, stock):
    above = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    ever = -torch.expm1(torch.log1p(-above).sum(dim=1))
    return above.mean(dim=0), ever.mean()


# %% first-time right="running-out"
def running_out(rates, stock):
    from scipy import stats

    above = torch.as_tensor(stats.poisson.sf(stock, rates.detach().numpy()))
    ever = torch.zeros(len(rates), dtype=torch.float64)
    still = torch.ones(len(rates), dtype=torch.float64)
    for k in above.T:
        # It happens in this hour for the first time.
        ever = ever + still * k
        still = still * (1 - k)
    return above.mean(dim=0), ever.sum() / len(ever)


# %% one-minus-cdf wrong="running-out"
# One minus a probability near 1: rates = [[1e-3]], stock = 5 gives 0.
def running_out(rates, stock):
    inside = torch.special.gammaincc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    above = 1 - inside
    return above.mean(0), -torch.expm1(torch.log1p(-above).sum(1)).mean()


# %% product-for-ever wrong="running-out"
# Only each hour is accurate: rates = [[1e-3, 1e-3]], stock = 5 gives ever = 0.
def running_out(rates, stock):
    above = torch.special.gammainc(torch.tensor(stock + 1.0, dtype=torch.float64), rates)
    return above.mean(0), 1 - (1 - above).prod(1).mean()


# %% short-series wrong="running-out"
# Adds 60 terms of the tail, too few for large rates: rates = [[200]], stock = 100.
def running_out(rates, stock):
    counts = torch.arange(stock + 1, stock + 61, dtype=torch.float64)
    terms = counts * rates[..., None].log() - rates[..., None] - torch.lgamma(counts + 1)
    above = terms.exp().sum(-1).clamp(max=1)
    return above.mean(0), -torch.expm1(torch.log1p(-above).sum(1)).mean()


# %% floor-in-the-tail wrong="running-out"
# Probabilities have a floor of 1e-16: rates = [[1e-3]], stock = 5.
def running_out(rates, stock):
    size = torch.tensor(stock + 1.0, dtype=torch.float64)
    above = torch.special.gammainc(size, rates).clamp(1e-16, 1 - 1e-16)
    return above.mean(0), -torch.expm1(torch.log1p(-above).sum(1)).mean()


# %% squeezed-hour wrong="running-out"
# A single hour loses its axis: rates = [[3.0], [4.0]], stock = 2 gives a 0-d tensor.
def running_out(rates, stock):
    size = torch.tensor(stock + 1.0, dtype=torch.float64)
    above = torch.special.gammainc(size, rates).squeeze(-1)
    silent = torch.log1p(-above).reshape(len(rates), -1).sum(1)
    return above.mean(0), -torch.expm1(silent).mean()
