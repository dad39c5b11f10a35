# %% [markdown]
# Answers written from the text alone.


# %% kl-plain-formula right="gaussian-kl"
# The closed form, with the log variance used as it is.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    z = (mu - prior_mu) / prior_scale
    ratio = torch.exp(log_var) / prior_scale**2
    return (torch.log(prior_scale) - 0.5 * log_var + 0.5 * (ratio + z**2 - 1)).sum(1)


# %% kl-log-ratio right="gaussian-kl"
# Everything from the log of the ratio of the variances, one latent dimension after the other.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    total = torch.zeros_like(mu[:, 0])
    for j in range(mu.shape[1]):
        log_ratio = log_var[:, j] - 2 * torch.log(prior_scale[j])
        shift = ((mu[:, j] - prior_mu[j]) / prior_scale[j]).square()
        total = total + 0.5 * (torch.expm1(log_ratio) - log_ratio + shift)
    return total


# %% kl-clamped-log-var wrong="gaussian-kl"
# Clamps the log variance at -150: fine in float32, wrong at -900 in float64.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_var = log_var.clamp(min=-150.0)
    z = (mu - prior_mu) / prior_scale
    ratio = torch.exp(log_var) / prior_scale**2
    return (torch.log(prior_scale) - 0.5 * log_var + 0.5 * (ratio + z**2 - 1)).sum(1)


# %% kl-prior-mean-detached wrong="gaussian-kl"
# Treats the prior's mean as a constant: no gradient flows to prior_mu.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    z = (mu - prior_mu.detach()) / prior_scale
    ratio = torch.exp(log_var) / prior_scale**2
    return (torch.log(prior_scale) - 0.5 * log_var + 0.5 * (ratio + z**2 - 1)).sum(1)


# %% kl-epsilon-in-prior-variance wrong="gaussian-kl"
# Adds 1e-8 to the prior's variance: one percent off at a scale of a thousandth.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    prior_var = prior_scale**2 + 1e-8
    square = (mu - prior_mu) ** 2
    ratio = (torch.exp(log_var) + square) / prior_var
    return 0.5 * (torch.log(prior_var) - log_var + ratio - 1).sum(1)


# %% kl-expanded-square wrong="gaussian-kl"
# Expands the squared distance of the means: cancels for means near 1000 that almost agree and a
# small scale, badly so in float32.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    precision = prior_scale**-2.0
    square = mu**2 @ precision - 2 * mu @ (prior_mu * precision) + prior_mu**2 @ precision
    rest = torch.exp(log_var) * precision - log_var + 2 * torch.log(prior_scale) - 1
    return 0.5 * (square + rest.sum(1))


# %% kl-small-variance-dropped wrong="gaussian-kl"
# Takes variances below e**-12 for 0: against a prior scale of 0.001 they still count, and so does
# their gradient (log_var = -13).
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    z = (mu - prior_mu) / prior_scale
    var = torch.where(log_var < -12, torch.zeros_like(log_var), torch.exp(log_var))
    ratio = var / prior_scale**2
    return (torch.log(prior_scale) - 0.5 * log_var + 0.5 * (ratio + z**2 - 1)).sum(1)


# %% draws-einsum right="latent-draws"
# One einsum for the draws; the log-density from the noise and the diagonal.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2)).sum(1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(2) - log_diag - constant


# %% draws-change-of-variables right="latent-draws"
# Matrix times column, and the noise's own density minus the log-determinant of the map.
def latent_draws(mu, tril, eps):
    z = mu + torch.matmul(tril, eps.unsqueeze(-1)).squeeze(-1)
    noise = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    log_q = noise.log_prob(eps).sum(-1)
    for j in range(mu.shape[1]):
        log_q = log_q - torch.log(tril[:, j, j])
    return z, log_q


# %% draws-product-of-diagonal wrong="latent-draws"
# The log of the product of the diagonal: underflows to -inf for 50 entries of 1e-8.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2).prod(1))
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(2) - log_diag - constant


# %% draws-density-without-gradient wrong="latent-draws"
# The log-density is computed without a graph: no gradient flows to tril through log_q.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    with torch.no_grad():
        log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2)).sum(1)
        constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
        log_q = -0.5 * (eps**2).sum(2) - log_diag - constant
    return z, log_q


# %% draws-squeezed wrong="latent-draws"
# Squeezes every axis of the product: wrong shapes (and sums) for K = 1, n = 1 or d = 1.
def latent_draws(mu, tril, eps):
    z = mu + torch.matmul(tril, eps.unsqueeze(-1)).squeeze()
    log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2)).sum(1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(2) - log_diag - constant


# %% draws-diagonal-floor wrong="latent-draws"
# Keeps the diagonal at 1e-6 at least before the logarithm: the text allows 1e-8.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2).clamp(min=1e-6)).sum(1)
    constant = 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(2) - log_diag - constant


# %% draws-constant-counts-images wrong="latent-draws"
# The constant counts the images in place of the dimensions: right only where n = d.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_diag = torch.log(torch.diagonal(tril, dim1=1, dim2=2)).sum(1)
    constant = 0.5 * len(mu) * math.log(2 * math.pi)
    return z, -0.5 * (eps**2).sum(2) - log_diag - constant


# %% pixels-by-columns right="mixed-pixels"
# Splits the columns; logsigmoid with the sign of the pixel, and the Normal formula.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if not bool(((bits == 0) | (bits == 1)).all()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    return black + grey


# %% pixels-by-where right="mixed-pixels"
# Both likelihoods for all pixels, torch.where picks; cross-entropy with logits, Normal.log_prob.
def log_likelihood(x, out, log_scale, binary):
    wrong = (x != 0) & (x != 1) & binary
    if bool(wrong.any()):
        raise ValueError("binary pixels must be 0 or 1")
    safe = torch.where(binary, x, torch.zeros_like(x))
    black = -torch.nn.functional.binary_cross_entropy_with_logits(out, safe, reduction="none")
    grey = torch.distributions.Normal(out, torch.exp(log_scale)).log_prob(x)
    return torch.where(binary, black, grey).sum(1)


# %% pixels-any-whole-number wrong="mixed-pixels"
# Refuses only pixels that are not whole numbers: a binary pixel of 2 or -1 passes.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if not bool((bits == torch.round(bits)).all()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = (bits * logits - torch.logaddexp(logits, torch.zeros_like(logits))).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    return black + grey


# %% pixels-one-good-image-suffices wrong="mixed-pixels"
# Refuses only if no image is valid: one bad image beside a good one passes.
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    valid = ((bits == 0) | (bits == 1)).all(1)
    if not bool(valid.any()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    return black + grey


# %% pixels-sigmoid-first wrong="mixed-pixels"
# Cross-entropy of the sigmoid, whose logarithms PyTorch cuts at -100: wrong for a pixel of 0 with
# the logit 800, or of 1 with -800 (confident and mistaken).
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if not bool(((bits == 0) | (bits == 1)).all()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    loss = torch.nn.functional.binary_cross_entropy
    black = -loss(torch.sigmoid(logits), bits, reduction="none").sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    return black + grey


# %% pixels-epsilon-in-variance wrong="mixed-pixels"
# Adds 1e-8 to the variance of the grey pixels: wrong for log_scale near -14 (variance 7e-13).
def log_likelihood(x, out, log_scale, binary):
    bits, logits = x[:, binary], out[:, binary]
    if not bool(((bits == 0) | (bits == 1)).all()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = torch.nn.functional.logsigmoid((2 * bits - 1) * logits).sum(1)
    var = torch.exp(2 * log_scale) + 1e-8
    square = (x[:, ~binary] - out[:, ~binary]) ** 2
    grey = -0.5 * (square / var + torch.log(2 * math.pi * var)).sum(1)
    return black + grey


# %% pixels-bernoulli-in-numpy wrong="mixed-pixels"
# The Bernoulli part in NumPy for its logaddexp: no gradient flows to the logits in out.
def log_likelihood(x, out, log_scale, binary):
    bits = x[:, binary].numpy()
    logits = out[:, binary].detach().numpy()
    if not np.isin(bits, (0, 1)).all():
        raise ValueError("a binary pixel is neither 0 nor 1")
    black = -np.logaddexp(0, (1 - 2 * bits) * logits).sum(1)
    z = (x[:, ~binary] - out[:, ~binary]) * torch.exp(-log_scale)
    grey = (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    return torch.as_tensor(black) + grey


# %% elbo-cholesky right="linear-elbo"
# Expected squared error plus trace, and the KL with a log-determinant by Cholesky.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = x - b - m @ W.T
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    logdet = 2 * torch.log(torch.diagonal(torch.linalg.cholesky(S))).sum()
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - logdet)
    return fit - kl


# %% elbo-normal-and-slogdet right="linear-elbo"
# Log-density at the mean by torch.distributions, less the curvature term; the entropy by slogdet.
def linear_elbo(x, W, b, sigma, m, S):
    d = S.shape[0]
    at_mean = torch.distributions.Normal(b + m @ W.T, sigma).log_prob(x).sum(1)
    at_mean = at_mean - torch.einsum("ij,jk,ik->", W, S, W) / (2 * sigma**2)
    prior = -0.5 * ((m**2).sum(1) + torch.diagonal(S).sum() + d * math.log(2 * math.pi))
    entropy = 0.5 * (d * math.log(2 * math.pi * math.e) + torch.linalg.slogdet(S)[1])
    return at_mean + prior + entropy


# %% elbo-log-of-determinant wrong="linear-elbo"
# The log of the determinant itself: underflows for 60 latent variables of variance a millionth.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = x - b - m @ W.T
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    logdet = torch.log(torch.linalg.det(S))
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - logdet)
    return fit - kl


# %% elbo-jitter wrong="linear-elbo"
# Adds 1e-7 to the diagonal before Cholesky: off by a twentieth of a nat for each eigenvalue of
# a millionth.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = x - b - m @ W.T
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    factor = torch.linalg.cholesky(S + 1e-7 * torch.eye(d, dtype=S.dtype))
    logdet = 2 * torch.log(torch.diagonal(factor)).sum()
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - logdet)
    return fit - kl


# %% elbo-logdet-in-numpy wrong="linear-elbo"
# The log-determinant in NumPy: the gradient with respect to S lacks its part.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = x - b - m @ W.T
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    logdet = float(np.linalg.slogdet(S.detach().numpy())[1])
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - logdet)
    return fit - kl


# %% elbo-squeezed wrong="linear-elbo"
# Drops all axes of length one from the residual: for D = 1 and n > 1 the squares are summed over
# the images in place of the pixels.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = (x - b - m @ W.T).squeeze()
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(-1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    logdet = 2 * torch.log(torch.diagonal(torch.linalg.cholesky(S))).sum()
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - logdet)
    return fit - kl


# %% elbo-root-of-square wrong="linear-elbo"
# Squares a length that came from torch.sqrt: the value is right, the gradient with respect to m
# is nan for an image whose mean is the zero vector.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    residual = x - b - m @ W.T
    trace = (W @ S * W).sum()
    fit = -0.5 * ((residual**2).sum(1) + trace) / sigma**2
    fit = fit - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    logdet = 2 * torch.log(torch.diagonal(torch.linalg.cholesky(S))).sum()
    length = torch.sqrt((m**2).sum(1))
    kl = 0.5 * (torch.trace(S) + length**2 - d - logdet)
    return fit - kl


# %% iwae-index-of-subsets right="iwae-curve"
# All subsets as one index tensor, logsumexp over the members, mean over the subsets.
def iwae(log_w, k):
    subsets = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    return (torch.logsumexp(log_w[subsets], 1) - math.log(k)).mean(0)


# %% iwae-loop-with-own-shift right="iwae-curve"
# A loop over the subsets, each shifted by its own largest weight.
def iwae(log_w, k):
    total, count = 0.0, 0
    for subset in itertools.combinations(log_w.unbind(0), k):
        members = torch.stack(subset)
        top = members.detach().amax(0)
        total = total + top + torch.log(torch.exp(members - top).mean(0))
        count += 1
    return total / count


# %% iwae-one-shift-per-image wrong="iwae-curve"
# Shifts by the largest of all K weights of the image: a subset without it underflows to -inf if
# its weights lie 800 nats below.
def iwae(log_w, k):
    subsets = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    top = log_w.detach().amax(0)
    w = torch.exp(log_w - top)
    return top + torch.log(w[subsets].mean(1)).mean(0)


# %% iwae-squeezed wrong="iwae-curve"
# Squeezes the result: for a single image it is 0-d instead of shape (1,).
def iwae(log_w, k):
    subsets = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    return (torch.logsumexp(log_w[subsets], 1) - math.log(k)).mean(0).squeeze()


# %% iwae-twenty-subsets wrong="iwae-curve"
# Stops after twenty subsets: enough up to K = 6, too few for K = 7 and k from 2 to 5.
def iwae(log_w, k):
    ways = itertools.combinations(range(log_w.shape[0]), k)
    subsets = torch.tensor(list(itertools.islice(ways, 20)))
    return (torch.logsumexp(log_w[subsets], 1) - math.log(k)).mean(0)


# %% iwae-usual-bound-by-scipy wrong="iwae-curve"
# For k = K it asks SciPy's logsumexp: the value is right, but no gradient flows.
def iwae(log_w, k):
    from scipy.special import logsumexp

    if k == log_w.shape[0]:
        return torch.as_tensor(logsumexp(log_w.detach().numpy(), axis=0) - math.log(k))
    subsets = torch.tensor(list(itertools.combinations(range(log_w.shape[0]), k)))
    return (torch.logsumexp(log_w[subsets], 1) - math.log(k)).mean(0)


# %% iwae-running-sum wrong="iwae-curve"
# A running log-sum that does not ask which term is larger: overflows to inf where a later weight
# is more than 709 nats above the ones before it.
def iwae(log_w, k):
    values = []
    for subset in itertools.combinations(range(log_w.shape[0]), k):
        running = log_w[subset[0]]
        for j in subset[1:]:
            running = running + torch.log1p(torch.exp(log_w[j] - running))
        values.append(running - math.log(k))
    return torch.stack(values).mean(0)


# %% information-singular-values right="unit-information"
# Half the log of eigenvalue over noise variance, from the singular values of the centred data.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    spread = np.zeros(max(latents, len(singular)))
    spread[: len(singular)] = singular / math.sqrt(len(x))
    return np.log(np.maximum(spread, sigma) / sigma)[:latents]


# %% information-whole-model right="unit-information"
# Builds the columns of W, the exact posterior of each image, and averages the KL itself.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    result = np.zeros(latents)
    for j in range(min(latents, len(singular))):
        gain = singular[j] ** 2 / x.shape[0] - sigma**2
        if gain <= 0:
            continue
        column = math.sqrt(gain) * directions[j]
        var = sigma**2 / (gain + sigma**2)
        mean = centred @ column / (gain + sigma**2)
        result[j] = np.mean(0.5 * (var + mean**2 - 1 - math.log(var)))
    return np.sort(result)[::-1].copy()


# %% information-too-short wrong="unit-information"
# Returns at most min(n, D) values: too few where latents > n, which D > n allows.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    spread = singular / math.sqrt(len(x))
    return np.log(np.maximum(spread, sigma) / sigma)[:latents]


# %% information-almost-zero wrong="unit-information"
# Keeps the squared length of a column at 1e-9 at least: a collapsed variable does not get exactly
# 0, and at sigma = 0.001 it gets 5e-4.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    values = np.zeros(max(latents, len(singular)))
    values[: len(singular)] = singular**2 / len(x)
    gain = np.maximum(values - sigma**2, 1e-9)
    return 0.5 * np.log1p(gain / sigma**2)[:latents]


# %% information-scale-for-variance wrong="unit-information"
# Takes a variable for collapsed if its eigenvalue is at most sigma, not sigma squared: wrong for
# sigma < 1 and an eigenvalue between the two (sigma 0.1, eigenvalue 0.05).
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    values = np.zeros(max(latents, len(singular)))
    values[: len(singular)] = singular**2 / len(x)
    information = 0.5 * np.log(np.maximum(values, sigma**2) / sigma**2)
    return np.where(values > sigma, information, 0.0)[:latents]


# %% information-numerical-rank wrong="unit-information"
# Sets singular values below 1e-4 of the largest to zero as "noise": with sigma 1e-5 times the
# largest deviation such a direction is active.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    singular = np.where(singular > 1e-4 * singular.max(), singular, 0.0)
    spread = np.zeros(max(latents, len(singular)))
    spread[: len(singular)] = singular / math.sqrt(len(x))
    return np.log(np.maximum(spread, sigma) / sigma)[:latents]


# %% information-second-moment wrong="unit-information"
# The covariance as second moment minus squared mean: cancels for columns with a mean of 1000, a
# deviation of a few thousandths and a sigma of 0.001.
def unit_information(x, sigma, latents):
    mean = x.mean(0)
    cov = x.T @ x / len(x) - np.outer(mean, mean)
    values = np.linalg.eigvalsh(cov)[::-1][:latents]
    return 0.5 * np.log(np.maximum(values, sigma**2) / sigma**2)


# %% honest-closed-form right="weight-as-noise"
# Compares coefficients: sigma squared is weight times pixels over two.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    return sigma, -mse / weight - 0.5 * pixels * math.log(math.pi * weight * pixels) - kl


# %% honest-by-scipy right="weight-as-noise"
# The density of a pixel that is off by the root of the mse, D times, from scipy.stats.
def honest_elbo(mse, kl, weight, pixels):
    from scipy import stats

    sigma = float((0.5 * weight * pixels) ** 0.5)
    return sigma, pixels * stats.norm.logpdf(np.sqrt(mse), scale=sigma) - kl


# %% honest-epsilon wrong="weight-as-noise"
# Adds 1e-8 to the variance: two percent off for a weight of a millionth and one pixel.
def honest_elbo(mse, kl, weight, pixels):
    var = weight * pixels / 2 + 1e-8
    elbo = -0.5 * pixels * (mse / var + math.log(2 * math.pi * var)) - kl
    return math.sqrt(var), elbo


# %% honest-scale-at-most-one wrong="weight-as-noise"
# Takes pixels for numbers in [0, 1] and cuts sigma at 1: wrong if weight times pixels exceeds 2.
def honest_elbo(mse, kl, weight, pixels):
    sigma = min(math.sqrt(weight * pixels / 2), 1.0)
    error = pixels * mse / (2 * sigma**2)
    return sigma, -error - 0.5 * pixels * math.log(2 * math.pi * sigma**2) - kl


# %% honest-sixty-four wrong="weight-as-noise"
# Has the example's 64 pixels in the constant: wrong for any other number of pixels.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    return sigma, -mse / weight - 32 * math.log(2 * math.pi * sigma**2) - kl


# %% honest-power-first wrong="weight-as-noise"
# The normalising constant as a power before the logarithm: 0 or inf for thousands of pixels.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    constant = np.log(np.float64(2 * math.pi * sigma**2) ** (-pixels / 2))
    return sigma, constant - mse / weight - kl


# %% honest-square-images wrong="weight-as-noise"
# Goes through the side of a square image: wrong for a number of pixels that is no square (60).
def honest_elbo(mse, kl, weight, pixels):
    side = int(math.sqrt(pixels))
    var = weight * side * side / 2
    elbo = -0.5 * side * side * (mse / var + math.log(2 * math.pi * var)) - kl
    return math.sqrt(var), elbo
