# %% [markdown]
# # Assignment 12: Normalizing flows
#
# Six exercises in code and one in words, 33 points, about 60 minutes. You write the pieces of a
# flow and the tests that a flow has to pass: densities of transformed noise, layers, stacks,
# draws, an integral, and bits per dimension. Each exercise names its return value, its units and
# its reduction; whatever the text leaves open is yours to choose. Networks are handed to you as
# functions, and nothing is trained.
#
# All tensors are float64. "Noise" is always standard Normal, independent in each coordinate.
# Log-densities are in nats and keep every constant.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a thousand in size, what must be positive is at least a
# thousandth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import math

import torch

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. The density of a transform (8 min, 4 points)
#
# $Z$ is noise, and $X$ is some strictly monotone transform of it. You are given the inverse as a
# function `to_noise`, which computes $z = f(x)$ for each element of a tensor with operations of
# PyTorch. No derivative is given: automatic differentiation finds it.
#
# Write `transformed_log_prob(x, to_noise)`: the log-density of $X$ at each element of `x`.
#
# - `x` has shape `(n,)`, $n \ge 1$. Return a tensor of shape `(n,)`.
# - $f$ may rise or fall.
# - It must be right where the density is too small for float64, with noise up to ten thousand in
#   size, and for slopes as small as $10^{-12}$ or as large as a million.
#
# Points: rising 2, falling 1, extremes 1.


# %% exercise="transformed-density"
def transformed_log_prob(x, to_noise):
    """Return the log density at x of the variable that to_noise turns into standard noise."""
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    z = to_noise(x)
    (slope,) = torch.autograd.grad(z.sum(), x)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + slope.abs().log()
    ### END SOLUTION


# %% [markdown] why="transformed-density"
# Density is probability per length: where the map to noise stretches, there is more of it. The
# logarithm takes the *absolute* slope, since a falling map loses nothing.

# %% checks="transformed-density" points=4
check = Checks("transformed-density")
x = torch.tensor([0.5, 1.0, 2.5], dtype=torch.float64)
check.keeps("rising", lambda x: transformed_log_prob(x, torch.log), x.clone())
check.value("rising", lambda: transformed_log_prob(x, lambda x: 2 * torch.log(x)), points=2)
check.value("falling", lambda: transformed_log_prob(x, lambda x: 1 - 3 * x), points=1)
check.value("extremes", lambda: transformed_log_prob(x, lambda x: 30 * x), points=1)
check.value("extremes", lambda: transformed_log_prob(x, lambda x: 1e-12 * x))
check.report()

# %% hidden="transformed-density"
_t = torch.linspace(-1.9, 2.6, 7, dtype=torch.float64)
check.value(
    "rising",
    lambda: transformed_log_prob(_t, lambda x: 1.3 * torch.asinh(x) - 0.4),
    case="an inverse hyperbolic sine",
)
check.value(
    "rising",
    lambda: transformed_log_prob(_t[:1], lambda x: torch.sinh(0.7 * x) + 0.31),
    case="one number, a hyperbolic sine",
)
check.value(
    "rising",
    lambda: transformed_log_prob(_t, lambda x: x + 0.9 * torch.sin(x)),
    case="a slope that varies",
)
check.value(
    "falling", lambda: transformed_log_prob(_t, lambda x: 0.83 - 0.37 * x), case="a falling line"
)
check.value(
    "falling",
    lambda: transformed_log_prob(torch.exp(_t), lambda x: -torch.log(x)),
    case="minus a logarithm",
)
check.value(
    "falling",
    lambda: transformed_log_prob(_t, lambda x: -torch.asinh(2.3 * x)),
    case="a falling inverse hyperbolic sine",
)
check.law(
    "falling",
    "equal",
    lambda: transformed_log_prob(_t, lambda x: torch.sinh(x)),
    lambda: transformed_log_prob(-_t, lambda x: torch.sinh(-x)),
    case="mirrored",
)
check.value(
    "extremes", lambda: transformed_log_prob(_t, lambda x: 41.3 * x - 0.7), case="a steep line"
)
check.value(
    "extremes",
    lambda: transformed_log_prob(_t, lambda x: 3.7e-11 * x + 0.2),
    case="a very flat line",
)
check.value(
    "extremes", lambda: transformed_log_prob(1e-6 * _t, lambda x: 9e5 * x), case="a wall of a line"
)
check.value(
    "extremes",
    lambda: transformed_log_prob(900 + 1e-5 * _t, lambda x: 9e4 * (x - 900)),
    case="numbers near a thousand, a steep line",
)
_many = torch.sin(torch.arange(97, dtype=_t.dtype) ** 2)
check.value(
    "rising",
    lambda: transformed_log_prob(_many, lambda x: 0.37 * x + x**3),
    case="97 numbers, a slope that varies",
)
check.value(
    "falling",
    lambda: transformed_log_prob(_t[2:3], lambda x: 0.2 - torch.expm1(x)),
    case="one number, a falling exponential",
)
check.value(
    "rising",
    lambda: transformed_log_prob(_many[:9].repeat(2), lambda x: torch.sinh(1.3 * x)),
    case="repeated numbers",
)
check.value(
    "extremes",
    lambda: transformed_log_prob(_t, lambda x: -1.3e-12 * x),
    case="a very flat falling line",
)
check.value(
    "extremes",
    lambda: transformed_log_prob(_t, lambda x: torch.where(x < 0, 3e-11 * x, 2.7e3 * x)),
    case="flat on one side, steep on the other",
)
check.value(
    "extremes",
    lambda: transformed_log_prob(_t, lambda x: 9100 - 17 * torch.sinh(x)),
    case="noise near ten thousand",
)
check.value(
    "extremes",
    lambda: transformed_log_prob(_t, lambda x: 4440 * x - 1554),
    case="noise of ten thousand at either end",
)
check.value(
    "extremes",
    lambda: transformed_log_prob(1e-6 * _many[:9], lambda x: -9.7e5 * x),
    case="a falling wall, in no order",
)
check.value("rising", lambda: transformed_log_prob(_many, lambda x: x), case="the identity")

# %% [markdown]
# ## Exercise 2. Affine coupling with a mask (12 min, 7 points)
#
# The lesson splits the coordinates into two halves. A mask is more general: it says for each
# coordinate whether it is kept.
#
# Write `affine_coupling(x, mask, net, inverse=False)`.
#
# - `x` has shape `(n, d)`; `mask` has shape `(d,)` and is boolean, true for coordinates that are
#   kept.
# - `net` maps a tensor of shape `(n, d)` to a pair `(s, t)` of such tensors. Hand it `x` with all
#   coordinates that are **not** kept set to 0. Ignore the numbers that it returns for kept
#   coordinates.
# - Limit `s` to $[-4, 4]$: values beyond are set to the nearest end. (A hard limit instead of the
#   lesson's tanh.)
# - Data to noise, the default: a coordinate that is not kept becomes $(x_i - t_i)\, e^{-s_i}$.
#   With `inverse=True`, noise to data, it becomes $x_i\, e^{s_i} + t_i$.
# - Return `(y, log_det)`: the transformed tensor, shape `(n, d)`, and for each row the log of the
#   absolute Jacobian determinant of the map **that was run**, shape `(n,)`. Use operations of
#   PyTorch, so that the result can be differentiated.
#
# Points: forward 2, inverse 2, log-det 2, limit 1.


# %% exercise="affine-coupling"
def affine_coupling(x, mask, net, inverse=False):
    """Return the transformed x and the log absolute Jacobian determinant of each row."""
    ### BEGIN SOLUTION
    s, t = net(torch.where(mask, x, 0.0))
    s = torch.where(mask, 0.0, s.clamp(-4, 4))
    t = torch.where(mask, 0.0, t)
    if inverse:
        return x * s.exp() + t, s.sum(1)
    return (x - t) * (-s).exp(), -s.sum(1)
    ### END SOLUTION


# %% [markdown] why="affine-coupling"
# Half of the columns pass through unchanged, so the inverse can compute the same scale and shift
# from them. The Jacobian is triangular: its log-determinant is the sum of the log-scales, with its
# sign turned round for the inverse.

# %% checks="affine-coupling" points=7
check = Checks("affine-coupling")


def slogdet(function, row):  # of the Jacobian of a function of one row, by autograd
    J = torch.autograd.functional.jacobian(lambda v: function(v[None])[0][0], row)
    return torch.linalg.slogdet(J).logabsdet


def net(h):
    return 0.5 * h.sum(1, keepdim=True) - h + 0.3, torch.cos(h.flip(1)) + h.sum(1, keepdim=True)


def wild(h):
    return 900 * torch.tanh(h.sum(1, keepdim=True) - h - 0.2), 1.0 + 0 * h


x = torch.tensor([[0.5, -1.0, 2.0], [-1.5, 0.25, -0.5]], dtype=torch.float64)
mask = torch.tensor([True, False, False])
check.keeps("forward", lambda x, mask: affine_coupling(x, mask, net), x.clone(), mask)
check.value("forward", lambda: affine_coupling(x, mask, net)[0], points=2)
check.value("inverse", lambda: affine_coupling(x, mask, net, inverse=True)[0], points=2)
check.value("log-det", lambda: affine_coupling(x, mask, net)[1], points=2)
check.value("log-det", lambda: affine_coupling(x, mask, net, inverse=True)[1])
check.law(
    "log-det",
    "equal",
    lambda: slogdet(lambda v: affine_coupling(v, mask, net), x[0]),
    lambda: affine_coupling(x, mask, net)[1][0],
)
check.value("limit", lambda: affine_coupling(x, mask, wild)[0], points=1)
check.report()

# %% hidden="affine-coupling"
_t = torch.linspace(-1.4, 1.7, 20, dtype=torch.float64)
_x = torch.sin(4 * _t).reshape(4, 5) + 0.3 * _t.reshape(4, 5)
_m = torch.tensor([False, True, False, True, True])


def _tame(h):  # wild, with its limits already applied
    _s, _shift = wild(h)
    return _s.clip(-4, 4), _shift


check.value("forward", lambda: affine_coupling(_x, _m, net)[0], case="four rows, five columns")
check.value(
    "forward",
    lambda: affine_coupling(_x[:1, :2], ~_m[:2], net)[0],
    case="one row, two columns, the mask inverted",
)
check.value(
    "inverse",
    lambda: affine_coupling(_x, _m, net, inverse=True)[0],
    case="four rows, five columns",
)
check.value(
    "inverse",
    lambda: affine_coupling(_x[1:3], ~_m, net, inverse=True)[0],
    case="two rows, the mask inverted",
)
check.law(
    "inverse",
    "equal",
    lambda: _x,
    lambda: affine_coupling(affine_coupling(_x, _m, net)[0], _m, net, inverse=True)[0],
    lambda: affine_coupling(affine_coupling(_x, _m, net, inverse=True)[0], _m, net)[0],
    case="there and back",
)
check.value("log-det", lambda: affine_coupling(_x, _m, net)[1], case="forward")
check.value("log-det", lambda: affine_coupling(_x, _m, net, inverse=True)[1], case="inverse")
check.value(
    "log-det", lambda: affine_coupling(_x[2:3], ~_m, net)[1], case="one row, the mask inverted"
)
check.value("limit", lambda: affine_coupling(_x, _m, wild)[0], case="log scales beyond the limit")
check.value(
    "limit",
    lambda: affine_coupling(0.7 * _x[1:], ~_m, wild)[0],
    case="log scales beyond the limit, the mask inverted",
)
for _way, _part in ((False, 1), (True, 0), (True, 1)):
    check.value(
        "limit",
        lambda way=_way, part=_part: (
            affine_coupling(_x, _m, wild, way)[part] - affine_coupling(_x, _m, _tame, way)[part]
        ),
        case="log scales beyond the limit against the limit itself",
    )
check.gradient(
    "forward", lambda x: affine_coupling(x, _m, net)[0], _x[:2], case="forward, with respect to x"
)
check.gradient(
    "log-det",
    lambda x: affine_coupling(x, _m, net)[1],
    _x[:2],
    case="the log-determinant, with respect to x",
)


def _far(h):  # shifts far beyond the limit that log scales have
    return 0.4 * torch.cos(h + h.sum(1, keepdim=True)), 57 * torch.sin(h.sum(1, keepdim=True) + h)


_xx = torch.cos(torch.arange(63, dtype=_t.dtype) ** 2).reshape(7, 9)
_mm = torch.tensor([True, False, False, True, False, True, False, True, False])
check.value(
    "forward", lambda: affine_coupling(_xx, _mm, _far)[0], case="nine columns, large shifts"
)
check.value(
    "inverse",
    lambda: affine_coupling(_xx, _mm, _far, inverse=True)[0],
    case="nine columns, large shifts",
)
check.value("log-det", lambda: affine_coupling(_xx, _mm, _far)[1], case="seven rows, nine columns")
_table = torch.tensor([[9.0, -0.3, 7.5], [0.2, -11.0, 0.4]], dtype=_t.dtype)


def _told(way):  # the table that a network keeps, after it was asked
    _kept = _table.clone()
    affine_coupling(_x[:2, :3], _m[:3], lambda h: (_kept, 0.1 * h), way)
    return _kept


check.value("limit", lambda: _told(False), case="a network that keeps what it returns")
check.value("limit", lambda: 2 * _told(True), case="a network that keeps what it returns, inverse")


def _edges(h):  # log scales at, near and beyond either end of the limit
    _ends = torch.tensor([4.0, -4.0, 3.97, -3.93, 4.3, -4.1, 700.0, -900.0, 0.3], dtype=_t.dtype)
    return _ends + 0 * h, 0.3 * h - 0.4


for _way, _part in ((False, 0), (False, 1), (True, 0), (True, 1)):
    check.value(
        "limit",
        lambda way=_way, part=_part: affine_coupling(_xx, _mm & False, _edges, way)[part],
        case="log scales at both ends of the limit, nothing kept",
    )
    check.value(
        "limit",
        lambda way=_way, part=_part: affine_coupling(_xx[:1, :5], _m, _edges, way)[part],
        case="log scales at both ends of the limit, one row",
    )
for _way in (False, True):
    check.value(
        "log-det",
        lambda way=_way: affine_coupling(_x, _m | True, net, way)[1] + 0.1,
        case="everything kept",
    )
    check.value(
        "log-det",
        lambda way=_way: affine_coupling(_x[:1, :1], _m[:1], net, way)[1],
        case="a single number",
    )
    check.gradient(
        "log-det",
        lambda x, way=_way: affine_coupling(x, ~_m, net, way)[1] ** 2,
        _x,
        case="the gradient of the log-determinant, either direction",
    )
check.gradient(
    "forward",
    lambda x: affine_coupling(x, _mm, _far)[0] ** 2,
    _xx[:1],
    case="the gradient, one row, large shifts",
)
check.gradient(
    "inverse",
    lambda x: affine_coupling(x, _mm, _far, True)[0] ** 2,
    _xx[:1],
    case="the gradient, one row, large shifts",
)
check.value("forward", lambda: affine_coupling(_x, _m | True, net)[0], case="everything kept")
check.value("inverse", lambda: affine_coupling(_x, _m & False, net, True)[0], case="nothing kept")
check.value(
    "forward", lambda: affine_coupling(_x[:, :4], _m[:4], net)[0], case="as many rows as columns"
)
check.value(
    "forward", lambda: affine_coupling(710 * _x, _m, _far)[0], case="numbers in the hundreds"
)
check.value(
    "inverse", lambda: affine_coupling(710 * _x, _m, _far, True)[0], case="numbers in the hundreds"
)


def _careless(h):  # at kept coordinates
    _s, _shift = net(h)
    return torch.where(_m, 901.0, _s), torch.where(_m, -903.0, _shift)


check.value(
    "log-det", lambda: affine_coupling(_x, _m, _careless)[1], case="wild numbers for the kept"
)
check.value(
    "forward", lambda: affine_coupling(_x, _m, _careless)[0], case="wild numbers for the kept"
)
check.value(
    "inverse",
    lambda: affine_coupling(_x, _m, _careless, True)[0],
    case="wild numbers for the kept",
)
check.value("inverse", lambda: affine_coupling(_x[:1], _m, net, True)[0], case="one row")
check.value("inverse", lambda: affine_coupling(_x[:, :1], _m[:1], net, True)[0], case="one column")
check.value("forward", lambda: affine_coupling(_x[:, :1], _m[:1], net)[0], case="one column")
_all, _page = _mm & False, 700 * torch.sin(torch.arange(178, dtype=_t.dtype) ** 2).reshape(2, 89)
for _way in (False, True):
    check.value(
        "limit",
        lambda way=_way: affine_coupling(_page, _page[0] > 1e3, lambda h: (0 * h - 5, 0 * h), way)[
            1
        ],
        case="89 columns at the limit",
    )
    check.value(
        "log-det",
        lambda way=_way: affine_coupling(_x, _m | (_t[:5] != _t[2]), net, way)[1],
        case="all kept but one",
    )
    check.value(
        "log-det",
        lambda way=_way: affine_coupling(_x[:, :4], _m[:4], net, way)[1],
        case="as many rows as columns",
    )


def _mixed(h):  # log scales within the limit and beyond
    return 7.3 * torch.sin(h.sum(1, keepdim=True) + 2 * h + _t[: h.shape[1]]), 0.4 * torch.cos(h)


for _way, _part in ((False, 0), (True, 0), (False, 1)):
    check.gradient(
        "limit",
        lambda x, way=_way, part=_part: affine_coupling(x, _m, _mixed, way)[part],
        _x,
        case="the gradient, log scales within the limit and beyond",
    )


def _tuned(a):  # a network with a parameter
    return lambda h: (a * torch.cos(h), a**2 + torch.sin(a * h))


check.gradient(
    "forward",
    lambda a: affine_coupling(_x, _m, _tuned(a))[0],
    _t[17],
    case="with respect to a parameter",
)
check.gradient(
    "inverse",
    lambda a: affine_coupling(_x, _m, _tuned(a), True)[0],
    _t[17],
    case="with respect to a parameter",
)
check.gradient(
    "log-det",
    lambda a: affine_coupling(_x, _m, lambda h: (torch.sin(a * h + 1.3 * a), h))[1],
    _t[17],
    case="with respect to a parameter",
)
check.value(
    "forward",
    lambda: affine_coupling(987.6 + 0.3 * _xx, _all, lambda h: (0.1 * h - 3.7, 0.01 * h + 987.6))[
        0
    ],
    case="shifts near a thousand, close to the numbers",
)
check.value(
    "forward",
    lambda: affine_coupling(_page, _page[0] > 300, lambda h: (0.01 * h - 3.1, h - 211))[0],
    case="89 columns, numbers in the hundreds",
)


# %% [markdown]
# ## Exercise 3. A stack with alternating columns (8 min, 5 points)
#
# One coupling keeps part of the data as it is, so a flow stacks several and alternates what is
# kept. Write `stack_log_prob(x, nets)`, the log-density of such a stack.
#
# - `x` has shape `(n, d)`, $d \ge 2$. Return a tensor of shape `(n,)`.
# - `nets` is a list of functions, one for each layer, in the order in which a point walks **from
#   data to noise**. Layers are numbered 0, 1, 2, ... A layer with an even number keeps the columns
#   0, 2, 4, ... and moves all others; one with an odd number keeps the columns 1, 3, 5, ... and
#   moves all others.
# - `nets[k]` takes the kept columns that layer k is given, shape `(n, kept)`, and returns a pair
#   `(s, t)`, each of shape `(n, moved)`. The moved columns become $(x_i - t_i)\, e^{-s_i}$.
#   Nothing is limited here; $s$ is at most 20 in size.
# - The last layer returns noise. Without any layer, `x` itself is noise.
# - Gradients flow with respect to `x` and to parameters of the networks.
#
# Points: one layer 2, stack 2, gradient 1.


# %% exercise="coupling-stack"
def stack_log_prob(x, nets):
    """Return the log density of each row under a stack of alternating couplings."""
    ### BEGIN SOLUTION
    z, total = x.clone(), 0.0
    for k, net in enumerate(nets):
        moved = slice((k + 1) % 2, None, 2)
        s, t = net(z[:, k % 2 :: 2])
        after = z.clone()
        after[:, moved] = (z[:, moved] - t) * (-s).exp()
        z, total = after, total - s.sum(1)
    return total - 0.5 * (z**2 + math.log(2 * math.pi)).sum(1)
    ### END SOLUTION


# %% [markdown] why="coupling-stack"
# Each layer moves the columns that the one before left alone. The log-determinants add up, and the
# noise's density is taken at the very end of the way.

# %% checks="coupling-stack" points=5
check = Checks("coupling-stack")


def make(a, b, moved):  # a network for a layer that moves this many columns
    columns = torch.arange(1.0, moved + 1, dtype=torch.float64)

    def net(kept):
        h = torch.sin(kept * a).sum(1, keepdim=True)
        return b * torch.cos(h + columns), h * columns + a

    return net


x = torch.tensor([[0.5, -1.0, 2.0, 0.1], [1.5, 0.25, -0.5, -0.7]], dtype=torch.float64)
two = [make(1.0, 0.5, 2), make(0.3, -0.8, 2)]
check.keeps("one layer", lambda x: stack_log_prob(x, two[:1]), x.clone())
check.value("one layer", lambda: stack_log_prob(x, two[:1]), points=2)
check.value("stack", lambda: stack_log_prob(x, two), points=2)
check.gradient("gradient", lambda b: stack_log_prob(x, [make(1.0, b, 2)]), x[0, 0], points=1)
check.report()

# %% hidden="coupling-stack"
_t = torch.linspace(-1.8, 1.5, 15, dtype=torch.float64)
_x = (torch.cos(3 * _t) - 0.4 * _t).reshape(3, 5)
_three = [make(0.7, 0.61, 2), make(1.3, -0.43, 3), make(0.45, 0.9, 2)]
check.value("one layer", lambda: stack_log_prob(_x, _three[:1]), case="five columns")
check.value(
    "one layer", lambda: stack_log_prob(_x[:1, :2], [make(0.9, 1.37, 1)]), case="two columns"
)
check.value("one layer", lambda: stack_log_prob(0.77 * _x, []), case="no layer")
check.value("stack", lambda: stack_log_prob(_x, _three), case="three layers, five columns")
check.value(
    "stack",
    lambda: stack_log_prob(_x, [make(0.7, -6.3, 2), make(1.3, 5.7, 3)]),
    case="large log scales",
)
check.value(
    "stack",
    lambda: stack_log_prob(_x[1:, 1:4], [make(1.1, 0.7, 1), make(0.2, 1.9, 2)]),
    case="three columns",
)
check.value(
    "stack",
    lambda: stack_log_prob(_x[:1, 3:], [make(_c, _c - 1, 1) for _c in (0.4, 1.7, 2.2, 0.9)]),
    case="four layers, two columns",
)
check.gradient(
    "gradient",
    lambda a: stack_log_prob(_x, [make(a, 0.3, 2)]),
    _t[9],
    case="with respect to a parameter",
)
check.gradient("gradient", lambda x: stack_log_prob(x, _three[:1]), _x, case="with respect to x")
_xx = torch.cos(torch.arange(91, dtype=_t.dtype) ** 2).reshape(7, 13)
_seven = [make(0.3 + 0.11 * _c, 0.2 - 0.07 * _c, 6 + _c % 2) for _c in range(7)]
check.value("stack", lambda: stack_log_prob(_xx, _seven), case="seven layers, 13 columns")
check.value("one layer", lambda: stack_log_prob(_xx, _seven[:1]), case="13 columns")
check.value("one layer", lambda: stack_log_prob(_xx[:, :1] * 300 + _xx, []), case="large numbers")
check.value(
    "one layer", lambda: stack_log_prob(_xx[:4, :4], [make(0.6, 1.3, 2)]), case="four by four"
)
check.value(
    "one layer",
    lambda: stack_log_prob(_xx[:1, :3], [lambda h: (0 * h[:, :1] + 18.7, h[:, 1:])]),
    case="one row, log scales near 20",
)
check.value(
    "one layer",
    lambda: stack_log_prob(0.1 * _x[:, :2], [lambda h: (0 * h - 2.3, 0.2 * h)]),
    case="a negative log scale",
)
check.value("stack", lambda: stack_log_prob(_xx[:4, :4], two), case="four by four")
check.value(
    "stack",
    lambda: stack_log_prob(_xx[:1, :2], [make(0.2 + 0.01 * _c, 0.1, 1) for _c in range(23)]),
    case="23 layers, one row",
)
check.value(
    "stack", lambda: stack_log_prob(_x[:, :2], [make(0.7, 0.9, 1)] * 4), case="one network"
)
_page = torch.sin(torch.arange(178, dtype=_t.dtype) ** 2).reshape(2, 89)
check.value(
    "stack",
    lambda: stack_log_prob(_page, [make(0.7, 0.21, 44), make(0.31, -0.17, 45)]),
    case="89 columns",
)
check.gradient(
    "gradient", lambda x: stack_log_prob(x, _three), _x, case="three layers, with respect to x"
)
check.gradient("gradient", lambda x: stack_log_prob(x, []), _x, case="no layer, with respect to x")
check.gradient(
    "gradient",
    lambda x: stack_log_prob(x, [make(0.9, 0.7, 1), make(0.4, -0.8, 1)]),
    _x[:1, :2],
    case="one row, two columns, with respect to x",
)
for _place in range(3):
    check.gradient(
        "gradient",
        lambda a, place=_place: stack_log_prob(
            _x, [make(a if _c == place else 0.6, 0.4, 2 + _c % 2) for _c in range(3)]
        ),
        _t[10],
        case="three layers, with respect to a parameter of one",
    )
check.value("one layer", lambda: stack_log_prob(_x[:1], []), case="no layer, one row")
check.value(
    "one layer",
    lambda: stack_log_prob(_page, [lambda h: (0 * h[:, 1:] + 19.6, 0.3 * h[:, 1:])]),
    case="89 columns, log scales near 20",
)
check.value(
    "one layer",
    lambda: stack_log_prob(1.7e-9 * _x[:, :2], [lambda h: (0 * h - 19.6, 0.2 * h)]),
    case="log scales near -20, tiny numbers",
)
check.value(
    "stack",
    lambda: stack_log_prob(
        310 * _x[:, :2], [lambda h: (0 * h - 0.3, h), lambda h: (0 * h - 19.6, h - 270)]
    ),
    case="log scales near -20, large numbers",
)
check.value(
    "stack",
    lambda: stack_log_prob(
        _xx[:1, :2], [make(0.2 + 0.01 * _c, 0.1 * (-1) ** (_c // 2), 1) for _c in range(37)]
    ),
    case="37 layers, one row",
)
check.gradient(
    "gradient",
    lambda x: stack_log_prob(x, _seven),
    _xx[:2],
    case="seven layers, with respect to x",
)


# %% [markdown]
# ## Exercise 4. Draws from an autoregressive flow (9 min, 5 points)
#
# In an affine autoregressive flow, from data to noise,
#
# $$z_i = \left(x_i - t_i(x_{<i})\right) e^{-s_i(x_{<i})} ,$$
#
# where $x_{<i}$ are the columns before column $i$. The density takes one call of the network.
# Draws take more, because $s_i$ and $t_i$ are known only once the columns before $i$ are.
#
# Write `sample_autoregressive(z, net)`, which turns given noise into draws.
#
# - `z` has shape `(n, d)`, $d \ge 1$. `net` maps a tensor of shape `(n, d)` to a pair `(s, t)` of
#   such tensors; column $i$ of either depends on the columns before $i$ of its argument only, so
#   column 0 does not depend on anything.
# - Return `(x, log_p)`: the draws, shape `(n, d)`, exact up to rounding, and the flow's
#   log-density **at these draws**, shape `(n,)`.
#
# Points: draws 3, density 2.


# %% exercise="autoregressive-draws"
def sample_autoregressive(z, net):
    """Return the draws that belong to noise z, and the flow's log-density at them."""
    ### BEGIN SOLUTION
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = net(x)
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    return x, -(0.5 * z**2 + 0.5 * math.log(2 * math.pi) + s).sum(1)
    ### END SOLUTION


# %% [markdown] why="autoregressive-draws"
# Column $i$ needs only those before it, so drawing takes one call for each column, and the density
# comes with the last. Scoring takes a single call: that asymmetry is the price of an
# autoregressive flow.

# %% checks="autoregressive-draws" points=5
check = Checks("autoregressive-draws")


def chain(x):  # column i of the results depends on columns before i
    before = torch.cumsum(torch.sin(x + 0.5), dim=1).roll(1, 1)
    before[:, 0] = 0.4
    return 0.7 * torch.cos(2 * before), before**2 - 0.3


z = torch.tensor([[0.5, -1.0, 0.7], [-0.8, 0.25, 1.2]], dtype=torch.float64)
check.keeps("draws", lambda z: sample_autoregressive(z, chain), z.clone())
check.value("draws", lambda: sample_autoregressive(z, chain)[0], points=3)
check.value("density", lambda: sample_autoregressive(z, chain)[1], points=2)
check.report()

# %% hidden="autoregressive-draws"
_t = torch.linspace(-1.6, 1.9, 15, dtype=torch.float64)
_z = torch.sin(5 * _t).reshape(3, 5) - 0.2 * _t.reshape(3, 5)


def _back(pair):  # the noise that draws came from
    _draws = torch.as_tensor(pair[0])
    _s, _shift = chain(_draws)
    return (_draws - _shift) * torch.exp(-_s)


check.value("draws", lambda: sample_autoregressive(_z, chain)[0], case="five columns")
check.value(
    "draws", lambda: sample_autoregressive(_z[:1, :1], chain)[0], case="one row, one column"
)
check.value(
    "draws", lambda: sample_autoregressive(2.3 * _z[:2, 1:3], chain)[0], case="two columns"
)
check.law(
    "draws",
    "equal",
    lambda: _z,
    lambda: _back(sample_autoregressive(_z, chain)),
    case="the noise again from the draws",
)
check.value("density", lambda: sample_autoregressive(_z, chain)[1], case="five columns")
check.value(
    "density", lambda: sample_autoregressive(_z[:1, :1], chain)[1], case="one row, one column"
)
check.value(
    "density", lambda: sample_autoregressive(2.3 * _z[:2, 1:3], chain)[1], case="two columns"
)
_zz = torch.sin(torch.arange(63, dtype=_t.dtype) ** 2).reshape(7, 9)
check.value("draws", lambda: sample_autoregressive(_zz, chain)[0], case="seven rows, nine columns")
check.value(
    "density", lambda: sample_autoregressive(_zz, chain)[1], case="seven rows, nine columns"
)
_strict = torch.sin(torch.arange(196, dtype=_t.dtype) ** 2).reshape(14, 14).triu(1)


def _masked(x):  # a masked matrix, as in MADE
    _width = x.shape[1]
    _h = x @ _strict[:_width, :_width]
    return 0.3 * torch.cos(_h), 0.4 * _h - 0.2


def _loud(x):
    _s, _shift = chain(x)
    return 7.3 * _s - 0.6, _shift


_wide = torch.cos(torch.arange(42, dtype=_t.dtype) ** 2).reshape(3, 14)
check.value("draws", lambda: sample_autoregressive(_wide, _masked)[0], case="14 columns, masked")
check.value("density", lambda: sample_autoregressive(_wide, _masked)[1], case="14 columns, masked")
check.value("draws", lambda: sample_autoregressive(_z, _loud)[0], case="log scales beyond 4")
check.value("density", lambda: sample_autoregressive(_z, _loud)[1], case="log scales beyond 4")


def _lever(x):  # a small column moves a large one
    _first, _second = x[:, :1], x[:, 1:2]
    return 0 * x, torch.cat([0 * _first, _first, 900 * _second], dim=1)


_speck = torch.tensor([[2e-7, 0.0, 0.0]], dtype=_t.dtype)
check.value("draws", lambda: sample_autoregressive(_speck, _lever)[0], case="tiny noise")


def _sum(x):  # each column is the sum of all before
    _before = torch.cumsum(x, dim=1).roll(1, 1)
    _before[:, 0] = 0.0
    return 0.1 * torch.cos(0.1 * _before), 0.2 * torch.sin(0.1 * _before) - 0.03


_strip = torch.sin(torch.arange(178, dtype=_t.dtype) ** 2).reshape(2, 89)
check.value("draws", lambda: sample_autoregressive(0.2 * _strip, _sum)[0], case="89 columns")
check.value("density", lambda: sample_autoregressive(0.2 * _strip, _sum)[1], case="89 columns")
check.value("draws", lambda: sample_autoregressive(_z[:, :3], chain)[0], case="three by three")
check.value("density", lambda: sample_autoregressive(_z[:, :3], chain)[1], case="three by three")
check.value("draws", lambda: sample_autoregressive(0 * _z, chain)[0], case="noise of zero")
check.value("draws", lambda: sample_autoregressive(90 * _z, chain)[0], case="noise far out")
check.value("density", lambda: sample_autoregressive(90 * _z, chain)[1], case="noise far out")
check.value(
    "density",
    lambda: sample_autoregressive(1e-3 * _z, lambda x: (0 * x - 17.3, 0 * x + 0.4))[1],
    case="log scales of -17.3",
)
check.value(
    "draws",
    lambda: sample_autoregressive(_z[:, :1], lambda x: (0 * x - 1.7, 0 * x + 0.4))[0],
    case="one column, three rows",
)
check.value("density", lambda: sample_autoregressive(_z[:1], chain)[1], case="one row")
check.value("draws", lambda: sample_autoregressive(_z[:1], chain)[0], case="one row")
check.value("density", lambda: sample_autoregressive(_z[:, :1], chain)[1], case="one column")


def _levers(x):  # each column moves the next one, far
    return 0 * x, 930 * x.roll(1, 1) * (torch.arange(x.shape[1]) > 0)


def _walk(x):  # each column starts from the one before
    _first = torch.arange(x.shape[1]) == 0
    _before = x.roll(1, 1).masked_fill(_first, 0.2)
    return 0.03 * torch.cos(_before) - 0.1, _before


def _spread(x):  # log scales and shifts of all sizes
    return torch.tensor([13.2, -30.3, 6.1, -21.7, 0.4]) + 0 * x, 930 * torch.cos(
        _walk(x)[1]
    ) * torch.tensor([1, 0, 1, 0, 1])


_seed = torch.tensor([[1.3e-9, 0.0, 0.0, 0.0], [0.0, -2.1e-9, 0.0, 0.0]], dtype=_t.dtype)


def _flat(x):
    return 0 * x - 4.6, 0 * x - 870


def _narrow(x):
    return 0.01 * _walk(x)[1] - 9.3, 0 * x


check.value("draws", lambda: sample_autoregressive(_seed, _levers)[0], case="very tiny noise")
check.value(
    "draws",
    lambda: sample_autoregressive(torch.cat([_seed[:1], 300 + _seed[:1, 1:2]], 1), _levers)[0],
    case="tiny noise beside a large one",
)
check.value(
    "draws",
    lambda: sample_autoregressive(_strip, _walk)[0],
    case="89 columns, each from the one before",
)
check.value(
    "density",
    lambda: sample_autoregressive(_strip, _walk)[1],
    case="89 columns, each from the one before",
)
check.value(
    "draws",
    lambda: sample_autoregressive(1e-3 * _z, _spread)[0],
    case="log scales from -30 to 13",
)
check.value(
    "density",
    lambda: sample_autoregressive(1e-3 * _z, _spread)[1],
    case="log scales from -30 to 13",
)
check.value(
    "draws",
    lambda: sample_autoregressive(960 * torch.cos(9 * _z), _flat)[0],
    case="noise and shifts in the hundreds",
)
check.value(
    "density",
    lambda: sample_autoregressive(960 * torch.cos(9 * _z), _flat)[1],
    case="noise and shifts in the hundreds",
)
check.value(
    "density",
    lambda: sample_autoregressive(0.1 * _strip, _narrow)[1],
    case="89 columns, log scales near -9",
)


# %% [markdown]
# ## Exercise 5. Is it normalised? (8 min, 5 points)
#
# The integral of a density over the plane must be 1, and its logarithm 0. In logarithms the test
# works for unnormalised densities too, however small or large their values are.
#
# Write `log_integral(log_p, low, high, n)`: the natural logarithm of the integral of
# $e^{\text{log\_p}}$ over the rectangle from `low` to `high`, by the midpoint rule.
#
# - `log_p` maps points, a tensor of shape `(m, 2)`, to their log values, shape `(m,)`. `low` and
#   `high` are pairs of numbers: coordinate $j$ runs from `low[j]` to `high[j]`.
# - Cut either side of the rectangle into `n` equal parts, $n \ge 1$, which makes $n^2$ equal
#   cells. The integral is the sum over the cells of area times value **at the centre**.
# - Return a 0-d tensor or a number. It must be right where the values themselves overflow or
#   underflow: log values are up to ten thousand in size.
#
# Points: square 2, rectangle 1, stability 2.


# %% exercise="log-integral"
def log_integral(log_p, low, high, n):
    """Return the log of the integral of exp(log_p) over a rectangle, by the midpoint rule."""
    ### BEGIN SOLUTION
    steps = [(b - a) / n for a, b in zip(low, high, strict=True)]
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    sides = [a + step * middle for a, step in zip(low, steps, strict=True)]
    values = log_p(torch.cartesian_prod(*sides))
    return torch.logsumexp(values, dim=0) + math.log(steps[0] * steps[1])
    ### END SOLUTION


# %% [markdown] why="log-integral"
# The midpoint rule is a sum of heights times one area. As logarithms that is a `logsumexp` plus
# the logarithm of the area, and no density underflows.

# %% checks="log-integral" points=5
check = Checks("log-integral")


def bump(points):
    x, y = points.unbind(1)
    return -0.5 * x**2 - (y - 0.5 * x) ** 2 + 0.1 * y


square, wide = ((-2.0, -2.0), (2.0, 2.0)), ((-1.0, -3.0), (2.0, 5.0))
check.value("square", lambda: log_integral(bump, *square, 5), points=2)
check.value("square", lambda: log_integral(lambda p: 0 * p[:, 0], *square, 3))
check.value("rectangle", lambda: log_integral(bump, *wide, 6), points=1)
check.value("stability", lambda: log_integral(lambda p: bump(p) - 2000, *square, 5), points=2)
check.value("stability", lambda: log_integral(lambda p: bump(p) + 1500, *square, 5))
check.report()


# %% hidden="log-integral"
def _ridge(points):
    _x0, _x1 = points.unbind(1)
    return torch.sin(2 * _x0) - 0.3 * _x1**2 + 0.7 * _x0 * torch.cos(_x1)


check.value(
    "square", lambda: log_integral(_ridge, (-1.7, -1.7), (2.6, 2.6), 7), case="seven cells a side"
)
check.value("square", lambda: log_integral(_ridge, (0.3, 0.3), (1.9, 1.9), 1), case="one cell")
check.value(
    "square",
    lambda: log_integral(lambda p: 1.3 * bump(p), (-4.1, -4.1), (4.3, 4.3), 40),
    case="40 cells a side",
)
check.value(
    "rectangle", lambda: log_integral(_ridge, (-0.4, 1.1), (3.3, 1.9), 9), case="nine cells a side"
)
check.value(
    "rectangle", lambda: log_integral(bump, (-6.3, -0.7), (-1.2, 0.6), 4), case="four cells a side"
)
check.law(
    "rectangle",
    "equal",
    lambda: log_integral(_ridge, (-0.4, 1.1), (3.3, 1.9), 5),
    lambda: log_integral(lambda p: _ridge(p.flip(1)), (1.1, -0.4), (1.9, 3.3), 5),
    case="the axes exchanged",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: 910 * _ridge(p), (-1, -1), (2.2, 2.2), 6),
    case="log densities in the hundreds",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: 17 * _ridge(p) - 961, (0, 0), (1.5, 1.5), 4),
    case="log densities near -961",
)
check.value(
    "rectangle",
    lambda: log_integral(lambda p: _ridge(300 * (p - 990)), (990, 989.99), (990.01, 990.003), 6),
    case="a place near a thousand, sides of hundredths",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: 2100.0 * p[:, 0] + _ridge(p), (-1, -1), (1.3, 1.3), 5),
    case="a steep density",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: _ridge(p) - 9200, (0, 0), (1.5, 1.5), 4),
    case="log densities near -9200",
)
check.value(
    "square", lambda: log_integral(_ridge, (-1.1, -1.1), (1.7, 1.7), 97), case="97 cells a side"
)
check.value(
    "square", lambda: log_integral(bump, (-1, -1), (2, 2), 2), case="two cells, whole numbers"
)
check.value(
    "rectangle", lambda: log_integral(_ridge, (-3, 0), (-1, 5), 3), case="sides of whole numbers"
)
check.value("rectangle", lambda: log_integral(_ridge, [-0.4, 1.1], [3.3, 1.9], 1), case="one cell")
check.value(
    "rectangle",
    lambda: log_integral(lambda p: 0 * p[:, 0] - 0.37, (-0.4, 1.1), (3.3, 1.9), 53),
    case="a constant, 53 cells a side",
)
check.value(
    "rectangle",
    lambda: log_integral(lambda p: _ridge(0.01 * p), (-870, -3), (930, 0.001), 31),
    case="a very long rectangle",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: 9100 * torch.tanh(p[:, 1] - 0.4), (-1, -1), (1.3, 1.3), 9),
    case="log densities from -9000 to 9000",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: _ridge(p) + 9996.3, (0, 0), (1.5, 1.5), 1) - 9996,
    case="log densities near 9996, one cell",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: _ridge(p) - 9700.3, (0, 0), (1.5, 1.7), 37) + 9700,
    case="log densities near -9700, 37 cells a side",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: _ridge(p) - 9996, (0, 0), (1.5, 1.7), 3) + 9996,
    case="log densities near -9996",
)
check.value(
    "rectangle",
    lambda: log_integral(_ridge, (0.31, -0.42), (0.3113, -0.4189), 97),
    case="tiny sides, 97 cells a side",
)
check.value(
    "rectangle",
    lambda: log_integral(lambda p: _ridge(0.01 * p), (-910, -870), (930, 913), 1),
    case="a huge cell",
)
check.value(
    "stability",
    lambda: log_integral(
        lambda p: 9100 * torch.exp(-9 * ((p[:, 0] - 0.61) ** 2 + (p[:, 1] + 0.37) ** 2)),
        (-2, -2),
        (2.3, 2.1),
        11,
    ),
    case="a high peak",
)
check.value(
    "stability",
    lambda: log_integral(lambda p: 9.1 * p[:, 0] + _ridge(p) - 8990, (-7.1, -2), (996, 1.3), 59),
    case="a long slope",
)


# %% [markdown]
# ## Exercise 6. Bits per dimension (10 min, 4 points)
#
# Pictures of `levels` grey levels are dequantised with given noise and scaled to
# $y = (k + u) / \text{levels}$, between 0 and 1. A model on that interval would waste probability
# outside, so many flows first stretch it to the whole line:
#
# $$v = \log \frac{q}{1 - q} , \qquad q = \alpha + (1 - 2\alpha)\, y .$$
#
# Write `bits_per_dim(counts, noise, levels, log_prob, alpha=None)`.
#
# - `counts` has shape `(n, d)` and holds whole numbers from 0 to `levels - 1` (int64); `noise` has
#   the same shape, float64, with values from $10^{-9}$ to $1 - 10^{-9}$.
# - `log_prob` maps a tensor of shape `(n, d)` to the log-density of each row, shape `(n,)`, in
#   nats, at most $10^5$ in size. If `alpha` is `None`, the model sees $y$, and its density is one
#   of $y$. Otherwise `alpha`, which is 0 or at least $10^{-6}$ and below ½, is the $\alpha$ above:
#   the model sees $v$, and its density is one of $v$.
# - Return, as a 0-d tensor or number, the **mean** over the rows of $-\log_2 p(k + u) / d$, where
#   $p$ is the density **of $k + u$**, per grey level.
#
# Points: scale 2, logit 2.


# %% exercise="bits-per-dimension"
def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    """Return the mean bits per dimension of dequantised counts under a density model."""
    ### BEGIN SOLUTION
    y = (counts + noise) / levels
    log_det = torch.full_like(y, -math.log(levels))
    if alpha is not None:
        y = alpha + (1 - 2 * alpha) * y
        log_det = log_det + math.log(1 - 2 * alpha) - y.log() - (1 - y).log()
        y = y.log() - (1 - y).log()
    nats = -(log_prob(y) + log_det.sum(1))
    return nats.mean() / (y.shape[1] * math.log(2))
    ### END SOLUTION


# %% [markdown] why="bits-per-dimension"
# Each change of scale has its logarithm: dividing by the levels, squeezing to keep off the edges,
# and the logit itself. Forget one, and models on different scales seem to differ.

# %% checks="bits-per-dimension" points=4
check = Checks("bits-per-dimension")


def tilted(y):  # a density on the unit cube
    return torch.log(0.4 + 1.2 * y).sum(1)


def logistic(v):  # standard logistic coordinates
    return (-v - 2 * torch.nn.functional.softplus(-v)).sum(1)


def shifted(v):
    return logistic(v - 0.8)


counts = torch.tensor([[0, 3, 2], [1, 1, 3]])
noise = torch.tensor([[0.3, 0.9, 0.5], [0.2, 0.6, 0.1]], dtype=torch.float64)
check.keeps("scale", lambda k, u: bits_per_dim(k, u, 4, tilted), counts.clone(), noise)
check.value("scale", lambda: bits_per_dim(counts, noise, 4, tilted), points=2)
check.value("logit", lambda: bits_per_dim(counts, noise, 4, shifted, 0.05), points=2)
check.value("logit", lambda: bits_per_dim(counts, noise, 4, logistic, 0.0))
check.report()

# %% hidden="bits-per-dimension"
_t = torch.linspace(0.03, 0.97, 20, dtype=torch.float64)
_u = (0.5 + 0.49 * torch.sin(9 * _t)).reshape(4, 5)
_k = ((37 * torch.arange(20)) % 17).reshape(4, 5)
check.value("scale", lambda: bits_per_dim(_k, _u, 17, tilted), case="17 levels")
check.value("scale", lambda: bits_per_dim(_k[:1], _u[:1], 17, tilted), case="one image")
check.value(
    "scale",
    lambda: bits_per_dim(15 * _k[:, :2], _u[:, :2], 256, lambda y: -3.1 * y[:, 0]),
    case="256 levels, two pixels",
)
check.value("logit", lambda: bits_per_dim(_k, _u, 17, shifted, 0.02), case="17 levels")
check.value(
    "logit", lambda: bits_per_dim(_k[2:3, :1], _u[2:3, :1], 23, shifted, 0.11), case="one pixel"
)
check.value(
    "logit",
    lambda: bits_per_dim(_k, _u, 19, lambda v: -0.3 * (v**2).sum(1), 1e-5),
    case="a tiny alpha",
)
check.law(
    "logit",
    "equal",
    lambda: bits_per_dim(_k, _u, 17, logistic, 0.0),
    lambda: bits_per_dim(_k, _u, 17, lambda y: 0 * y[:, 0]),
    case="a logistic density against a constant one",
)
check.value(
    "logit", lambda: bits_per_dim(_k, _u, 17, shifted, 0), case="an alpha of 0, a whole number"
)
_low = torch.tensor([[0, 5], [0, 2]]), torch.tensor([[3e-7, 0.4], [0.7, 0.2]]).double()
_high = torch.tensor([[16, 5], [16, 2]]), 1 - _low[1]
check.value("logit", lambda: bits_per_dim(*_low, 17, shifted, 0.0), case="noise next to 0")
check.value("logit", lambda: bits_per_dim(*_high, 17, shifted, 0.0), case="noise next to 1")
check.value(
    "logit",
    lambda: bits_per_dim(_low[0], 0.01 * _low[1], 17, lambda v: -0.3 * (v**2).sum(1), 0.0),
    case="noise of some billionths",
)
check.value("scale", lambda: bits_per_dim(53 * _k, _u, 1000, tilted), case="1000 levels")
check.value("logit", lambda: bits_per_dim(53 * _k, _u, 1000, shifted, 0.03), case="1000 levels")
_cells = (
    torch.tensor([[0, 0, 1], [1, 0, 1]]),
    torch.tensor([[0.31, 0.77, 0.2], [0.9, 0.4, 0.6]]).double(),
)
check.value("scale", lambda: bits_per_dim(*_cells, 2, tilted), case="two levels")
check.value("logit", lambda: bits_per_dim(*_cells, 2, shifted, 0.07), case="two levels")
check.value("scale", lambda: bits_per_dim(_cells[0] * 0, _cells[1], 1, tilted), case="one level")
check.value("scale", lambda: bits_per_dim(_k[:, :4], _u[:, :4], 17, tilted), case="four by four")
check.value("scale", lambda: bits_per_dim(_k[:, :1], _u[:, :1], 17, tilted), case="one pixel")
check.value(
    "logit", lambda: bits_per_dim(_k, _u, 17, shifted, 0.4993), case="an alpha just below a half"
)
check.value(
    "logit",
    lambda: bits_per_dim(_low[0], 0.01 * _low[1], 17, lambda v: -0.3 * (v**2).sum(1), 1.3e-6),
    case="a tiny alpha, noise of some billionths",
)
check.value(
    "logit",
    lambda: bits_per_dim(_high[0], 1 - 0.01 * _low[1], 17, lambda v: -0.3 * (v**2).sum(1), 0.0),
    case="noise some billionths below 1",
)
_wide = (17 * torch.arange(178).reshape(2, 89) ** 2) % 61
_hum = (0.5 + 0.47 * torch.sin(torch.arange(178.0) ** 2)).double().reshape(2, 89)
check.value("scale", lambda: bits_per_dim(_wide, _hum, 61, tilted), case="89 pixels")
check.value("logit", lambda: bits_per_dim(_wide, _hum, 61, shifted, 0.013), case="89 pixels")
check.value(
    "scale",
    lambda: bits_per_dim(_wide, _hum, 61, lambda y: 900 * tilted(y)),
    case="log densities in the thousands",
)
check.value("scale", lambda: bits_per_dim(0 * _k, _u, 17, tilted), case="all counts 0")
check.value("scale", lambda: bits_per_dim(0 * _k + 16, _u, 17, tilted), case="all counts highest")
check.value("logit", lambda: bits_per_dim(_k[:, :1], _u[:, :1], 17, shifted, 0.02), case="a pixel")
check.value("logit", lambda: bits_per_dim(_k[:1], _u[:1], 17, shifted, 0.07), case="one image")
_grain = 1.1e-9 + 3e-9 * _hum
check.value(
    "logit",
    lambda: bits_per_dim(0 * _wide, _grain, 997, lambda v: -0.3 * (v**2).sum(1), 0.0),
    case="89 pixels, all counts 0, noise of some billionths",
)
check.value(
    "logit",
    lambda: bits_per_dim(
        0 * _k + 192, 1 - _grain[:, :10].reshape(4, 5), 193, lambda v: -0.3 * (v**2).sum(1), 0.0
    ),
    case="all counts highest, noise some billionths below 1",
)
check.value(
    "logit",
    lambda: bits_per_dim(_wide, _hum, 61, shifted, 0.49997),
    case="89 pixels, an alpha very near a half",
)
_film = (torch.arange(291) ** 2 % 23).reshape(97, 3)
_dust = (0.5 + 0.46 * torch.sin(torch.arange(291.0).double() ** 2)).reshape(97, 3)
check.value("scale", lambda: bits_per_dim(_film, _dust, 23, tilted), case="97 images")
check.value("logit", lambda: bits_per_dim(_film, _dust, 23, shifted, 0.03), case="97 images")
check.value(
    "scale",
    lambda: bits_per_dim(_k, _u, 17, lambda y: 50 * torch.sin(3e4 * y).sum(1)),
    case="a density that changes fast",
)
check.value(
    "logit",
    lambda: bits_per_dim(_k, _u, 17, lambda v: shifted(v) + 70, 0.02),
    case="high log densities",
)
check.value("logit", lambda: bits_per_dim(0 * _k, _u, 1, shifted, 0.07), case="one level")


# %% [markdown]
# ## Exercise 7. In words: the grey picture (5 min, 3 points)
#
# A flow was trained on photographs of street scenes and has a good test NLL. A plain grey picture
# gets a higher log-density than every photograph in the training set. "So the flow is broken",
# says one colleague. "No, the grey picture is the most typical of all", says another. Answer in at
# most 120 words: why both are wrong, with an example in which you know the truth, and propose a
# rule for odd pictures that would catch the grey one. A person reads and grades this answer; no
# check runs.

# %% [markdown] written="the-grey-picture" points=3
# ### BEGIN SOLUTION
# Density is not probability. In a Normal with a thousand dimensions the mean has the highest
# density of all, yet no draw is ever near it: draws lie at a distance of about the square root of
# 1000, where there is so much more room. A grey picture is like that mean: smooth pictures are
# cheap to code, there are very few of them, and a model with an excellent NLL on photographs may
# give them a high density. So the flow need not be broken, and the picture is not typical. A rule:
# compare its log-density with those of held-out photographs, and ring on *both* sides, above a
# high quantile as below a low one.
#
# **Rubric.** One point for density against probability: few points with a high density carry
# little mass. One point for an example with a known truth, such as the mean of a Normal in many
# dimensions. One point for a rule that catches the picture: two-sided on held-out log-densities,
# or another statistic beside density. "A threshold on the density" alone earns no third point.
# ### END SOLUTION
