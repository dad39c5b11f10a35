# %% sum-of-logs right="count-density"
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    wide = variance > mean
    excess = torch.where(wide, (variance - mean) / mean, torch.ones_like(mean))
    rising = torch.stack(
        [
            torch.log1p(torch.arange(int(count), dtype=y.dtype) * (e / m)).sum()
            for count, e, m in zip(y.tolist(), excess, mean)
        ]
    )
    common = torch.xlogy(y, mean) - torch.lgamma(y + 1)
    wider = rising - (y + mean / excess) * torch.log1p(excess)
    return common + torch.where(wide, wider, -mean)


# %% stirling-for-large-counts right="count-density"
def count_log_prob(y, mean, variance):
    def check(bad):
        if bool(bad):
            raise ValueError("variance below mean")

    def tail(k):
        return 1 / (12 * k) - 1 / (360 * k**3) + 1 / (1260 * k**5)

    check((mean - variance).max() > 0)
    equal = variance == mean
    gap = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = mean * (mean / gap)
    ratio = mean / r
    big = r > 30
    b = torch.where(big, r, torch.full_like(r, 30.0))
    s = torch.where(big, torch.ones_like(r), r)
    by_stirling = b * torch.log1p(y / b) - y + (y - 0.5) * torch.log1p(y / b)
    by_stirling = by_stirling + tail(y + b) - tail(b)
    by_gamma = torch.lgamma(y + s) - torch.lgamma(s) - y * s.log()
    rising = torch.where(big, by_stirling, by_gamma)
    negative = rising + y * mean.log() - torch.lgamma(y + 1) - (r + y) * torch.log1p(ratio)
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(equal, poisson, negative)


# %% where-outside wrong="count-density"
# Values right, but the gradient with respect to mean is nan where variance = mean: y = (3,), mean
# = variance = (5,).
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    total = mean**2 / (variance - mean)
    log_p = torch.lgamma(y + total) - torch.lgamma(total) - torch.lgamma(y + 1)
    log_p = log_p + total * torch.log(mean / variance) + y * torch.log1p(-mean / variance)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(variance == mean, poisson, log_p)


# %% refused-if-all wrong="count-density"
# Raises only if all variances are too small: mean = (5, 5), variance = (4, 9).
def count_log_prob(y, mean, variance):
    if (variance < mean).all():
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    safe = torch.where(equal, 2 * mean, variance)
    total = mean**2 / (safe - mean)
    log_p = torch.lgamma(y + total) - torch.lgamma(total) - torch.lgamma(y + 1)
    log_p = log_p + total * torch.log(mean / safe) + y * torch.log1p(-mean / safe)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(equal, poisson, log_p)


# %% nearly-poisson wrong="count-density"
# Poisson up to an excess of 1 percent: y = (20,), mean = (5,), variance = (5.045,), off by 1
# percent.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    near = variance <= 1.01 * mean
    safe = torch.where(near, 2 * mean, variance)
    total = mean**2 / (safe - mean)
    log_p = torch.lgamma(y + total) - torch.lgamma(total) - torch.lgamma(y + 1)
    log_p = log_p + total * torch.log(mean / safe) + y * torch.log1p(-mean / safe)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(near, poisson, log_p)


# %% differences-of-lgamma right="count-density"
# It was called wrong, for its gradients where the variance is a millionth above the mean; the text
# now says that gradients are not looked at there.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("a variance is smaller than its mean")
    equal = variance == mean
    safe = torch.where(equal, 2 * mean, variance)
    total = mean**2 / (safe - mean)
    log_p = torch.lgamma(y + total) - torch.lgamma(total) - torch.lgamma(y + 1)
    log_p = log_p + total * torch.log(mean / safe) + y * torch.log1p(-mean / safe)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(equal, poisson, log_p)


# %% change-of-variables right="log-target"
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    m = centre + width * mu
    return each.mean(), torch.exp(m + (width * sigma) ** 2 / 2), torch.exp(m)


# %% log-normal right="log-target"
def price_report(y, mu, sigma, centre, width):
    from torch.distributions import AffineTransform, ExpTransform, Normal, TransformedDistribution

    steps = [AffineTransform(centre, width), ExpTransform()]
    k = TransformedDistribution(Normal(mu, sigma), steps)
    nll = sum(-term for term in k.log_prob(y)) / len(y)
    plain = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return nll, plain.mean, k.icdf(torch.full_like(mu, 0.5))


# %% log-of-y-plus wrong="log-target"
# Adds 1e-8 to y: y = (1e-12,) is taken for 1e-8.
def price_report(y, mu, sigma, centre, width):
    log_y = (y + 1e-8).log()
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    m = centre + width * mu
    return each.mean(), torch.exp(m + (width * sigma) ** 2 / 2), torch.exp(m)


# %% sigma-floor wrong="log-target"
# Standard deviations below 0.05 are raised to it: sigma = (0.01,).
def price_report(y, mu, sigma, centre, width):
    sigma = sigma.clamp_min(0.05)
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    m = centre + width * mu
    return each.mean(), torch.exp(m + (width * sigma) ** 2 / 2), torch.exp(m)


# %% squeezed-reports wrong="log-target"
# For n = 1 mean and median have shape () instead of (1,).
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi) + math.log(width) + log_y
    m = (centre + width * mu).squeeze()
    return each.mean(), torch.exp(m + (width * sigma.squeeze()) ** 2 / 2), torch.exp(m)


# %% constant-with-sigma wrong="log-target"
# log sigma enters as a number, so that its part of the gradient is lost: any sigma, as (0.7,).
def price_report(y, mu, sigma, centre, width):
    log_y = y.log()
    z = ((log_y - centre) / width - mu) / sigma
    constant = sum(math.log(s * width * math.sqrt(2 * math.pi)) for s in sigma.tolist()) / len(y)
    m = centre + width * mu
    nll = (0.5 * z**2 + log_y).mean() + constant
    return nll, torch.exp(m + (width * sigma) ** 2 / 2), torch.exp(m)


# %% logaddexp right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    log_sigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp()
    zero = torch.logaddexp(log_sigmoid(gate), log_sigmoid(-gate) - rate)
    more = log_sigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, more)


# %% two-branches-at-zero right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    def softplus(k):
        return torch.stack([k, torch.zeros_like(k)]).logsumexp(0)

    some = -torch.sigmoid(-gate) * torch.expm1(-log_rate.exp())
    unlikely = some < 0.5
    check = torch.log1p(-torch.where(unlikely, some, torch.zeros_like(some)))
    both = torch.stack([-softplus(-gate), -softplus(gate) - log_rate.exp()]).logsumexp(0)
    return torch.where(
        y > 0,
        y * log_rate - log_rate.exp() - torch.lgamma(y + 1) - softplus(gate),
        torch.where(unlikely, check, both),
    )


# %% log-of-sum wrong="two-kinds-of-zero"
# Both ways to a zero underflow: y = (0,), gate = (-800,), log_rate = (7.5,) gives -inf, not -800.
def zip_log_prob(y, gate, log_rate):
    log_sigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp()
    zero = torch.log(torch.sigmoid(gate) + torch.sigmoid(-gate) * torch.exp(-rate))
    more = log_sigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, more)


# %% log-of-sigmoid wrong="two-kinds-of-zero"
# For counts above 0 sigmoid(-gate) underflows: y = (2,), gate = (800,), log_rate = (0,).
def zip_log_prob(y, gate, log_rate):
    log_sigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp()
    zero = torch.logaddexp(log_sigmoid(gate), log_sigmoid(-gate) - rate)
    more = torch.sigmoid(-gate).log() + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, more)


# %% clamped-rate wrong="two-kinds-of-zero"
# Log rates are held within 10: y = (2,), gate = (0,), log_rate = (-30,) gives -21.4, not -61.4.
def zip_log_prob(y, gate, log_rate):
    log_sigmoid = torch.nn.functional.logsigmoid
    log_rate = log_rate.clamp(-10, 10)
    rate = log_rate.exp()
    zero = torch.logaddexp(log_sigmoid(gate), log_sigmoid(-gate) - rate)
    more = log_sigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, more)


# %% factorial wrong="two-kinds-of-zero"
# The factorial overflows: y = (180,), gate = (0,), log_rate = (5,) gives -inf.
def zip_log_prob(y, gate, log_rate):
    log_sigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp()
    zero = torch.logaddexp(log_sigmoid(gate), log_sigmoid(-gate) - rate)
    factorials = [torch.arange(1, int(k) + 1, dtype=y.dtype).prod() for k in y.tolist()]
    more = log_sigmoid(-gate) + y * log_rate - rate - torch.stack(factorials).log()
    return torch.where(y == 0, zero, more)


# %% reciprocal-on-the-left right="living-link"
def positive_scale(raw):
    left = raw < 0
    size = torch.where(left, -raw, raw)
    large = (size + torch.sqrt(size * size + 4)) / 2
    return torch.where(left, 1 / large, large)


# %% area-sine right="living-link"
def positive_scale(raw):
    class Link(torch.autograd.Function):
        @staticmethod
        def forward(ctx, y):
            k = y.double()
            s = torch.exp(torch.asinh(k.abs() / 2))
            s = torch.where(k < 0, 1 / s, s)
            ctx.save_for_backward(s)
            return s.to(y.dtype)

        @staticmethod
        def backward(ctx, gradient):
            (s,) = ctx.saved_tensors
            return (gradient.double() * s * s / (1 + s * s)).to(gradient.dtype)

    return Link.apply(raw)


# %% early-asymptote wrong="living-link"
# Below -30 it returns 1 / |raw|: raw = -31 is off by one part in 1000.
def positive_scale(raw):
    far = raw < -30
    size = torch.where(raw < 0, -raw, raw)
    near = torch.where(far, torch.zeros_like(raw), size)
    large = (near + torch.sqrt(near**2 + 4)) / 2
    s = torch.where(raw < 0, 1 / large, large)
    return torch.where(far, -1 / torch.where(far, raw, -torch.ones_like(raw)), s)


# %% quadratic-down-to-1000 wrong="living-link"
# The usual formula above -1000, enough for float64 only: raw = -900 in float32 is off by 1
# percent.
def positive_scale(raw):
    root = torch.sqrt(raw**2 + 4)
    far = raw < -1000
    left = 2 / (root - torch.where(far, raw, -torch.ones_like(raw)))
    return torch.where(far, left, (raw + root) / 2)


# %% number-by-number wrong="living-link"
# Raises an error for a 0-d tensor: raw = torch.tensor(1.0).
def positive_scale(raw):
    def one(number):
        root = torch.sqrt(number**2 + 4)
        return 2 / (root - number) if number < 0 else (number + root) / 2

    return torch.stack([one(number) for number in raw])


# %% squeezed wrong="living-link"
# A tensor of shape (1,) or (3, 1) comes back without its axis of length 1.
def positive_scale(raw):
    raw = raw.squeeze()
    left = raw < 0
    size = torch.where(left, -raw, raw)
    large = (size + torch.sqrt(size * size + 4)) / 2
    return torch.where(left, 1 / large, large)


# %% gaps-kept right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    log_sigmoid = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    z = theta - eta[:, None]
    middle = log_sigmoid(z[:, 1:]) + log_sigmoid(-z[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([log_sigmoid(z[:, :1]), middle, log_sigmoid(-z[:, -1:])], dim=1)


# %% class-by-class right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    def y(k):
        return -torch.logaddexp(-k, torch.zeros_like(k))

    at = first - eta
    columns = [y(at)]
    for log_gap in log_gaps:
        gap = torch.exp(log_gap)
        after = at + gap
        if gap < 0.5:
            inside = log_gap + torch.log(-torch.expm1(-gap) / gap)
        else:
            inside = torch.log1p(-torch.exp(-gap))
        columns.append(y(after) + y(-at) + inside)
        at = after
    columns.append(y(-at))
    return torch.stack(columns, dim=-1)


# %% gaps-from-thresholds wrong="ordered-classes"
# The gap is taken from rounded differences: eta = (800,), first = -2.8, log_gaps = (-30,) gives
# -inf.
def ordinal_log_probs(eta, first, log_gaps):
    log_sigmoid = torch.nn.functional.logsigmoid
    theta = torch.cat([first.reshape(1), first + log_gaps.exp().cumsum(0)])
    z = theta - eta[:, None]
    a, b = z[:, 1:], z[:, :-1]
    middle = log_sigmoid(a) + log_sigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.cat([log_sigmoid(z[:, :1]), middle, log_sigmoid(-z[:, -1:])], dim=1)


# %% log-of-product wrong="ordered-classes"
# The product underflows at the end of the range: eta = (800,), log_gaps = (0.3, -0.9) gives -inf.
def ordinal_log_probs(eta, first, log_gaps):
    log_sigmoid = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    z = theta - eta[:, None]
    product = torch.sigmoid(z[:, 1:]) * torch.sigmoid(-z[:, :-1]) * -torch.expm1(-gaps)
    return torch.cat([log_sigmoid(z[:, :1]), product.log(), log_sigmoid(-z[:, -1:])], dim=1)


# %% no-class-between wrong="ordered-classes"
# Raises an error for two classes: log_gaps of shape (0,).
def ordinal_log_probs(eta, first, log_gaps):
    log_sigmoid = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    between = []
    for k in range(len(gaps)):
        a, b = theta[k + 1] - eta, theta[k] - eta
        between.append(log_sigmoid(a) + log_sigmoid(-b) + torch.log(-torch.expm1(-gaps[k])))
    ends = log_sigmoid(theta[0] - eta), log_sigmoid(eta - theta[-1])
    return torch.cat([ends[0][:, None], torch.stack(between, 1), ends[1][:, None]], 1)


# %% last-threshold-a-number wrong="ordered-classes"
# The last class has no gradient with respect to log_gaps: eta = (0.5,), log_gaps = (0.3, -0.9).
def ordinal_log_probs(eta, first, log_gaps):
    log_sigmoid = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    z = theta - eta[:, None]
    middle = log_sigmoid(z[:, 1:]) + log_sigmoid(-z[:, :-1]) + torch.log(-torch.expm1(-gaps))
    top = log_sigmoid(eta - theta[-1].item())
    return torch.cat([log_sigmoid(z[:, :1]), middle, top[:, None]], dim=1)


# %% one-table right="act-or-ask"
def act_or_ask(p, cost, price):
    table = torch.cat([cost, cost.amin(0, keepdim=True)])
    expected = (p[:, None, :] * table).sum(2)
    acting, asking = expected[:, :-1], expected[:, -1] + price
    best = acting.amin(1)
    action = (acting == best[:, None]).to(torch.int64).argmax(1)
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% exact-fractions right="act-or-ask"
def act_or_ask(p, cost, price):
    from fractions import Fraction

    bill = [[Fraction(y) for y in row] for row in cost.tolist()]
    cheapest = [min(column) for column in zip(*bill)]
    actions, values = [], []
    for row in p.tolist():
        k = [Fraction(chance) for chance in row]
        totals = [sum(a * b for a, b in zip(k, line)) for line in bill]
        value = min(totals)
        action = totals.index(value)
        if not math.isinf(price):
            check = Fraction(price) + sum(a * b for a, b in zip(k, cheapest))
            if check < value:
                action, value = -1, check
        actions.append(action)
        values.append(float(value))
    return torch.tensor(actions, dtype=torch.int64), torch.tensor(values, dtype=p.dtype)


# %% asks-on-a-tie wrong="act-or-ask"
# Asks where it costs as much: p = ((0.5, 0.5),), cost = ((0, 1), (1, 0)), price = 0.5.
def act_or_ask(p, cost, price):
    best, action = (p @ cost.T).min(1)
    asking = p @ cost.amin(0) + price
    ask = asking <= best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% free-is-never wrong="act-or-ask"
# A price of 0 is taken for "cannot be asked": p = ((0.5, 0.5),), cost = ((0, 1), (1, 0)).
def act_or_ask(p, cost, price):
    best, action = (p @ cost.T).min(1)
    asking = p @ cost.amin(0) + (price or math.inf)
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% single-precision wrong="act-or-ask"
# Compares in float32: p = ((1, 0),), cost = ((1 + 1e-9, 1), (1, 2)), price = inf gives action 0.
def act_or_ask(p, cost, price):
    expected = p @ cost.T
    action = expected.float().argmin(1)
    best = expected.gather(1, action[:, None])[:, 0]
    asking = p @ cost.amin(0) + price
    ask = asking < best
    return torch.where(ask, torch.full_like(action, -1), action), torch.where(ask, asking, best)


# %% squeezed wrong="act-or-ask"
# For n = 1 both results have shape () instead of (1,).
def act_or_ask(p, cost, price):
    best, action = (p @ cost.T).min(1)
    asking = p @ cost.amin(0) + price
    ask = asking < best
    action = torch.where(ask, torch.full_like(action, -1), action)
    return action.squeeze(), torch.where(ask, asking, best).squeeze()


# %% mask-before-softmax right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    target = tokens[:, 1:]
    inside = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    z = torch.where(inside[:, :, None], logits[:, :-1], torch.zeros_like(logits[:, :-1]))
    k = torch.where(inside, target, torch.zeros_like(target))
    each = torch.log_softmax(z, 2).gather(2, k[:, :, None])[:, :, 0]
    return torch.where(inside, each, torch.zeros_like(each)).sum(1)


# %% sequence-by-sequence right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    results = []
    for z, y, k in zip(logits, tokens, lengths.tolist()):
        steps = torch.nn.functional.cross_entropy(z[: k - 1], y[1:k], reduction="none")
        results.append(-steps.sum())
    return torch.stack(results)


# %% mask-after-softmax wrong="sequence-density"
# Values right, but logits of nan behind an end make gradients nan there: lengths = (2,), T = 3,
# logits[0, 1] = nan.
def sequence_log_prob(logits, tokens, lengths):
    inside = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    k = torch.where(inside, tokens[:, 1:], torch.zeros_like(tokens[:, 1:]))
    each = torch.log_softmax(logits[:, :-1], 2).gather(2, k[:, :, None])[:, :, 0]
    return torch.where(inside, each, torch.zeros_like(each)).sum(1)


# %% log-of-softmax wrong="sequence-density"
# Underflows for large logits: logits = (((1000, 0), (0, 0)),), tokens = ((0, 1),) gives -inf.
def sequence_log_prob(logits, tokens, lengths):
    inside = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    z = torch.where(inside[:, :, None], logits[:, :-1], torch.zeros_like(logits[:, :-1]))
    k = torch.where(inside, tokens[:, 1:], torch.zeros_like(tokens[:, 1:]))
    each = torch.softmax(z, 2).log().gather(2, k[:, :, None])[:, :, 0]
    return torch.where(inside, each, torch.zeros_like(each)).sum(1)


# %% end-by-tokens wrong="sequence-density"
# Every token from 0 to K - 1 counts, whatever the lengths: tokens = ((0, 1, 1),), lengths = (2,).
def sequence_log_prob(logits, tokens, lengths):
    target = tokens[:, 1:]
    inside = (target >= 0) & (target < logits.shape[2])
    z = torch.where(inside[:, :, None], logits[:, :-1], torch.zeros_like(logits[:, :-1]))
    k = torch.where(inside, target, torch.zeros_like(target))
    each = torch.log_softmax(z, 2).gather(2, k[:, :, None])[:, :, 0]
    return torch.where(inside, each, torch.zeros_like(each)).sum(1)


# %% tokens-overwritten wrong="sequence-density"
# Right result, but tokens = ((0, 1, -100),) are (0, 1, 0) afterwards.
def sequence_log_prob(logits, tokens, lengths):
    inside = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    z = torch.where(inside[:, :, None], logits[:, :-1], torch.zeros_like(logits[:, :-1]))
    k = tokens.clamp_(0, logits.shape[2] - 1)[:, 1:]
    each = torch.log_softmax(z, 2).gather(2, k[:, :, None])[:, :, 0]
    return torch.where(inside, each, torch.zeros_like(each)).sum(1)
