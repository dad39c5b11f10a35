"""A lesson as it is committed, with what the recorder kept of its sliders and predictions."""

__all__ = ["recorded_lesson"]

import hashlib
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_grader.building.run_notebook import run_notebook
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, Unit
from course_grader.site import frames, positions, recorder

KINDS = {recorder.SLIDER, recorder.PREDICT, recorder.REVEAL}
START = "import {module} as _site\n_site.{start}({folder!r}, {most})"


def recorded_lesson(
    unit: Unit, *, project: Path = PROJECT, most: int
) -> tuple[NotebookNode, Path]:
    """Return (notebook, folder of its frames), executed once and kept under build/.

    Text, numbers and figures are those that are committed; only the outputs of cells with
    sliders or predictions are new.

    Raises
    ------
    CourseError
        If the lesson was never built, or a cell fails.
    """
    path = project / "notebooks" / f"{unit.name}.ipynb"
    if not path.is_file():
        raise CourseError(f"{unit.name} was never built: 'make build UNIT={unit.name[:2]}'")
    shelf = project / "build" / "site-lessons"
    kept = shelf / f"{unit.name}-{most}-{_key(path)}"
    if not kept.is_dir():
        for old in shelf.glob(f"{unit.name}-{most}-*"):
            shutil.rmtree(old)
        _record(notebooks.load(path), kept, most)
    return notebooks.load(kept / "lesson.ipynb"), kept / "frames"


def _key(path):
    """Return what the record depends on: the lesson with its modules' hash, and our code."""
    parts = [path.read_bytes()]
    parts += [Path(one.__file__).read_bytes() for one in (recorder, frames, positions)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _record(lesson, kept, most):
    """Execute in a folder beside, which takes its place when all is well."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "made"
        (made / "frames").mkdir(parents=True)
        ran = _executed(lesson, made / "frames", most)
        for cell, done in zip(lesson.cells, ran.cells, strict=True):
            if any(KINDS & output.get("data", {}).keys() for output in done.get("outputs", [])):
                cell.outputs = done.outputs
        notebooks.save(lesson, made / "lesson.ipynb")
        made.rename(kept)


def _executed(lesson, folder, most):
    """Return the executed lesson, without the cell that came before its own."""
    call = {"module": recorder.__name__, "start": recorder.start.__name__}
    ran = nbformat.from_dict(lesson)
    ran = nbformat.reads(nbformat.writes(ran), as_version=4)
    ran.cells.insert(
        0, nbformat.v4.new_code_cell(START.format(folder=str(folder), most=most, **call))
    )
    with tempfile.TemporaryDirectory() as place:
        run_notebook(ran, place)
    ran.cells.pop(0)
    return ran
