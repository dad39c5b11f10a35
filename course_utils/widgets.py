"""Sliders for a plain drawing function: the picture follows the hand."""

__all__ = ["interactive"]

import inspect
from collections.abc import Callable, Collection
from html import escape
from typing import Any

import ipywidgets
from IPython.display import HTML, display

from course_utils.drawing import Drawing
from course_utils.slider_frames import Frames

SLOW = 0.3  # seconds after which a reader wonders whether anything happens
# JupyterLab keeps outputs of an earlier session, but no sliders: then the sentence shows.
ASLEEP = (
    "<style>.jp-OutputArea:has(.widget-slider:not(.jupyter-widgets-disconnected)) "
    ".course-asleep {{display: none}}</style>"
    '<div class="course-asleep"><em>{words}</em></div>'
)


def interactive(draw: Callable[..., object], **ranges: tuple[Any, ...]) -> ipywidgets.VBox:
    """Return sliders above a picture that is drawn again while one of them is dragged.

    Parameters
    ----------
    draw : callable
        Plain function of plain numbers, each with a default: where its slider starts. It leaves
        one open figure, the same one for the same numbers: a picture is drawn once and kept.
    **ranges : (low, high, step) or (low, high, step, label)
        One for each parameter that gets a slider; all three integers make an integer slider. The
        label, such as "mass (kg)", stands before it in place of the parameter's name. A
        parameter without range keeps its default.

    Returns
    -------
    box : ipywidgets.VBox
        The sliders, then the picture; what `draw` raises at the start values is raised here.

    Raises
    ------
    ValueError
        A range names no parameter of `draw`, is no (low, high, step), or misses the default; or
        `draw` does not leave exactly one new figure.

    Examples
    --------
    >>> interactive(lambda height=1.0: None, width=(0.0, 2.0, 0.5))
    Traceback (most recent call last):
    ValueError: draw has no parameter 'width'; it has height
    """
    sliders = {name: _slider(draw, name, span) for name, span in ranges.items()}
    _align(sliders.values())
    panel = _Panel(Drawing(draw), sliders)
    display(
        _Asleep(f"Sliders for {panel.names}: run the cells above, then this one, to move them.")
    )
    return panel


class _Asleep(HTML):
    """What stands where an earlier session's sliders were."""

    def __init__(self, words: str) -> None:
        super().__init__(ASLEEP.format(words=escape(words)))
        self._words = words

    def __repr__(self) -> str:
        return self._words


class _Panel(ipywidgets.VBox):
    """Sliders, the picture at their values, and a line for what there is to say."""

    def __init__(self, picture: Drawing, sliders: dict[str, Any]) -> None:
        self._sliders, self._frames = sliders, Frames(picture)
        as_it_is = {"align_self": "flex-start", "max_width": "100%"}
        self._picture = ipywidgets.Image(format="png", layout=as_it_is)
        self._line = ipywidgets.HTML()
        self._picture.value = self._frames.at(self._values())
        super().__init__([*sliders.values(), self._picture, self._line])
        for slider in sliders.values():
            slider.observe(self._moved, names="value")
        self._draw_ahead()

    @property
    def names(self) -> str:
        """What the sliders are called."""
        return ", ".join(slider.description for slider in self._sliders.values())

    def __repr__(self) -> str:
        return f"Sliders for {self.names}: run this notebook in Jupyter to move them"

    def _values(self) -> dict[str, float]:
        return {name: slider.value for name, slider in self._sliders.items()}

    def _draw_ahead(self) -> None:
        spans = {name: (one.min, one.max, one.step) for name, one in self._sliders.items()}
        self._frames.draw_ahead(self._values(), spans)

    def _moved(self, _change: object) -> None:
        values = self._values()
        if self._frames.seconds > SLOW and not self._frames.has(values):
            self._line.value = "<em>drawing ...</em>"
        try:
            self._picture.value, told = self._frames.at(values), ""
        except Exception as error:  # the last picture stays, and the sentence says that it is old
            told = f"No picture here: {type(error).__name__}: {error}"
        self._line.value = f"<em>{escape(told)}</em>" if told else ""
        self._draw_ahead()


def _slider(draw: Callable[..., object], name: str, span: tuple[Any, ...]) -> Any:
    start = _start(draw, name)
    low, high, step, label = _checked(span, name)
    if not low <= start <= high:
        raise ValueError(f"{name} starts at {start!r}, outside its range {low!r} to {high!r}")
    whole = all(isinstance(number, int) for number in (low, high, step, start))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(value=start, min=low, max=high, step=step, description=label)


def _align(sliders: Collection[Any]) -> None:
    """Give all sliders of a panel a track of the same length, whatever they are called."""
    longest = max(len(slider.description) for slider in sliders)
    for slider in sliders:
        slider.style.set_trait("description_width", f"{0.6 * longest + 1:.1f}em")
        slider.layout.width = f"{0.6 * longest + 26:.1f}em"


def _start(draw: Callable[..., object], name: str) -> Any:
    parameters = inspect.signature(draw).parameters
    if name not in parameters:
        raise ValueError(f"draw has no parameter {name!r}; it has {', '.join(parameters)}")
    if parameters[name].default is inspect.Parameter.empty:
        raise ValueError(f"parameter {name!r} of draw needs a default: where its slider starts")
    return parameters[name].default


def _checked(span: object, name: str) -> tuple[float, float, float, str]:
    if not isinstance(span, tuple) or len(span) not in (3, 4):
        raise ValueError(f"the range of {name} must be (low, high, step); got {span!r}")
    low, high, step, label = (*span, name)[:4]
    if not (low < high and 0 < step <= high - low):
        raise ValueError(f"the range of {name} needs low < high and a step that fits; got {span}")
    return low, high, step, label
