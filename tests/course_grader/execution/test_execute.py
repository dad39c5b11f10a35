"""What runs in the sandbox shows what a notebook shows, and costs nobody but its own exercise."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_grader.execution import sandbox
from course_grader.execution.execute import NoSandbox, execute
from course_grader.project.course import LIMITS

QUICK = LIMITS | {"cell_seconds": 8, "submission_seconds": 45}

CELLS = {
    "text": "print('words')",
    "result": "1 + 1",
    "await": "import asyncio; await asyncio.sleep(0, 'awaited')",
    "figure": "from matplotlib import pyplot as plt; plt.plot([1]);",
    "widget": "import ipywidgets; ipywidgets.IntSlider()",
    "state": "import os; kept = 41",
    "program": "import subprocess; subprocess.run(['echo', 'from a program']);",
    "asks": "input('name?')",
    "fork": "if os.fork() == 0:\n    print('from a fork')\nelse:\n    os.wait(); print('parent')",
    "fork-fails": "if os.fork() == 0:\n    1 / 0\nos.wait(); print('unharmed')",
    "overwrites": "print('10%\\r20%\\r30%')",
    "updates": "shown = display('first', display_id=True); shown.update('second')",
    "clears": "print('gone'); from IPython.display import clear_output; clear_output()",
    "leaves": "exit",
    "dies": "import os; os._exit(3)",
    "goes-on": "kept + 1",
    "loops": "while True: pass",
    "goes-on-again": "kept + 2",
    "network": "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
    "lookup": "socket.getaddrinfo('example.org', 80)",
    "writes": "open('/usr/x', 'w')",
    "own-folder": "open('mine.txt', 'w').write('ok')",
    "memory": "len(bytearray(6 << 30))",
    "threads": "import torch; torch.get_num_threads()",
    "flood": "print('x' * 3_000_000)",
    "shared-memory": "[open(f'/dev/shm/{i}', 'wb').write(bytes(200 << 20)) for i in (1, 2)]",
    "who": "import os, getpass; getpass.getuser(), os.getpid() < 100",
}


@pytest.fixture(scope="module", params=["preloaded bubblewrap", "bubblewrap"])
def ran(request, bubblewrap, forkserver):
    """Execute all cells in one notebook; return {id: outputs}, and what is said of the run."""
    cells = [new_code_cell(source, id=key) for key, source in CELLS.items()]
    notebook = new_notebook(cells=[new_markdown_cell("# Title", id="title"), *cells])
    chosen = forkserver if request.param == "preloaded bubblewrap" else None
    done = execute(notebook, limits=QUICK, forkserver=chosen)
    assert done.metadata.execution["sandbox"] == request.param
    assert all(cell.outputs == [] for cell in cells)  # the input is left alone
    outputs = {cell.id: cell.outputs for cell in done.cells if cell.cell_type == "code"}
    return outputs, done.metadata.execution


def shown(ran, key):
    return " ".join(str(output) for output in ran[0][key])


RESULTS = {
    "text": "words",
    "result": "'text/plain': '2'",
    "await": "awaited",
    "figure": "image/png",
    "widget": "IntSlider",
    "program": "from a program",
    "fork": "parent",
    "fork-fails": "unharmed",
    "overwrites": "'text': '30%\\n'",
    "updates": "second",
    "own-folder": "'text/plain': '2'",
    "goes-on": "42",
    "goes-on-again": "43",
    "threads": "'text/plain': '1'",
    "who": "student",
}


@pytest.mark.parametrize("key", RESULTS)
def test_a_cell_shows_what_it_shows_in_a_notebook(key, ran):
    assert RESULTS[key] in shown(ran, key)


ERRORS = {
    "dies": "ProcessEnded",
    "leaves": "ProcessEnded",
    "asks": "StdinNotImplementedError",
    "loops": "TookTooLong",
    "network": "refused",
    "lookup": "gaierror",
    "writes": "Read-only file system",
    "memory": "MemoryError",
    "shared-memory": "No space left",
}


@pytest.mark.parametrize("key", ERRORS)
def test_what_must_not_be_fails(key, ran):
    assert ERRORS[key] in shown(ran, key)


def test_culprits_are_named(ran):
    assert ran[1]["died"] == ["leaves", "dies"] and ran[1]["too_long"] == ["loops"]
    assert 3 < ran[1]["seconds"] < 45


def test_what_is_cleared_or_replaced_is_gone(ran):
    assert shown(ran, "clears") == "" and "first" not in shown(ran, "updates")


def test_a_flood_is_cut(ran):
    assert len(shown(ran, "flood")) < 2_000_000


def test_the_submissions_time_ends(bubblewrap):
    cells = [new_code_cell("import time; time.sleep(1.5)", id=f"c{i}") for i in range(4)]
    done = execute(new_notebook(cells=cells), limits=QUICK | {"submission_seconds": 3})
    assert "time was used up" in str(done.cells[-1].outputs)
    assert "c3" in done.metadata.execution["too_long"]


def test_without_bubblewrap_it_is_refused_unless_one_says_so(monkeypatch):
    monkeypatch.setattr(sandbox, "available", lambda: False)
    notebook = new_notebook(cells=[new_code_cell("import os; os.environ['COURSE_DEVICE']")])
    with pytest.raises(NoSandbox, match="apt install bubblewrap"):
        execute(notebook)
    done = execute(notebook, without_sandbox=True)
    assert "cpu" in str(done.cells[0].outputs)
    assert done.metadata.execution["sandbox"] == "none"
