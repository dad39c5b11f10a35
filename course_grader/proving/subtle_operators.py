"""Operators of slips that few inputs show: sizes of 1, tiny numbers, long loops, gradients."""

__all__ = ["ONCE", "SUBTLE"]

import ast
import copy
from collections.abc import Iterator

from course_grader.proving.numeric_operators import NUMERIC
from course_grader.proving.tree_edits import method_of, replaced, with_body, with_result

SHALLOW = {"modules": "children", "named_modules": "named_children"}
LOGS = {"log", "log2", "log10", "log1p"}
FORGOTTEN = {"keepdim", "keepdims", "num_classes", "minlength", "unbiased", "correction", "ddof"}
FLOOR = 1e-6  # what people add to be safe
AXIS = ("dim", "axis")
LIBRARIES = {"math", "np", "special", "torch"}
REDUCTIONS = {"sum", "mean", "prod", "logsumexp", "amax", "amin", "all", "any", "var", "std"}
ONCE = {  # for the solution alone: they say the same of others
    *("squeeze", "squeeze-before", "floor", "detach-input", "detach-one", "mark-input"),
    *NUMERIC,
}


def squeeze(node: ast.AST) -> Iterator[ast.AST]:
    """Squeeze the result: right until a size is 1."""
    yield from with_result(node, lambda result: method_of(result, "squeeze"))


def squeeze_before(node: ast.AST) -> Iterator[ast.AST]:
    """Squeeze what is reduced along an axis: right until another axis is 1."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in REDUCTIONS:
        library = getattr(node.func.value, "id", "") in LIBRARIES
        reduced, *axes = node.args if library else (node.func.value, *node.args)
        axes = [k.value for k in node.keywords if k.arg in AXIS] or axes
        if axes and _is_whole(axes[0]):
            axis = ast.Constant(0 if ast.literal_eval(axes[0]) == 0 else -1)
            others = [k for k in node.keywords if k.arg not in AXIS]
            squeezed = ast.Attribute(method_of(reduced, "squeeze"), node.func.attr, ast.Load())
            yield ast.Call(squeezed, [axis], others)


def floor(node: ast.AST) -> Iterator[ast.AST]:
    """Clamp what a logarithm gets, to be safe."""
    if isinstance(node, ast.Call) and _name_of(node) in LOGS:
        place = node.args[0] if node.args else getattr(node.func, "value", None)
        if place is not None and not _is_constant(place):
            yield replaced(node, place, method_of(place, "clip", ast.Constant(FLOOR)))


def look_one_level_deep(node: ast.AST) -> Iterator[ast.AST]:
    """Take the children of a module for all modules in it."""
    if isinstance(node, ast.Attribute) and node.attr in SHALLOW:
        yield ast.Attribute(node.value, SHALLOW[node.attr], node.ctx)


def end_loop_early(node: ast.AST) -> Iterator[ast.AST]:
    """Leave a loop before its last step, or after the fifth."""
    if isinstance(node, ast.For | ast.comprehension) and not isinstance(node.iter, ast.Tuple):
        for end in (-1, 5):
            part = ast.Slice(upper=ast.Constant(end))
            listed = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
            other = copy.copy(node)
            other.iter = ast.Subscript(listed, part, ast.Load())
            yield other


def detach_input(node: ast.AST) -> Iterator[ast.AST]:
    """Cut the gradient with respect to one of the inputs."""
    if isinstance(node, ast.FunctionDef):
        for argument in node.args.args:
            line = ast.parse(f"{argument.arg} = {argument.arg}.detach()").body
            yield with_body(node, [*line, *node.body])


def detach_one(node: ast.AST) -> Iterator[ast.AST]:
    """Cut the gradient of one of several results."""
    if isinstance(getattr(node, "value", None), ast.Tuple):
        yield from with_result(node, lambda result: method_of(result, "detach"))


def mark_input(node: ast.AST) -> Iterator[ast.AST]:
    """Ask for the gradient of an input where it lies, in the caller's own tensor."""
    if isinstance(node, ast.FunctionDef):
        for argument in node.args.args:
            line = ast.parse(f"{argument.arg}.requires_grad_()").body
            yield with_body(node, [*line, *node.body])


def drop_keyword(node: ast.AST) -> Iterator[ast.AST]:
    """Forget a keyword argument that decides a shape or a divisor."""
    if isinstance(node, ast.Call):
        for keyword in (k for k in node.keywords if k.arg in FORGOTTEN):
            yield ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword])


def _is_whole(node):
    """Return whether an expression is a whole number, such as -1."""
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and type(node.value) is int


def _is_constant(node):
    """Return whether an expression is made of numbers and library names alone."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names <= LIBRARIES


def _name_of(call):
    """Return the last name of what is called, such as log of torch.log."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


SUBTLE = {
    f.__name__.replace("_", "-"): f
    for f in (
        squeeze,
        squeeze_before,
        floor,
        look_one_level_deep,
        end_loop_early,
        detach_input,
        detach_one,
        mark_input,
        drop_keyword,
    )
}
