"""The forms of what is recorded and of what it is compared with, as JSON holds them.

They are the very dicts that a notebook, checks.json and build/reference/ hold, named and typed:
whoever compares reads them as they lie, and no copy in another form could differ from them. What
a submission recorded may be forged; it has a form once the judge has looked.
"""

__all__ = [
    "CHANGED",
    "SOLUTION",
    "Check",
    "Exact",
    "Expected",
    "Got",
    "Hint",
    "Reference",
    "solution_id",
]

from typing import Any, NotRequired, TypedDict

SOLUTION = "-solution"
CHANGED = "ArgumentChanged"  # stands where an error does; nothing raises it
Got = dict[str, Any]
"""What one call gave, as `records.plain` or `records.failure` makes it."""


class Check(TypedDict):
    """One check of an exercise, with what its call gave."""

    aspect: str
    kind: str
    """value, gradient, state, law or draws."""
    call: str
    points: float
    got: Got
    case: NotRequired[str]
    law: NotRequired[str]


class Hint(TypedDict):
    """A wrong answer of the catalogue: its name, what its writer is told, what it gave."""

    name: str
    sentence: str
    got: list[Got]


class Exact(TypedDict):
    """Moments and quantiles of the law that draws must follow; m4 is about the mean."""

    mean: float
    var: float
    m4: float
    quantiles: list[list[float]]


class Expected(TypedDict):
    """What checks.json holds of an exercise: its visible checks, and hints that they show."""

    checks: list[Check]
    hints: list[Hint]


class Reference(Expected):
    """What the judge holds of an exercise: all checks, the `visible` ones first.

    `exact` holds the laws of draws by the place of their check, `solid` the places of checks
    that nobody can guess.
    """

    visible: int
    exact: dict[str, Exact]
    solid: list[int]


def solution_id(exercise: str) -> str:
    """Return the id of the cell that holds an exercise's answer.

    >>> solution_id("gaussian-nll")
    'gaussian-nll-solution'
    """
    return exercise + SOLUTION
