# %% [markdown]
# Right answers that count with their labels: the text says that these are integers.


# %% a-table-of-both-classes right="ece-closed-edges"
def ece(p, y, edges):
    m = len(edges) - 1
    k = np.clip(np.digitize(p, edges) - 1, 0, m - 1)
    n = np.zeros((m, 2))
    np.add.at(n, (k, y), 1)
    return np.abs(np.bincount(k, weights=p, minlength=m) - n[:, 1]).sum() / len(p)


# %% rows-of-the-identity right="ece-closed-edges"
def ece(p, y, edges):
    m = len(edges) - 1
    k = np.clip(np.digitize(p, edges) - 1, 0, m - 1)
    hits = np.eye(2)[y][:, 1]
    return np.abs(np.bincount(k, weights=p - hits, minlength=m)).sum() / len(p)


# %% mass-of-each-group-and-class right="brier-parts"
def brier_parts(p, y, group, weight):
    w, ones = weight / weight.sum(), y == 1
    names, g = np.unique(group, return_inverse=True)
    M, S = np.zeros((len(names), 2)), np.zeros(len(names))
    np.add.at(M, (g, y), w)
    np.add.at(S, g, w * p)
    W = M.sum(1)
    pb, yb = (S / W)[g], (M[:, 1] / W)[g]
    m = w[ones].sum()
    within = w @ (p - pb) ** 2, 2 * w @ ((p - pb) * (y - yb))
    return w @ (pb - yb) ** 2, w @ (yb - m) ** 2, m * (1 - m), *within


# %% the-stated-probability-of-what-came right="paired-comparison"
def compare(p_a, p_b, y):
    def of_what_came(p):
        return np.stack([1 - p, p])[y, np.arange(len(y))]

    la = np.where(y == 1, np.log(p_a), np.log1p(-p_a))
    lb = np.where(y == 1, np.log(p_b), np.log1p(-p_b))
    d = lb - la
    e = (1 - of_what_came(p_a)) ** 2 - (1 - of_what_came(p_b)) ** 2
    n = len(y)

    def se(v):
        return np.sqrt(((v - v.mean()) ** 2).sum() / (n - 1) / n)

    m, s, b, r = d.mean(), se(d), e.mean(), se(e)
    return m, s, b, r, (m > 2 * s and b > 2 * r) * 1 - (m < -2 * s and b < -2 * r) * 1
