# %% [markdown]
# Answers written from the text alone.


# %% ridge-by-svd right="ridge-from-a-prior"
# Centres both (first on the first row, so that nothing cancels) and shrinks along the SVD.
def ridge_map(x, y, sigma, tau):
    from_first, y_from_first = x - x[0], y - y[0]
    x_shift, y_shift = from_first.mean(axis=0), y_from_first.mean()
    xc, yc = from_first - x_shift, y_from_first - y_shift
    u, s, vt = np.linalg.svd(xc, full_matrices=False)
    w = vt.T @ (s / (s**2 + (sigma / tau) ** 2) * (u.T @ yc))
    c = (y[0] + y_shift) - (x[0] + x_shift) @ w
    return w, float(c)


# %% ridge-by-extra-rows right="ridge-from-a-prior"
# Least squares with one made-up row for each prior; normal equations where the prior dominates.
def ridge_map(x, y, sigma, tau):
    k = x.shape[1]
    ratio = sigma / tau
    x0, y0 = x.mean(axis=0), y.mean()
    xc, yc = x - x0, y - y0
    x1, y1 = xc.mean(axis=0), yc.mean()
    xc, yc = xc - x1, yc - y1
    if np.linalg.norm(xc) <= ratio:
        w = np.linalg.solve(xc.T @ xc + ratio**2 * np.eye(k), xc.T @ yc)
    else:
        rows = np.vstack([xc, ratio * np.eye(k)])
        q, r = np.linalg.qr(rows)
        w = np.linalg.solve(r, q.T @ np.concatenate([yc, np.zeros(k)]))
    return w, float((y0 + y1) - (x0 + x1) @ w)


# %% ridge-moments-cancel wrong="ridge-from-a-prior"
# Centres the sums of products afterwards (X'X - n m m'): cancels if a mean is a million spreads.
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    mx, my = x.mean(axis=0), y.mean()
    gram = x.T @ x - n * np.outer(mx, mx)
    moment = x.T @ y - n * mx * my
    w = np.linalg.solve(gram + (sigma / tau) ** 2 * np.eye(k), moment)
    return w, float(my - mx @ w)


# %% ridge-fortran-changes-x wrong="ridge-from-a-prior"
# Centres in place after asfortranarray, which is no copy if x is in Fortran order or has k = 1:
# then x is changed.
def ridge_map(x, y, sigma, tau):
    mx, my = x.mean(axis=0), y.mean()
    xc = np.asfortranarray(x)
    xc -= mx
    yc = y - my
    u, s, vt = np.linalg.svd(xc, full_matrices=False)
    w = vt.T @ (s / (s**2 + (sigma / tau) ** 2) * (u.T @ yc))
    return w, float(my - mx @ w)


# %% ridge-jitter wrong="ridge-from-a-prior"
# Adds 1e-8 to the diagonal "for stability": too much for a spread of 1e-4, sigma 1e-5, tau 1.
def ridge_map(x, y, sigma, tau):
    mx, my = x.mean(axis=0), y.mean()
    u, s, vt = np.linalg.svd(x - mx, full_matrices=False)
    w = vt.T @ (s / (s**2 + (sigma / tau) ** 2 + 1e-8) * (u.T @ (y - my)))
    return w, float(my - mx @ w)


# %% ridge-drops-twins wrong="ridge-from-a-prior"
# Leaves out copies of a feature and gives them weight 0: wrong if two features are equal.
def ridge_map(x, y, sigma, tau):
    mx, my = x.mean(axis=0), y.mean()
    keep = np.sort(np.unique(x, axis=1, return_index=True)[1])
    u, s, vt = np.linalg.svd((x - mx)[:, keep], full_matrices=False)
    w = np.zeros(x.shape[1])
    w[keep] = vt.T @ (s / (s**2 + (sigma / tau) ** 2) * (u.T @ (y - my)))
    return w, float(my - mx @ w)


# %% decay-by-table right="weight-decay-from-a-prior"
# One closed formula for each loss.
def weight_decay(loss, sigma, tau, n, m):
    ratio = (sigma / tau) ** 2
    return {
        "mean squared": 2 * ratio / n,
        "sum squared": 2 * ratio * m / n,
        "mean nll": 1 / (n * tau**2),
    }[loss]


# %% decay-by-scale right="weight-decay-from-a-prior"
# Compares the factor of each squared residual in the average loss with that in the posterior.
def weight_decay(loss, sigma, tau, n, m):
    chance = m / n  # that an example is in the batch
    if loss == "sum squared":
        factor = chance
    elif loss == "mean squared":
        factor = chance / m
    else:
        factor = chance / m / (2 * sigma**2)
    in_posterior = 1 / (2 * sigma**2)
    return factor / in_posterior * tau**-2.0


# %% decay-whole-batches wrong="weight-decay-from-a-prior"
# Counts the batches of an epoch with n // m: wrong for "sum squared" if m does not divide n.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "mean squared":
        return 2 * sigma**2 / (n * tau**2)
    if loss == "sum squared":
        return 2 * sigma**2 / tau**2 / (n // m)
    return 1 / (n * tau**2)


# %% decay-tiny-denominator wrong="weight-decay-from-a-prior"
# Adds 1e-12 to tau squared against division by zero: wrong for tau of a millionth or less.
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / (tau**2 + 1e-12)
    if loss == "mean nll":
        return precision / n
    share = m if loss == "sum squared" else 1
    return 2 * sigma**2 * precision * share / n


# %% decay-float32 wrong="weight-decay-from-a-prior"
# Counts in float32: sigma 1e-9, tau 1e9, n a million gives 2e-42, of which few digits are left.
def weight_decay(loss, sigma, tau, n, m):
    sigma, tau = torch.tensor(float(sigma)), torch.tensor(float(tau))
    if loss == "mean nll":
        return (1 / tau**2 / n).item()
    share = m if loss == "sum squared" else 1
    return (2 * (sigma / tau) ** 2 * share / n).item()


# %% decay-no-flat-prior wrong="weight-decay-from-a-prior"
# Divides by the strength of the prior: ZeroDivisionError for tau = inf.
def weight_decay(loss, sigma, tau, n, m):
    strength = (1 / tau) ** 2
    examples_per_prior = n / strength
    if loss == "mean nll":
        return 1 / examples_per_prior
    share = m if loss == "sum squared" else 1
    return 2 * sigma**2 * share / examples_per_prior


# %% prox-soft-threshold right="proximal-step"
# A gradient step, then every weight moves step / b towards zero and stops there.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b, float), 0.0)


# %% prox-cases-one-by-one right="proximal-step"
# Loops over the weights and looks on which side of the kink the minimum lies.
def proximal_step(w, gradient, step, b):
    scales = np.broadcast_to(np.asarray(b, dtype=float), w.shape)
    new = np.zeros(w.shape)
    for j in range(len(w)):
        moved = float(w[j]) - step * float(gradient[j])
        threshold = step / float(scales[j])
        if moved > threshold:
            new[j] = moved - threshold
        elif moved < -threshold:
            new[j] = moved + threshold
    return new


# %% prox-tidies-small wrong="proximal-step"
# Sets to zero whatever is below 1e-12 in size: wrong for a tiny weight with a flat prior.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    new = np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b, float), 0.0)
    new[np.abs(new) < 1e-12] = 0.0
    return new


# %% prox-shrinking-factor wrong="proximal-step"
# Uses the factor 1 - threshold / |z|: 0 / 0 is nan for w = 0, gradient = 0 and b = inf.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    with np.errstate(all="ignore"):
        factor = 1 - step / np.asarray(b, float) / np.abs(moved)
    return moved * np.maximum(factor, 0.0)


# %% prox-never-crosses wrong="proximal-step"
# Stops at zero whenever a weight changes its sign: wrong if the gradient carries it well beyond,
# such as w = 0.1, gradient = 10, step = 0.1, b = 2.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    new = np.sign(moved) * np.maximum(np.abs(moved) - step / np.asarray(b, float), 0.0)
    return np.where(np.sign(moved) * np.sign(w) < 0, 0.0, new)


# %% prox-large-for-inf wrong="proximal-step"
# Takes b = 1e6 for b = inf: with a step of 1000 each flat weight loses 0.001, a small one all.
def proximal_step(w, gradient, step, b):
    scales = np.nan_to_num(np.asarray(b, float), posinf=1e6)
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / scales, 0.0)


# %% posterior-white-svd right="gaussian-posterior"
# Whitens the weights with a Cholesky factor of the prior; the SVD then has one term a direction.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    root = np.linalg.cholesky(cov)
    u, s, vt = np.linalg.svd(x @ root / sigma, full_matrices=True)
    r = len(s)
    spread = np.ones(k)
    spread[:r] = 1 / (1 + s**2)
    along = s / (1 + s**2) * (u[:, :r].T @ ((y - x @ mean) / sigma))
    axes = root @ vt.T
    return mean + axes[:, :r] @ along, (axes * spread) @ axes.T


# %% posterior-white-qr right="gaussian-posterior"
# Least squares for whitened weights, the prior as k more rows; covariance from the R of QR.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(values)
    q, r = np.linalg.qr(np.vstack([x @ root / sigma, np.eye(k)]))
    target = np.concatenate([(y - x @ mean) / sigma, np.zeros(k)])
    half = root @ np.linalg.inv(r)
    return mean + half @ (q.T @ target), half @ half.T


# %% posterior-jitter wrong="gaussian-posterior"
# Adds 1e-9 to the diagonal of the prior covariance, whose eigenvalues may be as small as 1e-10.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    root = np.linalg.cholesky(cov + 1e-9 * np.eye(k))
    white = x @ root / sigma
    inner = np.linalg.inv(np.eye(k) + white.T @ white)
    new = root @ inner @ root.T
    return mean + root @ inner @ white.T @ ((y - x @ mean) / sigma), new


# %% posterior-no-data-zero-mean wrong="gaussian-posterior"
# Without data the mean is returned as zeros, not as the prior mean: wrong for n = 0.
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    if len(y) == 0:
        return np.zeros(k), cov.copy()
    root = np.linalg.cholesky(cov)
    white = x @ root / sigma
    inner = np.linalg.inv(np.eye(k) + white.T @ white)
    return mean + root @ inner @ white.T @ ((y - x @ mean) / sigma), root @ inner @ root.T


# %% posterior-pinv-cut wrong="gaussian-posterior"
# A pseudo-inverse that drops eigenvalues below 1e-8 of the largest: zero variance in a direction
# with a wide prior if another has a prior variance of 1e-5 of it and precise data.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.pinv(prior + x.T @ x / sigma**2, rcond=1e-8, hermitian=True)
    return new @ (prior @ mean + x.T @ y / sigma**2), new


# %% posterior-squeezed wrong="gaussian-posterior"
# Squeezes its results: for one weight (k = 1) the shapes are () in place of (1,) and (1, 1).
def posterior(x, y, sigma, mean, cov):
    k = len(mean)
    root = np.linalg.cholesky(cov)
    white = x @ root / sigma
    inner = np.linalg.inv(np.eye(k) + white.T @ white)
    new_mean = mean + root @ inner @ white.T @ ((y - x @ mean) / sigma)
    return np.squeeze(new_mean), np.squeeze(root @ inner @ root.T)


# %% band-sums-of-rows right="band-for-a-total"
# The total is Normal: the rows of a plan added up go through the covariance once.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    rows = counts @ x
    variance = np.einsum("pk,kl,pl->p", rows, cov, rows)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    centre = rows @ mean
    return centre - half, centre + half


# %% band-plan-by-plan right="band-for-a-total"
# A loop over the plans with a Cholesky factor, and the quantile from the inverse of erf.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import special

    z = math.sqrt(2) * float(special.erfinv(level))
    root = np.linalg.cholesky(cov)
    low, high = np.empty(len(counts)), np.empty(len(counts))
    for i, plan in enumerate(counts):
        row = sum(count * inputs for count, inputs in zip(plan, x, strict=True))
        spread = float(np.linalg.norm(row @ root))
        if contains == "y":
            spread = math.hypot(spread, sigma * math.sqrt(plan.sum()))
        centre = float(row @ mean)
        low[i], high[i] = centre - z * spread, centre + z * spread
    return low, high


# %% band-float32-quantile wrong="band-for-a-total"
# Takes the quantile in float32: infinite for a level of 1 - 1e-9, and coarse for one of 0.001.
def total_band(x, counts, mean, cov, sigma, level, contains):
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)).item()
    rows = counts @ x
    variance = np.einsum("pk,kl,pl->p", rows, cov, rows)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = z * np.sqrt(variance)
    return rows @ mean - half, rows @ mean + half


# %% band-single-plan-squeezed wrong="band-for-a-total"
# Squeezes the rows: for a single plan (p = 1) the results have shape () in place of (1,).
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    rows = counts @ x
    variance = np.diag(rows @ cov @ rows.T)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return np.squeeze(rows @ mean - half), np.squeeze(rows @ mean + half)


# %% band-jitter wrong="band-for-a-total"
# Adds 1e-8 to the diagonal of the covariance: far too wide for eigenvalues of 1e-10, for f.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    rows = counts @ x
    root = np.linalg.cholesky(cov + 1e-8 * np.eye(len(mean)))
    variance = ((rows @ root) ** 2).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return rows @ mean - half, rows @ mean + half


# %% band-blanks-unused-inputs wrong="band-for-a-total"
# Sets the inputs that no plan asks for to zero, in x itself: changes x if there are such inputs.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    x[~counts.any(axis=0)] = 0.0
    rows = counts @ x
    variance = np.einsum("pk,kl,pl->p", rows, cov, rows)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return rows @ mean - half, rows @ mean + half


# %% mode-by-power right="mode-of-what"
# For the power q of the rate (0 for the logarithm) the density is rate^(A - q) exp(-B rate).
def rate_map(counts, a, b, quantity):
    q = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max((a - q) + float(np.sum(counts)), 0.0) / (b + len(counts))


# %% mode-by-branches right="mode-of-what"
# The maximum of each density set down by hand, in its own quantity, and turned into a rate.
def rate_map(counts, a, b, quantity):
    shape, speed = a + math.fsum(counts), b + counts.shape[0]
    if quantity == "interval":  # u^-(shape + 1) exp(-speed / u)
        return 1 / (speed / (shape + 1))
    if quantity == "log":  # exp(shape * v - speed * exp(v))
        return math.exp(math.log(shape) - math.log(speed))
    if quantity == "root":  # s^(2 shape - 1) exp(-speed s^2)
        return math.sqrt((2 * shape - 1) / (2 * speed)) ** 2 if shape > 0.5 else 0.0
    return (shape - 1) / speed if shape > 1 else 0.0


# %% mode-root-below-zero wrong="mode-of-what"
# Cuts off at zero for the rate alone: a negative rate for "root" if a < 1/2 and no bus came.
def rate_map(counts, a, b, quantity):
    shape, speed = a + float(counts.sum()), b + len(counts)
    if quantity == "rate":
        return max(shape - 1, 0.0) / speed
    return (shape + {"root": -0.5, "log": 0.0, "interval": 1.0}[quantity]) / speed


# %% mode-prior-if-no-data wrong="mode-of-what"
# Without data returns the prior mode of the rate, whatever the quantity: wrong for n = 0.
def rate_map(counts, a, b, quantity):
    if len(counts) == 0:
        return max(a - 1, 0.0) / b
    q = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max(a + float(counts.sum()) - q, 0.0) / (b + len(counts))


# %% mode-zero-for-all wrong="mode-of-what"
# Takes 0 for every quantity where the density of the rate has no bound: wrong for "root", "log"
# and "interval" with a = 0.75 and no bus.
def rate_map(counts, a, b, quantity):
    shape, speed = a + float(counts.sum()), b + len(counts)
    if shape <= 1:
        return 0.0
    return (shape - {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]) / speed


# %% mode-seven-decimals wrong="mode-of-what"
# Rounds to seven decimals in place of seven digits: 0 for b = 1e10 and a of about one.
def rate_map(counts, a, b, quantity):
    q = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return round(max(a + float(counts.sum()) - q, 0.0) / (b + len(counts)), 7)


# %% evidence-by-svd right="choose-a-prior"
# In the basis of the left singular vectors of x the covariance of y is diagonal, for every tau.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(n)
    squares[: len(s)] = s**2
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + (u.T @ y) ** 2 / variances
    evidence = -0.5 * terms.sum(axis=1)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-by-qr right="choose-a-prior"
# Ridge rows below x: the QR gives the determinant, the residual the quadratic form.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    evidence = np.empty(len(taus))
    padded = np.concatenate([y, np.zeros(k)]) / sigma
    for i, tau in enumerate(taus):
        q, r = np.linalg.qr(np.vstack([x * (tau / sigma), np.eye(k)]))
        rest = padded - q @ (q.T @ padded)
        log_det = 2 * n * math.log(sigma) + 2 * np.log(np.abs(np.diag(r))).sum()
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + rest @ rest)
    return evidence, float(taus[evidence.argmax()])


# %% evidence-pinv-cut wrong="choose-a-prior"
# A pseudo-inverse that drops eigenvalues below 1e-9 of the largest: loses the noise directions
# where the largest is between 1e9 and 4e9 times sigma squared.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    evidence = np.empty(len(taus))
    for i, tau in enumerate(taus):
        cov = tau**2 * x @ x.T + sigma**2 * np.eye(n)
        inverse = np.linalg.pinv(cov, rcond=1e-9, hermitian=True)
        log_det = np.linalg.slogdet(cov)[1]
        evidence[i] = -0.5 * (n * math.log(2 * math.pi) + log_det + y @ inverse @ y)
    return evidence, float(taus[evidence.argmax()])


# %% evidence-needs-tall-x wrong="choose-a-prior"
# Fills the singular values up with n - k zeros: ValueError if there are more features than rows.
def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.concatenate([s**2, np.zeros(n - k)])
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + (u.T @ y) ** 2 / variances
    evidence = -0.5 * terms.sum(axis=1)
    return evidence, float(taus[np.argmax(evidence)])


# %% evidence-near-tie wrong="choose-a-prior"
# Of evidences within 0.001 takes the smallest tau: wrong if a larger one leads by less,
# such as by 0.0001 at an evidence of -10.
def choose_prior(x, y, sigma, taus):
    n = len(y)
    u, s, _ = np.linalg.svd(x, full_matrices=True)
    squares = np.zeros(n)
    squares[: len(s)] = s**2
    variances = sigma**2 + taus[:, None] ** 2 * squares
    terms = np.log(2 * np.pi * variances) + (u.T @ y) ** 2 / variances
    evidence = -0.5 * terms.sum(axis=1)
    return evidence, float(taus[evidence >= evidence.max() - 1e-3].min())


# %% evidence-squeezed wrong="choose-a-prior"
# Squeezes the evidences: for a single tau (t = 1) their shape is () in place of (1,).
def choose_prior(x, y, sigma, taus):
    n = len(y)
    cov = taus[:, None, None] ** 2 * (x @ x.T) + sigma**2 * np.eye(n)
    log_det = np.linalg.slogdet(cov)[1]
    fit = np.array([y @ np.linalg.solve(c, y) for c in cov])
    evidence = np.squeeze(-0.5 * (n * math.log(2 * math.pi) + log_det + fit))
    return evidence, float(taus[np.argmax(evidence)])
