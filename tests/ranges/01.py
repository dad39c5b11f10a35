"""What the text of assignment 01 promises of the inputs."""

import torch

from tests.promises import between

LARGE, SMALL, LONG = 1e10, 1e-10, 100


def floats(*tensors):
    kinds = {one.dtype for one in tensors}
    lengths = all(between(1, one.shape, LONG) for one in tensors)
    return lengths and len(kinds) == 1 and kinds <= {torch.float32, torch.float64}


def within(low, values, high):
    return between(low, values.detach() if isinstance(values, torch.Tensor) else values, high)


def short(number):
    return type(number) in (int, float) and float(f"{number:.6g}") == number


def gaussian_nll(y, mu, sigma):
    for one in (mu, sigma):
        if isinstance(one, torch.Tensor):
            assert floats(y, one) and one.shape in ((), y.shape)
        else:
            assert floats(y) and short(one)
    assert within(-LARGE, y, LARGE) and within(-LARGE, mu, LARGE)
    assert within(SMALL, sigma, LARGE)


def laplace_mle(y):
    assert floats(y) and y.ndim == 1
    assert within(-LARGE, y, LARGE)


def bce_from_logits(z, y):
    assert floats(z, y) and z.shape == y.shape
    assert z.isfinite().all() and within(0, y, 1)


def set_nll(logits, possible):
    assert floats(logits) and logits.ndim == 2 and logits.shape[1] >= 2
    assert possible.shape == logits.shape and possible.dtype == torch.bool
    assert within(-2e6, logits, 2e6)
    assert possible.any(1).all()


def cross_entropy_gradient(logits, counts):
    assert floats(logits, counts) and logits.ndim == 2 and counts.shape == logits.shape
    assert logits.isfinite().all()
    assert within(SMALL, counts[counts != 0], LARGE)


def masked_loss(x, weight, bias, labels, mask):
    (n, d), k = x.shape, len(bias)
    assert floats(x, weight, bias) and weight.shape == (d, k) and bias.shape == (k,)
    assert all(within(-LARGE, one, LARGE) for one in (x, weight, bias))
    assert (x @ weight + bias).isfinite().all()
    assert labels.shape == mask.shape == (n,)
    assert labels.dtype == torch.int64 and between(0, labels, k - 1)
    assert mask.dtype == torch.bool and mask.any()
