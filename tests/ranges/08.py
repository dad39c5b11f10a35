"""What the text of assignment 08 promises of the inputs."""

import numpy as np
import torch
from scipy import special

from tests.promises import between


def good(kind, *arrays, top=1e6):
    for one in arrays:
        assert isinstance(one, kind)
        assert one.dtype in (np.float64, torch.float64)
        assert all(1 <= long <= 1000 for long in one.shape)
        assert between(-top, one.detach() if kind is torch.Tensor else one, top)


def mixture_moments(mu, sigma, weight):
    good(np.ndarray, mu, sigma, weight)
    m, _ = mu.shape
    assert sigma.shape == mu.shape and weight.shape == (m,)
    assert between(-1e3, mu, 1e3)
    assert (sigma >= 0.01).all()
    assert (weight >= 1e-6).all()


def mixture_nll(mu, sigma, y):
    good(torch.Tensor, mu, sigma, y)
    _, n = mu.shape
    assert sigma.shape == mu.shape and y.shape == (n,)
    assert (sigma >= 1e-8).all()
    assert ((y - mu).abs() <= 1e6 * sigma).all()


def mixture_quantile(mu, sigma, q):
    good(np.ndarray, mu, sigma)
    assert mu.ndim == 1 and sigma.shape == mu.shape
    assert (sigma >= 1e-6).all()
    assert between(1e-6, q, 1 - 1e-6)
    m = len(mu)
    assert (np.abs(q * m - np.arange(1, m)) >= 1e-3).all()
    size = max(np.abs(mu).max(), sigma.max())
    apart = np.ptp(mu + sigma * special.ndtri(q))
    if apart > 1e-15 * size:  # they do not agree
        assert apart >= 1e-7 * size
        assert q < 0.99 or apart >= 1e-3 * size


def pool(logits):
    good(torch.Tensor, logits, top=2e3)
    _, _, _ = logits.shape
    assert (logits.sort(2).values.diff(dim=2) >= 1e-9).all()


def random_members(x, y, x_new, seeds):
    good(np.ndarray, x, y, x_new)
    assert x.ndim == x_new.ndim == 1 and y.shape == x.shape
    assert type(seeds) is list and 1 <= len(seeds) <= 1000
    assert all(type(seed) is int for seed in seeds)
    assert between(0, seeds, 10**6)


def sub_ensemble_error(f, y, m):
    good(np.ndarray, f, y)
    members, n = f.shape
    assert y.shape == (n,)
    assert type(m) is int and 1 <= m <= members <= 12
