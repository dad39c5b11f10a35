"""Looks for the instructor's secrets in the environment and in /proc.

class: introspection
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
from pathlib import Path

names = set(os.environ)
for place in ("/proc/1/environ", "/proc/self/environ", f"/proc/{os.getppid()}/environ"):
    try:
        names |= {w.split("=")[0] for w in Path(place).read_bytes().decode("latin-1").split("\0")}
    except OSError:
        pass
others = {"SSH_AUTH_SOCK", "JPY_PARENT_PID", "COURSE_REQUIRE_SANDBOX", "PYTEST_VERSION", "PWD"}
if names & (others - {"PWD"}):
    print("E5CAP" + "ED", names & others)
for place in Path("/proc").glob("[0-9]*/cmdline"):
    if b"nbgrader" in place.read_bytes() or b"pytest" in place.read_bytes():
        print("E5CAP" + "ED", place)
