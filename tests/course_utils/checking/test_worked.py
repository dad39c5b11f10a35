"""The worked solution is shown from the course's own folder, and from nowhere else."""

import json

import pytest

from course_utils.checking.worked import worked_solution


@pytest.fixture
def assignment(tmp_path):
    """An assignment's folder two levels below one that holds solutions/."""
    (tmp_path / "solutions").mkdir()
    cells = [
        {"metadata": {"exercise": "mean"}, "source": ["def mean(x):\n", "    return x\n"]},
        {"metadata": {"why": "mean"}, "source": "It is\n`x`."},
        {"metadata": {}, "source": "check"},
        {"metadata": {"exercise": "mode"}, "source": "def mode(x):\n    return x"},
    ]
    (tmp_path / "solutions" / "01_first.ipynb").write_text(json.dumps({"cells": cells}))
    folder = tmp_path / "work" / "01_first"
    folder.mkdir(parents=True)
    return folder


def test_it_is_the_source_of_the_solution_cell_and_why(assignment):
    told = "def mean(x):\n    return x\n\n# It is\n# `x`."
    assert worked_solution("mean", assignment) == told
    assert worked_solution("mode", assignment) == "def mode(x):\n    return x"
    assert worked_solution("median", assignment) == ""


def test_a_class_that_got_no_solutions_sees_none(assignment, tmp_path):
    path = tmp_path / "solutions" / "01_first.ipynb"
    path.write_text("{")
    assert worked_solution("mean", assignment) == ""
    path.unlink()
    assert worked_solution("mean", assignment) == ""
    assert worked_solution("mean", "/") == ""
