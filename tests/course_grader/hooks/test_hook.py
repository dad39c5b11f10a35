"""Each private part of a library that we lean on is named where it is gone, and nowhere else."""

import ast
import queue
import subprocess
import sys
from pathlib import Path

import pytest

from course_grader.hooks import nbclient, nbconvert, nbformat, nbgrader, torch
from course_grader.hooks.hook import Hook, HookGone
from course_grader.project.course import PROJECT

MODULES = (nbclient, nbconvert, nbformat, nbgrader, torch)
HOOKS = [one for module in MODULES for one in vars(module).values() if isinstance(one, Hook)]
OURS = {"_publish", "_add", "_moved", "_repr_html_", "_exit"}  # our own classes', and os._exit
GRADING_WITHOUT_SCORES = """
import sys
import nbgrader.preprocessors
del nbgrader.preprocessors.SaveAutoGrades._add_score
from course_grader.__main__ import main
sys.exit(main(["due", "--unit", "00"]))
"""


def remove(hook, monkeypatch):
    """Take away the part, or what it belongs to where Python would find another in its place."""
    if not hook.name:
        monkeypatch.setitem(sys.modules, hook.place, None)
    elif hook.name == "__init__":
        module, _, kind = hook.place.partition(":")
        monkeypatch.delattr(sys.modules[module], kind)
    else:
        owner = hook.owner()
        kinds = owner.__mro__ if isinstance(owner, type) else [owner, *type(owner).__mro__]
        for kind in [kind for kind in kinds if hook.name in vars(kind)]:
            monkeypatch.delattr(kind, hook.name)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: f"{hook.place}.{hook.name}")
def test_a_hook_that_is_gone_is_named_with_library_and_version(hook, monkeypatch):
    assert hook.get() is not None
    remove(hook, monkeypatch)
    for reach in (hook.get, lambda: hook.replace(None), hook.replaced(None).__enter__):
        with pytest.raises(HookGone) as told:
            reach()
    part = f"{hook.place}.{hook.name}".rstrip(".")
    assert f"has no {part}, which" in str(told.value)
    assert str(told.value).startswith(f"{hook.library} ")
    assert f"{hook.library}=={hook.read_in}" in str(told.value)


def test_each_library_was_read_in_the_version_that_is_tested_with():
    pinned = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    for hook in HOOKS:
        assert f"{hook.library}=={hook.read_in}" in pinned, "read it again, and note the version"


def test_each_library_has_an_upper_bound():
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    for name in {hook.library for hook in HOOKS} | {"ipykernel"}:
        [line] = [one for one in text.splitlines() if one.strip().startswith(f'"{name}>=')]
        assert ",<" in line


def test_a_command_that_needs_a_hook_that_is_gone_says_so_in_one_message():
    command = [sys.executable, "-c", GRADING_WITHOUT_SCORES]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "has no nbgrader.preprocessors:SaveAutoGrades._add_score" in done.stderr
    assert "Traceback" not in done.stderr


class Ours(queue.Queue):
    """Stands for a subclass of a library's class."""

    def counted(self):
        """Stand for what we do besides."""
        return 100 + COUNT.get()(self)


COUNT = Hook("pytest", "0", "queue:Queue", "_qsize")


def test_a_part_is_overridden_and_replaced_and_put_back():
    COUNT.override(Ours, Ours.counted)
    assert Ours().qsize() == 100
    before = vars(queue.Queue).copy()
    with COUNT.replaced(lambda self: 7):
        assert queue.Queue().qsize() == 7
    assert vars(queue.Queue) == before and queue.Queue().qsize() == 0


def test_what_an_object_takes_from_its_class_is_not_left_on_the_object():
    before = dict(vars(nbgrader.COLLECT_TABLES.owner()))
    with nbgrader.COLLECT_TABLES.replaced(None):
        assert nbgrader.COLLECT_TABLES.get() is None
    assert vars(nbgrader.COLLECT_TABLES.owner()) == before


def private_names(path):
    """Yield names with an underscore in front that a module takes of something not its own."""
    tree = ast.parse(path.read_text("utf-8"))
    defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", *defined}
            if not own and not node.attr.startswith("__"):
                yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (a.name for a in node.names if a.name.startswith("_"))


@pytest.mark.parametrize("package", ["course_grader", "course_utils"])
def test_no_other_module_takes_a_private_name_of_a_library(package):
    found = {
        str(path.relative_to(PROJECT)): names
        for path in Path(PROJECT, package).rglob("*.py")
        if (names := set(private_names(path)) - OURS - {"__version__"})
    }
    assert found == {}
