"""Tell an instructor what came out: a table on the screen, and the gradebook as CSV."""

__all__ = ["errors_told", "table", "write_csv"]

import csv
from pathlib import Path

from course_grader.gradebook.exporters import harmless


def table(graded, expected=None):
    """Return a table: student, score, expected score where known, seconds, and a note.

    Parameters
    ----------
    graded : list of Graded
    expected : dict, optional
        {student: score} of a sample class.
    """
    head = ["student", "score", *(["expected"] if expected else []), "seconds", "note"]
    rows = [_row(result, expected) for result in graded]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(word.ljust(w) for word, w in zip(row, widths, strict=True)) for row in rows]
    title = "  ".join(word.ljust(w) for word, w in zip(head, widths, strict=True))
    return "\n".join([title, "-" * len(title), *(line.rstrip() for line in lines)])


def write_csv(graded, path):
    """Write one row for each student: score, points of each exercise, status, reason.

    A student whom we failed to grade has the older points, or none, and the status `error`.

    An older file is replaced when the new one is whole.
    """
    names = sorted({name for result in graded for name in result.record["exercises"]})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".tmp")
    with open(waiting, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "score", "max_score", *names, "status", "reason"])
        for result in sorted(graded, key=lambda one: bool(one.problem)):
            writer.writerow(map(harmless, _csv_row(result, names)))
    waiting.replace(path)


def _csv_row(result, names):
    record = result.record
    points = [record["exercises"].get(name, {}).get("earned") for name in names]
    why = result.problem or record["reason"]
    return [result.student, record["score"], record["max_score"], *points, record["status"], why]


def errors_told(graded, log):
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
    met = [e["misconception"] for e in record["exercises"].values() if e["misconception"]]
    lost = [f"{len(record['execution'].get(k, []))} cells {word}" for k, word in _TROUBLE.items()]
    return ", ".join(met + [text for text in lost if not text.startswith("0 ")])


_TROUBLE = {"died": "ended their process", "too_long": "ran too long"}
