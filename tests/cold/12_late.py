# %% [markdown]
# Answers written from the text alone.


# %% density-sum-grad right="transformed-density"
# One gradient of the sum gives the slope at each element, and the logs are added.
def transformed_log_prob(x, to_noise):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        z = to_noise(leaf.clone())
        (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-full-jacobian right="transformed-density"
# The diagonal of the whole Jacobian is the slope, and torch.distributions has the Normal.
def transformed_log_prob(x, to_noise):
    point = x.detach().clone()
    slope = torch.autograd.functional.jacobian(lambda v: to_noise(v.clone()), point).diagonal()
    z = to_noise(point.clone()).detach()
    return torch.distributions.Normal(0.0, 1.0).log_prob(z) + torch.log(torch.abs(slope))


# %% density-direction-from-ends wrong="transformed-density"
# The direction is read off the first and last point: -inf for n = 1, or where both are equal.
def transformed_log_prob(x, to_noise):
    leaf = x.detach().clone().requires_grad_()
    z = to_noise(leaf)
    (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    direction = torch.sign((z[-1] - z[0]) * (x[-1] - x[0]))
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + torch.log(direction * slope)


# %% density-floor wrong="transformed-density"
# The exponent is cut at -1e6 "to be safe": wrong for noise beyond 1414, such as x = 500, z = 20 x.
def transformed_log_prob(x, to_noise):
    leaf = x.detach().clone().requires_grad_()
    z = to_noise(leaf)
    (slope,) = torch.autograd.grad(z.sum(), leaf)
    exponent = torch.clamp(-0.5 * z.detach() ** 2, min=-1e6)
    return exponent - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% density-epsilon-in-log wrong="transformed-density"
# A small number within the log is not small beside a slope of 1e-12: off by 0.095 there.
def transformed_log_prob(x, to_noise):
    leaf = x.detach().clone().requires_grad_()
    z = to_noise(leaf)
    (slope,) = torch.autograd.grad(z.sum(), leaf)
    z = z.detach()
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + torch.log(slope.abs() + 1e-13)


# %% density-marks-input wrong="transformed-density"
# All numbers are right, but the caller's x is left with requires_grad switched on.
def transformed_log_prob(x, to_noise):
    x.requires_grad_(True)
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_p = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()
    return log_p.detach()


# %% density-finite-differences wrong="transformed-density"
# Central differences: off for log x at x = 0.001, and -inf for 5000 + 1e-12 x (cancellation).
def transformed_log_prob(x, to_noise):
    step = 1e-4
    slope = (to_noise(x + step) - to_noise(x - step)) / (2 * step)
    z = to_noise(x)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% coupling-where right="affine-coupling"
# Everything is done on whole tensors, and torch.where picks what is kept.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s = torch.where(mask, torch.zeros_like(s), s.clamp(-4.0, 4.0))
    moved = x * torch.exp(s) + t if inverse else (x - t) * torch.exp(-s)
    log_det = s.sum(1) if inverse else -s.sum(1)
    return torch.where(mask, x, moved), log_det


# %% coupling-columns right="affine-coupling"
# The moved columns are cut out, transformed and put back into a copy.
def affine_coupling(x, mask, net, inverse=False):
    moved = torch.nonzero(~mask)[:, 0]
    s, t = net(x.index_fill(1, moved, 0.0))
    s = s[:, moved].clamp(-4.0, 4.0)
    t = t[:, moved]
    old = x[:, moved]
    if inverse:
        return x.index_copy(1, moved, old * s.exp() + t), s.sum(1)
    return x.index_copy(1, moved, (old - t) * (-s).exp()), -s.sum(1)


# %% coupling-log-det-unlimited wrong="affine-coupling"
# The log-det adds up s before it was limited: wrong where a moved s lies beyond 4 in size.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    log_det = torch.where(mask, torch.zeros_like(s), s).sum(1)
    s = s.clamp(-4.0, 4.0)
    if inverse:
        return torch.where(mask, x, x * torch.exp(s) + t), log_det
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -log_det


# %% coupling-one-sided-limit wrong="affine-coupling"
# Only the upper end limits: wrong where a moved s lies below -4.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s = torch.where(mask, torch.zeros_like(s), s.clamp(max=4.0))
    if inverse:
        return torch.where(mask, x, x * torch.exp(s) + t), s.sum(1)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -s.sum(1)


# %% coupling-detached-input wrong="affine-coupling"
# The network gets a detached copy, so gradients with respect to kept coordinates are wrong.
def affine_coupling(x, mask, net, inverse=False):
    h = x.detach().clone()
    h[:, ~mask] = 0.0
    s, t = net(h)
    s = torch.where(mask, torch.zeros_like(s), s.clamp(-4.0, 4.0))
    if inverse:
        return torch.where(mask, x, x * torch.exp(s) + t), s.sum(1)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -s.sum(1)


# %% coupling-single-moved wrong="affine-coupling"
# squeeze makes a 0-d index of a single moved coordinate, and the log-det sums over the batch.
def affine_coupling(x, mask, net, inverse=False):
    moved = (~mask).nonzero().squeeze()
    h = x.clone()
    h[:, moved] = 0.0
    s, t = net(h)
    s = s[:, moved].clamp(-4.0, 4.0)
    t = t[:, moved]
    y = x.clone()
    if inverse:
        y[:, moved] = x[:, moved] * torch.exp(s) + t
        return y, s.sum(-1)
    y[:, moved] = (x[:, moved] - t) * torch.exp(-s)
    return y, -s.sum(-1)


# %% coupling-limits-in-place wrong="affine-coupling"
# clamp_ works on the network's own tensor: wrong t for a net that returns one tensor as both
# s and t with values beyond 4, and a tensor that the net stores is changed.
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.where(mask, x, torch.zeros_like(x)))
    s.clamp_(-4.0, 4.0)
    s = torch.where(mask, torch.zeros_like(s), s)
    if inverse:
        return torch.where(mask, x, x * torch.exp(s) + t), s.sum(1)
    return torch.where(mask, x, (x - t) * torch.exp(-s)), -s.sum(1)


# %% stack-fresh-tensors right="coupling-stack"
# Each layer writes its kept and moved columns into a fresh tensor.
def stack_log_prob(x, nets):
    z = x
    log_det = torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        first = k % 2
        kept, moved = z[:, first::2], z[:, 1 - first :: 2]
        s, t = net(kept)
        new = torch.empty_like(z)
        new[:, first::2] = kept
        new[:, 1 - first :: 2] = (moved - t) * torch.exp(-s)
        log_det = log_det - s.sum(1)
        z = new
    return log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


# %% stack-permutation right="coupling-stack"
# Layers join kept and moved columns and put them in order by the inverse permutation.
def stack_log_prob(x, nets):
    normal = torch.distributions.Normal(0.0, 1.0)
    columns = torch.arange(x.shape[1])
    scales = []
    for k, net in enumerate(nets):
        is_kept = columns % 2 == k % 2
        order = torch.cat((columns[is_kept], columns[~is_kept]))
        kept, moved = x[:, columns[is_kept]], x[:, columns[~is_kept]]
        s, t = net(kept)
        x = torch.cat((kept, (moved - t) * torch.exp(-s)), dim=1)[:, torch.argsort(order)]
        scales.append(s.sum(1))
    return normal.log_prob(x).sum(1) - sum(scales)


# %% stack-even-width-only wrong="coupling-stack"
# Columns are woven together as pairs, which raises an error for an odd d.
def stack_log_prob(x, nets):
    z = x
    total = -0.5 * x.shape[1] * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        even, odd = z[:, 0::2], z[:, 1::2]
        if k % 2 == 0:
            s, t = net(even)
            odd = (odd - t) * torch.exp(-s)
        else:
            s, t = net(odd)
            even = (even - t) * torch.exp(-s)
        z = torch.stack((even, odd), dim=2).flatten(1)
        total = total - s.sum(1)
    return total - 0.5 * (z**2).sum(1)


# %% stack-in-place wrong="coupling-stack"
# The kept columns are a view of what is overwritten: backward raises an error for a net that
# saves its argument, such as kept @ W with a parameter W; values are right.
def stack_log_prob(x, nets):
    z = x.clone()
    total = -0.5 * x.shape[1] * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2])
        z[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        total = total - s.sum(1)
    return total - 0.5 * (z**2).sum(1)


# %% stack-parity-of-two wrong="coupling-stack"
# Layer 0 keeps even columns and every later layer odd ones: wrong from three layers on.
def stack_log_prob(x, nets):
    z = x
    total = -0.5 * x.shape[1] * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        first = 0 if k == 0 else 1
        s, t = net(z[:, first::2])
        new = z.clone()
        new[:, 1 - first :: 2] = (z[:, 1 - first :: 2] - t) * torch.exp(-s)
        total = total - s.sum(1)
        z = new
    return total - 0.5 * (z**2).sum(1)


# %% stack-limited-scale wrong="coupling-stack"
# Limits s as the exercise before did: wrong where s lies beyond 4 in size.
def stack_log_prob(x, nets):
    z = x
    total = -0.5 * x.shape[1] * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2])
        s = s.clamp(-4.0, 4.0)
        new = z.clone()
        new[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        total = total - s.sum(1)
        z = new
    return total - 0.5 * (z**2).sum(1)


# %% stack-detached-kept wrong="coupling-stack"
# Networks get detached columns: right gradients for a single layer's parameters, wrong ones for
# x, and for parameters of an earlier layer of a stack.
def stack_log_prob(x, nets):
    z = x
    total = -0.5 * x.shape[1] * math.log(2 * math.pi)
    for k, net in enumerate(nets):
        s, t = net(z[:, k % 2 :: 2].detach())
        new = z.clone()
        new[:, 1 - k % 2 :: 2] = (z[:, 1 - k % 2 :: 2] - t) * torch.exp(-s)
        total = total - s.sum(1)
        z = new
    return total - 0.5 * (z**2).sum(1)


# %% draws-column-by-column right="autoregressive-draws"
# Fills in one column for each call, and collects its s on the way.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    log_det = torch.zeros(len(z), dtype=z.dtype)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
        log_det = log_det - s[:, i]
    log_p = log_det - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return x, log_p


# %% draws-masked-sweeps right="autoregressive-draws"
# Each sweep transforms all columns and sets those that are not known yet back to 0.
def sample_autoregressive(z, net):
    columns = torch.arange(z.shape[1])
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = torch.where(columns <= i, z * torch.exp(s) + t, torch.zeros_like(z))
    s, _ = net(x)
    return x, (torch.distributions.Normal(0.0, 1.0).log_prob(z) - s).sum(1)


# %% draws-unmasked-sweeps right="autoregressive-draws"
# Written as wrong; right: in the text's networks a column ignores what comes after it.
# Its reader's words:
# Sweeps over all columns from x = z: an unfinished column may overflow, and inf times 0 in a
# masked matrix spoils all; e.g. z = (5, 1, 1), s = (-5, 200 x_0, 0) as x @ W + b gives nan.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    log_p = -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return x, log_p


# %% draws-noise-recomputed right="autoregressive-draws"
# Written as wrong; right: it is the density at the x that is returned, rounded as it is.
# Its reader's words:
# The density is taken at noise that is computed back from x: x - t cancels for s = -30, t = 900.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(x.clone())
    back = (x - t) * torch.exp(-s)
    log_p = -0.5 * (back**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return x, log_p


# %% draws-early-stop wrong="autoregressive-draws"
# Stops once nothing moves by 1e-6: wrong for z of 1e-7 with t_1 = 1000 x_0, t_2 = 1000 x_1.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for _ in range(z.shape[1]):
        s, t = net(x)
        new = z * torch.exp(s) + t
        change = (new - x).abs().max()
        x = new
        if change < 1e-6:
            break
    s, t = net(x)
    log_p = -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return x, log_p


# %% draws-twenty-sweeps wrong="autoregressive-draws"
# At most twenty sweeps: columns from the 21st on are wrong where each depends on the one before.
def sample_autoregressive(z, net):
    columns = torch.arange(z.shape[1])
    x = torch.zeros_like(z)
    for i in range(min(z.shape[1], 20)):
        s, t = net(x)
        known = columns <= (i if i < 19 else z.shape[1])
        x = torch.where(known, z * torch.exp(s) + t, torch.zeros_like(z))
    s, t = net(x)
    log_p = -0.5 * (z**2).sum(1) - s.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return x, log_p


# %% draws-squeezed-density wrong="autoregressive-draws"
# squeeze drops the batch axis too: the density has shape () for n = 1.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x.clone())
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(x.clone())
    terms = -0.5 * z**2 - s - 0.5 * math.log(2 * math.pi)
    return x, terms.sum(dim=1, keepdim=True).squeeze()


# %% integral-logsumexp right="log-integral"
# All centres at once, logsumexp, and the log of a cell's area.
def log_integral(log_p, low, high, n):
    centres = torch.arange(n, dtype=torch.float64) + 0.5
    sides = [(high[j] - low[j]) / n for j in range(2)]
    points = torch.cartesian_prod(low[0] + sides[0] * centres, low[1] + sides[1] * centres)
    return torch.logsumexp(log_p(points), dim=0) + math.log(sides[0]) + math.log(sides[1])


# %% integral-running-maximum right="log-integral"
# Column by column, with a running maximum and a sum that is rescaled when it grows.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    ys = torch.tensor([low[1] + (i + 0.5) * height for i in range(n)], dtype=torch.float64)
    top, total = -math.inf, 0.0
    for i in range(n):
        xs = torch.full_like(ys, low[0] + (i + 0.5) * width)
        values = log_p(torch.stack((xs, ys), dim=1))
        new_top = max(top, float(values.max()))
        total = total * math.exp(top - new_top) + float(torch.exp(values - new_top).sum())
        top = new_top
    return top + math.log(total) + math.log(width) + math.log(height)


# %% integral-shift-by-mean wrong="log-integral"
# Shifts by the mean and not the maximum: inf where the largest value lies 710 or more above it,
# such as -100 (x**2 + y**2) on a square of side 10.
def log_integral(log_p, low, high, n):
    centres = torch.arange(n, dtype=torch.float64) + 0.5
    sides = [(high[j] - low[j]) / n for j in range(2)]
    points = torch.cartesian_prod(low[0] + sides[0] * centres, low[1] + sides[1] * centres)
    values = log_p(points)
    shift = values.mean()
    return shift + torch.log(torch.exp(values - shift).sum()) + math.log(sides[0] * sides[1])


# %% integral-float32-centres wrong="log-integral"
# torch.arange(n) + 0.5 is float32, so centres are off by 3e-5 near 1000: wrong for steep
# functions far from 0, such as 50 (x - 999) on 999 to 1000.
def log_integral(log_p, low, high, n):
    centres = torch.arange(n) + 0.5
    sides = [(high[j] - low[j]) / n for j in range(2)]
    points = torch.cartesian_prod(low[0] + sides[0] * centres, low[1] + sides[1] * centres)
    values = log_p(points.double())
    return torch.logsumexp(values, dim=0) + math.log(sides[0] * sides[1])


# %% integral-step-from-grid wrong="log-integral"
# The side of a cell is the distance of the first two centres: an error for n = 1.
def log_integral(log_p, low, high, n):
    axes = []
    for j in range(2):
        edges = torch.linspace(low[j], high[j], n + 1, dtype=torch.float64)
        axes.append(0.5 * (edges[1:] + edges[:-1]))
    values = log_p(torch.cartesian_prod(*axes))
    area = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    return torch.logsumexp(values, dim=0) + torch.log(area)


# %% integral-low-start wrong="log-integral"
# The running sum starts at exp(-5000) instead of 0: wrong where log values lie about -8000.
def log_integral(log_p, low, high, n):
    centres = torch.arange(n, dtype=torch.float64) + 0.5
    sides = [(high[j] - low[j]) / n for j in range(2)]
    points = torch.cartesian_prod(low[0] + sides[0] * centres, low[1] + sides[1] * centres)
    total = torch.tensor(-5000.0, dtype=torch.float64)
    for value in log_p(points):
        total = torch.logaddexp(total, value)
    return total + math.log(sides[0] * sides[1])


# %% integral-lost-chunk wrong="log-integral"
# Works in chunks of 1000 points and forgets the last, incomplete one: wrong for n = 40.
def log_integral(log_p, low, high, n):
    centres = torch.arange(n, dtype=torch.float64) + 0.5
    sides = [(high[j] - low[j]) / n for j in range(2)]
    points = torch.cartesian_prod(low[0] + sides[0] * centres, low[1] + sides[1] * centres)
    chunks = max(1, len(points) // 1000)
    values = torch.cat([log_p(points[1000 * i : 1000 * (i + 1)]) for i in range(chunks)])
    return torch.logsumexp(values, dim=0) + math.log(sides[0] * sides[1])


# %% bits-both-sides right="bits-per-dimension"
# q and 1 - q are both computed without cancellation, and their logs are used for all.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        log_det = (math.log(1 - 2 * alpha) - log_q - log_r).sum(1)
        log_p = log_prob(log_q - log_r) + log_det
    return (math.log2(levels) - log_p / (d * math.log(2))).mean()


# %% bits-column-by-column right="bits-per-dimension"
# One column after the other, with the slope of the logit written in terms of v.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    seen, nats = [], 0.0
    for k, u in zip(counts.unbind(1), noise.unbind(1), strict=True):
        nats = nats + math.log(levels)
        if alpha is None:
            seen.append((k + u) / levels)
            continue
        scale = (1 - 2 * alpha) / levels
        q, r = alpha + scale * (k + u), alpha + scale * ((levels - 1 - k) + (1 - u))
        v = torch.log(q / r)
        zero = torch.zeros_like(v)
        slope = torch.logaddexp(v, zero) + torch.logaddexp(-v, zero)
        nats = nats - slope - math.log(1 - 2 * alpha)
        seen.append(v)
    nats = nats - log_prob(torch.stack(seen, dim=1))
    return nats.mean() / (d * math.log(2))


# %% bits-epsilon-in-logs wrong="bits-per-dimension"
# A small number within the logs: wrong for alpha = 0 at count 0 with noise of 1e-9.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        log_q, log_r = torch.log(q + 1e-8), torch.log(1 - q + 1e-8)
        log_p = log_prob(log_q - log_r) + (math.log(1 - 2 * alpha) - log_q - log_r).sum(1)
    return (math.log2(levels) - log_p / (d * math.log(2))).mean()


# %% bits-whole-bits wrong="bits-per-dimension"
# Takes the number of bits that store a level: wrong where levels is no power of two, such as 10.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        log_p = log_prob(log_q - log_r) + (math.log(1 - 2 * alpha) - log_q - log_r).sum(1)
    return ((levels - 1).bit_length() - log_p / (d * math.log(2))).mean()


# %% bits-product-of-slopes wrong="bits-per-dimension"
# Log of a product of slopes: it underflows for d = 60, alpha = 0, count 0 and noise of 1e-9.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        q, r = alpha + (1 - 2 * alpha) * y, alpha + (1 - 2 * alpha) * rest
        log_det = d * math.log(1 - 2 * alpha) - torch.log((q * r).prod(dim=1))
        log_p = log_prob(torch.log(q / r)) + log_det
    return (math.log2(levels) - log_p / (d * math.log(2))).mean()


# %% bits-mean-of-batch-means wrong="bits-per-dimension"
# Averages the means of batches of 32 rows: wrong for n = 33 or 40, whose last batch is smaller.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    means = []
    for k, u in zip(counts.split(32), noise.split(32), strict=True):
        y = (k + u) / levels
        if alpha is None:
            log_p = log_prob(y)
        else:
            rest = ((levels - 1 - k) + (1 - u)) / levels
            log_q = torch.log(alpha + (1 - 2 * alpha) * y)
            log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
            log_p = log_prob(log_q - log_r) + (math.log(1 - 2 * alpha) - log_q - log_r).sum(1)
        means.append((math.log2(levels) - log_p / (d * math.log(2))).mean())
    return torch.stack(means).mean()


# %% bits-integer-volume wrong="bits-per-dimension"
# levels ** d as an int64 tensor overflows: wrong for 256 levels with d = 8 or more.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        rest = ((levels - 1 - counts) + (1 - noise)) / levels
        log_q = torch.log(alpha + (1 - 2 * alpha) * y)
        log_r = torch.log(alpha + (1 - 2 * alpha) * rest)
        log_p = log_prob(log_q - log_r) + (math.log(1 - 2 * alpha) - log_q - log_r).sum(1)
    volume = torch.tensor(levels) ** d
    return ((torch.log(volume.double()) - log_p) / (d * math.log(2))).mean()
