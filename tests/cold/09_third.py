# %% kl-by-hand right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    def kl_layer(m, ls, t):
        return (math.log(t) - ls + ((2 * ls).exp() + m * m) / (2 * t * t) - 0.5).sum()

    y = sum(kl_layer(m, ls, t) for m, ls, t in zip(means, log_sds, prior_sds))
    return nll.mean() + y / data_size


# %% kl-from-log-ratios-flat right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    m = torch.cat([v.reshape(-1) for v in means])
    k = torch.cat([v.reshape(-1) for v in log_sds])
    t = torch.cat([torch.full_like(v.reshape(-1), float(p)) for v, p in zip(means, prior_sds)])
    ratio = k - t.log()
    total = 0.5 * (torch.expm1(2 * ratio) - 2 * ratio + (m / t).square()).sum()
    whole = nll.sum() * (data_size / len(nll))
    return (whole + total) / data_size


# %% whole-number-of-batches wrong="minibatch-loss"
# N // b drops the remainder: nll of 7 examples and data_size 60 count as 56 examples.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    batches = data_size // nll.shape[0]
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        kl = kl + (math.log(t) - ls + ((2 * ls).exp() + m**2) / (2 * t**2) - 0.5).sum()
    return (nll.sum() * batches + kl) / data_size


# %% layers-by-prior wrong="minibatch-loss"
# Layers are kept in a dict by their prior sd; of two layers with prior_sds [1.0, 1.0] one is lost.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    layers = {t: (m, ls) for m, ls, t in zip(means, log_sds, prior_sds)}
    kl = 0.0
    for t, (m, ls) in layers.items():
        kl = kl + (math.log(t) - ls + ((2 * ls).exp() + m**2) / (2 * t**2) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% variance-with-floor wrong="minibatch-loss"
# 1e-12 inside the log: with log_sds -40 the entropy stops at 13.8 (and no gradient is left).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        var = (2 * ls).exp()
        ratio = (var + m**2) / t**2
        kl = kl + 0.5 * (ratio - 1 - torch.log(var + 1e-12) + 2 * math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% two-sums wrong="minibatch-loss"
# Sums over the first and the last axis only: a layer of shape (2, 3, 4) leaves a vector.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        each = math.log(t) - ls + ((2 * ls).exp() + m**2) / (2 * t**2) - 0.5
        kl = kl + each.sum(0).sum(-1)
    return nll.mean() + kl / data_size


# %% logaddexp right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    miss = (w @ x.T - y) / sigma
    like = (-0.5 * miss**2 - math.log(sigma) - half).sum(1)
    wide = math.log(share) - math.log(a) - 0.5 * (w / a) ** 2
    thin = math.log1p(-share) - math.log(c) - 0.5 * (w / c) ** 2
    log_p = (torch.logaddexp(wide, thin) - half).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (like + log_p - log_q).mean()


# %% distributions-draw-by-draw right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Normal

    def k(w):
        share = torch.tensor([prior[0], 1 - prior[0]], dtype=torch.float64)
        scale = torch.tensor([prior[1], prior[2]], dtype=torch.float64)
        parts = Normal(torch.zeros(2, dtype=torch.float64), scale).log_prob(w[:, None])
        return torch.logsumexp(parts + share.log(), dim=1).sum()

    total = 0.0
    for row in noise:
        w = mean + torch.exp(log_sd) * row
        unit = Normal(torch.zeros_like(row), torch.ones_like(row))
        total = total + k(w) - unit.log_prob(row).sum() + log_sd.sum()
        if x.shape[0] > 0:
            total = total + Normal(x @ w, float(sigma)).log_prob(y).sum()
    return total / noise.shape[0]


# %% mixture-in-single-precision wrong="sampled-elbo"
# The shares are float32: prior (1 - 1e-9, 1000, 1e-5) and w = 0 (mean 0, noise 0) is 2.5 off.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    share, a, c = prior
    w = mean + log_sd.exp() * noise
    parts = Normal(torch.zeros(2, dtype=torch.float64), torch.tensor([a, c], dtype=torch.float64))
    mixed = MixtureSameFamily(Categorical(torch.tensor([share, 1 - share])), parts)
    like = Normal(w @ x.T, float(sigma)).log_prob(y).sum(1)
    log_q = Normal(mean, log_sd.exp()).log_prob(w).sum(1)
    return (like + mixed.log_prob(w).sum(1) - log_q).mean()


# %% where-with-two-branches wrong="sampled-elbo"
# exp overflows in the branch not taken: with c = 0.001 and w = 1 the gradient is nan.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    like = (-0.5 * ((w @ x.T - y) / sigma) ** 2 - math.log(sigma) - half).sum(1)
    wide = math.log(share) - math.log(a) - 0.5 * (w / a) ** 2 - half
    thin = math.log1p(-share) - math.log(c) - 0.5 * (w / c) ** 2 - half
    gap = wide - thin
    log_p = torch.where(gap > 0, wide + (-gap).exp().log1p(), thin + gap.exp().log1p())
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (like + log_p.sum(1) - log_q).mean()


# %% n-times-mean wrong="sampled-elbo"
# The likelihood is n times a mean: nan for x of shape (0, k) and y of shape (0,).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    each = -0.5 * ((w @ x.T - y) / sigma) ** 2 - math.log(sigma) - half
    wide = math.log(share) - math.log(a) - 0.5 * (w / a) ** 2 - half
    thin = math.log1p(-share) - math.log(c) - 0.5 * (w / c) ** 2 - half
    log_p = torch.logaddexp(wide, thin).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return len(y) * each.mean() + (log_p - log_q).mean()


# %% narrow-part-cut-off wrong="sampled-elbo"
# Beyond eight c only the wide part counts: prior (0.4, 1.001, 1.0) and w = 9 lose 0.9 nats.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    like = (-0.5 * ((w @ x.T - y) / sigma) ** 2 - math.log(sigma) - half).sum(1)
    wide = math.log(share) - math.log(a) - 0.5 * (w / a) ** 2 - half
    near = w.abs() < 8 * c
    z = torch.where(near, w / c, torch.zeros_like(w))
    thin = math.log1p(-share) - math.log(c) - 0.5 * z**2 - half
    log_p = torch.where(near, torch.logaddexp(wide, thin), wide).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (like + log_p - log_q).mean()


# %% scaled-blocks right="best-groups"
def best_groups(precision, groups):
    scale = precision.diagonal().sqrt()
    corr = precision / scale[:, None] / scale
    corr = (corr + corr.T) / 2
    cov = torch.zeros_like(corr)
    y = -torch.linalg.cholesky(corr).diagonal().log().sum()
    for g in groups.unique().tolist():
        rows = torch.nonzero(groups == g).flatten()
        low = torch.linalg.cholesky(corr[rows][:, rows])
        cov[rows[:, None], rows] = torch.cholesky_inverse(low)
        y = y + low.diagonal().log().sum()
    return cov / scale[:, None] / scale, y


# %% masked-matrix-at-once right="best-groups"
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    k = torch.diag(precision.diagonal().rsqrt())
    unit = k @ precision @ k
    blocks = torch.where(same, unit, torch.zeros_like(unit))
    cov = torch.where(same, k @ torch.linalg.inv(blocks) @ k, torch.zeros_like(unit))
    gap = (torch.linalg.slogdet(blocks)[1] - torch.linalg.slogdet(unit)[1]) / 2
    return (cov + cov.T) / 2, gap


# %% plain-determinants wrong="best-groups"
# det overflows: 60 weights with precisions of 1e9, one group each, give inf - inf.
def best_groups(precision, groups):
    same = groups[:, None] == groups
    blocks = precision * same
    cov = torch.linalg.inv(blocks) * same
    gap = 0.5 * (torch.linalg.det(blocks).log() - torch.linalg.det(precision).log())
    return cov, gap


# %% a-little-jitter wrong="best-groups"
# 1e-8 on the diagonal: precision 1e-9 * [[1, 0.5], [0.5, 1]] gets far too small a cov.
def best_groups(precision, groups):
    safe = precision + 1e-8 * torch.eye(len(precision), dtype=precision.dtype)
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.slogdet(safe)[1]
    for g in groups.unique():
        rows = (groups == g).nonzero()[:, 0]
        block = safe[rows][:, rows]
        cov[rows[:, None], rows] = torch.linalg.inv(block)
        gap = gap + torch.linalg.slogdet(block)[1]
    return cov, gap / 2


# %% groups-as-floats wrong="best-groups"
# cdist of float32 labels: groups [10**12, 10**12 + 1] become one group, and gap is 0.
def best_groups(precision, groups):
    label = groups.float()
    same = (label[:, None] - label[None, :]).abs() < 0.5
    blocks = precision * same
    cov = torch.linalg.inv(blocks) * same
    gap = 0.5 * (torch.logdet(blocks) - torch.logdet(precision))
    return cov, gap


# %% pseudo-inverse-with-cut wrong="best-groups"
# Eigenvalues below 1e-9 of the largest are cut: one group with the precision
# [[1e6, 999.99], [999.99, 1]] (correlation 0.99999) loses nearly all of its covariance.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.slogdet(precision)[1]
    for g in groups.unique():
        rows = (groups == g).nonzero()[:, 0]
        block = precision[rows][:, rows]
        cov[rows[:, None], rows] = torch.linalg.pinv(block, rtol=1e-9, hermitian=True)
        gap = gap + torch.linalg.slogdet(block)[1]
    return cov, gap / 2


# %% qr-of-stacked-rows right="last-layer"
def last_layer(features, weights, tau, new):
    y = features @ weights
    root = (torch.sigmoid(y) * torch.sigmoid(-y)).sqrt()
    k = features.shape[1]
    prior_rows = torch.eye(k, dtype=features.dtype) / tau
    tall = torch.cat([root[:, None] * features, prior_rows])
    upper = torch.linalg.qr(tall, mode="r")[1]
    half = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = torch.linalg.vector_norm(half, dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% directions-by-svd right="last-layer"
def last_layer(features, weights, tau, new):
    k = len(weights)
    logit = features @ weights
    steep = torch.exp(-logit.abs() / 2) / (1 + torch.exp(-logit.abs()))
    tall = torch.zeros(max(k, len(features)), k, dtype=torch.float64)
    tall[: len(features)] = steep[:, None] * features
    _, size, axes = torch.linalg.svd(tall, full_matrices=False)
    var = ((new @ axes.T) ** 2 / (size**2 + tau**-2)).sum(1)
    p = 1 / (1 + torch.exp(-(new @ weights) / (1 + math.pi * var / 8).sqrt()))
    return var.sqrt(), p


# %% exp-over-exp wrong="last-layer"
# exp(z) / (1 + exp(z))**2 is inf / inf: a training logit of 900 makes everything nan.
def last_layer(features, weights, tau, new):
    e = (features @ weights).exp()
    curve = e / (1 + e) ** 2
    prec = features.T @ (curve[:, None] * features)
    prec = prec + torch.eye(len(weights), dtype=torch.float64) / tau**2
    var = (new * torch.linalg.solve(prec, new.T).T).sum(1)
    return var.sqrt(), torch.sigmoid(new @ weights / (1 + math.pi / 8 * var).sqrt())


# %% curvature-with-floor wrong="last-layer"
# p (1 - p) at least 1e-9: ten rows [1000.0], weights [0.9], tau 100 give a tenth of the sd.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    curve = (p * (1 - p)).clamp(min=1e-9)
    prec = features.T @ (curve[:, None] * features)
    prec = prec + torch.eye(len(weights), dtype=torch.float64) / tau**2
    low = torch.linalg.cholesky(prec)
    sd = torch.linalg.solve_triangular(low, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / (1 + math.pi / 8 * sd**2).sqrt())


# %% squeezed-results wrong="last-layer"
# squeeze: for one new input, new of shape (1, k), the two results are 0-d.
def last_layer(features, weights, tau, new):
    z = features @ weights
    curve = torch.sigmoid(z) * torch.sigmoid(-z)
    prec = features.T @ (curve[:, None] * features)
    prec = prec + torch.eye(len(weights), dtype=torch.float64) / tau**2
    cov = torch.linalg.inv(prec)
    var = (new[:, None, :] @ cov @ new[:, :, None]).squeeze()
    mu = (new @ weights[:, None]).squeeze()
    return var.sqrt(), torch.sigmoid(mu / (1 + math.pi / 8 * var).sqrt())


# %% inverse-of-the-data-part wrong="last-layer"
# Inverts the information of the data alone, which is singular for one row [1.0, 2.0] (or none).
def last_layer(features, weights, tau, new):
    z = features @ weights
    curve = torch.sigmoid(z) * torch.sigmoid(-z)
    data = torch.linalg.inv(features.T @ (curve[:, None] * features))
    prior = tau**2 * torch.eye(len(weights), dtype=torch.float64)
    cov = data @ torch.linalg.solve(data + prior, prior)
    var = (new @ cov * new).sum(1)
    return var.sqrt(), torch.sigmoid(new @ weights / (1 + math.pi / 8 * var).sqrt())


# %% sum-of-surplus-precisions right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    def k(cov):
        sd = torch.diagonal(cov, dim1=-2, dim2=-1).sqrt()
        outer = sd[..., :, None] * sd[..., None, :]
        return torch.linalg.inv(cov / outer) / outer

    before = k(prior_cov)
    each = k(covs)
    prec = before + (each - before).sum(0)
    cov = k((prec + prec.T) / 2)
    push = (each @ (means - prior_mean)[:, :, None]).sum(0)[:, 0]
    return prior_mean + cov @ push, (cov + cov.T) / 2


# %% natural-parameters-in-a-loop right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    scale = prior_cov.diagonal().sqrt()

    def gradient(cov):
        return torch.cholesky_inverse(torch.linalg.cholesky(cov / scale[:, None] / scale))

    start = gradient(prior_cov)
    prec = start.clone()
    shift = torch.zeros_like(prior_mean)
    for m, cov in zip(means, covs):
        own = gradient(cov)
        prec += own - start
        shift += own @ ((m - prior_mean) / scale)
    low = torch.linalg.cholesky(prec)
    mean = prior_mean + scale * torch.cholesky_solve(shift[:, None], low)[:, 0]
    return mean, torch.cholesky_inverse(low) * scale[:, None] * scale


# %% prior-taken-off-once wrong="merge-posteriors"
# The prior is subtracted once, right for K = 2 alone; three clinics that send the prior show it.
def merge(means, covs, prior_mean, prior_cov):
    before = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    cov = torch.linalg.inv(each.sum(0) - before)
    return cov @ ((each @ means[:, :, None]).sum(0)[:, 0] - before @ prior_mean), cov


# %% first-clinic-starts wrong="merge-posteriors"
# Starts from clinic 0: IndexError for means of shape (0, d) and covs of shape (0, d, d).
def merge(means, covs, prior_mean, prior_cov):
    before = torch.linalg.inv(prior_cov)
    prec = torch.linalg.inv(covs[0])
    shift = prec @ means[0]
    for m, c in zip(means[1:], covs[1:]):
        own = torch.linalg.inv(c)
        prec = prec + own - before
        shift = shift + own @ m - before @ prior_mean
    cov = torch.linalg.inv(prec)
    return cov @ shift, cov


# %% unseen-by-allclose wrong="merge-posteriors"
# allclose with atol 1e-8 drops a clinic of sd 1e-5 under a prior of sd 5e-5 (d = 1).
def merge(means, covs, prior_mean, prior_cov):
    before = torch.linalg.inv(prior_cov)
    prec, shift = before.clone(), before @ prior_mean
    for m, c in zip(means, covs):
        if torch.allclose(c, prior_cov):
            continue
        own = torch.linalg.inv(c)
        prec = prec + own - before
        shift = shift + own @ m - before @ prior_mean
    cov = torch.linalg.inv(prec)
    return cov @ shift, cov


# %% pseudo-inverses wrong="merge-posteriors"
# pinv cuts what is below d * eps of the largest: K = 1, sds (1e-5, 1e4) leave a variance of 0.
def merge(means, covs, prior_mean, prior_cov):
    before = torch.linalg.pinv(prior_cov, hermitian=True)
    each = torch.linalg.pinv(covs, hermitian=True)
    k = len(means)
    cov = torch.linalg.pinv(each.sum(0) - (k - 1) * before, hermitian=True)
    shift = torch.einsum("kij,kj->i", each, means) - (k - 1) * before @ prior_mean
    return cov @ shift, cov


# %% hessian-and-cholesky right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone()
    curve = -torch.autograd.functional.hessian(log_joint, w)
    low, info = torch.linalg.cholesky_ex((curve + curve.T) / 2)
    if info.item() != 0:
        raise ValueError("no bell around the mode")
    y = log_joint(w).detach()
    return y + 0.5 * len(w) * math.log(2 * math.pi) - low.diagonal().log().sum()


# %% rows-of-gradients-and-eigenvalues right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    def check(ok):
        if not ok:
            raise ValueError("minus the second derivatives are not positive definite")

    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_()
        height = log_joint(w)
        (gradient,) = torch.autograd.grad(height, w, create_graph=True)
        check(gradient.requires_grad)
        rows = []
        for g in gradient:
            (row,) = torch.autograd.grad(g, w, retain_graph=True, allow_unused=True)
            rows.append(torch.zeros_like(w) if row is None else row)
    k = -torch.stack(rows).detach()
    values = torch.linalg.eigvalsh((k + k.T) / 2)
    check(bool((values > 0).all()))
    return height.item() + 0.5 * float((math.log(2 * math.pi) - values.log()).sum())


# %% product-of-the-diagonal wrong="laplace-evidence"
# log of a product: 60 weights with log p = -5e11 * (w**2).sum() overflow, and -inf comes.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach())
    low, info = torch.linalg.cholesky_ex(curve)
    if info > 0:
        raise ValueError("not a maximum")
    half_log_det = low.diagonal().prod().log()
    return log_joint(mode).detach() + 0.5 * len(mode) * math.log(2 * math.pi) - half_log_det


# %% positive-means-above-a-threshold wrong="laplace-evidence"
# Eigenvalues up to 1e-8 count as not positive: -1e-11 * (w**2).sum() raises ValueError.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach())
    values = torch.linalg.eigvalsh(curve)
    if values.min() <= 1e-8:
        raise ValueError("not a maximum")
    d = len(values)
    return log_joint(mode).detach() + 0.5 * (d * math.log(2 * math.pi) - values.log().sum())


# %% diagonal-and-sign-of-det wrong="laplace-evidence"
# Two saddles pass for a bell: -(w**2).sum() / 2 - 2 * w[0] * w[1] - 2 * w[2] * w[3] at 0.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach())
    sign, log_det = torch.linalg.slogdet(curve)
    if sign <= 0 or (curve.diagonal() <= 0).any():
        raise ValueError("not a maximum")
    return log_joint(mode).detach() + 0.5 * (len(mode) * math.log(2 * math.pi) - log_det)


# %% gradient-must-be-tiny wrong="laplace-evidence"
# Refuses a gradient that is rounding: -5e11 * (w[0] - 0.3)**2 at the 0.1 + 0.2 next to it.
def laplace_evidence(log_joint, mode):
    slope = torch.autograd.functional.jacobian(log_joint, mode.detach())
    if slope.abs().max() > 1e-6:
        raise ValueError("the gradient is not zero")
    curve = -torch.autograd.functional.hessian(log_joint, mode.detach())
    low, info = torch.linalg.cholesky_ex(curve)
    if info > 0:
        raise ValueError("not a maximum")
    log_det = 2 * low.diagonal().log().sum()
    return log_joint(mode).detach() + 0.5 * (len(mode) * math.log(2 * math.pi) - log_det)


# %% leapfrog-as-written right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def gradient(v):
        with torch.enable_grad():
            v = v.detach().clone().requires_grad_()
            return torch.autograd.grad(log_p(v).sum(), v)[0]

    def k(v, r):
        with torch.no_grad():
            return (r * r / (2 * mass)).sum(1) - log_p(v)

    v, r = w.detach().clone(), momentum.detach().clone()
    before = k(v, r)
    for _ in range(count):
        r = r + size / 2 * gradient(v)
        v = v + size * r / mass
        r = r + size / 2 * gradient(v)
    after = k(v, r)
    moved = torch.isfinite(after) & (u.log() < before - after)
    return torch.where(moved[:, None], v, w.detach()), moved


# %% one-gradient-per-step right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        with torch.enable_grad():
            v = v.detach().clone().requires_grad_()
            y = log_p(v)
            (slope,) = torch.autograd.grad(y, v, torch.ones_like(y))
        return y.detach(), slope

    here = w.detach().clone()
    y, slope = look(here)
    start = -y + 0.5 * (momentum.square() @ (1 / mass))
    r = momentum + 0.5 * size * slope
    for step in range(count):
        here = here + size * (r / mass)
        y, slope = look(here)
        r = r + (0.5 if step == count - 1 else 1.0) * size * slope
    end = -y + 0.5 * (r.square() / mass).sum(dim=1)
    out = w.detach().clone()
    accepted = torch.zeros(len(w), dtype=torch.bool)
    for i, (a, b, v) in enumerate(zip(start.tolist(), end.tolist(), u.tolist())):
        if math.isfinite(b) and math.log(v) < a - b:
            out[i] = here[i]
            accepted[i] = True
    return out, accepted


# %% large-change-is-divergence wrong="hmc-step"
# A change over 1000 counts as divergence: log_p = -50 * (w**2).sum(1), w = [[9.0]], momentum 0,
# size 0.15, count 1, mass 1: the energy falls by some 2200 and the chain must move.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    def energy(v, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(v).detach()

    v, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(v)
        v = v + size * r / mass
        r = r + size / 2 * slope(v)
    fall = energy(w, momentum) - energy(v, r)
    good = torch.isfinite(fall) & (fall.abs() < 1000)
    accepted = good & (u.log() < fall)
    return torch.where(accepted[:, None], v, w), accepted


# %% minus-infinity-is-welcome wrong="hmc-step"
# Energy -inf at the end is accepted: log p is +inf where w > 5 and -w**2 / 2 elsewhere,
# w = [[4.9]], momentum [[9.0]], size 0.1, count 1, mass 1.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    def energy(v, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(v).detach()

    v, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(v)
        v = v + size * r / mass
        r = r + size / 2 * slope(v)
    accepted = u < (energy(w, momentum) - energy(v, r)).exp()
    return torch.where(accepted[:, None], v, w), accepted


# %% one-chain-collapses wrong="hmc-step"
# squeeze: with one chain, w of shape (1, d), accepted is 0-d.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    def energy(v, r):
        kinetic = (r**2 @ (0.5 / mass)[:, None]).squeeze()
        return kinetic - log_p(v).detach().squeeze()

    v, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(v)
        v = v + size * r / mass
        r = r + size / 2 * slope(v)
    end = energy(v, r)
    accepted = torch.isfinite(end) & (u.squeeze().log() < energy(w, momentum) - end)
    return torch.where(accepted[..., None], v, w), accepted


# %% exp-of-a-python-number wrong="hmc-step"
# math.exp raises OverflowError where the energy falls by more than 709: log_p =
# -50 * (w**2).sum(1), w = [[9.0]], momentum 0, size 0.15, count 1, mass 1.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().clone().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    def energy(v, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(v).detach()

    v, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(v)
        v = v + size * r / mass
        r = r + size / 2 * slope(v)
    accepted = []
    for a, b, limit in zip(energy(w, momentum).tolist(), energy(v, r).tolist(), u.tolist()):
        accepted.append(math.isfinite(b) and limit < math.exp(a - b))
    accepted = torch.tensor(accepted)
    return torch.where(accepted[:, None], v, w), accepted
