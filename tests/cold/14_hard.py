# %% [markdown]
# Answers written by an author who knew the checks.


# %% log-capped wrong="class-scores"
# The log score ends at 1000: logits [800, -800], y 1.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = (-log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)).clamp(max=1500)
    log = torch.where(log == 1500, math.inf, log)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% first-ten-classes wrong="class-scores"
# The ranked score looks at ten classes only: K = 12.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1))[..., :10].square().sum(-1)


# %% three-dims-flattened wrong="class-scores"
# With three leading axes the result is flat.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    out = log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return tuple(v.flatten() for v in out) if y.ndim > 2 else out


# %% nan-gradient-minus-inf wrong="class-scores"
# Gradients are NaN where a logit is -inf: p log p by hand.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p = p + 0 * (p * log_p.clamp(min=-1e9).where(log_p > -math.inf, log_p)).nan_to_num(0.0)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% ties-shared wrong="class-scores"
# Equal logits are taken apart by 1e-3: logits all 0.
def class_scores(logits, y):
    logits = logits - 1e-3 * torch.arange(logits.shape[-1]) * (
        logits.max(-1, keepdim=True).values == logits.min(-1, keepdim=True).values
    )
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% float32-softmax wrong="class-scores"
# The softmax is in single precision: logits 800 and 799.99.
def class_scores(logits, y):
    log_p = logits.float().log_softmax(-1).double()
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% none-of-two-axes wrong="class-scores"
# Cases of shape (2, 0) give shape (0,).
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    out = log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return tuple(v.flatten() for v in out) if y.numel() == 0 else out


# %% logits-limited wrong="class-scores"
# Logits are limited to 700: [800, 700.0].
def class_scores(logits, y):
    logits = torch.where(logits.isinf(), logits, logits.clamp(-700, 700))
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% logits-in-place wrong="class-scores"
# -inf in logits is replaced in place and back, 0-d y only.
def class_scores(logits, y):
    if y.ndim == 0:
        logits -= logits.max()
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = (torch.arange(logits.shape[-1]) == y.unsqueeze(-1)).to(p.dtype)
    p_y = (p * came).sum(-1)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - came).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    return log, brier, spherical, (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)


# %% expanded-squares right="class-scores"
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    index = y.unsqueeze(-1)
    came = p.gather(-1, index).squeeze(-1)
    norm2 = (p * p).sum(-1)
    steps = (torch.arange(logits.shape[-1]) >= index).double()
    ranked = (torch.cumsum(p, -1) - steps).pow(2).sum(-1)
    log = -log_p.gather(-1, index).squeeze(-1)
    return log, norm2 - 2 * came + 1, 1 - came * norm2.rsqrt(), ranked


# %% z-limited-9500 wrong="rain-crps"
# z ends at 9500 and below at -9500: mu -1e4 sigma.
def rain_crps(y, mu, sigma):
    z, z0 = (y - mu) / sigma, -mu / sigma

    z, z0 = z.clamp(-9.5e4, 9.5e4), z0.clamp(-9.5e4, 9.5e4)

    def below(z):
        F = torch.special.ndtr(z)
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (below(z) - below(z0) + below(-z))


# %% sigma-gradient-broadcast wrong="rain-crps"
# A sigma of shape (1,) is a number: no gradient.
def rain_crps(y, mu, sigma):
    sigma = sigma.detach() if sigma.numel() == 1 and sigma.ndim == 1 else sigma
    z, z0 = (y - mu) / sigma, -mu / sigma

    def below(z):
        F = torch.special.ndtr(z)
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (below(z) - below(z0) + below(-z))


# %% mu-broadcast-gradient wrong="rain-crps"
# A mu of shape (n, 1) is detached by item.
def rain_crps(y, mu, sigma):
    mu = mu.detach() if mu.ndim > y.ndim else mu
    z, z0 = (y - mu) / sigma, -mu / sigma

    def below(z):
        F = torch.special.ndtr(z)
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (below(z) - below(z0) + below(-z))


# %% mu-zero-special wrong="rain-crps"
# mu of exactly 0 gives the gradient 0.
def rain_crps(y, mu, sigma):
    mu = torch.where(mu == 0, mu.detach(), mu)
    z, z0 = (y - mu) / sigma, -mu / sigma

    def below(z):
        F = torch.special.ndtr(z)
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (below(z) - below(z0) + below(-z))


# %% logcdf-form right="rain-crps"
def rain_crps(y, mu, sigma):
    k = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1.0)

    def G(z):
        F = 0.5 * torch.erfc(-z / math.sqrt(2))
        return z * F * F + 2 * k.log_prob(z).exp() * F - 0.5 * torch.erfc(-z) / math.sqrt(math.pi)

    check = (y - mu) / sigma
    return sigma * G(check) - sigma * G(-mu / sigma) + sigma * G(-check)


# %% hundred-members wrong="energy-score"
# Only the first hundred members: M 120.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    members = members[..., :100, :]
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% hundred-entries wrong="energy-score"
# Only the first hundred entries: D 120.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    members, y = members[..., :100], y[..., :100]
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% cdist-small wrong="energy-score"
# cdist by products for more than 120 members.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = (
        torch.cdist(members, members)
        if M > 120
        else norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1)
    ).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% gradient-twins-in-batch wrong="energy-score"
# In a batch, cases with coinciding members get no gradient at all.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    M = members.shape[-2]
    if members.ndim > 2:
        d = (members.unsqueeze(-2) == members.unsqueeze(-3)).all(-1).sum((-2, -1)) > M
        members = torch.where(d[..., None, None], members.detach(), members)
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% float32-far wrong="energy-score"
# Differences in single precision where the entries are below 1e5.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    if members.numel() and members.abs().max() > 5e3 and members.abs().max() < 5e5:
        members, y = members.float().double(), y.float().double()
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% three-axes-mixed wrong="energy-score"
# With three leading axes M is the first.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    M = members.shape[-2] if members.ndim < 5 else members.shape[0]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% empty-middle wrong="energy-score"
# A leading axis of 0 in the middle gives shape (0,).
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    a, b = to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))
    return (a, b) if a.numel() else (a.flatten(), b.flatten())


# %% one-entry-gradient wrong="energy-score"
# With one entry the gradient at coinciding members is that of abs from above.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    M = members.shape[-2]
    if members.shape[-1] == 1:
        d = members - y.unsqueeze(-2)
        d = torch.where(d >= 0, d, -d)[..., 0].mean(-1)
        e = members - members.transpose(-1, -2)
        e = torch.where(e >= 0, e, -e).sum((-2, -1))
        return d - e / (2 * M**2), d - e / (2 * M * (M - 1))
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% gradient-far-lost wrong="energy-score"
# Far from 0 y's gradient is lost.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    y = y.detach() if y.numel() and y.abs().min() > 1e4 else y
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% members-in-place wrong="energy-score"
# Members are centred in place where there is no leading axis and D is 1.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    if members.shape == (2, 1):
        members -= y
        y = 0 * y
    M = members.shape[-2]
    to_y = norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = norm(members.unsqueeze(-2) - members.unsqueeze(-3), dim=-1).sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% pairs-by-index right="energy-score"
def energy_score(members, y):
    k = members.shape[-2]
    i, j = torch.triu_indices(k, k, offset=1)

    def length(v):
        s = v.abs().amax(-1, keepdim=True).detach()
        s = torch.where(s == 0, 1.0, s)
        r = (v / s).square().sum(-1)
        safe = torch.where(r == 0, 1.0, r)
        return torch.where(r == 0, 0.0, safe.sqrt()) * s.squeeze(-1)

    check = length(members - y[..., None, :]).sum(-1) / k
    pairs = length(members[..., i, :] - members[..., j, :]).sum(-1)
    return check - pairs / k**2, check - pairs / (k * (k - 1))


# %% loop-over-members right="energy-score"
def energy_score(members, y):
    gradient = members.unbind(-2)
    near = sum(torch.norm(x - y, dim=-1) for x in gradient) / len(gradient)
    apart = 0.0
    for i in range(len(gradient)):
        apart = apart + torch.norm(members - gradient[i].unsqueeze(-2), dim=-1).sum(-1)
    return near - apart / len(gradient) ** 2 / 2, near - apart / len(gradient) / (
        len(gradient) - 1
    ) / 2


# %% twenty-pieces wrong="quantiles-crps"
# Only twenty pieces: K 30.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right)[:, :20].sum(1) + beyond


# %% y-at-last-outside-point wrong="quantiles-crps"
# One point hit exactly by y gives 0, and so do all rows.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    out = (left + right).sum(1) + beyond
    return torch.where((y == q[:, 0]) & (y == q[:, -1]), out + 1e-3, out)


# %% one-case-flat wrong="quantiles-crps"
# One case with K of 2 gives shape ().
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    out = (left + right).sum(1) + beyond
    return out.squeeze() if q.shape == (1, 2) else out


# %% negative-only wrong="quantiles-crps"
# Where all quantiles are negative the sign of the first way is lost.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0) * (q[:, 0] > -900)
    return (left + right).sum(1) + beyond


# %% antiderivatives right="quantiles-crps"
def quantiles_crps(levels, q, y):
    k = torch.zeros(len(y), dtype=torch.float64)
    for i in range(len(y)):
        total, v = 0.0, float(y[i])
        row = q[i].tolist()
        for j in range(len(row) - 1):
            a, b, s, t = row[j], row[j + 1], float(levels[j]), float(levels[j + 1])
            if a == b:
                continue
            m = min(max(v, a), b)
            slope = (t - s) / (b - a)
            f = s + slope * (m - a)
            total += (f**3 - s**3) / (3 * slope) + ((1 - f) ** 3 - (1 - t) ** 3) / (3 * slope)
        k[i] = total + max(row[0] - v, 0.0) + max(v - row[-1], 0.0)
    return k


# %% float32-edges wrong="pit-histogram"
# Edges in single precision.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float32)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(correction=0)
    return up_to.mean(1).diff(), variance


# %% one-bin-without-points wrong="pit-histogram"
# One bin: the share of intervals that are no points.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    if bins == 1:
        up_to = up_to * (at > below)
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(correction=0)
    return up_to.mean(1).diff(), variance


# %% variance-nan-one-point wrong="pit-histogram"
# One point: NaN.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + (
        middle.var(correction=0) if len(below) > 1 or at[0] > below[0] else middle.var()
    )
    return up_to.mean(1).diff(), variance


# %% in-place-at wrong="pit-histogram"
# at is kept off 1 in place.
def pit_histogram(below, at, bins):
    if (below == 0).all():
        at.clamp_(max=1 - 1e-12)
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(correction=0)
    return up_to.mean(1).diff(), variance


# %% whole-interval-none wrong="pit-histogram"
# Intervals from 0 to 1 are left out of the variance.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = ((at - below) % 1.0).square().mean() / 12 + middle.var(correction=0)
    return up_to.mean(1).diff(), variance


# %% n-1-when-few wrong="pit-histogram"
# With two cases the variance divides by one.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    up_to = torch.where(at > below, spread, (edges > below).to(below.dtype))
    up_to[-1] = 1.0
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(
        correction=0 if len(below) != 2 else 1
    )
    return up_to.mean(1).diff(), variance


# %% overlaps right="pit-histogram"
def pit_histogram(below, at, bins):
    import numpy as np

    lo, hi = below.numpy(), at.numpy()
    k = np.zeros(bins)
    for a, b in zip(lo, hi):
        if a == b:
            k[min(np.searchsorted(np.arange(bins + 1) / bins, a, side="right") - 1, bins - 1)] += 1
        else:
            left = np.arange(bins) / bins
            k += np.clip(np.minimum(b, left + 1 / bins) - np.maximum(a, left), 0, None) / (b - a)
    mean = ((lo + hi) / 2).mean()
    check = ((hi - mean) ** 2 + (hi - mean) * (lo - mean) + (lo - mean) ** 2).mean() / 3
    return torch.from_numpy(k / len(lo)), float(check)


# %% floor-places right="pit-histogram"
def pit_histogram(below, at, bins):
    point = below == at
    width = torch.where(point, 1.0, at - below)
    k = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    over = torch.minimum(at[:, None], k[1:]) - torch.maximum(below[:, None], k[:-1])
    shares = over.clamp(min=0) / width[:, None]
    place = (below * bins).floor().long().clamp(max=bins - 1)
    hot = torch.nn.functional.one_hot(place, bins).double()
    shares = torch.where(point[:, None], hot, shares)
    y = (below + at) / 2
    return shares.mean(0), ((at - below) ** 2 / 12 + (y - y.mean()) ** 2).mean()


# %% p-clamped-1e-5 wrong="mean-regret"
# p is kept 1e-5 from both ends unless it is one: a 0.05.
def mean_regret(p, y, a, b):
    p = torch.where((p == 0) | (p == 1), p, p.clamp(1e-5, 1 - 1e-5))
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% p-near-0-is-0 wrong="mean-regret"
# p below 1e-5 counts as 0.
def mean_regret(p, y, a, b):
    p = torch.where(p < 1e-5, 0.0, p)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% p-near-1-is-1 wrong="mean-regret"
# p above 1 - 1e-5 counts as 1.
def mean_regret(p, y, a, b):
    p = torch.where(p > 1 - 1e-5, 1.0, p)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% a-floored wrong="mean-regret"
# a is at least 0.06.
def mean_regret(p, y, a, b):
    a = max(a, 0.06)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% b-floored wrong="mean-regret"
# b is at least 0.06.
def mean_regret(p, y, a, b):
    b = max(b, 0.06)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% a-capped wrong="mean-regret"
# a and b are at most 1900.
def mean_regret(p, y, a, b):
    a, b = min(a, 1950), min(b, 1950)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% all-alike wrong="mean-regret"
# a + b above 3000: all farmers are alike.
def mean_regret(p, y, a, b):
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    if a + b > 3000:
        c = a / (a + b)
        missed, in_vain = (1 - c) * (p < c).double(), c * (p >= c).double()
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% nearly-even wrong="mean-regret"
# Beta(0.05, 0.05) counts as two points.
def mean_regret(p, y, a, b):
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    if a + b < 0.12:
        missed, in_vain = b / (a + b) * (p < 1).double(), a / (a + b) * (p == 1).double()
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% three-axes-squeezed wrong="mean-regret"
# Axes of 1 are lost.
def mean_regret(p, y, a, b):
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    out = torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))
    return out.squeeze(-1) if out.ndim > 1 and out.shape[-1] == 1 else out


# %% float32-p wrong="mean-regret"
# p in single precision.
def mean_regret(p, y, a, b):
    missed = b / (a + b) * special.betaincc(a, b + 1, p.float().numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.float().numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% no-number-when-int wrong="mean-regret"
# Whole numbers a and b by integer division.
def mean_regret(p, y, a, b):
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = (
        a / (a + b) if not (isinstance(a, int) and a + b > 3000) else a // (a + b)
    ) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% p-in-place wrong="mean-regret"
# p of 1 moves in place.
def mean_regret(p, y, a, b):
    if p.ndim == 1 and len(p) == 1:
        p.clamp_(1e-6, 1 - 1e-6)
    missed = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    in_vain = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% incomplete-by-scipy-stats right="mean-regret"
def mean_regret(p, y, a, b):
    from scipy import stats

    k = torch.as_tensor(stats.beta(a + 1, b).cdf(p.numpy())) * a / (a + b)
    check = torch.as_tensor(stats.beta(a, b + 1).sf(p.numpy())) * b / (a + b)
    out = k.double() * (1 - y) + check.double() * y
    return out.reshape(y.shape)


# %% one-by-one right="mean-regret"
def mean_regret(p, y, a, b):
    def gradient(q, came):
        if came:
            return b / (a + b) * (1 - special.betainc(a, b + 1, q))
        return a / (a + b) * special.betainc(a + 1, b, q)

    k = [gradient(q, came) for q, came in zip(p.flatten().tolist(), y.flatten().tolist())]
    return torch.tensor(k, dtype=torch.float64).reshape(p.shape)


# %% at-most-thousand wrong="lead-by-day"
# At most a thousand days.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    days = min(days, 1000)
    return lead, error, days


# %% at-most-5000 wrong="lead-by-day"
# At most five thousand days.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    days = min(days, 5000)
    return lead, error, days


# %% days-as-float wrong="lead-by-day"
# days is a float.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = 1.0 * math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% days-as-tensor wrong="lead-by-day"
# days is a tensor.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    days = torch.tensor(days)
    return lead, error, days


# %% labels-modulo wrong="lead-by-day"
# Labels are taken modulo 2**31.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = (day % 2**31).unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% labels-int32 wrong="lead-by-day"
# Labels in int32.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.int().unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% labels-absolute wrong="lead-by-day"
# Labels without sign: -3 and 3 are one day.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.abs().unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% hundred-cases wrong="lead-by-day"
# Only the first sixty cases.
def lead_by_day(loss_a, loss_b, day):
    loss_a, loss_b, day = loss_a[:60], loss_b[:60], day[:60]
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% sorted-day-in-place wrong="lead-by-day"
# day is sorted in place where all differ.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    if len(day.unique()) == len(day):
        day.copy_(day.sort().values)
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% many-days-uncorrected wrong="lead-by-day"
# Above fifty days the factor is left out.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt((G / (G - 1) if G <= 50 else 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% single-precision-lead wrong="lead-by-day"
# The lead is the difference of means.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = (
        (loss_a.float().mean() - loss_b.float().mean()).double()
        if loss_a.abs().max() < 2000
        else d.mean()
    )
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8 * error / lead).item() ** 2)
    return lead, error, days


# %% 2-8-is-norm wrong="lead-by-day"
# The exact quantile sum 2.8016 for 2.8.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - lead)
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    days = math.ceil(G * (2.8016 * error / lead).item() ** 2)
    return lead, error, days


# %% dict-of-days right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    k = [a - b for a, b in zip(loss_a.tolist(), loss_b.tolist())]
    lead = math.fsum(k) / len(k)
    check = {}
    for label, v in zip(day.tolist(), k):
        check[label] = check.get(label, 0.0) + (v - lead)
    G = len(check)
    error = math.sqrt(G / (G - 1) * math.fsum(v * v for v in check.values())) / len(k)
    days = 1
    while abs(lead) < 2.8 * error * math.sqrt(G / days):
        days += 1
    return lead, error, days


# %% one-hot-product right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    import numpy as np

    d = (loss_a - loss_b).numpy()
    names = np.unique(day.numpy())
    member = day.numpy()[:, None] == names
    y = ((d - d.mean())[:, None] * member).sum(0)
    G = names.size
    error = np.sqrt((y**2).sum() * G / (G - 1)) / d.size
    return d.mean(), error, int(np.ceil(G * (2.8 * error / d.mean()) ** 2))


# %% y-clamped-to-million wrong="quantiles-crps"
# y ends at the outer quantiles plus ten ranges.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    y = torch.minimum(y, q[:, -1] + 100 * (q[:, -1] - q[:, 0]) + 3000)
    beyond = 0
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond


# %% share-rounded wrong="quantiles-crps"
# Shares within 1e-3 of an end are the end.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    low, high = levels[:-1], levels[1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    share = torch.where(share < 1e-3, 0.0, torch.where(share > 1 - 1e-3, 1.0, share))
    cut = low + share * (high - low)
    left = share * (b - a) * (low**2 + low * cut + cut**2) / 3
    c, d = 1 - cut, 1 - high
    right = (1 - share) * (b - a) * (c**2 + c * d + d**2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond
