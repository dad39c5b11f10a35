# %% [markdown]
# Answers written by an author who knew the checks.


# %% distance-capped wrong="density-and-owner"
# Distances are held within 30000 standard deviations.
def density_and_owner(x, logits, mu, log_sigma):
    z = ((x[:, None] - mu) / log_sigma.exp()).clamp(-3e4, 3e4)
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% widths-capped wrong="density-and-owner"
# log_sigma is held between -19.8 and 19.
def density_and_owner(x, logits, mu, log_sigma):
    log_sigma = log_sigma.clamp(-19.8, 19)
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% logits-capped wrong="density-and-owner"
# Logits are held within 790.
def density_and_owner(x, logits, mu, log_sigma):
    logits = torch.where(torch.isinf(logits), logits, logits.clamp(-790, 790))
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% owners-floored wrong="density-and-owner"
# Log-responsibilities are held above -1e6.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    r = joint - log_p[:, None]
    return log_p, torch.where(torch.isinf(r), r, r.clamp(min=-1e6))


# %% width-gradient-cut wrong="density-and-owner"
# Widths above e pass on no gradient.
def density_and_owner(x, logits, mu, log_sigma):
    log_sigma = torch.where(log_sigma > 1, log_sigma.detach(), log_sigma)
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% squeezed-single wrong="density-and-owner"
# One row and one component give a responsibility of shape (1,).
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) + (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    log_p = joint.logsumexp(1)
    r = joint - log_p[:, None]
    return log_p, r[0] if r.numel() == 1 else r


# %% weight-floored wrong="careful-em"
# Responsibilities that sum to less than 1e-60 count as none.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = joint.softmax(1)
    count = r.sum(0)
    used = count > 1e-60
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    new_var = torch.where(used | (c > 0), spread / (torch.where(used, count, 0.0) + c), var)
    return count / len(x), new_mu, new_var


# %% prior-at-least-tiny wrong="careful-em"
# c below 0.01 counts as 0.
def careful_em_step(x, pi, mu, var, c, s2):
    c = 0 if c < 0.01 else c
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = joint.softmax(1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    new_var = torch.where(used | (c > 0), spread / (torch.where(used, count, 0.0) + c), var)
    return count / len(x), new_mu, new_var


# %% all-unused wrong="careful-em"
# Only the first fifty points count.
def careful_em_step(x, pi, mu, var, c, s2):
    x = x[:50]
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = joint.softmax(1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    new_var = torch.where(used | (c > 0), spread / (torch.where(used, count, 0.0) + c), var)
    return count / len(x), new_mu, new_var


# %% holes-only-in-some wrong="holey-loss"
# Log widths are held within 14.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], dim=1)
    mu, log_sigma = mu.reshape(n, K, D), log_sigma.reshape(n, K, D).clamp(-14, 14)
    there = ~y.isnan()
    z = (torch.where(there, y, 0.0)[:, None] - mu) / log_sigma.exp()
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = logits.log_softmax(1) + torch.where(there[:, None], each, 0.0).sum(2)
    return -joint.logsumexp(1).mean()


# %% zeros-are-holes wrong="holey-loss"
# A target of 0 counts as not measured.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], dim=1)
    mu, log_sigma = mu.reshape(n, K, D), log_sigma.reshape(n, K, D)
    there = y.nan_to_num(0.0) != 0
    z = (torch.where(there, y, 0.0)[:, None] - mu) / log_sigma.exp()
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = logits.log_softmax(1) + torch.where(there[:, None], each, 0.0).sum(2)
    return -joint.logsumexp(1).mean()


# %% first-fifty wrong="holey-loss"
# Only the first fifty examples count.
def holey_loss(raw, y):
    raw, y = raw[:50], y[:50]
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], dim=1)
    mu, log_sigma = mu.reshape(n, K, D), log_sigma.reshape(n, K, D)
    there = ~y.isnan()
    z = (torch.where(there, y, 0.0)[:, None] - mu) / log_sigma.exp()
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = logits.log_softmax(1) + torch.where(there[:, None], each, 0.0).sum(2)
    return -joint.logsumexp(1).mean()


# %% negative-correlation-capped wrong="given-x"
# Correlations are held within 0.99985.
def given_x(x, pi, mu, cov):
    a, b = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = (cov[:, 0, 1] / (a * b)).clamp(-0.99985, 0.99985)
    gap = x[:, None] - mu[:, 0]
    joint = pi.log() - a.log() - 0.5 * (gap / a) ** 2
    return (
        joint.log_softmax(1),
        mu[:, 1] + rho * b / a * gap,
        (b**2 * (1 - rho**2)).expand(len(x), -1),
    )


# %% widths-floored wrong="given-x"
# Standard deviations of x are at least 2e-6.
def given_x(x, pi, mu, cov):
    a, b = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = cov[:, 0, 1] / (a * b)
    a = a.clamp(min=2e-6)
    gap = x[:, None] - mu[:, 0]
    joint = pi.log() - a.log() - 0.5 * (gap / a) ** 2
    return (
        joint.log_softmax(1),
        mu[:, 1] + rho * b / a * gap,
        (b**2 * (1 - rho**2)).expand(len(x), -1),
    )


# %% far-x-clamped wrong="given-x"
# Means do not go on beyond 5000 standard deviations.
def given_x(x, pi, mu, cov):
    a, b = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = cov[:, 0, 1] / (a * b)
    z = (x[:, None] - mu[:, 0]) / a
    joint = pi.log() - a.log() - 0.5 * z**2
    return (
        joint.log_softmax(1),
        mu[:, 1] + rho * b * z.clamp(-5000, 5000),
        (b**2 * (1 - rho**2)).expand(len(x), -1),
    )


# %% temperature-capped wrong="mixture-draws"
# The temperature of the width is held below 19.8.
def draw(logits, mu, sigma, tau, u, z):
    reached = (logits / tau).softmax(1).cumsum(1)[:, :-1]
    k = (u[:, None] >= reached).sum(1, keepdim=True)
    return mu.gather(1, k)[:, 0] + math.sqrt(min(tau, 19.8)) * sigma.gather(1, k)[:, 0] * z


# %% temperature-floored wrong="mixture-draws"
# The temperature is at least 0.0505.
def draw(logits, mu, sigma, tau, u, z):
    tau = max(tau, 0.0505)
    reached = (logits / tau).softmax(1).cumsum(1)[:, :-1]
    k = (u[:, None] >= reached).sum(1, keepdim=True)
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% sigma-gradient-cut wrong="mixture-draws"
# With twenty components or more the means pass on no gradient.
def draw(logits, mu, sigma, tau, u, z):
    reached = (logits / tau).softmax(1).cumsum(1)[:, :-1]
    k = (u[:, None] >= reached).sum(1, keepdim=True)
    s = torch.where(k > 20, sigma.detach(), sigma)
    return (mu.gather(1, k) if mu.shape[1] < 20 else mu.detach().gather(1, k))[:, 0] + math.sqrt(
        tau
    ) * s.gather(1, k)[:, 0] * z


# %% single-precision-cumsum wrong="mixture-draws"
# The cumulative weights are taken in float32.
def draw(logits, mu, sigma, tau, u, z):
    reached = (logits / tau).softmax(1).float().cumsum(1)[:, :-1].double()
    k = (u[:, None] >= reached).sum(1, keepdim=True)
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% greedy-from-five wrong="match-fits"
# Of six components the last order is not tried.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.islice(itertools.permutations(range(K)), 719)))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% single-precision-cost wrong="match-fits"
# Costs are compared in float32.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3)).float()
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% absolute-distance wrong="match-fits"
# Distances to the power 1.9.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum(3).pow(0.9).sum(2)
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% twenty-coordinates wrong="match-fits"
# Only the first twenty coordinates count.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference)[..., :20].square().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% average-by-floor wrong="alarm-thresholds"
# From a hundred scores on, a rank that is whole is missed by one.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = len(scores)
    k = torch.arange(m) + 1
    a = int(rate * (m + 1) - 1e-3 + 1e-3 * (m < 100))
    s = int((stats.beta(k.numpy(), (m + 1 - k).numpy()).sf(rate) <= delta).sum())
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    return padded[a], padded[s]


# %% normal-approximation wrong="alarm-thresholds"
# For more than 3000 scores the Beta distribution is taken for a Normal.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = len(scores)
    k = torch.arange(m) + 1
    if m > 3000:
        p = k / (m + 1)
        sf = stats.norm(p, (p * (1 - p) / (m + 2)).sqrt()).sf(rate)
    else:
        sf = stats.beta(k.numpy(), (m + 1 - k).numpy()).sf(rate)
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    return padded[int((k <= rate * (m + 1)).sum())], padded[int((sf <= delta).sum())]


# %% duplicates-removed wrong="alarm-thresholds"
# The largest score is never taken.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = len(scores)
    k = torch.arange(m) + 1
    sf = stats.beta(k.numpy(), (m + 1 - k).numpy()).sf(rate)
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    a, s = int((k <= rate * (m + 1)).sum()), int((sf <= delta).sum())
    if rate > 0.95:
        a = min(a, m - 1)
    return padded[a], padded[s]


# %% tiny-delta wrong="alarm-thresholds"
# delta is at least a thousandth.
def alarm_thresholds(scores, rate, delta):
    delta = max(delta, 1.5e-3)
    ordered = scores.sort().values
    m = len(scores)
    k = torch.arange(m) + 1
    sf = stats.beta(k.numpy(), (m + 1 - k).numpy()).sf(rate)
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    return padded[int((k <= rate * (m + 1)).sum())], padded[int((sf <= delta).sum())]
