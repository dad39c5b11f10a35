"""Which simple relation turns what came into what was expected, in every case of an aspect.

It needs no catalogue of mistakes: each sentence says what holds of the numbers, not what their
author thought, and it is said only where it holds in all cases.
"""

__all__ = ["relation"]

from collections.abc import Sequence

import numpy as np

from course_utils.checking.forms import Check, Got
from course_utils.checking.number_relations import number_relation
from course_utils.checking.records import numbers
from course_utils.checking.shape_relations import shape_relation


def relation(got: Sequence[Check], expected: Sequence[Check]) -> str:
    """Return one sentence that is true of what came, over all cases; '' where none is simple.

    Parameters
    ----------
    got, expected : list of dict
        The recorded checks of one aspect, in the same order; values and gradients count.

    Returns
    -------
    str
        It gives no expected value away.
    """
    pairs = [(g["got"], e["got"]) for g, e in zip(got, expected, strict=False) if _counts(g, e)]
    if not pairs:
        return ""
    try:
        with np.errstate(all="ignore"):
            return _errors(pairs) or _of_parts(pairs)
    except Exception:  # a malformed record, which only a forger makes, has no relation
        return ""


def _counts(got: object, expected: Check) -> bool:
    kinds = ("value", "gradient")
    return expected["kind"] in kinds and isinstance(got, dict) and isinstance(got.get("got"), dict)


def _errors(pairs: list[tuple[Got, Got]]) -> str:
    """Say in how many cases it raises, where numbers were expected."""
    raised = [g["error"] for g, e in pairs if "error" in g and "error" not in e]
    if not raised:
        silent = [e for g, e in pairs if "error" in e and "error" not in g]
        return "It raises nothing where an error was asked for." if silent else ""
    kinds = ", ".join(sorted({_name(kind) for kind in raised}))
    where = "in every case" if len(raised) == len(pairs) else f"in {len(raised)} of {len(pairs)}"
    return f"It raises {kinds} {where}{' cases' if len(raised) < len(pairs) else ''}."


def _name(kind: object) -> str:
    """Return an error's class; a student may call theirs anything."""
    return kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 40 else "an error"


def _of_parts(pairs: list[tuple[Got, Got]]) -> str:
    """Find the relation of a number or an array, or the one that all wrong parts share."""
    pairs = [(_parts(g), _parts(e)) for g, e in pairs if "error" not in e]
    if any(g.keys() != e.keys() for g, e in pairs):
        return ""
    names = list(dict.fromkeys(name for g, _ in pairs for name in g))
    found = {name: _of_part([(g[name], e[name]) for g, e in pairs if name in g]) for name in names}
    wrong = {name: sentence for name, sentence in found.items() if sentence is not None}
    if len(set(wrong.values())) != 1:
        return ""
    sentence = next(iter(wrong.values()))
    if not sentence or len(wrong) == len(names):
        return sentence
    return f"Of value {', '.join(str(names.index(n) + 1) for n in wrong)} alone: {sentence}"


def _of_part(cases: list[tuple[Got, Got]]) -> str | None:
    """Return the sentence for one part over all cases; None where it is right in all."""
    arrays = [(numbers(g), numbers(e)) for g, e in cases]
    if all(a.shape == b.shape and same(a, b) for a, b in arrays):
        return None
    return shape_relation(arrays) or number_relation(arrays)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether numbers are equal, but for rounding."""
    return np.allclose(a, b, rtol=1e-5, atol=1e-7, equal_nan=True)


def _parts(record: Got, name: str = "") -> dict[str, Got]:
    """Return {place: record of an array} of a result, however nested."""
    if "items" not in record:
        return {name: record}
    inner = record["items"].items()
    return {k: v for key, item in inner for k, v in _parts(item, f"{name}.{key}").items()}
