# %% [markdown]
# Answers written from the text alone.


# %% ridge-stacked-rows right="ridge-from-a-prior"
# Centre, then the QR of data rows over one row for each weight's prior; refined at the end.
def ridge_map(x, y, sigma, tau):
    from scipy.linalg import solve_triangular

    n, k = x.shape
    xl, yl = x.astype(np.longdouble), y.astype(np.longdouble)
    x_mean, y_mean = xl.mean(axis=0), yl.mean()
    xc, yc = xl - x_mean, yl - y_mean
    ratio = (np.longdouble(sigma) / tau) ** 2
    rows = np.vstack([xc.astype(float), sigma / tau * np.eye(k)])
    r = np.linalg.qr(rows, mode="r")
    w = np.zeros(k, dtype=np.longdouble)
    for _ in range(6):
        slope = (xc.T @ (yc - xc @ w) - ratio * w).astype(float)
        w = w + solve_triangular(r, solve_triangular(r, slope, trans="T"))
    return w.astype(float), float(y_mean - x_mean @ w)


# %% ridge-shrunk-svd right="ridge-from-a-prior"
# Shrink each singular direction of the centred features by s / (s^2 + (sigma / tau)^2), then
# correct what rounding left of the gradient.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    x_mean = np.array([math.fsum(x[:, j]) / n for j in range(k)])
    y_mean = math.fsum(y) / n
    xc, yc = x - x_mean, y - y_mean
    u, s, vt = np.linalg.svd(xc, full_matrices=True)
    r, ratio = len(s), (sigma / tau) ** 2
    curvature = np.full(k, ratio)
    curvature[:r] += s**2
    w = vt[:r].T @ (s / curvature[:r] * (u[:, :r].T @ yc))
    exact_x, exact_y = xc.astype(np.longdouble), yc.astype(np.longdouble)
    for _ in range(4):
        slope = exact_x.T @ (exact_y - exact_x @ w) - ratio * w
        w = w + vt.T @ (vt @ slope.astype(float) / curvature)
    return w, math.fsum([y_mean, *(-x_mean * w)])


# %% ridge-one-pass-moments wrong="ridge-from-a-prior"
# Takes E[xx] - E[x]E[x]: cancels when the mean is a million times as large as the spread.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    x_mean, y_mean = x.mean(axis=0), y.mean()
    gram = x.T @ x - n * np.outer(x_mean, x_mean)
    right = x.T @ y - n * x_mean * y_mean
    w = np.linalg.solve(gram + (sigma / tau) ** 2 * np.eye(k), right)
    return w, float(y_mean - x_mean @ w)


# %% ridge-sample-covariance wrong="ridge-from-a-prior"
# Goes through np.cov, which divides by n - 1: nan for a single example, n = 1.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    both = (n - 1) * np.cov(np.column_stack([x, y]), rowvar=False)
    gram, right = both[:k, :k], both[:k, k]
    w = np.linalg.solve(gram + (sigma / tau) ** 2 * np.eye(k), right)
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% ridge-few-sweeps wrong="ridge-from-a-prior"
# Coordinate descent with 300 sweeps: not there yet when two features differ by a hundredth
# of their spread and the prior is wide.
def ridge_map(x, y, sigma, tau):
    x_mean, y_mean = x.mean(axis=0), y.mean()
    xc, rest = x - x_mean, y - y_mean
    w = np.zeros(x.shape[1])
    ratio = (sigma / tau) ** 2
    for _ in range(300):
        for j in range(len(w)):
            column = xc[:, j]
            new = column @ (rest + column * w[j]) / (column @ column + ratio)
            rest = rest - column * (new - w[j])
            w[j] = new
    return w, float(y_mean - x_mean @ w)


# %% ridge-wide-intercept-prior wrong="ridge-from-a-prior"
# The intercept gets a "wide" prior of scale 1e4 in place of a flat one: pulled to zero when the
# mean of y is ten million and sigma is large.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    x_mean = x.mean(axis=0)
    xc = x - x_mean
    design = np.column_stack([np.ones(n), xc]) / sigma
    prior = np.diag(np.concatenate([[1e-4], np.full(k, 1 / tau)]))
    rows = np.vstack([design, prior])
    target = np.concatenate([y / sigma, np.zeros(k + 1)])
    solution = np.linalg.lstsq(rows, target, rcond=None)[0]
    w = solution[1:]
    return w, float(solution[0] - x_mean @ w)


# %% ridge-first-of-equal-features wrong="ridge-from-a-prior"
# Of identical features only the first gets a weight, the others zero: wrong for the case that
# two features do not differ at all, where the MAP shares the weight.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    kept = np.sort(np.unique(x, axis=1, return_index=True)[1])
    x_mean, y_mean = x.mean(axis=0), y.mean()
    u, s, vt = np.linalg.svd((x - x_mean)[:, kept], full_matrices=False)
    w = np.zeros(k)
    w[kept] = vt.T @ (s / (s**2 + (sigma / tau) ** 2) * (u.T @ (y - y_mean)))
    return w, float(y_mean - x_mean @ w)


# %% decay-by-formula right="weight-decay-from-a-prior"
# One closed formula for each loss.
def weight_decay(loss, sigma, tau, n, m):
    ratio = (sigma / tau) ** 2
    if loss == "mean squared":
        return 2 * ratio / n
    if loss == "sum squared":
        return 2 * ratio * m / n
    return 1 / tau**2 / n


# %% decay-in-logs right="weight-decay-from-a-prior"
# How many times the summed NLL the average batch loss is, times the prior's precision, in logs.
def weight_decay(loss, sigma, tau, n, m):
    log_factor = -math.log(n)
    if loss != "mean nll":
        log_factor += math.log(2) + 2 * math.log(sigma)
    if loss == "sum squared":
        log_factor += math.log(m)
    return math.exp(log_factor - 2 * math.log(tau))


# %% decay-whole-batches wrong="weight-decay-from-a-prior"
# The share m / n as one over the whole number of batches n // m: wrong for "sum squared" where
# m does not divide n, such as n = 20 and m = 15.
def weight_decay(loss, sigma, tau, n, m):
    ratio = (sigma / tau) ** 2
    if loss == "mean squared":
        return 2 * ratio / n
    if loss == "sum squared":
        return 2 * ratio / (n // m)
    return 1 / (n * tau**2)


# %% decay-wide-is-flat wrong="weight-decay-from-a-prior"
# Any tau of a million or more counts as no prior: wrong for tau = 1e8, where the answer is tiny
# but has five digits.
def weight_decay(loss, sigma, tau, n, m):
    if tau >= 1e6:
        return 0.0
    factor = {
        "mean squared": 2 * sigma**2 / n,
        "sum squared": 2 * sigma**2 * m / n,
        "mean nll": 1 / n,
    }[loss]
    return factor / tau**2


# %% decay-single-precision wrong="weight-decay-from-a-prior"
# Computed in float32: below 1e-38 digits are lost, as for sigma = 1e-9, tau = 1e9, n = 1e6.
def weight_decay(loss, sigma, tau, n, m):
    sigma, tau = torch.tensor(float(sigma)), torch.tensor(float(tau))
    if loss == "mean squared":
        result = 2 * (sigma / tau) ** 2 / n
    elif loss == "sum squared":
        result = 2 * (sigma / tau) ** 2 * m / n
    else:
        result = 1 / tau**2 / n
    return result.item()


# %% decay-safe-division wrong="weight-decay-from-a-prior"
# Adds 1e-12 to the variance of the prior "for safety": wrong for a tau of 1e-6 or less.
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / (tau**2 + 1e-12)
    if loss == "mean nll":
        return precision / n
    examples = m if loss == "sum squared" else 1
    return 2 * sigma**2 * precision * examples / n


# %% decay-exact-fractions wrong="weight-decay-from-a-prior"
# Exact fractions, which have no infinity: raises an error for tau = math.inf.
def weight_decay(loss, sigma, tau, n, m):
    from fractions import Fraction

    precision = 1 / Fraction(tau) ** 2
    if loss == "mean squared":
        return float(2 * Fraction(sigma) ** 2 * precision / n)
    if loss == "sum squared":
        return float(2 * Fraction(sigma) ** 2 * precision * m / n)
    return float(precision / n)


# %% prox-soft-threshold right="proximal-step"
# A gradient step, then every size less the threshold, but not below zero.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b), 0.0)


# %% prox-three-cases right="proximal-step"
# One weight at a time: to the right of the dead zone, to the left of it, or in it.
def proximal_step(w, gradient, step, b):
    scales = np.broadcast_to(np.asarray(b, dtype=float), w.shape)
    new = np.zeros(w.shape)
    for j in range(len(w)):
        moved, threshold = w[j] - step * gradient[j], step / scales[j]
        if moved > threshold:
            new[j] = moved - threshold
        elif moved < -threshold:
            new[j] = moved + threshold
    return new


# %% prox-rounds-tiny-to-zero wrong="proximal-step"
# Sweeps everything below 1e-12 to zero: a weight of 1e-15 with a flat prior and no gradient
# must stay.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    new = np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b), 0.0)
    new[np.abs(new) < 1e-12] = 0.0
    return new


# %% prox-keeps-old-side wrong="proximal-step"
# Takes the sign of the old weight where it has one: wrong when the step carries a weight across
# zero and beyond the threshold.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    side = np.where(w != 0, np.sign(w), np.sign(moved))
    return side * np.maximum(np.abs(moved) - step / np.asarray(b), 0.0)


# %% prox-flat-in-place wrong="proximal-step"
# With a single b of infinity the gradient step is taken in place: w is changed.
def proximal_step(w, gradient, step, b):
    if np.ndim(b) == 0 and math.isinf(b):
        w -= step * gradient
        return w
    moved = w - step * gradient
    return moved - np.clip(moved, -step / b, step / b)


# %% prox-capped-scale wrong="proximal-step"
# Infinite scales become a million: with step = 1000 a flat weight loses a thousandth, and a
# smaller one goes to zero.
def proximal_step(w, gradient, step, b):
    scales = np.minimum(b, 1e6)
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / scales, 0.0)


# %% prox-shrink-factor wrong="proximal-step"
# Multiplies by 1 - threshold / size: 0 / 0 is nan where a flat weight lands on zero exactly, as
# w = 0 with gradient 0.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    with np.errstate(all="ignore"):
        factor = 1 - (step / np.asarray(b)) / np.abs(moved)
    return moved * np.maximum(factor, 0.0)


# %% posterior-by-qr right="gaussian-posterior"
# Whitens the prior by its Cholesky factor and takes the QR of data rows over prior rows.
def posterior(x, y, sigma, mean, cov):
    from scipy.linalg import solve_triangular

    n, k = x.shape
    root = np.linalg.cholesky(cov)
    design = x.astype(np.longdouble) @ root.astype(np.longdouble) / sigma
    residual = (y.astype(np.longdouble) - x.astype(np.longdouble) @ mean) / sigma
    r = np.linalg.qr(np.vstack([design.astype(float), np.eye(k)]), mode="r")
    half = solve_triangular(r, root.T, trans="T")
    v = np.zeros(k, dtype=np.longdouble)
    for _ in range(5):
        slope = (design.T @ (residual - design @ v) - v).astype(float)
        v = v + solve_triangular(r, solve_triangular(r, slope, trans="T"))
    return mean + root @ v.astype(float), half.T @ half


# %% posterior-by-svd right="gaussian-posterior"
# Whitened, each singular direction of the data shrinks its variance to 1 / (1 + s^2).
def posterior(x, y, sigma, mean, cov):
    n, k = x.shape
    if n == 0:
        return mean.copy(), cov.copy()
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(values)
    u, s, vt = np.linalg.svd(x @ root / sigma, full_matrices=True)
    r = len(s)
    left = np.ones(k)
    left[:r] = 1 / (1 + s**2)
    axes = root @ vt.T
    residual = (y - x @ mean) / sigma
    new_mean = mean + axes[:, :r] @ (s / (1 + s**2) * (u[:, :r].T @ residual))
    scaled = axes * np.sqrt(left)
    return new_mean, scaled @ scaled.T


# %% posterior-no-data-no-mean wrong="gaussian-posterior"
# Without examples it returns the prior's covariance, but zeros as the mean: wrong for n = 0.
def posterior(x, y, sigma, mean, cov):
    n, k = x.shape
    if n == 0:
        return np.zeros(k), cov.copy()
    root = np.linalg.cholesky(cov)
    design = x @ root / sigma
    inner = np.linalg.inv(np.eye(k) + design.T @ design)
    shift = root @ (inner @ (design.T @ ((y - x @ mean) / sigma)))
    return mean + shift, root @ inner @ root.T


# %% posterior-squeezed wrong="gaussian-posterior"
# Squeezes its results: for a single weight, k = 1, they have shape () and not (1,) and (1, 1).
def posterior(x, y, sigma, mean, cov):
    root = np.linalg.cholesky(cov)
    design = x @ root / sigma
    inner = np.linalg.inv(np.eye(len(mean)) + design.T @ design)
    shift = root @ (inner @ (design.T @ ((y - x @ mean) / sigma)))
    return np.squeeze(mean + shift), np.squeeze(root @ inner @ root.T)


# %% posterior-single-precision wrong="gaussian-posterior"
# Works in float32 inside: the prior drowns where the data are millions of times as precise.
def posterior(x, y, sigma, mean, cov):
    xs, ys, m0, s0 = (torch.tensor(a, dtype=torch.float32) for a in (x, y, mean, cov))
    prior = torch.linalg.inv(s0)
    new_cov = torch.linalg.inv(prior + xs.T @ xs / sigma**2)
    new_mean = new_cov @ (prior @ m0 + xs.T @ ys / sigma**2)
    return new_mean.double().numpy(), new_cov.double().numpy()


# %% posterior-jitter wrong="gaussian-posterior"
# Adds 1e-6 to the diagonal of the precision: a prior of variance 1e5 has only 1e-5 there, so
# directions without data come out a tenth too narrow.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    prior = np.linalg.inv(cov)
    precision = prior + x.T @ x / sigma**2 + 1e-6 * np.eye(k)
    new_cov = np.linalg.inv(precision)
    return mean + new_cov @ (x.T @ (y - x @ mean)) / sigma**2, (new_cov + new_cov.T) / 2


# %% posterior-merges-equal-rows wrong="gaussian-posterior"
# Equal rows of x become one with the mean of their y, and the noise stays sigma: wrong as soon
# as an input occurs twice.
def posterior(x, y, sigma, mean, cov):
    if len(y):
        x, inverse = np.unique(x, axis=0, return_inverse=True)
        inverse = inverse.ravel()
        y = np.bincount(inverse, weights=y) / np.bincount(inverse)
    root = np.linalg.cholesky(cov)
    design = x @ root / sigma
    inner = np.linalg.inv(np.eye(len(mean)) + design.T @ design)
    shift = root @ (inner @ (design.T @ ((y - x @ mean) / sigma)))
    return mean + shift, root @ inner @ root.T


# %% total-summed-inputs right="band-for-a-total"
# Adds up the inputs of a plan first; the total is then linear in the weights.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.special import erfinv

    summed = counts.astype(np.longdouble) @ x.astype(np.longdouble)
    summed = summed.astype(np.float64)
    variance = ((summed @ np.linalg.cholesky(cov)) ** 2).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = math.sqrt(2) * erfinv(level) * np.sqrt(variance)
    return summed @ mean - half, summed @ mean + half


# %% total-plan-by-plan right="band-for-a-total"
# One plan at a time, in the eigenvectors of the covariance, with exact sums.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.special import ndtri

    values, vectors = np.linalg.eigh(cov)
    z = -ndtri((1 - level) / 2)
    low, high = np.empty(len(counts)), np.empty(len(counts))
    for i, plan in enumerate(counts):
        total = np.array([math.fsum(plan * column) for column in x.T])
        variance = math.fsum(values * (vectors.T @ total) ** 2)
        if contains == "y":
            variance += sigma**2 * math.fsum(plan)
        centre = math.fsum(total * mean)
        low[i] = centre - z * math.sqrt(variance)
        high[i] = centre + z * math.sqrt(variance)
    return low, high


# %% total-clipped-tail wrong="band-for-a-total"
# Keeps each tail at 1e-7 or more so that the quantile stays finite: too narrow for a level of
# 1 - 1e-9.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    z = norm.isf(max((1 - level) / 2, 1e-7))
    summed = counts @ x
    variance = np.einsum("pk,kl,pl->p", summed, cov, summed)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = z * np.sqrt(variance)
    return summed @ mean - half, summed @ mean + half


# %% total-level-or-alpha wrong="band-for-a-total"
# Reads a level below one half as the probability outside: wrong for level = 0.1.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    inside = max(level, 1 - level)
    summed = counts @ x
    variance = np.einsum("pk,kl,pl->p", summed, cov, summed)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = norm.isf((1 - inside) / 2) * np.sqrt(variance)
    return summed @ mean - half, summed @ mean + half


# %% total-one-plan-squeezed wrong="band-for-a-total"
# Squeezes the ends: for a single plan they have shape () in place of (1,).
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    summed = counts @ x
    variance = np.diag(summed @ cov @ summed.T)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return np.squeeze(summed @ mean - half), np.squeeze(summed @ mean + half)


# %% total-variance-floor wrong="band-for-a-total"
# Adds 1e-8 under the root: the band for f is far too wide for a covariance of size 1e-10.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    summed = counts @ x
    variance = np.einsum("pk,kl,pl->p", summed, cov, summed) + 1e-8
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return summed @ mean - half, summed @ mean + half


# %% total-small-integers wrong="band-for-a-total"
# Counts the observations in uint8, which wraps around: the band for y is too narrow for plans
# of 256 observations or more.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    observations = counts.astype(np.uint8) @ np.ones(len(x), dtype=np.uint8)
    summed = counts @ x
    variance = np.einsum("pk,kl,pl->p", summed, cov, summed)
    if contains == "y":
        variance = variance + sigma**2 * observations.astype(float)
    half = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return summed @ mean - half, summed @ mean + half


# %% mode-by-exponent right="mode-of-what"
# The change of variable adds 0, 1/2, 1 or 2 to the exponent of the rate.
def rate_map(counts, a, b, quantity):
    added = {"rate": 0.0, "root": 0.5, "log": 1.0, "interval": 2.0}[quantity]
    exponent = a - 1 + added + float(counts.sum())
    return max(exponent, 0.0) / (b + len(counts))


# %% mode-of-named-families right="mode-of-what"
# Modes of the Gamma, Nakagami, log-Gamma and inverse Gamma, each turned back into a rate.
def rate_map(counts, a, b, quantity):
    shape, rate = a + math.fsum(counts), b + len(counts)
    if quantity == "rate":
        return (shape - 1) / rate if shape > 1 else 0.0
    if quantity == "root":
        if shape <= 0.5:
            return 0.0
        spread = shape / rate
        return math.sqrt((2 * shape - 1) * spread / (2 * shape)) ** 2
    if quantity == "log":
        return math.exp(math.log(shape) - math.log(rate))
    return 1 / (rate / (shape + 1))


# %% mode-small-shape-zero wrong="mode-of-what"
# Returns 0 for every quantity when the shape is at most 1: wrong for root, log and interval
# without a bus, with a = 0.75.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    if shape <= 1:
        return 0.0
    added = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    return float((shape + added) / rate)


# %% mode-negative-root wrong="mode-of-what"
# Only the rate itself is kept from below zero: negative for "root" with no bus and a = 0.3.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    if quantity == "rate":
        return float(max(shape - 1, 0) / rate)
    if quantity == "root":
        return float((shape - 0.5) / rate)
    if quantity == "log":
        return float(shape / rate)
    return float((shape + 1) / rate)


# %% mode-from-mean-count wrong="mode-of-what"
# Takes the total as n times the mean: nan when there are no hours, n = 0.
def rate_map(counts, a, b, quantity):
    n = len(counts)
    shape, rate = a + n * np.mean(counts), b + n
    added = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    return float(np.maximum(shape + added, 0.0) / rate)


# %% mode-rounded wrong="mode-of-what"
# Rounds to nine decimals: no digit is left of a rate of 1e-10, as with b = 1e10.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    added = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    return round(float(max(shape + added, 0.0) / rate), 9)


# %% mode-bounded-search wrong="mode-of-what"
# Looks for the mode between 1e-6 and 1e7 only: returns the lower end for b = 1e10.
def rate_map(counts, a, b, quantity):
    power = {"rate": 0.0, "root": 0.5, "log": 1.0, "interval": 2.0}[quantity]
    exponent = a + counts.sum() - 1 + power
    if exponent <= 0:
        return 0.0
    low, high = math.log(1e-6), math.log(1e7)
    for _ in range(200):
        middle = (low + high) / 2
        if exponent - (b + len(counts)) * math.exp(middle) > 0:
            low = middle
        else:
            high = middle
    return math.exp(low)


# %% evidence-by-svd right="choose-a-prior"
# In the left singular vectors of x the entries of y are independent Normals.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(n)
    squares[: len(s)] = s**2
    z = u.T @ y
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + z**2 / variances
    evidence = -0.5 * terms.sum(axis=1)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-by-qr right="choose-a-prior"
# Loop over the scales: determinant and residual from the QR of data rows over prior rows.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    evidence = np.empty(len(taus))
    target = np.concatenate([y / sigma, np.zeros(k)])
    for i, tau in enumerate(taus):
        q, r = np.linalg.qr(np.vstack([x * (tau / sigma), np.eye(k)]))
        rest = target - q @ (q.T @ target)
        log_det = 2 * n * math.log(sigma) + 2 * np.log(np.abs(np.diag(r))).sum()
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + rest @ rest)
    return evidence, float(taus[evidence.argmax()])


# %% evidence-more-weights-than-data wrong="choose-a-prior"
# Counts n - k directions without a feature: a negative number, and a wrong determinant, for
# k > n.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    z = u.T @ y
    rest = y - u @ z
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        variances = sigma**2 + tau**2 * s**2
        log_det = np.log(variances).sum() + (n - k) * math.log(sigma**2)
        square = (z**2 / variances).sum() + rest @ rest / sigma**2
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + square)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-drops-small-directions wrong="choose-a-prior"
# Drops eigenvalues below 1e-9 of the largest, as a pseudo-inverse does: all the noise is gone
# when one is 3e9 times sigma squared.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        values, vectors = np.linalg.eigh(sigma**2 * np.eye(n) + tau**2 * x @ x.T)
        kept = values > 1e-9 * values.max()
        z = vectors[:, kept].T @ y
        square = (z**2 / values[kept]).sum()
        log_det = np.log(values[kept]).sum()
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + square)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-squeezed wrong="choose-a-prior"
# Squeezes the evidences: shape () in place of (1,) when there is only one tau.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(n)
    squares[: len(s)] = s**2
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + (u.T @ y) ** 2 / variances
    evidence = np.squeeze(-0.5 * terms.sum(axis=1))
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-choice-by-density wrong="choose-a-prior"
# Chooses by the densities, not their logs: all are 0 below -745 (or inf above 709), and the
# first tau wins, whichever it is.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(n)
    squares[: len(s)] = s**2
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + (u.T @ y) ** 2 / variances
    evidence = -0.5 * terms.sum(axis=1)
    with np.errstate(all="ignore"):
        densities = np.exp(evidence)
    return evidence, float(taus[np.argmax(densities)])


# %% evidence-product-of-ratios wrong="choose-a-prior"
# Takes sigma out of the determinant but multiplies the ratios that are left: their product
# overflows with 40 or more features and a wide prior.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    z = u.T @ y
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        ratios = np.ones(n)
        ratios[: len(s)] += (tau * s / sigma) ** 2
        with np.errstate(all="ignore"):
            log_det = 2 * n * math.log(sigma) + np.log(np.prod(ratios))
        square = (z**2 / ratios).sum() / sigma**2
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + square)
    return evidence, float(taus[np.argmax(evidence)])
