"""Links of the course's files, as links between pages of the site."""

__all__ = ["Places", "heading_address", "relinked"]

import dataclasses
import re

from myst_parser.slugs import github_slugify

LINK = re.compile(
    r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)( \"[^\"]*\")?\)"
)
UNIT = re.compile(r"(?:.*/)?(?P<unit>\d\d_\w+)\.ipynb(?:#(?P<anchor>.*))?$")
PAGE = re.compile(r"(?:.*/)?(?P<page>\w+)\.md(?:#(?P<anchor>.*))?$")
MAP = "/index.md"


@dataclasses.dataclass(frozen=True)
class Places:
    """What the site holds: names of its units and pages; where the repository is, if known."""

    units: frozenset
    pages: frozenset
    repository: str = ""


def relinked(text: str, places: Places) -> str:
    """Return Markdown whose links lead to pages of the site.

    A unit that is not built leads to the map; a file that is no page leads to the repository,
    or, where none is set, becomes plain text.
    """
    return LINK.sub(lambda found: _link(*found.groups(default=""), places), text)


def heading_address(unit: str, heading: str, places: Places) -> str | None:
    """Return where a heading of a lesson is, seen from the site's first page; None if not built.

    >>> heading_address("01_x", "A head is a promise", Places({"01_x"}, set()))
    'lessons/01_x.html#a-head-is-a-promise'
    """
    return _anchor(f"lessons/{unit}.html", heading) if unit in places.units else None


def _link(words, target, title, places):
    if re.match(r"[a-z]+:|#", target):
        address = _anchor(*target.partition("#")[::2]) if target[0] == "#" else target
        return f"[{words}]({address}{title})"
    if unit := UNIT.match(target):
        tree = "assignments" if "release/" in target else "lessons"
        page = f"/{tree}/{unit['unit']}.ipynb"
        address = _anchor(page, unit["anchor"]) if unit["unit"] in places.units else MAP
        return f"[{words}]({address}{title})"
    page = PAGE.match(target)
    if page and page["page"] in places.pages:
        return f"[{words}]({_anchor('/' + page['page'] + '.md', page['anchor'])}{title})"
    path = re.sub(r"^(\.\./)+", "", target)
    outside = f"{places.repository}/blob/HEAD/{path}"
    return f"[{words}]({outside}{title})" if places.repository else words


def _anchor(page, anchor):
    """Return a page's place under the name that the site gives its headings."""
    return f"{page}#{github_slugify(anchor.replace('-', ' '))}" if anchor else page
