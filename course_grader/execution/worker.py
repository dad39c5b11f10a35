"""The start of a process that executes notebooks: what it imports, once for all workers.

What grades, which takes seconds to import, stays out of it.
"""

__all__ = ["execute"]

from course_grader.hooks.jsonschema import leave_out_grammar

leave_out_grammar()  # this process is ours alone, and what follows imports jsonschema

from course_grader.execution.execute import execute  # noqa: E402
