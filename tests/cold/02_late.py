# %% [markdown]
# Answers written from the text alone.


# %% count-rising-sum right="count-density"
# The rising factorial as a sum of log1p, which ends at the Poisson without cancellation.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    common = y * mean.log() - torch.lgamma(y + 1)
    x = torch.where(equal, 1.0, variance - mean) / mean
    steps = torch.arange(int(y.max()), dtype=y.dtype)
    rises = torch.log1p(steps * (x / mean)[:, None])
    rises = torch.where(steps < y[:, None], rises, 0.0).sum(1)
    binomial = common + rises - y * torch.log1p(x) - mean * torch.log1p(x) / x
    return torch.where(equal, common - mean, binomial)


# %% count-stirling right="count-density"
# Differences of lgamma for a small total count, of Stirling's series for a large one.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")

    def tail(z):
        return 1 / (12 * z) - 1 / (360 * z**3) + 1 / (1260 * z**5)

    equal = variance == mean
    x = torch.where(equal, 1.0, variance - mean) / mean
    total = mean / x
    large = total > 100
    big = torch.where(large, total, 100.0)
    small = torch.where(large, 1.0, total)
    by_series = y * big.log() + (big + y - 0.5) * torch.log1p(y / big) - y
    by_series = by_series + tail(big + y) - tail(big)
    by_lgamma = torch.lgamma(y + small) - torch.lgamma(small)
    rising = torch.where(large, by_series, by_lgamma)
    factorial = torch.lgamma(y + 1)
    binomial = rising - factorial - (total + y) * torch.log1p(x) + y * x.log()
    poisson = y * mean.log() - mean - factorial
    return torch.where(equal, poisson, binomial)


# %% count-isclose-poisson wrong="count-density"
# Takes a variance that is merely close (1e-5) for equal: wrong for mean 1, variance 1.000005
# and a count of 100 or more.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")
    equal = torch.isclose(variance, mean)
    common = y * mean.log() - torch.lgamma(y + 1)
    x = torch.where(equal, 1.0, variance - mean) / mean
    steps = torch.arange(int(y.max()), dtype=y.dtype)
    rises = torch.log1p(steps * (x / mean)[:, None])
    rises = torch.where(steps < y[:, None], rises, 0.0).sum(1)
    binomial = common + rises - y * torch.log1p(x) - mean * torch.log1p(x) / x
    return torch.where(equal, common - mean, binomial)


# %% count-limit-gradient wrong="count-density"
# One formula for both, continued to an excess of 0: values are right, but where mean and
# variance are equal the gradient for the mean also runs through the excess.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")
    x = (variance - mean) / mean
    none = x == 0
    safe = torch.where(none, 1.0, x)
    ratio = torch.where(none, 1 - x / 2, torch.log1p(safe) / safe)
    steps = torch.arange(int(y.max()), dtype=y.dtype)
    rises = torch.log1p(steps * (x / mean)[:, None])
    rises = torch.where(steps < y[:, None], rises, 0.0).sum(1)
    return y * mean.log() - torch.lgamma(y + 1) + rises - y * torch.log1p(x) - mean * ratio


# %% count-lenient-refusal wrong="count-density"
# Forgives a variance that is smaller by less than a millionth, and takes it for the Poisson:
# no ValueError for mean 5 and variance 5 - 1e-9.
def count_log_prob(y, mean, variance):
    if bool((variance < mean * (1 - 1e-6)).any()):
        raise ValueError("a variance is smaller than its mean")
    equal = variance <= mean
    common = y * mean.log() - torch.lgamma(y + 1)
    x = torch.where(equal, 1.0, variance - mean) / mean
    steps = torch.arange(int(y.max()), dtype=y.dtype)
    rises = torch.log1p(steps * (x / mean)[:, None])
    rises = torch.where(steps < y[:, None], rises, 0.0).sum(1)
    binomial = common + rises - y * torch.log1p(x) - mean * torch.log1p(x) / x
    return torch.where(equal, common - mean, binomial)


# %% count-floored-total wrong="count-density"
# Keeps total_count above a thousandth: wrong for a small mean with a variance that is many
# times as large, such as mean 0.01 and variance 9.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")

    def tail(z):
        return 1 / (12 * z) - 1 / (360 * z**3) + 1 / (1260 * z**5)

    equal = variance == mean
    x = torch.where(equal, 1.0, variance - mean) / mean
    total = (mean / x).clamp(min=1e-3)
    large = total > 100
    big = torch.where(large, total, 100.0)
    small = torch.where(large, 1.0, total)
    by_series = y * big.log() + (big + y - 0.5) * torch.log1p(y / big) - y
    by_series = by_series + tail(big + y) - tail(big)
    by_lgamma = torch.lgamma(y + small) - torch.lgamma(small)
    rising = torch.where(large, by_series, by_lgamma)
    factorial = torch.lgamma(y + 1)
    binomial = rising - factorial - (total + y) * torch.log1p(x) + y * x.log()
    poisson = y * mean.log() - mean - factorial
    return torch.where(equal, poisson, binomial)


# %% count-log-of-mass wrong="count-density"
# Multiplies the mass out and takes its logarithm last: -inf or nan for large or unlikely
# counts, such as a count of 900 under mean 2 and variance 3.
def count_log_prob(y, mean, variance):
    if bool((variance < mean).any()):
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    excess = torch.where(equal, 1.0, variance - mean)
    total = mean**2 / excess
    share = mean / (mean + excess)
    ways = torch.exp(torch.lgamma(y + total) - torch.lgamma(total) - torch.lgamma(y + 1))
    binomial = ways * share**total * (1 - share) ** y
    poisson = mean**y * torch.exp(-mean) / torch.exp(torch.lgamma(y + 1))
    return torch.where(equal, poisson, binomial).log()


# %% price-by-hand right="log-target"
# The Normal's formula on t, plus log(width * y) for the change of variables.
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    nll = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    loc = centre + width * mu
    return nll.mean(), torch.exp(loc + 0.5 * (width * sigma) ** 2), torch.exp(loc)


# %% price-transformed right="log-target"
# torch.distributions does the change of variables; the LogNormal has the mean.
def price_report(y, mu, sigma, centre, width):
    from torch import distributions as D

    steps = [D.AffineTransform(centre, width), D.ExpTransform()]
    target = D.TransformedDistribution(D.Normal(mu, sigma), steps)
    direct = D.LogNormal(centre + width * mu, width * sigma)
    return -target.log_prob(y).mean(), direct.mean, direct.icdf(torch.full_like(mu, 0.5))


# %% price-gaussian-nll-eps wrong="log-target"
# Takes gaussian_nll_loss, which raises variances below 1e-6: wrong for a sigma below 0.001.
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    t = (log_y - centre) / width
    normal = torch.nn.functional.gaussian_nll_loss(mu, t, sigma**2, full=True)
    nll = normal + math.log(width) + log_y.mean()
    loc = centre + width * mu
    return nll, torch.exp(loc + 0.5 * (width * sigma) ** 2), torch.exp(loc)


# %% price-padded-log wrong="log-target"
# Adds 1e-8 to the price before its logarithm: wrong for prices such as 1e-9.
def price_report(y, mu, sigma, centre, width):
    log_y = torch.log(y + 1e-8)
    z = ((log_y - centre) / width - mu) / sigma
    nll = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    loc = centre + width * mu
    return nll.mean(), torch.exp(loc + 0.5 * (width * sigma) ** 2), torch.exp(loc)


# %% price-log-of-density wrong="log-target"
# Takes the logarithm of the density: infinite where a price lies 40 sigma off.
def price_report(y, mu, sigma, centre, width):
    z = ((y.log() - centre) / width - mu) / sigma
    density = torch.exp(-0.5 * z**2) / (y * width * sigma * math.sqrt(2 * math.pi))
    loc = centre + width * mu
    return (
        -density.log().mean(),
        torch.exp(loc + 0.5 * (width * sigma) ** 2),
        torch.exp(loc),
    )


# %% price-capped-mean wrong="log-target"
# Caps the mean at the largest price, 1e9: wrong where the predicted mean is larger, such as
# centre 30, width 1, mu 0.
def price_report(y, mu, sigma, centre, width):
    loc = centre + width * mu
    spread = width * sigma
    z = (y.log() - loc) / spread
    nll = 0.5 * z**2 + spread.log() + 0.5 * math.log(2 * math.pi) + y.log()
    return nll.mean(), torch.exp(loc + 0.5 * spread**2).clamp(max=1e9), torch.exp(loc)


# %% price-dead-sigma wrong="log-target"
# Copies the scale out of the graph: the gradient with respect to sigma is lost.
def price_report(y, mu, sigma, centre, width):
    loc = centre + width * mu
    spread = torch.tensor([width * s for s in sigma.tolist()], dtype=torch.float64)
    target = torch.distributions.LogNormal(loc, spread)
    return -target.log_prob(y).mean(), target.mean, torch.exp(loc)


# %% zip-two-forms right="two-kinds-of-zero"
# log1p for a small rate, logaddexp for a large one; each branch is fed harmless numbers.
def zip_log_prob(y, gate, log_rate):
    log_closed = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    small = rate < 0.5
    near = torch.log1p(log_open.exp() * torch.expm1(-torch.where(small, rate, 0.25)))
    far = torch.logaddexp(log_closed, log_open - rate)
    others = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.where(small, near, far), others)


# %% zip-one-by-one right="two-kinds-of-zero"
# A loop over the counts, with the Poisson of torch.distributions and a logsumexp.
def zip_log_prob(y, gate, log_rate):
    results = []
    for count, g, h in zip(y, gate, log_rate, strict=True):
        log_closed = -torch.logaddexp(-g, torch.zeros_like(g))
        log_open = -torch.logaddexp(g, torch.zeros_like(g))
        rate = h.exp()
        if count > 0:
            results.append(log_open + torch.distributions.Poisson(rate).log_prob(count))
        elif h < -1:
            results.append(torch.log1p(log_open.exp() * torch.expm1(-rate)))
        else:
            results.append(torch.logsumexp(torch.stack([log_closed, log_open - rate]), 0))
    return torch.stack(results)


# %% zip-log-of-sigmoid wrong="two-kinds-of-zero"
# Takes the logarithm of a sigmoid that underflows: for a zero with gate -790 and log rate 8
# the value is -2981 in place of -790, and gradients are nan.
def zip_log_prob(y, gate, log_rate):
    log_closed = torch.log(torch.sigmoid(gate))
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    zeros = torch.logaddexp(log_closed, log_open - rate)
    others = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zeros, others)


# %% zip-padded-rate wrong="two-kinds-of-zero"
# Takes the logarithm of the rate plus 1e-12: wrong for a positive count with a log rate
# near -30.
def zip_log_prob(y, gate, log_rate):
    log_closed = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    zeros = torch.logaddexp(log_closed, log_open - rate)
    others = log_open + y * torch.log(rate + 1e-12) - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zeros, others)


# %% zip-stirling wrong="two-kinds-of-zero"
# Stirling's formula without its next term for counts above 20: off by 1 / (12 y), such as
# 0.004 at a count of 21.
def zip_log_prob(y, gate, log_rate):
    log_closed = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    zeros = torch.logaddexp(log_closed, log_open - rate)
    large = y.clamp(min=20)
    stirling = large * large.log() - large + 0.5 * torch.log(2 * math.pi * large)
    factorial = torch.where(y > 20, stirling, torch.lgamma(y + 1))
    others = log_open + y * log_rate - rate - factorial
    return torch.where(y == 0, zeros, others)


# %% zip-clamped-gate wrong="two-kinds-of-zero"
# Clamps the gate to 500 against overflow: wrong, with a dead gradient, for a positive count
# with a gate of 700.
def zip_log_prob(y, gate, log_rate):
    gate = gate.clamp(-500, 500)
    log_closed = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    zeros = torch.logaddexp(log_closed, log_open - rate)
    others = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zeros, others)


# %% zip-nan-behind-where wrong="two-kinds-of-zero"
# The branch that is not taken computes log1p(-1): values are right, gradients are nan for a
# gate of -300 with a log rate of 5, whatever the count.
def zip_log_prob(y, gate, log_rate):
    log_closed = torch.nn.functional.logsigmoid(gate)
    log_open = torch.nn.functional.logsigmoid(-gate)
    rate = log_rate.exp()
    missing = -log_open.exp() * torch.expm1(-rate)
    far = torch.logaddexp(log_closed, log_open - rate)
    zeros = torch.where(missing < 0.5, torch.log1p(-missing), far)
    others = log_open + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zeros, others)


# %% link-two-roots right="living-link"
# The root without cancellation on each side; the other side is fed zero.
def positive_scale(raw):
    right = raw.clamp(min=0)
    left = raw.clamp(max=0)
    above = (right + torch.sqrt(right**2 + 4)) / 2
    below = 2 / (torch.sqrt(left**2 + 4) - left)
    return torch.where(raw >= 0, above, below)


# %% link-asinh right="living-link"
# With s = exp(u) the equation reads 2 sinh(u) = raw.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2))


# %% link-wide-result right="living-link"
# Written as wrong; right, for the text promises values to 1e-5, and no dtype.
# Its reader's words:
# Computes in float64 and leaves it at that: the result for float32 is not float32.
def positive_scale(raw):
    wide = raw.double()
    right = wide.clamp(min=0)
    left = wide.clamp(max=0)
    above = (right + torch.sqrt(right**2 + 4)) / 2
    below = 2 / (torch.sqrt(left**2 + 4) - left)
    return torch.where(wide >= 0, above, below)


# %% link-conjugate-everywhere wrong="living-link"
# Uses the form for the left on both sides: it cancels on the right, such as at 1e7 (float64)
# or 1000 (float32).
def positive_scale(raw):
    return 2 / (torch.sqrt(raw**2 + 4) - raw)


# %% link-infinite-branch wrong="living-link"
# Both roots are computed everywhere: values are right, but in float32 at +10000 the branch
# that is not taken is infinite, and the gradient nan.
def positive_scale(raw):
    root = torch.sqrt(raw**2 + 4)
    return torch.where(raw >= 0, (raw + root) / 2, 2 / (root - raw))


# %% link-early-asymptote wrong="living-link"
# Takes 1 / |raw| already from -100 on: a relative error of 1e-4 at -101.
def positive_scale(raw):
    far = raw.clamp(max=-100)
    middle = raw.clamp(min=-100, max=0)
    right = raw.clamp(min=0)
    above = (right + torch.sqrt(right**2 + 4)) / 2
    below = 2 / (torch.sqrt(middle**2 + 4) - middle)
    return torch.where(raw < -100, -1 / far, torch.where(raw >= 0, above, below))


# %% link-never-scalar wrong="living-link"
# Makes a 0-d tensor one-dimensional for its masks, and returns shape (1,) for it.
def positive_scale(raw):
    raw = torch.atleast_1d(raw)
    scale = torch.empty_like(raw)
    left = raw < 0
    below = raw[left]
    above = raw[~left]
    scale[left] = 2 / (torch.sqrt(below**2 + 4) - below)
    scale[~left] = (above + torch.sqrt(above**2 + 4)) / 2
    return scale


# %% ordinal-vectorised right="ordered-classes"
# The product form in logarithms, with the gaps themselves in the last factor.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    x = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(x)
    above = torch.nn.functional.logsigmoid(-x)
    factor = torch.where(gaps < 0.7, (-torch.expm1(-gaps)).log(), torch.log1p(-(-gaps).exp()))
    middle = below[:, 1:] + above[:, :-1] + factor
    return torch.cat([below[:, :1], middle, above[:, -1:]], 1)


# %% ordinal-column-by-column right="ordered-classes"
# A loop over the classes with a running threshold, and softplus written as logaddexp.
def ordinal_log_probs(eta, first, log_gaps):
    zero = torch.zeros_like(eta)
    lower = first - eta
    columns = [-torch.logaddexp(zero, -lower)]
    for log_gap in log_gaps:
        gap = log_gap.exp()
        upper = lower + gap
        if gap < 0.7:
            factor = torch.log(-torch.expm1(-gap))
        else:
            factor = torch.log1p(-torch.exp(-gap))
        columns.append(factor - torch.logaddexp(zero, -upper) - torch.logaddexp(zero, lower))
        lower = upper
    columns.append(-torch.logaddexp(zero, lower))
    return torch.stack(columns, 1)


# %% ordinal-gap-from-thresholds wrong="ordered-classes"
# Takes the gaps as differences of the thresholds: for first 500 and a log gap of -30 nothing
# is left, and the value is -inf.
def ordinal_log_probs(eta, first, log_gaps):
    thresholds = torch.cat([first.reshape(1), first + log_gaps.exp().cumsum(0)])
    x = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(x)
    above = torch.nn.functional.logsigmoid(-x)
    gaps = thresholds[1:] - thresholds[:-1]
    middle = below[:, 1:] + above[:, :-1] + (-torch.expm1(-gaps)).log()
    return torch.cat([below[:, :1], middle, above[:, -1:]], 1)


# %% ordinal-epsilon wrong="ordered-classes"
# Adds 1e-12 before the logarithm: wrong by more than 2 for a log gap of -30.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    x = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(x)
    above = torch.nn.functional.logsigmoid(-x)
    middle = below[:, 1:] + above[:, :-1] + (1e-12 - torch.expm1(-gaps)).log()
    return torch.cat([below[:, :1], middle, above[:, -1:]], 1)


# %% ordinal-needs-a-gap wrong="ordered-classes"
# Stacks the columns of the classes in the middle: with two classes there are none, and
# torch.stack raises.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    x = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(x)
    above = torch.nn.functional.logsigmoid(-x)
    factor = (-torch.expm1(-gaps)).log()
    middle = [below[:, k + 1] + above[:, k] + factor[k] for k in range(len(gaps))]
    return torch.cat([below[:, :1], torch.stack(middle, 1), above[:, -1:]], 1)


# %% ordinal-log-of-product wrong="ordered-classes"
# Multiplies the three factors of the classes in the middle before the logarithm: they
# underflow to -inf for scores such as 790 or -790.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    x = thresholds - eta[:, None]
    middle = torch.sigmoid(x[:, 1:]) * torch.sigmoid(-x[:, :-1]) * -torch.expm1(-gaps)
    lowest = torch.nn.functional.logsigmoid(x[:, :1])
    highest = torch.nn.functional.logsigmoid(-x[:, -1:])
    return torch.cat([lowest, middle.log(), highest], 1)


# %% ordinal-first-order wrong="ordered-classes"
# Replaces log(1 - exp(-gap)) by the log gap below -4: off by half the gap, 0.008 at -4.1.
def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    thresholds = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    x = thresholds - eta[:, None]
    below = torch.nn.functional.logsigmoid(x)
    above = torch.nn.functional.logsigmoid(-x)
    factor = torch.where(log_gaps < -4, log_gaps, (-torch.expm1(-gaps)).log())
    middle = below[:, 1:] + above[:, :-1] + factor
    return torch.cat([below[:, :1], middle, above[:, -1:]], 1)


# %% ask-extra-row right="act-or-ask"
# Asking is one more row of the cost table, so that all sums round alike.
def act_or_ask(p, cost, price):
    table = torch.cat([cost, cost.min(0, keepdim=True).values])
    expected = (p[:, None, :] * table).sum(2)
    action = expected[:, :-1].argmin(1)
    acting = expected[:, :-1].gather(1, action[:, None])[:, 0]
    asking = expected[:, -1] + price
    asks = asking < acting
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% ask-plain-python right="act-or-ask"
# Loops over examples and actions with math.fsum.
def act_or_ask(p, cost, price):
    rows = cost.tolist()
    cheapest = [min(column) for column in zip(*rows, strict=True)]
    actions, results = [], []
    for chances in p.tolist():
        sums = [math.fsum(a * b for a, b in zip(chances, row, strict=True)) for row in rows]
        best = min(sums)
        asking = price + math.fsum(a * b for a, b in zip(chances, cheapest, strict=True))
        asks = asking < best
        actions.append(-1 if asks else sums.index(best))
        results.append(asking if asks else best)
    return torch.tensor(actions), torch.tensor(results, dtype=p.dtype)


# %% ask-on-a-tie wrong="act-or-ask"
# Asks where asking costs exactly as much: wrong for price 0 where one action is the cheapest
# for every outcome that may come.
def act_or_ask(p, cost, price):
    table = torch.cat([cost, cost.min(0, keepdim=True).values])
    expected = (p[:, None, :] * table).sum(2)
    acting, action = expected[:, :-1].min(1)
    asking = expected[:, -1] + price
    asks = asking <= acting
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% ask-last-of-equals wrong="act-or-ask"
# Keeps the last of several actions that cost the same: wrong for a cost table with two equal
# rows.
def act_or_ask(p, cost, price):
    action = torch.zeros(len(p), dtype=torch.int64)
    acting = torch.full((len(p),), math.inf, dtype=p.dtype)
    for index, row in enumerate(cost):
        here = (p * row).sum(1)
        better = here <= acting
        action = torch.where(better, index, action)
        acting = torch.where(better, here, acting)
    asking = (p * cost.min(0).values).sum(1) + price
    asks = asking < acting
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% ask-close-is-equal wrong="act-or-ask"
# Counts costs that are close (1e-5) as equal, and acts: wrong where acting costs 900 and
# asking 899.995.
def act_or_ask(p, cost, price):
    table = torch.cat([cost, cost.min(0, keepdim=True).values])
    expected = (p[:, None, :] * table).sum(2)
    acting, action = expected[:, :-1].min(1)
    asking = expected[:, -1] + price
    asks = (asking < acting) & ~torch.isclose(asking, acting)
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% ask-guessed-axes wrong="act-or-ask"
# Finds the axis of the outcomes by its length: wrong where there are as many actions as
# outcomes.
def act_or_ask(p, cost, price):
    by_outcome = cost if cost.shape[0] == p.shape[1] else cost.T
    acting, action = (p @ by_outcome).min(1)
    asking = p @ by_outcome.min(1).values + price
    asks = asking < acting
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% ask-free-means-never wrong="act-or-ask"
# Takes the price 0 for "no offer": never asks where asking is free.
def act_or_ask(p, cost, price):
    expected = (p[:, None, :] * cost).sum(2)
    acting, action = expected.min(1)
    if not price or math.isinf(price):
        return action, acting
    asking = (p * cost.min(0).values).sum(1) + price
    asks = asking < acting
    return action.masked_fill(asks, -1), torch.where(asks, asking, acting)


# %% sequence-masked-first right="sequence-density"
# Replaces what foretells nothing before the softmax, then gathers and sums.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = torch.where(used[:, :, None], logits[:, :-1], 0.0).log_softmax(2)
    targets = torch.where(used, tokens[:, 1:], 0)
    picked = scores.gather(2, targets[:, :, None])[:, :, 0]
    return torch.where(used, picked, 0.0).sum(1)


# %% sequence-slices right="sequence-density"
# A loop over the sequences that only ever touches the part that counts.
def sequence_log_prob(logits, tokens, lengths):
    results = []
    for scores, words, length in zip(logits, tokens, lengths.tolist(), strict=True):
        scores = scores[: length - 1]
        words = words[1:length]
        picked = scores.gather(1, words[:, None])[:, 0]
        results.append((picked - torch.logsumexp(scores, 1)).sum())
    return torch.stack(results)


# %% sequence-times-mask wrong="sequence-density"
# Multiplies by the mask at the end: nan where the logits behind the end are infinite or nan.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = logits[:, :-1].log_softmax(2)
    targets = torch.where(used, tokens[:, 1:], 0)
    picked = scores.gather(2, targets[:, :, None])[:, :, 0]
    return (picked * used).sum(1)


# %% sequence-nan-gradient wrong="sequence-density"
# Masks after the softmax: values are right, but the gradient is nan where logits behind the
# end are nan.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = logits[:, :-1].log_softmax(2)
    targets = torch.where(used, tokens[:, 1:], 0)
    picked = scores.gather(2, targets[:, :, None])[:, :, 0]
    return torch.where(used, picked, 0.0).sum(1)


# %% sequence-trusts-tokens wrong="sequence-density"
# Tells the padding by token numbers that do not exist, not by the lengths: wrong where the
# padding holds a number from 0 to K - 1.
def sequence_log_prob(logits, tokens, lengths):
    following = tokens[:, 1:]
    used = (following >= 0) & (following < logits.shape[2])
    scores = torch.where(used[:, :, None], logits[:, :-1], 0.0).log_softmax(2)
    picked = scores.gather(2, torch.where(used, following, 0)[:, :, None])[:, :, 0]
    return torch.where(used, picked, 0.0).sum(1)


# %% sequence-log-of-softmax wrong="sequence-density"
# Takes the logarithm of the softmax: -inf for logits that lie 1000 apart.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    chances = torch.where(used[:, :, None], logits[:, :-1], 0.0).softmax(2)
    targets = torch.where(used, tokens[:, 1:], 0)
    picked = chances.gather(2, targets[:, :, None])[:, :, 0].log()
    return torch.where(used, picked, 0.0).sum(1)


# %% sequence-running-sum wrong="sequence-density"
# Reads the running sum at place length - 2, which for a length of 1 is the last place: not 0
# for a sequence of the start symbol alone.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    scores = torch.where(used[:, :, None], logits[:, :-1], 0.0).log_softmax(2)
    targets = torch.where(used, tokens[:, 1:], 0)
    running = scores.gather(2, targets[:, :, None])[:, :, 0].cumsum(1)
    return running[torch.arange(len(tokens)), lengths - 2]
