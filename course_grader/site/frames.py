"""The frames of a figure with sliders: drawn, made small, told in words, saved."""

__all__ = ["HEAVIEST", "save_frames"]

import io
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from course_grader.site.positions import sliders_of, thinned
from course_utils.drawing import Drawing

HEAVIEST = 2_000_000  # bytes of a figure's frames together
SHADES = 16  # of each colour: antialiased lines look the same, files have half the size


def save_frames(
    draw: Callable[..., object], ranges: Mapping[str, tuple[Any, ...]], folder: Path, most: int
) -> dict[str, Any]:
    """Draw a figure at the positions of its sliders and save each frame as WebP.

    Parameters
    ----------
    draw : callable
    ranges : dict
        As handed to `course_utils.widgets.interactive`.
    folder : Path
        Made; gets 0.webp, 1.webp, ..., the last slider's positions counted fastest.
    most : int
        How many frames at most.

    Returns
    -------
    dict
        "sliders": a list of {name, label, values, start, all}, `all` being how many positions
        JupyterLab has; "frames": a list of {alt}, or {error} where there is no picture; "size":
        [width, height] in pixels.
    """
    known, cell = {}, _Cell(draw)
    whole = sliders_of(draw, ranges)
    cell(_values(whole, [slider.start for slider in whole]))  # places the axes for all frames
    while True:
        sliders = thinned(whole, most)
        frames = [cell.kept(known, values) for values in _grid(sliders)]
        weight = sum(len(frame.get("picture", b"")) for frame in frames)
        if weight < HEAVIEST:
            break
        most = int(len(frames) * min(0.9, 0.95 * HEAVIEST / weight))
    _write(folder, frames)
    told = [{key: one[key] for key in one if key != "picture"} for one in frames]
    size = next(Image.open(io.BytesIO(one["picture"])).size for one in frames if "alt" in one)
    facts = [
        {
            "name": slider.name,
            "label": slider.label,
            "values": list(slider.values),
            "start": slider.start,
            "all": len(every.values),
        }
        for slider, every in zip(sliders, whole, strict=True)
    ]
    return {"sliders": facts, "frames": told, "size": list(size)}


class _Cell:
    """A drawing function whose figure is also told in words."""

    def __init__(self, draw):
        self._draw, self._words = draw, ""
        self._drawing = Drawing(self._told)

    def _told(self, **values):
        self._draw(**values)
        self._words = _words(plt.gcf())

    def __call__(self, values):
        """Return {picture, alt}, or {error}."""
        try:
            picture = _small(self._drawing(values))
        except Exception as error:  # as JupyterLab's sliders do: told in place of a picture
            return {"error": f"No picture here: {type(error).__name__}: {error}"}
        at = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        return {"picture": picture, "alt": f"{at}. {self._words}"}

    def kept(self, known, values):
        """Return the frame at these values, drawn once."""
        key = tuple(values.values())
        if key not in known:
            known[key] = self(values)
        return known[key]


def _grid(sliders):
    places = itertools.product(*(range(len(slider.values)) for slider in sliders))
    return [_values(sliders, at) for at in places]


def _values(sliders, at):
    return {one.name: one.values[place] for one, place in zip(sliders, at, strict=True)}


def _words(figure):
    """Return what a figure says: titles of its axes, then the entries of its legends."""
    titles = [
        axes.get_title(loc=side).replace("\n", " ")
        for axes in figure.axes
        for side in ("left", "center", "right")
    ]
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    entries = [text.get_text() for legend in legends for text in legend.get_texts()]
    told = [". ".join(filter(None, titles)), "; ".join(entries)]
    return ". ".join(filter(None, told))


def _small(png):
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)
    step = 255 / (SHADES - 1)
    image = Image.fromarray((np.round(pixels / step) * step).astype("uint8"))
    kept = io.BytesIO()
    image.save(kept, "webp", lossless=True, method=4, quality=70)
    return kept.getvalue()


def _write(folder, frames):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for place, frame in enumerate(frames):
        if "picture" in frame:
            (Path(folder) / f"{place}.webp").write_bytes(frame["picture"])
