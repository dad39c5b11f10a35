"""Make notebooks from masters: stable cell ids, nbgrader metadata, a hash of their origin."""

__all__ = ["check_source", "digest", "lesson", "solutions", "source", "used_files"]

import ast
import collections
import hashlib
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_grader.authoring import markers
from course_grader.authoring.exercises import Assignment, Exercise
from course_grader.authoring.masters import Master
from course_grader.authoring.recap_cards import without_cards
from course_grader.project.course import PROJECT, Unit
from course_grader.project.notebooks import KERNELSPEC

REPORT = "check.report()"
INDENT = " " * 4


def lesson(unit: Unit, master: Master) -> NotebookNode:
    """Return the lesson as a notebook, not executed."""
    return _notebook(unit, master, [(cell, cell.source, {}) for cell in master.cells])


def source(unit: Unit, master: Assignment) -> NotebookNode:
    """Return nbgrader's instructor version: solutions marked, hidden checks merged, no reasons."""
    hidden = {name: e.hidden.source for name, e in master.exercises.items()}
    return _notebook(unit, master, [c for c in _cells(master, hidden) if "why" not in c[0].roles])


def solutions(unit: Unit, master: Assignment) -> NotebookNode:
    """Return the worked solutions and why, cells named by their exercise; no hidden checks."""
    cells = [
        (
            cell,
            markers.solved(text),
            {k: cell.roles[k] for k in ("exercise", "why") if k in cell.roles},
        )
        for cell, text, _ in _cells(master, {})
    ]
    return _notebook(unit, master, cells)


def check_source(exercise: Exercise, *, hidden: bool) -> str:
    """Return the source of a check cell, with or without its hidden checks.

    The master's statements become the body of a function, so that what they bind (`y`, `check`)
    never takes the place of a student's helper of that name.
    """
    first, *body = exercise.checks.source.rstrip().removesuffix(REPORT).rstrip().splitlines()
    if hidden:
        more = exercise.hidden.source.splitlines()
        body += ["### BEGIN HIDDEN TESTS", *more, "### END HIDDEN TESTS"]
    lines = [f"{INDENT}{line}" if line.strip() else "" for line in body]
    return "\n".join([first.replace("check = ", "@"), "def _checks(check):", *lines])


def used_files(master: Master) -> list[Path]:
    """Return the master and the course_utils modules that it imports, directly or not."""
    sources = "\n".join(cell.source for cell in master.cells if cell.kind == "code")
    return [master.path, *sorted(_imported(sources, set()))]


def digest(master: Master, *more: str) -> str:
    """Return the hash of a master and of what it uses: it tells whether a tree has drifted.

    A lesson's cards stand in no tree: to edit one executes nothing.
    """
    own, *used = used_files(master)
    parts = [without_cards(own.read_text("utf-8")), *(path.read_text("utf-8") for path in used)]
    return hashlib.sha256("\0".join([*parts, *more]).encode()).hexdigest()[:16]


def _cells(master, hidden):
    """Yield (cell, source, nbgrader metadata) for an assignment, hidden cells merged."""
    for cell in master.cells:
        if "exercise" in cell.roles:
            yield cell, cell.source, _grading(cell, f"{cell.roles['exercise']}-solution")
        elif "checks" in cell.roles:
            name = cell.roles["checks"]
            text = check_source(master.exercises[name], hidden=name in hidden)
            yield cell, text, _grading(cell, name)
        elif "written" in cell.roles:
            yield cell, cell.source, _grading(cell, cell.roles["written"])
        elif "hidden" not in cell.roles:
            yield cell, cell.source, {}


def _grading(cell, grade_id):
    """Return nbgrader's schema-3 metadata for a solution, a check, or an answer in words."""
    checks, words = "checks" in cell.roles, "written" in cell.roles
    points = {"points": cell.roles["points"]} if checks or words else {}
    kind = {"grade": checks or words, "locked": checks, "solution": not checks, "task": False}
    graded = {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **kind, **points}}
    # An exercise that is not solved yet must not stop Run All before the next one.
    return graded | ({"tags": ["raises-exception"]} if checks else {})


def _notebook(unit, master, cells):
    notebook = new_notebook(
        metadata={
            "kernelspec": KERNELSPEC,
            "language_info": {"name": "python"},
            "course": {
                "unit": unit.name,
                "master": f"masters/{unit.name}/{master.kind}.py",
                "hash": digest(master),
            },
        }
    )
    seen = collections.Counter()
    notebook.cells = [_node(cell, text, metadata, seen) for cell, text, metadata in cells]
    return notebook


def _node(cell, text, metadata, seen):
    new = new_code_cell if cell.kind == "code" else new_markdown_cell
    extra = metadata | _seen(cell.roles)
    return new(text, id=_id(cell, text, metadata, seen), metadata=extra)


def _seen(roles):
    """Return metadata for what a reader sees: alt text, what is folded, what is hidden."""
    seen = {role: roles[role] for role in ("alt", "fold") if role in roles}
    tags = ["nbval-check-output"] if roles.get("same") else []
    if roles.get("hide"):
        seen["jupyter"] = {"source_hidden": True}  # JupyterLab's fold
        tags.append("hide-input")  # that of nbconvert and of sites
    return seen | ({"tags": tags} if tags else {})


def _id(cell, text, metadata, seen):
    """Name graded cells by what they are, others by what they hold; number repeats."""
    key = metadata.get("nbgrader", {}).get("grade_id")
    key = key or hashlib.sha256(f"{cell.kind}\0{text}".encode()).hexdigest()[:12]
    seen[key] += 1
    return key if seen[key] == 1 else f"{key}-{seen[key]}"


def _imported(sources, found):
    """Return the files of course_utils that these sources import, and those import in turn."""
    for name in _modules(sources):
        path = PROJECT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith("course_utils.") and path.is_file() and path not in found:
            found.add(path)
            _imported(path.read_text("utf-8"), found)
    return found


def _modules(sources):
    """Yield the modules that import statements may mean: in `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(sources)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
