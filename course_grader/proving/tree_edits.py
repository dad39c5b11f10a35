"""Edits of syntax trees that leave the tree itself alone."""

__all__ = ["method_of", "replaced", "with_body", "with_result"]

import ast
import copy
import operator
from collections.abc import Callable, Iterator
from typing import Any


def replaced(tree: Any, target: ast.AST, change: Any) -> Any:
    """Return a tree, or a list of nodes, with one node exchanged: what differs is a copy."""
    if tree is target:
        return change
    if isinstance(tree, list):
        items = [replaced(item, target, change) for item in tree]
        return items if any(map(operator.is_not, items, tree)) else tree
    if not isinstance(tree, ast.AST):
        return tree
    fields = {k: replaced(v, target, change) for k, v in ast.iter_fields(tree)}
    moved = any(value is not getattr(tree, name) for name, value in fields.items())
    return ast.copy_location(type(tree)(**fields), tree) if moved else tree


def method_of(value: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
    """Return the call `value.name(*arguments)`."""
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(arguments), [])


def with_body(node: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    """Return a function with other statements; what both have is shared."""
    other = copy.copy(node)
    other.body = body
    return other


def with_result(node: ast.AST, change: Callable[[ast.AST], ast.AST]) -> Iterator[ast.AST]:
    """Yield a return statement with one of its results changed: each of a tuple's in turn."""
    if isinstance(node, ast.Return) and node.value is not None:
        results = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for result in results:
            yield replaced(node, result, change(result))
