"""The JSON record that is kept of each graded submission: made, marked, read and written."""

__all__ = [
    "VERSION",
    "error_record",
    "read_record",
    "record_of",
    "records_of",
    "ungraded",
    "write_record",
]

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from course_grader.judging.judged_notebook import Outcome
from course_grader.project.course import Course, Unit
from course_utils import __version__
from course_utils.whole_file import replacing

VERSION = 3  # of record.schema.json


def record_of(
    outcome: Outcome,
    *,
    student: str,
    source_hash: str,
    execution: Mapping[str, Any],
    reason: str = "",
    texts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what is kept of a graded submission, as JSON-able numbers and words.

    Parameters
    ----------
    outcome : Outcome
        Of the judge.
    student, source_hash, reason : str
    execution : dict
        What `execute` says of its run.
    texts : dict, optional
        {id of a solution cell: hash of its text}, by which a change is told.
    """
    return {
        "schema": VERSION,
        "status": "graded",
        "error": None,
        "student": student,
        "graded": _now(),
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
        "late": None,
        "texts": texts or {},
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def error_record(
    older: Mapping[str, Any] | None, *, student: str, what: str, log: str
) -> dict[str, Any]:
    """Return the record of a submission that we failed to grade: the older one, marked.

    Parameters
    ----------
    older : dict or None
        The record so far: its score stands. Without one there is no score, which is not 0.
    student, what, log : str
        Whose submission, what went wrong, and the file that holds the traceback.
    """
    nothing = {
        "student": student,
        "graded": None,
        "score": None,
        "max_score": None,
        "reason": "",
        "exercises": {},
        "execution": {},
        "course": __version__,
        "source": None,
        "late": None,
        "texts": {},
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }
    error = {"when": _now(), "what": what, "log": log}
    return {**(older or nothing), "schema": VERSION, "status": "error", "error": error}


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a record as the schema has it now; None where there is none.

    Those of version 1 were graded, all of them; those of version 2 do not say what was late.
    """
    if not path.is_file():
        return None
    missing = {"status": "graded", "error": None, "late": None, "texts": {}}
    return missing | json.loads(path.read_text("utf-8")) | {"schema": VERSION}


def records_of(course: Course, unit: Unit) -> dict[str, dict[str, Any]]:
    """Return {student: record} of everybody who has handed in to a unit."""
    paths = sorted(course.record(unit, "any").parent.glob("*.json"))
    return {path.stem: read_record(path) for path in paths}


def ungraded(folder: Path) -> list[tuple[str, str]]:
    """Return [(UNIT/STUDENT, what went wrong)] of all records under a folder that are errors."""
    found = [(path, read_record(path)) for path in sorted(folder.glob("*/*.json"))]
    return [
        (f"{path.parent.name}/{path.stem}", record["error"]["what"])
        for path, record in found
        if record["status"] == "error"
    ]


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record; an older one is replaced when the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as waiting:
        waiting.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")


def _exercise_record(verdict, misconception):
    return {
        "status": verdict.status,
        "earned": verdict.earned,
        "aspects": {
            a.name: [a.points if a.status == "passed" else 0, a.points] for a in verdict.aspects
        },
        "relations": {a.name: a.relation for a in verdict.aspects if a.relation},
        "misconception": misconception,
    }
