"""What the text of assignment 12 promises of the inputs."""

import torch

from tests.promises import between, usual


def real(*tensors):
    """Tell whether all are tensors of float64, in the range for which no other is named."""
    return all(
        isinstance(one, torch.Tensor) and one.dtype == torch.float64 and usual(one.detach())
        for one in tensors
    )


def transformed_log_prob(x, to_noise):
    (n,) = x.shape
    assert n >= 1 and real(x)
    at = x.detach().clone().requires_grad_()
    z = to_noise(at)
    (slope,) = torch.autograd.grad(z.sum(), at)
    assert z.shape == x.shape and between(-1e4, z.detach(), 1e4)
    assert between(1e-12, slope.abs(), 1e6)
    assert (slope > 0).all() or (slope < 0).all()


def affine_coupling(x, mask, net, inverse=False):
    n, d = x.shape
    assert mask.shape == (d,) and mask.dtype == torch.bool
    assert type(inverse) is bool and real(x)
    s, t = net(torch.where(mask, x, 0.0))
    assert s.shape == t.shape == (n, d)
    assert real(s[:, ~mask], t[:, ~mask])


def stack_log_prob(x, nets):
    n, d = x.shape
    assert d >= 2 and real(x)
    assert type(nets) is list
    for k, net in enumerate(nets):
        kept = torch.arange(d) % 2 == k % 2
        s, t = net(x[:, kept])
        assert s.shape == t.shape == (n, int((~kept).sum()))
        assert real(t) and between(-20, s.detach(), 20)
        x = x.clone()
        x[:, ~kept] = (x[:, ~kept] - t) * (-s).exp()


def sample_autoregressive(z, net):
    n, d = z.shape
    assert d >= 1 and real(z)
    x = torch.zeros_like(z)
    for i in range(d):
        s, t = net(x)
        assert s.shape == t.shape == (n, d)
        x[:, i] = z[:, i] * s[:, i].exp() + t[:, i]
    assert real(*net(x))
    for i in range(d):
        changed = x.clone()
        changed[:, i:] += 0.5
        for one, other in zip(net(x), net(changed), strict=True):
            assert (one == other)[:, : i + 1].all()


def log_integral(log_p, low, high, n):
    assert len(low) == len(high) == 2
    assert usual(low, high) and all(a < b for a, b in zip(low, high, strict=True))
    assert type(n) is int and 1 <= n <= 1000
    step = [(b - a) / n for a, b in zip(low, high, strict=True)]
    middle = torch.arange(n, dtype=torch.float64) + 0.5
    points = torch.cartesian_prod(*(a + h * middle for a, h in zip(low, step, strict=True)))
    assert log_p(points).shape == (n * n,)
    assert between(-1e4, log_p(points), 1e4)


def bits_per_dim(counts, noise, levels, log_prob, alpha=None):
    n, d = counts.shape
    assert noise.shape == (n, d) and counts.dtype == torch.int64 and real(noise)
    assert type(levels) is int and levels <= 1000
    assert between(0, counts, levels - 1)
    assert between(1e-9, noise, 1 - 1e-9)
    assert alpha is None or alpha == 0 or 1e-6 <= alpha < 0.5
    y = (counts + noise) / levels
    if alpha is not None:
        y = torch.logit(alpha + (1 - 2 * alpha) * y)
    assert log_prob(y).shape == (n,) and real(log_prob(y) / 100)
