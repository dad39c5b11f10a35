"""Put the judge's verdicts in an executed notebook."""

__all__ = ["Outcome", "judge_notebook", "judge_what_is_ours", "refused", "unjudged"]

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_grader.intake.sanitize import attempts
from course_grader.judging import judge
from course_grader.judging.output_sanitizer import sanitize_outputs
from course_utils.checking import panel
from course_utils.checking.forms import Reference
from course_utils.checking.panel import Verdict
from course_utils.checking.records import MIME


@dataclasses.dataclass
class Outcome:
    """The judged notebook, its verdicts by exercise, and the misconceptions met."""

    notebook: NotebookNode
    verdicts: dict[str, Verdict]
    misconceptions: dict[str, str | None]

    @property
    def earned(self) -> float:
        """The points of the whole submission."""
        return sum(verdict.earned or 0.0 for verdict in self.verdicts.values())


def judge_notebook(
    executed: NotebookNode,
    release: NotebookNode,
    reference: Mapping[str, Reference],
    *,
    reason: str = "",
) -> Outcome:
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
    sanitize_outputs(
        executed, trusted={c.id for c in executed.cells if (c.id, c.source) in released}
    )
    for cell in executed.cells:
        if cell.id in verdicts:
            cell.outputs = _outputs(verdicts[cell.id])
    return Outcome(executed, verdicts, met)


def _records(cell: NotebookNode) -> list[dict[str, Any]]:
    """Return every record that a cell displayed."""
    shown = [output.get("data", {}).get(MIME) for output in cell.get("outputs", [])]
    return [record for record in shown if isinstance(record, dict)]


def _holds_results(records: list[dict[str, Any]]) -> bool:
    """Tell whether a check got anything but the stub's error: the answer is in another cell."""
    checks = [check for record in records for check in _listed(record.get("checks"))]
    errors = [check["got"].get("error") for check in checks if isinstance(check.get("got"), dict)]
    return any(error != "NotImplementedError" for error in errors)


def _listed(checks: object) -> list[dict[str, Any]]:
    return [c for c in checks if isinstance(c, dict)] if isinstance(checks, list) else []


def judge_what_is_ours(release: NotebookNode, reference: Mapping[str, Reference]) -> None:
    """Judge the untouched release and our own answers: an exception here is a fault of ours.

    Parameters
    ----------
    release : NotebookNode
    reference : dict
        {exercise: reference} of the unit.
    """
    judge_notebook(copy.deepcopy(release), release, reference)
    for name, entry in reference.items():
        answers = [[check["got"] for check in entry["checks"]]]
        answers += [hint["got"] for hint in entry["hints"]]
        for got in answers:
            checks = zip(entry["checks"], got, strict=False)
            record = [{**check, "got": value} for check, value in checks]
            judge.judge(name, record, entry)
            judge.misconception(name, record, entry)


def refused(reference: Mapping[str, Reference]) -> list[str]:
    """Return the exercises whose own right answer the judge does not pass: none, if it is whole.

    Parameters
    ----------
    reference : dict
        {exercise: reference} of the unit.
    """
    verdicts = [judge.judge(name, entry["checks"], entry) for name, entry in reference.items()]
    return [verdict.exercise for verdict in verdicts if verdict.status != "passed"]


def unjudged(executed: NotebookNode, reference: Mapping[str, Reference], reason: str) -> Outcome:
    """Return the outcome of a notebook that broke the judge: no points, and the reason."""
    verdicts = {n: judge.judge(n, None, entry, trouble=reason) for n, entry in reference.items()}
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs = _outputs(verdicts[cell.id]) if cell.id in verdicts else []
    return Outcome(executed, verdicts, {})


def _outputs(verdict: Verdict) -> list[NotebookNode]:
    """Return the panel, and the points as the plain float that nbgrader reads."""
    shown = {"text/plain": panel.text(verdict), "text/html": panel.html(verdict)}
    points = {"text/plain": repr(float(verdict.earned or 0.0))}
    return [
        new_output("display_data", data=shown),
        new_output("execute_result", data=points, execution_count=None),
    ]
