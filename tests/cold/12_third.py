# %% density-autograd-grad right="transformed-density"
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_(True)
        z = to_noise(leaf)
        (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + torch.log(slope.abs())


# %% density-forward-mode-loop right="transformed-density"
def transformed_log_prob(x, to_noise):
    def check(point):
        z, k = torch.func.jvp(to_noise, (point,), (torch.ones_like(point),))
        normal = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
        return normal.log_prob(z) + k.abs().log()

    return torch.cat([check(x[i : i + 1].detach().clone()) for i in range(x.shape[0])])


# %% density-squeezed wrong="transformed-density"
# The shape collapses for one element: x = [0.5] gives shape () where (1,) is due.
def transformed_log_prob(x, to_noise):
    leaf = x.detach().clone().requires_grad_(True)
    z = to_noise(leaf)
    slope = torch.autograd.grad(z.sum(), leaf)[0]
    log_p = -0.5 * z.detach() ** 2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()
    return log_p.squeeze()


# %% density-noise-clamped wrong="transformed-density"
# Noise is cut at 100 in size: x = [10.0] with to_noise = 30 * x (noise 300) gives -5000.
def transformed_log_prob(x, to_noise):
    leaf = x.detach().clone().requires_grad_(True)
    z = to_noise(leaf)
    slope = torch.autograd.grad(z.sum(), leaf)[0]
    z = z.detach().clamp(-100, 100)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-central-difference wrong="transformed-density"
# The slope cancels: x = [0.5] with to_noise = 5 + 1e-12 * x gives slope 0 and so -inf.
def transformed_log_prob(x, to_noise):
    h = 1e-5 * x.abs().clamp(min=1e-3)
    z = to_noise(x)
    slope = (to_noise(x + h) - to_noise(x - h)) / (2 * h)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-through-float32 wrong="transformed-density"
# x is rounded to float32: x = [0.7] with to_noise = 1e6 * (x - 0.7) + 3 is off by 3e-3 or more.
def transformed_log_prob(x, to_noise):
    leaf = torch.tensor(x.tolist()).double().requires_grad_(True)
    z = to_noise(leaf)
    slope = torch.autograd.grad(z.sum(), leaf)[0]
    return -0.5 * z.detach() ** 2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% coupling-where right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s = torch.where(mask, zero, s.clamp(-4.0, 4.0))
    t = torch.where(mask, zero, t)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% coupling-column-loop right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    n, d = x.shape
    columns = list(x.unbind(1))
    shown = [c if kept else 0 * c for c, kept in zip(columns, mask.tolist())]
    s, t = net(torch.stack(shown, dim=1))
    y, k = [], x.new_zeros(n)
    for i in range(d):
        if mask[i]:
            y.append(columns[i])
            continue
        scale = torch.minimum(torch.maximum(s[:, i], x.new_tensor(-4.0)), x.new_tensor(4.0))
        if inverse:
            y.append(columns[i] * scale.exp() + t[:, i])
            k = k + scale
        else:
            y.append((columns[i] - t[:, i]) * (-scale).exp())
            k = k - scale
    return torch.stack(y, dim=1), k


# %% coupling-log-det-unlimited wrong="affine-coupling"
# The log-det sums s before the limit: x = [[0.5, 1.0]], mask = [T, F], s = 10 gives -10, not -4.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x * mask)
    s, t = s * ~mask, t * ~mask
    limited = s.clamp(-4, 4)
    if inverse:
        return x * limited.exp() + t, s.sum(1)
    return (x - t) * (-limited).exp(), -s.sum(1)


# %% coupling-kept-first wrong="affine-coupling"
# Takes the kept coordinates to be the first ones: wrong for mask = [False, True, False].
def affine_coupling(x, mask, net, inverse=False):
    k = int(mask.sum())
    kept, moved = x[:, :k], x[:, k:]
    s, t = net(torch.cat([kept, torch.zeros_like(moved)], dim=1))
    s, t = s[:, k:].clamp(-4, 4), t[:, k:]
    if inverse:
        return torch.cat([kept, moved * s.exp() + t], dim=1), s.sum(1)
    return torch.cat([kept, (moved - t) * (-s).exp()], dim=1), -s.sum(1)


# %% coupling-net-input-detached wrong="affine-coupling"
# No gradient through the network: x = [[0.5, 1.0]], mask = [T, F], s = 0, t = sum of the input;
# the derivative of y[0, 1] with respect to x[0, 0] is -1 and comes out as 0.
def affine_coupling(x, mask, net, inverse=False):
    h = x.detach().clone()
    h[:, ~mask] = 0
    s, t = net(h)
    s = s.clamp(-4, 4).masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    if inverse:
        return x * s.exp() + t, s.sum(1)
    return (x - t) * (-s).exp(), -s.sum(1)


# %% coupling-inverse-unlimited wrong="affine-coupling"
# Only the way to noise is limited: x = [[0.5, 1.0]], mask = [T, F], s = 6, inverse=True gives
# e^6 where e^4 is due.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s = s.masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    if inverse:
        return x * s.exp() + t, s.sum(1)
    s = s.clamp(-4, 4)
    return (x - t) * (-s).exp(), -s.sum(1)


# %% stack-list-of-columns right="coupling-stack"
def stack_log_prob(x, nets):
    columns = list(x.unbind(1))
    d = len(columns)
    y = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        first = k % 2
        s, t = net(torch.stack(columns[first::2], dim=1))
        for j, i in enumerate(range(1 - first, d, 2)):
            columns[i] = (columns[i] - t[:, j]) * torch.exp(-s[:, j])
            y = y - s[:, j]
    for column in columns:
        y = y - 0.5 * column**2 - 0.5 * math.log(2 * math.pi)
    return y


# %% stack-index-copy right="coupling-stack"
def stack_log_prob(x, nets):
    index = torch.arange(x.shape[1])
    normal = torch.distributions.Normal(x.new_zeros(()), x.new_ones(()))

    def walk(h, layer):
        if layer == len(nets):
            return normal.log_prob(h).sum(-1)
        kept, moved = index[index % 2 == layer % 2], index[index % 2 != layer % 2]
        s, t = nets[layer](h.index_select(1, kept))
        new = (h.index_select(1, moved) - t) * (-s).exp()
        return walk(h.index_copy(1, moved, new), layer + 1) - s.sum(-1)

    return walk(x, 0)


# %% stack-first-layer-even wrong="coupling-stack"
# Only layer 0 keeps the even columns: three layers, d = 4, layer 2 keeps the odd ones.
def stack_log_prob(x, nets):
    log_det = 0
    for net in nets:
        if net is nets[0]:
            even, odd = x[:, 0::2], x[:, 1::2]
            s, t = net(even)
            odd = (odd - t) * torch.exp(-s)
        else:
            s, t = net(odd)
            even = (even - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    if nets:
        x = torch.cat([even, odd], dim=1)
    return (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-data-detached wrong="coupling-stack"
# The gradient with respect to x is lost: x = [[0.5, 1.0]], nets = [], it should be -x.
def stack_log_prob(x, nets):
    z = torch.tensor(x.tolist(), dtype=torch.float64)
    log_det = torch.zeros(len(z), dtype=torch.float64)
    for k, net in enumerate(nets):
        kept = z[:, k % 2 :: 2].clone()
        s, t = net(kept)
        new = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        z = z.clone()
        z[:, 1 - k % 2 :: 2] = new
        log_det = log_det - s.sum(1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-scales-limited wrong="coupling-stack"
# Limits s to 4 in size: x = [[0.5, 1.0]] and one layer with s = 10, t = 0.
def stack_log_prob(x, nets):
    log_det = torch.zeros_like(x[:, 0])
    for k, net in enumerate(nets):
        s, t = net(x[:, k % 2 :: 2])
        s = s.clamp(-4, 4)
        out = torch.empty_like(x)
        out[:, k % 2 :: 2] = x[:, k % 2 :: 2]
        out[:, 1 - k % 2 :: 2] = (x[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        x = out
        log_det = log_det - s.sum(1)
    return (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-pairs-of-columns wrong="coupling-stack"
# Cuts the row into pairs of columns: d = 3, x = [[0.5, 1.0, 2.0]] loses its last column.
def stack_log_prob(x, nets):
    half = x.shape[1] // 2
    parts = [x[:, 0 : 2 * half : 2], x[:, 1 : 2 * half : 2]]
    log_p = torch.zeros_like(x[:, 0])
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_p = log_p - s.sum(1)
    for part in parts:
        log_p = log_p - 0.5 * (part**2).sum(1) - 0.5 * half * math.log(2 * math.pi)
    return log_p


# %% draws-column-by-column right="autoregressive-draws"
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, _ = net(x.clone())
    log_p = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s
    return x, log_p.sum(dim=1)


# %% draws-grown-list right="autoregressive-draws"
def sample_autoregressive(z, net):
    n, d = z.shape
    done = []
    y = -0.5 * d * math.log(2 * math.pi) - z.square().sum(1) / 2
    for i in range(d):
        rest = [torch.ones_like(z[:, 0]) for _ in range(d - i)]
        s, t = net(torch.stack(done + rest, dim=1))
        k = s[:, i]
        done.append(z[:, i] * k.exp() + t[:, i])
        y = y - k
    return torch.stack(done, dim=1), y


# %% draws-three-passes wrong="autoregressive-draws"
# Always three passes: d = 5 with s = 0, t[:, i] = x[:, i - 1] + 1 leaves columns 3 and 4 wrong.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(3):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draws-stop-when-still wrong="autoregressive-draws"
# Stops at a small change: z = [[0.0, 0.01]], s = 0, t = (5e-5, 50 * x0) gives x1 = 0.01, but it
# is 0.0125.
def sample_autoregressive(z, net):
    x = z
    for _ in range(z.shape[1]):
        s, t = net(x)
        new = z * torch.exp(s) + t
        still = (new - x).abs().max() < 1e-4
        x = new
        if still:
            break
    s, t = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draws-density-as-product wrong="autoregressive-draws"
# The density underflows before its log: z = [[40.0]], s = t = 0 gives -inf, not -800.92.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(x.clone())
    p = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * torch.exp(-s)
    return x, p.prod(dim=1).log()


# %% draws-squeezed wrong="autoregressive-draws"
# One row collapses: z = [[0.5, -1.0]] gives a log density of shape () where (1,) is due.
def sample_autoregressive(z, net):
    x = z.clone()
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    normal = torch.distributions.Normal(0.0, 1.0)
    log_p = normal.log_prob(z).sum(1, keepdim=True) - s.sum(1, keepdim=True)
    return x, log_p.squeeze()


# %% integral-logsumexp right="log-integral"
def log_integral(log_p, low, high, n):
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    axes = [float(a) + (float(b) - float(a)) * middles for a, b in zip(low, high)]
    values = log_p(torch.cartesian_prod(*axes))
    area = math.log((high[0] - low[0]) / n) + math.log((high[1] - low[1]) / n)
    return torch.logsumexp(values, dim=0) + area


# %% integral-rows-running-maximum right="log-integral"
def log_integral(log_p, low, high, n):
    wx, wy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    top, y = -math.inf, 0.0
    for i in range(n):
        points = [[low[0] + (i + 0.5) * wx, low[1] + (j + 0.5) * wy] for j in range(n)]
        values = log_p(torch.tensor(points, dtype=torch.float64)).tolist()
        k = max(values)
        if k > top:
            y, top = y * math.exp(top - k), k
        y += math.fsum(math.exp(v - top) for v in values)
    return top + math.log(y) + math.log(wx) + math.log(wy)


# %% integral-shifted-by-mean wrong="log-integral"
# Subtracts the mean, not the maximum: log_p = 2000 * x on (-1, -1) to (1, 1), n = 10 gives inf.
def log_integral(log_p, low, high, n):
    wx, wy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + wx * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + wy * (torch.arange(n, dtype=torch.float64) + 0.5)
    values = log_p(torch.cartesian_prod(x, y))
    shift = values.mean()
    return shift + torch.log(torch.exp(values - shift).sum() * wx * wy)


# %% integral-float32-grid wrong="log-integral"
# The centres are float32: log_p = 9000 * (x - 999.3) on (999.2, 0) to (999.4, 1), n = 1 is off
# by more than 0.05.
def log_integral(log_p, low, high, n):
    wx, wy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = torch.linspace(low[0] + wx / 2, high[0] - wx / 2, n)
    y = torch.linspace(low[1] + wy / 2, high[1] - wy / 2, n)
    values = log_p(torch.cartesian_prod(x, y).double())
    return torch.logsumexp(values, 0) + math.log(wx * wy)


# %% integral-arange-steps wrong="log-integral"
# A step too many by rounding: log_p = 0 on (0, 0) to (1, 1), n = 49 has 50 * 50 cells.
def log_integral(log_p, low, high, n):
    wx, wy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = torch.arange(low[0], high[0], wx, dtype=torch.float64) + wx / 2
    y = torch.arange(low[1], high[1], wy, dtype=torch.float64) + wy / 2
    values = log_p(torch.cartesian_prod(x, y))
    return torch.logsumexp(values, 0) + math.log(wx) + math.log(wy)


# %% integral-values-clamped wrong="log-integral"
# Cuts log values at 5000 in size: log_p = 8000 on (0, 0) to (1, 1), n = 3 gives 5000.
def log_integral(log_p, low, high, n):
    wx, wy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + wx * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + wy * (torch.arange(n, dtype=torch.float64) + 0.5)
    grid = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(grid).clamp(-5000, 5000)
    return torch.logsumexp(values, 0) + math.log(wx * wy)


# %% bits-two-sided-logs right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    y = (counts.double() + noise) / levels
    if alpha is None:
        nats = log_prob(y)
    else:
        rest = ((levels - 1 - counts).double() + (1 - noise)) / levels  # this is 1 - y
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        slope = math.log(1 - 2 * alpha) - log_q - log_r
        nats = log_prob(log_q - log_r) + slope.sum(1)
    nats = nats - d * math.log(levels)
    return -nats.mean() / (d * math.log(2))


# %% bits-row-loop right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    total = 0.0
    for k, u in zip(counts, noise):
        y = ((k + u) / levels)[None]
        change = torch.full_like(y, -math.log2(levels))
        if alpha is not None:
            q = alpha + (1 - 2 * alpha) * y
            y = torch.logit(q)
            change = change + torch.log2((1 - 2 * alpha) / (q * (1 - q)))
        bits = log_prob(y)[0].item() / math.log(2) + change.sum().item()
        total -= bits / counts.shape[1]
    return total / counts.shape[0]


# %% bits-levels-from-data wrong="bits-per-dimension"
# Takes the levels from the counts: counts = [[0, 1]], noise 0.5, levels = 4 counts as 2 levels.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    levels = int(counts.max()) + 1
    y = (counts + noise) / levels
    change = -counts.shape[1] * math.log(levels)
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * y
        y = torch.log(q) - torch.log1p(-q)
        change = change + (math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)).sum(1)
    return -(log_prob(y) + change).mean() / (counts.shape[1] * math.log(2))


# %% bits-integer-quotient-float32 wrong="bits-per-dimension"
# counts / levels is float32: counts = [[9]], noise = [[1 - 1e-9]], levels = 10, alpha = 0 and a
# standard Normal model of v.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = counts / levels + noise / levels
    change = -counts.shape[1] * math.log(levels)
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * y
        y = torch.log(q / (1 - q))
        change = change + torch.log((1 - 2 * alpha) / (q * (1 - q))).sum(1)
    return -(log_prob(y) + change).mean() / (counts.shape[1] * math.log(2))


# %% bits-logit-clipped wrong="bits-per-dimension"
# Clips q at 1e-6: counts = [[0]], noise = [[1e-9]], levels = 4, alpha = 0 and a standard Normal
# model of v.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    change = -counts.shape[1] * math.log(levels)
    if alpha is not None:
        q = (alpha + (1 - 2 * alpha) * y).clamp(1e-6, 1 - 1e-6)
        y = torch.logit(q)
        change = change + torch.log((1 - 2 * alpha) / (q * (1 - q))).sum(1)
    return -(log_prob(y) + change).mean() / (counts.shape[1] * math.log(2))


# %% bits-alpha-float-only wrong="bits-per-dimension"
# The whole number 0 counts as no alpha: counts = [[0]], noise = [[0.1]], levels = 4, alpha = 0
# and a standard Normal model.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    change = -counts.shape[1] * math.log(levels)
    if isinstance(alpha, float):
        q = alpha + (1 - 2 * alpha) * y
        y = torch.logit(q)
        change = change + torch.log((1 - 2 * alpha) / (q * (1 - q))).sum(1)
    return -(log_prob(y) + change).mean() / (counts.shape[1] * math.log(2))
