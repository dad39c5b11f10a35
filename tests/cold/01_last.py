# %% [markdown]
# Answers written from the text alone.


# %% gaussian-by-terms right="gaussian-nll"
# The three terms, divided by the number of elements before they are summed.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError(f"mu has shape {tuple(mu.shape)}, y has {tuple(y.shape)}")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    nll = 0.5 * z * z + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    return (nll / nll.numel()).sum()


# %% gaussian-by-library right="gaussian-nll"
# PyTorch's Normal with both parameters in the precision of y.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    if mu.dim() and mu.size() != y.size():
        raise ValueError("mu and y differ in shape")
    scale = torch.as_tensor(sigma, dtype=y.dtype)
    log_prob = torch.distributions.Normal(mu, scale).log_prob(y)
    return -(log_prob / log_prob.numel()).sum()


# %% gaussian-variance-floor wrong="gaussian-nll"
# PyTorch's ready loss keeps the variance above 1e-6: wrong for every sigma below 1e-3.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    mu = torch.as_tensor(mu, dtype=y.dtype).expand_as(y)
    variance = torch.as_tensor(sigma, dtype=y.dtype).expand_as(y) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, variance, full=True)


# %% gaussian-dimensions-only wrong="gaussian-nll"
# Compares the numbers of dimensions: mu of shape (1,) with y of shape (3,) raises nothing.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim > 0 and mu.ndim != y.ndim:
        raise ValueError("mu and y differ in shape")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).mean()


# %% gaussian-constant-logarithm wrong="gaussian-nll"
# Takes a single sigma's logarithm with math: the gradient for a 0-d sigma misses 1 / sigma.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    single = not isinstance(sigma, torch.Tensor) or sigma.ndim == 0
    log_sigma = math.log(sigma) if single else torch.log(sigma)
    return (0.5 * ((y - mu) / sigma) ** 2 + log_sigma + 0.5 * math.log(2 * math.pi)).mean()


# %% gaussian-mean-of-rows wrong="gaussian-nll"
# Divides by the number of rows: wrong for y of shape (n, m) with m > 1.
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim > 0 and mu.shape != y.shape:
        raise ValueError("mu and y differ in shape")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    nll = 0.5 * ((y - mu) / sigma) ** 2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    return nll.sum() / len(y)


# %% laplace-sorted right="laplace-mle"
# The midpoint of the middle values of the sorted data, and the mean absolute deviation from it.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-two-medians right="laplace-mle"
# PyTorch's median is the lower one; that of the negated data gives the upper one.
def laplace_mle(y):
    lower, upper = y.median(), -(-y).median()
    mu = lower + (upper - lower) / 2
    return mu, torch.linalg.vector_norm(y - mu, ord=1) / y.numel()


# %% laplace-unique wrong="laplace-mle"
# Sorts with unique, which drops ties: the data 1, 1, 1, 5, 9 get the location 5.
def laplace_mle(y):
    ordered = torch.unique(y)
    n = len(ordered)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% laplace-trimmed wrong="laplace-mle"
# Trims both ends by a slice that is empty where nothing is to trim: nan for n = 1 and n = 2.
def laplace_mle(y):
    cut = (len(y) - 1) // 2
    mu = torch.sort(y).values[cut:-cut].mean()
    return mu, (y - mu).abs().mean()


# %% laplace-single-precision wrong="laplace-mle"
# Finds the location in float32: for the float64 data 1e9 + (1, 2, 30) b is far off.
def laplace_mle(y):
    mu = torch.quantile(y.float(), 0.5)
    return mu, (y - mu).abs().mean()


# %% laplace-scale-floor wrong="laplace-mle"
# Keeps b above 0.001: wrong for n = 1, for equal values and for data closer than that.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean().clamp(min=1e-3)


# %% bce-two-softplus right="bce-from-logits"
# Each class's NLL is a softplus; the targets weigh them.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    loss = (1 - y) * softplus(z) + y * softplus(-z)
    return (loss / loss.numel()).sum()


# %% bce-by-sign right="bce-from-logits"
# The size of the logit times the weight of the class it speaks against, plus log1p(exp(-size)).
def bce_from_logits(z, y):
    positive = z >= 0
    size = torch.where(positive, z, -z)
    against = torch.where(positive, 1 - y, y)
    loss = against * size + torch.log1p(torch.exp(-size))
    return (loss / loss.numel()).sum()


# %% bce-clamped-logits wrong="bce-from-logits"
# Clamps logits at ten thousand: value and gradient are wrong for z = 1e6 with y = 0.
def bce_from_logits(z, y):
    z = z.clamp(-1e4, 1e4)
    softplus = torch.nn.functional.softplus
    return ((1 - y) * softplus(z) + y * softplus(-z)).mean()


# %% bce-gradient-through-where wrong="bce-from-logits"
# Values are right, but for z = 800 exp overflows in the branch not taken: the gradient is nan.
def bce_from_logits(z, y):
    def softplus(a):
        return torch.where(a > 30, a, torch.log1p(torch.exp(a)))

    return ((1 - y) * softplus(z) + y * softplus(-z)).mean()


# %% bce-mean-of-rows wrong="bce-from-logits"
# Divides by the number of rows: wrong for logits of shape (n, m) with m > 1.
def bce_from_logits(z, y):
    log_p, log_q = torch.nn.functional.logsigmoid(z), torch.nn.functional.logsigmoid(-z)
    return -(y * log_p + (1 - y) * log_q).sum() / len(z)


# %% bce-early-hinge wrong="bce-from-logits"
# Takes the softplus as a hinge beyond 8: z = -9 with y = 0 gives 0 in place of 1.2e-4.
def bce_from_logits(z, y):
    def softplus(a):
        near = torch.nn.functional.softplus(a)
        return torch.where(a.abs() > 8, torch.relu(a), near)

    return ((1 - y) * softplus(z) + y * softplus(-z)).mean()


# %% set-masked-logsumexp right="one-of-several-labels"
# The log of the total less the log of the set's part, with the other classes at -inf.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% set-row-by-row right="one-of-several-labels"
# Row by row, the logsumexp of the log-probabilities that the set picks.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    losses = [-torch.logsumexp(row[chosen], dim=0) for row, chosen in zip(log_p, possible)]
    return torch.stack(losses).mean()


# %% set-finite-stand-in wrong="one-of-several-labels"
# Fills with -10000, which is not small beside logits such as -50000 and -50001.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -1e4)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% set-gradient-through-where wrong="one-of-several-labels"
# Right values, but a class outside the set that leads by 1000 overflows: its gradient is nan.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    top = inside.detach().amax(dim=1, keepdim=True)
    terms = torch.where(possible, torch.exp(logits - top), torch.zeros_like(logits))
    log_inside = torch.log(terms.sum(dim=1)) + top.squeeze(1)
    return (torch.logsumexp(logits, dim=1) - log_inside).mean()


# %% set-full-rows-dropped wrong="one-of-several-labels"
# Leaves rows whose set holds all classes out of the mean; they count, with a loss of 0.
def set_nll(logits, possible):
    informative = ~possible.all(dim=1)
    if not informative.any():
        return 0.0 * logits.sum()
    logits, possible = logits[informative], possible[informative]
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% set-two-classes wrong="one-of-several-labels"
# Adds only the two most probable classes of a set: wrong for sets of three or more.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1).masked_fill(~possible, -math.inf)
    first, second = log_p.topk(2, dim=1).values.unbind(dim=1)
    return -torch.logaddexp(first, second).mean()


# %% gradient-total-times-softmax right="logit-gradient"
# The row's total count times the softmax, less the counts, over n.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    return (total * torch.softmax(logits, dim=1) - counts) / logits.shape[0]


# %% gradient-in-pairs right="logit-gradient"
# Each class's probability times the others' counts, less its count times their probabilities.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    p = weights / weights.sum(dim=1, keepdim=True)
    n, k = logits.shape
    others = 1 - torch.eye(k, dtype=logits.dtype)
    return (p * (counts @ others) - counts * (p @ others)) / n


# %% gradient-labelled-only wrong="logit-gradient"
# Divides by the number of labelled inputs: wrong as soon as one row of counts is all 0.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    n = (total > 0).sum().clamp(min=1)
    return (total * torch.softmax(logits, dim=1) - counts) / n


# %% gradient-shares wrong="logit-gradient"
# Goes through the shares of the counts: 0 / 0 gives nan in a row of counts that is all 0.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    share = counts / total
    return total * (torch.softmax(logits, dim=1) - share) / len(logits)


# %% gradient-clamped-logits wrong="logit-gradient"
# Clamps logits at 700 against overflow: the logits 1000 and 900 get the same probability.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits.clamp(-700, 700))
    p = weights / weights.sum(dim=1, keepdim=True)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)


# %% gradient-single-precision wrong="logit-gradient"
# Softmax in float32: for the float64 logits 1e9 + (0, 1, 2) all classes become equal.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1, dtype=torch.float32).to(logits.dtype)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)


# %% masked-rows-selected right="find-the-bugs"
# Selects the real examples first and hands their logits to cross_entropy.
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    return torch.nn.functional.cross_entropy(logits, labels[mask])


# %% masked-sum-over-count right="find-the-bugs"
# All log-probabilities, those of the labels gathered; the real ones summed, over their count.
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=1)
    nll = -log_p.gather(1, labels[:, None]).squeeze(1)
    return torch.where(mask, nll, torch.zeros_like(nll)).sum() / mask.sum()


# %% masked-late-difference right="find-the-bugs"
# Written as wrong; right since the text asks for a millionth of the largest logit.
# Its reader's words:
# logsumexp less the label's logit cancels: two equal logits of 1e17 give 0, not log 2.
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    chosen = logits.gather(1, labels[mask][:, None]).squeeze(1)
    return (torch.logsumexp(logits, dim=1) - chosen).mean()


# %% masked-probability-floor wrong="find-the-bugs"
# Keeps probabilities above 1e-12: a label whose logit is 100 behind costs 27.6, not 100.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x[mask] @ weight + bias, dim=1)
    chosen = p[torch.arange(len(p)), labels[mask]]
    return -chosen.clamp(min=1e-12).log().mean()


# %% masked-single-example wrong="find-the-bugs"
# squeeze() makes a single index 0-d, which has no len(): breaks where one example is real.
def masked_loss(x, weight, bias, labels, mask):
    keep = mask.nonzero().squeeze()
    log_p = torch.log_softmax(x[keep] @ weight + bias, dim=-1)
    return -log_p[torch.arange(len(keep)), labels[keep]].mean()


# %% masked-global-maximum wrong="find-the-bugs"
# Shifts by the maximum of all rows: a row with logits 1000 below the largest gives inf or nan.
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    logits = logits - logits.max()
    chosen = logits.gather(1, labels[mask][:, None]).squeeze(1)
    return (torch.log(torch.exp(logits).sum(dim=1)) - chosen).mean()
