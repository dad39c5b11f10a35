"""Time in units of known work: a slow or busy machine makes both sides of a comparison long."""

__all__ = ["Paced", "known_work"]

import os
import time

import torch

SECONDS = 0.05  # what `known_work` takes on a quick machine that does nothing else


def known_work() -> float:
    """Return the processor seconds that some small operations take here and now."""
    x, start = torch.ones(30, requires_grad=True), time.process_time()
    for _ in range(1200):
        torch.autograd.grad((x * x).sum(), x)
        sum(range(1000))
    return time.process_time() - start


class Paced:
    """Count what a block takes, children included, as a quick machine's seconds.

    Work that is known is timed before the block and after it. Blocks of one object add up in
    `seconds`.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> "Paced":
        self._pace, self._start = known_work(), _used()
        return self

    def __exit__(self, *exception: object) -> None:
        used = _used() - self._start
        self.seconds += used * 2 * SECONDS / (self._pace + known_work())


def _used():
    """Return the processor seconds of this process and its ended children."""
    return sum(os.times()[:4])
