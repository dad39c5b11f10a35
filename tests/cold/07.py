# %% saved-flags right="only-dropout"
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


# %% with-a-class right="only-dropout"
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.before = {}
        self.check(self.net)

    def check(self, module):
        if module in self.before:
            return
        self.before[module] = module.training
        kinds = nn.Dropout, nn.Dropout1d
        module.training = any(kind in type(module).__mro__ for kind in kinds)
        for child in module.children():
            self.check(child)

    def __exit__(self, kind, error, trace):
        for y, k in self.before.items():
            y.training = k


# %% every-dropout-kind right="only-dropout"
# Right where no network has another kind of dropout.
@contextlib.contextmanager
def only_dropout(net):
    before = {module: module.training for module in net.modules()}
    for module in before:
        module.training = isinstance(module, nn.modules.dropout._DropoutNd)
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode


# %% swallows-the-error wrong="only-dropout"
# A return in finally keeps every exception from the caller: raise KeyError in the block.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.before = [(module, module.training) for module in self.net.modules()]
        for module, _ in self.before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        return self.net

    def __exit__(self, *error):
        for module, mode in self.before:
            module.training = mode
        return True


# %% dropout-with-children right="only-dropout"
# Right where no dropout module has modules inside.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        for module in net.modules():
            if isinstance(module, (nn.Dropout, nn.Dropout1d)):
                module.train()
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% shared-and-frozen wrong="only-dropout"
# Restores from the outside in with train(mode), which undoes a frozen module that a later part
# holds too: s = nn.Tanh().eval(), nn.Sequential(s, nn.Sequential(s)) with all else in training.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        yield
    finally:
        for module, mode in before:
            module.train(mode)


# %% scaled-readout right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (~(u < p)).to(hidden.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% function-by-function right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    y = []
    for check in u:
        k = torch.nonzero(check >= p).flatten()
        h = torch.clamp(torch.einsum("nk,kj->nj", x, W[:, k]) + b[k], min=0)
        y.append((h * v[k]).sum(1) / (1 - p))
    return torch.stack(y)


# %% float32-uniforms right="dropout-functions"
# Right where u keeps a millionth away from p.
def dropout_functions(x, W, b, v, p, u):
    keep = (u.float() >= p).to(x.dtype) / (1 - p)
    return torch.einsum("th,h,nh->tn", keep, v, torch.relu(x @ W + b))


# %% readout-copied wrong="dropout-functions"
# The scaled readout is a copy without a gradient: the gradient in v, at any input.
def dropout_functions(x, W, b, v, p, u):
    rows = [[v_j / (1 - p) if u_j >= p else 0.0 for v_j, u_j in zip(v, row)] for row in u]
    return torch.tensor(rows, dtype=v.dtype) @ torch.relu(x @ W + b).T


# %% squeezed-result wrong="dropout-functions"
# A single function or input loses its axis: u [[0.9]], x [[1.0], [2.0]], W [[1.0]], b [0.0],
# v [1.0], p 0.5.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(x.dtype) / (1 - p)
    return ((z * v)[:, None, None, :] @ hidden[None, :, :, None]).squeeze()


# %% relu-for-each-feature wrong="dropout-functions"
# Each feature gets a relu of its own before the sum: x [[1.0, -2.0]], W [[1.0], [1.0]], b [0.0],
# v [1.0], p 0, u [[0.5]].
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x[:, :, None] * W + b).sum(1)
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% batched-product right="dropout-moments"
def dropout_moments(h, W, b, p):
    parts = h[:, :, None] * W
    return parts.sum(1) + b, parts.transpose(1, 2) @ parts * (p / (1 - p))


# %% unit-by-unit right="dropout-moments"
def dropout_moments(h, W, b, p):
    (n, d), K = h.shape, len(b)
    y = b.expand(n, K).clone()
    check = torch.zeros(n, K, K, dtype=h.dtype)
    for j in range(d):
        k = torch.outer(h[:, j], W[j])
        y = y + k
        check = check + p * torch.einsum("na,nb->nab", k, k)
    return y, check / (1 - p)


# %% moments-subtracted wrong="dropout-moments"
# E[y y^T] minus the product of the means cancels with a large bias: h [[1.0]], W [[1.0]],
# b [1e9], p 0.2.
def dropout_moments(h, W, b, p):
    parts = h[:, :, None] * W
    mean = b + parts.sum(1)
    square = mean[:, :, None] * mean[:, None, :]
    second = square + p / (1 - p) * torch.einsum("njk,njl->nkl", parts, parts)
    return mean, second - square


# %% float32-rate wrong="dropout-moments"
# The rate becomes a float32 tensor: p 1 - 1e-9, h [[1.0]], W [[1.0]], b [0.0].
def dropout_moments(h, W, b, p):
    rate = torch.tensor(p, dtype=torch.float32)
    factor = rate / (1 - rate)
    parts = h[:, :, None] * W
    return b + h @ W, factor * (parts.mT @ parts)


# %% upper-triangle wrong="dropout-moments"
# The covariance below the diagonal stays 0: entry [0, 1, 0] at h [[1.0]], W [[1.0, 1.0]],
# b [0.0, 0.0], p 0.5.
def dropout_moments(h, W, b, p):
    K = len(b)
    covariance = torch.zeros(len(h), K, K, dtype=h.dtype)
    for k in range(K):
        for j in range(k, K):
            products = (h * W[:, k]) * (h * W[:, j])
            covariance[:, k, j] = p / (1 - p) * products.sum(1)
    return b + h @ W, covariance


# %% activations-squared right="dropout-moments"
# Right for numbers of at most a million.
def dropout_moments(h, W, b, p):
    variance = p / (1 - p) * h**2
    return h @ W + b, torch.einsum("nj,jk,jl->nkl", variance, W, W)


# %% normal-ends right="band-for-y"
def band_for_y(passes, tau, level):
    mean = passes.mean(0)
    sd = torch.sqrt(((passes - mean) ** 2).mean(0) + 1 / tau)
    z = -torch.special.ndtri(torch.tensor((1 - level) / 2, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% column-by-column right="band-for-y"
def band_for_y(passes, tau, level):
    from scipy.stats import norm

    T, n = passes.shape
    y = torch.as_tensor(tau, dtype=torch.float64).expand(n)
    ends = torch.empty(2, n, dtype=passes.dtype)
    for i in range(n):
        shifted = passes[:, i] - passes[0, i]
        k = shifted.mean()
        check = ((shifted - k) @ (shifted - k)) / T
        scale = math.sqrt(check + 1 / y[i])
        ends[0, i] = passes[0, i] + k + norm.ppf((1 - level) / 2) * scale
        ends[1, i] = passes[0, i] + k + norm.isf((1 - level) / 2) * scale
    return ends[0], ends[1]


# %% float32-quantile right="band-for-y"
# Right for levels from 0.05 to 0.999.
def band_for_y(passes, tau, level):
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + level) / 2)).item()
    sd = (passes.var(0, correction=0) + 1 / tau).sqrt()
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% squares-minus-square right="band-for-y"
# Right for passes of at most a thousand.
def band_for_y(passes, tau, level):
    mean = passes.mean(0)
    variance = (passes.square().mean(0) - mean.square()).clamp(min=0)
    sd = torch.sqrt(variance + 1 / tau)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% average-precision wrong="band-for-y"
# A tensor tau is averaged over the inputs: passes [[0.0, 0.0]], tau [1.0, 100.0], level 0.9.
def band_for_y(passes, tau, level):
    precision = torch.as_tensor(tau, dtype=torch.float64).mean()
    mean = passes.mean(0)
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / precision)
    z = torch.special.ndtri(torch.tensor(1 - (1 - level) / 2, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% padded-precision wrong="band-for-y"
# 1e-8 is added to the precision: passes [[0.0]], tau 1e-8, level 0.9.
def band_for_y(passes, tau, level):
    mean = passes.mean(0)
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / (tau + 1e-8))
    z = -torch.special.ndtri(torch.tensor((1 - level) / 2, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% from-the-error right="passes-needed"
def passes_needed(passes, tolerance):
    error = passes.std(0) / math.sqrt(len(passes))
    needed = math.ceil(len(passes) * (error.max().item() / tolerance) ** 2)
    return error, max(needed, 1)


# %% doubling-and-halving right="passes-needed"
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    shifted = passes - passes[:1]
    y = ((shifted - shifted.mean(0)) ** 2).sum(0) / (T - 1)
    k = math.sqrt(float(y.max()))
    high = 1
    while k / math.sqrt(high) > tolerance:
        high *= 2
    low = high // 2
    while high - low > 1:
        check = (low + high) // 2
        low, high = (check, high) if k / math.sqrt(check) > tolerance else (low, check)
    return torch.sqrt(y / T), torch.tensor(high)


# %% int32-count right="passes-needed"
# Right for at most a million passes.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = torch.ceil((sd / tolerance) ** 2).to(torch.int32)
    return sd / len(passes) ** 0.5, needed.max().clamp(min=1)


# %% at-most-ten-thousand wrong="passes-needed"
# The search stops at 10000 passes: passes [[0.0], [2.0]], tolerance 0.0101.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    for needed in range(1, 10001):
        if (sd / needed**0.5 <= tolerance).all():
            break
    return sd / len(passes) ** 0.5, needed


# %% squares-minus-square wrong="passes-needed"
# The variance cancels far from zero: passes [[1e9], [1e9 + 1]], tolerance 0.3.
def passes_needed(passes, tolerance):
    T = len(passes)
    variance = (passes.square().sum(0) - T * passes.mean(0).square()).clamp(min=0) / (T - 1)
    needed = max(1, math.ceil(variance.max().item() / tolerance**2))
    return (variance / T).sqrt(), needed


# %% covariance-of-one-input wrong="passes-needed"
# torch.cov gives no matrix for one input, and it raises: passes [[0.0], [1.0]], tolerance 0.1.
def passes_needed(passes, tolerance):
    variance = torch.cov(passes.T).diagonal()
    needed = math.ceil(float(variance.max()) / tolerance**2)
    return torch.sqrt(variance / len(passes)), max(1, needed)


# %% two-logsumexps right="mc-log-probabilities"
def mc_log_probabilities(logits):
    return torch.logsumexp(torch.log_softmax(logits, -1), 0) - math.log(len(logits))


# %% pass-after-pass right="mc-log-probabilities"
def mc_log_probabilities(logits):
    y = None
    for z in logits:
        k = z - z.max(dim=1, keepdim=True).values.detach()
        check = k - k.exp().sum(1, keepdim=True).log()
        y = check if y is None else torch.logaddexp(y, check)
    return y - torch.tensor(float(len(logits)), dtype=logits.dtype).log()


# %% clamped-at-5000 wrong="mc-log-probabilities"
# Log probabilities end at -5000, and their gradient with them: logits [[[3000.0, -3000.0]]].
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1).clamp(min=-5000)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])


# %% float32-softmax wrong="mc-log-probabilities"
# The softmax is taken in float32: logits [[[1e6 + 0.1, 1e6]]].
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1, dtype=torch.float32)
    return (torch.logsumexp(log_p, dim=0) - math.log(len(logits))).to(logits.dtype)


# %% log-of-inputs wrong="mc-log-probabilities"
# Subtracts the log of the number of inputs, not of passes: logits [[[1.0, 0.0]], [[0.0, 1.0]]].
def mc_log_probabilities(logits):
    passes, n = logits.log_softmax(2), logits.shape[1]
    return passes.logsumexp(0) - math.log(n)


# %% best-pass-alone wrong="mc-log-probabilities"
# With large logits only the best pass of each class counts: logits
# [[[1000.0, 0.0]], [[1000.0, 0.0]]].
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=2)
    if logits.abs().max() > 700:
        return log_p.amax(dim=0) - math.log(len(logits))
    return log_p.exp().mean(0).log()
