"""What runs again after the lesson keeps the names that it draws and computes with."""

import pytest

from course_grader.authoring.masters import MasterError, read_master
from course_grader.building.build import build
from course_grader.building.name_rules import taken_names
from course_grader.project.course import units
from tests.course_grader.building.test_lesson_rules import new_unit_in

LATER = '\n# %% [markdown]\n# And now:\n\n# %%\n{source}\nprint("later")\n'


@pytest.fixture
def own(tmp_path):
    return new_unit_in(tmp_path)


def told(unit, source):
    """Return the names that a cell at the lesson's end would take from earlier functions."""
    path = unit.master("lesson")
    path.write_text(path.read_text("utf-8") + LATER.format(source=source), "utf-8")
    return [message.split("'")[1] for _, message in taken_names(read_master(path, "lesson").cells)]


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_no_lesson_takes_a_name_from_a_slider_or_a_claim(unit):
    assert list(taken_names(read_master(unit.master("lesson"), "lesson").cells)) == []


TAKEN = (
    "t = [0.5]",
    "for t in (1, 2):\n    pass",
    "def t():\n    pass",
    "t, other = 1, 2",
    "import time as t",
)


@pytest.mark.parametrize("source", TAKEN)
def test_a_later_cell_that_takes_a_name_is_found(own, source):
    assert told(own, source) == ["t"]


@pytest.mark.parametrize("source", ["[t for t in (1, 2)]", "own = 3", "len(t)"])
def test_what_binds_nothing_of_theirs_is_let_through(own, source):
    assert told(own, source) == []


def test_the_functions_themselves_keep_their_names_too(own):
    assert told(own, "draw_gaps = 3") == ["draw_gaps"]


def test_the_build_stops_and_names_the_line(own, tmp_path):
    told(own, "t = 3")
    line = own.master("lesson").read_text("utf-8").splitlines().index("t = 3")
    words = rf"lesson\.py:{line}: 't' is what draw_gaps\(\) draws or computes with: rename"
    with pytest.raises(MasterError, match=words):
        build(own, project=tmp_path, say=lambda words: None)
