# %% [markdown]
# Answers written from the text alone.


# %% normal-standardised right="normal-log-density"
# Standardises in the precision of y and adds the three terms by hand.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return -0.5 * z * z - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% normal-by-library right="normal-log-density"
# torch.distributions scores the standardised value; the change of variables takes off log sigma.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    unit = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    return unit.log_prob(z) - torch.log(sigma)


# %% normal-sigma-plus-eps wrong="normal-log-density"
# Adds 1e-12 to sigma "against division by zero": wrong for sigma = 1e-20, and for any below 1e-9.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype) + 1e-12
    return -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% normal-in-single-precision wrong="normal-log-density"
# Computes in float32 and casts back: y = 1e9 + 1, mu = 1e9, sigma = 1 is taken for z = 0.
def normal_log_density(y, mu, sigma):
    kind = torch.get_default_dtype()
    x = torch.as_tensor(y, dtype=kind)
    mu = torch.as_tensor(mu, dtype=kind)
    sigma = torch.as_tensor(sigma, dtype=kind)
    result = -0.5 * ((x - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return result.to(y.dtype)


# %% normal-tails-cut wrong="normal-log-density"
# Limits z to 1000 standard deviations: wrong for y = 5, mu = 0, sigma = 1e-3.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = ((y - mu) / sigma).clamp(-1000, 1000)
    return -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% normal-aligned-means wrong="normal-log-density"
# Reshapes mu like y if they hold equally many values: y (3, 1), mu (3,) give (3, 1), not (3, 3).
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    if mu.numel() == y.numel():
        mu = mu.reshape(y.shape)
    z = (y - mu) / sigma
    return -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% lse-detached-max right="log-sum-exp"
# Subtracts each row's largest entry, without a gradient, and adds it again.
def log_sum_exp(a):
    top = a.detach().amax(dim=-1, keepdim=True)
    return (a - top).exp().sum(dim=-1).log() + top.squeeze(-1)


# %% lse-sorted-log1p right="log-sum-exp"
# Sorts each row; the largest entry counts as 1 and the others go through log1p.
def log_sum_exp(a):
    ordered = torch.sort(a, dim=-1, descending=True).values
    top = ordered[..., 0]
    others = ordered[..., 1:] - top[..., None]
    return top + torch.log1p(others.exp().sum(dim=-1))


# %% lse-one-max-for-all wrong="log-sum-exp"
# Subtracts the largest entry of the whole tensor: -inf in row two of [[0, 1], [-2000, -2001]].
def log_sum_exp(a):
    top = a.detach().max()
    return (a - top).exp().sum(dim=-1).log() + top


# %% lse-squeezes-too-much wrong="log-sum-exp"
# squeeze() without a dimension: shape (3, 1, K) gives (3, 3) in place of (3, 1).
def log_sum_exp(a):
    top = a.detach().max(dim=-1, keepdim=True).values
    return top.squeeze() + torch.log(torch.exp(a - top).sum(dim=-1))


# %% lse-replaces-minus-inf wrong="log-sum-exp"
# Puts -1e4 for -inf, which then dominates the row [-1e6, -inf].
def log_sum_exp(a):
    a = torch.nan_to_num(a, neginf=-1e4)
    top = a.detach().amax(dim=-1, keepdim=True)
    return (a - top).exp().sum(dim=-1).log() + top.squeeze(-1)


# %% lse-gradient-only-when-small wrong="log-sum-exp"
# The stable branch cuts the gradient of the entries: no gradient for [1000.0, 999.0].
def log_sum_exp(a):
    if a.detach().abs().max() < 700:
        return a.exp().sum(dim=-1).log()
    b = a.detach()
    top = b.amax(dim=-1, keepdim=True)
    return (b - top).exp().sum(dim=-1).log() + top.squeeze(-1)


# %% waits-log1p right="draws-by-inversion"
# The closed form, with expm1 and log1p against cancellation.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-atanh right="draws-by-inversion"
# -log(1 - w) = 2 atanh(w / (2 - w)), which loses nothing at small w; in NumPy.
def waits_from_uniform(u, rate, upper):
    w = -np.expm1(-float(rate) * float(upper)) * u.detach().numpy()
    times = 2.0 * np.arctanh(w / (2.0 - w)) / rate
    return torch.as_tensor(times, dtype=u.dtype)


# %% waits-uniform-too-early wrong="draws-by-inversion"
# Takes the times for uniform below rate * upper = 1e-3: an error of 2.5e-4 at 5e-4 and small u.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-3:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-small-u-lost wrong="draws-by-inversion"
# Mends small rates only; for rate * upper = 1 and u = 1e-15, log(1 - tiny) has lost its digits.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-7:
        return u * upper
    return -torch.log(1 - u * (1 - math.exp(-rate * upper))) / rate


# %% waits-truncation-forgotten wrong="draws-by-inversion"
# Leaves the truncation out above rate * upper = 10: u next to 1 then gives times above upper.
def waits_from_uniform(u, rate, upper):
    if rate * upper > 10:
        return -torch.log1p(-u) / rate
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-u-clamped wrong="draws-by-inversion"
# Keeps u away from 0 and 1 by 1e-10: u = 1e-14 gets a time ten thousand times too large.
def waits_from_uniform(u, rate, upper):
    safe = u.clamp(1e-10, 1 - 1e-10)
    return -torch.log1p(safe * math.expm1(-rate * upper)) / rate


# %% weighted-flat right="mend-a-broadcast"
# Flattens all three, compares their lengths, and uses the old formula.
def weighted_error(prediction, y, weight):
    p, t, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if not p.numel() == t.numel() == w.numel():
        raise ValueError("prediction, y and weight must hold equally many values")
    return (w * (p - t) ** 2).sum() / w.sum()


# %% weighted-by-loop right="mend-a-broadcast"
# A loop over Python numbers; returns a number.
def weighted_error(prediction, y, weight):
    lists = [x.detach().flatten().tolist() for x in (prediction, y, weight)]
    if len({len(values) for values in lists}) != 1:
        raise ValueError("the three lengths differ")
    total = 0.0
    for p, t, w in zip(*lists):
        total += w * (p - t) * (p - t)
    return total / math.fsum(lists[2])


# %% weighted-weight-length-unchecked wrong="mend-a-broadcast"
# Compares prediction and y only: a weight of shape (1,) with three values raises nothing.
def weighted_error(prediction, y, weight):
    p, t, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if p.shape != t.shape:
        raise ValueError("prediction and y must hold equally many values")
    return (w * (p - t) ** 2).sum() / w.sum()


# %% weighted-eps-below wrong="mend-a-broadcast"
# Adds 1e-8 to the sum of the weights: far off where the only positive weight is 1e-9.
def weighted_error(prediction, y, weight):
    p, t, w = prediction.flatten(), y.flatten(), weight.flatten()
    if len(p) != len(t) or len(p) != len(w):
        raise ValueError("lengths differ")
    return (w * (p - t) ** 2).sum() / (w.sum() + 1e-8)


# %% weighted-squeezes-in-place wrong="mend-a-broadcast"
# squeeze_() takes the last axis off the caller's own columns: their shape has changed afterwards.
def weighted_error(prediction, y, weight):
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    for x in (prediction, y, weight):
        if x.dim() == 2:
            x.squeeze_(1)
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% weighted-single-example-breaks wrong="mend-a-broadcast"
# squeeze() makes 0-d tensors of n = 1, which have no len(): TypeError for shapes (1,) and (1, 1).
def weighted_error(prediction, y, weight):
    p, t, w = prediction.squeeze(), y.squeeze(), weight.squeeze()
    if len(p) != len(t) or len(t) != len(w):
        raise ValueError("lengths differ")
    return (w * (p - t) ** 2).sum() / w.sum()


# %% shapes-by-numpy right="foretell-shapes"
# Broadcasts with NumPy and cuts the event dimensions off by counting from the left.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(np.broadcast_shapes(tuple(loc), tuple(scale)))
    cut = len(full) - event_dims
    scored = tuple(np.broadcast_shapes(full, tuple(value)))
    return full[:cut], full[cut:], tuple(sample) + full, scored[: len(scored) - event_dims]


# %% shapes-by-hand right="foretell-shapes"
# Broadcasts by hand: pads with ones on the left and takes the side that is not one.
def foretell_shapes(loc, scale, event_dims, sample, value):
    def broadcast(one, two):
        rank = max(len(one), len(two))
        one = (1,) * (rank - len(one)) + tuple(one)
        two = (1,) * (rank - len(two)) + tuple(two)
        return [b if a == 1 else a for a, b in zip(one, two)]

    batch = broadcast(loc, scale)
    draw = list(sample) + batch
    log_prob = broadcast(batch, value)
    event = []
    for _ in range(event_dims):
        event.insert(0, batch.pop())
        log_prob.pop()
    return tuple(batch), tuple(event), tuple(draw), tuple(log_prob)


# %% shapes-event-of-loc wrong="foretell-shapes"
# Takes the event shape from loc alone: loc (5, 1), scale (3,), event_dims 1 gives (1,), not (3,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    batch = full[: len(full) - event_dims]
    event = loc[len(loc) - event_dims :] if event_dims <= len(loc) else full[len(batch) :]
    scored = np.broadcast_shapes(full, value)
    return batch, event, sample + full, scored[: len(scored) - event_dims]


# %% shapes-short-value wrong="foretell-shapes"
# Cuts the event off value before it broadcasts: value (4, 3), event_dims 3 leaves (4,), not ().
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    batch, event = full[:cut], full[cut:]
    outer = value[: len(value) - event_dims]
    return batch, event, sample + batch + event, np.broadcast_shapes(outer, batch)


# %% shapes-empty-sample wrong="foretell-shapes"
# Takes an empty sample shape for one draw in an axis of its own: () gives (1,) + batch + event.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    scored = np.broadcast_shapes(full, value)
    draw = (sample or (1,)) + full
    return full[:cut], full[cut:], draw, scored[: len(scored) - event_dims]


# %% shapes-really-drawn wrong="foretell-shapes"
# Builds d and draws from it: right shapes, but the global generator has moved, for any input.
def foretell_shapes(loc, scale, event_dims, sample, value):
    base = torch.distributions.Normal(torch.zeros(loc), torch.ones(scale))
    d = torch.distributions.Independent(base, event_dims)
    score = d.log_prob(torch.zeros(value))
    return d.batch_shape, d.event_shape, d.sample(sample).shape, score.shape
