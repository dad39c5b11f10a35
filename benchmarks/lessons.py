"""What a lesson defines, for benchmarks that run it."""

__all__ = ["lesson"]

import ast

import torch

from course_grader.project.course import find_unit

KINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def lesson(number, constants=()):
    """Return a unit's imports, functions, classes and the named constants, executed.

    Parameters
    ----------
    number : str
        The unit's, such as "12".
    constants : sequence of str
        Assignments that its functions, or the caller, need; all others are left out.
    """
    tree = ast.parse(find_unit(number).master("lesson").read_text("utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, KINDS) or _binds(node, constants)]
    space = {"device": torch.device("cpu"), "__name__": "lesson"}
    exec(compile(tree, f"lesson {number}", "exec"), space)
    return space


def _binds(node, names):
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    return isinstance(node, ast.Assign) and bool(bound & set(names))
