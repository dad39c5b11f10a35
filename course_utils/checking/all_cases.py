"""A button that judges an exercise with all cases, where the whole course is at hand."""

__all__ = ["at_hand", "offer"]

import ast
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TypeGuard

import ipywidgets
from IPython import get_ipython
from IPython.display import display


def at_hand(folder: str | Path = ".") -> bool:
    """Tell whether a folder is a unit's in work/, beside the sources that hold all cases."""
    here = Path(folder).resolve()
    source = here.parent.parent / "source" / here.name / f"{here.name}.ipynb"
    return here.parent.name == "work" and source.is_file()


def offer(exercise: str) -> None:
    """Show the button."""
    display(AllCases(exercise, Path.cwd()))


class AllCases(ipywidgets.VBox):
    """A button, and below it what the judge said.

    Parameters
    ----------
    exercise : str
    folder : Path
        The unit's folder in work/.
    """

    def __init__(self, exercise: str, folder: Path) -> None:
        self._exercise, self._folder = exercise, folder
        self._button = ipywidgets.Button(description="Check all cases")
        self._button.on_click(self._clicked)
        self._told = ipywidgets.HTML()
        super().__init__([self._button, self._told])

    def __repr__(self) -> str:
        return f"All cases: make check UNIT={self._folder.name[:2]}"

    def _clicked(self, _button: object) -> None:
        self._button.disabled = True
        self._say("Checking all cases ...")
        try:
            source = last_answer(stub_names(self._exercise), _history())
            self._told.value = judged_elsewhere(self._folder, self._exercise, source, self._say)
        except (LookupError, OSError, ValueError) as error:
            self._say(str(error))
        finally:
            self._button.disabled = False

    def _say(self, words: str) -> None:
        self._told.value = f"<em style='white-space:pre-wrap'>{escape(words)}</em>"


def judged_elsewhere(
    folder: Path, exercise: str, source: str, say: Callable[[str], object]
) -> str:
    """Return the judge's panel of an answer, made in a process of its own.

    Parameters
    ----------
    folder : Path
        The unit's folder in work/.
    exercise, source : str
    say : callable
        Told each line of what takes long.

    Raises
    ------
    OSError
        The judge could not do it; the message is its own.
    """
    command = [sys.executable, "-m", "course_grader", "check", "--json"]
    command += ["--unit", folder.name, "--exercise", exercise, "--work", str(folder.parent)]
    root, said = folder.parent.parent, list[str]()
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
    # A file takes an answer of any length; a pipe that nobody reads yet would stop the judge.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        with subprocess.Popen(
            command,
            cwd=root,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as judge:
            assert judge.stdin and judge.stderr
            with contextlib.suppress(BrokenPipeError):  # it ended early, and says why
                judge.stdin.write(source)
                judge.stdin.close()
            for line in judge.stderr:
                said.append(line.strip())
                say(said[-1])
        answer.seek(0)
        if judge.returncode:
            raise OSError("\n".join(said[-20:]) or f"the judge ended with {judge.returncode}")
        html: str = json.load(answer)["html"]
        return html


def _history() -> list[str]:
    """Return the cells that ran in this kernel."""
    shell = get_ipython()
    return list(shell.user_ns.get("In", [])) if shell else []


def stub_names(exercise: str, folder: str | Path = ".") -> set[str]:
    """Return the names that an exercise's stub binds.

    Raises
    ------
    LookupError
        The release has no such exercise.
    """
    here = Path(folder).resolve()
    path = here.parent.parent / "release" / here.name / f"{here.name}.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    stubs = ["".join(c["source"]) for c in cells if c.get("id") == f"{exercise}-solution"]
    if not stubs:
        raise LookupError(f"{path.name} has no exercise {exercise}")
    return bound_in(stubs[0])


def last_answer(names: set[str], history: list[str]) -> str:
    """Return the last cell that ran and binds all of some names.

    Parameters
    ----------
    names : set of str
    history : list of str
        The cells that ran, as IPython keeps them.

    Raises
    ------
    LookupError
        None did.
    """
    found = [source for source in history if names <= bound_in(source)]
    if not found:
        raise LookupError(f"No cell that ran defines {', '.join(sorted(names))}: run yours first.")
    return found[-1]


def bound_in(source: str) -> set[str]:
    """Return the names that a cell binds at its top level; magics are passed over."""
    shell = get_ipython()
    plain = shell.transform_cell(source) if shell else source
    names = set()
    with contextlib.suppress(SyntaxError):
        for node in ast.parse(plain).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                names |= {one.id for one in ast.walk(node) if _is_bound(one)}
    return names


def _is_bound(node: ast.AST) -> TypeGuard[ast.Name]:
    """Tell whether a node is a name that gets a value; one that is only read is none."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
