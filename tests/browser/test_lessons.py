"""Each lesson in JupyterLab: it shows what the committed one shows; its sliders move figures."""

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from tests.shown import as_text

NAMES = [unit.name for unit in units()]
SLIDER = ".widget-slider .noUi-handle"
OURS = ("course_utils", "ipywidgets", "jupyter-widgets", "Traceback")
PICTURES = """
handle => [...handle.closest('.widget-vbox').querySelectorAll('.widget-output img')]
    .map(image => image.src).join()
"""
MOVED = """
([handle, before]) => {
    const found = [...handle.closest('.widget-vbox').querySelectorAll('.widget-output img')];
    const now = found.map(image => image.src).join();
    return now && now != before;
}
"""

INTO_VIEW = "handle => handle.closest('.jp-Cell').scrollIntoView()"


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_runs_and_every_slider_changes_its_figure(name, lab):
    lab.open(f"{name}/lesson.ipynb")
    lab.run_all()
    assert errors(lab.cells()) == []
    kept = notebooks.load(PROJECT / "notebooks" / f"{name}.ipynb")
    assert as_text(lab.cells()) == as_text(kept.cells)
    handles = lab.page.locator(SLIDER).element_handles()
    assert handles, "no slider"
    for handle in handles:
        move(lab, handle)
    lab.page.evaluate(INTO_VIEW, handles[0])
    lab.shoot(name)
    assert [words for words in lab.complaints if any(word in words for word in OURS)] == []


def errors(cells):
    """Return what went wrong in cells that ran."""
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    return [
        output.get("text") or output["evalue"]
        for output in shown
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]


def move(lab, handle):
    """Move a slider by keyboard, as somebody without a mouse does; its figure must follow."""
    before = lab.page.evaluate(PICTURES, handle)
    assert before, "no figure below the slider"
    handle.focus()
    at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    for _ in range(3):
        handle.press("ArrowLeft" if at_end else "ArrowRight")
    lab.page.wait_for_function(MOVED, arg=[handle, before], timeout=20_000)
    lab.settle()
