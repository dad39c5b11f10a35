"""The committed trees are what the masters say today, and building again changes nothing."""

import copy
import json
import re
import shutil

import nbformat
import pytest

from course_grader.authoring import as_notebook
from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.masters import read_master
from course_grader.building.build import build, check_names, drifted, planned
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, units

UNITS = units()
TROUBLE = re.compile(r"UsageError|Traceback")


@pytest.fixture(scope="module")
def plans():
    return {unit.name: planned(unit) for unit in UNITS}


def master_of(path):
    kind = "lesson" if path.startswith("notebooks/") else "assignment"
    return f"edit masters/*/{kind}.py, then 'make build': {path} has drifted"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_source_and_release_are_what_the_masters_say(unit, plans):
    assert [master_of(path) for path in drifted(plans[unit.name])] == []


@pytest.fixture
def trees(unit, tmp_path):
    """A copy of unit 01's committed source and release."""
    for tree in ("source", "release"):
        shutil.copytree(PROJECT / tree / unit.name, tmp_path / tree / unit.name)
    return tmp_path


def a_digit(known, factor):
    record = known["gaussian-nll"]["checks"][1]["got"]
    record["data"][0] *= factor


EDITS = {
    "a digit within tolerance": (lambda known: a_digit(known, 1 + 1e-7), False),
    "a digit beyond tolerance": (lambda known: a_digit(known, 1 + 1e-4), True),
    "a sentence": (lambda known: known["gaussian-nll"]["hints"][0].update(sentence="No."), True),
    "a case": (lambda known: known["gaussian-nll"]["checks"][1].update(call="f(x)"), True),
    "points": (lambda known: known["gaussian-nll"]["checks"][1].update(points=9), True),
    "a check less": (lambda known: known["gaussian-nll"]["checks"].pop(), True),
    "a hint less": (lambda known: known["gaussian-nll"]["hints"].pop(), True),
    "a dtype": (lambda k: k["gaussian-nll"]["checks"][1]["got"].update(dtype="int"), True),
}


@pytest.mark.parametrize("tree", ["source", "release"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_value_changed_by_hand_is_drift_unless_it_agrees(edit, tree, unit, plans, trees):
    change, drifts = EDITS[edit]
    path = trees / tree / unit.name / "checks.json"
    known = json.loads(path.read_text("utf-8"))
    change(known)
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    found = [str(path.relative_to(trees))] if drifts else []
    assert drifted(plans[unit.name], trees) == found


def test_a_file_that_is_cut_off_is_made_anew(unit, plans, trees):
    path = trees / "release" / unit.name / "checks.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    assert drifted(plans[unit.name], trees) == [str(path.relative_to(trees))]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_lessons_and_solutions_have_the_masters_cells_and_hash(unit, plans):
    for path, content in plans[unit.name].items():
        if path.startswith(("notebooks/", "solutions/")):
            there, said = notebooks.load(PROJECT / path), nbformat.reads(content.decode(), 4)
            assert there.metadata.course == said.metadata.course, master_of(path)
            assert cells(there) == cells(said), master_of(path)


def cells(notebook):
    return [(c.id, c.cell_type, c.source) for c in notebook.cells]


def test_no_file_is_left_over_in_the_four_trees(plans):
    known = {path for plan in plans.values() for path in plan}
    trees = ("notebooks", "source", "release", "solutions")
    there = [p for tree in trees for p in (PROJECT / tree).rglob("*") if p.is_file()]
    assert {str(p.relative_to(PROJECT)) for p in there} == known


def test_planning_twice_gives_the_same_bytes(unit, plans):
    assert planned(unit) == plans[unit.name]


def test_a_unit_is_built_whole_and_building_again_writes_nothing(unit, tmp_path):
    for tree in ("notebooks", "solutions"):
        target = tmp_path / tree / f"{unit.name}.ipynb"
        target.parent.mkdir()
        target.write_bytes((PROJECT / tree / f"{unit.name}.ipynb").read_bytes())
    said = []
    build(unit, project=tmp_path, say=said.append)
    build(unit, project=tmp_path, say=said.append)
    assert sum("written" in line for line in said) == 4  # source and release, two files each
    assert not any("executing" in line for line in said)


def test_a_failed_build_moves_nothing(edit, tmp_path):
    own = edit("lesson", "import torch\n", "import torch\n\nraise ValueError('a slip')\n")
    with pytest.raises(CourseError, match="a slip"):
        build(own, project=tmp_path, say=lambda line: None)
    assert [p for p in tmp_path.glob("*/*") if p.name.endswith(".ipynb")] == []
    assert not (tmp_path / "release").exists()


def test_cells_keep_their_ids_when_another_cell_changes(unit, assignment):
    before = as_notebook.source(unit, assignment)
    changed = copy.deepcopy(assignment)
    changed.cells[0].source += "\nmore"
    after = as_notebook.source(unit, changed)
    assert [c.id for c in before.cells][1:] == [c.id for c in after.cells][1:]
    assert before.cells[0].id != after.cells[0].id


def test_why_a_solution_is_as_it_is_stands_in_solutions_alone(unit, assignment):
    reasons = [cell.source for cell in assignment.cells if "why" in cell.roles]
    assert len(reasons) == len(assignment.exercises)
    told = [cell.source for cell in as_notebook.solutions(unit, assignment).cells]
    assert all(told[told.index(text) - 1].startswith("def ") for text in reasons)
    assert not set(reasons) & {c.source for c in as_notebook.source(unit, assignment).cells}


@pytest.mark.parametrize("tree", ["notebooks", "solutions"])
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_executed_notebooks_are_clean(unit, tree):
    notebook = notebooks.load(PROJECT / tree / f"{unit.name}.ipynb")
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert "execution" not in cell.metadata
        for output in cell.get("outputs", []):
            assert output.output_type != "error" and output.get("name") != "stderr"
            assert not TROUBLE.search(str(output.get("text", "")))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_figure_has_alt_text(unit):
    notebook = notebooks.load(PROJECT / "notebooks" / f"{unit.name}.ipynb")
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"]) > 20


def test_the_hash_follows_the_master_and_the_modules_it_imports(unit, edit):
    before = as_notebook.digest(read_master(unit.master("lesson"), "lesson"))
    own = edit("lesson", "# # ", "# # A ")
    assert as_notebook.digest(read_master(own.master("lesson"), "lesson")) != before
    used = {
        path.name for path in as_notebook.used_files(read_master(unit.master("lesson"), "lesson"))
    }
    assert {"lesson.py", "data.py", "predictions.py", "widgets.py"} <= used


def test_exercise_names_are_unique_over_units(unit, own_unit):
    with pytest.raises(CourseError, match="gaussian-nll.* is also in"):
        check_names([unit, own_unit])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_readme_lists_the_unit_with_its_facts(unit):
    assignment = read_assignment(unit)
    exercises = [*assignment.exercises, *assignment.written]
    row = (
        f"| {unit.name[:2]} | [{unit.facts['title']}](notebooks/{unit.name}.ipynb) "
        f"| {unit.facts['minutes']} "
        f"| [{len(exercises)}](release/{unit.name}/{unit.name}.ipynb) | {assignment.points} |"
    )
    assert row in (PROJECT / "README.md").read_text("utf-8").splitlines()
