"""What runs inside the sandbox: a preloaded process that forks one shell per submission.

Nothing here imports the rest of course_grader, which does not exist inside.
"""

__all__ = []
