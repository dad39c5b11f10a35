# %% [markdown]
# Answers written from the text alone.


# %% count-rising-product right="count-density"
# The rising factorial as a sum of logs of (mean^2 + j excess) / variance, all at once.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    ratio = excess / mean
    steps = torch.arange(int(y.max()), dtype=mean.dtype)
    factors = (mean[:, None] ** 2 + steps * excess[:, None]) / variance[:, None]
    logs = torch.where(steps < y[:, None], factors.log(), torch.zeros_like(factors))
    negative = logs.sum(1) - mean * torch.log1p(ratio) / ratio - torch.lgamma(y + 1)
    return torch.where(equal, poisson, negative)


# %% count-poisson-plus-correction right="count-density"
# PyTorch's Poisson plus a correction that vanishes with the excess, summed in a loop over j.
def count_log_prob(y, mean, variance):
    if not bool((variance >= mean).all()):
        raise ValueError("no count has a variance below its mean here")
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    wider = variance > mean
    excess = torch.where(wider, variance - mean, torch.ones_like(mean))
    ratio = excess / mean
    correction = mean * (1 - torch.log1p(ratio) / ratio) - y * torch.log1p(ratio)
    for j in range(1, int(y.max())):
        term = torch.log1p(j * ratio / mean)
        correction = correction + torch.where(y > j, term, torch.zeros_like(term))
    return torch.where(wider, poisson + correction, poisson)


# %% count-refuses-only-all wrong="count-density"
# Refuses only if ALL variances are too small: a batch with one bad row among good ones gets
# a number (or nan) in place of the ValueError.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).all()):
        raise ValueError("variance below mean")
    equal = variance <= mean
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    total = mean**2 / excess
    negative = (
        torch.lgamma(y + total)
        - torch.lgamma(total)
        - torch.lgamma(y + 1)
        - total * torch.log1p(excess / mean)
        + y * (excess / variance).log()
    )
    return torch.where(equal, poisson, negative)


# %% count-where-without-safe-excess wrong="count-density"
# Divides by an excess of 0 in the branch not taken: values are right, but the gradient with
# respect to the mean is nan wherever variance and mean are equal.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("variance below mean")
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = variance - mean
    total = mean**2 / excess
    negative = (
        torch.lgamma(y + total)
        - torch.lgamma(total)
        - torch.lgamma(y + 1)
        - total * torch.log1p(excess / mean)
        + y * (excess / variance).log()
    )
    return torch.where(excess == 0, poisson, negative)


# %% count-poisson-too-early wrong="count-density"
# Takes the Poisson for an excess up to 1e-4 of the mean; at mean 1, variance 1.0001, y = 100
# the log-probability is off by about 0.4.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("variance below mean")
    close = variance - mean <= 1e-4 * mean
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = torch.where(close, torch.ones_like(mean), variance - mean)
    total = mean**2 / excess
    negative = (
        torch.lgamma(y + total)
        - torch.lgamma(total)
        - torch.lgamma(y + 1)
        - total * torch.log1p(excess / mean)
        + y * (excess / variance).log()
    )
    return torch.where(close, poisson, negative)


# %% count-refusal-with-tolerance wrong="count-density"
# Forgives a variance that is smaller than its mean by less than a millionth of it (takes it
# for a Poisson), e.g. mean 5 and variance 5 - 1e-9, where ValueError is due.
def count_log_prob(y, mean, variance):
    if bool((variance < mean * (1 - 1e-6)).any()):
        raise ValueError("variance below mean")
    equal = variance <= mean
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    ratio = excess / mean
    steps = torch.arange(int(y.max()), dtype=mean.dtype)
    factors = (mean[:, None] ** 2 + steps * excess[:, None]) / variance[:, None]
    logs = torch.where(steps < y[:, None], factors.log(), torch.zeros_like(factors))
    negative = logs.sum(1) - mean * torch.log1p(ratio) / ratio - torch.lgamma(y + 1)
    return torch.where(equal, poisson, negative)


# %% price-by-hand right="log-target"
# The Normal density of t times the derivative of t, written out.
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + log_y + math.log(width)
    log_median = centre + width * mu
    return each.mean(), (log_median + 0.5 * (width * sigma) ** 2).exp(), log_median.exp()


# %% price-log-normal right="log-target"
# log y is Normal with mean centre + width mu and deviation width sigma: PyTorch's LogNormal.
def price_report(y, mu, sigma, centre, width):
    price = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -price.log_prob(y).mean(), price.mean, price.loc.exp()


# %% price-epsilon-in-log wrong="log-target"
# Adds 1e-8 inside the logarithm: wrong for prices such as 1e-10, and for a sigma of 1e-7.
def price_report(y, mu, sigma, centre, width):
    log_y = torch.log(y + 1e-8)
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + log_y + math.log(width)
    log_median = centre + width * mu
    return each.mean(), (log_median + 0.5 * (width * sigma) ** 2).exp(), log_median.exp()


# %% price-float32-constants wrong="log-target"
# Puts centre and width into a float32 tensor; with sigma 1e-7 the rounding of centre (1e-6 for
# a centre near 30, 5e-8 for 1.2) moves z by a good part of a unit or more.
def price_report(y, mu, sigma, centre, width):
    shift, scale = torch.tensor([centre, width], dtype=torch.float32)
    normal = torch.distributions.Normal(mu, sigma)
    log_y = y.log()
    each = -normal.log_prob((log_y - shift) / scale) + log_y + scale.log()
    log_median = shift + scale * mu
    return each.mean(), (log_median + 0.5 * (scale * sigma) ** 2).exp(), log_median.exp()


# %% price-log-of-density wrong="log-target"
# Takes the logarithm of the density itself: it underflows, so nll is infinite and its gradient
# nan where a price lies more than about 38 sigmas off, e.g. sigma 0.01 and t - mu = 1.
def price_report(y, mu, sigma, centre, width):
    z = ((y.log() - centre) / width - mu) / sigma
    density = torch.exp(-0.5 * z**2) / (sigma * math.sqrt(2 * math.pi) * width * y)
    log_median = centre + width * mu
    mean = (log_median + 0.5 * (width * sigma) ** 2).exp()
    return -density.log().mean(), mean, log_median.exp()


# %% price-squeezed-batch wrong="log-target"
# Squeezes its results: for a batch of one, mean and median are 0-d in place of shape (1,).
def price_report(y, mu, sigma, centre, width):
    price = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    nll = -price.log_prob(y).mean()
    return nll, price.mean.squeeze(), price.loc.exp().squeeze()


# %% zip-two-forms right="two-kinds-of-zero"
# Zeros by log1p where they are likely and by logaddexp where they are not, chosen by where.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    log_open = torch.nn.functional.logsigmoid(-gate)
    log_shut = torch.nn.functional.logsigmoid(gate)
    some = torch.sigmoid(-gate) * -torch.expm1(-rate)
    likely = some < 0.5
    by_log1p = torch.log1p(-torch.where(likely, some, torch.zeros_like(some)))
    zero = torch.where(likely, by_log1p, torch.logaddexp(log_shut, log_open - rate))
    other = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% zip-one-log-odds right="two-kinds-of-zero"
# The log-odds of a zero are logaddexp(gate, -rate) - log(1 - exp(-rate)); rows by masks.
def zip_log_prob(y, gate, log_rate):
    zero = y == 0
    out = torch.zeros_like(y)
    rate = log_rate[zero].exp()
    odds = torch.logaddexp(gate[zero], -rate) - torch.log(-torch.expm1(-rate))
    out = out.index_put((zero,), torch.nn.functional.logsigmoid(odds))
    some = ~zero
    counts = torch.distributions.Poisson(log_rate[some].exp()).log_prob(y[some])
    return out.index_put((some,), counts + torch.nn.functional.logsigmoid(-gate[some]))


# %% zip-log-of-sigmoid-in-zeros wrong="two-kinds-of-zero"
# log(sigmoid(gate)) inside logaddexp: the values of zeros are right, but the gradient with
# respect to the gate is nan where the sigmoid underflows, e.g. y = 0 and gate = -800 or 800.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    zero = torch.logaddexp(torch.sigmoid(gate).log(), torch.sigmoid(-gate).log() - rate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    other = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% zip-stirling wrong="two-kinds-of-zero"
# Stirling's formula without its 1/(12 y) for counts above 50: off by 1.6e-3 at y = 51.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    large = y.clamp(min=1.0)
    stirling = large * large.log() - large + 0.5 * torch.log(2 * math.pi * large)
    log_factorial = torch.where(y > 50, stirling, torch.lgamma(y + 1))
    log_shut = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    zero = torch.logaddexp(log_shut, log_open - rate)
    return torch.where(y == 0, zero, log_open + y * log_rate - rate - log_factorial)


# %% zip-rate-floor wrong="two-kinds-of-zero"
# Keeps the rate above 1e-8 "for safety": at log_rate = -30 and y = 3 the value is off by 35,
# and the gradient with respect to log_rate is 0 in place of 3.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp().clamp(min=1e-8)
    log_shut = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    zero = torch.logaddexp(log_shut, log_open - rate)
    other = log_open + torch.distributions.Poisson(rate).log_prob(y)
    return torch.where(y == 0, zero, other)


# %% zip-plain-exponentials wrong="two-kinds-of-zero"
# exp(gate) overflows above 709: nan for a zero and -inf for any other count at gate = 800.
def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    log_total = torch.log1p(gate.exp())
    zero = torch.log(gate.exp() + torch.exp(-rate)) - log_total
    other = y * log_rate - rate - torch.lgamma(y + 1) - log_total
    return torch.where(y == 0, zero, other)


# %% scale-asinh right="living-link"
# With s = exp(u) the equation says 2 sinh(u) = raw.
def positive_scale(raw):
    return torch.asinh(raw / 2).exp()


# %% scale-larger-root right="living-link"
# The larger root for the size of raw, and its inverse on the left; the size is taken by where,
# so that the gradient at zero is one half.
def positive_scale(raw):
    right = raw >= 0
    size = torch.where(right, raw, -raw)
    root = (size + torch.sqrt(size * size + 4)) / 2
    return torch.where(right, root, 1 / root)


# %% scale-flipped-everywhere wrong="living-link"
# The other form of the root for every raw: it cancels on the RIGHT, infinite at raw = 1e8, and
# off by far more than 1e-5 from about 1e6 on.
def positive_scale(raw):
    return 2 / (torch.sqrt(raw * raw + 4) - raw)


# %% scale-asymptote-too-early wrong="living-link"
# Takes -1/raw left of -100; its relative error is 1/raw^2, so 1e-4 at raw = -101.
def positive_scale(raw):
    far = raw < -100
    right = raw >= 0
    size = torch.where(right, raw, -raw)
    root = (size + torch.sqrt(size * size + 4)) / 2
    near = torch.where(right, root, 1 / root)
    return torch.where(far, -1 / torch.where(far, raw, -torch.ones_like(raw)), near)


# %% scale-threshold-for-float64 wrong="living-link"
# The plain formula down to -1000, which only float64 stands: in float32 raw = -500 gives a
# result off by up to a per cent.
def positive_scale(raw):
    root = torch.sqrt(raw * raw + 4)
    flipped = 2 / (root - torch.where(raw < 0, raw, -raw))
    return torch.where(raw < -1000, flipped, (raw + root) / 2)


# %% scale-flat-result wrong="living-link"
# Works through the flattened entries and forgets the shape: a matrix comes back as a vector, a
# 0-d tensor with shape (1,).
def positive_scale(raw):
    scales = []
    for value in raw.flatten():
        root = torch.sqrt(value * value + 4)
        scales.append((value + root) / 2 if value >= 0 else 2 / (root - value))
    return torch.stack(scales)


# %% ordinal-vectorised right="ordered-classes"
# The identity of the hint for the inner classes, with the gap itself in 1 - exp(-gap).
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    scores = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(scores)
    above = torch.nn.functional.logsigmoid(-scores)
    inner = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], inner, above[:, -1:]], dim=1)


# %% ordinal-class-by-class right="ordered-classes"
# One column after the other, with a running threshold and logaddexp for the two tails.
def ordinal_log_probs(eta, first, log_gaps):
    zero = torch.zeros_like(eta)
    score = first - eta
    columns = [-torch.logaddexp(zero, -score)]
    for log_gap in log_gaps:
        gap = log_gap.exp()
        upper = score + gap
        share = torch.log(-torch.expm1(-gap))
        tails = torch.logaddexp(zero, -upper) + torch.logaddexp(zero, score)
        columns.append(share - tails)
        score = upper
    columns.append(-torch.logaddexp(zero, score))
    return torch.stack(columns, dim=1)


# %% ordinal-gap-from-thresholds wrong="ordered-classes"
# Takes the gaps back from the thresholds: a log gap of -30 is rounded away there (-inf at
# first = 1000; still 1e-3 off at first = 1).
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first[None], first + gaps.cumsum(0)])
    scores = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(scores)
    above = torch.nn.functional.logsigmoid(-scores)
    inner = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-thresholds.diff()))
    return torch.cat([below[:, :1], inner, above[:, -1:]], dim=1)


# %% ordinal-needs-three-classes wrong="ordered-classes"
# Stacks the inner classes: with two classes there are none, and torch.stack raises.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first[None], first + gaps.cumsum(0)])
    scores = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(scores)
    above = torch.nn.functional.logsigmoid(-scores)
    share = torch.log(-torch.expm1(-gaps))
    inner = torch.stack(
        [below[:, k + 1] + above[:, k] + share[k] for k in range(len(log_gaps))], dim=1
    )
    return torch.cat([below[:, :1], inner, above[:, -1:]], dim=1)


# %% ordinal-least-gap wrong="ordered-classes"
# Adds a least gap of 1e-8 so that thresholds stay apart: at a log gap of -30 the class gets
# -18.4 in place of -30, and the gradient with respect to that gap is nearly 0 in place of 1.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp() + 1e-8
    thresholds = torch.cat([first[None], first + gaps.cumsum(0)])
    scores = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(scores)
    above = torch.nn.functional.logsigmoid(-scores)
    inner = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], inner, above[:, -1:]], dim=1)


# %% ordinal-log-of-sigmoid wrong="ordered-classes"
# log(sigmoid(.)) reaches down to -745 only: -inf (and nan as gradient) at scores of 800.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first[None], first + gaps.cumsum(0)])
    scores = thresholds - eta[:, None]
    below = torch.sigmoid(scores).log()
    above = torch.sigmoid(-scores).log()
    inner = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], inner, above[:, -1:]], dim=1)


# %% act-one-table right="act-or-ask"
# The informed cost is one more row of the table, so that all sums run in the same order.
def act_or_ask(p, cost, price):
    table = torch.cat([cost, cost.min(dim=0).values[None]])
    totals = (p[:, None, :] * table).contiguous().sum(dim=2)
    best, action = totals[:, :-1].min(dim=1)
    asking = totals[:, -1] + price
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% act-running-best right="act-or-ask"
# Goes through the actions, then asking, and changes its mind only if strictly cheaper.
def act_or_ask(p, cost, price):
    expected = (p * cost[0]).sum(dim=1)
    action = torch.zeros(len(p), dtype=torch.int64)
    for a in range(1, len(cost)):
        other = (p * cost[a]).sum(dim=1)
        cheaper = other < expected
        action = action.masked_fill(cheaper, a)
        expected = torch.where(cheaper, other, expected)
    asking = (p * cost.amin(dim=0)).sum(dim=1) + price
    cheaper = asking < expected
    return action.masked_fill(cheaper, -1), torch.where(cheaper, asking, expected)


# %% act-asks-on-ties wrong="act-or-ask"
# Puts asking in front of the actions and takes the first minimum: asks where asking costs
# exactly as much as acting, e.g. price 0 and an action that is the cheapest everywhere.
def act_or_ask(p, cost, price):
    totals = (p[:, None, :] * cost).sum(dim=2)
    asking = (p * cost.min(dim=0).values).sum(dim=1) + price
    expected, index = torch.cat([asking[:, None], totals], dim=1).min(dim=1)
    return index - 1, expected


# %% act-last-of-equals wrong="act-or-ask"
# Compares with <=, so the HIGHEST index wins between actions that cost exactly the same.
def act_or_ask(p, cost, price):
    expected = (p * cost[0]).sum(dim=1)
    action = torch.zeros(len(p), dtype=torch.int64)
    for a in range(1, len(cost)):
        other = (p * cost[a]).sum(dim=1)
        better = other <= expected
        action = torch.where(better, torch.full_like(action, a), action)
        expected = torch.where(better, other, expected)
    asking = (p * cost.amin(dim=0)).sum(dim=1) + price
    ask = asking < expected
    action = torch.where(ask, torch.full_like(action, -1), action)
    return action, torch.where(ask, asking, expected)


# %% act-squeezed-actions wrong="act-or-ask"
# Squeezes the table of expected costs: with a single action (A = 1) and several examples the
# minimum runs over the examples.
def act_or_ask(p, cost, price):
    totals = (p[:, None, :] * cost).sum(dim=2).squeeze()
    best, action = totals.min(dim=-1)
    asking = (p * cost.min(dim=0).values).sum(dim=1) + price
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% act-free-question-ignored wrong="act-or-ask"
# "not price" is true for a price of 0 as well: nobody asks where asking is free.
def act_or_ask(p, cost, price):
    totals = (p[:, None, :] * cost).sum(dim=2)
    best, action = totals.min(dim=1)
    if not price or math.isinf(price):
        return action, best
    asking = (p * cost.min(dim=0).values).sum(dim=1) + price
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% sequence-masked-first right="sequence-density"
# Replaces what foretells nothing before the softmax, then gathers and sums.
def sequence_log_prob(logits, tokens, lengths):
    live = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    targets = torch.where(live, tokens[:, 1:], torch.zeros_like(tokens[:, 1:]))
    safe = logits[:, :-1].masked_fill(~live[:, :, None], 0.0)
    picked = safe.log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return picked.masked_fill(~live, 0.0).sum(dim=1)


# %% sequence-place-by-place right="sequence-density"
# Goes through the places and adds only the sequences that still run there.
def sequence_log_prob(logits, tokens, lengths):
    total = logits[:, :0].sum(dim=(1, 2))
    for t in range(tokens.shape[1] - 1):
        rows = (lengths > t + 1).nonzero()[:, 0]
        log_probs = logits[rows, t].log_softmax(dim=1)
        picked = log_probs.gather(1, tokens[rows, t + 1][:, None])[:, 0]
        total = total.index_add(0, rows, picked)
    return total


# %% sequence-where-after-softmax wrong="sequence-density"
# Masks only behind the softmax: values are right, but where the logits that foretell nothing
# are nan or infinite their gradient is nan in place of 0.
def sequence_log_prob(logits, tokens, lengths):
    live = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    targets = torch.where(live, tokens[:, 1:], torch.zeros_like(tokens[:, 1:]))
    picked = logits[:, :-1].log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return torch.where(live, picked, torch.zeros_like(picked)).sum(dim=1)


# %% sequence-mask-from-tokens wrong="sequence-density"
# Takes a token outside 0..K-1 for the end and ignores lengths: wrong where the padding holds a
# token that could be real, such as 0.
def sequence_log_prob(logits, tokens, lengths):
    targets = tokens[:, 1:]
    live = ((targets >= 0) & (targets < logits.shape[2])).cumprod(dim=1).bool()
    targets = torch.where(live, targets, torch.zeros_like(targets))
    safe = logits[:, :-1].masked_fill(~live[:, :, None], 0.0)
    picked = safe.log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return (picked * live).sum(dim=1)


# %% sequence-cleans-its-input wrong="sequence-density"
# Right values, but it writes zeros into the caller's tokens behind the ends; shows wherever a
# length is below T and the padding is not 0.
def sequence_log_prob(logits, tokens, lengths):
    live = torch.arange(tokens.shape[1]) < lengths[:, None]
    tokens[~live] = 0
    live = live[:, 1:]
    safe = logits[:, :-1].masked_fill(~live[:, :, None], 0.0)
    picked = safe.log_softmax(dim=2).gather(2, tokens[:, 1:, None])[:, :, 0]
    return picked.masked_fill(~live, 0.0).sum(dim=1)


# %% sequence-needs-two-places wrong="sequence-density"
# Stacks the terms of the places: with T = 1 there are none, and torch.stack raises.
def sequence_log_prob(logits, tokens, lengths):
    terms = []
    for t in range(tokens.shape[1] - 1):
        live = lengths > t + 1
        targets = torch.where(live, tokens[:, t + 1], torch.zeros_like(lengths))
        safe = logits[:, t].masked_fill(~live[:, None], 0.0)
        picked = safe.log_softmax(dim=1).gather(1, targets[:, None])[:, 0]
        terms.append(picked.masked_fill(~live, 0.0))
    return torch.stack(terms).sum(dim=0)
