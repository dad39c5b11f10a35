"""Hand in attacks between honest students, grade them like any class, and say what came of it."""

__all__ = [
    "EVERY",
    "HONEST_POINTS",
    "ROOMS",
    "QuickUnit",
    "Report",
    "attack_class",
    "each_alone",
    "hand_in_class",
    "honest_names",
    "neighbour_of",
]

import contextlib
import dataclasses
import hashlib
from unittest import mock

from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from course_grader.authoring.composer import Composer, cell_of
from course_grader.execution import cache
from course_grader.gradebook.grade import grade
from course_grader.gradebook.saving import write_feedback
from course_grader.project.course import Course, Unit
from tests.redteam.evidence import Evidence

EVERY = 7  # attacks, then an honest student
HONEST_POINTS = 31.0
FIRST = "gaussian-nll"  # the exercise under attack; the others are answered honestly
WRONG = "def gaussian_nll(y, mu, sigma):\n    return 1.0"
NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
UNSAFE = False  # a test says True where it takes the sandbox away
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # a marker holds no number


@contextlib.contextmanager
def each_alone():
    """Have each submission start a sandbox of its own, as where the preloaded one fails."""

    @contextlib.contextmanager
    def not_preloaded(files, **options):
        yield lambda: None

    with mock.patch.object(cache, "preloading", not_preloaded):
        yield


ROOMS = {"preloaded bubblewrap": contextlib.nullcontext, "bubblewrap": each_alone}


@dataclasses.dataclass
class Report:
    """What came of one hand-in: points, record, leaks, active parts, and outputs by cell."""

    got: float | None
    record: dict | None
    leaks: list
    active: list
    outputs: dict


class QuickUnit(Unit):
    """A unit with less time for each cell: endless ones then end soon."""

    @property
    def limits(self):
        """Seconds and GiB."""
        return super().limits | {"cell_seconds": 3, "submission_seconds": 40}


def neighbour_of(name, names):
    """Return the honest student who is graded next after an attack."""
    place = sorted(names).index(name)
    last = min(len(names), (place // EVERY + 1) * EVERY)
    return f"{sorted(names)[last - 1]}-neighbour"


def honest_names(attacks, number):
    """Return the names of that many honest students, who are graded between the attacks."""
    names = sorted(attacks)
    return [f"{names[i * len(names) // number]}-neighbour-{i:02d}" for i in range(number)]


def attack_class(attacks, unit, folder, *, neighbours=True, honest=()):
    """Grade a class of these attacks and return ({student: Report}, {neighbour: Report}).

    Parameters
    ----------
    attacks : dict
        {name: Attack}.
    unit : Unit
    folder : Path
        Gets a course.
    neighbours : bool
        Hand in an honest submission before all, and one after every few attacks.
    honest : iterable of str
        Names of honest students, in place of those.
    """
    neighbours = neighbours and not honest
    names = {neighbour_of(name, attacks) for name in attacks if neighbours}
    names |= {*honest, *(["0-before-everybody"] if neighbours else [])}
    course, texts = hand_in_class(attacks, unit, folder, sorted(names))
    results = {
        result.student: result for result in grade(course, unit, progress=False, unsafe=UNSAFE)
    }
    write_feedback(course, unit)
    evidence = Evidence(course, unit, marker, list(texts))
    reports = {name: _report(results[name], texts[name], evidence) for name in texts}
    return ({n: reports[n] for n in attacks}, {n: reports[n] for n in reports.keys() - attacks})


def hand_in_class(attacks, unit, folder, honest):
    """Hand in attacks and honest students by name; return (course, {student: text})."""
    course = Course.throwaway(folder / "course", unit)
    composer, texts = Composer(course, unit), {}
    for name, attack in attacks.items():
        texts[name] = _hand_in_attack(attack, course, unit, composer)
    for name in honest:
        texts[name] = _hand_in(name, _honest(composer), composer)
    return course, texts


def marker(student):
    """Return words that belong to one student and to nobody else."""
    return "diary-" + hashlib.sha256(student.encode()).hexdigest()[:20].translate(LETTERS)


def _report(result, text, evidence):
    """Judge the traces of one student, given what the student handed in."""
    record = result.record
    return Report(
        got=record and record["score"],
        record=record,
        leaks=evidence.leaks(result.student, text),
        active=evidence.active(result.student),
        outputs=evidence.outputs(result.student),
    )


def _hand_in_attack(attack, course, unit, composer):
    notebook = _honest(composer)
    cell_of(notebook, f"{FIRST}-solution").source = attack.source("solution") or WRONG
    notebook.cells[2:2] = [NEW[kind](source) for kind, source in attack.own("extra")]
    notebook.cells += [NEW[kind](source) for kind, source in attack.own("last")]
    spoil = attack.function("spoil")
    if spoil:
        spoil(notebook)
    text = _hand_in(attack.name, notebook, composer)
    hand_in = attack.function("hand_in")
    if hand_in:
        hand_in(course.notebook("submitted", unit, attack.name), course, unit)
    return text


def _hand_in(student, notebook, composer):
    """Write a submission that holds the student's own marker; return its text."""
    words = marker(student)
    notebook.cells.append(new_code_cell(f"diary = {words!r}  # no output"))
    path = composer.hand_in(student, notebook, 0.0)
    return path.read_text("utf-8")


def _honest(composer):
    """Answer everything in a way that shares few lines with the solutions."""
    chosen = {name: found.right[0].name for name, found in composer.answers.items()}
    return composer.compose(chosen)[0]
