# %% [markdown]
# Answers written from the text alone.


# %% owner-log-softmax right="density-and-owner"
# Vectorised: log-softmax of the logits plus summed Normal log-densities, then logsumexp.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    parts = -0.5 * z.square() - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + parts.sum(-1)
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-distributions right="density-and-owner"
# With torch.distributions: a MixtureSameFamily, and Bayes' rule from its parts.
def density_and_owner(x, logits, mu, log_sigma):
    which = torch.distributions.Categorical(logits=logits)
    inside = torch.distributions.Normal(mu, torch.exp(log_sigma))
    inside = torch.distributions.Independent(inside, 1)
    mixture = torch.distributions.MixtureSameFamily(which, inside)
    log_p = mixture.log_prob(x)
    log_r = which.logits + inside.log_prob(x[:, None, :]) - log_p[:, None]
    return log_p, log_r


# %% owner-log-of-softmax wrong="density-and-owner"
# Takes the log of softmax: a weight underflows to 0 for finite logits more than 745 apart, as
# logits [-800, 800]: log_r is -inf where about -1600 is right, log_p is wrong by any amount for a
# point near the first and 1e4 sigmas from the second; gradient nan there and at a logit of -inf.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) / torch.exp(log_sigma)
    parts = -0.5 * z.square() - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log(torch.softmax(logits, 0)) + parts.sum(-1)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-clamped-logits wrong="density-and-owner"
# Replaces -inf by -2000 and masks log_r only at the end: for logits [0, -inf] and a point at the
# second mean, 1e5 sigmas from the first, log_p is about -2000 where -5e9 is right.
def density_and_owner(x, logits, mu, log_sigma):
    absent = torch.isinf(logits)
    log_w = torch.log_softmax(logits.clamp(min=-2000.0), 0)
    z = (x[:, None, :] - mu) / torch.exp(log_sigma)
    parts = -0.5 * z.square() - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = log_w + parts.sum(-1)
    log_p = torch.logsumexp(joint, 1)
    log_r = (joint - log_p[:, None]).masked_fill(absent, -math.inf)
    return log_p, log_r


# %% owner-expanded-square wrong="density-and-owner"
# Expands the square to use matrix products: cancellation for narrow components far from 0, as
# x = 1000, mu = 999.9999999, log_sigma = -16 (true z = 0.9): the terms are near 1e20.
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    square = x.square() @ precision.T - 2 * x @ (mu * precision).T
    square = square + (mu.square() * precision).sum(1)
    constant = log_sigma.sum(1) + 0.5 * mu.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * square - constant
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-logaddexp-from-nothing wrong="density-and-owner"
# Adds up with logaddexp from -inf: if logits[0] is -inf, as in [-inf, 0.3, 1.0], two -inf meet,
# the values are right but the gradient of log_p is nan (0 for that logit is right).
def density_and_owner(x, logits, mu, log_sigma):
    log_w = torch.log_softmax(logits, 0)
    log_p = torch.full((x.shape[0],), -math.inf, dtype=x.dtype)
    columns = []
    for k in range(len(logits)):
        z = (x - mu[k]) / torch.exp(log_sigma[k])
        part = -0.5 * z.square() - log_sigma[k] - 0.5 * math.log(2 * math.pi)
        columns.append(log_w[k] + part.sum(1))
        log_p = torch.logaddexp(log_p, columns[-1])
    return log_p, torch.stack(columns, 1) - log_p[:, None]


# %% em-vectorised right="careful-em"
# Log-responsibilities by log-softmax, each component's shares of the points by softmax over them.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu).square() / var
    log_r = torch.log_softmax(joint, 1)
    count = torch.exp(log_r).sum(0)
    used = count > 0
    share = torch.softmax(torch.where(used, log_r, 0.0), 0)
    base = x.mean()
    new_mu = torch.where(used, base + (share * (x - base)[:, None]).sum(0), mu)
    spread = (share * (x[:, None] - new_mu).square()).sum(0)
    total = torch.where(count + c > 0, count + c, 1.0)
    new_var = count / total * spread + c / total * s2
    idle_var = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, idle_var)


# %% em-numpy-loop right="careful-em"
# NumPy, one component after the other, with scipy's logsumexp.
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np
    from scipy.special import logsumexp

    points = x.detach().numpy()
    old_pi, old_mu, old_var = (t.detach().numpy() for t in (pi, mu, var))
    logs = np.full((len(points), len(old_pi)), -np.inf)
    for k in range(len(old_pi)):
        if old_pi[k] > 0:
            square = (points - old_mu[k]) ** 2 / old_var[k]
            logs[:, k] = np.log(old_pi[k]) - 0.5 * np.log(old_var[k]) - 0.5 * square
    logs = logs - logsumexp(logs, axis=1, keepdims=True)
    new = []
    for k in range(len(old_pi)):
        count = np.exp(logs[:, k]).sum()
        if count == 0:
            new.append((0.0, old_mu[k], s2 if c > 0 else old_var[k]))
            continue
        share = np.exp(logs[:, k] - logs[:, k].max())
        share = share / share.sum()
        mean = points[0] + share @ (points - points[0])
        spread = share @ (points - mean) ** 2
        fraction = count / (count + c)
        new.append((count / len(points), mean, fraction * spread + c / (count + c) * s2))
    return tuple(torch.tensor(column, dtype=torch.float64) for column in zip(*new, strict=True))


# %% em-mean-of-squares wrong="careful-em"
# Variance as mean square minus squared mean: cancellation for data of the size of 1e6. For
# x = 1e6 + [-1.01, -1, -.98, 1.01, 1.02, 1.04], pi = [.5, .5], mu = 1e6 + [-1, 1],
# var = [.01, .01], c = 0, s2 = 1 it gives (3e-4, -2e-4) where (1.6e-4, 1.6e-4) is right.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu).square() / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    scatter = (r * x.square()[:, None]).sum(0) - count * new_mu.square()
    total = torch.where(count + c > 0, count + c, 1.0)
    new_var = (scatter + c * s2) / total
    idle_var = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, idle_var)


# %% em-nearly-unused wrong="careful-em"
# Calls a component unused if N_k < 1e-8, not if it is exactly 0: for x = [0, 1], pi = [.5, .5],
# mu = [0.5, 8], var = [1, 1], N_1 is near 3e-11, so mu_1 must move to 0.999 but stays at 8.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu).square() / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 1e-8
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    scatter = (r * (x[:, None] - new_mu).square()).sum(0)
    new_var = (scatter + c * s2) / (safe + c)
    idle_var = torch.full_like(var, s2) if c > 0 else var
    new_pi = torch.where(used, count / len(x), 0.0)
    return new_pi, new_mu, torch.where(used, new_var, idle_var)


# %% em-writes-old-variance wrong="careful-em"
# Values are right, but if a component is unused and c > 0, as pi = [1, 0], var = [1, 2], c = 1.5,
# s2 = 0.4, it writes s2 into the caller's var.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu).square() / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    scatter = (r * (x[:, None] - new_mu).square()).sum(0)
    new_var = (scatter + c * s2) / (safe + c)
    if c > 0:
        var[~used] = s2
    return count / len(x), new_mu, torch.where(used, new_var, var)


# %% em-unused-by-weight wrong="careful-em"
# Looks for unused components only among those of weight 0: for x = [0, 1], pi = [.5, .5],
# mu = [0.5, 500], var = [1, 1] every responsibility of the second rounds to 0, and its mean
# becomes nan (500 is right).
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu).square() / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = pi > 0
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    scatter = (r * (x[:, None] - new_mu).square()).sum(0)
    new_var = (scatter + c * s2) / (count + c)
    idle_var = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, idle_var)


# %% holey-vectorised right="holey-loss"
# Fills the holes with 0 before any arithmetic, and their terms with 0 after it.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sd = raw.split([k, k * d, k * d], dim=1)
    mu, log_sd = mu.reshape(n, k, d), log_sd.reshape(n, k, d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, 0.0)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sd)
    terms = -0.5 * z.square() - log_sd - 0.5 * math.log(2 * math.pi)
    parts = torch.where(seen[:, None, :], terms, 0.0).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + parts, 1)
    return -torch.where(seen.any(1), log_p, 0.0).sum() / n


# %% holey-row-by-row right="holey-loss"
# Row by row: takes the measured columns out and asks torch.distributions for the density.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = 0.0 * raw.sum()
    for row, target in zip(raw, y, strict=True):
        measured = torch.nonzero(~torch.isnan(target))[:, 0]
        if len(measured) == 0:
            continue
        mu = row[k : k + k * d].reshape(k, d)[:, measured]
        sd = torch.exp(row[k + k * d :].reshape(k, d)[:, measured])
        each = torch.distributions.Normal(mu, sd).log_prob(target[measured]).sum(1)
        total = total - torch.logsumexp(row[:k] + each, 0) + torch.logsumexp(row[:k], 0)
    return total / n


# %% holey-clamped-widths wrong="holey-loss"
# Clamps the log standard deviations to [-10, 10] "for stability": for y = mean and a log standard
# deviation of -14 or of 14 the loss is off by 4 nats, and the gradient there is 0 in place of 1.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sd = raw.split([k, k * d, k * d], dim=1)
    mu, log_sd = mu.reshape(n, k, d), log_sd.reshape(n, k, d).clamp(-10.0, 10.0)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, 0.0)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sd)
    terms = -0.5 * z.square() - log_sd - 0.5 * math.log(2 * math.pi)
    parts = torch.where(seen[:, None, :], terms, 0.0).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + parts, 1)
    return -torch.where(seen.any(1), log_p, 0.0).sum() / n


# %% holey-zero-is-a-hole wrong="holey-loss"
# Turns nan into 0 and takes every 0 for a hole: wrong where 0.0 was measured, as y = [[0.0, 1.5]],
# whose first number must count (loss off by a nat or so).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sd = raw.split([k, k * d, k * d], dim=1)
    mu, log_sd = mu.reshape(n, k, d), log_sd.reshape(n, k, d)
    filled = torch.nan_to_num(y, nan=0.0)
    seen = filled != 0
    z = (filled[:, None, :] - mu) * torch.exp(-log_sd)
    terms = -0.5 * z.square() - log_sd - 0.5 * math.log(2 * math.pi)
    parts = torch.where(seen[:, None, :], terms, 0.0).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + parts, 1)
    return -torch.where(seen.any(1), log_p, 0.0).sum() / n


# %% holey-fills-the-callers wrong="holey-loss"
# Fills the holes in the caller's y: the value is right, but any y with a nan comes back changed.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sd = raw.split([k, k * d, k * d], dim=1)
    mu, log_sd = mu.reshape(n, k, d), log_sd.reshape(n, k, d)
    hole = torch.isnan(y)
    y[hole] = 0.0
    z = (y[:, None, :] - mu) * torch.exp(-log_sd)
    terms = -0.5 * z.square() - log_sd - 0.5 * math.log(2 * math.pi)
    parts = terms.masked_fill(hole[:, None, :], 0.0).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + parts, 1)
    return -log_p.masked_fill(hole.all(1), 0.0).sum() / n


# %% holey-nothing-no-gradient wrong="holey-loss"
# If nothing at all was measured (y all nan), returns a constant 0: no gradient can flow, and
# backward raises an error where gradients of 0 are right.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    kept = ~torch.isnan(y).all(1)
    if not kept.any():
        return torch.zeros((), dtype=raw.dtype)
    raw, y = raw[kept], y[kept]
    logits, mu, log_sd = raw.split([k, k * d, k * d], dim=1)
    mu, log_sd = mu.reshape(-1, k, d), log_sd.reshape(-1, k, d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, 0.0)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sd)
    terms = -0.5 * z.square() - log_sd - 0.5 * math.log(2 * math.pi)
    parts = torch.where(seen[:, None, :], terms, 0.0).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + parts, 1)
    return -log_p.sum() / n


# %% given-closed-form right="given-x"
# The textbook formulas, vectorised, with a log-softmax for the weights.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    off = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(
        torch.log(pi) - 0.5 * torch.log(xx) - 0.5 * off.square() / xx, 1
    )
    means = mu[:, 1] + off * (xy / xx)
    variances = (yy - xy * (xy / xx)).expand(len(x), -1).clone()
    return log_weights, means, variances


# %% given-cholesky right="given-x"
# Component by component, from the Cholesky factor of its covariance matrix.
def given_x(x, pi, mu, cov):
    logs, means, variances = [], [], []
    for k in range(len(pi)):
        factor = torch.linalg.cholesky(cov[k])
        marginal = torch.distributions.Normal(mu[k, 0], factor[0, 0])
        logs.append(torch.log(pi[k]) + marginal.log_prob(x))
        means.append(mu[k, 1] + factor[1, 0] * ((x - mu[k, 0]) / factor[0, 0]))
        variances.append(factor[1, 1].square() * torch.ones_like(x))
    log_joint = torch.stack(logs, 1)
    log_weights = log_joint - torch.logsumexp(log_joint, 1, keepdim=True)
    return log_weights, torch.stack(means, 1), torch.stack(variances, 1)


# %% given-jitter wrong="given-x"
# Adds 1e-10 to the variances "for stability": standard deviations may be 1e-6 (variance 1e-12).
# For two components with cov = 1e-12 [[1, .5], [.5, 1]], means of x 0 and 3e-6, and x = 0, the
# log weights are about (-0.7, -0.7) where (-0.01, -4.5) is right; the slope is 0.005, not 0.5.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-10 * torch.eye(2, dtype=cov.dtype)
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    off = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(
        torch.log(pi) - 0.5 * torch.log(xx) - 0.5 * off.square() / xx, 1
    )
    means = mu[:, 1] + off * (xy / xx)
    variances = (yy - xy.square() / xx).expand(len(x), -1).clone()
    return log_weights, means, variances


# %% given-zero-weight-counts wrong="given-x"
# Replaces a weight of 0 by 1e-300 and masks it only after normalising: for pi = [1, 0] and x at
# the second component, 1e4 standard deviations from the first, the first log weight is about -5e7
# where 0 is right.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    off = x[:, None] - mu[:, 0]
    log_joint = torch.log(pi.clamp(min=1e-300)) - 0.5 * torch.log(xx)
    log_weights = torch.log_softmax(log_joint - 0.5 * off.square() / xx, 1)
    log_weights = log_weights.masked_fill(pi == 0, -math.inf)
    means = mu[:, 1] + off * (xy / xx)
    variances = (yy - xy.square() / xx).expand(len(x), -1).clone()
    return log_weights, means, variances


# %% given-stack-of-rows wrong="given-x"
# Goes through the x one by one and stacks the rows: for n = 0 stack raises an error in place of
# three tensors of shape (0, K).
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    logs, means, variances = [], [], []
    for value in x:
        off = value - mu[:, 0]
        log_joint = torch.log(pi) - 0.5 * torch.log(xx) - 0.5 * off.square() / xx
        logs.append(torch.log_softmax(log_joint, 0))
        means.append(mu[:, 1] + off * (xy / xx))
        variances.append(yy - xy.square() / xx)
    return torch.stack(logs), torch.stack(means), torch.stack(variances)


# %% given-pseudo-inverse wrong="given-x"
# Conditions through the pseudo-inverse, which drops the small direction if the scales differ much:
# for mu = 0 and cov = [[1e12, 500], [500, 1e-6]] (correlation 0.5) the variance is 4e30 where
# 7.5e-7 is right, and at x = 1000 the mean is -2e12 where 5e-7 is right.
def given_x(x, pi, mu, cov):
    xx = cov[:, 0, 0]
    precision = torch.linalg.pinv(cov)
    off = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(
        torch.log(pi) - 0.5 * torch.log(xx) - 0.5 * off.square() / xx, 1
    )
    means = mu[:, 1] - off * (precision[:, 1, 0] / precision[:, 1, 1])
    variances = (1 / precision[:, 1, 1]).expand(len(x), -1).clone()
    return log_weights, means, variances


# %% draw-searchsorted right="mixture-draws"
# Cumulative weights and searchsorted, held at the last component of positive weight.
def draw(logits, mu, sigma, tau, u, z):
    with torch.no_grad():
        weights = torch.softmax(logits / tau, 1)
        edges = torch.cumsum(weights, 1)
        pick = torch.searchsorted(edges, u[:, None].contiguous(), right=True)
        places = torch.arange(weights.shape[1]).expand_as(weights)
        last = torch.where(weights > 0, places, 0).amax(1, keepdim=True)
        pick = torch.minimum(pick, last)
    chosen_mu = torch.gather(mu, 1, pick)[:, 0]
    chosen_sigma = torch.gather(sigma, 1, pick)[:, 0]
    return chosen_mu + math.sqrt(tau) * chosen_sigma * z


# %% draw-python-loop right="mixture-draws"
# Plain Python finds the component of each example; indexing then keeps the gradients.
def draw(logits, mu, sigma, tau, u, z):
    picks = []
    for row, level in zip(logits.tolist(), u.tolist(), strict=True):
        highest = max(row)
        powers = [math.exp((value - highest) / tau) for value in row]
        total = sum(powers)
        pick, edge = 0, 0.0
        for k, power in enumerate(powers):
            if power / total == 0:
                continue
            pick = k
            edge += power / total
            if level < edge:
                break
        picks.append(pick)
    columns = torch.tensor(picks, dtype=torch.long)
    rows = torch.arange(len(picks))
    return mu[rows, columns] + tau**0.5 * sigma[rows, columns] * z


# %% draw-less-or-equal right="mixture-draws"
# Where u lies exactly on a sum rounding decides, and our own answers differ: not asked any more.
# Takes the smallest k with u <= cumulative weight (zero weights skipped): for logits [0, 0] and
# u = 0.5 it draws component 0 where 1 is right.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    edges = torch.cumsum(weights, 1)
    pick = ((u[:, None] > edges) | (edges == 0)).sum(1, keepdim=True)
    places = torch.arange(weights.shape[1]).expand_as(weights)
    last = torch.where(weights > 0, places, 0).amax(1, keepdim=True)
    pick = torch.minimum(pick, last)
    chosen_mu = torch.gather(mu, 1, pick)[:, 0]
    chosen_sigma = torch.gather(sigma, 1, pick)[:, 0]
    return chosen_mu + math.sqrt(tau) * chosen_sigma * z


# %% draw-last-of-all right="mixture-draws"
# Our own solution does the same, and the text contradicted itself: not asked any more.
# If no k qualifies, takes the last of all components, also if its weight is 0: for logits of ten
# zeros and then -800, tau = 1 and u = 1 - 2**-53, the sum of the weights is below 1 and it draws
# component 10, which has weight 0, where 9 is right.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    edges = torch.cumsum(weights, 1)
    pick = (u[:, None] >= edges).sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    chosen_mu = torch.gather(mu, 1, pick)[:, 0]
    chosen_sigma = torch.gather(sigma, 1, pick)[:, 0]
    return chosen_mu + math.sqrt(tau) * chosen_sigma * z


# %% draw-powers-of-weights wrong="mixture-draws"
# Softmax first, then the power 1 / tau: weights underflow that the temperature would lift. For
# logits [-800, 0], tau = 20, u = 0 component 0 has weight 4e-18 and must be drawn, but 1 is.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits, 1) ** (1 / tau)
    weights = weights / weights.sum(1, keepdim=True)
    edges = torch.cumsum(weights, 1)
    pick = (u[:, None] >= edges).sum(1, keepdim=True)
    places = torch.arange(weights.shape[1]).expand_as(weights)
    last = torch.where(weights > 0, places, 0).amax(1, keepdim=True)
    pick = torch.minimum(pick, last)
    chosen_mu = torch.gather(mu, 1, pick)[:, 0]
    chosen_sigma = torch.gather(sigma, 1, pick)[:, 0]
    return chosen_mu + math.sqrt(tau) * chosen_sigma * z


# %% draw-least-width wrong="mixture-draws"
# Holds sigma at 1e-3 or more "to be safe": for sigma = 0, mu = 0, z = 3, tau = 20 the draw is
# 0.013 where exactly mu = 0 is right.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    edges = torch.cumsum(weights, 1)
    pick = (u[:, None] >= edges).sum(1, keepdim=True)
    places = torch.arange(weights.shape[1]).expand_as(weights)
    last = torch.where(weights > 0, places, 0).amax(1, keepdim=True)
    pick = torch.minimum(pick, last)
    width = math.sqrt(tau) * sigma.clamp(min=1e-3)
    return torch.gather(mu, 1, pick)[:, 0] + torch.gather(width, 1, pick)[:, 0] * z


# %% match-all-orders right="match-fits"
# Tries all orders at once, on differences from the reference.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(reference.shape[0]))))
    picked = []
    for fit in fits:
        cost = (fit[orders] - reference).square().sum((1, 2))
        picked.append(orders[cost.argmin()])
    order = torch.stack(picked)
    ordered = torch.gather(fits, 1, order[:, :, None].expand_as(fits))
    return order, reference + (ordered - reference).mean(0)


# %% match-assignment right="match-fits"
# The assignment problem, solved by scipy for each fit.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    order = torch.zeros(fits.shape[:2], dtype=torch.long)
    total = torch.zeros_like(reference)
    for r, fit in enumerate(fits):
        cost = (reference[:, None, :] - fit[None, :, :]).square().sum(2)
        order[r] = torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1])
        total = total + (fit[order[r]] - reference)
    return order, reference + total / len(fits)


# %% match-cdist-all-at-once wrong="match-fits"
# Calls cdist once for the components of all fits: with more than 25 rows cdist expands the square,
# and near 1e9 the distances drown. For reference 1e9 + [[0], [1], [2]] and nine fits
# 1e9 + [[2], [0], [1]] it gives [0, 1, 2] where [1, 2, 0] is right; with eight fits it is right.
def match_fits(reference, fits):
    r, k, d = fits.shape
    orders = torch.tensor(list(itertools.permutations(range(k))))
    cost = torch.cdist(reference, fits.reshape(r * k, d)).square().reshape(k, r, k)
    places = torch.arange(k)
    order = torch.stack([orders[cost[places, i, orders].sum(1).argmin()] for i in range(r)])
    ordered = torch.stack([fit[o] for fit, o in zip(fits, order, strict=True)])
    return order, ordered.mean(0)


# %% match-by-swaps wrong="match-fits"
# Swaps two components as long as that helps: stuck where only a cycle of three helps, as for a
# reference at the angles 0, 120, 240 degrees of a circle and a fit at 80, 200, 320 degrees:
# it keeps [0, 1, 2] where [2, 0, 1] is right.
def match_fits(reference, fits):
    count = reference.shape[0]
    rows = []
    for fit in fits:
        cost = (reference[:, None, :] - fit[None, :, :]).square().sum(2)
        row = list(range(count))
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(count), 2):
                now = cost[i, row[i]] + cost[j, row[j]]
                if cost[i, row[j]] + cost[j, row[i]] < now - 1e-6:
                    row[i], row[j] = row[j], row[i]
                    better = True
        rows.append(row)
    order = torch.tensor(rows)
    ordered = torch.stack([fit[o] for fit, o in zip(fits, order, strict=True)])
    return order, ordered.mean(0)


# %% match-worst-pair wrong="match-fits"
# Makes the largest of the squared distances small, not their sum: for reference [[0, 0], [8, 0]]
# and fit [[6, 8], [8, 0]] the sums are 100 for [0, 1] and 132 for [1, 0], the largest ones 100
# and 68, so it takes [1, 0].
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(reference.shape[0]))))
    order = []
    for fit in fits:
        cost = (fit[orders] - reference).square().sum(2).amax(1)
        order.append(orders[cost.argmin()])
    order = torch.stack(order)
    ordered = torch.stack([fit[o] for fit, o in zip(fits, order, strict=True)])
    return order, ordered.mean(0)


# %% match-standardised wrong="match-fits"
# Divides each axis by the reference's spread on it first, so not the Euclidean distance is
# smallest: for reference [[0, 0], [10, 1]] and fit [[0, 1], [2, -1]] the sum is 69 for [0, 1] and
# 105 for [1, 0], but it takes [1, 0].
def match_fits(reference, fits):
    scale = (reference - reference.mean(0)).square().mean(0).sqrt()
    scale = torch.where(scale > 0, scale, 1.0)
    orders = torch.tensor(list(itertools.permutations(range(reference.shape[0]))))
    order = []
    for fit in fits:
        cost = ((fit[orders] - reference) / scale).square().sum((1, 2))
        order.append(orders[cost.argmin()])
    order = torch.stack(order)
    ordered = torch.stack([fit[o] for fit, o in zip(fits, order, strict=True)])
    return order, ordered.mean(0)


# %% alarm-beta-tail right="alarm-thresholds"
# All k at once: the mean of the Beta, and its upper tail beyond the rate.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    k = torch.arange(1, m + 1, dtype=torch.float64)
    tail = torch.as_tensor(stats.beta.sf(rate, k.numpy(), (m + 1 - k).numpy()))
    on_average = int((k <= rate * (m + 1) * (1 + 1e-13)).sum())
    surely = int((tail <= delta * (1 + 1e-13)).sum())
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    return padded[on_average], padded[surely]


# %% alarm-binomial-bisection right="alarm-thresholds"
# Bisection for the largest k with P(Binomial(m, rate) <= k - 1) <= delta, and kthvalue.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)

    def smallest(k):
        return float(torch.kthvalue(scores, k).values) if k > 0 else -math.inf

    low, high = 0, m + 1
    while high - low > 1:
        middle = (low + high) // 2
        if stats.binom.cdf(middle - 1, m, rate) <= delta * (1 + 1e-13):
            low = middle
        else:
            high = middle
    return smallest(math.floor(rate * (m + 1) * (1 + 1e-13))), smallest(low)


# %% alarm-strictly-below wrong="alarm-thresholds"
# Wants k / (m + 1) strictly below the rate: for m = 7, rate = 0.25 it takes k = 1 where 2 is
# right, and for m = 3, rate = 0.25 it gives -inf where the smallest score is right.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = scores.sort().values.tolist()
    on_average = math.ceil(rate * (m + 1)) - 1
    surely = sum(1 for k in range(1, m + 1) if stats.beta.sf(rate, k, m + 1 - k) <= delta)
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, surely))


# %% alarm-unique-scores wrong="alarm-thresholds"
# Sorts with torch.unique, which drops equal scores: for scores [1, 1, 1, 2, 3, 4, 5, 6, 7],
# rate = 0.35, the third smallest is 1, but it gives 3; for many equal scores it raises an error.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = torch.unique(scores)
    k = torch.arange(1, m + 1, dtype=torch.float64).numpy()
    on_average = math.floor(rate * (m + 1))
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, surely))


# %% alarm-surely-is-stricter wrong="alarm-thresholds"
# Looks for the sure threshold only up to the average one, which it takes for the laxer promise:
# with delta above about a half it is not. For m = 100, rate = 0.1, delta = 0.9 it takes k = 10
# where 14 is right.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = scores.sort().values
    on_average = math.floor(rate * (m + 1))
    surely = on_average
    while surely > 0 and stats.beta.cdf(rate, surely, m + 1 - surely) < 1 - delta:
        surely -= 1
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, surely))


# %% alarm-index-minus-one wrong="alarm-thresholds"
# Forgets that no score may keep the promise on average: for m = 5, rate = 0.1, k is 0 and the
# index -1 gives the largest score (nearly always an alarm) where -inf is right.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = scores.sort().values
    average = ordered[math.floor(rate * (m + 1)) - 1]
    surely = torch.tensor(-math.inf, dtype=scores.dtype)
    for k in range(1, m + 1):
        if stats.beta.sf(rate, k, m + 1 - k) > delta:
            break
        surely = ordered[k - 1]
    return average, surely
