# %% autograd right="transformed-density"
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    with torch.enable_grad():
        inner = x.detach().clone().requires_grad_()
        z = to_noise(inner)
        slope = torch.autograd.grad(z.sum(), inner)[0]
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()).detach()


# %% point-by-point right="transformed-density"
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    normal = torch.distributions.Normal(torch.zeros(1, dtype=x.dtype), 1.0)

    def gradient(k):
        point = x.detach()[k : k + 1].clone()
        point.requires_grad = True
        y = to_noise(point)
        y.backward()
        return normal.log_prob(y.detach()) + torch.log(torch.abs(point.grad))

    return torch.cat([gradient(k) for k in range(len(x))])


# %% noise-clamped wrong="transformed-density"
# The noise stops at 100: x = [1000.] with to_noise = lambda x: x should give -500000.9.
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    inner = x.detach().clone().requires_grad_()
    z = to_noise(inner)
    slope = torch.autograd.grad(z.sum(), inner)[0]
    z = z.detach().clamp(-100, 100)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% difference-quotient wrong="transformed-density"
# A step of 1e-6 is too long for small x: x = [1e-6], to_noise = torch.log gives inf or nan.
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    h = 1e-6
    z = to_noise(x)
    slope = (to_noise(x + h) - to_noise(x - h)) / (2 * h)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% steep-slopes-limited wrong="transformed-density"
# Slopes stop at 1000: x = [0.], to_noise = lambda x: 1e6 * x gives 5.99 for 12.90.
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    inner = x.detach().clone().requires_grad_()
    z = to_noise(inner)
    slope = torch.autograd.grad(z.sum(), inner)[0].abs().clamp(1e-15, 1e3)
    return -0.5 * z.detach() ** 2 - 0.5 * math.log(2 * math.pi) + slope.log()


# %% squeezed wrong="transformed-density"
# With one point, x of shape (1,), the result is 0-d.
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    inner = x.detach().clone()[:, None].requires_grad_()
    z = to_noise(inner)
    slope = torch.autograd.grad(z.sum(), inner)[0]
    log_p = -0.5 * z.detach() ** 2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()
    return log_p.squeeze()


# %% single-precision wrong="transformed-density"
# float32 inside: x = [1e6 + 0.01], to_noise = lambda x: 100 * (x - 1e6) should have z = 1.
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    inner = x.detach().float().requires_grad_()
    z = to_noise(inner)
    slope = torch.autograd.grad(z.sum(), inner)[0]
    z, slope = z.detach().double(), slope.double()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% masked-fill right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    s, t = net(x.masked_fill(~mask, 0.0))
    s = s.clamp(-4, 4).masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    if inverse:
        return x * s.exp() + t, s.sum(1)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% moved-columns-only right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    k = [i for i in range(len(mask)) if not mask[i]]
    y = x.clone()
    y[:, k] = 0
    s, t = net(y)
    columns, log_det = list(x.unbind(1)), torch.zeros(len(x), dtype=x.dtype)
    for i in k:
        limited = torch.minimum(torch.maximum(s[:, i], torch.tensor(-4.0)), torch.tensor(4.0))
        if inverse:
            columns[i] = columns[i] * torch.exp(limited) + t[:, i]
            log_det = log_det + limited
        else:
            columns[i] = (columns[i] - t[:, i]) / torch.exp(limited)
            log_det = log_det - limited
    return torch.stack(columns, 1), log_det


# %% log-det-without-limit wrong="affine-coupling"
# The determinant uses s before the limit: d = 1, mask [False], s = 5, t = 0 gives -5 for -4.
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    s, t = net(torch.where(mask, x, 0.0))
    log_det = torch.where(mask, 0.0, s).sum(1)
    s = s.clamp(-4, 4)
    if inverse:
        return torch.where(mask, x, x * s.exp() + t), log_det
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -log_det


# %% inverse-without-limit wrong="affine-coupling"
# Only one direction is limited: d = 1, mask [False], s = 5, t = 0, x = [[1.]], inverse=True.
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    s, t = net(torch.where(mask, x, 0.0))
    if inverse:
        return torch.where(mask, x, x * s.exp() + t), torch.where(mask, 0.0, s).sum(1)
    s = s.clamp(-4, 4)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -torch.where(mask, 0.0, s).sum(1)


# %% weighted-by-the-mask right="affine-coupling"
# Right for numbers of at most a million.
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    keep = mask.to(x.dtype)
    s, t = net(x * keep)
    s = s.clamp(-4, 4)
    log_det = (s * (1 - keep)).sum(1)
    if inverse:
        return keep * x + (1 - keep) * (x * s.exp() + t), log_det
    return keep * x + (1 - keep) * ((x - t) * torch.exp(-s)), -log_det


# %% network-without-gradient wrong="affine-coupling"
# No gradient passes through the network: mask [True, False], s = 0, t = the sum of the row, the
# sum of y has the gradient [0, 1] with respect to the row, not [1, 1].
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    with torch.no_grad():
        s, t = net(torch.where(mask, x, 0.0))
    s = s.clamp(-4, 4).masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    if inverse:
        return x * s.exp() + t, s.sum(1)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% one-row-squeezed wrong="affine-coupling"
# With one row, x of shape (1, d), d > 1, the determinant is 0-d instead of shape (1,).
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    s, t = net(torch.where(mask, x, 0.0))
    s = s.clamp(-4, 4).masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    log_det = s.sum(1, keepdim=True).squeeze()
    if inverse:
        return x * s.exp() + t, log_det
    return (x - t) * torch.exp(-s), -log_det


# %% columns-joined right="coupling-stack"
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    d = x.shape[1]
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        kept = list(range(k % 2, d, 2))
        moved = list(range(1 - k % 2, d, 2))
        s, t = net(x[:, kept])
        both = torch.cat([x[:, kept], (x[:, moved] - t) * torch.exp(-s)], 1)
        x = both[:, torch.argsort(torch.tensor(kept + moved))]
        log_det = log_det - s.sum(1)
    return log_det - 0.5 * (x**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% recursion right="coupling-stack"
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""

    def check(columns, k):  # log density of the columns that layer k is given
        if k == len(nets):
            y = torch.stack(columns, 1)
            return torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(1)
        even, odd = columns[0::2], columns[1::2]
        kept, moved = (odd, even) if k % 2 else (even, odd)
        s, t = nets[k](torch.stack(kept, 1))
        moved = [(c - t[:, i]) / torch.exp(s[:, i]) for i, c in enumerate(moved)]
        even, odd = (moved, kept) if k % 2 else (kept, moved)
        merged = [(even if i % 2 == 0 else odd)[i // 2] for i in range(len(columns))]
        return check(merged, k + 1) - s.sum(1)

    return check(list(x.unbind(1)), 0)


# %% first-layer-differs wrong="coupling-stack"
# Every layer after the first keeps the odd columns: three layers, d = 2, x = [[1., 2.]], s = 0 and
# t = kept, so that the noise is [0, 1]: layers 0 to 2 give (1, 1), (0, 1), (0, 1).
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    d = x.shape[1]
    even, odd = list(range(0, d, 2)), list(range(1, d, 2))
    total = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        kept, moved = (even, odd) if k == 0 else (odd, even)
        s, t = net(x[:, kept])
        y = x.clone()
        y[:, moved] = (x[:, moved] - t) * torch.exp(-s)
        x, total = y, total - s.sum(1)
    return total - 0.5 * (x**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% interleaved-halves wrong="coupling-stack"
# Interleaves as many even as odd columns: with d = 3 torch.stack raises an error.
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    even, odd = x[:, 0::2], x[:, 1::2]
    total = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        if k % 2 == 0:
            s, t = net(even)
            odd = (odd - t) * torch.exp(-s)
        else:
            s, t = net(odd)
            even = (even - t) * torch.exp(-s)
        total = total - s.sum(1)
    z = torch.stack([even, odd], 2).flatten(1)
    return total - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% four-columns wrong="coupling-stack"
# The constant is that of d = 4: x = [[0., 0.]] without layers gives -3.68 for -1.84.
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    total = -2 * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        kept = torch.arange(x.shape[1]) % 2 == k % 2
        s, t = net(x[:, kept])
        y = x.clone()
        y[:, ~kept] = (x[:, ~kept] - t) * torch.exp(-s)
        x, total = y, total - s.sum(1)
    return total - 0.5 * (x**2).sum(1)


# %% scale-limited wrong="coupling-stack"
# s is limited to [-3, 3]: x = [[0., 0.]], one layer with s = 5 and t = 0 is off by 2.
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    d = x.shape[1]
    total = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        kept = torch.arange(d) % 2 == k % 2
        s, t = net(x[:, kept])
        s = s.clamp(-3, 3)
        y = x.clone()
        y[:, ~kept] = (x[:, ~kept] - t) * torch.exp(-s)
        x, total = y, total - s.sum(1)
    return total - 0.5 * (x**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% x-without-gradient wrong="coupling-stack"
# No gradient reaches x: without layers it is -x, such as -1 at x = [[1., 1.]].
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    d = x.shape[1]
    z = x.detach().clone()
    total = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        kept = torch.arange(d) % 2 == k % 2
        s, t = net(z[:, kept])
        y = z.clone()
        y[:, ~kept] = (z[:, ~kept] - t) * torch.exp(-s)
        z, total = y, total - s.sum(1)
    return total - 0.5 * (z**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% views-overwritten wrong="coupling-stack"
# Overwrites what a network has saved: with d = 2, a layer whose s and t are an nn.Linear(1, 1) of
# the kept column raises an error in backward().
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    z = x.clone()
    total = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2])
        z[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        total = total - s.sum(1)
    return total - 0.5 * (z**2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


# %% column-by-column right="autoregressive-draws"
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.zeros_like(z)
    log_p = torch.zeros(len(z), dtype=z.dtype)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = x.clone()
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
        log_p = log_p - s[:, i] - 0.5 * z[:, i] ** 2 - 0.5 * math.log(2 * math.pi)
    return x, log_p


# %% whole-rows-d-times right="autoregressive-draws"
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    y = 0 * z
    for k in range(z.shape[1]):
        s, t = net(y)
        done = torch.arange(z.shape[1]) <= k
        y = torch.where(done, z * s.exp() + t, torch.zeros_like(z))
    s, _ = net(y)
    return y, torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1) - s.sum(1)


# %% three-rounds wrong="autoregressive-draws"
# Three rounds are enough for three columns only: d = 6, s = 0, t = the column before plus 1.
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.zeros_like(z)
    for _ in range(3):
        s, t = net(x)
        x = z * s.exp() + t
    s, _ = net(x)
    return x, -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% stops-at-a-tolerance wrong="autoregressive-draws"
# Stops when little changes: d = 3, z = [[1e-7, 0., 0.]], s = 0, t_1 = x_0, t_2 = 1e6 x_1, which
# makes x_2 = 0.1.
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.zeros_like(z)
    for _ in range(z.shape[1]):
        s, t = net(x)
        new = z * s.exp() + t
        if (new - x).abs().max() < 1e-6:
            break
        x = new
    s, _ = net(x)
    return x, -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% nan-as-placeholder wrong="autoregressive-draws"
# Columns to come are nan, and 0 * nan is nan: a net that is a product with a strictly upper
# triangular matrix, d = 2.
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.full_like(z, math.nan)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    s, _ = net(x)
    return x, -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% scale-limited wrong="autoregressive-draws"
# s is limited to [-3, 3]: d = 1, s = 5, t = 0, z = [[1.]] should give exp(5).
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * s[:, i].clamp(-3, 3).exp() + t[:, i]
    s = net(x)[0].clamp(-3, 3)
    return x, -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% float-buffer wrong="autoregressive-draws"
# The columns pass through float32: d = 2, z = 0, s = 0, t_0 = 1e6 + 0.01, t_1 = x_0 - 1e6.
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log density at them."""
    x = torch.zeros(z.shape)
    for i in range(z.shape[1]):
        s, t = net(x.double())
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    s, t = net(x.double())
    log_p = -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return z * s.exp() + t, log_p


# %% all-centres-at-once right="log-integral"
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    parts = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    sides = [a + (b - a) * parts for a, b in zip(low, high, strict=True)]
    area = math.log((high[0] - low[0]) / n) + math.log((high[1] - low[1]) / n)
    return torch.logsumexp(log_p(torch.cartesian_prod(*sides)), 0) + area


# %% strip-by-strip right="log-integral"
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    k = [(float(high[j]) - float(low[j])) / n for j in range(2)]
    strips = []
    for i in range(n):
        y = torch.empty(n, 2, dtype=torch.float64)
        y[:, 0] = low[0] + (i + 0.5) * k[0]
        for j in range(n):
            y[j, 1] = low[1] + (j + 0.5) * k[1]
        strips.append(torch.logsumexp(log_p(y), 0))
    total = strips[0]
    for value in strips[1:]:
        total = torch.logaddexp(total, value)
    return float(total) + math.log(k[0]) + math.log(k[1])


# %% single-precision-grid wrong="log-integral"
# The points pass through float32: low = (1e6, 0), high = (1e6 + 1, 1), n = 10 and
# log_p = 10 * (x - 1e6).
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    h = [(high[j] - low[j]) / n for j in range(2)]
    sides = [low[j] + (torch.arange(n) + 0.5) * h[j] for j in range(2)]
    points = torch.cartesian_prod(*sides).double()
    return torch.logsumexp(log_p(points), 0) + math.log(h[0] * h[1])


# %% centre-as-the-shift wrong="log-integral"
# Shifted by the value at the centre: log_p = 1000 x on the square from -1 to 1 overflows, n = 4.
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    low, high = torch.tensor(low).double(), torch.tensor(high).double()
    parts = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    points = low + (high - low) * torch.cartesian_prod(parts, parts)
    shift = log_p((low + high)[None] / 2)[0]
    total = torch.exp(log_p(points) - shift).sum()
    return shift + total.log() + ((high - low) / n).log().sum()


# %% one-cell-too-many wrong="log-integral"
# arange may go one step too far by rounding: the unit square, n = 49, log_p = 0 gives 0.04 for 0.
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    h = [(high[j] - low[j]) / n for j in range(2)]
    sides = [torch.arange(low[j], high[j], h[j], dtype=torch.float64) + h[j] / 2 for j in range(2)]
    return torch.logsumexp(log_p(torch.cartesian_prod(*sides)), 0) + math.log(h[0] * h[1])


# %% values-with-floor wrong="log-integral"
# Log values are at least -5000: log_p = -9000 on the unit square gives -5000.
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    parts = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    sides = [low[j] + (high[j] - low[j]) * parts for j in range(2)]
    values = log_p(torch.cartesian_prod(*sides)).clamp(min=-5000)
    area = (high[0] - low[0]) * (high[1] - low[1]) / n**2
    return torch.logsumexp(values, 0) + math.log(area)


# %% whole-chunks-only wrong="log-integral"
# Points beyond the last whole chunk of 1000 are left out: n = 40, log_p = 0, the unit square.
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    parts = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    sides = [low[j] + (high[j] - low[j]) * parts for j in range(2)]
    points = torch.cartesian_prod(*sides)
    chunks = max(1, len(points) // 1000)
    size = min(len(points), 1000)
    logs = [torch.logsumexp(log_p(points[i * size : (i + 1) * size]), 0) for i in range(chunks)]
    area = (high[0] - low[0]) * (high[1] - low[1]) / n**2
    return torch.logsumexp(torch.stack(logs), 0) + math.log(area)


# %% both-sides-of-q right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        log_p = log_prob(log_q - log_r) - (log_q + log_r).sum(1) + d * math.log(1 - 2 * alpha)
    return -(log_p / d - math.log(levels)).mean() / math.log(2)


# %% noise-in-nats-by-rows right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    n, d = counts.shape
    y = torch.empty(n, d, dtype=torch.float64)
    log_slope = torch.zeros(n, dtype=torch.float64)  # of what the model sees, by k + u
    for i in range(n):
        for j in range(d):
            k, u = int(counts[i, j]), float(noise[i, j])
            if alpha is None:
                y[i, j] = (k + u) / levels
                log_slope[i] -= math.log(levels)
            else:
                q = alpha + (1 - 2 * alpha) * ((k + u) / levels)
                r = alpha + (1 - 2 * alpha) * ((levels - 1 - k + (1 - u)) / levels)
                y[i, j] = math.log(q / r)
                log_slope[i] += math.log((1 - 2 * alpha) / levels / q / r)
    bits = -(log_prob(y) + log_slope) / math.log(2) / d
    return float(bits.mean())


# %% levels-from-the-counts wrong="bits-per-dimension"
# Takes the number of levels from the data: counts = [[1]], noise = [[0.5]], levels = 4 and
# log_prob = 0 give 1 bit for 2.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d, levels = counts.shape[1], int(counts.max()) + 1
    y = (counts + noise) / levels
    log_det = -d * math.log(levels)
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * y
        log_det = log_det + (math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)).sum(1)
        y = q.log() - torch.log1p(-q)
    return -(log_prob(y) + log_det).mean() / (d * math.log(2))


# %% epsilon-at-the-ends wrong="bits-per-dimension"
# q is kept within 1e-6 of the ends: counts = [[0]], noise = [[1e-9]], levels = 2, alpha = 0 with a
# standard Normal log_prob should give 302.3.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d = counts.shape[1]
    y = (counts + noise) / levels
    log_det = -d * math.log(levels)
    if alpha is not None:
        q = (alpha + (1 - 2 * alpha) * y).clamp(1e-6, 1 - 1e-6)
        v = torch.logit(q)
        slope = (1 - 2 * alpha) / (q * (1 - q))
        return -(log_prob(v) + log_det + slope.log().sum(1)).mean() / (d * math.log(2))
    return -(log_prob(y) + log_det).mean() / (d * math.log(2))


# %% counts-in-bytes wrong="bits-per-dimension"
# Counts pass through uint8: counts = [[300]], levels = 1000, noise = [[0.5]], with the
# density 2 y, has y = 0.0445.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d = counts.shape[1]
    y = (counts.to(torch.uint8) + noise) / levels
    log_det = -d * math.log(levels)
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * y
        log_det = log_det + (math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)).sum(1)
        y = q.log() - torch.log1p(-q)
    return -(log_prob(y) + log_det).mean() / (d * math.log(2))


# %% single-precision wrong="bits-per-dimension"
# float32 inside: counts = [[255]], noise = [[1 - 1e-9]], levels = 256, alpha = 0 makes q = 1.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d = counts.shape[1]
    y = (counts.float() + noise.float()) / levels
    log_det = torch.tensor(-d * math.log(levels), dtype=torch.float64)
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * y
        log_det = log_det + (math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)).sum(1).double()
        y = q.log() - torch.log1p(-q)
    return -(log_prob(y.double()) + log_det).mean() / (d * math.log(2))


# %% alpha-floor wrong="bits-per-dimension"
# alpha is at least 1e-8: counts = [[0]], noise = [[1e-9]], levels = 256, alpha = 0 with a
# log_prob of standard Normal coordinates.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    d = counts.shape[1]
    y = (counts + noise) / levels
    log_det = -d * math.log(levels)
    if alpha is not None:
        alpha = max(alpha, 1e-8)
        q = alpha + (1 - 2 * alpha) * y
        log_det = log_det + (math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)).sum(1)
        y = q.log() - torch.log1p(-q)
    return -(log_prob(y) + log_det).mean() / (d * math.log(2))
