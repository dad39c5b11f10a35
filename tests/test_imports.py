"""Which package imports which; all code is used, and typed; what notebooks import is there."""

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_grader.project import notebooks
from course_grader.project.course import PROJECT

LINTER = Path(sys.executable).with_name("lint-imports")
DEAD_CODE_FINDER = Path(sys.executable).with_name("vulture")
TYPE_CHECKER = Path(sys.executable).with_name("mypy")
PLANTED = [  # where, what, and which word of the contract is then broken
    ("judging/judge.py", "course_grader.gradebook", "only packages below it"),
    ("project/course.py", "course_grader.authoring.markers", "only packages below it"),
    ("execution/inside/streams.py", "course_grader.project.course", "inside the sandbox"),
    ("../course_utils/scores.py", "course_grader.judging.judge", "only packages below it"),
]


@pytest.fixture
def copy(tmp_path):
    for name in ("course_grader", "course_utils", "benchmarks"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder):
    command = [LINTER, "--no-cache"]
    options = {"cwd": folder, "env": {"PYTHONPATH": str(folder)}, "text": True}
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_all_contracts_are_kept(copy):
    told = lint(copy)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize(("where", "what", "broken"), PLANTED)
def test_a_forbidden_import_is_named(copy, where, what, broken):
    with (copy / "course_grader" / where).open("a") as file:
        file.write(f"\nimport {what}\n")
    told = lint(copy)
    assert told.returncode == 1
    assert broken in told.stdout and what in told.stdout and "BROKEN" in told.stdout


def test_code_that_nothing_uses_is_named(copy):
    def find():
        return subprocess.run([DEAD_CODE_FINDER], cwd=copy, capture_output=True, text=True)

    assert (find().returncode, find().stdout) == (0, "")
    with (copy / "course_grader" / "judging" / "judge.py").open("a") as file:
        file.write("\n\ndef forgotten():\n    return 1\n")
    told = find()
    assert told.returncode != 0
    assert "unused function 'forgotten'" in told.stdout


def test_what_has_no_type_or_a_wrong_one_is_named(copy):
    """Of a small module, which is quick; `make lint` checks them all."""
    path = copy / "course_utils" / "checking" / "forms.py"

    def check_types():
        command = [TYPE_CHECKER, path.relative_to(copy)]
        return subprocess.run(command, cwd=copy, capture_output=True, text=True)

    assert check_types().returncode == 0, check_types().stdout
    with path.open("a") as file:
        file.write("\n\ndef stake(check: Check) -> str:\n    return check['points']\n")
        file.write("\n\ndef size(got):\n    return len(got)\n")
    told = check_types()
    assert told.returncode == 1
    assert "Incompatible return value type" in told.stdout
    assert "missing a type annotation" in told.stdout


def test_each_name_that_a_notebook_imports_is_there():
    """Notebooks that were released once keep working: old names stay, as re-exports."""
    paths = [p for tree in ("notebooks", "release") for p in (PROJECT / tree).rglob("*.ipynb")]
    cells = [cell for path in paths for cell in notebooks.load(path).cells]
    trees = [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]
    found = [n for t in trees for n in ast.walk(t) if isinstance(n, ast.ImportFrom)]
    ours = [node for node in found if node.module.split(".")[0] == "course_utils"]
    assert {"course_utils.checks", "course_utils.data"} <= {node.module for node in ours}
    for node in ours:
        scope = {}
        exec(ast.unparse(node), scope)
        for alias in node.names:
            found = inspect.getfile(scope[alias.asname or alias.name])
            assert Path(found).is_relative_to(PROJECT), f"{found}: of another clone"
