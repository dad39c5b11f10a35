"""Answers as learners type them: a number, one of some choices, or words."""

__all__ = ["read_choice", "read_number", "read_words"]

from collections.abc import Sequence
from typing import Any


def read_number(value: Any) -> float:
    """Return a number, of whatever type or as text; a ValueError says what one looks like."""
    try:
        value = value.item() if hasattr(value, "item") else value
        if not isinstance(value, bool | complex):
            return float(value)  # a form hands over text
    except (TypeError, ValueError, RuntimeError):
        pass
    raise ValueError(f"the answer is a number, such as 0.35 or 1e-3; got {value!r}")


def read_words(value: object) -> str:
    """Return text that is not blank, stripped; a ValueError says so otherwise."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"the answer is in words of your own; got {value!r}")
    return value.strip()


def read_choice(value: str, choices: Sequence[str]) -> str:
    """Return one of the choices; a ValueError lists them otherwise."""
    if value not in choices:
        raise ValueError(f"the answer is one of {', '.join(map(repr, choices))}; got {value!r}")
    return value
