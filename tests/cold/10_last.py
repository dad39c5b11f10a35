# %% [markdown]
# Answers written from the text alone.


# %% owner-direct right="density-and-owner"
# Standardised distances of all pairs at once, then logsumexp and log_softmax over components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, dim=0) + logs.sum(dim=2)
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% owner-distributions right="density-and-owner"
# torch.distributions gives each component's log-density, in a loop over components.
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = logits - torch.logsumexp(logits, dim=0)
    columns = []
    for k in range(mu.shape[0]):
        part = torch.distributions.Normal(mu[k], log_sigma[k].exp())
        part = torch.distributions.Independent(part, 1)
        columns.append(log_pi[k] + part.log_prob(x))
    joint = torch.stack(columns, dim=1)
    largest = joint.max(dim=1, keepdim=True).values.detach()
    rest = (joint - largest).exp().sum(dim=1, keepdim=True).log()
    return (largest + rest)[:, 0], (joint - largest) - rest


# %% owner-expanded-square wrong="density-and-owner"
# Expands (x - mu)^2 into three matrix products: cancels for small sigma and points far from 0,
# such as x = 900.001, mu = 900, log_sigma = -15.
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    square = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = log_sigma.sum(1) + 0.5 * mu.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, dim=0) - 0.5 * square - constant
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% owner-floor-on-sigma wrong="density-and-owner"
# Keeps the standard deviation above 1e-6 "for stability": wrong for log_sigma below -13.8.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = log_sigma.exp().clamp(min=1e-6)
    logs = torch.distributions.Normal(mu, sigma).log_prob(x[:, None, :]).sum(2)
    joint = torch.log_softmax(logits, dim=0) + logs
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% owner-log-of-softmax wrong="density-and-owner"
# Takes the logarithm of a softmax: the gradient is nan where a logit is -inf, and weights below
# e^-745 (logits 800 and -800) become -inf.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) / log_sigma.exp()
    logs = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.softmax(logits, dim=0).log() + logs
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% owner-finite-stand-in wrong="density-and-owner"
# Puts -1e6 in place of a logit of -inf: the log-responsibility is not -inf, and the component
# even wins where a point is 1e5 standard deviations from all others but near this one.
def density_and_owner(x, logits, mu, log_sigma):
    logits = torch.where(torch.isinf(logits), torch.full_like(logits, -1e6), logits)
    z = (x[:, None, :] - mu) / log_sigma.exp()
    logs = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, dim=0) + logs
    return torch.logsumexp(joint, dim=1), torch.log_softmax(joint, dim=1)


# %% em-vectorised right="careful-em"
# Softmax for the responsibilities; shares within each component in the log domain, means
# relative to the data's centre, variances as a weighted mean of data and prior.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    log_r = torch.log_softmax(joint, dim=1)
    count = log_r.exp().sum(dim=0)
    used = count > 0
    safe = torch.where(used, log_r, torch.zeros_like(log_r))
    share = torch.softmax(safe, dim=0)
    centre = x.mean()
    new_mu = centre + (share * (x - centre)[:, None]).sum(dim=0)
    spread = (share * (x[:, None] - new_mu) ** 2).sum(dim=0)
    total = torch.where(used, count + c, torch.ones_like(count))
    new_var = spread * (count / total) + s2 * (c / total)
    idle_var = torch.full_like(var, s2) if c > 0 else var
    return (
        count / x.shape[0],
        torch.where(used, new_mu, mu),
        torch.where(used, new_var, idle_var),
    )


# %% em-loop-over-components right="careful-em"
# NumPy and SciPy, one component after the other.
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np
    from scipy.special import logsumexp

    points, shares, middles, spreads = (t.detach().numpy() for t in (x, pi, mu, var))
    size = len(shares)
    joint = np.full((len(points), size), -np.inf)
    for k in range(size):
        if shares[k] > 0:
            joint[:, k] = np.log(shares[k]) + stats.norm.logpdf(
                points, middles[k], np.sqrt(spreads[k])
            )
    largest = joint.max(axis=1, keepdims=True)
    log_r = (joint - largest) - logsumexp(joint - largest, axis=1, keepdims=True)
    new_pi, new_mu, new_var = np.zeros(size), middles.copy(), spreads.copy()
    for k in range(size):
        n_k = np.exp(log_r[:, k]).sum()
        if n_k == 0:
            if c > 0:
                new_var[k] = s2
            continue
        share = np.exp(log_r[:, k] - log_r[:, k].max())
        share /= share.sum()
        new_pi[k] = n_k / len(points)
        new_mu[k] = points[0] + share @ (points - points[0])
        inside = share @ (points - new_mu[k]) ** 2
        new_var[k] = inside * (n_k / (n_k + c)) + s2 * (c / (n_k + c))
    return torch.from_numpy(new_pi), torch.from_numpy(new_mu), torch.from_numpy(new_var)


# %% em-unused-keeps-variance wrong="careful-em"
# An unused component always keeps its variance; with c > 0 it should become s2.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, dim=1)
    count = r.sum(0)
    used = count > 0
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    new_var = ((r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2) / (count + c)
    return count / len(x), new_mu, torch.where(used, new_var, var)


# %% em-second-moments wrong="careful-em"
# Variance as mean square minus squared mean: cancels for data of the size 1e6 with spread 1.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, dim=1)
    count = r.sum(0)
    used = count > 0
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    scatter = (r * x[:, None] ** 2).sum(0) - count * new_mu**2
    new_var = (scatter + c * s2) / (count + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, idle)


# %% em-nearly-unused wrong="careful-em"
# Takes N_k < 1e-8 as unused: wrong for a component with small but positive responsibilities,
# whose mean should move to the points and whose weight is not 0.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, dim=1)
    count = r.sum(0)
    used = count > 1e-8
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    new_var = ((r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2) / (count + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    weights = torch.where(used, count / len(x), torch.zeros_like(count))
    return weights, new_mu, torch.where(used, new_var, idle)


# %% em-unused-by-weight-only wrong="careful-em"
# Looks only for weights of 0: a component with a positive weight, but so far from all points
# that its responsibilities round to 0, gets the mean nan.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, dim=1)
    count = r.sum(0)
    used = pi > 0
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    new_var = ((r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2) / (count + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, idle)


# %% holes-masked right="holey-loss"
# Fills the holes before anything is computed, and masks their log-densities after it.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits = raw[:, :k]
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    hole = torch.isnan(y)
    filled = torch.where(hole, torch.zeros_like(y), y)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    logs = torch.where(hole[:, None, :], torch.zeros_like(logs), logs).sum(dim=2)
    log_p = torch.logsumexp(torch.log_softmax(logits, dim=1) + logs, dim=1)
    log_p = torch.where(hole.all(dim=1), torch.zeros_like(log_p), log_p)
    return -log_p.sum() / n


# %% holes-loop-over-examples right="holey-loss"
# One example after the other, with its measured columns only.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = 0.0 * raw.sum()
    for row, target in zip(raw, y, strict=True):
        seen = ~torch.isnan(target)
        if not seen.any():
            continue
        logits, mu, log_sigma = row.split([k, k * d, k * d])
        parts = torch.distributions.Normal(
            mu.view(k, d)[:, seen], log_sigma.view(k, d)[:, seen].exp()
        )
        logs = parts.log_prob(target[seen]).sum(dim=1)
        total = total + torch.logsumexp(logits, 0) - torch.logsumexp(logits + logs, 0)
    return total / n


# %% holes-masked-too-late wrong="holey-loss"
# Masks only the result: the value is right, but nan reaches the gradients of raw wherever a
# number is missing.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    z = (y[:, None, :] - mu) * torch.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    logs = torch.where(torch.isnan(logs), torch.zeros_like(logs), logs).sum(dim=2)
    return -torch.logsumexp(torch.log_softmax(raw[:, :k], dim=1) + logs, dim=1).mean()


# %% holes-two-components wrong="holey-loss"
# Two components are written into the code, as in the example: wrong for any other K.
def holey_loss(raw, y):
    n, d = y.shape
    k = 2
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d : k + 2 * k * d].reshape(n, k, d)
    hole = torch.isnan(y)[:, None, :]
    filled = torch.nan_to_num(y)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    logs = logs.masked_fill(hole, 0.0).sum(dim=2)
    return -torch.logsumexp(torch.log_softmax(raw[:, :k], dim=1) + logs, dim=1).mean()


# %% holes-clamped-scales wrong="holey-loss"
# Clamps the log standard deviations to -7 and 7, as many networks do: wrong beyond, to +-15.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d).clamp(-7, 7)
    hole = torch.isnan(y)[:, None, :]
    filled = torch.nan_to_num(y)[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    logs = logs.masked_fill(hole, 0.0).sum(dim=2)
    return -torch.logsumexp(torch.log_softmax(raw[:, :k], dim=1) + logs, dim=1).mean()


# %% holes-zero-is-missing wrong="holey-loss"
# Replaces nan by 0 and then takes every 0 as missing: wrong for a measured target of exactly 0.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    filled = torch.nan_to_num(y)
    seen = (filled != 0).to(raw.dtype)[:, None, :]
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    logs = seen * (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi))
    return -torch.logsumexp(torch.log_softmax(raw[:, :k], dim=1) + logs.sum(2), dim=1).mean()


# %% given-x-formulas right="given-x"
# The textbook formulas of a conditional Normal, for all pairs at once.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    away = x[:, None] - mu[:, 0]
    joint = pi.log() - 0.5 * xx.log() - 0.5 * away**2 / xx
    means = mu[:, 1] + xy / xx * away
    variances = (yy - xy**2 / xx).expand(len(x), -1).clone()
    return torch.log_softmax(joint, dim=1), means, variances


# %% given-x-cholesky right="given-x"
# Cholesky factors: the first row is the distribution of x, the second that of y given x.
def given_x(x, pi, mu, cov):
    factors = torch.linalg.cholesky(cov)
    logs, means, variances = [], [], []
    for weight, centre, factor in zip(pi, mu, factors, strict=True):
        z = (x - centre[0]) / factor[0, 0]
        logs.append(torch.log(weight) - torch.log(factor[0, 0]) - z**2 / 2)
        means.append(centre[1] + factor[1, 0] * z)
        variances.append(factor[1, 1] ** 2 * torch.ones_like(x))
    joint = torch.stack(logs, dim=1)
    joint = joint - joint.max(dim=1, keepdim=True).values
    log_weights = joint - torch.logsumexp(joint, dim=1, keepdim=True)
    return log_weights, torch.stack(means, dim=1), torch.stack(variances, dim=1)


# %% given-x-tiny-weights wrong="given-x"
# Lifts weights of 0 to the smallest normal number: their log weight is about -708, not -inf, and
# far from the others such a component may even win.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    away = x[:, None] - mu[:, 0]
    log_pi = pi.clamp(min=torch.finfo(pi.dtype).tiny).log()
    joint = log_pi - 0.5 * xx.log() - 0.5 * away**2 / xx
    variances = (yy - xy**2 / xx).expand(len(x), -1).clone()
    return torch.log_softmax(joint, dim=1), mu[:, 1] + xy / xx * away, variances


# %% given-x-jitter wrong="given-x"
# Adds 1e-9 to the diagonal of the covariances: wrong for standard deviations such as 1e-6.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-9 * torch.eye(2, dtype=cov.dtype)
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    away = x[:, None] - mu[:, 0]
    joint = pi.log() - 0.5 * xx.log() - 0.5 * away**2 / xx
    variances = (yy - xy**2 / xx).expand(len(x), -1).clone()
    return torch.log_softmax(joint, dim=1), mu[:, 1] + xy / xx * away, variances


# %% given-x-stacked-rows wrong="given-x"
# Builds the result row by row: stacking fails where n is 0.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    log_weights, means, variances = [], [], []
    for value in x:
        away = value - mu[:, 0]
        joint = pi.log() - 0.5 * xx.log() - 0.5 * away**2 / xx
        log_weights.append(torch.log_softmax(joint, dim=0))
        means.append(mu[:, 1] + xy / xx * away)
        variances.append(yy - xy**2 / xx)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% given-x-peak-weights wrong="given-x"
# Weighs by the joint density at (x, conditional mean) in place of the density of x: wrong where
# the components' conditional variances differ.
def given_x(x, pi, mu, cov):
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    away = x[:, None] - mu[:, 0]
    det = xx * yy - xy**2
    joint = pi.log() - 0.5 * det.log() - 0.5 * away**2 / xx
    variances = (det / xx).expand(len(x), -1).clone()
    return torch.log_softmax(joint, dim=1), mu[:, 1] + xy / xx * away, variances


# %% draw-counting right="mixture-draws"
# Counts the cumulative sums that u has reached, and gathers that component.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, dim=1).cumsum(dim=1)
    k = (u[:, None] >= sums).sum(dim=1, keepdim=True).clamp(max=logits.shape[1] - 1)
    spread = math.sqrt(tau) * sigma.gather(1, k)[:, 0]
    return mu.gather(1, k)[:, 0] + spread * z


# %% draw-row-by-row right="mixture-draws"
# Plain Python looks for each row's component, then one indexing for all rows.
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    for row, level in zip(logits.detach(), u.tolist(), strict=True):
        sums = itertools.accumulate(torch.softmax(row / tau, dim=0).tolist())
        found = (k for k, s in enumerate(sums) if level < s)
        chosen.append(next(found, len(row) - 1))
    rows = torch.arange(len(chosen))
    chosen = torch.tensor(chosen, dtype=torch.long)
    return mu[rows, chosen] + z * (tau**0.5 * sigma[rows, chosen])


# %% draw-not-strict wrong="mixture-draws"
# Compares with <= in place of <: with u = 0 it draws a first component whose weight rounds to 0,
# such as logits [-800, 800].
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, dim=1).cumsum(dim=1)
    k = (u[:, None] > sums).sum(dim=1, keepdim=True).clamp(max=logits.shape[1] - 1)
    spread = math.sqrt(tau) * sigma.gather(1, k)[:, 0]
    return mu.gather(1, k)[:, 0] + spread * z


# %% draw-falls-back-to-first wrong="mixture-draws"
# The argmax of a row without any True is 0: where the weights sum to less than 1 and u is the
# largest possible, the first component is drawn, not the last.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, dim=1).cumsum(dim=1)
    k = (u[:, None] < sums).to(torch.int64).argmax(dim=1, keepdim=True)
    spread = math.sqrt(tau) * sigma.gather(1, k)[:, 0]
    return mu.gather(1, k)[:, 0] + spread * z


# %% draw-single-precision wrong="mixture-draws"
# Rounds u to float32: the wrong component where u is within 1e-9 of a cumulative sum, which is
# allowed (only 1e-10 is excluded), and the largest u becomes 1.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, dim=1).cumsum(dim=1)
    k = (u.float()[:, None] >= sums).sum(dim=1, keepdim=True).clamp(max=logits.shape[1] - 1)
    spread = math.sqrt(tau) * sigma.gather(1, k)[:, 0]
    return mu.gather(1, k)[:, 0] + spread * z


# %% draw-squeezed wrong="mixture-draws"
# Squeezes all axes at the end: for n = 1 the result is 0-d, not of shape (1,).
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, dim=1).cumsum(dim=1)
    k = (u[:, None] >= sums).sum(dim=1, keepdim=True).clamp(max=logits.shape[1] - 1)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None]).squeeze()


# %% match-assignment right="match-fits"
# SciPy's assignment solver on squared distances, one fit after the other.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    rows = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(dim=2)
        rows.append(torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]))
    order = torch.stack(rows).long()
    ordered = torch.stack([fit[row] for fit, row in zip(fits, order, strict=True)])
    return order, reference + (ordered - reference).mean(dim=0)


# %% match-all-orders right="match-fits"
# All K! orders of all fits at once.
def match_fits(reference, fits):
    size = reference.shape[0]
    orders = torch.tensor(list(itertools.permutations(range(size))), dtype=torch.long)
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(dim=3)
    sums = cost[:, torch.arange(size), orders].sum(dim=2)
    order = orders[sums.argmin(dim=1)]
    index = order[:, :, None].expand(-1, -1, fits.shape[2])
    return order, fits.gather(1, index).mean(dim=0)


# %% match-inner-products wrong="match-fits"
# Maximises the sum of inner products, which is the same on paper: rounding decides where the
# means lie 1e9 from zero.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    gains = torch.einsum("kd,rjd->rkj", reference, fits)
    rows = [linear_sum_assignment(g.detach().numpy(), maximize=True)[1] for g in gains]
    order = torch.stack([torch.as_tensor(row) for row in rows]).long()
    ordered = torch.stack([fit[row] for fit, row in zip(fits, order, strict=True)])
    return order, ordered.mean(dim=0)


# %% match-by-swaps wrong="match-fits"
# Swaps pairs as long as that helps: stops at orders from which only a cycle of three leads on,
# such as a triangle of means that a fit has turned by 65 degrees.
def match_fits(reference, fits):
    size = reference.shape[0]
    cost = (reference[None, :, None, :] - fits[:, None, :, :]).square().sum(dim=3).tolist()
    rows = []
    for c in cost:
        order = list(range(size))
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(size), 2):
                old = c[i][order[i]] + c[j][order[j]]
                if c[i][order[j]] + c[j][order[i]] < old - 1e-9:
                    order[i], order[j] = order[j], order[i]
                    better = True
        rows.append(order)
    order = torch.tensor(rows)
    ordered = torch.stack([fit[row] for fit, row in zip(fits, order, strict=True)])
    return order, ordered.mean(dim=0)


# %% match-plain-distances wrong="match-fits"
# Sums distances that are not squared: another order wins where two components conflict.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    rows = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(dim=2).sqrt()
        rows.append(torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]))
    order = torch.stack(rows).long()
    ordered = torch.stack([fit[row] for fit, row in zip(fits, order, strict=True)])
    return order, ordered.mean(dim=0)


# %% match-inverse-order wrong="match-fits"
# Says where each component of the fit goes, the inverse order: the same for K = 2, wrong where
# three components went round in a cycle. The average is right.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    orders, total = [], torch.zeros_like(reference)
    for fit in fits:
        cost = ((fit[:, None, :] - reference[None, :, :]) ** 2).sum(dim=2)
        goes_to = torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]).long()
        orders.append(goes_to)
        total[goes_to] += fit
    return torch.stack(orders), total / len(fits)


# %% alarm-beta-tails right="alarm-thresholds"
# The Beta distribution's upper tail for all k at once; the tolerance is for equality only.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = scores.shape[0]
    ordered = torch.cat([scores.new_full((1,), -math.inf), scores.sort().values])
    k = np.arange(1, m + 1)
    kept = stats.beta.sf(rate, k, m + 1 - k) <= delta * (1 + 1e-13)
    return ordered[math.floor(rate * (m + 1))], ordered[int(kept.sum())]


# %% alarm-bisection right="alarm-thresholds"
# Bisection for the largest k, with the binomial number of clean scores below the rate's quantile.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)

    def keeps(k):
        if delta <= 0.5:
            return stats.binom.cdf(k - 1, m, rate) <= delta * (1 + 1e-12)
        return stats.binom.sf(k - 1, m, rate) >= (1 - delta) * (1 - 1e-12)

    low, high = 0, m + 1  # low keeps the promise, high does not
    while high - low > 1:
        middle = (low + high) // 2
        if keeps(middle):
            low = middle
        else:
            high = middle

    def smallest(k):
        return torch.kthvalue(scores, k).values.item() if k else -math.inf

    return smallest(int(rate * (m + 1))), smallest(low)


# %% alarm-rate-times-m wrong="alarm-thresholds"
# Takes k = floor(rate * m) for the average: one too small where rate * (m + 1) reaches the next
# whole number, such as m = 19 and rate = 0.05.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = [-math.inf, *sorted(scores.tolist())]
    surely = sum(stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta for k in range(1, m + 1))
    return ordered[math.floor(rate * m)], ordered[int(surely)]


# %% alarm-normal-approximation wrong="alarm-thresholds"
# The sure threshold from a Normal approximation with continuity correction: wrong for small
# rates or small delta, such as m = 5000, rate = 0.01, delta = 1e-6.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    ordered = [-math.inf, *sorted(scores.tolist())]
    edge = m * rate + stats.norm.ppf(delta) * math.sqrt(m * rate * (1 - rate))
    surely = min(max(math.floor(edge + 0.5), 0), m)
    return ordered[math.floor(rate * (m + 1))], ordered[surely]


# %% alarm-without-ties wrong="alarm-thresholds"
# Sorts with torch.unique, which drops equal scores: thresholds too high, or an index beyond the
# end, where scores are equal.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = torch.unique(scores)
    k = np.arange(1, m + 1)
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    average = math.floor(rate * (m + 1))
    return (
        ordered[average - 1] if average else scores.new_tensor(-math.inf),
        ordered[surely - 1] if surely else scores.new_tensor(-math.inf),
    )


# %% alarm-index-minus-one wrong="alarm-thresholds"
# Forgets that k may be 0 for the average: index -1 is the largest score, not -inf, where
# rate * (m + 1) is below 1, such as m = 5 and rate = 0.1.
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    ordered = scores.sort().values
    average = ordered[math.floor(rate * (m + 1)) - 1]
    k = np.arange(1, m + 1)
    surely = int((stats.beta.sf(rate, k, m + 1 - k) <= delta).sum())
    return average, ordered[surely - 1] if surely else scores.new_tensor(-math.inf)
