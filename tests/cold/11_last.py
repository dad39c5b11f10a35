# %% [markdown]
# Answers written from the text alone.


# %% kl-log-ratio right="gaussian-kl"
# With the log ratio of the variances, so that expm1 is exact near 0.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    ratio = log_var - 2 * prior_scale.log()
    z = (mu - prior_mu) / prior_scale
    return 0.5 * (torch.expm1(ratio) - ratio + z**2).sum(dim=-1)


# %% kl-cross-entropy right="gaussian-kl"
# Cross-entropy minus entropy: the log-density of the mean, and what the variance adds.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    prior = torch.distributions.Normal(prior_mu, prior_scale)
    spread = (torch.exp(0.5 * log_var) / prior_scale).square()
    cross = -prior.log_prob(mu) + 0.5 * spread
    entropy = 0.5 * (1 + math.log(2 * math.pi) + log_var)
    return (cross - entropy).sum(dim=1)


# %% kl-library wrong="gaussian-kl"
# The library's KL takes the logarithm of a variance ratio that underflows: inf for a log_var of
# -120 in float32 or -900 in float64.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    q = torch.distributions.Normal(mu, torch.exp(0.5 * log_var), validate_args=False)
    p = torch.distributions.Normal(prior_mu, prior_scale)
    return torch.distributions.kl_divergence(q, p).sum(dim=-1)


# %% kl-fixed-prior-mean wrong="gaussian-kl"
# Detaches the prior's mean: the values are right, but no gradient flows to prior_mu.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    away = (mu - prior_mu.detach()) ** 2
    terms = (log_var.exp() + away) / prior_scale**2 - 1 - log_var + 2 * prior_scale.log()
    return 0.5 * terms.sum(dim=-1)


# %% kl-two-dimensions wrong="gaussian-kl"
# Subtracts 1 for the whole row, which is d / 2 for two latent dimensions only: wrong for other d.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    away = (mu - prior_mu) ** 2
    terms = (log_var.exp() + away) / prior_scale**2 - log_var + 2 * prior_scale.log()
    return 0.5 * terms.sum(dim=-1) - 1


# %% kl-expanded-square wrong="gaussian-kl"
# Expands (mu - prior_mu)^2: cancels where both are large, such as 1000 and 999.99 with a scale
# of 0.001, and badly so in float32.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    away = mu**2 - 2 * mu * prior_mu + prior_mu**2
    terms = (log_var.exp() + away) / prior_scale**2 - 1 - log_var + 2 * prior_scale.log()
    return 0.5 * terms.sum(dim=-1)


# %% draws-einsum right="latent-draws"
# One einsum for the draws; the density from the noise and the diagonal.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = torch.diagonal(tril, dim1=-2, dim2=-1).log().sum(dim=-1)
    constant = 0.5 * mu.shape[-1] * math.log(2 * math.pi)
    return z, -0.5 * eps.square().sum(dim=-1) - log_det - constant


# %% draws-column-by-column right="latent-draws"
# Adds the factor's columns one by one; the change of variables per latent dimension.
def latent_draws(mu, tril, eps):
    z = mu.expand(eps.shape)
    log_q = torch.distributions.Normal(0.0, 1.0).log_prob(eps).sum(dim=2)
    for j in range(tril.shape[-1]):
        z = z + eps[:, :, j, None] * tril[:, :, j]
        log_q = log_q - tril[:, j, j].log()
    return z, log_q


# %% draws-log-of-det wrong="latent-draws"
# Takes the logarithm of the determinant, which underflows: -inf in place of a finite number for
# 50 latent dimensions with diagonals of 1e-8.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    log_det = torch.diagonal(tril, dim1=-2, dim2=-1).prod(dim=-1).log()
    constant = 0.5 * mu.shape[-1] * math.log(2 * math.pi)
    return z, -0.5 * eps.square().sum(dim=-1) - log_det - constant


# %% draws-constant-of-two wrong="latent-draws"
# The constant is that of two latent dimensions, as in the example: wrong for other d.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    log_det = torch.diagonal(tril, dim1=-2, dim2=-1).log().sum(dim=-1)
    return z, -0.5 * eps.square().sum(dim=-1) - log_det - math.log(2 * math.pi)


# %% draws-detached-density wrong="latent-draws"
# Detaches the factor in the density: no gradient flows to tril through log_q.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    log_det = torch.diagonal(tril.detach(), dim1=-2, dim2=-1).log().sum(dim=-1)
    constant = 0.5 * mu.shape[-1] * math.log(2 * math.pi)
    return z, -0.5 * eps.square().sum(dim=-1) - log_det - constant


# %% draws-squeezed wrong="latent-draws"
# Squeezes all axes of the product: for d = 1, one image or one draw an axis is lost; z gets a
# wrong shape or fails to broadcast.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze()
    log_det = torch.diagonal(tril, dim1=-2, dim2=-1).log().sum(dim=-1)
    constant = 0.5 * mu.shape[-1] * math.log(2 * math.pi)
    return z, -0.5 * eps.square().sum(dim=-1) - log_det - constant


# %% pixels-by-columns right="mixed-pixels"
# Splits the columns by kind; the library's cross-entropy from logits for the binary ones.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError("binary pixels must be 0 or 1")
    bernoulli = -torch.nn.functional.binary_cross_entropy_with_logits(
        out[:, binary], bits, reduction="none"
    )
    z = (grey - out[:, ~binary]) * torch.exp(-log_scale)
    normal = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% pixels-where right="mixed-pixels"
# Both densities for all pixels, all of them finite, and then the choice.
def log_likelihood(x, out, log_scale, binary):
    if (binary & (x != 0) & (x != 1)).any():
        raise ValueError("a binary pixel is neither 0 nor 1")
    sign = torch.where(x == 1, torch.ones_like(x), -torch.ones_like(x))
    bernoulli = torch.nn.functional.logsigmoid(sign * out)
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, bernoulli, normal).sum(dim=1)


# %% pixels-whole-numbers wrong="mixed-pixels"
# Refuses only what is not a whole number: a binary pixel of 2 or -1 passes.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if (bits != bits.round()).any():
        raise ValueError("binary pixels must be 0 or 1")
    logsigmoid = torch.nn.functional.logsigmoid
    logits = out[:, binary]
    bernoulli = bits * logsigmoid(logits) + (1 - bits) * logsigmoid(-logits)
    z = (grey - out[:, ~binary]) * torch.exp(-log_scale)
    normal = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% pixels-any-for-all wrong="mixed-pixels"
# any in place of all: one legal binary pixel is enough to let all grey values pass.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if bits.numel() and not ((bits == 0) | (bits == 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    bernoulli = -torch.nn.functional.binary_cross_entropy_with_logits(
        out[:, binary], bits, reduction="none"
    )
    z = (grey - out[:, ~binary]) * torch.exp(-log_scale)
    normal = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% pixels-kink-at-zero wrong="mixed-pixels"
# The stable formula by hand, with relu and abs: the gradient at a logit of exactly 0 is x, not
# x - 1/2.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError("binary pixels must be 0 or 1")
    logits = out[:, binary]
    bernoulli = bits * logits - torch.relu(logits) - torch.log1p(torch.exp(-logits.abs()))
    z = (grey - out[:, ~binary]) * torch.exp(-log_scale)
    normal = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% pixels-clamped-scale wrong="mixed-pixels"
# Clamps log_scale to -10 and 10: value and gradient are wrong beyond, to +-14.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError("binary pixels must be 0 or 1")
    bernoulli = -torch.nn.functional.binary_cross_entropy_with_logits(
        out[:, binary], bits, reduction="none"
    )
    scale = log_scale.clamp(-10, 10).exp()
    normal = torch.distributions.Normal(out[:, ~binary], scale).log_prob(grey)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% elbo-traces right="linear-elbo"
# Expected log-likelihood and KL, with traces and slogdet.
def linear_elbo(x, W, b, sigma, m, S):
    error = (x - m @ W.T - b).square().sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - x.shape[1] * (sigma.log() + 0.5 * math.log(2 * math.pi))
    log_det = torch.linalg.slogdet(S).logabsdet
    kl = 0.5 * (torch.trace(S) + m.square().sum(dim=1) - m.shape[1] - log_det)
    return fit - kl


# %% elbo-cholesky right="linear-elbo"
# Energy plus entropy with a Cholesky factor: each column of it is a direction of q's spread.
def linear_elbo(x, W, b, sigma, m, S):
    factor = torch.linalg.cholesky(S)
    d = m.shape[1]
    log_x = torch.distributions.Normal(m @ W.T + b, sigma).log_prob(x).sum(dim=1)
    log_z = torch.distributions.Normal(0.0, 1.0).log_prob(m).sum(dim=1)
    spread = ((W @ factor) / sigma).square().sum() + factor.square().sum()
    entropy = 0.5 * d * (1 + math.log(2 * math.pi)) + factor.diagonal().log().sum()
    return log_x + log_z - 0.5 * spread + entropy


# %% elbo-log-of-det wrong="linear-elbo"
# Logarithm of a determinant that underflows: -inf for 60 latent dimensions with eigenvalues
# of 1e-6.
def linear_elbo(x, W, b, sigma, m, S):
    error = (x - m @ W.T - b).square().sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * x.shape[1] * torch.log(2 * math.pi * sigma**2)
    log_det = torch.linalg.det(S).log()
    return fit - 0.5 * (torch.trace(S) + m.square().sum(dim=1) - m.shape[1] - log_det)


# %% elbo-fixed-entropy wrong="linear-elbo"
# The log-determinant is detached: the gradient of S lacks the entropy's part.
def linear_elbo(x, W, b, sigma, m, S):
    error = (x - m @ W.T - b).square().sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * x.shape[1] * torch.log(2 * math.pi * sigma**2)
    with torch.no_grad():
        log_det = torch.logdet(S)
    return fit - 0.5 * (torch.trace(S) + m.square().sum(dim=1) - m.shape[1] - log_det)


# %% elbo-jitter wrong="linear-elbo"
# Adds 1e-8 to the covariance's diagonal: wrong by half a hundredth of a nat for each eigenvalue
# of 1e-6.
def linear_elbo(x, W, b, sigma, m, S):
    factor = torch.linalg.cholesky(S + 1e-8 * torch.eye(len(S), dtype=S.dtype))
    error = (x - m @ W.T - b).square().sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * x.shape[1] * torch.log(2 * math.pi * sigma**2)
    log_det = 2 * factor.diagonal().log().sum()
    return fit - 0.5 * (torch.trace(S) + m.square().sum(dim=1) - m.shape[1] - log_det)


# %% elbo-squeezed wrong="linear-elbo"
# Squeezes the decoder's means: for D = 1 and several images they are broadcast against each
# other to (n, n).
def linear_elbo(x, W, b, sigma, m, S):
    means = torch.matmul(W, m.unsqueeze(-1)).squeeze() + b
    error = (x - means).square().sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * x.shape[1] * torch.log(2 * math.pi * sigma**2)
    log_det = torch.logdet(S)
    return fit - 0.5 * (torch.trace(S) + m.square().sum(dim=1) - m.shape[1] - log_det)


# %% iwae-indexed right="iwae-curve"
# All subsets as one table of indices.
def iwae(log_w, k):
    subsets = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    return (torch.logsumexp(log_w[subsets], dim=1) - math.log(k)).mean(dim=0)


# %% iwae-bit-masks right="iwae-curve"
# Goes through all bit masks with k ones, and masks the other draws with -inf.
def iwae(log_w, k):
    size = log_w.shape[0]
    total, count = 0.0, 0
    for code in range(1, 2**size):
        inside = torch.tensor([bool(code >> j & 1) for j in range(size)])
        if int(inside.sum()) == k:
            part = log_w.masked_fill(~inside[:, None], -math.inf)
            total = total + torch.logsumexp(part, dim=0) - math.log(k)
            count += 1
    return total / count


# %% iwae-one-maximum wrong="iwae-curve"
# Subtracts one maximum per image, over all draws: a subset without the largest weight underflows
# to -inf where that weight is 1000 nats above the others.
def iwae(log_w, k):
    top = log_w.max(dim=0).values.detach()
    w = torch.exp(log_w - top)
    subsets = torch.tensor(list(itertools.combinations(range(len(log_w)), k)))
    return top + w[subsets].mean(dim=1).log().mean(dim=0)


# %% iwae-four-draws wrong="iwae-curve"
# Subsets of four draws, as in the example: for K > 4 the other draws are ignored.
def iwae(log_w, k):
    subsets = torch.tensor(list(itertools.combinations(range(4), k)))
    return (torch.logsumexp(log_w[subsets], dim=1) - math.log(k)).mean(dim=0)


# %% iwae-squeezed wrong="iwae-curve"
# Squeezes the result: for a single image it is 0-d, not of shape (1,).
def iwae(log_w, k):
    values = [
        torch.logsumexp(torch.stack(subset), dim=0) - math.log(k)
        for subset in itertools.combinations(log_w.unbind(0), k)
    ]
    return torch.stack(values).mean(dim=0).squeeze()


# %% iwae-complement wrong="iwae-curve"
# For large subsets it subtracts the weights left out from the sum of all: cancels, to -inf at
# worst, where one weight is 40 nats above the others.
def iwae(log_w, k):
    size = log_w.shape[0]
    everything = torch.logsumexp(log_w, dim=0)
    if k == size:
        return everything - math.log(k)
    values = []
    for subset in itertools.combinations(range(size), k):
        if k <= size // 2:
            value = torch.logsumexp(log_w[list(subset)], dim=0)
        else:
            outside = [j for j in range(size) if j not in subset]
            missing = torch.logsumexp(log_w[outside], dim=0) - everything
            value = everything + torch.log1p(-missing.exp())
        values.append(value - math.log(k))
    return torch.stack(values).mean(dim=0)


# %% units-singular-values right="unit-information"
# Half the logarithm of eigenvalue over noise variance, from singular values.
def unit_information(x, sigma, latents):
    n = x.shape[0]
    scales = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) / np.sqrt(n)
    result = np.zeros(latents)
    scales = scales[:latents]
    result[: len(scales)] = np.log(np.maximum(scales / sigma, 1.0))
    return result


# %% units-whole-model right="unit-information"
# Builds W, the posterior of each image and its KL, and averages.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    _, s, rows = np.linalg.svd(centred, full_matrices=False)
    excess = np.maximum(s**2 / len(x) - sigma**2, 0.0)
    W = (rows * np.sqrt(excess)[:, None]).T[:, :latents]
    size = (W**2).sum(axis=0) + sigma**2
    var = sigma**2 / size
    means = centred @ W / size
    kl = 0.5 * (var + means**2 - 1 - np.log(var)).mean(axis=0)
    kl[W.any(axis=0) == 0] = 0.0
    return np.concatenate([kl, np.zeros(latents - len(kl))])


# %% units-too-few wrong="unit-information"
# There are only min(n, D) singular values: the result is too short where latents is above n.
def unit_information(x, sigma, latents):
    s = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    lam = s**2 / len(x)
    return 0.5 * np.log(np.maximum(lam / sigma**2, 1.0))[:latents]


# %% units-raw-moments wrong="unit-information"
# Covariance as mean square minus squared mean: cancels for data near 1000 with a spread and a
# sigma of a few thousandths.
def unit_information(x, sigma, latents):
    mean = x.mean(axis=0)
    cov = x.T @ x / len(x) - np.outer(mean, mean)
    lam = np.linalg.eigvalsh(cov)[::-1][:latents]
    return 0.5 * np.log(np.maximum(lam / sigma**2, 1.0))


# %% units-not-quite-zero wrong="unit-information"
# Adds 1e-10 inside the logarithm: a collapsed variable gets 5e-11, not exactly 0.
def unit_information(x, sigma, latents):
    s = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    lam = np.zeros(x.shape[1])
    lam[: len(s)] = s**2 / len(x)
    ratio = np.maximum(lam[:latents] / sigma**2, 1.0)
    return 0.5 * np.log(ratio + 1e-10)


# %% units-unsorted wrong="unit-information"
# numpy.linalg.eig does not sort: the first ones need not be the largest, such as for columns
# of which the last varies most.
def unit_information(x, sigma, latents):
    cov = np.atleast_2d(np.cov(x.T, bias=True))
    lam = np.linalg.eig(cov)[0].real[:latents]
    return 0.5 * np.log(np.maximum(lam / sigma**2, 1.0))


# %% noise-formula right="weight-as-noise"
# The weight is 2 sigma^2 / D; everything else follows.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    constant = 0.5 * pixels * math.log(2 * math.pi * variance)
    return math.sqrt(variance), -mse / weight - kl - constant


# %% noise-scipy right="weight-as-noise"
# D times the Normal log-density at the root mean squared error, minus the KL.
def honest_elbo(mse, kl, weight, pixels):
    from scipy import stats

    sigma = float(np.sqrt(0.5 * pixels * weight))
    return sigma, pixels * stats.norm.logpdf(np.sqrt(mse), scale=sigma) - kl


# %% noise-whole-half wrong="weight-as-noise"
# Halves the number of pixels with //: wrong for an odd number of pixels, 0 for a single one.
def honest_elbo(mse, kl, weight, pixels):
    half = pixels // 2
    variance = weight * half
    return math.sqrt(variance), -mse / weight - kl - half * np.log(2 * np.pi * variance)


# %% noise-power-first wrong="weight-as-noise"
# Raises the normaliser to the power D / 2 before the logarithm: it under- or overflows for
# thousands of pixels.
def honest_elbo(mse, kl, weight, pixels):
    variance = np.float64(weight * pixels / 2)
    normaliser = (2 * np.pi * variance) ** (pixels / 2)
    return float(np.sqrt(variance)), -pixels * mse / (2 * variance) - kl - np.log(normaliser)


# %% noise-floor wrong="weight-as-noise"
# Keeps sigma above a hundredth: wrong for small weights and few pixels, such as 1e-6 and 64.
def honest_elbo(mse, kl, weight, pixels):
    sigma = max(math.sqrt(weight * pixels / 2), 0.01)
    constant = 0.5 * pixels * math.log(2 * math.pi * sigma**2)
    return sigma, -pixels * mse / (2 * sigma**2) - kl - constant


# %% noise-squeezed wrong="weight-as-noise"
# Squeezes the result: for a single image the ELBO is 0-d, not of shape (1,).
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    errors = np.stack([mse, kl])
    factors = np.array([[-1 / weight, -1.0]])
    elbo = (factors @ errors).squeeze() - 0.5 * pixels * np.log(2 * np.pi * variance)
    return float(np.sqrt(variance)), elbo
