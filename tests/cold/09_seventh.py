# %% [markdown]
# Answers written from the text alone.


# %% closed-form-kl right="minibatch-loss"
# Mean NLL plus the KL in closed form, summed layer by layer and divided by N.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        x = 2 * (log_s - math.log(t))
        kl = kl + 0.5 * (torch.expm1(x) - x + (m / t) ** 2).sum()
    return nll.mean() + kl / data_size


# %% library-kl right="minibatch-loss"
# All layers flattened into one long factorised Normal; torch.distributions computes the KL.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    from torch.distributions import Normal, kl_divergence

    m = torch.cat([v.reshape(-1) for v in means])
    s = torch.cat([v.reshape(-1) for v in log_sds]).exp()
    t = torch.cat([torch.full_like(v.detach(), sd).reshape(-1) for v, sd in zip(means, prior_sds)])
    kl = kl_divergence(Normal(m, s), Normal(torch.zeros_like(t), t)).sum()
    return nll.sum() / nll.shape[0] + kl / data_size


# %% kl-per-rounded-batches wrong="minibatch-loss"
# The KL is spread over ceil(N / b) minibatches, then over b examples: too small by N's share of
# ceil(N / b) * b where b does not divide N (b = 3, N = 4: a third of the KL is missing).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    batch = len(nll)
    batches = math.ceil(data_size / batch)
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + (math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t**2) - 0.5).sum()
    return (nll.sum() + kl / batches) / batch


# %% softened-log-sd wrong="minibatch-loss"
# A small number is added to the standard deviation before its logarithm is taken: about 17 nats
# for each weight go missing at log_sd = -40.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        s = log_s.exp() + 1e-10
        kl = kl + (torch.log(t / s) + (s**2 + m**2) / (2 * t**2) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% weights-by-rows-and-columns wrong="minibatch-loss"
# The constants are counted once for each of rows * columns: wrong for layers with three or more
# dimensions (a convolution's kernel) and an error for a layer that is a 0-d tensor.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        count = m.shape[0] * (m.shape[1] if m.dim() > 1 else 1)
        squares = (torch.exp(2 * log_s) + m**2).sum() / t**2
        kl = kl + 0.5 * squares - log_s.sum() + count * (math.log(t) - 0.5)
    return nll.mean() + kl / data_size


# %% nll-as-a-number wrong="minibatch-loss"
# The NLL enters as a Python number, so its gradient is lost (the value is right).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + (math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t**2) - 0.5).sum()
    return kl / data_size + nll.mean().item()


# %% logaddexp-mixture right="sampled-elbo"
# Written out by hand; the mixture by logaddexp, and log q from the noise itself.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    errors = (y - w @ x.T) / sigma
    likelihood = -0.5 * (errors**2).sum(1) - len(y) * (math.log(sigma) + half)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (likelihood + log_prior - log_q).mean()


# %% mixture-same-family right="sampled-elbo"
# A loop over the draws with torch.distributions; log q is the standard Normal of the noise minus
# the log of the scale.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    pi, a, c = prior
    shares = torch.tensor([pi, 1 - pi], dtype=torch.float64)
    scales = torch.tensor([a, c], dtype=torch.float64)
    mixture = MixtureSameFamily(Categorical(shares), Normal(torch.zeros_like(scales), scales))
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    total = 0.0
    for row in noise:
        w = mean + log_sd.exp() * row
        log_y = Normal(x @ w, torch.full_like(y, sigma)).log_prob(y).sum()
        log_q = (standard.log_prob(row) - log_sd).sum()
        total = total + log_y + mixture.log_prob(w).sum() - log_q
    return total / len(noise)


# %% narrow-part-cut-off wrong="sampled-elbo"
# Beyond 40 c only the wide part is kept ("the narrow one has underflown"): wrong by up to
# -log(pi) where a is close to c, as in (0.4, 0.1001, 0.1) with w = 5.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    errors = (y - w @ x.T) / sigma
    likelihood = -0.5 * (errors**2).sum(1) - len(y) * (math.log(sigma) + half)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    both = torch.where(w.abs() > 40 * c, wide, torch.logaddexp(wide, narrow))
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (likelihood + (both - half).sum(1) - log_q).mean()


# %% mean-times-n wrong="sampled-elbo"
# The likelihood is n times a mean over everything: nan where n = 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Normal

    pi, a, c = prior
    w = mean + log_sd.exp() * noise
    likelihood = len(y) * Normal(w @ x.T, sigma).log_prob(y).mean()
    zero = torch.zeros_like(w)
    wide = math.log(pi) + Normal(zero, a).log_prob(w)
    narrow = math.log1p(-pi) + Normal(zero, c).log_prob(w)
    log_prior = torch.logaddexp(wide, narrow).sum(1).mean()
    log_q = (-0.5 * noise**2 - log_sd - 0.5 * math.log(2 * math.pi)).sum(1).mean()
    return likelihood + log_prior - log_q


# %% single-precision-share wrong="sampled-elbo"
# The share pi becomes a float32 tensor: for pi = 1 - 1e-9 it rounds to 1 and the narrow part is
# gone, which shows at w near 0 when a / c is 1e8 or so (and by a fifth at pi = 1 - 1e-7).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi = torch.tensor(prior[0])
    a, c = prior[1:]
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    errors = (y - w @ x.T) / sigma
    likelihood = -0.5 * (errors**2).sum(1) - len(y) * (math.log(sigma) + half)
    wide = -0.5 * (w / a) ** 2 - math.log(a) + pi.log()
    narrow = -0.5 * (w / c) ** 2 - math.log(c) + torch.log1p(-pi)
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (likelihood + log_prior - log_q).mean()


# %% stuck-landing wrong="sampled-elbo"
# q's parameters are detached inside log q ("lower variance"): the value is right, the gradients
# with respect to mean and log_sd are not those of the formula at fixed noise.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    errors = (y - w @ x.T) / sigma
    likelihood = -0.5 * (errors**2).sum(1) - len(y) * (math.log(sigma) + half)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(1)
    fixed_mean, fixed_log_sd = mean.detach(), log_sd.detach()
    z = (w - fixed_mean) / fixed_log_sd.exp()
    log_q = (-0.5 * z**2 - fixed_log_sd - half).sum(1)
    return (likelihood + log_prior - log_q).mean()


# %% masked-cholesky right="best-groups"
# Scale to a unit diagonal, set what crosses groups to zero, invert by Cholesky; the gap is half
# the difference of the log determinants.
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    same = groups[:, None] == groups
    kept = torch.where(same, unit, torch.zeros_like(unit))
    low = torch.linalg.cholesky(kept)
    full = torch.linalg.cholesky(unit)
    gap = low.diagonal().log().sum() - full.diagonal().log().sum()
    inverse = torch.cholesky_inverse(low)
    cov = torch.where(same, inverse * scale[:, None] * scale, torch.zeros_like(unit))
    return cov, gap


# %% group-by-group right="best-groups"
# A loop over the groups: each block of the (scaled) precision is inverted on its own.
def best_groups(precision, groups):
    root = precision.diagonal().sqrt()
    unit = precision / torch.outer(root, root)
    cov = torch.zeros_like(precision)
    gap = -0.5 * torch.linalg.slogdet(unit)[1]
    for label in set(groups.tolist()):
        at = torch.nonzero(groups == label)[:, 0]
        block = unit[at[:, None], at]
        gap = gap + 0.5 * torch.linalg.slogdet(block)[1]
        inverse = torch.linalg.inv(block)
        inverse = (inverse + inverse.T) / 2
        cov[at[:, None], at] = inverse / torch.outer(root[at], root[at])
    return cov, gap


# %% log-of-det wrong="best-groups"
# The logarithm of det itself: inf - inf (nan) for 60 weights of precision 1e9, and -inf + inf
# for precisions of 1e-9.
def best_groups(precision, groups):
    same = groups[:, None] == groups
    kept = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.zeros_like(precision)
    for label in groups.unique():
        at = torch.nonzero(groups == label)[:, 0]
        cov[at[:, None], at] = torch.linalg.inv(precision[at[:, None], at])
    gap = 0.5 * (torch.linalg.det(kept).log() - torch.linalg.det(precision).log())
    return cov, gap


# %% labels-as-floats wrong="best-groups"
# Labels are compared as float32 numbers: 10**12 and 10**12 - 1 become one group.
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    label = groups.float()
    same = ((label[:, None] - label).abs() < 0.5).to(precision.dtype)
    low = torch.linalg.cholesky(unit * same)
    full = torch.linalg.cholesky(unit)
    gap = low.diagonal().log().sum() - full.diagonal().log().sum()
    return torch.cholesky_inverse(low) * same * scale[:, None] * scale, gap


# %% jitter-after-scaling wrong="best-groups"
# Adds 1e-8 to the diagonal of the scaled matrix "for Cholesky": with correlations of 0.99999
# the covariance and the gap are off by about a thousandth.
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    unit = unit + 1e-8 * torch.eye(len(unit), dtype=unit.dtype)
    same = (groups[:, None] == groups).to(unit.dtype)
    low = torch.linalg.cholesky(unit * same)
    full = torch.linalg.cholesky(unit)
    gap = low.diagonal().log().sum() - full.diagonal().log().sum()
    return torch.cholesky_inverse(low) * same * scale[:, None] * scale, gap


# %% pseudo-inverse-of-all wrong="best-groups"
# The pseudo-inverse of the whole masked matrix drops small eigenvalues: a group with precisions
# near 1e-9 next to one near 1e9 gets covariance 0.
def best_groups(precision, groups):
    same = (groups[:, None] == groups).to(precision.dtype)
    kept = precision * same
    cov = torch.linalg.pinv(kept, hermitian=True) * same
    gap = 0.5 * (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(precision)[1])
    return cov, gap


# %% stacked-qr right="last-layer"
# QR of the weighted features stacked on the prior's rows, so that the precision is never squared.
def last_layer(features, weights, tau, new):
    logits = features @ weights
    root = (torch.sigmoid(logits) * torch.sigmoid(-logits)).sqrt()
    eye = torch.eye(len(weights), dtype=torch.float64) / tau
    r = torch.linalg.qr(torch.cat([root[:, None] * features, eye]), mode="r")[1]
    sd = torch.linalg.vector_norm(
        torch.linalg.solve_triangular(r, new, upper=True, left=False), dim=1
    )
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% svd-of-the-features right="last-layer"
# SVD of the weighted features: along each right singular vector the precision is the squared
# singular value (0 where there is none) plus 1 / tau^2.
def last_layer(features, weights, tau, new):
    k = len(weights)
    spread = torch.zeros(k, dtype=torch.float64)
    basis = torch.eye(k, dtype=torch.float64)
    if len(features):
        z = (features @ weights).abs()
        half = torch.exp(-z / 2) / (1 + torch.exp(-z))
        _, s, basis = torch.linalg.svd(half[:, None] * features, full_matrices=True)
        spread[: len(s)] = s
    along = new @ basis.T
    var = (along**2 / (spread**2 + 1 / tau**2)).sum(1)
    return var.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi / 8 * var))


# %% exponentials-of-logits wrong="last-layer"
# p (1 - p) as e^z / (1 + e^z)^2: inf / inf = nan for training logits above 709.
def last_layer(features, weights, tau, new):
    grown = torch.exp(features @ weights)
    curve = grown / (1 + grown) ** 2
    eye = torch.eye(len(weights), dtype=torch.float64)
    precision = features.T @ (curve[:, None] * features) + eye / tau**2
    var = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    return var.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * var / 8))


# %% clamped-curvature wrong="last-layer"
# p (1 - p) is kept above 1e-6: a training example with features of 1000 and a saturated logit
# then counts for 1e6 * 1e-6 = 1, a hundred times the prior's 1 / tau^2 at tau = 10.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    curve = (p * (1 - p)).clamp(min=1e-6)
    eye = torch.eye(len(weights), dtype=torch.float64)
    r = torch.linalg.qr(torch.cat([curve.sqrt()[:, None] * features, eye / tau]), mode="r")[1]
    sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% no-examples-means-tau wrong="last-layer"
# A shortcut for n = 0 returns tau as the deviation of the logit, without the size of the new
# features.
def last_layer(features, weights, tau, new):
    mu = new @ weights
    if len(features) == 0:
        sd = torch.full_like(mu, tau)
    else:
        p = torch.sigmoid(features @ weights)
        eye = torch.eye(len(weights), dtype=torch.float64)
        rows = torch.cat([(p * (1 - p)).sqrt()[:, None] * features, eye / tau])
        r = torch.linalg.qr(rows, mode="r")[1]
        sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% jitter-on-the-precision wrong="last-layer"
# Adds 1e-7 to the precision's diagonal so that Cholesky never fails: next to 1 / tau^2 = 1e-4
# (tau = 100, few or no examples) the variance is off by a thousandth.
def last_layer(features, weights, tau, new):
    logits = features @ weights
    curve = torch.sigmoid(logits) * torch.sigmoid(-logits)
    eye = torch.eye(len(weights), dtype=torch.float64)
    precision = (features.T * curve) @ features + eye / tau**2
    low = torch.linalg.cholesky(precision + 1e-7 * eye)
    var = (new.T * torch.cholesky_solve(new.T, low)).sum(0)
    return var.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * var / 8))


# %% batched-precisions right="merge-posteriors"
# Precisions of all clinics at once, each matrix inverted after scaling to a unit diagonal; the
# mean is a shift from the prior's mean.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        sd = matrix.diagonal(dim1=-2, dim2=-1).sqrt()
        size = sd[..., :, None] * sd[..., None, :]
        result = torch.linalg.inv(matrix / size) / size
        return (result + result.mT) / 2

    if len(means) == 0:
        return prior_mean.clone(), prior_cov.clone()
    each = inverse(covs)
    cov = inverse(each.sum(0) - (len(means) - 1) * inverse(prior_cov))
    shift = torch.einsum("kij,kj->i", each, means - prior_mean)
    return prior_mean + cov @ shift, cov


# %% one-clinic-after-another right="merge-posteriors"
# Starts from the prior's precision and adds what each clinic has learnt beyond the prior, with
# Cholesky factors.
def merge(means, covs, prior_mean, prior_cov):
    base = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision = base.clone()
    pull = torch.zeros_like(prior_mean)
    for m, c in zip(means, covs, strict=True):
        low = torch.linalg.cholesky(c)
        precision = precision + (torch.cholesky_inverse(low) - base)
        pull = pull + torch.cholesky_solve((m - prior_mean)[:, None], low)[:, 0]
    scale = precision.diagonal().rsqrt()
    low = torch.linalg.cholesky(precision * scale[:, None] * scale)
    mean = prior_mean + scale * torch.cholesky_solve((scale * pull)[:, None], low)[:, 0]
    return mean, torch.cholesky_inverse(low) * scale[:, None] * scale


# %% never-less-than-zero-priors wrong="merge-posteriors"
# The surplus priors are max(K - 1, 0): for K = 0 the precision is 0 and cannot be inverted,
# where the prior was due.
def merge(means, covs, prior_mean, prior_cov):
    surplus = max(len(means) - 1, 0)
    base = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision = -surplus * base
    pull = torch.zeros_like(prior_mean)
    for m, c in zip(means, covs, strict=True):
        own = torch.cholesky_inverse(torch.linalg.cholesky(c))
        precision = precision + own
        pull = pull + own @ (m - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky(precision))
    return prior_mean + cov @ pull, cov


# %% skips-the-idle-by-allclose wrong="merge-posteriors"
# Clinics whose covariance is "close" to the prior's are left out, by allclose with its absolute
# tolerance of 1e-8: with deviations of 5e-5 (prior) and 1e-5 (clinic) real data are ignored.
def merge(means, covs, prior_mean, prior_cov):
    base = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision = base.clone()
    pull = torch.zeros_like(prior_mean)
    for m, c in zip(means, covs, strict=True):
        if torch.allclose(c, prior_cov):
            continue  # has seen nothing
        own = torch.cholesky_inverse(torch.linalg.cholesky(c))
        precision = precision + own - base
        pull = pull + own @ (m - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky(precision))
    return prior_mean + cov @ pull, cov


# %% squeezed-mean wrong="merge-posteriors"
# All axes of length one are squeezed away: for d = 1 the mean is 0-d in place of shape (1,).
def merge(means, covs, prior_mean, prior_cov):
    base = torch.cholesky_inverse(torch.linalg.cholesky(prior_cov))
    precision, pull = base.clone(), torch.zeros_like(prior_mean)
    for m, c in zip(means, covs, strict=True):
        own = torch.cholesky_inverse(torch.linalg.cholesky(c))
        precision = precision + own - base
        pull = pull + own @ (m - prior_mean)
    cov = torch.cholesky_inverse(torch.linalg.cholesky(precision))
    mean = (prior_mean[:, None] + cov @ pull[:, None]).squeeze()
    return mean, cov


# %% one-prior-for-each-pair wrong="merge-posteriors"
# Takes one prior away for each pair of clinics, K (K - 1) / 2 of them: right for one and two
# clinics only.
def merge(means, covs, prior_mean, prior_cov):
    if len(means) == 0:
        return prior_mean.clone(), prior_cov.clone()
    pairs = len(means) * (len(means) - 1) // 2
    base = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    cov = torch.linalg.inv(each.sum(0) - pairs * base)
    pull = torch.einsum("kij,kj->i", each, means) - pairs * (base @ prior_mean)
    return cov @ pull, cov


# %% eigenvalues-of-the-hessian right="laplace-evidence"
# The Hessian from torch.autograd.functional, and its eigenvalues for both the test and the
# volume.
def laplace_evidence(log_joint, mode):
    point = mode.detach().clone()
    curve = -torch.autograd.functional.hessian(log_joint, point)
    steep = torch.linalg.eigvalsh((curve + curve.T) / 2)
    if not steep[0] > 1e-12 * steep[-1].abs():
        raise ValueError("there is no bell around this place")
    return log_joint(point).detach() + 0.5 * (math.log(2 * math.pi) - steep.log()).sum()


# %% rows-and-cholesky right="laplace-evidence"
# Differentiates the gradient row by row, scales to a unit diagonal and factorises by Cholesky.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone().requires_grad_()
    d = len(w)
    curve = torch.zeros(d, d, dtype=torch.float64)
    with torch.enable_grad():
        value = log_joint(w)
        if value.requires_grad:
            (slope,) = torch.autograd.grad(value, w, create_graph=True)
            for i in range(d if slope.requires_grad else 0):
                (row,) = torch.autograd.grad(slope[i], w, retain_graph=True, allow_unused=True)
                if row is not None:
                    curve[i] = -row
    curve = (curve + curve.T) / 2
    diagonal = curve.diagonal()
    if not (diagonal > 0).all():
        raise ValueError("some weight has no maximum here")
    scale = diagonal.rsqrt()
    low, info = torch.linalg.cholesky_ex(curve * scale[:, None] * scale)
    if info > 0 or low.diagonal().min() < 1e-6:
        raise ValueError("minus the Hessian is not positive definite")
    log_det = 2 * low.diagonal().log().sum() + diagonal.log().sum()
    return value.detach() + 0.5 * d * math.log(2 * math.pi) - 0.5 * log_det


# %% sign-and-diagonal wrong="laplace-evidence"
# Positive definite is taken to mean a positive determinant and a positive diagonal: misses an
# even number of bad directions, as in 1 on and 3 off the diagonal of three weights.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    sign, log_det = torch.linalg.slogdet(curve)
    if sign <= 0 or (curve.diagonal() <= 0).any():
        raise ValueError("not a maximum")
    return log_joint(mode).detach() + 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * log_det


# %% absolute-threshold wrong="laplace-evidence"
# Eigenvalues up to 1e-8 count as zero: refuses a proper bell whose second derivatives are 1e-10.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    steep = torch.linalg.eigvalsh((curve + curve.T) / 2)
    if (steep <= 1e-8).any():
        raise ValueError("not a maximum")
    volume = 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * steep.log().sum()
    return log_joint(mode).detach() + volume


# %% half-of-d-rounded-down wrong="laplace-evidence"
# The power of 2 pi is d // 2: half a log(2 pi) is missing for an odd number of weights.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    low, info = torch.linalg.cholesky_ex((curve + curve.T) / 2)
    if info > 0:
        raise ValueError("not a maximum")
    volume = len(mode) // 2 * math.log(2 * math.pi) - low.diagonal().log().sum()
    return log_joint(mode).detach() + volume


# %% differences-of-gradients wrong="laplace-evidence"
# Second derivatives as central differences of gradients with a fixed step of 1e-4: wrong for a
# narrow bell that is no parabola, such as -2 log cosh(1e6 w), where the step leaves the bell.
def laplace_evidence(log_joint, mode):
    def slope(w):
        w = w.detach().clone().requires_grad_()
        return torch.autograd.grad(log_joint(w), w)[0]

    step = 1e-4
    moves = step * torch.eye(len(mode), dtype=mode.dtype)
    rows = [(slope(mode - move) - slope(mode + move)) / (2 * step) for move in moves]
    curve = torch.stack(rows)
    low, info = torch.linalg.cholesky_ex((curve + curve.T) / 2)
    if info > 0:
        raise ValueError("not a maximum")
    volume = 0.5 * len(mode) * math.log(2 * math.pi) - low.diagonal().log().sum()
    return log_joint(mode).detach() + volume


# %% leapfrog-as-written right="hmc-step"
# The three lines of the text in a loop, and the comparison in logarithms.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        with torch.enable_grad():
            leaf = at.detach().clone().requires_grad_()
            return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.detach().clone(), momentum.detach().clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    start, end = energy(w.detach(), momentum), energy(new, r)
    accepted = torch.isfinite(end) & (torch.log(u) < start - end)
    return torch.where(accepted[:, None], new, w.detach()), accepted


# %% joined-half-steps right="hmc-step"
# Two half kicks in a row are one whole kick; values and slopes come from the same backward pass,
# and chains that moved are copied over the old ones.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(at):
        leaf = at.clone().detach().requires_grad_()
        with torch.enable_grad():
            value = log_p(leaf)
        value.backward(torch.ones_like(value))
        return value.detach(), leaf.grad

    value, slope = value_and_slope(w)
    before = -value + 0.5 * (momentum**2 / mass).sum(dim=-1)
    place, r = w.clone(), momentum + 0.5 * size * slope
    for i in range(count):
        place = place + size * (r / mass)
        value, slope = value_and_slope(place)
        r = r + (size if i + 1 < count else 0.5 * size) * slope
    after = -value + 0.5 * (r**2 / mass).sum(dim=-1)
    accepted = (u < torch.exp(before - after)) & ~torch.isnan(after) & ~torch.isinf(after)
    result = w.clone()
    result[accepted] = place[accepted]
    return result, accepted


# %% first-and-last-by-hand wrong="hmc-step"
# The first and the last step are written out with count - 2 between them: count = 1 takes two
# steps.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        leaf = at.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    r = momentum + size / 2 * slope(w)
    new = w + size * r / mass
    r = r + size * slope(new)
    for _ in range(count - 2):
        new = new + size * r / mass
        r = r + size * slope(new)
    new = new + size * r / mass
    r = r + size / 2 * slope(new)
    end = energy(new, r)
    accepted = torch.isfinite(end) & (u.log() < energy(w, momentum) - end)
    return torch.where(accepted[:, None], new, w), accepted


# %% large-changes-are-divergences wrong="hmc-step"
# A change of the energy by more than 1000, up or down, counts as a divergence: a chain whose
# energy falls by thousands stays, and should have moved.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        leaf = at.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    change = energy(new, r) - energy(w, momentum)
    diverged = ~(change.abs() < 1000)
    accepted = ~diverged & (u.log() < -change)
    return torch.where(accepted[:, None], new, w), accepted


# %% one-diverges-all-stop wrong="hmc-step"
# The loop ends as soon as any chain is not finite any more: the healthy chains of the same call
# then stop before their last steps.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        leaf = at.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(leaf).sum(), leaf)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
        if not (torch.isfinite(new).all() and torch.isfinite(r).all()):
            break
    end = energy(new, r)
    accepted = torch.isfinite(end) & (u.log() < energy(w, momentum) - end)
    return torch.where(accepted[:, None], new, w), accepted


# %% stays-if-ever-outside wrong="hmc-step"
# A chain stays if log p was infinite or nan anywhere on its way: wrong for one that jumps across
# a forbidden gap, as of log(w^2 - 1) - w^2, and ends at a finite energy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def value_and_slope(at):
        leaf = at.detach().clone().requires_grad_()
        value = log_p(leaf)
        return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]

    value, slope = value_and_slope(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    new, r, healthy = w.clone(), momentum.clone(), torch.isfinite(value)
    for _ in range(count):
        r = r + size / 2 * slope
        new = new + size * r / mass
        value, slope = value_and_slope(new)
        r = r + size / 2 * slope
        healthy = healthy & torch.isfinite(value)
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = healthy & torch.isfinite(end) & (u.log() < start - end)
    return torch.where(accepted[:, None], new, w), accepted
