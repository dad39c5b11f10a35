"""The kernels of `make lab` start soon: what a notebook imports is not searched for garbage."""

import json
import os

import pytest
from jupyter_client.manager import run_kernel

from tests.serving import as_make_lab_says

NOW = "import gc, json; print(json.dumps([gc.isenabled(), gc.get_freeze_count(), dir()]))"


@pytest.fixture(scope="module")
def told():
    """What four cells print: the first, the second, one with a name that is missing, the last."""
    with run_kernel(env=os.environ | as_make_lab_says()) as client:
        return [said(client, cell) for cell in (NOW, NOW, "missing", NOW)]


def said(client, cell):
    """Return what a cell prints."""
    heard = []

    def hear(message):
        if message["msg_type"] == "stream":
            heard.append(message["content"]["text"])

    client.execute_interactive(cell, output_hook=hear, timeout=60)
    return "".join(heard)


def test_garbage_is_looked_for_from_the_second_cell_on_and_not_in_what_was_imported(told):
    (first, frozen, _), (second, imported, _) = map(json.loads, told[:2])
    assert (first, frozen) == (False, 0)
    assert second and imported > 10_000


def test_it_leaves_no_name_behind(told):
    names = {name for name in json.loads(told[3])[2] if not name.startswith("_")}
    assert names == {"In", "Out", "exit", "quit", "get_ipython", "open", "gc", "json"}


def test_a_missing_name_is_explained(told):
    assert "run the cells above first" in told[2]
