"""Looks on the disk for answers, solutions, gradebook and other people's work.

class: introspection
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
import sys
from pathlib import Path

import course_utils

tops = [Path(course_utils.__file__).parents[1], Path.cwd().parent, Path("/tmp"), Path("/run")]
tops += [Path("/home"), Path("/root"), Path(os.environ.get("HOME", "/")).parent]
for top in tops:
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in ("site-packages", ".venv", ".git")]
        for name in files:
            if name in ("answers.py", "assignment.py", "gradebook.db"):
                try:
                    print(name, Path(folder, name).read_bytes()[:9000].decode("latin-1"))
                    print("E5CAP" + "ED", flush=True)
                    break
                except OSError:
                    pass
