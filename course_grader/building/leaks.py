"""Find what must not leave the instructor's side: solutions, hidden checks, hidden values."""

__all__ = ["COPIED", "check_others", "check_release", "check_text", "leaks_in", "secrets_of"]

import dataclasses
import functools
import math
import re
from collections.abc import Iterable
from pathlib import Path

from course_grader.authoring import markers
from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.masters import read_master
from course_grader.building.readable import readable
from course_grader.project.course import PROJECT, CourseError, Unit
from course_grader.proving.reference import is_at_hand, key_of, reference_for
from course_grader.proving.trivial_answers import NUMBER

MARKS = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN SOLUTION", "END SOLUTION")
TELLING = 4  # significant digits that hardly two numbers on one page share by chance
COPIED = 8  # digits in which numbers of two units agree by copying, or as simple fractions
SECRET = {"exercise", "hidden", "written"}  # roles of cells that hold what students do not get
WORD = re.compile(r"\w+")
LONG = 20  # a shorter line says too little to be told from anyone's code


@dataclasses.dataclass(frozen=True, eq=False)  # found in the caches below by identity
class Secrets:
    """What a unit must not show: lines of code, and results, each the numbers in it."""

    lines: frozenset
    values: frozenset


def secrets_of(unit: Unit) -> Secrets:
    """Collect a unit's solution and hidden lines that no public line holds, and hidden values."""
    return _secrets(unit, key_of(unit))


@functools.lru_cache(maxsize=64)  # file after file is compared with each unit in turn
def _secrets(unit, key):
    """Collect secrets once for each state of masters and packages, which the key stands for."""
    master = read_assignment(unit)
    public, lines = set(), set()
    for cell in master.cells:
        public |= _lines(markers.stub(cell.source) if "hidden" not in cell.roles else "")
        lines |= _lines(cell.source if cell.roles.keys() & SECRET else "")
    secret = {line for line in lines if not any(line in other for other in public)}
    return Secrets(frozenset(secret), frozenset(_hidden_values(reference_for(unit))))


def leaks_in(text: str, secrets: Secrets, *, digits: int = TELLING) -> list[str]:
    """Return a sentence for each secret that stands in a text (of a notebook, a file, a page).

    A result stands there if all its numbers do, each to so many significant digits.
    """
    found = [f"the marker {mark!r}" for mark in MARKS if mark in text]
    words = _words(text)
    maybe = (line for line, inner in _with_words(secrets) if words.issuperset(inner))
    found += [f"the line {line!r}" for line in maybe if line in text]
    shown = _shown(text, digits)
    whole = sorted(value for value in _hidden(secrets, digits) if shown.issuperset(value))
    return found + [f"the hidden value {', '.join(value)}" for value in whole]


@functools.lru_cache(maxsize=4)  # a file of the bundle is compared with each unit in turn
def _words(text):
    return frozenset(WORD.findall(text))


@functools.lru_cache(maxsize=64)
def _with_words(secrets):
    """Return each secret line with the words inside it: a text that holds it has them whole.

    Its first and last word may be parts of longer ones there. To look the words up first makes
    the search seven times as fast.
    """
    return [(line, WORD.findall(line)[1:-1]) for line in sorted(secrets.lines)]


@functools.lru_cache(maxsize=4)
def _shown(text, digits):
    """Return the numbers in a text, to so many significant digits."""
    return frozenset(_rounded(float(word), digits) for word in NUMBER.findall(text))


@functools.lru_cache(maxsize=64)
def _hidden(secrets, digits):
    """Return each hidden result as its numbers, to so many significant digits."""
    return frozenset(tuple(_rounded(x, digits) for x in value) for value in secrets.values)


def check_release(unit: Unit, folder: Path) -> None:
    """Stop the build if release or lesson of a unit holds a secret of it.

    Raises
    ------
    CourseError
        Names the file and the secret.
    """
    secrets = secrets_of(unit)
    for path in _shown_files(unit, folder):
        for leak in leaks_in(readable(path), secrets):
            lesson = path.parent.name == "notebooks"
            place = _place(unit.master("lesson" if lesson else "assignment"), secrets)
            shows = f"{path.relative_to(folder)} shows {leak}"
            raise CourseError(f"{place}: {shows}: change the hidden input or the text")


def check_text(unit: Unit, place: str, text: str) -> None:
    """Stop the build if a text that a class gets holds a secret of the unit; `place` names it."""
    for leak in leaks_in(text, secrets_of(unit)):
        raise CourseError(f"masters/{unit.name}/{place} shows {leak}: change the text")


def check_others(built: Iterable[Unit], known: Iterable[Unit], folder: Path = PROJECT) -> None:
    """Stop where a unit just built and another show each other's secrets, as the bundle would.

    Of the others only those are looked at whose reference is at hand: a newcomer who builds one
    unit does not wait for all. `make build` of all, and the bundle, look at each.

    Raises
    ------
    CourseError
        Names every file, secret and unit.
    """
    known = [unit for unit in known if unit in built or is_at_hand(unit)]
    secrets, found = {unit: secrets_of(unit) for unit in known}, []
    for unit in known:
        others = [o for o in known if o != unit and (o in built or unit in built)]
        for path in filter(Path.is_file, _shown_files(unit, folder) if others else []):
            shown = [(o, leaks_in(readable(path), secrets[o], digits=COPIED)) for o in others]
            name = path.relative_to(folder)
            found += [f"{name} shows {leak} of {o.name}" for o, leaks in shown for leak in leaks]
    if found:
        raise CourseError("\n".join([*found, "Change the hidden inputs: what is built stays."]))


def _shown_files(unit, folder):
    """Return what a class gets of a unit: its release, and its lesson."""
    release = folder / "release" / unit.name
    lesson = folder / "notebooks" / f"{unit.name}.ipynb"
    return [*sorted(release.iterdir() if release.is_dir() else []), lesson]


def _place(master, secrets):
    """Return 'file:line' of the first public line of a master that holds a secret, or 'file'."""
    name = Path(*master.parts[-3:])
    for cell in read_master(master, master.stem).cells:
        public = "" if "hidden" in cell.roles else markers.stub(cell.source)
        for line in public.splitlines():
            if leaks_in(line, secrets):
                return f"{name}:{cell.line + 1 + cell.source.splitlines().index(line)}"
    return str(name)


def _lines(source):
    stripped = (line.strip() for line in source.splitlines())
    return {line for line in stripped if len(line) >= LONG and not line.startswith("#")}


def _hidden_values(reference):
    """Yield each hidden result as its numbers, round ones left out."""
    for entry in reference.values():
        for check in entry["checks"][entry["visible"] :]:
            if value := tuple(filter(_is_telling, _numbers(check["got"]))):
                yield value


def _is_telling(x):
    return len(_rounded(x, TELLING).split("e")[0].replace(".", "").rstrip("0")) >= TELLING


def _numbers(got):
    if "items" in got:
        for item in got["items"].values():
            yield from _numbers(item)
    yield from (x for x in got.get("data", []) if not isinstance(x, str))


def _rounded(value, digits):
    return f"{abs(value):.{digits - 1}e}" if math.isfinite(value) and value else ""
