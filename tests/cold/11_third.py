# %% closed-form right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    check = (torch.exp(log_var) + (mu - prior_mu) ** 2) / (2 * prior_scale**2)
    return (torch.log(prior_scale) - 0.5 * log_var + check - 0.5).sum(dim=1)


# %% ratio-loop right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    total = 0
    for k in range(mu.shape[1]):
        y = log_var[:, k] - 2 * prior_scale[k].log()
        shift = (mu[:, k] - prior_mu[k]) / prior_scale[k]
        total = total + 0.5 * (torch.expm1(y) - y + shift.square())
    return total


# %% back-from-double wrong="gaussian-kl"
# The variance is formed in float64 and its logarithm taken: log_var = -900 gives infinity.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    var = log_var.double().exp()
    prior_var = prior_scale.double() ** 2
    ratio = var / prior_var
    shift = (mu - prior_mu).double() ** 2 / prior_var
    return (0.5 * (ratio + shift - 1 - (var.log() - prior_var.log()))).sum(-1).to(mu.dtype)


# %% frozen-prior-mean wrong="gaussian-kl"
# No gradient reaches prior_mu: mu = [[1]], log_var = [[0]], prior_mu = [0], prior_scale = [1].
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    ratio = log_var - 2 * prior_scale.log()
    shift = (mu - prior_mu.detach()) / prior_scale
    return 0.5 * (ratio.exp() - ratio - 1 + shift**2).sum(-1)


# %% floor-under-scale wrong="gaussian-kl"
# Prior scales have a floor of 0.01: mu = [[0]], log_var = [[-13]], prior 0 and 0.001.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    scale = prior_scale.clamp_min(0.01)
    square = (mu - prior_mu) ** 2 + log_var.exp()
    return (scale.log() - log_var / 2 + square / (2 * scale**2) - 0.5).sum(-1)


# %% expanded-distance wrong="gaussian-kl"
# The expanded square cancels in float32: mu = [[1000.]], prior_mu = [1000.1], log_var = [[-6.]],
# prior_scale = [0.05].
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    square = mu**2 - 2 * mu * prior_mu + prior_mu**2
    var = prior_scale**2
    return 0.5 * (var.log() - log_var + (log_var.exp() + square) / var - 1).sum(-1)


# %% einsum-noise right="latent-draws"
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    k = torch.diagonal(tril, dim1=-2, dim2=-1).log().sum(-1)
    y = 0.5 * (eps**2).sum(-1) + 0.5 * eps.shape[-1] * math.log(2 * math.pi)
    return z, -y - k


# %% image-loop right="latent-draws"
def latent_draws(mu, tril, eps):
    unit = torch.distributions.Normal(torch.zeros_like(mu[0]), torch.ones_like(mu[0]))
    z, log_q = [], []
    for i, check in enumerate(tril):
        z.append(mu[i] + eps[:, i] @ check.T)
        volume = sum(check[j, j].log() for j in range(len(check)))
        log_q.append(unit.log_prob(eps[:, i]).sum(1) - volume)
    return [torch.stack(z, dim=1), torch.stack(log_q, dim=1)]


# %% log-of-product wrong="latent-draws"
# The product of the diagonal underflows: d = 50, tril = 1e-8 * eye has log_q infinite.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    volume = tril.diagonal(dim1=-2, dim2=-1).prod(-1)
    log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - volume.log()
    return z, log_q


# %% floor-under-diagonal wrong="latent-draws"
# The diagonal has a floor in the density: tril = [[[1e-8]]], mu = [[0]], eps = [[[0]]].
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    diagonal = tril.diagonal(dim1=-2, dim2=-1).clamp_min(1e-6)
    log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - diagonal.log().sum(-1)
    return z, log_q


# %% squeezed-draws wrong="latent-draws"
# All axes of length one go: with K = 1 (n = 2, d = 2) z has shape (2, 2) in place of (1, 2, 2).
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze()
    diagonal = tril.diagonal(dim1=-2, dim2=-1)
    log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - diagonal.log().sum(-1)
    return z, log_q


# %% frozen-density wrong="latent-draws"
# No gradient of log_q reaches tril: mu = [[0]], tril = [[[2]]], eps = [[[1]]] has -0.5.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    with torch.no_grad():
        log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1)
        log_q = log_q - tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return z, log_q


# %% two-blocks right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    y, check = x[:, binary], out[:, binary]
    if not ((y == 0) | (y == 1)).all():
        raise ValueError("binary pixels must be 0 or 1")
    k = torch.nn.functional.binary_cross_entropy_with_logits(check, y, reduction="none").sum(1)
    scaled = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (0.5 * scaled**2 + log_scale + 0.5 * math.log(2 * math.pi)).sum(1)
    return -k - grey


# %% pixel-loop right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    total = torch.zeros_like(x[:, 0])
    for k, is_binary in enumerate(binary.tolist()):
        if is_binary:
            if any(v not in (0.0, 1.0) for v in x[:, k].tolist()):
                raise ValueError(f"pixel {k} is grey")
            sign = 2 * x[:, k] - 1
            total = total + torch.nn.functional.logsigmoid(sign * out[:, k])
        else:
            y = torch.distributions.Normal(out[:, k], log_scale.exp())
            total = total + y.log_prob(x[:, k])
    return total


# %% clipped-cross-entropy wrong="mixed-pixels"
# The cross-entropy of probabilities stops at 100: x = [[0]], out = [[800]], binary, has -800.
def log_likelihood(x, out, log_scale, binary):
    xb, logit = x[:, binary], out[:, binary]
    if ((xb != 0) & (xb != 1)).any():
        raise ValueError("grey value at a binary pixel")
    black = -torch.nn.functional.binary_cross_entropy(logit.sigmoid(), xb, reduction="none")
    scaled = (x - out)[:, ~binary] * torch.exp(-log_scale)
    grey = -0.5 * scaled**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% whole-numbers-accepted wrong="mixed-pixels"
# Every whole number passes as black or white: x = [[2]], out = [[0]], binary, is not refused.
def log_likelihood(x, out, log_scale, binary):
    xb, logit = x[:, binary], out[:, binary]
    if (xb != xb.round()).any():
        raise ValueError("grey value at a binary pixel")
    black = xb * logit - torch.nn.functional.softplus(logit)
    scaled = (x - out)[:, ~binary] * torch.exp(-log_scale)
    grey = -0.5 * scaled**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% floor-under-noise wrong="mixed-pixels"
# The scale has a floor of 0.001: x = out = [[0]], grey, log_scale = -14 gives 5.99 for 13.08.
def log_likelihood(x, out, log_scale, binary):
    xb, logit = x[:, binary], out[:, binary]
    if ((xb != 0) & (xb != 1)).any():
        raise ValueError("grey value at a binary pixel")
    black = xb * logit - torch.nn.functional.softplus(logit)
    scale = log_scale.exp().clamp_min(1e-3)
    grey = torch.distributions.Normal(out[:, ~binary], scale).log_prob(x[:, ~binary])
    return black.sum(1) + grey.sum(1)


# %% logits-copied wrong="mixed-pixels"
# No gradient reaches the logits: x = [[1]], out = [[0]], binary, has the gradient 0.5.
def log_likelihood(x, out, log_scale, binary):
    xb = x[:, binary]
    if ((xb != 0) & (xb != 1)).any():
        raise ValueError("grey value at a binary pixel")
    logit = torch.from_numpy(out.detach().numpy()[:, binary.numpy()])
    black = xb * logit - torch.nn.functional.softplus(logit)
    scaled = (x - out)[:, ~binary] * torch.exp(-log_scale)
    grey = -0.5 * scaled**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% two-expectations right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    k, d = W.shape
    y = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W.T @ W @ S)
    fit = -0.5 * y / sigma**2 - k * torch.log(sigma) - 0.5 * k * math.log(2 * math.pi)
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.linalg.slogdet(S).logabsdet)
    return fit - kl


# %% factor-loop right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    check = torch.linalg.cholesky(S)
    spread = ((W @ check) ** 2).sum()
    cov = sigma**2 * torch.eye(len(b)).to(b)
    k = torch.distributions.MultivariateNormal(torch.zeros_like(b), cov)
    rows = []
    for y, centre in zip(x, m):
        fit = k.log_prob(y - b - W @ centre) - spread / (2 * sigma**2)
        prior = -0.5 * (check**2).sum() - 0.5 * centre @ centre
        entropy = check.diagonal().log().sum() + 0.5 * len(centre)
        rows.append(fit + prior + entropy)
    return torch.stack(rows)


# %% log-of-determinant wrong="linear-elbo"
# The determinant underflows: d = 100, S = 1e-6 * eye (D = 2, W = 0, m = 0) gives -infinity.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    square = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * square / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    return fit - 0.5 * (S.trace() + (m**2).sum(1) - d - torch.log(torch.det(S)))


# %% floor-under-eigenvalues wrong="linear-elbo"
# Eigenvalues have a floor of 1e-4: S = [[1e-6]], x, W, b, m = 0 (D = 1), sigma = 1.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    log_det = torch.linalg.eigvalsh(S).clamp_min(1e-4).log().sum()
    square = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * square / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    return fit - 0.5 * (S.trace() + (m**2).sum(1) - d - log_det)


# %% frozen-entropy wrong="linear-elbo"
# The log-determinant is cut off from the gradient: at S = [[0.5]], W = [[1]], sigma = 1 the
# gradient at S is -1 in place of 0.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    q = np.linalg.slogdet(S.detach().numpy())[1]
    square = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * square / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    return fit - 0.5 * (S.trace() + (m**2).sum(1) - d - float(q))


# %% squeezed-residuals wrong="linear-elbo"
# With D = 1 the residuals of all images are added: x = [[1], [2]], W = [[0]], b = [0], m = 0.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = (x[:, :, None] - b[:, None] - W @ m[:, :, None]).squeeze()
    square = (residual**2).sum(-1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * square / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    return fit - 0.5 * (S.trace() + (m**2).sum(1) - d - torch.logdet(S))


# %% subset-table right="iwae-curve"
def iwae(log_w, k):
    y = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    return (torch.logsumexp(log_w[y], dim=1) - math.log(k)).mean(dim=0)


# %% masks-and-logaddexp right="iwae-curve"
def iwae(log_w, k):
    K = len(log_w)
    total, check = 0, 0
    for mask in range(2**K):
        if bin(mask).count("1") != k:
            continue
        y = None
        for j in range(K):
            if mask >> j & 1:
                y = log_w[j] if y is None else torch.logaddexp(y, log_w[j])
        total, check = total + y - math.log(k), check + 1
    return total / check


# %% one-maximum wrong="iwae-curve"
# One maximum serves all subsets: log_w = [[0], [-2000], [-2000]], k = 1 gives -infinity.
def iwae(log_w, k):
    top = log_w.max()
    w = torch.exp(log_w - top)
    subsets = itertools.combinations(range(len(w)), k)
    bounds = [torch.log(w[list(s)].mean(0)) + top for s in subsets]
    return torch.stack(bounds).mean(0)


# %% equal-draws-once wrong="iwae-curve"
# Subsets with equal weights count once: log_w = [[0], [0], [-6]], k = 1 gives -3, not -2.
def iwae(log_w, k):
    rows = []
    for column in log_w.T:
        subsets = {}
        for s in itertools.combinations(range(len(column)), k):
            part = column[list(s)]
            subsets[tuple(part.tolist())] = torch.logsumexp(part, 0) - math.log(k)
        rows.append(torch.stack(list(subsets.values())).mean())
    return torch.stack(rows)


# %% by-way-of-arrays wrong="iwae-curve"
# The result comes from NumPy: no gradient reaches log_w, e.g. [[0.], [1.]], k = 1.
def iwae(log_w, k):
    from scipy.special import logsumexp

    w = log_w.detach().numpy()
    subsets = itertools.combinations(range(len(w)), k)
    bounds = [logsumexp(w[list(s)], axis=0) - math.log(k) for s in subsets]
    return torch.as_tensor(np.mean(bounds, axis=0))


# %% twenty-subsets wrong="iwae-curve"
# Ends after twenty subsets: K = 7, k = 3 has 35; log_w = 0 but 10 at the last draw.
def iwae(log_w, k):
    bounds = []
    for s in itertools.islice(itertools.combinations(range(len(log_w)), k), 20):
        bounds.append(torch.logsumexp(log_w[list(s)], 0) - math.log(k))
    return torch.stack(bounds).mean(0)


# %% covariance-eigenvalues right="unit-information"
def unit_information(x, sigma, latents):
    y = np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True))[::-1][:latents]
    return 0.5 * np.log(np.maximum(y, sigma**2) / sigma**2)


# %% singular-values right="unit-information"
def unit_information(x, sigma, latents):
    k = np.zeros(latents)
    check = np.linalg.svd(x - x.mean(0), compute_uv=False) / (math.sqrt(len(x)) * sigma)
    for j, s in enumerate(check[:latents]):
        if s > 1:
            k[j] = math.log(s)
    return k


# %% no-more-than-images wrong="unit-information"
# Only min(n, D) values come: n = 2, D = 4, latents = 4 has shape (2,).
def unit_information(x, sigma, latents):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False)[:latents]
    return np.maximum(np.log(np.maximum(s, 1e-300) / math.sqrt(len(x)) / sigma), 0.0)


# %% rank-tolerance wrong="unit-information"
# Variances below a millionth of the largest count as 0: x = [[100, .02], [100, -.02],
# [-100, .02], [-100, -.02]], sigma = 0.002.
def unit_information(x, sigma, latents):
    c = x - x.mean(0)
    variance = np.linalg.eigvalsh(c.T @ c / len(x))[::-1][:latents]
    variance = np.where(variance > 1e-6 * variance[0], variance, 0.0)
    return 0.5 * np.log(np.maximum(variance / sigma**2, 1.0))


# %% equal-variances-once wrong="unit-information"
# Equal eigenvalues count once: x = [[1, 1], [1, -1], [-1, 1], [-1, -1]], sigma = 0.5, latents = 2.
def unit_information(x, sigma, latents):
    c = x - x.mean(0)
    variance = np.unique(np.linalg.eigvalsh(c.T @ c / len(x)).round(12))[::-1][:latents]
    variance = np.pad(variance, (0, latents - len(variance)))
    return 0.5 * np.log(np.maximum(variance, sigma**2) / sigma**2)


# %% start-from-ones wrong="unit-information"
# Power iteration from ones misses what is orthogonal: x = [[1, -1], [-1, 1], [.125, .125],
# [-.125, -.125]], sigma = 0.05, latents = 1.
def unit_information(x, sigma, latents):
    c = x - x.mean(0)
    cov = c.T @ c / len(x)
    values = []
    for _ in range(latents):
        v = np.ones(len(cov)) / math.sqrt(len(cov))
        for _ in range(50):
            u = cov @ v
            size = np.linalg.norm(u)
            if size < 1e-12:
                break
            v = u / size
        value = v @ cov @ v
        values.append(value)
        cov = cov - value * np.outer(v, v)
    variance = np.sort(values)[::-1]
    return 0.5 * np.log(np.maximum(variance / sigma**2, 1.0))


# %% short-formula right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    y = weight * pixels / 2
    return math.sqrt(y), -mse / weight - kl - 0.5 * pixels * math.log(2 * math.pi * y)


# %% from-sigma-loop right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    k = np.sqrt(0.5 * pixels) * np.sqrt(weight)
    check = []
    for error, gradient in zip(mse, kl):
        y = -pixels * (np.log(k) + 0.5 * np.log(2 * np.pi) + error / (2 * k**2))
        check.append(y - gradient)
    return k, np.array(check)


# %% power-of-density wrong="weight-as-noise"
# The constant is taken to the power D first: weight = 1, pixels = 10000 overflows.
def honest_elbo(mse, kl, weight, pixels):
    sigma = np.sqrt(weight * pixels / 2)
    constant = np.log(np.power(2 * np.pi * sigma**2, pixels / 2))
    return sigma, -mse / weight - kl - constant


# %% whole-half wrong="weight-as-noise"
# Half of the pixels is rounded down: weight = 0.01, pixels = 7, mse = kl = [0].
def honest_elbo(mse, kl, weight, pixels):
    half = pixels // 2
    sigma = math.sqrt(weight * pixels / 2)
    return sigma, -mse / weight - kl - half * math.log(2 * math.pi * sigma**2)


# %% floor-under-sigma wrong="weight-as-noise"
# Sigma is at least 0.01: weight = 1e-6, pixels = 1, mse = kl = [0] has 0.000707.
def honest_elbo(mse, kl, weight, pixels):
    sigma = max(math.sqrt(weight * pixels / 2), 0.01)
    fit = -pixels * mse / (2 * sigma**2) - pixels / 2 * math.log(2 * math.pi * sigma**2)
    return sigma, fit - kl


# %% lone-image wrong="weight-as-noise"
# One image gives a bare number: mse = [0.1], kl = [1], weight = 0.01, pixels = 4.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    parts = np.stack([pixels * mse / (2 * sigma**2), kl]).squeeze()
    return sigma, -parts.sum(0) - pixels / 2 * math.log(2 * math.pi * sigma**2)
