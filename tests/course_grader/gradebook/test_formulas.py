r"""Formulas become MathML that a browser sets as TeX would; whatever else, they are harmless."""

import re

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

from course_grader.gradebook.formulas import LONGEST, mathml
from course_grader.project.course import Course, units
from tests.pace import Paced

NAMES = {unit.name: unit for unit in units()}
TAG = re.compile(r"</?([a-zA-Z!][\w-]*)([^>]*)>")
HARMLESS = re.compile(r"(?:math|m[a-z]+|code)")
ATTRIBUTE = re.compile(r'(?: [a-z]+="[-+.\w]*")*')
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</math><script>alert(1)</script>",
    "]]><!--",
    r"\text{<img src=x onerror=alert(1)>}",
    r"\text{&#x3c;img src=x onerror=alert(1)&#x3e;}",
    r"\text{&lt;script&gt;}",
    r"\operatorname{<script>}",
    r"\mathop{<script>}",
    r"\tag{<script>}",
    r"\unicode{<img src=x>}",
    r"\href{javascript:alert(1)}{x}",
    r"\class{x\" onmouseover=\"alert(1)}{y}",
    r"\style{background:url(http://192.0.2.1/x)}{z}",
    r"\textcolor{red\" onmouseover=\"alert(1)}{x}",
    r"\colorbox{url(http://192.0.2.1/x)}{x}",
    r"\hspace{1em\" onmouseover=\"alert(1)}x",
    r"\middle<",
    "<b>\x00\x0b",
]
BOMB = "".join(
    rf"\def\{a}{{\{b}\{b}\{b}\{b}\{b}\{b}\{b}\{b}}}"
    for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)
BUILT = {
    "long": "x" * 100_000,
    "just long enough": "x'" * (LONGEST // 2),
    "braces": "{" * LONGEST,
    "many braces": "{" * 100_000,
    "scripts": "x_{" * 600,
    "roots": r"\sqrt" * 400,
    "brackets": r"\left(" * 300,
    "tables": r"\begin{matrix}" * 140,
    "closed": "{" * 300 + "x" + "}" * 300,
    "blanks": r"\operatorname{" + " " * 1900,
    "digits": "1." * 1000,
    "macros": BOMB + r"\a",
    "copies": r"\sideset{_1}{_2}{" * 100 + "x" + "}" * 100,
}


def is_source(shown):
    return shown.startswith("<code>") and shown.endswith("</code>")


def page(cells):
    """Return what nbconvert makes of cells, with our filter."""
    filters = {"markdown2html": "course_grader.gradebook.formulas.shown"}
    exporter = HTMLExporter(filters=filters, template_name="basic")
    return exporter.from_notebook_node(new_notebook(cells=cells))[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_of_an_assignment_is_converted(name):
    notebook = nbformat.read(Course().notebook("source", NAMES[name]), as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    text = page(cells)
    assert text.count("<math") >= sum("$" in cell.source for cell in cells) > 0
    assert "<code>$" not in text
    outside = re.sub(r"<(code|pre)\b.*?</\1>|<math.*?</math>", "", text, flags=re.S)
    assert "$" not in outside


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"\mathcal{N}(\mu, \sigma^2)", "<mi>𝒩</mi>"),
        (r"\mathcal N", "<mi>𝒩</mi>"),
        (r"\mathbb E", "<mi>𝔼</mi>"),
        (r"\mathrm{E}[y]", '<mi mathvariant="normal">E</mi>'),
        (r"\Phi", '<mi mathvariant="normal">Φ</mi>'),
        (r"\text{log\_p}", "<mtext>log_p</mtext>"),
        (r"\operatorname{tr} A", ">tr<"),
        (r"\arg\min_w", ">arg<"),
        (r"\lVert x \rVert", ">‖<"),
        (r"a \le b", "<mo>≤</mo>"),
        (r"x \sim y", "<mo>∼</mo>"),
        (r"a \pm b", "<mo>±</mo>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", '<mtd columnalign="right"><mi>c</mi>'),
        (r"\begin{cases} 0 & x < 0 \\ 1 & \text{else} \end{cases}", "<mtext>else</mtext>"),
        (r"\log p", '<mi>log</mi><mspace width="0.167em"></mspace><mi>p</mi>'),
        (r"\log(p)", '<mi>log</mi><mo stretchy="false">(</mo>'),
        (r"f(-x)", 'form="prefix"'),
        (r"\overline{x y}", '<mrow class="over">'),
        (r"\max_i x", "<munder><mo"),
    ],
)
def test_what_the_course_writes_is_set_as_tex_sets_it(tex, part):
    assert part in mathml(tex)


@pytest.mark.parametrize(
    "tex", ["x^", r"\frac{1", r"\left( x", r"\nosuchword", r"a \\ b", r"\def\a{b}\a", r"\frac{<b>"]
)
def test_what_cannot_be_converted_stays_readable(tex):
    for display, mark in (("inline", "$"), ("block", "$$")):
        shown = mathml(tex, display=display)
        assert is_source(shown)
        assert shown == f"<code>{mark}{tex.replace('<', '&lt;').replace('>', '&gt;')}{mark}</code>"


@pytest.mark.parametrize("display", ["inline", "block"])
@pytest.mark.parametrize("tex", HOSTILE)
def test_no_formula_brings_an_element_a_link_or_a_handler(tex, display):
    shown = mathml(tex, display=display)
    tags = TAG.findall(shown)
    assert tags and shown.count("<") == len(tags)
    assert all(HARMLESS.fullmatch(name) and ATTRIBUTE.fullmatch(rest) for name, rest in tags)


def test_html_between_dollars_is_text_in_a_page():
    hostile = "<img src=x onerror=alert(1)>"
    text = page([new_markdown_cell(f"${hostile}$ $${hostile}$$ $\\frac{{{hostile}$")])
    assert "<img" not in text
    assert text.count("&lt;") == 3 and text.count("<math") == 2 and text.count("<code>") == 1


def test_an_attachment_is_still_shown():
    cell = new_markdown_cell("![x](attachment:a.png)", attachments={"a.png": {"image/png": "AA"}})
    assert "data:image/png;base64,AA" in page([cell])


def test_two_cells_of_the_same_words_show_their_own_attachments():
    pictures = [{"a.png": {"image/png": data}} for data in ("AAAA", "BBBB")]
    texts = [page([new_markdown_cell("![x](attachment:a.png)", attachments=p)]) for p in pictures]
    assert ["AAAA" in text for text in texts] == [True, False] and "BBBB" in texts[1]


@pytest.mark.parametrize("name", BUILT)
def test_a_formula_that_is_built_to_hang_costs_little(name):
    mathml.cache_clear()
    with Paced() as paced:
        shown = mathml(BUILT[name])
    assert paced.seconds < 1
    assert is_source(shown) or name in ("just long enough", "digits")


def test_a_long_formula_keeps_its_text():
    assert mathml(BUILT["long"]) == f"<code>${BUILT['long']}$</code>"


def test_lengths_stay_small_and_colours_are_dropped():
    assert "em" not in mathml(r"\hspace{-50em} \color{red} x")
    assert '"-0.5em"' in mathml(r"\hspace{-0.5em} x") or "0.5em" in mathml(r"\hspace{0.5em} x")
