"""What the text of assignment 11 promises of the inputs."""

import numpy as np
import torch

from tests.promises import between, usual


def real(*tensors):
    """Tell whether all are finite tensors of one type, and no axis is longer than a hundred."""
    kinds = {one.dtype for one in tensors}
    assert all(isinstance(one, torch.Tensor) for one in tensors)
    assert all(bool(one.isfinite().all()) for one in tensors)
    assert all(size <= 100 for one in tensors for size in one.shape)
    return kinds in ({torch.float32}, {torch.float64})


def gaussian_kl(mu, log_var, prior_mu, prior_scale):
    n, d = mu.shape
    assert log_var.shape == (n, d) and prior_mu.shape == prior_scale.shape == (d,)
    assert real(mu, log_var, prior_mu, prior_scale)
    assert usual(mu.detach(), prior_mu.detach())
    assert between(1e-3, prior_scale.detach(), 1e3)
    assert between(-120 if mu.dtype == torch.float32 else -900, log_var.detach(), 14)


def latent_draws(mu, tril, eps):
    n, d = mu.shape
    tril = tril.detach()
    assert tril.shape == (n, d, d) and eps.shape == (len(eps), n, d)
    assert real(mu, tril, eps)
    assert between(-10, mu.detach(), 10) and between(-10, eps.detach(), 10)
    assert usual(tril)
    assert (tril == tril.tril()).all()
    assert (tril.diagonal(dim1=1, dim2=2) >= 1e-8).all()
    for factor in tril.double():
        singular = torch.linalg.svdvals(factor)
        assert (singular >= 1e-9).all()
        assert d == 0 or singular[0] <= 1e4 * singular[-1]
        if mu.dtype == torch.float32:
            assert (singular >= 0.1).all() and singular[0] <= 10 * singular[-1]


def log_likelihood(x, out, log_scale, binary):
    n, d = x.shape
    out = out.detach()
    assert out.shape == (n, d) and binary.shape == (d,) and log_scale.shape == ()
    assert real(x, out, log_scale) and binary.dtype == torch.bool
    assert usual(x[:, binary], x[:, ~binary] / 1e4, out[:, ~binary] / 1e4)
    assert between(-1e4, out[:, binary], 1e4)
    assert between(-14, log_scale.detach(), 14)


def linear_elbo(x, W, b, sigma, m, S):
    (n, pixels), (_, d) = x.shape, W.shape
    assert W.shape == (pixels, d) and b.shape == (pixels,)
    assert m.shape == (n, d) and S.shape == (d, d) and sigma.shape == ()
    assert real(x, W, b, sigma, m, S)
    assert usual(x, W.detach(), b, m.detach(), S.detach())
    assert between(1e-3, sigma.detach(), 1e3)
    wide = (10 if x.dtype == torch.float32 else 1e4) * sigma.item()
    assert between(-wide, x - b.detach(), wide)
    assert between(-wide, m.detach() @ W.detach().T, wide)
    S = S.detach().double()
    assert (S == S.T).all()
    eigenvalues = torch.linalg.eigvalsh(S)
    assert (eigenvalues >= 1e-6).all()
    if x.dtype == torch.float32:
        assert eigenvalues[0] >= 1e-3 * eigenvalues[-1]


def iwae(log_w, k):
    count, _ = log_w.shape
    assert real(log_w) and between(-1e4, log_w.detach(), 1e4)
    assert type(k) is int and 1 <= k <= count <= 7


def unit_information(x, sigma, latents):
    n, d = x.shape
    assert type(x) is np.ndarray and x.dtype == np.float64
    assert n >= 2 and d >= 2 and usual(x)
    assert 1e-3 <= sigma <= 1e3 and sigma >= 1e-5 * x.std(axis=0).max()
    assert latents % 1 == 0 and 1 <= latents <= d


def honest_elbo(mse, kl, weight, pixels):
    assert type(mse) is type(kl) is np.ndarray
    assert mse.shape == kl.shape == (len(mse),)
    assert usual(mse, kl) and (mse >= 0).all() and (kl >= 0).all()
    assert 1e-6 <= weight <= 1e3
    assert pixels % 1 == 0 and 1 <= pixels <= 10_000
