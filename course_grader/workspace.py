"""The learner's own copy under work/: made once, never overwritten."""

__all__ = ["LANDING", "lesson_name", "prepare_cards", "prepare_work"]

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_grader.building.card_file import card_file, review_page
from course_grader.building.term_links import link_terms
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Unit
from course_utils.checking.comparison import EXPECTED_FILE
from course_utils.progress import REVIEW, progress
from course_utils.review.cards import FILE as CARDS

LANDING, GLOSSARY = "course.ipynb", "glossary.md"
LINK = re.compile(r"\]\((\d\d_\w+)\.ipynb")  # from one lesson to another
IN_DOCS = re.compile(r"\(\.\./notebooks/(\d\d_\w+)\.ipynb")  # from docs/ to a lesson
SHOW = "from course_utils.progress import progress\n\nprogress('.')"
WHERE = """# Where you stand

Each box is a unit; it leads to its lesson, and its colour says how far you are. The table below
has the assignments, too. Run the cell once more (Shift+Enter) to see what has changed."""


def prepare_work(
    units: Iterable[Unit], *, project: Path = PROJECT, say: Callable[[str], object] = print
) -> None:
    """Copy lessons and assignments into work/; what is there stays as it is.

    A newer release of an assignment that is already in work/ lands beside it, in a folder
    named after its hash, and a message says so. Of the landing page the map is drawn anew.
    """
    work = project / "work"
    lessons = {unit.name: lesson_name(work / unit.name) for unit in units}
    for unit in units:
        links = _navigation(unit.name, lessons)
        _copy_lesson(unit, lessons, links, project, say)
        _copy_assignment(unit, links, project, say)
    prepare_cards(units, project=project)
    _draw_landing(work)
    _copy_glossary(work, lessons, project)


def prepare_cards(units: Iterable[Unit], *, project: Path = PROJECT) -> None:
    """Put the cards of units that are in work/ there, and the page that asks them.

    Cards are the course's: new ones take the place of old ones, and a learner's history of them
    lies elsewhere. Those that are newer than lesson and master stay.
    """
    work = project / "work"
    for unit in units:
        path = work / unit.name / CARDS
        made_from = unit.master("lesson"), project / "notebooks" / f"{unit.name}.ipynb"
        if path.parent.is_dir() and not _is_newer(path, made_from):
            path.write_bytes(card_file(unit, project))
    if work.is_dir() and not os.path.lexists(work / REVIEW):
        notebooks.save(review_page(), work / REVIEW)


def _is_newer(path, others):
    return path.is_file() and path.stat().st_mtime > max(p.stat().st_mtime for p in others)


def lesson_name(folder: Path) -> str:
    """Return what a unit's lesson is called in its folder: 06_lesson.ipynb, or an older name."""
    older = "lesson.ipynb"
    return older if os.path.lexists(folder / older) else f"{folder.name[:2]}_lesson.ipynb"


def _draw_landing(work):
    """Write the page that shows the map, or draw the map anew on the one that is there."""
    path = work / LANDING
    try:
        page = notebooks.load(path)
        [cell] = [cell for cell in page.cells if cell.get("id") == "where"]
    except (OSError, ValueError):
        cell = new_code_cell(SHOW, id="where", metadata={"jupyter": {"source_hidden": True}})
        page = new_notebook(cells=[new_markdown_cell(WHERE, id="words"), cell])
        page.metadata["kernelspec"] = notebooks.KERNELSPEC
    now = progress(work)
    now.at = "."
    data = {"text/html": now._repr_html_(), "text/plain": str(now)}
    cell.outputs = [new_output("execute_result", data)]
    notebooks.save(page, path)
    with contextlib.suppress(Exception):  # unsigned, the map is a list of links
        NotebookNotary().sign(notebooks.load(path))


def _navigation(name, lessons):
    """Return the line of links that stands at both ends of a unit's two pages."""
    names = list(lessons)
    place = names.index(name)
    around = {"previous": names[place - 1 : place], "next": names[place + 1 : place + 2]}
    ways = {
        word: f"[{word}: {other[0][:2]}](../{other[0]}/{lessons[other[0]]})"
        for word, other in around.items()
        if other
    }
    here = f"[lesson]({lessons[name]}), [assignment]({name}.ipynb)"
    line = [
        ways.get("previous"),
        here,
        f"[map](../{LANDING}), [glossary](../{GLOSSARY})",
        ways.get("next"),
    ]
    return " · ".join(filter(None, line))


def _with_links(notebook, links):
    """Put a line of links at both ends of a notebook; in place."""
    top, end = (new_markdown_cell(links, id=f"links-{place}") for place in ("top", "end"))
    notebook.cells = [top, *notebook.cells, end]
    return notebook


def _copy_lesson(unit, lessons, links, project, say):
    target = project / "work" / unit.name / lessons[unit.name]
    if os.path.lexists(target):
        return
    committed = notebooks.load(project / "notebooks" / f"{unit.name}.ipynb")
    lesson = notebooks.close_folds(committed)
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:  # each unit has a folder of its own here
            cell.source = LINK.sub(lambda found: _from_lesson(found[1], lessons), cell.source)
    page = (project / "docs" / GLOSSARY).read_text("utf-8")
    link_terms(lesson, unit.name, page, f"../{GLOSSARY}")
    notebooks.save(_with_links(lesson, links), target)
    say(f"new: {target.relative_to(project)}")


def _copy_glossary(work, lessons, project):
    """Write the glossary, with links to the lessons as they are called here."""
    page = (project / "docs" / GLOSSARY).read_text("utf-8")
    page = IN_DOCS.sub(lambda found: f"({_place(found[1], lessons)}", page)
    (work / GLOSSARY).write_text(page, "utf-8")


def _place(name, lessons):
    """Return where a unit's lesson lies in work/."""
    return f"{name}/{lessons.get(name, f'{name[:2]}_lesson.ipynb')}"


def _from_lesson(name, lessons):
    return f"](../{_place(name, lessons)}"


def _copy_assignment(unit, links, project, say):
    folder = project / "work" / unit.name
    mine, release = folder / f"{unit.name}.ipynb", project / "release" / unit.name
    released = _hash(release / f"{unit.name}.ipynb")
    if not os.path.lexists(mine):
        _copy(release, folder)
        notebooks.save(_with_links(notebooks.load(mine), links), mine)
        say(f"new: {mine.relative_to(project)}")
    elif _hash(mine) != released and not (folder / f"release-{released}").exists():
        _copy(release, folder / f"release-{released}")
        say(
            f"{unit.name} was released anew. Your work is untouched; the new version lies in "
            f"{(folder / f'release-{released}').relative_to(project)}"
        )


def _copy(release, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in filter(Path.is_file, release.iterdir()):
        shutil.copy(path, folder / path.name)
    assert (folder / EXPECTED_FILE).is_file()


def _hash(path):
    try:
        return notebooks.load(path).metadata.get("course", {}).get("hash", "unknown")
    except Exception:  # a half-saved file is the learner's: it is kept, and counts as old
        return "unknown"
