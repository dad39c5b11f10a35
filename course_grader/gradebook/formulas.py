r"""Formulas as MathML, so that a page shows them without a program from another host.

latex2mathml reads TeX; of what it makes, only elements and attributes that lay out mathematics
are kept, and all text is escaped. What it cannot read, or what is built to be long, deep or
repeated without end, stays as it was written. `shown` stands for nbconvert's own filter:

>>> mathml(r"\sigma^2")
'<math display="inline"><msup><mi>σ</mi><mn>2</mn></msup></math>'
>>> mathml(r"\frac{<b>")
'<code>$\\frac{&lt;b&gt;$</code>'
"""

__all__ = ["LONGEST", "mathml", "shown"]

import functools
import html
import re
from typing import Any
from xml.etree import ElementTree

from jinja2 import pass_context
from latex2mathml.converter import convert_to_element
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from course_grader.gradebook.formula_layout import in_font, lay_out

LONGEST, DEEPEST = 2000, 60  # characters; elements within each other
KEPT = 10_000  # characters of a cell, at most, whose page is kept for the next
# What defines macros or repeats its argument makes a short formula long; the others name places
# outside it.
REFUSED = re.compile(
    r"\\(def|newcommand|renewcommand|DeclareMathOperator|newenvironment|sideset"
    r"|href|url|style|class|cssId|unicode|require|verb|rule)(?![a-zA-Z])"
)
SAME = {  # what latex2mathml does not know, in words that it knows
    r"\\(begin|end)\{aligned\}": r"\\\1{align*}",
    r"\\(begin|end)\{gathered\}": r"\\\1{matrix}",
    r"\\(begin|end)\{equation\*?\}": "",
    r"\\arg(?![a-zA-Z])": r"\\operatorname{arg}",
}
TAGS = re.compile(
    "math|mrow|m[ino]|mtext|mspace|mfrac|msqrt|mroot|mstyle|mpadded|mphantom"
    "|msub|msup|msubsup|munder|mover|munderover|mtable|mtr|mtd"
)
ATTRIBUTES = re.compile(
    "display|displaystyle|scriptlevel|stretchy|fence|form|accent|movablelimits|separator|largeop"
    "|columnalign|linethickness|minsize|maxsize|width|height|depth|lspace|rspace|voffset"
)
PARTS = dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2)
PARTS |= {"msubsup": 3, "munderover": 3}
VALUE = re.compile(r"[a-z]+|[+-]?\d?(\.\d+)?(em|ex|px|pt)?")  # words, and lengths below ten


@pass_context
def shown(context: Any, source: str) -> str:
    """Return a cell's Markdown as HTML, as nbconvert's `markdown2html` does, but for formulas."""
    attachments = context.get("cell", {}).get("attachments", {})
    if attachments or len(source) > KEPT:
        return _rendered(source, attachments)
    return _as_before(source)


def _rendered(source, attachments):
    renderer = _Renderer(escape=False, attachments=attachments)
    return MarkdownWithMath(renderer=renderer).render(source)


@functools.lru_cache(maxsize=256)
def _as_before(source):
    """Most cells are the same on each page of a class."""
    return _rendered(source, {})


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, which would leave formulas to MathJax."""

    def block_math(self, body):
        """Return what stands between double dollars."""
        return mathml(body, display="block")

    def inline_math(self, body):
        """Return what stands between dollars."""
        return mathml(body)

    def latex_environment(self, name, body):
        """Return an environment without dollars around it."""
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")


@functools.lru_cache(maxsize=4096)
def mathml(tex: str, *, display: str = "inline") -> str:
    """Return a formula as an element of HTML: `math`, or `code` with what was written.

    Parameters
    ----------
    tex : str
        TeX without its dollars, from anybody.
    display : {"inline", "block"}
    """
    try:
        return ElementTree.tostring(
            _tree(tex, display), encoding="unicode", short_empty_elements=False
        )
    except Exception:  # latex2mathml has a dozen kinds, and IndexError or RecursionError besides
        mark = "$$" if display == "block" else "$"
        return f"<code>{mark}{html.escape(tex)}{mark}</code>"


def _tree(tex, display):
    """Return the formula's clean tree, or raise an exception."""
    if len(tex) > LONGEST or REFUSED.search(tex):
        raise ValueError("too long, or more than a formula")
    for pattern, known in SAME.items():
        tex = re.sub(pattern, known, tex)
    root = convert_to_element(tex, xmlns="", display=display)
    _clean(root, 0)
    return root


def _clean(element, depth):
    """Keep in place what lays out mathematics; raise if that would lose something."""
    if depth > DEEPEST or not TAGS.fullmatch(element.tag) or element.get("linebreak"):
        raise ValueError(f"too deep, or {element.tag} is not for browsers")
    if len(element) != PARTS.get(element.tag, len(element)):
        raise ValueError(f"{element.tag} lacks a part")
    if re.fullmatch("&#x000[46].;", element.text or ""):  # a Latin letter of \\mathrm
        element.set("mathvariant", "normal")
    element.text = _characters(element)
    if element.get("width") == "negativethinmathspace":  # a name that browsers have dropped
        element.set("width", "-0.167em")
    kept = {
        name: value
        for name, value in element.attrib.items()
        if ATTRIBUTES.fullmatch(name) and VALUE.fullmatch(value)
    }
    if element.get("mathvariant") == "normal":
        kept["mathvariant"] = "normal"
    element.attrib.clear()
    element.attrib.update(kept)
    for child in element:
        _clean(child, depth + 1)
    lay_out(element)


def _characters(element):
    """Return an element's text with characters for what latex2mathml writes as references."""
    text = html.unescape(element.text or "")
    if element.tag == "mtext":
        return re.sub(r"\\([_%&#$ ])", r"\1", text)
    if re.match(r"\\[a-zA-Z]", text):
        raise ValueError(f"{text} is not known")
    font = element.get("mathvariant", "normal")
    return text if font == "normal" else "".join(in_font(c, font) for c in text)
