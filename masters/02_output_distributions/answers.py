# %% [markdown]
# # Answers to assignment 02
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## count-density


# %% by-lgamma right="count-density"
def count_log_prob(y, mean, variance):
    if torch.any(mean > variance):
        raise ValueError(f"variance {variance} below mean {mean}")
    poisson = torch.xlogy(y, mean) - mean - torch.lgamma(y + 1)
    wide = variance > mean
    gap = (variance - mean)[wide]
    m, k = mean[wide], y[wide]
    r = m * m / gap
    log_p = torch.lgamma(k + r) - torch.lgamma(r) - torch.lgamma(k + 1)
    log_p = log_p + k * torch.log(gap / variance[wide]) - r * torch.log(variance[wide] / m)
    return poisson.masked_scatter(wide, log_p)


# %% one-by-one right="count-density"
def count_log_prob(y, mean, variance):
    results = []
    for k, m, v in zip(y, mean, variance, strict=True):
        if v < m:
            raise ValueError("underdispersed")
        if v == m:
            one = torch.distributions.Poisson(m)
        else:
            one = torch.distributions.NegativeBinomial(m**2 / (v - m), probs=1 - m / v)
        results.append(one.log_prob(k))
    return torch.stack(results)


# %% by-recursion right="count-density" oracle=True
def count_log_prob(y, mean, variance):
    # P(0), then the ratio of each probability to the one before: no gamma function; the Poisson
    # is the case of no excess c
    if float((variance - mean).min()) < 0:
        raise ValueError("no distribution has this variance")
    tiny = variance == mean
    c = torch.where(tiny, 0.0, variance / mean - 1)
    shrink = torch.where(tiny, 1.0, torch.log1p(c) / torch.where(tiny, 1.0, c))
    k = torch.arange(int(y.max()), dtype=y.dtype)[:, None]  # (steps, 1)
    ratio = torch.log((mean + k * c) / ((k + 1) * (1 + c)))
    return torch.where(k < y, ratio, 0.0).sum(0) - mean * shrink


# %% solution.detach-input equivalent="count-density"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.

# %% solution.floor equivalent="count-density"
# `... ** 2 / excess, logits=(excess / mean).clip(1e-06).log())`
# The ratio is at least a millionth, as the text says.

# %% solution.drop-statement equivalent="count-density"
# `no if (variance < mean).any():`
# PyTorch refuses a negative total_count itself, and with the same class of error.

# %% by-recursion.change-number equivalent="count-density"
# `shrink = torch.where(tiny, 1.0, torch.log1p(c) / torch.where(tiny, 2.0, c))`
# The number stands where the other branch is taken.


# %% swapped-probs wrong="count-density" fails="value,gradient,Poisson,refusal"
# These probs belong to SciPy's p: in PyTorch probs is the chance that the count goes on.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, probs=mean / (mean + excess))
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% rate-as-count wrong="count-density" fails="value,gradient,Poisson,refusal"
# total_count is no mean: it follows from mean squared over the excess of the variance.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% variance-for-excess wrong="count-density" fails="value,gradient,Poisson,refusal"
# total_count is the mean squared over variance minus mean, not over the variance.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    r = mean**2 / variance
    wide = torch.distributions.NegativeBinomial(r, logits=(mean / r).log())
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, wide.log_prob(y))


# %% deviation-for-variance wrong="count-density" fails="value,gradient,Poisson,refusal"
# This takes the third argument for a standard deviation and squares it: it is the variance.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    excess = variance**2 - mean
    excess = torch.where(excess > 0, excess, torch.ones_like(mean))
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, wide.log_prob(y))


# %% variance-as-alpha wrong="count-density" fails="value,gradient,Poisson,refusal"
# Here the variance becomes mean + variance * mean squared: yours is given, not a dispersion.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    wide = torch.distributions.NegativeBinomial(1 / variance, logits=(mean * variance).log())
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, wide.log_prob(y))


# %% always-poisson wrong="count-density" fails="value,gradient,Poisson,refusal"
# A Poisson ignores the variance that was asked for: it is always equal to the mean.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    return torch.distributions.Poisson(mean).log_prob(y)


# %% normal-with-these-moments wrong="count-density" fails="value,gradient,Poisson,refusal"
# A Normal with this mean and variance is a density over real numbers, not over counts.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    wide = torch.distributions.Normal(mean, variance.sqrt())
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, wide.log_prob(y))


# %% no-limit wrong="count-density" fails="Poisson,gradient,value"
# Where the variance equals the mean, total_count is infinite: that case is a Poisson.
def count_log_prob(y, mean, variance):
    excess = variance - mean
    if (excess < 0).any():
        raise ValueError("variance too small")
    r = mean**2 / excess
    logits = (excess / mean).log()
    log_p = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    F = torch.nn.functional
    return log_p + y * F.logsigmoid(logits) + r * F.logsigmoid(-logits)


# %% poisson-for-all-or-none wrong="count-density" fails="Poisson,gradient"
# Some elements may be Poisson and others not: decide for each element, not for the batch.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    if (variance == mean).any():
        return torch.distributions.Poisson(mean).log_prob(y)
    excess = variance - mean
    dist = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return dist.log_prob(y)


# %% where-lets-nan-through wrong="count-density" fails="gradient"
# torch.where hides the infinite branch, not its gradient: give that branch a harmless input.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    excess = variance - mean
    r = mean**2 / excess
    log_p = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    log_p = log_p + y * torch.log(excess / variance) - r * torch.log(variance / mean)
    poisson = torch.distributions.Poisson(mean).log_prob(y)
    return torch.where(variance == mean, poisson, log_p)


# %% nearly-equal-is-poisson wrong="count-density" fails="value,gradient,Poisson,refusal"
# Only an equal variance is a Poisson's: a threshold changes the distributions near it.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    equal = variance < 1.5 * mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% isclose wrong="count-density" fails="value"
# Nearly equal is not equal: a variance a little larger than its mean is no Poisson's.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    close = torch.isclose(variance, mean, rtol=1e-3)
    excess = torch.where(close, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(close, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% excess-floored wrong="count-density" fails="Poisson,gradient,value"
# A floor under the excess turns the Poisson into something wider: treat that case by itself.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    excess = torch.where(variance - mean > 0, variance - mean, 0.05 * mean.detach())
    dist = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return dist.log_prob(y)


# %% stirling wrong="count-density" fails="value,Poisson,refusal"
# Stirling's approximation of log y! is off by .02 and more for small counts: use lgamma.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")

    def log_factorial(k):
        stirling = k * k.clamp(min=1).log() - k + 0.5 * torch.log(2 * math.pi * k.clamp(min=1))
        return torch.where(k > 1, stirling, 0.0)

    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    log_p = torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))
    return log_p + torch.lgamma(y + 1) - log_factorial(y)


# %% clamped-instead-of-refused wrong="count-density" fails="refusal"
# A variance below the mean is the caller's bug: raise ValueError, do not repair it silently.
def count_log_prob(y, mean, variance):
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% refused-only-if-all wrong="count-density" fails="refusal"
# One variance below its mean is enough to refuse: ask any, not all.
def count_log_prob(y, mean, variance):
    if (variance < mean).all():
        raise ValueError("variance too small")
    equal = variance <= mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    return torch.where(equal, torch.distributions.Poisson(mean).log_prob(y), wide.log_prob(y))


# %% summed wrong="count-density" fails="value,Poisson,refusal"
# One log-probability for each count is asked for: do not sum over the batch.
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError("variance too small")
    equal = variance == mean
    excess = torch.where(equal, torch.ones_like(mean), variance - mean)
    wide = torch.distributions.NegativeBinomial(mean**2 / excess, logits=(excess / mean).log())
    poisson = torch.distributions.Poisson(mean)
    return torch.where(equal, poisson.log_prob(y), wide.log_prob(y)).sum()


# %% [markdown]
# ## log-target


# %% by-lognormal right="log-target"
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -prediction.log_prob(y).mean(), prediction.mean, prediction.loc.exp()


# %% by-transform right="log-target"
def price_report(y, mu, sigma, centre, width):
    D = torch.distributions
    there = [D.AffineTransform(centre, width), D.ExpTransform()]
    prediction = D.TransformedDistribution(D.Normal(mu, sigma), there)
    median = prediction.icdf(torch.tensor(0.5, dtype=y.dtype))
    mean = median * torch.exp(width**2 * sigma**2 / 2)
    return -prediction.log_prob(y).mean(), mean, median


# %% standard-normal-first right="log-target"
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    on_t = -torch.distributions.Normal(mu, sigma).log_prob(t)
    jacobian = torch.log(width * y)  # dt/dy is one over this
    middle = math.exp(centre) * torch.exp(width * mu)
    return (on_t + jacobian).mean(), middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% by-derivative-of-the-cdf right="log-target" oracle=True
from scipy import stats


def price_report(y, mu, sigma, centre, width):
    # the density is the derivative of P(Y <= y), by autograd, or of -P(Y > y): whichever is
    # smaller, in logarithms; SciPy knows mean and median
    v = y.detach().clone().requires_grad_()
    tail = torch.special.log_ndtr(-(((v.log() - centre) / width - mu) / sigma).abs())
    (slope,) = torch.autograd.grad(tail.sum(), v, create_graph=True)
    with torch.no_grad():
        scale = torch.exp(centre + width * mu).numpy()
        law = stats.lognorm((width * sigma).numpy(), scale=scale)
    nll = -(tail + slope.abs().log()).mean()
    return nll, torch.from_numpy(law.mean()), torch.from_numpy(law.median())


# %% solution.detach-input equivalent="log-target"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% jacobian-forgotten wrong="log-target" fails="nll"
# This is the NLL of t, not of y: the density of y also has the slope of t, 1 / (width y).
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    middle = torch.exp(centre + width * mu)
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t).mean()
    return nll, middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% width-forgotten-in-jacobian wrong="log-target" fails="nll"
# The slope of t has two factors, 1/y from the logarithm and 1/width from the division.
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    middle = torch.exp(centre + width * mu)
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t) + torch.log(y)
    return nll.mean(), middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% log-forgotten-in-jacobian wrong="log-target" fails="nll"
# The logarithm has a slope too: 1/y. Only the division by width is accounted for here.
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    middle = torch.exp(centre + width * mu)
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t) + math.log(width)
    return nll.mean(), middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% jacobian-sign wrong="log-target" fails="nll"
# The slope of t multiplies the density: its logarithm is subtracted from the NLL, not added.
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    middle = torch.exp(centre + width * mu)
    nll = -torch.distributions.Normal(mu, sigma).log_prob(t) - torch.log(width * y)
    return nll.mean(), middle * torch.exp((width * sigma) ** 2 / 2), middle


# %% median-for-mean wrong="log-target" fails="mean"
# exp of the mean of log y is the median of y: the mean is larger, by exp of half the variance.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean(), middle, middle


# %% width-not-squared wrong="log-target" fails="mean"
# The standard deviation of log y is width times sigma, and all of it is squared.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean(), middle * torch.exp(width * sigma**2 / 2), middle


# %% sigma-of-t wrong="log-target" fails="mean"
# sigma belongs to t: log y has the standard deviation width times sigma.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean(), middle * torch.exp(sigma**2 / 2), middle


# %% half-forgotten wrong="log-target" fails="mean"
# The mean of a log-normal has half the variance in the exponent.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean(), middle * torch.exp((width * sigma) ** 2), middle


# %% mean-for-median wrong="log-target" fails="median"
# The median goes through the exponential unchanged: exp of the median of log y.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -prediction.log_prob(y).mean(), prediction.mean, prediction.mean


# %% mode-for-median wrong="log-target" fails="median"
# This is the mode, the highest point of the density; the median is exp of the mean of log y.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -prediction.log_prob(y).mean(), prediction.mean, prediction.mode


# %% not-undone wrong="log-target" fails="mean,median"
# Undo all steps: multiply by width and add centre before you take the exponential.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    return -prediction.log_prob(y).mean(), torch.exp(mu + sigma**2 / 2), torch.exp(mu)


# %% variance-as-scale wrong="log-target" fails="nll,gradient"
# Normal and LogNormal take a standard deviation: do not square sigma.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, (width * sigma) ** 2)
    middle = torch.exp(centre + width * mu)
    mean = middle * torch.exp((width * sigma) ** 2 / 2)
    return -prediction.log_prob(y).mean(), mean, middle


# %% sum-over-batch wrong="log-target" fails="nll,gradient"
# This is the sum over the batch; the text asks for the mean.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).sum(), prediction.mean, middle


# %% epsilon-in-the-log wrong="log-target" fails="nll,gradient"
# Adding an epsilon before the logarithm changes small prices: y is positive, so nothing is needed.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y + 1e-8).mean(), prediction.mean, middle


# %% sigma-floored wrong="log-target" fails="gradient,nll"
# A floor under sigma changes sharp predictions: a small sigma is legal here.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma.clamp(min=1e-4))
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean(), prediction.mean, middle


# %% builtin-floor wrong="log-target" fails="gradient,nll"
# gaussian_nll_loss raises variances below eps, 1e-6: pass eps=0, or do without it.
def price_report(y, mu, sigma, centre, width):
    t = (torch.log(y) - centre) / width
    nll = torch.nn.functional.gaussian_nll_loss(mu, t, sigma**2, full=True, reduction="none")
    middle = torch.exp(centre + width * mu)
    mean = middle * torch.exp((width * sigma) ** 2 / 2)
    return (nll + torch.log(width * y)).mean(), mean, middle


# %% detached wrong="log-target" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def price_report(y, mu, sigma, centre, width):
    prediction = torch.distributions.LogNormal(centre + width * mu, width * sigma)
    middle = torch.exp(centre + width * mu)
    return -prediction.log_prob(y).mean().item(), prediction.mean, middle


# %% solution.squeeze equivalent="log-target"
# `return (nll.mean().squeeze(), torch.exp(location + 0.5 * scale ** 2), ...`
# A mean has no axis to lose.


# %% solution.detach-one equivalent="log-target"
# `... torch.exp(location + 0.5 * scale ** 2).detach(), torch.exp(location))`
# Only the gradient of the NLL is asked for.


# %% solution.detach-one equivalent="log-target"
# `... torch.exp(location + 0.5 * scale ** 2), torch.exp(location).detach())`
# Only the gradient of the NLL is asked for.


# %% [markdown]
# ## two-kinds-of-zero


# %% by-mixture right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    D = torch.distributions
    logits = torch.stack([gate, torch.zeros_like(gate)], dim=1)
    rates = torch.stack([torch.zeros_like(gate), log_rate.exp()], dim=1)
    kinds = D.Poisson(rates).log_prob(y[:, None])
    return torch.logsumexp(logits.log_softmax(1) + kinds, dim=1)


# %% one-formula-each right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    softplus = torch.nn.functional.softplus
    rate = torch.exp(log_rate)
    # log(pi + (1 - pi) e^-rate) = log(e^g + e^-rate) - log(e^g + 1)
    none = torch.logaddexp(gate, -rate) - softplus(gate)
    some = torch.xlogy(y, rate) - rate - torch.lgamma(y + 1) - softplus(gate)
    is_none = y < 0.5
    return is_none * none + ~is_none * some


# %% by-loop right="two-kinds-of-zero"
def zip_log_prob(y, gate, log_rate):
    out = []
    for k, g, h in zip(y, gate, log_rate):
        log_p = -torch.nn.functional.softplus(g) - h.exp()
        if k == 0:
            shift = g + h.exp()  # log P(0) = log_p + log(1 + e^shift)
            log_p = log_p + torch.logaddexp(shift, 0 * shift)
        else:
            log_p = log_p + k * h - sum(math.log(j) for j in range(2, int(k) + 1))
        out.append(log_p)
    return torch.stack(out)


# %% by-adding-both-ways right="two-kinds-of-zero" oracle=True
class ZeroInflated(torch.autograd.Function):
    # decimal arithmetic of 60 digits; derivatives by hand, from the share of closed days
    @staticmethod
    def forward(ctx, y, gate, log_rate):
        from decimal import Decimal, getcontext

        getcontext().prec = 60
        values, by_gate, by_rate = [], [], []
        for k, g, h in zip(y.tolist(), gate.tolist(), log_rate.tolist(), strict=True):
            odds, rate = Decimal(g).exp(), Decimal(h).exp()
            closed, open_ = odds / (1 + odds), 1 / (1 + odds)
            factor = Decimal(1)
            for j in range(1, int(k) + 1):
                factor = factor * rate / j
            counted = open_ * (-rate).exp() * factor
            total = counted + (closed if k == 0 else 0)
            share = counted / total
            values.append(float(total.ln()))
            by_gate.append(float(open_ - share))
            by_rate.append(float(share * (Decimal(k) - rate)))
        ctx.save_for_backward(torch.tensor(by_gate).to(gate), torch.tensor(by_rate).to(gate))
        return torch.tensor(values, dtype=gate.dtype)

    @staticmethod
    def backward(ctx, grad):
        return None, *(grad * slope for slope in ctx.saved_tensors)


def zip_log_prob(y, gate, log_rate):
    return ZeroInflated.apply(y, gate, log_rate)


# %% solution.detach-input equivalent="two-kinds-of-zero"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.

# %% by-adding-both-ways.end-loop-early equivalent="two-kinds-of-zero"
# `return (None, *(grad * slope for slope in list(ctx.saved_tensors)[:5]))`
# There are two saved tensors.

# %% by-adding-both-ways.change-number equivalent="two-kinds-of-zero"
# `getcontext().prec = 61`
# More digits than are needed, or one more.

# %% by-adding-both-ways.drop-statement equivalent="two-kinds-of-zero"
# `no getcontext().prec = 60`
# 28 digits, the default, suffice for what is compared.

# %% by-adding-both-ways.detach-result equivalent="two-kinds-of-zero"
# `return torch.tensor(values, dtype=gate.dtype).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.


# %% gate-alone wrong="two-kinds-of-zero" fails="zeros,extremes,gradient,others"
# A zero may come from the Poisson too: P(0) is larger than pi.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    some = logsigmoid(-gate) + y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    return torch.where(y == 0, logsigmoid(gate), some)


# %% gate-and-poisson-zero wrong="two-kinds-of-zero" fails="zeros,extremes,gradient,others"
# The two kinds of zero exclude each other: the Poisson's counts only on open days, 1 - pi.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% open-forgotten wrong="two-kinds-of-zero" fails="others,extremes,gradient"
# A positive count needs an open day: its probability has the factor 1 - pi.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, poisson)


# %% gate-turned-round wrong="two-kinds-of-zero" fails="zeros,others,extremes,gradient"
# sigmoid(gate) is the probability of the sure zero, not that of an open day.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(-gate), logsigmoid(gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(gate) + poisson)


# %% truncated wrong="two-kinds-of-zero" fails="zeros,others,extremes,gradient"
# This is a hurdle model, whose counts are never 0 on open days; here the Poisson may give 0.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp()
    some = y * log_rate - rate - torch.lgamma(y + 1) - torch.log(-torch.expm1(-rate))
    return torch.where(y == 0, logsigmoid(gate), logsigmoid(-gate) + some)


# %% rate-for-log-rate wrong="two-kinds-of-zero" fails="zeros,others,extremes,gradient"
# The third argument is the logarithm of the rate: take its exponential first.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    poisson = torch.xlogy(y, log_rate.abs()) - log_rate.abs() - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% gate-as-probability wrong="two-kinds-of-zero" fails="zeros,others,extremes,gradient"
# The gate is a logit: apply the sigmoid before you use it as a probability.
def zip_log_prob(y, gate, log_rate):
    pi = gate.clamp(0.0, 1.0)
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    none = torch.log(pi + (1 - pi) * torch.exp(poisson))
    return torch.where(y == 0, none, torch.log(1 - pi) + poisson)


# %% factorial-forgotten wrong="two-kinds-of-zero" fails="others,extremes"
# log y! is missing: a constant for training, but this is to be a probability.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    poisson = y * log_rate - log_rate.exp()
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% stirling wrong="two-kinds-of-zero" fails="others,extremes"
# poisson_nll_loss(full=True) approximates log y! after Stirling: use torch.lgamma(y + 1).
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    loss = torch.nn.functional.poisson_nll_loss
    poisson = -loss(log_rate, y, log_input=True, full=True, reduction="none")
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% rate-with-log-input wrong="two-kinds-of-zero" fails="zeros,others,extremes,gradient"
# poisson_nll_loss takes the log rate by default: with a rate, say log_input=False.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    loss = torch.nn.functional.poisson_nll_loss
    poisson = -loss(log_rate.exp(), y, reduction="none") - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% probabilities-first wrong="two-kinds-of-zero" fails="extremes,gradient"
# For extreme gates and rates probabilities underflow or become 1: stay in logarithms.
def zip_log_prob(y, gate, log_rate):
    pi, rate = torch.sigmoid(gate), torch.exp(log_rate)
    none = torch.log(pi + (1 - pi) * torch.exp(-rate))
    some = torch.log(1 - pi) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, none, some)


# %% epsilon-in-the-log wrong="two-kinds-of-zero" fails="extremes,gradient,others"
# An epsilon inside the logarithm stops it at log epsilon: the true value may be far lower.
def zip_log_prob(y, gate, log_rate):
    pi, rate = torch.sigmoid(gate), torch.exp(log_rate)
    none = torch.log(pi + (1 - pi) * torch.exp(-rate) + 1e-12)
    some = torch.log(1 - pi + 1e-12) + y * log_rate - rate - torch.lgamma(y + 1)
    return torch.where(y == 0, none, some)


# %% gate-clamped wrong="two-kinds-of-zero" fails="extremes,gradient"
# A clamp on the gate changes values beyond it and cuts their gradient: no clamp is needed.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    gate = gate.clamp(-30, 30)
    poisson = y * log_rate - log_rate.exp() - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% rate-floored wrong="two-kinds-of-zero" fails="extremes,gradient"
# A floor under the rate changes the likelihood of small rates: log rates go down to -30.
def zip_log_prob(y, gate, log_rate):
    logsigmoid = torch.nn.functional.logsigmoid
    rate = log_rate.exp().clamp(min=1e-6)
    poisson = torch.xlogy(y, rate) - rate - torch.lgamma(y + 1)
    none = torch.logaddexp(logsigmoid(gate), logsigmoid(-gate) + poisson)
    return torch.where(y == 0, none, logsigmoid(-gate) + poisson)


# %% [markdown]
# ## living-link


# %% two-safe-branches right="living-link"
def positive_scale(raw):
    left = torch.where(raw < 0, raw, torch.zeros_like(raw))
    right = torch.where(raw < 0, torch.zeros_like(raw), raw)
    small = 2 / (torch.sqrt(left**2 + 4) - left)
    large = (torch.sqrt(right**2 + 4) + right) / 2
    return torch.where(raw < 0, small, large)


# %% by-hand-derivative right="living-link"
class Link(torch.autograd.Function):
    @staticmethod
    def forward(ctx, raw):
        big = (raw.abs() + torch.sqrt(raw**2 + 4)) / 2
        s = torch.where(raw < 0, 1 / big, big)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx, grad):
        (s,) = ctx.saved_tensors
        return grad / (1 + 1 / s**2)


def positive_scale(raw):
    return Link.apply(raw)


# %% by-sign right="living-link"
def positive_scale(raw):
    half = torch.where(raw < 0, -raw, raw) / 2
    log_s = torch.log1p(half + half**2 / (1 + torch.sqrt(1 + half**2)))
    return torch.exp(torch.where(raw < 0, -log_s, log_s))


# %% by-newton right="living-link" oracle=True
class Solved(torch.autograd.Function):
    # Newton's method for u = log s in 2 sinh(u) = raw, in numpy; the derivative of the inverse
    @staticmethod
    def forward(ctx, raw):
        import numpy as np

        wanted = raw.double().numpy()
        u = np.sign(wanted) * np.log(np.abs(wanted) + 1.5)
        for _ in range(60):
            u = u - (2 * np.sinh(u) - wanted) / (2 * np.cosh(u))
        ctx.u = torch.as_tensor(u)
        return ctx.u.exp().to(raw.dtype)

    @staticmethod
    def backward(ctx, grad):
        return (grad * ctx.u.exp() / (2 * torch.cosh(ctx.u))).to(grad.dtype)


def positive_scale(raw):
    return Solved.apply(raw)


# %% two-safe-branches.change-number equivalent="living-link"
# `left = torch.where(raw < 1, raw, torch.zeros_like(raw))`
# Numbers from 0 to 1 pass through either branch unharmed: only one of the two is used.

# %% by-hand-derivative.detach-result equivalent="living-link"
# `return s.detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.

# %% by-hand-derivative.detach-result equivalent="living-link"
# `return (grad / (1 + 1 / s ** 2)).detach()`
# A gradient that is not differentiated again may be detached.

# %% by-newton.swap-function equivalent="living-link"
# `u = np.sign(wanted) * np.log2(np.abs(wanted) + 1.5)`
# Another start of Newton's method ends in the same root.

# %% by-newton.end-loop-early equivalent="living-link"
# `for _ in list(range(60))[:-1]:`
# One step fewer of Newton's method ends in the same root.

# %% by-newton.end-loop-early equivalent="living-link"
# `for _ in list(range(60))[:5]:`
# From this start five steps of Newton's method reach the root.

# %% by-newton.change-number equivalent="living-link"
# `for _ in range(61):`
# One more step of Newton's method ends in the same root.

# %% by-newton.change-number equivalent="living-link"
# `u = np.sign(wanted) * np.log(np.abs(wanted) + 2.5)`
# Another start of Newton's method ends in the same root.

# %% by-newton.change-number equivalent="living-link"
# `u = u - (2 * np.sinh(u) - wanted) / (3 * np.cosh(u))`
# Shorter steps end in the same root: there are enough of them.

# %% by-newton.detach-result equivalent="living-link"
# `return ctx.u.exp().to(raw.dtype).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.

# %% by-newton.detach-result equivalent="living-link"
# `... (grad * ctx.u.exp() / (2 * torch.cosh(ctx.u))).to(grad.dtype).detach()`
# A gradient that is not differentiated again may be detached.


# %% quadratic-formula wrong="living-link" fails="left,gradient"
# On the left this subtracts two nearly equal numbers: write it so that nothing cancels.
def positive_scale(raw):
    return (raw + torch.sqrt(raw**2 + 4)) / 2


# %% reciprocal-form-only wrong="living-link" fails="value,gradient"
# Now the cancellation is on the right: this form is good for negative raw only.
def positive_scale(raw):
    return 2 / (torch.sqrt(raw**2 + 4) - raw)


# %% softplus wrong="living-link" fails="value,left,gradient"
# softplus is another link: far to the left its value and gradient are 0.
def positive_scale(raw):
    return torch.nn.functional.softplus(raw)


# %% exponential wrong="living-link" fails="value,left,gradient"
# exp is another link: it overflows on the right and dies on the left.
def positive_scale(raw):
    return torch.exp(raw)


# %% elu-plus-one wrong="living-link" fails="value,left,gradient"
# ELU + 1 is an exponential on the left: beyond -750 its value and gradient are 0.
def positive_scale(raw):
    return torch.nn.functional.elu(raw) + 1


# %% relu-with-floor wrong="living-link" fails="value,left,gradient"
# A ReLU is flat on the left: a scale that starts there never moves.
def positive_scale(raw):
    return torch.relu(raw) + 1e-3


# %% negative-root wrong="living-link" fails="value,left,gradient"
# This is the other solution of s - 1/s = raw, the negative one.
def positive_scale(raw):
    return (raw - torch.sqrt(raw**2 + 4)) / 2


# %% half-missing wrong="living-link" fails="value,left,gradient"
# With log s = u the equation reads 2 sinh(u) = raw: raw is halved before asinh.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw))


# %% one-under-the-root wrong="living-link" fails="value,left,gradient"
# The discriminant of s squared - raw s - 1 = 0 is raw squared + 4.
def positive_scale(raw):
    big = (raw.abs() + torch.sqrt(raw**2 + 1)) / 2
    return torch.where(raw < 0, 1 / big, big)


# %% nan-behind-where wrong="living-link" fails="gradient"
# torch.where hides the infinite branch, not its gradient: give that branch a harmless input.
def positive_scale(raw):
    root = torch.sqrt(raw**2 + 4)
    return torch.where(raw < 0, 2 / (root - raw), (raw + root) / 2)


# %% flat-at-zero wrong="living-link" fails="gradient"
# abs has no slope at 0 in PyTorch: there the gradient of s is one half.
def positive_scale(raw):
    big = (raw.abs() + torch.sqrt(raw**2 + 4)) / 2
    return torch.where(raw < 0, 1 / big, big)


# %% asymptote-too-early wrong="living-link" fails="gradient,left"
# -1/raw is right only far out: at -40 it is off by 6 parts in 10 000.
def positive_scale(raw):
    near = raw.clamp(min=-30)
    s = (near + torch.sqrt(near**2 + 4)) / 2
    return torch.where(raw < -30, -1 / raw.clamp(max=-30), s)


# %% floored wrong="living-link" fails="left,gradient"
# A floor makes the link flat on the left, and s there has a relative error.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw / 2)).clamp(min=1e-6)


# %% in-float64 wrong="living-link" fails="left,gradient"
# In float32 this returns numbers of lower quality: the formula cancels at -1000 already.
def positive_scale(raw):
    if raw.dtype == torch.float64:
        return torch.exp(torch.asinh(raw / 2))
    return (raw + torch.sqrt(raw**2 + 4)) / 2


# %% detached wrong="living-link" fails="gradient"
# .item(), numpy and .detach() cut the gradient: stay with operations of PyTorch.
def positive_scale(raw):
    return torch.exp(torch.asinh(raw.detach() / 2))


# %% [markdown]
# ## ordered-classes


# %% by-log-differences right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    gaps = torch.exp(log_gaps)
    theta = torch.cat([first.reshape(1), first + torch.cumsum(gaps, 0)])
    a = theta[None, :] - eta[:, None]
    softplus = torch.nn.functional.softplus
    columns = [-softplus(-a[:, 0])]
    for k in range(len(log_gaps)):
        gap = torch.log(-torch.expm1(-gaps[k]))
        columns.append(gap - softplus(-a[:, k + 1]) - softplus(a[:, k]))
    columns.append(-softplus(a[:, -1]))
    return torch.stack(columns, dim=1)


# %% by-padding right="ordered-classes"
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    gaps = log_gaps.exp()
    theta = first + F.pad(gaps, (1, 0)).cumsum(0)
    up = F.pad(F.logsigmoid(theta - eta[:, None]), (0, 1))  # log P(y <= k), 0 for the last
    down = F.pad(F.logsigmoid(eta[:, None] - theta), (1, 0))  # log P(y > k - 1), 0 for the first
    return up + down + F.pad((-(-gaps).expm1()).log(), (1, 1))


# %% by-quadrature right="ordered-classes" oracle=True
import numpy as np


def ordinal_log_probs(eta, first, log_gaps):
    # integrates the logistic density between two thresholds; the two ends are its tails
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(20))
    pieces = torch.arange(9, dtype=eta.dtype)[:, None]
    place = ((pieces + (nodes + 1) / 2) / 9).reshape(-1)  # in (0, 1)
    share = (weights / 18).repeat(9)

    def tail(a):  # log of the integral from -infinity to a
        more = torch.log1p(torch.exp(-a.abs()))
        return torch.where(a < 0, a - more, -more)

    columns, low = [tail(first - eta)], first
    for step in log_gaps:
        t = (low - eta[:, None] + torch.exp(step) * place).abs()
        log_density = -t - 2 * torch.log1p(torch.exp(-t))
        columns.append(torch.logsumexp(log_density + torch.log(share), 1) + step)
        low = low + torch.exp(step)
    return torch.stack([*columns, tail(eta - low)], dim=1)


# %% solution.detach-input equivalent="ordered-classes"
# `first = first.detach()`
# Gradients with respect to eta and log_gaps are asked for, not to first.

# %% by-quadrature.end-loop-early equivalent="ordered-classes"
# `... for v in list(np.polynomial.legendre.leggauss(20))[:5])`
# Nodes and weights are two arrays.

# %% by-quadrature.change-number equivalent="ordered-classes"
# `... = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(21))`
# One node more changes the integral in its last digits only.


# %% difference-of-sigmoids wrong="ordered-classes" fails="extremes,gradient"
# The difference of two sigmoids cancels or underflows: use the product form, in logarithms.
def ordinal_log_probs(eta, first, log_gaps):
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    up_to = torch.sigmoid(theta - eta[:, None])
    edge = torch.zeros_like(eta)[:, None]
    return torch.diff(torch.cat([edge, up_to, edge + 1], dim=1), dim=1).log()


# %% difference-clamped wrong="ordered-classes" fails="extremes,gradient"
# A floor under the probabilities stops the logarithm and cuts its gradient: stay in logarithms.
def ordinal_log_probs(eta, first, log_gaps):
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    up_to = torch.sigmoid(theta - eta[:, None])
    edge = torch.zeros_like(eta)[:, None]
    p = torch.diff(torch.cat([edge, up_to, edge + 1], dim=1), dim=1)
    return p.clamp(min=1e-12).log()


# %% free-thresholds wrong="ordered-classes" fails="value,extremes,gradient"
# The log gaps are no thresholds: exponentiate and add them up, or thresholds may cross.
def ordinal_log_probs(eta, first, log_gaps):
    theta = torch.cat([first.reshape(1), log_gaps])
    up_to = torch.sigmoid(theta - eta[:, None])
    edge = torch.zeros_like(eta)[:, None]
    return torch.diff(torch.cat([edge, up_to, edge + 1], dim=1), dim=1).log()


# %% gaps-not-summed wrong="ordered-classes" fails="value,extremes,gradient"
# Each threshold lies one gap above the one before: cumulate the gaps.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% gaps-not-exponentiated wrong="ordered-classes" fails="value,extremes,gradient"
# The gaps come as logarithms: take their exponential, so that they are positive.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.abs()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% sign-of-the-score wrong="ordered-classes" fails="value,extremes,gradient"
# A larger score means a higher class: P(y <= k) is the sigmoid of theta minus eta.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps, eta = torch.nn.functional, log_gaps.exp(), -eta
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% cumulative-returned wrong="ordered-classes" fails="value,extremes,gradient"
# These are the cumulative P(y <= k): the probability of a class is the difference of two.
def ordinal_log_probs(eta, first, log_gaps):
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    below = torch.nn.functional.logsigmoid(theta - eta[:, None])
    return torch.cat([below, torch.zeros_like(eta)[:, None]], dim=1)


# %% last-class-forgotten wrong="ordered-classes" fails="value,extremes,gradient"
# K - 1 thresholds cut the line into K classes: the one above the last threshold is missing.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle], dim=1)


# %% classes-reversed wrong="ordered-classes" fails="value,extremes,gradient"
# The classes are in reverse: column 0 is the one below the first threshold.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1).flip(1)


# %% softmax-of-thresholds wrong="ordered-classes" fails="value,extremes,gradient"
# A softmax over theta minus eta knows no order: take differences of the cumulative sigmoids.
def ordinal_log_probs(eta, first, log_gaps):
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    scores = torch.cat([theta - eta[:, None], torch.zeros_like(eta)[:, None]], dim=1)
    return scores.log_softmax(1)


# %% sequential wrong="ordered-classes" fails="value,extremes,gradient"
# This multiplies the chances to pass each threshold: that is another (sequential) ordinal model.
def ordinal_log_probs(eta, first, log_gaps):
    F = torch.nn.functional
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    stop, go = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    passed = F.pad(go.cumsum(1), (1, 0))
    return passed + F.pad(stop, (0, 1))


# %% expm1-missing wrong="ordered-classes" fails="extremes,gradient"
# For tiny gaps 1 - exp(-gap) rounds to 0: use expm1.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.exp()
    theta = first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = below[:, 1:] + above[:, :-1] + torch.log(1 - torch.exp(-gaps))
    return torch.cat([below[:, :1], middle, above[:, -1:]], dim=1)


# %% two-classes-forgotten wrong="ordered-classes" fails="value,extremes,gradient"
# With two classes log_gaps is empty, and there is one threshold: that case is legal.
def ordinal_log_probs(eta, first, log_gaps):
    F, gaps = torch.nn.functional, log_gaps.exp()
    theta = [first]
    for step in gaps:
        theta.append(theta[-1] + step)
    theta = torch.stack(theta[: len(gaps) + 1])
    below, above = F.logsigmoid(theta - eta[:, None]), F.logsigmoid(eta[:, None] - theta)
    middle = [
        below[:, k + 1] + above[:, k] + torch.log(-torch.expm1(-gaps[k])) for k in range(len(gaps))
    ]
    return torch.cat([below[:, :1], torch.stack(middle, 1), above[:, -1:]], dim=1)


# %% probabilities-returned wrong="ordered-classes" fails="value,extremes,gradient"
# These are probabilities: return their logarithms.
def ordinal_log_probs(eta, first, log_gaps):
    theta = first + torch.cat([log_gaps.new_zeros(1), log_gaps.exp().cumsum(0)])
    up_to = torch.sigmoid(theta - eta[:, None])
    edge = torch.zeros_like(eta)[:, None]
    return torch.diff(torch.cat([edge, up_to, edge + 1], dim=1), dim=1)


# %% [markdown]
# ## act-or-ask


# %% by-einsum right="act-or-ask"
def act_or_ask(p, cost, price):
    table = torch.einsum("nk,ak->na", p, cost)
    action = table.argmin(dim=1)
    expected = table.amin(dim=1)
    informed = price + torch.einsum("nk,k->n", p, cost.amin(dim=0))
    ask = informed < expected
    return action.masked_fill(ask, -1), torch.where(ask, informed, expected)


# %% by-value-of-knowing right="act-or-ask"
def act_or_ask(p, cost, price):
    regret = cost - cost.min(0).values  # what not knowing costs, per action and outcome
    average = p @ regret.T
    action = average.argmin(1)
    loss = average[torch.arange(len(p)), action]
    base = p @ cost.min(0).values
    asks = price < loss
    action[asks] = -1
    return action, base + torch.where(asks, torch.full_like(loss, price), loss)


# %% by-lists right="act-or-ask" oracle=True
def act_or_ask(p, cost, price):
    # exact arithmetic with whole numbers, one comparison at a time
    def whole(x):  # any float is a multiple of 2**-1074
        top, bottom = x.as_integer_ratio()
        return top * (2**1074 // bottom)

    table = [[whole(c) for c in row] for row in cost.tolist()]
    actions, values = [], []
    for row in p.tolist():
        chance = [whole(q) for q in row]
        best, choice = None, None
        for index, bills in enumerate(table):
            total = sum(q * c for q, c in zip(chance, bills, strict=True))
            if best is None or total < best:
                best, choice = total, index
        if price != float("inf"):
            cheapest = [min(bills[k] for bills in table) for k in range(len(chance))]
            known = sum(q * c for q, c in zip(chance, cheapest, strict=True))
            known += whole(price) * 2**1074
            if known < best:
                best, choice = known, -1
        actions.append(choice)
        values.append(best / 2**2148)
    return torch.tensor(actions), torch.tensor(values, dtype=p.dtype)


# %% most-probable-outcome wrong="act-or-ask" fails="action,expected cost,asking"
# The most probable outcome need not decide: a rare one may be dear. Weigh all costs.
def act_or_ask(p, cost, price):
    action = cost.argmin(0)[p.argmax(1)]
    expected = (p @ cost.T).gather(1, action[:, None])[:, 0]
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% cost-transposed wrong="act-or-ask" fails="action,expected cost,asking"
# The table is cost[action, outcome]: sum over outcomes, which are its columns.
def act_or_ask(p, cost, price):
    table = p @ cost
    expected, action = table.min(1).values, table.argmin(1)
    known = price + p @ cost.min(1).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% largest-cost wrong="act-or-ask" fails="action,expected cost,asking"
# These are costs: the smallest is best, not the largest.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.max(1).values, table.argmax(1)
    known = price + p @ cost.max(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% worst-case wrong="act-or-ask" fails="action,expected cost,asking"
# This minimises the largest cost and ignores the probabilities: minimise the expected cost.
def act_or_ask(p, cost, price):
    worst = cost.max(1).values
    action = worst.argmin().expand(len(p)).clone()
    expected = (p @ cost.T).gather(1, action[:, None])[:, 0]
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% threshold-of-one-half wrong="act-or-ask" fails="action,expected cost,asking"
# With a row of costs per action no fixed threshold on a probability is right.
def act_or_ask(p, cost, price):
    action = (p[:, 0] <= 0.5).long() * (len(cost) - 1)
    expected = (p @ cost.T).gather(1, action[:, None])[:, 0]
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% action-of-the-mean wrong="act-or-ask" fails="action,expected cost,asking"
# Acting for the mean outcome is not minimising the mean cost: costs are not linear in it.
def act_or_ask(p, cost, price):
    mean = (p @ torch.arange(p.shape[1], dtype=p.dtype)).round().long()
    action = cost.argmin(0)[mean]
    expected = (p @ cost.T).gather(1, action[:, None])[:, 0]
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% asking-costs-only-its-price wrong="act-or-ask" fails="action,asking"
# After asking you still act, and pay for it: add the expected cost of the informed action.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    asks = price < expected
    return torch.where(asks, -1, action), torch.where(asks, float(price), expected)


# %% informed-by-the-cheapest wrong="act-or-ask" fails="asking"
# After asking, each outcome has its own cheapest action: minimise before you average.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    known = torch.full_like(expected, price) + cost.min()
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% same-action-after-asking wrong="act-or-ask" fails="action,asking"
# After asking you may change your action: take the cheapest one for each outcome.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    known = price + expected
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% price-not-included wrong="act-or-ask" fails="asking"
# The expected cost of asking includes its price.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    informed = p @ cost.min(0).values
    asks = price + informed < expected
    return torch.where(asks, -1, action), torch.where(asks, informed, expected)


# %% asks-at-a-tie wrong="act-or-ask" fails="action,asking"
# If asking costs exactly as much as acting, act.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    known = price + p @ cost.min(0).values
    return torch.where(known <= expected, -1, action), torch.minimum(known, expected)


# %% highest-index-at-a-tie wrong="act-or-ask" fails="action,asking"
# Between equal costs take the lowest index.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected = table.min(1).values
    action = len(cost) - 1 - table.flip(1).argmin(1)
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% asking-by-a-margin wrong="act-or-ask" fails="asking"
# Asking wins whenever it is cheaper: a margin leaves money on the table.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    known = price + p @ cost.min(0).values
    asks = known < expected - 0.1
    return torch.where(asks, -1, action), torch.where(asks, known, expected)


# %% asking-has-an-index wrong="act-or-ask" fails="action,asking"
# Asking is reported as -1, not as one action more.
def act_or_ask(p, cost, price):
    asking = price + cost.min(0).values
    table = p @ torch.cat([cost, asking.clamp(max=1e12)[None]]).T
    return table.argmin(1), table.min(1).values


# %% expected-of-the-action wrong="act-or-ask" fails="asking"
# Where you ask, the expected cost is that of asking, not that of the best action.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    expected, action = table.min(1).values, table.argmin(1)
    known = price + p @ cost.min(0).values
    return torch.where(known < expected, -1, action), expected


# %% infinite-times-zero wrong="act-or-ask" fails="action,expected cost"
# An infinite price times a probability of 0 is nan: nobody asks at an infinite price.
def act_or_ask(p, cost, price):
    asking = price + cost.min(0).values
    table = p @ torch.cat([cost, asking[None]]).T
    expected, action = table.min(1).values, table.argmin(1)
    return torch.where(action == len(cost), -1, action), expected


# %% costs-not-negative wrong="act-or-ask" fails="expected cost,asking,action"
# Costs may be negative, for actions that earn something: do not cut them off at 0.
def act_or_ask(p, cost, price):
    table = p @ cost.clamp(min=0).T
    expected, action = table.min(1).values, table.argmin(1)
    known = price + p @ cost.clamp(min=0).min(0).values
    return torch.where(known < expected, -1, action), torch.minimum(known, expected)


# %% [markdown]
# ## sequence-density


# %% by-categorical right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    n, T = tokens.shape
    place = torch.arange(1, T)
    real = place[None, :] < lengths[:, None]
    result = torch.zeros(n, dtype=logits.dtype)
    if real.any():
        said = torch.distributions.Categorical(logits=logits[:, :-1][real])
        rows = real.nonzero()[:, 0]
        result = result.index_add(0, rows, said.log_prob(tokens[:, 1:][real]))
    return result


# %% by-cross-entropy right="sequence-density"
def sequence_log_prob(logits, tokens, lengths):
    steps = torch.arange(tokens.shape[1] - 1)
    over = steps >= lengths[:, None] - 1
    target = tokens[:, 1:].masked_fill(over, -100)
    clean = logits[:, :-1].masked_fill(over[..., None], 0.0)
    nll = torch.nn.functional.cross_entropy(
        clean.permute(0, 2, 1), target, reduction="none", ignore_index=-100
    )
    return -nll.sum(1)


# %% by-loops right="sequence-density" oracle=True
def sequence_log_prob(logits, tokens, lengths):
    # one token at a time, with a shifted sum of exponentials
    totals = []
    for i, length in enumerate(lengths.tolist()):
        total = logits.new_zeros(())
        for place in range(length - 1):
            row = logits[i, place]
            gaps = row - row[int(tokens[i, place + 1])]
            top = float(gaps.max())
            total = total - top - torch.log(sum(torch.exp(gap - top) for gap in gaps))
        totals.append(total)
    return torch.stack(totals)


# %% solution.detach-input equivalent="sequence-density"
# `tokens = tokens.detach()`
# Tokens and lengths are whole numbers, which have no gradient.

# %% solution.detach-input equivalent="sequence-density"
# `lengths = lengths.detach()`
# Tokens and lengths are whole numbers, which have no gradient.

# %% solution.change-number equivalent="sequence-density"
# `log_p = torch.where(real[..., None], logits[:, :-1], 1.0).log_softmax(-1)`
# Which logits stand in for padding does not matter: they are not used.

# %% by-cross-entropy.change-number equivalent="sequence-density"
# `clean = logits[:, :-1].masked_fill(over[..., None], 1.0)`
# Which logits stand in for padding does not matter: they are ignored.


# %% not-shifted wrong="sequence-density" fails="value,padding,gradient"
# logits[:, t] foretells the token at t + 1, not the one at t, which it has seen.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits, 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens, 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% shifted-backwards wrong="sequence-density" fails="value,padding,gradient"
# This pairs the logits at t + 1 with the token at t: it is the other way round.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, 1:], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, :-1], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% padding-counted wrong="sequence-density" fails="padding,gradient"
# Padding is counted here: only the first lengths[i] tokens belong to a sequence.
def sequence_log_prob(logits, tokens, lengths):
    K = logits.shape[-1]
    log_p = logits[:, :-1].log_softmax(-1)
    return log_p.gather(2, tokens[:, 1:].clamp(0, K - 1)[..., None])[..., 0].sum(1)


# %% one-place-too-many wrong="sequence-density" fails="padding,gradient"
# A sequence of length L ends with the token at place L - 1: the next one is padding.
def sequence_log_prob(logits, tokens, lengths):
    K = logits.shape[-1]
    real = torch.arange(1, tokens.shape[1]) <= lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, tokens[:, 1:].clamp(0, K - 1)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% one-place-too-few wrong="sequence-density" fails="value,padding,gradient"
# The last token counts too: a sequence of length L foretells L - 1 tokens, not L - 2.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(2, tokens.shape[1] + 1) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% mask-times-nan wrong="sequence-density" fails="padding,gradient"
# Zero times nan is nan: replace what stands in the padding, do not multiply it by 0.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = logits[:, :-1].log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return (chosen * real).sum(1)


# %% where-after-the-softmax wrong="sequence-density" fails="gradient"
# torch.where hides nan in values, not in gradients: clean the logits before the softmax.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = logits[:, :-1].log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% gather-of-padding wrong="sequence-density" fails="padding,gradient"
# The padding tokens are no classes: replace them before you use them as indices.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, tokens[:, 1:, None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% nan-to-num wrong="sequence-density" fails="padding,gradient"
# Not all padding is nan: mask by length, or its ordinary numbers are counted.
def sequence_log_prob(logits, tokens, lengths):
    clean = torch.nan_to_num(logits[:, :-1], 0.0, 0.0, 0.0)
    legal = (tokens[:, 1:] >= 0) & (tokens[:, 1:] < logits.shape[-1])
    chosen = clean.log_softmax(-1).gather(2, torch.where(legal, tokens[:, 1:], 0)[..., None])
    return torch.where(legal, chosen[..., 0], 0.0).sum(1)


# %% mean-per-token wrong="sequence-density" fails="value,padding,gradient"
# The log-probability of a sequence is a sum over its tokens, not a mean.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1) / (lengths - 1).clamp(min=1)


# %% nll wrong="sequence-density" fails="value,padding,gradient"
# The sign is flipped: this is the NLL of the sequence.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return -torch.where(real, chosen, 0.0).sum(1)


# %% in-bits wrong="sequence-density" fails="value,padding,gradient"
# This is in bits; the text asks for nats.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1) / math.log(2)


# %% logits-as-log-probabilities wrong="sequence-density" fails="value,padding,gradient"
# Logits are no log-probabilities: normalise them with log_softmax.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    following = torch.where(real, tokens[:, 1:], 0)
    chosen = logits[:, :-1].gather(2, following[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% softmax-over-time wrong="sequence-density" fails="value,padding,gradient"
# The softmax runs over the K tokens, the last dimension, not over time.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% log-of-softmax wrong="sequence-density" fails="gradient,padding,value"
# log(softmax) is -inf where a logit lies far below the others: use log_softmax.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).softmax(-1).log()
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum(1)


# %% summed-over-batch wrong="sequence-density" fails="gradient,padding,value"
# One log-probability for each sequence is asked for: sum over places only.
def sequence_log_prob(logits, tokens, lengths):
    real = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    log_p = torch.where(real[..., None], logits[:, :-1], 0.0).log_softmax(-1)
    chosen = log_p.gather(2, torch.where(real, tokens[:, 1:], 0)[..., None])[..., 0]
    return torch.where(real, chosen, 0.0).sum()


# %% single-precision-factorial wrong="two-kinds-of-zero" fails="extremes,others"
# The log-factorial of a large count needs float64: in float32 it is off by a thousandth.
def zip_log_prob(y, gate, log_rate):
    from torch.nn import functional

    factorial = torch.lgamma(y.float() + 1).to(log_rate.dtype)
    poisson = functional.logsigmoid(-gate) + y * log_rate - log_rate.exp() - factorial
    zero = torch.logaddexp(functional.logsigmoid(gate), poisson)
    return torch.where(y == 0, zero, poisson)


# %% nearly-equal-is-equal wrong="act-or-ask" fails="action"
# Only costs that are exactly the same are a tie: a little cheaper is cheaper.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    least = table.min(1).values
    action = torch.isclose(table, least[:, None]).int().argmax(1)
    known = price + p @ cost.min(0).values
    asks = known < least
    return torch.where(asks, -1, action), torch.where(asks, known, least)


# %% actions-as-floats wrong="act-or-ask" fails="action,asking"
# An action is an index: return whole numbers of an integer type.
def act_or_ask(p, cost, price):
    table = p @ cost.T
    least, action = table.min(1)
    known = price + p @ cost.min(0).values
    asks = known < least
    return torch.where(asks, -1, action).double(), torch.where(asks, known, least)


# %% squeezed-gather wrong="sequence-density" fails="value,gradient"
# squeeze() drops every axis of length one: name the axis that gather left.
def sequence_log_prob(logits, tokens, lengths):
    used = torch.arange(1, tokens.shape[1]) < lengths[:, None]
    clean = torch.where(used[..., None], logits[:, :-1], 0.0)
    target = torch.where(used, tokens[:, 1:], 0)
    each = torch.log_softmax(clean, -1).gather(2, target[..., None]).squeeze()
    return torch.where(used, each, 0.0).sum(1)
