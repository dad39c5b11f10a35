# %% [markdown]
# Answers written from the text alone.


# %% minibatch-layer-loop right="minibatch-loss"
# A loop over layers with the closed form of the KL; the mean of nll, the KL once over N.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, t in zip(means, log_sds, prior_sds):
        second = (2 * log_sd).exp() + mean**2
        kl = kl + (math.log(t) - log_sd + second / (2 * t * t) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% minibatch-distributions right="minibatch-loss"
# All weights in one long vector, and the KL of torch.distributions.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    from torch.distributions import Normal, kl_divergence

    mean = torch.cat([m.reshape(-1) for m in means])
    log_sd = torch.cat([s.reshape(-1) for s in log_sds])
    sd = torch.cat([torch.full_like(m, t).reshape(-1) for m, t in zip(means, prior_sds)]).detach()
    kl = kl_divergence(Normal(mean, log_sd.exp()), Normal(torch.zeros_like(sd), sd))
    return nll.sum() / len(nll) + kl.sum() / data_size


# %% minibatch-nll-as-number wrong="minibatch-loss"
# The mean of nll is taken out as a Python number: the value is right, but no gradient with
# respect to nll flows (any nll that requires a gradient).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, t in zip(means, log_sds, prior_sds):
        second = (2 * log_sd).exp() + mean**2
        kl = kl + (math.log(t) - log_sd + second / (2 * t * t) - 0.5).sum()
    return nll.mean().item() + kl / data_size


# %% minibatch-clamped-log-sd wrong="minibatch-loss"
# Clamps log_sds at -20 "for stability": the KL is too small by up to 20 nats for each weight,
# and its gradient is 0, where log_sds is below -20 (say -40).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, t in zip(means, log_sds, prior_sds):
        log_sd = log_sd.clamp(min=-20)
        second = (2 * log_sd).exp() + mean**2
        kl = kl + (math.log(t) - log_sd + second / (2 * t * t) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% minibatch-squares-callers-list wrong="minibatch-loss"
# Squares the entries of the caller's list prior_sds in place: an input has changed after the
# call, and a second call with the same list is wrong (any prior sd other than 1).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for layer, (mean, log_sd) in enumerate(zip(means, log_sds)):
        prior_sds[layer] = prior_sds[layer] ** 2
        ratio = (2 * log_sd).exp() / prior_sds[layer]
        kl = kl + 0.5 * (ratio + mean**2 / prior_sds[layer] - 1 - 2 * log_sd).sum()
        kl = kl + 0.5 * mean.numel() * math.log(prior_sds[layer])
    return nll.mean() + kl / data_size


# %% minibatch-counts-two-axes wrong="minibatch-loss"
# Counts the weights of a layer from its first two axes: the constants log(t) - 1/2 are
# counted too rarely for a layer of three or more dimensions, as of a convolution.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for mean, log_sd, t in zip(means, log_sds, prior_sds):
        count = math.prod(mean.shape[:2])
        second = ((2 * log_sd).exp() + mean**2).sum() / (2 * t**2)
        kl = kl + second - log_sd.sum() + count * (math.log(t) - 0.5)
    return nll.mean() + kl / data_size


# %% elbo-logsumexp right="sampled-elbo"
# All draws at once; logsumexp over the two parts; log q from the noise itself.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    half_log = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    z = (y - w @ x.T) / sigma
    fit = (-0.5 * z**2 - math.log(sigma) - half_log).sum(1)
    first = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    second = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    before = (torch.logsumexp(torch.stack([first, second]), 0) - half_log).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half_log).sum(1)
    return (fit + before - log_q).mean()


# %% elbo-wide-part-factored right="sampled-elbo"
# A loop over draws; the wide Normal is factored out of the mixture, so that what is left
# under the logarithm is pi plus a term whose exponent is never positive.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    from torch.distributions import Normal

    share, wide, narrow = prior
    steep = 0.5 * (wide - narrow) * (wide + narrow) / wide**2
    unit = Normal(torch.zeros_like(mean).detach(), 1.0)
    total = 0.0
    for e in noise:
        w = mean + log_sd.exp() * e
        total = total + Normal(x @ w, sigma).log_prob(y).sum()
        rest = (1 - share) * (wide / narrow) * torch.exp(-steep * (w / narrow) ** 2)
        total = total + (unit.log_prob(w / wide) - math.log(wide) + (share + rest).log()).sum()
        total = total - (unit.log_prob(e) - log_sd).sum()
    return total / len(noise)


# %% elbo-floor-under-logs wrong="sampled-elbo"
# Keeps both log-densities above -1e6 "so that nothing becomes -inf": wrong in value and
# without gradient where w / a is beyond 1500 (a = 0.002, c = 0.001, w = 100).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    half_log = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    z = (y - w @ x.T) / sigma
    fit = (-0.5 * z**2 - math.log(sigma) - half_log).sum(1)
    first = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    second = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    both = torch.stack([first, second]).clamp(min=-1e6)
    before = (torch.logsumexp(both, 0) - half_log).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half_log).sum(1)
    return (fit + before - log_q).mean()


# %% elbo-mean-times-n wrong="sampled-elbo"
# The sum over examples is n times their mean: nan for a data set without examples, n = 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    half_log = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    z = (y - w @ x.T) / sigma
    fit = len(y) * (-0.5 * z**2 - math.log(sigma) - half_log).mean(1)
    first = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    second = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    before = (torch.logaddexp(first, second) - half_log).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half_log).sum(1)
    return (fit + before - log_q).mean()


# %% elbo-squeezed-fit wrong="sampled-elbo"
# Squeezes the (S, n) predictions: with n = 1 and S > 1 the sum over examples becomes one over
# draws, and the likelihood counts S times.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    half_log = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    z = (y - (w @ x.T).squeeze()) / sigma
    fit = (-0.5 * z**2 - math.log(sigma) - half_log).sum(-1)
    first = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    second = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    before = (torch.logaddexp(first, second) - half_log).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half_log).sum(1)
    return (fit + before - log_q).mean()


# %% elbo-narrow-part-dropped wrong="sampled-elbo"
# Leaves the narrow part out where |w| > 40 c, as it "cannot matter there": it does where a is
# close to c and pi is small (a = 1.001 c, pi = 1e-9, w = 45 c: off by about 19 nats).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    half_log = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    z = (y - w @ x.T) / sigma
    fit = (-0.5 * z**2 - math.log(sigma) - half_log).sum(1)
    first = math.log(share) - math.log(wide) - 0.5 * (w / wide) ** 2
    second = math.log1p(-share) - math.log(narrow) - 0.5 * (w / narrow) ** 2
    both = torch.where(w.abs() > 40 * narrow, first, torch.logaddexp(first, second))
    before = (both - half_log).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half_log).sum(1)
    return (fit + before - log_q).mean()


# %% groups-cholesky-loop right="best-groups"
# A loop over groups: each block of the precision is inverted on its own, on a scale where all
# precisions are 1; the gap is half the difference of log-determinants.
def best_groups(precision, groups):
    scale = precision.diagonal().sqrt()
    unit = precision / scale[:, None] / scale
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.cholesky(unit).diagonal().log().sum()
    for g in groups.unique():
        at = torch.nonzero(groups == g).flatten()
        root = torch.linalg.cholesky(unit[at][:, at])
        gap = gap + root.diagonal().log().sum()
        cov[at[:, None], at] = torch.cholesky_inverse(root) / scale[at][:, None] / scale[at]
    return cov, gap


# %% groups-mask right="best-groups"
# No loop: entries between groups are set to zero, and the whole matrix is inverted.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    scale = precision.diagonal().sqrt()
    unit = precision / (scale[:, None] * scale[None, :])
    blocks = torch.where(same, unit, torch.zeros_like(unit))
    cov = torch.linalg.inv(blocks)
    cov = torch.where(same, 0.5 * (cov + cov.T), torch.zeros_like(unit))
    gap = 0.5 * (torch.linalg.slogdet(blocks)[1] - torch.linalg.slogdet(unit)[1])
    return cov / (scale[:, None] * scale[None, :]), gap


# %% groups-log-of-det wrong="best-groups"
# Takes the logarithm of determinants: these overflow or underflow for many weights with large
# or small precisions (d = 60 at 1e9: inf - inf = nan).
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    gap = -0.5 * torch.linalg.det(precision).log()
    for g in groups.unique():
        at = torch.nonzero(groups == g).flatten()
        block = precision[at][:, at]
        gap = gap + 0.5 * torch.linalg.det(block).log()
        cov[at[:, None], at] = torch.linalg.inv(block)
    return cov, gap


# %% groups-single-precision-names wrong="best-groups"
# Compares the group numbers as float32: large ones that differ by little, as 10**12 and
# 10**12 - 1, become one group.
def best_groups(precision, groups):
    number = groups.to(torch.float32)
    same = number[:, None] == number[None, :]
    scale = precision.diagonal().sqrt()
    unit = precision / (scale[:, None] * scale[None, :])
    blocks = torch.where(same, unit, torch.zeros_like(unit))
    cov = torch.where(same, torch.linalg.inv(blocks), torch.zeros_like(unit))
    gap = 0.5 * (torch.linalg.slogdet(blocks)[1] - torch.linalg.slogdet(unit)[1])
    return cov / (scale[:, None] * scale[None, :]), gap


# %% groups-jitter wrong="best-groups"
# Adds 1e-9 to the diagonal before each inversion: variances are half of what they should be
# where precisions are as small as 1e-9, and the gap is wrong there, too.
def best_groups(precision, groups):
    safe = precision + 1e-9 * torch.eye(len(precision), dtype=precision.dtype)
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.cholesky(safe).diagonal().log().sum()
    for g in groups.unique():
        at = torch.nonzero(groups == g).flatten()
        root = torch.linalg.cholesky(safe[at][:, at])
        gap = gap + root.diagonal().log().sum()
        cov[at[:, None], at] = torch.cholesky_inverse(root)
    return cov, gap


# %% groups-other-kl wrong="best-groups"
# The covariance is right, but the gap is KL(p || q): wrong wherever weights of different
# groups are correlated.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    scale = precision.diagonal().sqrt()
    unit = precision / (scale[:, None] * scale[None, :])
    blocks = torch.where(same, unit, torch.zeros_like(unit))
    cov = torch.where(same, torch.linalg.inv(blocks), torch.zeros_like(unit))
    logs = torch.linalg.slogdet(unit)[1] - torch.linalg.slogdet(blocks)[1]
    gap = 0.5 * ((blocks * torch.linalg.inv(unit)).sum() - len(unit) + logs)
    return cov / (scale[:, None] * scale[None, :]), gap


# %% last-layer-qr right="last-layer"
# QR of the weighted features on top of the prior's rows: the posterior precision is R^T R, and
# it is never formed, so that its condition number is not squared.
def last_layer(features, weights, tau, new):
    z = features @ weights
    root = (torch.sigmoid(z) * torch.sigmoid(-z)).sqrt()
    prior = torch.eye(len(weights), dtype=new.dtype) / tau
    r = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    mu = new @ weights
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% last-layer-svd right="last-layer"
# Singular vectors of the same stack: along each the deviation is one over the singular value.
# The curvature of a label is written with exp(-|logit|).
def last_layer(features, weights, tau, new):
    e = torch.exp(-(features @ weights).abs())
    curvature = e / (1 + e) ** 2
    stack = torch.cat(
        [features * curvature.sqrt().unsqueeze(1), torch.eye(len(weights), dtype=new.dtype) / tau]
    )
    _, values, directions = torch.linalg.svd(stack, full_matrices=False)
    variance = (((new @ directions.T) / values) ** 2).sum(1)
    mu = (new * weights).sum(1)
    return variance.sqrt(), torch.special.expit(mu / (1 + math.pi / 8 * variance).sqrt())


# %% last-layer-clamped-probability wrong="last-layer"
# Keeps training probabilities 1e-6 away from 0 and 1: a label with a logit of 900 still counts
# as information (a feature of 1000 then adds 1 to the precision, in place of 0).
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights).clamp(1e-6, 1 - 1e-6)
    root = (p * (1 - p)).sqrt()
    prior = torch.eye(len(weights), dtype=new.dtype) / tau
    r = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    mu = new @ weights
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% last-layer-exp-overflow wrong="last-layer"
# The curvature is e^z / (1 + e^z)^2: inf / inf = nan for logits above 709, and everything
# that depends on it is nan.
def last_layer(features, weights, tau, new):
    e = torch.exp(features @ weights)
    root = (e / (1 + e) ** 2).sqrt()
    prior = torch.eye(len(weights), dtype=new.dtype) / tau
    r = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    mu = new @ weights
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% last-layer-squeezed wrong="last-layer"
# Squeezes the results: for one new input, m = 1, both have shape () in place of (1,).
def last_layer(features, weights, tau, new):
    z = features @ weights
    root = (torch.sigmoid(z) * torch.sigmoid(-z)).sqrt()
    prior = torch.eye(len(weights), dtype=new.dtype) / tau
    r = torch.linalg.qr(torch.cat([root[:, None] * features, prior]), mode="r")[1]
    sd = torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0).squeeze()
    mu = (new @ weights[:, None]).squeeze()
    return sd, torch.sigmoid(mu / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% last-layer-prior-minus-gain right="last-layer"
# Woodbury: the prior's variance minus what the labels explain. It cancels by up to ten digits (100
# examples, features of 1000, tau = 10), and six are left.
def last_layer(features, weights, tau, new):
    z = features @ weights
    b = (torch.sigmoid(z) * torch.sigmoid(-z)).sqrt()[:, None] * features
    inner = torch.eye(len(features), dtype=new.dtype) / tau**2 + b @ b.T
    seen = b @ new.T
    gain = (seen * torch.linalg.solve(inner, seen)).sum(0)
    variance = tau**2 * ((new**2).sum(1) - gain)
    mu = new @ weights
    return variance.sqrt(), torch.sigmoid(mu / torch.sqrt(1 + math.pi * variance / 8))


# %% merge-loop-cholesky right="merge-posteriors"
# Adds precisions clinic by clinic and takes the surplus priors out; all inverses by Cholesky on
# a scale of unit variances; the mean is refined from where it was found.
def merge(means, covs, prior_mean, prior_cov):
    def inverse(a):
        scale = a.diagonal().sqrt()
        root = torch.linalg.cholesky(a / scale[:, None] / scale)
        return torch.cholesky_inverse(root) / scale[:, None] / scale

    prior = inverse(prior_cov)
    parts = [inverse(c) for c in covs]
    precision = prior.clone()
    for part in parts:
        precision = precision + (part - prior)
    cov = inverse(precision)
    mean = prior_mean.clone()
    for _ in range(4):
        pull = (1 - len(parts)) * (prior @ (prior_mean - mean))
        for m, part in zip(means, parts):
            pull = pull + part @ (m - mean)
        mean = mean + cov @ pull
    return mean, cov


# %% merge-weighted-batch right="merge-posteriors"
# Prior and posteriors in one batch with the weights 1 - K, 1, ..., 1; inverses of correlation
# matrices, and a solve, repeated on the residual.
def merge(means, covs, prior_mean, prior_cov):
    centres = torch.cat([prior_mean[None], means])
    shapes = torch.cat([prior_cov[None], covs])
    counts = torch.ones(len(shapes), dtype=shapes.dtype)
    counts[0] = 1 - len(means)
    sd = torch.diagonal(shapes, dim1=1, dim2=2).sqrt()
    outer = sd[:, :, None] * sd[:, None, :]
    precisions = torch.linalg.inv(shapes / outer) / outer
    total = torch.einsum("k,kij->ij", counts, precisions)
    total = 0.5 * (total + total.T)
    size = total.diagonal().sqrt()
    unit = total / size[:, None] / size
    mean = centres[-1].clone()
    for _ in range(4):
        push = torch.einsum("k,kij,kj->i", counts, precisions, centres - mean)
        mean = mean + torch.linalg.solve(unit, push / size) / size
    return mean, torch.linalg.inv(unit) / size[:, None] / size


# %% merge-removes-prior-once wrong="merge-posteriors"
# Subtracts the prior once, as is right for two clinics: wrong for K = 1 and for K >= 3.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.inv(prior_cov)
    parts = torch.linalg.inv(covs)
    cov = torch.linalg.inv(parts.sum(0) - prior)
    pull = torch.einsum("kij,kj->i", parts, means) - prior @ prior_mean
    return cov @ pull, cov


# %% merge-surplus-never-negative wrong="merge-posteriors"
# Takes max(K - 1, 0) surplus priors out: without clinics, K = 0, the precision is 0 and its
# inverse fails, where the prior should come back.
def merge(means, covs, prior_mean, prior_cov):
    surplus = max(len(means) - 1, 0)
    prior = torch.linalg.inv(prior_cov)
    precision = -surplus * prior
    pull = -surplus * (prior @ prior_mean)
    for m, c in zip(means, covs):
        part = torch.linalg.inv(c)
        precision = precision + part
        pull = pull + part @ m
    return torch.linalg.solve(precision, pull), torch.linalg.inv(precision)


# %% merge-skips-close-to-prior wrong="merge-posteriors"
# Skips clinics that have "seen nothing", by torch.allclose of the covariances: its absolute
# tolerance of 1e-8 also skips informed ones where variances are small (sds of 1e-5).
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.inv(prior_cov)
    precision = prior.clone()
    pull = prior @ prior_mean
    for m, c in zip(means, covs):
        if torch.allclose(c, prior_cov):
            continue
        part = torch.linalg.inv(c)
        precision = precision + part - prior
        pull = pull + part @ m - prior @ prior_mean
    cov = torch.linalg.inv(precision)
    return cov @ pull, cov


# %% merge-pseudoinverse wrong="merge-posteriors"
# Uses pinv to be safe: it drops directions below 1e-15 of the largest, so that a weight with
# sd 1e-5 beside one with sd 1e4 (variances 1e-10 and 1e8) is lost.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.pinv(prior_cov)
    precision = (1 - len(means)) * prior
    pull = precision @ prior_mean
    for m, c in zip(means, covs):
        part = torch.linalg.pinv(c)
        precision = precision + part
        pull = pull + part @ m
    cov = torch.linalg.pinv(precision)
    return cov @ pull, cov


# %% evidence-cholesky right="laplace-evidence"
# PyTorch's Hessian, scaled to a unit diagonal, and a Cholesky factor that says whether there is
# a bell.
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    h = -torch.autograd.functional.hessian(log_joint, at)
    h = 0.5 * (h + h.T)
    d = h.diagonal()
    if not bool((d > 0).all()):
        raise ValueError("minus the Hessian is not positive definite")
    unit = h / d.sqrt()[:, None] / d.sqrt()
    root, info = torch.linalg.cholesky_ex(unit)
    if int(info) != 0:
        raise ValueError("minus the Hessian is not positive definite")
    half_log_det = root.diagonal().log().sum() + 0.5 * d.log().sum()
    height = log_joint(at).detach()
    return height + 0.5 * len(at) * math.log(2 * math.pi) - half_log_det


# %% evidence-eigenvalues right="laplace-evidence"
# Differentiates twice by hand, row by row, and sums logarithms of eigenvalues.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone().requires_grad_(True)
    value = log_joint(w)
    h = torch.zeros(len(w), len(w), dtype=w.dtype)
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value, w, create_graph=True, allow_unused=True)
        if slope is not None and slope.requires_grad:
            for i in range(len(w)):
                (row,) = torch.autograd.grad(slope[i], w, retain_graph=True, allow_unused=True)
                if row is not None:
                    h[i] = -row.detach()
    d = h.diagonal()
    if float(d.min()) <= 0:
        raise ValueError("no maximum")
    unit = h / torch.outer(d.sqrt(), d.sqrt())
    values = torch.linalg.eigvalsh(0.5 * (unit + unit.T))
    if float(values.min()) <= 0:
        raise ValueError("no maximum")
    bell = math.log(2 * math.pi) - values.log() - d.log()
    return float(value.detach()) + 0.5 * float(bell.sum())


# %% evidence-product-of-roots wrong="laplace-evidence"
# Logarithm of the product of the Cholesky factor's diagonal: overflows for many steep weights
# (60 with second derivatives of 1e12), underflows for many flat ones.
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    h = -torch.autograd.functional.hessian(log_joint, at)
    root, info = torch.linalg.cholesky_ex(h)
    if int(info) != 0:
        raise ValueError("minus the Hessian is not positive definite")
    half_log_det = root.diagonal().prod().log()
    height = log_joint(at).detach()
    return height + 0.5 * len(at) * math.log(2 * math.pi) - half_log_det


# %% evidence-sign-of-determinant wrong="laplace-evidence"
# Takes a positive diagonal and a positive determinant for a bell: lets a saddle with two
# upward directions pass (1 on the diagonal, 2 elsewhere, d = 3: eigenvalues -1, -1, 5).
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    h = -torch.autograd.functional.hessian(log_joint, at)
    sign, log_det = torch.linalg.slogdet(h)
    if sign <= 0 or (h.diagonal() <= 0).any():
        raise ValueError("minus the Hessian is not positive definite")
    height = log_joint(at).detach()
    return height + 0.5 * len(at) * math.log(2 * math.pi) - 0.5 * log_det


# %% evidence-fixed-tolerance wrong="laplace-evidence"
# Refuses eigenvalues up to 1e-8 as "not positive": a wide bell, with second derivatives of
# 1e-10 or 1e-12, is refused though it is one.
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    h = -torch.autograd.functional.hessian(log_joint, at)
    values = torch.linalg.eigvalsh(0.5 * (h + h.T))
    if values.min() < 1e-8:
        raise ValueError("minus the Hessian is not positive definite")
    height = log_joint(at).detach()
    return height + 0.5 * (math.log(2 * math.pi) - values.log()).sum()


# %% evidence-finite-differences wrong="laplace-evidence"
# Differences of gradients at a step of 1e-4: exact for quadratic functions only. Wrong for a
# steep one of another shape, as -cosh(1e6 w), whose bell is far narrower than the step.
def laplace_evidence(log_joint, mode):
    def slope(v):
        v = v.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_joint(v), v)[0]

    at = mode.detach().clone()
    steps = 1e-4 * torch.eye(len(at), dtype=at.dtype)
    h = torch.stack([(slope(at - s) - slope(at + s)) / 2e-4 for s in steps])
    root, info = torch.linalg.cholesky_ex(0.5 * (h + h.T))
    if int(info) != 0:
        raise ValueError("minus the Hessian is not positive definite")
    height = log_joint(at).detach()
    return height + 0.5 * len(at) * math.log(2 * math.pi) - root.diagonal().log().sum()


# %% hmc-as-written right="hmc-step"
# The steps as in the text; a chain moves if its last energy is finite and u is below the ratio.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            value = log_p(v)
            (slope,) = torch.autograd.grad(value.sum(), v)
        return value.detach(), slope.detach()

    start, r = w.detach(), momentum.detach()
    value, slope = look(start)
    before = -value + (r**2 / (2 * mass)).sum(1)
    q = start
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    after = -value + (r**2 / (2 * mass)).sum(1)
    accepted = torch.isfinite(after) & (u < torch.exp(before - after))
    return torch.where(accepted[:, None], q, start), accepted


# %% hmc-merged-half-steps right="hmc-step"
# Half steps between two moves are merged into whole ones; the decision is made in logarithms.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def gradient(v):
        leaf = v.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(leaf), leaf, torch.ones(len(v), dtype=v.dtype))[0]

    def energy(v, r):
        return (r * r / mass).sum(-1) / 2 - log_p(v.detach().clone()).detach()

    r = momentum.detach() + size / 2 * gradient(w)
    q = w.detach().clone()
    for step in range(count):
        q = q + size * (r / mass)
        r = r + (size if step < count - 1 else size / 2) * gradient(q)
    end = energy(q, r)
    gain = energy(w, momentum.detach()) - end
    accepted = (u.log() < gain) & ~torch.isnan(end) & ~torch.isinf(end)
    result = w.detach().clone()
    result[accepted] = q[accepted]
    return result, accepted


# %% hmc-ratio-of-densities wrong="hmc-step"
# Divides e^(-E_end) by e^(-E_start): inf / inf or 0 / 0 as soon as log p carries a constant
# beyond about 700 in size (1e9 is allowed), and no chain moves or all do.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().clone().requires_grad_(True)
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    q, r = w.detach(), momentum.detach()
    value, slope = look(q)
    before = -value + (r**2 / (2 * mass)).sum(1)
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    after = -value + (r**2 / (2 * mass)).sum(1)
    accepted = torch.isfinite(after) & (u < torch.exp(-after) / torch.exp(-before))
    return torch.where(accepted[:, None], q, w.detach()), accepted


# %% hmc-thousand-is-divergence wrong="hmc-step"
# Calls every change of the energy by more than 1000 a divergence, as samplers often do: a chain
# that starts far out and whose energy falls by thousands stays, and should move.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().clone().requires_grad_(True)
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    q, r = w.detach(), momentum.detach()
    value, slope = look(q)
    before = -value + (r**2 / (2 * mass)).sum(1)
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    after = -value + (r**2 / (2 * mass)).sum(1)
    change = before - after
    accepted = (change.abs() < 1000) & (u.log() < change)
    return torch.where(accepted[:, None], q, w.detach()), accepted


# %% hmc-minus-infinity-moves wrong="hmc-step"
# Leaves the refusal to the comparison, which handles nan and +inf: a chain whose energy at the
# end is -inf (log p overflows to +inf there) moves, and should stay.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().clone().requires_grad_(True)
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    q, r = w.detach(), momentum.detach()
    value, slope = look(q)
    before = -value + (r**2 / (2 * mass)).sum(1)
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = q + size * r / mass
        value, slope = look(q)
        r = r + 0.5 * size * slope
    after = -value + (r**2 / (2 * mass)).sum(1)
    accepted = u.log() < before - after
    return torch.where(accepted[:, None], q, w.detach()), accepted


# %% hmc-flags-the-input wrong="hmc-step"
# Switches requires_grad on for the caller's own w and leaves it on: the numbers are right, but
# the input is not as it was (any w).
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v.requires_grad_(True)
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    q, r = w, momentum.detach()
    value, slope = look(q)
    before = -value + (r**2 / (2 * mass)).sum(1)
    for _ in range(count):
        r = r + 0.5 * size * slope
        q = (q + size * r / mass).detach()
        value, slope = look(q)
        r = r + 0.5 * size * slope
    after = -value + (r**2 / (2 * mass)).sum(1)
    accepted = torch.isfinite(after) & (u < torch.exp(before - after))
    return torch.where(accepted[:, None], q, w).detach(), accepted
