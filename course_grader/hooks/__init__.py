"""What we lean on in other libraries that they promise to nobody: one module for each library.

A package of its own, because grading, execution and the command line lean on the same libraries,
and whoever raises a version looks in one place: each module names every private part, with the
version in which it was read; pyproject.toml has the upper bounds. Where a part is gone, its user
is told which one of which library. `execution/inside`, which cannot import this, leans on none.

May import project.
"""

__all__ = []
