"""What the text of assignment 04 promises of the inputs."""

import numpy as np

from tests.promises import between, finite, usual, whole


def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    assert y.shape == (n,) and n >= 1
    assert n <= 100 and 1 <= k <= 100
    assert np.abs(x.mean(axis=0)).max() <= 3e6 and abs(y.mean()) <= 2e7 and finite(x, y)
    assert between(1e-5, [sigma, tau], 1e3)
    assert sigma <= 1e4 * tau
    spread, mean = x.std(axis=0), np.abs(x.mean(axis=0))
    assert tau * spread.max() <= 1e4 * sigma
    assert ((mean <= 4e6 * spread) | (spread == 0)).all()
    for i in range(k):
        for j in range(i):
            apart = np.abs(x[:, i] - x[:, j]).max()
            assert apart == 0 or apart >= 0.01 * max(spread[i], spread[j])


def weight_decay(loss, sigma, tau, n, m):
    assert loss in ("mean squared", "sum squared", "mean nll")
    assert between(1e-9, sigma, 1e9)
    assert tau == np.inf or between(1e-9, tau, 1e9)
    assert type(n) is int and type(m) is int and 1 <= m <= n <= 10**6


def proximal_step(w, gradient, step, b):
    assert w.ndim == 1 and gradient.shape == w.shape
    assert usual(w, gradient)
    assert between(1e-9, step, 1e3)
    assert np.shape(b) in ((), w.shape)
    b = np.asarray(b)
    assert between(1e-3, b[b < np.inf], 1e3)


def posterior(x, y, sigma, mean, cov):
    n, k = x.shape
    assert y.shape == (n,) and mean.shape == (k,) and cov.shape == (k, k)
    assert usual(x, y / 2, mean)
    assert np.allclose(cov, cov.T, rtol=1e-12, atol=0)  # another posterior is, but for rounding
    eigenvalues = np.linalg.eigvalsh(cov)
    assert between(1e-10, eigenvalues, 1e5)
    assert eigenvalues[-1] <= 1e5 * eigenvalues[0]
    assert 1e-5 <= sigma <= 1e3
    root = np.linalg.cholesky(cov)
    told = np.linalg.eigvalsh(root.T @ x.T @ x @ root) / sigma**2
    assert told[-1] <= 2e7


def total_band(x, counts, mean, cov, sigma, level, contains):
    (q, k), (p, _) = x.shape, counts.shape
    assert counts.shape == (p, q) and mean.shape == (k,) and cov.shape == (k, k)
    assert usual(x / 3, mean / 3)
    assert whole(counts) and between(0, counts, 100)
    together = counts @ np.linalg.norm(x, axis=1)
    assert (together > 0).all()
    assert (np.linalg.norm(counts @ x, axis=1) >= 0.01 * together).all()
    eigenvalues = np.linalg.eigvalsh(cov)
    assert eigenvalues[0] >= 1e-11
    assert eigenvalues[-1] <= 1e5 * eigenvalues[0]
    assert between(1e-3, sigma, 1e3)
    assert 1e-3 <= level <= 1 - 1e-9
    assert contains in ("y", "f")


def rate_map(counts, a, b, quantity):
    assert counts.ndim == 1 and len(counts) <= 100
    assert whole(counts) and between(0, counts, 1e6)
    assert 0 < b <= 1e10 and a > 0
    assert a in (0.5, 1) or (abs(a - 0.5) >= 1e-3 and abs(a - 1) >= 1e-3)
    assert a <= 1e3 and a >= 1e-3 and b >= 1e-3
    assert quantity in ("rate", "root", "log", "interval")


def choose_prior(x, y, sigma, taus):
    n, k = x.shape
    assert y.shape == (n,) and taus.ndim == 1
    assert n <= 300 and k <= 100 and len(taus) <= 100 and finite(x, y, taus)
    assert (taus > 0).all()
    assert between(1e-3, sigma, 1e3)
    assert np.abs(y).max() <= 4500 * sigma
    assert np.abs(x).max() * taus.max() <= 4500 * sigma
    for tau in taus:
        assert np.linalg.eigvalsh(tau**2 * x @ x.T)[-1] + sigma**2 <= 4e9 * sigma**2
