# %% [markdown]
# Answers written from the text alone.


# %% owner-broadcast right="density-and-owner"
# All log joints at once by broadcasting, then logsumexp over the components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_normal = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + log_normal.sum(2)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-distributions right="density-and-owner"
# Component by component with torch.distributions, the columns stacked; log_softmax for the owner.
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = logits - torch.logsumexp(logits, 0)
    columns = []
    for k in range(len(logits)):
        part = torch.distributions.Normal(mu[k], log_sigma[k].exp())
        columns.append(log_pi[k] + part.log_prob(x).sum(1))
    joint = torch.stack(columns, 1)
    return torch.logsumexp(joint, 1), torch.log_softmax(joint, 1)


# %% owner-product-of-widths wrong="density-and-owner"
# Logarithm of the product of the sigmas: overflows or underflows for, e.g., D = 40, log_sigma 20.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = log_sigma.exp()
    z = (x[:, None, :] - mu) / sigma
    volume = sigma.prod(1).log() + 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * (z**2).sum(2) - volume
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-cdist wrong="density-and-owner"
# torch.cdist of scaled points uses a matrix product from 26 rows on, and cancels: wrong for
# n > 25 with means far from 0 and narrow components (mu near 1000, log_sigma -15).
def density_and_owner(x, logits, mu, log_sigma):
    columns = []
    for k in range(mu.shape[0]):
        scale = torch.exp(-log_sigma[k])
        distance = torch.cdist(x * scale, (mu[k] * scale)[None])[:, 0]
        columns.append(-0.5 * distance**2 - log_sigma[k].sum())
    log_normal = torch.stack(columns, 1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + log_normal
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-finite-logits wrong="density-and-owner"
# A logit of -inf is made finite "to be safe": its log-responsibility is -1e308 and not -inf.
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = torch.log_softmax(torch.nan_to_num(logits), 0)
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_normal = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = log_pi + log_normal.sum(2)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-categorical-probs wrong="density-and-owner"
# Categorical(probs=...) clamps the weights at 2e-16: small weights and those of 0 come out as
# exp(-36), so logits far apart and a logit of -inf go wrong.
def density_and_owner(x, logits, mu, log_sigma):
    mix = torch.distributions.Categorical(probs=torch.softmax(logits, 0))
    parts = torch.distributions.Independent(
        torch.distributions.Normal(mu, torch.exp(log_sigma)), 1
    )
    joint = mix.logits + parts.log_prob(x[:, None, :])
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% careful-column-softmax right="careful-em"
# Log-responsibilities; means from weights normalised over the points in the log domain.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    log_r = torch.log_softmax(joint, 1)
    r = torch.exp(log_r)
    total = r.sum(0)
    used = total > 0
    share = torch.softmax(torch.where(used, log_r, torch.zeros_like(log_r)), 0)
    shift = x.mean()
    new_mu = torch.where(used, shift + (share * (x - shift)[:, None]).sum(0), mu)
    scatter = (share * (x[:, None] - new_mu) ** 2).sum(0)
    if c > 0:
        new_var = (torch.where(used, total * scatter, 0 * total) + c * s2) / (total + c)
    else:
        new_var = torch.where(used, scatter, var)
    return total / len(x), new_mu, new_var


# %% careful-loop right="careful-em"
# A loop over the components, which treats used and unused ones apart.
def careful_em_step(x, pi, mu, var, c, s2):
    parts = torch.distributions.Normal(mu, var.sqrt())
    joint = parts.log_prob(x[:, None]) + pi.log()
    r = torch.exp(joint - torch.logsumexp(joint, 1, keepdim=True))
    weights, means, variances = [], [], []
    for k in range(len(pi)):
        seen = r[:, k].sum().item()
        weights.append(seen / len(x))
        if seen == 0:
            means.append(mu[k].item())
            variances.append(float(s2) if c > 0 else var[k].item())
            continue
        relative = r[:, k] / r[:, k].max()
        mean = x[0] + (relative * (x - x[0])).sum() / relative.sum()
        around = ((relative * (x - mean) ** 2).sum() / relative.sum()).item()
        means.append(mean.item())
        variances.append((seen * around + c * s2) / (seen + c) if c > 0 else around)
    return tuple(torch.tensor(v, dtype=torch.float64) for v in (weights, means, variances))


# %% careful-centred-squares wrong="careful-em"
# Mean of squares minus squared mean, after subtracting the mean of ALL data: still cancels if
# one cluster lies at -1e6 and another at 1e6, each with a spread of 1.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    total = r.sum(0)
    used = total > 0
    safe = torch.where(used, total, torch.ones_like(total))
    shift = x.mean()
    centred = x - shift
    mean = r.T @ centred / safe
    scatter = r.T @ centred**2 - total * mean**2
    new_mu = torch.where(used, mean + shift, mu)
    if c > 0:
        new_var = (scatter + c * s2) / (total + c)
    else:
        new_var = torch.where(used, scatter / safe, var)
    return total / len(x), new_mu, new_var


# %% careful-nearly-unused wrong="careful-em"
# Takes a component for unused if N_k < 1e-10 and not if it is exactly 0: a component with
# N_k = 1e-12 (a few standard deviations off) keeps its mean, where it must jump to the points.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    total = r.sum(0)
    unused = total < 1e-10
    safe = torch.where(unused, torch.ones_like(total), total)
    new_mu = torch.where(unused, mu, (r * x[:, None]).sum(0) / safe)
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (scatter + c * s2) / (safe + c)
    new_var = torch.where(unused, torch.full_like(var, s2) if c > 0 else var, new_var)
    return torch.where(unused, torch.zeros_like(total), total / len(x)), new_mu, new_var


# %% careful-variance-floor wrong="careful-em"
# A floor of 1e-6 under the new variances "so that nothing collapses": wrong for s2 = 1e-9 with
# large c, for an unused component with s2 = 1e-9, and for c = 0 with points close together.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    total = r.sum(0)
    used = total > 0
    safe = torch.where(used, total, torch.ones_like(total))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = ((scatter + c * s2) / (total + c if c > 0 else safe)).clamp(min=1e-6)
    if c == 0:
        new_var = torch.where(used, new_var, var)
    return total / len(x), new_mu, new_var


# %% careful-far-and-unused wrong="careful-em"
# With c = 0 only components of weight 0 keep their variance; one that is unused because it is
# far from all points (weight above 0) gets s2.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = torch.log(pi) - 0.5 * torch.log(var) - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    total = r.sum(0)
    new_mu, new_var = mu.clone(), torch.full_like(var, s2)
    for k in range(len(pi)):
        if total[k] > 0:
            new_mu[k] = (r[:, k] * x).sum() / total[k]
            scatter = (r[:, k] * (x - new_mu[k]) ** 2).sum()
            new_var[k] = (scatter + c * s2) / (total[k] + c)
        elif pi[k] == 0 and c == 0:
            new_var[k] = var[k]
    return total / len(x), new_mu, new_var


# %% holey-masked right="holey-loss"
# Holes are filled before the formula and masked after it, so that no nan enters the graph.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    log_pi = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(log_pi + each.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).sum() / n


# %% holey-row-by-row right="holey-loss"
# A loop over the examples, each with its measured columns only.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = 0.0 * raw.sum()
    for row, target in zip(raw, y, strict=True):
        columns = torch.nonzero(~torch.isnan(target))[:, 0]
        if len(columns) == 0:
            continue
        logits, mu, log_sigma = torch.split(row, [k, k * d, k * d])
        mu = mu.reshape(k, d)[:, columns]
        log_sigma = log_sigma.reshape(k, d)[:, columns]
        parts = torch.distributions.Normal(mu, log_sigma.exp())
        joint = torch.log_softmax(logits, 0) + parts.log_prob(target[columns]).sum(1)
        total = total - torch.logsumexp(joint, 0)
    return total / n


# %% holey-zero-is-missing wrong="holey-loss"
# Marks holes by 0 and takes every 0 for a hole: a measured target of exactly 0 is left out.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    y = torch.nan_to_num(y, nan=0.0)
    seen = (y != 0).double()[:, None, :]
    log_pi = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    z = (y[:, None, :] - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(log_pi + (seen * each).sum(2), 1).mean()


# %% holey-clamped-widths wrong="holey-loss"
# Clamps the log standard deviations to [-7, 7], as is often done: wrong beyond, they go to 15.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    log_pi = torch.log_softmax(raw[:, :k], 1)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d).clamp(-7, 7)
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = each.masked_fill(~seen[:, None, :], 0.0)
    return -torch.logsumexp(log_pi + each.sum(2), 1).mean()


# %% holey-bare-exponentials wrong="holey-loss"
# The weights are normalised with bare exponentials: overflows for logits above 709, and gives
# log(0) if all logits of an example lie below -746.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    seen = ~torch.isnan(y)
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    logits = raw[:, :k]
    log_pi = logits - logits.exp().sum(1, keepdim=True).log()
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d :].reshape(n, k, d)
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = each.masked_fill(~seen[:, None, :], 0.0)
    return -torch.logsumexp(log_pi + each.sum(2), 1).mean()


# %% holey-nothing-at-all wrong="holey-loss"
# Skips empty examples and stacks the rest: raises if no example of the batch was measured.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    losses = []
    for i in range(n):
        seen = ~torch.isnan(y[i])
        if not seen.any():
            continue
        mu = raw[i, k : k + k * d].reshape(k, d)[:, seen]
        log_sigma = raw[i, k + k * d :].reshape(k, d)[:, seen]
        parts = torch.distributions.Normal(mu, log_sigma.exp())
        joint = torch.log_softmax(raw[i, :k], 0) + parts.log_prob(y[i, seen]).sum(1)
        losses.append(-torch.logsumexp(joint, 0))
    return torch.stack(losses).sum() / n


# %% given-formulas right="given-x"
# The textbook formulas, broadcast over points and components.
def given_x(x, pi, mu, cov):
    sxx, sxy, syy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    off = x[:, None] - mu[:, 0]
    joint = torch.log(pi) - 0.5 * torch.log(sxx) - 0.5 * off**2 / sxx
    means = mu[:, 1] + off * (sxy / sxx)
    variances = (syy - sxy * (sxy / sxx)).expand(len(x), -1).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-cholesky right="given-x"
# A loop over the components with Cholesky factors; the standardised x serves for all three.
def given_x(x, pi, mu, cov):
    joint, means, variances = [], [], []
    for k in range(len(pi)):
        low = torch.linalg.cholesky(cov[k])
        z = (x - mu[k, 0]) / low[0, 0]
        joint.append(pi[k].log() - low[0, 0].log() - z**2 / 2)
        means.append(mu[k, 1] + low[1, 0] * z)
        variances.append(torch.ones_like(x) * low[1, 1] ** 2)
    joint = torch.stack(joint, 1)
    log_weights = joint - torch.logsumexp(joint, 1, keepdim=True)
    return log_weights, torch.stack(means, 1), torch.stack(variances, 1)


# %% given-clamped-correlation wrong="given-x"
# Clamps the correlation to 0.999 in size: variances (and means) are wrong for 0.9999.
def given_x(x, pi, mu, cov):
    sx, sy = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = (cov[:, 0, 1] / (sx * sy)).clamp(-0.999, 0.999)
    z = (x[:, None] - mu[:, 0]) / sx
    log_weights = torch.log_softmax(pi.log() - sx.log() - 0.5 * z**2, 1)
    variances = (sy**2 * (1 - rho**2)).repeat(len(x), 1)
    return log_weights, mu[:, 1] + rho * sy * z, variances


# %% given-stacked-rows wrong="given-x"
# One row after the other, then stacked: raises for n = 0.
def given_x(x, pi, mu, cov):
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variance = cov[:, 1, 1] - slope * cov[:, 0, 1]
    rows = []
    for value in x:
        off = value - mu[:, 0]
        joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * off**2 / cov[:, 0, 0]
        rows.append((torch.log_softmax(joint, 0), mu[:, 1] + slope * off, variance))
    log_weights, means, variances = zip(*rows, strict=True)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% given-natural-parameters wrong="given-x"
# Multiplies the square out (natural parameters): cancels if mu is near 1000 and the standard
# deviation of x near 1e-6, so that the log weights are off by tens.
def given_x(x, pi, mu, cov):
    sxx, sxy, syy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    eta1, eta2 = mu[:, 0] / sxx, -0.5 / sxx
    constant = pi.log() - 0.5 * sxx.log() - 0.5 * mu[:, 0] ** 2 / sxx
    joint = constant + eta1 * x[:, None] + eta2 * x[:, None] ** 2
    means = mu[:, 1] + (x[:, None] - mu[:, 0]) * sxy / sxx
    variances = (syy - sxy**2 / sxx).repeat(len(x), 1)
    return torch.log_softmax(joint, 1), means, variances


# %% given-off-has-no-mean wrong="given-x"
# Computes only the components of positive weight; the others get mean 0 and variance 0.
def given_x(x, pi, mu, cov):
    n, k = len(x), len(pi)
    log_weights = torch.full((n, k), -math.inf, dtype=torch.float64)
    means = torch.zeros(n, k, dtype=torch.float64)
    variances = torch.zeros(n, k, dtype=torch.float64)
    on = pi > 0
    sxx, sxy, syy = cov[on, 0, 0], cov[on, 0, 1], cov[on, 1, 1]
    off = x[:, None] - mu[on, 0]
    joint = pi[on].log() - 0.5 * sxx.log() - 0.5 * off**2 / sxx
    log_weights[:, on] = torch.log_softmax(joint, 1)
    means[:, on] = mu[on, 1] + off * sxy / sxx
    variances[:, on] = (syy - sxy**2 / sxx).repeat(n, 1)
    return log_weights, means, variances


# %% draw-count right="mixture-draws"
# Counts the cumulative weights that u has reached; capped at the last weight that is not 0.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1)
    reached = (torch.cumsum(pi, 1) <= u[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1])
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    k = torch.minimum(reached, last)[:, None]
    return mu.gather(1, k)[:, 0] + z * math.sqrt(tau) * sigma.gather(1, k)[:, 0]


# %% draw-walk right="mixture-draws"
# Walks through the weights of each example in Python, then picks by index.
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    for row, level in zip(logits.detach(), u.tolist(), strict=True):
        reached, pick = 0.0, 0
        for k, weight in enumerate(torch.softmax(row / tau, 0).tolist()):
            if weight == 0:
                continue
            reached, pick = reached + weight, k
            if level < reached:
                break
        chosen.append(pick)
    rows = torch.arange(len(chosen))
    chosen = torch.tensor(chosen, dtype=torch.long)
    return mu[rows, chosen] + sigma[rows, chosen] * tau**0.5 * z


# %% draw-clipped-uniforms wrong="mixture-draws"
# Clips u to [1e-6, 1 - 1e-6]: wrong for u = 0 if the first weight is 1e-9 (it must be drawn),
# and for the largest u if the last one is.
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits / tau, 1)
    level = u.clamp(1e-6, 1 - 1e-6)[:, None]
    k = (torch.cumsum(pi, 1) <= level).sum(1, keepdim=True).clamp(max=pi.shape[1] - 1)
    return (mu.gather(1, k) + sigma.gather(1, k) * math.sqrt(tau) * z[:, None])[:, 0]


# %% draw-powers-of-weights wrong="mixture-draws"
# Raises the weights to the power 1 / tau and normalises: a weight that underflows at
# temperature 1 stays 0 at tau = 20 (logits -800 and 800: exp(-80), to be drawn at u = 0).
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach(), 1) ** (1 / tau)
    pi = pi / pi.sum(1, keepdim=True)
    reached = (torch.cumsum(pi, 1) <= u[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1])
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    k = torch.minimum(reached, last)[:, None]
    return mu.gather(1, k)[:, 0] + z * math.sqrt(tau) * sigma.gather(1, k)[:, 0]


# %% draw-log-cumulative wrong="mixture-draws"
# Compares logarithms, in which no weight is 0: for u = 0 the first component is drawn also if
# its weight rounds to 0 (logits -800 and 800 at temperature 1).
def draw(logits, mu, sigma, tau, u, z):
    log_pi = torch.log_softmax(logits.detach() / tau, 1)
    below = torch.log(u)[:, None] >= torch.logcumsumexp(log_pi, 1)
    k = below.sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    return mu.gather(1, k)[:, 0] + z * math.sqrt(tau) * sigma.gather(1, k)[:, 0]


# %% draw-single-precision wrong="mixture-draws"
# Chooses in float32: wrong if u is within 1e-8 of a border, e.g. two equal logits and
# u = 0.5 - 1e-9 (component 0, but 0.5 in float32 gives component 1).
def draw(logits, mu, sigma, tau, u, z):
    pi = torch.softmax(logits.detach() / tau, 1).float()
    reached = (torch.cumsum(pi, 1) <= u.float()[:, None]).sum(1)
    numbers = torch.arange(pi.shape[1])
    last = torch.where(pi > 0, numbers, torch.zeros_like(numbers)).amax(1)
    k = torch.minimum(reached, last)[:, None]
    return mu.gather(1, k)[:, 0] + z * math.sqrt(tau) * sigma.gather(1, k)[:, 0]


# %% match-inner-products right="match-fits"
# Tries all orders; the closest one has the largest inner product with the centred reference.
def match_fits(reference, fits):
    centre = reference.mean(0)
    ref = reference - centre
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    shifted = fits - centre
    products = ref @ shifted.transpose(1, 2)
    gain = products[:, torch.arange(len(ref)), orders].sum(2)
    order = orders[gain.argmax(1)]
    rows = torch.arange(len(fits))[:, None]
    return order, centre + shifted[rows, order].mean(0)


# %% match-assignment right="match-fits"
# Squared distances from differences, and SciPy's assignment for each fit.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    orders = []
    off = torch.zeros_like(reference)
    for fit in fits:
        cost = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        best = torch.as_tensor(linear_sum_assignment(cost.numpy())[1]).long()
        orders.append(best)
        off = off + (fit[best] - reference)
    return torch.stack(orders), reference + off / len(fits)


# %% match-by-swaps wrong="match-fits"
# Swaps pairs until no swap helps: can end in a local optimum from K = 3 on, where only a
# rotation of three would be better.
def match_fits(reference, fits):
    orders = []
    for fit in fits:
        cost = ((reference[:, None] - fit) ** 2).sum(2)
        order = list(range(len(reference)))
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(len(order)), 2):
                now = cost[i, order[i]] + cost[j, order[j]]
                if cost[i, order[j]] + cost[j, order[i]] < now - 1e-6:
                    order[i], order[j] = order[j], order[i]
                    better = True
        orders.append(torch.tensor(order))
    order = torch.stack(orders)
    return order, torch.stack([f[o] for f, o in zip(fits, order, strict=True)]).mean(0)


# %% match-previous-fit wrong="match-fits"
# Compares each fit with the fit before it (already in order) and only the first one with the
# reference: wrong if the fits drift or differ among each other.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    goal, orders, ordered = reference, [], []
    for fit in fits:
        cost = ((goal[:, None] - fit) ** 2).sum(2)
        orders.append(torch.as_tensor(linear_sum_assignment(cost.numpy())[1]).long())
        goal = fit[orders[-1]]
        ordered.append(goal)
    return torch.stack(orders), torch.stack(ordered).mean(0)


# %% match-isclose wrong="match-fits"
# Takes sums that math.isclose calls equal (1e-9 of their size) for ties and keeps the earlier:
# wrong if a fit lies 1000 away (sums above 1e7) and the best orders differ by a thousandth.
def match_fits(reference, fits):
    orders = []
    for fit in fits:
        best, best_sum = None, math.inf
        for order in itertools.permutations(range(len(reference))):
            total = ((fit[list(order)] - reference) ** 2).sum().item()
            if total < best_sum and not math.isclose(total, best_sum):
                best, best_sum = order, total
        orders.append(best)
    order = torch.tensor(orders)
    return order, fits[torch.arange(len(fits))[:, None], order].mean(0)


# %% match-standardised wrong="match-fits"
# Standardises each coordinate by the spread of the reference before it measures distances:
# another order wins if the coordinates have different spreads.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    scale = reference.std(0, unbiased=False).clamp(min=1e-3)
    order = torch.empty(fits.shape[:2], dtype=torch.long)
    for r in range(len(fits)):
        cost = (((reference[:, None] - fits[r]) / scale) ** 2).sum(2)
        order[r] = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
    return order, torch.take_along_dim(fits, order[:, :, None], 1).mean(0)


# %% alarm-beta right="alarm-thresholds"
# All k at once: the mean of the Beta for the average, its upper tail for the other promise.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    k = torch.arange(1, m + 1).double()
    ranked = torch.cat([torch.tensor([-math.inf]).double(), torch.sort(scores).values])
    average = int((k / (m + 1) <= rate).sum())
    tail = torch.as_tensor(stats.beta.sf(rate, k.numpy(), (m + 1 - k).numpy()))
    surely = int((tail <= delta).sum())
    return ranked[average], ranked[surely]


# %% alarm-binomial right="alarm-thresholds"
# Floor for the average; bisection over k with the binomial distribution for the other.
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)
    average = math.floor(rate * (m + 1) + 1e-11)
    low, high = 0, m
    while low < high:
        k = (low + high + 1) // 2
        if stats.binom.cdf(k - 1, m, rate) <= delta:
            low = k
        else:
            high = k - 1
    return tuple(ranked[k - 1] if k > 0 else -math.inf for k in (average, low))


# %% alarm-never-above-average wrong="alarm-thresholds"
# Searches downwards from the k of the average, as if the second promise were always the
# stricter one: for a large delta (0.9) its threshold lies higher.
def alarm_thresholds(scores, rate, delta):
    ranked = torch.sort(scores).values
    m = len(ranked)
    average = math.floor(rate * (m + 1) + 1e-11)
    surely = average
    while surely > 0 and stats.beta.sf(rate, surely, m + 1 - surely) > delta:
        surely -= 1
    return tuple(ranked[k - 1].item() if k > 0 else -math.inf for k in (average, surely))


# %% alarm-big-binomials wrong="alarm-thresholds"
# Adds up binomial probabilities with math.comb: an OverflowError as soon as a coefficient passes
# 1e308 (m from about 1030, rate near a half), and powers that underflow.
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)
    average = math.floor(rate * (m + 1) + 1e-11)
    surely, below = 0, 0.0
    for k in range(1, m + 1):
        j = k - 1
        below += math.comb(m, j) * rate**j * (1 - rate) ** (m - j)
        if below > delta:
            break
        surely = k
    return tuple(ranked[k - 1] if k > 0 else -math.inf for k in (average, surely))


# %% alarm-finite-scores wrong="alarm-thresholds"
# Throws scores of -inf away before counting: m and all ranks are wrong if there are any.
def alarm_thresholds(scores, rate, delta):
    ranked = torch.sort(scores[torch.isfinite(scores)]).values
    m = len(ranked)
    average = surely = -math.inf
    for k in range(1, m + 1):
        if k / (m + 1) <= rate:
            average = ranked[k - 1].item()
        if stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta:
            surely = ranked[k - 1].item()
    return average, surely


# %% alarm-without-the-largest wrong="alarm-thresholds"
# range(1, m) leaves k = m out: wrong if the largest score keeps a promise (m = 1 and rate 0.9,
# or m = 3, rate 0.8).
def alarm_thresholds(scores, rate, delta):
    ranked = torch.sort(scores).values
    m = len(ranked)
    average = surely = -math.inf
    for k in range(1, m):
        if k / (m + 1) <= rate:
            average = ranked[k - 1].item()
        if stats.beta.sf(rate, k, m + 1 - k) <= delta:
            surely = ranked[k - 1].item()
    return average, surely
