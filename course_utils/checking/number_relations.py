"""Relations of numbers: a factor, a difference, a function, an order, over all cases at once."""

__all__ = ["number_relation"]

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from course_utils.checking.shape_relations import Pair

ENOUGH = 3  # numbers without which a relation may be chance
RTOL = 1e-5
FACTORS = {  # what came is so many times what was expected
    "twice": 2.0,
    "half of": 0.5,
    "the natural logarithm of 2 times": math.log(2),
    "1 / log 2 times": 1 / math.log(2),
    "log 10 times": math.log(10),
    "1 / log 10 times": 1 / math.log(10),
    "π times": math.pi,
    "2π times": 2 * math.pi,
    "√2 times": math.sqrt(2),
    "1 / √2 times": math.sqrt(0.5),
}
DIFFERENCES = {
    "1": 1.0,
    "1/2": 0.5,
    "log 2": math.log(2),
    "½ log 2π": 0.5 * math.log(2 * math.pi),
    "log 2π": math.log(2 * math.pi),
}


def number_relation(cases: Sequence[Pair]) -> str:
    """Return a sentence for arrays of the right shapes; '' where no simple relation holds.

    Parameters
    ----------
    cases : list of (ndarray, ndarray)
        What came and what was expected, of equal shapes.
    """
    if any(a.shape != b.shape for a, b in cases):
        return ""
    cases = [(a, b) for a, b in cases if a.size]
    a, b = (np.concatenate([pair[k].ravel() for pair in cases]) for k in (0, 1))
    if not np.isfinite(a).all():
        return _not_finite(a, b)
    fits = np.isfinite(b)
    if not fits.all():
        return ""
    if _varied(b):
        for rule in (_elementwise, _factor, _difference, _by_case, _in_order, _in_places):
            if found := rule(a, b, cases):
                return found
    return _constant(a, b)


def _near(a: np.ndarray, b: npt.ArrayLike) -> bool:
    """Tell what `np.allclose` tells, in a tenth of its time: most relations are tried in vain."""
    with np.errstate(invalid="ignore"):  # infinite ones, which are equal or not
        close = np.abs(a - b) <= 1e-8 + RTOL * np.abs(b)
    return bool((close & np.isfinite(b) | (a == b)).all())


def _varied(b: np.ndarray) -> bool:
    """Tell whether there are numbers enough, and different ones, to tell more than chance."""
    return len(np.unique(np.round(b, 9))) >= ENOUGH


def _not_finite(a: np.ndarray, b: np.ndarray) -> str:
    bad = ~np.isfinite(a) & ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not bad.any():
        return ""
    kind = (
        "nan" if np.isnan(a[bad]).all() else "infinite" if np.isinf(a[bad]).all() else "not finite"
    )
    if bad.all():
        return f"What came is {kind} everywhere."
    return (
        f"What came is {kind} in some places and right in all others."
        if _near(a[~bad], b[~bad])
        else ""
    )


def _elementwise(a: np.ndarray, b: np.ndarray, _: Sequence[Pair]) -> str:
    """Find the function of what was expected that came."""
    for sentence, value in {
        "What came has the opposite sign, in every case.": -b,
        "What came is 1 minus what was expected, in every case.": 1 - b,
        "What came is 1 divided by what was expected, in every case.": 1 / b,
        "What came is the square of what was expected, in every case.": b**2,
        "What came is the square root of what was expected, in every case.": np.sqrt(b),
        "What came is the natural logarithm of what was expected, in every case.": np.log(b),
        "What came is e to the power of what was expected, in every case.": np.exp(b),
        "What came is the absolute value of what was expected, in every case.": np.abs(b),
    }.items():
        if np.isfinite(value).all() and _near(a, value) and not _near(value, b):
            return sentence
    return ""


def _factor(a: np.ndarray, b: np.ndarray, _: Sequence[Pair]) -> str:
    big = np.abs(b) > 1e-12
    if big.sum() < ENOUGH or not _near(a[~big], 0):
        return ""
    ratio = a[big] / b[big]
    if np.ptp(ratio) > RTOL * abs(ratio).max() or _near(ratio, 1) or _near(ratio, 0):
        return ""
    c = float(np.median(ratio))
    for words, factor in FACTORS.items():
        if math.isclose(c, factor, rel_tol=1e-5):
            return f"What came is {words} what was expected, in every case."
    return f"What came is {c:.4g} times what was expected, in every case."


def _difference(a: np.ndarray, b: np.ndarray, _: Sequence[Pair]) -> str:
    gap = a - b
    if np.ptp(gap) > 1e-5 * max(1e-3, abs(gap).max()) or abs(gap).max() < 1e-6:
        return ""
    size, way = abs(float(np.median(gap))), "larger" if gap[0] > 0 else "smaller"
    for words, difference in DIFFERENCES.items():
        if math.isclose(size, difference, rel_tol=1e-5):
            return f"What came is {words} {way} than expected, in every case."
    return f"What came is {way} than expected by the same number, in every case."


def _by_case(a: np.ndarray, b: np.ndarray, cases: Sequence[Pair]) -> str:
    """Find a factor or a difference that belongs to the size of each case."""
    ratios = [ratio for x, y in cases if (ratio := _ratio(x, y)) is not None]
    if len(ratios) < len(cases) or len({round(r, 6) for r in ratios}) < 2:
        return ""
    if sum(not math.isclose(r, 1, rel_tol=1e-6) for r in ratios) < 2:  # in one case it is chance
        return ""
    for found, words in (
        (ratios, "times as large as expected, as a sum is where a mean was asked for"),
        ([1 / r if r else 0 for r in ratios], "times too small, as a mean is where a sum was"),
    ):
        if all(abs(r - round(r)) < 1e-4 and round(r) >= 1 for r in found):
            return f"In each case what came is a whole number (not always the same) {words}."
    return ""


def _ratio(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return the one ratio of a case's numbers, or None."""
    x, y = x.ravel(), y.ravel()
    big = np.abs(y) > 1e-12
    if not big.any() or not _near(x[~big], 0):
        return None
    ratio = x[big] / y[big]
    return float(ratio[0]) if np.ptp(ratio) <= RTOL * abs(ratio).max() else None


def _in_order(_: np.ndarray, __: np.ndarray, cases: Sequence[Pair]) -> str:
    """Find an order of the expected numbers, or sums of them, that came."""
    long = [(x, y) for x, y in cases if y.ndim and y.shape[-1] > 2]
    if len(long) < 1 or sum(y.size for _, y in long) < 2 * ENOUGH:
        return ""
    if not all(_near(x, y) for x, y in cases if not (y.ndim and y.shape[-1] > 2)):
        return ""
    orders: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "The numbers are right, but in reverse order.": lambda y: np.flip(y, -1),
        "What came is the running sum of what was expected.": lambda y: np.cumsum(y, -1),
        "The numbers are right, but shifted by one place.": lambda y: np.roll(y, 1, -1),
        "The numbers are right, but shifted by one place back.": lambda y: np.roll(y, -1, -1),
    }
    for sentence, order in orders.items():
        if all(_near(x, order(y)) for x, y in long):
            return sentence
    if all(_near(np.sort(x, None), np.sort(y, None)) for x, y in long):
        return "The numbers are right, but in another order."
    return ""


def _in_places(a: np.ndarray, b: np.ndarray, cases: Sequence[Pair]) -> str:
    """Find where what came is right, or how nearly it is."""
    for sentence, place in (("first", 0), ("last", -1)):
        if all(x.ndim and x.shape[-1] > 2 and _right_but(x, y, place) for x, y in cases):
            return f"What came is right but for the {sentence} entry of each row."
    if _near(np.abs(a), np.abs(b)):
        return "What came is right but for the sign, which is wrong in some places."
    off = np.abs(a - b) / np.maximum(np.abs(b), 1e-12)
    if off.max() < 1e-3:
        digits = int(-math.log10(off.max()))
        return f"What came is right to about {digits} digits, and more are needed."
    return ""


def _right_but(x: np.ndarray, y: np.ndarray, place: int) -> bool:
    rest = np.delete(np.arange(y.shape[-1]), place)
    return _near(x[..., rest], y[..., rest]) and not np.isclose(x, y)[..., place].any()


def _constant(a: np.ndarray, b: np.ndarray) -> str:
    if len(a) >= ENOUGH and np.ptp(a) == 0 and np.ptp(b) > 1e-6:
        return f"What came is {a[0]:.4g} everywhere."
    return ""
