# %% [markdown]
# # Assignment 07: MC dropout, honestly
#
# Six exercises in code and one in words, 30 points, about 70 minutes. You build MC dropout from
# its parts: the switch, the random functions, their moments without sampling, the band for $y$,
# the number of passes, and the probabilities of a classifier. Masks and passes are handed to your
# functions wherever chance would otherwise decide, so every result is fixed. Inputs that are
# arrays are PyTorch tensors of float64.
#
# Every function leaves its inputs and the global random generators as they are. Where an exercise
# names no other range, numbers are at most a million in size, what must be positive is at least a
# millionth, no axis is empty or longer than a hundred, and nothing is infinite or `nan`.
#
# Run the check cell below an exercise as often as you like. It shows what came, what was
# expected, and often why. More cases run when your work is graded.

# %%
import contextlib
import math

import torch
from torch import nn

from course_utils.checks import Checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1. Dropout on, all else off (15 min, 6 points)
#
# Write `only_dropout(net)`, a context manager for sampling from a network:
#
#     with only_dropout(net):
#         passes = torch.stack([net(x) for _ in range(100)])
#
# - Inside the block, each dropout module of `net`, however deeply nested, is in training mode, and
#   every other module, `net` included, is in evaluation mode. Dropout modules are the instances of
#   `nn.Dropout` or `nn.Dropout1d`, those of subclasses included; no network here has another kind,
#   and no dropout module has modules inside. (Elsewhere look for `Dropout2d`, `Dropout3d` and
#   `AlphaDropout`, too. And a forward pass that calls `F.dropout` has no module to switch on: no
#   such block finds it, and nothing warns.)
# - After the block, every module is in the mode in which it was before, whichever that was: some
#   users keep a part of a network frozen in evaluation mode while the rest trains. This holds
#   also if the block raises an exception, which must reach the caller.
# - Nothing else about the network changes. If `net` itself is a dropout module, it is switched on.
#
# The checks use `Known`, a dropout layer with a mask that is no secret: in training it drops every
# second unit. `contextlib.contextmanager` turns a generator function into a context manager; a
# class with `__enter__` and `__exit__` is fine, too.
#
# Points: dropout 2, others 2, restored 2.


# %%
class Known(nn.Dropout):
    """Dropout that drops every second unit in training, so that results can be compared."""

    def forward(self, x):
        mask = torch.arange(x.shape[-1]) % 2
        return x * mask / (1 - self.p) if self.training else x


# %% exercise="only-dropout"
@contextlib.contextmanager
def only_dropout(net):
    """Switch on the dropout modules of net, and nothing else, inside a with block."""
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
    ### END SOLUTION


# %% [markdown] why="only-dropout"
# `net.train()` would wake batch normalisation, too, which then learns from the test data. Only
# dropout's own switch is turned; `try ... finally` turns all of them back, also after an
# exception.

# %% checks="only-dropout" points=6
check = Checks("only-dropout")


def inside(net, x):  # the output inside the block, then outside
    with only_dropout(net):
        result = net(x)
    return torch.stack([result, net(x)])


def modes_after(net, error=None):  # the mode of each module after the block
    with contextlib.suppress(KeyError), only_dropout(net):
        if error:
            raise error
    return [float(module.training) for module in net.modules()]


def averages(net, x):  # the output inside, and what the running mean is afterwards
    with only_dropout(net):
        return torch.cat([net(x), net[0].running_mean[None]])


t = torch.linspace(-1, 2, 12, dtype=torch.float64).reshape(3, 4)
nested = nn.Sequential(nn.Tanh(), nn.Sequential(Known(0.2), nn.ReLU())).eval()
norm = nn.Sequential(nn.BatchNorm1d(4, dtype=torch.float64), nn.Tanh())
frozen = nn.Sequential(Known(0.5), nn.BatchNorm1d(4, dtype=torch.float64), nn.ReLU())
frozen[1].eval()
check.keeps("dropout", lambda x: inside(nested, x), t.clone())
check.value("dropout", lambda: inside(nested, t), points=2)
check.value("dropout", lambda: inside(Known(0.2).eval(), t))
check.value("dropout", lambda: inside(nn.Dropout(1.0).eval(), t))
check.value("others", lambda: averages(norm.train(), t), points=2)
check.value("others", lambda: averages(norm.eval(), t))
check.value("restored", lambda: modes_after(frozen), points=2)
check.value("restored", lambda: modes_after(frozen.eval(), error=KeyError("from the block")))
check.report()

# %% hidden="only-dropout"
_t = torch.linspace(-1.7, 2.3, 15, dtype=torch.float64).reshape(3, 5)


class _Renamed(Known):
    pass


class _Channels(nn.Dropout1d):
    def forward(self, x):
        return x.cumsum(-1) / (1 - self.p) if self.training else x


class _Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"a": nn.Sequential(_Renamed(0.37), nn.Tanh())})

    def forward(self, x):
        return self.parts["a"](torch.nn.functional.dropout(1.3 * x, 0.5, self.training))


def _mixed(*still):
    _net = nn.Sequential(Known(0.41), nn.BatchNorm1d(5, dtype=_t.dtype), nn.Sequential(nn.ReLU()))
    _net[1].running_mean += 0.23
    for _i in still:
        _net[_i].eval()
    return _net


def _afterwards(net, x, error=None):
    with contextlib.suppress(ZeroDivisionError), only_dropout(net):
        if error:
            raise error
    return torch.cat([net(x), net[1].running_mean[None]])


def _reached(net):
    try:
        with only_dropout(net):
            raise ZeroDivisionError
    except ZeroDivisionError:
        return float(net.training) + 0.37
    return -1.0


check.value(
    "dropout",
    lambda: inside(nn.Sequential(nn.Tanh(), _Renamed(0.37)).eval(), _t),
    case="a class derived from Dropout",
)
check.value(
    "dropout",
    lambda: inside(nn.Sequential(_Channels(0.23), nn.Tanh()).eval(), _t),
    case="Dropout1d",
)
check.value(
    "dropout",
    lambda: inside(_Functional().eval(), _t),
    case="dropout in a dictionary of modules, two levels down",
)
check.value(
    "others",
    lambda: averages(nn.Sequential(nn.BatchNorm1d(5, dtype=_t.dtype)), _t),
    case="batch normalisation",
)
check.value(
    "others",
    lambda: averages(nn.Sequential(nn.BatchNorm1d(5, dtype=_t.dtype)), _t[:1]),
    case="batch normalisation, one row",
)
check.value("restored", lambda: _afterwards(_mixed(), _t), case="a network in training")
check.value("restored", lambda: _afterwards(_mixed(1), _t), case="a frozen batch normalisation")
check.value("restored", lambda: _afterwards(_mixed(0), _t), case="a frozen dropout")
check.value(
    "restored",
    lambda: _afterwards(_mixed(0, 1).eval(), _t),
    case="both frozen, the network in evaluation",
)
check.value(
    "restored",
    lambda: _afterwards(_mixed(0), _t, ZeroDivisionError()),
    case="after an error inside the block",
)
check.value("restored", lambda: _reached(_mixed(1)), case="an error inside the block comes out")
check.value(
    "restored", lambda: _reached(_mixed(1).eval()), case="an error inside the block, in evaluation"
)
check.value("restored", lambda: modes_after(_mixed(1, 2)), case="frozen modules, nested")


def _deep(*still):
    _inner = nn.Sequential(nn.Linear(5, 5).double(), Known(0.29), nn.Sequential(Known(0.17)))
    _net = nn.Sequential(nn.Sequential(nn.Tanh(), _inner), nn.Sequential(nn.Tanh(), Known(0.37)))
    for _name in still:
        _net.get_submodule(_name).training = False
    return _net


def _as_number(flags):
    return float(sum(1.37**i for i, flag in enumerate(flags) if flag))


def _kept(net):
    with only_dropout(net):
        _inside = [(m.training, isinstance(m, nn.Dropout)) for m in net.modules()]
    _after = [m.training for m in net.modules()]
    _groups = (
        [_on for _on, _drops in _inside if _drops],
        [_on for _on, _drops in _inside if not _drops],
    )
    return [_as_number(_modes) for _modes in (*_groups, _after)]


check.value("dropout", lambda: _kept(_deep().eval())[0], case="dropout three levels deep")
check.value("others", lambda: 1.9 + _kept(_deep())[1], case="ten modules, three levels deep")
check.value("restored", lambda: _kept(_deep().eval())[2] + 0.7, case="all ten modules frozen")
check.value(
    "restored",
    lambda: _kept(_deep("0.1", "0.1.1", "1.1"))[2],
    case="modules frozen two levels down",
)
check.value(
    "restored",
    lambda: _kept(_deep("0", "0.0", "0.1", "0.1.0", "0.1.2", "1"))[2],
    case="most modules frozen",
)
check.value(
    "restored",
    lambda: _kept(_deep("0.1.2.0", "1.0"))[2],
    case="a dropout frozen three levels down",
)


def _shared():
    _part = nn.Tanh().eval()
    return nn.Sequential(_part, nn.Sequential(nn.ReLU(), _part, Known(0.2)))


def _one_mask():  # in two blocks, as when both are to drop the same units
    _part = Known(0.37)
    return nn.Sequential(nn.Sequential(_part), nn.Sequential(nn.Tanh(), _part))


check.value(
    "dropout", lambda: inside(_one_mask().eval(), _t), case="a dropout that occurs in two blocks"
)
check.value(
    "restored",
    lambda: [_as_number(modes_after(_shared())), 1.3],
    case="a frozen part that occurs twice",
)


class _Stop(BaseException):  # as when a user interrupts: no Exception
    pass


def _after_stop(net):
    with contextlib.suppress(_Stop), only_dropout(net):
        raise _Stop
    return _as_number([m.training for m in net.modules()])


check.value("restored", lambda: _after_stop(_deep("0", "1.0")), case="an interrupted block")


def _during(net):
    with only_dropout(net):
        return [m.training for m in net.modules()]


def _rated():
    net = nn.Sequential(nn.Tanh(), Known(0.2))
    net[0].p = 0.37
    return net


def _after(net, act):
    with only_dropout(net):
        act(net)
    return [m.training for m in net.modules()]


def _twice(net):
    with only_dropout(net), only_dropout(net):
        pass
    return [m.training for m in net.modules()]


def _attributes(net):
    before = [sorted(vars(m)) for m in net.modules()]
    with only_dropout(net):
        pass
    return float(before == [sorted(vars(m)) for m in net.modules()])


def _grad_after(net, x):
    net(x).sum().backward()
    with only_dropout(net):
        pass
    return net.weight.grad


def _product(x):
    net = nn.Linear(4, 1, bias=False, dtype=x.dtype)
    net.weight = nn.Parameter(x.detach()[:1] + 0.4)
    with only_dropout(net):
        out = net(x).sum()
        return x.sum() * torch.autograd.grad(out, net.weight)[0].sum()


def _comes_out(net, error):
    try:
        with only_dropout(net):
            raise error
    except BaseException as caught:
        return float(caught is error)
    return -1.0


def _gap(net):
    net.register_module("skip", None)
    net.forward = lambda x: net[0](x)
    return net


def _wrapped(net, depth):
    for _ in range(depth):
        net = nn.Sequential(net)
    return net


check.value(
    "dropout", lambda: inside(nn.Sequential(nn.Tanh(), Known(0.0)).eval(), _t), case="a rate of 0"
)
check.value(
    "others",
    lambda: [_as_number(_during(_rated())), 1.3],
    case="a module with an attribute p that is no dropout",
)
check.value(
    "restored",
    lambda: [_as_number(_after(_deep("0"), lambda net: net.eval())), 1.3],
    case="a block that calls net.eval()",
)
check.value(
    "restored", lambda: [_as_number(_twice(_deep("0"))), 1.3], case="a block within a block"
)
check.value("others", lambda: 1.3 + _attributes(_deep()), case="no attribute is left behind")
check.value(
    "others",
    lambda: _grad_after(nn.Linear(4, 1, dtype=t.dtype), t),
    case="gradients from before are kept",
)
check.gradient("others", lambda x: _product(x), t, case="gradients of a weight inside the block")
check.value(
    "restored",
    lambda: 1.3 + _comes_out(_deep(), KeyboardInterrupt()),
    case="an interrupt reaches the caller",
)
check.value(
    "restored",
    lambda: 1.3 + _comes_out(_deep(), KeyError("a")),
    case="the exception that arrives is the one that was raised",
)
check.value(
    "dropout",
    lambda: inside(_gap(nn.Sequential(Known(0.37)).eval()), _t),
    case="a place without a module",
)
check.value(
    "dropout", lambda: inside(_wrapped(Known(0.37), 9).eval(), _t), case="nine levels deep"
)


def _asks(net):
    net[1].weight.requires_grad_(False)
    with only_dropout(net):
        _during_it = [p.requires_grad for p in net.parameters()]
    return [*_during_it, *(p.requires_grad for p in net.parameters())]


check.value(
    "others",
    lambda: [_as_number(_asks(_mixed())), 1.3],
    case="a parameter that asks for no gradient",
)


class _DropoutBlock(nn.Module):  # no dropout, though it holds some
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([nn.Tanh(), Known(0.37, inplace=True), nn.Dropout(1.0)])

    def forward(self, x):
        return self.parts[1](1.3 * x if self.training else x) + self.parts[2](x)


def _in_place(net):
    with only_dropout(net):
        pass
    return float(net.parts[1].inplace)


check.value("dropout", lambda: inside(_Channels(0.23).eval(), _t), case="Dropout1d by itself")
check.value("dropout", lambda: inside(_DropoutBlock().eval(), _t), case="dropout in a list")
check.value("dropout", lambda: inside(_wrapped(Known(0.37), 40).eval(), _t), case="forty levels")
check.value(
    "others",
    lambda: 1.3 + _kept(_DropoutBlock())[1],
    case="a module that is named after dropout",
)
check.value("others", lambda: 1.3 + _in_place(_DropoutBlock()), case="dropout that works in place")
check.value(
    "restored",
    lambda: 1.3 + _comes_out(_deep(), StopIteration("over")),
    case="a StopIteration reaches the caller",
)


# %% [markdown]
# ## Exercise 2. Functions drawn by dropout (10 min, 4 points)
#
# `nn.Dropout` gives every row of a batch a mask of its own. For a draw of a whole *function* the
# mask must stay the same for all inputs. A network with one hidden layer:
#
# $$f_t(x) = \sum_j z_{tj}\, v_j\, \mathrm{relu}\Big(b_j + \sum_k x_k W_{kj}\Big), \qquad
#   z_{tj} = \begin{cases} 0 & u_{tj} < p \\ 1 / (1 - p) & \text{else} \end{cases}$$
#
# Write `dropout_functions(x, W, b, v, p, u)`, which returns $f_t(x_i)$ as a tensor of shape
# `(T, n)`: one row for each function, one column for each input.
#
# - `x` has shape `(n, d)`, `W` `(d, H)`, `b` and `v` `(H,)`, `u` `(T, H)`; `p` is a number in
#   $[0, 1)$. Entries of `u` lie in $[0, 1]$, none within a millionth of `p` unless it equals `p`;
#   other numbers are at most ten in size.
# - Gradients with respect to `W`, `b` and `v` flow.
#
# Points: value 3, gradient 1.


# %% exercise="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    """Return the values, shape (T, n), of T functions drawn by dropout."""
    ### BEGIN SOLUTION
    z = (u >= p).to(x.dtype) / (1 - p)
    hidden = torch.relu(x @ W + b)
    return (z * v) @ hidden.T
    ### END SOLUTION


# %% [markdown] why="dropout-functions"
# One mask for each pass, the same for all $n$ inputs: that makes a function of each draw, not a
# cloud of points. Dividing what stays by $1 - p$ keeps the mean.

# %% checks="dropout-functions" points=4
check = Checks("dropout-functions")
x = torch.tensor([[1.0], [-0.5], [2.0]], dtype=torch.float64)
W = torch.tensor([[1.0, -2.0, 0.5, 1.5]], dtype=torch.float64)
b = torch.tensor([0.75, 0.5, -0.25, 0.2], dtype=torch.float64)
v = torch.tensor([1.0, 2.0, 4.0, -1.0], dtype=torch.float64)
u = torch.tensor([[0.1, 0.9, 0.2, 0.7], [0.8, 0.3, 0.25, 0.1]], dtype=torch.float64)
check.keeps("value", lambda x, u: dropout_functions(x, W, b, v, 0.25, u), x.clone(), u.clone())
check.value("value", lambda: dropout_functions(x, W, b, v, 0.25, u), points=3)
check.value("value", lambda: dropout_functions(x, W, b, v, 0, u))
check.gradient("gradient", lambda W: dropout_functions(x, W, b, v, 0.25, u), W, points=1)
check.report()

# %% hidden="dropout-functions"
_s = torch.linspace(-1.3, 1.9, 24, dtype=torch.float64)
_x, _W, _b, _v = (
    _s[:8].reshape(4, 2),
    torch.cos(_s[:12] ** 2 * 9).reshape(2, 6),
    _s[4:10] + 1.3,
    _s[18:],
)
_u = (37.1 * torch.arange(24, dtype=torch.float64)).cos().abs().reshape(4, 6)
check.value("value", lambda: dropout_functions(_x, _W, _b, _v, 0.43, _u), case="four masks")
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, 0.87, _u[:3]),
    case="three masks, a high rate",
)
check.value("value", lambda: dropout_functions(_x[:1], _W, _b, _v, 0.11, _u[:1]), case="one mask")
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, _u[1, 2].item(), _u),
    case="a draw equal to the rate",
)
check.law(
    "value",
    "equal",
    lambda: dropout_functions(_x, _W, _b, _v, 0.43, _u)[:, 2:],
    lambda: dropout_functions(_x[2:], _W, _b, _v, 0.43, _u),
    case="two rows against four",
)
check.gradient(
    "gradient",
    lambda v: dropout_functions(_x, _W, _b, v, 0.43, _u) ** 2,
    _v,
    case="with respect to the output weights",
)
check.gradient(
    "gradient",
    lambda b: dropout_functions(_x, _W, b, _v, 0.43, _u) ** 2,
    _b,
    case="with respect to the biases",
)
check.gradient(
    "gradient",
    lambda W: dropout_functions(_x, W, _b, _v, 0.29, _u) ** 2,
    _W,
    case="with respect to the first weights",
)
_many = torch.sin(torch.arange(56, dtype=torch.float64) ** 2).reshape(8, 7)
_chance = torch.cos(torch.arange(63, dtype=torch.float64) ** 2).abs().reshape(9, 7)
check.value(
    "value",
    lambda: dropout_functions(_many, _many[:7] + 0.3, _many[7], 0.4 - _many[6], 0.43, _chance),
    case="nine masks, seven units",
)
check.value(
    "value", lambda: dropout_functions(5 * _x, 4 * _W, _b, _v, 0.43, _u), case="large activations"
)
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, 9.2e-4, _u * 1e-3),
    case="a rate below a thousandth",
)
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, 0.43, 0.43 - 2e-6 * torch.sign(_u - 0.5)),
    case="draws two millionths from the rate",
)
check.value(
    "value",
    lambda: dropout_functions(
        torch.tensor([[9.0, 8.0], [7.0, -3.0]], dtype=_x.dtype),
        torch.full((2, 6), 9.5, dtype=_x.dtype),
        _b,
        _v,
        0.43,
        _u,
    ),
    case="numbers near ten",
)
check.value(
    "value", lambda: dropout_functions(_x[:1], _W, _b, _v, 0.43, _u), case="four masks, one input"
)
check.value(
    "value",
    lambda: dropout_functions(_x, _W[:, :1], _b[:1], _v[:1], 0.43, _u[:, :1]),
    case="one hidden unit",
)
check.gradient(
    "gradient",
    lambda s: dropout_functions(_x, s * _W, s * _b, s * _v, 0.43, _u) ** 2,
    torch.tensor(1.3, dtype=_x.dtype),
    case="all parameters at once",
)
check.gradient(
    "gradient",
    lambda v: dropout_functions(_x, _W, _b, v, 0, _u) ** 2,
    _v,
    case="no dropout, output weights",
)
check.keeps(
    "gradient",
    lambda *a: dropout_functions(*a, 0.43, _u),
    *(p.detach().clone() for p in (_x, _W, _b, _v)),
    case="parameters are left as they are",
)
_l = torch.arange(97, dtype=torch.float64)
_x97, _u97 = torch.sin(torch.outer(_l + 1, _s[:2])), (_l[:, None] * _s[:6] * 37).sin().abs()
check.value(
    "value",
    lambda: dropout_functions(_x97, _W, _b, _v, 0.43, _u[:2]),
    case="two masks, 97 inputs",
)
check.value(
    "value", lambda: dropout_functions(_x[:2], _W, _b, _v, 0.43, _u97), case="97 masks, two inputs"
)
check.value(
    "value",
    lambda: dropout_functions(
        *(a[:3, :3] for a in (_many, _many)), _b[:3], _v[:3], 0.43, _u[:3, :3]
    ),
    case="three of everything",
)
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, 0, torch.where(_u < 0.5, 0.0, _u)),
    case="a rate of 0, some draws of 0",
)
check.value(
    "value",
    lambda: torch.stack(
        [
            dropout_functions(_x, _W, _b, _v, i / 23, torch.where(_u < 0.5, i / 23, _u / 4))
            for i in range(1, 23)
        ]
    ),
    case="draws equal to the rate, many rates",
)
_some = torch.where(torch.arange(6) % 3 == 1, 0.0, 1.0).double()
_never = torch.where(_some > 0, _u, _u / 100)
check.gradient(
    "gradient",
    lambda s: dropout_functions(_x, s[:2], s[2], s[3], 0.43, _never) ** 2,
    torch.cat([_W * _some, (_b * _some)[None], (_v * _some.roll(1))[None]]),
    case="some parameters zero",
)
check.gradient(
    "gradient",
    lambda s: dropout_functions(_x, s[:2], s[2], _v, 0.43, _u) ** 2,
    torch.cat([_W[:1] * 0, _W[1:], (_b * _some)[None]]),
    case="some weights and biases zero",
)
check.value(
    "value",
    lambda: dropout_functions(_x, _W, _b, _v, 1 - 2e-5, torch.where(_u < 0.5, _u, 1 - 1e-5)),
    case="a rate next to 1",
)


# %% [markdown]
# ## Exercise 3. The moments of a dropout layer (10 min, 5 points)
#
# Two outputs that hang on the same hidden units do not vary independently: a dropped unit is
# missing in both. A linear layer on top of dropout computes, for each row of activations $h$,
#
# $$y_k = b_k + \sum_j z_j h_j W_{jk}, \qquad
#   z_j = 0 \text{ with probability } p, \text{ else } 1/(1-p), \text{ independently.}$$
#
# Write `dropout_moments(h, W, b, p)`, which returns the pair `(mean, covariance)` over the masks,
# without sampling.
#
# - `h` has shape `(n, d)`, `W` `(d, K)`, `b` `(K,)`; $d$ is at most 12, and `p` is a
#   number, 0 or between a hundredth and $1 - 10^{-6}$.
# - `mean` has shape `(n, K)`, `covariance` `(n, K, K)`: one matrix for each row of `h`.
#
# Points: mean 1, variance 2 (the diagonals), covariance 2 (all else).


# %% exercise="dropout-moments"
def dropout_moments(h, W, b, p):
    """Return mean (n, K) and covariance (n, K, K) of a linear layer on top of dropout."""
    ### BEGIN SOLUTION
    terms = h[:, :, None] * W  # (n, d, K)
    return h @ W + b, p / (1 - p) * terms.mT @ terms
    ### END SOLUTION


# %% [markdown] why="dropout-moments"
# A factor $z$ has mean 1 and variance $p/(1 - p)$, and the factors are independent. But one factor
# multiplies the same unit in every output: that is where the covariances come from, and with a
# mask for each output they would be 0.

# %% checks="dropout-moments" points=5
check = Checks("dropout-moments")
h = torch.tensor([[1.0, 2.0, 0.0], [-1.0, 0.6, 3.0]], dtype=torch.float64)
W = torch.tensor([[1.0, 0.5], [-1.0, 2.0], [0.3, 1.1]], dtype=torch.float64)
b = torch.tensor([0.1, -0.2], dtype=torch.float64)
check.keeps("mean", lambda h, W: dropout_moments(h, W, b, 0.2), h.clone(), W.clone())
check.value("mean", lambda: dropout_moments(h, W, b, 0.2)[0], points=1)
check.value(
    "variance", lambda: dropout_moments(h, W, b, 0.2)[1].diagonal(dim1=1, dim2=2), points=2
)
check.value("covariance", lambda: dropout_moments(h, W, b, 0.2)[1][:, 0, 1], points=2)
check.value("covariance", lambda: dropout_moments(h, W, b, 0.0)[1][:, 0, 1])
check.report()

# %% hidden="dropout-moments"
_s = torch.linspace(-1.9, 1.6, 20, dtype=torch.float64)
_h, _W = torch.cos(5 * _s[:12]).reshape(3, 4), (torch.sin(3 * _s) + 0.4).reshape(4, 5)
_b, _off = 0.7 * _s[15:], ~torch.eye(5, dtype=torch.bool)
check.value("mean", lambda: dropout_moments(_h, _W, _b, 0.37)[0], case="three rows, five outputs")
check.value(
    "mean", lambda: dropout_moments(_h[:1], _W[:, :1], _b[:1], 0.63)[0], case="one row, one output"
)
check.value(
    "variance",
    lambda: dropout_moments(_h, _W, _b, 0.37)[1].diagonal(dim1=1, dim2=2),
    case="three rows, five outputs",
)
check.value(
    "variance",
    lambda: dropout_moments(_h[:1], _W[:, :1], _b[:1], 0.63)[1],
    case="one row, one output",
)
check.value(
    "variance",
    lambda: dropout_moments(_h[1:], _W, _b, 0.94)[1].diagonal(dim1=1, dim2=2),
    case="a high rate",
)
check.law(
    "variance",
    "equal",
    lambda: dropout_moments(_h, _W, _b, 0.37)[1].diagonal(dim1=1, dim2=2),
    lambda: dropout_moments(-_h, _W, _b + 1.9, 0.37)[1].diagonal(dim1=1, dim2=2),
    case="signs exchanged, another bias",
)
check.value(
    "covariance",
    lambda: dropout_moments(_h, _W, _b, 0.37)[1][:, _off],
    case="three rows, five outputs",
)
check.value(
    "covariance",
    lambda: dropout_moments(_h[2:], _W, _b, 0.81)[1][:, _off],
    case="one row, a high rate",
)
check.value(
    "mean", lambda: dropout_moments(_h.repeat(3, 1) * 0.7, _W, _b, 0.37)[0], case="nine rows"
)
check.value(
    "variance",
    lambda: dropout_moments(0.1 * _h, _W, 9e5 + _b, 0.37)[1].diagonal(dim1=1, dim2=2),
    case="biases near a million",
)
check.value(
    "covariance",
    lambda: dropout_moments(0.1 * _h, _W, 9e5 + _b, 0.37)[1][:, _off],
    case="biases near a million",
)
check.value(
    "variance",
    lambda: dropout_moments(_h, _W, _b, 1 - 3e-6)[1].diagonal(dim1=1, dim2=2),
    case="a rate next to 1",
)
check.value(
    "covariance",
    lambda: dropout_moments(_h[:, :1], _W[:1], _b, 0.37)[1][:, _off],
    case="one hidden unit",
)
check.value(
    "covariance",
    lambda: dropout_moments(
        _h, torch.stack([9e5 * _W[:, 0], 1.3e-7 * _W[:, 1]], dim=1), _b[:2], 0.37
    )[1][:, 0, 1],
    case="a large and a small output",
)
check.value(
    "mean",
    lambda: dropout_moments(
        torch.tensor([[9e4, 9e4]], dtype=_h.dtype),
        torch.tensor([[0.7], [-0.69999]], dtype=_h.dtype),
        _b[:1],
        0.37,
    )[0],
    case="large terms that nearly cancel",
)
check.value(
    "covariance",
    lambda: dropout_moments(
        torch.tensor([[13.0, 13.0]], dtype=_h.dtype),
        torch.tensor([[70.0, 90.0], [70.0, -89.991]], dtype=_h.dtype),
        _b[:2],
        0.37,
    )[1][:, 0, 1],
    case="terms that nearly cancel",
)
check.value(
    "covariance", lambda: dropout_moments(_h, _W, _b, 0.97)[1][:, _off], case="a very high rate"
)
check.value(
    "variance",
    lambda: dropout_moments(1e-4 * _h, 9e4 * _W, _b, 0.37)[1].diagonal(dim1=1, dim2=2),
    case="small activations, large weights",
)
check.keeps(
    "covariance",
    lambda *a: dropout_moments(*a, 0.37),
    *(p.detach().clone() for p in (_h, _W, _b)),
    case="inputs are left as they are",
)
_h12, _W12 = (
    torch.cos(torch.arange(24.0).double() ** 2),
    torch.sin(torch.arange(36.0).double() ** 2),
)
_twelve = _h12.reshape(2, 12), _W12.reshape(12, 3), _b[:3]
check.value("mean", lambda: dropout_moments(*_twelve, 0.23)[0], case="twelve units")
check.value(
    "variance",
    lambda: dropout_moments(*_twelve, 0.23)[1].diagonal(dim1=1, dim2=2),
    case="twelve units",
)
check.value(
    "covariance", lambda: dropout_moments(*_twelve, 0.23)[1][:, _off[:3, :3]], case="twelve units"
)
check.value(
    "variance",
    lambda: dropout_moments(_h, _W, _b, 0.0213)[1].diagonal(dim1=1, dim2=2),
    case="a rate of two hundredths",
)
check.value(
    "covariance", lambda: dropout_moments(_h, _W, _b, 0.0213)[1][:, _off], case="a low rate"
)
check.value("mean", lambda: dropout_moments(_h, _W, _b, 1 - 1.1e-6)[0], case="a rate next to 1")
check.value(
    "variance",
    lambda: dropout_moments(_h, _W, _b, 1 - 1.1e-6)[1].diagonal(dim1=1, dim2=2),
    case="the highest rate",
)
check.value(
    "covariance",
    lambda: dropout_moments(_h, _W, _b, 1 - 1.1e-6)[1][:, _off],
    case="the highest rate",
)
check.value(
    "variance",
    lambda: 1e12 * dropout_moments(1e-6 * _h, _W, _b, 0.37)[1].diagonal(dim1=1, dim2=2),
    case="tiny activations",
)
check.value(
    "covariance",
    lambda: 1e12 * dropout_moments(1e-6 * _h, _W, _b, 0.37)[1][:, _off],
    case="tiny activations",
)
_l = torch.arange(97, dtype=torch.float64)
_h97 = torch.where(_l[:, None] % 4 == 1, 0.0, torch.sin(torch.outer(_l, _s[:4])))
check.value("mean", lambda: dropout_moments(_h97, _W, _b, 0.41)[0], case="97 rows, some zero")
check.value(
    "variance",
    lambda: dropout_moments(_h97, _W[:, :2], _b[:2], 0.41)[1].diagonal(dim1=1, dim2=2),
    case="97 rows, some zero",
)
check.value(
    "covariance",
    lambda: dropout_moments(_h97, _W[:, :2], _b[:2], 0.41)[1][:, 0, 1],
    case="97 rows, some zero",
)


# %% [markdown]
# ## Exercise 4. A band for y (10 min, 4 points)
#
# The passes scatter about the network's mean; new data scatter about each pass. In the papers on
# MC dropout the noise comes as a *precision* $\tau$, one over its variance.
#
# Write `band_for_y(passes, tau, level)`: the central interval that holds a new $y$ with
# probability `level`, if $y$ is Normal with the mean and the variance that follow from the passes
# and the noise.
#
# - `passes` has shape `(T, n)`, $T \ge 1$, and is at most a thousand in size. The passes are all
#   equally likely, so their variance divides by $T$.
# - `tau`, a number or a tensor of shape `(n,)`, lies between a millionth and a thousand; `level`
#   is a probability between 5% and 99.9%.
# - Return the pair `(lower, upper)`, both of shape `(n,)`.
#
# Points: centre 1, width 3.


# %% exercise="band-for-y"
def band_for_y(passes, tau, level):
    """Return the ends, each of shape (n,), of the central interval for a new y."""
    ### BEGIN SOLUTION
    mean = passes.mean(0)
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd
    ### END SOLUTION


# %% [markdown] why="band-for-y"
# The spread of the passes is about the function. A new $y$ has the noise on top, with variance
# $1/\tau$: without it the band is one for $f$.

# %% checks="band-for-y" points=4
check = Checks("band-for-y")


def centre(passes, tau, level):
    lower, upper = band_for_y(passes, tau, level)
    return (lower + upper) / 2


def width(passes, tau, level):
    lower, upper = band_for_y(passes, tau, level)
    return upper - lower


f = torch.tensor([[0.0, 1.0], [1.0, 1.5], [3.0, 0.5]], dtype=torch.float64)
check.keeps("centre", lambda f: band_for_y(f, 4.0, 0.9), f.clone())
check.value("centre", lambda: centre(f, 4.0, 0.9), points=1)
check.value("width", lambda: width(f, 4.0, 0.9), points=3)
check.value("width", lambda: width(f[:1], 4.0, 0.9))
check.report()

# %% hidden="band-for-y"
_s = torch.linspace(-0.9, 1.4, 15, dtype=torch.float64)
_f, _tau = torch.sin(11 * _s).reshape(5, 3) + 0.3 * _s[:3], torch.exp(2 * _s[:3])
check.value("centre", lambda: centre(_f, 0.37, 0.9), case="one noise for all")
check.value(
    "centre", lambda: centre(_f[:2], _tau, 0.61), case="a noise for each place, two passes"
)
check.value("width", lambda: width(_f, 0.37, 0.9), case="one noise for all")
check.value("width", lambda: width(_f, _tau, 0.53), case="a noise for each place")
check.value("width", lambda: width(_f[:2], _tau, 0.987), case="two passes")
check.value("width", lambda: width(_f[:1], 1 / _tau, 0.9), case="one pass")
check.value("width", lambda: width(0.01 * _f, 91.0, 0.72), case="much noise")
check.value("width", lambda: width(40 * _f, 91.0, 0.72), case="large spread, much noise")
check.law(
    "width",
    "equal",
    lambda: width(_f, _tau, 0.8),
    lambda: width(torch.cat([_f, _f]), _tau, 0.8),
    lambda: width(5.5 - _f, _tau, 0.8),
    case="passes repeated or reflected",
)
check.value("width", lambda: width(torch.cat([_f, 0.7 * _f - 0.2]), 1.7, 0.9), case="ten passes")
check.value("width", lambda: width(_f, 4e-6, 0.9), case="a precision of some millionths")
check.value("width", lambda: width(990 + 0.04 * _f, 910.0, 0.9), case="passes near a thousand")
check.value("centre", lambda: 1e3 * (centre(990 + _f, 9.0, 0.9) - 990), case="near a thousand")
check.value("centre", lambda: centre(_f[:, :1], 0.37, 0.9), case="one place")
check.value(
    "width",
    lambda: [list(end.shape) for end in band_for_y(_f[:, :1], 0.37, 0.9)],
    case="one place, the shapes",
)
check.value("width", lambda: width(_f[:, :1], _tau[:1], 0.53), case="one place")
check.value("width", lambda: width(_f, 0.37, 0.998), case="a level near the top")
check.value("width", lambda: width(_f, 0.37, 0.06), case="a level of a few percent")
check.value("width", lambda: width(_f, 3, 0.9), case="a whole number as precision")
check.value(
    "width",
    lambda: width(_f, torch.tensor([4e-6, 1.7, 940.0], dtype=_f.dtype), 0.9),
    case="a small, a middle and a large precision",
)
check.value("width", lambda: width(_f[:1, :1], 0.37, 0.9), case="one pass at one place")
check.value(
    "width",
    lambda: width(990 + 0.012 * _f, 980.0, 0.9),
    case="passes near a thousand that nearly agree",
)
check.value("width", lambda: width(1.7 * _f, 980.0, 0.9), case="little noise")
check.keeps(
    "width",
    lambda f, tau: band_for_y(f, tau, 0.9),
    _f.clone(),
    torch.tensor([7.0, 40.0, 900.0], dtype=_f.dtype),
    case="precisions are left as they are",
)
check.value("centre", lambda: centre(_f[:1], 1 / _tau, 0.9), case="one pass")
_l = torch.arange(97, dtype=torch.float64)
_f97 = torch.sin(torch.outer(_l**1.5, _s[:2])) + torch.where(_l == 71, 40.0, _l / 90)[:, None]
check.value("centre", lambda: centre(_f97, _tau[:2], 0.9), case="97 passes, one far off")
check.value("width", lambda: width(_f97, _tau[:2], 0.9), case="97 passes, one far off")
check.value(
    "width", lambda: width(_f97[:94].reshape(2, 94), 0.37 + _l[:94], 0.9), case="94 places"
)
check.value("width", lambda: width(_f[:3], _tau, 0.9), case="as many passes as precisions")
check.value("centre", lambda: centre(300 * _f - 600, 1.1e-6, 0.7), case="passes of many hundreds")
check.value("width", lambda: width(600 * _f - 100, _tau, 0.7), case="passes of many hundreds")
check.value("width", lambda: width(_f, 1.1e-6, 0.7), case="a precision of a millionth")
check.value("width", lambda: width(_f, _tau, 0.9989), case="the highest level")
check.value("width", lambda: 10 * width(_f, _tau, 0.0503), case="the lowest level")


# %% [markdown]
# ## Exercise 5. How many passes? (10 min, 4 points)
#
# The mean of $T$ passes is itself random. Its standard error says by how much it would differ
# the next time.
#
# Write `passes_needed(passes, tolerance)`, which returns the pair `(error, needed)`.
#
# - `passes` has shape `(T, n)`, $T \ge 2$: a pilot run. `error`, of shape `(n,)`, is the standard
#   error of the mean of these $T$ passes. Here the passes are a sample from all masks, so
#   their variance divides by $T - 1$.
# - `needed` is the smallest whole number of passes, at least 1, with a standard error of at most
#   `tolerance` at *every* one of the `n` inputs, if the deviations of the pilot run are the true
#   ones. It is at most a million, and no check lies so close to a whole number that
#   rounding could decide.
#
# Points: error 2, needed 2.


# %% exercise="passes-needed"
def passes_needed(passes, tolerance):
    """Return the standard errors, shape (n,), and the number of passes for a tolerance."""
    ### BEGIN SOLUTION
    sd = passes.std(0)
    error = sd / math.sqrt(len(passes))
    return error, max(1, math.ceil((sd.max().item() / tolerance) ** 2))
    ### END SOLUTION


# %% [markdown] why="passes-needed"
# The standard error of a mean falls with the root of the number of passes. Turned round: passes
# grow with the square of sd over tolerance; the worst input decides.

# %% checks="passes-needed" points=4
check = Checks("passes-needed")
f = torch.tensor([[0.0, 1.0], [1.0, 1.5], [3.0, 0.5]], dtype=torch.float64)
check.keeps("error", lambda f: passes_needed(f, 0.1), f.clone())
check.value("error", lambda: passes_needed(f, 0.1)[0], points=2)
check.value("needed", lambda: passes_needed(f, 0.1)[1], points=2)
check.value("needed", lambda: passes_needed(f, 0.11)[1])
check.value("needed", lambda: passes_needed(0 * f + 2, 0.1)[1])
check.report()

# %% hidden="passes-needed"
_s = torch.linspace(-0.8, 1.7, 28, dtype=torch.float64)
_f = torch.cos(13 * _s).reshape(7, 4) * torch.exp(_s[:4])
check.value("error", lambda: passes_needed(_f, 0.2)[0], case="seven passes")
check.value(
    "error", lambda: passes_needed(50 + 3 * _f[:2], 0.2)[0], case="two passes far from zero"
)
check.value("error", lambda: passes_needed(_f[:, :1], 0.05)[0], case="one place")
check.value("needed", lambda: passes_needed(_f, 0.0213)[1], case="seven passes")
check.value("needed", lambda: passes_needed(_f[:3].flip(1), 0.0171)[1], case="three passes")
check.value(
    "needed", lambda: passes_needed(9 + _f[:2], 0.0137)[1], case="two passes far from zero"
)
check.value("needed", lambda: passes_needed(_f[:, 1:2], 0.0119)[1], case="one place")
check.law(
    "needed",
    "equal",
    lambda: passes_needed(_f, 0.031)[1],
    lambda: passes_needed(100 * _f + 7, 3.1)[1],
    case="other units",
)
_wide = torch.cat([0.3 * _f, 0.2 * _f, 1.9 * _f], dim=1)
check.value("needed", lambda: passes_needed(_wide, 0.0267)[1], case="twelve places")
check.value("error", lambda: passes_needed(9e5 + 0.1 * _f, 0.2)[0], case="passes near a million")
check.value("needed", lambda: passes_needed(9e5 + _f, 0.0213)[1], case="passes near a million")
check.value("needed", lambda: passes_needed(_f, 2.3e-3)[1], case="a strict tolerance")
check.value("error", lambda: passes_needed(0 * _f - 0.3, 0.2)[0], case="passes that agree")
check.value("needed", lambda: passes_needed(0 * _f - 0.3, 1e-4)[1], case="passes that agree")
check.value(
    "needed", lambda: passes_needed(1e-4 * _f, 4.1e-6)[1], case="a tolerance of some millionths"
)
check.value("error", lambda: passes_needed(1e-4 * _f, 4.1e-6)[0], case="passes that nearly agree")
check.value("needed", lambda: passes_needed(_f, 37.0)[1], case="a generous tolerance")
check.value(
    "needed",
    lambda: passes_needed(
        torch.tensor([[0.0, 0.0]] * 3 + [[0.0, 9.0]] * 3 + [[10.0, 9.0]], dtype=_f.dtype), 0.37
    )[1],
    case="one far pass at one place, two groups at another",
)
check.value(
    "needed",
    lambda: [passes_needed(_f, 5e-4 + 1.3e-6 * i)[1] % 1000 for i in range(8)],
    case="very strict tolerances, the last three digits",
)
check.value(
    "needed",
    lambda: passes_needed(torch.tensor([[0.0], [1.0]], dtype=_f.dtype), 0.099995)[1],
    case="just above a whole number",
)
check.keeps(
    "needed",
    lambda f: passes_needed(f, 0.2),
    9e5 + _f,
    case="passes near a million are left as they are",
)
check.value(
    "needed",
    lambda: passes_needed(9e4 * _f, 3700.0)[1],
    case="passes that scatter by tens of thousands",
)
_l = torch.arange(97, dtype=torch.float64)
_f97 = torch.sin(torch.outer(_l**1.5, _s[:2])) + _l[:, None] / 50
check.value("error", lambda: passes_needed(_f97, 0.2)[0], case="97 passes")
check.value("needed", lambda: passes_needed(_f97, 0.0371)[1], case="97 passes")
check.value("error", lambda: passes_needed(_f97.T * _l, 0.2)[0], case="97 places")
check.value("needed", lambda: passes_needed(_f97.T * _l, 0.277)[1], case="97 places")
check.value(
    "error", lambda: passes_needed(_f[:4] + _s[:4], 0.2)[0], case="four passes, four places"
)
check.value("needed", lambda: passes_needed(_f[:4] + _s[:4], 0.0193)[1], case="four and four")
check.value("error", lambda: passes_needed(9e4 * _f, 3700.0)[0], case="large deviations")
check.value("error", lambda: 1e7 * passes_needed(1e-6 * _f, 3.0)[0], case="tiny deviations")
check.value(
    "needed",
    lambda: passes_needed(torch.tensor([[0.0], [1.0]], dtype=_f.dtype), (0.5 / 50.0004) ** 0.5)[1],
    case="still nearer to a whole number",
)

# %% [markdown]
# ## Exercise 6. Probabilities from passes (10 min, 4 points)
#
# A classifier with dropout gives $T$ sets of logits. The prediction is the *mean of the
# probabilities* over the passes, and the loss needs its logarithm, also where every pass is
# extremely sure.
#
# Write `mc_log_probabilities(logits)`, which returns $\log \frac1T \sum_t p_{tik}$, where
# $p_{ti}$ is the softmax of the logits of pass $t$ for input $i$.
#
# - `logits` has shape `(T, n, K)`; return shape `(n, K)`.
# - Values and gradients must be right and finite for logits of up to $2 \cdot 10^9$ in size.
#
# Points: value 2, stability 1, gradient 1.


# %% exercise="mc-log-probabilities"
def mc_log_probabilities(logits):
    """Return the log of the mean probability over passes, shape (n, K)."""
    ### BEGIN SOLUTION
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))
    ### END SOLUTION


# %% [markdown] why="mc-log-probabilities"
# Probabilities are averaged, not logits, and not their logarithms. `logsumexp` averages them
# without leaving the logarithms, so an improbable class keeps its digits.

# %% checks="mc-log-probabilities" points=4
check = Checks("mc-log-probabilities")
z = torch.tensor(
    [[[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]], [[-1.0, 1.5, 0.0], [3.0, 0.0, -2.0]]],
    dtype=torch.float64,
)
check.keeps("value", mc_log_probabilities, z.clone())
check.value("value", lambda: mc_log_probabilities(z), points=2)
check.value("stability", lambda: mc_log_probabilities(1000 * z), points=1)
check.gradient("gradient", lambda z: mc_log_probabilities(z)[:, 0], z, points=1)
check.report()

# %% hidden="mc-log-probabilities"
_s = torch.linspace(-1.4, 2.1, 40, dtype=torch.float64)
_z = (torch.sin(9 * _s) + 0.6 * _s).reshape(5, 2, 4)
_far = torch.tensor([[[0.0, -2900.0, 13.7]], [[-1.3, -3000.0, 800.0]]], dtype=torch.float64)
check.value("value", lambda: mc_log_probabilities(_z), case="five passes")
check.value("value", lambda: mc_log_probabilities(3.1 * _z[:1]), case="one pass")
check.value("value", lambda: mc_log_probabilities(_z[:3, :1]), case="one example")
check.value(
    "value", lambda: mc_log_probabilities(_z.reshape(4, 5, 2)), case="four passes, two classes"
)
check.law(
    "value",
    "equal",
    lambda: mc_log_probabilities(_z),
    lambda: mc_log_probabilities(_z.flip(0) + 1.7),
    lambda: mc_log_probabilities(torch.cat([_z, _z])),
    case="reordered, shifted and repeated passes",
)
check.value("stability", lambda: mc_log_probabilities(_far), case="logits in the thousands")
check.value("stability", lambda: mc_log_probabilities(731.0 * _z), case="logits in the hundreds")
check.value("stability", lambda: mc_log_probabilities(_z + 900.0), case="logits near 900")
check.gradient("gradient", lambda z: mc_log_probabilities(z)[:, 1], _z, case="five passes")
check.gradient(
    "gradient", lambda z: mc_log_probabilities(z)[:, 2], 410.0 * _z, case="logits in the hundreds"
)
check.gradient(
    "gradient", lambda z: mc_log_probabilities(z)[:, 1], _far, case="logits in the thousands"
)
_ten = 1.7 * torch.cos(torch.arange(140, dtype=torch.float64) ** 2).reshape(10, 2, 7)
check.value("value", lambda: mc_log_probabilities(_ten), case="ten passes, seven classes")
check.value("stability", lambda: mc_log_probabilities(9000.0 * _z[:1]), case="one sure pass")
check.value("stability", lambda: mc_log_probabilities(9e5 + _z), case="logits near a million")
check.value(
    "stability",
    lambda: mc_log_probabilities(
        torch.tensor([[[600.0, -610.0, 13.0]], [[590.0, -620.0, 7.0]]], dtype=_z.dtype)
    ),
    case="differences above 1200",
)
check.value(
    "stability", lambda: mc_log_probabilities(3e5 * _z), case="logits near a million, both signs"
)
check.keeps(
    "stability", mc_log_probabilities, 2e5 * _z, case="logits near a million are left as they are"
)
check.value(
    "value",
    lambda: mc_log_probabilities(torch.cat([_z, _z[:2]])),
    case="two passes that occur twice",
)
check.value("value", lambda: 1.3 + mc_log_probabilities(_z[:, :, :1]), case="one class")
check.value("stability", lambda: mc_log_probabilities(1e9 * _z), case="logits of 1e9")
check.gradient("gradient", lambda z: mc_log_probabilities(z)[:, 1], _z[:1], case="one pass")
check.value(
    "stability", lambda: mc_log_probabilities(2e5 * _z), case="logits near a million, both signs"
)
_poles = 1e9 * torch.tensor([[[1.0, -1.0, 0.3]], [[0.95, -0.97, 0.1]]], dtype=_z.dtype)
check.value("stability", lambda: mc_log_probabilities(_poles), case="a billion, both signs")
check.gradient(
    "gradient", lambda z: mc_log_probabilities(z)[:, 1], _poles, case="a billion, both signs"
)
_l = torch.arange(97, dtype=torch.float64)
_m97 = (
    torch.sin(_l[:, None] ** 1.5 * torch.arange(1, 7)).reshape(97, 2, 3)
    * (1 + _l / 40)[:, None, None]
)
check.value("value", lambda: mc_log_probabilities(_m97), case="97 passes")
check.value(
    "value",
    lambda: mc_log_probabilities(_ten.flatten()[:36].reshape(4, 3, 3)),
    case="three classes and examples",
)
check.gradient(
    "gradient",
    lambda z: mc_log_probabilities(z)[:, 1],
    _z[:1].repeat(3, 1, 1),
    case="three passes that agree",
)
_nearly = torch.stack([_z[0], _z[0] + 0.013 * torch.cos(9 * _z[0])])
check.value("value", lambda: mc_log_probabilities(_nearly), case="passes that nearly agree")
check.gradient(
    "gradient", lambda z: mc_log_probabilities(z)[:, 1], _nearly, case="passes that nearly agree"
)
_sure = torch.tensor([[[15.1, 0.0, -1.3]], [[16.3, 0.2, 1.1]]], dtype=_z.dtype)
check.value(
    "value", lambda: 1e7 * mc_log_probabilities(_sure)[:, 0], case="a class that is nearly certain"
)

# %% [markdown]
# ## Exercise 7. In words: trusted where the spread is small (5 min, 3 points)
#
# A vendor writes: "Our network keeps dropout switched on. A hundred passes give a spread, and the
# spread is the uncertainty of the forecast. Where it is small, the forecast can be trusted."
# Answer in at most 120 words: two different reasons why a forecast with a small spread may be far
# from the truth, each with an example, and one test on data that would convince you, or not. A
# person reads and grades this answer; no check runs.

# %% [markdown] written="trusted-where-small" points=3
# ### BEGIN SOLUTION
# The spread is a property of the rate and of the weights, and it belongs to the function only. It
# leaves out the noise: a sensor that scatters by five degrees stays so, however alike the passes
# are. And it need not grow where nothing was learnt: between two groups of training inputs, all
# passes may draw the same line; nor need it fall with more data. All passes also share one
# training run and one architecture, hence their common error. The test: on data that were held
# out, with a part from another season, count how often the forecast's 90% intervals hold what
# came, for small and large spreads apart, and compare the NLL with the same network, dropout off,
# plus a fitted noise.
#
# **Rubric.** One point for each of two reasons with an example (no noise in it; set by the rate,
# not by the data; no growth without data; an error that all passes share). One point for a test
# that can fail: coverage or NLL on held-out data, best with a shift or a simple rival. "More
# passes are needed" is no reason.
# ### END SOLUTION
