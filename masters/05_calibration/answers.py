# %% [markdown]
# # Answers to assignment 05
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## ece-closed-edges


# %% by-masks right="ece-closed-edges"
def ece(p, y, edges):
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (p >= low) & ((p < high) | (high == edges[-1]))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% by-torch right="ece-closed-edges"
import torch


def ece(p, y, edges):
    p, y, edges = (torch.tensor(a, dtype=torch.float64) for a in (p, y, edges))
    k = torch.bucketize(p, edges[1:-1], right=True)
    surplus = torch.bincount(k, weights=p - y)
    return surplus.abs().sum() / len(p)


# %% one-by-one right="ece-closed-edges" oracle=True
from fractions import Fraction


def ece(p, y, edges):
    # exact rational arithmetic, one example at a time
    bins = {}
    for forecast, label in zip(p.tolist(), y.tolist()):
        place = max(i for i, edge in enumerate(edges.tolist()[:-1]) if edge <= forecast)
        bins.setdefault(place, []).append((Fraction(forecast), Fraction(int(label))))
    total = Fraction(0)
    for members in bins.values():
        mean_p = sum(m[0] for m in members) / len(members)
        mean_y = sum(m[1] for m in members) / len(members)
        total += Fraction(len(members), len(p)) * max(mean_p - mean_y, mean_y - mean_p)
    return float(total)


# %% rounded-first wrong="ece-closed-edges" fails="edges"
# Rounding moves probabilities across the edges: bin them as they are.
def ece(p, y, edges):
    k = np.clip(np.digitize(np.round(p, 2), edges) - 1, 0, len(edges) - 2)
    return sum(abs(p[k == i].sum() - y[k == i].sum()) for i in range(len(edges) - 1)) / len(p)


# %% last-bin-open wrong="ece-closed-edges" fails="edges"
# Forecasts of exactly 1 are in no bin here, and are lost: close the last bin.
def ece(p, y, edges):
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (p >= low) & (p < high)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% bin-beyond-one wrong="ece-closed-edges" fails="edges"
# Forecasts of exactly 1 get a bin of their own: they belong to the last bin.
def ece(p, y, edges):
    k = np.searchsorted(edges, p, side="right") - 1
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% closed-on-the-right wrong="ece-closed-edges" fails="edges"
# A forecast on an inner edge belongs to the bin that starts there, not to the one that ends there.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1], right=True)
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% zero-lost wrong="ece-closed-edges" fails="edges"
# Bins closed on the right lose forecasts of exactly 0, and inner edges belong to the upper bin.
def ece(p, y, edges):
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (p > low) & (p <= high)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% both-bins wrong="ece-closed-edges" fails="edges"
# Closed on both sides, neighbouring bins both count a forecast on their border: only the last is.
def ece(p, y, edges):
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (p >= low) & (p <= high)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% last-bin-skipped wrong="ece-closed-edges" fails="value,edges,empty bins"
# The loop stops one bin early: m + 1 edges make m bins.
def ece(p, y, edges):
    total = 0.0
    for k in range(len(edges) - 2):
        inside = (p >= edges[k]) & (p < edges[k + 1])
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total


# %% signed-gaps wrong="ece-closed-edges" fails="value,edges,empty bins"
# Gaps above and below the diagonal must not cancel: take the distance in each bin first.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    return abs(np.bincount(k, weights=p - y).sum()) / len(p)


# %% bins-count-alike wrong="ece-closed-edges" fails="value,edges,empty bins"
# Weight each bin by its share of the examples: a bin with one of them is no bin with a hundred.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    return np.mean([abs(p[k == j].mean() - y[k == j].mean()) for j in np.unique(k)])


# %% largest-gap wrong="ece-closed-edges" fails="value,edges,empty bins"
# This is the largest gap (the MCE); the text asks for the weighted mean of the gaps.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    return max(abs(p[k == j].mean() - y[k == j].mean()) for j in np.unique(k))


# %% squared-gaps wrong="ece-closed-edges" fails="value,edges,empty bins"
# These are squared gaps; the ECE takes distances.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    return sum(np.mean(k == j) * (p - y)[k == j].mean() ** 2 for j in np.unique(k))


# %% midpoints wrong="ece-closed-edges" fails="value,edges,empty bins"
# Compare with the mean forecast in the bin, not with the middle of the bin.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    middle = (edges[:-1] + edges[1:]) / 2
    return np.abs(np.bincount(k, weights=middle[k] - y)).sum() / len(p)


# %% each-alone wrong="ece-closed-edges" fails="value,edges,empty bins"
# A single label is 0 or 1, so its distance from p is no calibration error: average in bins first.
def ece(p, y, edges):
    return np.abs(p - y).mean()


# %% confidence-against-label wrong="ece-closed-edges" fails="value,edges,empty bins"
# max(p, 1 - p) belongs to the more probable label, y is about label 1: do not mix the two.
def ece(p, y, edges):
    p = np.maximum(p, 1 - p)
    k = np.digitize(p, edges[1:-1])
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% top-label wrong="ece-closed-edges" fails="value,edges,empty bins"
# This is the top-label ECE, confidence against accuracy; the text asks for the one of label 1.
def ece(p, y, edges):
    right = (p > 0.5) == (y == 1)
    p = np.maximum(p, 1 - p)
    k = np.digitize(p, edges[1:-1])
    return np.abs(np.bincount(k, weights=p - right)).sum() / len(p)


# %% equal-steps wrong="ece-closed-edges" fails="value,edges,empty bins"
# The edges are given and need not have equal steps: use them, not only their number.
def ece(p, y, edges):
    m = len(edges) - 1
    k = np.minimum((p * m).astype(int), m - 1)
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% nan-where-empty wrong="ece-closed-edges" fails="edges,empty bins,value"
# The mean of an empty bin is nan, and so is every sum that it enters: leave empty bins out.
def ece(p, y, edges):
    k = np.digitize(p, edges[1:-1])
    count = np.bincount(k, minlength=len(edges) - 1)
    with np.errstate(invalid="ignore"):
        gap = np.bincount(k, weights=p - y, minlength=len(edges) - 1) / count
    return np.sum(count / len(p) * np.abs(gap))


# %% rounded-into-bins wrong="ece-closed-edges" fails="value,edges,empty bins"
# These are the bins around the nearest edge: a bin reaches from one edge to the next.
def ece(p, y, edges):
    k = np.abs(p[:, None] - edges).argmin(axis=1)
    return np.abs(np.bincount(k, weights=p - y)).sum() / len(p)


# %% [markdown]
# ## base-rate-scores


# %% by-matrix right="base-rate-scores"
def base_rate_scores(train, test, classes):
    p = np.tile(np.eye(classes)[train].mean(axis=0), (len(test), 1))  # (n, classes)
    hot = np.eye(classes)[test]
    right = p.argmax(axis=1) == test
    brier = np.square(p - hot).sum(axis=1).mean()
    with np.errstate(divide="ignore"):
        nll = -np.log(p[np.arange(len(test)), test]).mean()
    return right.mean(), abs(right.mean() - p.max(axis=1).mean()), brier, nll


# %% by-loop right="base-rate-scores"
import math


def base_rate_scores(train, test, classes):
    share = [float((train == k).mean()) for k in range(classes)]
    top = share.index(max(share))
    hits = brier = nll = 0.0
    for label in test.tolist():
        hits += label == top
        brier += sum((share[k] - (k == label)) ** 2 for k in range(classes))
        nll += math.inf if share[label] == 0 else -math.log(share[label])
    n = len(test)
    return hits / n, abs(hits / n - share[top]), brier / n, nll / n


# %% by-counting right="base-rate-scores" oracle=True
from collections import Counter


def base_rate_scores(train, test, classes):
    # sums over classes, not over examples
    seen, asked = Counter(train.tolist()), Counter(test.tolist())
    q = {k: seen[k] / train.size for k in range(classes)}
    favourite = min(q, key=lambda k: (-q[k], k))
    part = {k: asked[k] / test.size for k in asked}
    accuracy = part.get(favourite, 0.0)
    brier = sum(part[k] * sum((q[j] - (j == k)) ** 2 for j in q) for k in part)
    surprise = [part[k] * (-float(np.log(q[k])) if q[k] else float("inf")) for k in part]
    return accuracy, max(q[favourite] - accuracy, accuracy - q[favourite]), brier, sum(surprise)


# %% shares-of-the-test wrong="base-rate-scores" fails="accuracy,ECE,Brier,NLL"
# The forecaster may not look at the test labels: take the shares from the training labels.
def base_rate_scores(train, test, classes):
    share = np.bincount(test, minlength=classes) / len(test)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% always-calibrated wrong="base-rate-scores" fails="ECE"
# The ECE is 0 only where the labels keep the training shares: compare with the test labels.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, 0.0, brier, -np.log(share[test]).mean()


# %% signed-gap wrong="base-rate-scores" fails="ECE"
# An ECE is a distance: it has no sign.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, share.max() - accuracy, brier, -np.log(share[test]).mean()


# %% classwise-error wrong="base-rate-scores" fails="ECE"
# This adds the gaps of all classes; the top-label ECE compares confidence and accuracy only.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    gaps = np.abs(share - np.bincount(test, minlength=classes) / len(test))
    return accuracy, gaps.sum(), brier, -np.log(share[test]).mean()


# %% guesses-at-random wrong="base-rate-scores" fails="accuracy,ECE"
# This is the accuracy of drawing labels at random: predict the class with the largest share.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = share[test].mean()
    brier = 1 + np.sum(share**2) - 2 * accuracy
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% last-of-the-ties wrong="base-rate-scores" fails="accuracy,ECE"
# Of equal shares the lowest label wins.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == classes - 1 - share[::-1].argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% brier-of-the-label wrong="base-rate-scores" fails="Brier"
# This squares only the distance at the class that occurred: sum over all classes.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = np.mean((1 - share[test]) ** 2)
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% brier-of-the-top wrong="base-rate-scores" fails="Brier"
# This is the Brier score of confidence against accuracy: sum the squares over all classes.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    right = test == share.argmax()
    brier = np.mean((share.max() - right) ** 2)
    return right.mean(), abs(share.max() - right.mean()), brier, -np.log(share[test]).mean()


# %% brier-mean-over-classes wrong="base-rate-scores" fails="Brier"
# Sum the squares over the classes, and average over the examples only.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = (1 + np.sum(share**2) - 2 * share[test].mean()) / classes
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% brier-halved wrong="base-rate-scores" fails="Brier"
# The text asks for the whole sum, which can reach 2, not for half of it.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = (1 + np.sum(share**2)) / 2 - share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% entropy-of-the-shares wrong="base-rate-scores" fails="NLL"
# This is the entropy of the training shares: the NLL averages over the test labels.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, special.entr(share).sum()


# %% log-of-the-mean wrong="base-rate-scores" fails="NLL"
# Take logarithms first and average them afterwards.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test].mean())


# %% clipped wrong="base-rate-scores" fails="NLL"
# A class that was given probability 0 and occurs costs infinity: do not clip.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test].clip(1e-15)).mean()


# %% one-added wrong="base-rate-scores" fails="ECE,Brier,NLL"
# Adding one to every count is a prior, and a good idea, but the text asks for the plain shares.
def base_rate_scores(train, test, classes):
    share = (np.bincount(train, minlength=classes) + 1) / (len(train) + classes)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% only-classes-seen wrong="base-rate-scores" fails="Brier,ECE,NLL,accuracy"
# bincount stops at the largest label seen in training: give it minlength.
def base_rate_scores(train, test, classes):
    share = np.bincount(train) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% uniform wrong="base-rate-scores" fails="accuracy,ECE,Brier,NLL"
# Knowing nothing does not mean forecasting 1/K: the shares of the training labels are known.
def base_rate_scores(train, test, classes):
    share = np.full(classes, 1 / classes)
    accuracy = np.mean(test == 0)
    brier = 1 + np.sum(share**2) - 2 * share[test].mean()
    return accuracy, abs(share.max() - accuracy), brier, -np.log(share[test]).mean()


# %% nll-summed wrong="base-rate-scores" fails="NLL"
# Scores are means: a sum grows with the number of examples.
def base_rate_scores(train, test, classes):
    share = np.bincount(train, minlength=classes) / len(train)
    accuracy = np.mean(test == share.argmax())
    brier = 1 - 2 * share[test].mean() + share @ share
    with np.errstate(divide="ignore"):
        return accuracy, abs(share.max() - accuracy), brier, -np.log(share)[test].sum()


# %% [markdown]
# ## reliability-table


# %% by-columns right="reliability-table"
def reliability_table(p, y, groups, level):
    order = p.argsort()
    size = np.full(groups, len(p) // groups)
    size[: len(p) % groups] += 1
    start = np.cumsum(size) - size
    ones = np.add.reduceat(y[order], start).astype(float)
    mean = np.add.reduceat(p[order], start) / size
    z2 = special.ndtri((1 + level) / 2) ** 2
    middle = (ones + 0.5 * z2) / (size + z2)
    half = np.sqrt(z2 * (ones * (size - ones) / size + z2 / 4)) / (size + z2)
    return np.column_stack([size, mean, ones / size, middle - half, middle + half])


# %% by-binomtest right="reliability-table"
from scipy import stats


def reliability_table(p, y, groups, level):
    rows, pairs = [], np.array(sorted(zip(p.tolist(), y.tolist())))
    for part in np.array_split(pairs, groups):
        test = stats.binomtest(int(part[:, 1].sum()), len(part))
        ends = test.proportion_ci(confidence_level=level, method="wilson")
        rows.append((len(part), *part.mean(axis=0), ends.low, ends.high))
    return np.array(rows)


# %% by-roots right="reliability-table" oracle=True
from statistics import NormalDist


def reliability_table(p, y, groups, level):
    # Wilson's ends are where |share - q| is z standard errors of q: the roots of a quadratic
    reach = NormalDist().inv_cdf(1 - (1 - level) / 2)
    ranked = sorted(range(len(p)), key=lambda i: p[i])
    table = []
    for g in range(groups):
        extra = len(p) % groups
        begin = g * (len(p) // groups) + min(g, extra)
        end = (g + 1) * (len(p) // groups) + min(g + 1, extra)
        members = ranked[begin:end]
        n, hits = len(members), sum(int(y[i]) for i in members)
        mu = hits / n
        ends = np.roots([n + reach * reach, -(2 * n * mu + reach * reach), n * mu * mu])
        table.append([n, sum(p[i] for i in members) / n, mu, *np.sort(ends.real)])
    return np.array(table)


# %% by-columns.flip-sign equivalent="reliability-table"
# `z2 = special.ndtri((1 - level) / 2) ** 2`
# The two quantiles differ in sign only, and z enters as its square.

# %% by-roots.flip-sign equivalent="reliability-table"
# `reach = NormalDist().inv_cdf(1 - (1 + level) / 2)`
# The two quantiles differ in sign only, and z enters as its square.


# %% forecasts-not-sorted wrong="reliability-table" fails="means,interval"
# Sort the examples by their forecast before you cut them into groups.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.arange(len(p)), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% labels-left-behind wrong="reliability-table" fails="means,interval"
# The forecasts are sorted, the labels are not: each label must travel with its forecast.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for q, s in zip(np.array_split(np.sort(p), groups), np.array_split(y, groups)):
        c, k = len(q), s.sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, q.mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% sorts-in-place wrong="reliability-table" fails="counts,means,interval"
# p.sort() changes the caller's array, and the labels stay behind: use argsort.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    p.sort()
    for i in np.array_split(np.arange(len(p)), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% equal-width wrong="reliability-table" fails="counts,means,interval"
# These bins have equal widths; the text asks for groups of equal count.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for j in range(groups):
        i = np.flatnonzero(np.minimum((p * groups).astype(int), groups - 1) == j)
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / max(c, 1) + z**2 / 4)
        rows.append([c, p[i].sum() / max(c, 1), k / max(c, 1), centre - half, centre + half])
    return np.array(rows)


# %% rest-dropped wrong="reliability-table" fails="counts,means,interval"
# If the groups do not divide n, the examples left over belong to the first groups: lose none.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    c = len(p) // groups
    order = np.argsort(p)[: c * groups].reshape(groups, c)
    k = y[order].sum(axis=1)
    centre = (k + z**2 / 2) / (c + z**2)
    half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
    count = np.full(groups, c)
    return np.stack([count, p[order].mean(1), k / c, centre - half, centre + half], axis=1)


# %% large-groups-last wrong="reliability-table" fails="counts,means,interval"
# The larger groups come first, at the small forecasts.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(-p), groups)[::-1]:
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% large-to-small wrong="reliability-table" fails="means,interval"
# The rows go from small forecasts to large ones.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(-p), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% median-forecast wrong="reliability-table" fails="means"
# The second column is the mean forecast, not the median.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, np.median(p[i]), k / c, centre - half, centre + half])
    return np.array(rows)


# %% wald wrong="reliability-table" fails="interval"
# This is the simple interval, which has no width where all labels are equal: use Wilson's.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, share = len(i), y[i].mean()
        half = z * np.sqrt(share * (1 - share) / c)
        rows.append([c, p[i].mean(), share, share - half, share + half])
    return np.array(rows)


# %% one-sided wrong="reliability-table" fails="interval"
# This z leaves all of 1 - level on one side: the interval leaves half of it on each.
def reliability_table(p, y, groups, level):
    z = special.ndtri(level)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% always-two wrong="reliability-table" fails="interval"
# 1.96 belongs to a level of 0.95; compute z from the level that is given.
def reliability_table(p, y, groups, level):
    z = 1.96
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), y[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, centre - half, centre + half])
    return np.array(rows)


# %% around-the-share wrong="reliability-table" fails="interval"
# Wilson's interval is not centred at the share, but at a point that lies nearer to one half.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), y[i].sum()
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, k / c - half, k / c + half])
    return np.array(rows)


# %% count-of-all wrong="reliability-table" fails="interval"
# The interval rests on the examples of its own group, not on all of them.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, share = len(p), y[i].mean()
        centre = (c * share + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(c * share * (1 - share) + z**2 / 4)
        rows.append([len(i), p[i].mean(), share, centre - half, centre + half])
    return np.array(rows)


# %% interval-of-the-forecast wrong="reliability-table" fails="interval"
# The interval is about the share of ones: k is the number of ones, not the sum of the forecasts.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), p[i].sum()
        centre = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), y[i].mean(), centre - half, centre + half])
    return np.array(rows)


# %% centre-and-half-width wrong="reliability-table" fails="interval"
# The last two columns are the ends of the interval, not its centre and half its width.
def reliability_table(p, y, groups, level):
    z = special.ndtri(0.5 + level / 2)
    rows = []
    for i in np.array_split(np.argsort(p), groups):
        c, k = len(i), y[i].sum()
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[i].mean(), k / c, (k + z**2 / 2) / (c + z**2), half])
    return np.array(rows)


# %% [markdown]
# ## brier-parts


# %% by-loop right="brier-parts"
def brier_parts(p, y, group, weight):
    total, base = weight.sum(), np.average(y, weights=weight)
    parts = np.zeros(4)
    for g in set(group.tolist()):
        mine = group == g
        w, q, s = weight[mine], p[mine], y[mine]
        mp, my = np.average(q, weights=w), np.average(s, weights=w)
        parts[0] += w.sum() * (mp - my) ** 2
        parts[1] += w.sum() * (my - base) ** 2
        parts[2] += np.sum(w * (q - mp) ** 2)
        parts[3] += 2 * np.sum(w * q * (s - my))
    rel, res, variance, covariance = parts / total
    return rel, res, base * (1 - base), variance, covariance


# %% by-matrix right="brier-parts"
def brier_parts(p, y, group, weight):
    same = (group[:, None] == group[None, :]) * weight  # (n, n)
    same = same / same.sum(axis=1, keepdims=True)
    smooth_p, smooth_y = same @ p, same @ y
    w = weight / np.sum(weight)
    unc = np.average((y - w @ y) ** 2, weights=weight)
    rel = w @ np.square(smooth_p - smooth_y)
    res = w @ np.square(smooth_y) - (w @ y) ** 2
    cov = w @ (p * y) - w @ (smooth_p * smooth_y)
    return np.array([rel, res, unc, w @ p**2 - w @ smooth_p**2, 2 * cov])


# %% by-differences right="brier-parts" oracle=True
from fractions import Fraction


def brier_parts(p, y, group, weight):
    # exact rational arithmetic; covariance from the identity with the Brier score itself
    P, Y, W = ([Fraction(float(x)) for x in a] for a in (p, y, weight))
    scale = sum(W)
    members = {}
    for i, g in enumerate(group.tolist()):
        members.setdefault(g, []).append(i)

    def mean(values, where):
        return sum(W[i] * values[i] for i in where) / sum(W[i] for i in where)

    everyone = range(len(P))
    rate = mean(Y, everyone)
    rel = res = var = Fraction(0)
    for where in members.values():
        mass = sum(W[i] for i in where) / scale
        rel += mass * (mean(P, where) - mean(Y, where)) ** 2
        res += mass * (mean(Y, where) - rate) ** 2
        var += mass * (mean([v * v for v in P], where) - mean(P, where) ** 2)
    score = mean([(a - b) ** 2 for a, b in zip(P, Y)], everyone)
    cov = rel - res + rate * (1 - rate) + var - score
    return tuple(float(part) for part in (rel, res, rate * (1 - rate), var, cov))


# %% solution.drop-term equivalent="brier-parts"
# `... ** 2, base * (1 - base), w @ (p - p_bar) ** 2, 2 * (w @ (p * (y - y_bar))))`
# Deviations from a group's mean sum to zero there: one of the two factors need not be centred.

# %% solution.drop-term equivalent="brier-parts"
# `... ** 2, base * (1 - base), w @ (p - p_bar) ** 2, 2 * (w @ ((p - p_bar) * y)))`
# Deviations from a group's mean sum to zero there: one of the two factors need not be centred.

# %% solution.flip-sign equivalent="brier-parts"
# `... * (1 - base), w @ (p - p_bar) ** 2, 2 * (w @ ((p + p_bar) * (y - y_bar))))`
# Deviations from a group's mean sum to zero there: one of the two factors need not be centred.

# %% solution.flip-sign equivalent="brier-parts"
# `... * (1 - base), w @ (p - p_bar) ** 2, 2 * (w @ ((p - p_bar) * (y + y_bar))))`
# Deviations from a group's mean sum to zero there: one of the two factors need not be centred.


# %% by-matrix.drop-keyword equivalent="brier-parts"
# `same = same / same.sum(axis=1)`
# All rows of a group have the same sum.


# %% weights-ignored wrong="brier-parts" fails="reliability,resolution,uncertainty,within groups"
# The weights are not used: every sum and every mean is weighted.
def brier_parts(p, y, group, weight):
    w = np.full(len(p), 1 / len(p))
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% raw-weights wrong="brier-parts" fails="reliability,resolution,uncertainty,within groups"
# Scale the weights first, so that they sum to one.
def brier_parts(p, y, group, weight):
    w = weight
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% plain-group-means wrong="brier-parts" fails="reliability,resolution,within groups"
# The means within the groups are weighted too.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k)
    p_bar, y_bar = (np.bincount(k, p) / m)[k], (np.bincount(k, y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% plain-base-rate wrong="brier-parts" fails="resolution,uncertainty"
# The base rate is a weighted mean as well.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = y.mean()
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% groups-count-alike wrong="brier-parts" fails="reliability,resolution"
# A group counts as much as the weights of its examples, not as much as any other group.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    a, b = np.bincount(k, w * p) / m, np.bincount(k, w * y) / m
    base = w @ y
    within = w @ (p - a[k]) ** 2, 2 * w @ ((p - a[k]) * (y - b[k]))
    return np.mean((a - b) ** 2), np.mean((b - base) ** 2), base * (1 - base), *within


# %% raw-reliability wrong="brier-parts" fails="reliability"
# Reliability compares the two means of a group, not each forecast with the mean label.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% absolute-gaps wrong="brier-parts" fails="reliability"
# Absolute gaps make an ECE; reliability squares them.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ np.abs(p_bar - y_bar), w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% resolution-of-forecasts wrong="brier-parts" fails="resolution"
# Resolution spreads the mean labels of the groups, not their mean forecasts.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (p_bar - w @ p) ** 2, base * (1 - base), *within


# %% resolution-negative wrong="brier-parts" fails="resolution"
# Resolution is a variance, never negative; it is subtracted in the sum, not here.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, -w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% uncertainty-of-forecasts wrong="brier-parts" fails="uncertainty"
# Uncertainty belongs to the labels: it is the same whatever the forecasts are.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, (w @ p) * (1 - w @ p), *within


# %% only-three-terms wrong="brier-parts" fails="within groups"
# The two terms within the groups are zero only if all forecasts of a group are equal.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), 0.0, 0.0


# %% covariance-once wrong="brier-parts" fails="within groups"
# The covariance enters a square, so it counts twice.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% covariance-negative wrong="brier-parts" fails="within groups"
# The covariance is returned as it is, and the sum subtracts it: return it without a minus.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - p_bar) ** 2, -2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% spread-over-everything wrong="brier-parts" fails="within groups"
# Variance and covariance are taken around the means of the group, not of all examples.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    m = np.bincount(k, w)
    p_bar, y_bar = (np.bincount(k, w * p) / m)[k], (np.bincount(k, w * y) / m)[k]
    base = w @ y
    within = w @ (p - w @ p) ** 2, 2 * w @ ((p - w @ p) * (y - base))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% group-as-index wrong="brier-parts" fails="reliability,resolution,within groups"
# Groups are names, not indices: they may be negative or far apart.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    m, a, b = np.zeros(5), np.zeros(5), np.zeros(5)
    k = group % 5
    for i in range(len(p)):
        m[k[i]] += w[i]
        a[k[i]] = w[i] * p[i]
        b[k[i]] = w[i] * y[i]
    p_bar, y_bar, base = (a / np.maximum(m, 1e-9))[k], (b / np.maximum(m, 1e-9))[k], w @ y
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% sign-of-the-group-lost wrong="brier-parts" fails="reliability,resolution,within groups"
# Groups 1 and -1 are two groups: the sign belongs to the name.
def brier_parts(p, y, group, weight):
    w, base = weight / weight.sum(), np.average(y, weights=weight)
    _, k = np.unique(abs(group), return_inverse=True)
    p_bar, y_bar = ((np.bincount(k, w * v) / np.bincount(k, w))[k] for v in (p, y))
    within = w @ (p - p_bar) ** 2, 2 * w @ ((p - p_bar) * (y - y_bar))
    return w @ (p_bar - y_bar) ** 2, w @ (y_bar - base) ** 2, base * (1 - base), *within


# %% solution.squeeze equivalent="brier-parts"
# `return ((w @ (p_bar - y_bar) ** 2).squeeze(), w @ (y_bar - base) ** 2, base ...`
# A number has no axis to lose.


# %% solution.squeeze equivalent="brier-parts"
# `... (p_bar - y_bar) ** 2, (w @ (y_bar - base) ** 2).squeeze(), base * (1 - ...`
# A number has no axis to lose.


# %% solution.squeeze equivalent="brier-parts"
# `... @ (y_bar - base) ** 2, (base * (1 - base)).squeeze(), w @ (p - p_bar) ** ...`
# A number has no axis to lose.


# %% solution.squeeze equivalent="brier-parts"
# `... 2, base * (1 - base), (w @ (p - p_bar) ** 2).squeeze(), 2 * (w @ ((p - ...`
# A number has no axis to lose.


# %% solution.squeeze equivalent="brier-parts"
# `... w @ (p - p_bar) ** 2, (2 * (w @ ((p - p_bar) * (y - y_bar)))).squeeze())`
# A number has no axis to lose.


# %% solution.expand-square equivalent="brier-parts"
# `return (w @ (p_bar * p_bar - 2 * p_bar * y_bar + y_bar * y_bar), w @ (y_bar ...`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% solution.expand-square equivalent="brier-parts"
# `... ** 2, w @ (y_bar * y_bar - 2 * y_bar * base + base * base), base * ...`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% solution.expand-square equivalent="brier-parts"
# `... * (1 - base), w @ (p * p - 2 * p * p_bar + p_bar * p_bar), 2 * (w @ ((p ...`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% [markdown]
# ## paired-comparison


# %% by-bernoulli right="paired-comparison"
from scipy import stats


def compare(p_a, p_b, y):
    nll = stats.bernoulli.logpmf(y, p_b) - stats.bernoulli.logpmf(y, p_a)
    brier = (p_a - p_b) * (p_a + p_b - 2 * y)
    d, e = nll.mean(), brier.mean()
    d_se, e_se = stats.sem(nll), stats.sem(brier)
    if d > 2 * d_se and e > 2 * e_se:
        return d, d_se, e, e_se, 1
    if -d > 2 * d_se and -e > 2 * e_se:
        return d, d_se, e, e_se, -1
    return d, d_se, e, e_se, 0


# %% by-torch right="paired-comparison"
import torch
from torch.nn import functional as F


def compare(p_a, p_b, y):
    p_a, p_b, y = (torch.as_tensor(np.array(v), dtype=torch.float64) for v in (p_a, p_b, y))
    scores = []
    for loss in (F.binary_cross_entropy, F.mse_loss):
        difference = loss(p_a, y, reduction="none") - loss(p_b, y, reduction="none")
        scores.append((difference.mean(), difference.std() / len(y) ** 0.5))
    (d, d_se), (e, e_se) = scores
    better = d > 2 * d_se and e > 2 * e_se
    worse = d < -2 * d_se and e < -2 * e_se
    return d, d_se, e, e_se, 1.0 if better else -1.0 if worse else 0.0


# %% one-by-one right="paired-comparison" oracle=True
import math
import statistics


def compare(p_a, p_b, y):
    # Python's own statistics module, one example at a time
    nats, squares = [], []
    for a, b, label in zip(p_a.tolist(), p_b.tolist(), y.tolist()):
        said = (a, b) if label else (1 - a, 1 - b)
        nats.append(math.log(said[1] / said[0]))
        squares.append((1 - said[0]) ** 2 - (1 - said[1]) ** 2)
    row, votes = [], set()
    for values in (nats, squares):
        centre = statistics.fmean(values)
        error = statistics.stdev(values) / math.sqrt(len(values))
        row.extend((centre, error))
        votes.add(0 if abs(centre) <= 2 * error else int(math.copysign(1, centre)))
    return (*row, votes.pop() if len(votes) == 1 else 0)


# %% sign-flipped wrong="paired-comparison" fails="NLL,Brier,choice"
# The sign is flipped: the scores of A minus those of B, so that a positive number favours B.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_a, 1 - p_a)) - np.log(np.where(y == 1, p_b, 1 - p_b))
    brier = (p_b - y) ** 2 - (p_a - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means < -2 * errors).all()) - int((means > 2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% ones-only wrong="paired-comparison" fails="NLL,standard errors,choice"
# A label 0 has a likelihood too: 1 - p.
def compare(p_a, p_b, y):
    nll = y * (np.log(p_b) - np.log(p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% clipped wrong="paired-comparison" fails="Brier,NLL,choice,standard errors"
# Clipping forgives a model that said almost never to what happened: leave p as it is.
def compare(p_a, p_b, y):
    p_a, p_b = p_a.clip(1e-3, 1 - 1e-3), p_b.clip(1e-3, 1 - 1e-3)
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% epsilon-in-log wrong="paired-comparison" fails="NLL,standard errors,choice"
# Adding 1e-8 inside the log caps the loss at 18.4 nats: p is never 0 here, so add nothing.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b) + 1e-8)
    nll = nll - np.log(np.where(y == 1, p_a, 1 - p_a) + 1e-8)
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% in-bits wrong="paired-comparison" fails="NLL,standard errors,choice"
# This is in bits (log to the base 2); the text asks for nats.
def compare(p_a, p_b, y):
    nll = np.log2(np.where(y == 1, p_b, 1 - p_b)) - np.log2(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% two-class-brier wrong="paired-comparison" fails="Brier,standard errors"
# This sums the squares of both classes, twice as much: the text asks for (p - y) squared.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = 2 * (p_a - y) ** 2 - 2 * (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% absolute-error wrong="paired-comparison" fails="Brier,choice,standard errors"
# The absolute error of a probability is not proper: it favours 0 and 1. Square it.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = np.abs(p_a - y) - np.abs(p_b - y)
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% spread-of-the-differences wrong="paired-comparison" fails="standard errors,choice"
# This is the standard deviation of the differences; that of their mean is smaller by sqrt(n).
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)])
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% divided-by-n wrong="paired-comparison" fails="choice,standard errors"
# The standard deviation divides by n - 1: numpy's default is n.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(), brier.std()]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% not-paired wrong="paired-comparison" fails="standard errors,choice"
# Both models score the same examples: take the spread of the differences, not of each score.
def compare(p_a, p_b, y):
    a, b = (-np.log(np.where(y == 1, p, 1 - p)) for p in (p_a, p_b))
    c, d = (p_a - y) ** 2, (p_b - y) ** 2
    means = np.array([a.mean() - b.mean(), c.mean() - d.mean()])
    errors = np.array(
        [np.hypot(a.std(ddof=1), b.std(ddof=1)), np.hypot(c.std(ddof=1), d.std(ddof=1))]
    )
    errors = errors / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% sums wrong="paired-comparison" fails="NLL,Brier,choice"
# These are sums over the examples; the text asks for means.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).all()) - int((means < -2 * errors).all())
    return nll.sum(), errors[0], brier.sum(), errors[1], choice


# %% by-ece wrong="paired-comparison" fails="choice"
# The smaller ECE belongs to the base rate, which knows nothing: choose by NLL and Brier score.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    ece = [np.abs(np.bincount((10 * p).astype(int), p - y)).sum() for p in (p_a, p_b)]
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    return nll.mean(), errors[0], brier.mean(), errors[1], 1 if ece[1] < ece[0] else -1


# %% by-accuracy wrong="paired-comparison" fails="choice"
# Accuracy sees on which side of one half p lies, and no more: choose by NLL and Brier score.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    hits = [int(((p > 0.5) == y).sum()) for p in (p_a, p_b)]
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    return nll.mean(), errors[0], brier.mean(), errors[1], int(np.sign(hits[1] - hits[0]))


# %% never-undecided wrong="paired-comparison" fails="choice"
# A difference within two standard errors may be chance: then the choice is 0.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 0).all()) - int((means < 0).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% one-score-is-enough wrong="paired-comparison" fails="choice"
# Both scores must agree: where only one of them is clear, the choice is 0.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means > 2 * errors).any()) - int((means < -2 * errors).any())
    return means[0], errors[0], means[1], errors[1], choice


# %% only-b-can-win wrong="paired-comparison" fails="choice"
# A may be the better one: then both means are clearly negative, and the choice is -1.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    return means[0], errors[0], means[1], errors[1], int((means > 2 * errors).all())


# %% nll-decides-alone wrong="paired-comparison" fails="choice"
# The Brier score has a say, too: a choice needs both means to be clear.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int(means[0] > 2 * errors[0]) - int(means[0] < -2 * errors[0])
    return means[0], errors[0], means[1], errors[1], choice


# %% brier-decides-alone wrong="paired-comparison" fails="choice"
# The NLL has a say, too: a choice needs both means to be clear.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int(means[1] > 2 * errors[1]) - int(means[1] < -2 * errors[1])
    return means[0], errors[0], means[1], errors[1], choice


# %% names-swapped wrong="paired-comparison" fails="choice"
# A score is a loss: where A minus B is positive, A loses more, and B is the better one.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    brier = (p_a - y) ** 2 - (p_b - y) ** 2
    means = np.array([nll.mean(), brier.mean()])
    errors = np.array([nll.std(ddof=1), brier.std(ddof=1)]) / np.sqrt(len(y))
    choice = int((means < -2 * errors).all()) - int((means > 2 * errors).all())
    return means[0], errors[0], means[1], errors[1], choice


# %% solution.squeeze equivalent="paired-comparison"
# `return (means[0].squeeze(), errors[0], means[1], errors[1], choice)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="paired-comparison"
# `return (means[0], errors[0].squeeze(), means[1], errors[1], choice)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="paired-comparison"
# `return (means[0], errors[0], means[1].squeeze(), errors[1], choice)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="paired-comparison"
# `return (means[0], errors[0], means[1], errors[1].squeeze(), choice)`
# A number has no axis to lose.


# %% solution.expand-square equivalent="paired-comparison"
# `brier = p_a * p_a - 2 * p_a * y + y * y - (p_b - y) ** 2`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% solution.expand-square equivalent="paired-comparison"
# `brier = (p_a - y) ** 2 - (p_b * p_b - 2 * p_b * y + y * y)`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% [markdown]
# ## fit-temperature


# %% by-lbfgs right="fit-temperature"
import torch


def fit_temperature(logits, labels, held_out):
    z, k = torch.tensor(logits[held_out]), torch.tensor(labels[held_out])
    scale = z.std()
    log_t = torch.zeros((), dtype=z.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [log_t],
        max_iter=50,
        tolerance_grad=1e-9,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(z / scale / log_t.exp(), k)
        loss.backward()
        return loss

    optimizer.step(closure)
    return (scale * log_t.exp()).item()


# %% by-brent right="fit-temperature"
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(log_t):
        scaled = z * np.exp(-log_t)
        return -special.log_softmax(scaled, axis=1)[np.arange(len(k)), k].mean()

    best = optimize.minimize_scalar(nll, bounds=(-8, 8), method="bounded", options={"xatol": 1e-9})
    return np.exp(best.x)


# %% by-golden-section right="fit-temperature" oracle=True
def fit_temperature(logits, labels, held_out):
    # golden section over the inverse temperature: values of the NLL only, pairwise differences
    rows = np.flatnonzero(held_out)
    gaps = np.stack([logits[i] - logits[i, labels[i]] for i in rows])
    unit = np.abs(gaps).max()

    def cost(beta):
        return np.logaddexp.reduce(beta * gaps / unit, axis=1).sum()

    ratio = (5**0.5 - 1) / 2
    left, right = 0.0, 400.0
    c, d = right - ratio * (right - left), left + ratio * (right - left)
    fc, fd = cost(c), cost(d)
    for _ in range(60):
        if fc < fd:
            right, d, fd = d, c, fc
            c = right - ratio * (right - left)
            fc = cost(c)
        else:
            left, c, fc = c, d, fd
            d = left + ratio * (right - left)
            fd = cost(d)
    return 2 * unit / (left + right)


# %% solution.change-number equivalent="fit-temperature"
# `return np.exp(optimize.brentq(slope, -9, 10, xtol=1e-10))`
# A wider bracket holds the same root.

# %% solution.change-number equivalent="fit-temperature"
# `return np.exp(optimize.brentq(slope, -10, 9, xtol=1e-10))`
# A wider bracket holds the same root.

# %% by-lbfgs.change-number equivalent="fit-temperature"
# `... max_iter=51, tolerance_grad=1e-09, tolerance_change=1e-15, ...`
# The iteration has converged; one more step changes nothing.

# %% by-brent.swap-function equivalent="fit-temperature"
# `return -special.log_softmax(scaled, axis=1)[np.arange(len(k)), k].sum()`
# The iteration has converged; one more step changes nothing.

# %% by-brent.change-number equivalent="fit-temperature"
# `... bounds=(-8, 9), method='bounded', options={'xatol': 1e-09})`
# A wider search finds the same minimum.

# %% by-brent.change-number equivalent="fit-temperature"
# `... bounds=(-9, 8), method='bounded', options={'xatol': 1e-09})`
# A wider search finds the same minimum.

# %% by-golden-section.swap-function equivalent="fit-temperature"
# `return np.logaddexp.reduce(beta * gaps / unit, axis=1).mean()`
# Sum and mean have their minimum at the same place.

# %% by-golden-section.drop-term equivalent="fit-temperature"
# `c, d = (right - ratio * (right - left), ratio * (right - left))`
# The left end is 0 at this point: the term that differs is zero.

# %% by-golden-section.drop-term equivalent="fit-temperature"
# `c, d = (right - ratio * right, left + ratio * (right - left))`
# The left end is 0 at this point: the term that differs is zero.

# %% by-golden-section.drop-term equivalent="fit-temperature"
# `c, d = (right - ratio * (right - left), left + ratio * right)`
# The left end is 0 at this point: the term that differs is zero.

# %% by-golden-section.flip-sign equivalent="fit-temperature"
# `c, d = (right - ratio * (right + left), left + ratio * (right - left))`
# The left end is 0 at this point: the term that differs is zero.

# %% by-golden-section.flip-sign equivalent="fit-temperature"
# `c, d = (right - ratio * (right - left), left + ratio * (right + left))`
# The left end is 0 at this point: the term that differs is zero.

# %% by-golden-section.change-number equivalent="fit-temperature"
# `left, right = (0.0, 401.0)`
# A wider search finds the same minimum.

# %% by-golden-section.change-number equivalent="fit-temperature"
# `for _ in range(61):`
# The iteration has converged; one more step changes nothing.


# %% by-golden-section.end-loop-early equivalent="fit-temperature"
# `for _ in list(range(60))[:-1]:`
# One step less finds the same minimum.


# %% inverse wrong="fit-temperature" fails="temperature,held-out rows,range"
# This is the factor that multiplies the logits: T divides them.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(log_t), axis=1)[np.arange(len(k)), k].mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% logarithm wrong="fit-temperature" fails="temperature,held-out rows,range"
# The search ran over log T: return T itself.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1)[np.arange(len(k)), k].mean()

    return optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x


# %% all-rows wrong="fit-temperature" fails="held-out rows"
# Rows that trained the network are included: use only those whose held_out is true.
def fit_temperature(logits, labels, held_out):
    z, k = logits, labels

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1)[np.arange(len(k)), k].mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% training-rows wrong="fit-temperature" fails="temperature,held-out rows,range"
# These are the rows that trained the network: use the others, whose held_out is true.
def fit_temperature(logits, labels, held_out):
    z, k = logits[~held_out], labels[~held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1)[np.arange(len(k)), k].mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% temperature-on-probabilities wrong="fit-temperature" fails="temperature,held-out rows,range"
# The softmax is applied twice: divide the logits by T, not the probabilities.
def fit_temperature(logits, labels, held_out):
    z, k = special.softmax(logits[held_out], axis=1), labels[held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1)[np.arange(len(k)), k].mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% smallest-brier wrong="fit-temperature" fails="temperature,held-out rows,range"
# This T has the smallest Brier score; the text asks for the smallest NLL.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def brier(log_t):
        p = special.softmax(z * np.exp(-log_t), axis=1)
        return np.square(p - np.eye(z.shape[1])[k]).sum()

    return np.exp(optimize.minimize_scalar(brier, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% smallest-ece wrong="fit-temperature" fails="temperature,held-out rows,range"
# The ECE jumps, and its minimum means little: minimise the NLL.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    gaps = []
    grid = np.geomspace(0.001, 1000, 241)
    for t in grid:
        p = special.softmax(z / t, axis=1)
        surplus = p.max(axis=1) - (z.argmax(axis=1) == k)
        gaps.append(np.abs(np.bincount(np.minimum(10 * p.max(1), 9).astype(int), surplus)).sum())
    return grid[np.argmin(gaps)]


# %% confidence-equals-accuracy wrong="fit-temperature" fails="temperature,held-out rows,range"
# Mean confidence equal to accuracy is another criterion: minimise the NLL.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    accuracy = np.mean(z.argmax(axis=1) == k)

    def surplus(log_t):
        return special.softmax(z * np.exp(-log_t), axis=1).max(axis=1).mean() - accuracy

    return np.exp(optimize.brentq(surplus, -9, 9))


# %% coarse-grid wrong="fit-temperature" fails="temperature,held-out rows,range"
# A grid of a few hundred values is too coarse for six digits: refine it, or use an optimiser.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    grid = np.geomspace(0.001, 1000, 400)
    nll = [-special.log_softmax(z / t, axis=1)[np.arange(len(k)), k].mean() for t in grid]
    return grid[np.argmin(nll)]


# %% narrow-search wrong="fit-temperature" fails="range,temperature,held-out rows"
# T lies between 1/1000 and 1000: this search stops too early on both sides.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(t):
        return -special.log_softmax(z / t, axis=1)[np.arange(len(k)), k].mean()

    return optimize.minimize_scalar(nll, bounds=(0.05, 20), options={"xatol": 1e-9}).x


# %% hotter-only wrong="fit-temperature" fails="temperature,range,held-out rows"
# A network may be too unsure as well: T can be smaller than 1.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1)[np.arange(len(k)), k].mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(0, 9), options={"xatol": 1e-9}).x)


# %% few-steps wrong="fit-temperature" fails="temperature,held-out rows,range"
# Fifty small steps do not get there: iterate until T stands still to six digits.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    t = 1.5
    for _ in range(50):
        p = special.softmax(z / t, axis=1)
        slope = ((p * z).sum(axis=1) - z[np.arange(len(k)), k]).mean() * -1 / t**2
        t = max(t - 0.01 * slope, 1e-3)
    return t


# %% exp-overflows wrong="fit-temperature" fails="range"
# exp overflows for large logits: use log_softmax, or subtract the largest logit of each row.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(log_t):
        e = np.exp(z * np.exp(-log_t))
        return -np.log(e[np.arange(len(k)), k] / e.sum(axis=1)).mean()

    with np.errstate(all="ignore"):
        return np.exp(optimize.minimize_scalar(nll, bracket=(0, 0.1), tol=1e-10).x)


# %% one-against-the-rest wrong="fit-temperature" fails="temperature,held-out rows,range"
# This scales one sigmoid for each class: the classes share one softmax.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]
    hot = np.eye(z.shape[1])[k]

    def bce(log_t):
        s = z * np.exp(-log_t)
        return np.mean(np.logaddexp(0, s) - hot * s)

    return np.exp(optimize.minimize_scalar(bce, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% predicted-class wrong="fit-temperature" fails="temperature,held-out rows,range"
# Score the labels, not the classes that the network prefers: else the coldest T always wins.
def fit_temperature(logits, labels, held_out):
    z = logits[held_out]

    def nll(log_t):
        return -special.log_softmax(z * np.exp(-log_t), axis=1).max(axis=1).mean()

    return np.exp(optimize.minimize_scalar(nll, bounds=(-9, 9), options={"xatol": 1e-9}).x)


# %% default-tolerance-of-bfgs wrong="fit-temperature" fails="temperature,held-out rows,range"
# Near six digits, but not there: set the tolerance of your optimiser, and search over log T.
def fit_temperature(logits, labels, held_out):
    z, k = logits[held_out], labels[held_out]

    def nll(t):
        return -special.log_softmax(z / t, axis=1)[np.arange(len(k)), k].mean()

    return abs(optimize.minimize(nll, np.ones(1)).x[0])


# %% solution.squeeze-before equivalent="fit-temperature"
# `return (p * z).squeeze().sum(-1).mean() - of_label`
# There are two classes at least, and the mean over one row is its only value.


# %% [markdown]
# ## platt-fit


# %% by-least-squares right="platt-fit"
def platt_fit(scores, y):
    many = np.bincount(y)
    t = np.array([1 / (many[0] + 2), 1 - 1 / (many[1] + 2)])[y]
    middle, spread = np.median(scores), scores.std()
    x = np.vander((scores - middle) / spread, 2)  # (n, 2): score, one
    z = np.zeros(len(y))
    for _ in range(40):  # iteratively reweighted least squares
        p = special.expit(z)
        h = p * (1 - p)
        v = np.linalg.solve(x.T @ (h[:, None] * x), x.T @ (h * z + t - p))
        z = x @ v
    return np.array([v[0], v[1] * spread - v[0] * middle]) / spread


# %% by-fsolve right="platt-fit"
def platt_fit(scores, y):
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    t = (y * (n1 + 1)) / (n1 + 2) + (y == 0) / (n0 + 2)
    mid, unit = scores.mean(), scores.std()
    x = np.stack([(scores - mid) / unit, np.ones(len(y))])
    a, b = optimize.fsolve(lambda v: x @ (special.expit(v @ x) - t), [0.0, 0.0], xtol=1e-12)
    return a / unit, b - a * mid / unit


# %% by-root right="platt-fit" oracle=True
def platt_fit(scores, y):
    # Powell's hybrid method on the two equations that hold at the minimum
    ones = y > 0.5
    hope = (ones.sum() + 1) / (ones.sum() + 2)
    fear = 1 / ((~ones).sum() + 2)
    low, high = scores.min(), scores.max()
    unit = (scores - low) / (high - low)

    def equations(ends):  # the log-odds at the smallest and at the largest score
        q = special.expit(ends[0] + (ends[1] - ends[0]) * unit)
        residual = np.where(ones, q - hope, q - fear)
        return residual.sum(), (unit * residual).sum()

    left, right = optimize.root(equations, (-1.0, 1.0), tol=1e-12).x
    slope = (right - left) / (high - low)
    return slope, left - slope * low


# %% solution.change-number equivalent="platt-fit"
# `for _ in range(41):`
# The iteration has converged; one more step changes nothing.

# %% by-least-squares.swap-function equivalent="platt-fit"
# `middle, spread = (np.median(scores), scores.var())`
# Another shift or unit for the scores, undone at the end.

# %% by-least-squares.change-number equivalent="platt-fit"
# `for _ in range(41):`
# The iteration has converged; one more step changes nothing.

# %% by-fsolve.swap-function equivalent="platt-fit"
# `mid, unit = (scores.mean(), scores.var())`
# Another unit for the scores, undone at the end.

# %% by-fsolve.change-number equivalent="platt-fit"
# `... v: x @ (special.expit(v @ x) - t), [1.0, 0.0], xtol=1e-12)`
# Another start leads to the same minimum of a convex function.

# %% by-fsolve.change-number equivalent="platt-fit"
# `... v: x @ (special.expit(v @ x) - t), [0.0, 1.0], xtol=1e-12)`
# Another start leads to the same minimum of a convex function.

# %% by-root.swap-function equivalent="platt-fit"
# `return (residual.mean(), (unit * residual).sum())`
# Sum and mean are zero together.

# %% by-root.flip-sign equivalent="platt-fit"
# `left, right = optimize.root(equations, (1.0, 1.0), tol=1e-12).x`
# Another start leads to the same minimum of a convex function.

# %% by-root.change-number equivalent="platt-fit"
# `left, right = optimize.root(equations, (-1.0, 2.0), tol=1e-12).x`
# Another start leads to the same minimum of a convex function.

# %% by-root.change-number equivalent="platt-fit"
# `left, right = optimize.root(equations, (-2.0, 1.0), tol=1e-12).x`
# Another start leads to the same minimum of a convex function.


# %% solution.end-loop-early equivalent="platt-fit"
# `for _ in list(range(40))[:-1]:`
# One step less of Newton's method ends in the same point.

# %% by-least-squares.end-loop-early equivalent="platt-fit"
# `for _ in list(range(40))[:-1]:`
# One step less of Newton's method ends in the same point.


# %% hard-targets wrong="platt-fit" fails="fit,separable,scale"
# The targets are 0 and 1 here: Platt's stop short of both, or separable scores have no fit.
def platt_fit(scores, y):
    t, m, w = y, scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return a / w, b - a * m / w


# %% counts-swapped wrong="platt-fit" fails="fit,separable,scale"
# Each target uses the count of its own label: n1 for the ones, n0 for the zeros.
def platt_fit(scores, y):
    n0, n1 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return a / w, b - a * m / w


# %% count-of-all wrong="platt-fit" fails="fit,separable,scale"
# Each target depends on how many examples carry that label, not on how many there are.
def platt_fit(scores, y):
    n = len(y)
    t, m, w = np.where(y == 1, (n + 1) / (n + 2), 1 / (n + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return a / w, b - a * m / w


# %% fixed-smoothing wrong="platt-fit" fails="fit,separable,scale"
# Platt's targets come from the counts n1 and n0, not from a fixed label smoothing.
def platt_fit(scores, y):
    t, m, w = np.where(y == 1, 0.95, 0.05), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return a / w, b - a * m / w


# %% signs-of-the-paper wrong="platt-fit" fails="fit,separable,scale"
# Platt's paper and scikit-learn write 1/(1 + exp(a s + b)): here both signs are the other way.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return -a / w, a * m / w - b


# %% order-swapped wrong="platt-fit" fails="fit,separable,scale"
# The slope a comes first, the offset b second.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return b - a * m / w, a / w


# %% no-offset wrong="platt-fit" fails="fit,separable,scale"
# The offset b is fixed at 0 here: fit both numbers.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    w = np.abs(scores).max()

    def slope(a):
        return scores @ (special.expit(a * scores / w) - t) / w

    return optimize.brentq(slope, -1e4, 1e4) / w, 0.0


# %% offset-of-shifted-scores wrong="platt-fit" fails="fit,separable,scale"
# This b belongs to the shifted scores: put the shift back.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    a, b = optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x
    return a / w, b


# %% of-standardised-scores wrong="platt-fit" fails="fit,separable,scale"
# These a and b belong to standardised scores: translate both back to the scores as they came.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    x = np.stack([(scores - scores.mean()) / scores.std(), np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    return tuple(optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x)


# %% penalised wrong="platt-fit" fails="fit,separable,scale"
# LogisticRegression adds an L2 penalty unless C is infinite: it shrinks the slope.
from sklearn.linear_model import LogisticRegression


def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    m, w = scores.mean(), scores.std()
    x = np.tile((scores - m) / w, 2)[:, None]
    twice = np.repeat([1, 0], len(y))
    model = LogisticRegression(tol=1e-10).fit(x, twice, sample_weight=np.append(t, 1 - t))
    a = model.coef_.item() / w
    return a, model.intercept_.item() - a * m


# %% sigmoid-first wrong="platt-fit" fails="fit,separable,scale"
# The scores go into the sigmoid as they are, times a plus b: no sigmoid before.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    x = np.stack([special.expit(scores), np.ones(len(y))])

    def loss(v):
        z = v @ x
        return np.mean(np.logaddexp(0, z) - t * z), x @ (special.expit(z) - t) / len(y)

    return tuple(optimize.minimize(loss, np.zeros(2), jac=True, options={"gtol": 1e-9}).x)


# %% least-squares wrong="platt-fit" fails="fit,separable,scale"
# This minimises squared errors of the probabilities; the text asks for the cross-entropy.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = (scores - m) / w
    a, b = optimize.least_squares(lambda v: special.expit(v[0] * x + v[1]) - t, [0.5, 0.0]).x
    return a / w, b - a * m / w


# %% straight-line wrong="platt-fit" fails="fit,separable,scale"
# A straight line through the log-odds of the targets is no maximum likelihood.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    return tuple(np.polyfit(scores, special.logit(t), 1))


# %% gradient-descent wrong="platt-fit" fails="fit,separable,scale"
# Gradient descent has not arrived yet: iterate until six digits stand, or use Newton's steps.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    v = np.zeros(2)
    for _ in range(300):
        r = special.expit(v[0] * scores + v[1]) - t
        v = v - 0.5 * np.array([scores @ r, r.sum()]) / len(y)
    return v[0], v[1]


# %% default-tolerance wrong="platt-fit" fails="fit,separable,scale"
# The optimiser stops at its default tolerance, before six digits: tighten it.
def platt_fit(scores, y):
    n1, n0 = np.sum(y == 1), np.sum(y == 0)
    t, m, w = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), scores.mean(), scores.std()
    x = np.stack([(scores - m) / w, np.ones(len(y))])

    def loss(v):
        return np.mean(np.logaddexp(0, v @ x) - t * (v @ x))

    a, b = optimize.minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return a / w, b - a * m / w


# %% solution.squeeze equivalent="platt-fit"
# `return ((a / width).squeeze(), b - a * centre / width)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="platt-fit"
# `return (a / width, (b - a * centre / width).squeeze())`
# A number has no axis to lose.
