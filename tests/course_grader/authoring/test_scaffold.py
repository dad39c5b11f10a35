"""A new unit is a skeleton that builds and is proven, under names of its own."""

import shutil

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.scaffold import new_unit
from course_grader.building.build import build
from course_grader.project.course import PROJECT, CourseError
from course_grader.proving.proof import prove


@pytest.fixture
def project(tmp_path):
    shutil.copytree(PROJECT / "masters" / "_skeleton", tmp_path / "masters" / "_skeleton")
    return tmp_path


def test_a_new_unit_builds_and_is_proven(project):
    unit = new_unit("07_waiting_times", project)
    assert list(read_assignment(unit).exercises) == ["waiting-times-nll"]
    build(unit, project=project, say=lambda line: None)
    assert (project / "release" / unit.name / f"{unit.name}.ipynb").is_file()
    assert [problem for proof in prove(unit) for problem in proof.problems] == []


@pytest.mark.parametrize("name", ["7_x", "07-x", "07_X", "", "../07_x"])
def test_another_form_of_name_is_refused(name, project):
    with pytest.raises(CourseError, match="two digits"):
        new_unit(name, project)


def test_a_number_is_given_once(project):
    new_unit("07_one", project)
    with pytest.raises(CourseError, match="taken by 07_one"):
        new_unit("07_two", project)
