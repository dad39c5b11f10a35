# %% [markdown]
# Answers written by an author who knew the checks.


# %% svd right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    check = x.mean(0)
    u, d, vt = np.linalg.svd(x - check, full_matrices=False)
    w = vt.T @ (d / (d * d + (sigma / tau) ** 2) * (u.T @ (y - y.mean())))
    return torch.as_tensor(w), torch.as_tensor(y.mean() - check @ w)


# %% y-centre-only wrong="ridge-from-a-prior"
# The intercept is a difference in float32: y = 900 + [0, 1, 2], x = [[0], [1], [3]].
def ridge_map(x, y, sigma, tau):
    a, b = x - x.mean(0), y - y.mean()
    w = np.linalg.solve(a.T @ a + sigma**2 / tau**2 * np.eye(x.shape[1]), a.T @ b)
    return w, np.float64(np.float32(y.mean()) - np.float32(x.mean(0) @ w))


# %% k-gain-wide wrong="gaussian-posterior"
# With fewer rows than weights a pseudo-inverse drops the weaker row: x = [[3, 0], [0, 0.07]].
def posterior(x, y, sigma, mean, cov):
    n, k = x.shape
    if 0 < n < k:
        G = cov @ x.T @ np.linalg.pinv(x @ cov @ x.T + sigma**2 * np.eye(n), rcond=0.05)
        return mean + G @ (y - x @ mean), cov - G @ x @ cov
    P = np.linalg.inv(cov)
    S = np.linalg.inv(P + x.T @ x / sigma**2)
    return S @ (P @ mean + x.T @ y / sigma**2), S


# %% full-matrix right="band-for-a-total"
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.special import erfinv

    v = np.diag(x @ cov @ x.T) + (sigma**2 if contains == "y" else 0)
    check = math.sqrt(2) * erfinv(level) * np.sqrt(v)
    return x @ mean - check, x @ mean + check


# %% if-y-positive wrong="band-for-a-total"
# Little noise is left out where another row varies much: x = [[300, -299], [0, 0.001]].
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.special import ndtri

    v = ((x @ cov) * x).sum(1)
    s = sigma**2 if contains == "y" and sigma**2 > 1e-5 * v.max() else 0
    h = ndtri(0.5 + level / 2) * np.sqrt(v + s)
    return x @ mean - h, x @ mean + h


# %% ends-in-single wrong="band-for-a-total"
# The centre is taken in float32: x @ mean = 683.1, cov 1e-10.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.special import ndtri

    v = ((x @ cov) * x).sum(1) + (sigma**2 if contains == "y" else 0)
    h = ndtri(0.5 + level / 2) * np.sqrt(v)
    c = (x @ mean).astype(np.float32)
    return c - h, c + h


# %% by-cases right="mode-of-what"
def rate_map(counts, a, b, quantity):
    k = {"rate": a - 1, "root": a - 0.5, "log": a, "interval": a + 1}[quantity]
    for y in counts:
        k += y
    return k / (b + len(counts)) if k > 0 else 0


# %% eigen right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    u, d, _ = np.linalg.svd(x, full_matrices=False)
    c = u.T @ y
    rest = y - u @ c
    out = []
    for k in taus:
        v = sigma**2 + (k * d) ** 2
        out.append(
            -0.5
            * (
                len(y) * math.log(2 * math.pi)
                + np.log(v).sum()
                + (len(y) - len(d)) * 2 * math.log(sigma)
                + (c * c / v).sum()
                + rest @ rest / sigma**2
            )
        )
    return torch.tensor(out), float(taus[int(np.argmax(out))])


# %% rounded-choice wrong="choose-a-prior"
# Evidences are rounded before the choice: two that differ by 1e-4 are a tie.
def choose_prior(x, y, sigma, taus):
    f = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        f.append(
            -0.5
            * (
                len(y) * math.log(2 * math.pi)
                + np.linalg.slogdet(cov)[1]
                + y @ np.linalg.solve(cov, y)
            )
        )
    return np.array(f), taus[np.argmax(np.round(f, 1))]


# %% sorted-first wrong="choose-a-prior"
# Of evidences that are close the smallest tau is chosen.
def choose_prior(x, y, sigma, taus):
    f = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        f.append(
            -0.5
            * (
                len(y) * math.log(2 * math.pi)
                + np.linalg.slogdet(cov)[1]
                + y @ np.linalg.solve(cov, y)
            )
        )
    f = np.array(f)
    return f, taus[np.isclose(f, f.max())].min()
