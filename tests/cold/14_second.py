# %% log-softmax right="class-scores"
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    classes = torch.arange(logits.shape[-1])
    came = classes == y[..., None]
    log = -log_p.gather(-1, y[..., None])[..., 0]
    brier = (p - came.double()).square().sum(-1)
    spherical = 1 - (p * came).sum(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - (classes >= y[..., None]).double()).square().sum(-1)
    return log, brier, spherical, ranked


# %% case-by-case right="class-scores"
def class_scores(logits, y):
    def check(row, k):
        weights = (row - row.max()).exp()
        p = weights / weights.sum()
        gradient = row.logsumexp(0) - row[k]
        brier = 1 - 2 * p[k] + torch.dot(p, p)
        ranked = sum(p[: j + 1].sum() ** 2 for j in range(k))
        ranked = ranked + sum(p[j + 1 :].sum() ** 2 for j in range(k, len(p)))
        return gradient, brier, 1 - weights[k] / weights.norm(), ranked

    rows = logits.reshape(-1, logits.shape[-1])
    cases = [check(row, k) for row, k in zip(rows, y.flatten().tolist())]
    if not cases:
        return tuple(logits.new_zeros(y.shape) for _ in range(4))
    return tuple(torch.stack(score).reshape(y.shape) for score in zip(*cases))


# %% logarithm-of-the-softmax wrong="class-scores"
# The probability underflows: logits = [800, -800], y = 1 gives inf instead of 1600.
def class_scores(logits, y):
    p = logits.softmax(-1)
    classes = torch.arange(logits.shape[-1])
    own = p.gather(-1, y[..., None]).squeeze(-1)
    brier = (p - (classes == y[..., None]).double()).square().sum(-1)
    ranked = (p.cumsum(-1) - (classes >= y[..., None]).double()).square().sum(-1)
    return -own.log(), brier, 1 - own / p.norm(dim=-1), ranked


# %% onehot-times-infinity wrong="class-scores"
# 0 times -inf: logits = [-inf, 0.5, 1.0], y = 1 has the log score nan instead of 0.974.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    onehot = torch.nn.functional.one_hot(y, logits.shape[-1]).double()
    own = (onehot * p).sum(-1)
    brier = (p - onehot).square().sum(-1)
    ranked = (p.cumsum(-1) - onehot.cumsum(-1)).square().sum(-1)
    return -(onehot * log_p).sum(-1), brier, 1 - own / p.norm(dim=-1), ranked


# %% one-case-squeezed wrong="class-scores"
# Axes of length 1 are lost: logits of shape (1, 3) and y = [2] give 0-d scores.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    classes = torch.arange(logits.shape[-1])
    log = -log_p.gather(-1, y[..., None]).squeeze()
    brier = (p - (classes == y[..., None]).double()).square().sum(-1)
    spherical = 1 - p.gather(-1, y[..., None]).squeeze() / p.norm(dim=-1).squeeze()
    ranked = (p.cumsum(-1) - (classes >= y[..., None]).double()).square().sum(-1)
    return log, brier.squeeze(), spherical, ranked.squeeze()


# %% norm-without-gradient wrong="class-scores"
# The spherical score's norm has no gradient: logits = [0.3, -1.1, 0.8], y = 1.
def class_scores(logits, y):
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    classes = torch.arange(logits.shape[-1])
    own = log_p.gather(-1, y[..., None]).squeeze(-1)
    with torch.no_grad():
        norm = p.square().sum(-1).sqrt()
    brier = (p - (classes == y[..., None]).double()).square().sum(-1)
    ranked = (p.cumsum(-1) - (classes >= y[..., None]).double()).square().sum(-1)
    return -own, brier, 1 - own.exp() / norm, ranked


# %% both-sides-of-zero right="rain-crps"
def rain_crps(y, mu, sigma):
    def phi(t):
        return torch.exp(-t.square() / 2) / math.sqrt(2 * math.pi)

    def whole(t):
        cdf = torch.special.ndtr(t)
        tail = torch.special.ndtr(math.sqrt(2) * t) / math.sqrt(math.pi)
        return t * cdf.square() + 2 * phi(t) * cdf - tail

    def above(t):
        return phi(t) - t * torch.special.ndtr(-t)

    z, start = (y - mu) / sigma, -mu / sigma
    direct = sigma * (whole(z) - whole(start))
    missing = 2 * (above(start) - above(z)) - (whole(-start) - whole(-z))
    below = torch.where(start > 0, y - sigma * missing, direct)
    return below + sigma * whole(-z)


# %% own-derivatives right="rain-crps"
class _Score(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y, mu, sigma):
        z, a = (y - mu) / sigma, -mu / sigma
        below_z, above_z = special.ndtr(z), special.ndtr(-z)
        below_a, above_a = special.ndtr(a), special.ndtr(-a)
        phi_z = (-z * z / 2).exp() / math.sqrt(2 * math.pi)
        phi_a = (-a * a / 2).exp() / math.sqrt(2 * math.pi)
        below_z, above_z, below_a, above_a = map(
            torch.as_tensor, (below_z, above_z, below_a, above_a)
        )
        rest = torch.as_tensor(special.ndtr(-math.sqrt(2) * a)) / math.sqrt(math.pi)
        to_sigma = 2 * phi_z - 2 * phi_a * below_a - rest
        to_mu = (above_z - above_a) * (below_a + below_z) + above_z**2
        ctx.save_for_backward(to_mu, to_sigma)
        linear = a * above_a * (2 - above_a) - 2 * z * above_z
        dry = sigma * (2 * phi_a * above_a - a * above_a**2 - rest)
        return torch.where(y == 0, dry, y + sigma * (linear + to_sigma))

    @staticmethod
    def backward(ctx, gradient):
        to_mu, to_sigma = ctx.saved_tensors
        return None, gradient * to_mu, gradient * to_sigma


def rain_crps(y, mu, sigma):
    return _Score.apply(*torch.broadcast_tensors(y, mu, sigma))


# %% bounded-z wrong="rain-crps"
# Standardised values are cut at 100: y = 50000, mu = 0, sigma = 1 gives 99.7, not 49999.7.
def rain_crps(y, mu, sigma):
    def whole(t):
        cdf = torch.special.ndtr(t)
        phi = torch.exp(-t.square() / 2) / math.sqrt(2 * math.pi)
        tail = torch.special.ndtr(math.sqrt(2) * t) / math.sqrt(math.pi)
        return t * cdf.square() + 2 * phi * cdf - tail

    z, start = ((y - mu) / sigma).clamp(-100, 100), (-mu / sigma).clamp(-100, 100)
    return sigma * (whole(z) - whole(start) + whole(-z))


# %% dry-by-decree wrong="rain-crps"
# Below mu = -2 sigma no rain counts as certain: y = 0.1, mu = -2.1, sigma = 1 gives 0.1 instead
# of 0.097, with a gradient of 0.
def rain_crps(y, mu, sigma):
    def whole(t):
        cdf = torch.special.ndtr(t)
        phi = torch.exp(-t.square() / 2) / math.sqrt(2 * math.pi)
        tail = torch.special.ndtr(math.sqrt(2) * t) / math.sqrt(math.pi)
        return t * cdf.square() + 2 * phi * cdf - tail

    z, start = (y - mu) / sigma, -mu / sigma
    score = sigma * (whole(z) - whole(start) + whole(-z))
    return torch.where(start > 2, y + torch.zeros_like(score), score)


# %% smallest-sigma wrong="rain-crps"
# sigma is floored at 1e-3: y = 2e-6, mu = 1e-6, sigma = 1e-6 gives 2.3e-4, not 6.0e-7.
def rain_crps(y, mu, sigma):
    normal = torch.distributions.Normal(0.0, 1.0)
    sigma = sigma.clamp(min=1e-3)

    def whole(t):
        cdf = normal.cdf(t)
        tail = normal.cdf(math.sqrt(2) * t) / math.sqrt(math.pi)
        return t * cdf.square() + 2 * normal.log_prob(t).exp() * cdf - tail

    z, start = (y - mu) / sigma, -mu / sigma
    return sigma * (whole(z) - whole(start) + whole(-z))


# %% shape-of-mu wrong="rain-crps"
# The result gets the shape of mu: y = [0.0, 1.0], mu = 0.5 (0-d), sigma = 1.0 (0-d) fails.
def rain_crps(y, mu, sigma):
    def whole(t):
        cdf = torch.special.ndtr(t)
        phi = torch.exp(-t.square() / 2) / math.sqrt(2 * math.pi)
        tail = torch.special.ndtr(math.sqrt(2) * t) / math.sqrt(math.pi)
        return t * cdf.square() + 2 * phi * cdf - tail

    z, start = (y - mu) / sigma, -mu / sigma
    score = sigma * (whole(z) - whole(start) + whole(-z))
    return score.reshape(mu.shape)


# %% cdist-exact right="energy-score"
def energy_score(members, y):
    m = members.shape[-2]
    exact = "donot_use_mm_for_euclid_dist"
    to_y = torch.cdist(members, y[..., None, :], compute_mode=exact).mean((-2, -1))
    pairs = torch.cdist(members, members, compute_mode=exact).sum((-2, -1))
    return to_y - pairs / (2 * m**2), to_y - pairs / (2 * m * (m - 1))


# %% one-member-at-a-time right="energy-score"
def energy_score(members, y):
    def k(a, b):
        square = (a - b).square().sum(dim=-1)
        apart = square > 0
        return torch.where(apart, square, torch.ones_like(square)).sqrt() * apart

    x = members.unbind(dim=-2)
    check = k(members, y.unsqueeze(-2)).sum(-1) / len(x)
    pairs = torch.zeros_like(check)
    for i in range(1, len(x)):
        pairs = pairs + k(members[..., :i, :], x[i].unsqueeze(-2)).sum(-1)
    return check - pairs / len(x) ** 2, check - pairs / (len(x) * (len(x) - 1))


# %% cdist-as-it-comes wrong="energy-score"
# Above 25 members cdist multiplies matrices and cancels: members = 9e5 + 0.013 *
# (torch.arange(30) % 2)[:, None], y = [9e5].
def energy_score(members, y):
    m = members.shape[-2]
    to_y = (members - y[..., None, :]).norm(dim=-1).mean(-1)
    pairs = torch.cdist(members, members).sum((-2, -1))
    return to_y - pairs / (2 * m**2), to_y - pairs / (2 * m * (m - 1))


# %% twins-in-a-pair wrong="energy-score"
# The gradient is nan where two members coincide: members = [[1.0, 2], [1, 2], [0, 0]].
def energy_score(members, y):
    m = members.shape[-2]
    first, second = torch.triu_indices(m, m, offset=1)
    to_y = (members - y[..., None, :]).norm(dim=-1).mean(-1)
    gaps = members[..., first, :] - members[..., second, :]
    pairs = gaps.square().sum(-1).sqrt().sum(-1)
    return to_y - pairs / m**2, to_y - pairs / (m * (m - 1))


# %% count-of-the-first-axis wrong="energy-score"
# M is read from the first axis: members of shape (7, 3, 2), y of shape (7, 2).
def energy_score(members, y):
    m = len(members)
    to_y = torch.linalg.vector_norm(members - y[..., None, :], dim=-1).mean(-1)
    gaps = members[..., :, None, :] - members[..., None, :, :]
    pairs = torch.linalg.vector_norm(gaps, dim=-1).sum((-2, -1))
    return to_y - pairs / (2 * m**2), to_y - pairs / (2 * m * (m - 1))


# %% near-is-together wrong="energy-score"
# Distances below 1e-4 count as 0: members = [[0.0], [1e-5]], y = [2e-5] gives scores of 0.
def energy_score(members, y):
    m = members.shape[-2]

    def distance(gaps):
        square = gaps.square().sum(-1)
        together = square < 1e-8
        return square.masked_fill(together, 1.0).sqrt().masked_fill(together, 0.0)

    to_y = distance(members - y[..., None, :]).mean(-1)
    pairs = distance(members[..., :, None, :] - members[..., None, :, :]).sum((-2, -1))
    return to_y - pairs / (2 * m**2), to_y - pairs / (2 * m * (m - 1))


# %% squares-of-lines right="quantiles-crps"
def quantiles_crps(levels, q, y):
    left, right, at = q[:, :-1], q[:, 1:], y[:, None]
    cut = torch.minimum(torch.maximum(at, left), right)
    width = right - left
    share = (cut - left) / torch.where(width > 0, width, torch.ones_like(width))
    low, high = levels[:-1], levels[1:]
    f = low + (high - low) * share
    before = (cut - left) * (low**2 + low * f + f**2) / 3
    after = (right - cut) * ((1 - f) ** 2 + (1 - f) * (1 - high) + (1 - high) ** 2) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (before + after).sum(1) + outside


# %% simpson-of-pinball right="quantiles-crps"
def quantiles_crps(levels, q, y):
    def check(u, tau):
        return max(tau * u, (tau - 1) * u)

    tau = levels.tolist()
    scores = []
    for row, seen in zip(q.tolist(), y.tolist()):
        k = 0.0
        for a, b, low, high in zip(row, row[1:], tau, tau[1:]):
            cut = min(max((seen - a) / (b - a), 0.0), 1.0) if b > a else 0.5
            for s, e in ((0.0, cut), (cut, 1.0)):
                for x, weight in ((s, 1), ((s + e) / 2, 4), (e, 1)):
                    level = low + (high - low) * x
                    u = (seen - a) - (b - a) * x
                    k += weight * (e - s) * (high - low) / 6 * check(u, level)
        scores.append(2 * k)
    return torch.tensor(scores, dtype=torch.float64)


# %% only-above wrong="quantiles-crps"
# The distance to y is added above the quantiles only: levels = [0, 1], q = [[1, 2]], y = [0].
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    cut = torch.minimum(torch.maximum(y[:, None], left), right)
    width = right - left
    share = torch.where(width > 0, (cut - left) / width, torch.zeros_like(width))
    low, high = levels[:-1], levels[1:]
    f = low + (high - low) * share
    before = (cut - left) * (low**2 + low * f + f**2) / 3
    after = (right - cut) * ((1 - f) ** 2 + (1 - f) * (1 - high) + (1 - high) ** 2) / 3
    return (before + after).sum(1) + (y - q[:, -1]).relu()


# %% narrow-steps-widened wrong="quantiles-crps"
# Widths below 1e-6 are taken as 1e-6: levels = [0, 1], q = [[0, 2e-8]], y = [1e-8] gives
# 9.9e-9 instead of 1.7e-9.
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    cut = torch.minimum(torch.maximum(y[:, None], left), right)
    share = (cut - left) / (right - left).clamp(min=1e-6)
    low, high = levels[:-1], levels[1:]
    f = low + (high - low) * share
    before = (cut - left) * (low**2 + low * f + f**2) / 3
    after = (right - cut) * ((1 - f) ** 2 + (1 - f) * (1 - high) + (1 - high) ** 2) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (before + after).sum(1) + outside


# %% unit-range wrong="quantiles-crps"
# Each row is scaled to its range, which may be 0: levels = [0, 0.5, 1], q = [[3, 3, 3]], y = [2]
# gives nan instead of 1.
def quantiles_crps(levels, q, y):
    span = q[:, -1] - q[:, 0]
    at = ((y - q[:, 0]) / span)[:, None]
    q = (q - q[:, :1]) / span[:, None]
    left, right = q[:, :-1], q[:, 1:]
    cut = torch.minimum(torch.maximum(at, left), right)
    width = right - left
    share = torch.where(width > 0, (cut - left) / width, torch.zeros_like(width))
    low, high = levels[:-1], levels[1:]
    f = low + (high - low) * share
    before = (cut - left) * (low**2 + low * f + f**2) / 3
    after = (right - cut) * ((1 - f) ** 2 + (1 - f) * (1 - high) + (1 - high) ** 2) / 3
    outside = (-at[:, 0]).clamp(min=0) + (at[:, 0] - 1).clamp(min=0)
    return span * ((before + after).sum(1) + outside)


# %% on-a-quantile wrong="quantiles-crps"
# A y that equals a quantile belongs to no side of its two neighbours: levels = [0, 0.5, 1],
# q = [[0, 1, 3]], y = [1] gives 0 instead of 0.25.
def quantiles_crps(levels, q, y):
    left, right, at = q[:, :-1], q[:, 1:], y[:, None]
    low, high = levels[:-1], levels[1:]
    width = right - left
    full_before = width * (low**2 + low * high + high**2) / 3
    full_after = width * ((1 - low) ** 2 + (1 - low) * (1 - high) + (1 - high) ** 2) / 3
    f = low + (high - low) * (at - left) / width.clamp(min=1e-12)
    split = (at - left) * (low**2 + low * f + f**2) / 3
    split = split + (right - at) * ((1 - f) ** 2 + (1 - f) * (1 - high) + (1 - high) ** 2) / 3
    parts = full_before * (right < at) + full_after * (left > at)
    parts = parts + torch.where((left < at) & (at < right), split, torch.zeros_like(split))
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return parts.sum(1) + outside


# %% distribution-at-the-edges right="pit-histogram"
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    width = (at - below)[:, None]
    point = width == 0
    spread = (edges - below[:, None]) / torch.where(point, torch.ones_like(width), width)
    up_to = torch.where(point, (edges > below[:, None]).double(), spread.clamp(0, 1))
    up_to[:, 0], up_to[:, -1] = 0, 1
    middle = (below + at) / 2
    variance = middle.var(correction=0) + (at - below).square().mean() / 12
    return up_to.diff(dim=1).mean(0), variance


# %% piece-by-piece right="pit-histogram"
def pit_histogram(below, at, bins):
    y = [0.0] * bins
    cases = list(zip(below.tolist(), at.tolist()))
    for a, b in cases:
        if a == b:
            y[min(math.floor(a * bins), bins - 1)] += 1
            continue
        for k in range(bins):
            check = min(b, (k + 1) / bins) - max(a, k / bins)
            y[k] += max(check, 0.0) / (b - a)
    mean = sum((a + b) / 2 for a, b in cases) / len(cases)
    moments = [((a - mean) ** 2 + (a - mean) * (b - mean) + (b - mean) ** 2) / 3 for a, b in cases]
    total = sum(y)
    return torch.tensor([k / total for k in y], dtype=torch.float64), sum(moments) / len(cases)


# %% points-among-intervals wrong="pit-histogram"
# Points are lost if any case is an interval: below = [0.1, 0.6], at = [0.3, 0.6], bins = 2
# gives [1, 0] instead of [0.5, 0.5].
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    middle = (below + at) / 2
    variance = middle.var(correction=0) + (at - below).square().mean() / 12
    if (below == at).all():
        index = (at * bins).long().clamp(max=bins - 1)
        return torch.bincount(index, minlength=bins) / len(at), variance
    high = torch.minimum(at[:, None], edges[1:])
    overlap = (high - torch.maximum(below[:, None], edges[:-1])).clamp(min=0)
    shares = (overlap / (at - below).clamp(min=1e-12)[:, None]).sum(0)
    return shares / shares.sum(), variance


# %% short-is-a-point wrong="pit-histogram"
# isclose takes a short interval for a point: below = [0.5 - 5e-10], at = [0.5 + 5e-10],
# bins = 2 gives [1, 0] or [0, 1] instead of [0.5, 0.5].
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    point = torch.isclose(below, at)
    index = (below * bins).long().clamp(max=bins - 1)
    onehot = torch.nn.functional.one_hot(index, bins).double()
    high = torch.minimum(at[:, None], edges[1:])
    overlap = (high - torch.maximum(below[:, None], edges[:-1])).clamp(min=0)
    width = torch.where(point, torch.ones_like(at), at - below)[:, None]
    shares = torch.where(point[:, None], onehot, overlap / width).mean(0)
    middle = (below + at) / 2
    return shares, middle.var(correction=0) + (at - below).square().mean() / 12


# %% single-bin-squeezed wrong="pit-histogram"
# bins = 1 gives a 0-d tensor instead of shape (1,): below = [0.2], at = [0.4].
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    point = below == at
    index = (below * bins).long().clamp(max=bins - 1)
    onehot = torch.nn.functional.one_hot(index, bins).double()
    high = torch.minimum(at[:, None], edges[1:])
    overlap = (high - torch.maximum(below[:, None], edges[:-1])).clamp(min=0)
    width = torch.where(point, torch.ones_like(at), at - below)[:, None]
    shares = torch.where(point[:, None], onehot, overlap / width).mean(0).squeeze()
    middle = (below + at) / 2
    return shares, middle.var(correction=0) + (at - below).square().mean() / 12


# %% variance-of-one-case wrong="pit-histogram"
# With one case the variance is nan: below = [0.2], at = [0.4] should give 0.04 / 12.
def pit_histogram(below, at, bins):
    n = len(at)
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    point = below == at
    index = (below * bins).long().clamp(max=bins - 1)
    onehot = torch.nn.functional.one_hot(index, bins).double()
    high = torch.minimum(at[:, None], edges[1:])
    overlap = (high - torch.maximum(below[:, None], edges[:-1])).clamp(min=0)
    width = torch.where(point, torch.ones_like(at), at - below)[:, None]
    shares = torch.where(point[:, None], onehot, overlap / width).mean(0)
    between = ((below + at) / 2).var() * (n - 1) / n
    return shares, between + (at - below).square().mean() / 12


# %% incomplete-beta right="mean-regret"
def mean_regret(p, y, a, b):
    frost = b / (a + b) * torch.as_tensor(special.betaincc(a, b + 1, p.numpy()))
    none = a / (a + b) * torch.as_tensor(special.betainc(a + 1, b, p.numpy()))
    return torch.where(y == 1, frost, none)


# %% beta-of-scipy-stats right="mean-regret"
def mean_regret(p, y, a, b):
    from scipy import stats

    def check(k, came):
        if came:
            return b / (a + b) * stats.beta(b + 1, a).cdf(1 - k)
        return a / (a + b) * stats.beta(a + 1, b).cdf(k)

    cases = [check(k, c) for k, c in zip(p.flatten().tolist(), y.flatten().tolist())]
    return torch.tensor(cases, dtype=torch.float64).reshape(p.shape)


# %% density-underflows wrong="mean-regret"
# The Beta function underflows: p = 0.5, y = 1, a = b = 2000 gives nan instead of 0.247; and
# a = b = 0.05 is far off, too.
def mean_regret(p, y, a, b):
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(200)
    nodes, weights = (nodes + 1) / 2, weights / 2

    def integral(low, high, f):
        c = low[..., None] + (high - low)[..., None] * nodes
        density = c ** (a - 1) * (1 - c) ** (b - 1) / special.beta(a, b)
        return ((high - low)[..., None] * weights * f(c) * density).sum(-1)

    told = p.numpy()
    frost = integral(told, np.ones_like(told), lambda c: 1 - c)
    none = integral(np.zeros_like(told), told, lambda c: c)
    return torch.where(y == 1, torch.as_tensor(frost), torch.as_tensor(none))


# %% never-quite-certain wrong="mean-regret"
# p is kept in [1e-6, 1 - 1e-6]: p = 0, y = 1, a = b = 0.05 gives 0.25 instead of 0.5.
def mean_regret(p, y, a, b):
    told = p.clamp(1e-6, 1 - 1e-6).numpy()
    frost = b / (a + b) * torch.as_tensor(1 - special.betainc(a, b + 1, told))
    none = a / (a + b) * torch.as_tensor(special.betainc(a + 1, b, told))
    return torch.where(y == 1, frost, none)


# %% nearly-normal wrong="mean-regret"
# Above a + b = 500 the Beta is replaced by a Normal: p = 0.09, y = 0, a = 60, b = 600.
def mean_regret(p, y, a, b):
    def below(first, second):
        if first + second <= 500:
            return torch.as_tensor(special.betainc(first, second, p.numpy()))
        mean = first / (first + second)
        spread = math.sqrt(mean * (1 - mean) / (first + second + 1))
        return torch.special.ndtr((p - mean) / spread)

    frost = b / (a + b) * (1 - below(a, b + 1))
    return torch.where(y == 1, frost, a / (a + b) * below(a + 1, b))


# %% at-least-one-axis wrong="mean-regret"
# 0-d inputs give shape (1,): p = 0.3 (0-d), y = 1 (0-d), a = b = 1.
def mean_regret(p, y, a, b):
    told, came = torch.atleast_1d(p), torch.atleast_1d(y)
    frost = b / (a + b) * torch.as_tensor(special.betaincc(a, b + 1, told.numpy()))
    none = a / (a + b) * torch.as_tensor(special.betainc(a + 1, b, told.numpy()))
    return torch.where(came == 1, frost, none)


# %% unique-and-index-add right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    gap = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    lead = gap.mean()
    sums = torch.zeros(len(labels), dtype=gap.dtype).index_add(0, group, gap - lead)
    count = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(gap)
    days = math.ceil(count * float(2.8 * error / lead) ** 2)
    return lead, error, days


# %% plain-python right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    d = [a - b for a, b in zip(loss_a.tolist(), loss_b.tolist())]
    n = len(d)
    lead = math.fsum(d) / n
    y = {}
    for k, check in zip(d, day.tolist()):
        y.setdefault(check, []).append(k - lead)
    g = len(y)
    error = math.sqrt(g / (g - 1) * sum(math.fsum(r) ** 2 for r in y.values())) / n
    days = 1
    while abs(lead) < 2.8 * error * math.sqrt(g / days):
        days += 1
    return lead, error, days


# %% labels-in-float32 wrong="lead-by-day"
# Neighbouring large labels merge: day = [10**12, 10**12 + 1, 5, 5] counts two days, not three.
def lead_by_day(loss_a, loss_b, day):
    gap = loss_a - loss_b
    labels = day.to(torch.float32)
    lead = gap.mean()
    same = (labels[:, None] == labels).double()
    residual = gap - lead
    count = len(labels.unique())
    error = (count / (count - 1) * (residual @ same @ residual)).sqrt() / len(gap)
    days = math.ceil(count * float(2.8 * error / lead) ** 2)
    return lead, error, days


# %% single-cases-left-out wrong="lead-by-day"
# Days of one case add nothing to the error: loss_a = [1, 2, 4, 3], loss_b = 0, day = [0, 0, 1, 2].
def lead_by_day(loss_a, loss_b, day):
    gap = loss_a - loss_b
    labels, group, sizes = day.unique(return_inverse=True, return_counts=True)
    lead = gap.mean()
    sums = torch.zeros(len(labels), dtype=gap.dtype).index_add(0, group, gap - lead)
    sums = sums[sizes > 1]
    count = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(gap)
    days = math.ceil(count * float(2.8 * error / lead) ** 2)
    return lead, error, days


# %% search-for-a-positive-lead wrong="lead-by-day"
# A negative lead is never reached: loss_a = [1, 2, 1, 2], loss_b = [2, 2.5, 2, 3],
# day = [0, 0, 1, 1] gives 10001 days.
def lead_by_day(loss_a, loss_b, day):
    gap = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    lead = gap.mean()
    sums = torch.zeros(len(labels), dtype=gap.dtype).index_add(0, group, gap - lead)
    count = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(gap)
    days = 1
    while days <= 10000 and lead < 2.8 * error * math.sqrt(count / days):
        days += 1
    return lead, error, days


# %% search-from-the-days-there-are wrong="lead-by-day"
# Never fewer days than there are: loss_a = [1, 1.1, 0.9, 1], loss_b = 0, day = [0, 1, 2, 3]
# gives 4 instead of 1.
def lead_by_day(loss_a, loss_b, day):
    gap = loss_a - loss_b
    labels, group = day.unique(return_inverse=True)
    lead = gap.mean()
    sums = torch.zeros(len(labels), dtype=gap.dtype).index_add(0, group, gap - lead)
    count = days = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(gap)
    while abs(lead) < 2.8 * error * math.sqrt(count / days):
        days += 1
    return lead, error, days
