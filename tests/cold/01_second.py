# %% standardised right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    def check(k):
        return torch.as_tensor(k, dtype=y.dtype)

    if torch.is_tensor(mu) and mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    gradient = (y - check(mu)) / check(sigma)
    return (0.5 * gradient**2 + torch.log(check(sigma)) + 0.5 * math.log(2 * math.pi)).mean()


# %% element-by-element right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(a, dtype=y.dtype) for a in (mu, sigma))
    if mu.ndim and tuple(mu.shape) != tuple(y.shape):
        raise ValueError(f"expected means of shape {tuple(y.shape)}")
    triples = zip(y.reshape(-1), mu.expand_as(y).reshape(-1), sigma.expand_as(y).reshape(-1))
    k = [((t - m) / s) ** 2 / 2 + s.log() for t, m, s in triples]
    return torch.stack(k).sum() / len(k) + math.log(2 * math.pi) / 2


# %% other-ranks-refused wrong="gaussian-nll"
# Shapes of equally many dimensions broadcast: mu of shape (1,), y of shape (2,) raises nothing.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    if mu.ndim and mu.ndim != y.ndim:
        raise ValueError("mu and y differ in shape")
    z = (y - mu) / sigma
    return (0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).mean()


# %% logarithm-over-n wrong="gaussian-nll"
# The log of a 0-d sigma is divided by n: y = [1, 2], mu = 0, sigma = torch.tensor(2.0).
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.ndim and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    if not torch.is_tensor(sigma):
        sigma = torch.full_like(y, sigma)
    z = (y - mu) / sigma
    n = y.numel()
    return (0.5 * (z**2).sum() + torch.log(sigma).sum()) / n + 0.5 * math.log(2 * math.pi)


# %% constant-scale-has-no-gradient wrong="gaussian-nll"
# A 0-d sigma becomes a Python number: no gradient for sigma = torch.tensor(2.0).
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.ndim and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    if not torch.is_tensor(sigma) or sigma.ndim == 0:
        sigma = torch.full_like(y, float(sigma))
    z = (y - mu) / sigma
    return (0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).mean()


# %% ready-made-loss wrong="gaussian-nll"
# The ready-made loss has a floor of 1e-6 under the variance: y = [0], mu = 0, sigma = 1e-4.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    var = torch.as_tensor(sigma, dtype=y.dtype).expand_as(y) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu.expand_as(y), y, var, full=True)


# %% sorted-middle right="laplace-mle"
def laplace_mle(y):
    def check(k):
        values = torch.sort(k).values
        return 0.5 * values[(len(k) - 1) // 2] + 0.5 * values[len(k) // 2]

    mu = check(y)
    return mu, torch.abs(y - mu).mean()


# %% quantile-and-loop right="laplace-mle"
def laplace_mle(y):
    k = torch.quantile(y, 0.5)
    b = sum(abs(float(value) - float(k)) for value in y) / len(y)
    return float(k), b


# %% scale-floor wrong="laplace-mle"
# The scale is never below 0.001: y = [0, 1e-4].
def laplace_mle(y):
    values = torch.sort(y).values
    mu = (values[(len(y) - 1) // 2] + values[len(y) // 2]) / 2
    return mu, (y - mu).abs().mean().clamp_min(1e-3)


# %% ties-counted-once wrong="laplace-mle"
# Equal values count once for the median: y = [1, 1, 1, 2, 9].
def laplace_mle(y):
    values = torch.unique(y)
    mu = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% single-precision wrong="laplace-mle"
# Computes in float32 and casts back: y = [1e8, 1e8 + 1, 1e8 + 2] has a scale of 2/3.
def laplace_mle(y):
    values = torch.sort(y.float()).values
    mu = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    return mu.to(y.dtype), (values - mu).abs().mean().to(y.dtype)


# %% upper-minus-lower-half wrong="laplace-mle"
# With an odd number the middle value is added to the upper half: y = [1, 2, 9].
def laplace_mle(y):
    values, half = torch.sort(y).values, len(y) // 2
    mu = (values[(len(y) - 1) // 2] + values[half]) / 2
    return mu, (values[half:].sum() - values[:half].sum()) / len(y)


# %% two-logsigmoids right="bce-from-logits"
def bce_from_logits(z, y):
    def check(k):
        return torch.nn.functional.logsigmoid(k)

    return -(y * check(z) + (1 - y) * check(-z)).mean()


# %% logaddexp right="bce-from-logits"
def bce_from_logits(z, y):
    k = torch.logaddexp((1 - y) * z, -y * z).reshape(-1)
    return k.sum() / len(k)


# %% logits-limited wrong="bce-from-logits"
# Logits are limited to 1000 in size: z = [2000], y = [0].
def bce_from_logits(z, y):
    z = z.clamp(-1000, 1000)
    return (torch.logaddexp(z, torch.zeros_like(z)) - y * z).mean()


# %% where-behind-the-exponential wrong="bce-from-logits"
# The branch not taken overflows, and the gradient is nan: z = [800], y = [0].
def bce_from_logits(z, y):
    soft = torch.where(z > 40, z, torch.log1p(torch.exp(z)))
    return (soft - y * z).mean()


# %% targets-kept-from-the-ends wrong="bce-from-logits"
# Targets are moved 1e-7 into the interval: z = [800], y = [1] gives 8e-5, not 0.
def bce_from_logits(z, y):
    y = y.clamp(1e-7, 1 - 1e-7)
    return (torch.logaddexp(z, torch.zeros_like(z)) - y * z).mean()


# %% divided-by-rows wrong="bce-from-logits"
# The sum is divided by the length of the first dimension: z and y of shape (2, 3).
def bce_from_logits(z, y):
    return (torch.logaddexp(z, torch.zeros_like(z)) - y * z).sum() / len(z)


# %% row-by-row right="logit-gradient"
def cross_entropy_gradient(logits, targets):
    def gradient(y, k):
        y = torch.exp(y - y.max())
        return k.sum() * y / y.sum() - k

    rows = [gradient(z, t) / len(logits) for z, t in zip(logits, targets)]
    return torch.stack(rows)


# %% logits-limited wrong="logit-gradient"
# Logits are limited to 1000 in size: logits [[3000, 2000, 0]] become equal.
def cross_entropy_gradient(logits, targets):
    p = torch.softmax(logits.clamp(-1000, 1000), dim=1)
    return (p * targets.sum(1, keepdim=True) - targets) / len(logits)


# %% single-precision wrong="logit-gradient"
# Computes in float32 and casts back: logits [[1e8, 1e8 + 1]], targets [[1, 0]].
def cross_entropy_gradient(logits, targets):
    p = torch.softmax(logits.to(torch.float32), dim=1).to(logits.dtype)
    return (p * targets.sum(1, keepdim=True) - targets) / len(logits)


# %% one-hot-if-any wrong="logit-gradient"
# A single one-hot row makes all rows one-hot: targets [[1, 0], [0.4, 0.6]].
def cross_entropy_gradient(logits, targets):
    if (targets == 1).any():
        label = targets.argmax(dim=1, keepdim=True)
        targets = torch.zeros_like(targets).scatter(1, label, 1.0)
    return (torch.softmax(logits, 1) * targets.sum(1, keepdim=True) - targets) / len(logits)


# %% squeezed wrong="logit-gradient"
# One row loses its dimension: logits of shape (1, 3) give a result of shape (3,).
def cross_entropy_gradient(logits, targets):
    p = torch.softmax(logits, dim=-1)
    return ((p * targets.sum(1, keepdim=True) - targets) / len(logits)).squeeze()


# %% real-rows-first right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    y = x[mask] @ weight + bias
    return torch.nn.functional.cross_entropy(y, labels[mask])


# %% loop-over-real-rows right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    def check(k):
        z = bias + (x[k][:, None] * weight).sum(dim=0)
        top = z.detach().max()
        return torch.log(torch.exp(z - top).sum()) - (z[labels[k]] - top)

    losses = [check(k) for k in range(len(labels)) if mask[k]]
    return torch.stack(losses).mean()


# %% logarithm-with-a-floor wrong="find-the-bugs"
# Probabilities have a floor of 1e-12, so no loss is above 27.6: logits [100, 0, 0], label 1.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    loss = -torch.log(p.clamp_min(1e-12))[torch.arange(len(labels)), labels]
    return loss[mask].mean()


# %% classes-from-the-labels wrong="find-the-bugs"
# A class that no label names is left out of the softmax: K = 3, labels [0, 1, 1].
def masked_loss(x, weight, bias, labels, mask):
    classes = int(labels.max()) + 1
    logits = (x @ weight + bias)[:, :classes]
    return torch.nn.functional.cross_entropy(logits[mask], labels[mask])


# %% features-squeezed wrong="find-the-bugs"
# A single feature loses its dimension and nothing fits: x of shape (3, 1), weight (1, 3).
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask].squeeze() @ weight + bias
    return torch.nn.functional.cross_entropy(logits, labels[mask].squeeze())


# %% logits-limited wrong="find-the-bugs"
# Logits are limited to 50 in size: logits [200, 0, 0], label 1.
def masked_loss(x, weight, bias, labels, mask):
    logits = (x @ weight + bias).clamp(-50, 50)
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return (loss * mask).sum() / mask.sum()
