"""Spaced repetition of what a learner has met: which cards, when each is due, and asking them.

FSRS says when. `cards` and `schedule` know no screen; a terminal and a notebook's form share
`sitting`.
"""

__all__ = []
