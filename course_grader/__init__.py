"""The instructor's side of the course: build, answers, intake, execution, judging, reports."""

import os
import sys

# nbgrader starts `alembic` by name for a new gradebook: find the one of this environment.
_here = os.path.dirname(sys.executable)
if _here not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([_here, os.environ.get("PATH", "")])

# Jupyter asks for a home, which a user without an account, as in a container, may lack.
if os.path.expanduser("~") == "~":
    os.environ["HOME"] = "/nonexistent"  # a folder that others can write to would be a trap

# jsonschema imports this, where it is installed, to check one kind of address that no notebook
# holds; it compiles a grammar for longer than all our other imports take.
sys.modules.setdefault("rfc3987_syntax", None)
