"""Try a site that is built, page by page, in Chromium: `make test-site`."""

__all__ = ["main", "try_page"]

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright
from tqdm import tqdm

from course_grader.project.course import PROJECT
from course_grader.site.frames import HEAVIEST
from tests.chromium import find_chromium
from tests.site_pages import Visitor, move, overflow

PHONE = {"width": 390, "height": 844}
SLOWEST = 1.0  # seconds until something is painted, from disk
HEAD = f"{'page':42} figures sliders asked frames    MB paint s  wrong"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def try_page(path, site, chromium):
    """Return a page's numbers, and what is wrong with it.

    Figures, sliders, predictions, frames, MB of the heaviest figure, seconds until it is painted.
    """
    reader, wrong, tried = Visitor(chromium, viewport=PHONE), [], 0
    page = reader.open(path)
    page.wait_for_function(PAINT, timeout=10_000)
    seconds = page.evaluate(PAINT) / 1000
    wrong += [f"too wide: {wide}" for wide in overflow(page)[:3]]
    if seconds > SLOWEST:
        wrong.append(f"painted after {seconds:.1f} s")
    figures = page.locator("figure.sliders").all()
    for figure in figures:
        for track in figure.locator("input[type=range]").all():
            tried += 1
            wrong += _moved(page, figure, track)
    asked = page.locator("form.prediction").all()
    wrong += [fault for form in asked for fault in _answered(page, form)]
    stacks = _stacks(path, site) if figures else []
    wrong += [f"a figure of {heavy / 1e6:.1f} MB" for _, heavy in stacks if heavy > HEAVIEST]
    if len(stacks) != len(figures):
        wrong.append(f"{len(figures)} figures, frames of {len(stacks)}")
    reader.close()
    most = max((heavy for _, heavy in stacks), default=0) / 1e6
    count = sum(count for count, _ in stacks)
    return len(figures), tried, len(asked), count, most, seconds, wrong + reader.complaints


def _moved(page, figure, track):
    """Move a slider step by step until its figure changes: some steps may show the same."""
    for _ in range(int(track.get_attribute("max"))):
        try:
            before, after = move(page, figure, track)
        except Error as error:
            return [f"a slider does not move: {str(error).splitlines()[0]}"]
        if before != after:
            return []
    return ["a slider changes nothing"]


def _answered(page, form):
    """Commit to something; its section must open, and compare it with the answer."""
    name = form.get_attribute("data-name")
    field = form.locator("input, textarea").first
    field.check() if form.get_attribute("data-kind") == "choice" else field.fill("1")
    form.get_by_role("button").click()
    told = page.locator(f'details[open] .reveal[data-name="{name}"]')
    if told.count() != 1 or not told.inner_text().startswith("You predicted"):
        return [f"{name} opens no answer"]
    return []


def _stacks(path, site):
    """Return [(frames, bytes)] of each figure of a lesson."""
    folders = sorted((site / "frames" / path.stem).glob("*"))
    sizes = [[one.stat().st_size for one in folder.iterdir()] for folder in folders]
    return [(len(one), sum(one)) for one in sizes]


def main(arguments=None):
    """Print a line for each page; the status is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="make test-site", description=__doc__)
    parser.add_argument("--site", type=Path, default=PROJECT / "build" / "site")
    site = parser.parse_args(arguments).site
    pages = sorted(site.rglob("*.html"))
    if not pages:
        print(f"There is no site at {site}: 'make site' makes it.", file=sys.stderr)
        return 2
    program = find_chromium()
    if not program:
        print("Chromium is not installed: apt install chromium", file=sys.stderr)
        return 2
    print(HEAD)
    bad = 0
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for path in tqdm(pages, unit="page", leave=False):
            *numbers, wrong = try_page(path, site, chromium)
            name = path.relative_to(site).as_posix()
            line = "{:8}{:8}{:6}{:7}{:6.1f}{:8.2f}".format(*numbers)
            tqdm.write(f"{name:42}{line}  {'; '.join(wrong) or '-'}")
            bad += bool(wrong)
        chromium.close()
    print(f"{len(pages)} pages, {bad} with something wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
