# %% [markdown]
# Answers written from the text alone.


# %% ece-searchsorted right="ece-closed-edges"
# The bin of each example by search, the last one closed by a cut, and sums by bincount.
def ece(p, y, edges):
    m = len(edges) - 1
    index = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    gap = np.bincount(index, weights=p - y, minlength=m)
    return np.abs(gap).sum() / len(p)


# %% ece-masks right="ece-closed-edges"
# A loop over the bins with a mask for each; the last one takes whatever is at its edge or above.
def ece(p, y, edges):
    total = 0.0
    for k in range(len(edges) - 1):
        inside = p >= edges[k]
        if k < len(edges) - 2:
            inside = inside & (p < edges[k + 1])
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% ece-rounded-forecasts wrong="ece-closed-edges"
# Rounds p and edges to five decimals to find the bin: a forecast 1e-6 below an edge moves up.
def ece(p, y, edges):
    m = len(edges) - 1
    index = np.searchsorted(np.round(edges, 5), np.round(p, 5), side="right") - 1
    gap = np.bincount(np.minimum(index, m - 1), weights=p - y, minlength=m)
    return np.abs(gap).sum() / len(p)


# %% ece-float32-bins wrong="ece-closed-edges"
# Finds the bins of float32 forecasts among float64 edges: p = 0.7 falls below the edge 0.7.
def ece(p, y, edges):
    m = len(edges) - 1
    coarse = p.astype(np.float32).astype(np.float64)
    index = np.minimum(np.searchsorted(edges, coarse, side="right") - 1, m - 1)
    gap = np.bincount(index, weights=p - y, minlength=m)
    return np.abs(gap).sum() / len(p)


# %% ece-equal-forecasts-lost wrong="ece-closed-edges"
# Sorts with np.unique, which keeps one example of those with equal forecasts: wrong for ties.
def ece(p, y, edges):
    m = len(edges) - 1
    sorted_p, first = np.unique(p, return_index=True)
    index = np.minimum(np.searchsorted(edges, sorted_p, side="right") - 1, m - 1)
    gap = np.bincount(index, weights=sorted_p - y[first], minlength=m)
    return np.abs(gap).sum() / len(sorted_p)


# %% ece-zero-sum-is-empty wrong="ece-closed-edges"
# Takes a bin for empty if its forecasts add up to 0: loses a bin that holds only p = 0, some with
# label 1.
def ece(p, y, edges):
    m = len(edges) - 1
    index = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    total = 0.0
    for k in range(m):
        inside = index == k
        if p[inside].sum() == 0:
            continue
        total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% base-rates-one-hot right="base-rate-scores"
# Shares by bincount, labels as one-hot rows.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    top = int(shares.argmax())
    accuracy = float((test == top).mean())
    brier = float(((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore"):
        nll = float(-np.log(shares[test]).mean())
    return accuracy, abs(float(shares[top]) - accuracy), brier, nll


# %% base-rates-from-counts right="base-rate-scores"
# All scores from two lists of shares, in the training labels and in the test labels.
def base_rate_scores(train, test, classes):
    labels = range(classes)
    q = [float(np.mean(train == k)) for k in labels]
    r = [float(np.mean(test == k)) for k in labels]
    top = max(labels, key=lambda k: (q[k], -k))
    squares = sum(share**2 for share in q)
    brier = sum(r[k] * (squares - q[k] ** 2 + (1 - q[k]) ** 2) for k in labels)
    nll = -sum(float(special.xlogy(r[k], q[k])) for k in labels)
    return r[top], abs(q[top] - r[top]), brier, nll


# %% base-rates-first-seen wrong="base-rate-scores"
# Counter.most_common breaks ties by what came first, not by the lowest label: train = [1, 0].
def base_rate_scores(train, test, classes):
    from collections import Counter

    shares = np.bincount(train, minlength=classes) / len(train)
    top = Counter(train.tolist()).most_common(1)[0][0]
    accuracy = float((test == top).mean())
    brier = float(((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore"):
        nll = float(-np.log(shares[test]).mean())
    return accuracy, abs(float(shares[top]) - accuracy), brier, nll


# %% base-rates-zero-times-inf wrong="base-rate-scores"
# NLL as -sum(r log q): 0 times infinity is nan for a class that is missing from both.
def base_rate_scores(train, test, classes):
    q = np.bincount(train, minlength=classes) / len(train)
    r = np.bincount(test, minlength=classes) / len(test)
    top = int(q.argmax())
    brier = float(((q - np.eye(classes)[test]) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        nll = float(-(r * np.log(q)).sum())
    return float(r[top]), abs(float(q[top] - r[top])), brier, nll


# %% base-rates-signed-ece wrong="base-rate-scores"
# ECE as accuracy minus confidence, without the absolute value: negative if test is harder.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    top = int(shares.argmax())
    accuracy = float((test == top).mean())
    brier = float(((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore"):
        nll = float(-np.log(shares[test]).mean())
    return accuracy, accuracy - float(shares[top]), brier, nll


# %% base-rates-classes-seen wrong="base-rate-scores"
# Sums the Brier score over the classes in train: too small by one for a test label that train
# does not hold.
def base_rate_scores(train, test, classes):
    seen, counts = np.unique(train, return_counts=True)
    shares = counts / len(train)
    accuracy = float((test == seen[shares.argmax()]).mean())
    hits = test[:, None] == seen
    brier = float(((shares - hits) ** 2).sum(axis=1).mean())
    with np.errstate(divide="ignore"):
        nll = float(-np.log((hits * shares).sum(axis=1)).mean())
    return accuracy, abs(float(shares.max()) - accuracy), brier, nll


# %% table-array-split right="reliability-table"
# array_split of the sorted order, a row for each piece, the quantile from the upper tail.
def reliability_table(p, y, groups, level):
    from scipy import stats

    z = float(stats.norm.isf((1 - level) / 2))
    rows = []
    for members in np.array_split(np.argsort(p), groups):
        c, k = len(members), int(y[members].sum())
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[members].mean(), k / c, middle - half, middle + half])
    return np.array(rows)


# %% table-in-columns right="reliability-table"
# Sizes by division with remainder, sums by reduceat, and each column at once.
def reliability_table(p, y, groups, level):
    base, extra = divmod(len(p), groups)
    count = np.full(groups, float(base))
    count[:extra] += 1
    starts = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(int)
    order = np.argsort(p)
    ones = np.add.reduceat(y[order].astype(float), starts)
    mean = np.add.reduceat(p[order], starts) / count
    square = 2 * special.erfinv(level) ** 2
    root = np.sqrt(square * (ones * (count - ones) / count + square / 4))
    low = (ones + square / 2 - root) / (count + square)
    high = (ones + square / 2 + root) / (count + square)
    return np.column_stack([count, mean, ones / count, low, high])


# %% table-float32-order wrong="reliability-table"
# Sorts in float32: forecasts a billionth apart stay in the order in which they came.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    order = np.argsort(p.astype(np.float32), kind="stable")
    rows = []
    for members in np.array_split(order, groups):
        c, k = len(members), int(y[members].sum())
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[members].mean(), k / c, middle - half, middle + half])
    return np.array(rows)


# %% table-full-chunks wrong="reliability-table"
# Pieces of ceil(n / groups): right for 8 in 3, but 9 in 4 gives 3, 3, 3 and no fourth row.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    order = np.argsort(p)
    size = -(-len(p) // groups)
    rows = []
    for start in range(0, len(p), size):
        members = order[start : start + size]
        c, k = len(members), int(y[members].sum())
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[members].mean(), k / c, middle - half, middle + half])
    return np.array(rows)


# %% table-level-clipped wrong="reliability-table"
# Clips the level to at most 1 - 1e-6: too narrow for a level of 1 - 1e-9.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(np.clip(level, 1e-6, 1 - 1e-6))
    rows = []
    for members in np.array_split(np.argsort(p), groups):
        c, k = len(members), int(y[members].sum())
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[members].mean(), k / c, middle - half, middle + half])
    return np.array(rows)


# %% table-squeezed wrong="reliability-table"
# Squeezes the table: for groups = 1 its shape is (5,) in place of (1, 5).
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    pieces = np.array_split(np.argsort(p), groups)
    c = np.array([len(members) for members in pieces])
    k = np.array([y[members].sum() for members in pieces])
    mean = np.array([p[members].mean() for members in pieces])
    middle = (k + z**2 / 2) / (c + z**2)
    half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
    return np.stack([c, mean, k / c, middle - half, middle + half], axis=-1).squeeze()


# %% brier-bincount right="brier-parts"
# Numbers the groups with np.unique and takes all weighted means with bincount.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    index = np.unique(group, return_inverse=True)[1].reshape(-1)
    mass = np.bincount(index, weights=weight)
    p_mean = (np.bincount(index, weights=weight * p) / mass)[index]
    y_mean = (np.bincount(index, weights=weight * y) / mass)[index]
    rate, other = w @ y, w @ (1 - y)
    return (
        float(w @ (p_mean - y_mean) ** 2),
        float(w @ (y_mean - rate) ** 2),
        float(rate * other),
        float(w @ (p - p_mean) ** 2),
        float(2 * (w @ ((p - p_mean) * (y - y_mean)))),
    )


# %% brier-group-by-group right="brier-parts"
# A loop over the groups with np.average, each with its share of the weight.
def brier_parts(p, y, group, weight):
    rate = np.average(y, weights=weight)
    uncertainty = rate * np.average(1 - y, weights=weight)
    reliability = resolution = variance = covariance = 0.0
    for label in sorted(set(group.tolist())):
        inside = group == label
        w, ps, ys = weight[inside], p[inside], y[inside]
        share = w.sum() / weight.sum()
        p_mean, y_mean = np.average(ps, weights=w), np.average(ys, weights=w)
        reliability += share * (p_mean - y_mean) ** 2
        resolution += share * (y_mean - rate) ** 2
        variance += share * np.average((ps - p_mean) ** 2, weights=w)
        covariance += 2 * share * np.average((ps - p_mean) * (ys - y_mean), weights=w)
    return reliability, resolution, uncertainty, variance, covariance


# %% brier-runs wrong="brier-parts"
# Starts a new group wherever the label changes: wrong if examples of a group are not neighbours.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    index = np.concatenate([[0], np.cumsum(np.diff(group) != 0)])
    mass = np.bincount(index, weights=w)
    p_mean = (np.bincount(index, weights=w * p) / mass)[index]
    y_mean = (np.bincount(index, weights=w * y) / mass)[index]
    rate = w @ y
    return (
        float(w @ (p_mean - y_mean) ** 2),
        float(w @ (y_mean - rate) ** 2),
        float(rate * (1 - rate)),
        float(w @ (p - p_mean) ** 2),
        float(2 * (w @ ((p - p_mean) * (y - y_mean)))),
    )


# %% brier-float32-labels wrong="brier-parts"
# Reads the groups as float32: the groups 999999999 and 1000000000 become one.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    same = (group.astype(np.float32)[:, None] == group.astype(np.float32)).astype(float)
    share = same * w / (same @ w)[:, None]
    p_mean, y_mean, rate = share @ p, share @ y, w @ y
    return (
        float(w @ (p_mean - y_mean) ** 2),
        float(w @ (y_mean - rate) ** 2),
        float(rate * (1 - rate)),
        float(w @ (p - p_mean) ** 2),
        float(2 * (w @ ((p - p_mean) * (y - y_mean)))),
    )


# %% brier-tiny-denominator wrong="brier-parts"
# Adds 1e-12 to each sum of weights: wrong in the third digit if all weights are 1e-10.
def brier_parts(p, y, group, weight):
    w = weight / (weight.sum() + 1e-12)
    index = np.unique(group, return_inverse=True)[1].reshape(-1)
    mass = np.bincount(index, weights=weight) + 1e-12
    p_mean = (np.bincount(index, weights=weight * p) / mass)[index]
    y_mean = (np.bincount(index, weights=weight * y) / mass)[index]
    rate = w @ y
    return (
        float(w @ (p_mean - y_mean) ** 2),
        float(w @ (y_mean - rate) ** 2),
        float(rate * (1 - rate)),
        float(w @ (p - p_mean) ** 2),
        float(2 * (w @ ((p - p_mean) * (y - y_mean)))),
    )


# %% brier-skips-singles wrong="brier-parts"
# Passes over groups of one example, which have no variance: their reliability and resolution
# are lost.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    rate = w @ y
    reliability = resolution = variance = covariance = 0.0
    for label in np.unique(group):
        inside = group == label
        if inside.sum() < 2:
            continue
        share = w[inside] / w[inside].sum()
        p_mean, y_mean = share @ p[inside], share @ y[inside]
        reliability += w[inside].sum() * (p_mean - y_mean) ** 2
        resolution += w[inside].sum() * (y_mean - rate) ** 2
        variance += w[inside] @ (p[inside] - p_mean) ** 2
        covariance += 2 * (w[inside] @ ((p[inside] - p_mean) * (y[inside] - y_mean)))
    return reliability, resolution, rate * (1 - rate), variance, covariance


# %% compare-where right="paired-comparison"
# The log likelihood with log1p for label 0; squares by their factors; both arrays at once.
def compare(p_a, p_b, y):
    n = len(y)
    log_a = np.where(y == 1, np.log(p_a), np.log1p(-p_a))
    log_b = np.where(y == 1, np.log(p_b), np.log1p(-p_b))
    differences = np.stack([log_b - log_a, (p_a - p_b) * ((p_a - y) + (p_b - y))])
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(n)
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return float(means[0]), float(errors[0]), float(means[1]), float(errors[1]), choice


# %% compare-xlogy right="paired-comparison"
# Cross-entropies with xlogy and xlog1py, the standard error of each by hand in a small function.
def compare(p_a, p_b, y):
    def nll(p):
        return -special.xlogy(y, p) - special.xlog1py(1 - y, -p)

    def summary(d):
        mean = float(np.sum(d)) / len(d)
        squares = float(np.sum((d - mean) ** 2))
        return mean, (squares / (len(d) - 1) / len(d)) ** 0.5

    nll_mean, nll_se = summary(nll(p_a) - nll(p_b))
    brier_mean, brier_se = summary((p_a - y) ** 2 - (p_b - y) ** 2)
    if nll_mean > 2 * nll_se and brier_mean > 2 * brier_se:
        choice = 1
    elif nll_mean < -2 * nll_se and brier_mean < -2 * brier_se:
        choice = -1
    else:
        choice = 0
    return nll_mean, nll_se, brier_mean, brier_se, choice


# %% compare-clipped wrong="paired-comparison"
# Clips forecasts to 1e-10 from 0 and 1: the NLL is wrong for one of 1e-12 with label 1.
def compare(p_a, p_b, y):
    n = len(y)
    a, b = np.clip(p_a, 1e-10, 1 - 1e-10), np.clip(p_b, 1e-10, 1 - 1e-10)
    log_a = np.where(y == 1, np.log(a), np.log1p(-a))
    log_b = np.where(y == 1, np.log(b), np.log1p(-b))
    differences = np.stack([log_b - log_a, (p_a - y) ** 2 - (p_b - y) ** 2])
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(n)
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return float(means[0]), float(errors[0]), float(means[1]), float(errors[1]), choice


# %% compare-at-least wrong="paired-comparison"
# "At least 2 standard errors" in place of more: chooses B if both forecasts are the same.
def compare(p_a, p_b, y):
    n = len(y)
    log_a = np.where(y == 1, np.log(p_a), np.log1p(-p_a))
    log_b = np.where(y == 1, np.log(p_b), np.log1p(-p_b))
    differences = np.stack([log_b - log_a, (p_a - y) ** 2 - (p_b - y) ** 2])
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(n)
    choice = 0
    if (means >= 2 * errors).all():
        choice = 1
    elif (means <= -2 * errors).all():
        choice = -1
    return float(means[0]), float(errors[0]), float(means[1]), float(errors[1]), choice


# %% compare-no-spread-undecided wrong="paired-comparison"
# Says 0 if the differences do not vary: wrong if all are equal and not zero, as for constant
# forecasts and labels.
def compare(p_a, p_b, y):
    n = len(y)
    log_a = np.where(y == 1, np.log(p_a), np.log1p(-p_a))
    log_b = np.where(y == 1, np.log(p_b), np.log1p(-p_b))
    differences = np.stack([log_b - log_a, (p_a - y) ** 2 - (p_b - y) ** 2])
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(n)
    if (np.ptp(differences, axis=1) == 0).any():
        choice = 0
    else:
        choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return float(means[0]), float(errors[0]), float(means[1]), float(errors[1]), choice


# %% compare-normal-quantile wrong="paired-comparison"
# Chooses from 1.96 standard errors on: wrong if a mean lies 1.98 of them from zero.
def compare(p_a, p_b, y):
    n = len(y)
    log_a = np.where(y == 1, np.log(p_a), np.log1p(-p_a))
    log_b = np.where(y == 1, np.log(p_b), np.log1p(-p_b))
    differences = np.stack([log_b - log_a, (p_a - y) ** 2 - (p_b - y) ** 2])
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(n)
    choice = int((means > 1.96 * errors).all()) - int((means < -1.96 * errors).all())
    return float(means[0]), float(errors[0]), float(means[1]), float(errors[1]), choice


# %% temperature-brent right="fit-temperature"
# Brent's root of the derivative with respect to 1 / T, over log T.
def fit_temperature(logits, labels, held_out):
    z, kept = logits[held_out], labels[held_out]
    above = z - z[np.arange(len(kept)), kept][:, None]

    def slope(log_t):
        weights = special.softmax(above * np.exp(-log_t), axis=1)
        return (weights * above).sum(axis=1).mean()

    return float(np.exp(optimize.brentq(slope, np.log(1e-4), np.log(1e4), xtol=1e-13)))


# %% temperature-safe-newton right="fit-temperature"
# Newton steps for log(1 / T) with exact derivatives, halving a bracket where they leave it.
def fit_temperature(logits, labels, held_out):
    rows = np.flatnonzero(held_out)
    z = logits[rows]
    own = z[np.arange(len(rows)), labels[rows]][:, None] - z.max(axis=1, keepdims=True)
    z = z - z.max(axis=1, keepdims=True)
    low, high = np.log(1e-4), np.log(1e4)
    at = 0.0
    for _ in range(300):
        beta = np.exp(at)
        share = np.exp(beta * z)
        share /= share.sum(axis=1, keepdims=True)
        first = (share * (z - own)).sum(axis=1).mean()
        centre = (share * z).sum(axis=1, keepdims=True)
        second = (share * (z - centre) ** 2).sum(axis=1).mean()
        if first > 0:
            high = at
        else:
            low = at
        bend = beta * first + beta**2 * second
        new = at - beta * first / bend if bend > 0 else np.inf
        if not low < new < high:
            new = (low + high) / 2
        if abs(new - at) < 1e-13:
            break
        at = new
    return float(np.exp(-new))


# %% temperature-float32 wrong="fit-temperature"
# Reads the logits as float32: an offset of a million leaves them in steps of 1/16.
def fit_temperature(logits, labels, held_out):
    z, kept = logits.astype(np.float32)[held_out].astype(float), labels[held_out]
    above = z - z[np.arange(len(kept)), kept][:, None]

    def slope(log_t):
        weights = special.softmax(above * np.exp(-log_t), axis=1)
        return (weights * above).sum(axis=1).mean()

    return float(np.exp(optimize.brentq(slope, np.log(1e-4), np.log(1e4), xtol=1e-13)))


# %% temperature-within-e6 wrong="fit-temperature"
# Searches log T from -6.2 to 6.2 alone: wrong for a T above 493 or below 0.00203.
def fit_temperature(logits, labels, held_out):
    z, kept = logits[held_out], labels[held_out]
    above = z - z[np.arange(len(kept)), kept][:, None]

    def slope(log_t):
        weights = special.softmax(above * np.exp(-log_t), axis=1)
        return (weights * above).sum(axis=1).mean()

    if slope(6.2) > 0:
        return float(np.exp(6.2))
    if slope(-6.2) < 0:
        return float(np.exp(-6.2))
    return float(np.exp(optimize.brentq(slope, -6.2, 6.2, xtol=1e-13)))


# %% temperature-default-tolerance wrong="fit-temperature"
# Minimises over log T with the default tolerances of L-BFGS-B: too coarse for six digits, most
# of all where the minimum is shallow.
def fit_temperature(logits, labels, held_out):
    z, kept = logits[held_out], labels[held_out]
    above = z - z[np.arange(len(kept)), kept][:, None]

    def nll(log_t):
        return special.logsumexp(above * np.exp(-log_t[0]), axis=1).mean()

    start = np.log(np.abs(above).max() / 4)
    best = optimize.minimize(nll, [start], method="L-BFGS-B", bounds=[(-7, 7)])
    return float(np.exp(best.x[0]))


# %% temperature-clipped-probability wrong="fit-temperature"
# Rows whose label has a probability below 1e-8 no longer pull (log of a clipped probability):
# wrong with one label whose logit is 30 T below the largest.
def fit_temperature(logits, labels, held_out):
    z, kept = logits[held_out], labels[held_out]
    above = z - z[np.arange(len(kept)), kept][:, None]

    def slope(log_t):
        weights = special.softmax(above * np.exp(-log_t), axis=1)
        own = weights[np.arange(len(kept)), kept]
        return np.where(own < 1e-8, 0.0, (weights * above).sum(axis=1)).sum()

    grid = np.linspace(np.log(1e3), np.log(1e-3), 400)
    values = [slope(t) for t in grid]
    i = next(i for i in range(1, 400) if values[i] >= 0)
    return float(np.exp(optimize.brentq(slope, grid[i], grid[i - 1], xtol=1e-13)))


# %% platt-moving-centre right="platt-fit"
# Damped Newton; each step is taken around the weighted centre, where slope and level decouple.
def platt_fit(scores, y):
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    a, centre = 0.0, float(np.median(scores))
    level = float(special.logit(t.mean()))

    def loss(f):
        return float(np.mean(np.logaddexp(0, f) - t * f))

    for _ in range(500):
        f = a * (scores - centre) + level
        p = special.expit(f)
        v = p * special.expit(-f)
        shift = float(v @ (scores - centre) / v.sum())
        centre, level = centre + shift, level + a * shift
        d = scores - centre
        step_a = -float((p - t) @ d / (v @ d**2))
        step_level = -float((p - t).sum() / v.sum())
        now, size = loss(a * d + level), 1.0
        while size > 1e-12:
            then = loss((a + size * step_a) * d + level + size * step_level)
            if then <= now + 1e-15 * (1 + abs(now)):
                break
            size /= 2
        a, level = a + size * step_a, level + size * step_level
        if abs(step_a) <= 1e-13 * abs(a) and abs(step_level) <= 1e-13 * (1 + abs(level)):
            break
    return a, level - a * centre


# %% platt-nested-roots right="platt-fit"
# For each slope the level by Brent's root; then the slope at which the profile is flat.
def platt_fit(scores, y):
    n1, n0 = int(np.sum(y)), int(np.sum(1 - y))
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre = float(np.median(scores))
    d = scores - centre

    def level(a):
        reach = float(np.abs(a * d).max()) + 10

        def excess(b):
            return float((special.expit(a * d + b) - t).sum())

        return optimize.brentq(excess, -reach, reach, xtol=1e-13, rtol=1e-15, maxiter=500)

    def slope(a):
        f = a * d + level(a)
        p = special.expit(f)
        v = p * special.expit(-f)
        return float((p - t) @ (d - v @ d / v.sum()))

    at_zero = slope(0.0)
    if at_zero == 0:
        return 0.0, level(0.0) - 0.0
    near, far = 0.0, -np.sign(at_zero) / float(np.ptp(scores))
    while slope(far) * at_zero > 0:
        near, far = far, 2 * far
    a = optimize.brentq(slope, near, far, xtol=1e-14 * abs(far), rtol=1e-14, maxiter=500)
    return float(a), float(level(a) - a * centre)


# %% platt-swapped-counts wrong="platt-fit"
# Swaps the numbers of ones and zeros in the targets: wrong unless both are equal.
def platt_fit(scores, y):
    n0 = int((y == 1).sum())
    n1 = len(y) - n0
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    middle, spread = scores.mean(), scores.std()
    s = (scores - middle) / spread

    def loss(a, b):
        return float(np.mean(np.logaddexp(0, a * s + b) - t * (a * s + b)))

    a, b = 0.0, 0.0
    for _ in range(200):
        p = special.expit(a * s + b)
        v = p * (1 - p)
        gradient = np.array([(p - t) @ s, (p - t).sum()])
        hessian = np.array([[v @ s**2, v @ s], [v @ s, v.sum()]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-9 and loss(a - size * step[0], b - size * step[1]) > loss(a, b):
            size /= 2
        a, b = a - size * step[0], b - size * step[1]
    return float(a / spread), float(b - a / spread * middle)


# %% platt-small-penalty wrong="platt-fit"
# Adds 1e-8 a^2 to the loss for safety: scores that spread over a thousandth need an a of
# thousands, which this pulls down.
def platt_fit(scores, y):
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    middle, spread, n = scores.mean(), scores.std(), len(y)
    s, strength = (scores - middle) / spread, 1e-8 * len(y) / scores.var()
    a, b = 0.0, 0.0

    def loss(a, b):
        f = a * s + b
        return float((np.logaddexp(0, f) - t * f).sum() + strength * a**2) / n

    for _ in range(200):
        p = special.expit(a * s + b)
        v = p * (1 - p)
        gradient = np.array([(p - t) @ s + 2 * strength * a, (p - t).sum()])
        hessian = np.array([[v @ s**2 + 2 * strength, v @ s], [v @ s, v.sum()]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-9 and loss(a - size * step[0], b - size * step[1]) > loss(a, b):
            size /= 2
        a, b = a - size * step[0], b - size * step[1]
    return float(a / spread), float(b - a / spread * middle)


# %% platt-never-falls wrong="platt-fit"
# Takes a score for a sign of label 1 and does not let a fall below 0: wrong for scores that are
# larger where y is 0.
def platt_fit(scores, y):
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    middle, spread = scores.mean(), scores.std()
    s = (scores - middle) / spread
    if (t - t.mean()) @ s <= 0:
        return 0.0, float(special.logit(t.mean()))

    def loss(a, b):
        return float(np.mean(np.logaddexp(0, a * s + b) - t * (a * s + b)))

    a, b = 0.0, 0.0
    for _ in range(200):
        p = special.expit(a * s + b)
        v = p * (1 - p)
        gradient = np.array([(p - t) @ s, (p - t).sum()])
        hessian = np.array([[v @ s**2, v @ s], [v @ s, v.sum()]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-9 and loss(a - size * step[0], b - size * step[1]) > loss(a, b):
            size /= 2
        a, b = a - size * step[0], b - size * step[1]
    return float(a / spread), float(b - a / spread * middle)


# %% platt-eight-steps wrong="platt-fit"
# Eight Newton steps on standardised scores: too few if one far score makes the others a cluster,
# such as linspace(-1, 1, 299) and 5000 with label 1 above zero.
def platt_fit(scores, y):
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    middle, spread = scores.mean(), scores.std()
    s = (scores - middle) / spread

    def loss(a, b):
        return float(np.mean(np.logaddexp(0, a * s + b) - t * (a * s + b)))

    a, b = 0.0, 0.0
    for _ in range(8):
        p = special.expit(a * s + b)
        v = p * (1 - p)
        gradient = np.array([(p - t) @ s, (p - t).sum()])
        hessian = np.array([[v @ s**2, v @ s], [v @ s, v.sum()]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-9 and loss(a - size * step[0], b - size * step[1]) > loss(a, b):
            size /= 2
        a, b = a - size * step[0], b - size * step[1]
    return float(a / spread), float(b - a / spread * middle)
