r"""The dial data set: one input, a known mean, and noise that grows along the input."""

__all__ = ["X_HIGH", "X_LOW", "dial", "dial_mean", "dial_oracle", "dial_scale"]

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import integrate, special

from course_utils.scores import Scores

X_LOW, X_HIGH = -2.0, 2.0


def dial(
    n: int, *, rng: np.random.Generator, gap: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw n points of the dial data set.

    .. math:: x \sim U(-2, 2), \quad y = \sin(3x) + s(x)\,\varepsilon, \quad
              s(x) = 0.02 + \frac{0.6}{1 + e^{-4x}}, \quad \varepsilon \sim N(0, 1)

    Parameters
    ----------
    n : int, 0 or larger
    rng : numpy.random.Generator
    gap : (low, high), optional
        Interval inside [-2, 2] that holds no x; x is uniform on the rest.

    Returns
    -------
    x, y : float64 arrays, shape (n,)
        In the order of drawing, not sorted.

    Raises
    ------
    ValueError
        n is negative, or the gap is not an interval inside [-2, 2].

    Examples
    --------
    >>> x, y = dial(5, rng=np.random.default_rng(0), gap=(-0.5, 0.5))
    >>> x.shape, bool(np.abs(x).min() >= 0.5)
    ((5,), True)
    """
    if n < 0:
        raise ValueError(f"n must be 0 or larger; got {n!r}")
    low, high = _ends(gap)
    x = rng.uniform(X_LOW, X_HIGH - (high - low), size=n)
    x = np.where(x < low, x, x + (high - low))
    return x, dial_mean(x) + dial_scale(x) * rng.standard_normal(n)


def dial_mean(x: npt.ArrayLike) -> np.ndarray:
    """Return the noise-free function sin(3x) of the dial data.

    Parameters
    ----------
    x : float or array, any shape

    Returns
    -------
    mean : same shape as x

    Examples
    --------
    >>> float(dial_mean(0.0))
    0.0
    """
    mean: np.ndarray = np.sin(3 * np.asarray(x, dtype=float))
    return mean


def dial_scale(x: npt.ArrayLike) -> np.ndarray:
    """Return the standard deviation s(x) = 0.02 + 0.6 sigmoid(4x) of the dial noise.

    Parameters
    ----------
    x : float or array, any shape

    Returns
    -------
    scale : same shape as x, in (0.02, 0.62)

    Examples
    --------
    >>> round(float(dial_scale(0.0)), 12)
    0.32
    """
    scale: np.ndarray = 0.02 + 0.6 * special.expit(4 * np.asarray(x, dtype=float))
    return scale


def dial_oracle(*, level: float = 0.9, gap: tuple[float, float] | None = None) -> Scores:
    r"""Return what the true predictive N(sin(3x), s(x)²) scores on average over x.

    .. math:: \mathrm{E}_x\!\left[\tfrac12\log(2\pi e\,s(x)^2)\right], \quad
              \mathrm{E}_x\!\left[s(x)\right]/\sqrt\pi

    are its NLL and its CRPS; no other prediction has a lower expectation of either.

    Parameters
    ----------
    level : float in (0, 1)
        Probability of the central interval behind `coverage` and `width`.
    gap : (low, high), optional
        As in `dial`.

    Returns
    -------
    oracle : Scores
        Computed by quadrature over x.

    Raises
    ------
    ValueError
        `level` is not in (0, 1), or the gap is not an interval inside [-2, 2].

    Examples
    --------
    >>> round(dial_oracle().nll, 3), round(dial_oracle().crps, 3)
    (-0.408, 0.181)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be a probability in (0, 1); got {level!r}")
    log_scale = _mean_over_x(lambda x: np.log(dial_scale(x)), gap)
    scale = _mean_over_x(dial_scale, gap)
    half = special.ndtri(0.5 + level / 2)  # half-width of the interval for scale 1
    return Scores(
        nll=float(0.5 * np.log(2 * np.pi * np.e) + log_scale),
        crps=float(scale / np.sqrt(np.pi)),
        coverage=float(level),
        width=float(2 * half * scale),
    )


def _mean_over_x(f: Callable[[float], npt.ArrayLike], gap: tuple[float, float] | None) -> float:
    low, high = _ends(gap)
    pieces = [(a, b) for a, b in ((X_LOW, low), (high, X_HIGH)) if b > a]
    total = float(sum(integrate.quad(f, a, b)[0] for a, b in pieces))
    return total / sum(b - a for a, b in pieces)


def _ends(gap: tuple[float, float] | None) -> tuple[float, float]:
    """Ends of the gap; an empty one at the upper end where there is none."""
    if gap is None:
        return X_HIGH, X_HIGH
    low, high = map(float, gap)
    if not (X_LOW <= low < high <= X_HIGH and high - low < X_HIGH - X_LOW):
        raise ValueError(f"gap must be (low, high) with -2 <= low < high <= 2; got {gap!r}")
    return low, high
