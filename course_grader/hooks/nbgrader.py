"""nbgrader: what its commands do, and no option says otherwise."""

__all__ = [
    "ADD_SCORE",
    "COLLECT_TABLES",
    "CONNECT",
    "LOOK_FOR_TABLES",
    "OPEN",
    "SCHEMAS",
    "VALIDATE",
    "VERSION_OF_TABLES",
]

import functools

from course_grader.hooks.hook import Hook

_hook = functools.partial(Hook, "nbgrader", "0.9.6")

CONNECT = _hook("nbgrader.api", "create_engine")
LOOK_FOR_TABLES = _hook("nbgrader.api", "inspect")
COLLECT_TABLES = _hook("nbgrader.api:Base.metadata", "create_all")
OPEN = _hook("nbgrader.api:Gradebook", "__init__")
VERSION_OF_TABLES = _hook("nbgrader.api", "get_alembic_version")
SCHEMAS = _hook("nbgrader.nbgraderformat.common", "jsonschema")
VALIDATE = _hook("nbgrader.validator:Validator", "_preprocess")
ADD_SCORE = _hook("nbgrader.preprocessors:SaveAutoGrades", "_add_score")
