"""Show answers that were tried: a paragraph for each as text, or one JSON document."""

__all__ = ["trial_as_json", "trial_as_text"]

import json
import sys
from collections.abc import Sequence

from course_grader.proving.answers_file import printable
from course_grader.proving.trial import Tried


def trial_as_text(tried: Sequence[Tried]) -> str:
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


def trial_as_json(tried: Sequence[Tried]) -> str:
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
