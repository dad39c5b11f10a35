# %% bin-by-bin right="ece-closed-edges"
def ece(p, y, edges):
    total = 0.0
    for k in range(len(edges) - 1):
        inside = (p >= edges[k]) & (p < edges[k + 1])
        if k == len(edges) - 2:
            inside |= p == edges[-1]
        total += abs(p[inside].sum() - y[inside].sum())
    return total / len(p)


# %% searched right="ece-closed-edges"
def ece(p, y, edges):
    check = np.searchsorted(edges, p, side="right") - 1
    check[p == edges[-1]] = len(edges) - 2
    gap = np.zeros(len(edges) - 1)
    np.add.at(gap, check, (p - y) / p.size)
    return np.array([np.abs(gap).sum()]).reshape(())


# %% single-precision wrong="ece-closed-edges"
# Forecasts are rounded to float32 before binning: p [0.5 - 1e-9, 0.6], y [0, 1],
# edges [0, 0.5, 1].
def ece(p, y, edges):
    p32 = p.astype(np.float32)
    index = np.clip(np.searchsorted(edges, p32, side="right") - 1, 0, len(edges) - 2)
    gap = np.bincount(index, weights=p - y, minlength=len(edges) - 1)
    return np.abs(gap).sum() / len(p)


# %% capped-forecasts wrong="ece-closed-edges"
# Binning caps p at 0.999, below a late edge: p [1.0, 0.5], y [0, 1], edges [0, 0.9995, 1].
def ece(p, y, edges):
    index = np.digitize(np.minimum(p, 0.999), edges) - 1
    result = 0.0
    for k in np.unique(index):
        inside = index == k
        result += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return result


# %% moves-the-ones wrong="ece-closed-edges"
# A forecast of 1 is moved just below 1 in the caller's array: p [1.0, 0.5], y [1, 0],
# edges [0, 1].
def ece(p, y, edges):
    p[p == 1.0] = np.nextafter(1.0, 0.0)
    result = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (low <= p) & (p < high)
        if inside.any():
            result += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return result


# %% zero-sum-is-empty wrong="ece-closed-edges"
# A bin whose forecasts are all 0 is taken for an empty one: p [0.0, 0.0], y [1, 0],
# edges [0, 0.5, 1].
def ece(p, y, edges):
    m = len(edges) - 1
    index = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    result = 0.0
    for k in range(m):
        total = p[index == k].sum()
        if total:
            result += abs(total - y[index == k].sum()) / len(p)
    return result


# %% from-shares right="base-rate-scores"
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    best = int(np.argmax(share))
    accuracy = np.mean(test == best)
    brier = np.mean(1 - 2 * share[test]) + share @ share
    with np.errstate(divide="ignore"):
        nll = -np.log(share)[test].mean()
    return accuracy, abs(share[best] - accuracy), brier, nll


# %% one-example-at-a-time right="base-rate-scores"
def base_rate_scores(train, test, classes):
    y = [sum(1 for label in train if label == k) / len(train) for k in range(classes)]
    check = max(range(classes), key=lambda k: (y[k], -k))
    hits, squares, surprise = 0, 0.0, 0.0
    for label in test:
        hits += int(label == check)
        squares += sum((y[k] - (k == label)) ** 2 for k in range(classes))
        surprise -= np.log(y[label]) if y[label] > 0 else -np.inf
    n = len(test)
    return hits / n, abs(y[check] - hits / n), squares / n, surprise / n


# %% classes-of-train wrong="base-rate-scores"
# Brier sums over the classes seen in training only: train [0, 1], test [2], 3 classes.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = sum(np.mean((share[k] - (test == k)) ** 2) for k in np.unique(train))
    with np.errstate(divide="ignore"):
        nll = np.mean(-np.log(share[test]))
    return accuracy, abs(share.max() - accuracy), brier, nll


# %% zero-times-infinity wrong="base-rate-scores"
# A class that nobody has gives 0 * inf in the NLL: train [0, 0], test [0], 2 classes.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    seen = np.bincount(test, minlength=classes) / len(test)
    accuracy = seen[share.argmax()]
    brier = np.sum(share**2) - 2 * share @ seen + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        nll = -np.sum(seen * np.log(share))
    return accuracy, abs(share.max() - accuracy), brier, nll


# %% first-seen-wins wrong="base-rate-scores"
# Of equally frequent classes it forecasts the one met first: train [1, 0], test [0], 2 classes.
def base_rate_scores(train, test, classes):
    from collections import Counter

    count = Counter(train.tolist())
    label, most = count.most_common(1)[0]
    share = np.array([count[k] for k in range(classes)]) / len(train)
    accuracy = np.mean(test == label)
    brier = np.mean(np.sum((share - np.eye(classes)[test]) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        nll = np.mean(-np.log(share[test]))
    return accuracy, abs(most / len(train) - accuracy), brier, nll


# %% signed-gap wrong="base-rate-scores"
# The ECE has no absolute value, negative if too sure: train [0, 0, 0, 1], test [1], 2 classes.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    one_hot = np.eye(classes)[test]
    with np.errstate(divide="ignore"):
        nll = -np.log(share[test]).mean()
    return accuracy, accuracy - share.max(), ((one_hot - share) ** 2).sum(1).mean(), nll


# %% split-and-stack right="reliability-table"
def reliability_table(p, y, groups, level):
    z2 = special.ndtri((1 - level) / 2) ** 2
    rows = []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), int(y[part].sum())
        half = np.sqrt(z2) * np.sqrt(k * (c - k) / c + z2 / 4)
        ends = [(k + z2 / 2 - half) / (c + z2), (k + z2 / 2 + half) / (c + z2)]
        rows.append([c, p[part].mean(), k / c, *ends])
    return np.array(rows)


# %% sizes-by-divmod right="reliability-table"
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    small, extra = divmod(len(p), groups)
    count = np.full(groups, small) + (np.arange(groups) < extra)
    start = np.cumsum(count) - count
    order = np.argsort(p)
    k = np.add.reduceat(y[order].astype(float), start)
    total = np.add.reduceat(p[order], start)
    centre = (k + z * z / 2) / (count + z * z)
    check = z / (count + z * z) * np.sqrt(k * (count - k) / count + z * z / 4)
    return np.column_stack([count, total / count, k / count, centre - check, centre + check])


# %% upper-tail-rounds right="reliability-table"
# Right by the text as it is now: levels end at 1 - 1e-9.
# The quantile's argument rounds to 1 and z is infinite: level np.nextafter(1, 0),
# p [0.2, 0.4], y [0, 1], one group.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    table = []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        table.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(table)


# %% ceiling-sizes wrong="reliability-table"
# All groups but the last have ceil(n / groups) examples: n = 6 and 4 groups,
# p np.arange(1, 7) / 10, y [0, 1, 0, 1, 1, 1], level 0.9.
def reliability_table(p, y, groups, level):
    z = special.ndtri(1 - (1 - level) / 2)
    order = np.argsort(p)
    size = -(-len(p) // groups)
    table = np.zeros((groups, 5))
    for g in range(groups):
        part = order[g * size : (g + 1) * size]
        c, k = len(part), y[part].sum()
        if c:
            centre = (k + z**2 / 2) / (c + z**2)
            half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
            table[g] = c, p[part].mean(), k / c, centre - half, centre + half
    return table


# %% sorted-in-float32 wrong="reliability-table"
# Close forecasts are equal in float32 and keep their order: p [0.5 + 1e-9, 0.5], y [1, 0],
# 2 groups, level 0.9.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    order = np.argsort(p.astype("f4"), kind="stable")
    table = []
    for part in np.array_split(order, groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        table.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(table)


# %% z-below-four wrong="reliability-table"
# Bisection looks for z between 0 and 4 only: level 0.99999, p [0.2, 0.4], y [0, 1], one group.
def reliability_table(p, y, groups, level):
    low, high = 0.0, 4.0
    for _ in range(100):
        z = (low + high) / 2
        low, high = (z, high) if special.erf(z / np.sqrt(2)) < level else (low, z)
    table = []
    for part in np.array_split(np.argsort(p), groups):
        c, k = len(part), y[part].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        table.append([c, p[part].mean(), k / c, centre - half, centre + half])
    return np.array(table)


# %% counted-groups right="brier-parts"
def brier_parts(p, y, group, weight):
    w = weight / weight.max()
    w = w / w.sum()
    index = np.unique(group, return_inverse=True)[1].ravel()
    share = np.bincount(index, weights=w)
    p_bar = (np.bincount(index, weights=w * p) / share)[index]
    y_bar = (np.bincount(index, weights=w * y) / share)[index]
    base = w @ y
    within = p - p_bar
    return (
        w @ (p_bar - y_bar) ** 2,
        w @ (y_bar - base) ** 2,
        base * (1 - base),
        w @ within**2,
        2 * w @ (within * (y - y_bar)),
    )


# %% group-loop right="brier-parts"
def brier_parts(p, y, group, weight):
    k = weight / np.max(weight)
    total = k.sum()
    base = np.average(y, weights=k)
    parts = np.zeros(5)
    parts[2] = base * np.average(1 - y, weights=k)
    for label in set(group.tolist()):
        rows = group == label
        w, a, b = k[rows], p[rows], y[rows]
        check = w.sum() / total
        a_bar, b_bar = (w * a).sum() / w.sum(), (w * b).sum() / w.sum()
        parts[0] += check * (a_bar - b_bar) ** 2
        parts[1] += check * (b_bar - base) ** 2
        parts[3] += check * np.average((a - a_bar) ** 2, weights=w)
        parts[4] += 2 * check * np.average((a - a_bar) * (b - b_bar), weights=w)
    return tuple(parts)


# %% neighbours-only wrong="brier-parts"
# A group that is not in consecutive rows is taken for several: p [0.2, 0.8, 0.4, 0.6],
# y [0, 1, 1, 0], group [1, 2, 1, 2], weight ones.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    index = np.concatenate([[0], np.cumsum(np.diff(group) != 0)])
    share = np.bincount(index, w)
    pm, ym = (np.bincount(index, w * p) / share)[index], (np.bincount(index, w * y) / share)[index]
    base = w @ y
    a, b = p - pm, y - ym
    return w @ (pm - ym) ** 2, w @ (ym - base) ** 2, base * (1 - base), w @ a**2, 2 * w @ (a * b)


# %% labels-as-floats right="brier-parts"
# Right by the text as it is now: groups are a billion at most.
# One float table for all columns merges large labels: group [2**53, 2**53 + 1], p [0.2, 0.8],
# y [0, 1], weight [1, 1].
def brier_parts(p, y, group, weight):
    rows = np.column_stack([group, p, y, weight / weight.sum()])
    base = rows[:, 2] @ rows[:, 3]
    result = np.array([0, 0, base * (1 - base), 0, 0])
    for label in np.unique(rows[:, 0]):
        _, p_g, y_g, w = rows[rows[:, 0] == label].T
        share = w.sum()
        pm, ym = w @ p_g / share, w @ y_g / share
        result[0] += share * (pm - ym) ** 2
        result[1] += share * (ym - base) ** 2
        result[3] += w @ (p_g - pm) ** 2
        result[4] += 2 * w @ ((p_g - pm) * (y_g - ym))
    return tuple(result)


# %% labels-wrap-around wrong="brier-parts"
# Labels index an array, and negative ones count from its end: group [-1, 0], p [0.2, 0.8],
# y [0, 1], weight [1, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    share, psum, ysum = np.zeros((3, group.max() + 1))
    np.add.at(share, group, w)
    np.add.at(psum, group, w * p)
    np.add.at(ysum, group, w * y)
    pm, ym = psum[group] / share[group], ysum[group] / share[group]
    base = w @ y
    a, b = p - pm, y - ym
    return w @ (pm - ym) ** 2, w @ (ym - base) ** 2, base * (1 - base), w @ a**2, 2 * w @ (a * b)


# %% padded-denominator wrong="brier-parts"
# The means divide by the unscaled weight of the group plus 1e-10: weight [1e-10, 1e-10],
# group [0, 1], p [0.2, 0.8], y [0, 1].
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    same = group[:, None] == group
    total = same @ weight + 1e-10
    pm, ym = same @ (weight * p) / total, same @ (weight * y) / total
    base = w @ y
    a, b = p - pm, y - ym
    return w @ (pm - ym) ** 2, w @ (ym - base) ** 2, base * (1 - base), w @ a**2, 2 * w @ (a * b)


# %% difference-arrays right="paired-comparison"
def compare(p_a, p_b, y):
    def nll(p):
        return -np.where(y == 1, np.log(p), np.log1p(-p))

    means, errors = [], []
    for d in (nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2):
        means.append(d.mean())
        errors.append(d.std(ddof=1) / np.sqrt(d.size))
    better = all(m > 2 * s for m, s in zip(means, errors))
    worse = all(m < -2 * s for m, s in zip(means, errors))
    return means[0], errors[0], means[1], errors[1], int(better) - int(worse)


# %% plain-python right="paired-comparison"
def compare(p_a, p_b, y):
    import math

    def summary(values):
        k = len(values)
        mean = math.fsum(values) / k
        spread = math.fsum((v - mean) ** 2 for v in values)
        return mean, math.sqrt(spread / (k - 1) / k)

    logs, squares = [], []
    for a, b, label in zip(p_a.tolist(), p_b.tolist(), y.tolist()):
        if label:
            logs.append(math.log(b) - math.log(a))
        else:
            logs.append(math.log1p(-b) - math.log1p(-a))
        squares.append((a - b) * (a + b - 2 * label))
    nll, check = summary(logs)
    brier, spread = summary(squares)
    choice = 0
    if min(nll - 2 * check, brier - 2 * spread) > 0:
        choice = 1
    elif max(nll + 2 * check, brier + 2 * spread) < 0:
        choice = -1
    return nll, check, brier, spread, choice


# %% clipped-logs wrong="paired-comparison"
# Probabilities are clipped at 1e-9: p_a [1e-12, 0.5], p_b [0.5, 0.5], y [1, 0].
def compare(p_a, p_b, y):
    def nll(p):
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return -y * np.log(p) - (1 - y) * np.log1p(-p)

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    d_se, e_se = d.std(ddof=1) / n**0.5, e.std(ddof=1) / n**0.5
    up = d.mean() > 2 * d_se and e.mean() > 2 * e_se
    down = d.mean() < -2 * d_se and e.mean() < -2 * e_se
    return d.mean(), d_se, e.mean(), e_se, 1 if up else -1 if down else 0


# %% only-sizes-compared wrong="paired-comparison"
# Two clear but opposite verdicts give the sign of the NLL: p_a 100 times 1e-6 and 100 times
# 0.5, p_b 100 times 1e-12 and 100 times 0.6, y ones.
def compare(p_a, p_b, y):
    def nll(p):
        return -np.log(np.where(y == 1, p, 1 - p))

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    d_se, e_se = d.std(ddof=1) / n**0.5, e.std(ddof=1) / n**0.5
    clear = abs(d.mean()) > 2 * d_se and abs(e.mean()) > 2 * e_se
    return d.mean(), d_se, e.mean(), e_se, int(np.sign(d.mean())) if clear else 0


# %% equal-counts-as-better wrong="paired-comparison"
# At least instead of more than 2 errors, so equal models differ: p_a and p_b [0.3, 0.6],
# y [0, 1].
def compare(p_a, p_b, y):
    def nll(p):
        return -np.where(y == 1, np.log(p), np.log1p(-p))

    d, e = nll(p_a) - nll(p_b), (p_a - y) ** 2 - (p_b - y) ** 2
    n = len(y)
    d_se, e_se = d.std(ddof=1) / n**0.5, e.std(ddof=1) / n**0.5
    if d.mean() - 2 * d_se >= 0 and e.mean() - 2 * e_se >= 0:
        choice = 1
    elif d.mean() + 2 * d_se <= 0 and e.mean() + 2 * e_se <= 0:
        choice = -1
    else:
        choice = 0
    return d.mean(), d_se, e.mean(), e_se, choice


# %% float32-tensors wrong="paired-comparison"
# In float32 a forecast close to 1 is 1: p_a [1 - 1e-9, 0.5], p_b [0.5, 0.5], y [0, 1].
def compare(p_a, p_b, y):
    import torch

    a, b, t = (torch.tensor(v, dtype=torch.float32) for v in (p_a, p_b, y))
    loss = torch.nn.functional.binary_cross_entropy
    d = (loss(a, t, reduction="none") - loss(b, t, reduction="none")).double()
    e = torch.tensor((p_a - y) ** 2 - (p_b - y) ** 2)
    n = len(y)
    result = []
    for v in (d, e):
        result += [v.mean().item(), v.std().item() / n**0.5]
    m, s, r, t = result
    return *result, int(m > 2 * s and r > 2 * t) - int(m < -2 * s and r < -2 * t)


# %% bisected-slope right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    z = logits[held_out] - logits[held_out].max(axis=1, keepdims=True)
    own = z[np.arange(len(z)), labels[held_out]]

    def slope(beta):  # of the NLL in 1 / T
        e = np.exp(beta * z)
        return np.mean((e * z).sum(axis=1) / e.sum(axis=1) - own)

    low, high = np.log(1e-3) - 0.1, np.log(1e3) + 0.1
    for _ in range(90):
        middle = (low + high) / 2
        if slope(np.exp(middle)) < 0:
            low = middle
        else:
            high = middle
    return float(np.exp(-middle))


# %% brent-root right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    rows = np.flatnonzero(held_out)
    y = logits[rows] - logits[rows, labels[rows]][:, None]

    def gradient(k):
        return np.sum(special.softmax(y * np.exp(-k), axis=1) * y)

    return np.exp(optimize.brentq(gradient, -7.0, 7.0, xtol=1e-13, rtol=1e-13, maxiter=500))


# %% two-decades-and-a-half wrong="fit-temperature"
# Looks between 1/400 and 400 only: logits [[300, 100, -500]], label [1], held out, whose
# optimum is 728.
def fit_temperature(logits, labels, held_out):
    z, t = logits[held_out], labels[held_out]

    def loss_slope(log_t):
        q = special.softmax(z / np.exp(log_t), axis=1)
        return np.mean(np.sum(q * z, axis=1) - z[np.arange(len(t)), t])

    low, high = -np.log(400), np.log(400)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if loss_slope(middle) > 0 else (low, middle)
    return np.exp(middle)


# %% float32-logits wrong="fit-temperature"
# Logits become float32 before anything is subtracted: logits [[3.1, 1.2, -5.3], [0, 2.2, 1]]
# + 1e4, labels [1, 1], both held out.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out].astype(np.float32).astype(float)
    z = z - z.max(axis=1, keepdims=True)
    own = z[np.arange(len(z)), labels[held_out]]

    def slope(log_t):
        return np.mean(np.sum(special.softmax(z / np.exp(log_t), axis=1) * z, axis=1) - own)

    return np.exp(optimize.brentq(slope, np.log(1e-3), np.log(1e3), xtol=1e-13))


# %% squeezed-rows wrong="fit-temperature"
# Fails with one held-out row: logits [[3, 1, -5], [4, 0, 0]], labels [1, 0],
# held_out [True, False].
def fit_temperature(logits, labels, held_out):
    rows = np.argwhere(held_out).squeeze()
    z, t = logits[rows], labels[rows]
    z = z - z.max(axis=-1, keepdims=True)

    def slope(log_t):
        q = special.softmax(z / np.exp(log_t), axis=1)
        return np.mean(np.sum(q * z, axis=1) - np.take_along_axis(z, t[:, None], 1)[:, 0])

    return np.exp(optimize.brentq(slope, np.log(1e-3), np.log(1e3), xtol=1e-13))


# %% offset-cancels right="fit-temperature"
# Right by the text as it is now: offsets are a million at most.
# The slope subtracts two numbers as large as the offset of the logits:
# logits [[3, 1, -5], [0, 2, 1]] + 1e12, labels [1, 1], both held out.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out]
    own = z[np.arange(len(z)), labels[held_out]].mean()

    def slope(log_t):
        q = special.softmax(z / np.exp(log_t), axis=1)
        return np.sum(q * z) / len(z) - own

    low, high = np.log(1e-3), np.log(1e3)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return np.exp(middle)


# %% damped-newton right="platt-fit"
def platt_fit(scores, y):
    ones = int(y.sum())
    zeros = len(y) - ones
    target = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    middle = scores.mean()
    scale = np.abs(scores - middle).max()
    X = np.column_stack([(scores - middle) / scale, np.ones(len(y))])
    w = np.zeros(2)

    def loss(v):
        return np.mean(np.logaddexp(0, X @ v) - target * (X @ v))

    for _ in range(500):
        p = special.expit(X @ w)
        slope = X.T @ (p - target)
        H = (X * (p * special.expit(-X @ w))[:, None]).T @ X
        step = np.linalg.lstsq(H, slope, rcond=1e-15)[0]
        size = 1.0
        while loss(w - size * step) > loss(w) + 1e-15 and size > 1e-12:
            size /= 2
        w = w - size * step
        if np.abs(step).max() <= 1e-14 * np.abs(w).max():
            break
    return w[0] / scale, w[1] - w[0] / scale * middle


# %% nested-roots right="platt-fit"
def platt_fit(scores, y):
    k = np.array([np.sum(y == 0), np.sum(y == 1)])
    check = np.where(y == 1, (k[1] + 1) / (k[1] + 2), 1 / (k[0] + 2))
    middle = np.median(scores)
    scale = np.ptp(scores)
    s = (scores - middle) / scale

    def best_b(a):
        def gradient(b):
            return np.sum(special.expit(a * s + b) - check)

        reach = np.abs(a) + 40.0 + np.log(len(y))
        return optimize.brentq(gradient, -reach, reach, xtol=1e-14, rtol=1e-14)

    def slope(a):
        return np.sum((special.expit(a * s + best_b(a)) - check) * s)

    reach = 1.0
    while slope(reach) < 0 or slope(-reach) > 0:
        reach *= 2
    a = optimize.brentq(slope, -reach, reach, xtol=1e-14, rtol=1e-14)
    return a / scale, best_b(a) - a * middle / scale


# %% counts-swapped wrong="platt-fit"
# The targets use the count of the other label: scores [-1, 0, 1, 2, 3], y [0, 1, 0, 1, 1].
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 0), np.sum(y == 1)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    m, s = scores.mean(), scores.std()
    X = np.column_stack([(scores - m) / s, np.ones(len(y))])
    w = np.zeros(2)
    for _ in range(100):
        p = special.expit(X @ w)
        step = np.linalg.solve((X.T * (p * (1 - p))) @ X, X.T @ (p - t))
        w = w - step / max(1.0, np.abs(step).max())
    return w[0] / s, w[1] - w[0] * m / s


# %% mean-of-class-means wrong="platt-fit"
# Averages within each label first, so labels count alike: scores [-1, 0, 1, 2, 3],
# y [0, 1, 0, 1, 1].
def platt_fit(scores, y):
    n1 = np.sum(y == 1)
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    share = np.where(y == 1, 0.5 / n1, 0.5 / n0)
    m, s = scores.mean(), scores.std()
    X = np.column_stack([(scores - m) / s, np.ones(len(y))])
    w = np.zeros(2)
    for _ in range(100):
        p = special.expit(X @ w)
        step = np.linalg.solve((X.T * (share * p * (1 - p))) @ X, X.T @ (share * (p - t)))
        w = w - step / max(1.0, np.abs(step).max())
    return w[0] / s, w[1] - w[0] * m / s


# %% rising-only wrong="platt-fit"
# The slope is written as exp(c) and cannot be negative: scores [3, 2, 1, 0, -1],
# y [0, 1, 0, 1, 1].
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    m, s = scores.mean(), scores.std()
    x = (scores - m) / s

    def loss(v):
        f = np.exp(v[0]) * x + v[1]
        g = special.expit(f) - t
        slope = np.array([np.mean(g * x) * np.exp(v[0]), np.mean(g)])
        return np.mean(np.logaddexp(0, f) - t * f), slope

    start = np.array([0.0, 0.0])
    v = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-12}).x
    a = np.exp(v[0])
    return a / s, v[1] - a * m / s


# %% clipped-exponent wrong="platt-fit"
# The argument of the sigmoid is clipped at 15, where a far score pulls no more:
# scores 100 times -1, 100 times 1, and 40; y 100 times 0, 101 times 1.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    m, s = scores.mean(), scores.std()
    X = np.column_stack([(scores - m) / s, np.ones(len(y))])
    w = np.zeros(2)
    for _ in range(200):
        f = X @ w
        inside = np.abs(f) < 15
        p = special.expit(np.clip(f, -15, 15))
        step = np.linalg.lstsq(
            (X.T * (inside * p * (1 - p))) @ X, X.T @ (inside * (p - t)), rcond=None
        )[0]
        w = w - step / max(1.0, np.abs(step).max())
    return w[0] / s, w[1] - w[0] * m / s
