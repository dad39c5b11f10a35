"""What pages about a class share: a template, pictures inside the page, tables beside it."""

__all__ = ["figure_of", "image", "render", "write_csv"]

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2
import matplotlib.figure
from matplotlib.figure import Figure

from course_grader.gradebook.exporters import harmless


def render(template: str, **words: object) -> str:
    """Fill in one of templates/; whatever a student chose (ids, files) is escaped.

    Parameters
    ----------
    template : str
        A file's name.
    **words
        What the template names.

    Returns
    -------
    str
    """
    loader = jinja2.PackageLoader("course_grader.reporting", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    environment.filters["percent"] = lambda share: f"{100 * share:.0f}%"
    return environment.get_template(template).render(**words)


def figure_of(height: float) -> Figure:
    """Return an empty figure as wide as a page, `height` inches high."""
    return matplotlib.figure.Figure(figsize=(7.5, height), layout="constrained")


def image(figure: Figure) -> str:
    """Return a figure as an address that holds the whole picture."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=144)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows of words and numbers; a word that a spreadsheet would compute is quoted."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([_cell(word) for word in row] for row in rows)


def _cell(word):
    if isinstance(word, float):
        return f"{word:.6g}"
    return harmless(word) if isinstance(word, str) else word
