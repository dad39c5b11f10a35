"""Solution markers in code cells: find misspelt ones, cut solutions out, read what is defined."""

__all__ = ["BEGIN", "END", "defined_names", "problems", "solved", "stub"]

import ast
import difflib
import re

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FORBIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS", "### BEGIN MARK SCHEME")
WORDS = re.compile(r"\b(begin|end)\b.*\b(solution|hidden|tests?|mark)|\bautotest\b", re.IGNORECASE)


def problems(source: str, *, in_solution: bool) -> list[tuple[int, str]]:
    """Return [(line offset, sentence)] for every marker that is misspelt or out of place.

    Parameters
    ----------
    source : str
        A cell's source.
    in_solution : bool
        Whether the cell is an exercise's, where solution markers belong.
    """
    found, open_at = [], None
    for offset, line in enumerate(source.splitlines(), 1):
        mark = line.strip()
        if mark in (BEGIN, END):
            problem, open_at = _balance(mark, open_at, offset, in_solution)
            found += [(offset, problem)] if problem else []
        elif _looks_like_marker(mark):
            message = f"{mark[:60]!r} looks like a marker; write exactly {BEGIN!r} or {END!r}"
            found.append((offset, message))
    return found + ([(open_at, f"{BEGIN!r} without {END!r}")] if open_at else [])


def stub(source: str) -> str:
    """Return the released form of a solution cell: nbgrader's stub in place of the solution."""
    return "\n".join(_without(source, replace=True))


def solved(source: str) -> str:
    """Return a solution cell without its markers."""
    kept = [line for line in source.splitlines() if line.strip() not in (BEGIN, END)]
    return "\n".join(kept)


def defined_names(source: str) -> list[str]:
    """Return the names of functions and classes that a cell defines at its top level."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a student's, built to break
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds)]


def _balance(mark, open_at, offset, in_solution):
    if not in_solution:
        return "a solution marker outside an exercise cell", open_at
    if mark == BEGIN and open_at:
        return f"a second {BEGIN!r} before {END!r}", open_at
    if mark == END and not open_at:
        return f"{END!r} without {BEGIN!r}", open_at
    return None, (offset if mark == BEGIN else None)


def _looks_like_marker(line):
    if BEGIN in line or END in line:
        return True
    if not line.startswith("#"):
        return False
    close = difflib.get_close_matches(line.upper(), (BEGIN, END, *FORBIDDEN), n=1, cutoff=0.75)
    return bool(close or WORDS.search(line)) and len(line) < 60


def _without(source, *, replace):
    inside = False
    for line in source.splitlines():
        if line.strip() == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            if replace:
                yield from (f"{indent}# YOUR CODE HERE", f"{indent}raise NotImplementedError()")
        elif line.strip() == END:
            inside = False
        elif not inside:
            yield line
