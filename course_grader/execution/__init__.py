"""Untrusted code, alone: the sandbox, what runs inside it, and many notebooks in parallel.

May import project and, for the format of cells, authoring and intake.
"""

__all__ = []
