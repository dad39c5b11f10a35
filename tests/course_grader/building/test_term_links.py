"""A term that another unit introduces leads to the glossary where a page uses it first."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_grader.building.bundle import bundle_files
from course_grader.building.term_links import link_terms
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units

PAGE = """# Glossary

| term | meaning | introduced in |
| --- | --- | --- |
| head | what turns outputs into parameters | [02 A head](a.ipynb) |
| log score | minus a log-density, "proper" | [14 Scores](a.ipynb) |
| PIT | uniform for right forecasts | [02 A picture](a.ipynb) |
| score | a number for a forecast | [14 Scores](a.ipynb) |
"""
LINK = re.compile(r'\[([^\]]*)\]\(\.\./glossary\.md "[^"]*"\)')
SCORE, LOG = '(g.md "a number for a forecast")', "(g.md \"minus a log-density, 'proper'\")"


def linked(*texts, unit="06_uncertainty"):
    notebook = new_notebook(cells=[new_markdown_cell(text) for text in texts])
    link_terms(notebook, unit, PAGE, "g.md")
    return [cell.source for cell in notebook.cells]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A score is low, a score is high.", f"A [score]{SCORE} is low, a score is high."),
        ("Scores fall.", f"[Scores]{SCORE} fall."),
        ("The *log\nscore*.", f"The *[log\nscore]{LOG}*."),
        ("The log score, a score.", f"The [log score]{LOG}, a [score]{SCORE}."),
        ("`score`, $score$, [score](x), ![score](x)", None),
        (
            "# A score\n\n| score |\n\nMore scores.",
            f"# A score\n\n| score |\n\nMore [scores]{SCORE}.",
        ),
        ("```\nscore\n```", None),
        ("$$\nscore\n$$", None),
        ("<summary>score</summary>", f"<summary>[score]{SCORE}</summary>"),
        ("underscores, scored", None),
        ("a pit, the heads of coins", None),
        ("the PIT", 'the [PIT](g.md "uniform for right forecasts")'),
    ],
)
def test_the_first_use_in_prose_is_a_link(text, shown):
    assert linked(text) == [shown or text]


def test_a_term_is_linked_once_on_a_page_and_not_where_it_is_introduced():
    assert linked("No term.", "A score.", "A score.") == [
        "No term.",
        f"A [score]{SCORE}.",
        "A score.",
    ]
    assert linked("A score.", unit="14_scoring_rules") == ["A score."]


def test_code_stays_as_it_is():
    notebook = new_notebook(cells=[new_code_cell("score = 1  # a score")])
    link_terms(notebook, "06_uncertainty", PAGE, "g.md")
    assert notebook.cells[0].source == "score = 1  # a score"


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_every_lesson_leads_to_the_glossary_and_nothing_else_of_it_changes(unit):
    page = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
    before, after = (notebooks.load(PROJECT / "notebooks" / f"{unit.name}.ipynb") for _ in "ab")
    link_terms(after, unit.name, page, "../glossary.md")
    sources = [[cell.source for cell in notebook.cells] for notebook in (before, after)]
    assert sum(text.count("](../glossary.md ") for text in sources[1]) >= 3
    assert [LINK.sub(r"\1", text) for text in sources[1]] == sources[0]


def test_a_class_gets_the_links_too_and_the_page_that_they_lead_to():
    files = bundle_files()
    lessons = [content for name, content in files.items() if name.startswith("lessons/")]
    assert len(lessons) == len(units()) and "glossary.md" in files
    assert all(b"](../glossary.md " in content for content in lessons)
