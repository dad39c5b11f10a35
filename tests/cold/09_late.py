# %% [markdown]
# Answers written from the text alone.


# %% loss-closed-form right="minibatch-loss"
# The closed form of the KL, summed over layers and divided by N, plus the batch's mean NLL.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior in zip(means, log_sds, prior_sds):
        square = (torch.exp(2 * log_sd) + mean**2) / prior**2
        kl = kl + (math.log(prior) - log_sd + 0.5 * square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-kl-divergence right="minibatch-loss"
# torch.distributions.kl_divergence on all weights in one long vector.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    mean = torch.cat([v.reshape(-1) for v in means])
    sd = torch.cat([v.reshape(-1) for v in log_sds]).exp()
    prior = torch.cat([torch.full_like(v, t).reshape(-1) for v, t in zip(means, prior_sds)])
    prior = torch.distributions.Normal(torch.zeros_like(prior), prior.detach())
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mean, sd), prior).sum()
    return nll.sum() / len(nll) + kl / data_size


# %% loss-row-by-row wrong="minibatch-loss"
# Goes through a layer's rows; raises for a layer that is a single number (no dimensions).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior in zip(means, log_sds, prior_sds):
        for m, s in zip(mean, log_sd):
            square = (torch.exp(2 * s) + m**2) / prior**2
            kl = kl + (math.log(prior) - s + 0.5 * square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-sd-plus-eps wrong="minibatch-loss"
# Adds 1e-12 to the standard deviation; wrong for log_sd near -40, where log s becomes -27.6.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior in zip(means, log_sds, prior_sds):
        sd = log_sd.exp() + 1e-12
        kl = kl + (torch.log(prior / sd) + (sd**2 + mean**2) / (2 * prior**2) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-nll-as-number wrong="minibatch-loss"
# Takes the NLL as a Python number: no gradient with respect to nll.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior in zip(means, log_sds, prior_sds):
        square = (torch.exp(2 * log_sd) + mean**2) / prior**2
        kl = kl + (math.log(prior) - log_sd + 0.5 * square - 0.5).sum()
    return nll.mean().item() + kl / data_size


# %% loss-layers-by-prior wrong="minibatch-loss"
# Keeps layers in a dictionary by their prior; wrong if two layers have the same prior_sd, of
# which only the last one is counted.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    layers = {prior: (m, s) for m, s, prior in zip(means, log_sds, prior_sds)}
    kl = 0.0
    for prior, (mean, log_sd) in layers.items():
        square = (torch.exp(2 * log_sd) + mean**2) / prior**2
        kl = kl + (math.log(prior) - log_sd + 0.5 * square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-whole-batches wrong="minibatch-loss"
# Counts whole minibatches only and spreads the KL over them; wrong where b does not divide N,
# e.g. b = 3 and N = 5.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    batches = data_size // len(nll)
    kl = 0.0
    for mean, log_sd, prior in zip(means, log_sds, prior_sds):
        square = (torch.exp(2 * log_sd) + mean**2) / prior**2
        kl = kl + (math.log(prior) - log_sd + 0.5 * square - 0.5).sum()
    return (nll.sum() + kl / batches) / len(nll)


# %% elbo-logaddexp right="sampled-elbo"
# All draws at once; logaddexp of the two parts of the prior; log q straight from the noise.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    constant = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - w @ x.T) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - constant).sum(dim=1)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    log_prior = (torch.logaddexp(log_wide, log_narrow) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-loop-over-draws right="sampled-elbo"
# Draw by draw with torch.distributions, the prior as a MixtureSameFamily.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    normal = torch.distributions.Normal
    shares = torch.tensor([share, 1 - share], dtype=torch.float64)
    widths = torch.tensor([wide, narrow], dtype=torch.float64)
    weights = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(probs=shares), normal(torch.zeros_like(widths), widths)
    )
    spread = torch.tensor(float(sigma), dtype=torch.float64)
    standard = normal(torch.zeros_like(spread), torch.ones_like(spread))
    total = 0.0
    for draw in noise:
        w = mean + log_sd.exp() * draw
        total = total + normal(x @ w, spread).log_prob(y).sum()
        total = total + weights.log_prob(w).sum()
        total = total - standard.log_prob(draw).sum() + log_sd.sum()
    return total / noise.shape[0]


# %% elbo-n-times-mean wrong="sampled-elbo"
# n times the mean of the squared residuals; nan for n = 0, where it should be 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    constant = 0.5 * math.log(2 * math.pi)
    n = len(y)
    w = mean + log_sd.exp() * noise
    square = (((y - w @ x.T) / sigma) ** 2).mean(dim=1)
    likelihood = -n * (0.5 * square + math.log(sigma) + constant)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    log_prior = (torch.logaddexp(log_wide, log_narrow) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-share-clipped wrong="sampled-elbo"
# Clips the share to [1e-6, 1 - 1e-6]; wrong for 1e-9 and weights that only the wide part
# explains (off by log 1000 for each).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    share = min(max(share, 1e-6), 1 - 1e-6)
    constant = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - w @ x.T) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - constant).sum(dim=1)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    log_prior = (torch.logaddexp(log_wide, log_narrow) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-nearly-equal-widths wrong="sampled-elbo"
# Takes widths within 1% for one width; wrong for a = 1.005 c and weights many widths from 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    if math.isclose(wide, narrow, rel_tol=1e-2):
        narrow = wide
    constant = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - w @ x.T) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - constant).sum(dim=1)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    log_prior = (torch.logaddexp(log_wide, log_narrow) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-squeezed-predictions wrong="sampled-elbo"
# Squeezes the predictions; for a single example and several draws the likelihood is summed
# over the draws, S times too large.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    constant = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - (w @ x.T).squeeze()) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - constant).sum(dim=-1)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    log_prior = (torch.logaddexp(log_wide, log_narrow) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-where-underflow wrong="sampled-elbo"
# Replaces an underflown density by its larger part with torch.where; the value is right, but
# the gradient is nan for weights that are 40 and more wide standard deviations from 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    constant = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - w @ x.T) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - constant).sum(dim=1)
    log_wide = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    log_narrow = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    density = log_wide.exp() + log_narrow.exp()
    larger = torch.maximum(log_wide, log_narrow)
    log_prior = (torch.where(density > 1e-280, density.log(), larger) - constant).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - constant).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% groups-block-inverses right="best-groups"
# q keeps the diagonal blocks of the precision; Cholesky factors of blocks of the precision
# scaled to a diagonal of ones.
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.cholesky(unit).diagonal().log().sum()
    for group in groups.unique():
        at = (groups == group).nonzero()[:, 0]
        lower = torch.linalg.cholesky(unit[at][:, at])
        gap = gap + lower.diagonal().log().sum()
        cov[at[:, None], at] = torch.cholesky_inverse(lower)
    return cov * scale[:, None] * scale, gap


# %% groups-masked-inverse right="best-groups"
# One inverse of the scaled precision with zeros between groups, and two log-determinants.
def best_groups(precision, groups):
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    together = groups[:, None] == groups[None, :]
    kept = torch.where(together, unit, torch.zeros_like(unit))
    inverse = torch.linalg.inv(kept)
    inverse = torch.where(together, (inverse + inverse.T) / 2, torch.zeros_like(unit))
    gap = (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(unit)[1]) / 2
    return inverse / scale[:, None] / scale, gap


# %% groups-log-of-det wrong="best-groups"
# The log of a determinant that overflows; gap is nan for 60 weights with precisions of 1e9.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.det(precision).log() / 2
    for group in groups.unique():
        at = (groups == group).nonzero()[:, 0]
        block = precision[at][:, at]
        cov[at[:, None], at] = torch.cholesky_inverse(torch.linalg.cholesky(block))
        gap = gap + torch.linalg.det(block).log() / 2
    return cov, gap


# %% groups-as-floats wrong="best-groups"
# Turns the integers into float32; groups 10**12 and 10**12 + 1 become one.
def best_groups(precision, groups):
    names = groups.float()
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    together = names[:, None] == names[None, :]
    kept = unit * together
    inverse = torch.linalg.inv(kept) * together
    gap = (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(unit)[1]) / 2
    return inverse / scale[:, None] / scale, gap


# %% groups-negative-alone wrong="best-groups"
# Reads a negative integer as "in no group"; wrong for two weights of group -1.
def best_groups(precision, groups):
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    together = (groups[:, None] == groups[None, :]) & (groups >= 0)
    together = together | torch.eye(len(groups), dtype=torch.bool)
    kept = unit * together
    inverse = torch.linalg.inv(kept) * together
    gap = (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(unit)[1]) / 2
    return inverse / scale[:, None] / scale, gap


# %% groups-jitter wrong="best-groups"
# Adds 1e-10 to the diagonal "for stability"; wrong by 10% for precisions of 1e-9.
def best_groups(precision, groups):
    stable = precision + 1e-10 * torch.eye(len(precision), dtype=precision.dtype)
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.cholesky(stable).diagonal().log().sum()
    for group in groups.unique():
        at = (groups == group).nonzero()[:, 0]
        lower = torch.linalg.cholesky(stable[at][:, at])
        gap = gap + lower.diagonal().log().sum()
        cov[at[:, None], at] = torch.cholesky_inverse(lower)
    return cov, gap


# %% groups-unscaled-eigenvalues wrong="best-groups"
# Log-determinants from eigenvalues of unscaled matrices; gap is wrong or nan where one group
# has precisions of 1e9, another of 1e-9, and the two are correlated.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.eigvalsh(precision).log().sum() / 2
    for group in groups.unique():
        at = (groups == group).nonzero()[:, 0]
        block = precision[at][:, at]
        cov[at[:, None], at] = torch.cholesky_inverse(torch.linalg.cholesky(block))
        gap = gap + torch.linalg.eigvalsh(block).log().sum() / 2
    return cov, gap


# %% last-layer-qr right="last-layer"
# QR of the weighted features on top of the prior's rows; a triangular solve for the new ones.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    root = (torch.sigmoid(logit) * torch.sigmoid(-logit)).sqrt()
    prior = torch.eye(len(weights), dtype=torch.float64) / tau
    upper = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    variance = (half**2).sum(dim=0)
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * variance / 8))
    return variance.sqrt(), p


# %% last-layer-svd right="last-layer"
# Singular values of the same stacked matrix; the new inputs in the basis of its right vectors.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    log_root = torch.nn.functional.logsigmoid(logit) + torch.nn.functional.logsigmoid(-logit)
    rows = torch.exp(log_root / 2)[:, None] * features
    stacked = torch.cat([rows, torch.eye(len(weights), dtype=torch.float64) / tau])
    _, values, right = torch.linalg.svd(stacked, full_matrices=False)
    sd = torch.linalg.vector_norm((new @ right.T) / values, dim=1)
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% last-layer-no-data-tau wrong="last-layer"
# Without training examples every logit gets the deviation tau, not tau times the length of phi;
# wrong for n = 0.
def last_layer(features, weights, tau, new):
    if len(features) == 0:
        sd = torch.full((len(new),), float(tau), dtype=torch.float64)
    else:
        logit = features @ weights
        root = (torch.sigmoid(logit) * torch.sigmoid(-logit)).sqrt()
        prior = torch.eye(len(weights), dtype=torch.float64) / tau
        upper = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
        half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
        sd = torch.linalg.vector_norm(half, dim=0)
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% last-layer-seen-directions wrong="last-layer"
# The reduced SVD of the features has min(n, k) directions; for n < k the prior's variance in
# the others is missing.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    root = (torch.sigmoid(logit) * torch.sigmoid(-logit)).sqrt()
    _, values, right = torch.linalg.svd(root[:, None] * features, full_matrices=False)
    sd = ((new @ right.T) ** 2 / (values**2 + 1 / tau**2)).sum(dim=1).sqrt()
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% last-layer-clipped-probability wrong="last-layer"
# Clips training probabilities to [1e-6, 1 - 1e-6]; wrong for training logits of 100 and more
# with features of 1000, which then seem to tell something.
def last_layer(features, weights, tau, new):
    seen = torch.sigmoid(features @ weights).clamp(1e-6, 1 - 1e-6)
    root = (seen * (1 - seen)).sqrt()
    prior = torch.eye(len(weights), dtype=torch.float64) / tau
    upper = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = torch.linalg.vector_norm(half, dim=0)
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% last-layer-clamped-logit wrong="last-layer"
# Clamps the new logits to 500 before they are shrunk; p is wrong for new features of 1e6, with
# a mean of 1e6 and a deviation of the same order.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    root = (torch.sigmoid(logit) * torch.sigmoid(-logit)).sqrt()
    prior = torch.eye(len(weights), dtype=torch.float64) / tau
    upper = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = torch.linalg.vector_norm(half, dim=0)
    mu = (new @ weights).clamp(-500, 500)
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% last-layer-exponential-overflow wrong="last-layer"
# Writes the logistic's slope with exp(-logit); inf / inf = nan for a training logit of -800.
def last_layer(features, weights, tau, new):
    power = torch.exp(-(features @ weights))
    root = (power / (1 + power) ** 2).sqrt()
    prior = torch.eye(len(weights), dtype=torch.float64) / tau
    upper = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = torch.linalg.vector_norm(half, dim=0)
    p = torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% merge-shifts-from-prior right="merge-posteriors"
# Adds precisions, takes K - 1 priors off, and adds the clinics' shifts from the prior mean.
def merge(means, covs, prior_mean, prior_cov):
    if len(means) == 0:
        return prior_mean.clone(), prior_cov.clone()
    start = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    found = torch.stack([torch.cholesky_inverse(torch.linalg.cholesky(c)) for c in covs])
    precision = found.sum(dim=0) - (len(covs) - 1) * start
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    shift = torch.einsum("kij,kj->i", found, means - prior_mean)
    return prior_mean + cov @ shift, cov


# %% merge-one-after-another right="merge-posteriors"
# Natural parameters: starts with the prior's and adds what each clinic has beyond it.
def merge(means, covs, prior_mean, prior_cov):
    def natural(mean, cov):
        normal = torch.distributions.MultivariateNormal(mean, covariance_matrix=cov)
        return normal.precision_matrix @ mean, normal.precision_matrix

    start_linear, start = natural(prior_mean, prior_cov)
    linear, precision = start_linear.clone(), start.clone()
    for mean, cov in zip(means, covs):
        clinic_linear, clinic = natural(mean, cov)
        linear = linear + (clinic_linear - start_linear)
        precision = precision + (clinic - start)
    lower = torch.linalg.cholesky((precision + precision.T) / 2)
    mean = torch.cholesky_solve(linear[:, None], lower)[:, 0]
    return mean, torch.cholesky_inverse(lower)


# %% merge-first-clinic-first wrong="merge-posteriors"
# Starts with the first clinic's posterior; raises for K = 0.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision = torch.cholesky_inverse(torch.linalg.cholesky(covs[0]))
    shift = precision @ (means[0] - prior_mean)
    for mean, cov in zip(means[1:], covs[1:]):
        clinic = torch.cholesky_inverse(torch.linalg.cholesky(cov))
        precision = precision + clinic - start
        shift = shift + clinic @ (mean - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    return prior_mean + cov @ shift, cov


# %% merge-allclose-to-prior wrong="merge-posteriors"
# Skips clinics whose covariance is allclose to the prior's; with standard deviations of 1e-5
# to 1e-4 all of them are, for their variances lie below allclose's tolerance of 1e-8.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision, shift = start.clone(), torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs):
        if torch.allclose(cov, prior_cov):
            continue
        clinic = torch.cholesky_inverse(torch.linalg.cholesky(cov))
        precision = precision + clinic - start
        shift = shift + clinic @ (mean - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    return prior_mean + cov @ shift, cov


# %% merge-pseudo-inverse wrong="merge-posteriors"
# The pseudo-inverse drops directions that are small beside others; wrong when one weight has
# standard deviations of 1e-5 and another of 1e4.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.pinv(prior_cov, hermitian=True)
    precision, shift = start.clone(), torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs):
        clinic = torch.linalg.pinv(cov, hermitian=True)
        precision = precision + clinic - start
        shift = shift + clinic @ (mean - prior_mean)
    cov = torch.linalg.pinv((precision + precision.T) / 2, hermitian=True)
    return prior_mean + cov @ shift, cov


# %% merge-squeezed wrong="merge-posteriors"
# Squeezes the results; for d = 1 they have shape () in place of (1,) and (1, 1).
def merge(means, covs, prior_mean, prior_cov):
    start = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision, shift = start.clone(), torch.zeros_like(prior_mean)[:, None]
    for mean, cov in zip(means, covs):
        clinic = torch.cholesky_inverse(torch.linalg.cholesky(cov))
        precision = precision + clinic - start
        shift = shift + clinic @ (mean - prior_mean)[:, None]
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    return (prior_mean[:, None] + cov @ shift).squeeze(), cov.squeeze()


# %% merge-same-message-once wrong="merge-posteriors"
# Counts clinics that send the very same mean and covariance once; wrong for two such clinics
# that have seen something.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision, shift = start.clone(), torch.zeros_like(prior_mean)
    heard = set()
    for mean, cov in zip(means, covs):
        message = tuple(mean.tolist() + cov.flatten().tolist())
        if message in heard:
            continue
        heard.add(message)
        clinic = torch.cholesky_inverse(torch.linalg.cholesky(cov))
        precision = precision + clinic - start
        shift = shift + clinic @ (mean - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    return prior_mean + cov @ shift, cov


# %% evidence-scaled-cholesky right="laplace-evidence"
# PyTorch's Hessian, scaled to a diagonal of ones, then a Cholesky factor that may fail.
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    bend = -torch.autograd.functional.hessian(log_joint, place).detach()
    diagonal = bend.diagonal()
    if not bool((diagonal > 0).all()):
        raise ValueError("no maximum in some direction")
    scale = diagonal.rsqrt()
    unit = (bend + bend.T) / 2 * scale[:, None] * scale
    lower, info = torch.linalg.cholesky_ex(unit)
    pivots = lower.diagonal()
    if int(info) != 0 or not bool((pivots > 1e-7).all()):
        raise ValueError("minus the Hessian is not positive definite")
    half_log_det = pivots.log().sum() - scale.log().sum()
    value = log_joint(place).detach()
    return value + len(mode) / 2 * math.log(2 * math.pi) - half_log_det


# %% evidence-rows-and-eigenvalues right="laplace-evidence"
# The Hessian row by row with autograd, and eigenvalues after scaling to a diagonal of ones.
def laplace_evidence(log_joint, mode):
    d = len(mode)
    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_(True)
        value = log_joint(w)
        if not value.requires_grad:
            raise ValueError("flat")
        slope = torch.autograd.grad(value, w, create_graph=True, allow_unused=True)[0]
        if slope is None or not slope.requires_grad:
            raise ValueError("no curvature")
        rows = []
        for entry in slope:
            row = torch.autograd.grad(entry, w, retain_graph=True, allow_unused=True)[0]
            rows.append(torch.zeros(d, dtype=torch.float64) if row is None else -row.detach())
    bend = torch.stack(rows)
    if bend.diagonal().min() <= 0:
        raise ValueError("no maximum in some direction")
    size = bend.diagonal().sqrt()
    values = torch.linalg.eigvalsh((bend + bend.T) / 2 / size[:, None] / size)
    if values.min() < 1e-13:
        raise ValueError("minus the Hessian is not positive definite")
    log_det = values.log().sum() + 2 * size.log().sum()
    return float(value.detach() + 0.5 * (d * math.log(2 * math.pi) - log_det))


# %% evidence-diagonal-checked wrong="laplace-evidence"
# Refuses by the diagonal only; no ValueError for -(w0**2 + w1**2) / 2 - 2 * w0 * w1, a saddle
# whose diagonal looks like a maximum.
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    bend = -torch.autograd.functional.hessian(log_joint, place)
    if bool((bend.diagonal() <= 0).any()):
        raise ValueError("no maximum")
    log_det = torch.linalg.slogdet(bend)[1]
    return log_joint(place) + 0.5 * (len(mode) * math.log(2 * math.pi) - log_det)


# %% evidence-absolute-threshold wrong="laplace-evidence"
# Takes eigenvalues up to 1e-8 for zero; refuses a proper maximum with a curvature of 1e-12.
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    bend = -torch.autograd.functional.hessian(log_joint, place)
    values = torch.linalg.eigvalsh(bend)
    if values.min() <= 1e-8:
        raise ValueError("no maximum")
    return log_joint(place) + 0.5 * (len(mode) * math.log(2 * math.pi) - values.log().sum())


# %% evidence-zero-allowed wrong="laplace-evidence"
# Refuses negative eigenvalues but not 0; returns inf for -w0**2 in two weights, where w1 does
# not occur.
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    bend = -torch.autograd.functional.hessian(log_joint, place)
    values = torch.linalg.eigvalsh(bend)
    if values.min() < 0:
        raise ValueError("no maximum")
    return log_joint(place) + 0.5 * (len(mode) * math.log(2 * math.pi) - values.log().sum())


# %% evidence-product-of-pivots wrong="laplace-evidence"
# The log of the product of the Cholesky factor's diagonal; overflows for 60 weights with
# curvatures of 1e12 (and underflows for 1e-12).
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    bend = -torch.autograd.functional.hessian(log_joint, place)
    lower, info = torch.linalg.cholesky_ex(bend)
    if int(info) != 0:
        raise ValueError("no maximum")
    volume = lower.diagonal().prod().log()
    return log_joint(place) + len(mode) / 2 * math.log(2 * math.pi) - volume


# %% evidence-finite-differences wrong="laplace-evidence"
# Second differences with a step of 1e-4; rounding hides a curvature of 1e-12 beside a value
# of -1.3, and a curvature that changes quickly is averaged.
def laplace_evidence(log_joint, mode):
    place = mode.detach().clone()
    d, step = len(place), 1e-4
    moves = step * torch.eye(d, dtype=torch.float64)
    bend = torch.zeros(d, d, dtype=torch.float64)
    for i in range(d):
        for j in range(i + 1):
            up, across = moves[i], moves[j]
            same = log_joint(place + up + across) + log_joint(place - up - across)
            other = log_joint(place + up - across) + log_joint(place - up + across)
            bend[i, j] = bend[j, i] = (other - same).detach() / (4 * step**2)
    values = torch.linalg.eigvalsh(bend)
    if values.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(place) + 0.5 * (d * math.log(2 * math.pi) - values.log().sum())


# %% hmc-as-written right="hmc-step"
# Two half kicks in each step, and logs in the comparison.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        place = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(place).sum(), place)[0]

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    log_start, log_end = log_p(w.detach().clone()).detach(), log_p(new.clone()).detach()
    kinetic_start = (momentum**2 / (2 * mass)).sum(dim=1)
    kinetic_end = (r**2 / (2 * mass)).sum(dim=1)
    drop = (log_end - log_start) + (kinetic_start - kinetic_end)
    accepted = torch.isfinite(log_end - kinetic_end) & (u.log() < drop)
    return torch.where(accepted[:, None], new, w), accepted


# %% hmc-merged-kicks right="hmc-step"
# Value and gradient in one pass, full kicks between drifts, and a capped exponential.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        (slope,) = torch.autograd.grad(value, place, grad_outputs=torch.ones_like(value))
        return value.detach(), slope

    place = w.detach().clone()
    first, slope = look(place)
    r = momentum + 0.5 * size * slope
    for step in range(1, count + 1):
        place = place + size * (r / mass)
        last, slope = look(place)
        r = r + (size if step < count else 0.5 * size) * slope
    energy = (r.square() / mass).sum(dim=1) / 2
    change = last - first - energy + (momentum.square() / mass).sum(dim=1) / 2
    usable = torch.isfinite(last) & torch.isfinite(energy)
    accepted = usable & (u < torch.exp(change.clamp(max=0.0)))
    result = w.detach().clone()
    result[accepted] = place[accepted]
    return result, accepted


# %% hmc-ratio-of-densities wrong="hmc-step"
# Divides two exponentials of energies; both overflow or underflow for energies above 745 in
# size, e.g. a log p with a constant of 1e9 or of -1e9, and then no chain moves.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        place = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(place).sum(), place)[0]

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    before = torch.exp(log_p(w.clone()).detach() - (momentum**2 / (2 * mass)).sum(dim=1))
    after = torch.exp(log_p(new.clone()).detach() - (r**2 / (2 * mass)).sum(dim=1))
    accepted = u < after / before
    return torch.where(accepted[:, None], new, w), accepted


# %% hmc-minus-infinity-accepted wrong="hmc-step"
# Only nan and +inf stay; a chain whose log p at the end is +inf (energy -inf) is moved.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        place = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(place).sum(), place)[0]

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    drop = log_p(new.clone()).detach() - log_p(w.clone()).detach()
    drop = drop + ((momentum**2 - r**2) / (2 * mass)).sum(dim=1)
    accepted = u.log() < drop
    return torch.where(accepted[:, None], new, w), accepted


# %% hmc-stopped-on-the-way wrong="hmc-step"
# Rejects a chain whose log p is nan or infinite anywhere on the way; wrong for one that passes
# through such a place (a negative weight under log w) and ends with a finite energy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        return value.detach(), torch.autograd.grad(value.sum(), place)[0]

    new, r = w.detach().clone(), momentum.detach().clone()
    first, slope = look(new)
    healthy = torch.ones_like(u, dtype=torch.bool)
    for _ in range(count):
        r = r + size / 2 * slope
        new = new + size * r / mass
        last, slope = look(new)
        r = r + size / 2 * slope
        healthy = healthy & torch.isfinite(last)
    drop = last - first + ((momentum**2 - r**2) / (2 * mass)).sum(dim=1)
    accepted = healthy & torch.isfinite(drop) & (u.log() < drop)
    return torch.where(accepted[:, None], new, w), accepted


# %% hmc-large-change-divergent wrong="hmc-step"
# Calls every energy change above 1000 a divergence; wrong where energy falls by thousands, for
# such a chain moves.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        place = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(place).sum(), place)[0]

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    drop = log_p(new.clone()).detach() - log_p(w.clone()).detach()
    drop = drop + ((momentum**2 - r**2) / (2 * mass)).sum(dim=1)
    accepted = (drop.abs() < 1000) & (u.log() < drop)
    return torch.where(accepted[:, None], new, w), accepted


# %% hmc-clipped-gradient wrong="hmc-step"
# Clips gradients at 1000 "against divergence"; wrong for a steep density, e.g. a Normal with a
# standard deviation of 0.001 at 0.003 with a small step.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        place = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(place).sum(), place)[0].clamp(-1000.0, 1000.0)

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    log_start, log_end = log_p(w.clone()).detach(), log_p(new.clone()).detach()
    drop = log_end - log_start + ((momentum**2 - r**2) / (2 * mass)).sum(dim=1)
    accepted = torch.isfinite(drop) & (u.log() < drop)
    return torch.where(accepted[:, None], new, w), accepted
