# %% [markdown]
# Answers written from the text alone.


# %% ece-by-search right="ece-closed-edges"
# Finds the bin among the inner edges, adds up p - y in each bin.
def ece(p, y, edges):
    bins = np.searchsorted(edges[1:-1], p, side="right")
    gaps = np.bincount(bins, weights=p - y, minlength=len(edges) - 1)
    return float(np.abs(gaps).sum() / len(p))


# %% ece-by-masks right="ece-closed-edges"
# Loops over the bins; the last one is closed on both sides.
def ece(p, y, edges):
    total, last = 0.0, len(edges) - 2
    for k in range(last + 1):
        inside = (p >= edges[k]) & ((p < edges[k + 1]) | (k == last))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return float(total)


# %% ece-tolerant-edges wrong="ece-closed-edges"
# Counts a forecast just below an edge as on it, with a tolerance of 1e-5: wrong for one that is
# 2e-6 below.
def ece(p, y, edges):
    bins = np.searchsorted(edges, p + 1e-5, side="right") - 1
    bins = np.minimum(bins, len(edges) - 2)
    gaps = np.bincount(bins, weights=p - y, minlength=len(edges) - 1)
    return float(np.abs(gaps).sum() / len(p))


# %% ece-quick-equal-steps wrong="ece-closed-edges"
# Multiplies and cuts off where the edges are in equal steps: 0.29 * 100 is 28.999..., so a
# forecast on that edge of linspace(0, 1, 101) falls into the bin below.
def ece(p, y, edges):
    m = len(edges) - 1
    if np.allclose(np.diff(edges), 1 / m, rtol=0, atol=1e-12):
        bins = np.minimum((p * m).astype(int), m - 1)
    else:
        bins = np.minimum(np.searchsorted(edges, p, side="right") - 1, m - 1)
    gaps = np.bincount(bins, weights=p - y, minlength=m)
    return float(np.abs(gaps).sum() / len(p))


# %% ece-lonely-ones wrong="ece-closed-edges"
# Asks whether a bin is empty before p = 1 joins it: examples at exactly 1 are lost if the last
# bin holds no others.
def ece(p, y, edges):
    total = 0.0
    for k in range(len(edges) - 1):
        inside = (p >= edges[k]) & (p < edges[k + 1])
        if not inside.any():
            continue
        if k == len(edges) - 2:
            inside |= p == 1
        total += inside.sum() * abs(p[inside].mean() - y[inside].mean())
    return float(total / len(p))


# %% ece-merges-narrow-bins wrong="ece-closed-edges"
# Rounds the edges to three decimals and merges those that become equal: wrong for bins that are
# 1e-4 wide.
def ece(p, y, edges):
    rounded = np.unique(np.round(edges, 3))
    bins = np.minimum(np.searchsorted(rounded, p, side="right") - 1, len(rounded) - 2)
    gaps = np.bincount(bins, weights=p - y, minlength=len(rounded) - 1)
    return float(np.abs(gaps).sum() / len(p))


# %% ece-distinct-examples wrong="ece-closed-edges"
# "Each once" read as: equal examples count once. Wrong if two have the same p and the same y.
def ece(p, y, edges):
    pairs = np.unique(np.stack([p, y], axis=1), axis=0)
    p, y = pairs[:, 0], pairs[:, 1]
    bins = np.searchsorted(edges[1:-1], p, side="right")
    gaps = np.bincount(bins, weights=p - y, minlength=len(edges) - 1)
    return float(np.abs(gaps).sum() / len(p))


# %% base-rates-from-counts right="base-rate-scores"
# Everything from the shares of the classes in train and in test.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    seen = np.bincount(test, minlength=classes) / len(test)
    top = int(np.argmax(shares))
    accuracy = float(seen[top])
    brier = float((shares**2).sum() - 2 * seen @ shares + 1)
    nll = float(-special.xlogy(seen, shares).sum())
    return accuracy, abs(float(shares[top]) - accuracy), brier, nll


# %% base-rates-one-hot right="base-rate-scores"
# One row of forecasts and one row of targets for each example.
def base_rate_scores(train, test, classes):
    shares = np.array([np.mean(train == c) for c in range(classes)])
    forecasts = np.tile(shares, (len(test), 1))
    targets = (test[:, None] == np.arange(classes)).astype(float)
    hits = forecasts.argmax(axis=1) == test
    ece = abs(forecasts.max(axis=1).mean() - hits.mean())
    brier = ((forecasts - targets) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        nll = -np.log(shares[test]).mean()
    return hits.mean(), ece, brier, nll


# %% base-rates-brier-of-known wrong="base-rate-scores"
# The Brier score sums over the classes that occur in train only: an example of a class that
# train does not hold loses its distance of 1.
def base_rate_scores(train, test, classes):
    known, counts = np.unique(train, return_counts=True)
    shares = counts / len(train)
    top = known[np.argmax(shares)]
    accuracy = np.mean(test == top)
    targets = (test[:, None] == known).astype(float)
    brier = ((shares - targets) ** 2).sum(axis=1).mean()
    every = np.zeros(classes)
    every[known] = shares
    with np.errstate(divide="ignore"):
        nll = -np.log(every[test]).mean()
    return accuracy, abs(shares.max() - accuracy), brier, nll


# %% base-rates-zero-times-infinity wrong="base-rate-scores"
# NLL as the sum over classes of share in test times log: nan if a class is missing from both.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    seen = np.bincount(test, minlength=classes) / len(test)
    accuracy = seen[np.argmax(shares)]
    brier = np.mean([((shares - np.eye(classes)[c]) ** 2).sum() for c in test])
    with np.errstate(all="ignore"):
        nll = -(seen * np.log(shares)).sum()
    return accuracy, abs(shares.max() - accuracy), brier, nll


# %% base-rates-first-seen wrong="base-rate-scores"
# Of equally frequent classes it takes the one that comes first in train, not the lowest label:
# wrong for train = [2, 0].
def base_rate_scores(train, test, classes):
    from collections import Counter

    top = Counter(train.tolist()).most_common(1)[0][0]
    shares = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == top)
    brier = ((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        nll = -np.log(shares[test]).mean()
    return accuracy, abs(shares[top] - accuracy), brier, nll


# %% base-rates-signed-gap wrong="base-rate-scores"
# Accuracy minus confidence without the absolute value: negative where the forecaster is too
# sure.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == np.argmax(shares))
    brier = ((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        nll = -np.log(shares[test]).mean()
    return accuracy, accuracy - shares.max(), brier, nll


# %% base-rates-infinite-too-soon wrong="base-rate-scores"
# Infinite NLL as soon as train lacks any class: wrong if test lacks it as well.
def base_rate_scores(train, test, classes):
    shares = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == np.argmax(shares))
    brier = ((shares - np.eye(classes)[test]) ** 2).sum(axis=1).mean()
    nll = np.inf if (shares == 0).any() else -np.log(shares[test]).mean()
    return accuracy, abs(shares.max() - accuracy), brier, nll


# %% table-by-split right="reliability-table"
# Sorts, splits with np.array_split, and fills one row for each piece.
def reliability_table(p, y, groups, level):
    from scipy.stats import norm

    z = norm.isf((1 - level) / 2)
    rows = []
    for piece in np.array_split(np.argsort(p), groups):
        c, k = len(piece), int(y[piece].sum())
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[piece].mean(), k / c, middle - half, middle + half])
    return np.array(rows, dtype=float)


# %% table-by-group-numbers right="reliability-table"
# Gives every example the number of its group by its rank; then sums for all groups at once.
def reliability_table(p, y, groups, level):
    n = len(p)
    small, larger = divmod(n, groups)
    counts = np.full(groups, small)
    counts[:larger] += 1
    number = np.empty(n, dtype=int)
    number[np.argsort(p, kind="stable")] = np.repeat(np.arange(groups), counts)
    ones = np.bincount(number, weights=y, minlength=groups)
    mean_p = np.bincount(number, weights=p, minlength=groups) / counts
    z2 = 2 * special.erfinv(level) ** 2
    root = np.sqrt(z2 * (ones * (counts - ones) / counts + z2 / 4))
    low = (ones + z2 / 2 - root) / (counts + z2)
    high = (ones + z2 / 2 + root) / (counts + z2)
    return np.column_stack([counts, mean_p, ones / counts, low, high])


# %% table-single-precision-order wrong="reliability-table"
# Sorts in float32, where forecasts a billionth apart are equal and keep the order they came in:
# wrong when they come in falling order at the border of two groups.
def reliability_table(p, y, groups, level):
    order = np.argsort(p.astype(np.float32), kind="stable")
    z = np.sqrt(2) * special.erfinv(level)
    rows = []
    for piece in np.array_split(order, groups):
        c, k = len(piece), y[piece].sum()
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[piece].mean(), k / c, middle - half, middle + half])
    return np.array(rows)


# %% table-rounded-up-size wrong="reliability-table"
# Pieces of the size n / groups rounded up, the last takes what is left: 3, 3, 3, 1 for ten
# examples in four groups, not 3, 3, 2, 2.
def reliability_table(p, y, groups, level):
    order = np.argsort(p)
    size = -(-len(p) // groups)
    z = np.sqrt(2) * special.erfinv(level)
    rows = np.zeros((groups, 5))
    for i in range(groups):
        piece = order[i * size : (i + 1) * size]
        if len(piece) == 0:
            continue
        c, k = len(piece), y[piece].sum()
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows[i] = c, p[piece].mean(), k / c, middle - half, middle + half
    return rows


# %% table-exact-for-no-ones wrong="reliability-table"
# A group without ones gets the exact binomial bound in place of Wilson's upper end.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    rows = []
    for piece in np.array_split(np.argsort(p), groups):
        c, k = len(piece), y[piece].sum()
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        low, high = middle - half, middle + half
        if k == 0:
            low, high = 0.0, 1 - ((1 - level) / 2) ** (1 / c)
        rows.append([c, p[piece].mean(), k / c, low, high])
    return np.array(rows)


# %% table-sample-variance wrong="reliability-table"
# Takes k (c - k) / c from the sample variance with n - 1: nan for groups of a single example.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    rows = []
    for piece in np.array_split(np.argsort(p), groups):
        c, seen = len(piece), y[piece]
        with np.errstate(all="ignore"):
            spread = (c - 1) * np.divide(((seen - seen.mean()) ** 2).sum(), c - 1)
        middle = (seen.sum() + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(spread + z**2 / 4)
        rows.append([c, p[piece].mean(), seen.mean(), middle - half, middle + half])
    return np.array(rows)


# %% table-one-group-flat wrong="reliability-table"
# Squeezes the table: shape (5,) in place of (1, 5) for a single group.
def reliability_table(p, y, groups, level):
    z = np.sqrt(2) * special.erfinv(level)
    pieces = np.array_split(np.argsort(p), groups)
    c = np.array([len(piece) for piece in pieces])
    k = np.array([y[piece].sum() for piece in pieces])
    means = np.array([p[piece].mean() for piece in pieces])
    middle = (k + z**2 / 2) / (c + z**2)
    half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
    return np.stack([c, means, k / c, middle - half, middle + half], axis=1).squeeze()


# %% parts-by-numbered-groups right="brier-parts"
# Numbers the groups, and adds up weights in each.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    number = np.unique(group, return_inverse=True)[1].ravel()
    total = np.bincount(number, weights=weight)
    p_bar = (np.bincount(number, weights=weight * p) / total)[number]
    y_bar = (np.bincount(number, weights=weight * y) / total)[number]
    ones, zeros = w @ y, w @ (1 - y)
    reliability = w @ (p_bar - y_bar) ** 2
    resolution = w @ (y_bar - ones) ** 2
    variance = w @ (p - p_bar) ** 2
    covariance = 2 * w @ ((p - p_bar) * (y - y_bar))
    return reliability, resolution, ones * zeros, variance, covariance


# %% parts-by-masks right="brier-parts"
# One group at a time, with a mask.
def brier_parts(p, y, group, weight):
    everything = weight.sum()
    overall = np.average(y, weights=weight)
    reliability = resolution = variance = covariance = 0.0
    for g in set(group.tolist()):
        inside = group == g
        own = weight[inside]
        p_bar, y_bar = np.average(p[inside], weights=own), np.average(y[inside], weights=own)
        dp, dy = p[inside] - p_bar, y[inside] - y_bar
        share = own.sum() / everything
        reliability += share * (p_bar - y_bar) ** 2
        resolution += share * (y_bar - overall) ** 2
        variance += (own * dp**2).sum() / everything
        covariance += 2 * (own * dp * dy).sum() / everything
    uncertainty = overall * np.average(1 - y, weights=weight)
    return reliability, resolution, uncertainty, variance, covariance


# %% parts-single-precision-names wrong="brier-parts"
# Compares the groups in float32: 999999999 and 1000000000 become one group.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    names = group.astype(np.float32)
    same = (names[:, None] == names[None, :]) * w
    p_bar, y_bar = same @ p / same.sum(axis=1), same @ y / same.sum(axis=1)
    overall = w @ y
    return (
        w @ (p_bar - y_bar) ** 2,
        w @ (y_bar - overall) ** 2,
        overall * (1 - overall),
        w @ (p - p_bar) ** 2,
        2 * w @ ((p - p_bar) * (y - y_bar)),
    )


# %% parts-runs-of-groups wrong="brier-parts"
# A new group begins wherever the number changes: wrong if the examples of a group are not next
# to each other.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    number = np.concatenate([[0], np.cumsum(np.diff(group) != 0)])
    total = np.bincount(number, weights=w)
    p_bar = (np.bincount(number, weights=w * p) / total)[number]
    y_bar = (np.bincount(number, weights=w * y) / total)[number]
    overall = w @ y
    return (
        w @ (p_bar - y_bar) ** 2,
        w @ (y_bar - overall) ** 2,
        overall * (1 - overall),
        w @ (p - p_bar) ** 2,
        2 * w @ ((p - p_bar) * (y - y_bar)),
    )


# %% parts-safe-division wrong="brier-parts"
# Adds 1e-9 to the weight of a group before dividing: wrong if all weights are 1e-10.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    number = np.unique(group, return_inverse=True)[1].ravel()
    total = np.bincount(number, weights=weight) + 1e-9
    p_bar = (np.bincount(number, weights=weight * p) / total)[number]
    y_bar = (np.bincount(number, weights=weight * y) / total)[number]
    overall = w @ y
    return (
        w @ (p_bar - y_bar) ** 2,
        w @ (y_bar - overall) ** 2,
        overall * (1 - overall),
        w @ (p - p_bar) ** 2,
        2 * w @ ((p - p_bar) * (y - y_bar)),
    )


# %% parts-group-zero-missing wrong="brier-parts"
# Takes group 0 for "no group" and leaves its examples out of all sums over groups.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    overall = w @ y
    parts = np.zeros(4)
    for g in np.unique(group):
        if not g:
            continue
        inside = group == g
        own, share = w[inside], w[inside].sum()
        p_bar, y_bar = own @ p[inside] / share, own @ y[inside] / share
        dp, dy = p[inside] - p_bar, y[inside] - y_bar
        parts += [
            share * (p_bar - y_bar) ** 2,
            share * (y_bar - overall) ** 2,
            own @ dp**2,
            2 * own @ (dp * dy),
        ]
    return parts[0], parts[1], overall * (1 - overall), parts[2], parts[3]


# %% parts-repeated-examples wrong="brier-parts"
# Repeats every example as often as its weight says, rounded: wrong for weights such as 0.4 or
# 1.5.
def brier_parts(p, y, group, weight):
    times = np.maximum(np.rint(weight), 1).astype(int)
    p, y, group = (np.repeat(a, times) for a in (p, y, group))
    number = np.unique(group, return_inverse=True)[1].ravel()
    total = np.bincount(number)
    p_bar = (np.bincount(number, weights=p) / total)[number]
    y_bar = (np.bincount(number, weights=y) / total)[number]
    overall = y.mean()
    return (
        np.mean((p_bar - y_bar) ** 2),
        np.mean((y_bar - overall) ** 2),
        overall * (1 - overall),
        np.mean((p - p_bar) ** 2),
        2 * np.mean((p - p_bar) * (y - y_bar)),
    )


# %% paired-vectorised right="paired-comparison"
# Differences for each example, log1p for the zeros, np.std with ddof=1.
def compare(p_a, p_b, y):
    def nll(p):
        return -np.where(y == 1, np.log(p), np.log1p(-p))

    root = np.sqrt(len(y))
    d_nll = nll(p_a) - nll(p_b)
    d_brier = (p_a - p_b) * (p_a + p_b - 2 * y)
    means = d_nll.mean(), d_brier.mean()
    errors = d_nll.std(ddof=1) / root, d_brier.std(ddof=1) / root
    choice = 0
    if all(m > 2 * e for m, e in zip(means, errors, strict=True)):
        choice = 1
    elif all(m < -2 * e for m, e in zip(means, errors, strict=True)):
        choice = -1
    return means[0], errors[0], means[1], errors[1], choice


# %% paired-exact-sums right="paired-comparison"
# One example at a time, with exact sums from the standard library.
def compare(p_a, p_b, y):
    import math
    import statistics

    logs, squares = [], []
    for a, b, label in zip(p_a.tolist(), p_b.tolist(), y.tolist(), strict=True):
        if label == 1:
            logs.append(math.log(b) - math.log(a))
        else:
            logs.append(math.log1p(-b) - math.log1p(-a))
        squares.append((a - label) ** 2 - (b - label) ** 2)
    result, votes = [], []
    for values in (logs, squares):
        mean = math.fsum(values) / len(values)
        error = statistics.stdev(values) / math.sqrt(len(values))
        votes.append((mean > 2 * error) - (mean < -2 * error))
        result += [mean, error]
    return (*result, votes[0] if votes[0] == votes[1] else 0)


# %% paired-clipped wrong="paired-comparison"
# Clips the forecasts to 1e-10 and 1 - 1e-10: the NLL is too small for a forecast of 1e-12 that
# was wrong.
def compare(p_a, p_b, y):
    a, b = np.clip(p_a, 1e-10, 1 - 1e-10), np.clip(p_b, 1e-10, 1 - 1e-10)
    d_nll = np.where(y == 1, np.log(b / a), np.log1p(-b) - np.log1p(-a))
    d_brier = (p_a - y) ** 2 - (p_b - y) ** 2
    root = np.sqrt(len(y))
    n, ns = d_nll.mean(), d_nll.std(ddof=1) / root
    s, ss = d_brier.mean(), d_brier.std(ddof=1) / root
    choice = int(n > 2 * ns and s > 2 * ss) - int(n < -2 * ns and s < -2 * ss)
    return n, ns, s, ss, choice


# %% paired-no-error-no-choice wrong="paired-comparison"
# Undecided whenever a standard error is zero: wrong if all differences are equal and not zero,
# as for two examples with the same row.
def compare(p_a, p_b, y):
    d_nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    d_brier = (p_a - y) ** 2 - (p_b - y) ** 2
    root = np.sqrt(len(y))
    n, ns = d_nll.mean(), d_nll.std(ddof=1) / root
    s, ss = d_brier.mean(), d_brier.std(ddof=1) / root
    choice = 0
    if ns > 1e-12 and ss > 1e-12:
        t_nll, t_brier = n / ns, s / ss
        choice = int(min(t_nll, t_brier) > 2) - int(max(t_nll, t_brier) < -2)
    return n, ns, s, ss, choice


# %% paired-disagreeing-scores wrong="paired-comparison"
# Asks only that both means are far from 0, then follows the NLL: wrong if the two scores are
# clear and contradict each other.
def compare(p_a, p_b, y):
    d_nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    d_brier = (p_a - y) ** 2 - (p_b - y) ** 2
    root = np.sqrt(len(y))
    n, ns = d_nll.mean(), d_nll.std(ddof=1) / root
    s, ss = d_brier.mean(), d_brier.std(ddof=1) / root
    clear = abs(n) > 2 * ns and abs(s) > 2 * ss
    return n, ns, s, ss, int(np.sign(n)) if clear else 0


# %% paired-normal-quantile wrong="paired-comparison"
# 1.96 standard errors in place of 2: wrong if a mean lies 1.98 of them above 0.
def compare(p_a, p_b, y):
    d_nll = np.where(y == 1, np.log(p_b) - np.log(p_a), np.log1p(-p_b) - np.log1p(-p_a))
    d_brier = (p_a - y) ** 2 - (p_b - y) ** 2
    root = np.sqrt(len(y))
    n, ns = d_nll.mean(), d_nll.std(ddof=1) / root
    s, ss = d_brier.mean(), d_brier.std(ddof=1) / root
    z = 1.96
    choice = int(n > z * ns and s > z * ss) - int(n < -z * ns and s < -z * ss)
    return n, ns, s, ss, choice


# %% paired-single-precision wrong="paired-comparison"
# The cross-entropy of PyTorch in float32: 1 - 1e-12 becomes 1, and its NLL for a zero is cut
# off at 100 in place of 27.6.
def compare(p_a, p_b, y):
    import torch

    target = torch.tensor(y, dtype=torch.float32)

    def nll(p):
        forecast = torch.tensor(p, dtype=torch.float32)
        loss = torch.nn.functional.binary_cross_entropy(forecast, target, reduction="none")
        return loss.double().numpy()

    d_nll = nll(p_a) - nll(p_b)
    d_brier = (p_a - y) ** 2 - (p_b - y) ** 2
    root = np.sqrt(len(y))
    n, ns = d_nll.mean(), d_nll.std(ddof=1) / root
    s, ss = d_brier.mean(), d_brier.std(ddof=1) / root
    choice = int(n > 2 * ns and s > 2 * ss) - int(n < -2 * ns and s < -2 * ss)
    return n, ns, s, ss, choice


# %% temperature-brent-root right="fit-temperature"
# Brent's root of the derivative, over log T, from differences to the label's own logit.
def fit_temperature(logits, labels, held_out):
    z, own = logits[held_out], labels[held_out]
    gaps = z - z[np.arange(len(z)), own][:, None]

    def slope(log_t):
        return (special.softmax(gaps * np.exp(-log_t), axis=1) * gaps).sum(axis=1).mean()

    root = optimize.brentq(slope, np.log(1e-4), np.log(1e4), xtol=1e-13, rtol=1e-14)
    return float(np.exp(root))


# %% temperature-bisection right="fit-temperature"
# Bisection of the derivative with respect to 1 / T, by hand.
def fit_temperature(logits, labels, held_out):
    rows = np.flatnonzero(held_out)
    shifted = logits[rows] - logits[rows].max(axis=1, keepdims=True)
    target = shifted[np.arange(len(rows)), labels[rows]]
    low, high = 1e-4, 1e4  # of 1 / T
    for _ in range(120):
        beta = np.sqrt(low * high)
        e = np.exp(beta * shifted)
        expected = (e * shifted).sum(axis=1) / e.sum(axis=1)
        if (expected - target).sum() > 0:
            high = beta
        else:
            low = beta
    return float(1 / np.sqrt(low * high))


# %% temperature-coarse-tolerance wrong="fit-temperature"
# A bounded search over log T that stops at 1e-4: the fourth or fifth digit is wrong.
def fit_temperature(logits, labels, held_out):
    z, own = logits[held_out], labels[held_out]
    gaps = z - z[np.arange(len(z)), own][:, None]

    def loss(log_t):
        return special.logsumexp(gaps * np.exp(-log_t), axis=1).mean()

    found = optimize.minimize_scalar(
        loss, bounds=(-7.0, 7.0), method="bounded", options={"xatol": 1e-4}
    )
    return float(np.exp(found.x))


# %% temperature-narrow-range wrong="fit-temperature"
# Looks between 1/500 and 500 only: returns the end of the range where T is 1/1000 or 1000.
def fit_temperature(logits, labels, held_out):
    z, own = logits[held_out], labels[held_out]
    gaps = z - z[np.arange(len(z)), own][:, None]
    low, high = np.log(1 / 500), np.log(500)
    for _ in range(100):
        middle = (low + high) / 2
        q = special.softmax(gaps * np.exp(-middle), axis=1)
        if (q * gaps).sum() > 0:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


# %% temperature-single-precision wrong="fit-temperature"
# Stores the logits in float32 before it takes differences: with an offset of a million only
# steps of 1/16 are left.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out].astype(np.float32).astype(np.float64)
    gaps = z - z[np.arange(len(z)), labels[held_out]][:, None]

    def slope(log_t):
        return (special.softmax(gaps * np.exp(-log_t), axis=1) * gaps).sum(axis=1).mean()

    return float(np.exp(optimize.brentq(slope, -9.0, 9.0, xtol=1e-13)))


# %% temperature-clipped-probabilities wrong="fit-temperature"
# Clips probabilities at 1e-12 before the log: a row of large logits whose NLL is above 27.6 at
# the best T no longer counts.
def fit_temperature(logits, labels, held_out):
    z, own = logits[held_out], labels[held_out]
    z = z - z.max(axis=1, keepdims=True)

    def loss(log_t):
        q = special.softmax(z * np.exp(-log_t), axis=1)[np.arange(len(z)), own]
        return -np.log(np.clip(q, 1e-12, 1.0)).mean()

    found = optimize.minimize_scalar(
        loss, bounds=(-7.0, 7.0), method="bounded", options={"xatol": 1e-10, "maxiter": 500}
    )
    return float(np.exp(found.x))


# %% temperature-bracket-from-all wrong="fit-temperature"
# Sets the range of the search by the spread of all rows, also those that are not held out: ends
# at its border if theirs are many thousand times as large.
def fit_temperature(logits, labels, held_out):
    spread = (logits - logits.mean(axis=1, keepdims=True)).std()
    z, own = logits[held_out], labels[held_out]
    gaps = z - z[np.arange(len(z)), own][:, None]
    low, high = np.log(spread / 1000), np.log(spread * 1000)
    for _ in range(100):
        middle = (low + high) / 2
        q = special.softmax(gaps * np.exp(-middle), axis=1)
        if (q * gaps).sum() > 0:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


# %% platt-damped-newton right="platt-fit"
# Newton with step halving, centred anew at the weighted mean of the scores in each step.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    shift = scores.mean()
    scale = (scores - shift).std()
    u = (scores - shift) / scale

    def loss(z):
        return np.mean(np.logaddexp(0, z) - t * z)

    a, centre, d = 0.0, 0.0, 0.0
    for _ in range(500):
        z = a * (u - centre) + d
        q = special.expit(z)
        weight = q * special.expit(-z)
        new_centre = (weight * u).sum() / max(weight.sum(), 1e-200)
        d, centre = d + a * (new_centre - centre), new_centre
        v = u - centre
        step_a = ((t - q) * v).sum() / max((weight * v**2).sum(), 1e-12)
        step_d = (t - q).sum() / max(weight.sum(), 1e-12)
        now, size = loss(a * v + d), 1.0
        while size > 1e-12:
            if loss((a + size * step_a) * v + d + size * step_d) <= now + 1e-14:
                break
            size /= 2
        a, d = a + size * step_a, d + size * step_d
        if abs(step_a) <= 1e-14 * abs(a) and abs(step_d) <= 1e-14 * (1 + abs(d)):
            break
    slope = a / scale
    return float(slope), float(d - a * centre - slope * shift)


# %% platt-nested-roots right="platt-fit"
# For each slope the best intercept by a root search, and the slope by another one around it.
def platt_fit(scores, y):
    ones, zeros = int(np.sum(y)), int(len(y) - np.sum(y))
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    shift = (scores.min() + scores.max()) / 2
    scale = (scores.max() - scores.min()) / 2
    u = (scores - shift) / scale

    def intercept(a):
        reach = abs(a) + 50
        return optimize.brentq(
            lambda d: np.sum(special.expit(a * u + d) - t), -reach, reach, xtol=1e-15, rtol=1e-15
        )

    def slope(a):
        return np.sum((special.expit(a * u + intercept(a)) - t) * u)

    low, high = -1.0, 1.0
    while slope(low) > 0:
        low *= 2
    while slope(high) < 0:
        high *= 2
    a = optimize.brentq(slope, low, high, xtol=1e-15, rtol=1e-15)
    return a / scale, intercept(a) - a * shift / scale


# %% platt-swapped-counts wrong="platt-fit"
# Swaps the two counts in the targets: shows only where ones and zeros are not equally many.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (zeros + 1) / (zeros + 2), 1 / (ones + 2))
    shift, scale = scores.mean(), scores.std()
    u = (scores - shift) / scale

    def loss(v):
        z = v[0] * u + v[1]
        return np.mean(np.logaddexp(0, z) - t * z)

    v = np.zeros(2)
    design = np.stack([u, np.ones(len(u))], axis=1)
    for _ in range(200):
        q = special.expit(design @ v)
        hessian = (design * (q * (1 - q))[:, None]).T @ design + 1e-14 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (t - q))
        size = 1.0
        while size > 1e-10 and loss(v + size * step) > loss(v) + 1e-14:
            size /= 2
        v = v + size * step
    return v[0] / scale, v[1] - v[0] * shift / scale


# %% platt-positive-slope wrong="platt-fit"
# Keeps a at zero or more, as a higher score should mean a one: wrong where ones have the lower
# scores.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    shift, scale = scores.mean(), scores.std()
    u = (scores - shift) / scale
    design = np.stack([u, np.ones(len(u))], axis=1)

    def loss(v):
        z = design @ v
        return np.mean(np.logaddexp(0, z) - t * z)

    v = np.zeros(2)
    for _ in range(200):
        q = special.expit(design @ v)
        hessian = (design * (q * (1 - q))[:, None]).T @ design + 1e-14 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (t - q))
        size = 1.0
        while size > 1e-10 and loss(v + size * step) > loss(v) + 1e-14:
            size /= 2
        v = v + size * step
    if v[0] < 0:
        v = np.array([0.0, special.logit(t.mean())])
    return v[0] / scale, v[1] - v[0] * shift / scale


# %% platt-default-simplex wrong="platt-fit"
# Nelder-Mead with its default tolerance of 1e-4, on standardised scores: about four digits.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    shift, scale = scores.mean(), scores.std()
    u = (scores - shift) / scale

    def loss(v):
        z = v[0] * u + v[1]
        return np.mean(np.logaddexp(0, z) - t * z)

    a, b = optimize.minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    return a / scale, b - a * shift / scale


# %% platt-scaled-not-centred wrong="platt-fit"
# Divides by the largest score but does not centre: the Hessian is singular to working precision
# for scores near ten thousand that differ by a thousandth.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    scale = np.abs(scores).max()
    design = np.stack([scores / scale, np.ones(len(scores))], axis=1)

    def loss(v):
        z = design @ v
        return np.mean(np.logaddexp(0, z) - t * z)

    v = np.zeros(2)
    for _ in range(200):
        q = special.expit(design @ v)
        hessian = (design * (q * (1 - q))[:, None]).T @ design
        step = np.linalg.lstsq(hessian, design.T @ (t - q), rcond=None)[0]
        size = 1.0
        while size > 1e-10 and loss(v + size * step) > loss(v) + 1e-14:
            size /= 2
        v = v + size * step
    return v[0] / scale, v[1]


# %% platt-touch-of-ridge wrong="platt-fit"
# Adds 1e-9 a^2 to the mean loss to be safe: far too much where the scores differ by a few
# thousandths and a is in the thousands.
def platt_fit(scores, y):
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    shift, scale = scores.mean(), scores.std()
    u = (scores - shift) / scale
    design = np.stack([u, np.ones(len(u))], axis=1)
    penalty = np.array([2e-9 / scale**2, 0.0])

    def loss(v):
        z = design @ v
        return np.mean(np.logaddexp(0, z) - t * z) + 0.5 * penalty @ v**2

    v = np.zeros(2)
    for _ in range(200):
        q = special.expit(design @ v)
        hessian = (design * (q * (1 - q))[:, None]).T @ design / len(t) + np.diag(penalty)
        step = np.linalg.solve(hessian, design.T @ (t - q) / len(t) - penalty * v)
        size = 1.0
        while size > 1e-10 and loss(v + size * step) > loss(v) + 1e-14:
            size /= 2
        v = v + size * step
    return v[0] / scale, v[1] - v[0] * shift / scale
