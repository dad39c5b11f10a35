"""Which cards a learner has met: what was read, told and tried says it, and nothing else."""

import shutil

import pytest

from course_utils.progress import progress, units_in
from course_utils.review.cards import as_html, met_cards
from tests.course_utils.review.conftest import CARDS, NAME

ALL = [card["name"] for card in CARDS]


def met(folder):
    return [card.name for card in met_cards(units_in(folder), folder)]


COMMITTED, TOLD = {"ask": "?", "choice": "two"}, {"ask": "?", "choice": "two", "right": True}


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ({}, []),
        ({"01-which": COMMITTED}, []),  # its answer is not told yet: a card would give it away
        ({"01-which": TOLD}, ["01-recap", "01-which"]),
        ({"01-number": {"ask": "?", "number": "3"}}, ["01-recap", "01-which"]),
        ({"01-number": {"ask": "?", "number": "3", "right": True}}, ALL[:3]),
        ({"01-of-another-version": TOLD}, []),
    ],
)
def test_what_was_committed_and_told_is_met(predictions, expected, work):
    assert met(work(predictions=predictions)) == expected


def test_who_tried_an_exercise_has_met_the_whole_lesson(work):
    assert met(work(results={"one": {"all": {"status": "not yet", "points": 0}}})) == ALL


def test_a_mistake_is_met_by_who_was_told_of_it(work):
    folder = work(mistakes={"one": {"sign-flipped": "It goes down."}})
    [card] = met_cards(units_in(folder), folder)
    assert card.name == "01:one:sign-flipped" and "sign flipped" in card.ask
    assert card.solution == "It goes down." and card.page == f"{NAME}/{NAME}.ipynb"


def test_each_card_says_where_its_answer_is_shown(read_to_the_end):
    cards = {card.name: card for card in met_cards(units_in(read_to_the_end), read_to_the_end)}
    assert list(cards) == [*ALL, "01:one:sign-flipped"]
    assert cards["01-recap"].page == f"{NAME}/01_lesson.ipynb"
    assert cards["01-recap"].see == "A section" and cards["01-recap"].title == "A title"
    assert cards["01-number"].solution == "50 m" and cards["01-which"].solution == "two"


def test_a_class_s_bundle_has_its_predictions_beside_the_lessons(read_to_the_end, tmp_path):
    bundle = tmp_path / "bundle"
    (bundle / "lessons").mkdir(parents=True)
    shutil.copytree(read_to_the_end / NAME, bundle / "assignments" / NAME)
    folder = bundle / "assignments" / NAME
    (folder / "01_lesson.ipynb").rename(bundle / "lessons" / f"{NAME}.ipynb")
    (folder / "progress.json").rename(bundle / "lessons" / "progress.json")
    cards = met_cards(units_in(bundle), bundle)
    assert [card.name for card in cards] == ALL[:3]
    assert cards[0].page == f"lessons/{NAME}.ipynb" and cards[0].folder == folder


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"cards": [{"name": "x"}]}', None])
def test_a_missing_or_damaged_file_has_no_cards(content, read_to_the_end):
    path = read_to_the_end / NAME / "cards.json"
    path.unlink() if content is None else path.write_text(content)
    assert met(read_to_the_end) == ["01:one:sign-flipped"]


def test_progress_says_how_many_are_due_and_where_to_answer(read_to_the_end, monkeypatch):
    found = progress(read_to_the_end)
    assert "Review: 5 cards are due; 'make review' asks them" in str(found)
    assert f"<a href='{read_to_the_end}/review.ipynb'>Review: 5 cards" in found._repr_html_()
    monkeypatch.setattr("course_utils.progress.MAKEFILE", read_to_the_end / "Makefile")
    assert "review.ipynb asks them" in str(progress(read_to_the_end))
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    assert "Review" not in str(progress(read_to_the_end))


def test_without_cards_progress_says_nothing_of_them(work):
    assert "Review" not in str(progress(work()))


def test_html_shows_a_text_as_it_is():
    assert as_html("`a < b` & <i>") == "<code>a &lt; b</code> &amp; &lt;i&gt;"
