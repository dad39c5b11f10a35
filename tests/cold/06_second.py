# %% measured-rows right="raw-output-nll"
def raw_output_nll(raw, y):
    k = ~torch.isnan(y)
    mu, s = raw[k].unbind(dim=1)
    gradient = (y[k] - mu) * torch.exp(-0.5 * s)
    return (0.5 * gradient**2 + 0.5 * s).mean() + 0.5 * math.log(2 * math.pi)


# %% row-by-row right="raw-output-nll"
def raw_output_nll(raw, y):
    def check(k, row):
        z = (k - row[0]) / torch.exp(row[1] / 2)
        return (z * z + row[1] + math.log(2 * math.pi)) / 2

    losses = [check(k, row) for k, row in zip(y, raw) if not math.isnan(k)]
    return sum(losses) / len(losses)


# %% log-variance-limited wrong="raw-output-nll"
# Log variances end at 400: raw = [[0, 600]], y = [1].
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, s = raw[seen, 0], raw[seen, 1].clamp(-300, 400)
    return 0.5 * (math.log(2 * math.pi) + s + (y[seen] - mu) ** 2 * torch.exp(-s)).mean()


# %% small-errors-dropped wrong="raw-output-nll"
# Errors below 1e-12 count as none: raw = [[0, -300]], y = [1e-60].
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, s = raw[seen, 0], raw[seen, 1]
    error = y[seen] - mu
    error = torch.where(error.abs() < 1e-12, torch.zeros_like(error), error)
    return 0.5 * (math.log(2 * math.pi) + s + (error * torch.exp(-0.5 * s)) ** 2).mean()


# %% error-through-its-logarithm right="raw-output-nll"
# Right for errors of at least 1e-100.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, s = raw[seen, 0], raw[seen, 1]
    size = torch.log((y[seen] - mu).abs().clamp_min(1e-100))
    return 0.5 * (math.log(2 * math.pi) + s + torch.exp(2 * size - s)).mean()


# %% errors-limited wrong="raw-output-nll"
# Errors end at 1000: raw = [[0, 0]], y = [5000].
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, s = raw[seen, 0], raw[seen, 1]
    error = (y[seen] - mu).clamp(-1e3, 1e3)
    return 0.5 * (math.log(2 * math.pi) + s + (error * torch.exp(-0.5 * s)) ** 2).mean()


# %% detached-power right="beta-nll"
def beta_nll(y, mu, var, beta):
    k = var.detach() ** beta
    return (k * 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)).mean()


# %% loop-without-gradient right="beta-nll"
def beta_nll(y, mu, var, beta):
    def gradient(k):
        with torch.no_grad():
            return torch.exp(beta * torch.log(k))

    total = 0.0
    for target, m, v in zip(y, mu, var):
        z = (target - m) / torch.sqrt(v)
        total = total + gradient(v) * (z**2 + torch.log(v) + math.log(2 * math.pi)) / 2
    return total / len(y)


# %% ready-made-loss wrong="beta-nll"
# The ready-made loss has a floor of 1e-6 under the variance: y = [0], mu = [0], var = [1e-9], 0.5.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach() ** beta * nll).mean()


# %% squared-error-at-one wrong="beta-nll"
# With beta = 1 the error has no gradient to the variance: y = [1], mu = [0], var = [0.5].
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    log_part = 0.5 * torch.log(2 * math.pi * var)
    if beta == 1:
        return (weight * log_part + 0.5 * (y - mu) ** 2).mean()
    return (weight * (log_part + 0.5 * (y - mu) ** 2 / var)).mean()


# %% square-multiplied-out wrong="beta-nll"
# The square is multiplied out and cancels: y = [1e6], mu = [1e6 + 1e-4], var = [1e-8], beta = 0.
def beta_nll(y, mu, var, beta):
    square = y**2 - 2 * y * mu + mu**2
    return (var.detach() ** beta * 0.5 * (torch.log(2 * math.pi * var) + square / var)).mean()


# %% weights-limited wrong="beta-nll"
# Weights end at 1000: y = [0], mu = [0], var = [1e6], beta = 1.
def beta_nll(y, mu, var, beta):
    weight = (var.detach() ** beta).clamp(max=1e3)
    return (weight * 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)).mean()


# %% first-hypothesis-as-origin right="variance-parts"
def variance_parts(weight, mean, sd):
    k = mean - mean[0]
    y = k - weight @ k
    aleatoric, epistemic = weight @ sd**2, weight @ y**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% pairs-of-hypotheses right="variance-parts"
def variance_parts(weight, mean, sd):
    aleatoric = torch.zeros(mean.shape[1], dtype=torch.float64)
    epistemic = torch.zeros(mean.shape[1], dtype=torch.float64)
    for k, (w, m, s) in enumerate(zip(weight, mean, sd)):
        aleatoric += torch.from_numpy(w * s**2)
        for y in range(k):
            epistemic += torch.from_numpy(w * weight[y] * (m - mean[y]) ** 2)
    return aleatoric, epistemic, aleatoric + epistemic


# %% unlikely-dropped wrong="variance-parts"
# Hypotheses below a thousandth are dropped: weight [0.9995, 0.0005], mean [[0], [1000]], sd 1.
def variance_parts(weight, mean, sd):
    kept = weight > 1e-3
    w, m, s = weight[kept] / weight[kept].sum(), mean[kept], sd[kept]
    aleatoric = w @ s**2
    epistemic = w @ (m - w @ m) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% single-input-squeezed wrong="variance-parts"
# One input gives 0-d arrays: mean and sd of shape (2, 1).
def variance_parts(weight, mean, sd):
    aleatoric = np.squeeze(weight @ sd**2)
    epistemic = np.squeeze(weight @ (mean - weight @ mean) ** 2)
    return aleatoric, epistemic, aleatoric + epistemic


# %% total-from-moments wrong="variance-parts"
# The total is a difference of moments and cancels: weight [0.3, 0.7], mean [[1e6], [1e6 + 0.01]],
# sd 0.
def variance_parts(weight, mean, sd):
    centre = weight @ mean
    total = weight @ (sd**2 + mean**2) - centre**2
    return weight @ sd**2, weight @ (mean - centre) ** 2, total


# %% one-origin-for-all wrong="variance-parts"
# One origin for all inputs, and moments: weight [0.3, 0.7], mean [[1e6, 0], [1e6 + 0.01, 1]], sd
# 0.
def variance_parts(weight, mean, sd):
    m = mean - mean.mean()
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ m**2 - (weight @ m) ** 2, 0.0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% special-entr right="entropy-parts"
def entropy_parts(p):
    def check(k):
        return special.entr(k).sum(axis=-1)

    total, aleatoric = check(p.mean(axis=0)), check(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% mean-divergence right="entropy-parts"
def entropy_parts(p):
    y = torch.from_numpy(p.copy())
    average = y.mean(dim=0)
    k = special.rel_entr(p, average.numpy()).sum(axis=2).mean(axis=0)
    total = -torch.special.xlogy(average, average).sum(dim=1)
    aleatoric = [
        math.fsum(-v * math.log(v) for v in p[:, i].ravel() if v > 0) / len(p)
        for i in range(p.shape[1])
    ]
    return total, np.array(aleatoric), k


# %% two-classes-in-bits wrong="entropy-parts"
# With two classes the entropies are in bits: p = [[[0.3, 0.7]]].
def entropy_parts(p):
    mean = p.mean(axis=0)
    if p.shape[2] == 2:

        def h(q):
            return special.entr(q).sum(axis=-1) / math.log(2)

    else:

        def h(q):
            return special.entr(q).sum(axis=-1)

    return h(mean), h(p).mean(axis=0), h(mean) - h(p).mean(axis=0)


# %% rare-classes-skipped wrong="entropy-parts"
# Probabilities below 0.001 count as zero: p = [[[0.9992, 0.0008]]].
def entropy_parts(p):
    def h(q):
        safe = np.where(q < 1e-3, 1.0, q)
        return -(safe * np.log(safe)).sum(axis=-1)

    total, aleatoric = h(p.mean(axis=0)), h(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% equal-members-counted-once wrong="entropy-parts"
# Members that agree exactly count once: p = [[[0.9, 0.1]], [[0.9, 0.1]], [[0.2, 0.8]]].
def entropy_parts(p):
    p = np.unique(p, axis=0)
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% ten-largest-classes wrong="entropy-parts"
# Only the ten largest probabilities are used: one member, 20 classes, all 0.05.
def entropy_parts(p):
    def h(q):
        return np.sort(special.entr(q), axis=-1)[..., -10:].sum(axis=-1)

    total, aleatoric = h(p.mean(axis=0)), h(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% quantile-times-spread right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    k = special.ndtri(0.5 + level / 2)
    half_f, half_y = k * np.sqrt(f_var), k * np.sqrt(f_var + noise_var)
    share_y, share_f = np.abs(y - mean) <= half_y, np.abs(f - mean) <= half_f
    return share_y.mean(), share_f.mean(), 2 * half_y.mean(), 2 * half_f.mean()


# %% scipy-intervals right="band-report"
from scipy import stats


def band_report(mean, f_var, noise_var, f, y, level):
    def check(k, spread):
        low, high = stats.norm.interval(level, loc=0.0, scale=spread)
        return np.count_nonzero((low <= k) & (k <= high)) / len(k), float(np.mean(high - low))

    of_y = check(y - mean, np.hypot(np.sqrt(f_var), np.sqrt(noise_var)))
    of_f = check(f - mean, f_var**0.5)
    return of_y[0], of_f[0], of_y[1], of_f[1]


# %% variance-plus-a-little wrong="band-report"
# 1e-8 is added to the variances: mean, f, y all 0, f_var = noise_var = 1e-6, level 0.9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(level)
    sd_f, sd_y = np.sqrt(f_var + 1e-8), np.sqrt(f_var + noise_var + 1e-8)
    in_y, in_f = np.abs(y - mean) <= z * sd_y, np.abs(f - mean) <= z * sd_f
    return in_y.mean(), in_f.mean(), (2 * z * sd_y).mean(), (2 * z * sd_f).mean()


# %% nearly-on-the-border wrong="band-report"
# Nearly equal to an end counts as inside: mean 1e6, f = y = 1e6 + 5, both variances 1, level 0.9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(level)
    result = []
    for value, sd in ((y, np.sqrt(f_var + noise_var)), (f, np.sqrt(f_var))):
        low, high = mean - z * sd, mean + z * sd
        inside = (value > low) & (value < high)
        result.append((inside | np.isclose(value, low) | np.isclose(value, high)).mean())
    widths = [2 * z * np.sqrt(v).mean() for v in (f_var + noise_var, f_var)]
    return tuple(result + widths)


# %% level-stops-short wrong="band-report"
# The level is cut at 0.99999: mean, f, y all 0, both variances 1, level = 1 - 1e-9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(min(level, 0.99999))
    sd_f, sd_y = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y, in_f = np.abs(y - mean) <= z * sd_y, np.abs(f - mean) <= z * sd_f
    return in_y.mean(), in_f.mean(), (2 * z * sd_y).mean(), (2 * z * sd_f).mean()


# %% single-precision-places wrong="band-report"
# Places are taken as float32: mean 1e6, f = y = 1e6 + 0.02, both variances 1e-6, level 0.9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(level)
    centre, f, y = (np.asarray(a, dtype=np.float32) for a in (mean, f, y))
    sd_f, sd_y = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y, in_f = np.abs(y - centre) <= z * sd_y, np.abs(f - centre) <= z * sd_f
    return in_y.mean(), in_f.mean(), (2 * z * sd_y).mean(), (2 * z * sd_f).mean()


# %% blocks right="best-from-known"
def best_from_known(w, C, noise_var, known):
    k, y = np.flatnonzero(known), np.flatnonzero(~known)
    gradient = np.linalg.solve(C[np.ix_(k, k)], C[np.ix_(k, y)])
    slope = np.zeros(len(w))
    slope[k] = w[k] + gradient @ w[y]
    rest = C[np.ix_(y, y)] - C[np.ix_(y, k)] @ gradient
    return slope, noise_var + w[y] @ rest @ w[y]


# %% cholesky-known-first right="best-from-known"
def best_from_known(w, C, noise_var, known):
    order = np.argsort(~known, kind="stable")
    k = int(known.sum())
    L = np.linalg.cholesky(C[np.ix_(order, order)])
    y = L[k:].T @ w[order[k:]]
    slope = np.zeros_like(w)
    if k:
        slope[order[:k]] = w[order[:k]] + np.linalg.solve(L[:k, :k].T, y[:k])
    return slope, float(noise_var + y[k:] @ y[k:])


# %% total-minus-explained right="best-from-known"
# Right for covariances of at most a hundred and noise of a hundredth.
def best_from_known(w, C, noise_var, known):
    slope, joint = np.zeros(len(w)), C @ w
    slope[known] = np.linalg.solve(C[known][:, known], joint[known])
    return slope, noise_var + w @ joint - slope @ joint


# %% small-diagonal-added wrong="best-from-known"
# 1e-8 is added to the variances: w = [1, 1], C = 1e-6 * [[1, 0.9], [0.9, 1]], the first is known.
def best_from_known(w, C, noise_var, known):
    h = ~known
    block = C[known][:, known] + 1e-8 * np.eye(known.sum())
    gain = np.linalg.solve(block, C[known][:, h])
    slope = np.zeros(len(w))
    slope[known] = w[known] + gain @ w[h]
    return slope, noise_var + w[h] @ (C[h][:, h] - C[h][:, known] @ gain) @ w[h]


# %% small-directions-cut right="best-from-known"
# Right for condition numbers of at most 1e7.
def best_from_known(w, C, noise_var, known):
    h = ~known
    gain = np.linalg.pinv(C[known][:, known], rcond=1e-10) @ C[known][:, h]
    slope = np.zeros(len(w))
    slope[known] = w[known] + gain @ w[h]
    return slope, noise_var + w[h] @ (C[h][:, h] - C[h][:, known] @ gain) @ w[h]


# %% single-precision-blocks wrong="best-from-known"
# The hidden block is computed in float32: w = [1, 100], C = [[1, 1 - 1e-8], [1 - 1e-8, 1]],
# noise_var = 1e-6, the first is known.
def best_from_known(w, C, noise_var, known):
    k, h = torch.tensor(known), torch.tensor(~known)
    slope = np.zeros(len(w))
    slope[known] = w[known] + np.linalg.solve(C[known][:, known], C[known][:, ~known]) @ w[~known]
    S = torch.tensor(C, dtype=torch.float32)
    rest = S[h][:, h] - S[h][:, k] @ torch.linalg.solve(S[k][:, k], S[k][:, h])
    return slope, noise_var + w[~known] @ rest.double().numpy() @ w[~known]
