"""Where things lie, and files as such: the project, its units, a course folder, notebooks, faults.

Stands below everything: it imports no other package of course_grader.
"""

__all__ = []
