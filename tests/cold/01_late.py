# %% [markdown]
# Answers written from the text alone.


# %% gaussian-by-hand right="gaussian-nll"
# Standardises, adds log sigma to half the square, averages, and adds the constant.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
    z = (y - mu) / sigma
    return (0.5 * z * z + torch.log(sigma)).mean() + 0.5 * math.log(2 * math.pi)


# %% gaussian-library right="gaussian-nll"
# Expands both parameters to the shape of y and asks torch.distributions.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype, device=y.device)
    sigma = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
    if mu.dim() != 0 and tuple(mu.shape) != tuple(y.shape):
        raise ValueError("mu must have the shape of y")
    model = torch.distributions.Normal(mu.expand(y.shape), sigma.expand(y.shape))
    return -model.log_prob(y).mean()


# %% gaussian-log-scale-over-n wrong="gaussian-nll"
# Divides the sum of log sigma by the number of targets; for a sigma that is a 0-d tensor that
# sum has one term only, so that the result (and the gradient) is wrong.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    z = (y - mu) / sigma
    if torch.is_tensor(sigma):
        log_scale = torch.log(sigma).sum() / y.numel()
    else:
        log_scale = math.log(sigma)
    return 0.5 * (z**2).mean() + log_scale + 0.5 * math.log(2 * math.pi)


# %% gaussian-ready-made-epsilon wrong="gaussian-nll"
# Uses PyTorch's loss, which lifts variances to 1e-6; wrong for sigma below 1e-3, e.g. 1e-5.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    if mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    mu, var = mu.expand(y.shape), sigma.expand(y.shape) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True)


# %% gaussian-counts-dimensions wrong="gaussian-nll"
# Compares only the number of dimensions; mu of shape (1,) with y of shape (n,), or (1, k) with
# (n, k), broadcasts where ValueError is due.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.dim() != y.dim():
        raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z**2 + sigma.log()).mean() + 0.5 * math.log(2 * math.pi)


# %% gaussian-single-mean-as-number wrong="gaussian-nll"
# Turns a 0-d mu into a Python number; the value is right, but no gradient reaches that mu.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu):
        if mu.dim() == 0:
            mu = mu.item()
        elif mu.shape != y.shape:
            raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (0.5 * z**2 + sigma.log()).mean() + 0.5 * math.log(2 * math.pi)


# %% gaussian-sums-features wrong="gaussian-nll"
# Averages over the first axis and sums the others; for y of shape (n, k) the result is k times
# too large.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.dim() > 0 and mu.shape != y.shape:
        raise ValueError("mu must have the shape of y")
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    each = 0.5 * z**2 + sigma.log() + 0.5 * math.log(2 * math.pi)
    return each.mean(dim=0).sum()


# %% laplace-sorted right="laplace-mle"
# Sorts, takes the mean of the two middle values (the same one if n is odd), then of distances.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(ordered)
    mu = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return mu, (y - mu).abs().mean()


# %% laplace-two-medians right="laplace-mle"
# torch.median gives the lower middle value; minus that of -y is the upper one.
def laplace_mle(y):
    low = torch.median(y)
    high = -torch.median(-y)
    mu = low + (high - low) / 2
    return mu, torch.nn.functional.l1_loss(y, mu.expand_as(y))


# %% laplace-unique-values wrong="laplace-mle"
# Sorts by torch.unique, which drops repeated values; wrong for ties: [1, 1, 1, 5, 9].
def laplace_mle(y):
    ordered = torch.unique(y)
    n = len(ordered)
    mu = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return mu, (y - mu).abs().mean()


# %% laplace-forgets-the-middle wrong="laplace-mle"
# Averages only the distances that are not 0; for an odd n the median itself is missing from n,
# and b is too large (nan for n = 1).
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(ordered)
    mu = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    distance = (y - mu).abs()
    return mu, distance[distance > 0].mean()


# %% laplace-smallest-scale wrong="laplace-mle"
# Keeps b at 1e-6 at least; wrong for data as close together as [1e-8, 3e-8].
def laplace_mle(y):
    mu = torch.quantile(y, 0.5)
    return mu, (y - mu).abs().mean().clamp(min=1e-6)


# %% laplace-difference-of-sums wrong="laplace-mle"
# Subtracts the sum of the lower half from that of the upper half, which cancels for data far
# from 0: float32 near 1e6 with distances of 0.5, or float64 near 1e9 with distances of 1e-5.
def laplace_mle(y):
    ordered = torch.sort(y).values
    n = len(ordered)
    mu = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    upper, lower = ordered[(n + 1) // 2 :], ordered[: n // 2]
    return mu, (upper.sum() - lower.sum()) / n


# %% laplace-single-precision wrong="laplace-mle"
# Converts to float32 first and back at the end; float64 data near 1e8 that differ by 1 lose
# their differences.
def laplace_mle(y):
    ordered = torch.sort(y.float()).values
    n = len(ordered)
    mu = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    b = (ordered - mu).abs().mean()
    return mu.to(y.dtype), b.to(y.dtype)


# %% bce-two-softplus right="bce-from-logits"
# -log p is softplus(-z) and -log(1 - p) is softplus(z); both are weighted by the target.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


# %% bce-two-classes right="bce-from-logits"
# A softmax over the two logits 0 and z, with the soft target as weights.
def bce_from_logits(z, y):
    log_p = torch.log_softmax(torch.stack([torch.zeros_like(z), z], dim=-1), dim=-1)
    target = torch.stack([1 - y, y], dim=-1)
    return -(target * log_p).sum(dim=-1).mean()


# %% bce-where-overflows wrong="bce-from-logits"
# Chooses between two formulas by torch.where; the value is right, but the branch not chosen
# overflows, and the gradient at z = 800 (float64) is nan.
def bce_from_logits(z, y):
    def soft(x):
        return torch.where(x > 0, x + torch.log1p(torch.exp(-x)), torch.log1p(torch.exp(x)))

    return (y * soft(-z) + (1 - y) * soft(z)).mean()


# %% bce-divides-by-length wrong="bce-from-logits"
# Divides the sum by the length of the first axis; wrong for logits of shape (n, k).
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    return (y * softplus(-z) + (1 - y) * softplus(z)).sum() / len(z)


# %% bce-linear-too-early wrong="bce-from-logits"
# Takes softplus for linear beyond 6; for z = 6.5 and y = 0 the value is wrong by 1.5e-3.
def bce_from_logits(z, y):
    softplus = torch.nn.functional.softplus
    each = y * softplus(-z, threshold=6) + (1 - y) * softplus(z, threshold=6)
    return each.mean()


# %% bce-clamped-logits wrong="bce-from-logits"
# Clamps the logits to 10000; for z = 50000 and y = 0 the loss is 10000, its gradient 0.
def bce_from_logits(z, y):
    logsigmoid = torch.nn.functional.logsigmoid
    z = z.clamp(-1e4, 1e4)
    return -(y * logsigmoid(z) + (1 - y) * logsigmoid(-z)).mean()


# %% bce-single-precision wrong="bce-from-logits"
# Computes in float32 whatever comes in; the result for float64 has float32, and finite logits
# such as 1e40 become infinite.
def bce_from_logits(z, y):
    logsigmoid = torch.nn.functional.logsigmoid
    z, y = z.float(), y.float()
    return -(y * logsigmoid(z) + (1 - y) * logsigmoid(-z)).mean()


# %% sets-difference right="one-of-several-labels"
# The logsumexp of all logits less the one of those in the set.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, dim=-1) - torch.logsumexp(inside, dim=-1)).mean()


# %% sets-row-by-row right="one-of-several-labels"
# Picks the log-probabilities of each row's set and adds the probabilities, row by row.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=-1)
    losses = [-torch.logsumexp(row[inside], dim=0) for row, inside in zip(log_p, possible)]
    return torch.stack(losses).mean()


# %% sets-filled-with-a-million wrong="one-of-several-labels"
# Fills the classes outside with -1e6, which is a logit that occurs: logits [0, -1e6] with the
# set {1} give a loss that is too small by log 2 and a gradient of half the size.
def set_nll(logits, possible):
    inside = torch.where(possible, logits, torch.full_like(logits, -1e6))
    return (torch.logsumexp(logits, -1) - torch.logsumexp(inside, -1)).mean()


# %% sets-skips-the-unknown wrong="one-of-several-labels"
# Leaves rows whose set holds all classes out of the mean, where they count with loss 0; wrong
# for a batch with such a row (nan if there is no other).
def set_nll(logits, possible):
    known = ~possible.all(dim=-1)
    logits, possible = logits[known], possible[known]
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, -1) - torch.logsumexp(inside, -1)).mean()


# %% sets-where-after-exp wrong="one-of-several-labels"
# Masks after the exponential, which overflows outside the set; the value is right, but the
# gradient is nan if a class outside is more than 710 above the set.
def set_nll(logits, possible):
    top = logits.detach().masked_fill(~possible, -math.inf).amax(dim=-1, keepdim=True)
    inside = torch.where(possible, torch.exp(logits - top), torch.zeros_like(logits))
    log_inside = torch.log(inside.sum(dim=-1)) + top.squeeze(-1)
    return (torch.logsumexp(logits, dim=-1) - log_inside).mean()


# %% sets-first-row-decides wrong="one-of-several-labels"
# Looks at the first row to see whether labels are ordinary; wrong for a batch whose first set
# has one class and another one several.
def set_nll(logits, possible):
    if possible[0].sum() == 1:
        labels = possible.to(torch.int64).argmax(dim=-1)
        return torch.nn.functional.cross_entropy(logits, labels)
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, -1) - torch.logsumexp(inside, -1)).mean()


# %% sets-two-largest wrong="one-of-several-labels"
# Adds only the two likeliest classes of the set; wrong for sets of three or more.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=-1).masked_fill(~possible, -math.inf)
    best = torch.topk(log_p, 2, dim=-1).values
    return -torch.logaddexp(best[:, 0], best[:, 1]).mean()


# %% gradient-closed-form right="logit-gradient"
# The softmax times the row's sum of counts, less the counts, over n.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=-1)
    return (p * counts.sum(dim=-1, keepdim=True) - counts) / len(logits)


# %% gradient-off-diagonal right="logit-gradient"
# Class k gains p_k from the counts of all other classes and loses c_k times their probability.
def cross_entropy_gradient(logits, counts):
    n, classes = logits.shape
    p = torch.exp(torch.log_softmax(logits, dim=1))
    others = 1 - torch.eye(classes, dtype=logits.dtype, device=logits.device)
    return (p * (counts @ others) - counts * (p @ others)) / n


# %% gradient-labelled-only wrong="logit-gradient"
# Divides by the number of inputs that have counts; wrong if a row of counts sums to 0.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=-1, keepdim=True)
    n = (total > 0).sum().clamp(min=1)
    return (torch.softmax(logits, dim=-1) * total - counts) / n


# %% gradient-nan-to-one wrong="logit-gradient"
# Replaces the nan of inf / inf by probability 1; wrong for a row with two logits above 710, such
# as [800, 801, 0], or with all logits below -750.
def cross_entropy_gradient(logits, counts):
    e = torch.exp(logits)
    p = torch.nan_to_num(e / e.sum(dim=-1, keepdim=True), nan=1.0)
    return (p * counts.sum(dim=-1, keepdim=True) - counts) / len(logits)


# %% gradient-squeezed wrong="logit-gradient"
# Multiplies by the Jacobian in a batched product and squeezes every axis of length 1; for n = 1
# the result has shape (K,).
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=-1)
    jacobian = torch.diag_embed(torch.ones_like(p)) - p.unsqueeze(-1)
    return -(jacobian @ counts.unsqueeze(-1)).squeeze() / len(logits)


# %% gradient-single-softmax wrong="logit-gradient"
# Takes the softmax in float32; the result has float64, but for counts of a million, or for
# logits near 1e8 that differ by 1, it is wrong.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=-1, dtype=torch.float32).to(logits.dtype)
    return (p * counts.sum(dim=-1, keepdim=True) - counts) / len(logits)


# %% gradient-shifts-in-place wrong="logit-gradient"
# Subtracts the maximum in place where logits are large: the result is right, but the caller's
# logits are changed if one of them exceeds 80 in size.
def cross_entropy_gradient(logits, counts):
    if logits.abs().max() > 80:
        logits -= logits.amax(dim=-1, keepdim=True)
    e = torch.exp(logits)
    p = e / e.sum(dim=-1, keepdim=True)
    return (p * counts.sum(dim=-1, keepdim=True) - counts) / logits.shape[0]


# %% masked-select-first right="find-the-bugs"
# Selects the real examples first and hands their logits to cross_entropy.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy(x[mask] @ weight + bias, labels[mask])


# %% masked-where-and-count right="find-the-bugs"
# Computes all losses by logsumexp, sets those of the padding to 0, and divides by the count.
def masked_loss(x, weight, bias, labels, mask):
    logits = x @ weight + bias
    picked = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    loss = torch.logsumexp(logits, dim=1) - picked
    return torch.where(mask, loss, torch.zeros_like(loss)).sum() / mask.sum()


# %% masked-one-example wrong="find-the-bugs"
# Squeezes the indices of the real examples; with a single one the logits have one dimension and
# dim=1 raises IndexError.
def masked_loss(x, weight, bias, labels, mask):
    real = mask.nonzero().squeeze()
    log_p = torch.log_softmax(x[real] @ weight + bias, dim=1)
    return torch.nn.functional.nll_loss(log_p, labels[real])


# %% masked-counts-nonzero wrong="find-the-bugs"
# Divides by the number of losses that are not 0; a real example whose loss rounds to 0 (logits
# [1000, 0, 0], label 0) is not counted.
def masked_loss(x, weight, bias, labels, mask):
    logits = x @ weight + bias
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none") * mask
    return loss.sum() / torch.count_nonzero(loss)


# %% masked-guesses-classes wrong="find-the-bugs"
# Lets one_hot guess K from the labels; if the last class does not occur among them, the shapes
# do not fit (or broadcast, if all labels are 0).
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=1)
    target = torch.nn.functional.one_hot(labels)
    loss = -(target * log_p).sum(dim=1)
    return loss[mask].mean()


# %% masked-global-maximum wrong="find-the-bugs"
# Subtracts the largest logit of the whole batch, padding included; a real row that lies 1000
# below a padded one gives an infinite loss.
def masked_loss(x, weight, bias, labels, mask):
    logits = x @ weight + bias
    logits = logits - logits.detach().max()
    log_p = logits - torch.log(torch.exp(logits).sum(dim=1, keepdim=True))
    loss = -log_p[torch.arange(len(labels)), labels]
    return loss[mask].mean()


# %% masked-where-log-zero wrong="find-the-bugs"
# Repairs small probabilities by torch.where; the value is right, but the gradient is nan where
# the label's probability is 0 in float64 (its logit 800 below another).
def masked_loss(x, weight, bias, labels, mask):
    logits = x[mask] @ weight + bias
    index = labels[mask].unsqueeze(1)
    p = torch.softmax(logits, dim=1).gather(1, index).squeeze(1)
    far = torch.logsumexp(logits, dim=1) - logits.gather(1, index).squeeze(1)
    return torch.where(p > 1e-30, -torch.log(p), far).mean()
