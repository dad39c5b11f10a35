# %% [markdown]
# Answers written from the text alone.


# %% nll-picked-rows right="raw-output-nll"
# Picks the measured rows first; the residual is scaled by exp(-log variance / 2), then squared.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured].unbind(1)
    scaled = (y[measured] - mu) * torch.exp(-0.5 * log_var)
    return 0.5 * (math.log(2 * math.pi) + log_var + scaled**2).mean()


# %% nll-where-normal right="raw-output-nll"
# Keeps all rows, puts harmless numbers into the missing ones, and sums with a mask.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    safe_raw = torch.where(measured[:, None], raw, torch.zeros_like(raw))
    safe_y = torch.where(measured, y, torch.zeros_like(y))
    q = torch.distributions.Normal(safe_raw[:, 0], torch.exp(safe_raw[:, 1] / 2))
    log_density = torch.where(measured, q.log_prob(safe_y), torch.zeros_like(safe_y))
    return -log_density.sum() / measured.sum()


# %% nll-library-floor wrong="raw-output-nll"
# gaussian_nll_loss lifts every variance to eps = 1e-6: wrong for log variances below -13.8.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured, 0], raw[measured, 1]
    return torch.nn.functional.gaussian_nll_loss(mu, y[measured], log_var.exp(), full=True)


# %% nll-nanmean wrong="raw-output-nll"
# nanmean hides the missing terms in the value, but 0 * nan is nan in the backward pass: the
# gradient is nan at every row whose target is missing.
def raw_output_nll(raw, y):
    mu, log_var = raw[:, 0], raw[:, 1]
    terms = 0.5 * (math.log(2 * math.pi) + log_var + (y - mu) ** 2 * torch.exp(-log_var))
    return torch.nanmean(terms)


# %% nll-clamped-log-var wrong="raw-output-nll"
# Clamps the log variance symmetrically to [-300, 300] "for safety": value and gradient are wrong
# for log variances between 300 and 600.
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured, 0], raw[measured, 1].clamp(-300.0, 300.0)
    squared = (y[measured] - mu) ** 2
    return 0.5 * (math.log(2 * math.pi) + log_var + squared / log_var.exp()).mean()


# %% nll-log-of-error wrong="raw-output-nll"
# Takes the quadratic term as exp(2 log|error| - log variance): the value is right, but the
# gradient with respect to the mean is nan where an error is exactly 0.
def raw_output_nll(raw, y):
    measured = ~y.isnan()
    mu, log_var = raw[measured].T
    log_error = (y[measured] - mu).abs().log()
    quadratic = torch.exp(2 * log_error - log_var)
    return 0.5 * (quadratic + log_var + math.log(2 * math.pi)).mean()


# %% beta-by-hand right="beta-nll"
# The formula, with the weight from the detached variance.
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    nll = 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% beta-library right="beta-nll"
# PyTorch's loss with its constant and with a floor far below the range; the weight by exp and log.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, eps=1e-30, reduction="none")
    with torch.no_grad():
        weight = torch.exp(beta * torch.log(var))
    return torch.dot(weight, nll) / len(y)


# %% beta-library-floor wrong="beta-nll"
# Leaves eps of gaussian_nll_loss at 1e-6: wrong for variances between 1e-10 and 1e-6.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach() ** beta * nll).mean()


# %% beta-merged-powers wrong="beta-nll"
# Merges weight and 1 / variance into one power and detaches it whole: the value and the mean's
# gradient are right, the variance's gradient lacks the quadratic term.
def beta_nll(y, mu, var, beta):
    fixed = var.detach()
    quadratic = 0.5 * fixed ** (beta - 1) * (y - mu) ** 2
    logs = 0.5 * fixed**beta * torch.log(2 * math.pi * var)
    return (quadratic + logs).mean()


# %% beta-weighted-average wrong="beta-nll"
# Divides by the sum of the weights (a weighted average) in place of n: wrong for beta > 0 unless
# the weights have the mean 1.
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    nll = -torch.distributions.Normal(mu, var.sqrt()).log_prob(y)
    return (weight * nll).sum() / weight.sum()


# %% beta-live-weight-at-one wrong="beta-nll"
# Has a short cut for beta = 1 that multiplies out var * (1 / var) and forgets to detach there:
# the value is right, the gradient of the variance at beta = 1 is not.
def beta_nll(y, mu, var, beta):
    if beta == 1:
        return 0.5 * (var * torch.log(2 * math.pi * var) + (y - mu) ** 2).mean()
    nll = 0.5 * (torch.log(2 * math.pi * var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()


# %% parts-shifted right="variance-parts"
# Measures all means from that of the first hypothesis, so that nothing large is subtracted.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    apart = mean - mean[0]
    epistemic = weight @ (apart - weight @ apart) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-pairs right="variance-parts"
# The variance of the means as the weighted sum of squared differences over pairs.
def variance_parts(weight, mean, sd):
    aleatoric = np.einsum("m,mi,mi->i", weight, sd, sd)
    epistemic = np.zeros(mean.shape[1])
    for a in range(len(weight)):
        for b in range(a):
            epistemic += weight[a] * weight[b] * (mean[a] - mean[b]) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-total-by-moments wrong="variance-parts"
# Both parts are right, but the total comes from second moments: it cancels for means near 1e6.
def variance_parts(weight, mean, sd):
    centre = weight @ mean
    aleatoric = weight @ sd**2
    epistemic = weight @ (mean - centre) ** 2
    total = weight @ (sd**2 + mean**2) - centre**2
    return aleatoric, epistemic, total


# %% parts-plain-centre wrong="variance-parts"
# Weights the squares, but measures them from the unweighted mean: wrong for unequal weights.
def variance_parts(weight, mean, sd):
    aleatoric = (weight[:, None] * sd**2).sum(axis=0)
    shifted = mean - mean.mean(axis=0)
    epistemic = (weight[:, None] * shifted**2).sum(axis=0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-rounded-to-zero wrong="variance-parts"
# Takes a disagreement below 1e-8 for rounding and sets it to 0: wrong for means that differ by
# 0.01 where one has the weight 1e-5, or by 1e-5 with any weights.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    apart = mean - mean[0]
    epistemic = weight @ (apart - weight @ apart) ** 2
    epistemic[epistemic < 1e-8] = 0.0
    return aleatoric, epistemic, aleatoric + epistemic


# %% parts-cov-diagonal wrong="variance-parts"
# The diagonal of np.cov: for a single input np.cov returns a 0-d array and np.diag raises.
def variance_parts(weight, mean, sd):
    aleatoric = np.average(sd**2, axis=0, weights=weight)
    epistemic = np.diag(np.cov(mean - mean[0], rowvar=False, aweights=weight, ddof=0))
    return aleatoric, epistemic, aleatoric + epistemic


# %% entropies-entr right="entropy-parts"
# SciPy's entr, which is 0 at 0; the information is the difference.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropies-divergence right="entropy-parts"
# The information as mean divergence of the members from the average; the total is the sum.
def entropy_parts(p):
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    average = p.mean(axis=0)
    log_average = np.log(average, out=np.zeros_like(average), where=average > 0)
    aleatoric = -np.einsum("mik,mik->i", p, logs) / len(p)
    information = np.einsum("mik,mik->i", p, logs - log_average) / len(p)
    return aleatoric + information, aleatoric, information


# %% entropies-clipped wrong="entropy-parts"
# Clips probabilities to at least 1e-9 before the entropy: each class at 0 (or at 1e-12) adds
# 2e-8 nats, 8e-6 with 400 classes.
def entropy_parts(p):
    def entropy(q):
        q = np.clip(q, 1e-9, 1.0)
        return -(q * np.log(q)).sum(axis=-1)

    total = entropy(p.mean(axis=0))
    aleatoric = entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% entropies-reverse-divergence wrong="entropy-parts"
# Takes the divergence of the average from the members, not of the members from the average: the
# information is another number (infinite with a zero) wherever members disagree.
def entropy_parts(p):
    average = p.mean(axis=0)
    total = special.entr(average).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    information = special.rel_entr(average, p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, information


# %% entropies-single-precision wrong="entropy-parts"
# torch.distributions in float32: all results are off by about 1e-7, far more than 1e-12.
def entropy_parts(p):
    probs = torch.tensor(p, dtype=torch.float32)
    total = torch.distributions.Categorical(probs=probs.mean(0)).entropy()
    aleatoric = torch.distributions.Categorical(probs=probs).entropy().mean(0)
    return total.double().numpy(), aleatoric.double().numpy(), (total - aleatoric).numpy()


# %% entropies-squeezed wrong="entropy-parts"
# squeeze() removes the axis of the members, and with a single example or member others too: for
# n = 1 results have shape (), for M = 1 the mean runs over the examples.
def entropy_parts(p):
    total = special.entr(np.mean(p, axis=0)).sum(axis=-1).squeeze()
    entropies = special.entr(p).sum(axis=-1).squeeze()
    aleatoric = entropies.mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% bands-quantile right="band-report"
# The factor from the lower tail; distances from the mean are compared, not ends.
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    half_f = z * np.sqrt(f_var)
    half_y = z * np.sqrt(f_var + noise_var)
    in_y = np.mean(np.abs(y - mean) <= half_y)
    in_f = np.mean(np.abs(f - mean) <= half_f)
    return in_y, in_f, np.mean(2 * half_y), np.mean(2 * half_f)


# %% bands-tail-areas right="band-report"
# A point is inside where its two-sided tail area is at least 1 - level; widths from erfinv.
def band_report(mean, f_var, noise_var, f, y, level):
    def share_and_width(points, variance):
        tails = special.erfc(np.abs(points - mean) / np.sqrt(2 * variance))
        widths = 2 * special.erfinv(level) * np.sqrt(2 * variance)
        return (tails >= 1 - level).sum() / len(points), widths.sum() / len(points)

    share_y, width_y = share_and_width(y, f_var + noise_var)
    share_f, width_f = share_and_width(f, f_var)
    return share_y, share_f, width_y, width_f


# %% bands-ends-subtracted right="band-report"
# Handed in as wrong; the text now leaves out bands that are narrow beside their distance from 0.
# Takes the ends first and subtracts them: with a mean of 1e6, a variance of 1e-6 and a level of
# 1e-3 the ends are rounded to 1e-10 and the width (2.5e-6) is off in the fifth digit.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    low_f, high_f = mean - z * np.sqrt(f_var), mean + z * np.sqrt(f_var)
    sd_y = np.sqrt(f_var + noise_var)
    low_y, high_y = mean - z * sd_y, mean + z * sd_y
    in_y = ((low_y <= y) & (y <= high_y)).mean()
    in_f = ((low_f <= f) & (f <= high_f)).mean()
    return in_y, in_f, (high_y - low_y).mean(), (high_f - low_f).mean()


# %% bands-root-of-mean wrong="band-report"
# The mean width is taken from the mean variance (root of the mean, not mean of the roots): both
# widths are too large where the variances differ.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    y_var = f_var + noise_var
    in_y = np.mean((y - mean) ** 2 <= z**2 * y_var)
    in_f = np.mean((f - mean) ** 2 <= z**2 * f_var)
    return in_y, in_f, 2 * z * np.sqrt(np.mean(y_var)), 2 * z * np.sqrt(np.mean(f_var))


# %% bands-float32-level wrong="band-report"
# The quantile in float32: a level of 1 - 1e-9 becomes 1 and the band infinite; at 1 - 1e-6 the
# widths are off by about a percent.
def band_report(mean, f_var, noise_var, f, y, level):
    z = float(torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)))
    sd_f, sd_y = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y = np.mean(np.abs(y - mean) < z * sd_y)
    in_f = np.mean(np.abs(f - mean) < z * sd_f)
    return in_y, in_f, 2 * z * sd_y.mean(), 2 * z * sd_f.mean()


# %% bands-typical-noise wrong="band-report"
# Judges the y with one noise variance for all inputs (the mean one), the widths with each its
# own: the share of y is wrong where noise differs from input to input.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    sd_f = np.sqrt(f_var)
    sd_y = np.sqrt(f_var + noise_var)
    new_sd = np.sqrt(f_var + noise_var.mean())
    in_y = np.mean(np.abs((y - mean) / new_sd) <= z)
    in_f = np.mean(np.abs((f - mean) / sd_f) <= z)
    return in_y, in_f, np.mean(2 * z * sd_y), np.mean(2 * z * sd_f)


# %% known-residual right="best-from-known"
# Solves for the slope; the variance is that of what the prediction leaves over.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    passed_on = np.linalg.solve(C[np.ix_(known, known)], C[np.ix_(known, hidden)] @ w[hidden])
    slope = np.zeros(len(w))
    slope[known] = w[known] + passed_on
    left = w - slope
    return slope, float(noise_var + left @ C @ left)


# %% known-cholesky right="best-from-known"
# One Cholesky factor with the known features first: its last block is that of the hidden ones
# given the known ones.
def best_from_known(w, C, noise_var, known):
    order = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
    k = int(known.sum())
    L = np.linalg.cholesky(C[np.ix_(order, order)])
    parts = L.T @ np.where(np.arange(len(w)) < k, 0.0, w[order])
    slope = np.zeros(len(w))
    slope[order[:k]] = w[order[:k]] + np.linalg.solve(L[:k, :k].T, parts[:k])
    return slope, float(noise_var + np.sum(parts[k:] ** 2))


# %% known-diagonal-only wrong="best-from-known"
# Adds only the conditional variances of the hidden features, not their covariances: wrong where
# two or more are hidden and correlated given the known ones.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    Ckk, Ckh = C[np.ix_(known, known)], C[np.ix_(known, hidden)]
    gain = np.linalg.solve(Ckk, Ckh)
    slope = np.zeros(len(w))
    slope[known] = w[known] + gain @ w[hidden]
    variances = np.diag(C)[hidden] - np.sum(Ckh * gain, axis=0)
    return slope, float(noise_var + np.sum(w[hidden] ** 2 * variances))


# %% known-jitter wrong="best-from-known"
# Adds 1e-6 to the diagonal before inverting: wrong where C has eigenvalues about 1e-5 or smaller,
# for example diagonal entries of 1e-5.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    Ckk = C[np.ix_(known, known)] + 1e-6 * np.eye(known.sum())
    Chk = C[np.ix_(hidden, known)]
    B = Chk @ np.linalg.inv(Ckk)
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ Chk.T
    return slope, float(w[hidden] @ rest @ w[hidden] + noise_var)


# %% known-least-squares wrong="best-from-known"
# Fits the covariances of y with ALL features by least squares, hidden rows too; only the known
# rows may count. Right for independent features and for all or none, else not.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    if known.any():
        slope[known] = np.linalg.lstsq(C[:, known], C @ w, rcond=None)[0]
    left = w - slope
    return slope, float(noise_var + left @ C @ left)


# %% known-one-at-a-time wrong="best-from-known"
# Regresses the hidden features on each known one separately: wrong where several known features
# are correlated with each other.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    Chk = C[np.ix_(hidden, known)]
    B = Chk / np.diag(C)[known]
    slope = np.zeros(len(w))
    slope[known] = w[known] + w[hidden] @ B
    rest = C[np.ix_(hidden, hidden)] - B @ Chk.T
    return slope, float(noise_var + w[hidden] @ rest @ w[hidden])
