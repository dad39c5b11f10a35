"""One sitting: what is right, what is told, and when it is enough."""

import dataclasses
import datetime

import pytest

from course_utils.progress import units_in
from course_utils.review import schedule
from course_utils.review.cards import met_cards
from course_utils.review.sitting import Sitting, is_right, told, where
from tests.course_utils.review.conftest import START


@pytest.fixture
def cards(read_to_the_end):
    return {card.name: card for card in met_cards(units_in(read_to_the_end), read_to_the_end)}


@pytest.mark.parametrize(
    ("name", "answer", "right", "words"),
    [
        ("01-which", "two", True, "Right."),
        ("01-which", "one", False, "Not this time. The answer: two. One is none."),
        ("01-which", "three", False, "Not this time. The answer: two."),
        ("01-number", "50", True, "Right: 50 m."),
        ("01-number", 52, True, "Right: 50 m."),
        ("01-number", "47.9", False, "Not this time. The answer: 50 m."),
        ("01-number", "10.1", False, "Not this time. The answer: 50 m. Ten is too few."),
        ("01-number", "nan", False, "Not this time. The answer: 50 m."),
    ],
)
def test_an_answer_is_judged_and_told_why(name, answer, right, words, cards):
    assert is_right(cards[name], answer) is right
    assert told(cards[name], answer) == words


def test_a_number_that_is_remembered_may_be_off_by_a_fiftieth(cards):
    exact = dataclasses.replace(cards["01-number"], within=0.0)
    assert is_right(exact, 50.9) and not is_right(exact, 51.1)


@pytest.mark.parametrize(("name", "answer"), [("01-which", "four"), ("01-number", "many")])
def test_what_is_no_answer_is_told_so(name, answer, cards):
    with pytest.raises(ValueError, match="the answer is"):
        told(cards[name], answer)


def test_it_says_where_the_answer_is_shown(cards):
    assert where(cards["01-recap"]) == "Shown in 01_first/01_lesson.ipynb, under 'A section'"


def test_a_sitting_ends_after_so_many_cards(read_to_the_end):
    sitting = Sitting(read_to_the_end, cards=2)
    while sitting.next():
        sitting.rate(schedule.AGAIN)
    assert sitting.answered == sitting.planned == 2
    told = sitting.closing()
    assert "2 cards answered, 2 to be seen again soon" in told
    assert "3 cards still due today" in told and "Due tomorrow: 5." in told


def test_a_sitting_ends_after_so_many_minutes_but_not_before_its_first_card(read_to_the_end):
    clock = iter([0.0, 299.0, 300.0])
    sitting = Sitting(read_to_the_end, minutes=5, clock=lambda: next(clock))
    for _ in range(3):
        if sitting.next():
            sitting.rate(schedule.GOOD)
    assert sitting.answered == 2
    assert Sitting(read_to_the_end, minutes=5, clock=iter([0.0, 999.0]).__next__).next()


def test_when_all_is_answered_it_says_what_comes_tomorrow(read_to_the_end, monkeypatch):
    sitting = Sitting(read_to_the_end)
    while sitting.next():
        sitting.rate(schedule.AGAIN if sitting.answered == 0 else schedule.EASY)
    told = sitting.closing()
    assert "still due" not in told and told.endswith("Due tomorrow: 1.")
    monkeypatch.setattr(schedule, "today", lambda: START + datetime.timedelta(days=1))
    assert [card.name for card in Sitting(read_to_the_end).due] == ["01-recap"]
