# %% searchsorted-right right="ece-closed-edges"
def ece(p, y, edges):
    m = len(edges) - 1
    k = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    gap = np.bincount(k, weights=p - y, minlength=m)
    return float(np.abs(gap).sum() / len(p))


# %% loop-over-bins right="ece-closed-edges"
def ece(p, y, edges):
    total = 0.0
    last = len(edges) - 2
    for k in range(last + 1):
        below = p <= edges[k + 1] if k == last else p < edges[k + 1]
        check = (edges[k] <= p) & below
        if check.any():
            total += check.mean() * abs(p[check].mean() - y[check].mean())
    return np.asarray(total)


# %% generous-edges wrong="ece-closed-edges"
# Edges have a tolerance of 1e-5: p = [0.499998, 0.6], y = [1, 0], edges = [0, 0.5, 1].
def ece(p, y, edges):
    k = np.searchsorted(edges[1:-1] - 1e-5, p, side="right")
    gap = np.bincount(k, weights=p - y)
    return float(np.abs(gap).sum() / len(p))


# %% bin-of-zeros-is-empty wrong="ece-closed-edges"
# A bin whose forecasts sum to 0 passes for empty: p = [0, 0, 0.9], y = [1, 0, 1],
# edges = [0, 0.5, 1].
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    total = 0.0
    for b in range(len(edges) - 1):
        mask = k == b
        if p[mask].sum() == 0:
            continue
        total += mask.mean() * abs(p[mask].mean() - y[mask].mean())
    return total


# %% forecasts-as-keys wrong="ece-closed-edges"
# Equal forecasts overwrite each other: p = [0.2, 0.2, 0.7], y = [1, 0, 1], edges = [0, 0.5, 1].
def ece(p, y, edges):
    label = dict(zip(p.tolist(), y.tolist()))
    q = np.array(sorted(label))
    t = np.array([label[v] for v in q.tolist()])
    k = np.digitize(q, edges[1:-1])
    gap = np.bincount(k, weights=q - t)
    return float(np.abs(gap).sum() / len(q))


# %% rare-bins-ignored wrong="ece-closed-edges"
# A bin with less than a twentieth of the examples is left out: 30 forecasts of 0.9 with y = 1 and
# one of 0.1 with y = 1, edges = [0, 0.5, 1].
def ece(p, y, edges):
    m = len(edges) - 1
    k = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    share = np.bincount(k, minlength=m) / len(p)
    gap = np.abs(np.bincount(k, weights=p - y, minlength=m)) / len(p)
    return float(gap[share > 0.05].sum())


# %% bincount-shares right="base-rate-scores"
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    top = int(np.argmax(share))
    accuracy = float(np.mean(test == top))
    onehot = np.eye(classes)[test]
    brier = float(((onehot - share) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore"):
        nll = float(-np.log(share[test]).mean())
    return accuracy, abs(float(share[top]) - accuracy), brier, nll


# %% plain-python-counts right="base-rate-scores"
def base_rate_scores(train, test, classes):
    import math

    labels = train.tolist()
    share = [labels.count(c) / len(labels) for c in range(classes)]
    top = share.index(max(share))
    hits, y, k = 0, [], []
    square = math.fsum(s * s for s in share)
    for label in test.tolist():
        hits += label == top
        y.append(square - 2 * share[label] + 1)
        k.append(-math.log(share[label]) if share[label] > 0 else math.inf)
    n = len(test)
    return hits / n, abs(share[top] - hits / n), sum(y) / n, sum(k) / n


# %% cross-entropy-of-counts wrong="base-rate-scores"
# 0 times log 0 is nan for a class in neither array: train = [0, 1], test = [0], classes = 3.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    seen = np.bincount(test, minlength=classes) / len(test)
    top = np.argmax(share)
    with np.errstate(divide="ignore", invalid="ignore"):
        nll = -np.sum(seen * np.log(share))
    brier = np.sum(share**2) - 2 * seen @ share + 1
    return seen[top], abs(share[top] - seen[top]), brier, nll


# %% first-seen-of-ties wrong="base-rate-scores"
# Of equally frequent classes takes the first in the array: train = [1, 0], test = [0].
def base_rate_scores(train, test, classes):
    from collections import Counter

    share = np.bincount(train, minlength=classes) / len(train)
    top = Counter(train.tolist()).most_common(1)[0][0]
    accuracy = np.mean(test == top)
    brier = np.mean(np.sum((np.eye(classes)[test] - share) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        nll = -np.mean(np.log(share[test]))
    return accuracy, abs(share[top] - accuracy), brier, nll


# %% signed-gap wrong="base-rate-scores"
# The gap keeps its sign: train = [0, 0], test = [1], classes = 2 gives an ECE of -1.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = np.mean(np.sum((np.eye(classes)[test] - share) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        nll = -np.mean(np.log(share[test]))
    return accuracy, accuracy - share.max(), brier, nll


# %% brier-over-known-classes wrong="base-rate-scores"
# Sums over the classes in train alone: train = [0, 0, 1], test = [2], classes = 3.
def base_rate_scores(train, test, classes):
    known, counts = np.unique(train, return_counts=True)
    share = counts / len(train)
    accuracy = np.mean(test == known[share.argmax()])
    hit = test[:, None] == known[None, :]
    brier = np.mean(np.sum((hit - share) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        nll = -np.mean(np.log((hit * share).sum(axis=1)))
    return accuracy, abs(share.max() - accuracy), brier, nll


# %% array-split right="reliability-table"
def reliability_table(p, y, groups, level):
    order = np.argsort(p)
    z = -special.ndtri((1 - level) / 2)
    rows = []
    for part in np.array_split(order, groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% running-sums right="reliability-table"
def reliability_table(p, y, groups, level):
    from scipy import stats

    n = len(p)
    size = n // groups + (np.arange(groups) < n % groups)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    pairs = sorted(zip(p.tolist(), y.tolist()))
    check = np.array(pairs, dtype=float)
    sums = np.add.reduceat(check, start, axis=0)
    z = stats.norm.isf((1 - level) / 2)
    k, c = sums[:, 1], size
    root = z * np.sqrt(k * (c - k) / c + z * z / 4)
    ends = [(k + z * z / 2 + sign * root) / (c + z * z) for sign in (-1, 1)]
    return np.stack([c, sums[:, 0] / c, k / c, *ends], axis=1)


# %% all-but-last-full wrong="reliability-table"
# Every group but the last gets the rounded-up size: n = 9, groups = 4 gives 3, 3, 3, 0.
def reliability_table(p, y, groups, level):
    order = np.argsort(p)
    size = -(-len(p) // groups)
    z = special.ndtri(0.5 + level / 2)
    table = np.zeros((groups, 5))
    for g in range(groups):
        part = order[g * size : (g + 1) * size]
        c, k = len(part), y[part].sum()
        if c == 0:
            continue
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        table[g] = c, p[part].mean(), k / c, centre - half, centre + half
    return table


# %% sorts-rounded-forecasts wrong="reliability-table"
# Sorting sees eight decimals only: p = [0.500000002, 0.500000001], y = [1, 0], groups = 2.
def reliability_table(p, y, groups, level):
    order = np.argsort(np.round(p, 8), kind="stable")
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for part in np.array_split(order, groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% no-ones-no-interval wrong="reliability-table"
# A group without ones gets 0 and 3 / c, capped at 1: p = [0.1, 0.2], y = [0, 0], groups = 1.
def reliability_table(p, y, groups, level):
    order = np.argsort(p)
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for part in np.array_split(order, groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        low, high = centre - half, centre + half
        if k == 0:
            low, high = 0.0, min(1.0, 3 / c)
        rows.append([c, p[part].mean(), k / c, low, high])
    return np.array(rows)


# %% quantile-up-to-six wrong="reliability-table"
# The quantile is sought below 6: y = [1], p = [0.5], groups = 1, level = 1 - 1e-9.
def reliability_table(p, y, groups, level):
    z, top = 0.0, 6.0
    for _ in range(100):
        middle = (z + top) / 2
        if special.erf(middle / np.sqrt(2)) < level:
            z = middle
        else:
            top = middle
    rows = []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% unique-inverse right="brier-parts"
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    mass = np.bincount(k, weights=w)
    pm = (np.bincount(k, weights=w * p) / mass)[k]
    ym = (np.bincount(k, weights=w * y) / mass)[k]
    mean = w @ y
    dp, dy = p - pm, y - ym
    return (
        w @ (pm - ym) ** 2,
        w @ (ym - mean) ** 2,
        mean * (w @ (1 - y)),
        w @ dp**2,
        2 * (w @ (dp * dy)),
    )


# %% groups-one-by-one right="brier-parts"
def brier_parts(p, y, group, weight):
    import math

    total = math.fsum(weight)
    ones = math.fsum(weight[y == 1]) / total
    zeros = math.fsum(weight[y == 0]) / total
    parts = np.zeros(5)
    parts[2] = ones * zeros
    for g in set(group.tolist()):
        k = group == g
        u = weight[k] / weight[k].max()
        u = u / u.sum()
        a, b = np.dot(u, p[k]), np.dot(u, y[k])
        inner = [
            (a - b) ** 2,
            (b - ones) ** 2,
            0.0,
            np.dot(u, (p[k] - a) ** 2),
            2 * np.dot(u, (p[k] - a) * (y[k] - b)),
        ]
        parts += math.fsum(weight[k]) / total * np.array(inner)
    return tuple(parts)


# %% neighbours-form-groups wrong="brier-parts"
# Takes each run of equal labels for a group: group = [0, 1, 0], p = [0.1, 0.5, 0.7],
# y = [0, 1, 1], equal weights.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    k = np.concatenate([[0], np.cumsum(np.diff(group) != 0)])
    mass = np.bincount(k, weights=w)
    pm = (np.bincount(k, weights=w * p) / mass)[k]
    ym = (np.bincount(k, weights=w * y) / mass)[k]
    mean = w @ y
    dp, dy = p - pm, y - ym
    reliability, resolution = w @ (pm - ym) ** 2, w @ (ym - mean) ** 2
    return reliability, resolution, mean * (1 - mean), w @ dp**2, 2 * w @ (dp * dy)


# %% epsilon-in-the-mass wrong="brier-parts"
# An epsilon under every mean: all weights 1e-10, p = [0.2, 0.6], y = [0, 1], group = [1, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    pm, ym = np.zeros(len(p)), np.zeros(len(p))
    for g in np.unique(group):
        k = group == g
        mass = weight[k].sum() + 1e-12
        pm[k] = (weight[k] * p[k]).sum() / mass
        ym[k] = (weight[k] * y[k]).sum() / mass
    mean = w @ y
    dp, dy = p - pm, y - ym
    reliability, resolution = w @ (pm - ym) ** 2, w @ (ym - mean) ** 2
    return reliability, resolution, mean * (1 - mean), w @ dp**2, 2 * w @ (dp * dy)


# %% mean-square-minus-square right="brier-parts"
# Written as wrong; right since the text promises no digits of a variance as small as 1e-17.
# Its reader's words:
# The variance is a difference: p = [0.7, 0.70000001], y = [0, 1], group = [1, 1], weight = [1, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    mass = np.bincount(k, weights=w)
    pm = (np.bincount(k, weights=w * p) / mass)[k]
    ym = (np.bincount(k, weights=w * y) / mass)[k]
    mean = w @ y
    variance = w @ p**2 - w @ pm**2
    covariance = 2 * (w @ (p * y) - w @ (pm * ym))
    reliability, resolution = w @ (pm - ym) ** 2, w @ (ym - mean) ** 2
    return reliability, resolution, mean * (1 - mean), variance, covariance


# %% labels-in-single wrong="brier-parts"
# float32 joins two groups: group = [1000000000, 999999999], p = [0.2, 0.9], y = [1, 0].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    table = np.stack([group, p, y, w], axis=1)
    labels = table[:, 0].astype(np.float32)
    _, k = np.unique(labels, return_inverse=True)
    mass = np.bincount(k, weights=w)
    pm = (np.bincount(k, weights=w * p) / mass)[k]
    ym = (np.bincount(k, weights=w * y) / mass)[k]
    mean = w @ y
    dp, dy = p - pm, y - ym
    reliability, resolution = w @ (pm - ym) ** 2, w @ (ym - mean) ** 2
    return reliability, resolution, mean * (1 - mean), w @ dp**2, 2 * w @ (dp * dy)


# %% log-of-the-right-side right="paired-comparison"
def compare(p_a, p_b, y):
    def losses(p):
        return np.where(y == 1, -np.log(p), -np.log1p(-p)), (p - y) ** 2

    (na, ba), (nb, bb) = losses(p_a), losses(p_b)
    out, verdicts = [], []
    for d in (na - nb, ba - bb):
        mean, se = d.mean(), d.std(ddof=1) / np.sqrt(len(d))
        out += [float(mean), float(se)]
        verdicts.append(int(mean > 2 * se) - int(mean < -2 * se))
    choice = verdicts[0] if verdicts[0] == verdicts[1] else 0
    return (*out, choice)


# %% statistics-module right="paired-comparison"
def compare(p_a, p_b, y):
    import math
    import statistics

    def y_loss(p, label):
        return -math.log(p) if label else -math.log1p(-p)

    rows = list(zip(p_a.tolist(), p_b.tolist(), y.tolist()))
    nll = [y_loss(a, t) - y_loss(b, t) for a, b, t in rows]
    brier = [(a - b) * (a + b - 2 * t) for a, b, t in rows]
    result = []
    for k in (nll, brier):
        result.append(math.fsum(k) / len(k))
        result.append(statistics.stdev(k) / math.sqrt(len(k)))
    low = min(result[0] - 2 * result[1], result[2] - 2 * result[3])
    high = max(result[0] + 2 * result[1], result[2] + 2 * result[3])
    return (*result, np.int64(1 if low > 0 else -1 if high < 0 else 0))


# %% clips-at-ten-digits wrong="paired-comparison"
# Forecasts are clipped at 1e-10: p_a = [1e-12, 0.5], p_b = [0.5, 0.4], y = [1, 0].
def compare(p_a, p_b, y):
    def nll(p):
        q = np.clip(p, 1e-10, 1 - 1e-10)
        return -(y * np.log(q) + (1 - y) * np.log1p(-q))

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    ds, es = d.std(ddof=1) / np.sqrt(n), e.std(ddof=1) / np.sqrt(n)
    up = d.mean() > 2 * ds and e.mean() > 2 * es
    down = d.mean() < -2 * ds and e.mean() < -2 * es
    return d.mean(), ds, e.mean(), es, int(up) - int(down)


# %% no-spread-no-choice wrong="paired-comparison"
# Differences that are all equal give no choice: p_a = [0.3, 0.3], p_b = [0.6, 0.6], y = [1, 1].
def compare(p_a, p_b, y):
    def nll(p):
        return -(special.xlogy(y, p) + special.xlog1py(1 - y, -p))

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    ds, es = d.std(ddof=1) / np.sqrt(n), e.std(ddof=1) / np.sqrt(n)
    choice = 0
    if ds > 0 and es > 0:
        t = np.array([d.mean() / ds, e.mean() / es])
        choice = 1 if (t > 2).all() else -1 if (t < -2).all() else 0
    return d.mean(), ds, e.mean(), es, choice


# %% brier-sign-is-enough wrong="paired-comparison"
# The NLL must be sure, of the Brier score the sign alone counts: p_a = [0.1, 0.1, 0.2, 0.2],
# p_b = [0.8, 0.2, 0.4, 0.1], y = [1, 1, 1, 0] must give 0.
def compare(p_a, p_b, y):
    def nll(p):
        return -(special.xlogy(y, p) + special.xlog1py(1 - y, -p))

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    ds, es = d.std(ddof=1) / np.sqrt(n), e.std(ddof=1) / np.sqrt(n)
    sure = abs(d.mean()) > 2 * ds
    choice = int(np.sign(d.mean())) if sure and d.mean() * e.mean() > 0 else 0
    return d.mean(), ds, e.mean(), es, choice


# %% likelihood-in-single wrong="paired-comparison"
# float32 turns 1 - 1e-12 into 1: p_a = [1 - 1e-12, 0.5], p_b = [0.5, 0.4], y = [0, 1] gives inf.
def compare(p_a, p_b, y):
    def nll(p):
        q = np.where(y == 1, p, 1 - p.astype(np.float32))
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.log(q)

    with np.errstate(invalid="ignore"):
        d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
        n = len(y)
        ds, es = d.std(ddof=1) / np.sqrt(n), e.std(ddof=1) / np.sqrt(n)
    up = d.mean() > 2 * ds and e.mean() > 2 * es
    down = d.mean() < -2 * ds and e.mean() < -2 * es
    return d.mean(), ds, e.mean(), es, int(up) - int(down)


# %% bisect-the-slope right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    d = z - z[np.arange(len(t)), t][:, None]

    def slope(log_t):
        return (special.softmax(d * np.exp(-log_t), axis=1) * d).sum()

    low, high = np.log(1e-3) - 0.01, np.log(1e3) + 0.01
    for _ in range(100):
        middle = (low + high) / 2
        if slope(middle) > 0:  # the slope over 1 / T: too cold
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


# %% safeguarded-newton right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    z = logits[held_out] - logits[held_out].max(axis=1, keepdims=True)
    y = labels[held_out]
    k = z - np.take_along_axis(z, y[:, None], axis=1)

    def gradient(beta):
        q = special.softmax(z * beta, axis=1)
        first = (q * k).sum(axis=1)
        second = (q * (k - first[:, None]) ** 2).sum(axis=1)
        return first.sum(), second.sum()

    low, high, beta = 0.5e-3, 2e3, 1.0
    for _ in range(300):
        g, h = gradient(beta)
        low, high = (low, beta) if g > 0 else (beta, high)
        new = beta - g / h if h > 0 else -1.0
        if not low < new < high:
            new = np.sqrt(low * high)
        if abs(new - beta) <= 1e-14 * beta:
            break
        beta = new
    return np.array(1 / new)


# %% logits-in-single wrong="fit-temperature"
# float32 loses the differences under an offset: two rows [1e6 + 1.02, 1e6], labels 0, 1 and a row
# [1e6 + 0.98, 1e6] with label 0.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out].astype(np.float32)
    z = (z - z.max(axis=1, keepdims=True)).astype(float)
    d = z - z[np.arange(len(z)), labels[held_out]][:, None]

    def slope(log_t):
        return (special.softmax(d * np.exp(-log_t), axis=1) * d).sum()

    return float(np.exp(optimize.brentq(slope, -7, 7, xtol=1e-13, rtol=1e-13)))


# %% clips-probabilities wrong="fit-temperature"
# Labels below a probability of 1e-6 no longer pull: 99 rows [10, 0] with label 0 and one row
# [200, 0] with label 1.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    d = z - z[np.arange(len(t)), t][:, None]

    def slope(log_t):
        q = special.softmax(d * np.exp(-log_t), axis=1)
        seen = q[np.arange(len(t)), t] > 1e-6
        return (q * d)[seen].sum()

    high = 7.0
    while high > -7 and slope(high - 0.1) <= 0:
        high -= 0.1
    low = high - 0.1
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return float(np.exp(low))


# %% one-row-collapses wrong="fit-temperature"
# A single held-out row loses its axis: logits = [[1, 3, 0, -4]], labels = [0], all held out.
def fit_temperature(logits, labels, held_out):
    z, t = np.squeeze(logits[held_out]), labels[held_out]
    z = z - z.max(axis=-1, keepdims=True)
    d = z - np.take(z.T, t, axis=0).diagonal()[:, None] if z.ndim == 2 else z - z.mean()

    def slope(log_t):
        return (special.softmax(d * np.exp(-log_t), axis=-1) * d).sum()

    low, high = -7.0, 7.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return float(np.exp(low))


# %% search-within-five-hundred wrong="fit-temperature"
# T is sought between 1/500 and 500: logits = [[0, 600], [650, 0], [650, 0]],
# labels = [0, 0, 0] need about 800.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]
    d = z - z[np.arange(len(t)), t][:, None]

    def slope(log_t):
        return (special.softmax(d * np.exp(-log_t), axis=1) * d).sum()

    low, high = -np.log(500), np.log(500)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return float(np.exp((low + high) / 2))


# %% newton-with-halving right="platt-fit"
def platt_fit(scores, y):
    ones = int((y == 1).sum())
    zeros = len(y) - ones
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    centre = scores.mean()
    x = scores - centre
    scale = np.abs(x).max()
    x = np.stack([x / scale, np.ones(len(y))], axis=1)

    def loss(v):
        u = x @ v
        return np.mean(np.logaddexp(0, u) - t * u)

    v = np.zeros(2)
    for _ in range(300):
        u = x @ v
        p = special.expit(u)
        g = x.T @ (p - t) / len(t)
        h = (x * (p * special.expit(-u))[:, None]).T @ x / len(t)
        step = np.linalg.solve(h, g)
        size, now = 1.0, loss(v)
        while size > 1e-10 and loss(v - size * step) > now - 1e-4 * size * (g @ step) + 1e-15:
            size /= 2
        v = v - size * step
        if np.abs(step).max() < 1e-14 * np.abs(v).max():
            break
    return float(v[0] / scale), float(v[1] - v[0] * (centre / scale))


# %% one-inside-the-other right="platt-fit"
def platt_fit(scores, y):
    k = np.count_nonzero(y)
    t = np.where(y > 0, (k + 1) / (k + 2), 1 / (len(y) - k + 2))
    middle = (scores.max() + scores.min()) / 2
    x = (scores - middle) / (scores.max() - scores.min())

    def intercept(a):
        def total(b):
            return (special.expit(a * x + b) - t).sum()

        reach = abs(a) + 10
        return optimize.brentq(total, -reach, reach, xtol=1e-15, rtol=1e-15, maxiter=500)

    def gradient(a):
        return ((special.expit(a * x + intercept(a)) - t) * x).sum()

    far = 1.0
    while gradient(far) < 0:
        far *= 2
    near = -1.0
    while gradient(near) > 0:
        near *= 2
    a = optimize.brentq(gradient, near, far, xtol=1e-15, rtol=1e-15, maxiter=500)
    width = scores.max() - scores.min()
    return np.float64(a / width), np.float64(intercept(a) - a * (middle / width))


# %% counts-swapped wrong="platt-fit"
# The numbers of ones and zeros are swapped in the targets, which shows unless they are equal:
# scores = [-1, 0, 1, 2], y = [0, 0, 0, 1].
def platt_fit(scores, y):
    n0, n1 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre, scale = scores.mean(), scores.std()
    x = np.stack([(scores - centre) / scale, np.ones(len(y))], axis=1)
    v = np.zeros(2)
    for _ in range(100):
        p = special.expit(x @ v)
        h = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.solve(h, x.T @ (p - t))
        v = v - step / max(1.0, np.abs(step).max())
    return v[0] / scale, v[1] - v[0] * centre / scale


# %% scaled-not-centred wrong="platt-fit"
# Scores are divided by the largest but not centred: scores = 10000 - [0, 1, 2, 3] * 0.0003,
# y = [1, 0, 1, 0].
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    scale = np.abs(scores).max()
    x = np.stack([scores / scale, np.ones(len(y))], axis=1)

    def loss(v):
        u = x @ v
        return np.mean(np.logaddexp(0, u) - t * u)

    v = np.zeros(2)
    for _ in range(100):
        p = special.expit(x @ v)
        h = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.lstsq(h, x.T @ (p - t), rcond=None)[0]
        size = 1.0
        while size > 1e-10 and loss(v - size * step) > loss(v):
            size /= 2
        v = v - size * step
    return v[0] / scale, v[1]


# %% logit-capped-at-four wrong="platt-fit"
# a s + b is capped at 4 either way: 100 scores of -1 with y = 0 and 100 of 1 with y = 1.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre, scale = scores.mean(), scores.std()
    x = np.stack([(scores - centre) / scale, np.ones(len(y))], axis=1)
    v = np.zeros(2)
    for _ in range(200):
        p = special.expit(np.clip(x @ v, -4, 4))
        h = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.solve(h, x.T @ (p - t))
        v = v - step / max(1.0, np.abs(step).max())
    return v[0] / scale, v[1] - v[0] * centre / scale


# %% ten-newton-steps wrong="platt-fit"
# Ten steps, none longer than 1, are too few where a is large beside the spread: 50 scores of
# 0 with y = 0, 50 of 1 with y = 1, and one of 1000 with y = 1.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre, scale = scores.mean(), scores.std()
    x = np.stack([(scores - centre) / scale, np.ones(len(y))], axis=1)
    v = np.zeros(2)
    for _ in range(10):
        p = special.expit(x @ v)
        h = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.solve(h, x.T @ (p - t))
        v = v - step / max(1.0, np.abs(step).max())
    return v[0] / scale, v[1] - v[0] * centre / scale
