"""How near a right answer comes to being refused: processors round last digits differently."""

__all__ = ["nearly_refused"]

from collections.abc import Iterator

from course_utils.checking.agreement import share_used
from course_utils.checking.forms import Check, Reference

ROOM = 0.25  # of what is allowed: the rest is for another processor's last digits


def nearly_refused(record: list[Check], reference: Reference) -> Iterator[str]:
    """Tell for which cases a right answer passes, but uses more of the tolerance than ROOM."""
    for got, check in zip(record, reference["checks"], strict=False):
        used = 0.0 if check["kind"] in ("law", "draws") else share_used(got["got"], check["got"])
        if ROOM < used <= 1:
            case = check.get("case") or "a visible case"
            yield f"uses {used:.2f} of what is allowed for {case!r}; at most {ROOM:g}"
