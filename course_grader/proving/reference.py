"""What right and wrong answers report: made where grading runs, never released."""

__all__ = ["is_at_hand", "key_of", "make_reference", "reference_for"]

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata

from course_grader.authoring.answers import read_answers
from course_grader.authoring.exercises import read_assignment
from course_grader.judging.draws import exact_facts
from course_grader.project.course import PROJECT, CourseError, Unit
from course_grader.proving import trivial_answers
from course_grader.proving.answer_runner import (
    ExerciseContext,
    run_answers,
    visible_count,
)
from course_utils.checking.findings import findings
from course_utils.checking.forms import Reference
from course_utils.whole_file import replacing

MADE_WITH = [  # what decides on a reference, beside the masters
    "course_utils",
    *(f"course_grader/{name}" for name in ("project", "authoring", "judging", "proving")),
]


def reference_for(unit: Unit) -> dict[str, Reference]:
    """Return the unit's reference, from the cache if nothing that it depends on has changed."""
    path = _cached(unit)
    if is_at_hand(unit):
        return _read(path, path.stat().st_mtime_ns)["exercises"]
    key = key_of(unit)  # of what it is made from, whatever changes meanwhile
    made = make_reference(unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as waiting:
        waiting.write_text(json.dumps({"key": key, "exercises": made}), "utf-8")
    return made


def is_at_hand(unit: Unit) -> bool:
    """Return whether `reference_for` has nothing to run."""
    path = _cached(unit)
    return path.is_file() and _read(path, path.stat().st_mtime_ns)["key"] == key_of(unit)


def _cached(unit):
    """Return where a reference lies: in the project of the unit, which may be a copy."""
    return unit.folder.resolve().parents[1] / "build" / "reference" / f"{unit.name}.json"


@functools.lru_cache(maxsize=2)
def _read(path, changed):
    """Read a file once for each time that it changed: a class asks for it with each submission."""
    return json.loads(path.read_text("utf-8"))


def make_reference(
    unit: Unit,
    *,
    by: str = "solution",
    only: str | None = None,
    like: Mapping[str, Reference] | None = None,
) -> dict[str, Reference]:
    """Run the unit's answers and return {exercise: reference}.

    Parameters
    ----------
    unit : Unit
    by : str
        Whose values are the truth: "solution" or "oracle". Both must give the same verdicts.
    only : str, optional
        One exercise; default: all.
    like : dict, optional
        A reference of the same masters: what does not depend on the truth is not run again.

    Raises
    ------
    CourseError
        If a check of the solution fails, hints clash, or an aspect has no solid hidden value.
    """
    master = read_assignment(unit)
    answers = read_answers(unit, master.exercises)
    return {
        name: _exercise(unit, master, exercise, answers[name], by, (like or {}).get(name))
        for name, exercise in master.exercises.items()
        if name == (only or name)
    }


def _exercise(unit, master, exercise, answers, by, like):
    stage = ExerciseContext.of(master, exercise)
    truth = exercise.solution.source if by == "solution" else answers.oracle.source
    wrong = [] if like else answers.wrong
    checks, *told = run_answers(stage, [truth, *(answer.source for answer in wrong)])
    _check_truth(unit, exercise, checks, by)
    entry = {
        "checks": checks,
        "visible": like["visible"] if like else visible_count(stage, truth),
        "exact": _exact(checks, answers.exact),
        "hints": like["hints"] if like else _hints(wrong, told),
    }
    entry["solid"] = trivial_answers.solid(stage, exercise, entry)
    _check_solid(unit, exercise, entry)
    _check_hints(unit, exercise, entry)
    return entry


def _check_truth(unit, exercise, checks, by):
    errors = [c for c in checks if c["kind"] == "law" and findings([c], [c])[0]]
    if not checks or errors:
        what = findings(errors[:1], errors[:1])[0] if errors else "its check cell never reports"
        raise CourseError(f"{unit.name}, {exercise.name}: the {by} fails: {what}")


def _exact(checks, source):
    """Return {place: facts} for checks that record draws, from the cell with role `exact`."""
    places = [i for i, check in enumerate(checks) if check["kind"] == "draws"]
    namespace = {}
    exec(source, namespace)
    laws = namespace.get("exact", {})
    missing = [checks[i]["aspect"] for i in places if checks[i]["aspect"] not in laws]
    if missing:
        raise CourseError(
            f'draws of {missing[0]!r} need a cell # %% law exact="..." with exact = ...'
        )
    return {str(i): exact_facts(laws[checks[i]["aspect"]]) for i in places}


def _hints(wrong, records):
    return [
        {"name": a.name, "sentence": a.sentence, "got": [check["got"] for check in record]}
        for a, record in zip(wrong, records, strict=True)
    ]


def _check_solid(unit, exercise, entry):
    for aspect in {check["aspect"] for check in entry["checks"]}:
        if not any(entry["checks"][i]["aspect"] == aspect for i in entry["solid"]):
            message = (
                f"aspect {aspect!r} needs a hidden check with a finite value nobody can guess"
            )
            raise CourseError(f"{unit.name}, {exercise.name}: {message}")


def _check_hints(unit, exercise, entry):
    """Stop if two hints match the same values: on all checks, or on the visible ones they fail."""
    whole, visible = {}, {}
    for hint in entry["hints"]:
        shown = hint["got"][: entry["visible"]]
        checks = [{**c, "got": g} for c, g in zip(entry["checks"], shown, strict=False)]
        fails = any(findings(checks, entry["checks"][: len(checks)]))
        for seen, got in ((whole, hint["got"]), (visible, shown if fails else None)):
            key = json.dumps([_rounded(g) for g in got]) if got else hint["name"]
            if key in seen:
                message = f"hints of {seen[key]!r} and {hint['name']!r} match the same values"
                raise CourseError(
                    f"{unit.name}, {exercise.name}: {message}: add a check between them"
                )
            seen[key] = hint["name"]


def _rounded(got):
    """Round a record's numbers to 6 digits, so that equal answers have equal keys."""
    if "items" in got:
        return {k: _rounded(v) for k, v in got["items"].items()}
    if "error" in got:
        return got["error"]
    return [got["shape"], [x if isinstance(x, str) else f"{x:.6g}" for x in got["data"]]]


def key_of(unit: Unit) -> str:
    """Hash whatever the reference depends on: masters, packages, versions."""
    text = hashlib.sha256()
    for folder in (unit.folder, *(PROJECT / name for name in MADE_WITH)):
        for path in sorted(folder.rglob("*.py")):
            text.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    libraries = map(metadata.version, ("torch", "numpy", "scipy"))
    text.update(" ".join([platform.python_version(), *libraries]).encode())
    return text.hexdigest()
