# %% [markdown]
# Answers written from the text alone.


# %% nll-select-rows right="raw-output-nll"
# Keeps the measured rows only, scales the error with exp(-s/2), and takes the mean.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen].unbind(dim=1)
    z = (y[seen] - mu) * torch.exp(-log_var / 2)
    return (0.5 * (math.log(2 * math.pi) + log_var + z**2)).mean()


# %% nll-double-where right="raw-output-nll"
# Replaces the missing rows by harmless numbers before the formula, and their terms by 0 after it.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    zero = torch.zeros_like(y)
    error = torch.where(seen, y, zero) - torch.where(seen, raw[:, 0], zero)
    log_var = torch.where(seen, raw[:, 1], zero)
    terms = 0.5 * math.log(2 * math.pi) + 0.5 * log_var + 0.5 * error**2 * torch.exp(-log_var)
    return torch.where(seen, terms, zero).sum() / seen.sum()


# %% nll-single-where wrong="raw-output-nll"
# Masks after the formula only: the value is right, the gradient of the missing rows is nan.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[:, 0], raw[:, 1]
    z = (y - mu) * torch.exp(-log_var / 2)
    terms = 0.5 * (math.log(2 * math.pi) + log_var + z**2)
    return torch.where(seen, terms, torch.zeros_like(terms)).sum() / seen.sum()


# %% nll-clamped-at-300 wrong="raw-output-nll"
# Clamps the log variance at 300 on both sides: value and gradient wrong between 300 and 600.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu = raw[seen, 0]
    log_var = raw[seen, 1].clamp(-300, 300)
    z = (y[seen] - mu) * torch.exp(-log_var / 2)
    return (0.5 * (math.log(2 * math.pi) + log_var + z**2)).mean()


# %% nll-log-of-error wrong="raw-output-nll"
# Works with the logarithm of the error: at an error of exactly 0 the gradient is nan.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen].unbind(dim=1)
    square = torch.exp(2 * torch.log((y[seen] - mu).abs()) - log_var)
    return (0.5 * (math.log(2 * math.pi) + log_var + square)).mean()


# %% nll-floor-for-errors wrong="raw-output-nll"
# Lifts errors to 1e-70 before the logarithm: an error of 1e-100 at a log variance of -300 should
# pull at the mean with about 1e30, and does not pull at all.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen].unbind(dim=1)
    size = (y[seen] - mu).abs().clamp(min=1e-70)
    square = torch.exp(2 * torch.log(size) - log_var)
    return (0.5 * (math.log(2 * math.pi) + log_var + square)).mean()


# %% nll-zero-means-missing wrong="raw-output-nll"
# Turns nan into 0 and takes every 0 as missing: a measured target of exactly 0 is left out.
def raw_output_nll(raw, y):
    filled = torch.nan_to_num(y, nan=0.0)
    seen = filled != 0
    mu, log_var = raw[:, 0], raw[:, 1]
    terms = 0.5 * (math.log(2 * math.pi) + log_var + (filled - mu) ** 2 * torch.exp(-log_var))
    return terms[seen].sum() / seen.sum()


# %% beta-by-formula right="beta-nll"
# The formula written out, with the weight detached.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()


# %% beta-by-distribution right="beta-nll"
# Log density from torch.distributions; the weight is computed without recording gradients.
def beta_nll(y, mu, var, beta):
    with torch.no_grad():
        weight = torch.exp(beta * torch.log(var))
    log_density = torch.distributions.Normal(mu, torch.sqrt(var)).log_prob(y)
    return -torch.sum(weight * log_density) / len(y)


# %% beta-one-keeps-graph wrong="beta-nll"
# Shortcuts for 0 and 1; that for 1 forgets the detach, so the variance gradient is wrong there.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    if beta == 0:
        return nll.mean()
    if beta == 1:
        return (var * nll).mean()
    return (var.detach() ** beta * nll).mean()


# %% beta-default-eps wrong="beta-nll"
# Torch's Gaussian NLL with its default eps: variances below 1e-6 count as 1e-6.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach() ** beta * nll).mean()


# %% beta-capped-weight wrong="beta-nll"
# Caps the weights "for stability" at a variance of 1e4: wrong for larger variances and beta > 0.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach().clamp(max=1e4) ** beta * nll).mean()


# %% beta-three-values wrong="beta-nll"
# Knows the beta 0, 1/2 and 1 only and takes the square root for all between: wrong for 0.25.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    fixed = var.detach()
    if beta == 0:
        weight = torch.ones_like(fixed)
    elif beta == 1:
        weight = fixed
    else:
        weight = fixed.sqrt()
    return (weight * nll).mean()


# %% beta-clamps-in-place wrong="beta-nll"
# Lifts the variance to 1e-8 in place: the caller's tensor, and the result, change below 1e-8.
def beta_nll(y, mu, var, beta):
    weight = var.data.clamp_(min=1e-8) ** beta
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% parts-shifted right="variance-parts"
# Subtracts the first mean, which changes no variance, and centres what is left.
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-by-pairs right="variance-parts"
# The variance of the means as half the mean squared difference of two independent draws.
def variance_parts(weight, mean, sd):
    squares = (mean[:, None, :] - mean[None, :, :]) ** 2
    epistemic = 0.5 * np.einsum("a,b,abn->n", weight, weight, squares)
    aleatoric = np.sum(weight[:, None] * sd * sd, axis=0)
    return aleatoric, epistemic, epistemic + aleatoric


# %% parts-one-shift-for-all wrong="variance-parts"
# Shifts all inputs by one number and then takes E[m^2] - E[m]^2: cancels if the inputs lie far
# from each other (one column of means near 10^6, another near 0).
def variance_parts(weight, mean, sd):
    shifted = mean - mean.mean()
    epistemic = np.maximum(weight @ shifted**2 - (weight @ shifted) ** 2, 0.0)
    aleatoric = weight @ sd**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-small-is-zero wrong="variance-parts"
# Takes a disagreement below a millionth of the noise for rounding and sets it to 0: a billionth
# is allowed.
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    epistemic = np.where(epistemic < 1e-6 * aleatoric, 0.0, epistemic)
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-np-cov wrong="variance-parts"
# The diagonal of np.cov: for a single input, n = 1, np.cov is 0-d and np.diag raises.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    epistemic = np.diag(np.cov(mean.T, aweights=weight, ddof=0)).copy()
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-drops-rare wrong="variance-parts"
# Leaves out hypotheses with a weight below 1e-4: one with 1e-6 and a mean far away matters.
def variance_parts(weight, mean, sd):
    keep = weight >= 1e-4
    weight, mean, sd = weight[keep] / weight[keep].sum(), mean[keep], sd[keep]
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-total-from-moments wrong="variance-parts"
# Parts are right, but the total is E[y^2] - E[y]^2: it loses its digits for means near 10^6.
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    deviation = shifted - weight @ shifted
    aleatoric = weight @ sd**2
    epistemic = weight @ deviation**2
    total = weight @ (sd**2 + mean**2) - (weight @ mean) ** 2
    return aleatoric, epistemic, total


# %% entropy-entr right="entropy-parts"
# SciPy's entr, which is 0 at 0, and the difference of the two entropies.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-mean-divergence right="entropy-parts"
# Entropies with a masked logarithm, information as the mean KL divergence from the average.
def entropy_parts(p):
    average = np.mean(p, axis=0)

    def entropy(q):
        logs = np.log(np.where(q > 0, q, 1.0))
        return -np.einsum("...k,...k->...", q, logs)

    information = np.mean(np.sum(special.rel_entr(p, average[None]), axis=-1), axis=0)
    return entropy(average), np.mean(entropy(p), axis=0), information


# %% entropy-eps-in-log wrong="entropy-parts"
# Adds 1e-12 in the logarithm: each class shifts the entropy by 1e-12, 400 classes by 4e-10.
def entropy_parts(p):
    average = p.mean(axis=0)
    total = -(average * np.log(average + 1e-12)).sum(axis=-1)
    aleatoric = -(p * np.log(p + 1e-12)).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-tiny-is-zero wrong="entropy-parts"
# Treats probabilities below 1e-9 as 0: many classes with 1e-10 each lose about 1e-6.
def entropy_parts(p):
    def entropy(q):
        logs = np.log(np.where(q > 1e-9, q, 1.0))
        return -(q * logs).sum(axis=-1)

    total = entropy(p.mean(axis=0))
    aleatoric = entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-at-most-one-bit wrong="entropy-parts"
# Limits the information to log 2, which holds for two members only: three members, each sure of
# another class, have log 3.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, np.clip(total - aleatoric, 0.0, math.log(2))


# %% entropy-distinct-members wrong="entropy-parts"
# Drops members that repeat another: wrong if two of three members are equal, as all count.
def entropy_parts(p):
    members = np.unique(p, axis=0)
    total = special.entr(members.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(members).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropy-one-member-scalar wrong="entropy-parts"
# A shortcut for a single member returns the number 0 as information, not an array of shape (n,).
def entropy_parts(p):
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    if p.shape[0] == 1:
        return aleatoric, aleatoric, 0.0
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    return total, aleatoric, total - aleatoric


# %% band-half-widths right="band-report"
# Half widths from the quantile of the lower tail; a value is inside if its distance is at most
# that.
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% band-tail-probability right="band-report"
# Compares the two-sided tail probability of each value with 1 - level; widths from erfcinv.
def band_report(mean, f_var, noise_var, f, y, level):
    shares, widths = [], []
    for values, var in ((y, f_var + noise_var), (f, f_var)):
        tail = special.erfc(np.abs(values - mean) / np.sqrt(2 * var))
        shares.append(float(np.mean(tail >= 1 - level)))
        widths.append(float(np.mean(2 * special.erfcinv(1 - level) * np.sqrt(2 * var))))
    return (*shares, *widths)


# %% band-clipped-probability wrong="band-report"
# Keeps the quantile's probability below 1 - 1e-6: bands too narrow for levels like 1 - 1e-9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(np.clip((1 + level) / 2, 1e-6, 1 - 1e-6))
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% band-single-precision wrong="band-report"
# Works in float32: with means near 10^6 and standard deviations of 0.01 the ends are lost.
def band_report(mean, f_var, noise_var, f, y, level):
    mean, f_var, noise_var, f, y = (
        torch.tensor(a, dtype=torch.float32) for a in (mean, f_var, noise_var, f, y)
    )
    z = float(-special.ndtri((1 - level) / 2))
    half_f, half_y = z * f_var.sqrt(), z * (f_var + noise_var).sqrt()
    low_f, high_f, low_y, high_y = mean - half_f, mean + half_f, mean - half_y, mean + half_y
    share_y = ((low_y <= y) & (y <= high_y)).double().mean()
    share_f = ((low_f <= f) & (f <= high_f)).double().mean()
    return share_y, share_f, (high_y - low_y).mean(), (high_f - low_f).mean()


# %% band-isclose wrong="band-report"
# Counts with np.isclose, whose default rtol adds 1e-5 times the mean: too many for means far
# from zero and narrow bands.
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.isclose(y, mean, atol=half_y))
    share_f = np.mean(np.isclose(f, mean, atol=half_f))
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% band-small-level-is-alpha wrong="band-report"
# Takes a level below a half for the probability left out: wrong for a level of 0.1.
def band_report(mean, f_var, noise_var, f, y, level):
    level = max(level, 1 - level)
    z = -special.ndtri((1 - level) / 2)
    half_f, half_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    share_y = np.mean(np.abs(y - mean) <= half_y)
    share_f = np.mean(np.abs(f - mean) <= half_f)
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% band-eps-under-root wrong="band-report"
# Adds 1e-8 to the variances: a variance of 1e-6 gives a band half a percent too wide.
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    half_f = z * np.sqrt(f_var + 1e-8)
    half_y = z * np.sqrt(f_var + noise_var + 1e-8)
    share_y = np.mean((mean - half_y <= y) & (y <= mean + half_y))
    share_f = np.mean((mean - half_f <= f) & (f <= mean + half_f))
    return share_y, share_f, 2 * half_y.mean(), 2 * half_f.mean()


# %% known-permuted-cholesky right="best-from-known"
# Cholesky factor with the known features first: its blocks hold slope and remaining variance.
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    order = np.concatenate([k, h])
    L = np.linalg.cholesky(C[np.ix_(order, order)])
    m = len(k)
    slope = np.zeros(len(w))
    slope[k] = w[k] + np.linalg.solve(L[:m, :m].T, L[m:, :m].T @ w[h])
    rest = L[m:, m:].T @ w[h]
    return slope, float(rest @ rest + noise_var)


# %% known-least-squares right="best-from-known"
# With x = L z and z standard Normal, projects L'w on what the known features show of z.
def best_from_known(w, C, noise_var, known):
    L = np.linalg.cholesky(C)
    signal = L.T @ w
    slope = np.zeros(w.shape)
    if known.any():
        slope[known] = np.linalg.lstsq(L[known].T, signal, rcond=None)[0]
    rest = signal - L[known].T @ slope[known]
    return slope, float(np.sum(rest**2)) + noise_var


# %% known-with-ridge wrong="best-from-known"
# Adds 1e-8 to the diagonal before solving: wrong slope if an eigenvalue is 1e-7 (condition 1e7).
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    slope = np.zeros(len(w))
    ckk = C[np.ix_(known, known)] + 1e-8 * np.eye(known.sum())
    chk = C[np.ix_(hidden, known)]
    slope[known] = w[known] + np.linalg.solve(ckk, chk.T @ w[hidden])
    cov = C[np.ix_(hidden, hidden)] - chk @ np.linalg.solve(ckk, chk.T)
    return slope, float(w[hidden] @ cov @ w[hidden] + noise_var)


# %% known-drops-small-covariances wrong="best-from-known"
# Sets covariances below 1e-3 to 0 as chance: wrong for features with variances of 1e-4, whose
# covariances are small but whose correlation is not.
def best_from_known(w, C, noise_var, known):
    C = np.where((np.abs(C) < 1e-3) & ~np.eye(len(w), dtype=bool), 0.0, C)
    hidden = ~known
    slope = np.zeros(len(w))
    ckk, chk = C[np.ix_(known, known)], C[np.ix_(hidden, known)]
    slope[known] = w[known] + np.linalg.solve(ckk, chk.T @ w[hidden])
    cov = C[np.ix_(hidden, hidden)] - chk @ np.linalg.solve(ckk, chk.T)
    return slope, float(w[hidden] @ cov @ w[hidden] + noise_var)


# %% known-squeezed wrong="best-from-known"
# Works with column vectors and squeezes: with a single feature, d = 1, the slope is 0-d.
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    column = w[:, None]
    ckk, chk = C[np.ix_(k, k)], C[np.ix_(h, k)]
    slope = np.zeros_like(column)
    slope[k] = column[k] + np.linalg.solve(ckk, chk.T @ column[h])
    cov = C[np.ix_(h, h)] - chk @ np.linalg.solve(ckk, chk.T)
    variance = (column[h].T @ cov @ column[h]).item() + noise_var
    return slope.squeeze(), variance


# %% known-neighbours-only wrong="best-from-known"
# Adds the covariances of neighbouring hidden features only: wrong if something is known and
# three or more features are hidden.
def best_from_known(w, C, noise_var, known):
    if not known.any():
        return np.zeros(len(w)), float(w @ C @ w + noise_var)
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    slope = np.zeros(len(w))
    gain = np.linalg.solve(C[np.ix_(k, k)], C[np.ix_(k, h)])
    slope[k] = w[k] + gain @ w[h]
    cov = C[np.ix_(h, h)] - C[np.ix_(h, k)] @ gain
    variance = noise_var
    for i in range(len(h)):
        variance += w[h[i]] ** 2 * cov[i, i]
        if i + 1 < len(h):
            variance += 2 * w[h[i]] * w[h[i + 1]] * cov[i, i + 1]
    return slope, float(variance)


# %% known-single-precision wrong="best-from-known"
# Solves in float32: nothing is left of the digits at a condition number of 10^7.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    w32, c32 = w.astype(np.float32), C.astype(np.float32)
    slope = np.zeros(len(w))
    ckk, chk = c32[np.ix_(known, known)], c32[np.ix_(hidden, known)]
    slope[known] = w32[known] + np.linalg.solve(ckk, chk.T @ w32[hidden])
    cov = c32[np.ix_(hidden, hidden)] - chk @ np.linalg.solve(ckk, chk.T)
    return slope, float(w32[hidden] @ cov @ w32[hidden]) + noise_var
