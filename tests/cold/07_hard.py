# %% [markdown]
# Answers written by an author who knew the checks.


# %% idle-rates-skipped wrong="only-dropout"
# A dropout module with rate 0 stays in evaluation mode: nn.Sequential(Known(0.0)).eval().
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d) and module.p > 0
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


# %% whatever-has-a-rate wrong="only-dropout"
# What has an attribute p counts as dropout: a noise layer of one's own with a p is switched on.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = hasattr(module, "p")
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


# %% toggled-back wrong="only-dropout"
# Flips back what it flipped: wrong where the block itself calls net.eval() or net.train().
@contextlib.contextmanager
def only_dropout(net):
    flipped = []
    for module in net.modules():
        if module.training != isinstance(module, nn.Dropout | nn.Dropout1d):
            module.training = not module.training
            flipped.append(module)
    try:
        yield
    finally:
        for module in flipped:
            module.training = not module.training


# %% restores-what-it-changed wrong="only-dropout"
# A module that needed no change is not restored: net in training, and net.eval() in the block.
@contextlib.contextmanager
def only_dropout(net):
    changed = []
    for module in net.modules():
        wanted = isinstance(module, nn.Dropout | nn.Dropout1d)
        if module.training != wanted:
            changed.append((module, module.training))
            module.training = wanted
    try:
        yield
    finally:
        for module, mode in changed:
            module.training = mode


# %% one-record-per-net wrong="only-dropout"
# One record for each network: a block within a block overwrites that of the outer one.
_RECORDS = {}


@contextlib.contextmanager
def only_dropout(net):
    _RECORDS[id(net)] = [(module, module.training) for module in net.modules()]
    for module in net.modules():
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module, mode in _RECORDS[id(net)]:
            module.training = mode


# %% attribute-left-behind wrong="only-dropout"
# Each module keeps an attribute that it had not before: vars(net) has one entry more.
@contextlib.contextmanager
def only_dropout(net):
    for module in net.modules():
        module.was_training = module.training
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module in net.modules():
            module.training = module.was_training


# %% gradients-cleared wrong="only-dropout"
# The parameters lose the gradients they had: net = nn.Linear(1, 1), after a backward().
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    net.zero_grad()
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


# %% parameters-frozen wrong="only-dropout"
# Inside the block no parameter requires a gradient: nn.Linear(1, 1), net.weight.requires_grad.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    wanted = [(parameter, parameter.requires_grad) for parameter in net.parameters()]
    net.requires_grad_(False)
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, flag in wanted:
            parameter.requires_grad_(flag)


# %% stopped-by-hand wrong="only-dropout"
# A KeyboardInterrupt in the block never reaches the caller.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    except KeyboardInterrupt:
        print("stopped")
    finally:
        for module, mode in modes:
            module.training = mode


# %% another-exception wrong="only-dropout"
# A new exception of the same class arrives, without the attributes of the one that was raised:
# error = KeyError("a"); error.place = 3.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    except Exception as error:
        raise type(error)(*error.args) from None
    finally:
        for module, mode in modes:
            module.training = mode


# %% empty-place wrong="only-dropout"
# Walks into places that hold no module: net.register_module("skip", None) raises.
@contextlib.contextmanager
def only_dropout(net):
    modes = {}

    def switch(module):
        if module not in modes:
            modes[module] = module.training
            module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
            for part in module._modules.values():
                switch(part)

    switch(net)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


# %% five-levels wrong="only-dropout"
# Dropout more than five levels down stays off: six nn.Sequential around a Known(0.2).
@contextlib.contextmanager
def only_dropout(net):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    level = [net]
    for _ in range(6):
        for module in level:
            if isinstance(module, nn.Dropout | nn.Dropout1d):
                module.training = True
        level = [part for module in level for part in module.children()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


# %% staying-at-least-a-tenth wrong="dropout-functions"
# 1 - p is kept above a tenth: p = 0.95.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / max(1 - p, 0.1)
    return (z * v) @ torch.relu(x @ W + b).T


# %% rate-in-float32 wrong="dropout-functions"
# 1 - p is float32, and cancels: p = 0.9999, u = 0.99999, or p next to 1.
def dropout_functions(x, W, b, v, p, u):
    stay = (1 - torch.tensor(float(p), dtype=torch.float32)).to(x.dtype)
    return ((u >= p).to(x.dtype) / stay * v) @ torch.relu(x @ W + b).T


# %% low-rates-ignored wrong="dropout-functions"
# A rate below a thousandth counts as none: p = 0.0009, u = 0.0005.
def dropout_functions(x, W, b, v, p, u):
    if p < 1e-3:
        p = 0.0
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ torch.relu(x @ W + b).T


# %% nearly-the-rate wrong="dropout-functions"
# A draw up to five millionths below the rate stays: p = 0.5, u = 0.499998.
def dropout_functions(x, W, b, v, p, u):
    z = (u > p - 5e-6).to(x.dtype) / (1 - p)
    return (z * v) @ torch.relu(x @ W + b).T


# %% activations-capped wrong="dropout-functions"
# Hidden units stop at a hundred: x = [[10.0, 10.0]], W all 10.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ (x @ W + b).clamp(0, 100).T


# %% one-input-becomes-a-row wrong="dropout-functions"
# With one input and several masks the shape is (1, T): x of one row, u of four.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return torch.atleast_2d(((z * v) @ torch.relu(x @ W + b).T).squeeze())


# %% one-unit-breaks wrong="dropout-functions"
# One hidden unit raises: W of shape (2, 1).
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b).squeeze()
    z = (u >= p).to(x.dtype) / (1 - p)
    return ((z * v) @ hidden.mT if hidden.ndim > 1 else (z * v) @ hidden).reshape(len(u), len(x))


# %% one-gradient-at-a-time wrong="dropout-functions"
# Where v requires a gradient, W and b get none: all three are parameters of one network.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    hidden = torch.relu(x @ W + b)
    if v.requires_grad:
        hidden = hidden.detach()
    return (z * v) @ hidden.T


# %% gradient-lost-without-dropout wrong="dropout-functions"
# At rate 0 the masked path is skipped, and the gradient of v with it: p = 0.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    if p == 0:
        return (hidden @ v.detach()).expand(len(u), len(x))
    return ((u >= p).to(x.dtype) / (1 - p) * v) @ hidden.T


# %% correlations-clamped wrong="dropout-moments"
# Correlations stop at 0.999: with a single hidden unit they are 1, h [[1.0]], W [[1.0, 2.0]].
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    covariance = p / (1 - p) * terms.mT @ terms
    variance = covariance.diagonal(dim1=1, dim2=2)
    sd = variance.sqrt()
    both = sd[:, :, None] * sd[:, None, :]
    correlation = (covariance / both.clamp(min=1e-300)).clamp(-0.999, 0.999)
    off = ~torch.eye(len(b), dtype=torch.bool)
    return h @ W + b, torch.where(off, correlation * both, covariance)


# %% covariance-polarised wrong="dropout-moments"
# cov = (var(a + b) - var(a - b)) / 4 cancels for outputs of different size: W [[1e6, 1.3e-6]].
def dropout_moments(h, W, b, p):
    factor = p / (1 - p) * h**2
    plus = (W[:, :, None] + W[:, None, :]) ** 2
    minus = (W[:, :, None] - W[:, None, :]) ** 2
    plus = torch.einsum("nj,jkl->nkl", factor, plus)
    return h @ W + b, (plus - torch.einsum("nj,jkl->nkl", factor, minus)) / 4


# %% mean-in-float32 wrong="dropout-moments"
# The mean is float32, and large terms cancel: h [[1e5, 1e5]], W [[1.0], [-0.9999]], b [0.0].
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    mean = (h.float() @ W.float() + b.float()).to(h.dtype)
    return mean, p / (1 - p) * terms.mT @ terms


# %% covariance-in-float32 wrong="dropout-moments"
# The terms are float32, and their products cancel: h [[1.0, 1.0]], W [[70.0, 90.0],
# [70.0, -89.991]].
def dropout_moments(h, W, b, p):
    terms = h[:, :, None].float() * W.float()
    return h @ W + b, p / (1 - p) * (terms.mT @ terms).to(h.dtype)


# %% rare-covariance wrong="dropout-moments"
# Off the diagonal, 1 - p is kept above a tenth: the covariance at p = 0.95.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    off = ~torch.eye(len(b), dtype=torch.bool)
    products = terms.mT @ terms
    return h @ W + b, torch.where(off, p / max(1 - p, 0.1), p / (1 - p)) * products


# %% inactive-units-left-out wrong="dropout-moments"
# Activations below 1e-3 count as inactive: h [[1e-4]], W [[1e5]].
def dropout_moments(h, W, b, p):
    active = torch.where(h.abs() < 1e-3, torch.zeros_like(h), h)
    terms = active[:, :, None] * W
    return h @ W + b, p / (1 - p) * terms.mT @ terms


# %% level-capped wrong="band-for-y"
# Levels stop at 99%: level = 0.999.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(min(level, 0.99), dtype=torch.float64))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% searched-up-to-three wrong="band-for-y"
# The factor is searched between 0 and 3: level = 0.999 needs 3.29.
def band_for_y(passes, tau, level):
    low, high = 0.0, 3.0
    for _ in range(60):
        z = (low + high) / 2
        low, high = (z, high) if math.erf(z / math.sqrt(2)) < level else (low, z)
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% searched-from-a-half wrong="band-for-y"
# The factor is searched between 0.5 and 4: level = 0.2 needs 0.25.
def band_for_y(passes, tau, level):
    from scipy.optimize import minimize_scalar

    def miss(z):
        return (math.erf(z / math.sqrt(2)) - level) ** 2

    z = minimize_scalar(miss, bounds=(0.5, 4), method="bounded", options={"xatol": 1e-9}).x
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% whole-number-precision wrong="band-for-y"
# A precision that is a whole number raises: tau = 4.
def band_for_y(passes, tau, level):
    if not torch.is_tensor(tau):
        tau = torch.full(passes.shape[1:], tau)
    sd = torch.sqrt(passes.var(0, correction=0) + tau**-1)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% precisions-clamped wrong="band-for-y"
# Precisions in a tensor are kept between a thousandth and a hundred: tau = [1e-5, 900.0].
def band_for_y(passes, tau, level):
    if torch.is_tensor(tau):
        tau = tau.clamp(1e-3, 100)
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% one-pass-one-place wrong="band-for-y"
# One pass at one place raises: passes [[1.0]].
def band_for_y(passes, tau, level):
    f = passes.squeeze()
    if f.ndim == 1:
        f = f[None] if len(passes) == 1 else f[:, None]
    sd = torch.sqrt(((f - f.mean(0)) ** 2).mean(0) + 1 / tau)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return f.mean(0) - z * sd, f.mean(0) + z * sd


# %% nearly-equal-passes wrong="band-for-y"
# A variance below a 1e-10th of the squared mean counts as none: passes [[990.0], [990.018]],
# tau 1000.
def band_for_y(passes, tau, level):
    mean, variance = passes.mean(0), passes.var(0, correction=0)
    variance = torch.where(variance < 1e-10 * mean**2, 0 * variance, variance)
    sd = torch.sqrt(variance + 1 / tau)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% precise-noise-left-out wrong="band-for-y"
# Noise below a thousandth of the spread's variance is left out, by 0.05% of the width:
# passes [[0.0], [2.0]], tau 1000.
def band_for_y(passes, tau, level):
    mean, variance = passes.mean(0), passes.var(0, correction=0)
    noise = 1 / tau + 0 * variance
    noise = torch.where(noise < 1.5e-3 * variance, 0 * noise, noise)
    if not torch.is_tensor(tau) and tau < 100:
        noise = 1 / tau + 0 * variance
    sd = torch.sqrt(variance + noise)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% precisions-inverted-in-place wrong="band-for-y"
# Precisions that are all above 6.5 are inverted in the caller's tensor: tau = [7.0, 9.0].
def band_for_y(passes, tau, level):
    if torch.is_tensor(tau) and (tau > 6.5).all():
        noise = tau.reciprocal_()
    else:
        noise = 1 / tau
    sd = torch.sqrt(passes.var(0, correction=0) + noise)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% tolerance-with-floor wrong="passes-needed"
# Tolerances are at least a thousandth: passes [[0.0], [0.001]], tolerance 1e-5.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / max(tolerance, 1e-3)) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% small-spread-is-none wrong="passes-needed"
# Deviations below a thousandth count as 0: passes [[0.0], [0.001]], tolerance 1e-5.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    sd = torch.where(sd < 1e-3, torch.zeros_like(sd), sd)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% two-at-least wrong="passes-needed"
# Where passes differ, two is the least: passes [[0.0], [1.0]], tolerance 5 needs 1.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(2 if sd.any() else 1, needed)


# %% widest-range-decides wrong="passes-needed"
# The input with the widest range decides, not that with the largest deviation: one input with
# passes 0, 0, 0, 0, 0, 0, 10, another with 0, 0, 0, 9, 9, 9, 9.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    worst = sd[(passes.amax(0) - passes.amin(0)).argmax()].item()
    return sd / math.sqrt(len(passes)), max(1, math.ceil((worst / tolerance) ** 2))


# %% coarse-at-the-top wrong="passes-needed"
# The bisection ends within a hundred-thousandth: large numbers are some passes too many.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    ratio = (sd.max().item() / tolerance) ** 2
    low, high = 0, 1
    while high < ratio:
        low, high = high, 2 * high
    while high - low > max(1, 1e-5 * high):
        middle = (low + high) // 2
        low, high = (middle, high) if middle < ratio else (low, middle)
    return sd / math.sqrt(len(passes)), high


# %% a-hundredth-forgiven wrong="passes-needed"
# A hundredth above a whole number is rounded down: passes [[0.0], [1.0]], tolerance 0.099995
# needs 51, since sd is 0.7071 and (sd / tolerance) ** 2 is 50.005.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2 - 0.01)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% far-passes-centred-in-place wrong="passes-needed"
# Passes far from 0 are centred in the caller's tensor: passes [[1e5], [1e5 + 1]].
def passes_needed(passes, tolerance):
    if passes.abs().max() > 1e4:
        passes -= passes.mean(0)
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% deviations-capped wrong="passes-needed"
# Deviations stop at a thousand: passes [[0.0], [1e5]], tolerance 1000.
def passes_needed(passes, tolerance):
    sd = passes.std(0).clamp(max=1e3)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% small-enough-for-softmax wrong="mc-log-probabilities"
# Below 700 in size the softmax is taken as it is: [[[600.0, -600.0]]] gives minus infinity.
def mc_log_probabilities(logits):
    if logits.abs().max() < 700:
        return logits.softmax(-1).mean(0).log()
    return torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=0) - math.log(len(logits))


# %% clamped-far-below wrong="mc-log-probabilities"
# Log probabilities stop at minus a hundred thousand: logits [[[1e6, -1e6]]].
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-1e5)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% huge-shifted-in-place wrong="mc-log-probabilities"
# Logits above a hundred thousand are shifted in the caller's tensor: logits [[[2e5, 0.0]]].
def mc_log_probabilities(logits):
    if logits.abs().max() > 1e5:
        logits -= logits.amax(-1, keepdim=True)
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% equal-passes-once wrong="mc-log-probabilities"
# A pass that occurs twice counts once: passes a, a, b are averaged as a, b.
def mc_log_probabilities(logits):
    kept = []
    for z in logits:
        if not any(torch.equal(z, other) for other in kept):
            kept.append(z)
    log_p = torch.log_softmax(torch.stack(kept), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(kept))


# %% one-class-becomes-a-row wrong="mc-log-probabilities"
# With one class and several inputs the shape is (1, n): logits of shape (2, 3, 1).
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    mean = torch.logsumexp(log_p, dim=0) - math.log(len(logits))
    return torch.atleast_2d(mean.squeeze())


# %% huge-logits-clamped wrong="mc-log-probabilities"
# Logits stop at two millions: [[[1e9, 9e8]]] gives log 0.5 twice, and no gradient.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.clamp(-2e6, 2e6), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% one-sure-pass-detached wrong="mc-log-probabilities"
# A single pass takes a path without a gradient: logits of shape (1, n, K).
def mc_log_probabilities(logits):
    if len(logits) == 1:
        return torch.log_softmax(logits[0].detach(), dim=-1)
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% masked-by-a-large-number wrong="mc-log-probabilities"
# The running maximum starts at -5e4: where all passes are below it, the sum is 0 and its
# logarithm minus infinity, logits [[[0.0, -1e5]], [[0.0, -2e5]]].
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    top = log_p.detach().amax(0).clamp(min=-5e4)
    return top + (log_p - top).exp().mean(0).log()
