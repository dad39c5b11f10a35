# %% [markdown]
# Answers written from the text alone.


# %% owner-vectorised right="density-and-owner"
# All differences at once, log-softmax for the weights and again for the responsibilities.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + inside
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-by-distributions right="density-and-owner"
# One torch.distributions object for each component, and a log-sum-exp by hand.
def density_and_owner(x, logits, mu, log_sigma):
    top_logit = logits.max().detach()
    log_pi = logits - top_logit - torch.exp(logits - top_logit).sum().log()
    columns = []
    for k in range(len(logits)):
        normal = torch.distributions.Normal(mu[k], log_sigma[k].exp())
        columns.append(log_pi[k] + torch.distributions.Independent(normal, 1).log_prob(x))
    joint = torch.stack(columns, 1)
    top = joint.max(1, keepdim=True).values.detach()
    rest = torch.exp(joint - top).sum(1, keepdim=True).log()
    return (top + rest).squeeze(1), joint - top - rest


# %% owner-product-of-sigmas wrong="density-and-owner"
# The logarithm of the product of the standard deviations: the product overflows or underflows
# for many entries (D = 200 and log_sigma of 5 or -5, say).
def density_and_owner(x, logits, mu, log_sigma):
    sigma = torch.exp(log_sigma)
    z = (x[:, None, :] - mu) / sigma
    constant = 0.5 * x.shape[1] * math.log(2 * math.pi)
    inside = -0.5 * (z**2).sum(2) - torch.log(sigma.prod(1)) - constant
    joint = torch.log_softmax(logits, 0) + inside
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-finite-for-minus-infinity wrong="density-and-owner"
# A logit of -inf becomes -1e4 (masked again in log_r only): a component of weight 0 on which a
# point sits wins if the others are more than about 150 standard deviations away.
def density_and_owner(x, logits, mu, log_sigma):
    absent = torch.isinf(logits)
    log_pi = torch.log_softmax(torch.nan_to_num(logits, neginf=-1e4), 0)
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = log_pi + inside
    log_r = torch.log_softmax(joint, 1).masked_fill(absent, -math.inf)
    return torch.logsumexp(joint, 1), log_r


# %% owner-squares-multiplied-out wrong="density-and-owner"
# Squared distances as x^2 - 2 x mu + mu^2 by matrix products: cancels for narrow components far
# from zero (mu = 1000, log_sigma = -10 or less).
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    squares = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * squares - log_sigma.sum(1) - constant
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-half-a-gradient wrong="density-and-owner"
# The standard deviations in the exponent are detached: values are right, the gradient with
# respect to log_sigma is -1 times the responsibilities, whatever the distance.
def density_and_owner(x, logits, mu, log_sigma):
    with torch.no_grad():
        inverse = torch.exp(-log_sigma)
    z = (x[:, None, :] - mu) * inverse
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + inside
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% em-in-logs right="careful-em"
# Vectorised; the shares of the points in each component are normalised in logarithms.
def careful_em_step(x, pi, mu, var, c, s2):
    column = x[:, None]
    log_r = torch.log_softmax(pi.log() - 0.5 * var.log() - 0.5 * (column - mu) ** 2 / var, 1)
    count = log_r.exp().sum(0)
    used = count > 0
    share = torch.softmax(torch.where(used, log_r, torch.zeros_like(log_r)), 0)
    mean = (share * column).sum(0)
    mean = mean + (share * (column - mean)).sum(0)
    spread = (share * (column - mean) ** 2).sum(0)
    if c > 0:
        new_var = count / (count + c) * spread + c / (count + c) * s2
        new_var = torch.where(used, new_var, torch.full_like(var, s2))
    else:
        new_var = torch.where(used, spread, var)
    return count / len(x), torch.where(used, mean, mu), new_var


# %% em-by-component right="careful-em"
# NumPy, one component at a time, with the branches written out.
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np

    points, weights, means, variances = (t.detach().numpy() for t in (x, pi, mu, var))
    scores = np.full((len(points), len(weights)), -np.inf)
    for k, weight in enumerate(weights):
        if weight > 0:
            square = (points - means[k]) ** 2 / variances[k]
            scores[:, k] = np.log(weight) - 0.5 * (np.log(variances[k]) + square)
    scores -= scores.max(axis=1, keepdims=True)
    log_r = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    new = []
    for k in range(len(weights)):
        count = float(np.exp(log_r[:, k]).sum())
        if count == 0:
            new.append((0.0, means[k], s2 if c > 0 else variances[k]))
            continue
        share = np.exp(log_r[:, k] - log_r[:, k].max())
        share /= share.sum()
        middle = points[np.argmax(share)]
        mean = middle + share @ (points - middle)
        spread = share @ (points - mean) ** 2
        new.append((count / len(points), mean, spread + (s2 - spread) * (c / (count + c))))
    return tuple(torch.tensor([float(v) for v in part], dtype=x.dtype) for part in zip(*new))


# %% em-tiny-weight-for-zero wrong="careful-em"
# Weights are clamped at 1e-300 before the logarithm: a component of weight 0 takes a point
# that it fits if every other component is more than about 40 standard deviations away.
def careful_em_step(x, pi, mu, var, c, s2):
    column = x[:, None]
    log_pi = pi.clamp_min(1e-300).log()
    r = torch.softmax(log_pi - 0.5 * var.log() - 0.5 * (column - mu) ** 2 / var, 1)
    count = r.sum(0)
    used = (pi > 0) & (count > 0)
    safe = torch.where(used, count, torch.ones_like(count))
    mean = torch.where(used, (r * column).sum(0) / safe, mu)
    top = (r * (column - mean) ** 2).sum(0) + c * s2
    idle = torch.full_like(var, s2) if c > 0 else var
    new_var = torch.where(used, top / (safe + c), idle)
    return torch.where(used, count, torch.zeros_like(count)) / len(x), mean, new_var


# %% em-nearly-unused wrong="careful-em"
# A component counts as unused if its N_k is below 1e-10, not only at exactly 0: one with
# N_k = 1e-20 keeps its mean (and, with c = 0, its variance) and gets the weight 0.
def careful_em_step(x, pi, mu, var, c, s2):
    column = x[:, None]
    r = torch.softmax(pi.log() - 0.5 * var.log() - 0.5 * (column - mu) ** 2 / var, 1)
    count = r.sum(0)
    used = count > 1e-10
    safe = torch.where(used, count, torch.ones_like(count))
    mean = torch.where(used, (r * column).sum(0) / safe, mu)
    top = (r * (column - mean) ** 2).sum(0) + c * s2
    idle = torch.full_like(var, s2) if c > 0 else var
    new_var = torch.where(used, top / (safe + c), idle)
    return torch.where(used, count, torch.zeros_like(count)) / len(x), mean, new_var


# %% em-shifted-variance wrong="careful-em"
# The spread about the new mean as the one about the old mean minus the square of the shift:
# cancels if the old mean is far from narrow data (old mean 0, points about 1000 +- 0.0001).
def careful_em_step(x, pi, mu, var, c, s2):
    gaps = x[:, None] - mu
    r = torch.softmax(pi.log() - 0.5 * var.log() - 0.5 * gaps**2 / var, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    shift = (r * gaps).sum(0) / safe
    spread = ((r * gaps**2).sum(0) / safe - shift**2).clamp_min(0)
    idle = torch.full_like(var, s2) if c > 0 else var
    new_var = torch.where(used, (count * spread + c * s2) / (safe + c), idle)
    return count / len(x), mu + shift, new_var


# %% em-variance-floor wrong="careful-em"
# New variances are held above 1e-6, as libraries do: wrong if the points of a component (and
# s2, if c > 0) lie closer together than that.
def careful_em_step(x, pi, mu, var, c, s2):
    column = x[:, None]
    r = torch.softmax(pi.log() - 0.5 * var.log() - 0.5 * (column - mu) ** 2 / var, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    mean = torch.where(used, (r * column).sum(0) / safe, mu)
    top = (r * (column - mean) ** 2).sum(0) + c * s2
    idle = torch.full_like(var, s2) if c > 0 else var
    new_var = torch.where(used, (top / (safe + c)).clamp_min(1e-6), idle)
    return count / len(x), mean, new_var


# %% holes-masked right="holey-loss"
# Holes are filled before anything is computed, and their terms are put to 0 afterwards.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    terms = -0.5 * ((filled - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = terms - 0.5 * math.log(2 * math.pi)
    terms = torch.where(seen[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% holes-row-by-row right="holey-loss"
# One example at a time: only the measured columns enter a torch.distributions.Normal.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (2 * d + 1)
    total = 0 * raw.sum()
    for row, target in zip(raw, y):
        columns = torch.nonzero(torch.isfinite(target)).flatten()
        if len(columns) == 0:
            continue
        mu = row[k : k + k * d].view(k, d)[:, columns]
        sigma = row[k + k * d :].view(k, d)[:, columns].exp()
        inside = torch.distributions.Normal(mu, sigma).log_prob(target[columns]).sum(1)
        log_pi = row[:k] - torch.logsumexp(row[:k], 0)
        total = total - torch.logsumexp(log_pi + inside, 0)
    return total / n


# %% holes-zero-is-a-hole wrong="holey-loss"
# After nan_to_num the holes are found as the zeros: a number measured as exactly 0 is left out.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    filled = torch.nan_to_num(y)[:, None, :]
    seen = (filled != 0).double()
    terms = -0.5 * ((filled - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = (terms - 0.5 * math.log(2 * math.pi)) * seen
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -torch.where(seen.sum((1, 2)) > 0, log_p, torch.zeros_like(log_p)).mean()


# %% holes-filled-in-place wrong="holey-loss"
# The holes are filled in y itself: right the first time, but the caller's nan are gone.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    hole = torch.isnan(y)
    y[hole] = 0.0
    terms = -0.5 * ((y[:, None, :] - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = (terms - 0.5 * math.log(2 * math.pi)).masked_fill(hole[:, None, :], 0.0)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -log_p.masked_fill(hole.all(1), 0.0).mean()


# %% holes-weights-clamped wrong="holey-loss"
# log(softmax) with a clamp: right until logits differ by more than 708; then a component with a
# small weight that alone explains the target is taken for likelier than it is, without gradient.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    terms = -0.5 * ((filled - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = torch.where(seen[:, None, :], terms - 0.5 * math.log(2 * math.pi), 0 * mu)
    log_pi = torch.softmax(logits, 1).clamp_min(torch.finfo(torch.float64).tiny).log()
    log_p = torch.logsumexp(log_pi + terms.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% holes-log-sigma-clamped wrong="holey-loss"
# Log standard deviations are clamped to [-10, 10] "for stability": wrong, and without gradient,
# between 10 and 15 in size.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d).clamp(-10, 10)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    terms = -0.5 * ((filled - mu) * torch.exp(-log_sigma)) ** 2 - log_sigma
    terms = torch.where(seen[:, None, :], terms - 0.5 * math.log(2 * math.pi), 0 * mu)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% given-by-formula right="given-x"
# The textbook formulas, vectorised over points and components.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    var_x = cov[:, 0, 0]
    slope = cov[:, 0, 1] / var_x
    log_weights = torch.log_softmax(pi.log() - 0.5 * (var_x.log() + gap**2 / var_x), 1)
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand(len(x), -1).clone()
    return log_weights, mu[:, 1] + slope * gap, variances


# %% given-by-cholesky right="given-x"
# By the Cholesky factors of the covariance matrices, one column for each component.
def given_x(x, pi, mu, cov):
    factor = torch.linalg.cholesky(cov)
    joint, means, variances = (torch.empty(len(x), len(pi), dtype=x.dtype) for _ in range(3))
    for k in range(len(pi)):
        z = (x - mu[k, 0]) / factor[k, 0, 0]
        joint[:, k] = torch.log(pi[k]) - torch.log(factor[k, 0, 0]) - z**2 / 2
        means[:, k] = mu[k, 1] + factor[k, 1, 0] * z
        variances[:, k] = factor[k, 1, 1] ** 2
    joint = joint - joint.amax(1, keepdim=True)
    return joint - torch.logsumexp(joint, 1, keepdim=True), means, variances


# %% given-with-jitter wrong="given-x"
# 1e-10 is added to the diagonals of the covariance matrices: wrong for standard deviations of
# 1e-5 or less.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-10 * torch.eye(2, dtype=cov.dtype)
    gap = x[:, None] - mu[:, 0]
    var_x = cov[:, 0, 0]
    slope = cov[:, 0, 1] / var_x
    log_weights = torch.log_softmax(pi.log() - 0.5 * (var_x.log() + gap**2 / var_x), 1)
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand(len(x), -1).clone()
    return log_weights, mu[:, 1] + slope * gap, variances


# %% given-zero-weight-competes wrong="given-x"
# A weight of 0 is clamped to 1e-300, and its log weight put to -inf after normalising: if x is
# near that component and 40 standard deviations from the others, their weights vanish too.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    var_x = cov[:, 0, 0]
    slope = cov[:, 0, 1] / var_x
    log_pi = pi.clamp_min(1e-300).log()
    log_weights = torch.log_softmax(log_pi - 0.5 * (var_x.log() + gap**2 / var_x), 1)
    log_weights = log_weights.masked_fill(pi == 0, -math.inf)
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand(len(x), -1).clone()
    return log_weights, mu[:, 1] + slope * gap, variances


# %% given-stacked-rows wrong="given-x"
# One row after the other, stacked at the end: torch.stack raises an error if n = 0.
def given_x(x, pi, mu, cov):
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variance = cov[:, 1, 1] - slope * cov[:, 0, 1]
    rows = []
    for value in x:
        gap = value - mu[:, 0]
        joint = pi.log() - 0.5 * (cov[:, 0, 0].log() + gap**2 / cov[:, 0, 0])
        rows.append((torch.log_softmax(joint, 0), mu[:, 1] + slope * gap, variance))
    return tuple(torch.stack([row[i] for row in rows]) for i in range(3))


# %% given-by-intercept wrong="given-x"
# Means as intercept + slope * x: cancels for steep lines far from zero (mu_x = 1000 with the
# standard deviation 1e-6, that of y 1e6: the mean at x = mu_x is off by several hundredths).
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    var_x = cov[:, 0, 0]
    slope = cov[:, 0, 1] / var_x
    intercept = mu[:, 1] - slope * mu[:, 0]
    log_weights = torch.log_softmax(pi.log() - 0.5 * (var_x.log() + gap**2 / var_x), 1)
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand(len(x), -1).clone()
    return log_weights, intercept + slope * x[:, None], variances


# %% draws-by-count right="mixture-draws"
# Counts the cumulative sums that are not above u; then, at most the last weight that is not 0.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1)
    passed = (pi.cumsum(1) <= u[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1]).expand_as(pi)
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    chosen = torch.minimum(passed, last)[:, None]
    spread = math.sqrt(tau) * sigma.gather(1, chosen).squeeze(1)
    return mu.gather(1, chosen).squeeze(1) + z * spread


# %% draws-by-loop right="mixture-draws"
# Plain Python finds the component of each example; indexing takes its mean and its spread.
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    for row, level in zip(logits.tolist(), u.tolist()):
        top = max(row)
        masses = [math.exp((v - top) / tau) for v in row]
        whole = sum(masses)
        reached, pick = 0.0, None
        for k, mass in enumerate(masses):
            weight = mass / whole
            if weight == 0:
                continue
            pick = k
            reached += weight
            if level < reached:
                break
        chosen.append(pick)
    places = (torch.arange(len(chosen)), torch.tensor(chosen, dtype=torch.long))
    return mu[places] + z * sigma[places] * tau**0.5


# %% draws-power-of-softmax wrong="mixture-draws"
# The temperature as a power of the softmax at 1: that underflows first. With the logits
# (-800, 0) and tau = 20 the weight e^-40 of component 0 becomes 0, and u = 0 misses it.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach(), 1) ** (1 / tau)
    pi = pi / pi.sum(1, keepdim=True)
    passed = (pi.cumsum(1) <= u[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1]).expand_as(pi)
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    chosen = torch.minimum(passed, last)[:, None]
    spread = math.sqrt(tau) * sigma.gather(1, chosen).squeeze(1)
    return mu.gather(1, chosen).squeeze(1) + z * spread


# %% draws-u-kept-off-zero wrong="mixture-draws"
# u is held above 1e-15, "so that no weight of 0 is drawn": with a first weight of 1e-20 and
# u = 0, component 0 is missed.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1)
    passed = (pi.cumsum(1) <= u.clamp_min(1e-15)[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1]).expand_as(pi)
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    chosen = torch.minimum(passed, last)[:, None]
    spread = math.sqrt(tau) * sigma.gather(1, chosen).squeeze(1)
    return mu.gather(1, chosen).squeeze(1) + z * spread


# %% draws-likeliest-if-none wrong="mixture-draws"
# If no k qualifies because the weights sum to less than 1, the likeliest component is drawn
# rather than the last: wrong at u = 1 - 2^-53 for some logits.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1)
    above = u[:, None] < pi.cumsum(1)
    first = above.to(torch.int64).argmax(1)
    chosen = torch.where(above.any(1), first, pi.argmax(1))[:, None]
    spread = math.sqrt(tau) * sigma.gather(1, chosen).squeeze(1)
    return mu.gather(1, chosen).squeeze(1) + z * spread


# %% draws-sigma-floor wrong="mixture-draws"
# Standard deviations are held above 0.001: a component with sigma = 0 should give its mean.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1)
    passed = (pi.cumsum(1) <= u[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1]).expand_as(pi)
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    chosen = torch.minimum(passed, last)[:, None]
    spread = math.sqrt(tau) * sigma.clamp_min(1e-3).gather(1, chosen).squeeze(1)
    return mu.gather(1, chosen).squeeze(1) + z * spread


# %% match-hungarian right="match-fits"
# SciPy's assignment for each fit, on squared differences.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    order = torch.empty(fits.shape[:2], dtype=torch.long)
    for r, fit in enumerate(fits):
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        order[r] = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
    ordered = torch.stack([fit[place] for fit, place in zip(fits, order)])
    return order, reference + (ordered - reference).mean(0)


# %% match-all-orders right="match-fits"
# All K! orders at once; after a shift to the origin, the largest sum of inner products is the
# smallest sum of squares.
def match_fits(reference, fits):
    k = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(k))))
    origin = reference[0]
    products = torch.einsum("kd,rjd->rkj", reference - origin, fits - origin)
    gains = products[:, torch.arange(k), orders].sum(2)
    order = orders[gains.argmax(1)]
    ordered = fits.gather(1, order[:, :, None].expand_as(fits))
    return order, ordered.mean(0)


# %% match-cdist-of-all wrong="match-fits"
# One call of torch.cdist for all fits: with more than 25 rows (R K > 25) it multiplies squares
# out, and all digits are lost for means far from zero (1e9).
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    number, k, d = fits.shape
    far = torch.cdist(fits.reshape(number * k, d), reference) ** 2
    cost = far.reshape(number, k, k).transpose(1, 2)
    picks = [linear_sum_assignment(c.numpy())[1].tolist() for c in cost]
    order = torch.tensor(picks)
    return order, fits[torch.arange(number)[:, None], order].mean(0)


# %% match-swaps-of-two wrong="match-fits"
# Swaps two components as long as that helps: stops where only a cycle of three would help.
def match_fits(reference, fits):
    k = len(reference)
    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2).tolist()
        order = list(range(k))
        better = True
        while better:
            better = False
            for a, b in itertools.combinations(range(k), 2):
                now = cost[a][order[a]] + cost[b][order[b]]
                if cost[a][order[b]] + cost[b][order[a]] < now:
                    order[a], order[b] = order[b], order[a]
                    better = True
        orders.append(order)
    order = torch.tensor(orders)
    return order, fits[torch.arange(len(fits))[:, None], order].mean(0)


# %% match-single-precision wrong="match-fits"
# The costs are kept in float32: for distances of several hundred, sums that differ by a
# thousandth or a hundredth become equal or change places.
def match_fits(reference, fits):
    k = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(k))))
    cost = torch.zeros(len(fits), k, k)
    cost[:] = ((reference[None, :, None, :] - fits[:, None, :, :]) ** 2).sum(3)
    sums = cost[:, torch.arange(k), orders].sum(2)
    order = orders[sums.argmin(1)]
    return order, fits[torch.arange(len(fits))[:, None], order].mean(0)


# %% match-running-average wrong="match-fits"
# Each fit is matched to the mean of the reference and the fits before it: wrong if earlier fits
# pull that mean away from the reference.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    target, orders, ordered = reference, [], []
    for r, fit in enumerate(fits):
        cost = ((target[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        place = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
        orders.append(place)
        ordered.append(fit[place])
        target = target + (fit[place] - target) / (r + 2)
    return torch.stack(orders), torch.stack(ordered).mean(0)


# %% alarm-by-beta right="alarm-thresholds"
# Tails of the Beta distributions for all k at once; both promises by counting.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    k = np.arange(1, m + 1)
    average = int((k / (m + 1) <= rate).sum())
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta * (1 + 1e-12)).sum())
    ranked = [-math.inf, *sorted(scores.tolist())]
    return ranked[average], ranked[surely]


# %% alarm-by-binomial right="alarm-thresholds"
# The k-th score breaks the rate if fewer than k of m uniform numbers lie below it: bisection
# over k with the distribution function of a binomial.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)

    def largest(kept):
        low, high = 0, m + 1
        while high - low > 1:
            middle = (low + high) // 2
            if kept(middle):
                low = middle
            else:
                high = middle
        return scores.kthvalue(low).values if low else torch.tensor(-math.inf).double()

    return (
        largest(lambda k: k <= rate * (m + 1) + 1e-10),
        largest(lambda k: stats.binom.cdf(k - 1, m, rate) <= delta + 1e-12 * delta),
    )


# %% alarm-ties-merged wrong="alarm-thresholds"
# Sorted by torch.unique, which merges equal scores: the k-th of what is left is too high (or
# does not exist) if some scores are equal.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    k = torch.arange(1, m + 1).numpy()
    average = int((k / (m + 1) <= rate).sum())
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    ranked = [-math.inf, *torch.unique(scores).tolist()]
    return ranked[min(average, len(ranked) - 1)], ranked[min(surely, len(ranked) - 1)]


# %% alarm-binomials-written-out wrong="alarm-thresholds"
# Sums comb(m, j) rate^j (1 - rate)^(m - j): an OverflowError for long calibration sets
# (m above about 1030, unless few terms are needed).
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ranked = [-math.inf, *sorted(scores.tolist())]
    average = max(k for k in range(m + 1) if k / (m + 1) <= rate)
    surely, below = 0, 0.0
    for k in range(1, m + 1):
        below += math.comb(m, k - 1) * rate ** (k - 1) * (1 - rate) ** (m - k + 1)
        if below > delta:
            break
        surely = k
    return ranked[average], ranked[surely]


# %% alarm-both-or-none wrong="alarm-thresholds"
# If no score keeps the average promise, both thresholds are -inf: wrong for a large delta
# (m = 5, rate = 0.1, delta = 0.9: the smallest score keeps the second promise).
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    k = torch.arange(1, m + 1).numpy()
    average = int((k / (m + 1) <= rate).sum())
    if average == 0:
        return -math.inf, -math.inf
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    ranked = [-math.inf, *sorted(scores.tolist())]
    return ranked[average], ranked[surely]


# %% alarm-never-equal wrong="alarm-thresholds"
# The average promise must be kept with room to spare: if rate times m + 1 is whole (m = 7 and
# rate = 0.25), the threshold is one score too low.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    k = torch.arange(1, m + 1).numpy()
    average = int((k / (m + 1) < rate).sum())
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    ranked = [-math.inf, *sorted(scores.tolist())]
    return ranked[average], ranked[surely]
