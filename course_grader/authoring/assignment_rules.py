"""What an assignment has to keep: each rule stops the build at the cell to blame."""

__all__ = [
    "check_cases",
    "check_opening",
    "check_points",
    "check_solution",
    "check_targets",
    "check_written",
]

import ast
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from course_grader.authoring import markers
from course_grader.authoring.check_calls import check_calls, is_check
from course_grader.authoring.masters import Cell, Master

if TYPE_CHECKING:  # exercises are read by these rules
    from course_grader.authoring.exercises import Exercise

HEADING = re.compile(r"\((\d+) min, (\d+(?:\.\d+)?) points?\)")
KEPT = ("inputs", "global random")  # what check.keeps grades, and the opening has to say


def check_targets(master: Master) -> None:
    """Stop at checks of an exercise that there is none of."""
    for cell in master.cells:
        name = next((cell.roles[r] for r in ("checks", "hidden", "why") if r in cell.roles), None)
        if name and name not in [c.roles.get("exercise") for c in master.cells]:
            master.fail(cell, f"no exercise is called {name!r}: add # %% exercise={name!r}")


def check_opening(master: Master) -> None:
    """Stop where points hang on what is kept, and the opening does not announce it."""
    keeps = any("check.keeps(" in c.source for c in master.cells if c.kind == "code")
    if keeps and not all(word in master.cells[0].source for word in KEPT):
        told = "Every function leaves its inputs and the global random generators as they are."
        master.fail(master.cells[0], f"check.keeps is announced in the first cell: {told}")


def check_solution(master: Master, exercise: "Exercise") -> None:
    """Stop at an exercise without a marked solution or without a function."""
    if "### BEGIN SOLUTION" not in exercise.solution.source:
        master.fail(
            exercise.solution, "no '### BEGIN SOLUTION' ... '### END SOLUTION' in the cell"
        )
    if not markers.defined_names(exercise.solution.source):
        master.fail(exercise.solution, "an exercise defines at least one function or class")


def check_points(master: Master, exercise: "Exercise") -> None:
    """Stop where start and end, points, aspects or heading do not fit together."""
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
    _check_texts(master, (checks, hidden))
    _check_heading(master, exercise.solution, exercise.points)


def check_cases(master: Master, exercise: "Exercise") -> None:
    """Stop at a hidden check without words for its case: a reader is told where it fails."""
    nodes = ast.walk(ast.parse(exercise.hidden.source))
    for node in (n for n in nodes if isinstance(n, ast.Call) and is_check(n)):
        if not [k for k in node.keywords if k.arg == "case" and _is_text(k.value)]:
            told = f'hidden check in line {node.lineno} does not say its case: case="one row"'
            master.fail(exercise.hidden, told)


def _is_text(node):
    """Tell whether a node is a plain string with something in it: the build reads no f-string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip()


def _check_texts(master, cells):
    """Stop at a text over several lines in a check cell: the build indents the cell."""
    for cell in cells:
        for node in ast.walk(ast.parse(cell.source)):
            text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if text and node.lineno != node.end_lineno and "\n" in node.value:
                master.fail(cell, "a text over several lines: write it in one, with \\n")


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


def check_written(master: Master, cell: Cell, exercises: Mapping[str, "Exercise"]) -> None:
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


def _check_heading(master, cell, points):
    above = [c for c in master.cells if c.line < cell.line]
    graded = {"checks", "hidden", "written"}
    last = max((c.line for c in above if c.roles.keys() & graded), default=0)
    before = [c for c in above if c.kind == "markdown" and c.line > last]
    found = HEADING.search(before[-1].source) if before else None
    if not found or float(found[2]) != points:
        need = f"(10 min, {points:g} points)"
        master.fail(cell, f"the text above needs a heading that ends in {need}")
