"""What the text of assignment 03 promises of the inputs."""

import torch

from tests.promises import between


def within(low, tensor, high):
    return between(low, tensor.detach(), high)


def floats(*tensors):
    lengths = all(between(1, one.shape, 100) for one in tensors)
    return lengths and all(one.dtype == torch.float64 for one in tensors)


def number(low, value, high):
    return type(value) in (int, float) and low <= value <= high


def kl_nats(p, q):
    assert p.shape == q.shape and 1 <= p.ndim <= 4
    assert between(0, p.shape, 100) and p.shape[-1] >= 1 and p.shape.count(0) <= 1
    assert p.dtype == q.dtype and p.dtype in (torch.float64, torch.float32)
    for rows in (p, q):
        assert within(1e-300, rows[rows != 0], torch.inf)
        assert within(1 - 1e-4, rows.sum(-1), 1 + 1e-4)


def diagonal_fits(cov):
    assert floats(cov) and cov.shape == (len(cov), len(cov))
    assert torch.allclose(cov, cov.T, rtol=1e-12, atol=0)  # a product is, but for rounding
    eigenvalues = torch.linalg.eigvalsh(cov.detach())
    assert within(1e-10, eigenvalues, 1e10)
    assert eigenvalues[-1] <= 1e6 * eigenvalues[0]


def kl_from_draws(log_q, log_p):
    assert floats(log_q, log_p) and log_q.shape == log_p.shape
    assert log_q.ndim in (1, 2) and len(log_q) >= 2
    assert within(-1e3, log_q, 1e3) and within(-1e3, log_p, 1e3)
    largest = (log_p - log_q).abs().amax(0)
    assert within(1e-8, largest[largest != 0], 300)


def prior_smoothing(logits, y, prior, eps):
    n, k = logits.shape
    assert floats(logits, prior) and y.shape == (n,) and prior.shape == (k,)
    assert y.dtype == torch.int64 and between(0, y, k - 1)
    assert within(-1e4, logits, 1e4)
    assert within(0, prior, 1) and within(1 - 1e-9, prior.sum(), 1 + 1e-9)
    assert number(0, eps, 1)


def distillation_loss(student, teacher, y, T, alpha):
    n, k = student.shape
    assert floats(student, teacher) and teacher.shape == (n, k) and y.shape == (n,)
    assert within(-1e4, student, 1e4) and within(-1e4, teacher, 1e4)
    assert y.dtype == torch.int64 and between(0, y[y != -100], k - 1)
    assert number(0.1, T, 100) and number(0, alpha, 1)


def text_cost(nll, lengths, characters):
    n, t = nll.shape
    assert floats(nll) and lengths.shape == characters.shape == (n,)
    assert lengths.dtype == characters.dtype == torch.int64
    assert between(0, lengths, t) and lengths.sum() >= 1
    assert between(0, characters, 1e3) and (characters[lengths == 0] == 0).all()
    own = nll[torch.arange(t) < lengths[:, None]].detach()
    assert between(0, own[own != torch.inf], 1e4)
    assert own.mean() <= 700 or own.mean() == torch.inf
