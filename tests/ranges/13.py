"""What the text of assignment 13 promises of the inputs."""

import torch

from tests.promises import between, usual


def real(*tensors):
    """Tell whether all are tensors of float64, in the range for which no other is named."""
    return all(
        isinstance(one, torch.Tensor) and one.dtype == torch.float64 and usual(one.detach())
        for one in tensors
    )


def rolling_naive(y, first, every, horizon, season):
    assert y.ndim == 1 and real(y)
    assert all(type(one) is int for one in (first, every, horizon, season))
    assert between(1, [first, every, horizon, season], 1000)
    assert first >= season


def ar_joint(last, level, phi, sigma, steps):
    assert all(type(one) in (int, float) for one in (last, level, phi, sigma))
    assert usual(last, level) and 1e-3 <= sigma <= 1e3
    assert abs(phi) in (0, 1) or 1e-3 <= abs(phi) <= 1 - 1e-9
    (k,) = steps.shape
    assert steps.dtype == torch.int64 and 1 <= k <= 100
    assert between(1, steps, 1000)


def sample_paths(quantile, history, known, u):
    (p,), (horizon,), (n, _) = history.shape, known.shape, u.shape
    assert u.shape == (n, horizon) and p >= 1 and n >= 1
    assert real(history, known, u)
    assert between(1e-10, u, 1 - 1e-10)
    window = history.expand(n, p)
    for h in range(horizon):
        new = quantile(window, known[h], u[:, h])
        assert new.shape == (n,) and real(new / 1e4)
        window = torch.cat([window[:, 1:], new[:, None]], 1)


def quantile_report(y, q, levels):
    (n,), (k,) = y.shape, levels.shape
    assert q.shape == (n, k) and n >= 1 and k >= 1
    assert real(y[~y.isnan()], q, levels) and n <= 100
    assert not y.isnan().all()
    assert between(1e-3, levels, 1 - 1e-3)
    assert (levels.sort().values.diff() >= 1e-3).all()


def total_quantiles(paths, groups, levels):
    (s, h), (k,) = paths.shape, levels.shape
    assert groups.shape == (h,) and s >= 1 and h >= 1 and k >= 1
    assert real(paths, levels)
    assert groups.dtype == torch.int64 and between(0, groups, 1000)
    assert between(1e-6, levels, 1 - 1e-6)
    rank = levels * s
    assert ((rank - rank.round()).abs() >= 1e-6).all()


def conformal_interval(y, low, high, new_low, new_high, miss):
    (n,) = y.shape
    assert low.shape == high.shape == (n,) and new_low.shape == new_high.shape
    assert real(y, low, high, new_low, new_high)
    assert (low <= high).all() and (new_low <= new_high).all()
    assert type(miss) is float and 1e-3 <= miss <= 1 - 1e-3
    k = (n + 1) * (1 - miss)
    assert abs(k - round(k)) <= 1e-11 or abs(k - round(k)) >= 1e-6


def running_out(rates, stock):
    s, h = rates.shape
    assert s >= 1 and h >= 1 and real(rates)
    assert between(1e-4, rates, 200)
    assert type(stock) is int and 0 <= stock <= 1000
