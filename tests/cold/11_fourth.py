# %% [markdown]
# Answers written from the text alone.


# %% kl-formula right="gaussian-kl"
# The closed form; the log variance is used as it is, its exp may underflow to 0.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    shift = (mu - prior_mu) / prior_scale
    ratio = torch.exp(log_var) / prior_scale**2
    return (0.5 * (ratio + shift**2 - 1 - log_var) + torch.log(prior_scale)).sum(dim=1)


# %% kl-cross-entropy right="gaussian-kl"
# Cross entropy (log density at the mean, less the part of the variance) minus entropy.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    at_mean = torch.distributions.Normal(prior_mu, prior_scale).log_prob(mu)
    cross = -at_mean + 0.5 * (torch.exp(0.5 * log_var) / prior_scale) ** 2
    entropy = 0.5 * (math.log(2 * math.pi) + 1 + log_var)
    return (cross - entropy).sum(-1)


# %% kl-from-library wrong="gaussian-kl"
# kl_divergence takes the log of a variance ratio that underflows: infinite for a log variance of
# -120 in float32 and of -900 in float64.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    q = torch.distributions.Normal(mu, torch.exp(0.5 * log_var))
    p = torch.distributions.Normal(prior_mu, prior_scale)
    return torch.distributions.kl_divergence(q, p).sum(dim=1)


# %% kl-clamped wrong="gaussian-kl"
# Clamps log variances at -120 whatever the dtype: too small a value (and no gradient) in float64
# between -900 and -120.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_var = log_var.clamp(min=-120.0)
    ratio = (log_var.exp() + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (ratio - 1 - log_var + 2 * prior_scale.log()).sum(1)


# %% kl-fixed-prior-mean wrong="gaussian-kl"
# Treats the prior's mean as a constant target: the values are right, but no gradient flows to
# prior_mu.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    shift = mu - prior_mu.detach()
    ratio = (log_var.exp() + shift**2) / prior_scale**2
    return 0.5 * (ratio - 1 - log_var + 2 * prior_scale.log()).sum(1)


# %% kl-expanded-square wrong="gaussian-kl"
# Multiplies the squared distance out: it cancels for means far from 0 and close together, e.g.
# float32 with mu = 900.01, prior_mu = 900 and a scale of 0.01.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    precision = 1 / prior_scale**2
    squared = mu**2 - 2 * mu * prior_mu + prior_mu**2
    kl = prior_scale.log() - 0.5 * log_var + 0.5 * precision * (log_var.exp() + squared) - 0.5
    return kl.sum(dim=-1)


# %% draws-einsum right="latent-draws"
# einsum for the draws; the log density from the noise and the diagonal of the factor.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = torch.diagonal(tril, dim1=-2, dim2=-1).log().sum(-1)
    log_q = -0.5 * (eps**2).sum(-1) - log_det - 0.5 * mu.shape[1] * math.log(2 * math.pi)
    return z, log_q


# %% draws-multivariate-normal right="latent-draws"
# Shifts of mean 0 with their density from torch.distributions; the mean is added afterwards.
def latent_draws(mu, tril, eps):
    shift = torch.matmul(tril, eps.unsqueeze(-1)).squeeze(-1)
    centred = torch.distributions.MultivariateNormal(
        torch.zeros_like(mu), scale_tril=tril, validate_args=False
    )
    return mu + shift, centred.log_prob(shift)


# %% draws-determinant wrong="latent-draws"
# The log of a determinant that underflows: with diagonals of 1e-8 and 50 dimensions it is 0 and
# the log density infinite.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps[..., None])[..., 0]
    log_det = torch.log(torch.linalg.det(tril))
    log_q = -0.5 * (eps**2).sum(-1) - log_det - mu.shape[1] / 2 * math.log(2 * math.pi)
    return z, log_q


# %% draws-constant-density wrong="latent-draws"
# Takes the log determinant under no_grad: the values are right, but no gradient flows to tril
# through log_q.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    with torch.no_grad():
        log_det = torch.linalg.slogdet(tril)[1]
    normal = torch.distributions.Normal(0.0, 1.0)
    return z, normal.log_prob(eps).sum(-1) - log_det


# %% draws-squeezed wrong="latent-draws"
# squeeze() without an axis: wrong shapes (by broadcasting with mu, or an error) for one latent
# dimension, and a lost axis for one image.
def latent_draws(mu, tril, eps):
    noise = torch.matmul(tril, eps.unsqueeze(-1)).squeeze()
    z = mu + noise
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(1)
    d = mu.shape[1]
    log_q = -0.5 * eps.square().sum(2) - log_det - 0.5 * d * math.log(2 * math.pi)
    return z, log_q


# %% draws-floored-diagonal wrong="latent-draws"
# Keeps the diagonal at 1e-6 or more before the logarithm: the log density is wrong for diagonals
# between 1e-8 and 1e-6, and the gradient is 0 there.
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps.unsqueeze(-1)).squeeze(-1)
    diagonal = torch.diagonal(tril, dim1=-2, dim2=-1)
    log_det = torch.log(torch.clamp(diagonal, min=1e-6)).sum(-1)
    log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - log_det
    return z, log_q


# %% pixels-by-columns right="mixed-pixels"
# Takes the columns of each kind; logsigmoid of the logit with the sign of the pixel.
def log_likelihood(x, out, log_scale, binary):
    bits, grey = x[:, binary], x[:, ~binary]
    if not bool(((bits == 0) | (bits == 1)).all()):
        raise ValueError("a binary pixel is neither 0 nor 1")
    logits = out[:, binary]
    bernoulli = torch.nn.functional.logsigmoid(torch.where(bits == 1, logits, -logits))
    scaled = (grey - out[:, ~binary]) * torch.exp(-log_scale)
    normal = -0.5 * scaled**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% pixels-by-where right="mixed-pixels"
# Both log-likelihoods at every pixel, and torch.where takes the one that applies.
def log_likelihood(x, out, log_scale, binary):
    if torch.any(binary & (x != 0) & (x != 1)):
        raise ValueError("a binary pixel is neither 0 nor 1")
    bits = torch.where(binary, x, torch.zeros_like(x))
    as_bits = -torch.nn.functional.binary_cross_entropy_with_logits(out, bits, reduction="none")
    as_grey = torch.distributions.Normal(out, torch.exp(log_scale)).log_prob(x)
    return torch.where(binary, as_bits, as_grey).sum(-1)


# %% pixels-whole-numbers wrong="mixed-pixels"
# Refuses fractions only: whole numbers such as 2 or -1 at a binary pixel pass.
def log_likelihood(x, out, log_scale, binary):
    bits = x[:, binary]
    if (bits != bits.round()).any():
        raise ValueError("binary pixels must be 0 or 1")
    logits = out[:, binary]
    bernoulli = bits * logits - torch.nn.functional.softplus(logits)
    grey = torch.distributions.Normal(out[:, ~binary], log_scale.exp()).log_prob(x[:, ~binary])
    return bernoulli.sum(1) + grey.sum(1)


# %% pixels-library-floor wrong="mixed-pixels"
# gaussian_nll_loss lifts the variance to 1e-6: wrong for log scales below -6.9.
def log_likelihood(x, out, log_scale, binary):
    bits = x[:, binary]
    if not torch.all((bits == 0) | (bits == 1)):
        raise ValueError("binary pixels must be 0 or 1")
    functional = torch.nn.functional
    bce = functional.binary_cross_entropy_with_logits(out[:, binary], bits, reduction="none")
    mean = out[:, ~binary]
    variance = torch.exp(2 * log_scale) * torch.ones_like(mean)
    nll = functional.gaussian_nll_loss(mean, x[:, ~binary], variance, full=True, reduction="none")
    return -bce.sum(1) - nll.sum(1)


# %% pixels-two-branches wrong="mixed-pixels"
# A stable log sigmoid by hand with torch.where: the values are right, but the branch that is not
# taken overflows, and the gradient with respect to the logits is nan at +-800.
def log_likelihood(x, out, log_scale, binary):
    bits = x[:, binary]
    if ((bits != 0) & (bits != 1)).any():
        raise ValueError("binary pixels must be 0 or 1")
    t = (2 * bits - 1) * out[:, binary]
    log_sigmoid = torch.where(t > 0, -torch.log1p(torch.exp(-t)), t - torch.log1p(torch.exp(t)))
    residual = (x[:, ~binary] - out[:, ~binary]) / torch.exp(log_scale)
    grey = -0.5 * (residual**2 + math.log(2 * math.pi)) - log_scale
    return log_sigmoid.sum(1) + grey.sum(1)


# %% pixels-lenient-refusal wrong="mixed-pixels"
# Refuses only if a binary pixel is grey in every image of the batch: one grey value among
# images that are clean at that pixel passes.
def log_likelihood(x, out, log_scale, binary):
    valid = (x == 0) | (x == 1)
    if not valid.any(dim=0)[binary].all():
        raise ValueError("binary pixels must be 0 or 1")
    bernoulli = torch.distributions.Bernoulli(logits=out[:, binary], validate_args=False)
    normal = torch.distributions.Normal(out[:, ~binary], torch.exp(log_scale))
    bits, grey = bernoulli.log_prob(x[:, binary]), normal.log_prob(x[:, ~binary])
    return bits.sum(dim=1) + grey.sum(dim=1)


# %% elbo-cholesky right="linear-elbo"
# All from the Cholesky factor of S: the trace as a sum of squares, the determinant by logs.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    L = torch.linalg.cholesky(S)
    squares = ((x - m @ W.T - b) ** 2).sum(1) + ((W @ L) ** 2).sum()
    expected = -0.5 * squares / sigma**2 - D * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    log_det = 2 * torch.diagonal(L).log().sum()
    kl = 0.5 * (torch.trace(S) + (m**2).sum(1) - d - log_det)
    return expected - kl


# %% elbo-prior-and-entropy right="linear-elbo"
# Expected log joint (log densities at the mean, less traces) plus the entropy of q.
def linear_elbo(x, W, b, sigma, m, S):
    d = W.shape[1]
    at_mean = torch.distributions.Normal(m @ W.T + b, sigma).log_prob(x).sum(-1)
    at_mean = at_mean + torch.distributions.Normal(0.0, 1.0).log_prob(m).sum(-1)
    spread = torch.einsum("ij,jk,ik->", W, S, W) / sigma**2 + S.diagonal().sum()
    entropy = 0.5 * (d * (1 + math.log(2 * math.pi)) + torch.linalg.slogdet(S).logabsdet)
    return at_mean - 0.5 * spread + entropy


# %% elbo-determinant wrong="linear-elbo"
# The log of a determinant that underflows: with 60 latent variables and eigenvalues of 1e-6 the
# determinant of S is 0 and the result minus infinity.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    squares = ((x - m @ W.T - b) ** 2).sum(1) + torch.einsum("ij,jk,ik->", W, S, W)
    expected = -0.5 * (D * torch.log(2 * math.pi * sigma**2) + squares / sigma**2)
    kl = 0.5 * (torch.trace(S) + (m * m).sum(1) - d - torch.log(torch.linalg.det(S)))
    return expected - kl


# %% elbo-jitter wrong="linear-elbo"
# Adds 1e-6 to the diagonal before the Cholesky factor: for eigenvalues of S near a millionth the
# log determinant is too large by up to 0.69 for each dimension.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    L = torch.linalg.cholesky(S + 1e-6 * torch.eye(d, dtype=S.dtype))
    residual = x - (m @ W.T + b)
    trace = torch.trace(W @ S @ W.T)
    expected = -(residual.square().sum(1) + trace) / (2 * sigma**2)
    expected = expected - 0.5 * D * torch.log(2 * math.pi * sigma**2)
    kl = 0.5 * (S.trace() + m.square().sum(1) - d) - L.diagonal().log().sum()
    return expected - kl


# %% elbo-numpy-determinant wrong="linear-elbo"
# The log determinant by way of NumPy: the values are right, the gradient of S lacks the part of
# the entropy.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    log_det = float(np.linalg.slogdet(S.detach().numpy())[1])
    squares = (x - b - m @ W.T).pow(2).sum(dim=1) + torch.trace(W.T @ W @ S)
    expected = -0.5 * D * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return expected - 0.5 * (torch.trace(S) + m.pow(2).sum(dim=1) - d - log_det)


# %% elbo-eigenvectors wrong="linear-elbo"
# A root of S from its eigenvectors: the values are right, but their gradient is nan where S has
# equal eigenvalues, for example half the identity.
def linear_elbo(x, W, b, sigma, m, S):
    D, d = W.shape
    values, vectors = torch.linalg.eigh(S)
    root = vectors * values.sqrt()
    squares = (x - b - m @ W.T).square().sum(1) + (W @ root).square().sum()
    expected = -squares / (2 * sigma**2) - D * (sigma.log() + 0.5 * math.log(2 * math.pi))
    return expected - 0.5 * (values.sum() + m.square().sum(1) - d - values.log().sum())


# %% iwae-indexed right="iwae-curve"
# All subsets as rows of an index; logsumexp within each, then the mean over them.
def iwae(log_w, k):
    subsets = torch.combinations(torch.arange(len(log_w)), r=k)
    return (torch.logsumexp(log_w[subsets], dim=1) - math.log(k)).mean(dim=0)


# %% iwae-bit-masks right="iwae-curve"
# Walks through all bit masks with k ones and adds the weights of each pairwise with logaddexp.
def iwae(log_w, k):
    bounds = []
    for mask in range(1, 2 ** len(log_w)):
        members = [j for j in range(len(log_w)) if mask >> j & 1]
        if len(members) == k:
            log_sum = log_w[members[0]]
            for j in members[1:]:
                log_sum = torch.logaddexp(log_sum, log_w[j])
            bounds.append(log_sum - math.log(k))
    return sum(bounds) / len(bounds)


# %% iwae-one-shift wrong="iwae-curve"
# Shifts by the largest of ALL draws of an image, not of the subset: a subset without that draw
# underflows to log 0 if its weights are more than 745 nats smaller.
def iwae(log_w, k):
    top = log_w.max(dim=0).values
    w = torch.exp(log_w - top)
    bounds = [
        torch.log(w[list(subset)].mean(dim=0)) + top
        for subset in itertools.combinations(range(len(log_w)), k)
    ]
    return torch.stack(bounds).mean(dim=0)


# %% iwae-complement wrong="iwae-curve"
# For more than half of the draws, subtracts those left out from the total: cancels where a draw
# that is left out holds nearly all of the weight, e.g. 40 nats more than the others.
def iwae(log_w, k):
    K = log_w.shape[0]
    if k == K or k <= K / 2:
        subsets = torch.tensor(list(itertools.combinations(range(K), k)))
        return (log_w[subsets].logsumexp(1) - math.log(k)).mean(0)
    total = log_w.logsumexp(0)
    outside = torch.tensor(list(itertools.combinations(range(K), K - k)))
    share = torch.exp(log_w[outside].logsumexp(1) - total)
    return (total + torch.log1p(-share) - math.log(k)).mean(0)


# %% iwae-numpy wrong="iwae-curve"
# Goes through NumPy and back: the values are right, but no gradient flows to log_w.
def iwae(log_w, k):
    values = log_w.detach().cpu().numpy()
    bounds = [
        np.logaddexp.reduce(values[list(subset)], axis=0) - np.log(k)
        for subset in itertools.combinations(range(len(values)), k)
    ]
    return torch.tensor(np.mean(bounds, axis=0), dtype=log_w.dtype)


# %% iwae-cyclic-windows wrong="iwae-curve"
# Takes only the K cyclic windows of neighbouring draws: right for k = 1, K - 1 and K, wrong in
# between (from K = 4 on).
def iwae(log_w, k):
    K = len(log_w)
    bounds = []
    for start in range(K):
        window = [(start + j) % K for j in range(k)]
        bounds.append(torch.logsumexp(log_w[window], dim=0) - math.log(k))
    return torch.stack(bounds).mean(dim=0)


# %% information-singular-values right="unit-information"
# Half the log of eigenvalue over noise variance, from the singular values of the centred data.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    ratio = np.zeros(max(latents, len(singular)))
    ratio[: len(singular)] = singular / (math.sqrt(len(x)) * sigma)
    return np.log(np.maximum(ratio[:latents], 1.0))


# %% information-from-the-posterior right="unit-information"
# Builds W and the exact posterior of every image, and averages the divergences themselves.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    result = np.zeros(latents)
    for j in range(min(latents, len(singular))):
        spare = singular[j] ** 2 / len(x) - sigma**2
        if spare <= 0:
            break
        column = math.sqrt(spare) * directions[j]
        variance = sigma**2 / (sigma**2 + spare)
        means = centred @ column / (sigma**2 + spare)
        result[j] = np.mean(0.5 * (variance + means**2 - 1 - math.log(variance)))
    return result


# %% information-raw-moments wrong="unit-information"
# The covariance as second moment less the square of the mean: cancels for columns near 1000 that
# vary by a few thousandths only (sigma = 0.001).
def unit_information(x, sigma, latents):
    mean = x.mean(axis=0)
    cov = x.T @ x / len(x) - np.outer(mean, mean)
    values = np.linalg.eigvalsh(cov)[::-1][:latents]
    return 0.5 * np.log(np.maximum(values / sigma**2, 1.0))


# %% information-wrong-threshold wrong="unit-information"
# Compares eigenvalues with sigma, not with its square: for sigma < 1, variables with an
# eigenvalue between sigma squared and sigma count as collapsed; for sigma > 1 some get negative.
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    values = np.zeros(x.shape[1])
    values[: len(singular)] = singular**2 / len(x)
    active = values > sigma
    kl = np.zeros(x.shape[1])
    kl[active] = 0.5 * np.log(values[active] / sigma**2)
    return kl[:latents]


# %% information-small-gram wrong="unit-information"
# With fewer images than pixels it uses the small matrix of inner products, but divides it by the
# number of pixels: wrong for D > n only.
def unit_information(x, sigma, latents):
    centred = x - x.mean(axis=0)
    if x.shape[0] >= x.shape[1]:
        values = np.linalg.svd(centred / np.sqrt(len(x)), compute_uv=False) ** 2
    else:
        gram = centred @ centred.T / x.shape[1]
        values = np.concatenate([np.linalg.eigvalsh(gram)[::-1], np.zeros(x.shape[1])])
    return 0.5 * np.log(np.maximum(values[:latents] / sigma**2, 1.0))


# %% information-rank-cut wrong="unit-information"
# Takes eigenvalues below a millionth of the largest for numerical zeros: with a small sigma such
# variables are active (for example standard deviations of 100 and 0.05, sigma = 0.002).
def unit_information(x, sigma, latents):
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    values = np.append(singular**2 / len(x), np.zeros(x.shape[1]))[:latents]
    active = (values > 1e-6 * values[0]) & (values > sigma**2)
    return np.where(active, 0.5 * np.log(np.where(active, values, 1.0) / sigma**2), 0.0)


# %% weight-closed-form right="weight-as-noise"
# The variance is weight * D / 2; the ELBO written out.
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    elbo = -mse / weight - kl - 0.5 * pixels * math.log(math.pi * weight * pixels)
    return sigma, elbo


# %% weight-by-density right="weight-as-noise"
# D times the Normal log density at the root mean squared error, less the KL.
def honest_elbo(mse, kl, weight, pixels):
    from scipy import stats

    sigma = (0.5 * pixels * weight) ** 0.5
    return sigma, pixels * stats.norm.logpdf(np.sqrt(mse), loc=0.0, scale=sigma) - kl


# %% weight-halved-pixels wrong="weight-as-noise"
# Integer division of the number of pixels by two in the constant: wrong for odd D.
def honest_elbo(mse, kl, weight, pixels):
    variance = weight * pixels / 2
    constant = pixels // 2 * math.log(2 * math.pi * variance)
    return math.sqrt(variance), -(pixels * mse / (2 * variance) + constant + kl)


# %% weight-noise-floor wrong="weight-as-noise"
# Keeps sigma at 0.01 or more, as one does in training: wrong where weight * D is below 2e-4, for
# example a weight of 1e-6 and 64 pixels.
def honest_elbo(mse, kl, weight, pixels):
    sigma = max(math.sqrt(weight * pixels / 2), 0.01)
    log_p = -0.5 * pixels * (mse / sigma**2 + math.log(2 * math.pi) + 2 * math.log(sigma))
    return sigma, log_p - kl


# %% weight-power-of-density wrong="weight-as-noise"
# The logarithm of a D-th power: it overflows or underflows for many pixels (ten thousand, a
# weight of 0.002), and the ELBO is infinite.
def honest_elbo(mse, kl, weight, pixels):
    variance = np.float64(weight * pixels / 2)
    with np.errstate(all="ignore"):
        constant = np.log((2 * np.pi * variance) ** (pixels / 2))
    return float(np.sqrt(variance)), -mse / weight - constant - kl


# %% weight-batch-error wrong="weight-as-noise"
# Takes the reconstruction term of the whole batch for every image: right shape, and right for one
# image or equal errors only.
def honest_elbo(mse, kl, weight, pixels):
    sigma = np.sqrt(weight * pixels / 2)
    log_p = -pixels * (np.log(sigma * np.sqrt(2 * np.pi)) + np.mean(mse) / (2 * sigma**2))
    return float(sigma), log_p - kl
