# %% formula right="normal-log-density"
def normal_log_density(y, mu, sigma):
    gap = (y - mu) / sigma
    log_sigma = sigma.log() if isinstance(sigma, torch.Tensor) else math.log(sigma)
    return -0.5 * gap**2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% scipy-stats right="normal-log-density"
from scipy import stats


def normal_log_density(y, mu, sigma):
    k = [np.asarray(v) for v in (y, mu, sigma)]
    check = stats.norm.logpdf(k[0], loc=k[1], scale=k[2])
    return torch.as_tensor(np.asarray(check))


# %% squeezed wrong="normal-log-density"
# The result is squeezed: y of shape (1, 1) and mu of shape (4,) give (4,) instead of (1, 4).
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma, dtype=y.dtype)
    z = (y - mu) / sigma
    return (-0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).squeeze()


# %% numbers-in-single wrong="normal-log-density"
# Python numbers become float32 tensors: y = mu = 16777217 (y in float64), sigma 0.5.
def normal_log_density(y, mu, sigma):
    mu, sigma = torch.as_tensor(mu), torch.as_tensor(sigma)
    return -((y - mu) ** 2) / (2 * sigma**2) - sigma.log() - 0.5 * math.log(2 * math.pi)


# %% expanded-square wrong="normal-log-density"
# (y - mu) squared is expanded and cancels: y = 1e9 + 3, mu = 1e9, sigma 1.
def normal_log_density(y, mu, sigma):
    square = y**2 - 2 * y * mu + mu**2
    sigma = torch.as_tensor(sigma, dtype=torch.float64)
    return -0.5 * (square / sigma**2 + math.log(2 * math.pi)) - sigma.log()


# %% logarithm-of-variance wrong="normal-log-density"
# The variance underflows before its logarithm is taken: y = mu = 0, sigma 1e-170.
def normal_log_density(y, mu, sigma):
    variance = torch.as_tensor(sigma, dtype=torch.float64) ** 2
    z = (y - mu) / sigma
    return -0.5 * (z**2 + torch.log(2 * math.pi * variance))


# %% largest-first right="log-sum-exp"
def log_sum_exp(a):
    y = a.sort(dim=-1, descending=True).values
    top, rest = y[..., 0], y[..., 1:]
    return top + (rest - top[..., None]).exp().sum(-1).log1p()


# %% shifted right="log-sum-exp"
def log_sum_exp(a):
    check = a.detach().amax(dim=-1)
    total = 0.0
    for k in range(a.shape[-1]):
        total = total + torch.exp(a[..., k] - check)
    return check + torch.log(total)


# %% one-maximum-for-all wrong="log-sum-exp"
# All rows are shifted by the largest entry of the whole tensor: [[0, 0], [-1000, -1000]].
def log_sum_exp(a):
    top = a.max()
    return top + torch.log(torch.exp(a - top).sum(dim=-1))


# %% second-dimension wrong="log-sum-exp"
# Anything but a vector is summed over dimension 1: shape (2, 3, 4) gives (2, 4).
def log_sum_exp(a):
    dim = 1 if a.dim() > 1 else 0
    top = a.amax(dim=dim, keepdim=True)
    return (top + (a - top).exp().sum(dim=dim, keepdim=True).log()).squeeze(dim)


# %% ties-counted-once wrong="log-sum-exp"
# All entries equal to the largest count as one: [1.0, 1.0] gives 1 instead of 1.69.
def log_sum_exp(a):
    top = a.amax(dim=-1, keepdim=True)
    others = torch.where(a < top, a - top, torch.full_like(a, -math.inf))
    return top.squeeze(-1) + torch.log1p(others.exp().sum(-1))


# %% floor-of-entries wrong="log-sum-exp"
# Entries are raised to -10000, to be rid of -inf: [-20000.0, -20001.0].
def log_sum_exp(a):
    a = a.clamp(min=-1e4)
    top = a.max(dim=-1, keepdim=True).values
    return (top + (a - top).exp().sum(-1, keepdim=True).log())[..., 0]


# %% log1p-expm1 right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% inverse-tangent right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    # -log(1 - k) is 2 atanh(k / (2 - k))
    y = np.asarray(u)
    k = -y * np.expm1(-rate * upper)
    check = 2 * np.arctanh(k / (2 - k)) / rate
    return torch.as_tensor(np.asarray(check))


# %% small-rate-threshold wrong="draws-by-inversion"
# Below a product of 1e-4 the times count as uniform, wrong by up to 5e-5 of them where 1e-6 is
# promised: rate 9e-5, upper 1, u 0.01.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-4:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% threshold-on-rate wrong="draws-by-inversion"
# A small rate alone counts as uniform, whatever the product: rate 1e-9, upper 2e9, u 0.5.
def waits_from_uniform(u, rate, upper):
    if rate < 1e-8:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% plain-logarithm wrong="draws-by-inversion"
# Without log1p and expm1 above a product of 1e-9, so small times are lost: rate 1e-3, upper 1,
# u 1e-13.
def waits_from_uniform(u, rate, upper):
    product = rate * upper
    if product < 1e-9:
        return upper * u
    return -torch.log(1 - u * (1 - math.exp(-product))) / rate


# %% vectors-only wrong="draws-by-inversion"
# Loops over the first dimension: u of shape (2, 2) raises an error, and 0-d too.
def waits_from_uniform(u, rate, upper):
    share = math.expm1(-rate * upper)
    times = [-math.log1p(float(v) * share) / rate for v in u]
    return torch.tensor(times, dtype=torch.float64)


# %% flattened right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    k = {v.numel() for v in (prediction, y, weight)}
    if len(k) != 1:
        raise ValueError("the three hold different numbers of values")
    prediction, y, weight = (v.reshape(-1) for v in (prediction, y, weight))
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% average right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    columns = [v.detach().numpy().ravel() for v in (prediction, y, weight)]
    if not len(columns[0]) == len(columns[1]) == len(columns[2]):
        raise ValueError(f"lengths {[len(c) for c in columns]}")
    check = np.square(columns[0] - columns[1])
    return float(np.average(check, weights=columns[2]))


# %% last-dimension-squeezed wrong="mend-a-broadcast"
# squeeze(-1) makes (1,) 0-d but (1, 1) a vector, and the comparison of shapes then raises an
# error: prediction of shape (1, 1), the others of shape (1,).
def weighted_error(prediction, y, weight):
    prediction, y, weight = prediction.squeeze(-1), y.squeeze(-1), weight.squeeze(-1)
    if prediction.shape != y.shape or y.shape != weight.shape:
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% weights-unchecked wrong="mend-a-broadcast"
# Only predictions and targets are compared: three values with a single weight raise nothing.
def weighted_error(prediction, y, weight):
    if prediction.numel() != y.numel():
        raise ValueError("lengths differ")
    errors = (prediction.flatten() - y.flatten()) ** 2
    weight = weight.flatten()
    return (weight * errors).sum() / weight.sum()


# %% floor-of-sum wrong="mend-a-broadcast"
# The sum of the weights is at least 1, against a division by 0: weights (0.1, 0.2).
def weighted_error(prediction, y, weight):
    n = prediction.numel()
    if y.numel() != n or weight.numel() != n:
        raise ValueError("lengths differ")
    errors = (prediction.reshape(n) - y.reshape(n)).square()
    return torch.dot(weight.reshape(n), errors) / weight.sum().clamp(min=1.0)


# %% expanded-square wrong="mend-a-broadcast"
# The square is expanded and cancels: prediction 1e9 + 1, y 1e9, weight 1.
def weighted_error(prediction, y, weight):
    p, t, w = prediction.ravel(), y.ravel(), weight.ravel()
    if not len(p) == len(t) == len(w):
        raise ValueError("lengths differ")
    total = (w * p * p).sum() - 2 * (w * p * t).sum() + (w * t * t).sum()
    return total / w.sum()


# %% numpy-shapes right="foretell-shapes"
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    k = len(full) - event_dims
    check = np.broadcast_shapes(full, value)
    return full[:k], full[k:], tuple(sample) + full, check[: len(check) - event_dims]


# %% by-hand right="foretell-shapes"
from itertools import zip_longest


def foretell_shapes(loc, scale, event_dims, sample, value):
    def together(a, b):
        pairs = list(zip_longest(reversed(a), reversed(b), fillvalue=1))
        return [y if x == 1 else x for x, y in reversed(pairs)]

    def split(shape):
        k = len(shape) - event_dims
        return shape[:k], shape[k:]

    batch, event = split(together(loc, scale))
    y = split(together(batch + event, value))[0]
    return [batch, event, [*sample, *batch, *event], y]


# %% event-from-loc wrong="foretell-shapes"
# The event shape is read off loc alone: loc (5, 1), scale (3,), event_dims 1 gives (1,), not (3,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = np.broadcast_shapes(loc, scale)
    batch, event = full[: len(full) - event_dims], loc[len(loc) - event_dims :]
    both = np.broadcast_shapes(full, value)
    return batch, event, sample + full, both[: len(both) - event_dims]


# %% short-value wrong="foretell-shapes"
# A value without extra dimensions is taken to have no effect: loc (1, 3), scale (), event_dims 1,
# value (5, 3) has log_prob of shape (5,), not (1,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    full = tuple(torch.broadcast_shapes(loc, scale))
    k = len(full) - event_dims
    batch, event = full[:k], full[k:]
    log_prob = batch
    if len(value) > len(full):
        log_prob = np.broadcast_shapes(value[: len(value) - event_dims], batch)
    return batch, event, sample + full, log_prob


# %% real-draw wrong="foretell-shapes"
# Draws to see a shape, so the global generator of PyTorch moves on: any shapes.
def foretell_shapes(loc, scale, event_dims, sample, value):
    base = torch.distributions.Normal(torch.zeros(loc), torch.ones(scale))
    d = torch.distributions.Independent(base, event_dims)
    log_prob = d.log_prob(torch.zeros(value))
    return d.batch_shape, d.event_shape, d.sample(sample).shape, log_prob.shape


# %% larger-of-two wrong="foretell-shapes"
# Each size is the larger of two, so a size of 0 against 1 becomes 1: loc (0,), scale (1,).
def foretell_shapes(loc, scale, event_dims, sample, value):
    def both(a, b):
        n = max(len(a), len(b))
        a, b = (1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b)
        return tuple(max(i, j) for i, j in zip(a, b))

    full = both(loc, scale)
    cut = len(full) - event_dims
    seen = both(full, value)
    return full[:cut], full[cut:], tuple(sample) + full, seen[: len(seen) - event_dims]
