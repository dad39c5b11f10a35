# %% [markdown]
# Answers written from the text alone.


# %% change-of-variables right="transformed-density"
# One gradient of the summed noise gives all slopes; everything stays a logarithm.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_(True)
        z = to_noise(point)
        (slope,) = torch.autograd.grad(z.sum(), point)
    return -0.5 * z.detach() ** 2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% change-by-jacobian right="transformed-density"
# The diagonal of the whole Jacobian, and the Normal of torch.distributions.
def transformed_log_prob(x, to_noise):
    points = x.detach().clone()
    jacobian = torch.autograd.functional.jacobian(to_noise, points)
    noise = torch.distributions.Normal(torch.zeros_like(points), torch.ones_like(points))
    return noise.log_prob(to_noise(points)) + torch.log(torch.abs(jacobian.diagonal()))


# %% change-by-differences wrong="transformed-density"
# Central differences in place of autograd: -inf for a slope of 1e-12 with noise near 1000.
def transformed_log_prob(x, to_noise):
    h = 1e-6
    slope = (to_noise(x + h) - to_noise(x - h)) / (2 * h)
    z = to_noise(x)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% change-marks-the-input wrong="transformed-density"
# Switches requires_grad on in the caller's own tensor, so the input x is changed for any x.
def transformed_log_prob(x, to_noise):
    x.requires_grad_(True)
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).detach() + slope.abs().log()


# %% change-squeezed wrong="transformed-density"
# Squeezes the result: a 0-d tensor in place of shape (1,) for a single point.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone().requires_grad_(True)
    z = to_noise(point)
    (slope,) = torch.autograd.grad(z, point, torch.ones_like(z))
    log_p = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()
    return log_p.detach().squeeze()


# %% change-clamped-noise wrong="transformed-density"
# Clamps the noise to a hundred "against overflow": wrong for noise beyond, such as ten thousand.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone().requires_grad_(True)
    z = to_noise(point)
    (slope,) = torch.autograd.grad(z.sum(), point)
    z = z.detach().clamp(-100, 100)
    return torch.distributions.Normal(0.0, 1.0).log_prob(z) + slope.abs().log()


# %% mask-where right="affine-coupling"
# torch.where keeps the kept coordinates and zeroes what the net says about them.
def affine_coupling(x, mask, net, inverse=False):
    zero = torch.zeros_like(x)
    s, t = net(torch.where(mask, x, zero))
    s = torch.where(mask, zero, s.clamp(-4, 4))
    t = torch.where(mask, zero, t)
    if inverse:
        return torch.where(mask, x, x * s.exp() + t), s.sum(1)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -s.sum(1)


# %% mask-by-columns right="affine-coupling"
# Takes the moved columns out, transforms them, and puts them back into a copy.
def affine_coupling(x, mask, net, inverse=False):
    moved = torch.nonzero(~mask).flatten()
    s, t = net(x.index_fill(1, moved, 0.0))
    s = s[:, moved].clip(min=-4.0, max=4.0)
    t = t[:, moved]
    part = x[:, moved]
    if inverse:
        part, log_det = part * torch.exp(s) + t, s.sum(dim=1)
    else:
        part, log_det = (part - t) / torch.exp(s), s.sum(dim=1).neg()
    y = x.clone()
    y[:, moved] = part
    return y, log_det


# %% mask-unlimited-log-det wrong="affine-coupling"
# The determinant uses s before the limit: wrong wherever a moved coordinate's s is beyond 4.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x * mask)
    move = (~mask).to(x.dtype)
    log_det = (s * move).sum(1)
    s = s.clamp(-4, 4) * move
    if inverse:
        return x * s.exp() + t * move, log_det
    return (x - t * move) * torch.exp(-s), -log_det


# %% mask-limit-one-way wrong="affine-coupling"
# Limits s from data to noise only: with inverse=True it is wrong where s is beyond 4.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x.masked_fill(~mask, 0.0))
    s, t = s.masked_fill(mask, 0.0), t.masked_fill(mask, 0.0)
    if inverse:
        return x * torch.exp(s) + t, s.sum(1)
    s = torch.clamp(s, -4, 4)
    return (x - t) * torch.exp(-s), -s.sum(1)


# %% mask-log-det-detached wrong="affine-coupling"
# Returns a determinant without a graph: its gradient is lost, for any x or network.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x.masked_fill(~mask, 0.0))
    s = s.clamp(-4, 4).masked_fill(mask, 0.0)
    t = t.masked_fill(mask, 0.0)
    with torch.no_grad():
        log_det = s.sum(1) if inverse else -s.sum(1)
    y = x * torch.exp(s) + t if inverse else (x - t) * torch.exp(-s)
    return y, log_det


# %% mask-squeezed-scales wrong="affine-coupling"
# Squeezes the moved scales before the sum: a 0-d log_det if one column is moved, or for one row.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(x.masked_fill(~mask, 0.0))
    s, t = s[:, ~mask].clamp(-4, 4), t[:, ~mask]
    y = x.clone()
    if inverse:
        y[:, ~mask] = x[:, ~mask] * s.exp() + t
    else:
        y[:, ~mask] = (x[:, ~mask] - t) * torch.exp(-s)
    log_det = s.squeeze().sum(-1)
    return y, log_det if inverse else -log_det


# %% stack-swapping-halves right="coupling-stack"
# Even and odd columns change roles after each layer and never need to be put together.
def stack_log_prob(x, nets):
    kept, moved = x[:, 0::2], x[:, 1::2]
    log_det = torch.zeros_like(x[:, 0])
    for net in nets:
        s, t = net(kept)
        kept, moved = (moved - t) * torch.exp(-s), kept
        log_det = log_det - s.sum(1)
    squares = (kept**2).sum(1) + (moved**2).sum(1)
    return log_det - 0.5 * squares - 0.5 * x.shape[1] * math.log(2 * math.pi)


# %% stack-recursive right="coupling-stack"
# Applies one layer with boolean columns and asks a function inside for the rest of the stack.
def stack_log_prob(x, nets):
    even = torch.arange(x.shape[1]) % 2 == 0

    def rest(points, k):
        if k == len(nets):
            log_p = -0.5 * points**2 - 0.5 * math.log(2 * math.pi)
            return log_p.sum(dim=1)
        keep = even if k % 2 == 0 else ~even
        s, t = nets[k](points[:, keep])
        after = points.clone()
        after[:, ~keep] = (points[:, ~keep] - t) * torch.exp(-s)
        return rest(after, k + 1) - s.sum(dim=1)

    return rest(x, 0)


# %% stack-first-even-only wrong="coupling-stack"
# Keeps the even columns in layer 0 and the odd ones in all later layers: wrong from 3 layers on.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        keep, move = (0, 1) if k == 0 else (1, 0)
        s, t = net(z[:, keep::2])
        new = z.clone()
        new[:, move::2] = (z[:, move::2] - t) * torch.exp(-s)
        z, log_det = new, log_det - s.sum(1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% stack-detached-data wrong="coupling-stack"
# Starts from a detached copy: gradients reach the networks but never x, for any input.
def stack_log_prob(x, nets):
    z, log_det = x.detach().clone(), 0.0
    for k, net in enumerate(nets):
        keep, move = k % 2, 1 - k % 2
        s, t = net(z[:, keep::2])
        new = z.clone()
        new[:, move::2] = (z[:, move::2] - t) * torch.exp(-s)
        z, log_det = new, log_det - s.sum(1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% stack-limited-scales wrong="coupling-stack"
# Limits s to 10 in size, which the text excludes: wrong for s between 10 and 20.
def stack_log_prob(x, nets):
    halves = [x[:, ::2], x[:, 1::2]]
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(halves[k % 2])
        s = s.clamp(-10, 10)
        halves[1 - k % 2] = (halves[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    z = torch.cat(halves, 1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% stack-pairs-of-columns wrong="coupling-stack"
# Reshapes the columns to pairs, which fails for an odd number of columns, such as d = 3.
def stack_log_prob(x, nets):
    pairs = x.reshape(x.shape[0], -1, 2)
    halves = [pairs[:, :, 0], pairs[:, :, 1]]
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(halves[k % 2])
        halves[1 - k % 2] = (halves[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
    z = torch.cat(halves, 1)
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% draw-column-by-column right="autoregressive-draws"
# Fills a tensor of zeros column by column, and calls the network once more for the density.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        filled = x.clone()
        filled[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        x = filled
    s, _ = net(x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return x, (log_noise - s).sum(1)


# %% draw-growing-prefix right="autoregressive-draws"
# Grows a list of columns, padded with zeros for each call, and gathers the density on the way.
def sample_autoregressive(z, net):
    n, d = z.shape
    columns = []
    log_p = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    for i in range(d):
        known = torch.cat([*columns, torch.zeros(n, d - i, dtype=z.dtype)], dim=1)
        scale, shift = (part[:, i : i + 1] for part in net(known))
        columns.append(shift + scale.exp() * z[:, i : i + 1])
        log_p = log_p - scale[:, 0]
    return torch.cat(columns, dim=1), log_p


# %% draw-ten-passes wrong="autoregressive-draws"
# Ten passes over all columns: exact for d up to ten only, wrong for more columns.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(10):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, _ = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draw-nan-for-unknown wrong="autoregressive-draws"
# Marks unknown columns with nan: a network of masked matrices multiplies them by 0, which is nan.
def sample_autoregressive(z, net):
    x = torch.full_like(z, math.nan)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, _ = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draw-in-float32 wrong="autoregressive-draws"
# Collects the draws in a float32 tensor: wrong type, and networks of float64 weights fail on it.
def sample_autoregressive(z, net):
    x = torch.zeros(z.shape)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, _ = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(1)


# %% draw-squeezed wrong="autoregressive-draws"
# Squeezes the log-scales before the sum, which adds up the rows for d = 1: wrong for n > 1.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = x.clone()
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, _ = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    return x, log_noise - s.squeeze().sum(-1)


# %% integral-logsumexp right="log-integral"
# All centres in one call, then a logsumexp plus the log of a cell's area.
def log_integral(log_p, low, high, n):
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    steps = [(high[j] - low[j]) / n for j in range(2)]
    xs, ys = (low[j] + middle * steps[j] for j in range(2))
    values = log_p(torch.cartesian_prod(xs, ys))
    return torch.logsumexp(values, 0) + math.log(steps[0]) + math.log(steps[1])


# %% integral-strip-by-strip right="log-integral"
# One strip of cells after the other, shifted by the largest value of all before exp.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    ys = torch.tensor([low[1] + (j + 0.5) * height for j in range(n)], dtype=torch.float64)
    strips = []
    for i in range(n):
        xs = torch.full_like(ys, low[0] + (i + 0.5) * width)
        strips.append(log_p(torch.stack((xs, ys), dim=1)))
    values = torch.stack(strips)
    top = values.max()
    return top + torch.log((values - top).exp().sum() * width * height)


# %% integral-shift-by-mean wrong="log-integral"
# Shifts by the mean of the values: overflows if they differ by more than 710 from it.
def log_integral(log_p, low, high, n):
    middle = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    xs, ys = (low[j] + (high[j] - low[j]) * middle for j in range(2))
    values = log_p(torch.cartesian_prod(xs, ys))
    shift = values.mean()
    area = (high[0] - low[0]) * (high[1] - low[1])
    return shift + torch.log(torch.exp(values - shift).mean() * area)


# %% integral-arange-by-step wrong="log-integral"
# arange with a rounded step gives one centre too many, as for n = 49 between 0 and 1.
def log_integral(log_p, low, high, n):
    centres, log_area = [], 0.0
    for j in range(2):
        step = (high[j] - low[j]) / n
        centres.append(torch.arange(low[j], high[j], step, dtype=torch.float64) + 0.5 * step)
        log_area += math.log(step)
    values = log_p(torch.cartesian_prod(*centres))
    return torch.logsumexp(values, 0) + log_area


# %% integral-float32-centres wrong="log-integral"
# Centres in float32: wrong for narrow densities far away, such as one of width 0.001 at 500.
def log_integral(log_p, low, high, n):
    low, high = torch.tensor(low).float(), torch.tensor(high).float()
    step = (high - low) / n
    xs, ys = (low[j] + (torch.arange(n) + 0.5) * step[j] for j in range(2))
    values = log_p(torch.cartesian_prod(xs, ys))
    return torch.logsumexp(values, 0) + step.log().sum()


# %% integral-finite-start wrong="log-integral"
# Starts its running sum at -1e4 in place of -inf: a cell too many where all values are near it.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    total = torch.tensor(-1e4, dtype=torch.float64)
    for i in range(n):
        xs = torch.full_like(middle, low[0] + (i + 0.5) * width)
        strip = log_p(torch.stack((xs, low[1] + middle * height), 1))
        total = torch.logaddexp(total, torch.logsumexp(strip, 0))
    return total + math.log(width * height)


# %% bits-two-sided right="bits-per-dimension"
# The distance to the upper end is computed from the counts too, so that nothing cancels.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        above = (levels - 1 - counts + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_rest = torch.log(alpha + (1 - 2 * alpha) * above)
        slopes = math.log(1 - 2 * alpha) - log_q - log_rest
        log_p = log_prob(log_q - log_rest) + slopes.sum(1)
    nats = d * math.log(levels) - log_p
    return nats.mean() / (d * math.log(2))


# %% bits-by-logsigmoid right="bits-per-dimension"
# The slope of the logit from v alone, as minus two log-sigmoids; bits are summed per row.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen, log_slope = (counts + noise) / levels, torch.zeros(n, dtype=noise.dtype)
    if alpha is not None:
        stretch = 1 - 2 * alpha
        q = alpha + stretch * seen
        rest = alpha + stretch * ((levels - counts - 1) + (1 - noise)) / levels
        seen = torch.log(q / rest)
        inner = torch.nn.functional.logsigmoid(seen) + torch.nn.functional.logsigmoid(-seen)
        log_slope = d * math.log(stretch) - inner.sum(dim=1)
    bits = -(log_prob(seen) + log_slope) / math.log(2) + d * math.log2(levels)
    return (bits / d).mean()


# %% bits-clamped-logit wrong="bits-per-dimension"
# Clamps q by a millionth in the logit: wrong for alpha = 0 with count 0 and noise of 1e-9.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = (alpha + (1 - 2 * alpha) * y).clamp(1e-6, 1 - 1e-6)
        slopes = math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)
        log_p = log_prob(torch.logit(q)) + slopes.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-whole-bits wrong="bits-per-dimension"
# Counts the bits of the levels as a whole number: wrong unless levels is a power of two.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slopes = math.log(1 - 2 * alpha) - torch.log(q * (1 - q))
        log_p = log_prob(torch.logit(q)) + slopes.sum(1)
    return -(log_p / (d * math.log(2))).mean() + (levels - 1).bit_length()


# %% bits-in-float32 wrong="bits-per-dimension"
# Dequantises in float32: noise of 1 - 1e-9 at the top level gives y = 1 and an infinite logit.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = ((counts.float() + noise.float()) / levels).double()
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slopes = math.log(1 - 2 * alpha) - q.log() - torch.log1p(-q)
        log_p = log_prob(q.log() - torch.log1p(-q)) + slopes.sum(1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% bits-squeezed-slopes wrong="bits-per-dimension"
# Squeezes the slopes before their sum: with d = 1 it adds up the rows and is wrong for n > 1.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slopes = math.log(1 - 2 * alpha) - q.log() - (1 - q).log()
        log_p = log_prob(q.log() - (1 - q).log()) + slopes.squeeze().sum(-1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))
