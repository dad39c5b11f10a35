# %% in-log-space right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * torch.log(prior_scale)
    z = (mu - prior_mu) / prior_scale
    return 0.5 * (torch.exp(log_ratio) + z**2 - 1 - log_ratio).sum(dim=1)


# %% dimension-by-dimension right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    y = torch.zeros_like(mu[:, 0])
    for j in range(mu.shape[1]):
        k = log_var[:, j] / 2 - prior_scale[j].log()
        check = (mu[:, j] - prior_mu[j]) / prior_scale[j]
        y = y + torch.expm1(2 * k) / 2 + check.square() / 2 - k
    return y


# %% ratio-of-underflows right="gaussian-kl"
# Right for scales of at least a millionth.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    square = log_var.exp() + (mu - prior_mu) ** 2
    each = prior_scale.log() - log_var / 2 + square / (2 * prior_scale**2) - 0.5
    return each.sum(-1)


# %% clamped-at-120 wrong="gaussian-kl"
# Log variances end at -120 in float64 as well: log_var [[-900.0]], mu [[0.0]], prior_mu [0.0],
# prior_scale [1.0].
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_var = log_var.clamp(min=-120)
    z = (mu - prior_mu) / prior_scale
    log_ratio = log_var - 2 * prior_scale.log()
    return 0.5 * (log_ratio.exp() + z.square() - 1 - log_ratio).sum(-1)


# %% prior-mean-fixed wrong="gaussian-kl"
# No gradient reaches prior_mu: its gradient at mu [[1.0]], log_var [[0.0]], prior_mu [0.0],
# prior_scale [1.0].
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    centred = mu - prior_mu.data
    log_ratio = log_var - 2 * torch.log(prior_scale)
    square = (centred / prior_scale).pow(2)
    return (0.5 * (square + log_ratio.exp() - 1 - log_ratio)).sum(dim=1)


# %% square-overflows right="gaussian-kl"
# Right for means of at most a million.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * torch.log(prior_scale)
    distance = (mu - prior_mu) ** 2 * torch.exp(-2 * torch.log(prior_scale))
    return 0.5 * (torch.exp(log_ratio) + distance - 1 - log_ratio).sum(1)


# %% library-density right="latent-draws"
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    q = torch.distributions.MultivariateNormal(mu, scale_tril=tril)
    return z, q.log_prob(z)


# %% density-from-noise right="latent-draws"
def latent_draws(mu, tril, eps):
    y = torch.einsum("nij,knj->kni", tril, eps)
    k = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    check = 0.5 * (eps**2).sum(-1) + 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return mu[None] + y, -check - k + (mu - mu).sum(-1)


# %% log-of-determinant wrong="latent-draws"
# The determinant underflows before its logarithm: tril 0.1 * eye(400)[None], mu and eps zeros.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    white = torch.linalg.solve_triangular(tril, (z - mu)[..., None], upper=False)[..., 0]
    log_norm = torch.log(torch.det(tril)) + 0.5 * mu.shape[-1] * math.log(2 * math.pi)
    return z, -0.5 * white.square().sum(-1) - log_norm


# %% draw-held-fixed wrong="latent-draws"
# The density treats the draws as constants: the gradient of log_q in tril, at mu [[0.0]],
# tril [[[2.0]]], eps [[[1.0]]] (right -0.5).
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps[..., None])[..., 0]
    q = torch.distributions.MultivariateNormal(mu, scale_tril=tril)
    return z, q.log_prob(z.detach())


# %% squeezed-draws wrong="latent-draws"
# A single draw or image loses its axis: eps [[[1.0, 1.0], [0.0, 1.0]]], mu zeros (2, 2),
# tril eye(2) twice.
def latent_draws(mu, tril, eps):
    z = (mu + torch.matmul(tril, eps.unsqueeze(-1)).squeeze(-1)).squeeze()
    log_diagonal = torch.diagonal(tril, dim1=1, dim2=2).log().sum(1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(-1) - log_diagonal - constant


# %% through-the-covariance right="latent-draws"
# Right where no entry is larger than a hundred times the smallest of the diagonal.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    covariance = tril @ tril.mT
    r = (z - mu)[..., None]
    distance = (r * torch.linalg.solve(covariance, r)).sum((-1, -2))
    log_norm = torch.logdet(2 * math.pi * covariance)
    return z, -0.5 * (distance + log_norm)


# %% columns-apart right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    on = torch.as_tensor(binary, dtype=torch.bool)
    pixels, logits = x[:, on], out[:, on]
    if not ((pixels == 0) | (pixels == 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = pixels * logits - torch.nn.functional.softplus(logits, threshold=50)
    z = (x[:, ~on] - out[:, ~on]) * torch.exp(-log_scale)
    grey = -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(1) + grey.sum(1)


# %% pixel-by-pixel right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    y = 0 * log_scale + torch.zeros(len(x), dtype=out.dtype)
    for check, k, kind in zip(x.T, out.T, binary.tolist()):
        if kind:
            if any(value not in (0.0, 1.0) for value in check.tolist()):
                raise ValueError(f"not a binary pixel: {check}")
            y = y + torch.nn.functional.logsigmoid((2 * check - 1) * k)
        else:
            z = (check - k) / log_scale.exp()
            y = y - log_scale - (z * z + math.log(2 * math.pi)) / 2
    return y


# %% whole-numbers-pass wrong="mixed-pixels"
# Any whole number counts as binary: x [[2.0]], out [[0.0]], log_scale 0, binary [True] raises
# nothing.
def log_likelihood(x, out, log_scale, binary):
    if (x[:, binary] != x[:, binary].round()).any():
        raise ValueError("binary pixels must be 0 or 1")
    logits = out[:, binary]
    black = x[:, binary] * logits - torch.logaddexp(logits, torch.zeros_like(logits))
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black.sum(1) - (0.5 * z**2 + log_scale + 0.5 * math.log(2 * math.pi)).sum(1)


# %% capped-surprise wrong="mixed-pixels"
# binary_cross_entropy cuts a pixel's loss at 100: x [[0.0]], out [[800.0]], log_scale 0,
# binary [True].
def log_likelihood(x, out, log_scale, binary):
    pixels = x[:, binary]
    if not torch.logical_or(pixels == 0, pixels == 1).all():
        raise ValueError("binary pixels must be 0 or 1")
    loss = torch.nn.functional.binary_cross_entropy
    black = -loss(torch.sigmoid(out[:, binary]), pixels, reduction="none").sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) / log_scale.exp()
    return black - (0.5 * z**2 + log_scale + 0.5 * math.log(2 * math.pi)).sum(1)


# %% precision-overflows right="mixed-pixels"
# Right for log scales from -14 to 14.
def log_likelihood(x, out, log_scale, binary):
    pixels = x[:, binary]
    if ((pixels != 0) & (pixels != 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    black = -torch.nn.functional.binary_cross_entropy_with_logits(
        out[:, binary], pixels, reduction="none"
    )
    square = (x[:, ~binary] - out[:, ~binary]) ** 2
    grey = -0.5 * (square * torch.exp(-2 * log_scale) + 2 * log_scale + math.log(2 * math.pi))
    return black.sum(dim=1) + grey.sum(dim=1)


# %% one-binary-column wrong="mixed-pixels"
# A single binary column loses its axis and is summed over images: x [[1.0, 0.5], [0.0, 0.5]],
# out zeros, log_scale 0, binary [True, False].
def log_likelihood(x, out, log_scale, binary):
    on = binary.nonzero().squeeze()
    pixels, logits = x[:, on], out[:, on]
    if not torch.all((pixels == 0) | (pixels == 1)):
        raise ValueError("binary pixels must be 0 or 1")
    black = torch.nn.functional.logsigmoid((2 * pixels - 1) * logits).sum(-1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    return black - (0.5 * z**2 + log_scale + 0.5 * math.log(2 * math.pi)).sum(-1)


# %% closed-form right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    (_, D), d = x.shape, W.shape[1]
    residual = (x - b - m @ W.T) / sigma
    spread = ((W @ S) * W).sum() / sigma**2
    fit = -0.5 * ((residual**2).sum(1) + spread) - D * torch.log(sigma)
    fit = fit - 0.5 * D * math.log(2 * math.pi)
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.linalg.slogdet(S).logabsdet)
    return fit - kl


# %% energy-and-entropy right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    L = torch.linalg.cholesky((S + S.T) / 2)
    y = W @ L / sigma
    k = 0.5 * math.log(2 * math.pi)
    entropy = L.diagonal().log().sum() + len(S) * (k + 0.5)
    rows = []
    for point, check in zip(x, m):
        e = (point - W @ check - b) / sigma
        log_x = -0.5 * (e @ e + (y * y).sum()) - len(b) * (torch.log(sigma) + k)
        log_z = -0.5 * (check @ check + (L * L).sum()) - len(S) * k
        rows.append(log_x + log_z + entropy)
    return torch.stack(rows)


# %% log-of-determinant wrong="linear-elbo"
# det(S) underflows: S 1e-170 * eye(2), W ones(2, 2), x, b and m zeros, sigma 1.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    square = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * D * torch.log(2 * math.pi * sigma**2) - square / (2 * sigma**2)
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.log(torch.det(S)))


# %% jitter-on-S wrong="linear-elbo"
# 1e-8 is added to the diagonal of S: S 1e-8 * eye(2), W ones(2, 2), x, b and m zeros, sigma 1.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    L = torch.linalg.cholesky(S + 1e-8 * torch.eye(d, dtype=S.dtype))
    square = ((x - b - m @ W.T) ** 2).sum(1) + ((W @ L) ** 2).sum()
    fit = -0.5 * D * torch.log(2 * math.pi * sigma**2) - square / (2 * sigma**2)
    kl = 0.5 * ((L**2).sum() + (m**2).sum(1) - d) - L.diagonal().log().sum()
    return fit - kl


# %% determinant-in-numpy wrong="linear-elbo"
# The gradient in S misses the determinant: at S [[0.5]], W [[1.0]], x, b and m zeros, sigma 1
# (right -1 + 1 / (2 * 0.5) = 0).
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    logdet = np.linalg.slogdet(S.detach().numpy())[1]
    square = ((x - b - m @ W.T) ** 2).sum(1) + torch.einsum("ij,jk,ik->", W, S, W)
    fit = -0.5 * D * torch.log(2 * math.pi * sigma**2) - square / (2 * sigma**2)
    return fit - 0.5 * (S.diagonal().sum() + (m**2).sum(1) - d - logdet)


# %% square-multiplied-out wrong="linear-elbo"
# The squared residual cancels far from zero: x [[1e9 + 1]], b [1e9], W [[1.0]], m [[0.0]],
# S [[1.0]], sigma 1.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    mean = m @ W.T + b
    square = (x * x).sum(1) - 2 * (x * mean).sum(1) + (mean * mean).sum(1)
    square = square + torch.trace(W @ S @ W.T)
    fit = -D * torch.log(sigma) - 0.5 * D * math.log(2 * math.pi) - square / (2 * sigma**2)
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))


# %% every-combination right="iwae-curve"
def iwae(log_w, k):
    subsets = list(itertools.combinations(range(len(log_w)), k))
    return torch.logsumexp(log_w[torch.tensor(subsets)], dim=1).mean(0) - math.log(k)


# %% bit-masks right="iwae-curve"
def iwae(log_w, k):
    K = log_w.shape[0]
    total, y = 0, 0
    for check in range(2**K):
        rows = [j for j in range(K) if check >> j & 1]
        if len(rows) == k:
            top = log_w[rows].max(dim=0).values.detach()
            total = total + top + (log_w[rows] - top).exp().mean(0).log()
            y += 1
    return total / y


# %% one-shift-for-all wrong="iwae-curve"
# One shift for all images underflows in the lower ones: log_w [[0.0, -2000.0]], k 1.
def iwae(log_w, k):
    shift = log_w.max().detach()
    w = torch.exp(log_w - shift)
    logs = [w[list(s)].mean(0).log() for s in itertools.combinations(range(len(w)), k)]
    return torch.stack(logs).mean(0) + shift


# %% values-without-gradient wrong="iwae-curve"
# The result is a new tensor that knows nothing of log_w: its gradient at any input.
def iwae(log_w, k):
    values = log_w.detach().numpy()
    rows = []
    for subset in itertools.combinations(values, k):
        rows.append(np.logaddexp.reduce(np.stack(subset), axis=0) - np.log(k))
    return torch.tensor(np.mean(rows, axis=0))


# %% squeezed-weights wrong="iwae-curve"
# One draw or one image loses its axis: log_w [[-3.0, -5.0]], k 1.
def iwae(log_w, k):
    rows = log_w.squeeze()
    subsets = itertools.combinations(range(len(rows)), k)
    return torch.stack([rows[list(s)].logsumexp(0) for s in subsets]).mean(0) - math.log(k)


# %% first-twenty-subsets wrong="iwae-curve"
# Only the first twenty subsets are used: log_w [[0.0], [-1.0], ..., [-6.0]], k 3.
def iwae(log_w, k):
    subsets = itertools.islice(itertools.combinations(range(len(log_w)), k), 20)
    index = torch.tensor(list(subsets))
    return (torch.logsumexp(log_w[index], dim=1) - math.log(k)).mean(dim=0)


# %% singular-values right="unit-information"
def unit_information(x, sigma, latents):
    n, D = x.shape
    s = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)[: min(n - 1, D)]
    scale = np.zeros(latents)
    count = min(latents, len(s))
    scale[:count] = s[:count] / np.sqrt(n)
    return np.log(np.maximum(scale / sigma, 1.0))


# %% smaller-gram-matrix right="unit-information"
def unit_information(x, sigma, latents):
    y = x - x[0]
    y = y - y.mean(0)
    k = np.linalg.qr(y.T if y.shape[1] > y.shape[0] else y, mode="r")
    check = sorted(torch.linalg.svdvals(torch.tensor(k)).tolist(), reverse=True)
    check = check[: min(len(x) - 1, x.shape[1])] + [0.0] * latents
    level = sigma * math.sqrt(len(x))
    return np.array([math.log(s / level) if s > level else 0.0 for s in check[:latents]])


# %% as-many-as-images wrong="unit-information"
# There are no more results than singular values: x [[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]],
# sigma 0.3, latents 3.
def unit_information(x, sigma, latents):
    s = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[1]
    values = s[:latents] ** 2 / len(x)
    return 0.5 * np.log(np.maximum(values / sigma**2, 1))


# %% noise-of-eigenvalues right="unit-information"
# Right where sigma is at least 1e-5 of the largest deviation.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred / len(x))[::-1][:latents]
    return 0.5 * np.log(np.maximum(values, sigma**2) / sigma**2)


# %% below-a-hundredth wrong="unit-information"
# Less than 0.01 nats counts as collapsed: x [[1.005, 0.0], [-1.005, 0.0]], sigma 1.0, latents 1.
def unit_information(x, sigma, latents):
    n, D = x.shape
    s = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    values = np.concatenate([s, np.zeros(D)])[:latents] ** 2 / n
    information = 0.5 * np.log(np.maximum(values / sigma**2, 1))
    return np.where(information < 0.01, 0.0, information)


# %% float32-before-centring wrong="unit-information"
# The data are rounded to float32 before the mean is taken off:
# x [[1e8, 0.0], [1e8 + 2, 0.0]], sigma 0.3, latents 1.
def unit_information(x, sigma, latents):
    data = torch.tensor(x, dtype=torch.float32).double()
    s = torch.linalg.svdvals(data - data.mean(0)).numpy()
    values = np.zeros(latents)
    values[: len(s)] = s[:latents] ** 2 / len(x)
    return 0.5 * np.log(np.maximum(values / sigma**2, 1))


# %% solved-on-paper right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    return sigma, -0.5 * pixels * math.log(math.pi * weight * pixels) - mse / weight - kl


# %% library-normal right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    k = torch.tensor(weight, dtype=torch.float64)
    y = (k * pixels / 2).sqrt()
    normal = torch.distributions.Normal(0.0, y)
    check = [pixels * normal.log_prob(torch.tensor(v).double().sqrt()) for v in mse]
    return y.item(), torch.stack(check).numpy() - kl


# %% half-the-pixels wrong="weight-as-noise"
# Whole-number division rounds half of an odd number of pixels: pixels 5, weight 0.1, mse [0.1],
# kl [1.0].
def honest_elbo(mse, kl, weight, pixels):
    sigma = np.sqrt(weight * (pixels // 2))
    log_p = -pixels * np.log(sigma * np.sqrt(2 * np.pi)) - pixels * mse / (2 * sigma**2)
    return sigma, log_p - kl


# %% padded-weight wrong="weight-as-noise"
# 1e-10 is added to the weight: weight 1e-10, pixels 64, mse [1e-9], kl [1.0].
def honest_elbo(mse, kl, weight, pixels):
    variance = (weight + 1e-10) * pixels / 2
    error = pixels * mse / (2 * variance)
    return np.sqrt(variance), -error - pixels / 2 * np.log(2 * np.pi * variance) - kl


# %% squeezed-elbo wrong="weight-as-noise"
# A single image gives a number, not shape (1,): mse [0.04], kl [5.0], weight 0.002, pixels 64.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    constant = pixels * math.log(2 * math.pi * variance) / 2
    return variance**0.5, np.squeeze(-mse / weight - constant - kl)


# %% grey-level-floor wrong="weight-as-noise"
# Sigma is at least a grey level, 1 / 256: weight 1e-8, pixels 2, mse [1e-8], kl [1.0].
def honest_elbo(mse, kl, weight, pixels):
    sigma = max(math.sqrt(0.5 * weight * pixels), 1 / 256)
    log_p = -pixels * math.log(sigma) - 0.5 * pixels * (math.log(2 * math.pi) + mse / sigma**2)
    return sigma, log_p - kl
