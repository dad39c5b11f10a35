"""What the text of assignment 02 promises of the inputs."""

import torch

from tests.promises import between, usual, whole


def within(low, tensor, high):
    return between(low, tensor.detach(), high)


def floats(*tensors):
    lengths = all(between(1, one.shape, 100) for one in tensors)
    return lengths and all(one.dtype == torch.float64 for one in tensors)


def number(value):
    return type(value) in (int, float)


def count_log_prob(y, mean, variance):
    n = len(y)
    assert 1 <= n <= 500 and y.shape == mean.shape == variance.shape == (n,)
    assert y.dtype == mean.dtype == variance.dtype == torch.float64
    assert whole(y.detach()) and within(0, y, 1e3)
    assert within(1e-3, mean, 1e3)
    over = (variance - mean).detach()
    assert ((over == 0) | (over >= 1e-6 * mean)).all()
    assert (variance <= 1e3 * mean).all()
    if mean.requires_grad:  # a gradient is looked at
        assert ((over == 0) | (over >= 1e-3 * mean)).all()
    if variance.requires_grad:
        assert (over >= 1e-3 * mean).all()


def price_report(y, mu, sigma, centre, width):
    assert floats(y, mu, sigma) and y.shape == mu.shape == sigma.shape == (len(y),)
    assert within(1e-10, y, 1e9) and within(1e-7, sigma, 3) and within(-10, mu, 10)
    assert number(centre) and between(-30, centre, 30)
    assert number(width) and between(0.1, width, 3)


def zip_log_prob(y, gate, log_rate):
    assert floats(y, gate, log_rate) and y.shape == gate.shape == log_rate.shape == (len(y),)
    assert whole(y) and between(0, y, 1e4)
    assert within(-800, gate, 800) and within(-30, log_rate, 8)


def positive_scale(raw):
    assert between(1, raw.shape, 100)
    assert raw.dtype in (torch.float64, torch.float32)
    size = 1e8 if raw.dtype == torch.float64 else 1e4
    assert within(-size, raw, size)


def ordinal_log_probs(eta, first, log_gaps):
    assert floats(eta, first) and log_gaps.dtype == torch.float64
    assert eta.ndim == log_gaps.ndim == 1 and first.ndim == 0
    assert len(log_gaps) + 2 <= 100
    assert within(-800, eta, 800) and within(-30, log_gaps, 4) and within(-1e3, first, 1e3)


def act_or_ask(p, cost, price):
    assert floats(p, cost) and p.ndim == cost.ndim == 2 and p.shape[1] == cost.shape[1]
    assert within(0, p, 1) and within(1 - 1e-9, p.sum(1), 1 + 1e-9)
    assert usual(cost)
    assert number(price) and (between(0, price, 1e3) or price == float("inf"))


def sequence_log_prob(logits, tokens, lengths):
    n, t, k = logits.shape
    assert floats(logits) and tokens.shape == (n, t) and lengths.shape == (n,)
    assert tokens.dtype == torch.int64 and whole(lengths) and between(1, lengths, t)
    own = torch.arange(t) < lengths[:, None]
    assert between(0, tokens[own], k - 1)
    assert within(-1e4, logits[:, :-1][own[:, 1:]], 1e4)
