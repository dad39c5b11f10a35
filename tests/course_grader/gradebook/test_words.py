"""Answers in words, graded on a page: by HTTP, as the page does it, with the command running."""

import contextlib
import csv
import html.parser
import http.client
import json
import re
import signal
import sqlite3
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from nbgrader.api import Gradebook

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.rubrics import questions_of
from course_grader.gradebook.waiting import waiting_words
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, find_unit

UNIT = find_unit("05")
[QUESTION] = questions_of(UNIT).values()
HOSTILE = (
    "</script></pre><script>alert(1)</script> [x](javascript:alert(1))\n\n \\href{a}{b} {{ 7*7 }}"
)
SAME = "It depends on the bins."
CLASS = {
    "ada": "Sharpness: the base rate has an ECE of 0.",
    "ben": "Groups may cancel.",
    "cy": SAME,
    "dora": SAME,
    "eve": HOSTILE,
    "flo": "400 cases are few.",
    "silent": None,
}


class Page(html.parser.HTMLParser):
    """The page as a browser reads it: how many scripts, and the data."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.data, self._inside = 0, "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self._inside = ("id", "data") in attrs

    def handle_data(self, data):
        self.data += data * self._inside

    def handle_endtag(self, tag):
        self._inside = False


class Client:
    """What a browser sends to the server that the command has started."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.place, self.token = parts.netloc, parts.query.removeprefix("token=")

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.place, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8"), dict(answer.headers)

    def page(self):
        status, text, _ = self.ask("GET", f"/?token={self.token}")
        assert status == 200
        return text

    def answers(self):
        """Return {student: answer} as the page gets them."""
        return {one["name"]: one for one in json.loads(Page(self.page()).data)["answers"]}

    def save(self, *answers, points=2, comment="", **headers):
        seen = {one["key"]: one["seen"] for one in answers}
        sent = {"question": QUESTION.name, "seen": seen, "points": points, "comment": comment}
        headers = {"X-Token": self.token} | headers
        status, text, _ = self.ask("POST", "/save", json.dumps(sent), **headers)
        return status, json.loads(text) if text.startswith("{") else text


@pytest.fixture(scope="module")
def course(tmp_path_factory, shared_forkserver):
    """A graded class, of which all but one wrote an answer in words."""
    course = Course.throwaway(tmp_path_factory.mktemp("words") / "course", UNIT)
    composer = Composer(course, UNIT)
    for student, words in CLASS.items():
        notebook, score = composer.compose()
        if words:
            cell_of(notebook, QUESTION.name).source = words
        composer.hand_in(student, notebook, score)
    regrade(course, shared_forkserver)
    return course


@pytest.fixture(scope="module")
def client(course):
    """The command, started as make starts it, and stopped with Ctrl-C."""
    command = [sys.executable, "-m", "course_grader", "words", "--unit", "05"]
    with subprocess.Popen(
        [*command, "--course", course.root, "--all"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        told = iter(server.stdout.readline, "")
        address = next(found[0] for line in told if (found := re.search(r"http\S+", line)))
        assert urlsplit(address).hostname == "127.0.0.1"
        yield Client(address)
        server.send_signal(signal.SIGINT)
        rest = server.stdout.read()
        assert server.wait(20) == 0
    assert re.search(r"\d+ saved\.", rest) and "Traceback" not in rest


def regrade(course, shared_forkserver):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        assert main(["grade", "--unit", "05", "--course", str(course.root)]) == 0


def in_gradebook(course, student):
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:
        place = QUESTION.name, UNIT.name, UNIT.name, student
        grade, comment = gradebook.find_grade(*place), gradebook.find_comment(*place)
        return grade.manual_score, grade.needs_manual_grade, comment.manual_comment


def test_the_page_holds_question_rubric_and_every_answer_as_typed(client):
    page = client.page()
    assert "What a bare ECE hides" in page or "what a bare ECE hides" in page
    assert page.count('class="tick"') == 3 and "baseline" in page
    assert {n: a["text"] for n, a in client.answers().items() if n != "silent"} == {
        name: text for name, text in CLASS.items() if text
    }
    assert "http://" not in page and "https://" not in page


def test_what_students_wrote_is_data_and_nothing_else(client):
    page = client.page()
    assert "alert(1)</script>" not in page and Page(page).scripts == 2
    headers = client.ask("GET", f"/?token={client.token}")[2]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'nonce-" in policy
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"


def test_the_order_is_the_same_each_time_follows_no_name_and_keeps_the_same_together(client):
    order = list(client.answers())
    assert order == list(client.answers()) and order != sorted(order)
    assert abs(order.index("cy") - order.index("dora")) == 1
    assert order[-1] == "silent"  # who wrote nothing does not wait


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_without_the_token_nothing_is_shown_or_saved(client, course, token):
    flo = client.answers()["flo"]
    status, text, _ = client.ask("GET", "/" + ("?token=wrong" if token == "wrong" else ""))
    assert status == 403 and "make words" in text and "400 cases" not in text
    assert client.save(flo, **{"X-Token": token.encode("latin-1")})[0] == 403
    assert in_gradebook(course, "flo") == (None, True, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
def test_another_web_page_cannot_grade_even_with_the_token(client, course, headers):
    flo = client.answers()["flo"]
    assert client.save(flo, **headers)[0] == 403
    assert client.ask("GET", f"/?token={client.token}", **headers)[0] == 403
    assert in_gradebook(course, "flo") == (None, True, None)


@pytest.mark.parametrize("points", [3.5, -0.5, 1.25, float("nan"), 1e999, True, "2", None])
def test_points_that_cannot_be_given_are_refused_in_words(client, course, points):
    status, told = client.save(client.answers()["flo"], points=points)
    assert status == 400 and "points" in told["problem"]
    assert in_gradebook(course, "flo") == (None, True, None)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"question": "x"}', "null", '{"seen": {}}'])
def test_what_is_no_save_is_refused(client, body):
    headers = {"X-Token": client.token}
    assert client.ask("POST", "/save", body, **headers)[0] == 400
    assert client.ask("POST", "/other", body, **headers)[0] == 404
    assert client.ask("POST", "/save", "x", **headers, **{"Content-Length": "9" * 9})[0] == 413


def test_points_reach_gradebook_feedback_and_export_and_stay(
    client, course, shared_forkserver, capsys
):
    ada = client.answers()["ada"]
    waited = waiting_words(course, UNIT)
    status, told = client.save(ada, points=2.5, comment=" Good <b>example</b>. ")
    assert status == 200 and told["now"][0]["points"] == 2.5
    assert in_gradebook(course, "ada") == (2.5, False, "Good <b>example</b>.")
    assert waiting_words(course, UNIT) == waited - 1
    capsys.readouterr()
    regrade(course, shared_forkserver)  # takes it into feedback
    assert f"{waited - 1} answers in words wait: make words UNIT=05" in capsys.readouterr().out
    assert in_gradebook(course, "ada")[:2] == (2.5, False)
    feedback = course.notebook("feedback", UNIT, "ada").with_suffix(".html").read_text("utf-8")
    assert "Score: 37.5 / 38.0" in feedback and "Good" in feedback
    assert main(["export", "--to", "moodle", "--course", str(course.root)]) == 0
    with open(course.root / "records" / "moodle.csv", encoding="utf-8") as file:
        exported = {row["username"]: row[UNIT.name] for row in csv.DictReader(file)}
    assert float(exported["ada"]) == 37.5 and float(exported["flo"]) == 35


def test_a_save_that_meets_a_newer_one_is_refused_and_shows_it(client, course):
    ben = client.answers()["ben"]
    assert client.save(ben, points=1, comment="mine")[0] == 200
    status, told = client.save(ben, points=3, comment="late")
    assert status == 409 and "nothing was saved" in told["problem"]
    [now] = told["now"]
    assert (now["points"], now["comment"], now["waits"]) == (1, "mine", False)
    assert in_gradebook(course, "ben") == (1, False, "mine")
    with Gradebook(course.db_url, "probabilistic_ml") as gradebook:  # as formgrader does
        gradebook.find_grade(QUESTION.name, UNIT.name, UNIT.name, "ben").manual_score = 1.25
        gradebook.db.commit()
    assert client.save(now, points=3)[0] == 409
    assert client.save(client.answers()["ben"], points=3)[0] == 200
    assert in_gradebook(course, "ben") == (3, False, None)


def test_identical_answers_are_saved_together_or_not_at_all(client, course):
    cy, dora = client.answers()["cy"], client.answers()["dora"]
    assert client.save(cy, dora | {"seen": "older"}, points=1)[0] == 409
    assert client.save(cy, {"key": "nobody's", "seen": "x"}, points=1)[0] == 409
    assert in_gradebook(course, "cy") == in_gradebook(course, "dora") == (None, True, None)
    assert client.save(cy, dora, points=1.5, comment="both")[0] == 200
    assert in_gradebook(course, "cy") == in_gradebook(course, "dora") == (1.5, False, "both")


def test_another_text_since_it_was_shown_is_not_graded(client, course, shared_forkserver):
    eve = client.answers()["eve"]
    path = course.notebook("submitted", UNIT, "eve")
    notebook = notebooks.load(path)
    cell_of(notebook, QUESTION.name).source = "A new text."
    notebooks.save(notebook, path)
    status, told = client.save(eve, points=3)
    assert status == 409 and told["now"][0]["text"] == "A new text."
    assert client.save(told["now"][0], points=3)[0] == 200
    regrade(course, shared_forkserver)
    assert in_gradebook(course, "eve")[:2] == (3, True)  # the text graded before was another one


def test_an_answer_whose_cell_lost_its_ids_is_found_as_grading_finds_it(client, course):
    path = course.notebook("submitted", UNIT, "flo")
    kept = path.read_bytes()
    notebook = notebooks.load(path)
    del cell_of(notebook, QUESTION.name).metadata["nbgrader"]
    notebooks.save(notebook, path)
    assert client.answers()["flo"]["text"] == CLASS["flo"]
    path.write_bytes(kept)


def test_a_file_that_was_damaged_since_hinders_nobody_else(client, course):
    path = course.notebook("submitted", UNIT, "flo")
    kept = path.read_bytes()
    path.write_bytes(b"{}")
    answers = client.answers()
    assert "grade again" in answers["flo"]["text"] and answers["ada"]["text"] == CLASS["ada"]
    path.write_bytes(kept)


def test_a_gradebook_that_somebody_else_holds_is_told_and_nothing_lost(client, course):
    flo = client.answers()["flo"]
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        status, told = client.save(flo, points=1)
    assert status == 503 and "locked" in told["problem"]
    assert in_gradebook(course, "flo") == (None, True, None)


def test_the_class_report_is_written_without_a_gradebook_too(course, capsys):
    database = course.root / "gradebook.db"
    kept = database.read_bytes()
    database.write_bytes(b"no database" * 100)
    assert main(["class-report", "--unit", "05", "--course", str(course.root)]) == 0
    database.write_bytes(kept)
    page = (course.root / "records" / f"{UNIT.name}-report" / "index.html").read_text("utf-8")
    assert "the gradebook was not read" in page


def test_the_class_report_counts_what_waits(course, capsys):
    count = waiting_words(course, UNIT)
    assert main(["class-report", "--unit", "05", "--course", str(course.root)]) == 0
    page = (course.root / "records" / f"{UNIT.name}-report" / "index.html").read_text("utf-8")
    assert count and re.search(rf"<p>{count} answers? in words waits?: make words UNIT=05", page)


def test_a_gradebook_that_is_not_there_is_not_made(tmp_path):
    course = Course.throwaway(tmp_path / "course", UNIT)
    assert waiting_words(course, UNIT) == 0
    assert not (course.root / "gradebook.db").exists()
