# %% [markdown]
# # Assignment 03: Entropy, KL, cross-entropy, label smoothing
#
# Six exercises in code and one in words, 36 points, about 75 minutes. You write divergences that
# may be infinite, predict where two of them end, estimate one from draws, find the floor of a
# smoothed loss, mend a distillation loss, and report what a language model costs. Each exercise
# names its return value, its units and its reduction; whatever the text leaves open is yours to
# choose. Anything that PyTorch offers may be used.
#
# All tensors of real numbers are float64, unless an exercise says otherwise. Logarithms are
# natural, so results are in nats, unless bits are asked for. Every function leaves its inputs and
# the global random generators as they are. Where an exercise names no other range, numbers are at
# most a thousand in size, what must be positive is at least a thousandth, no axis is empty or
# longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch
from torch.nn import functional as F

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. A divergence that may be infinite (10 min, 5 points)
#
# Write `kl_nats(p, q)`, the divergence $\mathrm{KL}(p \,\|\, q)$ in nats of each pair of rows.
#
# - `p` and `q` are tensors of the same shape `(..., K)`, with up to three leading axes (none
#   included, and one may be empty) and $K \ge 1$. They hold probabilities, both in float64 or both
#   in float32: no entry is negative, and the last axis sums to 1. Return a tensor of the shape of
#   the leading axes, 0-d for two vectors.
# - An outcome with $p = 0$ adds nothing, whatever its $q$. An outcome with $p > 0$ and $q = 0$
#   makes the divergence infinite.
# - Entries that are not 0 may be as small as $10^{-300}$, and count.
# - Gradients with respect to `q` flow wherever the divergence is finite. An outcome with $p = 0$
#   has the gradient 0, also where its $q$ is 0.
# - If any row of `p` or of `q` sums to something that differs from 1 by more than $10^{-4}$, raise
#   `ValueError`. Rows that are off by less are used as they are.
#
# Points: value 1, zeros 2, gradient 1, refusal 1.


# %% exercise="discrete-kl"
def kl_nats(p, q):
    """Return KL(p || q) in nats over the last axis."""
    ### BEGIN SOLUTION
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("the last axis must sum to 1")
    possible = p > 0
    log_ratio = torch.where(possible, p, 1.0).log() - torch.where(possible, q, 1.0).log()
    return (p * log_ratio).sum(-1)
    ### END SOLUTION


# %% [markdown] why="discrete-kl"
# An outcome that $p$ rules out adds nothing, whatever $q$ says of it; one that only $q$ rules out
# makes the sum infinite. Where $p$ is 0 both logarithms are taken of 1 instead, so that no $0
# \cdot \infty$ arises.

# %% checks="discrete-kl" points=5
check = Checks("discrete-kl")
weather = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]], dtype=torch.float64)
forecast = torch.tensor([[0.5, 0.25, 0.25], [0.3, 0.6, 0.1]], dtype=torch.float64)
never_snow = torch.tensor([[0.4, 0.6, 0.0], [0.7, 0.3, 0.0]], dtype=torch.float64)
check.keeps("value", kl_nats, weather.clone(), forecast.clone())
check.value("value", lambda: kl_nats(weather, forecast), points=1)
check.value("zeros", lambda: kl_nats(never_snow, forecast), points=2)
check.value("zeros", lambda: kl_nats(weather, never_snow), case="a q of 0 where p is not")
check.gradient("gradient", lambda q: kl_nats(weather, q), forecast, points=1)
check.value("refusal", lambda: kl_nats(weather, 2 * forecast), points=1)
check.report()

# %% hidden="discrete-kl"
_t = torch.linspace(-1.9, 2.2, 24, dtype=torch.float64)
_p = torch.softmax(2.1 * torch.sin(5 * _t).reshape(4, 6), -1)
_q = torch.softmax(1.7 * torch.cos(3 * _t**2).reshape(4, 6), -1)
_gaps = torch.where(torch.arange(6) % 3 == 1, 0.0, _p)
_gaps = _gaps / _gaps.sum(-1, keepdim=True)
_holes = torch.where(torch.arange(6) == 4, 0.0, _q)  # p = 0 there in _gaps
_holes = _holes / _holes.sum(-1, keepdim=True)
_torn = torch.where(torch.arange(6) > 3, 0.0, _q)
_torn = _torn / _torn.sum(-1, keepdim=True)
_rare = torch.tensor([0.37, 1e-290, 0.63 - 1e-9, 1e-9], dtype=_t.dtype)
_rarer = torch.tensor([1e-240, 0.41, 0.59 - 1e-14, 1e-14], dtype=_t.dtype)
_weights = torch.cos(torch.arange(4, dtype=_t.dtype))
check.value("value", lambda: kl_nats(_p, _q), case="four rows, six outcomes")
check.value("value", lambda: kl_nats(_q[3], _p[3]), case="two vectors")
check.value("value", lambda: kl_nats(_p[:1], _q[:1]), case="a single row")
check.value("value", lambda: kl_nats(_p.reshape(2, 2, 6), _q.reshape(2, 2, 6)), case="three axes")
check.value("value", lambda: kl_nats(_p[:, None], _q[:, None]), case="an axis of length one")
check.value("value", lambda: kl_nats(_p[:0], _q[:0]), case="no rows")
_nobody = torch.zeros(0, 2, 6, dtype=_t.dtype)
check.value("value", lambda: kl_nats(_nobody, _nobody), case="no rows, three axes")
check.value("value", lambda: kl_nats(_p.float(), _q.float()), case="float32")
check.value("value", lambda: kl_nats(_rare, _rarer), case="probabilities near 1e-240")
check.value("value", lambda: kl_nats(_rarer, _rare), case="probabilities near 1e-290")
check.value(
    "value",
    lambda: kl_nats(torch.ones(3, 1, dtype=_t.dtype), torch.ones(3, 1, dtype=_t.dtype)),
    case="a single outcome",
)
check.value(
    "value", lambda: kl_nats(_p, _q * (1 + 9.98e-5)), case="rows of q off by just under 1e-4"
)
check.value(
    "value", lambda: kl_nats(_p * (1 - 9.98e-5), _q), case="rows of p off by just under 1e-4"
)
check.law("value", "nonnegative", lambda: kl_nats(_p, _q), lambda: kl_nats(_q, _p), case="rows")
check.value("zeros", lambda: kl_nats(_gaps, _q), case="outcomes with p = 0")
check.value("zeros", lambda: kl_nats(_gaps, _holes), case="q = 0 only where p = 0")
check.value("zeros", lambda: kl_nats(_gaps, _torn), case="q = 0 where p = 0, and elsewhere")
check.value(
    "zeros",
    lambda: kl_nats(_gaps, torch.cat([_holes[:2], _torn[2:]])),
    case="infinite in some rows only",
)
_hair = torch.where(torch.arange(6) == 4, 1e-280, _gaps)
check.value("zeros", lambda: kl_nats(_hair, _holes), case="q = 0 where p is 1e-280")
check.value("zeros", lambda: kl_nats(torch.eye(6, dtype=_t.dtype)[:4], _q), case="certain rows")
check.value("zeros", lambda: kl_nats(_q[:, None], _holes[:, None]), case="q = 0, three axes")
check.gradient("gradient", lambda q: kl_nats(_p, q) * _weights, _q, case="four rows")
check.gradient("gradient", lambda q: kl_nats(_gaps, q) * _weights, _q, case="outcomes with p = 0")
check.gradient("gradient", lambda q: kl_nats(_gaps, q) * _weights, _holes, case="p = 0 and q = 0")
check.gradient("gradient", lambda q: kl_nats(_p[1], q), _q[1], case="two vectors")
check.value("refusal", lambda: kl_nats(_p, 3.7 * _q), case="q not normalised")
check.value("refusal", lambda: kl_nats(_p * (1 + 3e-4), _q), case="rows of p off by 3e-4")
check.value("refusal", lambda: kl_nats(_p, _q * (1 - 3e-4)), case="rows of q off by 3e-4")
_odd = torch.ones(4, 1, dtype=_t.dtype)
_odd[2] = 1.07
check.value("refusal", lambda: kl_nats(_p, _odd * _q), case="one row of q off")
check.value("refusal", lambda: kl_nats(_odd * _p, _q), case="one row of p off")
_seesaw = torch.tensor([1.2, 0.8, 1.0, 1.0], dtype=_t.dtype)[:, None]
check.value("refusal", lambda: kl_nats(_p, _seesaw * _q), case="rows off, right on average")
check.value("refusal", lambda: kl_nats(_q[1:3], _p[1:3]), case="rows that are allowed")
_spike = torch.tensor([[1 - 1e-8, 1e-8]], dtype=_t.dtype)
_poor = torch.tensor([[1 - 1e-300, 1e-300]], dtype=_t.dtype)
check.value("value", lambda: 1e6 * kl_nats(_spike, _poor), case="rare where q is nearly 0")
_many = torch.softmax(1.9 * torch.sin(torch.arange(42, dtype=_t.dtype) ** 2).reshape(7, 6), -1)
check.value("value", lambda: kl_nats(_many, _many.flip(0)), case="seven rows")
_over, _under = 1 + 1.002e-4, 1 - 1.002e-4
check.value(
    "refusal", lambda: kl_nats(_p[0] * _over, _q[0]), case="one p, above by just over 1e-4"
)
check.value(
    "refusal", lambda: kl_nats(_p[0], _q[0] * _over), case="one q, above by just over 1e-4"
)
check.value(
    "refusal",
    lambda: kl_nats(_p * torch.tensor([1, 1, 1, _under], dtype=_t.dtype)[:, None], _q),
    case="the last p, below by just over 1e-4",
)
check.value(
    "refusal",
    lambda: kl_nats(
        _p.reshape(2, 1, 2, 6),
        _q.reshape(2, 1, 2, 6) * torch.tensor([1, _under], dtype=_t.dtype)[:, None],
    ),
    case="four axes, every second q below by just over 1e-4",
)
_crowd = torch.softmax(1.4 * torch.sin(torch.arange(10000, dtype=_t.dtype) ** 2), 0)
_crowd = _crowd.reshape(100, 100) / _crowd.reshape(100, 100).sum(1, keepdim=True)
check.value(
    "value", lambda: kl_nats(_crowd, _crowd.flip(0)), case="a hundred rows of a hundred outcomes"
)
check.value(
    "refusal",
    lambda: kl_nats(_crowd, torch.where(torch.arange(100) == 98, 1.3, 1.0)[:, None] * _crowd),
    case="the last but one of a hundred rows of q off",
)
_step = 1e-3 * (_q[:2] - _p[:2])
check.value("value", lambda: 1e6 * kl_nats(_p[:2], _p[:2] + _step), case="nearly equal rows")
check.value(
    "value", lambda: 1e3 * kl_nats(_p * (1 - 9.7e-5), _p), case="below 0, as p sums to less than 1"
)
_small = torch.tensor([1 - 1e-12, 1e-12], dtype=_t.dtype)
_least = torch.tensor([1 - 1e-300, 1e-300], dtype=_t.dtype)
check.value("value", lambda: 1e9 * kl_nats(_small, _least), case="p of 1e-12 where q is 1e-300")
check.value(
    "zeros",
    lambda: kl_nats(_least, torch.tensor([1.0, 0.0], dtype=_t.dtype)),
    case="p of 1e-300 where q is 0",
)
check.value(
    "zeros",
    lambda: kl_nats(_gaps.reshape(2, 1, 2, 6), _torn.flip(0).reshape(2, 1, 2, 6)),
    case="four axes, zeros",
)
check.gradient(
    "gradient",
    lambda u: kl_nats(torch.stack([_small, _small.flip(0)]), _least * u.exp()),
    torch.zeros(2, 2, dtype=_t.dtype),
    case="q of 1e-300, relative",
)
check.gradient(
    "gradient",
    lambda u: kl_nats(_small, _small.flip(0) * torch.cat([0 * u, u]).exp()) * 1e9,
    torch.zeros(1, dtype=_t.dtype),
    case="p of 1e-12, relative",
)
check.gradient(
    "gradient",
    lambda q: kl_nats(_gaps, torch.cat([q, _torn[2:]]))[:2] * _weights[:2],
    _holes[:2],
    case="finite rows beside infinite ones",
)
check.gradient(
    "gradient",
    lambda q: kl_nats(_gaps.reshape(2, 1, 2, 6), q)[:, 0] * _weights.reshape(2, 2),
    _holes.reshape(2, 1, 2, 6),
    case="four axes, p = 0 and q = 0",
)
check.keeps("zeros", kl_nats, _gaps.clone(), _holes.clone(), case="zeros are left as they are")
check.value("refusal", lambda: kl_nats(_p.float(), 1.0003 * _q.float()), case="float32, q off")
_trace = torch.tensor([1.0, 1e-35]), torch.tensor([1.0, 0.0])
check.value("zeros", lambda: kl_nats(*_trace), case="float32, p of 1e-35 where q is 0")
_empty = torch.zeros(2, 0, 6, dtype=_t.dtype)
check.value("value", lambda: kl_nats(_empty, _empty), case="the second axis is empty")

# %% [markdown]
# ## Exercise 2. Where the two divergences end (12 min, 6 points)
#
# A posterior over $d$ weights is the Normal $p = N(m, C)$ with a full covariance $C$. It is to be
# replaced by a Normal $q$ whose components are independent, that is, with a diagonal covariance.
# Both fits below have the mean $m$; only their variances differ. For Normals with the same mean,
#
# $$\mathrm{KL}(N(m, A) \,\|\, N(m, B)) =
#   \tfrac12 \left[\mathrm{tr}(B^{-1} A) - d + \log \det B - \log \det A\right] .$$
#
# Write `diagonal_fits(cov)`, which returns the tuple `(forward, reverse, kl_forward, kl_reverse)`:
#
# - `forward`, shape `(d,)`: the **variances** of the $q$ that has the smallest
#   $\mathrm{KL}(p \,\|\, q)$;
# - `reverse`, shape `(d,)`: the **variances** of the $q$ that has the smallest
#   $\mathrm{KL}(q \,\|\, p)$;
# - `kl_forward` and `kl_reverse`, 0-d tensors: these two smallest values, in nats.
#
# Set a derivative to zero before you write a loop: both fits have a closed form. `cov` has shape
# `(d, d)`, $d$ from 1 to 100; it is symmetric, and its eigenvalues lie between $10^{-10}$ and
# $10^{10}$, the largest at most a million times the smallest. The determinant itself may be too
# small or too large for a float. Gradients of `kl_reverse` with respect to `cov` flow.
#
# Points: forward 1, reverse 2, divergences 1, determinants 1, gradient 1.


# %% exercise="diagonal-fits"
def diagonal_fits(cov):
    """Return both diagonal fits to N(m, cov), as variances, and their divergences in nats."""
    ### BEGIN SOLUTION
    forward = cov.diagonal()
    reverse = 1 / torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * (log_det - reverse.log().sum())
    return forward.clone(), reverse, kl_forward, kl_reverse
    ### END SOLUTION


# %% [markdown] why="diagonal-fits"
# Forward KL matches moments, so it keeps the marginal variances. Reverse KL matches the diagonal
# of the precision instead, which is narrower as soon as something is correlated; in both
# divergences the traces then cancel, and only log-determinants remain.

# %% checks="diagonal-fits" points=6
check = Checks("diagonal-fits")
posterior = torch.tensor(
    [[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 0.5]], dtype=torch.float64
)
narrow = 1e-4 * torch.block_diag(*[posterior] * 30)
check.keeps("forward", diagonal_fits, posterior.clone())
check.value("forward", lambda: diagonal_fits(posterior)[0], points=1)
check.value("reverse", lambda: diagonal_fits(posterior)[1], points=2)
check.value("divergences", lambda: tuple(diagonal_fits(posterior)[2:]), points=1)
check.value("determinants", lambda: tuple(diagonal_fits(narrow)[2:]), points=1)
check.gradient("gradient", lambda s: diagonal_fits(s * posterior + s**2)[3], torch.tensor(0.8))
check.gradient(
    "gradient", lambda v: diagonal_fits(posterior + v.diag())[3], posterior[0], points=1
)
check.report()

# %% hidden="diagonal-fits"
_t = torch.linspace(-1.7, 2.3, 25, dtype=torch.float64)
_a = torch.sin(4 * _t).reshape(5, 5) + 0.6 * torch.eye(5, dtype=_t.dtype)
_c = _a @ _a.T + 0.11 * torch.eye(5, dtype=_t.dtype)
_close = torch.tensor([[1.3, 1.2999], [1.2999, 1.31]], dtype=_t.dtype)
_twins = torch.tensor([[1.3, 1.3 - 4e-6], [1.3 - 4e-6, 1.3]], dtype=_t.dtype)
_index = torch.arange(90, dtype=_t.dtype)
_chain = 0.83 ** (_index[:, None] - _index).abs() * 1.7
_units = torch.exp(0.9 * torch.cos(torch.arange(5, dtype=_t.dtype)))
check.value("forward", lambda: diagonal_fits(_c)[0], case="five weights")
check.value("forward", lambda: diagonal_fits(_c[:1, :1] * 2.9)[0], case="one weight")
check.value("forward", lambda: diagonal_fits(_close)[0], case="two that nearly coincide")
check.value("forward", lambda: diagonal_fits(3.1e5 * _c)[0], case="variances of a million")
check.value("forward", lambda: diagonal_fits(2.3e-7 * _c)[0] * 1e6, case="variances near 1e-7")
check.value("forward", lambda: diagonal_fits(_chain[:12, :12])[0], case="a chain of 12")
check.value("forward", lambda: diagonal_fits(_c.diagonal().diag())[0], case="independent")
check.value("reverse", lambda: diagonal_fits(_c)[1], case="five weights")
check.value("reverse", lambda: diagonal_fits(_c[:1, :1] * 2.9)[1], case="one weight")
check.value("reverse", lambda: diagonal_fits(_close)[1], case="two that nearly coincide")
check.value("reverse", lambda: diagonal_fits(3.1e5 * _c)[1], case="variances of a million")
check.value("reverse", lambda: diagonal_fits(2.3e-7 * _c)[1] * 1e6, case="variances near 1e-7")
check.value("reverse", lambda: diagonal_fits(_chain[:12, :12])[1], case="a chain of 12")
check.value("reverse", lambda: diagonal_fits(_c.diagonal().diag())[1], case="independent")
check.value("reverse", lambda: diagonal_fits(_twins)[1] * 1e5, case="eigenvalues far apart")
check.value("divergences", lambda: tuple(diagonal_fits(_twins)[2:]), case="eigenvalues far apart")
check.value("divergences", lambda: tuple(diagonal_fits(_c)[2:]), case="five weights")
check.value("divergences", lambda: tuple(diagonal_fits(_close)[2:]), case="two nearly coincide")
check.value("divergences", lambda: tuple(diagonal_fits(_c[1:3, 1:3])[2:]), case="two weights")
check.value("divergences", lambda: tuple(diagonal_fits(_c[:1, :1])[2:]), case="one weight")
check.law(
    "divergences",
    "equal",
    lambda: torch.stack(diagonal_fits(_c)[2:]),
    lambda: torch.stack(diagonal_fits(_units * _c * _units[:, None])[2:]),
    case="other units",
)
check.value("determinants", lambda: tuple(diagonal_fits(_chain)[2:]), case="90 in a chain")
check.value(
    "determinants",
    lambda: tuple(diagonal_fits(3e-5 * _chain)[2:]),
    case="a determinant that is too small",
)
check.value(
    "determinants",
    lambda: tuple(diagonal_fits(1.7e5 * _chain)[2:]),
    case="a determinant that is too large",
)
check.gradient(
    "gradient", lambda v: diagonal_fits(_c + v.diag())[3], 0.3 + _t[:5] ** 2, case="five weights"
)
check.gradient(
    "gradient", lambda b: diagonal_fits(b @ b.T)[3], _a + 0.3, case="with respect to a factor"
)
check.gradient(
    "gradient",
    lambda v: diagonal_fits(3e-5 * (_chain + v.diag()))[3],
    torch.sin(_index) ** 2,
    case="a determinant that is too small",
)
_small = torch.tensor([[2.3, 0.4], [0.4, 0.7]], dtype=_t.dtype)
check.value(
    "divergences", lambda: tuple(diagonal_fits(1e-9 * _small)[2:]), case="variances of 1e-9"
)
check.value("divergences", lambda: tuple(diagonal_fits(1e9 * _small)[2:]), case="variances of 1e9")
_place = torch.arange(100, dtype=_t.dtype)
_spread = torch.where(_place < 90, 4.5e-5, 0.9).sqrt()
_uneven = _spread * _spread[:, None] * 0.7 ** (_place[:, None] - _place).abs()
check.value(
    "determinants",
    lambda: tuple(diagonal_fits(_uneven)[2:]),
    case="90 small and 10 large variances",
)
_pairs = torch.eye(100, dtype=_t.dtype) + 0.3 * (_place // 2 == _place[:, None] // 2)
_faint = torch.eye(100, dtype=_t.dtype) + 0.0002 * torch.cos(_place + _place[:, None])
_tight = 0.9998 ** (_place[:, None] - _place).abs()
_edge = torch.tensor([[1.3, 1.3 - 2.601e-6], [1.3 - 2.601e-6, 1.3]], dtype=_t.dtype)
check.value(
    "forward", lambda: diagonal_fits(1.03e-10 * _pairs)[0] * 1e10, case="a hundred, near 1e-10"
)
check.value(
    "reverse", lambda: diagonal_fits(1.03e-10 * _pairs)[1] * 1e10, case="a hundred, near 1e-10"
)
check.value("forward", lambda: diagonal_fits(6.1e9 * _pairs)[0], case="a hundred, near 1e10")
check.value("reverse", lambda: diagonal_fits(6.1e9 * _pairs)[1], case="a hundred, near 1e10")
check.value(
    "determinants",
    lambda: tuple(diagonal_fits(1.03e-10 * _pairs)[2:]),
    case="a hundred, near 1e-10",
)
check.value(
    "determinants", lambda: tuple(diagonal_fits(6.1e9 * _pairs)[2:]), case="a hundred, near 1e10"
)
check.value(
    "determinants",
    lambda: torch.stack(diagonal_fits(1.2e-10 * _faint)[2:]) * 1e4,
    case="a hundred, hardly correlated, near 1e-10",
)
check.value(
    "determinants",
    lambda: tuple(diagonal_fits(1.9 * _tight)[2:]),
    case="a hundred, strongly correlated",
)
check.value("reverse", lambda: diagonal_fits(1.9 * _tight)[1] * 1e3, case="strongly correlated")
check.value("reverse", lambda: diagonal_fits(_edge)[1] * 1e5, case="eigenvalues a million apart")
check.value(
    "divergences", lambda: tuple(diagonal_fits(_edge)[2:]), case="eigenvalues a million apart"
)
_equal = torch.block_diag(_small, _small)
check.gradient(
    "gradient",
    lambda v: diagonal_fits(_equal + v.diag())[3],
    torch.full((4,), 0.53, dtype=_t.dtype),
    case="eigenvalues that are equal",
)
_wide = torch.logspace(0, 5.98, 7, dtype=_t.dtype).sqrt()
_apart = 1.4e-10 * _wide * _wide[:, None] * 0.13 ** (_place[:7, None] - _place[:7]).abs()
check.value("reverse", lambda: diagonal_fits(_apart)[1] / _wide**2 * 1e10, case="seven scales")
check.value("divergences", lambda: tuple(diagonal_fits(_apart)[2:]), case="seven scales")
check.gradient(
    "gradient",
    lambda v: diagonal_fits(3.9e9 * (_pairs + v.diag()))[3],
    0.1 + torch.sin(_place) ** 2,
    case="a hundred, near 1e10",
)
check.gradient(
    "gradient",
    lambda v: diagonal_fits(1.1e-10 * (_pairs + v.diag()))[3],
    0.1 + torch.sin(_place) ** 2,
    case="a hundred, near 1e-10",
)
check.gradient(
    "gradient",
    lambda r: diagonal_fits(
        torch.stack([torch.stack([1.9 + 0 * r, r]), torch.stack([r, 1.3 + r])])
    )[3],
    torch.tensor(0.83, dtype=_t.dtype),
    case="two weights, with respect to their covariance",
)
check.gradient(
    "gradient",
    lambda r: (
        diagonal_fits(torch.stack([torch.stack([1.3 + 0 * r, r]), torch.stack([r, 1.3 + 0 * r])]))[
            3
        ]
        * 1e-5
    ),
    _edge[0, 1],
    case="eigenvalues a million apart",
)
check.gradient(
    "gradient", lambda v: diagonal_fits(v.diag())[3], 2.7 + 0 * _t[:1], case="one weight"
)

# %% [markdown]
# ## Exercise 3. A divergence from draws (10 min, 5 points)
#
# Two language models give a log-probability to any text, and no formula gives their divergence.
# So one draws $x_1, \ldots, x_n$ from $q$ and averages. Two averages are in use, both with the
# expectation $\mathrm{KL}(q \,\|\, p)$; with $r_i = p(x_i) / q(x_i)$ their terms are
#
# $$\text{plain: } -\log r_i, \qquad \text{never negative: } (r_i - 1) - \log r_i .$$
#
# Write `kl_from_draws(log_q, log_p)`, which returns the tuple `(plain, error, positive,
# positive_error)`: each average and its **standard error**, estimated from the same draws (the
# standard deviation of the terms with $n - 1$ in its denominator, over $\sqrt n$).
#
# - `log_q` and `log_p` have shape `(n,)`, or `(n, m)` for $m$ pairs of models that are looked at
#   side by side. Entry $i$ of the first axis belongs to draw $i$, which came **from q**;
#   $n \ge 2$. Each of the four results has the shape of the remaining axes: 0-d, or `(m,)`.
# - All entries are finite, and of either sign, as the logarithms of densities are. For a pair of
#   models the largest difference is at most 300; it may be as small as $10^{-8}$, where the two
#   nearly agree, or 0. All four results are right to five digits there, too.
#
# Points: plain 1, error 1, positive 2, small gaps 1.


# %% exercise="kl-from-draws"
def kl_from_draws(log_q, log_p):
    """Return two estimates of KL(q || p) in nats, each followed by its standard error."""
    ### BEGIN SOLUTION
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(0), terms.std(0) / len(terms) ** 0.5]
    return tuple(results)
    ### END SOLUTION


# %% [markdown] why="kl-from-draws"
# The plain estimate averages $-\log r$, with $r = p/q$. Since $r - 1$ has mean 0 under $q$, adding
# it leaves the mean alone, makes every term non-negative, and takes most of the noise out where
# the two are close.

# %% checks="kl-from-draws" points=5
check = Checks("kl-from-draws")
under_q = torch.tensor([[-1.0, -2.0], [-1.5, -0.5], [-3.0, -1.2]], dtype=torch.float64)
under_p = torch.tensor([[-1.4, -1.7], [-0.8, -1.1], [-3.3, -2.2]], dtype=torch.float64)
nearly_q = under_q + torch.tensor([[3e-8], [-2e-8], [5e-8]], dtype=torch.float64)
check.keeps("plain", kl_from_draws, under_q.clone(), under_p.clone())
check.value("plain", lambda: kl_from_draws(under_q, under_p)[0], points=1)
check.value("error", lambda: kl_from_draws(under_q, under_p)[1], points=1)
check.value("positive", lambda: tuple(kl_from_draws(under_q, under_p)[2:]), points=2)
check.value("small gaps", lambda: kl_from_draws(under_q, nearly_q)[2] * 1e16, points=1)
check.report()

# %% hidden="kl-from-draws"
_t = torch.linspace(-2.1, 1.8, 27, dtype=torch.float64)
_lq = -1.3 + torch.sin(7 * _t)
_lp = -1.6 + 1.1 * torch.sin(7 * _t) + 0.7 * torch.cos(11 * _t**2)
_wide = 97.0 * torch.cos(9 * _t)
_tiny = 1e-8 * (1.3 + torch.sin(8 * _t))
_columns = _lq.reshape(9, 3), _lp.reshape(9, 3)
check.value("plain", lambda: kl_from_draws(_lq, _lp)[0], case="27 draws")
check.value("error", lambda: kl_from_draws(_lq, _lp)[1], case="27 draws")
check.value("positive", lambda: tuple(kl_from_draws(_lq, _lp)[2:]), case="27 draws")
check.value("plain", lambda: kl_from_draws(_lq[3:5], _lp[3:5])[0], case="two draws")
check.value("error", lambda: kl_from_draws(_lq[5:7], _lp[5:7])[1], case="two draws")
check.value("positive", lambda: tuple(kl_from_draws(_lq[3:5], _lp[3:5])[2:]), case="two draws")
check.value("plain", lambda: kl_from_draws(_columns[0], _columns[1])[0], case="three pairs")
check.value("error", lambda: kl_from_draws(_columns[0], _columns[1])[1], case="three pairs")
check.value(
    "positive", lambda: tuple(kl_from_draws(_columns[0], _columns[1])[2:]), case="three pairs"
)
check.value(
    "plain", lambda: kl_from_draws(_lq[:, None], _lp[:, None])[0], case="one pair, two axes"
)
check.value(
    "error", lambda: kl_from_draws(_lq[:, None], _lp[:, None])[1], case="one pair, two axes"
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_lq[:, None], _lp[:, None])[2:]),
    case="one pair, two axes",
)
check.value(
    "plain",
    lambda: kl_from_draws(_columns[0][:2], _columns[1][:2])[0],
    case="two draws of three pairs",
)
check.value(
    "error",
    lambda: kl_from_draws(_columns[0][:2], _columns[1][:2])[1],
    case="two draws of three pairs",
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_columns[0][:2], _columns[1][:2])[2:]),
    case="two draws of three pairs",
)
check.value(
    "plain", lambda: kl_from_draws(_lq - 900.0, _lp - 900.0)[0], case="log-probabilities of -900"
)
check.value(
    "error", lambda: kl_from_draws(_lq - 900.0, _lp - 900.0)[1], case="log-probabilities of -900"
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_lq - 900.0, _lp - 900.0)[2:]),
    case="log-probabilities of -900",
)
check.value("plain", lambda: kl_from_draws(_lp, _lq)[0], case="an average below zero")
check.value("plain", lambda: kl_from_draws(_lq, _wide)[0], case="differences near 100")
check.value("error", lambda: kl_from_draws(_lq, 2.9 * _wide)[1], case="differences near 300")
check.value(
    "positive",
    lambda: tuple(torch.as_tensor(v).log() for v in kl_from_draws(_lq, 2.9 * _wide)[2:]),
    case="ratios near e^280",
)
check.value(
    "positive",
    lambda: kl_from_draws(_lq, _lq - 171.3 - _lp**2)[2],
    case="draws that p hardly ever gives",
)
_alike = _lq - 203.1 - 1e-5 * torch.cos(13 * _t)
check.value(
    "error", lambda: kl_from_draws(_lq, _alike)[1] * 1e5, case="large differences, nearly alike"
)
check.law(
    "positive",
    "nonnegative",
    lambda: kl_from_draws(_lq, _lp)[2],
    lambda: kl_from_draws(_lp, _lq)[2],
    case="either order",
)
_twin = _lq + _tiny
check.value("small gaps", lambda: kl_from_draws(_lq, _twin)[0] * 1e8, case="the plain average")
check.value("small gaps", lambda: kl_from_draws(_lq, _twin)[1] * 1e8, case="its error")
check.value("small gaps", lambda: kl_from_draws(_lq, _twin)[2] * 1e16, case="the positive average")
check.value(
    "small gaps",
    lambda: kl_from_draws(_lq, _twin)[3] * 1e16,
    case="its error, which is small, too",
)
check.value(
    "small gaps",
    lambda: kl_from_draws(_lq[:, None], _lq[:, None] - 3.7 * _tiny[:, None])[2] * 1e16,
    case="one pair, two axes",
)
_wider = _lq[:21].reshape(3, 7), _lp[3:24].reshape(3, 7)
check.value("plain", lambda: kl_from_draws(*_wider)[0], case="seven pairs")
_sizes = torch.logspace(-8, 0, 61, dtype=_t.dtype)
_drift = (torch.tensor([1.31, 1.17, 1.43], dtype=_t.dtype)[:, None] * _sizes).flip(1)
_flip = _sizes.flip(0)
check.value(
    "small gaps",
    lambda: kl_from_draws(0 * _drift, _drift)[0] / _flip,
    case="the plain average, gaps of all sizes",
)
check.value(
    "small gaps",
    lambda: kl_from_draws(0 * _drift, _drift)[1] / _flip,
    case="its error, gaps of all sizes",
)
check.value(
    "small gaps",
    lambda: kl_from_draws(0 * _drift, _drift)[2] / _flip**2,
    case="the positive average, gaps of all sizes",
)
check.value(
    "small gaps",
    lambda: kl_from_draws(0 * _drift, -_drift)[2] / _flip**2,
    case="the positive average, gaps of all sizes below zero",
)
check.value(
    "small gaps",
    lambda: kl_from_draws(0 * _drift, -_drift)[3] / _flip**2,
    case="its error, gaps of all sizes below zero",
)
_many = torch.sin(torch.arange(10000, dtype=_t.dtype) ** 2).reshape(100, 100) - 1.2
check.value(
    "plain",
    lambda: kl_from_draws(_many, 1.3 * _many.T)[0],
    case="a hundred draws, a hundred pairs",
)
check.value(
    "error",
    lambda: kl_from_draws(_many, 1.3 * _many.T)[1],
    case="a hundred draws, a hundred pairs",
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_many, 1.3 * _many.T)[2:]),
    case="a hundred draws, a hundred pairs",
)
check.value(
    "error", lambda: kl_from_draws(_many[:, 0], 1.2 * _many[:, 1])[1], case="a hundred draws"
)
_ends = torch.tensor([[-700.0, -1000.0], [-1000.0, -700.0], [-998.3, -1000.0]], dtype=_t.dtype)
check.value(
    "plain", lambda: 1.0371 * kl_from_draws(_ends[:, 0], _ends[:, 1])[0], case="differences of 300"
)
check.value("error", lambda: kl_from_draws(_ends[:, 1], _ends[:, 0])[1], case="differences of 300")
check.value(
    "positive",
    lambda: tuple(torch.as_tensor(v).log() for v in kl_from_draws(_ends[:, 0], _ends[:, 1])[2:]),
    case="differences of 300",
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_ends[[0, 2], :1], _ends[[0, 2], 1:])[2:]),
    case="two draws, nothing but negative gaps",
)
_same = torch.where(torch.arange(27) % 3 == 1, _lq, _lp)
check.value("plain", lambda: kl_from_draws(_lq, _same)[0], case="some draws agree exactly")
check.value("error", lambda: kl_from_draws(_lq, _same)[1], case="some draws agree exactly")
check.value(
    "positive", lambda: tuple(kl_from_draws(_lq, _same)[2:]), case="some draws agree exactly"
)
check.value("error", lambda: kl_from_draws(_lq, _lq.clone())[1], case="all draws agree exactly")
check.value(
    "positive", lambda: tuple(kl_from_draws(_lq, _lq.clone())[2:]), case="all draws agree exactly"
)
check.keeps("positive", kl_from_draws, _lq.clone(), _same.clone(), case="draws that stay")
check.value(
    "plain",
    lambda: kl_from_draws(_many[:97].cumsum(0) / 40, _many[:97])[0],
    case="97 draws, a hundred pairs",
)
check.value(
    "positive",
    lambda: tuple(kl_from_draws(_many[:97, 0].cumsum(0) / 40, _many[:97, 0])[2:]),
    case="97 draws",
)

# %% [markdown]
# ## Exercise 4. Smoothing towards a prior (12 min, 6 points)
#
# `F.cross_entropy(..., label_smoothing=eps)` moves a share eps of each target's probability to the
# *uniform* distribution. Where classes are rare, one would rather move it to their frequencies:
# the target of an example with label $y$ is
#
# $$t = (1 - \varepsilon)\, \mathrm{onehot}(y) + \varepsilon\, \pi .$$
#
# Write `prior_smoothing(logits, y, prior, eps)`, which returns the tuple `(loss, excess)`, two 0-d
# tensors in nats:
#
# - `loss`: the **mean** over the batch of the cross-entropy of the targets $t$ with the softmax of
#   the logits;
# - `excess`: how far `loss` lies above the smallest value that *any* logits could reach on these
#   labels. (Some smallest values are only approached; the distance to them counts.)
#
# `logits` has shape `(n, K)`, finite and of any size up to $10^4$; `y` has shape `(n,)`, int64,
# and $n \ge 1$; `prior`, shape `(K,)`, sums to 1 and may hold zeros; `eps` is a Python number from
# 0 to 1, both included. Gradients of `loss` with respect to `logits` flow.
#
# With a uniform prior `loss` is what the built-in computes.
#
# Points: loss 2, excess 2, extremes 1, gradient 1.


# %% exercise="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    """Return the mean smoothed loss in nats, and its distance from the floor."""
    ### BEGIN SOLUTION
    hot = F.one_hot(y, len(prior)).to(prior.dtype)  # a float times integers is float32
    target = (1 - eps) * hot + eps * prior
    loss = F.cross_entropy(logits, target)
    floor = torch.special.entr(target).sum(1).mean()
    return loss, loss - floor
    ### END SOLUTION


# %% [markdown] why="prior-smoothing"
# Cross-entropy is entropy plus KL, so no logits come below the entropy of the targets: the excess
# is the distance from that floor, and itself a KL. `entr` is 0 at 0, where $p \log p$ would be
# `nan`.

# %% checks="prior-smoothing" points=6
check = Checks("prior-smoothing")
raw = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.5, -0.5], [1.0, 0.3, -2.0]], dtype=torch.float64)
kinds = torch.tensor([0, 1, 1])
usual = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
one_empty = torch.tensor([0.7, 0.3, 0.0], dtype=torch.float64)
check.keeps(
    "loss",
    lambda z, y, u: prior_smoothing(z, y, u, 0.2),
    raw.clone(),
    kinds.clone(),
    usual.clone(),
)
check.value("loss", lambda: prior_smoothing(raw, kinds, usual, 0.2)[0], points=2)
check.value("excess", lambda: prior_smoothing(raw, kinds, usual, 0.2)[1], points=2)
check.value("extremes", lambda: tuple(prior_smoothing(raw, kinds, one_empty, 0.2)))
check.value("extremes", lambda: tuple(prior_smoothing(450 * raw, kinds, usual, 0.2)), points=1)
check.gradient("gradient", lambda z: prior_smoothing(z, kinds, usual, 0.2)[0], raw, points=1)
check.report()

# %% hidden="prior-smoothing"
_t = torch.linspace(-2.3, 1.9, 35, dtype=torch.float64)
_z = 2.3 * torch.cos(6 * _t**2).reshape(7, 5)
_y = torch.tensor([4, 0, 1, 1, 0, 4, 1])  # nobody has class 2 or 3
_u = torch.softmax(1.3 * torch.sin(3 * _t[:5]), 0)
_even = torch.full((5,), 0.2, dtype=_t.dtype)
_none = torch.where(torch.arange(5) == 1, 0.0, _u)
_none = _none / _none.sum()
_pair = _u[:2] / _u[:2].sum()
check.value("loss", lambda: prior_smoothing(_z, _y, _u, 0.23)[0], case="seven examples")
check.value("loss", lambda: prior_smoothing(_z, _y, _even, 0.31)[0], case="a uniform prior")
check.value("loss", lambda: prior_smoothing(_z[:1], _y[:1], _u, 0.17)[0], case="one example")
check.value("loss", lambda: prior_smoothing(_z[:, :2], _y % 2, _pair, 0.43)[0], case="two classes")
check.value("loss", lambda: prior_smoothing(_z, _y, _u, 0.999)[0], case="nearly all smoothed")
check.value("loss", lambda: prior_smoothing(_z, _y, _u, 0.0031)[0], case="a small eps")
check.value("excess", lambda: prior_smoothing(_z, _y, _u, 0.23)[1], case="seven examples")
check.value("excess", lambda: prior_smoothing(_z, _y, _even, 0.31)[1], case="a uniform prior")
check.value("excess", lambda: prior_smoothing(_z[:1], _y[:1], _u, 0.17)[1], case="one example")
check.value(
    "excess", lambda: prior_smoothing(_z[:, 2:4], _y % 2, _pair, 0.43)[1], case="two classes"
)
check.value("excess", lambda: prior_smoothing(_z, _y, _u, 0.999)[1], case="nearly all smoothed")
check.value("excess", lambda: prior_smoothing(_z, _y, _u, 0.0031)[1], case="a small eps")
check.law(
    "loss",
    "equal",
    lambda: prior_smoothing(_z, _y, _u, 0.23)[0],
    lambda: prior_smoothing(_z.repeat(2, 1), _y.repeat(2), _u, 0.23)[0],
    lambda: prior_smoothing(_z + 3.9, _y, _u, 0.23)[0],
    case="the batch twice, shifted logits",
)
_best = (0.77 * F.one_hot(_y, 5).double() + 0.23 * _u).log()
check.value(
    "excess", lambda: prior_smoothing(_best, _y, _u, 0.23)[1] + 0.0371, case="at the floor"
)
check.value(
    "excess", lambda: prior_smoothing(_best + 0.2 * _z, _y, _u, 0.23)[1], case="near the floor"
)
check.value("extremes", lambda: tuple(prior_smoothing(_z, _y, _u, 0)), case="eps 0")
check.value("extremes", lambda: tuple(prior_smoothing(_z, _y, _u, 1)), case="eps 1")
check.value("extremes", lambda: tuple(prior_smoothing(_z, _y, _none, 0.27)), case="a prior with 0")
check.value("extremes", lambda: tuple(prior_smoothing(_z, _y, _none, 1.0)), case="eps 1, a 0")
check.value(
    "extremes", lambda: tuple(prior_smoothing(397 * _z, _y, _u, 0.23)), case="logits of 900"
)
check.value(
    "extremes", lambda: tuple(prior_smoothing(4127 * _z, _y, _none, 0.0)), case="logits near 1e4"
)
check.gradient(
    "gradient", lambda z: prior_smoothing(z, _y, _u, 0.23)[0], _z, case="seven examples"
)
check.gradient("gradient", lambda z: prior_smoothing(z, _y, _none, 0.0)[0], _z, case="eps 0")
check.gradient(
    "gradient", lambda z: prior_smoothing(z, _y, _u, 0.23)[0], 397 * _z, case="logits of 900"
)
check.gradient("gradient", lambda z: prior_smoothing(z, _y[:1], _u, 1.0)[0], _z[:1], case="eps 1")
_seven = torch.softmax(0.9 * torch.cos(torch.arange(7, dtype=_t.dtype) ** 2), 0)
_zs, _ys = _z.reshape(5, 7) * 0.8, torch.tensor([6, 0, 3, 5, 6])
check.value("loss", lambda: prior_smoothing(_zs, _ys, _seven, 0.31)[0], case="seven classes")
check.value("excess", lambda: prior_smoothing(_zs, _ys, _seven, 0.31)[1], case="seven classes")
check.keeps(
    "extremes",
    lambda *given: prior_smoothing(*given, 0.23),
    _z.clone(),
    _y.clone(),
    torch.where(torch.arange(5) == 1, 0.0, _none),
    case="a prior with a zero is left alone",
)
_scarce = torch.tensor([0.001, 0.4, 0.002, 0.597, 0.0], dtype=_t.dtype)
_hot = F.one_hot(_y, 5).double()
check.value(
    "excess",
    lambda: prior_smoothing((0.999 * _hot + 0.001 * _u).log() + 1e-2 * _z, _y, _u, 0.001)[1] * 1e6,
    case="near the floor, eps 0.001",
)
check.value(
    "excess",
    lambda: (
        prior_smoothing(
            ((0.999 * _hot + 0.001 * _scarce).clamp(min=1e-30)).log() + 1e-2 * _z,
            _y,
            _scarce,
            0.001,
        )[1]
        * 1e6
    ),
    case="near the floor, rare classes, eps 0.001",
)
check.value(
    "excess",
    lambda: prior_smoothing((0.31 * _hot + 0.69 * _u).log() + 1e-3 * _z, _y, _u, 0.69)[1] * 1e6,
    case="hardly above the floor",
)
_far = torch.tensor([[0.0, -1e4, -1e4, 1e4, 1e4], [-1e4, 1e4, 0.0, -1e4, 1e4]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: tuple(prior_smoothing(_far, torch.tensor([3, 1]), _scarce, 0.001)),
    case="logits of 1e4, rare classes, eps 0.001",
)
check.value(
    "extremes",
    lambda: tuple(prior_smoothing(_far, torch.tensor([4, 4]), _scarce, 0.9992)),
    case="logits of 1e4, labels that the prior excludes",
)
check.value(
    "loss", lambda: prior_smoothing(0.1 * _far, _y[:2], _scarce, 0.0013)[0], case="rare classes"
)
_lot = 1.3 * torch.sin(torch.arange(9500, dtype=_t.dtype) ** 2).reshape(100, 95)
_rest = torch.softmax(torch.cos(torch.arange(95, dtype=_t.dtype) ** 2), 0)
_labels = torch.arange(100) ** 2 % 95
check.value(
    "loss", lambda: prior_smoothing(_lot, _labels, _rest, 0.37)[0], case="a hundred examples"
)
check.value(
    "excess", lambda: prior_smoothing(_lot, _labels, _rest, 0.37)[1], case="a hundred examples"
)
check.value(
    "extremes",
    lambda: tuple(prior_smoothing(_z[:3, :1], 0 * _y[:3], torch.ones(1).double(), 0.3)),
    case="a single class",
)
check.gradient(
    "gradient",
    lambda z: prior_smoothing(z, _y[:2], _scarce, 0.23)[0],
    0.99 * _far,
    case="logits near 1e4, a prior with 0",
)
check.gradient(
    "gradient", lambda z: prior_smoothing(z, _y, _none, 1)[0], _z, case="eps 1, a prior with 0"
)
check.gradient(
    "gradient",
    lambda z: prior_smoothing(z, _labels, _rest, 0.37)[0] * 100,
    _lot,
    case="a hundred examples",
)
check.value("loss", lambda: prior_smoothing(_lot[:97], _labels[:97], _rest, 0.37)[0], case="97")
check.value("excess", lambda: prior_smoothing(_lot[:97], _labels[:97], _rest, 0.37)[1], case="97")
check.value(
    "extremes", lambda: tuple(prior_smoothing(4127 * _z, _y, _u, 7e-5)), case="eps of 7e-5"
)
check.value(
    "extremes", lambda: tuple(prior_smoothing(4127 * _z, _y, _u, 1 - 7e-5)), case="eps next to 1"
)

# %% [markdown]
# ## Exercise 5. Mend a distillation loss (12 min, 6 points)
#
# A small network, the student, learns from a large one, the teacher. This is meant to be the loss;
# it runs, it falls during training, and it is wrong in more than one place:
#
# ```python
# def distillation_loss(student, teacher, y, T, alpha):
#     hard = F.cross_entropy(student, y)
#     soft = F.kl_div(F.softmax(teacher / T, 1), F.log_softmax(student / T, 1))
#     return (1 - alpha) * hard + alpha * soft
# ```
#
# It should return, as a 0-d tensor in nats,
#
# $$(1 - \alpha)\, \overline{\mathrm{CE}(y, \text{student})} +
#   \alpha\, T^2\; \overline{\mathrm{KL}(\text{teacher}_T \,\|\, \text{student}_T)} ,$$
#
# where the index $T$ says: softmax of the logits divided by $T$, and a bar is a **mean over
# examples**. Write it anew:
#
# - `student` and `teacher` are logits of shape `(n, K)`, finite and of any size up to $10^4$; `y`
#   has shape `(n,)`, int64; $n \ge 1$; `T` is a Python number from 0.1 to 100, `alpha` one from 0
#   to 1.
# - Some images have no label: there `y` is −100. They count in the second mean (over all $n$), and
#   not in the first (over those with a label). If no image has a label, the first mean is 0.
# - Gradients with respect to `student` flow. None may reach `teacher`, even where it asks for one.
#
# Points: value 2, unlabelled 1, teacher 1, extremes 1, gradient 1.


# %% exercise="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    """Return the distillation loss in nats, a mean over examples."""
    ### BEGIN SOLUTION
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft
    ### END SOLUTION


# %% [markdown] why="distillation"
# `kl_div` takes the *second* distribution first, in logarithms, and averages over all entries
# unless told `batchmean`. $T^2$ makes up for the gradient that dividing by $T$ shrinks, `detach`
# keeps the teacher out of it, and the hard part divides by the number of labels that exist.

# %% checks="distillation" points=6
check = Checks("distillation")
pupil = torch.tensor([[1.0, 0.2, -0.7], [0.1, -0.3, 0.9]], dtype=torch.float64)
master = torch.tensor([[2.5, 0.5, -1.0], [-0.5, 0.4, 3.0]], dtype=torch.float64)
known, partly = torch.tensor([0, 2]), torch.tensor([1, -100])
check.keeps(
    "value",
    lambda *a: distillation_loss(*a, 3.0, 0.7),
    pupil.clone(),
    master.clone(),
    known.clone(),
)
check.value("value", lambda: distillation_loss(pupil, master, known, 3.0, 0.7), points=2)
check.value("unlabelled", lambda: distillation_loss(pupil, master, partly, 3.0, 0.7), points=1)
check.gradient(
    "teacher",
    lambda m: distillation_loss(pupil, m, known, 3.0, 0.7) + (m * pupil).sum(),
    master,
    points=1,
)
check.value("extremes", lambda: distillation_loss(pupil, 600 * master, known, 1.5, 0.7), points=1)
check.gradient(
    "gradient", lambda s: distillation_loss(s, master, known, 3.0, 0.7), pupil, points=1
)
check.report()

# %% hidden="distillation"
_t = torch.linspace(-1.8, 2.4, 30, dtype=torch.float64)
_s, _m = 1.9 * torch.sin(5 * _t).reshape(6, 5), 3.1 * torch.cos(4 * _t**2).reshape(6, 5)
_y = torch.tensor([4, 0, 0, 1, 4, 2])
_some, _gone = torch.tensor([4, -100, 0, -100, -100, 2]), torch.full((6,), -100)
_w = torch.cos(3 * _t).reshape(6, 5)
check.value("value", lambda: distillation_loss(_s, _m, _y, 2.7, 0.37), case="six images")
check.value("value", lambda: distillation_loss(_s, _m, _y, 1.0, 0.61), case="T 1")
check.value("value", lambda: distillation_loss(_s, _m, _y, 0.31, 0.61), case="T below 1")
check.value("value", lambda: distillation_loss(_s, _m, _y, 83.0, 0.93), case="a high T")
check.value("value", lambda: distillation_loss(1.07 * _s, _m, _y, 4.1, 0.0), case="alpha 0")
check.value("value", lambda: distillation_loss(_s, _m, _y, 4.1, 1.0), case="alpha 1")
check.value("value", lambda: distillation_loss(_s[:1], _m[:1], _y[:1], 3.3, 0.4), case="one image")
check.value(
    "value",
    lambda: distillation_loss(_s[:, :2], _m[:, 1:3], _y % 2, 3.3, 0.4),
    case="two classes",
)
check.law(
    "value",
    "equal",
    lambda: distillation_loss(_s, _m, _y, 2.7, 0.37),
    lambda: distillation_loss(_s + 1.9, _m - 4.4, _y, 2.7, 0.37),
    lambda: distillation_loss(_s.repeat(2, 1), _m.repeat(2, 1), _y.repeat(2), 2.7, 0.37),
    case="shifted logits, the batch twice",
)
check.value(
    "unlabelled", lambda: distillation_loss(_s, _m, _some, 2.7, 0.37), case="three without label"
)
check.value(
    "unlabelled", lambda: distillation_loss(_s, _m, _gone, 2.7, 0.37), case="none with a label"
)
check.value(
    "unlabelled",
    lambda: distillation_loss(_s[1:2], _m[1:2], _gone[:1], 2.7, 1.0),
    case="one image, without label",
)
check.gradient(
    "teacher",
    lambda m: distillation_loss(_s, m, _y, 2.7, 0.37) + (m * _w).sum(),
    _m,
    case="six images",
)


def _direction(s):  # of the gradient: a wrong factor is not this theme's
    (slope,) = torch.autograd.grad(distillation_loss(s, 2.1 * s, _y, 2.7, 1.0), s)
    return slope / slope.norm()


check.gradient("teacher", lambda s: (_direction(s) * s).sum(), _s, case="its own teacher")
check.value(
    "extremes", lambda: distillation_loss(311 * _s, _m, _y, 2.7, 0.37), case="student of 600"
)
check.value(
    "extremes", lambda: distillation_loss(_s, 297 * _m, _y, 0.9, 0.37), case="teacher of 900"
)
check.value(
    "extremes",
    lambda: distillation_loss(4900 * _s, 3100 * _m, _some, 0.13, 0.37),
    case="both near 1e4",
)
check.gradient(
    "gradient", lambda s: distillation_loss(s, _m, _y, 2.7, 0.37), _s, case="six images"
)
check.gradient(
    "gradient", lambda s: distillation_loss(s, _m, _gone, 2.7, 0.37), _s, case="none with a label"
)
check.gradient(
    "gradient", lambda s: distillation_loss(s, 297 * _m, _some, 0.9, 0.37), 311 * _s, case="large"
)
check.gradient("gradient", lambda s: distillation_loss(s, _m, _y, 83.0, 0.93), _s, case="a high T")
check.value(
    "value",
    lambda: distillation_loss(_s.reshape(5, 6), _m.reshape(5, 6), _y[:5] + 1, 1.9, 0.29),
    case="six classes",
)
check.value("value", lambda: distillation_loss(_s, _m, _y, 0.1, 0.43), case="T 0.1")
check.value(
    "value", lambda: distillation_loss(_s, _m, _y, 100, 0.43), case="T 100, a whole number"
)
check.value("value", lambda: distillation_loss(_s, _m, _y, 3, 1), case="whole T and alpha")
check.value(
    "value",
    lambda: 1e3 * distillation_loss(_m + 0.01 * _s, _m, _y, 100.0, 1.0),
    case="T 100, alike",
)
check.value(
    "value", lambda: 1e6 * distillation_loss(_m + 1e-3 * _s, _m, _y, 1.7, 1.0), case="nearly alike"
)
_crowd = 1.7 * torch.sin(torch.arange(9900, dtype=_t.dtype) ** 2).reshape(100, 99)
_names = torch.where(torch.arange(100) % 3 == 2, -100, torch.arange(100) ** 2 % 99)
check.value(
    "unlabelled",
    lambda: distillation_loss(_crowd, 2 * _crowd.flip(0), _names, 2.3, 0.37),
    case="a hundred images",
)
check.value(
    "unlabelled",
    lambda: distillation_loss(_s, _m, _gone, 2.7, 0) + 0.61,
    case="none with a label, alpha 0",
)
check.value(
    "unlabelled",
    lambda: distillation_loss(_s, _m, torch.where(_some == 2, -100, _some), 31.0, 0.13),
    case="two with a label, the last without",
)
check.gradient(
    "teacher",
    lambda m: distillation_loss(_s, m, _some, 1, 0.37) + (m * _w).sum(),
    _m,
    case="T 1",
)
check.gradient(
    "teacher",
    lambda m: distillation_loss(311 * _s, m, _gone, 0.1, 1.0) + (m * _w).sum(),
    297 * _m,
    case="large logits, none with a label, alpha 1",
)
_far = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 9999.0], [1e4, 9999.7, 0.3]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: distillation_loss(_far, _far.flip(1), _y[:3] * 0 + 1, 0.1, 0.37),
    case="logits of 1e4, T 0.1",
)
check.value(
    "extremes",
    lambda: distillation_loss(_far.flip(0), _far, _gone[:3], 100.0, 0.83),
    case="logits of 1e4, T 100, no labels",
)
_sure = torch.tensor([[0.0, -13.1, -0.4], [-14.7, 1.3, 0.2]], dtype=_t.dtype)
_wrong = torch.tensor([[0.3, -1e4, 0.1], [-9e3, 0.2, 0.4]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: distillation_loss(_wrong, _sure, _y[:2] // 2, 1.0, 0.9),
    case="classes that the student rules out and the teacher hardly",
)
check.gradient(
    "gradient",
    lambda s: distillation_loss(s, _far, _some[:3] - 4 * (_some[:3] == 4), 0.1, 0.37),
    _far.flip(1),
    case="logits of 1e4, T 0.1",
)
check.gradient("gradient", lambda s: distillation_loss(s, _m, _some, 2.7, 1), _s, case="alpha 1")
check.gradient("gradient", lambda s: distillation_loss(s, _m, _some, 2.7, 0), _s, case="alpha 0")
check.gradient("gradient", lambda s: distillation_loss(s, _m, _y, 0.31, 0.61), _s, case="T 0.31")
check.gradient(
    "gradient",
    lambda s: 1e3 * distillation_loss(s, _m, _gone, 100, 0.61),
    _m + 0.01 * _s,
    case="T 100, alike",
)
check.keeps(
    "unlabelled",
    lambda *a: distillation_loss(*a, 2.7, 0.37),
    _s.clone(),
    _m.clone(),
    _gone.clone(),
    case="missing labels stay",
)
check.keeps(
    "unlabelled",
    lambda *a: distillation_loss(*a, 1.3, 0.37),
    _s.clone(),
    _m.clone(),
    _some.clone(),
    case="some missing labels stay",
)
_known = torch.tensor([[1e4, 0.0, 0.0], [0.0, 9700.0, 7700.0]], dtype=_t.dtype)
_guess = torch.tensor([[1e4, 0.0, 0.0], [0.0, 9700.0, 8700.0]], dtype=_t.dtype)
check.value(
    "extremes",
    lambda: distillation_loss(_guess, _known, _y[:2] // 4, 100.0, 1.0),
    case="T 100, classes that hardly count",
)
check.value(
    "value",
    lambda: 0.61 + distillation_loss(_s[:, :1], _m[:, :1], 0 * _y, 2.7, 0.37),
    case="a single class",
)

# %% [markdown]
# ## Exercise 6. What a text costs (8 min, 5 points)
#
# Two language models cut texts into different tokens, so their losses per token cannot be
# compared; their costs per *character* can. Write `text_cost(nll, lengths, characters)`, which
# returns the tuple `(perplexity, bits)` for a **whole corpus**, two 0-d tensors:
#
# - `perplexity`: $e$ to the mean NLL per token, over **all tokens** of all texts, each token with
#   the same weight;
# - `bits`: the cost of the corpus in bits, per character of it.
#
# `nll` has shape `(n, T)`: the NLL of each token in nats. Text `i` consists of its first
# `lengths[i]` tokens; `lengths` has shape `(n,)`, int64, from 0 to T. Behind a text's end `nll`
# holds anything: numbers, infinities, nan. `characters`, shape `(n,)`, int64, counts the
# characters of each text; a text without tokens has none. The corpus has at least one of both.
#
# The NLL of a token may be 0, infinite (the model ruled it out: then both results are infinite),
# or as large as $10^4$; their mean is at most 700 unless it is infinite.
#
# Points: perplexity 2, bits 2, padding 1.


# %% exercise="text-cost"
def text_cost(nll, lengths, characters):
    """Return the perplexity per token and the bits per character of a corpus."""
    ### BEGIN SOLUTION
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()
    ### END SOLUTION


# %% [markdown] why="text-cost"
# Both numbers are the same total, told per token and per character: sums first, one division at
# the end. A mean of each text's mean would let a short text count as much as a long one.

# %% checks="text-cost" points=5
check = Checks("text-cost")
costs = torch.tensor([[2.0, 0.7, 1.1], [0.4, 3.0, 0.9]], dtype=torch.float64)
all_three, three_and_one = torch.tensor([3, 3]), torch.tensor([3, 1])
letters = torch.tensor([11, 7])
check.keeps("perplexity", text_cost, costs.clone(), all_three.clone(), letters.clone())
check.value("perplexity", lambda: text_cost(costs, all_three, letters)[0], points=2)
check.value("bits", lambda: text_cost(costs, all_three, letters)[1], points=2)
check.value("padding", lambda: tuple(text_cost(costs, three_and_one, letters)), points=1)
wasted = torch.tensor([[2.0, 0.7, 1.1], [0.4, math.nan, math.inf]], dtype=torch.float64)
check.value("padding", lambda: tuple(text_cost(wasted, three_and_one, letters)), case="nan there")
check.report()

# %% hidden="text-cost"
_t = torch.linspace(-2.2, 1.7, 28, dtype=torch.float64)
_nll = 1.9 * torch.cos(5 * _t).reshape(4, 7) ** 2 + 0.13
_full, _n = torch.full((4,), 7), torch.tensor([5, 1, 7, 0])
_letters, _few = torch.tensor([31, 17, 44, 23]), torch.tensor([19, 4, 37, 0])
_after = torch.arange(7) >= _n[:, None]
_waste = torch.tensor([math.nan, math.inf, -math.inf, 5.0, 1e9, 0.0, -3.0], dtype=_t.dtype)
_messy = torch.where(_after, _waste, _nll)
_ruled_out = _nll.clone()
_ruled_out[2, 3] = math.inf
_dear = _nll.clone()
_dear[0, 2] = 9730.0
_zero = torch.where(torch.arange(7) % 3 == 1, 0.0, _nll)
_one = torch.tensor([1])
check.value("perplexity", lambda: text_cost(_nll, _full, _letters)[0], case="four full texts")
check.value(
    "perplexity", lambda: text_cost(_nll[2:3], _full[:1], _letters[1:2])[0], case="one text"
)
check.value("perplexity", lambda: text_cost(_nll[:1, :1], _one, _one + 2)[0], case="one token")
check.value("perplexity", lambda: text_cost(_zero, _full, _letters)[0], case="tokens that cost 0")
check.value(
    "perplexity", lambda: text_cost(_ruled_out, _full, _letters)[0], case="a token ruled out"
)
check.value("perplexity", lambda: text_cost(_nll, _n, _few)[0], case="texts of unequal length")
check.value("bits", lambda: text_cost(_nll, _full, _letters)[1], case="four full texts")
check.value("bits", lambda: text_cost(_nll[2:3], _full[:1], _letters[1:2])[1], case="one text")
check.value("bits", lambda: text_cost(_nll[:1, :1], _one, _one + 2)[1], case="one token")
check.value("bits", lambda: text_cost(_zero, _full, _letters)[1], case="tokens that cost 0")
check.value("bits", lambda: text_cost(_ruled_out, _full, _letters)[1], case="a token ruled out")
check.value("bits", lambda: text_cost(_nll, _n, _few)[1], case="texts of unequal length")
check.value("bits", lambda: text_cost(_dear, _full, _letters)[1], case="one costly token")
check.value(
    "perplexity", lambda: text_cost(_dear, _full, _letters)[0].log(), case="one costly token"
)
check.value(
    "padding", lambda: tuple(text_cost(_messy, _n, _few)), case="padding that is not finite"
)
check.value(
    "padding",
    lambda: tuple(text_cost(_messy.flip(0), _n.flip(0), _few.flip(0))),
    case="the empty text first",
)
check.value(
    "padding",
    lambda: tuple(text_cost(torch.full((4, 3), 2.3, dtype=_t.dtype), _n.clamp(max=1), _few)),
    case="texts of one token",
)
check.law(
    "padding",
    "equal",
    lambda: torch.stack(text_cost(_messy, _n, _few)),
    lambda: torch.stack(text_cost(_nll[:3], _n[:3], _few[:3])),
    case="padding changed, the empty text dropped",
)
_nine = 1.3 * torch.sin(torch.arange(36, dtype=_t.dtype) ** 2).reshape(9, 4) ** 2
_sizes, _signs = torch.arange(9) * 5 % 4 + 1, torch.arange(9) * 7 % 11 + 3
check.value("perplexity", lambda: text_cost(_nine, _sizes, _signs)[0], case="nine texts")
check.value("bits", lambda: text_cost(_nine, _sizes, _signs)[1], case="nine texts")
_deep = torch.tensor([[1e4, 0.0, 31.7], [0.3, 0.0, math.nan]], dtype=_t.dtype)
_two = torch.tensor([3, 1]), torch.tensor([999, 3])
check.value("perplexity", lambda: text_cost(_deep / 14.4, *_two)[0].log(), case="a mean of 174")
check.value(
    "bits",
    lambda: text_cost(torch.where(_dear > 9000, 1e4, _dear), _full, _letters)[1],
    case="a token of 1e4",
)
_top = 699.9 + 0.09 * torch.cos(_t[:21]).reshape(3, 7)
check.value(
    "perplexity", lambda: text_cost(_top, _full[:3], _letters[:3])[0], case="a mean of 700"
)
check.value("bits", lambda: text_cost(_top, _full[:3], _letters[:3])[1], case="a mean of 700")
check.value(
    "perplexity",
    lambda: text_cost(_nll[:1, :1] * 0 + 699.50003, _one, _one)[0],
    case="a single costly token",
)
_cheap = 1e-3 * _nll
check.value(
    "perplexity",
    lambda: text_cost(_cheap, _n, _few)[0].log() * 1e3,
    case="cheap tokens, texts of unequal length",
)
check.value(
    "bits",
    lambda: text_cost(_cheap, _n, _few)[1] * 1e3,
    case="cheap tokens, texts of unequal length",
)
_corpus = 2.3 * torch.sin(torch.arange(9900, dtype=_t.dtype) ** 2).reshape(99, 100) ** 2
_ends, _counts = torch.arange(99) ** 2 % 101, torch.arange(99) ** 2 % 97 * 10
_counts = torch.where(_ends == 0, 0, _counts + 7)
_spoilt = torch.where(torch.arange(100) >= _ends[:, None], math.nan, _corpus)
check.value(
    "perplexity", lambda: text_cost(_corpus, _ends, _counts)[0], case="a corpus of 99 texts"
)
check.value("bits", lambda: text_cost(_corpus, _ends, _counts)[1], case="a corpus of 99 texts")
check.value(
    "padding", lambda: tuple(text_cost(_spoilt, _ends, _counts)), case="a corpus of 99 texts"
)
check.value(
    "padding",
    lambda: tuple(text_cost(_ruled_out, _n, _few)),
    case="a token ruled out, texts of unequal length",
)
check.value(
    "padding",
    lambda: tuple(text_cost(torch.where(_after, _waste, _zero), _n, _few)),
    case="tokens that cost 0, texts of unequal length",
)
check.value(
    "padding",
    lambda: tuple(text_cost(_nll[:, :1], torch.tensor([0, 1, 0, 1]), torch.tensor([0, 9, 0, 4]))),
    case="one place, two empty texts",
)
check.value(
    "padding",
    lambda: tuple(text_cost(_nll, torch.tensor([0, 0, 3, 0]), torch.tensor([0, 0, 17, 0]))),
    case="only one text has tokens",
)
check.value(
    "padding",
    lambda: tuple(
        text_cost(_messy[3:].repeat(2, 1)[:, 3:], torch.tensor([0, 1]), _few[2:].flip(0))
    ),
    case="one token in all, behind an empty text",
)
check.keeps(
    "padding",
    text_cost,
    _nll.clone(),
    _n.clone(),
    _few.clone(),
    case="padding is left as it is",
)
check.value(
    "padding",
    lambda: tuple(text_cost(_nll[:, :4], torch.tensor([4, 1, 0, 2]), torch.tensor([19, 4, 0, 7]))),
    case="four texts, four places",
)
check.value(
    "perplexity",
    lambda: (text_cost(0 * _nll, _n, _few)[0] - 1) * 1e6 + 0.7,
    case="all tokens cost nothing",
)
check.value(
    "bits", lambda: text_cost(0 * _nll, _n, _few)[1] * 1e6 + 0.7, case="all tokens cost nothing"
)

# %% [markdown]
# ## Exercise 7. In words: the teacher who knows more and teaches less (5 min, 3 points)
#
# Two teachers were trained on the same 1198 images, one with label smoothing 0.1; it is the more
# accurate one of the two. Each teaches a student, with its softmax at temperature 4 as the target.
# If the students see 100 images, the one of the smoothed teacher is clearly *worse*. If they see
# all 1198, it is clearly *better*. Explain both in at most 120 words. A person reads and grades
# this answer; no check runs.

# %% [markdown] written="smoothed-teacher" points=3
# ### BEGIN SOLUTION
# Smoothing asks for the same probability for *all* wrong classes, whatever the image. A teacher
# that obeys keeps the winner and rubs out the differences among the others: that this 4 looks like
# a 9 and not like a 0. At a high temperature these differences are most of the student's lesson,
# and with 100 images they are worth more than a label, since an image tells something about all
# classes. Without them the target says little more than who won. With all 1198 images the winners
# alone are enough to learn from, so that what smoothing erased is not missed; what counts then is
# how often the winner is right, and there the smoothed teacher is ahead.
#
# **Rubric.** One point for: smoothing equalises the probabilities of the wrong classes, so it
# erases what the teacher knows about similar classes. One point for: with few images a student at
# a high temperature lives on these probabilities, while accuracy is about the winner. One point
# for: with many images the winners suffice, and the more accurate teacher has the better ones.
# "The smoothed teacher is less confident" alone earns nothing.
# ### END SOLUTION
