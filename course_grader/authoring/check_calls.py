"""Read the calls on `check` in a check cell: their aspects and points."""

__all__ = ["check_calls", "is_check"]

import ast
from typing import Any


def check_calls(source: str) -> list[tuple[str, float]]:
    """Return [(aspect, points)] of the calls `check.xxx("aspect", ..., points=p)` in a cell."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [_call(node) for node in calls if is_check(node)]


def is_check(node: Any) -> bool:
    """Return whether a node of a syntax tree is a call such as `check.value("aspect", ...)`."""
    on_check = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    return on_check and node.func.value.id == "check" and bool(node.args)


def _call(node):
    points = [k.value.value for k in node.keywords if k.arg == "points"]
    return node.args[0].value, points[0] if points else 0
