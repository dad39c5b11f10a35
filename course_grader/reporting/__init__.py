"""What people look at: the table of a class, its report, a preview of what would change.

May import project and what stands above: authoring to building.
"""

__all__ = []
