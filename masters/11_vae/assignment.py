# %% [markdown]
# # Assignment 11: Variational autoencoders
#
# Seven exercises in code and one in words, 35 points, about 70 minutes. You write the parts of a
# variational autoencoder in forms that the lesson did not need, and then two tools of an auditor:
# one says which latent variables can carry nothing, the other what a loss that was tuned by hand
# really assumes.
#
# All logarithms are natural, all densities keep their constants, and each text fixes the shapes.
# Anything that PyTorch, NumPy or SciPy offers may be used. Every function leaves its inputs and
# the global random generators as they are. Where an exercise names no other range, numbers are at
# most a thousand in size, what must be positive is at least a thousandth, no axis is empty or
# longer than a hundred, and nothing is infinite or `nan`. In one call, tensors of numbers are all
# float32 or all float64.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import itertools
import math

import numpy as np
import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. KL to a learned prior (5 min, 4 points)
#
# The prior of a VAE need not be the standard normal: its mean and its scale can be learned.
#
# Write `gaussian_kl(mu, log_var, prior_mu, prior_scale)`, the divergence
# $\mathrm{KL}(q \,\|\, p)$ in nats, where $q$ is Normal with mean `mu` and **log variance**
# `log_var`, and $p$ is Normal with mean `prior_mu` and **standard deviation** `prior_scale`;
# latent dimensions are independent in both.
#
# - `mu` and `log_var` are tensors of shape `(n, d)`; `prior_mu` and `prior_scale` have shape
#   `(d,)`.
# - Return a tensor of shape `(n,)`: the **sum** over latent dimensions, one value per image.
#   Gradients flow to all four inputs.
# - A nearly certain encoder is legal: for `log_var` down to −120 in float32 and −900 in float64,
#   where the variance underflows to 0, the result and its gradients are still right. `log_var` is
#   14 at most.
#
# Points: value 2, gradient 1, stability 1.


# %% exercise="gaussian-kl"
def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    """Return KL(q || p) in nats between diagonal Gaussians, one value per row."""
    ### BEGIN SOLUTION
    variance = prior_scale**2
    moment = (mu - prior_mu) ** 2 + torch.exp(log_var)  # mean square of z - prior_mu under q
    return 0.5 * (moment / variance + torch.log(variance) - log_var - 1).sum(dim=1)
    ### END SOLUTION


# %% [markdown] why="gaussian-kl"
# The mean square distance from the prior's mean has two parts, the distance of the means and the
# variance of $q$. With a learned prior the term $\log \sigma_p^2$ is no constant and has a
# gradient.

# %% checks="gaussian-kl" points=4
check = Checks("gaussian-kl")
mu = torch.tensor([[0.4, -1.0], [1.2, 0.3], [0.0, 2.0]], dtype=torch.float64)
log_var = torch.tensor([[-1.0, 0.5], [0.2, -0.7], [0.3, -2.0]], dtype=torch.float64)
prior_mu = torch.tensor([0.5, -0.2], dtype=torch.float64)
prior_scale = torch.tensor([1.5, 0.6], dtype=torch.float64)
certain = torch.full((1, 2), -120.0)
check.keeps("value", gaussian_kl, mu, log_var, prior_mu, prior_scale)
check.value("value", lambda: gaussian_kl(mu, log_var, prior_mu, prior_scale), points=2)
check.gradient("gradient", lambda m: gaussian_kl(m, log_var, prior_mu, prior_scale), mu, points=1)
check.gradient("gradient", lambda s: gaussian_kl(mu, log_var, prior_mu, s), prior_scale)
check.value("stability", lambda: gaussian_kl(mu[:1].float(), certain, *torch.ones(2, 2)), points=1)
check.report()

# %% hidden="gaussian-kl"
_t = torch.linspace(-1.7, 2.3, 12, dtype=torch.float64)
_m, _v = torch.sin(2 * _t).reshape(4, 3), (0.9 * torch.cos(3 * _t) - 0.37).reshape(4, 3)
_pm, _ps = 0.43 * _t[:3] + 0.2, torch.exp(0.61 * _t[5:8])
check.value("value", lambda: gaussian_kl(_m, _v, _pm, _ps), case="four images, three dimensions")
check.value("value", lambda: gaussian_kl(_m[:1], _v[:1], _pm, _ps), case="one image")
check.value(
    "value", lambda: gaussian_kl(_m[:, :1], _v[:, :1], _pm[:1], _ps[:1]), case="one dimension"
)
check.value(
    "value",
    lambda: gaussian_kl(17 * _m, _v + 3.1, _pm, 0.083 * _ps),
    case="means far from a narrow prior",
)
check.law(
    "value",
    "nonnegative",
    lambda: gaussian_kl(_pm[None], 2 * _ps.log()[None], _pm, _ps),
    case="small dimensions, never negative",
)
check.law(
    "value",
    "equal",
    lambda: gaussian_kl(_m, _v, _pm, _ps),
    lambda: gaussian_kl(3 * _m - 1, _v + 2 * math.log(3), 3 * _pm - 1, 3 * _ps),
    case="shifted and scaled latent variables",
)
check.gradient("gradient", lambda m: gaussian_kl(m, _v, _pm, _ps), _m, case="with respect to mu")
check.gradient(
    "gradient", lambda v: gaussian_kl(_m, v, _pm, _ps), _v, case="with respect to log_var"
)
check.gradient(
    "gradient", lambda m: gaussian_kl(_m, _v, m, _ps), _pm, case="with respect to the prior's mean"
)
check.gradient(
    "gradient",
    lambda s: gaussian_kl(_m, _v, _pm, s),
    _ps,
    case="with respect to the prior's scale",
)
check.value(
    "stability",
    lambda: gaussian_kl(_m.float(), -118.7 + _v.float(), _pm.float(), _ps.float()),
    case="log variances near -119 in float32",
)
check.value(
    "stability", lambda: gaussian_kl(_m, -890 + _v, _pm, _ps), case="log variances near -890"
)
check.value(
    "value",
    lambda: gaussian_kl(3e-3 * _m, _v - 12.3, 3e-3 * _pm, 2e-3 * _ps),
    case="a very narrow prior",
)
check.value(
    "value",
    lambda: gaussian_kl(_m.reshape(2, 6), _v.reshape(2, 6), _m[:2].flatten(), _ps.repeat(2)),
    case="six dimensions",
)
check.value(
    "value",
    lambda: gaussian_kl(931 + 1e-3 * _m, _v - 13.7, 931 + 1e-3 * _pm, 1.7e-3 * _ps),
    case="means near 900, a prior of thousandths",
)
check.value(
    "value",
    lambda: gaussian_kl(900 * _m, _v + 12.9, -700 * _pm, 431 * _ps),
    case="means far apart, a wide prior, a wide encoder",
)
check.value(
    "value",
    lambda: gaussian_kl(_m, _v - 13.1, _pm, 1.1e-3 + 0 * _ps) / 1e6,
    case="a prior of a thousandth, means apart",
)
check.value(
    "value",
    lambda: gaussian_kl(
        _m[:1].repeat(9, 17), _v[1:2].repeat(9, 17), _pm.repeat(17), _ps.repeat(17)
    ),
    case="51 dimensions, nine images",
)
check.value("value", lambda: gaussian_kl(_m[:3], _v[:3], _pm, _ps), case="three by three")
check.gradient(
    "gradient",
    lambda v: gaussian_kl(_m, v, _pm, _ps),
    _v - 8.3,
    case="with respect to log_var near -8",
)
check.gradient(
    "gradient",
    lambda m: gaussian_kl(m, _v[:2], _pm, _ps),
    torch.stack([_pm, _pm + 0.37]),
    case="with respect to mu, one image at the prior's mean",
)
check.gradient(
    "gradient",
    lambda v: gaussian_kl(_m, v, _pm, _ps) ** 2,
    12.1 * _v,
    case="with respect to log_var, from tiny to large variances",
)
check.gradient(
    "gradient",
    lambda s: gaussian_kl(_m, _v, _pm, s) ** 0.5,
    2e-3 * _ps,
    case="with respect to a narrow prior's scale",
)
check.gradient(
    "gradient",
    lambda s: gaussian_kl(_m[:1, :1], _v[:1, :1], _pm[:1], s),
    890 * _ps[:1],
    case="with respect to a wide prior's scale, one dimension",
)
check.value(
    "stability",
    lambda: gaussian_kl(_m[:2], torch.stack([_v[0], _v[1] - 897.3]), _pm, _ps),
    case="one certain image of two",
)
check.value(
    "stability",
    lambda: gaussian_kl(_m, torch.where(torch.arange(3) == 1, _v - 893.1, _v), _pm, _ps),
    case="one certain dimension of three",
)
_sure = _v - 891.7
check.gradient(
    "stability",
    lambda v: gaussian_kl(_m, v, _pm, _ps) ** 2 / 1e3,
    _sure,
    case="the gradient with respect to log_var near -890",
)
check.gradient(
    "stability",
    lambda v: gaussian_kl(_m.float(), v, _pm.float(), _ps.float()) ** 2 / 1e3,
    _v.float() - 118.7,
    case="the gradient with respect to log_var near -119 in float32",
)
check.gradient(
    "stability",
    lambda m: gaussian_kl(m, _sure[:2], _pm, _ps) ** 2 / 1e3,
    torch.stack([_pm, _pm + 0.37]),
    case="the gradient with respect to mu, one image at the prior's mean, certain",
)
check.gradient(
    "stability",
    lambda s: gaussian_kl(_m, _sure, _pm, s) ** 2 / 1e3,
    _ps,
    case="the gradient with respect to the prior's scale, log variances near -890",
)
check.value("value", lambda: gaussian_kl(_m, _v + 13.46, _pm, _ps), case="log variances near 14")
check.value(
    "value",
    lambda: gaussian_kl(900 * _m, _v + 12.9, -700 * _pm, 590 * _ps),
    case="a prior's scale of nearly a thousand",
)
check.value(
    "value",
    lambda: gaussian_kl(900 * _m, _v, -900 * _pm, 1.1e-3 + 0 * _ps) / 1e12,
    case="a prior of a thousandth, means very far apart",
)
check.value(
    "value",
    lambda: gaussian_kl(971 + 1e-3 * _m, _v - 13.7, 971 + 1e-3 * _pm, 1.03e-3 + 0 * _ps),
    case="means near a thousand, a prior of a thousandth",
)
check.value(
    "value",
    lambda: 1e3 * gaussian_kl(_pm + 0.01 * _m, 2 * _ps.log() + 0.09 * _m, _pm, _ps),
    case="nearly the prior",
)
check.value(
    "value",
    lambda: gaussian_kl(_m, _v + 13.1, _pm, 1.1e-3 + 0 * _ps) / 1e11,
    case="a prior of a thousandth, a wide encoder",
)
check.value(
    "value",
    lambda: gaussian_kl(1e-3 * _m, _v - 21.3, 1e-3 * _pm, 1.1e-3 + 0 * _ps),
    case="a prior of a thousandth, an encoder still narrower",
)
check.gradient(
    "gradient",
    lambda v: gaussian_kl(_m, v, _pm, 430 * _ps),
    _v + 13.1,
    case="with respect to log_var near 13",
)
check.gradient(
    "gradient",
    lambda m: gaussian_kl(_m[:1, :1], _v[:1, :1], m, _ps[:1]),
    _pm[:1],
    case="with respect to the prior's mean, one number",
)
check.keeps(
    "stability",
    gaussian_kl,
    *[_a.clone() for _a in (_m, _sure, _pm, _ps)],
    case="log variances near -890",
)
_tall = torch.cos(torch.arange(8000, dtype=_t.dtype) ** 2).reshape(80, 100)
check.value(
    "value",
    lambda: gaussian_kl(_tall.T, 0.7 * _tall.T - 0.31, _tall[:, 3], torch.exp(0.4 * _tall[:, 7])),
    case="a hundred images, 80 dimensions, not contiguous in memory",
)

# %% [markdown]
# ## Exercise 2. Draws that the gradient can follow (10 min, 5 points)
#
# An encoder that knows how its latent variables go together puts out a whole covariance. It does
# so through a lower-triangular factor $L$ with a positive diagonal: the covariance is $L L^\top$.
#
# Write `latent_draws(mu, tril, eps)`, which returns the pair `(z, log_q)`: draws from
# $q = \mathcal N(\mu, L L^\top)$ made from standard normal noise, and their log-densities.
#
# - `mu` has shape `(n, d)`, `tril` `(n, d, d)`, one factor per image, and the noise `eps` has
#   shape `(K, n, d)`: $K$ draws for each image. Draw no noise of your own. The factors
#   have diagonals of at least $10^{-8}$, singular values of at least $10^{-9}$ and condition
#   numbers of at most $10^4$, in float32 singular values of at least a tenth and condition numbers
#   of at most ten; `mu` and `eps` are at most ten in size.
# - Return `z` of shape `(K, n, d)`, where draw $k$ of image $i$ is made from `eps[k, i]` and
#   nothing else, and `log_q` of shape `(K, n)`, the log-density $\log q(z)$ in nats.
# - Gradients flow to `mu` and `tril` through `z`, and to `tril` through `log_q`.
#
# Points: draws 2, gradient 1, log density 2.


# %% exercise="latent-draws"
def latent_draws(mu, tril, eps):
    """Return reparametrised draws of a full Gaussian and their log densities."""
    ### BEGIN SOLUTION
    z = mu + torch.einsum("nij,knj->kni", tril, eps)
    log_det = tril.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    log_q = -0.5 * (eps**2 + math.log(2 * math.pi)).sum(dim=2) - log_det
    return z, log_q
    ### END SOLUTION


# %% [markdown] why="latent-draws"
# The noise is drawn once and does not depend on the parameters, so the gradient passes through
# mean and factor. The log-density needs no inverse: the noise is at hand, and the determinant of a
# triangle is the product of its diagonal.

# %% checks="latent-draws" points=5
check = Checks("latent-draws")
mu = torch.tensor([[0.5, -1.0], [2.0, 0.3]], dtype=torch.float64)
tril = torch.tensor([[[1.2, 0.0], [-0.7, 0.4]], [[0.3, 0.0], [0.9, 1.6]]], dtype=torch.float64)
eps = torch.tensor([[[0.3, -1.1], [0.8, 0.2]], [[-0.6, 0.5], [1.4, -0.9]]], dtype=torch.float64)
eps = torch.cat([eps, 0.5 * eps[:1]])  # (3, 2, 2)
check.keeps("draws", latent_draws, mu, tril, eps)
check.value("draws", lambda: latent_draws(mu, tril, eps)[0], points=2)
check.gradient(
    "gradient", lambda t: (eps * latent_draws(mu, t.tril(), eps)[0]).sum(), tril, points=1
)
check.value("log density", lambda: latent_draws(mu, tril, eps)[1], points=2)
check.report()

# %% hidden="latent-draws"
_t = torch.linspace(-2.1, 1.6, 36, dtype=torch.float64)
_mu = torch.cos(3 * _t[:12]).reshape(4, 3)
_raw = torch.sin(5 * _t).reshape(4, 3, 3)
_tril = _raw.tril(-1) + torch.diag_embed(torch.exp(0.83 * _raw.diagonal(dim1=1, dim2=2)))
_eps = (1.3 * torch.sin(11 * torch.cat([_t, 0.7 * _t[:24]]))).reshape(5, 4, 3)
check.value("draws", lambda: latent_draws(_mu, _tril, _eps)[0], case="five draws, four images")
check.value("draws", lambda: latent_draws(_mu[:1], _tril[:1], _eps[:, :1])[0], case="one image")
check.value(
    "draws",
    lambda: latent_draws(_mu[:, :1], _tril[:, :1, :1], _eps[:1, :, :1])[0],
    case="one dimension, one draw",
)
check.law(
    "draws",
    "equal",
    lambda: latent_draws(_mu, _tril, _eps)[0][2:3],
    lambda: latent_draws(_mu, _tril, _eps[2:3])[0],
    case="one draw against five",
)
check.gradient(
    "gradient",
    lambda m: _eps * latent_draws(m, _tril, _eps)[0] ** 2,
    _mu,
    case="with respect to mu",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu, t.tril(), _eps)[0] ** 3,
    _tril,
    case="with respect to tril",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu, t.tril(), _eps)[1],
    _tril,
    case="the log density, with respect to tril",
)
check.value(
    "log density", lambda: latent_draws(_mu, _tril, _eps)[1], case="five draws, four images"
)
check.value(
    "log density",
    lambda: latent_draws(_mu[1:2], _tril[1:2], _eps[:2, 1:2])[1],
    case="one image, two draws",
)
check.value(
    "log density",
    lambda: latent_draws(_mu, 0.0031 * _tril, 2 * _eps)[1],
    case="a small covariance",
)
check.value(
    "log density",
    lambda: latent_draws(_mu[:, :1], _tril[:, :1, :1], _eps[:, :, :1])[1],
    case="one dimension",
)
check.value(
    "log density", lambda: latent_draws(_mu, 3e-8 * _tril, _eps)[1], case="a tiny covariance"
)
_mus, _trils = _mu.repeat(2, 1) - 0.3, _tril.repeat(2, 1, 1) * 0.9
_noise = torch.cos(torch.arange(168, dtype=_t.dtype) ** 2).reshape(7, 8, 3)
check.value(
    "draws", lambda: latent_draws(_mus, _trils, _noise)[0], case="seven draws, eight images"
)
check.value(
    "log density", lambda: latent_draws(_mus, _trils, _noise)[1], case="seven draws, eight images"
)
_scales = torch.diag(1e-6 + 1e-8 * torch.arange(60, dtype=_t.dtype))[None]
_sixty = torch.cos(torch.arange(120, dtype=_t.dtype) ** 2).reshape(2, 1, 60)
check.value(
    "log density",
    lambda: latent_draws(_sixty[0], _scales, _sixty)[1],
    case="60 dimensions of some millionths",
)
_hundred = torch.cos(torch.arange(200, dtype=_t.dtype) ** 2).reshape(2, 1, 100)
check.value(
    "log density",
    lambda: latent_draws(
        _hundred[0], torch.diag(870 + 127 * _hundred[0, 0])[None], 6.3 * _hundred
    )[1],
    case="100 dimensions of hundreds",
)
check.value(
    "log density",
    lambda: latent_draws(_hundred[0], torch.diag(2e-8 + 1e-8 * _hundred[0, 0])[None], _hundred)[1],
    case="100 dimensions of billionths",
)
_steep = torch.tensor([[[0.83, 0.0, 0.0], [6.1, 0.71, 0.0], [-0.93, 2.7, 0.094]]]).double()
check.value(
    "log density",
    lambda: latent_draws(_mu[:1], _steep, _eps[:, :1])[1],
    case="latent variables that go together almost wholly",
)
check.value(
    "draws",
    lambda: latent_draws(9 * _mu, 210 * _tril, 7.6 * _eps)[0],
    case="large noise and factors",
)
check.value(
    "draws",
    lambda: (latent_draws(7 * _mu, 3e-8 * _tril, _eps)[0] - 7 * _mu) * 1e8,
    case="a tiny covariance, the draws less their mean",
)
check.value(
    "log density", lambda: latent_draws(9 * _mu, 210 * _tril, 7.6 * _eps)[1], case="large noise"
)
check.value("draws", lambda: latent_draws(_mu, _tril, _eps[:1])[0], case="one draw, four images")
check.value("log density", lambda: latent_draws(_mu, _tril, _eps[:1])[1], case="one draw")
check.value(
    "draws",
    lambda: latent_draws(_mu[:3], _tril[:3], _eps[:3, :3])[0],
    case="three draws, images and dimensions",
)
check.value(
    "log density",
    lambda: latent_draws(_mu[:3], _tril[:3], _eps[:3, :3])[1],
    case="three draws, images and dimensions",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu[:1, :1], t, _eps[:1, :1, :1])[1],
    0.37 * _tril[:1, :1, :1],
    case="the log density, one number",
)
check.gradient(
    "gradient",
    lambda t: 1e-6 * latent_draws(_mu, t.tril(), _eps)[1],
    1e-6 * _tril,
    case="the log density, a small covariance",
)
check.gradient(
    "gradient",
    lambda m: latent_draws(m, _tril[:1], _eps[:1, :1])[0] ** 3,
    _mu[:1],
    case="with respect to mu, one draw of one image",
)
check.value(
    "log density",
    lambda: latent_draws(9.7 * _mu, 3e-8 * _tril, 7.6 * _eps)[1],
    case="a tiny covariance, far means and large noise",
)
check.keeps(
    "draws", latent_draws, _mu.clone(), _tril.clone(), _eps.clone(), case="five draws, four images"
)
check.value(
    "draws", lambda: latent_draws(0 * _mu - 0.37, _tril, _eps)[0], case="the same mean everywhere"
)
check.value(
    "draws",
    lambda: latent_draws(0 * _mu, 2.4e-8 * _tril, _eps)[0] * 1e8,
    case="a tiny covariance, means of 0",
)
check.gradient(
    "gradient",
    lambda t: _eps * latent_draws(0 * _mu, t.tril(), _eps)[0],
    2.4e-8 * _tril,
    case="the draws, with respect to a tiny tril",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu, t.tril(), _eps)[0] ** 2 / 1e3,
    210 * _tril,
    case="the draws, with respect to a large tril",
)
_steeper = _steep.clone()
_steeper[0, 2, 2] = 0.0213
check.value(
    "log density",
    lambda: latent_draws(_mu[:1], _steeper, _eps[:, :1])[1],
    case="a condition number of some thousands",
)
check.gradient(
    "gradient",
    lambda m: latent_draws(m, _tril[:2, :1, :1], _eps[:2, :2, :1])[0] ** 3,
    _mu[:2, :1],
    case="with respect to mu, one dimension",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu[:1], t.tril(), _eps[:1, :1])[1],
    _tril[:1],
    case="the log density, one draw of one image",
)
_single = _mu.float(), _tril.float(), _eps.float()
check.value("draws", lambda: latent_draws(*_single)[0], case="float32")
check.value("log density", lambda: latent_draws(*_single)[1], case="float32")
_raw = torch.cos(torch.arange(147, dtype=_t.dtype) ** 2).reshape(3, 7, 7)
_seven = 0.43 * _raw.tril(-1) + torch.diag_embed(torch.exp(0.6 * _raw.diagonal(dim1=1, dim2=2)))
_many = torch.sin(torch.arange(1491, dtype=_t.dtype) ** 2).reshape(7, 3, 71).permute(2, 1, 0)
check.value(
    "draws",
    lambda: latent_draws(_raw[:, 3], _seven, _many)[0],
    case="71 draws, seven dimensions, not contiguous in memory",
)
check.value(
    "log density",
    lambda: latent_draws(_raw[:, 3], _seven, _many)[1],
    case="71 draws, seven dimensions, not contiguous in memory",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu, t.tril(), _eps[:1])[0] ** 3,
    _tril,
    case="with respect to tril, one draw",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu[:2, :1], t, _eps[:2, :2, :1])[0] ** 3,
    _tril[:2, :1, :1],
    case="with respect to tril, one dimension",
)
check.gradient(
    "gradient",
    lambda t: latent_draws(_mu, t.tril(), 0 * _eps[:2])[1],
    _tril,
    case="the log density, noise of 0",
)
check.gradient(
    "gradient",
    lambda t: 1e-8 * latent_draws(_mu, t.tril(), _eps)[1],
    3e-8 * _tril,
    case="the log density, a tiny covariance",
)


# %% [markdown]
# ## Exercise 3. The likelihood of two kinds of pixels (10 min, 5 points)
#
# A scanned form has pixels of two kinds: some are black or white, others grey. Each kind needs its
# own likelihood.
#
# Write `log_likelihood(x, out, log_scale, binary)`, which returns $\log p(x \mid z)$ in nats, the
# **sum** over pixels, one value per image.
#
# - `x` and `out` have shape `(n, D)`; `binary` is a tensor of `D` booleans. Where it is true, the
#   pixel is Bernoulli and `out` is its logit; elsewhere the pixel is Normal with mean `out` and
#   standard deviation $e^{s}$, where $s$ is `log_scale`, a 0-d tensor that is learned, from −14 to
#   14. Either kind may be absent.
# - Return a tensor of shape `(n,)`, right for logits up to ten thousand in size, such as ±800;
#   gradients flow to `out` and `log_scale`.
# - A Bernoulli has no density at grey values: if a **binary** pixel of `x` is neither 0 nor 1,
#   raise `ValueError`. The other pixels may hold any real number; they and their means are
#   at most $10^7$ in size.
#
# Points: binary 1, grey 2, gradient 1, refusal 1.


# %% exercise="mixed-pixels"
def log_likelihood(x, out, log_scale, binary):
    """Return log p(x | z) in nats for Bernoulli and Normal pixels, one value per row."""
    ### BEGIN SOLUTION
    bits, logits = x[:, binary], out[:, binary]
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError("a Bernoulli pixel must be 0 or 1")
    black = bits * logits - torch.logaddexp(logits, torch.zeros_like(logits))
    r = (x - out)[:, ~binary] / torch.exp(log_scale)
    grey = -0.5 * r**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return black.sum(dim=1) + grey.sum(dim=1)
    ### END SOLUTION


# %% [markdown] why="mixed-pixels"
# Independent pixels: their log-densities add, each kind by its own formula. A Bernoulli pixel that
# is neither 0 nor 1 has no likelihood, so it is refused rather than scored.

# %% checks="mixed-pixels" points=5
check = Checks("mixed-pixels")
x = torch.tensor([[1.0, 0.25, 0.0, 0.6], [0.0, 1.5, 1.0, 0.1]], dtype=torch.float64)
out = torch.tensor([[0.8, 0.4, -1.2, 0.3], [-0.3, 1.1, 0.6, -0.2]], dtype=torch.float64)
log_scale = torch.tensor(-0.9, dtype=torch.float64)
binary = torch.tensor([True, False, True, False])
every = torch.ones(2, dtype=torch.bool)
check.keeps("binary", log_likelihood, x[:, ::2].clone(), out[:, ::2].clone(), log_scale, every)
check.value(
    "binary", lambda: log_likelihood(x[:, [0, 2]], out[:, ::2], log_scale, every), points=1
)
check.value("binary", lambda: log_likelihood(x[:, ::2], 1000 * out[:, ::2], log_scale, every))
check.value("grey", lambda: log_likelihood(x, out, log_scale, binary & False), points=2)
check.value("grey", lambda: log_likelihood(x, out, log_scale, binary))
check.gradient("gradient", lambda s: log_likelihood(x, out, s, binary), log_scale, points=1)
check.value("refusal", lambda: log_likelihood(x, out, log_scale, ~binary), points=1)
check.value("refusal", lambda: log_likelihood(x[:1], out[:1], log_scale, ~binary))
check.report()

# %% hidden="mixed-pixels"
_t = torch.linspace(-1.9, 2.6, 15, dtype=torch.float64)
_out = (1.7 * torch.cos(4 * _t) + 0.21).reshape(3, 5)
_grey = torch.sin(7 * _t).reshape(3, 5)
_bits = (_grey > -0.2).to(_t.dtype)
_mask = torch.tensor([False, True, True, False, True])
_mix = torch.where(_mask, _bits, _grey)
_s = torch.tensor(0.37, dtype=_t.dtype)
check.value("binary", lambda: log_likelihood(_bits, _out, _s, _mask | True), case="all binary")
check.value(
    "binary",
    lambda: log_likelihood(_bits, 613 * _out, _s, _mask | True),
    case="outputs in the hundreds",
)
check.value(
    "binary",
    lambda: log_likelihood(_bits[1:2, :1], _out[1:2, :1], _s, _mask[1:2]),
    case="one image, one pixel",
)
check.law(
    "binary",
    "equal",
    lambda: log_likelihood(_bits, _out, _s, _mask | True),
    lambda: log_likelihood(1 - _bits, -_out, _s, _mask | True),
    case="black and white exchanged",
)
check.value("grey", lambda: log_likelihood(_grey, _out, _s, _mask & False), case="all grey")
check.value(
    "grey", lambda: log_likelihood(3 * _grey, _out, _s - 3.3, _mask & False), case="a small scale"
)
check.value("grey", lambda: log_likelihood(_mix, _out, _s, _mask), case="binary and grey")
check.value(
    "grey",
    lambda: log_likelihood(_mix[:1], _out[:1], _s - 2.9, _mask),
    case="one image, a small scale",
)
check.gradient(
    "gradient", lambda s: log_likelihood(_mix, _out, s, _mask), _s, case="with respect to log_s"
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_mix, o, _s - 1.13, _mask),
    _out,
    case="with respect to the outputs",
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_mix, o, _s, _mask),
    300 * _out,
    case="outputs in the hundreds",
)
check.value(
    "refusal",
    lambda: log_likelihood(_mix + 2 * ~_mask, _out, _s, _mask),
    case="a grey value in place of a bit",
)
check.value(
    "refusal",
    lambda: log_likelihood(_mix, _out, _s, _mask | True),
    case="all binary, some are not",
)
check.value(
    "refusal", lambda: log_likelihood(_mix - 1.0 * _mask, _out, _s, _mask), case="a bit of -1"
)
_late = torch.cat([_mix[:1], _mix[:1] - 0.4 * _bits[:1] * _mask])  # grey in the last image only
check.value(
    "refusal",
    lambda: log_likelihood(_late, _out[:2], _s, _mask),
    case="grey in the last image only",
)
_long = [torch.cat([_a, 0 * _a + _a.flip(0)], dim=1) for _a in (_mix, 0.8 * _out)]
check.value(
    "grey", lambda: log_likelihood(*_long, _s, torch.cat([_mask, _mask])), case="ten pixels"
)
_lone = torch.arange(5) == 3
check.value(
    "binary",
    lambda: log_likelihood(torch.where(_lone, _bits, _grey), _out, _s, _lone),
    case="one binary column, three images",
)
check.value(
    "grey",
    lambda: log_likelihood(torch.where(_lone, _grey, _bits), _out, _s, ~_lone),
    case="one grey column, three images",
)
for _extreme in (-14.0, -13.97, -7.3, 7.9, 13.93, 14.0):
    _far = _mix + math.exp(_extreme) * _out
    _far = torch.where(_mask, _far.clamp(-1e4, 1e4), _far)
    check.value(
        "grey",
        lambda e=_extreme, far=_far: log_likelihood(_mix, far, _s * 0 + e, _mask),
        case="an extreme log scale",
    )
check.value(
    "binary",
    lambda: log_likelihood(_bits, 5200 * _out, _s, _mask | True),
    case="outputs near ten thousand",
)
check.value(
    "binary",
    lambda: 1e9 * log_likelihood(_bits, (2 * _bits - 1) * (17 + _out), _s, _mask | True),
    case="pixels that are all but certain",
)
check.value(
    "binary",
    lambda: log_likelihood(0 * _bits[:1], 31 + _out[:1], _s, _mask | True),
    case="a black image, outputs near 31",
)
check.value(
    "grey",
    lambda: log_likelihood(731 + 1e-3 * _grey, 731 + 1e-3 * _out, _s - 7.4, _mask & False),
    case="grey pixels near 700 that differ by thousandths",
)
check.value(
    "grey",
    lambda: log_likelihood(-700 * _grey, 300 * _out, _s + 5.9, _mask & False),
    case="grey pixels in the hundreds, some negative",
)
check.value(
    "grey",
    lambda: log_likelihood(_grey[1:2, :1], _out[1:2, :1], _s, _mask[:1]),
    case="one image, one pixel",
)
_square = torch.where(_mask[1:4], _bits[:, 1:4], _grey[:, 1:4])
check.value(
    "grey", lambda: log_likelihood(_square, _out[:, 1:4], _s, _mask[1:4]), case="three by three"
)
_many = torch.arange(87) % 3 == 1
_page = torch.cos(torch.arange(174, dtype=_t.dtype) ** 2).reshape(2, 87)
check.value(
    "grey",
    lambda: log_likelihood(
        torch.where(_many, (_page > 0).to(_t.dtype), _page), _page.flip(1), _s, _many
    ),
    case="87 pixels",
)
for _bad in (1e-20, 1e-9, 1 - 1e-9, 3.0, 256.0, 0.47):
    _wrong = _mix.clone()
    _wrong[2, 4] = _bad
    check.value(
        "refusal",
        lambda x=_wrong: log_likelihood(x, _out, _s, _mask),
        case="the last binary pixel alone is no bit",
    )
check.value(
    "refusal",
    lambda: log_likelihood(_grey[:1, :1] * 0 + 0.37, _out[:1, :1], _s, _mask[1:2]),
    case="one image, one pixel",
)
_balance = torch.where(_mask, _bits, 0.0)
_balance[:2, 1] = torch.tensor([0.6, 1.4])
check.value(
    "refusal", lambda: log_likelihood(_balance, _out, _s, _mask), case="two that sum to a bit each"
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_mix, o, _s, _mask),
    0 * _out,
    case="with respect to outputs of 0",
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_mix, o, _s, _mask),
    5100 * _out,
    case="outputs in the thousands",
)
check.gradient(
    "gradient",
    lambda s: log_likelihood(_mix, _mix + 1e-6 * _out, s, _mask),
    _s - 14.1,
    case="with respect to a small log_s",
)
check.gradient(
    "gradient",
    lambda s: log_likelihood(_mix, _out, s, _mask),
    _s + 13.2,
    case="with respect to a large log_s",
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_bits, o, _s, _mask | True),
    _out,
    case="all binary, with respect to the outputs",
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_grey, o, _s, _mask & False),
    _out,
    case="all grey, with respect to the outputs",
)
check.gradient(
    "gradient",
    lambda o: log_likelihood(_mix, o, _s, _mask),
    torch.where(_mask, _out, _mix),
    case="grey pixels that are met exactly",
)
check.keeps(
    "grey",
    log_likelihood,
    *[_a.clone() for _a in (_mix, _out, _s, _mask)],
    case="binary and grey",
)
check.value(
    "binary",
    lambda: log_likelihood(0 * _bits[:1] + 1, _out[:1], _s, _mask | True),
    case="a white image",
)
check.value(
    "binary",
    lambda: log_likelihood(_bits.float(), _out.float(), _s.float(), _mask | True),
    case="all binary, float32",
)
check.value(
    "grey",
    lambda: log_likelihood(_mix.float(), _out.float(), _s.float(), _mask),
    case="binary and grey, float32",
)
_met = torch.where(_mask, _bits, torch.where(torch.arange(5) == 3, _out, _grey))
check.value(
    "grey", lambda: log_likelihood(_met, _out, _s, _mask), case="a grey pixel that is met exactly"
)
check.value(
    "grey",
    lambda: log_likelihood(3100 * _grey, 300 * _out, _s + 6.1, _mask & False),
    case="grey pixels in the thousands",
)
check.gradient(
    "gradient",
    lambda s: log_likelihood(_mix.float(), _out.float(), s, _mask),
    _s.float() - 0.6,
    case="with respect to log_s, float32",
)
check.gradient(
    "gradient",
    lambda s: log_likelihood(_grey, _out, s, _mask & False),
    _s - 0.6,
    case="all grey, with respect to log_s",
)
check.value(
    "grey",
    lambda: log_likelihood(700 * _grey, -450 * _out, _s - 14.3, _mask & False) / 1e18,
    case="grey pixels far from their means, a tiny scale",
)
_kinds = torch.arange(94) % 3 != 1
_roll = torch.cos(torch.arange(6674, dtype=_t.dtype) ** 2).reshape(94, 71).T
_forms = torch.where(_kinds, (_roll > 0.1).to(_t.dtype), 2 * _roll)
check.value(
    "grey",
    lambda: log_likelihood(_forms, _roll.flip(1), _s, _kinds),
    case="71 images of 94 pixels, not contiguous in memory",
)
check.value(
    "refusal",
    lambda: log_likelihood(_forms + 0.4 * (_roll == _roll[70, 93]), _roll, _s, _kinds),
    case="the last of 94 pixels in the last of 71 images",
)

# %% [markdown]
# ## Exercise 4. An ELBO without sampling (10 min, 5 points)
#
# With a linear decoder every expectation in the ELBO has a closed form, and so has $\log p(x)$:
# here an ELBO can be held against the truth.
#
# The model is $z \sim \mathcal N(0, I)$ and $x \mid z \sim \mathcal N(W z + b, \sigma^2 I)$. Write
# `linear_elbo(x, W, b, sigma, m, S)`, the exact ELBO in nats, one value per image, of the
# approximate posterior $q(z \mid x_i) = \mathcal N(m_i, S)$.
#
# - `x` has shape `(n, D)`, `W` `(D, d)`, `b` `(D,)`, `m` `(n, d)`, one mean per image, and `S`
#   `(d, d)`, a **covariance** that all images share; in general it is not diagonal. Its
#   eigenvalues are at least a millionth, in float32 at least a thousandth of the largest.
# - `sigma` is a standard deviation, a 0-d tensor. Pixels differ from `b`, and $W m_i$ from 0, by
#   at most $10^4$ times `sigma`; in float32 by at most ten times.
# - Return a tensor of shape `(n,)`, all constants kept, no sampling. Gradients flow to `W`, `m`
#   and `S`.
# - If $q$ is the exact posterior, the result is $\log p(x_i)$.
#
# Points: value 2, tight 2, gradient 1.


# %% exercise="linear-elbo"
def linear_elbo(x, W, b, sigma, m, S):
    """Return the exact ELBO in nats of a linear Gaussian model, one value per row."""
    ### BEGIN SOLUTION
    pixels, latents = W.shape
    squares = ((x - b - m @ W.T) ** 2).sum(dim=1) + torch.trace(W @ S @ W.T)
    fit = -0.5 * pixels * torch.log(2 * math.pi * sigma**2) - squares / (2 * sigma**2)
    kl = 0.5 * ((m**2).sum(dim=1) + torch.trace(S) - latents - torch.logdet(S))
    return fit - kl
    ### END SOLUTION


# %% [markdown] why="linear-elbo"
# The mean of a squared distance under $q$ is the square of the mean distance plus the trace of
# what $W$ makes of the covariance. Without that trace the bound ignores what the latent variable's
# spread costs.

# %% checks="linear-elbo" points=5
check = Checks("linear-elbo")
x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.2, -0.4]], dtype=torch.float64)
W = torch.tensor([[1.0, 0.3], [-0.5, 0.8], [0.2, 1.1]], dtype=torch.float64)
b, sigma = torch.tensor([0.1, -0.2, 0.4], dtype=torch.float64), torch.tensor(0.7).double()
m = torch.tensor([[0.2, 0.9], [0.6, -0.5]], dtype=torch.float64)
S = torch.diag(torch.tensor([0.3, 0.6], dtype=torch.float64))
exact_S = torch.linalg.inv(torch.eye(2) + W.T @ W / sigma**2)
exact_m = (x - b) @ W @ exact_S / sigma**2
cov = W @ W.T + sigma**2 * torch.eye(3)  # of x, and with it the exact log p(x)
log_p = -0.5 * (((x - b) @ torch.linalg.inv(cov) * (x - b)).sum(1) + (2 * math.pi * cov).logdet())
check.keeps("value", linear_elbo, x, W, b, sigma, m, S)
check.value("value", lambda: linear_elbo(x, W, b, sigma, m, S), points=2)
check.value("tight", lambda: linear_elbo(x, W, b, sigma, exact_m, exact_S), points=2)
check.law("tight", "equal", lambda: linear_elbo(x, W, b, sigma, exact_m, exact_S), lambda: log_p)
check.gradient("gradient", lambda W: linear_elbo(x, W, b, sigma, m, S), W, points=1)
check.report()

# %% hidden="linear-elbo"
_t = torch.linspace(-2.2, 1.9, 20, dtype=torch.float64)
_x, _W = torch.sin(3 * _t).reshape(4, 5), (0.8 * torch.cos(5 * _t[:10]) + 0.1).reshape(5, 2)
_b, _sigma = 0.3 * _t[3:8], torch.tensor(0.43, dtype=_t.dtype)
_m, _S = 0.7 * torch.cos(_t[:8]).reshape(4, 2), torch.diag(torch.exp(0.9 * _t[9:11] - 1.1))
_V = torch.linalg.inv(torch.eye(2) + _W.T @ _W / _sigma**2)
_V = (_V + _V.T) / 2  # symmetric to the last digit
_post = (_x - _b) @ _W @ _V / _sigma**2
check.value(
    "value", lambda: linear_elbo(_x, _W, _b, _sigma, _m, _S), case="four images, two dimensions"
)
check.value(
    "value", lambda: linear_elbo(_x[:1], _W, _b, 2.3 * _sigma, _m[:1], 3 * _S), case="one image"
)
check.value(
    "value",
    lambda: linear_elbo(_x, _W[:, :1], _b, _sigma, _m[:, :1], _S[:1, :1]),
    case="one dimension",
)
check.value(
    "value",
    lambda: linear_elbo(9 * _x, _W, _b, 0.1 * _sigma, _m, 0.013 * _S),
    case="little noise, large data",
)
check.value(
    "tight", lambda: linear_elbo(_x, _W, _b, _sigma, _post, _V), case="the exact posterior"
)
check.value(
    "tight",
    lambda: linear_elbo(_x, _W, _b, _sigma, _post + 0.2, 1.7 * _V),
    case="another mean and covariance",
)
check.law(
    "tight",
    "increasing",
    lambda: linear_elbo(_x, _W, _b, _sigma, _post, 0.5 * _V),
    lambda: linear_elbo(_x, _W, _b, _sigma, _post, 0.8 * _V),
    lambda: linear_elbo(_x, _W, _b, _sigma, _post, _V),
    case="nearer to the posterior",
)
check.gradient(
    "gradient", lambda W: linear_elbo(_x, W, _b, _sigma, _m, _S), _W, case="with respect to W"
)
check.gradient(
    "gradient",
    lambda m: linear_elbo(_x, _W, _b, _sigma, m, _S),
    _m,
    case="with respect to the means",
)
check.gradient(
    "gradient",
    lambda a: linear_elbo(_x, _W, _b, _sigma, _m, a * _S),
    _t[-1],
    case="with respect to a factor of S",
)
check.value(
    "value",
    lambda: linear_elbo(3e-3 * _x, 3e-3 * _W, 3e-3 * _b, 3e-3 * _sigma, _m, _S),
    case="data and noise of thousandths",
)
_eight = torch.cat([_x, 0.7 * _x - 0.2]), torch.cat([_m, 1.2 * _m])
check.value(
    "value", lambda: linear_elbo(_eight[0], _W, _b, _sigma, _eight[1], _S), case="eight images"
)
_tiny, _thread = 2e-6 * torch.eye(60, dtype=_t.dtype), torch.cos(torch.arange(180.0) ** 2).double()
check.value(
    "value",
    lambda: linear_elbo(
        _x[:, :3], _thread.reshape(3, 60), _b[:3], _sigma, _m[:, :1] + 0.01 * _thread[:60], _tiny
    ),
    case="60 dimensions, a covariance of some millionths",
)
check.value(
    "tight",
    lambda: linear_elbo(900 + _x, _W, 900 + _b, _sigma, _post, _V),
    case="data near a thousand",
)
_mix = torch.tensor([[0.9, 0.0], [-1.7, 0.34]], dtype=_t.dtype)  # a factor of S


def _change(values):  # from the first image to the others
    return values[1:] - values[0]


check.value(
    "value",
    lambda: _change(
        linear_elbo(871 + 3e-3 * _x, 2e-3 * _W, 871 + 1e-3 * _b, 2.7e-3 * _sigma, _m, _S)
    ),
    case="data near 900 that vary by thousandths",
)
check.value(
    "value",
    lambda: linear_elbo(_x, _W, _b, _sigma, _m, _mix @ _mix.T),
    case="a covariance that is not diagonal",
)
check.value(
    "value",
    lambda: linear_elbo(_x, _W, _b, _sigma, _m, 1e-4 * _mix @ _mix.T),
    case="a small covariance that is not diagonal",
)
check.value(
    "value",
    lambda: linear_elbo(_x[:, :1], _W[:1, :1], _b[:1], _sigma, _m[:, :1], 1.9 * _S[:1, :1]),
    case="one pixel, one dimension",
)
check.value(
    "value",
    lambda: linear_elbo(700 * _x, 31 * _W, -90 * _b, 870 * _sigma, 9 * _m, 290 * _S),
    case="large data, noise and covariance",
)
check.value(
    "value",
    lambda: linear_elbo(_x[:2, :2], _W[:2], _b[:2], _sigma, _m[:2], _mix @ _mix.T),
    case="two images, pixels and dimensions",
)
check.value(
    "value",
    lambda: _change(linear_elbo(_x, _W, _b, 4e-3 * _sigma, _m, 1e-5 * _S)) / 1e3,
    case="little noise, one image against another",
)
_wide = 500 + 470 * torch.cos(torch.arange(60, dtype=_t.dtype) ** 2)
check.value(
    "value",
    lambda: linear_elbo(
        _x[:, :3],
        0.01 * _thread.reshape(3, 60),
        _b[:3],
        _sigma,
        _m[:, :1] + _thread[:60],
        torch.diag(_wide),
    ),
    case="60 dimensions, a covariance of hundreds",
)
check.law(
    "value",
    "equal",
    lambda: linear_elbo(_x, _W, _b, _sigma, _m, _mix @ _mix.T),
    lambda: linear_elbo(_x, _W.flip(1), _b, _sigma, _m.flip(1), (_mix @ _mix.T).flip(0, 1)),
    case="latent variables in another order",
)
check.gradient(
    "gradient",
    lambda L: linear_elbo(_x, _W, _b, _sigma, _m, L @ L.T),
    _mix,
    case="with respect to a factor of a covariance that is not diagonal",
)
check.gradient(
    "gradient",
    lambda W: linear_elbo(_x, W, _b, _sigma, _m, _mix @ _mix.T),
    0.3 * _W,
    case="with respect to W, a covariance that is not diagonal",
)
check.gradient(
    "gradient",
    lambda L: 1e-3 * linear_elbo(_x[:1], _W, _b, _sigma, _m[:1], L @ L.T),
    8e-3 * _mix,
    case="with respect to the factor of a small covariance, one image",
)
check.gradient(
    "gradient",
    lambda m: linear_elbo(_x[:1], _W, _b, 0.02 * _sigma, m, _S),
    0 * _m[:1],
    case="with respect to means of 0, little noise",
)
check.gradient(
    "gradient",
    lambda L: linear_elbo(_x, _W, _b, _sigma, _m, L @ L.T),
    0.7 * torch.eye(len(_mix), dtype=_mix.dtype),
    case="with respect to a factor, a covariance of one size",
)
_root = torch.tensor([[0.7, 0.0, 0.0], [-0.4, 0.9, 0.0], [1.1, 0.3, 0.5]], dtype=_t.dtype)
_three = torch.cat([_W, 0.6 * _x[:1].T], dim=1), torch.cat([_m, 0.8 * _x[:, :1]], dim=1)
check.value(
    "value",
    lambda: linear_elbo(_x, _three[0], _b, _sigma, _three[1], _root @ _root.T),
    case="three dimensions, a covariance that is not diagonal",
)
check.gradient(
    "gradient",
    lambda L: linear_elbo(_x, _three[0], _b, _sigma, _three[1], L @ L.T),
    _root,
    case="with respect to a factor of a covariance in three dimensions",
)
_tall = torch.cos(torch.arange(7100, dtype=_t.dtype) ** 2).reshape(100, 71)
_twelve = torch.eye(12, dtype=_t.dtype) + 0.3 * _tall[:12, :12]
_big = _tall.T, _tall[:12].T.repeat(2, 1)[:100], _tall[:, 5], _sigma, _tall[7:19].T
check.value(
    "value",
    lambda: linear_elbo(*_big, _twelve @ _twelve.T),
    case="71 images, a hundred pixels, twelve dimensions, not contiguous in memory",
)
check.keeps("value", linear_elbo, *_big, _twelve @ _twelve.T, case="twelve dimensions")
check.value(
    "value",
    lambda: linear_elbo(
        *[_a.float() for _a in (_x, _W, _b, 2.3 * _sigma, _m)], (_mix @ _mix.T).float()
    ),
    case="float32",
)
check.value(
    "value",
    lambda: linear_elbo(700 * _x, 310 * _W, -90 * _b, 870 * _sigma, 640 * _m, 290 * _S),
    case="means in the hundreds",
)
check.value(
    "value",
    lambda: linear_elbo(
        _x, _W, _b, 2 * _sigma, 0.03 * _m, torch.eye(2, dtype=_t.dtype) + 0.02 * _mix @ _mix.T
    ),
    case="all but the prior",
)
check.value(
    "value",
    lambda: linear_elbo(_x, _W, _b, 2 * _sigma, _m, torch.eye(2, dtype=_t.dtype)),
    case="the prior's covariance",
)
check.value(
    "value",
    lambda: linear_elbo(
        1e-4 * _tall.T, 1e-4 * _big[1], 0 * _big[2], 3.1e-3 * _sigma, _big[4], _twelve @ _twelve.T
    ),
    case="a hundred pixels that are met closely",
)
check.value(
    "value",
    lambda: linear_elbo(2e-3 * _x, 2e-3 * _W, 2e-3 * _b, 2.4e-3 * _sigma, _m, 0.1 * _S),
    case="noise of a thousandth",
)
check.gradient(
    "gradient",
    lambda m: linear_elbo(_x, _W[:, :1], _b, _sigma, m, 1.9 * _S[:1, :1]),
    _m[:, :1],
    case="with respect to the means, one dimension",
)
check.gradient(
    "gradient",
    lambda S: linear_elbo(_x, _W[:, :1], _b, _sigma, _m[:, :1], S),
    1.9 * _S[:1, :1],
    case="with respect to S, one dimension",
)
check.value(
    "value",
    lambda: linear_elbo(9 * _x, 31 * _W, -90 * _b, 2250 * _sigma, _m, _S),
    case="noise of nearly a thousand",
)
check.gradient(
    "gradient",
    lambda W: linear_elbo(_b[None], W, _b, _sigma, 0 * _m[:1], _mix @ _mix.T),
    _W,
    case="with respect to W, an image that is met exactly",
)
check.gradient(
    "gradient",
    lambda W: linear_elbo(_x[:, :1], W, _b[:1], _sigma, _m, _mix @ _mix.T),
    _W[:1],
    case="with respect to W, one pixel",
)
check.gradient(
    "gradient",
    lambda W: linear_elbo(_x, W, _b, _sigma, _m, _mix @ _mix.T),
    0.83 * torch.eye(5, 2, dtype=_t.dtype),
    case="with respect to W, orthogonal columns of one length",
)

# %% [markdown]
# ## Exercise 5. The whole IWAE curve from one set of weights (10 min, 5 points)
#
# A report shows the IWAE bound for $k = 1, 2, \dots, K$ draws. Fresh draws for each $k$ would give
# a noisy curve that need not even rise. But the $K$ weights that you have hold many sets of $k$:
# average over all of them.
#
# Write `iwae(log_w, k)`: the mean, over **all subsets** of $k$ different draws out of the $K$, of
# $\log \frac1k \sum_{j \in \text{subset}} w_j$, in nats, one value per image.
#
# - `log_w` has shape `(K, n)` and holds the log weights $\log w_j$: draws along axis 0, images
#   along axis 1. $1 \le k \le K \le 7$, few enough to go through all subsets.
# - Return a tensor of shape `(n,)`, right for log weights up to ten thousand in size, such as
#   −2000. Gradients flow to `log_w`.
# - $k = K$ leaves one subset, the usual bound; $k = 1$ gives the ELBO. In between the value never
#   falls as $k$ grows.
#
# Points: bound 1, subsets 2, stability 1, gradient 1.


# %% exercise="iwae-curve"
def iwae(log_w, k):
    """Return the IWAE bound with k draws, averaged over all subsets of the given draws."""
    ### BEGIN SOLUTION
    subsets = torch.tensor(list(itertools.combinations(range(len(log_w)), k)))
    return (torch.logsumexp(log_w[subsets], dim=1) - math.log(k)).mean(dim=0)
    ### END SOLUTION


# %% [markdown] why="iwae-curve"
# Each subset of $k$ weights gives one estimate of the bound, and the average over all of them has
# the same mean and less noise than the first one. The average over draws stands inside the
# logarithm, that over subsets outside.

# %% checks="iwae-curve" points=5
check = Checks("iwae-curve")
log_w = torch.tensor([[-3.0, -9.1], [-4.2, -7.0], [-2.5, -12.0], [-6.0, -8.5]]).double()
check.keeps("bound", lambda w: iwae(w, 4), log_w)
check.value("bound", lambda: iwae(log_w, 4), points=1)
check.value("subsets", lambda: iwae(log_w, 1), points=2)
check.value("subsets", lambda: iwae(log_w, 2))
check.law("subsets", "increasing", *[lambda k=k: iwae(log_w, k) for k in (1, 2, 3, 4)])
check.value("stability", lambda: iwae(log_w - 2000, 3), points=1)
check.gradient("gradient", lambda w: iwae(w, 2), log_w, points=1)
check.report()

# %% hidden="iwae-curve"
_t = torch.linspace(-2.9, 3.3, 18, dtype=torch.float64)
_w = (4 * torch.sin(7 * _t) - 1.3 * _t).reshape(6, 3)
check.value("bound", lambda: iwae(_w, 6), case="all six weights")
check.value("bound", lambda: iwae(_w[:3], 3), case="three weights")
check.value("bound", lambda: iwae(2.2 * _w[:5, :1], 5), case="one image, five weights")
check.law(
    "bound",
    "equal",
    lambda: iwae(_w, 6),
    lambda: iwae(_w.flip(0), 6),
    case="draws in another order",
)
check.value("subsets", lambda: iwae(_w, 1), case="subsets of one")
check.value("subsets", lambda: iwae(_w, 3), case="subsets of three")
check.value("subsets", lambda: iwae(_w[:5], 2), case="subsets of two, five weights")
check.law(
    "subsets",
    "equal",
    lambda: iwae(_w, 3),
    lambda: iwae(_w.flip(0), 3),
    case="draws in another order",
)
check.law(
    "subsets", "increasing", *[lambda k=k: iwae(_w, k) for k in range(1, 7)], case="larger subsets"
)
check.value("stability", lambda: iwae(_w - 1713.7, 5), case="log weights near -1700")
check.value("stability", lambda: iwae(_w + 903.1, 2), case="log weights near 900")
check.value(
    "stability",
    lambda: iwae(torch.cat([_w[:, :1], _w[:, :1] - 4000.3], dim=1), 6),
    case="one image 4000 nats lower",
)
check.value("stability", lambda: iwae(211 * _w, 3), case="log weights in the hundreds")
check.gradient("gradient", lambda w: iwae(w, 4) ** 2, _w - 812.9, case="log weights near -800")
check.value("bound", lambda: iwae(torch.cat([_w, _w[:1] - 0.7]), 7), case="seven weights")
check.value("subsets", lambda: iwae(torch.cat([_w, _w[:1] - 0.7]), 4), case="four of seven")
check.value("stability", lambda: iwae(_w - 9100.7, 1), case="log weights near -9000")
check.value("stability", lambda: iwae(_w + 8300.1, 3), case="log weights near 8000")
_same = torch.stack([_w[0], _w[1], _w[0], _w[0], _w[3]])
_near = torch.cat([_w[:1], _w[:1] + 1e-9, _w[1:2], _w[1:2]])
check.value("bound", lambda: iwae(_w[2:3], 1), case="a single weight")
check.value("bound", lambda: iwae(_same, 5), case="equal weights")
check.value("subsets", lambda: iwae(_same, 2), case="equal weights, subsets of two")
check.value("subsets", lambda: iwae(_near, 3), case="weights that are all but equal")
check.value("subsets", lambda: iwae(_w[:2], 1), case="two weights, subsets of one")
check.value("subsets", lambda: iwae(_w[:5, 1:2], 4), case="one image, four of five")
_long = torch.cat([_w, -_w[:1] - 0.7]).repeat(1, 5) * torch.linspace(0.2, 1.7, 15).double()
for _k in (1, 2, 3, 5, 6):
    check.value("subsets", lambda k=_k: iwae(_long, k), case="of seven weights, 15 images")
_apart = _w + torch.tensor([0.0, -4700.3, 3.1, 2900.7, -9800.3, 9700.1]).double()[:, None]
for _k in (1, 2, 5, 6):
    check.value("stability", lambda k=_k: iwae(_apart, k), case="weights far apart")
check.gradient(
    "gradient", lambda w: iwae(w, 3) ** 2 / 1e3, _apart, case="the gradient, weights far apart"
)
check.gradient(
    "gradient", lambda w: iwae(w, 1) ** 2, _w - 3.1, case="the gradient, subsets of one"
)
check.gradient("gradient", lambda w: iwae(w, 5) ** 2, _same, case="the gradient, equal weights")
check.gradient(
    "gradient", lambda w: iwae(w, 7) ** 3 / 1e6, _long, case="the gradient, all seven weights"
)
check.value("stability", lambda: iwae(_w - 9900.3, 3) + 9900, case="near -9900, less the offset")
check.value("stability", lambda: iwae(_w + 9900.3, 6) - 9900, case="near 9900, less the offset")
check.keeps("bound", lambda w: iwae(w, 3), _w.clone(), case="subsets of three, six weights")
check.value("stability", lambda: iwae(_w - 9991.9, 2) + 9990, case="log weights down to -9999")
check.value("stability", lambda: iwae(_w + 9992.9, 3) - 9990, case="log weights up to 9999")
check.value("subsets", lambda: iwae(_w.float(), 3), case="subsets of three, float32")
check.value("subsets", lambda: iwae(_w[1:2].repeat(5, 1), 3), case="weights that are all the same")
check.value("subsets", lambda: iwae(_w - _w.amax(dim=0), 3), case="largest log weights of 0")
check.value("subsets", lambda: iwae(_same[:, :1], 2), case="equal weights, one image")
_tall = 5 * torch.cos(torch.arange(700, dtype=_t.dtype) ** 2).reshape(100, 7)
check.value(
    "subsets",
    lambda: iwae(_tall.T, 3),
    case="three of seven weights, a hundred images, not contiguous in memory",
)
check.gradient(
    "gradient",
    lambda w: iwae(w, 2) ** 2,
    _same,
    case="the gradient, equal weights, subsets of two",
)
check.gradient("gradient", lambda w: iwae(w, 3) ** 2, _w[:5, :1], case="the gradient, one image")
check.gradient("gradient", lambda w: iwae(w, 2) ** 2, _w.float(), case="the gradient, float32")
check.gradient("gradient", lambda w: iwae(w, 1) ** 2, _w[2:3], case="the gradient, one weight")


# %% [markdown]
# ## Exercise 6. Which latent variables can speak at all? (15 min, 5 points)
#
# Take the linear model of exercise 4, but with a standard deviation $\sigma$ that stays **fixed**.
# Let $W$ and $b$ be those of maximum likelihood for the data, with columns of $W$ that are
# orthogonal to each other, and let $q$ be the exact posterior. No training can do better.
#
# Write `unit_information(x, sigma, latents)`: for each latent variable $z_j$, the divergence
# $\mathrm{KL}(q(z_j \mid x) \,\|\, p(z_j))$ in nats, **averaged over the images** in `x`.
#
# - `x` is a float64 NumPy array of shape `(n, D)`, not centred, with $n$ and $D$ at least 2;
#   `sigma` a number of at least a thousandth and of at least $10^{-5}$ times the largest standard
#   deviation of a column of `x`; `latents` a whole number from 1 to $D$, also where $D > n$.
# - Return a NumPy array of shape `(latents,)`, the largest value first. A collapsed variable, one
#   whose column of $W$ is zero, gets exactly 0.
# - The lesson has the maximum-likelihood $W$; the covariance is that of maximum likelihood, with
#   $1/n$. Derive the average divergence on paper: little is left of it.
#
# Points: active 3, collapsed 2.


# %% exercise="unit-information"
def unit_information(x, sigma, latents):
    """Return the mean KL of each latent variable at the maximum of the likelihood, in nats."""
    ### BEGIN SOLUTION
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    largest = np.sort(spectrum)[::-1][:latents]
    return 0.5 * np.log(np.maximum(largest, sigma**2) / sigma**2)
    ### END SOLUTION


# %% [markdown] why="unit-information"
# At the maximum a column of $W$ has length $\sqrt{\lambda - \sigma^2}$, and the posterior variance
# is $\sigma^2/\lambda$. Averaged over the data, the squared means make up exactly for what that
# variance lacks of 1, and half a logarithm is left. Directions below the noise are left out.

# %% checks="unit-information" points=5
check = Checks("unit-information")
x = np.array([[2.0, 0.5, 1.0], [-1.0, 1.5, 0.2], [0.5, -1.0, 3.0], [4.0, 2.0, -0.5]])
check.keeps("active", lambda x: unit_information(x, 0.3, 3), x)
check.value("active", lambda: unit_information(x, 0.3, 2), points=3)
check.value("collapsed", lambda: unit_information(x, 1.3, 3), points=2)
check.report()

# %% hidden="unit-information"
_t = np.linspace(-2.4, 2.9, 42)
_x = (2 * np.sin(9 * _t**2) + 0.7 * _t + 1.9).reshape(7, 6)
_x = _x * np.array([1, 0.6, 2.2, 0.9, 1.4, 3.1])
check.value("active", lambda: unit_information(_x, 0.23, 4), case="seven images, six units")
check.value("active", lambda: unit_information(_x[:, :3], 0.077, 3), case="three units")
check.value(
    "active", lambda: unit_information(9.7 * _x, 1.39, 5), case="other units of measurement"
)
check.value("active", lambda: unit_information(_x[:2, :4], 0.61, 1), case="two images")
check.law(
    "active",
    "equal",
    lambda: unit_information(_x, 0.23, 2),
    lambda: unit_information(np.concatenate([_x, _x]) + 13.1, 0.23, 2),
    lambda: unit_information(-5 * _x[:, ::-1], 1.15, 2),
    case="repeated, shifted and scaled data",
)
check.value("collapsed", lambda: unit_information(_x, 1.61, 6), case="most units collapsed")
check.value("collapsed", lambda: unit_information(_x, 0.93, 6), case="some units collapsed")
check.value("collapsed", lambda: unit_information(_x[:3], 1.27, 5), case="few images")
_cross = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [0.0, -0.5]])
check.value(
    "active",
    lambda: 1000 * unit_information(_cross, 0.5**0.5 / 1.0031, 1),
    case="a variable that says little",
)
check.value(
    "active", lambda: unit_information(900 + 0.1 * _x, 0.023, 4), case="data near a thousand"
)
check.value(
    "collapsed",
    lambda: unit_information(9 * _x[:3], 3e-3, 5) + 0.1,
    case="a tiny sigma, few images",
)
check.value("active", lambda: unit_information(3e-3 * _x, 1.2e-3, 3), case="tiny data")
_long = 3 * np.cos(np.arange(96.0) ** 2).reshape(4, 24)
check.value(
    "active",
    lambda: 10 * unit_information(887 + 1e-3 * _x, 1.1e-3, 3),
    case="data near 900 that vary by thousandths",
)
check.value(
    "active", lambda: unit_information(_x[:2, :2], 0.61, 2)[:1], case="two images, two columns"
)
check.value("active", lambda: unit_information(_long, 0.37, 3), case="four images, 24 columns")
check.value("active", lambda: unit_information(_long.T, 0.37, 4), case="24 images, four columns")
check.value("active", lambda: unit_information(_x, 0.0017, 6), case="six units, little noise")
check.value(
    "active", lambda: unit_information(53 * _x, 0.0097, 2), case="large data, little noise"
)
check.value(
    "active",
    lambda: unit_information(_x[:, ::2].copy() * [130, 3, 0.02], 0.017, 3),
    case="columns of very different sizes",
)
_twins = np.array([[1.7, 0.0], [-1.7, 0.0], [0.0, 1.7], [0.0, -1.7]])
check.value(
    "active", lambda: unit_information(_twins, 0.39, 2), case="two units that say the same"
)
check.value("collapsed", lambda: unit_information(_long, 0.37, 24), case="four images, 24 units")
check.value("collapsed", lambda: unit_information(_x, 900.0, 6) + 0.1, case="noise above all data")
check.value(
    "collapsed",
    lambda: unit_information(np.column_stack([_x, 0 * _x[:, 0] + 3]), 0.0113, 7),
    case="a column that never changes",
)
check.value(
    "collapsed",
    lambda: unit_information(np.column_stack([_x[:, :2], _x[:, 0] - 2 * _x[:, 1]]), 0.0113, 3),
    case="a column that the others make up",
)
check.value(
    "collapsed",
    lambda: 1e4 * unit_information(_cross, 0.125**0.5 / 1.00041, 2)[1:],
    case="a second variable that says very little",
)
check.value(
    "collapsed",
    lambda: unit_information(_cross, 0.125**0.5 * 1.00041, 2) + [0, 0.1],
    case="a second variable just below the noise",
)
check.value(
    "collapsed",
    lambda: 1e9 * unit_information(_x, 310.0, 4),
    case="all below the noise, in parts per billion",
)
check.keeps("active", lambda x: unit_information(x, 0.37, 4), _x.copy(), case="four units of six")
check.value("active", lambda: unit_information(9 * _x, 2, 4), case="a whole number as sigma")
check.value(
    "active",
    lambda: unit_information(_x * np.linspace(0.4, 2.3, 6), 0.23, 4),
    case="other data, the same sigma",
)
check.value(
    "active",
    lambda: unit_information(np.concatenate([_x, _x[:2]]), 0.23, 4),
    case="some images twice",
)
check.value(
    "active",
    lambda: unit_information(_x[:, [0, 1, 2, 1, 3, 2]], 0.23, 4),
    case="some pixels twice",
)
check.value("active", lambda: unit_information(_x[:2], 0.61, 1), case="two images, six columns")
check.value("active", lambda: unit_information(50 * _x, 61.3, 4), case="large data, much noise")
check.value("collapsed", lambda: unit_information(_x, 1, 6), case="a whole number as sigma")
check.value(
    "collapsed", lambda: unit_information(0 * _x + 3.5, 0.0113, 4) + 0.1, case="images all alike"
)
check.value(
    "collapsed",
    lambda: 1e5 * unit_information(_cross, 0.125**0.5 / 1.000037, 2)[1:],
    case="a second variable of some hundred-thousandths of a nat",
)
check.value(
    "active",
    lambda: unit_information(_cross * [900, 0.027], 0.0066, 2),
    case="a second direction of a millionth of the first, above the noise",
)
_turn = np.array([[1.0, 2.0, 2.0], [2.0, 1.0, -2.0], [2.0, -2.0, 1.0]]) / 3
_close = np.concatenate([np.diag([1.7, 1.697, 0.4]), -np.diag([1.7, 1.697, 0.4])]) @ _turn
check.value(
    "active", lambda: unit_information(_close, 0.13, 3), case="two units that say almost the same"
)
_page = 3 * np.cos(np.arange(9700.0) ** 2).reshape(100, 97).T
check.value(
    "active",
    lambda: unit_information(_page, 0.83, 40),
    case="97 images of a hundred pixels, not contiguous in memory",
)
check.value(
    "collapsed", lambda: unit_information(_page.T, 0.83, 97), case="a hundred images of 97 pixels"
)

# %% [markdown]
# ## Exercise 7. What a hand-tuned weight assumes (5 min, 3 points)
#
# A repository trains a VAE on grey images with the loss
#
# $$\text{loss} = \text{mse} + w \cdot \text{kl},$$
#
# where mse is the squared error of the decoder's mean, averaged over the $D$ pixels of an image,
# kl is in nats, summed over the latent variables, and $w$ was tuned by hand. Up to a positive
# factor and an added constant, this is the negative ELBO of a VAE whose decoder is Normal with
# one fixed standard deviation $\sigma$ for all pixels.
#
# Write `honest_elbo(mse, kl, weight, pixels)`, which returns the pair `(sigma, elbo)`: that
# $\sigma$, and the ELBO of that model in nats per image, all constants kept.
#
# - `mse` and `kl` are NumPy arrays of float64, shape `(n,)`, one value per image, 0 at least.
#   `weight` is a number of at least a millionth; `pixels` is $D$, at most ten thousand.
# - `sigma` is a number, in units of a pixel; `elbo` has shape `(n,)`.
#
# Points: scale 1, elbo 2.


# %% exercise="weight-as-noise"
def honest_elbo(mse, kl, weight, pixels):
    """Return the noise scale that a weight on the KL stands for, and the ELBO it belongs to."""
    ### BEGIN SOLUTION
    variance = weight * pixels / 2
    fit = -0.5 * pixels * np.log(2 * np.pi * variance) - pixels * mse / (2 * variance)
    return np.sqrt(variance), fit - kl
    ### END SOLUTION


# %% [markdown] why="weight-as-noise"
# Compare the two sums up to a factor: the squared error of a Normal has $D/(2\sigma^2)$ in front,
# the KL has 1. So the weight is $2\sigma^2/D$. The ELBO of that model has a term in $\log \sigma$,
# which the hand-tuned loss never shows.

# %% checks="weight-as-noise" points=3
check = Checks("weight-as-noise")
mse, kl = np.array([0.04, 0.06, 0.03]), np.array([5.0, 7.5, 6.2])
check.keeps("scale", lambda mse, kl: honest_elbo(mse, kl, 0.002, 64), mse, kl)
check.value("scale", lambda: honest_elbo(mse, kl, 0.002, 64)[0], points=1)
check.value("elbo", lambda: honest_elbo(mse, kl, 0.002, 64)[1], points=2)
check.report()

# %% hidden="weight-as-noise"
_m, _k = 0.05 + 0.013 * np.sin(np.arange(4.0)), 6.1 + 1.9 * np.cos(np.arange(4.0))
check.value("scale", lambda: honest_elbo(_m, _k, 1.37, 9)[0], case="a weight above 1")
check.value(
    "scale", lambda: honest_elbo(_m, _k, 0.00031, 784)[0], case="a tiny weight, 784 pixels"
)
check.value("elbo", lambda: honest_elbo(_m, _k, 1.37, 9)[1], case="a weight above 1")
check.value("elbo", lambda: honest_elbo(_m, _k, 0.00031, 784)[1], case="a tiny weight, 784 pixels")
check.value("elbo", lambda: honest_elbo(_m[:1], _k[:1], 0.0071, 33)[1], case="one image")
check.value(
    "elbo", lambda: honest_elbo(3 * _m, 0 * _k, 0.043, 17)[1], case="no information in the code"
)
_six = np.append(_m, _m[:2] * 1.2), np.append(_k, _k[1:3] * 0.9)
check.value("elbo", lambda: honest_elbo(*_six, 0.83, 11)[1], case="six images")
check.value("scale", lambda: honest_elbo(_m, _k, 2e-6, 2)[0], case="a weight of two millionths")
check.value("elbo", lambda: honest_elbo(_m, _k, 2e-6, 2)[1], case="a weight of two millionths")
check.value("elbo", lambda: honest_elbo(90 * _m, _k, 2.3, 3)[1], case="errors above 1")
check.value("scale", lambda: honest_elbo(_m, _k, 970.3, 9700)[0], case="a large weight")
check.value("elbo", lambda: honest_elbo(_m, _k, 970.3, 9700)[1], case="a large weight")
check.value("scale", lambda: honest_elbo(_m, _k, 0.0143, 1)[0], case="one pixel")
check.value("elbo", lambda: honest_elbo(_m, _k, 0.0143, 1)[1], case="one pixel")
check.value("scale", lambda: honest_elbo(_m, _k, 3, 7)[0], case="a whole number as weight")
check.value("elbo", lambda: honest_elbo(_m, _k, 3, 7)[1], case="a whole number as weight")
check.value("elbo", lambda: honest_elbo(0 * _m, 0 * _k, 0.0077, 29)[1], case="nothing is lost")
check.value(
    "elbo",
    lambda: np.diff(honest_elbo(15000 * _m, 120 * _k, 1.1e-6, 9700)[1]) / 1e6,
    case="large errors, a tiny weight, one image against another",
)
check.value(
    "elbo",
    lambda: np.diff(honest_elbo(1e-3 * _m, 1e-3 * _k, 0.37, 31)[1]) * 1e3,
    case="small errors and divergences, one image against another",
)
check.value(
    "elbo",
    lambda: honest_elbo(_m[:2] * [0, 1], _k[:2] * [1, 90], 0.61, 97)[1],
    case="an image without error, another with a large divergence",
)
_week = 0.3 + 0.2 * np.sin(np.arange(71.0)), 3 + 2 * np.cos(np.arange(71.0) ** 2)
check.value("elbo", lambda: honest_elbo(*_week, 0.0271, 71)[1], case="as many images as pixels")
check.value("scale", lambda: honest_elbo(_m, _k, 1.1e-6, 1)[0], case="a tiny weight, one pixel")
check.value(
    "elbo", lambda: honest_elbo(2e-6 * _m, _k, 1.1e-6, 1)[1], case="a tiny weight, one pixel"
)
check.value("elbo", lambda: honest_elbo(_m, _k, 1, 13)[1], case="a weight of 1")
check.value(
    "elbo",
    lambda: honest_elbo(1e-4 * _m, _k, 1.1e-6, 10_000)[1],
    case="a tiny weight, ten thousand pixels, small errors",
)
check.value(
    "elbo",
    lambda: honest_elbo(0.013 * _k, 70 * _m, 1.37, 9)[1],
    case="other images, a weight above 1",
)
check.value(
    "elbo",
    lambda: honest_elbo(np.array([0.0, 2, 7]), np.array([3.0, 1, 12]), 0.43, 19)[1],
    case="errors and divergences that are whole numbers",
)
check.keeps(
    "elbo", lambda mse, kl: honest_elbo(mse, kl, 0.83, 11), *np.copy(_six), case="six images"
)
_hundred = 0.3 + 0.2 * np.sin(np.arange(100.0)), 3 + 2 * np.cos(np.arange(100.0) ** 2)
check.value("elbo", lambda: honest_elbo(*_hundred, 0.0271, 33)[1], case="a hundred images")

# %% [markdown]
# ## Exercise 8. In words: latents that are silent (5 min, 3 points)
#
# A VAE of product photographs has 32 latent variables. After training the KL of 26 of them is
# below a hundredth of a nat, and the manager has read that this is posterior collapse, "a failure
# of the optimiser, to be cured by a smaller weight on the KL". Answer in at most 120 words: a
# reason why the maximum of the likelihood itself may leave latent variables unused, how you would
# find out whether this is the case here, and what a smaller weight does to the bound. A person
# reads and grades this answer; no check runs.

# %% [markdown] written="silent-latents" points=3
# ### BEGIN SOLUTION
# A latent variable pays its KL in nats; it is used where it saves more than that in the
# likelihood. In the linear model this can be proved: directions whose variance is below the
# decoder's noise stay silent at the maximum, whatever the optimiser. With noise that is learnt and
# photographs that vary in six ways, six may be right. To find out: train from other starts, or
# from an encoder that uses all 32, and compare ELBOs (or importance-weighted bounds) on held-out
# photographs; if none is higher, nothing failed. With a weight below 1 the objective is no lower
# bound of log p(x) any more; more is encoded, and samples from the prior fit the aggregated codes
# less.
#
# **Rubric.** One point for the reason: a code costs nats, and variance below the noise does not
# repay them, as in the linear case. One point for a test: other starts or warm-ups, compared by a
# bound on held-out data. One point for the weight: the objective is then no bound on log p(x) (or:
# it stands for another noise). "Collapse is always bad" earns nothing.
# ### END SOLUTION
