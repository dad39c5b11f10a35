"""Pages that leave the course load nothing from another host, whichever command wrote them."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import PROJECT, Course

STUDENT = "ada"
TYPED = "$<img src=http://192.0.2.1/owned onerror=alert(1)>$ and $\\sigma$"
ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)|from\s+['\"]([^'\"]+)")
COMMANDS = {
    "ours": None,
    "stock": ["generate_feedback", "--force"],
}


class Loaded(HTMLParser):
    """Collects what a browser asks for by itself when it opens a page; links are not followed."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep the attributes that load, and addresses in a style."""
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "background") or (
                tag == "link" and name == "href"
            ):
                self.addresses.append(value)
            if name == "style":
                self.handle_data(value)

    def handle_data(self, data):
        """Keep the addresses in a style sheet or a script."""
        in_text = self.get_starttag_text() or ""
        if re.match(r"<(style|script)|.* style=", in_text, re.S):
            self.addresses += ["".join(found) for found in ADDRESS.findall(data)]

    @property
    def outside(self):
        """Those on another host."""
        return [a for a in self.addresses if re.match(r"\s*(https?:|ftp:|//)", a, re.I)]


@pytest.fixture(scope="module")
def course(tmp_path_factory, unit, shared_forkserver):
    """A student who typed HTML as a formula, graded and reported by the commands."""
    course = Course.throwaway(tmp_path_factory.mktemp("offline") / "course", unit)
    composer = Composer(course, unit)
    notebook, score = composer.compose()
    for name in read_assignment(unit).written:
        cell_of(notebook, name).source = TYPED
    composer.hand_in(STUDENT, notebook, score)
    told = ["--unit", "01", "--course", str(course.root)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        assert main(["grade", *told]) == 0
    assert main(["class-report", *told]) == 0
    return course


@pytest.fixture(params=COMMANDS)
def page(request, course, unit):
    """The feedback page's text, as that command writes it."""
    path = course.notebook("feedback", unit, STUDENT).with_suffix(".html")
    words = COMMANDS[request.param]
    if words:
        path.unlink()
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
        command = [sys.executable, "-m", "nbgrader", *words, unit.name]
        subprocess.run(
            command, cwd=course.root, check=True, capture_output=True, env=environment, timeout=200
        )
    return path.read_text("utf-8")


def test_feedback_loads_nothing_from_another_host(page):
    loaded = Loaded(page)
    assert loaded.addresses  # the figures, which lie in the page
    assert loaded.outside == []
    assert "cdn" not in page.lower()


def test_formulas_in_feedback_are_mathml_and_what_a_student_typed_is_text(page):
    assert page.count("<math") > 5 and "<mi>σ</mi>" in page
    assert "$&lt;img src=http://192.0.2.1/owned onerror=alert(1)&gt;$" in page
    assert not re.search(r"<img[^>]*owned", page)


def test_the_class_report_loads_nothing_from_another_host(course):
    pages = list(course.root.glob("records/**/*.html"))
    assert pages
    for path in pages:
        loaded = Loaded(path.read_text("utf-8"))
        assert loaded.addresses and loaded.outside == []


@pytest.mark.parametrize(
    "text",
    [
        "<script src='https://cdn.example/a.js'></script>",
        "<link rel='stylesheet' href='//cdn.example/a.css'>",
        "<style>@import 'https://a.example/a.css';</style>",
        "<style>p { background: url(https://a.example/a.png) }</style>",
        "<p style='background: url(https://a.example/a.png)'>",
        "<img src='http://a.example/a.png'>",
        "<script type=module>import a from 'https://a.example/a.mjs'</script>",
    ],
)
def test_what_a_page_would_load_is_noticed(text):
    assert len(Loaded(text).outside) == 1
    assert Loaded("<a href='https://a.example'>a link</a>").outside == []
