"""Decide whether a recorded result agrees with the expected one, and say how it differs."""

__all__ = ["RTOL", "agrees", "describe", "first_difference", "form_of", "share_used"]

import math

import numpy as np

from course_utils.checking.forms import Got
from course_utils.checking.records import numbers

# float32's, for every dtype: a float64 result may hold numbers that torch computed in float32
# (Normal(0.0, 2.0) does), and keeping the dtype is graded only where the text asks for it.
RTOL = 1e-5
ATOL = 1e-7  # for values that should be zero
EPS = 1.2e-7
FEW = 50  # numbers; more are compared as arrays


def agrees(got: Got, expected: Got) -> bool:
    """Tell whether two records hold the same numbers, shape and kind.

    A non-finite number agrees only with the same one, an error only with an error of the
    expected class or a subclass, a boolean only with a boolean. The tolerance is that
    of float32 arithmetic.

    Parameters
    ----------
    got, expected : dict
        Records made by `course_utils.checking.records.plain` or `failure`; `got` may be forged.

    Returns
    -------
    bool
    """
    try:
        return share_used(got, expected) <= 1
    except Exception:
        return False  # a malformed record agrees with nothing


def describe(record: Got, *, digits: int = 4) -> str:
    """Show a record in one line of at most 160 characters: numbers, or the error and its words.

    Parameters
    ----------
    record : dict
    digits : int
        Of each number in an array; a single number is shown with at least six.
    """
    if "error" in record:
        words = str(record.get("message", ""))
        return _one_line(f"{record['error']}: {words}" if words.strip() else str(record["error"]))
    if "items" in record:
        parts = (describe(part, digits=digits) for part in record["items"].values())
        return _one_line(f"({', '.join(parts)})")[:100]
    array = numbers(record)
    if record["dtype"] == "bool":
        return str(array.astype(bool).tolist())[:60]
    if array.ndim == 0:
        return f"{array.item():.{max(6, digits)}g}"
    shown = ", ".join(f"{x:.{digits}g}" for x in array.ravel()[:4])
    return f"[{shown}{', ...' if array.size > 4 else ''}]"


def first_difference(got: Got, expected: Got, place: str = "") -> tuple[str, str]:
    """Show the first number that is not as expected, and its place; '' where there is none.

    Parameters
    ----------
    got, expected : dict
        Records that can be described; of several values, the first that differs is looked at.
    place : str
        Where among several values they stand, as one would index them.

    Returns
    -------
    (str, str)
        Such as ``("2 at [0, 5]", "3 there")``, or, in the second of several values,
        ``("2 at [1][0, 5]", "3 there")``.
    """
    if "items" in got and "items" in expected:
        pairs = ((key, got["items"].get(key), one) for key, one in expected["items"].items())
        apart = ((key, a, b) for key, a, b in pairs if a and not agrees(a, b))
        return next((first_difference(a, b, f"{place}[{key}]") for key, a, b in apart), ("", ""))
    if {"error", "items"} & (got.keys() | expected.keys()) or got["shape"] != expected["shape"]:
        return "", ""
    a, b = numbers(got), numbers(expected)
    wrong = ~_near(a, b)
    if not wrong.any():
        return "", ""
    where = np.unravel_index(wrong.argmax(), a.shape)
    place += str(list(map(int, where))) if where else ""
    return f"{a[where]:.8g}{f' at {place}' if place else ''}", f"{b[where]:.8g} there"


def _one_line(words: str) -> str:
    """Return words that cannot pass for a line of the panel, and that any file can hold."""
    return " ".join(words.split())[:160].encode("utf-8", "replace").decode("utf-8")


def form_of(record: Got) -> str:
    """Say in what form values were recorded: a number, an array, several values; '' for errors."""
    if isinstance(record.get("items"), dict):
        return f"a list or tuple of {len(record['items'])}"
    if record.keys() & {"error", "items"} or "shape" not in record:
        return ""
    return f"an array of shape {tuple(record['shape'])}" if record["shape"] else "a number"


def share_used(got: Got, expected: Got) -> float:
    """Return the largest difference as a share of what is allowed: above 1, records disagree.

    Parameters
    ----------
    got, expected : dict
        As for `agrees`, but a malformed one raises.

    Returns
    -------
    float
        0 for the same numbers, infinity for another kind, shape, error or place of `nan`.
    """
    if "error" in expected or "error" in got:
        same = "error" in expected and expected["error"] in _classes(got)
        return 0.0 if same else math.inf
    if "items" in expected or "items" in got:
        ours, theirs = got["items"], expected["items"]
        if ours.keys() != theirs.keys():
            return math.inf
        return max((share_used(ours[key], theirs[key]) for key in theirs), default=0.0)
    if (got["dtype"] == "bool") != (expected["dtype"] == "bool"):
        return math.inf
    if got is not expected and _identical(got, expected):
        return 0.0
    if _comparable_at_once(got, expected):
        return _share_of_few(got["data"], expected["data"])
    return _share(numbers(got), numbers(expected))


def _identical(got: Got, expected: Got) -> bool:
    """Tell, without making arrays, whether numbers are the same to the last bit, as most are."""
    pairs = [(got[key], expected[key]) for key in ("shape", "data")]
    return all(a == b and list(map(type, a)) == list(map(type, b)) for a, b in pairs)


def _comparable_at_once(got: Got, expected: Got) -> bool:
    """Tell whether both hold the same shape of a few finite floats, as most records do."""
    shape, data = got["shape"], got["data"]
    return (
        shape == expected["shape"]
        and all(type(n) is int for n in shape)
        and 0 < len(data) == len(expected["data"]) <= FEW
        and {*map(type, data), *map(type, expected["data"])} == {float}
        and all(map(math.isfinite, data))
        and all(map(math.isfinite, expected["data"]))
    )


def _share_of_few(a: list[float], b: list[float]) -> float:
    """Do as `_share`, in plain Python: for a few numbers that takes a tenth of the time."""
    least = max(ATOL, 10 * EPS * max(map(abs, b)))
    return max(abs(x - y) / (RTOL * abs(y) + least) for x, y in zip(a, b, strict=True))


def _classes(got: Got) -> list[str]:
    """Return the names of the class of a recorded error and of its bases."""
    return [got["error"], *got.get("bases", [])]


def _share(a: np.ndarray, b: np.ndarray) -> float:
    finite = np.isfinite(b)
    if a.shape != b.shape or not np.array_equal(finite, np.isfinite(a)):
        return math.inf
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return math.inf
    with np.errstate(over="ignore"):
        used = np.abs(a[finite] - b[finite]) / _allowed(np.abs(b[finite]))
    return float(used.max(initial=0.0))


def _near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Tell of each number whether it is as expected, by the rules of `_share`."""
    finite = np.isfinite(b)
    with np.errstate(over="ignore", invalid="ignore"):
        near = finite & (np.abs(a - b) <= _allowed(np.where(finite, np.abs(b), 0.0)))
    result: np.ndarray = near | (a == b) | (np.isnan(a) & np.isnan(b))
    return result


def _allowed(size: np.ndarray) -> np.ndarray:
    """Return how far numbers of these sizes, all of one result, may be off."""
    allowed: np.ndarray = RTOL * size + max(ATOL, 10 * EPS * size.max(initial=0.0))
    return allowed
