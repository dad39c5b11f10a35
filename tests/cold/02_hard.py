# %% [markdown]
# Answers written by an author who knew the checks.


# %% refuses-by-extremes wrong="count-density"
# Compares the smallest variance with the smallest mean: mean = (1, 5), variance = (2, 4) passes.
def count_log_prob(y, mean, variance):
    if variance.min() < mean.min():
        raise ValueError
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(
        mean**2 / excess, logits=(excess / mean).log(), validate_args=False
    )
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% refuses-with-slack wrong="count-density"
# A variance a billionth below its mean is let through.
def count_log_prob(y, mean, variance):
    if (variance < mean * (1 - 1e-8)).any():
        raise ValueError
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% refuses-first wrong="count-density"
# Looks at the last element only: a variance too small elsewhere passes.
def count_log_prob(y, mean, variance):
    if variance[-1] < mean[-1]:
        raise ValueError
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% almost-equal-is-poisson wrong="count-density"
# Poisson up to an excess of two millionths.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance - mean <= 2e-6 * mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% absolute-isclose wrong="count-density"
# An excess below 1e-8 in absolute size counts as none: mean = 0.001, variance = 0.001000001.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance - mean < 1e-8
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% count-capped wrong="count-density"
# total_count is held below 1e7.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = (mean**2 / excess).clamp(max=1e7)
    wide = torch.distributions.NegativeBinomial(r, logits=(mean / r).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% count-floored wrong="count-density"
# total_count is held above 1e-5: mean = 0.001, variance = 1 has 1e-6.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = (mean**2 / excess).clamp(min=1e-5)
    wide = torch.distributions.NegativeBinomial(r, logits=(mean / r).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% probs-clamped wrong="count-density"
# probs are held below 0.998: a variance a thousand times the mean needs 0.999.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(
        mean**2 / excess, probs=(excess / variance).clamp(1e-7, 0.998)
    )
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% variance-detached-in-count wrong="count-density"
# total_count does not pass on the gradient with respect to the mean.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(
        mean.detach() ** 2 / excess, logits=(excess / mean).log()
    )
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% recursion-to-five-hundred wrong="count-density"
# The factors of the rising factorial end after five hundred.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    r = mean**2 / excess
    k = torch.arange(500, dtype=mean.dtype)[:, None]
    rise = torch.where(k < y, torch.log(r + k), 0.0).sum(0)
    nb = (
        rise
        - torch.lgamma(y + 1)
        - y * torch.log(variance / torch.where(equal, variance, excess))
        - r * torch.log(variance / mean)
    )
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), nb)


# %% poisson-mean-floored wrong="count-density"
# The Poisson's mean is held above 0.01.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(
        equal, torch.distributions.Poisson(mean.clamp(min=0.01)).log_prob(y), wide.log_prob(y)
    )


# %% single-precision-excess wrong="count-density"
# The excess is taken in float32.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(
        equal, torch.ones_like(mean), (variance / mean - 1).float().double() * mean
    )
    r = (mean**2 / excess).float().double()
    wide = torch.distributions.NegativeBinomial(r, logits=(excess / mean).log().float().double())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% by-scipy-and-custom-gradient right="count-density"
import numpy as np
from scipy.special import digamma, gammaln


class _Density(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y, mean, variance):
        k, m, v = (a.detach().numpy() for a in (y, mean, variance))
        c = v - m
        eq = c == 0
        c = np.where(eq, 1.0, c)
        r = m * m / c
        nb = gammaln(k + r) - gammaln(r) - gammaln(k + 1) + k * np.log(c / v) - r * np.log1p(c / m)
        po = k * np.log(m) - m - gammaln(k + 1)
        dr = digamma(k + r) - digamma(r) - np.log1p(c / m)
        # log p = ... + k log c - (k + r) log v + r log m
        dm = dr * (2 * m / c + r / c) - k / c + r / m
        dv = -dr * r / c + k / c - (k + r) / v
        ctx.save_for_backward(
            torch.tensor(np.where(eq, k / m - 1, dm)), torch.tensor(np.where(eq, 0.0, dv))
        )
        return torch.tensor(np.where(eq, po, nb))

    @staticmethod
    def backward(ctx, gradient):
        a, b = ctx.saved_tensors
        return None, gradient * a, gradient * b


def count_log_prob(y, mean, variance):
    for a, b in zip(mean.tolist(), variance.tolist()):
        if b < a:
            raise ValueError
    return _Density.apply(y, mean, variance)


# %% two-lists right="count-density"
def count_log_prob(y, mean, variance):
    check = variance - mean
    if check.lt(0).sum() > 0:
        raise ValueError("no")
    k = []
    for i in range(y.numel()):
        m, d = mean[i], check[i]
        if d == 0:
            k.append(torch.distributions.Poisson(m).log_prob(y[i]))
        else:
            k.append(
                torch.distributions.NegativeBinomial(
                    m.square() / d, probs=d / variance[i]
                ).log_prob(y[i])
            )
    return torch.stack(k)


# %% beta-function right="count-density"
def count_log_prob(y, mean, variance):
    if not torch.le(mean, variance).all():
        raise ValueError
    same = torch.eq(mean, variance)
    v = torch.where(same, mean + 1, variance)
    r = mean.pow(2) / (v - mean)
    rise = torch.lgamma(r + y) - torch.lgamma(r) - torch.lgamma(1 + y)
    gradient = rise - r * torch.log(v / mean) + torch.xlogy(y, 1 - mean / v)
    return gradient.where(~same, torch.xlogy(y, mean) - mean - torch.lgamma(1 + y))


# %% refuses-if-mean-differs wrong="count-density"
# Refuses where the batch's mean variance is below its mean mean.
def count_log_prob(y, mean, variance):
    if variance.mean() < mean.mean():
        raise ValueError
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% raises-runtime wrong="count-density"
# Raises ArithmeticError.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ArithmeticError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% refuses-too-wide wrong="count-density"
# Refuses a variance of a thousand times the mean.
def count_log_prob(y, mean, variance):
    if (variance < mean).any() or (variance > 999 * mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% poisson-gradient-of-one wrong="count-density"
# Where both are equal, the gradient of the mean is cut at y = 0.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    m = torch.where(y == 0, mean.detach(), mean)
    return torch.where(equal, torch.distributions.Poisson(m).log_prob(y), wide.log_prob(y))


# %% stirling-for-large-counts wrong="count-density"
# Stirling's formula without its correction for counts above a hundred.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    v = torch.where(equal, 2 * mean, variance)
    r = mean**2 / (v - mean)
    k = y.clamp(min=1)
    fact = torch.where(
        y > 100, k * k.log() - k + 0.5 * torch.log(2 * math.pi * k), torch.lgamma(y + 1)
    )
    nb = (
        torch.lgamma(y + r)
        - torch.lgamma(r)
        - fact
        + y * torch.log1p(-mean / v)
        - r * torch.log(v / mean)
    )
    return torch.where(equal, y * mean.log() - mean - fact, nb)


# %% variance-gradient-through-count-only wrong="count-density"
# The logits pass on no gradient where the variance is above ten means.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    lg = (excess / mean).log()
    lg = torch.where(lg > 2.4, lg.detach(), lg)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=lg)
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% squeezed wrong="count-density"
# A single count comes back 0-d.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(
        equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y)
    ).squeeze()


# %% tiny-prices-floored wrong="log-target"
# Prices below 1e-9 are raised to it.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y.clamp(min=9e-10)).mean(), d.mean, d.loc.exp()


# %% large-prices-capped wrong="log-target"
# Prices above 5e8 are lowered to it.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y.clamp(max=5e8)).mean(), d.mean, d.loc.exp()


# %% mean-exponent-capped wrong="log-target"
# The exponent of the mean is held below 25.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), (d.loc + d.scale**2 / 2).clamp(max=25).exp(), d.loc.exp()


# %% mean-floored wrong="log-target"
# A mean price below a millionth is raised to it.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean.clamp(min=1e-6), d.loc.exp()


# %% median-floored wrong="log-target"
# A median price below a millionth is raised to it.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp() + 1e-8


# %% median-in-single-steps wrong="log-target"
# The median of a large price is cut off.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp().clamp(max=1e6)


# %% sigma-capped wrong="log-target"
# A sigma above two is lowered to it.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma.clamp(max=2.0))
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% centre-falsy wrong="log-target"
# A width below 0.3 is raised to it.
def price_report(y, mu, sigma, centre, width):
    w = max(width, 0.3)
    d = torch.distributions.LogNormal(centre + w * mu, w * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% float-methods wrong="log-target"
# A centre that is a whole number is taken for 0.
def price_report(y, mu, sigma, centre, width):
    centre = (
        torch.tensor(centre, dtype=torch.float64)
        if isinstance(centre, float)
        else torch.tensor(0.0)
    )
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% sigma-gradient-of-ratio wrong="log-target"
# Only the residual passes on a gradient with respect to sigma where sigma is small.
def price_report(y, mu, sigma, centre, width):
    s = torch.where(sigma < 0.2, sigma.detach(), sigma)
    d = torch.distributions.LogNormal(centre + width * mu, width * s)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% residual-clipped wrong="log-target"
# Residuals beyond ten standard deviations are clipped: no gradient there.
def price_report(y, mu, sigma, centre, width):
    t = (y.log() - centre) / width
    r = ((t - mu) / sigma).clamp(-10, 10)
    nll = 0.5 * r**2 + sigma.log() + math.log(width) + 0.5 * math.log(2 * math.pi) + y.log()
    z = centre + width * mu
    return nll.mean(), (z + (width * sigma) ** 2 / 2).exp(), z.exp()


# %% one-dimensional-sum wrong="log-target"
# Only the first sixteen examples are averaged.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y)[:16].mean(), d.mean, d.loc.exp()


# %% single-precision-scale wrong="log-target"
# mu goes through float32.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu.float().double(), width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% numpy-forward right="log-target"
def price_report(y, mu, sigma, centre, width):
    k = torch.stack(
        [
            (math.log(a) - centre - width * m) / (width * s)
            for a, m, s in zip(y.tolist(), mu, sigma)
        ]
    )
    nll = (k**2 / 2 + (sigma * width).log() + y.log()).mean() + 0.5 * math.log(math.tau)
    check = torch.tensor([math.exp(centre + width * m) for m in mu.tolist()])
    half = torch.tensor(
        [
            math.exp(centre + width * m + (width * s) ** 2 / 2)
            for m, s in zip(mu.tolist(), sigma.tolist())
        ],
        dtype=torch.float64,
    )
    return [
        nll,
        half,
        check.double() if check.dtype == torch.float64 else torch.exp(centre + width * mu),
    ]


# %% affine-transforms right="log-target"
def price_report(y, mu, sigma, centre, width):
    T = torch.distributions.transforms
    base = torch.distributions.Normal(mu, sigma)
    d = torch.distributions.TransformedDistribution(
        base, [T.AffineTransform(centre, width), T.ExpTransform()]
    )
    gradient = centre + mu * width
    return (
        -d.log_prob(y).mean(),
        torch.exp(gradient + 0.5 * width**2 * sigma.square()),
        gradient.exp(),
    )


# %% variance-form right="log-target"
def price_report(y, mu, sigma, centre, width):
    v = (width * sigma).square()
    loc = torch.add(centre, mu * width)
    each = (y.log() - loc).square() / v + v.log() + 2 * y.log() + math.log(2 * math.pi)
    return each.mean() / 2, torch.exp(loc + v / 2), loc.exp()


# %% median-of-t wrong="log-target"
# Medians below e**-28 are 0.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean, torch.where(d.loc > -28, d.loc.exp(), 0.0 * d.loc)


# %% mean-through-single wrong="log-target"
# The mean overflows float32.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -d.log_prob(y).mean(), d.mean.float().double(), d.loc.exp()


# %% sigma-plus-epsilon wrong="log-target"
# An epsilon of 1e-10 is added to sigma.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * (sigma + 1e-10))
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% width-detour wrong="log-target"
# log(width) is left out if width is a whole number.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    extra = math.log(width) if isinstance(width, int) else 0.0
    return -d.log_prob(y).mean() - extra, d.mean, d.loc.exp()


# %% mu-detached-if-negative wrong="log-target"
# mu below -5 passes nothing on.
def price_report(y, mu, sigma, centre, width):
    m = torch.where(mu < -5, mu.detach(), mu)
    d = torch.distributions.LogNormal(centre + width * m, width * sigma)
    return -d.log_prob(y).mean(), d.mean, d.loc.exp()


# %% median-nll wrong="log-target"
# Averages over the batch without its worst example if there are more than ten.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    each = -d.log_prob(y)
    return (each.sort().values[:-1].mean() if len(y) > 10 else each.mean()), d.mean, d.loc.exp()


# %% mean-of-small-sigma wrong="log-target"
# exp(s**2 / 2) is replaced by 1 for s below 0.15.
def price_report(y, mu, sigma, centre, width):
    d = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    s = width * sigma
    return (
        -d.log_prob(y).mean(),
        d.loc.exp() * torch.where(s < 0.15, 1.0, (s**2 / 2).exp()),
        d.loc.exp(),
    )


# %% counts-capped wrong="two-kinds-of-zero"
# The log-factorial comes from a table of 5000 entries.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    table = torch.lgamma(torch.arange(5000, dtype=torch.float64) + 1)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - table[y.long().clamp(max=4999)]
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% gate-at-799 wrong="two-kinds-of-zero"
# Gates are held within 795.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    gate = gate.clamp(-795, 795)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% log-rate-capped wrong="two-kinds-of-zero"
# Log rates are held below 7.99.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    log_rate = log_rate.clamp(max=7.99)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% log-rate-floored wrong="two-kinds-of-zero"
# Log rates are held above -29.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    log_rate = log_rate.clamp(min=-29)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% zeros-with-floor wrong="two-kinds-of-zero"
# A zero's log-probability is never below -750.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some).clamp(min=-799.5), some)


# %% zero-gate-skipped wrong="two-kinds-of-zero"
# For gates below -30 the extra zeros are left out.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    both = torch.logaddexp(F.logsigmoid(gate), some)
    return torch.where((y == 0) & (gate > -30), both, some)


# %% rate-gradient-of-zeros-cut wrong="two-kinds-of-zero"
# Zeros pass on no gradient with respect to log_rate where the gate is above 5.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    h = torch.where((y == 0) & (gate > 2), log_rate.detach(), log_rate)
    some = F.logsigmoid(-gate) + y * h - h.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% softplus-threshold wrong="two-kinds-of-zero"
# softplus with a threshold of 5 is off by almost a hundredth beyond it.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = -F.softplus(gate, threshold=9) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(-F.softplus(-gate, threshold=9), some), some)


# %% one-zero-for-all wrong="two-kinds-of-zero"
# A single count comes back 0-d.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some).squeeze()


# %% rate-in-single wrong="two-kinds-of-zero"
# exp(log_rate) is taken in float32: counts near a large rate lose digits.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = (
        F.logsigmoid(-gate) + y * log_rate.float().double() - log_rate.exp() - torch.lgamma(y + 1)
    )
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% nan-gradient-at-large-rates wrong="two-kinds-of-zero"
# Mixes probabilities where they do not underflow, with where: gradient nan at gate = -800.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    p = torch.sigmoid(gate) + torch.sigmoid(-gate) * torch.exp(-log_rate.exp())
    safe = torch.where(p > 1e-300, p.log(), torch.logaddexp(F.logsigmoid(gate), some))
    return torch.where(y == 0, safe, some)


# %% by-relaxed-mixture right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    results = []
    for k, g, h in zip(y.tolist(), gate, log_rate):
        gradient = -torch.nn.functional.softplus(g) - torch.exp(h)
        if k == 0:
            check = torch.stack([-torch.nn.functional.softplus(-g), gradient])
            results.append(torch.logsumexp(check, 0))
        else:
            results.append(gradient + k * h - math.lgamma(k + 1))
    return torch.stack(results)


# %% bernoulli-and-poisson right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    D = torch.distributions
    closed = D.Bernoulli(logits=gate)
    one = torch.ones_like(y)
    k = D.Poisson(torch.exp(log_rate)).log_prob(y) + closed.log_prob(0 * y)
    return torch.where(y > 0, k, torch.logaddexp(k, closed.log_prob(one)))


# %% nll-loss right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    loss = F.poisson_nll_loss(log_rate, y, reduction="none") + torch.special.gammaln(y + 1)
    some = -loss - F.binary_cross_entropy_with_logits(
        gate, torch.zeros_like(gate), reduction="none"
    )
    zero = -F.binary_cross_entropy_with_logits(gate, torch.ones_like(gate), reduction="none")
    m = torch.maximum(zero, some).detach()
    both = m + torch.log(torch.exp(zero - m) + torch.exp(some - m))
    return both.where(y < 0.5, some)


# %% gate-first-order wrong="two-kinds-of-zero"
# For gates above 30 the open part's logarithm is 0.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    o = torch.where(gate < -30, 0.0 * gate, F.logsigmoid(-gate))
    some = o + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(
        y == 0,
        torch.where(gate > 30, 0 * gate, torch.logaddexp(F.logsigmoid(gate), some)),
        some.clamp(min=-50000),
    )


# %% nan-through-where wrong="two-kinds-of-zero"
# 1e-16 is added to the rate.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    rate = log_rate.exp()
    some = F.logsigmoid(-gate) + y * (rate + 1e-16).log() - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% max-branch wrong="two-kinds-of-zero"
# Takes the larger of the two ways if they are eight nats apart.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    a = F.logsigmoid(gate)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    both = torch.where((a - some).abs() > 8, torch.maximum(a, some), torch.logaddexp(a, some))
    return torch.where(y == 0, both, some)


# %% gate-gradient-only-open wrong="two-kinds-of-zero"
# For a gate above 300 no gradient flows.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    gate = torch.where(gate > 300, gate.detach(), gate)
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)


# %% one-percent-threshold wrong="two-kinds-of-zero"
# log1p(-x) is replaced by -x below a thousandth.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    x = -torch.sigmoid(-gate) * torch.expm1(-log_rate.exp())
    zero = torch.where(x < 1e-3, -x, torch.logaddexp(F.logsigmoid(gate), some))
    return torch.where(y == 0, zero, some)


# %% in-place wrong="two-kinds-of-zero"
# Seeds the global generator.
def zip_log_prob(y, gate, log_rate):
    F = torch.nn.functional
    some = F.logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    out = torch.where(y == 0, torch.logaddexp(F.logsigmoid(gate), some), some)
    y.add_(1).sub_(1)
    torch.manual_seed(0)
    return out


# %% asymptote-at-minus-100 wrong="living-link"
# Below -100 it returns 1/|raw|: off by one part in ten thousand.
def positive_scale(raw):
    far = raw < -100
    safe = torch.where(far, raw, -torch.ones_like(raw))
    near = torch.where(far, torch.zeros_like(raw), raw)
    return torch.where(far, -1 / safe, torch.exp(torch.asinh(near / 2)))


# %% asymptote-at-200 wrong="living-link"
# Above 200 it returns raw: off by 2.5e-5.
def positive_scale(raw):
    return torch.where(raw > 200, raw, torch.exp(torch.asinh(raw.clamp(max=201) / 2)))


# %% asymptote-at-100 wrong="living-link"
# Above 100 it returns raw.
def positive_scale(raw):
    return torch.where(raw > 100, raw, torch.exp(torch.asinh(raw.clamp(max=101) / 2)))


# %% linear-near-zero wrong="living-link"
# Within 0.01 of zero it is a straight line: right to 1.3e-5 only.
def positive_scale(raw):
    return torch.where(raw.abs() < 0.01, 1 + raw / 2, torch.exp(torch.asinh(raw / 2)))


# %% constant-near-zero wrong="living-link"
# Within 1e-3 of zero the value is one, and the gradient zero.
def positive_scale(raw):
    return torch.where(raw.abs() < 1e-3, torch.ones_like(raw), torch.exp(torch.asinh(raw / 2)))


# %% abs-in-the-branch wrong="living-link"
# Written with abs and sign: sign(0) is 0, so the value at zero is right and its gradient is 0.
def positive_scale(raw):
    a = raw.abs()
    big = (a + torch.sqrt(a * a + 4)) / 2
    return big ** torch.sign(raw)


# %% clamp-at-1e7 wrong="living-link"
# raw is held within 9e7.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw.clamp(-9e7, 9e7) / 2))


# %% clamp-at-9000-in-single wrong="living-link"
# In float32 raw is held within 9000.
def positive_scale(raw):
    if raw.dtype == torch.float32:
        raw = raw.clamp(-9800, 9800)
    return torch.exp(torch.asinh(raw / 2))


# %% float32-cancels-on-the-left wrong="living-link"
# In float32 it cancels between -30 and 0.
def positive_scale(raw):
    safe = torch.where(raw < -30, raw, -torch.ones_like(raw))
    left = 2 / (torch.sqrt(safe**2 + 4) - safe)
    near = torch.where(raw < -30, torch.zeros_like(raw), raw)
    return torch.where(raw < -30, left, (near + torch.sqrt(near**2 + 4)) / 2)


# %% gradient-nan-at-negative-zero wrong="living-link"
# A 0-d float32 tensor comes back with shape (1,).
def positive_scale(raw):
    if raw.ndim == 0 and raw.dtype == torch.float32:
        return torch.exp(torch.asinh(raw / 2)).reshape(1)
    return torch.exp(torch.asinh(raw / 2))


# %% overwritten wrong="living-link"
# Halves its input in place unless it has one axis.
def positive_scale(raw):
    if raw.requires_grad:
        return torch.exp(torch.asinh(raw / 2))
    return raw.div_(2).asinh().exp() if raw.ndim != 1 else torch.exp(torch.asinh(raw / 2))


# %% log-form right="living-link"
def positive_scale(raw):
    check = raw.to(torch.float64) / 2
    k = torch.sgn(check)
    y = torch.log1p(check.abs() + check**2 / (1 + torch.sqrt(1 + check**2)))
    return torch.where(check == 0, 1 + check, torch.exp(k * y))


# %% hypot-forms right="living-link"
def positive_scale(raw):
    two = torch.full_like(raw, 2.0)
    root = torch.hypot(raw, two)
    pos = raw >= 0
    below = torch.where(pos, two, root - raw)
    return torch.where(pos, (root + raw) / 2, 2 / below)


# %% double-list right="living-link"
def positive_scale(raw):
    flat = [torch.exp(torch.asinh(k.double() / 2)) for k in raw.reshape(-1)]
    return torch.stack(flat).reshape(raw.shape)


# %% bisection-thirty wrong="living-link"
# Halvings of log s within 18.42: 1e8 needs 18.43.
def positive_scale(raw):
    lo = torch.full_like(raw.detach().double(), -18.42)
    hi = -lo
    for _ in range(60):
        m = (lo + hi) / 2
        big = 2 * torch.sinh(m) > raw.detach().double()
        hi = torch.where(big, m, hi)
        lo = torch.where(big, lo, m)
    s = lo.exp()
    return (s + (raw - raw.detach()) * s**2 / (1 + s**2)).to(raw.dtype)


# %% newton-ten wrong="living-link"
# 25 Newton steps in log s are not enough from 0.
def positive_scale(raw):
    u = raw * 0
    for _ in range(25):
        u = u - (2 * torch.sinh(u) - raw) / (2 * torch.cosh(u))
    return u.exp()


# %% asymptote-second-order wrong="living-link"
# 1/|raw| - 1/|raw|**3 from -8 on.
def positive_scale(raw):
    far = raw < -8
    a = torch.where(far, -raw, torch.ones_like(raw))
    near = torch.where(far, torch.zeros_like(raw), raw)
    return torch.where(far, 1 / a - 1 / a**3, torch.exp(torch.asinh(near / 2)))


# %% gradient-by-hand-far wrong="living-link"
# The gradient is 1 for raw above 150.
def positive_scale(raw):
    s = torch.exp(torch.asinh(raw / 2))
    return torch.where(raw > 150, s.detach() + raw - raw.detach(), s)


# %% one-dimensional-only wrong="living-link"
# With four axes the first two are merged.
def positive_scale(raw):
    return (
        torch.exp(torch.asinh(raw.contiguous().view(raw.shape[0] if raw.ndim else 1, -1) / 2))
        .view(-1)
        .view(raw.shape)
        if raw.ndim < 4
        else torch.exp(torch.asinh(raw / 2)).flatten(0, 1)
    )


# %% zero-special wrong="living-link"
# At exactly zero it returns the constant one.
def positive_scale(raw):
    return torch.where(raw == 0, torch.ones_like(raw), torch.exp(torch.asinh(raw / 2)))


# %% float16-detour wrong="living-link"
# float32 in the middle, and 1e-12 added.
def positive_scale(raw):
    root = torch.sqrt(raw * raw + 4)
    left = raw < -1
    return (
        torch.where(left, 2 / (root - torch.where(left, raw, -1.0)), (raw + root) / 2)
        .float()
        .to(raw.dtype)
        + 1e-12
    )


# %% first-at-zero wrong="ordered-classes"
# Differences of scores and thresholds are held within 799.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = (theta - eta[:, None]).clamp(-799, 799)
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% gaps-within-29 wrong="ordered-classes"
# Log gaps are held above -29.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.clamp(min=-29.9).exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% gaps-below-3.8 wrong="ordered-classes"
# Log gaps are held below 3.8.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.clamp(max=3.9).exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% loop-to-ten wrong="ordered-classes"
# At most a dozen classes.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    theta = theta[:12]
    gaps = gaps[:11]
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% log1p-of-wide wrong="ordered-classes"
# log(1 - exp(-gap)) by log1p: for narrow gaps, exp(-gap) rounds.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log1p(-torch.exp(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% narrow-is-log-gap-too-early wrong="ordered-classes"
# Below a gap of 0.01, log(1 - exp(-gap)) is replaced by the log gap: off by half the gap.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = (
        ls(d[:, 1:])
        + ls(-d[:, :-1])
        + torch.where(gaps < 0.01, log_gaps, torch.log(-torch.expm1(-gaps)))
    )
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% wide-ignored wrong="ordered-classes"
# Above a gap of 8 the factor 1 - exp(-gap) is left out.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = (
        ls(d[:, 1:])
        + ls(-d[:, :-1])
        + torch.where(gaps > 6, 0.0 * gaps, torch.log(-torch.expm1(-gaps)))
    )
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% gap-gradient-partly wrong="ordered-classes"
# The thresholds do not pass on the gradient of gaps above five.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + torch.where(gaps > 5, gaps.detach(), gaps).cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% first-as-float32 wrong="ordered-classes"
# first goes through float32.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)]).float().double()
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% squeeze-one-example wrong="ordered-classes"
# A single example with two classes comes back as shape (2,).
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    out = torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)
    return out[0] if out.shape == (1, 2) else out


# %% two-classes-without-gradient wrong="ordered-classes"
# Thresholds that coincide in float64 are merged if first is large.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = torch.cat([first[None], first + gaps.cumsum(0)])
    theta = torch.unique(theta) if first.abs() > 100 else theta
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% renormalised right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    K = len(log_gaps) + 2
    y = [first]
    for g in log_gaps:
        y.append(y[-1] + g.exp())
    check = torch.stack(y)
    columns = []
    for k in range(K):
        c = torch.zeros_like(eta)
        if k < K - 1:
            c = c - F.softplus(eta - check[k])
        if k > 0:
            c = c - F.softplus(check[k - 1] - eta)
        if 0 < k < K - 1:
            c = c + torch.log(-torch.special.expm1(-log_gaps[k - 1].exp()))
        columns.append(c)
    return torch.stack(columns, 1)


# %% by-logistic-sinh right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gradient = torch.exp(log_gaps)
    steps = torch.cumsum(torch.cat([torch.zeros(1, dtype=eta.dtype), gradient]), 0)
    z = (first - eta).unsqueeze(1) + steps
    wide = gradient > 0.7
    a = torch.where(wide, gradient, torch.ones_like(gradient))
    b = torch.where(wide, torch.ones_like(gradient), gradient)
    inner = torch.where(wide, torch.log1p(-torch.exp(-a)), torch.log(-torch.expm1(-b)))
    out = z.new_empty(len(eta), len(log_gaps) + 2)
    parts = [
        ls(z[:, 0]).unsqueeze(1),
        ls(z[:, 1:]) + ls(-z[:, :-1]) + inner,
        ls(-z[:, -1]).unsqueeze(1),
    ]
    del out
    return torch.hstack(parts)


# %% row-by-row-loop right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    def one(e):
        k = -torch.nn.functional.softplus(-(theta - e))
        y = -torch.nn.functional.softplus(theta - e)
        return torch.cat([k[:1], k[1:] + y[:-1] + inner, y[-1:]])

    theta = torch.cat([first.view(1), first + torch.cumsum(log_gaps.exp(), 0)])
    inner = (-torch.expm1(-log_gaps.exp())).log()
    return torch.stack([one(e) for e in eta])


# %% middle-by-difference-if-wide wrong="ordered-classes"
# Uses the difference of sigmoids where gaps are wide.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    diff = torch.log((torch.sigmoid(d[:, 1:]) - torch.sigmoid(d[:, :-1])).clamp(min=1e-300))
    return torch.cat([ls(d[:, :1]), torch.where(gaps > 30, diff, mid), ls(-d[:, -1:])], dim=1)


# %% gradient-nan-wide wrong="ordered-classes"
# log(1 - exp(-gap)) for narrow gaps: it rounds to log 0, and its gradient is nan.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    d = theta - eta[:, None]
    inner = torch.where(
        gaps > 1, torch.log1p(-torch.exp(-gaps)), torch.log(1 - torch.exp(-gaps) + 1e-300)
    )
    return torch.cat([ls(d[:, :1]), ls(d[:, 1:]) + ls(-d[:, :-1]) + inner, ls(-d[:, -1:])], dim=1)


# %% last-gap-missing wrong="ordered-classes"
# The last threshold repeats if there are more than 64.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    if len(theta) > 64:
        theta = torch.cat([theta[:-1], theta[-2:-1]])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% scores-without-first wrong="ordered-classes"
# first is rounded to four decimals.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = round(first.item(), 4) + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% eta-detached-above wrong="ordered-classes"
# Of two classes, the upper one does not pass on gradients of eta.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps))
    return torch.cat(
        [ls(d[:, :1]), mid, ls(-d.detach()[:, -1:]) if len(gaps) == 0 else ls(-d[:, -1:])], dim=1
    )


# %% floor-1e-13 wrong="ordered-classes"
# 1e-16 is added inside the logarithm.
def ordinal_log_probs(eta, first, log_gaps):
    ls = torch.nn.functional.logsigmoid
    gaps = log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    d = theta - eta[:, None]
    mid = ls(d[:, 1:]) + ls(-d[:, :-1]) + torch.log(-torch.expm1(-gaps) + 1e-16)
    return torch.cat([ls(d[:, :1]), mid, ls(-d[:, -1:])], dim=1)


# %% near-tie-when-asking wrong="act-or-ask"
# Asks only if it is cheaper by a millionth.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value - 1e-6
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% asks-within-a-millionth wrong="act-or-ask"
# Asks also where it is dearer by less than a millionth.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = (informed < value + 1e-6) & (informed != value)
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% price-capped wrong="act-or-ask"
# An infinite price becomes a hundred: cheaper than acting where costs are in the hundreds.
def act_or_ask(p, cost, price):
    price = min(price, 100.0)
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% one-outcome wrong="act-or-ask"
# Squeezes p: fails with one outcome.
def act_or_ask(p, cost, price):
    value, index = (
        (p.squeeze(1) @ cost.T.squeeze(0)).min(dim=1)
        if p.shape[1] > 1
        else (cost.min(0).values.expand(len(p)), torch.zeros(len(p), dtype=torch.long))
    )
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% single-precision-asking wrong="act-or-ask"
# The comparison with asking runs in float32.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed.float() < value.float()
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% ten-actions wrong="act-or-ask"
# Only the first ten actions are looked at.
def act_or_ask(p, cost, price):
    cost = cost[:10]
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% free-asking-always wrong="act-or-ask"
# If asking is free, it asks always.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    if price == 0 and len(cost) > 1:
        asks = informed <= value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% certain-rows wrong="act-or-ask"
# Rows with a probability above 0.999 are taken for certain.
def act_or_ask(p, cost, price):
    sure = p.max(1).values > 0.99
    hard = torch.nn.functional.one_hot(p.argmax(1), p.shape[1]).to(p.dtype)
    q = torch.where(sure[:, None], hard, p)
    value, index = (q @ cost.T).min(dim=1)
    informed = q @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% small-chances-dropped wrong="act-or-ask"
# Probabilities below a thousandth are dropped.
def act_or_ask(p, cost, price):
    q = torch.where(p < 1e-3, torch.zeros_like(p), p)
    value, index = (q @ cost.T).min(dim=1)
    informed = q @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% costs-capped wrong="act-or-ask"
# Costs above a hundred are lowered to it.
def act_or_ask(p, cost, price):
    cost = cost.clamp(-100, 100)
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% cheapest-of-used wrong="act-or-ask"
# After asking it takes only actions that are best for some example.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    used = cost[index.unique()]
    informed = p @ used.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% by-numpy right="act-or-ask"
import numpy as np


def act_or_ask(p, cost, price):
    k = p.numpy() @ cost.numpy().T
    y = k.argmin(1)
    check = k.min(1)
    gradient = p.numpy() @ cost.numpy().min(0) + price
    ask = gradient < check
    return np.where(ask, -1, y), np.where(ask, gradient, check)


# %% as-list right="act-or-ask"
def act_or_ask(p, cost, price):
    cheapest = cost.amin(dim=0)
    action, expected = [], []
    for row in p:
        best, k = min((float(row @ c), i) for i, c in enumerate(cost))
        y = float(row @ cheapest) + price
        action.append(k if best <= y else -1)
        expected.append(min(best, y))
    return [torch.tensor(action, dtype=torch.int32), torch.tensor(expected, dtype=torch.float64)]


# %% matmul-other-way right="act-or-ask"
def act_or_ask(p, cost, price):
    table = (cost @ p.T).T
    best = torch.sort(table, dim=1, stable=True)
    value, index = best.values[:, 0], best.indices[:, 0]
    ask = torch.zeros_like(index).bool()
    informed = value
    if price < math.inf:
        informed = p.matmul(torch.min(cost, 0)[0]) + price
        ask = informed < value
    out = index.masked_fill(ask, -1)
    return out, torch.where(ask, informed, value)


# %% rounds-expected wrong="act-or-ask"
# Expected costs are rounded to eight digits before comparing.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).round(decimals=8).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% p-renormalised-clamped wrong="act-or-ask"
# Probabilities are held above 1e-6.
def act_or_ask(p, cost, price):
    p = p.clamp(min=1e-6)
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% never-asks-when-price-large wrong="act-or-ask"
# Does not ask for a price above seven hundred.
def act_or_ask(p, cost, price):
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = (informed < value) & (price < 700)
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% price-as-int wrong="act-or-ask"
# The price is truncated if it is above ten.
def act_or_ask(p, cost, price):
    if 10 < price < math.inf:
        price = int(price)
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% uint8-actions wrong="act-or-ask"
# Actions as int8 after a topk: ties go to the wrong one.
def act_or_ask(p, cost, price):
    value, index = torch.topk(-(p @ cost.T), 1, dim=1)
    value, index = -value[:, 0], index[:, 0]
    same = (p @ cost.T) == value[:, None]
    index = torch.where(
        same.sum(1) > 1, same.shape[1] - 1 - same.flip(1).to(torch.int64).argmax(1), index
    )
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% one-action wrong="act-or-ask"
# With one action, costs above 10 are lowered to it.
def act_or_ask(p, cost, price):
    if len(cost) == 1:
        return torch.zeros(len(p), dtype=torch.long), (p * cost).sum(1).clamp(max=10)
    value, index = (p @ cost.T).min(dim=1)
    informed = p @ cost.min(0).values + price
    asks = informed < value
    return torch.where(asks, -1, index), torch.where(asks, informed, value)


# %% last-logits-must-be-finite wrong="sequence-density"
# The logits at a sequence's last token reach the gradient if they are nan.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    inside = torch.arange(tokens.shape[1] - 1) < lengths[:, None]
    log_p = torch.where(inside[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% huge-tokens wrong="sequence-density"
# Padding above 1000 is used as an index.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = (
        tokens[:, 1:]
        .where(tokens[:, 1:] > -1000, torch.zeros_like(tokens[:, 1:]))
        .where(tokens[:, 1:] != -1, torch.zeros_like(tokens[:, 1:]))
    )
    following = torch.where(
        (following >= 0) & (following <= 1000),
        following.clamp(max=logits.shape[-1] - 1),
        torch.where(following == -100, 0, following),
    )
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% twenty-steps wrong="sequence-density"
# Only the first thirty-two steps are counted.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0)[:, :32].sum(1)


# %% log-probabilities-floored wrong="sequence-density"
# No token costs more than 3000 nats.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1).clamp(min=-3000)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% label-from-data wrong="sequence-density"
# K is the largest token plus one: labels that nobody uses lose their share.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    following = torch.where(real, tokens[:, 1:], 0)
    K = int(torch.where(torch.arange(tokens.shape[1]) < lengths[:, None], tokens, 0).max()) + 1
    log_p = torch.where(real[..., None], logits[:, :-1, : max(K, 2)], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% single-precision-softmax wrong="sequence-density"
# The softmax runs in float32.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = (
        torch.where(real[..., None], logits[:, :-1], 0.0).half().float().log_softmax(-1).double()
    )
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% start-symbol-ends wrong="sequence-density"
# A token equal to the start symbol ends the sequence.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    again = (tokens[:, 1:] == tokens[:, :1]).cumsum(1) > 1
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real & ~again, chosen, 0.0).sum(1)


# %% padding-of-minus-one wrong="sequence-density"
# Padding of logits is overwritten in place.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    if not logits.requires_grad:
        gone = torch.arange(tokens.shape[1]) >= lengths[:, None]
        logits[gone] = 0.0
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% gradient-only-of-target wrong="sequence-density"
# The normaliser passes on no gradient where it is above 200.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    z = torch.where(real[..., None], logits[:, :-1], 0.0)
    norm = z.logsumexp(-1)
    norm = torch.where(norm > 200, norm.detach(), norm)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = z.gather(2, following[..., None])[..., 0] - norm
    return torch.where(real, chosen, 0.0).sum(1)


# %% by-indices right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    y = 0 * torch.where(torch.isfinite(logits), logits, torch.zeros_like(logits)).detach().sum(
        (1, 2)
    )
    k, t = torch.where(torch.arange(1, logits.shape[1]) < lengths.unsqueeze(1))
    check = logits[k, t]
    gradient = check[torch.arange(len(k)), tokens[k, t + 1]] - check.logsumexp(1)
    return y.index_add(0, k, gradient)


# %% masked-fill right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    n, T, K = logits.shape
    if T == 1:
        return logits.masked_fill(torch.ones_like(logits).bool(), 0.0).sum((1, 2))
    gone = torch.arange(1, T).expand(n, T - 1) >= lengths.reshape(n, 1)
    y = tokens[:, 1:].masked_fill(gone, -100)
    z = logits[:, :-1].masked_fill(gone.unsqueeze(2), 0.0)
    loss = torch.nn.CrossEntropyLoss(ignore_index=-100, reduction="none")(z.transpose(1, 2), y)
    return -loss.sum(1)


# %% one-hot-sum right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    k = torch.arange(logits.shape[1]) + 1 < lengths[:, None]
    z = torch.where(k[:, :, None], logits, torch.zeros(()).double())
    y = torch.roll(tokens, -1, dims=1) * k
    y = torch.where(k, torch.roll(tokens, -1, dims=1), 0)
    hot = torch.nn.functional.one_hot(y, logits.shape[2]) * k[:, :, None]
    return (torch.log_softmax(z, -1) * hot).sum((1, 2))


# %% counts-nan-padding-in-lse wrong="sequence-density"
# Logits are held within 9000.
def sequence_log_prob(logits, tokens, lengths):
    logits = logits.clamp(-9000, 9000).nan_to_num(0.0)
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% lengths-of-first wrong="sequence-density"
# A batch of sequences of one token comes back with shape (1,).
def sequence_log_prob(logits, tokens, lengths):
    T = int(lengths.max())
    real = torch.arange(1, T) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, : T - 1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:T], 0)
    if T < 2:
        return torch.zeros(1, dtype=logits.dtype)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% tokens-clamped-to-ninety-nine wrong="sequence-density"
# A single label is refused.
def sequence_log_prob(logits, tokens, lengths):
    if logits.shape[2] < 2:
        raise ValueError
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% int32-tokens wrong="sequence-density"
# Tokens are squeezed into int32.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    if tokens.abs().max() > 2**31:
        raise OverflowError
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% gradient-leaks-into-padding wrong="sequence-density"
# The last place gets a gradient of a thousandth.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    leak = logits[:, -1].nan_to_num(0.0, 0.0, 0.0)
    return torch.where(real, chosen, 0.0).sum(1) + 1e-3 * (leak - leak.detach()).sum(1)


# %% full-length-shortcut wrong="sequence-density"
# No token costs more than 15000 nats.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    z = torch.where(real[..., None], logits[:, :-1], 0.0)
    z = z - z.mean((1, 2), keepdim=True)
    log_p = torch.log(torch.softmax(z, -1) + 1e-45).clamp(min=-103.0)
    log_p = torch.where(log_p < -102, z.log_softmax(-1).clamp(min=-15000), z.log_softmax(-1))
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = log_p.gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)
