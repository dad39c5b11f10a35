"""Which known mistake a record shows: its values are those of a catalogued wrong answer."""

__all__ = ["matching_hint", "related_hints"]

from course_utils.checking.agreement import agrees
from course_utils.checking.findings import aspects_of, findings, places_of

MAX_RELATED = 5


def matching_hint(got, expected, wrong, hints):
    """Return the hint whose recorded values the submission matches, or None.

    A hint that matches every check is preferred; otherwise one that alone matches all checks
    of an aspect that failed. An error is no match by its class alone, which many mistakes share:
    some value, or an error's words, must match too. `wrong` holds the findings for the submission.
    """
    places = range(len(expected))
    whole = [hint for hint in hints if _tells(got, hint["got"], places, wrong)]
    if whole:
        return whole[0]
    for aspect in aspects_of(expected):
        places = places_of(aspect, expected)
        near = [hint for hint in hints if _tells(got, hint["got"], places, wrong)]
        if len(near) == 1:
            return near[0]
    return None


def related_hints(expected, wrong, hints, *, but=None):
    """Return the sentences of hints that fail an aspect which failed here, nearest first.

    They are MAX_RELATED at most; `but` is the hint that is told already.
    """
    failed = _failed_aspects(expected, wrong)
    distances = {}
    for hint in hints:
        mine = [{**c, "got": g} for c, g in zip(expected, hint["got"], strict=False)]
        theirs = _failed_aspects(expected, findings(mine, expected))
        if hint is not but and failed & theirs:
            distances.setdefault(hint["sentence"], len(failed ^ theirs))
    return tuple(sorted(distances, key=distances.get)[:MAX_RELATED])


def _failed_aspects(expected, wrong):
    return {check["aspect"] for check, why in zip(expected, wrong, strict=True) if why}


def _tells(got, known, places, wrong):
    """Tell whether a hint's values match at some places, and by more than a class of error."""
    if not _same(got, known, places):
        return False
    return any(wrong[i] and _words(known[i]) in (None, _words(got[i]["got"])) for i in places)


def _words(record):
    """Return an error's message; None of what is no error."""
    return str(record.get("message", "")) if "error" in record else None


def _same(got, known, places):
    return all(
        i < len(got) and i < len(known) and _match(got[i].get("got"), known[i]) for i in places
    )


def _match(got, known):
    if not isinstance(got, dict) or not isinstance(got.get("items", {}), dict):
        return False
    if "items" in known and "items" in got:
        both = got["items"].keys() == known["items"].keys()
        return both and all(_match(got["items"][k], known["items"][k]) for k in known["items"])
    return agrees(got, known)
