"""Read answers.py: right answers, wrong ones with their hint, equivalent mutants, exact laws."""

__all__ = ["Answer", "Answers", "read_answers"]

import dataclasses
from collections.abc import Mapping

from course_grader.authoring.exercises import Exercise
from course_grader.authoring.masters import EQUIVALENT, MasterError, read_master
from course_grader.project.course import Unit

MIN_WRONG, MIN_RIGHT = 5, 3


@dataclasses.dataclass
class Answer:
    """One answer: its name, its source, where it stands, and what it must show."""

    name: str
    source: str
    line: int
    sentence: str = ""
    fails: frozenset = frozenset()
    oracle: bool = False


@dataclasses.dataclass
class Answers:
    """The answers to one exercise."""

    right: list[Answer]
    wrong: list[Answer]
    equivalent: dict[str, str]
    exact: str = ""

    @property
    def oracle(self) -> Answer:
        """The right answer that shares no line with the solution."""
        return next(answer for answer in self.right if answer.oracle)


def read_answers(unit: Unit, exercises: Mapping[str, Exercise]) -> dict[str, Answers]:
    """Return {exercise: Answers}, or stop at what is missing.

    Raises
    ------
    MasterError
        If an exercise has fewer than 5 wrong or 3 right answers, or not exactly one oracle.
    """
    master = read_master(unit.master("answers"), "answers")
    code = [cell for cell in master.cells if cell.kind == "code"]
    for cell in code:
        _check_target(master, cell, exercises)
    return {name: _answers(master, code, name, exercises[name]) for name in exercises}


def _check_target(master, cell, exercises):
    target = next(
        cell.roles[r] for r in ("right", "wrong", "equivalent", "exact") if r in cell.roles
    )
    if target not in exercises:
        master.fail(cell, f"no exercise {target!r}; the assignment has {', '.join(exercises)}")


def _answers(master, cells, name, exercise):
    def of(role):
        return [_answer(cell) for cell in cells if cell.roles.get(role) == name]

    right, wrong = of("right"), of("wrong")
    for kind, found, least in (("wrong", wrong, MIN_WRONG), ("right", right, MIN_RIGHT)):
        if len(found) < least:
            message = f"exercise {name!r} has {len(found)} {kind} answers; write at least {least}"
            raise MasterError(master.path, 1, message)
    if sum(answer.oracle for answer in right) != 1:
        raise MasterError(master.path, 1, f"mark exactly one right answer of {name!r} oracle=True")
    equivalent = dict(_mutant(answer) for answer in of("equivalent"))
    exact = "\n".join(answer.source for answer in of("exact"))
    return Answers(right, wrong, equivalent, exact)


def _answer(cell):
    comment = [line for line in cell.source.splitlines() if line.startswith("#")][:1]
    fails = frozenset(word.strip() for word in str(cell.roles.get("fails", "")).split(","))
    return Answer(
        cell.title,
        cell.source,
        cell.line,
        sentence=_sentence(cell.source) if comment else "",
        fails=fails if "fails" in cell.roles else frozenset(),
        oracle=bool(cell.roles.get("oracle")),
    )


def _mutant(answer):
    """Return (a mutant's name, the reason that it is as good as right)."""
    line, reason = EQUIVALENT.match(answer.sentence).groups()
    return f"{answer.name}: {line}", reason


def _sentence(source):
    """Join the comment lines that open a cell: the hint, or the reason."""
    lines = []
    for line in source.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)
