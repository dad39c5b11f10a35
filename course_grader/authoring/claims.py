"""Claims in a lesson: sentences about a method, each a function of a seed and of steps."""

__all__ = ["check_claims"]

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # masters are read by this rule
    from course_grader.authoring.masters import Master


def check_claims(master: "Master") -> None:
    """Stop at a claim that could not be rerun: its form is claim="A sentence." steps=1500."""
    seen = {}
    for cell in master.cells:
        if cell.roles.keys() & {"claim", "steps"}:
            name = _claim_name(master, cell)
            if name in seen:
                master.fail(cell, f"duplicate claim {name!r}; the first is in line {seen[name]}")
            seen[name] = cell.line


def _claim_name(master, cell):
    """Return the name of the function that a claim's cell defines."""
    sentence, steps = cell.roles.get("claim"), cell.roles.get("steps")
    if sentence is None or steps is None or cell.kind != "code":
        master.fail(cell, 'a claim is a code cell with both: # %% claim="A sentence." steps=1500')
    if not re.fullmatch(r"\S.*\S\.", str(sentence)):
        master.fail(cell, f"claim={sentence!r} is no sentence: say what is true, with a full stop")
    if type(steps) is not int or steps < 1:
        master.fail(cell, f"steps={steps!r}: give the lesson's number of steps, 1 or more")
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found = [node for node in ast.parse(cell.source).body if isinstance(node, kinds)]
    if [_signature(node) for node in found] != ["seed, steps"]:
        got = ", ".join(f"{node.name}({_signature(node)})" for node in found) or "none"
        master.fail(
            cell, f"a claim's cell defines one function, def name(seed, steps): found {got}"
        )
    return found[0].name


def _signature(node):
    awaited = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return awaited + ast.unparse(node.args)
