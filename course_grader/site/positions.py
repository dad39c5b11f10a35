"""At which positions of a figure's sliders a frame is drawn: all, or as many as a page carries."""

__all__ = ["Slider", "sliders_of", "thinned"]

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Slider:
    """A slider: its parameter, what stands before it, its values, and the place of its start."""

    name: str
    label: str
    values: tuple
    start: int


def sliders_of(draw: Callable[..., object], ranges: Mapping[str, tuple[Any, ...]]) -> list[Slider]:
    """Return the sliders that `course_utils.widgets.interactive` would show, in order.

    Parameters
    ----------
    draw : callable
        Has a default for each parameter with a range.
    ranges : dict
        {parameter: (low, high, step) or (low, high, step, label)}.
    """
    parameters = inspect.signature(draw).parameters
    return [_slider(name, span, parameters[name].default) for name, span in ranges.items()]


def _slider(name, span, start):
    low, high, step, label = (*span, name)[:4]
    whole = all(isinstance(number, int) for number in (low, high, step, start))
    count = math.floor((high - low) / step + 1e-9) + 1
    values = [low + step * i if whole else round(low + step * i, 9) for i in range(count)]
    near = min(range(count), key=lambda i: abs(values[i] - start))
    values[near] = start  # what the lesson shows first, between two steps or not
    return Slider(name, label, tuple(values), near)


def thinned(sliders: Sequence[Slider], most: int) -> list[Slider]:
    """Return the sliders with so few positions that their frames are `most` or less.

    The slider with the most positions loses one, again and again; ends and start stay, what is
    left is spread evenly.

    >>> one = Slider("x", "x", tuple(range(9)), 3)
    >>> thinned([one], 4)[0].values
    (0, 3, 5, 8)
    """
    counts = [len(slider.values) for slider in sliders]
    while math.prod(counts) > most and max(counts) > 3:
        counts[counts.index(max(counts))] -= 1
    return [_fewer(*pair) for pair in zip(sliders, counts, strict=True)]


def _fewer(slider, count):
    last = len(slider.values) - 1
    kept = [round(i * last / (count - 1)) for i in range(count)]
    if slider.start not in kept:  # the nearest one that is no end makes room
        kept.remove(min(kept[1:-1], key=lambda place: abs(place - slider.start)))
        kept = sorted([*kept, slider.start])
    values = tuple(slider.values[place] for place in kept)
    return dataclasses.replace(slider, values=values, start=kept.index(slider.start))
