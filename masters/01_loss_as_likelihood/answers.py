# %% [markdown]
# # Answers to assignment 01
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## gaussian-nll


# %% by-distribution right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% by-builtin right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.dim() and tuple(mu.shape) != tuple(y.shape):
        raise ValueError("mu and y must have one shape")
    mu, variance = mu.expand_as(y), sigma.expand_as(y) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, variance, full=True, eps=0)


# %% by-loop right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim and mu.shape != y.shape:
        raise ValueError(f"got {mu.shape}, need {y.shape}")
    mu = mu * torch.ones_like(y)
    sigma = sigma * torch.ones_like(y)
    total = 0.0
    for target, mean, scale in zip(y.flatten(), mu.flatten(), sigma.flatten()):
        total = total + 0.5 * math.log(2 * math.pi) + scale.log()
        total = total + (target - mean) ** 2 / (2 * scale**2)
    return total / y.numel()


# %% by-density right="gaussian-nll" oracle=True
from scipy import stats


class NormalLogDensity(torch.autograd.Function):
    # scipy's density, with its derivatives written by hand: shares nothing with torch's formulas
    @staticmethod
    def forward(ctx, y, mu, sigma):
        ctx.save_for_backward(y, mu, sigma)
        return torch.as_tensor(stats.norm.logpdf(y.numpy(), mu.numpy(), sigma.numpy()))

    @staticmethod
    def backward(ctx, grad):
        y, mu, sigma = ctx.saved_tensors
        r = y - mu
        return None, grad * r / sigma.pow(2), grad * (r.pow(2) / sigma.pow(3) - 1 / sigma)


def gaussian_nll(y, mu, sigma):
    if isinstance(mu, torch.Tensor) and mu.ndim and mu.shape != y.shape:
        raise ValueError("broadcasting")
    grid = [torch.as_tensor(p, dtype=y.dtype).expand(y.shape).clone() for p in (mu, sigma)]
    return -torch.mean(NormalLogDensity.apply(y, *grid))


# %% by-density.detach-result equivalent="gaussian-nll"
# `... mu.numpy(), sigma.numpy())).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.


# %% solution.detach-input equivalent="gaussian-nll"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% squared-error wrong="gaussian-nll" fails="value,gradient,shape"
# The squared error is only the part that depends on mu: sigma and the constant count too.
def gaussian_nll(y, mu, sigma):
    return ((y - mu) ** 2).mean()


# %% variance-as-scale wrong="gaussian-nll" fails="value,gradient,shape"
# Normal takes the standard deviation: pass sigma, not sigma squared.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma**2).log_prob(y).mean()


# %% scale-as-variance wrong="gaussian-nll" fails="value,gradient,shape"
# gaussian_nll_loss takes the variance: pass sigma squared, not sigma.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    mu, sigma = mu.expand_as(y), sigma.expand_as(y)
    return torch.nn.functional.gaussian_nll_loss(mu, y, sigma, full=True)


# %% constant-dropped wrong="gaussian-nll" fails="value,shape"
# The constant log(2 pi)/2 is missing; gaussian_nll_loss drops it unless full=True.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return (torch.log(sigma) + 0.5 * ((y - mu) / sigma) ** 2).mean()


# %% log-sigma-dropped wrong="gaussian-nll" fails="value,gradient,shape"
# The term log sigma is missing: without it, a larger sigma always looks better.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return 0.5 * math.log(2 * math.pi) + (0.5 * ((y - mu) / sigma) ** 2).mean()


# %% half-missing wrong="gaussian-nll" fails="value,gradient,shape"
# The squared residual is divided by 2 sigma squared: the half is missing.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return 0.5 * math.log(2 * math.pi) + (torch.log(sigma) + ((y - mu) / sigma) ** 2).mean()


# %% sum-over-batch wrong="gaussian-nll" fails="value,gradient,shape"
# This is the sum over the elements; the text asks for the mean.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).sum()


# %% log-likelihood wrong="gaussian-nll" fails="value,gradient,shape"
# The sign is flipped: this is the log-likelihood, which training would have to maximise.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% in-bits wrong="gaussian-nll" fails="value,gradient,shape"
# This is in bits (log to the base 2); the text asks for nats.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean() / math.log(2)


# %% never-negative wrong="gaussian-nll" fails="gradient,value"
# A density can exceed 1, so an NLL can be negative: do not clip it at zero.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return torch.relu(-torch.distributions.Normal(mu, sigma).log_prob(y).mean())


# %% product-of-densities wrong="gaussian-nll" fails="gradient,value"
# Multiplying densities underflows to zero: add log-densities instead.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    density = torch.distributions.Normal(mu, sigma).log_prob(y).exp()
    return -torch.log(torch.prod(density)) / y.numel()


# %% broadcast wrong="gaussian-nll" fails="shape"
# Shapes (n, 1) and (n,) broadcast to (n, n): compare the shapes and raise ValueError.
def gaussian_nll(y, mu, sigma):
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% scale-has-no-shape wrong="gaussian-nll" fails="value,gradient"
# mu and sigma may be Python numbers, which have no shape: start with torch.as_tensor.
def gaussian_nll(y, mu, sigma):
    if mu.shape not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% log-of-a-number wrong="gaussian-nll" fails="value,gradient,shape"
# torch.log takes a tensor, and sigma may be a Python number: start with torch.as_tensor.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    z = (y - mu) / sigma
    return (0.5 * math.log(2 * math.pi) + torch.log(sigma) + 0.5 * z**2).mean()


# %% variance-floored wrong="gaussian-nll" fails="gradient,value"
# gaussian_nll_loss raises small variances to eps, 1e-6 by default: a small sigma is legal here.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    mu, variance = mu.expand_as(y), sigma.expand_as(y) ** 2
    return torch.nn.functional.gaussian_nll_loss(mu, y, variance, full=True)


# %% broadcast-if-it-fits wrong="gaussian-nll" fails="shape"
# A shape such as (1,) broadcasts to y's without a word: compare the shapes themselves.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu, dtype=y.dtype)
    if torch.broadcast_shapes(mu.shape, y.shape) != y.shape:
        raise ValueError("shape")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% numbers-made-anew wrong="gaussian-nll" fails="gradient"
# float() and .item() cut the gradient of a 0-d tensor: use torch.as_tensor on it.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    mu, sigma = (p if getattr(p, "ndim", 0) else torch.tensor(float(p)) for p in (mu, sigma))
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% detached wrong="gaussian-nll" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean().item()


# %% number-refused wrong="gaussian-nll" fails="value,gradient"
# A number or 0-d tensor as mu is legal: raise only if mu has dimensions of its own.
def gaussian_nll(y, mu, sigma):
    mu = torch.as_tensor(mu)
    if mu.shape != y.shape:
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% scalar-tensor-refused wrong="gaussian-nll" fails="value,gradient"
# A 0-d tensor as mu is legal, like a number: raise only if mu has dimensions of its own.
def gaussian_nll(y, mu, sigma):
    if torch.is_tensor(mu) and mu.shape != y.shape:
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% asserted wrong="gaussian-nll" fails="shape"
# assert raises AssertionError, and python -O skips it: raise ValueError yourself.
def gaussian_nll(y, mu, sigma):
    assert getattr(mu, "shape", ()) in ((), y.shape)
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% whole-log-variance wrong="gaussian-nll" fails="value,gradient,shape"
# log sigma squared is 2 log sigma: only half of it belongs here.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    z = (y - mu) / sigma
    return (0.5 * math.log(2 * math.pi) + torch.log(sigma**2) + 0.5 * z**2).mean()


# %% whole-constant wrong="gaussian-nll" fails="value,shape"
# The constant is the logarithm of a square root: half of log(2 pi).
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return (math.log(2 * math.pi) + torch.log(sigma) + 0.5 * ((y - mu) / sigma) ** 2).mean()


# %% residual-over-sigma wrong="gaussian-nll" fails="value,gradient,shape"
# The squared residual is divided by sigma squared, not by sigma.
def gaussian_nll(y, mu, sigma):
    mu, sigma = (torch.as_tensor(p, dtype=y.dtype) for p in (mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    quotient = (y - mu) ** 2 / sigma
    return (0.5 * math.log(2 * math.pi) + torch.log(sigma) + 0.5 * quotient).mean()


# %% in-float32 wrong="gaussian-nll" fails="value"
# float32 has seven digits: next to a billion it does not see a difference of 3. Stay in float64.
def gaussian_nll(y, mu, sigma):
    y, mu, sigma = (torch.as_tensor(p).to(torch.float32) for p in (y, mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% [markdown]
# ## laplace-mle


# %% by-sorting right="laplace-mle"
def laplace_mle(y):
    ordered, n = y.sort().values, len(y)
    mu = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% by-numpy right="laplace-mle"
import numpy as np


def laplace_mle(y):
    mu = np.median(y.numpy())
    return float(mu), float(np.mean(np.abs(y.numpy() - mu)))


# %% by-search right="laplace-mle" oracle=True
import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar


def laplace_mle(y):
    # minimises scipy's NLL itself: over the data points for mu (a convex, piecewise linear
    # function has its minima at kinks), then over log b
    data = y.double().numpy()
    unit = np.ptp(data) or 1.0
    losses = [-stats.laplace.logpdf(data, m, unit).sum() for m in data]
    best = data[np.isclose(losses, min(losses), rtol=0, atol=1e-9)]
    mu = (best.min() + best.max()) / 2

    def nll(log_b):
        return -stats.laplace.logpdf(data, mu, unit * np.exp(log_b)).mean()

    if np.all(data == mu):
        return torch.tensor(mu), torch.tensor(0.0)  # the likelihood grows without bound as b falls
    share = minimize_scalar(nll, bounds=(-9, 9), method="bounded", options={"xatol": 1e-10}).x
    return torch.tensor(mu), torch.tensor(unit * np.exp(share))


# %% by-search.swap-function equivalent="laplace-mle"
# `losses = [-stats.laplace.logpdf(data, m, unit).mean() for m in data]`
# Sum and mean have their minimum at the same place.

# %% by-search.swap-function equivalent="laplace-mle"
# `return -stats.laplace.logpdf(data, mu, unit * np.exp(log_b)).sum()`
# Sum and mean have their minimum at the same place.

# %% by-search.change-number equivalent="laplace-mle"
# `unit = np.ptp(data) or 2.0`
# Where all values are alike, the scale is 0 in any unit.

# %% by-search.change-number equivalent="laplace-mle"
# `... bounds=(-9, 10), method='bounded', options={'xatol': 1e-10}).x`
# A wider search finds the same minimum.

# %% by-search.change-number equivalent="laplace-mle"
# `... bounds=(-10, 9), method='bounded', options={'xatol': ...`
# A wider search finds the same minimum.


# %% mean-and-deviation wrong="laplace-mle" fails="location,scale"
# The mean belongs to the squared error; the absolute error is smallest at the median.
def laplace_mle(y):
    mu = y.mean()
    return mu, (y - mu).abs().mean()


# %% lower-median wrong="laplace-mle" fails="location"
# torch.median returns the lower of the two middle values: take their midpoint.
def laplace_mle(y):
    mu = y.median()
    return mu, (y - mu).abs().mean()


# %% standard-deviation wrong="laplace-mle" fails="scale"
# b is not the standard deviation, which is the square root of 2 times b for a Laplace density.
def laplace_mle(y):
    return y.quantile(0.5), y.std(correction=0)


# %% by-moments wrong="laplace-mle" fails="scale"
# This b matches the variance 2 b squared; the most likely b is the mean absolute deviation.
def laplace_mle(y):
    return y.quantile(0.5), y.std(correction=0) / math.sqrt(2)


# %% deviation-from-the-mean wrong="laplace-mle" fails="scale"
# Measure the absolute deviations from the median mu that you return, not from the mean.
def laplace_mle(y):
    return y.quantile(0.5), (y - y.mean()).abs().mean()


# %% median-deviation wrong="laplace-mle" fails="scale"
# b is the mean of the absolute deviations, not their median.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).abs().quantile(0.5)


# %% one-degree-lost wrong="laplace-mle" fails="scale"
# Maximum likelihood divides by n, not by n - 1.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).abs().sum() / max(len(y) - 1, 1)


# %% unsorted-middle wrong="laplace-mle" fails="location,scale"
# The data come in any order: sort them before you take the middle.
def laplace_mle(y):
    n = len(y)
    mu = (y[(n - 1) // 2] + y[n // 2]) / 2
    return mu, (y - mu).abs().mean()


# %% duplicates-dropped wrong="laplace-mle" fails="location,scale"
# Equal values count each time: sort without removing duplicates.
def laplace_mle(y):
    mu = torch.unique(y).quantile(0.5)
    return mu, (y - mu).abs().mean()


# %% sum-of-deviations wrong="laplace-mle" fails="scale"
# b is the mean of the absolute deviations, not their sum.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).abs().sum()


# %% sorts-in-place wrong="laplace-mle" fails="location"
# Your function changes its input: sort a copy.
def laplace_mle(y):
    y.copy_(y.sort().values)
    mu = y.quantile(0.5)
    return mu, (y - mu).abs().mean()


# %% sample-deviation wrong="laplace-mle" fails="scale"
# b is no standard deviation: set the derivative of n log(2b) + sum |y - mu| / b to zero.
def laplace_mle(y):
    return y.quantile(0.5), y.std()


# %% root-mean-square wrong="laplace-mle" fails="scale"
# Squares belong to the Normal: b comes from the absolute deviations themselves.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).square().mean().sqrt()


# %% lower-median-deviation wrong="laplace-mle" fails="scale"
# b is the mean of the absolute deviations; this is their (lower) median.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).abs().median()


# %% sample-moments wrong="laplace-mle" fails="scale"
# This b matches the sample variance to 2 b squared; the most likely b comes from absolute values.
def laplace_mle(y):
    return y.quantile(0.5), y.std() / math.sqrt(2)


# %% upper-median wrong="laplace-mle" fails="location"
# If n is even there are two middle values, and this is the upper one: take their midpoint.
def laplace_mle(y):
    mu = y.sort().values[len(y) // 2]
    return mu, (y - mu).abs().mean()


# %% always-two-middles wrong="laplace-mle" fails="location,scale"
# If n is odd, one value is the middle: do not average it with its neighbour.
def laplace_mle(y):
    ordered, half = y.sort().values, len(y) // 2
    mu = (ordered[half - 1] + ordered[half]) / 2
    return mu, (y - mu).abs().mean()


# %% signs-kept wrong="laplace-mle" fails="scale"
# Deviations of both signs cancel: take their absolute values before the mean.
def laplace_mle(y):
    mu = y.quantile(0.5)
    return mu, (y - mu).mean()


# %% by-search.narrow-result equivalent="laplace-mle"
# `return (torch.tensor(mu), torch.tensor(0.0).half().double())`
# Zero is the same in each precision.


# %% [markdown]
# ## bce-from-logits


# %% by-softplus right="bce-from-logits"
def bce_from_logits(z, y):
    return (torch.nn.functional.softplus(z) - y * z).mean()


# %% by-logsigmoid right="bce-from-logits"
def bce_from_logits(z, y):
    log_p = torch.nn.functional.logsigmoid(z)
    log_not_p = torch.nn.functional.logsigmoid(-z)
    return -(y * log_p + (1 - y) * log_not_p).mean()


# %% by-builtin right="bce-from-logits"
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y)


# %% by-log-expit right="bce-from-logits" oracle=True
import numpy as np
from scipy.special import expit, log_expit


class MeanCrossEntropy(torch.autograd.Function):
    # scipy's log_expit for the value, (p - y)/n for the gradient
    @staticmethod
    def forward(ctx, z, y):
        ctx.save_for_backward(z, y)
        logits, targets = z.numpy().astype(np.float64), y.numpy().astype(np.float64)
        terms = targets * log_expit(logits) + (1 - targets) * log_expit(-logits)
        return torch.tensor(-terms.mean(), dtype=z.dtype)

    @staticmethod
    def backward(ctx, grad):
        z, y = ctx.saved_tensors
        p = torch.from_numpy(expit(z.numpy()))
        return grad * (p - y) / z.numel(), None


def bce_from_logits(z, y):
    return MeanCrossEntropy.apply(z, y)


# %% by-log-expit.detach-result equivalent="bce-from-logits"
# `return torch.tensor(-terms.mean(), dtype=z.dtype).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.

# %% solution.detach-input equivalent="bce-from-logits"
# `y = y.detach()`
# Targets are data: no gradient with respect to them is asked for.


# %% by-log-expit.drop-factor equivalent="bce-from-logits"
# `return ((p - y) / z.numel(), None)`
# The gradient handed to backward is 1, since the result is the scalar that is differentiated.


# %% sigmoid-before-with-logits wrong="bce-from-logits" fails="value,stability,gradient"
# binary_cross_entropy_with_logits applies the sigmoid itself: hand it z, not sigmoid(z).
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(torch.sigmoid(z), y)


# %% plain-exp wrong="bce-from-logits" fails="stability,gradient"
# exp overflows for large logits: log(1 + exp(z)) is softplus(z), or logaddexp of z and 0.
def bce_from_logits(z, y):
    return (torch.log1p(torch.exp(z)) - y * z).mean()


# %% two-branches wrong="bce-from-logits" fails="gradient"
# torch.where also differentiates the branch it drops, where exp overflows: use softplus.
def bce_from_logits(z, y):
    up, down = z + torch.log1p(torch.exp(-z)), torch.log1p(torch.exp(z))
    return (torch.where(z > 0, up, down) - y * z).mean()


# %% kink-at-zero wrong="bce-from-logits" fails="gradient"
# clamp and abs have a kink at z = 0, where the gradient is off by a half: use softplus.
def bce_from_logits(z, y):
    return (z.clamp(min=0) + torch.log1p(torch.exp(-z.abs())) - y * z).mean()


# %% sign-slip wrong="bce-from-logits" fails="value,stability,gradient"
# softplus(-z) is the loss of y = 1; the formula that subtracts y z needs softplus(z).
def bce_from_logits(z, y):
    return (torch.nn.functional.softplus(-z) - y * z).mean()


# %% log-of-sigmoid wrong="bce-from-logits" fails="stability,gradient"
# sigmoid(z) rounds to 0 or 1 and its logarithm is infinite: use softplus or logsigmoid.
def bce_from_logits(z, y):
    p = torch.sigmoid(z)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


# %% builtin-on-probabilities wrong="bce-from-logits" fails="stability,gradient"
# binary_cross_entropy caps the loss at 100, with gradient 0: compute from the logits.
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy(torch.sigmoid(z), y)


# %% epsilon-in-log wrong="bce-from-logits" fails="stability,gradient"
# Adding 1e-8 inside the log caps the loss at 18.4: no epsilon is needed.
def bce_from_logits(z, y):
    p = torch.sigmoid(z)
    return -(y * torch.log(p + 1e-8) + (1 - y) * torch.log(1 - p + 1e-8)).mean()


# %% clamped-probabilities wrong="bce-from-logits" fails="stability,gradient"
# Clamping the probability caps the loss and sets the gradient to 0 just where it matters most.
def bce_from_logits(z, y):
    p = torch.sigmoid(z).clamp(1e-6, 1 - 1e-6)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


# %% clamped-logits wrong="bce-from-logits" fails="stability,gradient"
# Clamping the logits sets the gradient to 0 outside the range: no clamp of z is needed.
def bce_from_logits(z, y):
    z = z.clamp(-15, 15)
    return (torch.nn.functional.softplus(z) - y * z).mean()


# %% sum-over-batch wrong="bce-from-logits" fails="value,stability,gradient"
# This is the sum over the elements; the text asks for the mean.
def bce_from_logits(z, y):
    return (torch.nn.functional.softplus(z) - y * z).sum()


# %% classes-swapped wrong="bce-from-logits" fails="value,stability,gradient"
# The classes are swapped: y = 1 must be scored by sigmoid(z), y = 0 by sigmoid(-z).
def bce_from_logits(z, y):
    return (torch.nn.functional.softplus(z) - (1 - y) * z).mean()


# %% positives-only wrong="bce-from-logits" fails="value,stability,gradient"
# Only the term of y = 1 is there: add (1 - y) log(1 - p).
def bce_from_logits(z, y):
    return -(y * torch.nn.functional.logsigmoid(z)).mean()


# %% hard-targets wrong="bce-from-logits" fails="value,stability,gradient"
# Targets may be soft: use y itself, do not round it to a class.
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y.round())


# %% squared-error wrong="bce-from-logits" fails="value,stability,gradient"
# The squared error of probabilities (Brier score) is another loss, and its gradient vanishes.
def bce_from_logits(z, y):
    return ((torch.sigmoid(z) - y) ** 2).mean()


# %% detached wrong="bce-from-logits" fails="gradient"
# The value is right but .item() or .detach() cut the gradient: return the tensor itself.
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y).detach()


# %% relu-and-abs wrong="bce-from-logits" fails="gradient"
# relu and abs have slope 0 at z = 0, so the gradient there is only -y: use softplus.
def bce_from_logits(z, y):
    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


# %% log-likelihood wrong="bce-from-logits" fails="value,stability,gradient"
# The sign is flipped: this is the log-likelihood, which training would have to maximise.
def bce_from_logits(z, y):
    log_p, log_q = torch.nn.functional.logsigmoid(torch.stack([z, -z]))
    return (y * log_p + (1 - y) * log_q).mean()


# %% one-minus-log wrong="bce-from-logits" fails="value,stability,gradient"
# log(1 - p) is not 1 - log p: it is logsigmoid(-z).
def bce_from_logits(z, y):
    log_p = torch.nn.functional.logsigmoid(z)
    return -(y * log_p + (1 - y) * (1 - log_p)).mean()


# %% [markdown]
# ## one-of-several-labels


# %% by-log-softmax right="one-of-several-labels"
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    nothing = torch.full_like(log_p, -math.inf)
    return -torch.where(possible, log_p, nothing).logsumexp(1).mean()


# %% by-rows right="one-of-several-labels"
def set_nll(logits, possible):
    each = [z.logsumexp(0) - z[s].logsumexp(0) for z, s in zip(logits, possible)]
    return sum(each) / len(each)


# %% by-hand right="one-of-several-labels"
def set_nll(logits, possible):
    inside = torch.where(possible, logits, -math.inf)
    totals = []
    for z in (logits, inside):
        top = z.detach().max(dim=1, keepdim=True).values
        totals.append(top[:, 0] + torch.log((z - top).exp().sum(1)))
    return (totals[0] - totals[1]).mean()


# %% by-scipy right="one-of-several-labels" oracle=True
import numpy as np
from scipy.special import logsumexp, softmax


class MeanSurprise(torch.autograd.Function):
    # values by scipy, row by row; the gradient is softmax of all minus softmax of the set
    @staticmethod
    def forward(ctx, logits, possible):
        ctx.save_for_backward(logits, possible)
        rows = list(zip(logits.double().numpy(), possible.numpy(), strict=True))
        return torch.tensor(
            np.mean([logsumexp(z - logsumexp(z[s])) for z, s in rows]), dtype=logits.dtype
        )

    @staticmethod
    def backward(ctx, grad):
        logits, possible = (v.numpy() for v in ctx.saved_tensors)
        change = softmax(logits, axis=1)
        for row, z, s in zip(change, logits, possible, strict=True):
            row[s] -= softmax(z[s])
        return grad * torch.from_numpy(change / len(change)), None


def set_nll(logits, possible):
    return MeanSurprise.apply(logits, possible)


# %% solution.detach-input equivalent="one-of-several-labels"
# `possible = possible.detach()`
# Booleans have no gradient.


# %% by-hand.swap-function equivalent="one-of-several-labels"
# `totals.append(top[:, 0] + torch.log((z - top).exp().mean(1)))`
# A mean in both sums divides both by K, which cancels.


# %% by-scipy.drop-factor equivalent="one-of-several-labels"
# `return (torch.from_numpy(change / len(change)), None)`
# The gradient handed to backward is 1, since the result is the scalar that is differentiated.


# %% by-scipy.detach-result equivalent="one-of-several-labels"
# `... - logsumexp(z[s])) for z, s in rows]), dtype=logits.dtype).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.


# %% by-scipy.end-loop-early equivalent="one-of-several-labels"
# `logits, possible = (v.numpy() for v in list(ctx.saved_tensors)[:5])`
# Two tensors are saved, fewer than five.


# %% outside-filled-with-a-number wrong="one-of-several-labels" fails="gradient,stability"
# Logits may be as low as the number that fills the classes outside: fill with -inf.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -1e6)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% mean-of-surprises wrong="one-of-several-labels" fails="value,stability,gradient"
# This averages the surprises of the classes; the set's probability is a sum, taken before the log.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1) * possible
    return -(log_p.sum(1) / possible.sum(1)).mean()


# %% all-at-once wrong="one-of-several-labels" fails="value,stability,gradient"
# A sum of logarithms says that all classes of the set are true at once; one of them is.
def set_nll(logits, possible):
    return -(torch.log_softmax(logits, dim=1) * possible).sum(1).mean()


# %% best-of-the-set wrong="one-of-several-labels" fails="value,stability,gradient"
# This scores the most probable class of the set alone: the others count as well.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -log_p.masked_fill(~possible, -math.inf).amax(1).mean()


# %% logits-of-zero wrong="one-of-several-labels" fails="value,stability,gradient"
# A logit of 0 is no impossible class: its weight is e to the 0. Leave it out, or use -inf.
def set_nll(logits, possible):
    return (logits.logsumexp(1) - (logits * possible).logsumexp(1)).mean()


# %% log-of-softmax wrong="one-of-several-labels" fails="stability,gradient"
# Beside the row's largest logit a hopeless set rounds to 0: give its sum a logsumexp of its own.
def set_nll(logits, possible):
    return -torch.log((torch.softmax(logits, dim=1) * possible).sum(1)).mean()


# %% epsilon-in-log wrong="one-of-several-labels" fails="stability,gradient"
# Adding 1e-8 inside the log caps the loss at 18.4: no epsilon is needed.
def set_nll(logits, possible):
    return -torch.log((torch.softmax(logits, dim=1) * possible).sum(1) + 1e-8).mean()


# %% plain-exp wrong="one-of-several-labels" fails="stability,gradient"
# exp overflows for large logits: subtract the largest of a sum first, or use logsumexp.
def set_nll(logits, possible):
    e = torch.exp(logits)
    return (e.sum(1).log() - (e * possible).sum(1).log()).mean()


# %% one-maximum-for-all wrong="one-of-several-labels" fails="stability,gradient"
# One maximum for the whole batch lets other rows underflow: take one for each row.
def set_nll(logits, possible):
    top = logits.max()
    total = top + torch.exp(logits - top).sum(1).log()
    return (total - logits.masked_fill(~possible, -math.inf).logsumexp(1)).mean()


# %% not-low-enough wrong="one-of-several-labels" fails="stability,gradient"
# A logit of -1000 is not impossible beside logits of -3000: leave the class out, or use -inf.
def set_nll(logits, possible):
    return (logits.logsumexp(1) - logits.masked_fill(~possible, -1e3).logsumexp(1)).mean()


# %% set-turned-round wrong="one-of-several-labels" fails="value,stability,gradient"
# True marks the possible classes; here they are the ones that are left out.
def set_nll(logits, possible):
    return (logits.logsumexp(1) - logits.masked_fill(possible, -1e9).logsumexp(1)).mean()


# %% over-the-batch wrong="one-of-several-labels" fails="value,stability,gradient"
# The probabilities of one example sum to one: normalise over the classes (dim=1), not the batch.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=0)
    return -log_p.masked_fill(~possible, -math.inf).logsumexp(1).mean()


# %% sum-over-batch wrong="one-of-several-labels" fails="value,stability,gradient"
# This is the sum over the examples; the text asks for the mean.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -log_p.masked_fill(~possible, -math.inf).logsumexp(1).sum()


# %% mean-probability wrong="one-of-several-labels" fails="value,stability,gradient"
# Average the logarithms of the rows' probabilities, not the probabilities.
def set_nll(logits, possible):
    return -torch.log((torch.softmax(logits, dim=1) * possible).sum(1).mean())


# %% in-bits wrong="one-of-several-labels" fails="value,stability,gradient"
# This is in bits (log to the base 2); the text asks for nats.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -log_p.masked_fill(~possible, -math.inf).logsumexp(1).mean() / math.log(2)


# %% log-likelihood wrong="one-of-several-labels" fails="value,stability,gradient"
# The sign is flipped: this is the log-likelihood, which training would have to maximise.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return log_p.masked_fill(~possible, -math.inf).logsumexp(1).mean()


# %% evens-out wrong="one-of-several-labels" fails="stability,value"
# The size of the set is no weight: a set of all classes costs nothing, not log K.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf).logsumexp(1) - possible.sum(1).log()
    return (logits.logsumexp(1) - inside).mean()


# %% detached wrong="one-of-several-labels" fails="gradient"
# The value is right but .item() or .detach() cut the gradient: return the tensor itself.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -log_p.masked_fill(~possible, -math.inf).logsumexp(1).mean().item()


# %% solution.squeeze-before equivalent="one-of-several-labels"
# `return (logits.squeeze().logsumexp(-1) - torch.logsumexp(inside, ...`
# There are two classes at least, and the mean over a batch of one is its only value.


# %% solution.squeeze-before equivalent="one-of-several-labels"
# `... (torch.logsumexp(logits, dim=1) - inside.squeeze().logsumexp(-1)).mean()`
# There are two classes at least, and the mean over a batch of one is its only value.


# %% [markdown]
# ## logit-gradient


# %% by-softmax right="logit-gradient"
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) * counts.sum(1)[:, None] - counts) / logits.shape[0]


# %% by-log-softmax right="logit-gradient"
def cross_entropy_gradient(logits, counts):
    seen = counts.sum(dim=1, keepdim=True)
    return torch.log_softmax(logits, dim=-1).exp().mul(seen).sub(counts).div(len(counts))


# %% by-rows right="logit-gradient"
def cross_entropy_gradient(logits, counts):
    rows = []
    for z, t in zip(logits, counts):
        z = z - z.max()  # before the logsumexp, which rounds to its own size
        w = torch.exp(z - torch.logsumexp(z, dim=0))
        rows.append(w * t.sum() - t)
    return torch.stack(rows) / len(rows)


# %% by-differentiation right="logit-gradient" oracle=True
def cross_entropy_gradient(logits, counts):
    # torch's own derivative of torch's own loss, outside the checks' inference mode
    with torch.inference_mode(False), torch.enable_grad():
        z = torch.tensor(logits.tolist(), dtype=torch.float64, requires_grad=True)
        t = torch.tensor(counts.tolist(), dtype=torch.float64)
        torch.nn.functional.cross_entropy(z, t).backward()
    return z.grad


# %% by-log-softmax.flip-sign equivalent="logit-gradient"
# `... dim=1).exp().mul(seen).sub(counts).div(len(counts))`
# The last axis of a matrix is axis 1.


# %% p-minus-counts wrong="logit-gradient" fails="counts,stability"
# p - c is right for counts that sum to one; the log-normaliser occurs once for each count.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) - counts) / len(logits)


# %% shares-of-counts wrong="logit-gradient" fails="counts,stability"
# Counts turned into shares: the loss weighs an input that was seen five times five times.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) - counts / counts.sum(1, keepdim=True)) / len(logits)


# %% mean-over-counts wrong="logit-gradient" fails="counts,stability"
# The mean is over the n inputs, not over all that was counted.
def cross_entropy_gradient(logits, counts):
    seen = counts.sum(dim=1, keepdim=True)
    return (torch.softmax(logits, dim=1) * seen - counts) / counts.sum()


# %% sigmoid-slope wrong="logit-gradient" fails="value,counts,stability"
# The factor p (1 - p) belongs to the squared error; in the cross-entropy it cancels.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1)
    return (p - counts) * p * (1 - p) / len(logits)


# %% sum-over-batch wrong="logit-gradient" fails="value,counts,stability"
# The loss is a mean over the batch: divide by n.
def cross_entropy_gradient(logits, counts):
    return torch.softmax(logits, dim=1) - counts


# %% mean-over-everything wrong="logit-gradient" fails="value,counts,stability"
# Divide by the n examples, not by all n times K entries.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) - counts) / logits.numel()


# %% sign-flipped wrong="logit-gradient" fails="value,counts,stability"
# The sign is flipped: this direction lowers the loss, the gradient raises it.
def cross_entropy_gradient(logits, counts):
    return (counts - torch.softmax(logits, dim=1)) / len(logits)


# %% only-large-logits wrong="logit-gradient" fails="stability"
# Rows far below zero underflow to 0/0: subtract the largest logit of the row even if negative.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits - logits.amax(1, keepdim=True).clamp(min=0))
    return (weights / weights.sum(1, keepdim=True) * counts.sum(1, keepdim=True) - counts) / len(
        logits
    )


# %% brackets-missing wrong="logit-gradient" fails="value,counts,stability"
# Brackets are missing: divide the whole difference by n, not the counts alone.
def cross_entropy_gradient(logits, counts):
    return torch.softmax(logits, dim=1) - counts / len(logits)


# %% divided-by-classes wrong="logit-gradient" fails="value,counts,stability"
# Divide by the number of examples, the first axis, not by the number of classes.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) - counts) / logits.shape[1]


# %% asks-autograd wrong="logit-gradient" fails="value,counts,stability"
# Automatic differentiation is switched off here: derive the gradient on paper and write it down.
def cross_entropy_gradient(logits, counts):
    z = logits.detach().requires_grad_()
    loss = torch.nn.functional.cross_entropy(z, counts)
    return torch.autograd.grad(loss, z)[0]


# %% no-softmax wrong="logit-gradient" fails="value,counts,stability"
# Compare counts with probabilities: softmax of the logits, not the logits themselves.
def cross_entropy_gradient(logits, counts):
    return (logits - counts) / len(logits)


# %% over-the-batch wrong="logit-gradient" fails="value,counts,stability"
# The probabilities of one example sum to one: softmax over the classes (dim=1), not the batch.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=0) - counts) / len(logits)


# %% hard-labels wrong="logit-gradient" fails="counts,stability"
# All counts count: do not replace a row by its most frequent class.
def cross_entropy_gradient(logits, counts):
    hard = torch.nn.functional.one_hot(counts.argmax(dim=1), counts.shape[1])
    return (torch.softmax(logits, dim=1) - hard) / len(logits)


# %% plain-exp wrong="logit-gradient" fails="stability"
# exp overflows for large logits: subtract the largest logit of each row first, or use softmax.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits)
    return (weights / weights.sum(1, keepdim=True) * counts.sum(1, keepdim=True) - counts) / len(
        logits
    )


# %% with-respect-to-p wrong="logit-gradient" fails="value,counts,stability"
# This is the gradient with respect to the probabilities; go on to the logits by the chain rule.
def cross_entropy_gradient(logits, counts):
    return -counts / torch.softmax(logits, dim=1) / len(logits)


# %% own-class-only wrong="logit-gradient" fails="value,counts,stability"
# Raising one logit lowers the other probabilities too: those entries are p, not 0.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1)
    return (p - counts) * counts / len(logits)


# %% averaged-over-rows wrong="logit-gradient" fails="value,counts,stability"
# The mean is over losses, not gradients: each row keeps its own, divided by n.
def cross_entropy_gradient(logits, counts):
    return (torch.softmax(logits, dim=1) - counts).mean(dim=0)


# %% one-maximum-for-all wrong="logit-gradient" fails="stability"
# One maximum for the whole batch lets other rows underflow: take the maximum of each row.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits - logits.max())
    return (weights / weights.sum(1, keepdim=True) * counts.sum(1, keepdim=True) - counts) / len(
        logits
    )


# %% one-sum-for-all wrong="logit-gradient" fails="value,counts,stability"
# Each row of probabilities sums to one: divide by the sum of the row, not of the batch.
def cross_entropy_gradient(logits, counts):
    weights = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    return (weights / weights.sum() - counts) / len(logits)


# %% sigmoid-for-softmax wrong="logit-gradient" fails="value,counts,stability"
# The sigmoid is for one logit of two labels: K classes share one softmax.
def cross_entropy_gradient(logits, counts):
    return (torch.sigmoid(logits) - counts) / len(logits)


# %% jacobian-times-quotient wrong="logit-gradient" fails="stability"
# t / p divides by 0 once a probability underflows: cancel p on paper before you write code.
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1)
    quotient = -counts / p / len(logits)
    return p * (quotient - (p * quotient).sum(dim=1, keepdim=True))


# %% [markdown]
# ## find-the-bugs


# %% by-weights right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    loss = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none")
    return (loss * mask).sum() / mask.sum()


# %% by-selection right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy(x[mask] @ weight + bias, labels[mask])


# %% by-ignored-labels right="find-the-bugs"
def masked_loss(x, weight, bias, labels, mask):
    labels = labels.masked_fill(~mask, -100)  # cross_entropy ignores this label
    return torch.nn.functional.cross_entropy(torch.nn.functional.linear(x, weight.T, bias), labels)


# %% by-distribution right="find-the-bugs" oracle=True
def masked_loss(x, weight, bias, labels, mask):
    surprise = []
    for i in range(len(x)):
        if mask[i]:
            scores = sum(x[i, j] * weight[j] for j in range(x.shape[1])) + bias
            surprise.append(-torch.distributions.Categorical(logits=scores).log_prob(labels[i]))
    return torch.stack(surprise).mean()


# %% solution.detach-input equivalent="find-the-bugs"
# `x = x.detach()`
# It is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="find-the-bugs"
# `labels = labels.detach()`
# It is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="find-the-bugs"
# `mask = mask.detach()`
# It is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="find-the-bugs"
# `bias = bias.detach()`
# The text asks for gradients with respect to weight alone.


# %% repaired-by-where wrong="find-the-bugs" fails="gradient"
# where picks the value, but 0 times the logarithm's infinite slope is nan: never form log(0).
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=1).gather(1, labels[:, None])[mask]
    p = torch.softmax(x @ weight + bias, dim=1).gather(1, labels[:, None])[mask]
    return -torch.where(p > 1e-30, p.log(), log_p).mean()


# %% unchanged wrong="find-the-bugs" fails="value,mask,gradient"
# All bugs are still there. Look at what cross_entropy wants, at the axis, and at the mean.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=0)
    loss = torch.nn.functional.cross_entropy(p, labels, reduction="none")
    return (loss * mask).mean()


# %% axis-only wrong="find-the-bugs" fails="value,mask,gradient"
# The axis is right now, but cross_entropy applies softmax itself: hand it logits. Then the mean.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    loss = torch.nn.functional.cross_entropy(p, labels, reduction="none")
    return (loss * mask).mean()


# %% mask-only wrong="find-the-bugs" fails="value,mask,gradient"
# The mean is right now; the softmax is still applied twice, and over the wrong axis.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=0)
    loss = torch.nn.functional.cross_entropy(p, labels, reduction="none")
    return loss[mask].mean()


# %% over-the-batch wrong="find-the-bugs" fails="value,mask,gradient"
# One bug is left: softmax runs over the batch, but the classes are axis 1.
def masked_loss(x, weight, bias, labels, mask):
    log_p = torch.log_softmax(x @ weight + bias, dim=0)
    return torch.nn.functional.nll_loss(log_p[mask], labels[mask])


# %% log-of-softmax wrong="find-the-bugs" fails="value,gradient"
# softmax rounds to 0 for large logits, and its logarithm is infinite: hand logits to the loss.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    return -torch.log(p[torch.arange(len(labels)), labels])[mask].mean()


# %% softmax-twice wrong="find-the-bugs" fails="value,mask,gradient"
# cross_entropy applies softmax itself: hand it logits, not probabilities.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    loss = torch.nn.functional.cross_entropy(p, labels, reduction="none")
    return loss[mask].mean()


# %% padding-in-the-mean wrong="find-the-bugs" fails="mask,gradient"
# Masked examples still count in the denominator: divide by the number that the mask keeps.
def masked_loss(x, weight, bias, labels, mask):
    loss = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none")
    return (loss * mask).mean()


# %% mask-forgotten wrong="find-the-bugs" fails="mask,gradient"
# The mask is not used: padding counts like any other example.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy(x @ weight + bias, labels)


# %% mask-inverted wrong="find-the-bugs" fails="value,mask,gradient"
# The mask marks what counts, not what is padding.
def masked_loss(x, weight, bias, labels, mask):
    loss = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none")
    return loss[~mask].mean()


# %% masked-logits wrong="find-the-bugs" fails="mask,gradient"
# Logits of zero are a uniform prediction with a loss of log K: leave masked examples out instead.
def masked_loss(x, weight, bias, labels, mask):
    logits = (x @ weight + bias) * mask[:, None]
    return torch.nn.functional.cross_entropy(logits, labels)


# %% probabilities-in-nll-loss wrong="find-the-bugs" fails="value,mask,gradient"
# nll_loss wants log-probabilities: use log_softmax, or cross_entropy with logits.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    return torch.nn.functional.nll_loss(p[mask], labels[mask])


# %% sum-over-mask wrong="find-the-bugs" fails="value,mask,gradient"
# This is the sum over the examples that the mask keeps; the text asks for their mean.
def masked_loss(x, weight, bias, labels, mask):
    loss = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none")
    return (loss * mask).sum()


# %% masked-features wrong="find-the-bugs" fails="mask,gradient"
# An example of zeros still has a loss, that of the bias: leave masked examples out instead.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy((x * mask[:, None]) @ weight + bias, labels)


# %% masked-labels wrong="find-the-bugs" fails="mask,gradient"
# Label 0 is a class, so a label set to 0 still counts: leave masked examples out instead.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.cross_entropy(x @ weight + bias, labels * mask)


# %% mean-before-mask wrong="find-the-bugs" fails="mask,gradient"
# The loss is averaged before the mask sees it: keep one loss per example, reduction="none".
def masked_loss(x, weight, bias, labels, mask):
    return (torch.nn.functional.cross_entropy(x @ weight + bias, labels) * mask).mean()


# %% logits-in-nll-loss wrong="find-the-bugs" fails="value,mask,gradient"
# nll_loss only picks entries: it wants log-probabilities, not logits.
def masked_loss(x, weight, bias, labels, mask):
    return torch.nn.functional.nll_loss((x @ weight + bias)[mask], labels[mask])


# %% epsilon-in-log wrong="find-the-bugs" fails="gradient,mask,value"
# Adding 1e-8 inside the log caps the loss at 18.4: hand logits to cross_entropy.
def masked_loss(x, weight, bias, labels, mask):
    p = torch.softmax(x @ weight + bias, dim=1)
    return torch.nn.functional.nll_loss(torch.log(p + 1e-8)[mask], labels[mask])


# %% zero-losses-dropped wrong="find-the-bugs" fails="gradient,mask,value"
# A loss of 0 is a perfect prediction, not padding: select by the mask, not by the loss.
def masked_loss(x, weight, bias, labels, mask):
    loss = torch.nn.functional.cross_entropy(x @ weight + bias, labels, reduction="none") * mask
    return loss[loss > 0].mean()
