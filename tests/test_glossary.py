"""The glossary: each term is where the page says, and all units spell it the same way."""

import re

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from tests.test_errata import headings

PAGE = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!term|---)(.+) \|$", PAGE, re.MULTILINE)
SECTION = re.compile(r"\[(\d\d) (.+)\]\(\.\./notebooks/(\1_\w+)\.ipynb#(.+)\)")
# The course's word, and others for the same thing that no page uses.
ONE_WORD = {
    "data set": r"datasets?\b",
    "cross-entropy": r"cross entropy",
    "log-likelihood": r"log likelihood",
    "log-density": r"log densit(?:y|ies)",
    "log-probability": r"log probabilit(?:y|ies)",
    "minibatch": r"mini-batch",
    "reparametrisation": r"parameteris",
    "mean-field": r"mean field",
    "autoencoder": r"auto-encoder",
    "overfit": r"over-fit",
    "one-hot": r"onehot|one hot\b",
    "log-sum-exp": r"logsumexp",
    "standard deviation": r"std\b|standard dev\b",
    "recalibrate": r"re-calibrat",
    "optimise, normalise": r"(?:optim|normal|regular|minim|maxim|initial|summar)iz(?!ing flow)",
    "behaviour, colour, centre": r"behavior|\bcolor|\bcenter",
}
NO_PROSE = [  # code, formulas, links, quotations, titles, names of aspects
    r"```.*?```",
    r"`[^`]*`",
    r"\$\$.*?\$\$",
    r"\$[^$]*\$",
    r"\]\([^)]*\)",
    r'"[^"]*"',
    r"\*[A-Z][^*]*\*",
    r"Points: [^.]*\.",
]


def prose(unit):
    """Return the text of lesson and assignment without code, formulas, links and quotations."""
    paths = PROJECT / "notebooks", PROJECT / "release" / unit.name
    cells = [c for path in paths for c in notebooks.load(path / f"{unit.name}.ipynb").cells]
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    return " ".join(re.sub("|".join(NO_PROSE), " ", text, flags=re.DOTALL).split())


@pytest.mark.parametrize("row", ROWS)
def test_a_term_is_used_in_the_lesson_that_introduces_it(row):
    term, meaning, section = row.split(" | ")
    found = SECTION.fullmatch(section)
    assert meaning and found, row
    assert found[4] == found[2].replace(" ", "-") and found[4] in headings(found[3])
    lesson = notebooks.load(PROJECT / "notebooks" / f"{found[3]}.ipynb")
    text = " ".join(" ".join(c.source for c in lesson.cells).split()).casefold()
    assert term.casefold() in text, term


def test_terms_are_in_order_and_none_stands_twice():
    terms = [row.split(" | ")[0].casefold() for row in ROWS]
    assert terms == sorted(set(terms)) and len(terms) > 50


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_a_unit_has_one_word_for_one_thing(unit):
    text = prose(unit)
    other = {
        word: re.findall(rf"(?i).{{20}}(?:{no}).{{9}}", text) for word, no in ONE_WORD.items()
    }
    assert {word: found for word, found in other.items() if found} == {}
