# %% [markdown]
# Answers written from the text alone.


# %% only-generator-with-finally right="only-dropout"
# Remembers every module's flag, sets the flags directly, and restores them in a finally.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% only-class-with-exit right="only-dropout"
# A class: __exit__ sorts the modules back into those that trained and the others.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.training, self.evaluating = [], []
        for module in self.net.modules():
            (self.training if module.training else self.evaluating).append(module)
            module.training = False
        for module in self.training + self.evaluating:
            if isinstance(module, nn.Dropout) or isinstance(module, nn.Dropout1d):
                module.training = True
        return self.net

    def __exit__(self, kind, error, trace):
        for module in self.training:
            module.training = True
        for module in self.evaluating:
            module.training = False
        return False


# %% only-forgets-dropout1d wrong="only-dropout"
# Looks for nn.Dropout and its subclasses only: an nn.Dropout1d stays in evaluation mode.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, nn.Dropout)
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% only-restores-one-level wrong="only-dropout"
# Restores net and its children with train(mode): a module two levels deep that was frozen alone
# has the mode of its parent afterwards.
@contextlib.contextmanager
def only_dropout(net):
    mode = net.training
    modes = [(child, child.training) for child in net.children()]
    net.eval()
    for module in net.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()
    try:
        yield
    finally:
        net.train(mode)
        for child, child_mode in modes:
            child.train(child_mode)


# %% only-except-exception wrong="only-dropout"
# Catches Exception only: after a KeyboardInterrupt in the block, nothing is restored.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]

    def restore():
        for module, mode in before:
            module.training = mode

    for module, _ in before:
        module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
    try:
        yield
    except Exception:
        restore()
        raise
    restore()


# %% only-swallows-errors wrong="only-dropout"
# __exit__ returns a true value, so an exception from the block never reaches the caller.
class only_dropout:
    def __init__(self, net):
        self.modules = list(net.modules())

    def __enter__(self):
        self.before = [module.training for module in self.modules]
        for module in self.modules:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        return self

    def __exit__(self, *error):
        for module, mode in zip(self.modules, self.before, strict=True):
            module.training = mode
        return True


# %% functions-matrix-product right="dropout-functions"
# The masks scale v, and one matrix product sums over the hidden units.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(v.dtype) / (1 - p)
    hidden = torch.relu(b + x @ W)
    return (z * v) @ hidden.T


# %% functions-one-by-one right="dropout-functions"
# Each function by itself, from the units that its mask keeps.
def dropout_functions(x, W, b, v, p, u):
    rows = []
    for mask in u:
        kept = ~(mask < p)
        hidden = torch.relu(x @ W[:, kept] + b[kept])
        rows.append((hidden * v[kept]).sum(dim=1) / (1 - p))
    return torch.stack(rows)


# %% functions-scale-capped wrong="dropout-functions"
# Divides by at least 0.01 "for stability": wrong for p above 0.99.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(v.dtype) / max(1 - p, 0.01)
    hidden = torch.relu(b + x @ W)
    return (z * v) @ hidden.T


# %% functions-no-gradient-of-v wrong="dropout-functions"
# Masks the output weights under no_grad: the gradients of W and b flow, that of v is lost.
def dropout_functions(x, W, b, v, p, u):
    with torch.no_grad():
        thinned = torch.where(u < p, torch.zeros_like(u), v / (1 - p))
    return thinned @ torch.relu(b + x @ W).T


# %% functions-one-feature-only wrong="dropout-functions"
# Broadcasts x * W in place of a matrix product: right for d = 1 only.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(v.dtype) / (1 - p)
    hidden = torch.relu(b + x * W)
    return torch.einsum("th,h,nh->tn", z, v, hidden)


# %% functions-squeezed wrong="dropout-functions"
# Squeezes the result: the shape is wrong for a single function or a single input.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(v.dtype) / (1 - p)
    hidden = torch.relu(b + x @ W)
    return (z[:, None, :] * hidden * v).matmul(torch.ones_like(v)[:, None]).squeeze()


# %% moments-scaled-products right="dropout-moments"
# The contributions h_j W_jk, times the deviation of z, as a matrix for each row: A^T A.
def dropout_moments(h, W, b, p):
    parts = math.sqrt(p / (1 - p)) * h[:, :, None] * W
    return h @ W + b, parts.transpose(1, 2) @ parts


# %% moments-unit-by-unit right="dropout-moments"
# The units are independent, so their rank-one covariances add up.
def dropout_moments(h, W, b, p):
    n, d = h.shape
    mean = b.repeat(n, 1)
    covariance = torch.zeros(n, len(b), len(b), dtype=h.dtype)
    for j in range(d):
        mean = mean + torch.outer(h[:, j], W[j])
        variance = h[:, j] ** 2 * p / (1 - p)
        covariance = covariance + variance[:, None, None] * torch.outer(W[j], W[j])
    return mean, covariance


# %% moments-raw-second-moment wrong="dropout-moments"
# Second moments minus products of means: cancellation for b = 1e6 and small h and W.
def dropout_moments(h, W, b, p):
    mean = h @ W + b
    d = h.shape[1]
    zz = torch.ones(d, d, dtype=h.dtype) + p / (1 - p) * torch.eye(d, dtype=h.dtype)
    parts = h[:, :, None] * W
    cross = (h @ W)[:, :, None] * b
    second = parts.transpose(1, 2) @ zz @ parts + cross + cross.transpose(1, 2)
    second = second + torch.outer(b, b)
    return mean, second - mean[:, :, None] * mean[:, None, :]


# %% moments-eps-in-denominator wrong="dropout-moments"
# Divides by 1 - p + 1e-8: one percent off for p = 1 - 1e-6.
def dropout_moments(h, W, b, p):
    ratio = p / (1 - p + 1e-8)
    covariance = ratio * torch.einsum("nj,jk,jl->nkl", h**2, W, W)
    return h @ W + b, covariance


# %% moments-two-outputs-only wrong="dropout-moments"
# Fills the diagonals and the covariance of outputs 0 and 1: all others are 0 for K above 2.
def dropout_moments(h, W, b, p):
    factor = p / (1 - p)
    covariance = torch.diag_embed(factor * h**2 @ W**2)
    if len(b) > 1:
        covariance[:, 0, 1] = factor * h**2 @ (W[:, 0] * W[:, 1])
        covariance[:, 1, 0] = covariance[:, 0, 1]
    return h @ W + b, covariance


# %% moments-one-row-squeezed wrong="dropout-moments"
# For a single row of activations the covariance has shape (K, K), not (1, K, K).
def dropout_moments(h, W, b, p):
    factor = p / (1 - p)
    covariance = torch.stack([W.T @ torch.diag(factor * row**2) @ W for row in h])
    return h @ W + b, covariance.squeeze(0)


# %% band-normal-quantile right="band-for-y"
# The standard library's quantile, torch's variance with divisor T, and the noise 1 / tau.
def band_for_y(passes, tau, level):
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    sd = torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    centre = passes.mean(dim=0)
    return centre - z * sd, centre + z * sd


# %% band-erfinv-by-hand right="band-for-y"
# Mean and variance summed pass by pass, the half width from erfinv in float64.
def band_for_y(passes, tau, level):
    T = len(passes)
    centre = sum(passes[t] for t in range(T)) / T
    spread = sum((passes[t] - centre) ** 2 for t in range(T)) / T
    variance = spread + torch.as_tensor(tau, dtype=passes.dtype).reciprocal()
    half = torch.erfinv(torch.tensor(level, dtype=torch.float64)) * torch.sqrt(2 * variance)
    return centre - half, centre + half


# %% band-average-precision wrong="band-for-y"
# Averages a tensor tau to one number: wrong if the precision differs between inputs.
def band_for_y(passes, tau, level):
    tau = torch.as_tensor(tau, dtype=passes.dtype).mean()
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=passes.dtype))
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    centre = passes.mean(dim=0)
    return centre - half, centre + half


# %% band-level-below-half wrong="band-for-y"
# Takes a level below 1/2 for the probability outside: wrong for a level of 0.2.
def band_for_y(passes, tau, level):
    outside = min(level, 1 - level)
    z = torch.special.ndtri(torch.tensor(1 - outside / 2, dtype=passes.dtype))
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    centre = passes.mean(dim=0)
    return centre - half, centre + half


# %% band-eps-in-precision wrong="band-for-y"
# Adds 1e-8 to tau: the width is half a percent too small for tau = 1e-6.
def band_for_y(passes, tau, level):
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=passes.dtype))
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / (tau + 1e-8))
    centre = passes.mean(dim=0)
    return centre - half, centre + half


# %% band-table-of-quantiles wrong="band-for-y"
# Knows a few usual levels and takes 1.96 for all others: wrong for a level of 0.8.
def band_for_y(passes, tau, level):
    table = {
        0.5: 0.6744897501960817,
        0.9: 1.6448536269514722,
        0.95: 1.959963984540054,
        0.99: 2.5758293035489004,
        0.999: 3.2905267314919255,
    }
    half = table.get(level, 1.96) * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    centre = passes.mean(dim=0)
    return centre - half, centre + half


# %% needed-from-variance right="passes-needed"
# The largest variance over the squared tolerance, rounded up, and at least 1.
def passes_needed(passes, tolerance):
    variance = passes.var(dim=0, correction=1)
    error = torch.sqrt(variance / len(passes))
    needed = max(1, math.ceil(variance.max().item() / tolerance**2))
    return error, needed


# %% needed-by-bisection right="passes-needed"
# Deviations by hand, and bisection for the first number of passes that is enough.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    deviations = passes - passes.mean(dim=0, keepdim=True)
    sd = torch.sqrt((deviations**2).sum(dim=0) / (T - 1))
    worst = sd.max().item()
    low, high = 0, 1  # low is not enough, high becomes enough
    while worst / math.sqrt(high) > tolerance:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if worst / math.sqrt(middle) > tolerance:
            low = middle
        else:
            high = middle
    return sd / math.sqrt(T), high


# %% needed-mean-of-squares wrong="passes-needed"
# Mean of squares minus squared mean: cancellation for passes near 1e6 that differ by 0.001.
def passes_needed(passes, tolerance):
    T = len(passes)
    variance = (passes**2).mean(dim=0) - passes.mean(dim=0) ** 2
    variance = variance.clamp(min=0) * T / (T - 1)
    error = torch.sqrt(variance / T)
    return error, max(1, math.ceil(variance.max().item() / tolerance**2))


# %% needed-at-first-input wrong="passes-needed"
# Looks at the first input only: too few passes if another input varies more.
def passes_needed(passes, tolerance):
    variance = passes.var(dim=0)
    error = (variance / len(passes)).sqrt()
    return error, max(1, math.ceil(float(variance[0]) / tolerance**2))


# %% needed-search-stops-early wrong="passes-needed"
# Searches up to 10000 passes only: wrong if more are needed, up to a million.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0)
    worst = sd.max().item()
    needed = 1
    while worst / math.sqrt(needed) > tolerance and needed < 10_000:
        needed += 1
    return sd / math.sqrt(len(passes)), needed


# %% needed-eps-in-tolerance wrong="passes-needed"
# Adds 1e-8 to the tolerance: two percent too few for a tolerance of 1e-6, as with 500000.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0)
    needed = math.ceil((sd.max().item() / (tolerance + 1e-8)) ** 2)
    return sd / math.sqrt(len(passes)), max(needed, 1)


# %% logs-log-softmax-logsumexp right="mc-log-probabilities"
# log_softmax over the classes, logsumexp over the passes, minus log T.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])


# %% logs-logaddexp-pass-by-pass right="mc-log-probabilities"
# Shifts each pass by its largest logit and adds the passes up with logaddexp.
def mc_log_probabilities(logits):
    total = None
    for z in logits:
        shifted = z - z.detach().amax(dim=-1, keepdim=True)
        log_p = shifted - torch.log(torch.exp(shifted).sum(dim=-1, keepdim=True))
        total = log_p if total is None else torch.logaddexp(total, log_p)
    return total - math.log(len(logits))


# %% logs-clamped-logits wrong="mc-log-probabilities"
# Clamps the logits to a million in size: wrong for logits of 1e9, which the text allows.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.clamp(-1e6, 1e6), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])


# %% logs-divides-by-inputs wrong="mc-log-probabilities"
# Subtracts log n in place of log T: wrong unless there are as many inputs as passes.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[1])


# %% logs-where-after-log wrong="mc-log-probabilities"
# Repairs log(0) with where afterwards: the values are right, but gradients of logits like 1000
# are nan, as 0 is divided by 0 in the branch that was not taken.
def mc_log_probabilities(logits):
    plain = torch.softmax(logits, dim=-1).mean(dim=0)
    log_p = torch.log_softmax(logits, dim=-1)
    stable = torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])
    return torch.where(plain > 1e-100, torch.log(plain), stable)


# %% logs-squeezed wrong="mc-log-probabilities"
# Squeezes the result: for one input the shape is (K,), not (1, K).
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    summed = torch.logsumexp(log_p, dim=0, keepdim=True)
    return (summed - math.log(logits.shape[0])).squeeze()
