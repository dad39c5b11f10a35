"""Tell an instructor what came out: a table on the screen, and the gradebook as CSV."""

__all__ = [
    "aligned",
    "errors_told",
    "missing_told",
    "table",
    "waiting_told",
    "write_csv",
]

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_grader.gradebook.exporters import harmless
from course_grader.intake.people import People
from course_grader.project.course import Unit
from course_utils.whole_file import replacing

if TYPE_CHECKING:  # it brings what grades, which takes long to import
    from course_grader.gradebook.one_submission import Graded


def table(graded: Sequence["Graded"], expected: Mapping[str, float] | None = None) -> str:
    """Return a table: student, score, expected score where known, seconds, and a note.

    Parameters
    ----------
    graded : list of Graded
    expected : dict, optional
        {student: score} of a sample class.
    """
    head = ["student", "score", *(["expected"] if expected else []), "seconds", "note"]
    rows = [_row(result, expected) for result in graded]
    return aligned(head, rows)


def aligned(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows below their titles, in columns."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(word.ljust(w) for word, w in zip(row, widths, strict=True)) for row in rows]
    title = "  ".join(word.ljust(w) for word, w in zip(head, widths, strict=True))
    return "\n".join([title, "-" * len(title), *(line.rstrip() for line in lines)])


def write_csv(
    records: Sequence[Mapping[str, Any]],
    path: Path,
    missing: Sequence[str] = (),
    adjustments: Mapping[str, str] | None = None,
) -> None:
    """Write one row for each student: score, points of each exercise, late penalty, status.

    A student whom we failed to grade has the older points, or none, and the status `error`; who
    handed in nothing has none, and the status `missing`. An older file is replaced when the new
    one is whole.

    Parameters
    ----------
    records : list of dict
        The judge's, of everybody who handed in so far.
    path : Path
    missing : list of str
        Students of whom there is none.
    adjustments : dict, optional
        {exercise: kind}, what is told in the last column; points stay the judge's.
    """
    names = sorted({name for record in records for name in record["exercises"]})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        ends = ["late", "status", "reason", "adjusted"]
        writer.writerow(["student", "score", "max_score", *names, *ends])
        adjusted = "; ".join(f"{name}: {kind}" for name, kind in (adjustments or {}).items())
        for record in sorted(records, key=lambda one: (one["status"] == "error", one["student"])):
            writer.writerow(map(harmless, [*_csv_row(record, names), adjusted]))
        for student in missing:
            row = [student, "", "", *("" for _ in names), "", "missing", "", ""]
            writer.writerow(map(harmless, row))


def _csv_row(record, names):
    points = [record["exercises"].get(name, {}).get("earned") for name in names]
    why = record["error"]["what"] if record["error"] else record["reason"]
    late = record["late"]["penalty"] if record["late"] else ""
    score = [record["score"], record["max_score"]]
    return [record["student"], *score, *points, late, record["status"], why]


def missing_told(missing: Sequence[str], people: People) -> str:
    """Say who has handed in nothing; '' for nobody.

    Parameters
    ----------
    missing : list of str
    people : People
    """
    if not missing:
        return ""
    names = ", ".join(people.all[student].shown for student in missing)
    return f"Nothing handed in: {len(missing)} of {len(people.all)}: {names}"


def waiting_told(count: int, unit: Unit) -> str:
    """Say how many answers in words wait for a person, and what to do; '' for none.

    Parameters
    ----------
    count : int
    unit : Unit
    """
    if not count:
        return ""
    words = "answer in words waits" if count == 1 else "answers in words wait"
    return f"{count} {words}: make words UNIT={unit.name[:2]}"


def errors_told(graded: Sequence["Graded"], log: Path) -> str:
    """Say in two lines whom we failed to grade, and where the tracebacks are; '' for nobody.

    Parameters
    ----------
    graded : list of Graded
    log : Path
    """
    names = [result.student for result in graded if result.problem]
    if not names:
        return ""
    return (
        f"{len(names)} not graded, by a fault that is not theirs: {', '.join(names)}.\n"
        f"No older score was changed. Tracebacks: {log}. Then run the same command again."
    )


def _row(result, expected):
    record, extra = result.record, [f"{expected[result.student]:g}"] if expected else []
    score = "-" if record["score"] is None else f"{record['score']:g}/{record['max_score']:g}"
    if result.problem:
        kept = "" if record["score"] is None else f" (the score is of {record['graded'][:10]})"
        return [result.student, score, *extra, "-", f"error: {result.problem}{kept}"]
    seconds = record["execution"].get("seconds", 0)
    return [result.student, score, *extra, f"{seconds:.1f}", _note(record)]


def _note(record):
    if record["reason"]:
        return record["reason"]
    late = [_late(record["late"])] if record["late"] else []
    met = [e["misconception"] for e in record["exercises"].values() if e["misconception"]]
    lost = [f"{len(record['execution'].get(k, []))} cells {word}" for k, word in _TROUBLE.items()]
    return ", ".join(late + met + [text for text in lost if not text.startswith("0 ")])


def _late(late):
    """Say in a few words by how much, and what that costs."""
    days = "" if late["seconds"] is None else f" by {late['seconds'] / 86_400:.1f} days"
    return f"late{days}" + (f": -{late['penalty']:g} points" if late["penalty"] else "")


_TROUBLE = {"died": "ended their process", "too_long": "ran too long"}
