"""Nothing a student writes runs in a reader's browser: real pages, opened in Chromium."""

from urllib.parse import urlparse

import pytest
from nbgrader.api import Gradebook

from course_grader.project.course import Course
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import attack_class
from tests.serving import TOKEN, serve

NAMES = [name for name, attack in ATTACKS.items() if attack.kind == "reader's browser"]
SHOWN = "The Gaussian negative log-likelihood"  # provided text: the page is there at all


@pytest.fixture(scope="module")
def course(unit, tmp_path_factory, bubblewrap):
    """The attacks on a reader's browser, graded."""
    folder = tmp_path_factory.mktemp("browser")
    attack_class({name: ATTACKS[name] for name in NAMES}, unit, folder, neighbours=False)
    return Course(folder / "course")


@pytest.fixture(scope="module")
def browser(course, chromium):
    """Headless Chromium, once the class is graded."""
    return chromium


@pytest.fixture(scope="module")
def formgrader(course):
    """Serve formgrader on loopback; give its address."""
    extension = "{'nbgrader.server_extensions.formgrader': True}"
    option = f"--ServerApp.jpserver_extensions={extension}"
    with serve("jupyter_server", course.root, option) as address:
        yield address


def visit(browser, address):
    """Open a page as a reader does; return (its text, what ran, what was asked for outside)."""
    context = browser.new_context()
    page = context.new_page()
    ran, outside = [], []

    def ask(route):
        host = urlparse(route.request.url).hostname
        if host in (None, "127.0.0.1"):
            return route.continue_()
        outside.append(route.request.url)
        return route.abort()

    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    page.route("**/*", ask)
    page.goto(address, wait_until="load")
    for link in page.locator("a[href^='javascript:' i]").all():
        ran.append(f"a link: {link.get_attribute('href')[:60]}")
    page.wait_for_timeout(200)
    if page.evaluate("'__owned' in window"):
        ran.append("window.__owned")
    text = page.content()
    context.close()
    return text, ran, outside


@pytest.mark.parametrize("name", NAMES)
def test_feedback_runs_nothing(name, browser, course, unit):
    page = course.notebook("feedback", unit, name).with_suffix(".html")
    text, ran, outside = visit(browser, page.as_uri())
    assert SHOWN in text
    assert (ran, outside) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_formgraders_page_runs_nothing(name, browser, course, unit, formgrader):
    with Gradebook(course.db_url) as gradebook:
        key = gradebook.find_submission_notebook(unit.name, unit.name, name).id
    address = f"{formgrader}/formgrader/submissions/{key}/?token={TOKEN}"
    text, ran, outside = visit(browser, address)
    assert SHOWN in text
    assert (ran, outside) == ([], [])


def test_a_page_that_runs_a_students_text_is_noticed(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        f"<p>{SHOWN}</p><script>window.__owned = 1</script><img src='http://192.0.2.1/owned'>"
        "<a href='javascript:window.__owned=1'>a</a><script>alert('owned')</script>"
    )
    _, ran, outside = visit(browser, page.as_uri())
    assert {"owned", "window.__owned", "a link: javascript:window.__owned=1"} <= set(ran)
    assert outside == ["http://192.0.2.1/owned"]
