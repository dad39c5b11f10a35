"""What the text of assignment 00 promises of the inputs."""

import torch

from tests.promises import between

LARGE, SMALL, LONG = 1e10, 1e-9, 100


def axes(*tensors):
    return all(between(1, one.shape, LONG) for one in tensors)


def floats(*tensors):
    return axes(*tensors) and all(one.dtype == torch.float64 for one in tensors)


def short(number):
    return type(number) in (int, float) and float(f"{number:.6g}") == number


def tensor_or_number(value):
    return floats(value) if isinstance(value, torch.Tensor) else short(value)


def normal_log_density(y, mu, sigma):
    assert floats(y) and tensor_or_number(mu) and tensor_or_number(sigma)
    assert between(-LARGE, y, LARGE) and between(-LARGE, mu, LARGE)
    assert between(1e-20, sigma, LARGE)
    assert torch.broadcast_tensors(y, torch.as_tensor(mu), torch.as_tensor(sigma))


def log_sum_exp(a):
    assert floats(a) and a.ndim >= 1
    assert not (a.isnan() | (a == torch.inf)).any()
    assert a.isfinite().any(-1).all()


def waits_from_uniform(u, rate, upper):
    assert floats(u) and ((u == 0) | (u >= 1e-18)).all() and (u < 1).all()
    assert short(rate) and short(upper)
    assert between(1e-13, rate, LARGE) and between(SMALL, upper, LARGE)
    assert between(1e-12, rate * upper, 20)


def weighted_error(prediction, y, weight):
    n = len(y)
    for one in (prediction, y, weight):
        assert floats(one) and one.shape in ((n,), (n, 1))
        assert between(-LARGE, one, LARGE)
    assert between(SMALL, weight[weight != 0], LARGE) and (weight > 0).any()


def foretell_shapes(loc, scale, event_dims, sample, value):
    for shape in (loc, scale, sample, value):
        assert type(shape) is tuple and all(type(one) is int for one in shape)
        assert between(1, shape, LONG)
    whole = torch.broadcast_shapes(loc, scale)
    assert type(event_dims) is int and 0 <= event_dims <= len(whole)
    assert torch.broadcast_shapes(value, whole) is not None
