# %% [markdown]
# Answers written from the text alone.


# %% density-terms-third right="normal-log-density"
# Everything is cast to y's precision, standardised, and the three terms are added.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return -0.5 * z * z - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% density-standard-normal-third right="normal-log-density"
# A change of variables: the library's standard Normal at z, minus log sigma.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    zero = torch.zeros((), dtype=y.dtype)
    standard = torch.distributions.Normal(zero, zero + 1, validate_args=False)
    return standard.log_prob((y - mu) / sigma) - sigma.log()


# %% density-default-dtype-third right="normal-log-density"
# Handed in as wrong; the text now asks no more of Python numbers than float32 holds.
# as_tensor without a dtype rounds Python numbers to float32: mu = 123456789.25 is moved by
# almost 3, and mu = 0.1 with sigma = 1e-9 by more than one standard deviation.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu)
    sigma = torch.as_tensor(sigma)
    z = (y - mu) / sigma
    return (-0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).to(y.dtype)


# %% density-expanded-square-third wrong="normal-log-density"
# The square is multiplied out and cancels: y = 1e9 + 1, mu = 1e9, sigma = 1 loses everything.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    square = y**2 - 2 * y * mu + mu**2
    return -square / sigma**2 / 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% density-log-in-place-third wrong="normal-log-density"
# A tensor sigma is overwritten by its logarithm (log_); the value returned is right.
def normal_log_density(y, mu, sigma):
    z = (y - torch.as_tensor(mu, dtype=y.dtype)) / torch.as_tensor(sigma, dtype=y.dtype)
    log_sigma = sigma.log_().to(y.dtype) if torch.is_tensor(sigma) else math.log(sigma)
    return -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% density-sigma-floor-third wrong="normal-log-density"
# sigma is kept above 1e-12 "for safety": wrong for sigma = 1e-15 or 1e-20, by log(1e3) or more.
def normal_log_density(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    sigma = torch.as_tensor(sigma, dtype=y.dtype).clamp(min=1e-12)
    return -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% lse-shift-by-max-third right="log-sum-exp"
# The row's largest entry is subtracted before the exponential and added after the logarithm.
def log_sum_exp(a):
    largest = a.detach().amax(dim=-1, keepdim=True)
    return (a - largest).exp().sum(dim=-1).log() + largest.squeeze(-1)


# %% lse-sorted-log1p-third right="log-sum-exp"
# Sorted rows: the first entry counts as 1, all the others go through log1p.
def log_sum_exp(a):
    ordered = torch.sort(a, dim=-1, descending=True).values
    first, rest = ordered[..., :1], ordered[..., 1:]
    return first[..., 0] + torch.log1p(torch.exp(rest - first).sum(dim=-1))


# %% lse-one-max-for-all-third wrong="log-sum-exp"
# One maximum for the whole tensor: a row 800 or more below the largest entry becomes -inf.
def log_sum_exp(a):
    largest = a.detach().max()
    return (a - largest).exp().sum(dim=-1).log() + largest


# %% lse-squeeze-all-third wrong="log-sum-exp"
# squeeze() without a dimension: shape (1, K) gives a 0-d tensor, (3, 1, K) gives (3,).
def log_sum_exp(a):
    largest = a.detach().max(dim=-1, keepdim=True).values
    total = (a - largest).exp().sum(dim=-1, keepdim=True)
    return (largest + total.log()).squeeze()


# %% lse-ties-lost-third wrong="log-sum-exp"
# Every entry equal to the maximum is taken out, but only one is put back: ties such as [0, 0].
def log_sum_exp(a):
    largest = a.max(dim=-1, keepdim=True).values
    others = (a - largest).exp().masked_fill(a == largest, 0.0)
    return largest.squeeze(-1) + torch.log1p(others.sum(dim=-1))


# %% lse-inf-replaced-third wrong="log-sum-exp"
# -inf is replaced by -10000, which is a large probability beside finite entries near -20000.
def log_sum_exp(a):
    a = torch.nan_to_num(a, neginf=-1e4)
    largest = a.detach().max(dim=-1, keepdim=True).values
    return (a - largest).exp().sum(dim=-1).log() + largest.squeeze(-1)


# %% waits-log1p-expm1-third right="draws-by-inversion"
# F(t) = expm1(-r t) / expm1(-r upper), solved for t.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-truncexpon-third right="draws-by-inversion"
# SciPy's truncated exponential, in units of 1 / rate.
def waits_from_uniform(u, rate, upper):
    from scipy import stats

    times = stats.truncexpon.ppf(u.detach().cpu().numpy(), rate * upper, scale=1 / rate)
    return torch.as_tensor(times, dtype=torch.float64).reshape(u.shape)


# %% waits-small-rate-uniform-third wrong="draws-by-inversion"
# "Small" is judged by the rate, not by the product: rate = 1e-7 with upper = 1e8 (product 10)
# is treated as uniform.
def waits_from_uniform(u, rate, upper):
    if rate < 1e-6:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-float32-product-third wrong="draws-by-inversion"
# torch.tensor(number) is float32, where expm1(-20) is exactly -1: for a product of 20 the
# largest u (0.99999, 1 - 1e-9) give times that are too long, even beyond upper.
def waits_from_uniform(u, rate, upper):
    mass = torch.expm1(-torch.tensor(rate * upper))
    return -torch.log1p(u * mass) / rate


# %% waits-clamped-uniform-third wrong="draws-by-inversion"
# u is kept away from 1 by 1e-6 against log(0), which cannot occur: wrong for u = 1 - 1e-8 with
# a product near 20.
def waits_from_uniform(u, rate, upper):
    u = u.clamp(max=1 - 1e-6)
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% waits-flat-list-third wrong="draws-by-inversion"
# The loop forgets the shape: u of shape (2, 3) gives (6,), and a 0-d u gives (1,).
def waits_from_uniform(u, rate, upper):
    mass = math.expm1(-rate * upper)
    times = [-math.log1p(v * mass) / rate for v in u.flatten().tolist()]
    return torch.tensor(times, dtype=torch.float64)


# %% error-flat-vectors-third right="mend-a-broadcast"
# All three as flat vectors, lengths compared first.
def weighted_error(prediction, y, weight):
    p, y, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if not p.numel() == y.numel() == w.numel():
        raise ValueError("prediction, y and weight must hold equally many values")
    return (w * (p - y) ** 2).sum() / w.sum()


# %% error-loop-third right="mend-a-broadcast"
# Plain Python: three lists of numbers and two exact sums.
def weighted_error(prediction, y, weight):
    columns = [t.detach().flatten().tolist() for t in (prediction, y, weight)]
    if len({len(column) for column in columns}) != 1:
        raise ValueError("prediction, y and weight must hold equally many values")
    top = math.fsum(w * (p - t) ** 2 for p, t, w in zip(*columns))
    return top / math.fsum(columns[2])


# %% error-chained-unequal-third wrong="mend-a-broadcast"
# "a != b != c" is only true when both differ: a lone weight, or a lone y, of shape (1,) beside
# n > 1 others broadcasts in place of a ValueError.
def weighted_error(prediction, y, weight):
    p, y, w = prediction.flatten(), y.flatten(), weight.flatten()
    if y.numel() != p.numel() != w.numel():
        raise ValueError("lengths differ")
    return (w * (p - y) ** 2).sum() / w.sum()


# %% error-squeeze-len-third wrong="mend-a-broadcast"
# squeeze() makes a 0-d tensor of a single value, and len() of that raises TypeError: n = 1.
def weighted_error(prediction, y, weight):
    p, y, w = prediction.squeeze(), y.squeeze(), weight.squeeze()
    if p.shape != y.shape or y.shape != w.shape:
        raise ValueError("lengths differ")
    return sum(w[i] * (p[i] - y[i]) ** 2 for i in range(len(y))) / w.sum()


# %% error-one-column-only-third wrong="mend-a-broadcast"
# elif: when prediction and y are both columns, y stays one and everything is (n, n) again.
def weighted_error(prediction, y, weight):
    if not prediction.numel() == y.numel() == weight.numel():
        raise ValueError("lengths differ")
    if prediction.dim() == 2:
        prediction = prediction[:, 0]
    elif y.dim() == 2:
        y = y[:, 0]
    if weight.dim() == 2:
        weight = weight[:, 0]
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% error-epsilon-below-third wrong="mend-a-broadcast"
# 1e-8 is added to the sum of the weights: weights near 1e-9 give a fraction of the error.
def weighted_error(prediction, y, weight):
    p, y, w = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if p.shape != y.shape or y.shape != w.shape:
        raise ValueError("lengths differ")
    return (w * (p - y) ** 2).sum() / (w.sum() + 1e-8)


# %% shapes-broadcast-slices-third right="foretell-shapes"
# NumPy broadcasts; counted from the left, the slices also hold for event_dims = 0.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(tuple(loc), tuple(scale))
    cut = len(full) - event_dims
    summed = np.broadcast_shapes(full, tuple(value))
    return full[:cut], full[cut:], tuple(sample) + full, summed[: len(summed) - event_dims]


# %% shapes-by-hand-third right="foretell-shapes"
# Broadcasting by hand, from the right, one dimension at a time.
def foretell_shapes(loc, scale, event_dims, sample, value):
    def broadcast(left, right):
        n = max(len(left), len(right))
        left = [1] * (n - len(left)) + list(left)
        right = [1] * (n - len(right)) + list(right)
        return [b if a == 1 else a for a, b in zip(left, right)]

    full = broadcast(loc, scale)
    batch, event = list(full), []
    log_prob = broadcast(full, value)
    for _ in range(event_dims):
        event.insert(0, batch.pop())
        log_prob.pop()
    return tuple(batch), tuple(event), tuple(sample) + tuple(full), tuple(log_prob)


# %% shapes-draw-like-loc-third wrong="foretell-shapes"
# A draw is given the shape of loc: wrong if scale is the larger one, loc (3,), scale (4, 1).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    cut = len(full) - event_dims
    summed = np.broadcast_shapes(full, value)
    return full[:cut], full[cut:], tuple(sample) + tuple(loc), summed[: len(summed) - event_dims]


# %% shapes-one-event-dim-third wrong="foretell-shapes"
# event_dims is used like a flag: 2 event dimensions or more are treated as 1.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    summed = np.broadcast_shapes(full, value)
    if event_dims:
        return full[:-1], full[-1:], tuple(sample) + full, summed[:-1]
    return full, (), tuple(sample) + full, summed


# %% shapes-lead-plus-batch-third wrong="foretell-shapes"
# log_prob is "the extra dimensions of value, then the batch": a batch dimension of 1 that value
# widens stays 1, as with loc (1, 3), event_dims 1, value (7, 3).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    batch, event = full[: len(full) - event_dims], full[len(full) - event_dims :]
    lead = tuple(value)[: max(len(value) - len(full), 0)]
    return batch, event, tuple(sample) + full, lead + batch


# %% shapes-short-value-third wrong="foretell-shapes"
# The event is cut off value before broadcasting; for value shorter than the event the slice end
# is negative: loc (2, 3, 4), event_dims 3, value (3, 4) gives (3,) in place of ().
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    batch, event = full[: len(full) - event_dims], full[len(full) - event_dims :]
    log_prob = np.broadcast_shapes(batch, tuple(value)[: len(value) - event_dims])
    return batch, event, tuple(sample) + batch + event, log_prob
