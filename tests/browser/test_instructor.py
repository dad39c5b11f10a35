"""An instructor's evening: a graded class in formgrader, feedback, and the class report."""

from urllib.parse import urlparse

import pytest
from nbgrader.api import Gradebook

from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.exercises import read_assignment
from course_grader.gradebook.grade import grade
from course_grader.gradebook.saving import write_feedback
from course_grader.project.course import Course, find_unit
from course_grader.reporting.class_report import write_class_report
from tests.browser.conftest import SHOTS
from tests.serving import TOKEN, serve

UNIT = find_unit("05")
[WORDS] = read_assignment(UNIT).written
MISTAKE = {"ece-closed-edges": "last-bin-open"}
SENTENCE = "are lost: close the last bin"
CLASS = {"ada": {}, "ben": MISTAKE, "cy": {"ece-closed-edges": None}}
FORMGRADER = "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"
DRAWN = """
() => [...document.images].map(image => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size;
})
"""
SIZES = """
() => [...document.querySelectorAll('math')].map(formula => {
    const box = formula.getBoundingClientRect();
    return Math.min(box.width, box.height);
})
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory, bubblewrap):
    """A graded class of three, with feedback and report."""
    course = Course.throwaway(tmp_path_factory.mktemp("class") / "course", UNIT)
    composer = Composer(course, UNIT)
    for student, choice in CLASS.items():
        notebook, score = composer.compose(choice)
        cell_of(notebook, WORDS).source = f"{student} writes that a base rate has an ECE of 0."
        composer.hand_in(student, notebook, score)
    grade(course, UNIT, progress=False)
    write_feedback(course, UNIT)
    return course, write_class_report(course, UNIT)


@pytest.fixture(scope="module")
def page(graded, chromium):
    """A browser's page, opened after the grading."""
    return chromium.new_page(viewport={"width": 1200, "height": 900})


@pytest.fixture(scope="module")
def formgrader(graded, page):
    """Formgrader on that class, where the page is logged in; its address."""
    with serve("jupyter_server", graded[0].root, FORMGRADER) as address:
        page.goto(f"{address}/tree?token={TOKEN}")
        yield f"{address}/formgrader"


def visit(page, address, name, *words):
    """Open a page, wait until it shows these words, keep a screenshot."""
    page.goto(address)
    for word in words:
        page.get_by_text(word).first.wait_for()
    page.screenshot(path=SHOTS / f"{name}.png")
    return page


def test_formgrader_lists_the_class_and_keeps_points_for_words(page, graded, formgrader):
    assignments = visit(page, formgrader, "assignments", UNIT.name)
    page.get_by_text("3", exact=True).wait_for()  # submissions
    assert "could not be created" not in assignments.content()
    listed = f"{formgrader}/manage_submissions/{UNIT.name}/"
    visit(page, listed, "formgrader", *CLASS)
    course = graded[0]
    with Gradebook(course.db_url) as gradebook:
        found = gradebook.find_submission_notebook(UNIT.name, UNIT.name, "ben")
        key, before, waits = found.id, found.score, found.needs_manual_grade
    assert waits
    visit(page, f"{formgrader}/submissions/{key}/", "submission", "ben writes")
    page.wait_for_load_state("networkidle")  # the page listens once its points have come
    field = page.locator("input.score").last
    field.fill("2")
    with page.expect_response(lambda answer: "/api/grade/" in answer.url):
        field.press("Tab")
    with Gradebook(course.db_url) as gradebook:
        after = gradebook.find_submission_notebook(UNIT.name, UNIT.name, "ben")
        assert (after.score, after.needs_manual_grade) == (before + 2, False)


def test_the_feedback_page_names_the_mistake(page, graded):
    path = graded[0].notebook("feedback", UNIT, "ben").with_suffix(".html")
    visit(page, path.as_uri(), "feedback", SENTENCE)


def hosts(page):
    """Return a set that grows by the host of each request of a page; a file has none."""
    found = set()
    page.on("request", lambda request: found.add(urlparse(request.url).hostname))
    return found


def assert_formulas_are_drawn(page):
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 20 and min(sizes) > 2
    assert page.locator("msub, msup, mfrac").count() > 5


def test_the_feedback_page_shows_its_formulas_without_a_network(chromium, graded):
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    page = context.new_page()
    asked = hosts(page)
    path = graded[0].notebook("feedback", UNIT, "ben").with_suffix(".html")
    visit(page, path.as_uri(), "feedback-offline", SENTENCE)
    assert_formulas_are_drawn(page)
    assert asked == {None}
    context.close()


def test_formgrader_asks_no_other_host_and_shows_formulas(page, graded, formgrader):
    with Gradebook(graded[0].db_url) as gradebook:
        key = gradebook.find_submission_notebook(UNIT.name, UNIT.name, "ada").id
    asked = hosts(page)
    listed = f"{formgrader}/manage_submissions/{UNIT.name}/"
    visit(page, listed, "formgrader", *CLASS)
    visit(page, f"{formgrader}/submissions/{key}/", "submission", "ada writes")
    page.wait_for_load_state("networkidle")
    assert_formulas_are_drawn(page)
    assert asked <= {"127.0.0.1", None}


def test_the_class_report_shows_pictures_that_are_not_empty(page, graded):
    visit(page, graded[1].as_uri(), "class-report", SENTENCE)
    colours = page.evaluate(DRAWN)
    assert len(colours) == 2 and min(colours) > 20
