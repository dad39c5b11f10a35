# %% closed-form right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    log_ratio = log_var - 2 * prior_scale.log()
    distance = ((mu - prior_mu) / prior_scale) ** 2
    return 0.5 * (log_ratio.exp() + distance - 1 - log_ratio).sum(1)


# %% loop-over-dimensions right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""

    def gradient(k):  # the part of latent dimension k
        ratio = torch.exp(log_var[:, k] / 2) / prior_scale[k]
        y = (prior_mu[k] - mu[:, k]) / prior_scale[k]
        return ratio**2 / 2 + y * y / 2 - 0.5 + torch.log(prior_scale[k]) - log_var[:, k] / 2

    total = torch.zeros_like(mu[:, 0])
    for k in range(mu.shape[1]):
        total = total + gradient(k)
    return total


# %% library-in-double wrong="gaussian-kl"
# The library takes the log of an underflowing ratio: log_var = [[-900.]], all else standard, gives
# inf for 449.5 in float64.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    q = torch.distributions.Normal(mu.double(), torch.exp(0.5 * log_var.double()))
    p = torch.distributions.Normal(prior_mu.double(), prior_scale.double())
    return torch.distributions.kl_divergence(q, p).sum(1).to(mu.dtype)


# %% log-var-clamped wrong="gaussian-kl"
# log_var stops at -200: [[-900.]] in float64, all else standard, gives 99.5 for 449.5.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    log_var = log_var.clamp(min=-200)
    distance = (log_var.exp() + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (distance - 1 - log_var + 2 * prior_scale.log()).sum(1)


# %% prior-mean-detached wrong="gaussian-kl"
# No gradient reaches prior_mu: with mu = [[1.]], prior_mu = [0.], prior_scale = [1.] it is -1.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    log_ratio = log_var - 2 * prior_scale.log()
    distance = ((mu - prior_mu.detach()) / prior_scale) ** 2
    return 0.5 * (log_ratio.exp() + distance - 1 - log_ratio).sum(1)


# %% epsilon-below wrong="gaussian-kl"
# 1e-9 is added to the prior's variance: prior_scale = [1e-6], mu = [[1e-6]], prior_mu = [0.],
# log_var = [[-28.]].
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    distance = (log_var.exp() + (mu - prior_mu) ** 2) / (prior_scale**2 + 1e-9)
    return 0.5 * (distance - 1 - log_var + 2 * prior_scale.log()).sum(1)


# %% two-dimensions wrong="gaussian-kl"
# The constant is that of d = 2: mu and log_var zeros of shape (1, 3), a standard prior, give 0.5.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    log_ratio = log_var - 2 * prior_scale.log()
    distance = ((mu - prior_mu) / prior_scale) ** 2
    return 0.5 * (log_ratio.exp() + distance - log_ratio).sum(1) - 1.0


# %% from-the-noise right="latent-draws"
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(1)
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, log_q


# %% one-draw-at-a-time right="latent-draws"
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z, log_q = [], []
    for noise in eps:
        for i, y in enumerate(noise):
            z.append(mu[i] + tril[i] @ y)
            k = torch.distributions.Normal(0.0, 1.0).log_prob(y).sum()
            # a shift moves the draw and the density alike: the gradient of mu is 0
            log_q.append(k - torch.diagonal(tril[i]).log().sum() + 0 * mu[i].sum())
    K, n, d = eps.shape
    return torch.stack(z).reshape(K, n, d), torch.stack(log_q).reshape(K, n)


# %% library-density right="latent-draws"
# Right for condition numbers of at most 1e4.
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu + (tril @ eps[..., None])[..., 0]
    return z, torch.distributions.MultivariateNormal(mu, scale_tril=tril).log_prob(z)


# %% product-of-the-diagonal wrong="latent-draws"
# The product underflows: d = 100 with tril = 1e-8 times the identity has log_q = inf.
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).prod(1).log()
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, log_q


# %% constant-of-two-dimensions wrong="latent-draws"
# The constant is log(2 pi), right for d = 2 only: with d = 1, tril = 1, eps = 0, it is half that.
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(1)
    return z, -0.5 * (eps**2).sum(2) - log_det - math.log(2 * math.pi)


# %% mean-detached wrong="latent-draws"
# No gradient reaches mu through the draws: the sum of z has the gradient K, for any input.
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu.detach() + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(1)
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, log_q


# %% diagonal-floor wrong="latent-draws"
# The diagonal is at least 1e-6: tril = [[[1e-8]]], eps = 0 has a log_q that is too low by 4.6.
def latent_draws(mu, tril, eps):
    """Return reparameterised draws of a full Gaussian and their log densities."""
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).clamp(min=1e-6).log().sum(1)
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, log_q


# %% columns-of-each-kind right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ink, logit = x[:, binary], out[:, binary]
    if not ((ink == 0) | (ink == 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * ink - 1) * logit).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black + grey.sum(1)


# %% loop-over-pixels right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    total = torch.zeros_like(x[:, 0]) + 0 * log_scale
    for k in range(x.shape[1]):
        y = x[:, k]
        if binary[k]:
            check = set(y.tolist())
            if not check <= {0.0, 1.0}:
                raise ValueError(f"pixel {k} holds {sorted(check)}")
            total = total - bce(out[:, k], y, reduction="none")
        else:
            normal = torch.distributions.Normal(out[:, k], log_scale.exp())
            total = total + normal.log_prob(y)
    return total


# %% cross-entropy-of-probabilities wrong="mixed-pixels"
# Logs of probabilities stop at -100: x = [[0.]], out = [[800.]], binary gives -100 for -800.
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ink = x[:, binary]
    if not ((ink == 0) | (ink == 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = -torch.nn.functional.binary_cross_entropy(
        out[:, binary].sigmoid(), ink, reduction="none"
    ).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black + (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


# %% all-for-any wrong="mixed-pixels"
# Raises only if every binary pixel is grey: x = [[1., 0.5]], both binary, gets through.
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ink, logit = x[:, binary], out[:, binary]
    if ink.numel() and ((ink != 0) & (ink != 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = (ink * logit - torch.nn.functional.softplus(logit)).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black + (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


# %% log-scale-clamped wrong="mixed-pixels"
# log_scale is kept within -7 and 7: x = out = [[0.]], grey, log_scale = -14 gives 6.08 for 13.08.
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    log_scale = log_scale.clamp(-7, 7)
    ink = x[:, binary]
    if not ((ink == 0) | (ink == 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * ink - 1) * out[:, binary]).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black + (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


# %% grey-means-detached wrong="mixed-pixels"
# No gradient reaches out at grey pixels: x = [[1.]], out = [[0.]], log_scale = 0 has 1 there.
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ink = x[:, binary]
    if not ((ink == 0) | (ink == 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * ink - 1) * out[:, binary]).sum(1)
    z = (x[:, ~binary] - out[:, ~binary].detach()) * torch.exp(-log_scale)
    return black + (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


# %% first-image-checked wrong="mixed-pixels"
# Only the first image is checked: x = [[1.], [0.5]], binary, gets through.
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ink = x[:, binary]
    if any(value not in (0, 1) for value in ink[0].tolist()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * ink - 1) * out[:, binary]).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black + (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


# %% expected-terms right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.linalg.slogdet(S).logabsdet)
    return fit - kl


# %% entropy-and-joint right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    half = math.log(2 * math.pi) / 2
    L = torch.linalg.cholesky(S)
    k, y = W.shape[1], (W @ L) / sigma
    entropy = L.diagonal().log().sum() + k * (half + 0.5)
    results = []
    for row, centre in zip(x, m, strict=True):
        prior = -(centre @ centre + (L * L).sum()) / 2 - k * half
        r = (row - b - W @ centre) / sigma
        fit = -(r @ r + (y * y).sum()) / 2 - len(row) * (half + torch.log(sigma))
        results.append(prior + fit + entropy)
    return torch.stack(results)


# %% determinant-underflows wrong="linear-elbo"
# The determinant underflows: S = 1e-6 times the identity with d = 100 gives -inf.
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    return fit - 0.5 * (S.trace() + (m**2).sum(1) - d - torch.linalg.det(S).log())


# %% entropy-without-gradient wrong="linear-elbo"
# log det S has no gradient: with W = 0, D = d = 1, S = [[1.]] the gradient of S is 0, not -0.5.
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    log_det = float(np.linalg.slogdet(S.detach().numpy())[1])
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - log_det)


# %% jitter wrong="linear-elbo"
# 1e-7 on the diagonal of S before the determinant: S = 1e-6 times the identity, d = 100 is off
# by 4.8 nats.
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    log_det = torch.logdet(S + 1e-7 * torch.eye(d, dtype=S.dtype))
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - log_det)


# %% squares-multiplied-out wrong="linear-elbo"
# Cancellation: x = [[1e6 + 0.01]], b = [1e6], W = [[0.]], m = [[0.]], S = [[1.]], sigma = 0.01.
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    mean = b + m @ W.T
    square = (x**2).sum(1) - 2 * (x * mean).sum(1) + (mean**2).sum(1)
    square = square + ((W @ S) * W).sum()
    fit = -0.5 * (square / sigma**2 + D * (2 * sigma.log() + math.log(2 * math.pi)))
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))


# %% sigma-floor right="linear-elbo"
# Right for sigma of at least a thousandth, which the opening says now.
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    D, d = W.shape
    sigma = sigma.clamp(min=1e-3)
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))


# %% all-subsets right="iwae-curve"
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    picks = torch.tensor(list(itertools.combinations(range(len(log_w)), k)))
    return torch.logsumexp(log_w[picks], 1).mean(0) - math.log(k)


# %% recursion right="iwae-curve"
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""

    def check(start, left, total):  # the bounds of all ways to add draws from start on
        if left == 0:
            return [total]
        found = []
        for j in range(start, log_w.shape[0] - left + 1):
            y = log_w[j] if total is None else torch.logaddexp(total, log_w[j])
            found += check(j + 1, left - 1, y)
        return found

    bounds = check(0, k, None)
    return sum(bounds) / len(bounds) - math.log(k)


# %% shift-by-the-largest wrong="iwae-curve"
# Shifted by the largest of all draws, a subset without it underflows: log_w = [[0.], [-2000.]],
# k = 1 gives -inf for -1000.
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    top = log_w.max(0).values
    w = torch.exp(log_w - top)
    picks = list(itertools.combinations(range(len(w)), k))
    return top + torch.stack([w[list(p)].mean(0).log() for p in picks]).mean(0)


# %% through-numpy wrong="iwae-curve"
# Through NumPy no gradient is left: with k = 1 it should be 1 / K everywhere.
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    values = log_w.detach().numpy()
    picks = itertools.combinations(range(len(values)), k)
    bounds = [np.logaddexp.reduce(values[list(p)], axis=0) - np.log(k) for p in picks]
    return torch.tensor(np.mean(bounds, axis=0))


# %% equal-draws-merged wrong="iwae-curve"
# Equal rows count once: log_w = [[0.], [0.], [-3.]], k = 1 gives -1.5 for -1.
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    rows = torch.unique(log_w, dim=0)
    picks = torch.tensor(list(itertools.combinations(range(len(rows)), min(k, len(rows)))))
    return torch.logsumexp(rows[picks], 1).mean(0) - math.log(k)


# %% log-weight-floor wrong="iwae-curve"
# Log weights are at least -5000: log_w = [[-9000.], [-7000.]], k = 1 gives -5000 for -8000.
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    log_w = log_w.clamp(min=-5000)
    picks = torch.tensor(list(itertools.combinations(range(len(log_w)), k)))
    return torch.logsumexp(log_w[picks], 1).mean(0) - math.log(k)


# %% one-image-squeezed wrong="iwae-curve"
# With one image, log_w of shape (K, 1), the result is 0-d instead of shape (1,).
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    rows = log_w.squeeze()
    picks = torch.tensor(list(itertools.combinations(range(len(rows)), k)))
    return torch.logsumexp(rows[picks], 1).mean(0) - math.log(k)


# %% singular-values right="unit-information"
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) / math.sqrt(len(x))
    result = np.zeros(max(latents, len(s)))
    active = s > sigma
    result[: len(s)][active] = np.log(s[active] / sigma)
    return result[:latents]


# %% eigenvalues right="unit-information"
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    k = np.atleast_2d(np.cov(x, rowvar=False, bias=True))
    y = sorted(np.linalg.eigvalsh(k).tolist(), reverse=True)[:latents]
    return np.array([0.5 * math.log(v / sigma**2) if v > sigma**2 else 0.0 for v in y])


# %% too-short wrong="unit-information"
# There are min(n, D) singular values: x of shape (2, 5), latents = 5 gives two results.
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    s = np.linalg.svd(x - x.mean(0), compute_uv=False)[:latents] / math.sqrt(len(x))
    return np.log(np.maximum(s / sigma, 1.0))


# %% single-precision wrong="unit-information"
# float32 inside: the columns of x are (1e4 + t, 2e4 + 2 t) for t = 0, 0.001, ..., 0.009 and
# sigma = 1e-6, where rounding changes the first result by 0.3%.
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    x = np.asarray(x, dtype=np.float32)
    cov = np.cov(x, rowvar=False, bias=True)
    values = np.linalg.eigvalsh(cov)[::-1][:latents]
    return 0.5 * np.log(np.maximum(values / sigma**2, 1.0))


# %% mean-of-squares wrong="unit-information"
# Cancellation: the columns of x are 1e6 + (0, 0.01, 0.02) and (0, 1, 0), sigma = 0.001.
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    mean = x.mean(0)
    cov = x.T @ x / len(x) - np.outer(mean, mean)
    values = np.linalg.eigvalsh(cov)[::-1][:latents]
    return 0.5 * np.log(np.maximum(values / sigma**2, 1.0))


# %% not-exactly-zero right="unit-information"
# Adds 1e-12 to the variance, within the tolerance for sigma of at least a thousandth, which the
# text says now.
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    values = np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True))[::-1][:latents]
    return 0.5 * np.log((np.maximum(values, sigma**2) + 1e-12) / sigma**2)


# %% small-eigenvalues-dropped right="unit-information"
# Eigenvalues below 1e-6 count as 0, right for sigma of at least a thousandth, which the text says
# now.
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    values = np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True))[::-1][:latents]
    values = np.where(values < 1e-6, 0.0, values)
    return 0.5 * np.log(np.maximum(values / sigma**2, 1.0))


# %% divided-by-the-weight right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = math.sqrt(weight * pixels / 2)
    constant = pixels * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    return sigma, -(mse / weight + kl) - constant


# %% sum-over-pixels right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    variance = pixels * weight / 2
    elbo = []
    for y, k in zip(mse, kl, strict=True):
        log_p = -pixels / 2 * math.log(2 * math.pi * variance) - pixels * y / (2 * variance)
        elbo.append(log_p - k)
    return variance**0.5, torch.tensor(elbo, dtype=torch.float64).numpy()


# %% whole-halves wrong="weight-as-noise"
# pixels // 2 is not half of an odd number: weight = 2, pixels = 3 gives sigma 1.41 for 1.73.
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = np.sqrt(weight * (pixels // 2))
    log_p = -pixels / 2 * np.log(2 * np.pi * sigma**2) - pixels * mse / (2 * sigma**2)
    return sigma, log_p - kl


# %% free-bits wrong="weight-as-noise"
# The KL counts at least 1 nat: mse = [0.], kl = [0.1], weight = 2, pixels = 1 is off by 0.9.
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = np.sqrt(weight * pixels / 2)
    log_p = -pixels / 2 * np.log(2 * np.pi * sigma**2) - pixels * mse / (2 * sigma**2)
    return sigma, log_p - np.maximum(kl, 1.0)


# %% sigma-floor wrong="weight-as-noise"
# sigma is at least 0.01: weight = 1e-6, pixels = 2 should give 0.001.
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = max(math.sqrt(weight * pixels / 2), 0.01)
    log_p = -pixels / 2 * np.log(2 * np.pi * sigma**2) - pixels * mse / (2 * sigma**2)
    return sigma, log_p - kl


# %% one-image-squeezed wrong="weight-as-noise"
# With one image, mse and kl of shape (1,), elbo is 0-d.
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = np.sqrt(weight * pixels / 2)
    terms = np.stack([pixels / 2 * np.log(2 * np.pi * sigma**2) + mse / weight, kl])
    return sigma, -np.squeeze(terms.T).sum(-1)


# %% at-most-one wrong="weight-as-noise"
# Squared errors above 1 are cut: mse = [4.], kl = [1.], weight = 2, pixels = 1 is off by 1.5.
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    sigma = np.sqrt(weight * pixels / 2)
    log_p = -pixels / 2 * np.log(2 * np.pi * sigma**2) - np.clip(mse, 0, 1) / weight
    return sigma, log_p - kl
