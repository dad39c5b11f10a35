"""The first use of a term on a page becomes a link to the glossary, which shows its meaning."""

__all__ = ["link_terms"]

import re

from nbformat import NotebookNode

ROW = re.compile(r"^\| (?!term \|)([^|]+) \| ([^|]+) \| \[(\d\d) ", re.MULTILINE)
EVERYDAY = {"head", "temperature"}  # also of coins, readers and the weather
# What is no prose: code, formulas, links and images, tags, headings and rows of tables.
NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|<[^>]*>|^(?:#|\|)[^\n]*",
    re.DOTALL | re.MULTILINE,
)


def link_terms(notebook: NotebookNode, unit: str, page: str, address: str) -> None:
    """Link each term's first use in a lesson's text to the glossary; in place.

    Parameters
    ----------
    notebook : NotebookNode
    unit : str
        The lesson's own, such as 06_uncertainty: what it introduces itself is explained there.
    page : str
        The glossary: rows of term, meaning, section.
    address : str
        Where the glossary lies, seen from the lesson.
    """
    elsewhere = [row for row in ROW.findall(page) if row[2] != unit[:2]]
    left = {term: meaning for term, meaning, _ in elsewhere if term not in EVERYDAY}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for term in sorted(left, key=len, reverse=True):  # "log score" before "score"
                text = _linked(cell.source, term, f'{address} "{_quoted(left[term])}"')
                if text != cell.source:
                    cell.source = text
                    del left[term]


def _linked(text, term, target):
    """Return the text, with the term's first use outside code and formulas as a link."""
    # Lines break anywhere; an abbreviation is written as it is, a word may start a sentence.
    words = r"\s+".join(map(re.escape, term.split()))
    case = "" if term.upper() == term else "(?i:"
    use = re.compile(rf"\b({case}{words}{')' if case else ''}s?)\b")
    shown = NO_PROSE.sub(lambda found: "\0" * len(found[0]), text)
    found = use.search(shown)
    if not found:
        return text
    start, end = found.span()
    return f"{text[:start]}[{text[start:end]}]({target}){text[end:]}"


def _quoted(meaning):
    """Return a meaning as it may stand between quotation marks of a link."""
    return meaning.replace('"', "'").replace("\\", "")
