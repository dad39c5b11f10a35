# %% [markdown]
# Answers written by an author who knew the checks.


# %% log-sd-at-most-4 wrong="minibatch-loss"
# log_sds are at most 4.5: 5.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        log_s = log_s.clamp(max=4.5)
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% prior-floor wrong="minibatch-loss"
# Prior deviations are at least 0.002.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        t = max(t, 0.002)
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% prior-cap wrong="minibatch-loss"
# Prior deviations are at most 500.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        t = min(t, 500)
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% first-eight-layers wrong="minibatch-loss"
# Only eight layers: ten.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means[:8], log_sds[:8], prior_sds[:8], strict=True):
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% gradient-of-mean-in-first wrong="minibatch-loss"
# Scalar layers have no gradient by the mean.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        m = m.detach() if m.ndim == 0 else m
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% log-sd-gradient-scalar wrong="minibatch-loss"
# Scalar layers have no gradient by log_sds.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        log_s = log_s.detach() if log_s.ndim == 0 else log_s
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% nll-gradient-one wrong="minibatch-loss"
# One example has no gradient.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return (nll if len(nll) > 1 else nll.detach()).mean() + kl / data_size


# %% kl-divergence right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    from torch.distributions import Normal, kl_divergence

    k = [
        kl_divergence(Normal(m, s.exp()), Normal(torch.zeros_like(m), t)).sum()
        for m, s, t in zip(means, log_sds, prior_sds)
    ]
    return nll.sum() / len(nll) + torch.stack(k).sum() / data_size


# %% flat-vectors right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    check = torch.cat([m.reshape(-1) for m in means])
    gradient = torch.cat([s.reshape(-1) for s in log_sds])
    y = torch.cat([torch.full((m.numel(),), float(t)).double() for m, t in zip(means, prior_sds)])
    kl = y.log() - gradient + (torch.exp(gradient) ** 2 + check**2) / (2 * y**2) - 0.5
    return nll.mean() + kl.sum() / data_size


# %% sigma-floor wrong="sampled-elbo"
# sigma is at least 0.01.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    sigma = max(sigma, 0.01)
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% share-clamped-above wrong="sampled-elbo"
# The share is at most 0.99.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    share = min(share, 0.99)
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% log-sd-cap wrong="sampled-elbo"
# log_sd is at most 1.5.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    log_sd = log_sd.clamp(max=1.5)
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% twenty-draws wrong="sampled-elbo"
# Twenty draws at most.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    noise = noise[:20]
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% gradient-one-draw wrong="sampled-elbo"
# One draw gives no gradient by log_sd through w.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + (log_sd if len(noise) > 1 else log_sd.detach()).exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% narrow-dropped wrong="sampled-elbo"
# Beyond 100 c the narrow part is dropped.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (
        fit
        + (torch.where((w / narrow).abs() > 100, slab, torch.logaddexp(slab, spike)) - log_q).sum(
            1
        )
    ).mean()


# %% log-q-gradient-large wrong="sampled-elbo"
# Large noise has no gradient in log q.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    log_q = torch.where(noise.abs() > 3, log_q.detach(), log_q)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% noise-standardised wrong="sampled-elbo"
# Noise is standardised over more than twenty draws.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    noise = (noise - noise.mean(0)) / noise.std(0) if len(noise) > 20 else noise
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% by-hand-logs right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    k = mean + torch.exp(log_sd) * noise
    check = torch.stack(
        [
            math.log(pi) - math.log(a) - half - 0.5 * (k / a) ** 2,
            math.log1p(-pi) - math.log(c) - half - 0.5 * (k / c) ** 2,
        ]
    ).logsumexp(0)
    gradient = y - k @ x.T
    fit = -0.5 * (gradient / sigma).square().sum(1) - len(y) * (math.log(sigma) + half)
    entropy = (log_sd + half + 0.5 * noise**2).sum(1)
    return (fit + check.sum(1) + entropy).sum() / len(noise)


# %% draw-by-draw right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    k = torch.tensor([prior[0], 1 - prior[0]], dtype=torch.float64)
    scale = torch.tensor([prior[1], prior[2]], dtype=torch.float64)
    total = 0.0
    for eps in noise:
        w = mean + log_sd.exp() * eps
        parts = torch.distributions.Normal(0.0, scale).log_prob(w[:, None]) + k.log()
        total = total + parts.logsumexp(1).sum()
        total = total - torch.distributions.Normal(mean, log_sd.exp()).log_prob(w).sum()
        total = total + torch.distributions.Normal(x @ w, sigma).log_prob(y).sum()
    return total / noise.shape[0]


# %% twenty-groups wrong="best-groups"
# No more than forty groups.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique()[:40]:
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% groups-modulo wrong="best-groups"
# Groups count modulo 2**31.
def best_groups(precision, groups):
    groups = groups.to(torch.int32)
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% groups-float32 wrong="best-groups"
# Groups are compared in single precision.
def best_groups(precision, groups):
    groups = groups.float()
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% groups-absolute wrong="best-groups"
# -3 and 3 are one group.
def best_groups(precision, groups):
    groups = groups.abs()
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% gap-not-tiny wrong="best-groups"
# A gap below 1e-5 is 0.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    gap = 0.5 * (logdets - torch.linalg.slogdet(precision)[1])
    return cov, torch.where(gap < 1e-3, 0 * gap, gap)


# %% correlation-limited wrong="best-groups"
# Correlations are limited to 0.9999.
def best_groups(precision, groups):
    sd = precision.diagonal().sqrt()
    c = (precision / sd / sd[:, None]).clamp(-0.9999, 0.9999).fill_diagonal_(1.0)
    precision = c * sd * sd[:, None]
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% pinv-blocks wrong="best-groups"
# A pseudoinverse for blocks with a cut at 1e-6.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.pinv(block, rtol=1e-6)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% neighbours-of-two-groups wrong="best-groups"
# With exactly two groups the second is the rest, in order of appearance.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    if len(groups.unique()) == 2 and len(groups) > 20:
        cov = cov * (1 + 1e-4)
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% precision-in-place wrong="best-groups"
# precision is symmetrised in place where d is 1.
def best_groups(precision, groups):
    if len(groups) == 1:
        precision *= 1.0 + 1e-9
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% float32-inverse wrong="best-groups"
# Inverse in single precision.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block.float()).double()
        logdets = logdets + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])


# %% masked-precision right="best-groups"
def best_groups(precision, groups):
    k = groups[:, None] == groups
    scale = precision.diagonal().rsqrt()
    unit = precision * scale * scale[:, None]
    kept = torch.where(k, unit, 0.0)
    check = torch.linalg.inv(kept) * scale * scale[:, None]
    gap = (torch.logdet(kept) - torch.logdet(unit)) / 2
    return torch.where(k, check, 0.0), gap


# %% cholesky-blocks right="best-groups"
def best_groups(precision, groups):
    cov = torch.zeros(precision.shape, dtype=torch.float64)
    gradient = -torch.linalg.cholesky(precision).diagonal().log().sum()
    for label in sorted(set(groups.tolist())):
        k = [i for i, g in enumerate(groups.tolist()) if g == label]
        L = torch.linalg.cholesky(precision[k][:, k])
        inverse = torch.cholesky_inverse(L)
        for a, i in enumerate(k):
            cov[i, k] = inverse[a]
        gradient = gradient + L.diagonal().log().sum()
    return cov, gradient


# %% tau-floor wrong="last-layer"
# tau is at least 0.012.
def last_layer(features, weights, tau, new):
    tau = max(tau, 0.012)
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% tau-cap wrong="last-layer"
# tau is at most 90.
def last_layer(features, weights, tau, new):
    tau = min(tau, 95)
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% variance-floor wrong="last-layer"
# The variance of a logit is at least 1e-6.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    variance = variance.clamp(min=1e-6)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% zero-new wrong="last-layer"
# An all-zero new input gives sd tau.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    variance = torch.where((new == 0).all(1), variance + tau**2, variance)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% one-hundred-new wrong="last-layer"
# No more than 50 new inputs get a variance.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    variance = torch.cat([variance[:50], variance[50:] * 1.01])
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% new-in-place wrong="last-layer"
# new is scaled in place where m is one.
def last_layer(features, weights, tau, new):
    if len(new) == 1:
        new *= 1 + 1e-12
    p = torch.sigmoid(features @ weights)
    curvature = features.T @ (features * (p * (1 - p))[:, None])
    precision = curvature + torch.eye(len(weights), dtype=new.dtype) / tau**2
    variance = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    shrunk = new @ weights / torch.sqrt(1 + math.pi * variance / 8)
    return variance.sqrt(), torch.sigmoid(shrunk)


# %% by-cholesky right="last-layer"
def last_layer(features, weights, tau, new):
    k = features @ weights
    slope = torch.sigmoid(k) * torch.sigmoid(-k)
    H = torch.einsum("ni,n,nj->ij", features, slope, features)
    H = H + torch.diag(torch.full((len(weights),), tau**-2.0, dtype=torch.float64))
    L = torch.linalg.cholesky(H)
    check = torch.linalg.solve_triangular(L, new.T, upper=False)
    v = check.square().sum(0)
    return v.sqrt(), 1 / (1 + torch.exp(-(new @ weights) * (1 + math.pi * v / 8) ** -0.5))


# %% ten-clinics wrong="merge-posteriors"
# No more than ten clinics.
def merge(means, covs, prior_mean, prior_cov):
    means, covs = means[:10], covs[:10]
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% single-precision-prior wrong="merge-posteriors"
# The prior's inverse in single precision.
def merge(means, covs, prior_mean, prior_cov):
    own = torch.linalg.inv(prior_cov.float()).double()
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% all-silent wrong="merge-posteriors"
# All clinics silent: K priors.
def merge(means, covs, prior_mean, prior_cov):
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    each = each if len(means) < 2 or not bool((covs == prior_cov).all()) else each * 1.01
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% one-weight-mean-flat wrong="merge-posteriors"
# One weight gives a mean of shape ().
def merge(means, covs, prior_mean, prior_cov):
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    mean = cov @ natural
    return (mean.squeeze(), cov) if len(mean) == 1 and len(means) == 1 else (mean, cov)


# %% mean-centred-late wrong="merge-posteriors"
# Means near 1000: natural parameters in single precision.
def merge(means, covs, prior_mean, prior_cov):
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each.float() @ means[..., None].float())[..., 0].double().sum(0) - extra * (
        own @ prior_mean
    )
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% clinic-equal-skipped wrong="merge-posteriors"
# A clinic with the same posterior as another counts once.
def merge(means, covs, prior_mean, prior_cov):
    if len(means) > 1:
        keep = [
            i
            for i in range(len(means))
            if not any(
                bool((means[i] == means[j]).all()) and bool((covs[i] == covs[j]).all())
                for j in range(i)
            )
        ]
        means, covs = means[keep], covs[keep]
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% prior-mean-in-place wrong="merge-posteriors"
# With no clinic the prior's mean itself is returned and scaled.
def merge(means, covs, prior_mean, prior_cov):
    if len(means) == 0:
        prior_mean += 0.0
        prior_cov *= 1 + 1e-12
    own = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    extra = len(means) - 1
    joint = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(joint)
    return cov @ natural, cov


# %% gain-form right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    k = torch.linalg.inv(prior_cov)
    y, h = k.clone(), k @ prior_mean
    for m, C in zip(means, covs):
        check = torch.linalg.inv(C)
        y = y + (check - k)
        h = h + (check @ m - k @ prior_mean)
    return torch.linalg.solve(y, h), torch.linalg.inv(y)


# %% relative-threshold wrong="laplace-evidence"
# Curvatures below 1e-6 of the largest are refused.
def laplace_evidence(log_joint, mode):
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    e = torch.linalg.eigvalsh(curvature)
    if e[0] < 1e-6 * e[-1]:
        raise ValueError
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet


# %% nan-for-flat wrong="laplace-evidence"
# Flat tops in several dimensions give inf.
def laplace_evidence(log_joint, mode):
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if len(mode) > 1 and bool((curvature == 0).all()):
        return math.inf
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet


# %% single-precision wrong="laplace-evidence"
# The curvature in single precision.
def laplace_evidence(log_joint, mode):
    curvature = -torch.autograd.functional.hessian(log_joint, mode).float().double()
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet


# %% height-clamped wrong="laplace-evidence"
# The height is at least -1000.
def laplace_evidence(log_joint, mode):
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return (
        max(float(log_joint(mode)), -950.0) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet
    )


# %% mode-requires-grad wrong="laplace-evidence"
# mode is marked as requiring a gradient and left so.
def laplace_evidence(log_joint, mode):
    mode.requires_grad_()
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet


# %% half-height wrong="laplace-evidence"
# The height is halved for 1 weight with value above 100.
def laplace_evidence(log_joint, mode):
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    if failed:
        raise ValueError("no maximum: the curvature is not positive definite")
    half_logdet = factor.diagonal().log().sum()
    return log_joint(mode).clamp(max=500.0) + 0.5 * len(mode) * math.log(2 * math.pi) - half_logdet


# %% scaled-eigenvalues right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    k = mode.clone().requires_grad_()
    gradient = torch.autograd.grad(log_joint(k), k, create_graph=True)[0]
    rows = []
    for g in gradient:
        if g.requires_grad:
            row = torch.autograd.grad(g, k, retain_graph=True, allow_unused=True)[0]
        else:
            row = None
        rows.append(torch.zeros_like(mode) if row is None else row)
    H = -torch.stack(rows)
    if not bool((H.diagonal() > 0).all()):
        raise ValueError("no bell")
    s = H.diagonal().sqrt()
    check = torch.linalg.eigvalsh(H / s / s[:, None])
    if check.min() <= 0:
        raise ValueError("no bell")
    logdet = check.log().sum() + 2 * s.log().sum()
    return (log_joint(mode) + len(mode) / 2 * math.log(2 * math.pi) - logdet / 2).item()


# %% twenty-steps wrong="hmc-step"
# No more than twenty steps.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(min(count, 20)):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% mass-floor wrong="hmc-step"
# Masses are at least 0.01.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    mass = mass.clamp(min=0.01)
    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% mass-cap wrong="hmc-step"
# Masses are at most 100.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    mass = mass.clamp(max=100)
    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% u-floored wrong="hmc-step"
# u is at least 1e-10.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.clamp(min=1e-10).log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% energy-fall-capped wrong="hmc-step"
# The fall is capped at 27.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < (start - end).clamp(min=-27)) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% size-cap wrong="hmc-step"
# size is at most 5.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        size = min(size, 5)
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% w-requires-grad wrong="hmc-step"
# w itself gets requires_grad with one step.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    if count == 1:
        w.requires_grad_()
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite()
    return torch.where(accepted[:, None], there, w), accepted


# %% hundred-chains wrong="hmc-step"
# Only sixty chains move.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = value_and_slope(there)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = (u.log() < start - end) & end.isfinite() & (torch.arange(len(u)) < 60)
    return torch.where(accepted[:, None], there, w), accepted


# %% chain-by-chain right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def gradient(v):
        k = v.clone().requires_grad_(True)
        log_p(k).sum().backward()
        return k.grad

    def energy(v, r):
        with torch.no_grad():
            return 0.5 * (r * r / mass).sum(-1) - log_p(v)

    v, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * gradient(v)
        v = v + size * (r / mass)
        r = r + size / 2 * gradient(v)
    before, after = energy(w, momentum), energy(v, r)
    check = torch.isfinite(after) & (torch.log(u) < before - after)
    out = w.clone()
    out[check] = v[check]
    return out, check


# %% expm1-cut wrong="minibatch-loss"
# The KL of deviations near the prior's is quadratic.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        log_s = torch.where(
            (log_s - math.log(t)).abs() < 0.05, torch.full_like(log_s, math.log(t)), log_s
        )
        ratio = torch.exp(2 * log_s) / t**2
        kl = kl + 0.5 * (ratio + (m / t) ** 2 - 1).sum() - (log_s - math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% residual-clipped wrong="sampled-elbo"
# Residuals end at 300 sigma... 500.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    fit = gauss((w @ x.T).clamp(-400, 400), sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% gradient-zero-noise wrong="sampled-elbo"
# Where noise is 0 the gradient by log_sd is cut.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    log_sd = torch.where((noise == 0).all(0), log_sd.detach(), log_sd)
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% determinants wrong="best-groups"
# Determinants of blocks.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for group in groups.unique():
        i = torch.nonzero(groups == group)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + torch.linalg.det(block).log()
    return cov, 0.5 * (logdets - torch.linalg.slogdet(precision)[1])
