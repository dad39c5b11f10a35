"""nbclient: which outputs stand for a display that may be updated."""

__all__ = ["DISPLAYED"]

from course_grader.hooks.hook import Hook

DISPLAYED = Hook("nbclient", "0.11.0", "nbclient:NotebookClient", "_display_id_map")
