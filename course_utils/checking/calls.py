"""What a check does around a call: differentiate it, or see whether it leaves all else alone."""

__all__ = ["gradient_of", "kept_by"]

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch

from course_utils.checking.arguments import copy_of, is_as_before


def gradient_of(call: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor) -> torch.Tensor:
    """Return d(sum of `call(x)`)/dx at x = `at`; a result without a gradient is a TypeError."""
    x = at.detach().clone().requires_grad_()
    with torch.enable_grad():
        out = call(x)
        if not isinstance(out, torch.Tensor) or not out.requires_grad:
            message = "no gradient: the result is not connected to the input by torch operations"
            raise TypeError(message)
        return torch.autograd.grad(out.sum(), x)[0]


def kept_by(call: Callable[..., object], inputs: Sequence[Any]) -> list[bool]:
    """Call, and tell of each input whether it is as before, then the same of the generators."""
    before = [copy_of(x) for x in inputs]
    generators = _generators()
    call(*inputs)
    same = [is_as_before(a, b) for a, b in zip(before, inputs, strict=True)]
    return [*same, generators == _generators()]


def _generators() -> tuple[object, ...]:
    """Return the state of torch's and numpy's global generators."""
    kind, key, *place = cast("tuple[Any, ...]", np.random.get_state())
    return torch.get_rng_state().numpy().tobytes(), kind, key.tobytes(), *place
