# %% [markdown]
# # Answers to assignment 14
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## class-scores


# %% by-one-hot right="class-scores"
def class_scores(logits, y):
    K = logits.shape[-1]
    p = torch.softmax(logits, dim=-1)
    hit = torch.nn.functional.one_hot(y, K).bool()
    chosen = torch.where(hit, p, torch.zeros_like(p)).sum(-1)
    log = -torch.where(hit, torch.log_softmax(logits, -1), torch.zeros_like(p)).sum(-1)
    brier = 1 - 2 * chosen + (p * p).sum(-1)
    below = torch.cumsum(p, -1)
    reached = torch.cumsum(hit.to(p.dtype), -1)
    return (
        log,
        brier,
        1 - chosen / torch.linalg.vector_norm(p, dim=-1),
        ((below - reached) ** 2).sum(-1),
    )


# %% by-categorical right="class-scores"
def class_scores(logits, y):
    forecast = torch.distributions.Categorical(logits=logits, validate_args=False)
    p = forecast.probs
    p_y = p.take_along_dim(y[..., None], -1)[..., 0]
    brier = (p**2).sum(-1) - p_y**2 + (1 - p_y) ** 2
    ranked = torch.zeros_like(brier)
    for k in range(p.shape[-1] - 1):
        ranked += (p[..., : k + 1].sum(-1) - (y <= k).to(p.dtype)) ** 2
    raw_y = logits.take_along_dim(y[..., None], -1)[..., 0]
    return logits.logsumexp(-1) - raw_y, brier, 1 - p_y / p.norm(dim=-1), ranked


# %% case-by-case right="class-scores" oracle=True
def class_scores(logits, y):
    # the ranked score as E|X - y| - E|X - X'| / 2, over all pairs of classes
    K, columns = logits.size(-1), ([], [], [], [])
    rows = logits.reshape(-1, K)
    number = torch.arange(K, dtype=logits.dtype)
    apart = (number[:, None] - number[None, :]).abs()
    for raw, label in zip(rows, y.reshape(-1).tolist(), strict=True):
        weights = torch.exp(raw - raw.max())
        total = torch.sum(weights)
        share = weights / total
        other = torch.cat([share[:label], share[label + 1 :]])
        miss = other.sum()
        columns[0].append(torch.log(total) - (raw[label] - raw.max()))
        columns[1].append(miss * miss + torch.dot(other, other))
        columns[2].append(1 - share[label] * torch.rsqrt(torch.dot(share, share)))
        columns[3].append(share @ apart[label] - share @ apart @ share / 2)
    empty = logits.new_zeros(0, 1)[:, 0]
    log, brier, spherical, ranked = (
        torch.stack([*column]) if column else empty for column in columns
    )
    return [score.reshape(y.shape) for score in (log, brier, spherical, ranked)]


# %% log-likelihood wrong="class-scores" fails="log,gradient"
# This is the log-likelihood; as a loss it takes a minus.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    log = log_p.gather(-1, y[..., None])[..., 0]
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% log-of-rounded wrong="class-scores" fails="log,gradient"
# exp of very negative logits rounds to 0 before the logarithm: use log_softmax.
def class_scores(logits, y):
    p = logits.softmax(-1)
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    log = -p.gather(-1, y[..., None])[..., 0].log()
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% log-clamped wrong="class-scores" fails="log,gradient"
# A floor under the probability forgives confident mistakes: the loss must go on growing.
def class_scores(logits, y):
    p = logits.softmax(-1)
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    log = -p.gather(-1, y[..., None])[..., 0].clamp(min=1e-12).log()
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% log-by-product wrong="class-scores" fails="log"
# 0 times -inf is nan: pick the log-probability of the class that came, do not multiply.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    log = -(log_p * came).sum(-1)
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% brier-of-one-class wrong="class-scores" fails="brier,gradient"
# The Brier score sums over all classes, not only over the one that came.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    p_y = (p * came).sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (1 - p_y).square(), 1 - p_y / p.norm(dim=-1), ranked


# %% brier-mean-over-classes wrong="class-scores" fails="brier,gradient"
# Sum the squares over the classes; the mean divides by K.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    p_y = (p * came).sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (p - came).square().mean(-1), 1 - p_y / p.norm(dim=-1), ranked


# %% absolute-for-square wrong="class-scores" fails="brier,gradient"
# Absolute differences make the linear score, which rewards exaggeration: square them.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    p_y = (p * came).sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (p - came).abs().sum(-1), 1 - p_y / p.norm(dim=-1), ranked


# %% spherical-without-root wrong="class-scores" fails="spherical,gradient"
# Divide by the length of p, the root of the sum of its squares.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    spherical = 1 - (p * came).sum(-1) / p.square().sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (p - came).square().sum(-1), spherical, ranked


# %% linear-for-spherical wrong="class-scores" fails="spherical,gradient"
# 1 - p of the class is the linear score, which is not proper: divide by the length of p.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    spherical = 1 - (p * came).sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (p - came).square().sum(-1), spherical, ranked


# %% ranked-without-cumsum wrong="class-scores" fails="ranked,gradient"
# The ranked score compares cumulated probabilities: sum them up to each class first.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    brier = (p - came).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, brier, 1 - (p * came).sum(-1) / p.norm(dim=-1), brier.clone()


# %% ranked-strictly-below wrong="class-scores" fails="ranked,gradient"
# The step is 1 from class y on: y <= k, with equality.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    step = (y[..., None] < torch.arange(p.shape[-1])).to(p)
    ranked = (p.cumsum(-1) - step).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% ranked-normalised wrong="class-scores" fails="ranked,gradient"
# Some libraries divide the ranked score by K - 1; the text does not.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1) / (p.shape[-1] - 1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% classes-from-labels wrong="class-scores" fails="log,brier,spherical,ranked,gradient"
# The number of classes is that of the logits: the last ones may never come.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y).to(p)
    p_y = (p * came).sum(-1)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    return log, (p - came).square().sum(-1), 1 - p_y / p.norm(dim=-1), ranked


# %% mean-over-cases wrong="class-scores" fails="log,brier,spherical,ranked,gradient"
# One loss for each case is asked for, not their mean.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    return tuple(s.mean() for s in (log, (p - came).square().sum(-1), spherical, ranked))


# %% softmax-over-cases wrong="class-scores" fails="log,brier,spherical,ranked,gradient"
# Probabilities sum to 1 over the classes, the last dimension.
def class_scores(logits, y):
    log_p = logits.log_softmax(0)
    p = log_p.exp()
    came = torch.nn.functional.one_hot(y, p.shape[-1]).to(p)
    ranked = (p.cumsum(-1) - came.cumsum(-1)).square().sum(-1)
    log = -log_p.gather(-1, y[..., None])[..., 0]
    spherical = 1 - (p * came).sum(-1) / p.norm(dim=-1)
    return log, (p - came).square().sum(-1), spherical, ranked


# %% solution.detach-input equivalent="class-scores"
# `y = y.detach()`
# y holds labels: no gradient with respect to it is asked for.


# %% by-categorical.drop-term equivalent="class-scores"
# `for k in range(p.shape[-1]):`
# The last class adds a square that is 0.


# %% by-categorical.flip-sign equivalent="class-scores"
# `for k in range(p.shape[-1] + 1):`
# Beyond the last class all probability and the step are 1: two more squares of 0.


# %% case-by-case.change-number equivalent="class-scores"
# `empty = logits.new_zeros(0, 2)[:, 0]`
# The size of a dimension that is dropped.


# %% case-by-case.end-loop-early equivalent="class-scores"
# `... if column else empty for column in list(columns)[:5])`
# There are four columns, fewer than five.


# %% solution.expand-square equivalent="class-scores"
# `brier = (p * p - 2 * p * came + came * came).sum(-1)`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% solution.expand-square equivalent="class-scores"
# `... (p.cumsum(-1) * p.cumsum(-1) - 2 * p.cumsum(-1) * came.cumsum(-1) ...`
# Between probabilities it cancels to 1e-16, and no relative error is asked for.


# %% [markdown]
# ## rain-crps


# %% normal-less-the-part-below-zero right="rain-crps"
def rain_crps(y, mu, sigma):
    unit = torch.distributions.Normal(
        torch.zeros((), dtype=y.dtype), torch.ones((), dtype=y.dtype)
    )
    z, z0 = (y - mu) / sigma, mu / sigma
    normal = z * (2 * unit.cdf(z) - 1) + 2 * unit.log_prob(z).exp() - math.pi**-0.5
    P = unit.cdf(-z0)  # of no rain
    negative = (
        -z0 * P**2 + 2 * unit.log_prob(z0).exp() * P - unit.cdf(-(2**0.5) * z0) * math.pi**-0.5
    )
    return sigma * (normal - negative)


# %% by-error-function right="rain-crps"
def rain_crps(y, mu, sigma):
    def Phi(z):
        return torch.special.erfc(-z / math.sqrt(2)) / 2

    def phi(z):
        return torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)

    def G(z):
        return (
            z * Phi(z).square() + 2 * phi(z) * Phi(z) - Phi(math.sqrt(2) * z) / math.sqrt(math.pi)
        )

    top = (y - mu) / sigma
    up_to_y = G(top) - G(-mu / sigma)
    return (up_to_y + G(-top)) * sigma


# %% by-panels right="rain-crps" oracle=True
def rain_crps(y, mu, sigma):
    # Gauss-Legendre panels of the definition, in units of sigma, between 0 and y and beyond y
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)
    nodes, weights = map(torch.as_tensor, special.roots_legendre(12))
    start, stop = (-mu / sigma)[..., None], ((y - mu) / sigma)[..., None]
    far = 9.0  # beyond it the distribution function is 0 or 1
    cuts = torch.arange(-far, far + 1, dtype=y.dtype).expand(*start.shape[:-1], -1)

    def panels(lower, upper, sign):  # the integral of Phi(sign z) squared
        ends = torch.minimum(torch.maximum(cuts, lower), upper)
        left, width = ends[..., :-1, None], ends.diff(dim=-1)[..., None]
        values = torch.special.ndtr(sign * (left + width * (nodes + 1) / 2)).square()
        return (values * weights * width / 2).sum((-2, -1))

    certain = (stop - start.clamp(min=far)).clamp(min=0)[..., 0]
    missed = (-far - stop).clamp(min=0)[..., 0]
    parts = panels(start, stop, 1.0) + panels(stop, stop.clamp(min=far), -1.0)
    return sigma * (parts + certain + missed)


# %% the-plain-normal wrong="rain-crps" fails="value,extremes,gradient"
# This is the Normal's CRPS: F of rain is 0 below 0, so nothing is integrated there.
def rain_crps(y, mu, sigma):
    z = (y - mu) / sigma
    f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return sigma * (z * (2 * torch.special.ndtr(z) - 1) + 2 * f - 1 / math.sqrt(math.pi))


# %% without-sigma wrong="rain-crps" fails="value,extremes,gradient"
# dt = sigma dz: multiply the integral over z by sigma.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    z = (y - mu) / sigma
    return G(z) - G(-mu / sigma) + G(-z)


# %% mean-clamped wrong="rain-crps" fails="value,extremes,gradient"
# Censoring moves the mass below 0 to 0; it does not move mu.
def rain_crps(y, mu, sigma):
    mu = mu.clamp(min=0)
    z = (y - mu) / sigma
    f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return sigma * (z * (2 * torch.special.ndtr(z) - 1) + 2 * f - 1 / math.sqrt(math.pi))


# %% truncated wrong="rain-crps" fails="value,extremes,gradient"
# This is the truncated Normal: censoring keeps the mass below 0, as P(no rain).
def rain_crps(y, mu, sigma):
    Z = torch.special.ndtr(mu / sigma)
    z = (y - mu) / sigma
    f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    F = torch.special.ndtr(z)
    last = Z**-2 * torch.special.ndtr(math.sqrt(2) * mu / sigma) / math.sqrt(math.pi)
    return sigma * (z / Z * (2 * F + Z - 2) + 2 * f / Z - last)


# %% below-zero-added wrong="rain-crps" fails="value,extremes,gradient"
# The integral of F squared runs from 0 to y: subtract G at 0, do not add it.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    z = (y - mu) / sigma
    return sigma * (G(z) + G(-mu / sigma) + G(-z))


# %% only-up-to-y wrong="rain-crps" fails="value,extremes,gradient"
# Beyond y the integrand is (1 - F) squared, and it counts as well.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    return sigma * (G((y - mu) / sigma) - G(-mu / sigma))


# %% variance-as-scale wrong="rain-crps" fails="value,extremes,gradient"
# sigma is the standard deviation already: do not take its root.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    scale = sigma.sqrt()
    z = (y - mu) / scale
    return scale * (G(z) - G(-mu / scale) + G(-z))


# %% dry-days-apart wrong="rain-crps" fails="value,extremes,gradient"
# Dry days need no rule of their own: 1 - P(0) is not their CRPS.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    z = (y - mu) / sigma
    rule = sigma * (G(z) - G(-mu / sigma) + G(-z))
    return torch.where(y > 0, rule, torch.special.ndtr(mu / sigma))


# %% tail-dropped wrong="rain-crps" fails="extremes,gradient"
# At mu far below 0 rain costs as much as fell: no limit on z, which changes value and gradient.
def rain_crps(y, mu, sigma):
    def G(z):
        z = z.clamp(-40, 40)
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    z = (y - mu) / sigma
    return sigma * (G(z) - G(-mu / sigma) + G(-z))


# %% floor-under-sigma wrong="rain-crps" fails="extremes,gradient"
# A floor under sigma changes narrow forecasts: divide by sigma as it is.
def rain_crps(y, mu, sigma):
    def G(z):
        F, f = torch.special.ndtr(z), torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return z * F**2 + 2 * f * F - torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)

    sigma = sigma.clamp(min=1e-4)
    z = (y - mu) / sigma
    return sigma * (G(z) - G(-mu / sigma) + G(-z))


# %% gradient-cut wrong="rain-crps" fails="gradient"
# NumPy and SciPy cut the gradient: use torch.special.
def rain_crps(y, mu, sigma):
    def G(z):
        F = torch.as_tensor(special.ndtr(z.detach().numpy()))
        f = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        last = torch.as_tensor(special.ndtr(math.sqrt(2) * z.detach().numpy()))
        return z * F**2 + 2 * f * F - last / math.sqrt(math.pi)

    z = (y - mu) / sigma
    return sigma * (G(z) - G(-mu / sigma) + G(-z))


# %% solution.detach-input equivalent="rain-crps"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% by-panels.change-number equivalent="rain-crps"
# `far = 10.0`
# Beyond nine standard deviations the distribution function has rounded.


# %% by-panels.change-number equivalent="rain-crps"
# `nodes, weights = map(torch.as_tensor, special.roots_legendre(13))`
# Twelve nodes a panel are exact to rounding, and thirteen are.


# %% by-panels.drop-statement equivalent="rain-crps"
# `no y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)`
# The formulas broadcast by themselves.


# %% solution.mark-input equivalent="rain-crps"
# `z.requires_grad_()`
# The function made this number itself.


# %% [markdown]
# ## energy-score


# %% by-member right="energy-score"
def energy_score(members, y):
    M = members.size(-2)
    truth = (members - y[..., None, :]).norm(dim=-1).mean(dim=-1)
    total = torch.zeros_like(truth)
    for i in range(M):
        total = total + (members - members[..., i : i + 1, :]).norm(dim=-1).sum(-1)
    return truth - total / M / M / 2, truth - total / M / (M - 1) / 2


# %% by-cdist right="energy-score"
def energy_score(members, y):
    M = members.shape[-2]
    exact = "donot_use_mm_for_euclid_dist"
    to_y = torch.cdist(members, y.unsqueeze(-2), compute_mode=exact)[..., 0].sum(-1) / M
    mutual = torch.cdist(members, members, compute_mode=exact).mean((-2, -1)) / 2
    return to_y - mutual, to_y - mutual * M / (M - 1)


# %% pairs-once right="energy-score" oracle=True
def energy_score(members, y):
    # each unordered pair once; the root is taken only of squares that are not 0
    count = members.shape[-2]

    def length(difference):
        square = (difference * difference).sum(-1)
        apart = square > 0
        return torch.where(apart, torch.where(apart, square, torch.ones_like(square)).sqrt(), 0.0)

    one, two = torch.triu_indices(count, count, offset=1)
    between = length(members[..., one, :] - members[..., two, :]).sum(-1)
    reach = sum(length(members[..., i, :] - y) for i in range(count)) / count
    return reach - between / count**2, reach - between / (count * (count - 1))


# %% fair-and-plain-exchanged wrong="energy-score" fails="plain,fair,extremes,gradient"
# Plain divides by M squared, fair by M (M - 1): the two are exchanged.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1)) / 2
    return to_y - apart / (M * (M - 1)), to_y - apart / M**2


# %% half-forgotten wrong="energy-score" fails="plain,fair,extremes,gradient"
# Half the mean distance between members is subtracted, not all of it.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1))
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% spread-added wrong="energy-score" fails="plain,fair,extremes,gradient"
# The distance between members is subtracted: as it is, spread is punished twice.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1)) / 2
    return to_y + apart / M**2, to_y + apart / (M * (M - 1))


# %% entry-by-entry wrong="energy-score" fails="plain,fair,extremes,gradient"
# This adds the CRPS of each entry, which is blind to how they move together: take the norm first.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).abs().sum(-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).abs().sum(-1).sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% squared-distances wrong="energy-score" fails="plain,fair,extremes,gradient"
# Squared distances only compare the mean with y, and do not see the spread: take the root.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).square().sum(-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).square().sum(-1).sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% distance-of-the-mean wrong="energy-score" fails="plain,fair,extremes,gradient"
# The mean of the distances is asked for, not the distance of the mean.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members.mean(-2) - y).norm(dim=-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% divided-by-entries wrong="energy-score" fails="plain,fair,extremes,gradient"
# M is the number of members, the last dimension but one; D is the last.
def energy_score(members, y):
    M = members.shape[-1] + 1
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% by-matrix-products wrong="energy-score" fails="extremes"
# cdist uses |x|^2 - 2 x y + |y|^2 for many rows, which cancels far from 0: subtract first.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = torch.cdist(members, members).sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% root-of-zero wrong="energy-score" fails="gradient"
# The gradient of a root at 0 is infinite, and 0 times it nan: use a norm, or leave the pair out.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).square().sum(-1).sqrt().mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).square().sum(-1).sqrt() / 2
    return to_y - apart.sum((-2, -1)) / M**2, to_y - apart.sum((-2, -1)) / (M * (M - 1))


# %% softened-root wrong="energy-score" fails="plain,fair,extremes,gradient"
# A small number under the root is as large as small distances: leave it out.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = ((members - y.unsqueeze(-2)).square().sum(-1) + 1e-8).sqrt().mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).square().sum(-1)
    apart = (apart + 1e-8).sqrt().sum((-2, -1)) / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% averaged-over-cases wrong="energy-score" fails="plain,fair,extremes,gradient"
# One score for each case is asked for: keep the leading dimensions.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1)
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum((-2, -1)) / 2
    return (to_y - apart / M**2).mean(), (to_y - apart / (M * (M - 1))).mean()


# %% squeezed wrong="energy-score" fails="fair,gradient,plain"
# squeeze drops every dimension of size 1, also a batch of one case.
def energy_score(members, y):
    M = members.shape[-2]
    to_y = (members - y.unsqueeze(-2)).norm(dim=-1).mean(-1).squeeze()
    apart = (members.unsqueeze(-2) - members.unsqueeze(-3)).norm(dim=-1).sum(
        (-2, -1)
    ).squeeze() / 2
    return to_y - apart / M**2, to_y - apart / (M * (M - 1))


# %% absolute-by-hand wrong="energy-score" fails="gradient"
# For vectors of one entry the distance is |x|, and its gradient at 0 is 0, not that of one side.
def energy_score(members, y):
    M, D = members.shape[-2:]
    away, between = members - y.unsqueeze(-2), members.unsqueeze(-2) - members.unsqueeze(-3)
    if D == 1:
        away, between = (torch.where(v >= 0, v, -v) for v in (away, between))
    to_y = torch.linalg.vector_norm(away, dim=-1).mean(-1) if D > 1 else away.sum(-1).mean(-1)
    apart = torch.linalg.vector_norm(between, dim=-1) if D > 1 else between.sum(-1)
    apart = apart.sum((-2, -1))
    return to_y - apart / (2 * M**2), to_y - apart / (2 * M * (M - 1))


# %% [markdown]
# ## quantiles-crps


# %% by-nodes right="quantiles-crps"
def quantiles_crps(levels, q, y):
    # F at y by interpolation; then trapezoids with the exact integral of a squared line
    scores = []
    for row, value in zip(q, y, strict=True):
        here = torch.clamp(value, row[0], row[-1])
        k = int((row[1:-1] <= here).sum())  # the piece that holds y
        width = row[k + 1] - row[k]
        rise = (levels[k + 1] - levels[k]) * (here - row[k])
        F = levels[k] + rise / (width if width > 0 else math.inf)
        t = torch.cat([row[: k + 1], here[None], row[k + 1 :]])
        f = torch.cat([levels[: k + 1], F[None], levels[k + 1 :]])
        g = 1 - f
        parts = t.diff() / 3
        low = (f[:-1] ** 2 + f[:-1] * f[1:] + f[1:] ** 2) * parts
        high = (g[:-1] ** 2 + g[:-1] * g[1:] + g[1:] ** 2) * parts
        scores.append(low[: k + 1].sum() + high[k + 1 :].sum() + (value - here).abs())
    return torch.stack(scores) if scores else y.clone()


# %% by-simpson right="quantiles-crps"
def quantiles_crps(levels, q, y):
    # Simpson's rule is exact for squares of straight lines
    left, right = q[:, :-1], q[:, 1:]
    middle = torch.minimum(torch.maximum(y[:, None], left), right)
    width = right - left
    step = torch.where(width > 0, (middle - left) / torch.where(width > 0, width, 1.0), 0.0)
    F = levels[:-1] + levels.diff() * step

    def simpson(f0, f1, h):
        return h * (f0**2 + 4 * ((f0 + f1) / 2) ** 2 + f1**2) / 6

    below = simpson(levels[:-1], F, middle - left)
    above = simpson(1 - F, 1 - levels[1:], right - middle)
    outside = torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])
    return below.sum(-1) + above.sum(-1) + outside


# %% by-pinball right="quantiles-crps" oracle=True
def quantiles_crps(levels, q, y):
    # twice the pinball loss, integrated over the level: two Gauss nodes for each half of a piece
    tau = levels.tolist()
    found = torch.zeros(len(y), dtype=q.dtype)
    for i in range(len(y)):
        truth, ends = y[i].item(), q[i].tolist()
        total = 0.0
        for lower, upper, first, last in zip(tau, tau[1:], ends, ends[1:]):
            split = lower
            if first < truth < last:
                split = lower + (upper - lower) * (truth - first) / (last - first)
            for start, stop in ((lower, split), (split, upper)):
                for node in (-(3**-0.5), 3**-0.5):
                    level = (start + stop) / 2 + node * (stop - start) / 2
                    part = (level - lower) / (upper - lower)
                    error = truth - first - part * (last - first)
                    total += (stop - start) * (level * error if error > 0 else (level - 1) * error)
        found[i] = total
    return found


# %% mean-pinball wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# The mean over levels of twice the pinball loss is an approximation, and the levels are uneven.
def quantiles_crps(levels, q, y):
    u = y[:, None] - q
    return 2 * torch.maximum(levels * u, (levels - 1) * u).mean(1)


# %% trapezoid-over-levels wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# The trapezoid rule is not exact for a pinball loss that bends within a piece.
def quantiles_crps(levels, q, y):
    u = y[:, None] - q
    return 2 * torch.trapezoid(torch.maximum(levels * u, (levels - 1) * u), levels, dim=1)


# %% factor-two-forgotten wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# The CRPS is twice the integral of the pinball loss.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return ((left + right).sum(1) + beyond) / 2


# %% outside-forgotten wrong="quantiles-crps" fails="outside,jumps,extremes"
# Between y and the outermost quantile the integrand is 1: add the distance.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    return (left + right).sum(1)


# %% outside-on-one-side wrong="quantiles-crps" fails="outside,jumps,extremes"
# y may lie below the first quantile as well.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    return (left + right).sum(1) + (y - q[:, -1]).clamp(min=0)


# %% nan-at-jumps wrong="quantiles-crps" fails="extremes,jumps"
# Where two quantiles are equal, y minus one over their distance is 0/0: such a piece has no width.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = (torch.minimum(torch.maximum(y[:, None], a), b) - a) / (b - a)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond


# %% width-floored wrong="quantiles-crps" fails="extremes"
# A floor under the distance of two quantiles is as large as small distances.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a).clamp(min=1e-6)).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond


# %% pieces-not-cut wrong="quantiles-crps" fails="extremes,inside,jumps,outside"
# The piece that holds y has two parts, one with F squared, one with (1 - F) squared.
def quantiles_crps(levels, q, y):
    width, f0, f1 = q.diff(dim=1), levels[:-1], levels[1:]
    left = width * (f0**2 + f0 * f1 + f1**2) / 3
    right = width * ((1 - f0) ** 2 + (1 - f0) * (1 - f1) + (1 - f1) ** 2) / 3
    under = (q[:, :-1] + q[:, 1:]) / 2 < y[:, None]
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return torch.where(under, left, right).sum(1) + beyond


# %% trapezoid-over-values wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# The square of a straight line is a parabola, on which the trapezoid rule is not exact.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + cut**2) / 2
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - f1) ** 2) / 2
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond


# %% levels-even wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# The levels are not evenly spaced: use those that were sent.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    even = torch.linspace(0, 1, len(levels), dtype=levels.dtype)
    f0, f1 = even[:-1], even[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return (left + right).sum(1) + beyond


# %% averaged wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# One score for each case is asked for, not their mean.
def quantiles_crps(levels, q, y):
    a, b = q[:, :-1], q[:, 1:]
    share = ((y[:, None] - a) / (b - a)).nan_to_num(0.0).clamp(0, 1)
    f0, f1 = levels[:-1], levels[1:]
    cut = f0 + share * (f1 - f0)
    left = share * (b - a) * (f0**2 + f0 * cut + cut**2) / 3
    right = (1 - share) * (b - a) * ((1 - cut) ** 2 + (1 - cut) * (1 - f1) + (1 - f1) ** 2) / 3
    beyond = (y - q[:, -1]).clamp(min=0) + (q[:, 0] - y).clamp(min=0)
    return ((left + right).sum(1) + beyond).mean()


# %% on-a-grid wrong="quantiles-crps" fails="inside,outside,jumps,extremes"
# A sum over a grid of levels is not exact: integrate each piece in closed form.
def quantiles_crps(levels, q, y):
    tau = (torch.arange(50, dtype=q.dtype) + 0.5) / 50
    k = (levels[1:-1, None] <= tau).sum(0)
    part = (tau - levels[k]) / (levels[k + 1] - levels[k])
    u = y[:, None] - (q[:, k] + part * (q[:, k + 1] - q[:, k]))
    return 2 * torch.maximum(tau * u, (tau - 1) * u).mean(1)


# %% solution.change-number equivalent="quantiles-crps"
# `share = ((y[:, None] - a) / (b - a)).nan_to_num(1.0).clamp(0, 1)`
# What share a piece without width has does not matter.


# %% by-simpson.flip-sign equivalent="quantiles-crps"
# `return below.sum(1) + above.sum(-1) + outside`
# A matrix: its last dimension is dimension 1.


# %% by-simpson.flip-sign equivalent="quantiles-crps"
# `return below.sum(-1) + above.sum(1) + outside`
# A matrix: its last dimension is dimension 1.


# %% by-simpson.change-number equivalent="quantiles-crps"
# `... > 0, (middle - left) / torch.where(width > 0, width, 1.0), 1.0)`
# Where a piece without width is cut does not matter.


# %% by-simpson.change-number equivalent="quantiles-crps"
# `... > 0, (middle - left) / torch.where(width > 0, width, 2.0), 0.0)`
# A piece without width is left out afterwards, whatever it was divided by.


# %% by-simpson.swap-arguments equivalent="quantiles-crps"
# `def simpson(f1, f0, h):`
# The rule is symmetric in the two ends.


# %% by-pinball.flip-sign equivalent="quantiles-crps"
# `level = (start + stop) / 2 - node * (stop - start) / 2`
# The two nodes lie symmetrically.


# %% [markdown]
# ## pit-histogram


# %% case-by-case right="pit-histogram"
def pit_histogram(below, at, bins):
    shares = torch.zeros(bins, dtype=below.dtype)
    for low, high in zip(below.tolist(), at.tolist(), strict=True):
        if low == high:
            shares[min(int(low * bins), bins - 1)] += 1
        else:
            for j in range(bins):
                overlap = min(high, (j + 1) / bins) - max(low, j / bins)
                shares[j] += max(overlap, 0.0) / (high - low)
    second = ((below**2 + below * at + at**2) / 3).mean()
    return shares / len(below), second - ((below + at) / 2).mean() ** 2


# %% by-overlap right="pit-histogram"
def pit_histogram(below, at, bins):
    left = torch.arange(bins, dtype=below.dtype) / bins
    right = torch.arange(1, bins + 1, dtype=below.dtype) / bins
    low, high = below[:, None], at[:, None]
    overlap = (torch.minimum(high, right) - torch.maximum(low, left)).clamp(min=0)
    exact = (low >= left) & ((low < right) | (right == 1))
    point = high == low
    mass = torch.where(point, exact.to(below.dtype), overlap / torch.where(point, 1.0, high - low))
    mean = (below + at).mean() / 2
    return mass.mean(0), (at - below).square().mean() / 12 + (
        (below + at) / 2 - mean
    ).square().mean()


# %% by-nodes right="pit-histogram" oracle=True
def pit_histogram(below, at, bins):
    # the integral of a clamped line, differenced twice; the variance by three Gauss nodes a case
    totals = [0.0] * bins
    nodes, weights = special.roots_legendre(3)
    values, masses = [], []
    for start, stop in zip(below.tolist(), at.tolist(), strict=True):
        length = stop - start
        for node, weight in zip(nodes, weights, strict=True):
            values.append((start + stop) / 2 + node * length / 2)
            masses.append(weight / 2)
        first = min(math.floor(start * bins), bins - 1)
        final = min(math.floor(stop * bins), bins - 1)
        for j in range(first, final + 1):
            if length == 0.0:
                totals[j] += 1.0
            else:
                totals[j] += (min(stop, (j + 1) / bins) - max(start, j / bins)) / length
    n = math.fsum(masses)
    centre = math.fsum(m * v for m, v in zip(masses, values, strict=True)) / n
    scatter = math.fsum(m * (v - centre) ** 2 for m, v in zip(masses, values, strict=True)) / n
    return torch.tensor(totals, dtype=below.dtype) / n, scatter


# %% plain-pit wrong="pit-histogram" fails="counts,points,variance"
# This is a histogram of F(y): for counts it is not flat even if the forecast is right.
def pit_histogram(below, at, bins):
    place = (at * bins).floor().clamp(max=bins - 1).long()
    shares = torch.bincount(place, minlength=bins).to(at) / len(at)
    return shares, at.var(correction=0)


# %% middle-of-the-step wrong="pit-histogram" fails="counts,points,variance"
# The middle of a step is not a uniform number on it: spread the mass over the step.
def pit_histogram(below, at, bins):
    middle = (below + at) / 2
    place = (middle * bins).floor().clamp(max=bins - 1).long()
    shares = torch.bincount(place, minlength=bins).to(at) / len(at)
    return shares, middle.var(correction=0)


# %% one-draw wrong="pit-histogram" fails="counts,points,variance"
# A draw on each step makes the result a matter of luck: take its expectation.
def pit_histogram(below, at, bins):
    rng = torch.Generator().manual_seed(0)
    u = below + (at - below) * torch.rand(below.shape, generator=rng, dtype=below.dtype)
    place = (u * bins).floor().clamp(max=bins - 1).long()
    return torch.bincount(place, minlength=bins).to(at) / len(at), u.var(correction=0)


# %% variance-of-middles wrong="pit-histogram" fails="variance"
# The variance within the steps is missing: on average a twelfth of their squared width.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    return mass.mean(1).diff(), ((below + at) / 2).var(correction=0)


# %% variance-within-only wrong="pit-histogram" fails="variance"
# The variance between the cases is missing: that of the middles of their steps.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    return mass.mean(1).diff(), (at - below).square().mean() / 12


# %% variance-of-bins wrong="pit-histogram" fails="variance"
# The variance is that of u, not of the middles of the bins.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    shares = mass.mean(1).diff()
    middles = (torch.arange(bins, dtype=below.dtype) + 0.5) / bins
    return shares, (shares * middles**2).sum() - (shares * middles).sum() ** 2


# %% variance-by-n-minus-one wrong="pit-histogram" fails="variance"
# The mass is all there is: divide by n, not by n - 1.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    return mass.mean(1).diff(), (at - below).square().mean() / 12 + ((below + at) / 2).var()


# %% nan-at-points wrong="pit-histogram" fails="points"
# Where below equals at, the share is 0/0: give such a case its own rule.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    mass = ((edges - below) / (at - below)).clamp(0, 1).mean(1).diff()
    return mass, (at - below).square().mean() / 12 + ((below + at) / 2).var(correction=0)


# %% points-lost wrong="pit-histogram" fails="points"
# A floor under the width loses points: their mass lies in one bin, all of it.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    mass = ((edges - below) / (at - below).clamp(min=1e-300)).clamp(0, 1).nan_to_num(0.0)
    variance = (at - below).square().mean() / 12 + ((below + at) / 2).var(correction=0)
    return mass.mean(1).diff(), variance


# %% edges-to-the-left wrong="pit-histogram" fails="points"
# A point on an edge lies in the bin to the right of it, and 1 in the last.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges >= below).to(below.dtype))
    mass[0] = 0.0
    variance = (at - below).square().mean() / 12 + ((below + at) / 2).var(correction=0)
    return mass.mean(1).diff(), variance


# %% counts-not-shares wrong="pit-histogram" fails="counts,points"
# The shares sum to 1: divide by the number of cases.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    variance = (at - below).square().mean() / 12 + ((below + at) / 2).var(correction=0)
    return mass.sum(1).diff(), variance


# %% density-not-shares wrong="pit-histogram" fails="counts,points"
# Shares are asked for, which sum to 1, and not a density.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    spread = ((edges - below) / (at - below)).clamp(0, 1)
    mass = torch.where(at > below, spread, (edges > below).to(below.dtype))
    mass[-1] = 1.0
    variance = (at - below).square().mean() / 12 + ((below + at) / 2).var(correction=0)
    return mass.mean(1).diff() * bins + (1 - bins) * (bins == 1), variance


# %% overlap-not-divided wrong="pit-histogram" fails="counts,points"
# Each case has the mass 1, whatever the width of its step: divide by the width.
def pit_histogram(below, at, bins):
    left = torch.arange(bins, dtype=below.dtype) / bins
    right = left + 1 / bins
    low, high = below[:, None], at[:, None]
    overlap = (torch.minimum(high, right) - torch.maximum(low, left)).clamp(min=0)
    middle = (below + at) / 2
    variance = (at - below).square().mean() / 12 + middle.var(correction=0)
    return overlap.sum(0) / overlap.sum(), variance


# %% by-overlap.change-number equivalent="pit-histogram"
# `... exact.to(below.dtype), overlap / torch.where(point, 2.0, high - low))`
# The quotient is not used where the case is a point.


# %% by-nodes.flip-sign equivalent="pit-histogram"
# `values.append((start + stop) / 2 - node * length / 2)`
# The nodes lie symmetrically.


# %% by-nodes.change-number equivalent="pit-histogram"
# `nodes, weights = special.roots_legendre(4)`
# Three nodes are exact for a square, and four are.


# %% by-nodes.end-loop-early equivalent="pit-histogram"
# `for node, weight in list(zip(nodes, weights, strict=True))[:5]:`
# There are three nodes, fewer than five.


# %% solution.squeeze equivalent="pit-histogram"
# `return (up_to.mean(1).diff(), variance.squeeze())`
# A number has no axis to lose.


# %% solution.expand-square equivalent="pit-histogram"
# `variance = (at * at - 2 * at * below + below * below).mean() / 12 + ...`
# Between probabilities it cancels to 1e-16, and 1e-12 is asked for.


# %% [markdown]
# ## mean-regret


# %% by-cdf right="mean-regret"
def mean_regret(p, y, a, b):
    beta = torch.distributions.Beta  # only its mean; the tails are scipy's
    share = beta(torch.tensor(float(a)).double(), torch.tensor(float(b)).double()).mean.item()
    in_vain = share * torch.as_tensor(special.betainc(a + 1, b, p.numpy()))
    missed = (1 - share) * torch.as_tensor(special.betainc(b + 1, a, (1 - p).numpy()))
    return y * missed + (1 - y) * in_vain


# %% by-scipy-stats right="mean-regret"
def mean_regret(p, y, a, b):
    import numpy as np
    from scipy import stats

    value = p.detach().numpy()
    frost = stats.beta.sf(value, a, b + 1) * b / (a + b)
    none = stats.beta.cdf(value, a + 1, b) * a / (a + b)
    came = y.numpy().astype(bool)
    return torch.from_numpy(np.asarray(came * frost + (~came) * none, dtype=float))


# %% by-quantiles right="mean-regret" oracle=True
def mean_regret(p, y, a, b):
    # farmers in the order of their costs: c = Q(v), v uniform, and they act if v <= F(p)
    from scipy import integrate

    regrets = torch.zeros(p.numel(), dtype=p.dtype)
    for i in range(len(regrets)):
        acting = special.betainc(a, b, p.flatten()[i].item())
        if y.flatten()[i]:
            span = 0.0, 1 - acting  # 1 - c has the Beta density with b and a
            regrets[i] = integrate.quad(lambda v: special.betaincinv(b, a, v), *span)[0]
        else:
            span = 0.0, acting
            regrets[i] = integrate.quad(lambda v: special.betaincinv(a, b, v), *span)[0]
    return regrets.reshape(p.shape)


# %% brier-for-all wrong="mean-regret" fails="frost,no frost,certain,alike"
# Half the Brier score is right for a = b = 1 only: the farmers' costs have the Beta density.
def mean_regret(p, y, a, b):
    return (y - p).square() / 2


# %% typical-farmer wrong="mean-regret" fails="alike,certain,frost,no frost"
# The regret of the farmer with the mean cost is not the mean regret: integrate over the costs.
def mean_regret(p, y, a, b):
    c = a / (a + b)
    acts = (p >= c).to(p.dtype)
    return torch.where(y == 1, (1 - acts) * (1 - c), acts * c)


# %% costs-not-regrets wrong="mean-regret" fails="frost,certain,alike"
# With hindsight, c would have been paid if frost came: subtract it.
def mean_regret(p, y, a, b):
    q = p.numpy()
    paid = a / (a + b) * torch.as_tensor(special.betainc(a + 1, b, q))
    lost = torch.as_tensor(special.betaincc(a, b, q))
    return torch.where(y == 1, paid + lost, paid)


# %% parameters-exchanged wrong="mean-regret" fails="frost,no frost,certain,alike"
# a belongs to c and b to 1 - c: they are exchanged.
def mean_regret(p, y, a, b):
    a, b = b, a
    q = p.numpy()
    missed = b / (a + b) * special.betaincc(a, b + 1, q)
    in_vain = a / (a + b) * special.betainc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% outcomes-exchanged wrong="mean-regret" fails="frost,no frost,certain,alike"
# If frost came, those who did not protect regret 1 - c; if not, those who did regret c.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed = b / (a + b) * special.betaincc(a, b + 1, q)
    in_vain = a / (a + b) * special.betainc(a + 1, b, q)
    return torch.where(y == 0, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% loss-of-one wrong="mean-regret" fails="frost,certain,alike"
# Without protection 1 is lost, but c was saved: the regret is 1 - c.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed = special.betaincc(a, b, q)
    in_vain = a / (a + b) * special.betainc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% cost-of-one wrong="mean-regret" fails="no frost,certain,alike"
# Who protects in vain has paid c, not 1.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed = b / (a + b) * special.betaincc(a, b + 1, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(special.betainc(a, b, q)))


# %% constant-forgotten wrong="mean-regret" fails="frost,no frost,certain,alike"
# c times the density is a / (a + b) times another Beta density: the factor is missing.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed, in_vain = special.betaincc(a, b + 1, q), special.betainc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% acts-below wrong="mean-regret" fails="frost,no frost,certain,alike"
# A farmer protects if p is at least c: those with costs below p do.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed = b / (a + b) * special.betainc(a, b + 1, q)
    in_vain = a / (a + b) * special.betaincc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% coarse-grid wrong="mean-regret" fails="frost,no frost,certain,alike"
# A grid of costs is too coarse where the density is steep or infinite: integrate exactly.
def mean_regret(p, y, a, b):
    c = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    beta = torch.distributions.Beta(torch.tensor(a + 0.0).double(), torch.tensor(b + 0.0).double())
    w = beta.log_prob(c).exp() / 200
    acts = p[..., None] >= c
    missed = (w * (1 - c) * ~acts).sum(-1)
    return torch.where(y == 1, missed, (w * c * acts).sum(-1))


# %% steps-drawn wrong="mean-regret" fails="frost,no frost,certain,alike"
# Draws of costs are right to two digits at best: nothing is to be drawn.
def mean_regret(p, y, a, b):
    import numpy as np

    c = torch.as_tensor(np.random.default_rng(0).beta(a, b, 4000))
    acts = p[..., None] >= c
    return torch.where(y == 1, ((1 - c) * ~acts).mean(-1), (c * acts).mean(-1))


# %% averaged wrong="mean-regret" fails="frost,no frost,certain,alike"
# One regret for each case is asked for, averaged over the farmers and not over the cases.
def mean_regret(p, y, a, b):
    q = p.numpy()
    missed = b / (a + b) * special.betaincc(a, b + 1, q)
    in_vain = a / (a + b) * special.betainc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain)).mean()


# %% ends-clamped wrong="mean-regret" fails="frost,no frost,certain,alike"
# p may be 0 or 1, and all is finite there: do not clamp it.
def mean_regret(p, y, a, b):
    q = p.clamp(0.01, 0.99).numpy()
    missed = b / (a + b) * special.betaincc(a, b + 1, q)
    in_vain = a / (a + b) * special.betainc(a + 1, b, q)
    return torch.where(y == 1, torch.as_tensor(missed), torch.as_tensor(in_vain))


# %% next-to-certain wrong="mean-regret" fails="alike,certain,frost,no frost"
# Where many costs lie next to 0, a p of a millionth is not the same as 0: keep its digits.
def mean_regret(p, y, a, b):
    p = p.mul(1e5).round().div(1e5).numpy()
    missed = torch.as_tensor(b / (a + b) * special.betaincc(a, b + 1, p))
    in_vain = torch.as_tensor(a / (a + b) * special.betainc(a + 1, b, p))
    return torch.where(y == 1, missed, in_vain)


# %% [markdown]
# ## lead-by-day


# %% by-mask right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    n, lead = d.numel(), d.sum() / d.numel()
    same = (day[:, None] == day.unique()[None, :]).to(d.dtype)  # (n, G)
    R = (d - lead) @ same
    G = same.shape[1]
    variance = (R @ R) * G / (G - 1) / n**2
    return lead, variance**0.5, int(torch.ceil(G * 2.8**2 * variance / lead**2))


# %% day-by-day right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    d = (loss_a - loss_b).tolist()
    lead = math.fsum(d) / len(d)
    sums = {}
    for label, value in zip(day.tolist(), d, strict=True):
        sums[label] = sums.get(label, 0.0) + value - lead
    G = len(sums)
    error = (G / (G - 1) * math.fsum(r * r for r in sums.values())) ** 0.5 / len(d)
    days = next(k for k in range(1, 9999) if abs(lead) >= 2.8 * error * (G / k) ** 0.5)
    return lead, error, days


# %% by-pairs right="lead-by-day" oracle=True
def lead_by_day(loss_a, loss_b, day):
    # the double sum over pairs of cases that share a day
    difference = torch.sub(loss_a, loss_b)
    count = difference.shape[0]
    centred = difference - torch.mean(difference)
    shared = torch.eq(day.unsqueeze(0), day.unsqueeze(1))
    pairs = torch.outer(centred, centred)[shared].sum()
    number = len(set(day.tolist()))
    squared = pairs / count / count / (1 - 1 / number)
    ratio = (7.84 * number * squared / torch.mean(difference).square()).item()
    return torch.mean(difference), squared.sqrt(), int(ratio) + 1


# %% cases-independent wrong="lead-by-day" fails="error,days,labels"
# This takes all cases as independent: sum the deviations over each day first.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    G = len(day.unique())
    error = d.std() / len(d) ** 0.5
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% mean-of-day-means wrong="lead-by-day" fails="lead,error,days,labels"
# Days have different numbers of cases: the lead is the mean over all cases.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    means = torch.stack([d[day == label].mean() for label in day.unique()])
    G = len(means)
    error = means.std() / G**0.5
    return means.mean(), error, math.ceil(G * (2.8 * error / means.mean()).item() ** 2)


# %% unpaired wrong="lead-by-day" fails="error,days,labels"
# The errors of both forecasters are correlated: take the error of the differences.
def lead_by_day(loss_a, loss_b, day):
    lead = (loss_a - loss_b).mean()
    labels, group = day.unique(return_inverse=True)
    G, total = len(labels), 0.0
    for loss in (loss_a, loss_b):
        sums = torch.zeros(G, dtype=loss.dtype).index_add(0, group, loss - loss.mean())
        total = total + sums.square().sum()
    error = torch.sqrt(G / (G - 1) * total) / len(day)
    return lead, error, math.ceil(G * (2.8 * error / lead).item() ** 2)


# %% sign-turned wrong="lead-by-day" fails="lead,labels"
# Losses are better if they are lower: the lead of B is the loss of A minus that of B.
def lead_by_day(loss_a, loss_b, day):
    d = loss_b - loss_a
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% few-days-uncorrected wrong="lead-by-day" fails="error,days,labels"
# With few days the factor G / (G - 1) counts.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = sums.square().sum().sqrt() / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% cases-for-days wrong="lead-by-day" fails="error,days,labels"
# G is the number of days, not of cases.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    n = len(d)
    sums = torch.zeros(len(labels), dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(n / (n - 1) * sums.square().sum()) / n
    return d.mean(), error, math.ceil(n * (2.8 * error / d.mean()).item() ** 2)


# %% deviations-of-days-not-summed wrong="lead-by-day" fails="error,days,labels"
# Square the sum of a day's deviations, do not sum their squares.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    G = len(day.unique())
    error = torch.sqrt(G / (G - 1) * (d - d.mean()).square().sum()) / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% divided-by-days wrong="lead-by-day" fails="error,days,labels"
# The lead is a mean over n cases: divide by n, not by the number of days.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / G
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% labels-as-places wrong="lead-by-day" fails="error,days,labels"
# Labels need not be 0, 1, 2, ...: number them with unique first.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    G = int(day.max()) + 1
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, day, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% neighbours-only wrong="lead-by-day" fails="error,days,labels"
# Cases of one day need not follow each other: unique_consecutive splits them.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique_consecutive(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).item() ** 2)


# %% days-rounded-down wrong="lead-by-day" fails="days,labels"
# One day fewer is not enough: round up.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, math.floor(G * (2.8 * error / d.mean()).item() ** 2)


# %% days-without-square wrong="lead-by-day" fails="days,labels"
# The error falls with the root of the number of days: square the ratio.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, math.ceil(G * (2.8 * error / d.mean()).abs().item())


# %% means-subtracted wrong="lead-by-day" fails="lead,error,days"
# float32 holds seven digits: large losses that hardly differ need float64.
def lead_by_day(loss_a, loss_b, day):
    d = (loss_a.float() - loss_b.float()).double()
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    lead = d.mean() + 1e-30
    return lead, error, math.ceil(min(G * (2.8 * error / lead).item() ** 2, 1e9))


# %% day-by-day.change-number equivalent="lead-by-day"
# `... for k in range(1, 10000) if abs(lead) >= 2.8 * error * (G / k) ** ...`
# No number of days that is tried comes near the end of the range.


# %% day-by-day.end-loop-early equivalent="lead-by-day"
# `days = next((k for k in list(range(1, 9999))[:-1] if abs(lead) >= 2.8 * ...`
# No number of days that is tried comes near the end of the range.


# %% days-in-a-tensor wrong="lead-by-day" fails="days"
# A number of days is counted: the text asks for an int, not for a tensor or a float.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    G = len(labels)
    sums = torch.zeros(G, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = torch.sqrt(G / (G - 1) * sums.square().sum()) / len(d)
    return d.mean(), error, torch.ceil(G * (2.8 * error / d.mean()) ** 2)
