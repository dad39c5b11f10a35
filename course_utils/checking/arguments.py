"""See where an answer changes what it was called with, in whichever case that happens."""

__all__ = ["Arguments", "copy_of", "is_as_before"]

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

import numpy as np
import torch

from course_utils.checking.forms import CHANGED, Check, Got

T = TypeVar("T")


class Arguments:
    """The arguments of an exercise's answer, and what it did to them.

    A tensor or an array has changed if it has other values, another shape, or asks for gradients
    as it did not before; so has a list or tuple if that is true of one of its entries.
    """

    def __init__(self) -> None:
        self.case = ""  # in words, of the call that comes
        self._changed = ""

    def told(self, checks: list[Check]) -> None:
        """Let the first check of inputs say that an argument was changed, if none has seen it.

        They have cases of their own, in which a branch that is seldom taken may not be.

        Parameters
        ----------
        checks : list of dict
            All of the exercise, as recorded; changed in place.
        """
        keeps = [check for check in checks if check["kind"] == "state"]
        if self._changed and keeps and all(_all_kept(check["got"]) for check in keeps):
            keeps[0]["got"] = {"error": CHANGED, "bases": [], "message": self._changed}

    def called(self, call: Callable[..., T], *inputs: object) -> T:
        """Return `call(*inputs)`, and look at the arguments of the answer in it.

        Parameters
        ----------
        call : callable
            What a check cell calls; of other cells' functions, the first that runs is looked at.
        *inputs : object
        """
        arguments: list[tuple[str, Any, Any]] = []

        def watch(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and _is_of_another_cell(frame, call):
                sys.setprofile(None)
                arguments.extend(_arguments(frame))

        profiler = sys.getprofile()  # somebody may be looking for what is slow
        if profiler is None:
            sys.setprofile(watch)
        try:
            return call(*inputs)
        finally:
            sys.setprofile(profiler)
            changed = [name for name, before, now in arguments if not is_as_before(before, now)]
            if changed and not self._changed:
                where = f" for '{self.case}'" if self.case else ""
                self._changed = f"changes its argument `{changed[0]}`{where}"


def copy_of(x: Any) -> Any:
    """Return a copy of a tensor or an array."""
    if isinstance(x, torch.Tensor):
        copy = x.detach().clone()
        return copy.requires_grad_() if x.requires_grad else copy
    return np.copy(x)


def is_as_before(a: Any, b: Any) -> bool:
    """Return whether shape, values and the flag that asks for a gradient are the same."""
    flags = [getattr(x, "requires_grad", False) for x in (a, b)]
    if flags[0] != flags[1] or np.shape(a) != np.shape(b):
        return False
    if isinstance(a, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b):
        return True
    return bool(((a == b) | ((a != a) & (b != b))).all())  # nan is as it was, too


def _all_kept(got: Got) -> bool:
    """Tell whether a check of inputs found nothing; an error is told already."""
    entries = got["items"].values() if "items" in got else ()
    return "error" not in got and all(entry["data"] == [1.0] for entry in entries)


def _is_of_another_cell(frame: FrameType, call: Callable[..., object]) -> bool:
    """Tell whether a frame runs the notebook's code, but not that of the check cell.

    What is called is a lambda or a local function of the check cell, or the answer itself.
    """
    code = getattr(call, "__code__", None)
    if code is None or frame.f_globals is not getattr(call, "__globals__", None):
        return False
    if "<lambda>" in call.__qualname__ or "<locals>" in call.__qualname__:
        return bool(frame.f_code.co_filename != code.co_filename)
    return frame.f_code is code


def _arguments(frame: FrameType) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, copy, itself) of each tensor and array that a function was called with."""
    code, values = frame.f_code, frame.f_locals
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        value = values[name]
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, torch.Tensor | np.ndarray):
                yield name, copy_of(one), one
