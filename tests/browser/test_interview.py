"""A mock interview in JupyterLab: answered in its forms, told at the end, ticked and counted."""

import json

import pytest

from course_grader.interview import draw, prepare_interview, read_bank
from course_grader.project.course import PROJECT
from course_utils.progress import progress
from tests.browser.conftest import serve_work

SEED = 3
ASKED = draw(read_bank(), SEED)
CHOICE = next(question for question in ASKED.values() if "choices" in question)
WORDS = next(question for question in ASKED.values() if "points" in question)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder with one interview in it."""
    project = tmp_path_factory.mktemp("lab")
    (project / "masters").mkdir()
    (project / "masters" / "interview.toml").symlink_to(PROJECT / "masters" / "interview.toml")
    prepare_interview(SEED, project=project)
    with serve_work(project) as address:
        yield project / "work", address


def form(lab, question):
    return lab.page.locator(".widget-vbox", has_text=question["ask"].strip()[:60]).last


def commit(asked):
    asked.get_by_role("button", name="Commit").press("Enter")
    asked.get_by_text("(kept)").wait_for(timeout=20_000)


def test_an_interview_is_answered_told_and_counted(lab, monkeypatch):
    lab.open(f"interview/{SEED}/interview.ipynb")
    lab.run_all()
    asked = form(lab, CHOICE)
    asked.locator("input[type=radio]").nth(CHOICE["choices"].index(CHOICE["right"])).check()
    commit(asked)
    asked = form(lab, WORDS)
    asked.locator("textarea").fill(WORDS["points"][0])
    commit(asked)
    lab.run_all()
    lab.page.get_by_text("1 of 10, with 2 answered.").wait_for(timeout=20_000)
    boxes = lab.page.locator("input[type=checkbox]")
    assert boxes.count() == len(WORDS["points"])
    boxes.first.check()
    share = 1 + 1 / len(WORDS["points"])
    lab.page.get_by_text(f"{share:.3g} of 10, with 2 answered.").wait_for(timeout=20_000)
    link = lab.page.locator(".jp-RenderedMarkdown a", has_text=CHOICE["see"][1]).first
    assert CHOICE["see"][0] in link.get_attribute("href")
    lab.shoot("interview")
    kept = json.loads((lab.root / "interview" / str(SEED) / "progress.json").read_text("utf-8"))
    assert {entry.get("right") for entry in kept["predictions"].values()} == {True, False}
    monkeypatch.setenv("COURSE_PROGRESS", "on")  # the suite itself keeps none
    assert f"Interview {SEED}: 2 of 10 answered, 1 right" in str(progress(lab.root))
