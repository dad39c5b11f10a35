"""The learner's own copy is made once, never overwritten, and finds its way."""

import re
import shutil

import pytest

from course_grader.authoring.composer import Composer, cell_of
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, CourseError, units
from course_grader.self_check import check_answer, check_work
from course_grader.workspace import LANDING, lesson_name, prepare_work
from course_utils import progress_file
from course_utils.progress_file import keep_result


@pytest.fixture
def project(tmp_path):
    """A project folder with the trees that work/ is made from."""
    for tree in ("notebooks", "release", "source", "docs"):
        shutil.copytree(PROJECT / tree, tmp_path / tree)
    shutil.copy(PROJECT / "nbgrader_config.py", tmp_path)
    return tmp_path


def prepared(unit, project):
    said = []
    prepare_work([unit], project=project, say=said.append)
    return said


def links_in(notebook):
    """Return the files that a notebook's prose links to, without anchors and titles."""
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    return re.findall(r"\]\((?!https?:)([^)#\s]+)", prose)


def mine(unit, project):
    return project / "work" / unit.name / f"{unit.name}.ipynb"


def test_work_holds_assignment_lesson_expected_values_and_cards(unit, project):
    assert len(prepared(unit, project)) == 2
    names = {path.name for path in (project / "work" / unit.name).iterdir()}
    data = {"checks.json", "cards.json"}
    assert names == {f"{unit.name}.ipynb", f"{unit.name[:2]}_lesson.ipynb"} | data
    assert (project / "work" / "review.ipynb").is_file()


def test_a_lesson_in_work_shows_no_output_before_it_runs(unit, project):
    prepared(unit, project)
    folder = project / "work" / unit.name
    lesson = notebooks.load(folder / lesson_name(folder))
    assert not any(cell.get("outputs") for cell in lesson.cells)


@pytest.mark.parametrize("older", [False, True], ids=["new", "older"])
def test_every_page_links_to_its_neighbours_and_every_link_leads_somewhere(older, project):
    known = units()
    folders = [project / "work" / unit.name for unit in known]
    if older:  # a copy from before lessons had the unit's number in their name
        shutil.copytree(project / "notebooks", folders[3])
        (folders[3] / f"{known[3].name}.ipynb").rename(folders[3] / "lesson.ipynb")
    prepare_work(known, project=project, say=lambda words: None)
    for place, folder in enumerate(folders):
        mine = folder / f"{folder.name}.ipynb", folder / lesson_name(folder)
        for path in mine[: 1 if older and place == 3 else 2]:
            page = notebooks.load(path)
            links = {(folder / link).resolve() for link in links_in(page)}
            around = folders[max(place - 1, 0) : place + 2]
            assert links >= {one / lesson_name(one) for one in around} | {mine[0]}
            assert links >= {project / "work" / LANDING}
            assert all(link.is_file() for link in links)
            assert page.cells[0].source == page.cells[-1].source


def test_the_landing_page_shows_the_map_and_keeps_what_a_learner_added(project, monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    known = units()
    prepare_work(known, project=project, say=lambda words: None)
    path = project / "work" / LANDING
    page = notebooks.load(path)
    [cell] = [cell for cell in page.cells if cell.cell_type == "code"]
    shown = cell.outputs[0].data["text/html"]
    for unit in known:
        folder = project / "work" / unit.name
        assert f"href='./{unit.name}/{lesson_name(folder)}'" in shown
    assert f"Next: read {known[0].name}/" in shown
    page.cells[0].source = "my own words"
    notebooks.save(page, path)
    keep_result(
        "one-of-several-labels", "passed", 6.0, cases="all", folder=path.parent / known[1].name
    )
    prepare_work(known, project=project, say=lambda words: None)
    again = notebooks.load(path)
    assert again.cells[0].source == "my own words"
    assert "<span>begun</span>" in again.cells[1].outputs[0].data["text/html"]
    assert (
        "one-of-several-labels: passed in all cases"
        in again.cells[1].outputs[0].data["text/plain"]
    )


def test_the_glossary_links_to_the_lessons_of_the_copy(project):
    prepare_work(units(), project=project, say=lambda words: None)
    page = (project / "work" / "glossary.md").read_text("utf-8")
    links = re.findall(r"\]\(([^#)]+)#", page)
    assert len(links) > 50 and all((project / "work" / link).is_file() for link in links)


def test_a_damaged_landing_page_is_made_anew(unit, project):
    (project / "work").mkdir()
    (project / "work" / LANDING).write_text('{"cells": [', "utf-8")
    prepared(unit, project)
    assert len(notebooks.load(project / "work" / LANDING).cells) == 2


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
    judged = check_work(unit, work=project / "work")
    told = "\n".join(one.text() for one in judged)
    assert sum(one.verdict.earned for one in judged) == score
    assert "a further case is not as expected" in told
    assert "do not clip it at zero" in told
    assert "bce-from-logits: passed, 5 of 5 points" in told


def results(unit, project):
    return progress_file.read(project / "work" / unit.name)["results"]


def test_what_was_checked_with_all_cases_is_kept_as_progress(unit, project, monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    wrong, _ = Composer(Course(), unit).compose({"gaussian-nll": "never-negative"})
    notebooks.save(wrong, mine(unit, project))
    check_work(unit, work=project / "work")
    kept = results(unit, project)
    assert kept["bce-from-logits"]["all"] == {"status": "passed", "points": 5.0}
    assert kept["gaussian-nll"]["all"]["status"] == "not yet"
    made = progress_file.read(project / "work" / unit.name)["mistakes"]
    assert made.keys() == {"gaussian-nll"}
    assert "do not clip it at zero" in made["gaussian-nll"]["never-negative"]


def answer_of(exercise, name, unit):
    notebook, _ = Composer(Course(), unit).compose({exercise: name})
    return cell_of(notebook, f"{exercise}-solution").source


def test_one_answer_is_checked_in_the_notebook_as_it_stands(unit, project, monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    prepared(unit, project)
    source = answer_of("gaussian-nll", "never-negative", unit)
    judged = check_answer(unit, "gaussian-nll", source, work=project / "work")
    assert judged.verdict.status == "not yet" and "do not clip it at zero" in judged.text()
    assert "further case is not as expected" in judged.text()
    assert "gave" not in judged.text() and "Hidden cases that fail" in judged.html()
    assert all("expected" in case or "must" in case for case in judged.cases) and judged.cases
    assert list(results(unit, project)) == ["gaussian-nll"]
    assert notebooks.load(mine(unit, project)).cells  # what is saved stays as it is


def test_what_a_hidden_case_raised_is_told_to_who_studies_alone(unit, project):
    prepared(unit, project)
    source = answer_of("bce-from-logits", "solution", unit)
    source = source.replace(
        "return", "if abs(z).max() > 90:\n        raise KeyError('far')\n    return", 1
    )
    judged = check_answer(unit, "bce-from-logits", source, work=project / "work")
    assert "KeyError" in judged.text()


def test_a_solution_cell_that_was_deleted_is_put_back(unit, project):
    prepared(unit, project)
    notebook = notebooks.load(mine(unit, project))
    notebook.cells = [cell for cell in notebook.cells if cell.id != "gaussian-nll-solution"]
    notebooks.save(notebook, mine(unit, project))
    source = answer_of("gaussian-nll", "solution", unit)
    judged = check_answer(unit, "gaussian-nll", source, work=project / "work")
    assert judged.verdict.status == "passed"


def test_a_renamed_notebook_is_found(unit, project):
    wrong, _ = Composer(Course(), unit).compose({})
    renamed = mine(unit, project).with_name("mine of monday.ipynb")
    notebooks.save(wrong, renamed)
    assert {one.verdict.status for one in check_work(unit, work=project / "work")} == {"passed"}


def test_checking_without_work_says_what_to_do(unit, project):
    with pytest.raises(CourseError, match="make lab"):
        check_work(unit, work=project / "work")
