"""Folds of a page: a section that stays closed until its prediction is committed, or a click."""

__all__ = ["FOLD", "fold_sections"]

import re
from typing import Any

from docutils import nodes

FOLD = '\n\n<div class="fold-mark" data-fold="{name}"></div>\n'
MARK = re.compile(r'<div class="fold-mark" data-fold="([\w-]+)"></div>')
OPENING = (
    '<details class="fold" data-fold="{name}">'
    "<summary>Commit to a prediction first; it opens this. Or open it now.</summary>"
)


def fold_sections(_app: Any, doctree: Any) -> None:
    """Put what follows the title of each marked section into a fold: Sphinx's `doctree-read`.

    As in JupyterLab the fold ends where the section does: at a heading of its level, or a higher
    one.
    """
    for raw in list(doctree.findall(nodes.raw)):
        found = MARK.search(raw.astext())
        section = raw.parent
        if found and isinstance(section, nodes.section):
            section.remove(raw)
            section.insert(1, nodes.raw("", OPENING.format(name=found[1]), format="html"))
            section += nodes.raw("", "</details>", format="html")
