# %% plain-attributes right="only-dropout"
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        yield net
    finally:
        for module, mode in before:
            module.training = mode


# %% class-with-stack right="only-dropout"
class only_dropout:
    """Switch on the dropout modules of net, and nothing else, inside a with block."""

    def __init__(self, net):
        self.net, self.stack = net, []

    def __enter__(self):
        y = {module: module.training for module in self.net.modules()}
        self.stack.append(y)
        for k in y:
            k.training = False
            if issubclass(type(k), nn.Dropout) or issubclass(type(k), nn.Dropout1d):
                k.training = True

    def __exit__(self, *error):
        for k, mode in self.stack.pop().items():
            k.training = mode
        return False


# %% only-one-class wrong="only-dropout"
# nn.Dropout1d stays off: only_dropout(nn.Sequential(nn.Dropout1d(0.5)).eval()) changes nothing.
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            module.training = isinstance(module, nn.Dropout)
        yield net
    finally:
        for module, mode in before:
            module.training = mode


# %% swallows wrong="only-dropout"
# __exit__ returns True, so that a ValueError raised in the block never reaches the caller.
class only_dropout:
    """Switch on the dropout modules of net, and nothing else, inside a with block."""

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


# %% recursive-restore wrong="only-dropout"
# train(mode) recurses: with a = nn.BatchNorm1d(2).eval(), net = nn.Sequential(a, nn.Sequential(a))
# and net.training = net[1].training = True, the shared a is in training mode after the block.
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    before = [(module, module.training) for module in net.modules()]
    net.eval()
    for module, _ in before:
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()
    try:
        yield net
    finally:
        for module, mode in before:
            module.train(mode)


# %% except-exception wrong="only-dropout"
# A KeyboardInterrupt in the block (a user stops the loop) is no Exception: nothing is restored.
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))

    def restore():
        for module, mode in before:
            module.training = mode

    try:
        yield net
    except Exception:
        restore()
        raise
    else:
        restore()


# %% only-norms-off wrong="only-dropout"
# Only batch norms are put into evaluation mode: a module of one's own whose forward returns
# x + 1 if self.training else x, inside a network in training mode, stays in training mode.
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    before = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in before:
            if isinstance(module, (nn.Dropout, nn.Dropout1d)):
                module.training = True
            elif isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.training = False
        yield net
    finally:
        for module, mode in before:
            module.training = mode


# %% matrix-product right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ torch.relu(b + x @ W).T


# %% loop-over-functions right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""

    def y(mask):
        on = torch.where(mask < p, torch.zeros_like(v), v / (1 - p))
        hidden = torch.nn.functional.linear(x, W.T, b).clamp(min=0)
        return torch.mv(hidden, on)

    return torch.stack([y(mask) for mask in u.unbind(0)])


# %% v-without-gradient wrong="dropout-functions"
# No gradient with respect to v: the sum of f should have the gradient sum_t,i z_tj h_ij, any x.
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = torch.where(u < p, 0.0, v.detach() / (1 - p))
    return z @ torch.relu(b + x @ W).T


# %% relu-six wrong="dropout-functions"
# Hidden values stop at 6: x = [[10.]], W = [[1.]], b = [0.], v = [1.], p = 0 gives 6 for 10.
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ torch.nn.functional.relu6(b + x @ W).T


# %% first-input-only wrong="dropout-functions"
# Uses the first column of x only: x = [[1., 2.]], W = [[1.], [1.]], b = [0.] has h = 1, not 3.
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ torch.relu(b + torch.outer(x[:, 0], W[0])).T


# %% squeezed wrong="dropout-functions"
# With one input, x of shape (1, 1), or with T = 1, the result has shape (T,) or (n,).
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = (u >= p).to(x.dtype) / (1 - p)
    hidden = torch.relu(b + x @ W)
    return (z[:, None, :] * hidden[None] @ v[:, None]).squeeze()


# %% single-precision right="dropout-functions"
# Right for numbers of at most ten.
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    z = (u >= p).double() / (1 - p)
    hidden = torch.relu(b.float() + x.float() @ W.float()).double()
    return (z * v) @ hidden.T


# %% einsum right="dropout-moments"
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    covariance = torch.einsum("nj,jk,jl->nkl", h**2, W, W) * (p / (1 - p))
    return h @ W + b, covariance


# %% factor-of-each-row right="dropout-moments"
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    means, covariances = [], []
    k = math.sqrt(p) / math.sqrt(1 - p)
    for row in h:
        y = row[:, None] * W
        means.append(y.sum(0) + b)
        covariances.append((k * y).T @ (k * y))
    return [torch.stack(means), torch.stack(covariances)]


# %% second-moment wrong="dropout-moments"
# E[y y'] - E[y] E[y]' cancels: h = [[0.1]], W = [[0.1]], b = [1e6], p = 0.5 has variance 1e-4.
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    mean = h @ W + b
    terms = h[:, :, None] * W
    outer = mean[:, :, None] * mean[:, None, :]
    second = outer + torch.einsum("njk,njl->nkl", terms, terms) * (1 / (1 - p) - 1)
    return mean, second - outer


# %% floor-below wrong="dropout-moments"
# 1 - p is kept above 0.001: with p = 1 - 1e-6 every covariance is a thousandth of the right one.
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    factor = p / max(1 - p, 1e-3)
    return h @ W + b, factor * torch.einsum("nj,jk,jl->nkl", h**2, W, W)


# %% only-upper wrong="dropout-moments"
# Entries below the diagonal stay 0: h = [[1.]], W = [[1., 2.]], p = 0.5 needs covariance 2 there.
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    K = W.shape[1]
    covariance = torch.zeros(len(h), K, K, dtype=h.dtype)
    for k in range(K):
        for j in range(k, K):
            covariance[:, k, j] = (h**2) @ (W[:, k] * W[:, j]) * p / (1 - p)
    return h @ W + b, covariance


# %% neighbours-only wrong="dropout-moments"
# Only neighbouring outputs covary: h = [[1.]], W = [[1., 1., 1.]], p = 0.5 has 0 at (0, 2), not 1.
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    factor = p / (1 - p)
    covariance = torch.diag_embed(factor * h**2 @ W**2)
    for k in range(W.shape[1] - 1):
        both = factor * h**2 @ (W[:, k] * W[:, k + 1])
        covariance[:, k, k + 1] = covariance[:, k + 1, k] = both
    return h @ W + b, covariance


# %% one-row-collapses wrong="dropout-moments"
# With one row, h of shape (1, d), the covariance has shape (K, K), and with K = 1 shape (n,).
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    terms = h[:, :, None] * W
    return h @ W + b, (p / (1 - p) * terms.transpose(1, 2) @ terms).squeeze()


# %% error-function right="band-for-y"
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    mean = passes.mean(0)
    sd = (((passes - mean) ** 2).mean(0) + 1 / tau).sqrt()
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return mean - z * sd, mean + z * sd


# %% library-interval right="band-for-y"
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    import numpy as np
    from scipy import stats

    y = passes.detach().numpy()
    noise = np.broadcast_to(1.0 / np.asarray(tau), y.shape[1:])
    spread = np.hypot(y.std(axis=0), np.sqrt(noise))
    lower, upper = stats.norm.interval(level, loc=y.mean(axis=0), scale=spread)
    return torch.from_numpy(lower), torch.from_numpy(upper)


# %% one-tau wrong="band-for-y"
# A tensor tau is averaged: tau = [1., 100.] gives both inputs the noise variance 1 / 50.5.
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    noise = 1 / float(torch.as_tensor(tau, dtype=torch.float64).mean())
    half = (passes.var(0, correction=0) + noise).sqrt() * math.sqrt(2)
    half = half * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - half, passes.mean(0) + half


# %% sd-with-floor right="band-for-y"
# Right for a precision of at most a thousand.
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    sd = (passes.var(0, correction=0) + 1 / tau).sqrt().clamp(min=1e-2)
    half = sd * math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - half, passes.mean(0) + half


# %% single-precision wrong="band-for-y"
# float32 inside: near 1000 its steps are 6e-5, so that passes [[999.99], [999.99077]] with
# tau = 1e6 have another deviation.
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    passes = passes.float()
    sd = (passes.var(0, correction=0).double() + 1 / tau).sqrt()
    half = sd * math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    mean = passes.mean(0).double()
    return mean - half, mean + half


# %% squeezed wrong="band-for-y"
# With one input, passes of shape (T, 1), both ends are 0-d instead of shape (1,).
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    mean = passes.mean(0, keepdim=True)
    sd = (((passes - mean) ** 2).mean(0, keepdim=True) + 1 / tau).sqrt()
    half = sd * math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return (mean - half).squeeze(), (mean + half).squeeze()


# %% tau-in-place wrong="band-for-y"
# A tensor tau is changed: after a call with tau = [4., 9.] it holds [1/4, 1/9].
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    noise = torch.as_tensor(tau, dtype=torch.float64).reciprocal_()
    half = (passes.var(0, correction=0) + noise).sqrt() * math.sqrt(2)
    half = half * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    return passes.mean(0) - half, passes.mean(0) + half


# %% by-formula right="passes-needed"
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(needed, 1)


# %% by-bisection right="passes-needed"
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    import numpy as np

    y = np.array(passes.tolist())
    spread = np.sqrt(((y - y.mean(0)) ** 2).sum(0) / (y.shape[0] - 1))

    def check(k):
        return bool((spread / np.sqrt(k) <= tolerance).all())

    low, high = 0, 1
    while not check(high):
        low, high = high, 2 * high
    while high - low > 1:
        k = (low + high) // 2
        low, high = (low, k) if check(k) else (k, high)
    return torch.tensor(spread / np.sqrt(y.shape[0])), high


# %% first-input-decides wrong="passes-needed"
# Only the first input counts: passes [[0., 0.], [1., 9.]] and 0.1 give 50 instead of 4050.
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    sd = passes.std(0)
    needed = math.ceil((sd[0].item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(needed, 1)


# %% loop-ends-early wrong="passes-needed"
# The search ends at 9999: passes [[0.], [2.]] and a tolerance of 0.01 need 20000.
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    sd = passes.std(0)
    for needed in range(1, 10_000):
        if sd.max() / math.sqrt(needed) <= tolerance:
            break
    return sd / math.sqrt(len(passes)), needed


# %% mean-of-squares wrong="passes-needed"
# Cancellation: [[1e6], [1e6 + 0.01]] should give the standard error 0.005.
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    T = len(passes)
    variance = ((passes**2).mean(0) - passes.mean(0) ** 2).clamp(min=0) * T / (T - 1)
    needed = math.ceil(variance.max().item() / tolerance**2)
    return (variance / T).sqrt(), max(needed, 1)


# %% error-with-floor wrong="passes-needed"
# Deviations are at least 0.001: for [[1.], [1.]] the error should be 0, and 0.0001 needs 1 pass.
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    sd = passes.std(0).clamp(min=1e-3)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(needed, 1)


# %% squeezed wrong="passes-needed"
# With one input, passes of shape (T, 1), the error is 0-d instead of shape (1,).
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    sd = passes.squeeze().std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(needed, 1)


# %% log-softmax right="mc-log-probabilities"
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    return torch.logsumexp(logits.log_softmax(-1), 0) - math.log(logits.shape[0])


# %% pairwise-sums right="mc-log-probabilities"
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    total = None
    for k in logits:
        top = k.max(dim=1, keepdim=True).values
        y = k - top - (k - top).exp().sum(1, keepdim=True).log()
        total = y if total is None else torch.logaddexp(total, y)
    return total - math.log(len(logits))


# %% t-from-the-wrong-axis wrong="mc-log-probabilities"
# Divides by n, not by T: any logits of shape (3, 1, 2), such as zeros, give log 1.5 for log 0.5.
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    return torch.logsumexp(logits.log_softmax(-1), 0) - math.log(logits.shape[1])


# %% clamped-logits wrong="mc-log-probabilities"
# Logits stop at 3000: [[[5000., 4000.]]] should give [[0, -1000]], and gives log 0.5 twice.
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    logits = logits.clamp(-3000, 3000)
    return torch.logsumexp(logits.log_softmax(-1), 0) - math.log(logits.shape[0])


# %% nan-gradient wrong="mc-log-probabilities"
# Values are right, but [[[3000., -3000.]]] has a nan in the gradient, from the unused branch.
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    mean = logits.softmax(-1).mean(0)
    safe = torch.logsumexp(logits.log_softmax(-1), 0) - math.log(logits.shape[0])
    return torch.where(mean > 1e-200, mean.log(), safe)


# %% squeezed wrong="mc-log-probabilities"
# With one input, logits of shape (T, 1, K), the result has shape (K,).
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    log_p = logits.log_softmax(-1)
    return torch.logsumexp(log_p, 0, keepdim=True).squeeze() - math.log(logits.shape[0])


# %% single-precision wrong="mc-log-probabilities"
# float32 inside: the logits [[[999999.99, 1e6]]] are rounded to steps of 0.06.
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    log_p = logits.float().log_softmax(-1)
    return (torch.logsumexp(log_p, 0) - math.log(logits.shape[0])).to(logits.dtype)
