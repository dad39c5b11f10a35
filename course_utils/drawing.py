"""A drawing function as one of its sliders' values, that returns its figure as PNG."""

__all__ = ["Drawing", "Values"]

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

Values = dict[str, float]


class Drawing:
    """A drawing function as one of {name: value} that returns its figure as PNG.

    Axes stay where they were in the first picture: nothing jumps while a slider moves, and half of
    the time is spared.

    Parameters
    ----------
    draw : callable
        Leaves one open figure.
    """

    def __init__(self, draw: Callable[..., object]) -> None:
        self._draw = draw
        self._places: list[Bbox] | None = None
        self._title_height: float | None = None

    def __call__(self, values: Values) -> bytes:
        """Draw, close the figure and return it.

        Raises
        ------
        ValueError
            `draw` does not leave exactly one new figure.
        """
        laid_out: Any = {
            "figure.constrained_layout.use": self._places is None,
            # A title that may move asks every tick where it is, a seventh of the time.
            "axes.titley": self._title_height,
        }
        # Interactive figures would wait, all of them, for the next cell's end to be shown.
        with mpl.rc_context(laid_out), plt.ioff(), _new_figures() as made:
            self._draw(**values)
            if len(made()) != 1:
                raise ValueError(f"draw must leave one open figure; it left {len(made())}")
            return self._png(plt.figure(made()[0]))

    def _png(self, figure: Figure) -> bytes:
        for axes, place in zip(figure.axes, self._places or (), strict=False):
            axes.set_position(place)
        kept = io.BytesIO()
        figure.savefig(kept, format="png", pil_kwargs={"compress_level": 1})
        if self._places is None:
            self._places = [axes.get_position(original=True).frozen() for axes in figure.axes]
            heights = {axes.title.get_position()[1] for axes in figure.axes}
            self._title_height = heights.pop() if len(heights) == 1 else None
        return kept.getvalue()


@contextlib.contextmanager
def _new_figures() -> Iterator[Callable[[], list[int]]]:
    """Give a function that returns the numbers of figures made in the block; close them after."""
    before = plt.get_fignums()

    def made() -> list[int]:
        return [number for number in plt.get_fignums() if number not in before]

    try:
        yield made
    finally:
        for number in made():
            plt.close(number)
