"""Operators of slips that few numbers show: differences that cancel, lines for curves."""

__all__ = ["NUMERIC"]

import ast
import copy
from collections.abc import Iterator

LINES = {"log1p": "abs({0}) < 0.001", "expm1": "abs({0}) < 0.001"}  # where x itself is returned
TAILS = {"softplus": "{0} > 7", "logsigmoid": "{0} < -7"}
LIBRARIES = {"math": "({1} if {0} else {2})", "np": "np.where({0}, {1}, {2})"}
BY_TORCH = "torch.where({0}, {1}, {2})"


def expand_square(node: ast.AST) -> Iterator[ast.AST]:
    """Expand the square of a difference, which cancels where its parts are large and alike."""
    left, right = _squared_difference(node)
    if left is not None:
        first, second = (ast.BinOp(part, ast.Mult(), part) for part in (left, right))
        mixed = ast.BinOp(ast.BinOp(ast.Constant(2), ast.Mult(), left), ast.Mult(), right)
        yield ast.BinOp(ast.BinOp(first, ast.Sub(), mixed), ast.Add(), second)


def straighten(node: ast.AST) -> Iterator[ast.AST]:
    """Replace a curve by its straight line where the two are only nearly the same."""
    name = getattr(getattr(node, "func", None), "attr", "")
    test = (LINES | TAILS).get(name)
    if isinstance(node, ast.Call) and test:
        library = ast.unparse(node.func.value)
        argument = ast.unparse(node.args[0] if node.args else node.func.value)
        choice = LIBRARIES.get(library, BY_TORCH)
        text = choice.format(test.format(f"({argument})"), argument, ast.unparse(node))
        yield ast.parse(text, mode="eval").body


def _squared_difference(node):
    """Return both parts of (a - b)**2 or (a - b).square(), or None twice."""
    inside = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        inside = node.left if getattr(node.right, "value", None) == 2 else None
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "square":
        inside = node.args[0] if node.args else node.func.value
    if isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Sub):
        return copy.deepcopy(inside.left), copy.deepcopy(inside.right)
    return None, None


NUMERIC = {"expand-square": expand_square, "straighten": straighten}
