"""The units of the course and what each builds on: the map, as places and as HTML with links."""

__all__ = ["COURSE", "map_html", "places"]

import textwrap
from collections.abc import Mapping
from html import escape

COURSE = {  # unit: (title, the units it builds on, height in the picture, from the top)
    "00": ("Start here", "", 2.8),
    "01": ("Loss is a likelihood", "00", 2.8),
    "02": ("Choosing an output distribution", "01", 2.6),
    "03": ("Entropy, KL, cross-entropy, label smoothing", "01", 3.8),
    "04": ("Priors, MAP, and what weight decay means", "01", 0),
    "05": ("Calibration", "01", 1.4),
    "06": ("Aleatoric and epistemic uncertainty", "04", 0),
    "07": ("MC dropout, honestly", "05 06", 0),
    "08": ("Deep ensembles", "05 06", 1.4),
    "09": ("Bayesian neural networks", "07 08", 0.6),
    "10": ("Mixtures and mixture density networks", "02", 3.2),
    "11": ("Variational autoencoders", "01", 5.0),
    "12": ("Normalizing flows", "01", 6.0),
    "13": ("Forecasting: distributions over the future", "02", 4.6),
    "14": ("Proper scoring rules", "02 07 08", 1.9),
    "15": ("Audit a model card", "14", 1.9),
}
COLOURS = {"done": "#009e73", "begun": "#e69f00", "fresh": "#808080"}
WIDE, HIGH = 132, 66  # pixels for each column, and for each step down


def places() -> dict[str, tuple[int, float]]:
    """Return {unit: (column, height)}: a unit stands to the right of all that it builds on."""
    found: dict[str, tuple[int, float]] = {}
    for unit, (_, needs, down) in COURSE.items():
        column = max((found[need][0] + 1 for need in needs.split()), default=0)
        found[unit] = (column, down)
    return found


def map_html(states: Mapping[str, tuple[str, str]]) -> str:
    """Return the map as HTML: a box for each unit, lines from what it builds on.

    Parameters
    ----------
    states : dict
        {unit: (state, link)}; a state is "done", "begun" or "fresh". A unit that is not in it is
        drawn pale and without link.
    """
    at = {unit: (WIDE * column, HIGH * down) for unit, (column, down) in places().items()}
    width = max(x for x, _ in at.values()) + WIDE
    height = max(y for _, y in at.values()) + HIGH
    lines = "".join(
        _line(at[need], at[unit])
        for unit, (_, needs, _) in COURSE.items()
        for need in needs.split()
    )
    boxes = "".join(_box(unit, at[unit], *states.get(unit, ("fresh", ""))) for unit in COURSE)
    drawn = (
        f"<svg width='{width}' height='{height}' aria-hidden='true' "
        f"style='position:absolute;left:0;top:0'>{lines}</svg>"
    )
    return (
        f"<div style='overflow-x:auto'><div style='position:relative;width:{width}px;"
        f"height:{height}px'>{drawn}{boxes}</div></div>"
    )


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return (
        f"<line x1='{x1 + WIDE // 2}' y1='{y1 + HIGH / 2:g}' x2='{x2 + WIDE // 2}' "
        f"y2='{y2 + HIGH / 2:g}' stroke='#a0a0a0' stroke-width='1.5'/>"
    )


def _box(unit: str, at: tuple[float, float], state: str, link: str) -> str:
    title = "<br>".join(map(escape, textwrap.wrap(COURSE[unit][0], 19)))
    look = (
        f"position:absolute;left:{at[0] + 5}px;top:{at[1] + 3:g}px;width:{WIDE - 16}px;"
        f"min-height:{HIGH - 12}px;box-sizing:border-box;border:2px solid {COLOURS[state]};"
        f"border-left-width:8px;border-radius:5px;padding:2px 5px;font-size:11px;line-height:1.2;"
        f"background:var(--jp-layout-color0,#fff);color:inherit;text-decoration:none"
    )
    words = f"<b>{unit}</b> <span>{'' if state == 'fresh' else state}</span><br>{title}"
    if not link:
        return f"<div style='{look};opacity:.5'>{words}</div>"
    return f"<a href='{escape(link, quote=True)}' style='{look}'>{words}</a>"
