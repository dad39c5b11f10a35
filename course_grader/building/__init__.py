"""Masters become the four trees, and nothing secret leaves the house.

May import project and what stands above: authoring to gradebook.
"""

__all__ = []
