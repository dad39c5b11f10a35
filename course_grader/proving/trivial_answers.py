"""What can be earned with empty hands: constants, zeros, inputs handed back, numbers printed.

A check is solid if no such answer agrees with it; the points of an aspect rest on solid checks.
"""

__all__ = [
    "GUESSES",
    "by_heart",
    "echo_records",
    "empty_record",
    "guesses_from",
    "printed_numbers",
    "solid",
]

import ast
import functools
import re
from collections.abc import Iterable

import numpy as np

from course_grader.authoring.exercises import Exercise
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_utils.checking.agreement import agrees
from course_utils.checking.forms import Check, Reference
from course_utils.checking.records import numbers

GUESSES = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, float("nan"), float("inf"), float("-inf"))
NUMBER = re.compile(r"(?<![\w.])-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")
SMALLEST = 1e-6  # a hidden value nearer to zero than this decides nothing


def solid(stage: ExerciseContext, exercise: Exercise, entry: Reference) -> list[int]:
    """Return the places of hidden checks that no empty-handed answer agrees with.

    Parameters
    ----------
    stage : ExerciseContext
    exercise : Exercise
    entry : dict
        The exercise's reference so far: checks and visible.
    """
    echoes = echo_records(stage, exercise.solution.source)
    hidden = range(entry["visible"], len(entry["checks"]))
    return [
        i for i in hidden if _is_solid(entry["checks"][i], [e[i] for e in echoes if i < len(e)])
    ]


@functools.lru_cache(maxsize=16)  # each reference of a unit's exercises asks, and the proof
def echo_records(stage: ExerciseContext, solution: str) -> list[list[Check]]:
    """Return the records of a solution whose functions hand back one of their own inputs."""
    return run_answers(stage, [_echo(solution, place) for place in range(4)])


def guesses_from(printed: Iterable[float]) -> np.ndarray:
    """Return constants to try: the standing ones and every printed number, +-, halved, doubled."""
    found = np.array(sorted(set(printed)), dtype=float)
    spread = np.concatenate([found * factor for factor in (1, -1, 0.5, -0.5, 2, -2)])
    return np.concatenate([np.array(GUESSES), spread])


def printed_numbers(*texts: str) -> list[float]:
    """Return every number that stands in the texts."""
    return [float(word) for text in texts for word in NUMBER.findall(text)]


def empty_record(entry: Reference, guesses: np.ndarray) -> list[Check]:
    """Return the record of a fake recorder that answers each check with its luckiest guess."""
    return [{**check, "got": _luckiest(check["got"], guesses)} for check in entry["checks"]]


def by_heart(entry: Reference, guesses: np.ndarray) -> list[Check]:
    """Return the record of an answer that knows the visible cases, and guesses the others."""
    visible = entry["visible"]
    return entry["checks"][:visible] + empty_record(entry, guesses)[visible:]


def _is_solid(check, echoes):
    if check["kind"] == "draws":
        return True  # five quantiles and two moments: no constant has them
    if check["kind"] not in ("value", "gradient") or not _finite(check["got"]):
        return False
    guess = _luckiest(check["got"], np.array(GUESSES))
    return not any(agrees(lucky, check["got"]) for lucky in [guess, *(e["got"] for e in echoes)])


def _finite(got):
    leaves = list(_leaves(got))
    return bool(leaves) and all(_sizeable(leaf) for leaf in leaves)


def _sizeable(leaf):
    if "error" in leaf or leaf["dtype"] == "bool":
        return False
    values = numbers(leaf)
    return values.size > 0 and bool(np.isfinite(values).all() and np.abs(values).max() > SMALLEST)


def _leaves(got):
    if "items" in got:
        for item in got["items"].values():
            yield from _leaves(item)
    else:
        yield got


def _luckiest(got, guesses):
    """Fill the expected shape with the guess that lies nearest to the expected numbers."""
    if "items" in got:
        return {"items": {k: _luckiest(v, guesses) for k, v in got["items"].items()}}
    if "error" in got:
        return {"dtype": "float", "shape": [], "data": [0.0]}
    values = numbers(got).ravel()
    best = _nearest(values, guesses)
    data = [best] * len(got["data"])
    return {
        "dtype": "bool" if got["dtype"] == "bool" else "float",
        "shape": got["shape"],
        "data": data,
    }


def _nearest(values, guesses):
    """Return the finite guess nearest to the first value, or the word for a non-finite one."""
    first = float(values[0]) if values.size else 0.0
    if not np.isfinite(first):
        return str(first)
    finite = guesses[np.isfinite(guesses)]
    return float(finite[np.argmin(np.abs(finite - first))])


def _echo(source, place):
    """Replace the body of each function in a solution cell by: return one of its own inputs."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            given = [arg.arg for arg in node.args.args] or ["None"]
            node.body = [ast.parse(f"return {given[min(place, len(given) - 1)]}").body[0]]
    return ast.unparse(tree)
