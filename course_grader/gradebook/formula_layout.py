"""What browsers need in order to set a formula as TeX does, and latex2mathml leaves out.

Browsers follow MathML Core: they know no alphabet but the italic one, take each operator between
two things for an infix one, and give a name such as log no space of its own.
"""

__all__ = ["in_font", "lay_out"]

import unicodedata
from xml.etree.ElementTree import Element, SubElement

THIN = "0.167em"
ROWS = ("math", "mrow", "mstyle", "mtd", "msqrt")
LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
SCRIPTS = (*LIMITS, *LIMITS.values())
MOVING = ("max", "min", "sup", "inf", "lim", "det", "Pr", *"∑∏⋃⋂")
CLOSING, TIGHT, SIGNS = (")", "]", "}"), ("|", "‖", "∥", "/"), ("+", "-", "−", "±", "∓")
ORDINARY = "∞∂∇∅∀∃¬…⋯"  # letters to TeX, or three dots, which need no space of their own
TIGHTLY = {"lspace": "0", "rspace": "0"}


def in_font(character: str, font: str) -> str:
    """Return the letter in a mathematical alphabet, such as bold or script.

    >>> in_font("N", "script"), in_font("R", "double-struck"), in_font("μ", "bold-italic")
    ('𝒩', 'ℝ', '𝝁')
    """
    name = unicodedata.name(character, "")
    for word in ("LATIN ", "GREEK ", "LETTER "):
        name = name.replace(word, "")
    kind = font.upper() if font == "double-struck" else font.upper().replace("-", " ")
    for known in (f"MATHEMATICAL {kind} {name}", f"{kind} {name}"):
        try:
            return unicodedata.lookup(known)
        except KeyError:
            pass
    return character


def lay_out(element: Element) -> None:
    """Change an element in place, whose children have been laid out."""
    if element.tag == "mo" and len(element):
        element.tag = "mrow"  # an operator has no parts: \mathop{\mathbb E}
    if element.tag == "mi" and "Α" <= (element.text or "") <= "Ω":
        element.set("mathvariant", "normal")  # TeX's capitals are upright
    if element.tag in ("mo", "mi"):
        _operator(element)
    if element.tag in SCRIPTS:
        for operator in (o for script in element[1:] for o in script.iter("mo")):
            operator.attrib |= TIGHTLY
    if element.tag in LIMITS and element[0].text in MOVING:
        element.tag = LIMITS[element.tag]
        element[0].set("movablelimits", "true")
    if element.tag == "mover" and element[1].text == "―":
        element.remove(element[1])  # a line as wide as what is below it: see the style
        element.tag = "mrow"
        element.set("class", "over")
    if element.tag in ROWS:
        _row(element)


def _operator(element):
    """Take the space from around what TeX sets tight; a name gets its own."""
    character = element.text if len(element.text or "") == 1 and not len(element) else ""
    if character and unicodedata.category(character) == "Sm":  # as the library sorts by blocks
        element.tag = "mo"
    if character and character in ORDINARY:
        element.tag = "mi"
    if element.tag == "mo" and element.text == "~" and "stretchy" not in element.attrib:
        element.text = "∼"  # the relation; what stands over a letter keeps its form
    if element.text in TIGHT or (element.tag == "mo" and _is_named(element)):
        element.attrib |= TIGHTLY


def _row(row):
    """Space what stands beside each other."""
    for at, child in enumerate(row):
        if child.tag == "mstyle" and not len(child):  # \textstyle holds for all that follows
            child.extend(row[at + 1 :])
            del row[at + 1 :]
            _row(child)
            break
    before, children = None, [_alone(child) for child in row]
    row[:] = []
    for child in children:
        _pair(before, child)
        if before is not None and _is_apart(before, child):
            SubElement(row, "mspace", width=THIN)
        row.append(child)
        before = child


def _alone(group):
    """Return what stands alone in braces, as in \\mathrel{+}=."""
    return group[0] if group.tag == "mrow" and len(group) == 1 and not group.attrib else group


def _pair(left, right):
    """Make + and - a sign where nothing stands before them, and += one operator."""
    operator = left is not None and left.tag == "mo" and left.text not in (*CLOSING, *TIGHT, "!")
    if right.text in SIGNS and right.tag == "mo" and (left is None or operator):
        right.attrib |= {"form": "prefix"} | TIGHTLY
    if operator and left.text in (*SIGNS, ":") and right.text == "=":
        left.attrib |= {"form": "infix", "rspace": "0"}
        right.attrib |= {"lspace": "0"}


def _is_apart(left, right):
    """Tell whether TeX puts a thin space between them: one is a function's name."""
    if left.tag == "mspace" or right.tag == "mspace":
        return False
    after = _is_named(left) and not _is_operator(right, 0)
    return after or (_is_named(right) and not _is_operator(left, -1))


def _core(element, end):
    """Return what scripts stand at, or what a group begins (0) or ends (-1) with."""
    while len(element) and (element.tag in SCRIPTS or element.tag == "mrow"):
        element = element[end if element.tag == "mrow" else 0]
    return element


def _is_named(element):
    """Tell whether it is a function's name, such as log or max."""
    name = element[0] if element.tag in SCRIPTS else element
    return name.tag in ("mi", "mo") and len(name.text or "") > 1 and name.text.isalpha()


def _is_operator(element, end):
    """Tell whether an operator faces its neighbour; a closing bracket is none."""
    core = _core(element, end)
    return core.tag == "mo" and core.text not in CLOSING and not _is_named(core)
