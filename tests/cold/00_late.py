# %% [markdown]
# Answers written from the text alone.


# %% normal-standardised right="normal-log-density"
# Converts to the precision of y, standardises first, and adds the three terms of the logarithm.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype, device=y.device)
    sigma = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
    z = (y - mu) / sigma
    return -(0.5 * z) * z - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% normal-library-standard right="normal-log-density"
# Asks torch.distributions for the standard Normal at z and corrects by the Jacobian, log sigma.
def normal_log_density(y, mu, sigma):
    centre = torch.as_tensor(mu, dtype=y.dtype, device=y.device)
    scale = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
    z = (y - centre) / scale
    standard = torch.distributions.Normal(z.new_zeros(()), z.new_ones(()))
    return standard.log_prob(z) - scale.log()


# %% normal-mean-log-scale wrong="normal-log-density"
# Averages log sigma over all scales; wrong for a tensor sigma of unequal entries ([0.5, 2, 3]).
def normal_log_density(y, mu, sigma):
    scale = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / scale
    return -0.5 * z**2 - scale.log().mean() - 0.5 * math.log(2 * math.pi)


# %% normal-divides-in-place wrong="normal-log-density"
# Divides the difference in place, which cannot grow: RuntimeError for y (n, 1), mu a number and
# sigma of shape (K,).
def normal_log_density(y, mu, sigma):
    log_scale = torch.as_tensor(sigma, dtype=y.dtype).log()
    z = y - mu
    z /= sigma
    return -0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)


# %% normal-logs-sigma-in-place wrong="normal-log-density"
# Takes the logarithm in place after dividing: the value is right, but a sigma that is a tensor
# in the precision of y holds log sigma afterwards.
def normal_log_density(y, mu, sigma):
    scale = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / scale
    return -0.5 * z**2 - scale.log_() - 0.5 * math.log(2 * math.pi)


# %% normal-clamps-at-a-billionth wrong="normal-log-density"
# Takes the general lower bound of a billionth for sigma; wrong for sigma from 1e-20 to 1e-9,
# e.g. y = mu and sigma = 1e-15.
def normal_log_density(y, mu, sigma):
    scale = torch.as_tensor(sigma, dtype=y.dtype).clamp(min=1e-9)
    z = (y - mu) / scale
    return -0.5 * z**2 - scale.log() - 0.5 * math.log(2 * math.pi)


# %% normal-always-double right="normal-log-density"
# Written as wrong; right since the text says that y is float64, as SciPy's results are.
# Its reader's words:
# Computes and returns float64 always; for a float32 y the result is not in the precision of y.
def normal_log_density(y, mu, sigma):
    y = y.double()
    mu = torch.as_tensor(mu, dtype=torch.float64)
    sigma = torch.as_tensor(sigma, dtype=torch.float64)
    z = (y - mu) / sigma
    return -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% lse-detached-maximum right="log-sum-exp"
# Subtracts the detached maximum of each row, sums, takes the logarithm and adds it again.
def log_sum_exp(a):
    top = a.detach().amax(dim=-1, keepdim=True)
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top.squeeze(-1)


# %% lse-sorted-log1p right="log-sum-exp"
# Sorts each row downwards, and adds log1p of what the others hold relative to the largest.
def log_sum_exp(a):
    ordered = torch.sort(a, dim=-1, descending=True).values
    top, rest = ordered[..., 0], ordered[..., 1:]
    return top + torch.log1p(torch.exp(rest - top.unsqueeze(-1)).sum(dim=-1))


# %% lse-global-maximum wrong="log-sum-exp"
# Subtracts the maximum of the whole tensor; a row that lies 1000 below another gives -inf.
def log_sum_exp(a):
    top = a.detach().max()
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top


# %% lse-rows-through-lists wrong="log-sum-exp"
# Goes through Python lists for more than one dimension: values are right, but no gradient flows
# for an a of shape (n, K).
def log_sum_exp(a):
    if a.dim() > 1:
        return torch.tensor([log_sum_exp(row).tolist() for row in a], dtype=a.dtype)
    top = a.detach().max()
    return torch.log(torch.exp(a - top).sum()) + top


# %% lse-largest-counts-once wrong="log-sum-exp"
# Leaves out every entry that equals the maximum and counts it once; wrong for ties: [1, 1, 0].
def log_sum_exp(a):
    top = a.amax(dim=-1, keepdim=True)
    rest = torch.where(a < top, torch.exp(a - top), torch.zeros_like(a))
    return top.squeeze(-1) + torch.log1p(rest.sum(dim=-1))


# %% lse-two-at-a-time wrong="log-sum-exp"
# Adds entry after entry by hi + log1p(exp(lo - hi)); a row that begins with two -inf gives nan,
# since -inf - -inf is nan: [-inf, -inf, 0].
def log_sum_exp(a):
    total = a[..., 0]
    for k in range(1, a.shape[-1]):
        high = torch.maximum(total, a[..., k])
        low = torch.minimum(total, a[..., k])
        total = high + torch.log1p(torch.exp(low - high))
    return total


# %% lse-fills-minus-infinity wrong="log-sum-exp"
# Replaces -inf in place before it begins: an input with -inf is changed (and one that asks for
# gradients raises an error).
def log_sum_exp(a):
    if torch.isneginf(a).any():
        a.masked_fill_(torch.isneginf(a), torch.finfo(a.dtype).min)
    top = a.detach().amax(dim=-1, keepdim=True)
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top.squeeze(-1)


# %% waits-closed-form right="draws-by-inversion"
# Solves 1 - exp(-r t) = u (1 - exp(-r upper)) with log1p and expm1.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-scipy right="draws-by-inversion"
# Uses the quantile function of scipy's truncated exponential, whose scale is 1 / rate.
def waits_from_uniform(u, rate, upper):
    from scipy import stats

    t = stats.truncexpon.ppf(u.detach().numpy(), rate * upper, scale=1 / rate)
    return torch.as_tensor(np.asarray(t), dtype=u.dtype).reshape(u.shape)


# %% waits-linear-too-early wrong="draws-by-inversion"
# Takes the times as uniform below a product of 1e-4; at 5e-5 and u = 0.1 that is wrong by a
# relative 2e-5.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-4:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-plain-logarithm wrong="draws-by-inversion"
# Handles small products, but uses log(1 - ...) for the others; u = 1e-17 with rate 0.2 and
# upper 10 gives 0.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-7:
        return u * upper
    return -torch.log(1 + u * math.expm1(-rate * upper)) / rate


# %% waits-from-numpy wrong="draws-by-inversion"
# Comes back by from_numpy, which takes no NumPy scalar: a 0-d u raises TypeError.
def waits_from_uniform(u, rate, upper):
    t = -np.log1p(u.numpy() * np.expm1(-rate * upper)) / rate
    return torch.from_numpy(t)


# %% waits-scales-in-place wrong="draws-by-inversion"
# In the branch for nearly uniform times it scales u in place: the caller's u is changed where
# the product is below 1e-7.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-7:
        return u.mul_(upper)
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-forgets-upper wrong="draws-by-inversion"
# Takes the truncation as negligible for products above 15; for product 20 and u = 1 - 1e-10
# the time exceeds upper.
def waits_from_uniform(u, rate, upper):
    if rate * upper > 15:
        return -torch.log1p(-u) / rate
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% broadcast-flat right="mend-a-broadcast"
# Flattens all three after comparing their numbers of values.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("prediction, y and weight must hold equally many values")
    p, t, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    return (w * (p - t) ** 2).sum() / w.sum()


# %% broadcast-python-loop right="mend-a-broadcast"
# Loops over Python numbers; zip itself raises ValueError for unequal lengths.
def weighted_error(prediction, y, weight):
    lists = [v.detach().flatten().tolist() for v in (prediction, y, weight)]
    triples = list(zip(*lists, strict=True))
    total = math.fsum(w * (p - t) ** 2 for p, t, w in triples)
    return total / math.fsum(w for _, _, w in triples)


# %% broadcast-and-for-or wrong="mend-a-broadcast"
# Raises only if the prediction differs from both others; one weight (or one target) for n
# predictions broadcasts without an error.
def weighted_error(prediction, y, weight):
    if prediction.numel() != y.numel() and prediction.numel() != weight.numel():
        raise ValueError("lengths differ")
    p, t, w = prediction.flatten(), y.flatten(), weight.flatten()
    return (w * (p - t) ** 2).sum() / w.sum()


# %% broadcast-squeezed-shapes wrong="mend-a-broadcast"
# Squeezes the last axis and compares shapes; for n = 1, (1, 1) becomes (1,) but (1,) becomes
# (), so that a mixture of the two raises ValueError.
def weighted_error(prediction, y, weight):
    p, t, w = prediction.squeeze(-1), y.squeeze(-1), weight.squeeze(-1)
    if not p.shape == t.shape == w.shape:
        raise ValueError("lengths differ")
    return (w * (p - t) ** 2).sum() / w.sum()


# %% broadcast-epsilon-below wrong="mend-a-broadcast"
# Adds 1e-8 to the sum of the weights; wrong for weights that sum to 1e-7 or less.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("lengths differ")
    p, t, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    return (w * (p - t) ** 2).sum() / (w.sum() + 1e-8)


# %% broadcast-squeezes-in-place wrong="mend-a-broadcast"
# Squeezes columns in place: the caller's (n, 1) tensors are (n,) afterwards.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("lengths differ")
    for v in (prediction, y, weight):
        if v.dim() == 2:
            v.squeeze_(1)
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% broadcast-moments wrong="mend-a-broadcast"
# Expands the square into three moments, which cancel for large values: predictions and targets
# near 1e9 that differ by 1.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("lengths differ")
    p, t, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    w = w / w.sum()
    return torch.dot(w, p * p) - 2 * torch.dot(w, p * t) + torch.dot(w, t * t)


# %% shapes-numpy right="foretell-shapes"
# Broadcasts with NumPy and cuts at an index counted from the left.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(tuple(loc), tuple(scale)))
    cut = len(full) - event_dims
    both = tuple(np.broadcast_shapes(tuple(value), full))
    return full[:cut], full[cut:], tuple(sample) + full, both[: len(both) - event_dims]


# %% shapes-by-hand right="foretell-shapes"
# Broadcasts by hand, from the last axis to the first.
def foretell_shapes(loc, scale, event_dims, sample, value):
    from itertools import zip_longest

    def together(a, b):
        pairs = zip_longest(reversed(a), reversed(b), fillvalue=1)
        return [j if i == 1 else i for i, j in pairs][::-1]

    def split(shape):
        left, right = list(shape), []
        for _ in range(event_dims):
            right.insert(0, left.pop())
        return left, right

    full = together(loc, scale)
    batch, event = split(full)
    return batch, event, [*sample, *batch, *event], split(together(value, full))[0]


# %% shapes-value-cut-first wrong="foretell-shapes"
# Cuts the event off value before it broadcasts; with fewer axes in value than event_dims the
# index is negative: value (2, 3) with three event dimensions keeps (2,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(loc, scale))
    cut = len(full) - event_dims
    batch, event = full[:cut], full[cut:]
    lead = tuple(value)[: len(value) - event_dims]
    return batch, event, tuple(sample) + full, tuple(np.broadcast_shapes(lead, batch))


# %% shapes-event-of-loc wrong="foretell-shapes"
# Takes the event shape from loc alone; wrong for loc (1,) and scale (3,) with one event
# dimension, or for loc ().
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(loc, scale))
    batch = full[: len(full) - event_dims]
    event = tuple(loc)[len(loc) - event_dims :]
    both = tuple(np.broadcast_shapes(value, full))
    return batch, event, tuple(sample) + full, both[: len(both) - event_dims]


# %% shapes-no-batch-no-axes wrong="foretell-shapes"
# Takes log_prob for a scalar whenever the batch shape is empty; loc (3,) with one event
# dimension and value (7, 3) must give (7,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(loc, scale))
    cut = len(full) - event_dims
    batch, event = full[:cut], full[cut:]
    if not batch:
        return batch, event, tuple(sample) + event, ()
    both = tuple(np.broadcast_shapes(value, full))
    return batch, event, tuple(sample) + full, both[: len(both) - event_dims]


# %% shapes-event-dims-as-flag wrong="foretell-shapes"
# Knows one event dimension or none; wrong for event_dims of 2 or more.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(loc, scale))
    cut = 1 if event_dims else 0
    both = tuple(np.broadcast_shapes(value, full))
    batch, event = full[: len(full) - cut], full[len(full) - cut :]
    return batch, event, tuple(sample) + full, both[: len(both) - cut]


# %% shapes-value-against-draw wrong="foretell-shapes"
# Broadcasts value against the shape of the draw; wrong if sample is not empty and value has no
# such axis: sample (100,) and value (3,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(loc, scale))
    cut = len(full) - event_dims
    draw = tuple(sample) + full
    both = tuple(np.broadcast_shapes(value, draw))
    return full[:cut], full[cut:], draw, both[: len(both) - event_dims]
