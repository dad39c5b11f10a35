# %% [markdown]
# Answers written from the text alone.


# %% kl-closed-form right="gaussian-kl"
# The closed form with the log variance itself, so that nothing takes the log of an underflow.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    ratio = log_var - 2 * prior_scale.log()
    shift = (mu - prior_mu) / prior_scale
    return 0.5 * (ratio.exp() + shift**2 - 1 - ratio).sum(1)


# %% kl-loop-over-latents right="gaussian-kl"
# Cross-entropy minus entropy, added up latent by latent.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    half_log_2pi = 0.5 * math.log(2 * math.pi)
    total = torch.zeros_like(mu[:, 0])
    for j in range(mu.shape[1]):
        scale = prior_scale[j]
        second = ((mu[:, j] - prior_mu[j]) / scale) ** 2 + (log_var[:, j] - 2 * scale.log()).exp()
        cross = half_log_2pi + scale.log() + 0.5 * second
        entropy = half_log_2pi + 0.5 + 0.5 * log_var[:, j]
        total = total + cross - entropy
    return total


# %% kl-from-distributions wrong="gaussian-kl"
# torch.distributions takes the log of a squared ratio: inf for log_var = -120 in float32.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    q = torch.distributions.Normal(mu, (0.5 * log_var).exp())
    p = torch.distributions.Normal(prior_mu, prior_scale)
    return torch.distributions.kl_divergence(q, p).sum(1)


# %% kl-clamped-log-var wrong="gaussian-kl"
# Clamps log_var at -120 "for stability": too small by hundreds for log_var = -900 in float64.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_var = log_var.clamp(-120, 14)
    var_p = prior_scale**2
    quotient = (log_var.exp() + (mu - prior_mu) ** 2) / var_p
    return 0.5 * (quotient - 1 - log_var + var_p.log()).sum(1)


# %% kl-epsilon-in-variance wrong="gaussian-kl"
# Adds 1e-8 to the prior's variance: one percent off for a legal prior_scale of a thousandth.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    var_p = prior_scale**2 + 1e-8
    quotient = (log_var.exp() + (mu - prior_mu) ** 2) / var_p
    return 0.5 * (quotient - 1 - log_var + var_p.log()).sum(1)


# %% kl-prior-mean-detached wrong="gaussian-kl"
# Detaches the prior's mean, so the gradient with respect to prior_mu is lost for any input.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    shift = (mu - prior_mu.detach()) / prior_scale
    ratio = log_var - 2 * prior_scale.log()
    return 0.5 * (ratio.exp() + shift**2 - 1 - ratio).sum(1)


# %% draws-from-noise right="latent-draws"
# Draws by one einsum; the density from the noise itself and the log diagonal of the factor.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(-1) - log_det - constant


# %% draws-image-by-image right="latent-draws"
# A loop over the images, with torch.distributions for the density of the noise.
def latent_draws(mu, tril, eps):
    noise = torch.distributions.Normal(torch.zeros_like(mu[0]), torch.ones_like(mu[0]))
    draws, logs = [], []
    for i in range(mu.shape[0]):
        draws.append(mu[i] + eps[:, i] @ tril[i].T)
        logs.append(noise.log_prob(eps[:, i]).sum(-1) - tril[i].diagonal().log().sum())
    return torch.stack(draws, 1), torch.stack(logs, 1)


# %% draws-density-at-z right="latent-draws"
# PyTorch's density, which gets the noise back from z - mu: that cancels, but singular values of at
# least 1e-9 leave five digits.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    q = torch.distributions.MultivariateNormal(mu, scale_tril=tril, validate_args=False)
    return z, q.log_prob(z)


# %% draws-log-of-product wrong="latent-draws"
# Multiplies the diagonal before the log: underflows to inf for d = 60 and diagonals of 1e-8.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    det = tril.diagonal(dim1=-2, dim2=-1).prod(-1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(-1) - det.log() - constant


# %% draws-images-for-latents wrong="latent-draws"
# The constant counts images in place of latent variables: wrong wherever n differs from d.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    constant = 0.5 * len(mu) * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(-1) - log_det - constant


# %% draws-density-detached wrong="latent-draws"
# Computes the density without a graph: no gradient flows to tril through log_q, for any input.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    with torch.no_grad():
        log_det = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - log_det
    return z, log_q


# %% pixels-where right="mixed-pixels"
# Both likelihoods for all pixels, chosen by torch.where; the Bernoulli as a log-sigmoid.
def log_likelihood(x, out, log_scale, binary):
    if (binary & (x != 0) & (x != 1)).any():
        raise ValueError("a binary pixel is neither 0 nor 1")
    bernoulli = torch.nn.functional.logsigmoid(torch.where(x == 1, out, -out))
    error = (x - out) * torch.exp(-log_scale)
    normal = -0.5 * error**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return torch.where(binary, bernoulli, normal).sum(1)


# %% pixels-from-distributions right="mixed-pixels"
# Two index sets and torch.distributions, with a refusal of its own before.
def log_likelihood(x, out, log_scale, binary):
    marks = x[:, binary]
    if not torch.equal(marks, (marks == 1).to(marks.dtype)):
        raise ValueError("binary pixels must be 0 or 1")
    ink = torch.distributions.Bernoulli(logits=out[:, binary])
    grey = torch.distributions.Normal(out[:, ~binary], log_scale.exp())
    return ink.log_prob(marks).sum(1) + grey.log_prob(x[:, ~binary]).sum(1)


# %% pixels-bce-of-probabilities wrong="mixed-pixels"
# Cross-entropy of the sigmoid is capped at 100: x = 1 with logit -800 gives -100, not -800.
def log_likelihood(x, out, log_scale, binary):
    marks = x[:, binary]
    if ((marks != 0) & (marks != 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    chance = torch.sigmoid(out[:, binary])
    ink = -torch.nn.functional.binary_cross_entropy(chance, marks, reduction="none")
    error = (x - out)[:, ~binary] / log_scale.exp()
    grey = -0.5 * error**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return ink.sum(1) + grey.sum(1)


# %% pixels-epsilon-in-scale wrong="mixed-pixels"
# Adds 1e-6 to the standard deviation: more than doubles it at log_scale = -14.
def log_likelihood(x, out, log_scale, binary):
    marks = x[:, binary]
    if ((marks != 0) & (marks != 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    ink = -torch.nn.functional.binary_cross_entropy_with_logits(
        out[:, binary], marks, reduction="none"
    )
    grey = torch.distributions.Normal(out[:, ~binary], log_scale.exp() + 1e-6)
    return ink.sum(1) + grey.log_prob(x[:, ~binary]).sum(1)


# %% pixels-refuses-only-all wrong="mixed-pixels"
# Has any for all: accepts a grey value in a binary pixel if another binary pixel is 0 or 1.
def log_likelihood(x, out, log_scale, binary):
    marks, logits = x[:, binary], out[:, binary]
    if marks.numel() and not ((marks == 0) | (marks == 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    ink = marks * logits - torch.nn.functional.softplus(logits)
    error = (x - out)[:, ~binary] * torch.exp(-log_scale)
    grey = -0.5 * error**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return ink.sum(1) + grey.sum(1)


# %% pixels-scipy-bernoulli wrong="mixed-pixels"
# Takes SciPy for the Bernoulli part, where the gradient to out gets lost at binary pixels.
def log_likelihood(x, out, log_scale, binary):
    from scipy.special import log_expit

    marks = x[:, binary]
    if ((marks != 0) & (marks != 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    signed = ((2 * marks - 1) * out[:, binary]).detach().numpy()
    ink = torch.as_tensor(log_expit(signed))
    error = (x - out)[:, ~binary] * torch.exp(-log_scale)
    grey = -0.5 * error**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return ink.sum(1) + grey.sum(1)


# %% elbo-likelihood-minus-kl right="linear-elbo"
# Expected log-likelihood minus the KL to the prior, all images at once.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    error = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - D * (sigma.log() + 0.5 * math.log(2 * math.pi))
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.linalg.slogdet(S).logabsdet)
    return fit - kl


# %% elbo-joint-plus-entropy right="linear-elbo"
# Expected log joint density plus the entropy of q, image by image.
def linear_elbo(x, W, b, sigma, m, S):
    log_2pi = math.log(2 * math.pi)
    D, d = W.shape
    gram = W.T @ W
    entropy = 0.5 * d * (1 + log_2pi) + 0.5 * torch.logdet(S)
    values = []
    for row, mean in zip(x, m):
        error = row - (W @ mean + b)
        given = -0.5 * D * log_2pi - D * torch.log(sigma)
        given = given - (error @ error + (gram * S).sum()) / (2 * sigma**2)
        prior = -0.5 * d * log_2pi - 0.5 * (mean @ mean + S.diagonal().sum())
        values.append(given + prior + entropy)
    return torch.stack(values)


# %% elbo-log-of-determinant wrong="linear-elbo"
# The determinant underflows before its log: inf for d = 60 and eigenvalues of a millionth.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    error = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.log(torch.linalg.det(S)))
    return fit - kl


# %% elbo-jitter wrong="linear-elbo"
# Adds a millionth to the diagonal of S for Cholesky: doubles eigenvalues of a millionth.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    L = torch.linalg.cholesky(S + 1e-6 * torch.eye(d, dtype=S.dtype))
    error = ((x - b - m @ W.T) ** 2).sum(1) + ((W @ L) ** 2).sum()
    fit = -0.5 * error / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    kl = 0.5 * ((L**2).sum() + (m**2).sum(1) - d) - L.diagonal().log().sum()
    return fit - kl


# %% elbo-images-for-latents wrong="linear-elbo"
# Takes the length of m, the number of images, for d in the KL: wrong unless n equals d.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = x.shape[1], len(m)
    error = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * error / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - torch.logdet(S))
    return fit - kl


# %% elbo-entropy-from-numpy wrong="linear-elbo"
# Takes the log-determinant from NumPy: right values, but its part of the gradient to S is lost.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    error = ((x - b - m @ W.T) ** 2).sum(1) + (W.T @ W * S).sum()
    fit = -0.5 * error / sigma**2 - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    log_det = float(np.linalg.slogdet(S.detach().numpy())[1])
    return fit - 0.5 * (torch.trace(S) + (m**2).sum(1) - d - log_det)


# %% subsets-itertools right="iwae-curve"
# One logsumexp for each subset that itertools names, then the mean over subsets.
def iwae(log_w, k):
    bounds = [
        torch.logsumexp(log_w[list(chosen)], dim=0) - math.log(k)
        for chosen in itertools.combinations(range(len(log_w)), k)
    ]
    return torch.stack(bounds).mean(0)


# %% subsets-one-gather right="iwae-curve"
# All subsets as a table of indices, and a max-shifted log of sums for each one.
def iwae(log_w, k):
    table = torch.combinations(torch.arange(log_w.shape[0]), r=k)
    sets = log_w[table]  # (subsets, k, n)
    top = sets.detach().amax(dim=1, keepdim=True)
    inner = (sets - top).exp().mean(dim=1).log() + top.squeeze(1)
    return inner.mean(dim=0)


# %% subsets-global-shift wrong="iwae-curve"
# Subtracts one maximum over all images: -inf if one image's weights lie 1000 below another's.
def iwae(log_w, k):
    top = log_w.max().detach()
    w = (log_w - top).exp()
    bounds = [
        w[list(chosen)].mean(0).log() + top
        for chosen in itertools.combinations(range(len(log_w)), k)
    ]
    return torch.stack(bounds).mean(0)


# %% subsets-shift-of-all-draws wrong="iwae-curve"
# Shifts by the image's best draw: -inf for subsets without it, if it leads by 1000 or more.
def iwae(log_w, k):
    top = log_w.detach().amax(0)
    w = torch.exp(log_w - top)
    table = torch.combinations(torch.arange(len(log_w)), r=k)
    return top + w[table].mean(1).log().mean(0)


# %% subsets-squeezed wrong="iwae-curve"
# A squeeze at the end turns the result for one image, shape (1,), into a 0-d tensor.
def iwae(log_w, k):
    table = torch.combinations(torch.arange(len(log_w)), r=k)
    bounds = torch.logsumexp(log_w[table], dim=1) - math.log(k)
    return bounds.mean(0).squeeze()


# %% subsets-float32-total wrong="iwae-curve"
# Adds in place to a float32 total: loses the digits of float64 log weights near ten thousand.
def iwae(log_w, k):
    total = torch.zeros(log_w.shape[1])
    count = 0
    for chosen in itertools.combinations(range(len(log_w)), k):
        total += torch.logsumexp(log_w[list(chosen)], dim=0) - math.log(k)
        count += 1
    return total / count


# %% units-from-singular-values right="unit-information"
# The average is log(s / sigma) for standard deviations s of principal axes above sigma, else 0.
def unit_information(x, sigma, latents):
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False) / math.sqrt(len(x))
    spread = np.concatenate([spread, np.zeros(x.shape[1])])[:latents]
    return np.log(np.maximum(spread, sigma) / sigma)


# %% units-by-the-posterior right="unit-information"
# Builds W and the exact posterior of each latent variable, and averages its KL over images.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=True)
    result = np.zeros(latents)
    for j in range(min(latents, len(values))):
        excess = values[j] ** 2 / len(x) - sigma**2
        if excess <= 0:
            continue
        w = math.sqrt(excess) * axes[j]
        precision = w @ w + sigma**2
        variance = sigma**2 / precision
        mean = centred @ w / precision
        result[j] = np.mean(0.5 * (variance + mean**2 - 1 - math.log(variance)))
    return result


# %% units-unpadded wrong="unit-information"
# Forgets that the SVD gives min(n, D) values: too short a result where latents exceed n.
def unit_information(x, sigma, latents):
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False) / math.sqrt(len(x))
    return np.log(np.maximum(spread[:latents], sigma) / sigma)


# %% units-log-before-clip wrong="unit-information"
# Takes the log before clipping: nan for the tiny negative eigenvalues that come where D > n.
def unit_information(x, sigma, latents):
    values = np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True))[::-1][:latents]
    return np.maximum(0.5 * np.log(values / sigma**2), 0.0)


# %% units-rank-tolerance wrong="unit-information"
# Calls variances below 1e-8 of the largest zero: loses active ones if sigma is 1e-5 of its root.
def unit_information(x, sigma, latents):
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False)
    values = np.zeros(x.shape[1])
    values[: len(spread)] = spread**2 / len(x)
    values[values < 1e-8 * values[0]] = 0.0
    return 0.5 * np.log(np.maximum(values[:latents] / sigma**2, 1.0))


# %% units-in-float32 wrong="unit-information"
# Computes in float32: noise for means of a thousand, or axes at sigma = 1e-5 of the largest.
def unit_information(x, sigma, latents):
    data = torch.tensor(x, dtype=torch.float32)
    spread = torch.linalg.svdvals(data - data.mean(0)) / math.sqrt(len(x))
    values = torch.zeros(x.shape[1])
    values[: len(spread)] = spread
    return torch.log(values[:latents].clamp(min=sigma) / sigma).numpy()


# %% weight-direct right="weight-as-noise"
# From D / (2 sigma^2) = 1 / weight, with every constant written out.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(0.5 * pixels * weight)
    constant = pixels * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    return sigma, -constant - mse / weight - kl


# %% weight-by-logpdf right="weight-as-noise"
# SciPy's log density of a pixel with the root-mean-square error, times the number of pixels.
def honest_elbo(mse, kl, weight, pixels):
    from scipy.stats import norm

    sigma = (weight * pixels / 2) ** 0.5
    per_pixel = norm.logpdf(np.sqrt(mse), loc=0.0, scale=sigma)
    return sigma, pixels * per_pixel - kl


# %% weight-whole-halves wrong="weight-as-noise"
# Divides the number of pixels with // in the constant: wrong for odd numbers of pixels.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(pixels * weight / 2)
    return sigma, -(pixels // 2) * math.log(2 * math.pi * sigma**2) - mse / weight - kl


# %% weight-log-of-density wrong="weight-as-noise"
# Takes the log of a density that underflows: -inf where mse is 2000 times weight * pixels.
def honest_elbo(mse, kl, weight, pixels):
    from scipy.stats import norm

    sigma = math.sqrt(pixels * weight / 2)
    return sigma, pixels * np.log(norm.pdf(np.sqrt(mse), scale=sigma)) - kl


# %% weight-capped-sigma wrong="weight-as-noise"
# Caps sigma at one, the range of a pixel: wrong for weight 1 and ten thousand pixels.
def honest_elbo(mse, kl, weight, pixels):
    sigma = min(math.sqrt(pixels * weight / 2), 1.0)
    fit = -0.5 * pixels * (math.log(2 * math.pi * sigma**2) + mse / sigma**2)
    return sigma, fit - kl


# %% weight-epsilon-in-variance wrong="weight-as-noise"
# Adds 1e-6 to the variance in the ELBO: three times too much for one pixel and weight 1e-6.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(pixels * weight / 2)
    variance = sigma**2 + 1e-6
    fit = -0.5 * pixels * (np.log(2 * np.pi * variance) + mse / variance)
    return sigma, fit - kl
