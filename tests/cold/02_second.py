# %% cold-factors-in-a-loop right="count-density"
import torch


def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("no such distribution: a variance is smaller than its mean")
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    same = variance == mean
    d = torch.where(same, torch.ones_like(mean), (variance - mean) / mean)
    log_prob = -y * torch.log1p(d) - torch.lgamma(y + 1) - mean * torch.log1p(d) / d
    for j in range(int(y.max())):
        log_prob = log_prob + torch.where(y > j, torch.log(mean + j * d), torch.zeros_like(d))
    return torch.where(same, poisson, log_prob)


# %% cold-poisson-and-a-correction right="count-density"
import torch


def count_log_prob(y, mean, variance):
    if torch.any(variance < mean):
        raise ValueError("variance < mean")
    log_prob = torch.xlogy(y, mean) - mean - torch.lgamma(y + 1)
    wide = (variance > mean).nonzero()[:, 0]
    if len(wide) == 0:
        return log_prob
    k, m, v = y[wide], mean[wide], variance[wide]
    d = (v - m) / m
    j = torch.arange(int(k.max()) + 1, dtype=m.dtype)
    inside = (j < k[:, None]).to(m.dtype)
    rise = (inside * torch.log1p(j * (d / m)[:, None])).sum(1)
    extra = rise - k * torch.log1p(d) + m * (1 - torch.log1p(d) / d)
    return log_prob.index_add(0, wide, extra)


# %% cold-isclose-is-poisson wrong="count-density"
# Variances within 1e-5 (relative) of the mean count as equal: the gradients there are off.
import torch


def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance < mean")
    same = torch.isclose(variance, mean)
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    excess = torch.where(same, torch.ones_like(mean), variance - mean)
    r = mean**2 / excess
    log_prob = (
        torch.lgamma(y + r)
        - torch.lgamma(r)
        - torch.lgamma(y + 1)
        - r * torch.log1p(mean / r)
        + y * (mean / (mean + r)).log()
    )
    return torch.where(same, poisson, log_prob)


# %% cold-refuses-only-all wrong="count-density"
# Raises only if every variance is smaller than its mean; a mixed batch gets numbers.
import torch


def count_log_prob(y, mean, variance):
    if torch.all(variance < mean):
        raise ValueError("variance < mean")
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    wide = variance > mean
    d = torch.where(wide, variance / mean - 1, torch.ones_like(mean))
    j = torch.arange(int(y.max()) + 1, dtype=y.dtype)
    factors = torch.log(mean[:, None] + j * d[:, None])
    rise = torch.where(j < y[:, None], factors, torch.zeros_like(factors)).sum(1)
    log_prob = rise - torch.lgamma(y + 1) - (y + mean / d) * torch.log1p(d)
    return torch.where(wide, log_prob, poisson)


# %% cold-where-without-shelter wrong="count-density"
# Divides by a zero excess in the branch not taken: the Poisson gradient becomes nan.
import torch


def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance < mean")
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    r = mean**2 / (variance - mean)
    log_prob = (
        torch.lgamma(y + r)
        - torch.lgamma(r)
        - torch.lgamma(y + 1)
        + r * torch.log(mean / variance)
        + y * torch.log((variance - mean) / variance)
    )
    return torch.where(variance > mean, log_prob, poisson)


# %% cold-table-of-256 wrong="count-density"
# The rising factorial stops after 256 factors: larger counts lose the others.
import torch


def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance < mean")
    poisson = y * mean.log() - mean - torch.lgamma(y + 1)
    wide = variance > mean
    d = torch.where(wide, variance / mean - 1, torch.ones_like(mean))
    j = torch.arange(256, dtype=y.dtype)
    factors = torch.log(mean[:, None] + j * d[:, None])
    rise = (factors * (j < y[:, None])).sum(1)
    log_prob = rise - torch.lgamma(y + 1) - (y + mean / d) * torch.log1p(d)
    return torch.where(wide, log_prob, poisson)


# %% cold-log-normal right="log-target"
import torch


def price_report(y, mu, sigma, centre, width):
    predicted = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    median = torch.exp(centre + width * mu)
    return -predicted.log_prob(y).mean(), predicted.mean, median


# %% cold-change-of-variables right="log-target"
import math

import torch


def price_report(y, mu, sigma, centre, width):
    log_y = torch.log(y)
    z = ((log_y - centre) / width - mu) / sigma
    each = z.square() / 2 + sigma.log() + 0.5 * math.log(2 * math.pi) + log_y + math.log(width)
    place = mu * width + centre
    return each.sum() / len(y), (place + (width * sigma).square() / 2).exp(), place.exp()


# %% cold-no-gradient-from-log-sigma wrong="log-target"
# The normaliser log(sigma) is detached: the gradient of nll with respect to sigma is wrong.
import math

import torch


def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    jacobian = y.log() + math.log(width)
    normaliser = (sigma.detach() * math.sqrt(2 * math.pi)).log()
    nll = (0.5 * ((t - mu) / sigma) ** 2 + normaliser + jacobian).mean()
    place = centre + width * mu
    return nll, torch.exp(place + (width * sigma) ** 2 / 2), torch.exp(place)


# %% cold-squeezed-reports wrong="log-target"
# With a single example, mean and median are 0-d instead of shape (1,).
import torch


def price_report(y, mu, sigma, centre, width):
    params = torch.stack([centre + width * mu, width * sigma], dim=1)
    place, scale = [column.squeeze() for column in params.split(1, dim=1)]
    nll = -torch.distributions.LogNormal(place, scale).log_prob(y).mean()
    return nll, torch.exp(place + scale**2 / 2), torch.exp(place)


# %% cold-floor-under-prices wrong="log-target"
# Prices below 1e-6 are lifted to 1e-6 before the logarithm.
import math

import torch


def price_report(y, mu, sigma, centre, width):
    log_y = y.clamp(min=1e-6).log()
    t = (log_y - centre) / width
    nll = -(torch.distributions.Normal(mu, sigma).log_prob(t) - log_y - math.log(width)).mean()
    place = centre + width * mu
    return nll, torch.exp(place + (width * sigma) ** 2 / 2), torch.exp(place)


# %% cold-single-precision-centre wrong="log-target"
# centre and width pass through float32: visible in nll where sigma is small and centre large.
import torch


def price_report(y, mu, sigma, centre, width):
    centre, width = torch.tensor(float(centre)), torch.tensor(float(width))
    t = (y.log() - centre) / width
    nll = -(torch.distributions.Normal(mu, sigma).log_prob(t) - y.log() - width.log()).mean()
    place = centre + width * mu
    return nll, torch.exp(place + (width * sigma) ** 2 / 2), torch.exp(place)


# %% cold-shut-out-by-infinity right="two-kinds-of-zero"
import torch
import torch.nn.functional as F


def zip_log_prob(y, gate, log_rate):
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    never = torch.full_like(gate, float("-inf"))
    closed = torch.where(y == 0, F.logsigmoid(gate), never)
    return torch.logaddexp(closed, F.logsigmoid(-gate) + poisson)


# %% cold-two-groups right="two-kinds-of-zero"
import torch


def zip_log_prob(y, gate, log_rate):
    zero = y == 0
    result = torch.zeros_like(y)
    g, rate = gate[zero], log_rate[zero].exp()
    lost = torch.sigmoid(-g) * torch.expm1(-rate)
    near = lost > -0.5
    result[zero] = torch.where(
        near,
        torch.log1p(torch.where(near, lost, torch.zeros_like(lost))),
        torch.logaddexp(g, -rate) - torch.logaddexp(g, torch.zeros_like(g)),
    )
    k, g, h = y[~zero], gate[~zero], log_rate[~zero]
    is_open = -torch.logaddexp(g, torch.zeros_like(g))
    result[~zero] = is_open + k * h - h.exp() - torch.lgamma(k + 1)
    return result


# %% cold-clamped-log-rate wrong="two-kinds-of-zero"
# Log rates below -20 are lifted to -20: counts above 0 get wrong values and no gradient.
import torch
import torch.nn.functional as F


def zip_log_prob(y, gate, log_rate):
    h = log_rate.clamp(-20.0, 20.0)
    poisson = F.logsigmoid(-gate) + y * h - h.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), poisson), poisson)


# %% cold-mixture-of-probabilities wrong="two-kinds-of-zero"
# Zeros are mixed as probabilities: for gates below -745 and rates above 745 this is log 0.
import torch
import torch.nn.functional as F


def zip_log_prob(y, gate, log_rate):
    rate = log_rate.exp()
    zero = torch.log(torch.sigmoid(gate) + torch.sigmoid(-gate) * torch.exp(-rate))
    other = F.logsigmoid(-gate) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, zero, other)


# %% cold-single-precision-factorial wrong="two-kinds-of-zero"
# The log-factorial is computed in float32: off by about 1e-3 for counts in the thousands.
import torch
import torch.nn.functional as F


def zip_log_prob(y, gate, log_rate):
    log_factorial = torch.lgamma(y.float() + 1).to(log_rate.dtype)
    poisson = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - log_factorial
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), poisson), poisson)


# %% cold-factorial-overflows wrong="two-kinds-of-zero"
# The factorial is multiplied out: from 171 on it is infinite, and the result -inf.
import torch
import torch.nn.functional as F


def zip_log_prob(y, gate, log_rate):
    table = torch.arange(int(y.max()) + 1, dtype=torch.float64).clamp(min=1).cumprod(0)
    log_factorial = table[y.long()].log()
    poisson = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - log_factorial
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), poisson), poisson)


# %% cold-hyperbolic right="living-link"
import torch


def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2))


# %% cold-reciprocal-on-the-left right="living-link"
import torch


def positive_scale(raw):
    left = raw < 0
    size = torch.where(left, -raw, raw)
    big = (size + torch.sqrt(size * size + 4)) / 2
    return torch.where(left, 1 / big, big)


# %% cold-both-roots-unsheltered wrong="living-link"
# In float32 the unused left root divides by 0 for raw near 1e4: the gradient there is nan.
import torch


def positive_scale(raw):
    root = torch.sqrt(raw**2 + 4)
    return torch.where(raw > 0, (raw + root) / 2, 2 / (root - raw))


# %% cold-asymptote-from-ten-thousand wrong="living-link"
# Cancels between -1e4 and 0: good enough in float64, wrong in float32 from about -30 on.
import torch


def positive_scale(raw):
    far = raw < -1e4
    asymptote = -1 / raw.clamp(max=-1.0)
    middle = torch.where(far, torch.zeros_like(raw), raw)
    return torch.where(far, asymptote, (middle + torch.sqrt(middle**2 + 4)) / 2)


# %% cold-never-a-scalar wrong="living-link"
# A 0-d tensor comes back with shape (1,).
import torch


def positive_scale(raw):
    x = torch.atleast_1d(raw)
    size = torch.where(x < 0, -x, x)
    big = size / 2 + torch.sqrt((size / 2) ** 2 + 1)
    return torch.where(x < 0, 1 / big, big)


# %% cold-bisection-ends-early wrong="living-link"
# Eighteen halvings of [-19, 19] leave log s off by up to 7e-5, not 1e-5.
import torch


def positive_scale(raw):
    with torch.no_grad():
        low, high = torch.full_like(raw, -19.0), torch.full_like(raw, 19.0)
        for _ in range(18):
            middle = (low + high) / 2
            below = 2 * torch.sinh(middle) < raw
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        s = torch.exp((low + high) / 2)
        slope = s / (s + 1 / s)
    return s + slope * (raw - raw.detach())


# %% cold-three-logarithms right="ordered-classes"
import torch
import torch.nn.functional as F


def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    theta = torch.cat([first.reshape(1), first + gaps.cumsum(0)])
    z = theta - eta[:, None]
    below, above = F.logsigmoid(z), F.logsigmoid(-z)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% cold-hyperbolic-sines right="ordered-classes"
import torch


def ordinal_log_probs(eta, first, log_gaps):
    def log_two_cosh(x):
        return x.abs() / 2 + torch.log1p(torch.exp(-x.abs()))

    a = first - eta
    columns = [-torch.logaddexp(torch.zeros_like(a), -a)]
    for k in range(log_gaps.shape[0]):
        gap = log_gaps[k].exp()
        b = a
        a = b + gap
        log_two_sinh = gap / 2 + (-torch.expm1(-gap)).log()
        columns.append(log_two_sinh - log_two_cosh(a) - log_two_cosh(b))
    columns.append(-torch.logaddexp(torch.zeros_like(a), a))
    return torch.stack(columns, dim=1)


# %% cold-gaps-from-thresholds wrong="ordered-classes"
# The gap is taken back as a difference of thresholds: small gaps beside large ones cancel.
import torch
import torch.nn.functional as F


def ordinal_log_probs(eta, first, log_gaps):
    theta = torch.cat([first[None], log_gaps.exp()]).cumsum(0)
    z = theta - eta[:, None]
    middle = torch.log(-torch.expm1(-theta.diff()))
    middle = F.logsigmoid(z[:, 1:]) + F.logsigmoid(-z[:, :-1]) + middle
    return torch.cat([F.logsigmoid(z[:, :1]), middle, F.logsigmoid(-z[:, -1:])], dim=1)


# %% cold-scores-held-to-700 wrong="ordered-classes"
# Scores beyond 700 are clamped to it: values are off and the gradient is 0.
import torch
import torch.nn.functional as F


def ordinal_log_probs(eta, first, log_gaps):
    eta = eta.clamp(-700.0, 700.0)
    gaps = log_gaps.exp()
    z = torch.cat([first[None], first + gaps.cumsum(0)]) - eta[:, None]
    middle = F.logsigmoid(z[:, 1:]) + F.logsigmoid(-z[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([F.logsigmoid(z[:, :1]), middle, F.logsigmoid(-z[:, -1:])], dim=1)


# %% cold-two-classes-forgotten wrong="ordered-classes"
# With two classes the list of middle classes is empty, and stacking it fails.
import torch
import torch.nn.functional as F


def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    middle = torch.stack(
        [
            F.logsigmoid(theta[k + 1] - eta)
            + F.logsigmoid(eta - theta[k])
            + torch.log(-torch.expm1(-gaps[k]))
            for k in range(len(gaps))
        ],
        dim=1,
    )
    lowest, highest = F.logsigmoid(theta[0] - eta), F.logsigmoid(eta - theta[-1])
    return torch.cat([lowest[:, None], middle, highest[:, None]], dim=1)


# %% cold-floor-under-the-gap wrong="ordered-classes"
# 1 - exp(-gap) is floored at 1e-12: log gaps below -27.6 give wrong values and no gradient.
import torch
import torch.nn.functional as F


def ordinal_log_probs(eta, first, log_gaps):
    gaps = log_gaps.exp()
    z = torch.cat([first[None], first + gaps.cumsum(0)]) - eta[:, None]
    share = (-torch.expm1(-gaps)).clamp(min=1e-12)
    middle = F.logsigmoid(z[:, 1:]) + F.logsigmoid(-z[:, :-1]) + share.log()
    return torch.cat([F.logsigmoid(z[:, :1]), middle, F.logsigmoid(-z[:, -1:])], dim=1)


# %% cold-asking-as-a-row right="act-or-ask"
import torch


def act_or_ask(p, cost, price):
    rows = torch.cat([cost, cost.min(dim=0, keepdim=True).values])
    expected = sum(p[:, k, None] * rows[:, k] for k in range(p.shape[1]))
    acting, asking = expected[:, :-1], expected[:, -1] + price
    lowest = acting.min(dim=1, keepdim=True).values
    action = (acting == lowest).to(torch.int64).argmax(dim=1)
    ask = asking < lowest[:, 0]
    return torch.where(ask, -1, action), torch.where(ask, asking, lowest[:, 0])


# %% cold-what-knowing-saves right="act-or-ask"
import torch


def act_or_ask(p, cost, price):
    actions, values = [], []
    cheapest = cost.amin(0)
    for row in p:
        best, least = 0, (row * cost[0]).sum()
        for a in range(1, len(cost)):
            value = (row * cost[a]).sum()
            if value < least:
                best, least = a, value
        saved = (row * (cost[best] - cheapest)).sum()
        if saved > price:
            best, least = -1, (row * cheapest).sum() + price
        actions.append(best)
        values.append(least)
    return torch.tensor(actions), torch.stack(values)


# %% cold-asks-when-equal wrong="act-or-ask"
# Asks where asking costs exactly as much as acting.
import torch


def act_or_ask(p, cost, price):
    least, action = (p[:, None, :] * cost).sum(-1).min(dim=1)
    asking = (p * cost.min(dim=0).values).sum(-1) + price
    ask = asking <= least
    return torch.where(ask, -1, action), torch.minimum(least, asking)


# %% cold-last-of-equals wrong="act-or-ask"
# Of actions that cost the same, the one with the highest index wins.
import torch


def act_or_ask(p, cost, price):
    least = torch.full((len(p),), float("inf"), dtype=p.dtype)
    action = torch.zeros(len(p), dtype=torch.int64)
    for a in range(len(cost)):
        value = (p * cost[a]).sum(1)
        action = torch.where(value <= least, a, action)
        least = torch.minimum(least, value)
    asking = (p * cost.min(dim=0).values).sum(1) + price
    ask = asking < least
    return torch.where(ask, -1, action), torch.where(ask, asking, least)


# %% cold-nearly-equal-is-equal wrong="act-or-ask"
# Costs within a relative 1e-5 count as tied, so a dearer action with a lower index is taken.
import torch


def act_or_ask(p, cost, price):
    values = (p[:, None, :] * cost).sum(-1)
    least = values.min(dim=1).values
    action = torch.isclose(values, least[:, None]).int().argmax(dim=1)
    asking = (p * cost.min(dim=0).values).sum(-1) + price
    ask = asking < least
    return torch.where(ask, -1, action), torch.where(ask, asking, least)


# %% cold-actions-as-floats wrong="act-or-ask"
# The actions come back as float64, not as integers.
import torch


def act_or_ask(p, cost, price):
    values = (p[:, None, :] * cost).sum(-1)
    least, action = values.min(dim=1)
    asking = (p * cost.min(dim=0).values).sum(-1) + price
    choice = torch.full_like(least, -1)
    acts = least <= asking
    choice[acts] = action[acts].to(choice.dtype)
    return choice, torch.where(acts, least, asking)


# %% cold-mask-before-softmax right="sequence-density"
import torch


def sequence_log_prob(logits, tokens, lengths):
    steps = torch.arange(1, tokens.shape[1])
    over = steps >= lengths[:, None]
    clean = logits[:, :-1].masked_fill(over[:, :, None], 0.0)
    target = tokens[:, 1:].masked_fill(over, 0)
    log_p = torch.log_softmax(clean, dim=-1).gather(2, target[:, :, None])[:, :, 0]
    return log_p.masked_fill(over, 0.0).sum(dim=1)


# %% cold-one-sequence-at-a-time right="sequence-density"
import torch


def sequence_log_prob(logits, tokens, lengths):
    totals = []
    for z, words, length in zip(logits, tokens, lengths.tolist(), strict=True):
        z, target = z[: length - 1], words[1:length]
        chosen = z[torch.arange(length - 1), target]
        totals.append((chosen - torch.logsumexp(z, dim=1)).sum())
    return torch.stack(totals)


# %% cold-where-after-softmax wrong="sequence-density"
# Values are right, but nan or infinite logits behind the end get nan gradients instead of 0.
import torch


def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    target = torch.where(used, tokens[:, 1:], 0)
    log_p = torch.log_softmax(logits[:, :-1], dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(used, log_p, torch.zeros_like(log_p)).sum(dim=1)


# %% cold-ends-at-a-bad-token wrong="sequence-density"
# The end is read off the tokens, not the lengths: padding that looks like a token is counted.
import torch


def sequence_log_prob(logits, tokens, lengths):
    target = tokens[:, 1:]
    used = (target >= 0) & (target < logits.shape[-1]) & (lengths[:, None] > 1)
    clean = torch.where(used[..., None], logits[:, :-1], 0.0)
    target = torch.where(used, target, 0)
    log_p = torch.log_softmax(clean, dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(used, log_p, 0.0).sum(dim=1)


# %% cold-squeezed-gather wrong="sequence-density"
# squeeze() also drops, for T = 2, the axis of the steps.
import torch


def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    clean = torch.where(used[..., None], logits[:, :-1], 0.0)
    target = torch.where(used, tokens[:, 1:], 0)
    log_p = torch.log_softmax(clean, dim=-1).gather(2, target[..., None]).squeeze()
    return torch.where(used, log_p, 0.0).sum(dim=1)


# %% cold-floor-under-softmax wrong="sequence-density"
# Probabilities are floored at 1e-30: a token with a far lower logit costs 69 nats at most.
import torch


def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    clean = torch.where(used[..., None], logits[:, :-1], 0.0)
    target = torch.where(used, tokens[:, 1:], 0)
    p = torch.softmax(clean, dim=-1).gather(2, target[..., None])[..., 0]
    return torch.where(used, p.clamp(min=1e-30).log(), 0.0).sum(dim=1)
