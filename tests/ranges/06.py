"""What the text of assignment 06 promises of the inputs."""

import numpy as np
import torch
from scipy import special

from tests.promises import between

LARGE, SMALL, LONG = 1e6, 1e-6, 100


def within(low, values, high):
    return between(low, values.detach() if isinstance(values, torch.Tensor) else values, high)


def good(kind, *arrays, long=LONG):
    for one in arrays:
        assert one.dtype == kind
        assert max(one.shape, default=0) <= long
        assert within(-LARGE, one, LARGE)


def raw_output_nll(raw, y):
    measured = ~y.isnan()
    assert raw.shape == (len(y), 2) and y.ndim == 1 and measured.any()
    good(torch.float64, raw, y[measured])
    assert len(y) <= LONG and within(-300, raw[:, 1], 600)
    error = (y - raw[:, 0]).detach()[measured]
    assert between(1e-100, error[error != 0].abs(), np.inf)
    assert (error**2 * torch.exp(-raw[measured, 1]) / 2 <= 1e100).all()


def beta_nll(y, mu, var, beta):
    good(torch.float64, y, mu)
    assert y.shape == mu.shape == var.shape == (len(y),) and var.dtype == torch.float64
    assert within(1e-10, var, 1e10)
    assert type(beta) in (int, float) and 0 <= beta <= 1


def variance_parts(weight, mean, sd):
    good(np.float64, weight, sd)
    m, _ = mean.shape
    assert mean.dtype == np.float64 and between(-4e6, mean, 4e6)
    assert weight.shape == (m,) and sd.shape == mean.shape and m >= 1
    assert weight.min() >= SMALL and abs(weight.sum() - 1) <= 1e-9
    assert between(SMALL, sd[sd != 0], LARGE)
    noise, spread = weight @ sd**2, weight @ (mean - weight @ mean) ** 2
    apart = np.ptp(mean, axis=0)
    assert ((apart == 0) | (apart >= 1e-8 * np.abs(mean).max(axis=0))).all()
    both = (noise > 0) & (apart > 0)
    assert (noise >= 1e-9 * spread)[both].all() and (spread >= 1e-9 * noise)[both].all()


def entropy_parts(p):
    good(np.float64, p, long=400)
    m, n, k = p.shape
    assert m >= 1 and k >= 2 and max(m, n) <= LONG
    assert between(1e-12, p[p != 0], 1) and between(1 - 1e-9, p.sum(axis=-1), 1 + 1e-9)


def band_report(mean, f_var, noise_var, f, y, level):
    good(np.float64, mean, f_var, noise_var, f, y)
    n = len(mean)
    assert all(one.shape == (n,) for one in (mean, f_var, noise_var, f, y))
    assert f_var.min() >= SMALL and noise_var.min() >= SMALL
    assert 1e-3 <= level <= 1 - 1e-9
    z = special.ndtri(0.5 + level / 2)
    for values, half in (f, z * np.sqrt(f_var)), (y, z * np.sqrt(f_var + noise_var)):
        assert (np.abs(np.abs(values - mean) - half) >= 1e-6 * 2 * half).all()
        assert (2 * half >= 1e-8 * np.abs(mean)).all()


def best_from_known(w, C, noise_var, known):
    good(np.float64, w, C)
    d = len(w)
    assert w.shape == known.shape == (d,) and C.shape == (d, d) and known.dtype == bool
    assert between(-1e3, w, 1e3) and between(-100, C, 100) and 0.01 <= noise_var <= LARGE
    assert np.allclose(C, C.T, rtol=1e-12, atol=0)  # a product is, but for rounding
    eigenvalues = np.linalg.eigvalsh(C)
    assert eigenvalues[0] > 0 and eigenvalues[-1] <= 1e7 * eigenvalues[0]
    C_kk, C_kh, C_hh = C[known][:, known], C[known][:, ~known], C[~known][:, ~known]
    left = C_hh - C_kh.T @ np.linalg.solve(C_kk, C_kh)
    variance = noise_var + w[~known] @ left @ w[~known]
    assert variance >= 1e-9 * (noise_var + w @ C @ w)
