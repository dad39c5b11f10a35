# %% searchsorted right="ece-closed-edges"
def ece(p, y, edges):
    k = np.searchsorted(edges, p, side="right") - 1
    k = np.minimum(k, len(edges) - 2)
    gaps = np.bincount(k, weights=p - y)
    return np.abs(gaps).sum() / len(p)


# %% bin-by-bin right="ece-closed-edges"
def ece(p, y, edges):
    def check(low, high, last):
        inside = (p >= low) & ((p < high) | (last & (p == high)))
        k = int(inside.sum())
        return k / p.size * abs(p[inside].mean() - y[inside].mean()) if k else 0.0

    m = len(edges) - 1
    return sum(check(edges[j], edges[j + 1], j == m - 1) for j in range(m))


# %% a-little-room right="ece-closed-edges"
# Right where forecasts keep a millionth away from edges.
def ece(p, y, edges):
    k = np.minimum(np.searchsorted(edges, p + 1e-9, side="right") - 1, len(edges) - 2)
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% bins-with-ones-only wrong="ece-closed-edges"
# A bin without any label 1 counts as empty: p = [0.2], y = [0], edges 0, 1.
def ece(p, y, edges):
    count = np.histogram(p, edges)[0]
    ones = np.histogram(p, edges, weights=y)[0]
    total = np.histogram(p, edges, weights=p)[0]
    filled = ones > 0
    gap = np.abs(total[filled] / count[filled] - ones[filled] / count[filled])
    return (count[filled] / len(p) * gap).sum()


# %% forecasts-of-zero-only wrong="ece-closed-edges"
# A bin in which all forecasts are 0 counts as empty: p = [0, 0.7], y = [1, 1], edges 0, 0.5, 1.
def ece(p, y, edges):
    k = np.clip(np.digitize(p, edges) - 1, 0, len(edges) - 2)
    result = 0.0
    for j in range(len(edges) - 1):
        mean = p[k == j].sum() / max((k == j).sum(), 1)
        if mean > 0:
            result += (k == j).mean() * abs(mean - y[k == j].mean())
    return result


# %% one-pushed-below-one right="ece-closed-edges"
# Right for bins of at least 1e-4.
def ece(p, y, edges):
    k = np.searchsorted(edges, np.minimum(p, 1 - 1e-6), side="right") - 1
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% counted-and-vectorised right="base-rate-scores"
def base_rate_scores(train, test, classes):
    k = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == np.argmax(k))
    brier = np.sum((k - np.eye(classes)[test]) ** 2, axis=1).mean()
    with np.errstate(divide="ignore"):
        return accuracy, abs(k.max() - accuracy), brier, np.mean(-np.log(k[test]))


# %% example-by-example right="base-rate-scores"
import math


def base_rate_scores(train, test, classes):
    def check(k):
        return sum(int(label) == k for label in train) / len(train)

    y = [check(k) for k in range(classes)]
    top = y.index(max(y))
    hits = brier = nll = 0.0
    for label in test:
        hits += label == top
        brier += sum((share - (k == label)) ** 2 for k, share in enumerate(y))
        nll += -math.log(y[label]) if y[label] > 0 else math.inf
    n = len(test)
    return hits / n, abs(y[top] - hits / n), brier / n, nll / n


# %% gap-without-size wrong="base-rate-scores"
# The gap keeps its sign: train [0, 0, 1], test [1, 1, 0], 2 classes.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    accuracy = (test == q.argmax()).mean()
    brier = ((q - np.eye(classes)[test]) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        return accuracy, accuracy - q.max(), brier, -np.log(q[test]).mean()


# %% first-met-of-equals wrong="base-rate-scores"
# Of equally frequent classes the first one met is taken: train [1, 0], test [0, 0, 1], 2.
def base_rate_scores(train, test, classes):
    from collections import Counter

    q = np.bincount(train, minlength=classes) / len(train)
    top = Counter(train.tolist()).most_common(1)[0][0]
    accuracy = (test == top).mean()
    brier = ((q - np.eye(classes)[test]) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        return accuracy, abs(accuracy - q.max()), brier, -np.log(q[test]).mean()


# %% distance-over-seen-classes wrong="base-rate-scores"
# The Brier score omits classes that training lacks: train [0, 1], test [2, 0], 3 classes.
def base_rate_scores(train, test, classes):
    seen, count = np.unique(train, return_counts=True)
    q = np.zeros(classes)
    q[seen] = count / len(train)
    accuracy = (test == q.argmax()).mean()
    brier = ((q[seen] - (test[:, None] == seen)) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        return accuracy, abs(accuracy - q.max()), brier, -np.log(q[test]).mean()


# %% nothing-times-infinity wrong="base-rate-scores"
# A class in neither array makes the NLL nan: train [0, 1], test [0, 1], 3 classes.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    share = np.bincount(test, minlength=classes) / len(test)
    accuracy = share[q.argmax()]
    brier = (q**2).sum() - 2 * (q * share).sum() + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return accuracy, abs(accuracy - q.max()), brier, -(share * np.log(q)).sum()


# %% split-the-order right="reliability-table"
def reliability_table(p, y, groups, level):
    rows, z = [], special.ndtri(0.5 + level / 2)
    for k in np.array_split(np.argsort(p), groups):
        c, share = len(k), y[k].mean()
        centre = (share * c + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(c * share * (1 - share) + z**2 / 4)
        rows.append([c, p[k].mean(), share, centre - half, centre + half])
    return np.array(rows)


# %% running-sums right="reliability-table"
import torch
from scipy import stats


def reliability_table(p, y, groups, level):
    def check(k):
        return np.diff(np.concatenate([[0.0], np.cumsum(k[order])])[ends])

    n, order = len(p), np.argsort(p)
    sizes = [n // groups + (j < n % groups) for j in range(groups)]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    c, k, z = np.array(sizes), check(y), stats.norm.isf((1 - level) / 2)
    reach = z * np.sqrt(k * (c - k) / c + z**2 / 4)
    columns = [c, check(p) / c, k / c] + [(k + z**2 / 2 + s * reach) / (c + z**2) for s in (-1, 1)]
    return torch.from_numpy(np.stack(columns, axis=1))


# %% full-pieces-first wrong="reliability-table"
# All pieces but the last are full: ten forecasts in 4 groups give 3, 3, 3, 1.
def reliability_table(p, y, groups, level):
    order, size, rows = np.argsort(p), -(-len(p) // groups), []
    z = special.ndtri((1 + level) / 2)
    for j in range(groups):
        part = order[j * size : (j + 1) * size]
        c, k = len(part), y[part].sum()
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        centre = (k + z**2 / 2) / (c + z**2)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% level-stops-short wrong="reliability-table"
# The level is cut at 0.9999: level = 1 - 1e-9.
def reliability_table(p, y, groups, level):
    z, rows = special.ndtri(0.5 + min(level, 0.9999) / 2), []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), y[part].sum()
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        centre = (k + z**2 / 2) / (c + z**2)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% one-group-squeezed wrong="reliability-table"
# A single group gives shape (5,): groups = 1.
def reliability_table(p, y, groups, level):
    z, parts = special.ndtri(0.5 + level / 2), np.array_split(np.argsort(p), groups)
    c = np.array([len(part) for part in parts])
    k, mean = (np.array([a[part].sum() for part in parts]) for a in (y, p / 1.0))
    half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
    centre = (k + z**2 / 2) / (c + z**2)
    return np.stack([c, mean / c, k / c, centre - half, centre + half], axis=-1).squeeze()


# %% no-ones-no-width wrong="reliability-table"
# A group without ones gets an interval from 0 to 0: p = [0.1, 0.2, 0.3], y = [0, 0, 0], 1, 0.9.
def reliability_table(p, y, groups, level):
    z, rows = special.ndtri(0.5 + level / 2), []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), y[part].sum()
        if k == 0:
            rows.append([c, p[part].mean(), 0.0, 0.0, 0.0])
            continue
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        centre = (k + z**2 / 2) / (c + z**2)
        rows.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% inverse-and-bincount right="brier-parts"
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    k = np.unique(group, return_inverse=True)[1].reshape(-1)

    def check(a):
        return (np.bincount(k, w * a) / np.bincount(k, w))[k]

    pbar, ybar, base = check(p), check(y), w @ y
    spread = p - pbar
    within = (w @ spread**2, 2 * (w @ (spread * (y - ybar))))
    return (w @ (pbar - ybar) ** 2, w @ (ybar - base) ** 2, base * (1 - base), *within)


# %% loop-over-groups right="brier-parts"
def brier_parts(p, y, group, weight):
    base = np.average(y, weights=weight)
    total, result = weight.sum(), np.zeros(5)
    for k in set(group.tolist()):
        rows = group == k
        a, b, w = p[rows], y[rows], weight[rows]
        pm, ym = np.average(a, weights=w), np.average(b, weights=w)
        result[0] += w.sum() / total * (pm - ym) ** 2
        result[1] += w.sum() / total * (ym - base) ** 2
        result[3] += np.sum(w * (a - pm) ** 2) / total
        result[4] += np.sum(2 * w * (a - pm) * (b - ym)) / total
    result[2] = base * (1 - base)
    return tuple(result)


# %% neighbours-form-a-group wrong="brier-parts"
# Only neighbours are put together: p = [0.1, 0.6, 0.3], y = [0, 1, 1], group [1, 2, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    k = np.concatenate([[0], np.cumsum(np.diff(group) != 0)])
    share = np.bincount(k, w)
    pm, ym = (np.bincount(k, w * p) / share)[k], (np.bincount(k, w * y) / share)[k]
    base = (w * y).sum()
    reliability, resolution = (w * (pm - ym) ** 2).sum(), (w * (ym - base) ** 2).sum()
    variance, covariance = (w * (p - pm) ** 2).sum(), 2 * (w * (p - pm) * (y - ym)).sum()
    return reliability, resolution, base * (1 - base), variance, covariance


# %% small-sum-of-weights wrong="brier-parts"
# 1e-9 is added to a sum of weights: p = [0.1, 0.3], y = [0, 1], group [1, 1], weight 1e-9 each.
def brier_parts(p, y, group, weight):
    w = weight / (weight.sum() + 1e-9)
    k = np.unique(group, return_inverse=True)[1]
    share = np.bincount(k, w)
    pm, ym = (np.bincount(k, w * p) / share)[k], (np.bincount(k, w * y) / share)[k]
    base = (w * y).sum()
    reliability, resolution = (w * (pm - ym) ** 2).sum(), (w * (ym - base) ** 2).sum()
    variance, covariance = (w * (p - pm) ** 2).sum(), 2 * (w * (p - pm) * (y - ym)).sum()
    return reliability, resolution, base * (1 - base), variance, covariance


# %% group-names-rounded wrong="brier-parts"
# Names are kept as float32, and large ones collide: p = [0.1, 0.6], y = [0, 1], group [10**9,
# 10**9 - 1].
def brier_parts(p, y, group, weight):
    table = np.stack([p, y, group, weight]).astype(np.float32)
    w = weight / weight.sum()
    k = np.unique(table[2], return_inverse=True)[1]
    share = np.bincount(k, w)
    pm, ym = (np.bincount(k, w * p) / share)[k], (np.bincount(k, w * y) / share)[k]
    base = (w * y).sum()
    reliability, resolution = (w * (pm - ym) ** 2).sum(), (w * (ym - base) ** 2).sum()
    variance, covariance = (w * (p - pm) ** 2).sum(), 2 * (w * (p - pm) * (y - ym)).sum()
    return reliability, resolution, base * (1 - base), variance, covariance


# %% single-examples-skipped wrong="brier-parts"
# Groups of one example are skipped: p = [0.1, 0.6, 0.3], y = [0, 1, 1], group [1, 2, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    base = (w * y).sum()
    reliability = resolution = variance = covariance = 0.0
    for name in np.unique(group):
        rows = group == name
        if rows.sum() < 2:
            continue
        share = w[rows].sum()
        pm, ym = (w * p)[rows].sum() / share, (w * y)[rows].sum() / share
        reliability += share * (pm - ym) ** 2
        resolution += share * (ym - base) ** 2
        variance += (w[rows] * (p[rows] - pm) ** 2).sum()
        covariance += 2 * (w[rows] * (p[rows] - pm) * (y[rows] - ym)).sum()
    return reliability, resolution, base * (1 - base), variance, covariance


# %% differences-of-scores right="paired-comparison"
def compare(p_a, p_b, y):
    def check(k):
        return k.mean(), k.std(ddof=1) / np.sqrt(len(k))

    nll, nll_se = check(np.where(y == 1, np.log(p_b / p_a), np.log1p(-p_b) - np.log1p(-p_a)))
    brier, brier_se = check((p_a - y) ** 2 - (p_b - y) ** 2)
    if nll > 2 * nll_se and brier > 2 * brier_se:
        return nll, nll_se, brier, brier_se, 1
    worse = nll < -2 * nll_se and brier < -2 * brier_se
    return nll, nll_se, brier, brier_se, -1 if worse else 0


# %% statistics-module right="paired-comparison"
import math
import statistics


def compare(p_a, p_b, y):
    def gradient(p, k):
        return -math.log(p) if k == 1 else -math.log1p(-p)

    rows = list(zip(p_a.tolist(), p_b.tolist(), y.tolist()))
    scores = [
        [gradient(a, k) - gradient(b, k) for a, b, k in rows],
        [(a - k) ** 2 - (b - k) ** 2 for a, b, k in rows],
    ]
    means = [statistics.fmean(k) for k in scores]
    errors = [statistics.stdev(k) / math.sqrt(len(k)) for k in scores]
    better = all(m - 2 * e > 0 for m, e in zip(means, errors))
    worse = all(m + 2 * e < 0 for m, e in zip(means, errors))
    return means[0], errors[0], means[1], errors[1], int(better) - int(worse)


# %% forecasts-clipped wrong="paired-comparison"
# Forecasts end at 1e-10: p_a = [1e-12, 0.5], p_b = [0.5, 0.4], y = [1, 1].
def compare(p_a, p_b, y):
    a, b = np.clip(p_a, 1e-10, 1 - 1e-10), np.clip(p_b, 1e-10, 1 - 1e-10)
    nll = np.where(y == 1, np.log(b) - np.log(a), np.log1p(-b) - np.log1p(-a))
    brier, root = (a - y) ** 2 - (b - y) ** 2, np.sqrt(len(y))
    n, ns, b, bs = nll.mean(), nll.std(ddof=1) / root, brier.mean(), brier.std(ddof=1) / root
    choice = 1 if n > 2 * ns and b > 2 * bs else -1 if n < -2 * ns and b < -2 * bs else 0
    return n, ns, b, bs, choice


# %% signs-not-compared wrong="paired-comparison"
# The two may point different ways: y = 1 in 200 cases, p_a 0.001 and 0.6 by turns, p_b 0.01 and
# 0.5 by turns.
def compare(p_a, p_b, y):
    nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    brier, root = (p_a - y) ** 2 - (p_b - y) ** 2, np.sqrt(len(y))
    n, ns, b, bs = nll.mean(), nll.std(ddof=1) / root, brier.mean(), brier.std(ddof=1) / root
    return n, ns, b, bs, int(np.sign(n)) if abs(n) > 2 * ns and abs(b) > 2 * bs else 0


# %% equal-is-enough wrong="paired-comparison"
# Exactly 2 standard errors are enough, and so are 0 of 0: p_a = p_b = [0.3, 0.4], y = [0, 1].
def compare(p_a, p_b, y):
    nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    brier, root = (p_a - y) ** 2 - (p_b - y) ** 2, np.sqrt(len(y))
    n, ns, b, bs = nll.mean(), nll.std(ddof=1) / root, brier.mean(), brier.std(ddof=1) / root
    choice = 1 if n >= 2 * ns and b >= 2 * bs else -1 if n <= -2 * ns and b <= -2 * bs else 0
    return n, ns, b, bs, choice


# %% no-spread-no-choice wrong="paired-comparison"
# Without any spread it never chooses: p_a = [0.5, 0.5], p_b = [0.25, 0.25], y = [0, 0].
def compare(p_a, p_b, y):
    nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    brier, root = (p_a - y) ** 2 - (p_b - y) ** 2, np.sqrt(len(y))
    n, ns, b, bs = nll.mean(), nll.std(ddof=1) / root, brier.mean(), brier.std(ddof=1) / root
    t = [mean / se if se > 0 else 0.0 for mean, se in ((n, ns), (b, bs))]
    return n, ns, b, bs, int(min(t) > 2) - int(max(t) < -2)


# %% root-of-the-derivative right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    z = z - z.max(axis=1, keepdims=True)

    def gradient(y):
        p = special.softmax(z * np.exp(y), axis=1)
        return ((p * z).sum(axis=1) - z[np.arange(len(k)), k]).mean()

    return np.exp(-optimize.brentq(gradient, np.log(1e-4), np.log(1e4), xtol=1e-13))


# %% halving-in-the-logarithm right="fit-temperature"
import math

import torch


def fit_temperature(logits, labels, held_out):
    rows = [(z - z.max(), int(k)) for z, k, used in zip(logits, labels, held_out) if used]

    def check(T):
        total = 0.0
        for z, k in rows:
            e = np.exp(z / T)
            total += (e @ z) / e.sum() - z[k]
        return total > 0

    y, end = math.log(5e-4), math.log(2e3)
    for _ in range(80):
        middle = (y + end) / 2
        y, end = (middle, end) if check(math.exp(middle)) else (y, middle)
    return torch.tensor(math.exp(y), dtype=torch.float64)


# %% bounds-too-narrow wrong="fit-temperature"
# Only temperatures up to 500 are tried: logits [[600, 0], [600, 0], [600, 0]], labels [0, 0, 1],
# all held out.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    z = z - z[np.arange(len(k)), k][:, None]

    def loss(t):
        return special.logsumexp(z / np.exp(t), axis=1).mean()

    bounds = (np.log(2e-3), np.log(500.0))
    return np.exp(
        optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    )


# %% ten-short-steps wrong="fit-temperature"
# Ten steps of at most 1 in the logarithm are too few for a far temperature: logits [[680, 0],
# [680, 0], [680, 0]], labels [0, 0, 1], all held out.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    z = z - z.max(axis=1, keepdims=True)
    t = 0.0
    for _ in range(10):
        a = z * np.exp(-t)
        p = special.softmax(a, axis=1)
        mean = (p * a).sum(axis=1)
        slope = (a[np.arange(len(k)), k] - mean).mean()
        curve = ((p * a**2).sum(axis=1) - mean**2).mean() - slope
        step = slope / curve if curve > 0 else np.sign(slope)
        t -= np.clip(step, -1, 1)
    return np.exp(t)


# %% offset-left-in right="fit-temperature"
# Right where logits on an offset differ by more than 1.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def loss(t):
        a = z / np.exp(t)
        return (special.logsumexp(a, axis=1) - a[np.arange(len(k)), k]).mean()

    found = optimize.minimize_scalar(
        loss, bounds=(-7, 7), method="bounded", options={"xatol": 1e-10}
    )
    return np.exp(found.x)


# %% single-precision-logits wrong="fit-temperature"
# Logits are taken as float32, where a large offset leaves few digits: logits 1e6 + [[2.8,
# 0.7], [0, 2.1], [1.4, 3.5]], labels [0, 1, 0], all held out.
def fit_temperature(logits, labels, held_out):
    import torch

    z = torch.tensor(logits, dtype=torch.float32)[torch.tensor(held_out)].double().numpy()
    k = labels[held_out]
    z = z - z.max(axis=1, keepdims=True)

    def slope(t):
        p = special.softmax(z / np.exp(t), axis=1)
        return (z[np.arange(len(k)), k] - (p * z).sum(axis=1)).mean()

    return np.exp(optimize.brentq(slope, -8.0, 8.0, xtol=1e-13))


# %% damped-newton right="platt-fit"
def platt_fit(scores, y):
    k, ones = (scores - scores.mean()) / scores.std(), int((y == 1).sum())
    zeros = len(y) - ones
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    rows, theta = np.stack([k, np.ones(len(k))], axis=1), np.zeros(2)

    def check(theta):
        z = rows @ theta
        return (np.logaddexp(0, z) - t * z).mean()

    for _ in range(200):
        p = special.expit(rows @ theta)
        gradient = rows.T @ (p - t)
        step = np.linalg.solve((rows * (p * (1 - p))[:, None]).T @ rows, gradient)
        size = 1.0
        while size > 1e-8 and check(theta - size * step) > check(theta) + 1e-15:
            size /= 2
        theta = theta - size * step
        if np.abs(step).max() < 1e-13 * np.abs(theta).max():
            break
    a = theta[0] / scores.std()
    return a, theta[1] - a * scores.mean()


# %% two-nested-roots right="platt-fit"
def platt_fit(scores, y):
    centre, width = np.median(scores), np.ptp(scores)
    k, n1, n0 = (scores - centre) / width, np.sum(y), np.sum(1 - y)
    t = (n1 + 1) / (n1 + 2) * y + (1 - y) / (n0 + 2)

    def level(a):
        reach = abs(a) + 40.0
        return optimize.brentq(
            lambda b: np.sum(special.expit(a * k + b) - t), -reach, reach, xtol=1e-14
        )

    def gradient(a):
        return np.sum(k * (special.expit(a * k + level(a)) - t))

    end = 1.0
    while gradient(end) < 0 or gradient(-end) > 0:
        end *= 2
    a = optimize.brentq(gradient, -end, end, xtol=1e-14)
    return a / width, level(a) - a * centre / width


# %% counts-exchanged wrong="platt-fit"
# The counts are exchanged in the targets: scores [-1, 0, 1, 2, 0.5], y [0, 1, 0, 1, 1].
def platt_fit(scores, y):
    centre, width = scores.mean(), scores.std()
    k = (scores - centre) / width
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    t = np.where(y == 1, (n0 + 1) / (n0 + 2), 1 / (n1 + 2))
    theta, rows = np.zeros(2), np.stack([k, np.ones(len(k))], 1)
    for _ in range(50):
        p = special.expit(rows @ theta)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows
        theta = theta - np.linalg.solve(hessian, rows.T @ (p - t))
    return theta[0] / width, theta[1] - theta[0] * centre / width


# %% few-newton-steps wrong="platt-fit"
# Six Newton steps are not always enough: 400 scores from -2 to 2, y = 1 where above 0.
def platt_fit(scores, y):
    centre, width = scores.mean(), scores.std()
    k = (scores - centre) / width
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    theta, rows = np.zeros(2), np.stack([k, np.ones(len(k))], 1)
    for _ in range(6):
        p = special.expit(rows @ theta)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows
        theta = theta - np.linalg.solve(hessian, rows.T @ (p - t))
    return theta[0] / width, theta[1] - theta[0] * centre / width


# %% single-precision-scores wrong="platt-fit"
# Scores are taken as float32: scores 5000 + [0, 0.001, 0.002, 0.003], y [0, 1, 0, 1].
def platt_fit(scores, y):
    k = scores.astype(np.float32).astype(float)
    centre, width = k.mean(), k.std()
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    theta, rows = np.zeros(2), np.stack([(k - centre) / width, np.ones(len(k))], 1)
    for _ in range(50):
        p = special.expit(rows @ theta)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows
        theta = theta - np.linalg.solve(hessian, rows.T @ (p - t))
    return theta[0] / width, theta[1] - theta[0] * centre / width


# %% slope-never-negative wrong="platt-fit"
# The slope is an exponential, hence positive: scores [-1, 0, 1, 2], y [1, 1, 0, 0].
def platt_fit(scores, y):
    centre, width = scores.mean(), scores.std()
    k, n1, n0 = (scores - centre) / width, (y == 1).sum(), (y == 0).sum()
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def loss(theta):
        z = np.exp(theta[0]) * k + theta[1]
        return (np.logaddexp(0, z) - t * z).mean()

    def slope(theta):
        r = (special.expit(np.exp(theta[0]) * k + theta[1]) - t) / len(k)
        return np.array([np.exp(theta[0]) * (r @ k), r.sum()])

    found = optimize.minimize(loss, np.zeros(2), jac=slope, options={"gtol": 1e-10}).x
    a = np.exp(found[0])
    return a / width, found[1] - a * centre / width
