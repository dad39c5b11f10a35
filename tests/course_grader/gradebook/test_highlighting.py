"""Feedback pages come quickly, whatever a cell's text makes of Pygments."""

import time

import pytest
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbformat.v4 import new_code_cell, new_notebook

from course_grader.gradebook import highlighting

SLOW = {
    "names and dots": "a." * 100_000,
    "blank lines": (" " * 49 + "\n") * 4_000,
}


def page(*sources):
    """Return the page that an exporter with our filter makes of cells."""
    filters = {"highlight_code": "course_grader.gradebook.highlighting.Highlighted"}
    cells = [new_code_cell(source) for source in sources]
    return HTMLExporter(filters=filters).from_notebook_node(new_notebook(cells=cells))[0]


@pytest.mark.parametrize("name", SLOW)
def test_neither_one_cell_nor_many_take_long(name, monkeypatch):
    monkeypatch.setattr(highlighting, "CPU_SECONDS", 0.5)
    text = SLOW[name]
    pieces = [text[place : place + 3_900] for place in range(0, len(text), 3_900)]
    start = time.thread_time()
    page(text, *pieces)
    assert time.thread_time() - start < 5


def test_short_code_has_the_colours_that_nbconvert_gives_and_each_page_has_time_of_its_own(
    monkeypatch,
):
    code = "def f(x):\n    return x < 1  # less"
    filtered = highlighting.Highlighted()
    assert filtered(code) == Highlight2HTML(pygments_lexer="ipython3")(code)
    monkeypatch.setattr(highlighting, "CPU_SECONDS", 1e-9)
    first, second = page(code, "y = 1"), page(code)
    assert '<span class="k">def</span>' in first and '<span class="k">def</span>' in second
    assert '<span class="n">y</span>' not in first  # its time was used up by then


def test_a_long_cell_is_shown_as_text_and_our_own_in_colours():
    text = "x < 1\n" * 1_000
    assert "x &lt; 1" in highlighting.Highlighted()(text)
    assert "<span class=" not in highlighting.Highlighted()(text)
    ours = highlighting.Highlighted()(text, metadata={"nbgrader": {"locked": True}})
    assert "<span class=" in ours


@pytest.mark.parametrize("options", [{}, {"nobackground": True, "linenos": "inline"}])
@pytest.mark.parametrize("language", [None, "python", "text"])
def test_our_own_cells_have_the_colours_that_nbconvert_gives_on_each_page(language, options):
    code, ours = "def f(x):\n    return x < 1  # less", {"nbgrader": {"locked": True}}
    wanted = Highlight2HTML("ipython3", extra_formatter_options=options)(code, language=language)
    for _ in range(2):
        filtered = highlighting.Highlighted(extra_formatter_options=options)
        assert filtered(code, language=language, metadata=ours) == wanted
