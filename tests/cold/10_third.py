# %% plain-sums right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    def y(t):
        return (t[:, None, :] - mu) * torch.exp(-log_sigma)

    parts = -0.5 * y(x) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + parts.sum(2)
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% distributions right="density-and-owner"
import torch.distributions as td


def density_and_owner(x, logits, mu, log_sigma):
    k = td.Categorical(logits=logits)
    check = td.Independent(td.Normal(mu, log_sigma.exp()), 1)
    log_p = td.MixtureSameFamily(k, check).log_prob(x)
    columns = []
    for j in range(len(logits)):
        one = td.Normal(mu[j], log_sigma[j].exp()).log_prob(x).sum(1)
        columns.append(one + (logits[j] - logits.logsumexp(0)))
    joint = torch.stack(columns, 1)
    return log_p, joint - joint.logsumexp(1, keepdim=True)


# %% detached-normaliser wrong="density-and-owner"
# The normaliser has no gradient for log_sigma: any input, e.g. x = mu = 0, log_sigma = 0
# (n = K = D = 1), where the gradient is -1 and comes out as 0.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) / log_sigma.exp()
    constant = log_sigma.detach().sum(1) + 0.5 * mu.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * z.square().sum(2) - constant
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% softmax-then-log wrong="density-and-owner"
# The weight underflows: logits = [800, -800], mu = [[0], [1]], x = [[0]], log_sigma = 0 gives
# log_r = -inf for component 1 instead of about -1600.5 (and with x = [[1000]] a wrong owner).
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = torch.softmax(logits, 0).log()
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    parts = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = log_pi + parts.sum(-1)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% components-counted-by-rows wrong="density-and-owner"
# The loop over components runs to n: x with 2 rows and K = 3 ignores a component or raises.
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = logits - torch.logsumexp(logits, 0)
    columns = []
    for k in range(len(x)):
        normal = torch.distributions.Normal(mu[k], log_sigma[k].exp())
        columns.append(log_pi[k] + normal.log_prob(x).sum(1))
    joint = torch.stack(columns, 1)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% expanded-square wrong="density-and-owner"
# Cancellation: x = [[1000.0]], mu = [[1000 - 1e-8]], log_sigma = -18, logits = [0].
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    square = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = log_sigma.sum(1) + 0.5 * mu.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * square - constant
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% shares-in-logs right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var + var.log())
    log_r = torch.log_softmax(joint, 1)
    count = log_r.exp().sum(0)
    used = count > 0
    share = torch.softmax(torch.where(used, log_r, 0.0), 0)
    centre = torch.where(used, (share * x[:, None]).sum(0), mu)
    spread = (share * (x[:, None] - centre) ** 2).sum(0)
    if c > 0:
        new = (count * spread + c * s2) / (count + c)
    else:
        new = torch.where(used, spread, var)
    return count / len(x), centre, new


# %% numpy-loop right="careful-em"
import numpy as np
from scipy.special import logsumexp


def careful_em_step(x, pi, mu, var, c, s2):
    data, weights, means, variances = (np.array(t.detach()) for t in (x, pi, mu, var))
    K = len(weights)

    def k(j):
        if weights[j] == 0:
            return np.full(len(data), -np.inf)
        sd = math.sqrt(variances[j])
        return math.log(weights[j]) - 0.5 * ((data - means[j]) / sd) ** 2 - math.log(sd)

    joint = np.stack([k(j) for j in range(K)], 1)
    log_r = joint - logsumexp(joint, axis=1, keepdims=True)
    for j in range(K):
        total = np.exp(log_r[:, j]).sum()
        weights[j] = total / len(data)
        if total == 0:
            if c > 0:
                variances[j] = s2
            continue
        w = np.exp(log_r[:, j] - log_r[:, j].max())
        means[j] = data[0] + np.average(data - data[0], weights=w)
        inner = np.average((data - means[j]) ** 2, weights=w)
        variances[j] = inner * (total / (total + c)) + s2 * (c / (total + c))
    return tuple(torch.from_numpy(a) for a in (weights, means, variances))


# %% idle-by-weight-only wrong="careful-em"
# With c = 0 a component that is unused because it is far away gets the variance 0: x = [0.0, 1.0],
# pi = [0.5, 0.5], mu = [0.5, 900], var = [1, 2], c = 0 must keep 2.
def careful_em_step(x, pi, mu, var, c, s2):
    log_r = torch.log_softmax(pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var + var.log()), 1)
    r = log_r.exp()
    count = r.sum(0)
    centre = torch.where(count > 0, r.T @ x / torch.where(count > 0, count, 1.0), mu)
    scatter = (r * (x[:, None] - centre) ** 2).sum(0)
    if c == 0:
        new = torch.where(pi > 0, scatter / count.clamp_min(torch.finfo(x.dtype).tiny), var)
    else:
        new = (scatter + c * s2) / (count + c)
    return count / len(x), centre, new


# %% floor-under-counts wrong="careful-em"
# A floor of 1e-12 under N_k: x = [1.0, 1.2], pi = [0.5, 0.5], mu = [1, 12], var = [1, 1] has
# N_1 of about 1e-25, and its new mean must be about 1.2, not 0.
def careful_em_step(x, pi, mu, var, c, s2):
    log_r = torch.log_softmax(pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var + var.log()), 1)
    r = log_r.exp()
    count = r.sum(0)
    used = count > 0
    safe = count.clamp_min(1e-12)
    centre = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    new = ((r * (x[:, None] - centre) ** 2).sum(0) + c * s2) / (safe + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), centre, torch.where(used, new, idle)


# %% mean-of-squares wrong="careful-em"
# E[x^2] - mean^2 cancels: x = [999.99999, 1000.0, 1000.00001], pi = [1], mu = [1000],
# var = [1e-9], c = 0 must give 6.67e-11.
def careful_em_step(x, pi, mu, var, c, s2):
    log_r = torch.log_softmax(pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var + var.log()), 1)
    r = log_r.exp()
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    centre = torch.where(used, r.T @ x / safe, mu)
    scatter = (r.T @ x**2 - count * centre**2).clamp_min(0.0)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), centre, torch.where(used, (scatter + c * s2) / (safe + c), idle)


# %% bounded-log-density wrong="careful-em"
# Log-densities are cut at -1e6: x = [50000.0], pi = [0.5, 0.5], mu = [0, 10], var = [1, 1]
# must go to component 1 altogether and goes half to each.
def careful_em_step(x, pi, mu, var, c, s2):
    log_n = (-0.5 * ((x[:, None] - mu) ** 2 / var + var.log())).clamp_min(-1e6)
    r = torch.softmax(pi.log() + log_n, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    centre = torch.where(used, r.T @ x / safe, mu)
    new = ((r * (x[:, None] - centre) ** 2).sum(0) + c * s2) / (safe + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), centre, torch.where(used, new, idle)


# %% masked right="holey-loss"
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], dim=1)
    mu, log_sigma = mu.reshape(n, K, D), log_sigma.reshape(n, K, D)
    there = ~torch.isnan(y)
    filled = torch.where(there, y, 0.0)[:, None, :]
    terms = -0.5 * ((filled - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = torch.where(there[:, None, :], terms - 0.5 * math.log(2 * math.pi), 0.0)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -torch.where(there.any(1), log_p, 0.0).sum() / n


# %% row-by-row right="holey-loss"
from torch.distributions import Normal


def holey_loss(raw, y):
    D = y.shape[1]
    K = raw.shape[1] // (2 * D + 1)
    total = 0 * raw.sum()

    def gradient(row, target):
        seen = [d for d in range(D) if not math.isnan(target[d])]
        if not seen:
            return 0.0
        log_weights = row[:K] - row[:K].logsumexp(0)
        scores = []
        for k in range(K):
            score = log_weights[k]
            for d in seen:
                mean = row[K + k * D + d]
                scale = row[K + K * D + k * D + d].exp()
                score = score + Normal(mean, scale).log_prob(target[d])
            scores.append(score)
        return torch.stack(scores).logsumexp(0)

    for i in range(len(y)):
        total = total - gradient(raw[i], y[i])
    return total / len(y)


# %% zero-is-a-hole wrong="holey-loss"
# A measured 0 counts as missing: raw = [[0, 0, 0]], y = [[0.0]] must give 0.919 and gives 0.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits = raw[:, :K]
    mu = raw[:, K : K + K * D].reshape(n, K, D)
    log_sigma = raw[:, K + K * D :].reshape(n, K, D)
    filled = torch.nan_to_num(y, nan=0.0)
    mask = (filled != 0).double()[:, None, :]
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 1) + (mask * terms).sum(2)
    return -torch.logsumexp(joint, 1).mean()


# %% clamped-widths wrong="holey-loss"
# Log standard deviations are clamped to [-7, 7]: raw = [[0, 0, -12]], y = [[0.0]] must give
# -11.08; gradients are lost there, too.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits = raw[:, :K]
    mu = raw[:, K : K + K * D].reshape(n, K, D)
    log_sigma = raw[:, K + K * D :].reshape(n, K, D).clamp(-7, 7)
    holes = torch.isnan(y)[:, None, :]
    target = torch.where(torch.isnan(y), 0.0, y)[:, None, :]
    z = (target - mu) / log_sigma.exp()
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 1) + terms.masked_fill(holes, 0.0).sum(2)
    return -torch.logsumexp(joint, 1).mean()


# %% as-many-components-as-targets wrong="holey-loss"
# K is taken to be D: raw of shape (1, 6) with y of shape (1, 1), so K = 2.
def holey_loss(raw, y):
    n, D = y.shape
    K = y.shape[1]
    logits = raw[:, :K]
    mu = raw[:, K : K + K * D].reshape(n, K, D)
    log_sigma = raw[:, K + K * D : K + 2 * K * D].reshape(n, K, D)
    holes = torch.isnan(y)[:, None, :]
    target = torch.where(torch.isnan(y), 0.0, y)[:, None, :]
    z = (target - mu) / log_sigma.exp()
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 1) + terms.masked_fill(holes, 0.0).sum(2)
    return -torch.logsumexp(joint, 1).mean()


# %% floor-under-weights wrong="holey-loss"
# Weights are at least 1e-300: raw = [[800, -800, 500, 0, 0, 0]], y = [[-500.0]] has the loss
# 126600.9, and 125691.7 comes out; with y = [[0.0]] and component 0 at 1000: 1600.9, not 691.7.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    log_pi = torch.softmax(raw[:, :K], 1).clamp_min(1e-300).log()
    mu = raw[:, K : K + K * D].reshape(n, K, D)
    log_sigma = raw[:, K + K * D :].reshape(n, K, D)
    holes = torch.isnan(y)[:, None, :]
    target = torch.where(torch.isnan(y), 0.0, y)[:, None, :]
    z = (target - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = log_pi + terms.masked_fill(holes, 0.0).sum(2)
    return -torch.logsumexp(joint, 1).mean()


# %% all-at-once right="given-x"
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(pi.log() - 0.5 * (gap**2 / xx + xx.log()), 1)
    variances = (yy - xy / xx * xy).expand(len(x), len(pi))
    return log_weights, mu[:, 1] + xy / xx * gap, variances


# %% cholesky-by-component right="given-x"
def given_x(x, pi, mu, cov):
    def k(j):
        lower = torch.linalg.cholesky(cov[j])
        z = (x - mu[j, 0]) / lower[0, 0]
        log_joint = torch.log(pi[j]) - 0.5 * z**2 - torch.log(lower[0, 0])
        return log_joint, mu[j, 1] + lower[1, 0] * z, lower[1, 1] ** 2 + torch.zeros_like(x)

    parts = [k(j) for j in range(len(pi))]
    joint, means, variances = (torch.stack(rows, dim=1) for rows in zip(*parts))
    log_weights = joint - torch.logsumexp(joint, dim=1, keepdim=True)
    return [log_weights, means, variances]


# %% nothing-to-stack wrong="given-x"
# Stacks over the points: raises for x of shape (0,).
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    log_weights, means, variances = [], [], []
    for value in x:
        gap = value - mu[:, 0]
        joint = pi.log() - 0.5 * gap**2 / xx - 0.5 * xx.log()
        log_weights.append(joint - torch.logsumexp(joint, 0))
        means.append(mu[:, 1] + xy / xx * gap)
        variances.append(yy - xy**2 / xx)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% floor-under-pi wrong="given-x"
# A weight of 0 is lifted to 1e-300: pi = [1, 0], mu[:, 0] = [0, 100], unit matrices, x = [100]
# makes component 1 the owner instead of giving it -inf.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    joint = pi.clamp_min(1e-300).log() - 0.5 * (gap**2 / xx + xx.log())
    log_weights = joint - torch.logsumexp(joint, 1, keepdim=True)
    return log_weights, mu[:, 1] + xy / xx * gap, (yy - xy**2 / xx).repeat(len(x), 1)


# %% components-from-wrong-axis wrong="given-x"
# The number of components is read from cov.shape[1], always 2: any mixture with K = 1 or 3.
def given_x(x, pi, mu, cov):
    joint, means, variances = [], [], []
    for k in range(cov.shape[1]):
        (xx, xy), (_, yy) = cov[k]
        gap = x - mu[k, 0]
        joint.append(pi[k].log() - 0.5 * (gap**2 / xx + xx.log()))
        means.append(mu[k, 1] + xy / xx * gap)
        variances.append((yy - xy**2 / xx).expand(len(x)))
    log_weights = torch.log_softmax(torch.stack(joint, 1), 1)
    return log_weights, torch.stack(means, 1), torch.stack(variances, 1)


# %% jitter wrong="given-x"
# 1e-12 is added to the diagonal: cov = [[[1e-12, 5e-13], [5e-13, 1e-12]]] must give the variance
# 7.5e-13 and gives 1.875e-12; the slope is halved as well.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-12 * torch.eye(2, dtype=cov.dtype)
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    joint = pi.log() - 0.5 * (gap**2 / xx + xx.log())
    log_weights = joint - torch.logsumexp(joint, 1, keepdim=True)
    return log_weights, mu[:, 1] + xy / xx * gap, (yy - xy**2 / xx).repeat(len(x), 1)


# %% first-true right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, dim=1)
    places = torch.arange(weights.shape[1])
    last = torch.where(weights > 0, places, -1).amax(1)
    below = (u[:, None] < weights.cumsum(1)) & (weights > 0)
    chosen = torch.where(below.any(1), below.int().argmax(1), last)[:, None]
    mean, width = mu.gather(1, chosen)[:, 0], sigma.gather(1, chosen)[:, 0]
    return mean + z * (math.sqrt(tau) * width)


# %% walk-along right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    def y(weights, level):
        total, owner = 0.0, None
        for j, weight in enumerate(weights):
            if weight == 0.0:
                continue
            total, owner = total + weight, j
            if level < total:
                break
        return owner

    rows = torch.softmax(logits.detach() / tau, 1).tolist()
    owners = [y(row, level) for row, level in zip(rows, u.tolist())]
    k = torch.tensor(owners, dtype=torch.long)
    one_hot = torch.zeros_like(mu).detach()
    one_hot[torch.arange(len(u)), k] = 1.0
    return (one_hot * mu).sum(1) + tau**0.5 * z * (one_hot * sigma).sum(1)


# %% nobody-is-the-first wrong="mixture-draws"
# If no component qualifies, argmax gives 0: ten logits of 0, tau = 1, u = 1 - 2**-53 must draw
# component 9 (the weights sum to 1 - 2**-53).
def draw(logits, mu, sigma, tau, u, z):
    edges = torch.softmax(logits / tau, dim=1).cumsum(1)
    chosen = (u[:, None] < edges).int().argmax(1, keepdim=True)
    mean, width = mu.gather(1, chosen).squeeze(1), sigma.gather(1, chosen).squeeze(1)
    return mean + math.sqrt(tau) * width * z


# %% left-side-search wrong="mixture-draws"
# Takes the first k with u <= sum: logits = [[-800, 800]], tau = 1, u = 0 must draw component 1.
def draw(logits, mu, sigma, tau, u, z):
    edges = torch.softmax(logits / tau, dim=1).cumsum(1)
    chosen = torch.searchsorted(edges, u[:, None].contiguous()).clamp(max=logits.shape[1] - 1)
    mean, width = mu.gather(1, chosen).squeeze(1), sigma.gather(1, chosen).squeeze(1)
    return mean + math.sqrt(tau) * width * z


# %% root-of-variance right="mixture-draws"
# Written as wrong: the root of sigma^2 tau has no gradient at 0. The text now says that the
# gradient there is not looked at.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, dim=1)
    last = (weights > 0).cumsum(1).argmax(1)
    chosen = (u[:, None] >= weights.cumsum(1)).sum(1)
    chosen = torch.minimum(chosen, last)[:, None]
    mean, variance = mu.gather(1, chosen)[:, 0], sigma.gather(1, chosen)[:, 0] ** 2 * tau
    return mean + variance.sqrt() * z


# %% powers-of-weights wrong="mixture-draws"
# Takes softmax(logits) to the power 1 / tau, which underflows first: logits = [[-800, 0]],
# tau = 20, u = 0 must draw component 0, whose weight is exp(-40).
def draw(logits, mu, sigma, tau, u, z):
    powers = torch.softmax(logits, dim=1) ** (1 / tau)
    weights = powers / powers.sum(1, keepdim=True)
    last = (weights > 0).cumsum(1).argmax(1)
    chosen = (u[:, None] >= weights.cumsum(1)).sum(1)
    chosen = torch.minimum(chosen, last)[:, None]
    mean, width = mu.gather(1, chosen)[:, 0], sigma.gather(1, chosen)[:, 0]
    return mean + math.sqrt(tau) * width * z


# %% whole-numbers right="match-fits"
def match_fits(reference, fits):
    def y(t):
        pairs = [v.as_integer_ratio() for v in t.flatten().tolist()]
        scale = max(q for _, q in pairs)
        flat = [p * (scale // q) for p, q in pairs]
        width = t.shape[-1]
        return [flat[i : i + width] for i in range(0, len(flat), width)]

    K = len(reference)
    known = y(reference)
    order = []
    for fit in fits:
        new = y(fit)
        dots = [[sum(a * b for a, b in zip(p, q)) for q in new] for p in known]
        best = max(
            itertools.permutations(range(K)),
            key=lambda way: sum(dots[i][j] for i, j in enumerate(way)),
        )
        order.append(best)
    order = torch.tensor(order)
    average = torch.stack([fit[way] for fit, way in zip(fits, order)]).mean(0)
    return order, average


# %% differences-then-exact right="match-fits"
from fractions import Fraction

import numpy as np


def match_fits(reference, fits):
    ref, found = np.array(reference), np.array(fits)
    R, K, D = found.shape
    ways = np.array(list(itertools.permutations(range(K))))
    order = np.zeros((R, K), dtype=np.int32)

    def check(r, way):
        total = Fraction(0)
        for i, j in enumerate(way):
            for d in range(D):
                total += Fraction(float(ref[i, d])) * Fraction(float(found[r, j, d]))
        return -total

    for r in range(R):
        a, b = ref - ref[0], found[r] - found[r, 0]
        cost = -(a @ b.T)
        sums = cost[np.arange(K), ways].sum(1)
        doubt = 1e-12 * D * K * (np.abs(a) @ np.abs(b).T).max()
        close = ways[sums <= sums.min() + doubt]
        order[r] = close[0] if len(close) == 1 else min(close, key=lambda way: check(r, way))
    average = np.take_along_axis(found, order[:, :, None].astype(np.int64), 1).mean(0)
    return torch.from_numpy(order), torch.from_numpy(average)


# %% far-squares right="match-fits"
# Written as wrong: the text did not say that all means lie together, and now does.
# The squared distances swallow what differs: reference = [[0.0], [1.0]], one fit at
# [[1e9 + 1], [1e9]], must be ordered [1, 0].
def match_fits(reference, fits):
    K = len(reference)
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(3)
    order = []
    for table in cost.tolist():
        best = min(
            itertools.permutations(range(K)),
            key=lambda way: sum(table[i][j] for i, j in enumerate(way)),
        )
        order.append(best)
    order = torch.tensor(order)
    return order, torch.stack([f[o] for f, o in zip(fits, order)]).mean(0)


# %% halving-average wrong="match-fits"
# Averages by halving, right for R <= 2 only: reference = [[0.0]] and fits = [[[0.0]], [[0.0]],
# [[3.0]]] must give 1.0 and gives 1.5.
from scipy.optimize import linear_sum_assignment


def match_fits(reference, fits):
    order, average = [], None
    known = reference - reference.mean(0)
    for fit in fits:
        new = fit - fit.mean(0)
        cost = ((known[:, None] - new[None]) ** 2).sum(2)
        way = torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1])
        order.append(way)
        average = fit[way] if average is None else (average + fit[way]) / 2
    return torch.stack(order), average


# %% swaps-of-two wrong="match-fits"
# Improves by swaps of two until none helps, which misses cycles of three: reference =
# [[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]], fits = [[[2.0, 3.0], [4.0, 1.0], [1.0, 1.0]]] must be
# ordered [1, 2, 0] and is [2, 0, 1].
def match_fits(reference, fits):
    K = len(reference)
    known = reference - reference.mean(0)
    order = []
    for fit in fits:
        new = fit - fit.mean(0)
        cost = ((known[:, None] - new[None]) ** 2).sum(2)
        way, free = [], set(range(K))
        for i in range(K):
            j = min(free, key=lambda j: float(cost[i, j]))
            free.remove(j)
            way.append(j)
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(K), 2):
                old = cost[i, way[i]] + cost[j, way[j]]
                if cost[i, way[j]] + cost[j, way[i]] < old:
                    way[i], way[j] = way[j], way[i]
                    better = True
        order.append(way)
    order = torch.tensor(order)
    return order, torch.stack([f[o] for f, o in zip(fits, order)]).mean(0)


# %% squeezed wrong="match-fits"
# Axes of length 1 vanish: with R = 1, e.g. reference = [[0.0], [1.0]], fits = [[[1.1], [0.1]]],
# the order has shape (2,); with D = 1 the average has shape (K,).
from scipy.optimize import linear_sum_assignment


def match_fits(reference, fits):
    known = reference - reference.mean(0)
    new = fits - fits.mean(1, keepdim=True)
    gains = torch.einsum("kd,rjd->rkj", known, new).detach().numpy()
    ways = [torch.tensor(linear_sum_assignment(g, maximize=True)[1]) for g in gains]
    average = torch.stack([fit[way] for fit, way in zip(fits, ways)]).mean(0)
    return torch.stack(ways).squeeze(), average.squeeze()


# %% counts-of-alarms right="alarm-thresholds"
import numpy as np


def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = torch.sort(scores).values

    def k(count):
        return ordered[count - 1] if count > 0 else torch.tensor(-math.inf, dtype=scores.dtype)

    on_average = min(m, math.floor(rate * (m + 1) + 1e-9))
    surely = int((stats.binom.cdf(np.arange(m), m, rate) <= delta).sum())
    return k(on_average), k(surely)


# %% bisection-with-beta right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    ordered = sorted(scores.tolist())
    m = len(ordered)

    def largest(check):
        low, high = 0, m + 1
        while high - low > 1:
            middle = (low + high) // 2
            if check(middle):
                low = middle
            else:
                high = middle
        return ordered[low - 1] if low else -math.inf

    average = largest(lambda k: k / (m + 1) <= rate * (1 + 1e-13))
    surely = largest(lambda k: stats.beta.sf(rate, k, m + 1 - k) <= delta)
    return average, surely


# %% no-extra-one wrong="alarm-thresholds"
# Uses rate * m instead of rate * (m + 1): scores = 1, ..., 9, rate = 0.1 must give the average
# threshold 1 and gives -inf.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = torch.sort(scores).values
    counts = torch.arange(1, m + 1).double()
    low = torch.tensor(-math.inf, dtype=torch.float64)
    average = math.floor(rate * m + 1e-9)
    surely = int((stats.beta.sf(rate, counts, m + 1 - counts) <= delta).sum())
    return tuple(ordered[k - 1] if k > 0 else low for k in (average, surely))


# %% ties-counted-once wrong="alarm-thresholds"
# Equal scores are merged: scores = [0] * 10 + [1, ..., 9], rate = 0.5 must give the average
# threshold 0 (k = 10) and gives 4.
def alarm_thresholds(scores, rate, delta):
    ordered = torch.unique(scores)
    m = len(ordered)
    average = math.floor(rate * (m + 1) + 1e-9)
    surely = 0
    while surely < m and stats.beta.sf(rate, surely + 1, m - surely) <= delta:
        surely += 1
    return tuple(float(ordered[k - 1]) if k else -math.inf for k in (average, surely))


# %% one-minus-delta right="alarm-thresholds"
# Written as wrong for a delta of 1e-20; the text now says that delta is at least 1e-9.
# Compares with 1 - delta, which rounds to 1: scores = 1, ..., 5000, rate = 0.5, delta = 1e-20.
def alarm_thresholds(scores, rate, delta):
    ordered = torch.sort(scores).values
    m = len(ordered)
    counts = torch.arange(1, m + 1).double()
    average = math.floor(rate * (m + 1) + 1e-9)
    kept = stats.beta.cdf(rate, counts, m + 1 - counts) >= 1 - delta
    surely = int(kept.sum())
    return tuple(float(ordered[k - 1]) if k else -math.inf for k in (average, surely))


# %% none-is-the-largest wrong="alarm-thresholds"
# With k = 0 the average takes the index -1, the largest score: scores = [1, 2, 3, 4, 5],
# rate = 0.1 must give -inf.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = len(ordered)
    average = ordered[math.floor(rate * (m + 1) + 1e-9) - 1]
    surely = torch.tensor(-math.inf, dtype=torch.float64)
    for k in range(1, m + 1):
        if stats.beta.sf(rate, k, m + 1 - k) > delta:
            break
        surely = ordered[k - 1]
    return average, surely
