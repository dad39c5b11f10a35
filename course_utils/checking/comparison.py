"""Compare a whole record with what was expected: the verdict on visible checks."""

__all__ = ["EXPECTED_FILE", "expected_for", "verdict"]

import json
from pathlib import Path

from course_utils.checking.findings import (
    aspects_of,
    explained,
    findings,
    first_findings,
    places_of,
)
from course_utils.checking.forms import Check, Expected, Hint
from course_utils.checking.hints import matching_hint, related_hints
from course_utils.checking.panel import Aspect, Verdict

EXPECTED_FILE = "checks.json"  # lies beside each assignment: visible values and their hints


def verdict(
    exercise: str, got: list[Check], expected: list[Check], hints: list[Hint], *, note: str = ""
) -> Verdict:
    """Compare the visible checks only: the panel that a learner sees; nothing is graded."""
    wrong = findings(got, expected)
    if got and got[0]["got"].get("error") == "NotImplementedError":
        return _not_attempted(exercise, expected)
    firsts = first_findings(got, expected, wrong)
    aspects = [
        _aspect(name, points, firsts[name], got, expected, wrong)
        for name, points in aspects_of(expected).items()
    ]
    hint = matching_hint(got, expected, wrong, hints)
    status = "not yet" if any(wrong) else "passed"
    more = related_hints(expected, wrong, hints, but=hint)
    sentence = hint["sentence"] if hint else ""
    return Verdict(exercise, status, aspects, hint=sentence, more=more, note=note)


def expected_for(exercise: str, folder: str | Path = ".") -> Expected:
    """Read the visible expected values of an exercise from the file beside the notebook.

    Raises
    ------
    FileNotFoundError
        If no file beside the notebook (or in ../release) knows the exercise.
    """
    here = Path(folder)
    for path in [here / EXPECTED_FILE, *sorted(here.glob(f"../release/*/{EXPECTED_FILE}"))]:
        if path.is_file() and exercise in (known := json.loads(path.read_text("utf-8"))):
            found: Expected = known[exercise]
            return found
    message = (
        f"No expected values for '{exercise}' beside this notebook ({here.resolve()}): "
        f"copy {EXPECTED_FILE} from the assignment's folder next to it."
    )
    raise FileNotFoundError(message)


def _aspect(
    name: str,
    points: float,
    first: str,
    got: list[Check],
    expected: list[Check],
    wrong: list[str | None],
) -> Aspect:
    if not first:
        return Aspect(name, points, "passed")
    places = places_of(name, expected)
    mine = [got[i] for i in places if i < len(got)]
    told = explained(first, mine, [expected[i] for i in places], [wrong[i] for i in places])
    return Aspect(name, points, "not yet", *told)


def _not_attempted(exercise: str, expected: list[Check]) -> Verdict:
    aspects = [Aspect(n, p, "not attempted") for n, p in aspects_of(expected).items()]
    return Verdict(exercise, "not attempted", aspects, note="Write the function above first.")
