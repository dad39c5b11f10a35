"""Text that people write: masters become structures, or stop with file, line and remedy.

May import project.
"""

__all__ = []
