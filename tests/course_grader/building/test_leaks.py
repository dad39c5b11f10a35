"""No secret leaves the instructor's side; a leak planted by hand is found wherever it is."""

import contextlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from nbformat.v4 import new_output

from course_grader.__main__ import main
from course_grader.building.bundle import bundle_files, check_bundle, make_bundle
from course_grader.building.leaks import check_release, leaks_in, secrets_of
from course_grader.building.readable import readable
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, units
from course_grader.proving.reference import is_at_hand, reference_for

UNITS = units()


@pytest.fixture
def stage(unit, tmp_path):
    """A copy of release/ and notebooks/ into which a test plants a leak."""
    shutil.copytree(PROJECT / "release" / unit.name, tmp_path / "release" / unit.name)
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks")
    return tmp_path


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_release_and_lesson_hold_no_secret(unit):
    check_release(unit, PROJECT)


def in_source(notebook, secret):
    notebook.cells[-1].source += f"\n{secret}"


def in_cell_metadata(notebook, secret):
    notebook.cells[1].metadata["note"] = secret


def in_grading_metadata(notebook, secret):
    notebook.cells[1].metadata.setdefault("nbgrader", {})["note"] = secret


def in_notebook_metadata(notebook, secret):
    notebook.metadata["note"] = {"deep": [secret]}


def in_stream(notebook, secret):
    code = next(c for c in notebook.cells if c.cell_type == "code")
    code.outputs = [new_output("stream", name="stdout", text=secret)]


def in_display(notebook, secret):
    code = next(c for c in notebook.cells if c.cell_type == "code")
    code.outputs = [new_output("display_data", data={"application/x-private+json": {"a": secret}})]


def in_traceback(notebook, secret):
    code = next(c for c in notebook.cells if c.cell_type == "code")
    code.outputs = [new_output("error", ename="E", evalue="", traceback=[secret])]


PLACES = [
    in_source,
    in_cell_metadata,
    in_grading_metadata,
    in_notebook_metadata,
    in_stream,
    in_display,
    in_traceback,
]


@pytest.mark.parametrize("tree", ["release", "notebooks"])
@pytest.mark.parametrize("plant", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("kind", ["line", "value", "marker"])
def test_a_planted_leak_is_found(kind, plant, tree, unit, stage, reference):
    path = stage / tree / f"{unit.name}.ipynb"
    path = stage / tree / unit.name / path.name if tree == "release" else path
    notebook = notebooks.load(path)
    plant(notebook, secret_of(kind, reference))
    notebooks.save(notebook, path)
    with pytest.raises(CourseError, match="shows"):
        check_release(unit, stage)


def secret_of(kind, reference):
    entry = reference["gaussian-nll"]
    hidden = entry["checks"][entry["solid"][0]]["got"]["data"][0]
    return {
        "line": "softplus = torch.logaddexp(z, torch.zeros_like(z))",
        "value": f"the answer is {hidden:.5f}",
        "marker": "### BEGIN HIDDEN TESTS",
    }[kind]


def test_a_leak_in_the_file_of_expected_values_is_found(unit, stage, reference):
    path = stage / "release" / unit.name / "checks.json"
    shown = json.loads(path.read_text("utf-8"))
    shown["gaussian-nll"]["checks"] = reference["gaussian-nll"]["checks"]
    path.write_text(json.dumps(shown), "utf-8")
    with pytest.raises(CourseError, match="checks.json shows the hidden value"):
        check_release(unit, stage)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The bundle, made and checked once."""
    return shutil.copy(make_bundle(), tmp_path_factory.mktemp("bundle"))


def test_the_bundle_is_clean_complete_and_the_same_each_time(bundle):
    assert make_bundle().read_bytes() == Path(bundle).read_bytes()
    names = set(bundle_files())
    assert {"README.md", "LICENSE", "environment.yml", "course_utils/checks.py"} <= names
    assert "course_utils/checking/checks.py" in names
    assert all(f"assignments/{u.name}/checks.json" in names for u in UNITS)
    assert all(f"assignments/{u.name}/cards.json" in names for u in UNITS)
    assert "review.ipynb" in names
    forbidden = ("answers", "solutions", "source", "course_grader", "masters", "gradebook")
    assert not [name for name in names if any(word in name for word in forbidden)]


@pytest.mark.parametrize("kind", ["line", "value", "marker"])
def test_a_leak_in_the_bundle_is_found(kind, tmp_path, bundle, reference):
    path = tmp_path / "bundle.zip"
    shutil.copy(bundle, path)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("course/notes.txt", f"see {secret_of(kind, reference)}")
    with pytest.raises(CourseError, match=r"notes\.txt shows"):
        check_bundle(path, UNITS)


@pytest.mark.parametrize(("digits", "found"), [(4, False), (8, True)])
def test_a_hidden_value_in_another_units_file_is_chance_to_four_digits_only(
    digits, found, tmp_path, bundle, reference
):
    path, other = tmp_path / "bundle.zip", UNITS[-1].name
    shutil.copy(bundle, path)
    entry = reference["gaussian-nll"]
    hidden = entry["checks"][entry["solid"][0]]["got"]["data"][0]
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(f"course/assignments/{other}/notes.txt", f"{hidden:.{digits - 1}e}")
    told = pytest.raises(CourseError, match=r"notes\.txt shows the hidden value")
    with told if found else contextlib.nullcontext():
        check_bundle(path, UNITS)


@pytest.mark.parametrize("built", ["00", "01"])
def test_the_build_tells_what_one_unit_shows_of_another(
    built, tmp_path, reference, monkeypatch, capsys
):
    """From either side, whichever of the two is built: at once, not when a class is bundled."""
    hidden = reference["gaussian-nll"]["checks"][reference["gaussian-nll"]["solid"][0]]["got"]
    shown = tmp_path / "release" / UNITS[0].name / "notes.txt"
    shown.parent.mkdir(parents=True)
    shown.write_text(f"{hidden['data'][0]:.7e}")
    told = []
    monkeypatch.setattr("course_grader.building.build.build", told.append)
    monkeypatch.setattr("course_grader.building.thread_page.THREAD_PAGE", tmp_path / "dial.md")
    monkeypatch.setattr("course_grader.building.leaks.check_others.__defaults__", (tmp_path,))
    assert main(["build", "--unit", built]) == 2 and len(told) == 1
    words = capsys.readouterr().err
    assert "notes.txt shows the hidden value" in words and "of 01_loss_as_likelihood" in words
    shown.unlink()
    assert main(["build", "--unit", built]) == 0


def test_what_an_edited_copy_holds_is_kept_with_the_copy(edit, unit, reference):
    """Its reference takes nobody's place: the unit's own stays at hand, in other processes too."""
    own = edit("assignment", 'case="', 'case="edited ')
    assert secrets_of(own).lines and is_at_hand(own)
    assert is_at_hand(unit) and reference_for(unit) == reference


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_instructors_version_would_be_caught(unit):
    secrets = secrets_of(unit)
    for tree in (f"source/{unit.name}/{unit.name}.ipynb", f"solutions/{unit.name}.ipynb"):
        assert leaks_in(readable(PROJECT / tree), secrets)


def test_a_hidden_value_in_a_text_stops_the_build_with_file_and_line(edit, tmp_path, reference):
    secret = secret_of("value", reference)
    own = edit("assignment", "# Points: value 2, gradient 2, shape 1.", f"# Points: {secret}")
    text = own.master("assignment").read_text("utf-8").splitlines()
    line = text.index(f"# Points: {secret}") + 1
    for tree in ("release", "notebooks"):
        shutil.copytree(PROJECT / tree, tmp_path / "stage" / tree)
    path = tmp_path / "stage" / "release" / own.name / f"{own.name}.ipynb"
    notebook = notebooks.load(path)
    in_source(notebook, secret)
    notebooks.save(notebook, path)
    with pytest.raises(CourseError, match=rf"assignment\.py:{line}: .* shows the hidden value"):
        check_release(own, tmp_path / "stage")


def test_each_secret_line_is_found_also_in_the_middle_of_other_words():
    secrets = secrets_of(UNITS[0])
    assert secrets.lines
    for line in secrets.lines:
        leak = f"the line {line!r}"
        assert leak in leaks_in(f"first\n  un{line}ed = 1\nlast", secrets)
        assert leak not in leaks_in(line[1:], secrets)
