"""nbformat: it checks each new cell, besides the whole notebook."""

__all__ = ["CHECK_NODE"]

from course_grader.hooks.hook import Hook

CHECK_NODE = Hook("nbformat", "5.11.1", "nbformat.v4.nbbase", "validate")
