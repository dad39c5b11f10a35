# %% slope-of-the-sum right="transformed-density"
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        z = to_noise(point)
        (slope,) = torch.autograd.grad(z.sum(), point)
    z = z.detach()
    return torch.log(slope.abs()) - 0.5 * z**2 - 0.5 * math.log(2 * math.pi)


# %% point-by-point right="transformed-density"
def transformed_log_prob(x, to_noise):
    y = []
    for value in x.tolist():
        k = torch.tensor([value], dtype=torch.float64)
        check = torch.autograd.functional.jacobian(to_noise, k).item()
        log_slope = torch.tensor(abs(check), dtype=torch.float64).log()
        y.append(torch.distributions.Normal(0.0, 1.0).log_prob(to_noise(k)).sum() + log_slope)
    return torch.stack(y).detach()


# %% slopes-to-a-million right="transformed-density"
# Right for slopes of at most a million.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone().requires_grad_()
    z = to_noise(point)
    slope = torch.autograd.grad(z.sum(), point)[0].abs().clamp(1e-12, 1e6)
    return (slope.log() - z**2 / 2 - math.log(2 * math.pi) / 2).detach()


# %% noise-to-a-hundred wrong="transformed-density"
# The noise is limited to 100: x [5.0], to_noise lambda x: 60 * x.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone().requires_grad_()
    z = to_noise(point)
    slope = torch.autograd.grad(z.sum(), point)[0]
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(z.detach().clamp(-100, 100)) + slope.abs().log()


# %% differences-for-slopes wrong="transformed-density"
# A difference quotient drowns in a constant: x [0.5], to_noise lambda x: 1e-12 * x + 5.
def transformed_log_prob(x, to_noise):
    z, step = to_noise(x), 1e-5
    slope = (to_noise(x + step) - to_noise(x - step)) / (2 * step)
    return slope.abs().log() - 0.5 * z.square() - 0.5 * math.log(2 * math.pi)


# %% jacobian-of-one wrong="transformed-density"
# A single point leaves no matrix to take the diagonal of: x [1.0], to_noise torch.log.
def transformed_log_prob(x, to_noise):
    jacobian = torch.autograd.functional.jacobian(to_noise, x).squeeze()
    slope = torch.diagonal(jacobian)
    z = to_noise(x)
    return torch.log(slope.abs()) - 0.5 * z**2 - 0.5 * math.log(2 * math.pi)


# %% filled-with-zeros right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, 0.0))
    s = torch.where(mask, 0.0, s.clamp(-4, 4))
    t = torch.where(mask, 0.0, t)
    if inverse:
        return torch.where(mask, x, x * torch.exp(s) + t), s.sum(1)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -s.sum(1)


# %% column-by-column right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    k = mask.tolist()
    check = net(torch.stack([x[:, j] if k[j] else 0 * x[:, j] for j in range(len(k))], dim=1))
    y, log_det = [], torch.zeros(len(x), dtype=x.dtype)
    for j, keep in enumerate(k):
        if keep:
            y.append(x[:, j])
            continue
        s = torch.clip(check[0][:, j], min=-4.0, max=4.0)
        t = check[1][:, j]
        y.append(x[:, j] * s.exp() + t if inverse else (x[:, j] - t) / s.exp())
        log_det = log_det + (s if inverse else -s)
    return torch.stack(y, dim=1), log_det


# %% mask-as-a-factor right="affine-coupling"
# Right where networks return finite numbers.
def affine_coupling(x, mask, net, inverse=False):
    m = mask.to(x.dtype)
    s, t = net(x * m)
    s, t = s.clamp(-4, 4) * (1 - m), t * (1 - m)
    if inverse:
        return x * torch.exp(s) + t, s.sum(1)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% determinant-unlimited wrong="affine-coupling"
# The log determinant sums s before the limit: net lambda h: (9 + 0 * h, 0 * h), x [[1.0, 2.0]],
# mask [True, False].
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x.masked_fill(~mask, 0.0))
    scale = s.clamp(-4, 4)
    log_det = s.masked_fill(mask, 0.0).sum(dim=1)
    if inverse:
        return torch.where(mask, x, x * scale.exp() + t), log_det
    return torch.where(mask, x, (x - t) * (-scale).exp()), -log_det


# %% network-without-gradient wrong="affine-coupling"
# No gradient passes through the network: the gradient of y.sum() in x, at
# net lambda h: (0 * h, h.sum(1, keepdim=True) + 0 * h), x [[1.0, 2.0]], mask [True, False].
def affine_coupling(x, mask, net, inverse=False):
    with torch.no_grad():
        s, t = net(torch.where(mask, x, 0.0))
        s = torch.where(mask, 0.0, s.clamp(-4, 4))
    moved = x * s.exp() + t if inverse else (x - t) * (-s).exp()
    return torch.where(mask, x, moved), s.sum(1) if inverse else -s.sum(1)


# %% limited-in-place wrong="affine-coupling"
# Writes into the tensor that the network keeps: net lambda h: (table, 0 * h) with
# table [[9.0, 9.0]], x [[1.0, 2.0]], mask [True, False]; afterwards table is 4, and a table
# that requires a gradient raises.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, 0.0))
    s = s.clamp_(-4, 4)
    moved = x * torch.exp(s) + t if inverse else (x - t) * torch.exp(-s)
    log_det = torch.where(mask, 0.0, s).sum(1)
    return torch.where(mask, x, moved), log_det if inverse else -log_det


# %% two-lists-of-columns right="coupling-stack"
def stack_log_prob(x, nets):
    d = x.shape[1]
    columns = list(x.unbind(1))
    log_det = torch.zeros_like(x[:, 0])
    for layer, net in enumerate(nets):
        kept = [columns[j] for j in range(layer % 2, d, 2)]
        s, t = net(torch.stack(kept, dim=1))
        for i, j in enumerate(range(1 - layer % 2, d, 2)):
            columns[j] = (columns[j] - t[:, i]) * torch.exp(-s[:, i])
        log_det = log_det - s.sum(1)
    z = torch.stack(columns, dim=1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% new-tensor-each-layer right="coupling-stack"
def stack_log_prob(x, nets):
    y, k = x, 0.0
    for i in range(len(nets)):
        a, b = y[:, i % 2 :: 2], y[:, (i + 1) % 2 :: 2]
        s, t = nets[i](a)
        check = torch.empty_like(y)
        check[:, i % 2 :: 2] = a
        check[:, (i + 1) % 2 :: 2] = (b - t) / torch.exp(s)
        y, k = check, k + s.sum(dim=1)
    return torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(dim=1) - k


# %% only-the-first-is-even wrong="coupling-stack"
# Every layer after the first keeps the odd columns: three layers, each
# lambda kept: (0 * kept + 1, 0 * kept), x [[1.0, 2.0]].
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        keep = 0 if k == 0 else 1
        s, t = net(z[:, keep::2])
        moved = (z[:, 1 - keep :: 2] - t) * torch.exp(-s)
        new = z.clone()
        new[:, 1 - keep :: 2] = moved
        z, log_det = new, log_det - s.sum(1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% written-in-place wrong="coupling-stack"
# Writing over columns that a network has saved breaks the gradient: the gradient in w [[0.5]],
# nets [lambda kept: (kept @ w, kept)], x [[1.0, 2.0]].
def stack_log_prob(x, nets):
    z, log_det = x.clone(), torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2])
        z[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


# %% no-layer-to-stack wrong="coupling-stack"
# Raises without layers: x [[1.0, 2.0]], nets [].
def stack_log_prob(x, nets):
    z, scales = x, []
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2])
        new = z.clone()
        new[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        z = new
        scales.append(s.sum(1))
    log_p = -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)
    return log_p - torch.stack(scales).sum(0)


# %% columns-in-pairs wrong="coupling-stack"
# Columns are put back in pairs, and an odd number has a rest: x [[1.0, 2.0, 3.0]],
# nets [lambda kept: (0 * kept[:, :1], 0 * kept[:, :1])].
def stack_log_prob(x, nets):
    n, d = x.shape
    parts = [x[:, ::2], x[:, 1::2]]
    log_det = torch.zeros(n, dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    z = torch.stack(parts, dim=2).reshape(n, d)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * d * math.log(2 * math.pi)


# %% filled-from-the-left right="autoregressive-draws"
def sample_autoregressive(z, net):
    x, scales = torch.zeros_like(z), torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        scales[:, i] = s[:, i]
    log_p = -0.5 * (z**2 + math.log(2 * math.pi)).sum(1) - scales.sum(1)
    return x, log_p


# %% padded-prefixes right="autoregressive-draws"
def sample_autoregressive(z, net):
    (n, d), y = z.shape, []
    check = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    for k in range(d):
        rest = torch.zeros(n, d - k, dtype=z.dtype)
        s, t = net(torch.cat([*y, rest], dim=1))
        y.append((z[:, k] * s[:, k].exp() + t[:, k]).unsqueeze(1))
        check = check - s[:, k]
    return torch.cat(y, dim=1), check


# %% ten-rounds wrong="autoregressive-draws"
# Ten rounds reach ten columns: z ones(1, 12), net with s = 0 and t the sum of the columns before.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(10):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s = net(x)[0]
    return x, -(0.5 * z**2 + 0.5 * math.log(2 * math.pi) + s).sum(1)


# %% unknown-is-nan wrong="autoregressive-draws"
# Columns that are not known yet are nan, which a masked matrix spreads: z [[1.0, 2.0]],
# net lambda x: (0 * x @ M, x @ M) with M [[0.0, 1.0], [0.0, 0.0]].
def sample_autoregressive(z, net):
    x = torch.full_like(z, math.nan)
    log_p = -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = t[:, i] + s[:, i].exp() * z[:, i]
        log_p = log_p - s[:, i]
    return x, log_p


# %% draws-in-float32 wrong="autoregressive-draws"
# The draws are collected in float32: z [[0.7654321, 0.0]], net with s = 0 and t 0 in column 0,
# sin(1e6 * x[:, 0]) in column 1.
def sample_autoregressive(z, net):
    n, d = z.shape
    x, log_p = torch.zeros(n, d), -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)
    for i in range(d):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        log_p = log_p - s[:, i]
    return x.to(z.dtype), log_p


# %% scale-to-four wrong="autoregressive-draws"
# Log scales are limited to 4, which nobody asked for: z [[1.0]], net lambda x: (0 * x + 6, 0 * x).
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        s = s.clamp(-4, 4)
        column = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        x = torch.cat([x[:, :i], column[:, None], x[:, i + 1 :]], dim=1)
    return x, -0.5 * (z**2 + math.log(2 * math.pi)).sum(1) - s.sum(1)


# %% product-of-centres right="log-integral"
def log_integral(log_p, low, high, n):
    centres = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    sides = [low[j] + (high[j] - low[j]) * centres for j in range(2)]
    area = sum(math.log(high[j] - low[j]) - math.log(n) for j in range(2))
    return torch.logsumexp(log_p(torch.cartesian_prod(*sides)), dim=0) + area


# %% row-by-row right="log-integral"
def log_integral(log_p, low, high, n):
    total = torch.tensor(-math.inf, dtype=torch.float64)
    k = [(high[j] - low[j]) / n for j in (0, 1)]
    y = torch.tensor([low[1] + (i + 0.5) * k[1] for i in range(n)], dtype=torch.float64)
    for i in range(n):
        check = torch.column_stack([torch.full_like(y, low[0] + (i + 0.5) * k[0]), y])
        total = torch.logaddexp(total, torch.logsumexp(log_p(check), 0))
    return float(total) + math.log(k[0]) + math.log(k[1])


# %% centres-in-float32 wrong="log-integral"
# The centres are float32, where they collapse far from zero: low (1e8, 0.0), high (1e8 + 4, 1.0),
# n 4, log_p lambda p: -((p[:, 0] - 1e8 - 0.5) ** 2).
def log_integral(log_p, low, high, n):
    steps = (torch.arange(n) + 0.5) / n
    a = low[0] + (high[0] - low[0]) * steps
    b = low[1] + (high[1] - low[1]) * steps
    points = torch.cartesian_prod(a, b).to(torch.float64)
    area = (high[0] - low[0]) * (high[1] - low[1]) / n**2
    return torch.logsumexp(log_p(points), 0) + math.log(area)


# %% area-underflows right="log-integral"
# Right for sides of at least a millionth.
def log_integral(log_p, low, high, n):
    h = [(b - a) / n for a, b in zip(low, high)]
    side = [low[j] + h[j] * (torch.arange(n, dtype=torch.float64) + 0.5) for j in range(2)]
    x, y = torch.meshgrid(*side, indexing="ij")
    log_values = log_p(torch.stack([x.flatten(), y.flatten()], 1))
    area = torch.tensor(h[0] * h[1], dtype=torch.float64)
    return torch.logsumexp(log_values, 0) + torch.log(area)


# %% one-step-too-many wrong="log-integral"
# arange with a rounded step goes one cell too far: low (0.0, 0.0), high (1.0, 1.0), n 49,
# log_p lambda p: 0 * p[:, 0].
def log_integral(log_p, low, high, n):
    hx, hy = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = torch.arange(low[0], high[0], hx, dtype=torch.float64) + hx / 2
    y = torch.arange(low[1], high[1], hy, dtype=torch.float64) + hy / 2
    values = log_p(torch.cartesian_prod(x, y))
    return torch.logsumexp(values, dim=0) + math.log(hx) + math.log(hy)


# %% shifted-by-the-centre wrong="log-integral"
# The shift is the value in the middle, not the largest: low (-1.0, -1.0), high (1.0, 1.0), n 3,
# log_p lambda p: 2000 * p[:, 0].
def log_integral(log_p, low, high, n):
    unit = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x, y = (low[j] + (high[j] - low[j]) * unit for j in range(2))
    points = torch.cartesian_prod(x, y)
    values = log_p(points)
    shift = values[len(values) // 2]
    area = (high[0] - low[0]) * (high[1] - low[1]) / n**2
    return torch.log(torch.exp(values - shift).sum() * area) + shift


# %% both-sides-of-q right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    if alpha is None:
        log_p = log_prob((counts + noise) / levels)
    else:
        q = alpha + (1 - 2 * alpha) * (counts + noise) / levels
        rest = alpha + (1 - 2 * alpha) * ((levels - 1 - counts) + (1 - noise)) / levels
        log_p = log_prob(torch.log(q) - torch.log(rest))
        log_p = log_p + (math.log(1 - 2 * alpha) - torch.log(q) - torch.log(rest)).sum(1)
    return -(log_p / d - math.log(levels)).mean() / math.log(2)


# %% slope-from-v right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, k = counts.shape
    check = counts.to(torch.float64) + noise
    total = -n * k * math.log(levels)
    if alpha is None:
        total += log_prob(check / levels).sum().item()
    else:
        left = alpha * levels + (1 - 2 * alpha) * check
        right = alpha * levels + (1 - 2 * alpha) * ((levels - 1 - counts) - (noise - 1))
        y = left.log() - right.log()
        softplus = torch.nn.functional.softplus
        slopes = softplus(y) + softplus(-y) + math.log1p(-2 * alpha)
        total += log_prob(y).sum().item() + slopes.sum().item()
    return -total / (n * k) / math.log(2)


# %% whole-bits wrong="bits-per-dimension"
# The number of levels counts in whole bits: levels 10, counts [[3]], noise [[0.5]],
# log_prob lambda y: 0 * y[:, 0].
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d, bits = counts.shape[1], levels.bit_length() - 1
    y = (counts + noise) / levels
    if alpha is None:
        return bits - log_prob(y).mean() / (d * math.log(2))
    q = alpha + (1 - 2 * alpha) * y
    slope = (math.log(1 - 2 * alpha) - torch.log(q) - torch.log1p(-q)).sum(1)
    return bits - (log_prob(torch.logit(q)) + slope).mean() / (d * math.log(2))


# %% kept-off-the-ends wrong="bits-per-dimension"
# q stays 1e-6 away from 0 and 1: levels 4, counts [[0]], noise [[1e-12]], alpha 0.0,
# log_prob lambda v: -v[:, 0] ** 2 / 2.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    value = (counts + noise) / levels
    log_p = -d * math.log(levels)
    if alpha is None:
        log_p = log_p + log_prob(value)
    else:
        q = (alpha + (1 - 2 * alpha) * value).clamp(1e-6, 1 - 1e-6)
        log_p = log_p + log_prob(torch.logit(q)) + d * math.log(1 - 2 * alpha)
        log_p = log_p - (q.log() + (1 - q).log()).sum(1)
    return -log_p.mean() / (d * math.log(2))


# %% rounded-to-one right="bits-per-dimension"
# Right for noise of at most 1 - 1e-9.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    value = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(value)
    else:
        q = alpha + (1 - 2 * alpha) * value
        v = torch.log(q) - torch.log1p(-q)
        log_p = log_prob(v) + torch.log((1 - 2 * alpha) / (q * (1 - q))).sum(dim=1)
    return math.log2(levels) - log_p.mean() / d / math.log(2)


# %% one-row-or-column wrong="bits-per-dimension"
# One row or one column loses its axis before the model sees it: counts [[1, 2]],
# noise [[0.5, 0.5]], levels 4, log_prob lambda y: 0 * y.sum(1).
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    y = ((counts + noise) / levels).squeeze()
    if alpha is None:
        log_p = log_prob(y).mean()
    else:
        q = alpha + (1 - 2 * alpha) * y
        log_p = log_prob(torch.logit(q)).mean()
        log_p = log_p - ((q * (1 - q)).log() - math.log(1 - 2 * alpha)).sum() / n
    return math.log2(levels) - log_p / (d * math.log(2))
