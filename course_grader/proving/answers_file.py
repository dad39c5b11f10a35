"""Read answers from anywhere, in the form of answers.py: each claims to be right, or wrong.

To this module the file is text. Nothing in it is imported or executed, and an answer may hold
whatever a student may write.
"""

__all__ = ["Claim", "printable", "read_claims"]

import dataclasses
import itertools
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import jupytext

from course_grader.authoring.check_calls import check_calls
from course_grader.authoring.exercises import Exercise
from course_grader.project.course import CourseError

START = re.compile(r"#[ \t]*%%+(\s|$)")  # a line that starts so begins a cell, in a string too
FORM = '# %% some-name right="exercise" or wrong="exercise" fails="aspect,aspect"'
ROLES = ("right", "wrong", "fails", "oracle")
PASSED_OVER = ("equivalent", "exact")  # they say something of a unit's own answers
MAX_BYTES = 2_000_000
MAX_MARKER = 500  # characters


@dataclasses.dataclass(frozen=True)
class Claim:
    """One answer and what its file says of it; `fails` is None where it does not say."""

    exercise: str
    name: str
    line: int
    source: str
    right: bool
    fails: frozenset | None = None


def read_claims(
    path: str | Path, exercises: Mapping[str, Exercise], *, say: Callable[[str], object]
) -> list[Claim]:
    """Return the answers that a file holds, in its order.

    Parameters
    ----------
    path : path
        Of a text file; `~` is home.
    exercises : dict
        {name: Exercise} of the unit.
    say : callable
        Told in one line what is passed over.

    Returns
    -------
    list of Claim
        Of one exercise no two have the same name: further ones are numbered.

    Raises
    ------
    CourseError
        With file and line: no text, no marker, an unknown role, exercise or aspect, no answer.
    """
    place = Path(path)
    answers = [c for c in _cells(place) if c.kind == "code" or c.roles.keys() & set(ROLES)]
    over = [answer for answer in answers if answer.roles.keys() & set(PASSED_OVER)]
    if over:
        roles = " or ".join(PASSED_OVER)
        say(f"Passed over: {len(over)} cells with the role {roles}; only answers are tried.")
    claims = [_claim(answer, exercises) for answer in answers if answer not in over]
    if not claims:
        raise CourseError(f"{printable(place)}:1: no answer to try; begin one with {FORM}")
    return _numbered(claims)


def printable(words: object, longest: int = 300) -> str:
    """Return words as one line that a terminal shows as it is."""
    line = " ".join(str(words).split())
    shown = "".join(c if c.isprintable() else "?" for c in line)
    return shown if len(shown) <= longest else f"{shown[: longest - 4]} ..."


@dataclasses.dataclass
class _Cell:
    path: Path
    line: int
    kind: str
    title: str
    roles: dict
    source: str

    def fail(self, message):
        raise CourseError(f"{printable(self.path)}:{self.line}: {message}")


def _cells(path):
    lines = _text(path).split("\n")
    starts = [number for number, line in enumerate(lines) if START.match(line)]
    if starts[:1] != [0]:
        raise CourseError(f"{printable(path)}:1: the first line must start a cell: {FORM}")
    ends = [*starts[1:], len(lines)]
    return [
        _cell(path, start + 1, lines[start], "\n".join(lines[start + 1 : end]).strip("\n"))
        for start, end in zip(starts, ends, strict=True)
    ]


def _cell(path, line, marker, source):
    """Have jupytext read a cell's marker, and nothing of what stands below it."""
    try:
        [cell] = jupytext.reads(f"{marker[:MAX_MARKER]}\nx\n", fmt="py:percent").cells
        roles = dict(cell.metadata)
    except Exception:  # a marker built to break the parser
        cell, roles = None, {"incorrectly_encoded_metadata": marker}
    title = printable(roles.pop("title", ""), 60)
    found = _Cell(path, line, cell.cell_type if cell else "code", title, roles, source)
    if "incorrectly_encoded_metadata" in roles or len(marker) > MAX_MARKER:
        found.fail(f"{printable(marker, 60)!r} is no marker that can be read; write {FORM}")
    return found


def _text(path):
    """Return a text file's content, with \\n as line ends."""
    content = _content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _fail_at(path, content, error.start, "no UTF-8 text: save the file as UTF-8")
    if "\0" in text:
        _fail_at(path, content, content.index(b"\0"), "a null byte: this is no text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fail_at(path, content, place, message):
    line = content[:place].count(b"\n") + 1
    raise CourseError(f"{printable(path)}:{line}: {message}")


def _content(path):
    try:
        path = path.expanduser()
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise CourseError(f"{printable(path)} is no regular file: name a file of answers")
        if facts.st_size > MAX_BYTES:
            size = f"{facts.st_size / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read"
            raise CourseError(f"{printable(path)} has {size}: try fewer answers")
        return path.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # ~nobody; a null byte in the name
        why = getattr(error, "strerror", None) or error
        raise CourseError(
            f"{printable(path)} cannot be read ({printable(why)}): give the path of a file"
        ) from None


def _claim(cell, exercises):
    unknown = sorted(cell.roles.keys() - set(ROLES))
    if unknown:
        known = ", ".join((*ROLES, *PASSED_OVER))
        cell.fail(f"unknown role {printable(unknown[0], 60)!r}; an answer knows {known}")
    claimed = [role for role in ("right", "wrong") if role in cell.roles]
    if len(claimed) != 1 or not cell.title or cell.kind != "code":
        more = "" if cell.roles else " ('# %%' starts a cell in a string too: indent it there)"
        cell.fail(f"an answer is a code cell, has a name, is right or wrong: {FORM}{more}")
    name = cell.roles[claimed[0]]
    if not isinstance(name, str) or name not in exercises:
        known = ", ".join(exercises)
        cell.fail(f"no exercise is called {printable(name, 60)!r}; the assignment has {known}")
    fails = _fails(cell, exercises[name], claimed[0])
    return Claim(name, cell.title, cell.line, cell.source, claimed[0] == "right", fails)


def _fails(cell, exercise, claimed):
    """Return the aspects that an answer says it fails, or None where it says none."""
    words = str(cell.roles.get("fails", "")).split(",")
    fails = frozenset(word.strip() for word in words if word.strip())
    if fails and claimed == "right":
        cell.fail("a right answer fails nothing: leave fails away, or say wrong")
    aspects = list(dict.fromkeys(aspect for aspect, _ in check_calls(exercise.checks.source)))
    unknown = sorted(fails - set(aspects))
    if unknown:
        known = ", ".join(aspects)
        cell.fail(f"no aspect is called {printable(unknown[0], 60)!r}; the exercise has {known}")
    return fails or None


def _numbered(claims):
    taken, numbered = set(), []
    for claim in claims:
        names = (f"{claim.name} ({n})" for n in itertools.count(2))
        free = (
            n for n in itertools.chain([claim.name], names) if (claim.exercise, n) not in taken
        )
        name = next(free)
        taken.add((claim.exercise, name))
        numbered.append(dataclasses.replace(claim, name=name))
    return numbered
