# %% [markdown]
# Answers written from the text alone.


# %% gaussian-by-hand right="gaussian-nll"
# Standardise, square and add both constants; divide by the size before the sum.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    log_sigma = torch.log(sigma) if torch.is_tensor(sigma) else math.log(sigma)
    terms = 0.5 * ((y - mu) / sigma) ** 2 + log_sigma + 0.5 * math.log(2 * math.pi)
    return (terms / terms.numel()).sum()


# %% gaussian-standard-normal right="gaussian-nll"
# The density of a standard normal from torch.distributions, and the logarithm of the scale.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim >= 1 and tuple(mu.shape) != tuple(y.shape):
        raise ValueError(f"shapes differ: {tuple(mu.shape)} and {tuple(y.shape)}")
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    standard = torch.distributions.Normal(y.new_zeros(()), y.new_ones(()))
    surprise = -standard.log_prob((y - mu) / sigma)
    return (surprise / y.numel()).sum() + torch.log(sigma).mean()


# %% gaussian-library-eps wrong="gaussian-nll"
# The library clamps the variance at 1e-6: wrong for each sigma below a thousandth.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    mu = torch.as_tensor(mu, dtype=y.dtype).expand(y.shape)
    var = torch.as_tensor(sigma, dtype=y.dtype).expand(y.shape) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True)


# %% gaussian-broadcast-to-y wrong="gaussian-nll"
# Raises only if broadcasting changes the shape of y: mu of shape (1,), or (2, 1) for (2, 3),
# passes without an error.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0:
        try:
            common = torch.broadcast_shapes(mu.shape, y.shape)
        except RuntimeError as error:
            raise ValueError("shapes do not fit") from error
        if common != y.shape:
            raise ValueError("shapes do not fit")
    log_sigma = torch.log(sigma) if torch.is_tensor(sigma) else math.log(sigma)
    return (0.5 * ((y - mu) / sigma) ** 2 + log_sigma + 0.5 * math.log(2 * math.pi)).mean()


# %% gaussian-scalar-item wrong="gaussian-nll"
# A 0-d sigma becomes a Python number on its way: no gradient for one learned scale.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    if not torch.is_tensor(sigma) or sigma.dim() == 0:
        sigma = torch.full_like(y, float(sigma))
    return (0.5 * ((y - mu) / sigma) ** 2 + sigma.log() + 0.5 * math.log(2 * math.pi)).mean()


# %% gaussian-in-place wrong="gaussian-nll"
# Subtracts mu from y in place: y comes back changed wherever mu is not 0.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    residual = y.sub_(mu)
    log_sigma = torch.log(sigma) if torch.is_tensor(sigma) else math.log(sigma)
    return (0.5 * (residual / sigma) ** 2 + log_sigma + 0.5 * math.log(2 * math.pi)).mean()


# %% laplace-sorted right="laplace-mle"
# Sort, take the midpoint of the two middle values, average the distances.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-statistics right="laplace-mle"
# Python floats, the median of the standard library and an exact sum.
def laplace_mle(y):
    import statistics

    values = y.detach().tolist()
    mu = statistics.median(values)
    return mu, math.fsum(abs(value - mu) for value in values) / len(values)


# %% laplace-unique wrong="laplace-mle"
# Sorts with unique, which drops repeated values: for [1, 1, 5] it says 3.
def laplace_mle(y):
    ordered = torch.unique(y)
    n = len(ordered)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-half-sums wrong="laplace-mle"
# Takes b from the sums of the upper and the lower half, which cancel: wrong for float32 values
# near a billion that differ by some hundreds, or float64 ones that differ by a thousandth.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (ordered[(n + 1) // 2 :].sum() - ordered[: n // 2].sum()) / n


# %% laplace-single-precision wrong="laplace-mle"
# Casts to float32: wrong for float64 values near a billion that differ by less than 64.
def laplace_mle(y):
    ordered = torch.sort(y.float()).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (ordered - mu).abs().mean()


# %% laplace-least-scale wrong="laplace-mle"
# Keeps the scale above a thousandth: wrong for one value, equal values or values in millionths.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean().clamp(min=1e-3)


# %% bce-softplus right="bce-from-logits"
# Two softplus terms, neither negative, so that nothing cancels; divided before the sum.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    terms = y * softplus(-z) + (1 - y) * softplus(z)
    return (terms / z.numel()).sum()


# %% bce-two-classes right="bce-from-logits"
# A softmax over the logits 0 and z, with both labels' shares as the targets.
def bce_from_logits(z, y):
    log_p = torch.log_softmax(torch.stack([torch.zeros_like(z), z], dim=-1), dim=-1)
    shares = torch.stack([1 - y, y], dim=-1)
    return -(shares * log_p / z.numel()).sum()


# %% bce-where-trap wrong="bce-from-logits"
# Values are right, but exp overflows in the branch that where drops: the gradient is nan at 800.
def bce_from_logits(z, y):
    def softplus(u):
        return torch.where(u > 30, u, torch.log1p(torch.exp(u)))

    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


# %% bce-clamped-logits wrong="bce-from-logits"
# Logits beyond 1000 are cut: value and gradient are wrong for 5000 with target 0.
def bce_from_logits(z, y):
    z = z.clamp(-1000.0, 1000.0)
    zero = torch.zeros_like(z)
    return (y * torch.logaddexp(zero, -z) + (1 - y) * torch.logaddexp(zero, z)).mean()


# %% bce-per-row wrong="bce-from-logits"
# Divides the sum by the length of the first axis: wrong for logits of shape (2, 3).
def bce_from_logits(z, y):
    log_sigmoid = torch.nn.functional.logsigmoid
    return -(y * log_sigmoid(z) + (1 - y) * log_sigmoid(-z)).sum() / len(z)


# %% bce-early-straight-line wrong="bce-from-logits"
# Softplus turns into a straight line at 10 already: 3e-5 too small for a logit of 10.5.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    return (y * softplus(-z, threshold=10) + (1 - y) * softplus(z, threshold=10)).mean()


# %% set-masked-log-softmax right="one-of-several-labels"
# Log probabilities, minus infinity outside the set, and a logsumexp along the classes.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -torch.logsumexp(log_p.masked_fill(~possible, -math.inf), dim=1).mean()


# %% set-row-by-row right="one-of-several-labels"
# For each row, the logsumexp of all its logits less that of the possible ones.
def set_nll(logits, possible):
    losses = []
    for row, inside in zip(logits, possible, strict=True):
        row = row - row.max().detach()
        losses.append(torch.logsumexp(row, 0) - torch.logsumexp(row[inside], 0))
    return torch.stack(losses).mean()


# %% set-finite-fill wrong="one-of-several-labels"
# Fills with -10000 in place of minus infinity: wrong where the set's logits are below that.
def set_nll(logits, possible):
    inside = torch.where(possible, logits, torch.full_like(logits, -1e4))
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% set-equal-sizes wrong="one-of-several-labels"
# Assumes that all sets have one size: sets of one and of three classes are mixed, and sets of
# one and of two raise an error.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    inside = log_p[possible].reshape(len(logits), -1)
    return -torch.logsumexp(inside, dim=1).mean()


# %% set-single-precision wrong="one-of-several-labels"
# Casts to float32: wrong for float64 logits near a million that differ by hundredths.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits.to(torch.float32), dim=1)
    return -torch.logsumexp(log_p.masked_fill(~possible, -math.inf), dim=1).mean()


# %% set-drops-full-rows wrong="one-of-several-labels"
# Leaves rows whose set holds all classes out of the mean; they count with a loss of 0.
def set_nll(logits, possible):
    known = ~possible.all(dim=1)
    if not known.any():
        return 0 * logits.sum()
    log_p = torch.log_softmax(logits[known], dim=1)
    return -torch.logsumexp(log_p.masked_fill(~possible[known], -math.inf), dim=1).mean()


# %% gradient-formula right="logit-gradient"
# The row's sum of counts times the softmax, less the counts, over n.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)


# %% gradient-jacobian right="logit-gradient"
# The chain rule with the Jacobian of the log softmax, the identity less p in each row.
def cross_entropy_gradient(logits, counts):
    n, classes = logits.shape
    shifted = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    p = shifted / shifted.sum(dim=1, keepdim=True)
    jacobian = torch.eye(classes, dtype=logits.dtype)[None] - p[:, None, :]
    return -torch.einsum("nj,njk->nk", counts, jacobian) / n


# %% gradient-labelled-rows wrong="logit-gradient"
# Divides by the rows that have a label: wrong if a row of counts is all 0.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    labelled = (total > 0).sum().clamp(min=1)
    return (total * torch.softmax(logits, dim=1) - counts) / labelled


# %% gradient-by-shares wrong="logit-gradient"
# Turns the counts into shares first: 0 / 0 makes nan of a row that nobody has labelled.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    return total * (torch.softmax(logits, dim=1) - counts / total) / logits.shape[0]


# %% gradient-clamped-exp wrong="logit-gradient"
# Cuts the logits at 700 before exp: 1500 and 1400 become equally likely; float32 overflows.
def cross_entropy_gradient(logits, counts):
    e = torch.exp(logits.clamp(-700, 700))
    p = e / e.sum(dim=1, keepdim=True)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)


# %% gradient-squeezed wrong="logit-gradient"
# The squeeze at the end drops the batch axis if n is 1: shape (K,) in place of (1, K).
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1).unsqueeze(-1)
    gradient = p * counts.sum(dim=1)[:, None, None] - counts.unsqueeze(-1)
    return gradient.squeeze() / len(logits)


# %% masked-library right="find-the-bugs"
# Keep the rows whose mask is true, and give their logits to the library's cross-entropy.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy(x[mask] @ weight + bias, labels[mask])


# %% masked-by-hand right="find-the-bugs"
# All rows with the largest logit subtracted, then the sum over the mask and its count.
def masked_loss(x, weight, bias, labels, mask):
    z = x @ weight + bias
    z = z - z.amax(dim=1, keepdim=True).detach()
    nll = torch.log(torch.exp(z).sum(dim=1)) - z[torch.arange(len(z)), labels]
    return torch.where(mask, nll, torch.zeros_like(nll)).sum() / mask.sum()


# %% masked-log-of-softmax wrong="find-the-bugs"
# Takes the logarithm of a clamped softmax: a wrong label 100 below the best logit costs 27.6.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    nll = -torch.log(p.gather(1, labels[:, None])[:, 0].clamp(min=1e-12))
    return nll[mask].mean()


# %% masked-one-shift wrong="find-the-bugs"
# Subtracts the largest logit of the batch, not of the row: a row 800 below has no exp left.
def masked_loss(x, weight, bias, labels, mask):
    z = x @ weight + bias
    z = z - z.max()
    nll = torch.log(torch.exp(z).sum(dim=1)) - z.gather(1, labels[:, None]).squeeze(1)
    return nll[mask].mean()


# %% masked-single-example wrong="find-the-bugs"
# The squeeze turns one index into a 0-d tensor: an error if exactly one mask is true.
def masked_loss(x, weight, bias, labels, mask):
    kept = mask.nonzero().squeeze()
    log_p = torch.log_softmax(x[kept] @ weight + bias, dim=1)
    return -log_p.gather(1, labels[kept].unsqueeze(1)).mean()


# %% masked-clamped-logits wrong="find-the-bugs"
# Cuts logits at 100: wrong value and a gradient of 0 for logits of 300 and -200.
def masked_loss(x, weight, bias, labels, mask):
    z = (x @ weight + bias).clamp(-100, 100)
    nll = torch.nn.functional.cross_entropy(z, labels, reduction="none")
    return (nll * mask).sum() / mask.sum()
