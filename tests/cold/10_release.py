# %% [markdown]
# Answers written from the text alone.


# %% owner-broadcast right="density-and-owner"
# Everything by hand on an array of shape (n, K, D); logsumexp over components.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + parts
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-distributions right="density-and-owner"
# A loop over components with torch.distributions; the softmax is normalised at the end.
def density_and_owner(x, logits, mu, log_sigma):
    from torch.distributions import Independent, Normal

    columns = []
    for k in range(len(logits)):
        component = Independent(Normal(mu[k], log_sigma[k].exp()), 1)
        columns.append(logits[k] + component.log_prob(x))
    joint = torch.stack(columns, 1)
    log_p = torch.logsumexp(joint, 1) - torch.logsumexp(logits, 0)
    return log_p, torch.log_softmax(joint, 1)


# %% owner-constant-of-two wrong="density-and-owner"
# The constant is log(2 pi), right for vectors with D = 2 entries as in the example: log_p is
# wrong for every other D.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    parts = (-0.5 * z**2 - log_sigma).sum(2) - math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) + parts
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-log-of-softmax wrong="density-and-owner"
# Logarithm of the softmax: a weight e^-1600 (logits 800 and -800) rounds to 0, so that its
# log-responsibility is -inf; gradients are nan there and for a logit of -inf.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None, :] - mu) * torch.exp(-log_sigma)
    parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.softmax(logits, 0).log() + parts
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-expanded-square wrong="density-and-owner"
# Expands the square, x^2 - 2 x mu + mu^2, to use matrix products: cancels where sigma is small
# beside the means (mu = 900, log_sigma = -15: squares off by about 1000).
def density_and_owner(x, logits, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    squares = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = log_sigma.sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi)
    joint = torch.log_softmax(logits, 0) - 0.5 * squares - constant
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% owner-sigma-detached wrong="density-and-owner"
# Divides by a detached sigma: the values are right, and the gradient of log_p with respect to
# log_sigma lacks the squares (any x that is not at a mean).
def density_and_owner(x, logits, mu, log_sigma):
    with torch.no_grad():
        sigma = log_sigma.exp()
    z = (x[:, None, :] - mu) / sigma
    parts = (-0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(2)
    joint = torch.log_softmax(logits, 0) + parts
    log_p = torch.logsumexp(joint, 1)
    return log_p, joint - log_p[:, None]


# %% em-shifted-columns right="careful-em"
# Responsibilities in logarithms, each column scaled by its largest entry, data measured from
# the point that a component likes best: nothing cancels and nothing rounds to 0 / 0.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * ((x[:, None] - mu) / var.sqrt()) ** 2
    log_r = torch.log_softmax(joint, 1)
    count = log_r.exp().sum(0)
    used = count > 0
    top, best = log_r.max(0)
    share = torch.exp(log_r - torch.where(used, top, torch.zeros_like(top)))
    total = torch.where(used, share.sum(0), torch.ones_like(count))
    origin = x[best]
    away = x[:, None] - origin
    new_mu = torch.where(used, origin + (share * away).sum(0) / total, mu)
    spread = (share * (x[:, None] - new_mu) ** 2).sum(0) / total
    if c > 0:
        new_var = (torch.where(used, count * spread, torch.zeros_like(var)) + c * s2) / (count + c)
    else:
        new_var = torch.where(used, spread, var)
    return count / len(x), new_mu, new_var


# %% em-numpy-loop right="careful-em"
# NumPy and SciPy, one component after the other.
def careful_em_step(x, pi, mu, var, c, s2):
    import numpy as np
    from scipy.special import log_softmax

    data, w, m, v = (t.detach().numpy().copy() for t in (x, pi, mu, var))
    with np.errstate(divide="ignore"):
        joint = np.log(w) - 0.5 * np.log(v) - 0.5 * (data[:, None] - m) ** 2 / v
    log_r = log_softmax(joint, axis=1)
    for k in range(len(w)):
        r = np.exp(log_r[:, k])
        count = r.sum()
        w[k] = count / len(data)
        if count == 0:
            v[k] = s2 if c > 0 else v[k]
            continue
        relative = np.exp(log_r[:, k] - log_r[:, k].max())
        m[k] = data[0] + np.average(data - data[0], weights=relative)
        squares = (data - m[k]) ** 2
        if c > 0:
            v[k] = (np.sum(r * squares) + c * s2) / (count + c)
        else:
            v[k] = np.average(squares, weights=relative)
    return torch.from_numpy(w), torch.from_numpy(m), torch.from_numpy(v)


# %% em-mean-of-squares wrong="careful-em"
# The variance as the mean of squares minus the square of the mean: cancels for data of the
# size of 1e6 with a spread of 1 (errors of 1e-4 and more, even negative variances).
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    squares = (r * x[:, None] ** 2).sum(0) - count * new_mu**2
    if c > 0:
        new_var = (squares + c * s2) / (count + c)
    else:
        new_var = torch.where(used, squares / safe, var)
    return count / len(x), new_mu, new_var


# %% em-unused-below-threshold wrong="careful-em"
# Calls a component unused if N_k is below 1e-8: one with N_k = 1e-12 keeps its mean (and, if
# c = 0, its variance) though it is used, and must move to the points.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 1e-8
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    squares = (r * (x[:, None] - new_mu) ** 2).sum(0)
    if c > 0:
        new_var = (squares + c * s2) / (count + c)
    else:
        new_var = torch.where(used, squares / safe, var)
    return count / len(x), new_mu, new_var


# %% em-unused-keeps-variance wrong="careful-em"
# An unused component keeps its variance always: with c > 0 it should become s2.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    squares = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = torch.where(used, (squares + c * s2) / (safe + c), var)
    return count / len(x), new_mu, new_var


# %% em-only-weight-zero-is-unused wrong="careful-em"
# Looks for unused components by their old weight only: one with a positive weight that is far
# from all points has N_k = 0, and its mean becomes 0 / 0 = nan.
def careful_em_step(x, pi, mu, var, c, s2):
    used = pi > 0
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.softmax(joint, 1)
    count = r.sum(0)
    new_mu = torch.where(used, (r * x[:, None]).sum(0) / count, mu)
    squares = (r * (x[:, None] - new_mu) ** 2).sum(0)
    new_var = (squares + c * s2) / (count + c)
    kept = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), new_mu, torch.where(used, new_var, kept)


# %% holey-masked-sum right="holey-loss"
# Holes are filled before any arithmetic and their terms replaced by 0; empty rows by 0 as well.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    logits = raw[:, :k]
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sd = raw[:, k + k * d :].reshape(n, k, d)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (target - mu) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    terms = torch.where(seen[:, None, :], terms, torch.zeros_like(terms))
    log_p = torch.logsumexp(torch.log_softmax(logits, 1) + terms.sum(2), 1)
    return -torch.where(seen.any(1), log_p, torch.zeros_like(log_p)).sum() / n


# %% holey-row-by-row right="holey-loss"
# One example after the other, with torch.distributions on the measured columns only.
def holey_loss(raw, y):
    from torch.distributions import Normal

    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    total = (raw * 0).sum()
    for row, target in zip(raw, y):
        at = torch.nonzero(~torch.isnan(target)).flatten()
        if len(at) == 0:
            continue
        logits, mu, log_sd = torch.split(row, [k, k * d, k * d])
        heads = Normal(mu.reshape(k, d)[:, at], log_sd.reshape(k, d)[:, at].exp())
        joint = logits + heads.log_prob(target[at].expand(k, -1)).sum(1)
        total = total + torch.logsumexp(logits, 0) - torch.logsumexp(joint, 0)
    return total / n


# %% holey-zero-is-a-hole wrong="holey-loss"
# Fills holes with 0 and then takes every 0 for a hole: a number that was measured as exactly 0
# is left out.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    target = torch.nan_to_num(y, nan=0.0)
    seen = target != 0
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sd = raw[:, k + k * d :].reshape(n, k, d)
    z = (target[:, None, :] - mu) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    terms = (terms * seen[:, None, :]).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(raw[:, :k], 1) + terms, 1)
    return -(log_p * seen.any(1)).mean()


# %% holey-clamped-log-sd wrong="holey-loss"
# Clamps log standard deviations to [-7, 7], as networks often do: wrong in value, and without
# gradient, beyond (they lie between -15 and 15).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sd = raw[:, k + k * d :].reshape(n, k, d).clamp(-7, 7)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (target - mu) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    terms = (terms * seen[:, None, :]).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(raw[:, :k], 1) + terms, 1)
    return -(log_p * seen.any(1)).mean()


# %% holey-fills-callers-holes wrong="holey-loss"
# Writes zeros into the holes of the caller's own y: the first value is right, but y has changed,
# and the next call takes the zeros for measurements (any y with a nan).
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // (1 + 2 * d)
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sd = raw[:, k + k * d :].reshape(n, k, d)
    seen = ~torch.isnan(y)
    y[~seen] = 0.0
    z = (y[:, None, :] - mu) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    terms = (terms * seen[:, None, :]).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(raw[:, :k], 1) + terms, 1)
    return -(log_p * seen.any(1)).mean()


# %% holey-five-columns-each wrong="holey-loss"
# Takes five columns of raw for each component, 1 + 2 D for D = 2 as in the example: finds too
# few components for D = 1, and too many for D = 3 and K = 3, and cuts raw at wrong places.
def holey_loss(raw, y):
    n, d = y.shape
    k = raw.shape[1] // 5
    mu = raw[:, k : k + k * d].reshape(n, k, d)
    log_sd = raw[:, k + k * d : k + 2 * k * d].reshape(n, k, d)
    seen = ~torch.isnan(y)
    target = torch.where(seen, y, torch.zeros_like(y))[:, None, :]
    z = (target - mu) * torch.exp(-log_sd)
    terms = -0.5 * z**2 - log_sd - 0.5 * math.log(2 * math.pi)
    terms = (terms * seen[:, None, :]).sum(2)
    log_p = torch.logsumexp(torch.log_softmax(raw[:, :k], 1) + terms, 1)
    return -(log_p * seen.any(1)).mean()


# %% given-formulas right="given-x"
# The formulas of a conditional Normal, written out.
def given_x(x, pi, mu, cov):
    away = x[:, None] - mu[:, 0]
    v_x, v_xy, v_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    joint = pi.log() - 0.5 * v_x.log() - 0.5 * away**2 / v_x
    means = mu[:, 1] + v_xy / v_x * away
    variances = (v_y - v_xy**2 / v_x).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-cholesky right="given-x"
# A Cholesky factor of each matrix: its rows say how x and then y are made of two standard
# normals, the first of which is known once x is.
def given_x(x, pi, mu, cov):
    root = torch.linalg.cholesky(cov)
    z = (x.unsqueeze(1) - mu[:, 0]) / root[:, 0, 0]
    joint = torch.log(pi) - torch.log(root[:, 0, 0]) - z * z / 2
    log_weights = joint - torch.logsumexp(joint, 1, keepdim=True)
    means = mu[:, 1] + root[:, 1, 0] * z
    return log_weights, means, torch.zeros_like(z) + root[:, 1, 1] ** 2


# %% given-floor-under-weights wrong="given-x"
# Adds 1e-300 to the weights before the logarithm: a weight of 0 has a finite log weight in
# place of -inf, and may even win where x is far from the others.
def given_x(x, pi, mu, cov):
    away = x[:, None] - mu[:, 0]
    v_x, v_xy, v_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    joint = (pi + 1e-300).log() - 0.5 * v_x.log() - 0.5 * away**2 / v_x
    means = mu[:, 1] + v_xy / v_x * away
    variances = (v_y - v_xy**2 / v_x).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-floor-under-variances wrong="given-x"
# Keeps variances above 1e-6 "against rounding": wrong for small standard deviations of y, which
# may be 1e-6, and for strong correlations.
def given_x(x, pi, mu, cov):
    away = x[:, None] - mu[:, 0]
    v_x, v_xy, v_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    joint = pi.log() - 0.5 * v_x.log() - 0.5 * away**2 / v_x
    means = mu[:, 1] + v_xy / v_x * away
    variances = (v_y - v_xy**2 / v_x).clamp(min=1e-6).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), means, variances


# %% given-stacked-rows wrong="given-x"
# Makes one row after the other and stacks them: fails for n = 0, where nothing is to stack.
def given_x(x, pi, mu, cov):
    v_x, v_xy, v_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    rows = []
    for value in x:
        away = value - mu[:, 0]
        joint = pi.log() - 0.5 * v_x.log() - 0.5 * away**2 / v_x
        means = mu[:, 1] + v_xy / v_x * away
        rows.append((torch.log_softmax(joint, 0), means, v_y - v_xy**2 / v_x))
    return tuple(torch.stack(column) for column in zip(*rows, strict=True))


# %% given-slope-and-intercept wrong="given-x"
# Means as intercept plus slope times x: cancels for a steep slope far from zero (sd of x 1e-6,
# sd of y 1e6, mean of x 900: the mean of y is off by about 0.1).
def given_x(x, pi, mu, cov):
    away = x[:, None] - mu[:, 0]
    v_x, v_xy, v_y = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    joint = pi.log() - 0.5 * v_x.log() - 0.5 * away**2 / v_x
    slope = v_xy / v_x
    intercept = mu[:, 1] - slope * mu[:, 0]
    variances = (v_y - slope * v_xy).expand(len(x), len(pi)).clone()
    return torch.log_softmax(joint, 1), intercept + slope * x[:, None], variances


# %% draw-count-and-gather right="mixture-draws"
# The component is the number of cumulative sums that u has reached, at most K - 1; gather.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, 1).cumsum(1)
    k = (u[:, None] >= sums).sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    centre, width = mu.gather(1, k).squeeze(1), sigma.gather(1, k).squeeze(1)
    return centre + math.sqrt(tau) * width * z


# %% draw-python-search right="mixture-draws"
# A search through the running sums of each row in Python; then indexing.
def draw(logits, mu, sigma, tau, u, z):
    chosen = []
    for weights, level in zip(torch.softmax(logits.detach() / tau, 1).tolist(), u.tolist()):
        sums = itertools.accumulate(weights)
        chosen.append(next((k for k, s in enumerate(sums) if level < s), len(weights) - 1))
    rows, columns = torch.arange(len(u)), torch.tensor(chosen, dtype=torch.long)
    return z * (sigma[rows, columns] * tau**0.5) + mu[rows, columns]


# %% draw-searchsorted-left wrong="mixture-draws"
# The first k with u <= sum, as searchsorted finds by default: with u = 0 a first component
# whose weight rounds to 0 is drawn (logits -800 and 800).
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, 1).cumsum(1)
    k = torch.searchsorted(sums, u[:, None]).clamp(max=logits.shape[1] - 1)
    centre, width = mu.gather(1, k).squeeze(1), sigma.gather(1, k).squeeze(1)
    return centre + math.sqrt(tau) * width * z


# %% draw-argmax-of-comparison wrong="mixture-draws"
# The first k with u < sum, by argmax: where none qualifies, because the weights sum to less
# than u = 1 - 2**-53, argmax gives component 0 in place of the last.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, 1).cumsum(1)
    k = (u[:, None] < sums).to(torch.int64).argmax(1, keepdim=True)
    centre, width = mu.gather(1, k).squeeze(1), sigma.gather(1, k).squeeze(1)
    return centre + math.sqrt(tau) * width * z


# %% draw-stacked wrong="mixture-draws"
# Draws for one example after the other and stacks them: fails for n = 0.
def draw(logits, mu, sigma, tau, u, z):
    draws = []
    for i in range(len(u)):
        sums = torch.softmax(logits[i] / tau, 0).cumsum(0)
        k = min(int((u[i] >= sums).sum()), len(sums) - 1)
        draws.append(mu[i, k] + math.sqrt(tau) * sigma[i, k] * z[i])
    return torch.stack(draws)


# %% draw-sigma-kept-positive wrong="mixture-draws"
# Keeps sigma above a thousandth: a component with a sigma of 0 is not drawn at its mean.
def draw(logits, mu, sigma, tau, u, z):
    sums = torch.softmax(logits / tau, 1).cumsum(1)
    k = (u[:, None] >= sums).sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    centre, width = mu.gather(1, k).squeeze(1), sigma.gather(1, k).squeeze(1)
    return centre + math.sqrt(tau) * width.clamp(min=1e-3) * z


# %% match-all-permutations right="match-fits"
# Tries all orders at once on a table of squared distances.
def match_fits(reference, fits):
    k = len(reference)
    cost = ((reference[None, :, None, :] - fits[:, None, :, :]) ** 2).sum(3)
    orders = torch.tensor(list(itertools.permutations(range(k))))
    sums = cost[:, torch.arange(k), orders].sum(2)
    order = orders[sums.argmin(1)]
    ordered = fits[torch.arange(len(fits))[:, None], order]
    return order, reference + (ordered - reference).mean(0)


# %% match-hungarian right="match-fits"
# SciPy's assignment, one fit after the other.
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    known = reference.detach().numpy()
    order, total = [], torch.zeros_like(reference)
    for fit in fits:
        other = fit.detach().numpy()
        cost = ((known[:, None] - other[None]) ** 2).sum(2)
        columns = torch.as_tensor(linear_sum_assignment(cost)[1], dtype=torch.int64)
        order.append(columns)
        total = total + fit[columns]
    return torch.stack(order), total / len(fits)


# %% match-expanded-squares wrong="match-fits"
# Squared distances as |a|^2 - 2 a b + |b|^2: cancels for means far from zero (1e9, where the
# squares have a resolution of 128), and the order is decided by rounding.
def match_fits(reference, fits):
    k = len(reference)
    own = (reference**2).sum(1)[None, :, None]
    cost = own - 2 * reference @ fits.transpose(1, 2) + (fits**2).sum(2)[:, None, :]
    orders = torch.tensor(list(itertools.permutations(range(k))))
    sums = cost[:, torch.arange(k), orders].sum(2)
    order = orders[sums.argmin(1)]
    ordered = fits[torch.arange(len(fits))[:, None], order]
    return order, ordered.mean(0)


# %% match-swaps-until-stuck wrong="match-fits"
# Swaps two components as long as that helps: stuck where only a cycle of three helps, as for
# an equilateral triangle that is turned by 80 degrees about its centre.
def match_fits(reference, fits):
    cost = ((reference[None, :, None, :] - fits[:, None, :, :]) ** 2).sum(3).tolist()
    k = len(reference)
    found = []
    for table in cost:
        order = list(range(k))
        moved = True
        while moved:
            moved = False
            for i, j in itertools.combinations(range(k), 2):
                now = table[i][order[i]] + table[j][order[j]]
                if table[i][order[j]] + table[j][order[i]] < now:
                    order[i], order[j] = order[j], order[i]
                    moved = True
        found.append(order)
    order = torch.tensor(found)
    ordered = fits[torch.arange(len(fits))[:, None], order]
    return order, ordered.mean(0)


# %% match-greedy-for-many wrong="match-fits"
# All orders for up to four components, the closest pair first for more: wrong for K = 5 or 6
# where two components want the same partner.
def match_fits(reference, fits):
    k = len(reference)
    cost = ((reference[None, :, None, :] - fits[:, None, :, :]) ** 2).sum(3)
    if k <= 4:
        orders = torch.tensor(list(itertools.permutations(range(k))))
        order = orders[cost[:, torch.arange(k), orders].sum(2).argmin(1)]
    else:
        order = torch.zeros(len(fits), k, dtype=torch.int64)
        for r, table in enumerate(cost):
            for _ in range(k):
                i, j = divmod(int(table.argmin()), k)
                order[r, i] = j
                table[i, :] = math.inf
                table[:, j] = math.inf
    ordered = fits[torch.arange(len(fits))[:, None], order]
    return order, ordered.mean(0)


# %% match-running-average wrong="match-fits"
# Matches each fit to the average of the fits so far, not to the reference: wrong for a later
# fit where the earlier ones lie elsewhere (clear for R >= 2 fits far from the reference).
def match_fits(reference, fits):
    k = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(k))))
    average, found = reference, []
    for r, fit in enumerate(fits):
        cost = ((average[:, None, :] - fit[None, :, :]) ** 2).sum(2)
        order = orders[cost[torch.arange(k), orders].sum(1).argmin()]
        found.append(order)
        average = fit[order] if r == 0 else average + (fit[order] - average) / (r + 1)
    return torch.stack(found), average


# %% alarm-binomial right="alarm-thresholds"
# The rate is exceeded exactly if fewer than k of m uniform numbers lie below it: a binomial
# distribution function, for all k at once.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    average = min(m, math.floor(rate * (m + 1) * (1 + 1e-12)))
    risk = stats.binom.cdf(range(m), m, rate)
    surely = int((risk <= delta * (1 + 1e-12)).sum())
    return padded[average], padded[surely]


# %% alarm-beta-bisection right="alarm-thresholds"
# The Beta distribution of the text, and a bisection over k; Python numbers.
def alarm_thresholds(scores, rate, delta):
    ordered = sorted(scores.tolist())
    m = len(ordered)

    def largest(keeps):
        low, high = 0, m + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if keeps(middle) else (low, middle)
        return ordered[low - 1] if low > 0 else -math.inf

    slack = 1 + 1e-12
    average = largest(lambda k: k <= rate * (m + 1) * slack)
    surely = largest(lambda k: stats.beta.sf(rate, k, m + 1 - k) <= delta * slack)
    return average, surely


# %% alarm-plain-floor right="alarm-thresholds"
# Rounds the product down as it comes: 0.29 * 100 is 28.999999999999996 in floating point, but in
# no case does it depend on rounding whether the promise is kept with equality.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    average = math.floor(rate * (m + 1))
    risk = stats.binom.cdf(range(m), m, rate)
    surely = int((risk <= delta * (1 + 1e-12)).sum())
    return padded[average], padded[surely]


# %% alarm-m-for-m-plus-one wrong="alarm-thresholds"
# Takes k / m for the mean of the false-alarm rate: one score too low where a whole number lies
# between rate * m and rate * (m + 1) (m = 9, rate 0.1: k is 0 in place of 1).
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    average = math.floor(rate * m * (1 + 1e-12))
    risk = stats.binom.cdf(range(m), m, rate)
    surely = int((risk <= delta * (1 + 1e-12)).sum())
    return padded[average], padded[surely]


# %% alarm-normal-approximation wrong="alarm-thresholds"
# A Normal with continuity correction in place of the binomial: wrong for a small rate or a
# small delta (m = 1000, rate 0.01, delta 0.001: k is 0 in place of 2).
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    average = min(m, math.floor(rate * (m + 1) * (1 + 1e-12)))
    spread = math.sqrt(m * rate * (1 - rate))
    surely = math.floor(m * rate + stats.norm.ppf(delta) * spread + 0.5)
    return padded[average], padded[min(m, max(0, surely))]


# %% alarm-finite-scores-only wrong="alarm-thresholds"
# Throws scores of -inf away before it counts: they are clean measurements as well, and both
# thresholds come out too high where some scores are -inf.
def alarm_thresholds(scores, rate, delta):
    scores = scores[torch.isfinite(scores)]
    m = len(scores)
    padded = torch.cat([torch.full((1,), -math.inf, dtype=scores.dtype), scores.sort().values])
    average = min(m, math.floor(rate * (m + 1) * (1 + 1e-12)))
    risk = stats.binom.cdf(range(m), m, rate)
    surely = int((risk <= delta * (1 + 1e-12)).sum())
    return padded[average], padded[surely]
