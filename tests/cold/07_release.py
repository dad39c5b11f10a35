# %% [markdown]
# Answers written from the text alone.


# %% only-generator-flags right="only-dropout"
# Remembers the flag of every module, sets the flags one by one, restores them in `finally`.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        yield net
    finally:
        for module, mode in before:
            module.training = mode


# %% only-class-two-sets right="only-dropout"
# A class: splits the modules into those that trained and those that did not, and puts both back.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        modules = list(self.net.modules())
        self.on = [module for module in modules if module.training]
        self.off = [module for module in modules if not module.training]
        for module in modules:
            module.training = False
        for module in modules:
            if isinstance(module, nn.Dropout) or isinstance(module, nn.Dropout1d):
                module.training = True
        return self.net

    def __exit__(self, kind, error, trace):
        for module in self.on:
            module.training = True
        for module in self.off:
            module.training = False
        return False


# %% only-forgets-dropout1d wrong="only-dropout"
# Looks for nn.Dropout only: an nn.Dropout1d (which is no subclass of it) stays switched off.
@contextlib.contextmanager
def only_dropout(net):
    before = {module: module.training for module in net.modules()}
    try:
        for module in before:
            module.training = isinstance(module, nn.Dropout)
        yield
    finally:
        for module, mode in before.items():
            module.training = mode


# %% only-catches-exception wrong="only-dropout"
# Restores after `except Exception` and after a normal end: a KeyboardInterrupt in the block,
# which is no Exception, leaves the network in the changed mode.
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


# %% only-restores-root-mode wrong="only-dropout"
# Puts the whole network back into the mode that its root had: a part that was frozen in
# evaluation mode while the rest trained is in training mode afterwards.
@contextlib.contextmanager
def only_dropout(net):
    was_training = net.training
    net.eval()
    for module in net.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()
    try:
        yield
    finally:
        net.train(was_training)


# %% only-calms-batch-norm wrong="only-dropout"
# Puts only the batch norms into evaluation mode: the root and other layers that depend on the
# mode (RReLU, InstanceNorm1d with running statistics, own modules) stay in training mode.
@contextlib.contextmanager
def only_dropout(net):
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            if isinstance(module, (nn.Dropout, nn.Dropout1d)):
                module.training = True
            elif isinstance(module, norms):
                module.training = False
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% functions-two-products right="dropout-functions"
# Two matrix products: the hidden layer once for all inputs, the masked readout for each function.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    keep = (u >= p).to(hidden.dtype) / (1 - p)
    return (keep * v) @ hidden.T


# %% functions-loop right="dropout-functions"
# One function after the other: picks the units that are kept and leaves the others out.
def dropout_functions(x, W, b, v, p, u):
    rows = []
    for u_t in u:
        kept = torch.nonzero(~(u_t < p)).flatten()
        hidden = torch.relu(x @ W[:, kept] + b[kept])
        rows.append((hidden * v[kept]).sum(dim=1) / (1 - p))
    return torch.stack(rows)


# %% functions-tie-dropped wrong="dropout-functions"
# Keeps a unit only if u > p: a unit with u equal to p (also u = 0 with p = 0) is dropped.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u > p).to(hidden.dtype) / (1 - p)
    return torch.einsum("tj,j,nj->tn", z, v, hidden)


# %% functions-share-that-is-kept wrong="dropout-functions"
# Divides by the share of units that were kept, not by 1 - p: wrong for every mask whose share
# of dropped units is not p, and nan where all units are dropped.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    keep = (u >= p).to(hidden.dtype)
    z = keep / keep.mean(dim=1, keepdim=True)
    return (z * v) @ hidden.T


# %% functions-bias-without-gradient wrong="dropout-functions"
# Takes the numbers of b without their history: values and the gradient of W are right, but no
# gradient flows to b.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(torch.addmm(b.data, x, W))
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% functions-squeezed wrong="dropout-functions"
# Squeezes the result: for one function (T = 1) or one input (n = 1) an axis is missing.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return ((z * v)[:, None, :] * hidden).sum(dim=-1).squeeze()


# %% moments-einsum right="dropout-moments"
# The variance of z_j is p / (1 - p); the units are independent, so that their parts add up.
def dropout_moments(h, W, b, p):
    mean = h @ W + b
    covariance = p / (1 - p) * torch.einsum("nj,jk,jl->nkl", h**2, W, W)
    return mean, covariance


# %% moments-all-masks right="dropout-moments"
# Goes through all 2^d masks with their probabilities and sums up products of deviations.
def dropout_moments(h, W, b, p):
    d = h.shape[1]
    codes = torch.arange(2**d)
    dropped = (codes[:, None] >> torch.arange(d)) % 2 == 1
    chance = torch.full(dropped.shape, 1.0 - p, dtype=h.dtype)
    chance = chance.masked_fill(dropped, p).prod(dim=1)
    excess = torch.full(dropped.shape, p / (1 - p), dtype=h.dtype).masked_fill(dropped, -1.0)
    matrices = []
    for row in h:
        deviation = (excess * row) @ W
        matrices.append(deviation.T @ (chance[:, None] * deviation))
    return h @ W + b, torch.stack(matrices)


# %% moments-second-less-square wrong="dropout-moments"
# The second moment less the square of the mean: cancels for a bias of a million and activations
# of about one.
def dropout_moments(h, W, b, p):
    mean = h @ W + b
    spread = torch.einsum("nj,jk,jl->nkl", h**2, W, W)
    second = mean[:, :, None] * mean[:, None, :] + p / (1 - p) * spread
    return mean, second - mean[:, :, None] * mean[:, None, :]


# %% moments-guarded-division wrong="dropout-moments"
# Guards the division with 1e-8: for p = 1 - 1e-6 the covariance is a percent too small.
def dropout_moments(h, W, b, p):
    factor = p / (1 - p + 1e-8)
    scaled = h[:, :, None] * W
    return h @ W + b, factor * scaled.transpose(1, 2) @ scaled


# %% moments-independent-outputs wrong="dropout-moments"
# Treats the outputs as independent: right variances, but zeros off the diagonals.
def dropout_moments(h, W, b, p):
    variance = p / (1 - p) * h**2 @ W**2
    return h @ W + b, torch.diag_embed(variance)


# %% moments-torch-cov wrong="dropout-moments"
# torch.cov over all masks with their probabilities as weights: for a single output (K = 1) it
# returns 0-d results, so that the shape is (n,) in place of (n, 1, 1).
def dropout_moments(h, W, b, p):
    d = h.shape[1]
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=h.dtype)] * d).reshape(-1, d)
    chance = (masks * (1 - p) + (1 - masks) * p).prod(dim=1)
    covariances = []
    for row in h:
        outputs = (masks / (1 - p) - 1) * row @ W
        covariances.append(torch.cov(outputs.T, correction=0, aweights=chance))
    return h @ W + b, torch.stack(covariances)


# %% band-erfinv right="band-for-y"
# Mean and variance of the passes, plus the variance of the noise; the factor from erfinv.
def band_for_y(passes, tau, level):
    centre = passes.mean(dim=0)
    variance = passes.var(dim=0, correction=0) + 1 / tau
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    half = z * variance.sqrt()
    return centre - half, centre + half


# %% band-standard-library right="band-for-y"
# The ends as quantiles of a NormalDist for each input, made with the standard library.
def band_for_y(passes, tau, level):
    import statistics

    T, n = passes.shape
    noise = (1 / torch.as_tensor(tau, dtype=torch.float64)).expand(n).tolist()
    lower, upper = [], []
    for column, noise_var in zip(passes.T.tolist(), noise):
        centre = math.fsum(column) / T
        spread = math.fsum((value - centre) ** 2 for value in column) / T
        normal = statistics.NormalDist(centre, math.sqrt(spread + noise_var))
        lower.append(normal.inv_cdf((1 - level) / 2))
        upper.append(normal.inv_cdf((1 + level) / 2))
    return torch.tensor(lower, dtype=torch.float64), torch.tensor(upper, dtype=torch.float64)


# %% band-sample-variance wrong="band-for-y"
# Divides by T - 1, with a branch for T = 1 so that nothing is nan: too wide for T of two or more.
def band_for_y(passes, tau, level):
    spread = passes.var(dim=0) if len(passes) > 1 else torch.zeros_like(passes[0])
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    half = z * torch.sqrt(spread + 1 / tau)
    return passes.mean(dim=0) - half, passes.mean(dim=0) + half


# %% band-one-precision wrong="band-for-y"
# Averages tau to one number: wrong for a tensor tau that differs from input to input.
def band_for_y(passes, tau, level):
    precision = torch.as_tensor(tau, dtype=torch.float64).mean().item()
    centre = passes.mean(dim=0)
    variance = ((passes - centre) ** 2).mean(dim=0) + 1 / precision
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    return centre - z * variance.sqrt(), centre + z * variance.sqrt()


# %% band-adds-deviations wrong="band-for-y"
# Adds the standard deviations in place of the variances: too wide unless all passes agree.
def band_for_y(passes, tau, level):
    centre = passes.mean(dim=0)
    sd = passes.std(dim=0, correction=0) + 1 / tau**0.5
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    return centre - z * sd, centre + z * sd


# %% band-textbook-quantile wrong="band-for-y"
# A rational approximation for the quantile, right to three digits only: off by up to 4.5e-4
# standard deviations, which for tau = 1e-6 is nearly half a unit.
def band_for_y(passes, tau, level):
    t = math.sqrt(-2 * math.log((1 - level) / 2))
    above = 2.515517 + 0.802853 * t + 0.010328 * t**2
    below = 1 + 1.432788 * t + 0.189269 * t**2 + 0.001308 * t**3
    half = (t - above / below) * torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return passes.mean(dim=0) - half, passes.mean(dim=0) + half


# %% passes-formula right="passes-needed"
# The number of passes is the largest variance over the squared tolerance, rounded up.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0, correction=1)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% passes-bisection right="passes-needed"
# Doubles the number of passes until it is enough for all inputs, then bisects.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    deviation = passes - passes.sum(dim=0) / T
    variance = (deviation**2).sum(dim=0) / (T - 1)

    def enough(count):
        return bool((torch.sqrt(variance / count) <= tolerance).all())

    low, high = 0, 1  # low is too few, high will be enough
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return torch.sqrt(variance / T), high


# %% passes-not-below-pilot wrong="passes-needed"
# Never asks for fewer passes than the pilot run had: wrong where a large tolerance needs fewer.
def passes_needed(passes, tolerance):
    T = len(passes)
    error = passes.std(dim=0) / T**0.5
    needed = math.ceil(T * (error.max().item() / tolerance) ** 2)
    return error, max(T, needed)


# %% passes-zero-allowed wrong="passes-needed"
# Returns 0 passes where all passes agree, although at least 1 is asked for.
def passes_needed(passes, tolerance):
    variance = passes.var(dim=0)
    needed = int(torch.ceil(variance.max() / tolerance**2))
    return torch.sqrt(variance / len(passes)), needed


# %% passes-search-gives-up wrong="passes-needed"
# Tries one count after the other, but stops at 10000: wrong where up to a million are needed.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0)
    worst = sd.max().item()
    needed = 1
    while worst / math.sqrt(needed) > tolerance and needed < 10_000:
        needed += 1
    return sd / math.sqrt(len(passes)), needed


# %% passes-cancelling-variance wrong="passes-needed"
# Mean of the squares less the squared mean: for passes near a million that differ by 0.01 the
# error is rounding noise.
def passes_needed(passes, tolerance):
    T = len(passes)
    variance = (passes**2).mean(dim=0) - passes.mean(dim=0) ** 2
    variance = variance.clamp(min=0) * T / (T - 1)
    needed = max(1, math.ceil(variance.max().item() / tolerance**2))
    return torch.sqrt(variance / T), needed


# %% mc-logsumexp right="mc-log-probabilities"
# Log-softmax of each pass, then a logsumexp over the passes less the logarithm of their number.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])


# %% mc-logaddexp-loop right="mc-log-probabilities"
# Normalises each pass by hand after a shift by its largest logit, and adds pass after pass.
def mc_log_probabilities(logits):
    result = None
    for pass_logits in logits:
        shifted = pass_logits - pass_logits.detach().max(dim=-1, keepdim=True).values
        log_p = shifted - torch.log(torch.exp(shifted).sum(dim=-1, keepdim=True))
        result = log_p if result is None else torch.logaddexp(result, log_p)
    return result - math.log(len(logits))


# %% mc-clamped-logits wrong="mc-log-probabilities"
# Clamps the logits to 10000 in size "for stability": larger ones, up to 1e9, give wrong values
# and no gradient.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.clamp(-1e4, 1e4), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(log_p))


# %% mc-wrong-axis-length wrong="mc-log-probabilities"
# Subtracts the logarithm of the number of inputs, not of passes: right only where T = n.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[1])


# %% mc-one-shift-for-all wrong="mc-log-probabilities"
# Shifts all passes of an input by one common maximum: where the largest logits of two passes
# differ by more than 745, the lower pass loses all its probability, and 0/0 is nan.
def mc_log_probabilities(logits):
    shift = logits.detach().amax(dim=(0, 2), keepdim=True)
    weight = torch.exp(logits - shift)
    p = weight / weight.sum(dim=-1, keepdim=True)
    log_p = torch.log_softmax(logits, dim=-1)
    stable = torch.logsumexp(log_p, dim=0) - math.log(len(logits))
    mean = p.mean(dim=0)
    return torch.where(mean == 0, stable, torch.log(mean))


# %% mc-where-patch wrong="mc-log-probabilities"
# Uses the stable formula only where the mean probability underflows: the values are right, but
# the branch that was not taken, log(0), makes the gradient nan there.
def mc_log_probabilities(logits):
    mean = torch.softmax(logits, dim=-1).mean(dim=0)
    stable = torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=0) - math.log(len(logits))
    return torch.where(mean > 0, torch.log(mean), stable)
