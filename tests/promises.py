"""What assertions about inputs need, in tests/ranges."""

__all__ = ["between", "finite", "usual", "whole"]

import numpy as np

LARGE, SMALL, LONG = 1e3, 1e-3, 100  # what assignments say where an exercise names no range


def between(low, values, high):
    """Tell whether all numbers lie in a range, ends included; a missing one does not."""
    values = np.asarray(values)
    return bool(((low <= values) & (values <= high)).all())


def finite(*arrays):
    """Tell whether nothing is infinite or missing."""
    return all(bool(np.isfinite(np.asarray(one)).all()) for one in arrays)


def usual(*arrays):
    """Tell whether arrays are as an assignment says where an exercise names no other range."""
    return all(
        between(-LARGE, one, LARGE) and max(np.shape(one), default=0) <= LONG for one in arrays
    )


def whole(values):
    """Tell whether all are whole numbers, of whatever type."""
    return bool((np.asarray(values) % 1 == 0).all())
