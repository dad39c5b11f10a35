# %% closed-form right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds):
        scaled = (2 * (log_s - math.log(t))).exp() + (m / t) ** 2
        kl = kl + (0.5 * (scaled - 1) - log_s + math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% distributions right="minibatch-loss"
from torch.distributions import Normal, kl_divergence


def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    def layer(m, log_s, t):
        check = kl_divergence(Normal(m, log_s.exp()), Normal(torch.zeros_like(m), t))
        return check.reshape(-1).sum()

    y = torch.stack([layer(*each) for each in zip(means, log_sds, prior_sds)])
    k = len(nll)
    return (data_size / k * nll.sum() + y.sum()) / data_size


# %% floor-of-sd wrong="minibatch-loss"
# The standard deviations have a floor: log_sd -40 costs as much as -18.4, and no gradient flows.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds):
        s = log_s.exp().clamp(min=1e-8)
        kl = kl + (torch.log(t / s) + (s**2 + m**2) / (2 * t**2) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% nll-without-gradient wrong="minibatch-loss"
# The mean NLL becomes a number, so no gradient reaches nll: any nll that requires a gradient.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    total = nll.mean().item()
    for m, log_s, t in zip(means, log_sds, prior_sds):
        ratio = torch.exp(log_s) / t
        total += 0.5 * (ratio**2 + (m / t) ** 2 - 1 - 2 * torch.log(ratio)).sum() / data_size
    return total


# %% whole-batches wrong="minibatch-loss"
# The KL is shared among N // b batches, then b examples: 5 examples in batches of 3.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    batches = data_size // len(nll)
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds):
        kl += (math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t * t) - 0.5).sum()
    return (nll.sum() + kl / batches) / len(nll)


# %% two-dimensions wrong="minibatch-loss"
# Sums over two dimensions at most: a layer of shape (2, 3, 4) leaves a loss of shape (2,).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    loss = nll.mean()
    for m, log_s, t in zip(means, log_sds, prior_sds):
        kl = math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t * t) - 0.5
        loss = loss + kl.sum(-1).sum(-1) / data_size
    return loss


# %% logaddexp right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    errors = (y - w @ x.T) / sigma
    fit = -(0.5 * errors**2 + math.log(sigma) + half).sum(1)
    wide = math.log(share) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-share) - math.log(c) - 0.5 * (w / c) ** 2
    before = (torch.logaddexp(wide, narrow) - half).sum(1)
    after = (-0.5 * noise**2 - log_sd - half).sum(1)
    return (fit + before - after).mean()


# %% one-draw-at-a-time right="sampled-elbo"
from torch.distributions import Normal


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    s = torch.exp(log_sd)
    check = []
    for row in noise:
        w = mean + s * row
        value = -(row**2 / 2).sum() - log_sd.sum() - len(mean) / 2 * math.log(2 * math.pi)
        value = -value
        for k in range(len(y)):
            gap = (y[k] - (x[k] * w).sum()) / sigma
            value = value - gap**2 / 2 - math.log(sigma * math.sqrt(2 * math.pi))
        wide = Normal(0 * w, a).log_prob(w)
        # what the narrow part adds to the wide one; its logarithm is at most log(a / c)
        more = (math.log(a / c) - w**2 * (a - c) * (a + c) / (2 * (a * c) ** 2)).exp()
        value = value + (wide + torch.log(share + (1 - share) * more)).sum()
        check.append(value)
    return torch.stack(check).mean()


# %% mean-of-nobody wrong="sampled-elbo"
# The sum over examples is n times their mean, which is nan where n is 0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    n = len(y)
    q = torch.distributions.Normal(mean, log_sd.exp())
    w = mean + log_sd.exp() * noise
    fit = n * torch.distributions.Normal(w @ x.T, sigma).log_prob(y).mean(1)
    parts = torch.stack(
        [
            math.log(share) + torch.distributions.Normal(0 * w, a).log_prob(w),
            math.log(1 - share) + torch.distributions.Normal(0 * w, c).log_prob(w),
        ]
    )
    return (fit + (parts.logsumexp(0) - q.log_prob(w)).sum(1)).mean()


# %% squeezed-draw wrong="sampled-elbo"
# The axis of the draws is squeezed away when S is 1: y minus the predictions is then (n, n).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    Normal = torch.distributions.Normal
    s = log_sd.exp()
    w = mean + s * noise
    predictions = (x @ w.T).squeeze()
    residuals = y.unsqueeze(1) - predictions
    fit = Normal(0 * residuals, sigma).log_prob(residuals).sum(0)
    wide = math.log(share) + Normal(0 * w, a).log_prob(w)
    narrow = math.log(1 - share) + Normal(0 * w, c).log_prob(w)
    rest = torch.logaddexp(wide, narrow) - Normal(mean, s).log_prob(w)
    return (fit + rest.sum(1)).mean()


# %% narrow-only-near-zero wrong="sampled-elbo"
# Beyond 8 c the narrow part is left out, though it may be nearly as wide as the other:
# n = 0, w = 10 without spread (log_sd -10, noise 0), prior (0.01, 1.001, 1).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    Normal = torch.distributions.Normal
    w = mean + log_sd.exp() * noise
    wide = math.log(share) + Normal(0 * w, a).log_prob(w)
    near = w.abs() < 8 * c
    inner = torch.where(near, w, torch.zeros_like(w))
    both = torch.logaddexp(
        math.log(share) + Normal(0 * w, a).log_prob(inner),
        math.log(1 - share) + Normal(0 * w, c).log_prob(inner),
    )
    log_prior = torch.where(near, both, wide).sum(1)
    log_q = Normal(mean, log_sd.exp()).log_prob(w).sum(1)
    fit = Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + log_prior - log_q).mean()


# %% clamped-squares wrong="sampled-elbo"
# (w / scale) squared is cut off at a million: w = 1e5, prior (0.5, 2, 1), where w / c is 1e5.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, a, c = prior
    w = mean + log_sd.exp() * noise
    constant = 0.5 * math.log(2 * math.pi)

    def part(portion, scale):
        square = ((w / scale) ** 2).clamp(max=1e6)
        return math.log(portion) - math.log(scale) - 0.5 * square - constant

    log_prior = torch.logsumexp(torch.stack([part(share, a), part(1 - share, c)]), dim=0)
    log_q = -0.5 * noise**2 - log_sd - constant
    error = (y - w @ x.T) / sigma
    fit = (-0.5 * error**2 - math.log(sigma) - constant).sum(1)
    return (fit + (log_prior - log_q).sum(1)).mean()


# %% group-by-group right="best-groups"
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    scale = precision.diagonal().sqrt()
    y = precision / scale[:, None] / scale
    gap = -torch.linalg.cholesky(y).diagonal().log().sum()
    for k in sorted(set(groups.tolist())):
        inside = torch.nonzero(groups == k).flatten()
        root = torch.linalg.cholesky(y[inside][:, inside])
        gap = gap + root.diagonal().log().sum()
        block = torch.cholesky_inverse(root) / scale[inside, None] / scale[inside]
        cov[inside[:, None], inside] = block
    return cov, gap


# %% masked-matrix right="best-groups"
import numpy as np


def best_groups(precision, groups):
    matrix = precision.detach().numpy()
    label = groups.numpy()
    together = label[:, None] == label[None, :]
    d = np.sqrt(np.diag(matrix))
    full = matrix / np.outer(d, d)
    check = np.where(together, full, 0.0)
    inverse = np.linalg.inv(check)
    inverse = np.where(together, (inverse + inverse.T) / 2, 0.0) / np.outer(d, d)
    gap = (np.linalg.slogdet(check)[1] - np.linalg.slogdet(full)[1]) / 2
    return torch.from_numpy(inverse), torch.tensor(gap, dtype=torch.float64)


# %% jitter wrong="best-groups"
# A jitter of 1e-10 is added to the precision: a tenth of 1e-9 * [[1, 0.5], [0.5, 1]].
def best_groups(precision, groups):
    safe = precision + 1e-10 * torch.eye(len(precision), dtype=precision.dtype)
    masked = safe * (groups[:, None] == groups[None, :])
    gap = 0.5 * (torch.logdet(masked) - torch.logdet(safe))
    return torch.linalg.inv(masked), gap


# %% logarithm-of-determinant wrong="best-groups"
# The determinants overflow before the logarithm: 60 weights with precisions of 1e9 give nan.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    ratio = 1 / torch.linalg.det(precision)
    for g in groups.unique():
        i = torch.where(groups == g)[0]
        block = precision[i][:, i]
        cov[i[:, None], i[None, :]] = torch.linalg.inv(block)
        ratio = ratio * torch.linalg.det(block)
    return cov, 0.5 * torch.log(ratio)


# %% groups-from-zero wrong="best-groups"
# Counts the groups from 0 to the largest: weights of groups (-1, 0) lose the first variance.
def best_groups(precision, groups):
    cov = torch.zeros_like(precision)
    gap = -0.5 * torch.linalg.slogdet(precision)[1]
    for g in range(int(groups.max()) + 1):
        i = (groups == g).nonzero()[:, 0]
        if len(i):
            block = precision[i[:, None], i]
            cov[i[:, None], i] = torch.linalg.inv(block)
            gap = gap + 0.5 * torch.linalg.slogdet(block)[1]
    return cov, gap


# %% pseudoinverse wrong="best-groups"
# A pseudoinverse drops what is small beside the largest: precision diag(1e9, 1e-9), any groups,
# where the second variance becomes 0 instead of 1e9.
def best_groups(precision, groups):
    same = groups.unsqueeze(0) == groups.unsqueeze(1)
    blocks = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.linalg.pinv(blocks, hermitian=True)
    root = torch.linalg.cholesky(precision).diagonal().log().sum()
    return cov * same, torch.linalg.cholesky(blocks).diagonal().log().sum() - root


# %% triangular right="last-layer"
def last_layer(features, weights, tau, new):
    z = features @ weights
    root = torch.sqrt(torch.sigmoid(z) * torch.sigmoid(-z))
    k = len(weights)
    rows = torch.cat([root[:, None] * features, torch.eye(k, dtype=torch.float64) / tau])
    r = torch.linalg.qr(rows, mode="r")[1]
    y = torch.linalg.solve_triangular(r.T, new.T, upper=False)
    variance = (y**2).sum(0)
    return variance.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi / 8 * variance))


# %% loop-of-rows right="last-layer"
import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit


def last_layer(features, weights, tau, new):
    hessian = np.eye(len(weights)) / tau**2
    for row in features.numpy():
        k = row @ weights.numpy()
        hessian += expit(k) * expit(-k) * np.outer(row, row)
    factor = cho_factor(hessian)
    sd, p = [], []
    for row in new.numpy():
        v = row @ cho_solve(factor, row)
        sd.append(math.sqrt(v))
        p.append(expit(row @ weights.numpy() / math.sqrt(1 + math.pi * v / 8)))
    return torch.tensor(sd, dtype=torch.float64), torch.tensor(p, dtype=torch.float64)


# %% squeezed-input wrong="last-layer"
# With a single new input (m = 1) both results are 0-d instead of shape (1,).
def last_layer(features, weights, tau, new):
    z = features @ weights
    r = torch.sigmoid(z) * torch.sigmoid(-z)
    eye = torch.eye(features.shape[1], dtype=torch.float64)
    cov = torch.linalg.inv(features.T @ (r[:, None] * features) + eye / tau**2)
    v = (new[:, None, :] @ cov @ new[:, :, None]).squeeze()
    mu = (new @ weights).squeeze()
    return v.sqrt(), torch.sigmoid(mu / torch.sqrt(1 + math.pi * v / 8))


# %% overflow-in-weights wrong="last-layer"
# exp(-z) / (1 + exp(-z))**2 is inf / inf at a training logit of -900: features [[-900.0]],
# weights [1.0].
def last_layer(features, weights, tau, new):
    e = torch.exp(-(features @ weights))
    r = e / (1 + e) ** 2
    precision = torch.einsum("ni,n,nj->ij", features, r, features)
    precision = precision + torch.eye(len(weights), dtype=torch.float64) / tau**2
    v = (new * torch.linalg.solve(precision, new.T).T).sum(1)
    return v.sqrt(), torch.sigmoid((new @ weights) / (1 + math.pi * v / 8).sqrt())


# %% clamped-probability wrong="last-layer"
# Training probabilities are kept in [1e-6, 1 - 1e-6]: features [[90.0]], weights [10.0], tau 100
# says sd 11 instead of 100 at a new input of 1.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights).clamp(1e-6, 1 - 1e-6)
    precision = features.T @ torch.diag(p * (1 - p)) @ features
    precision += torch.eye(len(weights), dtype=torch.float64) / tau**2
    root = torch.linalg.cholesky(precision)
    v = torch.linalg.solve_triangular(root, new.T, upper=False).square().sum(0)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi / 8 * v))


# %% one-minus-p wrong="last-layer"
# 1 - p is exactly 0 at a logit of 40, though large features still say something: features [[3e7]],
# weights [40 / 3e7], tau 100, where sd is 100 instead of 16 at a new input of 1.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    scaled = (p * (1 - p)).sqrt()[:, None] * features
    eye = torch.eye(len(weights), dtype=torch.float64)
    cov = torch.linalg.inv(scaled.T @ scaled + eye / tau**2)
    v = torch.einsum("mi,ij,mj->m", new, cov, new)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi / 8 * v))


# %% what-each-adds right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    scale = prior_cov.diagonal().sqrt()

    def inverse(matrix):
        y = matrix / scale[:, None] / scale
        return torch.cholesky_inverse(torch.linalg.cholesky(y))

    start = inverse(prior_cov)
    precision, shift = start.clone(), torch.zeros_like(prior_mean)
    for k in range(len(means)):
        own = inverse(covs[k])
        precision += own - start
        shift += own @ ((means[k] - prior_mean) / scale)
    cov = torch.cholesky_inverse(torch.linalg.cholesky((precision + precision.T) / 2))
    return prior_mean + scale * (cov @ shift), cov * scale[:, None] * scale


# %% natural-parameters right="merge-posteriors"
import numpy as np


def merge(means, covs, prior_mean, prior_cov):
    d = np.sqrt(np.diag(prior_cov.numpy()))
    check = [np.linalg.inv(c / np.outer(d, d)) for c in covs.numpy()]
    prior = np.linalg.inv(prior_cov.numpy() / np.outer(d, d))
    k = len(check)
    total = sum(check, np.zeros_like(prior)) + (1 - k) * prior
    pull = (1 - k) * prior @ (prior_mean.numpy() / d)
    for own, y in zip(check, means.numpy()):
        pull = pull + own @ (y / d)
    cov = np.linalg.inv(total)
    return torch.from_numpy(cov @ pull * d), torch.from_numpy(cov * np.outer(d, d))


# %% prior-removed-once wrong="merge-posteriors"
# The prior is taken out once, whatever K is: three clinics that each halve the prior's variance.
def merge(means, covs, prior_mean, prior_cov):
    if len(means) < 2:
        return (means[0], covs[0]) if len(means) else (prior_mean.clone(), prior_cov.clone())
    prior = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    precision = each.sum(0) - prior
    pull = (each @ means[..., None]).sum(0)[:, 0] - prior @ prior_mean
    return torch.linalg.solve(precision, pull), torch.linalg.inv(precision)


# %% jitter wrong="merge-posteriors"
# Every covariance gets 1e-9 on its diagonal: a tenth of a variance of 1e-8 (K = 1, prior 1).
def merge(means, covs, prior_mean, prior_cov):
    jitter = 1e-9 * torch.eye(len(prior_mean), dtype=torch.float64)
    prior = torch.linalg.inv(prior_cov + jitter)
    each = torch.linalg.inv(covs + jitter)
    cov = torch.linalg.inv(prior + (each - prior).sum(0))
    pull = prior @ prior_mean + torch.einsum("kij,kj->i", each, means)
    pull = pull - len(means) * prior @ prior_mean
    return cov @ pull, cov


# %% silent-clinics-skipped wrong="merge-posteriors"
# A clinic is skipped if its covariance is allclose to the prior's, which variances below 1e-8
# always are: prior variance 1.8e-8 and a clinic's 1.0e-8.
def merge(means, covs, prior_mean, prior_cov):
    prior = torch.linalg.inv(prior_cov)
    precision, pull = prior.clone(), prior @ prior_mean
    for m, c in zip(means, covs):
        if torch.allclose(c, prior_cov):
            continue
        own = torch.linalg.inv(c)
        precision += own - prior
        pull += own @ m - prior @ prior_mean
    cov = torch.linalg.inv(precision)
    return cov @ pull, cov


# %% mean-of-no-clinics wrong="merge-posteriors"
# K times the mean over the clinics is nan where K is 0.
def merge(means, covs, prior_mean, prior_cov):
    k = len(means)
    prior = torch.linalg.inv(prior_cov)
    each = torch.linalg.inv(covs)
    precision = k * each.mean(0) - (k - 1) * prior
    pull = k * (each @ means.unsqueeze(-1)).squeeze(-1).mean(0) - (k - 1) * prior @ prior_mean
    cov = torch.linalg.inv(precision)
    return cov @ pull, cov


# %% cholesky right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    bend = -torch.autograd.functional.hessian(log_joint, mode.detach())
    root, info = torch.linalg.cholesky_ex((bend + bend.T) / 2)
    if info.item() != 0 or not torch.isfinite(root).all():
        raise ValueError("not a maximum with a bell around it")
    with torch.no_grad():
        height = log_joint(mode)
    k = mode.numel()
    return height + 0.5 * k * math.log(2 * math.pi) - root.diagonal().log().sum()


# %% pivots right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_()
        y = log_joint(w)
        gradient = [torch.zeros(())] * len(w)
        if y.requires_grad:
            gradient = torch.autograd.grad(y, w, create_graph=True)[0]
        rows = []
        for g in gradient:
            row = None
            if g.requires_grad:
                row = torch.autograd.grad(g, w, retain_graph=True, allow_unused=True)[0]
            rows.append([0.0] * len(w) if row is None else [-v for v in row.tolist()])
    value = y.item()
    for k in range(len(rows)):
        pivot = rows[k][k]
        if not 0 < pivot < math.inf:
            raise ValueError("no maximum")
        value += 0.5 * math.log(2 * math.pi) - 0.5 * math.log(pivot)
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / pivot
            for j in range(k + 1, len(rows)):
                rows[i][j] -= factor * rows[k][j]
    return value


# %% curvature-threshold wrong="laplace-evidence"
# Refuses bells whose curvature is below 1e-10: log_joint -0.5e-12 * w**2 at 0.
def laplace_evidence(log_joint, mode):
    h = -torch.autograd.functional.hessian(log_joint, mode)
    eigenvalues = torch.linalg.eigvalsh(h)
    if eigenvalues.min() < 1e-10:
        raise ValueError("minus the Hessian is not positive definite")
    logdet = eigenvalues.log().sum()
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * logdet


# %% sign-of-determinant wrong="laplace-evidence"
# A positive diagonal and determinant pass as a maximum: three weights, second derivatives -1 on
# the diagonal and -2 beside it (eigenvalues 5, -1, -1 of minus the matrix), no error.
def laplace_evidence(log_joint, mode):
    h = -torch.autograd.functional.hessian(log_joint, mode)
    sign, logdet = torch.linalg.slogdet(h)
    if sign <= 0 or (h.diagonal() <= 0).any():
        raise ValueError("not a maximum")
    return log_joint(mode) + 0.5 * (len(mode) * math.log(2 * math.pi) - logdet)


# %% flat-direction wrong="laplace-evidence"
# Only negative curvature is refused, so a flat direction returns inf: log_joint -w[0]**2 for two
# weights at 0.
def laplace_evidence(log_joint, mode):
    h = torch.autograd.functional.hessian(lambda w: -log_joint(w), mode)
    eigenvalues = torch.linalg.eigvalsh(h)
    if (eigenvalues < 0).any():
        raise ValueError("a saddle or a minimum")
    volume = 0.5 * (math.log(2 * math.pi) - eigenvalues.log()).sum()
    return log_joint(mode) + volume


# %% gradient-differences wrong="laplace-evidence"
# The second derivatives are differences of gradients 2e-4 apart, too far for a narrow bell:
# log_joint -log(1 + 1e12 * w**2) at 0 (second derivative -2e12).
def laplace_evidence(log_joint, mode):
    k, h = len(mode), 1e-4

    def gradient(at):
        at = at.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_joint(at), at)[0]

    steps = h * torch.eye(k, dtype=torch.float64)
    bend = torch.stack([(gradient(mode - s) - gradient(mode + s)) / (2 * h) for s in steps])
    root, info = torch.linalg.cholesky_ex((bend + bend.T) / 2)
    if info > 0:
        raise ValueError("not a maximum")
    return log_joint(mode) + k / 2 * math.log(2 * math.pi) - root.diagonal().log().sum()


# %% logarithms right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def gradient(at):
        with torch.enable_grad():
            leaf = at.detach().clone().requires_grad_()
            y = log_p(leaf)
            return torch.autograd.grad(y.sum(), leaf)[0], y.detach()

    new, r = w.detach().clone(), momentum.detach().clone()
    slope, start = gradient(new)
    for _ in range(count):
        r = r + size / 2 * slope
        new = new + size * r / mass
        slope, end = gradient(new)
        r = r + size / 2 * slope
    before = (momentum**2 / (2 * mass)).sum(1) - start
    after = (r**2 / (2 * mass)).sum(1) - end
    accepted = torch.isfinite(after) & (u.log() < before - after)
    return torch.where(accepted[:, None], new, w), accepted


# %% joined-half-steps right="hmc-step"
@torch.enable_grad()
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def energy(k, r):
        return -log_p(k).detach() + 0.5 * (r * r / mass).sum(dim=1)

    def push(k):
        k = k.detach().requires_grad_(True)
        return torch.autograd.grad(log_p(k), k, torch.ones(len(k), dtype=k.dtype))[0]

    moving = w.detach().clone()
    r = momentum + size / 2 * push(moving)
    for step in range(count):
        moving = moving.detach() + size * r / mass
        r = r + (size if step < count - 1 else size / 2) * push(moving)
    start, end = energy(w.detach(), momentum), energy(moving.detach(), r)
    result, check = w.detach().clone(), torch.zeros(len(w), dtype=torch.bool)
    for chain in range(len(w)):
        last = end[chain].item()
        if math.isfinite(last) and math.log(u[chain].item()) < start[chain].item() - last:
            result[chain] = moving[chain].detach()
            check[chain] = True
    return result, check


# %% energy-change-limit wrong="hmc-step"
# A change of energy of more than 1000 either way counts as a divergence, and the chain stays:
# log p = -w**2 / 2, w = 100, momentum 0, size 1.5, count 1, mass 1, where energy falls by 2800.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def grad(v):
        v = v.detach().requires_grad_(True)
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    q, r = w.detach().clone(), momentum.clone()
    for _ in range(count):
        r = r + 0.5 * size * grad(q)
        q = q + size * r / mass
        r = r + 0.5 * size * grad(q)
    change = (log_p(q) - (r**2 / mass).sum(1) / 2) - (log_p(w) - (momentum**2 / mass).sum(1) / 2)
    accepted = (change.abs() < 1000) & (torch.log(u) < change)
    return torch.where(accepted.unsqueeze(1), q, w), accepted


# %% ratio-of-densities wrong="hmc-step"
# exp(-E) is computed at each end and underflows to 0 / 0: a log_p with a constant of -2000.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def grad(v):
        v = v.detach().requires_grad_(True)
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    def density(v, r):
        return torch.exp(log_p(v) - (r**2 / (2 * mass)).sum(1))

    q, r = w.detach().clone(), momentum.clone()
    for _ in range(count):
        r = r + 0.5 * size * grad(q)
        q = q + size * r / mass
        r = r + 0.5 * size * grad(q)
    accepted = u < density(q, r) / density(w, momentum)
    return torch.where(accepted[:, None], q, w), accepted


# %% minus-infinity wrong="hmc-step"
# An energy of minus infinity is accepted: log_p torch.where(w > 2, inf, -w**2 / 2).sum(1), w = 1,
# momentum 2, size 1, count 1, mass 1.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def grad(v):
        v = v.detach().requires_grad_(True)
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    q, r = w.detach().clone(), momentum.clone()
    for _ in range(count):
        r = r + 0.5 * size * grad(q)
        q = q + size * r / mass
        r = r + 0.5 * size * grad(q)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(q)
    accepted = ~torch.isnan(end) & (u < torch.exp(start - end))
    return torch.where(accepted[:, None], q, w), accepted


# %% clipped-gradient wrong="hmc-step"
# Gradients are clipped at 1e5 against divergence: log_p -1e12 * w**2 / 2 at w = 1e-6, size 1e-7,
# momentum 0, mass 1.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def grad(v):
        v = v.detach().requires_grad_(True)
        return torch.autograd.grad(log_p(v).sum(), v)[0].clamp(-1e5, 1e5)

    q, r = w.detach().clone(), momentum.clone()
    for _ in range(count):
        r = r + 0.5 * size * grad(q)
        q = q + size * r / mass
        r = r + 0.5 * size * grad(q)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(q)
    accepted = torch.isfinite(end) & (u < torch.exp(start - end))
    return torch.where(accepted[:, None], q, w), accepted
