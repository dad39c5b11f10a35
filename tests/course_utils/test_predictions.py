"""The first prediction stays, on disk and whole; the answer is compared with it exactly."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.predictions import predict, reveal

NAME = "01-some-number"
FILE = Path("progress.json")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test runs in an empty folder in which predictions are kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


@pytest.fixture
def shown(capsys):
    return lambda: capsys.readouterr().out


def guess(value, **options):
    predict(NAME, value, ask="How many?", **options)


def test_the_ellipsis_shows_the_question_and_writes_nothing(shown):
    guess(...)
    text = shown()
    assert text.startswith("How many?\n") and "in place of ..." in text and "a number" in text
    assert not FILE.exists()


def test_the_choices_are_part_of_the_question(shown):
    guess(..., choices=("up", "down"))
    assert "one of 'up', 'down'" in shown()


def test_a_value_is_kept_and_shown_again(shown):
    guess(2.5)
    assert "Your prediction: 2.5 (kept)" in shown()
    guess(...)
    assert shown() == "How many?\nYour prediction: 2.5\n"


def test_the_first_value_wins(shown):
    guess(2.5)
    guess(3)
    assert "Your first prediction stays: 2.5" in shown()
    before = FILE.read_bytes()
    guess(2.5)
    assert "first" not in shown() and FILE.read_bytes() == before
    reveal(NAME, 2.5)
    assert shown() == "You predicted 2.5; the answer is 2.5: right.\n"


@pytest.mark.parametrize("value", [0, 1e-300, np.float32(0.5), np.int64(3), torch.tensor(0.25)])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_of_every_kind_come_back_exactly(shown, value, sign):
    guess(sign * value)
    shown()
    reveal(NAME, sign * float(value))
    assert shown().endswith(": right.\n")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_non_finite_predictions_are_predictions_and_the_file_stays_json(shown, value):
    guess(value)
    json.loads(FILE.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    shown()
    reveal(NAME, value)
    assert shown().endswith(": right.\n")
    reveal(NAME, 1.0)
    assert shown().endswith(": not this time.\n")


@pytest.mark.parametrize(
    ("value", "truth", "within", "ending"),
    [
        (1.5, -1.5, 0.0, "off by 3, on the other side of zero."),
        (0.5, 1.5, 0.0, "off by 1."),
        (0.0, -1.5, 0.0, "off by 1.5."),
        (1.4, 1.5, 0.2, "right within 0.2."),
        (1.2, 1.5, 0.2, "off by 0.3."),
        (1.5, 1.5, 0.2, "right."),
        (7.0, math.inf, 0.5, "not this time."),
    ],
)
def test_the_verdict_on_a_number(shown, value, truth, within, ending):
    guess(value)
    shown()
    reveal(NAME, truth, within=within, unit="nats")
    text = shown()
    assert text.endswith(ending + "\n") and f"the answer is {truth:g} nats" in text


def test_the_verdict_on_a_choice(shown):
    guess("up", choices=("up", "down"))
    shown()
    reveal(NAME, "down")
    assert shown() == "You predicted 'up'; the answer is 'down': not this time.\n"
    reveal(NAME, "up")
    assert shown() == "You predicted 'up'; the answer is 'up': right.\n"


def test_without_a_prediction_the_answer_is_shown_alone(shown):
    reveal(NAME, torch.tensor(-1.5), unit="nats")
    assert shown() == "The answer is -1.5 nats. No prediction was kept for this question.\n"


def test_a_choice_is_not_compared_with_a_number():
    guess("up", choices=("up", "down"))
    with pytest.raises(ValueError, match="cannot compare the kept 'up' with the truth 2.0"):
        reveal(NAME, 2)


@pytest.mark.parametrize("value", [True, "two", "", None, 1j, np.zeros(2), [1], (0, 35), "0,35"])
def test_what_is_no_number_is_told_so_and_not_kept(value, shown):
    guess(value)
    assert "Not kept: the answer is a number, such as 0.35" in shown()
    assert not FILE.exists()


@pytest.mark.parametrize("value", ["sideways", 1, None])
def test_what_is_no_choice_is_told_so_and_not_kept(value, shown):
    guess(value, choices=("up", "down"))
    assert "Not kept: the answer is one of 'up', 'down'; got" in shown()
    assert not FILE.exists()


def form(**options):
    """Return the form that asks, in place of what is displayed."""
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_utils.predictions.display", asked.append)
        guess(..., **options)
    return asked[0]


def answered(form, value):
    """Give a form an answer, as a hand does; return what it says."""
    _, field, button, told = form.children
    field.value = value
    button.click()
    return told.value


def test_a_form_keeps_the_first_choice_and_takes_no_other(shown):
    asked = form(choices=("up", "down"))
    assert answered(asked, "up") == "Your prediction: &#x27;up&#x27; (kept)"
    _, field, button, _ = asked.children
    assert field.disabled and button.disabled
    guess(...)
    assert shown() == "How many?\nYour prediction: 'up'\n"


def test_a_form_says_what_a_number_looks_like_and_asks_again():
    asked = form()
    assert "such as 0.35" in answered(asked, "0,35") and not FILE.exists()
    assert answered(asked, " 0.35 ") == "Your prediction: 0.35 (kept)"


def test_a_form_without_a_choice_keeps_nothing():
    assert "one of" in answered(form(choices=("up", "down")), None) and not FILE.exists()


def test_a_form_has_a_text_twin_and_there_is_none_where_nothing_is_kept(monkeypatch):
    assert (
        repr(form()) == "How many?\nPut your answer in place of ... and run this cell: a number."
    )
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    assert isinstance(form(), str)


WRONG = {"down": "That is where it comes from.", 3.0: "That is the sum, not the mean."}


@pytest.mark.parametrize(
    ("value", "truth", "choices", "sentence"),
    [
        ("down", "up", ("up", "down"), "That is where it comes from."),
        ("up", "up", ("up", "down"), ""),
        (3.02, 1.5, None, "That is the sum, not the mean."),
        (4.0, 1.5, None, ""),
    ],
)
def test_a_wrong_answer_gets_its_sentence(shown, value, truth, choices, sentence):
    guess(value, choices=choices)
    shown()
    kinds = {k: v for k, v in WRONG.items() if isinstance(k, str) == isinstance(truth, str)}
    reveal(NAME, truth, because=kinds)
    assert shown().partition("\n")[2].strip() == sentence


@pytest.mark.parametrize("name", ["", "nll", "1-nll", "01-", "01-NLL", "01-a b", "01-a\n", None])
def test_a_name_that_could_collide_between_units_is_refused(name):
    for call in (lambda: predict(name, 1, ask="?"), lambda: reveal(name, 1)):
        with pytest.raises(ValueError, match="name must look like"):
            call()
    assert not FILE.exists()


def test_switched_off_nothing_is_read_written_or_renamed(shown, monkeypatch):
    FILE.write_text("not json")
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    guess(2.5)
    assert "not kept" in shown()
    guess(...)
    reveal(NAME, 2.5)
    assert "No prediction was kept" in shown()
    assert os.listdir() == [FILE.name] and FILE.read_text() == "not json"


def test_other_predictions_and_foreign_entries_survive():
    FILE.write_text(json.dumps({"badge": [1, 2], "predictions": {}}))
    guess(2.5)
    predict("02-another", "up", ask="Wohin? ↑", choices=("up", "down"))
    book = json.loads(FILE.read_text(encoding="utf-8"))
    assert book["badge"] == [1, 2] and set(book["predictions"]) == {NAME, "02-another"}


DAMAGED = {
    "cut short": b'{"predictions": {"01-some-nu',
    "empty": b"",
    "not text": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a list inside": b'{"predictions": [1]}',
    "no answer inside": b'{"predictions": {"01-a": {"ask": "?"}}}',
    "a bare number inside": b'{"predictions": {"01-a": 3}}',
    "no number inside": b'{"predictions": {"01-a": {"number": "three"}}}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_kept_aside_with_a_warning(content):
    FILE.write_bytes(content)
    with pytest.warns(UserWarning, match="kept as progress.damaged-1.json"):
        guess(2.5)
    assert Path("progress.damaged-1.json").read_bytes() == content
    assert NAME in json.loads(FILE.read_text())["predictions"]


def test_a_second_damaged_file_does_not_overwrite_the_first():
    for content in ("one", "two"):
        FILE.write_text(content)
        with pytest.warns(UserWarning):
            guess(...)
    assert Path("progress.damaged-1.json").read_text() == "one"
    assert Path("progress.damaged-2.json").read_text() == "two"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_whole_and_says_so(shown, monkeypatch, step):
    predict("02-another", 1, ask="?")
    before = FILE.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    guess(2.5)
    assert "(not kept: progress.json: No space left on device)" in shown()
    assert FILE.read_bytes() == before and os.listdir() == [FILE.name]


def test_a_linked_file_is_updated_where_it_lies(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    FILE.symlink_to(home / "mine.json")
    guess(2.5)
    assert FILE.is_symlink() and NAME in (home / "mine.json").read_text()


@pytest.mark.parametrize(("truth", "right"), [(2.5, True), (2.6, True), (3, False)])
def test_a_revealed_prediction_is_kept_with_its_score(truth, right):
    guess(2.5)
    assert "right" not in json.loads(FILE.read_text())["predictions"][NAME]
    reveal(NAME, truth, within=0.2)
    assert json.loads(FILE.read_text())["predictions"][NAME]["right"] is right


def test_a_score_that_cannot_be_kept_changes_nothing_that_is_shown(shown, monkeypatch):
    guess(2.5)
    before = FILE.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    reveal(NAME, 2.5)
    assert "right" in shown() and FILE.read_bytes() == before
