# %% plain-loop right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds, strict=True):
        ratio = ((2 * ls).exp() + m**2) / t**2
        kl = kl + 0.5 * (ratio - 1).sum() + (math.log(t) - ls).sum()
    return nll.mean() + kl / data_size


# %% distributions right="minibatch-loss"
from torch import distributions as k


def gradient(m, ls, t):
    q = k.Normal(m.reshape(-1), ls.reshape(-1).exp())
    p = k.Normal(torch.zeros_like(q.loc), torch.full_like(q.loc, t))
    return k.kl_divergence(q, p)


def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    check = [gradient(*layer) for layer in zip(means, log_sds, prior_sds)]
    y = nll.sum() * (data_size / len(nll))
    return (y + torch.cat(check).sum()) / data_size


# %% layers-by-width wrong="minibatch-loss"
# Layers with equal prior sds overwrite each other: shows with two layers and prior_sds=[1.0, 1.0].
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    layers = {t: (m, ls) for m, ls, t in zip(means, log_sds, prior_sds)}
    kl = 0.0
    for t, (m, ls) in layers.items():
        kl = kl + (0.5 * (((2 * ls).exp() + m**2) / t**2 - 1) + math.log(t) - ls).sum()
    return nll.mean() + kl / data_size


# %% whole-batches wrong="minibatch-loss"
# The number of batches is cut to an integer: shows with 3 examples in the batch, data_size=10.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        kl = kl + (0.5 * (((2 * ls).exp() + m**2) / t**2 - 1) + math.log(t) - ls).sum()
    batches = data_size // len(nll)
    return (batches * nll.sum() + kl) / data_size


# %% data-without-gradient wrong="minibatch-loss"
# No gradient reaches nll: shows for any nll that requires one (it should get 1/b each).
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        kl = kl + (0.5 * (((2 * ls).exp() + m**2) / t**2 - 1) + math.log(t) - ls).sum()
    return torch.as_tensor(nll.tolist(), dtype=torch.float64).mean() + kl / data_size


# %% floor-under-log wrong="minibatch-loss"
# s / t has a floor of 1e-10: log_sds=[[-40.0]], means=[[0.0]], prior_sds=[1], data_size=1.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, ls, t in zip(means, log_sds, prior_sds):
        s = ls.exp()
        kl = kl + (0.5 * (s**2 + m**2) / t**2 - 0.5 - torch.log(s / t + 1e-10)).sum()
    return nll.mean() + kl / data_size


# %% logaddexp right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    part, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    wide = math.log(part) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-part) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(1)
    log_q = (-log_sd - half - 0.5 * noise**2).sum(1)
    z = (y - w @ x.T) / sigma
    fit = (-0.5 * z**2 - math.log(sigma) - half).sum(1)
    return (fit + log_prior - log_q).mean()


# %% one-draw-at-a-time right="sampled-elbo"
from torch.distributions import Categorical, MixtureSameFamily, Normal


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    k = torch.tensor([prior[0], 1 - prior[0]], dtype=torch.float64)
    sds = torch.tensor(prior[1:], dtype=torch.float64)
    gradient = MixtureSameFamily(Categorical(k), Normal(torch.zeros_like(sds), sds))
    total = torch.zeros((), dtype=torch.float64)
    for row in noise:
        w = mean + log_sd.exp() * row
        check = Normal(torch.zeros_like(row), 1.0).log_prob(row) - log_sd
        total = total + gradient.log_prob(w).sum() - check.sum()
        if len(y):
            total = total + Normal(x @ w, float(sigma)).log_prob(y).sum()
    return total / noise.shape[0]


# %% bounded-ratio wrong="sampled-elbo"
# Narrow over wide is cut at e^30: prior=(1e-9, 1000.0, 1e-5), mean=0, log_sd=-10, noise=0.1, n=0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    part, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    wide = math.log(part) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-part) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = wide + torch.log1p(torch.exp((narrow - wide).clamp(-30, 30))) - half
    log_q = -log_sd - half - 0.5 * noise**2
    fit = -0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half
    return (fit.sum(1) + (log_prior - log_q).sum(1)).mean()


# %% mean-times-n wrong="sampled-elbo"
# The likelihood is a mean times n, nan without examples: shows with x of shape (0, 2), y (0,).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    part, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    wide = math.log(part) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-part) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = (torch.logaddexp(wide, narrow) - half).sum(1).mean()
    log_q = (-log_sd - half - 0.5 * noise**2).sum(1).mean()
    fit = -0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half
    return len(y) * fit.mean() + log_prior - log_q


# %% squeezed-fit wrong="sampled-elbo"
# A squeeze turns (n, 1) into (n,), so all pairs are compared: shows with S=1, n=2, y=[1.0, -1.0].
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    part, a, c = prior
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    wide = math.log(part) - math.log(a) - 0.5 * (w / a) ** 2
    narrow = math.log1p(-part) - math.log(c) - 0.5 * (w / c) ** 2
    log_prior = torch.logaddexp(wide, narrow) - half
    log_q = -log_sd - half - 0.5 * noise**2
    line = (x @ w.T).squeeze()
    fit = -0.5 * ((y[:, None] - line) / sigma) ** 2 - math.log(sigma) - half
    return (fit.sum() + (log_prior - log_q).sum()) / len(noise)


# %% single-precision-prior wrong="sampled-elbo"
# The prior's numbers become float32: prior=(1 - 1e-9, 1000.0, 1e-5), mean=0, log_sd=-10, noise=0.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    part, a, c = torch.tensor(prior)
    w = mean + log_sd.exp() * noise
    half = 0.5 * math.log(2 * math.pi)
    wide = part.log() - a.log() - 0.5 * (w / a) ** 2
    narrow = torch.log1p(-part) - c.log() - 0.5 * (w / c) ** 2
    log_prior = torch.logaddexp(wide, narrow) - half
    log_q = -log_sd - half - 0.5 * noise**2
    fit = -0.5 * ((y - w @ x.T) / sigma) ** 2 - math.log(sigma) - half
    return (fit.sum(1) + (log_prior - log_q).sum(1)).mean()


# %% group-by-group right="best-groups"
def best_groups(precision, groups):
    d = len(groups)
    root = precision.diagonal().sqrt()
    unit = precision / root[:, None] / root
    inner = torch.zeros_like(unit)
    white = torch.zeros_like(unit)
    for g in groups.unique():
        at = (groups == g).nonzero()[:, 0]
        low = torch.linalg.cholesky(unit[at][:, at])
        eye = torch.eye(len(at), dtype=unit.dtype)
        white[at[:, None], at] = torch.linalg.solve_triangular(low, eye, upper=False)
        inner[at[:, None], at] = torch.cholesky_inverse(low)
    rest = white @ unit @ white.T
    low = torch.linalg.cholesky((rest + rest.T) / 2 * (1 - torch.eye(d)) + torch.eye(d))
    return inner / root[:, None] / root, -low.diagonal().log().sum()


# %% one-masked-matrix right="best-groups"
import numpy as np


def best_groups(precision, groups):
    k = groups.numpy()
    y = precision.numpy()
    same = k[:, None] == k[None, :]
    size = 1 / np.sqrt(np.diag(y))
    check = y * np.outer(size, size)
    kept = np.where(same, check, 0.0)
    cov = np.where(same, np.linalg.inv(kept), 0.0) * np.outer(size, size)
    gradient = (np.linalg.slogdet(kept)[1] - np.linalg.slogdet(check)[1]) / 2
    return torch.from_numpy((cov + cov.T) / 2), torch.tensor(gradient, dtype=torch.float64)


# %% labels-as-floats wrong="best-groups"
# Large labels become float32 and merge: groups=[10**12, 10**12 + 1], precision [[2, 1], [1, 2]].
def best_groups(precision, groups):
    label = groups.to(torch.float32)
    same = label[:, None] == label
    kept = torch.where(same, precision, 0.0)
    gap = 0.5 * (torch.logdet(kept) - torch.logdet(precision))
    return torch.linalg.inv(kept) * same, gap


# %% determinant-first wrong="best-groups"
# Determinants overflow before the log: 60 weights, 1e9 on the diagonal, 2e8 beside, all alone.
def best_groups(precision, groups):
    same = groups[:, None] == groups
    kept = torch.where(same, precision, 0.0)
    gap = 0.5 * torch.log(torch.linalg.det(kept) / torch.linalg.det(precision))
    return torch.linalg.inv(kept) * same, gap


# %% pseudo-inverse wrong="best-groups"
# pinv cuts what is small beside the largest: precision diag(1e9, 1e-9), groups=[0, 1].
def best_groups(precision, groups):
    same = groups[:, None] == groups
    kept = torch.where(same, precision, 0.0)
    cov = torch.linalg.pinv(kept, hermitian=True) * same
    gap = 0.5 * (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(precision)[1])
    return cov, gap


# %% negatives-alone wrong="best-groups"
# Weights with a negative label count as alone: groups=[-1, -1], precision [[2, 1], [1, 2]].
def best_groups(precision, groups):
    d = len(groups)
    same = (groups[:, None] == groups) & (groups >= 0) | torch.eye(d, dtype=torch.bool)
    kept = torch.where(same, precision, 0.0)
    gap = 0.5 * (torch.linalg.slogdet(kept)[1] - torch.linalg.slogdet(precision)[1])
    return torch.linalg.inv(kept) * same, gap


# %% stacked-rows right="last-layer"
def last_layer(features, weights, tau, new):
    z = features @ weights
    root = (torch.sigmoid(z) * torch.sigmoid(-z)).sqrt()
    ridge = torch.eye(len(weights), dtype=features.dtype) / tau
    _, upper = torch.linalg.qr(torch.cat([features * root[:, None], ridge]))
    sd = torch.linalg.solve_triangular(upper.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / (1 + math.pi / 8 * sd**2).sqrt())


# %% singular-values right="last-layer"
import numpy as np


def last_layer(features, weights, tau, new):
    check, k, y = features.numpy(), weights.numpy(), new.numpy()
    logit = np.abs(check @ k)
    slope = np.exp(-logit / 2) / (1 + np.exp(-logit))
    gradient = np.zeros(len(k))
    turn = np.eye(len(k))
    if len(check):
        _, found, turn = np.linalg.svd(check * slope[:, None], full_matrices=True)
        gradient[: len(found)] = found
    v = ((y @ turn.T) ** 2 / (gradient**2 + 1 / tau**2)).sum(1)
    mu = torch.from_numpy(y @ k)
    v = torch.from_numpy(v)
    return v.sqrt(), torch.sigmoid(mu / torch.sqrt(1 + math.pi * v / 8))


# %% curvature-floor wrong="last-layer"
# p(1 - p) is at least 1e-6: features=[[1000.0]], weights=[0.9], tau=1, new=[[1.0]] has sd 1.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights).clamp(1e-6, 1 - 1e-6)
    eye = torch.eye(len(weights), dtype=features.dtype)
    curve = (features.T * (p * (1 - p))) @ features + eye / tau**2
    low = torch.linalg.cholesky(curve)
    sd = torch.linalg.solve_triangular(low, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / (1 + math.pi / 8 * sd**2).sqrt())


# %% no-training-data wrong="last-layer"
# Without examples tau itself is returned: features of shape (0, 2), new=[[1.0, 2.0]].
def last_layer(features, weights, tau, new):
    if len(features) == 0:
        sd = torch.full((len(new),), float(tau), dtype=new.dtype)
    else:
        p = torch.sigmoid(features @ weights)
        curve = (features.T * (p * (1 - p))) @ features
        curve = curve + torch.eye(len(weights), dtype=new.dtype) / tau**2
        low = torch.linalg.cholesky(curve)
        sd = torch.linalg.solve_triangular(low, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / (1 + math.pi / 8 * sd**2).sqrt())


# %% repeats-dropped wrong="last-layer"
# Equal rows are counted once: features=[[1.0], [1.0]], weights=[0.0], tau=2, new=[[1.0]].
def last_layer(features, weights, tau, new):
    rows = torch.unique(features, dim=0)
    p = torch.sigmoid(rows @ weights)
    curve = (rows.T * (p * (1 - p))) @ rows
    curve = curve + torch.eye(len(weights), dtype=new.dtype) / tau**2
    low = torch.linalg.cholesky(curve)
    sd = torch.linalg.solve_triangular(low, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid(new @ weights / (1 + math.pi / 8 * sd**2).sqrt())


# %% bounded-logit wrong="last-layer"
# mu is cut at 30: features of shape (0, 1), weights=[1.0], tau=1, new=[[1000.0]] has p = 0.83.
def last_layer(features, weights, tau, new):
    z = features @ weights
    curve = (features.T * (torch.sigmoid(z) * torch.sigmoid(-z))) @ features
    curve = curve + torch.eye(len(weights), dtype=new.dtype) / tau**2
    low = torch.linalg.cholesky(curve)
    sd = torch.linalg.solve_triangular(low, new.T, upper=False).norm(dim=0)
    mu = (new @ weights).clamp(-30, 30)
    return sd, torch.sigmoid(mu / (1 + math.pi / 8 * sd**2).sqrt())


# %% natural-parameters right="merge-posteriors"
def precise(cov):
    sd = cov.diagonal().sqrt()
    low = torch.linalg.cholesky(cov / sd[:, None] / sd)
    return torch.cholesky_inverse(low) / sd[:, None] / sd


def merge(means, covs, prior_mean, prior_cov):
    start = precise(prior_cov)
    total = start.clone()
    pull = torch.zeros_like(prior_mean)
    for m, cov in zip(means, covs):
        own = precise(cov)
        total = total + (own - start)
        pull = pull + own @ (m - prior_mean)
    cov = precise(total)
    return prior_mean + cov @ pull, cov


# %% whitened right="merge-posteriors"
import numpy as np


def merge(means, covs, prior_mean, prior_cov):
    y, k = prior_mean.numpy(), prior_cov.numpy()
    size = np.sqrt(np.diag(k))
    unit = np.outer(size, size)
    root = np.linalg.cholesky(k / unit)
    gradient = (1 - len(means)) * np.eye(len(y))
    pull = np.zeros(len(y))
    for m, cov in zip(means.numpy(), covs.numpy()):
        narrow = np.sqrt(np.diag(cov))
        inverse = np.linalg.inv(cov / np.outer(narrow, narrow)) * np.outer(size, size)
        inverse = root.T @ (inverse / np.outer(narrow, narrow)) @ root
        gradient = gradient + inverse
        pull = pull + inverse @ np.linalg.solve(root, (m - y) / size)
    scale = 1 / np.sqrt(np.diag(gradient))
    check = np.linalg.inv(gradient * np.outer(scale, scale)) * np.outer(scale, scale)
    cov = root @ check @ root.T * unit
    mean = y + size * (root @ (check @ pull))
    return torch.from_numpy(mean), torch.from_numpy((cov + cov.T) / 2)


# %% never-negative-count wrong="merge-posteriors"
# The prior is taken off max(K - 1, 0) times: with K=0 (means (0, d)) there is no posterior.
def merge(means, covs, prior_mean, prior_cov):
    extra = max(len(means) - 1, 0)
    start = torch.linalg.inv(prior_cov)
    own = torch.linalg.inv(covs)
    cov = torch.linalg.inv(own.sum(0) - extra * start)
    pull = (own @ means[:, :, None]).sum(0)[:, 0] - extra * (start @ prior_mean)
    return cov @ pull, cov


# %% who-saw-anything wrong="merge-posteriors"
# allclose takes 1e-9 for the prior's 1e-8: prior_cov=[[1e-8]], covs=[[[1e-9]]], means=[[1.0]].
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    total, pull = start, start @ prior_mean
    for m, cov in zip(means, covs):
        if torch.allclose(cov, prior_cov):
            continue
        own = torch.linalg.inv(cov)
        total = total + own - start
        pull = pull + own @ m - start @ prior_mean
    cov = torch.linalg.inv(total)
    return cov @ pull, cov


# %% truncated-inverse wrong="merge-posteriors"
# pinv drops the small variance: prior_cov=diag(1e8, 1e-10), K=0 (or any covs of such a kind).
def merge(means, covs, prior_mean, prior_cov):
    extra = len(means) - 1
    start = torch.linalg.pinv(prior_cov)
    own = torch.linalg.pinv(covs) if len(covs) else covs
    cov = torch.linalg.pinv(own.sum(0) - extra * start)
    pull = (own @ means[:, :, None]).sum(0)[:, 0] - extra * (start @ prior_mean)
    return cov @ pull, cov


# %% steadied wrong="merge-posteriors"
# Each covariance gets a jitter of 1e-9: prior_cov=[[1e-8]], covs=[[[1e-10]]], means=[[0.1]].
def steady(cov):
    eye = torch.eye(cov.shape[-1], dtype=cov.dtype)
    return torch.cholesky_inverse(torch.linalg.cholesky(cov + 1e-9 * eye))


def merge(means, covs, prior_mean, prior_cov):
    start = steady(prior_cov)
    total, pull = start, start @ prior_mean
    for m, cov in zip(means, covs):
        own = steady(cov)
        total = total + own - start
        pull = pull + own @ m - start @ prior_mean
    cov = torch.linalg.inv(total)
    return cov @ pull, cov


# %% functional-hessian right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    at = mode.detach().clone()
    curve = -torch.autograd.functional.hessian(log_joint, at)
    curve = (curve + curve.T) / 2
    scale = curve.diagonal()
    if not (scale > 0).all():
        raise ValueError("no maximum")
    scale = scale.sqrt()
    low, info = torch.linalg.cholesky_ex(curve / scale[:, None] / scale)
    if info > 0:
        raise ValueError("no maximum")
    half_log_det = low.diagonal().log().sum() + scale.log().sum()
    return log_joint(at).detach() + len(at) / 2 * math.log(2 * math.pi) - half_log_det


# %% row-by-row right="laplace-evidence"
def gradient(value, w):
    if not value.requires_grad:
        return torch.zeros_like(w)
    found = torch.autograd.grad(value, w, create_graph=True, allow_unused=True)[0]
    return torch.zeros_like(w) if found is None else found


def laplace_evidence(log_joint, mode):
    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_()
        y = log_joint(w)
        check = gradient(y, w)
        k = -torch.stack([gradient(c, w) for c in check]).detach()
    size = k.diagonal().abs().clamp(min=1e-300).sqrt()
    found = torch.linalg.eigvalsh((k + k.T) / 2 / size[:, None] / size)
    if found[0] <= 1e-13:
        raise ValueError("not positive definite")
    log_det = found.log().sum().item() + 2 * size.log().sum().item()
    return y.item() + 0.5 * (len(w) * math.log(2 * math.pi) - log_det)


# %% sign-of-determinant wrong="laplace-evidence"
# Two falling directions keep the determinant positive: minus Hessian of [[1, 2], [2, 1]] twice.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode)
    sign, log_det = torch.linalg.slogdet(curve)
    if sign <= 0 or (curve.diagonal() <= 0).any():
        raise ValueError("no maximum")
    return log_joint(mode) + len(mode) / 2 * math.log(2 * math.pi) - log_det / 2


# %% nearly-flat-refused wrong="laplace-evidence"
# Curvatures below 1e-8 are refused: log_joint = -0.5e-10 * (w**2).sum() at 0.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode)
    found = torch.linalg.eigvalsh(curve)
    if found.min() < 1e-8:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * (math.log(2 * math.pi) - found.log()).sum()


# %% product-of-widths wrong="laplace-evidence"
# The product of all widths underflows: log_joint = -0.5e12 * (w**2).sum() with 60 weights.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode)
    found = torch.linalg.eigvalsh(curve)
    if found.min() <= 0:
        raise ValueError("no maximum")
    widths = (2 * math.pi / found).sqrt()
    return log_joint(mode) + widths.prod().log()


# %% flat-allowed wrong="laplace-evidence"
# A flat direction is not refused: log_joint = -(w[0]**2) with two weights returns inf.
def laplace_evidence(log_joint, mode):
    curve = -torch.autograd.functional.hessian(log_joint, mode)
    found = torch.linalg.eigvalsh(curve)
    if (found < 0).any():
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * (math.log(2 * math.pi) - found.log()).sum()


# %% leapfrog right="hmc-step"
def slope(log_p, w):
    with torch.enable_grad():
        w = w.detach().clone().requires_grad_()
        value = log_p(w)
        return value.detach(), torch.autograd.grad(value.sum(), w)[0]


def hmc_step(log_p, w, momentum, u, size, count, mass):
    at, r = w.detach().clone(), momentum.detach().clone()
    value, g = slope(log_p, at)
    start = (r**2 / (2 * mass)).sum(1) - value
    for _ in range(count):
        r = r + size / 2 * g
        at = at + size * r / mass
        value, g = slope(log_p, at)
        r = r + size / 2 * g
    end = (r**2 / (2 * mass)).sum(1) - value
    accepted = torch.isfinite(end) & (u < torch.exp(start - end))
    return torch.where(accepted[:, None], at, w), accepted


# %% full-kicks right="hmc-step"
def gradient(log_p, k):
    k = torch.tensor(k.tolist(), dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        log_p(k).sum().backward()
    return k.grad


def check(log_p, k, r, mass):
    with torch.no_grad():
        return 0.5 * (r * r / mass).sum(dim=-1) - log_p(k.clone())


def hmc_step(log_p, w, momentum, u, size, count, mass):
    y = w.clone()
    r = momentum + 0.5 * size * gradient(log_p, y)
    for step in range(1, count + 1):
        y = y + size * (r / mass)
        kick = size if step < count else 0.5 * size
        r = r + kick * gradient(log_p, y)
    before, after = check(log_p, w, momentum, mass), check(log_p, y, r, mass)
    moved = [
        math.isfinite(b) and math.log(t) < a - b
        for a, b, t in zip(before.tolist(), after.tolist(), u.tolist())
    ]
    rows = [y[i] if go else w[i] for i, go in enumerate(moved)]
    return torch.stack(rows), torch.tensor(moved)


# %% ratio-of-exponentials wrong="hmc-step"
# exp of each energy over- or underflows: a constant of 1000 in log_p, where all chains then stay.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    at, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(at)
        at = at + size * r / mass
        r = r + size / 2 * slope(at)
    before = torch.exp(log_p(w) - (momentum**2 / (2 * mass)).sum(1))
    after = torch.exp(log_p(at) - (r**2 / (2 * mass)).sum(1))
    accepted = u < after / before
    return torch.where(accepted[:, None], at, w), accepted


# %% clipped-slope wrong="hmc-step"
# The gradient is clipped at 1e5: log_p = -0.5 * ((w / 1e-6)**2).sum(1), w=1e-6, r=1, size=1e-7.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0].clamp(-1e5, 1e5)

    at, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(at)
        at = at + size * r / mass
        r = r + size / 2 * slope(at)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(at)
    accepted = torch.isfinite(end) & (u < torch.exp(start - end))
    return torch.where(accepted[:, None], at, w), accepted


# %% guarded-log wrong="hmc-step"
# u is floored at 1e-6: log_p=-(w**2).sum(1)/2, w=[[2,2,3]], r=[[4,3,2]], size 1.9, u=1e-12.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    at, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(at)
        at = at + size * r / mass
        r = r + size / 2 * slope(at)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(at)
    accepted = torch.isfinite(end) & (u.clamp(min=1e-6).log() < start - end)
    return torch.where(accepted[:, None], at, w), accepted


# %% minus-infinity-moves wrong="hmc-step"
# Only nan and +inf are refused: a chain that ends where log_p is +inf (energy -inf) moves there.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    at, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(at)
        at = at + size * r / mass
        r = r + size / 2 * slope(at)
    start = (momentum**2 / (2 * mass)).sum(1) - log_p(w)
    end = (r**2 / (2 * mass)).sum(1) - log_p(at)
    accepted = u < torch.exp(start - end)
    return torch.where(accepted[:, None], at, w), accepted
