# %% [markdown]
# Answers written from the text alone.


# %% ece-loop-over-bins right="ece-closed-edges"
# Loop over the bins, the last one closed.
def ece(p, y, edges):
    total = 0.0
    for k in range(len(edges) - 1):
        inside = (p >= edges[k]) & (p < edges[k + 1])
        if k == len(edges) - 2:
            inside |= p == edges[k + 1]
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return float(total)


# %% ece-searchsorted right="ece-closed-edges"
# Bin numbers with searchsorted; share times distance is the absolute sum of p - y over n.
def ece(p, y, edges):
    bins = np.minimum(np.searchsorted(edges, p, side="right") - 1, len(edges) - 2)
    return np.abs(np.bincount(bins, weights=p - y)).sum() / len(p)


# %% ece-multiplies-equal-bins wrong="ece-closed-edges"
# Shortcut floor(p * m) for equal steps: 0.29 * 100 is 28.999..., so forecasts on some edges fall
# into the bin below.
def ece(p, y, edges):
    m = len(edges) - 1
    if np.allclose(edges, np.linspace(0, 1, m + 1)):
        bins = np.floor(p * m).astype(int)
    else:
        bins = np.digitize(p, edges) - 1
    bins = np.clip(bins, 0, m - 1)
    gaps = np.bincount(bins, weights=p - y, minlength=m)
    return np.abs(gaps).sum() / len(p)


# %% ece-rounds-forecasts wrong="ece-closed-edges"
# Rounds p to five decimals before binning, against noise on the edges: a forecast that lies 2e-6
# below an edge is counted above it.
def ece(p, y, edges):
    bins = np.digitize(np.round(p, 5), np.round(edges, 5)) - 1
    bins[bins == len(edges) - 1] = len(edges) - 2
    return sum(
        np.mean(bins == k) * abs(p[bins == k].mean() - y[bins == k].mean())
        for k in np.unique(bins)
    )


# %% ece-merges-narrow-bins wrong="ece-closed-edges"
# Cleans the edges with unique(round(edges, 3)): bins of 1e-4 are merged, and an edge like 0.3333
# moves.
def ece(p, y, edges):
    clean = np.unique(np.round(edges, 3))
    bins = np.clip(np.searchsorted(clean, p, side="right") - 1, 0, len(clean) - 2)
    return np.abs(np.bincount(bins, weights=p - y)).sum() / len(p)


# %% ece-reduceat-loses-last wrong="ece-closed-edges"
# Sorted sums with reduceat, starts clipped to n - 1: if the last bin is empty, the last example
# leaves its own bin.
def ece(p, y, edges):
    order = np.argsort(p, kind="stable")
    starts = np.searchsorted(p[order], edges[:-1], side="left")
    counts = np.diff(np.append(starts, len(p)))
    gaps = np.add.reduceat((p - y)[order], np.minimum(starts, len(p) - 1))
    gaps[counts == 0] = 0
    return np.abs(gaps).sum() / len(p)


# %% base-bincount right="base-rate-scores"
# Shares from bincount; the Brier score expanded into 1 - 2 q[y] + sum of q squared.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    accuracy = float(np.mean(test == np.argmax(q)))
    brier = float(np.mean(1 - 2 * q[test]) + np.sum(q**2))
    with np.errstate(divide="ignore"):
        nll = float(-np.log(q[test]).mean())
    return accuracy, abs(float(q.max()) - accuracy), brier, nll


# %% base-one-hot right="base-rate-scores"
# One-hot labels and a full table of forecasts.
def base_rate_scores(train, test, classes):
    shares = np.array([np.mean(train == c) for c in range(classes)])
    forecasts = np.tile(shares, (len(test), 1))
    onehot = np.eye(classes)[test]
    accuracy = (forecasts.argmax(axis=1) == test).mean()
    ece = np.abs(np.mean(forecasts.max(axis=1) - (forecasts.argmax(axis=1) == test)))
    brier = ((forecasts - onehot) ** 2).sum(axis=1).mean()
    given = forecasts[np.arange(len(test)), test]
    nll = np.inf if (given == 0).any() else -np.log(given).sum() / len(test)
    return accuracy, ece, brier, nll


# %% base-cross-entropy-of-shares wrong="base-rate-scores"
# NLL as -sum(share in test * log share in train): 0 * -inf = nan for a class that neither has.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    r = np.bincount(test, minlength=classes) / len(test)
    top = np.argmax(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        nll = -np.sum(r * np.log(q))
    brier = 1 - 2 * np.sum(q * r) + np.sum(q * q)
    return r[top], abs(q[top] - r[top]), brier, nll


# %% base-most-common wrong="base-rate-scores"
# Counter.most_common takes, of equally frequent classes, the one seen first, not the lowest.
def base_rate_scores(train, test, classes):
    from collections import Counter

    counts = Counter(train.tolist())
    q = np.array([counts[c] / len(train) for c in range(classes)])
    top = counts.most_common(1)[0][0]
    accuracy = np.mean(test == top)
    brier = np.mean(np.sum((q - np.eye(classes)[test]) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        nll = np.mean(-np.log(q[test]))
    return accuracy, abs(q[top] - accuracy), brier, nll


# %% base-seen-classes-only wrong="base-rate-scores"
# Sums the Brier score over the classes of the training labels only: an unseen class in test
# loses its 1.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    seen = np.unique(train)
    top = int(q.argmax())
    accuracy = float((test == top).mean())
    distance = sum((q[c] - (test == c)) ** 2 for c in seen)
    with np.errstate(divide="ignore"):
        nll = float(np.mean(-np.log(q[test])))
    return accuracy, abs(q[top] - accuracy), float(distance.mean()), nll


# %% base-signed-gap wrong="base-rate-scores"
# ECE without the absolute value, accuracy minus confidence: negative where the forecast is too
# sure.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == np.argmax(q))
    brier = np.mean(((q - np.eye(classes)[test]) ** 2).sum(axis=1))
    with np.errstate(divide="ignore"):
        nll = -np.mean(np.log(q[test]))
    return accuracy, accuracy - q.max(), brier, nll


# %% table-array-split right="reliability-table"
# array_split of the sorted order, one row after another.
def reliability_table(p, y, groups, level):
    from scipy.stats import norm

    z = norm.isf((1 - level) / 2)
    rows = []
    for part in np.array_split(np.argsort(p, kind="stable"), groups):
        c, k = len(part), y[part].sum()
        center = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[part].mean(), k / c, center - half, center + half])
    return np.array(rows, dtype=float)


# %% table-vectorised right="reliability-table"
# Counts from divmod, sums with bincount, and the interval for all rows at once.
def reliability_table(p, y, groups, level):
    base, extra = divmod(len(p), groups)
    counts = base + (np.arange(groups) < extra)
    order = np.argsort(p)
    number = np.repeat(np.arange(groups), counts)
    mean = np.bincount(number, weights=p[order], minlength=groups) / counts
    ones = np.bincount(number, weights=y[order], minlength=groups)
    z = np.sqrt(2) * special.erfinv(level)
    root = z * np.sqrt(ones * (counts - ones) / counts + z * z / 4)
    low = (ones + z * z / 2 - root) / (counts + z * z)
    high = (ones + z * z / 2 + root) / (counts + z * z)
    return np.stack([counts, mean, ones / counts, low, high], axis=1)


# %% table-single-precision-sort wrong="reliability-table"
# Sorts a float32 copy of p: forecasts a billionth apart are equal there and keep their order.
def reliability_table(p, y, groups, level):
    z = -special.ndtri((1 - level) / 2)
    order = np.argsort(p.astype(np.float32), kind="stable")
    table = np.empty((groups, 5))
    for g, part in enumerate(np.array_split(order, groups)):
        c, k = len(part), y[part].sum()
        half = z * np.sqrt(k * (c - k) / c + z**2 / 4)
        ends = (k + z**2 / 2 + np.array([-half, half])) / (c + z**2)
        table[g] = c, p[part].mean(), k / c, *ends
    return table


# %% table-rounded-borders wrong="reliability-table"
# Borders at ceil(linspace(0, n, groups + 1)): counts differ by at most one, but the larger are
# not always first (10 in 4: 3, 2, 3, 2).
def reliability_table(p, y, groups, level):
    z = -special.ndtri((1 - level) / 2)
    order = np.argsort(p)
    borders = np.ceil(np.linspace(0, len(p), groups + 1) - 1e-9).astype(int)
    rows = []
    for start, stop in zip(borders[:-1], borders[1:]):
        part = order[start:stop]
        c, k = stop - start, y[part].sum()
        center, half = k + z**2 / 2, z * np.sqrt(k * (c - k) / c + z**2 / 4)
        low, high = (center - half) / (c + z**2), (center + half) / (c + z**2)
        rows.append((c, p[part].mean(), y[part].mean(), low, high))
    return np.array(rows)


# %% table-exact-end-without-ones wrong="reliability-table"
# In a group without ones it takes the exact one-sided bound 1 - (1 - level)^(1/c) for the upper
# end, not Wilson's.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    rows = []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), int(y[part].sum())
        if k == 0:
            low, high = 0.0, 1 - (1 - level) ** (1 / c)
        else:
            root = np.sqrt(k * (c - k) / c + z**2 / 4)
            low = (k + z**2 / 2 - z * root) / (c + z**2)
            high = (k + z**2 / 2 + z * root) / (c + z**2)
        rows.append([c, p[part].mean(), k / c, low, high])
    return np.array(rows)


# %% table-normal-grid wrong="reliability-table"
# Looks z up in a fine table that ends at 5: too narrow for levels above 0.9999994.
def reliability_table(p, y, groups, level):
    grid = np.linspace(0, 5, 500001)
    z = np.interp(level, special.erf(grid / np.sqrt(2)), grid)
    order = np.argsort(p)
    parts = np.array_split(order, groups)
    c = np.array([len(part) for part in parts])
    k = np.array([y[part].sum() for part in parts])
    mean = np.array([p[part].mean() for part in parts])
    half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
    center = (k + z**2 / 2) / (c + z**2)
    return np.column_stack([c, mean, k / c, center - half, center + half])


# %% parts-bincount right="brier-parts"
# Group numbers from unique, weighted means with bincount, then five weighted sums.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, number = np.unique(group, return_inverse=True)
    number = number.reshape(-1)
    total = np.bincount(number, weights=w)
    pm = (np.bincount(number, weights=w * p) / total)[number]
    ym = (np.bincount(number, weights=w * y) / total)[number]
    base = np.sum(w * y)
    return (
        np.sum(w * (pm - ym) ** 2),
        np.sum(w * (ym - base) ** 2),
        base * np.sum(w * (1 - y)),
        np.sum(w * (p - pm) ** 2),
        2 * np.sum(w * (p - pm) * (y - ym)),
    )


# %% parts-loop-over-groups right="brier-parts"
# Loop over the groups with np.average.
def brier_parts(p, y, group, weight):
    total = weight.sum()
    base = np.average(y, weights=weight)
    reliability = resolution = variance = covariance = 0.0
    for g in set(group.tolist()):
        mask = group == g
        w = weight[mask]
        share = w.sum() / total
        pm, ym = np.average(p[mask], weights=w), np.average(y[mask], weights=w)
        reliability += share * (pm - ym) ** 2
        resolution += share * (ym - base) ** 2
        variance += (w * (p[mask] - pm) ** 2).sum() / total
        covariance += 2 * (w * (p[mask] - pm) * (y[mask] - ym)).sum() / total
    return reliability, resolution, base * (1 - base), variance, covariance


# %% parts-runs-of-groups wrong="brier-parts"
# itertools.groupby without sorting: a group whose examples are not next to each other becomes two.
def brier_parts(p, y, group, weight):
    from itertools import groupby

    w = weight / weight.sum()
    pm, ym = np.empty(len(p)), np.empty(len(p))
    for _, run in groupby(range(len(p)), key=lambda i: group[i]):
        index = list(run)
        pm[index] = np.average(p[index], weights=w[index])
        ym[index] = np.average(y[index], weights=w[index])
    base = w @ y
    return (
        w @ (pm - ym) ** 2,
        w @ (ym - base) ** 2,
        base * (1 - base),
        w @ (p - pm) ** 2,
        2 * w @ ((p - pm) * (y - ym)),
    )


# %% parts-float32-keys wrong="brier-parts"
# Compares group numbers as float32: 999999999 and 1000000000 become one group.
def brier_parts(p, y, group, weight):
    w = weight / np.sum(weight)
    keys = group.astype(np.float32)
    same = (keys[:, None] == keys[None, :]) * w
    same = same / same.sum(axis=1, keepdims=True)
    pm, ym = same @ p, same @ y
    base = np.sum(w * y)
    reliability = np.sum(w * (pm - ym) ** 2)
    resolution = np.sum(w * (ym - base) ** 2)
    variance = np.sum(w * (p - pm) ** 2)
    covariance = 2 * np.sum(w * (p - pm) * (y - ym))
    return reliability, resolution, base * (1 - base), variance, covariance


# %% parts-epsilon-in-the-sum wrong="brier-parts"
# Divides by the sum of the weights plus 1e-8: wrong when all weights are near 1e-10.
def brier_parts(p, y, group, weight):
    w = weight / (weight.sum() + 1e-8)
    pm, ym = np.zeros(len(p)), np.zeros(len(p))
    for g in np.unique(group):
        mask = group == g
        pm[mask] = (w[mask] * p[mask]).sum() / w[mask].sum()
        ym[mask] = (w[mask] * y[mask]).sum() / w[mask].sum()
    base = (w * y).sum()
    return (
        (w * (pm - ym) ** 2).sum(),
        (w * (ym - base) ** 2).sum(),
        base * (1 - base),
        (w * (p - pm) ** 2).sum(),
        2 * (w * (p - pm) * (y - ym)).sum(),
    )


# %% parts-skips-single-examples wrong="brier-parts"
# Leaves out groups with one example, since nothing varies in them: their share of reliability and
# resolution is lost.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    base = np.sum(w * y)
    parts = np.zeros(4)
    for g in np.unique(group):
        mask = group == g
        if mask.sum() < 2:
            continue
        share = w[mask].sum()
        pm, ym = np.sum(w[mask] * p[mask]) / share, np.sum(w[mask] * y[mask]) / share
        dp, dy = p[mask] - pm, y[mask] - ym
        parts += [
            share * (pm - ym) ** 2,
            share * (ym - base) ** 2,
            np.sum(w[mask] * dp**2),
            2 * np.sum(w[mask] * dp * dy),
        ]
    return parts[0], parts[1], base * (1 - base), parts[2], parts[3]


# %% compare-log1p right="paired-comparison"
# NLL with log and log1p by label, differences, np.std with ddof 1.
def compare(p_a, p_b, y):
    n = len(y)

    def loss(p):
        return np.where(y == 1, -np.log(p), -np.log1p(-p))

    nll = loss(p_a) - loss(p_b)
    brier = (p_a - p_b) * (p_a + p_b - 2 * y)
    out = []
    for d in (nll, brier):
        out += [float(d.mean()), float(d.std(ddof=1) / np.sqrt(n))]
    better = out[0] > 2 * out[1] and out[2] > 2 * out[3]
    worse = out[0] < -2 * out[1] and out[2] < -2 * out[3]
    return (*out, int(better) - int(worse))


# %% compare-xlogy-sem right="paired-comparison"
# xlogy and xlog1py for both labels at once, SciPy's standard error of the mean.
def compare(p_a, p_b, y):
    from scipy.stats import sem

    losses = [-special.xlogy(y, p) - special.xlog1py(1 - y, -p) for p in (p_a, p_b)]
    d = np.stack([losses[0] - losses[1], (p_a - y) ** 2 - (p_b - y) ** 2])
    mean, se = d.mean(axis=1), sem(d, axis=1)
    if np.all(mean > 2 * se):
        choice = 1
    elif np.all(mean < -2 * se):
        choice = -1
    else:
        choice = 0
    return mean[0], se[0], mean[1], se[1], choice


# %% compare-clipped-forecasts wrong="paired-comparison"
# Clips forecasts to 1e-9 ... 1 - 1e-9: a wrong forecast of 1e-12 costs too little.
def compare(p_a, p_b, y):
    def nll(p):
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return -(y * np.log(p) + (1 - y) * np.log1p(-p))

    result, signs = [], []
    for d in (nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2):
        mean, se = d.mean(), d.std(ddof=1) / np.sqrt(len(d))
        result += [mean, se]
        signs.append(int(mean > 2 * se) - int(mean < -2 * se))
    return (*result, signs[0] if signs[0] == signs[1] else 0)


# %% compare-at-least-two wrong="paired-comparison"
# Asks for at least, not more than, 2 standard errors: chooses B if both forecast the same.
def compare(p_a, p_b, y):
    n = len(y)
    nll_d = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    brier_d = (p_a - y) ** 2 - (p_b - y) ** 2
    nll, brier = nll_d.mean(), brier_d.mean()
    nll_se, brier_se = np.std(nll_d, ddof=1) / n**0.5, np.std(brier_d, ddof=1) / n**0.5
    choice = 0
    if nll >= 2 * nll_se and brier >= 2 * brier_se:
        choice = 1
    elif nll <= -2 * nll_se and brier <= -2 * brier_se:
        choice = -1
    return nll, nll_se, brier, brier_se, choice


# %% compare-normal-quantile wrong="paired-comparison"
# Takes 1.96, the quantile of the 95% interval, for the 2: chooses where a mean is 1.98 of its
# standard errors from 0.
def compare(p_a, p_b, y):
    from scipy.stats import norm

    n = len(y)
    q = norm.ppf(0.975)
    a = np.where(y == 1, -np.log(p_a), -np.log1p(-p_a))
    b = np.where(y == 1, -np.log(p_b), -np.log1p(-p_b))
    nll, brier = a - b, (p_a - y) ** 2 - (p_b - y) ** 2
    means = [nll.mean(), brier.mean()]
    errors = [nll.std(ddof=1) / np.sqrt(n), brier.std(ddof=1) / np.sqrt(n)]
    choice = 0
    if all(m > q * e for m, e in zip(means, errors)):
        choice = 1
    if all(m < -q * e for m, e in zip(means, errors)):
        choice = -1
    return means[0], errors[0], means[1], errors[1], choice


# %% compare-one-clear-one-sign wrong="paired-comparison"
# The Brier score must be clear, the NLL need only have the same sign: wrong where the mean NLL is
# within 2 of its standard errors.
def compare(p_a, p_b, y):
    n = len(y)
    nll_d = np.where(y == 1, -np.log(p_a), -np.log1p(-p_a))
    nll_d = nll_d - np.where(y == 1, -np.log(p_b), -np.log1p(-p_b))
    brier_d = (p_a - y) ** 2 - (p_b - y) ** 2
    nll, nll_se = nll_d.mean(), nll_d.std(ddof=1) / np.sqrt(n)
    brier, brier_se = brier_d.mean(), brier_d.std(ddof=1) / np.sqrt(n)
    clear = abs(brier) > 2 * brier_se and np.sign(nll) == np.sign(brier)
    return nll, nll_se, brier, brier_se, int(np.sign(brier)) if clear else 0


# %% temperature-brentq right="fit-temperature"
# Root of the derivative with respect to 1/T by Brent's method over log T; distances to the
# label's logit keep offsets out.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    d = z - z[np.arange(len(t)), t][:, None]

    def slope(log_t):
        return np.sum(special.softmax(d * np.exp(-log_t), axis=1) * d)

    root = optimize.brentq(slope, np.log(1e-3) - 0.5, np.log(1e3) + 0.5, xtol=1e-13, rtol=1e-14)
    return float(np.exp(root))


# %% temperature-bisection right="fit-temperature"
# Plain bisection of the inverse temperature, the softmax shifted by each row's largest logit.
def fit_temperature(logits, labels, held_out):
    rows = np.flatnonzero(held_out)
    z = logits[rows] - logits[rows].max(axis=1, keepdims=True)
    own = z[np.arange(len(rows)), labels[rows]]
    low, high = 5e-4, 2e3
    for _ in range(200):
        beta = np.sqrt(low * high)
        e = np.exp(beta * z)
        away = (e * (z - own[:, None])).sum(axis=1) / e.sum(axis=1)
        if away.mean() > 0:
            high = beta
        else:
            low = beta
    return 1 / np.sqrt(low * high)


# %% temperature-default-tolerance wrong="fit-temperature"
# Minimises over log T by Nelder-Mead with its default tolerances of 1e-4: four to five digits.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]

    def nll(log_t):
        logp = special.log_softmax(z / np.exp(log_t[0]), axis=1)
        return -logp[np.arange(len(t)), t].mean()

    found = optimize.minimize(nll, np.array([0.0]), method="Nelder-Mead")
    return float(np.exp(found.x[0]))


# %% temperature-narrow-range wrong="fit-temperature"
# Searches log T between -6.2 and 6.2 only: temperatures beyond 490, or below 1/490, end there.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    d = z - np.take_along_axis(z, t[:, None], axis=1)
    low, high = -6.2, 6.2
    while high - low > 1e-12:
        middle = (low + high) / 2
        slope = (special.softmax(d / np.exp(middle), axis=1) * d).sum(axis=1).mean()
        if slope > 0:  # a smaller 1/T is better
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


# %% temperature-one-shift wrong="fit-temperature"
# Shifts by the largest logit of all rows, not of each: a row far below it, with T small, is 0 / 0.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    z = z - z.max()
    own = z[np.arange(len(t)), t]
    low, high = np.log(5e-4), np.log(2e3)
    for _ in range(100):
        middle = (low + high) / 2
        e = np.exp(z / np.exp(middle))
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = (e * z).sum(axis=1) / e.sum(axis=1)
        if np.nanmean(expected - own) > 0:
            low = middle
        else:
            high = middle
    return float(np.exp(middle))


# %% temperature-float32-logits wrong="fit-temperature"
# Takes the logits as float32, as a network gives them: beside an offset of a million their
# differences are rounded to sixteenths.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out].astype(np.float32).astype(np.float64)
    z = z - z.max(axis=1, keepdims=True)
    t = labels[held_out]
    own = z[np.arange(len(t)), t][:, None]

    def slope(log_t):
        return np.mean(np.sum(special.softmax(z / np.exp(log_t), axis=1) * (z - own), axis=1))

    return np.exp(optimize.brentq(slope, np.log(5e-4), np.log(2e3), xtol=1e-12))


# %% platt-damped-newton right="platt-fit"
# Standardises the scores, Newton with backtracking on the convex loss, and converts back.
def platt_fit(scores, y):
    ones, zeros = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    mean = scores.mean()
    u = scores - mean
    rest = u.mean()
    u = u - rest
    scale = np.sqrt(np.mean(u**2))
    x = np.column_stack([u / scale, np.ones(len(u))])

    def loss(v):
        f = x @ v
        return np.mean(np.logaddexp(0, f) - t * f)

    v = np.zeros(2)
    for _ in range(500):
        p = special.expit(x @ v)
        gradient = x.T @ (p - t) / len(t)
        hessian = (x * (p * (1 - p))[:, None]).T @ x / len(t)
        move = np.linalg.solve(hessian, gradient)
        size = 1.0
        while loss(v - size * move) > loss(v) and size > 1e-12:
            size /= 2
        if size <= 1e-12:
            v = v - move if np.abs(move).max() < 1e-6 else v
            break
        v = v - size * move
        if np.abs(move).max() < 1e-14 * np.abs(v).max():
            break
    a = v[0] / scale
    return a, v[1] - a * (mean + rest)


# %% platt-nested-roots right="platt-fit"
# For each slope the intercept is a root of a monotone function; the slope is a root of another.
def platt_fit(scores, y):
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    low, high = scores.min(), scores.max()
    half = (high - low) / 2
    middle = low + half
    u = (scores - middle) / half

    def intercept(a):
        reach = abs(a) + 10
        return optimize.brentq(
            lambda b: np.sum(special.expit(a * u + b) - t), -reach, reach, xtol=1e-14, rtol=1e-14
        )

    def slope(a):
        return np.sum((special.expit(a * u + intercept(a)) - t) * u)

    bound = 1.0
    while slope(bound) < 0 or slope(-bound) > 0:
        bound *= 2
    a = optimize.brentq(slope, -bound, bound, xtol=1e-14, rtol=1e-13)
    return float(a / half), float(intercept(a) - a * middle / half)


# %% platt-swapped-counts wrong="platt-fit"
# Takes the number of zeros for the target of the ones and the other way round: right only if both
# labels are equally frequent.
def platt_fit(scores, y):
    n1, n0 = np.sum(y), len(y) - np.sum(y)
    t = np.where(y == 1, (n0 + 1) / (n0 + 2), 1 / (n1 + 2))
    mean, scale = scores.mean(), scores.std()
    x = np.stack([(scores - mean) / scale, np.ones(len(y))], axis=1)
    v = np.zeros(2)
    for _ in range(200):
        p = special.expit(x @ v)
        move = np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (p - t))
        v = v - move * min(1.0, 1.0 / np.abs(move).max())
    return v[0] / scale, v[1] - v[0] * mean / scale


# %% platt-only-upwards wrong="platt-fit"
# Fits log a, so that a stays positive: wrong when ones have the smaller scores.
def platt_fit(scores, y):
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    mean, scale = scores.mean(), scores.std()
    u = (scores - mean) / scale

    def best_b(a):
        def f(b):
            return np.sum(special.expit(a * u + b) - t)

        return optimize.brentq(f, -30 * a - 10, 30 * a + 10, xtol=1e-14)

    def slope(log_a):
        a = np.exp(log_a)
        return np.sum((special.expit(a * u + best_b(a)) - t) * u)

    low, high = -15.0, 15.0
    for _ in range(100):
        middle = (low + high) / 2
        if slope(middle) > 0:
            high = middle
        else:
            low = middle
    a = np.exp(middle)
    return a / scale, best_b(a) - a * mean / scale


# %% platt-scaled-not-centred wrong="platt-fit"
# Divides the scores by the largest, but does not centre them: for scores near ten thousand that
# differ by hundredths the two columns are nearly the same and the equations singular.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    scale = np.abs(scores).max()
    x = np.stack([scores / scale, np.ones(len(y))], axis=1)
    v = np.zeros(2)
    for _ in range(100):
        p = special.expit(x @ v)
        hessian = (x.T * (p * (1 - p))) @ x + 1e-10 * np.eye(2)
        move = np.linalg.solve(hessian, x.T @ (p - t))
        longest = np.abs(x @ move).max()
        v = v - move * min(1.0, 2.0 / max(longest, 1e-12))
    return v[0] / scale, v[1]


# %% platt-default-bfgs wrong="platt-fit"
# BFGS with its default tolerance of 1e-5 for the gradient, on standardised scores: four digits.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    mean, scale = scores.mean(), scores.std()
    u = (scores - mean) / scale

    def loss(v):
        f = v[0] * u + v[1]
        return np.mean(np.logaddexp(0, f) - t * f)

    a, b = optimize.minimize(loss, np.zeros(2), method="BFGS").x
    return a / scale, b - a * mean / scale
