# %% [markdown]
# # Answers to assignment 03
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## discrete-kl


# %% by-built-in right="discrete-kl"
def kl_nats(p, q):
    off = torch.cat([(v.sum(-1) - 1).abs().reshape(-1) for v in (p, q)])
    if off.numel() and off.max() > 1e-4:
        raise ValueError("no distribution")
    zero = p == 0
    log_q = q.masked_fill(zero, 1.0).log()
    return F.kl_div(log_q, p, reduction="none").sum(dim=-1)


# %% cross-entropy-less-entropy right="discrete-kl"
def kl_nats(p, q):
    for v in (p, q):
        if not bool(((v.sum(dim=-1) - 1).abs() <= 1e-4).all()):
            raise ValueError("no distribution")
    safe = torch.where(p == 0, torch.ones_like(q), q)
    cross = -torch.special.xlogy(p, safe).sum(-1)
    return cross - torch.special.entr(p).sum(-1)


# %% by-loops right="discrete-kl" oracle=True
def kl_nats(p, q):
    # one outcome after the other; impossible ones are never looked at
    K = p.shape[-1]
    found = []
    for row, other in zip(p.reshape(-1, K), q.reshape(-1, K), strict=True):
        if max(abs(float(row.sum()) - 1), abs(float(other.sum()) - 1)) > 1e-4:
            raise ValueError("no distribution")
        total = row.new_zeros(())
        for k in range(K):
            if float(row[k]) != 0:
                total = total + row[k] * (math.log(float(row[k])) - torch.log(other[k]))
        found.append(total)
    return torch.stack(found).reshape(p.shape[:-1]) if found else p.new_zeros(p.shape[:-1])


# %% solution.change-number equivalent="discrete-kl"
# `... = torch.where(possible, p, 2.0).log() - torch.where(possible, q, 1.0).log()`
# The number stands where p is 0, and is multiplied by 0.

# %% solution.change-number equivalent="discrete-kl"
# `... = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 2.0).log()`
# The number stands where p is 0, and its logarithm is multiplied by 0.

# %% by-built-in.change-number equivalent="discrete-kl"
# `log_q = q.masked_fill(zero, 2.0).log()`
# The number stands where p is 0, and its logarithm is multiplied by 0.


# %% solution.detach-input equivalent="discrete-kl"
# `p = p.detach()`
# The text asks for gradients with respect to q alone.


# %% swapped wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# This is KL(q || p): p weighs the logarithms, and F.kl_div takes (log q, p) for it.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = q > 0
    ratio = torch.where(possible, q, 1.0).log() - torch.where(possible, p, 1.0).log()
    return (q * ratio).sum(-1)


# %% probabilities-for-kl-div wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# F.kl_div wants log-probabilities as its first argument, and got probabilities.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return F.kl_div(q, p, reduction="none").sum(-1)


# %% mean-over-outcomes wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# A divergence is a sum over outcomes, not a mean.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).mean(-1)


# %% clipped wrong="discrete-kl" fails="gradient,value,zeros"
# A clipped zero makes an infinite divergence finite, and drops small probabilities.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return (p * (p.clamp(min=1e-10).log() - q.clamp(min=1e-10).log())).sum(-1)


# %% clipped-at-tiny wrong="discrete-kl" fails="zeros,gradient"
# However small the clip: where q is 0 and p is not, the divergence is infinite.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return torch.special.xlogy(p, p / q.clamp(min=1e-307)).sum(-1)


# %% epsilon-added wrong="discrete-kl" fails="gradient,value,zeros"
# log(x + eps) is not log x: it hides zeros and changes small probabilities.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return (p * ((p + 1e-12).log() - (q + 1e-12).log())).sum(-1)


# %% nan-at-zero wrong="discrete-kl" fails="zeros,gradient"
# 0 times -inf is nan: an outcome with p = 0 must add nothing.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return (p * (p.log() - q.log())).sum(-1)


# %% kl-div-at-zero wrong="discrete-kl" fails="zeros,gradient"
# F.kl_div gives nan where p and q are both 0: it multiplies 0 by -inf.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return F.kl_div(q.log(), p, reduction="none").sum(-1)


# %% nansum wrong="discrete-kl" fails="gradient"
# nansum or where hides nan in the value, not in the gradient: never take the logarithm of 0.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return torch.nansum(p * (p.log() - q.log()), dim=-1)


# %% finite-only wrong="discrete-kl" fails="gradient,zeros"
# A term that is infinite counts: the divergence is infinite, too.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    both = (p > 0) & (q > 0)
    return (p * (torch.where(both, p, 1.0) / torch.where(both, q, 1.0)).log()).sum(-1)


# %% renormalised wrong="discrete-kl" fails="value,gradient"
# Rows that are nearly normalised are used as they are: do not divide them by their sums.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(-1)


# %% in-bits wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# This is in bits; the text asks for nats.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log2() - torch.where(possible, q, 1.0).log2()
    return (p * ratio).sum(-1)


# %% over-the-first-axis wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# The outcomes lie along the last axis, whatever the number of axes.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(0)


# %% squeezed wrong="discrete-kl" fails="gradient,value,zeros"
# squeeze() drops every axis of length one: the result has the shape of the leading axes.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(-1, keepdim=True).squeeze()


# %% summed-over-rows wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# One divergence for each pair of rows is asked for: sum over the last axis only.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum()


# %% absolute-terms wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# Single terms may be negative, their sum is not: do not take absolute values.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).abs().sum(-1)


# %% softmaxed wrong="discrete-kl" fails="value,zeros,gradient,refusal"
# The inputs are probabilities already: a softmax makes other distributions of them.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    return F.kl_div(F.log_softmax(q, -1), F.softmax(p, -1), reduction="none").sum(-1)


# %% only-q-is-looked-at wrong="discrete-kl" fails="refusal"
# Rows of p must sum to 1 as well as those of q: refuse either.
def kl_nats(p, q):
    if ((q.sum(-1) - 1).abs() > 1e-4).any():
        raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(-1)


# %% refused-on-average wrong="discrete-kl" fails="refusal"
# Each row must sum to 1: errors of several rows may cancel in a mean.
def kl_nats(p, q):
    for rows in (p, q):
        if abs(rows.sum(-1).mean() - 1) > 1e-4:
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(-1)


# %% never-refused wrong="discrete-kl" fails="refusal"
# What does not sum to 1 is no distribution: raise ValueError.
def kl_nats(p, q):
    possible = p > 0
    ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * ratio).sum(-1)


# %% [markdown]
# ## diagonal-fits


# %% by-cholesky right="diagonal-fits"
def diagonal_fits(cov):
    factor = torch.linalg.cholesky(cov)
    precision = torch.cholesky_inverse(factor)
    marginal, conditional = torch.diagonal(cov).clone(), 1 / torch.diagonal(precision)
    half = factor.diagonal().log().sum()  # half of log det
    forward = marginal.log().sum() / 2 - half
    return marginal, conditional, forward, half - conditional.log().sum() / 2


# %% by-distributions right="diagonal-fits"
def diagonal_fits(cov):
    D = torch.distributions
    p = D.MultivariateNormal(torch.zeros(len(cov), dtype=cov.dtype), covariance_matrix=cov)
    wide = torch.einsum("ii->i", cov).clone()
    thin = 1 / torch.einsum("ii->i", p.precision_matrix)
    fits = [D.MultivariateNormal(p.loc, scale_tril=v.sqrt().diag()) for v in (wide, thin)]
    return wide, thin, D.kl_divergence(p, fits[0]), D.kl_divergence(fits[1], p)


# %% by-conditioning right="diagonal-fits" oracle=True
def diagonal_fits(cov):
    # the variance of one component given all others, and log det by the chain rule
    d = len(cov)

    def given(i, others):
        if not others:
            return cov[i, i]
        block = cov[others][:, others]
        return cov[i, i] - cov[i, others] @ torch.linalg.solve(block, cov[others, i])

    rest = [[j for j in range(d) if j != i] for i in range(d)]
    alone = torch.stack([given(i, []) for i in range(d)])
    known = torch.stack([given(i, rest[i]) for i in range(d)])
    chain = torch.stack([given(i, list(range(i))) for i in range(d)]).log().sum()
    return alone, known, (alone.log().sum() - chain) / 2, (chain - known.log().sum()) / 2


# %% by-conditioning.drop-statement equivalent="diagonal-fits"
# `no if not others:`
# An empty system of equations has an empty solution, and adds nothing.


# %% swapped-fits wrong="diagonal-fits" fails="forward,reverse,divergences,determinants,gradient"
# The two fits are swapped: the forward one keeps the variances of p, the reverse one is narrower.
def diagonal_fits(cov):
    forward = 1 / torch.linalg.inv(cov).diagonal()
    reverse = cov.diagonal().clone()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = 0.5 * ((cov.diagonal() / forward).sum() - len(cov))
    kl_forward = kl_forward + 0.5 * (forward.log().sum() - log_det)
    trace = (torch.linalg.inv(cov).diagonal() * reverse).sum()
    return forward, reverse, kl_forward, 0.5 * (trace - len(cov) + log_det - reverse.log().sum())


# %% both-marginal wrong="diagonal-fits" fails="reverse,divergences,determinants,gradient"
# KL(q || p) has another minimum than KL(p || q): its q is narrower than p where p is correlated.
def diagonal_fits(cov):
    v = cov.diagonal().clone()
    log_det = torch.linalg.slogdet(cov).logabsdet
    trace = (torch.linalg.inv(cov).diagonal() * v).sum()
    forward = 0.5 * (v.log().sum() - log_det)
    return v, v.clone(), forward, 0.5 * (trace - len(cov) + log_det - v.log().sum())


# %% both-conditional wrong="diagonal-fits" fails="forward,divergences,determinants"
# The forward fit must give probability wherever p does: it is as wide as p in each component.
def diagonal_fits(cov):
    v = 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    forward = 0.5 * ((cov.diagonal() / v).sum() - len(cov) + v.log().sum() - log_det)
    return v, v.clone(), forward, 0.5 * (log_det - v.log().sum())


# %% precision-for-variance wrong="diagonal-fits" fails="reverse,divergences,determinants,gradient"
# The diagonal of the inverse holds precisions: a variance is one over them.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), torch.linalg.inv(cov).diagonal().clone()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% diagonal-inverted wrong="diagonal-fits" fails="reverse,divergences,determinants,gradient"
# Invert the whole matrix first and take the diagonal then, not the other way round.
def diagonal_fits(cov):
    v = cov.diagonal().clone()
    w = 1 / (1 / cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% standard-deviations wrong="diagonal-fits" fails="forward,reverse"
# These are standard deviations; the text asks for variances.
def diagonal_fits(cov):
    v, w = cov.diagonal(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return (
        v.sqrt(),
        w.sqrt(),
        0.5 * (v.log().sum() - log_det),
        0.5 * (log_det - w.log().sum()),
    )


# %% half-forgotten wrong="diagonal-fits" fails="divergences,determinants,gradient"
# The factor one half in front of the bracket is missing.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, v.log().sum() - log_det, log_det - w.log().sum()


# %% other-direction wrong="diagonal-fits" fails="divergences,determinants,gradient"
# Each fit has its own direction: judge the reverse one by KL(q || p), the forward by KL(p || q).
def diagonal_fits(cov):
    precision = torch.linalg.inv(cov)
    v, w = cov.diagonal().clone(), 1 / precision.diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    forward = 0.5 * ((precision.diagonal() * v).sum() - len(v) + log_det - v.log().sum())
    reverse = 0.5 * ((v / w).sum() - len(v) + w.log().sum() - log_det)
    return v, w, forward, reverse


# %% sign-of-log-det wrong="diagonal-fits" fails="divergences,determinants,gradient"
# The log determinant of the second Normal counts positive, that of the first negative.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (log_det - v.log().sum()), 0.5 * (w.log().sum() - log_det)


# %% log-of-det wrong="diagonal-fits" fails="determinants,gradient"
# The determinant under- or overflows: sum logarithms (slogdet, or a Cholesky factor).
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.det(cov).log()
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% log-of-product wrong="diagonal-fits" fails="determinants,gradient"
# A product of many variances under- or overflows: add their logarithms.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (v.prod().log() - log_det), 0.5 * (log_det - w.prod().log())


# %% jittered wrong="diagonal-fits" fails="forward,reverse,divergences,determinants,gradient"
# A jitter on the diagonal changes small variances: the covariance is positive definite as it is.
def diagonal_fits(cov):
    cov = cov + 1e-5 * torch.eye(len(cov), dtype=cov.dtype)
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% single-precision wrong="diagonal-fits" fails="determinants,divergences,gradient,reverse"
# In float32 the inverse of such a matrix has few right digits: stay in float64.
def diagonal_fits(cov):
    v = cov.diagonal().clone()
    w = (1 / torch.linalg.inv(cov.float()).diagonal()).double()
    log_det = torch.linalg.slogdet(cov).logabsdet
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% averaged-over-weights wrong="diagonal-fits" fails="divergences,determinants,gradient"
# A divergence is a sum over dimensions, not a mean.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet / len(cov)
    return v, w, 0.5 * (v.log().mean() - log_det), 0.5 * (log_det - w.log().mean())


# %% detached wrong="diagonal-fits" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def diagonal_fits(cov):
    v, w = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet.detach()
    return v, w, 0.5 * (v.log().sum() - log_det), 0.5 * (log_det - w.log().sum())


# %% by-too-few-steps wrong="diagonal-fits" fails="reverse,divergences,determinants,gradient"
# Gradient descent is not at its end here: set the derivative to zero by hand instead.
def diagonal_fits(cov):
    v = cov.diagonal().clone()
    precision = torch.linalg.inv(cov).diagonal()
    log_w = v.log()
    for _ in range(8):  # in log w the slope is (precision w - 1) / 2
        log_w = log_w - 0.1 * (precision * log_w.exp() - 1)
    log_det = torch.linalg.slogdet(cov).logabsdet
    trace = (precision * log_w.exp()).sum()
    reverse = 0.5 * (trace - len(v) + log_det - log_w.sum())
    return v, log_w.exp(), 0.5 * (v.log().sum() - log_det), reverse


# %% solution.squeeze equivalent="diagonal-fits"
# `return (forward.clone(), reverse, kl_forward.squeeze(), kl_reverse)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="diagonal-fits"
# `return (forward.clone(), reverse, kl_forward, kl_reverse.squeeze())`
# A number has no axis to lose.


# %% solution.detach-one equivalent="diagonal-fits"
# `return (forward.clone().detach(), reverse, kl_forward, kl_reverse)`
# Only the gradient of the last result is asked for.


# %% solution.detach-one equivalent="diagonal-fits"
# `return (forward.clone(), reverse.detach(), kl_forward, kl_reverse)`
# Only the gradient of the last result is asked for.


# %% solution.detach-one equivalent="diagonal-fits"
# `return (forward.clone(), reverse, kl_forward.detach(), kl_reverse)`
# Only the gradient of the last result is asked for.


# %% [markdown]
# ## kl-from-draws


# %% by-numpy right="kl-from-draws"
import numpy as np


def kl_from_draws(log_q, log_p):
    gap = (log_q - log_p).numpy()  # log q / p
    both = gap, np.expm1(-gap) + gap
    results = []
    for terms in both:
        results.append(torch.as_tensor(np.mean(terms, axis=0)))
        spread = np.std(terms, axis=0, ddof=1)
        results.append(torch.as_tensor(spread / np.sqrt(gap.shape[0])))
    return tuple(results)


# %% control-variate right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    n = log_q.shape[0]
    plain = log_q.sub(log_p)
    positive = plain + torch.special.expm1(-plain)  # plus r - 1, whose expectation is 0

    def report(terms):
        centre = terms.sum(dim=0) / n
        variance = ((terms - centre) ** 2).sum(dim=0) / (n - 1)
        return centre, (variance / n).sqrt()

    return (*report(plain), *report(positive))


# %% by-loops right="kl-from-draws" oracle=True
def kl_from_draws(log_q, log_p):
    # Python's numbers and exact sums; r - 1 - log r by its series where it would cancel
    def positive(d):
        return (
            math.exp(d) - 1 - d
            if abs(d) > 0.3
            else sum(d**k / math.factorial(k) for k in range(2, 18))
        )

    def report(terms):
        n = len(terms)
        centre = math.fsum(terms) / n
        squares = math.fsum((term - centre) ** 2 for term in terms) / ((n - 1) * n)
        return centre, math.sqrt(squares)

    columns = (log_p - log_q).reshape(len(log_q), -1).T.tolist()
    rows = [(*report([-d for d in c]), *report([positive(d) for d in c])) for c in columns]
    shape = log_q.shape[1:]
    return tuple(
        torch.tensor(v, dtype=torch.float64).reshape(shape) for v in zip(*rows, strict=True)
    )


# %% by-loops.change-number equivalent="kl-from-draws"
# `... - 1 - d if abs(d) > 1.3 else sum((d ** k / math.factorial(k) for k in ...`
# The series has 16 terms, enough up to a difference of 1.3.

# %% by-loops.change-number equivalent="kl-from-draws"
# `... abs(d) > 0.3 else sum((d ** k / math.factorial(k) for k in range(2, 19)))`
# One more term of a series that has converged.


# %% by-numpy.end-loop-early equivalent="kl-from-draws"
# `for terms in list(both)[:5]:`
# There are at most four numbers.

# %% by-loops.end-loop-early equivalent="kl-from-draws"
# `... for v in list(zip(*rows, strict=True))[:5]))`
# There are at most four numbers.

# %% by-loops.end-loop-early equivalent="kl-from-draws"
# `... 0.3 else sum((d ** k / math.factorial(k) for k in list(range(2, 18))[:-1]))`
# The seventeenth term of the series is far below rounding.

# %% by-loops.end-loop-early equivalent="kl-from-draws"
# `... 0.3 else sum((d ** k / math.factorial(k) for k in list(range(2, 18))[:5]))`
# Beyond the fifth term the series is below the accuracy of the judge.


# %% wrong-sign wrong="kl-from-draws" fails="plain,small gaps"
# The draws come from q, so the terms are log q - log p.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% ratio-inverted wrong="kl-from-draws" fails="plain,positive,small gaps"
# r is p over q: the draws come from q, and only then has r the expectation 1.
def kl_from_draws(log_q, log_p):
    log_r = log_q - log_p
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% ratio-inverted-in-one wrong="kl-from-draws" fails="positive,small gaps"
# The plain terms are right; in the others r must be p over q, too.
def kl_from_draws(log_q, log_p):
    gap = log_q - log_p
    results = []
    for terms in (gap, torch.expm1(gap) - gap):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% half-squares wrong="kl-from-draws" fails="positive,small gaps"
# Half of the squared difference is another estimator, and a biased one.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, 0.5 * log_r**2):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% cancelling wrong="kl-from-draws" fails="small gaps"
# exp(d) - 1 loses its digits where d is small: torch.expm1 keeps them.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, log_r.exp() - 1 - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% ratio-of-probabilities wrong="kl-from-draws" fails="plain,error,positive"
# Probabilities of texts underflow: subtract the logarithms, and do not divide.
def kl_from_draws(log_q, log_p):
    r = log_p.exp() / log_q.exp()
    results = []
    for terms in (-r.log(), r - 1 - r.log()):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% weighted-by-q wrong="kl-from-draws" fails="plain,error,positive,small gaps"
# The draws come from q already: a second weight with q counts it twice.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r * log_q.exp(), log_q.exp() * (torch.expm1(log_r) - log_r)):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% spread-of-one-draw wrong="kl-from-draws" fails="error,positive,small gaps"
# This is the spread of one term; a mean of n terms has one that is smaller by the root of n.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0)]
    return tuple(results)


# %% divided-by-n wrong="kl-from-draws" fails="error,positive,small gaps"
# The standard error is the deviation over the root of n, not over n.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms)]
    return tuple(results)


# %% variance-for-error wrong="kl-from-draws" fails="error,positive,small gaps"
# This is the squared standard error: take its root.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.var(0) / len(terms)]
    return tuple(results)


# %% n-for-n-minus-one wrong="kl-from-draws" fails="error,positive,small gaps"
# The standard deviation of a sample has n - 1 in its denominator.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0, correction=0) / len(terms) ** 0.5]
    return tuple(results)


# %% mean-of-squares wrong="kl-from-draws" fails="error"
# The mean square minus the squared mean cancels where all terms are nearly alike: use std.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        variance = (terms**2).mean(0) - terms.mean(0) ** 2
        results += [terms.mean(0), (variance.clamp(min=0) / (len(terms) - 1)).sqrt()]
    return tuple(results)


# %% clipped-terms wrong="kl-from-draws" fails="plain,error,small gaps"
# Single terms, and even the mean, may be negative: do not cut them off at 0.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in ((-log_r).clamp(min=0), torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% absolute-mean wrong="kl-from-draws" fails="plain,small gaps"
# An estimate may come out below 0 by chance: report it as it is.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0).abs(), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% clamped-ratio wrong="kl-from-draws" fails="positive,plain,error"
# A limit on the log ratio changes both averages: differences may be as large as 300.
def kl_from_draws(log_q, log_p):
    log_r = (log_p - log_q).clamp(-20, 20)
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% pooled wrong="kl-from-draws" fails="plain,error,positive,small gaps"
# Each of the m pairs has its own estimate: average over the first axis only.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(), terms.std() / len(terms) ** 0.5]
    return tuple(results)


# %% squeezed wrong="kl-from-draws" fails="plain,error,positive,small gaps"
# With one pair the results have shape (1,): squeeze() drops that axis.
def kl_from_draws(log_q, log_p):
    log_r = (log_p - log_q).squeeze()
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)


# %% rows-counted-as-entries wrong="kl-from-draws" fails="error,positive,small gaps"
# n counts draws, the first axis, not all entries.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / terms.numel() ** 0.5]
    return tuple(results)


# %% [markdown]
# ## prior-smoothing


# %% two-terms right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    log_p = logits - logits.logsumexp(1, keepdim=True)
    hard = -log_p.gather(1, y[:, None])[:, 0]
    soft = -(prior * log_p).sum(1)
    loss = ((1 - eps) * hard + eps * soft).mean()
    target = (eps * prior).repeat(len(y), 1)
    target = target.scatter_add(1, y[:, None], torch.full_like(target[:, :1], 1 - eps))
    return loss, loss + torch.xlogy(target, target).sum(1).mean()


# %% by-distributions right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    target = torch.eye(len(prior), dtype=prior.dtype)[y] * (1 - eps) + prior * eps
    said = torch.log_softmax(logits, dim=1)
    loss = -torch.einsum("nk,nk->n", target, said).mean()
    apart = F.kl_div(said, target, reduction="batchmean")
    return loss, apart


# %% class-by-class right="prior-smoothing" oracle=True
def prior_smoothing(logits, y, prior, eps):
    # an example's loss is the mean of log sum exp(z - z_k) over its target, class by class
    loss, floor = 0.0, 0.0
    for k in range(logits.shape[1]):
        share = eps * prior[k].double() + (1 - eps) * (y == k).double()
        loss = loss + (share * torch.logsumexp(logits - logits[:, [k]], 1)).mean()
        floor = floor - torch.special.xlogy(share, share).mean()
    return loss, loss - floor


# %% two-terms.change-number equivalent="prior-smoothing"
# `... target.scatter_add(1, y[:, None], torch.full_like(target[:, :2], 1 - eps))`
# scatter_add reads as many columns as it has indices: one.


# %% solution.detach-input equivalent="prior-smoothing"
# `y = y.detach()`
# Labels are whole numbers, which have no gradient.

# %% solution.detach-input equivalent="prior-smoothing"
# `prior = prior.detach()`
# The prior is data: no gradient with respect to it is asked for.


# %% prior-ignored wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# The built-in smooths towards the uniform distribution: here the rest follows the prior.
def prior_smoothing(logits, y, prior, eps):
    K = len(prior)
    target = (1 - eps) * F.one_hot(y, K) + eps / K * torch.ones_like(prior)
    loss = F.cross_entropy(logits, y, label_smoothing=eps)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% others-only wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# The true class gets its share of the prior, too: eps is not spread over the others alone.
def prior_smoothing(logits, y, prior, eps):
    hot = F.one_hot(y, len(prior))
    rest = prior * (1 - hot)
    rest = rest / rest.sum(1, keepdim=True).clamp(min=1e-300)
    target = (1 - eps) * hot + eps * rest
    loss = F.cross_entropy(logits, target)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% shares-swapped wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# eps is the share that goes to the prior, not the one that stays at the label.
def prior_smoothing(logits, y, prior, eps):
    target = eps * F.one_hot(y, len(prior)) + (1 - eps) * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% prior-added wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# The target must sum to 1: the label keeps 1 - eps only.
def prior_smoothing(logits, y, prior, eps):
    target = F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% confidence-penalty wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# This adds KL(softmax || prior), a confidence penalty; smoothing adds KL(prior || softmax).
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    log_p = logits.log_softmax(1)
    penalty = (log_p.exp() * (log_p - prior.clamp(min=1e-300).log())).sum(1).mean()
    entropy = torch.special.entr(prior).sum()
    loss = (1 - eps) * F.cross_entropy(logits, y) + eps * (penalty + entropy)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% divergence-for-cross-entropy wrong="prior-smoothing" fails="loss,excess,extremes"
# The cross-entropy with the prior is wanted in the loss, not the divergence alone.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    log_p = logits.log_softmax(1)
    loss = (1 - eps) * F.cross_entropy(logits, y)
    loss = loss + eps * F.kl_div(log_p, prior.expand_as(log_p), reduction="batchmean")
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% floor-zero wrong="prior-smoothing" fails="excess,extremes"
# The floor of a smoothed loss is not 0: soft targets have an entropy of their own.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss


# %% floor-of-the-uniform wrong="prior-smoothing" fails="excess,extremes"
# This floor is that of uniform smoothing: the entropy of the target depends on the prior.
def prior_smoothing(logits, y, prior, eps):
    K = len(prior)
    target = (1 - eps) * F.one_hot(y, K) + eps * prior
    loss = F.cross_entropy(logits, target)
    even = (1 - eps) * F.one_hot(y, K) + eps * torch.ones_like(prior) / K
    return loss, loss - torch.special.entr(even).sum(1).mean()


# %% floor-of-the-first-label wrong="prior-smoothing" fails="excess,extremes"
# The entropy of a target depends on its label: average it over the batch.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss - torch.special.entr(target[0]).sum()


# %% floor-of-the-classes wrong="prior-smoothing" fails="excess,extremes"
# Average the floor over the labels of the batch, not over the classes.
def prior_smoothing(logits, y, prior, eps):
    K = len(prior)
    target = (1 - eps) * F.one_hot(y, K) + eps * prior
    loss = F.cross_entropy(logits, target)
    each = (1 - eps) * torch.eye(K, dtype=prior.dtype) + eps * prior
    return loss, loss - torch.special.entr(each).sum(1).mean()


# %% floor-of-the-mixture wrong="prior-smoothing" fails="excess,extremes"
# This is the entropy of the average target: average the entropies instead.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss - torch.special.entr(target.mean(0)).sum()


# %% floor-weighted wrong="prior-smoothing" fails="excess,extremes"
# The entropy of a mixture is not the mixture of entropies: take that of the whole target.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss - eps * torch.special.entr(prior).sum()


# %% zero-log-zero wrong="prior-smoothing" fails="excess,extremes"
# 0 log 0 is nan in floats: a class that is never a target adds nothing to the floor.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target)
    return loss, loss + (target * target.log()).sum(1).mean()


# %% log-of-softmax wrong="prior-smoothing" fails="excess,extremes,gradient,loss"
# log(softmax) is -inf for a logit far below the others: use log_softmax.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = -(target * logits.softmax(1).log()).sum(1).mean()
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% clamped-probabilities wrong="prior-smoothing" fails="excess,extremes,gradient,loss"
# A floor under the probabilities limits the loss and cuts the gradient off.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = -(target * logits.softmax(1).clamp(min=1e-12).log()).sum(1).mean()
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% softmax-twice wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# F.cross_entropy takes logits: with probabilities the softmax is applied twice.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits.softmax(1), target)
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% summed wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# The mean over the batch is asked for, not the sum.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target, reduction="sum")
    return loss, loss - torch.special.entr(target).sum()


# %% mean-over-classes wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# A cross-entropy is a sum over classes: average over the examples only.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = -(target * logits.log_softmax(1)).mean()
    return loss, loss - torch.special.entr(target).mean()


# %% most-likely-class wrong="prior-smoothing" fails="loss,excess,extremes,gradient"
# A soft target is a distribution: its argmax throws the rest away.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target.argmax(1))
    return loss, loss


# %% detached wrong="prior-smoothing" fails="excess,gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, len(prior)) + eps * prior
    loss = F.cross_entropy(logits, target).detach()
    return loss, loss - torch.special.entr(target).sum(1).mean()


# %% solution.squeeze-before equivalent="prior-smoothing"
# `floor = torch.special.entr(target).squeeze().sum(-1).mean()`
# With one class the floor is 0 either way, and with one row it is its own mean.


# %% solution.detach-one equivalent="prior-smoothing"
# `return (loss, (loss - floor).detach())`
# Only the gradient of the loss is asked for.


# %% [markdown]
# ## distillation


# %% by-hand right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    with torch.no_grad():
        goal = torch.log_softmax(teacher / T, dim=1)
    said = torch.log_softmax(student / T, dim=1)
    soft = (goal.exp() * (goal - said)).sum(1).mean()
    has = y >= 0
    hard = student.new_zeros(())
    if has.any():
        hard = -student.log_softmax(1)[has, y[has]].mean()
    return hard * (1 - alpha) + soft * alpha * T * T


# %% by-soft-targets right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    p = F.softmax(teacher.detach() / T, dim=1)
    soft = F.cross_entropy(student / T, p) - torch.special.entr(p).sum(dim=1).mean()
    each = F.cross_entropy(student, y, reduction="none", ignore_index=-100)
    labelled = int((y != -100).sum())
    hard = each.sum() / max(labelled, 1)
    return torch.lerp(hard, T**2 * soft, alpha)


# %% one-by-one right="distillation" oracle=True
def distillation_loss(student, teacher, y, T, alpha):
    # sums over single classes; the teacher as plain numbers
    def surprise(row, k):  # -log softmax(row)[k]
        return torch.logsumexp(row - row[k], 0)

    hard, soft = [], []
    for s, t, label in zip(student, teacher.tolist(), y.tolist(), strict=True):
        t = torch.tensor(t, dtype=s.dtype)
        if label != -100:
            hard.append(surprise(s, label))
        terms = []
        for k in range(len(t)):
            mine, theirs = surprise(s / T, k), float(surprise(t / T, k))
            terms.append(math.exp(-theirs) * (mine - theirs))
        soft.append(sum(terms))
    known = sum(hard) / len(hard) if hard else 0.0
    return (1 - alpha) * known + alpha * T**2 * sum(soft) / len(soft)


# %% solution.detach-input equivalent="distillation"
# `teacher = teacher.detach()`
# The teacher is cut off anyway: no gradient may reach it.

# %% solution.detach-input equivalent="distillation"
# `y = y.detach()`
# Labels are whole numbers, which have no gradient.


# %% as-given wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# These are the lines as they were given: look up the arguments and the default of F.kl_div.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    soft = F.kl_div(F.softmax(teacher / T, 1), F.log_softmax(student / T, 1))
    return (1 - alpha) * hard + alpha * soft


# %% direction-swapped wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# This is KL(student || teacher): F.kl_div takes the student's log-probabilities first.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(goal, F.log_softmax(student / T, 1), reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% probabilities-first wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# F.kl_div wants the student's log-probabilities, and got probabilities.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.softmax(student / T, 1), goal, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% mean-over-classes wrong="distillation" fails="value,unlabelled,extremes,gradient"
# The default reduction of F.kl_div divides by the number of classes, too: use "batchmean".
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="none").mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% summed wrong="distillation" fails="value,unlabelled,extremes,gradient"
# Both parts are means over examples, and the second is a sum here.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="sum")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% no-square wrong="distillation" fails="value,unlabelled,extremes,gradient"
# The factor T squared is missing, so a high temperature switches the teacher off.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * soft


# %% temperature-once wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# Both softmaxes of the divergence have the temperature, the student's as well.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% labels-at-T wrong="distillation" fails="value,unlabelled,extremes,gradient"
# The loss on the labels has no temperature.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student / T, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% cross-entropy-for-divergence wrong="distillation" fails="value,unlabelled,extremes"
# This is a cross-entropy: the teacher's entropy must come off, to make it a divergence.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    soft = F.cross_entropy(student / T, F.softmax(teacher.detach() / T, 1))
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% weights-swapped wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# alpha is the teacher's weight, not that of the labels.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return alpha * hard + (1 - alpha) * T**2 * soft


# %% teacher-learns wrong="distillation" fails="teacher"
# The teacher would be trained, too: cut its gradient off.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% all-detached wrong="distillation" fails="gradient,teacher"
# The student learns from the divergence: only the teacher is cut off from the gradient.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    with torch.no_grad():
        said, goal = F.log_softmax(student / T, 1), F.softmax(teacher / T, 1)
        soft = F.kl_div(said, goal, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% nan-without-labels wrong="distillation" fails="extremes,unlabelled"
# A mean over no labels is nan: where no image has one, that part is 0.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% labels-over-all wrong="distillation" fails="unlabelled,extremes,gradient"
# The mean of the first part is over the images with a label, not over all.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / len(y)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% labelled-only wrong="distillation" fails="unlabelled,extremes,gradient"
# An image without a label still has a teacher: it counts in the divergence.
def distillation_loss(student, teacher, y, T, alpha):
    has = y != -100
    if not has.any():
        return 0 * student.sum()
    hard = F.cross_entropy(student[has], y[has])
    goal = F.log_softmax(teacher[has].detach() / T, 1)
    said = F.log_softmax(student[has] / T, 1)
    soft = F.kl_div(said, goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% unlabelled-as-the-last wrong="distillation" fails="unlabelled,extremes,gradient"
# -100 is no class: images without a label do not count in the first part.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y.clamp(min=0))
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% log-of-softmax wrong="distillation" fails="extremes,gradient"
# log(softmax) is -inf for a logit far below the others: use log_softmax.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.softmax(student / T, 1).log(), goal, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% teachers-zero-log-zero wrong="distillation" fails="extremes"
# The teacher's probabilities may be exactly 0 in floats, and 0 log 0 is nan.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    p = F.softmax(teacher.detach() / T, 1)
    soft = (p * (p.log() - F.log_softmax(student / T, 1))).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% through-categorical wrong="distillation" fails="extremes,gradient"
# kl_divergence of Categorical is infinite where a probability underflows: use log-probabilities.
def distillation_loss(student, teacher, y, T, alpha):
    D = torch.distributions
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = D.Categorical(logits=teacher.detach() / T)
    soft = D.kl_divergence(goal, D.Categorical(logits=student / T)).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% teachers-winner wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# The teacher's argmax is one more label: its other probabilities are the lesson.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    soft = F.cross_entropy(student / T, teacher.argmax(1))
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% softmax-over-images wrong="distillation" fails="value,unlabelled,extremes,gradient,teacher"
# The softmax runs over the K classes, not over the images.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 0)
    soft = F.kl_div(F.log_softmax(student / T, 0), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% [markdown]
# ## text-cost


# %% by-where right="text-cost"
def text_cost(nll, lengths, characters):
    place = torch.arange(nll.shape[1]).expand_as(nll)
    clean = torch.where(place < lengths.unsqueeze(1), nll, torch.zeros_like(nll))
    tokens, letters = lengths.sum(), characters.sum()
    nats = clean.sum()
    return (nats / tokens).exp(), nats / (letters * math.log(2))


# %% weighted-texts right="text-cost"
def text_cost(nll, lengths, characters):
    sums = torch.stack([row[:n].sum() for row, n in zip(nll, lengths.tolist(), strict=True)])
    used = lengths > 0
    means = sums[used] / lengths[used]
    mean = (means * lengths[used] / lengths.sum()).sum()
    per_letter = lengths.sum() / characters.sum()  # tokens in a character
    return torch.exp(mean), mean * per_letter * math.log2(math.e)


# %% token-by-token right="text-cost" oracle=True
def text_cost(nll, lengths, characters):
    # Python's numbers: one token after the other
    costs = []
    for row, n in zip(nll.tolist(), lengths.tolist(), strict=True):
        costs += row[:n]
    nats = math.fsum(costs)
    growth = math.pow(math.e, nats / len(costs))
    bits = nats * math.log2(math.e) / math.fsum(characters.tolist())
    return torch.tensor(growth, dtype=torch.float64), torch.tensor(bits, dtype=torch.float64)


# %% mean-of-means wrong="text-cost" fails="perplexity,bits,padding"
# Each token has the same weight: do not average per text first.
def text_cost(nll, lengths, characters):
    rows = [(row[:n].mean(), c) for row, n, c in zip(nll, lengths, characters, strict=True) if n]
    mean = torch.stack([m for m, _ in rows]).mean()
    per_letter = torch.stack(
        [m * n / c for (m, c), n in zip(rows, lengths[lengths > 0], strict=True)]
    )
    return torch.exp(mean), per_letter.mean() / math.log(2)


# %% mean-of-perplexities wrong="text-cost" fails="perplexity,padding"
# Take e to the mean, not the mean of the perplexities.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    return nll[real].exp().mean(), nll[real].sum() / math.log(2) / characters.sum()


# %% mean-of-text-perplexities wrong="text-cost" fails="perplexity,padding"
# The perplexity is that of the whole corpus, not an average over texts.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    each = [row[:n].mean().exp() for row, n in zip(nll, lengths, strict=True) if n]
    return torch.stack(each).mean(), nll[real].sum() / math.log(2) / characters.sum()


# %% padding-counted wrong="text-cost" fails="padding,perplexity,bits"
# Padding is counted here: only the first lengths[i] tokens belong to a text.
def text_cost(nll, lengths, characters):
    return torch.exp(nll.mean()), nll.sum() / math.log(2) / characters.sum()


# %% padding-in-the-denominator wrong="text-cost" fails="perplexity,padding"
# The sum leaves the padding out, and the mean must, too: divide by the number of tokens.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    clean = torch.where(real, nll, 0.0)
    return torch.exp(clean.mean()), clean.sum() / math.log(2) / characters.sum()


# %% mask-times-nan wrong="text-cost" fails="padding,perplexity"
# Zero times nan is nan: select what is real, do not multiply padding by 0.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = (nll * real).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% finite-ones wrong="text-cost" fails="perplexity,bits,padding"
# Padding may be finite, and a real token infinite: go by lengths, not by values.
def text_cost(nll, lengths, characters):
    good = nll[torch.isfinite(nll)]
    mean = good.mean()
    return torch.exp(mean), good.sum() / math.log(2) / characters.sum()


# %% one-token-too-many wrong="text-cost" fails="perplexity,bits,padding"
# A text of length L has the places 0 to L - 1: the next one is padding.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) <= lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / real.sum()), total / math.log(2) / characters.sum()


# %% first-token-dropped wrong="text-cost" fails="perplexity,bits,padding"
# The first token costs, too: nothing is shifted here.
def text_cost(nll, lengths, characters):
    real = torch.arange(1, nll.shape[1]) < lengths[:, None]
    total = nll[:, 1:][real].sum()
    return torch.exp(total / real.sum()), total / math.log(2) / characters.sum()


# %% two-to-the-nats wrong="text-cost" fails="perplexity,padding"
# The NLL is in nats: the perplexity is e to it, not 2.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return 2 ** (total / lengths.sum()), total / math.log(2) / characters.sum()


# %% nats-per-character wrong="text-cost" fails="bits,padding"
# These are nats per character: one nat is 1.44 bits.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / characters.sum()


# %% bits-the-wrong-way wrong="text-cost" fails="bits,padding"
# Divide by log 2 to turn nats into bits: a bit is smaller than a nat.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total * math.log(2) / characters.sum()


# %% bits-per-token wrong="text-cost" fails="bits,padding"
# These are bits per token; only per character can two tokenisers be compared.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / lengths.sum() / math.log(2)


# %% characters-averaged wrong="text-cost" fails="bits,padding"
# The corpus has one cost per character: all bits over all characters.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    used = characters > 0
    sums = torch.where(real, nll, 0.0).sum(1)[used]
    return torch.exp(total / lengths.sum()), (sums / characters[used]).mean() / math.log(2)


# %% product-of-probabilities wrong="text-cost" fails="bits,padding,perplexity"
# The product of the probabilities underflows for costly texts: add logarithms.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    joint = nll[real].neg().exp().prod()
    n = lengths.sum()
    return joint ** (-1 / n), -joint.log2() / characters.sum()


# %% clamped wrong="text-cost" fails="bits,padding,perplexity"
# A token may cost thousands of nats, or be ruled out: put no upper limit on it.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].clamp(max=100.0).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()
