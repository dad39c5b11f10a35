# %% [markdown]
# Answers written from the text alone.


# %% nll-terms-third right="gaussian-nll"
# Standardise, add the three terms, take the mean.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError(f"mu has shape {tuple(mu.shape)}, y has {tuple(y.shape)}")
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi)).mean()


# %% nll-library-third right="gaussian-nll"
# The library's Normal, with its parameters in the precision and shape of y.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim >= 1 and mu.size() != y.size():
        raise ValueError("mu must have the shape of y")
    mu = torch.as_tensor(mu, dtype=y.dtype).expand(y.shape)
    sigma = torch.as_tensor(sigma, dtype=y.dtype).expand(y.shape)
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% nll-default-eps-third wrong="gaussian-nll"
# PyTorch's loss keeps the variance above eps = 1e-6: wrong for every sigma below 1e-3.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    mu = torch.as_tensor(mu, dtype=y.dtype).expand(y.shape)
    sigma = torch.as_tensor(sigma, dtype=y.dtype).expand(y.shape)
    return torch.nn.functional.gaussian_nll_loss(mu, y, sigma**2, full=True)


# %% nll-numbers-as-float32-third right="gaussian-nll"
# Handed in as wrong; the text now asks no more of Python numbers than float32 holds.
# Normal(number, number) holds float32: with float64 y near mu = 123456789.25 and sigma = 1, or
# near mu = 0.1 with sigma = 1e-9, the rounded mean is standard deviations away.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% nll-compares-dims-third wrong="gaussian-nll"
# Only the number of dimensions is compared: mu of shape (1,) with y (n,), or (n, 1) with
# (n, m), broadcasts where ValueError is asked for.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() not in (0, y.dim()):
        raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).mean()


# %% nll-copies-mu-third wrong="gaussian-nll"
# torch.tensor(mu) copies mu out of the graph: no gradient with respect to mu.
def gaussian_nll(y, mu, sigma):
    mu = torch.tensor(mu, dtype=y.dtype)
    if mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    nll = 0.5 * ((y - mu) / sigma) ** 2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    return nll.mean()


# %% laplace-two-middles-third right="laplace-mle"
# Sort, average the two middle values (one and the same if n is odd), then the mean deviation.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(ordered)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-quantile-third right="laplace-mle"
# The interpolated 50 % quantile is the median; b through the L1 norm.
def laplace_mle(y):
    mu = torch.quantile(y, 0.5)
    return mu, torch.linalg.vector_norm(y - mu, ord=1) / y.numel()


# %% laplace-scale-floor-third wrong="laplace-mle"
# b is kept above 1e-4: wrong for n = 1 and for equal values (b = 0), and for data of size 1e-6.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(ordered)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean().clamp(min=1e-4)


# %% laplace-unique-third wrong="laplace-mle"
# torch.unique sorts, but also drops repeated values: [1, 1, 1, 5, 9] has median 1, not 5.
def laplace_mle(y):
    values = torch.unique(y)
    n = len(values)
    mu = values[n // 2] if n % 2 == 1 else (values[n // 2 - 1] + values[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-statistics-float32-third wrong="laplace-mle"
# The median goes through a Python number into a float32 tensor: float64 values near 123456789
# give a location that is off by several units, and a scale that follows it.
def laplace_mle(y):
    import statistics

    mu = torch.tensor(statistics.median(y.tolist()))
    return mu, torch.mean(torch.abs(y - mu))


# %% laplace-kth-of-one-third wrong="laplace-mle"
# Both middle values are fetched before n is looked at: kthvalue(y, 0) raises for n = 1.
def laplace_mle(y):
    n = y.shape[0]
    lower = torch.kthvalue(y, n // 2).values
    upper = torch.kthvalue(y, n // 2 + 1).values
    mu = upper if n % 2 else (lower + upper) / 2
    return mu, (y - mu).abs().sum() / n


# %% bce-two-softplus-third right="bce-from-logits"
# -log p = softplus(-z) and -log(1 - p) = softplus(z), weighted with y and 1 - y.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


# %% bce-ready-made-third right="bce-from-logits"
# PyTorch's own loss from logits, which averages over all elements.
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="mean")


# %% bce-clamped-logits-third wrong="bce-from-logits"
# Logits are cut at 1000: for z = 5000 and y = 0 the loss is 1000 and the gradient 0.
def bce_from_logits(z, y):
    z = z.clamp(-1000, 1000)
    logsigmoid = torch.nn.functional.logsigmoid
    return -(y * logsigmoid(z) + (1 - y) * logsigmoid(-z)).mean()


# %% bce-where-nan-gradient-third wrong="bce-from-logits"
# The branch that where() does not choose overflows: right values, but a gradient of nan for
# z = 800 or -800.
def bce_from_logits(z, y):
    def softplus(x):
        return torch.where(x > 0, x + torch.log1p(torch.exp(-x)), torch.log1p(torch.exp(x)))

    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


# %% bce-divides-by-len-third wrong="bce-from-logits"
# The sum is divided by len(z): a matrix of shape (n, m) comes out m times too large, and 0-d
# logits raise.
def bce_from_logits(z, y):
    logsigmoid = torch.nn.functional.logsigmoid
    loss = -y * logsigmoid(z) - (1 - y) * logsigmoid(-z)
    return loss.sum() / len(z)


# %% bce-cancels-third right="bce-from-logits"
# Handed in as wrong; but PyTorch's own function computes this very difference, and is allowed.
# softplus(z) - z y cancels for large z and y near 1: float32 z = 1e6, y = 0.999999 gives 1.0
# in place of 1.0133.
def bce_from_logits(z, y):
    return (torch.nn.functional.softplus(z) - z * y).mean()


# %% gradient-row-by-row-third right="logit-gradient"
# Row by row through the Jacobian of -log softmax: sum over k of t_k (p - e_k).
def cross_entropy_gradient(logits, targets):
    n, k = logits.shape
    eye = torch.eye(k, dtype=logits.dtype)
    rows = []
    for z, t in zip(logits, targets):
        e = torch.exp(z - z.max())
        p = e / e.sum()
        rows.append(t @ (p[None, :] - eye) / n)
    return torch.stack(rows)


# %% gradient-clamped-logits-third wrong="logit-gradient"
# Logits are cut at 700 before exp: [1001, 1000] becomes a tie.
def cross_entropy_gradient(logits, targets):
    e = torch.exp(logits.clamp(-700, 700))
    p = e / e.sum(dim=1, keepdim=True)
    return (p * targets.sum(1, keepdim=True) - targets) / len(logits)


# %% gradient-shift-if-large-third wrong="logit-gradient"
# The shift is made for large positive logits only: a row near -1000 gives 0 / 0 = nan.
def cross_entropy_gradient(logits, targets):
    z = logits
    if z.max() > 100:
        z = z - z.max(dim=1, keepdim=True).values
    e = z.exp()
    return (targets.sum(1)[:, None] * e / e.sum(dim=1, keepdim=True) - targets) / len(z)


# %% gradient-default-dtype-third wrong="logit-gradient"
# The result is gathered in torch.zeros(n, K), which is float32 for float64 logits, too.
def cross_entropy_gradient(logits, targets):
    n, k = logits.shape
    gradient = torch.zeros(n, k)
    for i in range(n):
        gradient[i] = (targets[i].sum() * logits[i].softmax(0) - targets[i]) / n
    return gradient


# %% gradient-finite-differences-third wrong="logit-gradient"
# Central differences: the step drowns in large logits (1e13 and 1e13 - 1 in float64 give 0), and
# in float32 even ordinary logits come out wrong by 1e-4.
def cross_entropy_gradient(logits, targets):
    def loss(z):
        return -(targets * torch.log_softmax(z, dim=1)).sum(dim=1).mean()

    gradient, step = torch.empty_like(logits), 1e-4
    for i in range(logits.shape[0]):
        for k in range(logits.shape[1]):
            up, down = logits.clone(), logits.clone()
            up[i, k] += step
            down[i, k] -= step
            gradient[i, k] = (loss(up) - loss(down)) / (2 * step)
    return gradient


# %% masked-select-rows-third right="find-the-bugs"
# Keep the real examples, then the ready-made loss on their logits.
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    return torch.nn.functional.cross_entropy(logits, labels[mask])


# %% masked-where-sum-third right="find-the-bugs"
# The NLL of all, zero where the mask is false, divided by the number of true ones.
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=1)
    nll = -log_p.gather(1, labels[:, None])[:, 0]
    return torch.where(mask, nll, torch.zeros_like(nll)).sum() / mask.sum()


# %% masked-log-epsilon-third wrong="find-the-bugs"
# log(p + 1e-10) never exceeds 23: wrong for a confident mistake, with logits 100 apart.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    picked = p.gather(1, labels[:, None])[:, 0]
    return -torch.log(picked[mask] + 1e-10).mean()


# %% masked-squeezed-index-third wrong="find-the-bugs"
# nonzero().squeeze() is 0-d if only one mask is true: a single row without dimension 1, raises.
def masked_loss(x, weight, bias, labels, mask):
    real = mask.nonzero().squeeze()
    log_p = torch.log_softmax((x @ weight + bias)[real], dim=1)
    return torch.nn.functional.nll_loss(log_p, labels[real])


# %% masked-one-hot-width-third wrong="find-the-bugs"
# one_hot without num_classes is as wide as the largest label: raises where class K - 1 does not
# occur, and sums over all classes if every label is 0.
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=1)
    nll = -(torch.nn.functional.one_hot(labels) * log_p).sum(dim=1)
    return nll[mask].mean()


# %% masked-nonzero-losses-third wrong="find-the-bugs"
# Counts the losses that are not 0: a real example whose loss is exactly 0 (logits 1000 apart)
# drops out of the mean; nan if all are.
def masked_loss(x, weight, bias, labels, mask):
    logits = x @ weight + bias
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none") * mask
    return loss.sum() / (loss > 0).sum()
