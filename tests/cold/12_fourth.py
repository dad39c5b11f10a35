# %% [markdown]
# Answers written from the text alone.


# %% density-grad-of-sum right="transformed-density"
# The gradient of the sum gives all slopes at once, because each element has its own noise.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        z = to_noise(point)
        (slope,) = torch.autograd.grad(z.sum(), point)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-jacobian-diagonal right="transformed-density"
# The diagonal of the full Jacobian holds the slopes; torch.distributions has the Normal.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone()
    slopes = torch.autograd.functional.jacobian(to_noise, point).diagonal()
    with torch.no_grad():
        z = to_noise(point)
        normal = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
        return normal.log_prob(z) + torch.log(torch.abs(slopes))


# %% density-slope-plus-epsilon wrong="transformed-density"
# A small number "against log(0)" is added to the slope: at a slope of 1e-12 the result is
# too high by log(2).
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        z = to_noise(point)
        (slope,) = torch.autograd.grad(z.sum(), point)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + torch.log(slope.abs() + 1e-12)


# %% density-floor-for-tiny wrong="transformed-density"
# The density itself is computed and kept above the smallest float before the log is taken:
# right for noise up to about 35 in size, -708 for all that is further out.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        z = to_noise(point)
        (slope,) = torch.autograd.grad(z.sum(), point)
    z = z.detach()
    density = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * slope.abs()
    return torch.log(density.clamp(min=torch.finfo(torch.float64).tiny))


# %% density-left-in-grad wrong="transformed-density"
# Asks for gradients on x itself and lets backward() collect them in x.grad: the input is
# changed, and a second call with the same x adds new slopes to the old ones.
def transformed_log_prob(x, to_noise):
    x.requires_grad_(True)
    z = to_noise(x)
    z.sum().backward()
    slope = x.grad.clone()
    x.requires_grad_(False)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-central-difference wrong="transformed-density"
# Differentiates by a central difference with a step of 1e-5: the slope of a curved transform
# is off, and for to_noise = log near x = 0.001 by 3e-5, and far more for a steep curve;
# at slopes of 1e-12 on top of an offset nothing is left of the difference (log of 0).
def transformed_log_prob(x, to_noise):
    h = 1e-5
    with torch.no_grad():
        z = to_noise(x)
        slope = (to_noise(x + h) - to_noise(x - h)) / (2 * h)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% coupling-where right="affine-coupling"
# Scale and shift are set to 0 for kept coordinates, so that one formula serves all.
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s = torch.where(mask, zero, s.clamp(-4, 4))
    t = torch.where(mask, zero, t)
    if inverse:
        return x * torch.exp(s) + t, s.sum(1)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% coupling-columns right="affine-coupling"
# Works on the moved columns alone and puts them into their places in a copy.
def affine_coupling(x, mask, net, inverse=False):
    moved = torch.nonzero(~mask).flatten()
    scale, shift = net(x * mask.to(x.dtype))
    scale = torch.clamp(scale[:, moved], min=-4.0, max=4.0)
    shift = shift[:, moved]
    old = x[:, moved]
    if inverse:
        new, log_det = old * scale.exp() + shift, scale.sum(dim=1)
    else:
        new, log_det = (old - shift) / scale.exp(), scale.neg().sum(dim=1)
    return x.index_copy(1, moved, new), log_det


# %% coupling-free-log-det wrong="affine-coupling"
# The limit is put on the scale where it is used, but the log-determinant still sums what the
# network said: wrong wherever s of a moved coordinate is beyond 4.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    total = torch.where(mask, torch.zeros_like(s), s).sum(1)
    if inverse:
        y = x * torch.exp(s.clamp(-4, 4)) + t
        log_det = total
    else:
        y = (x - t) * torch.exp(-s.clamp(-4, 4))
        log_det = -total
    return torch.where(mask, x, y), log_det


# %% coupling-first-columns wrong="affine-coupling"
# Takes the mask for a number of kept columns at the left: right for [True, False, False],
# wrong for [False, True, False].
def affine_coupling(x, mask, net, inverse=False):
    k = int(mask.sum())
    kept, moved = x[:, :k], x[:, k:]
    s, t = net(torch.cat([kept, torch.zeros_like(moved)], dim=1))
    s, t = s[:, k:].clamp(-4, 4), t[:, k:]
    if inverse:
        moved, log_det = moved * torch.exp(s) + t, s.sum(1)
    else:
        moved, log_det = (moved - t) * torch.exp(-s), -s.sum(1)
    return torch.cat([kept, moved], dim=1), log_det


# %% coupling-limit-one-way wrong="affine-coupling"
# The limit stands in the branch from data to noise only: inverse=True with s beyond 4 in size
# gives other numbers and does not undo the default.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    move = (~mask).double()
    if inverse:
        s = s * move
        return x * torch.exp(s) + t * move, s.sum(1)
    s = s.clamp(-4, 4) * move
    return (x - t * move) * torch.exp(-s), -s.sum(1)


# %% coupling-detached-log-det wrong="affine-coupling"
# The log-determinant is put into a new tensor row by row as plain numbers: its values are
# right, but no gradient reaches the network or x through it.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s = s.clamp(-4, 4)
    y = x * torch.exp(s) + t if inverse else (x - t) * torch.exp(-s)
    sign = 1.0 if inverse else -1.0
    log_det = torch.tensor([sign * row[~mask].sum().item() for row in s], dtype=torch.float64)
    return torch.where(mask, x, y), log_det


# %% stack-assembled right="coupling-stack"
# Each layer writes its moved columns into a fresh copy of the point.
def stack_log_prob(x, nets):
    z = x
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        first = k % 2
        s, t = net(z[:, first::2])
        new = z.clone()
        new[:, 1 - first :: 2] = (z[:, 1 - first :: 2] - t) * torch.exp(-s)
        z = new
        log_det = log_det - s.sum(1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-two-streams right="coupling-stack"
# The even and the odd columns are two streams that change roles; they need no common tensor,
# for the order of the columns does not matter to the density of the noise.
def stack_log_prob(x, nets):
    kept, moved = x[:, 0::2], x[:, 1::2]
    total = 0.0
    for net in nets:
        s, t = net(kept)
        moved = (moved - t) * torch.exp(-s)
        total = total - s.sum(dim=1)
        kept, moved = moved, kept
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(torch.cat([kept, moved], dim=1)).sum(dim=1) + total


# %% stack-only-first-is-even wrong="coupling-stack"
# Asks whether the layer is the first one, not whether its number is even: right for one and
# two layers; the third one keeps the odd columns again.
def stack_log_prob(x, nets):
    z = x
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        first = 0 if k == 0 else 1
        s, t = net(z[:, first::2])
        new = z.clone()
        new[:, 1 - first :: 2] = (z[:, 1 - first :: 2] - t) * torch.exp(-s)
        z = new
        log_det = log_det - s.sum(1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-detached-between wrong="coupling-stack"
# Copies the point with detach() before each layer writes into it: all values are right, but
# the gradient with respect to x is lost, and a layer's parameters do not feel later layers.
def stack_log_prob(x, nets):
    z = x
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        z = z.detach().clone()
        first = k % 2
        s, t = net(z[:, first::2].clone())
        z[:, 1 - first :: 2] = (z[:, 1 - first :: 2].clone() - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% stack-limited-scales wrong="coupling-stack"
# Brings the limit of 4 along from the exercise before: wrong for s between 4 and 20 in size.
def stack_log_prob(x, nets):
    kept, moved = x[:, 0::2], x[:, 1::2]
    total = torch.zeros(len(x), dtype=x.dtype)
    for net in nets:
        s, t = net(kept)
        s = s.clamp(-4, 4)
        moved = (moved - t) * torch.exp(-s)
        total = total - s.sum(dim=1)
        kept, moved = moved, kept
    z = torch.cat([kept, moved], dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + total


# %% stack-from-the-noise-end wrong="coupling-stack"
# Walks through the list from its end, each layer with the parity of its own number: right for
# one layer and for none, wrong for two that do not commute.
def stack_log_prob(x, nets):
    z = x
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k in reversed(range(len(nets))):
        first = k % 2
        s, t = nets[k](z[:, first::2])
        new = z.clone()
        new[:, 1 - first :: 2] = (z[:, 1 - first :: 2] - t) * torch.exp(-s)
        z = new
        log_det = log_det - s.sum(1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + log_det


# %% draws-column-by-column right="autoregressive-draws"
# One call of the network for each column, which is written into a copy of what is known.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        log_p = log_p - s[:, i]
    return x, log_p


# %% draws-growing-list right="autoregressive-draws"
# Keeps a list of finished columns, filled up with zeros for the network; one more call at the
# finished draws gives the scales of the density.
def sample_autoregressive(z, net):
    done = []
    for i, noise in enumerate(z.unbind(1)):
        rest = torch.zeros_like(z[:, i:])
        known = torch.cat([torch.stack(done, dim=1), rest], dim=1) if done else rest
        s, t = net(known)
        done.append(torch.addcmul(t[:, i], noise, s[:, i].exp()))
    x = torch.stack(done, dim=1)
    log_scale = net(x.clone())[0].sum(dim=1)
    return x, torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1) - log_scale


# %% draws-ten-passes wrong="autoregressive-draws"
# Repeats the whole map ten times, "which is more than enough": only the first ten columns are
# exact then, with more than ten the later ones still hold a wrong start.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(10):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draws-start-as-nan wrong="autoregressive-draws"
# Marks unknown columns by nan: a network with masked weights (x @ W, W strictly triangular)
# computes 0 * nan, and all draws and densities are nan, though no column looks ahead.
def sample_autoregressive(z, net):
    x = torch.full_like(z, math.nan)
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        log_p = log_p - s[:, i]
    return x, log_p


# %% draws-squeezed wrong="autoregressive-draws"
# Gathers columns and squeezes the extra axis with squeeze(): a batch of one comes back with
# shape (d,) and a single column with shape (n,).
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    scales = []
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i : i + 1] = z[:, i : i + 1] * torch.exp(s[:, i : i + 1]) + t[:, i : i + 1]
        scales.append(s[:, i : i + 1])
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) - torch.cat(scales, 1).sum(1)
    return x.squeeze(), log_p.squeeze()


# %% draws-constant-of-three wrong="autoregressive-draws"
# The constant of the Normal is that of three columns, as in the example: the density is off
# by 0.919 for each column more or less.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    log_p = -0.5 * (z**2).sum(1) - 1.5 * math.log(2 * math.pi) - net(x.clone())[0].sum(1)
    return x, log_p


# %% integral-logsumexp right="log-integral"
# All centres at once, and logsumexp over their values.
def log_integral(log_p, low, high, n):
    axes = []
    log_area = 0.0
    for a, b in zip(low, high):
        side = (b - a) / n
        axes.append(a + side * (torch.arange(n, dtype=torch.float64) + 0.5))
        log_area += math.log(side)
    points = torch.cartesian_prod(*axes)
    return torch.logsumexp(log_p(points), dim=0) + log_area


# %% integral-line-by-line right="log-integral"
# Line after line of cells, each with its own largest value taken out, added up by logaddexp.
def log_integral(log_p, low, high, n):
    parts = (torch.arange(n).double() * 2 + 1) / (2 * n)
    across = low[0] + (high[0] - low[0]) * parts
    up = low[1] + (high[1] - low[1]) * parts
    total = None
    for first in across:
        values = log_p(torch.stack([first.expand(n), up], dim=1))
        top = values.max()
        line = top + torch.log(torch.exp(values - top).sum())
        total = line if total is None else torch.logaddexp(total, line)
    return total + math.log(high[0] - low[0]) + math.log(high[1] - low[1]) - 2 * math.log(n)


# %% integral-shift-by-mean wrong="log-integral"
# Takes the mean of the log values out before exp, not the largest: a narrow peak more than
# 709 nats above the mean still overflows to inf.
def log_integral(log_p, low, high, n):
    step = [(high[j] - low[j]) / n for j in range(2)]
    half = torch.arange(n, dtype=torch.float64) + 0.5
    grid = torch.meshgrid(low[0] + step[0] * half, low[1] + step[1] * half, indexing="ij")
    values = log_p(torch.stack([g.reshape(-1) for g in grid], dim=1))
    shift = values.mean()
    return shift + torch.log(torch.exp(values - shift).sum()) + math.log(step[0] * step[1])


# %% integral-side-from-centres wrong="log-integral"
# Reads the side of a cell off the first two centres: n = 1 has only one, and the call ends
# with an IndexError.
def log_integral(log_p, low, high, n):
    edges = [torch.linspace(low[j], high[j], n + 1, dtype=torch.float64) for j in range(2)]
    x, y = [(e[:-1] + e[1:]) / 2 for e in edges]
    area = (x[1] - x[0]) * (y[1] - y[0])
    points = torch.cartesian_prod(x, y)
    return torch.logsumexp(log_p(points), dim=0) + torch.log(area)


# %% integral-single-precision wrong="log-integral"
# Builds the centres without a dtype, hence in float32: for a narrow bump far from the origin
# (at 900, a hundredth wide) and for log values of thousands it is off by 1e-4 and more.
def log_integral(log_p, low, high, n):
    half = torch.arange(n) + 0.5
    x = low[0] + (high[0] - low[0]) / n * half
    y = low[1] + (high[1] - low[1]) / n * half
    points = torch.cartesian_prod(x, y)
    log_area = math.log((high[0] - low[0]) / n) + math.log((high[1] - low[1]) / n)
    return torch.logsumexp(log_p(points), dim=0) + log_area


# %% integral-arange-with-a-step wrong="log-integral"
# Lets arange run from low to high in steps of a cell's side: where the side is rounded down,
# as for 0 to 1 in 49 parts, a cell too many comes in beyond the upper edge.
def log_integral(log_p, low, high, n):
    side = [(high[j] - low[j]) / n for j in range(2)]
    x, y = (
        torch.arange(low[j], high[j], side[j], dtype=torch.float64) + side[j] / 2 for j in range(2)
    )
    points = torch.cartesian_prod(x, y)
    return torch.logsumexp(log_p(points), dim=0) + math.log(side[0]) + math.log(side[1])


# %% bits-two-distances right="bits-per-dimension"
# Computes the distances from both ends directly, so that nothing cancels near 1.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        nats = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        slope = math.log(1 - 2 * alpha) - log_q - log_r
        nats = log_prob(log_q - log_r) + slope.sum(1)
    nats = nats - d * math.log(levels)
    return -(nats / (d * math.log(2))).mean()


# %% bits-softplus right="bits-per-dimension"
# Works with k + u and levels - (k + u) as odds; the slope of the logit is written by softplus.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    below = counts.double() + noise
    if alpha is None:
        total = log_prob(below / levels).sum()
    else:
        above = (levels - 1 - counts).double() + (1.0 - noise)
        inner = 1.0 - 2.0 * alpha
        v = torch.log((alpha * levels + inner * below) / (alpha * levels + inner * above))
        softplus = torch.nn.functional.softplus
        total = log_prob(v).sum() + (softplus(v) + softplus(-v) + math.log(inner)).sum()
    return math.log2(levels) - total / (n * d * math.log(2.0))


# %% bits-clipped-logit wrong="bits-per-dimension"
# Keeps q away from 0 and 1 by a millionth before the logit: with alpha = 0 and noise of 1e-9
# in the darkest or brightest level the model is asked about another v, with another slope.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        nats = log_prob(y)
    else:
        q = (alpha + (1 - 2 * alpha) * y).clamp(1e-6, 1 - 1e-6)
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        nats = log_prob(torch.logit(q)) + slope.sum(1)
    return -(nats / d).mean() / math.log(2) + math.log2(levels)


# %% bits-zero-is-none wrong="bits-per-dimension"
# Asks "if alpha": an alpha of 0 is taken for None, and the model sees y in place of its logit.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    slope = torch.zeros_like(y)
    if alpha:
        q = alpha + (1 - 2 * alpha) * y
        y = torch.log(q) - torch.log1p(-q)
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log1p(-q)
    nats = log_prob(y) + slope.sum(1)
    return -(nats / d).mean() / math.log(2) + math.log2(levels)


# %% bits-whole-bits wrong="bits-per-dimension"
# Adds the number of bits in which a level is stored: the same as log2(levels) for powers of
# two only; 5 levels cost 3 in place of 2.32.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        nats = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log1p(-q)
        nats = log_prob(torch.logit(q)) + slope.sum(1)
    return -(nats / d).mean() / math.log(2) + (levels - 1).bit_length()


# %% bits-stretches-in-place wrong="bits-per-dimension"
# The branch with alpha saves memory by working in the tensor of the noise: the result is
# right, but the caller's noise holds q afterwards.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    if alpha is None:
        nats = log_prob((counts + noise) / levels)
    else:
        q = noise.add_(counts).div_(levels).mul_(1 - 2 * alpha).add_(alpha)
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log1p(-q)
        nats = log_prob(torch.logit(q)) + slope.sum(1)
    return -(nats / d).mean() / math.log(2) + math.log2(levels)
