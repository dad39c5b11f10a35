# %% [markdown]
# Answers written from the text alone.


# %% density-by-terms right="normal-log-density"
# The three terms of the logarithm, with sigma made a tensor in the precision of y.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return -0.5 * z * z - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% density-by-library right="normal-log-density"
# PyTorch's Normal, after both parameters were brought to the precision of y.
def normal_log_density(y, mu, sigma):
    loc = torch.as_tensor(mu, dtype=y.dtype)
    scale = torch.as_tensor(sigma, dtype=y.dtype)
    return torch.distributions.Normal(loc, scale).log_prob(y)


# %% density-scale-floor wrong="normal-log-density"
# Keeps sigma above 1e-12 "for safety": wrong for a sigma such as 1e-15 or 1e-20.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype).clamp(min=1e-12)
    z = (y - mu) / sigma
    return -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% density-expanded-square wrong="normal-log-density"
# Multiplies the square out, which cancels for y = 1e9, mu = 1e9 - 3, sigma = 1.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    square = y * y - 2 * y * mu + mu * mu
    return -0.5 * square / sigma**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% density-log-in-place wrong="normal-log-density"
# Values are right, but a sigma that is a float64 tensor is overwritten by its logarithm.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return -0.5 * z**2 - sigma.log_() - 0.5 * math.log(2 * math.pi)


# %% density-squeezed wrong="normal-log-density"
# Squeezes the result: y of shape (n, 1) with Python numbers gives (n,), and (1,) gives ().
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (-0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).squeeze()


# %% sum-shifted-by-maximum right="log-sum-exp"
# Subtracts each row's maximum, held constant, and adds it back.
def log_sum_exp(a):
    top = a.detach().amax(dim=-1, keepdim=True)
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top.squeeze(-1)


# %% sum-beside-the-largest right="log-sum-exp"
# Takes the largest entry out of the sum and adds log1p of what the others weigh beside it.
def log_sum_exp(a):
    where = a.argmax(dim=-1, keepdim=True)
    top = a.gather(-1, where)
    others = torch.exp(a - top).scatter(-1, where, 0.0)
    return top.squeeze(-1) + torch.log1p(others.sum(dim=-1))


# %% sum-global-maximum wrong="log-sum-exp"
# Subtracts the maximum of the whole tensor: rows such as [1000, 999] and [0, 1] give -inf.
def log_sum_exp(a):
    top = a.max()
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top


# %% sum-second-dimension wrong="log-sum-exp"
# Sums over dimension 1 of every tensor that has one: wrong for three or more dimensions.
def log_sum_exp(a):
    dim = 1 if a.ndim > 1 else 0
    top = a.detach().amax(dim=dim, keepdim=True)
    return torch.log(torch.exp(a - top).sum(dim=dim)) + top.squeeze(dim)


# %% sum-finite-stand-in wrong="log-sum-exp"
# Replaces -inf by -10000, which is the larger one in the row [-inf, -20000].
def log_sum_exp(a):
    a = torch.nan_to_num(a, neginf=-1e4)
    top = a.detach().amax(dim=-1, keepdim=True)
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top.squeeze(-1)


# %% sum-entry-by-entry wrong="log-sum-exp"
# Adds one entry after the other: a row that begins with two -inf gives nan (-inf minus -inf).
def log_sum_exp(a):
    total = a[..., 0]
    for k in range(1, a.shape[-1]):
        high = torch.maximum(total, a[..., k])
        low = torch.minimum(total, a[..., k])
        total = high + torch.log1p(torch.exp(low - high))
    return total


# %% waits-log1p-expm1 right="draws-by-inversion"
# Solves F(t) = u with log1p and expm1.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-by-odds right="draws-by-inversion"
# In NumPy, through the odds w / (1 - w) of w = 1 - exp(-rate t).
def waits_from_uniform(u, rate, upper):
    w = u.detach().numpy() * -np.expm1(-rate * upper)
    t = np.log1p(w / (1 - w)) / rate
    return torch.as_tensor(np.asarray(t), dtype=u.dtype)


# %% waits-plain-log wrong="draws-by-inversion"
# Guards small rates only: for rate 0.2, upper 10 and u = 1e-18 (or 1e-12), 1 - w loses u.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-6:
        return u * upper
    return -torch.log(1 - u * (1 - math.exp(-rate * upper))) / rate


# %% waits-coarse-limit wrong="draws-by-inversion"
# Takes the uniform limit too early: for rate * upper = 9e-5 it is off by up to 4.5e-5 relatively.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-4:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-single-precision wrong="draws-by-inversion"
# expm1 in float32 is -1 for rate * upper = 20: u = 1 - 1e-12 gives waits beyond upper.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * torch.expm1(torch.tensor(-rate * upper))) / rate


# %% waits-flat wrong="draws-by-inversion"
# Goes through the values one by one and returns a vector also for a matrix or a 0-d u.
def waits_from_uniform(u, rate, upper):
    mass = math.expm1(-rate * upper)
    waits = [-math.log1p(v * mass) / rate for v in u.flatten().tolist()]
    return torch.tensor(waits, dtype=u.dtype)


# %% error-flattened right="mend-a-broadcast"
# Flattens all three after comparing how many values they hold.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("prediction, y and weight must hold equally many values")
    prediction, y, weight = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% error-numpy-average right="mend-a-broadcast"
# NumPy's weighted average of the squared differences of three ravelled arrays.
def weighted_error(prediction, y, weight):
    p, t, w = (a.detach().numpy().ravel() for a in (prediction, y, weight))
    if len({p.size, t.size, w.size}) > 1:
        raise ValueError(f"lengths differ: {p.size}, {t.size}, {w.size}")
    return float(np.average((p - t) ** 2, weights=w))


# %% error-two-columns wrong="mend-a-broadcast"
# Aligns prediction and y with each other only: both as columns with flat weights give (n, n).
def weighted_error(prediction, y, weight):
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    if prediction.ndim > y.ndim:
        prediction = prediction[:, 0]
    if y.ndim > prediction.ndim:
        y = y[:, 0]
    if weight.ndim > 1:
        weight = weight[:, 0]
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% error-weight-length wrong="mend-a-broadcast"
# Never looks at the number of weights: a single weight with three predictions is accepted.
def weighted_error(prediction, y, weight):
    if prediction.numel() != y.numel():
        raise ValueError("prediction and y must hold equally many values")
    prediction, y, weight = prediction.flatten(), y.flatten(), weight.flatten()
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% error-squeeze-in-place wrong="mend-a-broadcast"
# Right value, but squeeze_ turns the caller's own column of shape (n, 1) into shape (n,).
def weighted_error(prediction, y, weight):
    for a in (prediction, y, weight):
        if a.ndim == 2:
            a.squeeze_(1)
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% error-single-value wrong="mend-a-broadcast"
# squeeze() makes tensors of one value 0-d, whose len() is a TypeError: breaks for n = 1.
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.squeeze(), y.squeeze(), weight.squeeze()
    if len(prediction) != len(y) or len(y) != len(weight):
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% shapes-by-numpy right="foretell-shapes"
# Broadcasts with NumPy and cuts the event dimensions off at the right.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    both = np.broadcast_shapes(full, value)
    return full[:cut], full[cut:], tuple(sample) + full, both[: len(both) - event_dims]


# %% shapes-by-hand right="foretell-shapes"
# Broadcasts by hand, from the last dimension to the first.
def foretell_shapes(loc, scale, event_dims, sample, value):
    from itertools import zip_longest

    def broadcast(a, b):
        pairs = zip_longest(reversed(a), reversed(b), fillvalue=1)
        return [max(pair) for pair in pairs][::-1]

    full = broadcast(loc, scale)
    batch = full[: len(full) - event_dims]
    event = full[len(batch) :]
    log_prob = broadcast(full, value)
    for _ in range(event_dims):
        log_prob.pop()
    return tuple(batch), tuple(event), (*sample, *full), tuple(log_prob)


# %% shapes-negative-cut wrong="foretell-shapes"
# Cuts value alone: for loc (2, 3, 4), event_dims 3, value (3, 4) the cut is at -1: (3,), not ().
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    batch, event = full[:cut], full[cut:]
    log_prob = np.broadcast_shapes(batch, value[: len(value) - event_dims])
    return batch, event, tuple(sample) + full, log_prob


# %% shapes-leading-dimensions wrong="foretell-shapes"
# Adds value's extra leading dimensions to the batch: loc (1, 3), event_dims 1 and value (5, 3)
# give (1,), though the batch dimension of size 1 broadcasts to (5,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    batch, event = full[:cut], full[cut:]
    lead = tuple(value[: max(0, len(value) - len(full))])
    return batch, event, tuple(sample) + full, lead + batch


# %% shapes-event-of-loc wrong="foretell-shapes"
# Reads the event shape from loc: wrong for loc () or (1,) with scale (3,) and event_dims 1.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    batch = full[: len(full) - event_dims]
    event = tuple(loc[max(0, len(loc) - event_dims) :])
    both = np.broadcast_shapes(full, value)
    return batch, event, tuple(sample) + full, both[: len(both) - event_dims]


# %% shapes-short-value wrong="foretell-shapes"
# Pads only the distribution's shape: a shorter value, (3,) against (5, 3), is aligned at the left.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    padded = (1,) * (len(value) - len(full)) + full
    both = tuple(max(a, b) for a, b in zip(padded, value))
    return full[:cut], full[cut:], tuple(sample) + full, both[: len(both) - event_dims]
