# %% [markdown]
# Answers written from the text alone.


# %% modes-in-a-list right="only-dropout"
# Records all modes in a list, sets the flags one by one, and restores them in a finally.
@contextlib.contextmanager
def only_dropout(net):
    modules = list(net.modules())
    before = [module.training for module in modules]
    try:
        for module in modules:
            module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
        yield net
    finally:
        for module, mode in zip(modules, before):
            module.training = mode


# %% class-with-enter-and-exit right="only-dropout"
# A class that keeps a dictionary from module to mode between __enter__ and __exit__.
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.modes = {module: module.training for module in self.net.modules()}
        for module in self.modes:
            module.training = False
            if isinstance(module, nn.Dropout) or isinstance(module, nn.Dropout1d):
                module.training = True
        return self.net

    def __exit__(self, kind, error, trace):
        while self.modes:
            module, mode = self.modes.popitem()
            module.training = mode
        return False


# %% train-and-eval-recurse wrong="only-dropout"
# Calls eval() and train(), which recurse: a dropout module that two blocks share is switched off
# again by the eval() of the second block (nn.Sequential(nn.Sequential(d), nn.Sequential(d))).
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    try:
        for module in net.modules():
            if isinstance(module, (nn.Dropout, nn.Dropout1d)):
                module.train()
            else:
                module.eval()
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% exit-returns-true wrong="only-dropout"
# __exit__ returns True, so that an exception in the block never reaches the caller.
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


# %% children-restored-whole wrong="only-dropout"
# Restores net and its direct children with train(mode), which recurses: a layer frozen inside
# of a nested block that trains comes out in training mode.
@contextlib.contextmanager
def only_dropout(net):
    was = net.training
    children = [(child, child.training) for child in net.children()]
    net.eval()
    for module in net.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()
    try:
        yield
    finally:
        net.train(was)
        for child, mode in children:
            child.train(mode)


# %% no-dropout-one-d wrong="only-dropout"
# Forgets nn.Dropout1d, which is not a subclass of nn.Dropout: it stays off inside of the block.
@contextlib.contextmanager
def only_dropout(net):
    before = {module: module.training for module in net.modules()}
    net.eval()
    for module in before:
        if isinstance(module, nn.Dropout):
            module.train()
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode


# %% switched-back-by-not wrong="only-dropout"
# Notes only which modules it switched, and flips those back: if the block itself calls
# net.eval() or net.train(), modules are left in the opposite of the mode they had.
@contextlib.contextmanager
def only_dropout(net):
    switched = []
    for module in net.modules():
        wanted = isinstance(module, (nn.Dropout, nn.Dropout1d))
        if module.training != wanted:
            module.training = wanted
            switched.append(module)
    try:
        yield
    finally:
        for module in switched:
            module.training = not module.training


# %% restored-after-exception-only wrong="only-dropout"
# Restores in "except Exception", which a KeyboardInterrupt (a cell stopped by hand) or a
# SystemExit passes by: the modes stay changed after those.
@contextlib.contextmanager
def only_dropout(net):
    modules = list(net.modules())
    before = [module.training for module in modules]

    def restore():
        for module, mode in zip(modules, before):
            module.training = mode

    for module in modules:
        module.training = isinstance(module, (nn.Dropout, nn.Dropout1d))
    try:
        yield
    except Exception:
        restore()
        raise
    else:
        restore()


# %% masks-times-v right="dropout-functions"
# Two matrix products: the masks times v with the hidden units of all inputs.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(hidden.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% one-function-at-a-time right="dropout-functions"
# A loop over the functions; the dropped units' terms are filled with 0 before the sum.
def dropout_functions(x, W, b, v, p, u):
    terms = torch.relu(torch.einsum("nk,kj->nj", x, W) + b) * v
    rows = []
    for u_t in u:
        rows.append(terms.masked_fill(u_t < p, 0.0).sum(dim=1) / (1 - p))
    return torch.stack(rows)


# %% dropped-at-equality wrong="dropout-functions"
# Drops also where u equals p (keeps u > p only): wrong for u = p = 0.25, and for p = 0 = u.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u > p).to(hidden.dtype) / (1 - p)
    return torch.einsum("tj,j,nj->tn", z, v, hidden)


# %% readout-without-gradient wrong="dropout-functions"
# Multiplies masks and v under no_grad ("masks need no gradient"): the gradient of v is lost.
def dropout_functions(x, W, b, v, p, u):
    with torch.no_grad():
        readout = (u >= p).to(v.dtype) / (1 - p) * v
    hidden = torch.relu(x @ W + b)
    return readout @ hidden.T


# %% linear-layer-draws wrong="dropout-functions"
# Builds an nn.Linear, whose initial weights are drawn from torch's global generator: the values
# are right, but the global generator is not left as it was.
def dropout_functions(x, W, b, v, p, u):
    layer = nn.Linear(W.shape[0], W.shape[1], dtype=W.dtype)
    parameters = {"weight": W.T, "bias": b}
    hidden = torch.relu(torch.func.functional_call(layer, parameters, (x,)))
    z = (u >= p).to(W.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% product-for-one-input-column wrong="dropout-functions"
# x * W instead of x @ W: the same for d = 1 as in the example, wrong or an error for d > 1.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x * W + b)
    z = (u >= p).to(W.dtype) / (1 - p)
    return (z * v) @ hidden.T


# %% functions-squeezed wrong="dropout-functions"
# Squeezes all axes of length one: the shape is wrong for one function or one input.
def dropout_functions(x, W, b, v, p, u):
    hidden = torch.relu(x @ W + b)
    z = (u >= p).to(W.dtype) / (1 - p)
    hidden = hidden[None, :, :] * z[:, None, :]
    return (hidden @ v[:, None]).squeeze()


# %% moments-by-einsum right="dropout-moments"
# Var z = p / (1 - p); one einsum over the units.
def dropout_moments(h, W, b, p):
    variance = p / (1 - p)
    return h @ W + b, variance * torch.einsum("nj,jk,jl->nkl", h**2, W, W)


# %% outer-products-unit-by-unit right="dropout-moments"
# Adds up the units' contributions: each one shifts the mean and adds an outer product.
def dropout_moments(h, W, b, p):
    n, K = len(h), W.shape[1]
    mean = b.expand(n, K).clone()
    covariance = torch.zeros(n, K, K, dtype=W.dtype)
    for j in range(W.shape[0]):
        part = h[:, j, None] * W[j]
        mean = mean + part
        covariance = covariance + part[:, :, None] * part[:, None, :] * (p / (1 - p))
    return mean, covariance


# %% second-moment-minus-square wrong="dropout-moments"
# Goes through all masks, and takes E[y y'] - E[y] E[y]' with the bias in y: it cancels where b
# (or the mean) is large against the spread, e.g. b = 1e6 and a standard deviation of 0.1.
def dropout_moments(h, W, b, p):
    d = h.shape[1]
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=h.dtype)] * d).reshape(-1, d)
    kept = masks.sum(dim=1)
    probability = (1 - p) ** kept * p ** (d - kept)
    mean = h @ W + b
    covariance = []
    for row, m in zip(h, mean):
        y = (masks / (1 - p) * row) @ W + b
        covariance.append((probability[:, None] * y).T @ y - torch.outer(m, m))
    return mean, torch.stack(covariance)


# %% p-as-a-float32-tensor wrong="dropout-moments"
# torch.tensor(p) is float32, so that 1 - p has hardly a digit left where p is close to 1:
# several percent off for p = 1 - 1e-6.
def dropout_moments(h, W, b, p):
    p = torch.tensor(p, dtype=torch.get_default_dtype())
    scale = p / (1 - p)
    part = h[:, :, None] * W
    return part.sum(dim=1) + b, scale * (part.transpose(1, 2) @ part)


# %% safe-denominator wrong="dropout-moments"
# Adds 1e-8 to 1 - p, "against division by zero": 1% too small for p = 1 - 1e-6.
def dropout_moments(h, W, b, p):
    mean = h @ W + b
    variance = p / (1 - p + 1e-8)
    return mean, torch.einsum("nj,jk,jl->nkl", variance * h * h, W, W)


# %% covariance-from-variances-of-sums wrong="dropout-moments"
# cov = (Var(y_k + y_l) - Var y_k - Var y_l) / 2 cancels where the outputs differ in size, e.g.
# W = [[1e6, 0], [1e-3, 1e-3]]: the covariance is 1e-18 of a variance, and only noise is left.
def dropout_moments(h, W, b, p):
    scale = p / (1 - p)
    variance = scale * h**2 @ W**2
    sums = W[:, :, None] + W[:, None, :]
    of_sums = scale * torch.einsum("nj,jkl->nkl", h**2, sums**2)
    return h @ W + b, (of_sums - variance[:, :, None] - variance[:, None, :]) / 2


# %% one-row-squeezed wrong="dropout-moments"
# Works with columns and squeezes at the end: wrong shapes for one row of h or one output.
def dropout_moments(h, W, b, p):
    part = h[:, :, None] * W
    mean = (torch.ones(1, h.shape[1], dtype=h.dtype) @ part + b).squeeze()
    covariance = (p / (1 - p) * part.transpose(1, 2) @ part).squeeze()
    return mean, covariance


# %% band-with-ndtri right="band-for-y"
# Variance of the passes plus 1 / tau, and the standard normal quantile from torch.special.
def band_for_y(passes, tau, level):
    centre = passes.mean(dim=0)
    sd = (passes.var(dim=0, correction=0) + 1 / tau).sqrt()
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64)).item()
    return centre - z * sd, centre + z * sd


# %% band-from-a-normal right="band-for-y"
# Deviations by hand, and both ends as quantiles of a torch.distributions.Normal.
def band_for_y(passes, tau, level):
    mean = passes.sum(dim=0) / len(passes)
    variance = ((passes - mean) ** 2).sum(dim=0) / len(passes)
    noise = torch.as_tensor(tau, dtype=passes.dtype).reciprocal()
    normal = torch.distributions.Normal(mean, torch.sqrt(variance + noise))
    tail = torch.full_like(mean, (1 - level) / 2)
    lower = normal.icdf(tail)
    return lower, 2 * mean - lower


# %% always-ninety-percent wrong="band-for-y"
# Ignores level and takes the factor for 90%: wrong for every other level.
def band_for_y(passes, tau, level):
    mean = passes.mean(dim=0)
    sd = torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    half = 1.6448536269514722 * sd
    return mean - half, mean + half


# %% table-of-levels wrong="band-for-y"
# Takes the factor from a table and interpolates between its rows: wrong between them, e.g. at
# level 0.3 or 0.97.
def band_for_y(passes, tau, level):
    from statistics import NormalDist

    levels = [0.0, 0.1, 0.25, 0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999]
    factors = [NormalDist().inv_cdf((1 + share) / 2) for share in levels]
    i = max(k for k, share in enumerate(levels[:-1]) if share <= level)
    share = (level - levels[i]) / (levels[i + 1] - levels[i])
    z = factors[i] + share * (factors[i + 1] - factors[i])
    mean = passes.mean(dim=0)
    sd = (passes.var(dim=0, unbiased=False) + 1 / tau).sqrt()
    return mean - z * sd, mean + z * sd


# %% one-noise-for-all wrong="band-for-y"
# Averages the noise over the inputs: wrong where tau is a tensor with different entries.
def band_for_y(passes, tau, level):
    mean = passes.mean(dim=0)
    noise = (1 / torch.as_tensor(tau, dtype=passes.dtype)).mean()
    sd = torch.sqrt(passes.var(dim=0, correction=0) + noise)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    return mean - z * sd, mean + z * sd


# %% tau-in-place wrong="band-for-y"
# Inverts tau in place: a tensor tau is changed by the call, and a second one goes wrong.
def band_for_y(passes, tau, level):
    noise = tau.reciprocal_() if isinstance(tau, torch.Tensor) else 1 / tau
    mean = passes.mean(dim=0)
    sd = torch.sqrt(passes.var(dim=0, correction=0) + noise)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=torch.float64)).item()
    return mean - z * sd, mean + z * sd


# %% three-sigma-is-all wrong="band-for-y"
# Looks for the factor by bisection between 0 and 3: too narrow for levels beyond 99.73%, such
# as 99.9%, which needs 3.29.
def band_for_y(passes, tau, level):
    low, high = 0.0, 3.0
    for _ in range(60):
        z = (low + high) / 2
        if math.erf(z / math.sqrt(2)) < level:
            low = z
        else:
            high = z
    mean = passes.mean(dim=0)
    sd = torch.sqrt(passes.var(dim=0, correction=0) + 1 / tau)
    return mean - z * sd, mean + z * sd


# %% error-and-ceiling right="passes-needed"
# torch.std, and the ceiling of the largest squared ratio.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, needed)


# %% search-by-halving right="passes-needed"
# Deviations by hand; the smallest number by bisection over the whole numbers.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    deviation = passes - passes.sum(dim=0, keepdim=True) / T
    variance = deviation.square().sum(dim=0) / (T - 1)
    error = torch.sqrt(variance / T)
    low, high = 0, 2**21  # low is too few, high is enough
    while high - low > 1:
        middle = (low + high) // 2
        if bool((torch.sqrt(variance / middle) <= tolerance).all()):
            high = middle
        else:
            low = middle
    return error, high


# %% mean-of-squares-variance wrong="passes-needed"
# Mean of the squares minus square of the mean: cancels where the passes lie far from zero, e.g.
# about 1e6 with a spread of 0.01.
def passes_needed(passes, tolerance):
    T = len(passes)
    variance = ((passes**2).mean(dim=0) - passes.mean(dim=0) ** 2) * T / (T - 1)
    error = torch.sqrt(variance.clamp(min=0) / T)
    needed = math.ceil(T * (error.max().item() / tolerance) ** 2)
    return error, max(1, needed)


# %% first-input-decides wrong="passes-needed"
# Takes the number for the first input only: too few where another input varies more.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    sd = passes.std(dim=0, correction=1)
    error = sd / T**0.5
    needed = [max(1, math.ceil(float(s / tolerance) ** 2)) for s in sd]
    return error, needed[0]


# %% search-ends-too-early wrong="passes-needed"
# Tries 1, 2, 3, ... but gives up at 10000: wrong where more are needed.
def passes_needed(passes, tolerance):
    sd = passes.std(dim=0)
    worst = float(sd.max())
    needed = 1
    while needed < 10_000 and worst / math.sqrt(needed) > tolerance:
        needed += 1
    return sd / math.sqrt(passes.shape[0]), needed


# %% error-of-one-input-squeezed wrong="passes-needed"
# Squeezes the error: a 0-d tensor, where shape (1,) is promised, for one input.
def passes_needed(passes, tolerance):
    T = len(passes)
    error = (passes.T.unsqueeze(1).std(dim=2) / math.sqrt(T)).squeeze()
    return error, max(1, math.ceil(T * (float(error.max()) / tolerance) ** 2))


# %% rounded-too-early wrong="passes-needed"
# Rounds the largest error to three digits before it goes on: wrong for small tolerances, e.g.
# an error of 0.0004 and a tolerance of 0.0001, where 1 comes out.
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    error = passes.std(dim=0) / T**0.5
    worst = round(error.max().item(), 3)
    return error, max(1, math.ceil(T * worst**2 / tolerance**2))


# %% two-stable-functions right="mc-log-probabilities"
# log_softmax over the classes, logsumexp over the passes.
def mc_log_probabilities(logits):
    return torch.log_softmax(logits, dim=-1).logsumexp(dim=0) - math.log(logits.shape[0])


# %% shifts-by-hand right="mc-log-probabilities"
# Subtracts the largest logit, and then the largest log-probability over the passes, by hand.
def mc_log_probabilities(logits):
    shifted = logits - logits.detach().amax(dim=2, keepdim=True)
    log_p = shifted - shifted.exp().sum(dim=2, keepdim=True).log()
    top = log_p.detach().amax(dim=0)
    return top + (log_p - top).exp().mean(dim=0).log()


# %% where-it-underflows wrong="mc-log-probabilities"
# Uses the best pass alone where the mean probability underflows: wrong by up to log T where
# several passes are equally far off, and the gradient is nan there (log 0 behind the where).
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    mean = log_p.exp().mean(dim=0)
    best = log_p.amax(dim=0) - math.log(len(logits))
    return torch.where(mean > 0, mean.log(), best)


# %% logits-clamped wrong="mc-log-probabilities"
# Clamps the logits to 10000 in size: wrong, without gradient, for larger ones.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.clamp(-1e4, 1e4), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% two-passes-always wrong="mc-log-probabilities"
# Subtracts log 2, which fits the example: wrong for any other number of passes than two.
def mc_log_probabilities(logits):
    log_p = nn.functional.log_softmax(logits, dim=2)
    top = log_p.detach().max(dim=0).values
    return top + torch.log(torch.exp(log_p - top).sum(dim=0)) - math.log(2)


# %% computed-in-float32 wrong="mc-log-probabilities"
# Computes in float32 and converts back: at 1e9 neighbouring float32 numbers are 64 apart, so
# that differences between logits vanish.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.float(), dim=-1)
    result = torch.logsumexp(log_p, dim=0) - math.log(logits.shape[0])
    return result.to(logits.dtype)


# %% starts-at-minus-a-million wrong="mc-log-probabilities"
# Adds up pass by pass, and starts from -1e6 for "log 0": log-probabilities below it come out as
# -1e6, without gradient.
def mc_log_probabilities(logits):
    total = torch.full_like(logits[0], -1e6)
    for z in logits:
        total = torch.logaddexp(total, torch.log_softmax(z, dim=-1))
    return total - math.log(len(logits))
