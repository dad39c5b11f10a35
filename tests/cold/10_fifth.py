# %% [markdown]
# Answers written from the text alone.


# %% owner-broadcast right="density-and-owner"
# All components at once: standardised distances, logsumexp over components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-distributions right="density-and-owner"
# A loop over components with torch.distributions; responsibilities by log_softmax.
def density_and_owner(x, logits, mu, log_sigma):
    total = torch.logsumexp(logits, 0)
    columns = []
    for k in range(logits.shape[0]):
        normal = torch.distributions.Normal(mu[k], log_sigma[k].exp())
        part = torch.distributions.Independent(normal, 1).log_prob(x)
        columns.append(logits[k] - total + part)
    joint = torch.stack(columns, dim=1)
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-sentinel wrong="density-and-owner"
# A logit of -inf becomes -10000 and is hidden in log_r only: where a point sits on the
# weightless component and 1e5 standard deviations from all others, that component wins log_p.
def density_and_owner(x, logits, mu, log_sigma):
    off = torch.isinf(logits)
    log_pi = torch.log_softmax(logits.masked_fill(off, -1e4), 0)
    z = (x[:, None, :] - mu) / log_sigma.exp()
    inside = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1)
    joint = log_pi + inside
    log_p = torch.logsumexp(joint, 1)
    log_r = (joint - log_p[:, None]).masked_fill(off, -math.inf)
    return log_p, log_r


# %% owner-detached-widths wrong="density-and-owner"
# The widths in the quadratic term are cut from the graph: the gradient with respect to
# log_sigma has only the -1 of the normaliser; all values, and the other gradients, are right.
def density_and_owner(x, logits, mu, log_sigma):
    with torch.no_grad():
        precision = torch.exp(-2 * log_sigma)
    square = (x[:, None, :] - mu) ** 2
    inside = (-0.5 * square * precision - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-epsilon-width wrong="density-and-owner"
# A small constant is added to sigma "against division by zero": at log_sigma = -20, where
# sigma is 2e-9, the distances are too small by a third.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = torch.exp(log_sigma) + 1e-9
    normal = torch.distributions.Normal(mu, sigma)
    inside = normal.log_prob(x.unsqueeze(1)).sum(-1)
    joint = torch.log_softmax(logits, 0) + inside
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p.unsqueeze(1)


# %% owner-clamped-logits wrong="density-and-owner"
# Logits are cut at 709, where exp overflows: logits of 800 and 750 get the same weight
# (and no gradient).
def density_and_owner(x, logits, mu, log_sigma):
    safe = logits.clamp(max=709.0)
    log_pi = safe - torch.logsumexp(safe, 0)
    z = (x[:, None, :] - mu) / torch.exp(log_sigma)
    inside = -0.5 * (z**2).sum(-1) - log_sigma.sum(-1)
    joint = log_pi + inside - 0.5 * x.shape[1] * math.log(2 * math.pi)
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% em-log-space right="careful-em"
# Responsibilities and the shares of the points within a component, both in logarithms.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * (torch.log(var) + (x[:, None] - mu) ** 2 / var)
    log_r = torch.log_softmax(joint, 1)
    count = log_r.exp().sum(0)
    unused = count == 0
    share = torch.softmax(log_r.masked_fill(unused, 0.0), 0)
    origin = x[0]
    centre = origin + (share * (x - origin)[:, None]).sum(0)
    centre = torch.where(unused, mu, centre)
    spread = (share * (x[:, None] - centre) ** 2).sum(0)
    if c > 0:
        new_var = count / (count + c) * spread + c / (count + c) * s2
        new_var = torch.where(unused, torch.full_like(var, s2), new_var)
    else:
        new_var = torch.where(unused, var, spread)
    return count / x.shape[0], centre, new_var


# %% em-loop right="careful-em"
# Softmax of the log joint, then a plain loop over components with the unused ones apart.
def careful_em_step(x, pi, mu, var, c, s2):
    density = torch.distributions.Normal(mu, var.sqrt()).log_prob(x.unsqueeze(1))
    r = torch.softmax(density + pi.log(), dim=1)
    new_pi, new_mu, new_var = torch.zeros_like(pi), mu.clone(), var.clone()
    for k in range(pi.shape[0]):
        count = r[:, k].sum()
        if count == 0:
            if c > 0:
                new_var[k] = s2
            continue
        share = r[:, k] / count
        new_pi[k] = count / x.shape[0]
        new_mu[k] = mu[k] + (share * (x - mu[k])).sum()
        spread = (share * (x - new_mu[k]) ** 2).sum()
        new_var[k] = (count * spread + c * s2) / (count + c) if c > 0 else spread
    return new_pi, new_mu, new_var


# %% em-nearly-unused wrong="careful-em"
# A component counts as unused below 1e-10 in place of at 0: eight standard deviations from
# all points it has N = 1e-14 and should jump to them; here it keeps its mean (and variance).
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * (torch.log(var) + (x[:, None] - mu) ** 2 / var)
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    unused = count < 1e-10
    safe = torch.where(unused, torch.ones_like(count), count)
    centre = torch.where(unused, mu, (r * x[:, None]).sum(0) / safe)
    new_var = ((r * (x[:, None] - centre) ** 2).sum(0) + c * s2) / (safe + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    new_pi = torch.where(unused, torch.zeros_like(pi), count / len(x))
    return new_pi, centre, torch.where(unused, idle, new_var)


# %% em-floored-weights wrong="careful-em"
# Weights are floored at 1e-30 for the logarithm, and r is zeroed after the softmax: where a
# component of weight 0 sits on a point, 1e5 standard deviations from all others, that point is
# lost to everybody, and the new weights do not sum to 1.
def careful_em_step(x, pi, mu, var, c, s2):
    log_pi = torch.log(pi.clamp(min=1e-30))
    joint = log_pi - 0.5 * (torch.log(var) + (x[:, None] - mu) ** 2 / var)
    r = torch.softmax(joint, 1) * (pi > 0)
    count = r.sum(0)
    unused = count == 0
    safe = torch.where(unused, torch.ones_like(count), count)
    centre = torch.where(unused, mu, (r / safe * x[:, None]).sum(0))
    new_var = ((r * (x[:, None] - centre) ** 2).sum(0) + c * s2) / (safe + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), centre, torch.where(unused, idle, new_var)


# %% em-variance-floor wrong="careful-em"
# The new variances are floored at 1e-6 "so that nothing collapses": with s2 = 1e-9 and points
# closer than a thousandth, the formula's variance is a hundred times smaller.
def careful_em_step(x, pi, mu, var, c, s2):
    density = torch.distributions.Normal(mu, var.sqrt()).log_prob(x.unsqueeze(1))
    r = torch.softmax(density + pi.log(), dim=1)
    new_pi, new_mu, new_var = torch.zeros_like(pi), mu.clone(), var.clone()
    for k in range(pi.shape[0]):
        count = r[:, k].sum()
        if count > 0:
            share = r[:, k] / count
            new_pi[k] = count / x.shape[0]
            new_mu[k] = (share * x).sum()
            spread = (share * (x - new_mu[k]) ** 2).sum()
            new_var[k] = (count * spread + c * s2) / (count + c)
        elif c > 0:
            new_var[k] = s2
    return new_pi, new_mu, new_var.clamp(min=1e-6)


# %% em-overwrites-idle wrong="careful-em"
# All numbers are right, but the argument var itself is overwritten: only where a component is
# unused and c > 0.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * (torch.log(var) + (x[:, None] - mu) ** 2 / var)
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    idle = ~used
    new_mu = mu.clone()
    new_mu[used] = (r[:, used] / count[used] * x[:, None]).sum(0)
    if c > 0 and idle.any():
        var[idle] = s2
    new_var = var.clone()
    square = (x[:, None] - new_mu[used]) ** 2
    spread = (r[:, used] / count[used] * square).sum(0)
    new_var[used] = (count[used] * spread + c * s2) / (count[used] + c)
    return count / len(x), new_mu, new_var


# %% holes-masked right="holey-loss"
# Holes are filled before, and their terms zeroed after; two logsumexps, so that an empty row
# is exactly 0.
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    logits = raw[:, :count]
    mean = raw[:, count : count + count * size].reshape(n, count, size)
    log_sd = raw[:, count + count * size :].reshape(n, count, size)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (filled - mean) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    inside = torch.where(seen[:, None, :], terms, torch.zeros_like(terms)).sum(-1)
    return (torch.logsumexp(logits, 1) - torch.logsumexp(logits + inside, 1)).mean()


# %% holes-row-by-row right="holey-loss"
# A loop over the examples: select what was measured, torch.distributions for the rest.
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    loss = 0 * raw.sum()
    for row, target in zip(raw, y):
        seen = ~torch.isnan(target)
        if not seen.any():
            continue
        logits, mean, log_sd = row.split([count, count * size, count * size])
        mean = mean.reshape(count, size)[:, seen]
        log_sd = log_sd.reshape(count, size)[:, seen]
        inside = torch.distributions.Normal(mean, log_sd.exp()).log_prob(target[seen]).sum(1)
        loss = loss - torch.logsumexp(torch.log_softmax(logits, 0) + inside, 0)
    return loss / n


# %% holes-zero-is-missing wrong="holey-loss"
# The mask is read off after nan has become 0: a target that was measured as exactly 0 counts
# as missing.
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    logits, mean, log_sd = raw.split([count, count * size, count * size], dim=1)
    mean = mean.reshape(n, count, size)
    log_sd = log_sd.reshape(n, count, size)
    filled = torch.nan_to_num(y, nan=0.0)
    mask = (filled != 0).double()[:, None, :]
    z = (filled[:, None, :] - mean) / log_sd.exp()
    inside = (mask * (-0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi))).sum(-1)
    return (torch.logsumexp(logits, 1) - torch.logsumexp(logits + inside, 1)).mean()


# %% holes-filled-in-place wrong="holey-loss"
# The loss and its gradients are right, but the holes of the caller's y are overwritten by 0
# (seen only if y has any: the next call takes them for measurements).
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    logits, mean, log_sd = raw.split([count, count * size, count * size], dim=1)
    mean = mean.reshape(n, count, size)
    log_sd = log_sd.reshape(n, count, size)
    missing = torch.isnan(y)
    y[missing] = 0.0
    z = (y[:, None, :] - mean) / log_sd.exp()
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    inside = terms.masked_fill(missing[:, None, :], 0.0).sum(-1)
    return (torch.logsumexp(logits, 1) - torch.logsumexp(logits + inside, 1)).mean()


# %% holes-clamped-widths wrong="holey-loss"
# Log standard deviations are clamped to [-10, 10], as many networks do: wrong, and without
# gradient, between 10 and 15 on either side.
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    logits = raw[:, :count]
    mean = raw[:, count : count + count * size].reshape(n, count, size)
    log_sd = raw[:, count + count * size :].reshape(n, count, size).clamp(-10, 10)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y)).unsqueeze(1)
    terms = torch.distributions.Normal(mean, log_sd.exp()).log_prob(filled)
    inside = torch.where(seen.unsqueeze(1), terms, torch.zeros_like(terms)).sum(-1)
    return (torch.logsumexp(logits, 1) - torch.logsumexp(logits + inside, 1)).mean()


# %% holes-all-missing-constant wrong="holey-loss"
# If no example has a measurement, a constant 0 without a graph is returned: backward() fails
# in place of giving gradients of 0.
def holey_loss(raw, y):
    n, size = y.shape
    count = raw.shape[1] // (1 + 2 * size)
    seen = ~torch.isnan(y)
    keep = seen.any(1)
    if not keep.any():
        return torch.tensor(0.0, dtype=torch.float64)
    raw, y, seen = raw[keep], y[keep], seen[keep][:, None, :]
    logits, mean, log_sd = raw.split([count, count * size, count * size], dim=1)
    mean = mean.reshape(-1, count, size)
    log_sd = log_sd.reshape(-1, count, size)
    z = (torch.nan_to_num(y)[:, None, :] - mean) / log_sd.exp()
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    inside = terms.masked_fill(~seen, 0.0).sum(-1)
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + inside, 1)
    return -log_p.sum() / n


# %% given-formula right="given-x"
# The textbook formulas for a Normal pair, broadcast over examples and components.
def given_x(x, pi, mu, cov):
    var_x, both, var_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    away = x[:, None] - mu[:, 0]
    joint = torch.log(pi) - 0.5 * (torch.log(var_x) + away**2 / var_x)
    means = mu[:, 1] + both / var_x * away
    variances = (var_y - both**2 / var_x).expand(len(x), -1).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-cholesky right="given-x"
# Component by component from the Cholesky factor: x is L00 e0, and y is L10 e0 + L11 e1.
def given_x(x, pi, mu, cov):
    joint, means, variances = [], [], []
    for weight, centre, matrix in zip(pi, mu, cov):
        factor = torch.linalg.cholesky(matrix)
        z = (x - centre[0]) / factor[0, 0]
        joint.append(weight.log() - factor[0, 0].log() - 0.5 * z**2)
        means.append(centre[1] + factor[1, 0] * z)
        variances.append(torch.ones_like(x) * factor[1, 1] ** 2)
    joint = torch.stack(joint, 1)
    log_weights = joint - torch.logsumexp(joint, 1, keepdim=True)
    return log_weights, torch.stack(means, 1), torch.stack(variances, 1)


# %% given-jitter wrong="given-x"
# A jitter of 1e-9 on the diagonal: harmless for variances near 1, but a thousand times the
# variance where a standard deviation is 1e-6.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-9 * torch.eye(2, dtype=cov.dtype)
    factor = torch.linalg.cholesky(cov)
    z = (x[:, None] - mu[:, 0]) / factor[:, 0, 0]
    joint = torch.log(pi) - torch.log(factor[:, 0, 0]) - 0.5 * z**2
    means = mu[:, 1] + factor[:, 1, 0] * z
    variances = (factor[:, 1, 1] ** 2).expand_as(means)
    return torch.log_softmax(joint, 1), means, variances


# %% given-intercept wrong="given-x"
# The line as intercept plus slope times x: with deviations of 1e-6 in x and 1e6 in y the
# slope is near 1e12, and at means of hundreds in x the difference loses whole units of y.
def given_x(x, pi, mu, cov):
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    intercept = mu[:, 1] - slope * mu[:, 0]
    means = intercept + slope * x[:, None]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).repeat(len(x), 1)
    marginal = torch.distributions.Normal(mu[:, 0], cov[:, 0, 0].sqrt())
    joint = torch.log(pi) + marginal.log_prob(x[:, None])
    return joint - torch.logsumexp(joint, 1, keepdim=True), means, variances


# %% given-masked-too-late wrong="given-x"
# Weights of 0 are floored for the logarithm and set to -inf after the normalising: where the
# weightless component is the only one near x, the weights of the others do not sum to 1.
def given_x(x, pi, mu, cov):
    var_x = cov[:, 0, 0]
    away = x[:, None] - mu[:, 0]
    joint = torch.log(pi.clamp(min=1e-30)) - 0.5 * (torch.log(var_x) + away**2 / var_x)
    log_weights = torch.log_softmax(joint, 1).masked_fill(pi == 0, -math.inf)
    means = mu[:, 1] + cov[:, 1, 0] / var_x * away
    variances = cov[:, 1, 1] - cov[:, 0, 1] * cov[:, 1, 0] / var_x
    return log_weights, means, variances.expand(len(x), -1)


# %% given-stacked-rows wrong="given-x"
# One example after the other, stacked at the end: torch.stack of an empty list fails at n = 0.
def given_x(x, pi, mu, cov):
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variance = cov[:, 1, 1] - slope * cov[:, 0, 1]
    marginal = torch.distributions.Normal(mu[:, 0], cov[:, 0, 0].sqrt())
    log_weights, means, variances = [], [], []
    for value in x:
        log_weights.append(torch.log_softmax(pi.log() + marginal.log_prob(value), 0))
        means.append(mu[:, 1] + slope * (value - mu[:, 0]))
        variances.append(variance)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% draw-counting right="mixture-draws"
# The index is the number of cumulative sums that u has reached, at most the last component
# with a weight; then gather.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits / tau, 1)
    index = (u[:, None] >= torch.cumsum(pi, 1)).sum(1)
    last = ((pi > 0) * torch.arange(pi.shape[1])).amax(1)
    index = torch.minimum(index, last)[:, None]
    return (mu.gather(1, index) + math.sqrt(tau) * sigma.gather(1, index) * z[:, None])[:, 0]


# %% draw-walking right="mixture-draws"
# Row by row in Python: walk along the accumulated weights, remember the last real component.
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    weights = torch.softmax(logits.detach() / tau, 1).tolist()
    for row, uniform in zip(weights, u.tolist()):
        pick = max(k for k, weight in enumerate(row) if weight > 0)
        for k, reached in enumerate(itertools.accumulate(row)):
            if uniform < reached:
                pick = k
                break
        chosen.append(pick)
    rows = torch.arange(len(chosen))
    columns = torch.tensor(chosen, dtype=torch.long)
    return mu[rows, columns] + sigma[rows, columns] * tau**0.5 * z


# %% draw-left-side wrong="mixture-draws"
# searchsorted on its default side finds u <= sum in place of u < sum: at u = 0 a first
# component whose weight rounds to 0 is drawn, and at u = 0.5 of two equals the first.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits / tau, 1)
    last = ((pi > 0) * torch.arange(pi.shape[1])).amax(1, keepdim=True)
    index = torch.searchsorted(torch.cumsum(pi, 1), u[:, None].contiguous())
    index = torch.minimum(index, last)
    sd = sigma.gather(1, index) * math.sqrt(tau)
    return (mu.gather(1, index) + sd * z[:, None]).squeeze(1)


# %% draw-very-last right="mixture-draws"
# Handed in as wrong; but the text says that the last one is taken, and that its weight is not 0.
# If no sum exceeds u, component K - 1 is taken though its weight rounds to 0: ten equal
# logits of 800 and an eleventh of -800, with u = 1 - 2**-53.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits / tau, 1)
    index = (torch.cumsum(pi, 1) <= u[:, None]).sum(1).clamp(max=pi.shape[1] - 1)
    rows = torch.arange(len(u))
    return mu[rows, index] + torch.sqrt(sigma[rows, index] ** 2 * tau) * z


# %% draw-shortened-uniforms wrong="mixture-draws"
# u is cut at 1 - 1e-9 so that some component always qualifies: a last component with weight
# 1e-10 is never drawn, also where u is 1 - 2**-53.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits / tau, 1)
    safe = u.clamp(max=1 - 1e-9)[:, None]
    index = (safe >= torch.cumsum(pi, 1)).sum(1, keepdim=True)
    sd = sigma.gather(1, index) * math.sqrt(tau)
    return (mu.gather(1, index) + sd * z[:, None]).squeeze(1)


# %% draw-powers wrong="mixture-draws"
# Tempering by powers of the softmax at temperature 1: with logits 0 and 800 and tau = 20 the
# first weight is exp(-40), and u = 0 draws it; here it has become 0 before the power.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits, 1) ** (1 / tau)
    pi = pi / pi.sum(1, keepdim=True)
    index = (u[:, None] >= torch.cumsum(pi, 1)).sum(1)
    last = ((pi > 0) * torch.arange(pi.shape[1])).amax(1)
    one_hot = torch.nn.functional.one_hot(torch.minimum(index, last), pi.shape[1])
    mean = (one_hot * mu).sum(1)
    return mean + math.sqrt(tau) * (one_hot * sigma).sum(1) * z


# %% match-assignment right="match-fits"
# SciPy's assignment solver on squared distances, fit by fit.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(-1)
        orders.append(torch.as_tensor(linear_sum_assignment(cost.detach().numpy())[1]))
    order = torch.stack(orders).long()
    ordered = torch.stack([fit[row] for fit, row in zip(fits, order)])
    return order, ordered.mean(0)


# %% match-all-orders right="match-fits"
# All orders of all fits at once: the largest sum of inner products around a common origin.
def match_fits(reference, fits):
    count = reference.shape[0]
    origin = reference[0]
    products = torch.einsum("kd,rjd->rkj", reference - origin, fits - origin)
    orders = torch.tensor(list(itertools.permutations(range(count))))
    sums = products[:, torch.arange(count), orders].sum(-1)
    order = orders[sums.argmax(1)]
    ordered = torch.take_along_dim(fits, order[:, :, None], 1)
    return order, origin + (ordered - origin).mean(0)


# %% match-raw-products wrong="match-fits"
# The largest sum of inner products without taking an origin off first: at means near 1e9 the
# products are near 1e18, rounded to hundreds, and the order is a matter of luck.
def match_fits(reference, fits):
    count = reference.shape[0]
    products = torch.einsum("kd,rjd->rkj", reference, fits)
    orders = torch.tensor(list(itertools.permutations(range(count))))
    sums = products[:, torch.arange(count), orders].sum(-1)
    order = orders[sums.argmax(1)]
    return order, torch.take_along_dim(fits, order[:, :, None], 1).mean(0)


# %% match-swaps wrong="match-fits"
# Improves the given order by swapping pairs while that helps: gets stuck where only a cycle
# of three helps (a triangle around 0 and the same one turned by 80 degrees).
def match_fits(reference, fits):
    count = reference.shape[0]
    orders = []
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(-1).tolist()
        order = list(range(count))
        improved = True
        while improved:
            improved = False
            for a, b in itertools.combinations(range(count), 2):
                now = cost[a][order[a]] + cost[b][order[b]]
                swapped = cost[a][order[b]] + cost[b][order[a]]
                if swapped < now - 1e-9:
                    order[a], order[b] = order[b], order[a]
                    improved = True
        orders.append(order)
    order = torch.tensor(orders)
    rows = torch.arange(fits.shape[0])[:, None]
    return order, fits[rows, order].mean(0)


# %% match-chained wrong="match-fits"
# Each fit is matched with the fit before it, in its order, in place of the reference: goes
# wrong from the second fit on if the first lies far from the reference.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    target = reference
    orders, ordered = [], []
    for fit in fits:
        cost = ((target[:, None, :] - fit[None, :, :]) ** 2).sum(-1)
        columns = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
        target = fit[columns]
        orders.append(columns)
        ordered.append(target)
    return torch.stack(orders), torch.stack(ordered).mean(0)


# %% match-unsquared wrong="match-fits"
# The sum of distances, not of their squares, is made small: one far and one perfect partner
# beat two middling ones (reference (0,0), (1,0); fit (1,0), (2, 0.1) in either order).
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    distances = torch.linalg.norm(reference[None, :, None, :] - fits[:, None, :, :], dim=-1)
    order = torch.stack([torch.as_tensor(linear_sum_assignment(d.numpy())[1]) for d in distances])
    return order, torch.take_along_dim(fits, order[:, :, None], 1).mean(0)


# %% alarm-beta right="alarm-thresholds"
# The average by floor, the other by counting the k whose Beta tail is at most delta.
def alarm_thresholds(scores, rate, delta):
    m = scores.shape[0]
    ordered = torch.cat([torch.tensor([-math.inf], dtype=scores.dtype), scores.sort().values])
    k_average = min(m, math.floor(rate * (m + 1) + 1e-11))
    k = torch.arange(1, m + 1).numpy()
    tail = stats.beta.sf(rate, k, m + 1 - k)
    k_surely = int((tail <= delta * (1 + 1e-13)).sum())
    return ordered[k_average], ordered[k_surely]


# %% alarm-binomial right="alarm-thresholds"
# Walks up through k; the Beta tail is the chance that fewer than k of m uniforms are below rate.
def alarm_thresholds(scores, rate, delta):
    ordered = sorted(scores.tolist())
    m = len(ordered)
    fewer = stats.binom.cdf(list(range(m)), m, rate)
    average = surely = -math.inf
    for k in range(1, m + 1):
        if k <= rate * (m + 1) + 1e-11:
            average = ordered[k - 1]
        if fewer[k - 1] <= delta * (1 + 1e-13):
            surely = ordered[k - 1]
    return average, surely


# %% alarm-surely-stricter wrong="alarm-thresholds"
# Looks for the second threshold only downwards from the first, "because it is stricter": with
# delta = 0.9 a larger k keeps the promise, and is missed.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = len(ordered)
    nothing = torch.tensor(-math.inf, dtype=torch.float64)
    k = min(m, int(rate * (m + 1) + 1e-11))
    average = ordered[k - 1] if k > 0 else nothing
    while k > 0 and stats.beta.sf(rate, k, m + 1 - k) > delta:
        k -= 1
    return average, ordered[k - 1] if k > 0 else nothing


# %% alarm-unique-scores wrong="alarm-thresholds"
# torch.unique sorts, but drops equal scores: with ties the k-th smallest comes out too large.
def alarm_thresholds(scores, rate, delta):
    m = scores.shape[0]
    ordered = torch.unique(scores)
    nothing = torch.tensor(-math.inf, dtype=torch.float64)
    k = torch.arange(1, m + 1).numpy()
    k_average = min(m, math.floor(rate * (m + 1) + 1e-11))
    k_surely = int((stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta).sum())
    return tuple(
        ordered[min(k, len(ordered)) - 1] if k > 0 else nothing for k in (k_average, k_surely)
    )


# %% alarm-strictly-less wrong="alarm-thresholds"
# The average must stay strictly below the rate: where rate (m + 1) is whole, such as 0.5 and
# m = 3, k is one too small.
def alarm_thresholds(scores, rate, delta):
    m = scores.shape[0]
    ordered = torch.cat([scores.new_tensor([-math.inf]), scores.sort().values])
    k = torch.arange(1, m + 1).numpy()
    k_average = int((k / (m + 1) < rate - 1e-14).sum())
    k_surely = int((stats.binom.cdf(k - 1, m, rate) <= delta).sum())
    return ordered[k_average], ordered[k_surely]


# %% alarm-never-the-largest wrong="alarm-thresholds"
# range(1, m) leaves out k = m: with m = 1, or with a rate near 1, the largest score would
# have kept the promise.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    m = scores.shape[0]
    average = surely = torch.tensor(-math.inf, dtype=torch.float64)
    k = list(range(1, m))
    tails = stats.beta.sf(rate, k, [m + 1 - j for j in k])
    for j, tail in zip(k, tails):
        if j <= rate * (m + 1) + 1e-11:
            average = ordered[j - 1]
        if tail <= delta:
            surely = ordered[j - 1]
    return average, surely
