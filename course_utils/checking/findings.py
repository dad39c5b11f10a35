"""What is wrong with each recorded check: the part that panel and judge share."""

__all__ = [
    "NOT_RECORDED",
    "aspects_of",
    "cases_told",
    "explained",
    "findings",
    "first_findings",
    "places_of",
]

from collections.abc import Iterable, Sequence
from typing import Any

from course_utils.checking.agreement import agrees, describe
from course_utils.checking.forms import CHANGED, Check, Got
from course_utils.checking.laws import broken
from course_utils.checking.panel import difference
from course_utils.checking.relations import relation

NOT_RECORDED = "this check was not recorded"  # nobody knows whether the answer is right there


def findings(got: Sequence[Check | None], expected: Sequence[Check]) -> list[str | None]:
    """Say for each check what is wrong, or None where it agrees.

    Parameters
    ----------
    got, expected : list of dict
        Recorded checks, in the same order: aspect, kind, call, got (and law).

    Returns
    -------
    list of (str or None)
    """
    padded = list(got[: len(expected)]) + [None] * (len(expected) - len(got))
    return [_finding(g, e) for g, e in zip(padded, expected, strict=True)]


def aspects_of(expected: Iterable[Check]) -> dict[str, float]:
    """Return {aspect: points} in the order in which the checks name them."""
    aspects: dict[str, float] = {}
    for check in expected:
        aspects[check["aspect"]] = aspects.get(check["aspect"], 0) + check["points"]
    return aspects


def places_of(aspect: str, expected: Sequence[Check]) -> list[int]:
    """Return the places of an aspect's checks."""
    return [i for i, check in enumerate(expected) if check["aspect"] == aspect]


def first_findings(
    got: Sequence[Check], expected: Sequence[Check], wrong: Sequence[str | None]
) -> dict[str, str]:
    """Return {aspect: its first finding, or ''}; an error that was told is named, not repeated.

    Parameters
    ----------
    got, expected : list of dict
        Recorded checks.
    wrong : list of (str or None)
        Their findings.
    """
    told: set[str] = set()
    firsts: dict[str, str] = {}
    for aspect in aspects_of(expected):
        place = next((i for i in places_of(aspect, expected) if wrong[i]), None)
        firsts[aspect] = (wrong[place] or "") if place is not None else ""
        came = got[place]["got"] if place is not None and place < len(got) else {}
        if "error" in came:
            words = describe(_readable(came))
            if words in told:
                firsts[aspect] = firsts[aspect].replace(words, f"the same {came['error']}")
            told |= {words} if words in firsts[aspect] else set()
    return firsts


def cases_told(expected: Sequence[Check], wrong: Sequence[str | None]) -> str:
    """Say for which cases in words an aspect is wrong, and for which it is right.

    Parameters
    ----------
    expected : list of dict
        The checks of one aspect; those that name no case, or never ran, are left out.
    wrong : list of (str or None)
        Their findings.

    Returns
    -------
    str
        One sentence; '' where no case that is wrong has words.
    """
    named = [
        (check["case"], bool(why))
        for check, why in zip(expected, wrong, strict=True)
        if check.get("case") and why != NOT_RECORDED
    ]
    failing = list(dict.fromkeys(case for case, fails in named if fails))
    passing = list(dict.fromkeys(case for case, _ in named if case not in failing))
    if not failing:
        return ""
    if not passing and len(failing) > 1:
        return f"wrong in each of {len(failing)} cases"
    right = f"; right for {_quoted(passing)}" if passing else ""
    return f"wrong for {_quoted(failing)}{right}"


def explained(
    first: str, got: Sequence[Check], expected: Sequence[Check], wrong: Sequence[str | None]
) -> tuple[str, str]:
    """Return what is told of an aspect that failed: one difference, its cases, its relation.

    Parameters
    ----------
    first : str
        The first difference, in words.
    got, expected : list of dict
        The recorded checks of the aspect.
    wrong : list of (str or None)
        Their findings.

    Returns
    -------
    (str, str)
        All that is told, and of it the relation alone; '' where there is none.
    """
    told, found = cases_told(expected, wrong), relation(got, expected)
    told = f"{first} ({told})" if told else first
    return (f"{told}. {found}" if found else told), found


def _quoted(cases: Iterable[str]) -> str:
    return ", ".join(f"'{case}'" for case in cases)


def _finding(got: Any, expected: Check) -> str | None:
    if not isinstance(got, dict) or got.get("kind") != expected["kind"]:
        return NOT_RECORDED
    if not isinstance(got.get("got"), dict):
        return NOT_RECORDED
    if expected["kind"] == "law":
        return _law_finding(got["got"], expected)
    if expected["kind"] == "draws":
        return None  # random draws are compared by the judge, with exact moments and quantiles
    if agrees(got["got"], expected["got"]):
        return None
    if expected["kind"] == "state" and got["got"].get("error") == CHANGED:
        return f"{expected['call']} {describe(_readable(got['got'])).removeprefix(f'{CHANGED}: ')}"
    if expected["kind"] == "state" and "error" in got["got"]:
        return f"{expected['call']} raised {describe(_readable(got['got']))}"
    if expected["kind"] == "state":
        return f"{expected['call']} changes its input, or draws from the global random generators"
    call = (
        expected["call"] if expected["kind"] == "value" else f"the gradient of {expected['call']}"
    )
    return difference(call, _readable(got["got"]), expected["got"])


def _law_finding(got: Got, expected: Check) -> str | None:
    why = broken(expected["law"], got, expected["got"])
    if not why and not agrees(got, expected["got"]):
        why = "these results obey the law, but are not as expected"
    return f"{expected['call']}: {why}" if why else None


def _readable(got: Got) -> Got:
    """Replace a malformed record, which only a forger makes, by one that can be shown."""
    return got if agrees(got, got) or "error" in got else {"error": "no readable", "message": ""}
