"""A student's way through an exercise of unit 01, in JupyterLab."""

import pytest

from course_grader.authoring.composer import Composer
from course_grader.project.course import Course, find_unit
from course_utils.progress import progress

UNIT = find_unit("01")
EXERCISE, MISTAKE = "gaussian-nll", "variance-as-scale"
SENTENCE = "pass sigma, not sigma squared"
SET_SOURCE = """
([id, source]) => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
    for (const cell of cells) if (cell.id == id) cell.sharedModel.setSource(source);
}
"""
PANEL = ".jp-Cell.jp-mod-active .jp-OutputArea"
SAVED = "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return a function that gives the solution cells, {id: source}, of chosen answers."""
    course = Course.throwaway(tmp_path_factory.mktemp("class") / "course", UNIT)
    composer = Composer(course, UNIT)

    def compose(choice=None):
        cells = composer.compose(choice)[0].cells
        theirs = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
        words = {"YOUR ANSWER HERE": "A's number has a unit."}
        return {cell.id: words.get(cell.source.strip(), cell.source) for cell in theirs}

    return compose


@pytest.fixture(autouse=True)
def as_a_learner(monkeypatch):
    """Read progress, as a learner does."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


def write(lab, cells):
    for key, source in cells.items():
        lab.page.evaluate(SET_SOURCE, [key, source])


def check(lab, exercise):
    """Run everything above a check cell, then the cell itself; return what it shows."""
    lab.choose(exercise)
    lab.run("notebook:run-all-above")
    lab.choose(exercise)
    lab.run_cell()
    lab.settle()
    return lab.page.locator(PANEL).inner_text()


def save(lab):
    lab.run("docmanager:save")
    lab.page.wait_for_function(SAVED)


def states(lab):
    [mine] = [unit for unit in progress(lab.root).units if unit.name == UNIT.name]
    return {one.name: (one.status, one.cases) for one in mine.exercises}


def validated(lab):
    """Press Validate; return what its dialog says."""
    lab.page.get_by_role("button", name="Validate").click()
    dialog = lab.page.locator(".jp-Dialog-content")
    dialog.wait_for(timeout=120_000)
    words = dialog.inner_text()
    dialog.get_by_role("button").last.click()
    return words


def test_a_wrong_answer_is_named_a_right_one_passes_and_progress_shows_it(lab, answers):
    lab.open(f"{UNIT.name}/{UNIT.name}.ipynb")
    write(lab, answers({EXERCISE: MISTAKE}))
    shown = check(lab, EXERCISE)
    assert "not yet" in shown and SENTENCE in shown and "Worked solution" in shown
    lab.page.evaluate("s => document.querySelector(s).scrollIntoView({block: 'end'})", PANEL)
    lab.shoot("panel")
    save(lab)
    assert states(lab)[EXERCISE] == ("not yet", "visible")
    assert "failed" in validated(lab)
    write(lab, answers())
    shown = check(lab, EXERCISE)
    assert "passed" in shown and SENTENCE not in shown
    save(lab)
    assert states(lab)[EXERCISE] == ("passed", "visible")
    assert "passes all the tests" in validated(lab)


BUTTON = ".jp-Cell.jp-mod-active button:has-text('Check all cases')"


def all_cases(lab):
    """Press the button under the active check cell; return what the judge says."""
    lab.page.locator(BUTTON).click()
    told = lab.page.locator(".jp-Cell.jp-mod-active .widget-vbox .widget-html")
    told.get_by_text("Checking all cases").wait_for(timeout=20_000)
    told.get_by_text("points").first.wait_for(timeout=120_000)
    return told.inner_text()


def test_a_button_judges_what_ran_with_all_cases_and_progress_keeps_it(lab, answers):
    lab.open(f"{UNIT.name}/{UNIT.name}.ipynb")
    write(lab, answers({EXERCISE: "never-negative"}))
    shown = check(lab, EXERCISE)  # not saved: what counts is what ran
    assert "visible cases passed" in shown and "the button below runs all cases" in shown
    told = all_cases(lab)
    assert "not yet" in told and "further case" in told and "Hidden cases that fail" in told
    lab.shoot("all-cases")
    assert states(lab)[EXERCISE] == ("not yet", "all")
    write(lab, answers())
    check(lab, EXERCISE)
    assert "passed, " in all_cases(lab)
    assert states(lab)[EXERCISE] == ("passed", "all")


def test_run_all_goes_on_behind_an_exercise_that_is_not_solved_yet(lab, answers):
    lab.open(f"{UNIT.name}/{UNIT.name}.ipynb")
    broken = "def gaussian_nll(y, mu, sigma):\n    1 / 0"
    write(lab, answers() | {f"{EXERCISE}-solution": broken})
    lab.run_all()
    shown = {cell["id"]: str(cell.get("outputs", "")) for cell in lab.cells()}
    assert "Raised at line 2 of your cell, in gaussian_nll: 1 / 0" in shown[EXERCISE]
    assert "visible cases passed" in shown["one-of-several-labels"]


CLASH = """
def check():
    return {bound}


def {bound}():
    return "mine"


answer = gaussian_nll


def gaussian_nll(y, mu, sigma):
    assert check()() == "mine"
    return answer(y, mu, sigma)
"""


def test_helpers_named_as_in_the_check_cell_stay_the_students(lab, answers):
    lab.open(f"{UNIT.name}/{UNIT.name}.ipynb")
    cells, key = answers(), f"{EXERCISE}-solution"
    write(lab, cells | {key: cells[key] + CLASH.format(bound="y")})
    assert "passed" in check(lab, EXERCISE)
    lab.run_cell()  # a second time: the first has bound nothing
    lab.settle()
    assert "passed" in lab.page.locator(PANEL).inner_text()
