"""Nothing secret leaves by the site: its pages are scanned as the bundle is."""

__all__ = ["check_site", "page_text"]

from collections.abc import Iterable
from pathlib import Path

from bs4 import BeautifulSoup

from course_grader.building import leaks
from course_grader.project.course import CourseError, Unit
from course_grader.proving.reference import is_at_hand

TOLD = {"alt", "title", "value", "aria-label", "content"}  # attributes that hold words
READ = {".html", ".js", ".json", ".txt", ".inv"}


def check_site(folder: Path, built: Iterable[Unit], known: Iterable[Unit]) -> None:
    """Stop if a file of the site holds a secret.

    Secrets are those of the units built, and of all others whose reference is at hand; with all
    units built, of all.

    Parameters
    ----------
    folder : Path
    built, known : list of Unit

    Raises
    ------
    CourseError
        Names each file, secret and unit.
    """
    looked = [unit for unit in known if unit in built or is_at_hand(unit)]
    secrets = [(unit, leaks.secrets_of(unit)) for unit in looked]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in READ:
            name = path.relative_to(folder).as_posix()
            text = _readable(path)
            for unit, secret in secrets:
                digits = leaks.TELLING if unit.name in name else leaks.COPIED
                shown = leaks.leaks_in(text, secret, digits=digits)
                found += [f"{name} shows {leak} of {unit.name}" for leak in shown]
    if found:
        raise CourseError("\n".join([*found, "So there is no site: mend the master it is from."]))


def _readable(path):
    text = path.read_text("utf-8", "replace")
    return page_text(text) if path.suffix == ".html" else text


def page_text(html: str) -> str:
    """Return what a page tells: its text, and words in attributes; coloured code in one piece.

    >>> page_text('<pre><span>x</span> = 1</pre><img alt="y">')
    'x = 1\\ny'
    """
    page = BeautifulSoup(html, "html.parser")
    for drawn in page(["svg", "style"]):  # numbers that nobody reads
        drawn.decompose()
    pairs = [pair for tag in page(True) for pair in tag.attrs.items()]
    words = [str(v) for name, v in pairs if name in TOLD or name.startswith("data-")]
    return "\n".join(["".join(page.find_all(string=True)), *words])
