# %% [markdown]
# # Answers to assignment 12
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## transformed-density


# %% by-vmap right="transformed-density"
def transformed_log_prob(x, to_noise):
    slope = torch.func.vmap(torch.func.grad(to_noise))(x)
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(to_noise(x)) + torch.log(torch.abs(slope))


# %% by-jvp right="transformed-density"
def transformed_log_prob(x, to_noise):
    z, slope = torch.func.jvp(to_noise, (x,), (torch.ones_like(x),))
    return torch.distributions.Normal(torch.zeros_like(z), 1.0).log_prob(z) + slope.abs().log()


# %% by-jacobian right="transformed-density"
def transformed_log_prob(x, to_noise):
    rows = []
    for value in x:
        J = torch.autograd.functional.jacobian(to_noise, value[None])
        z = to_noise(value[None])[0]
        rows.append(torch.linalg.slogdet(J).logabsdet - (z * z + math.log(2 * math.pi)) / 2)
    return torch.stack(rows)


# %% by-differences right="transformed-density" oracle=True
import numpy as np
from scipy import stats


def transformed_log_prob(x, to_noise):
    # central differences of fourth order, and scipy's density: no derivative from torch; a flat
    # line takes a wider step, so that rounding does not drown its slope
    slopes = []
    for h in (1e-3, 0.02):
        f = [to_noise(x + k * h).numpy() for k in (-2, -1, 1, 2)]
        slopes.append((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h))
    slope = np.where(np.abs(slopes[1]) < 1e-8, *slopes[::-1])
    return stats.norm.logpdf(to_noise(x).numpy()) + np.log(np.abs(slope))


# %% log-det-forgotten wrong="transformed-density" fails="rising,falling,extremes"
# This is the log density of the noise: how much the map stretches x is missing.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise


# %% log-det-sign wrong="transformed-density" fails="rising,falling,extremes"
# The log-determinant has the wrong sign: the slope here is that of the map from data to noise.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise - slope.abs().log()


# %% slope-not-log wrong="transformed-density" fails="rising,falling,extremes"
# Densities are multiplied by the slope; to a log density, add the log of the slope.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.abs()


# %% no-absolute-value wrong="transformed-density" fails="extremes,falling"
# A falling map has a negative slope, and its logarithm is not a number: take the absolute value.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.log()


# %% not-a-log wrong="transformed-density" fails="rising,falling,extremes"
# This is the density; the text asks for its logarithm.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return torch.exp(log_noise) * slope.abs()


# %% log-of-density wrong="transformed-density" fails="extremes"
# The density underflows to 0 before its logarithm is taken: add log densities instead.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return torch.log(torch.exp(log_noise) * slope.abs())


# %% epsilon-in-the-log wrong="transformed-density" fails="extremes"
# A small constant inside the logarithm puts a floor under the slope: leave it out.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + (slope.abs() + 1e-8).log()


# %% slope-clamped wrong="transformed-density" fails="extremes"
# Slopes may be as small as 1e-12: do not cut them off.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.abs().clamp(min=1e-6).log()


# %% one-slope-for-all wrong="transformed-density" fails="rising,falling,extremes"
# Each element of x has a slope of its own: do not sum the log-determinants over the elements.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.abs().log().sum()


# %% mean-slope wrong="transformed-density" fails="extremes,falling,rising"
# Each element of x has a slope of its own: this uses the mean slope for all of them.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.mean().abs().log()


# %% noise-density-at-x wrong="transformed-density" fails="rising,falling,extremes"
# The density of the noise is taken at z = f(x), not at x.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * x**2 - 0.5 * math.log(2 * math.pi)
    return log_noise + slope.abs().log()


# %% constant-dropped wrong="transformed-density" fails="rising,falling,extremes"
# The constant log(2 pi)/2 of the noise is missing.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2
    return log_noise + slope.abs().log()


# %% summed wrong="transformed-density" fails="rising,falling,extremes"
# Return one log density for each element of x, not their sum.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    log_noise = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return (log_noise + slope.abs().log()).sum()


# %% constant-twice wrong="transformed-density" fails="rising,falling,extremes"
# The constant of a Normal log density is log(2 pi)/2: the root was forgotten.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    return -0.5 * z**2 - math.log(2 * math.pi) + slope.abs().log()


# %% half-forgotten wrong="transformed-density" fails="rising,falling,extremes"
# In the noise, z squared counts one half.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    return -(z**2) - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% sign-of-the-slope wrong="transformed-density" fails="extremes,falling"
# A falling map stretches as a rising one does: only the size of the slope counts, not its sign.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.sign() * slope.abs().log()


# %% finite-differences wrong="transformed-density" fails="extremes"
# A difference of two values loses a slope of 1e-12 to rounding: let PyTorch differentiate.
def transformed_log_prob(x, to_noise):
    slope = (to_noise(x + 1e-5) - to_noise(x - 1e-5)) / 2e-5
    return -0.5 * to_noise(x) ** 2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% tiny-constant-in-the-density wrong="transformed-density" fails="extremes"
# A tiny constant beside the density only hides the underflow: add log densities instead.
def transformed_log_prob(x, to_noise):
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    density = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * slope.abs()
    return torch.log(density + 1e-300)


# %% slope-at-z wrong="transformed-density" fails="extremes,falling,rising"
# The slope of f is taken at x, not at z.
def transformed_log_prob(x, to_noise):
    z = to_noise(x).detach().requires_grad_()
    (slope,) = torch.autograd.grad(to_noise(z).sum(), z)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()


# %% by-differences.flip-sign equivalent="transformed-density"
# `f = [to_noise(x - k * h).numpy() for k in (-2, -1, 1, 2)]`
# The offsets are the same on either side: the slope changes its sign, and its size is what counts.

# %% by-differences.change-number equivalent="transformed-density"
# `for h in (0.001, 1.02):`
# A flat line is as flat over a wider step.

# %% by-differences.change-number equivalent="transformed-density"
# `slope = np.where(np.abs(slopes[1]) < 1.00000001, *slopes[::-1])`
# The wider step has digits enough for the slopes here that are below one.

# %% [markdown]
# ## affine-coupling


# %% by-multiplying right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% by-indexing right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    free = ~mask
    h = x.clone()
    h[:, free] = 0
    s, t = (value[:, free] for value in net(h))
    s = torch.minimum(torch.maximum(s, torch.full_like(s, -4)), torch.full_like(s, 4))
    y = x.clone()
    if inverse:
        y[:, free] = t + s.exp() * x[:, free]
        return y, s.sum(-1)
    y[:, free] = (x[:, free] - t) / s.exp()
    return y, -(s.sum(-1))


# %% by-columns right="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    s, t = net(torch.stack([c if m else 0 * c for c, m in zip(x.T, mask)], dim=1))
    columns, total = [], torch.zeros(len(x), dtype=x.dtype)
    for j, keep in enumerate(mask.tolist()):
        if keep:
            columns.append(x[:, j])
            continue
        scale = torch.clip(s[:, j], -4.0, 4.0).exp()
        columns.append(scale * x[:, j] + t[:, j] if inverse else (x[:, j] - t[:, j]) / scale)
        total = total + (scale.log() if inverse else -scale.log())
    return torch.stack(columns, dim=1), total


# %% by-slogdet right="affine-coupling" oracle=True
def affine_coupling(x, mask, net, inverse=False):
    # written for the inverse; the log-determinant comes from the full Jacobian of each row, and
    # as rows do not meet, that of their sum holds all
    def moved(rows):
        raw, shift = net(rows.masked_fill(~mask, 0.0))
        scale = math.e ** raw.clip(min=-4.0).clip(max=4.0)
        there = rows * scale + shift if inverse else rows / scale - shift / scale
        return rows.where(mask, there)

    total = lambda rows: moved(rows).sum(0)  # noqa: E731
    J = torch.autograd.functional.jacobian(total, x, create_graph=True)
    return moved(x), J.movedim(1, 0).slogdet()[1]


# %% solution.detach-input equivalent="affine-coupling"
# `mask = mask.detach()`
# A mask has no gradient.

# %% by-indexing.end-loop-early equivalent="affine-coupling"
# `s, t = (value[:, free] for value in list(net(h))[:5])`
# A network returns two tensors.


# %% mask-turned-round wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The mask is true for coordinates that are kept; here those are the ones that move.
def affine_coupling(x, mask, net, inverse=False):
    kept = (~mask).to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% net-sees-everything wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The network may see kept coordinates only, or the inverse cannot repeat the call.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% everything-moves wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# Kept coordinates must come out as they went in; here they are shifted and scaled too.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4)
    t = t + 0.0
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% kept-coordinates-counted wrong="affine-coupling" fails="log-det,limit"
# Kept coordinates have slope 1 and add nothing to the log-determinant.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4)
    every, s = s, s * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, every.sum(dim=1)
    return (x - t) * torch.exp(-s), -every.sum(dim=1)


# %% log-det-sign wrong="affine-coupling" fails="limit,log-det"
# The log-determinant has the wrong sign in both directions: check it against slogdet.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, -s.sum(dim=1)
    return (x - t) * torch.exp(-s), s.sum(dim=1)


# %% log-det-of-one-direction wrong="affine-coupling" fails="limit,log-det"
# The log-determinant is that of the map that was run: the inverse has the opposite sign.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, -s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% log-det-of-the-other-direction wrong="affine-coupling" fails="limit,log-det"
# The log-determinant is that of the map that was run: data to noise divides by the scale.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), s.sum(dim=1)


# %% determinant-not-log wrong="affine-coupling" fails="limit,log-det"
# This is the determinant; the text asks for its logarithm.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1).exp()
    return (x - t) * torch.exp(-s), (-s.sum(dim=1)).exp()


# %% log-det-forgotten wrong="affine-coupling" fails="limit,log-det"
# The log-determinant is not 0: the scales change the volume.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, 0 * s.sum(dim=1)
    return (x - t) * torch.exp(-s), 0 * s.sum(dim=1)


# %% log-det-mean wrong="affine-coupling" fails="limit,log-det"
# The log-determinant is the sum of the log-scales over the coordinates, not their mean.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.mean(dim=1)
    return (x - t) * torch.exp(-s), -s.mean(dim=1)


# %% log-det-of-the-batch wrong="affine-coupling" fails="log-det,limit"
# Each row has a log-determinant of its own: sum over coordinates, not over rows.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum()
    return (x - t) * torch.exp(-s), -s.sum()


# %% scaled-before-shifted wrong="affine-coupling" fails="forward,inverse,limit"
# Data to noise: subtract t first, then scale.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return x * torch.exp(-s) - t, -s.sum(dim=1)


# %% inverse-divides wrong="affine-coupling" fails="inverse,limit"
# Noise to data multiplies by the scale and then adds t: the two directions undo each other.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(-s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% directions-swapped wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The default direction is data to noise; inverse=True is noise to data.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if not inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% log-scale-unlimited wrong="affine-coupling" fails="limit"
# A large output of the network overflows the exponential: limit s to [-4, 4].
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% limited-from-above wrong="affine-coupling" fails="limit"
# The limit holds at both ends: s below -4 is set to -4.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(max=4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% limit-by-tanh wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The limit here is hard: values between -4 and 4 stay as they are, which a tanh would change.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = (4 * torch.tanh(s / 4)) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% input-overwritten wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# x itself is changed: clone it before you write into it.
def affine_coupling(x, mask, net, inverse=False):
    free = ~mask
    s, t = (value[:, free] for value in net(x * mask))
    s = s.clamp(-4, 4)
    if inverse:
        x[:, free] = x[:, free] * s.exp() + t
        return x, s.sum(1)
    x[:, free] = (x[:, free] - t) * (-s).exp()
    return x, -s.sum(1)


# %% scale-and-shift-swapped wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The network returns the log-scale first and the shift second.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    t, s = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% net-sees-the-moved wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The network sees the coordinates that are kept; here it sees those that move.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * (1 - kept))
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% kept-are-shifted wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# Kept coordinates are shifted here: ignore t for them too.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% kept-set-to-zero wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# Only the network's input has zeros: in the result kept and moved coordinates stand side by side.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return (x * torch.exp(s) + t) * (1 - kept), s.sum(dim=1)
    return (x - t) * torch.exp(-s) * (1 - kept), -s.sum(dim=1)


# %% inverse-shifts-first wrong="affine-coupling" fails="inverse,limit"
# Noise to data undoes the last step first: scale, then shift.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return (x + t) * torch.exp(s), s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% log-det-before-the-limit wrong="affine-coupling" fails="limit"
# The log-determinant belongs to the scales that were used: the limited ones.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s * (1 - kept)
    limited = s.clamp(-4, 4)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(limited) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-limited), -s.sum(dim=1)


# %% limited-one-way wrong="affine-coupling" fails="limit"
# The limit holds in both directions, or they do not undo each other.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    s = s.clamp(-4, 4)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% scale-limited wrong="affine-coupling" fails="limit,log-det"
# The log-scale s has the limits -4 and 4, not the scale exp(s).
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s * (1 - kept)
    scale = s.exp().clamp(-4, 4)
    t = t * (1 - kept)
    if inverse:
        return x * scale + t, scale.log().sum(dim=1)
    return (x - t) / scale, -scale.log().sum(dim=1)


# %% lesson-limits wrong="affine-coupling" fails="limit,forward"
# The limits here are -4 and 4; this takes the lesson's 2.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-2, 2) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% log-det-positive wrong="affine-coupling" fails="limit,log-det"
# The size of a log-determinant is not enough: where volume shrinks, it is negative.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1).abs()
    return (x - t) * torch.exp(-s), s.sum(dim=1).abs()


# %% detached wrong="affine-coupling" fails="forward,inverse,log-det,limit"
# The result must stay differentiable: call the network without no_grad or detach.
def affine_coupling(x, mask, net, inverse=False):
    kept = mask.to(x.dtype)
    with torch.no_grad():
        s, t = net(x * kept)
    s = s.clamp(-4, 4) * (1 - kept)
    t = t * (1 - kept)
    if inverse:
        return x * torch.exp(s) + t, s.sum(dim=1)
    return (x - t) * torch.exp(-s), -s.sum(dim=1)


# %% by-indexing.flip-sign equivalent="affine-coupling"
# `return (y, s.sum(1))`
# The last axis of two is axis 1.


# %% by-indexing.flip-sign equivalent="affine-coupling"
# `return (y, -s.sum(1))`
# The last axis of two is axis 1.

# %% [markdown]
# ## coupling-stack


# %% by-masks right="coupling-stack"
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% by-recursion right="coupling-stack"
def stack_log_prob(x, nets, first=0):
    if not nets:
        return torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)
    s, t = nets[0](x[:, first::2])
    moved = (x[:, 1 - first :: 2] - t) / s.exp()
    z = torch.zeros_like(x)
    z[:, first::2], z[:, 1 - first :: 2] = x[:, first::2], moved
    return stack_log_prob(z, nets[1:], 1 - first) - s.sum(1)


# %% by-two-parts right="coupling-stack"
def stack_log_prob(x, nets):
    parts, total = [x[:, ::2], x[:, 1::2]], 0
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        total = total - torch.sum(s, 1)
    z = torch.cat(parts, dim=1)
    return total - 0.5 * (z * z).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


# %% by-jacobian right="coupling-stack" oracle=True
def stack_log_prob(x, nets):
    # the Jacobian of the whole walk, instead of a sum over the layers; rows do not meet, so that
    # the sum over them has each row's derivatives
    def walk(points):
        values = list(points.unbind(1))
        for number, layer in enumerate(nets):
            still = [i for i in range(len(values)) if (i + number) % 2 == 0]
            scales, shifts = layer(torch.stack([values[i] for i in still], 1))
            others = [i for i in range(len(values)) if i not in still]
            for j, i in enumerate(others):
                values[i] = (values[i] - shifts[:, j]) / scales[:, j].exp()
        return torch.stack(values, 1)

    total = lambda points: walk(points).sum(0)  # noqa: E731
    J = torch.autograd.functional.jacobian(total, x, create_graph=True).movedim(1, 0)
    law = torch.distributions.Normal(0.0, 1.0)
    return law.log_prob(walk(x)).sum(1) + J.slogdet().logabsdet


# %% never-alternates wrong="coupling-stack" fails="gradient,stack"
# Layers with an odd number keep the odd columns: here every layer keeps the same ones.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == 0
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% odd-columns-first wrong="coupling-stack" fails="one layer,stack,gradient"
# Layer 0 keeps the columns 0, 2, 4, ...: the columns are swapped in all layers.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 != k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% layers-in-reverse wrong="coupling-stack" fails="gradient,stack"
# The list runs from data to noise: log_prob walks through it from the front.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in reversed(list(enumerate(nets))):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% log-det-of-the-last-layer wrong="coupling-stack" fails="gradient,stack"
# The log-determinants of all layers add up; this keeps only the last one.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, -s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% log-det-forgotten wrong="coupling-stack" fails="one layer,stack,gradient"
# The log-determinants are missing: without them this is no density.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise


# %% log-det-sign wrong="coupling-stack" fails="one layer,stack,gradient"
# The log-determinant has the wrong sign: data to noise divides by the scale.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise - log_det


# %% log-det-mean wrong="coupling-stack" fails="one layer,stack,gradient"
# The log-determinant of a layer is a sum over the moved columns, not a mean.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.mean(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% noise-density-at-x wrong="coupling-stack" fails="one layer,stack,gradient"
# The noise density is taken where the walk ends, not at x.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% nets-see-the-data wrong="coupling-stack" fails="gradient,stack"
# Each network sees what its layer is given, not the original x.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(x[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% constant-of-one-dimension wrong="coupling-stack" fails="one layer,stack"
# Each coordinate brings its own constant log(2 pi)/2.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2).sum(dim=1) - 0.5 * math.log(2 * math.pi)
    return log_noise + log_det


# %% constant-dropped wrong="coupling-stack" fails="one layer,stack"
# The constant log(2 pi)/2 of each coordinate is missing.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2).sum(dim=1)
    return log_noise + log_det


# %% halves-instead-of-columns wrong="coupling-stack" fails="one layer,stack,gradient"
# Kept columns alternate: 0, 2, 4, ... It is not the first half of them.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = ((columns < (x.shape[1] + 1) // 2).long() + k) % 2 == 1
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% noise-to-data wrong="coupling-stack" fails="one layer,stack,gradient"
# Data to noise subtracts t and divides by the scale; this walks the other way.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = z[:, ~keep] * torch.exp(s) + t
        z, log_det = after, log_det + s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_noise + log_det


# %% detached wrong="coupling-stack" fails="gradient"
# The gradient stops here: compute with tensors that stay attached, without no_grad or detach.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return (log_noise + log_det).detach()


# %% summed-over-rows wrong="coupling-stack" fails="one layer,stack"
# Return one log density for each row, not the sum over the rows.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    columns = torch.arange(x.shape[1])
    for k, net in enumerate(nets):
        keep = columns % 2 == k % 2
        s, t = net(z[:, keep])
        after = z.clone()
        after[:, ~keep] = (z[:, ~keep] - t) * torch.exp(-s)
        z, log_det = after, log_det - s.sum(dim=1)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return (log_noise + log_det).sum()


# %% scale-and-shift-swapped wrong="coupling-stack" fails="one layer,stack,gradient"
# A network returns the log-scale first and the shift second.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        t, s = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(dim=1)
    z = torch.cat(parts, dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det


# %% log-scale-limited wrong="coupling-stack" fails="one layer,stack"
# Nothing is limited here: log-scales beyond 4 stay as they are.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        s = s.clamp(-4, 4)
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(dim=1)
    z = torch.cat(parts, dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det


# %% log-scale-through-tanh wrong="coupling-stack" fails="one layer,stack,gradient"
# Nothing is limited here: the lesson's tanh changes the log-scales.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        s = 2 * torch.tanh(s / 2)
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(dim=1)
    z = torch.cat(parts, dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det


# %% columns-joined-in-the-wrong-order wrong="coupling-stack" fails="gradient,stack"
# Kept and moved columns must go back to their places before the next layer.
def stack_log_prob(x, nets):
    z, log_det = x, torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        kept, moved = z[:, k % 2 :: 2], z[:, 1 - k % 2 :: 2]
        s, t = net(kept)
        z = torch.cat([kept, (moved - t) * torch.exp(-s)], dim=1)
        log_det = log_det - s.sum(dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det


# %% noise-density-in-each-layer wrong="coupling-stack" fails="gradient,one layer,stack"
# The noise density counts once, where the walk ends, not after each layer.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        z = torch.cat(parts, dim=1)
        log_det = log_det - s.sum(dim=1)
        log_det = log_det + (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_det


# %% log-det-of-the-batch wrong="coupling-stack" fails="one layer,stack,gradient"
# Each row has a log-determinant of its own: sum over columns, not over rows.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum()
    z = torch.cat(parts, dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det


# %% negative-log-density wrong="coupling-stack" fails="one layer,stack,gradient"
# This is the NLL; the text asks for the log density.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(dim=1)
    z = torch.cat(parts, dim=1)
    return (0.5 * z**2 + 0.5 * math.log(2 * math.pi)).sum(dim=1) - log_det


# %% not-a-log wrong="coupling-stack" fails="one layer,stack,gradient"
# This is the density; the text asks for its logarithm.
def stack_log_prob(x, nets):
    parts, log_det = [x[:, ::2], x[:, 1::2]], torch.zeros(len(x), dtype=x.dtype)
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_det = log_det - s.sum(dim=1)
    z = torch.cat(parts, dim=1)
    return torch.exp((-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + log_det)


# %% no-layer-no-answer wrong="coupling-stack" fails="gradient,one layer"
# The list may be empty: then x itself is noise.
def stack_log_prob(x, nets):
    parts, log_dets = [x[:, ::2], x[:, 1::2]], []
    for k, net in enumerate(nets):
        s, t = net(parts[k % 2])
        parts[1 - k % 2] = (parts[1 - k % 2] - t) * torch.exp(-s)
        log_dets.append(-s.sum(dim=1))
    z = torch.cat(parts, dim=1)
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1) + torch.stack(log_dets).sum(0)


# %% solution.flip-sign equivalent="coupling-stack"
# `moved = slice((k - 1) % 2, None, 2)`
# k + 1 and k - 1 leave the same remainder after division by 2.


# %% by-jacobian.flip-sign equivalent="coupling-stack"
# `still = [i for i in range(len(values)) if (i - number) % 2 == 0]`
# i + number and i - number are both even or both odd.

# %% [markdown]
# ## autoregressive-draws


# %% by-fixed-point right="autoregressive-draws"
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% by-columns right="autoregressive-draws"
def sample_autoregressive(z, net):
    n, d = z.shape
    columns, log_p = [], 0.0
    for i in range(d):
        padded = torch.cat([*columns, torch.zeros(n, d - i, dtype=z.dtype)], dim=1)
        s, t = (value[:, i : i + 1] for value in net(padded))
        columns.append(t + s.exp() * z[:, i : i + 1])
        log_p = log_p + torch.distributions.Normal(t, s.exp()).log_prob(columns[-1])[:, 0]
    return torch.cat(columns, dim=1), log_p


# %% by-recursion right="autoregressive-draws"
def sample_autoregressive(z, net, known=0):
    if known == z.shape[1]:
        s, t = net(z)
        noise = (z - t) / s.exp()
        return z, torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum(1) - s.sum(1)
    s, t = net(z)
    column = (z * s.exp() + t)[:, known : known + 1]
    partly = torch.cat([z[:, :known], column, z[:, known + 1 :]], dim=1)
    return sample_autoregressive(partly, net, known + 1)


# %% by-rows right="autoregressive-draws" oracle=True
import numpy as np
from scipy import stats


def sample_autoregressive(z, net):
    # numpy, one number at a time; the density from scipy's Normal of each conditional
    rows, densities = [], []
    for noise in z.numpy():
        row = np.zeros(noise.size)
        log_p = 0.0
        for i, e in enumerate(noise):
            log_scale, location = (float(v[0, i]) for v in net(torch.from_numpy(row.copy())[None]))
            row[i] = location + np.exp(log_scale) * e
            log_p += stats.norm.logpdf(row[i], loc=location, scale=np.exp(log_scale))
        rows.append(row)
        densities.append(log_p)
    return np.array(rows), np.array(densities)


# %% by-columns.end-loop-early equivalent="autoregressive-draws"
# `s, t = (value[:, i:i + 1] for value in list(net(padded))[:5])`
# A network returns two tensors.

# %% by-rows.end-loop-early equivalent="autoregressive-draws"
# `... (float(v[0, i]) for v in list(net(torch.from_numpy(row.copy())[None]))[:5])`
# A network returns two tensors.


# %% one-pass wrong="autoregressive-draws" fails="draws,density"
# One call is not enough: a column needs the columns of x before it, which are not known yet.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(1):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% net-sees-the-noise wrong="autoregressive-draws" fails="draws,density"
# The network must be called with the columns of x, not with the noise.
def sample_autoregressive(z, net):
    s, t = net(z)
    x = z * torch.exp(s) + t
    return x, -(0.5 * z**2 + 0.5 * math.log(2 * math.pi) + s).sum(dim=1)


# %% one-pass-too-few wrong="autoregressive-draws" fails="draws"
# The last column is one step short: d columns take d steps.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1] - 1):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% data-to-noise wrong="autoregressive-draws" fails="draws,density"
# This maps data to noise; draws go the other way: solve the formula for x.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = (z - t) * torch.exp(-s)
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% scale-inverted wrong="autoregressive-draws" fails="draws,density"
# Solved for x, the noise is multiplied by the scale, not divided.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(-s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% shift-subtracted wrong="autoregressive-draws" fails="draws,density"
# Solved for x, the shift t is added.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) - t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% shift-scaled wrong="autoregressive-draws" fails="draws,density"
# Solved for x, the noise is scaled first and t added last.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = (z + t) * torch.exp(s)
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% log-det-sign wrong="autoregressive-draws" fails="density"
# A large scale spreads draws and lowers their density: the sign of the log-scales is flipped.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise + s.sum(dim=1)


# %% density-of-the-noise wrong="autoregressive-draws" fails="density"
# This is the log density of the noise; that of the draws needs the log-determinant.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise


# %% noise-density-at-x wrong="autoregressive-draws" fails="density"
# The noise density is taken at z, which belongs to x; here it is taken at x.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% constant-dropped wrong="autoregressive-draws" fails="density"
# The constant log(2 pi)/2 of each coordinate is missing.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2).sum(dim=1)
    return x, log_noise - s.sum(dim=1)


# %% only-the-last-scale wrong="autoregressive-draws" fails="density"
# The log-determinant sums the log-scales of all columns; this takes only the last.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s[:, -1]


# %% log-det-mean wrong="autoregressive-draws" fails="density"
# The log-determinant is a sum over the columns, not a mean.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, log_noise - s.mean(dim=1)


# %% summed-over-rows wrong="autoregressive-draws" fails="density"
# Return one log density for each row, not the sum over the rows.
def sample_autoregressive(z, net):
    x = z.clone()
    for _ in range(z.shape[1]):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return x, (log_noise - s.sum(dim=1)).sum()


# %% noise-overwritten wrong="autoregressive-draws" fails="draws,density"
# z itself is changed: write the draws into a new tensor.
def sample_autoregressive(z, net):
    for i in range(z.shape[1]):
        s, t = net(z)
        z[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    s, t = net(z)
    noise = (z - t) * torch.exp(-s)
    return z, -(0.5 * noise**2 + 0.5 * math.log(2 * math.pi) + s).sum(dim=1)


# %% columns-backwards wrong="autoregressive-draws" fails="draws,density"
# Column i needs the columns before it: start with column 0, not with the last.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in reversed(range(z.shape[1])):
        s, t = net(x)
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    s, t = net(x)
    return x, -(0.5 * z**2 + 0.5 * math.log(2 * math.pi) + s).sum(dim=1)


# %% scale-and-shift-swapped wrong="autoregressive-draws" fails="draws,density"
# The network returns the log-scale first and the shift second.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        t, s = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1)


# %% first-column-is-noise wrong="autoregressive-draws" fails="draws,density"
# Column 0 depends on no other column, but it is scaled and shifted too.
def sample_autoregressive(z, net):
    x, (s, t) = z.clone(), net(z)
    for i in range(1, z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1)


# %% three-passes wrong="autoregressive-draws" fails="draws,density"
# The number of passes depends on the number of columns: d columns need d.
def sample_autoregressive(z, net):
    x = z
    for _ in range(3):
        s, t = net(x)
        x = z * torch.exp(s) + t
    s, t = net(x)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1)


# %% scales-of-the-first-pass wrong="autoregressive-draws" fails="density"
# The log-scales must be those at the finished draws, not those of the first call.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(torch.zeros_like(z))
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1)


# %% scales-at-the-noise wrong="autoregressive-draws" fails="density"
# The log-scales must be those at the draws, not those at the noise.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, t = net(z)
    return x, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1)


# %% not-summed wrong="autoregressive-draws" fails="density"
# Return one log density for each row: the sum over its columns.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    return x, -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s


# %% constant-of-one-dimension wrong="autoregressive-draws" fails="density"
# Each coordinate brings its own constant log(2 pi)/2.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    return x, (-0.5 * z**2 - s).sum(dim=1) - 0.5 * math.log(2 * math.pi)


# %% not-a-log wrong="autoregressive-draws" fails="density"
# This is the density; the text asks for its logarithm.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    return x, torch.exp((-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - s).sum(dim=1))


# %% squeezed-before-the-sum wrong="autoregressive-draws" fails="density"
# squeeze() without an axis removes each axis of length one: with one column the sum adds up rows.
def sample_autoregressive(z, net):
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x = x.clone()
        x[:, i] = z[:, i] * torch.exp(s[:, i]) + t[:, i]
    s, _ = net(x)
    log_noise = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    return x, log_noise - s.squeeze().sum(-1)


# %% by-fixed-point.drop-statement equivalent="autoregressive-draws"
# `no s, t = net(x)`
# The scales of the last pass come from columns that are already exact, as far as they matter.


# %% [markdown]
# ## log-integral


# %% by-meshgrid right="log-integral"
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% by-largest-value right="log-integral"
def log_integral(log_p, low, high, n):
    low, high = (torch.tensor(corner, dtype=torch.float64) for corner in (low, high))
    i = torch.arange(n * n)
    share = (torch.stack([i // n, i % n], dim=1) + 0.5) / n
    values = log_p(low + (high - low) * share)
    top = values.max()
    return top + torch.log(torch.exp(values - top).mean()) + torch.log(high - low).sum()


# %% by-rows right="log-integral"
def log_integral(log_p, low, high, n):
    edges = [torch.linspace(a, b, n + 1, dtype=torch.float64) for a, b in zip(low, high)]
    x, y = ((e[1:] + e[:-1]) / 2 for e in edges)
    total = torch.tensor(-math.inf, dtype=torch.float64)
    for value in x:
        row = log_p(torch.stack([value.expand(n), y], dim=1)).logsumexp(0)
        total = torch.logaddexp(total, row)
    return total + math.log((edges[0][1] - edges[0][0]) * (edges[1][1] - edges[1][0]))


# %% by-numpy right="log-integral" oracle=True
import numpy as np


def log_integral(log_p, low, high, n):
    # numpy's pairwise log-add, row by row
    total = -np.inf
    for i in range(n):
        share = np.array([[2 * i + 1, 2 * j + 1] for j in range(n)]) / (2 * n)
        centre = np.asarray(low) * (1 - share) + np.asarray(high) * share
        row = log_p(torch.from_numpy(centre)).numpy()
        total = np.logaddexp(total, np.logaddexp.reduce(row))
    return total + np.log(np.prod(np.subtract(high, low))) - 2 * np.log(n)


# %% solution.end-loop-early equivalent="log-integral"
# `steps = [(b - a) / n for a, b in list(zip(low, high, strict=True))[:5]]`
# There are two sides.

# %% solution.end-loop-early equivalent="log-integral"
# `... = [a + step * middle for a, step in list(zip(low, steps, strict=True))[:5]]`
# There are two sides.

# %% by-rows.end-loop-early equivalent="log-integral"
# `... b, n + 1, dtype=torch.float64) for a, b in list(zip(low, high))[:5]]`
# There are two sides.

# %% by-rows.end-loop-early equivalent="log-integral"
# `x, y = ((e[1:] + e[:-1]) / 2 for e in list(edges)[:5])`
# There are two sides.


# %% area-forgotten wrong="log-integral" fails="square,rectangle,stability"
# The sum of the values is no integral: each value counts with the area of its cell.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0)


# %% area-of-a-side wrong="log-integral" fails="square,rectangle,stability"
# The area of a cell is the product of both sides; here only one counts.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width)


# %% area-of-a-square wrong="log-integral" fails="rectangle,stability"
# The cells of a rectangle are no squares: either side has a step of its own.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width**2)


# %% one-side-for-both wrong="log-integral" fails="rectangle,stability"
# Either coordinate has limits of its own: here the second runs over the range of the first.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% coordinates-swapped wrong="log-integral" fails="rectangle,stability"
# Column 0 of the points is coordinate 0: the columns are swapped.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2).flip(1)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% corners wrong="log-integral" fails="square,rectangle,stability"
# These are the lower corners of the cells: the text asks for the centres.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64))
    y = low[1] + height * (torch.arange(n, dtype=torch.float64))
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% ends-of-the-range wrong="log-integral" fails="square,rectangle,stability"
# linspace from end to end gives n points on the edges: the centres of n cells lie inside.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = torch.linspace(low[0], high[0], n, dtype=torch.float64)
    y = torch.linspace(low[1], high[1], n, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% exp-before-log wrong="log-integral" fails="stability"
# exp overflows or underflows here: sum in logarithms, or take the largest value out first.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return values.exp().sum().log() + math.log(width * height)


# %% epsilon-in-the-log wrong="log-integral" fails="stability"
# A small constant inside the logarithm hides the underflow instead of avoiding it.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return (values.exp().sum() + 1e-8).log() + math.log(width * height)


# %% integral-not-log wrong="log-integral" fails="square,rectangle,stability"
# This is the integral; the text asks for its logarithm.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return values.exp().sum() * width * height


# %% mean-of-the-logs wrong="log-integral" fails="square,rectangle,stability"
# A mean of log values is not the log of a mean: exponentials are added, not logarithms.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return values.sum() + math.log(width * height)


# %% log-values-integrated wrong="log-integral" fails="square,rectangle,stability"
# This integrates the log values: the integral is of their exponentials.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return (values * width * height).sum()


# %% diagonal-only wrong="log-integral" fails="square,rectangle,stability"
# These are the n cells on the diagonal: there are n times n of them.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack([x, y], dim=1)
    values = log_p(points)
    return torch.logsumexp(values, dim=0) + math.log(width * height)


# %% in-bits wrong="log-integral" fails="square,rectangle,stability"
# This is the logarithm to the base 2: the text asks for the natural one.
def log_integral(log_p, low, high, n):
    width, height = (high[0] - low[0]) / n, (high[1] - low[1]) / n
    x = low[0] + width * (torch.arange(n, dtype=torch.float64) + 0.5)
    y = low[1] + height * (torch.arange(n, dtype=torch.float64) + 0.5)
    points = torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).reshape(-1, 2)
    values = log_p(points)
    return (torch.logsumexp(values, dim=0) + math.log(width * height)) / math.log(2)


# %% upper-corners wrong="log-integral" fails="square,rectangle,stability"
# These are the upper corners of the cells: the text asks for the centres.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * torch.arange(1, n + 1, dtype=torch.float64) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) + math.log(steps[0] * steps[1])


# %% trapezoids wrong="log-integral" fails="square,rectangle,stability"
# This is the trapezoidal rule: the text asks for the value at the centre of each cell.
def log_integral(log_p, low, high, n):
    x, y = (torch.linspace(a, b, n + 1, dtype=torch.float64) for a, b in zip(low, high))
    values = log_p(torch.cartesian_prod(x, y)).reshape(n + 1, n + 1)
    top = values.max()
    rows = torch.trapezoid(torch.exp(values - top), y, dim=1)
    return top + torch.trapezoid(rows, x).log()


# %% area-of-the-rectangle wrong="log-integral" fails="square,rectangle,stability"
# Each value counts with the area of its cell, not with that of the whole rectangle.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) + math.log(steps[0] * steps[1] * n**2)


# %% area-of-a-strip wrong="log-integral" fails="square,rectangle,stability"
# There are n times n cells: the area of each is that of the rectangle over n squared.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) + math.log(steps[0] * steps[1] * n)


# %% area-subtracted wrong="log-integral" fails="square,rectangle,stability"
# In logarithms a product becomes a sum: the sign of the log area is flipped.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) - math.log(steps[0] * steps[1])


# %% area-times-log wrong="log-integral" fails="square,rectangle,stability"
# In logarithms a product becomes a sum: add the log of the area.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) * steps[0] * steps[1]


# %% high-as-a-length wrong="log-integral" fails="square,rectangle,stability"
# The second pair says where the rectangle ends, not how long its sides are.
def log_integral(log_p, low, high, n):
    steps = [b / n for b in high]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) + math.log(steps[0] * steps[1])


# %% largest-value-not-put-back wrong="log-integral" fails="square,rectangle,stability"
# What you take out before exp must come back after the logarithm.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.exp(values - values.max()).sum().log() + math.log(steps[0] * steps[1])


# %% mean-taken-out wrong="log-integral" fails="stability"
# The mean is not enough: the largest values still overflow. Take out the largest.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    top = values.mean()
    return top + torch.exp(values - top).sum().log() + math.log(steps[0] * steps[1])


# %% values-clamped wrong="log-integral" fails="stability"
# Clamping the log values avoids the overflow by changing the integral.
def log_integral(log_p, low, high, n):
    steps = [(b - a) / n for a, b in zip(low, high)]
    sides = [a + h * (torch.arange(n, dtype=torch.float64) + 0.5) for a, h in zip(low, steps)]
    values = log_p(torch.cartesian_prod(*sides))
    total = torch.exp(values.clamp(-700, 700)).sum()
    return total.log() + math.log(steps[0] * steps[1])


# %% solution.squeeze-before equivalent="log-integral"
# `return values.squeeze().logsumexp(0) + math.log(steps[0] * steps[1])`
# The sum over a single cell is its value, with or without the axis.


# %% [markdown]
# ## bits-per-dimension


# %% by-parts right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% by-logit right="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    bits = math.log2(levels)
    if alpha is None:
        return bits - log_prob(y).mean() / math.log(2) / y.shape[1]
    v = torch.special.logit(alpha + (1 - 2 * alpha) * y)
    slope = torch.nn.functional.logsigmoid(v) + torch.nn.functional.logsigmoid(-v)  # log q(1 - q)
    bits = bits - math.log2(1 - 2 * alpha) + slope.mean() / math.log(2)
    return bits - (log_prob(v) / (y.shape[1] * math.log(2))).mean()


# %% by-autograd right="bits-per-dimension" oracle=True
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    # the whole preprocessing as one function of k + u, its slope by automatic differentiation
    def preprocess(c):
        c = c / levels
        return c if alpha is None else torch.logit(alpha * (1 - c) + (1 - alpha) * c)

    start = torch.add(noise, counts).requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(preprocess(start).sum(), start)
    log2_p = (log_prob(preprocess(start.detach())) + slope.log().sum(-1)) / math.log(2)
    return -torch.mean(log2_p) / counts.size(1)


# %% not-dequantised wrong="bits-per-dimension" fails="scale,logit"
# Without the noise the data are bare integers, and no density fits those: add it.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + 0 * noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% noise-after-scaling wrong="bits-per-dimension" fails="scale,logit"
# The noise fills one grey level: add it before you divide by the number of levels.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = counts / levels + noise
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% divided-by-levels-minus-one wrong="bits-per-dimension" fails="scale,logit"
# The range of k + u is the number of levels, not one less.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / (levels - 1)
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% scale-forgotten wrong="bits-per-dimension" fails="scale,logit"
# This is the density on [0, 1]; per grey level it is lower, in each dimension.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det)
    return (nats / math.log(2) / d).mean()


# %% scale-once wrong="bits-per-dimension" fails="scale,logit"
# The division by the number of levels happens in each dimension, not once.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% scale-sign wrong="bits-per-dimension" fails="scale,logit"
# The scale has the wrong sign: on a longer axis a density is lower.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) - d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% in-nats wrong="bits-per-dimension" fails="scale,logit"
# This is in nats: the text asks for bits.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / d).mean()


# %% not-per-dimension wrong="bits-per-dimension" fails="scale,logit"
# This is in bits for each picture: divide by the number of dimensions.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2)).mean()


# %% summed-over-rows wrong="bits-per-dimension" fails="scale,logit"
# This is the sum over the pictures: the text asks for the mean.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).sum()


# %% sign-flipped wrong="bits-per-dimension" fails="scale,logit"
# Bits are a negative log density: the sign is flipped.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return -(nats / math.log(2) / d).mean()


# %% logit-jacobian-forgotten wrong="bits-per-dimension" fails="logit"
# The logit stretches the axis too: its log-determinant is missing.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = 0.0
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% logit-jacobian-sign wrong="bits-per-dimension" fails="logit"
# The log-determinant of the logit has the wrong sign: its slope is above 1.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = -(math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% squeeze-forgotten wrong="bits-per-dimension" fails="logit"
# The step from y to q has a slope as well, 1 - 2 alpha.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (-torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% slope-at-y wrong="bits-per-dimension" fails="logit"
# The slope of the logit is taken at q, where it is applied, not at y.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is not None:
        q = alpha + (1 - 2 * alpha) * seen
        y, seen = seen, torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(y * (1 - y))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% logit-never-used wrong="bits-per-dimension" fails="logit"
# With an alpha, the model sees the logit v, not y.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha is None and levels < 0:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% alpha-zero-is-none wrong="bits-per-dimension" fails="logit"
# An alpha of 0 is a number too: compare with None.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    seen = (counts + noise) / levels
    log_det = 0.0
    if alpha:
        q = alpha + (1 - 2 * alpha) * seen
        seen = torch.log(q / (1 - q))
        log_det = (math.log(1 - 2 * alpha) - torch.log(q * (1 - q))).sum(dim=1)
    nats = -(log_prob(seen) + log_det) + d * math.log(levels)
    return (nats / math.log(2) / d).mean()


# %% squeeze-once wrong="bits-per-dimension" fails="logit"
# The slope from y to q, 1 - 2 alpha, counts in each dimension, not once.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = -torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1) + math.log(1 - 2 * alpha)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% squeeze-sign wrong="bits-per-dimension" fails="logit"
# The step from y to q squeezes the axis: its log slope is below 0.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = -math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% half-a-slope wrong="bits-per-dimension" fails="logit"
# The slope of the logit has two factors, 1/q and 1/(1 - q): one is missing.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% mean-over-dimensions wrong="bits-per-dimension" fails="logit"
# The log-determinant of the logit is a sum over the dimensions, not a mean.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.mean(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% scale-forgotten-with-logit wrong="bits-per-dimension" fails="logit"
# The division by the number of levels has a slope before a logit too: it is missing there.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + (math.log2(levels) if alpha is None else 0.0)


# %% squeezed-at-one-end wrong="bits-per-dimension" fails="logit"
# q leaves out alpha at both ends: y is multiplied by 1 - 2 alpha.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - alpha) * y
        slope = math.log(1 - alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% sigmoid-for-logit wrong="bits-per-dimension" fails="logit"
# The logit stretches to the whole line; its inverse, the sigmoid, does not.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        v = torch.sigmoid(q)
        slope = math.log(1 - 2 * alpha) + torch.log(v) + torch.log(1 - v)
        log_p = log_prob(v) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% q-clamped wrong="bits-per-dimension" fails="logit"
# q is inside (0, 1) already: clamping it changes the data.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = (alpha + (1 - 2 * alpha) * y).clamp(0.05, 0.95)
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% nats-and-bits-mixed wrong="bits-per-dimension" fails="scale,logit"
# The levels come in nats here, the rest in bits.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log(levels)


# %% times-log-2 wrong="bits-per-dimension" fails="scale,logit"
# From nats to bits one divides by log 2: this multiplies.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    nats = -log_p / counts.shape[1] + math.log(levels)
    return nats.mean() * math.log(2)


# %% model-sees-the-counts wrong="bits-per-dimension" fails="scale,logit"
# The model sees y, between 0 and 1, not k + u.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y * levels) + counts.shape[1] * math.log(levels)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slope = math.log(1 - 2 * alpha) - torch.log(q) - torch.log(1 - q)
        log_p = log_prob(torch.logit(q)) + slope.sum(dim=1)
    bits = -log_p / (counts.shape[1] * math.log(2))
    return bits.mean() + math.log2(levels)


# %% squeezed-before-the-sum wrong="bits-per-dimension" fails="logit"
# squeeze() without an axis removes each axis of length one: with one pixel the sum adds up images.
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    d = counts.shape[1]
    y = (counts + noise) / levels
    if alpha is None:
        log_p = log_prob(y)
    else:
        q = alpha + (1 - 2 * alpha) * y
        slopes = math.log(1 - 2 * alpha) - q.log() - (1 - q).log()
        log_p = log_prob(q.log() - (1 - q).log()) + slopes.squeeze().sum(-1)
    return (d * math.log(levels) - log_p).mean() / (d * math.log(2))


# %% solution.swap-arguments equivalent="bits-per-dimension"
# `def bits_per_dim(noise, counts, levels, log_prob, alpha=None):`
# Counts and noise have one shape and occur only as their sum.


# %% by-parts.swap-arguments equivalent="bits-per-dimension"
# `def bits_per_dim(noise, counts, levels, log_prob, alpha=None):`
# Counts and noise have one shape and occur only as their sum.


# %% by-logit.swap-arguments equivalent="bits-per-dimension"
# `def bits_per_dim(noise, counts, levels, log_prob, alpha=None):`
# Counts and noise have one shape and occur only as their sum.


# %% by-autograd.swap-arguments equivalent="bits-per-dimension"
# `def bits_per_dim(noise, counts, levels, log_prob, alpha=None):`
# Counts and noise have one shape and occur only as their sum.


# %% by-autograd.flip-sign equivalent="bits-per-dimension"
# `... = (log_prob(preprocess(start.detach())) + slope.log().sum(1)) / math.log(2)`
# The last axis of two is axis 1.
