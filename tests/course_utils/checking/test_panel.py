"""The panel shows one line for each aspect, escapes everything, and has a plain-text twin."""

import html.parser

import numpy as np
import pytest

from course_utils.checking import panel
from course_utils.checking.panel import Aspect, Verdict, difference
from course_utils.checking.records import failure, plain

EVIL = "<script>alert('1')</script>&\"<img src=x onerror=alert(1)>"
PASSIVE = {"div", "b", "table", "tr", "td", "details", "summary", "ul", "li"}
ASPECTS = [
    Aspect("value", 2, "passed"),
    Aspect("gradient", 1, "not yet", "f(1) gave 2; expected 3"),
    Aspect("shape", 0.5, "not attempted"),
]


class Reader(html.parser.HTMLParser):
    """Collects tags and text of what a browser would show."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.words, self.attributes = [], "", set()
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words += data


def verdict(**changes):
    return Verdict(**({"exercise": "mean", "status": "not yet", "aspects": ASPECTS} | changes))


EVIL_VERDICTS = {
    "exercise": verdict(exercise=EVIL),
    "aspect": verdict(aspects=[Aspect(EVIL, 1, "passed")]),
    "finding": verdict(aspects=[Aspect("value", 1, "not yet", EVIL)]),
    "hint": verdict(hint=EVIL),
    "more": verdict(more=(EVIL,)),
    "note": verdict(note=EVIL),
    "message": verdict(
        aspects=[
            Aspect("value", 1, "not yet", difference("f", failure(ValueError(EVIL)), plain(1.0)))
        ]
    ),
}


@pytest.mark.parametrize("case", EVIL_VERDICTS.values(), ids=EVIL_VERDICTS)
def test_html_shows_every_word_and_runs_none(case):
    seen = Reader(panel.html(case))
    assert set(seen.tags) <= PASSIVE and seen.attributes <= {"style"}
    assert EVIL in seen.words


def test_html_has_one_row_for_each_aspect():
    seen = Reader(panel.html(verdict()))
    assert seen.tags.count("tr") == len(ASPECTS)
    assert all(aspect.name in seen.words for aspect in ASPECTS)


def test_the_text_twin_says_what_the_html_says():
    case = verdict(hint="Mind the sign.", note="More cases run.", earned=2.0)
    squeezed = "".join(Reader(panel.html(case)).words.split())
    for words in [*panel.text(case).split("\n")[0:1], case.hint, case.note, ASPECTS[1].finding]:
        assert "".join(words.split()) in squeezed and words in panel.text(case)


def marked_lines(text):
    marks = tuple(panel.MARKS.values())
    return [line for line in text.split("\n") if line.strip().startswith(marks)]


def test_text_has_one_line_for_each_aspect_with_its_mark_and_points():
    lines = marked_lines(panel.text(verdict()))
    for line, aspect in zip(lines, ASPECTS, strict=True):
        assert panel.MARKS[aspect.status] in line and aspect.name in line
        assert f"{aspect.points:g} point" in line


def test_words_of_a_student_cannot_pass_for_a_line_of_the_panel():
    forged = difference("f", failure(ValueError("\n  ✓ shape, 9 points")), plain(1.0))
    case = verdict(aspects=[Aspect("value", 1, "not yet", forged)])
    assert len(marked_lines(panel.text(case))) == 1


@pytest.mark.parametrize(
    ("points", "words"), [(1, "1 point"), (2, "2 points"), (0.5, "0.5 point")]
)
def test_points_are_counted_in_words(points, words):
    line = marked_lines(panel.text(verdict(aspects=[Aspect("value", points, "passed")])))[0]
    assert f", {words}" in line and line.endswith("points") == (points != 1)


@pytest.mark.parametrize("render", [panel.text, panel.html])
def test_only_a_graded_panel_claims_points(render):
    assert " of 3.5 points" not in render(verdict())
    assert "2.5 of 3.5 points" in render(verdict(earned=2.5))


def test_the_points_at_stake_are_those_of_the_aspects():
    assert verdict().possible == sum(aspect.points for aspect in ASPECTS)


@pytest.mark.parametrize("status", panel.MARKS)
def test_every_status_can_be_shown(status):
    case = verdict(status=status, aspects=[Aspect("value", 1, status)])
    assert status in panel.text(case) and status in panel.html(case)


def test_a_difference_of_shapes_shows_both():
    sentence = difference("f(x)", plain(np.ones((2, 1))), plain(np.ones(2)))
    assert "f(x)" in sentence and "(2, 1)" in sentence and "(2,)" in sentence


def test_a_list_for_an_array_is_told():
    sentence = difference("f(x)", plain([1.0, 2.0]), plain(np.array([1.0, 2.0])))
    assert "a list or tuple of 2; expected" in sentence and "an array of shape (2,)" in sentence


def test_equal_shapes_are_not_repeated():
    assert "shape" not in difference("f(x)", plain(np.ones(2)), plain(np.zeros(2)))


def test_a_difference_shows_what_came_before_what_was_expected():
    sentence = difference("f(x)", plain(1.25), plain(-3.5))
    assert sentence.index("1.25") < sentence.index("-3.5")


@pytest.mark.parametrize(
    ("came", "wanted", "told"),
    [
        (np.arange(6.0), np.array([0, 1, 2, 3, 4, 7.5]), "gave 5 at [5]; expected 7.5 there"),
        (np.eye(6), np.eye(6)[[0, 2, 1, 3, 4, 5]], "gave 1 at [1, 1]; expected 0 there"),
        (([1.0], np.arange(6)), ([1.0], np.arange(6) % 5), "gave 5 at [1][5]; expected 0 there"),
        (
            np.array([9e6, 0, 0, 0, 0.5, 9]),
            np.array([9e6, 0, 0, 0, 0.7, 99]),
            "gave 9 at [5]; expected 99",
        ),
        (np.array([0, 1, 2, 3, np.nan]), np.arange(5.0), "gave nan at [4]; expected 4 there"),
    ],
)
def test_a_difference_behind_the_first_numbers_is_shown_where_it_is(came, wanted, told):
    assert told in difference("f(x)", plain(came), plain(wanted))


def test_an_error_that_came_and_an_error_that_must_come_are_told_apart():
    came = difference("f(x)", failure(KeyError("k")), plain(1.0))
    missing = difference("f(x)", plain(1.0), failure(KeyError("secret words")))
    assert "raised KeyError" in came and "must raise KeyError" in missing
    assert "secret words" not in missing


@pytest.mark.parametrize(("status", "clicks"), [("passed", 1), ("not yet", 2)])
def test_a_worked_solution_is_one_click_away_after_passing_and_two_before(status, clicks):
    case = verdict(status=status)
    seen = Reader(panel.html(case, EVIL))
    assert seen.tags.count("details") == seen.tags.count("summary") == clicks
    assert "script" not in seen.tags and EVIL in seen.words
    assert EVIL not in panel.text(case, EVIL) and "solutions/" in panel.text(case, EVIL)
    assert "details" not in Reader(panel.html(case)).tags


def test_more_hints_are_one_click_away():
    case = verdict(hint="Mind the sign.", more=("Take the mean.", "Keep the constant."))
    seen = Reader(panel.html(case))
    assert seen.tags.count("details") == 1 and seen.tags.count("li") == 2
    assert "Take the mean." in seen.words and "More hints: 2" in panel.text(case)
    assert "details" not in Reader(panel.html(verdict(hint="Mind the sign."))).tags


def test_numbers_that_differ_late_are_shown_with_more_digits():
    near, far = plain(np.array([1.0, 2.5])), plain(np.array([1.0, 2.5001]))
    assert difference("f(1)", far, near) == "f(1) gave [1, 2.5001]; expected [1, 2.5]"
    assert "1.00001" in difference("f(1)", plain(1.00001), plain(1.0))


def test_an_error_without_words_is_named_alone():
    shown = difference("f(1)", failure(AssertionError()), failure(ValueError()))
    assert shown == "f(1) raised AssertionError; expected ValueError"
