"""The playground in Chromium: numbers that are SciPy's, points to drag, no network."""

import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from scipy import optimize, stats

from course_grader.playground.page import LESSONS, write_playground
from tests.browser.conftest import SHOTS
from tests.course_grader.playground.laws import LAWS, WHOLE, loss_of, slope_of
from tests.serving import TOKEN, serve

CLOSE = {"rel": 1e-6, "abs": 1e-6}  # of what SciPy finds by differences and by search
CLOSER = {"rel": 1e-9, "abs": 1e-9}
MOMENTS = ("mean", "variance", "skewness", "kurtosis")
CLOSED_FORMS = {
    "normal": np.mean,
    "laplace": np.median,
    "lognormal": stats.gmean,
    "gamma": np.mean,
    "bernoulli": np.mean,
    "poisson": np.mean,
    "negative": np.mean,
}
MOVE = """
([values, observed]) => {
    const card = document.querySelector(".card.a");
    const put = (place, name, value) => {
        const input = place.querySelector(`input[name=${name}]`);
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    for (const [name, value] of Object.entries(values)) put(card, name, value);
    put(document, "observed", observed);
    const told = {};
    for (const one of card.querySelectorAll("[data-name]")) {
        told[one.dataset.name] = one.dataset.value;
    }
    for (const one of ["values", "draws"]) told[one] = JSON.parse(card.dataset[one]);
    told.levels = JSON.parse(document.body.dataset.levels);
    return told;
}
"""
SLIDERS = """
place => Object.fromEntries([...document.querySelectorAll(`${place} input`)].map(
    one => [one.name, [Number(one.min), Number(one.max), Number(one.step)]]))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_playground(tmp_path_factory.mktemp("playground"))


@pytest.fixture
def open_page(file, chromium):
    """Return a function that opens the page; at the end nothing foreign was asked for."""
    opened = []

    def open_it(families="", **settings):
        context = chromium.new_context(**{"viewport": {"width": 1366, "height": 900}} | settings)
        page = context.new_page()
        opened.append(context)
        page.asked, page.complaints = set(), []
        page.on("request", lambda request: page.asked.add(urlsplit(request.url).scheme))
        page.on("console", lambda line: page.complaints.append(line.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(file.as_uri() + families)
        return page

    yield open_it
    for context in opened:
        for page in context.pages:
            assert page.complaints == [] and page.asked <= {"file", "data"}
        context.close()


def number(word):
    return float(word.replace("Infinity", "inf"))


def positions(sliders, rng):
    """Return settings of all sliders: both ends, and two places between."""
    places = [{name: span[end] for name, span in sliders.items()} for end in (0, 1)]
    for _ in range(2):
        steps = {
            name: rng.integers(0, round((b - a) / s) + 1) for name, (a, b, s) in sliders.items()
        }
        places.append({n: round(a + steps[n] * s, 6) for n, (a, _, s) in sliders.items()})
    return places


def at_y(family, law, values, along, y):
    """Return what SciPy says of one y under the names that the page uses."""
    told = {"p": np.exp(law.log(y)), "loss": -law.log(y)}
    told["below"] = law.below(y) if law.below else np.nan
    kink = family == "laplace" and y == values["mu"]  # any slope between -1/b and 1/b is one
    told["slope"] = 0.0 if kink else slope_of(family, values, along, y)
    return told


def hold_draws(family, law, told):
    """The draws are the quantiles at the page's own uniform numbers."""
    draws, levels = np.array(told["draws"]), np.array(told["levels"])
    assert len(draws) == 200 and 0 < levels.min() < levels.max() < 1
    assert stats.kstest(levels, "uniform").pvalue > 0.01
    mean = np.mean(draws) if family not in ("categorical", "ordinal") else np.nan
    assert number(told["drawn"]) == pytest.approx(mean, **CLOSER, nan_ok=True)
    if law.below is None:
        upto = np.exp(law.log(np.arange(4))).cumsum()
        assert (draws == np.searchsorted(upto, levels)).all()
        return
    quantiles = dict(zip((0.05, 0.5, 0.95), map(number, (told["q5"], told["q50"], told["q95"])),
                         strict=True))  # fmt: skip
    pairs = [*list(zip(levels, draws, strict=True))[:25], *quantiles.items()]
    for level, y in pairs:
        if family in WHOLE:
            assert law.below(y) >= level - 1e-9 and (y == 0 or law.below(y - 1) < level + 1e-9)
        elif 1e-280 < y < 1 - 1e-12 or family not in ("beta", "gamma"):
            assert law.below(y) == pytest.approx(level, abs=1e-7), (level, y)


@pytest.mark.parametrize("family", LAWS)
def test_every_number_is_scipys(family, open_page):
    page = open_page(f"#{family},{family}")
    assert page.input_value(".card.a select") == family
    rng = np.random.default_rng(3)
    sliders = page.evaluate(SLIDERS, ".card.a")
    low, high, step = page.evaluate(SLIDERS, ".observed")["observed"]
    edge = 0 if family in WHOLE else 1  # a density may be infinite at the end
    last = round((high - low) / step) - edge
    for values in positions(sliders, rng):
        law = LAWS[family](**values)
        moments = dict(zip(MOMENTS, law.moments(), strict=True))
        for y in (low + step * rng.integers(edge, last + 1, 2)).round(6).tolist():
            told = page.evaluate(MOVE, [values, y])
            assert told["values"] == pytest.approx(values)
            along = f"z{y:.0f}" if family == "categorical" else next(iter(sliders))
            for name, value in (moments | at_y(family, law, values, along, y)).items():
                about = f"{family} {values} at {y}: {name}"
                close = CLOSE if name == "slope" else CLOSER
                assert number(told[name]) == pytest.approx(value, **close, nan_ok=True), about
        hold_draws(family, law, told)


def test_which_moments_a_student_has(open_page):
    page = open_page("#student,normal")
    for nu in np.arange(0.5, 6, 0.5).tolist():
        told = page.evaluate(MOVE, [{"nu": nu}, 2])
        expected = LAWS["student"](0.0, 1.0, nu).moments()
        found = [number(told[name]) for name in MOMENTS]
        assert found == pytest.approx(expected, **CLOSER, nan_ok=True), nu


def test_each_family_is_chosen_and_has_its_lesson(open_page):
    page = open_page()
    options = page.locator(".card.a option").evaluate_all("all => all.map(one => one.value)")
    assert set(options) == LAWS.keys() == LESSONS.keys()
    for name in options:
        page.select_option(".card.b select", name)
        assert page.text_content(".card.b .lessons").startswith("unit 0")
        for chart in ("density", "loss", "slope"):
            assert page.locator(f".card.b [data-chart={chart}] path").count() > 0, (name, chart)


FITS = """
() => [...document.querySelectorAll(".fit")].map(one => JSON.parse(one.dataset.fit))
"""


def points_of(page):
    return json.loads(page.get_attribute(".data", "data-points"))


def best_constant(family, values, points, along):
    """Return the lowest NLL over the first parameter, and where it is, by SciPy's search."""
    low, high = (min(points) - 6, max(points) + 6) if family != "beta" else (1e-4, 1 - 1e-4)
    if family in ("lognormal", "gamma", "poisson", "negative", "inflated"):
        low = 1e-4

    def loss(value):
        return loss_of(family, values | {along: value}, points)

    grid = np.linspace(low, high, 150)
    near = grid[int(np.argmin([loss(value) for value in grid]))]
    ends = near - (high - low) / 75, near + (high - low) / 75
    found = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-10})
    return found.fun, found.x


@pytest.mark.parametrize("family", LAWS)
def test_the_constant_is_scipys_optimum(family, open_page):
    page = open_page(f"#{family},{family}")
    values = json.loads(page.get_attribute(".card.a", "data-values"))
    for _ in range(2):
        points = points_of(page)
        fit, other = page.evaluate(FITS)
        assert fit == other and fit["outside"] == []
        if family == "categorical":
            assert fit["shares"] == pytest.approx(np.bincount(points, minlength=4) / len(points))
        else:
            along = next(iter(values))
            at = fit["minima"][0]
            assert fit["loss"] == pytest.approx(
                loss_of(family, values | {along: at}, points), **CLOSE
            )
            if family in CLOSED_FORMS:
                assert at == pytest.approx(CLOSED_FORMS[family](points), **CLOSE)
            else:
                lowest, place = best_constant(family, values, points, along)
                assert fit["loss"] <= lowest + 1e-9 and at == pytest.approx(place, abs=3e-6)
        page.locator(".point").last.press("Delete")  # another number of points, odd or even


def test_two_valleys_are_told_and_an_impossible_point_is_named(open_page):
    page = open_page("#student,normal")  # with the nine guesses of unit 01
    page.evaluate(MOVE, [{"scale": 0.2}, 2])
    valleys = page.evaluate(FITS)[0]["minima"]
    assert len(valleys) >= 2 and valleys[-1] == pytest.approx(7.9, abs=0.1)
    assert "Other minima" in page.text_content(".fit.a")
    page.select_option(".card.b select", "poisson")
    page.select_option(".card.a select", "gamma")
    assert "gives 0 probability zero" in page.text_content(".fit.a")


def place_of(page, y):
    """Return where on the screen a value of y lies, halfway up the strip of points."""
    strip = page.locator("[data-chart=points]")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    low, high = page.evaluate("state.view")
    inner = box["width"] - 46 - 10
    return box["x"] + 46 + inner * (y - low) / (high - low), box["y"] + 40


def middle_of(page, i):
    box = page.locator(".point").nth(i).locator(".seen").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def hold_constants(page):
    """Normal and Laplace predict NumPy's mean and median of the points on the page."""
    points = points_of(page)
    normal, laplace = page.evaluate(FITS)
    assert normal["minima"] == pytest.approx([np.mean(points)], **CLOSE)
    assert laplace["minima"] == pytest.approx([np.median(points)], **CLOSE)


def test_a_point_is_added_dragged_and_removed_with_the_mouse(open_page):
    page = open_page()
    before = points_of(page)
    page.mouse.click(*place_of(page, -4))
    assert sorted(points_of(page)) == sorted([*before, -4.0])
    hold_constants(page)
    page.mouse.move(*middle_of(page, 0))
    page.mouse.down()
    for y in (-2, 3, 9):
        page.mouse.move(*place_of(page, y), steps=3)
        assert sorted(points_of(page)) == sorted([*before, float(y)])
        hold_constants(page)
    page.mouse.up()
    page.mouse.move(*place_of(page, -5))
    assert sorted(points_of(page)) == sorted([*before, 9.0])  # it was let go
    page.get_by_role("button", name="Remove the chosen point").click()
    assert sorted(points_of(page)) == sorted(before)
    hold_constants(page)
    page.get_by_role("button", name="Remove all").click()
    assert points_of(page) == [] and "nothing to predict" in page.text_content(".fit.a")
    page.get_by_role("button", name="Start over").click()
    assert points_of(page) == before


def test_it_is_used_by_keyboard_alone(open_page):
    page = open_page()
    page.locator(".card.a select").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert json.loads(page.get_attribute(".card.a", "data-values"))["mu"] == 0.1
    assert page.get_attribute(".card.a [data-name=mean]", "data-value") == "0.1"
    page.locator(".point").first.focus()
    before = points_of(page)
    for key, to in {"ArrowRight": 1.3, "PageUp": 2.3, "ArrowLeft": 2.2}.items():
        page.keyboard.press(key)
        assert sorted(points_of(page)) == pytest.approx(sorted([*before[1:], to])), key
        hold_constants(page)
    page.keyboard.press("Delete")
    assert sorted(points_of(page)) == sorted(before[1:])
    page.get_by_role("button", name="Add the observed y").press("Enter")
    assert sorted(points_of(page)) == sorted([*before[1:], 2.0])
    hold_constants(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_used_by_touch_on_a_phone(scheme, open_page):
    phone = {"width": 390, "height": 844}
    page = open_page("#student,inflated", viewport=phone, has_touch=True, color_scheme=scheme)
    page.touchscreen.tap(*place_of(page, 17))
    assert 17 in points_of(page)
    touch = page.context.new_cdp_session(page)

    def send(kind, *at):
        at = [{"x": x, "y": y} for x, y in at]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    send("touchStart", middle_of(page, page.locator(".point").count() - 1))
    for y in (14, 10, 8):
        send("touchMove", place_of(page, y))
    send("touchEnd")
    dragged = points_of(page)
    assert 17 not in dragged and 8 in dragged
    x, y = place_of(page, 15)
    send("touchStart", (x, y))
    for up in (20, 60, 100):  # a finger that scrolls the page adds no point
        send("touchMove", (x, y - up))
    send("touchEnd")
    assert points_of(page) == dragged
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    shoot(page, f"phone-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_fill_their_place_and_nothing_covers_another(scheme, open_page):
    page = open_page("#gamma,negative", color_scheme=scheme)
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(
        "() => document.querySelector('[data-chart=total]').viewBox.baseVal.width < 990"
    )
    boxes = page.locator(".card.a > *").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(one => [one.top, one.bottom])"
    )
    assert all(upper[1] <= lower[0] + 1 for upper, lower in zip(boxes, boxes[1:], strict=False))
    shoot(page, scheme)


def test_new_draws_are_others_and_a_heavy_tail_says_what_is_not_defined(open_page):
    page = open_page("#student,normal")
    before = page.get_attribute(".card.b", "data-draws")
    page.get_by_role("button", name="New draws").click()
    assert page.get_attribute(".card.b", "data-draws") != before
    page.evaluate(MOVE, [{"nu": 1}, 2])
    told = page.locator(".card.a dd").all_inner_texts()[:4]
    assert told == ["not defined"] * 4
    page.evaluate(MOVE, [{"nu": 2}, 2])
    assert page.locator(".card.a dd").all_inner_texts()[:2] == ["0", "infinite"]


def test_a_jupyter_server_shows_it_too_as_on_a_hub(file, chromium):
    with serve("jupyter_server", file.parent) as address:
        page = chromium.new_page()
        heard, asked = [], set()
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page.goto(f"{address}/files/{file.name}?token={TOKEN}")
        page.get_by_role("button", name="Add the observed y").click()
        assert points_of(page)[-1] == 2 and heard == [] and asked - {None} == {"127.0.0.1"}
        hold_constants(page)
        page.close()


def shoot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"playground-{name}.png", full_page=True)
