"""Draw arrays that are already computed; every function returns its axes."""

__all__ = [
    "plot_band",
    "plot_curve",
    "plot_data",
    "plot_oracle",
    "use_course_style",
]

from typing import Any

import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Values = Any  # a tensor, or what NumPy makes an array of
BAND_COLORS = {"y": "#56B4E9", "f": "#0072B2"}
DATA_COLOR = "#808080"  # opaque: transparent dots double the size of a committed figure
# In a dark JupyterLab a white figure glares: dark and light change places, hues stay.
NO_GLARE = """<style>
body[data-jp-theme-light="false"] .jp-OutputArea img {filter: invert(.88) hue-rotate(180deg)}
</style>"""


def use_course_style() -> None:
    """Switch matplotlib to the style of the course: colour-blind-safe, sized for a notebook.

    In JupyterLab, figures follow a dark theme.
    """
    plt.style.use("course_utils.course")
    if get_ipython():
        display({"text/html": NO_GLARE, "text/plain": ""}, raw=True)


def plot_data(
    x: Values, y: Values, *, ax: Axes | None = None, label: str | None = "data", **style: Any
) -> Axes:
    """Draw data as grey dots.

    Parameters
    ----------
    x, y : array or tensor, shape (n,)
    ax : matplotlib Axes, optional
        The current axes where none are given.
    label : str or None
        Legend entry.
    **style
        Passed on to `Axes.plot`.

    Returns
    -------
    ax : matplotlib Axes

    Examples
    --------
    >>> len(plot_data([0.0, 1.0], [2.0, 3.0]).lines)
    1
    >>> plt.close()
    """
    look = {"color": DATA_COLOR, "marker": "o", "linestyle": "none", "markersize": 4, "zorder": 2}
    return _plot(x, y, ax, label, look | style)


def plot_curve(
    x: Values, f: Values, *, ax: Axes | None = None, label: str | None = None, **style: Any
) -> Axes:
    """Draw a computed function f of x as a solid line; parameters as in `plot_data`."""
    return _plot(x, f, ax, label, style)


def plot_oracle(
    x: Values, f: Values, *, ax: Axes | None = None, label: str | None = "oracle", **style: Any
) -> Axes:
    """Draw the known truth as a dashed black line; parameters as in `plot_data`."""
    look = {"color": "black", "linestyle": "--", "linewidth": 1.6, "zorder": 3}
    return _plot(x, f, ax, label, look | style)


def plot_band(
    x: Values,
    lower: Values,
    upper: Values,
    *,
    contains: str,
    level: float,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Shade the band between two curves and say in the legend what it holds.

    Parameters
    ----------
    x, lower, upper : array or tensor, shape (n,)
        lower <= upper everywhere.
    contains : {"y", "f"}
        "y": new data fall into the band; "f": the noise-free function does.
    level : float in (0, 1)
        Probability that the band claims.
    ax : matplotlib Axes, optional
    **style
        Passed on to `Axes.fill_between`.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    ValueError
        `contains` or `level` is out of range, or lower > upper somewhere.

    Examples
    --------
    >>> ax = plot_band([0, 1], [0, 0], [1, 1], contains="y", level=0.9)
    >>> ax.get_legend_handles_labels()[1]
    ['0.9 band for y']
    >>> plt.close()
    """
    x, lower, upper = _array(x), _array(lower), _array(upper)
    if contains not in BAND_COLORS:
        raise ValueError(f"contains must be 'y' or 'f'; got {contains!r}")
    if not 0 < level < 1:
        raise ValueError(f"level must be a probability in (0, 1); got {level!r}")
    if np.any(lower > upper):
        raise ValueError(f"lower exceeds upper at {np.sum(lower > upper)} of {x.size} points")
    ax = plt.gca() if ax is None else ax
    look: dict[str, Any] = {
        "color": BAND_COLORS[contains],
        "alpha": 0.35,
        "linewidth": 0,
        "zorder": 1,
    }
    ax.fill_between(x, lower, upper, label=f"{level:g} band for {contains}", **(look | style))
    return ax


def _plot(x: Values, y: Values, ax: Axes | None, label: str | None, style: dict[str, Any]) -> Axes:
    ax = plt.gca() if ax is None else ax
    ax.plot(_array(x), _array(y), label=label, **style)
    return ax


def _array(values: Values) -> np.ndarray:
    """NumPy view of an array or of a tensor on any device, with or without gradient."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
