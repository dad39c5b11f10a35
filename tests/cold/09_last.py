# %% [markdown]
# Answers written from the text alone.


# %% loss-by-hand right="minibatch-loss"
# Mean NLL plus the sum of the layers' KL over N, with expm1 for the variance ratio.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    loss = nll.mean()
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds, strict=True):
        log_ratio = 2 * (log_sd - math.log(prior_sd))
        kl = 0.5 * (torch.expm1(log_ratio) - log_ratio + (mean / prior_sd) ** 2)
        loss = loss + kl.sum() / data_size
    return loss


# %% loss-distributions right="minibatch-loss"
# All layers in one vector, and the KL of torch.distributions.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    mean = torch.cat([m.reshape(-1) for m in means])
    sd = torch.cat([s.reshape(-1) for s in log_sds]).exp()
    prior_sd = torch.cat(
        [
            torch.full((m.numel(),), float(t), dtype=torch.float64)
            for m, t in zip(means, prior_sds, strict=True)
        ]
    )
    posterior = torch.distributions.Normal(mean, sd)
    prior = torch.distributions.Normal(torch.zeros_like(prior_sd), prior_sd)
    kl = torch.distributions.kl_divergence(posterior, prior).sum()
    return nll.sum() / nll.numel() + kl / data_size


# %% loss-clamped-sds wrong="minibatch-loss"
# Clamps log_sd at -20: value and gradient are wrong for log_sds between -40 and -20.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds, strict=True):
        log_sd = log_sd.clamp(min=-20.0)
        square = ((2 * log_sd).exp() + mean**2) / (2 * prior_sd**2)
        kl = kl + (math.log(prior_sd) - log_sd + square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-row-by-row wrong="minibatch-loss"
# Goes through the rows of a layer, so that a layer with no dimension (one scale) raises an error.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds, strict=True):
        for row, log_row in zip(mean, log_sd, strict=True):
            square = ((2 * log_row).exp() + row**2) / (2 * prior_sd**2)
            kl = kl + (math.log(prior_sd) - log_row + square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-eats-priors wrong="minibatch-loss"
# Takes the priors off the caller's list: after the call prior_sds is empty.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd in zip(means, log_sds, strict=True):
        prior_sd = prior_sds.pop(0)
        square = ((2 * log_sd).exp() + mean**2) / (2 * prior_sd**2)
        kl = kl + (math.log(prior_sd) - log_sd + square - 0.5).sum()
    return nll.mean() + kl / data_size


# %% loss-detached-nll wrong="minibatch-loss"
# Detaches the NLL as if it were only a number: the gradient with respect to nll is lost.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, prior_sd in zip(means, log_sds, prior_sds, strict=True):
        square = ((2 * log_sd).exp() + mean**2) / (2 * prior_sd**2)
        kl = kl + (math.log(prior_sd) - log_sd + square - 0.5).sum()
    return nll.detach().mean() + kl / data_size


# %% elbo-logaddexp right="sampled-elbo"
# All draws at once; logaddexp for the prior, and log q from the noise itself.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    residual = (y - w @ x.T) / sigma
    likelihood = (-0.5 * residual**2 - math.log(sigma) - half).sum(dim=1)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-draw-by-draw right="sampled-elbo"
# A loop over the draws, with log_prob of torch.distributions and logsumexp over the two parts.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = (float(v) for v in prior)
    normal = torch.distributions.Normal
    scales = torch.tensor([[a], [c]], dtype=torch.float64)
    shares = torch.tensor([[math.log(pi)], [math.log1p(-pi)]], dtype=torch.float64)
    parts = normal(torch.zeros_like(scales), scales)
    unit = normal(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
    total = 0.0
    for row in noise:
        w = mean + torch.exp(log_sd) * row
        log_prior = torch.logsumexp(shares + parts.log_prob(w), dim=0).sum()
        log_q = unit.log_prob(row).sum() - log_sd.sum()
        total = total + log_prior - log_q
        if len(y) > 0:
            total = total + normal(x @ w, float(sigma)).log_prob(y).sum()
    return total / len(noise)


# %% elbo-single-precision wrong="sampled-elbo"
# torch.tensor(prior) is float32: pi = 1 - 1e-9 becomes 1, and the narrow part disappears.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = torch.tensor(prior)
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    likelihood = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half).sum(dim=1)
    wide = torch.log(pi) - torch.log(a) - 0.5 * (w / a) ** 2
    narrow = torch.log(1 - pi) - torch.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-mean-times-n wrong="sampled-elbo"
# Likelihood as n times a mean over the examples: nan for an empty data set (n = 0).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    each = -0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half
    likelihood = len(y) * each.mean(dim=1)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(dim=1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(dim=1)
    return (likelihood + log_prior - log_q).mean()


# %% elbo-narrow-dropped wrong="sampled-elbo"
# Drops the narrow part beyond 38 of its sds; wrong for a = 1.001 c, pi = 0.01 and w = 40 c.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    likelihood = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half).sum(dim=1)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    both = torch.where((w / c).abs() > 38, wide, torch.logaddexp(wide, narrow))
    log_q = (-0.5 * noise**2 - log_sd - half).sum(dim=1)
    return (likelihood + (both - half).sum(dim=1) - log_q).mean()


# %% elbo-where-nan wrong="sampled-elbo"
# Right values, but log(0) in the branch not taken makes the gradient nan for w = 50 a.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    likelihood = (-0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half).sum(dim=1)
    wide = math.log(pi) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-pi) - math.log(c) - 0.5 * (w / c) ** 2
    density = wide.exp() + narrow.exp()
    both = torch.where(density > 1e-290, density.log(), torch.logaddexp(wide, narrow))
    log_q = (-0.5 * noise**2 - log_sd - half).sum(dim=1)
    return (likelihood + (both - half).sum(dim=1) - log_q).mean()


# %% groups-loop right="best-groups"
# Inverts each group's block of the precision, scaled to a unit diagonal; slogdet for the gap.
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    cov = torch.zeros_like(precision)
    twice = -torch.linalg.slogdet(unit)[1]
    for group in torch.unique(groups):
        index = torch.nonzero(groups == group)[:, 0]
        block = unit[index][:, index]
        outer = scale[index][:, None] * scale[index]
        cov[index[:, None], index] = torch.linalg.inv(block) * outer
        twice = twice + torch.linalg.slogdet(block)[1]
    return cov, 0.5 * twice


# %% groups-mask right="best-groups"
# Sets entries between groups to 0 and works with two Cholesky factors of the whole matrix.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    root = precision.diagonal().sqrt()
    unit = precision / root[:, None] / root
    inside = torch.linalg.cholesky(torch.where(same, unit, torch.zeros_like(unit)))
    whole = torch.linalg.cholesky(unit)
    cov = torch.cholesky_inverse(inside) / root[:, None] / root
    gap = (inside.diagonal().log() - whole.diagonal().log()).sum()
    return torch.where(same, cov, torch.zeros_like(cov)), gap


# %% groups-nearly-equal wrong="best-groups"
# Compares the integers with isclose: 1000000 and 1000001 become one group.
def best_groups(precision, groups):
    number = groups.double()
    same = torch.isclose(number[:, None], number[None, :])
    root = precision.diagonal().sqrt()
    unit = precision / root[:, None] / root
    inside = torch.where(same, unit, torch.zeros_like(unit))
    cov = torch.linalg.inv(inside) / root[:, None] / root
    gap = 0.5 * (torch.linalg.slogdet(inside)[1] - torch.linalg.slogdet(unit)[1])
    return cov, gap


# %% groups-plain-determinants wrong="best-groups"
# Logarithms of plain determinants: they overflow for 60 weights with precisions of 1e9.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    product = torch.ones((), dtype=torch.float64)
    for group in groups.unique():
        index = (groups == group).nonzero()[:, 0]
        block = precision[index][:, index]
        cov[index[:, None], index] = torch.linalg.inv(block)
        product = product * torch.linalg.det(block)
    return cov, 0.5 * torch.log(product / torch.linalg.det(precision))


# %% groups-pseudo-inverse wrong="best-groups"
# A pseudo-inverse of all blocks together cuts off a group with 1e-9 beside one with 1e9.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    inside = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.linalg.pinv(inside, hermitian=True)
    gap = 0.5 * (torch.linalg.slogdet(inside)[1] - torch.linalg.slogdet(precision)[1])
    return torch.where(same, cov, torch.zeros_like(cov)), gap


# %% groups-sentinel wrong="best-groups"
# Marks finished weights with -1 and so never looks at groups with negative integers.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    twice = -torch.linalg.slogdet(precision)[1]
    left = groups.clone()
    while (left >= 0).any():
        index = (left == left[left >= 0][0]).nonzero()[:, 0]
        block = precision[index][:, index]
        cov[index[:, None], index] = torch.linalg.inv(block)
        twice = twice + torch.linalg.slogdet(block)[1]
        left[index] = -1
    return cov, 0.5 * twice


# %% layer-triangular right="last-layer"
# QR of the weighted features on top of the prior's identity; never forms the precision matrix.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    log_sigmoid = torch.nn.functional.logsigmoid
    root = torch.exp(0.5 * (log_sigmoid(logit) + log_sigmoid(-logit)))
    identity = torch.eye(features.shape[1], dtype=torch.float64)
    stacked = torch.cat([tau * root[:, None] * features, identity])
    upper = torch.linalg.qr(stacked)[1]
    solved = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = tau * torch.linalg.vector_norm(solved, dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% layer-singular-values right="last-layer"
# Singular values of the same stack: the variance is a sum over its right singular vectors.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    root = torch.sqrt(torch.sigmoid(logit) * torch.sigmoid(-logit))
    prior = torch.eye(len(weights), dtype=torch.float64) / tau
    stacked = torch.vstack((root.unsqueeze(1) * features, prior))
    _, values, vectors = torch.linalg.svd(stacked, full_matrices=False)
    variance = ((new @ vectors.T / values) ** 2).sum(dim=1)
    p = torch.sigmoid((new * weights).sum(dim=1) / torch.sqrt(1 + math.pi / 8 * variance))
    return variance.sqrt(), p


# %% layer-clamped-probabilities wrong="last-layer"
# Clamps p at 1e-6: logits of 50 with features of 1000 seem to carry information they lack.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights).clamp(1e-6, 1 - 1e-6)
    identity = torch.eye(features.shape[1], dtype=torch.float64)
    stacked = torch.cat([tau * (p * (1 - p)).sqrt()[:, None] * features, identity])
    upper = torch.linalg.qr(stacked)[1]
    solved = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = tau * solved.norm(dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% layer-squeezed wrong="last-layer"
# Squeezes its results, which are 0-d in place of (1,) for one new input.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    root = torch.sqrt(torch.sigmoid(logit) * torch.sigmoid(-logit))
    identity = torch.eye(features.shape[1], dtype=torch.float64)
    stacked = torch.cat([tau * root[:, None] * features, identity])
    upper = torch.linalg.qr(stacked)[1]
    solved = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
    sd = tau * solved.norm(dim=0, keepdim=True).squeeze()
    mean = (new @ weights[:, None]).squeeze()
    return sd, torch.sigmoid(mean / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% layer-no-data wrong="last-layer"
# Without training examples it returns tau as the sd, whatever the new features are.
def last_layer(features, weights, tau, new):
    if len(features) == 0:
        sd = torch.full((len(new),), float(tau), dtype=torch.float64)
    else:
        logit = features @ weights
        root = torch.sqrt(torch.sigmoid(logit) * torch.sigmoid(-logit))
        identity = torch.eye(features.shape[1], dtype=torch.float64)
        stacked = torch.cat([tau * root[:, None] * features, identity])
        upper = torch.linalg.qr(stacked)[1]
        solved = torch.linalg.solve_triangular(upper.T, new.T, upper=False)
        sd = tau * solved.norm(dim=0)
    return sd, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% layer-pseudo-inverse wrong="last-layer"
# Pseudo-inverse with cut-off 1e-8: for two equal features near 1000 their difference gets sd 0.
def last_layer(features, weights, tau, new):
    logit = features @ weights
    curvature = torch.sigmoid(logit) * torch.sigmoid(-logit)
    identity = torch.eye(features.shape[1], dtype=torch.float64)
    precision = features.T @ (curvature[:, None] * features) + identity / tau**2
    cov = torch.linalg.pinv(precision, rtol=1e-8, hermitian=True)
    variance = ((new @ cov) * new).sum(dim=1).clamp(min=0.0)
    p = torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * variance / 8))
    return variance.sqrt(), p


# %% merge-batched right="merge-posteriors"
# Adds precisions, takes the prior's off K - 1 times, and measures means from the prior's mean.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        scale = matrix.diagonal(dim1=-2, dim2=-1).rsqrt()
        outer = scale[..., :, None] * scale[..., None, :]
        return torch.cholesky_inverse(torch.linalg.cholesky(matrix * outer)) * outer

    clinics = len(means)
    if clinics == 0:
        return prior_mean.clone(), prior_cov.clone()
    precisions = inverse(covs)
    cov = inverse(precisions.sum(dim=0) - (clinics - 1) * inverse(prior_cov))
    pull = torch.einsum("kij,kj->i", precisions, means - prior_mean)
    return prior_mean + cov @ pull, cov


# %% merge-one-by-one right="merge-posteriors"
# Starts at the prior's precision and adds what each clinic has learnt beyond the prior.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        root = matrix.diagonal().sqrt()
        result = torch.linalg.inv(matrix / root[:, None] / root) / root[:, None] / root
        return 0.5 * (result + result.T)

    start = inverse(prior_cov)
    precision, pull = start.clone(), torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs, strict=True):
        own = inverse(cov)
        precision = precision + (own - start)
        pull = pull + own @ (mean - prior_mean)
    cov = inverse(precision)
    return prior_mean + cov @ pull, cov


# %% merge-two-clinics wrong="merge-posteriors"
# Takes the prior off exactly once: right for two clinics only, wrong for one or three.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    precisions = torch.linalg.inv(covs)
    cov = torch.linalg.inv(precisions.sum(dim=0) - start)
    pull = (precisions @ means[..., None]).sum(dim=0)[:, 0] - start @ prior_mean
    return cov @ pull, cov


# %% merge-from-first wrong="merge-posteriors"
# Starts with the first clinic's posterior, which does not exist for K = 0: an error.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    precision = torch.linalg.inv(covs[0])
    pull = precision @ (means[0] - prior_mean)
    for mean, cov in zip(means[1:], covs[1:], strict=True):
        own = torch.linalg.inv(cov)
        precision = precision + own - start
        pull = pull + own @ (mean - prior_mean)
    cov = torch.linalg.inv(precision)
    return prior_mean + cov @ pull, cov


# %% merge-allclose wrong="merge-posteriors"
# Skips clinics "that have seen nothing" by allclose: with prior sds of 1e-5 it skips them all.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    precision, pull = start.clone(), torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs, strict=True):
        if torch.allclose(cov, prior_cov):
            continue
        own = torch.linalg.inv(cov)
        precision = precision + own - start
        pull = pull + own @ (mean - prior_mean)
    cov = torch.linalg.inv(precision)
    return prior_mean + cov @ pull, cov


# %% merge-pseudo-inverse wrong="merge-posteriors"
# Pseudo-inverses drop a weight with sd 1e-5 beside one with sd 1e4.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(matrix):
        return torch.linalg.pinv(matrix, hermitian=True)

    start = inverse(prior_cov)
    precision, pull = start.clone(), torch.zeros_like(prior_mean)
    for mean, cov in zip(means, covs, strict=True):
        own = inverse(cov)
        precision = precision + own - start
        pull = pull + own @ (mean - prior_mean)
    cov = inverse(precision)
    return prior_mean + cov @ pull, cov


# %% evidence-eigenvalues right="laplace-evidence"
# Hessian by torch.autograd.functional, scaled to a unit diagonal, then its eigenvalues.
def laplace_evidence(log_joint, mode):
    point = mode.detach().clone()
    minus = -torch.autograd.functional.hessian(log_joint, point)
    minus = 0.5 * (minus + minus.T)
    diagonal = minus.diagonal()
    if not bool((diagonal > 0).all()):
        raise ValueError("not a maximum: a second derivative is not negative")
    scale = diagonal.rsqrt()
    values = torch.linalg.eigvalsh(minus * scale[:, None] * scale)
    if not bool(values[0] > 1e-13 * values[-1]):
        raise ValueError("not a maximum: the matrix is not positive definite")
    log_det = values.log().sum() + diagonal.log().sum()
    with torch.no_grad():
        top = log_joint(point)
    return top + 0.5 * len(point) * math.log(2 * math.pi) - 0.5 * log_det


# %% evidence-rows right="laplace-evidence"
# Differentiates the gradient entry by entry; Cholesky factor of the scaled matrix.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone().requires_grad_(True)
    top = log_joint(w)
    slope = None
    if top.requires_grad:
        (slope,) = torch.autograd.grad(top, w, create_graph=True, allow_unused=True)
    if slope is None or not slope.requires_grad:
        raise ValueError("no curvature at all")
    rows = []
    for entry in slope:
        (row,) = torch.autograd.grad(entry, w, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(mode) if row is None else row)
    minus = -torch.stack(rows).detach()
    minus = (minus + minus.T) / 2
    if not bool((minus.diagonal() > 0).all()):
        raise ValueError("not a maximum")
    root = minus.diagonal().sqrt()
    factor, failed = torch.linalg.cholesky_ex(minus / root[:, None] / root)
    if int(failed) != 0 or not bool((factor.diagonal() > 1e-7).all()):
        raise ValueError("not a maximum")
    half_log_det = factor.diagonal().log().sum() + root.log().sum()
    return top.detach() + 0.5 * mode.numel() * math.log(2 * math.pi) - half_log_det


# %% evidence-sign-of-determinant wrong="laplace-evidence"
# Accepts a positive diagonal with a positive determinant: two saddles side by side pass (d = 4).
def laplace_evidence(log_joint, mode):
    minus = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    sign, log_det = torch.linalg.slogdet(minus)
    if not bool((minus.diagonal() > 0).all()) or float(sign) <= 0:
        raise ValueError("not a maximum")
    top = log_joint(mode).detach()
    return top + 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * log_det


# %% evidence-differences wrong="laplace-evidence"
# Second differences with step 1e-4: curvatures of 1e-12 are lost in rounding.
def laplace_evidence(log_joint, mode):
    d, step = len(mode), 1e-4
    moves = step * torch.eye(d, dtype=torch.float64)
    minus = torch.zeros(d, d, dtype=torch.float64)
    with torch.no_grad():
        for i in range(d):
            for j in range(i + 1):
                plus, cross = moves[i] + moves[j], moves[i] - moves[j]
                bend = log_joint(mode + plus) + log_joint(mode - plus)
                bend = bend - log_joint(mode + cross) - log_joint(mode - cross)
                minus[i, j] = minus[j, i] = -bend / (4 * step**2)
        top = log_joint(mode)
    factor, failed = torch.linalg.cholesky_ex(minus)
    if int(failed) != 0:
        raise ValueError("not a maximum")
    return top + 0.5 * d * math.log(2 * math.pi) - factor.diagonal().log().sum()


# %% evidence-absolute-threshold wrong="laplace-evidence"
# Refuses eigenvalues below 1e-10, though a proper bell may have curvatures of 1e-12.
def laplace_evidence(log_joint, mode):
    minus = -torch.autograd.functional.hessian(log_joint, mode.detach().clone())
    values = torch.linalg.eigvalsh(minus)
    if float(values.min()) <= 1e-10:
        raise ValueError("not a maximum")
    top = log_joint(mode).detach()
    return top + 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * values.log().sum()


# %% evidence-marks-mode wrong="laplace-evidence"
# Switches requires_grad on in the caller's mode and leaves it on: the input is changed.
def laplace_evidence(log_joint, mode):
    mode.requires_grad_(True)
    top = log_joint(mode)
    minus = -torch.autograd.functional.hessian(log_joint, mode)
    factor, failed = torch.linalg.cholesky_ex(minus)
    if int(failed) != 0:
        raise ValueError("not a maximum")
    half_log_det = factor.diagonal().log().sum()
    return top.detach() + 0.5 * len(mode) * math.log(2 * math.pi) - half_log_det


# %% hmc-plain right="hmc-step"
# Leapfrog as written; the decision in logarithms, from differences of log p and kinetic energy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        (slope,) = torch.autograd.grad(value.sum(), place)
        return value.detach(), slope

    q, r = w.detach().clone(), momentum.detach().clone()
    start, slope = look(q)
    before = (r**2 / (2 * mass)).sum(dim=1)
    end = start
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        end, slope = look(q)
        r = r + 0.5 * size * slope
    after = (r**2 / (2 * mass)).sum(dim=1)
    fall = (end - start) + (before - after)
    accepted = torch.isfinite(after - end) & (torch.log(u) < fall)
    return torch.where(accepted[:, None], q, w.detach()), accepted


# %% hmc-merged right="hmc-step"
# Joins neighbouring half steps of the momentum; the probability is exp of a fall cut at 0.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    ones = torch.ones(len(w), dtype=torch.float64)

    def look(place):
        return torch.autograd.functional.vjp(log_p, place, ones)

    place = w.detach().clone()
    start, slope = look(place)
    moving = momentum.detach() + (size / 2) * slope
    for step in range(1, count + 1):
        place = place + size * (moving / mass)
        end, slope = look(place)
        moving = moving + (size if step < count else size / 2) * slope
    kinetic = 0.5 * (momentum.detach() ** 2 / mass).sum(dim=1)
    kinetic_end = 0.5 * (moving**2 / mass).sum(dim=1)
    finite = torch.isfinite(kinetic_end) & torch.isfinite(end)
    fall = torch.where(finite, (end - start) + (kinetic - kinetic_end), -torch.inf)
    accepted = finite & (u < torch.exp(fall.clamp(max=0.0)))
    result = w.detach().clone()
    result[accepted] = place[accepted]
    return result, accepted


# %% hmc-high-energy-for-nan wrong="hmc-step"
# Calls nan an energy of 1e8: with a constant of -1e9 in log p the chain falls into the nan.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        return value.detach(), torch.autograd.grad(value.sum(), place)[0]

    q, r = w.clone(), momentum.clone()
    value, slope = look(q)
    start = (r**2 / (2 * mass)).sum(dim=1) - value
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    end = torch.nan_to_num((r**2 / (2 * mass)).sum(dim=1) - value, nan=1e8, posinf=1e8)
    accepted = torch.log(u) < start - end
    return torch.where(accepted[:, None], q, w), accepted


# %% hmc-math-exp wrong="hmc-step"
# math.exp for each chain raises OverflowError where the energy falls by more than 709.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        return value.detach(), torch.autograd.grad(value.sum(), place)[0]

    q, r = w.clone(), momentum.clone()
    value, slope = look(q)
    start = (r**2 / (2 * mass)).sum(dim=1) - value
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(dim=1) - value
    decisions = []
    for chain in range(len(w)):
        finite = math.isfinite(float(end[chain]))
        decisions.append(
            finite and float(u[chain]) < math.exp(float(start[chain]) - float(end[chain]))
        )
    accepted = torch.tensor(decisions)
    return torch.where(accepted[:, None], q, w), accepted


# %% hmc-ratio-of-densities wrong="hmc-step"
# Divides exp(-E) at the end by that at the start: 0 / 0 with a constant of a thousand in log p.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        return value.detach(), torch.autograd.grad(value.sum(), place)[0]

    q, r = w.clone(), momentum.clone()
    value, slope = look(q)
    start = (r**2 / (2 * mass)).sum(dim=1) - value
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    end = (r**2 / (2 * mass)).sum(dim=1) - value
    accepted = torch.isfinite(end) & (u < torch.exp(-end) / torch.exp(-start))
    return torch.where(accepted[:, None], q, w), accepted


# %% hmc-stops-on-the-way wrong="hmc-step"
# Rejects a chain that crosses a strip of zero density on its way, though it ends at finite energy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(place):
        place = place.detach().clone().requires_grad_(True)
        value = log_p(place)
        return value.detach(), torch.autograd.grad(value.sum(), place)[0]

    q, r = w.clone(), momentum.clone()
    value, slope = look(q)
    start = (r**2 / (2 * mass)).sum(dim=1) - value
    alive = torch.isfinite(start)
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
        alive = alive & torch.isfinite((r**2 / (2 * mass)).sum(dim=1) - value)
    end = (r**2 / (2 * mass)).sum(dim=1) - value
    accepted = alive & (torch.log(u) < start - end)
    return torch.where(accepted[:, None], q, w), accepted
