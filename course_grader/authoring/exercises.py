"""Read an assignment: exercises with solution, checks and points; answers in words."""

__all__ = ["Assignment", "Exercise", "check_calls", "read_assignment"]

import ast
import dataclasses
import re

from course_grader.authoring import markers
from course_grader.authoring.masters import Cell, Master, MasterError, read_master

HEADING = re.compile(r"\((\d+) min, (\d+(?:\.\d+)?) points?\)")


@dataclasses.dataclass
class Exercise:
    """One exercise: its solution cell, its check cell, its hidden checks."""

    name: str
    solution: Cell
    checks: Cell
    hidden: Cell

    @property
    def points(self):
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
    def points(self):
        """All points, those for words included."""
        given = [cell.roles["points"] for cell in self.written.values()]
        return sum(given) + sum(exercise.points for exercise in self.exercises.values())


def read_assignment(unit):
    """Read and validate a unit's assignment.

    Raises
    ------
    MasterError
        At the first exercise that lacks a part, or whose points do not sum.
    """
    master = read_master(unit.master("assignment"), "assignment")
    _check_targets(master)
    cells = {c.roles["exercise"]: c for c in master.cells if "exercise" in c.roles}
    if not cells:
        raise MasterError(master.path, 1, 'no cell has the role exercise: # %% exercise="name"')
    exercises = {name: _exercise(master, name, cell) for name, cell in cells.items()}
    for exercise in () if "cases" in unit.older else exercises.values():
        _check_cases(master, exercise)
    written = {c.roles["written"]: c for c in master.cells if "written" in c.roles}
    for cell in written.values():
        _check_written(master, cell, exercises)
    return Assignment(master.path, master.kind, master.cells, exercises, written)


def _check_targets(master):
    for cell in master.cells:
        name = cell.roles.get("checks") or cell.roles.get("hidden")
        if name and name not in [c.roles.get("exercise") for c in master.cells]:
            master.fail(cell, f"no exercise is called {name!r}: add # %% exercise={name!r}")


def _exercise(master, name, cell):
    parts = {}
    for role in ("checks", "hidden"):
        same = [c for c in master.cells if c.roles.get(role) == name]
        if not same:
            master.fail(cell, f"exercise {name!r} has no {role}: add # %% {role}={name!r}")
        parts[role] = same[0]
    if not cell.line < parts["checks"].line < parts["hidden"].line:
        master.fail(cell, f"order the cells of {name!r}: exercise, checks, hidden")
    exercise = Exercise(name, cell, parts["checks"], parts["hidden"])
    _check_solution(master, exercise)
    _check_points(master, exercise)
    return exercise


def _check_solution(master, exercise):
    if "### BEGIN SOLUTION" not in exercise.solution.source:
        master.fail(
            exercise.solution, "no '### BEGIN SOLUTION' ... '### END SOLUTION' in the cell"
        )
    if not markers.defined_names(exercise.solution.source):
        master.fail(exercise.solution, "an exercise defines at least one function or class")


def _check_points(master, exercise):
    checks, hidden = exercise.checks, exercise.hidden
    if "points" not in checks.roles:
        master.fail(checks, "a check cell says its points: points=3")
    lines = [line.strip() for line in checks.source.strip().splitlines()] or [""]
    if lines[0] != f'check = Checks("{exercise.name}")' or lines[-1] != "check.report()":
        start = f'check = Checks("{exercise.name}")'
        master.fail(checks, f"a check cell starts with {start} and ends with check.report()")
    stakes, more = (_calls_in(master, cell) for cell in (checks, hidden))
    total = sum(points for _, points in stakes)
    if total != checks.roles["points"]:
        master.fail(checks, f"points={checks.roles['points']}, but its aspects sum to {total:g}")
    _check_aspects(master, exercise, stakes, more)
    _check_names(master, exercise)
    _check_heading(master, exercise.solution, exercise.points)


def _check_cases(master, exercise):
    """Stop at a hidden check without words for its case: a reader is told where it fails."""
    nodes = ast.walk(ast.parse(exercise.hidden.source))
    for node in (n for n in nodes if isinstance(n, ast.Call) and _is_check(n)):
        if not [k for k in node.keywords if k.arg == "case" and ast.literal_eval(k.value)]:
            told = f'hidden check in line {node.lineno} does not say its case: case="one row"'
            master.fail(exercise.hidden, told)


def _check_written(master, cell, exercises):
    """Stop at a cell for words that lacks points, model answer or rubric."""
    if cell.roles["written"] in exercises:
        master.fail(cell, f"{cell.roles['written']!r} is an exercise's name already")
    if cell.kind != "markdown" or "points" not in cell.roles:
        master.fail(
            cell, 'words are Markdown and have points: # %% [markdown] written="a" points=3'
        )
    for part in (markers.BEGIN, "**Rubric.**"):
        if part not in cell.source:
            master.fail(cell, f"no {part!r} in the cell: it holds a model answer and its rubric")
    _check_heading(master, cell, cell.roles["points"])


def _check_names(master, exercise):
    """Stop at a hidden name that could overwrite a helper of the student's, unseen."""
    for name in sorted(_bound(exercise.hidden.source) - _bound(exercise.checks.source)):
        if not name.startswith("_"):
            message = f"hidden checks bind {name!r}, which a student may use: call it '_{name}'"
            master.fail(exercise.hidden, message)


def _bound(source):
    names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}


def _calls_in(master, cell):
    try:
        return check_calls(cell.source)
    except AttributeError:
        master.fail(cell, 'write aspect and points out: check.value("name", ..., points=1)')


def _check_aspects(master, exercise, stakes, more):
    visible, hidden = {aspect for aspect, _ in stakes}, {aspect for aspect, _ in more}
    if any(points for _, points in more):
        master.fail(exercise.hidden, "hidden checks carry no points: give them to the visible one")
    for aspect in sorted(visible ^ hidden):
        where = "hidden" if aspect in visible else "visible"
        master.fail(
            exercise.hidden, f"aspect {aspect!r} has no {where} check: every aspect has both"
        )
    for aspect in sorted(visible):
        if not sum(points for name, points in stakes if name == aspect):
            master.fail(
                exercise.checks, f"aspect {aspect!r} has no points: add points=1 to a check"
            )


def _check_heading(master, cell, points):
    above = [c for c in master.cells if c.line < cell.line]
    graded = {"checks", "hidden", "written"}
    last = max((c.line for c in above if c.roles.keys() & graded), default=0)
    before = [c for c in above if c.kind == "markdown" and c.line > last]
    found = HEADING.search(before[-1].source) if before else None
    if not found or float(found[2]) != points:
        need = f"(10 min, {points:g} points)"
        master.fail(cell, f"the text above needs a heading that ends in {need}")


def check_calls(source):
    """Return [(aspect, points)] of the calls `check.xxx("aspect", ..., points=p)` in a cell."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [_call(node) for node in calls if _is_check(node)]


def _is_check(node):
    on_check = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    return on_check and node.func.value.id == "check" and bool(node.args)


def _call(node):
    points = [k.value.value for k in node.keywords if k.arg == "points"]
    return node.args[0].value, points[0] if points else 0
