"""Put the judge's verdicts in an executed notebook, and write the record of a submission."""

__all__ = ["Outcome", "judge_notebook", "record_of", "unjudged"]

import dataclasses
import platform
from datetime import UTC, datetime
from importlib import metadata

from nbformat.v4 import new_output

from course_grader import judge
from course_grader.passive import make_passive
from course_grader.rebuild import attempts
from course_utils import __version__, panel
from course_utils.records import MIME


@dataclasses.dataclass
class Outcome:
    """The judged notebook, its verdicts by exercise, and the misconceptions met."""

    notebook: object
    verdicts: dict
    misconceptions: dict

    @property
    def earned(self):
        """The points of the whole submission."""
        return sum(verdict.earned for verdict in self.verdicts.values())


def judge_notebook(executed, release, reference, *, reason=""):
    """Judge every check cell of an executed notebook.

    Parameters
    ----------
    executed : NotebookNode
        Made by `execute` from a rebuilt notebook.
    release : NotebookNode
        Tells which exercises were attempted.
    reference : dict
        {exercise: reference} of the unit.
    reason : str
        Why the submission could not be read, where the untouched release stands in for it.

    Returns
    -------
    Outcome
    """
    records = {c.id: _records(c) for c in executed.cells if c.id in reference}
    attempted = attempts(executed, release)
    verdicts, met = {}, {}
    for name, entry in reference.items():
        tried = attempted[name] or _holds_results(records.get(name, []))
        verdicts[name] = judge.judge_record(name, records.get(name, []), entry, attempted=tried)
        verdicts[name].note = reason or verdicts[name].note
        if tried and len(records.get(name, [])) == 1:
            met[name] = judge.misconception(name, records[name][0].get("checks"), entry)
    released = {(cell.id, cell.source) for cell in release.cells}
    make_passive(executed, trusted={c.id for c in executed.cells if (c.id, c.source) in released})
    for cell in executed.cells:
        if cell.id in verdicts:
            cell.outputs = _outputs(verdicts[cell.id])
    return Outcome(executed, verdicts, met)


def record_of(outcome, *, student, source_hash, execution, reason=""):
    """Return what is kept of a graded submission, as JSON-able numbers and words."""
    return {
        "student": student,
        "graded": datetime.now(UTC).isoformat(timespec="seconds"),
        "score": outcome.earned,
        "max_score": sum(verdict.possible for verdict in outcome.verdicts.values()),
        "reason": reason,
        "exercises": {
            name: _exercise_record(verdict, outcome.misconceptions.get(name))
            for name, verdict in outcome.verdicts.items()
        },
        "execution": execution,
        "course": __version__,
        "source": source_hash,
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def _exercise_record(verdict, misconception):
    return {
        "status": verdict.status,
        "earned": verdict.earned,
        "aspects": {
            a.name: [a.points if a.status == "passed" else 0, a.points] for a in verdict.aspects
        },
        "misconception": misconception,
    }


def _records(cell):
    """Return every record that a cell displayed."""
    shown = [output.get("data", {}).get(MIME) for output in cell.get("outputs", [])]
    return [record for record in shown if isinstance(record, dict)]


def _holds_results(records):
    """Tell whether a check got anything but the stub's error: the answer is in another cell."""
    checks = [check for record in records for check in _listed(record.get("checks"))]
    errors = [check["got"].get("error") for check in checks if isinstance(check.get("got"), dict)]
    return any(error != "NotImplementedError" for error in errors)


def _listed(checks):
    return [c for c in checks if isinstance(c, dict)] if isinstance(checks, list) else []


def unjudged(executed, reference, reason):
    """Return the outcome of a notebook that broke the judge: no points, and the reason."""
    verdicts = {n: judge.judge(n, None, entry, trouble=reason) for n, entry in reference.items()}
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs = _outputs(verdicts[cell.id]) if cell.id in verdicts else []
    return Outcome(executed, verdicts, {})


def _outputs(verdict):
    """Return the panel, and the points as the plain float that nbgrader reads."""
    shown = {"text/plain": panel.text(verdict), "text/html": panel.html(verdict)}
    points = {"text/plain": repr(float(verdict.earned))}
    return [
        new_output("display_data", data=shown),
        new_output("execute_result", data=points, execution_count=None),
    ]
