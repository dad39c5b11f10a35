"""Sliders for a plain drawing function."""

__all__ = ["interactive"]

import inspect

import ipywidgets


def interactive(draw, **ranges):
    """Return sliders that call a drawing function again whenever one of them is released.

    Parameters
    ----------
    draw : callable
        Plain function of plain numbers, each with a default: where its slider starts.
    **ranges : (low, high, step)
        One for each parameter that gets a slider; all three integers make an integer slider.
        A parameter without range keeps its default.

    Returns
    -------
    box : ipywidgets.VBox
        The sliders, then the output; what `draw` raises at the start values is raised here.

    Raises
    ------
    ValueError
        A range names no parameter of `draw`, is no (low, high, step), or misses the default.

    Examples
    --------
    >>> interactive(lambda height=1.0: None, width=(0.0, 2.0, 0.5))
    Traceback (most recent call last):
    ValueError: draw has no parameter 'width'; it has height
    """
    sliders = {name: _slider(draw, name, span) for name, span in ranges.items()}
    errors = []

    def call(**values):
        try:
            draw(**values)
        except Exception as error:
            errors.append(error)
            raise

    output = ipywidgets.interactive_output(call, sliders)
    if errors:  # inside a kernel the output widget shows an error and lets the cell pass
        raise errors[0]
    return _Panel([*sliders.values(), output])


class _Panel(ipywidgets.VBox):
    """A box whose plain text says what a reader without a live kernel misses."""

    def __repr__(self):
        names = ", ".join(child.description for child in self.children[:-1])
        return f"Sliders for {names}: run this notebook in Jupyter to move them"


def _slider(draw, name, span):
    start = _start(draw, name)
    low, high, step = _checked(span, name)
    if not low <= start <= high:
        raise ValueError(f"{name} starts at {start!r}, outside its range {low!r} to {high!r}")
    whole = all(isinstance(number, int) for number in (low, high, step, start))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    look = {"description": name, "continuous_update": False}
    look["style"] = {"description_width": "initial"}
    return kind(value=start, min=low, max=high, step=step, **look)


def _start(draw, name):
    parameters = inspect.signature(draw).parameters
    if name not in parameters:
        raise ValueError(f"draw has no parameter {name!r}; it has {', '.join(parameters)}")
    if parameters[name].default is inspect.Parameter.empty:
        raise ValueError(f"parameter {name!r} of draw needs a default: where its slider starts")
    return parameters[name].default


def _checked(span, name):
    if not isinstance(span, tuple) or len(span) != 3:
        raise ValueError(f"the range of {name} must be (low, high, step); got {span!r}")
    low, high, step = span
    if not (low < high and 0 < step <= high - low):
        raise ValueError(f"the range of {name} needs low < high and a step that fits; got {span}")
    return span
