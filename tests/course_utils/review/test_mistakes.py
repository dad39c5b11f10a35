"""A mistake that a panel names is kept with its name, in the catalogue's words."""

import json

import pytest

from course_utils.checking.heard import Heard
from course_utils.checking.learner import shown_to_learner
from course_utils.checking.records import plain
from course_utils.progress_file import read
from course_utils.review.mistakes import keep_mistake

HINTS = [{"name": "sign-flipped", "sentence": "It goes down.", "got": []}]


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


def test_it_is_kept_by_its_name_with_the_latest_words(tmp_path):
    keep_mistake("one", HINTS, "It goes down.", folder=tmp_path)
    assert read(tmp_path)["mistakes"] == {"one": {"sign-flipped": "It goes down."}}
    newer = [{**HINTS[0], "sentence": "It goes down, not up."}]
    keep_mistake("one", newer, "It goes down, not up.", folder=tmp_path)
    assert read(tmp_path)["mistakes"] == {"one": {"sign-flipped": "It goes down, not up."}}


def test_a_copy_from_before_hints_had_names_keeps_it_too(tmp_path):
    keep_mistake(
        "one", [{"sentence": "It goes down.", "got": []}], "It goes down.", folder=tmp_path
    )
    [(name, sentence)] = read(tmp_path)["mistakes"]["one"].items()
    assert name and sentence == "It goes down."


def test_no_mistake_and_progress_off_keep_nothing(tmp_path, monkeypatch):
    keep_mistake("one", HINTS, "", folder=tmp_path)
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    keep_mistake("one", HINTS, "It goes down.", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_and_predictions_stay(tmp_path):
    book = {"predictions": {"01-a": {"number": "1"}}, "results": {}}
    (tmp_path / "progress.json").write_text(json.dumps(book))
    keep_mistake("one", HINTS, "It goes down.", folder=tmp_path)
    assert read(tmp_path)["predictions"] == book["predictions"]


def test_what_a_panel_tells_is_kept(tmp_path, monkeypatch):
    def checks(*numbers):
        values = zip(("value", "edge"), numbers, strict=True)
        return [
            {"aspect": a, "kind": "value", "call": "f()", "points": 1, "got": plain(v)}
            for a, v in values
        ]

    got = [check["got"] for check in checks(-1.5, -2.5)]
    hints = [{"name": "sign-flipped", "sentence": "It goes down.", "got": got}]
    known = {"one": {"checks": checks(1.5, 2.5), "hints": hints}}
    (tmp_path / "checks.json").write_text(json.dumps(known))
    monkeypatch.chdir(tmp_path)
    for numbers, made in (((1.5, 7.0), {}), ((-1.5, -2.5), {"sign-flipped": "It goes down."})):
        shown_to_learner("one", checks(*numbers), Heard(), at_hand=False)
        assert read(tmp_path).get("mistakes", {}).get("one", {}) == made
    shown_to_learner("one", checks(1.5, 2.5), Heard(), at_hand=False)
    assert read(tmp_path)["mistakes"]["one"]  # mended, and still to be repeated
