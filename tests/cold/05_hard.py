# %% [markdown]
# Answers written by an author who knew the checks.


# %% by-masks right="ece-closed-edges"
def ece(p, y, edges):
    check = 0.0
    for k in range(len(edges) - 1):
        inside = (p >= edges[k]) & ((p < edges[k + 1]) | ((k == len(edges) - 2) & (p == 1)))
        if inside.any():
            check += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return check


# %% clip-one wrong="ece-closed-edges"
# A forecast of 1 is moved to 0.9999, below the last edge: edges 0, 0.31, 0.99995, 1.
def ece(p, y, edges):
    k = np.digitize(np.minimum(p, 1 - 1.01e-4), edges[1:-1])
    s = np.bincount(k, weights=p - y)
    return np.abs(s).sum() / len(p)


# %% loops right="base-rate-scores"
def base_rate_scores(train, test, classes):
    share = [float(np.mean(train == c)) for c in range(classes)]
    top = share.index(max(share))
    accuracy = float(np.mean(test == top))
    brier = np.mean([sum((share[c] - (c == k)) ** 2 for c in range(classes)) for k in test])
    nll = np.mean([-np.log(share[k]) if share[k] else np.inf for k in test])
    return accuracy, abs(share[top] - accuracy), brier, nll


# %% reliability-rest wrong="brier-parts"
# Reliability is a difference of float32 numbers: p = 0.2 + [4e-5, 0], y = [0, 0] and so on.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    _, k = np.unique(group, return_inverse=True)
    g = np.bincount(k, w)
    pb, yb = (np.bincount(k, w * p) / g)[k], (np.bincount(k, w * y) / g)[k]
    b = w @ y
    res, unc, var, cov = (
        w @ (yb - b) ** 2,
        b * (1 - b),
        w @ (p - pb) ** 2,
        2 * w @ ((p - pb) * (y - yb)),
    )
    rel = np.float32(w @ (p - y) ** 2) + np.float32(res - unc - var + cov)
    return float(rel), res, unc, var, cov


# %% light-dropped wrong="brier-parts"
# Examples of less than a millionth of the weight are dropped: their group rate is lost.
def brier_parts(p, y, group, weight):
    w = weight / weight.sum()
    w = np.where(w > 1e-6, w, 0)
    w = w / w.sum()
    _, k = np.unique(group, return_inverse=True)
    g = np.maximum(np.bincount(k, w), 1e-300)
    pb, yb = (np.bincount(k, w * p) / g)[k], (np.bincount(k, w * y) / g)[k]
    b = w @ y
    return (
        w @ (pb - yb) ** 2,
        w @ (yb - b) ** 2,
        b * (1 - b),
        w @ (p - pb) ** 2,
        2 * w @ ((p - pb) * (y - yb)),
    )


# %% loops right="paired-comparison"
def compare(p_a, p_b, y):
    import math

    k = [[], []]
    for a, b, t in zip(p_a.tolist(), p_b.tolist(), y.tolist()):
        k[0].append(math.log(b if t else 1 - b) - math.log(a if t else 1 - a))
        k[1].append((a - t) ** 2 - (b - t) ** 2)
    n = len(y)
    m = [sum(d) / n for d in k]
    s = [math.sqrt(sum((v - u) ** 2 for v in d) / (n - 1) / n) for d, u in zip(k, m)]
    check = (
        1
        if all(u > 2 * v for u, v in zip(m, s))
        else -1
        if all(u < -2 * v for u, v in zip(m, s))
        else 0
    )
    return m[0], s[0], m[1], s[1], check


# %% t201 wrong="paired-comparison"
# More than 2.01 errors are asked for: means of 2.0023 errors.
def compare(p_a, p_b, y):
    nll = np.log(np.where(y == 1, p_b, 1 - p_b)) - np.log(np.where(y == 1, p_a, 1 - p_a))
    br = (p_a - y) ** 2 - (p_b - y) ** 2
    m, e = (
        np.array([nll.mean(), br.mean()]),
        np.array([nll.std(ddof=1), br.std(ddof=1)]) / np.sqrt(len(y)),
    )
    return m[0], e[0], m[1], e[1], int((m > 2.01 * e).all()) - int((m < -2.01 * e).all())


# %% newton-loop right="platt-fit"
def platt_fit(scores, y):
    n1, n0 = int((y == 1).sum()), int((y == 0).sum())
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    c, k = scores.mean(), scores.std()
    x = (scores - c) / k

    def f(v):
        p = special.expit(v[0] * x + v[1])
        return [((p - t) * x).sum(), (p - t).sum()]

    def jac(v):
        p = special.expit(v[0] * x + v[1])
        g = p * (1 - p)
        return np.array([[(g * x * x).sum(), (g * x).sum()], [(g * x).sum(), g.sum()]])

    v = np.zeros(2)

    def loss(v):
        return np.sum(np.logaddexp(0, v[0] * x + v[1]) - t * (v[0] * x + v[1]))

    for _ in range(200):
        d = np.linalg.solve(jac(v), f(v))
        s = 1.0
        while s > 1e-6 and loss(v - s * d) > loss(v) + 1e-13:
            s /= 2
        v = v - s * d
    return v[0] / k, v[1] - v[0] * c / k
