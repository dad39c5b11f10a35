# %% [markdown]
# Answers written from the text alone.


# %% ridge-augmented-qr right="ridge-from-a-prior"
# Centre twice, append the prior as rows of data, and solve by a QR factorisation.
def ridge_map(x, y, sigma, tau):
    import scipy.linalg

    k = x.shape[1]
    x_mean, y_mean = x.mean(axis=0), y.mean()
    xc, yc = x - x_mean, y - y_mean
    x_rest, y_rest = xc.mean(axis=0), yc.mean()
    xc, yc = xc - x_rest, yc - y_rest
    rows = np.vstack([xc, sigma / tau * np.eye(k)])
    q, r = np.linalg.qr(rows)
    w = scipy.linalg.solve_triangular(r, q.T @ np.concatenate([yc, np.zeros(k)]))
    return w, float(y_mean - x_mean @ w + (y_rest - x_rest @ w))


# %% ridge-merged-svd right="ridge-from-a-prior"
# Equal features become one with a wider prior; the rest goes through an SVD.
def ridge_map(x, y, sigma, tau):
    x_mean, y_mean = x.mean(axis=0), y.mean()
    xc, yc = x - x_mean, y - y_mean
    x_rest, y_rest = xc.mean(axis=0), yc.mean()
    xc, yc = xc - x_rest, yc - y_rest
    members = []
    for j in range(x.shape[1]):
        size = np.abs(xc[:, j]).max()
        for group in members:
            if np.abs(xc[:, j] - xc[:, group[0]]).max() <= 1e-6 * size:
                group.append(j)
                break
        else:
            members.append([j])
    roots = np.sqrt([len(group) for group in members])
    columns = np.stack([xc[:, group[0]] for group in members], axis=1) * roots
    u, s, vt = np.linalg.svd(columns, full_matrices=False)
    s = np.where(s > 1e-13 * s.max(), s, 0.0)
    scaled = vt.T @ (s / (s**2 + (sigma / tau) ** 2) * (u.T @ yc))
    w = np.zeros(x.shape[1])
    for value, root, group in zip(scaled, roots, members, strict=True):
        w[group] = value / root
    return w, float(y_mean - x_mean @ w + (y_rest - x_rest @ w))


# %% ridge-normal-equations right="ridge-from-a-prior"
# Solves the normal equations: two equal features, a spread of a thousand and a tau of 1e5 sigma
# make them singular, and the exercise no longer asks for that; else they are right.
def ridge_map(x, y, sigma, tau):
    xc, yc = x - x.mean(axis=0), y - y.mean()
    gram = xc.T @ xc + (sigma / tau) ** 2 * np.eye(x.shape[1])
    w = np.linalg.solve(gram, xc.T @ yc)
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% ridge-one-pass wrong="ridge-from-a-prior"
# Subtracts the means from the sums of squares, not from x: for a mean of ten million and a
# spread of ten nothing but a few digits is left.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    x_mean, y_mean = x.mean(axis=0), y.mean()
    gram = x.T @ x - n * np.outer(x_mean, x_mean) + (sigma / tau) ** 2 * np.eye(k)
    w = np.linalg.lstsq(gram, x.T @ y - n * x_mean * y_mean, rcond=None)[0]
    return w, float(y_mean - x_mean @ w)


# %% ridge-dual right="ridge-from-a-prior"
# Solves in the n by n form always: with a tau of 1e5 sigma sigma^2 / tau^2 is below the rounding
# of x x^T, and the exercise no longer asks for that; else the weights are right.
def ridge_map(x, y, sigma, tau):
    xc, yc = x - x.mean(axis=0), y - y.mean()
    kernel = xc @ xc.T + (sigma / tau) ** 2 * np.eye(len(y))
    w = xc.T @ np.linalg.solve(kernel, yc)
    return w, float(y.mean() - x.mean(axis=0) @ w)


# %% ridge-loose-solver wrong="ridge-from-a-prior"
# An iterative solver of scikit-learn with its tolerance of 1e-4: exact for two features, but
# for thirty of different sizes (spreads of 0.01 and of 500) it stops too early.
def ridge_map(x, y, sigma, tau):
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=(sigma / tau) ** 2, solver="lsqr").fit(x, y)
    return model.coef_, float(model.intercept_)


# %% decay-by-case right="weight-decay-from-a-prior"
# The factor of each loss, written out.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "mean nll":
        return 1 / (n * tau**2)
    per_example = 2 * (sigma / tau) ** 2 / n
    return per_example * m if loss == "sum squared" else per_example


# %% decay-in-logarithms right="weight-decay-from-a-prior"
# The average gradient is a multiple of the one that the MAP needs; logs of both factors.
def weight_decay(loss, sigma, tau, n, m):
    log_multiple = {
        "mean squared": math.log(2) - math.log(n),
        "sum squared": math.log(2) + math.log(m) - math.log(n),
        "mean nll": -math.log(n) - 2 * math.log(sigma),
    }[loss]
    return math.exp(log_multiple + 2 * math.log(sigma) - 2 * math.log(tau))


# %% decay-rounded wrong="weight-decay-from-a-prior"
# Rounds to twelve places: for sigma 1, tau a million and n 100 it says 0 and not 2e-14.
def weight_decay(loss, sigma, tau, n, m):
    factor = {"mean squared": 2 * sigma**2, "sum squared": 2 * m * sigma**2, "mean nll": 1.0}[loss]
    return round(factor / (n * tau**2), 12)


# %% decay-guarded wrong="weight-decay-from-a-prior"
# Adds 1e-12 to the prior's variance against a division by zero: wrong for a tau of 1e-7.
def weight_decay(loss, sigma, tau, n, m):
    factor = {"mean squared": 2 * sigma**2, "sum squared": 2 * m * sigma**2, "mean nll": 1.0}[loss]
    return factor / (n * (tau**2 + 1e-12))


# %% decay-fractions wrong="weight-decay-from-a-prior"
# Exact fractions cannot hold an infinite tau: an OverflowError in place of 0.
def weight_decay(loss, sigma, tau, n, m):
    from fractions import Fraction

    ratio = (Fraction(sigma) / Fraction(tau)) ** 2
    factor = {"mean squared": 2, "sum squared": 2 * m, "mean nll": 1 / Fraction(sigma) ** 2}[loss]
    return float(factor * ratio / n)


# %% decay-single-precision wrong="weight-decay-from-a-prior"
# float32 tensors: sigma 1e-9, tau 1e9 and n a million give 2e-42, which has no five digits there.
def weight_decay(loss, sigma, tau, n, m):
    sigma = torch.tensor(float(sigma), dtype=torch.float32)
    tau = torch.tensor(float(tau), dtype=torch.float32)
    if loss == "mean nll":
        return float(1 / tau**2 / n)
    decay = 2 * (sigma / tau) ** 2 / n
    return float(decay * m if loss == "sum squared" else decay)


# %% proximal-sign right="proximal-step"
# A gradient step, then soft thresholding by sign and size.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b, dtype=float), 0.0)


# %% proximal-one-by-one right="proximal-step"
# Each weight by itself: which of the three cases holds its minimum?
def proximal_step(w, gradient, step, b):
    scales = np.broadcast_to(np.asarray(b, dtype=float), w.shape)
    new = np.zeros(w.shape)
    for j in range(len(w)):
        moved = w[j] - step * gradient[j]
        pull = step / scales[j]
        if moved > pull:
            new[j] = moved - pull
        elif moved < -pull:
            new[j] = moved + pull
    return new


# %% proximal-ratio wrong="proximal-step"
# Shrinks by the factor 1 - pull / size: 0 / 0 is nan for a weight that lands on zero exactly
# under a flat prior (w 0, gradient 0, b infinite).
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    with np.errstate(all="ignore"):
        factor = 1 - step / np.asarray(b, dtype=float) / np.abs(moved)
        return moved * np.maximum(factor, 0.0)


# %% proximal-close-to-zero wrong="proximal-step"
# Calls everything within 1e-8 zero: a weight of 3e-9 with gradient 0 and b infinite must stay.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    pull = step / np.asarray(b, dtype=float)
    new = np.sign(moved) * np.maximum(np.abs(moved) - pull, 0.0)
    new[np.isclose(new, 0.0)] = 0.0
    return new


# %% proximal-never-crosses wrong="proximal-step"
# Pulls against the sign of the old weight and stops at zero: wrong where the gradient step
# itself crosses zero (w 0.1, gradient 5, step 0.1, b 2: it says 0 and not -0.35).
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    sign = np.where(w != 0, np.sign(w), np.sign(moved))
    new = moved - step / np.asarray(b, dtype=float) * sign
    return np.where(new * sign > 0, new, 0.0)


# %% proximal-softshrink wrong="proximal-step"
# float32 on its way: a weight of 1e-60 with gradient 0 and b infinite becomes 0, and
# one of 900.00001 loses its last digits.
def proximal_step(w, gradient, step, b):
    moved = torch.tensor(w - step * gradient, dtype=torch.float32)
    pulls = np.broadcast_to(step / np.asarray(b, dtype=float), w.shape)
    shrink = torch.nn.functional.softshrink
    return np.array([float(shrink(v, float(t))) for v, t in zip(moved, pulls, strict=True)])


# %% posterior-whitened right="gaussian-posterior"
# Weights in units of the prior: identity plus the data's precision, by Cholesky.
def posterior(x, y, sigma, mean, cov):
    import scipy.linalg

    root = np.linalg.cholesky(cov)
    a = x @ root / sigma
    lower = np.linalg.cholesky(np.eye(len(mean)) + a.T @ a)
    half = scipy.linalg.solve_triangular(lower, root.T, lower=True)
    pull = scipy.linalg.solve_triangular(lower, a.T @ ((y - x @ mean) / sigma), lower=True)
    return mean + half.T @ pull, half.T @ half


# %% posterior-stacked-qr right="gaussian-posterior"
# The prior as k more rows of whitened data, and a QR factorisation of all rows.
def posterior(x, y, sigma, mean, cov):
    import scipy.linalg

    k = len(mean)
    root = np.linalg.cholesky(cov)
    rows = np.vstack([x @ root / sigma, np.eye(k)])
    target = np.concatenate([(y - x @ mean) / sigma, np.zeros(k)])
    q, r = np.linalg.qr(rows)
    spread = scipy.linalg.solve_triangular(r, root.T, trans="T").T
    return mean + spread @ (q.T @ target), spread @ spread.T


# %% posterior-jitter wrong="gaussian-posterior"
# Adds 1e-9 to the diagonal of the prior's covariance: wrong where its eigenvalues are 1e-10.
def posterior(x, y, sigma, mean, cov):
    root = np.linalg.cholesky(cov + 1e-9 * np.eye(len(mean)))
    a = x @ root / sigma
    inner = np.linalg.inv(np.eye(len(mean)) + a.T @ a)
    new = root @ inner @ root.T
    return mean + root @ (inner @ (a.T @ ((y - x @ mean) / sigma))), (new + new.T) / 2


# %% posterior-empty-mean wrong="gaussian-posterior"
# Without data it returns the prior's covariance but a mean of zeros, not the prior's mean.
def posterior(x, y, sigma, mean, cov):
    if len(y) == 0:
        return np.zeros(x.shape[1]), cov.copy()
    root = np.linalg.cholesky(cov)
    a = x @ root / sigma
    inner = np.linalg.inv(np.eye(len(mean)) + a.T @ a)
    new = root @ inner @ root.T
    return mean + root @ (inner @ (a.T @ ((y - x @ mean) / sigma))), (new + new.T) / 2


# %% posterior-single-precision wrong="gaussian-posterior"
# Works in float32: no digit is left where the data are ten million times as precise as the prior.
def posterior(x, y, sigma, mean, cov):
    x, y, mean, cov = (torch.tensor(v, dtype=torch.float32) for v in (x, y, mean, cov))
    prior = torch.linalg.inv(cov)
    new = torch.linalg.inv(prior + x.T @ x / sigma**2)
    return (new @ (prior @ mean + x.T @ y / sigma**2)).double().numpy(), new.double().numpy()


# %% posterior-least-noise wrong="gaussian-posterior"
# Keeps the noise variance above 1e-6: wrong for a sigma of 1e-4.
def posterior(x, y, sigma, mean, cov):
    sigma = math.sqrt(max(sigma**2, 1e-6))
    root = np.linalg.cholesky(cov)
    a = x @ root / sigma
    inner = np.linalg.inv(np.eye(len(mean)) + a.T @ a)
    new = root @ inner @ root.T
    return mean + root @ (inner @ (a.T @ ((y - x @ mean) / sigma))), (new + new.T) / 2


# %% total-vectorised right="band-for-a-total"
# One row of summed inputs for each plan, its quadratic form, and the upper tail's quantile.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    total = counts @ x
    variance = np.einsum("pk,kl,pl->p", total, cov, total)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    reach = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return total @ mean - reach, total @ mean + reach


# %% total-plan-by-plan right="band-for-a-total"
# A loop over the plans with the Cholesky factor of the covariance and the inverse of erf.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.special import erfinv

    root = np.linalg.cholesky(cov)
    z = math.sqrt(2) * float(erfinv(level))
    low, high = [], []
    for plan in counts:
        total = plan @ x
        sd = np.linalg.norm(root.T @ total)
        if contains == "y":
            sd = math.hypot(sd, sigma * math.sqrt(plan.sum()))
        low.append(total @ mean - z * sd)
        high.append(total @ mean + z * sd)
    return np.array(low), np.array(high)


# %% total-single-quantile wrong="band-for-a-total"
# The quantile in float32: a level of 1 - 1e-9 rounds to 1, and the band is infinite.
def total_band(x, counts, mean, cov, sigma, level, contains):
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float32)).item()
    total = counts @ x
    variance = np.einsum("pk,kl,pl->p", total, cov, total)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    return total @ mean - z * np.sqrt(variance), total @ mean + z * np.sqrt(variance)


# %% total-least-variance wrong="band-for-a-total"
# Keeps the variance above 1e-8: the band for f is too wide if the covariance is near 1e-10.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    total = counts @ x
    variance = np.maximum(((total @ cov) * total).sum(axis=1), 1e-8)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    reach = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return total @ mean - reach, total @ mean + reach


# %% total-squeezed wrong="band-for-a-total"
# The squeeze drops an axis if there is one plan, or one weight: an error for p = 1.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    total = np.squeeze(counts @ x)
    variance = np.einsum("pk,kl,pl->p", total, cov, total)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    reach = norm.isf((1 - level) / 2) * np.sqrt(variance)
    return total @ mean - reach, total @ mean + reach


# %% total-level-as-alpha wrong="band-for-a-total"
# Reads a level below a half as the probability outside: a level of 0.2 gives the band of 0.8.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.stats import norm

    alpha = min(level, 1 - level)
    total = counts @ x
    variance = np.einsum("pk,kl,pl->p", total, cov, total)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    reach = norm.isf(alpha / 2) * np.sqrt(variance)
    return total @ mean - reach, total @ mean + reach


# %% mode-exponents right="mode-of-what"
# Each quantity multiplies the density of the rate by a power of the rate.
def rate_map(counts, a, b, quantity):
    power = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]
    return max(a + power + float(counts.sum()), 0.0) / (b + len(counts))


# %% mode-by-root-finding right="mode-of-what"
# The derivative of the log density with respect to the log rate, and its root by Brent.
def rate_map(counts, a, b, quantity):
    from scipy.optimize import brentq

    shape, rate = a + math.fsum(counts), b + len(counts)
    jacobian = {"rate": 0.0, "root": 0.5, "log": 1.0, "interval": 2.0}[quantity]
    slope_at_zero = (shape - 1) + jacobian
    if slope_at_zero <= 0:
        return 0.0

    def slope(u):
        return slope_at_zero - rate * math.exp(u)

    return math.exp(brentq(slope, -40, 40, xtol=1e-13, maxiter=1000))


# %% mode-root-unclipped wrong="mode-of-what"
# Only the rate is kept from falling below 0: for the root, no counts and a = 1/4 it is negative.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    if quantity == "rate":
        return float(max(shape - 1, 0) / rate)
    if quantity == "root":
        return float((shape - 0.5) / rate)
    if quantity == "log":
        return float(shape / rate)
    return float((shape + 1) / rate)


# %% mode-zero-for-all wrong="mode-of-what"
# Returns 0 for every quantity if the shape is at most 1: wrong for root (a = 3/4, no counts),
# log and interval.
def rate_map(counts, a, b, quantity):
    shape, rate = a + counts.sum(), b + len(counts)
    if shape <= 1:
        return 0.0
    return float((shape + {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]) / rate)


# %% mode-nothing-seen wrong="mode-of-what"
# If no bus came (or n is 0) it says 0, whatever the prior: wrong for a = 3 and no counts.
def rate_map(counts, a, b, quantity):
    if counts.sum() == 0 and quantity in ("rate", "root"):
        return 0.0
    shape = a + counts.sum() + {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]
    return float(max(shape, 0) / (b + len(counts)))


# %% mode-rounded wrong="mode-of-what"
# Rounds to eight places: with b = 1e10 a rate of 2e-10 becomes 0, and 1.23456e-7 has two digits.
def rate_map(counts, a, b, quantity):
    shape = a + counts.sum() + {"rate": -1, "root": -0.5, "log": 0, "interval": 1}[quantity]
    return round(float(max(shape, 0) / (b + len(counts))), 8)


# %% evidence-full-svd right="choose-a-prior"
# All n axes of a full SVD: y is independent along them, with a variance for each.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    stretch = np.zeros(n)
    stretch[: len(s)] = s
    along = u.T @ y
    scale = np.hypot(sigma, taus[:, None] * stretch)
    terms = 0.5 * (along / scale) ** 2 + np.log(scale) + 0.5 * math.log(2 * math.pi)
    evidence = -terms.sum(axis=1)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-stacked-qr right="choose-a-prior"
# Determinant and quadratic form from one least-squares problem with the prior as k more rows.
def choose_prior(x, y, sigma, taus):
    import scipy.linalg

    n, k = x.shape
    target = np.concatenate([y / sigma, np.zeros(k)])
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        rows = np.vstack([x * (tau / sigma), np.eye(k)])
        q, r = np.linalg.qr(rows)
        rest = target - rows @ scipy.linalg.solve_triangular(r, q.T @ target)
        log_det = 2 * n * math.log(sigma) + 2 * np.log(np.abs(np.diag(r))).sum()
        evidence[i] = -0.5 * (rest @ rest + log_det + n * math.log(2 * math.pi))
    return evidence, float(taus[evidence.argmax()])


# %% evidence-more-weights-than-data wrong="choose-a-prior"
# Counts n - k directions of pure noise, a negative number if there are more weights than data.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    along = u.T @ y
    rest = ((y - u @ along) ** 2).sum() / sigma**2
    variance = sigma**2 + taus[:, None] ** 2 * s**2
    log_det = np.log(variance).sum(axis=1) + (n - k) * math.log(sigma**2)
    quadratic = (along**2 / variance).sum(axis=1) + rest
    evidence = -0.5 * (quadratic + log_det + n * math.log(2 * math.pi))
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-squeezed wrong="choose-a-prior"
# The squeeze makes the evidence of a single tau a 0-d array, not one of shape (1,).
def choose_prior(x, y, sigma, taus):
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    stretch = np.concatenate([s, np.zeros(len(y) - len(s))])
    variance = sigma**2 + np.outer(taus**2, stretch**2)
    terms = (u.T @ y) ** 2 / variance + np.log(2 * math.pi * variance)
    evidence = -0.5 * (terms @ np.ones((len(y), 1))).squeeze()
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-clipped wrong="choose-a-prior"
# Clips the eigenvalues of the covariance at 1e-5: wrong for a sigma of 0.002, whose square
# is 4e-6.
def choose_prior(x, y, sigma, taus):
    values = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        size, axes = np.linalg.eigh(cov)
        size = np.clip(size, 1e-5, None)
        values.append(-0.5 * ((axes.T @ y) ** 2 / size + np.log(2 * math.pi * size)).sum())
    return np.array(values), float(taus[np.argmax(values)])


# %% evidence-small-determinant wrong="choose-a-prior"
# Takes the plain determinant of the k by k matrix: it overflows for forty features whose
# variance is a billion times that of the noise.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    values = []
    for tau in taus:
        cov = sigma**2 * np.eye(n) + tau**2 * x @ x.T
        small = np.linalg.det(np.eye(k) + (tau / sigma) ** 2 * x.T @ x)
        log_det = n * math.log(sigma**2) + np.log(small)
        quadratic = y @ np.linalg.solve(cov, y)
        values.append(-0.5 * (quadratic + log_det + n * math.log(2 * math.pi)))
    return np.array(values), float(taus[np.argmax(values)])
