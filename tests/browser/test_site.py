"""The site of two units, built by the command, in a Chromium that reaches no other host."""

import contextlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
from functools import partial

import pytest

from course_grader.__main__ import main
from course_grader.project.course import PROJECT
from course_grader.site.frames import HEAVIEST
from course_utils.predictions import predict, reveal
from tests.site_pages import Visitor, move, overflow

# myst-parser's, about itself, once for each link.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
SHOTS = PROJECT / "build" / "screenshots"
LESSONS = ["00_start", "01_loss_as_likelihood"]
PAGES = [
    "index",
    "glossary",
    "search",
    *(f"{tree}/{name}" for tree in ("lessons", "assignments") for name in LESSONS),
]
PHONE = {"width": 390, "height": 844}
ASKED = "01-ten-times-narrower"
SPEC = ["site", "--unit", "00,01", "--frames", "20"]
BRIGHTNESS = """
() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)
    .reduce((sum, one) => sum + Number(one), 0)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Lessons 00 and 01, with few frames."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "mine.txt").touch()
    assert main([*SPEC, "--target", str(folder / "made")]) == 0
    return folder / "made"


@pytest.fixture
def visitor(chromium):
    """A reader; what the console complains of fails the test that made it."""
    reader = Visitor(chromium, viewport={"width": 1280, "height": 900})
    yield reader
    reader.close()
    assert reader.complaints == []


@pytest.fixture
def lesson(site, visitor):
    return visitor.open(site / "lessons" / f"{LESSONS[1]}.html")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_from_disk_on_a_phone_and_nothing_sticks_out(page, site, chromium):
    reader = Visitor(chromium, viewport=PHONE)
    shown = reader.open(site / f"{page}.html")
    broken = (
        "() => [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert overflow(shown) == []
    assert shown.evaluate(broken) == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    shown.screenshot(path=SHOTS / f"site-{page.replace('/', '-')}-phone.png")
    reader.close()
    assert reader.complaints == []


def test_formulas_are_set_not_left_as_tex(lesson):
    sizes = (
        "() => [...document.querySelectorAll('math')].map(m => m.getBoundingClientRect().width)"
    )
    text = lesson.locator("article").inner_text()
    assert sum(width > 0 for width in lesson.evaluate(sizes)) > 20
    assert "\\frac" not in text and "$$" not in text


def test_every_figure_says_what_it_shows(site, visitor):
    for name in LESSONS:
        page = visitor.open(site / "lessons" / f"{name}.html")
        assert page.locator("article img").count() >= 5
        texts = page.locator("article img").evaluate_all("all => all.map(image => image.alt)")
        assert [alt for alt in texts if len(alt) < 20] == []


@pytest.mark.parametrize("name", LESSONS)
def test_each_slider_is_moved_by_keyboard_and_its_figure_follows(name, site, visitor):
    page = visitor.open(site / "lessons" / f"{name}.html")
    figures = page.locator("figure.sliders").all()
    assert len(figures) == {"00_start": 2, "01_loss_as_likelihood": 1}[name]
    for figure in figures:
        for track in figure.locator("input[type=range]").all():
            told = figure.locator("img").get_attribute("alt")
            before, after = move(page, figure, track)
            assert before != after
            assert figure.locator("img").get_attribute("alt") != told
            value = track.get_attribute("aria-valuetext")
            assert value == track.locator("xpath=../output").inner_text()
            assert f" = {value}" in figure.locator("img").get_attribute("alt")


def test_frames_come_when_their_figure_is_seen_and_are_small(site, visitor):
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    page = visitor.open(site / "lessons" / f"{LESSONS[1]}.html")
    assert sum(url.endswith(".webp") for url in asked) == 1  # the one that is shown
    page.locator("figure.sliders").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    drawn = list((site / "frames" / LESSONS[1] / "1").iterdir())
    assert sum(url.endswith(".webp") for url in asked) >= len(drawn) > 10
    assert sum(path.stat().st_size for path in drawn) < HEAVIEST


def test_a_prediction_opens_its_section_tells_why_it_was_wrong_and_stays(lesson):
    form = lesson.locator(f'form[data-name="{ASKED}"]')
    fold = lesson.locator(f'details[data-fold="{ASKED}"]')
    inside = fold.locator("p", has_text="Ten times as narrow is")
    assert lesson.get_by_role("heading", name="The price of a hit").is_visible()
    assert not inside.is_visible()
    form.locator("input[type=text]").fill("1,4")
    form.get_by_role("button").press("Enter")
    assert "such as 0.35" in form.locator(".told").inner_text()
    assert not inside.is_visible()
    form.locator("input[type=text]").fill("10")
    form.locator("input[type=text]").press("Enter")
    assert "(kept)" in form.locator(".told").inner_text()
    assert inside.is_visible()
    told = fold.locator(".reveal").inner_text()
    assert "You predicted 10; the answer is 2.3 nats: off by 7.7" in told
    assert "the NLL takes its logarithm" in told
    form.scroll_into_view_if_needed()
    lesson.screenshot(path=SHOTS / "site-prediction.png")
    lesson.reload()
    assert inside.is_visible() and fold.locator(".reveal").inner_text() == told
    assert form.locator("input[type=text]").input_value() == "10"
    assert form.get_by_role("button").is_disabled()


def test_a_choice_is_committed_by_keyboard_and_forgotten_on_the_map(lesson, site, visitor):
    form = lesson.locator('form[data-name="01-errors-behind-the-mean"]')
    form.locator("input[type=radio]").first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        lesson.keyboard.press(key)
    answer = lesson.locator('.reveal[data-name="01-errors-behind-the-mean"]')
    assert "right." in answer.inner_text()
    first = visitor.open(site / "index.html")
    first.get_by_role("button", name="Forget my").click()
    assert first.get_by_text("Forgotten.").is_visible()
    page = visitor.open(site / "lessons" / f"{LESSONS[1]}.html")
    assert page.locator("details.fold[open]").count() == 0


NUMBERS = [-1.3836464881896973, 0.0, 1507.0, 1e-7, 123456789.0, 0.1 + 0.2, float("inf")]
GUESSES = ["-1.4", "0", "2e3", "1e-7", ".5", "123456789.4", "inf", "-inf", "nan", "-0.0"]
BECAUSE = {0: "Nothing is nothing.", 1.4: "The size is right."}


@pytest.mark.parametrize("truth", NUMBERS)
def test_the_page_says_what_jupyter_would(truth, lesson, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    for i, guess in enumerate(GUESSES):
        name = f"01-try-{i}"
        predict(name, guess, ask="?")
        capsys.readouterr()
        reveal(name, truth, within=0.05, unit="nats", because=BECAUSE)
        shown = capsys.readouterr().out.strip()
        facts = {
            "kind": "number",
            "truth": str(truth),
            "shown": f"{truth:.6g}",
            "within": 0.05,
            "unit": "nats",
            "because": [[str(wrong), why] for wrong, why in BECAUSE.items()],
        }
        assert lesson.evaluate(TOLD, [name, guess, json.dumps(facts)]) == shown, guess


TOLD = """
([name, guess, facts]) => {
    const place = document.createElement("p");
    place.className = "reveal";
    Object.assign(place.dataset, {name, facts});
    document.body.append(place);
    keep(name, guess);
    tell(name);
    return place.textContent;
}
"""


def test_search_finds_a_term_from_disk_and_served(site, visitor):
    with served(site) as address:
        for start in ((site / "index.html").resolve().as_uri(), f"{address}/index.html"):
            visitor.page.goto(start)
            visitor.page.locator("input[name=q]").fill("Laplace median")
            visitor.page.locator("input[name=q]").press("Enter")
            found = visitor.page.locator("#search-results li a")
            found.first.wait_for(timeout=5_000)
            assert any("01_loss" in one.get_attribute("href") for one in found.all()), start


@contextlib.contextmanager
def served(folder):
    """Serve a folder on loopback."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": ignored})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ignored(*_words):
    """Log nothing."""


def test_it_is_dark_where_the_reader_is_and_by_the_button(site, chromium):
    reader = Visitor(chromium, color_scheme="dark", viewport={"width": 1280, "height": 900})
    page = reader.open(site / "lessons" / f"{LESSONS[1]}.html")
    assert page.evaluate(BRIGHTNESS) < 200
    image = page.locator("figure.sliders img")
    look = "image => getComputedStyle(image).filter"
    assert "invert" in image.evaluate(look)
    image.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / "site-dark.png")
    page.locator(".content-icon-container .theme-toggle").click()  # auto, then light
    assert page.evaluate(BRIGHTNESS) > 700
    assert image.evaluate(look) == "none"
    reader.close()


def test_printed_all_folds_are_open_and_close_again(lesson, tmp_path):
    lesson.evaluate(ON_PAPER)
    assert not lesson.locator("p", has_text="Ten times as narrow is").is_visible()
    lesson.pdf(path=tmp_path / "lesson.pdf")
    heights = lesson.evaluate("() => window.onPaper")
    assert len(heights) == 6 and min(heights) > 20
    assert not lesson.locator("p", has_text="Ten times as narrow is").is_visible()


ON_PAPER = """
() => addEventListener("beforeprint", () => {
    const last = (fold) => fold.lastElementChild.getBoundingClientRect().height;
    window.onPaper = [...document.querySelectorAll("details.fold")].map(last);
})
"""


def test_links_lead_to_pages_of_the_site_or_to_the_map(site, visitor):
    page = visitor.open(site / "glossary.html")
    rows = page.locator("article table a").evaluate_all("all => all.map(a => a.href)")
    assert any("lessons/01_loss_as_likelihood.html#" in href for href in rows)
    assert any(href.endswith("/index.html") for href in rows)  # units that are not built
    assert [href for href in rows if "ipynb" in href] == []
    first = visitor.open(site / "index.html")
    assert first.locator('a[href="lessons/01_loss_as_likelihood.html"]').count() >= 2
    assert first.get_by_text("Binder").count() == 0  # no repository is set


def test_the_playground_is_a_page_of_it_and_leads_to_the_lessons_that_are_there(site, visitor):
    page = visitor.open(site / "index.html")
    page.locator("article").get_by_role("link", name="Playground").click()
    assert page.get_by_role("heading", name="Which constant does it predict?").is_visible()
    page.get_by_role("link", name="unit 01, From a density to a loss").first.click()
    page.wait_for_url(f"**/lessons/{LESSONS[1]}.html#from-a-density-to-a-loss")
    place = page.evaluate("document.getElementById(location.hash.slice(1)).innerText")
    assert place.startswith("From a density to a loss")
    page.locator(".sidebar-drawer").get_by_role("link", name="Playground").click(force=True)
    page.wait_for_url("**/playground.html")


def test_the_same_again_gives_the_same_bytes_and_no_other_folder_is_replaced(site, tmp_path):
    assert main([*SPEC, "--target", str(tmp_path / "again")]) == 0
    assert contents(tmp_path / "again") == contents(site)
    assert main([*SPEC, "--target", str(site.parent)]) == 2
    assert (site.parent / "mine.txt").is_file()


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_table_tries_every_page_and_names_what_is_wrong(site, tmp_path):
    shutil.copytree(site, tmp_path / "some")
    for page in [*(tmp_path / "some").glob("*.html"), *(tmp_path / "some").glob("assign*/*")]:
        page.unlink()
    broken = tmp_path / "some" / "lessons" / f"{LESSONS[1]}.html"
    spoilt = '<img src="https://192.0.2.1/x.png" alt=""><h1 style="width:500px">'
    broken.write_text(broken.read_text("utf-8").replace("<h1>", spoilt), "utf-8")
    for path in (tmp_path / "some" / "frames" / LESSONS[1] / "1").iterdir():
        path.write_bytes(b"")
    told = subprocess.run(
        [sys.executable, "-m", "tests.site_table", "--site", str(tmp_path / "some")],
        capture_output=True,
        text=True,
        cwd=PROJECT,
    )
    whole, wrong = (line for line in told.stdout.splitlines() if line.startswith("lessons/"))
    assert whole.split()[1:5] == ["2", "3", "4", "40"] and whole.endswith("  -")
    assert wrong.split()[1:3] == ["1", "2"] and told.returncode == 1
    for fault in ("too wide: H1", "asked for https://192.0.2.1", "does not move"):
        assert fault in wrong
