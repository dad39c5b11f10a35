# %% [markdown]
# # Answers to assignment 09
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## minibatch-loss


# %% by-distributions right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = [
        D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
        for m, s, t in zip(means, log_sds, prior_sds, strict=True)
    ]
    return nll.mean() + torch.stack(kl).sum() / data_size


# %% all-layers-in-one right="minibatch-loss"
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    m = torch.cat([v.reshape(-1) for v in means])
    s = torch.cat([v.reshape(-1) for v in log_sds])
    t = torch.cat([torch.full_like(v, t).reshape(-1) for v, t in zip(means, prior_sds)])
    each = t.log() - s + (s.exp() ** 2 + m**2) / (2 * t**2) - 0.5
    return (data_size / len(nll) * nll.sum() + each.sum()) / data_size


# %% by-two-nodes right="minibatch-loss" oracle=True
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    # log q - log p is a quadratic in w: its mean under q is that over the two places m - s, m + s
    total = nll.sum() * data_size / nll.numel()
    for layer, centre in enumerate(means):
        reach = log_sds[layer].exp()
        log_q = -0.5 - log_sds[layer]
        for place in (centre - reach, centre + reach):
            log_p = -0.5 * (place / prior_sds[layer]) ** 2 - math.log(prior_sds[layer])
            total = total + 0.5 * torch.sum(log_q - log_p)
    return total / data_size


# %% kl-by-batch-size wrong="minibatch-loss" fails="value,gradient"
# The KL belongs to the whole training set: divide it by N, not by the size of the batch.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return nll.mean() + kl / len(nll)


# %% whole-kl-each-time wrong="minibatch-loss" fails="value,gradient"
# A mean NLL plus the whole KL counts the KL N times: divide it by N.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return nll.mean() + kl


# %% summed-nll wrong="minibatch-loss" fails="value,gradient"
# Per example means a mean: the NLLs are summed here, while the KL is divided by N.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return nll.sum() + kl / data_size


# %% whole-data-set wrong="minibatch-loss" fails="value,gradient"
# This is the negative ELBO of the whole data set: the text asks for it per example.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return data_size * nll.mean() + kl


# %% nll-over-the-data wrong="minibatch-loss" fails="value,gradient"
# A batch stands for all N examples: its mean NLL is the estimate, not its sum over N.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return (nll.sum() + kl) / data_size


# %% mean-over-weights wrong="minibatch-loss" fails="value,gradient"
# The KL of independent weights is a sum over all of them, not a mean.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).mean()
    return nll.mean() + kl / data_size


# %% kl-reversed wrong="minibatch-loss" fails="value,gradient"
# This is KL(prior || q): the ELBO has q first.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        prior = D.Normal(torch.zeros_like(m), t)
        kl = kl + D.kl_divergence(prior, D.Normal(m, s.exp())).sum()
    return nll.mean() + kl / data_size


# %% kl-as-reward wrong="minibatch-loss" fails="value,gradient"
# The sign of the KL is flipped: it makes the negative ELBO larger.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return nll.mean() - kl / data_size


# %% log-variance wrong="minibatch-loss" fails="value,gradient"
# log_sds holds logarithms of standard deviations; here they are taken for log variances.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, (s / 2).exp()), D.Normal(0.0, t)).sum()
    return nll.mean() + kl / data_size


# %% prior-variance wrong="minibatch-loss" fails="value,gradient"
# prior_sds are standard deviations already: do not take their root.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, math.sqrt(t))).sum()
    return nll.mean() + kl / data_size


# %% one-prior-for-all wrong="minibatch-loss" fails="value,gradient"
# Every layer has its own prior: the first one's is used for all here.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s in zip(means, log_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, prior_sds[0])).sum()
    return nll.mean() + kl / data_size


# %% entropy-forgotten wrong="minibatch-loss" fails="value,gradient"
# Without the entropy of q nothing keeps it wide: the KL has a term -log s for each weight.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + (0.5 * (m**2 + torch.exp(2 * s)) / t**2 + math.log(t) - 0.5).sum()
    return nll.mean() + kl / data_size


# %% constant-dropped wrong="minibatch-loss" fails="value"
# The half for each weight is missing: the KL of q = prior must be 0.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + (0.5 * (m**2 + torch.exp(2 * s)) / t**2 + math.log(t) - s).sum()
    return nll.mean() + kl / data_size


# %% without-gradient wrong="minibatch-loss" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    D = torch.distributions
    kl = 0.0
    for m, s, t in zip(means, log_sds, prior_sds, strict=True):
        kl = kl + D.kl_divergence(D.Normal(m, s.exp()), D.Normal(0.0, t)).sum()
    return (nll.mean() + kl / data_size).detach()


# %% [markdown]
# ## sampled-elbo


# %% by-mixture right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    parts = D.Categorical(torch.tensor([share, 1 - share], dtype=mean.dtype))
    scales = torch.tensor([wide, narrow], dtype=mean.dtype)
    spike_and_slab = D.MixtureSameFamily(parts, D.Normal(torch.zeros_like(scales), scales))
    q = D.Independent(D.Normal(mean, log_sd.exp()), 1)
    values = []
    for e in noise:
        w = mean + log_sd.exp() * e
        fit = D.Normal(x @ w, sigma).log_prob(y).sum()
        values.append(fit + spike_and_slab.log_prob(w).sum() - q.log_prob(w))
    return torch.stack(values).mean()


# %% by-formula right="sampled-elbo"
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    share, wide, narrow = prior
    w = torch.addcmul(mean, log_sd.exp(), noise)
    r = (y - torch.einsum("nk,sk->sn", x, w)) / sigma
    fit = -0.5 * r.square().sum(1) - len(y) * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    scales = torch.tensor([wide, narrow], dtype=w.dtype)
    shares = torch.tensor([share, 1 - share], dtype=w.dtype)
    each = shares.log() - scales.log() - 0.5 * (w[..., None] / scales) ** 2
    # the constants of prior and q cancel
    return fit.mean() + (each.logsumexp(-1) + log_sd + 0.5 * noise**2).sum(1).mean()


# %% by-quotient right="sampled-elbo" oracle=True
from torch.nn import functional


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    # log(A + B) = log A + softplus(log B - log A), and log q from the noise alone
    pi, a, c = prior
    total = 0.0
    for row in noise:
        w = mean + row * torch.exp(log_sd)
        for weight, e, s in zip(w, row, log_sd, strict=True):
            first = math.log(pi / a) - 0.5 * (weight / a) ** 2
            second = math.log1p(-pi) - math.log(c) - 0.5 * (weight / c) ** 2
            total = total + first + functional.softplus(second - first) + 0.5 * e * e + s
        for features, target in zip(x, y, strict=True):
            miss = (target - torch.dot(features, w)) / sigma
            total = total - 0.5 * miss * miss - math.log(sigma * math.sqrt(math.tau))
    return total / noise.shape[0]


# %% solution.detach-input equivalent="sampled-elbo"
# `x = x.detach()`
# x is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="sampled-elbo"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="sampled-elbo"
# `noise = noise.detach()`
# The noise is fixed: no gradient with respect to it is asked for.


# %% entropy-subtracted wrong="sampled-elbo" fails="value,extremes,gradient"
# The sign of log q is flipped: a wide q must be rewarded, not punished.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) + log_q).sum(1)).mean()


# %% q-forgotten wrong="sampled-elbo" fails="value,extremes,gradient"
# log q is missing: this is the expected joint density, which is largest for a q without width.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + torch.logaddexp(slab, spike).sum(1)).mean()


# %% mean-of-logs wrong="sampled-elbo" fails="value,extremes,gradient"
# The log of a mixture is no weighted mean of logs: add the densities first.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    log_p = share * D.Normal(0.0, wide).log_prob(w)
    log_p = log_p + (1 - share) * D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (log_p - log_q).sum(1)).mean()


# %% one-choice-for-all wrong="sampled-elbo" fails="value,extremes,gradient"
# Each weight has a mixture of its own: mix first, then multiply over the weights.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w).sum(1)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w).sum(1)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w).sum(1)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + torch.logaddexp(slab, spike) - log_q).mean()


# %% one-moment-matched-normal wrong="sampled-elbo" fails="value,extremes,gradient"
# A Normal with the mixture's variance is not the mixture: its peak at zero is gone.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    scale = math.sqrt(share * wide**2 + (1 - share) * narrow**2)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (D.Normal(0.0, scale).log_prob(w) - log_q).sum(1)).mean()


# %% mean-over-examples wrong="sampled-elbo" fails="value,extremes,gradient"
# The likelihood of the whole data set is a sum over examples, not a mean.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1) / max(len(y), 1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% summed-over-draws wrong="sampled-elbo" fails="value,extremes,gradient"
# Draws are averaged: this is their sum.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).sum()


# %% importance-weighted wrong="sampled-elbo" fails="value,extremes,gradient"
# The logarithm of a mean over draws is another, tighter bound: the ELBO is the mean of logs.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    each = fit + (torch.logaddexp(slab, spike) - log_q).sum(1)
    return each.logsumexp(0) - math.log(len(noise))


# %% log-of-exp wrong="sampled-elbo" fails="extremes,gradient"
# Far from both parts their densities underflow to 0: add them as logarithms, with logaddexp.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    density = share * D.Normal(0.0, wide).log_prob(w).exp()
    density = density + (1 - share) * D.Normal(0.0, narrow).log_prob(w).exp()
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (density.log() - log_q).sum(1)).mean()


# %% floor-in-the-log wrong="sampled-elbo" fails="extremes,gradient"
# A floor under the density changes the ELBO far out: add logarithms, with logaddexp.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    density = share * D.Normal(0.0, wide).log_prob(w).exp()
    density = density + (1 - share) * D.Normal(0.0, narrow).log_prob(w).exp()
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (density.clamp(min=1e-30).log() - log_q).sum(1)).mean()


# %% variance-for-deviation wrong="sampled-elbo" fails="value,extremes,gradient"
# The draw moves by s times the noise: here it moves by the variance.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + (2 * log_sd).exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% shares-swapped wrong="sampled-elbo" fails="value,extremes,gradient"
# The first number of the prior is the share of the wide part.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, narrow, wide = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% one-draw wrong="sampled-elbo" fails="value,extremes,gradient"
# All draws count: this uses the first only.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise[:1]
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% draws-cut-off wrong="sampled-elbo" fails="gradient"
# The draws are cut off from mean and log_sd: the gradient must flow through them.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = (mean + log_sd.exp() * noise).detach()
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean, log_sd.exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% parameters-of-q-cut-off wrong="sampled-elbo" fails="gradient"
# This leaves out the part of the gradient that comes from the parameters inside log q.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    D = torch.distributions
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    slab = math.log(share) + D.Normal(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + D.Normal(0.0, narrow).log_prob(w)
    log_q = D.Normal(mean.detach(), log_sd.detach().exp()).log_prob(w)
    fit = D.Normal(w @ x.T, sigma).log_prob(y).sum(1)
    return (fit + (torch.logaddexp(slab, spike) - log_q).sum(1)).mean()


# %% wide-part-alone-far-out wrong="sampled-elbo" fails="extremes,gradient"
# Far out the wide part is not all: the other one may be nearly as wide, and have the larger share.
def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    gauss = torch.distributions.Normal
    share, wide, narrow = prior
    w = mean + log_sd.exp() * noise
    fit = gauss(w @ x.T, sigma).log_prob(y).sum(1)
    slab = math.log(share) + gauss(0.0, wide).log_prob(w)
    spike = math.log(1 - share) + gauss(0.0, narrow).log_prob(w)
    log_p = torch.where(w.abs() > 30 * narrow, slab, torch.logaddexp(slab, spike))
    log_q = gauss(mean, log_sd.exp()).log_prob(w)
    return (fit + (log_p - log_q).sum(1)).mean()


# %% [markdown]
# ## best-groups


# %% by-masking right="best-groups"
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    return torch.linalg.inv(kept), (kept.logdet() - precision.logdet()) / 2


# %% by-cholesky right="best-groups"
def best_groups(precision, groups):
    d = len(groups)
    cov = torch.zeros(d, d, dtype=precision.dtype)
    gap = -torch.linalg.cholesky(precision).diagonal().log().sum()
    for name in set(groups.tolist()):
        members = [j for j in range(d) if groups[j] == name]
        pick = torch.eye(d, dtype=precision.dtype)[members]
        factor = torch.linalg.cholesky(pick @ precision @ pick.T)
        cov = cov + pick.T @ torch.cholesky_inverse(factor) @ pick
        gap = gap + factor.diagonal().log().sum()
    return cov, gap


# %% by-conditioning right="best-groups" oracle=True
def best_groups(precision, groups):
    # the best covariance of a group is that of the posterior given all other weights; its KL is
    # the library's, between two multivariate Normals
    scale = precision.diagonal().rsqrt()
    whole = torch.linalg.inv(precision * scale * scale[:, None])
    best = torch.eye(len(scale), dtype=scale.dtype)
    for number in range(len(scale)):
        a, b = (torch.where(groups == groups[number])[0], torch.where(groups != groups[number])[0])
        cross = whole[a][:, b]
        given = whole[a][:, a] - cross @ torch.linalg.solve(whole[b][:, b], cross.T)
        best[number, a] = given[a == number][0]
    normal, origin = torch.distributions.MultivariateNormal, torch.zeros_like(scale)
    q, p = normal(origin, (best + best.T) / 2), normal(origin, whole)
    return best * scale * scale[:, None], torch.distributions.kl_divergence(q, p)


# %% marginals wrong="best-groups" fails="covariance,gap,extremes"
# This keeps the marginal covariances: the KL is smallest for the inverses of blocks of precision.
def best_groups(precision, groups):
    exact = torch.linalg.inv(precision)
    cov = torch.where(groups == groups[:, None], exact, 0.0)
    trace = (precision * cov).sum()
    gap = 0.5 * (trace - len(groups) - cov.logdet() + exact.logdet())
    return cov, gap


# %% groups-ignored wrong="best-groups" fails="covariance,gap,extremes"
# Weights of one group may be correlated: this treats each weight as a group.
def best_groups(precision, groups):
    lone = precision.diagonal()
    return torch.diag(1 / lone), 0.5 * (lone.log().sum() - precision.logdet())


# %% precision-returned wrong="best-groups" fails="covariance,extremes"
# This is the precision of q: invert it to get the covariance.
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    return kept, (kept.logdet() - precision.logdet()) / 2


# %% other-direction wrong="best-groups" fails="gap,extremes"
# This is KL(p || q), with the truth first: the text asks for KL(q || p).
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    trace = (kept * torch.linalg.inv(precision)).sum()
    return torch.linalg.inv(kept), 0.5 * (trace - len(groups) - kept.logdet() + precision.logdet())


# %% half-forgotten wrong="best-groups" fails="gap,extremes"
# A factor one half is missing: log determinants enter the KL with it.
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    return torch.linalg.inv(kept), kept.logdet() - precision.logdet()


# %% gap-negative wrong="best-groups" fails="gap,extremes"
# A KL is never negative: this one has the opposite sign.
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    return torch.linalg.inv(kept), (precision.logdet() - kept.logdet()) / 2


# %% ratio-of-determinants wrong="best-groups" fails="extremes"
# Determinants of sixty weights leave the range of floats: work with their logarithms.
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    ratio = torch.linalg.det(kept) / torch.linalg.det(precision)
    return torch.linalg.inv(kept), 0.5 * ratio.log()


# %% deviations wrong="best-groups" fails="covariance,extremes"
# These are standard deviations on the diagonal: a covariance holds variances.
def best_groups(precision, groups):
    kept = torch.where(groups == groups[:, None], precision, 0.0)
    cov = torch.linalg.inv(kept)
    gap = (kept.logdet() - precision.logdet()) / 2
    return cov / cov.diagonal().sqrt(), gap


# %% neighbours-only wrong="best-groups" fails="covariance,gap,extremes"
# Members of a group need not stand side by side: compare the integers themselves.
def best_groups(precision, groups):
    _, number = torch.unique_consecutive(groups, return_inverse=True)
    kept = torch.where(number == number[:, None], precision, 0.0)
    return torch.linalg.inv(kept), (kept.logdet() - precision.logdet()) / 2


# %% counted-from-zero wrong="best-groups" fails="covariance,extremes,gap"
# The integers are names, not positions: negative ones are left out here.
def best_groups(precision, groups):
    cov, logdets = torch.zeros_like(precision), 0.0
    for g in groups[groups >= 0].unique():
        i = torch.nonzero(groups == g)[:, 0]
        block = precision[i[:, None], i]
        cov[i[:, None], i] = torch.linalg.inv(block)
        logdets = logdets + block.logdet()
    return cov, 0.5 * (logdets - precision.logdet())


# %% jitter wrong="best-groups" fails="covariance,extremes"
# A ridge of 1e-6 on the diagonal is not small against small precisions: leave it out.
def best_groups(precision, groups):
    ridge = 1e-6 * torch.eye(len(groups), dtype=precision.dtype)
    kept = torch.where(groups == groups[:, None], precision, 0.0) + ridge
    return torch.linalg.inv(kept), (kept.logdet() - (precision + ridge).logdet()) / 2


# %% solution.squeeze equivalent="best-groups"
# `return (cov, (0.5 * (logdets - ...`
# A number has no axis to lose.


# %% [markdown]
# ## last-layer


# %% by-cholesky right="last-layer"
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    scaled = features * torch.sqrt(p * (1 - p))[:, None]
    k = len(weights)
    factor = torch.linalg.cholesky(scaled.T @ scaled + torch.eye(k, dtype=new.dtype) * tau**-2)
    sd = torch.linalg.solve_triangular(factor, new.T, upper=False).norm(dim=0)
    return sd, (new @ weights / (1 + math.pi / 8 * sd**2) ** 0.5).sigmoid()


# %% by-examples right="last-layer"
def last_layer(features, weights, tau, new):
    logits = features @ weights
    root = torch.exp(
        0.5 * (torch.nn.functional.logsigmoid(logits) + torch.nn.functional.logsigmoid(-logits))
    )
    A = tau * features * root[:, None]  # (n, k)
    inner = torch.eye(len(A), dtype=new.dtype) + A @ A.T
    cov = tau**2 * (torch.eye(len(weights), dtype=new.dtype) - A.T @ torch.linalg.solve(inner, A))
    variance = torch.einsum("mi,ij,mj->m", new, cov, new)
    return variance.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + variance * math.pi / 8))


# %% by-autograd right="last-layer" oracle=True
def last_layer(features, weights, tau, new):
    # second derivatives of the negative log posterior; the labels do not matter, so all are 0
    def energy(w):
        log_prior = torch.distributions.Normal(0.0, tau).log_prob(w).sum()
        outcomes = torch.distributions.Bernoulli(logits=features @ w)
        return -log_prior - outcomes.log_prob(torch.zeros(len(features)).double()).sum()

    H = torch.autograd.functional.hessian(energy, weights)
    results = []
    for row in new:
        v = torch.dot(row, torch.linalg.inv(H) @ row)
        results.append(
            (v.sqrt(), torch.special.expit((row * weights).sum() * (1 + v * math.pi / 8) ** -0.5))
        )
    sd, chance = zip(*results, strict=True)
    return torch.stack(sd), torch.stack(chance)


# %% by-autograd.change-number equivalent="last-layer"
# `log_prior = torch.distributions.Normal(1.0, tau).log_prob(w).sum()`
# Another prior mean: the curvature does not depend on it.

# %% by-autograd.narrow-result equivalent="last-layer"
# `return (-log_prior - ...`
# Only the second derivatives of this value are used, and they pass through unharmed.


# %% prior-forgotten wrong="last-layer" fails="deviation,probability"
# The prior's precision is missing from the curvature: without it, no data would mean no answer.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    cov = torch.linalg.pinv(features.T @ (features * (p * (1 - p))[:, None]))
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% curvature-of-the-mean wrong="last-layer" fails="deviation,probability"
# Sum the curvature over the examples: that of the mean loss is n times too small.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None]) / max(len(features), 1)
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% squared-error-curvature wrong="last-layer" fails="deviation,probability"
# This is the curvature of a squared error: a logistic loss weights each example by p (1 - p).
def last_layer(features, weights, tau, new):
    H = features.T @ features
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% weighted-by-p wrong="last-layer" fails="deviation,probability"
# The slope of the sigmoid is p (1 - p): here each example is weighted by p alone.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * p[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% tau-as-variance wrong="last-layer" fails="deviation,probability"
# tau is the prior's standard deviation: its precision is one over tau squared.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% variance-for-precision wrong="last-layer" fails="deviation,probability"
# Precisions add: this adds the prior's variance to a precision.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) * tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% diagonal wrong="last-layer" fails="deviation,probability"
# Only the diagonal of the curvature is used here: the weights are correlated.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = (features**2 * (p * (1 - p))[:, None]).sum(0) + 1 / tau**2
    v = (new**2 / H).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% variance-returned wrong="last-layer" fails="deviation"
# This is the variance of the logit: the text asks for its standard deviation.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v, torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v / 8))


# %% plug-in wrong="last-layer" fails="probability"
# This is the probability at the best weights: their uncertainty must pull it towards one half.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights)


# %% deviation-in-the-shrinkage wrong="last-layer" fails="probability"
# The shrinkage takes the variance of the logit, not its standard deviation.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * v.sqrt() / 8))


# %% root-forgotten wrong="last-layer" fails="probability"
# The mean is divided by the root of 1 + pi v / 8, not by 1 + pi v / 8.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / (1 + math.pi * v / 8))


# %% probit wrong="last-layer" fails="probability"
# pi / 8 makes a Normal resemble the logistic function: without it the shrinkage is too strong.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    H = features.T @ (features * (p * (1 - p))[:, None])
    cov = torch.linalg.inv(H + torch.eye(len(weights), dtype=new.dtype) / tau**2)
    v = ((new @ cov) * new).sum(1)
    return v.sqrt(), torch.sigmoid(new @ weights / torch.sqrt(1 + v))


# %% [markdown]
# ## merge-posteriors


# %% one-after-another right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    own = torch.linalg.inv(prior_cov)
    precision, natural = own, own @ prior_mean
    for m, c in zip(means, covs, strict=True):
        theirs = torch.linalg.inv(c)
        natural = natural + theirs @ m - own @ prior_mean  # what their data alone say
        precision = precision + theirs - own
    return torch.linalg.solve(precision, natural), torch.linalg.inv(precision)


# %% from-the-prior-mean right="merge-posteriors"
def merge(means, covs, prior_mean, prior_cov):
    shifted = means - prior_mean  # in these coordinates the prior's mean is 0
    news = torch.linalg.inv(covs) - torch.linalg.inv(prior_cov)
    cov = torch.linalg.inv(torch.linalg.inv(prior_cov) + news.sum(0))
    pulls = torch.linalg.solve(covs, shifted[..., None])[..., 0].sum(0)
    return prior_mean + cov @ pulls, cov


# %% by-log-density right="merge-posteriors" oracle=True
def merge(means, covs, prior_mean, prior_cov):
    # the log density of all data's posterior, up to a constant, and its derivatives
    Normal = torch.distributions.MultivariateNormal
    s = prior_cov.diagonal().sqrt()
    prior = Normal(prior_mean, prior_cov)
    factors = [Normal(one, spread) for one, spread in zip(means, covs, strict=True)]

    def log_density(z):
        w = prior_mean + s * z
        value = prior.log_prob(w)
        for factor in factors:
            value = value + factor.log_prob(w) - prior.log_prob(w)
        return value

    z = torch.zeros_like(prior_mean)
    H = -torch.autograd.functional.hessian(log_density, z)
    g = torch.autograd.functional.jacobian(log_density, z)
    step = torch.linalg.solve(H, g)
    return prior_mean + s * step, torch.linalg.inv(H) * s * s[:, None]


# %% by-log-density.narrow-result equivalent="merge-posteriors"
# `return value.half().double()`
# Only the derivatives of this value are used, and they pass through unharmed.


# %% prior-in-every-clinic wrong="merge-posteriors" fails="mean,covariance"
# The prior is in each posterior: a plain product of them counts it K times.
def merge(means, covs, prior_mean, prior_cov):
    each = torch.linalg.inv(covs)
    cov = torch.linalg.pinv(each.sum(0))
    return cov @ (each @ means[..., None])[..., 0].sum(0), cov


# %% prior-taken-out-entirely wrong="merge-posteriors" fails="mean,covariance"
# The prior must stay in once: this takes it out of all K posteriors.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    cov = torch.linalg.pinv(each.sum(0) - len(means) * own)
    natural = (each @ means[..., None])[..., 0].sum(0) - len(means) * own @ prior_mean
    return cov @ natural, cov


# %% prior-taken-out-once wrong="merge-posteriors" fails="mean,covariance"
# K posteriors hold the prior K times: it must be taken out K - 1 times, not once.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    cov = torch.linalg.inv(each.sum(0) - own)
    return cov @ ((each @ means[..., None])[..., 0].sum(0) - own @ prior_mean), cov


# %% prior-mean-left-in wrong="merge-posteriors" fails="mean"
# The prior's pull on the mean is counted K times: take it out as you do for the precision.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    cov = torch.linalg.inv(each.sum(0) - (len(means) - 1) * own)
    return cov @ (each @ means[..., None])[..., 0].sum(0), cov


# %% plain-averages wrong="merge-posteriors" fails="mean,covariance"
# Averaging means and covariances forgets that more data make a narrower posterior.
def merge(means, covs, prior_mean, prior_cov):
    return means.mean(0), covs.mean(0)


# %% last-clinic wrong="merge-posteriors" fails="mean,covariance"
# This is one clinic's posterior: the others have data of their own.
def merge(means, covs, prior_mean, prior_cov):
    return means[-1], covs[-1]


# %% average-precision wrong="merge-posteriors" fails="mean,covariance"
# Precisions of independent data add up: this takes their mean.
def merge(means, covs, prior_mean, prior_cov):
    each = torch.linalg.inv(covs)
    cov = torch.linalg.inv(each.mean(0))
    return cov @ (each @ means[..., None])[..., 0].mean(0), cov


# %% covariances-added wrong="merge-posteriors" fails="mean,covariance"
# Precisions add up, not covariances: invert before you add.
def merge(means, covs, prior_mean, prior_cov):
    extra = len(means) - 1
    cov = covs.sum(0) - extra * prior_cov
    natural = (covs @ means[..., None])[..., 0].sum(0) - extra * prior_cov @ prior_mean
    return torch.linalg.solve(cov, natural), cov


# %% precision-returned wrong="merge-posteriors" fails="covariance"
# This is the precision: invert it to get the covariance.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    extra = len(means) - 1
    precision = each.sum(0) - extra * own
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * own @ prior_mean
    return torch.linalg.solve(precision, natural), precision


# %% weight-by-weight wrong="merge-posteriors" fails="mean,covariance"
# The weights are correlated: variances alone do not say what the clinics know.
def merge(means, covs, prior_mean, prior_cov):
    own = 1 / prior_cov.diagonal()
    each = 1 / covs.diagonal(dim1=1, dim2=2)
    extra = len(means) - 1
    variance = 1 / (each.sum(0) - extra * own)
    natural = (each * means).sum(0) - extra * own * prior_mean
    return variance * natural, torch.diag(variance)


# %% weights-counted wrong="merge-posteriors" fails="mean,covariance"
# Count clinics, not weights: K is the size of the first axis.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    extra = means.shape[-1] - 1
    cov = torch.linalg.inv(each.sum(0) - extra * own)
    return cov @ ((each @ means[..., None])[..., 0].sum(0) - extra * own @ prior_mean), cov


# %% nobody-refused wrong="merge-posteriors" fails="mean,covariance"
# With no clinic at all the posterior is the prior: K - 1 is -1 then, and that is right.
def merge(means, covs, prior_mean, prior_cov):
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    extra = max(len(means) - 1, 0)
    cov = torch.linalg.pinv(each.sum(0) - extra * own)
    return cov @ ((each @ means[..., None])[..., 0].sum(0) - extra * own @ prior_mean), cov


# %% equal-reports-once wrong="merge-posteriors" fails="mean,covariance"
# Two clinics may send the same posterior, each from data of its own: both count.
def merge(means, covs, prior_mean, prior_cov):
    reports = torch.cat([means, covs.flatten(1)], 1).unique(dim=0)
    d = len(prior_mean)
    means, covs = reports[:, :d], reports[:, d:].reshape(-1, d, d)
    own, each = torch.linalg.inv(prior_cov), torch.linalg.inv(covs)
    extra = len(means) - 1
    natural = (each @ means[..., None])[..., 0].sum(0) - extra * (own @ prior_mean)
    cov = torch.linalg.inv(each.sum(0) - extra * own)
    return cov @ natural, cov


# %% [markdown]
# ## laplace-evidence


# %% by-eigenvalues right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    H = torch.func.hessian(log_joint)(mode)
    curvatures = -torch.linalg.eigvalsh(H)
    if not bool((curvatures > 0).all()):
        raise ValueError("not a maximum")
    return log_joint(mode) + 0.5 * torch.log(2 * math.pi / curvatures).sum()


# %% by-two-gradients right="laplace-evidence"
def laplace_evidence(log_joint, mode):
    w = mode.detach().clone().requires_grad_()
    value = log_joint(w)
    (slope,) = torch.autograd.grad(value, w, create_graph=True)
    rows = [torch.autograd.grad(s, w, retain_graph=True)[0] for s in slope]
    curvature = -torch.stack(rows)
    try:
        factor = torch.linalg.cholesky(curvature)
    except torch.linalg.LinAlgError as error:
        raise ValueError("the curvature is not positive definite") from error
    log_volume = 0.5 * len(mode) * math.log(2 * math.pi) - factor.diagonal().log().sum()
    return (value + log_volume).item()


# %% by-normal right="laplace-evidence" oracle=True
def laplace_evidence(log_joint, mode):
    # a Normal's density at its own mean is one over the volume of the bell; the library refuses
    # a precision that is not positive definite with a ValueError of its own
    precision = torch.func.jacrev(torch.func.jacrev(lambda v: -log_joint(v)))(mode)
    bell = torch.distributions.MultivariateNormal(mode, precision_matrix=precision)
    return log_joint(mode) - bell.log_prob(mode)


# %% logdet-added wrong="laplace-evidence" fails="value,many weights,refusal"
# A sharper peak holds less volume: half the log determinant is subtracted.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    volume = 0.5 * len(mode) * math.log(2 * math.pi) + 0.5 * curvatures.log().sum()
    return log_joint(mode) + volume


# %% two-pi-forgotten wrong="laplace-evidence" fails="value,many weights,refusal"
# The volume of a bell has a factor of the root of 2 pi for each weight.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) - 0.5 * curvatures.log().sum()


# %% two-pi-once wrong="laplace-evidence" fails="value,many weights,refusal"
# Each of the d weights brings a factor of the root of 2 pi: here there is only one.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * math.log(2 * math.pi) - 0.5 * curvatures.log().sum()


# %% half-forgotten wrong="laplace-evidence" fails="value,many weights,refusal"
# The volume has the root of the determinant: a factor one half before its logarithm.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * len(mode) * math.log(2 * math.pi) - curvatures.log().sum()


# %% height-forgotten wrong="laplace-evidence" fails="value,many weights,refusal"
# The height of the peak is missing: this is the volume of a bell of height 1.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return 0.5 * (len(mode) * math.log(2 * math.pi) - curvatures.log().sum())


# %% not-a-logarithm wrong="laplace-evidence" fails="value,many weights,refusal"
# This is the evidence itself: the text asks for its logarithm.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return torch.exp(log_joint(mode)) * torch.sqrt(2 * math.pi / curvatures).prod()


# %% diagonal wrong="laplace-evidence" fails="value,many weights,refusal"
# Mixed second derivatives count too: this uses the diagonal of the curvature.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode).diagonal()
    if H.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * torch.log(2 * math.pi / H).sum()


# %% log-of-determinant wrong="laplace-evidence" fails="many weights,refusal"
# A determinant of sixty weights over- or underflows, and is positive for some saddles.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    determinant = torch.linalg.det(H)
    if determinant <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * (len(mode) * math.log(2 * math.pi) - determinant.log())


# %% sign-of-determinant wrong="laplace-evidence" fails="refusal"
# Two downward directions give a positive determinant: look at each eigenvalue.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    sign, logdet = torch.linalg.slogdet(H)
    if sign <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * (len(mode) * math.log(2 * math.pi) - logdet)


# %% nothing-refused wrong="laplace-evidence" fails="refusal"
# Where the curvature is not positive definite there is no bell: raise ValueError.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    logdet = torch.linalg.slogdet(H)[1]
    return log_joint(mode) + 0.5 * (len(mode) * math.log(2 * math.pi) - logdet)


# %% jitter wrong="laplace-evidence" fails="many weights,refusal,value"
# A ridge on the curvature is not small against a shallow bell, and hides flat tops.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H + 1e-6 * torch.eye(len(mode), dtype=mode.dtype))
    if curvatures.min() <= 0:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * torch.log(2 * math.pi / curvatures).sum()


# %% threshold wrong="laplace-evidence" fails="many weights,refusal,value"
# A small curvature is no flat top: only zero and negative ones are refused.
def laplace_evidence(log_joint, mode):
    H = -torch.autograd.functional.hessian(log_joint, mode)
    curvatures = torch.linalg.eigvalsh(H)
    if curvatures.min() <= 1e-8:
        raise ValueError("no maximum")
    return log_joint(mode) + 0.5 * torch.log(2 * math.pi / curvatures).sum()


# %% [markdown]
# ## hmc-step


# %% merged-kicks right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def slope(v):
        v = v.detach().clone().requires_grad_()
        log_p(v).sum().backward()
        return v.grad

    def energy(v, r):
        return 0.5 * (r * r / mass).sum(1) - log_p(v)

    with torch.no_grad():
        before = energy(w, momentum)
    r, v = momentum + size / 2 * slope(w), w.clone()
    for k in range(count):
        v = v + size * r / mass
        r = r + (size if k < count - 1 else size / 2) * slope(v)
    with torch.no_grad():
        after = energy(v, r)
        moved = after.isfinite() & (u < torch.exp(before - after))
    result = w.clone()
    result[moved] = v[moved]
    return result, moved


# %% chain-by-chain right="hmc-step"
def hmc_step(log_p, w, momentum, u, size, count, mass):
    new, moved = [], []
    for start, r, level in zip(w, momentum, u, strict=True):
        one = lambda v: log_p(v[None])[0]  # noqa: E731

        def slope(v, one=one):
            v = v.detach().requires_grad_()
            return torch.autograd.grad(one(v), v)[0]

        v, e = start, (r**2 / mass).sum() / 2 - one(start)
        for _ in range(count):
            r = r + size / 2 * slope(v)
            v = v + size * r / mass
            r = r + size / 2 * slope(v)
        drop = e - (r**2 / mass).sum() / 2 + one(v)
        yes = bool(drop.isfinite()) and bool(level < math.exp(min(drop.item(), 0.0)))
        new.append(v if yes else start)
        moved.append(yes)
    return torch.stack(new), torch.tensor(moved)


# %% as-second-order right="hmc-step" oracle=True
def hmc_step(log_p, w, momentum, u, size, count, mass):
    # positions alone: x_{k+1} = 2 x_k - x_{k-1} + h^2 a_k, in units in which every mass is 1
    root = mass.sqrt()

    def force(x):
        x = x.detach().requires_grad_()
        out = log_p(x / root)
        return torch.autograd.grad(out.sum(), x)[0], out.detach()

    last, (a, height) = w * root, force(w * root)
    speed = momentum / root
    total = speed.pow(2).sum(1) / 2 - height
    x = last + size * speed + size**2 / 2 * a
    for _ in range(count - 1):
        a, _ = force(x)
        last, x = x, 2 * x - last + size**2 * a
    a, height = force(x)
    speed = (x - last) / size + size / 2 * a
    change = speed.pow(2).sum(1) / 2 - height - total
    ok = torch.isfinite(change) & (torch.log(u) + change < 0)
    return torch.stack([(x / root)[c] if ok[c] else w[c] for c in range(len(w))]), ok


# %% chain-by-chain.change-number equivalent="hmc-step"
# `... = bool(drop.isfinite()) and bool(level < math.exp(min(drop.item(), 1.0)))`
# The limit only keeps exp from overflowing: any that is not below 0 does.


# %% whole-kicks wrong="hmc-step" fails="trajectory,acceptance,divergence"
# A leapfrog step has half a kick before the move and half a kick after it.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + size * slope
        there = there + size * r / mass
        value, slope = look(there)
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% last-kick-forgotten wrong="hmc-step" fails="trajectory,acceptance,divergence"
# The last half kick is missing: the energy at the end needs the momentum of that time.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there = (momentum**2 / (2 * mass)).sum(1) - value, w
    r = momentum + 0.5 * size * slope
    for k in range(count):
        there = there + size * r / mass
        value, slope = look(there)
        r = r + (size * slope if k < count - 1 else 0.0)
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% times-mass wrong="hmc-step" fails="trajectory,acceptance,divergence"
# The speed is momentum divided by mass: heavy weights move slowly.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r * mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% mass-ignored wrong="hmc-step" fails="trajectory,acceptance,divergence"
# The masses are ignored: they divide the momentum in the move and in the energy.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = 0.5 * (momentum**2).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start - 0.5 * (r**2).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% energy-without-mass wrong="hmc-step" fails="trajectory,acceptance,divergence"
# The kinetic energy is r squared over twice the mass: the mass is missing from it.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = 0.5 * (momentum**2).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start - 0.5 * (r**2).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% no-kinetic-energy wrong="hmc-step" fails="trajectory,acceptance,divergence"
# Energy has two parts: compare the sums of both, not the densities alone.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = -value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start + value)
    return torch.where(ok[:, None], there, w), ok


# %% downhill wrong="hmc-step" fails="trajectory,acceptance,divergence"
# The force points towards higher density: the sign of the gradient is flipped.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), -torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% always-accepted wrong="hmc-step" fails="acceptance,divergence"
# Every proposal is taken: without the comparison of energies the draws are biased.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        return torch.autograd.grad(log_p(v).sum(), v)[0]

    there, r = w, momentum
    for _ in range(count):
        r = r + 0.5 * size * look(there)
        there = there + size * r / mass
        r = r + 0.5 * size * look(there)
    return there, torch.ones_like(u, dtype=torch.bool)


# %% ratio-upside-down wrong="hmc-step" fails="acceptance,divergence"
# The ratio is upside down: a chain moves if its energy has fallen.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp((r**2 / (2 * mass)).sum(1) - value - start)
    return torch.where(ok[:, None], there, w), ok


# %% exponential-forgotten wrong="hmc-step" fails="trajectory,acceptance,divergence"
# u is compared with the exponential of the energy's fall, not with the fall itself.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < start - (r**2 / (2 * mass)).sum(1) + value
    return torch.where(ok[:, None], there, w), ok


# %% one-verdict-for-all wrong="hmc-step" fails="acceptance,divergence"
# Each chain is judged by its own energy: here the mean over chains decides for all.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp((start - (r**2 / (2 * mass)).sum(1) + value).mean())
    return torch.where(ok[:, None], there, w), ok


# %% rejected-if-larger wrong="hmc-step" fails="divergence"
# nan is never larger than anything: say when a chain moves, not when it stays.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    stays = u >= torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(stays[:, None], w, there), ~stays


# %% zero-times-nan wrong="hmc-step" fails="divergence"
# Zero times nan is nan: choose between the two places, do not mix them by multiplication.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return w + ok[:, None] * (there - w), ok


# %% moved-anyway wrong="hmc-step" fails="acceptance,divergence"
# A chain that is rejected stays where it was: its old weights are returned again.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start, there, r = (momentum**2 / (2 * mass)).sum(1) - value, w, momentum
    for _ in range(count):
        r = r + 0.5 * size * slope
        there = there + size * r / mass
        value, slope = look(there)
        r = r + 0.5 * size * slope
    return there, u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)


# %% one-step wrong="hmc-step" fails="trajectory,acceptance,divergence"
# count leapfrog steps are asked for: this takes one.
def hmc_step(log_p, w, momentum, u, size, count, mass):
    def look(v):
        v = v.detach().requires_grad_()
        value = log_p(v)
        return value.detach(), torch.autograd.grad(value.sum(), v)[0]

    value, slope = look(w)
    start = (momentum**2 / (2 * mass)).sum(1) - value
    r = momentum + 0.5 * size * slope
    there = w + size * r / mass
    value, slope = look(there)
    r = r + 0.5 * size * slope
    ok = u < torch.exp(start - (r**2 / (2 * mass)).sum(1) + value)
    return torch.where(ok[:, None], there, w), ok


# %% solution.squeeze equivalent="hmc-step"
# `return (value.detach().squeeze(), torch.autograd.grad(value.sum(), v)[0])`
# The energy of a single chain broadcasts against that chain.
