"""A page to play with output distributions: one file of HTML, without code, kernel or network.

Imports project alone.
"""

__all__ = []
