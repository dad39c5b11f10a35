"""Try answers from anywhere: run each in the sandbox, judge it, compare with what it claims."""

__all__ = ["Tried", "try_answers"]

import copy
import dataclasses
import os
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from course_grader.authoring import as_notebook
from course_grader.authoring.composer import cell_of
from course_grader.authoring.exercises import read_assignment
from course_grader.execution import sandbox
from course_grader.execution.cache import Executions, key_of
from course_grader.execution.execute import NoSandbox
from course_grader.intake.sanitize import rebuild
from course_grader.judging.judged_notebook import judge_notebook
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError, Unit
from course_grader.project.faults import logged_to
from course_grader.proving.answers_file import Claim, printable, read_claims
from course_grader.proving.reference import reference_for
from course_utils.checking.panel import Verdict


@dataclasses.dataclass
class Tried:
    """One answer: its claim, the judge's verdict, the misconception met, and what went wrong.

    The verdict is None where it could not be executed or judged, which says nothing about it.
    """

    claim: Claim
    verdict: Verdict | None
    misconception: str = ""
    problem: str = ""

    @property
    def difference(self) -> str:
        """What is not as the answer claims; '' where all is."""
        if self.verdict is None:
            return "it could not be judged"
        failing = [aspect.name for aspect in self.verdict.aspects if aspect.status != "passed"]
        fails = ", ".join(failing)
        if self.claim.right:
            return f"it says right, but fails {fails}" if failing else ""
        if not failing:
            return "it says wrong, but gets all points"
        if self.claim.fails in (None, frozenset(failing)):
            return ""
        return f"it says that it fails {', '.join(sorted(self.claim.fails))}; it fails {fails}"


def try_answers(
    unit: Unit, path: str | Path, *, unsafe: bool = False, progress: bool = True
) -> list[Tried]:
    """Run the answers of a file as submissions run, and judge them with all checks.

    Nothing is written but a temporary folder, and the unit's reference where build/ has none.

    Parameters
    ----------
    unit : Unit
    path : path
        Of a file in the form of answers.py; see `course_grader.proving.answers_file`.
    unsafe : bool
        Run them without a sandbox where there is none.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of Tried
        In the order of the file.

    Raises
    ------
    CourseError
        If the file is malformed, there is no sandbox, or the unit has to be built first.
    """
    master = read_assignment(unit)
    claims = read_claims(path, master.exercises, say=_tell)
    _check_built(unit, master)
    if not (sandbox.available() or unsafe):
        raise NoSandbox(
            "bubblewrap is not available, and answers from elsewhere run in a sandbox only. It "
            "needs Linux (Debian, Ubuntu: apt install bubblewrap); UNSAFE=1 (--unsafe) runs "
            "them without one, if you trust the file."
        )
    workers = min(len(claims), os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        course = Course.throwaway(Path(folder) / "course", unit)
        log = logged_to(Path(folder) / "log")  # what an answer breaks is told in its own words
        with log, Executions(course, unit, unsafe=unsafe, workers=workers) as executions:
            return _all(claims, course, unit, executions, progress)


def _check_built(unit, master):
    """Stop where the master was edited since: old checks would meet a new reference."""
    path = Course().notebook("source", unit)
    if not path.is_file() or notebooks.load(path).metadata.course.hash != as_notebook.digest(
        master
    ):
        number = unit.name.partition("_")[0]
        raise CourseError(f"{unit.name} has changed since its build: run make build UNIT={number}")


def _all(claims, course, unit, executions, progress):
    reference = reference_for(unit)
    source, release = (notebooks.load(course.notebook(s, unit)) for s in ("source", "release"))
    jobs = {place: _notebook(claim, source, release) for place, claim in enumerate(claims)}
    tried = {}
    with tqdm(total=len(jobs), desc="trying", disable=not progress) as bar:
        for place, problem in executions.all(jobs):
            kept = executions.path(key_of(jobs[place]))
            tried[place] = _one(claims[place], kept, problem, release, reference)
            bar.update()
    return [tried[place] for place in sorted(tried)]


def _notebook(claim, source, release):
    """Return what runs: the provided code above an exercise, the answer, the full check cell."""
    handed_in, ours = copy.deepcopy(release), (claim.exercise, f"{claim.exercise}-solution")
    cell_of(handed_in, ours[1]).source = claim.source
    built = rebuild(handed_in, source, release).notebook
    end = [cell.id for cell in built.cells].index(claim.exercise) + 1
    code = [cell for cell in built.cells[:end] if cell.cell_type == "code"]
    built.cells = [c for c in code if c.id in ours or "nbgrader" not in c.metadata]
    return built


def _one(claim, kept, problem, release, reference):
    """Judge one executed answer; what breaks here stops no other."""
    if problem:
        return Tried(claim, None, problem=printable(problem))
    try:
        done = notebooks.load(kept)
        trouble = _trouble(done, claim.exercise)  # the judge takes the check cell's outputs away
        expected = {claim.exercise: reference[claim.exercise]}
        why = done.metadata.get("unreadable", "")  # it could not be executed, by its own doing
        judged = judge_notebook(done, release, expected, reason=why)
    except Exception as error:
        return Tried(claim, None, problem=f"could not be judged: {type(error).__name__}")
    verdict = judged.verdicts[claim.exercise]
    met = judged.misconceptions.get(claim.exercise)
    return Tried(claim, verdict, met or "", printable(trouble or verdict.note))


def _trouble(done, exercise):
    """Return the first error, but for the one in which a check cell ends under grading."""
    for cell in done.cells:
        for output in cell.outputs:
            error = output.get("ename") if output.output_type == "error" else None
            if error and (cell.id, error) != (exercise, "NotJudged"):
                where = "" if cell.id == f"{exercise}-solution" else "another cell: "
                where = "its check cell: " if cell.id == exercise else where
                return f"{where}{error}: {output.get('evalue')}"
    return ""


def _tell(words):
    print(words, file=sys.stderr)
