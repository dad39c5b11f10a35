"""Compare random draws with an exact distribution, in standard errors."""

__all__ = ["exact_facts", "finding"]

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from course_utils.checking.forms import Exact, Got
from course_utils.checking.records import numbers

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_Z = 5.0  # a right sampler fails one comparison in about two million


def exact_facts(distribution: Any) -> Exact:
    """Return the moments and quantiles of a frozen scipy.stats distribution as plain numbers.

    Returns
    -------
    dict
        mean, var, m4 (fourth central moment), and [quantile, P(X <= quantile)] pairs.
    """
    mean, var = (float(x) for x in distribution.stats("mv"))
    kurtosis = float(distribution.stats("k"))
    cuts = [float(distribution.ppf(level)) for level in LEVELS]
    pairs = [[cut, float(distribution.cdf(cut))] for cut in cuts]
    return {"mean": mean, "var": var, "m4": (kurtosis + 3) * var**2, "quantiles": pairs}


def finding(got: Got, exact: Exact) -> str | None:
    """Say which statistic of the recorded draws is off, or None.

    Parameters
    ----------
    got : dict
        The record of n independent draws (any shape); may be forged.
    exact : dict
        From `exact_facts`.
    """
    try:
        draws = numbers(got).ravel()
    except Exception:  # forged beyond reading
        return "no draws were recorded"
    if draws.size < 100 or not np.isfinite(draws).all():
        return f"{draws.size} draws, of which {int(np.isfinite(draws).sum())} are finite"
    for name, z in _scores(draws, exact):
        if not abs(z) <= MAX_Z:
            return f"the {name} of the draws lies {abs(z):.0f} standard errors off"
    return None


def _scores(draws: np.ndarray, exact: Exact) -> Iterator[tuple[str, float]]:
    """Yield (statistic, difference in standard errors)."""
    n = draws.size
    yield "mean", (draws.mean() - exact["mean"]) / math.sqrt(exact["var"] / n)
    spread = ((draws - exact["mean"]) ** 2).mean()
    se = math.sqrt(max(exact["m4"] - exact["var"] ** 2, 1e-300) / n)
    yield "variance", (spread - exact["var"]) / se
    for cut, level in exact["quantiles"]:
        below = (draws <= cut).mean()
        yield (
            f"quantile {level:.2f}",
            (below - level) / math.sqrt(level * (1 - level) / n + 1e-300),
        )
