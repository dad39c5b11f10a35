"""Named laws that recorded results must obey; whoever compares computes them, not the student.

A law can lose an aspect its points, never win them. The results are compared with the expected
ones, too; the law is what a learner reads where they break it. Each is a function of the recorded
arrays that returns None when the law holds, or a sentence that says how it is broken.
"""

__all__ = ["LAWS", "broken"]

import numpy as np

from course_utils.checking.forms import Got
from course_utils.checking.records import numbers

RTOL, ATOL = 1e-5, 1e-7  # float32's: a law holds whatever dtype the function keeps


def equal(first: np.ndarray, *others: np.ndarray) -> str | None:
    """All results are equal."""
    if all(_near(first, other) for other in others):
        return None
    return "these calls must give the same result"


def opposite(first: np.ndarray, second: np.ndarray) -> str | None:
    """Two results differ in sign only."""
    return None if _near(first, -second) else "these two calls must differ in sign only"


def nonnegative(*results: np.ndarray) -> str | None:
    """No result is below zero."""
    return None if all((r >= -ATOL).all() for r in results) else "no result may be negative"


def increasing(*results: np.ndarray) -> str | None:
    """Each result is larger than the one before."""
    grows = all((b > a).all() for a, b in zip(results, results[1:], strict=False))
    return None if grows else "each result must be larger than the one before"


def sums_to_one(*results: np.ndarray) -> str | None:
    """The last axis of each result sums to one."""
    ok = all(_near(r.sum(-1), np.ones(r.shape[:-1])) for r in results)
    return None if ok else "the last axis must sum to 1"


LAWS = {law.__name__: law for law in (equal, opposite, nonnegative, increasing, sums_to_one)}


def broken(name: str, results: Got, expected: Got) -> str | None:
    """Say how the named law is broken by recorded results, or None if it holds.

    Parameters
    ----------
    name : str
        A key of `LAWS`.
    results : dict
        ``{"items": {"0": record, ...}}``, one record for each call; may be forged.
    expected : dict
        The same of a right answer: it says how many calls there are.
    """
    try:
        return LAWS[name](*[numbers(results["items"][key]) for key in expected["items"]])
    except Exception:  # a forged record breaks any law
        return "a call did not return numbers"


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=False)
