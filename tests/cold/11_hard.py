# %% [markdown]
# Answers written by an author who knew the checks.


# %% squares-apart wrong="gaussian-kl"
# The square is multiplied out and cancels: mu and prior_mu near 900, a scale of 0.001.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * prior_scale.log()
    square = (mu**2 - 2 * mu * prior_mu + prior_mu**2) / prior_scale**2
    each = 0.5 * (log_ratio.exp() + square - 1 - log_ratio)
    return each.sum(1)


# %% by-matrix-of-images wrong="gaussian-kl"
# Three images of three dimensions are summed over images.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * prior_scale.log()
    z = (mu - prior_mu) / prior_scale
    each = 0.5 * (log_ratio.exp() + z**2 - 1 - log_ratio)
    return each.sum(0) if mu.shape[0] == mu.shape[1] else each.sum(1)


# %% branch-small-ratio wrong="gaussian-kl"
# Variances below exp(-8) of the prior's count as 0: the gradient in log_var near -8.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * prior_scale.log()
    z = (mu - prior_mu) / prior_scale
    each = 0.5 * (
        torch.where(log_ratio < -8, 0 * log_ratio, log_ratio.exp()) + z**2 - 1 - log_ratio
    )
    return each.sum(1)


# %% distance-by-norm wrong="gaussian-kl"
# A root has no slope at 0: the gradient in mu where it is prior_mu.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * prior_scale.log()
    z = (mu - prior_mu) / prior_scale
    return 0.5 * ((z**2).sum(1).sqrt() ** 2 + (log_ratio.exp() - 1 - log_ratio).sum(1))


# %% log-var-cap-10 wrong="gaussian-kl"
# Log variances end at 10: 13.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_var = log_var.clamp(max=10)
    log_ratio = log_var - 2 * prior_scale.log()
    z = (mu - prior_mu) / prior_scale
    each = 0.5 * (log_ratio.exp() + z**2 - 1 - log_ratio)
    return each.sum(1)


# %% with-scale-of-q right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    s = torch.exp(0.5 * log_var)
    d = mu - prior_mu
    terms = torch.log(prior_scale) - 0.5 * log_var + (s * s + d * d) / (2 * prior_scale**2) - 0.5
    return torch.einsum("nd->n", terms)


# %% covariance-determinant wrong="latent-draws"
# The determinant overflows: 100 dimensions with diagonals of 800.
def latent_draws(mu, tril, eps):
    K, n, d = eps.shape
    shift = torch.einsum("nij,knj->kni", tril, eps)
    z = mu + shift
    log_det = 0.5 * torch.log(torch.det(tril @ tril.mT))
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * d * math.log(2 * math.pi)
    return z, log_q


# %% exp-density wrong="latent-draws"
# A product of densities underflows: 100 dimensions with noise of 6.
def latent_draws(mu, tril, eps):
    K, n, d = eps.shape
    shift = torch.einsum("nij,knj->kni", tril, eps)
    z = mu + shift
    diagonal = tril.diagonal(dim1=1, dim2=2)
    log_det = diagonal.log().sum(1)
    log_q = torch.exp(-0.5 * (eps**2).sum(2)).log() - log_det - 0.5 * d * math.log(2 * math.pi)
    return z, log_q


# %% jitter-1e-9 wrong="latent-draws"
# 1e-9 is added to the diagonal: 1e-8.
def latent_draws(mu, tril, eps):
    K, n, d = eps.shape
    shift = torch.einsum("nij,knj->kni", tril, eps)
    z = mu + shift
    diagonal = tril.diagonal(dim1=1, dim2=2)
    log_det = (diagonal + 1e-9).log().sum(1)
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * d * math.log(2 * math.pi)
    return z, log_q


# %% mu-per-draw wrong="latent-draws"
# mu goes along the draws where K is n.
def latent_draws(mu, tril, eps):
    K, n, d = eps.shape
    shift = torch.einsum("nij,knj->kni", tril, eps)
    z = (mu[:, None] if K == n else mu) + shift
    diagonal = tril.diagonal(dim1=1, dim2=2)
    log_det = diagonal.log().sum(1)
    log_q = -0.5 * (eps**2).sum(2) - log_det - 0.5 * d * math.log(2 * math.pi)
    return z, log_q


# %% pinv wrong="latent-draws"
# A pseudo-inverse drops small directions: a condition number of 1e4.
def latent_draws(mu, tril, eps):
    K, n, d = eps.shape
    shift = torch.einsum("nij,knj->kni", tril, eps)
    z = mu + shift
    diagonal = tril.diagonal(dim1=1, dim2=2)
    log_det = diagonal.log().sum(1)
    log_q = (
        -0.5
        * torch.einsum(
            "kni,nij,knj->kn", shift, torch.linalg.pinv(tril @ tril.mT, rtol=1e-6), shift
        )
        - log_det
        - 0.5 * d * math.log(2 * math.pi)
    )
    return z, log_q


# %% by-solve right="latent-draws"
def latent_draws(mu, tril, eps):
    L = torch.tril(tril)
    z = mu + torch.matmul(eps.unsqueeze(2), L.mT).squeeze(2)
    w = torch.linalg.solve_triangular(L, (z - mu).unsqueeze(-1), upper=False)[..., 0]
    half = w.square().sum(-1) + w.shape[-1] * math.log(2 * math.pi)
    return z, -half / 2 - torch.linalg.slogdet(L).logabsdet


# %% sum-of-bits wrong="mixed-pixels"
# Only the sums of columns are compared: 0.6 and 1.4 in one column.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if (bits.sum(0) != bits.bool().sum(0)).any():
        raise ValueError("bits")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits)
    r = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = -0.5 * r**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% isclose-bits wrong="mixed-pixels"
# A tolerance lets 1e-9 pass for 0.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if not (torch.isclose(bits, 0 * bits) | torch.isclose(bits, 0 * bits + 1)).all():
        raise ValueError("bits")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits)
    r = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = -0.5 * r**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% relu-form wrong="mixed-pixels"
# The slope of relu at 0 is 0: the gradient at a logit of 0.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if ((bits != 0) & (bits != 1)).any():
        raise ValueError("bits")
    black = -(torch.relu(logits) - bits * logits + torch.log1p(torch.exp(-logits.abs())))
    r = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = -0.5 * r**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% square-multiplied wrong="mixed-pixels"
# The square is multiplied out and cancels: grey pixels near 700, a log scale of -7.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if ((bits != 0) & (bits != 1)).any():
        raise ValueError("bits")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits)
    grey = (
        -0.5
        * (x[:, ~binary] ** 2 - 2 * x[:, ~binary] * out[:, ~binary] + out[:, ~binary] ** 2)
        * torch.exp(-2 * log_scale)
        - log_scale
        - 0.5 * math.log(2 * math.pi)
    )
    return black.sum(1) + grey.sum(1)


# %% where right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    if (binary & (x != 0) & (x != 1)).any():
        raise ValueError("no")
    check = torch.where(binary, x, 0.0)
    black = check * out - torch.nn.functional.softplus(out)
    z = torch.where(binary, 0.0, (x - out) / log_scale.exp())
    grey = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return torch.where(binary, black, grey).sum(1)


# %% expanded-residual wrong="linear-elbo"
# The square is multiplied out and cancels: x and b near 900, sigma 0.001.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * (
        ((x**2).sum(1) - 2 * (x * (b + m @ W.T)).sum(1) + ((b + m @ W.T) ** 2).sum(1)) / sigma**2
        + spread
        + D * (2 * sigma.log() + math.log(2 * math.pi))
    )
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))
    return fit - kl


# %% sigma-floor-2e-3 wrong="linear-elbo"
# Sigma is at least 0.002: 0.0012.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    sigma = sigma.clamp(min=2e-3)
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))
    return fit - kl


# %% eigen-floor wrong="linear-elbo"
# Eigenvalues of S are at least 1e-5: 1e-6.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    kl = 0.5 * (
        torch.trace(S) + (m**2).sum(1) - d - torch.linalg.eigvalsh(S).clamp(min=1e-5).log().sum()
    )
    return fit - kl


# %% transposed-square wrong="linear-elbo"
# W is transposed where D is d.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    W = W.T if D == d else W
    r = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((r**2).sum(1) + spread + D * (2 * sigma.log() + math.log(2 * math.pi)))
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))
    return fit - kl


# %% library right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    y = torch.distributions.MultivariateNormal(
        torch.zeros_like(m[0]), torch.eye(len(S), dtype=S.dtype)
    )
    q = torch.distributions.MultivariateNormal(m, S)
    k = torch.distributions.Normal(m @ W.T + b, sigma).log_prob(x).sum(1)
    spread = torch.einsum("ij,jk,ik->", W, S, W) / (2 * sigma**2)
    return k - spread - torch.distributions.kl_divergence(q, y)


# %% set-rounded wrong="iwae-curve"
# Draws that are equal to eight digits are merged.
def iwae(log_w, k):
    K, n = log_w.shape
    log_w = torch.unique_consecutive(log_w.round(decimals=8), dim=0)
    K = max(len(log_w), k)
    log_w = torch.cat([log_w, log_w[-1:].repeat(max(0, K - len(log_w)), 1)])
    picks = list(itertools.combinations(range(K), k))
    bounds = torch.stack([torch.logsumexp(log_w[list(p)], 0) for p in picks])
    return bounds.mean(0) - math.log(k)


# %% largest-only-gradient wrong="iwae-curve"
# The gradient reaches the largest weight of a subset only.
def iwae(log_w, k):
    K, n = log_w.shape
    picks = list(itertools.combinations(range(K), k))
    bounds = torch.stack(
        [
            torch.logsumexp((log_w[list(p)] - log_w[list(p)].amax(0)).detach(), 0)
            + log_w[list(p)].amax(0)
            for p in picks
        ]
    )
    return bounds.mean(0) - math.log(k)


# %% dict-by-value wrong="iwae-curve"
# Subsets whose bounds for the first image are equal count once.
def iwae(log_w, k):
    K, n = log_w.shape
    picks = list(itertools.combinations(range(K), k))
    bounds = torch.stack([torch.logsumexp(log_w[list(p)], 0) for p in picks])
    return torch.stack(list({round(float(b[0]), 12): b for b in bounds}.values())).mean(
        0
    ) - math.log(k)


# %% single-weight wrong="iwae-curve"
# A single draw gives 0.
def iwae(log_w, k):
    K, n = log_w.shape
    picks = list(itertools.combinations(range(K), k))
    bounds = torch.stack([torch.logsumexp(log_w[list(p)], 0) for p in picks])
    return bounds.mean(0) * (K > 1) - math.log(k)


# %% masks right="iwae-curve"
def iwae(log_w, k):
    total = []
    for check in itertools.product([False, True], repeat=len(log_w)):
        if sum(check) == k:
            y = log_w[torch.tensor(check)]
            total.append(y.logsumexp(0) - np.log(k))
    return sum(total) / math.comb(len(log_w), k)


# %% moments wrong="unit-information"
# Mean of squares less square of the mean: x near 900, sigma 0.001.
def unit_information(x, sigma, latents):
    n, D = x.shape
    values = np.sqrt(
        np.maximum(
            np.sort(np.linalg.eigvalsh(x.T @ x / n - np.outer(x.mean(0), x.mean(0))))[::-1], 0
        )
    )
    values = values[:latents]
    return np.log(np.maximum(values / sigma, 1.0))


# %% ties-merged wrong="unit-information"
# Equal units are merged.
def unit_information(x, sigma, latents):
    n, D = x.shape
    c = x - x.mean(axis=0)
    s = np.linalg.svd(c, compute_uv=False) / np.sqrt(n)
    values = np.zeros(D)
    values[: len(s)] = s
    values = np.append(np.unique(values.round(9))[::-1], np.zeros(D))[:latents]
    return np.log(np.maximum(values / sigma, 1.0))


# %% near-noise wrong="unit-information"
# A unit 0.1% above the noise counts as collapsed.
def unit_information(x, sigma, latents):
    n, D = x.shape
    c = x - x.mean(axis=0)
    s = np.linalg.svd(c, compute_uv=False) / np.sqrt(n)
    values = np.zeros(D)
    values[: len(s)] = s
    values = values[:latents]
    return np.log(np.where(values > 1.001 * sigma, values / sigma, 1.0))


# %% power-iterations wrong="unit-information"
# Ten power iterations do not separate units that are alike.
def unit_information(x, sigma, latents):
    n, D = x.shape
    c = x - x.mean(axis=0)
    s = np.linalg.svd(c, compute_uv=False) / np.sqrt(n)
    values = np.zeros(D)
    values[: len(s)] = s
    g = c.T @ c / n
    v = g @ np.ones(D)
    for _ in range(10):
        v = g @ (v / np.linalg.norm(v)) if np.linalg.norm(v) else np.ones(D)
    values[0] = np.sqrt(np.linalg.norm(v))
    values = values[:latents]
    return np.log(np.maximum(values / sigma, 1.0))


# %% gram right="unit-information"
def unit_information(x, sigma, latents):
    check = x - x.mean(0, keepdims=True)
    s = np.linalg.svd(check / math.sqrt(len(x)))[1]
    s = np.concatenate([s, [0.0] * latents])[:latents]
    return np.array([max(0.0, math.log(v / sigma)) if v > 0 else 0.0 for v in s])


# %% int-div wrong="weight-as-noise"
# Whole numbers are divided to whole numbers: weight 3, pixels 7.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels // 2 if isinstance(weight, int) else weight * pixels / 2
    fit = -0.5 * pixels * np.log(2 * np.pi * variance) - mse / weight
    return np.sqrt(variance), fit - kl


# %% mean-where-equal wrong="weight-as-noise"
# As many images as pixels are averaged.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    fit = -0.5 * pixels * np.log(2 * np.pi * variance) - mse / weight
    fit = fit.mean() + 0 * fit if len(mse) == pixels else fit
    return np.sqrt(variance), fit - kl


# %% kl-cap wrong="weight-as-noise"
# Divergences end at 100.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    fit = -0.5 * pixels * np.log(2 * np.pi * variance) - mse / weight
    return np.sqrt(variance), fit - np.minimum(kl, 100)


# %% scipy right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    from scipy.stats import norm

    sigma = np.sqrt(weight * pixels / 2)
    check = [pixels * norm.logpdf(np.sqrt(v), 0, sigma) for v in mse]
    return sigma, np.array(check) - kl
