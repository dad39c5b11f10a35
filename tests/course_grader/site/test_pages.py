"""Every formula of the course is one that the site can set; forms and figures say it all."""

import re

import pytest

from course_grader.gradebook.formulas import mathml
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from course_grader.site.interactive_html import as_html
from course_grader.site.map_page import map_page
from course_grader.site.recorder import PREDICT, REVEAL, SLIDER

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+(?:\n[^$\n]+)?)\$", re.DOTALL)


@pytest.mark.parametrize("name", [unit.name for unit in units()])
def test_every_formula_becomes_mathml(name):
    paths = [f"notebooks/{name}.ipynb", f"release/{name}/{name}.ipynb"]
    cells = [cell for path in paths for cell in notebooks.load(PROJECT / path).cells]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    found = [block or inline for block, inline in FORMULA.findall(prose)]
    assert [tex for tex in found if mathml(tex.strip()).startswith("<code>")] == []


def test_a_choice_and_a_number_are_asked_in_a_form_and_text_stays_text():
    ask = {"name": "01-a-b", "ask": "x < 1 & y?", "kind": "choice", "choices": ['"<b>"', "no"]}
    shown = as_html({PREDICT: ask}, "frames")
    assert "x &lt; 1 &amp; y?" in shown and "<b>" not in shown
    assert shown.count('type="radio"') == 2 and 'name="01-a-b"' in shown
    number = as_html({PREDICT: ask | {"kind": "number", "choices": []}}, "frames")
    assert 'type="text"' in number


def test_an_answer_stands_there_for_who_has_no_script():
    facts = {"name": "01-a-b", "kind": "number", "truth": "0.5", "shown": "0.5", "unit": "nats"}
    shown = as_html({REVEAL: facts | {"within": 0.0, "because": []}}, "frames")
    assert "The answer is 0.5 nats." in shown


def test_a_figure_starts_where_the_lesson_does_and_says_what_it_lacks():
    one = {"name": "x", "label": "x", "values": [1, 2, 3], "start": 1, "all": 3}
    two = {"name": "y", "label": "y & z", "values": [0.1, 0.2], "start": 0, "all": 9}
    told = [{"alt": f"frame {i} </script>"} for i in range(6)]
    facts = {"sliders": [one, two], "frames": told, "size": [7, 3], "figure": 2}
    shown = as_html({SLIDER: facts}, "../frames/u")
    assert 'src="../frames/u/2/2.webp"' in shown and 'alt="frame 2 &lt;/script&gt;"' in shown
    assert "y &amp; z 2 of 9" in shown and "x 3 of 3" not in shown
    assert shown.count("</script>") == 1


def test_what_the_recorder_did_not_make_stays_as_it_is():
    assert as_html({"text/plain": "x"}, "frames") is None


def test_the_map_names_the_playground():
    assert 'href="playground.html"' in map_page(units())
