# %% [markdown]
# Answers written from the text alone.


# %% loss-by-hand right="minibatch-loss"
# Mean NLL plus the closed-form KL of all layers over N, in logs of the ratio of sds.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = torch.zeros((), dtype=torch.float64)
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds, strict=True):
        ratio = log_sd - math.log(prior_sd)
        kl = kl + (0.5 * ((2 * ratio).exp() + (mean / prior_sd) ** 2 - 1) - ratio).sum()
    return nll.mean() + kl / data_size


# %% loss-by-distributions right="minibatch-loss"
# All layers are laid out as one vector, and torch.distributions gives the KL.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    from torch.distributions import Normal, kl_divergence

    mean = torch.cat([m.reshape(-1) for m in means])
    sd = torch.cat([s.reshape(-1) for s in log_sds]).exp()
    prior = torch.cat(
        [torch.full((m.numel(),), float(t), dtype=m.dtype) for m, t in zip(means, prior_sds)]
    )
    kl = kl_divergence(Normal(mean, sd), Normal(torch.zeros_like(prior), prior)).sum()
    return nll.sum() / nll.shape[0] + kl / data_size


# %% loss-whole-batches-only wrong="minibatch-loss"
# The KL is split over N // b minibatches of b examples: wrong if b does not divide N (b=3, N=5).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    batches = data_size // nll.shape[0]
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds):
        var = (2 * log_sd).exp()
        kl = kl + (math.log(prior_sd) - log_sd + (var + mean**2) / (2 * prior_sd**2) - 0.5).sum()
    return (nll.sum() + kl / batches) / nll.shape[0]


# %% loss-nll-as-number wrong="minibatch-loss"
# The NLL enters as a number: the value is right, but no gradient flows to nll.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds):
        var = (2 * log_sd).exp()
        kl = kl + (math.log(prior_sd) - log_sd + (var + mean**2) / (2 * prior_sd**2) - 0.5).sum()
    return nll.mean().item() + kl / data_size


# %% loss-guarded-log wrong="minibatch-loss"
# A guard of 1e-12 in the log of the variance: wrong for log_sds below about -12, as -40.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds):
        var = (2 * log_sd).exp()
        ratio = (var + mean**2) / prior_sd**2
        kl = kl + 0.5 * (ratio - 1 - torch.log(var + 1e-12) + 2 * math.log(prior_sd)).sum()
    return nll.mean() + kl / data_size


# %% loss-eats-the-priors wrong="minibatch-loss"
# Takes the prior sds off the caller's list, which is empty afterwards: an input is changed.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd in zip(means, log_sds):
        prior_sd = prior_sds.pop(0)
        var = (2 * log_sd).exp()
        kl = kl + (math.log(prior_sd) - log_sd + (var + mean**2) / (2 * prior_sd**2) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% elbo-logaddexp right="sampled-elbo"
# Normal log densities by hand, the prior by logaddexp, log q straight from the noise.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    const = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    log_lik = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - const).sum(1)
    log_wide = math.log(share) - 0.5 * (w / wide) ** 2 - math.log(wide) - const
    log_narrow = math.log1p(-share) - 0.5 * (w / narrow) ** 2 - math.log(narrow) - const
    log_prior = torch.logaddexp(log_wide, log_narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - const).sum(1)
    return (log_lik + log_prior - log_q).mean()


# %% elbo-mixture-object right="sampled-elbo"
# MixtureSameFamily in float64 for the prior, Normal for the likelihood; one draw after another.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    share, wide, narrow = prior
    scales = torch.tensor([wide, narrow], dtype=torch.float64)
    shares = torch.tensor([share, 1 - share], dtype=torch.float64)
    mixture = MixtureSameFamily(Categorical(shares), Normal(torch.zeros_like(scales), scales))
    total = torch.zeros((), dtype=torch.float64)
    for row in noise:
        w = mean + log_sd.exp() * row
        total = total + Normal(x @ w, float(sigma)).log_prob(y).sum()
        total = total + mixture.log_prob(w).sum()
        total = total + (log_sd + 0.5 * row**2 + 0.5 * math.log(2 * math.pi)).sum()
    return total / noise.shape[0]


# %% elbo-mean-times-n wrong="sampled-elbo"
# The likelihood is n times a mean over draws and examples: nan for n = 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    const = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    errors = (y - w @ x.T) / sigma
    log_lik = x.shape[0] * (-0.5 * errors**2 - math.log(sigma) - const).mean()
    log_wide = math.log(share) - 0.5 * (w / wide) ** 2 - math.log(wide) - const
    log_narrow = math.log1p(-share) - 0.5 * (w / narrow) ** 2 - math.log(narrow) - const
    log_prior = torch.logaddexp(log_wide, log_narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - const).sum(1)
    return log_lik + (log_prior - log_q).mean()


# %% elbo-single-shares wrong="sampled-elbo"
# The shares are float32, where Categorical raises them to 1.2e-7: wrong for pi = 1e-9 and w >> c.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    share, wide, narrow = prior
    scales = torch.tensor([wide, narrow], dtype=torch.float64)
    shares = Categorical(torch.tensor([share, 1 - share]))
    mixture = MixtureSameFamily(shares, Normal(torch.zeros_like(scales), scales))
    w = mean + log_sd.exp() * noise
    log_lik = Normal(w @ x.T, float(sigma)).log_prob(y).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - 0.5 * math.log(2 * math.pi)).sum(1)
    return (log_lik + mixture.log_prob(w).sum(1) - log_q).mean()


# %% elbo-rescued-by-where wrong="sampled-elbo"
# Where the density underflows (|w| > 38 a), where takes the larger part: the gradient is nan.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    const = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    log_lik = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - const).sum(1)
    log_wide = math.log(share) - 0.5 * (w / wide) ** 2 - math.log(wide) - const
    log_narrow = math.log1p(-share) - 0.5 * (w / narrow) ** 2 - math.log(narrow) - const
    density = log_wide.exp() + log_narrow.exp()
    larger = torch.maximum(log_wide, log_narrow)
    log_prior = torch.where(density > 1e-290, density.log(), larger).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - const).sum(1)
    return (log_lik + log_prior - log_q).mean()


# %% elbo-wide-part-far-out wrong="sampled-elbo"
# Beyond 30 c only the wide part counts: wrong if a is close to c (a = 1.001 c, w = 31 c).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    const = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    log_lik = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - const).sum(1)
    log_wide = math.log(share) - 0.5 * (w / wide) ** 2 - math.log(wide) - const
    near = w.clamp(-30 * narrow, 30 * narrow)
    log_narrow = math.log1p(-share) - 0.5 * (near / narrow) ** 2 - math.log(narrow) - const
    both = torch.logaddexp(log_wide, log_narrow)
    log_prior = torch.where(w.abs() > 30 * narrow, log_wide, both).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - const).sum(1)
    return (log_lik + log_prior - log_q).mean()


# %% groups-masked-cholesky right="best-groups"
# The precision is scaled to a unit diagonal and masked; two Cholesky factors give all.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    lower = torch.linalg.cholesky(torch.where(same, unit, torch.zeros_like(unit)))
    cov = torch.cholesky_inverse(lower) / scale[:, None] / scale
    cov = torch.where(same, cov, torch.zeros_like(cov))
    whole = torch.linalg.cholesky(unit)
    gap = lower.diagonal().log().sum() - whole.diagonal().log().sum()
    return cov, gap


# %% groups-in-a-loop right="best-groups"
# Group after group: invert the scaled block, and add its slogdet.
def best_groups(precision, groups):
    scale = precision.diagonal().sqrt()
    unit = precision / torch.outer(scale, scale)
    cov = torch.zeros_like(precision)
    log_dets = -torch.linalg.slogdet(unit).logabsdet
    for name in sorted(set(groups.tolist())):
        at = torch.tensor([j for j, g in enumerate(groups.tolist()) if g == name])
        block = unit[at][:, at]
        inverse = torch.linalg.inv(block)
        inverse = 0.5 * (inverse + inverse.T)
        cov[at[:, None], at] = inverse / torch.outer(scale[at], scale[at])
        log_dets = log_dets + torch.linalg.slogdet(block).logabsdet
    return cov, 0.5 * log_dets


# %% groups-as-floats wrong="best-groups"
# Groups are compared as float32: 10**12 and 10**12 + 1 become one group.
def best_groups(precision, groups):
    names = groups.float()
    same = names[:, None] == names[None, :]
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    lower = torch.linalg.cholesky(torch.where(same, unit, torch.zeros_like(unit)))
    cov = torch.cholesky_inverse(lower) / scale[:, None] / scale
    cov = torch.where(same, cov, torch.zeros_like(cov))
    whole = torch.linalg.cholesky(unit)
    gap = lower.diagonal().log().sum() - whole.diagonal().log().sum()
    return cov, gap


# %% groups-plain-det wrong="best-groups"
# The gap takes logs of determinants: inf or nan for 60 weights of precision 1e9 or 1e-9.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    masked = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.cholesky_inverse(torch.linalg.cholesky(masked))
    cov = torch.where(same, cov, torch.zeros_like(cov))
    gap = 0.5 * (torch.linalg.det(masked).log() - torch.linalg.det(precision).log())
    return cov, gap


# %% groups-pinv wrong="best-groups"
# A pseudo-inverse of all blocks at once cuts off small ones: wrong for precisions 1e9 and 1e-9.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    masked = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.linalg.pinv(masked, hermitian=True)
    cov = torch.where(same, cov, torch.zeros_like(cov))
    scale = precision.diagonal().sqrt()
    outer = torch.outer(scale, scale)
    inside, whole = torch.linalg.slogdet(masked / outer), torch.linalg.slogdet(precision / outer)
    return cov, 0.5 * (inside.logabsdet - whole.logabsdet)


# %% groups-with-jitter wrong="best-groups"
# Adds 1e-9 to the diagonal for stability: half the covariance for a precision of 1e-9.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    safe = precision + 1e-9 * torch.eye(precision.shape[0], dtype=precision.dtype)
    lower = torch.linalg.cholesky(torch.where(same, safe, torch.zeros_like(safe)))
    cov = torch.cholesky_inverse(lower)
    cov = torch.where(same, cov, torch.zeros_like(cov))
    gap = lower.diagonal().log().sum() - torch.linalg.cholesky(safe).diagonal().log().sum()
    return cov, gap


# %% layer-by-qr right="last-layer"
# QR of weighted features over the root of the prior precision; no precision matrix is formed.
def last_layer(features, weights, tau, new):
    from torch.nn.functional import logsigmoid

    logits = features @ weights
    root = (0.5 * (logsigmoid(logits) + logsigmoid(-logits))).exp()
    eye = torch.eye(weights.shape[0], dtype=weights.dtype)
    factor = torch.linalg.qr(torch.cat([root[:, None] * features, eye / tau]), mode="r").R
    sd = torch.linalg.solve_triangular(factor.T, new.T, upper=False).norm(dim=0)
    p = torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% layer-by-svd right="last-layer"
# Singular values of the same stacked matrix; the sd is a norm in its right singular vectors.
def last_layer(features, weights, tau, new):
    logits = features @ weights
    root = torch.sqrt(torch.sigmoid(logits) * torch.sigmoid(-logits))
    prior = torch.diag(torch.full_like(weights, 1 / tau))
    stacked = torch.vstack([features * root.unsqueeze(1), prior])
    _, size, rows = torch.linalg.svd(stacked, full_matrices=False)
    sd = ((new @ rows.T) / size).square().sum(1).sqrt()
    mean = new @ weights
    return sd, 1 / (1 + torch.exp(-mean / (1 + math.pi / 8 * sd.square()).sqrt()))


# %% layer-squeezed wrong="last-layer"
# A squeeze at the end: for a single new input (m = 1) the shapes are () instead of (1,).
def last_layer(features, weights, tau, new):
    logits = features @ weights
    root = torch.sqrt(torch.sigmoid(logits) * torch.sigmoid(-logits))
    eye = torch.eye(weights.shape[0], dtype=weights.dtype)
    factor = torch.linalg.qr(torch.cat([root[:, None] * features, eye / tau]), mode="r").R
    sd = torch.linalg.solve_triangular(factor.T, new.T, upper=False).norm(dim=0).squeeze()
    p = torch.sigmoid((new @ weights).squeeze() / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, p


# %% layer-one-minus-p right="last-layer"
# Written as wrong, rightly so by the text as it was; tau is smaller now where features are large.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    root = (p * (1 - p)).sqrt()
    eye = torch.eye(weights.shape[0], dtype=weights.dtype)
    factor = torch.linalg.qr(torch.cat([root[:, None] * features, eye / tau]), mode="r").R
    sd = torch.linalg.solve_triangular(factor.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% layer-explicit-inverse right="last-layer"
# Written as wrong; tau is smaller now where features are large, and the inverse good enough.
def last_layer(features, weights, tau, new):
    logits = features @ weights
    d = torch.sigmoid(logits) * torch.sigmoid(-logits)
    eye = torch.eye(weights.shape[0], dtype=weights.dtype)
    cov = torch.linalg.inv(features.T @ (d[:, None] * features) + eye / tau**2)
    var = ((new @ cov) * new).sum(1).clamp(min=0)
    return var.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * var / 8))


# %% layer-floored-weights wrong="last-layer"
# Weights of examples are at least 1e-10: wrong for logits of 900, features of 1000 and tau = 100.
def last_layer(features, weights, tau, new):
    logits = features @ weights
    d = (torch.sigmoid(logits) * torch.sigmoid(-logits)).clamp(min=1e-10)
    eye = torch.eye(weights.shape[0], dtype=weights.dtype)
    stacked = torch.cat([d.sqrt()[:, None] * features, eye / tau])
    factor = torch.linalg.qr(stacked, mode="r").R
    sd = torch.linalg.solve_triangular(factor.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% merge-all-at-once right="merge-posteriors"
# Scaled Cholesky inverses of the whole batch; the mean is the prior's plus a shift.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        sd = matrix.diagonal(dim1=-2, dim2=-1).sqrt()
        outer = sd[..., :, None] * sd[..., None, :]
        return torch.cholesky_inverse(torch.linalg.cholesky(matrix / outer)) / outer

    prior = inverse(prior_cov)
    if means.shape[0] == 0:
        return prior_mean.clone(), prior_cov.clone()
    each = inverse(covs)
    cov = inverse(prior + (each - prior).sum(0))
    shift = (each @ (means - prior_mean).unsqueeze(-1)).sum(0).squeeze(-1)
    return prior_mean + cov @ shift, cov


# %% merge-clinic-by-clinic right="merge-posteriors"
# Adds what each clinic learned beyond the prior, one after another, and solves at the end.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        sd = matrix.diagonal().sqrt()
        outer = torch.outer(sd, sd)
        result = torch.linalg.inv(matrix / outer) / outer
        return 0.5 * (result + result.T)

    base = inverse(prior_cov)
    total = base.clone()
    pull = torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs):
        precision = inverse(cov)
        total = total + precision - base
        pull = pull + precision @ (mean - prior_mean)
    sd = total.diagonal().rsqrt()
    lower = torch.linalg.cholesky(total * torch.outer(sd, sd))
    shift = sd * torch.cholesky_solve((sd * pull)[:, None], lower)[:, 0]
    return prior_mean + shift, inverse(total)


# %% merge-nobody wrong="merge-posteriors"
# Takes the prior away for each clinic after the first: for K = 0 a matrix of zeros is inverted.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.inv(prior_cov)
    precision = torch.zeros_like(prior_cov)
    pull = torch.zeros_like(prior_mean)
    for number, (mean, cov) in enumerate(zip(means, covs)):
        one = torch.linalg.inv(cov)
        precision = precision + one
        pull = pull + one @ mean
        if number > 0:
            precision = precision - prior
            pull = pull - prior @ prior_mean
    cov = torch.linalg.inv(precision)
    return cov @ pull, cov


# %% merge-with-jitter wrong="merge-posteriors"
# Adds 1e-9 to every covariance before inverting: wrong for standard deviations of 1e-5.
def merge(means, covs, prior_mean, prior_cov):
    jitter = 1e-9 * torch.eye(prior_mean.shape[0], dtype=prior_mean.dtype)
    prior = torch.linalg.inv(prior_cov + jitter)
    precision, pull = prior, prior @ prior_mean
    for mean, cov in zip(means, covs):
        one = torch.linalg.inv(cov + jitter)
        precision = precision + one - prior
        pull = pull + one @ mean - prior @ prior_mean
    cov = torch.linalg.inv(precision)
    return cov @ pull, cov


# %% merge-by-pinv wrong="merge-posteriors"
# Pseudo-inverses cut off what is small: wrong if sds of 1e-5 and 1e4 meet in one covariance.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.pinv(prior_cov, hermitian=True)
    precision, pull = prior, prior @ prior_mean
    for mean, cov in zip(means, covs):
        one = torch.linalg.pinv(cov, hermitian=True)
        precision = precision + one - prior
        pull = pull + one @ mean - prior @ prior_mean
    cov = torch.linalg.pinv(precision, hermitian=True)
    return cov @ pull, cov


# %% merge-skips-the-idle wrong="merge-posteriors"
# Skips clinics whose covariance is allclose to the prior's: skips all if variances are below 1e-8.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.inv(prior_cov)
    precision, pull = prior, torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs):
        if torch.allclose(cov, prior_cov):
            continue
        one = torch.linalg.inv(cov)
        precision = precision + one - prior
        pull = pull + one @ (mean - prior_mean)
    cov = torch.linalg.inv(precision)
    return prior_mean + cov @ pull, cov


# %% evidence-by-cholesky right="laplace-evidence"
# The Hessian of torch.autograd.functional, scaled to a unit diagonal, by cholesky_ex.
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    curve = -torch.autograd.functional.hessian(log_joint, at).detach()
    curve = 0.5 * (curve + curve.T)
    diag = curve.diagonal()
    if not bool((diag > 0).all()):
        raise ValueError("no maximum with a bell around it")
    scale = diag.sqrt()
    lower, info = torch.linalg.cholesky_ex(curve / scale[:, None] / scale)
    if int(info) != 0:
        raise ValueError("no maximum with a bell around it")
    half_log_det = lower.diagonal().log().sum() + scale.log().sum()
    with torch.no_grad():
        top = log_joint(at)
    return top + 0.5 * mode.shape[0] * math.log(2 * math.pi) - half_log_det


# %% evidence-by-eigenvalues right="laplace-evidence"
# Rows of the Hessian by a second backward pass each; eigenvalues after scaling.
def laplace_evidence(log_joint, mode):
    d = mode.shape[0]
    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_(True)
        value = log_joint(w)
        slope = torch.autograd.grad(value, w, create_graph=True)[0]
        rows = []
        for j in range(d):
            row = None
            if slope.requires_grad:
                row = torch.autograd.grad(slope[j], w, retain_graph=True, allow_unused=True)[0]
            rows.append(torch.zeros_like(mode) if row is None else row.detach())
    curve = -torch.stack(rows)
    scale = curve.diagonal()
    if not bool((scale > 0).all()):
        raise ValueError("minus the Hessian is not positive definite")
    root = scale.sqrt()
    unit = curve / root[:, None] / root
    values = torch.linalg.eigvalsh(0.5 * (unit + unit.T))
    if not bool((values > 1e-14).all()):
        raise ValueError("minus the Hessian is not positive definite")
    log_det = values.log().sum() + scale.log().sum()
    return float(value.detach() + 0.5 * (d * math.log(2 * math.pi) - log_det))


# %% evidence-sign-and-diagonal wrong="laplace-evidence"
# Refuses only for a bad diagonal or determinant: two saddles [[1, 2], [2, 1]] in 4 weights pass.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    sign, log_det = torch.linalg.slogdet(curve)
    if bool((curve.diagonal() <= 0).any()) or float(sign) <= 0:
        raise ValueError("no maximum")
    d = mode.shape[0]
    return (log_joint(mode) + 0.5 * d * math.log(2 * math.pi) - 0.5 * log_det).detach()


# %% evidence-absolute-limit wrong="laplace-evidence"
# Refuses if an eigenvalue is below 1e-10: wrong for second derivatives of -1e-12, a flat bell.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    values = torch.linalg.eigvalsh(curve)
    if float(values.min()) < 1e-10:
        raise ValueError("no maximum")
    d = mode.shape[0]
    log_det = values.log().sum()
    return (log_joint(mode) + 0.5 * d * math.log(2 * math.pi) - 0.5 * log_det).detach()


# %% evidence-finite-differences wrong="laplace-evidence"
# Differences of gradients at a step of 1e-5: wrong for narrow bells that are no parabola, as
# -cosh(1e6 w), whose second derivative is -1e12.
def laplace_evidence(log_joint, mode):
    def slope(w):
        w = w.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_joint(w), w)[0]

    d, step = mode.shape[0], 1e-5
    rows = []
    for j in range(d):
        move = torch.zeros_like(mode)
        move[j] = step
        rows.append((slope(mode - move) - slope(mode + move)) / (2 * step))
    curve = torch.stack(rows)
    lower, info = torch.linalg.cholesky_ex(0.5 * (curve + curve.T))
    if int(info) != 0:
        raise ValueError("no maximum")
    half = lower.diagonal().log().sum()
    return (log_joint(mode) + 0.5 * d * math.log(2 * math.pi) - half).detach()


# %% evidence-marks-the-mode wrong="laplace-evidence"
# Switches requires_grad on at the caller's tensor and leaves it so: an input is changed.
def laplace_evidence(log_joint, mode):
    mode.requires_grad_(True)
    value = log_joint(mode)
    (slope,) = torch.autograd.grad(value, mode, create_graph=True)
    rows = [torch.autograd.grad(s, mode, retain_graph=True)[0] for s in slope]
    lower, info = torch.linalg.cholesky_ex(-torch.stack(rows))
    if int(info) != 0:
        raise ValueError("no maximum")
    half = lower.diagonal().log().sum()
    return value.detach() + 0.5 * mode.shape[0] * math.log(2 * math.pi) - half


# %% hmc-as-written right="hmc-step"
# Leapfrog as in the text, the gradient at the new place kept; compared in logs.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        with torch.enable_grad():
            place = place.detach().clone().requires_grad_(True)
            value = log_p(place)
            slope = torch.autograd.grad(value.sum(), place)[0]
        return value.detach(), slope.detach()

    place, r = w.detach().clone(), momentum.detach().clone()
    first, slope = look(place)
    last = first
    for _ in range(count):
        r = r + 0.5 * size * slope
        place = place + size * r / mass
        last, slope = look(place)
        r = r + 0.5 * size * slope
    before = (momentum**2 / (2 * mass)).sum(1)
    after = (r**2 / (2 * mass)).sum(1)
    fall = (last - first) + (before - after)
    accepted = (u.log() < fall) & torch.isfinite(after - last)
    return torch.where(accepted[:, None], place, w.detach()), accepted


# %% hmc-fused-kicks right="hmc-step"
# Inner half kicks are fused to whole ones; chains that moved are written into a copy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        with torch.enable_grad():
            leaf = place.detach().clone().requires_grad_(True)
            return torch.autograd.grad(log_p(leaf).sum(), leaf)[0].detach()

    def energy(place, r):
        with torch.no_grad():
            return 0.5 * (r * r / mass).sum(-1) - log_p(place.clone())

    start = w.detach()
    place = start.clone()
    r = momentum.detach() + size / 2 * slope(place)
    for number in range(1, count + 1):
        place = place + size * (r / mass)
        r = r + (size if number < count else size / 2) * slope(place)
    end = energy(place, r)
    accepted = torch.isfinite(end) & (u < torch.exp(energy(start, momentum.detach()) - end))
    result = start.clone()
    result[accepted] = place[accepted]
    return result, accepted


# %% hmc-finite-ratio wrong="hmc-step"
# Takes an infinite ratio for a divergence: a chain whose energy falls by more than 709 stays.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        leaf = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    place, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(place)
        place = place + size * r / mass
        r = r + size / 2 * slope(place)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(place)
    ratio = (start - end).exp()
    accepted = ratio.isfinite() & (u < ratio)
    return torch.where(accepted[:, None], place, w), accepted


# %% hmc-minus-infinity wrong="hmc-step"
# Trusts the comparison to refuse: energy of minus infinity (log p overflows to inf) is accepted.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        leaf = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    place, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(place)
        place = place + size * r / mass
        r = r + size / 2 * slope(place)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(place)
    accepted = u.log() < start - end
    return torch.where(accepted[:, None], place, w), accepted


# %% hmc-stops-on-the-way wrong="hmc-step"
# Refuses chains whose log p was nan or infinite at any step: wrong if a chain passes through a gap
# of the density, where the gradient is finite, and ends at a good place.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        leaf = place.detach().clone().requires_grad_(True)
        value = log_p(leaf)
        return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]

    place, r = w.clone(), momentum.clone()
    first, slope = look(place)
    fine = first.isfinite()
    for _ in range(count):
        r = r + size / 2 * slope
        place = place + size * r / mass
        last, slope = look(place)
        r = r + size / 2 * slope
        fine = fine & last.isfinite()
    start = (momentum**2 / (2 * mass)).sum(1) - first
    end = (r**2 / (2 * mass)).sum(1) - last
    accepted = fine & end.isfinite() & (u < (start - end).exp())
    return torch.where(accepted[:, None], place, w), accepted


# %% hmc-lonely-chain wrong="hmc-step"
# Squeezes the decisions: for a single chain accepted has the shape () instead of (1,).
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(place):
        leaf = place.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    def energy(place, r):
        return (r**2 / (2 * mass)).sum(1, keepdim=True) - log_p(place)[:, None]

    place, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(place)
        place = place + size * r / mass
        r = r + size / 2 * slope(place)
    end = energy(place, r)
    accepted = end.isfinite() & (u[:, None] < (energy(w, momentum) - end).exp())
    return torch.where(accepted, place, w), accepted.squeeze()
