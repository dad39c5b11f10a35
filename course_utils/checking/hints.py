"""Which known mistake a record shows: its values are those of a catalogued wrong answer."""

__all__ = ["matching_hint", "related_hints"]

from collections.abc import Sequence
from typing import Any

from course_utils.checking.agreement import agrees
from course_utils.checking.findings import findings
from course_utils.checking.forms import Check, Got, Hint

MAX_RELATED = 5
ENOUGH = 3  # numbers, or words of an error, without which a match may be chance


def matching_hint(
    got: list[Check], expected: list[Check], wrong: list[str | None], hints: list[Hint]
) -> Hint | None:
    """Return the hint whose recorded values the submission matches, or None.

    A hint that matches every check is preferred; otherwise one that alone matches all checks
    of all aspects that failed, with numbers enough that it is no chance. An error is no match by
    its class alone, which many mistakes share: some value, or an error's words, must match too.
    `wrong` holds the findings for the submission.
    """
    everywhere = range(len(expected))
    whole = [hint for hint in hints if _tells(got, hint["got"], everywhere, wrong)]
    if whole:
        return whole[0]
    failed = _failed_aspects(expected, wrong)
    places = [i for i, check in enumerate(expected) if check["aspect"] in failed]
    if sum(_size(got[i]["got"]) for i in places if i < len(got) and wrong[i]) < ENOUGH:
        return None
    near = [hint for hint in hints if _tells(got, hint["got"], places, wrong)]
    return near[0] if len(near) == 1 else None


def related_hints(
    expected: list[Check], wrong: list[str | None], hints: list[Hint], *, but: Hint | None = None
) -> tuple[str, ...]:
    """Return the sentences of hints that fail an aspect which failed here, nearest first.

    They are MAX_RELATED at most; `but` is the hint that is told already.
    """
    failed = _failed_aspects(expected, wrong)
    distances: dict[str, int] = {}
    for hint in hints:
        mine: list[Check] = [{**c, "got": g} for c, g in zip(expected, hint["got"], strict=False)]
        theirs = _failed_aspects(expected, findings(mine, expected))
        if hint is not but and failed & theirs:
            distances.setdefault(hint["sentence"], len(failed ^ theirs))
    return tuple(sorted(distances, key=distances.__getitem__)[:MAX_RELATED])


def _failed_aspects(expected: list[Check], wrong: list[str | None]) -> set[str]:
    return {check["aspect"] for check, why in zip(expected, wrong, strict=True) if why}


def _size(record: object) -> int:
    """Return how many numbers a record holds that are neither 0 nor non-finite."""
    if not isinstance(record, dict):
        return 0
    if isinstance(record.get("items"), dict):
        return sum(map(_size, record["items"].values()))
    if "error" in record:
        return ENOUGH if _words(record) else 0
    data = record.get("data", [])
    return sum(isinstance(x, int | float) and x != 0 for x in data if isinstance(data, list))


def _tells(
    got: list[Check], known: list[Got], places: Sequence[int], wrong: list[str | None]
) -> bool:
    """Tell whether a hint's values match at some places, and by more than a class of error."""
    if not _same(got, known, places):
        return False
    return any(wrong[i] and _words(known[i]) in (None, _words(got[i]["got"])) for i in places)


def _words(record: Got) -> str | None:
    """Return an error's message; None of what is no error."""
    return str(record.get("message", "")) if "error" in record else None


def _same(got: list[Check], known: list[Got], places: Sequence[int]) -> bool:
    return all(
        i < len(got) and i < len(known) and _match(got[i].get("got"), known[i]) for i in places
    )


def _match(got: Any, known: Got) -> bool:
    if not isinstance(got, dict) or not isinstance(got.get("items", {}), dict):
        return False
    if "items" in known and "items" in got:
        both = got["items"].keys() == known["items"].keys()
        return both and all(_match(got["items"][k], known["items"][k]) for k in known["items"])
    return agrees(got, known)
