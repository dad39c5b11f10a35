"""Answers in words, graded in Chromium: by keyboard alone, blind, and beside another grader."""

import contextlib
import json
import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from nbgrader.api import Gradebook

from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.rubrics import questions_of
from course_grader.gradebook.grade import grade
from course_grader.gradebook.words import read_words, save_words
from course_grader.project.course import PROJECT, Course, find_unit
from tests.browser.conftest import SHOTS

UNIT = find_unit("05")
[QUESTION] = questions_of(UNIT).values()
SAME = "With other bins it is another number, so I would ask for the bins."
HOSTILE = (
    "</script><script>document.title = 'owned'</script>\n"
    "<img src=x onerror=\"document.title='owned'\"> \u202e[x](javascript:alert(1))"
)
LONG = """It says nothing about sharpness. Whoever gives the base rate to everybody, say 0.3, has
an ECE of about zero, and tells no sick patient from a healthy one.

It may also hide that two groups cancel: 0.1 too high for the young and 0.1 too low for the old,
in the same bins. Each group is served badly, and the average looks calibrated.

I would ask for a reliability diagram of each group, with the number of cases in each bin, and for
the Brier score beside the one of the base rate."""
CLASS = {"ada": LONG, "ben": HOSTILE, "cy": SAME, "dora": SAME, "eve": "It hides everything."}
FITS = """
() => [...document.querySelectorAll('.save, #told, #strip, #points')].every(element => {
    const box = element.getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}) && document.documentElement.scrollHeight <= innerHeight
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory, bubblewrap):
    """A graded class whose answers in words wait."""
    course = Course.throwaway(tmp_path_factory.mktemp("words") / "course", UNIT)
    composer = Composer(course, UNIT)
    for student, words in CLASS.items():
        notebook, score = composer.compose()
        cell_of(notebook, QUESTION.name).source = words
        composer.hand_in(student, notebook, score)
    grade(course, UNIT, progress=False)
    return course


@contextlib.contextmanager
def served(course):
    """Start the command; give the address that it prints."""
    command = [sys.executable, "-m", "course_grader", "words", "--unit", "05"]
    with subprocess.Popen(
        [*command, "--course", course.root], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as server:
        lines = iter(server.stdout.readline, "")
        yield next(line.strip() for line in lines if "http://" in line)
        server.terminate()


@pytest.fixture(scope="module")
def address(course):
    with served(course) as address:
        yield address


@pytest.fixture(params=["light", "dark"])
def page(address, chromium, request):
    """The page on a small laptop, with all that it asks for and complains about."""
    size = {"width": 1366, "height": 660}  # 768, less what the browser itself takes
    context = chromium.new_context(viewport=size, color_scheme=request.param)
    page = context.new_page()
    page.asked, page.complaints, page.scheme = set(), [], request.param
    page.on("request", lambda request: page.asked.add(urlsplit(request.url).hostname))
    page.on("console", lambda line: page.complaints.append(line.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(address)
    yield page
    context.close()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def shoot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"words-{name}-{page.scheme}.png")


def go_to(page, text):
    """Move with j until an answer that contains a text is shown."""
    press(page, *["k"] * len(CLASS))
    while text not in page.text_content("#text"):
        press(page, "j")


def in_gradebook(course):
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        place = QUESTION.name, UNIT.name, UNIT.name
        found = {name: gradebook.find_grade(*place, name) for name in CLASS}
        return {name: (g.manual_score, g.needs_manual_grade) for name, g in found.items()}


def reset(course):
    """Let all answers wait again."""
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        for name in CLASS:
            found = gradebook.find_grade(QUESTION.name, UNIT.name, UNIT.name, name)
            found.manual_score, found.needs_manual_grade = None, True
            beside = gradebook.find_comment(QUESTION.name, UNIT.name, UNIT.name, name)
            beside.manual_comment = None
        gradebook.db.commit()


@pytest.fixture(autouse=True)
def waiting(course):
    reset(course)


def test_three_answers_are_graded_by_keyboard_alone(page, course):
    assert page.text_content("#count") == "0 of 5 graded" and page.evaluate(FITS)
    go_to(page, "sharpness")
    shoot(page, "waits")
    press(page, "1", "2", "3", "2", "c")
    page.keyboard.type("Which groups? 2 of 3 things are here.")
    shoot(page, "ticked")
    press(page, "Enter")
    page.get_by_text("Saved: 2 of 3.").wait_for()
    go_to(page, "hides everything")
    press(page, "0", "Enter")
    page.get_by_text("Saved: 0 of 3.").wait_for()
    go_to(page, "another number")
    press(page, "1", "g", "p")
    page.keyboard.type("1.5")
    press(page, "Enter")
    page.get_by_text("Saved: 1.5 of 3 for 2 answers.").wait_for()
    assert page.text_content("#count") == "4 of 5 graded"
    go_to(page, "sharpness")  # to change what was saved, its ticks are still there
    assert page.locator(".tick:checked").count() == 2 and page.text_content("#state") == "2 of 3"
    shoot(page, "saved")
    assert in_gradebook(course) == {
        "ada": (2, False),
        "ben": (None, True),
        "cy": (1.5, False),
        "dora": (1.5, False),
        "eve": (0, False),
    }
    [ada] = [a for a in read_words(course, UNIT, QUESTION) if a.student == "ada"]
    assert ada.comment == "Which groups? 2 of 3 things are here."
    assert page.complaints == [] and page.asked == {"127.0.0.1"}


def test_nothing_is_saved_without_points_and_enter_in_a_comment_makes_no_line(page, course):
    press(page, "Enter")
    page.get_by_text("tick a line, or press 0").wait_for()
    press(page, "p")
    page.keyboard.type("3.5")
    press(page, "Enter")
    page.get_by_text("Points from 0 to 3, in halves").wait_for()
    assert set(in_gradebook(course).values()) == {(None, True)}


def test_names_are_hidden_until_they_are_asked_for(page):
    seen = [page.inner_text("body")]
    for _ in CLASS:
        press(page, "j")
        seen.append(page.inner_text("body"))
    assert not re.findall(rf"\b({'|'.join(CLASS)})\b", " ".join(seen))
    press(page, "n")
    assert page.text_content("#who") in CLASS


def test_what_students_wrote_runs_nothing_and_reads_as_typed(page):
    go_to(page, "owned")
    shown = page.text_content("#text")
    assert shown == HOSTILE.replace("\u202e", "⟨U+202E⟩") and "owned" not in page.title()
    assert page.locator("#text *").count() == 0 and page.complaints == []
    shoot(page, "hostile")


def test_a_draft_is_kept_while_others_are_read(page):
    go_to(page, "sharpness")
    press(page, "1", "3")
    go_to(page, "owned")
    assert page.locator(".tick:checked").count() == 0 and page.input_value("#points") == ""
    go_to(page, "sharpness")
    assert page.locator(".tick:checked").count() == 2 and page.input_value("#points") == "2"


@pytest.mark.parametrize(("choice", "points"), [("Keep theirs", 1), ("Save mine", 3)])
def test_two_graders_at_once_are_told_of_each_other(page, course, choice, points):
    go_to(page, "sharpness")
    [ada] = [a for a in read_words(course, UNIT, QUESTION) if a.student == "ada"]
    save_words(course, UNIT, QUESTION, {ada.key: ada.seen}, 1.0, "from the other one")
    press(page, "1", "2", "3", "Enter")
    page.get_by_text("Not saved: somebody else gave 1 of 3").wait_for()
    assert "from the other one" in page.text_content("#told")
    shoot(page, "conflict")
    page.get_by_role("button", name=choice).press("Enter")
    page.get_by_text("Kept theirs" if points == 1 else "Saved: 3 of 3").wait_for()
    assert in_gradebook(course)["ada"] == (points, False)


def test_the_data_in_the_page_holds_what_was_typed(page):
    data = json.loads(page.text_content("#data"))
    assert sorted(one["text"] for one in data["answers"]) == sorted(CLASS.values())
