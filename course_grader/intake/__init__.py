"""What students sent becomes notebooks of our making: an LMS's zip, folders, damaged files.

May import project and authoring.
"""

__all__ = []
