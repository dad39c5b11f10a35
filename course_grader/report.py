"""Tell an instructor what came out: a table on the screen, and the gradebook as CSV."""

__all__ = ["table", "write_csv"]

import csv
from pathlib import Path

from course_grader.exporters import harmless


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
    """Write one row for each student: score, points of each exercise, reason.

    An older file is replaced when the new one is whole.
    """
    known = [result.record for result in graded if result.record]
    failed = [result for result in graded if not result.record]
    names = sorted({name for record in known for name in record["exercises"]})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".tmp")
    with open(waiting, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "score", "max_score", *names, "reason"])
        for record in known:
            points = [record["exercises"][name]["earned"] for name in names]
            words = [harmless(record["student"]), record["score"], record["max_score"]]
            writer.writerow([*words, *points, harmless(record["reason"])])
        for result in failed:
            empty = [""] * (2 + len(names))
            why = harmless(result.problem.splitlines()[0])
            writer.writerow([harmless(result.student), *empty, why])
    waiting.replace(path)


def _row(result, expected):
    extra = [f"{expected[result.student]:g}"] if expected else []
    if not result.record:
        return [result.student, "-", *extra, "-", result.problem.splitlines()[0]]
    seconds = result.record["execution"].get("seconds", 0)
    score = f"{result.record['score']:g}/{result.record['max_score']:g}"
    return [result.student, score, *extra, f"{seconds:.1f}", _note(result.record)]


def _note(record):
    if record["reason"]:
        return record["reason"]
    met = [e["misconception"] for e in record["exercises"].values() if e["misconception"]]
    lost = [f"{len(record['execution'].get(k, []))} cells {word}" for k, word in _TROUBLE.items()]
    return ", ".join(met + [text for text in lost if not text.startswith("0 ")])


_TROUBLE = {"died": "ended their process", "too_long": "ran too long"}
