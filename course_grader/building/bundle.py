"""The zip that a class gets: release, lessons, course_utils, environment; scanned for leaks."""

__all__ = ["bundle_files", "check_bundle", "make_bundle"]

import zipfile
from collections.abc import Iterable
from pathlib import Path

from course_grader.building import leaks
from course_grader.building.bundle_pages import environment_file, project_file, readme
from course_grader.building.bundle_words import adapt, without_missing_links
from course_grader.building.card_file import card_file, review_page
from course_grader.building.readable import readable_text
from course_grader.building.term_links import link_terms
from course_grader.playground.page import HEADS, NAME, playground_page
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, Unit, units
from course_utils.progress import REVIEW
from course_utils.review.cards import FILE as CARDS
from course_utils.whole_file import replacing

FOLDER = "probabilistic-ml-course"
ALONE = ("LICENSE", "constraints.txt")


def make_bundle(project: Path = PROJECT, only: list[Unit] | None = None) -> Path:
    """Write build/bundle.zip, or build/bundle-03.zip; the same input gives the same bytes.

    Parameters
    ----------
    project : Path
    only : list of Unit, optional
        The units in it; default: all.

    Returns
    -------
    Path

    Raises
    ------
    CourseError
        If a file in it holds a solution, a hidden check or a hidden value.
    """
    chosen = "".join(f"-{unit.name[:2]}" for unit in only or [])
    path = project / "build" / f"bundle{chosen}.zip"
    path.parent.mkdir(exist_ok=True)
    try:
        with replacing(path) as part:  # whoever makes it at the same time has a part of his own
            _write(part, bundle_files(project, only))
            check_bundle(part, units(project))
    except CourseError:
        path.unlink(missing_ok=True)  # nobody shall give an older one out by mistake
        raise
    return path


def _write(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED)


def bundle_files(project: Path = PROJECT, only: list[Unit] | None = None) -> dict[str, bytes]:
    """Return {name in the bundle: bytes}."""
    held = only or units(project)
    files = {name: (project / name).read_bytes() for name in ALONE}
    files[REVIEW] = notebooks.as_bytes(review_page())
    for unit in held:
        files |= _files_of(unit, {unit.name for unit in held}, project)
    for path in (project / "course_utils").rglob("*"):
        if path.suffix in (".py", ".mplstyle"):
            files[path.relative_to(project).as_posix()] = path.read_bytes()
    return files | {name: text.encode() for name, text in _pages(held, project).items()}


def _files_of(unit, names, project):
    """Return a unit's lesson, in a class's words, and its assignment as it was released."""
    lesson = notebooks.close_folds(notebooks.load(project / "notebooks" / f"{unit.name}.ipynb"))
    adapt(lesson, unit.name, names)
    link_terms(lesson, unit.name, _text(project, "docs/glossary.md"), "../glossary.md")
    files = {f"lessons/{unit.name}.ipynb": notebooks.as_bytes(lesson)}
    for path in filter(Path.is_file, (project / "release" / unit.name).glob("*")):
        files[f"assignments/{unit.name}/{path.name}"] = path.read_bytes()
    return files | {f"assignments/{unit.name}/{CARDS}": card_file(unit, project)}


def _pages(held, project):
    """Return what speaks of the bundle itself: {name: text}."""
    glossary = without_missing_links(
        _text(project, "docs/glossary.md"), {unit.name for unit in held}
    )
    played = {NAME: playground_page()} if HEADS in {unit.name for unit in held} else {}
    return played | {
        "README.md": readme(held),
        "glossary.md": glossary.replace("(../notebooks/", "(lessons/"),
        "pyproject.toml": project_file(_text(project, "pyproject.toml")),
        "environment.yml": environment_file(_text(project, "environment.yml")),
    }


def _text(project, name):
    return (project / name).read_text("utf-8")


def check_bundle(path: Path, known: Iterable[Unit]) -> None:
    """Stop if any file of a bundle holds a secret of a unit."""
    secrets = [(unit, leaks.secrets_of(unit)) for unit in known]
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            text = readable_text(Path(name), packed.read(name))
            for unit, secret in secrets:
                for leak in leaks.leaks_in(text, secret, digits=_digits(name, unit, known)):
                    raise CourseError(f"the bundle: {name} shows {leak} of {unit.name}")


def _digits(name, unit, known):
    """Return how many digits tell a hidden value of a unit in a file of the bundle.

    The thousands of numbers in another unit's files agree with some to four digits by chance; what
    was copied from unit to unit agrees in all.
    """
    others = {other.name for other in known} - {unit.name}
    return leaks.COPIED if any(other in name for other in others) else leaks.TELLING
