# %% [markdown]
# Answers written from the text alone.


# %% raw-select-rows right="raw-output-nll"
# Keeps the measured rows by a boolean index and writes the NLL out in the log variance.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured, 0], raw[measured, 1]
    error = y[measured] - mu
    terms = math.log(2 * math.pi) + log_var + error**2 * torch.exp(-log_var)
    return 0.5 * terms.mean()


# %% raw-normal-safe-where right="raw-output-nll"
# Puts harmless numbers in the rows without a target, uses torch.distributions, masks the sum.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    zero = torch.zeros_like(y)
    mu = torch.where(measured, raw[:, 0], zero)
    log_var = torch.where(measured, raw[:, 1], zero)
    target = torch.where(measured, y, zero)
    log_p = torch.distributions.Normal(mu, torch.exp(0.5 * log_var)).log_prob(target)
    return -torch.where(measured, log_p, zero).sum() / measured.sum()


# %% raw-nanmean wrong="raw-output-nll"
# Takes the nanmean of the terms: the value is right, but rows with a missing target have the
# gradient nan in place of 0.
def raw_output_nll(raw, y):
    mu, log_var = raw[:, 0], raw[:, 1]
    terms = math.log(2 * math.pi) + log_var + (y - mu) ** 2 * torch.exp(-log_var)
    return 0.5 * torch.nanmean(terms)


# %% raw-library-loss wrong="raw-output-nll"
# PyTorch's own loss lifts variances below its eps of 1e-6: wrong for log variances below -13.8.
def raw_output_nll(raw, y):
    ok = ~torch.isnan(y)
    return torch.nn.functional.gaussian_nll_loss(
        raw[ok, 0], y[ok], torch.exp(raw[ok, 1]), full=True
    )


# %% raw-square-in-log-space wrong="raw-output-nll"
# Takes the logarithm of the error, lifted to 1e-60 so that it exists: for a log variance of -300
# and an error of 0 or 1e-100 this adds 5e9 to the term, and the gradient of the mean is 0.
def raw_output_nll(raw, y):
    ok = ~torch.isnan(y)
    mu, log_var = raw[ok, 0], raw[ok, 1]
    log_error = torch.log((y[ok] - mu).abs().clamp_min(1e-60))
    terms = math.log(2 * math.pi) + log_var + torch.exp(2 * log_error - log_var)
    return 0.5 * terms.mean()


# %% raw-missing-as-perfect wrong="raw-output-nll"
# Sets the error of a missing target to 0, but its log variance and the constant still count in
# the mean, and its gradient is not 0: wrong wherever a target is missing.
def raw_output_nll(raw, y):
    mu, log_var = raw[:, 0], raw[:, 1]
    target = torch.where(torch.isnan(y), mu.detach(), y)
    terms = math.log(2 * math.pi) + log_var + (target - mu) ** 2 * torch.exp(-log_var)
    return 0.5 * terms.mean()


# %% beta-by-hand right="beta-nll"
# Writes the NLL out and multiplies it with a detached power of the variance.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()


# %% beta-normal-no-grad right="beta-nll"
# Takes the log density from torch.distributions, the weight from a logarithm without gradient.
def beta_nll(y, mu, var, beta):
    with torch.no_grad():
        weight = torch.exp(beta * torch.log(var))
    log_p = torch.distributions.Normal(mu, torch.sqrt(var)).log_prob(y)
    return -torch.dot(weight, log_p) / len(y)


# %% beta-weight-not-constant wrong="beta-nll"
# The weight is differentiated, too: the value is right, the gradient of var wrong for beta > 0.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var**beta * nll).mean()


# %% beta-library-eps wrong="beta-nll"
# PyTorch's loss lifts variances to at least 1e-6: wrong for a variance such as 1e-9.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach().pow(beta) * nll).mean()


# %% beta-capped-weight wrong="beta-nll"
# Caps the weight at 1e6 "for stability": wrong for a variance of 1e9 and beta = 1.
def beta_nll(y, mu, var, beta):
    weight = var.detach().pow(beta).clamp(max=1e6)
    log_p = torch.distributions.Normal(mu, var.sqrt()).log_prob(y)
    return -(weight * log_p).mean()


# %% beta-one-is-squared-error wrong="beta-nll"
# Takes "as in the squared error" at its word: for beta = 1 the value and the gradient of var
# lack the weighted log variance.
def beta_nll(y, mu, var, beta):
    if beta == 1:
        return 0.5 * ((y - mu) ** 2).mean()
    nll = 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()


# %% parts-shifted-two-pass right="variance-parts"
# Subtracts the first member's mean before anything is averaged, then takes two passes.
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-over-pairs right="variance-parts"
# The variance of the means is half the weighted mean of the squared differences of all pairs.
def variance_parts(weight, mean, sd):
    aleatoric = np.einsum("m,mi,mi->i", weight, sd, sd)
    epistemic = np.zeros(mean.shape[1])
    for i in range(len(weight)):
        for j in range(i):
            epistemic += weight[i] * weight[j] * (mean[i] - mean[j]) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-mean-of-squares wrong="variance-parts"
# Mean of the squares less the square of the mean: cancels for means near 1e6 that differ by 0.01.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ mean**2 - (weight @ mean) ** 2, 0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-from-np-cov wrong="variance-parts"
# The diagonal of a weighted covariance matrix: for a single input (n = 1) np.cov returns a
# 0-d array, of which np.diag raises an error.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    epistemic = np.diag(np.cov(mean.T, aweights=weight, ddof=0))
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-in-place wrong="variance-parts"
# Centres the means in place: the numbers are right, but the caller's array `mean` is changed.
def variance_parts(weight, mean, sd):
    mean -= np.average(mean, axis=0, weights=weight)
    aleatoric = weight @ sd**2
    epistemic = weight @ mean**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-squared-mean-sd wrong="variance-parts"
# Squares the mean standard deviation: aleatoric and total are too small where the sd differ.
def variance_parts(weight, mean, sd):
    aleatoric = (weight @ sd) ** 2
    epistemic = weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% entropy-entr right="entropy-parts"
# scipy.special.entr knows that 0 log 0 is 0; the information is the difference.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-mean-divergence right="entropy-parts"
# The information is the mean divergence of the members from their average; total is the sum.
def entropy_parts(p):
    average = p.mean(axis=0)
    log_p = np.log(np.where(p > 0, p, 1.0))
    aleatoric = -(p * log_p).sum(axis=-1).mean(axis=0)
    information = special.rel_entr(p, average).sum(axis=-1).mean(axis=0)
    return aleatoric + information, aleatoric, information


# %% entropy-plus-eps wrong="entropy-parts"
# Adds 1e-12 inside the logarithm: each class changes the sum by 1e-12, so that with hundreds of
# classes the entropies are wrong by some 1e-10, far more than the promised 1e-12.
def entropy_parts(p):
    average = p.mean(axis=0)
    total = -(average * np.log(average + 1e-12)).sum(axis=-1)
    aleatoric = -(p * np.log(p + 1e-12)).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-threshold wrong="entropy-parts"
# Takes all below 1e-10 for zero: a hundred classes with 5e-11 each are lost, about 1e-7 nats.
def entropy_parts(p):
    def entropy(q):
        big = q > 1e-10
        return -np.sum(q * np.log(q, where=big, out=np.zeros_like(q)), axis=-1)

    total = entropy(p.mean(axis=0))
    aleatoric = entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-squeezed wrong="entropy-parts"
# Squeezes away axes of length one: for a single example (n = 1) the total is 0-d, and with one
# member the mean of the entropies runs over the examples.
def entropy_parts(p):
    q = np.squeeze(p)
    total = special.entr(np.squeeze(p.mean(axis=0))).sum(axis=-1)
    aleatoric = special.entr(q).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-single-precision wrong="entropy-parts"
# Computes in float32: right to about 1e-7 only, and a small information drowns in it.
def entropy_parts(p):
    q = torch.tensor(p, dtype=torch.float32)
    total = torch.special.entr(q.mean(dim=0)).sum(dim=-1)
    aleatoric = torch.special.entr(q).sum(dim=-1).mean(dim=0)
    return total.double(), aleatoric.double(), (total - aleatoric).double()


# %% bands-erfinv right="band-report"
# The half width in standard deviations from erfinv; a value is inside if it is near the mean.
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(level)
    half_f = z * np.sqrt(f_var)
    half_y = z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% bands-loop-over-inputs right="band-report"
# Goes through the inputs one by one, with the ends of each band from the upper tail of a Normal.
def band_report(mean, f_var, noise_var, f, y, level):
    from scipy import stats

    z = float(stats.norm.isf((1 - level) / 2))
    n = len(mean)
    inside_y = inside_f = 0
    width_y = width_f = 0.0
    for i in range(n):
        sd_f = math.sqrt(f_var[i])
        sd_y = math.sqrt(f_var[i] + noise_var[i])
        inside_y += int(mean[i] - z * sd_y <= y[i] <= mean[i] + z * sd_y)
        inside_f += int(mean[i] - z * sd_f <= f[i] <= mean[i] + z * sd_f)
        width_y += 2 * z * sd_y
        width_f += 2 * z * sd_f
    return inside_y / n, inside_f / n, width_y / n, width_f / n


# %% bands-pooled-width wrong="band-report"
# The widths come from the root of the mean variance, not from the mean of the roots: too wide
# wherever the variances differ between inputs.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    y_var = f_var + noise_var
    share_y = np.mean(np.abs(y - mean) <= z * np.sqrt(y_var))
    share_f = np.mean(np.abs(f - mean) <= z * np.sqrt(f_var))
    return share_y, share_f, 2 * z * np.sqrt(y_var.mean()), 2 * z * np.sqrt(f_var.mean())


# %% bands-quantile-in-float32 wrong="band-report"
# The level becomes a float32 tensor: from 1 - 1e-8 on it is rounded to 1, and the bands are
# infinitely wide; for 0.999999 the width is off by about two thousandths.
def band_report(mean, f_var, noise_var, f, y, level):
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)).item()
    half_f = z * np.sqrt(f_var)
    half_y = z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, np.mean(2 * half_y), np.mean(2 * half_f)


# %% bands-z-not-squared wrong="band-report"
# Compares squared errors with z times the variance in place of z squared: the widths are right,
# but a point at 1.5 standard deviations counts as outside for level 0.9 (z = 1.64).
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    y_var = f_var + noise_var
    share_y = np.mean((y - mean) ** 2 <= z * y_var)
    share_f = np.mean((f - mean) ** 2 <= z * f_var)
    return share_y, share_f, np.mean(2 * z * np.sqrt(y_var)), np.mean(2 * z * np.sqrt(f_var))


# %% bands-sum-of-sds wrong="band-report"
# Adds standard deviations in place of variances: the band for y is too wide at every input.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    half_f = z * np.sqrt(f_var)
    half_y = half_f + z * np.sqrt(noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, np.mean(2 * half_y), np.mean(2 * half_f)


# %% known-cholesky-blocks right="best-from-known"
# Orders the known features first; the blocks of the Cholesky factor hold slope and remainder.
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    order = np.concatenate([k, h])
    L = np.linalg.cholesky(C[np.ix_(order, order)])
    size = len(k)
    slope = np.zeros(len(w))
    if size:
        slope[k] = w[k] + np.linalg.solve(L[:size, :size].T, L[size:, :size].T @ w[h])
    remainder = L[size:, size:].T @ w[h]
    return slope, noise_var + remainder @ remainder


# %% known-projection right="best-from-known"
# Features are vectors (rows of a root of C); the slope projects y on the known ones by QR, and
# the squared length of what is left is the variance of the hidden part.
def best_from_known(w, C, noise_var, known):
    root = np.linalg.cholesky(C)
    target = root.T @ w
    slope = np.zeros(len(w))
    if known.any():
        basis, upper = np.linalg.qr(root[known].T)
        slope[known] = np.linalg.solve(upper, basis.T @ target)
        target = target - root[known].T @ slope[known]
    return slope, noise_var + np.sum(target**2)


# %% known-with-jitter wrong="best-from-known"
# Adds 1e-6 to the diagonal before solving: with a condition number of 1e7 this changes slope and
# variance, for example for two known features that differ by a variance of 4e-6 only, where
# this difference is correlated with a hidden feature.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    C_kk = C[np.ix_(known, known)] + 1e-6 * np.eye(known.sum())
    C_kh = C[np.ix_(known, hidden)]
    gain = np.linalg.solve(C_kk, C_kh)
    slope = np.zeros(len(w))
    slope[known] = w[known] + gain @ w[hidden]
    left = C[np.ix_(hidden, hidden)] - C_kh.T @ gain
    return slope, noise_var + w[hidden] @ left @ w[hidden]


# %% known-writes-into-w wrong="best-from-known"
# The slope is made in the array w itself: the numbers are right, the caller's w is changed.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    w_h = w[hidden]
    C_kh = C[np.ix_(known, hidden)]
    gain = np.linalg.solve(C[np.ix_(known, known)], C_kh)
    left = C[np.ix_(hidden, hidden)] - C_kh.T @ gain
    slope = np.asarray(w)
    slope[known] += gain @ w_h
    slope[hidden] = 0
    return slope, noise_var + w_h @ left @ w_h


# %% known-one-at-a-time wrong="best-from-known"
# Regresses hidden on each known feature alone: right for one known feature, wrong where two
# known ones are correlated with each other and with a hidden one.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    C_kh = C[np.ix_(known, hidden)]
    gain = C_kh / np.diag(C)[known][:, None]
    slope = np.zeros(len(w))
    slope[known] = w[known] + gain @ w[hidden]
    left = C[np.ix_(hidden, hidden)] - C_kh.T @ gain
    return slope, noise_var + w[hidden] @ left @ w[hidden]


# %% known-none-as-independent wrong="best-from-known"
# A branch of its own for "nothing known" adds up the variances of the features and forgets
# their covariances: wrong for no known feature and a C that is not diagonal.
def best_from_known(w, C, noise_var, known):
    slope = np.where(known, w, 0.0)
    if known.all():
        return slope, noise_var
    if not known.any():
        return slope, noise_var + np.sum(w**2 * np.diag(C))
    hidden = ~known
    C_kh = C[np.ix_(known, hidden)]
    gain = np.linalg.solve(C[np.ix_(known, known)], C_kh)
    slope[known] += gain @ w[hidden]
    left = C[np.ix_(hidden, hidden)] - C_kh.T @ gain
    return slope, noise_var + w[hidden] @ left @ w[hidden]
