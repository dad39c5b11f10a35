"""Examples in docstrings give what they say."""

import doctest
import importlib

import pytest

from tests.test_style import MODULES, name_of

WITH_EXAMPLES = [path for path in MODULES if ">>>" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_examples_hold(path, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(importlib.import_module(name_of(path)))
    assert done.attempted and not done.failed
