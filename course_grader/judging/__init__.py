"""Recorded values become verdicts, and a judged notebook becomes safe to look at.

May import project, authoring, intake and execution.
"""

__all__ = []
