"""What SciPy knows of the playground's families: the oracle that its numbers are held against."""

__all__ = ["LAWS", "WHOLE", "Law", "loss_of", "slope_of"]

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from scipy import integrate, special, stats

NAN, INF = float("nan"), float("inf")
WHOLE = {"bernoulli", "categorical", "ordinal", "poisson", "negative", "inflated"}


@dataclasses.dataclass
class Law:
    """Log of density or mass, distribution function, and mean, variance, skewness, kurtosis."""

    log: Callable
    below: Callable | None = None
    moments: Callable = lambda: (NAN,) * 4


def of(frozen, whole=False):
    """Take all from one of SciPy's distributions."""
    log = frozen.logpmf if whole else frozen.logpdf
    return Law(log, frozen.cdf, lambda: tuple(map(float, frozen.stats("mvsk"))))


def standardised(expectation):
    """Return the four moments from a function that integrates or sums over the law."""
    mean = expectation(lambda y: y)
    variance = expectation(lambda y: (y - mean) ** 2)
    third, fourth = (expectation(lambda y, k=k: (y - mean) ** k) for k in (3, 4))
    return mean, variance, third / variance**1.5, fourth / variance**2 - 3


def student(mu, scale, nu):
    """A Student-t, with what SciPy calls infinite though it does not exist."""
    law = of(stats.t(nu, mu, scale))
    return Law(law.log, law.below, lambda: (mu if nu > 1 else NAN, *law.moments()[1:]))


@functools.cache
def huber_constant(delta):
    return 2 * sum(integrate.quad(lambda t: np.exp(-special.huber(delta, t)), *ends)[0]
                   for ends in ((0, delta), (delta, delta + 60 / delta)))  # fmt: skip


def huber(mu, scale, delta):
    """A density whose loss is SciPy's own Huber function."""
    z = huber_constant(delta)

    def log(y):
        return -special.huber(delta, (np.asarray(y) - mu) / scale) - np.log(scale * z)

    def expectation(f):
        far = delta + 60 / delta
        cuts = [mu + scale * t for t in (-far, -delta, 0, delta, far)]
        parts = zip(cuts, cuts[1:], strict=False)
        return sum(integrate.quad(lambda t: f(t) * np.exp(log(t)), *ends)[0] for ends in parts)

    def below(y):
        side = mu - scale * (delta + 60 / delta)
        inner = [cut for cut in (mu - scale * delta, mu, mu + scale * delta) if side < cut < y]
        cuts = [side, *inner, y]
        parts = zip(cuts, cuts[1:], strict=False)
        return sum(integrate.quad(lambda t: np.exp(log(t)), *ends)[0] for ends in parts)

    return Law(log, below, lambda: standardised(expectation))


def humps(mu, scale, d, w):
    """Two Normals."""
    parts = [(w, stats.norm(mu - d, scale)), (1 - w, stats.norm(mu + d, scale))]

    def log(y):
        return special.logsumexp([np.log(p) + part.logpdf(y) for p, part in parts], axis=0)

    def expectation(f):
        return sum(p * part.expect(f) for p, part in parts)

    below = lambda y: sum(p * part.cdf(y) for p, part in parts)  # noqa: E731
    return Law(log, below, lambda: standardised(expectation))


def categorical(z0, z1, z2, z3):
    """Labels, that have neither order nor moments."""
    logs = special.log_softmax([z0, z1, z2, z3])
    return Law(lambda y: logs[np.asarray(y, int)])


def ordinal(eta, gap):
    """Labels in order: a logistic variable that is cut at -gap, 0 and gap."""
    cuts = np.array([-INF, -gap, 0, gap, INF])

    def log(y):
        y = np.asarray(y, int)
        return np.log(stats.logistic(eta).cdf(cuts[y + 1]) - stats.logistic(eta).cdf(cuts[y]))

    return Law(log, lambda y: stats.logistic(eta).cdf(cuts[int(y) + 1]))


def inflated(rate, pi):
    """Always zero with probability pi, else a Poisson."""
    y = np.arange(400)
    mass = (1 - pi) * stats.poisson(rate).pmf(y) + pi * (y == 0)

    def log(y):
        return np.log((1 - pi) * stats.poisson(rate).pmf(y) + pi * (np.asarray(y) == 0))

    below = lambda y: mass[: int(y) + 1].sum()  # noqa: E731
    return Law(log, below, lambda: standardised(lambda f: (mass * f(y)).sum()))


LAWS = {  # each takes the page's parameters
    "normal": lambda mu, scale: of(stats.norm(mu, scale)),
    "laplace": lambda mu, scale: of(stats.laplace(mu, scale)),
    "student": student,
    "huber": huber,
    "humps": humps,
    "lognormal": lambda m, sigma: of(stats.lognorm(sigma, scale=m)),
    "gamma": lambda mu, alpha: of(stats.gamma(alpha, scale=mu / alpha)),
    "beta": lambda m, kappa: of(stats.beta(m * kappa, (1 - m) * kappa)),
    "bernoulli": lambda p: of(stats.bernoulli(p), whole=True),
    "categorical": categorical,
    "ordinal": ordinal,
    "poisson": lambda rate: of(stats.poisson(rate), whole=True),
    "negative": lambda mu, r: of(stats.nbinom(r, r / (r + mu)), whole=True),
    "inflated": inflated,
}


def loss_of(family, values, points):
    """Return the NLL of points in nats, summed."""
    return -float(np.sum(LAWS[family](**values).log(np.asarray(points, float))))


def slope_of(family, values, along, y):
    """Return the derivative of the loss by one parameter, by differences of fourth order."""
    h = 1e-4 * min(1.0, abs(values[along]) or 1.0)

    def at(steps):
        return loss_of(family, values | {along: values[along] + steps * h}, [y])

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
