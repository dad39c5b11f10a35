"""A prediction in JupyterLab: committed by keyboard; its answer is folded until it is opened."""

import json

import pytest

from course_grader.authoring.scaffold import new_unit
from course_grader.building.build import build
from course_grader.project.course import PROJECT
from course_grader.workspace import prepare_work
from tests.browser.conftest import serve_work

FOLD = "The middle of the gaps"
INSIDE = "Every number is computed, and asserted"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A learner's copy of the skeleton, which shows what a lesson may hold."""
    project = tmp_path_factory.mktemp("lab")
    (project / "masters").mkdir()
    (project / "masters" / "_skeleton").symlink_to(PROJECT / "masters" / "_skeleton")
    (project / "docs").symlink_to(PROJECT / "docs")
    unit = new_unit("03_wait", project)
    build(unit, project=project, say=lambda words: None)
    prepare_work([unit], project=project, say=lambda words: None)
    with serve_work(project) as address:
        yield project / "work", address


@pytest.fixture
def lesson(lab):
    """The lesson, open, all cells run; what was committed before is forgotten."""
    (lab.root / "03_wait" / "progress.json").unlink(missing_ok=True)
    lab.open("03_wait/03_lesson.ipynb")
    lab.run_all()
    return lab


def kept(lab):
    book = json.loads((lab.root / "03_wait" / "progress.json").read_text("utf-8"))
    return {
        name: entry.get("choice", entry.get("number"))
        for name, entry in book["predictions"].items()
    }


def form(lab, ask):
    return lab.page.locator(".widget-vbox", has_text=ask).last


def test_a_choice_is_committed_by_keyboard_and_stays(lesson):
    asked = form(lesson, "Your mean wait")
    asked.locator("input[type=radio]").first.focus()
    lesson.page.keyboard.press("Space")
    for key in ("Tab", "Tab", "Tab", "Enter"):  # each radio button is a stop
        lesson.page.keyboard.press(key)
    asked.get_by_text("(kept)").wait_for(timeout=20_000)
    assert kept(lesson) == {"03-wait-wait": "half of the mean gap"}
    assert asked.get_by_role("button", name="Commit").is_disabled()
    lesson.run_all()
    assert lesson.page.get_by_text("Your prediction: 'half of the mean gap'").is_visible()


def test_a_number_that_is_none_is_told_so_and_asked_again(lesson):
    asked = form(lesson, "The median gap")
    asked.locator("input[type=text]").fill("7,5")
    asked.get_by_role("button", name="Commit").press("Enter")
    asked.get_by_text("such as 0.35").wait_for(timeout=20_000)
    asked.locator("input[type=text]").fill("10")
    asked.get_by_role("button", name="Commit").press("Enter")
    asked.get_by_text("(kept)").wait_for(timeout=20_000)
    assert kept(lesson) == {"03-wait-median": "10.0"}


def test_the_answer_is_folded_run_all_leaves_it_so_and_a_click_opens_it(lesson):
    page = lesson.page
    assert page.get_by_role("heading", name=FOLD).is_visible()
    inside = page.locator("p", has_text=INSIDE)
    answer = page.locator("pre", has_text="The answer is 6.93")
    assert not inside.is_visible() and not answer.is_visible()
    heading = page.locator(".jp-MarkdownCell", has_text=FOLD).first
    heading.locator(".jp-showHiddenCellsButton").click()
    inside.wait_for(timeout=10_000)
    assert answer.is_visible()
    assert errors(lesson.cells()) == []


def test_code_that_draws_is_hidden_and_its_figure_is_not(lesson):
    hidden = [c for c in lesson.cells() if c["metadata"].get("jupyter", {}).get("source_hidden")]
    assert len(hidden) == 1 and "image/png" in str(hidden[0]["outputs"])
    assert not lesson.page.get_by_text("ax.vlines").is_visible()
    lesson.shoot("skeleton")


def errors(cells):
    return [o for cell in cells for o in cell.get("outputs", []) if o["output_type"] == "error"]
