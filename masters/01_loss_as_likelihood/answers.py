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
        return torch.from_numpy(stats.norm.logpdf(y.numpy(), mu.numpy(), sigma.numpy()))

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


# %% in-float32 right="gaussian-nll"
def gaussian_nll(y, mu, sigma):
    y, mu, sigma = (torch.as_tensor(p).to(torch.float32) for p in (y, mu, sigma))
    if mu.ndim and mu.shape != y.shape:
        raise ValueError("shape")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% by-density.detach-result.2 equivalent="gaussian-nll"
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.


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


# %% never-negative wrong="gaussian-nll" fails="value"
# A density can exceed 1, so an NLL can be negative: do not clip it at zero.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return torch.relu(-torch.distributions.Normal(mu, sigma).log_prob(y).mean())


# %% product-of-densities wrong="gaussian-nll" fails="value"
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


# %% detached wrong="gaussian-nll" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean().item()


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


# %% by-log-expit.detach-result.2 equivalent="bce-from-logits"
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.

# %% by-log-expit.drop-factor.7 equivalent="bce-from-logits"
# The gradient handed to backward is 1, since the result is the scalar that is differentiated.


# %% sigmoid-before-with-logits wrong="bce-from-logits" fails="value,stability,gradient"
# binary_cross_entropy_with_logits applies the sigmoid itself: hand it z, not sigmoid(z).
def bce_from_logits(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(torch.sigmoid(z), y)


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
