# %% terms-by-hand right="normal-log-density"
def normal_log_density(y, mu, sigma):
    def check(number):
        return torch.as_tensor(number, dtype=y.dtype)

    log_sigma = torch.log(check(sigma)) if torch.is_tensor(sigma) else math.log(sigma)
    k = (y - check(mu)) / check(sigma)
    return -0.5 * k**2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% scipy-logpdf right="normal-log-density"
import scipy.stats


def normal_log_density(y, mu, sigma):
    def plain(a):
        return a.detach().double().numpy() if torch.is_tensor(a) else float(a)

    values = scipy.stats.norm.logpdf(plain(y), loc=plain(mu), scale=plain(sigma))
    return torch.as_tensor(values, dtype=y.dtype)


# %% capped-distance wrong="normal-log-density"
# Distances are cut at 300 standard deviations: y = 1000, mu = 0, sigma = 1.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = ((y - mu) / sigma).clamp(-300, 300)
    return -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% sigma-floor wrong="normal-log-density"
# The scale has a floor of 1e-12: y = 0, mu = 0, sigma = 1e-20.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype).clamp_min(1e-12)
    z = (y - mu) / sigma
    return -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% squeezed-result wrong="normal-log-density"
# Dimensions of size 1 vanish: y of shape (1,) gives a 0-d tensor.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (-0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).squeeze()


# %% square-multiplied-out wrong="normal-log-density"
# The square is multiplied out and cancels: y = 1e8 + 1, mu = 1e8, sigma = 1.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    mu = torch.as_tensor(mu, dtype=y.dtype)
    square = y**2 - 2 * y * mu + mu**2
    return -0.5 * square / sigma**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% minus-the-largest right="log-sum-exp"
def log_sum_exp(a):
    k = a.detach().amax(dim=-1, keepdim=True)
    return torch.log(torch.exp(a - k).sum(dim=-1)) + k[..., 0]


# %% sorted-and-log1p right="log-sum-exp"
def log_sum_exp(a):
    def gradient(y):
        return y[..., 0] + torch.log1p(torch.exp(y[..., 1:] - y[..., :1]).sum(dim=-1))

    return gradient(torch.sort(a, dim=-1, descending=True).values)


# %% one-largest-for-all wrong="log-sum-exp"
# One maximum serves all rows: [[0, 1], [-2000, -2001]] gives -inf in the second row.
def log_sum_exp(a):
    top = a.detach().max()
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top


# %% all-ones-squeezed wrong="log-sum-exp"
# All dimensions of size 1 vanish, not the last alone: shape (1, 3) gives a 0-d tensor.
def log_sum_exp(a):
    top = a.detach().amax(dim=-1, keepdim=True)
    return (torch.log(torch.exp(a - top).sum(dim=-1, keepdim=True)) + top).squeeze()


# %% pair-by-pair wrong="log-sum-exp"
# Two entries of -inf at the beginning make nan: [-inf, -inf, 0].
def log_sum_exp(a):
    total = a[..., 0]
    for j in range(1, a.shape[-1]):
        apart = (total - a[..., j]).abs()
        total = torch.maximum(total, a[..., j]) + torch.log1p(torch.exp(-apart))
    return total


# %% shift-is-limited wrong="log-sum-exp"
# What is subtracted is limited to 10000 in size: [20000, 19999] overflows.
def log_sum_exp(a):
    top = a.detach().amax(dim=-1, keepdim=True).clamp(-1e4, 1e4)
    return torch.log(torch.exp(a - top).sum(dim=-1)) + top[..., 0]


# %% log1p-expm1 right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    k = math.expm1(-rate * upper)
    return -torch.log1p(u * k) / rate


# %% series-for-small right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    def check(y):
        return y * upper * (1 - 0.5 * (1 - y) * (rate * upper))

    if rate * upper < 1e-5:
        return check(u)
    values = -np.log1p(-u.numpy() * (1 - np.exp(-rate * upper))) / rate
    return torch.as_tensor(values, dtype=torch.float64)


# %% uniform-below-a-thousandth wrong="draws-by-inversion"
# Taken as uniform too early, off by 4e-4: u = 0.1, rate = 9e-5, upper = 10.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-3:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% largest-draws-cut wrong="draws-by-inversion"
# u is cut at 0.9999: u = 1 - 1e-9, rate = 2, upper = 10.
def waits_from_uniform(u, rate, upper):
    u = u.clamp(max=0.9999)
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% single-precision-constant wrong="draws-by-inversion"
# The constant is in float32, -1 at a product of 20: u = 1 - 1e-10, rate = 2, upper = 10.
def waits_from_uniform(u, rate, upper):
    share = torch.expm1(torch.tensor(-rate * upper))
    return -torch.log1p(u * share) / rate


# %% flat-inputs-only wrong="draws-by-inversion"
# Only one dimension is expected: u of shape (2, 2), or 0-d, raises an error.
def waits_from_uniform(u, rate, upper):
    k = math.expm1(-rate * upper)
    return torch.tensor([-math.log1p(float(v) * k) / rate for v in u], dtype=torch.float64)


# %% flattened right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    k, y, weight = (a.reshape(-1) for a in (prediction, y, weight))
    if not len(k) == len(y) == len(weight):
        raise ValueError("the numbers of values differ")
    return torch.sum(weight * (k - y) ** 2) / torch.sum(weight)


# %% loop-over-values right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    def check(values):
        return np.asarray(values.detach()).ravel().tolist()

    rows = [check(a) for a in (prediction, y, weight)]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("prediction, y and weight must hold equally many values")
    errors = [w * (p - t) ** 2 for p, t, w in zip(*rows)]
    return math.fsum(errors) / math.fsum(rows[2])


# %% weights-uncounted wrong="mend-a-broadcast"
# The number of weights is not compared: three predictions, three targets, weight of shape (1,).
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if len(prediction) != len(y):
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% length-of-squeezed wrong="mend-a-broadcast"
# A single example is squeezed to a 0-d tensor, which has no length: all three of shape (1,).
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.squeeze(), y.squeeze(), weight.squeeze()
    sizes = [1 if a.ndim == 0 else len(a) for a in (prediction, y)] + [len(weight)]
    if len(set(sizes)) > 1:
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% zero-weights-refused wrong="mend-a-broadcast"
# A weight of 0 is refused, but allowed: weights [1, 0, 2].
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    if not (weight > 0).all():
        raise ValueError("weights must be positive")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% sum-of-weights-floor wrong="mend-a-broadcast"
# The sum of the weights has a floor of 1: weights [0.1, 0.2, 0.1].
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.reshape(-1), y.reshape(-1), weight.reshape(-1)
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum().clamp_min(1.0)


# %% numpy-shapes right="foretell-shapes"
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    scored = np.broadcast_shapes(value, full)
    k = len(full) - event_dims
    return full[:k], full[k:], tuple(sample) + full, scored[: len(scored) - event_dims]


# %% from-the-right right="foretell-shapes"
from itertools import zip_longest


def foretell_shapes(loc, scale, event_dims, sample, value):
    def check(y, k):
        pairs = zip_longest(reversed(y), reversed(k), fillvalue=1)
        return [b if a == 1 else a for a, b in pairs][::-1]

    batch, scored, event = check(loc, scale), None, []
    scored = check(value, batch)
    draw = list(sample) + batch
    for _ in range(event_dims):
        event.insert(0, batch.pop())
        scored.pop()
    return batch, event, draw, torch.Size(scored)


# %% event-of-loc wrong="foretell-shapes"
# The event shape is read off loc alone: loc (), scale (3,), event_dims 1.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    scored = np.broadcast_shapes(value, full)
    batch, event = full[: len(full) - event_dims], loc[len(loc) - event_dims :]
    return batch, event, sample + full, scored[: len(scored) - event_dims]


# %% value-against-the-draw wrong="foretell-shapes"
# log_prob is given the shape of a draw: loc (5, 3), scale (3,), 1, sample (100,), value (3,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    k = len(full) - event_dims
    scored = np.broadcast_shapes(value, sample + full)
    return full[:k], full[k:], sample + full, scored[: len(scored) - event_dims]


# %% one-event-dimension wrong="foretell-shapes"
# log_prob loses one dimension at most: loc (5, 3, 2), scale (), event_dims 2.
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    k = len(full) - event_dims
    scored = np.broadcast_shapes(value, full)
    return full[:k], full[k:], sample + full, scored[:-1] if event_dims else scored


# %% value-cut-first wrong="foretell-shapes"
# A value with fewer dimensions than the event is cut wrongly: loc (3, 4, 5), (), 3, (), (4, 5).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    k = len(full) - event_dims
    batch = full[:k]
    scored = np.broadcast_shapes(value[: len(value) - event_dims], batch)
    return batch, full[k:], sample + full, scored
