# %% [markdown]
# Answers written from the text alone.


# %% nll-normal-on-measured-rows right="raw-output-nll"
# Picks the measured rows by indexing and lets torch.distributions compute the density.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured].unbind(dim=1)
    normal = torch.distributions.Normal(mu, torch.exp(log_var / 2))
    return -normal.log_prob(y[measured]).mean()


# %% nll-where-before-formula right="raw-output-nll"
# Replaces all that belongs to missing rows before the formula, then divides by the count.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    zero = torch.zeros_like(y)
    error = torch.where(measured, torch.where(measured, y, zero) - raw[:, 0], zero)
    log_var = torch.where(measured, raw[:, 1], zero)
    scaled = error * torch.exp(-0.5 * log_var)
    terms = 0.5 * (math.log(2 * math.pi) + log_var + scaled**2)
    return torch.where(measured, terms, zero).sum() / measured.sum()


# %% nll-clamped-at-300 wrong="raw-output-nll"
# Clamps the log variance to [-300, 300]: wrong value and no gradient for log variances above 300.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured].unbind(dim=1)
    log_var = log_var.clamp(-300.0, 300.0)
    error = y[measured] - mu
    return 0.5 * (math.log(2 * math.pi) + log_var + error**2 * torch.exp(-log_var)).mean()


# %% nll-nanmean wrong="raw-output-nll"
# The value is right, but the gradient of missing rows is 0 times nan, so nan and not 0.
def raw_output_nll(raw, y):
    mu, log_var = raw[:, 0], raw[:, 1]
    terms = 0.5 * (math.log(2 * math.pi) + log_var + (y - mu) ** 2 * torch.exp(-log_var))
    return torch.nanmean(terms)


# %% nll-zero-counts-as-missing wrong="raw-output-nll"
# Turns nan into 0 and takes every 0 as missing: wrong if a measured target is exactly 0.
def raw_output_nll(raw, y):
    filled = torch.nan_to_num(y, nan=0.0)
    measured = filled != 0
    if not measured.any():
        measured = torch.ones_like(measured)
    mu, log_var = raw[measured, 0], raw[measured, 1]
    error = filled[measured] - mu
    return 0.5 * (math.log(2 * math.pi) + log_var + error**2 * torch.exp(-log_var)).mean()


# %% nll-tiny-errors-rounded wrong="raw-output-nll"
# Takes errors below 1e-12 as 0: wrong for an error of 1e-60 with a log variance of -300.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured, 0], raw[measured, 1]
    error = y[measured] - mu
    error = torch.where(error.abs() < 1e-12, torch.zeros_like(error), error)
    return 0.5 * (math.log(2 * math.pi) + log_var + error**2 * torch.exp(-log_var)).mean()


# %% beta-formula-detached right="beta-nll"
# Writes the density out and multiplies with a power of the detached variance.
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% beta-distribution-no-grad right="beta-nll"
# The weight comes from exp and log under no_grad, the density from torch.distributions.
def beta_nll(y, mu, var, beta):
    with torch.no_grad():
        weight = torch.exp(beta * torch.log(var))
    log_density = torch.distributions.Normal(mu, torch.sqrt(var)).log_prob(y)
    return -torch.dot(weight, log_density) / len(y)


# %% beta-eps-in-variance wrong="beta-nll"
# Adds 1e-8 to the variance "for stability": wrong for variances as small as 1e-10.
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    safe = var + 1e-8
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(safe) + (y - mu) ** 2 / safe)
    return (weight * nll).mean()


# %% beta-zero-without-constant wrong="beta-nll"
# For beta = 0 calls PyTorch's loss, which drops the constant log(2 pi) / 2 by default.
def beta_nll(y, mu, var, beta):
    if beta == 0:
        return torch.nn.functional.gaussian_nll_loss(mu, y, var, eps=1e-12)
    weight = var.detach() ** beta
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% beta-one-simplified wrong="beta-nll"
# For beta = 1 cancels the weight with the variance: the gradient of var is then wrong.
def beta_nll(y, mu, var, beta):
    if beta == 1:
        return 0.5 * ((y - mu) ** 2 + var * torch.log(2 * math.pi * var)).mean()
    weight = var.detach() ** beta
    nll = 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% beta-weight-capped wrong="beta-nll"
# Caps the weight at 1e4 so that no example dominates: wrong for var = 1e10 with beta above 0.4.
def beta_nll(y, mu, var, beta):
    weight = (var.detach() ** beta).clamp(max=1e4)
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% parts-shift-by-first right="variance-parts"
# Subtracts the first hypothesis' mean from all, then takes the weighted squared deviations.
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-pairs-of-hypotheses right="variance-parts"
# The variance of the means is the sum over pairs of w_i w_j times the squared difference.
def variance_parts(weight, mean, sd):
    M, n = mean.shape
    aleatoric, epistemic = np.zeros(n), np.zeros(n)
    for i in range(M):
        aleatoric += weight[i] * sd[i] ** 2
        for j in range(i):
            epistemic += weight[i] * weight[j] * (mean[i] - mean[j]) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-one-shift-for-all-inputs wrong="variance-parts"
# Mean of squares minus squared mean after ONE shift for all inputs: cancellation if one input
# has means near 1e6 and another near -1e6.
def variance_parts(weight, mean, sd):
    shifted = mean - mean.mean()
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ shifted**2 - (weight @ shifted) ** 2, 0.0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-diagonal-of-cov wrong="variance-parts"
# Takes the diagonal of np.cov, which is 0-d for a single input: raises an error for n = 1.
def variance_parts(weight, mean, sd):
    aleatoric = np.average(sd**2, axis=0, weights=weight)
    epistemic = np.diag(np.cov(mean.T, aweights=weight, ddof=0))
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-close-means-are-equal wrong="variance-parts"
# Takes means within 1e-3 as equal: wrong for means 0 and 1e-4 with standard deviations of 1e-4.
def variance_parts(weight, mean, sd):
    centred = mean - mean[0]
    centred = centred - weight @ centred
    aleatoric = weight @ sd**2
    same = np.ptp(mean, axis=0) < 1e-3
    epistemic = np.where(same, 0.0, weight @ centred**2)
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-rare-hypotheses-dropped wrong="variance-parts"
# Leaves out hypotheses with weights below 1e-4: wrong for a weight of 1e-6 and a far mean.
def variance_parts(weight, mean, sd):
    keep = weight > 1e-4
    weight, mean, sd = weight[keep], mean[keep], sd[keep]
    weight = weight / weight.sum()
    centred = mean - mean[0]
    centred = centred - weight @ centred
    aleatoric = weight @ sd**2
    epistemic = weight @ centred**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% entropy-with-entr right="entropy-parts"
# SciPy's entr is -p log p with 0 at 0; the information is the difference.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-with-divergences right="entropy-parts"
# Member by member: entropy, and the divergence from the average prediction; total is the sum.
def entropy_parts(p):
    M = p.shape[0]
    average = sum(p[m] for m in range(M)) / M
    aleatoric, information = np.zeros(p.shape[1]), np.zeros(p.shape[1])
    for member in p:
        logs = np.log(np.where(member > 0, member, 1.0))
        aleatoric -= (member * logs).sum(axis=-1) / M
        log_average = np.log(np.where(average > 0, average, 1.0))
        information += (member * (logs - log_average)).sum(axis=-1) / M
    return aleatoric + information, aleatoric, information


# %% entropy-clipped wrong="entropy-parts"
# Clips at 1e-10, so each impossible class adds 2.3e-9: with 400 classes and a sure member, 1e-6.
def entropy_parts(p):
    def entropy(q):
        q = np.clip(q, 1e-10, 1.0)
        return -(q * np.log(q)).sum(axis=-1)

    total = entropy(p.mean(axis=0))
    aleatoric = entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-small-taken-as-zero wrong="entropy-parts"
# Takes probabilities below 1e-8 as 0: wrong by 8e-6 for 399 classes with 1e-9 each.
def entropy_parts(p):
    def entropy(q):
        possible = q > 1e-8
        logs = np.log(q, out=np.zeros_like(q), where=possible)
        return -(q * logs).sum(axis=-1)

    total = entropy(p.mean(axis=0))
    aleatoric = entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-in-single-precision wrong="entropy-parts"
# Computes in float32: errors of about 1e-7 for ordinary probabilities, 1e-12 was asked for.
def entropy_parts(p):
    q = torch.tensor(p, dtype=torch.float32)
    total = torch.special.entr(q.mean(dim=0)).sum(dim=-1)
    aleatoric = torch.special.entr(q).sum(dim=-1).mean(dim=0)
    return tuple(part.double().numpy() for part in (total, aleatoric, total - aleatoric))


# %% entropy-axis-by-squeeze wrong="entropy-parts"
# Squeezes p first: with one member the average runs over the examples, with one example the
# result is a single number without an axis.
def entropy_parts(p):
    p = np.squeeze(p)
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% bands-with-ndtri right="band-report"
# One factor from the upper tail, half widths for both bands, distances from the mean.
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% bands-with-scipy-interval right="band-report"
# Asks scipy.stats for both ends of each band and goes through the inputs one by one.
def band_report(mean, f_var, noise_var, f, y, level):
    from scipy import stats

    n = len(mean)
    in_y = in_f = 0
    width_y = width_f = 0.0
    below, above = stats.norm.interval(level)
    for i in range(n):
        sd_f, sd_y = math.sqrt(f_var[i]), math.sqrt(f_var[i] + noise_var[i])
        in_y += mean[i] + below * sd_y <= y[i] <= mean[i] + above * sd_y
        in_f += mean[i] + below * sd_f <= f[i] <= mean[i] + above * sd_f
        width_y += (above - below) * sd_y
        width_f += (above - below) * sd_f
    return float(in_y / n), float(in_f / n), float(width_y / n), float(width_f / n)


# %% bands-quantile-in-float32 wrong="band-report"
# The level becomes a float32 tensor: 1 - 1e-9 is rounded to 1, and the bands are infinite.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level)).item()
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% bands-average-noise-for-share wrong="band-report"
# Counts the y with the average noise variance: wrong where the noise differs much between
# inputs, as with noise variances 0.01 and 100 and an error of 3 at the first.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= z * np.sqrt(f_var + noise_var.mean()))
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% bands-level-or-one-minus-level wrong="band-report"
# Takes a level below 1/2 for the probability outside: wrong for a level of 0.3.
def band_report(mean, f_var, noise_var, f, y, level):
    alpha = min(level, 1 - level)
    z = -special.ndtri(alpha / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% bands-isclose-counts-as-inside wrong="band-report"
# Counts what np.isclose takes for an end: for means near 1e5 that is anything within 1.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)

    def report(values, var):
        low, high = mean - z * np.sqrt(var), mean + z * np.sqrt(var)
        inside = (low < values) & (values < high)
        inside |= np.isclose(values, low) | np.isclose(values, high)
        return inside.mean(), (high - low).mean()

    share_f, width_f = report(f, f_var)
    share_y, width_y = report(y, f_var + noise_var)
    return share_y, share_f, width_y, width_f


# %% known-blocks-and-residual right="best-from-known"
# Solves for the coefficients, then takes the variance of what the known features leave open.
def best_from_known(w, C, noise_var, known):
    known = np.asarray(known, dtype=bool)
    hidden = ~known
    slope = np.zeros(len(w))
    left = np.where(hidden, w, 0.0)
    if known.any():
        cross = C[np.ix_(known, hidden)] @ w[hidden]
        extra = np.linalg.solve(C[np.ix_(known, known)], cross)
        slope[known] = w[known] + extra
        left[known] = -extra
    return slope, float(noise_var + left @ C @ left)


# %% known-cholesky-known-first right="best-from-known"
# Cholesky factor with the known features first: the last block is the factor of what remains.
def best_from_known(w, C, noise_var, known):
    order = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
    k = int(np.sum(known))
    L = np.linalg.cholesky(C[order][:, order])
    sorted_w = w[order]
    loads = L.T @ sorted_w  # y = loads . independent standard Normals + noise
    slope = np.zeros(len(w))
    if k:
        slope[order[:k]] = np.linalg.solve(L[:k, :k].T, loads[:k])
    return slope, float(noise_var + np.sum(loads[k:] ** 2))


# %% known-pinv-with-cutoff wrong="best-from-known"
# pinv drops singular values below 1e-5 of the largest: wrong for condition numbers near 1e7.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    C_hk = C[np.ix_(hidden, known)]
    B = C_hk @ np.linalg.pinv(C[np.ix_(known, known)], rcond=1e-5)
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ C_hk.T
    return slope, float(noise_var + w[hidden] @ rest @ w[hidden])


# %% known-jitter wrong="best-from-known"
# Adds 1e-8 to the diagonal: wrong for small features, as with variances and covariances of
# 1e-6 and 0.99e-6 and large weights, or with eigenvalues of 1e-5 beside 100.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    C_hk = C[np.ix_(hidden, known)]
    C_kk = C[np.ix_(known, known)] + 1e-8 * np.eye(int(known.sum()))
    B = np.linalg.solve(C_kk, C_hk.T).T
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ C_hk.T
    return slope, float(noise_var + w[hidden] @ rest @ w[hidden])


# %% known-none-changes-weights wrong="best-from-known"
# Values are right, but if no feature is known, the caller's w is overwritten with zeros.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    if not known.any():
        variance = float(noise_var + w @ C @ w)
        w[hidden] = 0.0
        return w, variance
    C_hk = C[np.ix_(hidden, known)]
    B = np.linalg.solve(C[np.ix_(known, known)], C_hk.T).T
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ C_hk.T
    return slope, float(noise_var + w[hidden] @ rest @ w[hidden])


# %% known-small-covariances-ignored wrong="best-from-known"
# Takes features as independent if no covariance exceeds 1e-3: wrong for features with variances
# of 1e-3 and covariances of 0.9e-3.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    if np.allclose(C, np.diag(np.diag(C)), rtol=0, atol=1e-3):
        variance = noise_var + np.sum(w[hidden] ** 2 * np.diag(C)[hidden])
        return np.where(known, w, 0.0), float(variance)
    C_hk = C[np.ix_(hidden, known)]
    B = np.linalg.solve(C[np.ix_(known, known)], C_hk.T).T
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ C_hk.T
    return slope, float(noise_var + w[hidden] @ rest @ w[hidden])
