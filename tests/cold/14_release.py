# %% [markdown]
# Answers written from the text alone.


# %% scores-one-hot right="class-scores"
# By log_softmax, a one-hot mask and a cumulative sum, all vectorised over leading dimensions.
def class_scores(logits, y):
    count = logits.shape[-1]
    log_p = torch.log_softmax(logits, -1)
    p = log_p.exp()
    index = y.unsqueeze(-1)
    hit = (torch.arange(count) == index).to(p.dtype)
    reached = (torch.arange(count) >= index).to(p.dtype)
    p_y = p.gather(-1, index).squeeze(-1)
    log = -log_p.gather(-1, index).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - p_y / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - reached).square().sum(-1)
    return log, brier, spherical, ranked


# %% scores-log-space right="class-scores"
# By logsumexp in log space, with 1 - p_y as a sum of the others and upper tails, in a loop.
def class_scores(logits, y):
    count = logits.shape[-1]
    total = torch.logsumexp(logits, -1, keepdim=True)
    log_p = logits - total
    p = log_p.exp()
    index = y.unsqueeze(-1)
    log_y = log_p.gather(-1, index).squeeze(-1)
    others = p.masked_fill(torch.arange(count) == index, 0.0)
    brier = others.square().sum(-1) + others.sum(-1).square()
    spherical = 1 - torch.exp(log_y - torch.logsumexp(2 * log_p, -1) / 2)
    ranked = torch.zeros_like(brier)
    for k in range(count - 1):
        lower = p[..., : k + 1].sum(-1)
        upper = p[..., k + 1 :].sum(-1)
        ranked = ranked + torch.where(y <= k, upper, lower).square()
    return -log_y, brier, spherical, ranked


# %% scores-cross-entropy-dims wrong="class-scores"
# cross_entropy takes dimension 1 for the classes: wrong (or an error) for logits (a, b, K).
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    index = y.unsqueeze(-1)
    classes = torch.arange(logits.shape[-1])
    log = torch.nn.functional.cross_entropy(logits, y, reduction="none")
    brier = (p - (classes == index).double()).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - (index <= classes).double()).square().sum(-1)
    return log, brier, spherical, ranked


# %% scores-zero-times-inf wrong="class-scores"
# Picks the log by a sum of one-hot times log p: 0 times -inf is nan where any logit is -inf.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, -1)
    p = log_p.exp()
    index = y.unsqueeze(-1)
    classes = torch.arange(logits.shape[-1])
    hit = (classes == index).double()
    log = -(hit * log_p).sum(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - (hit * p).sum(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - (index <= classes).double()).square().sum(-1)
    return log, brier, spherical, ranked


# %% scores-norm-detached wrong="class-scores"
# The norm of the spherical score is taken as a constant: its gradient is wrong, values are right.
def class_scores(logits, y):
    log_p = torch.log_softmax(logits, -1)
    p = log_p.exp()
    index = y.unsqueeze(-1)
    classes = torch.arange(logits.shape[-1])
    log = -log_p.gather(-1, index).squeeze(-1)
    brier = (p - (classes == index).double()).square().sum(-1)
    with torch.no_grad():
        norm = p.square().sum(-1).sqrt()
    spherical = 1 - p.gather(-1, index).squeeze(-1) / norm
    ranked = (p.cumsum(-1) - (index <= classes).double()).square().sum(-1)
    return log, brier, spherical, ranked


# %% scores-minus-800 wrong="class-scores"
# Replaces -inf by -800: wrong where the finite logits of a case are near -800, too.
def class_scores(logits, y):
    index = y.unsqueeze(-1)
    never = torch.isneginf(logits.gather(-1, index).squeeze(-1))
    log_p = torch.log_softmax(logits.clamp(min=-800), -1)
    p = log_p.exp()
    classes = torch.arange(logits.shape[-1])
    log = (-log_p.gather(-1, index).squeeze(-1)).masked_fill(never, math.inf)
    brier = (p - (classes == index).double()).square().sum(-1)
    spherical = 1 - p.gather(-1, index).squeeze(-1) / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - (index <= classes).double()).square().sum(-1)
    return log, brier, spherical, ranked


# %% rain-distance-to-median right="rain-crps"
# Distance to the median max(mu, 0) plus terms that stay small, so that nothing large cancels.
def rain_crps(y, mu, sigma):
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)

    def cdf(z):
        return torch.special.erfc(-z / math.sqrt(2)) / 2

    def density(z):
        return torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    dry = mu < 0
    z = (y - mu) / sigma
    size = z.abs()
    start = -mu / sigma
    away = torch.where(dry, y, (y - mu).abs())
    normal = 2 * density(z) - 2 * size * cdf(-size)
    double = 2 * density(start) * cdf(start)
    root, pi = math.sqrt(2), math.sqrt(math.pi)
    wet_rest = 1 / pi + start * cdf(start).square() + double - cdf(root * start) / pi
    dry_rest = double - start * cdf(-start) * (1 + cdf(start)) + cdf(-root * start) / pi
    return away + sigma * (normal - torch.where(dry, dry_rest, wet_rest))


# %% rain-two-expectations right="rain-crps"
# As E|X - y| - E|X - X'|/2, by partial means of the Normal, in two branches by the sign of mu.
def rain_crps(y, mu, sigma):
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)

    def upper(z):
        return torch.special.erfc(z / math.sqrt(2)) / 2

    def density(z):
        return torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)

    def beyond(z):  # the integral of 1 - Phi from z on
        return density(z) - z * upper(z)

    def spread(z):  # the integral of Phi (1 - Phi) from z on
        q = upper(z)
        square = 2 * density(z) * q - z * q.square()
        square = square - upper(math.sqrt(2) * z) / math.sqrt(math.pi)
        return beyond(z) - square

    z, start = (y - mu) / sigma, -mu / sigma
    wet = sigma * (beyond(z) + beyond(-z) - beyond(-start))
    dry = y + sigma * (2 * beyond(z) - beyond(start))
    distance = torch.where(mu > 0, wet, dry)
    rest = torch.where(mu > 0, 1 / math.sqrt(math.pi) - spread(-start), spread(start))
    return distance - sigma * rest


# %% rain-root-of-square wrong="rain-crps"
# |z| is written as a root of z squared: the gradient is nan where y equals mu.
def rain_crps(y, mu, sigma):
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)

    def cdf(z):
        return torch.special.erfc(-z / math.sqrt(2)) / 2

    def density(z):
        return torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    dry = mu < 0
    size = ((y - mu) / sigma).square().sqrt()
    start = -mu / sigma
    away = torch.where(dry, y, sigma * size)
    normal = 2 * density(size) - 2 * size * cdf(-size)
    double = 2 * density(start) * cdf(start)
    root, pi = math.sqrt(2), math.sqrt(math.pi)
    wet_rest = 1 / pi + start * cdf(start).square() + double - cdf(root * start) / pi
    dry_rest = double - start * cdf(-start) * (1 + cdf(start)) + cdf(-root * start) / pi
    return away + sigma * (normal - torch.where(dry, dry_rest, wet_rest))


# %% rain-sigma-floor wrong="rain-crps"
# Keeps sigma at 1e-4 or more "for safety": wrong (and no gradient) for sigma from 1e-6 to 1e-4.
def rain_crps(y, mu, sigma):
    sigma = sigma.clamp(min=1e-4)
    normal = torch.distributions.Normal(torch.zeros((), dtype=y.dtype), 1.0)

    def integral(z):
        phi, cdf = normal.log_prob(z).exp(), normal.cdf(z)
        rest = normal.cdf(math.sqrt(2) * z) / math.sqrt(math.pi)
        return z * cdf.square() + 2 * phi * cdf - rest

    z = (y - mu) / sigma
    return sigma * (integral(z) + integral(-z) - integral(-mu / sigma))


# %% rain-gauss-legendre wrong="rain-crps"
# 64 Gauss nodes on [0, y] and from y to mu + 9 sigma: far off where mu or y is many sigmas from 0.
import numpy as np


def rain_crps(y, mu, sigma):
    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(64))
    nodes, weights = (nodes + 1) / 2, weights / 2

    def upper(t):
        z = (t - mu.unsqueeze(-1)) / sigma.unsqueeze(-1)
        return torch.special.erfc(z / math.sqrt(2)) / 2

    end = torch.maximum(y, (mu + 9 * sigma).detach())
    before = y.unsqueeze(-1) * nodes
    after = y.unsqueeze(-1) + (end - y).unsqueeze(-1) * nodes
    score = y * ((1 - upper(before)).square() * weights).sum(-1)
    return score + (end - y) * (upper(after).square() * weights).sum(-1)


# %% rain-shape-of-y wrong="rain-crps"
# Fills a tensor of the shape of y: an error or a wrong shape where mu or sigma is larger than y.
def rain_crps(y, mu, sigma):
    mu, sigma = mu.expand_as(y), sigma.expand_as(y)

    def cdf(z):
        return torch.special.erfc(-z / math.sqrt(2)) / 2

    def density(z):
        return torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    dry = mu < 0
    z = (y - mu) / sigma
    size = z.abs()
    start = -mu / sigma
    away = torch.where(dry, y, (y - mu).abs())
    normal = 2 * density(z) - 2 * size * cdf(-size)
    double = 2 * density(start) * cdf(start)
    root, pi = math.sqrt(2), math.sqrt(math.pi)
    wet_rest = 1 / pi + start * cdf(start).square() + double - cdf(root * start) / pi
    dry_rest = double - start * cdf(-start) * (1 + cdf(start)) + cdf(-root * start) / pi
    return away + sigma * (normal - torch.where(dry, dry_rest, wet_rest))


# %% energy-safe-root right="energy-score"
# A loop over members, with a root that is taken of 1 where the distance is 0.
def energy_score(members, y):
    def length(v):
        square = v.square().sum(-1)
        apart = square > 0
        root = torch.where(apart, square, torch.ones_like(square)).sqrt()
        return torch.where(apart, root, torch.zeros_like(root))

    count = members.shape[-2]
    far = length(members - y.unsqueeze(-2)).mean(-1)
    pairs = torch.zeros_like(far)
    for i in range(count):
        pairs = pairs + length(members - members[..., i : i + 1, :]).sum(-1)
    plain = far - pairs / (2 * count**2)
    fair = far - pairs / (2 * count * (count - 1))
    return plain, fair


# %% energy-shifts right="energy-score"
# Each pair once, by shifts of the ensemble against itself, with vector_norm (subgradient 0 at 0).
def energy_score(members, y):
    count = members.shape[-2]
    far = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    half = torch.zeros_like(far)
    for shift in range(1, count):
        ahead = members.narrow(-2, shift, count - shift)
        behind = members.narrow(-2, 0, count - shift)
        half = half + torch.linalg.vector_norm(ahead - behind, dim=-1).sum(-1)
    return far - half / count**2, far - half / (count * (count - 1))


# %% energy-cdist-matmul wrong="energy-score"
# cdist multiplies matrices for more than 25 members: near members with entries of 1e6 cancel.
def energy_score(members, y):
    count = members.shape[-2]
    far = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    pairs = torch.cdist(members, members).sum((-2, -1))
    return far - pairs / (2 * count**2), far - pairs / (2 * count * (count - 1))


# %% energy-epsilon wrong="energy-score"
# Adds 1e-12 under the root: wrong for members that coincide or lie 1e-5 apart.
def energy_score(members, y):
    count = members.shape[-2]
    far = ((members - y.unsqueeze(-2)).square().sum(-1) + 1e-12).sqrt().mean(-1)
    pairs = torch.zeros_like(far)
    for i in range(count):
        other = members - members[..., i : i + 1, :]
        pairs = pairs + (other.square().sum(-1) + 1e-12).sqrt().sum(-1)
    return far - pairs / (2 * count**2), far - pairs / (2 * count * (count - 1))


# %% energy-nan-gradient wrong="energy-score"
# A bare root over pairs i < j: values are right, the gradient is nan where two members coincide.
def energy_score(members, y):
    count = members.shape[-2]
    far = (members - y.unsqueeze(-2)).square().sum(-1).sqrt().mean(-1)
    i, j = torch.triu_indices(count, count, 1)
    half = (members[..., i, :] - members[..., j, :]).square().sum(-1).sqrt().sum(-1)
    return far - half / count**2, far - half / (count * (count - 1))


# %% energy-no-unsqueeze wrong="energy-score"
# members - y without a new axis: right without leading dimensions, else an error or mixed cases.
def energy_score(members, y):
    count = members.shape[-2]
    far = torch.linalg.vector_norm(members - y, dim=-1).mean(-1)
    half = torch.zeros_like(far)
    for i in range(count - 1):
        other = members[..., i + 1 :, :] - members[..., i : i + 1, :]
        half = half + torch.linalg.vector_norm(other, dim=-1).sum(-1)
    return far - half / count**2, far - half / (count * (count - 1))


# %% quantiles-in-t right="quantiles-crps"
# Integrates over t: each segment is cut at y, and a squared line has a closed integral.
def quantiles_crps(levels, q, y):
    lower, upper = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    seen = y.unsqueeze(1)
    cut = torch.minimum(torch.maximum(seen, lower), upper)
    width = upper - lower
    share = (cut - lower) / torch.where(width > 0, width, torch.ones_like(width))
    f = a + share * (b - a)
    left = (cut - lower) * (a * a + a * f + f * f) / 3
    u, v = 1 - f, 1 - b
    right = (upper - cut) * (u * u + u * v + v * v) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (left + right).sum(1) + outside


# %% quantiles-pinball right="quantiles-crps"
# Integrates the pinball loss over the level, segment by segment, by Simpson's rule (exact here).
def quantiles_crps(levels, q, y):
    score = torch.zeros_like(y)
    tau = levels.tolist()
    for k in range(len(tau) - 1):
        low, high = q[:, k], q[:, k + 1]
        width = high - low
        cut = torch.minimum(torch.maximum(y, low), high)
        share = torch.where(
            width > 0, (cut - low) / torch.where(width > 0, width, 1.0), (y >= low).to(y.dtype)
        )
        middle = tau[k] + share * (tau[k + 1] - tau[k])
        t = (tau[k] + middle) / 2
        simpson = tau[k] * (y - low) + 4 * t * (y - (low + cut) / 2) + middle * (y - cut)
        score = score + (middle - tau[k]) * simpson / 6
        t = (tau[k + 1] + middle) / 2
        simpson = (1 - middle) * (cut - y) + 4 * (1 - t) * ((cut + high) / 2 - y)
        simpson = simpson + (1 - tau[k + 1]) * (high - y)
        score = score + (tau[k + 1] - middle) * simpson / 6
    return 2 * score


# %% quantiles-no-left wrong="quantiles-crps"
# Adds the distance above the last quantile but not that below the first: wrong for y < q_1.
def quantiles_crps(levels, q, y):
    lower, upper = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y.unsqueeze(1), lower), upper)
    width = upper - lower
    share = (cut - lower) / torch.where(width > 0, width, torch.ones_like(width))
    f = a + share * (b - a)
    left = (cut - lower) * (a * a + a * f + f * f) / 3
    u, v = 1 - f, 1 - b
    right = (upper - cut) * (u * u + u * v + v * v) / 3
    return (left + right).sum(1) + torch.relu(y - q[:, -1])


# %% quantiles-left-limit wrong="quantiles-crps"
# Goes on from F just before the jump: wrong only where y lies exactly on a jump below q_K.
def quantiles_crps(levels, q, y):
    tau = levels.tolist()
    scores = []
    for row, seen in zip(q.tolist(), y.tolist(), strict=True):
        below = [k for k, value in enumerate(row) if value < seen]
        above = [k for k, value in enumerate(row) if value > seen]
        equal = [k for k, value in enumerate(row) if value == seen]
        if equal:
            f = tau[equal[0]]
        elif not below:
            f = 0.0
        elif not above:
            f = 1.0
        else:
            i, j = below[-1], above[0]
            f = tau[i] + (tau[j] - tau[i]) * (seen - row[i]) / (row[j] - row[i])
        left = [(row[k], tau[k]) for k in below] + [(seen, f)]
        right = [(seen, f)] + [(row[k], tau[k]) for k in above]
        score = 0.0
        for (s, u), (t, v) in zip(left[:-1], left[1:], strict=True):
            score += (t - s) * (u * u + u * v + v * v) / 3
        for (s, u), (t, v) in zip(right[:-1], right[1:], strict=True):
            u, v = 1 - u, 1 - v
            score += (t - s) * (u * u + u * v + v * v) / 3
        scores.append(score)
    return torch.tensor(scores, dtype=y.dtype)


# %% quantiles-stack wrong="quantiles-crps"
# Stacks a list of cases: an error where n is 0.
def quantiles_crps(levels, q, y):
    def one(row, seen):
        a, b = levels[:-1], levels[1:]
        lower, upper = row[:-1], row[1:]
        cut = torch.minimum(torch.maximum(seen, lower), upper)
        width = upper - lower
        share = torch.where(width > 0, (cut - lower) / width, 0.0)
        f = a + share * (b - a)
        left = (cut - lower) * (a * a + a * f + f * f) / 3
        u, v = 1 - f, 1 - b
        right = (upper - cut) * (u * u + u * v + v * v) / 3
        outside = torch.relu(row[0] - seen) + torch.relu(seen - row[-1])
        return (left + right).sum() + outside

    return torch.stack([one(row, seen) for row, seen in zip(q, y, strict=True)])


# %% quantiles-wide-epsilon wrong="quantiles-crps"
# Divides by the width plus 1e-6: wrong where all quantiles lie about 1e-8 apart.
def quantiles_crps(levels, q, y):
    lower, upper = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y.unsqueeze(1), lower), upper)
    f = a + (cut - lower) / (upper - lower + 1e-6) * (b - a)
    left = (cut - lower) * (a * a + a * f + f * f) / 3
    u, v = 1 - f, 1 - b
    right = (upper - cut) * (u * u + u * v + v * v) / 3
    outside = torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])
    return (left + right).sum(1) + outside


# %% pit-cumulative right="pit-histogram"
# The mass below each inner edge, clamped to [0, 1] for each case, and its differences.
def pit_histogram(below, at, bins):
    edges = (torch.arange(1, bins, dtype=torch.float64) / bins).unsqueeze(1)
    width = at - below
    point = width == 0
    part = ((edges - below) / torch.where(point, torch.ones_like(width), width)).clamp(0, 1)
    part = torch.where(point, (below < edges).to(part.dtype), part)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    shares = torch.cat([ends[:1], part.mean(1), ends[1:]]).diff()
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    return shares, variance


# %% pit-overlaps right="pit-histogram"
# The overlap of each interval with each bin in a loop, points by floor and bincount, moments.
def pit_histogram(below, at, bins):
    point = below == at
    a, b = below[~point], at[~point]
    index = (below[point] * bins).floor().long().clamp(max=bins - 1)
    shares = torch.bincount(index, minlength=bins).to(torch.float64)
    for k in range(bins):
        overlap = b.clamp(max=(k + 1) / bins) - a.clamp(min=k / bins)
        shares[k] += (overlap.clamp(min=0) / (b - a)).sum()
    second = (below * below + below * at + at * at).mean() / 3
    first = ((below + at) / 2).mean()
    return shares / len(below), second - first**2


# %% pit-isclose wrong="pit-histogram"
# Takes nearly equal values for a point: wrong for a short interval across an edge.
def pit_histogram(below, at, bins):
    point = torch.isclose(below, at)
    a, b = below[~point], at[~point]
    index = (below[point] * bins).floor().long().clamp(max=bins - 1)
    shares = torch.bincount(index, minlength=bins).to(torch.float64)
    for k in range(bins):
        overlap = b.clamp(max=(k + 1) / bins) - a.clamp(min=k / bins)
        shares[k] += (overlap.clamp(min=0) / (b - a)).sum()
    middle = (below + at) / 2
    variance = middle.var(correction=0) + (at - below).square().mean() / 12
    return shares / len(below), variance


# %% pit-single-edges wrong="pit-histogram"
# Edges in float32: an interval of 1e-9 across the edge 0.1 or 0.3 is shared out wrongly.
def pit_histogram(below, at, bins):
    edges = torch.linspace(0, 1, bins + 1)[1:-1].unsqueeze(1)
    width = at - below
    point = width == 0
    part = ((edges - below) / torch.where(point, torch.ones_like(width), width)).clamp(0, 1)
    part = torch.where(point, (below < edges).to(part.dtype), part)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    shares = torch.cat([ends[:1], part.mean(1), ends[1:]]).diff()
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + width.square().mean() / 12
    return shares, variance


# %% pit-variance-of-intervals wrong="pit-histogram"
# The variance leaves out cases whose mass lies at a point: wrong where some do (nan if all).
def pit_histogram(below, at, bins):
    point = below == at
    a, b = below[~point], at[~point]
    index = (below[point] * bins).floor().long().clamp(max=bins - 1)
    shares = torch.bincount(index, minlength=bins).to(torch.float64)
    for k in range(bins):
        overlap = b.clamp(max=(k + 1) / bins) - a.clamp(min=k / bins)
        shares[k] += (overlap.clamp(min=0) / (b - a)).sum()
    middle = (a + b) / 2
    variance = (middle - middle.mean()).square().mean() + (b - a).square().mean() / 12
    return shares / len(below), variance


# %% pit-all-or-none wrong="pit-histogram"
# Knows points only where all cases are points: a point among intervals loses its mass.
def pit_histogram(below, at, bins):
    middle = (below + at) / 2
    variance = (middle - middle.mean()).square().mean() + (at - below).square().mean() / 12
    if bool((below == at).all()):
        index = (below * bins).floor().long().clamp(max=bins - 1)
        return torch.bincount(index, minlength=bins).double() / len(below), variance
    shares = torch.zeros(bins, dtype=torch.float64)
    for k in range(bins):
        overlap = at.clamp(max=(k + 1) / bins) - below.clamp(min=k / bins)
        shares[k] = (overlap.clamp(min=0) / (at - below)).nan_to_num(0.0).mean()
    return shares, variance


# %% regret-two-beta right="mean-regret"
# Two incomplete Beta functions, one with a + 1 and, mirrored, one with b + 1.
def mean_regret(p, y, a, b):
    told = p.detach().numpy()
    spared = a / (a + b) * special.betainc(a + 1, b, told)
    hit = b / (a + b) * special.betainc(b + 1, a, 1 - told)
    spared = torch.as_tensor(spared, dtype=torch.float64).reshape(p.shape)
    hit = torch.as_tensor(hit, dtype=torch.float64).reshape(p.shape)
    return torch.where(y == 1, hit, spared)


# %% regret-recurrence right="mean-regret"
# Case by case: one incomplete Beta function, the other one from its recurrence in a.
def mean_regret(p, y, a, b):
    mean = a / (a + b)
    result = []
    for x, frost in zip(p.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True):
        cdf = float(special.betainc(a, b, x))
        step = 0.0
        if 0 < x < 1:
            log = a * math.log(x) + b * math.log1p(-x) - float(special.betaln(a, b))
            step = math.exp(log) / a
        partial = mean * (cdf - step)
        result.append((1 - cdf) - (mean - partial) if frost == 1 else partial)
    return torch.tensor(result, dtype=torch.float64).reshape(p.shape)


# %% regret-gauss wrong="mean-regret"
# 100 Gauss nodes on [0, p] or [p, 1]: wrong for small a, b (a pole) and for the largest a + b.
import numpy as np


def mean_regret(p, y, a, b):
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(100))
    nodes, weights = (nodes + 1) / 2, weights / 2

    def density(c):
        log = (a - 1) * torch.log(c) + (b - 1) * torch.log1p(-c)
        return torch.exp(log - float(special.betaln(a, b)))

    x = p.unsqueeze(-1)
    low, high = x * nodes, x + (1 - x) * nodes
    spared = p * torch.nan_to_num(low * density(low) * weights).sum(-1)
    hit = (1 - p) * torch.nan_to_num((1 - high) * density(high) * weights).sum(-1)
    return torch.where(y == 1, hit, spared)


# %% regret-normal wrong="mean-regret"
# Takes the Beta for a Normal where a + b is above 1000: wrong in the third digit there.
def mean_regret(p, y, a, b):
    x = p.detach()
    mean = a / (a + b)
    if a + b > 1000:
        sd = math.sqrt(mean * (1 - mean) / (a + b + 1))
        z = (x - mean) / sd
        density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
        spared = mean * torch.special.ndtr(z) - sd * density
        hit = (1 - mean) * torch.special.ndtr(-z) - sd * density
    else:
        spared = mean * torch.as_tensor(special.betainc(a + 1, b, x.numpy()))
        hit = (1 - mean) * torch.as_tensor(special.betainc(b + 1, a, 1 - x.numpy()))
    return torch.where(y == 1, hit, spared)


# %% regret-clamped wrong="mean-regret"
# Keeps p within 1e-6 of 0 and 1: wrong for p of 0 and 1 with small a or b, where much lies beyond.
def mean_regret(p, y, a, b):
    told = p.detach().clamp(1e-6, 1 - 1e-6).numpy()
    below, share = special.betainc(a, b, told), special.betainc(a + 1, b, told)
    mean = a / (a + b)
    spared = torch.as_tensor(mean * share)
    hit = torch.as_tensor((1 - below) - mean * (1 - share))
    return torch.where(y == 1, hit, spared)


# %% regret-one-axis wrong="mean-regret"
# Iterates over the first axis: an error for p of shape () and for two axes.
def mean_regret(p, y, a, b):
    result = torch.zeros(len(p), dtype=torch.float64)
    for i in range(len(p)):
        x = float(p[i])
        if int(y[i]) == 1:
            result[i] = b / (a + b) * float(special.betaincc(a, b + 1, x))
        else:
            result[i] = a / (a + b) * float(special.betainc(a + 1, b, x))
    return result


# %% lead-index-add right="lead-by-day"
# unique with inverse and index_add, on differences from the first case so that nothing is lost.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = torch.unique(day, return_inverse=True)
    shifted = d - d[0]
    middle = shifted.mean()
    lead = d[0] + middle
    sums = torch.zeros(len(labels), dtype=d.dtype).index_add(0, group, shifted - middle)
    count = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = math.ceil(count * (2.8 * float(error) / float(lead)) ** 2)
    return lead, error, int(days)


# %% lead-fractions right="lead-by-day"
# Exact fractions in a dictionary by label, and the number of days by counting up.
from fractions import Fraction


def lead_by_day(loss_a, loss_b, day):
    d = [Fraction(v) for v in (loss_a - loss_b).tolist()]
    mean = sum(d) / len(d)
    sums = {}
    for label, value in zip(day.tolist(), d, strict=True):
        sums[label] = sums.get(label, Fraction(0)) + (value - mean)
    count = len(sums)
    square = sum(r * r for r in sums.values()) * count / (count - 1)
    lead, error = float(mean), math.sqrt(float(square)) / len(d)
    days = 1
    while abs(lead) < 2.8 * error * math.sqrt(count / days):
        days += 1
    return torch.tensor(lead, dtype=torch.float64), torch.tensor(error, dtype=torch.float64), days


# %% lead-float-labels wrong="lead-by-day"
# Labels pass through float32: large labels that differ by little become one day.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    labels, group = torch.unique(day.float(), return_inverse=True)
    shifted = d - d[0]
    middle = shifted.mean()
    lead = d[0] + middle
    sums = torch.zeros(len(labels), dtype=d.dtype).index_add(0, group, shifted - middle)
    count = len(labels)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(count * (2.8 * float(error) / float(lead)) ** 2)


# %% lead-sign wrong="lead-by-day"
# Compares the lead itself with 2.8 errors: for a negative lead no number of days is enough.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    shifted = d - d[0]
    lead = d[0] + shifted.mean()
    rest = shifted - shifted.mean()
    sums = torch.stack([rest[day == label].sum() for label in day.unique()])
    count = len(sums)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = 10_000
    for trial in range(1, 10_001):
        if float(lead) >= 2.8 * float(error) * math.sqrt(count / trial):
            days = trial
            break
    return lead, error, days


# %% lead-expanded-square wrong="lead-by-day"
# Expands the square of S_g - n_g d: cancels where differences of 1e8 vary by a hundredth.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    labels, group = torch.unique(day, return_inverse=True)
    sums = torch.zeros(len(labels), dtype=d.dtype).index_add(0, group, d)
    sizes = torch.bincount(group).to(d.dtype)
    square = sums.square() - 2 * lead * sizes * sums + (sizes * lead).square()
    count = len(labels)
    error = (count / (count - 1) * square.sum().clamp(min=0)).sqrt() / len(d)
    return lead, error, math.ceil(count * (2.8 * float(error) / float(lead)) ** 2)


# %% lead-no-fewer-days wrong="lead-by-day"
# Never says fewer days than there were: wrong where the lead is already clear.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    shifted = d - d[0]
    lead = d[0] + shifted.mean()
    rest = shifted - shifted.mean()
    sums = torch.stack([rest[day == label].sum() for label in day.unique()])
    count = len(sums)
    error = (count / (count - 1) * sums.square().sum()).sqrt() / len(d)
    days = count
    while abs(float(lead)) < 2.8 * float(error) * math.sqrt(count / days):
        days += 1
    return lead, error, days
