# %% [markdown]
# Answers written from the text alone.


# %% class-softmax right="class-scores"
# Softmax for three scores, log-softmax for the first; one-hot and cumulative sums.
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -torch.log_softmax(logits, -1).gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    p_y = p.gather(-1, index).squeeze(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% class-logsumexp right="class-scores"
# Log-sum-exp, masks by comparison of class numbers, cumulative sums by a triangular matrix.
def class_scores(logits, y):
    classes = torch.arange(logits.shape[-1])
    came = classes == y[..., None]
    reached = classes >= y[..., None]
    log_p = logits - torch.logsumexp(logits, -1, keepdim=True)
    p = log_p.exp()
    log = -torch.gather(log_p, -1, y[..., None])[..., 0]
    brier = torch.where(came, 1 - p, p).pow(2).sum(-1)
    length = torch.linalg.vector_norm(p, dim=-1)
    spherical = 1 - torch.where(came, p, 0.0).sum(-1) / length
    upper = torch.ones(len(classes), len(classes), dtype=p.dtype).triu()
    ranked = (p @ upper - reached.to(p.dtype)).pow(2).sum(-1)
    return log, brier, spherical, ranked


# %% class-second-axis wrong="class-scores"
# Sums up over axis 1 in place of the last: wrong for logits of shape (2, 3, K), error for (K,).
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -torch.log_softmax(logits, -1).gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(1) - hit.cumsum(1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% class-one-maximum wrong="class-scores"
# Takes off the maximum of the whole tensor: nan if one case has logits at 800, another at -800
# (and an error if there are no cases).
def class_scores(logits, y):
    shifted = logits - logits.detach().max()
    weights = shifted.exp()
    total = weights.sum(-1, keepdim=True)
    p = weights / total
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = (total.log() - shifted.gather(-1, index)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% class-finite-log wrong="class-scores"
# Replaces minus infinity by a very negative logit: the log score is finite, not infinite, if a
# class of probability 0 comes.
def class_scores(logits, y):
    logits = logits.clamp(min=-2000.0)
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -torch.log_softmax(logits, -1).gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% class-length-without-gradient wrong="class-scores"
# The length in the spherical score is a constant for autograd: values are right, the gradient
# of the third score is wrong everywhere.
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -torch.log_softmax(logits, -1).gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    length = p.detach().square().sum(-1).sqrt()
    spherical = 1 - p.gather(-1, index).squeeze(-1) / length
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% class-binary-brier wrong="class-scores"
# For two classes it uses the usual binary Brier score, half of the sum over all classes: wrong
# for K = 2.
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -torch.log_softmax(logits, -1).gather(-1, index).squeeze(-1)
    if logits.shape[-1] == 2:
        brier = (p[..., 1] - y).square()
    else:
        brier = (p - hit).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% rain-two-forms right="rain-crps"
# Two exact forms: from G directly if the location is at or above 0, else the rain itself less
# two small corrections, so that nothing large cancels.
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def density(z):
        return torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    def big_g(z):
        first = z * cdf(z) ** 2 + 2 * density(z) * cdf(z)
        return first - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)

    def loss(z):  # the integral of the distribution function up to z
        return z * cdf(z) + density(z)

    start, stop = -mu / sigma, (y - mu) / sigma
    wet = sigma * (big_g(stop) - big_g(start) + big_g(-stop))
    dry = y - 2 * sigma * (loss(-start) - loss(-stop)) + sigma * big_g(-start)
    return torch.where(start > 0, dry, wet)


# %% rain-linear-part right="rain-crps"
# Splits G(z) into its linear part max(z, 0) and a bounded rest; the linear parts are taken
# together in the unit of the rain.
def rain_crps(y, mu, sigma):
    root = math.sqrt(math.pi)

    def parts(z):
        upto = 0.5 * torch.special.erfc(-z / math.sqrt(2))
        return upto, torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)

    def whole(z):
        upto, dens = parts(z)
        twice, _ = parts(math.sqrt(2) * z)
        return z * upto.square() + 2 * dens * upto - twice / root

    def rest(z):
        upto, dens = parts(-z)
        above = 2 * (dens - z * upto) - whole(-z) - 1 / root
        return torch.where(z > 0, above, whole(z))

    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)
    distance = y - mu
    z = distance / sigma
    linear = torch.where(mu < 0, y, torch.relu(distance))
    return linear + sigma * (rest(z) - rest(-mu / sigma) + whole(-z))


# %% rain-clamped-z wrong="rain-crps"
# Keeps standardised numbers within 100 "for stability": wrong where y or mu is more than 100
# sigma away, for there the score goes on growing (and the gradient is lost).
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def big_g(z):
        density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        first = z * cdf(z) ** 2 + 2 * density * cdf(z)
        return first - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)

    start = (-mu / sigma).clamp(-100, 100)
    stop = ((y - mu) / sigma).clamp(-100, 100)
    return sigma * (big_g(stop) - big_g(start) + big_g(-stop))


# %% rain-quadrature wrong="rain-crps"
# 64 Gauss-Legendre nodes between 0 and y for the lower integral: wrong where y is many sigma
# and the step of F lies inside, as for y = 900, mu = 300, sigma = 0.1.
def rain_crps(y, mu, sigma):
    import numpy as np

    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    nodes, weights = (torch.as_tensor(v) for v in np.polynomial.legendre.leggauss(64))
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)
    t = y[..., None] * (nodes + 1) / 2
    inside = cdf((t - mu[..., None]) / sigma[..., None]) ** 2
    lower = y / 2 * (inside * weights).sum(-1)
    z = (mu - y) / sigma
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    upper = z * cdf(z) ** 2 + 2 * density * cdf(z) - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)
    return lower + sigma * upper


# %% rain-sure-is-a-point wrong="rain-crps"
# Takes forecasts that are more than 20 sigma from 0 for points: right if rain is hardly
# possible, wrong if it is nearly certain (mu above 20 sigma), by up to half a sigma.
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def big_g(z):
        density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        first = z * cdf(z) ** 2 + 2 * density * cdf(z)
        return first - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)

    start, stop = -mu / sigma, (y - mu) / sigma
    usual = sigma * (big_g(stop) - big_g(start) + big_g(-stop))
    return torch.where(start.abs() > 20, (y - torch.relu(mu)).abs(), usual)


# %% rain-masks-need-one-shape wrong="rain-crps"
# Picks cases by a mask from each input: an error (or a wrong shape) if they broadcast, such as
# y of shape (4,) with mu of shape (3, 1) and a sigma of shape ().
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def density(z):
        return torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    def big_g(z):
        first = z * cdf(z) ** 2 + 2 * density(z) * cdf(z)
        return first - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)

    def loss(z):
        return z * cdf(z) + density(z)

    score = torch.zeros_like(y)
    for low in (True, False):
        some = (mu < 0) == low
        r, m, s = y[some], mu[some], sigma[some]
        start, stop = -m / s, (r - m) / s
        if low:
            part = r - 2 * s * (loss(-start) - loss(-stop)) + s * big_g(-start)
        else:
            part = s * (big_g(stop) - big_g(start) + big_g(-stop))
        score = score.masked_scatter(some, part)
    return score


# %% rain-smallest-sigma wrong="rain-crps"
# Does not let sigma be below 0.001: wrong for sigma = 1e-6 with y and mu of that size, and the
# gradient with respect to such a sigma is 0.
def rain_crps(y, mu, sigma):
    def cdf(z):
        return 0.5 * torch.erfc(-z / math.sqrt(2))

    def density(z):
        return torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    def big_g(z):
        first = z * cdf(z) ** 2 + 2 * density(z) * cdf(z)
        return first - cdf(math.sqrt(2) * z) / math.sqrt(math.pi)

    def loss(z):
        return z * cdf(z) + density(z)

    sigma = sigma.clamp(min=1e-3)
    start, stop = -mu / sigma, (y - mu) / sigma
    wet = sigma * (big_g(stop) - big_g(start) + big_g(-stop))
    dry = y - 2 * sigma * (loss(-start) - loss(-stop)) + sigma * big_g(-start)
    return torch.where(start > 0, dry, wet)


# %% energy-safe-root right="energy-score"
# All pairs at once, with a root that never sees a 0.
def energy_score(members, y):
    def length(v):
        square = v.square().sum(-1)
        same = square == 0
        return torch.where(same, 1.0, square).sqrt().masked_fill(same, 0.0)

    m = members.shape[-2]
    off = length(members - y.unsqueeze(-2)).mean(-1)
    apart = length(members.unsqueeze(-2) - members.unsqueeze(-3)).sum((-2, -1))
    return off - apart / (2 * m * m), off - apart / (2 * m * (m - 1))


# %% energy-each-pair-once right="energy-score"
# Each member with those after it; vector_norm has gradient 0 at 0.
def energy_score(members, y):
    norm = torch.linalg.vector_norm
    m = members.shape[-2]
    off = norm(members - y[..., None, :], dim=-1).sum(-1) / m
    half = torch.zeros_like(off)
    for i in range(m - 1):
        ahead = members[..., i + 1 :, :] - members[..., i : i + 1, :]
        half = half + norm(ahead, dim=-1).sum(-1)
    return off - half / m**2, off - half / (m * (m - 1))


# %% energy-cdist wrong="energy-score"
# torch.cdist as it comes: from 26 members on it multiplies matrices and cancels, wrong for
# entries of 1e6 with distances of a hundredth, and for members that coincide.
def energy_score(members, y):
    m = members.shape[-2]
    off = torch.cdist(members, y.unsqueeze(-2)).squeeze(-1).mean(-1)
    apart = torch.cdist(members, members).sum((-2, -1))
    return off - apart / (2 * m * m), off - apart / (2 * m * (m - 1))


# %% energy-softened-root wrong="energy-score"
# Adds 1e-12 below the root against nan: members that coincide are 1e-6 apart, and distances of
# 1e-5 are half a percent too long.
def energy_score(members, y):
    def length(v):
        return (v.square().sum(-1) + 1e-12).sqrt()

    m = members.shape[-2]
    off = length(members - y.unsqueeze(-2)).mean(-1)
    i, j = torch.triu_indices(m, m, 1)
    half = length(members[..., i, :] - members[..., j, :]).sum(-1)
    return off - half / m**2, off - half / (m * (m - 1))


# %% energy-nan-if-equal wrong="energy-score"
# Leaves out the diagonal but takes a plain root: the gradient is nan if two members coincide,
# or one with y.
def energy_score(members, y):
    def length(v):
        return v.square().sum(-1).sqrt()

    m = members.shape[-2]
    off = length(members - y.unsqueeze(-2)).mean(-1)
    i, j = torch.triu_indices(m, m, 1)
    half = length(members[..., i, :] - members[..., j, :]).sum(-1)
    return off - half / m**2, off - half / (m * (m - 1))


# %% energy-length-of-batch wrong="energy-score"
# Takes len(members) for the number of members: wrong with leading dimensions, such as
# members of shape (4, 7, 2).
def energy_score(members, y):
    def length(v):
        return torch.linalg.vector_norm(v, dim=-1)

    m = max(len(members), 2)
    off = length(members - y.unsqueeze(-2)).mean(-1)
    apart = length(members.unsqueeze(-2) - members.unsqueeze(-3)).sum((-2, -1))
    return off - apart / (2 * m * m), off - apart / (2 * m * (m - 1))


# %% energy-outcome-is-a-constant wrong="energy-score"
# Cuts y off from autograd: no gradient with respect to y.
def energy_score(members, y):
    def length(v):
        return torch.linalg.vector_norm(v, dim=-1)

    m = members.shape[-2]
    outcome = y.detach().unsqueeze(-2)
    off = length(members - outcome).mean(-1)
    apart = length(members.unsqueeze(-2) - members.unsqueeze(-3)).sum((-2, -1))
    return off - apart / (2 * m * m), off - apart / (2 * m * (m - 1))


# %% quantiles-split-segments right="quantiles-crps"
# Splits each segment at y (kept within the segment) and integrates the two squares exactly.
def quantiles_crps(levels, q, y):
    a, b = levels[:-1], levels[1:]
    left, right = q[:, :-1], q[:, 1:]
    width = right - left
    at = torch.minimum(torch.maximum(y[:, None], left), right)
    part = (at - left) / torch.where(width > 0, width, 1.0)
    c = a + (b - a) * part
    below = (at - left) * (a * a + a * c + c * c) / 3
    u, v = 1 - c, 1 - b
    above = (right - at) * (u * u + u * v + v * v) / 3
    outside = torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])
    return (below + above).sum(1) + outside


# %% quantiles-pinball right="quantiles-crps"
# Twice the integral of the pinball loss over levels: Simpson's rule, exact for a quadratic, on
# both sides of the level where the quantile crosses y.
def quantiles_crps(levels, q, y):
    def simpson(start, stop, u_start, u_stop, shift):
        middle, u_middle = (start + stop) / 2, (u_start + u_stop) / 2
        total = (start - shift) * u_start + 4 * (middle - shift) * u_middle
        return (stop - start) / 6 * (total + (stop - shift) * u_stop)

    score = torch.zeros_like(y)
    for k in range(len(levels) - 1):
        a, b, low, high = levels[k], levels[k + 1], q[:, k], q[:, k + 1]
        at = torch.minimum(torch.maximum(y, low), high)
        flat = low == high
        part = torch.where(flat, (y >= low).double(), (at - low) / (high - low + flat.double()))
        cross = a + (b - a) * part
        score = score + simpson(a, cross, y - low, y - at, 0)
        score = score + simpson(cross, b, y - at, y - high, 1)
    return 2 * score


# %% quantiles-never-below wrong="quantiles-crps"
# Forgets the distance from an outcome below the lowest quantile: wrong for y < q[:, 0].
def quantiles_crps(levels, q, y):
    a, b = levels[:-1], levels[1:]
    left, right = q[:, :-1], q[:, 1:]
    width = right - left
    at = torch.minimum(torch.maximum(y[:, None], left), right)
    part = (at - left) / torch.where(width > 0, width, 1.0)
    c = a + (b - a) * part
    below = (at - left) * (a * a + a * c + c * c) / 3
    above = (right - at) * ((1 - c) ** 2 + (1 - c) * (1 - b) + (1 - b) ** 2) / 3
    return (below + above).sum(1) + torch.relu(y - q[:, -1])


# %% quantiles-jump-passed wrong="quantiles-crps"
# Takes each jump for passed (share 1) in the pinball form: wrong for y below a jump.
def quantiles_crps(levels, q, y):
    def simpson(start, stop, u_start, u_stop, shift):
        middle, u_middle = (start + stop) / 2, (u_start + u_stop) / 2
        total = (start - shift) * u_start + 4 * (middle - shift) * u_middle
        return (stop - start) / 6 * (total + (stop - shift) * u_stop)

    a, b = levels[:-1], levels[1:]
    low, high, y = q[:, :-1], q[:, 1:], y[:, None]
    at = torch.minimum(torch.maximum(y, low), high)
    width = high - low
    part = torch.where(width == 0, 1.0, (at - low) / torch.where(width == 0, 1.0, width))
    cross = a + (b - a) * part
    under = simpson(a, cross, y - low, y - at, 0)
    over = simpson(cross, b, y - at, y - high, 1)
    return 2 * (under + over).sum(1)


# %% quantiles-least-width wrong="quantiles-crps"
# Divides by at least 0.001 to survive jumps: wrong where y lies between two quantiles that are
# 1e-4 (down to 1e-8) apart.
def quantiles_crps(levels, q, y):
    a, b = levels[:-1], levels[1:]
    left, right = q[:, :-1], q[:, 1:]
    at = torch.minimum(torch.maximum(y[:, None], left), right)
    c = a + (b - a) * (at - left) / (right - left).clamp(min=1e-3)
    below = (at - left) * (a * a + a * c + c * c) / 3
    above = (right - at) * ((1 - c) ** 2 + (1 - c) * (1 - b) + (1 - b) ** 2) / 3
    outside = torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])
    return (below + above).sum(1) + outside


# %% quantiles-polynomials wrong="quantiles-crps"
# Antiderivatives as polynomials in t - y: cancels where y is far from the quantiles, such as
# y = -1e6 with quantiles a hundredth apart near 1e6.
def quantiles_crps(levels, q, y):
    t = q - y[:, None]
    left, right = t[:, :-1], t[:, 1:]
    width = right - left
    slope = (levels[1:] - levels[:-1]) / torch.where(width > 0, width, 1.0)
    start = levels[:-1] - slope * left

    def integral(lower, upper, shift):
        c = start - shift

        def primitive(v):
            return c * c * v + c * slope * v**2 + slope**2 * v**3 / 3

        return torch.where(width > 0, primitive(upper) - primitive(lower), 0.0)

    cut = torch.minimum(torch.maximum(torch.zeros_like(left), left), right)
    inside = integral(left, cut, 0) + integral(cut, right, 1)
    return inside.sum(1) + torch.relu(t[:, 0]) + torch.relu(-t[:, -1])


# %% quantiles-search wrong="quantiles-crps"
# Searches for the segment of y, case by case: there is none to the right of the last quantile,
# so y equal to q[:, -1] ends in an IndexError.
def quantiles_crps(levels, q, y):
    def low(a, b, width):
        return width * (a * a + a * b + b * b) / 3

    tau, scores = levels.tolist(), []
    for row, value in zip(q, y, strict=True):
        x, v = row.tolist(), float(value)
        if v < x[0] or v > x[-1]:
            k = -1 if v < x[0] else len(x) - 1
            total = x[0] - v if v < x[0] else v - x[-1]
        else:
            k = int(torch.searchsorted(row, value, right=True)) - 1
            c = tau[k] + (tau[k + 1] - tau[k]) * (v - x[k]) / (x[k + 1] - x[k])
            total = low(tau[k], c, v - x[k]) + low(1 - c, 1 - tau[k + 1], x[k + 1] - v)
        for i in range(len(x) - 1):
            if i < k:
                total += low(tau[i], tau[i + 1], x[i + 1] - x[i])
            elif i > k:
                total += low(1 - tau[i], 1 - tau[i + 1], x[i + 1] - x[i])
        scores.append(total)
    return torch.tensor(scores, dtype=q.dtype)


# %% pit-overlap right="pit-histogram"
# The overlap of each interval with each bin; points are put in by their bin's number.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    point = width == 0
    edges = torch.arange(bins + 1, dtype=below.dtype) / bins
    a, b = below[~point, None], at[~point, None]
    overlap = torch.minimum(b, edges[1:]) - torch.maximum(a, edges[:-1])
    mass = (overlap.clamp(min=0) / (b - a)).sum(0)
    number = (at[point] * bins).floor().long().clamp(max=bins - 1)
    shares = (mass + torch.bincount(number, minlength=bins)) / n
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + (middle - middle.mean()).square().mean()
    return shares, variance


# %% pit-distribution right="pit-histogram"
# The mass to the left of each edge, then differences; the variance from two moments.
def pit_histogram(below, at, bins):
    columns = []
    for k in range(bins + 1):
        edge = k / bins
        safe = torch.where(at > below, at - below, 1.0)
        line = ((edge - below) / safe).clamp(0, 1)
        step = (below < edge).to(below.dtype)
        left = torch.where(at > below, line, step)
        columns.append(left if k < bins else torch.ones_like(left))
    shares = torch.stack(columns).diff(dim=0).sum(1) / below.numel()
    first = (below + at).mean() / 2
    second = (below**2 + below * at + at**2).mean() / 3
    return shares, second - first**2


# %% pit-single-edges wrong="pit-histogram"
# Edges in single precision, off by 1e-8 unless bins is a power of 2: a short interval just
# above 0.3, from 0.3 + 1e-9 to 0.3 + 3e-9, lands in the third of 10 bins, not the fourth.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    point = width == 0
    edges = torch.linspace(0, 1, bins + 1)
    a, b = below[~point, None], at[~point, None]
    overlap = torch.minimum(b, edges[1:].double()) - torch.maximum(a, edges[:-1].double())
    mass = (overlap.clamp(min=0) / (b - a)).sum(0)
    number = (at[point] * bins).floor().long().clamp(max=bins - 1)
    shares = (mass + torch.bincount(number, minlength=bins)) / n
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + (middle - middle.mean()).square().mean()
    return shares, variance


# %% pit-all-or-none wrong="pit-histogram"
# Knows points only if all cases are points: among intervals their mass is lost, and the shares
# do not sum to 1.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    if bool((width == 0).all()):
        number = (at * bins).floor().long().clamp(max=bins - 1)
        shares = torch.bincount(number, minlength=bins).double() / n
    else:
        edges = torch.arange(bins + 1, dtype=below.dtype) / bins
        right = torch.minimum(at[:, None], edges[1:])
        overlap = (right - torch.maximum(below[:, None], edges[:-1])).clamp(min=0)
        shares = (overlap / width.clamp(min=1e-12)[:, None]).sum(0) / n
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + (middle - middle.mean()).square().mean()
    return shares, variance


# %% pit-short-is-a-point wrong="pit-histogram"
# Takes intervals shorter than 1e-7 for points: wrong for one of 1e-8 on both sides of an edge,
# such as around 0.5 with two bins, where each gets half of the mass.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    point = width < 1e-7
    edges = torch.arange(bins + 1, dtype=below.dtype) / bins
    a, b = below[~point, None], at[~point, None]
    overlap = torch.minimum(b, edges[1:]) - torch.maximum(a, edges[:-1])
    mass = (overlap.clamp(min=0) / (b - a)).sum(0)
    number = (at[point] * bins).floor().long().clamp(max=bins - 1)
    shares = (mass + torch.bincount(number, minlength=bins)) / n
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + (middle - middle.mean()).square().mean()
    return shares, variance


# %% pit-one-case-no-variance wrong="pit-histogram"
# Says that a single case has no variance: wrong for n = 1 with an interval, whose draws vary.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    point = width == 0
    edges = torch.arange(bins + 1, dtype=below.dtype) / bins
    a, b = below[~point, None], at[~point, None]
    overlap = torch.minimum(b, edges[1:]) - torch.maximum(a, edges[:-1])
    mass = (overlap.clamp(min=0) / (b - a)).sum(0)
    number = (at[point] * bins).floor().long().clamp(max=bins - 1)
    shares = (mass + torch.bincount(number, minlength=bins)) / n
    if n == 1:
        return shares, torch.zeros((), dtype=below.dtype)
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + middle.var(correction=0)
    return shares, variance


# %% pit-histc-range wrong="pit-histogram"
# Counts points with histc without saying from 0 to 1: it takes the range of the points, wrong
# unless both 0 and 1 are among them.
def pit_histogram(below, at, bins):
    n, width = len(below), at - below
    point = width == 0
    edges = torch.arange(bins + 1, dtype=below.dtype) / bins
    a, b = below[~point, None], at[~point, None]
    overlap = torch.minimum(b, edges[1:]) - torch.maximum(a, edges[:-1])
    mass = (overlap.clamp(min=0) / (b - a)).sum(0)
    if bool(point.any()):
        mass = mass + torch.histc(at[point], bins)
    middle = (below + at) / 2
    variance = (width.square() / 12).mean() + (middle - middle.mean()).square().mean()
    return mass / n, variance


# %% regret-incomplete-beta right="mean-regret"
# Both integrals as incomplete Beta functions, each of its own upper or lower part.
def mean_regret(p, y, a, b):
    told = p.detach().numpy()
    missed = b / (a + b) * special.betainc(b + 1, a, 1 - told)
    needless = a / (a + b) * special.betainc(a + 1, b, told)
    missed = torch.as_tensor(missed, dtype=torch.float64)
    needless = torch.as_tensor(needless, dtype=torch.float64)
    return torch.where(y == 1, missed, needless)


# %% regret-scipy-stats right="mean-regret"
# Survival and distribution functions of two Beta distributions, by scipy.stats.
def mean_regret(p, y, a, b):
    from scipy import stats

    share = a / (a + b)
    flat = p.detach().reshape(-1).numpy()
    plain, tilted = stats.beta(a, b), stats.beta(a + 1, b)
    frost = torch.tensor(plain.sf(flat) - share * tilted.sf(flat), dtype=torch.float64)
    calm = torch.tensor(share * tilted.cdf(flat), dtype=torch.float64)
    came = y.reshape(-1).to(torch.float64)
    return (came * frost + (1 - came) * calm).reshape(p.shape)


# %% regret-quadrature wrong="mean-regret"
# 100 Gauss-Legendre nodes: wrong for costs close to 0 and 1 (a or b of 1/20) and for costs that
# hardly differ (a = b = 2000).
def mean_regret(p, y, a, b):
    import numpy as np

    nodes, weights = (torch.as_tensor(v) for v in np.polynomial.legendre.leggauss(100))
    frost = (y == 1)[..., None]
    low = torch.where(frost, p[..., None], 0.0)
    high = torch.where(frost, 1.0, p[..., None])
    c = low + (high - low) * (nodes + 1) / 2
    log_density = (a - 1) * torch.log(c) + (b - 1) * torch.log1p(-c)
    density = torch.exp(log_density - float(special.betaln(a, b)))
    regret = torch.where(frost, 1 - c, c) * density
    regret = torch.where(high > low, regret, 0.0)
    return ((high - low) / 2 * regret * weights).sum(-1)


# %% regret-clamped-p wrong="mean-regret"
# Keeps p away from 0 and 1 by 1e-7: wrong for p = 0 with frost and a = 1/20, for nearly half of
# the costs lie below 1e-7 then.
def mean_regret(p, y, a, b):
    told = p.clamp(1e-7, 1 - 1e-7).numpy()
    missed = b / (a + b) * special.betainc(b + 1, a, 1 - told)
    needless = a / (a + b) * special.betainc(a + 1, b, told)
    missed = torch.as_tensor(missed, dtype=torch.float64)
    needless = torch.as_tensor(needless, dtype=torch.float64)
    return torch.where(y == 1, missed, needless)


# %% regret-normal-costs wrong="mean-regret"
# Takes the Beta density for Normal if a + b is above 1000: wrong in the third digit or so for
# a = 20, b = 1500.
def mean_regret(p, y, a, b):
    mean = a / (a + b)
    if a + b > 1000:
        sd = math.sqrt(mean * (1 - mean) / (a + b + 1))
        z = (p - mean) / sd
        upto = torch.special.ndtr(z)
        density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        needless = mean * upto - sd * density
        missed = (1 - upto) - (mean - needless)
    else:
        told = p.numpy()
        missed = b / (a + b) * special.betainc(b + 1, a, 1 - told)
        needless = mean * special.betainc(a + 1, b, told)
    missed = torch.as_tensor(missed, dtype=torch.float64)
    needless = torch.as_tensor(needless, dtype=torch.float64)
    return torch.where(y == 1, missed, needless)


# %% regret-from-numpy wrong="mean-regret"
# torch.from_numpy does not take the plain number that SciPy returns for p of shape (): error.
def mean_regret(p, y, a, b):
    told = p.numpy()
    missed = torch.from_numpy(special.betainc(b + 1, a, 1 - told)) * b / (a + b)
    needless = torch.from_numpy(special.betainc(a + 1, b, told)) * a / (a + b)
    return torch.where(y == 1, missed, needless)


# %% regret-vectorize wrong="mean-regret"
# np.vectorize over cases: an error if there are none, that is, if p is empty.
def mean_regret(p, y, a, b):
    import numpy as np

    def one(told, came):
        if came == 1:
            return float(b / (a + b) * special.betainc(b + 1, a, 1 - told))
        return float(a / (a + b) * special.betainc(a + 1, b, told))

    return torch.as_tensor(np.vectorize(one)(p.numpy(), y.numpy()), dtype=torch.float64)


# %% lead-unique right="lead-by-day"
# Numbers the days by torch.unique and adds residuals up by number; days from the formula.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, number = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, number, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = math.ceil(count * float(2.8 * error / lead) ** 2)
    return lead, error, max(days, 1)


# %% lead-same-day-matrix right="lead-by-day"
# The sum over days of squared sums is a quadratic form in the matrix "same day"; the number of
# days is found by trying.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    n = d.numel()
    lead = d.sum() / n
    rest = d - lead
    same = day[:, None] == day[None, :]
    groups = torch.stack([rest[row].sum() for row in same])  # its day's sum, for each case
    size = same.sum(1)
    count = len(set(day.tolist()))
    total = (groups.square() / size).sum()
    error = torch.sqrt(total * count / (count - 1)) / n
    days = 1
    while abs(float(lead)) < 2.8 * float(error) * math.sqrt(count / days):
        days += 1
    return lead, error, days


# %% lead-single-labels wrong="lead-by-day"
# Labels in single precision: days with large labels that are close, such as 10**12 and
# 10**12 + 1, become one.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    same = (day.float()[:, None] == day.float().unique()).double()
    count = same.shape[1]
    sums = (d - lead) @ same
    error = (count / max(count - 1, 1) * sums.square().sum()).sqrt() / len(d)
    days = math.ceil(count * float(2.8 * error / lead) ** 2)
    return lead, error, days


# %% lead-only-positive wrong="lead-by-day"
# Tries numbers of days with the lead as it is, not its size: for a negative lead no number is
# enough, and it says 10 000.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, number = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, number, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = 1
    while lead < 2.8 * error * math.sqrt(count / days) and days < 10_000:
        days += 1
    return lead, error, days


# %% lead-never-fewer wrong="lead-by-day"
# Never says fewer days than there were: wrong for a lead that is far above 2.8 errors already.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, number = torch.unique(day, return_inverse=True)
    count = len(labels)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, number, d - lead)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = count
    while abs(float(lead)) < 2.8 * float(error) * math.sqrt(count / days):
        days += 1
    return lead, error, days


# %% lead-expanded-square wrong="lead-by-day"
# Multiplies the square out: cancels if differences are near 1e8 and vary by a hundredth (loss_a
# near 1e8, loss_b near 0); the error is then nan or far off.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    _, number, size = torch.unique(day, return_inverse=True, return_counts=True)
    count = len(size)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, number, d)
    size = size.to(d.dtype)
    total = (sums**2).sum() - 2 * lead * (size * sums).sum() + lead**2 * (size**2).sum()
    error = (count / (count - 1) * total.clamp(min=0)).sqrt() / len(d)
    days = max(math.ceil(count * float(2.8 * error / lead) ** 2), 1)
    return lead, error, days


# %% lead-lone-cases wrong="lead-by-day"
# Leaves days of a single case out of the sum of squares, "for they say nothing about a day":
# the error is too small if there are such days.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    _, number, size = torch.unique(day, return_inverse=True, return_counts=True)
    count = len(size)
    sums = torch.zeros(count, dtype=d.dtype).index_add(0, number, d - lead)
    total = sums[size > 1].square().sum()
    error = (count / (count - 1) * total).sqrt() / len(d)
    days = max(math.ceil(count * float(2.8 * error / lead) ** 2), 1)
    return lead, error, days
