"""Read an assignment: exercises with solution, checks and points; answers in words."""

__all__ = ["Assignment", "Exercise", "read_assignment"]

import dataclasses
import functools

from course_grader.authoring import assignment_rules
from course_grader.authoring.masters import Cell, Master, MasterError, read_master
from course_grader.project.course import Unit


@dataclasses.dataclass
class Exercise:
    """One exercise: its solution cell, its check cell, its hidden checks."""

    name: str
    solution: Cell
    checks: Cell
    hidden: Cell

    @property
    def points(self) -> float:
        """The points of the whole exercise."""
        return self.checks.roles["points"]


@dataclasses.dataclass
class Assignment(Master):
    """The master of an assignment, with {name: Exercise} in order.

    `written` holds the cells for answers in words, {name: Cell}, which people grade.
    """

    exercises: dict[str, Exercise]
    written: dict[str, Cell]

    @property
    def points(self) -> float:
        """All points, those for words included."""
        given = [cell.roles["points"] for cell in self.written.values()]
        return sum(given) + sum(exercise.points for exercise in self.exercises.values())


def read_assignment(unit: Unit) -> Assignment:
    """Read and validate a unit's assignment.

    Raises
    ------
    MasterError
        At the first exercise that lacks a part, or whose points do not sum.
    """
    path = unit.master("assignment")
    return _read(path, path.read_bytes() if path.is_file() else b"")


@functools.lru_cache(maxsize=8)  # half a second, and several steps of a build or a proof ask
def _read(path, content):
    """Read an assignment once for each state of its master; nobody writes into what is read."""
    master = read_master(path, "assignment")
    assignment_rules.check_targets(master)
    cells = {c.roles["exercise"]: c for c in master.cells if "exercise" in c.roles}
    if not cells:
        raise MasterError(master.path, 1, 'no cell has the role exercise: # %% exercise="name"')
    exercises = {name: _exercise(master, name, cell) for name, cell in cells.items()}
    assignment_rules.check_opening(master)
    for exercise in exercises.values():
        assignment_rules.check_cases(master, exercise)
    written = {c.roles["written"]: c for c in master.cells if "written" in c.roles}
    for cell in written.values():
        assignment_rules.check_written(master, cell, exercises)
    return Assignment(master.path, master.kind, master.cells, exercises, written)


def _exercise(master, name, cell):
    parts = {}
    for role, kind in {"why": "markdown", "checks": "code", "hidden": "code"}.items():
        same = [c for c in master.cells if c.roles.get(role) == name and c.kind == kind]
        if not same:
            form = f"# %% [markdown] {role}" if kind == "markdown" else f"# %% {role}"
            master.fail(cell, f"exercise {name!r} has no {role}: add {form}={name!r}")
        parts[role] = same[0]
    lines = [part.line for part in (cell, *parts.values())]
    if lines != sorted(lines):
        master.fail(cell, f"order the cells of {name!r}: exercise, why, checks, hidden")
    exercise = Exercise(name, cell, parts["checks"], parts["hidden"])
    assignment_rules.check_solution(master, exercise)
    assignment_rules.check_points(master, exercise)
    return exercise
