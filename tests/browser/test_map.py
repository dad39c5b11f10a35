"""JupyterLab as `make lab` opens it: the map leads everywhere, and nothing of an instructor's."""

import re

import pytest

from course_grader.project.course import units
from course_grader.workspace import LANDING
from course_utils.progress import progress
from course_utils.progress_file import keep_result
from tests.browser.conftest import CURRENT, OPEN, serve_work, with_work
from tests.serving import as_make_lab_says

UNIT = next(unit for unit in units() if unit.name.startswith("01"))
EXERCISE, ASSIGNMENT = "gaussian-nll", f"{UNIT.name}/{UNIT.name}.ipynb"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A learner's copy, served as make lab serves it."""
    project = with_work(tmp_path_factory.mktemp("lab"))
    variables = as_make_lab_says()
    assert len(variables) == 2
    with serve_work(project, **variables) as address:
        yield project / "work", address


@pytest.fixture(autouse=True)
def as_a_learner(monkeypatch):
    """Keep progress, as a learner does."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_map_shows_where_one_stands_and_leads_to_each_page(theme, lab):
    lab.page.set_viewport_size({"width": 1366, "height": 768})
    keep_result(EXERCISE, "passed", 5.0, cases="all", folder=lab.root / UNIT.name)
    lab.open(LANDING)
    change_theme(lab, theme)
    lab.run_all()
    box = lab.page.locator("a", has_text="Loss is a").first
    assert "begun" in box.inner_text()
    names = [text for text in lab.page.locator("a b").all_inner_texts() if len(text) == 2]
    assert names == [unit.name[:2] for unit in units()]
    lab.shoot(f"map-{theme.split()[1].lower()}")
    box.click()
    lab.page.wait_for_function(OPEN, arg=f"{UNIT.name}/01_lesson.ipynb", timeout=30_000)
    follow(lab, "assignment", ASSIGNMENT)
    follow(lab, "map", LANDING)


LOOK = "image => getComputedStyle(image).filter"


def test_figures_do_not_glare_in_a_dark_theme(lab):
    lab.page.set_viewport_size({"width": 1366, "height": 768})
    lab.open(f"{UNIT.name}/01_lesson.ipynb")
    lab.run_all()
    for theme, turned in (("Light", False), ("Dark", True)):
        change_theme(lab, f"JupyterLab {theme}")
        for kind in ("img.widget-image", ".jp-RenderedImage img"):
            image = lab.page.locator(kind).first
            assert ("invert" in image.evaluate(LOOK)) == turned, (kind, theme)
            image.scroll_into_view_if_needed()
            lab.shoot(f"figure-{theme.lower()}-{kind[-4:].strip()}")


def change_theme(lab, theme):
    """Change to a theme; return when it is there."""
    lab.page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )


def follow(lab, words, path):
    """Click a link on the page that is in front."""
    front = ".jp-NotebookPanel:not(.lm-mod-hidden)"
    lab.page.locator(f"{front} a", has_text=re.compile(f"^{words}$")).first.click()
    lab.page.wait_for_function(OPEN, arg=path, timeout=30_000)


def test_a_learner_sees_no_instructor_s_menu_and_no_validate_button(lab):
    lab.open(ASSIGNMENT)
    assert lab.page.get_by_text("File", exact=True).first.is_visible()
    for words in ("Nbgrader", "Validate", "Create Assignment"):
        assert lab.page.get_by_text(words, exact=True).count() == 0, words


def test_after_a_restart_a_check_cell_says_which_cells_to_run(lab):
    lab.open(ASSIGNMENT)
    lab.choose(EXERCISE)
    lab.run_cell()
    lab.settle()
    shown = lab.page.locator(".jp-Cell.jp-mod-active .jp-OutputArea").inner_text()
    assert "NameError" in shown and "run the cells above first" in shown


def test_progress_outlives_an_unlucky_run_cleared_outputs_and_a_new_name(lab):
    lab.open(ASSIGNMENT)
    lab.run_all()  # nothing is solved: each exercise that was stays so
    keep_result(
        "one-of-several-labels", "passed", 6.0, cases="visible", folder=lab.root / UNIT.name
    )
    before = str(progress(lab.root))
    assert "one-of-several-labels: passed in the visible cases" in before
    lab.run("notebook:clear-all-cell-outputs")
    lab.run("docmanager:save")
    lab.page.wait_for_function(f"() => !{CURRENT}.context.model.dirty")
    notebook = lab.root / ASSIGNMENT
    notebook.rename(notebook.with_name("mine of monday.ipynb"))
    assert str(progress(lab.root)) == before
