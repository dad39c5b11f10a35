"""Cells that are plain Python run as they are: IPython need not look for its own syntax in them.

IPython takes every cell apart into tokens and back, twice, and asks by one more compilation
whether it awaits something; ipykernel names it by a hash that is computed in Python. For check
cells, which are long, that is a quarter of their time, and none of it changes what they show.
"""

__all__ = ["is_plain", "spare_plain_cells"]

import ast
import functools
import re
from typing import Any

ODD = re.compile(  # prompts, what may await, and what a parser may warn of
    r"^\s*(?:\.\.\.|>>>|In \[)|\basync\b|\bawait\b|\\", re.MULTILINE
)


@functools.lru_cache(maxsize=8)
def is_plain(code: str) -> bool:
    """Tell whether IPython would run a cell unchanged, and not as a coroutine.

    Of one that is right in Python it changes only prompts, empty lines at the start, and single
    lines, which may be magic commands. In doubt the answer is False.

    Examples
    --------
    >>> is_plain("x = 1\\ny = 2"), is_plain("x = 1\\n!ls"), is_plain("ls")
    (True, False, False)
    """
    if "\n" not in code.strip() or code[0].isspace() or ODD.search(code):
        return False
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def spare_plain_cells(shell: Any) -> None:
    """Let an IPython shell run plain cells as they are, and name all of them quickly.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    from IPython.core.compilerop import CachingCompiler

    transform, may_await = shell.transform_cell, shell.should_run_async

    def transform_cell(code: str) -> str:
        if not is_plain(code) or shell.input_transformers_post:
            return str(transform(code))
        return code if code.endswith("\n") else f"{code}\n"

    def should_run_async(code: str, **more: Any) -> bool:
        return not is_plain(code) and bool(may_await(code, **more))

    shell.transform_cell, shell.should_run_async = transform_cell, should_run_async
    shell.compile = CachingCompiler()
