"""The bridge to nbgrader: a class is graded, saved, marked, exported.

May import project and what stands above: authoring to proving.
"""

__all__ = []
