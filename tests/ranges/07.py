"""What the text of assignment 07 promises of the inputs."""

import torch
from torch import nn

from tests.promises import between

LARGE, SMALL, LONG = 1e6, 1e-6, 100


def within(low, values, high):
    return between(low, values.detach() if isinstance(values, torch.Tensor) else values, high)


def good(*tensors, large=LARGE):
    for one in tensors:
        assert one.dtype == torch.float64 and between(1, one.shape, LONG)
        assert within(-large, one, large)


def number(value):
    return type(value) in (int, float)


def only_dropout(net):
    assert isinstance(net, nn.Module)
    for module in net.modules():
        assert not isinstance(module, nn.Dropout2d | nn.Dropout3d | nn.AlphaDropout)
        assert not isinstance(module, nn.FeatureAlphaDropout)
        if isinstance(module, nn.Dropout | nn.Dropout1d):
            assert not list(module.children())


def dropout_functions(x, W, b, v, p, u):
    (_, d), (_, h) = x.shape, u.shape
    assert W.shape == (d, h) and b.shape == v.shape == (h,)
    good(x, W, b, v, large=10)
    good(u)
    assert number(p) and 0 <= p < 1 and within(0, u, 1)
    assert ((u == p) | ((u - p).abs() >= 1e-6)).all()


def dropout_moments(h, W, b, p):
    (_, d), (_, k) = h.shape, W.shape
    assert W.shape == (d, k) and b.shape == (k,)
    good(h, W, b)
    assert d <= 12
    assert number(p) and (p == 0 or 0.01 <= p <= 1 - 1e-6)


def band_for_y(passes, tau, level):
    _, n = passes.shape
    good(passes, large=1e3)
    assert number(tau) or tau.shape == (n,)
    assert within(1e-6, tau, 1e3)
    assert 0.05 <= level <= 0.999


def passes_needed(passes, tolerance):
    good(passes)
    assert passes.ndim == 2 and len(passes) >= 2
    assert number(tolerance) and SMALL <= tolerance <= LARGE
    needed = (passes.std(0).max().item() / tolerance) ** 2
    assert needed <= 1e6
    assert needed == 0 or abs(needed - round(needed)) >= 1e-8 * needed


def mc_log_probabilities(logits):
    assert logits.ndim == 3
    good(logits, large=2e9)
