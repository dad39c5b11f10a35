"""Relations of form: the right numbers, but in another shape, or summed up when not asked for."""

__all__ = ["Pair", "shape_relation"]

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]  # what came and what was expected


def shape_relation(cases: Sequence[Pair]) -> str:
    """Return a sentence if shapes, and shapes alone, are wrong in some case; '' if not.

    Parameters
    ----------
    cases : list of (ndarray, ndarray)
        What came and what was expected.
    """
    differ = [(a, b) for a, b in cases if a.shape != b.shape]
    if not differ:
        return ""
    for holds, sentence in RULES:
        if all(holds(a, b) for a, b in differ) and _others_agree(cases):
            where = (
                "" if len(differ) == len(cases) else f", in {len(differ)} of {len(cases)} cases"
            )
            return f"{sentence}{where}."
    return ""


def _others_agree(cases: Sequence[Pair]) -> bool:
    return all(_near(a, b) for a, b in cases if a.shape == b.shape)


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and np.allclose(a, b, rtol=1e-5, atol=1e-7, equal_nan=True)


def _is_transposed(a: np.ndarray, b: np.ndarray) -> bool:
    return a.ndim == 2 and a.T.shape == b.shape and _near(a.T, b)


def _has_the_numbers(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and _near(a.ravel(), b.ravel())


def _is_more_of(reduce: Callable[..., Any]) -> Callable[[np.ndarray, np.ndarray], bool]:
    def holds(a: np.ndarray, b: np.ndarray) -> bool:
        return (
            a.size > 1
            and b.ndim < a.ndim
            and any(
                _near(np.squeeze(reduce(a, axis)), np.squeeze(b))
                for axis in (None, *range(a.ndim))
            )
        )

    return holds


def _is_less_of(reduce: Callable[..., Any]) -> Callable[[np.ndarray, np.ndarray], bool]:
    def holds(a: np.ndarray, b: np.ndarray) -> bool:
        return b.size > 1 and _is_more_of(reduce)(b, a)

    return holds


RULES = (  # whether it holds, and what is said then
    (_is_transposed, "The numbers are right, rows and columns are exchanged"),
    (_has_the_numbers, "The numbers are right, their shape is another"),
    (_is_more_of(np.sum), "The sum of what came is what was expected: it was not summed up"),
    (_is_more_of(np.mean), "The mean of what came is what was expected: no mean was taken"),
    (_is_less_of(np.sum), "What came is the sum of what was expected: it was summed up"),
    (_is_less_of(np.mean), "What came is the mean of what was expected: a mean was taken"),
)
