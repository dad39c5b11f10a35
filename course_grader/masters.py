"""Read masters (notebooks as py:percent files) and stop at whatever is malformed.

Every error names file and line, what was found and what to do.
"""

__all__ = ["Cell", "Exercise", "MasterError", "Master", "read_master"]

import ast
import dataclasses
import functools
import re
from pathlib import Path

import jupytext

from course_grader import markers
from course_grader.course import CourseError

ROLES = {
    "lesson": {"alt", "same"},
    "assignment": {"exercise", "checks", "points", "hidden", "alt", "same"},
    "answers": {"right", "wrong", "equivalent", "exact", "fails", "oracle"},
}
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
HEADING = re.compile(r"\((\d+) min, (\d+(?:\.\d+)?) points?\)")


class MasterError(CourseError):
    """A malformed master: file, line, what is wrong and what to do."""

    def __init__(self, path, line, message):
        place = Path(*Path(path).parts[-3:])
        super().__init__(f"{place}:{line}: {message}")


@dataclasses.dataclass
class Cell:
    """One cell of a master, with the line of its marker and its roles."""

    kind: str
    source: str
    line: int
    title: str
    roles: dict


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
class Master:
    """A master: its path, its kind (lesson, assignment, answers) and its cells."""

    path: Path
    kind: str
    cells: list[Cell]

    def fail(self, cell, message):
        """Raise a `MasterError` at a cell's line."""
        raise MasterError(self.path, cell.line, message)

    @functools.cached_property
    def exercises(self):
        """{name: Exercise} in order, validated."""
        found = {c.roles["exercise"]: c for c in self.cells if "exercise" in c.roles}
        return {name: _exercise(self, name, cell) for name, cell in found.items()}


def read_master(path, kind):
    """Read and validate a master of a kind: lesson, assignment or answers.

    Raises
    ------
    MasterError
        At the first malformed cell.
    """
    path = Path(path)
    if not path.is_file():
        raise CourseError(f"{path} is missing: every unit needs lesson, assignment and answers")
    master = Master(path, kind, _cells(path))
    for cell in master.cells:
        _check_cell(master, cell)
    _check_names(master)
    if kind == "assignment":
        _check_assignment(master)
    return master


def _cells(path):
    text = path.read_text("utf-8")
    starts = [i for i, line in enumerate(text.splitlines(), 1) if re.match(r"# %%( |$)", line)]
    if not starts or starts[0] != 1:
        raise MasterError(path, 1, "the first line must start a cell: '# %%' or '# %% [markdown]'")
    found = jupytext.reads(text, fmt="py:percent").cells
    if len(found) != len(starts):
        raise MasterError(path, 1, f"{len(starts)} cell markers, but {len(found)} cells were read")
    return [_cell(cell, line) for cell, line in zip(found, starts, strict=True)]


def _cell(cell, line):
    roles = {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"}
    return Cell(cell.cell_type, cell.source, line, roles.pop("title", ""), roles)


def _check_cell(master, cell):
    unknown = set(cell.roles) - ROLES[master.kind]
    if unknown:
        known = ", ".join(sorted(ROLES[master.kind]))
        master.fail(cell, f"unknown role {sorted(unknown)[0]!r}; {master.kind}.py knows {known}")
    if cell.kind == "code":
        _check_code(master, cell)
    for offset, problem in markers.problems(cell.source, in_solution="exercise" in cell.roles):
        raise MasterError(master.path, cell.line + offset, problem)


def _check_code(master, cell):
    try:
        compile(cell.source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 0)
        raise MasterError(
            master.path, line, f"{error.msg}; masters hold plain Python, no magics"
        ) from None


def _check_names(master):
    seen = {}
    for cell in master.cells:
        for role in ("exercise", "checks", "hidden"):
            _check_name(master, cell, role, seen)
        if master.kind == "answers" and cell.kind == "code":
            _check_answer(master, cell, seen)


def _check_name(master, cell, role, seen):
    name = cell.roles.get(role)
    if name is None:
        return
    if not NAME.fullmatch(str(name)):
        master.fail(cell, f"{role}={name!r} is no name: use lower-case-words")
    if (role, name) in seen:
        master.fail(cell, f"duplicate {role}={name!r}; the first is in line {seen[role, name]}")
    seen[role, name] = cell.line


def _check_answer(master, cell, seen):
    kinds = [r for r in ("right", "wrong", "equivalent", "exact") if r in cell.roles]
    if len(kinds) != 1 or not cell.title:
        master.fail(
            cell, 'an answer is titled and right, wrong, equivalent or exact: # %% t right="e"'
        )
    key = (cell.roles[kinds[0]], cell.title)
    if key in seen:
        master.fail(cell, f"duplicate answer {cell.title!r}; the first is in line {seen[key]}")
    seen[key] = cell.line
    if kinds[0] in ("wrong", "equivalent") and not cell.source.startswith("# "):
        what = "hint for the student" if kinds[0] == "wrong" else "reason"
        master.fail(cell, f"the first line of a {kinds[0]} answer is a comment: the {what}")
    if kinds[0] == "wrong" and "fails" not in cell.roles:
        master.fail(cell, 'a wrong answer says which aspects it fails: fails="value,gradient"')


def _check_assignment(master):
    for cell in master.cells:
        name = cell.roles.get("checks") or cell.roles.get("hidden")
        if name and name not in [c.roles.get("exercise") for c in master.cells]:
            master.fail(cell, f"no exercise is called {name!r}: add # %% exercise={name!r}")
    if not master.exercises:
        raise MasterError(master.path, 1, "no cell has the role exercise")


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
    lines = [line.strip() for line in checks.source.strip().splitlines()]
    if lines[0] != f'check = Checks("{exercise.name}")' or lines[-1] != "check.report()":
        start = f'check = Checks("{exercise.name}")'
        master.fail(checks, f"a check cell starts with {start} and ends with check.report()")
    stakes, more = check_calls(checks.source), check_calls(hidden.source)
    total = sum(points for _, points in stakes)
    if total != checks.roles["points"]:
        master.fail(checks, f"points={checks.roles['points']}, but its aspects sum to {total:g}")
    _check_aspects(master, exercise, stakes, more)
    _check_heading(master, exercise)


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


def _check_heading(master, exercise):
    before = [c for c in master.cells if c.kind == "markdown" and c.line < exercise.solution.line]
    found = HEADING.search(before[-1].source) if before else None
    if not found or float(found[2]) != exercise.points:
        need = f"(10 min, {exercise.points:g} points)"
        master.fail(exercise.solution, f"the text above needs a heading that ends in {need}")


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
