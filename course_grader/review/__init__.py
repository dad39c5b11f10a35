"""Review on a terminal, and for Anki: what a notebook's form does, by keyboard.

It uses `course_utils.review`, which knows what is due.
"""

__all__ = []
