"""What runs again after a lesson, sliders and claims, keeps its names from later cells."""

__all__ = ["taken_names"]

import ast
import dis
import types
from collections.abc import Iterator

from course_grader.authoring.masters import Cell

SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def taken_names(cells: list[Cell]) -> Iterator[tuple[int, str]]:
    """Yield (place, message) where a cell binds a name that an earlier function still needs.

    A function needs its own name, the global names that it reads, and what those need that are
    functions of the lesson.

    Parameters
    ----------
    cells : list of Cell
        Of a lesson, all of them.
    """
    code = {place: cell for place, cell in enumerate(cells) if cell.kind == "code"}
    uses = {name: needs for cell in code.values() for name, needs in _uses(cell.source)}
    bound = {place: _bound(ast.parse(cell.source)) for place, cell in code.items()}
    for place, cell in code.items():
        for function in _run_again(cell):
            needed = _closure(function, uses) | {function}
            for later in filter(lambda other: other > place, code):
                for name in sorted(needed & bound[later]):
                    yield later, f"{name!r} is what {function}() draws or computes with: rename it"


def _run_again(cell):
    """Return the functions of a cell that run after the lesson: those of sliders, and claims."""
    tree = ast.parse(cell.source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    sliders = [call.args[0] for call in calls if getattr(call.func, "id", "") == "interactive"]
    drawn = [node.id for node in sliders if isinstance(node, ast.Name)]
    claims = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return drawn + (claims if cell.roles.get("claim") else [])


def _uses(source):
    """Return (name, global names that it reads) of each function at a cell's top level."""
    compiled = compile(source, "<cell>", "exec").co_consts
    return [(one.co_name, _globals(one)) for one in compiled if isinstance(one, types.CodeType)]


def _globals(code):
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    own = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return own.union(*map(_globals, inner))


def _closure(function, uses):
    """Return the names that a function needs, and the functions that it calls, and so on."""
    found, waiting = set(), [function]
    while waiting:
        new = uses.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _bound(node):
    """Return the names that a piece of code binds outside its functions."""
    found = set()
    for one in ast.iter_child_nodes(node):
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            found.add(one.name)
        elif isinstance(one, ast.alias):
            found.add((one.asname or one.name).split(".")[0])
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found.add(one.id)
        elif not isinstance(one, SCOPES):
            found |= _bound(one)
    return found
