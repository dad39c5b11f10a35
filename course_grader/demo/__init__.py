"""The sample class of make demo.

May import everything but the workspace and the command line.
"""

__all__ = []
