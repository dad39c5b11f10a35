# %% augmented-least-squares right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    shift = x.mean(axis=0)
    centred = x - shift
    rest = centred.mean(axis=0)
    centred = centred - rest
    level = y.mean()
    target = y - level
    target = target - target.mean()
    a = np.vstack([centred, (sigma / tau) * np.eye(k)])
    q, r = np.linalg.qr(a)
    w = np.linalg.solve(r, q.T @ np.concatenate([target, np.zeros(k)]))
    c = float(np.mean((y - level) - centred @ w) + level - (shift + rest) @ w)
    return w, c


# %% torch-svd right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    xs, ys = torch.tensor(x), torch.tensor(y)
    middle = xs.mean(0)
    k = xs - middle
    k = k - k.mean(0)
    u, s, vt = torch.linalg.svd(k, full_matrices=False)
    ratio = sigma / tau
    gain = s / (s * s + ratio * ratio)
    w = vt.T @ (gain * (u.T @ (ys - ys.mean())))
    c = (ys - xs @ w).mean()
    return w.numpy(), c.item()


# %% sums-of-raw-squares wrong="ridge-from-a-prior"
# Centres after summing, so large means cancel: x = 1e7 + [[0.3], [0.7], [1.6]], y = [0, 1, 2],
# sigma = tau = 1.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    mx, my = x.mean(axis=0), y.mean()
    xx = x.T @ x - n * np.outer(mx, mx)
    xy = x.T @ y - n * mx * my
    w = np.linalg.solve(xx + (sigma / tau) ** 2 * np.eye(k), xy)
    return w, float(my - mx @ w)


# %% nearly-flat-intercept wrong="ridge-from-a-prior"
# The intercept has a prior of scale a million: x = 1e7 + [0, 10, 20], y = 2 x, sigma = tau = 100.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    design = np.hstack([x, np.ones((n, 1))])
    ridge = np.diag([sigma / tau] * k + [sigma / 1e6])
    full = np.vstack([design, ridge])
    target = np.concatenate([y, np.zeros(k + 1)])
    solution = np.linalg.lstsq(full, target, rcond=None)[0]
    return solution[:k], float(solution[k])


# %% floor-on-lambda wrong="ridge-from-a-prior"
# The penalty has a floor: x = [[0], [0.001], [0.002]], y = [0, 1, 2], sigma = 0.001, tau = 100.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    centred = x - x.mean(axis=0)
    lam = max((sigma / tau) ** 2, 1e-6)
    a = np.vstack([centred, math.sqrt(lam) * np.eye(k)])
    w = np.linalg.lstsq(a, np.concatenate([y - y.mean(), np.zeros(k)]), rcond=None)[0]
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% divides-by-spread wrong="ridge-from-a-prior"
# A column that never changes has spread 0, so nan: x = [[1, 5], [2, 5]], and any n = 1.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / spread
    penalty = np.diag((sigma / tau) ** 2 / spread**2)
    w = np.linalg.solve(z.T @ z + penalty, z.T @ (y - y.mean())) / spread
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% table-of-factors right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    ratio = sigma / tau
    return {
        "mean squared": 2 * ratio * ratio / n,
        "sum squared": 2 * ratio * ratio * (m / n),
        "mean nll": (1 / tau) * (1 / tau) / n,
    }[loss]


# %% ratio-of-curvatures right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    def factor_of_half_square():
        # factor of r squared / 2 that the average batch puts on each of the n examples
        if loss == "mean squared":
            return 2.0 / n
        if loss == "sum squared":
            return 2.0 * m / n
        return 1.0 / n / sigma**2

    if tau == math.inf:
        return np.float64(0)
    return np.float64(factor_of_half_square() * sigma**2 * tau**-2.0)


# %% whole-batches-only wrong="weight-decay-from-a-prior"
# Counts whole batches of an epoch: "sum squared", sigma = 1, tau = 1, n = 20, m = 3.
def weight_decay(loss, sigma, tau, n, m):
    ratio = (sigma / tau) ** 2
    if loss == "mean squared":
        return 2 * ratio / n
    if loss == "sum squared":
        return 2 * ratio / (n // m)
    return 1 / (n * tau**2)


# %% epsilon-under-the-line wrong="weight-decay-from-a-prior"
# An epsilon is added to the variance: "mean nll", sigma = 1, tau = 1e-7, n = 1, m = 1.
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / (tau**2 + 1e-12)
    if loss == "mean nll":
        return precision / n
    return 2 * sigma**2 * precision / n * (m if loss == "sum squared" else 1)


# %% single-precision-tensors wrong="weight-decay-from-a-prior"
# float32 overflows: "sum squared", sigma = 1e9, tau = 1e-9, n = m = 1000000 must be 2e36.
def weight_decay(loss, sigma, tau, n, m):
    s, t = torch.tensor(float(sigma)), torch.tensor(float(tau))
    if loss == "mean squared":
        return (2 * (s / t) ** 2 / n).item()
    if loss == "sum squared":
        return (2 * m * (s / t) ** 2 / n).item()
    return ((1 / t) ** 2 / n).item()


# %% rounds-to-twelve wrong="weight-decay-from-a-prior"
# Twelve decimals are not five digits: "mean squared", sigma = 1e-4, tau = 100, n = 1000, m = 1.
def weight_decay(loss, sigma, tau, n, m):
    value = 1 / (n * tau**2)
    if loss != "mean nll":
        value *= 2 * sigma**2
    if loss == "sum squared":
        value *= m
    return round(value, 12)


# %% huge-tau-is-flat wrong="weight-decay-from-a-prior"
# A tau of 1e8 or more counts as no prior: "mean squared", sigma = 1e9, tau = 1e8, n = 10, m = 1.
def weight_decay(loss, sigma, tau, n, m):
    if tau >= 1e8:
        return 0.0
    decay = {"mean squared": 2 * sigma**2, "sum squared": 2 * m * sigma**2, "mean nll": 1.0}[loss]
    return decay / n / tau**2


# %% subtracts-the-clipped right="proximal-step"
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    t = step / np.broadcast_to(np.asarray(b, dtype=float), u.shape)
    return u - np.clip(u, -t, t)


# %% one-weight-at-a-time right="proximal-step"
def proximal_step(w, gradient, step, b):
    def shrink(value, threshold):
        if value > threshold:
            return value - threshold
        if value < -threshold:
            return value + threshold
        return 0.0

    scales = np.full(len(w), b) if np.ndim(b) == 0 else b
    pairs = zip(w, gradient, scales)
    return np.array([shrink(a - step * g, step / k) for a, g, k in pairs], dtype=float)


# %% never-crosses-zero wrong="proximal-step"
# A weight that changes sign is stopped at zero: w = [0.1], g = [5], step = 1, b = 2 gives -4.4.
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    v = np.sign(u) * np.maximum(np.abs(u) - step / np.asarray(b), 0)
    return np.where(np.sign(w) * v < 0, 0.0, v)


# %% flat-prior-stands-still wrong="proximal-step"
# With a single infinite b the gradient step is forgotten: w = [1], g = [1], step = 0.1, b = inf.
def proximal_step(w, gradient, step, b):
    if np.isscalar(b) and math.isinf(b):
        return w.copy()
    u = w - step * gradient
    return np.sign(u) * np.maximum(np.abs(u) - step / np.asarray(b), 0)


# %% shrinks-by-a-factor wrong="proximal-step"
# 0 / 0 where both the step's end and the threshold are zero: w = [0], g = [0], b = [inf].
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    with np.errstate(divide="ignore", invalid="ignore"):
        return u * np.maximum(1 - step / np.asarray(b) / np.abs(u), 0)


# %% tiny-is-zero wrong="proximal-step"
# Small weights are wiped out: w = [1e-13], g = [0], step = 0.1, b = inf must stay 1e-13.
def proximal_step(w, gradient, step, b):
    u = w - step * gradient
    v = np.sign(u) * np.maximum(np.abs(u) - step / np.asarray(b), 0)
    v[np.abs(v) < 1e-12] = 0.0
    return v


# %% softshrink-in-single wrong="proximal-step"
# float32 in the middle: w = [1000], g = [0], step = 1000, b = 1.0000001 must be about 1e-4.
def proximal_step(w, gradient, step, b):
    u = torch.tensor(w, dtype=torch.float32) - step * torch.tensor(gradient, dtype=torch.float32)
    t = step / torch.as_tensor(b, dtype=torch.float32)
    return (torch.sign(u) * torch.clamp(u.abs() - t, min=0)).double().numpy()


# %% whitened-qr right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    root = np.linalg.cholesky(cov)
    a = np.vstack([x @ root / sigma, np.eye(k)])
    q, r = np.linalg.qr(a)
    residual = np.concatenate([(y - x @ mean) / sigma, np.zeros(k)])
    half = root @ np.linalg.inv(r)
    return mean + half @ (q.T @ residual), half @ half.T


# %% row-by-row right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    m, factor = mean.copy(), np.linalg.cholesky(cov)
    for row, value in zip(x, y):
        phi = factor.T @ row
        alpha = phi @ phi + sigma**2
        gain = factor @ phi / alpha
        m = m + gain * (value - row @ m)
        # the new factor keeps the covariance a product, so nothing is subtracted from it
        stack = np.vstack([factor.T - np.outer(phi, gain), sigma * gain])
        factor = np.linalg.qr(stack)[1].T
    return m, factor @ factor.T


# %% jitter-on-the-prior wrong="gaussian-posterior"
# 1e-9 is added to the prior's variances: cov = 1e-10 * eye(2), n = 0.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    prior = np.linalg.inv(cov + 1e-9 * np.eye(k))
    precision = prior + x.T @ x / sigma**2
    new_cov = np.linalg.inv(precision)
    return new_cov @ (prior @ mean + x.T @ y / sigma**2), new_cov


# %% no-data-no-mean wrong="gaussian-posterior"
# Without examples the mean is zero, not the prior's: n = 0, mean = [1, -1].
def posterior(x, y, sigma, mean, cov):
    if len(y) == 0:
        return np.zeros(len(mean)), cov.copy()
    prior = np.linalg.inv(cov)
    new_cov = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new_cov @ (prior @ mean + x.T @ y / sigma**2), new_cov


# %% squeezes-the-column wrong="gaussian-posterior"
# With one weight the mean has shape () and not (1,): x = [[1.0]], y = [2.0], k = 1.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new_cov = np.linalg.inv(prior + x.T @ x / sigma**2)
    column = prior @ mean[:, None] + x.T @ y[:, None] / sigma**2
    return np.squeeze(new_cov @ column), new_cov


# %% cuts-small-directions wrong="gaussian-posterior"
# Directions below 1e-4 of the largest are lost: cov = diag(1, 1e-5), n = 0.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.pinv(cov, rcond=1e-4)
    new_cov = np.linalg.pinv(prior + x.T @ x / sigma**2, rcond=1e-12)
    return new_cov @ (prior @ mean + x.T @ y / sigma**2), new_cov


# %% scipy-interval right="band-for-a-total"
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy import stats

    variance = np.sum((x @ np.linalg.cholesky(cov)) ** 2, axis=1)
    if contains == "y":
        variance = variance + sigma**2
    return stats.norm.interval(level, loc=x @ mean, scale=np.sqrt(variance))


# %% row-loop-with-tail right="band-for-a-total"
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy import special

    z = -special.ndtri((1 - level) / 2)
    ends = []
    for row, s in zip(x, sigma):
        y = float(row @ mean)
        k = math.sqrt(row @ cov @ row + (s**2 if contains == "y" else 0.0))
        ends.append((y - z * k, y + z * k))
    low, high = np.array(ends).T
    return low, high


# %% floor-under-variance wrong="band-for-a-total"
# A floor of 1e-8 under the variance: x = [[1, 0]], mean = 0, cov = 1e-10 * eye(2), "f".
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy import stats

    variance = np.einsum("qi,ij,qj->q", x, cov, x)
    if contains == "y":
        variance = variance + sigma**2
    sd = np.sqrt(np.maximum(variance, 1e-8))
    z = stats.norm.ppf(0.5 + level / 2)
    return x @ mean - z * sd, x @ mean + z * sd


# %% single-row-collapses wrong="band-for-a-total"
# One row gives numbers of shape () and not arrays of shape (1,): x = [[1.0, 2.0]].
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy import stats

    centre = np.squeeze(x @ mean.reshape(-1, 1))
    variance = np.squeeze(np.sum((x @ cov) * x, axis=1, keepdims=True))
    if contains == "y":
        variance = variance + sigma**2
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
    return centre - half, centre + half


# %% search-stops-at-six wrong="band-for-a-total"
# The quantile is sought between 0 and 6: level = 1 - 1e-9 needs 6.109.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    low, high = 0.0, 6.0
    for _ in range(200):
        middle = (low + high) / 2
        if math.erf(middle / math.sqrt(2)) < level:
            low = middle
        else:
            high = middle
    sd = np.sqrt(np.sum((x @ cov) * x, axis=1) + (contains == "y") * sigma**2)
    return x @ mean - low * sd, x @ mean + low * sd


# %% single-precision-quantile wrong="band-for-a-total"
# The level becomes float32, which turns 1 - 1e-9 into 1 and the band infinite.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    z = math.sqrt(2) * torch.erfinv(torch.tensor(float(level))).item()
    sd = np.sqrt(np.sum((x @ cov) * x, axis=1) + (contains == "y") * sigma**2)
    return x @ mean - z * sd, x @ mean + z * sd


# %% shape-plus-shift right="mode-of-what"
def rate_map(counts, a, b, quantity):
    shift = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    top = math.fsum(counts) + (a + shift)
    return max(top, 0.0) / (b + len(counts))


# %% slope-of-log-density right="mode-of-what"
def rate_map(counts, a, b, quantity):
    from scipy.optimize import brentq

    total, hours = counts.sum(), counts.size
    # d rate / d quantity is a power of the rate
    power = {"rate": 0.0, "root": 0.5, "log": 1.0, "interval": 2.0}[quantity]

    def gradient(log_rate):
        """Slope of the log density over the log of the rate."""
        return total + (a - 1 + power) - (b + hours) * math.exp(log_rate)

    if gradient(-math.inf) <= 0:
        return np.array(0.0)
    return np.array(math.exp(brentq(gradient, -60.0, 40.0, xtol=1e-13, rtol=1e-14)))


# %% mean-times-n wrong="mode-of-what"
# The mean of no counts is nan: n = 0, a = 3, b = 1, any quantity.
def rate_map(counts, a, b, quantity):
    n = len(counts)
    shift = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    top = a + n * counts.mean() + shift
    return 0.0 if top <= 0 else top / (b + n)


# %% one-edge-for-all wrong="mode-of-what"
# A shape below 1 gives 0 for every quantity: counts = [0], a = 0.75, b = 1, "root" is 0.125.
def rate_map(counts, a, b, quantity):
    shape, scale = a + counts.sum(), b + len(counts)
    if shape <= 1 and quantity in ("rate", "root"):
        return 0.0
    return (shape + {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]) / scale


# %% no-bus-no-rate wrong="mode-of-what"
# Without a single bus the rate is 0 whatever the prior: counts = [0, 0], a = 3, b = 1, "rate".
def rate_map(counts, a, b, quantity):
    shape, scale = a + counts.sum(), b + len(counts)
    if quantity == "rate" and counts.sum() == 0:
        return 0.0
    shift = {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]
    return max((shape + shift) / scale, 0.0)


# %% absolute-tolerance wrong="mode-of-what"
# The search stops at an absolute 1e-12: counts = [3], a = 2, b = 1e10, "rate" is 4e-10.
def rate_map(counts, a, b, quantity):
    shape, scale = a + counts.sum(), b + len(counts)
    power = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity] + shape
    if power <= 0:
        return 0.0
    low, high = 0.0, 1e10
    while high - low > 1e-12 and low < (low + high) / 2 < high:
        middle = (low + high) / 2
        if power - scale * middle > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% singular-values right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    across = y - u @ along
    logs = []
    for tau in taus:
        scale = np.hypot(sigma, tau * s)
        value = -0.5 * n * math.log(2 * math.pi)
        value -= np.log(scale).sum() + (n - len(s)) * math.log(sigma)
        value -= 0.5 * np.sum((along / scale) ** 2) + 0.5 * np.sum((across / sigma) ** 2)
        logs.append(value)
    return np.array(logs), float(taus[int(np.argmax(logs))])


# %% stacked-qr right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    n, k = x.shape

    def check(tau):
        a = np.vstack([x * (tau / sigma), np.eye(k)])
        target = np.concatenate([y / sigma, np.zeros(k)])
        q, r = np.linalg.qr(a)
        rest = target - q @ (q.T @ target)
        log_det = 2 * n * math.log(sigma) + 2 * np.log(np.abs(np.diag(r))).sum()
        return -0.5 * (n * math.log(2 * math.pi) + log_det + rest @ rest)

    values = np.array([check(tau) for tau in taus])
    best = max(range(len(taus)), key=lambda i: values[i])
    return values, taus[best]


# %% more-weights-than-rows wrong="choose-a-prior"
# Counts n - k directions of pure noise also where k > n: x = [[1, 2, 3]], y = [1], sigma = 0.5.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    rest = np.sum((y - u @ along) ** 2) / sigma**2
    out = []
    for tau in taus:
        v = sigma**2 + tau**2 * s**2
        log_det = np.log(v).sum() + (n - k) * math.log(sigma**2)
        out.append(-0.5 * (n * math.log(2 * math.pi) + log_det + np.sum(along**2 / v) + rest))
    out = np.array(out)
    return out, taus[np.argmax(out)]


# %% parsimony-among-near-ties wrong="choose-a-prior"
# Of evidences within a tenth takes the smallest tau: x = [[1]], y = [2], sigma = 1, [0.1, 0.2].
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    s = np.concatenate([s, np.zeros(n - len(s))])
    v = sigma**2 + np.outer(taus, s) ** 2
    terms = np.log(2 * math.pi * v) + (u.T @ y) ** 2 / v
    values = -0.5 * terms.sum(axis=1)
    return values, taus[values >= values.max() - 0.1].min()


# %% drops-weak-directions wrong="choose-a-prior"
# Singular values below 1e-3 of the first count as noise: x = [[1000, 0], [0, 0.5]], sigma = 0.3,
# y = [1000, 1], tau = 1.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    keep = s > 1e-3 * s[0]
    u, s = u[:, keep], s[keep]
    along = u.T @ y
    rest = np.sum((y - u @ along) ** 2) / sigma**2
    v = sigma**2 + np.outer(taus, s) ** 2
    log_det = np.log(v).sum(axis=1) + (n - len(s)) * math.log(sigma**2)
    out = -0.5 * (n * math.log(2 * math.pi) + log_det + (along**2 / v).sum(axis=1) + rest)
    return out, taus[np.argmax(out)]


# %% square-minus-fitted-square right="choose-a-prior"
# It was handed in as wrong; the text now bounds `y` by `sigma`, and the digits stay.
# The quadratic form is a difference of large numbers: 300 rows with columns of 4 and of
# 4 + 0.001 * linspace(-1, 1), y = 1000, sigma = 0.001, tau = 1.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    out = []
    for tau in taus:
        inner = x.T @ x + (sigma / tau) ** 2 * np.eye(k)
        sign, log_det = np.linalg.slogdet(inner * (tau / sigma) ** 2)
        xy = x.T @ y
        square = (y @ y - xy @ np.linalg.inv(inner) @ xy) / sigma**2
        total = n * math.log(2 * math.pi * sigma**2) + log_det + square
        out.append(-0.5 * total)
    out = np.array(out)
    return out, taus[np.argmax(out)]
