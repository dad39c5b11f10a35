# %% [markdown]
# Answers written from the text alone.


# %% cs-log-softmax right="class-scores"
# log_softmax once, one-hot target, cumulative sums along the last axis.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    p_y = (p * hit).sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% cs-by-hand right="class-scores"
# Softmax by hand with the maximum taken off, cumulative sums by a triangular matrix.
def class_scores(logits, y):
    classes = logits.shape[-1]
    top = logits.detach().amax(-1, keepdim=True)
    shifted = logits - top
    weight = shifted.exp()
    total = weight.sum(-1)
    p = weight / total.unsqueeze(-1)
    index = y.unsqueeze(-1)
    p_y = p.gather(-1, index).squeeze(-1)
    squares = p.square().sum(-1)
    log = total.log() - shifted.gather(-1, index).squeeze(-1)
    brier = squares - p_y.square() + (1 - p_y).square()
    spherical = 1 - p_y * squares.rsqrt()
    upper = torch.ones(classes, classes, dtype=p.dtype).triu()
    step = (index <= torch.arange(classes)).to(p.dtype)
    ranked = (p @ upper - step).square().sum(-1)
    return log, brier, spherical, ranked


# %% cs-log-of-softmax wrong="class-scores"
# The log of softmax: it underflows to an infinite log score if y's logit is 750 or more below
# the highest one (logits 400 and -400), where the score should be 800.
def class_scores(logits, y):
    p = torch.softmax(logits, dim=-1)
    index = y.unsqueeze(-1)
    hit = torch.zeros_like(p).scatter(-1, index, 1.0)
    p_y = p.gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return -p_y.log(), brier, spherical, ranked


# %% cs-clamped-logits wrong="class-scores"
# Clamps the logits to keep infinities out: a class of logit -inf that comes has the log score of
# about 10 000 in place of infinity.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits.clamp(min=-1e4), dim=-1)
    p = log_p.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - (p * hit).sum(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% cs-cumsum-of-axis-one wrong="class-scores"
# Cumulates along axis 1, not the last one: the ranked score is wrong with two leading
# dimensions, and there is an error with none.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - (p * hit).sum(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(1) - hit.cumsum(1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% cs-norm-detached wrong="class-scores"
# The norm in the spherical score is cut from the graph: its value is right, its gradient wrong
# for nearly all logits.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    with torch.no_grad():
        norm = p.square().sum(-1).sqrt()
    spherical = 1 - (p * hit).sum(-1) / norm
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% rc-two-forms right="rain-crps"
# G is rewritten by its symmetry, so that for either sign of mu only small terms are left beside
# y or |y - mu|.
def rain_crps(y, mu, sigma):
    def upper(z):
        return 0.5 * torch.erfc(z / math.sqrt(2))

    def phi(z):
        return torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    def excess(z):  # the mean of max(0, Z - z)
        return phi(z) - z * upper(z)

    def lower_g(z):  # G, used for z <= 0
        below = upper(-z)
        return z * below**2 + 2 * phi(z) * below - upper(-math.sqrt(2) * z) / math.sqrt(math.pi)

    zero, at = -mu / sigma, (y - mu) / sigma
    size = at.abs()
    dry = y + sigma * (2 * excess(at) - 2 * excess(zero) + lower_g(-zero))
    wet = (y - mu).abs() + sigma * (2 * excess(size) - 1 / math.sqrt(math.pi) - lower_g(zero))
    return torch.where(mu < 0, dry, wet)


# %% rc-homogeneous right="rain-crps"
# The score is homogeneous of degree one, so it is the sum of each argument times its partial
# derivative; those are written down stably and held fixed, which makes the gradient right, too.
def rain_crps(y, mu, sigma):
    with torch.no_grad():
        zero, at = -mu / sigma, (y - mu) / sigma
        phi_zero = torch.exp(-0.5 * zero**2) / math.sqrt(2 * math.pi)
        phi_at = torch.exp(-0.5 * at**2) / math.sqrt(2 * math.pi)
        q_zero = 0.5 * torch.erfc(zero / math.sqrt(2))
        q_at = 0.5 * torch.erfc(at / math.sqrt(2))
        by_y = torch.erf(at / math.sqrt(2))
        by_mu = 2 * (q_at - q_zero) + q_zero**2
        by_sigma = 2 * (phi_at - phi_zero) + 2 * phi_zero * q_zero
        by_sigma = by_sigma - 0.5 * torch.erfc(zero) / math.sqrt(math.pi)
    return y * by_y + mu * by_mu + sigma * by_sigma


# %% rc-literal-g right="rain-crps"
# Written as wrong; right: its error is 1e-12 of sigma, as that of the text's own formula.
# Its reader's words:
# The formula as it stands: for mu = -1e4 sigma and little rain (sigma 1e6, y 0.001) the
# difference of two G of 10 000 loses the score, which is y, from the third digit on.
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def g(z):
        phi = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        twice = cdf(math.sqrt(2) * z) / math.sqrt(math.pi)
        return z * cdf(z) ** 2 + 2 * phi * cdf(z) - twice

    zero, at = -mu / sigma, (y - mu) / sigma
    return sigma * (g(at) - g(zero) + g(-at))


# %% rc-uncensored-if-wet wrong="rain-crps"
# Takes the plain Normal's score where the mean is above two sigma, as if no mass were below 0:
# off by about a ten-thousandth of sigma for mu = 2.1 sigma.
def rain_crps(y, mu, sigma):
    def upper(z):
        return 0.5 * torch.erfc(z / math.sqrt(2))

    def phi(z):
        return torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    def excess(z):
        return phi(z) - z * upper(z)

    def lower_g(z):
        below = upper(-z)
        return z * below**2 + 2 * phi(z) * below - upper(-math.sqrt(2) * z) / math.sqrt(math.pi)

    zero, at = -mu / sigma, (y - mu) / sigma
    dry = y + sigma * (2 * excess(at) - 2 * excess(zero) + lower_g(-zero))
    plain = (y - mu).abs() + sigma * (2 * excess(at.abs()) - 1 / math.sqrt(math.pi))
    wet = torch.where(mu > 2 * sigma, plain, plain - sigma * lower_g(zero))
    return torch.where(mu < 0, dry, wet)


# %% rc-clamped-z wrong="rain-crps"
# Clamps the standardised values to 1000 "against overflow": y of 5000 sigma scores as 1000
# sigma, and has no gradient.
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def g(z):
        phi = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        twice = cdf(math.sqrt(2) * z) / math.sqrt(math.pi)
        return z * cdf(z) ** 2 + 2 * phi * cdf(z) - twice

    zero = (-mu / sigma).clamp(-1000, 1000)
    at = ((y - mu) / sigma).clamp(-1000, 1000)
    return sigma * (g(at) - g(zero) + g(-at))


# %% rc-root-of-square wrong="rain-crps"
# Takes |y - mu| as the root of a square: the value is right, the gradient nan where y equals mu.
def rain_crps(y, mu, sigma):
    def upper(z):
        return 0.5 * torch.erfc(z / math.sqrt(2))

    def phi(z):
        return torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    def excess(z):
        return phi(z) - z * upper(z)

    def lower_g(z):
        below = upper(-z)
        return z * below**2 + 2 * phi(z) * below - upper(-math.sqrt(2) * z) / math.sqrt(math.pi)

    zero, at = -mu / sigma, (y - mu) / sigma
    gap = (y - mu).square().sqrt()
    dry = y + sigma * (2 * excess(at) - 2 * excess(zero) + lower_g(-zero))
    wet = gap + sigma * (2 * excess(gap / sigma) - 1 / math.sqrt(math.pi) - lower_g(zero))
    return torch.where(mu < 0, dry, wet)


# %% es-vector-norm right="energy-score"
# All differences at once; the gradient of vector_norm is 0 where the vector is 0.
def energy_score(members, y):
    m = members.shape[-2]
    miss = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    pairs = members.unsqueeze(-2) - members.unsqueeze(-3)
    spread = torch.linalg.vector_norm(pairs, dim=-1).sum((-2, -1))
    return miss - spread / (2 * m * m), miss - spread / (2 * m * (m - 1))


# %% es-loop-of-pairs right="energy-score"
# Each member with those after it, in a loop; coincident ones are masked before the root.
def energy_score(members, y):
    def distance(gap):
        square = gap.square().sum(-1)
        same = square == 0
        root = torch.where(same, torch.ones_like(square), square).sqrt()
        return torch.where(same, torch.zeros_like(square), root)

    m = members.shape[-2]
    miss = distance(members - y[..., None, :]).sum(-1) / m
    half = torch.zeros_like(miss)
    for i in range(m - 1):
        half = half + distance(members[..., i + 1 :, :] - members[..., i : i + 1, :]).sum(-1)
    return miss - half / m**2, miss - half / (m * (m - 1))


# %% es-cdist-by-product wrong="energy-score"
# cdist's default multiplies matrices for more than 25 members: with entries near 7e5 that lie
# a hundredth apart its distances are noise. With few members it is right.
def energy_score(members, y):
    m = members.shape[-2]
    miss = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    spread = torch.cdist(members, members).sum((-2, -1))
    return miss - spread / (2 * m * m), miss - spread / (2 * m * (m - 1))


# %% es-root-at-zero wrong="energy-score"
# Pairs i < j and a bare root: the gradient is nan where two members, or one and y, coincide.
def energy_score(members, y):
    m = members.shape[-2]
    first, second = torch.triu_indices(m, m, 1)
    miss = (members - y.unsqueeze(-2)).square().sum(-1).sqrt().mean(-1)
    gaps = members[..., first, :] - members[..., second, :]
    half = gaps.square().sum(-1).sqrt().sum(-1)
    return miss - half / m**2, miss - half / (m * (m - 1))


# %% es-epsilon-in-root wrong="energy-score"
# Adds 1e-12 under the root to save the gradient: members 1e-5 apart get distances that are
# half a percent too long, and each member is 1e-6 from itself.
def energy_score(members, y):
    def distance(gap):
        return (gap.square().sum(-1) + 1e-12).sqrt()

    m = members.shape[-2]
    miss = distance(members - y.unsqueeze(-2)).mean(-1)
    spread = distance(members.unsqueeze(-2) - members.unsqueeze(-3)).sum((-2, -1))
    return miss - spread / (2 * m * m), miss - spread / (2 * m * (m - 1))


# %% es-y-not-lifted wrong="energy-score"
# Takes y off without an axis for the members: right with no leading dimension, else an error,
# or, with as many cases as members, the wrong y for each.
def energy_score(members, y):
    m = members.shape[-2]
    miss = torch.linalg.vector_norm(members - y, dim=-1).mean(-1)
    pairs = members.unsqueeze(-2) - members.unsqueeze(-3)
    spread = torch.linalg.vector_norm(pairs, dim=-1).sum((-2, -1))
    return miss - spread / (2 * m * m), miss - spread / (2 * m * (m - 1))


# %% qc-integral-of-squares right="quantiles-crps"
# Integrates the square of F left of y and of 1 - F right of it, segment by segment, at once.
def quantiles_crps(levels, q, y):
    low, high = q[:, :-1], q[:, 1:]
    start, stop = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y[:, None], low), high)
    left, right = cut - low, high - cut
    width = high - low
    share = left / torch.where(width > 0, width, torch.ones_like(width))
    at = start + (stop - start) * share
    lower = left * (start**2 + start * at + at**2) / 3
    upper = right * ((1 - at) ** 2 + (1 - at) * (1 - stop) + (1 - stop) ** 2) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (lower + upper).sum(1) + outside


# %% qc-pinball-pieces right="quantiles-crps"
# Twice the integral of the pinball loss, in a loop over segments, each split where Q crosses y.
def quantiles_crps(levels, q, y):
    def product(width, a, b, c, d):  # the integral of a line from a to b times one from c to d
        return width * (2 * a * c + a * d + b * c + 2 * b * d) / 6

    total = torch.zeros_like(y)
    for k in range(len(levels) - 1):
        t0, t1 = levels[k], levels[k + 1]
        u0, u1 = y - q[:, k], y - q[:, k + 1]
        crosses = (u0 > 0) & (u1 < 0)
        gap = torch.where(crosses, u0 - u1, torch.ones_like(y))
        part = torch.where(crosses, u0 / gap, (u1 >= 0).to(y.dtype))
        middle = t0 + (t1 - t0) * part
        over0, over1 = u0.clamp(min=0), u1.clamp(min=0)
        under0, under1 = (-u0).clamp(min=0), (-u1).clamp(min=0)
        total = total + product((t1 - t0) * part, t0, middle, over0, over1)
        total = total + product((t1 - t0) * (1 - part), 1 - middle, 1 - t1, under0, under1)
    return 2 * total


# %% qc-fine-grid wrong="quantiles-crps"
# Averages the pinball loss over 20 000 levels: not exact, clearly off where the last segment
# reaches from level 0.9999 to 1 and from 1 to 1e6.
def quantiles_crps(levels, q, y):
    import numpy as np

    grid = (np.arange(20_000) + 0.5) / 20_000
    result = torch.zeros_like(y)
    for i in range(len(y)):
        u = y[i].item() - np.interp(grid, levels.numpy(), q[i].numpy())
        result[i] = 2 * np.maximum(grid * u, (grid - 1) * u).mean()
    return result


# %% qc-width-floor wrong="quantiles-crps"
# Keeps widths at 1e-6 or more in the division: with y amid quantiles that are 1e-8 apart, F
# at y is taken for that of the lower one.
def quantiles_crps(levels, q, y):
    low, high = q[:, :-1], q[:, 1:]
    start, stop = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y[:, None], low), high)
    left, right = cut - low, high - cut
    at = start + (stop - start) * left / (high - low).clamp(min=1e-6)
    lower = left * (start**2 + start * at + at**2) / 3
    upper = right * ((1 - at) ** 2 + (1 - at) * (1 - stop) + (1 - stop) ** 2) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (lower + upper).sum(1) + outside


# %% qc-scaled-by-range wrong="quantiles-crps"
# Scales each row to a range of 1 first: nan for a row whose quantiles are all equal.
def quantiles_crps(levels, q, y):
    first = q[:, :1]
    span = q[:, -1:] - first
    x, v = (q - first) / span, (y[:, None] - first) / span
    low, high = x[:, :-1], x[:, 1:]
    start, stop = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(v, low), high)
    left, right = cut - low, high - cut
    width = high - low
    at = start + (stop - start) * left / torch.where(width > 0, width, torch.ones_like(width))
    lower = left * (start**2 + start * at + at**2) / 3
    upper = right * ((1 - at) ** 2 + (1 - at) * (1 - stop) + (1 - stop) ** 2) / 3
    outside = (-v).clamp(min=0) + (v - 1).clamp(min=0)
    return ((lower + upper).sum(1) + outside[:, 0]) * span[:, 0]


# %% qc-no-tail-below wrong="quantiles-crps"
# Adds the way from the last quantile to y, but not that from y to the first one: too low where
# y lies below all quantiles.
def quantiles_crps(levels, q, y):
    low, high = q[:, :-1], q[:, 1:]
    start, stop = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y[:, None], low), high)
    left, right = cut - low, high - cut
    width = high - low
    at = start + (stop - start) * left / torch.where(width > 0, width, torch.ones_like(width))
    lower = left * (start**2 + start * at + at**2) / 3
    upper = right * ((1 - at) ** 2 + (1 - at) * (1 - stop) + (1 - stop) ** 2) / 3
    return (lower + upper).sum(1) + (y - q[:, -1]).clamp(min=0)


# %% ph-cumulative right="pit-histogram"
# The mass left of each edge, for intervals and points, and its differences; total variance.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    width = at - below
    point = width == 0
    ramp = ((edges - below) / torch.where(point, torch.ones_like(width), width)).clamp(0, 1)
    mass = torch.where(point, (below < edges).to(below.dtype), ramp).mean(1)
    mass[0], mass[-1] = 0.0, 1.0
    middle = below + width / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    return mass.diff(), variance


# %% ph-case-by-case right="pit-histogram"
# A loop over cases that adds each one's overlap with the bins; variance from two raw moments.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    shares = torch.zeros(bins, dtype=torch.float64)
    first, second = 0.0, 0.0
    for a, b in zip(below.tolist(), at.tolist(), strict=True):
        if a == b:
            shares[min(int(a * bins), bins - 1)] += 1
        else:
            shares += (edges[1:].clamp(max=b) - edges[:-1].clamp(min=a)).clamp(min=0) / (b - a)
        first += (a + b) / 2
        second += (a * a + a * b + b * b) / 3
    n = len(below)
    return shares / n, torch.tensor(second / n - (first / n) ** 2, dtype=torch.float64)


# %% ph-nearly-equal wrong="pit-histogram"
# Takes an interval for a point if isclose says so: one of length 1e-6 around an inner edge is
# not split between the two bins.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    width = at - below
    point = torch.isclose(below, at)
    ramp = ((edges - below) / torch.where(point, torch.ones_like(width), width)).clamp(0, 1)
    mass = torch.where(point, (below < edges).to(below.dtype), ramp).mean(1)
    mass[0], mass[-1] = 0.0, 1.0
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    return mass.diff(), variance


# %% ph-cubes-over-width wrong="pit-histogram"
# The second moment as a difference of cubes over the width: for intervals of 1e-9 the
# variance is off by about 1e-8.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype)[:, None] / bins
    width = at - below
    point = width == 0
    safe = torch.where(point, torch.ones_like(width), width)
    ramp = ((edges - below) / safe).clamp(0, 1)
    mass = torch.where(point, (below < edges).to(below.dtype), ramp).mean(1)
    mass[0], mass[-1] = 0.0, 1.0
    second = torch.where(point, at**2, (at**3 - below**3) / (3 * safe)).mean()
    return mass.diff(), second - ((below + at) / 2).mean() ** 2


# %% ph-points-only-alone wrong="pit-histogram"
# Treats points only if all cases are points: among intervals, a point adds no mass at all, and
# the shares do not sum to 1.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=below.dtype) / bins
    width = at - below
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    if (width == 0).all():
        place = (at * bins).long().clamp(max=bins - 1)
        return torch.bincount(place, minlength=bins).to(at.dtype) / len(at), variance
    over = torch.minimum(at[:, None], edges[1:]) - torch.maximum(below[:, None], edges[:-1])
    shares = over.clamp(min=0) / width[:, None].clamp(min=1e-300)
    return shares.mean(0), variance


# %% ph-edges-of-float32 wrong="pit-histogram"
# Edges from linspace in float32: with 10 bins they are off by up to 1e-8 and more, so that an
# interval of length 1e-7 around 0.3 is split wrongly.
def pit_histogram(below, at, bins):
    edges = torch.linspace(0, 1, bins + 1)[:, None]
    width = at - below
    point = width == 0
    ramp = ((edges - below) / torch.where(point, torch.ones_like(width), width)).clamp(0, 1)
    mass = torch.where(point, (below < edges).to(below.dtype), ramp).mean(1)
    mass[0], mass[-1] = 0.0, 1.0
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    return mass.diff(), variance


# %% mr-two-betaincs right="mean-regret"
# Both sides as incomplete beta functions, the upper one by its mirror image.
def mean_regret(p, y, a, b):
    v = p.detach().numpy()
    frost = b / (a + b) * special.betainc(b + 1, a, 1 - v)
    none = a / (a + b) * special.betainc(a + 1, b, v)
    frost = torch.as_tensor(frost, dtype=torch.float64)
    return torch.where(y == 1, frost, torch.as_tensor(none, dtype=torch.float64))


# %% mr-case-by-case right="mean-regret"
# A loop over cases with the distribution of scipy.stats: mass above p less their mean costs.
def mean_regret(p, y, a, b):
    from scipy import stats

    plain, tilted, mean = stats.beta(a, b), stats.beta(a + 1, b), a / (a + b)
    result = []
    for told, came in zip(p.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True):
        if came == 1:
            result.append(float(plain.sf(told)) - mean * float(tilted.sf(told)))
        else:
            result.append(mean * float(tilted.cdf(told)))
    return torch.tensor(result, dtype=torch.float64).reshape(p.shape)


# %% mr-midpoint-rule wrong="mean-regret"
# Sums the density over 100 000 midpoints: for a or b of 1/20 half of the mass lies in the
# first or last of them.
def mean_regret(p, y, a, b):
    cost = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    shape = torch.tensor([a, b], dtype=torch.float64)
    mass = torch.distributions.Beta(shape[0], shape[1]).log_prob(cost).exp() / 100_000
    result = []
    for told, came in zip(p.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True):
        share = ((told - cost) * 100_000 + 0.5).clamp(0, 1)
        regret = (1 - share) * (1 - cost) if came == 1 else share * cost
        result.append((regret * mass).sum().item())
    return torch.tensor(result, dtype=torch.float64).reshape(p.shape)


# %% mr-normal-if-alike wrong="mean-regret"
# Takes a Normal for the Beta if a + b is above 1000: off in the fourth digit or so for a = 30
# and b = 1500 and p near a / (a + b).
def mean_regret(p, y, a, b):
    def cdf(first, second, v):
        if a + b <= 1000:
            return special.betainc(first, second, v)
        total = first + second
        mean = first / total
        return special.ndtr((v - mean) / math.sqrt(mean * (1 - mean) / (total + 1)))

    v = p.detach().numpy()
    frost = torch.as_tensor(b / (a + b) * (1 - cdf(a, b + 1, v)), dtype=torch.float64)
    none = torch.as_tensor(a / (a + b) * cdf(a + 1, b, v), dtype=torch.float64)
    return torch.where(y == 1, frost, none)


# %% mr-clamped-p wrong="mean-regret"
# Clamps p to 1e-6 from 0 and 1: for p = 0, frost and a = 1/20, half of the farmers have costs
# below 1e-6, and their regret is lost.
def mean_regret(p, y, a, b):
    v = p.detach().clamp(1e-6, 1 - 1e-6).numpy()
    frost = b / (a + b) * (1 - special.betainc(a, b + 1, v))
    none = a / (a + b) * special.betainc(a + 1, b, v)
    frost = torch.as_tensor(frost, dtype=torch.float64)
    return torch.where(y == 1, frost, torch.as_tensor(none, dtype=torch.float64))


# %% mr-no-scalars wrong="mean-regret"
# SciPy returns a number, no array, for p of shape (): from_numpy raises a TypeError.
def mean_regret(p, y, a, b):
    frost = b / (a + b) * special.betainc(b + 1, a, 1 - p.numpy())
    none = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    return torch.where(y == 1, torch.from_numpy(frost), torch.from_numpy(none))


# %% ld-unique-inverse right="lead-by-day"
# Numbers the days by unique, and adds the residuals of each by index_add.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, place = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, place, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(count * (2.8 * error.item() / lead.item()) ** 2)


# %% ld-dictionary right="lead-by-day"
# Plain Python: a dictionary of lists, exact sums, and a search for the number of days.
def lead_by_day(loss_a, loss_b, day):
    d = (loss_a - loss_b).tolist()
    n = len(d)
    lead = math.fsum(d) / n
    groups = {}
    for label, value in zip(day.tolist(), d, strict=True):
        groups.setdefault(label, []).append(value - lead)
    count = len(groups)
    total = math.fsum(math.fsum(values) ** 2 for values in groups.values())
    error = math.sqrt(count / (count - 1) * total) / n
    days = 1
    while abs(lead) < 2.8 * error * math.sqrt(count / days):
        days += 1
    return (
        torch.tensor(lead, dtype=torch.float64),
        torch.tensor(error, dtype=torch.float64),
        days,
    )


# %% ld-labels-of-float32 wrong="lead-by-day"
# Makes floats of the labels first: in float32, days like 10**12 and 10**12 + 1 become one.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, place = torch.unique(day.float(), return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, place, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(count * (2.8 * error.item() / lead.item()) ** 2)


# %% ld-sums-first wrong="lead-by-day"
# Sums the losses of a day before it takes the difference: with losses of 1e8 that differ by a
# hundredth, the sums of a hundred cases are rounded to about 1e-6, and more adds up.
def lead_by_day(loss_a, loss_b, day):
    n = len(day)
    lead = loss_a.mean() - loss_b.mean()
    labels, place, size = torch.unique(day, return_inverse=True, return_counts=True)
    count = len(labels)
    zero = torch.zeros(count, dtype=loss_a.dtype)
    sums = zero.index_add(0, place, loss_a) - zero.index_add(0, place, loss_b) - size * lead
    error = (count / (count - 1) * sums.square().sum()).sqrt() / n
    return lead, error, math.ceil(count * (2.8 * error.item() / lead.item()) ** 2)


# %% ld-only-if-b-leads wrong="lead-by-day"
# Searches the days without the lead's absolute value: none is found where A is better.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, place = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, place, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = 1
    while lead < 2.8 * error * math.sqrt(count / days) and days < 10_000:
        days += 1
    return lead, error, days


# %% ld-never-fewer-days wrong="lead-by-day"
# Starts to count at the days that there were: too many where fewer would have been enough.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, place = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, place, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = count
    while lead.abs() < 2.8 * error * math.sqrt(count / days):
        days += 1
    return lead, error, days
