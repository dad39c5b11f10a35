"""When cards are due is what FSRS says, kept in a file that survives whatever happens to it."""

import datetime
import json
import os
import random

import fsrs
import pytest

from course_utils.progress import units_in
from course_utils.review import schedule
from course_utils.review.cards import met_cards
from tests.course_utils.review.conftest import NAME, START


def all_cards(work):
    return met_cards(units_in(work), work)


def noon(day):
    return datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)


def oracle():
    """FSRS itself, in days: no steps of minutes, no chance."""
    return fsrs.Scheduler(learning_steps=[], relearning_steps=[], enable_fuzzing=False)


def test_sixty_days_are_those_of_fsrs(read_to_the_end):
    """A learner who forgets by chance, misses days, and answers some of what is due."""
    chance, known, counts = random.Random(0), {}, []
    for day in (START + datetime.timedelta(days=i) for i in range(60)):
        cards = all_cards(read_to_the_end)
        due = schedule.due_cards(cards, day)
        expected = {c.name for c in cards if c.name not in known or known[c.name].due <= noon(day)}
        assert {card.name for card in due} == expected
        counts.append(len(due))
        if chance.random() < 0.2:
            continue
        for card in due[: chance.randint(1, 5)]:
            rating = chance.choices([1, 2, 3, 4], [2, 2, 5, 1])[0]
            before = known.get(card.name, fsrs.Card(due=noon(day)))
            known[card.name], _ = oracle().review_card(before, fsrs.Rating(rating), noon(day))
            assert schedule.rate(card, rating, day) == known[card.name].due.date()
    assert counts[0] == 5 and 0 in counts and max(counts[10:]) > 0


def test_the_longest_waiting_come_first_and_new_ones_last(read_to_the_end):
    first, second, *others = all_cards(read_to_the_end)
    schedule.rate(second, schedule.AGAIN, START)
    schedule.rate(first, schedule.GOOD, START)
    later = START + datetime.timedelta(days=30)
    due = schedule.due_cards(all_cards(read_to_the_end), later)
    assert [card.name for card in due] == [c.name for c in (second, first, *others)]
    assert len(schedule.due_cards(all_cards(read_to_the_end), START)) == len(others)


def test_the_better_it_was_known_the_later_it_comes_at_most_in_a_year(read_to_the_end):
    days = [
        schedule.rate(card, rating, START)
        for card, rating in zip(all_cards(read_to_the_end), (1, 2, 3, 4), strict=False)
    ]
    assert days == sorted(days) and days[0] == START + datetime.timedelta(days=1) < days[3]
    card, day = all_cards(read_to_the_end)[0], START
    for _ in range(20):
        due = schedule.rate(card, schedule.EASY, day)
        assert (due - day).days <= 365
        day = due
    assert (due - START).days > 1000


def test_an_edited_card_keeps_its_history_and_a_removed_one_is_dropped(read_to_the_end):
    path = read_to_the_end / NAME / "cards.json"
    for card in all_cards(read_to_the_end):
        schedule.rate(card, schedule.GOOD, START)
    kept = schedule.read(read_to_the_end / NAME)
    known = json.loads(path.read_text())
    known["cards"][0] |= {"ask": "Why, then?", "answer": "Otherwise.", "place": 4}
    gone = known["cards"].pop()
    path.write_text(json.dumps(known))
    assert schedule.due_cards(all_cards(read_to_the_end), START) == []
    due = schedule.due_cards(all_cards(read_to_the_end), START + datetime.timedelta(days=9))
    assert gone["name"] not in [card.name for card in due] and len(due) == 4
    assert "Why, then?" in [card.ask for card in due]
    schedule.rate(due[0], schedule.GOOD, START)
    assert schedule.read(read_to_the_end / NAME).keys() == kept.keys()  # should it come back


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"cards": []}', '{"cards": {"01-recap": {}}}']
    + [
        f'{{"cards": {{"01-recap": {{"due": {due}, "state": 2}}}}}}'
        for due in ('"x"', "3", "null")
    ],
)
def test_a_damaged_file_is_kept_aside_and_told(content, read_to_the_end):
    path = read_to_the_end / NAME / schedule.FILE
    path.write_text(content)
    with pytest.warns(UserWarning, match=r"review\.json could not be read. It is kept as review"):
        assert len(schedule.due_cards(all_cards(read_to_the_end), START)) == 5
    assert (path.parent / "review.damaged-1.json").read_text() == content
    schedule.rate(all_cards(read_to_the_end)[0], schedule.GOOD, START)
    assert len(schedule.due_cards(all_cards(read_to_the_end), START)) == 4


def test_a_negative_stability_is_damage(read_to_the_end):
    schedule.rate(all_cards(read_to_the_end)[0], schedule.GOOD, START)
    path = read_to_the_end / NAME / schedule.FILE
    book = json.loads(path.read_text())
    book["cards"]["01-recap"]["stability"] = -1
    path.write_text(json.dumps(book))
    with pytest.warns(UserWarning, match="kept as"):
        assert schedule.read(path.parent) == {}


def test_a_crash_while_writing_leaves_the_old_file(read_to_the_end, monkeypatch):
    first, second, *_ = all_cards(read_to_the_end)
    schedule.rate(first, schedule.GOOD, START)

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="no space"):
        schedule.rate(second, schedule.GOOD, START)
    monkeypatch.undo()
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    assert list(schedule.read(first.folder)) == [first.name]
    assert not list(first.folder.glob("*.part"))


def test_a_clock_that_went_back_breaks_nothing(read_to_the_end):
    card = all_cards(read_to_the_end)[0]
    schedule.rate(card, schedule.GOOD, START)
    due = schedule.rate(card, schedule.AGAIN, START - datetime.timedelta(days=400))
    assert due > START - datetime.timedelta(days=400)
