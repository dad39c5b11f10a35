# %% [markdown]
# Answers written from the text alone.


# %% ridge-qr-stacked right="ridge-from-a-prior"
# Centre twice, stack the prior as k more rows, QR, and a triangular solve.
def ridge_map(x, y, sigma, tau):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    k = x.shape[1]
    x_mean, y_mean = x.mean(axis=0), y.mean()
    xc, yc = x - x_mean, y - y_mean
    x_rest, y_rest = xc.mean(axis=0), yc.mean()
    xc, yc = xc - x_rest, yc - y_rest
    stacked = np.vstack([xc, (sigma / tau) * np.eye(k)])
    target = np.concatenate([yc, np.zeros(k)])
    q, r = np.linalg.qr(stacked)
    w = np.linalg.solve(r, q.T @ target)
    c = (y_mean - x_mean @ w) + (y_rest - x_rest @ w)
    return w, float(c)


# %% ridge-svd-centred right="ridge-from-a-prior"
# The singular values of the centred x, each shrunk by s / (s^2 + alpha); math.fsum for the means.
def ridge_map(x, y, sigma, tau):
    n = len(y)
    x_mean = np.array([math.fsum(column) / n for column in x.T])
    y_mean = math.fsum(y) / n
    u, s, vt = np.linalg.svd(x - x_mean, full_matrices=False)
    shrunk = s / (s**2 + (sigma / tau) ** 2)
    w = vt.T @ (shrunk * (u.T @ (y - y_mean)))
    return w, y_mean - math.fsum(x_mean * w)


# %% ridge-one-pass-moments wrong="ridge-from-a-prior"
# Centres afterwards, x'x - n * mean mean': cancels when the mean is a million times the spread.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    x_mean, y_mean = x.mean(axis=0), y.mean()
    gram = x.T @ x - n * np.outer(x_mean, x_mean)
    right = x.T @ y - n * x_mean * y_mean
    w = np.linalg.lstsq(gram + (sigma / tau) ** 2 * np.eye(k), right, rcond=None)[0]
    return w, float(y_mean - x_mean @ w)


# %% ridge-normal-equations right="ridge-from-a-prior"
# Handed in as wrong; the text now leaves out features that are nearly, not quite, the same.
# Centred, but squares x: with two nearly equal columns in the hundreds, k < n and tau = 1e5 sigma,
# the 1e-10 on the diagonal and the small difference are lost in x'x.
def ridge_map(x, y, sigma, tau):
    xc = x - x.mean(axis=0)
    yc = y - y.mean()
    gram = xc.T @ xc + sigma**2 / tau**2 * np.eye(x.shape[1])
    w = np.linalg.solve(gram, xc.T @ yc)
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% ridge-dual-not-centred wrong="ridge-from-a-prior"
# For more weights than examples it takes the dual form, and there forgets to centre x.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    alpha = (sigma / tau) ** 2
    x_mean, y_mean = x.mean(axis=0), y.mean()
    if k > n:
        w = x.T @ np.linalg.solve(x @ x.T + alpha * np.eye(n), y - y_mean)
    else:
        xc = x - x_mean
        stacked = np.vstack([xc, math.sqrt(alpha) * np.eye(k)])
        w = np.linalg.lstsq(stacked, np.append(y - y_mean, np.zeros(k)), rcond=None)[0]
    return w, float(y_mean - x_mean @ w)


# %% ridge-coarse-cutoff wrong="ridge-from-a-prior"
# A cutoff of 1e-4 for small singular values: drops a column with a spread of 0.01 beside one of
# 500 when sigma is small.
def ridge_map(x, y, sigma, tau):
    k = x.shape[1]
    xc = x - x.mean(axis=0)
    yc = y - y.mean()
    stacked = np.vstack([xc, (sigma / tau) * np.eye(k)])
    w = np.linalg.lstsq(stacked, np.concatenate([yc, np.zeros(k)]), rcond=1e-4)[0]
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% decay-closed-forms right="weight-decay-from-a-prior"
# Scale of the average data gradient, relative to the log posterior, divided by tau squared.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "mean squared":
        scale = 2 * sigma**2 / n
    elif loss == "sum squared":
        scale = 2 * sigma**2 * m / n
    else:
        scale = 1 / n
    return scale / tau**2


# %% decay-curvatures right="weight-decay-from-a-prior"
# Ratio of the curvature of the average loss in r to that of the summed NLL, times prior precision.
def weight_decay(loss, sigma, tau, n, m):
    share = m / n  # how often one example is in the batch
    per_example = {"mean squared": 2 / m, "sum squared": 2.0, "mean nll": 1 / (m * sigma * sigma)}
    average = share * per_example[loss]
    nll = 1 / (sigma * sigma)
    return (average / nll) * (1 / tau) * (1 / tau)


# %% decay-whole-batches wrong="weight-decay-from-a-prior"
# Divides the summed loss by a whole number of batches, rounded up: wrong if m does not divide n.
def weight_decay(loss, sigma, tau, n, m):
    ratio = sigma**2 / tau**2
    if loss == "mean squared":
        return 2 * ratio / n
    if loss == "sum squared":
        return 2 * ratio / math.ceil(n / m)
    return 1 / (n * tau**2)


# %% decay-epsilon wrong="weight-decay-from-a-prior"
# Adds 1e-12 to tau squared "for stability": wrong for tau of a millionth or less.
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / (tau**2 + 1e-12)
    if loss == "mean squared":
        return 2 * sigma**2 * precision / n
    if loss == "sum squared":
        return 2 * sigma**2 * precision * m / n
    return precision / n


# %% decay-wide-is-flat wrong="weight-decay-from-a-prior"
# Takes any tau from a million on for no prior: a small number, but 0 has none of its digits.
def weight_decay(loss, sigma, tau, n, m):
    if tau >= 1e6:
        return 0.0
    factor = {"mean squared": 2 * sigma**2, "sum squared": 2 * m * sigma**2, "mean nll": 1.0}
    return factor[loss] / (n * tau**2)


# %% decay-float32 wrong="weight-decay-from-a-prior"
# Computes in torch's float32: right to six digits, but below 1e-38 digits vanish
# (sigma = 1e-9, tau = 1e9, n large).
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / torch.tensor(float(tau)) ** 2
    scale = torch.tensor(float(sigma)) ** 2
    if loss == "mean squared":
        return (2 * scale * precision / n).item()
    if loss == "sum squared":
        return (2 * scale * precision / n * m).item()
    return (precision / n).item()


# %% prox-soft-threshold right="proximal-step"
# The soft threshold of the gradient step, vectorised.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b, dtype=float), 0.0)


# %% prox-three-cases right="proximal-step"
# Loop over the weights: three cases for each.
def proximal_step(w, gradient, step, b):
    w = np.asarray(w, dtype=float)
    scales = np.broadcast_to(np.asarray(b, dtype=float), w.shape)
    new = np.zeros(w.shape)
    for j in range(len(w)):
        z = w[j] - step * gradient[j]
        t = step / scales[j]
        if z > t:
            new[j] = z - t
        elif z < -t:
            new[j] = z + t
    return new


# %% prox-shrink-factor wrong="proximal-step"
# Multiplies by 1 - t / |z|: 0 / 0 = nan where z is 0 and the prior is flat.
def proximal_step(w, gradient, step, b):
    z = w - step * gradient
    t = step / np.asarray(b, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.maximum(1 - t / np.abs(z), 0)
    return z * factor


# %% prox-tidies-zeros wrong="proximal-step"
# Sets everything below 1e-8 to zero "exactly": tiny weights under a flat prior must stay.
def proximal_step(w, gradient, step, b):
    z = w - step * gradient
    new = np.sign(z) * np.maximum(np.abs(z) - step / np.asarray(b, dtype=float), 0)
    new[np.abs(new) < 1e-8] = 0.0
    return new


# %% prox-stops-at-crossing wrong="proximal-step"
# Subgradient step that stops at zero whenever the sign of w changes: wrong where the gradient is
# strong enough to carry a weight beyond the kink to the other side.
def proximal_step(w, gradient, step, b):
    z = w - step * gradient
    side = np.where(w == 0, np.sign(z), np.sign(w))
    new = z - step * side / np.asarray(b, dtype=float)
    return np.where(new * side > 0, new, 0.0)


# %% prox-inf-is-million wrong="proximal-step"
# Replaces an infinite scale by a million: with a step of hundreds it still shrinks visibly.
def proximal_step(w, gradient, step, b):
    scale = np.minimum(b, 1e6)
    z = w - step * gradient
    return z - np.clip(z, -step / scale, step / scale)


# %% posterior-whitened-cholesky right="gaussian-posterior"
# Weights measured in the prior's own units: L'L whitening, then I + A'A is well behaved.
def posterior(x, y, sigma, mean, cov):
    root = np.linalg.cholesky(cov)
    a = (x @ root) / sigma
    r = (y - x @ mean) / sigma
    precision = np.eye(len(mean)) + a.T @ a
    half = np.linalg.solve(np.linalg.cholesky(precision), root.T)
    new_cov = half.T @ half
    new_mean = mean + root @ np.linalg.solve(precision, a.T @ r)
    return new_mean, new_cov


# %% posterior-eigen-svd right="gaussian-posterior"
# Square root of the prior from its eigenvectors, then a full SVD of the whitened inputs.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(values)
    if len(y) == 0:
        return np.array(mean, dtype=float), np.array(cov, dtype=float)
    u, s, vt = np.linalg.svd(x @ root / sigma)
    full = np.zeros(k)
    full[: len(s)] = s
    turned = root @ vt.T
    new_cov = (turned / (1 + full**2)) @ turned.T
    along = np.zeros(k)
    along[: len(s)] = (u.T @ ((y - x @ mean) / sigma))[: len(s)]
    return mean + turned @ (full / (1 + full**2) * along), (new_cov + new_cov.T) / 2


# %% posterior-empty-is-zero wrong="gaussian-posterior"
# Without data it returns the prior's covariance, but zeros in place of the prior's mean.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    if len(y) == 0:
        return np.zeros(k), cov.copy()
    root = np.linalg.cholesky(cov)
    a = x @ root / sigma
    inner = np.linalg.inv(np.eye(k) + a.T @ a)
    new_cov = root @ inner @ root.T
    return mean + new_cov @ x.T @ (y - x @ mean) / sigma**2, new_cov


# %% posterior-jitter wrong="gaussian-posterior"
# Adds 1e-9 to the diagonal of the prior: wrong for a prior with variances near 1e-9 or below.
def posterior(x, y, sigma, mean, cov):
    prior = cov + 1e-9 * np.eye(len(mean))
    gain = np.linalg.solve(x @ prior @ x.T + sigma**2 * np.eye(len(y)), x @ prior).T
    return mean + gain @ (y - x @ mean), prior - gain @ x @ prior


# %% posterior-pinv-cutoff wrong="gaussian-posterior"
# A pseudo-inverse with a cutoff of 1e-4: drops the tightest directions of the prior once its
# condition number is above ten thousand.
def posterior(x, y, sigma, mean, cov):
    prior_precision = np.linalg.pinv(cov, rcond=1e-4, hermitian=True)
    precision = prior_precision + x.T @ x / sigma**2
    new_cov = np.linalg.pinv(precision, hermitian=True)
    new_mean = new_cov @ (prior_precision @ mean + x.T @ y / sigma**2)
    return new_mean, new_cov


# %% posterior-squeezed wrong="gaussian-posterior"
# Works with column vectors and squeezes at the end: with one weight the shapes (1,) and (1, 1)
# are gone.
def posterior(x, y, sigma, mean, cov):
    root = np.linalg.cholesky(cov)
    a = x @ root / sigma
    residual = ((y - x @ mean) / sigma)[:, None]
    inner = np.eye(len(mean)) + a.T @ a
    new_mean = mean[:, None] + root @ np.linalg.solve(inner, a.T @ residual)
    new_cov = root @ np.linalg.solve(inner, root.T)
    return np.squeeze(new_mean), np.squeeze(new_cov)


# %% band-upper-tail right="band-for-a-total"
# The quantile from the upper tail, the variances row by row with einsum.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    variance = np.einsum("qi,ij,qj->q", x, cov, x)
    if contains == "y":
        variance = variance + sigma**2
    half = norm.isf((1 - level) / 2) * np.sqrt(variance)
    center = x @ mean
    return center - half, center + half


# %% band-erfinv-cholesky right="band-for-a-total"
# The quantile is sqrt(2) erfinv(level); the deviation is the length of x times a Cholesky factor.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.special import erfinv

    z = math.sqrt(2) * erfinv(level)
    root = np.linalg.cholesky(cov)
    noise = sigma if contains == "y" else 0.0 * sigma
    low, high = np.empty(len(x)), np.empty(len(x))
    for i, row in enumerate(x):
        deviation = math.hypot(*(root.T @ row), noise[i])
        low[i] = row @ mean - z * deviation
        high[i] = row @ mean + z * deviation
    return low, high


# %% band-clipped-level wrong="band-for-a-total"
# Clips the level to 1 - 1e-6 so that the quantile stays finite: too narrow for levels above.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    level = min(max(level, 1e-6), 1 - 1e-6)
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return norm.interval(level, loc=x @ mean, scale=np.sqrt(variance))


# %% band-variance-floor wrong="band-for-a-total"
# A floor of 1e-8 under the variance of f, which a tight posterior (1e-10) falls below.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    variance = np.maximum(np.sum(x @ cov * x, axis=1), 1e-8)
    if contains == "y":
        variance = variance + sigma**2
    half = -norm.ppf((1 - level) / 2) * np.sqrt(variance)
    return x @ mean - half, x @ mean + half


# %% band-one-row-scalar wrong="band-for-a-total"
# Squeezes the result: with a single row (q = 1) the ends are 0-d, not of shape (1,).
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    from scipy.stats import norm

    center = x @ mean[:, None]
    variance = np.diag(x @ cov @ x.T)[:, None] + sigma**2 * (contains == "y")
    half = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return (center - half).squeeze(), (center + half).squeeze()


# %% band-float32-quantile wrong="band-for-a-total"
# torch makes the level a float32: 1 - 1e-9 becomes 1 and the band infinite; 0.99999 is off too.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)).item()
    variance = np.einsum("qi,ij,qj->q", x, cov, x)
    if contains == "y":
        variance += sigma**2
    deviation = np.sqrt(variance)
    return x @ mean - z * deviation, x @ mean + z * deviation


# %% mode-power-table right="mode-of-what"
# Each density is a power of the rate times exp(-B rate); the mode is power / B, or 0.
def rate_map(counts, a, b, quantity):
    extra = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    power = a + extra + float(np.sum(counts))
    return max(power, 0.0) / (b + len(counts))


# %% mode-each-in-its-own-ruler right="mode-of-what"
# The mode of each quantity on its own scale (inverse gamma, chi-like), carried back to a rate.
def rate_map(counts, a, b, quantity):
    shape = a + math.fsum(counts)
    rate = b + len(counts)
    if quantity == "rate":
        return (shape - 1) / rate if shape > 1 else 0.0
    if quantity == "root":
        return math.sqrt((2 * shape - 1) / (2 * rate)) ** 2 if shape > 0.5 else 0.0
    if quantity == "log":
        return math.exp(math.log(shape) - math.log(rate))
    return 1 / (rate / (shape + 1))


# %% mode-root-not-clipped wrong="mode-of-what"
# Clips only the rate at zero: negative for the root if a < 1/2 and nothing was counted.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    if quantity == "rate":
        return max(shape - 1, 0) / rate
    return (shape + {"root": -0.5, "log": 0, "interval": 1}[quantity]) / rate


# %% mode-bounded-search wrong="mode-of-what"
# A numerical search between 0 and 1e4: wrong for larger rates, and for rates of 1e-8 (b = 1e10).
def rate_map(counts, a, b, quantity):
    from scipy.optimize import minimize_scalar

    power = a + counts.sum() + {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]
    if power <= 0:
        return 0.0
    rate = b + len(counts)
    found = minimize_scalar(
        lambda v: (rate * v - power * math.log(v)) / power,
        bounds=(1e-12, 1e4),
        method="bounded",
        options={"xatol": 1e-10},
    ).x
    return found - (rate * found - power) / (power / found)  # one Newton step for the last digits


# %% mode-mean-of-none wrong="mode-of-what"
# Takes n times the mean of the counts for their sum: nan if n is 0.
def rate_map(counts, a, b, quantity):
    n = len(counts)
    shape, rate = a + n * np.mean(counts), b + n
    power = shape - {"rate": 1, "root": 0.5, "log": 0, "interval": -1}[quantity]
    return float(power / rate) if not power <= 0 else 0.0


# %% mode-looks-at-the-prior wrong="mode-of-what"
# Returns 0 whenever the *prior* is largest at zero (a < 1): wrong as soon as buses were counted.
def rate_map(counts, a, b, quantity):
    if quantity == "rate" and a <= 1 and (a < 1 or counts.sum() == 0):
        return 0.0
    if quantity == "root" and a <= 0.5 and (a < 0.5 or counts.sum() == 0):
        return 0.0
    shape, rate = a + np.sum(counts), b + len(counts)
    shift = {"rate": 1, "root": 0.5, "log": 0, "interval": -1}
    return (shape - shift[quantity]) / rate


# %% evidence-svd right="choose-a-prior"
# In the singular directions of x the covariance is diagonal; what lies outside has variance
# sigma squared.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    outside = y - u @ along
    outside = outside - u @ (u.T @ outside)
    ratio = np.asarray(taus)[:, None] * s / sigma
    square = (along / sigma) ** 2 / (1 + ratio**2)
    quadratic = square.sum(axis=1) + np.sum((outside / sigma) ** 2)
    logdet = 2 * n * math.log(sigma) + np.log1p(ratio**2).sum(axis=1)
    evidence = -0.5 * (n * math.log(2 * math.pi) + logdet + quadratic)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-qr-laplace right="choose-a-prior"
# The evidence is exact by Laplace: the penalised residuals at the MAP and the determinant of R
# from a QR of the stacked problem, for each tau.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    target = np.concatenate([y / sigma, np.zeros(k)])
    evidence = []
    for tau in taus:
        stacked = np.vstack([x * (tau / sigma), np.eye(k)])
        q, r = np.linalg.qr(stacked)
        v = np.linalg.solve(r, q.T @ target)
        rest = target - stacked @ v
        logdet = 2 * np.log(np.abs(np.diag(r))).sum()
        evidence.append(
            -0.5 * (n * math.log(2 * math.pi) + 2 * n * math.log(sigma) + logdet + rest @ rest)
        )
    evidence = np.array(evidence)
    return evidence, taus[int(evidence.argmax())]


# %% evidence-wide-x-determinant wrong="choose-a-prior"
# Takes the determinant in k dimensions, with max(n - k, 0) factors of sigma squared: for k > n
# the exponent must be negative.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    outside = y - u @ along
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        inner = np.full(k, sigma**2)
        inner[: len(s)] += (tau * s) ** 2
        logdet = max(n - k, 0) * math.log(sigma**2) + np.log(inner).sum()
        quadratic = (along**2 / inner[: len(s)]).sum() + outside @ outside / sigma**2
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + logdet + quadratic)
    return evidence, taus[np.argmax(evidence)]


# %% evidence-jitter wrong="choose-a-prior"
# Adds 1e-8 to the diagonal so that Cholesky never fails: a part in a thousand of the noise at
# sigma = 0.003.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    evidence = []
    for tau in taus:
        cov = tau**2 * x @ x.T + (sigma**2 + 1e-8) * np.eye(n)
        root = np.linalg.cholesky(cov)
        half = np.linalg.solve(root, y)
        logdet = 2 * np.log(np.diag(root)).sum()
        evidence.append(-0.5 * (half @ half + logdet + n * np.log(2 * np.pi)))
    return np.array(evidence), taus[int(np.argmax(evidence))]


# %% evidence-rounded-choice wrong="choose-a-prior"
# Chooses after rounding to two decimals: of two evidences that differ by less, the first wins.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    outside = np.sum((y - u @ along) ** 2)
    variances = sigma**2 + np.outer(taus, s) ** 2
    logdet = np.log(variances).sum(axis=1) + (n - len(s)) * math.log(sigma**2)
    quadratic = (along**2 / variances).sum(axis=1) + outside / sigma**2
    evidence = -(logdet + quadratic + n * math.log(2 * math.pi)) / 2
    return evidence, float(taus[np.argmax(evidence.round(2))])


# %% evidence-allow-singular right="choose-a-prior"
# Handed in as wrong; the text now leaves out covariances that SciPy takes for singular.
# SciPy's density with allow_singular: with x tau thousands of times sigma and hundreds of rows
# it takes the noise directions for singular and leaves them out.
def choose_prior(x, y, sigma, taus):
    from scipy.stats import multivariate_normal

    evidence = np.array(
        [
            multivariate_normal(
                np.zeros(len(y)),
                sigma**2 * np.eye(len(y)) + tau**2 * (x @ x.T),
                allow_singular=True,
            ).logpdf(y)
            for tau in taus
        ]
    )
    return evidence, float(taus[evidence.argmax()])
