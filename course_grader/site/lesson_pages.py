"""A lesson and an assignment as sources of their pages: notebooks without kernel or secrets."""

__all__ = ["assignment_page", "lesson_page"]

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_grader.building.term_links import link_terms
from course_grader.project import notebooks
from course_grader.site.folds import FOLD
from course_grader.site.interactive_html import as_html
from course_grader.site.launch import launch_links
from course_grader.site.links import Places, relinked
from course_grader.site.recorder import PREDICT

HIDDEN = "hide-input"  # myst-nb's tag: the code folds out
REMOVED = "remove-input"


def lesson_page(lesson: NotebookNode, unit: str, places: Places, glossary: str) -> NotebookNode:
    """Return a recorded lesson as the source of its page.

    Parameters
    ----------
    lesson : NotebookNode
        With the recorder's outputs; changed in place.
    unit : str
        Its name, such as 01_loss_as_likelihood.
    places : Places
        What the site holds.
    glossary : str
        The glossary's Markdown: a term's first use becomes a link.
    """
    link_terms(lesson, unit, glossary, "../glossary.md")
    for cell in lesson.cells:
        if cell.cell_type == "code":
            _fit(cell, f"../frames/{unit}")
    links = [f"[Assignment {unit[:2]}](../release/{unit}/{unit}.ipynb) has its exercises."]
    links.append(launch_links(unit, places.repository))
    return _page(lesson, " ".join(filter(None, links)), places)


def assignment_page(unit: str, places: Places, project: Path) -> NotebookNode:
    """Return a unit's assignment, as it was released, as the source of its page."""
    released = notebooks.load(project / "release" / unit / f"{unit}.ipynb")
    words = (
        f"To be solved in JupyterLab (`make lab`), where each check cell says what an answer "
        f"lacks. It belongs to [lesson {unit[:2]}](../notebooks/{unit}.ipynb)."
    )
    return _page(released, words, places)


def _page(notebook, words, places):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relinked(cell.source, places)
            if "fold" in cell.metadata:
                cell.source += FOLD.format(name=cell.metadata["fold"])
    note = nbformat.v4.new_markdown_cell(relinked(words, places), id="site-note")
    notebook.cells.insert(1, note)
    return notebook


def _fit(cell, frames):
    """Give a code cell's outputs the form that its page shows; in place."""
    if any(PREDICT in output.get("data", {}) for output in cell.outputs):
        _tag(cell, REMOVED)  # the form says all of it
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        _tag(cell, HIDDEN)
    if "alt" in cell.metadata:
        cell.metadata["mystnb"] = {"image": {"alt": cell.metadata["alt"]}}
    kept = []
    for output in cell.outputs:
        data = output.get("data", {})
        if made := as_html(data, frames):
            output["data"] = {"text/html": made}
        if not str(data.get("text/html", "")).startswith("<style>"):  # for JupyterLab
            kept.append(output)
    cell.outputs = kept


def _tag(cell, tag):
    tags = cell.metadata.get("tags", [])
    cell.metadata["tags"] = tags if tag in tags else [*tags, tag]
