# %% [markdown]
# Answers written from the text alone.


# %% density-autograd-sum right="transformed-density"
# The gradient of the sum of the noise with respect to a detached copy gives every slope at once.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        z = to_noise(leaf)
        (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-full-jacobian right="transformed-density"
# The diagonal of the full Jacobian, with the Normal of torch.distributions.
def transformed_log_prob(x, to_noise):
    x = x.detach()
    slope = torch.autograd.functional.jacobian(to_noise, x).diagonal()
    with torch.no_grad():
        z = to_noise(x.clone())
    normal = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    return normal.log_prob(z) + torch.log(torch.abs(slope))


# %% density-finite-difference wrong="transformed-density"
# Central differences with a fixed step in place of automatic differentiation: off where the
# transform bends within the step (torch.log at x = 0.001), or where a small slope sits on large
# noise (9000 + 1e-10 * x).
def transformed_log_prob(x, to_noise):
    step = 1e-4
    z = to_noise(x).detach()
    slope = (to_noise(x + step) - to_noise(x - step)).detach() / (2 * step)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + torch.log(slope.abs())


# %% density-noise-clamped wrong="transformed-density"
# Clamps the noise "for stability": wrong where noise is between 1000 and 10000 in size.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        z = to_noise(leaf)
        (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach().clamp(-1000, 1000)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-slope-clamped wrong="transformed-density"
# Clamps the slope to a range that is too short at its upper end: wrong for slopes above 1e5.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        z = to_noise(leaf)
        (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    log_slope = torch.log(slope.abs().clamp(1e-12, 1e5))
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + log_slope


# %% density-marks-its-input wrong="transformed-density"
# Calls requires_grad_ on the caller's own tensor and leaves it so: the input is changed, always.
def transformed_log_prob(x, to_noise):
    x.requires_grad_(True)
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% coupling-where right="affine-coupling"
# torch.where sets scale and shift of the kept coordinates to 0, so one formula serves all.
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s = torch.where(mask, zero, s.clamp(-4, 4))
    t = torch.where(mask, zero, t)
    if inverse:
        return x * torch.exp(s) + t, s.sum(1)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% coupling-by-columns right="affine-coupling"
# Walks over the columns and stacks them again.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x.masked_fill(~mask, 0.0))
    columns = []
    log_det = x.new_zeros(x.shape[0])
    for i, kept in enumerate(mask.tolist()):
        if kept:
            columns.append(x[:, i])
            continue
        scale = torch.clamp(s[:, i], min=-4.0, max=4.0)
        if inverse:
            columns.append(x[:, i] * torch.exp(scale) + t[:, i])
            log_det = log_det + scale
        else:
            columns.append((x[:, i] - t[:, i]) * torch.exp(-scale))
            log_det = log_det - scale
    return torch.stack(columns, dim=1), log_det


# %% coupling-squeezed-index wrong="affine-coupling"
# squeeze() makes the index of a single moved coordinate 0-d, so that the log-determinant is
# summed over the rows: wrong for masks with exactly one coordinate that is not kept.
def affine_coupling(x, mask, net, inverse=False):
    moved = (~mask).nonzero().squeeze()
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s, t = s[:, moved].clamp(-4, 4), t[:, moved]
    y = x.clone()
    if inverse:
        y[:, moved] = x[:, moved] * torch.exp(s) + t
        return y, s.sum(-1)
    y[:, moved] = (x[:, moved] - t) * torch.exp(-s)
    return y, -s.sum(-1)


# %% coupling-no-limit-back wrong="affine-coupling"
# Limits s in the default direction only: wrong with inverse=True where s is beyond 4 in size.
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s, t = torch.where(mask, zero, s), torch.where(mask, zero, t)
    if inverse:
        return x * torch.exp(s) + t, s.sum(1)
    s = s.clamp(-4, 4)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% coupling-split-at-count wrong="affine-coupling"
# Only counts the mask and splits there, as in the lesson: wrong where the kept coordinates are
# not the first ones, such as the mask [False, True, False].
def affine_coupling(x, mask, net, inverse=False):
    kept = int(mask.sum())
    hidden = torch.cat((x[:, :kept], torch.zeros_like(x[:, kept:])), dim=1)
    s, t = net(hidden)
    s, t = s[:, kept:].clamp(-4, 4), t[:, kept:]
    if inverse:
        moved, log_det = x[:, kept:] * torch.exp(s) + t, s.sum(1)
    else:
        moved, log_det = (x[:, kept:] - t) * torch.exp(-s), -s.sum(1)
    return torch.cat((x[:, :kept], moved), dim=1), log_det


# %% coupling-log-det-cut-off wrong="affine-coupling"
# Builds the log-determinant from Python numbers: values are right, but it has no gradient with
# respect to x or the network's parameters.
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s = torch.where(mask, zero, s.clamp(-4, 4))
    t = torch.where(mask, zero, t)
    sign = 1.0 if inverse else -1.0
    log_det = torch.tensor([sign * row.sum().item() for row in s], dtype=x.dtype)
    if inverse:
        return x * torch.exp(s) + t, log_det
    return (x - t) * torch.exp(-s), log_det


# %% stack-fresh-copies right="coupling-stack"
# Each layer writes its moved columns into a fresh copy, and log-determinants are summed.
def stack_log_prob(x, nets):
    log_det = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        kept, moved = k % 2, 1 - k % 2
        s, t = net(x[:, kept::2])
        y = x.clone()
        y[:, moved::2] = (x[:, moved::2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
        x = y
    return log_det + (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)


# %% stack-list-of-columns right="coupling-stack"
# Holds the columns in a list, and each moved column adds its own scale to the log-density.
def stack_log_prob(x, nets):
    columns = list(x.unbind(1))
    d = len(columns)
    log_p = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(torch.stack(columns[k % 2 :: 2], dim=1))
        for place, column in enumerate(range((k + 1) % 2, d, 2)):
            columns[column] = (columns[column] - t[:, place]) * torch.exp(-s[:, place])
            log_p = log_p - s[:, place]
    z = torch.stack(columns, dim=1)
    normal = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    return log_p + normal.log_prob(z).sum(1)


# %% stack-one-buffer wrong="coupling-stack"
# Copies x once and moves columns in place: values are right, but backward raises an error where
# a network has stored its argument, for example t = torch.sin(kept) @ W or kept @ W.
def stack_log_prob(x, nets):
    y = x.clone()
    log_det = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        kept, moved = k % 2, 1 - k % 2
        s, t = net(y[:, kept::2])
        y[:, moved::2] = (y[:, moved::2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    return log_det + (-0.5 * y**2 - 0.5 * math.log(2 * math.pi)).sum(1)


# %% stack-log-of-product wrong="coupling-stack"
# Multiplies the diagonal of the Jacobian before it takes the log: infinite for many columns and
# large s, such as 98 columns with s = 20 or s = -20 throughout.
def stack_log_prob(x, nets):
    log_det = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        kept, moved = k % 2, 1 - k % 2
        s, t = net(x[:, kept::2])
        y = x.clone()
        y[:, moved::2] = (x[:, moved::2] - t) * torch.exp(-s)
        log_det = log_det + torch.log(torch.exp(-s).prod(1))
        x = y
    return log_det + (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)


# %% stack-no-return-to-even wrong="coupling-stack"
# Only layer 0 keeps the even columns, all later ones keep the odd ones: wrong from three layers.
def stack_log_prob(x, nets):
    log_det = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        kept, moved = (0, 1) if k == 0 else (1, 0)
        s, t = net(x[:, kept::2])
        y = x.clone()
        y[:, moved::2] = (x[:, moved::2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
        x = y
    return log_det + (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)


# %% stack-pairs-of-columns wrong="coupling-stack"
# Interleaves kept and moved columns in pairs, which raises an error where d is odd.
def stack_log_prob(x, nets):
    log_det = x.new_zeros(x.shape[0])
    for k, net in enumerate(nets):
        even, odd = x[:, 0::2], x[:, 1::2]
        if k % 2 == 0:
            s, t = net(even)
            odd = (odd - t) * torch.exp(-s)
        else:
            s, t = net(odd)
            even = (even - t) * torch.exp(-s)
        x = torch.stack((even, odd), dim=2).flatten(1)
        log_det = log_det - s.sum(1)
    return log_det + (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)


# %% draws-column-by-column right="autoregressive-draws"
# One call of the network for each column, which is then put in its place by concatenation.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    for i in range(z.shape[1]):
        s, t = net(x)
        new = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        x = torch.cat((x[:, :i], new[:, None], x[:, i + 1 :]), dim=1)
        log_p = log_p - s[:, i]
    return x, log_p


# %% draws-growing-front right="autoregressive-draws"
# Recomputes all columns up to the current one in every round, the later ones stay 0.
def sample_autoregressive(z, net):
    position = torch.arange(z.shape[1])
    zero = torch.zeros_like(z)
    x, s = zero.clone(), zero
    for i in range(z.shape[1]):
        s, t = net(x)
        front = torch.where(position <= i, s, zero)
        x = torch.where(position <= i, z * torch.exp(front) + t, zero)
    normal = torch.distributions.Normal(zero, torch.ones_like(z))
    return x, (normal.log_prob(z) - s).sum(1)


# %% draws-nan-padding wrong="autoregressive-draws"
# Marks the unknown columns with nan, which a masked linear network (x @ W with zeros in W)
# spreads to all columns, because 0 * nan is nan.
def sample_autoregressive(z, net):
    x = torch.full_like(z, math.nan)
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = x.clone()
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        log_p = log_p - s[:, i]
    return x, log_p


# %% draws-ten-rounds wrong="autoregressive-draws"
# A fixed number of rounds of the whole map: wrong for more than ten columns.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(10):
        s, t = net(x)
        x = z * torch.exp(s) + t
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draws-squeezed wrong="autoregressive-draws"
# Gets rid of an axis by squeeze(): the draws have a wrong shape for one row or for one column.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    columns = []
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    for i in range(z.shape[1]):
        s, t = net(x)
        columns.append(z[:, i : i + 1] * torch.exp(s[:, i : i + 1]) + t[:, i : i + 1])
        x = torch.cat((*columns, x[:, i + 1 :]), dim=1)
        log_p = log_p - s[:, i]
    return torch.stack(columns, dim=2).squeeze(), log_p


# %% draws-log-of-density wrong="autoregressive-draws"
# Multiplies densities and takes the log at the end: minus infinity where the density underflows,
# such as z = 40, or a hundred columns with s = 8.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    density = torch.ones(z.shape[0], dtype=z.dtype)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = x.clone()
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        normal = torch.exp(-0.5 * z[:, i] ** 2) / math.sqrt(2 * math.pi)
        density = density * normal * torch.exp(-s[:, i])
    return x, torch.log(density)


# %% integral-product-grid right="log-integral"
# All midpoints at once, logsumexp, and the log of the area of a cell.
def log_integral(log_p, low, high, n):
    sides = [(float(high[j]) - float(low[j])) / n for j in range(2)]
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    points = torch.cartesian_prod(*(float(low[j]) + sides[j] * middle for j in range(2)))
    return torch.logsumexp(log_p(points), dim=0) + math.log(sides[0]) + math.log(sides[1])


# %% integral-strip-by-strip right="log-integral"
# Strip after strip with a running logaddexp, each strip relative to its own maximum.
def log_integral(log_p, low, high, n):
    width = (float(high[0]) - float(low[0])) / n
    height = (float(high[1]) - float(low[1])) / n
    y = torch.linspace(
        float(low[1]) + height / 2, float(high[1]) - height / 2, n, dtype=torch.float64
    )
    total = torch.tensor(-math.inf, dtype=torch.float64)
    for i in range(n):
        x = torch.full_like(y, float(low[0]) + (i + 0.5) * width)
        values = log_p(torch.stack((x, y), dim=1))
        top = values.max()
        total = torch.logaddexp(total, top + torch.log(torch.exp(values - top).sum()))
    return total + math.log(width * height)


# %% integral-minus-mean wrong="log-integral"
# Subtracts the mean in place of the maximum: overflows where log values spread by more than 709
# above their mean, such as -1000 * (x**2 + y**2) on a wide square.
def log_integral(log_p, low, high, n):
    sides = [(float(high[j]) - float(low[j])) / n for j in range(2)]
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    points = torch.cartesian_prod(*(float(low[j]) + sides[j] * middle for j in range(2)))
    values = log_p(points)
    shift = values.mean()
    return shift + torch.log(torch.exp(values - shift).sum()) + math.log(sides[0] * sides[1])


# %% integral-gap-of-midpoints wrong="log-integral"
# Reads the sides of a cell as the gap of two midpoints, which do not exist for n = 1.
def log_integral(log_p, low, high, n):
    middle = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x = low[0] + (high[0] - low[0]) * middle
    y = low[1] + (high[1] - low[1]) * middle
    area = (x[1] - x[0]) * (y[1] - y[0])
    return torch.logsumexp(log_p(torch.cartesian_prod(x, y)), dim=0) + torch.log(area)


# %% integral-single-precision wrong="log-integral"
# The grid has PyTorch's default type, float32: log values of ten thousand lose three decimals,
# and a log_p with float64 matrices raises an error.
def log_integral(log_p, low, high, n):
    sides = [(float(high[j]) - float(low[j])) / n for j in range(2)]
    x, y = (
        torch.linspace(float(low[j]) + sides[j] / 2, float(high[j]) - sides[j] / 2, n)
        for j in range(2)
    )
    values = log_p(torch.cartesian_prod(x, y)).double()
    return torch.logsumexp(values, dim=0) + math.log(sides[0] * sides[1])


# %% integral-arange-with-step wrong="log-integral"
# arange with a step that is no exact number has one part too many now and then: wrong for
# n = 49 from -2 to 2, or n = 7 from 0 to 2.1.
def log_integral(log_p, low, high, n):
    sides = [(float(high[j]) - float(low[j])) / n for j in range(2)]
    x, y = (
        torch.arange(float(low[j]), float(high[j]), sides[j], dtype=torch.float64) + sides[j] / 2
        for j in range(2)
    )
    values = log_p(torch.cartesian_prod(x, y))
    return torch.logsumexp(values, dim=0) + math.log(sides[0] * sides[1])


# %% bits-both-distances right="bits-per-dimension"
# Computes the distance to 1 from the counts, not as 1 - y, and adds the log slopes.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        slope = math.log(1 - 2 * alpha) - log_q - log_r
        log_p = log_prob(log_q - log_r) + slope.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-smaller-side right="bits-per-dimension"
# Works on the smaller side of the interval and gets the slope from the logit by logsigmoid.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    k = counts.to(torch.float64)
    up = (k + noise) / levels
    if alpha is None:
        nats = -log_prob(up) / k.shape[1]
    else:
        down = ((levels - 1 - k) + (1 - noise)) / levels
        q = alpha + (1 - 2 * alpha) * torch.minimum(up, down)
        size = torch.log1p(-q) - torch.log(q)
        v = torch.where(up < down, -size, size)
        logsigmoid = torch.nn.functional.logsigmoid
        slope = math.log1p(-2 * alpha) - logsigmoid(v) - logsigmoid(-v)
        nats = -log_prob(v) / k.shape[1] - slope.mean(1)
    return (nats.mean() + math.log(levels)) / math.log(2)


# %% bits-clipped-logit wrong="bits-per-dimension"
# torch.logit with eps=1e-6 hands the model a clipped v: wrong for alpha = 0 with counts at an
# end and noise near it, such as count 0 with noise 1e-9.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        q, r = alpha + (1 - 2 * alpha) * y, alpha + (1 - 2 * alpha) * rest
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(r)
        log_p = log_prob(torch.logit(q, eps=1e-6)) + slope.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-levels-from-data wrong="bits-per-dimension"
# Reads the number of levels from the counts and ignores the argument: wrong where no picture
# has the brightest level.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    levels = int(counts.max()) + 1
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        slope = math.log(1 - 2 * alpha) - log_q - log_r
        log_p = log_prob(log_q - log_r) + slope.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-product-of-slopes wrong="bits-per-dimension"
# Multiplies the slopes of a row before it takes the log: overflows for many dark pixels, such as
# a hundred counts of 0 with noise 1e-4, 256 levels and alpha 0 or 1e-6.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        q, r = alpha + (1 - 2 * alpha) * y, alpha + (1 - 2 * alpha) * rest
        slope = (1 - 2 * alpha) / (q * r)
        log_p = log_prob(torch.log(q) - torch.log(r)) + torch.log(slope.prod(1))
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-single-precision-alpha wrong="bits-per-dimension"
# Makes a float32 tensor of alpha, so that 1 - 2 * alpha is rounded away near one half: wrong for
# alpha = 0.4999999.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        alpha = torch.tensor(float(alpha))
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        slope = torch.log(1 - 2 * alpha) - log_q - log_r
        log_p = log_prob(log_q - log_r) + slope.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))
