# %% [markdown]
# # Answers to assignment 10
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## density-and-owner


# %% by-distributions right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    D = torch.distributions
    parts = D.Independent(D.Normal(mu, log_sigma.exp()), 1)
    mixture = D.MixtureSameFamily(D.Categorical(logits=logits), parts)
    log_p = mixture.log_prob(x)
    log_r = torch.log_softmax(logits, 0) + parts.log_prob(x[:, None]) - log_p[:, None]
    return log_p, log_r


# %% column-by-column right="density-and-owner"
def density_and_owner(x, logits, mu, log_sigma):
    log_pi = logits - torch.logsumexp(logits, 0)
    columns = []
    for k in range(len(logits)):
        z = (x - mu[k]) * torch.exp(-log_sigma[k])
        half = torch.log(torch.tensor(2 * torch.pi, dtype=x.dtype)) / 2
        columns.append(log_pi[k] - (z.square() / 2 + log_sigma[k] + half).sum(1))
    joint = torch.stack(columns, dim=1)
    top = joint.detach().max(1, keepdim=True).values
    log_p = top + (joint - top).exp().sum(1, keepdim=True).log()
    return log_p.squeeze(1), joint - log_p


# %% in-odds right="density-and-owner" oracle=True
def density_and_owner(x, logits, mu, log_sigma):
    # Bayes' rule in odds: 1 / r_k is the sum over j of the ratio of joint densities, j to k
    cdf_slope = torch.distributions.Normal(0.0, 1.0)
    score = []
    for k in range(len(logits)):
        deviations = torch.div(x - mu[k], torch.exp(log_sigma[k]))
        score.append(torch.sub(cdf_slope.log_prob(deviations), log_sigma[k]).sum(1) + logits[k])
    best = torch.stack(score).amax(dim=0)
    odds = sum(torch.exp(s - best) for s in score)
    rows = best + torch.log(odds) - torch.logsumexp(logits, dim=0)
    return rows, torch.stack([s - best - torch.log(odds) for s in score], dim=1)


# %% solution.detach-input equivalent="density-and-owner"
# `x = x.detach()`
# x is data: no gradient with respect to it is asked for.


# %% mean-of-log-densities wrong="density-and-owner" fails="density,extremes,gradient"
# A mixture adds densities, not log-densities: weigh, exponentiate, add, and take the logarithm.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return (logits.softmax(0) * parts).sum(1), joint.log_softmax(1)


# %% exp-then-log wrong="density-and-owner" fails="extremes,gradient,responsibilities"
# exp of a very negative number is 0, and log 0 is -inf: use logsumexp.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.softmax(0) * parts.exp()
    total = joint.sum(1)
    return total.log(), (joint / total[:, None]).log()


# %% mean-over-entries wrong="density-and-owner" fails="density,responsibilities,extremes,gradient"
# Independent entries multiply their densities: sum the logarithms over D, no mean.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).mean(2)
    joint = logits.log_softmax(0) + parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% a-mixture-for-each-entry wrong="density-and-owner" fails="density,extremes,gradient"
# One component makes the whole vector: sum over entries first, then mix.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None])
    log_pi = logits.log_softmax(0)
    log_p = (log_pi[:, None] + parts).logsumexp(1).sum(1)
    return log_p, (log_pi + parts.sum(2)).log_softmax(1)


# %% log-of-softmax wrong="density-and-owner" fails="extremes,gradient"
# softmax rounds small weights to 0 before the logarithm sees them: use log_softmax.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.softmax(0).log() + parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% weights-not-normalised wrong="density-and-owner" fails="density,extremes,gradient"
# Logits are no log-weights yet: normalise them with log_softmax.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits + parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% logits-as-weights wrong="density-and-owner" fails="density,responsibilities,extremes,gradient"
# The logits are the logarithms of the weights, up to a constant: do not take their logarithm.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = torch.log(logits.abs() / logits.abs().sum()) + parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% root-of-scale wrong="density-and-owner" fails="density,responsibilities,extremes,gradient"
# exp(log_sigma) is a standard deviation, not a variance: do not take its root.
def density_and_owner(x, logits, mu, log_sigma):
    scale = (0.5 * log_sigma).exp()
    parts = torch.distributions.Normal(mu, scale).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return joint.logsumexp(1), joint.log_softmax(1)


# %% owners-without-weights wrong="density-and-owner" fails="responsibilities,extremes"
# A responsibility is weight times density over the sum: the weights count too.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    return (logits.log_softmax(0) + parts).logsumexp(1), parts.log_softmax(1)


# %% normalised-over-points wrong="density-and-owner" fails="responsibilities,extremes"
# Each row of responsibilities sums to 1, over the components: normalise along dimension 1.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return joint.logsumexp(1), joint.log_softmax(0)


# %% probabilities-returned wrong="density-and-owner" fails="responsibilities,extremes"
# The logarithms of the responsibilities are asked for.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return joint.logsumexp(1), joint.softmax(1)


# %% nearest-component-only wrong="density-and-owner" fails="density,extremes,gradient"
# The density is the sum over all components, not that of the best one.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return joint.max(1).values, joint.log_softmax(1)


# %% constant-dropped wrong="density-and-owner" fails="density,extremes"
# The constant of the Normal is missing, half of log 2 pi for each entry.
def density_and_owner(x, logits, mu, log_sigma):
    z = (x[:, None] - mu) / log_sigma.exp()
    joint = logits.log_softmax(0) - (0.5 * z**2 + log_sigma).sum(2)
    return joint.logsumexp(1), joint.log_softmax(1)


# %% floor-under-log wrong="density-and-owner" fails="extremes,gradient,responsibilities"
# A floor under the density makes all far points equally probable, and kills their gradient.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = (logits.log_softmax(0) + parts).clamp(min=-690)
    return joint.logsumexp(1), joint.log_softmax(1)


# %% squares-expanded wrong="density-and-owner" fails="extremes,gradient"
# x^2 - 2 x mu + mu^2 cancels where points lie close to a narrow component: subtract first.
def density_and_owner(x, logits, mu, log_sigma):
    precision = (-2 * log_sigma).exp()
    square = x**2 @ precision.T - 2 * x @ (mu * precision).T + (mu**2 * precision).sum(1)
    constant = (log_sigma + 0.5 * math.log(2 * math.pi)).sum(1)
    joint = logits.log_softmax(0) - 0.5 * square - constant
    return joint.logsumexp(1), joint.log_softmax(1)


# %% squeezed wrong="density-and-owner" fails="density,responsibilities"
# squeeze drops every dimension of size 1, also a batch of one row.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.log_softmax(0) + parts
    return joint.logsumexp(1).squeeze(), joint.log_softmax(1).squeeze()


# %% detached-weights wrong="density-and-owner" fails="gradient"
# The weights are trained, too: no detach, no rebuilding of tensors from numbers.
def density_and_owner(x, logits, mu, log_sigma):
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2)
    joint = logits.detach().log_softmax(0) + parts
    return joint.logsumexp(1) + 0 * logits.nan_to_num(0, 0, 0).sum(), joint.log_softmax(1)


# %% solution.detach-one equivalent="density-and-owner"
# `return (log_p, (joint - log_p[:, None]).detach())`
# Only the gradient of the log-density is asked for.


# %% [markdown]
# ## careful-em


# %% by-distribution right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    normal = torch.distributions.Normal(mu, var.sqrt())
    joint = normal.log_prob(x.unsqueeze(1)) + torch.log(pi)
    r = torch.exp(joint - joint.logsumexp(1, keepdim=True))
    N = r.sum(dim=0)
    means, variances = mu.clone(), var.clone()
    for k in range(len(pi)):
        if N[k] > 0:
            means[k] = (r[:, k] @ x) / N[k]
        if N[k] + c > 0:
            variances[k] = (r[:, k] @ (x - means[k]) ** 2 + c * s2) / (N[k] + c)
    return N / len(x), means, variances


# %% by-pseudo-points right="careful-em"
def careful_em_step(x, pi, mu, var, c, s2):
    quad = (x - mu[:, None]).square() / var[:, None] + var.log()[:, None] - 2 * pi.log()[:, None]
    r = torch.softmax(-0.5 * quad, dim=0)  # (K, n)
    N = r.sum(1)
    shift = torch.nan_to_num((r * (x - mu[:, None])).sum(1) / N)  # 0 / 0 for an unused one
    here = torch.nan_to_num((r * (x - mu[:, None] - shift[:, None]).square()).sum(1) / N)
    trust = torch.nan_to_num(N / (N + c), nan=-1.0)  # the share of real points in the variance
    return N / N.sum(), mu + shift, torch.where(trust < 0, var, trust * here + (1 - trust) * s2)


# %% point-by-point right="careful-em" oracle=True
def careful_em_step(x, pi, mu, var, c, s2):
    # plain Python numbers; a variance by pairs of points, which needs no mean at all
    points, K = x.tolist(), len(pi)
    shares, centres, widths = pi.tolist(), mu.tolist(), var.tolist()
    owned = [[] for _ in range(K)]
    for value in points:
        log_joint = [
            math.log(share) - math.log(width) / 2 - (value - centre) * (value - centre) / width / 2
            if share > 0.0
            else -math.inf
            for share, centre, width in zip(shares, centres, widths, strict=True)
        ]
        top = max(log_joint)
        parts = [math.exp(entry - top) for entry in log_joint]
        for k, part in enumerate(parts):
            owned[k].append(part / math.fsum(parts))
    result = []
    for k, own in enumerate(owned):
        amount = math.fsum(own)
        if amount == 0.0:
            result.append((0.0, centres[k], s2 if c else widths[k]))
            continue
        origin = points[0]
        centre = origin + math.fsum(o * (p - origin) for o, p in zip(own, points)) / amount
        spread = math.fsum(o * (p - centre) ** 2.0 for o, p in zip(own, points))
        result.append((amount / len(points), centre, (spread + c * s2) / (amount + c)))
    return tuple(torch.tensor(column, dtype=x.dtype) for column in zip(*result, strict=True))


# %% solution.change-number equivalent="careful-em"
# `safe = torch.where(used, count, 2.0)`
# What an unused component is divided by does not matter: it keeps its mean.

# %% by-pseudo-points.change-number equivalent="careful-em"
# `trust = torch.nan_to_num(N / (N + c), nan=-2.0)`
# Any negative number marks the components that keep their variance.


# %% point-by-point.end-loop-early equivalent="careful-em"
# `... dtype=x.dtype) for column in list(zip(*result, strict=True))[:5]))`
# There are three results.


# %% old-means-in-variance wrong="careful-em" fails="variances,unused,far points"
# The variance is taken around the new means, not around the old ones.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * x[:, None]).sum(0) / safe, mu)
    spread = (r * (x[:, None] - mu) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% weights-left-out wrong="careful-em" fails="weights,means,variances,unused,far points"
# The responsibilities need the weights, not only the densities.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (-0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% scale-left-out wrong="careful-em" fails="weights,means,variances,unused,far points"
# A Normal's density has 1 / sigma in front: narrow components are higher.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% variance-as-deviation wrong="careful-em" fails="weights,means,variances,unused,far points"
# var holds variances: the square of the distance is divided by var, not by its square.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - var.log() - 0.5 * ((x[:, None] - mu) / var) ** 2).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% hard-assignment wrong="careful-em" fails="weights,means,variances,unused,far points"
# That is k-means: a point belongs to all components, in the proportion of its responsibilities.
def careful_em_step(x, pi, mu, var, c, s2):
    joint = pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var
    r = torch.nn.functional.one_hot(joint.argmax(1), len(pi)).double()
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% no-prior wrong="careful-em" fails="variances,unused,far points"
# The prior is missing: c points at the squared distance s2 enter every variance.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0)
    return N / len(x), means, torch.where(N > 0, spread / safe, var)


# %% prior-not-counted wrong="careful-em" fails="variances,unused,far points"
# The c points of the prior count in the denominator, too: divide by N + c.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N > 0, spread / safe, var)


# %% prior-on-weights-too wrong="careful-em" fails="weights,unused,far points"
# Weights get no prior: they are N over n.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return (N + c) / (N + c).sum(), means, torch.where(N + c > 0, spread / (N + c), var)


# %% a-floor-for-a-prior wrong="careful-em" fails="variances,unused,far points"
# A floor under the variance is something else than the prior, which pulls every variance.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) / safe
    return N / len(x), means, torch.where(N > 0, spread.clamp(min=s2 if c else 0), var)


# %% densities-not-logs wrong="careful-em" fails="far points"
# Far from all components every density rounds to 0, and 0 / 0 is nan: work with logarithms.
def careful_em_step(x, pi, mu, var, c, s2):
    p = pi * torch.exp(-0.5 * (x[:, None] - mu) ** 2 / var) / var.sqrt()
    r = p / p.sum(1, keepdim=True)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% a-grain-against-zero wrong="careful-em" fails="far points"
# A small number in the denominator takes the far points away from all components.
def careful_em_step(x, pi, mu, var, c, s2):
    p = pi * torch.exp(-0.5 * (x[:, None] - mu) ** 2 / var) / var.sqrt()
    r = p / (p.sum(1, keepdim=True) + 1e-300)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% square-minus-square wrong="careful-em" fails="variances"
# The mean of squares minus the square of the mean cancels when the data are far from 0.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * x[:, None]).sum(0) / safe, mu)
    spread = (r * x[:, None] ** 2).sum(0) - N * means**2 + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% unused-gives-nan wrong="careful-em" fails="unused,far points"
# An unused component gives 0 / 0: it keeps its mean, and without a prior its variance.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    means = (r * (x[:, None] - mu)).sum(0) / N + mu
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, spread / (N + c)


# %% unused-goes-to-zero wrong="careful-em" fails="means,variances,unused,far points"
# A small number in the denominator sends an unused component to 0: it keeps its mean.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    means = (r * x[:, None]).sum(0) / (N + 1e-300)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% unused-restarts wrong="careful-em" fails="unused,far points"
# An unused component with a prior has the variance s2, by the formula with N = 0.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(N > 0, spread / (safe + c), var)


# %% few-points-are-none wrong="careful-em" fails="means,variances"
# A small responsibility is one: only exactly 0 makes a component unused.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    used = N > 1e-6
    safe = torch.where(used, N, 1.0)
    means = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2
    return N / len(x), means, torch.where(used, spread / (N + c), s2 if c else var)


# %% deviation-of-prior wrong="careful-em" fails="variances,unused,far points"
# s2 is the square of a distance already.
def careful_em_step(x, pi, mu, var, c, s2):
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    N = r.sum(0)
    safe = torch.where(N > 0, N, 1.0)
    means = torch.where(N > 0, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - means) ** 2).sum(0) + c * s2**2
    return N / len(x), means, torch.where(N + c > 0, spread / (N + c), var)


# %% rare-weights-off wrong="careful-em" fails="far points"
# A tiny weight still counts where no other component is near: only a weight of exactly 0 is none.
def careful_em_step(x, pi, mu, var, c, s2):
    pi = torch.where(pi < 1e-12, 0.0, pi)
    r = (pi.log() - 0.5 * var.log() - 0.5 * (x[:, None] - mu) ** 2 / var).softmax(1)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, 1.0)
    new_mu = torch.where(used, (r * (x[:, None] - mu)).sum(0) / safe + mu, mu)
    spread = (r * (x[:, None] - new_mu) ** 2).sum(0) + c * s2
    new_var = torch.where(used | (c > 0), spread / (torch.where(used, count, 0.0) + c), var)
    return count / len(x), new_mu, new_var


# %% solution.squeeze-before equivalent="careful-em"
# `spread = (r * (x[:, None] - new_mu) ** 2).squeeze().sum(0) + c * s2`
# The new mean of a single point is that point, so there is no spread to add up.


# %% [markdown]
# ## holey-loss


# %% row-by-row right="holey-loss"
def holey_loss(raw, y):
    D = y.shape[1]
    K = raw.shape[1] // (2 * D + 1)
    losses = []
    for row, target in zip(raw, y, strict=True):
        known = target.isfinite()
        mu = row[K : K + K * D].view(K, D)[:, known]
        scale = row[K + K * D :].view(K, D)[:, known].exp()
        log_p = torch.distributions.Normal(mu, scale).log_prob(target[known]).sum(1)
        losses.append(-torch.logsumexp(log_p + row[:K].log_softmax(0), 0))
    return torch.stack(losses).mean()


# %% by-mixture-same-family right="holey-loss"
def holey_loss(raw, y):
    n, D = y.shape
    K = (raw.shape[1]) // (1 + 2 * D)
    parts = raw[:, K:].reshape(n, 2, K, D)
    gone = y.isnan()
    dist = torch.distributions
    stand_in = gone[:, None]  # a standard Normal at 0, whose log-density is known
    mu = torch.where(stand_in, 0.0, parts[:, 0])
    scale = torch.where(stand_in, 0.0, parts[:, 1]).exp()
    mixture = dist.MixtureSameFamily(
        dist.Categorical(logits=raw[:, :K]), dist.Independent(dist.Normal(mu, scale), 1)
    )
    log_p = mixture.log_prob(torch.nan_to_num(y)) + gone.sum(1) * math.log(2 * math.pi) / 2
    return -log_p.mean()


# %% by-einsum right="holey-loss"
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, rest = raw[:, :K], raw[:, K:]
    mu, log_sigma = rest.view(n, 2 * K, D).chunk(2, dim=1)
    known = y.isfinite().to(raw.dtype)
    filled = torch.nan_to_num(y)
    quad = ((filled[:, None] - mu) * torch.exp(-log_sigma)) ** 2 + 2 * log_sigma
    joint = logits - 0.5 * torch.einsum("nkd,nd->nk", quad + math.log(2 * math.pi), known)
    return (logits.logsumexp(1) - joint.logsumexp(1)).mean()


# %% by-the-chain-rule right="holey-loss" oracle=True
def holey_loss(raw, y):
    # one number after the other: log p(y_d | y_1 .. y_(d-1)), with responsibilities as weights
    width = y.shape[1]
    parts = raw.shape[1] // (2 * width + 1)
    total = []
    for i in range(len(y)):
        belief = torch.log_softmax(raw[i, :parts], dim=0)
        for d in range(width):
            if torch.isnan(y[i, d]):
                continue
            centre = raw[i, parts + d : parts + parts * width : width]
            spread = torch.exp(raw[i, parts + parts * width + d :: width])
            updated = belief + torch.distributions.Normal(centre, spread).log_prob(y[i, d])
            total.append(torch.logsumexp(updated, dim=0))
            belief = torch.log_softmax(updated, dim=0)
    if not total:
        return raw.sum() * 0.0
    return torch.stack(total).sum().div(-len(y))


# %% solution.change-number equivalent="holey-loss"
# `z = (torch.where(there, y, 1.0)[:, None] - mu) / log_sigma.exp()`
# Which number stands in for a hole does not matter: its density is not used.

# %% by-the-chain-rule.swap-function equivalent="holey-loss"
# `return raw.mean() * 0.0`
# Sum and mean are both multiplied by 0.

# %% by-the-chain-rule.narrow-result equivalent="holey-loss"
# `return (raw.sum() * 0.0).half().double()`
# The result is 0, which float16 holds exactly.


# %% solution.detach-input equivalent="holey-loss"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% rows-dropped wrong="holey-loss" fails="holes,gradient,extremes"
# A row with a hole still says something: integrate the hole out, keep the rest.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    whole = ~y.isnan().any(1)
    parts = torch.distributions.Normal(
        mu.reshape(n, K, D)[whole], log_sigma.reshape(n, K, D)[whole].exp()
    ).log_prob(y[whole][:, None])
    joint = logits[whole].log_softmax(1) + parts.sum(2)
    return -joint.logsumexp(1).sum() / n


# %% zero-for-nan wrong="holey-loss" fails="holes,gradient,extremes"
# A hole is no measurement of 0: its density does not count at all.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = normal.log_prob(y.nan_to_num(0.0)[:, None])
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% mean-for-nan wrong="holey-loss" fails="holes,gradient,extremes"
# Filling a hole with a mean adds a density that nobody measured: leave it out.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    mu, scale = mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp()
    filled = torch.where(y.isnan()[:, None], mu, y[:, None])
    parts = torch.distributions.Normal(mu, scale).log_prob(filled)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% nan-through-where wrong="holey-loss" fails="gradient"
# torch.where hides nan in values, not in gradients: replace the nan before you compute with it.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    z = (y[:, None] - mu.reshape(n, K, D)) / log_sigma.reshape(n, K, D).exp()
    each = -0.5 * z**2 - log_sigma.reshape(n, K, D) - 0.5 * math.log(2 * math.pi)
    each = torch.where(y.isnan()[:, None], 0.0, each)
    return -(logits.log_softmax(1) + each.sum(2)).logsumexp(1).mean()


# %% nanmean wrong="holey-loss" fails="holes,value,gradient,extremes"
# Entries of one vector multiply: sum the log-densities of what was measured, no mean.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    parts = parts.sum(2) / there.sum(1, keepdim=True).clamp(min=1)
    return -(logits.log_softmax(1) + parts).logsumexp(1).mean()


# %% unmeasured-rows-not-counted wrong="holey-loss" fails="holes,gradient,extremes"
# The mean is over all n examples, those without a measurement included.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    log_p = (logits.log_softmax(1) + parts.sum(2)).logsumexp(1)
    return -log_p.sum() / there.any(1).sum().clamp(min=1)


# %% transposed-layout wrong="holey-loss" fails="value,holes,gradient,extremes"
# The numbers of component 0 come first: reshape to (n, K, D), not to (n, D, K).
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    mu, log_sigma = (t.reshape(n, D, K).transpose(1, 2) for t in (mu, log_sigma))
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu, log_sigma.exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% mixture-for-each-entry wrong="holey-loss" fails="value,holes,gradient,extremes"
# One component makes the whole vector: sum over entries first, then mix.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = normal.log_prob(y.nan_to_num(0.0)[:, None])
    log_p = (logits.log_softmax(1)[..., None] + parts).logsumexp(1)
    return -torch.where(there, log_p, 0.0).sum(1).mean()


# %% exponentials wrong="holey-loss" fails="extremes,gradient"
# exp of a far target's log-density is 0, and its logarithm -inf: use logsumexp.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.softmax(1) * parts.sum(2).exp()).sum(1).log().mean()


# %% average-loss-of-components wrong="holey-loss" fails="value,holes,gradient,extremes"
# The weighted mean of the components' losses is an upper bound of the loss: mix densities.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.softmax(1) * parts.sum(2)).sum(1).mean()


# %% logits-not-normalised wrong="holey-loss" fails="value,holes,gradient,extremes"
# Logits are no log-weights yet: normalise them with log_softmax.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits + parts.sum(2)).logsumexp(1).mean()


# %% summed wrong="holey-loss" fails="value,holes,gradient,extremes"
# The mean over the examples is asked for, not the sum.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), log_sigma.reshape(n, K, D).exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).sum()


# %% clamped-scale wrong="holey-loss" fails="extremes,gradient"
# A floor under the scale changes narrow components: the log scales may be as low as -15.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw.split([K, K * D, K * D], 1)
    scale = log_sigma.reshape(n, K, D).exp().clamp(min=1e-4)
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu.reshape(n, K, D), scale)
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% means-beside-scales wrong="holey-loss" fails="value,holes,gradient,extremes"
# All means come first, then all log standard deviations: they do not alternate by component.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // (1 + 2 * D)
    logits, mu, log_sigma = raw[:, :K], *raw[:, K:].reshape(n, K, 2, D).unbind(2)
    there = ~y.isnan()
    parts = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(y.nan_to_num(0.0)[:, None])
    parts = torch.where(there[:, None], parts, 0.0)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% three-numbers-each wrong="holey-loss" fails="value,holes,gradient,extremes"
# A component has one logit, D means and D scales: K is the width over 1 + 2 D, not over 3.
def holey_loss(raw, y):
    n, D = y.shape
    K = raw.shape[1] // 3
    logits, mu, log_sigma = raw[:, :K], raw[:, K : 2 * K], raw[:, 2 * K : 3 * K]
    there = ~y.isnan()
    normal = torch.distributions.Normal(mu[..., None], log_sigma[..., None].exp())
    parts = torch.where(there[:, None], normal.log_prob(y.nan_to_num(0.0)[:, None]), 0.0)
    return -(logits.log_softmax(1) + parts.sum(2)).logsumexp(1).mean()


# %% [markdown]
# ## given-x


# %% by-precision right="given-x"
def given_x(x, pi, mu, cov):
    scale = cov.diagonal(dim1=1, dim2=2).sqrt()  # (K, 2), so that the inverse is harmless
    P = torch.linalg.inv(cov / (scale[:, :, None] * scale[:, None, :]))
    z = (x[:, None] - mu[:, 0]) / scale[:, 0]
    means = mu[:, 1] - scale[:, 1] * (P[:, 0, 1] / P[:, 1, 1]) * z
    variances = (scale[:, 1] ** 2 / P[:, 1, 1]).repeat(len(x), 1)
    log_w = torch.log_softmax(pi.log() - scale[:, 0].log() - z**2 / 2, dim=1)
    return log_w, means, variances


# %% by-correlation right="given-x"
def given_x(x, pi, mu, cov):
    sx, sy = cov[:, 0, 0].sqrt(), cov[:, 1, 1].sqrt()
    rho = cov[:, 0, 1] / (sx * sy)
    x_part = torch.distributions.Normal(mu[:, 0], sx)
    joint = x_part.log_prob(x[:, None]) + pi.log()
    means = mu[:, 1] + rho * sy * (x[:, None] - mu[:, 0]) / sx
    variances = torch.ones_like(means) * sy**2 * (1 - rho) * (1 + rho)
    return joint - joint.logsumexp(1, keepdim=True), means, variances


# %% by-cholesky right="given-x"
def given_x(x, pi, mu, cov):
    L = torch.linalg.cholesky(cov)
    z = (x[:, None] - mu[None, :, 0]) / L[:, 0, 0]
    log_w = (pi.log() - L[:, 0, 0].log() - z.square() / 2).log_softmax(1)
    variances = L[:, 1, 1].square().expand_as(z)
    return log_w, mu[:, 1] + L[:, 1, 0] * z, variances


# %% by-slicing-the-joint-density right="given-x" oracle=True
def given_x(x, pi, mu, cov):
    # along y the log joint density is a parabola: three points of it tell mean, variance, weight
    n, K = len(x), len(pi)
    found = [torch.zeros(n, K, dtype=x.dtype) for _ in "wmv"]
    points, centres, spreads = x.tolist(), mu.tolist(), cov.tolist()
    for i in range(n):
        for k in range(K):
            (a, b), (_, d) = spreads[k]
            v, u = centres[k][1], points[i] - centres[k][0]
            det = a * d * (1.0 - b / a * b / d)
            # minus twice the exponent, up to a constant, at -h and at h (and 0 at 0)
            h = math.sqrt(d)
            low, high = ((a * t - 2.0 * b * u) * t / det for t in (-h, h))
            bend = (low + high) / d
            start = (low - high) / 2.0 / h / bend
            found[1][i, k] = v + start
            found[2][i, k] = 2.0 / bend
            weight = math.log(pi[k]) if pi[k] > 0 else -math.inf
            found[0][i, k] = weight - math.log(det) / 2.0 - math.log(bend) / 2.0 - u * u / a / 2.0
    for i in range(n):
        top = found[0][i].max().item()
        total = math.fsum(math.exp(entry - top) for entry in found[0][i].tolist())
        found[0][i] = torch.sub(found[0][i] - top, math.log(total))
    return found[0], found[1], found[2]


# %% by-slicing-the-joint-density.end-loop-early equivalent="given-x"
# `found = [torch.zeros(n, K, dtype=x.dtype) for _ in list('wmv')[:5]]`
# There are three results.


# %% weights-unchanged wrong="given-x" fails="weights,far away"
# The weights depend on x: a component that makes this x often counts more.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    return pi.log().expand_as(gap), mu[:, 1] + slope * gap, variances


# %% weights-without-pi wrong="given-x" fails="weights,far away"
# The weights of the joint mixture count, too: pi times the density of x.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = -0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% weights-without-width wrong="given-x" fails="weights,far away"
# The density of x has 1 / sigma in front: wide components are lower.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% not-normalised wrong="given-x" fails="weights,far away"
# Weights sum to 1: divide by the density of x, all components together.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    normal = torch.distributions.Normal(mu[:, 0], cov[:, 0, 0].sqrt())
    return pi.log() + normal.log_prob(x[:, None]), mu[:, 1] + slope * gap, variances


# %% variance-as-deviation wrong="given-x" fails="weights,far away"
# The diagonal of a covariance matrix holds variances: take the root for a standard deviation.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    normal = torch.distributions.Normal(mu[:, 0], cov[:, 0, 0])
    joint = pi.log() + normal.log_prob(x[:, None])
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% means-unchanged wrong="given-x" fails="means,far away"
# Given x, the means move along the regression lines of the components.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1].expand_as(gap), variances


# %% slope-upside-down wrong="given-x" fails="means,variances,far away"
# The slope of y on x is the covariance over the variance of x, not of y.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 1, 1]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% correlation-as-slope wrong="given-x" fails="means,variances,far away"
# A slope has units, those of y per x: the correlation alone is not enough.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    rho = cov[:, 0, 1] / (cov[:, 0, 0] * cov[:, 1, 1]).sqrt()
    variances = (1 - rho**2).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + rho * gap, variances


# %% marginal-variance wrong="given-x" fails="variances,far away"
# Knowing x makes y less uncertain: subtract what the regression line explains.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, cov[:, 1, 1].expand_as(gap)


# %% deviations-returned wrong="given-x" fails="variances,far away"
# The variances are asked for, not their roots.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances.sqrt()


# %% y-for-x wrong="given-x" fails="weights,means,variances,far away"
# The pairs are (x, y): index 0 is x, index 1 is y.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 1]
    slope = cov[:, 0, 1] / cov[:, 1, 1]
    variances = (cov[:, 0, 0] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 1, 1].log() - 0.5 * gap**2 / cov[:, 1, 1]
    return joint.log_softmax(1), mu[:, 0] + slope * gap, variances


# %% log-of-ratio wrong="given-x" fails="far away"
# Far from all components every density rounds to 0: normalise logarithms.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    p = pi * (-0.5 * gap**2 / cov[:, 0, 0]).exp() / cov[:, 0, 0].sqrt()
    return (p / p.sum(1, keepdim=True)).log(), mu[:, 1] + slope * gap, variances


# %% weights-floored wrong="given-x" fails="weights,far away"
# A floor under pi gives a component of weight 0 a weight.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = (pi + 1e-8).log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% one-row-of-variances wrong="given-x" fails="variances,far away"
# A row for each x is asked for, though the variances do not depend on x.
def given_x(x, pi, mu, cov):
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    variances = cov[:, 1, 1] - slope * cov[:, 0, 1]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% ridge wrong="given-x" fails="weights,means,variances,far away"
# A small number on the diagonal changes covariances that are small: they are definite as they are.
def given_x(x, pi, mu, cov):
    cov = cov + 1e-6 * torch.eye(2, dtype=cov.dtype)
    gap = x[:, None] - mu[:, 0]
    slope = cov[:, 0, 1] / cov[:, 0, 0]
    variances = (cov[:, 1, 1] - slope * cov[:, 0, 1]).expand_as(gap)
    joint = pi.log() - 0.5 * cov[:, 0, 0].log() - 0.5 * gap**2 / cov[:, 0, 0]
    return joint.log_softmax(1), mu[:, 1] + slope * gap, variances


# %% [markdown]
# ## mixture-draws


# %% by-searchsorted right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    upper = torch.softmax(logits / tau, dim=1).cumsum(1)
    place = torch.searchsorted(upper, u.unsqueeze(1), right=True)
    rows, chosen = torch.arange(len(u)), place[:, 0].clamp(max=mu.shape[1] - 1)
    return mu[rows, chosen] + sigma[rows, chosen] * tau**0.5 * z


# %% by-one-hot right="mixture-draws"
def draw(logits, mu, sigma, tau, u, z):
    weights = torch.exp(logits / tau - torch.logsumexp(logits / tau, 1, keepdim=True))
    upper = torch.cumsum(weights, 1)
    upper = torch.cat([upper[:, :-1], torch.full_like(upper[:, -1:], math.inf)], 1)
    lower = torch.cat([torch.zeros_like(upper[:, :1]), upper[:, :-1]], 1)
    inside = (lower <= u[:, None]) & (u[:, None] < upper)
    return torch.where(inside, mu + (tau**0.5 * z)[:, None] * sigma, 0.0).sum(1)


# %% row-by-row right="mixture-draws" oracle=True
def draw(logits, mu, sigma, tau, u, z):
    # the weights are taken away from u one after the other, until nothing is left
    draws = []
    for i in range(len(u)):
        row = [entry / tau for entry in logits[i].tolist()]
        top = max(row)
        sizes = [math.exp(entry - top) for entry in row]
        rest, chosen = u[i].item() * math.fsum(sizes), 0
        while chosen < len(row) - 1 and rest >= sizes[chosen]:
            rest -= sizes[chosen]
            chosen += 1
        noise = torch.mul(z[i], math.sqrt(tau))
        draws.append(torch.addcmul(mu[i, chosen], sigma[i, chosen], noise))
    return torch.stack(draws) if draws else torch.empty(0, dtype=mu.dtype)


# %% row-by-row.drop-term equivalent="mixture-draws"
# `while chosen < len(row) and rest >= sizes[chosen]:`
# With an exact sum of the weights the last one always exceeds what is left.

# %% row-by-row.flip-sign equivalent="mixture-draws"
# `while chosen < len(row) + 1 and rest >= sizes[chosen]:`
# With an exact sum of the weights the last one always exceeds what is left.


# %% solution.detach-input equivalent="mixture-draws"
# `logits = logits.detach()`
# Gradients with respect to mu and sigma alone are asked for.

# %% solution.detach-input equivalent="mixture-draws"
# `u = u.detach()`
# Gradients with respect to mu and sigma alone are asked for.

# %% solution.detach-input equivalent="mixture-draws"
# `z = z.detach()`
# Gradients with respect to mu and sigma alone are asked for.


# %% mean-of-components wrong="mixture-draws" fails="value,temperature,edges,gradient"
# The weighted mean of all components is no draw of the mixture: choose one of them.
def draw(logits, mu, sigma, tau, u, z):
    weights = (logits / tau).softmax(1)
    return (weights * (mu + tau**0.5 * sigma * z[:, None])).sum(1)


# %% most-likely-component wrong="mixture-draws" fails="value,temperature,edges,gradient"
# argmax always takes the likeliest component: u decides, in proportion to the weights.
def draw(logits, mu, sigma, tau, u, z):
    chosen = logits.argmax(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% weights-of-the-first-row wrong="mixture-draws" fails="value,temperature,edges,gradient"
# Every example has its own weights: these are those of the first one.
def draw(logits, mu, sigma, tau, u, z):
    if not len(u):
        return u
    upper = (logits[0] / tau).softmax(0).cumsum(0)[:-1]
    chosen = (u[:, None] >= upper).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% temperature-on-deviation wrong="mixture-draws" fails="temperature,edges,gradient"
# The variance is multiplied by tau, so the standard deviation by its root.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau * sigma.gather(1, chosen)[:, 0] * z


# %% temperature-on-weights-only wrong="mixture-draws" fails="temperature,edges,gradient"
# The temperature acts on the variances, too.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + sigma.gather(1, chosen)[:, 0] * z


# %% temperature-on-noise-only wrong="mixture-draws" fails="gradient,temperature"
# The temperature acts on the weights, too: divide the logits by it.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= logits.softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% temperature-multiplied wrong="mixture-draws" fails="gradient,temperature"
# A low temperature sharpens the weights: divide the logits by tau, do not multiply.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits * tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% root-of-sigma wrong="mixture-draws" fails="value,temperature,edges,gradient"
# sigma is a standard deviation already: multiply the noise by it, without a root.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + (tau * sigma.gather(1, chosen)[:, 0]).sqrt() * z


# %% exp-of-logits wrong="mixture-draws" fails="edges"
# exp of a large logit overflows: use softmax.
def draw(logits, mu, sigma, tau, u, z):
    weights = (logits / tau).exp()
    upper = (weights / weights.sum(1, keepdim=True)).cumsum(1)[:, :-1]
    chosen = (u[:, None] >= upper).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% lower-end-too wrong="mixture-draws" fails="edges"
# With <= a u of 0 draws a component of weight 0: the cumulative weight must exceed u.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] > (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% first-if-none wrong="mixture-draws" fails="edges"
# Where no cumulative weight exceeds u, argmax of all False is 0: that case is the last component.
def draw(logits, mu, sigma, tau, u, z):
    below = u[:, None] < (logits / tau).softmax(1).cumsum(1)
    chosen = below.int().argmax(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% past-the-end wrong="mixture-draws" fails="edges"
# The weights may sum to a hair less than 1: then the index runs past the last component.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% single-precision-weights wrong="mixture-draws" fails="edges"
# float32 rounds u of nearly 1 to 1, and loses the last digits of the weights: stay in float64.
def draw(logits, mu, sigma, tau, u, z):
    upper = (logits / tau).float().softmax(1).cumsum(1)
    chosen = (u[:, None].float() >= upper).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% one-too-far wrong="mixture-draws" fails="value,temperature,edges,gradient"
# Components count from 0: the first cumulative weight above u has the index of its component.
def draw(logits, mu, sigma, tau, u, z):
    upper = (logits / tau).softmax(1).cumsum(1)
    chosen = (u[:, None] >= upper).sum(1, keepdim=True) + 1
    chosen = chosen.clamp(max=mu.shape[1] - 1)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% weights-in-order-of-size wrong="mixture-draws" fails="value,temperature,edges,gradient"
# Sorted weights no longer belong to their components: keep their order.
def draw(logits, mu, sigma, tau, u, z):
    upper = (logits / tau).softmax(1).sort(1, descending=True).values.cumsum(1)
    chosen = (u[:, None] >= upper[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% squeezed wrong="mixture-draws" fails="value,temperature,edges"
# squeeze drops every dimension of size 1, also a batch of one example.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1, keepdim=True)
    centre, scale = mu.gather(1, chosen).squeeze(), sigma.gather(1, chosen).squeeze()
    return (centre + tau**0.5 * scale * z.squeeze()).squeeze()


# %% detached wrong="mixture-draws" fails="gradient"
# .item() and torch.tensor cut the gradient: gather from mu and sigma themselves.
def draw(logits, mu, sigma, tau, u, z):
    chosen = (u[:, None] >= (logits / tau).softmax(1).cumsum(1)[:, :-1]).sum(1).tolist()
    rows = zip(mu.tolist(), sigma.tolist(), chosen, z.tolist(), strict=True)
    draws = [m[k] + tau**0.5 * s[k] * noise for m, s, k, noise in rows]
    return torch.tensor(draws, dtype=mu.dtype)


# %% grain-on-weights wrong="mixture-draws" fails="edges"
# A small number added to the weights draws components that have no weight.
def draw(logits, mu, sigma, tau, u, z):
    weights = (logits / tau).softmax(1) + 1e-8
    weights = weights / weights.sum(1, keepdim=True)
    chosen = (u[:, None] >= weights.cumsum(1)[:, :-1]).sum(1, keepdim=True)
    return mu.gather(1, chosen)[:, 0] + tau**0.5 * sigma.gather(1, chosen)[:, 0] * z


# %% [markdown]
# ## match-fits


# %% by-assignment right="match-fits"
def match_fits(reference, fits):
    from scipy.optimize import linear_sum_assignment

    order = []
    for fit in fits:
        cost = ((reference[:, None] - fit[None]) ** 2).sum(-1)
        order.append(torch.as_tensor(linear_sum_assignment(cost.numpy())[1]))
    order = torch.stack(order)
    return order, torch.stack([f[o] for f, o in zip(fits, order, strict=True)]).mean(0)


# %% by-loops right="match-fits"
def match_fits(reference, fits):
    chosen = []
    for fit in fits:
        chosen.append(
            min(
                itertools.permutations(range(len(fit))),
                key=lambda p, fit=fit: torch.norm(fit[list(p)] - reference).item(),
            )
        )
    total = sum(fit[list(p)] for fit, p in zip(fits, chosen, strict=True))
    return torch.tensor(chosen), total / len(fits)


# %% by-swaps right="match-fits" oracle=True
def match_fits(reference, fits):
    # best value for every set of partners already used, component by component
    R, K = fits.shape[:2]
    order = torch.zeros(R, K, dtype=torch.int64)
    average = torch.zeros_like(reference)
    for number in range(R):
        distance = torch.cdist(
            reference, fits[number], compute_mode="donot_use_mm_for_euclid_dist"
        )
        best = {frozenset(): (0.0, [])}
        for component in range(K):
            table = {}
            for used, (value, path) in best.items():
                for partner in set(range(K)).difference(used):
                    longer = value + distance[component, partner].item() ** 2
                    key = used.union([partner])
                    if key not in table or longer < table[key][0]:
                        table[key] = (longer, [*path, partner])
            best = table
        ((_, path),) = best.values()
        for component, partner in enumerate(path):
            order[number, component] = partner
            average[component] += fits[number, partner].div(R)
    return order, average


# %% solution.swap-function equivalent="match-fits"
# `cost = (fits[:, orders] - reference).square().mean((2, 3))`
# Sum and mean of the squared distances are smallest for the same order.

# %% by-assignment.swap-function equivalent="match-fits"
# `cost = ((reference[:, None] - fit[None]) ** 2).mean(-1)`
# Sum and mean of the squared distances are smallest for the same order.

# %% by-swaps.change-number equivalent="match-fits"
# `best = {frozenset(): (1.0, [])}`
# A constant that is added to every sum changes no order.


# %% nearest-for-each wrong="match-fits" fails="conflicts"
# Two components may want the same partner: each is used once, so minimise the sum.
def match_fits(reference, fits):
    order = torch.cdist(reference.expand_as(fits), fits).argmin(2)
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% greedy wrong="match-fits" fails="conflicts"
# First come, first served leaves bad partners to the last: compare the sums of whole orders.
def match_fits(reference, fits):
    order = []
    for fit in fits:
        free, row = list(range(len(fit))), []
        for centre in reference:
            row.append(min(free, key=lambda k: (fit[k] - centre).square().sum().item()))
            free.remove(row[-1])
        order.append(row)
    order = torch.tensor(order)
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% closest-pair-first wrong="match-fits" fails="conflicts"
# To fix the closest pair first can cost more than it saves: compare the sums of whole orders.
def match_fits(reference, fits):
    order = torch.zeros(fits.shape[:2], dtype=torch.int64)
    for r, fit in enumerate(fits):
        cost = torch.cdist(reference, fit) ** 2
        for _ in range(len(fit)):
            i, j = divmod(int(cost.argmin()), len(fit))
            order[r, i] = j
            cost[i], cost[:, j] = math.inf, math.inf
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% sorted-by-first-coordinate wrong="match-fits" fails="order,conflicts,average"
# Sorting by one coordinate matches numbers, not vectors, and never where that coordinate is equal.
def match_fits(reference, fits):
    rank = reference[:, 0].argsort().argsort()
    order = fits[:, :, 0].argsort(1)[:, rank]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% inverse-order wrong="match-fits" fails="order,conflicts"
# This tells for each component of a fit which one of the reference it is: invert it.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order.argsort(1), fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% average-not-ordered wrong="match-fits" fails="average"
# The average is over the matched components: put each fit in order first.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    return orders[cost.argmin(1)], fits.mean(0)


# %% average-with-inverse wrong="match-fits" fails="average"
# The average uses the order the wrong way round: component order[k] of the fit belongs to k.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order.argsort(1)[..., None].expand_as(fits)).mean(0)


# %% reference-averaged-in wrong="match-fits" fails="average"
# The reference is there for the order only: average the fits.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    ordered = fits.gather(1, order[..., None].expand_as(fits))
    return order, (ordered.sum(0) + reference) / (len(fits) + 1)


# %% distances-not-squared wrong="match-fits" fails="conflicts"
# The sum of the squared distances decides, not that of the distances.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum(3).sqrt().sum(2)
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% absolute-distances wrong="match-fits" fails="conflicts"
# Euclidean distances are squares added over the coordinates, not absolute values.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).abs().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% one-order-for-all wrong="match-fits" fails="order,conflicts,average"
# Every fit has an order of its own.
def match_fits(reference, fits):
    K = len(reference)
    orders = torch.tensor(list(itertools.permutations(range(K))))
    cost = (fits[:, orders] - reference).square().sum((2, 3)).sum(0)
    order = orders[cost.argmin()].repeat(len(fits), 1)
    return order, fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% order-as-floats wrong="match-fits" fails="order"
# An order is made of indices: return whole numbers of an integer type.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    return order.double(), fits.gather(1, order[..., None].expand_as(fits)).mean(0)


# %% average-in-float32 wrong="match-fits" fails="average"
# In float32 means far from zero lose the digits in which they differ: average in float64.
def match_fits(reference, fits):
    orders = torch.tensor(list(itertools.permutations(range(len(reference)))))
    cost = (fits[:, orders] - reference).square().sum((2, 3))
    order = orders[cost.argmin(1)]
    matched = fits.gather(1, order[..., None].expand_as(fits))
    return order, matched.float().mean(0).double()


# %% [markdown]
# ## alarm-thresholds


# %% by-binomial right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    s = torch.sort(scores).values
    k = math.floor(rate * (m + 1))
    j = int((stats.binom.cdf(range(m), m, rate) <= delta).sum())  # P(Beta(j + 1, m - j) > rate)
    return (s[k - 1] if k else -math.inf), (s[j - 1] if j else -math.inf)


# %% by-bisection right="alarm-thresholds"
def alarm_thresholds(scores, rate, delta):
    m, ascending = len(scores), sorted(scores.tolist())

    def largest(kept):  # the promise is kept up to some k, and broken from there on
        low, high = 0, m + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if kept(middle) else (low, middle)
        return ascending[low - 1] if low > 0 else -math.inf

    return (
        largest(lambda k: k / (m + 1) <= rate),
        largest(lambda k: stats.beta.ppf(1 - delta, k, m + 1 - k) <= rate),
    )


# %% by-counting right="alarm-thresholds" oracle=True
def alarm_thresholds(scores, rate, delta):
    # P(at most j of m uniforms lie below the rate), summed term by term from logarithms
    m = scores.numel()
    ranked = torch.sort(scores, descending=True).values.flip(0)
    averaged = math.nan
    for rank in range(m, 0, -1):
        if math.isnan(averaged) and rank <= rate * m + rate:
            averaged = ranked[rank - 1].item()
    total, sure, term = 0.0, -math.inf, m * math.log1p(-rate)
    for below in range(m):
        total += math.exp(term)
        if total > delta:
            break
        sure = ranked[below].item()
        term += math.log((m - below) / (below + 1)) + math.log(rate) - math.log1p(-rate)
    return -math.inf if math.isnan(averaged) else averaged, sure


# %% by-bisection.change-number equivalent="alarm-thresholds"
# `low, high = (0, m + 2)`
# The upper end of the search is above all candidates, one more or less.


# %% training-percentile wrong="alarm-thresholds" fails="average,too few"
# A quantile between two scores promises nothing for new data: take the k-th smallest score.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return torch.quantile(scores, rate), s[k - 1] if k else -math.inf


# %% rounded-up wrong="alarm-thresholds" fails="average,too few"
# One rank more breaks the promise: round rate (m + 1) down.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[min(math.ceil(rate * (m + 1)), m) - 1], s[k - 1] if k else -math.inf


# %% m-for-m-plus-one wrong="alarm-thresholds" fails="average,too few"
# The new measurement has m + 1 places among the m scores: count with m + 1.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = int(rate * m)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% index-from-zero wrong="alarm-thresholds" fails="average,surely,too few"
# The k-th smallest of a sorted list has the index k - 1.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = min(int(rate * (m + 1)), m - 1)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[j] if j else -math.inf, s[min(k, m - 1)] if k else -math.inf


# %% upper-tail wrong="alarm-thresholds" fails="average,surely,too few"
# An alarm rings for low densities: the threshold is among the smallest scores.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort(descending=True).values
    m = len(s)
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% not-sorted wrong="alarm-thresholds" fails="average,surely,too few"
# The scores come in any order: sort them before you count.
def alarm_thresholds(scores, rate, delta):
    m = len(scores)
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return scores[j - 1] if j else -math.inf, scores[k - 1] if k else -math.inf


# %% beta-upside-down wrong="alarm-thresholds" fails="surely,too few"
# The probability that must be small is that of a rate above the promise, the upper tail.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.cdf(rate, i, m + 1 - i) >= delta).sum())
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% beta-of-other-shape wrong="alarm-thresholds" fails="surely,too few"
# The ranks are off: the k-th smallest score goes with Beta(k, m + 1 - k), which sums to m + 1.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i + 1, m + 1 - i) <= delta).sum())
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% normal-approximation wrong="alarm-thresholds" fails="surely,too few"
# A Normal in place of the Beta is off where few alarms are expected: use the Beta itself.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = int(rate * (m + 1))
    width = math.sqrt(rate * (1 - rate) / m)
    k = int((m + 1) * (rate - stats.norm.ppf(1 - delta) * width))
    return s[j - 1] if j else -math.inf, s[min(k, m) - 1] if k > 0 else -math.inf


# %% delta-as-share wrong="alarm-thresholds" fails="surely,too few"
# delta is no part of the rate: it is a probability over calibration sets.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j, k = int(rate * (m + 1)), int(rate * (1 - delta) * (m + 1))
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% one-threshold-for-both wrong="alarm-thresholds" fails="surely,too few"
# On average is the weaker promise: one set in two breaks it.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    j = int(rate * (len(s) + 1))
    return s[j - 1] if j else -math.inf, s[j - 1] if j else -math.inf


# %% smallest-if-none wrong="alarm-thresholds" fails="average,surely,too few"
# If no score keeps the promise, the smallest does not either: return minus infinity.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    j = max(int(rate * (m + 1)), 1)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[j - 1], s[max(k, 1) - 1]


# %% last-if-none wrong="alarm-thresholds" fails="average,surely,too few"
# With k = 0 the index -1 is the largest score, and everything raises an alarm.
def alarm_thresholds(scores, rate, delta):
    s = scores.sort().values
    m = len(s)
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[int(rate * (m + 1)) - 1], s[k - 1]


# %% deduplicated wrong="alarm-thresholds" fails="average,surely"
# Equal scores count as often as they came.
def alarm_thresholds(scores, rate, delta):
    m, s = len(scores), scores.unique()
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    last = len(s)
    return s[min(j, last) - 1] if j else -math.inf, s[min(k, last) - 1] if k else -math.inf


# %% infinite-scores-dropped wrong="alarm-thresholds" fails="average,surely"
# A score of minus infinity is a score: it counts in m, and may be the threshold.
def alarm_thresholds(scores, rate, delta):
    s = scores[scores.isfinite()].sort().values
    m = len(s)
    j = int(rate * (m + 1))
    i = torch.arange(1, m + 1).numpy()
    k = int((stats.beta.sf(rate, i, m + 1 - i) <= delta).sum())
    return s[j - 1] if j else -math.inf, s[k - 1] if k else -math.inf


# %% ranks-in-float32 wrong="alarm-thresholds" fails="average"
# PyTorch compares whole numbers with a Python number in float32: make the ranks float64.
def alarm_thresholds(scores, rate, delta):
    ordered = scores.sort().values
    k = torch.arange(len(scores)) + 1
    exceeds = stats.beta(k.numpy(), (len(scores) + 1 - k).numpy()).sf(rate)
    on_average = int((k <= rate * (len(scores) + 1)).sum())
    surely = int((torch.from_numpy(exceeds) <= delta).sum())
    padded = torch.cat([ordered.new_full((1,), -math.inf), ordered])
    return padded[on_average], padded[surely]
