# %% mixed-branches right="count-density"
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance lies below its mean")
    equal = variance == mean
    excess = torch.where(equal, mean.detach(), variance - mean)
    count = mean * mean / excess
    heads = torch.distributions.NegativeBinomial(
        total_count=count, logits=torch.log(excess / mean), validate_args=False
    )
    poisson = y * torch.log(mean) - mean - torch.lgamma(y + 1)
    return torch.where(equal, poisson, heads.log_prob(y))


# %% rising-product right="count-density"
def count_log_prob(y, mean, variance):
    def check(m, v):
        if any(b < a for a, b in zip(m, v)):
            raise ValueError("no such distribution")

    check(mean.tolist(), variance.tolist())
    # With k = 1 / total_count the Poisson is the member k = 0 of one family.
    wide = variance > mean
    k = torch.where(wide, (variance - mean) / mean**2, 0.0)
    j = torch.arange(int(y.max()) + 1, dtype=torch.float64)
    steps = torch.where(j < y[:, None], torch.log1p(j * k[:, None]), 0.0).sum(1)
    safe = torch.where(wide, k, 1.0)
    log_one = torch.log1p(safe * mean)
    base = torch.where(wide, log_one / safe, mean)
    shrink = torch.where(wide, y * log_one, 0.0)
    return steps - base - shrink + y * mean.log() - torch.lgamma(y + 1)


# %% early-poisson wrong="count-density"
# Calls it a Poisson below an excess of 1e-4 of the mean: y = 1000, mean = 1, variance = 1.00009.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance lies below its mean")
    equal = variance - mean < 1e-4 * mean
    excess = torch.where(equal, mean.detach(), variance - mean)
    heads = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), heads.log_prob(y))


# %% tolerant-refusal wrong="count-density"
# A variance barely below its mean passes: mean = 5, variance = 5 - 1e-12 gives a number.
def count_log_prob(y, mean, variance):
    if bool((variance < mean * (1 - 1e-9)).any()):
        raise ValueError("a variance lies below its mean")
    equal = variance <= mean
    excess = torch.where(equal, mean.detach(), variance - mean)
    heads = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), heads.log_prob(y))


# %% refuse-only-all wrong="count-density"
# Raises only if every variance is too small: mean = [2, 2], variance = [3, 1.5] gives nan.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).all()):
        raise ValueError("variance below mean")
    equal = variance == mean
    excess = torch.where(equal, mean.detach(), variance - mean)
    r = mean**2 / excess
    binomial = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    binomial = binomial - r * torch.log1p(mean / r) + y * torch.log(mean / (r + mean))
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), binomial)


# %% nan-gradient wrong="count-density"
# An excess of 0 is divided by, and where() hides it in the value only: y = [3], mean = [5],
# variance = [5] has the gradient nan with respect to mean.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("variance below mean")
    excess = variance - mean
    r = mean**2 / excess
    binomial = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    binomial = binomial + r * torch.log(mean / variance) + y * torch.log(excess / variance)
    poisson = torch.xlogy(y, mean) - mean - torch.lgamma(y + 1)
    return torch.where(excess == 0, poisson, binomial)


# %% excess-floor wrong="count-density"
# The excess has a floor of 1e-3: y = [3], mean = [0.001], variance = [0.0015].
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("variance below mean")
    excess = (variance - mean).clamp(min=1e-3)
    heads = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, heads.log_prob(y))


# %% library-lognormal right="log-target"
def price_report(y, mu, sigma, centre, width):
    heads = torch.distributions.LogNormal(centre + width * mu, width * sigma, validate_args=False)
    return -heads.log_prob(y).mean(), heads.mean, heads.icdf(torch.full_like(mu, 0.5))


# %% change-of-variables right="log-target"
def price_report(y, mu, sigma, centre, width):
    z = ((torch.log(y) - centre) / width - mu) / sigma
    normal = 0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    jacobian = torch.log(y) + math.log(width)
    loss = torch.sum(normal + jacobian) / len(y)
    middle = torch.exp(centre + width * mu)
    return loss, middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% price-offset wrong="log-target"
# A small number is added before the logarithm: y = [1e-10], mu = [0], sigma = [1], centre -23,
# width 1.
def price_report(y, mu, sigma, centre, width):
    log_y = torch.log(y + 1e-9)
    normal = torch.distributions.Normal(mu, sigma)
    nll = (log_y + math.log(width) - normal.log_prob((log_y - centre) / width)).mean()
    location = centre + width * mu
    return nll, torch.exp(location + (width * sigma) ** 2 / 2), torch.exp(location)


# %% sigma-floor wrong="log-target"
# Sigma has a floor of 1e-6: y = [1], mu = [0], sigma = [1e-7], centre 0, width 1.
def price_report(y, mu, sigma, centre, width):
    sigma = sigma.clamp(min=1e-6)
    heads = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -heads.log_prob(y).mean(), heads.mean, heads.loc.exp()


# %% quadrature-mean wrong="log-target"
# The mean comes from 20 Gauss-Hermite nodes, too few for a wide one: mu = [0], sigma = [3],
# centre 0, width 3.
def price_report(y, mu, sigma, centre, width):
    import numpy as np

    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.hermite_e.hermegauss(20))
    scale = width * sigma
    heads = torch.distributions.LogNormal(centre + width * mu, scale)
    grid = torch.exp(centre + width * mu[:, None] + scale[:, None] * nodes)
    mean = grid @ weights / math.sqrt(2 * math.pi)
    return -heads.log_prob(y).mean(), mean, heads.loc.exp()


# %% detached-sigma wrong="log-target"
# The gradient of nll with respect to sigma is lost: any input, say y = [5], mu = [0.5],
# sigma = [0.7], centre 1, width 1.
def price_report(y, mu, sigma, centre, width):
    scale = width * sigma.detach()
    place = centre + width * mu
    nll = (0.5 * ((y.log() - place) / scale) ** 2 + scale.log() + y.log()).mean()
    nll = nll + 0.5 * math.log(2 * math.pi)
    return nll, torch.exp(place + 0.5 * scale**2), torch.exp(place)


# %% single-precision-log wrong="log-target"
# The logarithm is taken in float32: y = [7], mu = [log 7], sigma = [1e-7], centre 0, width 1.
def price_report(y, mu, sigma, centre, width):
    log_y = y.float().log().double()
    t = (log_y - centre) / width
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t) + y.log() + math.log(width)
    place = centre + width * mu
    return nll.mean(), torch.exp(place + 0.5 * (width * sigma) ** 2), torch.exp(place)


# %% two-regimes right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    rate = torch.exp(log_rate)
    log_open = F.logsigmoid(-gate)
    # Minus the probability of a count that is not 0.
    sold = torch.exp(log_open) * torch.expm1(-rate)
    near_one = sold > -0.5
    zero = torch.where(
        near_one,
        torch.log1p(torch.where(near_one, sold, -0.25)),
        torch.logaddexp(F.logsigmoid(gate), log_open - rate),
    )
    other = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% one-by-one right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    def log_sigmoid(x):
        return -torch.nn.functional.softplus(-x, threshold=700.0)

    def zero(g, h):
        if g.item() > 0 or h.item() < -1:
            return torch.log1p(torch.exp(log_sigmoid(-g)) * torch.expm1(-h.exp()))
        return torch.logsumexp(torch.stack([log_sigmoid(g), log_sigmoid(-g) - h.exp()]), 0)

    rows = []
    for k, g, h in zip(y, gate, log_rate):
        if k == 0:
            rows.append(zero(g, h))
        else:
            rows.append(log_sigmoid(-g) + k * h - torch.exp(h) - torch.lgamma(k + 1))
    return torch.stack(rows)


# %% plain-mixture wrong="two-kinds-of-zero"
# Both parts of the sum underflow: y = [0], gate = [-800], log_rate = [7] gives -inf.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    pi = torch.sigmoid(gate)
    zero = torch.log(pi + torch.sigmoid(-gate) * torch.exp(-rate))
    other = torch.nn.functional.logsigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% rate-floor wrong="two-kinds-of-zero"
# The rate has a floor of 1e-8: y = [1], gate = [0], log_rate = [-30].
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    poisson = torch.distributions.Poisson(log_rate.exp().clamp(min=1e-8)).log_prob(y)
    counted = F.logsigmoid(-gate) + poisson
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), counted), counted)


# %% log-of-sigmoid wrong="two-kinds-of-zero"
# The value is right, but log(0) makes the gradient nan: y = [0], gate = [-780], log_rate = [0].
def zip_log_prob(y, gate, log_rate):
    counted = torch.nn.functional.logsigmoid(-gate)
    counted = counted + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    closed = torch.log(torch.sigmoid(gate))
    return torch.where(y == 0, torch.logaddexp(closed, counted), counted)


# %% factorial-table wrong="two-kinds-of-zero"
# A table of factorials overflows: y = [200], gate = [0], log_rate = [5] gives -inf.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    table = torch.arange(int(y.max()) + 1, dtype=torch.float64)
    table[0] = 1
    factorials = torch.cumprod(table, 0)[y.long()]
    counted = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - factorials.log()
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), counted), counted)


# %% two-sides right="living-link"
def positive_scale(raw):
    left = raw < 0
    right_raw = torch.where(left, 0.0, raw)
    left_raw = torch.where(left, raw, 0.0)
    right = (right_raw + torch.sqrt(right_raw * right_raw + 4)) / 2
    return torch.where(left, 2 / (torch.sqrt(left_raw * left_raw + 4) - left_raw), right)


# %% hyperbolic right="living-link"
def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2))


# %% early-asymptote wrong="living-link"
# Beyond 100 it takes raw itself, or 1 / |raw|: raw = 101 is off by 1e-4.
def positive_scale(raw):
    middle = torch.exp(torch.asinh(raw.clamp(-100, 100) / 2))
    far_right, far_left = raw > 100, raw < -100
    tail = -1 / torch.where(far_left, raw, -1.0)
    return torch.where(far_right, raw, torch.where(far_left, tail, middle))


# %% capped-right wrong="living-link"
# Large raws are cut so that nothing overflows: raw = 1e8.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw.clamp(max=1e6) / 2))


# %% late-switch wrong="living-link"
# Left of 0 the quadratic formula cancels in float32: raw = -500 in float32.
def positive_scale(raw):
    root = (raw + torch.sqrt(raw**2 + 4)) / 2
    safe = raw.clamp(max=-1)
    return torch.where(raw < -1e3, -1 / safe + 1 / safe**3, root)


# %% rows-stacked wrong="living-link"
# Goes through the first axis, which a 0-d tensor lacks: torch.tensor(0.5).
def positive_scale(raw):
    def solve(row):
        return torch.where(
            row < 0,
            2 / (torch.sqrt(row.clamp(max=0) ** 2 + 4) - row.clamp(max=0)),
            (row.clamp(min=0) + torch.sqrt(row.clamp(min=0) ** 2 + 4)) / 2,
        )

    return torch.stack([solve(row) for row in raw])


# %% scale-floor wrong="living-link"
# The scale has a floor of 1.2e-8: raw = -9.9e7.
def positive_scale(raw):
    negative = raw.clamp(max=0)
    left = 1 / ((negative**2 / 4 + 1).sqrt() - negative / 2)
    positive = raw.clamp(min=0)
    right = positive / 2 + (positive**2 / 4 + 1).sqrt()
    return torch.where(raw < 0, left.clamp(min=1.2e-8), right)


# %% three-factors right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    gaps = torch.exp(log_gaps)
    thresholds = first + torch.cat([gaps.new_zeros(1), torch.cumsum(gaps, 0)])
    below = torch.nn.functional.logsigmoid(thresholds - eta[:, None])
    above = torch.nn.functional.logsigmoid(eta[:, None] - thresholds)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% class-by-class right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    def y(x):
        return -torch.logaddexp(torch.zeros_like(x), -x)

    theta = first.expand(len(eta))
    columns = [y(theta - eta)]
    for k in range(log_gaps.numel()):
        gap = log_gaps[k].exp()
        # The share of the gap that is left of its first-order term, in logarithms.
        part = log_gaps[k] + torch.log(-torch.expm1(-gap) / gap)
        columns.append(part + y(eta - theta) + y(theta + gap - eta))
        theta = theta + gap
    columns.append(y(eta - theta))
    return torch.stack(columns, dim=-1)


# %% gaps-from-thresholds wrong="ordered-classes"
# Gaps are taken back from the thresholds, where they drown: eta = [0], first = 1000,
# log_gaps = [4, -30] gives -inf.
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    theta = torch.cat([first[None], first + torch.cumsum(log_gaps.exp(), 0)])
    a = theta - eta[:, None]
    middle = F.logsigmoid(a[:, 1:]) + F.logsigmoid(-a[:, :-1])
    middle = middle + torch.log(-torch.expm1(-torch.diff(theta)))
    return torch.cat([F.logsigmoid(a[:, :1]), middle, F.logsigmoid(-a[:, -1:])], 1)


# %% gap-offset wrong="ordered-classes"
# A small number is added to each gap: eta = [0], first = 0, log_gaps = [-30].
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    gaps = log_gaps.exp() + 1e-10
    theta = torch.cat([first[None], first + torch.cumsum(gaps, 0)])
    a = theta - eta[:, None]
    middle = F.logsigmoid(a[:, 1:]) + F.logsigmoid(-a[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([F.logsigmoid(a[:, :1]), middle, F.logsigmoid(-a[:, -1:])], 1)


# %% clamped-scores wrong="ordered-classes"
# Differences are cut at 705, where exp does not overflow yet: eta = [800], first = 0.
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + torch.cumsum(gaps, 0)])
    a = (theta - eta[:, None]).clamp(-705, 705)
    middle = F.logsigmoid(a[:, 1:]) + F.logsigmoid(-a[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([F.logsigmoid(a[:, :1]), middle, F.logsigmoid(-a[:, -1:])], 1)


# %% stack-of-none wrong="ordered-classes"
# With two classes there is no middle to stack: log_gaps = torch.zeros(0) raises.
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    theta = [first]
    for gap in log_gaps:
        theta.append(theta[-1] + gap.exp())
    middle = [
        F.logsigmoid(high - eta) + F.logsigmoid(eta - low) + torch.log(-torch.expm1(-gap.exp()))
        for low, high, gap in zip(theta, theta[1:], log_gaps)
    ]
    ends = F.logsigmoid(theta[0] - eta), F.logsigmoid(eta - theta[-1])
    return torch.cat([ends[0][:, None], torch.stack(middle, 1), ends[1][:, None]], 1)


# %% factor-dropped wrong="ordered-classes"
# For gaps above 1.5 it leaves the factor 1 - exp(-gap) out: log_gaps = [0.5].
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + torch.cumsum(gaps, 0)])
    a = theta - eta[:, None]
    factor = torch.where(gaps > 1.5, 0.0, torch.log(-torch.expm1(-gaps)))
    middle = F.logsigmoid(a[:, 1:]) + F.logsigmoid(-a[:, :-1]) + factor
    return torch.cat([F.logsigmoid(a[:, :1]), middle, F.logsigmoid(-a[:, -1:])], 1)


# %% same-sums right="act-or-ask"
def act_or_ask(p, cost, price):
    # The cheapest action for each outcome is one more row, so that equal rows round alike.
    rows = torch.cat([cost, cost.amin(dim=0, keepdim=True)])
    total = torch.zeros(len(p), len(rows), dtype=p.dtype)
    for k in range(p.shape[1]):
        total = total + p[:, k, None] * rows[:, k]
    best = total[:, :-1].amin(dim=1)
    action = (total[:, :-1] == best[:, None]).to(torch.int64).argmax(dim=1)
    ask = total[:, -1] + price
    asking = ask < best
    return torch.where(asking, -1, action), torch.where(asking, ask, best)


# %% one-example-at-a-time right="act-or-ask"
def act_or_ask(p, cost, price):
    def k(chances, row):
        total = 0.0
        for chance, value in zip(chances, row):
            total += chance * value
        return total

    table = cost.tolist()
    cheapest = [min(column) for column in zip(*table)]
    actions, expected = [], []
    for chances in p.tolist():
        options = [k(chances, row) for row in table]
        best = min(options)
        ask = k(chances, cheapest) + price
        actions.append(-1 if ask < best else options.index(best))
        expected.append(min(ask, best))
    return (
        torch.tensor(actions, dtype=torch.int32),
        torch.tensor(expected, dtype=torch.float64),
    )


# %% ask-on-tie wrong="act-or-ask"
# Asks where asking costs the same: p = [[0.5, 0.5]], cost = [[0, 2], [1, 3]], price 0.
def act_or_ask(p, cost, price):
    expected, action = (p @ cost.T).min(dim=1)
    ask = p @ cost.min(dim=0).values + price
    return torch.where(ask <= expected, -1, action), torch.minimum(ask, expected)


# %% last-of-ties wrong="act-or-ask"
# Takes the last of equal actions: p = [[0.5, 0.5]], cost = [[0, 2], [1, 1]], price inf.
def act_or_ask(p, cost, price):
    totals = p @ cost.T
    best, action = totals[:, 0], torch.zeros(len(p), dtype=torch.int64)
    for a in range(1, len(cost)):
        better = totals[:, a] <= best
        best = torch.where(better, totals[:, a], best)
        action = torch.where(better, a, action)
    ask = p @ cost.amin(0) + price
    return torch.where(ask < best, -1, action), torch.minimum(ask, best)


# %% no-free-question wrong="act-or-ask"
# A price of 0 counts as none at all: p = [[0.5, 0.5]], cost = [[0, 1], [1, 0]], price 0.
def act_or_ask(p, cost, price):
    expected, action = (p @ cost.T).min(dim=1)
    ask = p @ cost.min(dim=0).values + (price or float("inf"))
    return torch.where(ask < expected, -1, action), torch.minimum(ask, expected)


# %% almost-tied wrong="act-or-ask"
# Almost equal costs count as equal: p = [[0.5, 0.5]], cost = [[500.001, 500.001], [500, 500]]
# is action 1.
def act_or_ask(p, cost, price):
    totals = p @ cost.T
    best = totals.min(dim=1).values
    action = torch.isclose(totals, best[:, None], rtol=1e-5).int().argmax(dim=1)
    ask = p @ cost.min(dim=0).values + price
    return torch.where(ask < best, -1, action), torch.minimum(ask, best)


# %% narrow-costs wrong="act-or-ask"
# Sums in float32: p = [[0.5, 0.5]], cost = [[900.00001, 900.00001], [900, 900]], price inf
# is action 1.
def act_or_ask(p, cost, price):
    totals = (p.float() @ cost.float().T).double()
    best, action = totals.min(dim=1)
    ask = (p.float() @ cost.float().amin(0)).double() + price
    return torch.where(ask < best, -1, action), torch.minimum(ask, best)


# %% chosen-then-summed right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    n, length, _ = logits.shape
    used = torch.arange(1, length) < lengths[:, None]
    scores = torch.where(used[:, :, None], logits[:, :-1], 0.0)
    targets = torch.where(used, tokens[:, 1:], 0)
    chosen = torch.log_softmax(scores, dim=2).gather(2, targets[:, :, None]).squeeze(2)
    return torch.where(used, chosen, 0.0).sum(dim=1)


# %% only-real-places right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    def gradient(z, ids):
        # Shifted by the largest, so that digits near log-probability 0 survive.
        shifted = z - z.detach().amax(dim=-1, keepdim=True)
        logs = shifted - torch.log(torch.exp(shifted).sum(dim=-1, keepdim=True))
        return logs[torch.arange(len(ids)), ids].sum()

    sums = []
    for i, size in enumerate(lengths.tolist()):
        sums.append(gradient(logits[i, : size - 1], tokens[i, 1:size]))
    return torch.stack(sums)


# %% mask-from-tokens wrong="sequence-density"
# Takes each valid token for part of a sequence: tokens = [[0, 1, 2]], lengths = [2].
def sequence_log_prob(logits, tokens, lengths):
    targets = tokens[:, 1:]
    used = (targets >= 0) & (targets < logits.shape[-1])
    scores = torch.where(used[..., None], logits[:, :-1], 0.0)
    logs = torch.log_softmax(scores, -1)
    chosen = logs.gather(-1, torch.where(used, targets, 0)[..., None])[..., 0]
    return (chosen * used).sum(1)


# %% masked-too-late wrong="sequence-density"
# nan in unused logits stays out of the value but reaches the gradient: lengths = [1],
# tokens = [[0, 0]], logits = nan in [0, 0] has gradients nan there, not 0.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    logs = torch.log_softmax(logits[:, :-1], -1)
    targets = torch.where(used, tokens[:, 1:], 0)
    chosen = logs.gather(-1, targets[..., None])[..., 0]
    return torch.where(used, chosen, 0.0).sum(1)


# %% log-of-softmax wrong="sequence-density"
# A softmax underflows: logits [[[0, 2000], [0, 0]]], tokens [[0, 0]], lengths [2] gives -inf.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = torch.where(used[..., None], logits[:, :-1], 0.0)
    targets = torch.where(used, tokens[:, 1:], 0)
    chosen = torch.softmax(scores, -1).gather(-1, targets[..., None])[..., 0]
    return torch.log(torch.where(used, chosen, 1.0)).sum(1)


# %% classes-from-tokens wrong="sequence-density"
# Takes the number of classes from the tokens that occur: K = 3, tokens [[0, 1]], lengths [2].
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    targets = torch.where(used, tokens[:, 1:], 0)
    size = int(targets.max()) + 1
    scores = torch.where(used[..., None], logits[:, :-1, :size], 0.0)
    hot = torch.nn.functional.one_hot(targets, size)
    return (torch.log_softmax(scores, -1) * hot * used[..., None]).sum((1, 2))


# %% times-zero wrong="sequence-density"
# Unused places are multiplied by 0, and nan or inf stays nan: logits nan in [0, 1],
# tokens [[0, 1, 1]], lengths [2].
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = logits[:, :-1] * used[..., None]
    targets = tokens[:, 1:] * used
    chosen = torch.log_softmax(scores, -1).gather(-1, targets[..., None])[..., 0]
    return (chosen * used).sum(1)
