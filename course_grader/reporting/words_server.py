"""Serve the page on which answers in words are graded, on loopback, to whoever has its token."""

__all__ = ["WordsServer", "serve_words"]

import contextlib
import http.server
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from course_grader.authoring.rubrics import questions_of
from course_grader.gradebook.waiting import waiting_words
from course_grader.gradebook.words import Overtaken, save_words
from course_grader.project.browser import show
from course_grader.project.course import Course, CourseError, Unit
from course_grader.reporting.table import waiting_told
from course_grader.reporting.words_page import as_data, words_page

OURS = {"127.0.0.1", "localhost"}
LARGEST = 1_000_000  # bytes of a save: a comment, and the keys of all who wrote the same
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{}'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def serve_words(
    course: Course,
    unit: Unit,
    *,
    port: int = 0,
    everybody: bool = False,
    say: Callable[..., object] = print,
) -> None:
    """Serve a unit's answers in words until Ctrl-C; open the page where there is a browser.

    Parameters
    ----------
    course, unit, port, everybody
        As for `WordsServer`.
    say : callable
        Is told the address, and what was saved.
    """
    with WordsServer(course, unit, port=port, everybody=everybody) as server:
        say("Answers in words, until Ctrl-C; each save is in the gradebook at once:")
        say(f"\n    {server.address}\n", flush=True)
        threading.Thread(target=show, args=[server.address], daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    say(f"\n{server.saved} saved. {waiting_told(waiting_words(course, unit), unit)}".rstrip())
    if server.saved:
        say(f"'make grade UNIT={unit.name[:2]}' writes them into feedback and late penalties.")


class WordsServer(http.server.ThreadingHTTPServer):
    """Serves a unit's answers in words on 127.0.0.1.

    Parameters
    ----------
    course : Course
    unit : Unit
    port : int
        0 for any that is free.
    everybody : bool
        Show also those who left the cell as it was.
    """

    daemon_threads = True

    def __init__(
        self, course: Course, unit: Unit, *, port: int = 0, everybody: bool = False
    ) -> None:
        self.course, self.unit, self.everybody = course, unit, everybody
        self.questions = questions_of(unit)
        if not self.questions:
            raise CourseError(f"{unit.name} has no exercise in words")
        self.token, self.saved = secrets.token_urlsafe(24), 0
        self.lock = threading.Lock()  # browsers keep several connections; the gradebook has one
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def address(self) -> str:
        """What a grader opens."""
        return f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    def page(self, name: str, nonce: str) -> str:
        """Return the page about one question; about the first, if there is none of that name."""
        name = name if name in self.questions else next(iter(self.questions))
        options = {"everybody": self.everybody, "token": self.token, "nonce": nonce}
        with self.lock:
            return words_page(self.course, self.unit, self.questions, name, **options)

    def save(self, sent: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Save what the page has sent: (status, what the page is told)."""
        try:
            question, seen, points, comment = _checked(sent, self.questions)
            with self.lock:
                now = save_words(self.course, self.unit, question, seen, points, comment)
                self.saved += len(now)
        except ValueError as error:
            return 400, {"problem": str(error)}
        except Overtaken as error:
            return 409, {"problem": str(error), "now": [as_data(one) for one in error.now]}
        except SQLAlchemyError as error:
            return 503, {"problem": f"{_refusal(error)} Save again."}
        return 200, {"now": [as_data(one) for one in now]}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        """Send the page."""
        place = urlsplit(self.path)
        asked = {key: values[-1] for key, values in parse_qs(place.query).items()}
        if not self._may(asked.get("token", "")):
            return
        if place.path != "/":
            self._send(404, "There is one page here, at /.", "text/plain")
            return
        nonce = secrets.token_urlsafe(16)
        try:
            page = self.server.page(asked.get("question"), nonce)
        except SQLAlchemyError as error:
            self._send(503, f"{_refusal(error)} Load the page again.", "text/plain")
            return
        self._send(200, page, "text/html", {"Content-Security-Policy": POLICY.format(nonce)})

    def do_POST(self):
        """Save points; a page of another host can send no header of its own, nor our Host."""
        if not self._may(self.headers.get("X-Token", "")):
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/save":
            self._send(404, "Points are sent to /save.", "text/plain")
            return
        if not length.isdigit() or int(length) > LARGEST:
            self._send(413, "Too long.", "text/plain")
            return
        try:
            sent = json.loads(self.rfile.read(int(length)))
        except ValueError:
            sent = None
        status, told = self.server.save(sent)
        self._send(status, json.dumps(told), "application/json")

    def _may(self, token):
        """Tell whether a request is the grader's; answer it if it is not."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        origin = self.headers.get("Origin")
        foreign = origin and urlsplit(origin).netloc != self.headers.get("Host")
        right = secrets.compare_digest(token.encode(), self.server.token.encode())
        if host in OURS and right and not foreign:
            return True
        told = "Open the address that `make words` printed: it ends in a token."
        self._send(403, told, "text/plain")
        return False

    def _send(self, status, text, kind, headers=()):
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        always = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        always |= {"X-Content-Type-Options": "nosniff", "Content-Length": str(len(body))}
        always |= {"Content-Type": f"{kind}; charset=utf-8", **dict(headers)}
        for name, value in always.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        """Say nothing: the terminal is the grader's."""


def _refusal(error):
    return f"The gradebook cannot be used now: {getattr(error, 'orig', error)}."


def _checked(sent, questions):
    """Return question, {key: seen}, points and comment of a save, or raise ValueError."""
    sent = sent if isinstance(sent, dict) else {}
    seen, points, comment = sent.get("seen"), sent.get("points"), sent.get("comment")
    whole = isinstance(seen, dict) and seen and all(isinstance(v, str) for v in seen.values())
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if not (whole and isinstance(comment, str) and sent.get("question") in questions):
        raise ValueError("a save has a question, what was seen, points and a comment")
    if not number:
        raise ValueError("no points: give a number")
    return questions[sent["question"]], seen, float(points), comment.strip()
