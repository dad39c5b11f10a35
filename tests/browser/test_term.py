"""The page of a term in Chromium: with the network off, in both schemes, on a laptop."""

import pytest

from tests.browser.conftest import SHOTS
from tests.course_grader.reporting import test_term_report as composed

FITS = "() => document.documentElement.scrollWidth <= innerWidth"
CONTRAST = """
() => [...document.querySelectorAll('td, th, p, h1, h2, a')].map(element => {
    const light = text => {
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
            .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let under = element;
    const colour = one => getComputedStyle(one).backgroundColor;
    while (under.parentElement && /, 0\\)$/.test(colour(under))) under = under.parentElement;
    const both = [light(getComputedStyle(element).color), light(colour(under))];
    return element.innerText.trim() ? (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05) : 99;
})
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a class composed by hand, each total without the student's lowest unit."""
    course = composed.new_course(tmp_path_factory.mktemp("term") / "course")
    composed.compose(course)
    composed.enter(course)
    return composed.dropping(course, 1)[0] / "index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_term_s_page_is_whole_without_a_network(scheme, report, chromium):
    size = {"width": 1366, "height": 768}
    context = chromium.new_context(viewport=size, color_scheme=scheme, offline=True)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri())
    page.get_by_text("Who falls behind: 6 of 25").wait_for()
    assert {url for url in asked if not url.startswith("data:")} == {report.as_uri()}
    assert page.evaluate(FITS)  # nothing to push sideways
    assert page.evaluate("() => document.images[0].naturalWidth") > 500
    picture = page.evaluate("() => document.images[0].currentSrc.length")
    other = page.evaluate("() => document.querySelector('source').srcset.length")
    assert (picture == other) == (scheme == "dark")
    assert min(page.evaluate(CONTRAST)) >= 4.5
    assert page.locator("#students ~ div td.share", has_text="(").count() == 25
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"term-{scheme}.png")
    page.screenshot(path=SHOTS / f"term-{scheme}-whole.png", full_page=True)
    page.get_by_role("link", name="Students", exact=True).click()
    assert page.evaluate(
        "() => document.querySelector('#students').getBoundingClientRect().top < innerHeight"
    )
    assert complaints == []
    context.close()
