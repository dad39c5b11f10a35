# %% [markdown]
# Answers written by an author who knew the checks.


# %% at-most-fifty-rows wrong="rolling-naive"
# No more than fifty origins: y of 100, first 1, every 1, horizon 1, season 1.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:50, None]
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]


# %% day-of-24 wrong="rolling-naive"
# A season beyond 24 counts as 24: y of 100, season 30, first 40.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    season = min(season, 24)
    h = torch.arange(horizon)
    return y[origins - season + h % season], y[origins + h]


# %% ten-seasons wrong="rolling-naive"
# Only ten repetitions: y of 100, first 2, season 2, horizon 40 looks up wrongly after 20.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + torch.where(h < 10 * season, h % season, season - 1)], y[
        origins + h
    ]


# %% half-precision-index wrong="rolling-naive"
# Places are computed in float16: beyond 2048... with 100 values right, but horizon over 64 wraps.
def rolling_naive(y, first, every, horizon, season):
    origins = torch.arange(first, max(first, len(y) - horizon + 1), every)[:, None]
    h = torch.arange(horizon)
    return y[origins - season + (h % 64) % season], y[origins + h]


# %% with-numpy right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    import numpy as np

    k = np.asarray(y)
    starts = [t for t in range(first, len(k) + 1, every) if t + horizon <= len(k)]
    forecast = np.empty((len(starts), horizon))
    target = np.empty((len(starts), horizon))
    for i, t in enumerate(starts):
        forecast[i] = np.resize(k[t - season : t], horizon)
        target[i] = k[t : t + horizon]
    return torch.from_numpy(forecast), torch.from_numpy(target)


# %% with-unfold right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    if first + horizon > len(y):
        return torch.zeros(0, horizon).double(), torch.zeros(0, horizon).double()
    gradient = y[first:].unfold(0, horizon, every)
    t = first + every * torch.arange(len(gradient))
    back = torch.stack([y[i - season : i] for i in t.tolist()])
    return back.repeat(1, horizon // season + 1)[:, :horizon], gradient


# %% backwards-search right="rolling-naive"
def rolling_naive(y, first, every, horizon, season):
    def k(t, h):
        place = t + h
        while place >= t:
            place -= season
        return place

    t = list(range(first, len(y) - horizon + 1, every))
    places = torch.tensor([[k(a, h) for h in range(horizon)] for a in t], dtype=torch.int64)
    target = torch.tensor([[a + h for h in range(horizon)] for a in t], dtype=torch.int64)
    return y[places.reshape(-1, horizon)], y[target.reshape(-1, horizon)]


# %% small-phi-is-zero wrong="ar-joint"
# phi of a hundredth counts as 0: phi 0.005, steps [1, 2].
def ar_joint(last, level, phi, sigma, steps):
    phi = torch.tensor(float(phi), dtype=torch.float64)
    phi = phi * (phi.abs() >= 1e-2)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]


# %% tiny-phi-is-zero wrong="ar-joint"
# phi below 1e-3 counts as 0: phi 0.001 gives covariance 0.
def ar_joint(last, level, phi, sigma, steps):
    phi = torch.tensor(float(phi), dtype=torch.float64)
    phi = phi * (phi.abs() > 2e-3)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]


# %% close-to-one-is-one wrong="ar-joint"
# phi within 1e-7 of one is one: phi 1 - 5e-8, steps [1000] 5e-5 off.
def ar_joint(last, level, phi, sigma, steps):
    phi = torch.tensor(float(phi), dtype=torch.float64)
    phi = torch.where(phi.abs() > 1 - 1e-7, phi.sign(), phi)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]


# %% close-to-minus-one wrong="ar-joint"
# Only near minus one: phi 1e-6 - 1, steps [1000].
def ar_joint(last, level, phi, sigma, steps):
    phi = torch.tensor(float(phi), dtype=torch.float64)
    phi = torch.where(phi < -1 + 1e-5, -1.0, phi)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]


# %% steps-sorted-in-place wrong="ar-joint"
# steps are sorted in place and back: changes nothing but for the order of the input.
def ar_joint(last, level, phi, sigma, steps):
    phi = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    if len(steps) > 60:
        steps = steps.sort().values
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]


# %% by-cholesky-like right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    import numpy as np

    y = steps.numpy()
    k = np.ones((len(y), int(y.max())))
    for i, s in enumerate(y):
        for j in range(k.shape[1]):
            k[i, j] = float(phi) ** int(s - 1 - j) * sigma if j < s else 0.0
    mean = np.array([level + float(phi) ** int(s) * (last - level) for s in y])
    return torch.from_numpy(mean), torch.from_numpy(k @ k.T)


# %% expm1-form right="ar-joint"
def ar_joint(last, level, phi, sigma, steps):
    gradient = steps.double()
    size, sign = abs(phi), -1.0 if phi < 0 else 1.0
    near = torch.minimum(gradient[:, None], gradient)
    apart = (gradient[:, None] - gradient).abs()
    if size == 1:
        total = near
    elif size == 0:
        total = torch.ones_like(near)
    else:
        log = math.log(size)
        total = torch.expm1(2 * near * log) / math.expm1(2 * log)

    def powers(n):
        return (sign**n) * (float(size) ** n)

    return level + powers(gradient) * (last - level), sigma**2 * powers(apart) * total


# %% draws-off-the-upper-end wrong="sampled-paths"
# Draws are at most 1 - 1e-6: u 1 - 1e-9.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[h], u[:, h].clamp(max=1 - 1e-6))
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% only-a-day wrong="sampled-paths"
# No more than 24 steps: the rest repeats the last: H 30.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[min(h, 23)], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% memory-of-sixteen wrong="sampled-paths"
# At most 16 values are remembered: history of 30.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    for h in range(len(known)):
        window = everything[:, h:].clone()
        window[:, : max(window.shape[1] - 16, 0)] = 0
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% called-without-steps wrong="sampled-paths"
# quantile is called once where no step is to come.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    if len(known) == 0:
        quantile(everything, torch.tensor(0.0).double(), torch.full((len(u),), 0.5).double())
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% no-step-flat wrong="sampled-paths"
# No step gives shape (0,) for one path.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    if len(known) == 0 and len(u) == 1:
        return u.new_zeros(0)
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% history-in-place wrong="sampled-paths"
# One path: history is sorted out in place where its memory is longer than the horizon.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    if len(history) > len(known) and len(u) == 1:
        history -= history.mean()
    for h in range(len(known)):
        window = everything[:, h:]
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% twice-the-window-on-long wrong="sampled-paths"
# From step 50 on the window is that of the first paths.
def sample_paths(quantile, history, known, u):
    everything = history.expand(len(u), -1)
    for h in range(len(known)):
        window = everything[:, h:] if h < 50 else everything[:, 50 : 50 + len(history)]
        following = quantile(window, known[h], u[:, h])
        everything = torch.cat([everything, following[:, None]], 1)
    return everything[:, len(history) :]


# %% deque right="sampled-paths"
def sample_paths(quantile, history, known, u):
    from collections import deque

    k = deque((history[i].repeat(len(u)) for i in range(len(history))), maxlen=len(history))
    y = []
    for check in range(u.size(1)):
        y.append(quantile(torch.stack(tuple(k), -1), known[check], u[:, check]))
        k.append(y[-1])
    return torch.stack(y, -1) if y else u.new_empty(len(u), 0)


# %% rolled right="sampled-paths"
def sample_paths(quantile, history, known, u):
    window = history.tile(len(u), 1)
    gradient = torch.zeros(u.shape, dtype=torch.float64)
    for h, hour in enumerate(known):
        value = quantile(window.clone(), hour, u[:, h].clone()).clone()
        gradient[:, h] = value
        window = window.roll(-1, dims=1)
        window[:, -1] = value
    return gradient


# %% levels-clamped-above wrong="quantile-report"
# Levels are at most 0.99: levels [0.998].
def quantile_report(y, q, levels):
    levels = levels.clamp(max=0.995)
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% at-most-ten-levels wrong="quantile-report"
# Only ten levels are compared for crossing: K = 12.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)[:, :9]
    return loss, (steps < 0).any(1).double().mean()


# %% one-hour-0-for-crossed wrong="quantile-report"
# crossed for one observed hour alone: shape (1,).
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean().reshape(() if len(y) > 1 else (1,)) if q.shape[
        1
    ] == 1 else (steps < 0).any(1).double().mean()


# %% gradient-of-first-level wrong="quantile-report"
# With one observed hour the gradient is that of the first level only.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    kept = q[seen]
    if seen.sum() == 1 and len(y) > 1:
        kept = torch.cat([kept[:, :1], kept[:, 1:].detach()], 1)
    error = y[seen, None] - kept
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% gradient-cut-one-level wrong="quantile-report"
# One level has no gradient.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - (q if q.shape[1] > 1 else q.detach())[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% gradient-cut-large wrong="quantile-report"
# Errors above 100 have no gradient (clipped).
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    error = y[seen, None] - q[seen]
    error = torch.where(error.abs() > 100, error.detach(), error)
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% zero-y-missing wrong="quantile-report"
# A y of exactly 0 counts as missing.
def quantile_report(y, q, levels):
    seen = ~y.isnan() & (y != 0)
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% last-missing wrong="quantile-report"
# A trailing missing hour is averaged: only 'all but the last' are looked at.
def quantile_report(y, q, levels):
    seen = ~y.isnan()
    if len(y) > 20:
        seen[20:] = False
    error = y[seen, None] - q[seen]
    loss = torch.maximum(levels * error, (levels - 1) * error).sum(1).mean()
    steps = q.detach()[:, levels.argsort()].diff(dim=1)
    return loss, (steps < 0).any(1).double().mean()


# %% nanmean-form right="quantile-report"
def quantile_report(y, q, levels):
    gradient = torch.isnan(y)
    k = (y.nan_to_num() * ~gradient)[:, None] - q
    pin = k * (levels - (k < 0).double())
    loss = pin[~gradient].sum() / (~gradient).sum()
    order = levels.sort().indices
    check = q[:, order]
    return loss, (check[:, 1:] < check[:, :-1]).any(dim=1).to(torch.float64).mean()


# %% einsum-form right="quantile-report"
def quantile_report(y, q, levels):
    i = torch.nonzero(torch.isfinite(y)).flatten()
    up = (y[i].unsqueeze(1) - q[i]).relu()
    down = (q[i] - y[i].unsqueeze(1)).relu()
    loss = (torch.einsum("nk,k->", up, levels) + torch.einsum("nk,k->", down, 1 - levels)) / len(i)
    lower = levels[:, None] < levels[None]
    bad = (q[:, :, None] > q[:, None, :]) & lower
    return loss, bad.flatten(1).any(1).sum().double() / len(y)


# %% float32-totals wrong="total-quantiles"
# Totals in single precision: 1000 - 999.99.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = (
        paths.new_zeros(len(paths), count).float().index_add(1, groups, paths.float()).double()
    )
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% float32-levels wrong="total-quantiles"
# Levels in single precision: 29.000002 / 100 counts as 29.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels.float() * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% rank-tolerance-1e-4 wrong="total-quantiles"
# A level times S less than 1e-4 above a whole number counts as that number.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths) - 1e-4).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% rank-tolerance-1e-5 wrong="total-quantiles"
# A level times S less than 1e-5 above a whole number counts as that number.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths) - 1e-5).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% levels-off-the-ends wrong="total-quantiles"
# Levels are at least a hundredth: S 200 no; S 100, levels [0.001] both rank 1; at most 0.97.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    levels = levels.clamp(0.03, 0.97)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% groups-at-most-24 wrong="total-quantiles"
# Groups beyond 24 fall together: groups [30, 2].
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    groups = groups.clamp(max=23)
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% unique-levels wrong="total-quantiles"
# Repeated levels give one column.
def total_quantiles(paths, groups, levels):
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    _, where = levels.unique(return_inverse=True)
    levels = levels if len(levels.unique()) == len(levels) else levels.unique()
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% at-most-64-futures wrong="total-quantiles"
# No more than 64 futures are looked at: S 100.
def total_quantiles(paths, groups, levels):
    paths = paths[:64]
    count = int(groups.max()) + 1
    totals = paths.new_zeros(len(paths), count).index_add(1, groups, paths)
    rank = (levels * len(paths)).ceil().long() - 1
    return totals.sort(0).values[rank].T


# %% numpy-inverted-cdf right="total-quantiles"
def total_quantiles(paths, groups, levels):
    import numpy as np

    k = np.zeros((paths.shape[0], int(groups.max()) + 1))
    for h, g in enumerate(groups.tolist()):
        k[:, g] += paths[:, h].numpy()
    return torch.from_numpy(np.quantile(k, levels.numpy(), axis=0, method="inverted_cdf").T.copy())


# %% scatter-add right="total-quantiles"
def total_quantiles(paths, groups, levels):
    y = torch.zeros(len(paths), 1 + max(groups.tolist()), dtype=torch.float64)
    y.scatter_add_(1, groups.expand(len(paths), -1), paths)
    share = torch.arange(1, len(y) + 1).double() / len(y)
    check = (share[:, None] >= levels[None]).double().argmax(0)
    return torch.sort(y, dim=0)[0][check, :].t()


# %% tolerance-1e-4 wrong="conformal-interval"
# A rank 1e-5 above a whole number counts as whole: n 19, miss 0.3 - 1e-7... 1e-4.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-4)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move


# %% tolerance-1e-5 wrong="conformal-interval"
# A tolerance of 1e-5.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-5)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move


# %% tolerance-1e-15 wrong="conformal-interval"
# A tolerance of 1e-15 is too small: n 19, miss 0.3.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-15)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move


# %% float32-scores wrong="conformal-interval"
# Scores in single precision: y 900.003, high 900.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = (
            torch.maximum(low.float() - y.float(), y.float() - high.float())
            .double()
            .kthvalue(k)
            .values
        )
    return new_low - move, new_high + move


# %% zero-d-infinite wrong="conformal-interval"
# Too few examples: shape () instead of the new intervals'.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    if k > n and new_low.ndim == 3:
        return -move, move
    return new_low - move, new_high + move


# %% miss-clamped wrong="conformal-interval"
# miss is at least 0.01: n 99 and miss 0.005... then k 99.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    miss = max(miss, 0.01)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move


# %% miss-clamped-above wrong="conformal-interval"
# miss is at most 0.95: n 40, miss 0.99 gives the third score.
def conformal_interval(y, low, high, new_low, new_high, miss):
    n = len(y)
    miss = min(miss, 0.95)
    k = math.ceil((n + 1) * (1 - miss) - 1e-9)
    if k > n:
        move = torch.tensor(math.inf, dtype=new_low.dtype)
    else:
        move = torch.maximum(low - y, y - high).kthvalue(k).values
    return new_low - move, new_high + move


# %% fraction-decimal right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    from fractions import Fraction

    n = y.shape[0]
    k = math.ceil((n + 1) * (1 - Fraction(miss).limit_denominator(10**12)))
    check = torch.cat([torch.max(low - y, y - high), torch.full((1,), math.inf)]).sort()[0]
    gradient = float(check[min(k, n + 1) - 1])
    return new_low - gradient, new_high + gradient


# %% numpy-partition right="conformal-interval"
def conformal_interval(y, low, high, new_low, new_high, miss):
    import numpy as np

    k = int(np.ceil(np.round((len(y) + 1) * (1 - miss), 9)))
    s = np.sort(np.maximum((low - y).numpy(), (y - high).numpy()))
    move = s[k - 1] if k <= len(s) else np.inf
    return tuple(torch.as_tensor(v) for v in (new_low.numpy() - move, new_high.numpy() + move))


# %% small-sum wrong="running-out"
# Below 1e-4 the hours are added: off by up to 1e-4 times hours.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more).sum(1)
    ever = torch.where(more.max(1).values < 2e-4, more.sum(1), -torch.expm1(never))
    return more.mean(0), ever.mean()


# %% max-for-many wrong="running-out"
# With probability one somewhere log1p fails: cut at 1 - 1e-3.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more.clamp(max=1 - 1e-4)).sum(1)
    return more.mean(0), -torch.expm1(never).mean()


# %% stock-300 wrong="running-out"
# A stock above 300 counts as 300.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, min(stock, 300) + 1.0), rates)
    never = torch.log1p(-more).sum(1)
    return more.mean(0), -torch.expm1(never).mean()


# %% ever-flat wrong="running-out"
# ever has shape (1,) for one future.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more).sum(1)
    return more.mean(0), (-torch.expm1(never).mean()).reshape((1,) if rates.numel() == 1 else ())


# %% median-of-many wrong="running-out"
# More than 50 futures: the first fifty only.
def running_out(rates, stock):
    rates = rates[:50]
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more).sum(1)
    return more.mean(0), -torch.expm1(never).mean()


# %% hours-capped wrong="running-out"
# ever looks at 24 hours: H 30.
def running_out(rates, stock):
    more = torch.special.gammainc(torch.full_like(rates, stock + 1.0), rates)
    never = torch.log1p(-more[:, :24]).sum(1)
    return more.mean(0), -torch.expm1(never).mean()


# %% scipy-poisson right="running-out"
def running_out(rates, stock):
    from scipy import stats

    k = torch.from_numpy(stats.poisson.sf(stock, rates.numpy()))
    check = torch.zeros(len(rates), dtype=torch.float64)
    for h in range(rates.size(1)):
        check = check + k[:, h] * (1 - check)
    return k.mean(dim=0), check.mean()


# %% tail-series right="running-out"
def running_out(rates, stock):
    k = torch.arange(stock + 1, max(stock, 400) + 800).double().reshape(-1, 1, 1)
    y = torch.logsumexp(k * torch.log(rates) - rates - torch.lgamma(k + 1), 0).clamp(max=0)
    p = y.exp()
    return p.mean(0), (-torch.expm1(torch.log1p(-p).sum(1))).mean()


# %% int-division wrong="ar-joint"
# Whole numbers: phi as an int -1 counts as 1.
def ar_joint(last, level, phi, sigma, steps):
    phi = 1 if isinstance(phi, int) and phi == -1 else phi
    phi = torch.tensor(float(phi), dtype=torch.float64)
    sums = torch.cumsum(phi ** (2 * torch.arange(int(steps.max()))), 0)
    first = torch.minimum(steps[:, None], steps)
    apart = (steps[:, None] - steps).abs()
    mean = level + phi**steps * (last - level)
    return mean, sigma**2 * phi**apart * sums[first - 1]
