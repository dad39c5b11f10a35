"""What a command needs of the variables around it: set when one starts, never by an import."""

__all__ = ["find_programs", "have_home"]

import os
import sys


def find_programs() -> None:
    """Put this environment's programs on the PATH: nbgrader starts `alembic` by its name."""
    here = os.path.dirname(sys.executable)
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def have_home() -> None:
    """Name a home where there is none: Jupyter asks for it.

    A user without an account, as in a container, may lack one.
    """
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = "/nonexistent"  # a folder that others can write to would be a trap
