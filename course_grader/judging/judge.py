"""The judge: recorded values against the reference, outside the process that made them.

Rules, points and tolerances come from the reference, never from the submission.
"""

__all__ = ["agrees_so_far", "hidden_findings", "judge", "judge_record"]

from collections.abc import Iterable
from typing import Any, TypeGuard

from course_grader.judging import draws
from course_utils.checking.agreement import describe
from course_utils.checking.findings import (
    NOT_RECORDED,
    aspects_of,
    explained,
    findings,
    first_findings,
    places_of,
)
from course_utils.checking.forms import Check, Reference
from course_utils.checking.hints import matching_hint
from course_utils.checking.panel import Aspect, Verdict

UNSEEN = "a further case is not as expected"
# What agrees with no check.
UNREADABLE: Check = {
    "aspect": "",
    "kind": "",
    "call": "",
    "points": 0,
    "got": {"error": "Unreadable", "message": ""},
}
MUCH = "or shown too much"
SHUT = "this aspect has no hidden number that decides it"


def judge(
    exercise: str,
    record: object,
    reference: Reference,
    *,
    attempted: bool = True,
    trouble: str = "",
) -> Verdict:
    """Return the verdict on one exercise.

    An aspect earns its points only if every value agrees, every law holds and at least one
    hidden check of it is solid: finite and not to be guessed.

    Parameters
    ----------
    exercise : str
    record : object
        What the check cell recorded; may be None, malformed or forged.
    reference : dict
        The exercise's entry made by `course_grader.proving.reference`.
    attempted : bool
        False if the solution cell equals the release.
    trouble : str
        Why there is no usable record, for the reader.
    """
    expected = reference["checks"]
    if not attempted:
        return _untouched(exercise, expected)
    got = _readable(record, expected)
    wrong = _findings(got, reference)
    firsts = first_findings(got, expected, wrong)
    aspects = [
        _aspect(name, points, firsts[name], got, wrong, reference)
        for name, points in _stakes(expected)
    ]
    earned = float(sum(aspect.points for aspect in aspects if aspect.status == "passed"))
    hint = matching_hint(got, expected, wrong, reference["hints"]) if any(wrong) else None
    status = "passed" if earned == sum(points for _, points in _stakes(expected)) else "not yet"
    met = (hint["sentence"], hint["name"]) if hint else ("", "")
    verdict = Verdict(exercise, status, aspects, earned=earned, note=trouble)
    verdict.hint, verdict.mistake = met
    return verdict


def judge_record(
    exercise: str, outputs: Iterable[object], reference: Reference, *, attempted: bool = True
) -> Verdict:
    """Find the one record in a check cell's outputs and judge it."""
    records = [r for r in outputs if isinstance(r, dict) and r.get("exercise") == exercise]
    if len(records) == 1:
        return judge(exercise, records[0].get("checks"), reference, attempted=attempted)
    found = "no record" if not records else f"{len(records)} records instead of one"
    trouble = f"The check cell left {found}: an earlier cell may have failed, run too long {MUCH}."
    return judge(exercise, None, reference, attempted=attempted, trouble=trouble)


def hidden_findings(record: object, reference: Reference) -> list[str]:
    """Return what is wrong with each hidden check that fails, for whoever may see hidden cases.

    Parameters
    ----------
    record : object
        What the check cell recorded; may be None or malformed.
    reference : dict
        The exercise's entry.

    Returns
    -------
    list of str
    """
    shown = reference | {"visible": len(reference["checks"])}
    got = _readable(record, reference["checks"])
    wrong = _findings(got, shown)[reference["visible"] :]
    checks = reference["checks"][reference["visible"] :]
    named = [(check.get("case", ""), why) for check, why in zip(checks, wrong, strict=True) if why]
    return [f"{case}: {why}" if case else why for case, why in named]


def agrees_so_far(record: list[Check], reference: Reference) -> bool:
    """Return whether the last check of an unfinished record is as expected."""
    place = len(record) - 1
    if place >= len(reference["checks"]):
        return True  # the judge reads no further
    return not _finding(place, record[place], reference)


def _stakes(expected: list[Check]) -> list[tuple[str, float]]:
    return list(aspects_of(expected).items())


def _readable(record: object, expected: list[Check]) -> list[Check]:
    """Keep of a record only what has the form of one."""
    if not isinstance(record, list):
        return []
    return [check if _is_check(check) else UNREADABLE for check in record[: len(expected)]]


def _is_check(check: object) -> TypeGuard[Check]:
    return isinstance(check, dict) and isinstance(check.get("got"), dict) and _describable(check)


def _describable(check: dict[str, Any]) -> bool:
    try:
        describe(check["got"])
    except Exception:  # forged beyond reading: it agrees with nothing
        return False
    return True


def _findings(got: list[Check], reference: Reference) -> list[str | None]:
    wrong = findings(got, reference["checks"])
    for place in map(int, reference["exact"]):
        if place < len(got):
            wrong[place] = _finding(place, got[place], reference)
    visible = reference["visible"]
    told = (None, NOT_RECORDED)
    return [w if w in told or i < visible else UNSEEN for i, w in enumerate(wrong)]


def _finding(place: int, check: Check, reference: Reference) -> str | None:
    """Say what is wrong with one check, also with what it drew; None where it agrees."""
    [wrong] = findings([check], [reference["checks"][place]])
    exact = reference["exact"].get(str(place))
    return wrong or (draws.finding(check["got"], exact) if exact else None)


def _aspect(
    name: str,
    points: float,
    first: str,
    got: list[Check],
    wrong: list[str | None],
    reference: Reference,
) -> Aspect:
    checks = reference["checks"]
    places = places_of(name, checks)
    if not first and not any(i in reference["solid"] for i in places):
        first = SHUT
    if not first:
        return Aspect(name, points, "passed")
    mine = [got[i] for i in places if i < len(got)]
    told = explained(first, mine, [checks[i] for i in places], [wrong[i] for i in places])
    return Aspect(name, points, "not yet", *told)


def _untouched(exercise: str, expected: list[Check]) -> Verdict:
    aspects = [Aspect(name, points, "not attempted") for name, points in _stakes(expected)]
    return Verdict(exercise, "not attempted", aspects, earned=0.0)
