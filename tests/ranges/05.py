"""What the text of assignment 05 promises of the inputs."""

import numpy as np
import scipy.optimize as optimize
import scipy.special as special

from tests.promises import between


def floats(*arrays):
    return all(one.dtype == np.float64 for one in arrays)


def labels_of(array, n, classes=2, most=100):
    assert array.shape == (n,) and 1 <= n <= most
    assert np.issubdtype(array.dtype, np.integer) and between(0, array, classes - 1)


def ece(p, y, edges):
    assert floats(p, edges) and p.ndim == edges.ndim == 1
    labels_of(y, len(p))
    assert between(0, p, 1)
    assert 2 <= len(edges) <= 101 and edges[0] == 0 and edges[-1] == 1
    assert np.diff(edges).min() >= 1e-4
    apart = np.abs(p[:, None] - edges)
    assert ((apart == 0) | (apart >= 1e-6)).all()


def base_rate_scores(train, test, classes):
    assert type(classes) is int and 2 <= classes <= 100
    labels_of(train, len(train), classes)
    labels_of(test, len(test), classes)


def reliability_table(p, y, groups, level):
    labels_of(y, len(p))
    assert floats(p) and p.ndim == 1 and between(0, p, 1)
    assert type(groups) is int and 1 <= groups <= len(p)
    assert len(p) == 1 or np.diff(np.sort(p)).min() >= 1e-9
    assert 1e-3 <= level <= 1 - 1e-9


def brier_parts(p, y, group, weight):
    n = len(p)
    labels_of(y, n)
    assert p.shape == group.shape == weight.shape == (n,) and floats(p, weight)
    assert between(0, p, 1) and between(1e-10, weight, 1e3)
    assert np.issubdtype(group.dtype, np.integer) and between(-1e9, group, 1e9)


def compare(p_a, p_b, y):
    n = len(y)
    labels_of(y, n, most=300)
    assert n >= 2 and p_a.shape == p_b.shape == (n,) and floats(p_a, p_b)
    assert between(1e-12, p_a, 1 - 1e-12) and between(1e-12, p_b, 1 - 1e-12)
    of_a, of_b = (np.log(np.where(y == 1, p, 1 - p)) for p in (p_a, p_b))
    for differences in (of_b - of_a, (p_a - y) ** 2 - (p_b - y) ** 2):
        limit = 2 * differences.std(ddof=1) / np.sqrt(n)
        if np.ptp(differences) > 0:
            assert abs(abs(differences.mean()) - limit) >= 1e-3 * limit


def fit_temperature(logits, labels, held_out):
    n, k = logits.shape
    assert floats(logits) and 2 <= k <= 100
    labels_of(labels, n, k)
    assert held_out.shape == (n,) and held_out.dtype == bool and held_out.any()
    assert between(-1e4, logits, 1e4) and np.ptp(logits, axis=1).max() <= 6e3

    def nll(log_t):
        log_p = special.log_softmax(logits[held_out] / np.exp(log_t), axis=1)
        return -np.take_along_axis(log_p, labels[held_out, None], 1).mean()

    best = optimize.minimize_scalar(nll, bounds=(-8, 8), method="bounded").x
    assert between(1e-3, np.exp(best), 1e3)
    assert min(nll(best - np.log(2)), nll(best + np.log(2))) >= nll(best) + 1e-3


def platt_fit(scores, y):
    labels_of(y, len(scores), most=300)
    assert floats(scores) and scores.ndim == 1 and between(-1e4, scores, 1e4)
    assert 0 < y.mean() < 1
    assert np.ptp(scores) >= 1e-3
