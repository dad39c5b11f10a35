"""What a lesson says in a class's bundle: no command, page or unit that is not in it."""

__all__ = ["REWORDED", "adapt", "without_missing_links"]

import re
from collections.abc import Collection

from nbformat import NotebookNode

LINK = re.compile(r"\[([^\]]*)\]\((?:[./a-z]*/)?(\d\d_\w+)\.ipynb[^)\s]*\)")
# Lesson: (what it says to who has the whole course, what it says to a class).
REWORDED = {
    "00_start": [
        (
            """If you study alone, the button **Check all cases** below each panel runs them at any
            time, and a worked solution folds out. There are commands, too, for a terminal in the
            course's folder:
            | command | what it does |
            | --- | --- |
            | `make lab` | opens JupyterLab at the map of `work/`, your own copy of the course |
            | `make check UNIT=00` | judges a saved assignment with all cases, hidden ones too |
            | `make progress` | shows where you stand |
            | `make interview` | asks ten questions from all units, and scores your answers |
            | `make review` | asks what you have met, when you are about to forget it |""",
            "The button **Validate** above an assignment runs it from the top, as grading does, "
            "with the visible cases.",
        ),
        (
            "Visible cases are necessary, hidden ones decide, and `make check` runs both.",
            "Visible cases are necessary, and hidden ones decide.",
        ),
    ],
    "02_output_distributions": [
        (
            "To meet the heads without code: `make playground` opens a page on which",
            "To meet the heads without code, open `playground.html`, which lies beside the folder "
            "`lessons`, in a browser: on that page",
        ),
    ],
    "03_entropy_kl": [
        (
            "`make robustness` reruns on ten seeds, and three times as long.",
            "the course's own tests rerun on ten seeds, and three times as long.",
        )
    ],
}


def adapt(lesson: NotebookNode, name: str, units: Collection[str]) -> None:
    """Reword a lesson for a class, and unlink what its bundle has not; in place.

    Parameters
    ----------
    lesson : NotebookNode
    name : str
        The lesson's unit, such as 00_start.
    units : collection of str
        The names of all units in the bundle.
    """
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            cell.source = without_missing_links(_reworded(cell.source, name), units)
        elif "progress(" in cell.source:
            cell.outputs = []  # where somebody else stood, told to who has the whole course


def without_missing_links(text: str, units: Collection[str]) -> str:
    """Turn links to units that are not among these into their plain text."""
    return LINK.sub(lambda found: found[0] if found[2] in units else found[1], text)


def _reworded(text, name):
    for old, new in REWORDED.get(name, []):
        text = _anyhow_wrapped(old).sub(new, text)
    return text


def _anyhow_wrapped(sentence):
    return re.compile(r"\s+".join(map(re.escape, sentence.split())))
