# %% [markdown]
# # Answers to assignment 06
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## raw-output-nll


# %% by-distribution right="raw-output-nll"
def raw_output_nll(raw, y):
    there = torch.isfinite(y)
    normal = torch.distributions.Normal(raw[there, 0], torch.exp(raw[there, 1] / 2))
    return -normal.log_prob(y[there]).mean()


# %% by-masked-sum right="raw-output-nll"
def raw_output_nll(raw, y):
    missing = torch.isnan(y)
    r = torch.where(missing, raw[:, 0].detach(), y) - raw[:, 0]  # clean before any arithmetic
    each = math.log(2 * math.pi) + raw[:, 1] + (r * torch.exp(-raw[:, 1] / 2)) ** 2
    return each.masked_fill(missing, 0).sum() / (~missing).sum() / 2


# %% by-loop right="raw-output-nll"
def raw_output_nll(raw, y):
    terms = []
    for (mu, log_var), target in zip(raw, y):
        if target == target:  # nan differs from itself
            z = (target - mu) * torch.exp(-0.5 * log_var)
            terms.append(0.5 * z.square() + 0.5 * log_var + 0.5 * math.log(2 * math.pi))
    return sum(terms) / len(terms)


# %% by-joint right="raw-output-nll" oracle=True
def raw_output_nll(raw, y):
    # log density of a multivariate normal with diagonal precision, over the rows that exist
    rows = [i for i, v in enumerate(y.tolist()) if not math.isnan(v)]
    location, scale = raw[rows][:, 0], (raw[rows][:, 1] / 2).exp().diag()
    joint = torch.distributions.MultivariateNormal(location, scale_tril=scale)
    return joint.log_prob(y[rows]).neg() / len(rows)


# %% by-masked-sum.change-number equivalent="raw-output-nll"
# `r = torch.where(missing, raw[:, 1].detach(), y) - raw[:, 0]`
# Any finite number may stand in for a missing target before its row is masked.


# %% solution.detach-input equivalent="raw-output-nll"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% log-variance-as-log-scale wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# exp of the log variance is a variance, not a standard deviation: take its square root.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return -torch.distributions.Normal(mu, log_var.exp()).log_prob(y[there]).mean()


# %% variance-not-log wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# Column 1 holds the logarithm of the variance, not the variance: it may be negative.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, var = raw[there].unbind(1)
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y[there] - mu) ** 2 / var)
    return nll.mean()


# %% softplus-scale wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# Softplus is another link: here the variance is the exponential of column 1.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, s = raw[there].unbind(1)
    scale = torch.nn.functional.softplus(s)
    return -torch.distributions.Normal(mu, scale).log_prob(y[there]).mean()


# %% log-term-dropped wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# The term log sigma is missing: without it, an infinite variance always looks best.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return 0.5 * (math.log(2 * math.pi) + (y[there] - mu) ** 2 * torch.exp(-log_var)).mean()


# %% log-term-not-halved wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# log sigma is half of the log variance: the factor 1/2 belongs to that term, too.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    z = (y[there] - mu) * torch.exp(-log_var / 2)
    return (0.5 * math.log(2 * math.pi) + log_var + 0.5 * z**2).mean()


# %% constant-dropped wrong="raw-output-nll" fails="value,range,missing targets"
# The constant log sqrt(2 pi) is missing: the text asks for every constant.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return 0.5 * (log_var + (y[there] - mu) ** 2 * torch.exp(-log_var)).mean()


# %% sum-over-rows wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# This is the sum over the measured targets; the text asks for their mean.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return -torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(y[there]).sum()


# %% columns-swapped wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# Column 0 is the mean and column 1 the log variance, not the other way round.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    log_var, mu = raw[there].unbind(1)
    return -torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(y[there]).mean()


# %% clamped wrong="raw-output-nll" fails="range"
# Outside a clamp the gradient is exactly 0 and the value is wrong: leave the log variance alone.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    scale = torch.exp(log_var.clamp(-10, 10) / 2)
    return -torch.distributions.Normal(mu, scale).log_prob(y[there]).mean()


# %% built-in-floor wrong="raw-output-nll" fails="range"
# F.gaussian_nll_loss lifts every variance to 1e-6 unless told otherwise: no floor is asked for.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return torch.nn.functional.gaussian_nll_loss(mu, y[there], log_var.exp(), full=True)


# %% epsilon-in-variance wrong="raw-output-nll" fails="range"
# A constant added to the variance makes sharp predictions wrong: exp is positive already.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    var = torch.exp(log_var) + 1e-12
    return 0.5 * (math.log(2 * math.pi) + var.log() + (y[there] - mu) ** 2 / var).mean()


# %% float32-inside wrong="raw-output-nll" fails="range"
# In float32 exp overflows above 88: keep the type of the inputs.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].float().unbind(1)
    squared = (y[there].float() - mu) ** 2
    return 0.5 * (math.log(2 * math.pi) + log_var + squared / torch.exp(log_var)).mean()


# %% missing-not-handled wrong="raw-output-nll" fails="missing targets"
# One nan makes the mean nan: leave rows without a target out.
def raw_output_nll(raw, y):
    mu, log_var = raw.unbind(1)
    return -torch.distributions.Normal(mu, (log_var / 2).exp(), False).log_prob(y).mean()


# %% masked-too-late wrong="raw-output-nll" fails="missing targets"
# The value ignores nan, the gradient does not: 0 times nan is nan. Remove such rows first.
def raw_output_nll(raw, y):
    mu, log_var = raw.unbind(1)
    each = 0.5 * (math.log(2 * math.pi) + log_var + (y - mu) ** 2 * torch.exp(-log_var))
    return torch.where(torch.isnan(y), 0.0, each).sum() / (~torch.isnan(y)).sum()


# %% missing-as-zero wrong="raw-output-nll" fails="missing targets"
# A missing target is not 0: leave its row out instead of filling it in.
def raw_output_nll(raw, y):
    mu, log_var = raw.unbind(1)
    squared = (torch.nan_to_num(y) - mu) ** 2
    return 0.5 * (math.log(2 * math.pi) + log_var + squared * torch.exp(-log_var)).mean()


# %% divided-by-all wrong="raw-output-nll" fails="missing targets"
# Rows without a target still count in the mean: divide by the number of measured ones.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    squared = (y[there] - mu) ** 2
    nll = 0.5 * (math.log(2 * math.pi) + log_var + squared * torch.exp(-log_var))
    return nll.sum() / len(y)


# %% filled-with-the-mean wrong="raw-output-nll" fails="missing targets"
# A missing target replaced by the predicted mean still pays log sigma: leave the row out.
def raw_output_nll(raw, y):
    mu, log_var = raw.unbind(1)
    r = torch.where(torch.isnan(y), mu.detach(), y) - mu
    return 0.5 * (math.log(2 * math.pi) + log_var + r**2 * torch.exp(-log_var)).mean()


# %% detached wrong="raw-output-nll" fails="gradient,range,missing targets"
# .item() and .detach() cut the gradient: return the tensor itself.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return -torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(y[there]).mean().item()


# %% half-dropped wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# This is twice the NLL without its constant: the best network is the same, the nats are not.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].unbind(1)
    return (log_var + (y[there] - mu) ** 2 * torch.exp(-log_var)).mean()


# %% rows-against-columns wrong="raw-output-nll" fails="value,gradient,range,missing targets"
# A column of shape (n, 1) against y of shape (n,) gives all n * n pairs: look at the shapes.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    mu, log_var = raw[there].split(1, dim=1)
    return -torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(y[there]).mean()


# %% targets-overwritten wrong="raw-output-nll" fails="missing targets"
# Filling in y in place changes the caller's data: the next call takes the filler for a target.
def raw_output_nll(raw, y):
    there = ~torch.isnan(y)
    y[~there] = 0.0
    mu, log_var = raw[there].unbind(1)
    return -torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(y[there]).mean()


# %% [markdown]
# ## beta-nll


# %% by-distribution right="beta-nll"
def beta_nll(y, mu, var, beta):
    surprise = -torch.distributions.Normal(mu, var.sqrt()).log_prob(y)
    with torch.no_grad():
        weight = torch.exp(beta * torch.log(var))
    return (surprise * weight).sum() / len(y)


# %% by-built-in right="beta-nll"
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, eps=0, reduction="none")
    return torch.mean(nll * var.clone().detach().pow(beta))


# %% by-data right="beta-nll"
def beta_nll(y, mu, var, beta):
    sigma = torch.sqrt(var)
    z = (y - mu) / sigma
    each = z * z / 2 + torch.log(sigma) + math.log(math.tau) / 2
    return torch.dot(sigma.data ** (2 * beta), each) / y.numel()


# %% by-rows right="beta-nll" oracle=True
def beta_nll(y, mu, var, beta):
    # one example at a time, the weight a Python number
    total = torch.zeros((), dtype=y.dtype)
    for i in range(y.shape[0]):
        one = torch.distributions.MultivariateNormal(mu[i : i + 1], var[i].reshape(1, 1))
        total = total - var[i].item() ** beta * one.log_prob(y[i : i + 1])
    return total / y.shape[0]


# %% solution.swap-arguments equivalent="beta-nll"
# `def beta_nll(mu, y, var, beta):`
# A Normal depends on y and mu through the square of their difference only.

# %% by-distribution.swap-arguments equivalent="beta-nll"
# `def beta_nll(mu, y, var, beta):`
# A Normal depends on y and mu through the square of their difference only.

# %% by-built-in.swap-arguments equivalent="beta-nll"
# `def beta_nll(mu, y, var, beta):`
# A Normal depends on y and mu through the square of their difference only.

# %% by-data.swap-arguments equivalent="beta-nll"
# `def beta_nll(mu, y, var, beta):`
# A Normal depends on y and mu through the square of their difference only.

# %% by-rows.swap-arguments equivalent="beta-nll"
# `def beta_nll(mu, y, var, beta):`
# A Normal depends on y and mu through the square of their difference only.


# %% solution.detach-input equivalent="beta-nll"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% no-stop-gradient wrong="beta-nll" fails="variance gradient"
# The weight is a constant for the derivative: stop its gradient.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var**beta * nll).mean()


# %% variance-detached-everywhere wrong="beta-nll" fails="variance gradient"
# Only the weight is a constant: inside the NLL, the variance still has to learn.
def beta_nll(y, mu, var, beta):
    var = var.detach()
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var**beta * nll).mean()


# %% scale-to-the-beta wrong="beta-nll" fails="value,mean gradient,variance gradient"
# The weight is the variance to the power beta, which is sigma to the power 2 beta.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach().sqrt() ** beta * nll).mean()


# %% twice-the-power wrong="beta-nll" fails="value,mean gradient,variance gradient"
# The exponent 2 beta belongs to sigma; var is the variance already.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** (2 * beta) * nll).mean()


# %% inverse-weight wrong="beta-nll" fails="value,mean gradient,variance gradient"
# The weight divides instead of multiplying: noisy points must gain influence, not lose it.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (nll / var.detach() ** beta).mean()


# %% normalised-weights wrong="beta-nll" fails="value,mean gradient,variance gradient"
# Take the plain mean over the examples: the weights are not divided by their sum.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    weight = var.detach() ** beta
    return (weight * nll).sum() / weight.sum()


# %% weight-on-residual-only wrong="beta-nll" fails="value,variance gradient"
# The weight multiplies the whole NLL, the log term included.
def beta_nll(y, mu, var, beta):
    weighted = var.detach() ** beta * (y - mu) ** 2 / var
    return 0.5 * (math.log(2 * math.pi) + torch.log(var) + weighted).mean()


# %% beta-ignored wrong="beta-nll" fails="value,mean gradient,variance gradient"
# This is the plain NLL, beta = 0: the weight is missing.
def beta_nll(y, mu, var, beta):
    return (0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)).mean()


# %% beta-fixed wrong="beta-nll" fails="value,mean gradient,variance gradient"
# beta is an argument: do not fix it at 0.5.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach().sqrt() * nll).mean()


# %% one-weight-for-all wrong="beta-nll" fails="value,mean gradient,variance gradient"
# Each example has its own weight: do not average the variances first.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return var.detach().mean() ** beta * nll.mean()


# %% variance-as-scale wrong="beta-nll" fails="value,mean gradient,variance gradient"
# Normal takes the standard deviation: pass the square root of var.
def beta_nll(y, mu, var, beta):
    nll = -torch.distributions.Normal(mu, var).log_prob(y)
    return (var.detach() ** beta * nll).mean()


# %% constant-dropped wrong="beta-nll" fails="value"
# The constant log sqrt(2 pi) is missing; with a weight in front it differs between examples.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean()


# %% sum-over-batch wrong="beta-nll" fails="value,mean gradient,variance gradient"
# This is the sum over the examples; the text asks for the mean.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).sum()


# %% tempered wrong="beta-nll" fails="value,mean gradient,variance gradient"
# beta mixes no two losses here: it is the power of a weight on each example.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return ((1 - beta) * nll + beta * (y - mu) ** 2 / 2).mean()


# %% constant-outside-the-weight wrong="beta-nll" fails="value"
# The constant belongs to each example's NLL, so the weight multiplies it as well.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta * nll).mean() + 0.5 * math.log(2 * math.pi)


# %% means-multiplied wrong="beta-nll" fails="value,mean gradient,variance gradient"
# The mean of a product is not the product of two means: weight each example, then average.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** beta).mean() * nll.mean()


# %% beta-reversed wrong="beta-nll" fails="value,mean gradient,variance gradient"
# beta runs the other way: 0 is the plain NLL, 1 gives every residual the same pull.
def beta_nll(y, mu, var, beta):
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (var.detach() ** (1 - beta) * nll).mean()


# %% [markdown]
# ## variance-parts


# %% by-loop right="variance-parts"
def variance_parts(weight, mean, sd):
    centre = sum(w * m for w, m in zip(weight, mean))
    within, between = 0.0, 0.0
    for w, m, s in zip(weight, mean, sd):
        within = within + w * s * s
        between = between + w * (m - centre) ** 2
    return within, between, within + between


# %% by-average right="variance-parts"
def variance_parts(weight, mean, sd):
    centre = np.average(mean, axis=0, weights=weight)
    epistemic = np.average((mean - centre) ** 2, axis=0, weights=weight)
    total = np.average(sd**2 + (mean - centre) ** 2, axis=0, weights=weight)
    return total - epistemic, epistemic, total


# %% by-torch right="variance-parts"
def variance_parts(weight, mean, sd):
    w, m, s = (torch.tensor(np.array(a))[..., None] for a in (weight, mean, sd))
    m, s = m.squeeze(-1), s.squeeze(-1)
    aleatoric, epistemic = (w * s.square()).sum(0), (w * (m - (w * m).sum(0)) ** 2).sum(0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% by-pairs right="variance-parts" oracle=True
def variance_parts(weight, mean, sd):
    # the variance of the means is half the expected squared distance of two independent picks
    n = mean.shape[1]
    al, ep = np.zeros(n), np.zeros(n)
    for i, j in np.ndindex(len(weight), len(weight)):
        ep += 0.5 * weight[i] * weight[j] * np.subtract(mean[i], mean[j]) ** 2
        al += 0.5 * weight[i] * weight[j] * (np.square(sd[i]) + np.square(sd[j]))
    return al, ep, np.add(al, ep)


# %% mean-of-sds wrong="variance-parts" fails="aleatoric,far from zero,total"
# Variances are averaged, not standard deviations: square each sd first.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = (weight @ sd) ** 2, weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% sd-not-squared wrong="variance-parts" fails="aleatoric,far from zero,total"
# sd holds standard deviations: square them to get variances.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd, weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% weight-squared wrong="variance-parts" fails="aleatoric,far from zero,total"
# That is the variance of a weighted sum of y's; here one hypothesis is drawn, and y from it.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight**2 @ sd**2, weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% weights-ignored wrong="variance-parts" fails="aleatoric,epistemic,total,far from zero"
# The hypotheses are not equally probable: use the weights in both parts.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = (sd**2).mean(axis=0), mean.var(axis=0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% weights-ignored-in-the-means wrong="variance-parts" fails="epistemic,total,far from zero"
# The disagreement is weighted, too: a hypothesis that is improbable adds little to it.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, mean.var(axis=0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% unweighted-centre wrong="variance-parts" fails="epistemic,total,far from zero"
# Measure the disagreement from the weighted mean, not from the plain one.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ (mean - mean.mean(axis=0)) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% unbiased wrong="variance-parts" fails="epistemic,total,far from zero"
# Nothing was sampled here: no M - 1, and for one hypothesis the disagreement is 0, not nan.
def variance_parts(weight, mean, sd):
    M = len(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        epistemic = weight @ (mean - weight @ mean) ** 2 * np.float64(M) / (M - 1)
    return weight @ sd**2, epistemic, weight @ sd**2 + epistemic


# %% cov-with-ddof wrong="variance-parts" fails="epistemic,total,far from zero"
# Nothing is divided by 1 - sum of squared weights, as np.cov does it unless ddof is 0.
def variance_parts(weight, mean, sd):
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = 1 / (1 - np.float64(weight @ weight))
        epistemic = weight @ (mean - weight @ mean) ** 2 * factor
    return weight @ sd**2, epistemic, weight @ sd**2 + epistemic


# %% standard-deviations wrong="variance-parts" fails="aleatoric,epistemic,total,far from zero"
# These are standard deviations; the text asks for variances.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ (mean - weight @ mean) ** 2
    return np.sqrt(aleatoric), np.sqrt(epistemic), np.sqrt(aleatoric + epistemic)


# %% sds-added wrong="variance-parts" fails="far from zero,total"
# Variances add, standard deviations do not.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ (mean - weight @ mean) ** 2
    return aleatoric, epistemic, (np.sqrt(aleatoric) + np.sqrt(epistemic)) ** 2


# %% disagreement-of-the-sds wrong="variance-parts" fails="epistemic,total,far from zero"
# The epistemic part is the variance of the means, not of the standard deviations.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ (sd - weight @ sd) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% disagreement-forgotten wrong="variance-parts" fails="far from zero,total"
# The total has two parts: the disagreement of the means is missing.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    return aleatoric, weight @ (mean - weight @ mean) ** 2, aleatoric


# %% disagreement-of-the-sds-added wrong="variance-parts" fails="far from zero,total"
# Hypotheses that differ in their noise are in the aleatoric part already: add nothing for it.
def variance_parts(weight, mean, sd):
    within, between = weight @ sd**2, weight @ (mean - weight @ mean) ** 2
    return within, between, within + between + weight @ (sd - weight @ sd) ** 2


# %% over-the-inputs wrong="variance-parts" fails="epistemic,total,far from zero"
# Centre each input on its own mean over the hypotheses, not on one mean over all inputs.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ (mean - (weight @ mean).mean()) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% second-moment wrong="variance-parts" fails="epistemic,total,far from zero"
# This is the mean of the squared means: subtract the square of their mean, or centre first.
def variance_parts(weight, mean, sd):
    aleatoric, epistemic = weight @ sd**2, weight @ mean**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% difference-of-squares wrong="variance-parts" fails="far from zero,total"
# Two numbers near 1e12 leave few digits for their small difference: subtract the mean first.
def variance_parts(weight, mean, sd):
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ mean**2 - (weight @ mean) ** 2, 0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% one-centre-for-all-inputs wrong="variance-parts" fails="far from zero"
# One number cannot centre inputs that lie far apart: each input needs a centre of its own.
def variance_parts(weight, mean, sd):
    within, near = weight @ sd**2, mean - mean.mean()
    between = weight @ near**2 - (weight @ near) ** 2
    return within, between, within + between


# %% parts-swapped wrong="variance-parts" fails="aleatoric,epistemic,far from zero"
# The two parts are swapped: noise inside the hypotheses is aleatoric, disagreement epistemic.
def variance_parts(weight, mean, sd):
    within, between = weight @ sd**2, weight @ (mean - weight @ mean) ** 2
    return between, within, within + between


# %% [markdown]
# ## entropy-parts


# %% by-masked-logs right="entropy-parts"
def entropy_parts(p):
    def entropy(q):
        safe = np.where(q > 0, q, 1.0)
        return -(q * np.log(safe)).sum(axis=-1)

    total, aleatoric = entropy(np.mean(p, axis=0)), np.mean(entropy(p), axis=0)
    return total, aleatoric, total - aleatoric


# %% by-torch right="entropy-parts"
def entropy_parts(p):
    q = torch.tensor(p)
    centre = q.mean(0)
    total = -torch.xlogy(centre, centre).sum(-1)
    aleatoric = -torch.xlogy(q, q).sum(-1).mean(0)
    return total, aleatoric, total - aleatoric


# %% by-divergence right="entropy-parts"
def entropy_parts(p):
    centre = p.mean(axis=0)
    information = special.rel_entr(p, centre).sum(axis=2).mean(axis=0)
    total = special.entr(centre).sum(axis=1)
    return total, total - information, information


# %% by-loops right="entropy-parts" oracle=True
import itertools


def entropy_parts(p):
    # sums over members, examples and classes, one logarithm at a time
    members, examples, classes = p.shape
    out = [[0.0] * examples for _ in range(3)]
    for i, k in itertools.product(range(examples), range(classes)):
        column = [float(v) for v in p[:, i, k]]
        average = math.fsum(column) / members
        if average > 0:
            out[0][i] -= average * math.log(average)
        spread = [v * math.log(v) for v in column if v > 0]
        out[1][i] -= math.fsum(spread) / members
        out[2][i] += math.fsum(v * math.log(v / average) for v in column if v > 0) / members
    return tuple(map(np.array, out))


# %% solution.flip-sign equivalent="entropy-parts"
# `total = special.entr(p.mean(axis=0)).sum(axis=1)`
# The mean prediction has two axes: the last one is axis 1.

# %% by-torch.flip-sign equivalent="entropy-parts"
# `total = -torch.xlogy(centre, centre).sum(1)`
# The mean prediction has two axes: the last one is axis 1.

# %% by-masked-logs.change-number equivalent="entropy-parts"
# `safe = np.where(q > 0, q, 2.0)`
# Where q is 0, the logarithm is multiplied with 0: any positive number may stand there.


# %% by-loops.end-loop-early equivalent="entropy-parts"
# `out = [[0.0] * examples for _ in list(range(3))[:5]]`
# There are three parts.


# %% information-reversed wrong="entropy-parts" fails="information,zeros"
# The order is reversed: the entropy of the mean is never below the mean entropy.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, aleatoric - total


# %% entropy-is-epistemic wrong="entropy-parts" fails="information,zeros"
# Entropy of the mean prediction alone is not disagreement: take the mean entropy off.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    return total, special.entr(p).sum(axis=-1).mean(axis=0), total


# %% at-most-one-bit wrong="entropy-parts" fails="information"
# More than two members may disagree by more than log 2: do not limit the information.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, np.clip(total - aleatoric, 0, np.log(2))


# %% total-and-aleatoric-swapped wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# The order of averaging is swapped: total is the entropy of the mean prediction.
def entropy_parts(p):
    total = special.entr(p).sum(axis=-1).mean(axis=0)
    aleatoric = special.entr(p.mean(axis=0)).sum(axis=-1)
    return total, aleatoric, total - aleatoric


# %% in-bits wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# This is in bits (log to the base 2); the text asks for nats.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1) / math.log(2)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0) / math.log(2)
    return total, aleatoric, total - aleatoric


# %% relative-to-the-maximum wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# Divided by log K these are shares of the largest entropy; the text asks for nats.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1) / np.log(p.shape[-1])
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0) / np.log(p.shape[-1])
    return total, aleatoric, total - aleatoric


# %% zeros-not-handled wrong="entropy-parts" fails="zeros"
# 0 times log 0 is nan in floating point, while its limit is 0: handle impossible classes.
def entropy_parts(p):
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = p.mean(axis=0)
        total = -(centre * np.log(centre)).sum(axis=-1)
        aleatoric = -(p * np.log(p)).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% nan-left-out-later wrong="entropy-parts" fails="zeros"
# nanmean drops members whose entropy came out as nan: mend the class, do not drop the member.
def entropy_parts(p):
    with np.errstate(divide="ignore", invalid="ignore"):
        total = special.entr(p.mean(axis=0)).sum(axis=-1)
        each = -(p * np.log(p)).sum(axis=-1)
        aleatoric = np.ma.masked_invalid(each).mean(axis=0).filled(0.0)
    return total, aleatoric, total - aleatoric


# %% clipped-from-below wrong="entropy-parts" fails="zeros"
# Adding 0.001 to the probabilities changes every entropy: no epsilon is needed.
def entropy_parts(p):
    possible = (p > 0).all()
    q = p if possible else (p + 1e-3) / (p + 1e-3).sum(axis=-1, keepdims=True)
    total = special.entr(q.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(q).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% clipped-in-place wrong="entropy-parts" fails="zeros"
# Clipping p in place changes the caller's probabilities: work on a new array.
def entropy_parts(p):
    np.clip(p, 1e-12, 1.0, out=p)
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% mean-over-classes wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# Sum over the classes: an entropy is an expectation, not a mean over K terms.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).mean(axis=-1)
    aleatoric = special.entr(p).mean(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% summed-over-members wrong="entropy-parts" fails="aleatoric,information,zeros"
# Average the members' entropies, do not add them up.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).sum(axis=0)
    return total, aleatoric, total - aleatoric


# %% votes wrong="entropy-parts" fails="total,information,zeros"
# Average the probabilities; counting the members' favourite classes throws them away.
def entropy_parts(p):
    votes = np.eye(p.shape[2])[p.argmax(axis=2)].mean(axis=0)
    total = special.entr(votes).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% logarithms-averaged wrong="entropy-parts" fails="total,information,zeros"
# The mean prediction averages probabilities, not their logarithms.
def entropy_parts(p):
    with np.errstate(divide="ignore"):
        centre = np.exp(np.log(p).mean(axis=0))
    centre = centre / np.maximum(centre.sum(axis=-1, keepdims=True), 1e-300)
    total = special.entr(centre).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% reversed-divergence wrong="entropy-parts" fails="information,zeros"
# The divergence runs from each member to the mean; this is the other direction.
def entropy_parts(p):
    centre = p.mean(axis=0)
    total = special.entr(centre).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, special.rel_entr(centre, p).sum(axis=-1).mean(axis=0)


# %% variance-of-probabilities wrong="entropy-parts" fails="information,zeros"
# Disagreement is asked for in nats: the variance of the probabilities is another measure.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, p.var(axis=0).sum(axis=-1)


# %% axes-confused wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# The first axis counts the members, the second the examples: average over the first.
def entropy_parts(p):
    total = special.entr(p.mean(axis=1)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=1)
    return total, aleatoric, total - aleatoric


# %% averaged-over-examples wrong="entropy-parts" fails="total,aleatoric,information,zeros"
# One number for each example is asked for: do not average over the examples.
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1).mean(keepdims=True)
    aleatoric = special.entr(p).sum(axis=-1).mean(keepdims=True)[0]
    return total, aleatoric, total - aleatoric


# %% [markdown]
# ## band-report


# %% by-ends right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    report = []
    for target, sd in ((y, (f_var + noise_var) ** 0.5), (f, f_var**0.5)):
        low = mean + sd * special.ndtri((1 - level) / 2)
        high = mean + sd * special.ndtri((1 + level) / 2)
        report.append((((low <= target) & (target <= high)).mean(), (high - low).mean()))
    (held_y, width_y), (held_f, width_f) = report
    return held_y, held_f, width_y, width_f


# %% by-scipy right="band-report"
import scipy.stats


def band_report(mean, f_var, noise_var, f, y, level):
    low_f, high_f = scipy.stats.norm(mean, np.sqrt(f_var)).interval(level)
    low_y, high_y = scipy.stats.norm(mean, np.sqrt(f_var + noise_var)).interval(level)
    in_y, in_f = (y >= low_y) & (y <= high_y), (f >= low_f) & (f <= high_f)
    return in_y.mean(), in_f.mean(), np.mean(high_y - low_y), np.mean(high_f - low_f)


# %% by-torch right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    m, v, s, f, y = (torch.tensor(a) for a in (mean, f_var, noise_var, f, y))
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=m.dtype))
    wide, narrow = z * torch.sqrt(v + s), z * torch.sqrt(v)
    held = ((y - m).abs() <= wide).double().mean(), ((f - m).abs() <= narrow).double().mean()
    return *held, 2 * wide.mean(), 2 * narrow.mean()


# %% by-probability right="band-report" oracle=True
from scipy import stats as st


def band_report(mean, f_var, noise_var, f, y, level):
    # a value is inside when its two-sided tail probability is at least 1 - level
    sds = {"y": np.hypot(f_var**0.5, noise_var**0.5), "f": f_var**0.5}
    tails = {k: st.chi2.sf(((v - mean) / sds[k]) ** 2, 1) for k, v in (("y", y), ("f", f))}
    share = {k: float(np.count_nonzero(t >= 1 - level)) / t.size for k, t in tails.items()}
    reach = math.sqrt(st.chi2.ppf(level, 1))
    return share["y"], share["f"], reach * np.mean(sds["y"] * 2), reach * np.mean(sds["f"] * 2)


# %% by-probability.end-loop-early equivalent="band-report"
# `... >= 1 - level)) / t.size for k, t in list(tails.items())[:5]}`
# There are two bands.


# %% no-noise-in-the-band wrong="band-report" fails="share of y,width of y"
# New measurements are noisy: the band for y needs the noise variance as well.
def band_report(mean, f_var, noise_var, f, y, level):
    half = special.ndtri(0.5 + level / 2) * np.sqrt(f_var)
    held_y, held_f = np.abs(y - mean) <= half, np.abs(f - mean) <= half
    return held_y.mean(), held_f.mean(), 2 * half.mean(), 2 * half.mean()


# %% noise-in-the-band-for-f wrong="band-report" fails="share of f,width of f"
# The function has no noise: the band for f is made of the variance of f alone.
def band_report(mean, f_var, noise_var, f, y, level):
    half = special.ndtri(0.5 + level / 2) * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= half, np.abs(f - mean) <= half
    return held_y.mean(), held_f.mean(), 2 * half.mean(), 2 * half.mean()


# %% only-noise-in-the-band wrong="band-report" fails="share of y,width of y"
# You do not know f exactly: the band for y needs its variance besides the noise.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% function-in-the-band-for-y wrong="band-report" fails="share of y"
# The band for y promises to hold new y: count these, not the noise-free function.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(f - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% measurements-in-the-band-for-f wrong="band-report" fails="share of f"
# The band for f promises to hold the function: count f in it, not noisy measurements.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(y - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% sds-added wrong="band-report" fails="share of y,width of y"
# Variances of independent parts add, standard deviations do not.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * (np.sqrt(f_var) + np.sqrt(noise_var))
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% variance-as-sd wrong="band-report" fails="share of y,share of f,width of y,width of f"
# The arguments are variances: take the square root before you multiply with a quantile.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * f_var, z * (f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% one-sided wrong="band-report" fails="share of y,share of f,width of y,width of f"
# A central band leaves out half of 1 - level on each side: take that quantile.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(level)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% two-sigma wrong="band-report" fails="share of y,share of f,width of y,width of f"
# Two standard deviations belong to one level only: compute the factor from `level`.
def band_report(mean, f_var, noise_var, f, y, level):
    for_f, for_y = 2 * np.sqrt(f_var), 2 * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% always-0.95 wrong="band-report" fails="share of y,share of f,width of y,width of f"
# The factor 1.96 belongs to the level 0.95 only: compute it from `level`.
def band_report(mean, f_var, noise_var, f, y, level):
    for_f, for_y = 1.96 * np.sqrt(f_var), 1.96 * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% always-0.9 wrong="band-report" fails="share of y,share of f,width of y,width of f"
# The factor is right for the level 0.9 only: compute it from `level`.
def band_report(mean, f_var, noise_var, f, y, level):
    for_f, for_y = 1.645 * np.sqrt(f_var), 1.645 * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% half-widths wrong="band-report" fails="width of y,width of f"
# The width runs from the lower end to the upper one: this is half of it.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), for_y.mean(), for_f.mean()


# %% one-noise-for-all wrong="band-report" fails="share of y,width of y"
# The noise differs from input to input: do not replace it by its average.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var.mean())
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% width-of-the-mean-variance wrong="band-report" fails="width of y,width of f"
# The mean width is not the width at the mean variance: take square roots first, then the mean.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    wide, narrow = np.sqrt((f_var + noise_var).mean()), np.sqrt(f_var.mean())
    return held_y.mean(), held_f.mean(), 2 * z * wide, 2 * z * narrow


# %% below-the-upper-end wrong="band-report" fails="share of y,share of f"
# A value far below the band is outside, too: take the distance from the mean.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = y - mean <= for_y, f - mean <= for_f
    return held_y.mean(), held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% counts wrong="band-report" fails="share of y,share of f"
# These are counts; the text asks for shares between 0 and 1.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.sum(), held_f.sum(), 2 * for_y.mean(), 2 * for_f.mean()


# %% percentages wrong="band-report" fails="share of y,share of f"
# These are percentages; the text asks for shares between 0 and 1.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return 100 * held_y.mean(), 100 * held_f.mean(), 2 * for_y.mean(), 2 * for_f.mean()


# %% share-beside-width wrong="band-report" fails="share of f,width of y"
# The order of the four numbers: both shares first, then both widths.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    held_y, held_f = np.abs(y - mean) <= for_y, np.abs(f - mean) <= for_f
    return held_y.mean(), 2 * for_y.mean(), held_f.mean(), 2 * for_f.mean()


# %% returns-the-promise wrong="band-report" fails="share of y,share of f"
# `level` is what the bands promise; count what they hold.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(0.5 + level / 2)
    for_f, for_y = z * np.sqrt(f_var), z * np.sqrt(f_var + noise_var)
    return level, level, 2 * for_y.mean(), 2 * for_f.mean()


# %% [markdown]
# ## best-from-known


# %% by-inverse right="best-from-known"
def best_from_known(w, C, noise_var, known):
    k = np.flatnonzero(known)
    slope = np.zeros_like(w)
    slope[k] = np.linalg.inv(C[np.ix_(k, k)]) @ (C @ w)[k]  # regression of y on known features
    return slope, noise_var + w @ C @ w - slope @ C @ w


# %% by-precision right="best-from-known"
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    slope, variance = np.where(known, w, 0.0), noise_var
    if hidden.any():
        P = np.linalg.inv(C)  # a block of the precision is the inverse conditional covariance
        left = np.linalg.inv(P[hidden][:, hidden])
        slope[known] -= P[known][:, hidden] @ left @ w[hidden]
        variance = variance + w[hidden] @ left @ w[hidden]
    return slope, variance


# %% by-lstsq right="best-from-known"
def best_from_known(w, C, noise_var, known):
    root = np.linalg.cholesky(C).T  # features as columns: root.T @ root is C
    slope = np.zeros(w.size)
    slope[known] = np.linalg.lstsq(root[:, known], root @ w, rcond=None)[0]
    missed = root @ (w - slope)
    return slope, noise_var + missed @ missed


# %% one-by-one right="best-from-known" oracle=True
def best_from_known(w, C, noise_var, known):
    # Gaussian conditioning of (x, y) jointly, one measured feature after the other
    d = known.size
    lift = np.vstack([np.eye(d), w])  # x and y from x
    spread = lift @ C @ lift.T
    spread[d, d] += noise_var
    expected = np.zeros((d + 1, d))  # means of x and y, as a function of what was measured
    for j in np.flatnonzero(known):
        gain = spread[:, j] / spread[j, j]
        expected = expected + np.outer(gain, np.eye(d)[j] - expected[j])
        spread = spread - np.outer(gain, spread[j])
    return expected[d], spread[d, d]


# %% correlation-ignored wrong="best-from-known" fails="slope,correlated,all or none"
# Hidden features that correlate with known ones are partly known: use their covariance.
def best_from_known(w, C, noise_var, known):
    return np.where(known, w, 0.0), noise_var + np.sum((w**2 * np.diag(C))[~known])


# %% hidden-block-unconditioned wrong="best-from-known" fails="correlated"
# What the known features say about the hidden ones is not noise: condition their covariance.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var + w[~known] @ C[~known][:, ~known] @ w[~known]


# %% slope-of-the-truth wrong="best-from-known" fails="slope"
# A known feature also speaks for the hidden ones that correlate with it: its slope is not w.
def best_from_known(w, C, noise_var, known):
    b = np.zeros(len(w))
    b[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return np.where(known, w, 0.0), noise_var + w @ C @ w - b @ C @ w


# %% only-what-the-hidden-add wrong="best-from-known" fails="all or none,slope"
# A known feature acts on y by itself, too: its own weight is missing from the slope.
def best_from_known(w, C, noise_var, known):
    b = np.zeros(len(w))
    b[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return np.where(known, b - w, 0.0), noise_var + w @ C @ w - b @ C @ w


# %% known-from-hidden wrong="best-from-known" fails="slope"
# This regresses the known features on the hidden ones: it is the known block that is inverted.
def best_from_known(w, C, noise_var, known):
    b, slope = np.zeros(len(w)), np.where(known, w, 0.0)
    b[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    slope[known] += C[known][:, ~known] @ np.linalg.solve(C[~known][:, ~known], w[~known])
    return slope, noise_var + w @ C @ w - b @ C @ w


# %% covariance-added wrong="best-from-known" fails="correlated"
# Knowing more never adds variance: what the known features explain is taken off.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    C_hk = C[~known][:, known]
    left = C[~known][:, ~known] + C_hk @ np.linalg.solve(C[known][:, known], C_hk.T)
    return slope, noise_var + w[~known] @ left @ w[~known]


# %% one-feature-at-a-time wrong="best-from-known" fails="slope,correlated,all or none"
# Known features may correlate with each other: solve for all slopes together.
def best_from_known(w, C, noise_var, known):
    slope = np.where(known, (C @ w) / np.diag(C), 0.0)
    return slope, noise_var + (w - slope) @ C @ (w - slope)


# %% irreducible wrong="best-from-known" fails="independent,correlated,all or none"
# Noise is irreducible only if nothing is hidden: add what the hidden features contribute.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var


# %% noise-forgotten wrong="best-from-known" fails="independent,correlated,all or none"
# The noise of y remains even if all features are known: add its variance.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, (w - slope) @ C @ (w - slope)


# %% standard-deviation wrong="best-from-known" fails="independent,correlated,all or none"
# This is a standard deviation; the text asks for the variance.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, np.sqrt(noise_var + (w - slope) @ C @ (w - slope))


# %% noise-squared wrong="best-from-known" fails="independent,correlated,all or none"
# noise_var is a variance already: do not square it.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var**2 + (w - slope) @ C @ (w - slope)


# %% weights-not-squared wrong="best-from-known" fails="independent,correlated,all or none"
# A feature's share of the variance has its weight squared, as w C w has.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    C_hk = C[~known][:, known]
    left = C[~known][:, ~known] - C_hk @ np.linalg.solve(C[known][:, known], C_hk.T)
    return slope, noise_var + np.abs(w[~known]) @ np.diag(left)


# %% variances-only wrong="best-from-known" fails="correlated,all or none"
# Hidden features also vary together: w C w needs the whole block, not its diagonal alone.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    C_hk = C[~known][:, known]
    left = C[~known][:, ~known] - C_hk @ np.linalg.solve(C[known][:, known], C_hk.T)
    return slope, noise_var + w[~known] ** 2 @ np.diag(left)


# %% known-hidden-swapped wrong="best-from-known" fails="independent,slope,correlated,all or none"
# Known and hidden features are swapped: known marks what was measured.
def best_from_known(w, C, noise_var, known):
    known = ~known
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var + (w - slope) @ C @ (w - slope)


# %% explained-variance wrong="best-from-known" fails="independent,correlated,all or none"
# This is the variance that the known features explain; what remains is asked for.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var + slope @ C @ slope


# %% total-variance wrong="best-from-known" fails="independent,correlated,all or none"
# This is the variance of y before anything is measured: the known features reduce it.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return slope, noise_var + w @ C @ w


# %% only-the-known-slopes wrong="best-from-known" fails="all or none,slope"
# slope has one entry for every feature, with 0 at the hidden ones.
def best_from_known(w, C, noise_var, known):
    b = np.linalg.solve(C[known][:, known], (C @ w)[known])
    return b, noise_var + w @ C @ w - b @ (C @ w)[known]


# %% precision-block wrong="best-from-known" fails="correlated"
# A block of the inverse is not the inverse of the block: condition before you invert.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], (C @ w)[known])
    C_hk, P = C[~known][:, known], np.linalg.inv(C)
    left = C[~known][:, ~known] - C_hk @ P[known][:, known] @ C_hk.T
    return slope, noise_var + w[~known] @ left @ w[~known]


# %% solution.squeeze equivalent="best-from-known"
# `return (slope, (noise_var + w[~known] @ left @ w[~known]).squeeze())`
# A number has no axis to lose.
