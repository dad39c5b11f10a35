"""Find the text of a check's lambda, so that the panel can show the call that failed."""

__all__ = ["call_text"]

import ast
import functools
import linecache
from collections.abc import Callable
from types import CodeType


def call_text(call: Callable[..., object]) -> str:
    """Return the expression inside a lambda as its cell has it, or a function's name."""
    code = getattr(call, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return getattr(call, "__name__", "the call")
    return _text(code.co_filename, code)


@functools.lru_cache(maxsize=1024)  # asked for with each check
def _text(name: str, code: CodeType) -> str:
    """Return a lambda's expression, found in its cell by the line that it begins in."""
    source = "".join(linecache.getlines(name))
    return _lambdas(source).get(code.co_firstlineno, "the call")


@functools.lru_cache(maxsize=8)
def _lambdas(source: str) -> dict[int, str]:
    """Return {line: body as text} of the first lambda in each line."""
    try:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Lambda)]
    except SyntaxError:
        return {}
    return {node.lineno: ast.unparse(node.body) for node in reversed(nodes)}
