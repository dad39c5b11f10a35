"""What the red team's tests share: a graded class of all attacks."""

import pytest

from course_grader.execution.cache import data_files
from course_grader.execution.probe import preloading
from course_grader.project.course import Course, find_unit
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import QuickUnit, attack_class


@pytest.fixture(scope="session")
def unit():
    """Unit 01, with less time for each cell."""
    return QuickUnit(find_unit("01").folder)


@pytest.fixture(scope="session")
def graded(unit, tmp_path_factory, bubblewrap):
    """All attacks, graded once between honest students: (attackers, neighbours, folder)."""
    folder = tmp_path_factory.mktemp("redteam")
    return *attack_class(ATTACKS, unit, folder), folder


@pytest.fixture(scope="session")
def forkserver(unit, bubblewrap):
    """A preloaded sandbox for classes of one."""
    told = []
    with preloading(data_files(Course(), unit), say=told.append) as ready:
        yield ready() or pytest.fail(str(told))
