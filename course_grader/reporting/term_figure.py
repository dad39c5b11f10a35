"""A term's picture: the shares of a class by unit, in colours for a light and a dark page."""

__all__ = ["draw_units", "unit_pictures"]

from collections.abc import Sequence

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from course_grader.reporting.pages import figure_of, image
from course_grader.reporting.term_analysis import Summary, label_of

INKS = {  # words, grid, paper, dots, boxes
    "light": ("#222222", "#E4E4E4", "#FFFFFF", "#8A8A8A", "#0072B2"),
    "dark": ("#E4E4E4", "#3A3D42", "#17191C", "#8F949B", "#56B4E9"),
}


def unit_pictures(summaries: Sequence[Summary]) -> dict[str, str]:
    """Return {"light": address, "dark": address} of the class by unit."""
    return {theme: _in_inks(summaries, *inks) for theme, inks in INKS.items()}


def draw_units(summaries: Sequence[Summary], *, dots: str, boxes: str) -> Figure:
    """Draw students' shares by unit; the median, and the middle half where it says something.

    Parameters
    ----------
    summaries : list of Summary
    dots, boxes : str
        Colours of single students, and of the class.

    Returns
    -------
    Figure
    """
    figure = figure_of(2.8)
    axes = figure.subplots()
    for place, one in enumerate(summaries):
        _draw_unit(axes, place, one, dots, boxes)
    medians = [np.nan if one.median is None else 100 * one.median for one in summaries]
    axes.plot(medians, "o-", color=boxes, label="median")
    names = [f"{label_of(one.unit)}\n{one.handed}" for one in summaries]
    axes.set_xticks(range(len(names)), names)
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="unit, and how many handed in", ylabel="% of the points")
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(-4, None))
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def _draw_unit(axes, place, one, dots, boxes):
    # A dot's place beside the others tells nothing: it only keeps equal shares apart.
    aside = np.random.default_rng(place).uniform(-0.2, 0.2, len(one.shares))
    words = {"label": "a student"} if place == 0 else {}
    axes.plot(place + aside, 100 * one.shares, ".", color=dots, alpha=0.7, markersize=4, **words)
    if one.quartiles:
        low, high = (100 * share for share in one.quartiles)
        words = {"label": "the middle half"} if "the middle half" not in _labels(axes) else {}
        axes.bar(place, high - low, 0.6, low, color=boxes, alpha=0.25, **words)


def _labels(axes):
    return axes.get_legend_handles_labels()[1]


def _in_inks(summaries, words, grid, paper, dots, boxes):
    colours = {f"{name}.color": words for name in ("xtick", "ytick", "text")}
    colours |= {f"axes.{name}": words for name in ("labelcolor", "edgecolor")}
    colours |= {"grid.color": grid, "axes.facecolor": paper, "figure.facecolor": paper}
    with matplotlib.style.context(["course_utils.course", colours]):
        return image(draw_units(summaries, dots=dots, boxes=boxes))
