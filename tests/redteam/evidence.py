"""What a graded submission shows: secrets in notebook, record and feedback; active markup."""

__all__ = ["ESCAPED", "Evidence"]

import base64
import html
import json
import re

from bs4 import BeautifulSoup

from course_grader.building.leaks import secrets_of
from course_grader.project import notebooks
from course_grader.proving.reference import reference_for
from course_grader.proving.trivial_answers import NUMBER

ESCAPED = "E5CAPED"  # what an attack prints when it got where it must not
TELLING = 6  # significant digits by which a number is known


class Evidence:
    """The traces of a graded class, read with the eyes of somebody who looks for secrets."""

    def __init__(self, course, unit, marker, students):
        self.course, self.unit, self.students = course, unit, students
        self.marker = marker
        reference = reference_for(unit)
        public = "".join(
            path.read_text("utf-8") for path in sorted(course.path("release", unit).iterdir())
        )
        self.values = _values(reference) - _numbers(public)
        known = secrets_of(unit).lines
        hidden = notebooks.load(course.notebook("source", unit))
        checks = "\n".join(c.source for c in hidden.cells if _is_check(c))
        self.hidden = {line for line in known if line in checks}
        self.solutions = known - self.hidden

    def leaks(self, student, handed_in):
        """Name every secret in what the student gets back that was not handed in."""
        found = []
        for place, text in self._places(student).items():
            secret = self.solutions | (set() if place == "autograded" else self.hidden)
            given = handed_in.replace('\\"', '"')
            found += [f"{place}: line {x!r}" for x in secret if x in text and x not in given]
            numbers = self.values & _numbers(text) - _numbers(handed_in)
            found += [f"{place}: value {x}" for x in sorted(numbers)]
            others = [s for s in self.students if s != student and self.marker(s) in text]
            found += [f"{place}: the diary of {other}" for other in others]
            found += [f"{place}: {ESCAPED}"] * (ESCAPED in text)
        return found

    def active(self, student):
        """Return the parts by which a student's text could run in a reader's browser."""
        found = _active(self._page(student))
        for cell in self._judged(student):
            for output in cell.get("outputs", []):
                kinds = set(output.get("data", {})) - {"text/plain", "image/png"}
                judged = _is_check(cell) and kinds == {"text/html"}
                found += [] if judged else sorted(kinds)
        return found

    def outputs(self, student):
        """Return {cell: what it shows}, for one student's provided code cells."""
        own = ("extra-", "cell-")
        cells = [c for c in self._judged(student) if not c.id.startswith(own)]
        return {c.id: json.dumps(c.outputs) for c in cells if c.cell_type == "code"}

    def shown(self, student):
        """Return all that the autograded notebook shows, as one text."""
        return _text_of(self._judged(student))

    def _places(self, student):
        record = self.course.record(self.unit, student)
        page = self._page(student)
        plain = html.unescape(re.sub(r"<[^<>]*>", "", page))
        return {
            "autograded": _text_of(self._judged(student)),
            "record": record.read_text("utf-8") if record.is_file() else "",
            "feedback": f"{plain}\n{html.unescape(page)}\n{_in_images(page)}",
        }

    def _judged(self, student):
        path = self.course.notebook("autograded", self.unit, student)
        return notebooks.load(path).cells if path.is_file() else []

    def _page(self, student):
        path = self.course.notebook("feedback", self.unit, student).with_suffix(".html")
        body = path.read_text("utf-8") if path.is_file() else ""
        return body.partition("<body")[2]


def _is_check(cell):
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _text_of(cells):
    """Return sources and outputs as text; images decoded, in case they hold words."""
    parts = []
    for cell in cells:
        parts.append(cell.source)
        for output in cell.get("outputs", []):
            parts += [output.get("text", ""), "\n".join(output.get("traceback", []))]
            parts.append(str(output.get("evalue", "")))
            data = output.get("data", {})
            parts += [_words(v) if k == "image/png" else str(v) for k, v in data.items()]
    return "\n".join(parts)


def _in_images(page):
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)", page)
    return "\n".join(map(_words, found))


def _words(png):
    """Return the bytes of a PNG as text."""
    try:
        return base64.b64decode(png).decode("latin-1")
    except ValueError:
        return png


def _active(page):
    """Return a page's scripts, event handlers and links that a student's words stand in."""
    soup = BeautifulSoup(page, "html.parser")
    owned = ("owned", "alert")
    tags = soup.find_all(["script", "iframe", "object", "embed", "svg", "form", "style"])
    found = [tag for tag in tags if any(word in str(tag) for word in owned)]
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            risky = name.startswith("on") or "javascript:" in str(value).lower()
            found += [tag] if risky and any(word in str(value) for word in owned) else []
    return [str(tag)[:80] for tag in found]


def _values(reference):
    """Return every hidden expected value, and every recorded wrong one, to 6 digits."""
    found = set()
    for entry in reference.values():
        hidden = [check["got"] for check in entry["checks"][entry["visible"] :]]
        wrong = [got for hint in entry["hints"] for got in hint["got"][entry["visible"] :]]
        for got in [*hidden, *wrong]:
            found |= {d for d in map(_digits, _data(got)) if _is_telling(d)}
    return found


def _data(got):
    if "items" in got:
        for item in got["items"].values():
            yield from _data(item)
    yield from (x for x in got.get("data", []) if not isinstance(x, str))


def _numbers(text):
    found = (_digits(float(word)) for word in set(NUMBER.findall(text)) if len(word) > TELLING)
    return {digits for digits in found if _is_telling(digits)}


def _digits(value):
    return f"{abs(value):.{TELLING - 1}e}" if abs(value) < 1e300 else ""


def _is_telling(digits):
    return len(digits.partition("e")[0].replace(".", "").rstrip("0")) >= TELLING - 1
