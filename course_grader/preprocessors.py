"""What nbgrader's autograde and generate_feedback run: rebuild, execute, judge, show."""

__all__ = ["Judge", "Rebuild", "ReleasedChecks", "SandboxedExecute", "rebuilt"]

import functools
import json
import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from course_grader import notebooks, verdicts
from course_grader.course import Course, find_unit
from course_grader.execute import execute
from course_grader.jobs import also_imported, data_files, key_of
from course_grader.preload import shared
from course_grader.rebuild import rebuild, untouched
from course_grader.reference import reference_for


class Rebuild(NbGraderPreprocessor):
    """Sanitize: source's notebook with the submission's solutions and own cells in it."""

    def preprocess(self, nb, resources):
        """Return the rebuilt notebook; an unreadable submission becomes the untouched release."""
        return rebuilt(nb, *_place(resources)), resources


class SandboxedExecute(NbGraderPreprocessor):
    """Execute in the sandbox, or take the result that `make grade` has already made."""

    without_sandbox = Bool(False, help="run students' code unprotected").tag(config=True)
    results = Unicode("", help="folder of results made by make grade").tag(config=True)

    def preprocess(self, nb, resources):
        """Return the executed notebook."""
        course, unit = _place(resources)
        made = Path(self.results) / f"{key_of(nb)}.ipynb"
        if self.results and made.is_file():
            done = nbformat.read(made, as_version=4)
        else:
            files = data_files(course, unit)
            options = {
                "files": files,
                "limits": unit.limits,
                "zygote": shared(files, say=self.log.warning, also=also_imported(course, unit)),
            }
            done = execute(nb, **options, without_sandbox=self.without_sandbox)
        return done, resources


class Judge(NbGraderPreprocessor):
    """Replace what the check cells show by the judge's panel and points; write the record."""

    def preprocess(self, nb, resources):
        """Return the judged notebook."""
        course, unit = _place(resources)
        student = resources["nbgrader"]["student"]
        release = _kept(course, "release", unit)
        reason = course.reason(unit, student)
        execution = nb.metadata.pop("execution", {})
        reason = reason or nb.metadata.pop("unreadable", "")
        judged = _judged(nb, release, reference_for(unit), reason)
        facts = {"source_hash": release.metadata.course.hash, "execution": execution}
        record = verdicts.record_of(judged, student=student, reason=reason, **facts)
        _write(course.record(unit, student), record)
        return judged.notebook, resources


class ReleasedChecks(NbGraderPreprocessor):
    """For feedback: check cells show the source that the student got, without hidden checks."""

    def preprocess(self, nb, resources):
        """Return the notebook with released check cells, and outputs that repeat none."""
        course, unit = _place(resources)
        released = {c.id: c for c in _kept(course, "release", unit).cells}
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
    """Return the stretches of a line that survive being quoted: long, and free of quotes."""
    return [part for part in re.split(r"[\"'\\\\]", line.strip()) if len(part) > 18]


def _discreet(output, parts):
    """Replace an output that repeats a hidden check, as printing In does."""
    if any(part in str(output) for part in parts):
        return new_output("stream", name="stdout", text="(not shown: it repeats the checks)\n")
    return output


def _judged(nb, release, reference, reason):
    try:
        return verdicts.judge_notebook(nb, release, reference, reason=reason)
    except Exception as error:  # an older score must not stand: this one is 0, and says why
        why = reason or f"could not be judged: {type(error).__name__}"
        return verdicts.unjudged(nb, reference, why)


def rebuilt(submission, course, unit):
    """Return the sanitized notebook of a submission."""
    source, release = _kept(course, "source", unit), _kept(course, "release", unit)
    try:
        notebook = rebuild(submission, source, release).notebook
    except Exception as error:  # a submission built to break this scores 0 and stops nobody
        notebook = untouched(source, release)
        notebook.metadata["unreadable"] = f"not readable: {type(error).__name__}"
    _copy_checksums(notebook, release)
    return notebook


def _kept(course, step, unit):
    """Return a notebook of the course, which is read for many submissions and never changed."""
    path = course.notebook(step, unit).resolve()
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read(path, changed):
    return notebooks.load(path)


def _place(resources):
    """Return the course (nbgrader works in its root) and the unit."""
    return Course(Path.cwd()), find_unit(resources["nbgrader"]["assignment"])


def _copy_checksums(notebook, release):
    """Give cells the checksums of the release: nbgrader tells 'no response' by them."""
    known = {cell.id: cell.metadata.get("nbgrader", {}).get("checksum") for cell in release.cells}
    for cell in notebook.cells:
        if known.get(cell.id) and "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["checksum"] = known[cell.id]


def _write(path, record):
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    waiting.replace(path)
