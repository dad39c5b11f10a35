"""The zip that a class gets: release, lessons, course_utils, environment; scanned for leaks."""

__all__ = ["bundle_files", "check_bundle", "make_bundle"]

import zipfile
from pathlib import Path

from course_grader.building import leaks
from course_grader.building.term_links import link_terms
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, units

FOLDER = "probabilistic-ml-course"
ALONE = ("LICENSE", "pyproject.toml", "constraints.txt")
START = """# Probabilistic machine learning

`lessons/` are to be read and run, `assignments/` to be solved.

    python3 -m venv .venv
    .venv/bin/pip install -c constraints.txt -e .
    .venv/bin/jupyter lab

Words are explained in `glossary.md`. Save an assignment under its own name and hand in that one
file.
"""


def make_bundle(project=PROJECT):
    """Write build/bundle.zip and return its path; the same input gives the same bytes.

    Raises
    ------
    CourseError
        If a file in it holds a solution, a hidden check or a hidden value.
    """
    path = project / "build" / "bundle.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(bundle_files(project).items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED)
    check_bundle(path, units(project))
    return path


def bundle_files(project=PROJECT):
    """Return {name in the bundle: bytes}."""
    files = {name: (project / name).read_bytes() for name in ALONE}
    glossary = (project / "docs" / "glossary.md").read_text("utf-8")
    for path in (project / "notebooks").glob("*.ipynb"):
        lesson = notebooks.close_folds(notebooks.load(path))
        link_terms(lesson, path.stem, glossary, "../glossary.md")
        files[f"lessons/{path.name}"] = notebooks.as_bytes(lesson)
    for path in filter(Path.is_file, (project / "release").glob("*/*")):
        files[f"assignments/{path.parent.name}/{path.name}"] = path.read_bytes()
    for path in (project / "course_utils").rglob("*"):
        if path.suffix in (".py", ".mplstyle"):
            files[path.relative_to(project).as_posix()] = path.read_bytes()
    files["glossary.md"] = glossary.replace("(../notebooks/", "(lessons/").encode()
    environment = (project / "environment.yml").read_text("utf-8").replace("-e .[grader]", "-e .")
    return files | {"environment.yml": environment.encode(), "README.md": START.encode()}


def check_bundle(path, known):
    """Stop if any file of a bundle holds a secret of a unit."""
    secrets = [(unit, leaks.secrets_of(unit)) for unit in known]
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            text = leaks.readable_text(Path(name), packed.read(name))
            for unit, secret in secrets:
                for leak in leaks.leaks_in(text, secret, digits=_digits(name, unit, known)):
                    raise CourseError(f"{path.name}: {name} shows {leak} of {unit.name}")


def _digits(name, unit, known):
    """Return how many digits tell a hidden value of a unit in a file of the bundle.

    The thousands of numbers in another unit's files agree with some to four digits by chance; what
    was copied from unit to unit agrees in all.
    """
    others = {other.name for other in known} - {unit.name}
    return leaks.COPIED if any(other in name for other in others) else leaks.TELLING
