"""One shape of module: a docstring, an __all__ of what exists, at most 200 lines."""

import ast
import importlib
from pathlib import Path

import pytest

import course_utils

PROJECT = Path(course_utils.__file__).resolve().parents[1]
PACKAGES = ("course_utils", "course_grader")
MODULES = [p for d in PACKAGES for p in sorted((PROJECT / d).rglob("[!_]*.py"))]
MAKING = ("__init__", "__call__")
LONGEST = 30  # lines of a function's body


def name_of(path):
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts)


def functions(path):
    tree = ast.parse(path.read_text("utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_the_one_shape(path):
    module = importlib.import_module(name_of(path))
    lines = path.read_text("utf-8").splitlines()
    assert module.__doc__ and len(lines) <= 200
    assert all(hasattr(module, name) for name in module.__all__)
    undocumented = [
        n
        for n in module.__all__
        if callable(getattr(module, n)) and not getattr(module, n).__doc__
    ]
    assert undocumented == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_long(path):
    for function in functions(path):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        size = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert size <= LONGEST, f"{function.name} has {size} lines"


def public_functions(body):
    """Yield functions that others may call, and how public classes are made."""
    for node in body:
        public = not getattr(node, "name", "_").startswith("_")
        if isinstance(node, ast.ClassDef) and public:
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and (public or node.name in MAKING):
            yield node


def untyped(function):
    """Return what of a function's parameters, and of what it returns, has no type."""
    given = function.args
    named = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    own = {"self", "cls"}
    missing = [a.arg for a in named if a and not a.annotation and a.arg not in own]
    return missing + ([] if function.returns else ["what it returns"])


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_functions_are_typed(path):
    body = ast.parse(path.read_text("utf-8")).body
    found = {f.name: untyped(f) for f in public_functions(body)}
    assert {name: missing for name, missing in found.items() if missing} == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_students_code_imports_nothing_of_the_graders(path):
    if name_of(path).startswith("course_utils."):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        found = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
        found |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not any(name.split(".")[0] == "course_grader" for name in found)
