"""What the text of assignment 10 promises of the inputs."""

import itertools

import numpy as np
import torch

from tests.promises import between, usual

LAST = 1 - 2**-53  # the largest number that a uniform draw can be


def real(*tensors):
    """Tell whether all are tensors of float64, in the range for which no other is named."""
    return all(long(*one.shape) and reals(one) and usual(one.detach()) for one in tensors)


def reals(*tensors):
    return all(isinstance(one, torch.Tensor) and one.dtype == torch.float64 for one in tensors)


def long(*shape, most=100):
    return between(1, shape, most)


def nearest(z, there=slice(None)):
    """Return how far, at most, a point lies from the nearest component."""
    return max(z[:, there].amin(1), default=0)


def numbers(*given):
    return all(type(one) in (int, float) for one in given)


def density_and_owner(x, logits, mu, log_sigma):
    (n, d), (k, _) = x.shape, mu.shape
    assert logits.shape == (k,) and mu.shape == log_sigma.shape == (k, d)
    assert long(n, k) and long(d, most=200)
    assert reals(x, logits, mu, log_sigma)
    logits, mu, log_sigma = logits.detach(), mu.detach(), log_sigma.detach()
    assert between(-1e5, x, 1e5) and between(-1e3, mu, 1e3)
    assert between(-20, log_sigma, 20)
    finite = logits[logits != -np.inf]
    assert len(finite) and between(-800, finite, 800)
    z = (x[:, None] - mu).abs() / log_sigma.exp()
    assert nearest(z.amax(2), logits > -np.inf) <= 1e5


def careful_em_step(x, pi, mu, var, c, s2):
    (n,), (k,) = x.shape, pi.shape
    assert mu.shape == var.shape == (k,)
    assert long(n, k) and reals(x, pi, mu, var)
    assert between(-1e7, x, 1e7) and between(-1e7, mu, 1e7)
    assert (pi >= 0).all() and abs(pi.sum() - 1) <= 1e-9
    assert numbers(c, s2)
    assert between(1e-9, var, 1e7) and 1e-9 <= s2 <= 1e7
    assert 0 <= c <= 1e6
    assert nearest((x[:, None] - mu).abs() / var.sqrt(), pi > 0) <= 1e5


def holey_loss(raw, y):
    (n, d), (_, width) = y.shape, raw.shape
    raw = raw.detach()
    assert raw.shape == (n, width) and width % (1 + 2 * d) == 0
    assert real(raw, y.nan_to_num(0.0) / 10)
    k = width // (1 + 2 * d)
    logits, mu, log_sigma = raw.split([k, k * d, k * d], dim=1)
    mu, log_sigma = mu.reshape(n, k, d), log_sigma.reshape(n, k, d)
    assert between(-800, logits, 800)
    assert between(-15, log_sigma, 15)
    z = (y[:, None] - mu).abs() / log_sigma.exp()
    assert nearest(z.nan_to_num(0.0).amax(2)) <= 1e4


def given_x(x, pi, mu, cov):
    (n,), (k,) = x.shape, pi.shape
    assert mu.shape == (k, 2) and cov.shape == (k, 2, 2)
    assert n <= 100 and long(k)
    assert reals(x, pi, mu, cov)
    assert between(-1e7, x, 1e7) and between(-1e7, mu, 1e7)
    assert (pi >= 0).all() and abs(pi.sum() - 1) <= 1e-9
    assert (cov == cov.mT).all()
    sds = cov.diagonal(dim1=1, dim2=2).sqrt()
    assert between(1e-6, sds, 1e6)
    assert ((cov[:, 0, 1] / sds.prod(1)).abs() <= 1 - 1e-4 + 1e-12).all()
    assert nearest((x[:, None] - mu[:, 0]).abs() / sds[:, 0], pi > 0) <= 1e4


def draw(logits, mu, sigma, tau, u, z):
    n, k = logits.shape
    mu, sigma = mu.detach(), sigma.detach()
    assert mu.shape == sigma.shape == (n, k) and u.shape == z.shape == (n,)
    assert n <= 100 and long(k)
    assert reals(logits, mu, sigma, u, z)
    assert between(-800, logits, 800) and between(-1e7, mu, 1e7)
    assert between(0, sigma, 1e3) and between(-1e3, z, 1e3)
    assert numbers(tau) and 0.05 <= tau <= 20
    assert between(0, u, LAST)
    sums = (logits / tau).softmax(1).cumsum(1)
    inner = (u > 0) & (u < LAST)
    assert ((sums - u[:, None])[inner].abs() >= 1e-10).all()


def match_fits(reference, fits):
    (k, d), (r, _, _) = reference.shape, fits.shape
    assert fits.shape == (r, k, d) and long(r, k, d) and k <= 6
    assert reals(reference, fits)
    means = torch.cat([reference, fits.reshape(-1, d)])
    assert between(-1e9, means, 1e9)
    assert torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist").max() <= 1e3
    if k > 1:
        orders = torch.tensor(list(itertools.permutations(range(k))))
        sums = (fits[:, orders] - reference).square().sum((2, 3)).sort(1).values
        assert (sums[:, 1] - sums[:, 0] >= 1e-3).all()


def alarm_thresholds(scores, rate, delta):
    (m,) = scores.shape
    assert long(m, most=5000) and reals(scores)
    assert between(-1e3, scores[scores != -np.inf], 1e3)
    assert numbers(rate, delta)
    assert between(1e-9, [rate, delta], 1 - 1e-9)
