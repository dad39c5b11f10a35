"""What the text of assignment 09 promises of the inputs."""

import torch

from tests.promises import between, usual


def real(*tensors):
    """Tell whether all are tensors of float64, in the range for which no other is named."""
    return all(
        isinstance(one, torch.Tensor) and one.dtype == torch.float64 and usual(one.detach())
        for one in tensors
    )


def minibatch_loss(nll, means, log_sds, prior_sds, data_size):
    (b,) = nll.shape
    assert real(nll) and b >= 1
    assert type(data_size) is int and b <= data_size <= 10**6
    assert type(means) is type(log_sds) is type(prior_sds) is list
    assert len(means) == len(log_sds) == len(prior_sds) >= 1
    for mean, log_sd in zip(means, log_sds, strict=True):
        assert mean.shape == log_sd.shape
        assert real(mean, log_sd)
        assert between(-40, log_sd.detach(), 5)
    assert all(type(sd) in (int, float) for sd in prior_sds)
    assert between(1e-3, prior_sds, 1e3)


def sampled_elbo(x, y, sigma, mean, log_sd, noise, prior):
    (n, k), (s, _) = x.shape, noise.shape
    assert y.shape == (n,) and mean.shape == log_sd.shape == (k,)
    assert noise.shape == (s, k) and s >= 1
    assert real(x, y, mean / 200, log_sd, noise)
    assert between(1e-3, sigma, 1e3)
    assert between(-10, log_sd.detach(), 2)
    assert type(prior) is tuple and all(type(one) in (int, float) for one in prior)
    share, wide, narrow = prior
    assert between(1e-9, share, 1 - 1e-9)
    assert narrow >= 1e-5 and (1 + 1e-3) * narrow <= wide <= 1e3
    assert (mean + log_sd.exp() * noise).abs().max() <= 1e6 * narrow


def best_groups(precision, groups):
    d = len(precision)
    assert precision.shape == (d, d) and groups.shape == (d,)
    assert precision.dtype == torch.float64 and groups.dtype == torch.int64
    assert 1 <= d <= 60
    assert between(-(10**12), groups, 10**12)
    assert (precision == precision.T).all()
    diagonal = precision.diagonal()
    assert between(1e-9, diagonal, 1e10)
    for group in groups.unique():
        own = diagonal[groups == group]
        assert own.max() <= 1e6 * own.min()
    scaled = precision / (diagonal[:, None] * diagonal).sqrt()
    assert torch.linalg.eigvalsh(scaled)[0] > 0
    assert (scaled - torch.eye(d)).abs().max() <= 0.99999
    cov = torch.linalg.inv(scaled)
    scaled = cov / (cov.diagonal()[:, None] * cov.diagonal()).sqrt()
    assert scaled.fill_diagonal_(0).abs().max() <= 0.99999 + 1e-9


def last_layer(features, weights, tau, new):
    (n, k), (m, _) = features.shape, new.shape
    assert weights.shape == (k,) and new.shape == (m, k) and m >= 1
    assert real(features, weights, new / 2000)
    assert 1e-2 <= tau <= 1e2
    assert tau <= 10 or (n <= 10 and between(-100, features, 100))
    assert between(-900, features @ weights, 900)


def merge(means, covs, prior_mean, prior_cov):
    count, d = means.shape
    assert covs.shape == (count, d, d) and prior_mean.shape == (d,) and prior_cov.shape == (d, d)
    assert real(means / 10, prior_mean / 10)
    assert count <= 100 and d <= 100
    assert covs.dtype == prior_cov.dtype == torch.float64
    for cov in (*covs, prior_cov):
        sds = cov.diagonal().sqrt()
        assert between(1e-6, sds, 1e5)
        correlation = cov / (sds[:, None] * sds)
        assert (correlation - correlation.T).abs().max() <= 1e-12
        assert torch.linalg.eigvalsh(correlation)[0] > 0
        assert correlation.fill_diagonal_(0).abs().max() <= 0.999
    sds = prior_cov.diagonal().sqrt()
    for cov in covs:
        assert torch.linalg.eigvalsh((prior_cov - cov) / (sds[:, None] * sds))[0] >= -1e-12


def laplace_evidence(log_joint, mode):
    assert callable(log_joint)
    (d,) = mode.shape
    assert 1 <= d <= 60 and real(mode)
    assert log_joint(mode).shape == () and real(log_joint(mode))
    slope = torch.autograd.functional.jacobian(log_joint, mode)
    curvature = -torch.autograd.functional.hessian(log_joint, mode)
    steep = torch.linalg.eigvalsh(curvature)
    assert (slope.abs() <= 1e-9 * curvature.diagonal().sqrt()).all()
    assert between(1e-14, steep, 1e14)
    assert steep[-1] <= 1e8 * steep[0]


def hmc_step(log_p, w, momentum, u, size, count, mass):
    chains, d = w.shape
    assert momentum.shape == w.shape and u.shape == (chains,) and mass.shape == (d,)
    assert real(w, momentum / 10, u, mass)
    assert between(1e-12, u, 0.9999)
    assert between(1e-3, mass, 1e3)
    assert 1e-7 <= size <= 10
    assert type(count) is int and 1 <= count <= 100
    assert log_p(w).shape == (chains,)
    assert log_p(w).isfinite().all()
    start, end = energies(log_p, w, momentum, size, count, mass)
    fall = (start - end)[end.isfinite()]
    chance = u.log()[end.isfinite()]
    assert ((fall - chance).abs() >= 1e-6).all()
    assert (fall <= 1e4).all()


def energies(log_p, w, r, size, count, mass):
    def slope(w):
        w = w.detach().requires_grad_()
        return torch.autograd.grad(log_p(w).sum(), w)[0]

    start = (r**2 / (2 * mass)).sum(1) - log_p(w)
    for _ in range(count):
        r = r + 0.5 * size * slope(w)
        w = w + size * r / mass
        r = r + 0.5 * size * slope(w)
    return start.detach(), ((r**2 / (2 * mass)).sum(1) - log_p(w)).detach()
