# %% formula right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError(f"mu has shape {tuple(mu.shape)}, y {tuple(y.shape)}")
    log_sigma = torch.log(sigma) if isinstance(sigma, torch.Tensor) else math.log(sigma)
    check = ((y - mu) / sigma).square() / 2 + log_sigma
    return check.mean() + math.log(2 * math.pi) / 2


# %% distribution right="gaussian-nll"
from torch.distributions import Normal


def gaussian_nll(y, mu, sigma):
    k = getattr(mu, "shape", ())
    if len(k) and tuple(k) != tuple(y.shape):
        raise ValueError("shapes differ")
    return -Normal(mu + torch.zeros_like(y), sigma + torch.zeros_like(y)).log_prob(y).mean()


# %% floor-of-variance wrong="gaussian-nll"
# The ready-made loss keeps variances at 1e-6 or more: y = mu, sigma 1e-4.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.dim() and mu.shape != y.shape:
        raise ValueError("shapes differ")
    mu, variance = mu + 0 * y, (sigma + 0 * y) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, variance, full=True)


# %% dimensions-compared wrong="gaussian-nll"
# Compares numbers of dimensions, not shapes: mu of shape (1,) and y of shape (3,), no error.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.dim() != y.dim():
        raise ValueError("mu and y differ in shape")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    nll = 0.5 * ((y - mu) / sigma) ** 2 + sigma.log() + 0.5 * math.log(2 * math.pi)
    return nll.mean()


# %% scalar-tensor-refused wrong="gaussian-nll"
# A 0-d tensor mu raises an error although it is allowed: mu torch.tensor(0.5), y of shape (2,).
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z * z + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).mean()


# %% copied-mean wrong="gaussian-nll"
# mu is copied into a new tensor, through which no gradient flows: any mu that requires one.
def gaussian_nll(y, mu, sigma):
    mu = torch.tensor(mu.tolist() if torch.is_tensor(mu) else mu, dtype=y.dtype)
    if mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    residual = (y - mu) / sigma
    return (0.5 * residual**2 + torch.log(math.sqrt(2 * math.pi) * sigma)).mean()


# %% sorted-middle right="laplace-mle"
def laplace_mle(y):
    k = y.sort().values
    n = len(k)
    mu = (k[(n - 1) // 2] + k[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% standard-library right="laplace-mle"
import statistics


def laplace_mle(y):
    check = y.tolist()
    mu = statistics.median(check)
    return [mu, math.fsum(abs(k - mu) for k in check) / len(check)]


# %% without-repeats wrong="laplace-mle"
# Equal values count once in the median: [1, 1, 1, 5, 6] gives 5 instead of 1.
def laplace_mle(y):
    values = torch.unique(y)
    n = len(values)
    mu = 0.5 * (values[(n - 1) // 2] + values[n // 2])
    return mu, (y - mu).abs().mean()


# %% difference-of-halves wrong="laplace-mle"
# b is half the difference of the means of both halves, which leave out the middle value of an odd
# number: [0, 1, 5] gives b 2.5 instead of 5 / 3.
def laplace_mle(y):
    values, n = y.sort().values, len(y)
    mu = torch.quantile(y, 0.5)
    if n == 1:
        return mu, 0 * mu
    lower, upper = values[: n // 2], values[n - n // 2 :]
    return mu, (upper.mean() - lower.mean()) / 2


# %% single-precision wrong="laplace-mle"
# Sorts in float32: float64 values 1e8, 1e8 + 1, 1e8 + 2 give a wrong b.
def laplace_mle(y):
    values = y.float().sort().values
    mu = (values[(len(y) - 1) // 2] + values[len(y) // 2]) / 2
    b = (values - mu).abs().mean()
    return mu.to(y.dtype), b.to(y.dtype)


# %% floor-of-scale wrong="laplace-mle"
# b is kept above 1e-6: [1e-9, 2e-9, 4e-9], or a single value, where b is 0.
def laplace_mle(y):
    mu = y.quantile(0.5)
    b = torch.nn.functional.l1_loss(y, mu.expand_as(y))
    return mu, b.clamp(min=1e-6)


# %% logsigmoid right="bce-from-logits"
from torch.nn.functional import logsigmoid


def bce_from_logits(z, y):
    return -(y * logsigmoid(z) + (1 - y) * logsigmoid(-z)).mean()


# %% logaddexp right="bce-from-logits"
def bce_from_logits(z, y):
    k = torch.zeros_like(z)
    check = y * torch.logaddexp(k, -z) + (1 - y) * torch.logaddexp(k, z)
    return check.sum() / z.numel()


# %% branch-with-nan wrong="bce-from-logits"
# The branch that is not taken overflows, and its gradient 0 * inf is nan: logit 800.
def bce_from_logits(z, y):
    def softplus(v):
        return torch.where(v > 30, v, torch.log1p(torch.exp(v)))

    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


# %% clamped-logits wrong="bce-from-logits"
# Logits are kept within 1000 of zero: logit 2000, target 0.
def bce_from_logits(z, y):
    z = z.clamp(-1000, 1000)
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y)


# %% divided-by-length wrong="bce-from-logits"
# Divides by the length of the first dimension: shape (2, 3) gives three times the mean.
def bce_from_logits(z, y):
    loss = torch.logaddexp(torch.zeros_like(z), z) - y * z
    return loss.sum() / len(z)


# %% logarithm-of-sigmoid right="bce-from-logits"
# Right by the text as it is now: a millionth of a nat is allowed.
# -log(sigmoid(z)) cannot resolve probabilities near 1: float32 logit 20, target 1, gives 0
# instead of 2e-9, and gradient 0.
def bce_from_logits(z, y):
    def nll(v):
        low = torch.log1p(torch.exp(v.clamp(max=0))) - v
        return torch.where(v < -10, low, -v.clamp(min=-10).sigmoid().log())

    return (y * nll(z) + (1 - y) * nll(-z)).mean()


# %% set-by-selection right="one-of-several-labels"
def set_nll(logits, possible):
    total = 0.0
    for z, s in zip(logits, possible):
        total = total + torch.logsumexp(z, 0) - torch.logsumexp(z[s], 0)
    return total / len(logits)


# %% set-by-softplus right="one-of-several-labels"
def set_nll(logits, possible):
    # minus log of a share: softplus of the log odds against the set
    low = torch.finfo(logits.dtype).min
    inside = torch.where(possible, logits, low).logsumexp(dim=1)
    outside = torch.where(possible, low, logits).logsumexp(dim=1)
    return torch.logaddexp(torch.zeros_like(inside), outside - inside).mean()


# %% set-floor wrong="one-of-several-labels"
# Log-probabilities below -700 are raised: a hopeless set costs 700 nats and no more.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1).clamp(min=-700)
    return -log_p.masked_fill(~possible, float("-inf")).logsumexp(dim=1).mean()


# %% set-fill-too-high wrong="one-of-several-labels"
# Classes that are left out get the logit -1e5, which is large beside logits of -900 000.
def set_nll(logits, possible):
    inside = torch.where(possible, logits, torch.full_like(logits, -1e5))
    return (logits.logsumexp(1) - inside.logsumexp(1)).mean()


# %% set-in-single wrong="one-of-several-labels"
# Sums in float32: near 900 000 logits of float64 lose their second decimal.
def set_nll(logits, possible):
    z = logits.float()
    inside = z.masked_fill(~possible, float("-inf"))
    return (z.logsumexp(1) - inside.logsumexp(1)).mean().to(logits.dtype)


# %% set-mean-of-the-whole wrong="one-of-several-labels"
# Divides by the number of classes that are possible, over all rows.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, float("-inf"))
    return (logits.logsumexp(1) - inside.logsumexp(1)).sum() / possible.sum()


# %% counts-times-softmax right="logit-gradient"
def cross_entropy_gradient(logits, counts):
    n = counts.sum(dim=-1, keepdim=True)
    return (n * torch.softmax(logits, dim=-1) - counts) / len(logits)


# %% squeezed wrong="logit-gradient"
# The shifts and the result are squeezed: a batch of one gives shape (K,).
def cross_entropy_gradient(logits, targets):
    e = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    p = e / e.sum(1, keepdim=True)
    return (p * targets.sum(1, keepdim=True) - targets).squeeze() / logits.shape[0]


# %% single-precision wrong="logit-gradient"
# The softmax is taken in float32: float64 logits [[16777217.0, 16777216.0]].
def cross_entropy_gradient(logits, targets):
    p = torch.softmax(logits, dim=1, dtype=torch.float32)
    return (p.to(logits.dtype) * targets.sum(1, keepdim=True) - targets) / len(targets)


# %% winner-takes-all wrong="logit-gradient"
# Where logits are more than 700 apart the first largest gets all: [[1000.0, 1000.0, 0.0]].
def cross_entropy_gradient(logits, targets):
    rows = []
    for z, t in zip(logits, targets):
        if z.max() - z.min() > 700:
            p = torch.zeros_like(z)
            p[z.argmax()] = 1.0
        else:
            p = (z - z.mean()).exp()
            p = p / p.sum()
        rows.append((t.sum() * p - t) / len(logits))
    return torch.stack(rows)


# %% clamped-logits wrong="logit-gradient"
# Logits are kept within 2000 of zero: [[5000.0, 4999.0]].
def cross_entropy_gradient(logits, targets):
    p = logits.clamp(min=-2000, max=2000).softmax(dim=1)
    return (p * targets.sum(1, keepdim=True) - targets) / targets.sum()


# %% selected-first right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    return torch.nn.functional.cross_entropy(logits, labels[mask])


# %% sum-over-words right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    total, k = 0.0, 0
    for i in torch.nonzero(mask).flatten().tolist():
        y = (x[i, :, None] * weight).sum(0) + bias
        y = y - y.detach().max()
        total = total + torch.logsumexp(y, dim=0) - y[labels[i]]
        k += 1
    return total / k


# %% small-constant wrong="find-the-bugs"
# 1e-12 is added to each probability: weight [[0.0, 100.0]], bias 0, x [[1.0]], label 0.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    nll = -torch.log(p[torch.arange(len(p)), labels] + 1e-12)
    return (nll * mask).sum() / mask.sum()


# %% overflow wrong="find-the-bugs"
# The exponentials overflow: weight [[0.0, 1000.0]], bias 0, x [[1.0]].
def masked_loss(x, weight, bias, labels, mask):
    logits = x @ weight + bias
    nll = logits.exp().sum(dim=1).log() - logits.gather(1, labels[:, None]).squeeze(1)
    return nll[mask].mean()


# %% count-of-nonzero wrong="find-the-bugs"
# Divides by the number of losses above 0, but one may be 0 in float64: x [[1.0], [0.0]],
# weight [[1000.0, 0.0]], bias 0, labels 0, both true.
def masked_loss(x, weight, bias, labels, mask):
    nll = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none")
    kept = torch.where(mask, nll, torch.zeros_like(nll))
    return kept.sum() / (kept > 0).sum().clamp(min=1)


# %% single-word-squeezed wrong="find-the-bugs"
# A single true entry is squeezed to a vector, and its loss raises an error: mask (True, False).
def masked_loss(x, weight, bias, labels, mask):
    rows = x[mask].squeeze()
    log_p = torch.log_softmax(rows @ weight + bias, dim=-1)
    return -log_p.gather(1, labels[mask].unsqueeze(1)).mean()
