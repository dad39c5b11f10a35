"""Colours for code on feedback pages and in formgrader, as long as they come quickly.

Pygments takes quadratic time for some texts: 20 kB of `a.a.a.` take half a minute. A student's
long cells, and all cells once a page has used up its time, are shown in one colour.
"""

__all__ = ["Highlighted"]

import functools
import html
import time
from collections.abc import Mapping
from typing import Any

from nbconvert.filters.highlight import Highlight2HTML

MAX_CHARACTERS = 4_000  # of a cell
CPU_SECONDS = 3.0  # of a page; one of a long assignment takes 0.3


class Highlighted(Highlight2HTML):
    """nbconvert's filter; its exporter makes one for each page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pygments_lexer="ipython3", **options)
        self.left = CPU_SECONDS

    def __call__(
        self, source: str, language: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Return a cell's source as HTML."""
        grading = (metadata or {}).get("nbgrader", {})
        ours = grading.get("locked")  # grading gives no student's cell this
        if self.left <= 0 or (len(source) > MAX_CHARACTERS and not ours):
            text = html.escape(source.strip("\n"))
            kind = language or self.pygments_lexer
            return f'<div class="highlight hl-{kind}"><pre><span></span>{text}\n</pre></div>\n'
        if ours:  # the same on each page of a class
            options = tuple(self.extra_formatter_options.items())
            return _coloured(source, language or self.pygments_lexer, options)
        start = time.thread_time()
        try:
            return super().__call__(source, language=language, metadata=metadata)
        finally:
            self.left -= time.thread_time() - start


@functools.lru_cache(maxsize=256)
def _coloured(source, lexer, options):
    return Highlight2HTML(lexer, extra_formatter_options=dict(options))(source)
