"""The operators of mutants: each yields what a node of a syntax tree may be mistaken for."""

__all__ = ["OPERATORS", "SWAPS"]

import ast
import contextlib
import copy
from collections.abc import Iterator

from course_grader.proving.numeric_operators import NUMERIC
from course_grader.proving.subtle_operators import SUBTLE
from course_grader.proving.tree_edits import method_of, with_body, with_result

SWAPS = {
    "sum": "mean",
    "mean": "sum",
    "log": "log2",
    "log1p": "expm1",
    "exp": "expm1",
    "std": "var",
    "var": "std",
    "maximum": "minimum",
    "max": "min",
    "min": "max",
    "softplus": "relu",
    "logsumexp": "sum",
}


def swap_function(node: ast.AST) -> Iterator[ast.AST]:
    """Swap sum and mean, log and log2, std and var, and other names mistaken for each other."""
    if isinstance(node, ast.Attribute) and node.attr in SWAPS:
        yield ast.Attribute(node.value, SWAPS[node.attr], node.ctx)


def drop_factor(node: ast.AST) -> Iterator[ast.AST]:
    """Forget a factor: a missing half, a missing scale."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        yield node.left
        if isinstance(node.op, ast.Mult):
            yield node.right


def drop_term(node: ast.AST) -> Iterator[ast.AST]:
    """Forget a term: a missing constant, a missing log sigma."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node.left
        if isinstance(node.op, ast.Add):
            yield node.right


def flip_sign(node: ast.AST) -> Iterator[ast.AST]:
    """Turn plus into minus, minus into plus, and drop a leading minus."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield ast.BinOp(node.left, ast.Sub(), node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        yield ast.BinOp(node.left, ast.Add(), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def change_number(node: ast.AST) -> Iterator[ast.AST]:
    """Change a literal number: an off-by-one, a wrong axis, a wrong power."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)


def change_axis(node: ast.AST) -> Iterator[ast.AST]:
    """Work along another axis."""
    if isinstance(node, ast.keyword) and node.arg in ("dim", "axis"):
        with contextlib.suppress(ValueError, TypeError):
            other = 1 if ast.literal_eval(node.value) == 0 else 0
            yield ast.keyword(node.arg, ast.Constant(other))


def change_power(node: ast.AST) -> Iterator[ast.AST]:
    """Take a scale for a variance: drop a power, or invert a division."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield ast.BinOp(node.left, ast.Mult(), node.right)


def detach_result(node: ast.AST) -> Iterator[ast.AST]:
    """Return the number without its gradient."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(method_of(node.value, "detach"))


def narrow_result(node: ast.AST) -> Iterator[ast.AST]:
    """Round the result to float16, where large values overflow."""
    yield from with_result(node, lambda result: method_of(method_of(result, "half"), "double"))


def change_input(node: ast.AST) -> Iterator[ast.AST]:
    """Change the first argument in place before using it."""
    if isinstance(node, ast.FunctionDef) and node.args.args:
        first = node.args.args[0].arg
        line = ast.parse(f"{first}.mul_(1.5)").body
        body = [*line, *node.body]
        yield with_body(node, body)


def swap_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """Exchange the first two parameters of a function."""
    if isinstance(node, ast.FunctionDef) and len(node.args.args) > 1:
        other = copy.deepcopy(node)
        args = other.args.args
        args[0], args[1] = args[1], args[0]
        yield other


def drop_statement(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out one statement that is not the last: a forgotten check or step."""
    if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
        for statement in node.body[:-1]:
            if not _is_docstring(statement):
                yield with_body(node, [other for other in node.body if other is not statement])


OPERATORS = {  # names of mutants hold the operators' names
    f.__name__.replace("_", "-"): f
    for f in (
        swap_function,
        drop_factor,
        drop_term,
        flip_sign,
        change_axis,
        change_number,
        change_power,
        detach_result,
        narrow_result,
        change_input,
        swap_arguments,
        drop_statement,
    )
} | {**SUBTLE, **NUMERIC}


def _is_docstring(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
