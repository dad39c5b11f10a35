"""Turn what a student's function returned into plain numbers that JSON can carry."""

__all__ = ["MAX_NUMBERS", "MIME", "failure", "numbers", "plain"]

import math
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from course_utils.checking.forms import Got

if TYPE_CHECKING:  # who reads records need not have imported it
    import torch

MIME = "application/vnd.course.record+json"  # of a check cell's output
MAX_ITEMS = 100
MAX_NUMBERS = 20_000  # a larger result is refused: a check never needs one


def plain(value: object) -> Got:
    """Record a number, array, tensor, or a tuple, list or dict of them, without pickle.

    Parameters
    ----------
    value : object
        What the student's function returned.

    Returns
    -------
    dict
        ``{"dtype", "shape", "data"}`` for numbers (row-major; non-finite ones as ``'nan'``,
        ``'inf'``, ``'-inf'``), ``{"items": {...}}`` for a container, ``{"error", "message"}``
        for anything else. A Python number has dtype ``float``, ``int`` or ``bool``.
    """
    if _is_tensor(value):
        return _tensor(value)
    if isinstance(value, bool | int | float):
        return _array(np.asarray(float(value)), type(value).__name__)
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), str(np.asarray(value).dtype))
    if isinstance(value, tuple | list | dict) and len(value) > MAX_ITEMS:
        message = f"{len(value)} items; at most {MAX_ITEMS} are recorded"
        return {"error": "ValueError", "message": message}
    if isinstance(value, tuple | list):
        return {"items": {str(i): plain(item) for i, item in enumerate(value)}}
    if isinstance(value, dict):
        return {"items": {str(key): plain(value[key]) for key in value}}
    return _refused(value)


def failure(error: BaseException) -> Got:
    """Record an exception: its class, its bases, the first 300 characters of its message."""
    bases = [base.__name__ for base in type(error).__mro__[1:-1]]
    try:
        message = str(error)[:300]
    except Exception:  # a student's own class may have no words
        message = ""
    return {"error": type(error).__name__, "bases": bases, "message": message}


def numbers(record: Got) -> np.ndarray:
    """Read the numbers of a record back as a float64 array.

    Raises
    ------
    ValueError
        If the record does not hold as many real numbers as its shape promises.
    """
    shape = record["shape"]
    if not isinstance(shape, list) or not all(type(n) is int for n in shape):
        raise ValueError(f"{shape} is no shape")
    data = record["data"]
    if len(data) > MAX_NUMBERS or math.prod(shape) != len(data) or min(shape, default=0) < 0:
        raise ValueError(f"shape {shape} does not fit {len(data)} numbers")
    return _vector(data).reshape(shape)


def _vector(data: list[Any]) -> np.ndarray:
    """Read all at once where all are finite floats, as nearly always; else word by word."""
    if {*map(type, data)} == {float}:
        vector = np.array(data)
        if np.isfinite(vector).all():
            return vector
    return np.array([_number(x) for x in data], dtype=np.float64)


def _is_tensor(value: object) -> TypeGuard["torch.Tensor"]:
    """Tell whether a value is a tensor; where torch was not imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _tensor(value: "torch.Tensor") -> Got:
    array = value.detach().to("cpu")
    if array.dtype.is_complex:
        return _refused(value)
    wide = array.double().numpy()
    return _array(wide, str(value.dtype).removeprefix("torch."))


def _array(array: np.ndarray, dtype: str) -> Got:
    if array.dtype.kind not in "bifu":
        return {"error": "TypeError", "message": f"an array of dtype {array.dtype}"}
    if array.size > MAX_NUMBERS:
        message = f"{array.size} numbers; at most {MAX_NUMBERS} are recorded"
        return {"error": "ValueError", "message": message}
    wide = array.astype(np.float64).ravel()
    data = wide.tolist() if np.isfinite(wide).all() else [_word(x) for x in wide.tolist()]
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def _word(x: float) -> float | str:
    if math.isfinite(x):
        return x
    return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"


def _number(word: Any) -> float:
    if type(word) in (int, float) and abs(word) <= sys.float_info.max:
        return float(word)
    if word in ("nan", "inf", "-inf"):
        return float(word)
    raise ValueError(f"{word!r} is not a number")


def _refused(value: object) -> Got:
    if value is None:
        return {"error": "TypeError", "message": "returned None: is the return statement missing?"}
    kind = type(value).__name__
    return {"error": "TypeError", "message": f"returned {kind}, which is no number or array"}
