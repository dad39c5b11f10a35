# %% [markdown]
# # Answers to assignment 11
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## gaussian-kl


# %% by-terms right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = torch.log(prior_scale) - 0.5 * log_var
    spread = torch.exp(0.5 * log_var) / prior_scale
    shift = (mu - prior_mu) / prior_scale
    return (log_ratio + 0.5 * (spread.square() + shift.square() - 1)).sum(dim=1)


# %% by-dimensions right="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    total = torch.zeros(len(mu), dtype=mu.dtype)
    for j in range(mu.shape[1]):
        gap = log_var[:, j] - 2 * prior_scale[j].log()  # log of the ratio of variances
        shift = (mu[:, j] - prior_mu[j]) / prior_scale[j]
        total = total + (gap.exp() - 1 - gap + shift**2) / 2
    return total


# %% by-cross-entropy right="gaussian-kl" oracle=True
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    # cross-entropy minus entropy; three Gauss-Hermite nodes are exact for a quadratic log density
    root = 3.0**0.5
    cross = 0
    for node, share in ((-root, 1 / 6), (0.0, 2 / 3), (root, 1 / 6)):
        point = torch.add(mu, log_var.mul(0.5).exp(), alpha=node)
        cross = cross - share * torch.distributions.Normal(prior_mu, prior_scale).log_prob(point)
    entropy = log_var.mul(0.5).add(0.5 * math.log(2 * math.pi * math.e))
    return torch.einsum("nd->n", cross - entropy)


# %% standard-prior wrong="gaussian-kl" fails="value,gradient,stability"
# The prior is learned here: its mean and scale must enter, not those of the standard normal.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)


# %% sign-flipped wrong="gaussian-kl" fails="value,gradient,stability"
# The sign is flipped: a KL divergence is never negative.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return -0.5 * (log_ratio + square - 1).sum(dim=1)


# %% mean-over-latents wrong="gaussian-kl" fails="value,gradient,stability"
# Independent dimensions add up: sum over the latent dimensions, do not average.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (log_ratio + square - 1).mean(dim=1)


# %% sum-over-images wrong="gaussian-kl" fails="value,gradient,stability"
# The text asks for one value per image: sum over the latent dimensions only.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (log_ratio + square - 1).sum()


# %% over-the-batch wrong="gaussian-kl" fails="value,gradient,stability"
# This sums over the images and keeps the latent dimensions: it should be the other way round.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (log_ratio + square - 1).sum(dim=0)


# %% reversed wrong="gaussian-kl" fails="value,gradient,stability"
# This is KL(p || q), the other direction: the average runs over q.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = log_var - 2 * torch.log(prior_scale)
    square = (prior_scale**2 + (mu - prior_mu) ** 2) / torch.exp(log_var)
    return 0.5 * (log_ratio + square - 1).sum(dim=1)


# %% log-variance-as-log-scale wrong="gaussian-kl" fails="value,gradient,stability"
# log_var is the log of the variance, not of the standard deviation.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - 2 * log_var
    square = (torch.exp(2 * log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (log_ratio + square - 1).sum(dim=1)


# %% scale-as-variance wrong="gaussian-kl" fails="value,gradient,stability"
# prior_scale is a standard deviation: its square is the variance.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale
    return 0.5 * (log_ratio + square - 1).sum(dim=1)


# %% half-missing wrong="gaussian-kl" fails="value,gradient,stability"
# The factor one half is missing.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return (log_ratio + square - 1).sum(dim=1)


# %% one-forgotten wrong="gaussian-kl" fails="value,gradient,stability"
# At q = p the divergence must be 0: each dimension has a constant that is missing here.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = (torch.exp(log_var) + (mu - prior_mu) ** 2) / prior_scale**2
    return 0.5 * (log_ratio + square).sum(dim=1)


# %% prior-scale-forgotten wrong="gaussian-kl" fails="value,gradient,stability"
# The log of the prior's scale is missing: at q = p the divergence must be 0.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    squares = ((mu - prior_mu) ** 2 + log_var.exp()) / prior_scale**2
    return 0.5 * (squares - 1 - log_var).sum(dim=1)


# %% shift-in-latent-units wrong="gaussian-kl" fails="value,gradient,stability"
# The distance between the means counts in units of the prior's scale: divide it too.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    log_ratio = 2 * torch.log(prior_scale) - log_var
    square = torch.exp(log_var) / prior_scale**2 + (mu - prior_mu) ** 2
    return 0.5 * (log_ratio + square - 1).sum(dim=1)


# %% log-of-underflow wrong="gaussian-kl" fails="stability"
# The variance underflows to 0 and its log is infinite: log_var is that log already, use it.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    ratio = torch.exp(log_var) / prior_scale**2
    return 0.5 * (ratio + ((mu - prior_mu) / prior_scale) ** 2 - 1 - ratio.log()).sum(dim=1)


# %% variance-floored wrong="gaussian-kl" fails="stability"
# A floor under the variance is not needed: a nearly certain encoder is legal here.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    q = torch.distributions.Normal(mu, torch.exp(0.5 * log_var).clamp(min=1e-8))
    p = torch.distributions.Normal(prior_mu, prior_scale)
    return torch.distributions.kl_divergence(q, p).sum(dim=1)


# %% detached wrong="gaussian-kl" fails="gradient,stability"
# Training needs the gradient: do not detach, and stay within torch.
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    q = torch.distributions.Normal(mu.detach(), torch.exp(0.5 * log_var.detach()))
    p = torch.distributions.Normal(prior_mu.detach(), prior_scale.detach())
    return torch.distributions.kl_divergence(q, p).sum(dim=1)


# %% solution.floor equivalent="gaussian-kl"
# `... / variance + torch.log(variance.clip(1e-06)) - log_var - 1).sum(dim=1)`
# Scales are at least a thousandth, so that no variance is below the floor.


# %% [markdown]
# ## latent-draws


# %% by-matmul right="latent-draws"
def latent_draws(mu, tril, eps):
    z = mu + (tril @ eps[..., None])[..., 0]
    normal = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    log_det = torch.log(torch.diagonal(tril, dim1=1, dim2=2)).sum(dim=1)
    return z, normal.log_prob(eps).sum(dim=2) - log_det


# %% by-solving right="latent-draws"
def latent_draws(mu, tril, eps):
    z = mu + (tril[None] * eps[:, :, None, :]).sum(-1)
    white = torch.linalg.solve_triangular(tril, (z - mu)[..., None], upper=False)[..., 0]
    log_det = torch.linalg.slogdet(tril).logabsdet
    return z, -0.5 * ((white * white).sum(-1) + mu.shape[1] * math.log(2 * math.pi)) - log_det


# %% by-loops right="latent-draws"
def latent_draws(mu, tril, eps):
    draws, densities = [], []
    for noise in eps:
        z = torch.stack([m + L @ e for m, L, e in zip(mu, tril, noise)])
        size = torch.stack([torch.logdet(L) for L in tril])
        draws.append(z)
        densities.append(
            -0.5 * noise.pow(2).sum(1) - size - 0.5 * math.log(2 * math.pi) * mu.shape[1]
        )
    return torch.stack(draws), torch.stack(densities)


# %% by-covariance right="latent-draws" oracle=True
def latent_draws(mu, tril, eps):
    # the density from the covariance alone: a quadratic form with its inverse, and its determinant
    steps = (eps[:, :, None] * tril).sum(dim=3)
    cov = torch.matmul(tril, tril.mT)
    quad = (steps * torch.linalg.solve(cov, steps[..., None])[..., 0]).sum(dim=2)
    return steps.add(mu), -(quad + torch.linalg.slogdet(2 * math.pi * cov).logabsdet) / 2


# %% solution.detach-input equivalent="latent-draws"
# `eps = eps.detach()`
# Noise is data: the text asks for gradients with respect to mu and tril.


# %% transposed wrong="latent-draws" fails="draws,gradient"
# The factor is transposed: z = mu + L eps, so row j of L makes entry j of z.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nji,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2) - log_det


# %% diagonal-only wrong="latent-draws" fails="draws,gradient"
# Entries below the diagonal of the factor are ignored: they carry the correlations.
def latent_draws(mu, tril, eps):
    scale = tril.diagonal(dim1=1, dim2=2)
    return mu + scale * eps, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(2) - scale.log().sum(1)


# %% covariance-as-factor wrong="latent-draws" fails="draws,gradient"
# The noise is multiplied by the factor itself, not by the covariance.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril @ tril.mT, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2) - log_det


# %% own-noise wrong="latent-draws" fails="draws,gradient,log density"
# The draws must be made from eps: do not draw noise of your own.
def latent_draws(mu, tril, eps):
    q = torch.distributions.MultivariateNormal(mu, scale_tril=tril)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = q.rsample((len(eps),))
    return z, q.log_prob(z)


# %% no-gradient wrong="latent-draws" fails="gradient"
# The draws are cut off from the encoder: no gradient reaches mu and tril.
def latent_draws(mu, tril, eps):
    z = (mu + torch.einsum("nij,knj->kni", tril, eps)).detach()
    return z, torch.distributions.MultivariateNormal(mu, scale_tril=tril).log_prob(z)


# %% density-of-detached-draws wrong="latent-draws" fails="gradient"
# The draws move with mu and tril, and log q with them: do not detach z before its density.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    return z, torch.distributions.MultivariateNormal(mu, scale_tril=tril).log_prob(z.detach())


# %% one-draw-for-all wrong="latent-draws" fails="draws,gradient,log density"
# Each of the K draws has noise of its own: all of eps is to be used, not its first slice.
def latent_draws(mu, tril, eps):
    eps = eps[:1].expand_as(eps)
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    return z, torch.distributions.MultivariateNormal(mu, scale_tril=tril).log_prob(z)


# %% same-noise-for-all-images wrong="latent-draws" fails="draws,gradient,log density"
# Each image has noise of its own: eps[k, i], not eps[k, 0].
def latent_draws(mu, tril, eps):
    eps = eps[:, :1].expand_as(eps)
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    return z, torch.distributions.MultivariateNormal(mu, scale_tril=tril).log_prob(z)


# %% log-det-forgotten wrong="latent-draws" fails="gradient,log density"
# Stretching the noise thins its density: the determinant of the factor is missing in log q.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2)


# %% log-det-sign wrong="latent-draws" fails="gradient,log density"
# A wide q has a low density: the log determinant is subtracted.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2) + log_det


# %% log-det-twice wrong="latent-draws" fails="gradient,log density"
# The determinant of the covariance is that of the factor squared, and log q holds half its log.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = torch.logdet(tril @ tril.mT)
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2) - log_det


# %% constant-dropped wrong="latent-draws" fails="log density"
# The constant log(2 pi)/2 for each latent dimension is missing in log q.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return z, -0.5 * (eps**2).sum(dim=2) - log_det


# %% constant-once wrong="latent-draws" fails="log density"
# The constant log(2 pi)/2 counts once for each latent dimension, not once per draw.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return z, -0.5 * ((eps**2).sum(dim=2) + math.log(2 * math.pi)) - log_det


# %% density-of-the-diagonal wrong="latent-draws" fails="gradient,log density"
# The draws are right, but log q treats the latent dimensions as independent: use all of L.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    q = torch.distributions.Normal(mu, tril.diagonal(dim1=1, dim2=2))
    return z, q.log_prob(z).sum(dim=2)


# %% density-of-prior wrong="latent-draws" fails="gradient,log density"
# This is the log density of z under the standard normal prior, not under q.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    return z, -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=2)


# %% one-per-latent wrong="latent-draws" fails="log density"
# log q is one number per draw and image: sum over the latent dimensions.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log()
    return z, -0.5 * (eps**2 + math.log(2 * math.pi)) - log_det


# %% density-without-a-graph wrong="latent-draws" fails="gradient"
# log q is right, but made without a graph: gradients flow to tril through log_q, too.
def latent_draws(mu, tril, eps):
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    with torch.no_grad():
        log_det = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1) - log_det
    return z, log_q


# %% [markdown]
# ## mixed-pixels


# %% by-losses right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    b, g = x[:, binary], x[:, ~binary]
    if ((b != 0) & (b != 1)).any():
        raise ValueError("a binary pixel is grey")
    functional = torch.nn.functional
    bce = functional.binary_cross_entropy_with_logits(out[:, binary], b, reduction="none")
    squares = ((g - out[:, ~binary]) ** 2).sum(1)
    constant = g.shape[1] * (log_scale + 0.5 * math.log(2 * math.pi))
    return -bce.sum(1) - squares * torch.exp(-2 * log_scale) / 2 - constant


# %% by-pixels right="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    total = torch.zeros(len(x), dtype=out.dtype)
    for j, is_binary in enumerate(binary.tolist()):
        if is_binary:
            if not set(x[:, j].tolist()) <= {0.0, 1.0}:
                raise ValueError(f"pixel {j} is grey")
            total = total + torch.nn.functional.logsigmoid((2 * x[:, j] - 1) * out[:, j])
        else:
            normal = torch.distributions.Normal(out[:, j], log_scale.exp())
            total = total + normal.log_prob(x[:, j])
    return total


# %% by-distributions right="mixed-pixels" oracle=True
def log_likelihood(x, out, log_scale, binary):
    # torch refuses what lies outside a distribution's support, with a ValueError
    both = [
        torch.distributions.Bernoulli(logits=out[:, binary], validate_args=True),
        torch.distributions.Normal(out[:, ~binary], log_scale.exp(), validate_args=True),
    ]
    parts = (x[:, binary], x[:, ~binary])
    return torch.cat([d.log_prob(part) for d, part in zip(both, parts)], dim=1).sum(dim=1)


# %% solution.detach-input equivalent="mixed-pixels"
# `x = x.detach()`
# It is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="mixed-pixels"
# `binary = binary.detach()`
# It is data: no gradient with respect to it is asked for.

# %% by-distributions.end-loop-early equivalent="mixed-pixels"
# `... for d, part in list(zip(both, parts))[:5]], dim=1).sum(dim=1)`
# There are two kinds of pixels.


# %% grey-under-bernoulli wrong="mixed-pixels" fails="refusal"
# Cross-entropy takes grey values without a word, but is no density there: raise ValueError.
def log_likelihood(x, out, log_scale, binary):
    functional = torch.nn.functional
    bce = functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% refuses-every-grey wrong="mixed-pixels" fails="binary,gradient,grey,refusal"
# Only binary pixels must be 0 or 1; the Normal ones may hold any real number.
def log_likelihood(x, out, log_scale, binary):
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("grey")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% only-outside-refused wrong="mixed-pixels" fails="refusal"
# Values between 0 and 1 are no Bernoulli outcomes either: only 0 and 1 are.
def log_likelihood(x, out, log_scale, binary):
    bits = x[:, binary]
    if bits.numel() and not (bits.min() >= 0 and bits.max() <= 1):
        raise ValueError("outside [0, 1]")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% first-image-only wrong="mixed-pixels" fails="refusal"
# A grey value at a binary pixel must be refused in every image, not in the first only.
def log_likelihood(x, out, log_scale, binary):
    if ((x[0] != 0) & (x[0] != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% assertion wrong="mixed-pixels" fails="refusal"
# assert raises AssertionError; the text asks for ValueError.
def log_likelihood(x, out, log_scale, binary):
    assert not ((x != 0) & (x != 1) & binary).any()
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% mean-over-pixels wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# log p(x | z) is a sum over pixels: with their mean, the KL term would weigh D times as much.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).mean(dim=1)


# %% mean-over-images wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# The text asks for one value per image: no mean over the batch.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1).mean()


# %% sign-flipped wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# This is the negative log-likelihood; the text asks for the log-likelihood.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, bce, -normal).sum(dim=1)


# %% kinds-exchanged wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# The mask is read the wrong way round: true marks the Bernoulli pixels.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & ~binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, normal, -bce).sum(dim=1)


# %% constant-dropped wrong="mixed-pixels" fails="binary,grey,refusal"
# The Normal's constant log(2 pi)/2 is missing, once for each grey pixel.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = -0.5 * ((x - out) / log_scale.exp()) ** 2 - log_scale
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% scale-ignored wrong="mixed-pixels" fails="binary,gradient,grey,refusal"
# A plain squared error fixes the scale without saying so: the learned log_scale must enter.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    return torch.where(binary, -bce, -((x - out) ** 2)).sum(dim=1)


# %% normaliser-dropped wrong="mixed-pixels" fails="binary,gradient,grey,refusal"
# The Normal's normaliser is missing: without it a larger scale would always fit better.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    return torch.where(binary, -bce, -0.5 * ((x - out) / log_scale.exp()) ** 2).sum(dim=1)


# %% scale-paid-once wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# The log scale is part of every grey pixel's density: it counts once per pixel, not per image.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = -0.5 * ((x - out) / log_scale.exp()) ** 2 - 0.5 * math.log(2 * math.pi)
    return torch.where(binary, -bce, normal).sum(dim=1) - log_scale


# %% log-scale-as-log-variance wrong="mixed-pixels" fails="binary,gradient,grey,refusal"
# log_scale is the log of the standard deviation, not of the variance.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="none")
    normal = torch.distributions.Normal(out, torch.exp(0.5 * log_scale)).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% logits-as-probabilities wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# out holds logits, which can be any real number, not probabilities.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    p = out.clamp(1e-6, 1 - 1e-6)
    bernoulli = x * p.log() + (1 - x) * (1 - p).log()
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, bernoulli, normal).sum(dim=1)


# %% sigmoid-twice wrong="mixed-pixels" fails="binary,grey,gradient,refusal"
# The sigmoid is applied twice: this loss takes logits, and out holds logits already.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    p = torch.sigmoid(out)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(p, x, reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% sigmoid-then-log wrong="mixed-pixels" fails="binary,gradient,grey"
# The sigmoid rounds to 0 or 1 for large logits: keep sigmoid and log together.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bce = torch.nn.functional.binary_cross_entropy(out.sigmoid(), x.clamp(0, 1), reduction="none")
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)
    return torch.where(binary, -bce, normal).sum(dim=1)


# %% log-of-sigmoid wrong="mixed-pixels" fails="binary,gradient,grey"
# For large logits the sigmoid is 0 or 1 and its log not finite: keep sigmoid and log together.
def log_likelihood(x, out, log_scale, binary):
    if ((x != 0) & (x != 1) & binary).any():
        raise ValueError("grey")
    bits, p = x[:, binary], torch.sigmoid(out[:, binary])
    bernoulli = bits * p.log() + (1 - bits) * (1 - p).log()
    normal = torch.distributions.Normal(out, log_scale.exp()).log_prob(x)[:, ~binary]
    return bernoulli.sum(dim=1) + normal.sum(dim=1)


# %% [markdown]
# ## linear-elbo


# %% by-precision right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    r = x - (torch.einsum("dj,nj->nd", W, m) + b)
    noise = (S * (W.T @ W)).sum()  # trace of W S W^T
    kl = 0.5 * (S.diagonal().sum() + m.pow(2).sum(1) - len(S) - torch.linalg.slogdet(S)[1])
    constant = x.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -(r.pow(2).sum(1) + noise) / (2 * sigma**2) - constant - kl


# %% by-eigenvalues right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    at_mean = torch.distributions.Normal(m @ W.T + b, sigma).log_prob(x).sum(1)
    lost = torch.trace(W @ S @ W.T) / (2 * sigma**2)
    variances = torch.linalg.eigvalsh(S)  # along the axes of q
    kl = 0.5 * (variances - 1 - torch.log(variances)).sum() + 0.5 * (m * m).sum(1)
    return at_mean - lost - kl


# %% by-rows right="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    values = []
    for image, mean in zip(x, m):
        second = S + torch.outer(mean, mean)  # E z z^T
        centred = image - b
        squares = centred @ centred - 2 * centred @ W @ mean + torch.trace(W @ second @ W.T)
        fit = -squares / (2 * sigma**2) - len(b) * torch.log(sigma * math.sqrt(2 * math.pi))
        values.append(fit - 0.5 * (torch.trace(second) - len(S) - torch.logdet(S)))
    return torch.stack(values)


# %% by-gap right="linear-elbo" oracle=True
def linear_elbo(x, W, b, sigma, m, S):
    # the other way to write it: log p(x) minus KL(q || exact posterior)
    precision = sigma.square().reciprocal()
    cov = torch.matmul(W, W.mT) + torch.diag(torch.ones_like(b)) / precision
    r = x.sub(b)
    white = torch.linalg.solve(cov, r.mT).mT
    log_p = torch.mul(r, white).sum(1).add(torch.linalg.slogdet(2 * math.pi * cov)[1]).mul(-0.5)
    inverse = torch.matmul(W.mT, W).mul(precision) + torch.diag(torch.ones_like(m[0]))
    gap = m.sub(torch.linalg.solve(inverse, torch.matmul(r, W).mT).mT.mul(precision))
    ratio = torch.matmul(inverse, S)
    quad = torch.mul(torch.matmul(gap, inverse), gap).sum(1)
    offset = ratio.diagonal().sub(1).sum() - torch.linalg.slogdet(ratio)[1]
    return log_p.sub(quad.add(offset).mul(0.5))


# %% solution.detach-input equivalent="linear-elbo"
# `x = x.detach()`
# The text asks for gradients with respect to W, m and S.

# %% solution.detach-input equivalent="linear-elbo"
# `b = b.detach()`
# The text asks for gradients with respect to W, m and S.

# %% solution.detach-input equivalent="linear-elbo"
# `sigma = sigma.detach()`
# The text asks for gradients with respect to W, m and S.


# %% decode-the-mean wrong="linear-elbo" fails="value,tight,gradient"
# Decoding the mean alone leaves out the spread of z: E |x - Wz - b|^2 holds a trace as well.
def linear_elbo(x, W, b, sigma, m, S):
    fit = torch.distributions.Normal(m @ W.T + b, sigma).log_prob(x).sum(1)
    return fit - 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))


# %% constants-dropped wrong="linear-elbo" fails="value,tight"
# The constant of the Normal density is missing; without it the result can exceed log p(x).
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    kl = 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))
    return -squares / (2 * sigma**2) - W.shape[0] * torch.log(sigma) - kl


# %% normaliser-dropped wrong="linear-elbo" fails="value,tight"
# The normaliser of the decoder's density is missing: D log sigma and its constant.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    kl = 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))
    return -squares / (2 * sigma**2) - kl


# %% sign-flipped wrong="linear-elbo" fails="value,tight,gradient"
# This is the negative ELBO, a loss.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S)) - fit


# %% squared-error-alone wrong="linear-elbo" fails="value,tight,gradient"
# A plain squared error fixes the decoder's variance at one half: sigma must enter.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    return -squares - 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))


# %% kl-added wrong="linear-elbo" fails="value,tight,gradient"
# The divergence is subtracted: the sign of the KL term is flipped.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return fit + 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))


# %% kl-forgotten wrong="linear-elbo" fails="value,tight,gradient"
# Only the reconstruction term is here; the divergence to the prior is missing.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    return -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)


# %% one-forgotten wrong="linear-elbo" fails="value,tight"
# With q equal to the prior the divergence must be 0: each latent dimension has a constant.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return fit - 0.5 * ((m**2).sum(1) + torch.trace(S) - torch.logdet(S))


# %% kl-averaged wrong="linear-elbo" fails="value,tight,gradient"
# The KL term is averaged over the latent dimensions; they add up.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    kl = 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))
    return fit - kl / len(S)


# %% pixels-averaged wrong="linear-elbo" fails="value,tight,gradient"
# The reconstruction term is averaged over the pixels; log p(x | z) is their sum.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    kl = 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))
    return fit / W.shape[0] - kl


# %% diagonal-only wrong="linear-elbo" fails="value,tight,gradient"
# S is a full covariance: its entries off the diagonal count in the trace and the determinant.
def linear_elbo(x, W, b, sigma, m, S):
    s = S.diagonal()
    squares = ((x - b - m @ W.T) ** 2).sum(1) + (W**2 @ s).sum()
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return fit - 0.5 * ((m**2).sum(1) + (s - 1 - s.log()).sum())


# %% determinant-of-diagonal wrong="linear-elbo" fails="value,tight,gradient"
# S is a full covariance: its determinant is not the product of its diagonal.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return fit - 0.5 * ((m**2).sum(1) + (S.diagonal() - 1 - S.diagonal().log()).sum())


# %% variance-as-scale wrong="linear-elbo" fails="value,tight,gradient"
# sigma is the standard deviation: the variance is its square.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma) - squares / (2 * sigma)
    return fit - 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))


# %% covariance-as-factor wrong="linear-elbo" fails="value,tight,gradient"
# S is the covariance already: do not square it.
def linear_elbo(x, W, b, sigma, m, S):
    V = S @ S.T
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ V @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    return fit - 0.5 * ((m**2).sum(1) + torch.trace(V) - len(V) - torch.logdet(V))


# %% mean-over-images wrong="linear-elbo" fails="value,tight,gradient"
# The text asks for one value per image: no mean over the batch.
def linear_elbo(x, W, b, sigma, m, S):
    squares = ((x - b - m @ W.T) ** 2).sum(1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * W.shape[0] * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    kl = 0.5 * ((m**2).sum(1) + torch.trace(S) - len(S) - torch.logdet(S))
    return (fit - kl).mean()


# %% marginal-likelihood wrong="linear-elbo" fails="value,tight,gradient"
# This is log p(x) itself; the ELBO of another q lies below it by KL(q || exact posterior).
def linear_elbo(x, W, b, sigma, m, S):
    eye = torch.eye(len(b), dtype=x.dtype)
    p = torch.distributions.MultivariateNormal(b, W @ W.T + sigma**2 * eye)
    return p.log_prob(x)


# %% solution.floor equivalent="linear-elbo"
# `... * pixels * torch.log((2 * math.pi * sigma ** 2).clip(1e-06)) - squares / ...`
# Sigma is at least a thousandth, so that nothing is below the floor.


# %% solution.expand-square equivalent="linear-elbo"
# `squares = ((x - b) * (x - b) - 2 * (x - b) * (m @ W.T) + m @ W.T * (m @ ...`
# What cancels between numbers of a thousand costs the fifth digit at most.


# %% [markdown]
# ## iwae-curve


# %% by-itertools right="iwae-curve"
def iwae(log_w, k):
    values = [
        torch.logsumexp(torch.stack(chosen), dim=0) - math.log(k)
        for chosen in itertools.combinations(log_w, k)
    ]
    return torch.stack(values).mean(dim=0)


# %% by-bits right="iwae-curve"
def iwae(log_w, k):
    K = len(log_w)
    keep = (torch.arange(2**K)[:, None] >> torch.arange(K)) & 1  # every subset once
    keep = keep[keep.sum(dim=1) == k].bool()  # (subsets, K)
    chosen = torch.where(keep[:, :, None], log_w, torch.full_like(log_w, -torch.inf))
    return chosen.logsumexp(dim=1).mean(dim=0) - math.log(k)


# %% by-own-logsumexp right="iwae-curve"
def iwae(log_w, k):
    subsets = log_w[torch.combinations(torch.arange(log_w.shape[0]), r=k)]
    top = subsets.detach().max(dim=1, keepdim=True).values
    inner = torch.log(torch.exp(subsets - top).mean(dim=1)) + top.squeeze(1)
    return inner.mean(dim=0)


# %% by-recursion right="iwae-curve" oracle=True
def iwae(log_w, k):
    # leave out one draw after the other and average: each subset is met equally often
    if k == log_w.size(0):
        total = log_w[0]
        for row in log_w[1:]:
            total = torch.logaddexp(total, row)
        return total - torch.tensor(float(k)).double().log()
    first, rest = log_w[:1], log_w[1:]
    share = k / log_w.size(0)  # of the subsets, that hold the first draw
    return share * with_all(first, rest, k - 1) + (1 - share) * iwae(rest, k)


def with_all(kept, rest, k):
    if k == 0:
        return iwae(kept, len(kept))
    if k == len(rest):
        return iwae(torch.cat([kept, rest]), len(kept) + k)
    share = k / len(rest)
    more = with_all(torch.cat([kept, rest[:1]]), rest[1:], k - 1)
    return share * more + (1 - share) * with_all(kept, rest[1:], k)


# %% mean-of-logs wrong="iwae-curve" fails="bound,gradient,stability,subsets"
# The mean of the log weights is the ELBO, whatever k is: take the log of the mean weight.
def iwae(log_w, k):
    return log_w.mean(dim=0)


# %% all-draws wrong="iwae-curve" fails="gradient,stability,subsets"
# The result must depend on k: take the log of each subset's mean weight, then average the logs.
def iwae(log_w, k):
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


# %% first-draws wrong="iwae-curve" fails="gradient,stability,subsets"
# The first k draws are one subset of many: average over all of them.
def iwae(log_w, k):
    return torch.logsumexp(log_w[:k], dim=0) - math.log(k)


# %% blocks wrong="iwae-curve" fails="gradient,stability,subsets"
# Neighbouring draws are some of the subsets; the text asks for all of them.
def iwae(log_w, k):
    starts = range(len(log_w) - k + 1)
    return torch.stack([log_w[s : s + k].logsumexp(0) for s in starts]).mean(0) - math.log(k)


# %% groups wrong="iwae-curve" fails="gradient,stability,subsets"
# Groups that do not overlap are some of the subsets; the text asks for all of them.
def iwae(log_w, k):
    starts = range(0, len(log_w) - k + 1, k)
    return torch.stack([log_w[s : s + k].logsumexp(0) for s in starts]).mean(0) - math.log(k)


# %% with-replacement wrong="iwae-curve" fails="bound,gradient,stability,subsets"
# A subset holds k different draws: the same draw must not be taken twice.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k, with_replacement=True)
    return (torch.logsumexp(log_w[index], dim=1) - math.log(k)).mean(dim=0)


# %% sum-of-weights wrong="iwae-curve" fails="bound,gradient,stability,subsets"
# The weights are averaged, not summed: log k is missing.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k)
    return torch.logsumexp(log_w[index], dim=1).mean(dim=0)


# %% divided-by-all wrong="iwae-curve" fails="gradient,stability,subsets"
# A subset has k weights: divide by k, not by all K.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k)
    return (torch.logsumexp(log_w[index], dim=1) - math.log(len(log_w))).mean(dim=0)


# %% plain-exp wrong="iwae-curve" fails="gradient,stability"
# exp of a log weight underflows to 0 or overflows: use logsumexp.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k)
    return torch.log(torch.exp(log_w)[index].mean(dim=1)).mean(dim=0)


# %% one-shift-for-all wrong="iwae-curve" fails="gradient,stability"
# One maximum for all images lets the others underflow: subtract that of each subset and image.
def iwae(log_w, k):
    top = log_w.max().detach()
    index = torch.combinations(torch.arange(len(log_w)), k)
    return torch.log(torch.exp(log_w - top)[index].mean(dim=1)).mean(dim=0) + top


# %% one-shift-per-image wrong="iwae-curve" fails="gradient,stability"
# A subset without the image's largest weight underflows: subtract the maximum of each subset.
def iwae(log_w, k):
    top = log_w.max(dim=0).values.detach()
    index = torch.combinations(torch.arange(len(log_w)), k)
    return torch.log(torch.exp(log_w - top)[index].mean(dim=1)).mean(dim=0) + top


# %% mean-over-images wrong="iwae-curve" fails="bound,gradient,stability,subsets"
# The text asks for one value per image: average over the subsets only.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k)
    return (torch.logsumexp(log_w[index], dim=1) - math.log(k)).mean()


# %% draws-along-images wrong="iwae-curve" fails="bound,gradient,stability,subsets"
# Draws lie along axis 0: this mixes the weights of different images.
def iwae(log_w, k):
    return (torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1]))[:k].mean()


# %% detached wrong="iwae-curve" fails="gradient"
# Training needs the gradient with respect to log_w: do not detach.
def iwae(log_w, k):
    index = torch.combinations(torch.arange(len(log_w)), k)
    return (torch.logsumexp(log_w.detach()[index], dim=1) - math.log(k)).mean(dim=0)


# %% [markdown]
# ## unit-information


# %% by-singular-values right="unit-information"
def unit_information(x, sigma, latents):
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2 / len(x)
    variances = np.zeros(x.shape[1])
    variances[: len(values)] = values
    active = variances[:latents] > sigma**2
    ratio = np.where(active, variances[:latents], sigma**2) / sigma**2
    return np.log(ratio) / 2


# %% by-sklearn right="unit-information"
from sklearn.decomposition import PCA


def unit_information(x, sigma, latents):
    found = PCA().fit(x).explained_variance_ * (len(x) - 1) / len(x)
    padded = np.append(found, np.zeros(x.shape[1]))[:latents]
    return np.array([math.log(v / sigma**2) / 2 if v > sigma**2 else 0.0 for v in padded])


# %% by-the-posterior right="unit-information" oracle=True
def unit_information(x, sigma, latents):
    # no formula for the average: the exact posterior of each image, and its divergence
    centred = x - x.sum(0) / len(x)
    roots, vectors = np.linalg.eigh(centred.T.dot(centred) / len(x))
    roots, vectors = roots[::-1][:latents], vectors[:, ::-1][:, :latents]
    W = vectors * np.sqrt(np.clip(roots - sigma * sigma, 0, None))
    V = np.linalg.inv(np.eye(latents) + W.T.dot(W) / (sigma * sigma))
    means = centred.dot(W).dot(V) / (sigma * sigma)
    spread = np.diag(V)
    each = (means * means + spread - 1 - np.log(spread)) / 2
    return np.sort(each.sum(0) / len(x))[::-1]


# %% solution.floor equivalent="unit-information"
# `return 0.5 * np.log((np.maximum(largest, sigma ** 2) / sigma ** ...`
# The ratio is at least 1.


# %% not-clipped wrong="unit-information" fails="collapsed"
# A variance below that of the noise leaves its column at zero: the divergence is 0, not negative.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    return 0.5 * np.log(np.maximum(spectrum[:latents], 1e-300) / sigma**2)


# %% unbiased-covariance wrong="unit-information" fails="active,collapsed"
# Maximum likelihood divides by n; numpy's cov divides by n - 1.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    return 0.5 * np.log(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% scale-as-variance wrong="unit-information" fails="active,collapsed"
# sigma is a standard deviation: compare the variances of the data with its square.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    return 0.5 * np.log(np.maximum(spectrum[:latents], sigma) / sigma)


# %% half-missing wrong="unit-information" fails="active,collapsed"
# A factor of one half is missing.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    return np.log(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% not-centred wrong="unit-information" fails="active,collapsed"
# The data are not centred: b takes the mean, so the covariance counts, not the second moment.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(x.T @ x / len(x))[::-1]
    return 0.5 * np.log(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% signal-to-noise wrong="unit-information" fails="active,collapsed"
# The noise is part of the variance of the data already: do not add it once more.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    return 0.5 * np.log1p(np.maximum(spectrum[:latents], 0) / sigma**2)


# %% smallest-first wrong="unit-information" fails="active,collapsed"
# The order is reversed: eigvalsh starts with the smallest, the text with the largest.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    return 0.5 * np.log(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% largest-last wrong="unit-information" fails="active,collapsed"
# These are the right directions in the wrong order: the largest value comes first.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[-latents:]
    return 0.5 * np.log(np.maximum(spectrum, sigma**2) / sigma**2)


# %% collapsed-dropped wrong="unit-information" fails="collapsed"
# A collapsed variable stays in the result, with the value 0: one value for each latent.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1][:latents]
    return 0.5 * np.log(spectrum[spectrum > sigma**2] / sigma**2)


# %% pixels-not-directions wrong="unit-information" fails="active,collapsed"
# Latent variables follow the principal directions, not single pixels: use eigenvalues.
def unit_information(x, sigma, latents):
    spectrum = np.sort(x.var(axis=0))[::-1]
    return 0.5 * np.log(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% learned-noise wrong="unit-information" fails="active,collapsed"
# sigma is fixed here: do not replace it by the variance that is left over.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    left = max(spectrum[latents:].mean(), 1e-12) if latents < len(spectrum) else sigma**2
    return 0.5 * np.log(np.maximum(spectrum[:latents], left) / left)


# %% spread-only wrong="unit-information" fails="active,collapsed"
# The means of the posterior vary from image to image: their squares belong to the divergence.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    share = sigma**2 / np.maximum(spectrum[:latents], sigma**2)
    return 0.5 * (share - 1 - np.log(share))


# %% in-bits wrong="unit-information" fails="active,collapsed"
# This is in bits (log to the base 2); the text asks for nats.
def unit_information(x, sigma, latents):
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    return 0.5 * np.log2(np.maximum(spectrum[:latents], sigma**2) / sigma**2)


# %% [markdown]
# ## weight-as-noise


# %% by-rescaling right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    sigma = math.sqrt(weight * pixels / 2)
    loss = mse + weight * kl
    return sigma, -loss / weight - pixels * math.log(sigma * math.sqrt(2 * math.pi))


# %% by-precision right="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    precision = 2.0 / (weight * pixels)
    each = [
        0.5 * pixels * (math.log(precision) - math.log(2 * math.pi) - precision * m) - k
        for m, k in zip(mse, kl)
    ]
    return precision**-0.5, np.array(each)


# %% by-density right="weight-as-noise" oracle=True
from scipy import stats


def honest_elbo(mse, kl, weight, pixels):
    # an image whose pixels all miss by the root of mse, under scipy's density
    half = np.multiply(weight, pixels) * 0.5
    miss = np.sqrt(np.asarray(mse))[:, None].repeat(pixels, axis=1)
    return half**0.5, stats.norm(scale=half**0.5).logpdf(miss).sum(1) - np.asarray(kl)


# %% variance-returned wrong="weight-as-noise" fails="scale"
# This is the variance; the text asks for the standard deviation.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    return v, -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% half-missing wrong="weight-as-noise" fails="scale,elbo"
# The Normal's log density holds the squared error over twice the variance: a half is missing.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels
    return math.sqrt(v), -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% pixels-forgotten wrong="weight-as-noise" fails="scale,elbo"
# The squared error was averaged over the pixels, while a log-likelihood sums over them.
def honest_elbo(mse, kl, weight, pixels):
    v = weight / 2
    return math.sqrt(v), -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% weight-inverted wrong="weight-as-noise" fails="scale,elbo"
# A larger weight on the KL stands for more noise, not for less.
def honest_elbo(mse, kl, weight, pixels):
    v = pixels / (2 * weight)
    return math.sqrt(v), -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% weight-on-the-kl wrong="weight-as-noise" fails="elbo"
# In an ELBO the KL term has weight 1: the weight has become the noise scale.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    fit = -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v)
    return math.sqrt(v), fit - weight * kl


# %% constant-dropped wrong="weight-as-noise" fails="elbo"
# The constant of the Normal is missing, once per pixel: it depends on sigma.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    return math.sqrt(v), -pixels * mse / (2 * v) - kl


# %% constant-once wrong="weight-as-noise" fails="elbo"
# The constant of the Normal counts once for each pixel, not once per image.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    return math.sqrt(v), -0.5 * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% mean-not-sum wrong="weight-as-noise" fails="elbo"
# The reconstruction term sums over the pixels: multiply their mean squared error by D.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    return math.sqrt(v), -0.5 * pixels * np.log(2 * np.pi * v) - mse / (2 * v) - kl


# %% sign-flipped wrong="weight-as-noise" fails="elbo"
# This is the negative ELBO, a loss.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    return math.sqrt(v), 0.5 * pixels * np.log(2 * np.pi * v) + pixels * mse / (2 * v) + kl


# %% fitted-noise wrong="weight-as-noise" fails="scale,elbo"
# That is the scale that the errors suggest; the question is which one the weight stands for.
def honest_elbo(mse, kl, weight, pixels):
    v = mse.mean()
    return math.sqrt(v), -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl


# %% loss-negated wrong="weight-as-noise" fails="elbo"
# The loss has to be rescaled before it is in nats, and the constant added.
def honest_elbo(mse, kl, weight, pixels):
    return math.sqrt(weight * pixels / 2), -(mse + weight * kl)


# %% mean-over-images wrong="weight-as-noise" fails="elbo"
# The text asks for one ELBO per image: no mean over the batch.
def honest_elbo(mse, kl, weight, pixels):
    v = weight * pixels / 2
    each = -0.5 * pixels * np.log(2 * np.pi * v) - pixels * mse / (2 * v) - kl
    return math.sqrt(v), each.mean()


# %% solution.squeeze equivalent="weight-as-noise"
# `return (np.sqrt(variance).squeeze(), fit - kl)`
# A number has no axis to lose.
