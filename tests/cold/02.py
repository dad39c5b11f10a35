# %% [markdown]
# # Answers to assignment 02, written from the released text alone and judged afterwards

# %% [markdown]
# ## count-density


# %% theta-form right="count-density"
def count_log_prob(y, mean, variance):
    if not bool(torch.all(variance >= mean)):
        raise ValueError("variance below mean")
    is_poisson = variance == mean
    theta = (variance / mean - 1).masked_fill(is_poisson, 1.0)  # variance = mean (1 + theta)
    r = mean / theta
    negbin = (
        torch.lgamma(r + y)
        - torch.lgamma(r)
        - torch.lgamma(y + 1)
        + y * (theta.log() - torch.log1p(theta))
        - r * torch.log1p(theta)
    )
    pois = y * mean.log() - mean - torch.lgamma(y + 1)
    return torch.where(is_poisson, pois, negbin)


# %% index-put right="count-density"
def count_log_prob(y, mean, variance):
    if (variance - mean < 0).any().item():
        raise ValueError
    out = torch.empty_like(mean)
    wide = variance > mean
    m, v = mean[wide], variance[wide]
    nb = torch.distributions.NegativeBinomial(total_count=m * m / (v - m), probs=(v - m) / v)
    out = out.index_put((wide.nonzero()[:, 0],), nb.log_prob(y[wide]))
    rest = torch.distributions.Poisson(mean[~wide]).log_prob(y[~wide])
    return out.index_put(((~wide).nonzero()[:, 0],), rest)


# %% isclose wrong="count-density" fails=""
# Nearly equal is not equal: isclose treats a variance one part in a million larger as a Poisson.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance")
    close = torch.isclose(variance, mean, rtol=1e-3)
    gap = torch.where(close, torch.ones_like(mean), variance - mean)
    nb = torch.distributions.NegativeBinomial(mean**2 / gap, logits=torch.log(gap / mean))
    return torch.where(close, torch.distributions.Poisson(mean).log_prob(y), nb.log_prob(y))


# %% integer-count wrong="count-density" fails=""
# The total count need not be whole: rounding it changes the variance.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance")
    equal = variance == mean
    gap = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = (mean**2 / gap).round().clamp(min=1)
    nb = torch.distributions.NegativeBinomial(r, logits=torch.log(mean / r))
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), nb.log_prob(y))


# %% strict-refusal wrong="count-density" fails=""
# A variance equal to its mean is legal: refuse only smaller ones.
def count_log_prob(y, mean, variance):
    if (variance <= mean).any():
        raise ValueError("variance")
    gap = variance - mean
    nb = torch.distributions.NegativeBinomial(mean**2 / gap, logits=torch.log(gap / mean))
    return nb.log_prob(y)


# %% single-precision-lgamma wrong="count-density" fails=""
# In float32 the gamma functions cancel when the variance is close to the mean.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance")
    equal = variance == mean
    gap = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = mean**2 / gap
    rise = (torch.lgamma((y + r).float()) - torch.lgamma(r.float())).double()
    nb = rise - torch.lgamma(y + 1) + y * (gap / variance).log() + r * (mean / variance).log()
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), nb)


# %% [markdown]
# ## log-target


# %% by-icdf right="log-target"
def price_report(y, mu, sigma, centre, width):
    on_log = torch.distributions.Normal(width * mu + centre, sigma * width)
    log_density = on_log.log_prob(torch.log(y)) - torch.log(y)
    mean = torch.exp(on_log.mean + on_log.variance / 2)
    return torch.mean(-log_density), mean, torch.exp(on_log.mean)


# %% by-builtin-loss right="log-target"
def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    loss = torch.nn.functional.gaussian_nll_loss(mu, t, sigma.square(), full=True, eps=0.0)
    nll = loss + (y.log() + math.log(width)).mean()
    z = centre + width * mu
    return nll, (z + (width * sigma) ** 2 / 2).exp(), z.exp()


# %% jacobian-of-log10 wrong="log-target" fails=""
# log is the natural logarithm: its slope is 1/y, without a log 10.
def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t)
    nll = nll + y.log10() + math.log(width)
    z = centre + width * mu
    return nll.mean(), (z + (width * sigma) ** 2 / 2).exp(), z.exp()


# %% mean-jacobian-once wrong="log-target" fails=""
# The logarithm of the mean of y is not the mean of log y.
def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t).mean()
    nll = nll + torch.log(y.mean()) + math.log(width)
    z = centre + width * mu
    return nll, (z + (width * sigma) ** 2 / 2).exp(), z.exp()


# %% batch-means wrong="log-target" fails=""
# One mean and one median for each example are asked for.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean.mean(), d.loc.exp().mean()


# %% clamped-exponent wrong="log-target" fails=""
# A limit on the exponent changes large prices.
def price_report(y, mu, sigma, centre, width):
    z = centre + width * mu
    d = torch.distributions.LogNormal(z, width * sigma)
    mean = torch.exp((z + (width * sigma) ** 2 / 2).clamp(max=10.0))
    return -d.log_prob(y).mean(), mean, z.clamp(max=10.0).exp()


# %% [markdown]
# ## two-kinds-of-zero


# %% stacked-logsumexp right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    from_poisson = F.logsigmoid(-gate) + (y * log_rate - torch.exp(log_rate) - torch.lgamma(y + 1))
    from_gate = torch.where(y > 0, torch.full_like(gate, -1e30), F.logsigmoid(gate))
    return torch.logsumexp(torch.stack([from_gate, from_poisson]), dim=0)


# %% masked-assignment right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    log_not = -torch.nn.functional.softplus(gate)
    log_yes = -torch.nn.functional.softplus(-gate)
    out = log_not + torch.distributions.Poisson(log_rate.exp()).log_prob(y)
    zero = y == 0
    return out.masked_scatter(zero, torch.logaddexp(log_yes[zero], out[zero]))


# %% hand-logsumexp wrong="two-kinds-of-zero" fails=""
# log(exp(a) + exp(b)) underflows when both are far below zero: take logaddexp.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    a = F.logsigmoid(gate)
    b = F.logsigmoid(-gate) - log_rate.exp()
    zero = torch.log(torch.exp(a) + torch.exp(b))
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, some)


# %% approximate-zero wrong="two-kinds-of-zero" fails=""
# The larger of two log-probabilities is not the logarithm of their sum.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.maximum(F.logsigmoid(gate), some), some)


# %% one-minus-sigmoid wrong="two-kinds-of-zero" fails=""
# 1 - sigmoid rounds to zero for large gates, and its logarithm is infinite.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    rest = torch.log(1 - torch.sigmoid(gate))
    some = rest + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% softplus-rate wrong="two-kinds-of-zero" fails=""
# The rate is the exponential of log_rate, not its softplus.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    rate = F.softplus(log_rate)
    some = F.logsigmoid(-gate) + torch.xlogy(y, rate) - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% [markdown]
# ## living-link


# %% sinh-inverse-by-log right="living-link"
def positive_scale(raw):
    neg = raw < 0
    x = torch.where(neg, -raw, raw)
    big = 0.5 * (x + (x * x + 4).sqrt())
    return torch.where(neg, big.reciprocal(), big)


# %% through-float64 right="living-link"
def positive_scale(raw):
    return torch.asinh(raw.double() / 2).exp().to(raw.dtype)


# %% cosh-sinh wrong="living-link" fails=""
# sinh + cosh of the same number cancels on the left: take the exponential.
def positive_scale(raw):
    u = torch.asinh(raw / 2)
    return torch.sinh(u) + torch.cosh(u)


# %% few-newton-steps wrong="living-link" fails=""
# Five steps of Newton's method are not enough from a start that is far away.
def positive_scale(raw):
    s = torch.ones_like(raw) + torch.relu(raw)
    for _ in range(5):
        s = s - (s - 1 / s - raw) / (1 + 1 / s**2)
    return s


# %% squeezed wrong="living-link" fails=""
# A dimension of size 1 must stay: the result has the shape of the input.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2)).squeeze()


# %% reciprocal-of-raw wrong="living-link" fails=""
# Left of -1000 this is 1/|raw|: its value is right to six digits, but a branch jumps.
def positive_scale(raw):
    left = torch.where(raw < -10, -1 / torch.where(raw < -10, raw, -10.0), 1.0)
    near = torch.where(raw < -10, 0.0, raw)
    right = (near + torch.sqrt(near**2 + 4)) / 2
    return torch.where(raw < -10, left, right)


# %% [markdown]
# ## ordered-classes


# %% concatenated-thresholds right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    theta = torch.cumsum(torch.cat([first[None], log_gaps.exp()]), dim=0)
    d = theta.unsqueeze(0) - eta.unsqueeze(1)
    inner = ls(d[:, 1:]) + ls(-d[:, :-1]) + (-torch.expm1(-log_gaps.exp())).log()
    return torch.cat((ls(d[:, [0]]), inner, ls(-d[:, [-1]])), dim=1)


# %% column-by-column right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    def log_sig(v):
        return -torch.logaddexp(torch.zeros_like(v), -v)

    low = first - eta
    cols = [log_sig(low)]
    for g in log_gaps.exp():
        high = low + g
        cols.append(log_sig(high) + log_sig(-low) + torch.log(-torch.expm1(-g)))
        low = high
    cols.append(log_sig(-low))
    return torch.stack(cols, dim=-1)


# %% log-sub-exp wrong="ordered-classes" fails=""
# Subtracting two cumulative probabilities near one loses the upper classes.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    theta = torch.cat([first[None], first + log_gaps.exp().cumsum(0)])
    up = ls(theta - eta[:, None])
    mid = up[:, 1:] + torch.log(-torch.expm1(up[:, :-1] - up[:, 1:]))
    last = torch.log(-torch.expm1(up[:, -1:]))
    return torch.cat([up[:, :1], mid, last], dim=1)


# %% normal-cdf wrong="ordered-classes" fails=""
# The cumulative probabilities are sigmoids, not the normal distribution function.
def ordinal_log_probs(eta, first, log_gaps):
    theta = torch.cat([first[None], first + log_gaps.exp().cumsum(0)])
    up = torch.special.ndtr(theta - eta[:, None])
    up = torch.cat([torch.zeros_like(up[:, :1]), up, torch.ones_like(up[:, :1])], dim=1)
    return (up[:, 1:] - up[:, :-1]).log()


# %% first-gap-from-zero wrong="ordered-classes" fails=""
# The later thresholds start at the first one, not at zero.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% gap-clamped wrong="ordered-classes" fails=""
# A floor under the gaps changes the narrow classes.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp().clamp(min=1e-6)
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% [markdown]
# ## act-or-ask


# %% broadcast-sum right="act-or-ask"
def act_or_ask(p, cost, price):
    totals = (p[:, None, :] * cost[None]).sum(-1)
    value, index = totals.min(dim=1)
    informed = (p * cost.min(dim=0).values).sum(-1) + price
    wins = informed < value
    index = index.clone()
    index[wins] = -1
    return index, torch.minimum(value, informed)


# %% row-by-row right="act-or-ask"
def act_or_ask(p, cost, price):
    actions, values = [], []
    for row in p:
        totals = [float((row * c).sum()) for c in cost]
        best = min(range(len(totals)), key=lambda a: totals[a])
        ask = price + float((row * torch.stack([cost[:, k].min() for k in range(len(row))])).sum())
        actions.append(-1 if ask < totals[best] else best)
        values.append(min(ask, totals[best]))
    return torch.tensor(actions), torch.tensor(values, dtype=p.dtype)


# %% rounded-costs wrong="act-or-ask" fails=""
# Rounding the expected costs makes ties where there are none.
def act_or_ask(p, cost, price):
    totals = (p @ cost.T).round(decimals=1)
    value, index = totals.min(dim=1)
    informed = p @ cost.min(0).values + price
    return torch.where(informed < value, -1, index), torch.minimum(value, informed)


# %% tolerance-for-asking wrong="act-or-ask" fails=""
# Asking wins whenever it is cheaper, not only by a margin.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value - 0.1
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% regret-reported wrong="act-or-ask" fails=""
# This reports the regret; the text asks for the expected cost.
def act_or_ask(p, cost, price):
    regret = cost - cost.min(0).values
    value, index = (p @ regret.T).min(dim=1)
    return torch.where(value > price, -1, index), value.clamp(max=price)


# %% whole-batch wrong="act-or-ask" fails=""
# Each example decides for itself whether to ask.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    if informed.mean() < value.mean():
        return torch.full_like(index, -1), informed
    return index, value


# %% [markdown]
# ## sequence-density


# %% nested-loops right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    result = []
    for row, seq, n in zip(logits, tokens, lengths):
        n = int(n)
        log_p = torch.log_softmax(row[: n - 1], dim=-1)
        picked = log_p[torch.arange(n - 1), seq[1:n]]
        result.append(picked.sum())
    return torch.stack(result)


# %% flat-cross-entropy right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    n, T, K = logits.shape
    row, place = torch.nonzero(torch.arange(T - 1)[None] < (lengths - 1)[:, None], as_tuple=True)
    loss = torch.nn.functional.cross_entropy(
        logits[row, place], tokens[row, place + 1], reduction="none"
    )
    return torch.zeros(n, dtype=logits.dtype).index_add(0, row, -loss)


# %% start-symbol-counted wrong="sequence-density" fails=""
# The start symbol is given: a uniform probability for it has no place in the sum.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    clean = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    picked = clean.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, picked, 0.0).sum(1) - math.log(logits.shape[-1])


# %% longest-length wrong="sequence-density" fails=""
# All sequences are cut at the longest length: use each one's own.
def sequence_log_prob(logits, tokens, lengths):
    n = int(lengths.max())
    log_p = logits[:, : n - 1].log_softmax(-1)
    target = tokens[:, 1:n].clamp(0, logits.shape[-1] - 1)
    return log_p.gather(2, target[..., None])[..., 0].sum(1)


# %% ignore-negative wrong="sequence-density" fails=""
# Padding may hold any integer, also a valid class: only the lengths tell.
def sequence_log_prob(logits, tokens, lengths):
    target = tokens[:, 1:].clone()
    bad = (target < 0) | (target >= logits.shape[-1])
    target[bad] = -100
    clean = torch.where(bad[..., None], torch.zeros_like(logits[:, :-1]), logits[:, :-1])
    loss = torch.nn.functional.cross_entropy(clean.transpose(1, 2), target, reduction="none")
    return -loss.sum(1)


# %% exponentials-without-shift wrong="sequence-density" fails=""
# exp of a large logit overflows: use log_softmax or logsumexp.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    clean = torch.where(real[..., None], logits[:, :-1], 0.0)
    log_p = clean - clean.exp().sum(-1, keepdim=True).log()
    picked = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, picked, 0.0).sum(1)
