"""The learner's own copy is made once, never overwritten, and checked with all checks."""

import re
import shutil

import pytest

from course_grader.authoring.composer import Composer
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, CourseError, units
from course_grader.workspace import check_work, prepare_work


@pytest.fixture
def project(tmp_path):
    """A project folder with the trees that work/ is made from."""
    for tree in ("notebooks", "release", "source"):
        shutil.copytree(PROJECT / tree, tmp_path / tree)
    shutil.copy(PROJECT / "nbgrader_config.py", tmp_path)
    return tmp_path


def prepared(unit, project):
    said = []
    prepare_work([unit], project=project, say=said.append)
    return said


def links_in(notebook):
    """Return the files that a notebook's prose links to, without anchors."""
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    return re.findall(r"\]\((?!https?:)([^)#]+)", prose)


def mine(unit, project):
    return project / "work" / unit.name / f"{unit.name}.ipynb"


def test_work_holds_assignment_lesson_and_expected_values(unit, project):
    assert len(prepared(unit, project)) == 2
    names = {path.name for path in (project / "work" / unit.name).iterdir()}
    assert names == {f"{unit.name}.ipynb", "lesson.ipynb", "checks.json"}


def test_a_lesson_in_work_shows_no_output_before_it_runs(unit, project):
    prepared(unit, project)
    lesson = notebooks.load(project / "work" / unit.name / "lesson.ipynb")
    assert not any(cell.get("outputs") for cell in lesson.cells)


def test_links_between_lessons_lead_to_lessons(project):
    prepare_work(units(), project=project, say=lambda words: None)
    for unit in units():
        folder = project / "work" / unit.name
        links = links_in(notebooks.load(folder / "lesson.ipynb"))
        assert links or unit.name.startswith("00")
        assert all((folder / link).is_file() for link in links)


def test_what_the_learner_wrote_is_never_overwritten(unit, project):
    prepared(unit, project)
    notebook = notebooks.load(mine(unit, project))
    notebook.cells[0].source = "my words"
    notebooks.save(notebook, mine(unit, project))
    assert prepared(unit, project) == []
    assert notebooks.load(mine(unit, project)).cells[0].source == "my words"


@pytest.mark.parametrize("spoil", ["older", "half-saved"])
def test_a_newer_release_lands_beside_it_once_with_a_message(spoil, unit, project):
    prepared(unit, project)
    if spoil == "older":
        notebook = notebooks.load(mine(unit, project))
        notebook.metadata["course"] = {"hash": "0123"}
        notebooks.save(notebook, mine(unit, project))
    else:
        mine(unit, project).write_text('{"cells": [', "utf-8")
    before = mine(unit, project).read_bytes()
    [message] = prepared(unit, project)
    assert "released anew" in message and "untouched" in message
    assert len(list((project / "work" / unit.name).glob("release-*/*.ipynb"))) == 1
    assert prepared(unit, project) == []
    assert mine(unit, project).read_bytes() == before


def test_checking_uses_hidden_checks_and_the_same_judge(unit, project):
    wrong, score = Composer(Course(), unit).compose({"gaussian-nll": "never-negative"})
    notebooks.save(wrong, mine(unit, project))
    told = check_work(unit, project=project)
    assert f"{score:g} of " in told
    assert "a further case is not as expected" in told
    assert "do not clip it at zero" in told
    assert "bce-from-logits: passed, 5 of 5 points" in told


def test_checking_without_work_says_what_to_do(unit, project):
    with pytest.raises(CourseError, match="make lab"):
        check_work(unit, project=project)
