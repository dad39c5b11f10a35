# %% broadcast right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + each.sum(2)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% distributions right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    from torch import distributions as dist

    parts = dist.Independent(dist.Normal(mu, log_sigma.exp()), 1)
    y = dist.MixtureSameFamily(dist.Categorical(logits=logits), parts).log_prob(x)
    columns = [
        logits[k] - logits.logsumexp(0) + dist.Normal(mu[k], log_sigma[k].exp()).log_prob(x).sum(1)
        for k in range(len(logits))
    ]
    return y, torch.stack(columns, dim=1) - y.unsqueeze(1)


# %% log-of-softmax wrong="density-and-owner"
# The weight rounds to 0: logits = (800, -800) gives a second log_r of -inf, not about -1600.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.softmax(logits, 0).log() + each.sum(2)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% product-of-widths wrong="density-and-owner"
# The product of the standard deviations overflows: D = 200, all log_sigma = 10.
def density_and_owner(x, logits, mu, log_sigma):
    sigma = log_sigma.exp()
    z = (x[:, None, :] - mu) / sigma
    volume = ((2 * math.pi) ** 0.5 * sigma).prod(1)
    joint = torch.log_softmax(logits, 0) - 0.5 * (z**2).sum(2) - volume.log()
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% constant-for-the-plane wrong="density-and-owner"
# The constant is that of D = 2: any x with three columns shows it, e.g. x = mu = ((0, 0, 0),).
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    each = (-0.5 * z**2 - log_sigma).sum(2) - math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + each
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% infinity-replaced wrong="density-and-owner"
# A logit of -inf becomes -10000: logits = (0, -inf) has a second log_r near -10000, not -inf.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    joint = torch.log_softmax(logits.clamp_min(-1e4), 0) + each.sum(2)
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% softmax-and-where right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    top = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    if c == 0:
        new_var = torch.where(used, top / safe, var)
    else:
        new_var = top / (count + c)
    return count / len(x), new_mu, new_var


# %% numpy-loop right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np
    from scipy.special import logsumexp

    y, weights, centres, spreads = (t.detach().numpy() for t in (x, pi, mu, var))
    k = len(weights)
    log_r = np.full((len(y), k), -np.inf)
    for j in range(k):
        if weights[j] > 0:
            log_r[:, j] = np.log(weights[j]) + stats.norm.logpdf(
                y, centres[j], np.sqrt(spreads[j])
            )
    r = np.exp(log_r - logsumexp(log_r, axis=1, keepdims=True))
    out = np.zeros(k), centres.copy(), spreads.copy()
    for j in range(k):
        total = r[:, j].sum()
        if total == 0:
            if c > 0:
                out[2][j] = s2
            continue
        share = r[:, j] / total
        out[0][j] = total / len(y)
        out[1][j] = share @ y
        out[2][j] = (total * (share @ (y - out[1][j]) ** 2) + c * s2) / (total + c)
    return tuple(torch.from_numpy(a) for a in out)


# %% raw-moments wrong="careful-em"
# E[x^2] - mu^2 cancels: x = 1e6 + (0, 0.05, 1, 1.05), narrow components there, c = 0.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    squares = (r * x[:, None] ** 2).sum(0) - count * new_mu**2
    if c == 0:
        new_var = torch.where(used, squares / safe, var)
    else:
        new_var = (squares + c * s2) / (count + c)
    return count / len(x), new_mu, new_var


# %% nearly-unused wrong="careful-em"
# A component with N_k below 1e-8 counts as unused: x = (0, 1), pi = (0.5, 0.5), mu = (0, 8),
# var = (1, 1), c = 0, where N_1 is 3.8e-11.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 1e-8
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    top = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    if c == 0:
        new_var = torch.where(used, top / safe, var)
    else:
        new_var = top / (count + c)
    return count / len(x), new_mu, new_var


# %% unused-keeps-variance wrong="careful-em"
# A component of weight 0 keeps its variance for c > 0, too: x = (0, 1, 2), pi = (1, 0), mu = (0,
# 1), var = (1, 3), c = 1, s2 = 0.5.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    top = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    keep = (pi == 0) | (count + c == 0)
    return count / len(x), new_mu, torch.where(keep, var, top / (count + c))


# %% floor-under-log wrong="careful-em"
# Log-densities stop at -1e8: x = (1e5,), pi = (0.5, 0.5), mu = (0, 3), var = (1, 1) is shared
# evenly, and belongs to the second.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint.clamp_min(-1e8), 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    top = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    if c == 0:
        new_var = torch.where(used, top / safe, var)
    else:
        new_var = top / (count + c)
    return count / len(x), new_mu, new_var


# %% mask-and-where right="holey-loss"
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    seen = ~y.isnan()
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + each.sum(2), 1)
    log_p = torch.where(seen.any(1), log_p, torch.zeros_like(log_p))
    return -log_p.mean()


# %% row-by-row right="holey-loss"
def holey_loss(raw, y):
    d = y.shape[1]
    k = raw.shape[1] // (2 * d + 1)
    total = 0 * raw.sum()
    for row, aim in zip(raw, y):
        at = [j for j in range(d) if not math.isnan(aim[j])]
        if not at:
            continue
        means = row[k : k + k * d].view(k, d)
        logs = row[k + k * d :].view(k, d)
        check = row[:k] - torch.logsumexp(row[:k], 0)
        for j in at:
            normal = torch.distributions.Normal(means[:, j], logs[:, j].exp())
            check = check + normal.log_prob(aim[j])
        total = total - torch.logsumexp(check, 0)
    return total / len(y)


# %% zero-is-missing wrong="holey-loss"
# Missing numbers become 0, and all zeros count as missing: y = ((0.0, 1.0),).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    filled = torch.nan_to_num(y)
    seen = filled != 0
    z = (filled[:, None, :] - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + each.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% log-of-softmax wrong="holey-loss"
# A weight rounds to 0: logits (800, -800), y at 100 standard deviations from the first mean and
# on the second one, where it costs 1600 and not 5000.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    seen = ~y.isnan()
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(torch.softmax(logits, 1).log() + each.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% clamped-widths wrong="holey-loss"
# Log standard deviations are held within 7: raw = ((0, 0, -12),), y = ((0.0,),).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d).clamp(-7, 7)
    seen = ~y.isnan()
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + each.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% five-per-component wrong="holey-loss"
# K as if D were 2: raw of width 6 with y of width 1 has two components, and one is used.
def holey_loss(raw, y):
    n, d = y.shape
    k = max(1, raw.shape[1] // 5)
    logits, mu = raw[:, :k], raw[:, k : k + k * d].reshape(n, k, d)
    log_sigma = raw[:, k + k * d : k + 2 * k * d].reshape(n, k, d)
    seen = ~y.isnan()
    filled = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (filled - mu) * torch.exp(-log_sigma)
    each = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    each = torch.where(seen[:, None, :], each, torch.zeros_like(each))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + each.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).mean()


# %% marginal-and-slope right="given-x"
def given_x(x, pi, mu, cov):
    vx, vy, vxy = cov[:, 0, 0], cov[:, 1, 1], cov[:, 0, 1]
    gap = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(pi.log() - 0.5 * vx.log() - 0.5 * gap**2 / vx, 1)
    means = mu[:, 1] + vxy / vx * gap
    variances = (vy - vxy**2 / vx).repeat(len(x), 1)
    return log_weights, means, variances


# %% correlations-by-component right="given-x"
def given_x(x, pi, mu, cov):
    from scipy.special import logsumexp

    y = x.numpy()
    joint, means, variances = (torch.empty(len(y), len(pi), dtype=torch.float64) for _ in range(3))
    for k in range(len(pi)):
        (a, b), (_, d) = cov[k].tolist()
        sx, sy = math.sqrt(a), math.sqrt(d)
        rho = b / sx / sy
        z = (y - float(mu[k, 0])) / sx
        start = math.log(pi[k]) if pi[k] > 0 else -math.inf
        joint[:, k] = torch.as_tensor(start + stats.norm.logpdf(z) - math.log(sx))
        means[:, k] = torch.as_tensor(float(mu[k, 1]) + rho * sy * z)
        variances[:, k] = sy * sy * (1 - rho) * (1 + rho)
    if len(y):
        joint = joint - torch.as_tensor(logsumexp(joint.numpy(), axis=1, keepdims=True))
    return joint, means, variances


# %% weight-floor wrong="given-x"
# pi = (1, 0) has a second log weight near -690, not -inf.
def given_x(x, pi, mu, cov):
    vx, vy, vxy = cov[:, 0, 0], cov[:, 1, 1], cov[:, 0, 1]
    gap = x[:, None] - mu[:, 0]
    log_pi = pi.clamp_min(1e-300).log()
    log_weights = torch.log_softmax(log_pi - 0.5 * vx.log() - 0.5 * gap**2 / vx, 1)
    means = mu[:, 1] + vxy / vx * gap
    return log_weights, means, (vy - vxy**2 / vx).repeat(len(x), 1)


# %% jitter wrong="given-x"
# Adds 1e-10 to the variances: cov = (((1e-12, 0), (0, 1e-12)),) gives a variance of 1e-10.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-10 * torch.eye(2, dtype=cov.dtype)
    vx, vy, vxy = cov[:, 0, 0], cov[:, 1, 1], cov[:, 0, 1]
    gap = x[:, None] - mu[:, 0]
    log_weights = torch.log_softmax(pi.log() - 0.5 * vx.log() - 0.5 * gap**2 / vx, 1)
    means = mu[:, 1] + vxy / vx * gap
    return log_weights, means, (vy - vxy**2 / vx).repeat(len(x), 1)


# %% clamped-correlation wrong="given-x"
# Correlations stop at 0.999: cov = (((1, 0.9999), (0.9999, 1)),) has ten times its variance.
def given_x(x, pi, mu, cov):
    sx, sy = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = (cov[:, 0, 1] / sx / sy).clamp(-0.999, 0.999)
    z = (x[:, None] - mu[:, 0]) / sx
    log_weights = torch.log_softmax(pi.log() - sx.log() - 0.5 * z**2, 1)
    means = mu[:, 1] + rho * sy * z
    return log_weights, means, (sy**2 * (1 - rho**2)).repeat(len(x), 1)


# %% nothing-to-stack wrong="given-x"
# Raises an error for x of shape (0,).
def given_x(x, pi, mu, cov):
    vx, vy, vxy = cov[:, 0, 0], cov[:, 1, 1], cov[:, 0, 1]
    rows = []
    for one in x:
        gap = one - mu[:, 0]
        log_weights = torch.log_softmax(pi.log() - 0.5 * vx.log() - 0.5 * gap**2 / vx, 0)
        rows.append((log_weights, mu[:, 1] + vxy / vx * gap, vy - vxy**2 / vx))
    log_weights, means, variances = zip(*rows)
    return torch.stack(log_weights), torch.stack(means), torch.stack(variances)


# %% count-below right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    places = torch.arange(weights.shape[1])
    last = torch.where(weights > 0, places, torch.zeros_like(places)).amax(1)
    k = torch.minimum((weights.cumsum(1) <= u[:, None]).sum(1), last)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% plain-loop right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    for row, y in zip(torch.softmax(logits / tau, 1).tolist(), u.tolist()):
        k = None
        for j, total in enumerate(itertools.accumulate(row)):
            if row[j] > 0:
                k = j
                if y < total:
                    break
        chosen.append(k)
    index = torch.tensor(chosen, dtype=torch.int64)
    rows = torch.arange(len(chosen))
    return mu[rows, index] + (tau * sigma[rows, index] ** 2).sqrt() * z


# %% not-strictly wrong="mixture-draws"
# u <= sum instead of u < sum: logits = ((-800, 800),), u = (0,) draws the component of weight 0.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    places = torch.arange(weights.shape[1])
    last = torch.where(weights > 0, places, torch.zeros_like(places)).amax(1)
    k = torch.minimum((weights.cumsum(1) < u[:, None]).sum(1), last)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% first-if-none wrong="mixture-draws"
# argmax of nothing but False is 0: for logits = ((1.9, 1.5, 1.1),), tau = 1 the weights sum to
# less than u = 1 - 2**-53, and the first component is drawn.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    below = u[:, None] < weights.cumsum(1)
    k = below.long().argmax(1, keepdim=True)
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% single-precision wrong="mixture-draws"
# Rounds u to float32: logits = ((0, 0),), u = (0.499999999,) draws the second component.
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    places = torch.arange(weights.shape[1])
    last = torch.where(weights > 0, places, torch.zeros_like(places)).amax(1)
    k = torch.minimum((weights.cumsum(1) <= u.float()[:, None]).sum(1), last)[:, None]
    return mu.gather(1, k)[:, 0] + math.sqrt(tau) * sigma.gather(1, k)[:, 0] * z


# %% squeezed wrong="mixture-draws"
# For n = 1, logits of shape (1, 2), the draw has shape () instead of (1,).
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.softmax(logits / tau, 1)
    places = torch.arange(weights.shape[1])
    last = torch.where(weights > 0, places, torch.zeros_like(places)).amax(1)
    k = torch.minimum((weights.cumsum(1) <= u[:, None]).sum(1), last)[:, None]
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None]).squeeze()


# %% assignment right="match-fits"
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    orders = []
    for fit in fits:
        gaps = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        orders.append(linear_sum_assignment(gaps.numpy())[1])
    order = torch.tensor([o.tolist() for o in orders])
    average = torch.stack([fit[o] for fit, o in zip(fits, order)]).mean(0)
    return order, average


# %% all-permutations right="match-fits"
def match_fits(reference, fits):
    k = len(reference)
    y = torch.tensor(list(itertools.permutations(range(k))), dtype=torch.int64)
    moved = fits[:, y]
    cost = ((moved - reference) ** 2).sum((2, 3))
    best = cost.argmin(1)
    return y[best], moved[torch.arange(len(fits)), best].sum(0) / len(fits)


# %% one-fit-squeezed wrong="match-fits"
# For R = 1 the order has shape (K,) instead of (1, K).
def match_fits(reference, fits):
    table = torch.tensor(list(itertools.permutations(range(len(reference)))))
    moved = fits[:, table]
    best = ((moved - reference) ** 2).sum((2, 3)).argmin(1)
    return table[best].squeeze(0), moved[torch.arange(len(fits)), best].mean(0)


# %% single-precision wrong="match-fits"
# Distances in float32: reference = ((1e8,), (1e8 + 1,)), fits = (((1e8 + 1,), (1e8,)),).
def match_fits(reference, fits):
    table = torch.tensor(list(itertools.permutations(range(len(reference)))))
    moved = fits[:, table]
    best = ((moved.float() - reference.float()) ** 2).sum((2, 3)).argmin(1)
    return table[best], moved[torch.arange(len(fits)), best].mean(0)


# %% swaps-of-two wrong="match-fits"
# Swaps pairs as long as that helps, and stops where only a cycle of three does: reference =
# ((5, 5), (1, 6), (1, 2)), fit = ((1, 1), (5, 0), (3, 4)) gives (2, 0, 1), not (1, 2, 0).
def match_fits(reference, fits):
    orders = []
    for fit in fits:
        gaps = ((reference[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        order = list(range(len(reference)))
        better = True
        while better:
            better = False
            for i, j in itertools.combinations(range(len(order)), 2):
                now = gaps[i, order[i]] + gaps[j, order[j]]
                if gaps[i, order[j]] + gaps[j, order[i]] < now:
                    order[i], order[j] = order[j], order[i]
                    better = True
        orders.append(order)
    order = torch.tensor(orders)
    return order, torch.stack([fit[o] for fit, o in zip(fits, order)]).mean(0)


# %% first-few-permutations wrong="match-fits"
# Looks at 120 orders, too few for K = 6: reference = ((0,), ..., (5,)), and the fit is reversed.
def match_fits(reference, fits):
    table = list(itertools.islice(itertools.permutations(range(len(reference))), 120))
    table = torch.tensor(table)
    moved = fits[:, table]
    best = ((moved - reference) ** 2).sum((2, 3)).argmin(1)
    return table[best], moved[torch.arange(len(fits)), best].mean(0)


# %% beta-in-one-go right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    import numpy as np

    m = len(scores)
    k = np.arange(1, m + 1)
    y = torch.cat([torch.tensor([-math.inf], dtype=torch.float64), scores.sort().values])
    average = int((k / (m + 1) <= rate + 1e-12).sum())
    surely = int((stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta - 1e-12).sum())
    return y[average], y[surely]


# %% binomial-search right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)

    def check(k):
        return float(stats.binom.cdf(k - 1, m, rate)) <= delta * (1 + 1e-10)

    low, high = 0, m
    while low < high:
        middle = (low + high + 1) // 2
        if check(middle):
            low = middle
        else:
            high = middle - 1
    k = math.floor(rate * (m + 1) * (1 + 1e-12))
    return (ranked[k - 1] if k else -math.inf), (ranked[low - 1] if low else -math.inf)


# %% rate-of-m wrong="alarm-thresholds"
# k = rate * m instead of rate * (m + 1): m = 9, rate = 0.1 gives -inf, not the smallest score.
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)
    average = math.floor(rate * m + 1e-9)
    surely = sum(stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta for k in range(1, m + 1))
    return tuple(ranked[k - 1] if k else -math.inf for k in (average, surely))


# %% repeated-scores-once wrong="alarm-thresholds"
# Equal scores are counted once: scores = (1, 1, 1, 1, 2, 3, 4, 5, 6), rate = 0.4, delta = 0.5.
def alarm_thresholds(scores, rate, delta):
    ranked = torch.unique(scores)
    m = len(ranked)
    average = sum(k / (m + 1) <= rate for k in range(1, m + 1))
    surely = sum(stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta for k in range(1, m + 1))
    return tuple(ranked[k - 1] if k else -math.inf for k in (average, surely))


# %% truncated-product right="alarm-thresholds"
# It was called wrong, because int(0.29 * 100) is 28; the text now leaves such rates out.
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)
    average = int(rate * (m + 1))
    surely = sum(stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta for k in range(1, m + 1))
    return tuple(ranked[k - 1] if k else -math.inf for k in (average, surely))


# %% never-below-one wrong="alarm-thresholds"
# For the average it takes the smallest score at least: m = 5, rate = 0.1 must give -inf.
def alarm_thresholds(scores, rate, delta):
    ranked = sorted(scores.tolist())
    m = len(ranked)
    average = max(1, sum(k / (m + 1) <= rate for k in range(1, m + 1)))
    surely = sum(stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta for k in range(1, m + 1))
    return ranked[average - 1], (ranked[surely - 1] if surely else -math.inf)
