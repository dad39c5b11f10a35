"""What the text of assignment 14 promises of the inputs."""

import math

import torch

from tests.promises import between


def real(*tensors, long=100, large=1e3):
    """Tell whether all are tensors of float64, in the range for which no other is named."""
    return all(
        one.dtype == torch.float64
        and between(-large, one.detach(), large)
        and all(size <= long for size in one.shape)
        for one in tensors
    )


def numbers(*given):
    return all(type(one) in (int, float) for one in given)


def class_scores(logits, y):
    *_, k = logits.shape
    logits = logits.detach()
    assert k >= 2 and y.shape == logits.shape[:-1]
    assert y.dtype == torch.int64 and between(0, y, k - 1)
    there = logits != -math.inf
    assert real(torch.where(there, logits, 0.0), large=800)
    assert there.any(-1).all()


def rain_crps(y, mu, sigma):
    y, mu, sigma = y.detach(), mu.detach(), sigma.detach()
    torch.broadcast_shapes(y.shape, mu.shape, sigma.shape)
    assert real(y, mu, sigma, large=math.inf)
    assert between(1e-7, sigma, 1e7)
    assert (mu.abs() <= 1e4 * sigma).all()
    assert (y >= 0).all() and (y <= 1e5 * sigma).all()


def energy_score(members, y):
    *_, m, d = members.shape
    members, y = members.detach(), y.detach()
    assert 2 <= m <= 200 and 1 <= d <= 200
    assert y.shape == (*members.shape[:-2], d)
    assert real(members, y, long=200, large=1e6)
    assert all(size <= 100 for size in y.shape[:-1])
    points = torch.cat([members, y.unsqueeze(-2)], -2)
    apart = torch.linalg.vector_norm(points.unsqueeze(-2) - points.unsqueeze(-3), dim=-1)
    assert (apart[apart > 0] >= 1e-7).all()


def quantiles_crps(levels, q, y):
    (k,), (n,) = levels.shape, y.shape
    assert k >= 2 and q.shape == (n, k)
    assert real(levels, q, y, large=1e6)
    assert levels[0] == 0 and levels[-1] == 1
    assert (levels.diff() >= 1e-5).all()
    steps = q.diff(dim=1)
    assert (steps >= 0).all()
    least = 1e-9 if between(-1, q, 1) else 1e-3
    assert (steps[steps > 0] >= least).all()


def pit_histogram(below, at, bins):
    (n,) = below.shape
    assert at.shape == (n,) and n >= 1 and real(below, at)
    assert (below >= 0).all() and (below <= at).all() and (at <= 1).all()
    assert type(bins) is int and 1 <= bins <= 100
    width = at - below
    assert (width[width > 0] >= 1e-10).all()
    if bins & (bins - 1):  # no power of 2
        edges = torch.arange(1, bins).double() / bins
        assert ((at[width == 0][:, None] - edges).abs() >= 1e-6).all()


def mean_regret(p, y, a, b):
    assert p.shape == y.shape and real(p) and y.dtype == torch.int64
    assert ((y == 0) | (y == 1)).all()
    assert ((p == 0) | (p == 1) | ((p >= 1e-7) & (p <= 1 - 1e-7))).all()
    assert numbers(a, b) and between(1 / 20, [a, b], 2000)


def lead_by_day(loss_a, loss_b, day):
    (n,) = loss_a.shape
    assert loss_b.shape == day.shape == (n,)
    assert real(loss_a, loss_b, large=1e8)
    assert day.dtype == torch.int64 and between(-(10**12), day, 10**12)
    labels, group = day.unique(return_inverse=True)
    days = len(labels)
    assert days >= 2
    d = loss_a - loss_b
    sums = torch.zeros(days, dtype=d.dtype).index_add(0, group, d - d.mean())
    error = math.sqrt(days / (days - 1) * sums.square().sum()) / n
    assert d.mean() != 0 and error > 0
    needed = days * (2.8 * error / float(d.mean())) ** 2
    assert needed < 0.5 or abs(needed - round(needed)) >= 1e-6
    assert 1 <= math.ceil(needed) <= 10_000
