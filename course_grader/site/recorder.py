"""What runs in a lesson's kernel: sliders and predictions are recorded for pages without kernel.

`start` comes before the lesson's own first cell, so that the lesson imports what is put here.
"""

__all__ = ["PREDICT", "REVEAL", "SLIDER", "start"]

from pathlib import Path

from IPython.display import display

from course_grader.site.frames import save_frames
from course_utils import predictions, widgets
from course_utils.typed_input import read_number

KIND = "application/vnd.course.{}+json"
SLIDER, PREDICT, REVEAL = map(KIND.format, ("slider", "predict", "reveal"))


def start(folder: str, most: int) -> None:
    """Record sliders and predictions of what runs from now on, as outputs of their cells.

    Parameters
    ----------
    folder : str
        Gets the frames: a folder for each figure, named 1, 2, ...
    most : int
        How many frames a figure has at most.
    """
    made = []

    def interactive(draw, **ranges):
        made.append(draw)
        place = Path(folder) / str(len(made))
        facts = save_frames(draw, ranges, place, most)
        _show(SLIDER, facts | {"figure": len(made)})

    widgets.interactive = interactive
    predictions.predict, predictions.reveal = _predict, _reveal


def _predict(name, value, *, ask, choices=None, words=False):
    kind = "words" if words else "choice" if choices else "number"
    _show(PREDICT, {"name": name, "ask": ask, "kind": kind, "choices": list(choices or ())})


def _reveal(name, truth, *, within=0.0, unit="", because=None):
    truth = truth if isinstance(truth, str) else read_number(truth)
    facts = {
        "name": name,
        "kind": "choice" if isinstance(truth, str) else "number",
        "truth": str(truth),  # a number as Python writes it, nan and inf, too
        "shown": repr(truth) if isinstance(truth, str) else f"{truth:.6g}",
        "within": float(within),
        "unit": unit,
        "because": [[str(wrong), sentence] for wrong, sentence in (because or {}).items()],
    }
    _show(REVEAL, facts)


def _show(kind, facts):
    display({kind: facts, "text/plain": ""}, raw=True)
