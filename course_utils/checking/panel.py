"""The panel under a check cell: one line for each aspect, as HTML and as plain text."""

__all__ = ["Aspect", "Verdict", "html", "text"]

import dataclasses
from collections.abc import Sequence
from html import escape

from course_utils.checking.agreement import describe, first_difference, form_of
from course_utils.checking.forms import Got

MARKS = {"passed": "✓", "not yet": "✗", "not attempted": "○", "not judged": "?"}
COLOURS = {
    "passed": "#009e73",
    "not yet": "#d55e00",
    "not attempted": "#777",
    "not judged": "#777",
}


@dataclasses.dataclass
class Aspect:
    """One named aspect of behaviour: its points, whether it passed, and what was found.

    `relation` is the part of the finding that holds of all cases: "What came is twice ...".
    """

    name: str
    points: float
    status: str
    finding: str = ""
    relation: str = ""


@dataclasses.dataclass
class Verdict:
    """What is said of one exercise; `earned` is None where nothing is graded.

    `hint` names the mistake, where it is a known one; `more` are sentences about other mistakes
    that fail the same aspects. `printed` is what the answer printed, `place` where it first
    raised; both are for its writer, and never graded. `mistake` is the name of the hint.
    """

    exercise: str
    status: str
    aspects: list[Aspect]
    hint: str = ""
    more: tuple[str, ...] = ()
    earned: float | None = None
    note: str = ""
    printed: str = ""
    place: str = ""
    mistake: str = ""

    @property
    def possible(self) -> float:
        """The points at stake."""
        return sum(aspect.points for aspect in self.aspects)


def text(verdict: Verdict, solution: str = "") -> str:
    """Render a verdict as plain text; of a worked solution it says only that there is one."""
    lines = [_headline(verdict)]
    for aspect in verdict.aspects:
        lines.append(f"  {MARKS[aspect.status]} {aspect.name}, {_points(aspect.points)}")
        lines += [f"      {aspect.finding}"] if aspect.finding else []
    lines += [f"  Raised at {verdict.place}"] if verdict.place else []
    lines += [f"  Hint: {verdict.hint}"] if verdict.hint else []
    lines += [f"  More hints: {len(verdict.more)}, under the panel"] if verdict.more else []
    lines += [f"  {verdict.note}"] if verdict.note else []
    lines += ["  The worked solution is in solutions/."] if solution else []
    printed = verdict.printed.splitlines()
    lines += ["  Your code printed:", *(f"    {line}" for line in printed)] if printed else []
    return "\n".join(lines)


def html(verdict: Verdict, solution: str = "", cases: Sequence[str] = ()) -> str:
    """Render a verdict as HTML that needs no script and no style sheet; everything is escaped.

    Parameters
    ----------
    verdict : Verdict
    solution : str, optional
        Source of the worked solution: one click away once all passed, two clicks before.
    cases : sequence of str, optional
        What each failing hidden case was, for who may see it: two clicks away.
    """
    rows = "".join(_row(aspect) for aspect in verdict.aspects)
    place = f"<div style='margin-top:.4em'>Raised at <code>{escape(verdict.place)}</code></div>"
    hint = f"<div style='margin-top:.4em'><b>Hint.</b> {escape(verdict.hint)}</div>"
    note = f"<div style='margin-top:.4em;opacity:.75'>{escape(verdict.note)}</div>"
    return (
        f"<div style='border-left:4px solid {COLOURS[verdict.status]};padding:.4em .8em;"
        f"background:rgba(127,127,127,.08);max-width:50em'>"
        f"<div><b>{escape(_headline(verdict))}</b></div>"
        f"<table style='border:0;margin:.2em 0'>{rows}</table>"
        f"{place if verdict.place else ''}"
        f"{hint if verdict.hint else ''}{_more(verdict)}{note if verdict.note else ''}"
        f"{_folded(verdict, solution) if solution else ''}{_printed(verdict)}"
        f"{_shown(cases)}</div>"
    )


def _more(verdict: Verdict) -> str:
    """Hide behind one click what else fails where this answer failed."""
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in verdict.more)
    listed = f"<ul style='margin:.2em 0'>{lines}</ul>"
    return _details("More hints: mistakes that fail the same lines", listed) if lines else ""


def _printed(verdict: Verdict) -> str:
    """Hide what the answer printed behind one click."""
    words = f"<pre style='margin:.4em 0;overflow:auto'>{escape(verdict.printed)}</pre>"
    return _details("What your code printed", words) if verdict.printed else ""


def _shown(cases: Sequence[str]) -> str:
    """Hide failing hidden cases behind two clicks: finding one's own case teaches more."""
    lines = "".join(f"<li>{escape(case)}</li>" for case in cases)
    sure = _details("Show them", f"<ul style='margin:.2em 0'>{lines}</ul>")
    inner = f"<div style='margin-left:1em'>{sure}</div>"
    return _details(f"Hidden cases that fail: {len(cases)}", inner) if cases else ""


def _folded(verdict: Verdict, solution: str) -> str:
    """Hide a solution behind one click, or two where the learner still works on it."""
    code = f"<pre style='margin:.4em 0;overflow:auto'>{escape(solution)}</pre>"
    if verdict.status == "passed":
        return _details("Compare with the worked solution", code)
    sure = _details("I have tried; show it", code)
    return _details("Worked solution", f"<div style='margin-left:1em'>{sure}</div>")


def _details(summary: str, content: str) -> str:
    clicked = f"<summary style='cursor:pointer'>{summary}</summary>"
    return f"<details style='margin-top:.4em'>{clicked}{content}</details>"


def difference(call: str, got: Got, expected: Got) -> str:
    """Say what a visible check got and what was expected, and in what form where they differ."""
    shown, wanted = describe(got), describe(expected)
    if shown == wanted:  # they differ in later digits, or in a number that is not shown
        shown, wanted = describe(got, digits=10), describe(expected, digits=10)
    if shown == wanted and any(found := first_difference(got, expected)):
        shown, wanted = found
    forms = form_of(got), form_of(expected)
    if all(forms) and forms[0] != forms[1]:
        shown, wanted = f"{shown}, {forms[0]}", f"{wanted}, {forms[1]}"
    if "error" in got:
        return f"{call} raised {shown}; expected {wanted}"
    if "error" in expected:
        return f"{call} gave {shown}; it must raise {expected['error']}"
    return f"{call} gave {shown}; expected {wanted}"


def _headline(verdict: Verdict) -> str:
    if verdict.earned is None:
        seen = "visible cases passed" if verdict.status == "passed" else verdict.status
        return f"{verdict.exercise}: {seen}"
    return (
        f"{verdict.exercise}: {verdict.status}, {verdict.earned:g} of {_points(verdict.possible)}"
    )


def _points(points: float) -> str:
    return f"{points:g} point" if points == 1 else f"{points:g} points"


def _row(aspect: Aspect) -> str:
    words = "text-align:left;vertical-align:top;border:0;padding:.1em .6em .1em 0"
    word = f"{words};white-space:nowrap"
    mark = f"<b style='color:{COLOURS[aspect.status]}'>{MARKS[aspect.status]}</b>"
    return (
        f"<tr style='background:none'><td style='{word}'>{mark}</td>"
        f"<td style='{word}'>{escape(aspect.name)}</td>"
        f"<td style='{word}'>{_points(aspect.points)}</td>"
        f"<td style='{words}'>{escape(aspect.finding)}</td></tr>"
    )
