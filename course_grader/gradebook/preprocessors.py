"""What nbgrader's autograde and generate_feedback run: rebuild, execute, judge, show."""

__all__ = ["Judge", "Rebuild", "ReleasedChecks", "SandboxedExecute", "kept", "rebuilt"]

import copy
import functools
import hashlib
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from course_grader.execution.cache import data_files, key_of, needed_early, stand_in
from course_grader.execution.execute import execute, executed_or_refused
from course_grader.execution.probe import shared
from course_grader.gradebook.record import record_of
from course_grader.intake.sanitize import rebuild, untouched
from course_grader.judging import judged_notebook
from course_grader.project import notebooks
from course_grader.project.bounded import bounded
from course_grader.project.course import Course, Unit, find_unit
from course_grader.project.faults import reason_for
from course_grader.proving.reference import reference_for
from course_utils.checking.forms import Reference


class Rebuild(NbGraderPreprocessor):
    """Sanitize: source's notebook with the submission's solutions and own cells in it."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the rebuilt notebook; an unreadable submission becomes the untouched release."""
        return rebuilt(nb, *_place(resources), _student(resources)), resources


class SandboxedExecute(NbGraderPreprocessor):
    """Execute in the sandbox, or take the result that `make grade` has already made."""

    without_sandbox = Bool(False, help="run students' code unprotected").tag(config=True)
    results = Unicode("", help="folder of results made by make grade").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the executed notebook."""
        course, unit = _place(resources)
        made = Path(self.results) / f"{key_of(nb)}.ipynb"
        if self.results and made.is_file():
            done = nbformat.read(made, as_version=4)
        else:
            run = self._run(course, unit)
            untouched = functools.partial(stand_in, course, unit)
            done = executed_or_refused(nb, run, untouched, _student(resources))
        return done, resources

    def _run(self, course, unit):
        """Return what executes a notebook of the unit here."""
        files, unsafe = data_files(course, unit), self.without_sandbox
        also = needed_early(course, unit)
        options: dict[str, Any] = {"files": files, "limits": unit.limits}
        options["forkserver"] = shared(files, say=self.log.warning, also=also, unsafe=unsafe)
        return functools.partial(execute, **options, without_sandbox=unsafe)


class Judge(NbGraderPreprocessor):
    """Replace what the check cells show by the judge's panel and points; make the record."""

    reference: dict[str, Reference] | None = None  # of the unit, where it is at hand

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the judged notebook, and the record among the resources."""
        course, unit = _place(resources)
        student, release = _student(resources), kept(course, "release", unit)
        execution = nb.metadata.pop("execution", {})
        reason = course.reason(unit, student) or nb.metadata.pop("unreadable", "")
        facts = {"student": student, "source_hash": release.metadata.course.hash}
        facts |= {"execution": execution, "reason": reason, "texts": _texts(nb)}
        reference = self.reference or reference_for(unit)
        judged, resources["record"] = _judged(nb, release, reference, facts)
        return judged.notebook, resources


class ReleasedChecks(NbGraderPreprocessor):
    """For feedback: check cells show the source that the student got, without hidden checks."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook with released check cells, and outputs that repeat none."""
        course, unit = _place(resources)
        released = {c.id: c for c in kept(course, "release", unit).cells}
        hidden = set()
        for cell in nb.cells:
            if cell.metadata.get("nbgrader", {}).get("locked") and cell.id in released:
                hidden |= set(cell.source.splitlines()) - set(
                    released[cell.id].source.splitlines()
                )
                cell.source = released[cell.id].source
        parts = [part for line in hidden for part in _telling(line)]
        for cell in nb.cells:
            cell.get("outputs", [])[:] = [_discreet(o, parts) for o in cell.get("outputs", [])]
        return nb, resources


def _telling(line):
    """Return the stretches of a line that survive being quoted: long, and free of quotes.

    The words of a case are none: the panel tells them.
    """
    secret = re.sub(r'\bcase="[^"]*"', '"', line.strip())
    return [part for part in re.split(r"[\"'\\\\]", secret) if len(part) > 18]


def _discreet(output, parts):
    """Replace an output that repeats a hidden check, as printing In does."""
    text = str(output)
    if any(part in text for part in parts):
        return new_output("stream", name="stdout", text="(not shown: it repeats the checks)\n")
    return output


def _texts(nb):
    """Return {id of a solution cell: hash of its text}."""
    solutions = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution")]
    return {c.id: hashlib.sha256(c.source.encode()).hexdigest()[:16] for c in solutions}


def _judged(nb, release, reference, facts):
    """Return the judge's outcome and the record; a notebook that breaks the judge gets 0."""

    def judged(notebook):
        outcome = judged_notebook.judge_notebook(
            notebook, release, reference, reason=facts["reason"]
        )
        return outcome, record_of(outcome, **facts)

    def ours():
        judged_notebook.judge_what_is_ours(release, reference)
        judged(copy.deepcopy(release))

    try:
        with bounded():
            return judged(nb)
    except Exception as error:  # whose fault it is decides what becomes of an older score
        why = reason_for("could not be judged", facts["student"], error, ours)
    outcome = judged_notebook.unjudged(nb, reference, facts["reason"] or why)
    return outcome, record_of(outcome, **(facts | {"reason": facts["reason"] or why}))


def rebuilt(submission: NotebookNode, course: Course, unit: Unit, student: str) -> NotebookNode:
    """Return the sanitized notebook of a submission."""
    source, release = kept(course, "source", unit), kept(course, "release", unit)
    try:
        with bounded():
            notebook = rebuild(submission, source, release).notebook
    except Exception as error:  # a submission built to break this scores 0 and stops nobody
        again = functools.partial(untouched, source, release)
        why = reason_for("not readable", student, error, again)
        notebook = untouched(source, release)
        notebook.metadata["unreadable"] = why
    _copy_checksums(notebook, release)
    return notebook


def kept(course: Course, step: str, unit: Unit) -> NotebookNode:
    """Return a notebook of the course, which is read for many submissions and never changed."""
    path = course.notebook(step, unit).resolve()
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read(path, changed):
    return notebooks.load(path)


def _student(resources):
    return resources["nbgrader"]["student"]


def _place(resources):
    """Return the course (nbgrader works in its root) and the unit."""
    return Course(Path.cwd()), find_unit(resources["nbgrader"]["assignment"])


def _copy_checksums(notebook, release):
    """Give cells the checksums of the release: nbgrader tells 'no response' by them."""
    known = {cell.id: cell.metadata.get("nbgrader", {}).get("checksum") for cell in release.cells}
    for cell in notebook.cells:
        if known.get(cell.id) and "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["checksum"] = known[cell.id]
