# %% log-softmax-and-one-hot right="class-scores"
def class_scores(logits, y):
    logp = torch.log_softmax(logits, dim=-1)
    p = logp.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).to(p.dtype)
    log = -logp.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    own = p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    brier = (p - hit).square().sum(-1)
    spherical = 1 - own / p.square().sum(-1).sqrt()
    ranked = (p.cumsum(-1) - hit.cumsum(-1)).square().sum(-1)
    return log, brier, spherical, ranked


# %% shifted-class-by-class right="class-scores"
def class_scores(logits, y):
    top = logits.detach().amax(dim=-1)
    check = [(logits[..., k] - top).exp() for k in range(logits.shape[-1])]
    total = sum(check)
    came = [y == k for k in range(len(check))]
    log = torch.zeros_like(total)
    brier, square, own, running, ranked = (torch.zeros_like(total) for _ in range(5))
    for k, e in enumerate(check):
        p = e / total
        log = torch.where(came[k], total.log() - (logits[..., k] - top), log)
        brier = brier + (p - came[k].double()) ** 2
        own = torch.where(came[k], p, own)
        square = square + p * p
        running = running + p
        ranked = ranked + (running - (y <= k).double()) ** 2
    return log, brier, 1 - own / square**0.5, ranked


# %% log-after-softmax wrong="class-scores"
# A probability that is too small for a float gives infinity: logits [800.0, -800.0], y 1 (1600).
def class_scores(logits, y):
    p = torch.softmax(logits, -1)
    own = p.gather(-1, y[..., None])[..., 0]
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).double()
    brier = ((p - hit) ** 2).sum(-1)
    ranked = ((p - hit).cumsum(-1) ** 2).sum(-1)
    return -own.log(), brier, 1 - own / torch.linalg.vector_norm(p, dim=-1), ranked


# %% one-hot-times-log wrong="class-scores"
# 0 * -inf is NaN in the log score: logits [0.0, 1.0, -inf], y 0.
def class_scores(logits, y):
    logp = torch.log_softmax(logits, -1)
    p = logp.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).double()
    own = (p * hit).sum(-1)
    brier = ((p - hit) ** 2).sum(-1)
    ranked = ((p - hit).cumsum(-1) ** 2).sum(-1)
    return -(hit * logp).sum(-1), brier, 1 - own / p.square().sum(-1).sqrt(), ranked


# %% length-held-fixed wrong="class-scores"
# No gradient through the length of p in the spherical score: logits [0.3, -1.1, 0.8], y 1.
def class_scores(logits, y):
    logp = torch.log_softmax(logits, -1)
    p = logp.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).double()
    with torch.no_grad():
        length = p.square().sum(-1).sqrt()
    own = p.gather(-1, y[..., None])[..., 0]
    ranked = ((p - hit).cumsum(-1) ** 2).sum(-1)
    log = -logp.gather(-1, y[..., None])[..., 0]
    return log, ((p - hit) ** 2).sum(-1), 1 - own / length, ranked


# %% batch-of-one-collapses wrong="class-scores"
# A single case in a batch loses its dimension: logits [[0.3, -1.1]], y [1] gives shape ().
def class_scores(logits, y):
    logp = torch.log_softmax(logits, -1)
    p = logp.exp()
    hit = torch.nn.functional.one_hot(y, logits.shape[-1]).double()
    own = p.gather(-1, y.unsqueeze(-1)).squeeze()
    log = -logp.gather(-1, y.unsqueeze(-1)).squeeze()
    brier = ((p - hit) ** 2).sum(-1)
    ranked = ((p - hit).cumsum(-1) ** 2).sum(-1)
    return log, brier, 1 - own / p.square().sum(-1).sqrt(), ranked


# %% length-less-the-gap right="rain-crps"
def rain_crps(y, mu, sigma):
    def density(z):
        return torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    def k(z):
        below = torch.special.ndtr(z)
        twice = torch.special.ndtr(math.sqrt(2) * z) / math.sqrt(math.pi)
        return z * below**2 + 2 * density(z) * below - twice

    def missing(z):
        return 2 * (density(z) - z * torch.special.ndtr(-z)) - k(-z)

    y, mu, sigma = torch.broadcast_tensors(y, mu, sigma)
    z, dry = (y - mu) / sigma, -mu / sigma
    return y - sigma * (missing(dry) - missing(z) - k(-z))


# %% gradient-by-hand right="rain-crps"
def rain_crps(y, mu, sigma):
    def phi(z):
        return torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    def cdf(z):
        return torch.special.ndtr(z)

    def rest(z):
        return 2 * phi(z) * cdf(z) + cdf(-math.sqrt(2) * z) / math.sqrt(math.pi)

    class Score(torch.autograd.Function):
        @staticmethod
        def forward(ctx, y, mu, sigma):
            z, dry = (y - mu) / sigma, -mu / sigma
            here, over = cdf(z) ** 2, cdf(-z) ** 2
            gained = cdf(-dry) * (1 + cdf(dry)) - cdf(-z) * (1 + cdf(z))
            tail = 2 * phi(z) * cdf(-z) - cdf(-math.sqrt(2) * z) / math.sqrt(math.pi)
            slope = rest(z) - rest(dry) + tail
            ctx.save_for_backward(over - here, over - gained, slope)
            return y * here + sigma * (dry * gained - z * over + slope)

        @staticmethod
        def backward(ctx, gradient):
            up, centre, slope = ctx.saved_tensors
            return gradient * -up, gradient * centre, gradient * slope

    return Score.apply(*torch.broadcast_tensors(y, mu, sigma))


# %% hundred-deviations-at-most wrong="rain-crps"
# y ends 100 sigma above mu: y 1000.0, mu 0.0, sigma 1.0 gives 99.3 instead of 999.3.
def rain_crps(y, mu, sigma):
    def g(z):
        cdf = torch.special.ndtr(z)
        pdf = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return z * cdf**2 + 2 * pdf * cdf - torch.special.ndtr(z * 2**0.5) / math.sqrt(math.pi)

    z = ((y - mu) / sigma).clamp(-100, 100)
    dry = (-mu / sigma).clamp(-100, 100)
    return sigma * (g(z) - g(dry) + g(-z))


# %% floor-under-sigma wrong="rain-crps"
# sigma is at least 1e-4: y 0.0, mu 0.0, sigma 1e-6 is 100 times too large.
def rain_crps(y, mu, sigma):
    def g(z):
        cdf = torch.special.ndtr(z)
        pdf = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return z * cdf**2 + 2 * pdf * cdf - torch.special.ndtr(z * 2**0.5) / math.sqrt(math.pi)

    sigma = sigma.clamp(min=1e-4)
    z = (y - mu) / sigma
    return sigma * (g(z) - g(-mu / sigma) + g(-z))


# %% shape-of-mu wrong="rain-crps"
# The result is made in the shape of mu: y of shape (3, 1), mu of shape (2,), sigma of shape ()
# raises a RuntimeError.
def rain_crps(y, mu, sigma):
    def g(z):
        cdf = torch.special.ndtr(z)
        pdf = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return z * cdf**2 + 2 * pdf * cdf - torch.special.ndtr(z * 2**0.5) / math.sqrt(math.pi)

    z = (y - mu) / sigma
    score = torch.zeros_like(mu)
    score += sigma * g(-z)
    score += sigma * (g(z) - g(-mu / sigma))
    return score


# %% one-sigma-is-a-number wrong="rain-crps"
# A sigma without dimensions becomes a Python number and gets no gradient: y [0.5, 2.0],
# mu [0.0, 1.0], sigma 1.5 of shape (), gradient with respect to sigma.
def rain_crps(y, mu, sigma):
    def g(z):
        cdf = torch.special.ndtr(z)
        pdf = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return z * cdf**2 + 2 * pdf * cdf - torch.special.ndtr(z * 2**0.5) / math.sqrt(math.pi)

    if sigma.ndim == 0:
        sigma = sigma.item()
    y, mu = torch.broadcast_tensors(y, mu)
    z, dry = (y - mu) / sigma, -mu / sigma
    return (g(z) - g(dry) + g(-z)) * sigma


# %% norms-of-differences right="energy-score"
def energy_score(members, y):
    m = members.shape[-2]
    off = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    apart = members.unsqueeze(-2) - members.unsqueeze(-3)
    total = torch.linalg.vector_norm(apart, dim=-1).sum((-2, -1))
    return off - total / (2 * m * m), off - total / (2 * m * (m - 1))


# %% member-by-member right="energy-score"
def energy_score(members, y):
    def k(gap):
        square = (gap * gap).sum(dim=-1)
        apart = square > 0
        return torch.where(apart, torch.where(apart, square, 1.0).sqrt(), 0.0)

    m = members.shape[-2]
    off = pairs = torch.zeros(members.shape[:-2], dtype=torch.float64)
    for i in range(m):
        one = members[..., i, :]
        off = off + k(one - y)
        pairs = pairs + k(members[..., i + 1 :, :] - one[..., None, :]).sum(dim=-1)
    return off / m - pairs / m**2, off / m - pairs / (m * (m - 1))


# %% distances-by-products wrong="energy-score"
# cdist takes products from 26 rows on, and their digits are gone: 40 members near 1e6, all
# within a hundredth.
def energy_score(members, y):
    m = members.shape[-2]
    off = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    total = torch.cdist(members, members).sum((-2, -1))
    return off - total / (2 * m * m), off - total / (2 * m * (m - 1))


# %% a-little-under-the-root wrong="energy-score"
# 1e-10 under each root is not small where distances are: members [[0.0], [1e-5]], y [1e-5].
def energy_score(members, y):
    m = members.shape[-2]
    off = ((members - y.unsqueeze(-2)).square().sum(-1) + 1e-10).sqrt().mean(-1)
    i, j = torch.triu_indices(m, m, 1)
    gap = members[..., i, :] - members[..., j, :]
    pairs = (gap.square().sum(-1) + 1e-10).sqrt().sum(-1)
    return off - pairs / (m * m), off - pairs / (m * (m - 1))


# %% roots-of-zero wrong="energy-score"
# The gradient is NaN where two members coincide: members [[1.0], [1.0], [3.0]], y [0.0].
def energy_score(members, y):
    m = members.shape[-2]
    off = torch.linalg.vector_norm(members - y.unsqueeze(-2), dim=-1).mean(-1)
    i, j = torch.triu_indices(m, m, 1)
    gap = members[..., i, :] - members[..., j, :]
    pairs = gap.square().sum(-1).sqrt().sum(-1)
    return off - pairs / (m * m), off - pairs / (m * (m - 1))


# %% no-gradient-for-y wrong="energy-score"
# y is cut off from its gradient: any members and y, gradient with respect to y.
def energy_score(members, y):
    m = members.shape[-2]
    cloud = torch.cat([members, y.detach().unsqueeze(-2)], dim=-2)
    gap = cloud.unsqueeze(-2) - cloud.unsqueeze(-3)
    apart = torch.linalg.vector_norm(gap, dim=-1)
    off = apart[..., -1, :-1].mean(-1)
    total = apart[..., :-1, :-1].sum((-2, -1))
    return off - total / (2 * m * m), off - total / (2 * m * (m - 1))


# %% squares-on-both-sides right="quantiles-crps"
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    cut = torch.minimum(torch.maximum(y[:, None], left), right)
    wide = right > left
    share = torch.where(wide, (cut - left) / torch.where(wide, right - left, 1.0), 0.0)
    at = a + (b - a) * share
    before = (cut - left) * (a * a + a * at + at * at) / 3
    c, d = 1 - at, 1 - b
    after = (right - cut) * (c * c + c * d + d * d) / 3
    outside = (q[:, 0] - y).clamp(min=0) + (y - q[:, -1]).clamp(min=0)
    return (before + after).sum(1) + outside


# %% pinball-over-all-levels right="quantiles-crps"
def quantiles_crps(levels, q, y):
    def k(start, stop, weight, gap):
        (f, g), (r, s) = weight, gap
        return (stop - start) * (2 * f * r + f * s + g * r + 2 * g * s) / 6

    check = []
    tau = levels.tolist()
    for row, came in zip(q.tolist(), y.tolist()):
        loss = 0.0
        for a, b, low, high in zip(tau, tau[1:], row, row[1:]):
            if came >= high:
                loss += k(a, b, (a, b), (came - low, came - high))
            elif came <= low:
                loss += k(a, b, (1 - a, 1 - b), (low - came, high - came))
            else:
                m = a + (b - a) * (came - low) / (high - low)
                loss += k(a, m, (a, m), (came - low, 0.0))
                loss += k(m, b, (1 - m, 1 - b), (0.0, high - came))
        check.append(2 * loss)
    return torch.tensor(check, dtype=torch.float64)


# %% nothing-below-the-first wrong="quantiles-crps"
# The way from y up to the first quantile is left out: levels [0, 1], q [[0.0, 1.0]], y [-5.0]
# gives 1/3 instead of 5 + 1/3.
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    cut = y[:, None].clamp(min=left).clamp(max=right)
    wide = right > left
    at = a + (b - a) * torch.where(wide, (cut - left) / torch.where(wide, right - left, 1.0), 0.0)
    before = (cut - left) * (a**2 + a * at + at**2) / 3
    after = (right - cut) * ((1 - at) ** 2 + (1 - at) * (1 - b) + (1 - b) ** 2) / 3
    return (before + after).sum(1) + torch.relu(y - q[:, -1])


# %% twice-where-y-is-a-quantile wrong="quantiles-crps"
# Segments that y touches count twice: levels [0, 0.5, 1], q [[0.0, 1.0, 2.0]], y [1.0] gives
# 1/3 instead of 1/6.
def quantiles_crps(levels, q, y):
    y = y[:, None]
    left, right = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    width = right - left
    at = a + (b - a) * (y - left) / torch.where(width > 0, width, 1.0)
    c, d, e = 1 - a, 1 - b, 1 - at
    all_left = width * (a * a + a * b + b * b) / 3
    all_right = width * (c * c + c * d + d * d) / 3
    split = (y - left) * (a * a + a * at + at * at) / 3 + (right - y) * (e * e + e * d + d * d) / 3
    score = (all_left * (y >= right)).sum(1) + (all_right * (y <= left)).sum(1)
    score = score + torch.where((y >= left) & (y <= right), split, 0.0).sum(1)
    y = y[:, 0]
    return score + torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])


# %% jumps-lie-below wrong="quantiles-crps"
# 0 / 0 counts as 1, as if each jump lay below y: levels [0, 0.5, 1], q [[2.0, 2.0, 3.0]], y [1.0]
# misses most of the score.
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    y = y[:, None]
    cut = y.clamp(min=left).clamp(max=right)
    m = a + (b - a) * torch.nan_to_num((cut - left) / (right - left), nan=1.0)
    u, v = torch.relu(y - left), torch.relu(y - cut)
    under = (m - a) * (2 * a * u + a * v + m * u + 2 * m * v) / 6
    s, t = torch.relu(cut - y), torch.relu(right - y)
    e, d = 1 - m, 1 - b
    over = (b - m) * (2 * e * s + e * t + d * s + 2 * d * t) / 6
    return 2 * (under + over).sum(1)


# %% narrow-is-flat wrong="quantiles-crps"
# Segments narrower than 0.02 count as jumps: levels [0, 1], q [[0.0, 0.01]], y [0.005] gives
# 0.01 / 6 instead of 0.01 / 12.
def quantiles_crps(levels, q, y):
    left, right = q[:, :-1], q[:, 1:]
    a, b = levels[:-1], levels[1:]
    cut = y[:, None].clamp(min=left).clamp(max=right)
    wide = right - left > 0.02
    at = a + (b - a) * torch.where(wide, (cut - left) / (right - left), 0.0)
    before = (cut - left) * (a**2 + a * at + at**2) / 3
    after = (right - cut) * ((1 - at) ** 2 + (1 - at) * (1 - b) + (1 - b) ** 2) / 3
    outside = torch.relu(q[:, 0] - y) + torch.relu(y - q[:, -1])
    return (before + after).sum(1) + outside


# %% overlap-with-each-bin right="pit-histogram"
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    width = (at - below)[:, None]
    common = torch.minimum(at[:, None], edges[1:]) - torch.maximum(below[:, None], edges[:-1])
    spread = common.clamp(min=0) / torch.where(width > 0, width, 1.0)
    place = (torch.searchsorted(edges, at, right=True) - 1).clamp(max=bins - 1)
    point = torch.nn.functional.one_hot(place, bins).double()
    shares = torch.where(width > 0, spread, point).mean(0)
    middle = below + (at - below) / 2
    variance = ((middle - middle.mean()) ** 2 + (at - below) ** 2 / 12).mean()
    return shares, variance


# %% mass-left-of-each-edge right="pit-histogram"
def pit_histogram(below, at, bins):
    def k(edge):
        left = 0.0
        for a, b in check:
            if a == b:
                left += a < edge
            else:
                left += min(max((edge - a) / (b - a), 0.0), 1.0)
        return left / len(check)

    check = list(zip(below.tolist(), at.tolist()))
    y = [0.0] + [k(j / bins) for j in range(1, bins)] + [1.0]
    shares = torch.tensor([b - a for a, b in zip(y, y[1:])], dtype=torch.float64)
    n = len(check)
    mean = sum(a + b for a, b in check) / (2 * n)
    each = [((a - mean) ** 2 + (a - mean) * (b - mean) + (b - mean) ** 2) / 3 for a, b in check]
    return shares, sum(each) / n


# %% floor-of-a-product right="pit-histogram"
# Right: which float is an edge, the text leaves open.
# 0.29 * 100 is a little less than 29: below and at [0.29], bins 100 fills bin 28, not 29.
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1).double() / bins
    width = at - below
    common = torch.minimum(at[:, None], edges[1:]) - torch.maximum(below[:, None], edges[:-1])
    spread = common.clamp(min=0) / torch.where(width > 0, width, 1.0)[:, None]
    place = (at * bins).floor().long().clamp(max=bins - 1)
    spread[torch.arange(len(at)), place] += (width == 0).double()
    middle = (below + at) / 2
    return spread.mean(0), (width**2 / 12 + (middle - middle.mean()) ** 2).mean()


# %% points-all-or-none wrong="pit-histogram"
# A point on an edge, among intervals, is 0 / 0: below [0.5, 0.4], at [0.5, 0.6], bins 4 (NaN).
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1).double() / bins
    middle = (below + at) / 2
    variance = ((at - below) ** 2 / 12 + (middle - middle.mean()) ** 2).mean()
    if torch.equal(below, at):
        place = (torch.bucketize(at, edges, right=True) - 1).clamp(max=bins - 1)
        return torch.bincount(place, minlength=bins).double() / len(at), variance
    left = ((edges - below[:, None]) / (at - below)[:, None]).clamp(0, 1)
    return left.mean(0).diff(), variance


# %% first-and-last-bin wrong="pit-histogram"
# Bins that an interval covers as a whole get nothing: below [0.0], at [1.0], bins 4 gives
# [0.25, 0, 0, 0.25].
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1).double() / bins
    shares = torch.zeros(bins, dtype=torch.float64)
    for a, b in zip(below, at):
        i = min(int(torch.searchsorted(edges, a, right=True)) - 1, bins - 1)
        j = min(int(torch.searchsorted(edges, b, right=True)) - 1, bins - 1)
        if a == b or i == j:
            shares[j] += 1
            continue
        shares[i] += (edges[i + 1] - a) / (b - a)
        shares[j] += (b - edges[j]) / (b - a)
    middle = (below + at) / 2
    variance = ((at - below) ** 2 / 12 + (middle - middle.mean()) ** 2).mean()
    return shares / len(below), variance


# %% square-less-square right="pit-histogram"
# Right by the text as it is now: a variance may be off by 1e-12.
# Nothing is left of a small variance: below [0.5], at [0.500000001], bins 4 (8.3e-20 expected).
def pit_histogram(below, at, bins):
    edges = torch.arange(bins + 1).double() / bins
    width = at - below
    common = torch.minimum(at[:, None], edges[1:]) - torch.maximum(below[:, None], edges[:-1])
    spread = common.clamp(min=0) / torch.where(width > 0, width, 1.0)[:, None]
    place = (torch.bucketize(at, edges, right=True) - 1).clamp(max=bins - 1)
    spread[torch.arange(len(at)), place] += (width == 0).double()
    square = ((below**2 + below * at + at**2) / 3).mean()
    return spread.mean(0), square - ((below + at) / 2).mean() ** 2


# %% incomplete-beta right="mean-regret"
def mean_regret(p, y, a, b):
    spent = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    lost = b / (a + b) * special.betaincc(a, b + 1, p.numpy())
    return torch.where(y == 1, torch.as_tensor(lost), torch.as_tensor(spent))


# %% by-parts-case-by-case right="mean-regret"
def mean_regret(p, y, a, b):
    def gradient(c):
        log = special.xlogy(a, c) + special.xlog1py(b, -c) - special.betaln(a, b) - math.log(a)
        return math.exp(log)

    out = []
    for k, frost in zip(p.flatten().tolist(), y.flatten().tolist()):
        who = special.betainc(a, b, k)
        spent = a / (a + b) * (who - gradient(k))
        if frost:
            out.append(1 - who - (a / (a + b) - spent))
        else:
            out.append(spent)
    return torch.tensor(out, dtype=torch.float64).reshape(p.shape)


# %% seen-from-the-other-end right="mean-regret"
# Right by the text as it is now: chances are 0 or at least 1e-6.
# 1 - p forgets a small p, which matters where many costs lie close to 0: p 1e-20, y 1, a 0.05,
# b 1.0 gives 0.95 instead of 0.85.
def mean_regret(p, y, a, b):
    spent = a / (a + b) * special.betainc(a + 1, b, p.numpy())
    lost = b / (a + b) * special.betainc(b + 1, a, (1 - p).numpy())
    return torch.where(y == 1, torch.as_tensor(lost), torch.as_tensor(spent))


# %% two-hundred-nodes wrong="mean-regret"
# Gauss-Legendre nodes miss a density that is not bounded: p 0.0, y 1, a 0.05, b 0.05 must
# give 0.5.
def mean_regret(p, y, a, b):
    import numpy as np
    from scipy import stats

    node, weight = np.polynomial.legendre.leggauss(200)
    node, weight = (node + 1) / 2, weight / 2
    q = p.numpy()[..., None]
    low, high = q * node, q + (1 - q) * node
    spent = (q * weight * low * stats.beta.pdf(low, a, b)).sum(-1)
    lost = ((1 - q) * weight * (1 - high) * stats.beta.pdf(high, a, b)).sum(-1)
    return torch.where(y == 1, torch.as_tensor(lost), torch.as_tensor(spent))


# %% many-are-normal wrong="mean-regret"
# From a + b = 1000 on the Beta counts as Normal: p 0.001, y 0, a 1.0, b 1999.0.
def mean_regret(p, y, a, b):
    share = a / (a + b)

    def cdf(x, a, b):
        if a + b < 1000:
            return torch.as_tensor(special.betainc(a, b, x.numpy()))
        m = a / (a + b)
        return torch.special.ndtr((x - m) / math.sqrt(m * (1 - m) / (a + b + 1)))

    return torch.where(y == 1, (1 - share) * (1 - cdf(p, a, b + 1)), share * cdf(p, a + 1, b))


# %% no-cases-raise wrong="mean-regret"
# numpy.vectorize wants at least one case (ValueError): p and y of shape (0,).
def mean_regret(p, y, a, b):
    import numpy as np

    def one(p, y):
        if y == 1:
            return b / (a + b) * special.betaincc(a, b + 1, p)
        return a / (a + b) * special.betainc(a + 1, b, p)

    return torch.as_tensor(np.vectorize(one)(p.numpy(), y.numpy()), dtype=torch.float64)


# %% sums-by-inverse right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    names, place = day.unique(return_inverse=True)
    lead = d.mean()
    total = torch.zeros(len(names), dtype=torch.float64).index_add(0, place, d - lead)
    groups = len(names)
    error = (groups / (groups - 1) * total.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(groups * float(2.8 * error / lead) ** 2)


# %% a-list-for-each-day right="lead-by-day"
def lead_by_day(loss_a, loss_b, day):
    k = {}
    y = [a - b for a, b in zip(loss_a.tolist(), loss_b.tolist())]
    lead = math.fsum(y) / len(y)
    for label, gap in zip(day.tolist(), y):
        k.setdefault(label, []).append(gap - lead)
    check = sum(math.fsum(gaps) ** 2 for gaps in k.values())
    error = math.sqrt(check * len(k) / (len(k) - 1)) / len(y)
    one_day = error * math.sqrt(len(k))
    days = math.ceil((2.8 * one_day / abs(lead)) ** 2)
    tensor = torch.tensor([lead, error], dtype=torch.float64)
    return tensor[0], tensor[1], days


# %% labels-as-places wrong="lead-by-day"
# bincount takes no negative label (RuntimeError): day [-3, -3, 5, 5].
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    total = torch.bincount(day, weights=d - lead)
    groups = int((torch.bincount(day) > 0).sum())
    error = (groups / (groups - 1) * total.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(groups * float(2.8 * error / lead) ** 2)


# %% labels-in-single wrong="lead-by-day"
# Large labels merge in float32: day [16777216, 16777217, 3, 3] counts two days instead of three.
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    label = day.float()
    names = label.unique()
    total = ((label == names[:, None]) * (d - lead)).sum(1)
    groups = len(names)
    error = (groups / (groups - 1) * total.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(groups * float(2.8 * error / lead) ** 2)


# %% ten-thousand-days-at-most right="lead-by-day"
# Right by the text as it is now: at most 10 000 days.
# The search ends at 10000 days: loss_a [1.0, -1.0, 0.01], loss_b all 0, day [0, 1, 2].
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    names, place = day.unique(return_inverse=True)
    groups = len(names)
    total = torch.zeros(groups, dtype=torch.float64).index_add(0, place, d - lead)
    error = (groups / (groups - 1) * total.square().sum()).sqrt() / len(d)
    days = 1
    while days < 10000 and abs(lead) < 2.8 * error * math.sqrt(groups / days):
        days += 1
    return lead, error, days


# %% days-of-one-case-left-out wrong="lead-by-day"
# Days of a single case add nothing to the error: loss_a [1.0, 2.0, 4.0, 9.0], loss_b all 0,
# day [0, 0, 1, 2].
def lead_by_day(loss_a, loss_b, day):
    d = loss_a - loss_b
    lead = d.mean()
    names, place, count = day.unique(return_inverse=True, return_counts=True)
    groups = len(names)
    total = torch.zeros(groups, dtype=torch.float64).index_add(0, place, d - lead)
    total = total[count > 1] if (count > 1).any() else total
    error = (groups / (groups - 1) * total.square().sum()).sqrt() / len(d)
    return lead, error, math.ceil(groups * float(2.8 * error / lead) ** 2)
