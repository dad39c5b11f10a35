# %% [markdown]
# Answers written from the text alone.


# %% density-vectorised right="density-and-owner"
# Standardised distances by broadcasting; logsumexp and log_softmax over the components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_normal = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    joint = torch.log_softmax(logits, dim=0) + log_normal
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% density-distributions right="density-and-owner"
# The density comes from torch.distributions, the owner from a loop over the components.
def density_and_owner(x, logits, mu, log_sigma):
    dist = torch.distributions
    parts = dist.Independent(dist.Normal(mu, torch.exp(log_sigma)), 1)
    log_p = dist.MixtureSameFamily(dist.Categorical(logits=logits), parts).log_prob(x)
    columns = []
    for k in range(len(logits)):
        entries = dist.Normal(mu[k], torch.exp(log_sigma[k])).log_prob(x)
        columns.append(logits[k] + entries.sum(dim=1))
    return log_p, torch.log_softmax(torch.stack(columns, dim=1), dim=1)


# %% density-chain-of-logaddexp wrong="density-and-owner"
# Adds components with logaddexp one by one: if the first two logits are both -inf, the
# values are right, but the gradients are nan.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_normal = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    joint = torch.log_softmax(logits, dim=0) + log_normal
    log_p = joint[:, 0]
    for k in range(1, joint.shape[1]):
        log_p = torch.logaddexp(log_p, joint[:, k])
    return log_p, torch.log_softmax(joint, dim=1)


# %% density-product-of-sigmas wrong="density-and-owner"
# Multiplies the standard deviations before the logarithm: overflows or underflows for many
# entries, e.g. D = 200 with log_sigma = 5 or -5.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = torch.exp(log_sigma)
    z = (x[:, None, :] - mu) / sigma
    log_det = torch.log(sigma.prod(dim=1))
    log_normal = -0.5 * (z**2).sum(dim=2) - log_det - 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, dim=0) + log_normal
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% density-expanded-square wrong="density-and-owner"
# Multiplies out (x - mu)^2 to use matrix products: cancellation for narrow components away
# from zero, e.g. x = mu = 700.3 with log_sigma = -15.
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    distance = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(dim=1)
    constant = log_sigma.sum(dim=1) + 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, dim=0) - 0.5 * distance - constant
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% density-finite-stand-in wrong="density-and-owner"
# Replaces a logit of -inf by -10000 against nan: the log-responsibility of that component is
# finite, and where the others are 10^5 standard deviations away, it even owns the point.
def density_and_owner(x, logits, mu, log_sigma):
    logits = torch.nan_to_num(logits, neginf=-1e4)
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_normal = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    joint = torch.log_softmax(logits, dim=0) + log_normal
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% em-vectorised right="careful-em"
# Softmax of log joint densities; shares within a component; variance as a weighted average.
def careful_em_step(x, pi, mu, var, c, s2):
    distance = (x[:, None] - mu) ** 2 / var
    r = torch.softmax(torch.log(pi) - 0.5 * torch.log(var) - 0.5 * distance, dim=1)
    size = r.sum(dim=0)
    used = size > 0
    share = r / torch.where(used, size, 1.0)
    mean = torch.where(used, mu + (share * (x[:, None] - mu)).sum(dim=0), mu)
    mean = torch.where(used, mean + (share * (x[:, None] - mean)).sum(dim=0), mu)
    spread = (share * (x[:, None] - mean) ** 2).sum(dim=0)
    total = torch.where(size + c > 0, size + c, 1.0)
    new_var = size / total * spread + c / total * s2
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return size / len(x), mean, new_var


# %% em-numpy-loop right="careful-em"
# NumPy and SciPy, one component after the other, with cases for unused ones.
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np
    from scipy.special import softmax

    data, weights, means, variances = (t.detach().numpy() for t in (x, pi, mu, var))
    with np.errstate(divide="ignore"):
        log_joint = np.log(weights) - 0.5 * np.log(variances)
    log_joint = log_joint - 0.5 * (data[:, None] - means) ** 2 / variances
    r = softmax(log_joint, axis=1)
    new_pi, new_mu, new_var = [], [], []
    for k in range(len(weights)):
        size = r[:, k].sum()
        if size == 0:
            new_pi.append(0.0)
            new_mu.append(means[k])
            new_var.append(s2 if c > 0 else variances[k])
            continue
        share = r[:, k] / size
        mean = data[0] + (share * (data - data[0])).sum()
        spread = (share * (data - mean) ** 2).sum()
        new_pi.append(size / len(data))
        new_mu.append(mean)
        new_var.append((size * spread + c * s2) / (size + c) if c > 0 else spread)
    return tuple(torch.tensor(np.array(t, dtype=np.float64)) for t in (new_pi, new_mu, new_var))


# %% em-second-moment wrong="careful-em"
# Variance as the mean of squares minus the squared mean: cancellation for data of the size of
# 10^6 with spread 1.
def careful_em_step(x, pi, mu, var, c, s2):
    distance = (x[:, None] - mu) ** 2 / var
    r = torch.softmax(torch.log(pi) - 0.5 * torch.log(var) - 0.5 * distance, dim=1)
    size = r.sum(dim=0)
    used = size > 0
    safe = torch.where(used, size, 1.0)
    mean = torch.where(used, r.T @ x / safe, mu)
    scatter = torch.where(used, r.T @ x**2 - size * mean**2, 0.0)
    new_var = (scatter + c * s2) / torch.where(used, size + c, c if c > 0 else 1.0)
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return size / len(x), mean, new_var


# %% em-unused-keeps-all wrong="careful-em"
# An unused component keeps its variance also if c > 0, where it must become s2; e.g. a weight
# of 0 and c = 1.5.
def careful_em_step(x, pi, mu, var, c, s2):
    distance = (x[:, None] - mu) ** 2 / var
    r = torch.softmax(torch.log(pi) - 0.5 * torch.log(var) - 0.5 * distance, dim=1)
    size = r.sum(dim=0)
    used = size > 0
    safe = torch.where(used, size, 1.0)
    mean = torch.where(used, (r / safe * x[:, None]).sum(dim=0), mu)
    scatter = (r * (x[:, None] - mean) ** 2).sum(dim=0)
    new_var = torch.where(used, (scatter + c * s2) / (safe + c), var)
    return size / len(x), mean, new_var


# %% em-nearly-unused wrong="careful-em"
# Takes a component as unused below 1e-10 instead of at exactly 0: with N_k = 1e-20 it keeps
# its mean (and for c = 0 its variance) instead of moving.
def careful_em_step(x, pi, mu, var, c, s2):
    distance = (x[:, None] - mu) ** 2 / var
    r = torch.softmax(torch.log(pi) - 0.5 * torch.log(var) - 0.5 * distance, dim=1)
    size = r.sum(dim=0)
    unused = size < 1e-10
    share = r / torch.where(unused, 1.0, size)
    mean = torch.where(unused, mu, (share * x[:, None]).sum(dim=0))
    scatter = size * (share * (x[:, None] - mean) ** 2).sum(dim=0)
    idle_var = torch.full_like(var, s2) if c > 0 else var
    new_var = torch.where(unused, idle_var, (scatter + c * s2) / (size + c))
    return size / len(x), mean, new_var


# %% em-variance-floor wrong="careful-em"
# A floor of 1e-6 under the new variances: wrong if s2 and the spread are smaller, e.g.
# s2 = 1e-9 with c = 1e6, or an unused component with the variance 1e-9.
def careful_em_step(x, pi, mu, var, c, s2):
    distance = (x[:, None] - mu) ** 2 / var
    r = torch.softmax(torch.log(pi) - 0.5 * torch.log(var) - 0.5 * distance, dim=1)
    size = r.sum(dim=0)
    used = size > 0
    share = r / torch.where(used, size, 1.0)
    mean = torch.where(used, (share * x[:, None]).sum(dim=0), mu)
    spread = (share * (x[:, None] - mean) ** 2).sum(dim=0)
    total = torch.where(size + c > 0, size + c, 1.0)
    new_var = size / total * spread + c / total * s2
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return size / len(x), mean, new_var.clamp(min=1e-6)


# %% holes-masked right="holey-loss"
# Fills the holes before the formula and masks the terms after it; empty rows give exactly 0.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits = raw[:, :k]
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, 0.0)[:, None, :]
    z = (target - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    log_normal = torch.where(seen[:, None, :], terms, 0.0).sum(dim=2)
    log_p = torch.logsumexp(torch.log_softmax(logits, dim=1) + log_normal, dim=1)
    return -torch.where(seen.any(dim=1), log_p, 0.0).sum() / n


# %% holes-by-example right="holey-loss"
# Example by example: a torch mixture over the measured entries only.
def holey_loss(raw, y):
    dist = torch.distributions
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = 0.0 * raw.sum()
    for row, target in zip(raw, y):
        seen = ~torch.isnan(target)
        if not seen.any():
            continue
        mu = row[k : k + k * d].reshape(k, d)[:, seen]
        sigma = torch.exp(row[k + k * d :].reshape(k, d)[:, seen])
        parts = dist.Independent(dist.Normal(mu, sigma), 1)
        mixture = dist.MixtureSameFamily(dist.Categorical(logits=row[:k]), parts)
        total = total - mixture.log_prob(target[seen])
    return total / n


# %% holes-zero-is-missing wrong="holey-loss"
# Turns nan into 0 and then takes every 0 as missing: wrong for a measured target of exactly 0.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    target = torch.nan_to_num(y)
    seen = (target != 0).double()
    z = (target[:, None, :] - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    log_normal = (seen[:, None, :] * terms).sum(dim=2)
    joint = torch.logsumexp(raw[:, :k] + log_normal, dim=1)
    return (torch.logsumexp(raw[:, :k], dim=1) - joint).mean()


# %% holes-clamped-sigma wrong="holey-loss"
# Clamps the log standard deviations to [-10, 10] "for stability": wrong beyond, e.g. at -13.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d).clamp(-10, 10)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, 0.0)[:, None, :]
    z = (target - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    log_normal = torch.where(seen[:, None, :], terms, 0.0).sum(dim=2)
    joint = torch.logsumexp(raw[:, :k] + log_normal, dim=1)
    return (torch.logsumexp(raw[:, :k], dim=1) - joint).mean()


# %% holes-constant-if-empty wrong="holey-loss"
# Only examples with a measurement enter the graph: if the whole batch has none, the loss is a
# constant without gradient, and backward raises instead of giving zeros.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(n):
        seen = ~torch.isnan(y[i])
        if seen.any():
            mu = raw[i, k : k + k * d].reshape(k, d)[:, seen]
            log_sigma = raw[i, k + k * d :].reshape(k, d)[:, seen]
            z = (y[i, seen] - mu) * torch.exp(-log_sigma)
            terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
            log_pi = torch.log_softmax(raw[i, :k], dim=0)
            total = total - torch.logsumexp(log_pi + terms.sum(dim=1), dim=0)
    return total / n


# %% holes-squeezed-logits right="holey-loss"
# Written as wrong; with one component the weights of all examples sum to 1, and nothing changes.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = torch.split(raw, [k, k * d, k * d], dim=1)
    log_pi = torch.log_softmax(logits.squeeze(), dim=-1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, 0.0)[:, None, :]
    z = (target - mu) * torch.exp(-log_sigma)
    terms = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    log_normal = torch.where(seen[:, None, :], terms, 0.0).sum(dim=2)
    log_p = torch.logsumexp(log_pi + log_normal, dim=-1)
    return -torch.where(seen.any(dim=1), log_p, 0.0).mean()


# %% given-x-formulas right="given-x"
# The textbook formulas by broadcasting, with the variance from the correlation.
def given_x(x, pi, mu, cov):
    sd_x, sd_y = torch.sqrt(cov[:, 0, 0]), torch.sqrt(cov[:, 1, 1])
    rho = cov[:, 0, 1] / sd_x / sd_y
    z = (x[:, None] - mu[:, 0]) / sd_x
    log_weights = torch.log_softmax(torch.log(pi) - torch.log(sd_x) - 0.5 * z**2, dim=1)
    means = mu[:, 1] + rho * sd_y * z
    variances = cov[:, 1, 1] * (1 - rho) * (1 + rho)
    return log_weights, means, variances.repeat(len(x), 1)


# %% given-x-cholesky right="given-x"
# Component by component: the Cholesky factor holds slope and remaining standard deviation.
def given_x(x, pi, mu, cov):
    scores, means, variances = [], [], []
    for k in range(len(pi)):
        factor = torch.linalg.cholesky(cov[k])
        marginal = torch.distributions.Normal(mu[k, 0], factor[0, 0])
        scores.append(torch.log(pi[k]) + marginal.log_prob(x))
        means.append(mu[k, 1] + factor[1, 0] * ((x - mu[k, 0]) / factor[0, 0]))
        variances.append(factor[1, 1] ** 2 * torch.ones_like(x))
    log_weights = torch.log_softmax(torch.stack(scores, dim=1), dim=1)
    return log_weights, torch.stack(means, dim=1), torch.stack(variances, dim=1)


# %% given-x-tiny-weight wrong="given-x"
# Puts 1e-300 in place of a weight of 0: the log weight is finite instead of -inf, and far from
# the other components that one gets all the weight.
def given_x(x, pi, mu, cov):
    sd_x = torch.sqrt(cov[:, 0, 0])
    z = (x[:, None] - mu[:, 0]) / sd_x
    log_pi = torch.log(pi.clamp(min=1e-300))
    log_weights = torch.log_softmax(log_pi - torch.log(sd_x) - 0.5 * z**2, dim=1)
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    means = mu[:, 1] + slope * (x[:, None] - mu[:, 0])
    variances = cov[:, 1, 1] - slope * cov[:, 0, 1]
    return log_weights, means, variances.repeat(len(x), 1)


# %% given-x-jitter wrong="given-x"
# Adds 1e-10 to the diagonal against failures: wrong for standard deviations near 1e-6, whose
# squares are 1e-12.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-10 * torch.eye(2, dtype=torch.float64)
    sd_x = torch.sqrt(cov[:, 0, 0])
    z = (x[:, None] - mu[:, 0]) / sd_x
    log_weights = torch.log_softmax(torch.log(pi) - torch.log(sd_x) - 0.5 * z**2, dim=1)
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    means = mu[:, 1] + slope * (x[:, None] - mu[:, 0])
    variances = cov[:, 1, 1] - slope * cov[:, 0, 1]
    return log_weights, means, variances.repeat(len(x), 1)


# %% given-x-rows-stacked wrong="given-x"
# Handles one x after the other and stacks the rows: raises an error for n = 0.
def given_x(x, pi, mu, cov):
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    remaining = cov[:, 1, 1] - slope * cov[:, 0, 1]
    log_weights, means, variances = [], [], []
    for value in x:
        gap = value - mu[:, 0]
        score = torch.log(pi) - 0.5 * torch.log(cov[:, 0, 0]) - 0.5 * gap**2 / cov[:, 0, 0]
        log_weights.append(score - torch.logsumexp(score, dim=0))
        means.append(mu[:, 1] + slope * gap)
        variances.append(remaining)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% given-x-clamped-correlation wrong="given-x"
# Clamps the correlation to +-0.999 to keep the variance positive: wrong for correlations
# closer to 1 or to -1, e.g. 0.9998.
def given_x(x, pi, mu, cov):
    sd_x, sd_y = torch.sqrt(cov[:, 0, 0]), torch.sqrt(cov[:, 1, 1])
    rho = (cov[:, 0, 1] / (sd_x * sd_y)).clamp(-0.999, 0.999)
    z = (x[:, None] - mu[:, 0]) / sd_x
    log_weights = torch.log_softmax(torch.log(pi) - torch.log(sd_x) - 0.5 * z**2, dim=1)
    means = mu[:, 1] + rho * sd_y * z
    variances = sd_y**2 * (1 - rho**2)
    return log_weights, means, variances.repeat(len(x), 1)


# %% draw-counting right="mixture-draws"
# Counts the cumulative weights that u has reached; at most the last component with a weight.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, dim=1)
    passed = (u[:, None] >= torch.cumsum(pi, dim=1)).sum(dim=1)
    numbers = torch.arange(pi.shape[1])
    last = torch.where(pi > 0, numbers, 0).amax(dim=1)
    chosen = torch.minimum(passed, last)[:, None]
    centre = mu.gather(1, chosen)[:, 0]
    width = math.sqrt(tau) * sigma.gather(1, chosen)[:, 0]
    return centre + width * z


# %% draw-python-loop right="mixture-draws"
# Walks through the weights of each example; components of weight 0 are never chosen.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits.detach() / tau, dim=1).tolist()
    chosen = []
    for row, level in zip(weights, u.tolist()):
        total, pick = 0.0, 0
        for k, weight in enumerate(row):
            total += weight
            if weight > 0:
                pick = k
            if level < total:
                break
        chosen.append(pick)
    columns = torch.tensor(chosen, dtype=torch.long)
    rows = torch.arange(len(chosen))
    return mu[rows, columns] + z * (sigma[rows, columns] * tau**0.5)


# %% draw-reached-is-enough wrong="mixture-draws"
# Takes the smallest k with u <= the cumulative weight instead of <: with u = 0 and a first
# weight that rounds to 0 (logits -800 and 0) it draws component 0.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, dim=1)
    passed = (u[:, None] > torch.cumsum(pi, dim=1)).sum(dim=1)
    last = torch.where(pi > 0, torch.arange(pi.shape[1]), 0).amax(dim=1)
    chosen = torch.minimum(passed, last)[:, None]
    centre = mu.gather(1, chosen)[:, 0]
    return centre + math.sqrt(tau) * sigma.gather(1, chosen)[:, 0] * z


# %% draw-last-of-all right="mixture-draws"
# Written as wrong, rightly so: the text contradicted itself where the last weight is 0, and now
# says that it is not.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, dim=1)
    passed = (u[:, None] >= torch.cumsum(pi, dim=1)).sum(dim=1)
    chosen = passed.clamp(max=pi.shape[1] - 1)[:, None]
    centre = mu.gather(1, chosen)[:, 0]
    return centre + math.sqrt(tau) * sigma.gather(1, chosen)[:, 0] * z


# %% draw-sigma-floor wrong="mixture-draws"
# Keeps sigma at 0.001 or more: a component with sigma = 0 must give its mean, and does not.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, dim=1)
    passed = (u[:, None] >= torch.cumsum(pi, dim=1)).sum(dim=1)
    last = torch.where(pi > 0, torch.arange(pi.shape[1]), 0).amax(dim=1)
    chosen = torch.minimum(passed, last)[:, None]
    width = torch.sqrt(tau * sigma.gather(1, chosen)[:, 0].clamp(min=1e-3) ** 2)
    return mu.gather(1, chosen)[:, 0] + width * z


# %% draw-power-of-weights wrong="mixture-draws"
# Raises the weights at temperature 1 to the power 1 / tau: with logits -750 and 0 and tau = 20
# the first weight is 5e-17 and is drawn at u = 0, but here it has already rounded to 0.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach(), dim=1) ** (1 / tau)
    pi = pi / pi.sum(dim=1, keepdim=True)
    passed = (u[:, None] >= torch.cumsum(pi, dim=1)).sum(dim=1)
    last = torch.where(pi > 0, torch.arange(pi.shape[1]), 0).amax(dim=1)
    chosen = torch.minimum(passed, last)[:, None]
    centre = mu.gather(1, chosen)[:, 0]
    return centre + math.sqrt(tau) * sigma.gather(1, chosen)[:, 0] * z


# %% match-all-orders right="match-fits"
# Tries all orders of the components, fit by fit.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    costs = torch.stack([((fit[orders] - reference) ** 2).sum(dim=(1, 2)) for fit in fits])
    order = orders[costs.argmin(dim=1)]
    ordered = torch.stack([fit[chosen] for fit, chosen in zip(fits, order)])
    return order, reference + (ordered - reference).mean(dim=0)


# %% match-assignment right="match-fits"
# SciPy's solver of the assignment problem on the squared distances, fit by fit.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    order = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(dim=2)
        order.append(torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]).long())
    order = torch.stack(order)
    rows = torch.arange(len(fits))[:, None]
    return order, fits[rows, order].mean(dim=0)


# %% match-plain-distance wrong="match-fits"
# Sums the distances instead of their squares: another order wins where one far pair and one
# near pair compete with two middling ones.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    costs = torch.stack([(fit[orders] - reference).norm(dim=2).sum(dim=1) for fit in fits])
    order = orders[costs.argmin(dim=1)]
    ordered = torch.stack([fit[chosen] for fit, chosen in zip(fits, order)])
    return order, ordered.mean(dim=0)


# %% match-inner-products wrong="match-fits"
# Maximises the sum of inner products, which is the same on paper: all digits are lost where
# the means lie 10^9 from zero.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    order = []
    for fit in fits:
        likeness = reference @ fit.T
        order.append(
            torch.as_tensor(linear_sum_assignment(likeness.numpy(), maximize=True)[1]).long()
        )
    order = torch.stack(order)
    rows = torch.arange(len(fits))[:, None]
    return order, fits[rows, order].mean(dim=0)


# %% match-running-average wrong="match-fits"
# Matches each fit with the average of the reference and the fits before it: for R > 1 with
# fits far from the reference, later orders are the best ones for other centres.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    target = reference.clone()
    order = []
    for r, fit in enumerate(fits):
        best = orders[((fit[orders] - target) ** 2).sum(dim=(1, 2)).argmin()]
        order.append(best)
        target = target + (fit[best] - target) / (r + 2)
    average = torch.stack([fit[best] for fit, best in zip(fits, order)]).mean(dim=0)
    return torch.stack(order), average


# %% match-by-swaps wrong="match-fits"
# Swaps two components as long as that helps: stuck where only a cycle of three improves, e.g.
# the corners of a regular triangle, and the fit is the triangle turned by 70 degrees.
def match_fits(reference, fits):
    order = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit) ** 2).sum(dim=2)
        chosen = list(range(len(reference)))
        better = True
        while better:
            better = False
            for a, b in itertools.combinations(range(len(chosen)), 2):
                now = cost[a, chosen[a]] + cost[b, chosen[b]]
                if cost[a, chosen[b]] + cost[b, chosen[a]] < now - 1e-9:
                    chosen[a], chosen[b] = chosen[b], chosen[a]
                    better = True
        order.append(chosen)
    order = torch.tensor(order)
    average = torch.stack([fit[best] for fit, best in zip(fits, order)]).mean(dim=0)
    return order, average


# %% alarm-beta right="alarm-thresholds"
# Counts the k that keep each promise, with the Beta distribution's survival function.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ranks = torch.arange(1, m + 1, dtype=torch.float64)
    on_average = int((ranks / (m + 1) <= rate * (1 + 1e-13)).sum())
    exceed = stats.beta.sf(rate, ranks.numpy(), (m + 1 - ranks).numpy())
    surely = int((exceed <= delta).sum())
    ladder = torch.cat([torch.tensor([-math.inf], dtype=torch.float64), scores.sort().values])
    return ladder[on_average], ladder[surely]


# %% alarm-binomial right="alarm-thresholds"
# A whole part for the average; bisection on the Binomial's distribution function for the other.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = sorted(scores.tolist())
    on_average = min(m, math.floor(rate * (m + 1) * (1 + 1e-13)))
    low, high = 0, m
    while low < high:
        k = (low + high + 1) // 2
        if stats.binom.cdf(k - 1, m, rate) <= delta:
            low = k
        else:
            high = k - 1
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, low))


# %% alarm-share-of-m wrong="alarm-thresholds"
# Takes rate times m instead of rate times m + 1 for the average: one score too low, e.g. with
# m = 19 and rate = 0.1, or m = 9 and rate = 0.5.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = sorted(scores.tolist())
    on_average = math.floor(rate * m + 1e-12)
    surely = 0
    while surely < m and stats.binom.cdf(surely, m, rate) <= delta:
        surely += 1
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, surely))


# %% alarm-unique-scores wrong="alarm-thresholds"
# Sorts with torch.unique, which drops equal scores: k then counts among fewer; e.g. 20 scores
# of which 10 are equal.
def alarm_thresholds(scores, rate, delta):
    ordered = torch.unique(scores)
    m = len(ordered)
    ranks = torch.arange(1, m + 1, dtype=torch.float64)
    on_average = int((ranks / (m + 1) <= rate * (1 + 1e-13)).sum())
    exceed = stats.beta.sf(rate, ranks.numpy(), (m + 1 - ranks).numpy())
    surely = int((exceed <= delta).sum())
    ladder = torch.cat([torch.tensor([-math.inf], dtype=torch.float64), ordered])
    return ladder[on_average], ladder[surely]


# %% alarm-big-binomials wrong="alarm-thresholds"
# Sums the Binomial's probabilities from math.comb: for m = 5000 and a rate in the middle the
# whole numbers are too large for a float and an OverflowError is raised.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = sorted(scores.tolist())
    on_average = math.floor(rate * (m + 1) * (1 + 1e-13))
    surely, below = 0, 0.0
    while surely < m:
        below += math.comb(m, surely) * rate**surely * (1 - rate) ** (m - surely)
        if below > delta:
            break
        surely += 1
    return tuple(ordered[k - 1] if k > 0 else -math.inf for k in (on_average, surely))


# %% alarm-finite-scores-only wrong="alarm-thresholds"
# Throws scores of -inf away before it counts: m and the ranks are then too small, e.g. 20
# scores of which 5 are -inf, with rate = 0.3.
def alarm_thresholds(scores, rate, delta):
    ordered = scores[torch.isfinite(scores)].sort().values
    m = len(ordered)
    ranks = torch.arange(1, m + 1, dtype=torch.float64)
    on_average = int((ranks / (m + 1) <= rate * (1 + 1e-13)).sum())
    exceed = stats.beta.sf(rate, ranks.numpy(), (m + 1 - ranks).numpy())
    surely = int((exceed <= delta).sum())
    ladder = torch.cat([torch.tensor([-math.inf], dtype=torch.float64), ordered])
    return ladder[on_average], ladder[surely]
