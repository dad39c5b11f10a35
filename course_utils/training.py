"""A training loop with a progress bar; the loss itself stands in the notebook."""

__all__ = ["fit"]

import math
import sys
from collections.abc import Callable

import numpy as np
import torch
from tqdm import tqdm


def fit(
    loss: Callable[[], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    decay: bool = False,
    progress: bool = True,
    title: str = "training",
) -> np.ndarray:
    """Take `steps` optimiser steps on a loss and return how it went.

    Each step is `optimizer.zero_grad()`, `value = loss()`, `value.backward()`,
    `optimizer.step()`, and nothing else.

    Parameters
    ----------
    loss : callable without arguments
        Computes the loss, a tensor with one element, at the current parameters.
    optimizer : torch.optim.Optimizer
        Holds the parameters that move.
    steps : int, 0 or larger
    decay : bool
        Let the learning rates fall linearly to zero: a run that ends at full speed ends wherever
        its last step threw it.
    progress : bool
        Show a bar on stderr for runs longer than half a second; it goes when the run ends.
    title : str
        Name of the bar.

    Returns
    -------
    history : float64 array, shape (steps,)
        The loss before each step.

    Raises
    ------
    ValueError
        `loss` returns something that is not a tensor with one element and a gradient.
    FloatingPointError
        The loss is nan or infinite. The parameters keep the values that gave this loss.

    Examples
    --------
    >>> w = torch.zeros(1, requires_grad=True)
    >>> history = fit(lambda: ((w - 3) ** 2).sum(), torch.optim.SGD([w], lr=0.25), steps=20)
    >>> round(w.item(), 3), float(history[0])
    (3.0, 9.0)
    """
    if steps < 0:
        raise ValueError(f"steps must be 0 or larger; got {steps!r}")
    history = np.empty(steps)
    rates = [group["lr"] for group in optimizer.param_groups]
    hidden = {} if progress else {"disable": True}  # where it is shown, TQDM_DISABLE=1 hides it
    with tqdm(total=steps, desc=title, leave=False, delay=0.5, file=sys.stdout, **hidden) as bar:
        for step in range(steps):
            for group, rate in zip(optimizer.param_groups, rates, strict=True) if decay else ():
                group["lr"] = rate * (1 - step / steps)
            optimizer.zero_grad()
            value = _checked(loss(), step, history)
            value.backward()
            optimizer.step()
            history[step] = value.item()
            bar.set_postfix_str(f"loss {history[step]:.4g}", refresh=False)
            bar.update()
    return history


def _checked(value: object, step: int, history: np.ndarray) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
        kind = type(value).__name__
        raise ValueError(f"loss must return a tensor with one element; got {kind}{shape}")
    if not value.requires_grad:
        raise ValueError("loss returned a tensor without gradient: does it use the parameters?")
    if not math.isfinite(value.item()):
        before = f"; one step earlier it was {history[step - 1]:.6g}" if step else ""
        raise FloatingPointError(
            f"loss is {value.item()} at step {step}{before}. Usual causes: a learning rate that "
            "is too large, the log of 0, a scale that reached 0, nan in the data."
        )
    return value
