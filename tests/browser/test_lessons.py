"""Each lesson in JupyterLab: it shows what the committed one shows; figures follow the hand."""

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from tests.shown import as_text

NAMES = [unit.name for unit in units()]
SLIDER = ".widget-slider .noUi-handle"
OURS = ("course_utils", "ipywidgets", "jupyter-widgets", "Traceback")
PICTURE = "handle => handle.closest('.widget-vbox').querySelector('img.widget-image').src"
MOVED = """
([handle, before]) =>
    handle.closest('.widget-vbox').querySelector('img.widget-image').src != before
"""
WATCH = """
handle => {
    const image = handle.closest('.widget-vbox').querySelector('img.widget-image');
    const seen = window.seen = {pictures: new Set(), values: new Set()};
    const now = () => { seen.pictures.add(image.src); seen.values.add(handle.ariaValueNow); };
    for (const one of [image, handle]) new MutationObserver(now).observe(one, {attributes: true});
}
"""
SEEN = "() => [window.seen.pictures.size, window.seen.values.size]"
FOLLOWED = """
([handle, value, before]) => handle.ariaValueNow == value
    || handle.closest('.widget-vbox').querySelector('img.widget-image').src != before
"""
INTO_VIEW = "handle => handle.closest('.jp-Cell').scrollIntoView()"
SOON = 25  # milliseconds between two looks
STEPS, FEW = 16, 6  # of a drag: of a panel's first slider, of its others
FIRST = "handle => handle.closest('.widget-vbox').querySelector('.noUi-handle') == handle"


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_runs_and_every_slider_changes_its_figure(name, lab):
    lab.open(f"{name}/{name[:2]}_lesson.ipynb")
    lab.run_all()
    assert errors(lab.cells()) == []
    kept = notebooks.load(PROJECT / "notebooks" / f"{name}.ipynb")
    assert as_text(lab.cells()) == as_text(kept.cells)
    handles = lab.page.locator(SLIDER).element_handles()
    assert handles, "no slider"
    for handle in handles:
        move(lab, handle)
        steps = STEPS if lab.page.evaluate(FIRST, handle) else FEW
        pictures, values = drag(lab, handle, steps)
        assert pictures >= min(steps - 1, values), f"{pictures} pictures of {values} values"
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
    before = lab.page.evaluate(PICTURE, handle)
    assert before, "no figure below the slider"
    handle.focus()
    at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    for _ in range(3):
        handle.press("ArrowLeft" if at_end else "ArrowRight")
    lab.page.wait_for_function(MOVED, arg=[handle, before], timeout=20_000, polling=SOON)
    lab.settle()


def drag(lab, handle, steps):
    """Drag a slider over its whole track in some steps, button held; count pictures and values.

    A step is made when the picture has followed: how long that takes is another machine's matter.
    """
    lab.page.evaluate(INTO_VIEW, handle)
    mouse, at = lab.page.mouse, handle.bounding_box()
    track = handle.query_selector("xpath=ancestor::*[contains(@class, 'noUi-base')]")
    wide = track.bounding_box()
    y = at["y"] + at["height"] / 2
    mouse.move(at["x"] + at["width"] / 2, y)
    mouse.down()
    mouse.move(wide["x"], y)
    lab.settle()
    lab.page.evaluate(WATCH, handle)
    for step in range(1, steps + 1):
        now = [handle, handle.get_attribute("aria-valuenow"), lab.page.evaluate(PICTURE, handle)]
        mouse.move(wide["x"] + wide["width"] * step / steps, y)
        lab.page.wait_for_function(FOLLOWED, arg=now, timeout=20_000, polling=SOON)
    mouse.up()
    lab.settle()
    return lab.page.evaluate(SEEN)
