# %% [markdown]
# Answers written from the text alone.


# %% counts-sum-of-log1p right="count-density"
# Writes the ratio of gamma functions as a sum of log1p; no large numbers cancel, and the limit
# of no excess is the Poisson, taken with safe inputs in both branches.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    wide = torch.where(equal, 2 * mean.detach(), variance)
    middle = torch.where(equal, mean.detach(), mean)
    x = (wide - middle) / middle
    a = x / middle
    j = torch.arange(int(y.max()), dtype=y.dtype)
    rising = torch.where(j < y[:, None], torch.log1p(a[:, None] * j), 0.0).sum(1)
    factorial = torch.lgamma(y + 1)
    binomial = (
        rising - middle * torch.log1p(x) / x + y * (torch.log(middle) - torch.log1p(x)) - factorial
    )
    poisson = y * torch.log(mean) - mean - factorial
    return torch.where(equal, poisson, binomial)


# %% counts-by-recurrence right="count-density"
# Starts at the probability of 0 and climbs: P(k) / P(k - 1) = m (1 + a (k - 1)) / (k (1 + a m)).
def count_log_prob(y, mean, variance):
    if bool(torch.any(variance < mean)):
        raise ValueError("no distribution has this variance")
    equal = variance == mean
    excess = torch.where(equal, torch.zeros_like(mean), (variance - mean) / mean)
    safe = torch.where(equal, torch.ones_like(mean), excess)
    shrink = torch.where(equal, torch.ones_like(mean), torch.log1p(safe) / safe)
    result = -mean * shrink
    step = mean.log() - torch.log1p(excess)
    for k in range(1, int(y.max()) + 1):
        climb = step + torch.log1p(excess * (k - 1) / mean) - math.log(k)
        result = result + torch.where(y >= k, climb, torch.zeros_like(climb))
    return result


# %% counts-total-count-capped wrong="count-density"
# Caps total_count at 1e6: mean 1000 with variance 1000.001 needs 1e9 (y = 0 is off by 0.5).
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = (mean**2 / excess).clamp(max=1e6)
    binomial = torch.distributions.NegativeBinomial(r, logits=torch.log(mean / r)).log_prob(y)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(equal, poisson, binomial)


# %% counts-nan-gradient wrong="count-density"
# Divides by an excess of 0 in the branch that is not taken: nan gradients at the Poisson rows.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    r = mean**2 / (variance - mean)
    binomial = (
        torch.lgamma(y + r)
        - torch.lgamma(r)
        - torch.lgamma(y + 1)
        - r * torch.log1p(mean / r)
        - y * torch.log1p(r / mean)
    )
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(variance > mean, binomial, poisson)


# %% counts-lenient-refusal wrong="count-density"
# Tolerates a variance below its mean by up to 1e-8: 4 - 1e-10 for a mean of 4 is not refused.
def count_log_prob(y, mean, variance):
    if (variance < mean - 1e-8).any():
        raise ValueError("a variance is smaller than its mean")
    equal = variance <= mean
    wide = torch.where(equal, 2 * mean.detach(), variance)
    middle = torch.where(equal, mean.detach(), mean)
    x = (wide - middle) / middle
    j = torch.arange(int(y.max()), dtype=y.dtype)
    rising = torch.log1p((x / middle)[:, None] * j) * (j < y[:, None])
    binomial = rising.sum(1) - middle * x.log1p() / x + y * (middle.log() - x.log1p())
    poisson = y * mean.log() - mean
    return torch.where(equal, poisson, binomial) - torch.lgamma(y + 1)


# %% counts-nearly-equal-is-poisson wrong="count-density"
# Takes the Poisson for any excess below a thousandth: mean 1000, variance 1000.5, y = 0 is off
# by 0.25.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    close = variance - mean < 1e-3 * mean
    excess = torch.where(close, mean.detach(), variance - mean)
    r = mean**2 / excess
    binomial = torch.distributions.NegativeBinomial(r, logits=torch.log(mean / r)).log_prob(y)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(close, poisson, binomial)


# %% prices-by-hand right="log-target"
# The Normal's density of t times the derivative of t with respect to y, as a sum of logarithms.
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    nll = 0.5 * z**2 + sigma.log() + math.log(width) + log_y + 0.5 * math.log(2 * math.pi)
    median = torch.exp(centre + width * mu)
    mean = torch.exp(centre + width * mu + 0.5 * (width * sigma) ** 2)
    return nll.mean(), mean, median


# %% prices-log-normal right="log-target"
# y is log-normal, with location and scale in units of log y; the library does the rest.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% prices-variance-floor wrong="log-target"
# F.gaussian_nll_loss raises variances to 1e-6: wrong for sigma below a thousandth.
def price_report(y, mu, sigma, centre, width):
    from torch.nn import functional as F

    t = (y.log() - centre) / width
    nll = F.gaussian_nll_loss(mu, t, sigma**2, full=True) + (math.log(width) + y.log()).mean()
    median = torch.exp(centre + width * mu)
    return nll, median * torch.exp((width * sigma) ** 2 / 2), median


# %% prices-sigma-gradient-lost wrong="log-target"
# Takes log sigma out of the graph: right values, wrong gradient with respect to sigma everywhere.
def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    constant = torch.log(sigma.detach() * width * y) + 0.5 * math.log(2 * math.pi)
    nll = (((t - mu) / sigma) ** 2 / 2 + constant).mean()
    median = torch.exp(centre + width * mu)
    return nll, median * torch.exp((width * sigma) ** 2 / 2), median


# %% prices-quadrature wrong="log-target"
# Means by a Gauss-Hermite rule of 20 nodes: far too small for width = 3 and sigma = 3.
def price_report(y, mu, sigma, centre, width):
    import numpy as np

    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    nodes = torch.as_tensor(nodes)
    weights = torch.as_tensor(weights) / math.sqrt(2 * math.pi)
    d = torch.distributions.Normal(mu, sigma)
    t = (y.log() - centre) / width
    nll = -(d.log_prob(t) - math.log(width) - y.log()).mean()
    grid = torch.exp(centre + width * (mu[:, None] + sigma[:, None] * nodes))
    return nll, (weights * grid).sum(1), torch.exp(centre + width * mu)


# %% prices-log-of-y-plus-eps wrong="log-target"
# Adds 1e-8 to y before the logarithm: prices of 1e-10 are taken for a hundred times as much.
def price_report(y, mu, sigma, centre, width):
    log_y = torch.log(y + 1e-8)
    t = (log_y - centre) / width
    log_p = torch.distributions.Normal(mu, sigma).log_prob(t) - math.log(width) - log_y
    median = torch.exp(centre + width * mu)
    mean = torch.exp(centre + width * mu + (width * sigma) ** 2 / 2)
    return -log_p.mean(), mean, median


# %% zip-blended right="two-kinds-of-zero"
# Zeros: log1p(-(1 - pi)(1 - e^-rate)) where the rate is small, else logaddexp of both kinds.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional as F

    rate = log_rate.exp()
    open_ = F.logsigmoid(-gate)
    small = rate < 0.5
    low = torch.where(small, rate, torch.full_like(rate, 0.25))
    quiet = torch.log1p(open_.exp() * torch.expm1(-low))
    busy = torch.logaddexp(F.logsigmoid(gate), open_ - rate)
    zero = torch.where(small, quiet, busy)
    other = open_ + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% zip-by-odds right="two-kinds-of-zero"
# The odds of a zero are (e^g + e^-rate) / (1 - e^-rate); logsigmoid turns log-odds into log p.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional as F

    rate = torch.exp(log_rate)
    log_some = torch.where(
        rate < 0.7, torch.log(-torch.expm1(-rate)), torch.log1p(-torch.exp(-rate))
    )
    zero = F.logsigmoid(torch.logaddexp(gate, -rate) - log_some)
    other = F.logsigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y > 0, other, zero)


# %% zip-plain-zeros wrong="two-kinds-of-zero"
# Adds the zeros' probabilities before the logarithm: -inf for gate -800 and log rate 8.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional as F

    rate = log_rate.exp()
    zero = torch.log(torch.sigmoid(gate) + torch.sigmoid(-gate) * torch.exp(-rate))
    other = F.logsigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% zip-gate-clamped wrong="two-kinds-of-zero"
# Clamps the gate to 700 "because exp overflows": y = 3 and gate 800 give -700, gradient 0.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional as F

    gate = gate.clamp(-700, 700)
    rate = log_rate.exp()
    zero = torch.logaddexp(F.logsigmoid(gate), F.logsigmoid(-gate) - rate)
    other = F.logsigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% zip-factorials-overflow wrong="two-kinds-of-zero"
# Reads factorials from a table of float64 products: infinite from y = 171 on.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional as F

    numbers = torch.arange(int(y.max()) + 1, dtype=torch.float64).clamp(min=1.0)
    log_factorial = torch.cumprod(numbers, 0).log()[y.long()]
    rate = log_rate.exp()
    zero = torch.logaddexp(F.logsigmoid(gate), F.logsigmoid(-gate) - rate)
    other = F.logsigmoid(-gate) + y * log_rate - rate - log_factorial
    return torch.where(y == 0, zero, other)


# %% zip-own-softplus-nan-gradient wrong="two-kinds-of-zero"
# An own softplus with one where: values are right, gradients are nan for gates beyond 709.
def zip_log_prob(y, gate, log_rate):
    def softplus(x):
        return torch.where(x > 30, x, torch.log1p(torch.exp(x)))

    rate = log_rate.exp()
    zero = torch.logaddexp(-softplus(-gate), -softplus(gate) - rate)
    other = -softplus(gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% link-two-roots right="living-link"
# The root without cancellation: the sum to the right, one over the sum to the left.
def positive_scale(raw):
    size = torch.where(raw >= 0, raw, -raw)
    half = 0.5 * (size + torch.sqrt(size * size + 4))
    return torch.where(raw >= 0, half, 1 / half)


# %% link-asinh right="living-link"
# s = e^v turns the equation into 2 sinh v = raw.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2))


# %% link-float32-cancels wrong="living-link"
# The quadratic formula down to -1000, and -1/raw beyond: right in float64, but off by up to a
# percent in float32 between -1000 and -100.
def positive_scale(raw):
    far = raw < -1e3
    left = torch.where(far, raw, torch.full_like(raw, -1.0))
    near = torch.where(far, torch.zeros_like(raw), raw)
    return torch.where(far, -1 / left, (near + torch.sqrt(near**2 + 4)) / 2)


# %% link-loops-over-first-axis wrong="living-link"
# Takes one number at a time from the first axis: breaks for a 0-d tensor, and for two axes.
def positive_scale(raw):
    out = []
    for r in raw:
        root = torch.sqrt(r * r + 4)
        out.append((r + root) / 2 if r >= 0 else 2 / (root - r))
    return torch.stack(out)


# %% link-asymptotes-too-early wrong="living-link"
# s = raw beyond 100 and s = -1/raw below -100: a relative error of 1e-4 at 100, not below 1e-5.
def positive_scale(raw):
    one = torch.ones_like(raw)
    right, left = raw > 100, raw < -100
    middle = torch.where(right | left, torch.zeros_like(raw), raw)
    root = torch.sqrt(middle**2 + 4)
    s = torch.where(middle >= 0, (root + middle) / 2, 2 / (root - middle))
    s = torch.where(right, raw, s)
    return torch.where(left, -1 / torch.where(left, raw, one), s)


# %% link-no-slope-at-zero wrong="living-link"
# Uses |raw|, whose gradient at 0 is 0 in PyTorch: the gradient at raw = 0 is 0 in place of 0.5.
def positive_scale(raw):
    half = (raw.abs() + torch.hypot(raw, torch.full_like(raw, 2.0))) / 2
    return torch.where(raw < 0, 1 / half, half)


# %% ordinal-logsigmoids right="ordered-classes"
# The product form of the hint; the last factor comes from the gaps themselves.
def ordinal_log_probs(eta, first, log_gaps):
    from torch.nn import functional as F

    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    above = theta - eta[:, None]
    below = F.logsigmoid(above)
    beyond = F.logsigmoid(-above)
    log_width = torch.where(
        gaps < 0.7, torch.log(-torch.expm1(-gaps)), torch.log1p(-torch.exp(-gaps))
    )
    middle = below[:, 1:] + beyond[:, :-1] + log_width
    return torch.cat([below[:, :1], middle, beyond[:, -1:]], dim=1)


# %% ordinal-class-by-class right="ordered-classes"
# Walks up the thresholds and writes one column after the other; softplus by logaddexp.
def ordinal_log_probs(eta, first, log_gaps):
    def log_sigmoid(x):
        return -torch.logaddexp(torch.zeros_like(x), -x)

    theta = first
    columns = [log_sigmoid(theta - eta)]
    for k in range(log_gaps.shape[0]):
        gap = torch.exp(log_gaps[k])
        upper = theta + gap
        share = torch.log(-torch.expm1(-gap))
        columns.append(log_sigmoid(upper - eta) + log_sigmoid(eta - theta) + share)
        theta = upper
    columns.append(log_sigmoid(eta - theta))
    return torch.stack(columns, dim=1)


# %% ordinal-gaps-by-difference wrong="ordered-classes"
# Takes the gaps back from the thresholds: a gap of e^-30 behind many of e^4 has lost its digits,
# or is 0 and gives -inf.
def ordinal_log_probs(eta, first, log_gaps):
    from torch.nn import functional as F

    theta = torch.cat([first.reshape(1), first + log_gaps.exp().cumsum(0)])
    gaps = theta[1:] - theta[:-1]
    above = theta - eta[:, None]
    below, beyond = F.logsigmoid(above), F.logsigmoid(-above)
    middle = below[:, 1:] + beyond[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, beyond[:, -1:]], dim=1)


# %% ordinal-two-classes-break wrong="ordered-classes"
# Stacks the middle classes; with two classes there are none, and stack refuses an empty list.
def ordinal_log_probs(eta, first, log_gaps):
    from torch.nn import functional as F

    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    low = F.logsigmoid(theta - eta[:, None])
    high = F.logsigmoid(eta[:, None] - theta)
    share = torch.log(-torch.expm1(-gaps))
    middle = torch.stack(
        [low[:, k + 1] + high[:, k] + share[k] for k in range(len(log_gaps))], dim=1
    )
    return torch.cat([low[:, :1], middle, high[:, -1:]], dim=1)


# %% ordinal-flipped-difference wrong="ordered-classes"
# Subtracts sigmoids in the tail where they are small, which holds to about 700 only: -inf for
# the middle classes at scores of 800.
def ordinal_log_probs(eta, first, log_gaps):
    from torch.nn import functional as F

    theta = torch.cat([first.reshape(1), first + log_gaps.exp().cumsum(0)])
    above = theta - eta[:, None]
    a, b = above[:, 1:], above[:, :-1]
    flip = a + b > 0
    p = torch.where(
        flip, torch.sigmoid(-b) - torch.sigmoid(-a), torch.sigmoid(a) - torch.sigmoid(b)
    )
    return torch.cat([F.logsigmoid(above[:, :1]), p.log(), F.logsigmoid(-above[:, -1:])], dim=1)


# %% ordinal-own-sigmoid-nan-gradient wrong="ordered-classes"
# An own logsigmoid with one where: right values, nan gradients for scores beyond 709.
def ordinal_log_probs(eta, first, log_gaps):
    def log_sigmoid(x):
        return torch.where(x > 0, -torch.log1p(torch.exp(-x)), x - torch.log1p(torch.exp(x)))

    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    above = theta - eta[:, None]
    low, high = log_sigmoid(above), log_sigmoid(-above)
    middle = low[:, 1:] + high[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([low[:, :1], middle, high[:, -1:]], dim=1)


# %% act-with-ideal-row right="act-or-ask"
# Puts the cost under full knowledge as one more row below the actions; all rows are summed alike.
def act_or_ask(p, cost, price):
    ideal = cost.amin(dim=0, keepdim=True)
    rows = torch.cat([cost, ideal])
    expected = (p[:, None, :] * rows).sum(dim=-1)
    acting = expected[:, :-1]
    action = acting.argmin(dim=1)
    best = acting.gather(1, action[:, None])[:, 0]
    asking = expected[:, -1] + price
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% act-action-by-action right="act-or-ask"
# Goes through the actions in their order and changes only for one that is strictly cheaper.
def act_or_ask(p, cost, price):
    n = p.shape[0]
    action = torch.zeros(n, dtype=torch.int64)
    expected = (p * cost[0]).sum(1)
    for a in range(1, cost.shape[0]):
        this = (p * cost[a]).sum(1)
        cheaper = this < expected
        action = torch.where(cheaper, a, action)
        expected = torch.where(cheaper, this, expected)
    asking = (p * cost.min(dim=0).values).sum(1) + price
    cheaper = asking < expected
    return torch.where(cheaper, -1, action), torch.where(cheaper, asking, expected)


# %% act-asking-comes-first wrong="act-or-ask"
# Puts asking before the actions, so argmin prefers it in a tie: one action and price 0 give -1.
def act_or_ask(p, cost, price):
    rows = torch.cat([cost.min(dim=0, keepdim=True).values, cost])
    expected = (p[:, None, :] * rows).sum(-1)
    shift = torch.zeros(len(rows), dtype=p.dtype)
    shift[0] = price
    expected = expected + shift
    best = expected.argmin(dim=1)
    return best - 1, expected.gather(1, best[:, None]).squeeze(1)


# %% act-price-zero-is-no-price wrong="act-or-ask"
# "if price" takes a price of 0 for none: nobody asks where asking costs nothing and helps.
def act_or_ask(p, cost, price):
    expected = (p[:, None, :] * cost).sum(-1)
    action = expected.argmin(dim=1)
    best = expected.amin(dim=1)
    if price and price != float("inf"):
        asking = (p * cost.amin(dim=0)).sum(1) + price
        ask = asking < best
        action = torch.where(ask, -1, action)
        best = torch.where(ask, asking, best)
    return action, best


# %% act-single-example-squeezed wrong="act-or-ask"
# squeeze() drops the batch axis for n = 1, and both results become 0-d; one action breaks too.
def act_or_ask(p, cost, price):
    expected = (p[:, None, :] * cost).sum(-1).squeeze()
    best = expected.amin(dim=-1)
    action = expected.argmin(dim=-1)
    asking = (p * cost.amin(dim=0)).sum(-1).squeeze() + price
    ask = asking < best
    return torch.where(ask, -1, action), torch.where(ask, asking, best)


# %% act-close-is-equal wrong="act-or-ask"
# Takes costs within isclose's tolerance for ties: of 1000 and 999.995 it picks the dearer one.
def act_or_ask(p, cost, price):
    expected = (p[:, None, :] * cost).sum(-1)
    best = expected.amin(dim=1)
    tied = torch.isclose(expected, best[:, None])
    action = tied.to(torch.int64).argmax(dim=1)
    asking = (p * cost.amin(dim=0)).sum(1) + price
    ask = asking < best
    return torch.where(ask, -1, action), torch.where(ask, asking, best)


# %% sequence-masked-before right="sequence-density"
# Replaces logits and tokens where nothing is foretold, before any computation sees them.
def sequence_log_prob(logits, tokens, lengths):
    steps = torch.arange(1, tokens.shape[1])
    valid = steps < lengths[:, None]
    says = torch.where(valid[..., None], logits[:, :-1], 0.0)
    target = torch.where(valid, tokens[:, 1:], 0)
    scores = torch.log_softmax(says, dim=-1).gather(2, target[..., None]).squeeze(-1)
    return torch.where(valid, scores, 0.0).sum(dim=1)


# %% sequence-one-by-one right="sequence-density"
# Cuts each sequence to its length and scores it alone.
def sequence_log_prob(logits, tokens, lengths):
    results = []
    for i, length in enumerate(lengths.tolist()):
        says = logits[i, : length - 1]
        target = tokens[i, 1:length]
        chosen = says.gather(1, target[:, None])[:, 0]
        results.append((chosen - torch.logsumexp(says, dim=1)).sum())
    return torch.stack(results)


# %% sequence-masked-after wrong="sequence-density"
# Masks the scores only at the end: values are right, gradients are nan where padded logits are.
def sequence_log_prob(logits, tokens, lengths):
    valid = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    target = tokens[:, 1:].masked_fill(~valid, 0)
    scores = torch.log_softmax(logits[:, :-1], dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(valid, scores, 0.0).sum(dim=1)


# %% sequence-tokens-overwritten wrong="sequence-density"
# Writes 0 over the padding through a view: the caller's tokens have changed afterwards.
def sequence_log_prob(logits, tokens, lengths):
    valid = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    target = tokens[:, 1:]
    target[~valid] = 0
    says = logits[:, :-1].masked_fill(~valid[..., None], 0.0)
    scores = torch.log_softmax(says, dim=-1).gather(2, target[..., None])[..., 0]
    return (scores * valid).sum(dim=1)


# %% sequence-log-of-softmax wrong="sequence-density"
# The logarithm of a softmax: -inf where a foretold token lies 1000 below the largest logit.
def sequence_log_prob(logits, tokens, lengths):
    valid = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    target = torch.where(valid, tokens[:, 1:], 0)
    says = torch.where(valid[..., None], logits[:, :-1], 0.0)
    p = torch.softmax(says, dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(valid, p.log(), 0.0).sum(dim=1)


# %% sequence-padding-guessed wrong="sequence-density"
# Takes impossible tokens for the padding and ignores lengths: padding that holds a 1 is counted.
def sequence_log_prob(logits, tokens, lengths):
    K = logits.shape[-1]
    after = tokens[:, 1:]
    valid = ((after >= 0) & (after < K)).cumprod(dim=1).bool()
    target = torch.where(valid, after, 0)
    says = torch.where(valid[..., None], logits[:, :-1], 0.0)
    scores = torch.log_softmax(says, dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(valid, scores, 0.0).sum(dim=1)
