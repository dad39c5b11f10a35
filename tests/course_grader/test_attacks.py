"""A class of attackers, graded like any other: nobody earns a point that is not theirs."""

import copy
import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_grader import notebooks
from course_grader.composer import Composer, cell_of
from course_grader.course import Course
from course_grader.grade import grade, write_feedback
from course_grader.verdicts import judge_notebook

ATTACKS = {}
for _cell in jupytext.read(Path(__file__).with_name("attacks.py"), fmt="py:percent").cells:
    if _cell.cell_type == "code":
        ATTACKS.setdefault(_cell.metadata["title"], []).append(_cell)


def skip_tags(notebook):
    for one in notebook.cells:
        one.metadata["tags"] = ["skip-execution", "raises-exception", "remove-cell"]


def check_cell_as_text(notebook):
    check = cell_of(notebook, "gaussian-nll")
    place = notebook.cells.index(check)
    notebook.cells[place] = new_markdown_cell(check.source, id=check.id, metadata=check.metadata)


def points_raised(notebook):
    cell_of(notebook, "gaussian-nll").metadata.nbgrader["points"] = 1000


def check_cell_emptied(notebook):
    cell_of(notebook, "gaussian-nll").source = "4.0"


def check_cells_deleted(notebook):
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]


def solution_named_as_check(notebook):
    cell_of(notebook, "gaussian-nll-solution").metadata.nbgrader["grade_id"] = "gaussian-nll"


METADATA_ATTACKS = [
    skip_tags,
    check_cell_as_text,
    points_raised,
    check_cell_emptied,
    check_cells_deleted,
    solution_named_as_check,
]
WRONG = "def gaussian_nll(y, mu, sigma):\n    return 1.0"
SECOND_IS_RIGHT = 5.0  # the second exercise is solved honestly, unless the attack replaces it


@pytest.fixture(scope="module")
def graded(tmp_path_factory, unit, bubblewrap):
    """Grade every attack; return (course, {name: record})."""
    course = Course.throwaway(tmp_path_factory.mktemp("attacks") / "course", unit)
    composer = Composer(course, unit)
    for name, (*extra, solution) in ATTACKS.items():
        notebook, _ = composer.compose({"gaussian-nll": None})
        cell_of(notebook, "gaussian-nll-solution").source = solution.source
        notebook.cells[2:2] = [new_code_cell(one.source) for one in extra]
        notebook.cells.append(new_markdown_cell("<img src=x onerror=alert(6)> [a](javascript:b)"))
        composer.hand_in(name, notebook, 0.0)
    for spoil in METADATA_ATTACKS:
        notebook, _ = composer.compose({"gaussian-nll": None})
        cell_of(notebook, "gaussian-nll-solution").source = WRONG
        spoil(notebook)
        composer.hand_in(spoil.__name__, notebook, 0.0)
    results = grade(course, unit, progress=False)
    write_feedback(course, unit)
    return course, {result.student: result.record for result in results}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attacked_exercise_earns_nothing(name, graded):
    record = graded[1][name]
    assert record["exercises"]["gaussian-nll"]["earned"] == 0.0
    assert record["execution"]["sandbox"] == "preloaded bubblewrap"


@pytest.mark.parametrize("name", [spoil.__name__ for spoil in METADATA_ATTACKS])
def test_changed_metadata_and_check_cells_change_no_score(name, graded):
    record = graded[1][name]
    assert record["exercises"]["gaussian-nll"]["earned"] == 0.0
    assert record["exercises"]["bce-from-logits"]["earned"] == SECOND_IS_RIGHT


@pytest.mark.parametrize("name", ["always-equal", "hands-the-input-back", "exits", "kills-itself"])
def test_honest_work_beside_it_keeps_its_points(name, graded):
    assert graded[1][name]["exercises"]["bce-from-logits"]["earned"] == SECOND_IS_RIGHT


def outputs(graded, unit, name):
    judged = notebooks.load(graded[0].notebook("autograded", unit, name))
    return " ".join(str(c.outputs) for c in judged.cells if c.cell_type == "code")


def test_nothing_secret_can_be_read_from_disk(graded, unit):
    assert "FOUND []" in outputs(graded, unit, "reads-the-disk")


def test_the_instructors_environment_stays_outside(graded, unit):
    names = re.search(r"ENV \[(.*?)\]", outputs(graded, unit, "reads-the-environment"))[1]
    assert "COURSE_DEVICE" in names and "SSH" not in names and "JPY_PARENT_PID" not in names


def active(page):
    """Return the parts of a page by which a student's text could run a script."""
    soup = BeautifulSoup(page, "html.parser")
    scripts = [tag.text for tag in soup.find_all("script") if "alert" in tag.text]
    marked = [tag for tag in soup.find_all(True) if any(a.startswith("on") for a in tag.attrs)]
    links = [tag for tag in soup.find_all(href=True) if "javascript:" in tag["href"].lower()]
    return [*scripts, *[t for t in marked if "alert" in str(t.attrs)], *links]


@pytest.mark.parametrize("name", ["script-in-an-output", "exits"])
def test_no_text_of_a_student_is_active_in_feedback(name, graded, unit):
    page = graded[0].notebook("feedback", unit, name).with_suffix(".html").read_text("utf-8")
    assert "javascript:b" in page  # it is shown
    assert active(page) == []


@pytest.mark.parametrize("name", ["script-in-an-output", "exits"])
def test_no_text_of_a_student_is_active_for_a_grader(name, graded, unit):
    for cell in notebooks.load(graded[0].notebook("autograded", unit, name)).cells:
        assert (
            active(
                " ".join(str(o.get("data", {}).get("text/html")) for o in cell.get("outputs", []))
            )
            == []
        )
        assert "javascript:b" not in cell.source or cell.source.startswith("```text\n")


def test_feedback_shows_no_hidden_check(graded, unit, assignment):
    hidden = [e.hidden.source for e in assignment.exercises.values()]
    lines = {line.strip() for source in hidden for line in source.splitlines() if len(line) > 20}
    for path in (graded[0].root / "feedback").rglob("*.html"):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser").get_text()
        assert [line for line in lines if line in page] == []


def test_a_submission_linked_to_the_source_earns_nothing(tmp_path, unit, bubblewrap):
    course = Course.throwaway(tmp_path / "course", unit)
    path = course.notebook("submitted", unit, "eve")
    path.parent.mkdir(parents=True)
    path.symlink_to(course.notebook("source", unit))
    [result] = grade(course, unit, progress=False)
    assert result.record["score"] == 0 and "link" in result.record["reason"]


def test_without_a_judge_nobody_gets_points(unit, bubblewrap, tmp_path):
    """Stock autograde with no configuration of ours: every check cell ends in an error."""
    from nbgrader.utils import determine_grade

    from course_grader.execute import execute
    from course_grader.preprocessors import data_files, rebuilt

    course = Course.throwaway(tmp_path / "course", unit)
    solved, _ = Composer(course, unit).compose()
    executed = execute(rebuilt(solved, course, unit), files=data_files(course, unit))
    for cell in executed.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            assert "not judged: run from the course folder" in str(cell.outputs[-1])
            assert determine_grade(cell)[0] == 0


def test_the_record_on_disk_is_plain_json(graded, unit):
    for name in ATTACKS:
        path = graded[0].record(unit, name)
        assert json.loads(path.read_text("utf-8")) == graded[1][name]


def test_a_record_from_another_cell_is_not_looked_at(unit, release, reference):
    forged = copy.deepcopy(release)
    right = {"exercise": "gaussian-nll", "checks": reference["gaussian-nll"]["checks"]}
    stub = cell_of(forged, "gaussian-nll-solution")
    stub.source += "\npass"
    stub.outputs = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"application/vnd.course.record+json": right},
        }
    ]
    outcome = judge_notebook(nbformat.from_dict(forged), release, reference)
    assert outcome.verdicts["gaussian-nll"].earned == 0
