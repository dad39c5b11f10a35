# %% centred right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    middle, level = x.mean(axis=0), y.mean()
    k = x.shape[1]
    rows = np.vstack([(x - middle) / sigma, np.eye(k) / tau])
    check = np.concatenate([(y - level) / sigma, np.zeros(k)])
    q, r = np.linalg.qr(rows)
    w = np.linalg.solve(r, q.T @ check)
    return w, float(level - middle @ w)


# %% by-examples right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    n = len(y)
    centre = np.eye(n) - 1 / n
    features = centre @ (x - x[0])
    k = features @ features.T + (sigma / tau) ** 2 * np.eye(n)
    w = features.T @ np.linalg.solve(k, centre @ (y - y[0]))
    return w, np.mean([y[i] - x[i] @ w for i in range(n)])


# %% wide-intercept wrong="ridge-from-a-prior"
# The intercept gets a wide prior N(0, 1e5 squared) instead of a flat one: x [[0.0]], y [1e6],
# sigma 1e5, tau 1.
def ridge_map(x, y, sigma, tau):
    design = np.column_stack([np.ones(len(y)), x])
    precision = np.full(design.shape[1], 1 / tau**2)
    precision[0] = 1e-10
    left = design.T @ design / sigma**2 + np.diag(precision)
    both = np.linalg.solve(left, design.T @ y / sigma**2)
    return both[1:], both[0]


# %% moments-subtracted wrong="ridge-from-a-prior"
# Centres after multiplying, which cancels: x of 1e9 plus (0, 1, 2), y (0, 1, 2), sigma 1, tau 1.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    mx, my = x.mean(0), y.mean()
    left = x.T @ x - n * np.outer(mx, mx) + (sigma / tau) ** 2 * np.eye(k)
    w = np.linalg.solve(left, x.T @ y - n * mx * my)
    return w, my - mx @ w


# %% ten-iterations wrong="ridge-from-a-prior"
# Conjugate gradients stop after ten steps: x np.vander(np.linspace(0, 1, 40), 20) * range(1, 21),
# y sin(9 * linspace), sigma 1e-3, tau 1.
def ridge_map(x, y, sigma, tau):
    a, target = x - x.mean(0), y - y.mean()
    alpha = sigma**2 / tau**2
    w = np.zeros(x.shape[1])
    r = a.T @ target
    p, rr = r.copy(), r @ r
    for _ in range(10):
        if rr < 1e-28:
            break
        ap = a.T @ (a @ p) + alpha * p
        step = rr / (p @ ap)
        w, r = w + step * p, r - step * ap
        p, rr = r + (r @ r) / rr * p, r @ r
    return w, y.mean() - x.mean(0) @ w


# %% squeezed wrong="ridge-from-a-prior"
# A single weight is returned as a 0-d array: x of shape (4, 1).
def ridge_map(x, y, sigma, tau):
    a, b = x - x.mean(0, keepdims=True), y[:, None] - y.mean()
    w = np.linalg.solve(a.T @ a + (sigma / tau) ** 2 * np.eye(x.shape[1]), a.T @ b).squeeze()
    return w, y.mean() - float(np.sum(x.mean(0) * w))


# %% three-cases right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    ratio = sigma / tau
    if loss == "mean squared":
        return 2 * ratio * ratio / n
    if loss == "sum squared":
        return 2 * ratio * ratio * m / n
    return (1 / tau) * (1 / tau) / n


# %% examples-in-a-batch right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    # how many times the mean NLL of an example a batch's loss is
    check = {"mean squared": 2 * sigma**2, "sum squared": 2 * m * sigma**2, "mean nll": 1.0}
    y = np.float64(0.0) if math.isinf(tau) else np.float64(tau) ** -2.0
    return check[loss] * y / n


# %% whole-batches wrong="weight-decay-from-a-prior"
# The number of batches is rounded down: "sum squared" with n 20, m 6.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "sum squared":
        return 2 * sigma**2 / tau**2 / (n // m)
    return (2 * sigma**2 if loss == "mean squared" else 1.0) / (n * tau**2)


# %% widest-prior wrong="weight-decay-from-a-prior"
# An infinite tau counts as 1000, which is still a prior: "mean nll", tau inf, gives 1e-6 / n.
def weight_decay(loss, sigma, tau, n, m):
    tau = min(tau, 1e3)
    scale = {"mean squared": 2 * sigma**2 / n, "sum squared": 2 * sigma**2 * m / n}
    return scale.get(loss, 1 / n) / tau**2


# %% rounded wrong="weight-decay-from-a-prior"
# Rounded to ten decimals: "mean nll", tau 1e4, n 1000 gives 0 instead of 1e-11.
def weight_decay(loss, sigma, tau, n, m):
    factors = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2 * m, "mean nll": 1}
    return round(factors[loss] / (n * tau * tau), 10)


# %% squares-overflow right="weight-decay-from-a-prior"
# Right by the text as it is now: scales are at most 1e9.
# tau squared overflows, which Python reports as an error: "mean nll", tau 1e200.
def weight_decay(loss, sigma, tau, n, m):
    penalty = 0.0 if tau == math.inf else 1 / tau**2
    if loss == "mean nll":
        return penalty / n
    batch = m if loss == "sum squared" else 1
    return 2 * sigma**2 * penalty * batch / n


# %% soft-threshold right="proximal-step"
def proximal_step(w, gradient, step, b):
    y = w - step * gradient
    return np.sign(y) * np.maximum(np.abs(y) - step / np.asarray(b, dtype=float), 0.0)


# %% one-weight-at-a-time right="proximal-step"
def proximal_step(w, gradient, step, b):
    check = []
    for y, g, k in zip(w, gradient, np.broadcast_to(b, w.shape)):
        goal, reach = y - step * g, step / k
        if goal > reach:
            check.append(goal - reach)
        elif goal < -reach:
            check.append(goal + reach)
        else:
            check.append(0.0)
    return np.array(check)


# %% ratio wrong="proximal-step"
# Shrinks by a ratio, which is 0 / 0 at u = 0 under a flat prior: w (0, 1), gradient 0, b inf.
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    with np.errstate(divide="ignore", invalid="ignore"):
        return u * np.maximum(1 - step / np.asarray(b, float) / np.abs(u), 0)


# %% small-is-zero wrong="proximal-step"
# All below 1e-8 is set to zero: w 5e-9, gradient 0, b inf.
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    v = u - np.clip(u, -step / np.asarray(b), step / np.asarray(b))
    return np.where(np.abs(v) < 1e-8, 0.0, v)


# %% no-crossing wrong="proximal-step"
# A weight that would change its sign is put to zero: w 0.1, gradient 10, step 0.1, b 2.
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    v = np.sign(u) * np.maximum(np.abs(u) - step / np.asarray(b, float), 0.0)
    v[w * v < 0] = 0.0
    return v


# %% scales-overwritten wrong="proximal-step"
# Replaces inf in the array b of the caller: b (inf, 1.0), afterwards (1e300, 1.0).
def proximal_step(w, gradient, step, b):
    b = np.asarray(b, dtype=float)
    if b.ndim:
        b[np.isinf(b)] = 1e300
    u = w - step * gradient
    return np.where(np.abs(u) > step / b, u - np.sign(u) * step / b, 0.0)


# %% precisions right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    check = np.linalg.inv(prior + x.T @ x / sigma**2)
    check = (check + check.T) / 2
    return mean + check @ (x.T @ (y - x @ mean)) / sigma**2, check


# %% one-example-at-a-time right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    m, s = mean.copy(), cov.copy()
    for row, value in zip(x, y):
        k = s @ row / (row @ s @ row + sigma**2)
        m = m + k * (value - row @ m)
        left = np.eye(len(m)) - np.outer(k, row)
        s = left @ s @ left.T + sigma**2 * np.outer(k, k)
    return m, s


# %% jitter wrong="gaussian-posterior"
# The prior's covariance gets 1e-9 on its diagonal: cov [[1e-9]], no examples.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov + 1e-9 * np.eye(len(mean)))
    s = np.linalg.inv(prior + x.T @ x / sigma**2)
    return s @ (prior @ mean + x.T @ y / sigma**2), s


# %% mean-of-no-examples wrong="gaussian-posterior"
# n times a mean over the examples is nan where n is 0; only the mean shows it.
def posterior(x, y, sigma, mean, cov):
    n = len(y)
    prior = np.linalg.inv(cov)
    s = np.linalg.inv(prior + x.T @ x / sigma**2)
    with np.errstate(all="ignore"):
        pull = n * (x * y[:, None]).sum(0) / np.float64(n)
    return s @ (prior @ mean + pull / sigma**2), s


# %% prior-minus-gain right="gaussian-posterior"
# Right by the text as it is now: data tell at most a million times more than the prior.
# Subtracts nearly equal covariances: x [[1.0]], sigma 1e-4, cov [[1e10]] leaves 0 instead of 1e-8.
def posterior(x, y, sigma, mean, cov):
    gain = np.linalg.solve(x @ cov @ x.T + sigma**2 * np.eye(len(y)), x @ cov).T
    return mean + gain @ (y - x @ mean), cov - gain @ x @ cov


# %% squeezed wrong="gaussian-posterior"
# With a single weight the results are 0-d instead of (1,) and (1, 1): x of shape (3, 1).
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    s = np.linalg.inv(prior + x.T @ x / sigma**2)
    m = s @ (prior @ mean[:, None] + x.T @ y[:, None] / sigma**2)
    return m.squeeze(), s.squeeze()


# %% error-function right="band-for-a-total"
from scipy.special import erfinv


def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    variance = np.maximum(np.einsum("qi,ij,qj->q", x, cov, x), 0)
    if contains == "y":
        variance = variance + sigma**2
    half = math.sqrt(2) * erfinv(level) * np.sqrt(variance)
    return x @ mean - half, x @ mean + half


# %% chi-squared right="band-for-a-total"
from scipy import stats


def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    check = math.sqrt(stats.chi2.ppf(level, df=1))
    low, high = [], []
    for row, s in zip(x, sigma):
        k = max(row @ cov @ row, 0.0) + (s**2 if contains == "y" else 0.0)
        y = row @ mean
        low.append(y - check * math.sqrt(k))
        high.append(y + check * math.sqrt(k))
    return np.array(low), np.array(high)


# %% squeezed wrong="band-for-a-total"
# A single row gives 0-d ends instead of shape (1,): x of shape (1, 2).
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    v = (x[:, None, :] @ cov @ x[:, :, None]).squeeze()
    v = v + (sigma**2 * (contains == "y")).squeeze()
    middle = (x @ mean[:, None]).squeeze()
    half = norm.ppf(0.5 + level / 2) * np.sqrt(v)
    return middle - half, middle + half


# %% floor-of-variance wrong="band-for-a-total"
# The variance of f is at least 1e-8: x [[1.0]], cov [[1e-10]], contains "f".
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    v = np.clip(((x @ cov) * x).sum(axis=1), 1e-8, None)
    if contains == "y":
        v = v + sigma**2
    return tuple(norm.interval(level, loc=x @ mean, scale=np.sqrt(v)))


# %% search-up-to-six wrong="band-for-a-total"
# The quantile is searched between 0 and 6: level 1 - 1e-12 needs 7.1.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    low, high = 0.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        if math.erf(middle / math.sqrt(2)) < level:
            low = middle
        else:
            high = middle
    v = np.diag(x @ cov @ x.T) + (sigma**2 if contains == "y" else 0)
    return x @ mean - low * np.sqrt(v), x @ mean + low * np.sqrt(v)


# %% single-precision-level wrong="band-for-a-total"
# The level becomes a float32 tensor: level 1 - 1e-7.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float32)).item()
    noise = {"f": 0.0, "y": sigma}[contains]
    sd = np.sqrt(((x @ cov) * x).sum(1) + noise**2)
    return x @ mean - z * sd, x @ mean + z * sd


# %% exponents right="mode-of-what"
def rate_map(counts, a, b, quantity):
    power = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    return max(a + float(counts.sum()) + power, 0.0) / (b + len(counts))


# %% mode-of-each right="mode-of-what"
def rate_map(counts, a, b, quantity):
    y, k = a, b
    for check in counts:
        y, k = y + check, k + 1
    if quantity == "interval":
        return 1 / (k / (y + 1))  # the mode of an inverse Gamma
    if quantity == "log":
        return y / k
    if quantity == "root":
        return (2 * y - 1) / (2 * k) if 2 * y > 1 else 0
    return (y - 1) / k if y > 1 else 0


# %% negative-root wrong="mode-of-what"
# Only the mode of the rate is kept from going below 0: "root", a 0.25, counts zero.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + counts.size
    if quantity == "rate":
        return max(shape - 1, 0) / rate
    if quantity == "root":
        return (shape - 0.5) / rate
    return shape / rate if quantity == "log" else (shape + 1) / rate


# %% mean-of-no-hours wrong="mode-of-what"
# Works with the mean count, which is nan for no hours at all: counts of shape (0,).
def rate_map(counts, a, b, quantity):
    n = len(counts)
    with np.errstate(invalid="ignore"):
        shape = a + n * (counts.sum() / np.float64(n))
    add = {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]
    return 0.0 if shape + add < 0 else (shape + add) / (b + n)


# %% no-bus-no-rate wrong="mode-of-what"
# Returns 0 whenever no bus came: counts (0, 0), a 2, b 1, "rate", where 1 / 3 is right.
def rate_map(counts, a, b, quantity):
    if counts.sum() == 0:
        return 0.0
    shape, rate = a + counts.sum(), b + len(counts)
    add = {"rate": -1, "root": -0.5, "log": 0, "interval": 1}
    return max(0.0, (shape + add[quantity]) / rate)


# %% seven-decimals wrong="mode-of-what"
# Rounds to seven decimals, not digits: counts of shape (0,), a 2, b 3e5, "rate".
def rate_map(counts, a, b, quantity):
    shape, rate = a + np.sum(counts), b + len(counts)
    add = {"rate": -1, "root": -0.5, "log": 0, "interval": 1}
    return round(max(0.0, (shape + add[quantity]) / rate), 7)


# %% singular-values right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(len(y))
    squares[: len(s)] = s**2
    k = sigma**2 + np.asarray(taus)[:, None] ** 2 * squares
    check = -0.5 * ((u.T @ y) ** 2 / k + np.log(2 * math.pi * k)).sum(1)
    return check, float(taus[np.argmax(check)])


# %% one-after-another right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    def evidence(tau):
        # each example given those before it
        m, s, total = np.zeros(x.shape[1]), tau**2 * np.eye(x.shape[1]), 0.0
        for row, value in zip(x, y):
            k = s @ row
            v = row @ k + sigma**2
            total -= 0.5 * ((value - row @ m) ** 2 / v + math.log(2 * math.pi * v))
            m = m + k * (value - row @ m) / v
            left = np.eye(len(m)) - np.outer(k, row) / v
            s = left @ s @ left.T + sigma**2 * np.outer(k, k) / v**2
        return total

    check = {float(tau): evidence(tau) for tau in taus}
    return np.array([check[float(tau)] for tau in taus]), max(check, key=check.get)


# %% more-weights-than-data wrong="choose-a-prior"
# Counts n - k directions without signal, even where k exceeds n: x of shape (2, 5).
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    inside = u.T @ y
    outside = ((y - u @ inside) ** 2).sum()
    out = []
    for tau in taus:
        v = sigma**2 + tau**2 * s**2
        logdet = np.log(v).sum() + (n - k) * math.log(sigma**2)
        square = (inside**2 / v).sum() + outside / sigma**2
        out.append(-0.5 * (logdet + square + n * math.log(2 * math.pi)))
    return np.array(out), taus[int(np.argmax(out))]


# %% pseudodeterminant right="choose-a-prior"
# Right by the text as it is now: features are at most 1.5 in size.
# SciPy drops eigenvalues that are small beside the largest: x 5 * ones (300, 1), sigma 0.01,
# taus (30,).
def choose_prior(x, y, sigma, taus):
    from scipy.stats import multivariate_normal

    logs = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logs.append(multivariate_normal.logpdf(y, np.zeros(len(y)), cov, allow_singular=True))
    return np.array(logs), taus[np.argmax(logs)]


# %% determinant-of-ratio wrong="choose-a-prior"
# Takes sigma out of the determinant, but the rest still overflows: 200 examples of 60 standard
# normal features, sigma 0.01, taus (20,).
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    result = np.empty(len(taus))
    for i, tau in enumerate(taus):
        inner = np.eye(k) + (tau / sigma) ** 2 * x.T @ x
        w = np.linalg.solve(inner, (tau / sigma) ** 2 * x.T @ y)
        with np.errstate(over="ignore"):
            logdet = 2 * n * np.log(sigma) + np.log(np.linalg.det(inner))
        square = y @ (y - x @ w) / sigma**2
        result[i] = -0.5 * (n * np.log(2 * np.pi) + logdet + square)
    return result, taus[result.argmax()]


# %% floor-of-eigenvalues wrong="choose-a-prior"
# Eigenvalues of the covariance are at least 2e-5, but sigma squared may be 4e-6: sigma 0.002.
def choose_prior(x, y, sigma, taus):
    logs = np.zeros(len(taus))
    for i, tau in enumerate(taus):
        values, vectors = np.linalg.eigh(sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T)
        values = np.maximum(values, 2e-5)
        logs[i] = -0.5 * np.sum((vectors.T @ y) ** 2 / values + np.log(2 * np.pi * values))
    return logs, taus[np.argmax(logs)]
