"""A cell that runs as it is, is one that IPython would not have changed, nor awaited."""

import ast
import inspect
import re
import warnings

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_notebook

from course_grader.execution.execute import execute
from course_grader.execution.inside.plain_cells import is_plain
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units

ODD = {  # cells that IPython changes, awaits or warns of
    "a magic": "%matplotlib inline\nx = 1",
    "a cell magic": "%%time\nx = 1",
    "the shell": "x = 1\n!ls",
    "the shell, kept": "x = 1\nfiles = !ls",
    "help": "x = 1\nx?",
    "one word": "ls\n",
    "a prompt": "In [1]: x = 1\nIn [2]: y = 2",
    "a classic prompt": ">>> x = 1\n>>> y = 2",
    "dots on the second line": "x = 1\n...",
    "an indent": "  x = 1\n  y = 2",
    "an empty line first": "\nx = 1\ny = 2",
    "awaits": "import asyncio\nawait asyncio.sleep(0)",
    "awaits in a loop": "async for x in y:\n    pass",
    "no Python": "x = 1\ny = (",
    "warned of": "x = 1\ny = '\\d'",
    "a null byte": "x = 1\ny = '\0'",
    "deep": "x = 1\ny = " + "(" * 300 + ")" * 300,
}
PLAIN = {
    "two lines": "x = 1\ny = 2",
    "signs in text": "text = '''\n%time\n!ls\nx?\n'''\nx = 7 % 3 != 1",
    "no empty line at the end": "def f(x):\n    return x",
    "some at the end": "x = 1\ny = 2\n\n\n",
    "a comment": "# ?\nx = 1  # %",
    "other ends of lines": "x = 1\r\ny = 2\r\n",
}
SHOWN = [
    "print(1)\n1 + 1",
    "import warnings\nwarnings.warn('careful')",
    "def f(x):\n    return 1 / x\n\nf(0)",
    "import inspect\nprint(inspect.getsource(f))",
    "x = (\n1",
]
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def transformed(code):
    return TransformerManager().transform_cell(code)


@pytest.mark.parametrize("code", ODD.values(), ids=ODD)
def test_what_is_not_plain_python_is_left_to_ipython(code):
    assert not is_plain(code)


@pytest.mark.parametrize("code", PLAIN.values(), ids=PLAIN)
def test_a_plain_cell_is_what_ipython_makes_of_it(code):
    assert is_plain(code)
    assert transformed(code) == (code if code.endswith("\n") else f"{code}\n")


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_in_every_notebook_plain_cells_are_as_ipython_makes_them(unit):
    paths = [
        *PROJECT.glob(f"source/{unit.name}/*.ipynb"),
        PROJECT / f"notebooks/{unit.name}.ipynb",
    ]
    cells = [cell for path in paths for cell in notebooks.load(path).cells]
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    plain = [code for code in codes if is_plain(code)]
    for code in plain:
        assert transformed(code).rstrip("\n") == code.rstrip("\n")
        compiled = compile(code, "", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert not compiled.co_flags & inspect.CO_COROUTINE
    assert len("".join(plain)) > 0.5 * len("".join(codes))  # or it spares little


def test_asking_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_plain("x = 1\nx is 'text'\n(1, 2)(3)")


def test_a_plain_cell_shows_its_value_its_warnings_and_where_it_failed(forkserver):
    done = execute(new_notebook(cells=list(map(new_code_cell, SHOWN))), forkserver=forkserver)
    printed, warned, failed, source, broken = (cell.outputs for cell in done.cells)
    assert [output.output_type for output in printed] == ["stream", "execute_result"]
    assert ":2: UserWarning: careful" in warned[0].text and warned[0].name == "stderr"
    told = COLOUR.sub("", "\n".join(failed[0].traceback))
    assert "Cell In[3], line 4\n" in told and "----> 4 f(0)" in told
    assert source[0].text == "def f(x):\n    return 1 / x\n\n"
    assert broken[0].ename == "SyntaxError" and "line 2" in broken[0].traceback[0]
