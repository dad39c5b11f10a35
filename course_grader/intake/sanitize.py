"""Rebuild a notebook from source: a submission gives solution cells and extra cells, no more."""

__all__ = ["Rebuilt", "attempts", "rebuild", "untouched"]

import ast
import copy
import dataclasses
import functools
import re

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from course_grader.authoring import markers

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAX_EXTRA = 500  # more cells than this are no answer to an exercise
MAGIC = re.compile(r"^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.M)  # IPython's own syntax
MAX_MAGIC = 200_000  # lines with it times characters: IPython reads a cell once for each


@dataclasses.dataclass
class Rebuilt:
    """The sanitized notebook, and the grade ids of solution cells that the submission lacked."""

    notebook: NotebookNode
    missing: list[str]


def rebuild(submission: NotebookNode, source: NotebookNode, release: NotebookNode) -> Rebuilt:
    """Return source's notebook with the submission's solutions and extra cells in it.

    Parameters
    ----------
    submission : NotebookNode
        What the student handed in; nothing of its metadata, tags, outputs or order is trusted.
    source : NotebookNode
        The instructor version, with hidden checks.
    release : NotebookNode
        What the student got; its stubs stand in for missing solution cells.

    Returns
    -------
    Rebuilt
        Its notebook has the cells of `source` in order. Each extra cell follows the known cell
        that it followed. A provided cell that was changed is restored, and the student's
        version follows it; a further copy of a stub is left out. Of several cells with one id,
        the first counts.
    """
    claims = _claims(submission.cells, release.cells)
    extras = _extras(submission.cells, claims, release)
    built = copy.copy(source)
    built.metadata = copy.deepcopy(source.metadata)
    built.cells = list(extras.get(None, []))
    for cell, released in zip(source.cells, release.cells, strict=True):
        built.cells.append(_known(cell, released, submission.cells, claims))
        built.cells += extras.get(cell.id, [])
    missing = [c.id for c in release.cells if _is_solution(c) and c.id not in claims.values()]
    return Rebuilt(_plain(built), missing)


def untouched(source: NotebookNode, release: NotebookNode) -> NotebookNode:
    """Return what an untouched release becomes: what stands in for an unreadable submission."""
    return rebuild(release, source, release).notebook


def attempts(notebook: NotebookNode, release: NotebookNode) -> dict[str, bool]:
    """Return {exercise: whether its solution cell differs from the release}, white space aside."""
    now = {cell.id: "".join(cell.source.split()) for cell in notebook.cells}
    stubs = {c.id: "".join(c.source.split()) for c in release.cells if _is_solution(c)}
    return {k.removesuffix("-solution"): now.get(k, stub) != stub for k, stub in stubs.items()}


def _claims(cells, known):
    """Return {place in the submission: id of the known cell}, each known cell claimed once."""
    claims = {}
    for recognise in (_by_grade_id, _by_cell_id, _by_source, _by_definition):
        for place, cell in enumerate(cells):
            key = None if place in claims else recognise(cell, known)
            if key and key not in claims.values():
                claims[place] = key
    return claims


def _by_grade_id(cell, known):
    """The id that nbgrader gave the cell."""
    grade_id = _grade_id(cell)
    return next((k.id for k in known if grade_id and _grade_id(k) == grade_id), None)


def _by_cell_id(cell, known):
    """The notebook format's own id, where nbgrader's metadata is gone."""
    return next((k.id for k in known if cell.get("id") == k.id and not _grade_id(cell)), None)


def _by_source(cell, known):
    """The same text as a known cell: an editor dropped both metadata and ids."""
    text = "".join(cell.source.split())
    return next((k.id for k in known if text and "".join(k.source.split()) == text), None)


def _by_definition(cell, known):
    """The function that an exercise asks for is defined in it."""
    stubs = [k for k in known if _is_solution(k)]
    names = _bound_names(cell) if stubs else set()
    return next((k.id for k in stubs if names & set(markers.defined_names(k.source))), None)


def _known(cell, released, submitted, claims):
    """Return the cell as source has it; a solution cell with the student's text or the stub.

    Where the student answers in another cell and has removed this one, or left the stub in it,
    it stays empty: the stub would overwrite the answer.
    """
    fresh = copy.deepcopy(cell)
    if _is_solution(cell):
        place = next((p for p, key in claims.items() if key == cell.id), None)
        if place is not None and not _is_same(submitted[place], released):
            fresh.source = _without_reports(submitted[place].source)
        else:
            names = set(markers.defined_names(released.source))
            others = (c for c in submitted if not _is_same(c, released))
            elsewhere = any(names & _bound_names(c) for c in others)
            fresh.source = "" if elsewhere else released.source
    return fresh


def _is_same(cell, released):
    """Tell whether a cell's text is that of a released one, white space aside."""
    return "".join(cell.source.split()) == "".join(released.source.split())


def _bound_names(cell):
    """Return the names that a student's code cell binds at its top level."""
    return _names_in(cell.source) if cell.cell_type == "code" else frozenset()


@functools.lru_cache(maxsize=4096)
def _names_in(source):
    if len(MAGIC.findall(source)) * len(source) > MAX_MAGIC:
        return frozenset()
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except Exception:  # no Python, or built to break a parser
        return frozenset()
    bound = (t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets)
    names = {t.id for t in bound if isinstance(t, ast.Name)}
    return frozenset(names | {n.name for n in tree.body if isinstance(n, DEFINITIONS)})


def _extras(cells, claims, release):
    """Return {id of the known cell before: [the student's cells after it]}."""
    released = {cell.id: cell for cell in release.cells}
    stubs = [cell for cell in release.cells if _is_solution(cell)]  # a copy is no answer
    extras, anchor = {}, None
    for place, cell in enumerate(cells):
        anchor = claims.get(place, anchor)
        known = place in claims and not _was_changed(cell, released[claims[place]])
        if not known and not any(_is_same(cell, stub) for stub in stubs):
            extras.setdefault(anchor, []).append(_extra(cell, place))
    if sum(map(len, extras.values())) > MAX_EXTRA:
        return {}
    return extras


def _was_changed(cell, released):
    """Tell whether a provided cell (neither solution nor check) was changed by the student."""
    provided = not _is_solution(released) and not _grade_id(released)
    return provided and not _is_same(cell, released)


def _extra(cell, place):
    """Copy nothing of a student's cell but its type and text."""
    make = NEW.get(cell.cell_type, new_raw_cell)
    return make(_without_reports(cell.source), id=f"extra-{place}", metadata={})


def _without_reports(text):
    """Comment out what runs a check cell that was merged in: it would stop what follows."""
    return re.sub(r"^(@Checks\(.*\)|check\.report\(\))[ \t]*$", r"# \1", text, flags=re.MULTILINE)


def _plain(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _grade_id(cell):
    data = cell.get("metadata", {}).get("nbgrader", {})
    return data.get("grade_id") if isinstance(data, dict) else None


def _is_solution(cell):
    return bool(cell.get("metadata", {}).get("nbgrader", {}).get("solution"))
