# %% [markdown]
# Answers written from the text alone.


# %% switch-generator right="only-dropout"
# Remembers the flag of every module, sets the flags one by one, and restores them in finally.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% switch-class right="only-dropout"
# A class: finds on entry which modules have to be flipped, and restores all flags on exit.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.modes = {module: module.training for module in self.net.modules()}
        for module, mode in self.modes.items():
            wanted = isinstance(module, nn.Dropout) or isinstance(module, nn.Dropout1d)
            if mode != wanted:
                module.training = wanted
        return self.net

    def __exit__(self, kind, error, trace):
        for module, mode in self.modes.items():
            module.training = mode
        return False


# %% switch-forgets-1d wrong="only-dropout"
# Looks for nn.Dropout alone: an nn.Dropout1d, or a subclass of it, stays switched off.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        module.training = isinstance(module, nn.Dropout)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% switch-restores-children wrong="only-dropout"
# Remembers net and its direct children only: a part frozen deeper down trains afterwards.
@contextlib.contextmanager
def only_dropout(net):
    root_mode = net.training
    children = [(child, child.training) for child in net.children()]
    for module in net.modules():
        module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
    try:
        yield
    finally:
        net.training = root_mode
        for child, mode in children:
            child.train(mode)


# %% switch-swallows-errors wrong="only-dropout"
# __exit__ returns True, so an exception from the block never reaches the caller.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.before = [(module, module.training) for module in self.net.modules()]
        for module, _ in self.before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))

    def __exit__(self, *error):
        for module, mode in self.before:
            module.training = mode
        return True


# %% switch-batchnorm-only wrong="only-dropout"
# Puts batch normalisation alone into evaluation mode: net itself, and layers such as nn.RReLU or
# a layer of one's own that looks at self.training, stay in training mode inside the block.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.training = True
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.training = False
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% switch-except-exception wrong="only-dropout"
# Restores after an Exception only: after a KeyboardInterrupt or SystemExit the modes stay wrong.
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


# %% functions-one-product right="dropout-functions"
# One matrix product of masked output weights and hidden activations.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% functions-loop right="dropout-functions"
# A loop over the functions: each keeps its units, for all inputs.
def dropout_functions(x, W, b, v, p, u):
    contributions = v * torch.relu(torch.nn.functional.linear(x, W.T, b))
    rows = []
    for draw in u:
        kept = contributions.masked_fill(draw < p, 0)
        rows.append(kept.sum(dim=1) / (1 - p))
    return torch.stack(rows)


# %% functions-eps wrong="dropout-functions"
# Adds 1e-8 to 1 - p against a division by zero: one percent off for p = 1 - 1e-6.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p + 1e-8)
    return (z * v) @ hidden.T


# %% functions-transposed-if-square wrong="dropout-functions"
# Transposes only if the shape is not (T, n) yet: for as many functions as inputs it returns
# the transpose.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p)
    values = hidden @ (z * v).T
    return values if values.shape == (u.shape[0], x.shape[0]) else values.T


# %% functions-no-gradient-for-v wrong="dropout-functions"
# Computes masks and output weights under no_grad: W and b get gradients, v gets none.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    with torch.no_grad():
        out = (u >= p).to(hidden.dtype) / (1 - p) * v
    return out @ hidden.T


# %% functions-weights-reshaped wrong="dropout-functions"
# Takes W for (H, d) as in nn.Linear and makes it fit by a reshape: right for d = 1 only.
def dropout_functions(x, W, b, v, p, u):
    weight = W.reshape(-1, x.shape[1])
    hidden = torch.relu(torch.nn.functional.linear(x, weight, b))
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% functions-squeezed wrong="dropout-functions"
# Squeezes the result: for one function or one input a dimension is missing.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return (z[:, None, :] * hidden[None] @ v[:, None]).squeeze()


# %% moments-einsum right="dropout-moments"
# Var z = p / (1 - p); the sum over the independent units in one einsum.
def dropout_moments(h, W, b, p):
    mean = h @ W + b
    covariance = p / (1 - p) * torch.einsum("nj,jk,jl->nkl", h**2, W, W)
    return mean, covariance


# %% moments-unit-by-unit right="dropout-moments"
# Adds the mean and the outer product of what each unit contributes, unit by unit.
def dropout_moments(h, W, b, p):
    n, d = h.shape
    mean = b.repeat(n, 1)
    covariance = torch.zeros(n, len(b), len(b), dtype=h.dtype)
    for j in range(d):
        part = h[:, j, None] * W[j]
        mean = mean + part
        covariance = covariance + part[:, :, None] * part[:, None, :] * (1 / (1 - p) - 1)
    return mean, covariance


# %% moments-neighbours wrong="dropout-moments"
# Fills the diagonal and its neighbours only: with three or more outputs the corners stay 0.
def dropout_moments(h, W, b, p):
    n, K = h.shape[0], W.shape[1]
    ratio = p / (1 - p)
    covariance = torch.zeros(n, K, K, dtype=h.dtype)
    for k in range(K):
        covariance[:, k, k] = ratio * (h**2) @ (W[:, k] ** 2)
        if k + 1 < K:
            cross = ratio * (h**2) @ (W[:, k] * W[:, k + 1])
            covariance[:, k, k + 1] = cross
            covariance[:, k + 1, k] = cross
    return h @ W + b, covariance


# %% moments-second-minus-square wrong="dropout-moments"
# E[y y'] - E[y] E[y]' over all masks, with b inside: cancels for b near 10^6 and small weights.
def dropout_moments(h, W, b, p):
    d = h.shape[1]
    keep = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=h.dtype)] * d).reshape(-1, d)
    kept = keep.sum(dim=1)
    prob = (1 - p) ** kept * float(p) ** (d - kept)
    mean, rows = h @ W + b, []
    for i in range(h.shape[0]):
        y = (keep / (1 - p) * h[i]) @ W + b
        rows.append((prob[:, None] * y).T @ y - torch.outer(mean[i], mean[i]))
    return mean, torch.stack(rows)


# %% moments-squeezed wrong="dropout-moments"
# Squeezes the covariance: for one row of activations, or one output, the shape is wrong.
def dropout_moments(h, W, b, p):
    scaled = math.sqrt(p / (1 - p)) * h[:, :, None] * W
    return h @ W + b, (scaled.transpose(1, 2) @ scaled).squeeze()


# %% moments-odds-below-one wrong="dropout-moments"
# Divides the smaller of p and 1 - p by the larger: the inverse of what is right for p > 1/2.
def dropout_moments(h, W, b, p):
    ratio = min(p, 1 - p) / max(p, 1 - p)
    return h @ W + b, ratio * torch.einsum("nj,jk,jl->nkl", h**2, W, W)


# %% moments-first-thousand-masks wrong="dropout-moments"
# Enumerates the masks, but at most 1024 of them: wrong for eleven or twelve units.
def dropout_moments(h, W, b, p):
    d = h.shape[1]
    codes = torch.arange(min(2**d, 1024))
    keep = ((codes[:, None] >> torch.arange(d)) & 1).to(h.dtype)
    kept = keep.sum(dim=1)
    prob = (1 - p) ** kept * float(p) ** (d - kept)
    rows = []
    for row in h:
        deviation = ((keep / (1 - p) - 1) * row) @ W
        rows.append((prob[:, None] * deviation).T @ deviation)
    return h @ W + b, torch.stack(rows)


# %% band-standard-library right="band-for-y"
# Variance of the passes plus 1 / tau, and the quantile from Python's statistics module.
def band_for_y(passes, tau, level):
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return centre - half, centre + half


# %% band-by-icdf right="band-for-y"
# Both ends as quantiles of a torch Normal whose variance is summed by hand.
def band_for_y(passes, tau, level):
    centre = passes.sum(dim=0) / passes.shape[0]
    noise = torch.ones_like(centre) / tau
    variance = ((passes - centre) ** 2).mean(dim=0) + noise
    normal = torch.distributions.Normal(centre, variance.sqrt())
    tail = torch.full_like(centre, (1 - level) / 2)
    lower = normal.icdf(tail)
    return lower, 2 * centre - lower


# %% band-average-tau wrong="band-for-y"
# Averages the precision to one number: wrong for a tensor tau whose entries differ.
def band_for_y(passes, tau, level):
    tau = float(torch.as_tensor(tau, dtype=torch.float64).mean())
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return centre - half, centre + half


# %% band-table-of-quantiles wrong="band-for-y"
# Takes the quantile of the nearest level in a small table: wrong for a level of 50% or 99.9%.
def band_for_y(passes, tau, level):
    from statistics import NormalDist

    nearest = min((0.8, 0.9, 0.95, 0.99), key=lambda known: abs(known - level))
    z = NormalDist().inv_cdf((1 + nearest) / 2)
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return centre - half, centre + half


# %% band-tau-bounded wrong="band-for-y"
# Lifts tau to a thousandth: the band is much too narrow for a tau of a millionth.
def band_for_y(passes, tau, level):
    tau = torch.as_tensor(tau, dtype=passes.dtype).clamp(min=1e-3)
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return centre - half, centre + half


# %% band-inverts-in-place wrong="band-for-y"
# Inverts the precision in place: a tensor tau of the caller holds variances afterwards.
def band_for_y(passes, tau, level):
    noise = torch.as_tensor(tau, dtype=passes.dtype).reciprocal_()
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + noise)
    return centre - half, centre + half


# %% band-one-input-squeezed wrong="band-for-y"
# Squeezes the ends: for a single input, n = 1, they are 0-d.
def band_for_y(passes, tau, level):
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    centre = passes.mean(dim=0)
    half = z * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return (centre - half).squeeze(), (centre + half).squeeze()


# %% needed-by-ceiling right="passes-needed"
# The largest variance over the squared tolerance, rounded up, and at least 1.
def passes_needed(passes, tolerance):
    variance = passes.var(dim=0, correction=1)
    error = torch.sqrt(variance / passes.shape[0])
    needed = math.ceil(float(variance.max()) / float(tolerance) ** 2)
    return error, max(1, needed)


# %% needed-by-bisection right="passes-needed"
# Deviations by hand; then halves the range in which the smallest sufficient number lies.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    centred = passes - passes[:1]
    centred = centred - centred.mean(dim=0)
    deviation = torch.sqrt((centred**2).sum(dim=0) / (T - 1))
    largest = float(deviation.max())
    low, high = 0, 1
    while largest / math.sqrt(high) > tolerance:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if largest / math.sqrt(middle) > tolerance:
            low = middle
        else:
            high = middle
    return deviation / math.sqrt(T), high


# %% needed-first-input wrong="passes-needed"
# Looks at the first input only: too few if another input has the largest deviation.
def passes_needed(passes, tolerance):
    variance = passes.var(dim=0, correction=1)
    error = torch.sqrt(variance / passes.shape[0])
    needed = math.ceil(float(variance[0]) / float(tolerance) ** 2)
    return error, max(1, needed)


# %% needed-mean-of-squares wrong="passes-needed"
# Mean of squares minus squared mean: passes near 10^6 with a deviation of 0.01 lose all digits.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    spread = (passes**2).mean(dim=0) - passes.mean(dim=0) ** 2
    variance = spread.clamp(min=0) * T / (T - 1)
    needed = math.ceil(float(variance.max()) / float(tolerance) ** 2)
    return torch.sqrt(variance / T), max(1, needed)


# %% needed-search-stops-early wrong="passes-needed"
# Searches up to a hundred thousand: a larger number, up to a million, is never found.
def passes_needed(passes, tolerance):
    deviation = passes.std(dim=0, correction=1)
    largest = float(deviation.max())
    needed = 1
    while needed < 100_000 and largest / math.sqrt(needed) > tolerance:
        needed += 1
    return deviation / math.sqrt(passes.shape[0]), needed


# %% needed-two-passes wrong="passes-needed"
# Divides by T - 1 only if there are more than two passes: wrong for a pilot run of two.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    variance = passes.var(dim=0, correction=1 if T > 2 else 0)
    needed = math.ceil(float(variance.max()) / float(tolerance) ** 2)
    return torch.sqrt(variance / T), max(1, needed)


# %% needed-pilot-suffices wrong="passes-needed"
# Returns T where the pilot run is exact enough: fewer passes may do, say 2 of 10.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    error = passes.std(dim=0, correction=1) / math.sqrt(T)
    worst = float(error.max())
    if worst == 0:
        return error, 1
    if worst <= tolerance:
        return error, T
    return error, math.ceil(T * (worst / tolerance) ** 2)


# %% logs-logsumexp right="mc-log-probabilities"
# log_softmax over the classes, logsumexp over the passes, minus log T.
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(logs, dim=0) - math.log(logits.shape[0])


# %% logs-by-hand right="mc-log-probabilities"
# Both shifts by hand: the largest logit of each pass, then the largest log probability.
def mc_log_probabilities(logits):
    shifted = logits - logits.detach().amax(dim=2, keepdim=True)
    logs = shifted - shifted.exp().sum(dim=2, keepdim=True).log()
    top = logs.detach().amax(dim=0)
    return top + torch.log(torch.exp(logs - top).mean(dim=0))


# %% logs-clamped-logits wrong="mc-log-probabilities"
# Clamps the logits to ten thousand: values and gradients are wrong for larger ones.
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits.clamp(-1e4, 1e4), dim=-1)
    return torch.logsumexp(logs, dim=0) - math.log(logits.shape[0])


# %% logs-single-precision wrong="mc-log-probabilities"
# Converts to float32, whose steps at 10^9 are 64: logits 10^9 and 10^9 - 3 become equal.
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits.float(), dim=-1).to(logits.dtype)
    return torch.logsumexp(logs, dim=0) - math.log(logits.shape[0])


# %% logs-winner-takes-all wrong="mc-log-probabilities"
# Drops the other passes if the best is more than 8 ahead: off by 3e-4 just beyond, and the
# gradient of those passes is 0.
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits, dim=-1)
    top = logs.amax(dim=0)
    logs = torch.where(logs < top - 8, torch.full_like(logs, -torch.inf), logs)
    return torch.logsumexp(logs, dim=0) - math.log(logits.shape[0])


# %% logs-start-at-minus-billion wrong="mc-log-probabilities"
# Starts the running sum at -1e9 in place of minus infinity: wrong for log probabilities below
# that, such as -2e9 for logits of 1e9 and -1e9.
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits, dim=-1)
    total = torch.full_like(logs[0], -1e9)
    for row in logs:
        total = torch.logaddexp(total, row)
    return total - math.log(len(logs))


# %% logs-one-pass wrong="mc-log-probabilities"
# A shortcut for a single pass keeps its axis: shape (1, n, K) in place of (n, K).
def mc_log_probabilities(logits):
    logs = torch.log_softmax(logits, dim=-1)
    if logits.shape[0] == 1:
        return logs
    return torch.logsumexp(logs, dim=0) - math.log(logits.shape[0])
