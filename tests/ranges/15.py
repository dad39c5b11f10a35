"""What the text of assignment 15 promises of the inputs."""

import torch

from tests.promises import between, finite, usual, whole


def real(*tensors):
    return all(one.dtype == torch.float64 and finite(one.detach()) for one in tensors)


def classes(y):
    return y.dtype == torch.int64 and bool(((y == 0) | (y == 1)).all())


def map_weights(x, y, count, tau):
    n, d = x.shape
    assert y.shape == (n,) and count.shape == (n,) and tau.shape == (d,)
    assert real(x, y, count, tau)
    assert 1 <= n <= 100 and 1 <= d <= 100
    assert ((y == 0) | (y == 1)).all()
    assert whole(count) and between(0, count, 10_000) and (count > 0).any()
    assert between(0.01, tau, 5)
    assert between(-4, x, 4)


def test_outputs(net, x, size):
    assert isinstance(net, torch.nn.Module)
    assert x.ndim == 2 and len(x) >= 1
    assert real(x) and usual(x.detach())
    assert isinstance(size, int) and size >= 1
    modules = list(net.named_modules(remove_duplicate=False))
    assert len({id(module) for _, module in modules}) == len(modules)


def nll_report(mean, log_var, y, c, s, low, high):
    assert mean.shape == log_var.shape == y.shape
    assert real(mean, log_var, y)
    assert all(isinstance(one, int | float) for one in (c, s, low, high))
    assert s > 0 and low <= high
    assert between(-300, log_var.detach(), 300)
    assert between(-1000, mean.detach(), 1000)
    assert between(-1000, (y - c) / s, 1000)
    assert max(mean.shape, default=0) <= 100
    assert between(-1e3, c, 1e3) and between(1e-3, s, 1e3) and between(-1e3, [low, high], 1e3)


def ensemble_sds(mean, sd):
    assert mean.shape == sd.shape and mean.ndim == 2
    assert real(mean, sd)
    m, n = mean.shape
    assert 1 <= m <= 100 and 1 <= n <= 500
    assert between(1e-6, sd[sd != 0], 1e6)
    assert between(-1e7, mean, 1e7)
    spread = mean.std(0, correction=0)
    smallest = 1e-6 if mean.abs().max() <= 1000 else 0.005
    assert ((mean == mean[0]).all(0) | (spread >= smallest)).all()
    variances = sd.square().mean(0) + mean.var(0, correction=0)
    ward = sd.square().sum(1).mean() / n**2 + mean.mean(1).var(correction=0)
    share = 1e-4 if mean.abs().max() <= 1000 else 0.1
    assert ward.sqrt() >= share * variances.max().sqrt()


def calibration_report(p, y, bins):
    assert p.shape == y.shape and p.ndim == 1 and len(p) >= 1
    assert real(p) and classes(y)
    assert type(bins) is int and 1 <= bins <= 100
    assert between(0, p, 1)
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    inner = p[(p != 0) & (p != 1)]
    assert ((inner[:, None] - edges).abs() >= 1e-9).all()


def risk_report(draws, sigma, y, threshold):
    (s, n), given = draws.shape, torch.as_tensor(sigma)
    assert s >= 1 and n >= 1 and y.shape == (n,)
    assert s <= 100 and n <= 100
    assert real(draws, given, y) and usual(draws, y)
    assert given.shape in ((), (n,), (s, 1), (s, n))
    assert isinstance(sigma, torch.Tensor) and between(1e-3, sigma, 1e3)
    assert isinstance(threshold, int | float) and abs(threshold) <= 1000
    assert ((y - threshold).abs() >= 1e-9).all()


def card_table(log_odds, y, base):
    r, n = log_odds.shape
    assert 1 <= r <= 100 and n <= 100
    assert y.shape == (n,) and classes(y) and 0 < y.sum() < n
    assert real(log_odds) and between(1e-7, log_odds.abs(), 800)
    assert isinstance(base, float) and 0.01 <= base <= 0.99
    assert abs(base - 0.5) >= 1e-3
