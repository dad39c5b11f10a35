"""Read masters (notebooks as py:percent files) and stop at whatever is malformed.

Every error names file and line, what was found and what to do.
"""

__all__ = ["EQUIVALENT", "Cell", "Master", "MasterError", "read_master"]

import ast
import dataclasses
import functools
import re
from pathlib import Path
from typing import NoReturn

import jupytext

from course_grader.authoring import markers
from course_grader.authoring.claims import check_claims
from course_grader.authoring.recap_cards import taken_out
from course_grader.project.course import CourseError

ROLES = {
    "lesson": {"alt", "same", "fold", "hide", "claim", "steps", "card"},
    "assignment": {"exercise", "why", "checks", "points", "hidden", "written", "alt", "same"},
    "answers": {"right", "wrong", "equivalent", "exact", "fails", "oracle"},
}
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
EQUIVALENT = re.compile(r"`([^`]+)`(?: |\n# )(\S.*)")  # a mutant's line, and why it is as good


class MasterError(CourseError):
    """A malformed master: file, line, what is wrong and what to do."""

    def __init__(self, path: Path, line: int, message: str) -> None:
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
class Master:
    """A master: its path, its kind (lesson, assignment, answers), its cells, and a lesson's cards.

    Cards stand in no notebook: `cells` are the others.
    """

    path: Path
    kind: str
    cells: list[Cell]
    cards: list = dataclasses.field(default_factory=list, kw_only=True)

    def fail(self, cell: Cell, message: str) -> NoReturn:
        """Raise a `MasterError` at a cell's line."""
        raise MasterError(self.path, cell.line, message)


def read_master(path: Path, kind: str) -> Master:
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
    check_claims(master)
    master.cells, master.cards = taken_out(master)
    return master


def _cells(path):
    text = path.read_text("utf-8")
    starts = [i for i, line in enumerate(text.splitlines(), 1) if re.match(r"# %%( |$)", line)]
    if not starts or starts[0] != 1:
        raise MasterError(path, 1, "the first line must start a cell: '# %%' or '# %% [markdown]'")
    try:
        found = _parsed(text)
    except Exception as error:
        raise MasterError(path, 1, f"jupytext cannot read the cells: {error}") from error
    if len(found) != len(starts):
        raise MasterError(path, 1, f"{len(starts)} cell markers, but {len(found)} cells were read")
    return [_cell(cell, line) for cell, line in zip(found, starts, strict=True)]


@functools.lru_cache(maxsize=64)  # a quarter of a second each, and asked for again and again
def _parsed(text):
    """Return jupytext's cells, for reading only."""
    return jupytext.reads(text, fmt="py:percent").cells


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
    _check_folding(master, cell)
    solves = bool(cell.roles.keys() & {"exercise", "written"})
    for offset, problem in markers.problems(cell.source, in_solution=solves):
        raise MasterError(master.path, cell.line + offset, problem)


def _check_folding(master, cell):
    """A fold is a heading and nothing else; only code is hidden."""
    heading = cell.kind == "markdown" and re.fullmatch(r"#{2,6} .+", cell.source.strip())
    if "fold" in cell.roles and not heading:
        master.fail(cell, "a fold is a Markdown cell that holds one heading and nothing else")
    if "hide" in cell.roles and cell.kind != "code":
        master.fail(cell, "hide=True is for code that draws: use a fold for prose")


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
        for role in ("exercise", "why", "checks", "hidden", "written"):
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
    first = cell.source.partition("\n")[0] if kinds[0] == "equivalent" else ""
    key = (cell.roles[kinds[0]], cell.title, first)
    if key in seen:
        master.fail(cell, f"duplicate answer {cell.title!r}; the first is in line {seen[key]}")
    seen[key] = cell.line
    comment = cell.source.removeprefix("# ") if cell.source.startswith("# ") else ""
    if kinds[0] == "equivalent" and not EQUIVALENT.match(comment):
        master.fail(cell, "an equivalent mutant is a comment: its `line`, then the reason")
    if kinds[0] == "wrong" and not comment:
        master.fail(
            cell, "the first line of a wrong answer is a comment: the hint for the student"
        )
    if kinds[0] == "wrong" and "fails" not in cell.roles:
        master.fail(cell, 'a wrong answer says which aspects it fails: fails="value,gradient"')
