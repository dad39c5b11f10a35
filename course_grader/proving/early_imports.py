"""What is done before a fork: imports that each child then has, and memory that forks cheaply."""

__all__ = ["import_early", "prepare_forks"]

import ast
import contextlib
import functools
import importlib

from course_grader.execution.inside.huge_pages import collapse
from course_grader.execution.slow_imports import slow_imports


@functools.lru_cache(maxsize=4096)
def import_early(cell: str) -> None:
    """Import here what a cell imports, soon or late, so that each child has it already."""
    for name in slow_imports(cell):
        importlib.import_module(name)
    if "import" not in cell:  # as in most answers: taking them apart takes longer than the rest
        return
    with contextlib.suppress(SyntaxError):
        for node in ast.walk(ast.parse(cell)):
            for name in _imported(node):
                with contextlib.suppress(ImportError):  # from a import b: b may be no module
                    importlib.import_module(name)


@functools.cache
def prepare_forks() -> None:
    """Import what every check cell needs, and make forks cheap: dozens follow, for each unit."""
    for name in ("torch", "course_utils.checking.checks"):  # seconds that a cached one spares
        importlib.import_module(name)
    collapse()


def _imported(node: ast.AST) -> list[str]:
    """Return the modules that a node of a syntax tree may import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
