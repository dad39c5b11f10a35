"""Judge a learner's own answers with all cases: `make check`, and the button under a panel.

The learner has the whole course at hand, so a hidden case that fails may be shown on request.
"""

__all__ = ["Judged", "check_answer", "check_work"]

import dataclasses
from pathlib import Path

from nbformat.v4 import new_code_cell

from course_grader.execution.cache import data_files
from course_grader.execution.execute import execute, fault_in
from course_grader.intake.parse import Unreadable, read_submission
from course_grader.intake.sanitize import rebuild
from course_grader.judging.judge import hidden_findings
from course_grader.judging.judged_notebook import judge_notebook
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, CourseError, Unit
from course_grader.proving.reference import reference_for
from course_utils.checking import panel
from course_utils.checking.records import MIME
from course_utils.progress_file import keep_result
from course_utils.review.mistakes import keep_mistake

WORK = PROJECT / "work"


@dataclasses.dataclass
class Judged:
    """The judge's verdict on one exercise, and what each failing hidden case was."""

    verdict: panel.Verdict
    cases: list[str]

    def text(self) -> str:
        """Return the panel as text, hidden cases by their kind only."""
        return panel.text(self._told())

    def html(self) -> str:
        """Return the panel; the failing hidden cases fold out below it."""
        return panel.html(self._told(), cases=self.cases)

    def _told(self):
        """Return the verdict; a panel for one's own eyes says also what a hidden case raised."""
        raised = [case for case in self.cases if " raised " in case]
        note = f"A further case: {raised[0]}" if raised and not self.verdict.note else ""
        return dataclasses.replace(self.verdict, note=self.verdict.note or note)


def check_work(unit: Unit, *, work: Path = WORK) -> list[Judged]:
    """Judge the learner's own notebook with all cases; the results count as progress.

    Returns
    -------
    list of Judged
        One for each exercise in code.

    Raises
    ------
    CourseError
        There is no notebook, it cannot be read, or it could not be executed.
    """
    built = _rebuilt(_mine(work / unit.name), unit)
    return _judged(built, unit, None, work / unit.name)


def check_answer(unit: Unit, exercise: str, source: str, *, work: Path = WORK) -> Judged:
    """Judge one answer with all cases, in the learner's own notebook; the result is progress.

    Parameters
    ----------
    unit : Unit
    exercise : str
    source : str
        What stands in the place of the exercise's solution cell, saved or not.
    work : Path
        The working copy, with a folder for each unit.

    Returns
    -------
    Judged
    """
    mine = _mine(work / unit.name)
    _put(mine, f"{exercise}-solution", source)
    built = _rebuilt(mine, unit)
    end = [cell.id for cell in built.cells].index(exercise) + 1
    built.cells = [c for c in built.cells[:end] if c.id == exercise or not _is_check(c)]
    return _judged(built, unit, exercise, work / unit.name)[0]


def _mine(folder):
    """Return the learner's notebook, as grading reads one; it may have another name."""
    path = folder / f"{folder.name}.ipynb"
    renamed = [p for p in sorted(folder.glob("*.ipynb")) if b'"grade_id"' in p.read_bytes()]
    path = path if path.is_file() else next(iter(renamed), path)
    if not path.is_file():
        raise CourseError(f"{path} is missing: 'make lab' puts it there")
    try:
        return read_submission(path)
    except Unreadable as error:
        raise CourseError(f"{path.name}: {error}") from None


def _put(notebook, key, source):
    """Put a source in the cell with this id, or in a new one where it is gone."""
    for cell in notebook.cells:
        if cell.id == key:
            cell.source = source
            return
    notebook.cells.append(new_code_cell(source, id=key))


def _rebuilt(mine, unit):
    source, release = (notebooks.load(Course().notebook(s, unit)) for s in ("source", "release"))
    return rebuild(mine, source, release).notebook


def _is_check(cell):
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def _judged(built, unit, exercise, folder):
    """Execute a notebook, in the sandbox where there is one; judge one exercise, or all."""
    reference = reference_for(unit)
    wanted = {exercise: reference[exercise]} if exercise else reference
    release = notebooks.load(Course().notebook("release", unit))
    files = data_files(Course(), unit)
    done = execute(built, files=files, limits=unit.limits, without_sandbox=True)
    if fault := fault_in(done):
        raise CourseError(f"it could not be executed: {fault}")
    records = {cell.id: _record(cell) for cell in done.cells}
    verdicts = judge_notebook(done, release, wanted).verdicts
    for name, verdict in verdicts.items():
        keep_result(name, verdict.status, verdict.earned, cases="all", folder=folder)
        keep_mistake(name, wanted[name]["hints"], verdict.hint, folder=folder)
    return [
        Judged(verdict, hidden_findings(records.get(name), wanted[name]))
        for name, verdict in verdicts.items()
    ]


def _record(cell):
    """Return what a check cell recorded, or None."""
    shown = [output.get("data", {}).get(MIME) for output in cell.get("outputs", [])]
    return next((one.get("checks") for one in shown if isinstance(one, dict)), None)
