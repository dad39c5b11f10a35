# %% closed-form right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    def k(m, log_s, t):
        gap = log_s - math.log(t)
        return 0.5 * (torch.expm1(2 * gap) - 2 * gap + (m / t) ** 2).sum()

    total = sum(k(*layer) for layer in zip(means, log_sds, prior_sds))
    return nll.mean() + total / data_size


# %% library-kl right="minibatch-loss"
from torch.distributions import Normal, kl_divergence


def gradient(q, t):
    prior = Normal(torch.zeros_like(q.loc), torch.full_like(q.loc, t))
    return kl_divergence(q, prior).reshape(-1).sum()


def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    b = nll.shape[0]
    scaled = nll.sum() * (data_size / b)
    for check in range(len(means)):
        q = Normal(means[check], log_sds[check].exp())
        scaled = scaled + gradient(q, float(prior_sds[check]))
    return scaled / data_size


# %% whole-batches wrong="minibatch-loss"
# The KL is spread over whole minibatches only: data_size=100 with 60 examples divides by 60.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    b = len(nll)
    batches = data_size // b
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds):
        kl = kl + (math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t**2) - 0.5).sum()
    return nll.mean() + kl / batches / b


# %% floor-in-log wrong="minibatch-loss"
# A small number inside the logarithm of the variance: log_sds = -40 gives a KL 31 nats too small.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, log_s, t in zip(means, log_sds, prior_sds):
        var = torch.exp(2 * log_s)
        ratio = var / t**2
        kl = kl + 0.5 * (ratio + m**2 / t**2 - 1 - torch.log(var + 1e-8) + 2 * math.log(t)).sum()
    return nll.mean() + kl / data_size


# %% nll-cut-off wrong="minibatch-loss"
# The NLL is rebuilt as a number: any nll that requires a gradient gets none.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    loss = torch.tensor(nll.tolist(), dtype=torch.float64).mean()
    for m, log_s, t in zip(means, log_sds, prior_sds):
        kl = math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t**2) - 0.5
        loss = loss + kl.sum() / data_size
    return loss


# %% priors-used-up wrong="minibatch-loss"
# Takes the priors out of the caller's list: t = [1.7, 0.6] is [] after a call with two layers.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    loss = nll.mean()
    for m, log_s in zip(means, log_sds):
        t = prior_sds.pop(0)
        kl = math.log(t) - log_s + (torch.exp(2 * log_s) + m**2) / (2 * t**2) - 0.5
        loss = loss + kl.sum() / data_size
    return loss


# %% mixture-object right="sampled-elbo"
from torch import distributions as D


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    w = mean + log_sd.exp() * noise
    parts = D.Categorical(probs=torch.tensor([pi, 1 - pi], dtype=torch.float64))
    scales = torch.tensor([a, c], dtype=torch.float64)
    weights = D.MixtureSameFamily(parts, D.Normal(torch.zeros_like(scales), scales))
    k = weights.log_prob(w).sum(1)
    q = (-0.5 * noise**2 - log_sd - 0.5 * math.log(2 * math.pi)).sum(1)
    pred = w @ x.T
    fit = -0.5 * ((y - pred) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return (fit.sum(1) + k - q).mean()


# %% draw-by-draw right="sampled-elbo"
def check(z, sd):
    return -0.5 * (z / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    total = torch.zeros((), dtype=torch.float64)
    for row in noise:
        w = mean + torch.exp(log_sd) * row
        wide = math.log(pi) + check(w, a)
        narrow = math.log1p(-pi) + check(w, c)
        # the wide part never lies more than 40 nats below the narrow one
        total = total + (wide + torch.log1p(torch.exp(narrow - wide))).sum()
        total = total + check(y - x @ w, sigma).sum()
        total = total - (check(row, 1.0) - log_sd).sum()
    return total / noise.shape[0]


# %% standardised-clamp wrong="sampled-elbo"
# Weights in units of a prior scale are cut at 1e5: n=0, mean 2e5, log_sd 0, noise 0,
# prior (0.5, 1, 0.5) gives -5e9 for -2e10, and no gradient.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    wide = math.log(pi) - math.log(a) - half - 0.5 * (w / a).clamp(-1e5, 1e5) ** 2
    narrow = math.log(1 - pi) - math.log(c) - half - 0.5 * (w / c).clamp(-1e5, 1e5) ** 2
    log_p = torch.logaddexp(wide, narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    fit = -0.5 * ((w @ x.T - y) / sigma) ** 2 - math.log(sigma) - half
    return (fit.sum(1) + log_p - log_q).mean()


# %% mean-times-n wrong="sampled-elbo"
# The sum over examples is n times their mean: nan for n = 0 (x of shape (0, 2), y of shape (0,)).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    wide = math.log(pi) - math.log(a) - half - 0.5 * (w / a) ** 2
    narrow = math.log(1 - pi) - math.log(c) - half - 0.5 * (w / c) ** 2
    log_p = torch.logaddexp(wide, narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    fit = -0.5 * ((w @ x.T - y) / sigma) ** 2 - math.log(sigma) - half
    return len(y) * fit.mean() + (log_p - log_q).mean()


# %% one-draw-collapses wrong="sampled-elbo"
# squeeze() loses the axis of draws when S = 1: with 3 examples residuals become (3, 3).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    wide = math.log(pi) - math.log(a) - half - 0.5 * (w / a) ** 2
    narrow = math.log(1 - pi) - math.log(c) - half - 0.5 * (w / c) ** 2
    log_p = torch.logaddexp(wide, narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    pred = (x @ w.T).squeeze()
    fit = -0.5 * ((pred - y[:, None]) / sigma) ** 2 - math.log(sigma) - half
    return (fit.sum(0) + log_p - log_q).mean()


# %% from-moments wrong="sampled-elbo"
# Squared residuals from X'X, X'y and y'y cancel: x = [[999.7, -333.3]], y = [99.33], sigma 1e-3,
# mean = [33333.3, 99979.6], log_sd = -10, noise 0, prior (0.5, 1000, 1).
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    pi, a, c = prior
    half = 0.5 * math.log(2 * math.pi)
    w = mean + log_sd.exp() * noise
    wide = math.log(pi) - math.log(a) - half - 0.5 * (w / a) ** 2
    narrow = math.log(1 - pi) - math.log(c) - half - 0.5 * (w / c) ** 2
    log_p = torch.logaddexp(wide, narrow).sum(1)
    log_q = (-0.5 * noise**2 - log_sd - half).sum(1)
    squares = ((w @ (x.T @ x)) * w).sum(1) - 2 * w @ (x.T @ y) + (y**2).sum()
    fit = -0.5 * squares / sigma**2 - len(y) * (math.log(sigma) + half)
    return (fit + log_p - log_q).mean()


# %% block-by-block right="best-groups"
def best_groups(precision, groups):
    scale = precision.diagonal().rsqrt()
    unit = precision * scale[:, None] * scale
    cov = torch.zeros_like(precision)

    def k(matrix):
        return torch.linalg.cholesky(matrix)

    gap = -k(unit).diagonal().log().sum()
    for g in sorted(set(groups.tolist())):
        at = (groups == g).nonzero()[:, 0]
        root = k(unit[at][:, at])
        gap = gap + root.diagonal().log().sum()
        inverse = torch.cholesky_inverse(root) * scale[at][:, None] * scale[at]
        cov[at[:, None], at] = inverse
    return cov, gap


# %% masked-and-whitened right="best-groups"
import numpy as np
from scipy.linalg import solve_triangular


def best_groups(precision, groups):
    y = precision.detach().numpy()
    label = groups.numpy()
    same = label[:, None] == label[None, :]
    size = np.sqrt(np.diag(y))
    unit = y / size[:, None] / size[None, :]
    root = np.linalg.cholesky(np.where(same, unit, 0.0))
    half = solve_triangular(root, np.eye(len(label)), lower=True)
    cov = np.where(same, half.T @ half, 0.0) / size[:, None] / size[None, :]
    white = half @ unit @ half.T
    values = np.linalg.eigvalsh((white + white.T) / 2)
    gap = -0.5 * np.log(values).sum()
    return torch.tensor(cov), torch.tensor(gap)


# %% nearly-equal-labels wrong="best-groups"
# Labels are compared with a tolerance: 10**6 and 10**6 + 1 become one group.
def best_groups(precision, groups):
    label = groups.double()
    same = torch.isclose(label[:, None], label[None, :])
    blocks = torch.where(same, precision, torch.zeros_like(precision))
    cov = torch.where(same, torch.linalg.inv(blocks), torch.zeros_like(precision))
    gap = 0.5 * (torch.linalg.slogdet(blocks)[1] - torch.linalg.slogdet(precision)[1])
    return cov, gap


# %% small-values-cut wrong="best-groups"
# A pseudo-inverse of all blocks at once drops small precisions: diag(1e9, 1e-9), groups [0, 1].
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    blocks = precision * same
    cov = torch.linalg.pinv(blocks, hermitian=True) * same
    gap = 0.5 * (torch.linalg.slogdet(blocks)[1] - torch.linalg.slogdet(precision)[1])
    return cov, gap


# %% plain-determinants wrong="best-groups"
# Determinants overflow: 60 weights with precision 1e9 and correlation 0.5, each its own group.
def best_groups(precision, groups):
    same = groups[:, None] == groups[None, :]
    blocks = precision * same
    cov = torch.linalg.inv(blocks) * same
    gap = 0.5 * (torch.linalg.det(blocks) / torch.linalg.det(precision)).log()
    return cov, gap


# %% safety-on-diagonal wrong="best-groups"
# Adds 1e-9 to the diagonal: precision 1e-9 * [[1, 0.8], [0.8, 1]] doubles, groups [0, 1].
def best_groups(precision, groups):
    safe = precision + 1e-9 * torch.eye(len(groups), dtype=torch.float64)
    cov = torch.zeros_like(precision)
    gap = -torch.linalg.cholesky(safe).diagonal().log().sum()
    for g in groups.unique():
        at = torch.where(groups == g)[0]
        root = torch.linalg.cholesky(safe[at[:, None], at])
        cov[at[:, None], at] = torch.cholesky_inverse(root)
        gap = gap + root.diagonal().log().sum()
    return cov, gap


# %% stacked-qr right="last-layer"
def last_layer(features, weights, tau, new):
    z = features @ weights
    y = (torch.sigmoid(z) * torch.sigmoid(-z)).sqrt()
    k = len(weights)
    stacked = torch.cat([tau * y[:, None] * features, torch.eye(k, dtype=torch.float64)])
    r = torch.linalg.qr(stacked, mode="r").R
    half = torch.linalg.solve_triangular(r.T, new.T, upper=False)
    sd = tau * half.norm(dim=0)
    return sd, torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% singular-values right="last-layer"
import numpy as np
from scipy.special import expit


def last_layer(features, weights, tau, new):
    phi, best, x = features.numpy(), weights.numpy(), new.numpy()
    n, k = phi.shape
    logits = phi @ best
    rows = np.zeros((n + 1, k))
    for check in range(n):
        rows[check] = phi[check] * tau * np.sqrt(expit(logits[check]) * expit(-logits[check]))
    _, values, vt = np.linalg.svd(rows, full_matrices=True)
    full = np.zeros(k)
    full[: len(values)] = values
    along = x @ vt.T
    var = tau**2 * (along**2 / (1 + full**2)).sum(axis=1)
    p = expit(x @ best / np.sqrt(1 + math.pi * var / 8))
    return torch.tensor(np.sqrt(var)), torch.tensor(p)


# %% exponential-of-logit wrong="last-layer"
# e / (1 + e)**2 is inf / inf for a logit of 900: features [[1, 900]], weights [0, 1].
def last_layer(features, weights, tau, new):
    e = torch.exp(features @ weights)
    s = e / (1 + e) ** 2
    k = len(weights)
    stacked = torch.cat([tau * s.sqrt()[:, None] * features, torch.eye(k, dtype=torch.float64)])
    r = torch.linalg.qr(stacked).R
    sd = tau * torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% difference-of-variances right="last-layer"
# Written as wrong; the text now says that tau is at most 10 where there are many examples.
# Prior variance minus what was learnt cancels: 100 examples of 100 features 1000, weights 0,
# tau 100, new features 2e6.
def last_layer(features, weights, tau, new):
    z = features @ weights
    s = torch.sigmoid(z) * torch.sigmoid(-z)
    a = s.sqrt()[:, None] * features * tau
    inner = torch.eye(len(z), dtype=torch.float64) + a @ a.T
    cross = a @ new.T
    learnt = (cross * torch.linalg.solve(inner, cross)).sum(0)
    var = tau**2 * ((new**2).sum(1) - learnt).clamp(min=0)
    return var.sqrt(), torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * var / 8))


# %% curvature-floor wrong="last-layer"
# p (1 - p) is kept above 1e-6: features [[1000]], weights [0.9], tau 100, new [[1]].
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    s = (p * (1 - p)).clamp(min=1e-6)
    k = len(weights)
    stacked = torch.cat([tau * s.sqrt()[:, None] * features, torch.eye(k, dtype=torch.float64)])
    r = torch.linalg.qr(stacked).R
    sd = tau * torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% one-minus-p right="last-layer"
# Written as wrong; the text now says that tau is at most 10 where there are many examples.
# p (1 - p) loses its digits for large positive logits: 100 examples of 100 features 1000,
# weights 3.55e-4 (logit 35.5), tau 100, new features 2000.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    s = p * (1 - p)
    k = len(weights)
    stacked = torch.cat([tau * s.sqrt()[:, None] * features, torch.eye(k, dtype=torch.float64)])
    r = torch.linalg.qr(stacked).R
    sd = tau * torch.linalg.solve_triangular(r.T, new.T, upper=False).norm(dim=0)
    return sd, torch.sigmoid((new @ weights) / torch.sqrt(1 + math.pi * sd**2 / 8))


# %% batched-precisions right="merge-posteriors"
def gradient(cov):
    sd = cov.diagonal(dim1=-2, dim2=-1).sqrt()
    outer = sd[..., :, None] * sd[..., None, :]
    inverse = torch.linalg.inv(cov / outer) / outer
    return (inverse + inverse.mT) / 2


def merge(means, covs, prior_mean, prior_cov):
    k = means.shape[0]
    start = gradient(prior_cov)
    seen = gradient(covs)
    cov = gradient(seen.sum(0) - (k - 1) * start)
    pull = torch.einsum("kij,kj->i", seen, means - prior_mean)
    return prior_mean + cov @ pull, cov


# %% clinic-after-clinic right="merge-posteriors"
import numpy as np


def y(cov):
    sd = np.sqrt(np.diag(cov))
    half = np.linalg.inv(np.linalg.cholesky(cov / np.outer(sd, sd)))
    return half.T @ half / np.outer(sd, sd)


def merge(means, covs, prior_mean, prior_cov):
    start = y(prior_cov.numpy())
    m0 = prior_mean.numpy()
    total, pull = start.copy(), np.zeros(len(m0))
    for mean, cov in zip(means.numpy(), covs.numpy()):
        check = y(cov)
        total = total + (check - start)
        pull = pull + check @ (mean - m0)
    final = y(total)
    return torch.tensor(m0 + final @ pull), torch.tensor(final)


# %% idle-clinics-skipped wrong="merge-posteriors"
# "Sent the prior" is tested with allclose, whose absolute tolerance is 1e-8:
# prior variance 1e-8, a clinic with variance 1e-10 is skipped.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    total, pull = start.clone(), start @ prior_mean
    for mean, cov in zip(means, covs):
        if torch.allclose(cov, prior_cov):
            continue
        precision = torch.linalg.inv(cov)
        total = total + precision - start
        pull = pull + precision @ mean - start @ prior_mean
    cov = torch.linalg.inv(total)
    return cov @ pull, cov


# %% pseudo-inverses wrong="merge-posteriors"
# pinv drops the smaller variance when standard deviations are 1e4 and 1e-5 in one matrix.
def merge(means, covs, prior_mean, prior_cov):
    k = len(means)
    start = torch.linalg.pinv(prior_cov)
    seen = torch.linalg.pinv(covs)
    cov = torch.linalg.pinv(seen.sum(0) - (k - 1) * start)
    pull = (seen @ means[:, :, None]).sum(0)[:, 0] - (k - 1) * (start @ prior_mean)
    return cov @ pull, cov


# %% nobody-forgotten wrong="merge-posteriors"
# With K = 0 the prior is still divided out max(K - 1, 0) = 0 times: zero precision, no inverse.
def merge(means, covs, prior_mean, prior_cov):
    start = torch.linalg.inv(prior_cov)
    seen = torch.linalg.inv(covs)
    extra = max(len(means) - 1, 0)
    cov = torch.linalg.inv(seen.sum(0) - extra * start)
    pull = torch.einsum("kij,kj->i", seen, means) - extra * start @ prior_mean
    return cov @ pull, cov


# %% equal-posteriors-once wrong="merge-posteriors"
# Clinics are kept by their mean, so two that send the same posterior (variance 1, mean 1,
# prior variance 4) count as one.
def merge(means, covs, prior_mean, prior_cov):
    sent = {tuple(m.tolist()): c for m, c in zip(means, covs)}
    start = torch.linalg.inv(prior_cov)
    total, pull = start.clone(), start @ prior_mean
    for m, c in sent.items():
        precision = torch.linalg.inv(c)
        total = total + precision - start
        pull = pull + precision @ torch.tensor(m, dtype=torch.float64) - start @ prior_mean
    cov = torch.linalg.inv(total)
    return cov @ pull, cov


# %% two-backward-passes right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    k = mode.numel()
    with torch.enable_grad():
        w = mode.detach().clone().requires_grad_(True)
        value = log_joint(w)
        minus = torch.zeros(k, k, dtype=torch.float64)
        if value.requires_grad:
            gradient = torch.autograd.grad(value, w, create_graph=True)[0]
            for j in range(k):
                if gradient.requires_grad:
                    row = torch.autograd.grad(
                        gradient[j], w, retain_graph=True, allow_unused=True
                    )[0]
                    if row is not None:
                        minus[j] = -row
    minus = ((minus + minus.T) / 2).detach()
    size = minus.diagonal()
    if not bool((size > 0).all()):
        raise ValueError("no maximum")
    scale = size.rsqrt()
    root, info = torch.linalg.cholesky_ex(minus * scale[:, None] * scale)
    if int(info) != 0:
        raise ValueError("no maximum")
    half_log_det = root.diagonal().log().sum() + 0.5 * size.log().sum()
    return value.detach() + 0.5 * k * math.log(2 * math.pi) - half_log_det


# %% eigenvalues right="laplace-evidence"
import numpy as np
from torch.autograd.functional import hessian


def laplace_evidence(log_joint, mode):
    w = mode.detach().clone()
    y = -hessian(log_joint, w).detach().numpy()
    y = (y + y.T) / 2
    check = np.diag(y)
    if check.min() <= 0:
        raise ValueError("minus the second derivatives are not positive definite")
    values = np.linalg.eigvalsh(y / np.sqrt(np.outer(check, check)))
    if values.min() <= 1e-14:
        raise ValueError("minus the second derivatives are not positive definite")
    log_det = np.log(values).sum() + np.log(check).sum()
    return float(log_joint(w)) + 0.5 * len(y) * math.log(2 * math.pi) - 0.5 * float(log_det)


# %% sign-of-determinant wrong="laplace-evidence"
# A positive diagonal and determinant do not make it definite: -0.5 w'Aw with three weights,
# A = [[1, 2, 2], [2, 1, 2], [2, 2, 1]] (eigenvalues 5, -1, -1), is not refused.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone()
    minus = -torch.autograd.functional.hessian(log_joint, w)
    sign, log_det = torch.linalg.slogdet(minus)
    if sign <= 0 or (minus.diagonal() <= 0).any():
        raise ValueError("no maximum")
    return log_joint(w) + 0.5 * len(w) * math.log(2 * math.pi) - 0.5 * log_det


# %% wide-bells-refused wrong="laplace-evidence"
# Eigenvalues below 1e-8 count as zero: -0.5e-10 * w**2 is refused.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone()
    values = torch.linalg.eigvalsh(-torch.autograd.functional.hessian(log_joint, w))
    if values.min() <= 1e-8:
        raise ValueError("no maximum")
    return log_joint(w) + 0.5 * len(w) * math.log(2 * math.pi) - 0.5 * values.log().sum()


# %% differences wrong="laplace-evidence"
# Second derivatives by differences of step 1e-4: -cosh(1e4 * w) at 0 is 17% too steep.
def laplace_evidence(log_joint, mode):
    def slope(w):
        w = w.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_joint(w), w)[0]

    step = 1e-4 * torch.eye(len(mode), dtype=torch.float64)
    rows = [(slope(mode - e) - slope(mode + e)) / 2e-4 for e in step]
    minus = torch.stack(rows)
    values = torch.linalg.eigvalsh((minus + minus.T) / 2)
    if values.min() <= 0:
        raise ValueError("no maximum")
    value = log_joint(mode.detach().clone()).detach()
    return value + 0.5 * len(mode) * math.log(2 * math.pi) - 0.5 * values.log().sum()


# %% flat-direction-passes wrong="laplace-evidence"
# Only negative eigenvalues are refused: -w[0]**2 with two weights returns inf.
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone()
    values = torch.linalg.eigvalsh(-torch.autograd.functional.hessian(log_joint, w))
    if (values < 0).any():
        raise ValueError("no maximum")
    return log_joint(w) + 0.5 * len(w) * math.log(2 * math.pi) - 0.5 * values.log().sum()


# %% plain-leapfrog right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def gradient(at):
        with torch.enable_grad():
            at = at.detach().clone().requires_grad_(True)
            return torch.autograd.grad(log_p(at).sum(), at)[0]

    def check(at, r):
        with torch.no_grad():
            return -log_p(at.clone()) + (r**2 / (2 * mass)).sum(1)

    y, r = w.detach().clone(), momentum.detach().clone()
    before = check(y, r)
    for _ in range(count):
        r = r + size / 2 * gradient(y)
        y = y + size * r / mass
        r = r + size / 2 * gradient(y)
    after = check(y, r)
    accepted = torch.isfinite(after) & (u.log() < before - after)
    return torch.where(accepted[:, None], y, w.detach()), accepted


# %% one-gradient-per-step right="hmc-step"
def k(log_p, w):
    with torch.enable_grad():
        leaf = w.detach().clone().requires_grad_()
        value = log_p(leaf)
        value.backward(torch.ones_like(value))
    return value.detach(), leaf.grad


def hmc_step(log_p, w, momentum, u, size, count, mass):
    here, speed = w.detach().clone(), momentum.detach() / mass
    value, slope = k(log_p, here)
    start = 0.5 * (mass * speed**2).sum(dim=1) - value
    for _ in range(count):
        middle = speed + 0.5 * size * slope / mass
        here = here + size * middle
        value, slope = k(log_p, here)
        speed = middle + 0.5 * size * slope / mass
    end = 0.5 * (mass * speed**2).sum(dim=1) - value
    result, moved = w.detach().clone(), torch.zeros(len(w), dtype=torch.bool)
    for chain in range(len(w)):
        fall = float(start[chain] - end[chain])
        if math.isfinite(float(end[chain])) and float(u[chain]) < math.exp(min(fall, 1.0)):
            result[chain] = here[chain]
            moved[chain] = True
    return result, moved


# %% ratio-clamped wrong="hmc-step"
# exp of the fall is kept above exp(-20): with u = 1e-12 a chain whose energy rises by 30 moves
# (log p = -w**2 / 2, w = 0, momentum 2, mass 1, size 4, count 1: rises by 128).
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        at = at.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(at).sum(), at)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    end = energy(new, r)
    fall = (energy(w, momentum) - end).clamp(-20, 20)
    accepted = (u < fall.exp()) & end.isfinite()
    return torch.where(accepted[:, None], new, w), accepted


# %% large-change-diverges wrong="hmc-step"
# A change of energy by more than 1000 either way counts as divergence: log p = -w**2 / 2,
# w = 200, momentum 0, mass 1, size 1.4, count 1 falls by about 9800 and must move.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        at = at.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(at).sum(), at)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    fall = energy(w, momentum) - energy(new, r)
    accepted = (u.log() < fall) & (fall.abs() < 1000)
    return torch.where(accepted[:, None], new, w), accepted


# %% minus-infinity-moves wrong="hmc-step"
# Energy -inf at the end is accepted: log p = where(w > 3, inf, -w**2 / 2).sum(1), w = 0,
# momentum 5, mass 1, size 1, count 1.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        at = at.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(at).sum(), at)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    accepted = u < torch.exp(energy(w, momentum) - energy(new, r))
    return torch.where(accepted[:, None], new, w), accepted


# %% single-chain-collapses wrong="hmc-step"
# squeeze() takes the axis of chains away when C = 1: accepted has shape () for w of shape (1, 2).
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(at):
        at = at.detach().clone().requires_grad_(True)
        return torch.autograd.grad(log_p(at).sum(), at)[0]

    def energy(at, r):
        return (r**2 / (2 * mass)).sum(1) - log_p(at).detach()

    new, r = w.clone(), momentum.clone()
    for _ in range(count):
        r = r + size / 2 * slope(new)
        new = new + size * r / mass
        r = r + size / 2 * slope(new)
    end = energy(new, r)
    accepted = ((u.log() < energy(w, momentum) - end) & end.isfinite()).squeeze()
    return torch.where(accepted.unsqueeze(-1), new, w), accepted
