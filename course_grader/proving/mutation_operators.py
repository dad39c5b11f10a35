"""The operators of mutants: each yields what a node of a syntax tree may be mistaken for."""

__all__ = ["NEWER", "ONCE", "OPERATORS", "SWAPS", "replaced"]

import ast
import contextlib
import copy

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
SHALLOW = {"modules": "children", "named_modules": "named_children"}
LOGS = {"log", "log2", "log10", "log1p"}
FORGOTTEN = {"keepdim", "keepdims", "num_classes", "minlength", "unbiased", "correction", "ddof"}
FLOOR = 1e-6  # what people add to be safe


def replaced(tree, target, change):
    """Return a copy of a tree, or of a list of nodes, with one node exchanged."""
    if tree is target:
        return change
    if isinstance(tree, list):
        return [replaced(item, target, change) for item in tree]
    if not isinstance(tree, ast.AST):
        return tree
    return type(tree)(**{k: replaced(v, target, change) for k, v in ast.iter_fields(tree)})


def swap_function(node):
    """Swap sum and mean, log and log2, std and var, and other names mistaken for each other."""
    if isinstance(node, ast.Attribute) and node.attr in SWAPS:
        yield ast.Attribute(node.value, SWAPS[node.attr], node.ctx)


def drop_factor(node):
    """Forget a factor: a missing half, a missing scale."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        yield node.left
        if isinstance(node.op, ast.Mult):
            yield node.right


def drop_term(node):
    """Forget a term: a missing constant, a missing log sigma."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node.left
        if isinstance(node.op, ast.Add):
            yield node.right


def flip_sign(node):
    """Turn plus into minus, minus into plus, and drop a leading minus."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield ast.BinOp(node.left, ast.Sub(), node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        yield ast.BinOp(node.left, ast.Add(), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def change_number(node):
    """Change a literal number: an off-by-one, a wrong axis, a wrong power."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)


def change_axis(node):
    """Work along another axis."""
    if isinstance(node, ast.keyword) and node.arg in ("dim", "axis"):
        with contextlib.suppress(ValueError, TypeError):
            other = 1 if ast.literal_eval(node.value) == 0 else 0
            yield ast.keyword(node.arg, ast.Constant(other))


def change_power(node):
    """Take a scale for a variance: drop a power, or invert a division."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield ast.BinOp(node.left, ast.Mult(), node.right)


def detach_result(node):
    """Return the number without its gradient."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(_method(node.value, "detach"))


def narrow_result(node):
    """Round the result to float16, where large values overflow."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(_method(_method(node.value, "half"), "double"))


def change_input(node):
    """Change the first argument in place before using it."""
    if isinstance(node, ast.FunctionDef) and node.args.args:
        first = node.args.args[0].arg
        line = ast.parse(f"{first}.mul_(1.5)").body
        body = [*line, *node.body]
        yield _with_body(node, body)


def swap_arguments(node):
    """Exchange the first two parameters of a function."""
    if isinstance(node, ast.FunctionDef) and len(node.args.args) > 1:
        other = copy.deepcopy(node)
        args = other.args.args
        args[0], args[1] = args[1], args[0]
        yield other


def drop_statement(node):
    """Leave out one statement that is not the last: a forgotten check or step."""
    if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
        for statement in node.body[:-1]:
            if not _is_docstring(statement):
                yield _with_body(node, [other for other in node.body if other is not statement])


def squeeze(node):
    """Squeeze the result: right until a size is 1."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(_method(node.value, "squeeze"))


def floor(node):
    """Clamp what a logarithm gets, to be safe."""
    if isinstance(node, ast.Call) and _name_of(node) in LOGS:
        place = node.args[0] if node.args else getattr(node.func, "value", None)
        if place is not None and not _is_constant(place):
            yield replaced(node, place, _method(place, "clip", ast.Constant(FLOOR)))


def look_one_level_deep(node):
    """Take the children of a module for all modules in it."""
    if isinstance(node, ast.Attribute) and node.attr in SHALLOW:
        yield ast.Attribute(node.value, SHALLOW[node.attr], node.ctx)


def end_loop_early(node):
    """Leave a loop before its last step, or after the fifth."""
    if isinstance(node, ast.For | ast.comprehension) and not isinstance(node.iter, ast.Tuple):
        for end in (-1, 5):
            part = ast.Slice(upper=ast.Constant(end))
            listed = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
            other = copy.copy(node)
            other.iter = ast.Subscript(listed, part, ast.Load())
            yield other


def detach_input(node):
    """Cut the gradient with respect to one of the inputs."""
    if isinstance(node, ast.FunctionDef):
        for argument in node.args.args:
            line = ast.parse(f"{argument.arg} = {argument.arg}.detach()").body
            yield _with_body(node, [*line, *node.body])


def drop_keyword(node):
    """Forget a keyword argument that decides a shape or a divisor."""
    if isinstance(node, ast.Call):
        for keyword in (k for k in node.keywords if k.arg in FORGOTTEN):
            yield ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword])


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
        squeeze,
        floor,
        look_one_level_deep,
        end_loop_early,
        detach_input,
        drop_keyword,
    )
}
NEWER = {  # what units from before are still to be proven against
    "squeeze",
    "floor",
    "look-one-level-deep",
    "end-loop-early",
    "detach-input",
    "drop-keyword",
}
ONCE = {"squeeze", "floor", "detach-input"}  # for the solution alone: they say the same of others


def _is_docstring(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_constant(node):
    """Return whether an expression is made of numbers and library names alone."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names <= {"math", "np", "torch"}


def _name_of(call):
    """Return the last name of what is called, such as log of torch.log."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _method(value, name, *arguments):
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(arguments), [])


def _with_body(node, body):
    other = copy.deepcopy(node)
    other.body = copy.deepcopy(body)
    return other
