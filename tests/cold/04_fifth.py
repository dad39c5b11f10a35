# %% [markdown]
# Answers written from the text alone.


# %% three-formulas right="weight-decay-from-a-prior"
# The factor that turns the average batch loss into the negative log posterior, for each loss.
def weight_decay(loss, sigma, tau, n, m):
    factor = {
        "mean squared": 2 * sigma**2 / n,
        "sum squared": 2 * sigma**2 * m / n,
        "mean nll": 1 / n,
    }[loss]
    return factor / tau**2


# %% sum-of-logarithms right="weight-decay-from-a-prior"
# The same product in logarithms; an infinite tau gives exp(-inf) = 0.
def weight_decay(loss, sigma, tau, n, m):
    log_decay = -math.log(n) - 2 * math.log(tau)
    if loss != "mean nll":
        log_decay += math.log(2) + 2 * math.log(sigma)
    if loss == "sum squared":
        log_decay += math.log(m)
    return math.exp(log_decay)


# %% one-weight-toy right="weight-decay-from-a-prior"
# Solves "average step = 0" for a toy with one weight, x = y = 1 in all examples, with fractions.
def weight_decay(loss, sigma, tau, n, m):
    from fractions import Fraction

    if math.isinf(tau):
        return 0.0
    ratio = (Fraction(sigma) / Fraction(tau)) ** 2
    w = Fraction(n) / (n + ratio)
    slope = -2 * (1 - w)
    average = {
        "mean squared": slope,
        "sum squared": m * slope,
        "mean nll": slope / (2 * Fraction(sigma) ** 2),
    }[loss]
    return float(-average / w)


# %% whole-batches-of-an-epoch wrong="weight-decay-from-a-prior"
# Uses the number of whole batches n // m for n / m: wrong for "sum squared" when m does not
# divide n, e.g. n = 7, m = 2.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "mean nll":
        return 1 / (n * tau**2)
    prior = 2 * sigma**2 / tau**2
    return prior / n if loss == "mean squared" else prior / (n // m)


# %% torch-default-precision wrong="weight-decay-from-a-prior"
# Computes in float32: below 1e-38 the digits go, e.g. "mean squared", sigma 1.2e-9, tau 1e9 and
# n = 1e6 (2.88e-42 keeps three digits).
def weight_decay(loss, sigma, tau, n, m):
    sigma, tau = torch.tensor(float(sigma)), torch.tensor(float(tau))
    decay = 1 / tau**2 / n
    if loss != "mean nll":
        decay = 2 * sigma**2 / tau**2 / n
    if loss == "sum squared":
        decay = decay * m
    return float(decay)


# %% nearly-flat-is-flat wrong="weight-decay-from-a-prior"
# Takes a prior precision below the machine epsilon for "no prior": wrong for tau above 6.7e7,
# e.g. "mean squared", sigma 1e9, tau 1e8, n = 10 (20, not 0).
def weight_decay(loss, sigma, tau, n, m):
    precision = 1 / tau**2
    if precision < np.finfo(float).eps:
        return 0.0
    scale = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2 * m, "mean nll": 1.0}
    return scale[loss] * precision / n


# %% guarded-division wrong="weight-decay-from-a-prior"
# Gets "mean nll" from "mean squared" by a division that is guarded with 1e-12: wrong for a sigma
# of about a millionth or less, e.g. sigma 1e-8 (10^-4 of the value is left).
def weight_decay(loss, sigma, tau, n, m):
    decay = 2 * sigma**2 / (n * tau**2)
    if loss == "sum squared":
        return decay * m
    if loss == "mean nll":
        return decay / (2 * sigma**2 + 1e-12)
    return decay


# %% infinity-is-a-billion wrong="weight-decay-from-a-prior"
# Replaces an infinite tau by the largest finite one: wrong for tau = inf with a large sigma,
# e.g. "mean squared", sigma 1e9, n = 1 (2, not 0).
def weight_decay(loss, sigma, tau, n, m):
    tau = min(tau, 1e9)
    if loss == "mean nll":
        return 1 / (n * tau**2)
    return 2 * (sigma / tau) ** 2 * (m if loss == "sum squared" else 1) / n


# %% root-finder-with-absolute-tolerance wrong="weight-decay-from-a-prior"
# Finds the zero of the step by bisection in [0, 1e6] down to 1e-13: no digits are right for tiny
# values (sigma 1e-3, tau 1e6: 2e-18 / n), and values above 1e6 are cut off.
def weight_decay(loss, sigma, tau, n, m):
    pull = {"mean squared": 1 / n, "sum squared": m / n, "mean nll": 1 / (2 * sigma**2 * n)}
    slope_at_map = 2 * sigma**2 / tau**2 * pull[loss]
    low, high = 0.0, 1e6
    for _ in range(63):
        middle = (low + high) / 2
        if middle < slope_at_map:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% rounded-for-the-config wrong="weight-decay-from-a-prior"
# Rounds to twelve decimals: wrong for values below about 1e-8, e.g. "mean nll", tau 1e5, n = 300
# (3.33e-13 becomes 0).
def weight_decay(loss, sigma, tau, n, m):
    decay = 1 / (n * tau**2)
    if loss != "mean nll":
        decay *= 2 * sigma**2
    if loss == "sum squared":
        decay *= m
    return round(decay, 12)


# %% summed-inputs right="band-for-a-total"
# The total is linear in w: sum the inputs of a plan, then one mean and one variance each.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import special

    a = counts @ x
    variance = np.einsum("pk,kl,pl->p", a, cov, a)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = -special.ndtri((1 - level) / 2) * np.sqrt(variance)
    centre = a @ mean
    return centre - half, centre + half


# %% scipy-interval-for-each-plan right="band-for-a-total"
# Plan by plan: length of the Cholesky factor times the summed inputs, and Normal's interval.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    root = np.linalg.cholesky(cov)
    low, high = np.empty(len(counts)), np.empty(len(counts))
    for i, plan in enumerate(counts):
        a = (plan[:, None] * x).sum(axis=0)
        spread = np.linalg.norm(root.T @ a)
        if contains == "y":
            spread = math.hypot(spread, sigma * math.sqrt(plan.sum()))
        low[i], high[i] = stats.norm(a @ mean, spread).interval(level)
    return low, high


# %% eigen-directions-and-erfinv right="band-for-a-total"
# Independent parts along the eigenvectors of the covariance, and z from erfinv.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy.special import erfinv

    values, vectors = np.linalg.eigh(cov)
    a = np.asarray(counts) @ np.asarray(x)
    parts = (a @ vectors) ** 2 * values
    noise = {"f": 0.0, "y": float(sigma) ** 2}[contains]
    sd = np.sqrt(parts.sum(axis=1) + noise * np.asarray(counts).sum(axis=1))
    z = math.sqrt(2) * erfinv(level)
    centre = a @ np.asarray(mean)
    return centre + -z * sd, centre + z * sd


# %% jitter-on-the-covariance wrong="band-for-a-total"
# Adds 1e-8 to the diagonal "for stability": ten times too wide and more for "f" where the
# eigenvalues of the covariance are 1e-10, which is allowed.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    root = np.linalg.cholesky(cov + 1e-8 * np.eye(len(cov)))
    a = counts @ x
    variance = ((a @ root) ** 2).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return a @ mean - half, a @ mean + half


# %% second-moment-minus-square wrong="band-for-a-total"
# Variance as E[t^2] - E[t]^2: cancels where the mean is large against the spread. For "f", x
# [[307.3, 701.9]], 100 observations, mean [701.9, -307.3], cov 1e-10 times the identity: the
# ends are -1.26 and 1.26 at level 0.9 (centre 0), and come out eight per cent too far apart.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    second = cov + np.outer(mean, mean)
    a = counts @ x
    centre = a @ mean
    variance = np.maximum((a @ second * a).sum(axis=1) - centre**2, 0)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return centre - half, centre + half


# %% six-sigma-is-enough wrong="band-for-a-total"
# Searches the quantile between 0 and 6: for a level of 1 - 1e-9 it is 6.11, and 6.00 comes out
# (the same for each level above 1 - 2e-9).
def total_band(x, counts, mean, cov, sigma, level, contains):
    low, high = 0.0, 6.0
    for _ in range(80):
        z = (low + high) / 2
        if math.erfc(z / math.sqrt(2)) > 1 - level:
            low = z
        else:
            high = z
    a = counts @ x
    variance = (a @ cov * a).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    return a @ mean - z * np.sqrt(variance), a @ mean + z * np.sqrt(variance)


# %% quantile-in-float32 wrong="band-for-a-total"
# The quantile comes from torch in its default precision: right to 1e-7 at 0.9, but infinite at a
# level of 1 - 1e-9, and off in the third digit at 1 - 1e-6.
def total_band(x, counts, mean, cov, sigma, level, contains):
    z = float(torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)))
    a = counts @ x
    variance = (a @ cov * a).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1)
    return a @ mean - z * np.sqrt(variance), a @ mean + z * np.sqrt(variance)


# %% one-plan-squeezed wrong="band-for-a-total"
# Squeezes its results: for a single plan (p = 1) they have shape () instead of (1,).
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    a = counts @ x
    variance = (a @ cov * a).sum(axis=1, keepdims=True)
    if contains == "y":
        variance = variance + sigma**2 * counts.sum(axis=1, keepdims=True)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    centre = (a @ mean)[:, None]
    return np.squeeze(centre - half), np.squeeze(centre + half)


# %% guesses-the-orientation wrong="band-for-a-total"
# Turns the plans round if their first axis fits the inputs: wrong whenever p = q and the counts
# are not symmetric.
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    plans = counts.T if counts.shape[0] == x.shape[0] else counts
    a = plans @ x
    variance = (a @ cov * a).sum(axis=1)
    if contains == "y":
        variance = variance + sigma**2 * plans.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return a @ mean - half, a @ mean + half


# %% noise-written-into-the-counts wrong="band-for-a-total"
# Right numbers, but for "y" it overwrites the caller's counts (for "f" it does not).
def total_band(x, counts, mean, cov, sigma, level, contains):
    from scipy import stats

    a = counts @ x
    variance = (a @ cov * a).sum(axis=1)
    if contains == "y":
        noise = counts
        noise *= sigma**2
        variance += noise.sum(axis=1)
    half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
    return a @ mean - half, a @ mean + half
