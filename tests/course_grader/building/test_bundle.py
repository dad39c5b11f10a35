"""A bundle, unpacked anywhere, speaks of nothing that it has not; a week's adds to an earlier."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from course_grader.__main__ import main
from course_grader.authoring.composer import Composer
from course_grader.building.bundle_words import REWORDED, adapt
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, units
from course_utils.checking.all_cases import at_hand
from course_utils.checking.worked import worked_solution
from tests.test_errata import headings

TARGETS = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
MISSING = re.compile(rf"\bmake (?:{'|'.join(TARGETS)})\b|\b(?:work|source|solutions|masters)/")
# Modules that name what only the whole course has, and only there; see the tests of each.
ONLY_WHERE_IT_IS = {"all_cases.py", "panel.py", "progress.py"}
CODE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)[^)]*\)")


def bundled(unit, folder):
    """Make a bundle by the command, unpack it, and return its folder."""
    assert main(["bundle", "--unit", unit]) == 0
    chosen = "".join(f"-{int(number):02d}" for number in unit.split(",") if number)
    with zipfile.ZipFile(PROJECT / "build" / f"bundle{chosen}.zip") as packed:
        packed.extractall(folder)
    return folder / "probabilistic-ml-course"


@pytest.fixture(scope="module", params=["", "3", "01,02,03"], ids=["all", "03", "01-02-03"])
def bundle(request, tmp_path_factory):
    return bundled(request.param, tmp_path_factory.mktemp("bundle"))


def shown_in(path):
    """Return what a reader sees of a file: of a module, the strings that are no docstrings."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        return "\n".join(_shown(cell) for cell in notebooks.load(path).cells)
    return text if path.suffix != ".py" else "\n".join(_strings(ast.parse(text)))


def _shown(cell):
    outputs = [str(output) for output in cell.get("outputs", [])]
    return "\n".join([cell.source, *outputs])


def _strings(tree):
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def test_nothing_shown_names_a_command_or_a_folder_that_is_not_there(bundle):
    files = [p for p in bundle.rglob("*") if p.is_file() and p.name not in ONLY_WHERE_IT_IS]
    told = {p.name: MISSING.findall(shown_in(p)) for p in files if p.name != "LICENSE"}
    assert {name: words for name, words in told.items() if words} == {}
    assert len(files) > 20


def links_in(path):
    """Yield the relative links in a file's prose, and in what its cells show."""
    if path.suffix == ".md":
        prose = [path.read_text("utf-8")]
    else:
        cells = notebooks.load(path).cells
        prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
        shown = "\n".join(map(_shown, cells))
        assert not re.findall(r"href='(?!https?:)", shown)
    for text in prose:
        yield from LINK.findall(CODE.sub("", text))


def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(bundle):
    pages = [*bundle.glob("*.md"), *bundle.glob("*/*.ipynb"), *bundle.glob("*/*/*.ipynb")]
    broken, seen = [], 0
    for page in pages:
        for link in links_in(page):
            name, _, anchor = link.partition("#")
            target = (page.parent / name) if name else page
            whole = target.is_file() and (not anchor or anchor in headings(target.stem))
            broken += [] if whole else [f"{page.name}: {link}"]
            seen += 1
    assert broken == [] and seen > 10


def test_a_week_s_bundle_holds_its_units_and_what_they_need(tmp_path):
    folder = bundled("3", tmp_path)
    units_in = {p.name for p in folder.glob("assignments/*")}
    assert units_in == {"03_entropy_kl"}
    assert [p.name for p in folder.glob("lessons/*")] == ["03_entropy_kl.ipynb"]
    assert (folder / "glossary.md").is_file() and (folder / "environment.yml").is_file()
    assert (folder / "course_utils" / "checking" / "checks.py").is_file()
    path = PROJECT / "build" / "bundle-03.zip"
    first = path.read_bytes()
    assert main(["bundle", "--unit", "03_entropy_kl"]) == 0 and path.read_bytes() == first


def test_the_playground_comes_with_the_lesson_that_names_it(bundle):
    named = (bundle / "lessons" / "02_output_distributions.ipynb").is_file()
    assert (bundle / "playground.html").is_file() == named
    assert ("playground.html" in (bundle / "README.md").read_text("utf-8")) == named


def test_a_week_s_bundle_is_scanned_for_leaks(monkeypatch, capsys):
    monkeypatch.setattr("course_grader.building.bundle.readme", lambda _: "### BEGIN SOLUTION")
    assert main(["bundle", "--unit", "03"]) == 2
    assert "README.md shows the marker 'BEGIN SOLUTION'" in capsys.readouterr().err
    assert not (PROJECT / "build" / "bundle-03.zip").exists()


def test_an_unknown_unit_in_the_list_is_told(capsys):
    assert main(["bundle", "--unit", "01,99"]) == 2
    assert "'99'" in capsys.readouterr().err


def test_a_week_s_bundle_over_an_earlier_one_keeps_what_a_student_wrote(tmp_path):
    folder = bundled("1", tmp_path)
    mine = folder / "assignments" / "01_loss_as_likelihood"
    for path in (*mine.iterdir(), folder / "lessons" / "01_loss_as_likelihood.ipynb"):
        path.write_text("my work")
    (folder / "lessons" / "progress.json").write_text("my predictions")
    assert bundled("2,3", tmp_path) == folder
    assert {path.read_text() for path in mine.iterdir()} == {"my work"}
    assert (folder / "lessons" / "01_loss_as_likelihood.ipynb").read_text() == "my work"
    assert (folder / "lessons" / "progress.json").read_text() == "my predictions"
    assert (
        len(list(folder.glob("assignments/*"))) == len(list(folder.glob("lessons/*.ipynb"))) == 3
    )


@pytest.mark.parametrize("name", sorted(REWORDED))
def test_every_sentence_that_is_reworded_is_in_its_lesson(name):
    for old, new in REWORDED[name]:
        lesson = notebooks.load(PROJECT / "notebooks" / f"{name}.ipynb")
        adapt(lesson, name, {unit.name for unit in units()})
        texts = [cell.source for cell in lesson.cells]
        assert sum(new in text for text in texts) == 1, old


def test_the_readme_has_the_lines_for_each_system_and_names_what_is_there(bundle):
    text = (bundle / "README.md").read_text("utf-8")
    for words in ("python3 -m venv", "py -m venv", ".venv\\Scripts\\python -m pip", "Validate"):
        assert words in text
    for path in re.findall(r"\bassignments/\S+?\.ipynb", text):
        assert (bundle / path).is_file()
    facts = tomllib.loads((bundle / "pyproject.toml").read_text("utf-8"))
    [extra] = re.findall(r'-e "\.\[(\w+)\]"', text.split("On Windows")[0])
    assert any("nbgrader" in one for one in facts["project"]["optional-dependencies"][extra])
    assert f"-e .[{extra}]" in (bundle / "environment.yml").read_text("utf-8")


def python(bundle, *words):
    environment = os.environ | {"PYTHONPATH": str(bundle), "OMP_NUM_THREADS": "1"}
    environment.pop("COURSE_PROGRESS", None)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=bundle,
        capture_output=True,
        text=True,
        timeout=200,
        env=environment,
    )
    return done.stdout + done.stderr


PROGRESS = """
from pathlib import Path
from course_utils import progress_file
from course_utils.checking.comparison import EXPECTED_FILE
from course_utils.progress import Progress, progress
print(progress("lessons"), progress("lessons")._repr_html_())
print(progress("."), progress(".")._repr_html_(), progress(".").advice)
for folder in Path("assignments").iterdir():
    for one in next(u for u in progress(".").units if u.name == folder.name).exercises:
        progress_file.keep_result(one.name, "passed", one.possible, cases="visible", folder=folder)
print(progress(".").advice)
"""


def test_progress_says_what_there_is_to_do_in_a_bundle(bundle):
    told = python(bundle, "-c", PROGRESS)
    assert "Traceback" not in told and MISSING.findall(told) == []
    assert "Next: read lessons/" in told and "Check all cases" not in told
    assert "hand your work in" in told.splitlines()[-1]


def test_what_only_the_whole_course_offers_is_not_offered_in_a_bundle(bundle):
    for folder in bundle.glob("assignments/*"):
        assert not at_hand(folder)
        for cell in notebooks.load(folder / f"{folder.name}.ipynb").cells:
            assert not worked_solution(cell.id.removesuffix("-solution"), folder)


@pytest.mark.parametrize("answer", ["solution", "variance-as-scale"])
def test_validate_works_in_a_bundle_as_its_readme_says(answer, tmp_path, unit):
    bundle = bundled("1", tmp_path)
    notebook, _ = Composer(Course(), unit).compose({"gaussian-nll": answer})
    for cell in notebook.cells:
        cell.source = cell.source.replace("YOUR ANSWER HERE", "A's number has a unit.")
    [command] = re.findall(
        r"-m nbgrader (validate \S+)", (bundle / "README.md").read_text("utf-8")
    )
    notebooks.save(notebook, bundle / Path(command.split()[1]))
    told = python(bundle, "-m", "nbgrader", *command.split())
    if answer == "solution":
        assert "Success! Your notebook passes all the tests." in told, told
    else:
        assert "VALIDATION FAILED ON 1 CELL(S)" in told and "gaussian-nll: not yet" in told, told
    assert MISSING.findall(told) == []
