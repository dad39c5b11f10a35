# %% [markdown]
# # Answers to assignment 00
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## normal-log-density


# %% by-distribution right="normal-log-density"
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma).log_prob(y)


# %% by-numpy right="normal-log-density"
def normal_log_density(y, mu, sigma):
    y, mu, sigma = np.asarray(y), np.asarray(mu), np.asarray(sigma)
    variance = sigma**2
    return -((y - mu) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2


# %% by-elements right="normal-log-density"
def normal_log_density(y, mu, sigma):
    grids = torch.broadcast_tensors(y, torch.as_tensor(mu), torch.as_tensor(sigma))
    values = []
    for one, mean, scale in zip(*(grid.flatten().tolist() for grid in grids), strict=True):
        z = (one - mean) / scale
        values.append(-z * z / 2 - math.log(scale) - math.log(math.tau) / 2)
    return torch.tensor(values, dtype=torch.float64).reshape(grids[0].shape)


# %% by-scipy right="normal-log-density" oracle=True
from scipy import stats


def normal_log_density(y, mu, sigma):
    return stats.norm(loc=np.asarray(mu), scale=np.asarray(sigma)).logpdf(y.numpy())


# %% by-numpy.swap-arguments equivalent="normal-log-density"
# `def normal_log_density(mu, y, sigma):`
# The formula is symmetric in y and mu.

# %% by-numpy.drop-statement equivalent="normal-log-density"
# `no y, mu, sigma = (np.asarray(y), np.asarray(mu), np.asarray(sigma))`
# NumPy's functions take tensors as they are.

# %% by-elements.change-number equivalent="normal-log-density"
# `return torch.tensor(values, dtype=torch.float64).reshape(grids[1].shape)`
# All broadcast tensors have one shape.


# %% by-elements.end-loop-early equivalent="normal-log-density"
# `... zip(*(grid.flatten().tolist() for grid in list(grids)[:5]), strict=True):`
# There are three grids.


# %% variance-as-scale wrong="normal-log-density" fails="value,shape,tails"
# Normal takes the standard deviation: pass sigma, not sigma squared.
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma**2).log_prob(y)


# %% scale-as-variance wrong="normal-log-density" fails="value,shape,tails"
# The squared residual is divided by the variance, sigma squared, not by sigma.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma)
    return -0.5 * (y - mu) ** 2 / sigma - 0.5 * torch.log(2 * math.pi * sigma)


# %% log-of-the-density wrong="normal-log-density" fails="tails"
# Far out the density is 0 in float64 and its logarithm -inf: simplify the formula on paper first.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma)
    density = torch.exp(-0.5 * ((y - mu) / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
    return torch.log(density)


# %% epsilon-in-log wrong="normal-log-density" fails="tails,value"
# Adding 1e-12 inside the log stops it at -27.6 far out: simplify the formula on paper instead.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma)
    density = torch.exp(-0.5 * ((y - mu) / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
    return torch.log(density + 1e-12)


# %% the-density wrong="normal-log-density" fails="value,shape,tails"
# This is the density; the text asks for its logarithm.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma)
    return torch.exp(-0.5 * ((y - mu) / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)


# %% constant-dropped wrong="normal-log-density" fails="value,shape,tails"
# The constant is missing: the factor in front of the exponential has a logarithm with 2 pi in it.
def normal_log_density(y, mu, sigma):
    return -0.5 * ((y - mu) / sigma) ** 2 - torch.log(torch.as_tensor(sigma))


# %% constant-not-halved wrong="normal-log-density" fails="value,shape,tails"
# The root over 2 pi halves its logarithm.
def normal_log_density(y, mu, sigma):
    log_sigma = torch.log(torch.as_tensor(sigma))
    return -0.5 * ((y - mu) / sigma) ** 2 - log_sigma - math.log(2 * math.pi)


# %% log-sigma-dropped wrong="normal-log-density" fails="value,shape,tails"
# The sigma in front of the exponential is missing: its logarithm belongs to the result.
def normal_log_density(y, mu, sigma):
    return -0.5 * ((y - mu) / sigma) ** 2 - 0.5 * math.log(2 * math.pi)


# %% half-missing wrong="normal-log-density" fails="value,shape,tails"
# The exponent has a factor of one half.
def normal_log_density(y, mu, sigma):
    log_sigma = torch.log(torch.as_tensor(sigma))
    return -(((y - mu) / sigma) ** 2) - log_sigma - 0.5 * math.log(2 * math.pi)


# %% square-missing wrong="normal-log-density" fails="value,shape,tails"
# The standardised residual is squared in the exponent.
def normal_log_density(y, mu, sigma):
    log_sigma = torch.log(torch.as_tensor(sigma))
    return -0.5 * ((y - mu) / sigma).abs() - log_sigma - 0.5 * math.log(2 * math.pi)


# %% sign-flipped wrong="normal-log-density" fails="value,shape,tails"
# This is the negative log density, which is the loss; the text asks for the log density.
def normal_log_density(y, mu, sigma):
    return -torch.distributions.Normal(mu, sigma).log_prob(y)


# %% summed wrong="normal-log-density" fails="value,shape,tails"
# This is the sum over all elements; the text asks for one value for each.
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma).log_prob(y).sum()


# %% averaged wrong="normal-log-density" fails="value,shape,tails"
# This is the mean over all elements; the text asks for one value for each.
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% in-bits wrong="normal-log-density" fails="value,shape,tails"
# This is in bits (log to the base 2); the text asks for the natural logarithm.
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma).log_prob(y) / math.log(2)


# %% log-of-a-number wrong="normal-log-density" fails="value,shape,tails"
# torch functions take tensors, and sigma may be a Python number: start with torch.as_tensor.
def normal_log_density(y, mu, sigma):
    return -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% log-of-one-number wrong="normal-log-density" fails="value,shape,tails"
# math.log takes one number, and sigma may be a tensor of many: use torch.log.
def normal_log_density(y, mu, sigma):
    return -0.5 * ((y - mu) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)


# %% column-squeezed wrong="normal-log-density" fails="shape"
# A column of values gives a column of log densities: do not squeeze it.
def normal_log_density(y, mu, sigma):
    found = torch.distributions.Normal(mu, sigma).log_prob(y)
    return found.squeeze(-1) if y.ndim == 2 and not torch.is_tensor(mu) else found


# %% cut-off-at-zero wrong="normal-log-density" fails="value,tails"
# A density can exceed 1 and its logarithm 0: do not cut it off.
def normal_log_density(y, mu, sigma):
    return torch.distributions.Normal(mu, sigma).log_prob(y).clamp(max=0)


# %% one-shape-only wrong="normal-log-density" fails="shape"
# The three broadcast as they are: do not flatten y first.
def normal_log_density(y, mu, sigma):
    y = y.flatten() if y.ndim else y
    return torch.distributions.Normal(mu, sigma).log_prob(y)


# %% sigma-under-the-root wrong="normal-log-density" fails="value,shape,tails"
# The root covers 2 pi only: sigma stands outside it, so its logarithm is not halved.
def normal_log_density(y, mu, sigma):
    sigma = torch.as_tensor(sigma)
    return -0.5 * ((y - mu) / sigma) ** 2 - 0.5 * torch.log(2 * math.pi * sigma)


# %% variance-multiplied wrong="normal-log-density" fails="value,shape,tails"
# a / 2 * b multiplies by b: put the whole denominator in brackets.
def normal_log_density(y, mu, sigma):
    log_sigma = torch.log(torch.as_tensor(sigma))
    return -((y - mu) ** 2) / 2 * sigma**2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% square-left-out-of-sigma wrong="normal-log-density" fails="value,shape,tails"
# The square covers the fraction: y - mu and sigma, not sigma alone.
def normal_log_density(y, mu, sigma):
    log_sigma = torch.log(torch.as_tensor(sigma))
    return -0.5 * (y - mu) / sigma**2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% [markdown]
# ## log-sum-exp


# %% by-builtin right="log-sum-exp"
def log_sum_exp(a):
    return torch.logsumexp(a, dim=-1)


# %% by-folding right="log-sum-exp"
def log_sum_exp(a):
    total = a[..., 0]
    for k in range(1, a.shape[-1]):
        total = torch.logaddexp(total, a[..., k])
    return total


# %% by-shares right="log-sum-exp"
def log_sum_exp(a):
    # softmax divides by the sum that we look for, so any entry gives it back: take the largest
    best = a.argmax(-1, keepdim=True)
    return (a.gather(-1, best) - torch.log_softmax(a, -1).gather(-1, best))[..., 0]


# %% by-constant-shift right="log-sum-exp"
def log_sum_exp(a):
    shift = torch.amax(a, -1).detach()
    return (a - shift[..., None]).exp().sum(-1).log() + shift


# %% by-hand-made-gradient right="log-sum-exp" oracle=True
from scipy import special


class LogSumExp(torch.autograd.Function):
    # scipy's value; its derivative is scipy's softmax
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return torch.from_numpy(np.asarray(special.logsumexp(a.numpy(), axis=-1)))

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad[..., None] * torch.from_numpy(special.softmax(a.numpy(), axis=-1))


def log_sum_exp(a):
    return LogSumExp.apply(a)


# %% by-hand-made-gradient.detach-result equivalent="log-sum-exp"
# `... axis=-1))).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.

# %% by-hand-made-gradient.detach-result equivalent="log-sum-exp"
# `return (grad[..., None] * torch.from_numpy(special.softmax(a.numpy(), ...`
# Inside an autograd.Function nothing is traced, so a detached gradient changes nothing.


# %% solution.floor equivalent="log-sum-exp"
# `... top.squeeze(-1) + torch.log(torch.exp(a - top).sum(dim=-1).clip(1e-06))`
# The largest term is 1, so the sum is at least that.


# %% plain wrong="log-sum-exp" fails="stability,gradient"
# exp leaves the range of float64: subtract the largest entry of each row, and add it back.
def log_sum_exp(a):
    return torch.log(torch.exp(a).sum(-1))


# %% epsilon-in-log wrong="log-sum-exp" fails="stability,gradient"
# Adding 1e-30 inside the log hides the underflow: subtract the largest entry, and add it back.
def log_sum_exp(a):
    return torch.log(torch.exp(a).sum(-1) + 1e-30)


# %% clamped wrong="log-sum-exp" fails="stability,gradient"
# Clamping the entries changes the result: subtract the largest entry, and add it back.
def log_sum_exp(a):
    return torch.log(torch.exp(a.clamp(-700, 700)).sum(-1))


# %% maximum-not-added-back wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# The maximum that was subtracted inside has to be added back.
def log_sum_exp(a):
    return torch.log(torch.exp(a - a.max(-1, keepdim=True).values).sum(-1))


# %% maximum-only wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# The largest entry alone is only close to the result when it is far above all others.
def log_sum_exp(a):
    return a.max(-1).values


# %% mean-subtracted wrong="log-sum-exp" fails="gradient,stability,value"
# Subtract the largest entry of each row: with the mean, exp can still overflow.
def log_sum_exp(a):
    middle = a.mean(-1, keepdim=True)
    return middle.squeeze(-1) + torch.log(torch.exp(a - middle).sum(-1))


# %% largest-magnitude wrong="log-sum-exp" fails="gradient,stability,value"
# Subtract the largest entry, not the largest absolute value: negative entries still underflow.
def log_sum_exp(a):
    top = a.abs().max(-1, keepdim=True).values
    return top.squeeze(-1) + torch.log(torch.exp(a - top).sum(-1))


# %% one-maximum-for-all wrong="log-sum-exp" fails="stability,gradient"
# One maximum for all rows lets other rows underflow: take the maximum of each row.
def log_sum_exp(a):
    top = a.max()
    return top + torch.log(torch.exp(a - top).sum(-1))


# %% over-the-first wrong="log-sum-exp" fails="dimension,gradient,stability,value"
# This sums over the first dimension; the text says the last.
def log_sum_exp(a):
    return torch.logsumexp(a, dim=0)


# %% over-everything wrong="log-sum-exp" fails="dimension,gradient,stability,value"
# This sums over all dimensions; the text says the last.
def log_sum_exp(a):
    return torch.logsumexp(a.flatten(), dim=0)


# %% over-the-second wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# The tensor may have one dimension, or three: the last is dimension -1.
def log_sum_exp(a):
    return torch.logsumexp(a, dim=1)


# %% dimension-kept wrong="log-sum-exp" fails="value,dimension,stability"
# The last dimension must go: keepdim is for the inside.
def log_sum_exp(a):
    return torch.logsumexp(a, dim=-1, keepdim=True)


# %% log-mean-exp wrong="log-sum-exp" fails="value,dimension,stability"
# This is the logarithm of the mean of the exponentials; the text asks for their sum.
def log_sum_exp(a):
    return torch.logsumexp(a, dim=-1) - math.log(a.shape[-1])


# %% sum-of-logs wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# The logarithm of a sum is not the sum of the logarithms: that would be the log of the product.
def log_sum_exp(a):
    return a.sum(-1)


# %% in-bits wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# This is in bits (log to the base 2); the course's logarithm is natural.
def log_sum_exp(a):
    return torch.logsumexp(a, dim=-1) / math.log(2)


# %% infinity-replaced wrong="log-sum-exp" fails="stability"
# A number in place of -inf may lie above the other entries: exp(-inf) is 0, so leave it as it is.
def log_sum_exp(a):
    b = a.masked_fill(a == -math.inf, -1e6)
    top = b.detach().amax(dim=-1, keepdim=True)
    return torch.exp(b - top).sum(dim=-1).log() + top[..., 0]


# %% shifted-in-place wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# Your function changes its input: a -= top works in place, a - top makes a new tensor.
def log_sum_exp(a):
    top = a.max(dim=-1, keepdim=True).values.clone()
    a -= top
    total = top.squeeze(-1) + torch.log(torch.exp(a).sum(dim=-1))
    return total


# %% detached wrong="log-sum-exp" fails="gradient"
# No gradient comes back: stay with torch operations, without NumPy and without .detach().
def log_sum_exp(a):
    return torch.logsumexp(a, dim=-1).detach()


# %% maximum-with-its-place wrong="log-sum-exp" fails="value,dimension,stability,gradient"
# a.max(dim) returns two things, the maxima and where they are: take .values, or use amax.
def log_sum_exp(a):
    top = a.max(-1)
    return top + torch.log(torch.exp(a - top).sum(-1))


# %% maximum-without-its-dimension wrong="log-sum-exp" fails="dimension,stability,gradient"
# The maxima of the rows must stand in a column to be subtracted from the rows: keepdim=True.
def log_sum_exp(a):
    top = a.max(-1).values
    return top + torch.log(torch.exp(a - top).sum(-1))


# %% one-number-at-a-time wrong="log-sum-exp" fails="dimension,gradient,stability,value"
# max and math work on single numbers, without gradients: torch.amax and torch.exp take tensors.
def log_sum_exp(a):
    top = max(a)
    return top + math.log(sum(math.exp(one - top) for one in a))


# %% one-sum-for-all wrong="log-sum-exp" fails="dimension,stability,gradient"
# The maxima are taken row by row, the sum over everything: sum over the last dimension.
def log_sum_exp(a):
    top = a.max(-1, keepdim=True).values
    return top.squeeze(-1) + torch.log(torch.exp(a - top).sum())


# %% squeezes-each-axis-of-one wrong="log-sum-exp" fails="dimension"
# squeeze() without an axis removes each axis of length one, not only the last: name the axis.
def log_sum_exp(a):
    top = a.detach().max(dim=-1, keepdim=True).values
    return top.squeeze() + torch.log(torch.exp(a - top).sum(dim=-1))


# %% [markdown]
# ## draws-by-inversion


# %% by-numpy right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    return np.log1p(np.asarray(u) * np.expm1(-rate * upper)) / -rate


# %% by-torch right="draws-by-inversion"
def waits_from_uniform(u, rate, upper):
    recorded = -torch.expm1(torch.tensor(-rate * upper, dtype=u.dtype))  # share that is recorded
    return torch.log1p(-recorded * u).neg() * (1 / rate)


# %% by-quantile-function right="draws-by-inversion"
from scipy import stats


def waits_from_uniform(u, rate, upper):
    return torch.from_numpy(np.asarray(stats.truncexpon.ppf(u.numpy(), rate * upper))) / rate


# %% by-bisection right="draws-by-inversion" oracle=True
def waits_from_uniform(u, rate, upper):
    # halves the interval that holds the root of F(t) = u; relative accuracy also near t = 0
    target = u * -math.expm1(-rate * upper)
    low, high = torch.zeros_like(u), torch.full_like(u, upper)
    for _ in range(90):
        middle = (low + high) / 2
        too_late = torch.expm1(-rate * middle).neg() > target
        low, high = torch.where(too_late, low, middle), torch.where(too_late, middle, high)
    return low


# %% by-bisection.change-number equivalent="draws-by-inversion"
# `for _ in range(91):`
# One more halving finds the same root.


# %% by-bisection.end-loop-early equivalent="draws-by-inversion"
# `for _ in list(range(90))[:-1]:`
# One halving less finds the same root.


# %% uniform-when-small wrong="draws-by-inversion" fails="small rates"
# Nearly uniform is not uniform: expm1 and log1p are right for every product, without a threshold.
def waits_from_uniform(u, rate, upper):
    if rate * upper < 1e-3:
        return u * upper
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% untruncated wrong="draws-by-inversion" fails="value,small rates"
# These waits exceed upper: the truncated density has a factor that F must keep.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(-u) / rate


# %% cut-off wrong="draws-by-inversion" fails="value,small rates"
# Cutting off at upper piles up draws there: people who gave up are not recorded at all.
def waits_from_uniform(u, rate, upper):
    return (-torch.log1p(-u) / rate).clamp(max=upper)


# %% wrapped-around wrong="draws-by-inversion" fails="value,small rates"
# Wrapping keeps the distribution, but larger u must give larger t: solve F(t) = u instead.
def waits_from_uniform(u, rate, upper):
    return torch.remainder(-torch.log1p(-u) / rate, upper)


# %% cancelled wrong="draws-by-inversion" fails="small rates"
# 1 - exp(-x) and log(1 - y) lose the digits of tiny numbers: use both expm1 and log1p.
def waits_from_uniform(u, rate, upper):
    return -torch.log(1 - u * (1 - math.exp(-rate * upper))) / rate


# %% cancelled-inside wrong="draws-by-inversion" fails="small rates"
# log1p is right, but 1 - exp(-x) loses its digits for tiny x: that is what expm1 is for.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(-u * (1 - math.exp(-rate * upper))) / rate


# %% the-cdf wrong="draws-by-inversion" fails="value,small rates"
# This is F at u; the text asks for the t at which F(t) equals u.
def waits_from_uniform(u, rate, upper):
    return torch.expm1(-rate * u) / math.expm1(-rate * upper)


# %% rate-as-scale wrong="draws-by-inversion" fails="value,small rates"
# A larger rate means shorter waits: divide by the rate.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-upper / rate)) * rate


# %% rate-not-divided wrong="draws-by-inversion" fails="value,small rates"
# The result is in units of the mean wait: the rate turns it into minutes.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * math.expm1(-rate * upper))


# %% mirrored wrong="draws-by-inversion" fails="value,small rates"
# Larger u must give larger t: this uses 1 - u.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p((1 - u) * math.expm1(-rate * upper)) / rate


# %% sign-slip wrong="draws-by-inversion" fails="value,small rates"
# Waits are positive: the sign of the logarithm is lost.
def waits_from_uniform(u, rate, upper):
    return torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% tail-forgotten wrong="draws-by-inversion" fails="value,small rates"
# The recorded share is 1 - exp(-rate upper), not exp(-rate upper).
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(-u * math.exp(-rate * upper)) / rate


# %% squeezed wrong="draws-by-inversion" fails="value,small rates"
# Stretching the draws to end at upper changes the shape of the density: solve F(t) = u.
def waits_from_uniform(u, rate, upper):
    waits = -torch.log1p(-u) / rate
    return upper * waits / waits.max()


# %% own-draws wrong="draws-by-inversion" fails="value,small rates"
# The uniform numbers are given: nothing is drawn inside the function.
def waits_from_uniform(u, rate, upper):
    rng = torch.Generator().manual_seed(0)
    u = torch.rand(u.shape, generator=rng, dtype=u.dtype)
    return -torch.log1p(u * math.expm1(-rate * upper)) / rate


# %% exp-of-a-number wrong="draws-by-inversion" fails="value,small rates"
# torch functions take tensors, and rate and upper are Python numbers: math has exp and expm1.
def waits_from_uniform(u, rate, upper):
    return -torch.log1p(u * torch.expm1(-rate * upper)) / rate


# %% density-inverted wrong="draws-by-inversion" fails="value,small rates"
# This solves p(t) = u: integrate the density first, then solve F(t) = u.
def waits_from_uniform(u, rate, upper):
    return -torch.log(u * -math.expm1(-rate * upper) / rate) / rate


# %% share-outside wrong="draws-by-inversion" fails="value,small rates"
# The recorded share multiplies u inside the logarithm, not the waits outside it.
def waits_from_uniform(u, rate, upper):
    return torch.log1p(-u) / rate * math.expm1(-rate * upper)


# %% [markdown]
# ## mend-a-broadcast


# %% by-flattening right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    if len({prediction.numel(), y.numel(), weight.numel()}) > 1:
        raise ValueError("prediction, y and weight differ in length")
    r = prediction.flatten() - y.flatten()
    return torch.dot(weight.flatten(), r * r) / weight.sum()


# %% by-columns right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    columns = [t if t.ndim == 2 else t[:, None] for t in (prediction, y, weight)]
    if any(column.shape != columns[0].shape for column in columns):
        raise ValueError(f"shapes {[tuple(column.shape) for column in columns]}")
    p, y, w = columns
    return torch.sum(w * torch.square(p - y)) / torch.sum(w)


# %% by-average right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    squares = np.square(np.ravel(prediction) - np.ravel(y))
    return float(np.average(squares, weights=np.ravel(weight)))


# %% by-squeezing right="mend-a-broadcast"
def weighted_error(prediction, y, weight):
    if prediction.shape[0] != y.shape[0] or y.shape[0] != weight.shape[0]:
        raise ValueError("lengths differ")
    prediction, y, weight = prediction.squeeze(), y.squeeze(), weight.squeeze()
    return (weight / weight.sum() * (prediction - y) ** 2).sum()


# %% by-loop right="mend-a-broadcast" oracle=True
def weighted_error(prediction, y, weight):
    rows = zip(
        prediction.view(-1).tolist(), y.view(-1).tolist(), weight.view(-1).tolist(), strict=True
    )
    total, weights = 0.0, 0.0
    for guess, truth, share in rows:  # zip raises ValueError where lengths differ
        total += share * (guess - truth) * (guess - truth)
        weights += share
    return total / weights


# %% solution.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-flattening.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-columns.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-average.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-squeezing.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-loop.swap-arguments equivalent="mend-a-broadcast"
# `def weighted_error(y, prediction, weight):`
# The squared error is symmetric in prediction and y.

# %% by-columns.change-number equivalent="mend-a-broadcast"
# `if any((column.shape != columns[1].shape for column in columns)):`
# Any of the three can be the one that the others are compared with.


# %% by-columns.end-loop-early equivalent="mend-a-broadcast"
# `if any((column.shape != columns[0].shape for column in list(columns)[:5])):`
# There are three columns.

# %% by-columns.end-loop-early equivalent="mend-a-broadcast"
# `... {[tuple(column.shape) for column in list(columns)[:5]]}')`
# There are three columns.

# %% by-columns.end-loop-early equivalent="mend-a-broadcast"
# `... {[tuple(column.shape) for column in list(columns)[:-1]]}')`
# Only the words of the error differ.


# %% as-given wrong="mend-a-broadcast" fails="columns,weights,lengths"
# This is still the function of the text: columns broadcast against rows, so make shapes equal.
def weighted_error(prediction, y, weight):
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% predictions-only wrong="mend-a-broadcast" fails="columns,weights,lengths"
# Predictions are flattened, but y and the weights may be columns, too.
def weighted_error(prediction, y, weight):
    return (weight * (prediction.reshape(-1) - y) ** 2).sum() / weight.sum()


# %% weights-left-a-column wrong="mend-a-broadcast" fails="weights"
# Predictions and targets are flattened, the weights are not: they may be a column as well.
def weighted_error(prediction, y, weight):
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    return (weight * (prediction.reshape(-1) - y.reshape(-1)) ** 2).sum() / weight.sum()


# %% y-made-a-column wrong="mend-a-broadcast" fails="value,columns,weights,lengths"
# y[:, None] helps only if predictions are a column: bring all three to one shape instead.
def weighted_error(prediction, y, weight):
    return (weight.reshape(-1, 1) * (prediction - y[:, None]) ** 2).sum() / weight.sum()


# %% lengths-unchecked wrong="mend-a-broadcast" fails="lengths"
# One value broadcasts against n of them without a word: compare the lengths and raise ValueError.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% asserted wrong="mend-a-broadcast" fails="lengths"
# assert raises AssertionError, and not at all under python -O: raise ValueError.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    assert prediction.shape == y.shape == weight.shape
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% weights-length-unchecked wrong="mend-a-broadcast" fails="lengths"
# A single weight broadcasts against n errors, too: compare all three lengths.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if prediction.shape != y.shape:
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% cut-to-the-shortest wrong="mend-a-broadcast" fails="lengths"
# zip stops at the shortest: different lengths are a bug in the caller, so raise ValueError.
def weighted_error(prediction, y, weight):
    rows = list(zip(prediction.flatten(), y.flatten(), weight.flatten(), strict=False))
    return sum(w * (p - t) ** 2 for p, t, w in rows) / sum(w for _, _, w in rows)


# %% columns-refused wrong="mend-a-broadcast" fails="columns,weights"
# A column of shape (n, 1) is legal beside a row: refuse different lengths, not different shapes.
def weighted_error(prediction, y, weight):
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("shapes differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% mean-over-n wrong="mend-a-broadcast" fails="value,columns,weights,lengths"
# Divide by the sum of the weights, not by n.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).mean()


# %% weights-forgotten wrong="mend-a-broadcast" fails="value,columns,weights"
# The weights have no effect here: each squared error is multiplied by its weight.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("lengths differ")
    return ((prediction - y) ** 2).mean()


# %% weights-squared wrong="mend-a-broadcast" fails="value,columns,weights,lengths"
# The weight multiplies the squared error: it is not squared with the residual.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("lengths differ")
    return ((weight * (prediction - y)) ** 2).sum() / weight.sum()


# %% sum-floored wrong="mend-a-broadcast" fails="weights"
# Weights may be as small as 1e-9: their sum is never 0 here, so it needs no floor and no epsilon.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum().clamp(min=1e-8)


# %% root-taken wrong="mend-a-broadcast" fails="value,columns,weights,lengths"
# This is the root of the weighted error; the formula has none.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("lengths differ")
    return ((weight * (prediction - y) ** 2).sum() / weight.sum()).sqrt()


# %% weights-scaled-in-place wrong="mend-a-broadcast" fails="columns,value,weights"
# Your function changes its weights: weight /= ... works in place, so make a new tensor.
def weighted_error(prediction, y, weight):
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    weight /= weight.sum()
    return (weight.reshape(-1) * (prediction.reshape(-1) - y.reshape(-1)) ** 2).sum()


# %% length-of-nothing wrong="mend-a-broadcast" fails="columns,weights,lengths"
# squeeze makes a single value 0-d, which has no length: reshape(-1) keeps it a vector.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.squeeze() for t in (prediction, y, weight))
    if not len(prediction) == len(y) == len(weight):
        raise ValueError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% last-squeezed wrong="mend-a-broadcast" fails="columns,weights"
# squeeze(-1) turns a vector of one value into a 0-d tensor: reshape(-1) keeps it a vector.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.squeeze(-1) for t in (prediction, y, weight))
    if not prediction.shape == y.shape == weight.shape:
        raise ValueError("shapes differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% left-to-broadcasting wrong="mend-a-broadcast" fails="lengths"
# Torch's own error is a RuntimeError, and one value raises none: compare the lengths yourself.
def weighted_error(prediction, y, weight):
    prediction, y, weight = (t.reshape(-1) for t in (prediction, y, weight))
    if len(prediction) != len(y) or len(y) != len(weight):
        raise RuntimeError("lengths differ")
    return (weight * (prediction - y) ** 2).sum() / weight.sum()


# %% [markdown]
# ## foretell-shapes


# %% by-building right="foretell-shapes"
def foretell_shapes(loc, scale, event_dims, sample, value):
    normal = torch.distributions.Normal(torch.zeros(loc), torch.ones(scale))
    d = torch.distributions.Independent(normal, event_dims)
    scored = d.log_prob(torch.zeros(value))
    return (
        d.batch_shape,
        d.event_shape,
        d.expand(sample + d.batch_shape).batch_shape + d.event_shape,
        scored.shape,
    )


# %% by-broadcasting-tensors right="foretell-shapes"
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = torch.zeros(loc).add(torch.zeros(scale))
    batch = whole
    for _ in range(event_dims):
        batch = batch.sum(-1)
    scored = whole.mul(torch.zeros(value))
    for _ in range(event_dims):
        scored = scored.sum(-1)
    event = whole.shape[batch.ndim :]
    return [list(s) for s in (batch.shape, event, sample + tuple(whole.shape), scored.shape)]


# %% by-counting right="foretell-shapes" oracle=True
def foretell_shapes(loc, scale, event_dims, sample, value):
    # aligns the shapes at their right ends, one dimension after the other
    def aligned(a, b):
        sizes = []
        while a or b:
            last = [s.pop() if s else 1 for s in (a, b)]
            sizes.insert(0, last[1] if last[0] == 1 else last[0])
        return sizes

    batch, event = aligned([*loc], [*scale]), []
    scored = aligned([*value], batch.copy())
    for _ in range(event_dims):
        event.insert(0, batch.pop())
        scored.pop()
    return batch, event, [*sample, *batch, *event], scored


# %% solution.swap-arguments equivalent="foretell-shapes"
# `def foretell_shapes(scale, loc, event_dims, sample, value):`
# Broadcasting does not care which shape comes first.

# %% by-building.swap-arguments equivalent="foretell-shapes"
# `def foretell_shapes(scale, loc, event_dims, sample, value):`
# Broadcasting does not care which shape comes first.

# %% by-broadcasting-tensors.swap-arguments equivalent="foretell-shapes"
# `def foretell_shapes(scale, loc, event_dims, sample, value):`
# Broadcasting does not care which shape comes first.

# %% by-counting.swap-arguments equivalent="foretell-shapes"
# `def foretell_shapes(scale, loc, event_dims, sample, value):`
# Broadcasting does not care which shape comes first.

# %% by-counting.swap-arguments equivalent="foretell-shapes"
# `def aligned(b, a):`
# Broadcasting does not care which shape comes first.

# %% by-broadcasting-tensors.swap-function equivalent="foretell-shapes"
# `batch = batch.mean(-1)`
# Sum and mean leave the same shape, and only shapes are used.

# %% by-broadcasting-tensors.swap-function equivalent="foretell-shapes"
# `scored = scored.mean(-1)`
# Sum and mean leave the same shape, and only shapes are used.


# %% no-zero-case wrong="foretell-shapes" fails="batch,event,log_prob"
# For event_dims = 0 the slice [:-0] is empty and [-0:] is everything: count from the left.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    scored = np.broadcast_shapes(value, whole)
    return whole[:-event_dims], whole[-event_dims:], sample + whole, scored[:-event_dims]


# %% scale-forgotten wrong="foretell-shapes" fails="batch,event,draw,log_prob"
# loc and scale broadcast against each other: the shape of loc alone does not tell.
def foretell_shapes(loc, scale, event_dims, sample, value):
    cut = len(loc) - event_dims
    scored = np.broadcast_shapes(value, loc)
    return loc[:cut], loc[cut:], sample + loc, scored[: len(scored) - event_dims]


# %% longer-shape wrong="foretell-shapes" fails="batch,event,draw,log_prob"
# The longer of two shapes is not what they broadcast to: compare them size by size.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = max(loc, scale, key=len)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], sample + whole, scored[: len(scored) - event_dims]


# %% events-on-the-left wrong="foretell-shapes" fails="batch,event"
# Event dimensions are the last ones: count them from the right.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    scored = np.broadcast_shapes(value, whole)
    cut = len(scored) - event_dims
    return whole[event_dims:], whole[:event_dims], sample + whole, scored[:cut]


# %% batch-and-event-swapped wrong="foretell-shapes" fails="batch,event"
# Batch and event are swapped: event dimensions are those that one log_prob value covers.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[cut:], whole[:cut], sample + whole, scored[: len(scored) - event_dims]


# %% everything-batch wrong="foretell-shapes" fails="batch,event"
# Independent moves dimensions from the batch to the event: they are not counted twice.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    scored = np.broadcast_shapes(value, whole)
    return whole, (), sample + whole, scored[: len(scored) - event_dims]


# %% sample-on-the-right wrong="foretell-shapes" fails="draw"
# Sample dimensions come first, before batch and event.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], whole + sample, scored[: len(scored) - event_dims]


# %% draw-without-event wrong="foretell-shapes" fails="draw"
# A draw holds whole events: sample, then batch, then event dimensions.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], sample + whole[:cut], scored[: len(scored) - event_dims]


# %% draw-without-batch wrong="foretell-shapes" fails="draw"
# One draw is taken for each member of the batch: sample, then batch, then event dimensions.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], sample + whole[cut:], scored[: len(scored) - event_dims]


# %% log-prob-of-a-draw wrong="foretell-shapes" fails="log_prob"
# log_prob is taken at the value that is given, which need not have the shape of a draw.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, sample + whole[:cut]


# %% event-not-summed wrong="foretell-shapes" fails="log_prob"
# log_prob gives one number for each event: the event dimensions are gone.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, np.broadcast_shapes(value, whole)


# %% value-not-broadcast wrong="foretell-shapes" fails="log_prob"
# The value broadcasts against batch and event shape: a column against a row gives a table.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, value[: len(value) - event_dims]


# %% one-number wrong="foretell-shapes" fails="log_prob"
# log_prob sums over the event only: one number remains for each event of the batch.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, ()


# %% batch-as-log-prob wrong="foretell-shapes" fails="log_prob"
# The value has dimensions of its own: it broadcasts against batch and event before summing.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, whole[:cut]


# %% log-prob-cut-from-the-left wrong="foretell-shapes" fails="log_prob"
# The value may add dimensions on the left: count those that are cut off from the right.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    return whole[:cut], whole[cut:], sample + whole, np.broadcast_shapes(value, whole)[:cut]


# %% cut-before-broadcasting wrong="foretell-shapes" fails="log_prob"
# A value may have fewer dimensions than an event: broadcast first, cut off the event then.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value[: len(value) - event_dims], whole[:cut])
    return whole[:cut], whole[cut:], sample + whole, scored


# %% sample-before-log-prob wrong="foretell-shapes" fails="log_prob"
# sample says how many draws are asked for: log_prob is taken at the value, not at a draw.
def foretell_shapes(loc, scale, event_dims, sample, value):
    whole = np.broadcast_shapes(loc, scale)
    cut = len(whole) - event_dims
    scored = np.broadcast_shapes(value, whole)
    return whole[:cut], whole[cut:], sample + whole, sample + scored[: len(scored) - event_dims]
