"""The name by which check cells import `Checks`: it lives in `course_utils.checking.checks`."""

__all__ = ["Checks"]

from course_utils.checking.checks import Checks
