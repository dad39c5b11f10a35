"""The site, from committed notebooks to a folder that opens anywhere."""

__all__ = ["make_site"]

import functools
import shutil
import tempfile
from pathlib import Path

from tqdm import tqdm

from course_grader.authoring.staleness import tell_if_stale
from course_grader.playground.page import NAME as PLAYGROUND
from course_grader.playground.page import playground_page
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, Unit, units
from course_grader.site.launch import checked_repository
from course_grader.site.lesson_pages import assignment_page, lesson_page
from course_grader.site.links import Places, heading_address, relinked
from course_grader.site.map_page import map_page
from course_grader.site.recorded import recorded_lesson
from course_grader.site.scan import check_site
from course_grader.site.sphinx_run import run_sphinx

PAGES = ("glossary", "errata", "coverage", "dial")
MARK = ".nojekyll"  # without it GitHub Pages leaves out folders such as _static
STATIC = Path(__file__).parent / "static"


def make_site(
    only: list[Unit] | None = None,
    *,
    target: Path,
    project: Path = PROJECT,
    repository: str = "",
    most: int = 160,
) -> Path:
    """Make the site anew; what was there stays until all is made and scanned.

    Parameters
    ----------
    only : list of Unit, optional
        The units in it; default: all.
    target : Path
        Where it lies; another site there is replaced.
    project : Path
    repository : str
        https://github.com/owner/name: then lessons link to Binder and Colab.
    most : int
        How many frames a figure has at most.

    Returns
    -------
    Path

    Raises
    ------
    CourseError
        If a lesson fails, a link leads nowhere, a page holds a secret, or the target holds
        something else than a site.
    """
    held = only or units(project)
    target = _checked(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    places = Places(
        frozenset(unit.name for unit in held),
        frozenset({*PAGES, "index"}),
        checked_repository(repository),
    )
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        stage = Path(folder)
        _write_pages(held, stage, project, places)
        for unit in tqdm(held, desc="lessons", unit="lesson"):
            _write_unit(unit, stage, project, places, most)
        run_sphinx(stage / "source", stage / "site", static=STATIC, extra=stage / "extra")
        (stage / "site" / ".buildinfo").unlink()  # it holds the path of this folder
        check_site(stage / "site", held, units(project))
        shutil.rmtree(target, ignore_errors=True)
        (stage / "site").rename(target)
    return target


def _checked(target):
    """Return where the site goes: a new folder, or one that holds a site, which is replaced."""
    target = target.resolve()
    if target.exists() and not (target / MARK).is_file():
        raise CourseError(f"{target} is there already, and is no site: name another folder.")
    return target


def _write_pages(held, stage, project, places):
    source, extra = stage / "source", stage / "extra"
    source.mkdir()
    extra.mkdir()
    for name in PAGES:
        text = (project / "docs" / f"{name}.md").read_text("utf-8")
        (source / f"{name}.md").write_text(relinked(text, places), "utf-8")
    (source / "index.md").write_text(map_page(held), "utf-8")
    (extra / MARK).touch()
    page = playground_page(functools.partial(heading_address, places=places), home="index.html")
    (extra / PLAYGROUND).write_text(page, "utf-8")


def _write_unit(unit, stage, project, places, most):
    tell_if_stale(unit)
    glossary = (project / "docs" / "glossary.md").read_text("utf-8")
    lesson, frames = recorded_lesson(unit, project=project, most=most)
    shutil.copytree(frames, stage / "extra" / "frames" / unit.name)
    pages = {
        "lessons": lesson_page(lesson, unit.name, places, glossary),
        "assignments": assignment_page(unit.name, places, project),
    }
    for tree, made in pages.items():
        notebooks.save(made, stage / "source" / tree / f"{unit.name}.ipynb")
