# %% [markdown]
# Answers written from the text alone.


# %% owner-plain-formula right="density-and-owner"
# Standardised distances, log_softmax of the logits, and logsumexp over the components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-distributions right="density-and-owner"
# MixtureSameFamily for the density, log_softmax of the joint for the responsibilities.
def density_and_owner(x, logits, mu, log_sigma):
    from torch import distributions as td

    parts = td.Independent(td.Normal(mu, torch.exp(log_sigma)), 1)
    mixture = td.MixtureSameFamily(td.Categorical(logits=logits), parts)
    joint = torch.log_softmax(logits, 0) + parts.log_prob(x.unsqueeze(1))
    return mixture.log_prob(x), torch.log_softmax(joint, 1)


# %% owner-dead-component-wins-far-away wrong="density-and-owner"
# A logit of -inf is replaced by -1000: the dead component still explains points that are far from
# all the others (a thousand nats and more), in log_p and in the living ones' log_r.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits.clamp(min=-1000.0), 0) + inside
    log_p = torch.logsumexp(joint, 1)
    log_r = (joint - log_p[:, None]).masked_fill(torch.isinf(logits), -math.inf)
    return log_p, log_r


# %% owner-epsilon-in-sigma wrong="density-and-owner"
# Adds 1e-10 to the standard deviations: five percent too wide at log_sigma = -20.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = torch.exp(log_sigma) + 1e-10
    z = (x[:, None, :] - mu) / sigma
    inside = (-0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-nan-gradient-at-dead-logit wrong="density-and-owner"
# The values are right, but the log of a softmax that is 0 sits behind torch.where: the gradient
# with respect to the logits is nan once one of them is -inf (or a weight underflows).
def density_and_owner(x, logits, mu, log_sigma):
    weights = torch.softmax(logits, 0)
    log_weights = torch.where(
        weights > 1e-300, torch.log(weights), logits - torch.logsumexp(logits, 0)
    )
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = log_weights + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-expanded-square wrong="density-and-owner"
# Expands the square to use matrix products: cancels for x and mu near 1000 with small sigma.
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    square = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = log_sigma.sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * square - constant
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-squeezes-batch-of-one wrong="density-and-owner"
# Squeezes every axis of log_p: for n = 1 the result is 0-d instead of shape (1,).
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1, keepdim=True)
    return log_p.squeeze(), joint - log_p


# %% em-vectorised right="careful-em"
# Softmax of the joint log-densities, normalised weights per component, torch.where for unused.
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = count > 0
    w = r / torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (w * x[:, None]).sum(0), mu)
    seen = (w * (x[:, None] - new_mu) ** 2).sum(0)
    total = count + c
    total = torch.where(total > 0, total, torch.ones_like(total))
    new_var = count / total * seen + c / total * s2
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return count / len(x), new_mu, new_var


# %% em-component-loop right="careful-em"
# A loop over the components with a branch for the unused ones; densities by torch.distributions.
def careful_em_step(x, pi, mu, var, c, s2):
    parts = torch.distributions.Normal(mu, torch.sqrt(var))
    joint = torch.log(pi) + parts.log_prob(x.unsqueeze(1))
    r = torch.exp(joint - torch.logsumexp(joint, 1, keepdim=True))
    new_pi, new_mu, new_var = torch.zeros_like(pi), mu.clone(), var.clone()
    for k in range(len(pi)):
        count = float(r[:, k].sum())
        if count == 0:
            if c > 0:
                new_var[k] = s2
            continue
        share = r[:, k] / count
        centre = share @ x
        new_pi[k] = count / len(x)
        new_mu[k] = centre
        fraction = count / (count + c)
        new_var[k] = fraction * (share @ (x - centre) ** 2) + c / (count + c) * s2
    return new_pi, new_mu, new_var


# %% em-difference-of-squares wrong="careful-em"
# The variance as mean square minus squared mean: cancels for data near 1e6 with spread 1.
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    seen = torch.where(used, (r * x[:, None] ** 2).sum(0) - count * new_mu**2, 0 * mu)
    if c > 0:
        new_var = (seen + c * s2) / (count + c)
    else:
        new_var = torch.where(used, seen / safe, var)
    return count / len(x), new_mu, new_var


# %% em-unused-only-by-weight wrong="careful-em"
# Takes only a weight of 0 for unused: a component so far away that its responsibilities all round
# to 0 gets the mean 0 instead of keeping its own (and the variance 0 if c = 0).
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = pi > 0
    safe = count.clamp(min=1e-300)
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    seen = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (seen + c * s2) / (safe + c)
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return count / len(x), new_mu, new_var


# %% em-nearly-unused wrong="careful-em"
# Takes N_k < 1e-10 for unused in place of exactly 0: a far component with N_k = 1e-20 must still
# move to its weighted mean, here it stays (and keeps its variance if c = 0).
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = count >= 1e-10
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    seen = (r * (x[:, None] - new_mu) ** 2).sum(0)
    if c > 0:
        new_var = torch.where(used, (seen + c * s2) / (count + c), s2 + 0 * var)
    else:
        new_var = torch.where(used, seen / safe, var)
    return torch.where(used, count / len(x), 0 * pi), new_mu, new_var


# %% em-unused-keeps-variance wrong="careful-em"
# An unused component keeps its variance always: wrong for c > 0, where it becomes s2.
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    seen = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = torch.where(used, (seen + c * s2) / (safe + c), var)
    return count / len(x), new_mu, new_var


# %% em-variance-floor wrong="careful-em"
# Never lets a new variance fall below 1e-6: wrong for s2 or data with variances such as 1e-9.
def careful_em_step(x, pi, mu, var, c, s2):
    score = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(score, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    seen = (r * (x[:, None] - new_mu) ** 2).sum(0)
    if c > 0:
        new_var = (seen + c * s2) / (count + c)
    else:
        new_var = torch.where(used, seen / safe, var)
    return count / len(x), new_mu, new_var.clamp(min=1e-6)


# %% holey-masked right="holey-loss"
# Fills the holes before anything is computed, masks the terms, logsumexp over the components.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    log_weights = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    measured = ~torch.isnan(y)
    filled = torch.where(measured, y, torch.zeros_like(y))
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    terms = torch.where(measured[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(log_weights + terms.sum(2), 1)
    log_p = torch.where(measured.any(1), log_p, torch.zeros_like(log_p))
    return -log_p.mean()


# %% holey-row-by-row right="holey-loss"
# A loop over the examples: keeps only the measured columns and asks torch.distributions.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = 0.0 * raw.sum()
    for row, target in zip(raw, y):
        seen = ~torch.isnan(target)
        if not bool(seen.any()):
            continue
        logits, mu, log_sigma = row.split([k, k * d, k * d])
        mu = mu.reshape(k, d)[:, seen]
        sigma = torch.exp(log_sigma.reshape(k, d)[:, seen])
        inside = torch.distributions.Normal(mu, sigma).log_prob(target[seen]).sum(1)
        joint = logits + inside
        total = total - torch.logsumexp(joint, 0) + torch.logsumexp(logits, 0)
    return total / n


# %% holey-components-by-floor wrong="holey-loss"
# K as the width divided by 2 D: right while K < 2 D, too large from K = 2 D on (K = 2, D = 1).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (2 * d)
    log_weights = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    measured = ~torch.isnan(y)
    filled = torch.where(measured, y, torch.zeros_like(y))
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    terms = torch.where(measured[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(log_weights + terms.sum(2), 1)
    log_p = torch.where(measured.any(1), log_p, torch.zeros_like(log_p))
    return -log_p.mean()


# %% holey-clamped-log-sigma wrong="holey-loss"
# Clamps the log standard deviations to [-10, 10]: the text allows them from -15 to 15.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    log_weights = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d).clamp(-10.0, 10.0)
    measured = ~torch.isnan(y)
    filled = torch.where(measured, y, torch.zeros_like(y))
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    terms = torch.where(measured[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(log_weights + terms.sum(2), 1)
    log_p = torch.where(measured.any(1), log_p, torch.zeros_like(log_p))
    return -log_p.mean()


# %% holey-zero-is-a-hole wrong="holey-loss"
# Fills the holes with 0 and then takes every 0 for a hole: a measured 0.0 is dropped.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    log_weights = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    filled = torch.nan_to_num(y, nan=0.0)
    measured = (filled != 0).to(raw.dtype)
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    inside = (measured[:, None, :] * terms).sum(2)
    return -torch.logsumexp(log_weights + inside, 1).mean()


# %% holey-fills-the-input wrong="holey-loss"
# Fills the holes in place: the value is right, but y is changed where it holds nan.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    log_weights = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    measured = ~torch.isnan(y)
    y[~measured] = 0.0
    z = (y[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    terms = torch.where(measured[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(log_weights + terms.sum(2), 1)
    log_p = torch.where(measured.any(1), log_p, torch.zeros_like(log_p))
    return -log_p.mean()


# %% holey-all-empty-has-no-graph wrong="holey-loss"
# If nothing at all was measured, a constant 0 comes back: no gradient flows to raw (0 is asked).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = torch.zeros((), dtype=raw.dtype)
    for i in range(n):
        seen = ~torch.isnan(y[i])
        if not bool(seen.any()):
            continue
        mu = raw[i, k : k + k * d].reshape(k, d)[:, seen]
        log_sigma = raw[i, k + k * d :].reshape(k, d)[:, seen]
        z = (y[i, seen] - mu) * torch.exp(-log_sigma)
        inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(1)
        total = total - torch.logsumexp(torch.log_softmax(raw[i, :k], 0) + inside, 0)
    return total / n


# %% given-schur right="given-x"
# Slope, Schur complement and log_softmax of the joint with x's marginal density.
def given_x(x, pi, mu, cov):
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    joint = torch.log(pi) - 0.5 * torch.log(a) - 0.5 * gap**2 / a
    means = mu[:, 1] + b / a * gap
    variances = ((a * c - b * b) / a).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-cholesky right="given-x"
# Cholesky factors: x's noise is the first one, y's own noise is the second one.
def given_x(x, pi, mu, cov):
    factor = torch.linalg.cholesky(cov)
    marginal = torch.distributions.Normal(mu[:, 0], factor[:, 0, 0])
    joint = torch.log(pi) + marginal.log_prob(x.unsqueeze(1))
    noise = (x.unsqueeze(1) - mu[:, 0]) / factor[:, 0, 0]
    means = mu[:, 1] + factor[:, 1, 0] * noise
    variances = factor[:, 1, 1] ** 2 + torch.zeros_like(noise)
    return joint - torch.logsumexp(joint, 1, keepdim=True), means, variances


# %% given-jitter wrong="given-x"
# Adds 1e-10 to the diagonals "for safety": drowns standard deviations near 1e-6.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-10 * torch.eye(2, dtype=cov.dtype)
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    joint = torch.log(pi) - 0.5 * torch.log(a) - 0.5 * gap**2 / a
    means = mu[:, 1] + b / a * gap
    variances = (c - b * b / a).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-floor-for-weights wrong="given-x"
# Clamps pi at 1e-300: a weight of 0 gets a finite log weight, and far away it may even win.
def given_x(x, pi, mu, cov):
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    gap = x[:, None] - mu[:, 0]
    joint = torch.log(pi.clamp(min=1e-300)) - 0.5 * torch.log(a) - 0.5 * gap**2 / a
    means = mu[:, 1] + b / a * gap
    variances = (c - b * b / a).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-stack-of-rows wrong="given-x"
# A list with one row for each x, stacked at the end: fails on the empty list, for n = 0.
def given_x(x, pi, mu, cov):
    log_weights, means, variances = [], [], []
    for number in x:
        gap = number - mu[:, 0]
        slope = cov[:, 0, 1] / cov[:, 0, 0]
        joint = torch.log(pi) - 0.5 * torch.log(cov[:, 0, 0]) - 0.5 * gap**2 / cov[:, 0, 0]
        log_weights.append(torch.log_softmax(joint, 0))
        means.append(mu[:, 1] + slope * gap)
        variances.append(cov[:, 1, 1] - slope * cov[:, 0, 1])
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% given-clamped-correlation wrong="given-x"
# Clamps the correlation to [-0.999, 0.999]: the variance is wrong by up to ten times at 0.9999.
def given_x(x, pi, mu, cov):
    sd = torch.sqrt(torch.diagonal(cov, dim1=1, dim2=2))
    rho = (cov[:, 0, 1] / (sd[:, 0] * sd[:, 1])).clamp(-0.999, 0.999)
    z = (x[:, None] - mu[:, 0]) / sd[:, 0]
    joint = torch.log(pi) - torch.log(sd[:, 0]) - 0.5 * z**2
    means = mu[:, 1] + rho * sd[:, 1] * z
    variances = (sd[:, 1] ** 2 * (1 - rho**2)).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-pseudo-inverse wrong="given-x"
# Reads slope and variance off a pseudo-inverse, which takes badly scaled matrices (standard
# deviations 1000 and 1e-6, say) for singular and cuts the smaller direction off.
def given_x(x, pi, mu, cov):
    precision = torch.linalg.pinv(cov)
    gap = x[:, None] - mu[:, 0]
    a = cov[:, 0, 0]
    joint = torch.log(pi) - 0.5 * torch.log(a) - 0.5 * gap**2 / a
    means = mu[:, 1] - precision[:, 1, 0] / precision[:, 1, 1] * gap
    variances = (1 / precision[:, 1, 1]).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% draw-count-and-gather right="mixture-draws"
# Counts the cumulative weights that u has reached, at most K - 1, and gathers.
def draw(logits, mu, sigma, tau, u, z):
    reached = torch.cumsum(torch.softmax(logits / tau, 1), 1)
    k = (u[:, None] >= reached).sum(1).clamp(max=logits.shape[1] - 1)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% draw-backwards-where right="mixture-draws"
# Starts from the last component and lets each earlier one that qualifies take over.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits.detach() / tau, 1)
    sums = [weights[:, 0]]
    for k in range(1, weights.shape[1]):
        sums.append(sums[-1] + weights[:, k])
    loc, scale = mu[:, -1], sigma[:, -1]
    for k in range(weights.shape[1] - 2, -1, -1):
        loc = torch.where(u < sums[k], mu[:, k], loc)
        scale = torch.where(u < sums[k], sigma[:, k], scale)
    return loc + scale * (z * tau**0.5)


# %% draw-less-or-equal wrong="mixture-draws"
# Takes u <= sum in place of u < sum: at u = 0 the first component is drawn though its weight
# rounds to 0 (logits -800 and 800).
def draw(logits, mu, sigma, tau, u, z):
    reached = torch.cumsum(torch.softmax(logits / tau, 1), 1)
    k = (u[:, None] > reached).sum(1).clamp(max=logits.shape[1] - 1)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% draw-argmax-falls-to-first wrong="mixture-draws"
# The first true by argmax: where the weights sum to less than u = 1 - 2**-53, none is true and
# argmax says component 0 instead of the last.
def draw(logits, mu, sigma, tau, u, z):
    reached = torch.cumsum(torch.softmax(logits / tau, 1), 1)
    k = (u[:, None] < reached).int().argmax(1, keepdim=True)
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% draw-power-of-softmax wrong="mixture-draws"
# Raises softmax(logits) to 1 / tau: with logits 760 apart and tau = 20 the weight should be
# e**-38, but has underflowed to 0 before, and u = 0 no longer draws that first component.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits, 1) ** (1 / tau)
    weights = weights / weights.sum(1, keepdim=True)
    reached = torch.cumsum(weights, 1)
    k = (u[:, None] >= reached).sum(1).clamp(max=logits.shape[1] - 1)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% draw-clamped-uniform wrong="mixture-draws"
# Clamps u to at most 1 - 1e-6 against the rounding of the sum: with a last weight of 1e-7 and
# u = 1 - 1e-8 the last component should be drawn, and an earlier one is.
def draw(logits, mu, sigma, tau, u, z):
    reached = torch.cumsum(torch.softmax(logits / tau, 1), 1)
    below = u.clamp(max=1 - 1e-6)
    k = (below[:, None] >= reached).sum(1).clamp(max=logits.shape[1] - 1)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% draw-sigma-floor wrong="mixture-draws"
# Keeps the standard deviation at a thousandth at least: a sigma of 0 should give the mean.
def draw(logits, mu, sigma, tau, u, z):
    reached = torch.cumsum(torch.softmax(logits / tau, 1), 1)
    k = (u[:, None] >= reached).sum(1).clamp(max=logits.shape[1] - 1)[:, None]
    scale = sigma.gather(1, k)[:, 0].clamp(min=1e-3)
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * scale * z


# %% match-assignment right="match-fits"
# SciPy's linear assignment on squared distances of differences.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        orders.append(torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]))
    order = torch.stack(orders).long()
    moved = torch.stack([fit[o] - reference for fit, o in zip(fits, order)])
    return order, reference + moved.mean(0)


# %% match-all-permutations right="match-fits"
# Tries all permutations at once, and gathers the best one of each fit.
def match_fits(reference, fits):
    count = reference.shape[0]
    ways = torch.tensor(list(itertools.permutations(range(count))))
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(3)
    sums = cost[:, torch.arange(count), ways].sum(2)
    order = ways[sums.argmin(1)]
    ordered = fits.gather(1, order[:, :, None].expand(-1, -1, fits.shape[2]))
    return order, ordered.mean(0)


# %% match-plain-distances wrong="match-fits"
# Sums distances, not their squares: another order wins where one long way stands against two
# middling ones, e.g. (0, 0), (1, 0) in the reference and (1, 0), (2, 0.5) in the fit.
def match_fits(reference, fits):
    count = reference.shape[0]
    ways = torch.tensor(list(itertools.permutations(range(count))))
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(3).sqrt()
    sums = cost[:, torch.arange(count), ways].sum(2)
    order = ways[sums.argmin(1)]
    ordered = fits.gather(1, order[:, :, None].expand(-1, -1, fits.shape[2]))
    return order, ordered.mean(0)


# %% match-expanded-squares wrong="match-fits"
# Squared distances from norms and inner products: all digits cancel for means near 1e9.
def match_fits(reference, fits):
    count = reference.shape[0]
    ways = torch.tensor(list(itertools.permutations(range(count))))
    norms = (reference**2).sum(1)[None, :, None] + (fits**2).sum(2)[:, None, :]
    cost = norms - 2 * reference @ fits.transpose(1, 2)
    sums = cost[:, torch.arange(count), ways].sum(2)
    order = ways[sums.argmin(1)]
    ordered = fits.gather(1, order[:, :, None].expand(-1, -1, fits.shape[2]))
    return order, ordered.mean(0)


# %% match-by-swaps wrong="match-fits"
# Swaps pairs while that helps: stays in a local optimum, e.g. for a triangle of means turned by
# a bit more than 60 degrees, where only a cycle of three components is better.
def match_fits(reference, fits):
    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2).tolist()
        order = list(range(len(cost)))
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(len(order)), 2):
                now = cost[i][order[i]] + cost[j][order[j]]
                if cost[i][order[j]] + cost[j][order[i]] < now - 1e-6:
                    order[i], order[j] = order[j], order[i]
                    better = True
        orders.append(order)
    order = torch.tensor(orders)
    return order, torch.stack([fit[o] for fit, o in zip(fits, order)]).mean(0)


# %% match-squeezed wrong="match-fits"
# Squeezes the orders: for R = 1 or K = 1 the shape is not (R, K).
def match_fits(reference, fits):
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        orders.append(linear_sum_assignment(cost.numpy())[1])
    average = torch.stack([fit[torch.as_tensor(o)] for fit, o in zip(fits, orders)]).mean(0)
    return torch.as_tensor(np.array(orders)).squeeze(), average


# %% match-single-precision wrong="match-fits"
# Compares the sums in float32: at sums near a million a difference of a thousandth is lost.
def match_fits(reference, fits):
    count = reference.shape[0]
    ways = torch.tensor(list(itertools.permutations(range(count))))
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(3).float()
    sums = cost[:, torch.arange(count), ways].sum(2)
    order = ways[sums.argmin(1)]
    ordered = fits.gather(1, order[:, :, None].expand(-1, -1, fits.shape[2]))
    return order, ordered.mean(0)


# %% alarm-beta right="alarm-thresholds"
# Floor of the product for the average; upper tails of all Beta distributions for the other.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = torch.sort(scores).values
    ks = np.arange(1, m + 1)
    average = math.floor(rate * (m + 1))
    good = ks[stats.beta.sf(rate, ks, m + 1 - ks) <= delta]
    surely = int(good.max()) if len(good) else 0
    return tuple(float(ordered[k - 1]) if k > 0 else -math.inf for k in (average, surely))


# %% alarm-binomial-bisection right="alarm-thresholds"
# The Beta tail is a binomial probability, which rises with k: bisection over k.
def alarm_thresholds(scores, rate, delta):
    ordered = [-math.inf, *sorted(scores.tolist())]
    m = len(ordered) - 1
    product = rate * (m + 1)
    average = sum(1 for k in range(1, m + 1) if k <= product)
    low, high = 0, m
    while low < high:
        middle = (low + high + 1) // 2
        if stats.binom.cdf(middle - 1, m, rate) <= delta:
            low = middle
        else:
            high = middle - 1
    return ordered[average], ordered[low]


# %% alarm-strictly-below wrong="alarm-thresholds"
# Wants k / (m + 1) strictly below the rate: one too small if rate * (m + 1) is whole (m = 19,
# rate 0.25).
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = torch.sort(scores).values
    ks = np.arange(1, m + 1)
    average = math.ceil(rate * (m + 1)) - 1
    surely = int((stats.beta.sf(rate, ks, m + 1 - ks) <= delta).sum())
    return tuple(float(ordered[k - 1]) if k > 0 else -math.inf for k in (average, surely))


# %% alarm-forgets-the-next-one wrong="alarm-thresholds"
# Uses rate * m in place of rate * (m + 1): differs where a whole number lies between (m = 7,
# rate 0.25: k should be 2).
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = torch.sort(scores).values
    ks = np.arange(1, m + 1)
    average = math.floor(rate * m)
    surely = int((stats.beta.sf(rate, ks, m + 1 - ks) <= delta).sum())
    return tuple(float(ordered[k - 1]) if k > 0 else -math.inf for k in (average, surely))


# %% alarm-unique-scores wrong="alarm-thresholds"
# Sorts by torch.unique: equal scores (or several of -inf) count once, and m shrinks.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    ordered = torch.unique(scores)
    m = len(ordered)
    ks = np.arange(1, m + 1)
    average = math.floor(rate * (m + 1))
    surely = int((stats.beta.sf(rate, ks, m + 1 - ks) <= delta).sum())
    return tuple(float(ordered[k - 1]) if k > 0 else -math.inf for k in (average, surely))


# %% alarm-average-never-silent wrong="alarm-thresholds"
# Takes at least the smallest score for the average: -inf is right if rate * (m + 1) < 1.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = torch.sort(scores).values
    ks = np.arange(1, m + 1)
    average = max(1, math.floor(rate * (m + 1)))
    surely = int((stats.beta.sf(rate, ks, m + 1 - ks) <= delta).sum())
    return float(ordered[average - 1]), float(ordered[surely - 1]) if surely else -math.inf


# %% alarm-never-the-largest wrong="alarm-thresholds"
# Looks only at k < m for the sure promise: at a rate near 1 (or m = 1, rate 0.9, delta 0.2) the
# largest score keeps it, too.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = torch.sort(scores).values
    average = math.floor(rate * (m + 1))
    low, high = 0, m - 1
    while low < high:
        middle = (low + high + 1) // 2
        if stats.beta.sf(rate, middle, m + 1 - middle) <= delta:
            low = middle
        else:
            high = middle - 1
    return tuple(float(ordered[k - 1]) if k > 0 else -math.inf for k in (average, low))
