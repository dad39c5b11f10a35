"""Review in JupyterLab: a choice and an open card answered in the form, kept, and counted."""

import json

import pytest

from course_grader.project.course import units
from course_grader.workspace import prepare_work
from course_utils.progress import REVIEW, progress
from course_utils.review import schedule
from tests.browser.conftest import PROJECT, serve_work

UNIT = units()[1]
THEME = "t => window.jupyterapp.commands.execute('apputils:change-theme', t)"
REVEALED = {"01-errors-behind-the-mean": {"ask": "?", "choice": "no choice", "right": False}}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A learner's copy of unit 01, read to its end."""
    project = tmp_path_factory.mktemp("lab")
    for tree in ("notebooks", "release", "docs"):
        (project / tree).symlink_to(PROJECT / tree)
    prepare_work([UNIT], project=project, say=lambda words: None)
    kept = {"predictions": REVEALED, "mistakes": {"gaussian-nll": {"sign-flipped": "It is up."}}}
    (project / "work" / UNIT.name / "progress.json").write_text(json.dumps(kept))
    with serve_work(project) as address:
        yield project / "work", address


@pytest.fixture(autouse=True)
def as_a_learner(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


def press(lab, words):
    lab.page.get_by_role("button", name=words, exact=True).press("Enter")


def test_cards_are_answered_in_the_form_and_kept(lab):
    folder = lab.root / UNIT.name
    cards = {
        card["name"]: card for card in json.loads((folder / "cards.json").read_text())["cards"]
    }
    lab.open(REVIEW)
    lab.run_all()
    total = progress(lab.root).due
    assert total == len(cards) + 1
    first = next(iter(cards.values()))
    lab.page.get_by_text(f"1 of {total}", exact=False).first.wait_for(timeout=20_000)
    press(lab, "Show the answer")
    lab.page.get_by_text(first["answer"]).wait_for(timeout=20_000)
    press(lab, "Known well")
    lab.page.get_by_text(f"2 of {total}", exact=False).first.wait_for(timeout=20_000)
    press(lab, "Show the answer")
    press(lab, "Forgotten")
    number = cards["01-ten-times-narrower"]
    lab.page.get_by_text(number["ask"]).wait_for(timeout=20_000)
    lab.page.locator(".widget-text input").fill("0")
    press(lab, "Commit")
    lab.page.get_by_text(number["because"][0][1]).wait_for(timeout=20_000)
    link = lab.page.locator(".jp-RenderedMarkdown a", has_text=number["see"])
    assert f"{UNIT.name}/01_lesson.ipynb" in link.get_attribute("href")
    for theme in ("Light", "Dark"):
        lab.page.evaluate(THEME, {"theme": f"JupyterLab {theme}"})
        lab.page.wait_for_timeout(300)
        lab.shoot(f"review-{theme.lower()}")
    press(lab, "Next")
    lab.page.get_by_text(f"4 of {total}", exact=False).first.wait_for(timeout=20_000)
    states = schedule.read(folder)
    assert list(states) == list(cards)[:3]
    assert {name for name, one in states.items() if one["stability"] < 1} == {*list(cards)[1:3]}
    assert progress(lab.root).due == total - 3
    assert lab.complaints == []
