# %% broadcast right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = logits.log_softmax(0) + log_parts
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% only-live-components right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    k = [j for j in range(len(logits)) if logits[j] > -math.inf]
    y = logits[k] - logits[k].max()
    y = y - y.exp().sum().log()
    columns = []
    for i, j in enumerate(k):
        normal = torch.distributions.Normal(mu[j], log_sigma[j].exp())
        columns.append(y[i] + normal.log_prob(x).sum(dim=1))
    joint = torch.stack(columns, dim=1)
    log_p = torch.logsumexp(joint, dim=1)
    log_r = torch.full((len(x), len(logits)), -math.inf, dtype=x.dtype)
    log_r[:, k] = joint - log_p.unsqueeze(1)
    return log_p, log_r


# %% log-of-softmax wrong="density-and-owner"
# Weights underflow: logits [800., -800.], x = mu = 0, log_sigma = 0 gives -inf for -1600.
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = logits.softmax(0).log() + log_parts
    log_p = joint.logsumexp(1)
    return log_p, joint - log_p[:, None]


# %% infinite-logits-made-finite wrong="density-and-owner"
# A logit of -inf becomes -10000: logits [0., -inf], x = 0, mu = [[1e5], [0.]], log_sigma = 0,
# where the dead component then owns the point.
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = logits.clamp(min=-1e4).log_softmax(0) + log_parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% two-entries wrong="density-and-owner"
# The constant is that of D = 2: x = mu = [[0.]], log_sigma = [[0.]] gives -1.84 for -0.92.
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    log_parts = -0.5 * (z**2).sum(2) - log_sigma.sum(1) - math.log(2 * math.pi)
    joint = logits.log_softmax(0) + log_parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% product-of-widths wrong="density-and-owner"
# The product of 200 deviations of exp(-20) underflows: x = mu = 0 with D = 200 gives inf.
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    sigma = torch.exp(log_sigma)
    z = (x[:, None, :] - mu) / sigma
    log_parts = -0.5 * (z**2 + math.log(2 * math.pi)).sum(2) - sigma.prod(1).log()
    joint = logits.log_softmax(0) + log_parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% widths-without-gradient wrong="density-and-owner"
# No gradient passes through z to log_sigma: x = [[2.]], mu = 0, log_sigma = 0, K = 1 has 3 there.
def density_and_owner(x, logits, mu, log_sigma):
    """Return log-densities, shape (n,), and log-responsibilities, shape (n, K)."""
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma.detach())
    log_parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = logits.log_softmax(0) + log_parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% logarithms-throughout right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    log_joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    log_r = log_joint.log_softmax(1)
    N = log_r.exp().sum(0)
    used = N > 0
    new_mu, new_var = mu.clone(), var.clone()
    share = log_r[:, used].softmax(0)  # r / N, also where N is tiny
    middle = mu[used]
    middle = middle + (share * (x[:, None] - middle)).sum(0)
    new_mu[used] = middle
    scatter = N[used] * (share * (x[:, None] - middle) ** 2).sum(0)
    new_var[used] = (scatter + c * s2) / (N[used] + c)
    if c > 0:
        new_var[~used] = s2
    return N / len(x), new_mu, new_var


# %% loop-over-components right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    import numpy as np
    from scipy import special

    y, weights, means, variances = x.numpy(), [], [], []
    with np.errstate(divide="ignore"):
        logs = np.log(pi.numpy())
        logs = logs + stats.norm.logpdf(y[:, None], mu.numpy(), np.sqrt(var.numpy()))
    r = special.softmax(logs, axis=1)
    for k in range(r.shape[1]):
        total = r[:, k].sum()
        m, v = float(mu[k]), float(var[k])
        if total > 0:
            check = np.exp(logs[:, k] - special.logsumexp(logs, axis=1))
            check = check / check.max()
            m = y[0] + np.average(y - y[0], weights=check)
            v = (total * np.average((y - m) ** 2, weights=check) + c * s2) / (total + c)
        elif c > 0:
            v = s2
        weights.append(total / len(y))
        means.append(m)
        variances.append(v)
    return tuple(torch.tensor(t, dtype=torch.float64) for t in (weights, means, variances))


# %% mean-of-squares wrong="careful-em"
# Cancellation: x = 1e6 + linspace(-1, 1, 1001), one component with mu = 1e6, var = 1, c = 0 should
# have the variance 0.334 and gets 0.342.
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    log_r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).log_softmax(1)
    r = log_r.exp()
    N = r.sum(0)
    used = N > 0
    new_mu = torch.where(used, r.T @ x / torch.where(used, N, 1.0), mu)
    scatter = r.T @ x**2 - N * new_mu**2
    new_var = (scatter + c * s2) / torch.where(used, N + c, 1.0)
    return N / len(x), new_mu, torch.where(used, new_var, s2 if c > 0 else var)


# %% nearly-unused wrong="careful-em"
# N below 1e-8 counts as unused: x = [0.], pi = [0.5, 0.5], mu = [0., 8.], var = 1 should move
# both means to 0.
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    log_r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).log_softmax(1)
    r = log_r.exp()
    N = r.sum(0)
    used = N > 1e-8
    new_mu = torch.where(used, r.T @ x / torch.where(used, N, 1.0), mu)
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (scatter + c * s2) / torch.where(used, N + c, 1.0)
    return N / len(x), new_mu, torch.where(used, new_var, s2 if c > 0 else var)


# %% weightless-keep-their-variance wrong="careful-em"
# A component of weight 0 keeps its variance also if c > 0: pi = [1., 0.], mu = [0., 8.], var = 2,
# x = [0.], c = 1, s2 = 0.4.
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    log_r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).log_softmax(1)
    r = log_r.exp()
    N = r.sum(0)
    used = N > 0
    new_mu = torch.where(used, r.T @ x / torch.where(used, N, 1.0), mu)
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (scatter + c * s2) / torch.where(N + c > 0, N + c, 1.0)
    return N / len(x), new_mu, torch.where(used | (pi > 0) & (c > 0), new_var, var)


# %% distance-limited wrong="careful-em"
# Distances stop at 10000 deviations: x = [0.], mu = [9e4, 5e4], var = 1, pi = [0.5, 0.5]
# shares the point between both, though the second explains it better.
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    z = ((x[:, None] - mu) / var.sqrt()).clamp(-1e4, 1e4)
    r = (pi.log() - 0.5 * var.log() - 0.5 * z**2).softmax(1)
    N = r.sum(0)
    used = N > 0
    new_mu = torch.where(used, r.T @ x / torch.where(used, N, 1.0), mu)
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (scatter + c * s2) / torch.where(used, N + c, 1.0)
    return N / len(x), new_mu, torch.where(used, new_var, s2 if c > 0 else var)


# %% single-precision wrong="careful-em"
# float32 inside: x = 1e6 + (0, 0.2, 0.5), one component with mu = 1e6, var = 1, c = 0.
def careful_em_step(x, pi, mu, var, c, s2):
    """Return weights, means and variances after one step of EM with a prior on the variances."""
    x, mu = x.float(), mu.float()
    z2 = ((x[:, None] - mu) ** 2).double() / var
    r = (pi.log() - 0.5 * var.log() - 0.5 * z2).softmax(1)
    N = r.sum(0)
    used = N > 0
    new_mu = torch.where(used, r.T @ x.double() / torch.where(used, N, 1.0), mu.double())
    scatter = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (scatter + c * s2) / torch.where(used, N + c, 1.0)
    return N / len(x), new_mu, torch.where(used, new_var, s2 if c > 0 else var)


# %% masked-sum right="holey-loss"
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    there = ~torch.isnan(y)
    logits, means, log_s = raw.split([K, K * D, K * D], dim=1)
    means, log_s = means.reshape(n, K, D), log_s.reshape(n, K, D)
    z = (torch.where(there, y, 0.0)[:, None] - means) * torch.exp(-log_s)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = torch.where(there[:, None], terms, 0.0).sum(2)
    log_p = torch.logsumexp(logits.log_softmax(1) + log_parts, 1)
    return -torch.where(there.any(1), log_p, 0.0).mean()


# %% loop-over-examples right="holey-loss"
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    k = raw.shape[1] // (2 * D + 1)
    total = 0 * raw.sum()
    for i in range(n):
        seen = [j for j in range(D) if y[i, j] == y[i, j]]
        if not seen:
            continue
        parts = []
        for c in range(k):
            m = raw[i, k + c * D : k + (c + 1) * D][seen]
            s = raw[i, k + (k + c) * D : k + (k + c + 1) * D][seen]
            check = torch.distributions.Normal(m, s.exp()).log_prob(y[i, seen])
            parts.append(raw[i, c] + check.sum())
        total = total - torch.logsumexp(torch.stack(parts), 0) + torch.logsumexp(raw[i, :k], 0)
    return total / n


# %% zeros-count-as-holes wrong="holey-loss"
# A measured 0 is taken for a hole: raw = [[0., 1., 0.]], y = [[0.]] gives 0 for 1.42.
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    y = torch.nan_to_num(y, nan=0.0)
    there = y != 0
    means, log_s = raw[:, K:].reshape(n, 2, K, D).unbind(1)
    z = (y[:, None] - means) * torch.exp(-log_s)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = (terms * there[:, None]).sum(2)
    return -torch.logsumexp(raw[:, :K].log_softmax(1) + log_parts, 1).mean()


# %% five-numbers-a-component wrong="holey-loss"
# K is the number of columns by 5, right for D = 2: D = 1, raw of shape (1, 15), K = 5 raises.
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // 5
    there = ~torch.isnan(y)
    means, log_s = raw[:, K:].reshape(n, 2, K, D).unbind(1)
    z = (torch.where(there, y, 0.0)[:, None] - means) * torch.exp(-log_s)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = (terms * there[:, None]).sum(2)
    return -torch.logsumexp(raw[:, :K].log_softmax(1) + log_parts, 1).mean()


# %% log-deviations-clamped wrong="holey-loss"
# Log deviations stop at -7 and 7: raw = [[0., 0., -15.]], y = [[0.]] gives -6.08 for -14.08.
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    there = ~torch.isnan(y)
    means, log_s = raw[:, K:].reshape(n, 2, K, D).unbind(1)
    log_s = log_s.clamp(-7, 7)
    z = (torch.where(there, y, 0.0)[:, None] - means) * torch.exp(-log_s)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = (terms * there[:, None]).sum(2)
    return -torch.logsumexp(raw[:, :K].log_softmax(1) + log_parts, 1).mean()


# %% epsilon-beside-sigma wrong="holey-loss"
# 1e-8 is added to the deviation: raw = [[0., 0., -15.]], y = [[0.003]] lies 9807 deviations off.
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    there = ~torch.isnan(y)
    means, log_s = raw[:, K:].reshape(n, 2, K, D).unbind(1)
    z = (torch.where(there, y, 0.0)[:, None] - means) / (log_s.exp() + 1e-8)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = (terms * there[:, None]).sum(2)
    return -torch.logsumexp(raw[:, :K].log_softmax(1) + log_parts, 1).mean()


# %% log-of-softmax wrong="holey-loss"
# Weights underflow: K = 2, D = 1, logits 800 and -800, means 10000 and 0, log deviations 0,
# y = [[0.]] should have the loss 1600.9.
def holey_loss(raw, y):
    """Return the mean NLL, in nats, of the measured entries of y."""
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    there = ~torch.isnan(y)
    means, log_s = raw[:, K:].reshape(n, 2, K, D).unbind(1)
    z = (torch.where(there, y, 0.0)[:, None] - means) * torch.exp(-log_s)
    terms = -0.5 * z**2 - log_s - 0.5 * math.log(2 * math.pi)
    log_parts = (terms * there[:, None]).sum(2)
    return -torch.logsumexp(raw[:, :K].softmax(1).log() + log_parts, 1).mean()


# %% conditional-formulas right="given-x"
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    r = x[:, None] - mu[:, 0]
    log_weights = (pi.log() - 0.5 * a.log() - 0.5 * r**2 / a).log_softmax(1)
    variances = (c - b / a * b).expand(len(x), len(pi)).clone()
    return log_weights, mu[:, 1] + b / a * r, variances


# %% point-by-point right="given-x"
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    n, K = len(x), len(pi)
    result = [torch.empty(n, K, dtype=torch.float64) for _ in range(3)]
    for k in range(K):
        sx, sy = math.sqrt(cov[k, 0, 0]), math.sqrt(cov[k, 1, 1])
        rho = float(cov[k, 0, 1]) / sx / sy
        for i in range(n):
            z = (float(x[i]) - float(mu[k, 0])) / sx
            y = math.log(float(pi[k])) if pi[k] > 0 else -math.inf
            result[0][i, k] = y - math.log(sx) - z * z / 2
            result[1][i, k] = float(mu[k, 1]) + rho * sy * z
            result[2][i, k] = (1 - rho) * (1 + rho) * sy * sy
    result[0] -= torch.logsumexp(result[0], dim=1, keepdim=True)
    return result


# %% zero-weights-raised wrong="given-x"
# A weight of 0 is raised to 1e-12: pi = [1., 0.], both components alike, gives -27.6 for -inf.
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    r = x[:, None] - mu[:, 0]
    log_weights = (pi.clamp(min=1e-12).log() - 0.5 * a.log() - 0.5 * r**2 / a).log_softmax(1)
    return log_weights, mu[:, 1] + b / a * r, (c - b**2 / a).repeat(len(x), 1)


# %% correlation-limited wrong="given-x"
# The correlation stops at 0.999: cov = [[1., 0.9999], [0.9999, 1.]] has the variance 2e-4.
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    sx, sy = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = (cov[:, 0, 1] / (sx * sy)).clamp(-0.999, 0.999)
    z = (x[:, None] - mu[:, 0]) / sx
    log_weights = (pi.log() - sx.log() - 0.5 * z**2).log_softmax(1)
    return log_weights, mu[:, 1] + rho * sy * z, (sy**2 * (1 - rho**2)).repeat(len(x), 1)


# %% jitter wrong="given-x"
# 1e-9 on the diagonal: cov = [[1e-12, 0.], [0., 1e-12]] has the variance 1e-12.
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    cov = cov + 1e-9 * torch.eye(2, dtype=cov.dtype)
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    r = x[:, None] - mu[:, 0]
    log_weights = (pi.log() - 0.5 * a.log() - 0.5 * r**2 / a).log_softmax(1)
    return log_weights, mu[:, 1] + b / a * r, (c - b**2 / a).repeat(len(x), 1)


# %% no-point-no-result wrong="given-x"
# Raises for x of shape (0,): torch.stack needs at least one tensor.
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    weights, means, variances = [], [], []
    for value in x:
        r = value - mu[:, 0]
        weights.append((pi.log() - 0.5 * a.log() - 0.5 * r**2 / a).log_softmax(0))
        means.append(mu[:, 1] + b / a * r)
        variances.append(c - b**2 / a)
    return torch.stack(weights), torch.stack(means), torch.stack(variances)


# %% distance-limited wrong="given-x"
# Distances stop at 5000 deviations: x = [0.], mu[:, 0] = [9000., 8000.], cov unit matrices, gives
# equal weights.
def given_x(x, pi, mu, cov):
    """Return log weights, means and variances of the mixture p(y | x), each of shape (n, K)."""
    a, b, c = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    r = x[:, None] - mu[:, 0]
    z = (r / a.sqrt()).clamp(-5000, 5000)
    log_weights = (pi.log() - 0.5 * a.log() - 0.5 * z**2).log_softmax(1)
    return log_weights, mu[:, 1] + b / a * r, (c - b**2 / a).repeat(len(x), 1)


# %% gather right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    pi = torch.softmax(logits / tau, 1)
    k = (u[:, None] >= pi.cumsum(1)).sum(1)
    places = torch.arange(pi.shape[1]).expand_as(pi)
    last = torch.where(pi > 0, places, 0).amax(1)  # the last with a weight
    k = torch.minimum(k, last)[:, None]
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None])[:, 0]


# %% walk-along-the-weights right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    chosen = []
    shares = torch.softmax(logits.detach() / tau, dim=1).tolist()
    for row, y in zip(shares, u.tolist(), strict=True):
        total, k = 0.0, None
        for j, weight in enumerate(row):
            total += weight
            if weight > 0:
                k = j
            if y < total:
                break
        chosen.append(k)
    rows = torch.arange(len(chosen))
    chosen = torch.tensor(chosen, dtype=torch.int64)
    return mu[rows, chosen] + z * (tau**0.5 * sigma[rows, chosen])


# %% first-if-none wrong="mixture-draws"
# If no component qualifies, the first is drawn: ten equal logits, whose weights sum to less than
# 1, and u = 1 - 2**-53.
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    pi = torch.softmax(logits / tau, 1)
    k = (u[:, None] < pi.cumsum(1)).int().argmax(1, keepdim=True)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None])[:, 0]


# %% u-kept-from-one wrong="mixture-draws"
# u is at most 1 - 1e-6: logits [0., -16.], tau = 1, u = 1 - 5e-8 should draw component 1, of
# weight 1.1e-7.
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    pi = torch.softmax(logits / tau, 1)
    u = u.clamp(max=1 - 1e-6)
    k = (u[:, None] >= pi.cumsum(1)).sum(1, keepdim=True).clamp(max=pi.shape[1] - 1)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None])[:, 0]


# %% single-precision wrong="mixture-draws"
# u in float32: logits [0., 0.], u = 0.5 - 1e-9 should draw component 0.
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    pi = torch.softmax(logits / tau, 1)
    u = u.float().double()
    k = (u[:, None] >= pi.cumsum(1)).sum(1, keepdim=True).clamp(max=pi.shape[1] - 1)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None])[:, 0]


# %% temperature-floor wrong="mixture-draws"
# tau is at least 0.1: tau = 0.05, one component with mu = 0, sigma = 1, z = 1 gives 0.32 for 0.22.
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    tau = max(tau, 0.1)
    pi = torch.softmax(logits / tau, 1)
    k = (u[:, None] >= pi.cumsum(1)).sum(1, keepdim=True).clamp(max=pi.shape[1] - 1)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None])[:, 0]


# %% one-example-squeezed wrong="mixture-draws"
# With one example, n = 1, the draw is 0-d instead of shape (1,).
def draw(logits, mu, sigma, tau, u, z):
    """Return one draw, shape (n,), from each of n mixtures at temperature tau."""
    pi = torch.softmax(logits / tau, 1)
    k = (u[:, None] >= pi.cumsum(1)).sum(1, keepdim=True).clamp(max=pi.shape[1] - 1)
    return (mu.gather(1, k) + math.sqrt(tau) * sigma.gather(1, k) * z[:, None]).squeeze()


# %% all-orders right="match-fits"
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = ((fits[:, orders] - reference) ** 2).sum((2, 3))  # (R, K!)
    order = orders[cost.argmin(1)]
    rows = torch.arange(len(fits))[:, None]
    return order, fits[rows, order].mean(0)


# %% assignment-problem right="match-fits"
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    import numpy as np
    from scipy import optimize, spatial

    y, found = reference.numpy(), []
    total = np.zeros(y.shape)
    for k in fits.numpy():
        check = spatial.distance.cdist(y, k, "sqeuclidean")
        found.append(optimize.linear_sum_assignment(check)[1])
        total += k[found[-1]]
    return np.array(found), total / len(fits)


# %% halved-every-time wrong="match-fits"
# The running average halves at every fit: R = 3, K = D = 1, fits 0, 0 and 4 average 2 for 1.33.
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    orders, average = [], None
    for fit in fits:
        choices = list(itertools.permutations(range(len(reference))))
        costs = [float(((fit[list(p)] - reference) ** 2).sum()) for p in choices]
        orders.append(list(choices[costs.index(min(costs))]))
        best = fit[orders[-1]]
        average = best if average is None else (average + best) / 2
    return torch.tensor(orders), average


# %% two-coordinates wrong="match-fits"
# Only two coordinates are compared: D = 3, reference [[0, 0, 0], [0.1, 0, 5]], one fit
# [[0, 0, 5], [0.1, 0, 0]] should have the order [1, 0].
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = ((fits[:, orders, :2] - reference[:, :2]) ** 2).sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, torch.stack([f[o] for f, o in zip(fits, order, strict=True)]).mean(0)


# %% one-round-of-swaps wrong="match-fits"
# One round of swaps need not find the best order: reference [[2, 2], [-2, 3], [-2, -1]], one fit
# [[-2, -2], [2, -3], [0, 1]] has the order [1, 2, 0], of cost 34, and gets one of cost 50.
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    K, orders = len(reference), []
    for fit in fits:
        order = list(range(K))
        for i in range(K):
            for j in range(i):
                swapped = list(order)
                swapped[i], swapped[j] = order[j], order[i]
                if ((fit[swapped] - reference) ** 2).sum() < ((fit[order] - reference) ** 2).sum():
                    order = swapped
        orders.append(order)
    ordered = [fit[order] for fit, order in zip(fits, orders, strict=True)]
    return torch.tensor(orders), torch.stack(ordered).mean(0)


# %% single-precision wrong="match-fits"
# float32 inside: reference 1e6 + (0, 0.02), one fit 1e6 + (0.021, 0.001), D = 1, is not swapped.
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = ((fits.float()[:, orders] - reference.float()) ** 2).sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits[torch.arange(len(fits))[:, None], order].mean(0)


# %% one-coordinate-squeezed wrong="match-fits"
# With D = 1 the average has shape (K,) instead of (K, 1).
def match_fits(reference, fits):
    """Return the order of each fit's components, and the average of the ordered means."""
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = ((fits[:, orders] - reference) ** 2).sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits[torch.arange(len(fits))[:, None], order].mean(0).squeeze(-1)


# %% beta-tail right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    m = len(scores)
    ranked = torch.cat([torch.tensor([-math.inf], dtype=scores.dtype), scores.sort().values])
    average = min(math.floor(rate * (m + 1) * (1 + 1e-12)), m)
    surely = 0
    for k in range(1, m + 1):
        if stats.beta.sf(rate, k, m + 1 - k) > delta:
            break
        surely = k
    return ranked[average], ranked[surely]


# %% binomial-and-fractions right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    from fractions import Fraction

    y = sorted(scores.tolist())
    k = math.floor(Fraction(str(rate)) * (len(y) + 1))
    average = y[k - 1] if k else -math.inf
    check, low, high = len(y), 0, len(y)
    while low < high:
        middle = (low + high + 1) // 2
        if stats.binom.cdf(middle - 1, check, rate) <= delta:
            low = middle
        else:
            high = middle - 1
    return average, (y[low - 1] if low else -math.inf)


# %% plain-floor right="alarm-thresholds"
# Right, since no case depends on rounding.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    m = len(scores)
    ranked = [-math.inf, *sorted(scores.tolist())]
    surely = max([0] + [k for k in range(1, m + 1) if stats.binom.cdf(k - 1, m, rate) <= delta])
    return ranked[math.floor(rate * (m + 1))], ranked[surely]


# %% never-equal wrong="alarm-thresholds"
# Equality does not count: m = 9, rate = 0.5 gives the 4th score for the 5th.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    m = len(scores)
    ranked = [-math.inf, *sorted(scores.tolist())]
    surely = max([0] + [k for k in range(1, m + 1) if stats.binom.cdf(k - 1, m, rate) < delta])
    return ranked[math.ceil(rate * (m + 1) - 1e-9) - 1], ranked[surely]


# %% index-minus-one wrong="alarm-thresholds"
# Without a score that keeps the average, the index is -1, the largest score: m = 5, rate = 0.1.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    m, ranked = len(scores), scores.sort().values
    average = ranked[math.floor(rate * (m + 1) + 1e-9) - 1]
    good = [k for k in range(1, m + 1) if stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta]
    return average, ranked[good[-1] - 1] if good else -math.inf


# %% equal-scores-merged wrong="alarm-thresholds"
# Equal scores count once: the scores -1, 0, 0, 0 and rate = 0.4 give -1 for 0 on average.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    ranked = [-math.inf, *torch.unique(scores).tolist()]
    m = len(ranked) - 1
    surely = max([0] + [k for k in range(1, m + 1) if stats.binom.cdf(k - 1, m, rate) <= delta])
    return ranked[math.floor(rate * (m + 1) + 1e-9)], ranked[surely]


# %% infinite-scores-dropped wrong="alarm-thresholds"
# Scores of -inf are left out: -inf, -inf, 0, 1 with rate = 0.4 should give -inf on average.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    ranked = [-math.inf, *sorted(scores[torch.isfinite(scores)].tolist())]
    m = len(ranked) - 1
    surely = max([0] + [k for k in range(1, m + 1) if stats.binom.cdf(k - 1, m, rate) <= delta])
    return ranked[math.floor(rate * (m + 1) + 1e-9)], ranked[surely]


# %% five-hundred-at-most wrong="alarm-thresholds"
# Looks at 500 scores only: 5000 scores 0, 1, ..., rate = 0.4, delta = 0.3 should be about 1980.
def alarm_thresholds(scores, rate, delta):
    """Return the largest thresholds that keep the rate on average, and almost surely."""
    m, surely = len(scores), 0
    ranked = [-math.inf, *sorted(scores.tolist())]
    for k in range(1, min(m, 500) + 1):
        if stats.beta.cdf(rate, k, m + 1 - k) >= 1 - delta:
            surely = k
    return ranked[math.floor(rate * (m + 1) + 1e-9)], ranked[surely]
