"""Tell an instructor what came out: a table on the screen, a CSV file, answers that were tried."""

__all__ = ["table", "trial_as_json", "trial_as_text", "write_csv"]

import csv
import json
import sys
from pathlib import Path

from course_grader.claims import printable
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


def trial_as_text(tried):
    """Return a paragraph for each answer that was tried, and a summary, as a terminal shows it.

    Parameters
    ----------
    tried : list of Tried
    """
    off = [f"{one.claim.exercise} {one.claim.name}" for one in tried if one.difference]
    told = f"{len(off)} not as claimed: {', '.join(off)}" if off else "all as claimed"
    summary = f"{len(tried)} answer{'s' if len(tried) > 1 else ''}, {told}"
    text = "\n\n".join([*(_paragraph(one) for one in tried), summary])
    coding = sys.stdout.encoding or "utf-8"
    return text.encode(coding, "replace").decode(coding)


def trial_as_json(tried):
    """Return one JSON document: a list with an object for each answer that was tried."""
    return json.dumps([_facts(one) for one in tried], indent=1)


def _facts(one):
    claim, verdict = one.claim, one.verdict
    return {
        "exercise": claim.exercise,
        "name": claim.name,
        "line": claim.line,
        "claim": "right" if claim.right else "wrong",
        "fails": sorted(claim.fails) if claim.fails else None,
        "status": verdict.status if verdict else "error",
        "earned": verdict.earned if verdict else None,
        "possible": verdict.possible if verdict else None,
        "aspects": {a.name: _aspect(a) for a in verdict.aspects} if verdict else {},
        "misconception": one.misconception or None,
        "hint": verdict.hint if verdict else "",
        "problem": one.problem,
        "difference": one.difference,
    }


def _aspect(aspect):
    earned = aspect.points if aspect.status == "passed" else 0
    return [earned, aspect.points, printable(aspect.finding)]


def _paragraph(one):
    facts = _facts(one)
    score = f"{facts['earned']:g}/{facts['possible']:g}" if one.verdict else "-"
    claim = f"line {facts['line']}, says {facts['claim']}"
    lines = [f"{facts['exercise']}  {facts['name']} ({claim}): {score}, {facts['status']}"]
    width = max(map(len, facts["aspects"]), default=0)
    for name, (earned, points, finding) in facts["aspects"].items():
        lines.append(f"  {name:{width}}  {earned:g}/{points:g}  {finding}".rstrip())
    known = one.misconception and f"{one.misconception}: {facts['hint']}"
    more = {"misconception": known, "problem": one.problem, "not as claimed": one.difference}
    return "\n".join([*lines, *(f"  {what}: {words}" for what, words in more.items() if words)])


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
