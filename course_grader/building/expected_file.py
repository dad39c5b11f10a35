"""checks.json, the visible expected values and their hints: the same bytes on every processor.

Processors round differently, so a number that was computed anew differs in its last digits from
the committed one. It takes its place only if the judge would tell the two apart.
"""

__all__ = ["expected_file", "settled", "visible_part"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.checking.agreement import agrees
from course_utils.checking.comparison import EXPECTED_FILE
from course_utils.checking.findings import findings
from course_utils.checking.forms import Reference


def visible_part(reference: Mapping[str, Reference]) -> dict[str, Any]:
    """Return what is released beside the notebook: visible expected values and their hints."""
    return {name: _visible(entry) for name, entry in reference.items()}


def expected_file(values: Mapping[str, Any]) -> bytes:
    """Return the content of checks.json, as bytes, from what `visible_part` returned."""
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()


def settled(plan: Mapping[str, bytes], project: Path) -> dict[str, bytes]:
    """Return a plan in which no committed number gives way to one that agrees with it.

    Parameters
    ----------
    plan : dict
        {path: bytes} of the files that are to be written, relative to `project`.
    project : Path
        Where the committed files lie.
    """
    return {path: _settled(content, project / path) for path, content in plan.items()}


def _settled(content, committed):
    if committed.name != EXPECTED_FILE or not committed.is_file():
        return content
    try:
        known = json.loads(committed.read_text("utf-8"))
    except ValueError:  # edited by hand, or cut off: made anew
        return content
    return expected_file(_merged(json.loads(content), known))


def _merged(fresh, known):
    """Return `fresh` with each of its records that agrees with the one at its place in `known`.

    A record counts only where the case itself is the same; a hint is known by its sentence.
    """
    if _is_record(fresh) and _is_record(known):
        return known if _is_same_but_for_rounding(fresh, known) else fresh
    if isinstance(fresh, dict) and isinstance(known, dict):
        if _case(fresh) != _case(known):
            return fresh
        return {key: _merged(value, known.get(key)) for key, value in fresh.items()}
    if isinstance(fresh, list) and isinstance(known, list):
        return [_merged(value, _counterpart(value, i, known)) for i, value in enumerate(fresh)]
    return fresh


def _case(value):
    """Return what a recorded check is about: all but the record, None of what is no check."""
    return {k: v for k, v in value.items() if k != "got"} if "call" in value else None


def _counterpart(value, place, known):
    """Return the element of a list that a new one replaces, or None."""
    sentence = value.get("sentence") if isinstance(value, dict) else None
    if sentence is not None:
        hints = (hint for hint in known if isinstance(hint, dict))
        return next((hint for hint in hints if hint.get("sentence") == sentence), None)
    return known[place] if place < len(known) else None


def _is_record(value):
    return isinstance(value, dict) and bool(value.keys() & {"data", "items", "error"})


def _is_same_but_for_rounding(fresh, known):
    return _form(fresh) == _form(known) and agrees(fresh, known)


def _form(record):
    """Return a record without its finite numbers: dtypes, shapes, names, words, infinities."""
    if not isinstance(record, dict):
        return record
    if "data" in record:
        words = [x if isinstance(x, str) else None for x in record["data"]]
        return record | {"data": words}
    return {key: _form(value) for key, value in record.items()}


def _visible(entry):
    n = entry["visible"]
    hints = [
        {"name": h["name"], "sentence": h["sentence"], "got": h["got"][:n]} for h in entry["hints"]
    ]
    shown = [h for h in hints if _fails(h["got"], entry["checks"][:n])]
    return {"checks": [_wordless(check) for check in entry["checks"][:n]], "hints": shown}


def _wordless(check):
    """Leave out an expected error's message: the words are the solution's own."""
    error = check["got"].get("error")
    return {**check, "got": {"error": error}} if error else check


def _fails(got, expected):
    checks = [{**check, "got": value} for check, value in zip(expected, got, strict=False)]
    return any(findings(checks, expected))
