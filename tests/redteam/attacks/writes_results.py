"""Writes a record, a gradebook and feedback where they might be read.

class: forged records
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
from pathlib import Path

import course_utils

project = Path(course_utils.__file__).resolve().parents[1]
for place in (
    project,
    project / "course_utils",
    Path("/"),
    Path("/run/containers"),
    Path("/run/data"),
):
    for name in ("records.json", "gradebook.db", "results.json"):
        try:
            Path(place, f"forged-{name}").write_text('{"score": 31}')
            os.unlink(Path(place, f"forged-{name}"))
            print("E5CAP" + "ED wrote", place)
        except OSError:
            pass
for name in ("records.json", "gradebook.db", "results.json", "checks.json"):
    Path(name).write_text('{"score": 31}')
