"""Compare a whole record with what was expected: the part that panel and judge share."""

__all__ = [
    "EXPECTED_FILE",
    "aspects_of",
    "expected_for",
    "findings",
    "matching_hint",
    "related_hints",
    "verdict",
]

import json
from pathlib import Path

from course_utils.checking.agreement import agrees, describe
from course_utils.checking.laws import broken
from course_utils.checking.panel import Aspect, Verdict, difference

EXPECTED_FILE = "checks.json"  # lies beside each assignment: visible values and their hints
MAX_RELATED = 5


def findings(got, expected):
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


def aspects_of(expected):
    """Return {aspect: points} in the order in which the checks name them."""
    aspects = {}
    for check in expected:
        aspects[check["aspect"]] = aspects.get(check["aspect"], 0) + check["points"]
    return aspects


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
        places = _places(aspect, expected)
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


def verdict(exercise, got, expected, hints, *, note=""):
    """Compare the visible checks only: the panel that a learner sees; nothing is graded."""
    wrong = findings(got, expected)
    if got and got[0]["got"].get("error") == "NotImplementedError":
        return _not_attempted(exercise, expected)
    aspects = [
        _aspect(
            name, points, [w for w, e in zip(wrong, expected, strict=True) if name_of(e) == name]
        )
        for name, points in aspects_of(expected).items()
    ]
    hint = matching_hint(got, expected, wrong, hints)
    status = "not yet" if any(wrong) else "passed"
    more = related_hints(expected, wrong, hints, but=hint)
    sentence = hint["sentence"] if hint else ""
    return Verdict(exercise, status, aspects, hint=sentence, more=more, note=note)


def expected_for(exercise, folder="."):
    """Read the visible expected values of an exercise from the file beside the notebook.

    Raises
    ------
    FileNotFoundError
        If no file beside the notebook (or in ../release) knows the exercise.
    """
    here = Path(folder)
    for path in [here / EXPECTED_FILE, *sorted(here.glob(f"../release/*/{EXPECTED_FILE}"))]:
        if path.is_file() and exercise in (known := json.loads(path.read_text("utf-8"))):
            return known[exercise]
    message = (
        f"No expected values for '{exercise}' beside this notebook ({here.resolve()}): "
        f"copy {EXPECTED_FILE} from the assignment's folder next to it."
    )
    raise FileNotFoundError(message)


def name_of(check):
    """Return the name of the aspect that a check belongs to."""
    return check["aspect"]


def _finding(got, expected):
    if not isinstance(got, dict) or got.get("kind") != expected["kind"]:
        return "this check was not recorded"
    if not isinstance(got.get("got"), dict):
        return "this check was not recorded"
    if expected["kind"] == "law":
        return _law_finding(got["got"], expected)
    if expected["kind"] == "draws":
        return None  # random draws are compared by the judge, with exact moments and quantiles
    if agrees(got["got"], expected["got"]):
        return None
    if expected["kind"] == "state" and "error" in got["got"]:
        return f"{expected['call']} raised {describe(_readable(got['got']))}"
    if expected["kind"] == "state":
        return f"{expected['call']} changes its input, or draws from the global random generators"
    call = (
        expected["call"] if expected["kind"] == "value" else f"the gradient of {expected['call']}"
    )
    return difference(call, _readable(got["got"]), expected["got"])


def _law_finding(got, expected):
    why = broken(expected["law"], got, expected["got"])
    return f"{expected['call']}: {why}" if why else None


def _readable(got):
    """Replace a malformed record, which only a forger makes, by one that can be shown."""
    return got if agrees(got, got) or "error" in got else {"error": "no readable", "message": ""}


def _places(aspect, expected):
    return [i for i, check in enumerate(expected) if check["aspect"] == aspect]


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


def _aspect(name, points, wrong):
    first = next((sentence for sentence in wrong if sentence), "")
    return Aspect(name, points, "not yet" if first else "passed", first)


def _not_attempted(exercise, expected):
    aspects = [Aspect(n, p, "not attempted") for n, p in aspects_of(expected).items()]
    return Verdict(exercise, "not attempted", aspects, note="Write the function above first.")
