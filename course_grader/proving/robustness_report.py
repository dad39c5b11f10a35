"""Show claims that were rerun: as text, or as one JSON document that is kept below build/."""

__all__ = ["NONE", "robustness_as_json", "robustness_as_text", "write_robustness"]

import datetime
import json
import math
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from course_grader.authoring.as_notebook import digest
from course_grader.authoring.masters import Master
from course_grader.project.course import PROJECT, Unit
from course_grader.proving.robustness import LessonClaim

NONE = (
    "{} has no claims to rerun; a claim is a code cell that starts with "
    '# %% claim="One true sentence." steps=1500 and defines one function of (seed, steps), '
    "see docs/writing-a-unit.md"
)
RULE = (
    "Holds: at both numbers of steps all differences are finite, Student's 95% interval of the\n"
    "mean lies above 0, and at least 9 of 10 seeds are positive."
)


def robustness_as_text(unit: Unit, claims: Sequence[LessonClaim]) -> str:
    """Return a paragraph for each claim that was rerun, the rule, and a summary."""
    off = [claim.name for claim in claims if not claim.holds]
    told = f"{len(off)} not: {', '.join(off)}" if off else "all"
    summary = f"{unit.name}: {len(claims) - len(off)} of {len(claims)} claims hold"
    summary += f"; {told}" if off else ""
    return "\n\n".join([*(_paragraph(claim) for claim in claims), f"{RULE}\n{summary}"])


def robustness_as_json(unit: Unit, master: Master, claims: Sequence[LessonClaim]) -> str:
    """Return one JSON document: when and with what it was computed, and each claim's numbers."""
    document = {
        "unit": unit.name,
        "master": digest(master),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("torch", "numpy")}
        | {"python": platform.python_version()},
        "claims": [_facts(claim) for claim in claims],
    }
    return json.dumps(document, indent=1, allow_nan=False)


def write_robustness(unit: Unit, text: str, only: str = "", project: Path = PROJECT) -> Path:
    """Write the document below build/robustness/ and return its path."""
    name = f"{unit.name}.{only}" if only else unit.name
    path = project / "build" / "robustness" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", "utf-8")
    return path


def _facts(claim):
    return {
        "name": claim.name,
        "sentence": claim.sentence,
        "holds": claim.holds,
        "repeats": claim.repeats,
        "series": [
            {
                "steps": series.steps,
                "mean": _finite(series.mean),
                "half_width": _finite(series.half_width),
                "positive": series.positive,
                "seeds": len(series.differences),
                "holds": series.holds,
                "differences": [_finite(d) for d in series.differences],
                "errors": series.errors,
            }
            for series in claim.series
        ],
    }


def _finite(number):
    """Return a number as JSON has it: what is not finite becomes a word."""
    return number if math.isfinite(number) else str(number)


def _paragraph(claim):
    lines = [f"{claim.name}: {'HOLDS' if claim.holds else 'DOES NOT HOLD'}", f"  {claim.sentence}"]
    for series in claim.series:
        mean = f"{series.mean:+.3g} ± {series.half_width:.2g}"
        agree = f"{series.positive}/{len(series.differences)} positive"
        lines.append(f"  {series.steps:6d} steps   {mean:18}   {agree}")
        lines += [f"    {words}" for words in _troubles(series)]
    if not claim.repeats:
        lines.append(
            "  seed 0 gives another number when it is called again: seed all that it draws"
        )
    return "\n".join(lines)


def _troubles(series):
    """Yield what is not finite, and the traceback of each kind of error once."""
    seen = set()
    for seed, difference in enumerate(series.differences):
        error = series.errors.get(seed, "")
        if not error and not math.isfinite(difference):
            yield f"seed {seed}: {difference}, which is not finite"
        elif error:
            last = error.splitlines()[-1]
            yield f"seed {seed} raises {last}"
            if last not in seen:
                yield from error.splitlines()
            seen.add(last)
